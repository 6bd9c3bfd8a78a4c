//! What a well-formed case can still be wrong in. Every finding says how to mend it where that is known.

mod lawful;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::load::MAX_PAYLOAD;
use crate::model::{
    Accept, Awaited, By, Ending, Expected, Length, Need, Order, Outcome, Payload, Saw, Scenario, Step,
};
use crate::rules::Register;

pub use lawful::{Unlawful, first_unlawful};

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
    // Beyond the bounds nobody wants to see the bytes.
    if sizes(scenario, &mut findings) {
        answers(scenario, &mut findings);
        shadows(scenario, &mut findings);
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
            Step::Await { within: Some(time), .. } | Step::Pause { time, .. } => {
                if *time > MAX_WAIT {
                    findings.add(format!("step {n} waits longer than {} seconds", MAX_WAIT.as_secs()));
                }
                continue;
            }
            Step::Await { within: None, .. } | Step::Probe { .. } | Step::End(_) => continue,
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
            Expected::Open(_) => 0,
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
            Step::Raw { .. } => left = None,
            Step::Await { .. } | Step::Probe { .. } | Step::Pause { .. } | Step::End(_) => {}
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
    let is_message = |event: &Expected| matches!(event, Expected::Text(_) | Expected::Binary(_));
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

/// An outcome that an earlier one matches in every case is never reached.
fn shadows(scenario: &Scenario, findings: &mut Findings) {
    for (n, later) in (1..).zip(&scenario.accept) {
        let earlier = scenario.accept.iter().take(n - 1).position(|earlier| covers(scenario, earlier, later));
        if let Some(m) = earlier {
            findings
                .add(format!("outcome {n} is never reached: outcome {} matches all that it matches", m + 1));
        }
    }
}

fn covers(scenario: &Scenario, earlier: &Accept, later: &Accept) -> bool {
    let ending = match (&earlier.ending, &later.ending) {
        (None, None) => true,
        // Without an ending of its own an outcome still asks that the peer begins, where the case does.
        (None, Some(later)) => scenario.ending.by != By::Peer || later.by == By::Peer,
        (Some(earlier), Some(later)) => ending_covers(earlier, later),
        (Some(earlier), None) => earlier.by == By::Either,
    };
    ending && saw_covers(scenario, &earlier.saw, &later.saw)
}

fn ending_covers(earlier: &Ending, later: &Ending) -> bool {
    let codes = earlier.codes.is_empty()
        || !later.codes.is_empty() && later.codes.iter().all(|code| earlier.codes.contains(code));
    earlier.by == By::Either || earlier.by == later.by && codes && (!earlier.clean || later.clean)
}

fn saw_covers(scenario: &Scenario, earlier: &Saw, later: &Saw) -> bool {
    let list = |saw: &Saw| match saw {
        Saw::Answers => Some((flat(&scenario.answers()), Order::Exact)),
        Saw::Events { events, order } => Some((flat(events), *order)),
        Saw::Anything => None,
    };
    match (list(earlier), list(later)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((a, first)), Some((b, second))) => match first {
            Order::Exact => a == b && (second == Order::Exact || a.len() < 2),
            Order::Any => second != Order::LatestPong && same_in_any_order(&a, &b),
            Order::LatestPong => second != Order::Any && a == b,
        },
    }
}

fn same_in_any_order(a: &[(u8, Vec<u8>)], b: &[(u8, Vec<u8>)]) -> bool {
    let (mut a, mut b) = (a.to_vec(), b.to_vec());
    a.sort();
    b.sort();
    a == b
}

/// Answers by their bytes, however they are described.
fn flat(events: &[Expected]) -> Vec<(u8, Vec<u8>)> {
    let bytes = Payload::to_bytes;
    let flat = events.iter().map(|event| match event {
        Expected::Text(payload) => (0, bytes(payload)),
        Expected::Binary(payload) => (1, bytes(payload)),
        Expected::Pong(payload) => (2, bytes(payload)),
        Expected::Open(mark) => (3, mark.as_bytes().to_vec()),
    });
    flat.collect()
}

fn numbered(scenario: &Scenario) -> impl Iterator<Item = (usize, &Step)> {
    (1..).zip(&scenario.steps)
}
