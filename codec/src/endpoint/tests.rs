//! The endpoint's behaviour.

use super::{Config, Endpoint, Event, Failure, Limits, Message, SendError};
use crate::check::Rule;
use crate::close::{CloseCode, CloseFrame};
use crate::deflate::Params;
use crate::wire::{FrameDecoder, Header, Length, LengthForm, Opcode, Piece, Rsv};
use crate::{Kind, Role};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn endpoint(config: Config) -> Endpoint {
    Endpoint::new(config, || KEY)
}

fn client() -> Endpoint {
    endpoint(Config::new(Role::Client))
}

/// A frame from the server.
fn frame(opcode: Opcode, payload: impl AsRef<[u8]>) -> Vec<u8> {
    changed(opcode, payload, |_| {})
}

fn changed(opcode: Opcode, payload: impl AsRef<[u8]>, change: impl FnOnce(&mut Header)) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut header = Header::new(opcode, None, payload.len() as u64);
    change(&mut header);
    let mut body = payload.to_vec();
    if let Some(key) = header.mask {
        crate::mask::apply(key, 0, &mut body);
    }
    [&*header.encode(), &body].concat()
}

fn more(opcode: Opcode, payload: impl AsRef<[u8]>) -> Vec<u8> {
    changed(opcode, payload, |header| header.fin = false)
}

fn events(endpoint: &mut Endpoint) -> Vec<Event> {
    std::iter::from_fn(|| endpoint.poll_event()).collect()
}

fn after(mut endpoint: Endpoint, wire: &[u8]) -> (Vec<Event>, Endpoint) {
    endpoint.receive(wire);
    (events(&mut endpoint), endpoint)
}

/// The frames that an endpoint has queued.
fn sent(endpoint: &mut Endpoint) -> Vec<(Header, Vec<u8>)> {
    let mut wire = Vec::new();
    endpoint.drain_into(&mut wire);
    let mut decoder = FrameDecoder::new();
    decoder.push(&wire);
    let mut frames: Vec<(Header, Vec<u8>)> = Vec::new();
    for piece in decoder.by_ref() {
        match piece {
            Piece::Header(header) => frames.push((header, Vec::new())),
            Piece::Payload { bytes, offset: _ } => frames.last_mut().unwrap().1.extend_from_slice(&bytes),
            Piece::End => {}
        }
    }
    assert_eq!((decoder.buffered(), decoder.in_frame()), (0, None));
    frames
}

fn opcodes(endpoint: &mut Endpoint) -> Vec<Opcode> {
    sent(endpoint).iter().map(|(header, _)| header.opcode).collect()
}

/// The rule and code of a failure, which has to be the last thing that happened.
fn failure(events: &[Event]) -> Option<(Rule, u16)> {
    match events {
        [
            ..,
            Event::Failed { failure: Failure::Violation(violation), code },
            Event::Closed { clean: false },
        ] => Some((violation.rule, code.value())),
        _ => None,
    }
}

#[test]
fn messages_and_control_frames() {
    let wire = [
        frame(Opcode::TEXT, "Hello"),
        more(Opcode::BINARY, [1]),
        frame(Opcode::PING, "a"),
        more(Opcode::CONTINUATION, ""),
        frame(Opcode::CONTINUATION, [2]),
        frame(Opcode::PONG, "b"),
        frame(Opcode::BINARY, vec![7; 70_000]),
    ]
    .concat();
    let (events, mut client) = after(client(), &wire);
    assert_eq!(
        events,
        [
            Event::Message(Message::text("Hello")),
            Event::Ping("a".into()),
            Event::Message(Message::binary(vec![1, 2])),
            Event::Pong("b".into()),
            Event::Message(Message::binary(vec![7; 70_000])),
        ]
    );
    assert_eq!(sent(&mut client), [(Header::new(Opcode::PONG, Some(KEY), 1), b"a".to_vec())]);
}

