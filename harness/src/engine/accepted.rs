//! The request of a client under test, and the response we give it, every byte of which a case can override.

use bytes::Bytes;
use wsgrade_cases::model::{DeflateWish, Opening};
use wsgrade_codec::Role;
use wsgrade_codec::check::opening::{self, Asked};
use wsgrade_codec::check::{Negotiated, Rule, Violation};
use wsgrade_codec::deflate::{self, Params, WindowBits};
use wsgrade_codec::handshake::{Extension, RequestHead, accept_key, format_extensions, parse_extensions};
use wsgrade_reports::record::{Direction, What};

use super::opening::{head, http_message, said};
use super::template::Template;

/// The request of a client under test, lawful or not.
#[derive(Clone, Debug)]
pub struct Accepted {
    raw: Bytes,
    /// What it breaks.
    violations: Vec<Violation>,
    asked: Asked,
    /// The subprotocol agreed on.
    subprotocol: Option<String>,
    /// What came behind it.
    rest: Bytes,
}

impl Accepted {
    /// Takes a request to be accepted, with the bytes that came behind it. It is accepted whatever it breaks, so that the
    /// case can be played all the same; what it breaks is told.
    pub fn new(head: &RequestHead, rest: Bytes) -> Self {
        let mut violations = opening::request(head);
        // There was no response yet that it could have waited for.
        if !rest.is_empty() {
            let detail = format!("{} bytes came with the request, before the response", rest.len());
            violations.push(Violation::new(Rule::RequestWaits, detail));
        }
        Self { raw: head.raw.clone(), violations, asked: Asked::of(head), subprotocol: None, rest }
    }

    /// Agrees to a subprotocol, which has to be one of those that the request offers.
    #[must_use]
    pub fn with_subprotocol(self, subprotocol: Option<String>) -> Self {
        Self { subprotocol, ..self }
    }

    /// What the request asks for.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Adds something that the request breaks, which only other connections tell.
    pub fn add_violation(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// What the request breaks.
    pub(super) fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What the transcript has of the request.
    pub(super) fn received(&self) -> What {
        What::Http { dir: Direction::Received, message: http_message(&self.raw) }
    }

    /// What came behind the request.
    pub(super) fn rest(&self) -> &Bytes {
        &self.rest
    }

    /// The extensions of a case, where all of them were offered.
    fn agree_to_all(&self, extensions: &[String]) -> Option<String> {
        let offered = |extension: &Extension| {
            self.asked.extensions.iter().any(|offered| offered.name == extension.name)
        };
        let named = extensions.iter().flat_map(|text| parse_extensions(text.as_bytes()).unwrap_or_default());
        (!extensions.is_empty() && named.collect::<Vec<_>>().iter().all(offered))
            .then(|| extensions.join(", "))
    }

    /// The head of the response for a case.
    pub(crate) fn head(&self, opening: &Opening) -> Vec<u8> {
        self.response(opening).bytes
    }

    /// The response for a case: ours (RFC 6455 4.2.2), edited as the case says.
    pub(super) fn response(&self, opening: &Opening) -> Response {
        let agreed = agree(&self.asked.extensions, &opening.deflate);
        let extensions = agreed
            .map(|(_, extension)| format_extensions(&[extension]))
            .or_else(|| self.agree_to_all(&opening.extensions));
        let template = Template::of_response(&self.asked);
        let bytes = match &opening.raw {
            Some(raw) => template.fill(&raw.to_bytes()),
            None => {
                let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
                let start = match opening.status {
                    None | Some(101) => format!("{version} 101 Switching Protocols"),
                    Some(status) => format!("{version} {status} Refused"),
                };
                let accept = accept_key(&self.asked.key);
                let headers = [
                    ("Upgrade", Some("websocket")),
                    ("Connection", Some("Upgrade")),
                    ("Sec-WebSocket-Accept", Some(accept.as_str())),
                    ("Sec-WebSocket-Protocol", self.subprotocol.as_deref()),
                    ("Sec-WebSocket-Extensions", extensions.as_deref()),
                    ("Server", Some(concat!("wsgrade/", env!("CARGO_PKG_VERSION")))),
                ];
                let headers = headers
                    .iter()
                    .filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned())));
                head(start.as_bytes(), headers.collect(), opening, &template)
            }
        };
        let said = said(&bytes);
        let negotiated = Negotiated {
            deflate: said.as_ref().and_then(|said| {
                deflate::accept_response(&said.extensions, &self.asked.deflate_offers()).ok().flatten()
            }),
        };
        Response {
            sent: What::Http { dir: Direction::Sent, message: http_message(&bytes) },
            opened: said.map(|said| What::Opened {
                subprotocol: said.subprotocol,
                extensions: (!said.extensions.is_empty()).then(|| format_extensions(&said.extensions)),
            }),
            negotiated,
            bytes,
        }
    }
}

/// How we answer the request of a client under test.
pub(super) struct Response {
    pub(super) bytes: Vec<u8>,
    /// How the transcript has it.
    pub(super) sent: What,
    /// What it agrees to, for the transcript; `None` where it opens no connection.
    pub(super) opened: Option<What>,
    pub(super) negotiated: Negotiated,
}

