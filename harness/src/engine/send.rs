//! Frames of a case as bytes on the wire, cut as the case says.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use wsgrade_cases::model::{Chop, ChopAt, Frame, Length, Mask, Payload};
use wsgrade_codec::wire::{self, Header, Opcode, Rsv};
use wsgrade_codec::{Kind, Role, mask};
use wsgrade_reports::record::{Direction, PayloadInfo, What};

use super::log::frame_info;
use crate::plan::Plan;

/// One write, and the pause after it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) pause: Duration,
    /// For the transcript, once it is handed out: what it begins, each with its step.
    pub(super) told: Vec<(Option<usize>, What)>,
    /// Whether it goes on with what the piece before it began.
    goes_on: bool,
    /// It is only offered until then.
    pub(super) until: Option<Duration>,
}

/// What we send: from frames to writes.
#[derive(Debug)]
pub(super) struct Sender {
    /// Our role.
    role: Role,
    keys: fastrand::Rng,
    /// What goes into the next write, and how the transcript has it.
    batch: BytesMut,
    told: Vec<(Option<usize>, What)>,
    queue: VecDeque<Piece>,
    /// How many bytes were ever queued.
    queued_bytes: u64,
    /// The frame that a `more` step goes on with: its key, and how much of its payload is sent.
    unfinished: Option<Unfinished>,
    /// Whether the peer, if it counts as we do, expects a frame header next.
    at_boundary: bool,
    sent_close: bool,
}

/// A message to send, compressed already if it is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outgoing<'a> {
    pub(super) kind: Kind,
    pub(super) payload: &'a [u8],
    pub(super) compressed: bool,
    /// How many bytes go into a frame.
    pub(super) fragment: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Unfinished {
    mask: Option<[u8; 4]>,
    sent: u64,
    declared: u64,
}

impl Sender {
    pub(super) fn new(role: Role, seed: u64) -> Self {
        Self {
            role,
            keys: fastrand::Rng::with_seed(seed),
            batch: BytesMut::new(),
            told: Vec::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            unfinished: None,
            at_boundary: true,
            sent_close: false,
        }
    }

    /// How many bytes were ever to be sent.
    pub(super) fn queued_bytes(&self) -> u64 {
        self.queued_bytes
    }

    /// Whether a Close frame was handed out.
    pub(super) fn sent_close(&self) -> bool {
        self.sent_close
    }

    /// Whether another frame can be sent so that the peer takes it for one.
    pub(super) fn at_boundary(&self) -> bool {
        self.at_boundary
    }

    /// Sixteen random bytes, for a handshake key.
    pub(super) fn nonce(&mut self) -> [u8; 16] {
        self.keys.u128(..).to_be_bytes()
    }

    /// Eight random hex digits, to tell a probe's pong from others.
    pub(super) fn token(&mut self) -> String {
        format!("{:08x}", self.keys.u32(..))
    }

    /// A frame of a case, as often as it says.
    pub(super) fn frame(&mut self, frame: &Frame, plan: &Plan, step: Option<usize>) {
        let body = frame.payload.to_bytes();
        let described = plan.streams().describe(&frame.payload, &body);
        for _ in 0..frame.times {
            self.frame_of(frame, &body, described.clone(), step);
        }
    }

    /// So many of a case's frames in one write, which is offered until then; one entry of the transcript.
    pub(super) fn burst(
        &mut self,
        frame: &Frame,
        body: &[u8],
        plan: &Plan,
        count: u32,
        until: Option<Duration>,
        step: usize,
    ) {
        let described = plan.streams().describe(&frame.payload, body);
        self.frame_of(frame, body, described, Some(step));
        if let Some((_, What::Frame { frame, .. })) = self.told.last_mut() {
            frame.times = count;
        }
        for _ in 1..count {
            let header = self.header(frame, body.len() as u64);
            self.put(&header, body);
        }
        self.flush();
        if let Some(piece) = self.queue.back_mut() {
            piece.until = until;
        }
    }

    /// What was handed out last was cut short: no frame can follow. Whether one could have.
    pub(super) fn cut(&mut self) -> bool {
        std::mem::replace(&mut self.at_boundary, false)
    }

    /// Takes up what was cut short.
    pub(super) fn resume(&mut self, rest: Bytes, at_boundary: bool) {
        self.at_boundary = at_boundary;
        let piece =
            Piece { bytes: rest, pause: Duration::ZERO, told: Vec::new(), goes_on: true, until: None };
        self.queue.push_front(piece);
    }

