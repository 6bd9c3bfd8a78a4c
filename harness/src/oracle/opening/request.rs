//! A request, as a server under test reads it.

use bytes::Bytes;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{
    Accept, By, ChopAt, Ending, Expected, Opening, Order, Outcome, Role, Saw, Status,
};
use wsgrade_codec::check::{Rule, opening};
use wsgrade_codec::handshake::{Headers, Limits, RequestHead, format_extensions, parse_extensions};

use super::point::{Asks, DRAFT, Point, Points, has_word, is_known_connection, is_odd_list, is_unknown};
use super::{Expectation, MARK, Opens, accepted, end_of_opening, unsaid};
use crate::engine::Request;
use crate::engine::lines::Lines;

const PARSE: &str = "rfc6455-4.2.1-parse-handshake";
const REFUSE: &str = "rfc6455-4.2.1-refuse-handshake";
const UPGRADE: &str = "rfc6455-4.2.1-upgrade";
const CONNECTION: &str = "rfc6455-4.2.1-connection";
const MISMATCH: &str = "rfc6455-4.2.2-version-mismatch";

/// Who is asked, and for what: names that nothing else in a head has.
const HOST: &str = "wsgrade.example";
const TARGET: &str = "/resource-of-wsgrade";
const NONCE: [u8; 16] = *b"a key of nobody!";

/// Heads beyond this size or number of fields a server may bound (RFC 6455 10.4).
const MODEST: usize = 3 << 10;
const FEW: usize = 40;
/// Values longer than this are for a server to bound as well.
const SHORT: usize = 512;
/// A head in pieces smaller than this may be taken for an attack.
const SMALL_PIECES: u32 = 4;

/// What is right for the answer to a request.
pub(super) fn expect(opening: &Opening) -> Opens {
    let Some(points) = points(opening) else { return unsaid(Role::Server) };
    if points.any(Asks::must_not_open) { Opens::No(refused(&points)) } else { taken(&points, opening) }
}

/// What is particular about the request; `None` where nobody can say what it is.
fn points(opening: &Opening) -> Option<Points> {
    // "the client MUST wait for a response from the server before sending any further data" (RFC 6455 4.1): what a server makes
    // of one that does not is not said.
    if opening.early || opening.unfinished {
        return None;
    }
    let ours = Request { host: HOST.to_owned(), target: TARGET.to_owned(), ..Request::default() };
    let head = ours.head(opening, NONCE);
    let lines = Lines::of(&head);
    // It never ends, or there is something behind it.
    if lines.len != Some(head.len()) {
        return None;
    }
    let mut points = Points::default();
    points.add_faults(&lines, REFUSE, Outcome::NonStrict);
    let start = Start::of(&lines.start)?;
    start.look(&mut points);
    let limits = Limits { max_bytes: 1 << 20, max_headers: 1 << 10 };
    let head = match RequestHead::parse(Bytes::from(head.clone()), &limits) {
        Ok(head) => head,
        // The codec finds fault with something that is not found here.
        Err(_) if !points.any(Asks::must_not_open) && start.version != Version::Higher => return None,
        Err(_) => start.head(&lines, head),
    };
    for violation in opening::request(&head) {
        violated(violation.rule, &head, &mut points)?;
    }
    lawful(&head, &mut points)?;
    if lines.empty_before > 0 {
        points.add(Asks::Nothing, PARSE, "the server does not pass over empty lines before a request");
    }
    if head.raw.len() > MODEST || head.headers.len() > FEW {
        points.add(Asks::Nothing, "rfc6455-10.4-limits", "the server bounds the size of a request");
    }
    Some(points)
}

/// What the start line says of the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Right,
    /// "An HTTP/1.1 or higher GET request" (RFC 6455 4.2.1): which a server may know, or not.
    Higher,
    Lower,
    None,
}

/// A start line.
struct Start<'a> {
    method: &'a str,
    target: &'a str,
    version: Version,
    /// How many words there are. `3 <= words`
    words: usize,
    /// Whether just a space is between any two.
    spaced: bool,
}