#[test]
fn each_violation_fails_with_its_code() {
    let wide = |value: u64, form| Length::with_form(value, form).unwrap();
    for (wire, rule, code) in [
        (changed(Opcode::TEXT, "a", |h| h.mask = Some(KEY)), Rule::MaskedByServer, 1002),
        (changed(Opcode::TEXT, "a", |h| h.rsv = Rsv::RSV1), Rule::Rsv1NotNegotiated, 1002),
        (changed(Opcode::PING, "a", |h| h.rsv = Rsv::RSV2), Rule::ReservedBits, 1002),
        (frame(Opcode::new(3).unwrap(), "a"), Rule::ReservedOpcode, 1002),
        (frame(Opcode::new(11).unwrap(), "a"), Rule::ReservedOpcode, 1002),
        (changed(Opcode::TEXT, "a", |h| h.length = wide(1, LengthForm::Bits16)), Rule::MinimalLength, 1002),
        (changed(Opcode::TEXT, "a", |h| h.length = wide(1, LengthForm::Bits64)), Rule::MinimalLength, 1002),
        (changed(Opcode::TEXT, "", |h| h.length = Length::minimal(1 << 63)), Rule::LengthTopBit, 1002),
        (frame(Opcode::PING, [0; 126]), Rule::ControlLength, 1002),
        (more(Opcode::PING, ""), Rule::ControlFragmented, 1002),
        (frame(Opcode::CONTINUATION, "a"), Rule::ContinuationWithoutStart, 1002),
        ([more(Opcode::TEXT, "a"), frame(Opcode::TEXT, "b")].concat(), Rule::InterleavedMessage, 1002),
        (frame(Opcode::TEXT, [0xFF]), Rule::TextUtf8, 1007),
        (frame(Opcode::TEXT, [0xCE]), Rule::TextUtf8, 1007),
        ([more(Opcode::TEXT, "a"), frame(Opcode::CONTINUATION, [0xCE])].concat(), Rule::TextUtf8, 1007),
        (frame(Opcode::CLOSE, [3]), Rule::CloseBodyOneByte, 1002),
        (frame(Opcode::CLOSE, [0, 0]), Rule::CloseCodeUnused, 1002),
        (frame(Opcode::CLOSE, 1005u16.to_be_bytes()), Rule::CloseCodeReserved, 1002),
        (frame(Opcode::CLOSE, 2000u16.to_be_bytes()), Rule::CloseCodeUnregistered, 1002),
        (frame(Opcode::CLOSE, 5000u16.to_be_bytes()), Rule::CloseCodeOutOfRange, 1002),
        (frame(Opcode::CLOSE, b"\x03\xe8\xff"), Rule::CloseReasonUtf8, 1007),
        (frame(Opcode::CLOSE, b"\x03\xe8\xce"), Rule::CloseReasonUtf8, 1007),
    ] {
        // What follows the violation is not delivered.
        let wire = [wire, frame(Opcode::TEXT, "never")].concat();
        let (events, mut client) = after(client(), &wire);
        assert_eq!(failure(&events), Some((rule, code)), "{wire:02x?} {events:?}");
        assert_eq!(
            sent(&mut client),
            [(Header::new(Opcode::CLOSE, Some(KEY), 2), code.to_be_bytes().to_vec())]
        );
        assert!(client.should_end_tcp() && client.is_closed() && !client.is_open());
        assert_eq!(client.send(Message::text("x")), Err(SendError::Closing));
        client.receive(&wire);
        assert_eq!(client.poll_event(), None);
    }
}

#[test]
fn a_server_wants_masks() {
    let server = || endpoint(Config::new(Role::Server));
    let (events, _) = after(server(), &frame(Opcode::TEXT, "a"));
    assert_eq!(failure(&events), Some((Rule::UnmaskedByClient, 1002)));
    for len in [0, 1, 125, 126, 9000, 65_535, 65_536, 100_000] {
        let text: String = "aä€".chars().cycle().take(len).collect();
        let (events, _) = after(server(), &changed(Opcode::TEXT, &text, |h| h.mask = Some(KEY)));
        assert_eq!(events, [Event::Message(Message::text(text))]);
    }
}

