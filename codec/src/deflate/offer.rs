//! Negotiation, both sides.

use thiserror::Error;

use super::{NAME, Params, WindowBits};
use crate::handshake::Extension;

const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// A client's offer (RFC 7692, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Offer {
    /// The server is asked to begin each message with an empty window.
    pub server_no_context_takeover: bool,
    /// The client says that it will begin each message with an empty window, as a hint.
    pub client_no_context_takeover: bool,
    /// The largest window that the server may use; `None` for no limit.
    pub server_max_window_bits: Option<WindowBits>,
    /// Whether the server may limit the client's window; `None` if it may not, `Some(None)` if it may, and
    /// `Some(Some(bits))` if it may and the client will not use more than that anyway.
    pub client_max_window_bits: Option<Option<WindowBits>>,
}

/// Why parameters are not an offer or a response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidParam {
    /// "an extension parameter not defined for use" (RFC 7692, 7)
    #[error("the parameter {0:?} is not defined")]
    Unknown(String),
    /// "multiple extension parameters with the same name" (RFC 7692, 7)
    #[error("the parameter {0:?} occurs more than once")]
    Twice(String),
    /// "an extension parameter with an invalid value" (RFC 7692, 7)
    #[error("the parameter {name:?} cannot have the value {value:?}")]
    Value {
        /// The name of the parameter.
        name: String,
        /// Its value; `None` if it has none and needs one.
        value: Option<String>,
    },
}

impl Offer {
    /// Reads the parameters of an extension, whose name the caller has looked at.
    ///
    /// # Errors
    ///
    /// If a parameter is unknown, occurs twice, or has a value it cannot have; a server has to decline such an offer.
    pub fn parse(extension: &Extension) -> Result<Self, InvalidParam> {
        let mut offer = Self::default();
        for param in &extension.params {
            let (name, value) = (param.name.as_str(), param.value.as_deref());
            let invalid = || InvalidParam::Value { name: name.to_owned(), value: value.map(str::to_owned) };
            let seen = match name {
                // "This extension parameter has no value." (RFC 7692, 7.1.1.1)
                SERVER_NO_CONTEXT | CLIENT_NO_CONTEXT if value.is_some() => return Err(invalid()),
                SERVER_NO_CONTEXT => std::mem::replace(&mut offer.server_no_context_takeover, true),
                CLIENT_NO_CONTEXT => std::mem::replace(&mut offer.client_no_context_takeover, true),
                // "a decimal integer value without leading zeroes between 8 to 15, inclusive" (RFC 7692, 7.1.2.1)
                SERVER_BITS => {
                    let bits = value.and_then(WindowBits::parse).ok_or_else(invalid)?;
                    offer.server_max_window_bits.replace(bits).is_some()
                }
                // "This parameter has no value or a decimal integer value without leading zeroes between 8 to 15
                // inclusive" (RFC 7692, 7.1.2.2)
                CLIENT_BITS => {
                    let bits = value.map(|text| WindowBits::parse(text).ok_or_else(invalid)).transpose()?;
                    offer.client_max_window_bits.replace(bits).is_some()
                }
                _ => return Err(InvalidParam::Unknown(name.to_owned())),
            };
            if seen {
                return Err(InvalidParam::Twice(name.to_owned()));
            }
        }
        Ok(offer)
    }

    /// The offer as an element of `Sec-WebSocket-Extensions`.
    #[must_use]
    pub fn to_extension(&self) -> Extension {
        let mut extension = Extension::new(NAME);
        if self.server_no_context_takeover {
            extension = extension.with(SERVER_NO_CONTEXT, None);
        }
        if self.client_no_context_takeover {
            extension = extension.with(CLIENT_NO_CONTEXT, None);
        }
        if let Some(bits) = self.server_max_window_bits {
            extension = extension.with(SERVER_BITS, Some(bits.to_string()));
        }
        if let Some(bits) = self.client_max_window_bits {
            extension = extension.with(CLIENT_BITS, bits.map(|bits| bits.to_string()));
        }
        extension
    }
}

/// The elements for several offers, the best one first.
#[must_use]
pub fn offer_extensions(offers: &[Offer]) -> Vec<Extension> {
    offers.iter().map(Offer::to_extension).collect()
}

/// What a server is ready to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Support {
    /// Begin each message with an empty window, asked or not.
    pub server_no_context_takeover: bool,
    /// Ask the client to begin each message with an empty window.
    pub client_no_context_takeover: bool,
    /// The largest window to compress with.
    pub server_max_window_bits: WindowBits,
    /// The largest window to ask of the client, where its offer lets us; otherwise 15 is taken.
    pub client_max_window_bits: WindowBits,
}

