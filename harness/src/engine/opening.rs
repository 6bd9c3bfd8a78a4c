//! The request we open with, every byte of which a case can override.

use bytes::{Bytes, BytesMut};
use wsgrade_cases::model::{DeflateWish, HeaderEdit, Opening, Payload};
use wsgrade_codec::check::opening::{self, Asked};
use wsgrade_codec::check::{Negotiated, Violation};
use wsgrade_codec::deflate::{self, WindowBits};
use wsgrade_codec::handshake::{
    Extension, Headers, Limits, RequestHead, ResponseHead, ResponseReader, encode_nonce, format_extensions,
    parse_extensions,
};
use wsgrade_reports::record::{Direction, HttpMessage, PayloadInfo, Unopened, What};

use super::lines::Lines;
use super::template::Template;

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
    /// What of them no record may hold.
    pub secrets: Vec<Secret>,
}

/// A header line that transcripts show otherwise than it is sent. Both are of one length, so that every count of bytes is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// As it is sent.
    pub sent: String,
    /// As it is shown.
    pub shown: String,
}

impl Request {
    /// The head of the request for a case: ours, edited as the case says.
    pub(crate) fn head(&self, opening: &Opening, nonce: [u8; 16]) -> Vec<u8> {
        let template = Template::of_request(&self.host, &self.target, &encode_nonce(nonce));
        if let Some(raw) = &opening.raw {
            return template.fill(&raw.to_bytes());
        }
        let method = opening.method.as_deref().unwrap_or("GET");
        let target = match &opening.target {
            Some(target) => template.fill(target.as_bytes()),
            None => self.target.clone().into_bytes(),
        };
        let version = opening.version.as_deref().unwrap_or("HTTP/1.1");
        let start = [method.as_bytes(), b" ", &target, b" ", version.as_bytes()].concat();
        head(&start, self.ordinary_headers(opening, nonce), opening, &template)
    }

    /// A head as it may be shown.
    fn shown(&self, mut head: Vec<u8>) -> Vec<u8> {
        for Secret { sent, shown } in &self.secrets {
            for at in 0..head.len() {
                if head[at..].starts_with(sent.as_bytes()) {
                    head[at..].iter_mut().zip(shown.bytes()).for_each(|(byte, shown)| *byte = shown);
                }
            }
        }
        head
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

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// A header, or bytes among them.
enum Line {
    Header(String, Vec<u8>),
    Raw(Vec<u8>),
}

impl Line {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Header(ours, _) => same(ours, name),
            Self::Raw(_) => false,
        }
    }
}

/// A head of this start line and these headers, edited as a case says.
pub(super) fn head(
    start: &[u8],
    headers: Vec<(String, String)>,
    opening: &Opening,
    template: &Template,
) -> Vec<u8> {
    let mut lines: Vec<Line> =
        headers.into_iter().map(|(name, value)| Line::Header(name, value.into_bytes())).collect();
    for edit in &opening.headers {
        let value = |value: &Payload| template.fill(&value.to_bytes());
        match edit {
            HeaderEdit::Set(name, set) => match lines.iter().position(|line| line.is(name)) {
                Some(at) => {
                    let mut first = true;
                    lines.retain(|line| !line.is(name) || std::mem::take(&mut first));
                    lines[at] = Line::Header(name.clone(), value(set));
                }
                None => lines.push(Line::Header(name.clone(), value(set))),
            },
            HeaderEdit::Add(name, added) => lines.push(Line::Header(name.clone(), value(added))),
            HeaderEdit::Remove(name) => lines.retain(|line| !line.is(name)),
            HeaderEdit::Raw(bytes) => lines.push(Line::Raw(value(bytes))),
        }
    }
    let newline = opening.newline.as_deref().unwrap_or("\r\n").as_bytes();
    let mut head = [start, newline].concat();
    for line in lines {
        match line {
            Line::Header(name, value) => {
                for part in [name.as_bytes(), b": ", &value[..], newline] {
                    head.extend_from_slice(part);
                }
            }
            Line::Raw(bytes) => head.extend_from_slice(&bytes),
        }
    }
    if !opening.unfinished {
        head.extend_from_slice(newline);
    }
    head
}

