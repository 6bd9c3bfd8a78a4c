//! What the peer sends: frames and messages for the transcript, control frames for the machine.

use std::collections::VecDeque;

use bytes::Bytes;
use wsgrade_codec::check::{Checker, Item, Negotiated, Violation};
use wsgrade_codec::wire::{FrameDecoder, Header, Piece};
use wsgrade_codec::{Kind, Role};
use wsgrade_reports::record::{Direction, MessageKind, PayloadDigest, PayloadInfo, What};

use super::log::frame_info;

/// Violations beyond this many are not told one by one.
const TOLD_VIOLATIONS: usize = 50;
/// The longest message kept whole until it is complete, whatever the case expects.
const MAX_MESSAGE: u64 = 256 << 20;

/// Something the peer did.
#[derive(Debug)]
pub(super) enum Heard {
    /// A frame, and what it means where it is a control frame.
    Frame(HeardFrame, Option<Control>),
    /// A whole message.
    Message {
        kind: Kind,
        /// Inflated, if it came compressed.
        payload: Bytes,
        compressed: bool,
        /// What the transcript says of the payload, where that of its only frame says the same.
        described: Option<PayloadInfo>,
    },
    /// Anything else, for the transcript.
    Other(What),
}

impl Heard {
    /// What it means, where it is a control frame. Only the first call gives it.
    pub(super) fn control(&mut self) -> Option<Control> {
        match self {
            Self::Frame(_, control) => control.take(),
            Self::Message { .. } | Self::Other(_) => None,
        }
    }

    /// What the transcript has of it.
    pub(super) fn what(self) -> What {
        match self {
            Self::Frame(HeardFrame { header, body, start }, _) => {
                let frame = frame_info(&header, body.describe(), &start);
                What::Frame { dir: Direction::Received, frame }
            }
            Self::Message { kind, payload, compressed: _, described } => {
                let kind = match kind {
                    Kind::Text => MessageKind::Text,
                    Kind::Binary => MessageKind::Binary,
                };
                let payload = described.unwrap_or_else(|| PayloadInfo::of(&payload));
                What::Message { kind, payload }
            }
            Self::Other(what) => what,
        }
    }
}

/// A frame that has arrived, or as much of it as came.
#[derive(Debug)]
pub(super) struct HeardFrame {
    header: Header,
    body: Body,
    /// The first two bytes, where a Close frame has its code.
    start: Vec<u8>,
}

/// The payload of a frame.
#[derive(Debug)]
enum Body {
    /// Described as it comes, in little memory.
    Described(PayloadDigest),
    /// The whole of it was.
    Done(PayloadInfo),
    /// Kept as it comes, to be described if somebody asks.
    Kept(Vec<Bytes>),
}

impl Body {
    fn push(&mut self, bytes: &Bytes) {
        match self {
            Self::Described(digest) => digest.push(bytes),
            Self::Done(_) => {}
            Self::Kept(pieces) => pieces.push(bytes.clone()),
        }
    }

    fn describe(self) -> PayloadInfo {
        match self {
            Self::Described(digest) => digest.finish(),
            Self::Done(info) => info,
            Self::Kept(pieces) => {
                let mut digest = PayloadDigest::new();
                pieces.iter().for_each(|piece| digest.push(piece));
                digest.finish()
            }
        }
    }
}

/// A control frame from the peer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Control {
    Ping(Bytes),
    Pong(Bytes),
    /// With its status code, if it has one.
    Close(Option<u16>),
}

/// Turns the peer's bytes into what was heard. Never stops at a violation.
#[derive(Debug)]
pub(super) struct Receiver {
    decoder: FrameDecoder,
    checker: Checker,
    /// The role of the peer.
    role: Role,
    message_cap: usize,
    /// Whether frames are described only if somebody asks.
    keep: bool,
    frame: Option<Receiving>,
    /// How many frames have begun.
    frames: u64,
    violations: usize,
    heard: VecDeque<Heard>,
}

/// A frame that is arriving.
#[derive(Debug)]
struct Receiving {
    frame: HeardFrame,
    /// What the frame means, where it is a control frame.
    control: Option<Control>,
    /// What else became known inside it; told after it.
    after: Vec<Heard>,
}

