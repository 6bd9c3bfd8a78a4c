//! One scenario from another.

use arbitrary::Unstructured;
use wsgrade_cases::model::Scenario;

use super::Brief;

pub(super) fn sketch(
    _brief: &Brief,
    scenario: &Scenario,
    other: &Scenario,
    u: &mut Unstructured<'_>,
) -> Scenario {
    let mut scenario = scenario.clone();
    let cut = u.int_in_range(0..=other.steps.len()).unwrap_or_default();
    scenario.steps.extend_from_slice(&other.steps[cut..]);
    scenario
}