/// What a response agrees to.
pub(super) struct Said {
    pub(super) subprotocol: Option<String>,
    pub(super) extensions: Vec<Extension>,
}

/// What a response agrees to; `None` where it opens no connection.
pub(super) fn said(bytes: &[u8]) -> Option<Said> {
    let (head, _) = ResponseReader::new(limits()).push(bytes).ok().flatten()?;
    (head.status == 101).then(|| agreed_in(&head))
}

/// What a response agrees to, of what can be read.
fn agreed_in(head: &ResponseHead) -> Said {
    let subprotocol = head.headers.get("Sec-WebSocket-Protocol");
    let lists = head.headers.all("Sec-WebSocket-Extensions");
    Said {
        subprotocol: subprotocol.map(|value| String::from_utf8_lossy(value).into_owned()),
        extensions: lists.flat_map(|list| parse_extensions(list).unwrap_or_default()).collect(),
    }
}

/// Our side of the opening handshake of one connection.
#[derive(Debug)]
pub(super) struct Opener {
    request: Request,
    nonce: [u8; 16],
    /// What the case asks for.
    asked: Asked,
    reader: ResponseReader,
    /// The first bytes that came. `len() <= START`.
    start: Vec<u8>,
}

/// How many of the first bytes are kept, for the case that they cannot be read.
const START: usize = 1024;

/// How much of a head we take.
fn limits() -> Limits {
    Limits { max_bytes: 64 << 10, max_headers: 200 }
}

/// Where the opening handshake stands.
pub(super) enum Verdict {
    /// The response is not all there.
    Incomplete,
    /// Frames follow; `rest` came with the response.
    Opened {
        message: HttpMessage,
        /// What the response breaks.
        violations: Vec<Violation>,
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
        Self {
            request,
            nonce,
            asked: Asked::default(),
            reader: ResponseReader::new(limits()),
            start: Vec::new(),
        }
    }

    /// The request, and how the transcript has it.
    pub(super) fn head(&mut self, opening: &Opening) -> (Vec<u8>, HttpMessage) {
        let head = self.request.head(opening, self.nonce);
        self.asked = self.asked_in(&head);
        let message = http_message(&self.request.shown(head.clone()));
        (head, message)
    }

    /// What we ask for, as the answer is judged by it. Of a head that is no HTTP, or too long, that is what a lax reader finds in
    /// it; the ordinary key may be the one that is answered, too.
    fn asked_in(&self, head: &[u8]) -> Asked {
        if let Ok(head) = RequestHead::parse(Bytes::copy_from_slice(head), &limits()) {
            return Asked::of(&head);
        }
        let lines = Lines::of(head);
        let mut headers = Headers::new();
        for (name, value) in &lines.fields {
            headers.push(name.as_str(), value.clone());
        }
        headers.push("Sec-WebSocket-Key", encode_nonce(self.nonce));
        Asked::of(&RequestHead {
            method: String::new(),
            target: String::new(),
            minor_version: 1,
            headers,
            raw: Bytes::new(),
        })
    }

