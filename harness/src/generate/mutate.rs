//! One scenario from another: steps taken out, doubled, moved and exchanged, frames cut and changed.

use arbitrary::Unstructured;
use wsgrade_cases::model::{Frame, Payload, Scenario, Step};
use wsgrade_codec::wire::Opcode;

use super::dice::Dice;
use super::{Brief, conversation, frame, payload};

pub(super) fn sketch(
    brief: &Brief,
    scenario: &Scenario,
    other: &Scenario,
    u: &mut Unstructured<'_>,
) -> Scenario {
    let mut changed = scenario.clone();
    // Of a case only the steps go on: that it has another id is not to be told from its neighbours any more.
    if let Ok(id) = super::ID.parse() {
        changed.id = id;
    }
    changed.catches.clear();
    changed.title.clear();
    changed.why.clear();
    if !brief.openings {
        let deflate = std::mem::take(&mut changed.opening.deflate);
        changed.opening = wsgrade_cases::model::Opening { deflate, ..Default::default() };
    }
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
