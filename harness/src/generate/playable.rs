//! Bounds and order: whatever steps a program has put together, what comes out of here can be played, costs little time,
//! and is a case that the linter has nothing against.

use std::collections::BTreeSet;
use std::time::Duration;

use wsgrade_cases::model::{Awaited, Chop, ChopAt, Frame, Length, Need, Opening, Role, Scenario, Step};
use wsgrade_codec::wire::{self, Opcode};

/// The most steps that a scenario has.
const STEPS: usize = 64;
/// The most payload that all its frames have.
const BYTES: u64 = 256 << 10;
/// The most frames that go out.
const FRAMES: u32 = 256;
/// The most writes that one frame or head is cut into: each costs both sides a system call, and where it is cut says more than how often.
const WRITES: u32 = 20;
/// About as long as a head is.
const HEAD: u64 = 400;
/// The longest pause.
const PAUSE: Duration = Duration::from_millis(1);

/// What is said of a scenario that nobody has given a title.
const TITLE: &str = "Made by a program";
const WHY: &str = "Nobody wrote it. What is right in answer to it follows from its bytes.";

/// Makes it playable against an endpoint in this role. Making it so twice is making it so once.
pub(crate) fn mend(scenario: &mut Scenario, role: Role) {
    scenario.stress = None;
    scenario.needs.remove(&Need::Tls);
    mend_opening(&mut scenario.opening, role);
    if scenario.title.is_empty() {
        TITLE.clone_into(&mut scenario.title);
    }
    if scenario.why.is_empty() {
        WHY.clone_into(&mut scenario.why);
    }
    let mut mending = Mending::default();
    for step in std::mem::take(&mut scenario.steps) {
        if mending.steps.len() == STEPS {
            break;
        }
        mending.step(step);
    }
    scenario.steps = mending.steps;
}

/// It may be that of the other role, or two that were made one.
fn mend_opening(opening: &mut Opening, role: Role) {
    opening.tls = None;
    opening.chop = chopped(std::mem::take(&mut opening.chop), HEAD);
    match role {
        Role::Server => opening.status = None,
        Role::Client => {
            opening.method = None;
            opening.target = None;
            opening.knock = false;
        }
    }
    if opening.raw.is_some() {
        opening.headers.clear();
        opening.unfinished = false;
    }
}

#[derive(Default)]
struct Mending {
    steps: Vec<Step>,
    /// How many bytes of payload and frames there are so far.
    bytes: u64,
    frames: u32,
    /// Where the frame is that is not whole, and how much it lacks.
    open: Option<(usize, u64)>,
    /// Whether no frame of the engine's own can follow: bytes went out as they are, or our side has ended.
    loose: bool,
    closed: bool,
    /// How many answers can be awaited that nobody awaited yet.
    due: u32,
    marks: BTreeSet<String>,
}

impl Mending {
    fn step(&mut self, step: Step) {
        match step {
            Step::Send(frame) => self.frame(frame),
            Step::More { payload, chop } => {
                let Some((at, left)) = self.open else { return };
                let len = payload.len();
                if len == 0 || len > left || !self.takes(len, 1) {
                    return;
                }
                self.open = (len < left).then_some((at, left - len));
                self.push(Step::More { chop: chopped(chop, len), payload });
            }
            Step::Raw { payload, chop } => {
                if payload.is_empty() || self.loose || !self.takes(payload.len(), 1) {
                    return;
                }
                self.give_up_open();
                self.loose = true;
                self.push(Step::Raw { chop: chopped(chop, payload.len()), payload });
            }
            Step::Await { event, within: _ } => {
                // Any answer will do: which one it was says the oracle, and the wait is over the sooner.
                let event = match event {
                    Awaited::Answer(_) | Awaited::Any if self.due > 0 && !self.closed => Awaited::Any,
                    Awaited::Close if self.closed && !self.loose => Awaited::Close,
                    Awaited::Answer(_) | Awaited::Any | Awaited::Close => return,
                };
                self.due = self.due.saturating_sub(1);
                self.push(Step::Await { event, within: None });
            }
            Step::Probe { mark } => {
                // A ping of the engine's own would be payload of the frame that is open, or come behind our Close.
                if self.open.is_none() && !self.loose && !self.closed {
                    let mark = self.mark(mark);
                    self.push(Step::Probe { mark });
                }
            }
            // A mark behind a pause says how quick the peer was and nothing else.
            Step::Pause { time, mark: _ } => {
                if !time.is_zero() && !self.loose {
                    self.push(Step::Pause { time: time.min(PAUSE), mark: None });
                }
            }
            Step::End(end) => {
                if !self.loose {
                    self.loose = true;
                    self.push(Step::End(end));
                }
            }
            // What these ask for, time and a canary, the fuzzer does not give.
            Step::Exchange(_) | Step::Read(_) | Step::Hold { .. } => {}
        }
    }

