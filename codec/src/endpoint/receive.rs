//! Bytes to events.
//!
//! A payload is unmasked and judged in blocks as it arrives, in the buffer in which it arrived. An unfragmented message
//! stays there and is handed out as a slice of the buffer; fragments and compressed data move on block by block.

use bytes::{Buf, Bytes, BytesMut};

use super::{Config, Event, Failure, Limits, Message};
use crate::check::header::{self, Context, Prefix};
use crate::check::{Rule, Violation, close_code_violation};
use crate::close::{CloseCode, CloseFrame, InvalidClose};
use crate::deflate::{Decompressor, InflateError};
use crate::utf8::{InvalidUtf8, Validator};
use crate::wire::{Length, LengthForm, Opcode, Rsv};
use crate::{Kind, Role, mask};

/// What is unmasked and judged at once: it stays in the fastest cache.
const BLOCK: usize = 8192;

/// Payloads of at most this many bytes are copied out of the input. It costs less than to share the buffer, and a message
/// of four bytes which somebody keeps does not keep the whole buffer.
const SMALL: usize = 256;

/// The largest buffer that is kept when all of it was handed out.
const KEEP: usize = 4 << 20;

/// The receiving half of an endpoint.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Who sends what we receive.
    sender: Role,
    limits: Limits,
    /// Up to this many bytes a message is judged in one go: BLOCK, or less if the limits are lower.
    fast_limit: usize,
    /// What came and was not handed out. Its first `frame.done` bytes are unmasked and judged.
    input: BytesMut,
    /// The capacity of `input` when it was last allocated.
    allocated: usize,
    /// Whether a large message was handed out since room was made: a good moment to begin at the front again, where the
    /// cache is warm and the next large one fits.
    large_is_gone: bool,
    frame: Option<Frame>,
    message: Option<Unfinished>,
    /// Judges the text message being received.
    utf8: Validator,
    inflater: Option<Decompressor>,
}

/// A frame whose header is read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    fin: bool,
    key: Option<[u8; 4]>,
    /// Bytes of payload that did not leave the input. For a frame that stays until it is complete, all of it.
    len: usize,
    /// 0 <= done <= len, the bytes at the front of the input which are unmasked and judged
    done: usize,
    /// How much of the payload left the input already.
    gone: usize,
    way: Way,
}

/// Where a payload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Stays in the input until it is complete: unfragmented, uncompressed.
    Stay(Kind),
    /// Stays, and is a control frame.
    Control,
    /// Moves to the unfinished message.
    Move,
    /// Moves through the inflater.
    Inflate,
}

/// A message that comes in several frames, or compressed.
#[derive(Debug)]
struct Unfinished {
    kind: Kind,
    compressed: bool,
    /// frames <= limits.max_fragments
    frames: usize,
    /// Bytes of payload which its frames declared. declared <= limits.max_message
    declared: usize,
    /// What came of it, uncompressed messages only.
    payload: BytesMut,
}

impl Receiver {
    pub(super) fn new(config: &Config) -> Self {
        let sender = config.role.peer();
        Self {
            sender,
            limits: config.limits,
            fast_limit: BLOCK.min(config.limits.max_frame).min(config.limits.max_message),
            input: BytesMut::new(),
            allocated: 0,
            large_is_gone: false,
            frame: None,
            message: None,
            utf8: Validator::new(),
            inflater: config
                .deflate
                .map(|params| Decompressor::new(&params, sender, config.limits.max_inflated)),
        }
    }

    #[inline]
    pub(super) fn read_buffer(&mut self, chunk: usize) -> &mut BytesMut {
        let room = self.input.capacity() - self.input.len();
        if room < chunk / 2 || (self.large_is_gone && self.input.is_empty()) {
            self.make_room(chunk);
        }
        &mut self.input
    }

    /// Makes room for about `chunk` bytes, and not for much more: what is read at once should still be in the cache when
    /// it is judged.
    fn make_room(&mut self, chunk: usize) {
        let there = self.input.len();
        self.large_is_gone = false;
        if there == 0 {
            if self.allocated > KEEP {
                self.input = BytesMut::new();
                self.allocated = 0;
            }
            // Asked for all of it, an empty buffer begins at its front again, if nobody holds what was handed out.
            if self.allocated >= chunk && self.input.try_reclaim(self.allocated) {
                drop(self.input.split_off(chunk));
                return;
            }
        }
        let missing = self.frame.as_ref().map_or(0, |frame| frame.len.saturating_sub(there));
        // A frame which is nearly there is read to its end before anything is moved.
        if missing > 0 && missing <= self.input.capacity() - there {
            return;
        }
        // As much again as there is, if the frame needs it: the buffer grows with what came. And no more than the frame
        // needs, if that is worth a read: behind its end the buffer can begin at its front again, and nothing is moved.
        let wish = if missing >= chunk / 2 { missing.min(there.max(chunk)) } else { chunk };
        if !self.input.try_reclaim(wish) {
            self.input.reserve(wish.max(2 * chunk));
            self.allocated = self.input.capacity();
        }
    }

