//! Compressed messages, in all the ways in which they may be written (RFC 7692 7.2.1 and the examples of 7.2.3).

use arbitrary::Unstructured;
use wsgrade_cases::model::DeflateWish;
use wsgrade_codec::Role;
use wsgrade_codec::deflate::{Compressor, Params};

use super::dice::Dice;
use crate::oracle;

/// What a message is missing at its end (RFC 7692 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
/// An empty block without compression: "0x00", and the tail behind it.
const EMPTY_BLOCK: [u8; 5] = [0x00, 0x00, 0x00, 0xFF, 0xFF];

/// What is wished of permessage-deflate. Mostly so that what we may send is known.
pub(super) fn wish(u: &mut Unstructured<'_>) -> DeflateWish {
    DeflateWish {
        no_context_takeover: u.one_in(4),
        max_window_bits: u.one_in(4).then(|| u.pick(&[9, 10, 12, 15, 8])),
        our_context_takeover: u.pick(&[Some(true), Some(true), Some(true), Some(false), None]),
        our_window_bits: u.pick(&[Some(15), Some(15), Some(15), Some(15), Some(9), Some(11), None]),
    }
}

/// Our side of the compression.
pub(super) struct Deflate {
    params: Params,
    us: Role,
    compressor: Option<Compressor>,
    /// Messages that the peer inflated and the compressor has not seen.
    owed: Vec<Vec<u8>>,
}

impl Deflate {
    /// For these wishes, of which there is one at least. `us` is our role.
    pub(super) fn new(wishes: &[DeflateWish], us: Role) -> Option<Self> {
        let params = oracle::agreed(wishes, us)?;
        Some(Self { params, us, compressor: None, owed: Vec::new() })
    }

    /// The payload of one message, compressed in one way or another.
    pub(super) fn message(&mut self, payload: &[u8], u: &mut Unstructured<'_>) -> Vec<u8> {
        let way = u.weigh(&[10, 2, 2, 2, 1, 1, 1]);
        if way == 0 || way == 3 {
            self.catch_up();
        }
        let written = match way {
            0 => return self.compress(payload),
            1 => stored(payload, false),
            2 => fixed(payload, false),
            3 => {
                // Two blocks with a flush between them.
                let (first, second) = payload.split_at(u.below(payload.len() + 1));
                let mut written = self.compress(first);
                written.extend_from_slice(&TAIL);
                if self.params.no_context_takeover(self.us) {
                    written.extend(stored(second, false));
                } else {
                    written.extend(self.compress(second));
                }
                return written;
            }
            4 => stored(payload, true),
            5 => fixed(payload, true),
            _ => [&EMPTY_BLOCK[..], &stored(payload, false)].concat(),
        };
        self.owed.push(payload.to_vec());
        written
    }

    /// Lets the compressor see what the peer's window has.
    fn catch_up(&mut self) {
        let owed = std::mem::take(&mut self.owed);
        if !self.params.no_context_takeover(self.us) {
            for payload in owed {
                self.compress(&payload);
            }
        }
    }

    fn compress(&mut self, payload: &[u8]) -> Vec<u8> {
        let compressor = self.compressor.get_or_insert_with(|| Compressor::new(&self.params, self.us));
        compressor.message(payload)
    }
}

/// Blocks without compression (RFC 1951 3.2.4).
fn stored(payload: &[u8], last: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 8);
    let mut chunks = payload.chunks(usize::from(u16::MAX)).peekable();
    while let Some(chunk) = chunks.next() {
        out.push(u8::from(last && chunks.peek().is_none()));
        let len = chunk.len() as u16;
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(&(!len).to_le_bytes());
        out.extend_from_slice(chunk);
    }
    if payload.is_empty() && last {
        out.extend_from_slice(&[1, 0, 0, 0xFF, 0xFF]);
    }
    out.push(0);
    out
}

/// One block with fixed codes (RFC 1951 3.2.6), every byte for itself.
fn fixed(payload: &[u8], last: bool) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(u32::from(last), 1);
    bits.put(1, 2);
    for byte in payload {
        let byte = u32::from(*byte);
        match byte {
            0..=143 => bits.code(0x30 + byte, 8),
            _ => bits.code(0x190 + byte - 144, 9),
        }
    }
    bits.code(0, 7);
    if last {
        // "0x00" behind the byte in which the last block ends (RFC 7692 7.2.3.4).
        bits.pad();
    }
    bits.put(0, 3);
    bits.pad();
    bits.out
}

/// Bits in the order of RFC 1951 3.1.1.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    byte: u8,
    filled: u8,
}

impl Bits {
    fn bit(&mut self, bit: u32) {
        self.byte |= ((bit & 1) as u8) << self.filled;
        self.filled += 1;
        if self.filled == 8 {
            self.pad();
        }
    }

    /// A number, its lowest bit first.
    fn put(&mut self, value: u32, count: u32) {
        (0..count).for_each(|at| self.bit(value >> at));
    }

    /// A code, its highest bit first.
    fn code(&mut self, code: u32, count: u32) {
        (0..count).rev().for_each(|at| self.bit(code >> at));
    }

    fn pad(&mut self) {
        if self.filled > 0 {
            self.out.push(self.byte);
        }
        (self.byte, self.filled) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_codec::deflate::Decompressor;

    use super::*;
    use crate::generate::dice::noise;

    #[test]
    fn whatever_the_way_it_inflates_to_what_it_was() {
        for seed in 0..300 {
            let bytes: Vec<u8> = std::iter::repeat_with(noise(seed)).take(400).collect();
            let mut u = Unstructured::new(&bytes);
            let us = u.pick(&[Role::Client, Role::Server]);
            let wish = wish(&mut u);
            let mut deflate = Deflate::new(&[wish], us).unwrap();
            let mut inflate = Decompressor::new(&deflate.params, us, 1 << 20);
            let mut before: Vec<u8> = Vec::new();
            for _ in 0..5 {
                let len = u.pick(&[0, 1, 5, 700]);
                let payload = match u.one_in(2) {
                    true => before.clone(),
                    false => std::iter::repeat_with(noise(seed + len)).take(usize::from(len)).collect(),
                };
                let written = deflate.message(&payload, &mut u);
                inflate.push(&written).unwrap();
                let (_, whole) = inflate.finish().unwrap();
                assert_eq!(whole, payload, "{seed} {wish:?} {written:02x?}");
                before = payload;
            }
        }
    }

    #[test]
    fn the_examples_of_the_rfc_are_written_so() {
        assert_eq!(stored(b"Hello", false), b"\x00\x05\x00\xfa\xffHello\x00");
        assert_eq!(stored(b"", false), b"\x00");
        // 7.2.3.1 and 7.2.3.4.
        assert_eq!(fixed(b"Hello", false), b"\xf2\x48\xcd\xc9\xc9\x07\x00");
        assert_eq!(fixed(b"Hello", true), b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00");
    }
}
