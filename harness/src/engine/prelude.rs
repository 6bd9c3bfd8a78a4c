//! The prelude: what a target wants before it behaves, played before the steps of the case.
//!
//! Its entries are marked in the transcript and nothing in it counts as an answer. Where it fails, nothing can be said of
//! the case: that is trouble of ours, whoever is to blame.

use std::time::Duration;

use wsgrade_reports::record::What;

use super::close::NORMAL;
use super::machine::{Engine, Flow, Phase, StepWait};

impl Engine {
    /// The connection is open: what comes now is the prelude's, where there is one.
    pub(super) fn begin_prelude(&mut self) {
        self.log.prelude = !self.plan.prelude().is_empty();
    }

    /// Ends the prelude, or says how it goes on until then.
    ///
    /// What the target has to say of its last step may come in several messages, of which only the first was awaited. So a ping
    /// comes behind it, and what is there before the pong is no answer to the case.
    pub(super) fn end_prelude(&mut self, now: Duration, waiting: Option<StepWait>) -> Option<Flow> {
        let until = match waiting {
            Some(
                StepWait::Answer { until, .. }
                | StepWait::Probe { until, .. }
                | StepWait::Pause { until, .. }
                | StepWait::Hold { until, .. },
            ) => until,
            None => {
                self.sender.flush();
                if self.sender.is_idle() {
                    self.send_probe();
                    self.wait_at_the_end(now.saturating_add(self.limits.silence));
                }
                return Some(Flow::Again);
            }
        };
        let answered = self.probe.as_ref().is_some_and(|probe| probe.answered.is_some());
        // A target that answers no ping has still done what was awaited.
        if !answered && now < until {
            self.wait_at_the_end(until);
            return Some(Flow::Wait(until));
        }
        self.log.prelude = false;
        self.answers.clear();
        self.awaited = 0;
        self.probe = None;
        self.progress = now;
        None
    }

    fn wait_at_the_end(&mut self, until: Duration) {
        if let Phase::Playing { wait, .. } = &mut self.phase {
            *wait = Some(StepWait::Probe { mark: String::new(), until });
        }
    }

    /// A wait of the prelude was in vain.
    pub(super) fn leave_prelude(&mut self, now: Duration, waited_for: &str) -> Flow {
        self.prelude_failed(&format!("waited in vain for {waited_for}"));
        self.close(now, NORMAL)
    }

    /// Nothing can be played any more. Does nothing once the prelude is over.
    pub(super) fn prelude_failed(&mut self, why: &str) {
        if !std::mem::take(&mut self.log.prelude) {
            return;
        }
        let step = match &self.phase {
            Phase::Playing { step, .. } if *step >= self.plan.prelude().len() => " at its end".to_owned(),
            Phase::Playing { step, .. } => format!(" at its step {}", step + 1),
            Phase::Opening { .. }
            | Phase::Settling { .. }
            | Phase::Knocking { .. }
            | Phase::Closing { .. }
            | Phase::Draining { .. }
            | Phase::Done => String::new(),
        };
        self.log.push(What::Trouble { reason: format!("the prelude failed{step}: {why}") });
    }