    fn frame(&mut self, mut frame: Frame) {
        // Behind bytes that may be anything nobody knows where a frame begins.
        if self.loose {
            return;
        }
        let len = frame.payload.len();
        frame.times = frame.times.clamp(1, FRAMES);
        frame.lasting = None;
        if !self.takes(len.saturating_mul(u64::from(frame.times)), frame.times) {
            return;
        }
        let holds = |value, form| wire::Length::with_form(value, form).is_some();
        frame.length = match frame.length {
            Length::Form(form) if !holds(len, form) || form == wire::LengthForm::minimal(len) => {
                Length::Minimal
            }
            // What is more than declared would be read as frames of its own; they are frames of their own then.
            Length::Declared { value, .. } if value <= len || frame.times > 1 => Length::Minimal,
            Length::Declared { value, form: Some(form) } if !holds(value, form) => {
                Length::Declared { value, form: None }
            }
            other => other,
        };
        self.give_up_open();
        if let Length::Declared { value, .. } = frame.length {
            self.open = Some((self.steps.len(), value - len));
        }
        self.closed |= frame.opcode == Opcode::CLOSE;
        let answered = frame.opcode == Opcode::PING || frame.fin && !frame.opcode.is_control();
        self.due += u32::from(answered && self.open.is_none());
        frame.chop = chopped(frame.chop, len + wire::MAX_HEADER_BYTES as u64);
        self.push(Step::Send(frame));
    }

    /// Whether there is room for so much more.
    fn takes(&mut self, bytes: u64, frames: u32) -> bool {
        let fits = self.bytes.saturating_add(bytes) <= BYTES && self.frames + frames <= FRAMES;
        if fits {
            self.bytes += bytes;
            self.frames += frames;
        }
        fits
    }

    /// Another frame would be payload of the one that is open; that one says then what it has.
    fn give_up_open(&mut self) {
        if let Some((at, _)) = self.open.take() {
            if let Some(Step::Send(frame)) = self.steps.get_mut(at) {
                frame.length = Length::Minimal;
            }
            self.steps.retain({
                let mut n = 0;
                move |step| {
                    n += 1;
                    n - 1 <= at || !matches!(step, Step::More { .. })
                }
            });
        }
    }

    fn mark(&mut self, mark: String) -> String {
        let others = (1..).map(|n| format!("mark {n}"));
        let mut free = std::iter::once(mark).chain(others).filter(|mark| !self.marks.contains(mark));
        let mark = free.next().unwrap_or_default();
        self.marks.insert(mark.clone());
        mark
    }

    fn push(&mut self, step: Step) {
        self.steps.push(step);
    }
}

/// A chop with no more writes than it may have.
fn chopped(chop: Chop, len: u64) -> Chop {
    let least = u32::try_from(len.div_ceil(u64::from(WRITES))).unwrap_or(u32::MAX).max(1);
    let at = match chop.at {
        ChopAt::Every(size) => ChopAt::Every(size.max(least)),
        ChopAt::Sizes(mut sizes) => {
            sizes.retain(|size| *size > 0);
            sizes.truncate(WRITES as usize);
            if sizes.is_empty() { ChopAt::Alone } else { ChopAt::Sizes(sizes) }
        }
        ChopAt::Together => return Chop::default(),
        ChopAt::Alone => ChopAt::Alone,
    };
    Chop { at, pause: chop.pause.min(PAUSE) }
}
