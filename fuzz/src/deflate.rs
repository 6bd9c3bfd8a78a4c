//! permessage-deflate: what is compressed is inflated again, and two inflaters that share no code agree on any bytes.

use bytes::Bytes;
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::deflate::{Compressor, Decompressor, InflateError, Params, WindowBits};
use wsgrade_codec::wire::{Header, Opcode, Piece, Rsv};
use wsgrade_codec::{Kind, Role};

use crate::tape::Tape;

/// The most that messages have together: what a fuzzer can wait for.
const MOST: usize = 1 << 20;

/// How many payloads that nobody compressed are inflated, each of which may become so much.
const PAYLOADS: usize = 8;

/// The ways to cut a payload: pieces of so many bytes.
const CUTS: [usize; 6] = [usize::MAX, 1, 2, 7, 64, 4099];

/// The first three bytes say how to read on:
///
/// | byte | |
/// |---|---|
/// | 0 | bit 0: the server sends; bits 1, 2: who takes no context over; bit 3: the rest is payloads to inflate; bit 4: a low limit |
/// | 1 | the windows of server and client |
/// | 2 | the level of compression |
///
/// Messages are compressed, and then
///
/// - inflated in pieces of any size are what they were, within exactly the limit that they need, and not within one byte
///   less; no more memory is held than the limit;
/// - to the checker, who knows how far each reference reaches, they break no agreement on the window and the context.
///
/// Payloads that nobody compressed are inflated in pieces of any size with the same result, which is what the checker's own
/// inflater says: the same messages, and an end at the same payload.
pub(crate) fn deflate(data: &[u8]) {
    let mut tape = Tape::new(data);
    let (flags, windows, level) = (tape.byte(), tape.byte(), tape.byte());
    let setting = Setting {
        sender: if flags & 1 == 0 { Role::Client } else { Role::Server },
        params: params(flags >> 1, windows),
        low: flags & 16 != 0,
    };
    if flags & 8 == 0 {
        setting.there_and_back(&messages(tape), u32::from(level % 12));
    } else {
        let mut payloads = Vec::new();
        while !tape.is_over() && payloads.len() < PAYLOADS {
            payloads.push(tape.long());
        }
        setting.any(&payloads);
    }
}

/// Agreed parameters, two bits and two times three.
pub(crate) fn params(flags: u8, windows: u8) -> Params {
    let bits = |three: u8| WindowBits::new(15 - (three & 7)).expect("8 to 15");
    Params {
        server_no_context_takeover: flags & 1 != 0,
        client_no_context_takeover: flags & 2 != 0,
        server_max_window_bits: bits(windows),
        client_max_window_bits: bits(windows >> 3),
    }
}

/// Messages with something to compress: new bytes, and copies of what came before from any distance.
fn messages(mut tape: Tape<'_>) -> Vec<Vec<u8>> {
    let mut all: Vec<u8> = Vec::new();
    let mut ends = Vec::new();
    while !tape.is_over() && all.len() < MOST {
        match tape.byte() & 3 {
            0 => ends.push(all.len()),
            1 | 2 => all.extend(tape.block()),
            _ => {
                let (distance, length) = (usize::from(tape.number()) + 1, usize::from(tape.number()));
                let start = all.len().saturating_sub(distance);
                let end = (start + length).min(all.len());
                all.extend_from_within(start..end);
            }
        }
    }
    ends.push(all.len());
    let mut start = 0;
    ends.iter().map(|end| all[std::mem::replace(&mut start, *end)..*end].to_vec()).collect()
}

struct Setting {
    sender: Role,
    params: Params,
    low: bool,
}

impl Setting {
    fn there_and_back(&self, messages: &[Vec<u8>], level: u32) {
        let mut compressor = Compressor::with_level(&self.params, self.sender, level);
        let payloads: Vec<_> = messages.iter().map(|message| compressor.message(message)).collect();
        let fresh = self.params.no_context_takeover(self.sender);
        assert!(format!("{compressor:?}").contains(&format!("fresh: {fresh}")));
        let longest = messages.iter().map(Vec::len).max().unwrap_or(0);
        for cut in CUTS {
            let mut decompressor = Decompressor::new(&self.params, self.sender, longest);
            for (payload, message) in payloads.iter().zip(messages) {
                let inflated = inflate(&mut decompressor, payload, cut, longest);
                assert!(inflated.as_ref() == Ok(message), "in pieces of {cut} it is another message");
            }
        }
        if longest > 0 {
            self.one_byte_less(&payloads, messages, longest - 1);
        }
        let expected: Vec<_> = messages.iter().map(|message| said(message)).collect();
        assert!(self.judged(&payloads, MOST * 2) == expected, "the checker has something against it");
    }

    fn one_byte_less(&self, payloads: &[Vec<u8>], messages: &[Vec<u8>], limit: usize) {
        let mut decompressor = Decompressor::new(&self.params, self.sender, limit);
        for (payload, message) in payloads.iter().zip(messages) {
            let inflated = inflate(&mut decompressor, payload, usize::MAX, limit);
            if message.len() > limit {
                assert_eq!(inflated, Err(InflateError::TooBig { limit }));
                return;
            }
            assert!(inflated.as_ref() == Ok(message), "a message within the limit");
        }
    }

