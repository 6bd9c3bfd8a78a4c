//! Scenarios that nobody wrote: made from bytes, or from other scenarios and bytes. Pure: the same bytes make the same.
//!
//! ```text
//! bytes ─ arbitrary ─┬─ conversation ─ frames, mostly lawful, now and then one that is not ─┐
//!                    └─ opening      ─ a handshake, lawful, odd or broken ──────────────────┼─ oracle ─▶ Scenario
//! Scenario, Scenario, bytes ─ mutate ─ a piece taken out, doubled, swapped, changed ────────┘
//! ```

mod conversation;
mod mutate;
mod opening;
mod value;

use arbitrary::Unstructured;
use wsgrade_cases::model::Scenario;
use wsgrade_codec::Role;

use crate::oracle;

/// The id of every scenario that has no other.
pub(crate) const ID: &str = "generated";

/// What is asked of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The role of the endpoint under test.
    pub role: Role,
    /// Whether it agrees to permessage-deflate.
    pub deflate: bool,
    /// Whether its opening handshake is looked at as well: not where somebody else answers it, such as a proxy, or
    /// where every refusal costs a client its session.
    pub openings: bool,
}

/// Out of so many scenarios one is about the opening handshake.
const OPENINGS: u8 = 4;

/// The scenario that these bytes stand for, ready to be played. Any bytes stand for one.
pub fn generate(brief: &Brief, bytes: &[u8]) -> Scenario {
    let mut u = Unstructured::new(bytes);
    let about_opening = brief.openings && u.ratio(1, OPENINGS).unwrap_or_default();
    let sketch = match about_opening {
        true => opening::sketch(brief, &mut u),
        false => conversation::sketch(brief, &mut u),
    };
    oracle::complete(&sketch, brief.role)
}

/// A scenario like this one, with something changed, perhaps by way of the other.
pub fn mutate(brief: &Brief, scenario: &Scenario, other: &Scenario, bytes: &[u8]) -> Scenario {
    let sketch = mutate::sketch(brief, scenario, other, &mut Unstructured::new(bytes));
    oracle::complete(&sketch, brief.role)
}
