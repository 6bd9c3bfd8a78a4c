//! A response, as a client under test reads it. What the client asked for is not known here, so what depends on that is left to
//! it.

use bytes::Bytes;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{
    Accept, By, ChopAt, Ending, Expected, HeaderEdit, Opening, Order, Outcome, Payload, Role, Saw,
};
use wsgrade_codec::deflate::{self, Offer, WindowBits};
use wsgrade_codec::handshake::{
    ClientHello, Extension, Headers, Limits, RequestHead, ResponseHead, accept_key, format_extensions,
    has_token, is_token, parse_extensions,
};

use super::point::{Asks, Points, has_word, is_known_connection, is_odd_list, is_unknown};
use super::{Expectation, MARK, Opens, accepted, negotiates, unsaid};
use crate::engine::Accepted;
use crate::engine::lines::Lines;

/// The field.
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

const CONFORMS: &str = "rfc6455-4.1-response-conforms";
const STATUS: &str = "rfc6455-4.1-status-not-101";
const UPGRADE: &str = "rfc6455-4.1-response-upgrade";
const CONNECTION: &str = "rfc6455-4.1-response-connection";
const ACCEPT: &str = "rfc6455-4.1-response-accept";
const SUBPROTOCOL: &str = "rfc6455-4.1-response-subprotocol";
const EXTENSION: &str = "rfc6455-4.1-response-extension";

/// What no client asks for begins so.
const NOBODYS: &str = "x-wsgrade";
const NONCE: [u8; 16] = *b"a key of nobody!";

/// Heads beyond this size or number of fields a client may bound.
const MODEST: usize = 3 << 10;
const FEW: usize = 40;
/// A head in pieces smaller than this may be taken for an attack.
const SMALL_PIECES: u32 = 4;

/// What is right for what a client makes of a response.
pub(super) fn expect(opening: &Opening) -> Opens {
    let Some(points) = points(opening) else { return unsaid(Role::Client) };
    if points.any(Asks::must_not_open) { Opens::No(failed(&points)) } else { taken(&points, opening) }
}

/// An ordinary client's request. It offers whatever the case agrees to, so that the head has all that can be in it.
fn asked(opening: &Opening) -> Option<Accepted> {
    let mut hello = ClientHello::new("wsgrade.example", "/", NONCE);
    for extension in &opening.extensions {
        hello.extensions.extend(parse_extensions(extension.as_bytes()).ok()?);
    }
    if !opening.deflate.is_empty() {
        let offer = Offer { client_max_window_bits: Some(None), ..Offer::default() };
        hello.extensions.push(offer.to_extension());
    }
    // Parameters of a response can be none of an offer, and only the names count.
    hello.extensions.iter_mut().for_each(|extension| extension.params.clear());
    let request = Bytes::from(hello.encode().ok()?);
    let head = RequestHead::parse(request, &Limits::default()).ok()?;
    Some(Accepted::new(&head, Bytes::new()))
}

/// What is particular about the response; `None` where nobody can say what it is.
fn points(opening: &Opening) -> Option<Points> {
    if opening.unfinished {
        return None;
    }
    let head = asked(opening)?.head(opening);
    let lines = Lines::of(&head);
    // It never ends, or what is behind it are frames.
    if lines.len != Some(head.len()) {
        return None;
    }
    let mut points = Points::default();
    points.add_faults(&lines, CONFORMS, Outcome::Informational);
    let limits = Limits { max_bytes: 1 << 20, max_headers: 1 << 10 };
    let head = match ResponseHead::parse(Bytes::from(head.clone()), &limits) {
        Ok(head) => head,
        Err(_) => lax(&lines, head, &mut points)?,
    };
    if lines.empty_before > 0 {
        points.add(Asks::Nothing, CONFORMS, "empty lines before a response are not passed over");
    }
    if head.raw.len() > MODEST || head.headers.len() > FEW {
        points.add(Asks::Nothing, "rfc6455-10.4-limits", "the client bounds the size of a response");
    }
    look(&head, opening, &mut points);
    Some(points)
}

/// A head that the codec does not read, as a lax client has it; `None` where nobody can say what it is.
fn lax(lines: &Lines, raw: Vec<u8>, points: &mut Points) -> Option<ResponseHead> {
    let start = std::str::from_utf8(&lines.start).ok()?;
    let (version, rest) = start.split_once(' ').unwrap_or((start, ""));
    if !version.to_ascii_uppercase().starts_with("HTTP") {
        points.add(Asks::Refused, CONFORMS, "");
    } else if version != "HTTP/1.1" || lines.faults.is_empty() {
        // Readers differ in what they make of such a line.
        points.add(Asks::Nothing, CONFORMS, "such a status line is not read");
    }
    let status = rest.split(' ').next().and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut headers = Headers::new();
    for (name, value) in &lines.fields {
        headers.push(name.as_str(), value.clone());
    }
    let raw = Bytes::from(raw);
    Some(ResponseHead { status, reason: String::new(), minor_version: 1, headers, raw })
}