    pub(super) fn receive(&mut self, bytes: &[u8]) -> Verdict {
        self.start.extend_from_slice(&bytes[..bytes.len().min(START - self.start.len())]);
        let unreadable = |reason| What::OpeningFailed {
            status: None,
            reason,
            how: Some(Unopened::Unreadable),
            versions: None,
        };
        match self.reader.push(bytes) {
            // What is no HTTP at all may never come to the end of a head.
            Ok(None) => match no_http(&self.start) {
                None => Verdict::Incomplete,
                Some(reason) => {
                    Verdict::Failed { message: Some(http_message(&self.start)), failure: unreadable(reason) }
                }
            },
            Ok(Some((head, rest))) if head.status == 101 => self.opened(&head, rest),
            Ok(Some((head, _))) => {
                let versions: Vec<_> =
                    head.headers.all("Sec-WebSocket-Version").map(String::from_utf8_lossy).collect();
                let failure = What::OpeningFailed {
                    status: Some(head.status),
                    reason: refused(&head),
                    how: Some(Unopened::Refused),
                    versions: (!versions.is_empty()).then(|| versions.join(", ")),
                };
                Verdict::Failed { message: Some(http_message(&head.raw)), failure }
            }
            Err(error) => {
                let reason = no_http(&self.start).unwrap_or_else(|| {
                    format!("what the server answered to the opening handshake cannot be read: {error}")
                });
                Verdict::Failed { message: Some(http_message(&self.start)), failure: unreadable(reason) }
            }
        }
    }

    /// A response with status 101 opens the connection, whatever it breaks: more is seen by going on.
    fn opened(&self, head: &ResponseHead, rest: BytesMut) -> Verdict {
        let said = agreed_in(head);
        let extensions = (!said.extensions.is_empty()).then(|| format_extensions(&said.extensions));
        let deflate = deflate::accept_response(&said.extensions, &self.asked.deflate_offers());
        Verdict::Opened {
            message: http_message(&head.raw),
            violations: opening::response(head, &self.asked),
            negotiated: Negotiated { deflate: deflate.ok().flatten() },
            opened: What::Opened { subprotocol: said.subprotocol, extensions },
            rest,
        }
    }

    /// The peer ended the connection before its response was whole.
    pub(super) fn ended(&self) -> Vec<What> {
        let reason = "the server ended the connection before it answered the opening handshake";
        self.cut_short(reason, Unopened::Dropped)
    }

    /// The response did not come in time.
    pub(super) fn timed_out(&self) -> Vec<What> {
        self.cut_short("the server did not answer the opening handshake in time", Unopened::Unanswered)
    }