/// What a case agrees to as a server: the first of its wishes that the client's offers allow.
fn agree(offered: &[Extension], wishes: &[DeflateWish]) -> Option<(Params, Extension)> {
    wishes.iter().find_map(|wish| {
        let bits = wish.max_window_bits.and_then(WindowBits::new);
        let support = deflate::Support {
            client_no_context_takeover: wish.no_context_takeover,
            client_max_window_bits: bits.unwrap_or_default(),
            server_no_context_takeover: wish.our_context_takeover == Some(false),
            server_max_window_bits: wish.our_window_bits.and_then(WindowBits::new).unwrap_or_default(),
        };
        // "If a received extension negotiation offer doesn't have the "client_max_window_bits" extension parameter, the
        // corresponding extension negotiation response to the offer MUST NOT include the "client_max_window_bits"
        // extension parameter." (RFC 7692 7.1.2.2)
        let allows = |extension: &&Extension| {
            bits.is_none()
                || deflate::Offer::parse(extension).is_ok_and(|offer| offer.client_max_window_bits.is_some())
        };
        let allowed: Vec<_> = offered.iter().filter(allows).cloned().collect();
        let (params, extension) = deflate::negotiate(&allowed, &support)?;
        if !wish.is_granted(&params, Role::Server) {
            return None;
        }
        // The largest window is the one without a word, but the wish is to say it.
        Some(match bits {
            Some(WindowBits::MAX) if params.client_max_window_bits == WindowBits::MAX => {
                let value = Some(WindowBits::MAX.to_string());
                (params, extension.with("client_max_window_bits", value))
            }
            Some(_) | None => (params, extension),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(no_context_takeover: bool, max_window_bits: Option<u8>) -> DeflateWish {
        DeflateWish { no_context_takeover, max_window_bits, ..DeflateWish::default() }
    }

    fn ours(our_context_takeover: Option<bool>, our_window_bits: Option<u8>) -> DeflateWish {
        DeflateWish { our_context_takeover, our_window_bits, ..DeflateWish::default() }
    }

    #[test]
    fn what_a_case_knows_of_our_own_compression_is_in_the_answer_or_there_is_none() {
        let answer = |wish: DeflateWish, offers: &str| {
            let offered = parse_extensions(offers.as_bytes()).unwrap();
            let agreed = agree(&offered, &[wish]);
            agreed.map_or_else(|| "none".to_owned(), |(_, extension)| format_extensions(&[extension]))
        };
        let plain = "permessage-deflate";
        let strict = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10";
        let lines = [
            answer(ours(Some(true), None), plain),
            answer(ours(Some(true), None), strict),
            answer(ours(Some(false), None), plain),
            answer(ours(Some(false), None), strict),
            answer(ours(None, Some(12)), plain),
            answer(ours(None, Some(12)), strict),
            answer(ours(None, Some(15)), plain),
            answer(ours(None, Some(9)), strict),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        permessage-deflate
        none
        permessage-deflate; server_no_context_takeover
        permessage-deflate; server_no_context_takeover; server_max_window_bits=10
        permessage-deflate; server_max_window_bits=12
        none
        permessage-deflate
        permessage-deflate; server_no_context_takeover; server_max_window_bits=9
        ");
    }

    /// As Autobahn's server answers: the parameters of a case are those of the peer, whichever side it is.
    #[test]
    fn a_wish_is_an_answer_of_the_server() {
        let answer = |wishes: &[DeflateWish], offers: &str| {
            let offered = parse_extensions(offers.as_bytes()).unwrap();
            match agree(&offered, wishes) {
                Some((_, extension)) => format_extensions(&[extension]),
                None => "none".to_owned(),
            }
        };
        let (plain, bits) = ("permessage-deflate", "permessage-deflate; client_max_window_bits");
        let both = [wish(true, Some(9)), wish(true, None), wish(false, None)];
        let lines = [
            answer(&[wish(false, None)], plain),
            answer(&[wish(true, None)], bits),
            answer(&[wish(false, Some(9))], plain),
            answer(&[wish(false, Some(9))], bits),
            answer(&[wish(false, Some(15))], bits),
            answer(&[wish(true, Some(15))], bits),
            answer(&both, plain),
            answer(&both, bits),
            answer(&both, "permessage-deflate, permessage-deflate; client_max_window_bits=12"),
            answer(&[wish(false, Some(12))], "permessage-deflate; client_max_window_bits=10"),
            answer(
                &[wish(false, None)],
                "permessage-deflate; server_max_window_bits=10; server_no_context_takeover",
            ),
            answer(&[wish(false, None)], "permessage-deflate; unknown"),
            answer(&[], plain),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        permessage-deflate
        permessage-deflate; client_no_context_takeover
        none
        permessage-deflate; client_max_window_bits=9
        permessage-deflate; client_max_window_bits=15
        permessage-deflate; client_no_context_takeover; client_max_window_bits=15
        permessage-deflate; client_no_context_takeover
        permessage-deflate; client_no_context_takeover; client_max_window_bits=9
        permessage-deflate; client_no_context_takeover; client_max_window_bits=9
        permessage-deflate; client_max_window_bits=10
        permessage-deflate; server_no_context_takeover; server_max_window_bits=10
        none
        none
        ");
    }
}