    #[inline]
    pub(super) fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Forgets everything that came.
    pub(super) fn discard(&mut self) {
        self.input.clear();
        self.frame = None;
        self.message = None;
    }

    /// The commonest case in one go: an unfragmented, uncompressed message of at most [`BLOCK`] bytes, all of it there
    /// and nothing wrong with it. `None` if it is any other case, and nothing is changed then.
    #[inline(always)]
    pub(super) fn whole_message(&mut self) -> Option<Event> {
        let [first, second, rest @ ..] = &mut *self.input else { return None };
        let kind = match first {
            0x81 => Kind::Text,
            0x82 => Kind::Binary,
            _ => return None,
        };
        let masked = self.sender.masks();
        if self.frame.is_some() || self.message.is_some() || (*second & 0x80 != 0) != masked {
            return None;
        }
        let (mut header, len) = match (*second & 0x7F, &*rest) {
            (126, [a, b, ..]) => (2, usize::from(u16::from_be_bytes([*a, *b]))),
            (126 | 127, _) => return None,
            (len, _) => (0, usize::from(len)),
        };
        if header > 0 && len < 126 || len > self.fast_limit {
            return None;
        }
        if masked {
            let (key, payload) = rest.get_mut(header..header + 4 + len)?.split_first_chunk_mut::<4>()?;
            mask::apply(*key, 0, payload);
            if kind == Kind::Text && simdutf8::basic::from_utf8(payload).is_err() {
                // The slow way finds out where, and begins with the mask on.
                mask::apply(*key, 0, payload);
                return None;
            }
            header += 4;
        } else {
            let payload = rest.get(header..header + len)?;
            if kind == Kind::Text && simdutf8::basic::from_utf8(payload).is_err() {
                return None;
            }
        }
        self.input.advance(2 + header);
        Some(Event::Message(Message::trusted(kind, self.take(len))))
    }

    /// The first bytes of the input, for the caller to keep.
    #[inline(always)]
    fn take(&mut self, len: usize) -> Bytes {
        if len > SMALL {
            return self.input.split_to(len).freeze();
        }
        let bytes = Bytes::copy_from_slice(&self.input[..len]);
        self.input.advance(len);
        bytes
    }