    /// A whole message in frames of `fragment` bytes, the last of which may be shorter but not empty, unless the
    /// message is. `told`: whether the transcript is told of its frames; else their headers are given back, for
    /// [`tell_late`](Self::tell_late).
    pub(super) fn message(&mut self, message: &Outgoing<'_>, told: bool, step: Option<usize>) -> Vec<Header> {
        let Outgoing { kind, payload, compressed, fragment } = *message;
        let mut headers = Vec::new();
        let size = fragment.map_or(usize::MAX, |size| size.max(1) as usize);
        let mut rest = payload;
        let mut first = true;
        while first || !rest.is_empty() {
            let (body, after) = rest.split_at(rest.len().min(size));
            let frame = Frame {
                fin: after.is_empty(),
                rsv: if first && compressed { Rsv::RSV1 } else { Rsv::NONE },
                ..Frame::new(if first { Opcode::of(kind) } else { Opcode::CONTINUATION }, Payload::default())
            };
            if told {
                self.frame_of(&frame, body, PayloadInfo::of(body), step);
            } else {
                let header = self.header(&frame, body.len() as u64);
                self.put(&header, body);
                headers.push(header);
            }
            rest = after;
            first = false;
        }
        self.flush();
        headers
    }

    /// The frames of a message as the transcript has them, from what [`message`](Self::message) gave back.
    pub(super) fn tell_late(headers: &[Header], mut payload: &[u8]) -> Vec<What> {
        let mut story = Vec::new();
        for header in headers {
            let len = usize::try_from(header.length.value()).unwrap_or(usize::MAX);
            let (body, rest) = payload.split_at(payload.len().min(len));
            let frame = frame_info(header, PayloadInfo::of(body), body);
            story.push(What::Frame { dir: Direction::Sent, frame });
            payload = rest;
        }
        story
    }

    /// Puts a frame into the batch.
    fn put(&mut self, header: &Header, body: &[u8]) {
        self.batch.reserve(wire::MAX_HEADER_BYTES + body.len());
        self.batch.extend_from_slice(&header.encode());
        let start = self.batch.len();
        self.batch.extend_from_slice(body);
        if let Some(key) = header.mask {
            mask::apply(key, 0, &mut self.batch[start..]);
        }
    }

    /// A frame with this payload instead of its own.
    fn frame_of(&mut self, frame: &Frame, body: &[u8], described: PayloadInfo, step: Option<usize>) {
        let header = self.header(frame, body.len() as u64);
        let declared = header.length.value();
        self.unfinished = Some(Unfinished { mask: header.mask, sent: body.len() as u64, declared });
        self.at_boundary = declared == body.len() as u64;
        let mut info = frame_info(&header, described, body);
        let told = |info| (step, What::Frame { dir: Direction::Sent, frame: info });
        if frame.chop.at == ChopAt::Together {
            self.put(&header, body);
            self.told.push(told(info));
            return;
        }
        self.flush();
        self.put(&header, body);
        let bytes = self.batch.split();
        let writes = count_writes(bytes.len(), &frame.chop);
        info.chops = (writes > 1).then_some(writes);
        self.write(&bytes, &frame.chop, vec![told(info)]);
    }

    /// A lawful frame of our own: a probe, a pong, a Close.
    pub(super) fn lawful(&mut self, opcode: Opcode, body: &[u8], step: Option<usize>) {
        let frame = Frame::new(opcode, Payload::default());
        self.frame_of(&frame, body, PayloadInfo::of(body), step);
        self.flush();
    }

    /// More payload of the frame before.
    pub(super) fn more(&mut self, payload: &Payload, chop: &Chop, step: Option<usize>) {
        let body = payload.to_bytes();
        let mut bytes = BytesMut::from(&body[..]);
        if let Some(unfinished) = &mut self.unfinished {
            if let Some(key) = unfinished.mask {
                mask::apply(key, (unfinished.sent % 4) as usize, &mut bytes);
            }
            unfinished.sent += body.len() as u64;
            self.at_boundary = unfinished.sent == unfinished.declared;
        }
        let what = What::Bytes { dir: Direction::Sent, payload: PayloadInfo::of(&body) };
        self.write(&bytes, chop, vec![(step, what)]);
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, payload: &Payload, chop: &Chop, step: Option<usize>) {
        let body = payload.to_bytes();
        self.at_boundary = false;
        let what = What::Bytes { dir: Direction::Sent, payload: PayloadInfo::of(&body) };
        self.write(&body, chop, vec![(step, what)]);
    }

    fn header(&mut self, frame: &Frame, len: u64) -> Header {
        let masked = match frame.mask {
            Mask::RoleDefault => self.role == Role::Client,
            Mask::Wrong => self.role == Role::Server,
            Mask::Key(_) => true,
        };
        let mask = match frame.mask {
            Mask::Key(key) => Some(key),
            Mask::RoleDefault | Mask::Wrong => masked.then(|| self.keys.u32(..).to_be_bytes()),
        };
        let length = match frame.length {
            Length::Minimal => wire::Length::minimal(len),
            Length::Form(form) => {
                wire::Length::with_form(len, form).unwrap_or_else(|| wire::Length::minimal(len))
            }
            Length::Declared { value, form } => form
                .and_then(|form| wire::Length::with_form(value, form))
                .unwrap_or_else(|| wire::Length::minimal(value)),
        };
        Header { fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, mask, length }
    }

