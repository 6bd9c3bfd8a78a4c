//! The request we open with, every byte of which a case can override.

use bytes::{Bytes, BytesMut};
use wsgrade_cases::model::{DeflateWish, HeaderEdit, Opening};
use wsgrade_codec::Role;
use wsgrade_codec::check::Negotiated;
use wsgrade_codec::deflate::{self, Params, WindowBits};
use wsgrade_codec::handshake::{
    ClientHello, Extension, Limits, RequestError, RequestHead, ResponseError, ResponseHead, ResponseReader,
    accept_key, encode_nonce, format_extensions, parse_extensions,
};
use wsgrade_reports::record::{Direction, HttpMessage, PayloadInfo, What};

/// What the target wants of every request, whatever the case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The `Host` header.
    pub host: String,
    /// The request target: path and query.
    pub target: String,
    /// The `Origin` header.
    pub origin: Option<String>,
    /// The subprotocols offered.
    pub subprotocols: Vec<String>,
    /// Headers the user added, in order.
    pub headers: Vec<(String, String)>,
}

impl Request {
    /// The head of the request for a case: ours, edited as the case says.
    pub(super) fn head(&self, opening: &Opening, nonce: [u8; 16]) -> Vec<u8> {
        if let Some(raw) = &opening.raw {
            return raw.to_bytes();
        }
        let method = opening.method.as_deref().unwrap_or("GET");
        let target = opening.target.as_deref().unwrap_or(&self.target);
        let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
        head(&format!("{method} {target} {version}"), self.ordinary_headers(opening, nonce), &opening.headers)
    }

    /// RFC 6455 4.1, in the order of its list.
    fn ordinary_headers(&self, opening: &Opening, nonce: [u8; 16]) -> Vec<(String, String)> {
        let mut headers = vec![
            ("Host".to_owned(), self.host.clone()),
            ("Upgrade".to_owned(), "websocket".to_owned()),
            ("Connection".to_owned(), "Upgrade".to_owned()),
            ("Sec-WebSocket-Key".to_owned(), encode_nonce(nonce)),
        ];
        if let Some(origin) = &self.origin {
            headers.push(("Origin".to_owned(), origin.clone()));
        }
        headers.push(("Sec-WebSocket-Version".to_owned(), "13".to_owned()));
        if !self.subprotocols.is_empty() {
            headers.push(("Sec-WebSocket-Protocol".to_owned(), self.subprotocols.join(", ")));
        }
        let extensions = offers(opening);
        if !extensions.is_empty() {
            headers.push(("Sec-WebSocket-Extensions".to_owned(), extensions.join(", ")));
        }
        headers.push(("User-Agent".to_owned(), concat!("wsgrade/", env!("CARGO_PKG_VERSION")).to_owned()));
        headers.retain(|(ours, _)| !self.headers.iter().any(|(theirs, _)| same(ours, theirs)));
        headers.extend(self.headers.iter().cloned());
        headers
    }
}

