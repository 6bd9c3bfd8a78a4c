//! Frames: how a message is cut into them, how they are cut into writes, and how they break a rule.

use std::time::Duration;

use arbitrary::Unstructured;
use wsgrade_cases::model::{Chop, ChopAt, Frame, Length, Mask, Payload};
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

use super::dice::Dice;
use super::payload;

/// Codes that a Close may carry (RFC 6455 7.4, and those registered since).
const CODES: [u16; 16] =
    [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
/// The borders of the ranges in which none may.
const BAD_CODES: [u16; 16] =
    [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1101, 2000, 2998, 2999, 5000, 32_768, 65_535];
/// Every opcode that has a meaning.
const OPCODES: [Opcode; 6] =
    [Opcode::TEXT, Opcode::BINARY, Opcode::CONTINUATION, Opcode::PING, Opcode::PONG, Opcode::CLOSE];

/// How many bytes each fragment of a message of `len` bytes has.
pub(super) fn cut(len: usize, u: &mut Unstructured<'_>) -> Vec<usize> {
    let at = |cut: usize| vec![cut, len - cut];
    match u.weigh(&[12, 3, 2, 1, 3, 2, 1]) {
        1 => at(u.below(len + 1)),
        2 => at(len.saturating_sub(1)),
        3 => at(len.min(1)),
        4 => {
            let count = 3 + u.below(12);
            let size = len / count;
            let mut sizes = vec![size; count];
            sizes[count - 1] = len - size * (count - 1);
            sizes
        }
        5 => {
            let mut sizes = at(u.below(len + 1));
            (0..=u.below(3)).for_each(|_| sizes.insert(u.below(sizes.len() + 1), 0));
            sizes
        }
        6 if (1..=16).contains(&len) => vec![1; len],
        _ => vec![len],
    }
}

/// How a frame of so many bytes, header and all, is cut into writes.
pub(super) fn chop(len: u64, u: &mut Unstructured<'_>) -> Chop {
    let at = match u.weigh(&[3, 3, 2, 1]) {
        0 => ChopAt::Alone,
        1 => ChopAt::Every(1 + u.below(7) as u32),
        2 => ChopAt::Sizes(vec![1 + u.below(14) as u32]),
        _ => ChopAt::Sizes(vec![1 + u.below(6) as u32, 1 + u.below(len.min(200) as usize + 1) as u32]),
    };
    let pause = if u.one_in(8) { Duration::from_micros(10) } else { Duration::ZERO };
    Chop { at, pause }
}

/// The body of a Close that may be sent.
pub(super) fn close(u: &mut Unstructured<'_>) -> Payload {
    let code = u.pick(&CODES);
    let reason = match u.weigh(&[4, 2, 2, 1, 1]) {
        0 => Payload::Text(String::new()),
        1 => return Payload::default(),
        2 => {
            Payload::Text(u.pick(&["bye", "a", "Gr\u{fc}\u{df}e \u{e4}", "\u{20ac}", "\u{1f600}"]).to_owned())
        }
        3 => Payload::Repeat { unit: b"a".to_vec(), len: u.pick(&[123, 122, 1]) },
        _ => Payload::Repeat { unit: "\u{e4}".into(), len: 122 },
    };
    Payload::Close { code, reason: Box::new(reason) }
}

/// A frame that breaks a rule, or does so in the wrong place.
pub(super) fn unlawful(u: &mut Unstructured<'_>) -> Frame {
    let whole = |opcode, payload| Frame::new(opcode, payload);
    match u.weigh(&[3, 4, 3, 3, 3, 8, 6, 3, 3, 2]) {
        0 => {
            let opcode = Opcode::new(u.pick(&[3, 4, 5, 6, 7, 11, 12, 13, 14, 15])).unwrap_or(Opcode::TEXT);
            let payload = if u.one_in(3) { Payload::default() } else { payload::of_control(u) };
            Frame { fin: !u.one_in(8), ..whole(opcode, payload) }
        }
        1 => {
            let opcode = u.pick(&[Opcode::PING, Opcode::PONG, Opcode::CLOSE]);
            let len = u.pick(&[126, 127, 128, 1000, 65_536]);
            let unit = b"a".to_vec();
            whole(
                opcode,
                match opcode {
                    Opcode::CLOSE => Payload::Close {
                        code: u.pick(&CODES),
                        reason: Box::new(Payload::Repeat { unit, len: len - 2 }),
                    },
                    _ => Payload::Repeat { unit, len },
                },
            )
        }
        2 => {
            let opcode = u.pick(&[Opcode::PING, Opcode::PONG, Opcode::CLOSE]);
            let payload = if opcode == Opcode::CLOSE { close(u) } else { payload::of_control(u) };
            Frame { fin: false, ..whole(opcode, payload) }
        }
        3 => Frame { fin: !u.one_in(2), ..whole(Opcode::CONTINUATION, payload::text(u)) },
        4 => {
            let opcode = u.pick(&[Opcode::TEXT, Opcode::BINARY]);
            Frame { fin: !u.one_in(3), ..whole(opcode, payload::text(u)) }
        }
        5 => whole(Opcode::CLOSE, bad_close(u)),
        6 => {
            let frame = any(u);
            Frame { rsv: rsv(u), ..frame }
        }
        7 => {
            let frame = any(u);
            Frame { mask: wrong_mask(u), ..frame }
        }
        8 => {
            let frame = any(u);
            let length = long_form(&frame.payload, u);
            Frame { length, ..frame }
        }
        _ => {
            let frame = any(u);
            let length = beyond(&frame.payload, u);
            Frame { length, ..frame }
        }
    }
}

/// A frame of any kind, lawful by itself.
fn any(u: &mut Unstructured<'_>) -> Frame {
    let opcode = u.pick(&OPCODES);
    let payload = match opcode {
        Opcode::CLOSE => close(u),
        Opcode::PING | Opcode::PONG => payload::of_control(u),
        Opcode::BINARY => payload::binary(u),
        _ => payload::text(u),
    };
    Frame::new(opcode, payload)
}

/// The body of a Close that must not be sent.
fn bad_close(u: &mut Unstructured<'_>) -> Payload {
    match u.weigh(&[5, 1, 1, 2]) {
        0 => Payload::Close { code: u.pick(&BAD_CODES), reason: Box::new(Payload::Text(String::new())) },
        1 => Payload::Close {
            code: u.arbitrary().unwrap_or_default(),
            reason: Box::new(payload::of_control(u)),
        },
        2 => Payload::Hex(vec![u.pick(&[3, 0, 0xE8, 0xFF])]),
        _ => {
            let mut reason = payload::not_utf8(u);
            reason.truncate(123);
            Payload::Close { code: u.pick(&CODES), reason: Box::new(Payload::Hex(reason)) }
        }
    }
}

/// Some of the reserved bits.
pub(super) fn rsv(u: &mut Unstructured<'_>) -> Rsv {
    // RSV1 alone is the one that means something to somebody.
    let bits = u.pick(&[4, 4, 4, 2, 1, 6, 5, 3, 7]);
    Rsv::new(bits).unwrap_or(Rsv::RSV1)
}

/// A mask where none has to be, or none where one has.
pub(super) fn wrong_mask(u: &mut Unstructured<'_>) -> Mask {
    if u.one_in(6) { Mask::Key([0; 4]) } else { Mask::Wrong }
}

/// The length in a longer form than it needs.
pub(super) fn long_form(payload: &Payload, u: &mut Unstructured<'_>) -> Length {
    match (LengthForm::minimal(payload.len()), u.one_in(2)) {
        (LengthForm::Bits7, false) => Length::Form(LengthForm::Bits16),
        (LengthForm::Bits7, true) | (LengthForm::Bits16 | LengthForm::Bits64, _) => {
            Length::Form(LengthForm::Bits64)
        }
    }
}

/// A length that no payload has: the right one in its low bits, or at least more than what comes.
pub(super) fn beyond(payload: &Payload, u: &mut Unstructured<'_>) -> Length {
    let len = payload.len();
    let value = match u.below(5) {
        0 => len | 1 << 63,
        1 => len + (1 << 32),
        2 => len + 1 + u.below(200) as u64,
        3 => u64::MAX,
        _ => i64::MAX as u64,
    };
    Length::Declared { value, form: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::dice::noise;

    fn each<T>(mut make: impl FnMut(&mut Unstructured<'_>) -> T) -> Vec<T> {
        (0..3000_u16)
            .map(|seed| {
                let bytes: Vec<u8> = std::iter::repeat_with(noise(seed)).take(64).collect();
                make(&mut Unstructured::new(&bytes))
            })
            .collect()
    }

    #[test]
    fn fragments_make_up_the_message() {
        for len in [0, 1, 2, 7, 300] {
            let cuts = each(|u| cut(len, u));
            assert!(cuts.iter().all(|sizes| !sizes.is_empty() && sizes.iter().sum::<usize>() == len));
            assert!(cuts.iter().any(|sizes| sizes.len() >= 10), "many fragments of {len} bytes");
            assert!(cuts.iter().any(|sizes| sizes.len() == 1));
        }
        assert_eq!(cut(5, &mut Unstructured::new(&[])), [5]);
    }

    #[test]
    fn a_lawful_close_is_one() {
        use wsgrade_codec::close::CloseFrame;
        for body in each(close) {
            assert!(CloseFrame::parse(&body.to_bytes()).is_ok(), "{body:?}");
            assert!(body.len() <= 125);
        }
    }

    #[test]
    fn every_opcode_and_bit_and_code_is_reached() {
        let frames = each(unlawful);
        assert!((0..16).all(|value| frames.iter().any(|frame| frame.opcode.value() == value)));
        assert!((1..8).all(|bits| frames.iter().any(|frame| frame.rsv.value() == bits)));
        let codes: Vec<_> = frames
            .iter()
            .filter_map(|frame| match &frame.payload {
                Payload::Close { code, .. } => Some(*code),
                _ => None,
            })
            .collect();
        assert!(BAD_CODES.iter().all(|code| codes.contains(code)));
        assert!(
            frames
                .iter()
                .any(|frame| matches!(frame.length, Length::Declared { value, .. } if value >> 63 == 1))
        );
    }
}
