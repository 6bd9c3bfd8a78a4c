//! The judge: a pure function of scenario and transcript.
//!
//! ```text
//! Transcript ─┬─ answers ─┐
//!             ├─ ending  ─┼─ first accepted outcome that matches ─▶ behavior ─┐
//!             ├─ violations in the peer's own frames and keys ────▶ behavior ─┼─▶ Judgement
//!             └─ ending ── the ending that outcome asks for ──────▶ close    ─┘
//! ```
//!
//! Two axes: what the peer did, and how the connection ended. What failed on our side or in the network is
//! inconclusive on both, whatever else the transcript holds.

mod describe;
mod ending;
mod masks;
pub(crate) mod rules;
pub(crate) mod stress;
#[cfg(test)]
mod tests;

use wsgrade_cases::Register;
use wsgrade_cases::describe as in_words;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{Accept, By, Expected, Outcome, Saw, Scenario};
use wsgrade_codec::Role;
use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, Entry, Finding, Transcript, What};

use crate::answer::{Answer, Fit, Heard, answers_in};
use crate::plan::Plan;
use ending::{Facts, judge_ending};

/// What the judge has to say of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What the peer did.
    pub behavior: Behavior,
    /// How the connection ended.
    pub close: CloseVerdict,
    /// The status code in the peer's Close.
    pub close_code: Option<u16>,
    /// Why.
    pub findings: Vec<Finding>,
    /// What came beside what the first outcome asks for, where none matched, or no connection was opened.
    pub heard: Heard,
    /// Whether the peer began to end the connection.
    pub by_peer: bool,
}

impl From<&CaseRecord> for Judgement {
    /// What a record says of a case. It does not hold what was heard, and who began to end the connection.
    fn from(record: &CaseRecord) -> Self {
        let CaseRecord { behavior, close, close_code, findings, .. } = record;
        Self {
            behavior: *behavior,
            close: *close,
            close_code: *close_code,
            findings: findings.clone(),
            heard: Heard::AsAsked,
            by_peer: false,
        }
    }
}

/// Judges one transcript. `role` is that of the endpoint under test.
pub fn judge(plan: &Plan, role: Role, transcript: &Transcript) -> Judgement {
    let scenario = &*plan.scenario;
    let facts = Facts::of(transcript, role);
    let pressed = stress::findings(scenario, transcript);
    if let Some((entry, reason)) = trouble(scenario, transcript) {
        if !pressed.is_empty() {
            return failed(&facts, pressed);
        }
        return match refused_offer(scenario, transcript) {
            true => bad_opening(scenario, role, entry, reason),
            false => inconclusive(scenario, role, &facts, entry, reason),
        };
    }
    let answers = answers_in(plan, transcript);
    let mut outcomes = scenario.accept.iter().zip(plan.patterns());
    let matched = outcomes.find(|(accept, pattern)| {
        let ended_so = match &accept.ending {
            Some(ending) => {
                judge_ending(ending, &facts, role).is_none_or(|judged| ending::is_accepted(judged.verdict))
            }
            // Where the peer must fail the connection, not doing so is what it did, not only how it ended.
            None => scenario.ending.by != By::Peer || pattern.is_of_opening() || facts.peer_began(),
        };
        ended_so && pattern.fit(&answers) == Fit::Match
    });
    let matched = matched.map(|(accept, _)| accept);
    let first = scenario.accept.first();
    let asked = matched.or(first).and_then(|accept| accept.ending.as_ref()).unwrap_or(&scenario.ending);
    // Where no connection was opened there is none to end.
    let unopened = answers.iter().any(|answer| matches!(answer, Answer::Unopened { .. }));
    let judged = if unopened { None } else { judge_ending(asked, &facts, role) };
    let heard = match plan.patterns().first() {
        Some(pattern) if unopened || matched.is_none() => pattern.heard(&answers),
        Some(_) | None => Heard::AsAsked,
    };
    let fails = scenario.opening.tls.is_some();
    let seen = match describe::failing(transcript).filter(|_| fails) {
        Some(reason) => reason,
        None => describe::observed(&answers, &facts, transcript),
    };

    let (mut behavior, mut findings) = violations(transcript);
    if role == Role::Client
        && let Some(finding) = masks::look(transcript)
        && findings.iter().all(|known| known.rule != finding.rule)
    {
        behavior = Behavior::Fail;
        findings.push(finding);
    }
    if !pressed.is_empty() {
        behavior = behavior.max(weight_of(&pressed));
        findings.splice(0..0, pressed);
    }
    match matched {
        Some(accept) => {
            behavior = behavior.max(of_outcome(accept.verdict));
            findings.extend(noted(scenario, role, accept, first, &seen));
        }
        // That it spoke where TLS had failed is the one thing such a case can find.
        None if fails && !findings.is_empty() => behavior = Behavior::Fail,
        None => {
            behavior = Behavior::Fail;
            findings.push(Finding {
                rule: main_rule(scenario, role),
                expected: first.map(|accept| expectation(scenario, accept)).unwrap_or_default(),
                observed: seen,
                entry: facts.entry(),
            });
        }
    }
    let close = match judged {
        None => CloseVerdict::Informational,
        Some(judged) => {
            findings.extend(judged.finding);
            judged.verdict
        }
    };
    Judgement {
        behavior,
        close,
        close_code: facts.close_code(),
        findings,
        heard,
        by_peer: facts.peer_began(),
    }
}

