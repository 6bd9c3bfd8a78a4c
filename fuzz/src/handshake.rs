//! The opening handshake: heads in pieces, heads judged twice, heads that the codec wrote, and the lists in them.

mod lists;
mod spoken;

use bytes::Bytes;
use wsgrade_codec::check::opening::{self, Asked};
use wsgrade_codec::check::{Rule, Violation};
use wsgrade_codec::deflate::{self, Offer};
use wsgrade_codec::handshake::{
    ClientHello, Extension, HeadError, Limits, RequestError, RequestHead, RequestReader, ResponseError,
    ResponseReader,
};

use crate::split::splits;
use crate::tape::Tape;

/// What the fuzzed responses answer. Its key is that of RFC 6455 1.3.
const NONCE: [u8; 16] = *b"the sample nonce";

/// The lowest three bits of the first byte say what the rest is, its fifth sets low limits:
///
/// | | |
/// |---|---|
/// | 0 | the bytes of a request |
/// | 1 | the bytes of a response |
/// | 2 | the value of a header |
/// | 3 | what a client and a server want to say |
///
/// - A head is the same however it was split, it ends with the first empty line behind a line that is none, and what came
///   behind is given back.
/// - What a request or response is refused for is one of the rules that it breaks, and what is taken breaks none, but for
///   those that a receiver may put up with.
/// - A list that is read is written and read again.
/// - What client and server say is understood by the other, unless it cannot be said; then they say why.
pub(crate) fn handshake(data: &[u8]) {
    let mut tape = Tape::new(data);
    let kind = tape.byte();
    let limits = if kind & 16 == 0 { Limits::default() } else { Limits { max_bytes: 128, max_headers: 4 } };
    match kind & 7 {
        0 => request(tape.rest(), limits),
        1 => response(tape.rest(), limits),
        2 => lists::holds(tape.rest()),
        _ => spoken::holds(tape),
    }
}

/// A head, or why it is none, and what came behind it.
type Read<Head> = Result<Option<(Head, Vec<u8>)>, HeadError>;

/// Reads in any split, which all have to give the same.
fn read<Head: PartialEq + std::fmt::Debug, Reader>(
    wire: &[u8],
    new: impl Fn() -> Reader,
    push: impl Fn(&mut Reader, &[u8]) -> Read<Head>,
) -> Read<Head> {
    let through = |reads: &[&[u8]]| -> Read<Head> {
        let mut reader = new();
        for (at, read) in reads.iter().enumerate() {
            if let Some((head, mut behind)) = push(&mut reader, read)? {
                behind.extend(reads[at + 1..].concat());
                return Ok(Some((head, behind)));
            }
        }
        Ok(None)
    };
    let expected = through(&[wire]);
    for reads in splits(wire) {
        assert_eq!(through(&reads), expected, "the reads were {reads:02x?}");
    }
    expected
}

/// Where the head ends, by hand: behind the first empty line after one that is not. `None` where there is no such line
/// within the limit.
fn end_of_head(wire: &[u8], limit: usize) -> Option<usize> {
    let mut start = 0;
    let mut begun = false;
    while let Some(length) = wire[start..].iter().position(|byte| *byte == b'\n') {
        let line = &wire[start..start + length];
        start += length + 1;
        let empty = line.is_empty() || line == b"\r";
        if empty && begun {
            return (start <= limit).then_some(start);
        }
        begun |= !empty;
    }
    None
}

fn found<Head>(wire: &[u8], limits: Limits, read: Read<Head>, raw: impl Fn(&Head) -> &Bytes) -> Option<Head> {
    let end = end_of_head(wire, limits.max_bytes);
    match read {
        Ok(Some((head, behind))) => {
            let end = end.expect("a head has an end");
            assert_eq!((&raw(&head)[..], &behind[..]), wire.split_at(end));
            Some(head)
        }
        Ok(None) => {
            assert!(end.is_none() && wire.len() < limits.max_bytes, "a head that was not seen");
            None
        }
        Err(HeadError::TooLarge { limit }) => {
            assert_eq!(limit, limits.max_bytes);
            assert!(end.is_none() && wire.len() >= limit, "a head of the right size");
            None
        }
        Err(HeadError::TooManyHeaders { limit }) => {
            let lines =
                wire[..end.expect("only a whole head is counted")].split(|byte| *byte == b'\n').count();
            assert!(limit == limits.max_headers && lines > limit, "{lines} lines");
            None
        }
        Err(HeadError::Syntax(_)) => {
            assert!(end.is_some(), "only a whole head is read");
            None
        }
    }
}

