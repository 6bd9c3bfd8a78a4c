//! A DEFLATE reader (RFC 1951) for judging.
//!
//! Libraries inflate and say yes or no. The rules of RFC 7692 ask more: how far back did the sender refer, and did it
//! refer to an earlier message? This reader keeps the largest window there is and notes both.

use std::collections::HashMap;
use std::sync::OnceLock;

/// Bytes of history that a reference can reach.
const HISTORY: usize = 32_768;

/// How many bytes of the messages before are kept, so that a payload which comes again is recognized, and half of the
/// length at which older ones are forgotten.
const KEPT: usize = 3 << 19;

/// Payloads shorter than this are inflated faster than remembered.
const WORTH_REMEMBERING: usize = 512;

/// How many bytes of payloads are remembered at most.
const REMEMBERED: usize = 2 << 20;

/// Codes of up to this many bits are decoded by one look into a table.
const FAST_BITS: u32 = 11;

const LENGTH_BASE: [u16; 29] = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
    227, 258,
];
const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE: [u16; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073,
    4097, 6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA: [u8; 30] =
    [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const CODE_ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// Why the data cannot be inflated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The data is not DEFLATE; what is wrong with it.
    Corrupt(&'static str),
    /// More than the limit came out.
    TooBig,
}

/// What one message used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reach {
    /// The longest distance of a reference, in bytes.
    pub(super) distance: usize,
    /// Whether a reference began before the message.
    pub(super) before_message: bool,
}

/// Inflates messages of one direction, keeping the history from one to the next.
///
/// Who sends the same messages again and again gets the same answers: a payload that came before, with the same history
/// before it, is not inflated once more.
#[derive(Debug, Default)]
pub(super) struct Inflater {
    /// The messages before, one after another; the oldest are forgotten. out.len() <= 2 * KEPT between messages
    out: Vec<u8>,
    /// How many bytes were forgotten.
    forgotten: u64,
    /// Payloads that came, by a few of their bytes.
    known: HashMap<u64, Known>,
    /// The bytes of these payloads together.
    remembered: usize,
}

/// A payload that was inflated.
#[derive(Debug)]
struct Known {
    payload: Vec<u8>,
    /// Where its message begins, counted from the first byte ever, and how long it is.
    at: u64,
    len: usize,
    reach: Reach,
}

impl Inflater {
    /// Inflates the payload of one message; the four bytes which the sender took away are added here. Gives the
    /// message and what it used. On an error the history is left as it was.
    pub(super) fn message(&mut self, payload: &[u8], limit: usize) -> Result<(Vec<u8>, Reach), Fault> {
        let start = self.out.len();
        let reach = match self.recall(payload, limit) {
            Some(reach) => reach,
            None => self.inflate(payload, limit)?,
        };
        let message = self.out[start..].to_vec();
        self.remember(payload, start, reach);
        self.forget();
        Ok((message, reach))
    }

    fn inflate(&mut self, payload: &[u8], limit: usize) -> Result<Reach, Fault> {
        let start = self.out.len();
        let mut run = Run {
            bits: Bits { input: payload, at: 0, hold: 0, count: 0 },
            out: std::mem::take(&mut self.out),
            start,
            limit,
            reach: Reach::default(),
        };
        let result = run.blocks();
        let Run { mut out, reach, .. } = run;
        if result.is_err() {
            out.truncate(start);
        }
        self.out = out;
        result.map(|()| reach)
    }

    /// Appends the message of a payload that came before, where what it can refer to is the same as then.
    fn recall(&mut self, payload: &[u8], limit: usize) -> Option<Reach> {
        if payload.len() < WORTH_REMEMBERING {
            return None;
        }
        let known = self.known.get(&sketch(payload))?;
        let at = usize::try_from(known.at.checked_sub(self.forgotten)?).ok()?;
        let (now, then) = (self.out.len(), at);
        let reached = if known.reach.before_message { known.reach.distance.min(HISTORY) } else { 0 };
        let same = known.payload == payload
            && known.len <= limit
            && reached <= then
            && self.out[now - reached..] == self.out[then - reached..then];
        if !same {
            return None;
        }
        let reach = known.reach;
        self.out.extend_from_within(at..at + known.len);
        Some(reach)
    }

    /// Takes note of a payload whose message begins at `start`.
    fn remember(&mut self, payload: &[u8], start: usize, reach: Reach) {
        if payload.len() < WORTH_REMEMBERING {
            return;
        }
        let at = self.forgotten + start as u64;
        let len = self.out.len() - start;
        if let Some(known) = self.known.get_mut(&sketch(payload))
            && known.payload == payload
        {
            (known.at, known.len, known.reach) = (at, len, reach);
        } else if self.remembered + payload.len() <= REMEMBERED {
            self.remembered += payload.len();
            let known = Known { payload: payload.to_vec(), at, len, reach };
            if let Some(before) = self.known.insert(sketch(payload), known) {
                self.remembered -= before.payload.len();
            }
        }
    }

    /// Forgets the oldest messages, when there are many.
    fn forget(&mut self) {
        if self.out.len() <= 2 * KEPT {
            return;
        }
        let surplus = self.out.len() - KEPT;
        self.out.drain(..surplus);
        self.out.shrink_to(2 * KEPT);
        self.forgotten += surplus as u64;
        let forgotten = self.forgotten;
        self.known.retain(|_, known| known.at >= forgotten);
        self.remembered = self.known.values().map(|known| known.payload.len()).sum();
    }
}

/// A few bytes that tell payloads apart, mostly. `payload.len() >= 16`
fn sketch(payload: &[u8]) -> u64 {
    let middle = payload.len() / 2;
    let [first, second] = [&payload[middle..], &payload[payload.len() - 8..]]
        .map(|bytes| bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes)));
    first.rotate_left(17) ^ second ^ payload.len() as u64
}

