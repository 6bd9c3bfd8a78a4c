//! What messages and control frames carry.

use arbitrary::Unstructured;
use wsgrade_cases::model::Payload;

use super::dice::{Dice, noise};

/// Lengths at which something changes: the forms of a frame's length, and buffers of the usual sizes.
const LENGTHS: [u64; 20] =
    [1, 2, 3, 4, 5, 8, 16, 31, 123, 124, 125, 126, 127, 128, 129, 255, 256, 257, 1023, 1024];
/// Longer ones, which cost more.
const LONG: [u64; 10] = [65_536, 65_535, 4096, 4095, 4097, 65_536, 65_535, 32_768, 8192, 65_534];
/// How long a stretch of noise is at most.
const NOISE: usize = 1600;

/// Characters of every length, the first and last of each, and those that somebody takes for something else.
const CHARACTERS: [&str; 30] = [
    "a",
    "Z",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{80}",
    "\u{e4}",
    "\u{7ff}",
    "\u{800}",
    "\u{20ac}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{feff}",
    "\u{fffd}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{10000}",
    "\u{1f600}",
    "\u{1fffe}",
    "\u{10ffff}",
    "\u{301}",
    "\u{202e}",
    "\u{2028}",
    "\"",
    "\\",
    "\u{1f468}\u{200d}\u{1f469}",
];

/// Texts that look like something else.
const LOOKALIKES: [&str; 8] = [
    "GET / HTTP/1.1\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "{\"a\":[1,2,null]}",
    "null",
    "  padded  ",
    "\u{feff}marked",
    "%00%ff",
    "a\0b",
];

/// Bytes that look like something else: frames, Close bodies, the tail of compressed data.
const SHAPES: [&[u8]; 12] = [
    b"\x88\x02\x03\xe8",
    b"\x81\x05Hello",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\x03\xe8",
    b"\x89\x00",
    b"\0\0\xff\xff",
    b"\0",
    b"\0\0\0\0",
    b"a\0b",
    b"\xff\xfe\xfd",
    b"\xc3\x28",
    b"\x80\x81\x82\x83",
];

/// What is not UTF-8, of each kind: in more bytes than needed, surrogates, above U+10FFFF, five and six bytes, what
/// continues nothing, what never was anything, and characters that break off.
const FAULTS: [&[u8]; 26] = [
    b"\x80",
    b"\xbf\xbf",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xf0\x80\x80\xaf",
    b"\xf0\x8f\xbf\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf7\xbf\xbf\xbf",
    b"\xf8\x88\x80\x80\x80",
    b"\xfb\xbf\xbf\xbf\xbf",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfd\xbf\xbf\xbf\xbf\xbf",
    b"\xfe",
    b"\xff",
    b"\xc3a",
    b"\xe2\x82a",
    b"\xf0\x9fa",
];

/// Text that is UTF-8.
pub(super) fn text(u: &mut Unstructured<'_>) -> Payload {
    match u.weigh(&[8, 2, 6, 5, 3, 2]) {
        0 => Payload::Text(word(u)),
        1 => Payload::Text(String::new()),
        2 => Payload::Text((0..=u.below(6)).map(|_| u.pick(&CHARACTERS)).collect()),
        3 => repeated(u, &[b"a", b"ab", b"0123456789", "\u{e4}".as_bytes(), "\u{20ac}".as_bytes()]),
        4 => {
            let len = 20 + u.below(NOISE);
            let seed = u.arbitrary().unwrap_or_default();
            let mut noise = noise(seed);
            // Few letters, many of them alike: what compresses to codes of its own.
            let letters = b"etaoin srhldcumf";
            Payload::Text(
                (0..len)
                    .map(|_| char::from(letters[(usize::from(noise()) * usize::from(noise())) >> 12]))
                    .collect(),
            )
        }
        _ => Payload::Text(u.pick(&LOOKALIKES).to_owned()),
    }
}

/// Any bytes.
pub(super) fn binary(u: &mut Unstructured<'_>) -> Payload {
    match u.weigh(&[8, 2, 5, 4, 3, 2]) {
        0 => bytes((0..=u.below(8)).map(|_| u.arbitrary().unwrap_or_default()).collect()),
        1 => Payload::default(),
        2 => bytes(u.pick(&SHAPES).to_vec()),
        3 => repeated(u, &[b"a", b"\xfe", b"\0", b"\x00\xff", b"0123456789"]),
        4 => {
            let len = 20 + u.below(NOISE);
            let seed = u.arbitrary().unwrap_or_default();
            bytes(std::iter::repeat_with(noise(seed)).take(len).collect())
        }
        _ => text(u),
    }
}

/// What a ping or pong carries: no more than 125 bytes.
pub(super) fn of_control(u: &mut Unstructured<'_>) -> Payload {
    match u.weigh(&[6, 4, 3, 3, 2]) {
        0 => Payload::Text(word(u)),
        1 => Payload::default(),
        2 => bytes(u.pick(&SHAPES).to_vec()),
        3 => {
            let len = u.pick(&[125, 124, 1, 123, 64]);
            let unit = u.pick(&[&b"a"[..], b"\xfe", b"\0"]);
            Payload::Repeat { unit: unit.to_vec(), len }
        }
        _ => bytes((0..=u.below(8)).map(|_| u.arbitrary().unwrap_or_default()).collect()),
    }
}

/// Bytes that are not UTF-8, with what may stand around the fault.
pub(super) fn not_utf8(u: &mut Unstructured<'_>) -> Vec<u8> {
    let fault = u.pick(&FAULTS);
    let around = ["", "a", "Hello ", "\u{e4}", "\u{20ac}\u{1f600}"];
    let (before, after) = (u.pick(&around), u.pick(&around));
    let times = if u.one_in(8) { 200 } else { 1 };
    [before.repeat(times).as_bytes(), fault, after.as_bytes()].concat()
}

/// Bytes in the words of a case file.
pub(super) fn bytes(bytes: Vec<u8>) -> Payload {
    match String::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Payload::Text(text),
        Ok(text) => Payload::Hex(text.into_bytes()),
        Err(error) => Payload::Hex(error.into_bytes()),
    }
}