    /// Queues bytes, cut as asked; `told` is for the transcript, when they go out.
    pub(super) fn write(&mut self, bytes: &[u8], chop: &Chop, mut told: Vec<(Option<usize>, What)>) {
        if chop.at == ChopAt::Together {
            self.batch.extend_from_slice(bytes);
            self.told.append(&mut told);
            return;
        }
        self.flush();
        self.queued_bytes += bytes.len() as u64;
        let mut rest = Bytes::copy_from_slice(bytes);
        for size in cuts(bytes.len(), &chop.at) {
            let goes_on = told.is_empty();
            let piece = Piece {
                bytes: rest.split_to(size),
                pause: chop.pause,
                told: std::mem::take(&mut told),
                goes_on,
                until: None,
            };
            self.queue.push_back(piece);
        }
    }

    /// Ends the current batch: what follows goes out by another write.
    pub(super) fn flush(&mut self) {
        if !self.batch.is_empty() {
            let bytes = self.batch.split().freeze();
            self.queued_bytes += bytes.len() as u64;
            let told = std::mem::take(&mut self.told);
            let piece = Piece { bytes, pause: Duration::ZERO, told, goes_on: false, until: None };
            self.queue.push_back(piece);
        }
    }

    /// The next write.
    pub(super) fn next(&mut self) -> Option<Piece> {
        let piece = self.queue.pop_front()?;
        self.sent_close |= piece.told.iter().any(
            |(_, what)| matches!(what, What::Frame { frame, .. } if frame.opcode == Opcode::CLOSE.value()),
        );
        Some(piece)
    }

    /// Whether nothing is left to write.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.batch.is_empty()
    }

    /// Our side of TCP ends here: no frame can follow.
    pub(super) fn end(&mut self) {
        self.at_boundary = false;
    }

    /// Forgets what was not handed out. If that cuts a frame short, no other can follow it.
    pub(super) fn discard(&mut self) {
        if self.queue.front().is_some_and(|piece| piece.goes_on) {
            self.at_boundary = false;
        }
        self.queue.clear();
        self.batch.clear();
        self.told.clear();
    }
}

/// How many writes so many bytes make.
fn count_writes(len: usize, chop: &Chop) -> u32 {
    u32::try_from(cuts(len, &chop.at).len()).unwrap_or(u32::MAX)
}

/// The sizes of the pieces that so many bytes are cut into; none of them is 0, and together they are `len`.
fn cuts(len: usize, at: &ChopAt) -> Vec<usize> {
    let mut left = len;
    let mut cut = |size: usize| {
        let size = size.max(1).min(left);
        left -= size;
        size
    };
    let mut sizes: Vec<usize> = match at {
        ChopAt::Together | ChopAt::Alone => Vec::new(),
        ChopAt::Every(size) => {
            (0..len.div_ceil((*size).max(1) as usize)).map(|_| cut(*size as usize)).collect()
        }
        ChopAt::Sizes(sizes) => sizes.iter().map(|size| cut(*size as usize)).collect(),
    };
    sizes.push(left);
    sizes.retain(|size| *size > 0);
    sizes
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::{Ending, Saw, Scenario};

    use super::*;

    #[test]
    fn pieces_make_the_whole() {
        assert_eq!(cuts(7, &ChopAt::Alone), [7]);
        assert_eq!(cuts(7, &ChopAt::Every(3)), [3, 3, 1]);
        assert_eq!(cuts(6, &ChopAt::Every(3)), [3, 3]);
        assert_eq!(cuts(7, &ChopAt::Sizes(vec![1, 2])), [1, 2, 4]);
        assert_eq!(cuts(3, &ChopAt::Sizes(vec![1, 2])), [1, 2]);
        assert_eq!(cuts(2, &ChopAt::Sizes(vec![5, 5])), [2]);
        assert!(cuts(0, &ChopAt::Every(3)).is_empty());
    }

    #[test]
    fn what_is_not_handed_out_was_not_sent() {
        let mut sender = Sender::new(Role::Server, 1);
        let chop = Chop { at: ChopAt::Every(1), ..Chop::default() };
        let frame = Frame { chop, ..Frame::new(Opcode::PING, Payload::Text("a".to_owned())) };
        let plan = Plan::alone(Scenario::uncatalogued("a", Vec::new(), Saw::Anything, Ending::ordinary()));
        sender.frame(&frame, &plan, None);
        sender.lawful(Opcode::CLOSE, &[], None);
        assert!(!sender.sent_close());
        assert_eq!(sender.next().map(|piece| piece.told.len()), Some(1));
        assert_eq!(sender.next().map(|piece| piece.told.len()), Some(0));
        sender.discard();
        assert!(!sender.sent_close() && !sender.at_boundary() && sender.is_idle());

        let mut sender = Sender::new(Role::Server, 1);
        sender.lawful(Opcode::PING, &[], None);
        sender.lawful(Opcode::CLOSE, &[], None);
        assert!(sender.next().is_some());
        assert!(!sender.sent_close());
        assert!(sender.next().is_some());
        assert!(sender.sent_close() && sender.at_boundary());
    }
}
