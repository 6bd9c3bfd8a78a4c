//! Frames of a case as bytes on the wire, cut as the case says.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use wsgrade_cases::model::{Chop, ChopAt, Frame, Length, Mask, Payload};
use wsgrade_codec::wire::{self, Header, Opcode};
use wsgrade_codec::{Role, mask};
use wsgrade_reports::record::{Direction, FrameInfo, PayloadInfo, What};

use super::log::{Log, frame_info};

/// One write, and the pause after it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    pub(super) pause: Duration,
}

/// What we send: from frames to writes.
#[derive(Debug)]
pub(super) struct Sender {
    /// Our role.
    role: Role,
    keys: fastrand::Rng,
    /// What goes into the next write.
    batch: BytesMut,
    queue: VecDeque<Piece>,
    /// The frame that a `more` step goes on with: its key, and how much of its payload is sent.
    unfinished: Option<Unfinished>,
    /// Whether the peer, if it counts as we do, expects a frame header next.
    at_boundary: bool,
    sent_close: bool,
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
            queue: VecDeque::new(),
            unfinished: None,
            at_boundary: true,
            sent_close: false,
        }
    }

    /// Whether a Close frame has gone out.
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
    pub(super) fn frame(&mut self, frame: &Frame, log: &mut Log) {
        let body = frame.payload.to_bytes();
        let described = PayloadInfo::of(&body);
        for _ in 0..frame.times {
            let header = self.header(frame, body.len() as u64);
            let mut bytes = BytesMut::with_capacity(wire::MAX_HEADER_BYTES + body.len());
            bytes.extend_from_slice(&header.encode());
            let start = bytes.len();
            bytes.extend_from_slice(&body);
            if let Some(key) = header.mask {
                mask::apply(key, 0, &mut bytes[start..]);
            }
            let declared = header.length.value();
            self.unfinished = Some(Unfinished { mask: header.mask, sent: body.len() as u64, declared });
            self.at_boundary = declared == body.len() as u64;
            self.sent_close |= header.opcode == Opcode::CLOSE;
            let writes = self.write(&bytes, &frame.chop);
            let mut info: FrameInfo = frame_info(&header, described.clone(), &body);
            info.chops = (writes > 1).then_some(writes);
            log.push(What::Frame { dir: Direction::Sent, frame: info });
        }
    }

    /// A lawful frame of our own: a probe, a pong, a Close.
    pub(super) fn lawful(&mut self, opcode: Opcode, body: &[u8], log: &mut Log) {
        let frame = Frame::new(opcode, Payload::Hex(body.to_vec()));
        self.frame(&frame, log);
    }

    /// More payload of the frame before.
    pub(super) fn more(&mut self, payload: &Payload, chop: &Chop, log: &mut Log) {
        let body = payload.to_bytes();
        let mut bytes = BytesMut::from(&body[..]);
        if let Some(unfinished) = &mut self.unfinished {
            if let Some(key) = unfinished.mask {
                mask::apply(key, (unfinished.sent % 4) as usize, &mut bytes);
            }
            unfinished.sent += body.len() as u64;
            self.at_boundary = unfinished.sent == unfinished.declared;
        }
        self.write(&bytes, chop);
        log.push(What::Bytes { dir: Direction::Sent, payload: PayloadInfo::of(&body) });
    }

    /// Bytes as they are.
    pub(super) fn raw(&mut self, payload: &Payload, chop: &Chop, log: &mut Log) {
        let body = payload.to_bytes();
        self.write(&body, chop);
        self.at_boundary = false;
        log.push(What::Bytes { dir: Direction::Sent, payload: PayloadInfo::of(&body) });
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

    /// Queues bytes, cut as asked; returns how many writes they make.
    pub(super) fn write(&mut self, bytes: &[u8], chop: &Chop) -> u32 {
        if chop.at == ChopAt::Together {
            self.batch.extend_from_slice(bytes);
            return 1;
        }
        self.flush();
        let mut rest = Bytes::copy_from_slice(bytes);
        let mut writes = 0;
        let mut cut = |size: usize, rest: &mut Bytes| {
            let piece = rest.split_to(size.min(rest.len()));
            if !piece.is_empty() {
                writes += 1;
                self.queue.push_back(Piece { bytes: piece, pause: chop.pause });
            }
        };
        match &chop.at {
            ChopAt::Together | ChopAt::Alone => {}
            ChopAt::Every(size) => {
                while !rest.is_empty() {
                    cut((*size).max(1) as usize, &mut rest);
                }
            }
            ChopAt::Sizes(sizes) => sizes.iter().for_each(|size| cut((*size).max(1) as usize, &mut rest)),
        }
        let whole = rest.len();
        cut(whole, &mut rest);
        // The pause stands between pieces, not after the last.
        if let Some(last) = self.queue.back_mut() {
            last.pause = Duration::ZERO;
        }
        writes
    }

    /// Ends the current batch: what follows goes out by another write.
    pub(super) fn flush(&mut self) {
        if !self.batch.is_empty() {
            let bytes = self.batch.split().freeze();
            self.queue.push_back(Piece { bytes, pause: Duration::ZERO });
        }
    }

    /// The next write.
    pub(super) fn next(&mut self) -> Option<Piece> {
        self.queue.pop_front()
    }

    /// Whether nothing is left to write.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.batch.is_empty()
    }

    /// Forgets what was not written: the peer is gone.
    pub(super) fn discard(&mut self) {
        self.queue.clear();
        self.batch.clear();
    }
}
