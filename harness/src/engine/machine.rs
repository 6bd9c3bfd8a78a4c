//! The state machine: what comes and what goes, in whichever phase. See the picture in [`super`]; what the steps do is in
//! `steps`, what comes after them in `settle`.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wsgrade_cases::model::{Awaited, End, Ending, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::check::{Negotiated, Violation};
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{ClosedHow, Direction, Transcript, What};

use super::accepted::{Accepted, Response};
use super::exchange::Exchanging;
use super::flood::{Flood, is_flood};
use super::knock::{Knock, is_request};
use super::log::Log;
use super::opening::{Opener, Request, Verdict, http_message};
use super::receive::{Control, Receiver};
use super::send::Sender;
use super::witness::Witness;
use super::{Action, Input, Limits, Pulse};
use crate::answer::Answer;
use crate::plan::Plan;

/// Answers beyond what the case expects, after which the peer is cut off.
const EXCESS_ANSWERS: usize = 200;
/// Frames beyond one for each byte that the case expects, after which the peer is cut off.
const EXCESS_FRAMES: u64 = 20_000;

/// Bytes that a peer may send whose messages are passed over: no more than a minute's worth of a fast network.
const BROADCAST: u64 = 64 << 30;
/// The longest message of such a peer that is kept until it is whole: the longest of a case, which others may have sent it.
const PASSED_OVER: u64 = 16 << 20;
/// Messages that are passed over and have an entry of their own; of others there are only the frames.
const TOLD_MESSAGES: usize = 20;

/// How much longer a case may take for each message of its exchanges.
const MESSAGE_TIME: Duration = Duration::from_millis(500);

/// Plays one case on one connection.
///
/// Call [`poll`](Self::poll) until it answers [`Action::Wait`], then [`handle`](Self::handle) what happens
/// first, and so on until [`Action::Finish`]; then take the [`transcript`](Self::into_transcript). `now` is the
/// time since the case began and never goes back.
#[derive(Debug)]
pub struct Engine {
    pub(super) plan: Arc<Plan>,
    pub(super) limits: Limits,
    /// How long the case may take in all.
    whole: Duration,
    /// The role of the endpoint under test; ours is the other.
    pub(super) role: Role,
    /// How the connection is expected to end: as the first accepted outcome says.
    pub(super) ending: Ending,
    pub(super) phase: Phase,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) log: Log,
    /// What the carrier has to do, before anything else.
    pub(super) queued: VecDeque<Action>,
    /// No write before this time: a case may ask for pauses between pieces.
    hold: Duration,
    /// When something last came that the case was waiting for.
    pub(super) progress: Duration,
    /// When anything last came.
    pub(super) heard: Duration,
    pub(super) answers: Vec<Answer>,
    /// How many of the answers an `await` has passed. `<= answers.len()`.
    pub(super) awaited: usize,
    pub(super) probe: Option<Probe>,
    /// What the opening handshake agreed on.
    pub(super) negotiated: Negotiated,
    /// The exchange that is going on.
    pub(super) exchange: Option<Exchanging>,
    /// The flood that is going on.
    pub(super) flood: Option<Flood>,
    /// What of a flood was not taken in time, and whether a frame may follow once it is.
    pub(super) untaken: Option<(Bytes, bool)>,
    /// What a case that holds on waits for; absent where nobody plays a canary.
    pub(super) pulse: Option<Arc<Pulse>>,
    /// How often the canary had been answered when an opening was out that we never finish.
    pub(super) held_from: Option<u64>,
    /// Whether frames can come: not where our response opened no connection.
    opened: bool,
    /// How we end before the response is there, once the head is out.
    ends_early: Option<End>,
    /// How many bytes of frames came.
    pub(super) received_bytes: u64,
    /// How many more bytes the peer may send.
    pub(super) bytes_allowed: u64,
    /// How many frames it may send in all.
    pub(super) frames_allowed: u64,
    /// How many answers it may give in all.
    pub(super) answers_allowed: usize,
    /// How many messages came that count as no answer.
    passed_over: usize,
    /// The status code in the peer's Close (inside: `None` for a Close without).
    pub(super) peer_close: Option<Option<u16>>,
    gone: bool,
}