    /// The next event; `None` if more bytes are needed.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if self.frame.is_none() && !self.read_header()? {
                return Ok(None);
            }
            let Some(frame) = self.frame else { return Ok(None) };
            let complete = match frame.way {
                Way::Stay(_) | Way::Control => self.judge_in_place(frame)?,
                Way::Move | Way::Inflate => self.move_on(frame)?,
            };
            if !complete {
                return Ok(None);
            }
            self.frame = None;
            match frame.way {
                Way::Stay(kind) => {
                    self.large_is_gone = frame.len > BLOCK;
                    let payload = self.take(frame.len);
                    if kind == Kind::Text {
                        self.utf8.finish().map_err(bad_text)?;
                    }
                    return Ok(Some(Event::Message(Message::trusted(kind, payload))));
                }
                Way::Control => {
                    let body = self.take(frame.len);
                    return control_event(frame.opcode, body).map(Some);
                }
                Way::Move | Way::Inflate if frame.fin => return self.message_end().map(Some),
                Way::Move | Way::Inflate => {}
            }
        }
    }

    /// Reads a header, if all of it is there. What its first bytes break is found without waiting for the others.
    fn read_header(&mut self) -> Result<bool, Failure> {
        let [first, second, rest @ ..] = &*self.input else { return Ok(false) };
        let prefix = Prefix::from_bytes(*first, *second);
        let context = Context {
            sender: self.sender,
            deflate: self.inflater.is_some(),
            in_message: self.message.is_some(),
        };
        first_violation(|found| header::check_prefix(&prefix, context, found))?;

        let (form, value) = match (second & 0x7F, rest) {
            // "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455, 5.5): whatever the length
            // turns out to be, its form is wrong, so do not wait for it.
            (form @ (126 | 127), _) if prefix.opcode.is_control() => {
                let bits = if form == 126 { 16 } else { 64 };
                let detail = format!("a {} frame with a length in {bits} bits", prefix.opcode);
                return Err(Violation::new(Rule::ControlLength, detail).into());
            }
            (126, [a, b, ..]) => (LengthForm::Bits16, u64::from(u16::from_be_bytes([*a, *b]))),
            (127, [a, b, c, d, e, f, g, h, ..]) => {
                (LengthForm::Bits64, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
            }
            (126 | 127, _) => return Ok(false),
            (len, _) => (LengthForm::Bits7, u64::from(len)),
        };
        // The value was read from this form, so it fits into it; `minimal` is never taken.
        let length = Length::with_form(value, form).unwrap_or(Length::minimal(value));
        first_violation(|found| header::check_length(prefix.opcode, length, found))?;
        let len = self.check_limits(&prefix, value)?;

        let after_length = 2 + form.extra_bytes();
        let key = if prefix.masked {
            let Some([a, b, c, d]) = self.input.get(after_length..after_length + 4) else { return Ok(false) };
            Some([*a, *b, *c, *d])
        } else {
            None
        };
        self.input.advance(after_length + if prefix.masked { 4 } else { 0 });
        self.begin_frame(&prefix, key, len);
        Ok(true)
    }

    /// What of the limits a header can exceed; gives the length of the payload.
    fn check_limits(&self, prefix: &Prefix, declared: u64) -> Result<usize, Failure> {
        let Limits { max_frame, max_message, max_inflated: _, max_fragments, max_queue_for_pongs: _ } =
            self.limits;
        // At most 125 bytes, looked at before.
        if prefix.opcode.is_control() {
            return Ok(declared as usize);
        }
        let len = match usize::try_from(declared) {
            Ok(len) if len <= max_frame => len,
            Ok(_) | Err(_) => return Err(Failure::FrameTooBig { declared, limit: max_frame }),
        };
        let (before, frames) =
            self.message.as_ref().map_or((0, 0), |message| (message.declared, message.frames));
        if len > max_message - before {
            return Err(Failure::MessageTooBig { limit: max_message });
        }
        if frames >= max_fragments {
            return Err(Failure::TooManyFragments { limit: max_fragments });
        }
        Ok(len)
    }

    fn begin_frame(&mut self, prefix: &Prefix, key: Option<[u8; 4]>, len: usize) {
        let compressed = prefix.rsv.contains(Rsv::RSV1);
        let way = match (prefix.opcode.kind(), &mut self.message) {
            (Some(kind), _) => {
                self.utf8 = Validator::new();
                if prefix.fin && !compressed {
                    Way::Stay(kind)
                } else {
                    let payload = BytesMut::new();
                    self.message = Some(Unfinished { kind, compressed, frames: 1, declared: len, payload });
                    if compressed { Way::Inflate } else { Way::Move }
                }
            }
            (None, Some(message)) if prefix.opcode == Opcode::CONTINUATION => {
                message.frames += 1;
                message.declared += len;
                if message.compressed { Way::Inflate } else { Way::Move }
            }
            (None, _) => Way::Control,
        };
        self.frame = Some(Frame { opcode: prefix.opcode, fin: prefix.fin, key, len, done: 0, gone: 0, way });
    }

    /// Unmasks and judges what came of a frame that stays in the input. Whether it is complete.
    fn judge_in_place(&mut self, mut frame: Frame) -> Result<bool, Failure> {
        let there = self.input.len().min(frame.len);
        let start = frame.done;
        let mut at = start;
        for block in self.input[start..there].chunks_mut(BLOCK) {
            if let Some(key) = frame.key {
                mask::apply(key, at, block);
            }
            at += block.len();
            if frame.way == Way::Stay(Kind::Text) {
                self.utf8.push(block).map_err(bad_text)?;
            }
        }
        if frame.opcode == Opcode::CLOSE {
            judge_close(&self.input[..there], start)?;
        }
        frame.done = there;
        self.frame = Some(frame);
        Ok(there == frame.len)
    }

    /// Unmasks what came of a frame that does not stay, and passes it on. Whether the frame is complete.
    fn move_on(&mut self, mut frame: Frame) -> Result<bool, Failure> {
        let Some(message) = &mut self.message else { return Ok(true) };
        let there = self.input.len().min(frame.len);
        let mut at = frame.gone;
        for block in self.input[..there].chunks_mut(BLOCK) {
            if let Some(key) = frame.key {
                mask::apply(key, at, block);
            }
            at += block.len();
            let fresh = match &mut self.inflater {
                Some(inflater) if message.compressed => {
                    let start = inflater.inflated();
                    if let Err(error) = inflater.push(block) {
                        // What came out before the error counts first: else the reason would depend on how the
                        // bytes were read.
                        if message.kind == Kind::Text {
                            self.utf8.push(inflater.inflated_from(start)).map_err(bad_text)?;
                        }
                        return Err(bad_deflate(message.kind, error));
                    }
                    inflater.inflated_from(start)
                }
                Some(_) | None => {
                    message.payload.extend_from_slice(block);
                    block
                }
            };
            if message.kind == Kind::Text {
                self.utf8.push(fresh).map_err(bad_text)?;
            }
        }
        self.input.advance(there);
        frame.len -= there;
        frame.gone = at;
        self.frame = Some(frame);
        Ok(frame.len == 0)
    }

    /// The last frame of a message is complete.
    fn message_end(&mut self) -> Result<Event, Failure> {
        let Some(Unfinished { kind, compressed, payload, frames: _, declared: _ }) = self.message.take()
        else {
            // Not reached: `Move` and `Inflate` are given only with a message.
            return Ok(Event::Message(Message::binary(Bytes::new())));
        };
        let payload = match &mut self.inflater {
            Some(inflater) if compressed => {
                let (start, whole) = inflater.finish().map_err(|error| bad_deflate(kind, error))?;
                if kind == Kind::Text {
                    self.utf8.push(&whole[start..]).map_err(bad_text)?;
                }
                Bytes::from(whole)
            }
            Some(_) | None => payload.freeze(),
        };
        if kind == Kind::Text {
            self.utf8.finish().map_err(bad_text)?;
        }
        Ok(Event::Message(Message::trusted(kind, payload)))
    }
}

