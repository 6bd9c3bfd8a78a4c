//! The second half of the machine: waiting until the outcome is known, and ending the connection.

use std::time::Duration;

use wsgrade_cases::model::By;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{ClosedHow, What};

use super::close::{GOING_AWAY, NORMAL, reply_to};
use super::machine::{Engine, Flow, Phase, Probe};
use crate::answer::{Fit, Pattern};

impl Engine {
    // ---- the outcome ----

    /// Everything is sent: waits until the outcome is known, then ends the connection.
    pub(super) fn settle(&mut self, now: Duration, since: Duration) -> Flow {
        if self.sender.sent_close() {
            self.phase = Phase::Closing { until: now.saturating_add(self.limits.close) };
            return Flow::Again;
        }
        let until = self.progress.max(since).saturating_add(self.limits.answer);
        match self.ending.by {
            By::Us | By::Either => {
                if self.outcome_is_known() {
                    return self.close(now, NORMAL);
                }
                if now >= until {
                    self.log.push(What::TimedOut { waited_for: "the expected answers".to_owned() });
                    return self.close(now, NORMAL);
                }
                Flow::Wait(until)
            }
            By::Peer => self.settle_failing(now, since, until),
        }
    }

    /// The peer has to fail the connection. If it answers what it must not, or is silent but alive, then it has
    /// not, and waiting longer would show nothing new.
    fn settle_failing(&mut self, now: Duration, since: Duration, until: Duration) -> Flow {
        let fits: Vec<_> = self.plan.patterns().iter().map(|pattern| self.fit(pattern)).collect();
        if !fits.is_empty() && fits.iter().all(|fit| *fit == Fit::No) {
            return self.close(now, GOING_AWAY);
        }
        let fresh = self.probe.as_ref().filter(|probe| probe.answered.is_none_or(|at| at >= since));
        match fresh {
            None => {
                // What is passed over does not put off the question.
                let heard = if self.plan.adapted().is_some() { since } else { self.heard.max(since) };
                let ask_at = heard.saturating_add(self.limits.silence);
                if now >= ask_at && self.sender.at_boundary() {
                    self.send_probe();
                    return Flow::Again;
                }
                if now < until {
                    return Flow::Wait(if self.sender.at_boundary() { ask_at.min(until) } else { until });
                }
            }
            Some(Probe { answered: Some(at), .. }) => {
                let until = at.saturating_add(self.limits.silence);
                if now < until {
                    return Flow::Wait(until);
                }
            }
            Some(Probe { answered: None, .. }) => {
                if now < until {
                    return Flow::Wait(until);
                }
            }
        }
        self.log.push(What::TimedOut { waited_for: "the peer to fail the connection".to_owned() });
        self.close(now, GOING_AWAY)
    }

    /// Whether nothing that may still come can change which outcome is the first to match.
    fn outcome_is_known(&self) -> bool {
        for pattern in self.plan.patterns() {
            match self.fit(pattern) {
                Fit::Match => return true,
                Fit::Possible => return false,
                Fit::No => {}
            }
        }
        true
    }

    /// How what came compares with an outcome: one that is about a refusal cannot be, now that the connection is open.
    fn fit(&self, pattern: &Pattern) -> Fit {
        if pattern.is_of_opening() { Fit::No } else { pattern.fit(&self.answers) }
    }

    // ---- the end ----

    /// Begins the closing handshake, where the peer can still read a frame.
    pub(super) fn close(&mut self, now: Duration, body: &[u8]) -> Flow {
        if self.sender.at_boundary() {
            self.sender.lawful(Opcode::CLOSE, body, self.log.step);
            self.phase = Phase::Closing { until: now.saturating_add(self.limits.close) };
        } else {
            self.log.push(What::Closed { how: ClosedHow::GaveUp });
            self.finish();
        }
        Flow::Again
    }

    /// The peer closes while we were still at it: answers its Close.
    pub(super) fn answer_close(&mut self, now: Duration) -> Flow {
        self.sender.discard();
        self.log.step = None;
        if let Some(code) = self.peer_close
            && !self.sender.sent_close()
            && self.sender.at_boundary()
        {
            self.sender.lawful(Opcode::CLOSE, &reply_to(code), self.log.step);
        }
        self.drain(now);
        Flow::Again
    }

    /// Both Close frames are out: the server ends TCP first (RFC 6455 7.1.1).
    pub(super) fn drain(&mut self, now: Duration) {
        self.phase = Phase::Draining { until: now.saturating_add(self.limits.close), ended: false };
    }

    pub(super) fn give_up(&mut self, waited_for: &str) {
        self.log.push(What::TimedOut { waited_for: waited_for.to_owned() });
        self.log.push(What::Closed { how: ClosedHow::GaveUp });
        self.finish();
    }

    pub(super) fn finish(&mut self) {
        self.prelude_failed("it did not come to its end in time");
        self.sender.discard();
        self.phase = Phase::Done;
    }
}