/// Where our side or the network failed. An opening handshake that a case left ordinary and that did not end in
/// a connection says nothing of what the case tests.
pub fn trouble<'a>(scenario: &Scenario, transcript: &'a Transcript) -> Option<(usize, &'a str)> {
    let tested = scenario.tests_opening();
    transcript.entries.iter().enumerate().find_map(|(at, entry)| match &entry.what {
        What::OpeningFailed { .. } if tested => None,
        What::Trouble { reason } | What::OpeningFailed { reason, .. } => Some((at, reason.as_str())),
        What::Connected
        | What::Http { .. }
        | What::Opened { .. }
        | What::Frame { .. }
        | What::Bytes { .. }
        | What::Message { .. }
        | What::Violation { .. }
        | What::Canary(_)
        | What::Resources { .. }
        | What::Crowd { .. }
        | What::Growth { .. }
        | What::StillOpen { .. }
        | What::TimedOut { .. }
        | What::EndOfStream
        | What::Reset
        | What::Closed { .. }
        | What::Exchanged { .. }
        | What::Declined { .. }
        | What::Folded { .. } => None,
    })
}

/// Whether the opening failed by what the server made of the case's offers: it called the request a bad one. "A server MAY decline" (RFC 7692 5.1) is done by accepting the
/// connection without the extension.
fn refused_offer(scenario: &Scenario, transcript: &Transcript) -> bool {
    let refused = |entry: &Entry| matches!(entry.what, What::OpeningFailed { status: Some(400), .. });
    !scenario.opening.deflate.is_empty() && transcript.entries.iter().any(refused)
}

/// The peer broke a rule in the opening handshake.
fn bad_opening(scenario: &Scenario, role: Role, entry: usize, reason: &str) -> Judgement {
    let finding = Finding {
        rule: main_rule(scenario, role),
        expected: "a response that agrees to one of the offers, or to none".to_owned(),
        observed: reason.to_owned(),
        entry: Some(entry),
    };
    Judgement {
        behavior: Behavior::Fail,
        close: CloseVerdict::Informational,
        close_code: None,
        findings: vec![finding],
        heard: Heard::Unopened,
        by_peer: true,
    }
}

/// Whatever became of the connection, what was seen beside it is enough.
fn failed(facts: &Facts, findings: Vec<Finding>) -> Judgement {
    Judgement {
        behavior: weight_of(&findings),
        close: CloseVerdict::Informational,
        close_code: facts.close_code(),
        findings,
        heard: Heard::AsAsked,
        by_peer: facts.peer_began(),
    }
}