impl Receiver {
    /// `role` is the peer's; no message longer than `message_cap` bytes is kept whole.
    pub(super) fn new(role: Role, message_cap: u64) -> Self {
        let message_cap = usize::try_from(message_cap.min(MAX_MESSAGE)).unwrap_or(usize::MAX);
        Self {
            decoder: FrameDecoder::new(),
            checker: Checker::with_cap(role, Negotiated::default(), message_cap),
            role,
            message_cap,
            keep: false,
            frame: None,
            frames: 0,
            violations: 0,
            heard: VecDeque::new(),
        }
    }

    /// Takes note of what the opening handshake agreed on.
    pub(super) fn agree(&mut self, negotiated: Negotiated) {
        self.checker = Checker::with_cap(self.role, negotiated, self.message_cap);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
        while let Some(piece) = self.decoder.next() {
            match &piece {
                Piece::Header(header) => {
                    self.frames += 1;
                    let body = match self.keep {
                        false => Body::Described(PayloadDigest::new()),
                        true => Body::Kept(Vec::new()),
                    };
                    let frame = HeardFrame { header: *header, body, start: Vec::new() };
                    self.frame = Some(Receiving { frame, control: None, after: Vec::new() });
                }
                Piece::Payload { bytes, .. } => {
                    if let Some(Receiving { frame, .. }) = &mut self.frame {
                        frame.body.push(bytes);
                        let missing = 2 - frame.start.len().min(2);
                        frame.start.extend_from_slice(&bytes[..missing.min(bytes.len())]);
                    }
                }
                Piece::End => {}
            }
            let ends = matches!(piece, Piece::End);
            self.checker.push(piece);
            self.judge();
            if ends {
                self.end_frame();
            }
        }
    }

    /// From the next frame on: whether frames are described only if somebody asks. It takes more memory, up to a
    /// message's.
    pub(super) fn keep(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// What became known since it was last asked.
    pub(super) fn next(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    /// How many frames have begun to arrive.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Whether the peer is in the middle of a message or of a data frame.
    pub(super) fn in_message(&self) -> bool {
        self.checker.in_message().is_some()
            || self.frame.as_ref().is_some_and(|frame| !frame.frame.header.opcode.is_control())
    }

    /// The frame that the end of the connection cut short, as far as it came. What was not listened to is dropped.
    pub(super) fn unfinished(&mut self) -> Vec<What> {
        self.heard.clear();
        self.end_frame();
        let mut story: Vec<_> = self.heard.drain(..).map(Heard::what).collect();
        if self.decoder.in_frame().is_none() && self.decoder.buffered() > 0 {
            let payload = PayloadInfo::of(self.decoder.buffer());
            story.push(What::Bytes { dir: Direction::Received, payload });
        }
        self.decoder = FrameDecoder::new();
        story
    }

    fn end_frame(&mut self) {
        let Some(Receiving { mut frame, control, mut after }) = self.frame.take() else { return };
        // A message in one frame, and not compressed, is that frame's payload: one digest is enough.
        for heard in &mut after {
            if let Heard::Message { compressed: false, described, .. } = heard
                && frame.header.fin
                && frame.header.opcode.kind().is_some()
                && let Body::Described(digest) = &mut frame.body
            {
                let info = std::mem::take(digest).finish();
                *described = Some(info.clone());
                frame.body = Body::Done(info);
            }
        }
        self.heard.push_back(Heard::Frame(frame, control));
        self.heard.extend(after);
    }

    /// Takes what the checker found into the frame that is arriving.
    fn judge(&mut self) {
        let Some(frame) = &mut self.frame else { return };
        for item in self.checker.by_ref() {
            match item {
                Item::Violation(Violation { rule, detail }) => {
                    self.violations += 1;
                    if self.violations <= TOLD_VIOLATIONS {
                        frame
                            .after
                            .push(Heard::Other(What::Violation { rule: rule.id().to_owned(), detail }));
                    }
                }
                Item::Message { kind, payload, compressed, fragments: _ } => {
                    frame.after.push(Heard::Message { kind, payload, compressed, described: None });
                }
                Item::TooBig { opcode, received } => frame.after.push(Heard::Other(What::TimedOut {
                    waited_for: format!("a {opcode} of expected length to end: it has {received} bytes"),
                })),
                Item::Ping(body) => frame.control = Some(Control::Ping(body)),
                Item::Pong(body) => frame.control = Some(Control::Pong(body)),
                Item::Close { body, .. } => {
                    frame.control = Some(Control::Close(match body[..] {
                        [a, b, ..] => Some(u16::from_be_bytes([a, b])),
                        [] | [_] => None,
                    }));
                }
            }
        }
    }
}