impl<'a> Start<'a> {
    /// `None` where there are no three words: this could be a request of HTTP/0.9, the answer to which has no head.
    fn of(line: &'a [u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        let [method, target, .., last] = words[..] else { return None };
        let version = match last.strip_prefix("HTTP/").map(str::as_bytes) {
            Some(b"1.1") => Version::Right,
            Some(b"1.0") => Version::Lower,
            Some([b'1', b'.', minor]) if minor.is_ascii_digit() => Version::Higher,
            // Answers of another major version may have no head, and readers differ in what they make of cases and zeroes.
            _ if last.to_ascii_uppercase().starts_with("HTTP/") => return None,
            _ => Version::None,
        };
        let spaced = words.join(" ") == line;
        Some(Self { method, target, version, words: words.len(), spaced })
    }

    fn look(&self, points: &mut Points) {
        let rule = "rfc6455-4.2.1-get-http-1.1";
        if self.words > 3 {
            let note = "a start line of four words is taken";
            points.add(Asks::Syntax(Outcome::NonStrict), rule, note);
        }
        if !self.spaced {
            let note = "white space in the start line is passed over";
            points.add(Asks::Syntax(Outcome::Informational), rule, note);
        }
        if self.target.chars().any(char::is_control) {
            points.add(Asks::Syntax(Outcome::NonStrict), rule, "a target that is no URI is taken");
        } else if !self.target.is_ascii() {
            points.add(Asks::Syntax(Outcome::Informational), rule, "a target that is no URI is taken");
        }
        match self.version {
            Version::Right => {}
            Version::Higher => points.add(Asks::Nothing, rule, "the version of HTTP is not known"),
            Version::Lower => points.add(Asks::Plain, rule, ""),
            Version::None => points.add(Asks::Refused, rule, ""),
        }
    }

    /// The head as a lax reader has it.
    fn head(&self, lines: &Lines, raw: Vec<u8>) -> RequestHead {
        let mut headers = Headers::new();
        for (name, value) in &lines.fields {
            headers.push(name.as_str(), value.clone());
        }
        RequestHead {
            method: self.method.to_owned(),
            target: self.target.to_owned(),
            minor_version: 1,
            headers,
            raw: Bytes::from(raw),
        }
    }
}