/// The tail which the sender removes and the receiver appends (RFC 7692, 7.2.2).
const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// The payload followed by the tail, bit by bit.
struct Bits<'a> {
    input: &'a [u8],
    /// 0 <= at <= input.len() + TAIL.len()
    at: usize,
    hold: u64,
    /// 0 <= count <= 63, bits in `hold`
    count: u32,
}

impl<'a> Bits<'a> {
    fn byte(&mut self) -> Option<u8> {
        let byte = match self.input.get(self.at) {
            Some(byte) => *byte,
            None => *TAIL.get(self.at - self.input.len())?,
        };
        self.at += 1;
        Some(byte)
    }

    /// Fills `hold` as far as there is input.
    #[inline]
    fn fill(&mut self) {
        // Eight bytes at a time: those that do not fit are read again.
        if let Some(bytes) = self.input.get(self.at..).and_then(<[u8]>::first_chunk) {
            self.hold |= u64::from_le_bytes(*bytes) << self.count;
            self.at += (63 - self.count as usize) / 8;
            self.count |= 56;
            return;
        }
        while self.count <= 56 {
            let Some(byte) = self.byte() else { return };
            self.hold |= u64::from(byte) << self.count;
            self.count += 8;
        }
    }

    fn take(&mut self, bits: u32) -> Result<u32, Fault> {
        if self.count < bits {
            self.fill();
            if self.count < bits {
                return Err(Fault::Corrupt("the data ends inside a block"));
            }
        }
        let value = self.hold & ((1 << bits) - 1);
        self.hold >>= bits;
        self.count -= bits;
        Ok(value as u32)
    }

    /// The next bytes of the payload, as many as there are up to `length`. Only while nothing is read ahead.
    fn stretch(&mut self, length: usize) -> &'a [u8] {
        debug_assert_eq!(self.count, 0);
        self.hold = 0;
        let rest = self.input.get(self.at..).unwrap_or_default();
        let stretch = &rest[..length.min(rest.len())];
        self.at += stretch.len();
        stretch
    }

    /// Drops the bits up to the next byte boundary.
    fn align(&mut self) {
        let odd = self.count & 7;
        self.hold >>= odd;
        self.count -= odd;
    }

    fn is_at_end(&mut self) -> bool {
        self.fill();
        self.count == 0
    }
}

