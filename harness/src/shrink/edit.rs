//! What can be tried to make a scenario simpler, one thing at a time.

use std::time::Duration;

use wsgrade_cases::model::{
    Chop, ChopAt, DeflateWish, Frame, HeaderEdit, Length, Mask, Opening, Payload, Scenario, Step,
};
use wsgrade_codec::wire::{Opcode, Rsv};

/// One thing to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// Leaves out these steps: the first, and how many.
    Drop(usize, usize),
    /// Keeps these steps alone.
    Only(usize, usize),
    /// Makes the opening more like the ordinary one.
    Opening(Ordinary),
    /// Joins a frame with the next one, which goes on with its message.
    Join(usize),
    /// Makes two frames that are alike one that is sent as often.
    Fold(usize),
    /// Does once more what the step before does, instead of this.
    Like(usize),
    /// Makes the frame of a step simpler.
    Frame(usize, Simpler),
    /// Makes the payload of a step simpler.
    Payload(usize, Less),
}

/// What becomes ordinary in an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ordinary {
    /// All of it.
    All,
    /// Everything but the compression.
    AllButDeflate,
    /// Nothing is asked of compression.
    Deflate,
    /// Of what is wished nothing is left but what the case has to know of our own compression.
    Wish,
    /// Nothing that the case has to know of it either.
    OurWish,
    /// A change to the headers is left out.
    Header(usize),
    /// The value in a change to the headers is halved.
    HalfValue(usize),
    Extensions,
    Method,
    Target,
    Version,
    Status,
    Raw,
    Newline,
    Unfinished,
    Early,
    Knock,
    Chop,
}

/// What becomes simpler in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Simpler {
    /// What breaks a rule comes first: less that is unlawful tells more.
    Mask,
    Rsv,
    /// One of the reserved bits goes, by its value.
    Bit(u8),
    Length,
    Fin,
    Once,
    Less,
    Text,
    Binary,
    Ping,
    NoPause,
    NoChop,
    Alone,
    Cut,
}

/// What becomes less of a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Less {
    Empty,
    FirstHalf,
    SecondHalf,
    /// Without its last byte.
    Shorter,
    /// Without its first byte.
    Later,
    /// As long, of `a` alone.
    Letters,
    /// This part of it, of eight, in `a` alone.
    LettersIn(u8),
    /// One byte `a` alone.
    Letter,
    /// A Close with 1000, or without a reason.
    Code,
    Reason,
    HalfReason,
}

/// Everything that can be tried, the greatest changes first.
pub(super) fn edits(scenario: &Scenario) -> Vec<Edit> {
    let steps = scenario.steps.len();
    let mut edits = Vec::new();
    if scenario.opening != Opening::default() {
        edits.push(Edit::Opening(Ordinary::All));
        edits.push(Edit::Opening(Ordinary::AllButDeflate));
    }
    let mut size = steps / 2;
    while size > 0 {
        for from in (0..steps).step_by(size) {
            edits.push(Edit::Drop(from, size));
            if size > 2 || steps <= 4 {
                edits.push(Edit::Only(from, size));
            }
        }
        size /= 2;
    }
    // Two that belong together, such as a message's beginning and its end.
    for from in 0..steps.saturating_sub(1) {
        edits.push(Edit::Drop(from, 2));
    }
    edits.extend((0..steps).map(Edit::Join));
    edits.extend((0..steps).map(Edit::Fold));
    edits.extend((1..steps).map(Edit::Like));
    opening(&scenario.opening, &mut edits);
    for (at, step) in scenario.steps.iter().enumerate() {
        let payload = match step {
            Step::Send(frame) => {
                edits.extend(simpler(frame).into_iter().map(|what| Edit::Frame(at, what)));
                &frame.payload
            }
            Step::More { payload, .. } | Step::Raw { payload, .. } => payload,
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => continue,
        };
        edits.extend(less(payload).into_iter().map(|what| Edit::Payload(at, what)));
    }
    edits
}

fn opening(opening: &Opening, edits: &mut Vec<Edit>) {
    if *opening == Opening::default() {
        return;
    }
    let mut put = |what| edits.push(Edit::Opening(what));
    (0..opening.headers.len()).for_each(|n| put(Ordinary::Header(n)));
    for what in [
        Ordinary::Deflate,
        Ordinary::Wish,
        Ordinary::OurWish,
        Ordinary::Extensions,
        Ordinary::Method,
        Ordinary::Target,
        Ordinary::Version,
        Ordinary::Status,
        Ordinary::Raw,
        Ordinary::Newline,
        Ordinary::Unfinished,
        Ordinary::Early,
        Ordinary::Knock,
        Ordinary::Chop,
    ] {
        put(what);
    }
    (0..opening.headers.len()).for_each(|n| put(Ordinary::HalfValue(n)));
}

