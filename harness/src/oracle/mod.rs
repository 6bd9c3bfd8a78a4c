//! The oracle: what a conforming peer may do in answer to a scenario.
//!
//! ```text
//! opening, steps ─┬─ opening ─ does it have to open? ──┐
//!                 └─ course  ─ what was said, and the  ├─▶ rules, outcomes, ending ─▶ Scenario, ready to be judged
//!                    first thing a peer must not take ─┘
//! ```
//!
//! A case of the catalogue says by hand what is right. For a scenario that a program made, this does: it reads what we
//! send with the codec's own `check`, and writes the outcomes that the sentences leave open into the scenario, which then is a
//! case like any other: it can be judged, saved and replayed without the oracle. Where the texts leave a choice, every
//! choice is accepted: what the oracle calls wrong has to be wrong.

mod course;
mod opening;
mod outcomes;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use wsgrade_cases::id::RuleId;
use wsgrade_cases::lint;
use wsgrade_cases::model::{Accept, By, Ending, Need, Saw, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::wire::{Opcode, Rsv};

pub(crate) use course::agreed;

/// The same scenario with all that says what is right: its rules, needs, outcomes and ending. What it said of them
/// before is not looked at, so completing twice is completing once. `role` is that of the endpoint under test, the only
/// one for which the scenario is then. Where the opening handshake must not open a connection, the steps become one probe
/// that shows whether it has: what else is said on a connection that is not to be says nothing more.
pub fn complete(sketch: &Scenario, role: Role) -> Scenario {
    completed(sketch.clone(), role)
}

/// The same, of a sketch that nobody needs any more.
pub(crate) fn completed(mut sketch: Scenario, role: Role) -> Scenario {
    let Expectation { rules, accept, ending, mut needs } = match opening::expect(&sketch.opening, role) {
        opening::Opens::No(expectation) => {
            sketch.steps = vec![Step::Probe { mark: opening::MARK.to_owned() }];
            expectation
        }
        opening::Opens::Unsaid(expectation) => expectation,
        // Whether a bit of such a frame is lawful only the peer's answer tells.
        opening::Opens::Yes { .. } if opening::may_agree(&sketch.opening) && compresses(&sketch.steps) => {
            opening::anything(role)
        }
        opening::Opens::Yes { rules, also } => {
            let mut expectation = outcomes::of(&sketch, &course::run(&sketch, role), role);
            // A client that may end the connection over its opening does it in ways that are wrong later. Where nothing has to
            // be answered before we close, or it has a reason later too, nobody can say over which of the two it was.
            let doubtful = role == Role::Client && !also.is_empty();
            if doubtful && (!answers_first(&expectation) || closes(&sketch.steps)) {
                opening::anything(role)
            } else {
                // The more particular rule first: where an ordinary conversation fails behind an odd request, it is the request.
                // Behind a breach it is the breach, unless no connection was opened.
                let ordinary = std::mem::take(&mut expectation.rules);
                let [first, then] =
                    if is_lawful(&expectation) { [rules, ordinary] } else { [ordinary, rules] };
                let fresh = then.into_iter().filter(|rule| !first.contains(rule)).collect::<Vec<_>>();
                expectation.rules = [first, fresh].concat();
                // Before any that takes whatever comes; but the first says how the engine plays.
                expectation.accept.splice(1..1, also);
                expectation
            }
        }
    };
    if !sketch.opening.deflate.is_empty() {
        needs.insert(Need::Deflate);
    }
    let roles = BTreeSet::from([role]);
    let mut scenario = Scenario { rules, accept, ending, needs, roles, differs: None, ..sketch };
    lint::drop_unreached(&mut scenario);
    scenario
}

/// Whether the conversation is lawful, and has an answer that we wait for before we close.
fn answers_first(expectation: &Expectation) -> bool {
    let answered = expectation.accept.first().is_some_and(|accept| match &accept.saw {
        Saw::Events { events, order: _ } => !events.is_empty(),
        Saw::Answers => true,
        Saw::Anything => false,
    });
    answered && expectation.ending == Ending::ordinary()
}

/// Whether nothing in the conversation is a reason to fail the connection.
fn is_lawful(expectation: &Expectation) -> bool {
    let Ending { by, clean, .. } = &expectation.ending;
    match by {
        By::Us => *clean,
        By::Peer => false,
        By::Either => true,
    }
}

/// Whether we close among the steps.
fn closes(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Send(frame) if frame.opcode == Opcode::CLOSE))
}

/// Whether something is sent that has another meaning where permessage-deflate is in use.
fn compresses(steps: &[Step]) -> bool {
    steps.iter().any(|step| match step {
        Step::Send(frame) => frame.rsv.contains(Rsv::RSV1),
        Step::Raw { .. } => true,
        Step::Exchange(exchange) => exchange.compressed,
        Step::More { .. }
        | Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => false,
    })
}

/// Whether a completed scenario has a message that inflates to more than anybody has to take: it asks for nothing, and costs
/// much time.
pub(crate) fn is_beyond_limits(scenario: &Scenario) -> bool {
    scenario.rules.first().is_some_and(|rule| rule.as_str() == outcomes::BEYOND_LIMITS)
}

/// What is right.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expectation {
    /// The main one first. Never empty.
    rules: Vec<RuleId>,
    /// In order, the first that matches decides. Never empty.
    accept: Vec<Accept>,
    ending: Ending,
    needs: BTreeSet<Need>,
}