/// A canonical Huffman code.
struct Huffman {
    /// For codes of at most FAST_BITS bits: symbol << 4 | length; 0 for all others.
    fast: Box<[u16; 1 << FAST_BITS]>,
    /// How many codes there are of each length.
    counts: [u16; 16],
    /// The symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Huffman {
    /// A code from the lengths of its symbols. An incomplete code is refused unless it has at most one symbol.
    fn new(lengths: &[u8], what: &'static str) -> Result<Self, Fault> {
        let mut counts = [0u16; 16];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        let used = lengths.len() - usize::from(counts[0]);
        counts[0] = 0;
        let mut left = 1i32;
        for count in &counts[1..] {
            left = left * 2 - i32::from(*count);
            if left < 0 {
                return Err(Fault::Corrupt(what));
            }
        }
        if left > 0 && !(used == 0 || used == 1 && counts[1] == 1) {
            return Err(Fault::Corrupt(what));
        }
        let mut offsets = [0u16; 16];
        let mut codes = [0u16; 16];
        for bits in 1..16 {
            offsets[bits] = offsets[bits - 1] + counts[bits - 1];
            codes[bits] = (codes[bits - 1] + counts[bits - 1]) << 1;
        }
        let mut symbols = vec![0; used];
        let mut fast = Box::new([0u16; 1 << FAST_BITS]);
        for (symbol, length) in lengths.iter().enumerate() {
            let bits = usize::from(*length);
            if bits == 0 {
                continue;
            }
            symbols[usize::from(offsets[bits])] = symbol as u16;
            offsets[bits] += 1;
            let code = codes[bits];
            codes[bits] += 1;
            if bits as u32 <= FAST_BITS {
                let mut index = usize::from(code.reverse_bits() >> (16 - bits));
                while index < fast.len() {
                    fast[index] = (symbol as u16) << 4 | bits as u16;
                    index += 1 << bits;
                }
            }
        }
        Ok(Self { fast, counts, symbols })
    }

    #[inline(always)]
    fn decode(&self, bits: &mut Bits<'_>) -> Result<u16, Fault> {
        if bits.count < 15 {
            bits.fill();
        }
        let entry = self.fast[(bits.hold & ((1 << FAST_BITS) - 1)) as usize];
        let length = u32::from(entry & 15);
        if entry != 0 && length <= bits.count {
            bits.hold >>= length;
            bits.count -= length;
            return Ok(entry >> 4);
        }
        self.decode_bit_by_bit(bits)
    }

    /// Long codes, and the end of the data.
    #[cold]
    fn decode_bit_by_bit(&self, bits: &mut Bits<'_>) -> Result<u16, Fault> {
        let (mut code, mut first, mut index) = (0i32, 0i32, 0i32);
        for count in &self.counts[1..] {
            code |= bits.take(1)? as i32;
            let count = i32::from(*count);
            if code - count < first {
                return Ok(self.symbols[(index + code - first) as usize]);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        Err(Fault::Corrupt("a code which stands for nothing"))
    }
}

/// One message being inflated.
struct Run<'a> {
    bits: Bits<'a>,
    /// The history, then the message.
    out: Vec<u8>,
    /// Where in `out` the message begins.
    start: usize,
    /// The most the message may have.
    limit: usize,
    reach: Reach,
}

impl Run<'_> {
    /// All blocks up to the end of the data. A block with BFINAL set does not end it: "An endpoint MAY use both DEFLATE
    /// blocks with the "BFINAL" bit set to 0 and DEFLATE blocks with the "BFINAL" bit set to 1." (RFC 7692, 7.2.1)
    fn blocks(&mut self) -> Result<(), Fault> {
        while !self.bits.is_at_end() {
            let last = self.bits.take(1)? == 1;
            match self.bits.take(2)? {
                0 => self.stored()?,
                1 => {
                    let (lengths, distances) = fixed();
                    self.compressed(lengths, distances)?;
                }
                2 => {
                    let (lengths, distances) = self.dynamic()?;
                    self.compressed(&lengths, &distances)?;
                }
                _ => return Err(Fault::Corrupt("a block of the reserved type 3")),
            }
            // "When any DEFLATE block with the "BFINAL" bit set to 1 doesn't end at a byte boundary, an endpoint MUST
            // add minimal padding bits of 0 to make it end at a byte boundary." (RFC 7692, 7.2.1)
            if last {
                self.bits.align();
            }
        }
        Ok(())
    }

    fn room(&self, more: usize) -> Result<(), Fault> {
        if self.out.len() - self.start + more > self.limit { Err(Fault::TooBig) } else { Ok(()) }
    }

    fn stored(&mut self) -> Result<(), Fault> {
        self.bits.align();
        let length = self.bits.take(16)?;
        if self.bits.take(16)? != length ^ 0xFFFF {
            return Err(Fault::Corrupt("the two lengths of a stored block do not agree"));
        }
        self.room(length as usize)?;
        let mut length = length as usize;
        // What was read ahead comes first, and then whole stretches.
        while length > 0 && self.bits.count > 0 {
            let byte = self.bits.take(8)? as u8;
            self.out.push(byte);
            length -= 1;
        }
        if length == 0 {
            return Ok(());
        }
        let stretch = self.bits.stretch(length);
        self.out.extend_from_slice(stretch);
        for _ in stretch.len()..length {
            let byte = self.bits.take(8)? as u8;
            self.out.push(byte);
        }
        Ok(())
    }