/// What a server does about a breach of a rule for requests; `None` where nobody can say.
fn violated(rule: Rule, head: &RequestHead, points: &mut Points) -> Option<()> {
    let first = |name: &'static str| head.headers.get(name).unwrap_or_default();
    let (asks, rule, note) = match rule {
        // The lines have said so, and the start line.
        Rule::RequestSyntax => return Some(()),
        Rule::RequestHttpVersion => (Asks::Plain, "rfc6455-4.2.1-get-http-1.1", ""),
        Rule::RequestMethod => (Asks::Plain, "rfc6455-4.2.1-get-http-1.1", ""),
        Rule::RequestTarget => {
            let note = "a target that is no resource name is taken";
            (Asks::Tolerated(Outcome::NonStrict), "rfc6455-4.2.1-get-http-1.1", note)
        }
        Rule::RequestHost => {
            let (asks, note) = match head.headers.all("Host").collect::<Vec<_>>()[..] {
                [] => (Asks::Refused, ""),
                // A URI without an authority has such a one (RFC 2616 14.23).
                [b""] => (Asks::Tolerated(Outcome::Informational), "an empty host is taken"),
                [_] => (Asks::Tolerated(Outcome::NonStrict), "a value that is no host is taken"),
                // RFC 7230 5.4 wants it refused; RFC 6455 leaves unsaid that there is only one.
                _ => (Asks::Tolerated(Outcome::NonStrict), "one of two hosts is believed"),
            };
            (asks, "rfc6455-4.2.1-host", note)
        }
        Rule::RequestUpgrade => {
            (almost(head, "Upgrade", "websocket"), UPGRADE, "a part of the value is taken")
        }
        Rule::RequestConnection => {
            let note = "a part of the value is taken";
            (almost(head, "Connection", "upgrade"), CONNECTION, note)
        }
        Rule::RequestKeyMissing => (Asks::Refused, "rfc6455-4.2.1-key-16-bytes", ""),
        Rule::RequestKey if first("Sec-WebSocket-Key").is_empty() => {
            (Asks::Refused, "rfc6455-4.2.1-key-16-bytes", "")
        }
        // "It is not necessary for the server to base64-decode the |Sec-WebSocket-Key| value." (RFC 6455 4.2.2)
        Rule::RequestKey => {
            let note = "the key is hashed without a look at it";
            (Asks::Tolerated(Outcome::NonStrict), "rfc6455-4.2.1-key-16-bytes", note)
        }
        Rule::RequestKeyOnce => {
            let note = "the MUST NOT binds the client; a server that takes one of two keys has not looked";
            (Asks::Tolerated(Outcome::NonStrict), "rfc6455-11.3.1-key-once", note)
        }
        Rule::RequestVersionMissing => (Asks::Refused, "rfc6455-4.2.1-version-13", ""),
        Rule::RequestVersion => other_version(first("Sec-WebSocket-Version")),
        Rule::RequestVersionOnce => {
            let note = "the MUST NOT binds the client; the server has not looked";
            (Asks::Tolerated(Outcome::NonStrict), "rfc6455-11.3.5-version-once", note)
        }
        Rule::RequestSubprotocolTwice => {
            let note = "a name that is there twice is not passed over";
            (Asks::Nothing, "rfc6455-4.2.1-subprotocols", note)
        }
        Rule::RequestSubprotocols => {
            let note = "a list that is none is passed over";
            (Asks::Tolerated(Outcome::NonStrict), "rfc6455-4.2.1-subprotocols", note)
        }
        Rule::ExtensionSyntax => {
            // Without an element it is no list either, but there is nothing in it to be misread.
            let says = |value: &[u8]| value.iter().any(|byte| !b", \t".contains(byte));
            let broken = |value: &[u8]| says(value) && parse_extensions(value).is_err();
            let asks = match head.headers.all("Sec-WebSocket-Extensions").any(broken) {
                true => Asks::Refused,
                false => Asks::Tolerated(Outcome::Informational),
            };
            (asks, "rfc6455-9.1-malformed-extensions", "an empty list is taken for none")
        }
        // The offer is declined, and the connection opens (RFC 7692 7): a server that refuses the request has not accepted
        // the offer either.
        Rule::ExtensionParams => {
            let note = "the whole request is refused, and not the offer alone";
            (Asks::Nothing, "rfc7692-7-decline-invalid-value", note)
        }
        // A new rule of requests has to be thought of here.
        _ => return None,
    };
    points.add(asks, rule, note);
    Some(())
}

/// A field without the word that it has to have. One that has it beside what is no part of a token may be read otherwise.
fn almost(head: &RequestHead, name: &'static str, word: &str) -> Asks {
    match head.headers.all(name).any(|value| has_word(value, word)) {
        true => Asks::Tolerated(Outcome::Informational),
        false => Asks::Plain,
    }
}

/// A version that is not `13`, read as freely as somebody might.
fn other_version(value: &[u8]) -> (Asks, &'static str, &'static str) {
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let rule = "rfc6455-4.2.1-version-13";
    if value.is_empty() {
        return (Asks::Refused, rule, "");
    }
    if digits(value) && value[0] != b'0' || value == b"0" {
        return match value {
            // Drafts whose frames are those of version 13: some servers understand them.
            [b'4'..=b'8'] => {
                let note = "the server understands a draft";
                (Asks::OtherVersion, DRAFT, note)
            }
            _ => (Asks::OtherVersion, MISMATCH, ""),
        };
    }
    let numbers = value.split(|byte| !byte.is_ascii_digit());
    let free = numbers.map(|number| number.trim_ascii()).any(|number| {
        let zeroes = number.iter().take_while(|byte| **byte == b'0').count();
        // Or as the number of a draft that the server understands.
        matches!(&number[zeroes..], b"13" | [b'4'..=b'8'])
    });
    match free {
        true if value.starts_with(b"-") => (Asks::Refused, MISMATCH, ""),
        true => {
            let note = "the version is read more freely than it is defined";
            (Asks::Tolerated(Outcome::NonStrict), rule, note)
        }
        false => (Asks::Refused, MISMATCH, ""),
    }
}