fn look(head: &ResponseHead, opening: &Opening, points: &mut Points) {
    if head.status != 101 {
        points.add(Asks::Plain, STATUS, "");
        return;
    }
    if head.minor_version < 1 {
        let note = "the version of the response is not looked at";
        points.add(Asks::Tolerated(Outcome::NonStrict), CONFORMS, note);
    }
    upgrade(&head.headers, points);
    connection(&head.headers, points);
    accept(&head.headers, points);
    subprotocol(&head.headers, opening, points);
    extensions(&head.headers, opening, points);
    others(&head.headers, points);
}

/// "If the response lacks an |Upgrade| header field or the |Upgrade| header field contains a value that is not an ASCII
/// case-insensitive match for the value "websocket", the client MUST _Fail the WebSocket Connection_." (RFC 6455 4.1)
fn upgrade(headers: &Headers, points: &mut Points) {
    let values: Vec<_> = headers.all("Upgrade").collect();
    let is = |value: &&[u8]| value.eq_ignore_ascii_case(b"websocket");
    match values[..] {
        [b"websocket"] => {}
        [ref value] if is(value) => points.add(Asks::Taken, UPGRADE, ""),
        [] => points.add(Asks::Refused, UPGRADE, ""),
        // Each of them is a match, and the list that they are is none.
        _ if values.iter().all(is) => points.add(Asks::Nothing, UPGRADE, "two fields are not one value"),
        _ if values.iter().any(|value| has_token(value, "websocket")) => {
            let note = "the value is searched instead of compared";
            points.add(Asks::Tolerated(Outcome::NonStrict), UPGRADE, note);
        }
        _ => {
            let part = values.iter().any(|value| has_word(value, "websocket"));
            let asks = if part { Asks::Tolerated(Outcome::NonStrict) } else { Asks::Refused };
            points.add(asks, UPGRADE, "a part of the value is taken");
        }
    }
}

/// "If the response lacks a |Connection| header field or the |Connection| header field doesn't contain a token that is an
/// ASCII case-insensitive match for the value "Upgrade", the client MUST _Fail the WebSocket Connection_." (RFC 6455 4.1)
fn connection(headers: &Headers, points: &mut Points) {
    let values: Vec<_> = headers.all("Connection").collect();
    if !values.iter().any(|value| has_token(value, "upgrade")) {
        let part = values.iter().any(|value| has_word(value, "upgrade"));
        let asks = if part { Asks::Tolerated(Outcome::Informational) } else { Asks::Refused };
        points.add(asks, CONNECTION, "a part of the value is taken");
    } else if !values.iter().all(|value| is_known_connection(value) && !is_odd_list(value)) {
        points.add(Asks::Nothing, CONNECTION, "other elements of the list are minded");
    } else if values.len() > 1 {
        points.add(Asks::Understood, CONNECTION, "two fields are not one list");
    } else if values[..] != [b"Upgrade"] {
        points.add(Asks::Taken, CONNECTION, "");
    }
}

/// "If the response lacks a |Sec-WebSocket-Accept| header field or the |Sec-WebSocket-Accept| contains a value other than
/// [...] but ignoring any leading and trailing whitespace, the client MUST _Fail the WebSocket Connection_." (RFC 6455 4.1)
fn accept(headers: &Headers, points: &mut Points) {
    let lawful = accept_key(&wsgrade_codec::handshake::encode_nonce(NONCE));
    let values: Vec<_> = headers.all("Sec-WebSocket-Accept").collect();
    let right = values.iter().filter(|value| **value == lawful.as_bytes()).count();
    match (values.len(), right) {
        (1, 1) => {}
        (_, right) if right > 0 && right == values.len() => {
            let note = "the MUST NOT binds the server; a client that takes it has not looked";
            points.add(Asks::Tolerated(Outcome::NonStrict), "rfc6455-11.3.3-accept-once", note);
        }
        (0 | 1, _) => points.add(Asks::Refused, ACCEPT, ""),
        (_, _) => points.add(Asks::Refused, "rfc6455-11.3.3-accept-once", ""),
    }
}