    fn dynamic(&mut self) -> Result<(Huffman, Huffman), Fault> {
        let literals = self.bits.take(5)? as usize + 257;
        let distances = self.bits.take(5)? as usize + 1;
        let codes = self.bits.take(4)? as usize + 4;
        if literals > 286 || distances > 30 {
            return Err(Fault::Corrupt("too many symbols in a block"));
        }
        let mut lengths = [0u8; 286 + 30];
        for index in &CODE_ORDER[..codes] {
            lengths[*index] = self.bits.take(3)? as u8;
        }
        let code = Huffman::new(&lengths[..19], "the code of the code lengths is not a code")?;
        lengths[..19].fill(0);
        let mut at = 0;
        while at < literals + distances {
            let (value, times) = match code.decode(&mut self.bits)? {
                symbol @ 0..=15 => (symbol as u8, 1),
                16 if at == 0 => return Err(Fault::Corrupt("the first code length repeats the one before")),
                16 => (lengths[at - 1], 3 + self.bits.take(2)? as usize),
                17 => (0, 3 + self.bits.take(3)? as usize),
                _ => (0, 11 + self.bits.take(7)? as usize),
            };
            if at + times > literals + distances {
                return Err(Fault::Corrupt("too many code lengths"));
            }
            lengths[at..at + times].fill(value);
            at += times;
        }
        if lengths[256] == 0 {
            return Err(Fault::Corrupt("no code for the end of the block"));
        }
        Ok((
            Huffman::new(&lengths[..literals], "the literal code is not a code")?,
            Huffman::new(&lengths[literals..literals + distances], "the distance code is not a code")?,
        ))
    }

    fn compressed(&mut self, lengths: &Huffman, distances: &Huffman) -> Result<(), Fault> {
        let most = self.start.saturating_add(self.limit);
        loop {
            let symbol = usize::from(lengths.decode(&mut self.bits)?);
            match symbol {
                0..=255 => {
                    if self.out.len() >= most {
                        return Err(Fault::TooBig);
                    }
                    self.out.push(symbol as u8);
                }
                256 => return Ok(()),
                257..=285 => {
                    let extra = self.bits.take(u32::from(LENGTH_EXTRA[symbol - 257]))?;
                    let length = usize::from(LENGTH_BASE[symbol - 257]) + extra as usize;
                    let symbol = usize::from(distances.decode(&mut self.bits)?);
                    let (Some(base), Some(extra)) = (DISTANCE_BASE.get(symbol), DISTANCE_EXTRA.get(symbol))
                    else {
                        return Err(Fault::Corrupt("a distance which does not exist"));
                    };
                    let distance = usize::from(*base) + self.bits.take(u32::from(*extra))? as usize;
                    self.copy(length, distance)?;
                }
                _ => return Err(Fault::Corrupt("a length which does not exist")),
            }
        }
    }

    fn copy(&mut self, length: usize, distance: usize) -> Result<(), Fault> {
        let from = self
            .out
            .len()
            .checked_sub(distance)
            .ok_or(Fault::Corrupt("a reference to before the first byte of the connection"))?;
        self.room(length)?;
        self.reach.distance = self.reach.distance.max(distance);
        self.reach.before_message |= from < self.start;
        if distance >= length {
            self.out.extend_from_within(from..from + length);
        } else if distance == 1 {
            let byte = self.out[from];
            self.out.resize(self.out.len() + length, byte);
        } else {
            for at in from..from + length {
                self.out.push(self.out[at]);
            }
        }
        Ok(())
    }
}