/// What is lawful in the fields, and not as usual; `None` where nobody can say what comes of it.
fn lawful(head: &RequestHead, points: &mut Points) -> Option<()> {
    let headers = &head.headers;
    let broken: Vec<_> =
        points.0.iter().filter(|point| point.asks.must_not_open()).map(|point| point.rule).collect();
    if head.target == format!("http://{HOST}{TARGET}") {
        let note = "the absolute form of the request target is not understood";
        points.add(Asks::Understood, "rfc6455-4.2.1-get-http-1.1", note);
    } else if head.target != TARGET && !broken.contains(&"rfc6455-4.2.1-get-http-1.1") {
        points.add(Asks::Nothing, "rfc6455-4.2.2-not-found", "the server refuses this resource");
    }
    let known = ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "User-Agent"];
    let order: Vec<_> =
        headers.iter().filter_map(|(name, _)| known.iter().position(|one| *one == name)).collect();
    if !order.is_sorted() {
        points.add(Asks::Taken, "rfc6455-4.2.1-field-order", "");
    }
    let ours = Request { host: HOST.to_owned(), target: TARGET.to_owned(), ..Request::default() };
    let ordinary = Lines::of(&ours.head(&Opening::default(), NONCE));
    for (name, value) in headers.iter() {
        let value = value.trim_ascii();
        if known.iter().any(|one| one.eq_ignore_ascii_case(name) && *one != name) {
            points.add(Asks::Taken, "rfc6455-4.1-field-names-any-case", "");
        }
        if !value.is_ascii() || value.len() > SHORT {
            let note = "such a value is not taken";
            points.add(Asks::Nothing, "rfc6455-4.2.1-other-fields", note);
        }
        let usual = ordinary.all(name).any(|usual| usual == value);
        let times = headers.all(name).count();
        match name.to_ascii_lowercase().as_str() {
            // What is broken is not lawful as well.
            "upgrade" if broken.contains(&UPGRADE) => {}
            "connection" if broken.contains(&CONNECTION) => {}
            "host" if broken.contains(&"rfc6455-4.2.1-host") => {}
            "sec-websocket-key" if broken.contains(&"rfc6455-4.2.1-key-16-bytes") => {}
            "sec-websocket-protocol" if broken.contains(&"rfc6455-4.2.1-subprotocols") => {}
            "upgrade" if times == 1 && value.eq_ignore_ascii_case(b"websocket") => {
                if !usual {
                    points.add(Asks::Taken, UPGRADE, "");
                }
            }
            "upgrade" => {
                let note = "the whole value is compared instead of its elements";
                points.add(Asks::Understood, UPGRADE, note);
            }
            "connection" if is_known_connection(value) && !is_odd_list(value) => {
                if !usual {
                    points.add(Asks::Taken, CONNECTION, "");
                } else if times > 1 {
                    points.add(Asks::Understood, CONNECTION, "two fields are not one list");
                }
            }
            "connection" => {
                let note = "other elements of the list are minded";
                points.add(Asks::Nothing, CONNECTION, note);
            }
            "host" => {
                if !usual {
                    points.add(Asks::Nothing, "rfc6455-4.2.1-host", "such a host is not served");
                }
            }
            "sec-websocket-key" => key(value, usual, points),
            "sec-websocket-version" => {}
            "sec-websocket-protocol" => {
                let note = "the server refuses clients that speak none of its subprotocols";
                points.add(Asks::Nothing, "rfc6455-4.2.2-subprotocol-from-request", note);
            }
            "sec-websocket-extensions" => offers(value, times, points),
            "origin" => points.add(Asks::Nothing, "rfc6455-4.2.1-origin", "such an origin is refused"),
            "cookie" if is_cookie(value) => {
                points.add(Asks::Taken, "rfc6455-4.2.1-unknown-fields-ignored", "");
            }
            // A body of no bytes is as good as none; any other, and an answer before the answer, is nobody's to foretell.
            "content-length" if value == b"0" => {
                points.add(
                    Asks::Nothing,
                    "rfc6455-4.2.1-other-fields",
                    "a body is refused, though it is empty",
                );
            }
            "content-length" | "transfer-encoding" | "expect" | "te" | "trailer" => return None,
            _ if usual => {}
            name if is_unknown(name) => {
                points.add(Asks::Taken, "rfc6455-4.2.1-unknown-fields-ignored", "");
            }
            _ => points.add(Asks::Nothing, "rfc6455-4.2.1-other-fields", "such a field is minded"),
        }
    }
    Some(())
}