/// The heaviest of the rules that findings rest on.
fn weight_of(findings: &[Finding]) -> Behavior {
    let weight = |finding: &Finding| {
        let rule = Register::embedded().get(&RuleId::new(finding.rule.as_str()));
        rule.map_or(Behavior::Fail, |rule| rules::weight(rule.level))
    };
    findings.iter().map(weight).max().unwrap_or(Behavior::Pass)
}

fn inconclusive(scenario: &Scenario, role: Role, facts: &Facts, entry: usize, reason: &str) -> Judgement {
    let finding = Finding {
        rule: main_rule(scenario, role),
        expected: "a connection on which the case can be played".to_owned(),
        observed: reason.to_owned(),
        entry: Some(entry),
    };
    Judgement {
        behavior: Behavior::Inconclusive,
        close: CloseVerdict::Inconclusive,
        close_code: facts.close_code(),
        findings: vec![finding],
        heard: Heard::AsAsked,
        by_peer: facts.peer_began(),
    }
}

/// What the peer broke in its own frames, each rule once.
fn violations(transcript: &Transcript) -> (Behavior, Vec<Finding>) {
    let mut worst = Behavior::Pass;
    let mut findings: Vec<Finding> = Vec::new();
    for (at, entry) in transcript.entries.iter().enumerate() {
        let What::Violation { rule, detail } = &entry.what else { continue };
        if findings.iter().any(|finding| finding.rule == *rule) {
            continue;
        }
        let known = Register::embedded().get(&RuleId::new(rule.as_str()));
        worst = worst.max(known.map_or(Behavior::Fail, |rule| rules::weight(rule.level)));
        findings.push(Finding {
            rule: rule.clone(),
            expected: known.map_or_else(String::new, |rule| rule.sentence.clone()),
            observed: detail.clone(),
            entry: Some(at),
        });
    }
    (worst, findings)
}

fn noted(
    scenario: &Scenario,
    role: Role,
    accept: &Accept,
    first: Option<&Accept>,
    seen: &str,
) -> Option<Finding> {
    let rule = accept.rule.as_ref().map_or_else(|| main_rule(scenario, role), ToString::to_string);
    let observed = match &accept.note {
        Some(note) => format!("{seen}: {note}"),
        None => seen.to_owned(),
    };
    match accept.verdict {
        Outcome::Pass => {
            accept.note.as_ref()?;
            Some(Finding { rule, expected: expectation(scenario, accept), observed, entry: None })
        }
        Outcome::Informational | Outcome::Unimplemented | Outcome::NonStrict | Outcome::Fail => {
            let expected = first.map(|first| expectation(scenario, first)).unwrap_or_default();
            Some(Finding { rule, expected, observed, entry: None })
        }
    }
}

/// What an accepted outcome asks for, in words.
fn expectation(scenario: &Scenario, accept: &Accept) -> String {
    let ending = accept.ending.as_ref().unwrap_or(&scenario.ending);
    let saw = in_words::saw(scenario, &accept.saw);
    let refusal = match &accept.saw {
        Saw::Events { events, .. } => events.iter().any(Expected::is_of_opening),
        Saw::Answers | Saw::Anything => false,
    };
    if refusal { saw } else { format!("{saw}; {}", in_words::ending(ending)) }
}

/// The first rule of the case that binds an endpoint in this role: a case for both may test a rule of each.
fn main_rule(scenario: &Scenario, role: Role) -> String {
    let register = Register::embedded();
    let binding = |id: &&RuleId| register.get(id).is_some_and(|rule| rule.binds.role(role));
    let rule = scenario.rules.iter().find(binding).or(scenario.rules.first());
    rule.map(ToString::to_string).unwrap_or_default()
}

fn of_outcome(outcome: Outcome) -> Behavior {
    match outcome {
        Outcome::Pass => Behavior::Pass,
        Outcome::Informational => Behavior::Informational,
        Outcome::Unimplemented => Behavior::Unimplemented,
        Outcome::NonStrict => Behavior::NonStrict,
        Outcome::Fail => Behavior::Fail,
    }
}