/// The codes of a block of type 1.
fn fixed() -> &'static (Huffman, Huffman) {
    static FIXED: OnceLock<(Huffman, Huffman)> = OnceLock::new();
    FIXED.get_or_init(|| {
        let mut lengths = [8u8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        let code = |lengths: &[u8]| Huffman::new(lengths, "fixed").expect("a complete code");
        // 30 and 31 take part in the code but never occur.
        (code(&lengths), code(&[5; 32]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(payload: &[u8]) -> Result<Vec<u8>, Fault> {
        Inflater::default().message(payload, 1 << 20).map(|(message, _)| message)
    }

    #[test]
    fn the_examples_of_rfc_7692_section_7_2_3() {
        let hello = Ok(b"Hello".to_vec());
        assert_eq!(inflate(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]), hello);
        assert_eq!(inflate(b"\x00\x05\x00\xfa\xffHello\x00"), hello);
        assert_eq!(inflate(&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]), hello);
        assert_eq!(
            inflate(&[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00]),
            hello
        );
        assert_eq!(inflate(&[0x00]), Ok(vec![]));
        let mut inflater = Inflater::default();
        inflater.message(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], 5).unwrap();
        let (message, reach) = inflater.message(&[0xf2, 0x00, 0x11, 0x00, 0x00], 5).unwrap();
        assert_eq!(message, b"Hello");
        assert_eq!(reach, Reach { distance: 5, before_message: true });
    }

    #[test]
    fn corrupt_data_is_refused() {
        assert!(matches!(inflate(&[0x07]), Err(Fault::Corrupt("a block of the reserved type 3"))));
        assert!(matches!(inflate(b"\x00\x05\x00\x00\x00Hello\x00"), Err(Fault::Corrupt(_))));
        // "Hello" from a history that does not exist.
        assert!(matches!(inflate(&[0xf2, 0x00, 0x11, 0x00, 0x00]), Err(Fault::Corrupt(_))));
        // Cut short.
        assert!(matches!(inflate(&[0xf2, 0x48, 0xcd]), Err(Fault::Corrupt(_))));
        assert!(matches!(inflate(&[]), Err(Fault::Corrupt(_)) | Ok(_)));
    }

    /// Messages with a thousand letters each, over and over.
    fn letters(seed: u8) -> Vec<u8> {
        let mut state = u32::from(seed) + 1;
        let mut next = || {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            b'a' + (state >> 16) as u8 % 26
        };
        (0..3000).map(|_| next()).collect()
    }

    #[test]
    fn what_comes_again_is_recalled_and_the_same() {
        use crate::Role;
        use crate::deflate::{Compressor, Params};
        for no_context_takeover in [false, true] {
            let params = Params { server_no_context_takeover: no_context_takeover, ..Params::default() };
            let mut compressor = Compressor::new(&params, Role::Server);
            let mut inflater = Inflater::default();
            let mut recalled = 0;
            for n in 0..2_000u32 {
                let message = letters((n % 20) as u8);
                let payload = compressor.message(&message);
                recalled += usize::from(
                    inflater.known.get(&sketch(&payload)).is_some_and(|known| known.payload == payload),
                );
                let (inflated, reach) = inflater.message(&payload, 1 << 20).unwrap();
                assert_eq!(inflated, message, "message {n}");
                // From the second round on the history holds the same letters.
                let refers = !no_context_takeover && n >= 20;
                assert!(!refers || reach.before_message, "message {n}");
                assert!(inflater.out.len() <= 2 * KEPT && inflater.remembered <= REMEMBERED);
            }
            assert!(recalled > 1_000, "{recalled}");
        }
    }

    /// The same payload means another message where what it refers to is another.
    #[test]
    fn the_same_payload_with_another_history_is_another_message() {
        use crate::Role;
        use crate::deflate::{Compressor, Params};
        let (first, second) = (letters(1), letters(2));
        let mut compressor = Compressor::new(&Params::default(), Role::Server);
        let long: Vec<u8> = first.iter().chain(&second).chain(&letters(3)).copied().collect();
        let _ = compressor.message(&long);
        // Refers to all of it, and has some letters of its own to be long enough to be remembered.
        let mut again = long.clone();
        again.extend(letters(4));
        let payload = compressor.message(&again);
        assert!(payload.len() >= WORTH_REMEMBERING);
        let with_history = |history: &[u8]| {
            let mut stored = Compressor::with_level(&Params::default(), Role::Server, 0);
            stored.message(history)
        };
        let mut other = long.clone();
        other.reverse();
        let mut inflater = Inflater::default();
        inflater.message(&with_history(&long), 1 << 20).unwrap();
        assert_eq!(inflater.message(&payload, 1 << 20).unwrap().0, again);
        inflater.message(&with_history(&other), 1 << 20).unwrap();
        let (message, _) = inflater.message(&payload, 1 << 20).unwrap();
        assert_ne!(message, again);
        let mut fresh = Inflater::default();
        fresh.message(&with_history(&other), 1 << 20).unwrap();
        assert_eq!(fresh.message(&payload, 1 << 20).unwrap().0, message);
    }

    #[test]
    fn the_limit_holds() {
        let payload = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(Inflater::default().message(&payload, 4), Err(Fault::TooBig));
        assert!(Inflater::default().message(&payload, 5).is_ok());
    }
}
