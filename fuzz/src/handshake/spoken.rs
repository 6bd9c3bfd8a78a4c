//! What the codec says, as a client and as a server, is what its other side hears.

use wsgrade_codec::check::opening::{self, Asked};
use wsgrade_codec::handshake::{
    Agreement, ClientHello, Extension, InvalidField, Limits, Request, RequestReader, ResponseHead,
    ResponseReader, accept_key, is_token, refuse,
};

use crate::tape::Tape;

/// A client and a server with any wishes.
pub(super) fn holds(mut tape: Tape<'_>) {
    let flags = tape.byte();
    let mut hello = ClientHello::new(tape.text(), tape.text(), std::array::from_fn(|_| tape.byte()));
    hello.origin = (flags & 1 != 0).then(|| tape.text());
    for _ in 0..flags >> 1 & 3 {
        hello.subprotocols.push(tape.text());
    }
    for _ in 0..flags >> 3 & 3 {
        hello.extensions.push(extension(&mut tape));
    }
    for _ in 0..flags >> 5 & 1 {
        hello.headers.push((format!("X-{}", tape.text()), tape.text()));
    }
    match hello.encode() {
        Err(error) => cannot_be_said(&hello, &error),
        Ok(wire) => says(&hello, &wire, flags, tape),
    }
}

fn extension(tape: &mut Tape<'_>) -> Extension {
    let flags = tape.byte();
    let mut extension = Extension::new(tape.text());
    for at in 0..flags & 3 {
        let value = (flags >> (2 + at) & 1 != 0).then(|| tape.text());
        extension = extension.with(tape.text(), value);
    }
    extension
}

/// Whether a value would break out of its line.
fn breaks_out(value: &str) -> bool {
    value.chars().any(|char| char.is_ascii_control() && char != '\t')
}

fn is_sayable(extension: &Extension) -> bool {
    let params = &extension.params;
    is_token(&extension.name)
        && params.iter().all(|param| is_token(&param.name) && param.value.as_deref().is_none_or(is_token))
}

fn cannot_be_said(hello: &ClientHello, error: &InvalidField) {
    let target = &hello.target;
    let wrong = target.is_empty()
        || target.chars().any(|char| char == ' ' || char.is_ascii_control())
        || breaks_out(&hello.host)
        || hello.origin.as_deref().is_some_and(breaks_out)
        || !hello.subprotocols.iter().all(|name| is_token(name))
        || !hello.extensions.iter().all(is_sayable)
        || !hello.headers.iter().all(|(name, value)| is_token(name) && !breaks_out(value));
    assert!(wrong && !error.field.is_empty(), "{error} in {hello:?}");
}

fn says(hello: &ClientHello, wire: &[u8], flags: u8, mut tape: Tape<'_>) {
    // A head may be longer than a reader takes, and a path or a value may hold what HTTP has no room for.
    let limits = Limits { max_bytes: 1 << 24, max_headers: 100 };
    let read = RequestReader::new(limits).push(wire);
    let Ok(Some((head, behind))) = read else {
        assert!(!hello.target.is_ascii(), "{read:?} from {hello:?}");
        return;
    };
    assert!(behind.is_empty() && head.raw == wire, "a head and nothing else");
    assert_eq!((head.method.as_str(), &head.target, head.minor_version), ("GET", &hello.target, 1));
    let trimmed = |value: &str| value.trim_ascii().as_bytes().to_vec();
    assert_eq!(head.headers.get("Host").map(<[u8]>::to_vec), Some(trimmed(&hello.host)));
    assert_eq!(head.headers.get("Origin").map(<[u8]>::to_vec), hello.origin.as_deref().map(trimmed));
    assert!(!head.headers.is_empty() && head.headers.len() == head.headers.iter().count());
    for (name, value) in &hello.headers {
        assert!(head.headers.all(name).any(|found| found == trimmed(value)), "{name}");
    }
    super::judge_request(&head);
    // The target and the host may still be none; then the request is refused for them, see `judge_request`.
    let Ok(request) = head.validate() else { return };
    assert_eq!((&request.key, &request.host), (&hello.key(), &hello.host.trim_ascii().to_owned()));
    assert_eq!((&request.subprotocols, &request.extensions), (&hello.subprotocols, &hello.extensions));

    let agreement = Agreement {
        subprotocol: hello.subprotocols.first().filter(|_| flags & 64 != 0).cloned(),
        extensions: hello.extensions.iter().take(usize::from(flags >> 7)).cloned().collect(),
        headers: vec![("X-Extra".to_owned(), tape.text())],
    };
    let Ok(answer) = request.accept(&agreement) else {
        assert!(breaks_out(&agreement.headers[0].1), "{agreement:?} cannot be said");
        return;
    };
    let head = head_of(&answer);
    assert_eq!(head.status, 101);
    let agreed = head.validate(hello).expect("an answer to what was asked");
    assert_eq!((agreed.subprotocol, agreed.extensions), (agreement.subprotocol, agreement.extensions));
    let reason = tape.text();
    let status = 300 + tape.number() % 300;
    refusal(&refuse(status, &[("X-Reason", &reason)], &reason), status);
}

fn head_of(wire: &[u8]) -> ResponseHead {
    let limits = Limits { max_bytes: 1 << 24, max_headers: 100 };
    let read = ResponseReader::new(limits).push(wire).expect("what we write is HTTP");
    read.expect("what we write is whole").0
}

/// A server's plain answer to any request that was taken breaks nothing.
pub(super) fn answers(request: &Request, asked: &Asked) {
    let wire = request.accept(&Agreement::default()).expect("nothing is added");
    let head = head_of(&wire);
    assert_eq!(head.headers.get("sec-websocket-accept"), Some(accept_key(&request.key).as_bytes()));
    assert_eq!(opening::response(&head, asked), []);
}

/// A refusal is one whole response of this status, whose body is as long as it says.
pub(super) fn refusal(wire: &[u8], status: u16) {
    let end = super::end_of_head(wire, usize::MAX).expect("a whole head");
    let length: usize = {
        let limits = Limits { max_bytes: 1 << 24, max_headers: 100 };
        let Ok(Some((head, body))) = ResponseReader::new(limits).push(wire) else {
            panic!("{:?} is no response", String::from_utf8_lossy(wire));
        };
        assert_eq!((head.status, body.len()), (status, wire.len() - end));
        let length = head.headers.get("Content-Length").expect("a body has a length");
        std::str::from_utf8(length).expect("digits").parse().expect("a number")
    };
    assert_eq!(wire.len() - end, length);
}