    fn cut_short(&self, reason: &str, how: Unopened) -> Vec<What> {
        let mut story = Vec::new();
        if !self.start.is_empty() {
            story.push(What::Bytes { dir: Direction::Received, payload: PayloadInfo::of(&self.start) });
        }
        story.push(What::OpeningFailed {
            status: None,
            reason: reason.to_owned(),
            how: Some(how),
            versions: None,
        });
        story
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

fn refused(head: &ResponseHead) -> String {
    format!("the server answered {} {} instead of 101", head.status, head.reason).replace("  ", " ")
}

/// How many lines of a head the transcript has, and how many characters of each.
const LINES: usize = 256;
const LINE: usize = 16 << 10;

/// A head as the transcript has it: lines, with what cannot be shown escaped.
pub(crate) fn http_message(head: &[u8]) -> HttpMessage {
    let mut text = String::with_capacity(head.len());
    for chunk in head.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    let mut all = text.trim_end_matches(['\r', '\n']).split('\n');
    let mut lines: Vec<_> =
        all.by_ref().take(LINES).map(|line| clipped(line.strip_suffix('\r').unwrap_or(line))).collect();
    match all.count() {
        0 => {}
        more => lines.push(format!("… and {more} more lines")),
    }
    HttpMessage { lines, bytes: head.len() as u64 }
}

/// A line as it is, where it is not one of those that are there to be long.
fn clipped(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}… and {} more bytes", &line[..end], line.len() - end),
        None => line.to_owned(),
    }
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
            secrets: Vec::new(),
        }
    }

    fn head(opening: &Opening) -> String {
        String::from_utf8(request().head(opening, [0; 16]))
            .unwrap()
            .replace(env!("CARGO_PKG_VERSION"), "VERSION")
    }

    #[test]
    fn a_secret_is_sent_and_not_shown() {
        let secret = |sent: &str, shown: &str| Secret { sent: sent.to_owned(), shown: shown.to_owned() };
        let request = Request { secrets: vec![secret("Cookie: k=v", "Cookie: k=*")], ..request() };
        let mut opener = Opener::new(request, [0; 16]);
        let twice = HeaderEdit::Add("Cookie".to_owned(), Payload::Text("k=v".to_owned()));
        for newline in [None, Some("\r".to_owned())] {
            let opening = Opening { headers: vec![twice.clone()], newline, ..Opening::default() };
            let (sent, message) = opener.head(&opening);
            assert_eq!(String::from_utf8(sent.clone()).unwrap().matches("Cookie: k=v").count(), 2);
            let shown = message.lines.join("\n");
            assert_eq!((shown.matches("Cookie: k=*").count(), shown.matches("k=v").count()), (2, 0));
            assert_eq!(message.bytes, sent.len() as u64);
        }
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
    fn words_in_the_target_are_filled_in() {
        let absolute = Opening { target: Some("http://<host><target>".to_owned()), ..Opening::default() };
        assert!(head(&absolute).starts_with("GET http://example.com:9001/chat?x=1 HTTP/1.1\r\n"));
    }

    /// What is no HTTP for us may be HTTP for a lax server, and then its answer is right by the key that it read.
    #[test]
    fn a_head_that_is_none_asks_for_what_a_lax_reader_finds() {
        let opening = Opening {
            headers: vec![
                HeaderEdit::Set("Sec-WebSocket-Key".to_owned(), Payload::Text("AAAA".to_owned())),
                HeaderEdit::Raw(Payload::Text("no header\r\n".to_owned())),
            ],
            ..Opening::default()
        };
        let mut opener = Opener::new(request(), [0; 16]);
        opener.head(&opening);
        let broken = |key: &str| {
            let accept = wsgrade_codec::handshake::accept_key(key);
            let response = format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            let head = ResponseHead::parse(Bytes::from(response), &limits()).unwrap();
            !opening::response(&head, &opener.asked).is_empty()
        };
        assert!(!broken("AAAA") && !broken(&encode_nonce([0; 16])) && broken("BBBB"));
        assert_eq!(opener.asked.subprotocols, ["a", "b"]);
    }

    #[test]
    fn edits_apply_in_order() {
        let opening = Opening {
            method: Some("POST".to_owned()),
            target: Some("*".to_owned()),
            version: Some("HTTP/1.0".to_owned()),
            headers: vec![
                HeaderEdit::Add("Upgrade".to_owned(), Payload::Text("h2c".to_owned())),
                HeaderEdit::Set("upgrade".to_owned(), Payload::Text("WebSocket".to_owned())),
                HeaderEdit::Remove("ORIGIN".to_owned()),
                HeaderEdit::Remove("user-agent".to_owned()),
                HeaderEdit::Set("X-New".to_owned(), Payload::Text("1".to_owned())),
                HeaderEdit::Add("Cookie".to_owned(), Payload::Text("second".to_owned())),
            ],
            ..Opening::default()
        };
        insta::assert_snapshot!(head(&opening).replace("\r\n", "␍\n"), @r"
        POST * HTTP/1.0␍
        Host: example.com:9001␍
        upgrade: WebSocket␍
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
    fn what_is_endless_is_clipped_and_nothing_else() {
        let line = |len: usize| format!("X: {}", "a".repeat(len - 3));
        let message = http_message(format!("GET\r\n{}\r\n{}\r\n\r\n", line(LINE), line(LINE + 1)).as_bytes());
        assert_eq!(message.lines[1], line(LINE));
        assert!(message.lines[2].ends_with("aaa… and 1 more bytes"), "{}", message.lines[2]);
        assert_eq!(message.bytes, 2 * LINE as u64 + 12);
        assert_eq!(http_message("a\r\n".repeat(LINES).as_bytes()).lines, ["a"; LINES]);
        let message = http_message("a\r\n".repeat(LINES + 2).as_bytes());
        assert_eq!((message.lines.len(), message.lines[LINES].as_str()), (LINES + 1, "… and 2 more lines"));
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
}
