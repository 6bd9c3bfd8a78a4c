//! Everything that passed on one connection, in one order.

use serde::{Deserialize, Serialize};

use super::stress::{Canary, Grown, Taken};

/// Everything seen and done on one connection, both directions, totally ordered.
///
/// Nothing is silently cut: a long payload keeps its length, digest, head and tail; a row of like frames is one
/// entry with `times`; beyond the cap on entries one [`What::Folded`] says how much it stands for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// In the order they happened.
    pub entries: Vec<Entry>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Microseconds since the case began.
    pub at_us: u64,
    /// Index of the scenario's step that was being played; absent before the first and after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// It belongs to the prelude, which is no part of the case: nothing in it counts as an answer.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prelude: bool,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From us to the endpoint under test.
    Sent,
    /// From the endpoint under test to us.
    Received,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// The transport is there; the opening handshake comes next.
    Connected,
    /// One side of the opening handshake, whole.
    Http {
        /// Which way it went.
        dir: Direction,
        /// Its text.
        message: HttpMessage,
    },
    /// The opening handshake ended well: frames follow.
    Opened {
        /// The subprotocol agreed on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subprotocol: Option<String>,
        /// The extensions agreed on, as the header has them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        extensions: Option<String>,
    },
    /// The opening handshake ended otherwise.
    OpeningFailed {
        /// The HTTP status, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Why, in one sentence.
        reason: String,
        /// In which way. A record of version 2 or older does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<Unopened>,
        /// `Sec-WebSocket-Version` in the response.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        versions: Option<String>,
    },
    /// A frame, or a row of like ones.
    Frame {
        /// Which way it went.
        dir: Direction,
        /// The frame.
        frame: FrameInfo,
    },
    /// Bytes that are no frame: sent raw by a step, or left over in what the peer sent.
    Bytes {
        /// Which way they went.
        dir: Direction,
        /// The bytes.
        payload: PayloadInfo,
    },
    /// A message from the peer is complete.
    Message {
        /// Text or binary.
        kind: MessageKind,
        /// The whole of it, reassembled (and inflated).
        payload: PayloadInfo,
    },
    /// An exchange ended: messages that went there and came back, one at a time. Of the frames of the round trips that
    /// it stands for only the first few are in the transcript.
    Exchanged {
        /// How many echoes were equal to what they answer, byte for byte.
        messages: u32,
        /// How many there were to be.
        of: u32,
        /// How many bytes these messages have together.
        bytes: u64,
        /// How many bytes of frames, headers and all, were sent for them.
        sent: u64,
        /// How many came back.
        received: u64,
        /// How many of the echoes came compressed.
        compressed: u32,
        /// How long the round trips took; absent where there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round_trips: Option<RoundTrips>,
    },
    /// The peer did not agree to an extension without which the steps cannot be played.
    Declined {
        /// The extension's name.
        extension: String,
    },
    /// A rule was broken in what the peer sent.
    Violation {
        /// Which.
        rule: String,
        /// What exactly was seen.
        detail: String,
    },
    /// The connection was still open at this mark of the scenario.
    StillOpen {
        /// The mark's name.
        mark: String,
    },
    /// A wait ended without what it was for.
    TimedOut {
        /// What was waited for.
        waited_for: String,
    },
    /// The peer ended its side of TCP.
    EndOfStream,
    /// The peer reset TCP.
    Reset,
    /// We ended our side.
    Closed {
        /// In which way.
        how: ClosedHow,
    },
    /// Our side or the network failed; nothing after this can be held against the peer.
    Trouble {
        /// What failed, in one sentence.
        reason: String,
    },
    /// How others were served while the case was played.
    Canary(Canary),
    /// What the process took that serves: just before the case, at most while it was played, and afterwards.
    Resources {
        /// Before.
        before: Taken,
        /// The most of each.
        peak: Taken,
        /// Afterwards, once it had some time to put things away.
        after: Taken,
    },
    /// More connections than this one played the case.
    Crowd {
        /// How many, this one included.
        connections: u32,
        /// On how many of them the opening handshake was done.
        opened: u32,
    },
    /// How long the opening took at growing sizes.
    Growth {
        /// Size by size.
        sizes: Vec<Grown>,
    },
    /// Frames beyond the cap on entries.
    Folded {
        /// Which way they went.
        dir: Direction,
        /// How many frames.
        frames: u64,
        /// How many payload bytes.
        bytes: u64,
    },
}

/// In which way an opening handshake ended that opened no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unopened {
    /// By a response with another status.
    Refused,
    /// By the end of TCP, before there was a whole response.
    Dropped,
    /// Nothing came in time.
    Unanswered,
    /// What came cannot be read as a response.
    Unreadable,
}

/// How long round trips took, each from the first byte sent to the last byte of the echo, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTrips {
    /// The fastest.
    pub min_us: u64,
    /// Half of them were no slower.
    pub median_us: u64,
    /// 99 of 100 were no slower.
    pub p99_us: u64,
    /// The slowest.
    pub max_us: u64,
    /// All of them together.
    pub total_us: u64,
}

/// How we ended our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClosedHow {
    /// As the closing handshake wants it: it was our turn.
    Normal,
    /// The peer should have ended TCP and did not in time.
    GaveUp,
    /// A step asked for a reset.
    Abort,
    /// A step asked to end only our sending side.
    Half,
}

/// Text or binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessageKind {
    /// Opcode 1.
    Text,
    /// Opcode 2.
    Binary,
}

/// A request or response head, byte for byte but for what is not UTF-8, which is escaped as `\xNN`, and for what a case
/// made endless, of which the beginning is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpMessage {
    /// The start line and the header lines, each without its line end.
    pub lines: Vec<String>,
    /// How many bytes the head had, line ends included.
    pub bytes: u64,
}

/// A frame's header and payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameInfo {
    /// The 4-bit opcode.
    pub opcode: u8,
    /// Whether it ends its message.
    pub fin: bool,
    /// The three reserved bits as a number: 4 = RSV1, 2 = RSV2, 1 = RSV3.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rsv: u8,
    /// The masking key in hex, where the MASK bit is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// How many bytes of length field the header has: 0 (7 bits only), 2 or 8.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub length_bytes: u8,
    /// The length the header declares; the payload has fewer bytes when the frame was never finished.
    pub declared: u64,
    /// The payload, unmasked.
    pub payload: PayloadInfo,
    /// The status code, where it is a Close frame that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_code: Option<u16>,
    /// How many writes it was sent in, where more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chops: Option<u32>,
    /// How many like frames this entry stands for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub times: u32,
}

/// Bytes, whole when they are few, else described.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayloadInfo {
    /// How many bytes there were.
    pub len: u64,
    /// All of them in hex when `len <= PayloadInfo::INLINE`, else the first [`PayloadInfo::EDGE`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hex: String,
    /// The last [`PayloadInfo::EDGE`] in hex; only when not all are in `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
    /// SHA-1 of all of them in hex; only when not all are in `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
}

impl PayloadInfo {
    /// Payloads up to this length are kept whole.
    pub const INLINE: usize = 256;
    /// How much is kept of each end of a longer one.
    pub const EDGE: usize = 64;

    /// Whether `hex` holds every byte.
    pub fn is_whole(&self) -> bool {
        self.hex.len() as u64 == self.len * 2
    }
}

fn is_zero(n: &u8) -> bool {
    *n == 0
}

fn one() -> u32 {
    1
}

fn is_one(n: &u32) -> bool {
    *n == 1
}
