//! Fits a case to a target that is no echo: a pure function of the case and of what the probe found.
//!
//! ```text
//! case, facts ─┬─ every message of the case comes back ──────────▶ as it is written
//!              ├─ lawful ── messages are no answers, a ping asks ─▶ passes if pongs are right and the connection is open
//!              ├─ unlawful ── messages are no answers ───────────▶ passes if the connection is failed, as before
//!              └─ nothing would be left to see ──────────────────▶ cannot be played
//! ```
//!
//! The rule for what a target says unasked is the same, echo or not: none of its messages counts. Any finer one would take
//! a message that happens to be like an expected one for an echo, and fail an honest peer. Who wants the echo judged
//! of a target that only greets awaits the greeting in a prelude.

use wsgrade_cases::id::RuleId;
use wsgrade_cases::lint::first_unlawful;
use wsgrade_cases::model::{
    Accept, Awaited, By, Ending, Expected, Frame, Length, Order, Outcome, Saw, Scenario, Step,
};
use wsgrade_codec::Kind;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Response, TargetFacts};

use crate::plan::SYNC;

/// The mark of the probe at the end of a lawful case.
const ALIVE: &str = "the end";

/// The codes of a Close by which a peer ends a lawful conversation for reasons of its own. RFC 6455 7.3: "Servers MAY
/// close the WebSocket connection whenever desired." 1002 and 1007 are not among them: they say that what we sent broke a
/// rule, and it did not.
const OF_ITS_OWN: [u16; 9] = [1000, 1001, 1003, 1008, 1009, 1011, 1012, 1013, 1014];

/// What becomes of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adapted {
    /// It is played as it is written.
    AsWritten,
    /// It is played so, and no message of the target counts as an answer.
    WithoutEcho {
        /// The case.
        scenario: Box<Scenario>,
        /// Why, in one sentence.
        why: String,
    },
    /// It would say nothing; why, to follow "the target".
    Unplayable(String),
}

/// Fits a case to a target.
pub fn adapt(scenario: &Scenario, facts: &TargetFacts) -> Adapted {
    let used = Used::of(scenario);
    let lacking: Vec<_> = [Kind::Text, Kind::Binary]
        .into_iter()
        .filter(|kind| used.either(*kind) && !echoes(facts, *kind))
        .collect();
    // One that sends nothing back has something of its own to say, at any time.
    let echoes_some = echoes(facts, Kind::Text) || echoes(facts, Kind::Binary);
    if lacking.is_empty() && echoes_some && !facts.talks {
        return Adapted::AsWritten;
    }
    let refused =
        [Kind::Text, Kind::Binary].into_iter().find(|kind| used.sends(*kind) && ends_at(facts, *kind));
    if let Some(kind) = refused {
        return Adapted::Unplayable(format!("ends the connection at any {} message", word(kind)));
    }
    let lacks = match lacking[..] {
        [] if !echoes_some => "does not send messages back",
        [] => "says things unasked, among which an echo cannot be told",
        [Kind::Text] => "does not send text back",
        [Kind::Binary] => "does not send binary back",
        _ => "does not send messages back",
    };
    if scenario.exchanges().next().is_some() {
        return Adapted::Unplayable(lacks.to_owned());
    }
    let why = format!(
        "The target {lacks}: what it says is passed over, and the case is judged by pongs and by how the connection ended."
    );
    Adapted::WithoutEcho { scenario: Box::new(without_echo(scenario)), why }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Binary => "binary",
    }
}

fn of(facts: &TargetFacts, kind: Kind) -> Response {
    match kind {
        Kind::Text => facts.text,
        Kind::Binary => facts.binary,
    }
}

fn echoes(facts: &TargetFacts, kind: Kind) -> bool {
    of(facts, kind) == Response::Echo
}

fn ends_at(facts: &TargetFacts, kind: Kind) -> bool {
    of(facts, kind) == Response::Ends
}

/// Which kinds of messages a case has to do with.
#[derive(Default)]
struct Used {
    sent: Vec<Kind>,
    expected: Vec<Kind>,
}

impl Used {
    fn of(scenario: &Scenario) -> Self {
        let mut used = Self::default();
        for step in &scenario.steps {
            match step {
                Step::Send(frame) if frame.opcode == Opcode::TEXT => used.sent.push(Kind::Text),
                Step::Send(frame) if frame.opcode == Opcode::BINARY => used.sent.push(Kind::Binary),
                Step::Exchange(exchange) => used.sent.push(exchange.kind),
                Step::Send(_)
                | Step::More { .. }
                | Step::Raw { .. }
                | Step::Await { .. }
                | Step::Probe { .. }
                | Step::Pause { .. }
                | Step::Read(_)
                | Step::Hold { .. }
                | Step::End(_) => {}
            }
        }
        for accept in &scenario.accept {
            let Saw::Events { events, .. } = &accept.saw else { continue };
            used.expected.extend(events.iter().filter_map(|event| match event {
                Expected::Text(_) => Some(Kind::Text),
                Expected::Binary(_) => Some(Kind::Binary),
                Expected::Pong(_)
                | Expected::Open(_)
                | Expected::Exchanged(_)
                | Expected::Declined
                | Expected::Refused { .. }
                | Expected::Dropped
                | Expected::Unanswered => None,
            }));
        }
        used
    }

