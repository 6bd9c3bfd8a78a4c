//! What is said on an open connection.

use arbitrary::Unstructured;
use wsgrade_cases::model::{Ending, Frame, Payload, Saw, Scenario, Step};
use wsgrade_codec::wire::Opcode;

use super::{Brief, ID};

pub(super) fn sketch(_brief: &Brief, u: &mut Unstructured<'_>) -> Scenario {
    let text: String = u.arbitrary().unwrap_or_default();
    let steps = vec![Step::Send(Frame::new(Opcode::TEXT, Payload::Text(text)))];
    Scenario::uncatalogued(ID, steps, Saw::Answers, Ending::ordinary())
}
