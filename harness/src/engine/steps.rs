//! The steps of a case, one after another: the part of the machine between the opening and the outcome.

use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::model::{Awaited, DeflateWish, End, Ending, Need, Step};
use wsgrade_codec::deflate;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{ClosedHow, What};

use super::Action;
use super::flood::is_flood;
use super::machine::{Engine, Flow, Phase, Probe, StepWait};
use crate::answer::{Answer, PROBE};

/// How often we look whether the canary was answered.
const LOOK: Duration = Duration::from_millis(5);
/// The beat that was under way when we began to hold on says nothing; the next one does.
const BEATS: u64 = 2;

impl Engine {
    pub(super) fn play(&mut self, now: Duration) -> Flow {
        if matches!(self.phase, Phase::Playing { step: 0, .. }) && self.is_declined() {
            // Nor is there any use in a prelude then.
            self.log.prelude = false;
            self.tell(now, What::Declined { extension: deflate::NAME.to_owned() });
            // Nothing was sent over which the peer could fail the connection.
            self.ending = Ending::ordinary();
            self.phase = Phase::Settling { since: now };
            return Flow::Again;
        }
        let Phase::Playing { step, wait } = &mut self.phase else { return Flow::Again };
        let at = *step;
        if self.log.prelude && at >= self.plan.prelude().len() {
            let waiting = wait.take();
            if let Some(flow) = self.end_prelude(now, waiting) {
                return flow;
            }
        }
        let plan = Arc::clone(&self.plan);
        let current = plan.step(at);
        if self.takes_up(current.map(|(_, step)| step)) {
            return Flow::Again;
        }
        let Some((of_case, current)) = current else {
            self.log.step = None;
            self.sender.flush();
            if self.sender.is_idle() {
                self.progress = now;
                self.phase = Phase::Settling { since: now };
            }
            return Flow::Again;
        };
        self.log.step = of_case;
        match current {
            Step::Send(frame) if is_flood(frame) => return self.play_flood(now, frame, at),
            Step::Send(_) | Step::More { .. } | Step::Raw { .. } => {
                self.send(of_case, current);
            }
            Step::Exchange(exchange) => return self.play_exchange(now, exchange),
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {
                if let Phase::Playing { wait, .. } = &mut self.phase
                    && let Some(wait) = wait.take()
                {
                    return self.wait(now, wait);
                }
                self.sender.flush();
                if !self.sender.is_idle() {
                    return Flow::Again;
                }
                return self.begin(now, current);
            }
        }
        self.next_step();
        Flow::Again
    }

    /// Whether the case needs compression and none of its wishes was granted: RFC 7692 7.2.1, what we may send depends
    /// on "the agreed parameters".
    fn is_declined(&self) -> bool {
        let scenario = &self.plan.scenario;
        let us = self.role.peer();
        let agreed = self.negotiated.deflate.as_ref();
        let granted = |wish: &DeflateWish| agreed.is_some_and(|agreed| wish.is_granted(agreed, us));
        let wishes = &scenario.opening.deflate;
        scenario.needs.contains(&Need::Deflate) && !wishes.is_empty() && !wishes.iter().any(granted)
    }

    pub(super) fn next_step(&mut self) {
        if let Phase::Playing { step, wait } = &mut self.phase {
            *step += 1;
            *wait = None;
        }
    }

    /// Begins a step that waits or ends; everything before it has been written.
    fn begin(&mut self, now: Duration, current: &Step) -> Flow {
        let begun = match current {
            Step::Await { event, within } => StepWait::Answer {
                event: event.clone(),
                until: now.saturating_add(within.unwrap_or(self.limits.answer)),
            },
            Step::Probe { mark } => {
                self.send_probe();
                StepWait::Probe { mark: mark.clone(), until: now.saturating_add(self.limits.answer) }
            }
            Step::Pause { time, mark } => {
                StepWait::Pause { mark: mark.clone(), until: now.saturating_add(*time) }
            }
            Step::Read(on) => {
                self.queued.push_back(Action::Read(*on));
                self.next_step();
                return Flow::Again;
            }
            Step::Hold { within } => match &self.pulse {
                Some(pulse) => StepWait::Hold { beats: pulse.beats(), until: now.saturating_add(*within) },
                None => {
                    self.next_step();
                    return Flow::Again;
                }
            },
            Step::End(End::Abort) => {
                self.log.push(What::Closed { how: ClosedHow::Abort });
                self.queued.push_back(Action::Abort);
                self.finish();
                return Flow::Again;
            }
            Step::End(End::Half) => {
                self.log.push(What::Closed { how: ClosedHow::Half });
                self.queued.push_back(Action::ShutdownWrite);
                self.sender.end();
                self.next_step();
                return Flow::Again;
            }
            Step::Send(_) | Step::More { .. } | Step::Raw { .. } | Step::Exchange(_) => {
                self.next_step();
                return Flow::Again;
            }
        };
        if let Phase::Playing { wait, .. } = &mut self.phase {
            *wait = Some(begun);
        }
        Flow::Again
    }

