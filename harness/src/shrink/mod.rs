//! From a scenario in which something goes wrong to the shortest in which the same goes wrong. Pure: it offers
//! candidates, and is told which of them still show it.
//!
//! ```text
//! best ─ edits: halves of the steps, single steps, simpler steps ─ playable ─ simpler? new? ─ oracle ─▶ candidate
//!  ▲                                                                                                      │
//!  └────────────────────────────────── keep ──────────────────────────────────────────────────────────────┘
//! ```

mod edit;
mod measure;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use wsgrade_cases::model::{By, Outcome, Saw, Scenario};
use wsgrade_codec::Role;

use crate::generate::playable;
use crate::oracle;
use edit::{Edit, edits};
use measure::Measure;

/// A search for the shortest scenario.
///
/// Call [`next`](Self::next), play what it gives, and call [`keep`](Self::keep) if it still shows the same; and so on until
/// there is nothing simpler, or no time. Each candidate is simpler than the best so far and was not offered before, so
/// there is an end to it. What comes in which order depends on the scenario and on what was kept, and on nothing else.
#[derive(Clone, Debug)]
pub struct Shrinker {
    role: Role,
    best: Scenario,
    measure: Measure,
    /// What can be tried with the best, and how much of it was.
    edits: Vec<Edit>,
    at: usize,
    candidate: Option<Scenario>,
    /// The candidates so far, by their hashes.
    offered: HashSet<u64>,
}

impl Shrinker {
    /// A search that begins here. `role` is that of the endpoint under test.
    pub fn new(scenario: Scenario, role: Role) -> Self {
        let mut offered = HashSet::new();
        offered.insert(hash(&scenario));
        Self {
            role,
            measure: Measure::of(&scenario),
            edits: edits(&scenario),
            at: 0,
            best: scenario,
            candidate: None,
            offered,
        }
    }

    /// The next candidate, ready to be played; `None` where nothing simpler is left.
    #[expect(clippy::should_implement_trait, reason = "what it gives depends on what was kept")]
    pub fn next(&mut self) -> Option<Scenario> {
        self.candidate = None;
        while let Some(edit) = self.edits.get(self.at) {
            self.at += 1;
            let mut sketch = self.best.clone();
            edit.apply(&mut sketch);
            playable::mend(&mut sketch, self.role);
            if Measure::of(&sketch) >= self.measure || !self.offered.insert(hash(&sketch)) {
                continue;
            }
            let candidate = oracle::completed(sketch, self.role);
            // But the peer's own frames may be wrong all the same, if that is what was found.
            if asks_nothing(&candidate) && !asks_nothing(&self.best) {
                continue;
            }
            self.candidate = Some(candidate.clone());
            return Some(candidate);
        }
        None
    }

    /// The last candidate shows the same.
    pub fn keep(&mut self) {
        if let Some(candidate) = self.candidate.take() {
            self.measure = Measure::of(&candidate);
            self.edits = edits(&candidate);
            self.at = 0;
            self.best = candidate;
        }
    }

    /// The simplest that showed it so far.
    pub fn best(&self) -> &Scenario {
        &self.best
    }
}

/// Whether nothing that a peer answers to it is wrong.
fn asks_nothing(scenario: &Scenario) -> bool {
    scenario.accept.iter().any(|accept| {
        let ending = accept.ending.as_ref().unwrap_or(&scenario.ending);
        accept.verdict == Outcome::Pass && accept.saw == Saw::Anything && ending.by == By::Either
    })
}

/// What is played of a scenario, as a number (the same on every machine: the hasher has no seed).
fn hash(scenario: &Scenario) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{:?} {:?}", scenario.opening, scenario.steps).hash(&mut hasher);
    hasher.finish()
}