fn word(u: &mut Unstructured<'_>) -> String {
    (0..=u.below(8)).map(|_| char::from(b'a' + u.below(26) as u8)).collect()
}

fn repeated(u: &mut Unstructured<'_>, units: &[&[u8]]) -> Payload {
    let unit = u.pick(units).to_vec();
    let len = if u.one_in(6) { u.pick(&LONG) } else { u.pick(&LENGTHS) };
    // Of a unit that is a character no part is left over.
    let whole = unit.len() as u64;
    let len = if unit.is_ascii() || unit.len() == 1 { len } else { len.div_ceil(whole) * whole };
    Payload::Repeat { unit, len }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every payload that some bytes lead to.
    fn all<T>(mut make: impl FnMut(&mut Unstructured<'_>) -> T) -> Vec<T> {
        (0..2000_u16)
            .map(|seed| {
                let bytes: Vec<u8> = std::iter::repeat_with(noise(seed)).take(64).collect();
                make(&mut Unstructured::new(&bytes))
            })
            .collect()
    }

    #[test]
    fn text_is_utf8_and_what_is_to_be_none_is_none() {
        let texts = all(text);
        assert!(texts.iter().all(|text| std::str::from_utf8(&text.to_bytes()).is_ok()));
        assert!(texts.iter().any(Payload::is_empty));
        assert!(texts.iter().any(|text| text.to_bytes().iter().any(|byte| *byte >= 0xF0)));
        assert!(all(not_utf8).iter().all(|bytes| std::str::from_utf8(bytes).is_err()));
        let reached =
            |fault: &[u8]| all(not_utf8).iter().any(|bytes| bytes.windows(fault.len()).any(|at| at == fault));
        assert!(FAULTS.iter().all(|fault| reached(fault)));
    }

    #[test]
    fn lengths_reach_the_boundaries() {
        let lengths: std::collections::BTreeSet<_> = all(binary).iter().map(Payload::len).collect();
        assert!([0, 1, 125, 126, 127].iter().all(|length| lengths.contains(length)), "{lengths:?}");
        assert!(all(binary).iter().any(|payload| std::str::from_utf8(&payload.to_bytes()).is_err()));
        let bodies = all(of_control);
        assert!(bodies.iter().all(|body| body.len() <= 125) && bodies.iter().any(|body| body.len() == 125));
    }
}
