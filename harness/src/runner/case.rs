//! One case against one target, from connect to record.

use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::model::Scenario;
use wsgrade_codec::Role;
use wsgrade_reports::record::{self, Behavior, CaseRecord, CloseVerdict, Finding, Transcript};

use super::{Settings, milliseconds};
use crate::carrier::{self, Patience};
use crate::engine::{Engine, Pulse};
use crate::judge::{judge, trouble};
use crate::plan::Plan;
use crate::target::Target;

/// Plays a case and judges it.
pub(super) async fn play(plan: &Arc<Plan>, target: &Target, settings: &Settings, repeat: &str) -> CaseRecord {
    let (transcript, took) = play_on(plan, target, settings).await;
    record(plan, Role::Server, target.carrier(), transcript, took, repeat)
}

/// Judges what was on the wire. `role` is that of the endpoint under test.
pub(crate) fn record(
    plan: &Plan,
    role: Role,
    carrier: &str,
    transcript: Transcript,
    took: Duration,
    repeat: &str,
) -> CaseRecord {
    let judgement = judge(plan, role, &transcript);
    CaseRecord {
        id: plan.scenario.id.to_string(),
        role: in_record(role),
        carrier: carrier.to_owned(),
        behavior: judgement.behavior,
        close: judgement.close,
        close_code: judgement.close_code,
        duration_ms: milliseconds(took),
        findings: judgement.findings,
        when_busy: None,
        repeats: None,
        adapted: plan.adapted().map(str::to_owned),
        expected: None,
        repeat: format!("{repeat}{}", plan.scenario.id),
        transcript,
    }
}

fn in_record(role: Role) -> record::Role {
    match role {
        Role::Server => record::Role::Server,
        Role::Client => record::Role::Client,
    }
}

/// Plays a case and says only what was on the wire.
pub(super) async fn play_on(
    plan: &Arc<Plan>,
    target: &Target,
    settings: &Settings,
) -> (Transcript, Duration) {
    play_beside(plan, target, settings, None).await
}

/// The same beside a canary.
pub(super) async fn play_beside(
    plan: &Arc<Plan>,
    target: &Target,
    settings: &Settings,
    pulse: Option<&Arc<Pulse>>,
) -> (Transcript, Duration) {
    let _place = settings.gate.enter(target).await;
    let limits = &settings.limits;
    let seed = seed_of(settings.seed, plan.scenario.id.as_str());
    let mut engine = Engine::connecting(Arc::clone(plan), target.request.clone(), limits.clone(), seed);
    if let Some(pulse) = pulse {
        engine = engine.beside(Arc::clone(pulse));
    }
    if let Some(witness) = settings.witness(plan.scenario.id.as_str()) {
        engine = engine.before(witness);
    }
    let patience = Patience { connect: limits.opening, write: limits.answer };
    carrier::play(engine, target.addr, target.tls.as_ref(), patience).await
}

/// The record of a case that was not played because the target lacks what it needs, or may not be played against.
pub(crate) fn unimplemented(
    scenario: &Scenario,
    role: Role,
    carrier: &str,
    lacks: &str,
    repeat: &str,
) -> CaseRecord {
    CaseRecord {
        id: scenario.id.to_string(),
        role: in_record(role),
        carrier: carrier.to_owned(),
        behavior: Behavior::Unimplemented,
        close: CloseVerdict::Informational,
        close_code: None,
        duration_ms: 0.0,
        findings: vec![Finding {
            rule: scenario.rules.first().map(ToString::to_string).unwrap_or_default(),
            expected: "a target that has what the case needs".to_owned(),
            observed: format!("the target {lacks}; the case was not played"),
            entry: None,
        }],
        when_busy: None,
        repeats: None,
        adapted: None,
        expected: None,
        repeat: format!("{repeat}{}", scenario.id),
        transcript: Transcript::default(),
    }
}

/// Whether the case could not be played for want of a connection, and why.
pub(super) fn no_connection<'a>(plan: &Plan, transcript: &'a Transcript) -> Option<&'a str> {
    trouble(&plan.scenario, transcript).map(|(_, reason)| reason)
}

/// Each case has random bytes of its own, the same whatever else is selected (FNV-1a over the id).
pub(crate) fn seed_of(run: u64, id: &str) -> u64 {
    id.bytes().fold(run ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
