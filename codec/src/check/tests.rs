//! Each rule where it is broken and where it is not.

use super::{Checker, Item, Negotiated, Rule};
use crate::close::{CloseCode, CloseFrame};
use crate::deflate::{Params, WindowBits};
use crate::wire::{FrameDecoder, Header, Length, LengthForm, Opcode, Rsv};
use crate::{Kind, Role};

/// A frame as the server sends it, and its wire form.
#[derive(Clone)]
struct Frame {
    header: Header,
    payload: Vec<u8>,
}

fn frame(opcode: Opcode, payload: impl AsRef<[u8]>) -> Frame {
    let payload = payload.as_ref().to_vec();
    Frame { header: Header::new(opcode, None, payload.len() as u64), payload }
}

impl Frame {
    fn with(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.header);
        self
    }

    fn more(self) -> Self {
        self.with(|header| header.fin = false)
    }

    fn rsv1(self) -> Self {
        self.with(|header| header.rsv = Rsv::RSV1)
    }
}

fn judge(sender: Role, negotiated: Negotiated, cap: usize, frames: &[Frame]) -> Vec<Item> {
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::with_cap(sender, negotiated, cap);
    for frame in frames {
        let mut payload = frame.payload.clone();
        if let Some(key) = frame.header.mask {
            crate::mask::apply(key, 0, &mut payload);
        }
        decoder.push(&frame.header.encode());
        decoder.push(&payload);
    }
    for piece in decoder {
        checker.push(piece);
    }
    checker.collect()
}

fn plain(frames: &[Frame]) -> Vec<Item> {
    judge(Role::Server, Negotiated::default(), 1 << 20, frames)
}

fn deflated(params: Params, frames: &[Frame]) -> Vec<Item> {
    judge(Role::Server, Negotiated { deflate: Some(params) }, 1 << 20, frames)
}

fn rules(items: &[Item]) -> Vec<Rule> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Violation(violation) => Some(violation.rule),
            Item::Message { .. }
            | Item::TooBig { .. }
            | Item::Ping(_)
            | Item::Pong(_)
            | Item::Close { .. } => None,
        })
        .collect()
}

fn messages(items: &[Item]) -> Vec<(Kind, Vec<u8>, u64)> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Message { kind, payload, compressed: _, fragments } => {
                Some((*kind, payload.to_vec(), *fragments))
            }
            Item::Violation(_) | Item::TooBig { .. } | Item::Ping(_) | Item::Pong(_) | Item::Close { .. } => {
                None
            }
        })
        .collect()
}

const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
const HELLO_AGAIN: [u8; 5] = [0xf2, 0x00, 0x11, 0x00, 0x00];

#[test]
fn a_proper_conversation_breaks_nothing() {
    let items = plain(&[
        frame(Opcode::TEXT, "Hello"),
        frame(Opcode::BINARY, [0xFF, 0x00]).more(),
        frame(Opcode::PING, "between"),
        frame(Opcode::CONTINUATION, "").more(),
        frame(Opcode::CONTINUATION, [1]),
        frame(Opcode::PONG, ""),
        frame(Opcode::CLOSE, b"\x03\xe8bye"),
    ]);
    assert_eq!(rules(&items), []);
    assert_eq!(
        messages(&items),
        [(Kind::Text, b"Hello".to_vec(), 1), (Kind::Binary, vec![0xFF, 0x00, 1], 3)]
    );
    assert_eq!(items[1], Item::Ping("between".into()));
    assert_eq!(items[3], Item::Pong("".into()));
    let close = CloseFrame::new(CloseCode::NORMAL, "bye");
    assert_eq!(items[4], Item::Close { body: close.encode().unwrap(), frame: Some(close) });
}

#[test]
fn masks_by_role() {
    let masked = frame(Opcode::TEXT, "a").with(|h| h.mask = Some([1, 2, 3, 4]));
    let unmasked = frame(Opcode::TEXT, "a");
    let by =
        |sender, frame: &Frame| rules(&judge(sender, Negotiated::default(), 99, std::slice::from_ref(frame)));
    assert_eq!(by(Role::Client, &masked), []);
    assert_eq!(by(Role::Client, &unmasked), [Rule::UnmaskedByClient]);
    assert_eq!(by(Role::Server, &masked), [Rule::MaskedByServer]);
    assert_eq!(by(Role::Server, &unmasked), []);
}

