//! Scenarios that nobody wrote: made from bytes, or from other scenarios and bytes. Pure: the same bytes make the same.
//!
//! ```text
//! bytes ─ dice ─┬─ conversation ─ payload, frame, compressed ─┐
//!               └─ opening      ─ lawful, odd or broken ──────┼─ playable ─ oracle ─▶ Scenario
//! Scenario, Scenario, bytes ─ mutate ─────────────────────────┘
//! ```
//!
//! A conversation is mostly lawful, and now and then something in it is not. The bytes decide, byte by byte, and where
//! they are used up each choice is the simplest; a few hundred of them are as much as a conversation asks for.

mod compressed;
mod conversation;
mod dice;
mod frame;
mod mutate;
mod opening;
mod payload;
pub(crate) mod playable;
#[cfg(test)]
mod tests;
mod value;

use arbitrary::Unstructured;
use wsgrade_cases::model::Scenario;
use wsgrade_codec::Role;

use crate::oracle;
use dice::Dice;

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
const OPENINGS: usize = 4;

/// The scenario that these bytes stand for, ready to be played. Any bytes stand for one.
pub fn generate(brief: &Brief, bytes: &[u8]) -> Scenario {
    let mut u = Unstructured::new(bytes);
    let about_opening = brief.openings && u.one_in(OPENINGS);
    let mut sketch = match about_opening {
        true => opening::sketch(brief, &mut u),
        false => conversation::sketch(brief, &mut u),
    };
    playable::mend(&mut sketch, brief.role);
    oracle::completed(sketch, brief.role)
}

/// A scenario like this one, with something changed, perhaps by way of the other. Either may be a case of the
/// catalogue: what cannot be played in a moment is left out, such as stress and exchanges.
pub fn mutate(brief: &Brief, scenario: &Scenario, other: &Scenario, bytes: &[u8]) -> Scenario {
    let mut sketch = mutate::sketch(brief, scenario, other, &mut Unstructured::new(bytes));
    playable::mend(&mut sketch, brief.role);
    let changed = oracle::completed(sketch, brief.role);
    // What takes a peer a tenth of a second and shows nothing has no place in a campaign.
    if oracle::is_beyond_limits(&changed) { generate(brief, bytes) } else { changed }
}