#[derive(Debug)]
pub(super) enum Phase {
    Opening {
        opener: Box<Opener>,
        until: Duration,
    },
    Playing {
        step: usize,
        wait: Option<StepWait>,
    },
    Settling {
        since: Duration,
    },
    /// The opening handshake was refused, and a ping is out to see whether frames are read all the same.
    Knocking {
        until: Duration,
        knock: Knock,
    },
    /// Our Close is out, the peer's is not in.
    Closing {
        until: Duration,
    },
    /// Both are; the server has to end TCP. `ended`: we, being the server, have ended our side.
    Draining {
        until: Duration,
        ended: bool,
    },
    Done,
}

#[derive(Debug)]
pub(super) enum StepWait {
    Answer { event: Awaited, until: Duration },
    Probe { mark: String, until: Duration },
    Pause { mark: Option<String>, until: Duration },
    Hold { beats: u64, until: Duration },
}

#[derive(Debug)]
pub(super) struct Probe {
    pub(super) payload: String,
    /// When its pong came.
    pub(super) answered: Option<Duration>,
}

/// What a phase has to say after it was looked at.
pub(super) enum Flow {
    /// Something changed: look again.
    Again,
    /// Nothing before this time.
    Wait(Duration),
}

/// How we end behind the head of the opening handshake, where a case says so.
fn early_end(scenario: &Scenario) -> Option<End> {
    let next = scenario.steps.get(early_steps(scenario)).filter(|_| scenario.opening.early)?;
    if let Step::End(end) = next { Some(*end) } else { None }
}

/// How many of a case's first steps go out with the head of the opening handshake.
fn early_steps(scenario: &Scenario) -> usize {
    let sends = |step: &&Step| match step {
        Step::Send(frame) => !is_flood(frame),
        Step::More { .. } | Step::Raw { .. } => true,
        Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => false,
    };
    if scenario.opening.early { scenario.steps.iter().take_while(sends).count() } else { 0 }
}

/// A breach of a rule as the transcript has it.
fn told(violation: &Violation) -> What {
    What::Violation { rule: violation.rule.id().to_owned(), detail: violation.detail.clone() }
}

impl Engine {
    /// An engine for one case against a server, to which the carrier will connect. `seed` decides every random
    /// byte.
    pub fn connecting(plan: Arc<Plan>, request: Request, limits: Limits, seed: u64) -> Self {
        let mut engine = Self::new(plan, Role::Server, limits, seed);
        let opener = Box::new(Opener::new(request, engine.sender.nonce()));
        engine.phase = Phase::Opening { opener, until: engine.limits.opening };
        engine
    }

    /// An engine for one case against a client that has connected and sent this request; it is accepted.
    pub fn accepting(plan: Arc<Plan>, accepted: &Accepted, limits: Limits, seed: u64) -> Self {
        let mut engine = Self::new(plan, Role::Client, limits, seed);
        engine.log.push(What::Connected);
        engine.log.push(accepted.received());
        for violation in accepted.violations() {
            engine.log.push(told(violation));
        }
        let opening = &engine.plan.scenario.opening;
        let Response { bytes, sent, opened, negotiated } = accepted.response(opening);
        engine.opened = opened.is_some();
        let story = std::iter::once(sent).chain(opened).map(|what| (None, what)).collect();
        engine.sender.write(&bytes, &opening.chop, story);
        if !opening.early {
            engine.sender.flush();
        }
        engine.agree(negotiated);
        if !accepted.rest().is_empty() {
            engine.receive(Duration::ZERO, accepted.rest());
        }
        engine
    }