/// The first of the violations that `check` finds, as an error.
fn first_violation(check: impl FnOnce(&mut dyn FnMut(Violation))) -> Result<(), Failure> {
    let mut first = None;
    check(&mut |violation| {
        first.get_or_insert(violation);
    });
    first.map_or(Ok(()), |violation| Err(violation.into()))
}

/// "the whole message MUST contain valid UTF-8" (RFC 6455, 5.6)
#[cold]
fn bad_text(error: InvalidUtf8) -> Failure {
    Violation::new(Rule::TextUtf8, format!("a text message {error}")).into()
}

#[cold]
fn bad_deflate(kind: Kind, error: InflateError) -> Failure {
    match error {
        InflateError::TooBig { limit } => Failure::InflatedTooBig { limit },
        InflateError::Corrupt => {
            Violation::new(Rule::DeflateData, format!("a compressed {kind} message cannot be inflated"))
                .into()
        }
    }
}

/// Judges what came of the body of a Close frame, of which `judged` bytes were judged before.
fn judge_close(body: &[u8], judged: usize) -> Result<(), Failure> {
    let [high, low, reason @ ..] = body else { return Ok(()) };
    if judged < 2
        && let Some(violation) = close_code_violation(CloseCode::new(u16::from_be_bytes([*high, *low])))
    {
        return Err(violation.into());
    }
    // At most 123 bytes: judging all of it each time costs less than keeping where we were.
    let mut utf8 = Validator::new();
    utf8.push(reason).map_err(|error| {
        let detail =
            format!("a close frame: the reason is not UTF-8 after {} valid bytes", error.valid_up_to);
        Violation::new(Rule::CloseReasonUtf8, detail).into()
    })
}

/// The event for a complete control frame.
fn control_event(opcode: Opcode, body: Bytes) -> Result<Event, Failure> {
    match opcode {
        Opcode::PING => Ok(Event::Ping(body)),
        Opcode::PONG => Ok(Event::Pong(body)),
        _ => match CloseFrame::parse(&body) {
            Ok(frame) => Ok(Event::Close(frame)),
            Err(InvalidClose::OneByte) => {
                Err(Violation::new(Rule::CloseBodyOneByte, "a close frame with a body of one byte").into())
            }
            Err(error @ InvalidClose::Reason { .. }) => {
                Err(Violation::new(Rule::CloseReasonUtf8, format!("a close frame: {error}")).into())
            }
        },
    }
}