/// Chooses among the extensions that a client offered, as a server: the first usable offer of permessage-deflate. Gives
/// the parameters and the element for the response; `None` if there is no usable offer.
///
/// "A server MUST decline an extension negotiation offer for this extension if any of the following conditions are
/// met" (RFC 7692, 7): a parameter which is unknown, twice there or invalid. The next offer is tried then.
#[must_use]
pub fn negotiate(offered: &[Extension], support: &Support) -> Option<(Params, Extension)> {
    let offer = offered
        .iter()
        .filter(|extension| extension.name == NAME)
        .find_map(|extension| Offer::parse(extension).ok())?;
    let mut extension = Extension::new(NAME);
    let mut params = Params::default();
    // "A server accepts an extension negotiation offer that includes the "server_no_context_takeover" extension
    // parameter by including the "server_no_context_takeover" extension parameter in the corresponding extension
    // negotiation response" (RFC 7692, 7.1.1.1)
    if offer.server_no_context_takeover || support.server_no_context_takeover {
        params.server_no_context_takeover = true;
        extension = extension.with(SERVER_NO_CONTEXT, None);
    }
    // "the server may either ignore the parameter or use the parameter to avoid taking over the LZ77 sliding window
    // unnecessarily" (RFC 7692, 7.1.1.2)
    if offer.client_no_context_takeover || support.client_no_context_takeover {
        params.client_no_context_takeover = true;
        extension = extension.with(CLIENT_NO_CONTEXT, None);
    }
    // "by including the "server_max_window_bits" extension parameter in the extension negotiation response to send back
    // to the client with the same or smaller value as the offer" (RFC 7692, 7.1.2.1)
    let bits = offer.server_max_window_bits.unwrap_or_default().min(support.server_max_window_bits);
    if offer.server_max_window_bits.is_some() || bits < WindowBits::MAX {
        params.server_max_window_bits = bits;
        extension = extension.with(SERVER_BITS, Some(bits.to_string()));
    }
    // "If a received extension negotiation offer doesn't have the "client_max_window_bits" extension parameter, the
    // corresponding extension negotiation response to the offer MUST NOT include the "client_max_window_bits" extension
    // parameter." (RFC 7692, 7.1.2.2)
    if let Some(hint) = offer.client_max_window_bits {
        let bits = hint.unwrap_or_default().min(support.client_max_window_bits);
        if bits < WindowBits::MAX {
            params.client_max_window_bits = bits;
            extension = extension.with(CLIENT_BITS, Some(bits.to_string()));
        }
    }
    Some((params, extension))
}

/// Why a client has to fail the connection over the server's response.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidResponse {
    /// The extension occurs more than once.
    #[error("permessage-deflate is accepted more than once")]
    SeveralTimes,
    /// A parameter is wrong.
    #[error(transparent)]
    Param(#[from] InvalidParam),
    /// It answers none of the offers.
    #[error("the response {0:?} answers no offer")]
    NotOffered(String),
}

/// Judges the extensions of a server's response, as a client. Gives the agreed parameters; `None` if permessage-deflate
/// was not accepted.
///
/// # Errors
///
/// "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this
/// extension with an extension negotiation response meeting any of the following conditions" (RFC 7692, 7): a parameter
/// which is unknown, twice there or invalid, or a configuration that was not offered.
pub fn accept_response(accepted: &[Extension], offers: &[Offer]) -> Result<Option<Params>, InvalidResponse> {
    let mut ours = accepted.iter().filter(|extension| extension.name == NAME);
    let Some(extension) = ours.next() else { return Ok(None) };
    if ours.next().is_some() {
        return Err(InvalidResponse::SeveralTimes);
    }
    let response = Offer::parse(extension)?;
    // "The "client_max_window_bits" extension parameter in an extension negotiation response has a decimal integer
    // value" (RFC 7692, 7.1.2.2)
    if response.client_max_window_bits == Some(None) {
        return Err(InvalidParam::Value { name: CLIENT_BITS.to_owned(), value: None }.into());
    }
    if !offers.iter().any(|offer| answers(&response, offer)) {
        return Err(InvalidResponse::NotOffered(extension.to_string()));
    }
    Ok(Some(Params {
        server_no_context_takeover: response.server_no_context_takeover,
        client_no_context_takeover: response.client_no_context_takeover,
        server_max_window_bits: response.server_max_window_bits.unwrap_or_default(),
        client_max_window_bits: response.client_max_window_bits.flatten().unwrap_or_default(),
    }))
}