#[test]
fn a_violation_is_found_at_the_exact_byte() {
    let long_text = {
        let mut text = "ä".repeat(20_000).into_bytes();
        text[30_001] = 0x41;
        text
    };
    let declared = |opcode, len| Header::new(opcode, None, len).encode().to_vec();
    for (wire, at) in [
        // With the second byte of the header.
        (changed(Opcode::TEXT, "", |h| h.mask = Some(KEY)), 2),
        (frame(Opcode::PING, [0; 126]), 2),
        // With the last byte of the length, although a masking key would follow.
        (changed(Opcode::TEXT, "", |h| h.length = Length::with_form(5, LengthForm::Bits64).unwrap()), 10),
        // With the byte of the text.
        (frame(Opcode::TEXT, b"abc\xF4\x90efghi"), 2 + 5),
        (frame(Opcode::TEXT, &long_text), 4 + 30_002),
        ([more(Opcode::TEXT, "\u{10FFFF}"), frame(Opcode::CONTINUATION, b"\xC0abc")].concat(), 6 + 2 + 1),
        // With the second byte of the code, with the byte of the reason.
        (frame(Opcode::CLOSE, b"\x03\xedreason"), 4),
        (frame(Opcode::CLOSE, b"\x03\xe8a\xffbc"), 6),
        // With the header alone.
        (declared(Opcode::TEXT, (16 << 20) + 1), 10),
    ] {
        let mut client = client();
        let found = wire.iter().position(|byte| {
            client.receive(&[*byte]);
            events(&mut client).iter().any(|event| matches!(event, Event::Failed { .. }))
        });
        assert_eq!(found, Some(at - 1), "{:02x?}", &wire[..wire.len().min(20)]);
    }
}

#[test]
fn limits_are_1009_before_the_bytes_come() {
    let limits = Limits { max_frame: 10, max_message: 15, max_fragments: 3, ..Limits::default() };
    let with = |wire: &[u8]| after(endpoint(Config { limits, ..Config::new(Role::Client) }), wire).0;
    let ten = [0; 10];
    assert_eq!(with(&frame(Opcode::BINARY, ten)).len(), 1);
    let header = |len| Header::new(Opcode::BINARY, None, len).encode().to_vec();
    let begun = [more(Opcode::BINARY, ten), more(Opcode::CONTINUATION, "12345")].concat();
    for (wire, expected) in [
        (header(11), Failure::FrameTooBig { declared: 11, limit: 10 }),
        (header((1 << 63) - 1), Failure::FrameTooBig { declared: (1 << 63) - 1, limit: 10 }),
        (
            [begun.clone(), Header::new(Opcode::CONTINUATION, None, 1).encode().to_vec()].concat(),
            Failure::MessageTooBig { limit: 15 },
        ),
        (
            [begun.clone(), more(Opcode::CONTINUATION, ""), frame(Opcode::CONTINUATION, "")].concat(),
            Failure::TooManyFragments { limit: 3 },
        ),
    ] {
        let events = with(&wire);
        let [Event::Failed { failure, code }, Event::Closed { clean: false }] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!((failure, code.value()), (&expected, 1009));
        assert!(!failure.to_string().is_empty());
    }
    let events = with(&[begun, frame(Opcode::CONTINUATION, "")].concat());
    assert_eq!(events.len(), 1, "exactly at the limits");
}

#[test]
fn the_peer_closes() {
    for (body, echo) in [(&b""[..], &b""[..]), (b"\x03\xe8", b"\x03\xe8"), (b"\x0f\xa0why", b"\x0f\xa0")] {
        let wire = [frame(Opcode::CLOSE, body), frame(Opcode::TEXT, "never")].concat();
        let (events, mut client) = after(client(), &wire);
        let close = Event::Close(CloseFrame::parse(body).unwrap());
        assert_eq!(events, [close, Event::Closed { clean: true }]);
        assert_eq!(
            sent(&mut client),
            [(Header::new(Opcode::CLOSE, Some(KEY), echo.len() as u64), echo.to_vec())]
        );
        // A client waits for the server to end TCP.
        assert!(!client.should_end_tcp());
        client.eof();
        assert_eq!(client.poll_event(), None);
        assert!(client.should_end_tcp());
    }
}