    /// An engine whose connection is open.
    fn new(plan: Arc<Plan>, role: Role, limits: Limits, seed: u64) -> Self {
        let scenario = &plan.scenario;
        let ending = scenario
            .accept
            .first()
            .and_then(|accept| accept.ending.clone())
            .unwrap_or(scenario.ending.clone());
        // Where messages are no answers, one that broadcasts may send as much as it likes for as long as the case takes.
        let expected = if plan.adapted().is_some() { BROADCAST } else { plan.expected_bytes() };
        let exchanges = || scenario.exchanges();
        // Code points of up to four bytes.
        let longest = exchanges().map(|exchange| u64::from(exchange.size) * 4).max().unwrap_or(0);
        let longest_message = match plan.adapted() {
            // Nobody looks at what is in them, but that they end is no news.
            Some(_) => PASSED_OVER,
            None => expected.max(longest),
        };
        let messages: u32 = exchanges().map(|exchange| exchange.messages).sum();
        Self {
            ending,
            whole: limits.whole + MESSAGE_TIME * messages,
            phase: Phase::Playing { step: 0, wait: None },
            sender: Sender::new(role.peer(), seed),
            receiver: Receiver::new(role, longest_message.saturating_add(limits.excess_bytes)),
            log: Log::new(),
            queued: VecDeque::new(),
            hold: Duration::ZERO,
            progress: Duration::ZERO,
            heard: Duration::ZERO,
            answers: Vec::new(),
            awaited: 0,
            probe: None,
            negotiated: Negotiated::default(),
            exchange: None,
            flood: None,
            untaken: None,
            pulse: None,
            held_from: None,
            opened: true,
            ends_early: None,
            received_bytes: 0,
            frames_allowed: expected.saturating_add(EXCESS_FRAMES),
            answers_allowed: plan.expected_answers() + EXCESS_ANSWERS,
            passed_over: 0,
            bytes_allowed: expected.saturating_mul(2).saturating_add(limits.excess_bytes),
            peer_close: None,
            gone: false,
            plan,
            limits,
            role,
        }
    }

    /// The same engine beside a canary, for cases that hold on until it is answered.
    pub fn beside(mut self, pulse: Arc<Pulse>) -> Self {
        self.pulse = Some(pulse);
        self
    }

    /// The same engine, which tells of what passes.
    pub fn before(mut self, witness: Witness) -> Self {
        self.log.witness = Some(witness);
        self
    }

