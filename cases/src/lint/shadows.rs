//! Outcomes that are never reached, because an earlier one matches all that they match.

use std::borrow::Cow;

use super::Findings;
use crate::model::{Accept, By, Ending, Expected, Order, Payload, Saw, Scenario};

/// An outcome that an earlier one matches in every case is never reached.
pub(super) fn check(scenario: &Scenario, findings: &mut Findings) {
    for (n, later) in (1..).zip(&scenario.accept) {
        let earlier = scenario.accept.iter().take(n - 1).position(|earlier| covers(scenario, earlier, later));
        if let Some(m) = earlier {
            findings
                .add(format!("outcome {n} is never reached: outcome {} matches all that it matches", m + 1));
        }
    }
}

/// Leaves out the outcomes that are never reached.
pub fn drop_unreached(scenario: &mut Scenario) {
    let mut at = 1;
    while let Some(later) = scenario.accept.get(at) {
        if scenario.accept[..at].iter().any(|earlier| covers(scenario, earlier, later)) {
            scenario.accept.remove(at);
        } else {
            at += 1;
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
    fn list<'a>(scenario: &Scenario, saw: &'a Saw) -> Option<(Cow<'a, [Expected]>, Order)> {
        match saw {
            Saw::Answers => Some((scenario.answers().into(), Order::Exact)),
            Saw::Events { events, order } => Some((events.into(), *order)),
            Saw::Anything => None,
        }
    }
    match (list(scenario, earlier), list(scenario, later)) {
        // "Anything" is not that nothing was played.
        (None, Some((events, _))) => events[..] != [Expected::Declined],
        (None, None) => true,
        (Some(_), None) => false,
        (Some((a, first)), Some((b, second))) => match first {
            Order::Exact => (second == Order::Exact || a.len() < 2) && same_in_order(&a, &b),
            Order::Any => matches!(second, Order::Exact | Order::Any) && same_in_any_order(&a, &b),
            Order::LatestPong => matches!(second, Order::Exact | Order::LatestPong) && same_in_order(&a, &b),
            Order::Apart => !matches!(second, Order::Any | Order::UpTo) && same_in_order(&a, &b),
            Order::UpTo => second != Order::Any && same_in_order(&a, &b),
        },
    }
}

fn same_in_order(a: &[Expected], b: &[Expected]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn same_in_any_order(a: &[Expected], b: &[Expected]) -> bool {
    let mut b: Vec<_> = b.iter().collect();
    a.len() == b.len()
        && a.iter().all(|a| match b.iter().position(|b| same(a, b)) {
            Some(at) => {
                b.swap_remove(at);
                true
            }
            None => false,
        })
}

/// Whether two answers have the same bytes, however they are described.
fn same(a: &Expected, b: &Expected) -> bool {
    let bytes = |a: &Payload, b: &Payload| a == b || a.len() == b.len() && a.to_bytes() == b.to_bytes();
    match (a, b) {
        (Expected::Text(a), Expected::Text(b))
        | (Expected::Binary(a), Expected::Binary(b))
        | (Expected::Pong(a), Expected::Pong(b)) => bytes(a, b),
        (Expected::Open(a), Expected::Open(b)) => a == b,
        (Expected::Exchanged(a), Expected::Exchanged(b)) => a == b,
        (Expected::Declined, Expected::Declined)
        | (Expected::Dropped, Expected::Dropped)
        | (Expected::Unanswered, Expected::Unanswered) => true,
        (
            Expected::Refused { statuses: a, versions: asked },
            Expected::Refused { statuses: b, versions: also },
        ) => a == b && asked == also,
        (
            Expected::Text(_)
            | Expected::Binary(_)
            | Expected::Pong(_)
            | Expected::Open(_)
            | Expected::Exchanged(_)
            | Expected::Declined
            | Expected::Refused { .. }
            | Expected::Dropped
            | Expected::Unanswered,
            _,
        ) => false,
    }
}