fn request(wire: &[u8], limits: Limits) {
    let read = read(
        wire,
        || RequestReader::new(limits),
        |reader, read| {
            let head = reader.push(read)?;
            if head.is_none() {
                assert!(wire.starts_with(reader.buffered()), "what came is kept");
            }
            Ok(head.map(|(head, behind)| (head, behind.to_vec())))
        },
    );
    let status = read.as_ref().err().map(HeadError::status);
    assert!(status.is_none_or(|status| status == 400 || status == 431));
    let Some(head) = found(wire, limits, read, |head| &head.raw) else { return };
    judge_request(&head);
}

/// The server's reading and the checker's.
fn judge_request(head: &RequestHead) {
    let broken = opening::request(head);
    let asked = Asked::of(head);
    match head.validate() {
        Ok(request) => {
            let worst = broken.iter().find(|violation| !a_server_may_take(violation));
            assert_eq!(worst, None, "taken from {head:?}");
            assert_eq!((&request.key, &request.target), (&asked.key, &head.target));
            assert_eq!(
                (&request.subprotocols, &request.extensions),
                (&asked.subprotocols, &asked.extensions)
            );
            assert!(asked.other_keys.is_empty() && !asked.unreadable_extensions);
            spoken::answers(&request, &asked);
        }
        Err(error) => {
            let rules: Vec<Rule> = broken.iter().map(|violation| violation.rule).collect();
            let blamed = rule_of_request(&error);
            assert!(blamed.is_some_and(|rule| rules.contains(&rule)), "{error}: {rules:?}");
            assert!([400, 405, 426, 431].contains(&error.status()), "{error}");
            let (section, sentence) = error.rule();
            assert!(!section.is_empty() && sentence.ends_with('.'), "{error}");
            spoken::refusal(&error.response(), error.status());
        }
    }
}

/// "we recommend that applications, when parsing such headers, recognize a single LF as a line terminator" (RFC 2616 19.3);
/// and offers of permessage-deflate that are wrong are only declined (RFC 7692 7).
fn a_server_may_take(violation: &Violation) -> bool {
    [Rule::RequestSyntax, Rule::ExtensionParams].contains(&violation.rule)
}

fn rule_of_request(error: &RequestError) -> Option<Rule> {
    match error {
        RequestError::Head(_) => None,
        RequestError::Method(_) => Some(Rule::RequestMethod),
        RequestError::HttpVersion(_) => Some(Rule::RequestHttpVersion),
        RequestError::Target(_) => Some(Rule::RequestTarget),
        RequestError::NoHost | RequestError::Host => Some(Rule::RequestHost),
        RequestError::NoUpgrade | RequestError::Upgrade => Some(Rule::RequestUpgrade),
        RequestError::Connection => Some(Rule::RequestConnection),
        RequestError::NoKey => Some(Rule::RequestKeyMissing),
        RequestError::SeveralKeys => Some(Rule::RequestKeyOnce),
        RequestError::Key => Some(Rule::RequestKey),
        RequestError::NoVersion => Some(Rule::RequestVersionMissing),
        RequestError::SeveralVersions => Some(Rule::RequestVersionOnce),
        RequestError::Version(_) => Some(Rule::RequestVersion),
        RequestError::Subprotocols(_) => Some(Rule::RequestSubprotocols),
        RequestError::SubprotocolTwice(_) => Some(Rule::RequestSubprotocolTwice),
        RequestError::Extensions(_) => Some(Rule::ExtensionSyntax),
    }
}

/// The request that fuzzed responses are read as the answer to.
pub(crate) fn hello() -> ClientHello {
    let mut hello = ClientHello::new("example.org", "/", NONCE);
    hello.subprotocols = vec!["chat".into(), "superchat".into()];
    hello.extensions = deflate::offer_extensions(&offers());
    hello.extensions.push(Extension::new("x-other"));
    hello
}

