//! What a well-formed case can still be wrong in. Every finding says how to mend it where that is known.

mod exchanges;
mod lawful;
mod openings;
mod shadows;
mod stress;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::load::MAX_PAYLOAD;
use crate::model::{Awaited, By, Expected, Length, Need, Outcome, Saw, Scenario, Step};
use crate::rules::Register;

pub use lawful::{Unlawful, first_unlawful};
pub use shadows::drop_unreached;

/// No case sends more payload than this in all.
const MAX_TOTAL: u64 = 4 * MAX_PAYLOAD;
/// No step of a case waits longer.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Something wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What, as a fragment in lower case.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

/// Everything that is wrong with a case, beyond its form.
pub fn check(scenario: &Scenario, register: &Register) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    words(scenario, &mut findings);
    rules(scenario, register, &mut findings);
    mores(scenario, &mut findings);
    marks(scenario, &mut findings);
    exchanges::check(scenario, &mut findings);
    openings::check(scenario, &mut findings);
    stress::check(scenario, &mut findings);
    // Beyond the bounds nobody wants to see the bytes.
    if sizes(scenario, &mut findings) {
        answers(scenario, &mut findings);
        shadows::check(scenario, &mut findings);
    }
    findings.0
}

struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, message: impl Into<String>) {
        self.0.push(Finding { message: message.into(), help: None });
    }

    fn add_with_help(&mut self, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Finding { message: message.into(), help: Some(help.into()) });
    }
}

fn words(scenario: &Scenario, findings: &mut Findings) {
    let title = scenario.title.trim();
    if title.is_empty() {
        findings.add("`title` is empty");
    }
    if title.ends_with('.') {
        findings.add("`title` ends with a full stop: it is a heading, not a sentence");
    }
    if title.contains('\n') || title.chars().count() > 100 {
        findings.add("`title` is longer than a line of 100 characters");
    }
    if scenario.why.trim().is_empty() {
        findings.add_with_help("`why` is empty", "say which rule the case tests and why it matters");
    }
    if scenario.differs.as_ref().is_some_and(|text| text.trim().is_empty()) {
        findings.add("`differs` is empty");
    }
}

fn rules(scenario: &Scenario, register: &Register, findings: &mut Findings) {
    let of_accepts = scenario.accept.iter().filter_map(|accept| accept.rule.as_ref());
    for rule in scenario.rules.iter().chain(of_accepts) {
        if register.get(rule).is_none() {
            let message = format!("no rule `{rule}` in the register");
            match register.nearest(rule) {
                Some(near) => findings.add_with_help(message, format!("did you mean `{near}`?")),
                None => {
                    findings.add_with_help(message, "rules are named such as `rfc6455-5.5-control-length`")
                }
            }
        }
    }
}