/// What a case offers as a client: one offer for each wish, if it has wishes.
fn offers(opening: &Opening) -> Vec<String> {
    if opening.deflate.is_empty() {
        return opening.extensions.clone();
    }
    let offer = |wish: &DeflateWish| {
        let offer = deflate::Offer {
            client_no_context_takeover: wish.our_context_takeover != Some(true),
            // Without the parameter no server can limit our window, so it has 15 bits.
            client_max_window_bits: match wish.our_window_bits.and_then(WindowBits::new) {
                None => Some(None),
                Some(WindowBits::MAX) => None,
                Some(bits) => Some(Some(bits)),
            },
            server_no_context_takeover: wish.no_context_takeover,
            server_max_window_bits: wish.max_window_bits.and_then(WindowBits::new),
        };
        format_extensions(&[offer.to_extension()])
    };
    opening.deflate.iter().map(offer).collect()
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

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// A head of this start line and these headers, edited as a case says.
fn head(start: &str, mut headers: Vec<(String, String)>, edits: &[HeaderEdit]) -> Vec<u8> {
    for edit in edits {
        match edit {
            HeaderEdit::Set(name, value) => match headers.iter().position(|(n, _)| same(n, name)) {
                Some(at) => {
                    let mut first = true;
                    headers.retain(|(n, _)| !same(n, name) || std::mem::take(&mut first));
                    headers[at].1.clone_from(value);
                }
                None => headers.push((name.clone(), value.clone())),
            },
            HeaderEdit::Add(name, value) => headers.push((name.clone(), value.clone())),
            HeaderEdit::Remove(name) => headers.retain(|(n, _)| !same(n, name)),
        }
    }
    let mut head = format!("{start}\r\n");
    for (name, value) in headers {
        head.push_str(&name);
        head.push_str(": ");
        head.push_str(&value);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// The request of a client under test, whole and lawful.
#[derive(Clone, Debug)]
pub struct Accepted {
    raw: Bytes,
    key: String,
    /// The extensions offered.
    offered: Vec<Extension>,
    /// The subprotocol agreed on.
    subprotocol: Option<String>,
    /// What came behind it.
    rest: Bytes,
}

impl Accepted {
    /// Takes a request to be accepted, with the bytes that came behind it.
    ///
    /// # Errors
    ///
    /// Why it does not open a WebSocket connection, with the response to give.
    pub fn new(head: &RequestHead, rest: Bytes) -> Result<Self, RequestError> {
        let request = head.validate()?;
        Ok(Self {
            raw: head.raw.clone(),
            key: request.key,
            offered: request.extensions,
            subprotocol: None,
            rest,
        })
    }

    /// Agrees to a subprotocol, which has to be one of those that the request offers.
    #[must_use]
    pub fn with_subprotocol(self, subprotocol: Option<String>) -> Self {
        Self { subprotocol, ..self }
    }

    /// What the transcript has of the request.
    pub(super) fn received(&self) -> What {
        What::Http { dir: Direction::Received, message: http_message(&self.raw) }
    }

    /// What came behind the request.
    pub(super) fn rest(&self) -> &Bytes {
        &self.rest
    }

    /// The response for a case: ours (RFC 6455 4.2.2), edited as the case says.
    pub(super) fn response(&self, opening: &Opening) -> Response {
        let agreed = agree(&self.offered, &opening.deflate);
        let extensions =
            agreed.as_ref().map(|(_, extension)| format_extensions(std::slice::from_ref(extension)));
        let bytes = match &opening.raw {
            Some(raw) => raw.to_bytes(),
            None => {
                let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
                let start = match opening.status {
                    None | Some(101) => format!("{version} 101 Switching Protocols"),
                    Some(status) => format!("{version} {status} Refused"),
                };
                let accept = accept_key(&self.key);
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
                head(&start, headers.collect(), &opening.headers)
            }
        };
        Response {
            sent: What::Http { dir: Direction::Sent, message: http_message(&bytes) },
            opened: What::Opened { subprotocol: self.subprotocol.clone(), extensions },
            negotiated: Negotiated { deflate: agreed.map(|(params, _)| params) },
            bytes,
        }
    }
}

/// How we answer the request of a client under test.
pub(super) struct Response {
    pub(super) bytes: Vec<u8>,
    /// How the transcript has it.
    pub(super) sent: What,
    /// What it agrees to, for the transcript.
    pub(super) opened: What,
    pub(super) negotiated: Negotiated,
}

/// Our side of the opening handshake of one connection.
#[derive(Debug)]
pub(super) struct Opener {
    request: Request,
    nonce: [u8; 16],
    /// The extensions the case offers.
    extensions: Vec<String>,
    reader: ResponseReader,
    /// The first bytes that came. `len() <= START`.
    start: Vec<u8>,
}

/// How many of the first bytes are kept, for the case that they cannot be read.
const START: usize = 1024;

/// Where the opening handshake stands.
pub(super) enum Verdict {
    /// The response is not all there.
    Incomplete,
    /// Frames follow; `rest` came with the response.
    Opened {
        message: HttpMessage,
        negotiated: Negotiated,
        opened: What,
        rest: BytesMut,
    },
    Failed {
        message: Option<HttpMessage>,
        failure: What,
    },
}

impl Opener {
    pub(super) fn new(request: Request, nonce: [u8; 16]) -> Self {
        let limits = Limits { max_bytes: 64 << 10, max_headers: 200 };
        Self {
            request,
            nonce,
            extensions: Vec::new(),
            reader: ResponseReader::new(limits),
            start: Vec::new(),
        }
    }

    /// The request, and how the transcript has it.
    pub(super) fn head(&mut self, opening: &Opening) -> (Vec<u8>, HttpMessage) {
        self.extensions = offers(opening);
        let head = self.request.head(opening, self.nonce);
        let message = http_message(&head);
        (head, message)
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) -> Verdict {
        self.start.extend_from_slice(&bytes[..bytes.len().min(START - self.start.len())]);
        match self.reader.push(bytes) {
            // What is no HTTP at all may never come to the end of a head.
            Ok(None) => match no_http(&self.start) {
                None => Verdict::Incomplete,
                Some(reason) => Verdict::Failed {
                    message: Some(http_message(&self.start)),
                    failure: What::OpeningFailed { status: None, reason },
                },
            },
            Ok(Some((head, rest))) => {
                let message = http_message(&head.raw);
                match self.agreed(&head) {
                    Ok((negotiated, opened)) => Verdict::Opened { message, negotiated, opened, rest },
                    Err(reason) => {
                        let failure = What::OpeningFailed { status: Some(head.status), reason };
                        Verdict::Failed { message: Some(message), failure }
                    }
                }
            }
            Err(error) => {
                let reason = no_http(&self.start).unwrap_or_else(|| {
                    format!("what the server answered to the opening handshake cannot be read: {error}")
                });
                let message = Some(http_message(&self.start));
                Verdict::Failed { message, failure: What::OpeningFailed { status: None, reason } }
            }
        }
    }

    /// The peer ended the connection before its response was whole.
    pub(super) fn ended(&self) -> Vec<What> {
        self.cut_short("the server ended the connection before it answered the opening handshake")
    }

    /// The response did not come in time.
    pub(super) fn timed_out(&self) -> Vec<What> {
        self.cut_short("the server did not answer the opening handshake in time")
    }

    fn cut_short(&self, reason: &str) -> Vec<What> {
        let mut story = Vec::new();
        if !self.start.is_empty() {
            story.push(What::Bytes { dir: Direction::Received, payload: PayloadInfo::of(&self.start) });
        }
        story.push(What::OpeningFailed { status: None, reason: reason.to_owned() });
        story
    }

    /// What a whole response agrees to, or why it does not.
    fn agreed(&self, head: &ResponseHead) -> Result<(Negotiated, What), String> {
        let hello = self.hello();
        let agreed = head.validate(&hello).map_err(|error| refused(head, &error))?;
        let offers: Vec<_> = hello
            .extensions
            .iter()
            .filter(|offer| offer.name == deflate::NAME)
            .filter_map(|offer| deflate::Offer::parse(offer).ok())
            .collect();
        let deflate = deflate::accept_response(&agreed.extensions, &offers)
            .map_err(|error| format!("the server's opening handshake is not valid: {error}"))?;
        let extensions = (!agreed.extensions.is_empty()).then(|| format_extensions(&agreed.extensions));
        Ok((Negotiated { deflate }, What::Opened { subprotocol: agreed.subprotocol, extensions }))
    }

    /// What we asked for, as the codec judges the answer by it.
    fn hello(&self) -> ClientHello {
        let mut hello = ClientHello::new(self.request.host.clone(), self.request.target.clone(), self.nonce);
        hello.subprotocols.clone_from(&self.request.subprotocols);
        hello.extensions = self
            .extensions
            .iter()
            .flat_map(|offer| parse_extensions(offer.as_bytes()).unwrap_or_default())
            .collect();
        hello
    }
}

/// Why these cannot be the first bytes of a response, if they cannot.
fn no_http(bytes: &[u8]) -> Option<String> {
    let start = b"HTTP/";
    if bytes.iter().zip(start).all(|(a, b)| a == b) {
        return None;
    }
    // A TLS record: alert or handshake, version 3.x (RFC 8446 5.1).
    if matches!(bytes, [0x15 | 0x16, 0x03, ..]) {
        return Some("what answers there speaks TLS, not plain HTTP".to_owned());
    }
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let shown = String::from_utf8_lossy(&line[..line.len().min(40)]);
    Some(format!("what answers there is not HTTP: it began with {shown:?}"))
}

fn refused(head: &ResponseHead, error: &ResponseError) -> String {
    if head.status == 101 {
        format!("the server's opening handshake is not valid: {error}")
    } else {
        format!("the server answered {} {} instead of 101", head.status, head.reason).replace("  ", " ")
    }
}

/// A head as the transcript has it: lines, with what cannot be shown escaped.
fn http_message(head: &[u8]) -> HttpMessage {
    let mut text = String::with_capacity(head.len());
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    let lines = text
        .trim_end_matches(['\r', '\n'])
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line).to_owned())
        .collect();
    HttpMessage { lines, bytes: head.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            host: "example.com:9001".to_owned(),
            target: "/chat?x=1".to_owned(),
            origin: Some("http://example.com".to_owned()),
            subprotocols: vec!["a".to_owned(), "b".to_owned()],
            headers: vec![("Cookie".to_owned(), "k=v".to_owned())],
        }
    }

    fn head(opening: &Opening) -> String {
        String::from_utf8(request().head(opening, [0; 16]))
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[test]
    fn the_ordinary_request() {
        let opening = Opening { extensions: vec!["permessage-deflate".to_owned()], ..Opening::default() };
        insta::assert_snapshot!(head(&opening).replace("\r\n", "␍\n"), @r"
        GET /chat?x=1 HTTP/1.1␍
        Host: example.com:9001␍
        Upgrade: websocket␍
        Connection: Upgrade␍
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==␍
        Origin: http://example.com␍
        Sec-WebSocket-Version: 13␍
        Sec-WebSocket-Protocol: a, b␍
        Sec-WebSocket-Extensions: permessage-deflate␍
        User-Agent: wsgrade/VERSION␍
        Cookie: k=v␍
        ␍
        ");
    }

    #[test]
    fn edits_apply_in_order() {
        let opening = Opening {
            method: Some("POST".to_owned()),
            target: Some("*".to_owned()),
            version: Some("HTTP/1.0".to_owned()),
            headers: vec![
                HeaderEdit::Add("Upgrade".to_owned(), "h2c".to_owned()),
                HeaderEdit::Set("upgrade".to_owned(), "WebSocket".to_owned()),
                HeaderEdit::Remove("ORIGIN".to_owned()),
                HeaderEdit::Remove("user-agent".to_owned()),
                HeaderEdit::Set("X-New".to_owned(), "1".to_owned()),
                HeaderEdit::Add("Cookie".to_owned(), "second".to_owned()),
            ],
            ..Opening::default()
        };
        insta::assert_snapshot!(head(&opening).replace("\r\n", "␍\n"), @r"
        POST * HTTP/1.0␍
        Host: example.com:9001␍
        Upgrade: WebSocket␍
        Connection: Upgrade␍
        Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==␍
        Sec-WebSocket-Version: 13␍
        Sec-WebSocket-Protocol: a, b␍
        Cookie: k=v␍
        X-New: 1␍
        Cookie: second␍
        ␍
        ");
    }

    #[test]
    fn a_user_header_replaces_ours() {
        let request = Request {
            headers: vec![
                ("host".to_owned(), "other".to_owned()),
                ("User-Agent".to_owned(), "me".to_owned()),
            ],
            ..request()
        };
        let head = String::from_utf8(request.head(&Opening::default(), [0; 16])).unwrap();
        assert!(head.contains("\r\nhost: other\r\n") && !head.contains("example.com:9001"), "{head}");
        assert!(head.contains("\r\nUser-Agent: me\r\n") && !head.contains("wsgrade/"), "{head}");
    }

    fn wish(no_context_takeover: bool, max_window_bits: Option<u8>) -> DeflateWish {
        DeflateWish { no_context_takeover, max_window_bits, ..DeflateWish::default() }
    }

    #[test]
    fn a_wish_is_an_offer_of_the_client() {
        let deflate = vec![wish(true, Some(9)), wish(true, None), wish(false, None)];
        let opening = Opening { deflate, ..Opening::default() };
        let head = head(&opening);
        let offers = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: ")).unwrap();
        insta::assert_snapshot!(offers.replace(", ", ",\n"), @r"
        permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits,
        permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits,
        permessage-deflate; client_no_context_takeover; client_max_window_bits
        ");
    }

    fn ours(our_context_takeover: Option<bool>, our_window_bits: Option<u8>) -> DeflateWish {
        DeflateWish { our_context_takeover, our_window_bits, ..DeflateWish::default() }
    }

    #[test]
    fn what_a_case_knows_of_our_own_compression_is_in_the_offer() {
        let deflate = vec![ours(Some(true), Some(12)), ours(Some(false), Some(15)), ours(None, Some(9))];
        let opening = Opening { deflate, ..Opening::default() };
        insta::assert_snapshot!(offers(&opening).join(",\n"), @r"
        permessage-deflate; client_max_window_bits=12,
        permessage-deflate; client_no_context_takeover,
        permessage-deflate; client_no_context_takeover; client_max_window_bits=9
        ");
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