fn offers() -> [Offer; 2] {
    let bits = deflate::WindowBits::new(10);
    [
        Offer { server_max_window_bits: bits, client_max_window_bits: Some(None), ..Offer::default() },
        Offer { server_no_context_takeover: true, ..Offer::default() },
    ]
}

fn response(wire: &[u8], limits: Limits) {
    let read = read(
        wire,
        || ResponseReader::new(limits),
        |reader, read| Ok(reader.push(read)?.map(|(head, behind)| (head, behind.to_vec()))),
    );
    let Some(head) = found(wire, limits, read, |head| &head.raw) else { return };
    let hello = hello();
    let asked = asked(&hello);
    let broken = opening::response(&head, &asked);
    let rules: Vec<Rule> = broken.iter().map(|violation| violation.rule).collect();
    match head.validate(&hello) {
        Ok(agreed) => {
            assert_eq!(head.status, 101);
            let worst = rules.iter().find(|rule| !a_client_may_take(**rule));
            assert_eq!(worst, None, "taken from {head:?}");
            let offered = |name: &String| hello.subprotocols.contains(name);
            assert!(agreed.subprotocol.as_ref().is_none_or(offered));
            // The parameters are for the extension to judge.
            let params = deflate::accept_response(&agreed.extensions, &offers());
            let wrong = rules.contains(&Rule::ExtensionParams) || rules.contains(&Rule::ResponseDeflate);
            assert_eq!(params.is_err(), wrong, "{params:?}");
        }
        Err(error) => {
            let (section, sentence) = error.rule();
            assert!(!section.is_empty() && sentence.ends_with('.'), "{error}");
            match rules_of_response(&error) {
                // Another status is an answer of HTTP, and no rule is broken by it.
                None => assert!(head.status != 101, "{error}"),
                Some(blamed) => assert!(blamed.iter().any(|rule| rules.contains(rule)), "{error}: {rules:?}"),
            }
        }
    }
}

/// What a client's own request asks for, read from its bytes.
pub(crate) fn asked(hello: &ClientHello) -> Asked {
    let wire = hello.encode().expect("tokens and no line breaks");
    let head = RequestHead::parse(wire.into(), &Limits::default()).expect("a head");
    Asked::of(&head)
}

/// Bare line feeds, and the number of fields that hold a list, which RFC 6455 11.3.2 binds and no client is told to look at;
/// and what is for permessage-deflate to judge.
fn a_client_may_take(rule: Rule) -> bool {
    [Rule::ResponseSyntax, Rule::ResponseExtensionsOnce, Rule::ExtensionParams, Rule::ResponseDeflate]
        .contains(&rule)
}

fn rules_of_response(error: &ResponseError) -> Option<&'static [Rule]> {
    Some(match error {
        ResponseError::Head(_) | ResponseError::Status(_) => return None,
        ResponseError::HttpVersion(_) => &[Rule::ResponseSyntax],
        ResponseError::Upgrade => &[Rule::ResponseUpgrade],
        ResponseError::Connection => &[Rule::ResponseConnection],
        ResponseError::NoAccept | ResponseError::Accept => &[Rule::ResponseAccept],
        ResponseError::SeveralAccepts => &[Rule::ResponseAcceptOnce],
        ResponseError::Extensions(_) => &[Rule::ExtensionSyntax],
        ResponseError::ExtensionNotOffered(_) => &[Rule::ResponseExtension],
        ResponseError::Subprotocol => &[Rule::ResponseSubprotocol, Rule::ResponseSubprotocolOnce],
        ResponseError::SubprotocolNotOffered(_) => &[Rule::ResponseSubprotocol],
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_head_ends_with_an_empty_line_behind_another() {
        use super::end_of_head;
        assert_eq!(end_of_head(b"\r\n\nA\r\n\r\nB", 99), Some(8));
        assert_eq!(end_of_head(b"A\n\nB", 99), Some(3));
        assert_eq!(end_of_head(b"A\n\nB", 2), None, "above the limit");
        assert_eq!(end_of_head(b"\n\n\n", 99), None, "no line that is none");
        assert_eq!(end_of_head(b"A\n \nB", 99), None, "a space is no empty line");
    }

    #[test]
    fn the_key_of_the_rfc() {
        assert_eq!(super::hello().key(), "dGhlIHNhbXBsZSBub25jZQ==");
    }
}