#[test]
fn we_close() {
    let mut server = endpoint(Config::new(Role::Server));
    assert_eq!(server.close(Some(CloseCode::NO_STATUS), ""), Err(SendError::CloseCode(CloseCode::NO_STATUS)));
    assert!(matches!(server.close(Some(CloseCode::NORMAL), &"x".repeat(124)), Err(SendError::Close(_))));
    assert!(matches!(server.close(None, "x"), Err(SendError::Close(_))));
    assert!(server.is_open());
    server.close(Some(CloseCode::GOING_AWAY), "bye").unwrap();
    assert_eq!(server.close(None, ""), Err(SendError::Closing));
    assert_eq!(server.ping(b""), Err(SendError::Closing));
    assert!(server.sent_close() && !server.received_close() && !server.should_end_tcp());
    let masked = |opcode, body: &[u8]| changed(opcode, body, |h| h.mask = Some(KEY));
    // What the peer sent before its Close is delivered; its Ping is not answered any more.
    server.receive(&masked(Opcode::TEXT, b"late"));
    server.receive(&masked(Opcode::PING, b""));
    server.receive(&masked(Opcode::CLOSE, b"\x03\xe9"));
    assert_eq!(
        events(&mut server),
        [
            Event::Message(Message::text("late")),
            Event::Ping("".into()),
            Event::Close(CloseFrame::new(CloseCode::GOING_AWAY, "")),
            Event::Closed { clean: true },
        ]
    );
    assert!(!server.should_end_tcp(), "our close frame has to go first");
    assert_eq!(opcodes(&mut server), [Opcode::CLOSE]);
    assert!(server.should_end_tcp());
}

#[test]
fn an_end_without_a_close_is_not_clean() {
    let mut client = client();
    client.receive(&frame(Opcode::TEXT, "last"));
    client.receive(&[0x81]);
    client.eof();
    assert_eq!(events(&mut client), [Event::Message(Message::text("last")), Event::Closed { clean: false }]);
    assert!(client.should_end_tcp() && !client.is_open());
    assert_eq!(client.poll_event(), None);
}

#[test]
fn only_the_latest_ping_is_answered_behind_a_long_queue() {
    let limits = Limits { max_queue_for_pongs: 100, ..Limits::default() };
    let mut client = endpoint(Config { limits, ..Config::new(Role::Client) });
    client.send(Message::binary(vec![0; 200])).unwrap();
    for number in 0..50u8 {
        client.receive(&frame(Opcode::PING, [number]));
    }
    assert_eq!(events(&mut client).len(), 50);
    assert!(client.pending() < 300);
    let frames = sent(&mut client);
    assert_eq!(frames.len(), 2);
    assert_eq!((frames[1].0.opcode, &frames[1].1), (Opcode::PONG, &vec![49]));
    // With a short queue each one is.
    for number in 0..3u8 {
        client.receive(&frame(Opcode::PING, [number]));
    }
    events(&mut client);
    assert_eq!(opcodes(&mut client), [Opcode::PONG; 3]);
}

#[test]
fn fragments_out() {
    let mut client = client();
    assert_eq!(client.send_fragmented(Message::text("a"), 0), Err(SendError::EmptyFragments));
    client.send_fragmented(Message::text("abcde"), 2).unwrap();
    client.send_fragmented(Message::text(""), 2).unwrap();
    let frames = sent(&mut client);
    let seen: Vec<_> =
        frames.iter().map(|(h, p)| (h.opcode.value(), h.fin, std::str::from_utf8(p).unwrap())).collect();
    assert_eq!(seen, [(1, false, "ab"), (0, false, "cd"), (0, true, "e"), (1, true, "")]);
    assert_eq!(client.ping(&[0; 126]), Err(SendError::ControlTooLong { len: 126 }));
    client.pong(&[0; 125]).unwrap();
}

fn compressing(role: Role) -> Config {
    Config { deflate: Some(Params::default()), compress_from: 1, ..Config::new(role) }
}