fn simpler(frame: &Frame) -> Vec<Simpler> {
    let mut all = Vec::new();
    let mut put = |is: bool, what: &[Simpler]| {
        if is {
            all.extend_from_slice(what);
        }
    };
    put(frame.mask != Mask::RoleDefault, &[Simpler::Mask]);
    let bits = [Simpler::Rsv, Simpler::Bit(4), Simpler::Bit(2), Simpler::Bit(1)];
    put(!frame.rsv.is_empty(), &bits);
    put(frame.length != Length::Minimal, &[Simpler::Length]);
    put(!frame.fin, &[Simpler::Fin]);
    put(frame.times > 1, &[Simpler::Once, Simpler::Less]);
    put(frame.opcode != Opcode::TEXT, &[Simpler::Text, Simpler::Binary, Simpler::Ping]);
    put(!frame.chop.pause.is_zero(), &[Simpler::NoPause]);
    put(frame.chop.at != ChopAt::Together, &[Simpler::NoChop, Simpler::Alone]);
    put(matches!(frame.chop.at, ChopAt::Sizes(_)), &[Simpler::Cut]);
    all
}

fn less(payload: &Payload) -> Vec<Less> {
    if let Payload::Close { .. } = payload {
        return vec![Less::Empty, Less::Reason, Less::HalfReason, Less::Code];
    }
    let mut all = Vec::new();
    if !payload.is_empty() {
        all.extend([Less::Empty, Less::Letter, Less::FirstHalf, Less::SecondHalf, Less::Letters]);
        all.extend((0..8).map(Less::LettersIn));
        all.extend([Less::Shorter, Less::Later]);
    }
    all
}

impl Edit {
    pub(super) fn apply(&self, scenario: &mut Scenario) {
        let steps = &mut scenario.steps;
        match *self {
            Self::Drop(from, count) => {
                let till = (from + count).min(steps.len());
                steps.drain(from.min(till)..till);
            }
            Self::Only(from, count) => {
                steps.truncate(from + count);
                steps.drain(..from.min(steps.len()));
            }
            Self::Opening(what) => what.apply(&mut scenario.opening),
            Self::Join(at) => join(steps, at),
            Self::Fold(at) => fold(steps, at),
            Self::Like(at) => {
                if let Some(Step::Send(before)) = steps.get(at.wrapping_sub(1)).cloned()
                    && let Some(step) = steps.get_mut(at)
                {
                    *step = Step::Send(Frame { times: 1, ..before });
                }
            }
            Self::Frame(at, what) => {
                if let Some(Step::Send(frame)) = steps.get_mut(at) {
                    what.apply(frame);
                }
            }
            Self::Payload(at, what) => {
                if let Some(
                    Step::Send(Frame { payload, .. })
                    | Step::More { payload, .. }
                    | Step::Raw { payload, .. },
                ) = steps.get_mut(at)
                {
                    *payload = what.of(payload);
                }
            }
        }
    }
}

/// A frame and the one behind it as one.
fn join(steps: &mut Vec<Step>, at: usize) {
    let (Some(Step::Send(first)), Some(Step::Send(second))) = (steps.get(at), steps.get(at + 1)) else {
        return;
    };
    if first.fin || first.opcode.is_control() || second.opcode != Opcode::CONTINUATION {
        return;
    }
    let bytes = [first.payload.to_bytes(), second.payload.to_bytes()].concat();
    let joined = Frame { fin: second.fin, payload: described(bytes), ..first.clone() };
    steps[at] = Step::Send(joined);
    steps.remove(at + 1);
}

/// A frame that is sent as often as it and the one like it behind it were.
fn fold(steps: &mut Vec<Step>, at: usize) {
    let (Some(Step::Send(first)), Some(Step::Send(second))) = (steps.get(at), steps.get(at + 1)) else {
        return;
    };
    let folded = Frame { times: first.times + second.times, ..first.clone() };
    if (Frame { times: folded.times, ..second.clone() }) == folded {
        steps[at] = Step::Send(folded);
        steps.remove(at + 1);
    }
}