    /// Looks whether a step has waited long enough.
    fn wait(&mut self, now: Duration, waiting: StepWait) -> Flow {
        let (over, until) = match &waiting {
            StepWait::Answer { event, until } => {
                let found = self.awaited_came(event);
                if !found && now >= *until {
                    if self.log.prelude {
                        return self.leave_prelude(now, "the answer awaited there");
                    }
                    self.log
                        .push(What::TimedOut { waited_for: "the answer awaited in this step".to_owned() });
                }
                (found || now >= *until, *until)
            }
            StepWait::Probe { mark, until } => {
                let answered = self.probe.as_ref().is_some_and(|probe| probe.answered.is_some());
                if answered {
                    self.set_mark(mark.clone());
                } else if now >= *until {
                    if self.log.prelude {
                        return self.leave_prelude(now, "the pong to our ping");
                    }
                    self.log.push(What::TimedOut { waited_for: "the pong to our ping".to_owned() });
                }
                (answered || now >= *until, *until)
            }
            StepWait::Pause { mark, until } => {
                if now >= *until
                    && let Some(mark) = mark
                {
                    self.set_mark(mark.clone());
                }
                (now >= *until, *until)
            }
            StepWait::Hold { beats, until } => {
                let answered = self.beats_since(*beats);
                if !answered && now >= *until {
                    self.log.push(What::TimedOut { waited_for: "the canary to be answered".to_owned() });
                }
                (answered || now >= *until, (*until).min(now.saturating_add(LOOK)))
            }
        };
        if over {
            self.progress = now;
            self.next_step();
            return Flow::Again;
        }
        if let Phase::Playing { wait, .. } = &mut self.phase {
            *wait = Some(waiting);
        }
        Flow::Wait(until)
    }

    /// What the peer has not taken of a flood goes out before anything else that is sent. Whether there was such.
    fn takes_up(&mut self, next: Option<&Step>) -> bool {
        let sends = match next {
            None
            | Some(
                Step::Send(_)
                | Step::More { .. }
                | Step::Raw { .. }
                | Step::Await { .. }
                | Step::Probe { .. }
                | Step::Exchange(_)
                | Step::End(End::Half),
            ) => true,
            Some(Step::Pause { .. } | Step::Read(_) | Step::Hold { .. } | Step::End(End::Abort)) => false,
        };
        match self.untaken.take_if(|_| sends) {
            Some((rest, at_boundary)) => {
                self.sender.resume(rest, at_boundary);
                true
            }
            None => false,
        }
    }

    /// Whether the canary was answered since it had been so many times.
    fn beats_since(&self, beats: u64) -> bool {
        self.pulse.as_ref().is_none_or(|pulse| pulse.beats() >= beats + BEATS)
    }

    /// Whether an opening that we never finish was held for long enough: others were served beside it.
    pub(super) fn has_held(&self) -> bool {
        let unfinished = self.plan.scenario.opening.unfinished;
        unfinished && self.pulse.is_some() && self.held_from.is_some_and(|beats| self.beats_since(beats))
    }

    /// When to look again while an opening goes on.
    pub(super) fn next_look(&mut self, now: Duration, until: Duration) -> Duration {
        let Some(pulse) = &self.pulse else { return until };
        if !self.plan.scenario.opening.unfinished {
            return until;
        }
        // Everything is written, or we would not wait.
        self.held_from.get_or_insert(pulse.beats());
        until.min(now.saturating_add(LOOK))
    }

    fn awaited_came(&mut self, event: &Awaited) -> bool {
        let wanted = match event {
            Awaited::Answer(expected) => Some(Answer::expected(expected, self.plan.streams())),
            Awaited::Any => None,
            // The phase is left as soon as the peer begins to end the connection.
            Awaited::Close => return self.peer_is_ending(),
        };
        let fresh = &self.answers[self.awaited..];
        match fresh.iter().position(|answer| wanted.as_ref().is_none_or(|wanted| wanted == answer)) {
            Some(at) => {
                self.awaited += at + 1;
                true
            }
            None => false,
        }
    }

    fn set_mark(&mut self, mark: String) {
        let answer = Answer::Open(mark.clone());
        if self.plan.counts(&answer) {
            self.answers.push(answer);
        }
        self.log.push(What::StillOpen { mark });
    }

    pub(super) fn send_probe(&mut self) {
        let payload = format!("{PROBE}{}", self.sender.token());
        self.sender.lawful(Opcode::PING, payload.as_bytes(), self.log.step);
        self.probe = Some(Probe { payload, answered: None });
    }
}