#[test]
fn reserved_bits_without_an_extension() {
    for (bits, rule) in [
        (Rsv::RSV1, Rule::Rsv1NotNegotiated),
        (Rsv::RSV2, Rule::ReservedBits),
        (Rsv::RSV3, Rule::ReservedBits),
    ] {
        assert_eq!(rules(&plain(&[frame(Opcode::TEXT, "a").with(|h| h.rsv = bits)])), [rule]);
        assert_eq!(rules(&plain(&[frame(Opcode::PING, "a").with(|h| h.rsv = bits)])), [Rule::ReservedBits]);
    }
    let both = frame(Opcode::BINARY, "").with(|h| h.rsv = Rsv::RSV1 | Rsv::RSV2);
    assert_eq!(rules(&plain(&[both])), [Rule::Rsv1NotNegotiated, Rule::ReservedBits]);
}

#[test]
fn reserved_opcodes_are_passed_over() {
    for value in 0..16 {
        let opcode = Opcode::new(value).unwrap();
        let items = plain(&[frame(opcode, "").with(|h| h.fin = true), frame(Opcode::PING, "")]);
        assert_eq!(rules(&items).contains(&Rule::ReservedOpcode), opcode.is_reserved(), "{opcode}");
    }
}

#[test]
fn lengths_in_too_many_bytes() {
    for (value, form, broken) in [
        (5, LengthForm::Bits7, false),
        (5, LengthForm::Bits16, true),
        (126, LengthForm::Bits16, false),
        (300, LengthForm::Bits64, true),
        (70_000, LengthForm::Bits64, false),
    ] {
        let wide = frame(Opcode::BINARY, vec![0; value])
            .with(|h| h.length = Length::with_form(value as u64, form).unwrap());
        let items = plain(&[wide]);
        assert_eq!(rules(&items).contains(&Rule::MinimalLength), broken, "{value} {form:?}");
        assert_eq!(messages(&items).len(), 1);
    }
}

#[test]
fn the_top_bit_of_a_length() {
    let huge = frame(Opcode::BINARY, "").with(|h| h.length = Length::minimal(1 << 63));
    assert_eq!(rules(&plain(&[huge])), [Rule::LengthTopBit]);
    let large = frame(Opcode::BINARY, "").with(|h| h.length = Length::minimal((1 << 63) - 1));
    assert_eq!(rules(&plain(&[large])), []);
}

#[test]
fn control_frames_are_short_and_whole() {
    assert_eq!(rules(&plain(&[frame(Opcode::PING, [0; 125])])), []);
    let items = plain(&[frame(Opcode::PING, [0; 126])]);
    assert_eq!(rules(&items), [Rule::ControlLength]);
    assert_eq!(items[1], Item::Ping(vec![0; 126].into()));
    assert_eq!(rules(&plain(&[frame(Opcode::PONG, "").more()])), [Rule::ControlFragmented]);
    // A length of 5 in 16 bits is not too long, but no control frame needs the form.
    let wide =
        frame(Opcode::PING, [0; 5]).with(|h| h.length = Length::with_form(5, LengthForm::Bits16).unwrap());
    assert_eq!(rules(&plain(&[wide])), [Rule::MinimalLength]);
}

#[test]
fn fragments_in_order() {
    let items = plain(&[frame(Opcode::CONTINUATION, "lost"), frame(Opcode::TEXT, "kept")]);
    assert_eq!(rules(&items), [Rule::ContinuationWithoutStart]);
    assert_eq!(messages(&items), [(Kind::Text, b"kept".to_vec(), 1)]);
    let items = plain(&[
        frame(Opcode::TEXT, "dropped").more(),
        frame(Opcode::BINARY, "a").more(),
        frame(Opcode::CONTINUATION, "b"),
        frame(Opcode::CONTINUATION, "lost"),
    ]);
    assert_eq!(rules(&items), [Rule::InterleavedMessage, Rule::ContinuationWithoutStart]);
    assert_eq!(messages(&items), [(Kind::Binary, b"ab".to_vec(), 2)]);
}

#[test]
fn text_is_utf8_across_fragments() {
    let split = [frame(Opcode::TEXT, [0xCE]).more(), frame(Opcode::CONTINUATION, [0xBA])];
    assert_eq!(rules(&plain(&split)), []);
    let items = plain(&[frame(Opcode::TEXT, [b'a', 0xCE])]);
    assert_eq!(rules(&items), [Rule::TextUtf8]);
    assert_eq!(messages(&items).len(), 1);
    let items = plain(&[frame(Opcode::TEXT, [0xFF]).more(), frame(Opcode::CONTINUATION, [0xFF])]);
    assert_eq!(rules(&items), [Rule::TextUtf8], "said once");
    assert_eq!(rules(&plain(&[frame(Opcode::BINARY, [0xFF])])), []);
}

