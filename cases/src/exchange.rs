//! Many messages one after another, each sent when the echo of the one before it is in.

use std::borrow::Cow;

use wsgrade_codec::Kind;

use crate::corpus::Corpus;
use crate::model::Payload;

/// Messages that go there and come back, one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The kind of each message.
    pub kind: Kind,
    /// What the messages are cut from.
    pub source: Source,
    /// How long each message is: code points of a text from a corpus, bytes of anything else.
    pub size: u32,
    /// How many messages, at full depth. `1 <= messages`.
    pub messages: u32,
    /// Whether they go compressed, as the opening agreed (RFC 7692). Where it agreed to nothing, the exchange does not
    /// take place ([`Expected::Declined`](crate::model::Expected::Declined)).
    pub compressed: bool,
    /// How many payload bytes go into a frame, compressed ones where they are compressed; each message is one frame
    /// unless given. `1 <= fragment`.
    pub fragment: Option<u32>,
    /// Whether the question is how long it takes. Such a case is played while nothing else is, and with all of its
    /// messages at any depth.
    pub timed: bool,
}

/// What the messages of an exchange are cut from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// Message `k` is the next `size` units of it, from `k * size` on, beginning anew at its end.
    Corpus(Corpus),
    /// Every message is this over and over. Never empty.
    Repeat(Vec<u8>),
}

impl Exchange {
    /// Message `k`, from 0. Borrowed where it is cut from a corpus no shorter than it.
    pub fn message(&self, k: u32) -> Cow<'static, [u8]> {
        match &self.source {
            Source::Corpus(corpus) => {
                let start = u64::from(k) * u64::from(self.size);
                match self.kind {
                    Kind::Text => corpus.code_points(start, self.size),
                    Kind::Binary => corpus.bytes(start, self.size),
                }
            }
            Source::Repeat(unit) => {
                Payload::Repeat { unit: unit.clone(), len: self.size.into() }.to_bytes().into()
            }
        }
    }

    /// How many messages there are before the first one comes again, with the same ones before it. `1 <=`.
    pub fn cycle(&self) -> u32 {
        let distinct = match &self.source {
            Source::Corpus(corpus) => {
                let units = match self.kind {
                    Kind::Text => corpus.len_in_code_points(),
                    Kind::Binary => corpus.len_in_bytes(),
                };
                units / gcd(units, self.size.into())
            }
            Source::Repeat(_) => 1,
        };
        u32::try_from(distinct).unwrap_or(u32::MAX).min(self.messages).max(1)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
