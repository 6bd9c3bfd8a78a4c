//! One scenario from another: steps taken out, doubled, moved and exchanged, frames cut and changed.

use arbitrary::Unstructured;
use wsgrade_cases::model::{Ending, Frame, Opening, Payload, Saw, Scenario, Step};
use wsgrade_codec::wire::Opcode;

use super::dice::Dice;
use super::{Brief, ID, conversation, frame, payload};

pub(super) fn sketch(
    brief: &Brief,
    scenario: &Scenario,
    other: &Scenario,
    u: &mut Unstructured<'_>,
) -> Scenario {
    // Of what was said of the steps nothing is true any more.
    let steps = scenario.steps.clone();
    let mut changed = Scenario::uncatalogued(ID, steps, Saw::Anything, Ending::ordinary());
    changed.opening = match brief.openings {
        true => scenario.opening.clone(),
        false => Opening { deflate: scenario.opening.deflate.clone(), ..Opening::default() },
    };
    if !brief.deflate {
        changed.opening.deflate.clear();
    }
    for _ in 0..=u.below(3) {
        once(&mut changed, other, u);
    }
    changed
}

fn once(scenario: &mut Scenario, other: &Scenario, u: &mut Unstructured<'_>) {
    let steps = &mut scenario.steps;
    let at = u.below(steps.len());
    match u.weigh(&[4, 3, 3, 2, 3, 2, 3, 3, 2, 1]) {
        // A field of a frame.
        0 => conversation::change(steps, u),
        1 => {
            let frame = frame::unlawful(u);
            steps.insert(u.below(steps.len() + 1), Step::Send(frame));
        }
        2 if !steps.is_empty() => {
            let till = (at + 1 + u.below(2)).min(steps.len());
            steps.drain(at..till);
        }
        3 if !steps.is_empty() => {
            let doubled = steps[at].clone();
            steps.insert(at, doubled);
        }
        // The beginning of one, the end of the other.
        4 => {
            steps.truncate(u.below(steps.len() + 1));
            steps.extend_from_slice(&other.steps[u.below(other.steps.len() + 1)..]);
        }
        5 if !steps.is_empty() => {
            let to = u.below(steps.len());
            steps.swap(at, to);
        }
        6 => {
            if let Some(Step::Send(frame)) = steps.get(at) {
                let parts = fragments(frame, u);
                steps.splice(at..=at, parts.into_iter().map(Step::Send));
            }
        }
        7 => {
            if let Some(Step::Send(frame)) = steps.get_mut(at) {
                frame.chop = frame::chop(frame.payload.len(), u);
            }
        }
        8 => steps.push(Step::Send(Frame::new(Opcode::TEXT, payload::text(u)))),
        _ => steps.push(Step::Send(Frame::new(Opcode::CLOSE, frame::close(u)))),
    }
}

/// A frame as the fragments of one message.
fn fragments(frame: &Frame, u: &mut Unstructured<'_>) -> Vec<Frame> {
    let bytes = frame.payload.to_bytes();
    let sizes = frame::cut(bytes.len(), u);
    let mut rest = &bytes[..];
    let last = sizes.len() - 1;
    let part = |(n, size): (usize, &usize)| {
        let (part, after) = rest.split_at(*size);
        rest = after;
        let payload: Payload = payload::bytes(part.to_vec());
        match n {
            0 => Frame { fin: frame.fin && last == 0, payload, ..frame.clone() },
            _ => Frame { fin: frame.fin && n == last, ..Frame::new(Opcode::CONTINUATION, payload) },
        }
    };
    sizes.iter().enumerate().map(part).collect()
}