#[test]
fn compressed_messages_both_ways() {
    let mut client = endpoint(compressing(Role::Client));
    let mut server = endpoint(compressing(Role::Server));
    let texts = ["Hello", "", "Hello", &"ä".repeat(30_000)].map(Message::text);
    for text in &texts {
        client.send(text.clone()).unwrap();
        client.send_fragmented(text.clone(), 3).unwrap();
    }
    let mut wire = Vec::new();
    client.drain_into(&mut wire);
    assert!(wire.len() < 1500, "{}", wire.len());
    for byte in wire {
        server.receive(&[byte]);
        while let Some(event) = server.poll_event() {
            let Event::Message(message) = event else { panic!("{event:?}") };
            server.send(message).unwrap();
        }
    }
    let mut wire = Vec::new();
    server.drain_into(&mut wire);
    client.receive(&wire);
    let expected: Vec<_> = texts.iter().flat_map(|text| [text, text]).cloned().map(Event::Message).collect();
    assert_eq!(events(&mut client), expected);
}

#[test]
fn compressed_violations() {
    let rsv1 = |opcode, body: &[u8]| changed(opcode, body, |h| h.rsv = Rsv::RSV1);
    for (wire, rule, code) in [
        (rsv1(Opcode::TEXT, &[0x07]), Rule::DeflateData, 1007),
        (rsv1(Opcode::TEXT, b"\x00\x01\x00\xfe\xff\xff\x00"), Rule::TextUtf8, 1007),
        (rsv1(Opcode::PING, b""), Rule::Rsv1OnControl, 1002),
        ([more(Opcode::TEXT, ""), rsv1(Opcode::CONTINUATION, b"")].concat(), Rule::Rsv1OnContinuation, 1002),
        (changed(Opcode::TEXT, "", |h| h.rsv = Rsv::RSV3), Rule::ReservedBits, 1002),
    ] {
        let (events, _) = after(endpoint(compressing(Role::Client)), &wire);
        assert_eq!(failure(&events), Some((rule, code)), "{events:?}");
    }
    // An empty block may come alone in the last frame (RFC 7692, 7.2.3.6).
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07];
    let first = changed(Opcode::TEXT, hello, |h| (h.rsv, h.fin) = (Rsv::RSV1, false));
    let (events, _) =
        after(endpoint(compressing(Role::Client)), &[first, frame(Opcode::CONTINUATION, [0])].concat());
    assert_eq!(events, [Event::Message(Message::text("Hello"))]);
}

#[test]
fn a_bomb_is_stopped_while_inflating() {
    let mut sender = endpoint(compressing(Role::Server));
    sender.send(Message::binary(vec![0; 10 << 20])).unwrap();
    let mut wire = Vec::new();
    sender.drain_into(&mut wire);
    let limits = Limits { max_inflated: 1 << 16, ..Limits::default() };
    let receiver = endpoint(Config { limits, ..compressing(Role::Client) });
    let (events, _) = after(receiver, &wire);
    let failed =
        Event::Failed { failure: Failure::InflatedTooBig { limit: 1 << 16 }, code: CloseCode::TOO_BIG };
    assert_eq!(events, [failed, Event::Closed { clean: false }]);
}

#[test]
fn the_read_buffer_grows_with_what_came() {
    let mut client = client();
    client.read_buffer().extend_from_slice(&Header::new(Opcode::BINARY, None, 16 << 20).encode());
    assert_eq!(client.poll_event(), None);
    let mut came = 0;
    while came < 16 << 20 {
        let buffer = client.read_buffer();
        let room = buffer.capacity() - buffer.len();
        assert!(room > 0 && buffer.capacity() <= 2 * came + (64 << 10), "{} after {came}", buffer.capacity());
        let count = room.min((16 << 20) - came);
        buffer.extend_from_slice(&vec![0; count]);
        came += count;
        assert_eq!(client.poll_event().is_some(), came == 16 << 20);
    }
    // What was handed out does not stay with the endpoint.
    assert!(client.read_buffer().capacity() < 64 << 10);
}

#[test]
fn messages_say_what_they_are() {
    assert_eq!(Message::text("a").as_text(), Some("a"));
    assert_eq!(Message::binary("a").as_text(), None);
    assert!(Message::new(Kind::Text, vec![0xFF]).is_err());
    let text = Message::new(Kind::Text, "ä").unwrap();
    assert_eq!((text.kind(), text.payload().len(), text.into_payload().len()), (Kind::Text, 2, 2));
}
