//! From a scenario in which something goes wrong to the shortest in which the same goes wrong. Pure: it offers
//! candidates, and is told which of them still show it.

use wsgrade_cases::model::Scenario;
use wsgrade_codec::Role;

use crate::oracle;

/// A search for the shortest scenario.
///
/// Call [`next`](Self::next), play what it gives, and call [`keep`](Self::keep) if it still shows the same; and so on until
/// there is nothing simpler, or no time.
#[derive(Clone, Debug)]
pub struct Shrinker {
    role: Role,
    best: Scenario,
    candidate: Option<Scenario>,
    /// The step that is left out next.
    at: usize,
}

impl Shrinker {
    /// A search that begins here. `role` is that of the endpoint under test.
    pub fn new(scenario: Scenario, role: Role) -> Self {
        Self { role, best: scenario, candidate: None, at: 0 }
    }

    /// The next candidate, ready to be played.
    #[expect(clippy::should_implement_trait, reason = "what it gives depends on what was kept")]
    pub fn next(&mut self) -> Option<Scenario> {
        if self.at >= self.best.steps.len() {
            return None;
        }
        let mut sketch = self.best.clone();
        sketch.steps.remove(self.at);
        self.at += 1;
        let candidate = oracle::complete(&sketch, self.role);
        self.candidate = Some(candidate.clone());
        Some(candidate)
    }

    /// The last candidate shows the same.
    pub fn keep(&mut self) {
        if let Some(candidate) = self.candidate.take() {
            self.best = candidate;
            self.at = 0;
        }
    }

    /// The simplest that showed it so far.
    pub fn best(&self) -> &Scenario {
        &self.best
    }
}