/// "if the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a subprotocol
/// that was not present in the client's handshake [...], the client MUST _Fail the WebSocket Connection_." (RFC 6455 4.1)
fn subprotocol(headers: &Headers, opening: &Opening, points: &mut Points) {
    let values: Vec<_> = headers.all("Sec-WebSocket-Protocol").collect();
    // What the client asks for may be just this.
    let its_own = |payload: &Payload| payload.to_bytes().windows(10).any(|window| window == b"<protocol>");
    let edits = opening.headers.iter().filter_map(|edit| match edit {
        HeaderEdit::Set(_, value) | HeaderEdit::Add(_, value) | HeaderEdit::Raw(value) => Some(value),
        HeaderEdit::Remove(_) => None,
    });
    let depends = edits.chain(&opening.raw).any(its_own);
    let nobodys = |value: &&[u8]| {
        let text = String::from_utf8_lossy(value);
        !is_token(&text) || text.starts_with(NOBODYS)
    };
    match values[..] {
        [] => {}
        _ if depends => {
            points.add(Asks::Nothing, SUBPROTOCOL, "such a subprotocol was not asked for");
        }
        _ if values.iter().all(|value| value.is_empty()) => {
            let note = "an empty value is taken for no subprotocol";
            points.add(Asks::Tolerated(Outcome::NonStrict), SUBPROTOCOL, note);
        }
        [ref value] if nobodys(value) => points.add(Asks::Refused, SUBPROTOCOL, ""),
        _ if values.iter().any(nobodys) => points.add(Asks::Refused, SUBPROTOCOL, ""),
        [_] => points.add(Asks::Nothing, SUBPROTOCOL, "such a subprotocol was not asked for"),
        _ => {
            let note = "a client that takes one of two has not looked";
            points.add(Asks::Tolerated(Outcome::NonStrict), "rfc6455-11.3.4-subprotocol-once", note);
        }
    }
}

/// "A client MUST _Fail the WebSocket Connection_ if the peer server accepted an extension negotiation offer for this
/// extension with an extension negotiation response meeting any of the following conditions" (RFC 7692 7).
fn extensions(headers: &Headers, opening: &Opening, points: &mut Points) {
    let mut named: Vec<Extension> = Vec::new();
    let mut spelled = false;
    let values: Vec<_> = headers.all(EXTENSIONS).collect();
    // Of what is agreed to only where it is offered the client may never hear.
    let heard = !negotiates(opening);
    let refused = if heard { Asks::Refused } else { Asks::Nothing };
    // One that is there whether or not it is offered was perhaps not asked for.
    let whatever = opening.headers.iter().any(|edit| match edit {
        HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) => name.eq_ignore_ascii_case(EXTENSIONS),
        HeaderEdit::Raw(_) => true,
        HeaderEdit::Remove(_) => false,
    });
    for value in &values {
        match parse_extensions(value) {
            Ok(extensions) => {
                spelled |= format_extensions(&extensions).as_bytes() != *value;
                named.extend(extensions);
            }
            Err(_) if value.iter().all(|byte| b", \t".contains(byte)) => {
                let note = "an empty list is taken for none";
                let rule = "rfc6455-9.1-malformed-extensions";
                points.add(Asks::Tolerated(Outcome::Informational), rule, note);
            }
            Err(_) => {
                points.add(refused, "rfc6455-9.1-malformed-extensions", "the list is not heard of");
            }
        }
    }
    let known = |extension: &&Extension| extension.name == deflate::NAME;
    if named.iter().any(|extension| extension.name.starts_with(NOBODYS)) {
        points.add(refused, EXTENSION, "the extension is not heard of");
    } else if named.iter().any(|extension| !known(&extension)) {
        points.add(Asks::Nothing, EXTENSION, "such an extension was not asked for");
    }
    let ours: Vec<_> = named.iter().filter(known).collect();
    for extension in &ours {
        match Offer::parse(extension) {
            Ok(Offer { client_max_window_bits: Some(None), .. }) => {
                points.add(refused, "rfc7692-7.1.2.2-response-value", "the parameter is not heard of");
            }
            Ok(offer) if !heard && !whatever && is_right_for_all(&offer) => {
                let asks = if spelled { Asks::Understood } else { Asks::Taken };
                points.add(asks, "rfc7692-5-agreed-parameters", "a lawful spelling is not understood");
            }
            Ok(_) => {
                let note = "such parameters were not asked for";
                points.add(Asks::Nothing, "rfc7692-5-invalid-response", note);
            }
            Err(error) => {
                let rule = match error {
                    deflate::InvalidParam::Unknown(_) => "rfc7692-7-fail-unknown-parameter",
                    deflate::InvalidParam::Twice(_) => "rfc7692-7-fail-same-name",
                    deflate::InvalidParam::Value { .. } => "rfc7692-7-fail-invalid-value",
                };
                points.add(refused, rule, "the parameter is not heard of");
            }
        }
    }
    if ours.len() > 1 {
        points.add(refused, "rfc7692-5-invalid-response", "the extensions are not heard of");
    } else if values.len() > 1 {
        let note = "the MUST NOT binds the server; the client has not looked";
        points.add(Asks::Tolerated(Outcome::Informational), "rfc6455-11.3.2-extensions-once", note);
    }
}

