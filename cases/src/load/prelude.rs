//! A prelude: steps played on every connection before those of a case, for targets that want a login or a subscription.

use wsgrade_codec::wire::Opcode;

use super::step;
use crate::form::{Fields, Problem, Problems, list};
use crate::lint::first_unlawful;
use crate::model::{Ending, Saw, Scenario, Step};

/// Reads the text of a prelude: `steps`, as in a case. `file` is its name in messages.
///
/// A prelude is lawful and leaves the connection open between two messages: whatever goes wrong afterwards has to be the
/// case's.
pub fn read_prelude(file: &str, text: &str) -> Result<Vec<Step>, Vec<Problem>> {
    let mut problems = Problems::new(file, text);
    let root = crate::form::parse(&mut problems, text);
    if problems.count() > 0 {
        return Err(problems.into_list());
    }
    let mut steps = Vec::new();
    // Where each step stands: one with `fragment` becomes several.
    let mut places = Vec::new();
    if let Some(fields) = Fields::new(&mut problems, &root, "a prelude", &["steps"])
        && let Some(node) = fields.need(&mut problems, "steps")
    {
        for node in list(&mut problems, "steps", node) {
            step::read(&mut problems, node, &mut steps);
            places.resize(steps.len(), node.at);
        }
    }
    if problems.count() == 0 {
        look(&mut problems, &steps, &places);
    }
    if problems.count() > 0 { Err(problems.into_list()) } else { Ok(steps) }
}

/// What is well-formed but has no place in a prelude.
fn look(problems: &mut Problems<'_>, steps: &[Step], places: &[usize]) {
    let whole =
        "a prelude is what a lawful client says before the case begins; what is wrong belongs into a case";
    let mut in_message = false;
    for (step, at) in steps.iter().zip(places) {
        match step {
            Step::Exchange(_) => {
                problems.add_with_help(
                    *at,
                    "an exchange in a prelude",
                    "send and await its messages one by one",
                );
                return;
            }
            Step::Read(_) | Step::Hold { .. } => {
                problems.add_with_help(*at, "a stress in a prelude", whole);
                return;
            }
            Step::Send(frame) if frame.opcode == Opcode::CLOSE => {
                problems.add_with_help(*at, "the prelude closes the connection", whole);
                return;
            }
            Step::Send(frame) if !frame.opcode.is_control() => in_message = !frame.fin,
            Step::Send(_)
            | Step::More { .. }
            | Step::Raw { .. }
            | Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::End(_) => {}
        }
    }
    let scenario = Scenario::uncatalogued("prelude", steps.to_vec(), Saw::Anything, Ending::ordinary());
    let at = |step: usize| places.get(step).copied().unwrap_or_default();
    if let Some(unlawful) = first_unlawful(&scenario) {
        problems.add_with_help(at(unlawful.step - 1), format!("the prelude {}", unlawful.reason), whole);
    } else if in_message {
        let help = "the last frame of a message has FIN, which is so unless `fin = false`";
        problems.add_with_help(at(steps.len() - 1), "the prelude ends within a message", help);
    } else if steps.is_empty() {
        let help = "such as steps = [{ send = \"text\", text = \"login\" }]";
        problems.add_with_help(0, "a prelude without steps", help);
    }
}