    /// What the peer did to end the connection, to follow "the server".
    pub(super) fn peers_end(&self) -> String {
        match self.peer_close {
            Some(Some(code)) => format!("the server closed the connection with {code}"),
            Some(None) => "the server closed the connection".to_owned(),
            None => "the server ended TCP".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wsgrade_cases::Catalogue;
    use wsgrade_cases::load::read_prelude;
    use wsgrade_cases::model::Scenario;
    use wsgrade_reports::record::Behavior;

    use crate::plan::Plan;
    use crate::simulated::{Played, Quirk, SimulatedServer, play_with};

    /// What an echo answers to.
    const LOGIN: &str = r#"steps = [
        { send = "text", text = "login" },
        { await = "text", text = "login" },
        { send = "ping", text = "again" },
        { await = "pong", text = "again" },
        { send = "text", text = "subscribe" },
        { await = "any" },
    ]"#;

    fn case(id: &str) -> Scenario {
        Catalogue::embedded().get(&id.parse().unwrap()).unwrap().clone()
    }

    fn played(scenario: Scenario, prelude: &str, quirk: Quirk) -> Played {
        let prelude = read_prelude("prelude.toml", prelude).unwrap().into();
        let plan = Arc::new(Plan::alone(scenario).with_prelude(&prelude));
        play_with(&plan, &mut SimulatedServer::new(quirk))
    }

    fn reason(prelude: &str, quirk: Quirk) -> String {
        let played = played(case("1.1.2"), prelude, quirk);
        assert_eq!(played.judgement.behavior, Behavior::Inconclusive, "{:#?}", played.transcript);
        played.judgement.findings[0].observed.clone()
    }

    #[test]
    fn what_it_says_and_hears_is_no_part_of_the_case() {
        for id in ["1.1.2", "2.2", "2.10", "3.2", "5.6", "6.4.1", "7.1.1"] {
            let played = played(case(id), LOGIN, Quirk::None);
            assert_eq!(played.judgement.behavior, Behavior::Pass, "{id}: {:#?}", played.judgement.findings);
            let entries = &played.transcript.entries;
            let marked = entries.iter().filter(|entry| entry.prelude).count();
            // Three frames each way, two of them messages, and the ping at the end.
            assert_eq!(marked, 10, "{id}: {entries:#?}");
            assert!(entries.iter().all(|entry| !entry.prelude || entry.step.is_none()), "{id}");
            let first = entries.iter().position(|entry| entry.step == Some(0)).unwrap();
            assert!(entries[first..].iter().all(|entry| !entry.prelude), "{id}: {entries:#?}");
        }
        // Nor is what it does not do: the case fails for its own fault.
        let played = played(case("1.1.2"), "steps = [{ send = \"ping\" }]", Quirk::CorruptsEcho);
        assert_eq!(played.judgement.behavior, Behavior::Fail);
    }

    #[test]
    fn where_it_fails_nothing_is_said_of_the_case() {
        let probe = "steps = [{ send = \"text\", text = \"login\" }, { probe = \"alive\" }]";
        insta::assert_snapshot!(
            [
                reason(LOGIN, Quirk::Reads),
                reason(LOGIN, Quirk::CorruptsEcho),
                reason(LOGIN, Quirk::NoPong),
                reason(LOGIN, Quirk::ClosesAtOnce),
                reason(LOGIN, Quirk::ClosesAtText(1008)),
                reason(LOGIN, Quirk::EndsAtOnce),
                reason(probe, Quirk::NoPong),
                reason(LOGIN, Quirk::EndlessMessage),
            ]
            .join("\n"),
            @"
        the prelude failed at its step 2: waited in vain for the answer awaited there
        the prelude failed at its step 2: waited in vain for the answer awaited there
        the prelude failed at its step 4: waited in vain for the answer awaited there
        the prelude failed at its step 2: the server closed the connection with 1011
        the prelude failed at its step 2: the server closed the connection with 1008
        the prelude failed at its step 2: the server ended TCP
        the prelude failed at its step 2: waited in vain for the pong to our ping
        the prelude failed at its step 2: it did not come to its end in time
        "
        );
    }

    /// Only the first of what it has to say is awaited.
    #[test]
    fn what_comes_before_the_pong_at_its_end_is_no_answer() {
        let brief = "steps = [{ send = \"text\", text = \"login\" }, { await = \"any\" }]";
        let twice = played(case("2.2"), brief, Quirk::EchoesTwice);
        assert_eq!(twice.judgement.behavior, Behavior::Pass, "{:#?}", twice.transcript);
        // Who answers no ping is not waited for longer, and fails for that alone.
        let deaf = played(case("1.1.2"), brief, Quirk::NoPong);
        assert_eq!(deaf.judgement.behavior, Behavior::Pass, "{:#?}", deaf.transcript);
        assert_eq!(played(case("2.2"), brief, Quirk::NoPong).judgement.behavior, Behavior::Fail);
    }

    #[test]
    fn it_is_not_played_where_there_is_no_time_for_it() {
        let mut early = case("1.1.2");
        early.opening.early = true;
        let played = played(early, LOGIN, Quirk::None);
        assert!(played.transcript.entries.iter().all(|entry| !entry.prelude));
        assert_eq!(played.judgement.behavior, Behavior::Pass, "{:#?}", played.judgement.findings);
    }
}