/// Whether the response can be an answer to this offer.
fn answers(response: &Offer, offer: &Offer) -> bool {
    let context = response.server_no_context_takeover || !offer.server_no_context_takeover;
    // "A server accepts an extension negotiation offer with this parameter by including the "server_max_window_bits"
    // extension parameter in the extension negotiation response to send back to the client with the same or smaller
    // value as the offer." (RFC 7692, 7.1.2.1) What a response does not say is 15, which as an answer to 15 agrees to
    // all that was asked.
    let server_bits = response.server_max_window_bits.unwrap_or_default()
        <= offer.server_max_window_bits.unwrap_or_default();
    let client_bits = response.client_max_window_bits.is_none() || offer.client_max_window_bits.is_some();
    context && server_bits && client_bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::{format_extensions, parse_extensions};

    fn bits(value: u8) -> WindowBits {
        WindowBits::new(value).unwrap()
    }

    fn answer(offers: &str, support: &Support) -> Option<String> {
        let offered = parse_extensions(offers.as_bytes()).unwrap();
        negotiate(&offered, support).map(|(_, extension)| extension.to_string())
    }

    #[test]
    fn offers_there_and_back() {
        for text in [
            "permessage-deflate",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=8; client_max_window_bits=10",
            "permessage-deflate; client_max_window_bits",
        ] {
            let extensions = parse_extensions(text.as_bytes()).unwrap();
            let offer = Offer::parse(&extensions[0]).unwrap();
            assert_eq!(format_extensions(&offer_extensions(&[offer])), text);
        }
    }

    #[test]
    fn a_server_answers() {
        let all = Support::default();
        for (offers, expected) in [
            ("permessage-deflate", Some("permessage-deflate")),
            ("permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
            (
                "permessage-deflate; client_max_window_bits=8",
                Some("permessage-deflate; client_max_window_bits=8"),
            ),
            (
                "permessage-deflate; server_max_window_bits=\"9\"; server_no_context_takeover",
                Some("permessage-deflate; server_no_context_takeover; server_max_window_bits=9"),
            ),
            (
                "permessage-deflate; server_max_window_bits=8",
                Some("permessage-deflate; server_max_window_bits=8"),
            ),
            ("permessage-foo", None),
            ("permessage-deflate; x", None),
            ("permessage-deflate; server_max_window_bits", None),
            ("permessage-deflate; server_max_window_bits=7", None),
            ("permessage-deflate; server_max_window_bits=16", None),
            ("permessage-deflate; server_max_window_bits=010", None),
            ("permessage-deflate; server_no_context_takeover=1", None),
            ("permessage-deflate; client_no_context_takeover; client_no_context_takeover", None),
            (
                "permessage-deflate; server_max_window_bits=99, permessage-deflate; client_no_context_takeover",
                Some("permessage-deflate; client_no_context_takeover"),
            ),
        ] {
            assert_eq!(answer(offers, &all).as_deref(), expected, "{offers}");
        }
    }

    #[test]
    fn a_server_asks_for_less_only_where_it_may() {
        let small = Support {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: bits(10),
            client_max_window_bits: bits(11),
        };
        assert_eq!(
            answer("permessage-deflate", &small).unwrap(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10"
        );
        assert_eq!(
            answer("permessage-deflate; client_max_window_bits; server_max_window_bits=12", &small).unwrap(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=10; client_max_window_bits=11"
        );
    }

    #[test]
    fn a_client_judges_the_response() {
        let plain = Offer::default();
        let strict = Offer {
            server_no_context_takeover: true,
            server_max_window_bits: Some(bits(10)),
            client_max_window_bits: Some(None),
            ..plain
        };
        let judge = |text: &str, offers: &[Offer]| {
            accept_response(&parse_extensions(text.as_bytes()).unwrap(), offers)
        };
        assert_eq!(judge("other", &[plain]), Ok(None));
        assert_eq!(judge("permessage-deflate", &[plain]), Ok(Some(Params::default())));
        let agreed =
            judge("permessage-deflate; server_max_window_bits=9; client_no_context_takeover", &[plain]);
        assert_eq!(agreed.unwrap().unwrap().server_max_window_bits, bits(9));
        let full = "permessage-deflate; server_no_context_takeover; server_max_window_bits=10; \
                    client_max_window_bits=8";
        assert_eq!(judge(full, &[strict]).unwrap().unwrap().client_max_window_bits, bits(8));
        assert!(judge("permessage-deflate", &[strict, plain]).is_ok());
        // 15 is what goes without saying, and nothing less is.
        let limited = |value| Offer { server_max_window_bits: Some(bits(value)), ..plain };
        assert_eq!(judge("permessage-deflate", &[limited(15)]), Ok(Some(Params::default())));
        assert!(judge("permessage-deflate", &[limited(14)]).is_err());
        for (text, offers) in [
            ("permessage-deflate, permessage-deflate", &[plain][..]),
            ("permessage-deflate; client_max_window_bits=10", &[plain]),
            ("permessage-deflate; client_max_window_bits", &[strict]),
            ("permessage-deflate", &[strict]),
            ("permessage-deflate; server_no_context_takeover; server_max_window_bits=11", &[strict]),
            ("permessage-deflate; server_max_window_bits=0", &[plain]),
            ("permessage-deflate; server_max_window_bits=20", &[plain]),
            ("permessage-deflate; y", &[plain]),
            ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", &[plain]),
            ("permessage-deflate", &[]),
        ] {
            assert!(judge(text, offers).is_err(), "{text}");
        }
    }
}
