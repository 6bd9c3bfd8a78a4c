//! One scenario: fitted to the target, played, judged.

use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::model::{Need, Scenario, Step};
use wsgrade_reports::record::{Behavior, CaseRecord, TargetFacts, Transcript, What};

use super::place::Place;
use crate::adapt::{Adapted, adapt};
use crate::behaviour::Behaviour;
use crate::engine::Limits;
use crate::judge::{Judgement, judge, trouble};
use crate::plan::Plan;
use crate::runner::case;
use crate::signature::Signature;
use crate::streams::Streams;

/// Plays scenarios in one place.
#[derive(Clone, Debug)]
pub struct Player {
    /// Where.
    pub place: Place,
    /// What was found of the endpoint.
    pub facts: Arc<TargetFacts>,
    /// How long to wait where a failure is looked at again.
    pub patient: Limits,
    /// How long to wait where it is not.
    pub quick: Limits,
    /// How long to wait while a scenario is made simpler, where a wrong step is found out later.
    pub brief: Limits,
    streams: Arc<Streams>,
    /// Played on every connection before the steps of a scenario.
    prelude: Arc<[Step]>,
}

/// What came of a scenario.
#[derive(Debug)]
pub struct Played {
    /// What was on the wire.
    pub transcript: Transcript,
    /// How long it took.
    pub took: Duration,
    /// The verdict.
    pub judgement: Judgement,
    /// What went wrong, if anything.
    pub signature: Option<Signature>,
    /// What the peer did, in short.
    pub behaviour: Behaviour,
}

/// How long to wait for an answer in a campaign: what is late is looked at again with patience.
const QUICK: Duration = Duration::from_secs(1);
/// How long to be silent before we ask whether the peer is alive.
const QUICK_SILENCE: Duration = Duration::from_millis(100);

/// The same while a scenario is made simpler, against what is on this machine.
const BRIEF: Duration = Duration::from_millis(250);
const BRIEF_SILENCE: Duration = Duration::from_millis(40);

impl Player {
    /// With the patience that the user asked for.
    pub fn new(place: Place, facts: TargetFacts, patient: Limits) -> Self {
        let quick = Limits {
            answer: patient.answer.min(QUICK),
            close: patient.close.min(QUICK),
            // An opening that is never finished is answered by nobody, and costs all of this.
            opening: patient.opening.min(if place.is_near() { BRIEF } else { QUICK }),
            silence: patient.silence.min(QUICK_SILENCE),
            ..patient.clone()
        };
        let brief = match place.is_near() {
            true => Limits {
                answer: quick.answer.min(BRIEF),
                close: quick.close.min(BRIEF),
                silence: quick.silence.min(BRIEF_SILENCE),
                ..quick.clone()
            },
            false => quick.clone(),
        };
        let (facts, streams, prelude) = (Arc::new(facts), Arc::default(), Arc::default());
        Self { place, facts, patient, quick, brief, streams, prelude }
    }

    /// The same, with these steps on every connection before those of a scenario.
    pub fn with_prelude(self, prelude: Arc<[Step]>) -> Self {
        Self { prelude, ..self }
    }

    /// The scenario as this target can play it; `None` where it would say nothing.
    pub fn fit(&self, scenario: &Arc<Scenario>) -> Option<Arc<Plan>> {
        let needs = &scenario.needs;
        if needs.contains(&Need::Deflate) && self.facts.deflate.is_none() {
            return None;
        }
        let plan = || Plan::new(Arc::clone(scenario), Arc::clone(&self.streams));
        let plan = match adapt(scenario, &self.facts) {
            Adapted::AsWritten => plan(),
            Adapted::WithoutEcho { scenario, why } => plan().without_echo(*scenario, why),
            Adapted::Unplayable(_) => return None,
        };
        Some(Arc::new(if self.prelude.is_empty() { plan } else { plan.with_prelude(&self.prelude) }))
    }

    /// Plays it once.
    pub async fn play(&self, plan: &Arc<Plan>, limits: &Limits, seed: u64) -> Played {
        let (transcript, took) = self.place.play(plan, limits, seed).await;
        let judgement = judge(plan, self.place.role(), &transcript);
        let signature = Signature::of(&plan.scenario, &judgement);
        let behaviour = Behaviour::of(&transcript, &judgement);
        Played { transcript, took, judgement, signature, behaviour }
    }

    /// Plays it as a case of its own name, with the same random bytes as `wsgrade replay`.
    pub async fn play_as_case(&self, plan: &Arc<Plan>, limits: &Limits, seed: u64) -> Played {
        self.play(plan, limits, case::seed_of(seed, plan.scenario.id.as_str())).await
    }

    /// Plays a case of resilience, and says what the report says of it; see [`Place::press`].
    pub(super) async fn press(&self, plan: &Arc<Plan>, seed: u64) -> Option<CaseRecord> {
        self.place.press(plan, &self.patient, seed).await
    }

    /// What the report says of it.
    pub fn record(&self, plan: &Plan, played: Played, repeat: &str) -> CaseRecord {
        let Played { transcript, took, .. } = played;
        case::record(plan, self.place.role(), self.place.carrier(), transcript, took, repeat)
    }
}

impl Played {
    /// Why nothing can be said of the target, where nothing can.
    pub fn trouble(&self, plan: &Plan) -> Option<&str> {
        if self.judgement.behavior != Behavior::Inconclusive {
            return None;
        }
        trouble(&plan.scenario, &self.transcript).map(|(_, reason)| reason)
    }

    /// Whether anything was waited for in vain, so that patience might cure it.
    pub fn timed_out(&self) -> bool {
        self.transcript.entries.iter().any(|entry| matches!(entry.what, What::TimedOut { .. }))
    }

    /// Whether TCP ended in a way that may be the end of the process.
    pub fn broke_off(&self, plan: &Plan) -> bool {
        let last =
            |entry: &wsgrade_reports::record::Entry| matches!(entry.what, What::Reset | What::EndOfStream);
        self.trouble(plan).is_some() || self.transcript.entries.iter().any(last)
    }
}