/// Whether such a response answers every offer of permessage-deflate: a server may begin each message anew and use the smallest
/// window whether or not it was asked to, and there is nothing more that an offer can ask of it.
fn is_right_for_all(offer: &Offer) -> bool {
    offer.server_no_context_takeover
        && offer.server_max_window_bits == Some(WindowBits::MIN)
        && offer.client_max_window_bits.is_none()
}

/// What else is in the head.
fn others(headers: &Headers, points: &mut Points) {
    let known = [
        "Upgrade",
        "Connection",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Server",
    ];
    for (name, value) in headers.iter() {
        let known = known.iter().find(|one| one.eq_ignore_ascii_case(name));
        if known.is_some_and(|one| *one != name) {
            points.add(Asks::Taken, "rfc6455-4.1-field-names-any-case", "");
        }
        let plain = value.is_ascii() && value.len() < 512;
        let usual = is_unknown(name) || matches!(&*name.to_ascii_lowercase(), "date" | "set-cookie");
        match (known, plain && usual) {
            (Some(_), _) if value.is_ascii() => {}
            (None, true) => points.add(Asks::Taken, CONFORMS, ""),
            (Some(_) | None, _) => points.add(Asks::Nothing, CONFORMS, "such a field is minded"),
        }
    }
}

/// The client fails the connection, which was never established: there is nothing to close.
fn fails() -> Ending {
    Ending { bare: true, ..Ending::failed_with(&[]) }
}

fn nothing() -> Saw {
    Saw::Events { events: Vec::new(), order: Order::Exact }
}

/// The connection has to open, or may.
fn taken(points: &Points, opening: &Opening) -> Opens {
    let mut also = Vec::new();
    let mut fails_as = |verdict, rule: &str, note: &str| {
        let (rule, note) = (Some(RuleId::new(rule)), Some(note.to_owned()));
        also.push(Accept { verdict, saw: nothing(), ending: Some(fails()), rule, note });
    };
    let small = matches!(opening.chop.at, ChopAt::Every(size) if size < SMALL_PIECES);
    if let Some(point) = points.first(|asks| asks == Asks::Nothing) {
        fails_as(Outcome::Informational, point.rule, point.note);
    } else if small {
        fails_as(Outcome::Informational, "rfc6455-10.7-drop", "so many small pieces are taken for an attack");
    } else if let Some(point) = points.first(|asks| asks == Asks::Understood) {
        fails_as(Outcome::NonStrict, point.rule, point.note);
    }
    Opens::Yes { rules: points.rules(CONFORMS), also }
}

/// The connection must not open.
fn failed(points: &Points) -> Expectation {
    let either = || Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    let mut accept = vec![Accept { ending: Some(fails()), ..accepted(Outcome::Pass, nothing()) }];
    // "the client handles the response per HTTP [RFC2616] procedures" (4.1): it may wait for the body, or behind a 1xx for the
    // response itself.
    if points.any(|asks| asks == Asks::Plain) {
        let note = "the client waits for what may follow such a response in HTTP";
        accept.push(Accept {
            ending: Some(either()),
            rule: Some(RuleId::new(STATUS)),
            note: Some(note.to_owned()),
            ..accepted(Outcome::Informational, nothing())
        });
    }
    if let Some((verdict, point)) = points.tolerated() {
        let open = Saw::Events { events: vec![Expected::Open(MARK.to_owned())], order: Order::Exact };
        accept.push(Accept {
            ending: Some(either()),
            rule: Some(RuleId::new(point.rule)),
            note: Some(point.note.to_owned()),
            ..accepted(verdict, open)
        });
    }
    Expectation {
        rules: points.rules_of_breaches(CONFORMS),
        accept,
        ending: fails(),
        needs: Default::default(),
    }
}