#[test]
fn bad_text_is_told_before_its_frame_ends() {
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::new(Role::Server, Negotiated::default());
    decoder.push(&Header::new(Opcode::TEXT, None, 100).encode());
    decoder.push(b"ab\xFF");
    decoder.by_ref().for_each(|piece| checker.push(piece));
    let items: Vec<Item> = checker.by_ref().collect();
    assert_eq!(rules(&items), [Rule::TextUtf8]);
    assert_eq!(checker.in_message(), Some(Kind::Text));
}

#[test]
fn close_bodies() {
    for (body, expected) in [
        (&b""[..], None),
        (b"\x03", Some(Rule::CloseBodyOneByte)),
        (b"\x03\xe8", None),
        (b"\x03\xe8\xce\xba", None),
        (b"\x03\xe8\xce", Some(Rule::CloseReasonUtf8)),
    ] {
        let items = plain(&[frame(Opcode::CLOSE, body)]);
        assert_eq!(rules(&items), Vec::from_iter(expected), "{body:02x?}");
        assert!(matches!(items.last(), Some(Item::Close { .. })));
    }
}

#[test]
fn close_codes() {
    for (code, expected) in [
        (0, Some(Rule::CloseCodeUnused)),
        (999, Some(Rule::CloseCodeUnused)),
        (1000, None),
        (1003, None),
        (1004, Some(Rule::CloseCodeReserved)),
        (1005, Some(Rule::CloseCodeReserved)),
        (1006, Some(Rule::CloseCodeReserved)),
        (1007, None),
        (1010, Some(Rule::CloseCodeRole)),
        (1011, None),
        (1012, None),
        (1014, None),
        (1015, Some(Rule::CloseCodeReserved)),
        (1016, Some(Rule::CloseCodeUnregistered)),
        (2999, Some(Rule::CloseCodeUnregistered)),
        (3000, None),
        (4999, None),
        (5000, Some(Rule::CloseCodeOutOfRange)),
        (65_535, Some(Rule::CloseCodeOutOfRange)),
    ] {
        let body = u16::to_be_bytes(code);
        assert_eq!(rules(&plain(&[frame(Opcode::CLOSE, body)])), Vec::from_iter(expected), "{code}");
    }
    let by_client = frame(Opcode::CLOSE, [3, 242]).with(|h| h.mask = Some([0; 4]));
    assert_eq!(rules(&judge(Role::Client, Negotiated::default(), 99, &[by_client])), []);
}

#[test]
fn nothing_follows_a_close() {
    let items = plain(&[
        frame(Opcode::CLOSE, ""),
        frame(Opcode::TEXT, "a"),
        frame(Opcode::PING, ""),
        frame(Opcode::CLOSE, ""),
    ]);
    assert_eq!(rules(&items), [Rule::DataAfterClose, Rule::ControlAfterClose, Rule::ControlAfterClose]);
}

#[test]
fn compressed_messages() {
    let items = deflated(
        Params::default(),
        &[
            frame(Opcode::TEXT, HELLO).rsv1(),
            frame(Opcode::TEXT, "plain"),
            frame(Opcode::TEXT, &HELLO_AGAIN[..2]).rsv1().more(),
            frame(Opcode::CONTINUATION, &HELLO_AGAIN[2..]),
        ],
    );
    assert_eq!(rules(&items), []);
    let texts: Vec<_> = messages(&items).into_iter().map(|(_, payload, _)| payload).collect();
    assert_eq!(texts, [b"Hello", b"plain", b"Hello"]);
}

#[test]
fn rsv1_only_on_first_frames() {
    let items = deflated(
        Params::default(),
        &[frame(Opcode::TEXT, &HELLO[..3]).rsv1().more(), frame(Opcode::CONTINUATION, &HELLO[3..]).rsv1()],
    );
    assert_eq!(rules(&items), [Rule::Rsv1OnContinuation]);
    assert_eq!(rules(&deflated(Params::default(), &[frame(Opcode::PING, "").rsv1()])), [Rule::Rsv1OnControl]);
    let rsv2 = frame(Opcode::TEXT, "").with(|h| h.rsv = Rsv::RSV2);
    assert_eq!(rules(&deflated(Params::default(), &[rsv2])), [Rule::ReservedBits]);
}