    fn sends(&self, kind: Kind) -> bool {
        self.sent.contains(&kind)
    }

    fn either(&self, kind: Kind) -> bool {
        self.sends(kind) || self.expected.contains(&kind)
    }
}

/// The case with nothing in it that waits for a message.
fn without_echo(scenario: &Scenario) -> Scenario {
    let asks = is_open_at_its_end(scenario);
    let mut steps: Vec<Step> = Vec::new();
    for step in &scenario.steps {
        steps.push(match step {
            // It was there to be between two steps; the pong to a ping is as well, where a ping can be sent.
            Step::Await { event: Awaited::Answer(Expected::Text(_) | Expected::Binary(_)), .. } => {
                if steps.last().is_none_or(ends_whole) {
                    Step::Probe { mark: SYNC.to_owned() }
                } else {
                    Step::Pause { time: std::time::Duration::ZERO, mark: None }
                }
            }
            other => other.clone(),
        });
    }
    let answers = scenario.answers();
    let mut accept = Vec::new();
    for one in &scenario.accept {
        accept.extend(without_messages(scenario, one, &answers, asks));
    }
    if asks {
        steps.push(Step::Probe { mark: ALIVE.to_owned() });
        accept.extend(ended_by_the_target());
    }
    Scenario { steps, accept, ..scenario.clone() }
}

/// Whether its steps are lawful and leave the connection open: a ping behind them has to be answered. Of a case of resilience
/// nobody knows; its canary is asked.
fn is_open_at_its_end(scenario: &Scenario) -> bool {
    let closes = |step: &Step| matches!(step, Step::Send(frame) if frame.opcode == Opcode::CLOSE);
    scenario.stress.is_none()
        && scenario.ending.by != By::Peer
        && !scenario.steps.iter().any(closes)
        && first_unlawful(scenario).is_none()
}

/// Whether a frame can follow.
fn ends_whole(step: &Step) -> bool {
    match step {
        Step::Send(Frame { length: Length::Declared { value, .. }, payload, .. }) => payload.len() == *value,
        Step::More { .. } | Step::Raw { .. } | Step::Read(_) | Step::End(_) => false,
        Step::Send(_)
        | Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Hold { .. }
        | Step::Exchange(_) => true,
    }
}

/// An outcome, as one or two, without the messages in it. Where a ping `asks` at the end, the answer to it belongs to each
/// outcome in which the connection is open then.
fn without_messages(scenario: &Scenario, accept: &Accept, answers: &[Expected], asks: bool) -> Vec<Accept> {
    let (events, order) = match &accept.saw {
        Saw::Anything => return vec![accept.clone()],
        Saw::Answers => (answers, Order::Exact),
        Saw::Events { events, order } => (&events[..], *order),
    };
    if events.iter().any(Expected::is_of_opening) {
        return vec![accept.clone()];
    }
    let left: Vec<_> = events.iter().filter(|event| !is_message(event)).cloned().collect();
    // What a note says of messages is not known here.
    let note = accept.note.clone().filter(|_| left.len() == events.len());
    let with = |more: Option<Expected>| {
        let events = left.iter().cloned().chain(more).collect();
        Accept { saw: Saw::Events { events, order }, note: note.clone(), ..accept.clone() }
    };
    let alive = || with(Some(Expected::Open(ALIVE.to_owned())));
    let by = accept.ending.as_ref().unwrap_or(&scenario.ending).by;
    match by {
        By::Us if asks => vec![alive()],
        By::Either if asks => vec![alive(), with(None)],
        By::Us | By::Either | By::Peer => vec![with(None)],
    }
}

fn is_message(event: &Expected) -> bool {
    match event {
        Expected::Text(_) | Expected::Binary(_) | Expected::Exchanged(_) => true,
        Expected::Pong(_)
        | Expected::Open(_)
        | Expected::Declined
        | Expected::Refused { .. }
        | Expected::Dropped
        | Expected::Unanswered => false,
    }
}

/// A target that wants another kind of conversation than ours may end it.
fn ended_by_the_target() -> [Accept; 2] {
    let codes: Vec<u16> = OF_ITS_OWN.into_iter().chain(3000..=4999).collect();
    let outcome = |verdict, clean, rule, note: &str| Accept {
        verdict,
        saw: Saw::Anything,
        ending: Some(Ending { by: By::Peer, codes: codes.clone(), clean, bare: false }),
        rule: Some(RuleId::new(rule)),
        note: Some(note.to_owned()),
    };
    [
        outcome(
            Outcome::Informational,
            true,
            "rfc6455-7.4.1-defined-codes",
            "the target closed the connection at lawful frames, as it may whenever it likes",
        ),
        outcome(
            Outcome::NonStrict,
            false,
            "rfc6455-7.1.7-send-close",
            "the target ended TCP at lawful frames, without the Close frame that says why",
        ),
    ]
}

#[cfg(test)]
mod tests;