fn key(value: &[u8], usual: bool, points: &mut Points) {
    // Bits of the last character that belong to no byte, which RFC 4648 3.5 leaves to a decoder.
    let spare = !matches!(value, [.., b'A' | b'Q' | b'g' | b'w', b'=', b'=']);
    if spare {
        let note = "bits that belong to no byte are refused, which RFC 4648 leaves to a decoder";
        points.add(Asks::Nothing, "rfc6455-4.2.2-key-not-decoded", note);
    } else if !usual {
        points.add(Asks::Taken, "rfc6455-4.2.1-key-16-bytes", "");
    }
}

/// A list of offers, as far as it is one.
fn offers(value: &[u8], times: usize, points: &mut Points) {
    let Ok(extensions) = parse_extensions(value) else { return };
    let rule = if times > 1 { "rfc6455-11.3.2-extensions-several" } else { "rfc6455-9-accept-some" };
    if format_extensions(&extensions).as_bytes() == value {
        points.add(Asks::Taken, rule, "");
    } else if is_odd_list(value) {
        points.add(Asks::Nothing, rule, "an element that is empty, or twice there, is not passed over");
    } else {
        let note = "a lawful spelling is not understood, and the whole request is refused";
        points.add(Asks::Understood, rule, note);
    }
}

/// A cookie that no server has a reason to find fault with.
fn is_cookie(value: &[u8]) -> bool {
    let plain = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
    value.len() < 256
        && value.split(|byte| *byte == b';').all(|pair| {
            let mut halves = pair.trim_ascii().split(|byte| *byte == b'=');
            match (halves.next(), halves.next(), halves.next()) {
                (Some(name), Some(value), None) => !name.is_empty() && plain(name) && plain(value),
                _ => false,
            }
        })
}

const CLASSES: [Status; 4] = [Status::Class(2), Status::Class(3), Status::Class(4), Status::Class(5)];

fn refused_with(verdict: Outcome, statuses: &[Status], versions: bool) -> Accept {
    let statuses = statuses.to_vec();
    accepted(verdict, end_of_opening(Expected::Refused { statuses, versions }))
}

/// What an outcome rests on.
fn noted(accept: Accept, rule: &str, note: &str) -> Accept {
    Accept { rule: Some(RuleId::new(rule)), note: (!note.is_empty()).then(|| note.to_owned()), ..accept }
}

fn dropped(verdict: Outcome) -> Accept {
    let accept = accepted(verdict, end_of_opening(Expected::Dropped));
    noted(accept, "rfc6455-10.7-drop", "TCP is ended without an answer")
}

/// The connection has to open, or may.
fn taken(points: &Points, opening: &Opening) -> Opens {
    let mut also = Vec::new();
    let choice = points.first(|asks| asks == Asks::Nothing);
    let subtle = points.first(|asks| asks == Asks::Understood);
    match (choice, subtle) {
        // "the server MUST send an appropriate HTTP error code (such as 404 Not Found)" (RFC 6455 4.2.2), and may redirect.
        (Some(point), _) => {
            also.push(noted(refused_with(Outcome::Informational, &CLASSES, false), point.rule, point.note));
            also.push(dropped(Outcome::Informational));
        }
        (None, Some(point)) => {
            also.push(noted(refused_with(Outcome::NonStrict, &CLASSES, false), point.rule, point.note));
            let dropped = accepted(Outcome::NonStrict, end_of_opening(Expected::Dropped));
            also.push(noted(dropped, point.rule, point.note));
        }
        (None, None) => {
            let errors = [Status::Class(4), Status::Class(5)];
            let note = "a lawful request is refused";
            also.push(noted(refused_with(Outcome::Fail, &errors, false), PARSE, note));
            // So many small pieces may be taken for an attack.
            if matches!(opening.chop.at, ChopAt::Every(size) if size < SMALL_PIECES) {
                also.push(dropped(Outcome::Informational));
            }
        }
    }
    Opens::Yes { rules: points.rules(PARSE), also }
}