#[test]
fn data_which_is_not_deflate() {
    let items =
        deflated(Params::default(), &[frame(Opcode::BINARY, [0x07]).rsv1(), frame(Opcode::BINARY, "x")]);
    assert_eq!(rules(&items), [Rule::DeflateData]);
    assert_eq!(messages(&items).len(), 1);
}

#[test]
fn inflated_text_is_utf8() {
    // A stored block with the byte FF.
    let bad = frame(Opcode::TEXT, b"\x00\x01\x00\xfe\xff\xff\x00").rsv1();
    assert_eq!(rules(&deflated(Params::default(), std::slice::from_ref(&bad))), [Rule::TextUtf8]);
    let binary = bad.with(|h| h.opcode = Opcode::BINARY);
    assert_eq!(rules(&deflated(Params::default(), &[binary])), []);
}

#[test]
fn context_taken_over_against_the_agreement() {
    let both = [frame(Opcode::TEXT, HELLO).rsv1(), frame(Opcode::TEXT, HELLO_AGAIN).rsv1()];
    let params = Params { server_no_context_takeover: true, ..Params::default() };
    assert_eq!(rules(&deflated(params, &both)), [Rule::ServerContextTakenOver]);
    assert_eq!(rules(&deflated(params, &[both[0].clone(), both[0].clone()])), []);
    let params = Params { client_no_context_takeover: true, ..Params::default() };
    assert_eq!(rules(&deflated(params, &both)), []);
    let masked = both.map(|frame| frame.with(|h| h.mask = Some([5; 4])));
    let items = judge(Role::Client, Negotiated { deflate: Some(params) }, 99, &masked);
    assert_eq!(rules(&items), [Rule::ClientContextTakenOver]);
    assert_eq!(messages(&items).len(), 2);
}

#[test]
fn windows_exceeded() {
    // 600 stored bytes, then, in a fixed block, a match of length 3 at distance 513: code 257 is 0000001,
    // distance code 18 is 10010 with eight extra bits of 0, end of block 0000000.
    let mut payload = vec![0x00, 0x58, 0x02, 0xA7, 0xFD];
    payload.extend(std::iter::repeat_n(7, 600));
    // BFINAL 0, BTYPE 01 (low bit first), then the codes (high bit first), then an empty stored block.
    let bits = ["0", "10", "0000001", "10010", "00000000", "0000000", "0", "00"].concat();
    for chunk in bits.as_bytes().chunks(8) {
        payload.push(chunk.iter().enumerate().fold(0, |byte, (i, bit)| byte | (bit - b'0') << i));
    }
    let frame = frame(Opcode::BINARY, payload).rsv1();
    let with =
        |bits: u8| Params { server_max_window_bits: WindowBits::new(bits).unwrap(), ..Params::default() };
    let items = deflated(with(9), std::slice::from_ref(&frame));
    assert_eq!(rules(&items), [Rule::ServerWindowExceeded]);
    assert_eq!(messages(&items)[0].1.len(), 603);
    assert_eq!(rules(&deflated(with(10), std::slice::from_ref(&frame))), []);
    let params = Params { client_max_window_bits: WindowBits::MIN, ..Params::default() };
    let masked = frame.with(|h| h.mask = Some([5; 4]));
    let items = judge(Role::Client, Negotiated { deflate: Some(params) }, 9999, &[masked]);
    assert_eq!(rules(&items), [Rule::ClientWindowExceeded]);
}

#[test]
fn what_is_too_big_is_said_and_not_kept() {
    let small = |frames: &[Frame]| judge(Role::Server, Negotiated::default(), 8, frames);
    assert_eq!(small(&[frame(Opcode::TEXT, "12345678")]).len(), 1);
    let items = small(&[
        frame(Opcode::TEXT, "12345678").more(),
        frame(Opcode::CONTINUATION, "9"),
        frame(Opcode::PING, "123456789"),
        frame(Opcode::TEXT, "x"),
    ]);
    assert_eq!(items[0], Item::TooBig { opcode: Opcode::TEXT, received: 9 });
    assert_eq!(items[1], Item::TooBig { opcode: Opcode::PING, received: 9 });
    assert_eq!(messages(&items), [(Kind::Text, b"x".to_vec(), 1)]);
    // Inflated it has 5 bytes, and what refers to it cannot be known any more.
    let deflate = Negotiated { deflate: Some(Params::default()) };
    let both = [frame(Opcode::TEXT, HELLO).rsv1(), frame(Opcode::TEXT, HELLO_AGAIN).rsv1()];
    let items = judge(Role::Server, deflate, 4, &both);
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| matches!(item, Item::TooBig { .. })));
}