impl Ordinary {
    fn apply(self, opening: &mut Opening) {
        match self {
            Self::All => *opening = Opening::default(),
            Self::AllButDeflate => {
                let deflate = std::mem::take(&mut opening.deflate);
                *opening = Opening { deflate, ..Opening::default() };
            }
            Self::Deflate => opening.deflate.clear(),
            Self::Wish => {
                opening.deflate.truncate(1);
                for wish in &mut opening.deflate {
                    (wish.no_context_takeover, wish.max_window_bits) = (false, None);
                }
            }
            Self::OurWish => {
                opening.deflate.truncate(1);
                for wish in &mut opening.deflate {
                    *wish = DeflateWish { our_context_takeover: None, our_window_bits: None, ..*wish };
                }
            }
            Self::Header(n) => {
                if n < opening.headers.len() {
                    opening.headers.remove(n);
                }
            }
            Self::HalfValue(n) => {
                if let Some(HeaderEdit::Set(_, value) | HeaderEdit::Add(_, value) | HeaderEdit::Raw(value)) =
                    opening.headers.get_mut(n)
                {
                    *value = Less::FirstHalf.of(value);
                }
            }
            Self::Extensions => opening.extensions.clear(),
            Self::Method => opening.method = None,
            Self::Target => opening.target = None,
            Self::Version => opening.version = None,
            Self::Status => opening.status = None,
            Self::Raw => opening.raw = None,
            Self::Newline => opening.newline = None,
            Self::Unfinished => opening.unfinished = false,
            Self::Early => opening.early = false,
            Self::Knock => opening.knock = false,
            Self::Chop => opening.chop = Chop::default(),
        }
    }
}

impl Simpler {
    fn apply(self, frame: &mut Frame) {
        match self {
            Self::Mask => frame.mask = Mask::RoleDefault,
            Self::Rsv => frame.rsv = Rsv::NONE,
            Self::Bit(bit) => frame.rsv = frame.rsv.without(Rsv::new(bit).unwrap_or(Rsv::NONE)),
            Self::Length => frame.length = Length::Minimal,
            Self::Fin => frame.fin = true,
            Self::Once => frame.times = 1,
            Self::Less => frame.times = frame.times.saturating_sub(1).max(1),
            Self::Text => frame.opcode = Opcode::TEXT,
            Self::Binary => frame.opcode = Opcode::BINARY,
            Self::Ping => frame.opcode = Opcode::PING,
            Self::NoPause => frame.chop.pause = Duration::ZERO,
            Self::NoChop => frame.chop = Chop::default(),
            Self::Alone => frame.chop.at = ChopAt::Alone,
            Self::Cut => {
                if let ChopAt::Sizes(sizes) = &mut frame.chop.at {
                    sizes.truncate(1);
                }
            }
        }
    }
}

impl Less {
    fn of(self, payload: &Payload) -> Payload {
        if let Payload::Close { code, reason } = payload {
            let with = |code, reason| Payload::Close { code, reason: Box::new(reason) };
            return match self {
                Self::Empty => Payload::default(),
                Self::Reason => with(*code, Payload::Text(String::new())),
                Self::HalfReason => with(*code, Self::FirstHalf.of(reason)),
                Self::Code => with(1000, (**reason).clone()),
                Self::FirstHalf
                | Self::SecondHalf
                | Self::Shorter
                | Self::Later
                | Self::Letters
                | Self::LettersIn(_)
                | Self::Letter => payload.clone(),
            };
        }
        let len = payload.len();
        if let (Payload::Repeat { unit, .. }, Self::FirstHalf | Self::Shorter) = (payload, self) {
            let len = if self == Self::Shorter { len.saturating_sub(1) } else { len / 2 };
            return Payload::Repeat { unit: unit.clone(), len };
        }
        let bytes = || payload.to_bytes();
        let half = (len / 2) as usize;
        match self {
            Self::Empty => Payload::default(),
            Self::FirstHalf => described(bytes()[..half].to_vec()),
            Self::SecondHalf => described(bytes()[half..].to_vec()),
            Self::Shorter => described(bytes()[..(len.saturating_sub(1)) as usize].to_vec()),
            Self::Later => described(bytes().into_iter().skip(1).collect()),
            Self::Letters => letters(len),
            Self::LettersIn(part) => {
                let mut bytes = bytes();
                let size = bytes.len().div_ceil(8).max(1);
                bytes
                    .chunks_mut(size)
                    .nth(usize::from(part))
                    .into_iter()
                    .flatten()
                    .for_each(|byte| *byte = b'a');
                described(bytes)
            }
            Self::Letter => Payload::Text("a".to_owned()),
            Self::Code | Self::Reason | Self::HalfReason => payload.clone(),
        }
    }
}

/// So many letters.
fn letters(len: u64) -> Payload {
    match len {
        0..=32 => Payload::Text("a".repeat(len as usize)),
        _ => Payload::Repeat { unit: b"a".to_vec(), len },
    }
}

/// Bytes as a person would write them.
fn described(bytes: Vec<u8>) -> Payload {
    if bytes.len() > 32 && bytes.iter().all(|byte| *byte == bytes[0]) {
        return Payload::Repeat { unit: vec![bytes[0]], len: bytes.len() as u64 };
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Payload::Text(text),
        Ok(text) => Payload::Hex(text.into_bytes()),
        Err(error) => Payload::Hex(error.into_bytes()),
    }
}