/// Whether what the case sends and expects is within bounds.
fn sizes(scenario: &Scenario, findings: &mut Findings) -> bool {
    let before = findings.0.len();
    let mut total: u64 = 0;
    for (n, step) in numbered(scenario) {
        let (payload, times, chop) = match step {
            Step::Send(frame) => (&frame.payload, frame.times, &frame.chop),
            Step::More { payload, chop } | Step::Raw { payload, chop } => (payload, 1, chop),
            Step::Await { within: Some(time), .. }
            | Step::Pause { time, .. }
            | Step::Hold { within: time } => {
                if *time > MAX_WAIT {
                    findings.add(format!("step {n} waits longer than {} seconds", MAX_WAIT.as_secs()));
                }
                continue;
            }
            Step::Await { within: None, .. }
            | Step::Probe { .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::End(_) => {
                continue;
            }
        };
        if payload.len() > MAX_PAYLOAD {
            findings.add(format!("step {n} sends more than {MAX_PAYLOAD} bytes"));
        }
        total = total.saturating_add(payload.len().saturating_mul(u64::from(times)));
        if chop.pause > MAX_WAIT {
            findings.add(format!("step {n} waits longer than {} seconds", MAX_WAIT.as_secs()));
        }
    }
    if total > MAX_TOTAL {
        findings.add(format!("the case sends more than {MAX_TOTAL} bytes in all"));
    }
    for (n, accept) in (1..).zip(&scenario.accept) {
        let Saw::Events { events, .. } = &accept.saw else { continue };
        let expected = events.iter().map(|event| match event {
            Expected::Text(payload) | Expected::Binary(payload) | Expected::Pong(payload) => payload.len(),
            Expected::Open(_)
            | Expected::Exchanged(_)
            | Expected::Declined
            | Expected::Refused { .. }
            | Expected::Dropped
            | Expected::Unanswered => 0,
        });
        if expected.fold(0, u64::saturating_add) > MAX_TOTAL {
            findings.add(format!("outcome {n} expects more than {MAX_TOTAL} bytes in all"));
        }
    }
    findings.0.len() == before
}

/// `more` goes on with a frame that was declared longer, up to its end and no further; a length form holds its
/// length.
fn mores(scenario: &Scenario, findings: &mut Findings) {
    let mut left: Option<u64> = None;
    for (n, step) in numbered(scenario) {
        match step {
            Step::Send(frame) => {
                let (declared, form) = match frame.length {
                    Length::Minimal => (frame.payload.len(), None),
                    Length::Form(form) => (frame.payload.len(), Some(form)),
                    Length::Declared { value, form } => (value, form),
                };
                if let Some(form) = form
                    && wsgrade_codec::wire::Length::with_form(declared, form).is_none()
                {
                    let form = crate::write::form_word(form);
                    findings.add(format!(
                        "step {n} has a length of {declared} bytes, which no {form} length holds"
                    ));
                }
                left = declared.checked_sub(frame.payload.len()).filter(|left| *left > 0 && frame.times == 1);
            }
            Step::More { payload, .. } => match left {
                Some(room) if payload.len() <= room => left = Some(room - payload.len()),
                Some(room) => {
                    findings
                        .add(format!("step {n} sends {} bytes, but its frame lacks {room}", payload.len()));
                    left = None;
                }
                None => findings.add_with_help(
                    format!("step {n} goes on with a frame that lacks nothing"),
                    "give the frame before it a `declared` length longer than its payload",
                ),
            },
            Step::Raw { .. } | Step::Exchange(_) => left = None,
            Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {}
        }
    }
}

/// Marks are set once, and set before they are looked at.
fn marks(scenario: &Scenario, findings: &mut Findings) {
    let mut set = BTreeSet::new();
    for (n, step) in numbered(scenario) {
        match step {
            Step::Probe { mark } | Step::Pause { mark: Some(mark), .. } => {
                if !set.insert(mark.as_str()) {
                    findings.add(format!("step {n} sets mark `{mark}` again"));
                }
            }
            Step::Await { event: Awaited::Answer(Expected::Open(mark)), .. } => {
                if !set.contains(mark.as_str()) {
                    findings.add(format!("step {n} waits for mark `{mark}`, which no step before it sets"));
                }
            }
            Step::Send(_)
            | Step::More { .. }
            | Step::Raw { .. }
            | Step::Await { .. }
            | Step::Pause { mark: None, .. }
            | Step::Exchange(_)
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {}
        }
    }
    for (n, accept) in (1..).zip(&scenario.accept) {
        let Saw::Events { events, .. } = &accept.saw else { continue };
        for event in events {
            if let Expected::Open(mark) = event
                && !set.contains(mark.as_str())
            {
                findings.add_with_help(
                    format!("outcome {n} expects mark `{mark}`, which no step sets"),
                    format!("a step {{ probe = \"{mark}\" }} sets it"),
                );
            }
        }
    }
}

/// `answers` is for lawful steps, and expected messages need an echo.
fn answers(scenario: &Scenario, findings: &mut Findings) {
    if scenario.accept.iter().any(|accept| accept.saw == Saw::Answers)
        && let Some(unlawful) = first_unlawful(scenario)
    {
        findings.add_with_help(
            format!("`saw = \"answers\"`, but step {} {}", unlawful.step, unlawful.reason),
            "list what the peer has to answer: saw = [] for nothing",
        );
    }
    let is_message = |event: &Expected| match event {
        Expected::Text(_) | Expected::Binary(_) | Expected::Exchanged(_) => true,
        Expected::Pong(_)
        | Expected::Open(_)
        | Expected::Declined
        | Expected::Refused { .. }
        | Expected::Dropped
        | Expected::Unanswered => false,
    };
    let expects_messages = scenario.accept.iter().any(|accept| match &accept.saw {
        Saw::Answers => scenario.answers().iter().any(is_message),
        Saw::Events { events, .. } => accept.verdict == Outcome::Pass && events.iter().any(is_message),
        Saw::Anything => false,
    });
    if expects_messages && !scenario.needs.contains(&Need::Echo) {
        findings.add_with_help(
            "messages are expected back, but the case needs no echo",
            "add needs = [\"echo\"]",
        );
    }
    if scenario.ending.by == By::Either && !scenario.ending.codes.is_empty() {
        findings.add("the ending is not judged, so its `codes` say nothing");
    }
}

fn numbered(scenario: &Scenario) -> impl Iterator<Item = (usize, &Step)> {
    (1..).zip(&scenario.steps)
}
