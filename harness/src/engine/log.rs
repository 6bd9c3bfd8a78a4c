//! The transcript as it grows: like frames in a row become one entry, and the number of entries is bounded.

use std::time::Duration;

use wsgrade_reports::record::{Direction, Entry, FrameInfo, PayloadInfo, Transcript, What};

use super::witness::Witness;

/// How many entries a transcript may have; frames beyond are counted. What verdicts rest on is kept: everything that
/// is no frame, pongs (of which the engine takes no more than the case expects and some), and the first Close of
/// each side.
const MAX_FRAME_ENTRIES: usize = 2_000;

const CLOSE: u8 = wsgrade_codec::wire::Opcode::CLOSE.value();
const PONG: u8 = wsgrade_codec::wire::Opcode::PONG.value();

/// Writes the transcript.
#[derive(Debug)]
pub(super) struct Log {
    entries: Vec<Entry>,
    /// The step being played.
    pub(super) step: Option<usize>,
    /// Whether the prelude is.
    pub(super) prelude: bool,
    /// When it is, since the case began.
    pub(super) now: Duration,
    /// Hears of everything.
    pub(super) witness: Option<Witness>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), step: None, prelude: false, now: Duration::ZERO, witness: None }
    }

    /// Adds what happened just now.
    pub(super) fn push(&mut self, what: What) {
        if let Some(witness) = &self.witness {
            witness.tell(&self.entry(what.clone()));
        }
        if let What::Frame { dir, frame } = what {
            self.push_frame(dir, frame);
        } else {
            self.append(what);
        }
    }

    /// Adds what happened at a time before now, and after everything that is in there.
    pub(super) fn push_late(&mut self, at: Duration, what: What) {
        let now = std::mem::replace(&mut self.now, at);
        self.push(what);
        self.now = now;
    }

    /// Adds what happened just now, of another step than the present one.
    pub(super) fn push_at(&mut self, step: Option<usize>, what: What) {
        let present = std::mem::replace(&mut self.step, step);
        self.push(what);
        self.step = present;
    }

    fn push_frame(&mut self, dir: Direction, frame: FrameInfo) {
        if let Some(Entry { what: What::Frame { dir: last_dir, frame: last }, step, prelude, .. }) =
            self.entries.last_mut()
            && *last_dir == dir
            && *step == self.step
            && *prelude == self.prelude
            && alike(last, &frame)
        {
            last.times = last.times.saturating_add(frame.times);
            return;
        }
        if self.entries.len() < MAX_FRAME_ENTRIES || self.decides(dir, frame.opcode) {
            return self.append(What::Frame { dir, frame });
        }
        let count = u64::from(frame.times);
        let folded = self.entries.iter_mut().rev().find_map(|entry| {
            if let What::Folded { dir: folded_dir, frames, bytes } = &mut entry.what
                && *folded_dir == dir
            {
                Some((frames, bytes))
            } else {
                None
            }
        });
        match folded {
            Some((frames, bytes)) => {
                *frames += count;
                *bytes += frame.payload.len * count;
            }
            None => self.append(What::Folded { dir, frames: count, bytes: frame.payload.len * count }),
        }
    }

    /// Whether a verdict may rest on a frame of this kind.
    fn decides(&self, dir: Direction, opcode: u8) -> bool {
        let is_close = |entry: &Entry| matches!(&entry.what, What::Frame { dir: of, frame } if *of == dir && frame.opcode == CLOSE);
        opcode == PONG || opcode == CLOSE && !self.entries.iter().any(is_close)
    }

    fn append(&mut self, what: What) {
        let entry = self.entry(what);
        self.entries.push(entry);
    }

    fn entry(&self, what: What) -> Entry {
        let at_us = u64::try_from(self.now.as_micros()).unwrap_or(u64::MAX);
        Entry { at_us, step: self.step, prelude: self.prelude, what }
    }

    pub(super) fn finish(self) -> Transcript {
        Transcript { entries: self.entries }
    }
}

/// Whether two frames differ in nothing but the mask key, which is random.
fn alike(a: &FrameInfo, b: &FrameInfo) -> bool {
    let FrameInfo { opcode, fin, rsv, mask, length_bytes, declared, payload, close_code, chops, times: _ } =
        a;
    *opcode == b.opcode
        && *fin == b.fin
        && *rsv == b.rsv
        && mask.is_some() == b.mask.is_some()
        && *length_bytes == b.length_bytes
        && *declared == b.declared
        && *payload == b.payload
        && *close_code == b.close_code
        && *chops == b.chops
}

/// What the transcript says of a frame.
pub(super) fn frame_info(
    header: &wsgrade_codec::wire::Header,
    payload: PayloadInfo,
    body: &[u8],
) -> FrameInfo {
    use wsgrade_codec::wire::{LengthForm, Opcode};
    let close_code = match body {
        [a, b, ..] if header.opcode == Opcode::CLOSE => Some(u16::from_be_bytes([*a, *b])),
        _ => None,
    };
    FrameInfo {
        opcode: header.opcode.value(),
        fin: header.fin,
        rsv: header.rsv.value(),
        mask: header.mask.map(|key| key.iter().map(|byte| format!("{byte:02x}")).collect()),
        length_bytes: match header.length.form() {
            LengthForm::Bits7 => 0,
            LengthForm::Bits16 => 2,
            LengthForm::Bits64 => 8,
        },
        declared: header.length.value(),
        payload,
        close_code,
        chops: None,
        times: 1,
    }
}