/// The connection must not open.
fn refused(points: &Points) -> Expectation {
    let choice = points.any(|asks| asks == Asks::Nothing);
    let syntax = points.any(|asks| matches!(asks, Asks::Syntax(_)));
    // Who does not see the word in such a field has a plain request before it.
    let unseen = |point: &Point| matches!(point.rule, UPGRADE | CONNECTION);
    let plain = points.any(|asks| asks == Asks::Plain) || points.0.iter().any(unseen);
    let breaches = || points.0.iter().filter(|point| point.asks.must_not_open());
    let version = breaches().all(|point| point.asks == Asks::OtherVersion || point.rule == MISMATCH);
    let mut accept = Vec::new();
    if version && !choice {
        // "an appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field" (4.2.2)
        let note = "the response does not say which versions the server understands";
        accept.push(refused_with(Outcome::Pass, &[Status::Class(4)], true));
        let mute = |verdict| refused_with(verdict, &[Status::Class(4)], false);
        accept.push(match points.first(|asks| asks == Asks::Understood) {
            // It was refused over something else, before the version was looked at.
            Some(hard) => noted(mute(Outcome::NonStrict), hard.rule, hard.note),
            None if points.any(|asks| asks == Asks::OtherVersion) => {
                noted(mute(Outcome::Fail), MISMATCH, note)
            }
            // What is no number at all may be taken for no version.
            None => noted(mute(Outcome::NonStrict), MISMATCH, note),
        });
    } else if choice {
        accept.push(refused_with(Outcome::Pass, &CLASSES, false));
    } else if plain {
        let plain = [Status::Class(2), Status::Class(3), Status::Class(4), Status::Is(501), Status::Is(505)];
        accept.push(refused_with(Outcome::Pass, &plain, false));
    } else if points.any(|asks| asks == Asks::Refused) || syntax {
        let statuses = [Status::Class(4), Status::Is(501), Status::Is(505)];
        accept.push(refused_with(Outcome::Pass, &statuses, false));
    } else {
        accept.push(refused_with(Outcome::Pass, &[Status::Class(4)], false));
    }
    accept.push(dropped(Outcome::Informational));
    if !choice {
        let note = "the fault is the client's, and the server says that it is its own";
        let own = refused_with(Outcome::NonStrict, &[Status::Class(5)], version);
        accept.push(noted(own, REFUSE, note));
    }
    let open = |verdict, rule, note| {
        let saw = Saw::Events { events: vec![Expected::Open(MARK.to_owned())], order: Order::Exact };
        let either = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
        noted(Accept { ending: Some(either), ..accepted(verdict, saw) }, rule, note)
    };
    if let Some((verdict, point)) = points.tolerated() {
        accept.push(open(verdict, point.rule, point.note));
    }
    if syntax {
        let note = "the server waits for more, and answers nothing";
        // Who knows no line feed but that behind a carriage return has not seen the end of the head.
        let verdict = match points.any(|asks| asks == Asks::Syntax(Outcome::Informational)) {
            true => Outcome::Informational,
            false => Outcome::NonStrict,
        };
        let waits = accepted(verdict, end_of_opening(Expected::Unanswered));
        accept.push(noted(waits, REFUSE, note));
    }
    Expectation {
        rules: points.rules_of_breaches(REFUSE),
        accept,
        ending: Ending { bare: true, ..Ending::failed_with(&[]) },
        needs: Default::default(),
    }
}
