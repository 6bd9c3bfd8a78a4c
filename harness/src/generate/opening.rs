//! Opening handshakes.

use arbitrary::Unstructured;
use wsgrade_cases::model::{Ending, Saw, Scenario, Step};

use super::{Brief, ID};

pub(super) fn sketch(_brief: &Brief, _u: &mut Unstructured<'_>) -> Scenario {
    let steps = vec![Step::Probe { mark: "open".to_owned() }];
    Scenario::uncatalogued(ID, steps, Saw::Anything, Ending::ordinary())
}