    /// Whether the case is over, so that nothing more needs to be written.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done)
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, now: Duration, input: Input) {
        self.log.now = now;
        if matches!(self.phase, Phase::Done) {
            return;
        }
        match input {
            Input::Connected => self.open(now),
            Input::Received(bytes) => self.receive(now, &bytes),
            Input::EndOfStream => self.peer_gone(now, What::EndOfStream),
            Input::Reset => self.peer_gone(now, What::Reset),
            Input::WriteStalled => self.give_up("the peer to read what we send"),
            Input::Untaken(rest) => {
                self.untaken = Some((rest, self.sender.cut()));
                self.flood = None;
                self.next_step();
            }
            Input::Trouble(reason) => {
                self.log.push(What::Trouble { reason });
                self.finish();
            }
            Input::Tick => {}
        }
    }

    /// What to do now.
    pub fn poll(&mut self, now: Duration) -> Action {
        self.log.now = now;
        loop {
            if let Some(action) = self.queued.pop_front() {
                return action;
            }
            if matches!(self.phase, Phase::Done) {
                return Action::Finish;
            }
            if now >= self.whole {
                self.give_up("the case to end");
                continue;
            }
            if !self.is_overtaken() {
                if now < self.hold && !self.sender.is_idle() {
                    return Action::Wait(self.hold);
                }
                if let Some(piece) = self.sender.next() {
                    self.hold = now.saturating_add(piece.pause);
                    for (step, what) in piece.told {
                        self.log.push_at(step, what);
                    }
                    return match piece.until {
                        Some(until) => Action::Offer(piece.bytes, until),
                        None => Action::Write(piece.bytes),
                    };
                }
            }
            match self.advance(now) {
                Flow::Again => {}
                Flow::Wait(until) => return Action::Wait(until.min(self.whole)),
            }
        }
    }

    /// Everything that was seen and done.
    pub fn into_transcript(mut self) -> Transcript {
        self.end_exchange();
        self.log_unfinished();
        self.log.finish()
    }

    fn open(&mut self, now: Duration) {
        self.log.push(What::Connected);
        if let Phase::Opening { opener, until } = &mut self.phase {
            *until = now.saturating_add(self.limits.opening);
            let scenario = Arc::clone(&self.plan.scenario);
            let (head, message) = opener.head(&scenario.opening);
            let told = vec![(None, What::Http { dir: Direction::Sent, message })];
            self.sender.write(&head, &scenario.opening.chop, told);
            for (at, step) in scenario.steps.iter().enumerate().take(early_steps(&scenario)) {
                self.send(Some(at), step);
            }
            self.sender.flush();
            self.ends_early = early_end(&scenario);
        }
    }

    /// Ends the connection, or our side of it, before there is a response.
    fn end_early(&mut self, end: End) {
        match end {
            End::Abort => {
                self.log.push(What::Closed { how: ClosedHow::Abort });
                self.queued.push_back(Action::Abort);
                self.finish();
            }
            End::Half => {
                self.log.push(What::Closed { how: ClosedHow::Half });
                self.queued.push_back(Action::ShutdownWrite);
            }
        }
    }

    /// Sends what a step sends; `false` where it does something else.
    pub(super) fn send(&mut self, at: Option<usize>, step: &Step) -> bool {
        match step {
            Step::Send(frame) => self.sender.frame(frame, &self.plan, at),
            Step::More { payload, chop } => self.sender.more(payload, chop, at),
            Step::Raw { payload, chop } => self.sender.raw(payload, chop, at),
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {
                return false;
            }
        }
        true
    }

    fn receive(&mut self, now: Duration, bytes: &Bytes) {
        self.heard = now;
        self.bytes_allowed = match self.bytes_allowed.checked_sub(bytes.len() as u64) {
            Some(left) => left,
            None => return self.give_up("the peer to stop sending what nobody asked for"),
        };
        let opener = match &mut self.phase {
            Phase::Opening { opener, .. } => opener,
            Phase::Knocking { .. } => return self.hear_knocking(now, bytes),
            Phase::Playing { .. }
            | Phase::Settling { .. }
            | Phase::Closing { .. }
            | Phase::Draining { .. }
            | Phase::Done => return self.hear(now, bytes),
        };
        match opener.receive(bytes) {
            Verdict::Incomplete => {}
            Verdict::Opened { message, violations, negotiated, opened, rest } => {
                self.log.push(What::Http { dir: Direction::Received, message });
                for violation in &violations {
                    self.log.push(told(violation));
                }
                self.agree(negotiated);
                self.log.push(opened);
                self.progress = now;
                let scenario = &self.plan.scenario;
                let played = early_steps(scenario) + usize::from(early_end(scenario).is_some());
                self.phase = Phase::Playing { step: played, wait: None };
                self.begin_prelude();
                if !rest.is_empty() {
                    self.hear(now, &rest);
                }
            }
            Verdict::Failed { message, failure } => {
                if let Some(message) = message {
                    self.log.push(What::Http { dir: Direction::Received, message });
                }
                self.tell(now, failure);
                self.refused(now);
            }
        }
    }

    /// The opening handshake opened no connection.
    fn refused(&mut self, now: Duration) {
        if !self.plan.scenario.opening.knock {
            return self.finish();
        }
        let payload = format!("knock {}", self.sender.token());
        self.sender.lawful(Opcode::PING, payload.as_bytes(), None);
        let until = now.saturating_add(self.limits.silence);
        self.phase = Phase::Knocking { until, knock: Knock::new(payload.into_bytes()) };
    }

    fn hear_knocking(&mut self, now: Duration, bytes: &[u8]) {
        let Phase::Knocking { knock, .. } = &mut self.phase else { return };
        if let Some(pong) = knock.hear(bytes) {
            self.tell(now, pong);
            self.finish();
        }
    }

    /// Takes note of what the opening handshake agreed on.
    fn agree(&mut self, negotiated: Negotiated) {
        self.receiver.agree(negotiated);
        self.negotiated = negotiated;
    }

    fn hear(&mut self, now: Duration, bytes: &[u8]) {
        if !self.opened && is_request(bytes) {
            self.log.push(What::Http { dir: Direction::Received, message: http_message(bytes) });
            self.log.push(What::Closed { how: ClosedHow::Normal });
            return self.finish();
        }
        self.received_bytes += bytes.len() as u64;
        self.receiver.push(bytes);
        if self.receiver.in_message() {
            self.progress = now;
        }
        while let Some(heard) = self.receiver.next() {
            let Some(mut heard) = self.hear_in_exchange(now, heard) else { continue };
            let control = heard.control();
            self.tell(now, heard.what());
            if self.answers.len() > self.answers_allowed {
                return self.give_up("the peer to stop answering what nobody asked for");
            }
            match control {
                None => {}
                Some(Control::Ping(payload)) => self.answer_ping(&payload),
                Some(Control::Pong(payload)) => {
                    if let Some(probe) = &mut self.probe
                        && probe.payload.as_bytes() == &payload[..]
                    {
                        probe.answered.get_or_insert(now);
                        self.progress = now;
                    }
                }
                Some(Control::Close(code)) => {
                    self.peer_close.get_or_insert(code);
                }
            }
        }
        if self.receiver.frames() > self.frames_allowed {
            self.give_up("the peer to stop sending frames that nobody asked for");
        }
    }

    /// Adds what the peer did to the transcript and, where it is one, to the answers.
    pub(super) fn tell(&mut self, now: Duration, what: What) {
        if let Some((answer, times)) = Answer::in_entry(&what) {
            if self.log.prelude || self.plan.counts(&answer) {
                self.progress = now;
                self.answers.extend(std::iter::repeat_n(answer, times as usize));
            } else {
                self.passed_over += 1;
                if self.passed_over > TOLD_MESSAGES {
                    return;
                }
            }
        }
        self.log.push(what);
    }

    /// RFC 6455 5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it
    /// already received a Close frame." While we are writing, a pong could fall into the middle of a frame.
    fn answer_ping(&mut self, payload: &[u8]) {
        if self.peer_close.is_none()
            && !self.sender.sent_close()
            && self.sender.is_idle()
            && self.sender.at_boundary()
        {
            self.sender.lawful(Opcode::PONG, payload, self.log.step);
        }
    }

    fn peer_gone(&mut self, now: Duration, how: What) {
        self.heard = now;
        self.gone = true;
        self.sender.discard();
        self.end_exchange();
        self.log_unfinished();
        self.log.push(how);
        self.prelude_failed(&self.peers_end());
        if let Phase::Opening { opener, .. } = &mut self.phase {
            for what in opener.ended() {
                self.tell(now, what);
            }
            return self.finish();
        }
        if !matches!(self.phase, Phase::Draining { ended: true, .. }) {
            self.log.push(What::Closed { how: ClosedHow::Normal });
        }
        self.finish();
    }

    /// A frame that the end of the connection cut short is part of the story.
    fn log_unfinished(&mut self) {
        for what in self.receiver.unfinished() {
            self.log.push(what);
        }
    }

    /// Whether the peer began to end the connection while we were at the steps: nothing more of them is sent.
    fn is_overtaken(&self) -> bool {
        self.peer_is_ending() && matches!(self.phase, Phase::Playing { .. } | Phase::Settling { .. })
    }

    pub(super) fn peer_is_ending(&self) -> bool {
        self.gone || self.peer_close.is_some()
    }

    fn advance(&mut self, now: Duration) -> Flow {
        match &self.phase {
            Phase::Done => Flow::Wait(self.whole),
            Phase::Opening { .. } if self.ends_early.is_some() && self.sender.is_idle() => {
                if let Some(end) = self.ends_early.take() {
                    self.end_early(end);
                }
                Flow::Again
            }
            Phase::Opening { until, .. } if now < *until && !self.has_held() => {
                Flow::Wait(self.next_look(now, *until))
            }
            Phase::Opening { opener, .. } => {
                for what in opener.timed_out() {
                    self.tell(now, what);
                }
                self.finish();
                Flow::Again
            }
            Phase::Knocking { until, .. } if now < *until => Flow::Wait(*until),
            Phase::Knocking { .. } => {
                self.finish();
                Flow::Again
            }
            Phase::Playing { .. } | Phase::Settling { .. } if self.is_overtaken() => {
                self.prelude_failed(&self.peers_end());
                self.end_exchange();
                self.answer_close(now)
            }
            Phase::Playing { .. } => self.play(now),
            Phase::Settling { since } => {
                let since = *since;
                self.settle(now, since)
            }
            Phase::Closing { .. } if self.peer_close.is_some() => {
                self.drain(now);
                Flow::Again
            }
            Phase::Draining { ended: false, .. } if self.role == Role::Client && self.sender.is_idle() => {
                if let Phase::Draining { ended, .. } = &mut self.phase {
                    *ended = true;
                }
                self.log.push(What::Closed { how: ClosedHow::Normal });
                self.queued.push_back(Action::ShutdownWrite);
                Flow::Again
            }
            Phase::Closing { until } | Phase::Draining { until, .. } if now < *until => Flow::Wait(*until),
            Phase::Closing { .. } => {
                self.give_up("a Close frame in answer to ours");
                Flow::Again
            }
            Phase::Draining { .. } => {
                match self.role {
                    Role::Server => self.give_up("the server to end TCP"),
                    // It was ours to end and we have; that the client's end did not come back says nothing of it.
                    Role::Client => self.finish(),
                }
                Flow::Again
            }
        }
    }
}