    fn any(&self, payloads: &[&[u8]]) {
        let limit = if self.low { 300 } else { MOST };
        let inflated = self.inflated(payloads, CUTS[0], limit);
        for cut in &CUTS[1..] {
            assert!(
                self.inflated(payloads, *cut, limit) == inflated,
                "in pieces of {cut} it is something else"
            );
        }
        let mut items = self.judged(payloads, limit).into_iter();
        for (payload, ours) in payloads.iter().zip(inflated) {
            let mut item = items.next();
            let mut beyond = false;
            while let Some(Item::Violation(violation)) = &item
                && violation.rule != Rule::DeflateData
            {
                assert!(is_reach(violation.rule), "{violation:?}");
                beyond = true;
                item = items.next();
            }
            match (ours, item) {
                (Ok(message), item) => assert_eq!(item, Some(said(&message)), "of {payload:02x?}"),
                // Which of the two it is depends on whether a length or the data is looked at first.
                (
                    Err(InflateError::Corrupt | InflateError::TooBig { .. }),
                    Some(Item::Violation(_) | Item::TooBig { .. }),
                ) => return,
                // A window that was forgotten, or is smaller than the checker's, has nothing to copy from.
                (Err(InflateError::Corrupt), Some(Item::Message { .. })) if beyond => return,
                (Err(error), item) => panic!("{error}, where the checker has {item:?} of {payload:02x?}"),
            }
        }
        assert_eq!(items.next(), None);
    }

    /// What comes of each payload, up to the first that is refused.
    fn inflated(&self, payloads: &[&[u8]], cut: usize, limit: usize) -> Vec<Result<Vec<u8>, InflateError>> {
        let mut decompressor = Decompressor::new(&self.params, self.sender, limit);
        let mut all = Vec::new();
        for payload in payloads {
            // The checker keeps no payload above the limit, compressed or not.
            if payload.len() > limit {
                all.push(Err(InflateError::TooBig { limit }));
                return all;
            }
            all.push(inflate(&mut decompressor, payload, cut, limit));
            if all.last().is_some_and(Result::is_err) {
                return all;
            }
        }
        all
    }

    /// What the checker says of these payloads, as binary messages.
    fn judged(&self, payloads: &[impl AsRef<[u8]>], limit: usize) -> Vec<Item> {
        let mut checker = Checker::with_cap(self.sender, Negotiated { deflate: Some(self.params) }, limit);
        for (payload, at) in payloads.iter().map(AsRef::as_ref).zip(1_u32..) {
            let mask = self.sender.masks().then_some(at.to_be_bytes());
            let header = Header { rsv: Rsv::RSV1, ..Header::new(Opcode::BINARY, mask, payload.len() as u64) };
            checker.push(Piece::Header(header));
            checker.push(Piece::Payload { bytes: Bytes::copy_from_slice(payload), offset: 0 });
            checker.push(Piece::End);
        }
        checker.collect()
    }
}

/// Whether it says that a reference reaches further than was agreed.
fn is_reach(rule: Rule) -> bool {
    [
        Rule::ClientWindowExceeded,
        Rule::ServerWindowExceeded,
        Rule::ClientContextTakenOver,
        Rule::ServerContextTakenOver,
    ]
    .contains(&rule)
}

fn said(message: &[u8]) -> Item {
    Item::Message {
        kind: Kind::Binary,
        payload: Bytes::copy_from_slice(message),
        compressed: true,
        fragments: 1,
    }
}

/// One message, in pieces of `cut` bytes; what is handed out on the way is what is handed out at the end.
fn inflate(
    decompressor: &mut Decompressor,
    payload: &[u8],
    cut: usize,
    limit: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut pushed = Vec::new();
    // Of a long payload a few thousand pieces are as good as a million.
    for piece in payload.chunks(cut.max(payload.len() / 4000)) {
        let start = pushed.len();
        let piece = decompressor.push(piece).map(<[u8]>::to_vec);
        assert!(decompressor.inflated() <= limit + 1, "{} of {limit} bytes", decompressor.inflated());
        match piece {
            Ok(piece) => pushed.extend(piece),
            Err(error) => {
                let there = decompressor.inflated_from(0);
                assert!(there.starts_with(&pushed) && there.len() <= limit + 1, "what came before the error");
                return Err(error);
            }
        }
        assert_eq!(decompressor.inflated(), pushed.len());
        assert_eq!(decompressor.inflated_from(start), &pushed[start..]);
    }
    let debug = format!("{decompressor:?}");
    assert!(debug.contains(&format!("inflated: {}", pushed.len())), "{debug}");
    let (start, whole) = decompressor.finish()?;
    assert!(start == pushed.len() && whole[..start] == pushed, "what was handed out before");
    assert!(whole.len() <= limit && whole.capacity() <= limit + 1, "{} bytes held", whole.capacity());
    assert_eq!(decompressor.inflated(), 0);
    Ok(whole)
}
