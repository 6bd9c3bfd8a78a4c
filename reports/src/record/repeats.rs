//! A case that was played more than once on purpose, to see whether it comes out the same each time.

use serde::{Deserialize, Serialize};

use super::{Behavior, CaseRecord, CloseVerdict};

/// How often a case was played, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeats {
    /// How many times; the sum of those of the verdicts. `1 <= times`
    pub times: u32,
    /// Each verdict once, in the order in which they were first seen. Never empty.
    pub verdicts: Vec<Repeated>,
}

/// One verdict, and how often it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// What the peer did.
    pub behavior: Behavior,
    /// How the connection ended.
    pub close: CloseVerdict,
    /// How many times. `1 <= times`
    pub times: u32,
}

impl Repeats {
    /// Counts a record of the case.
    pub fn count(&mut self, record: &CaseRecord) {
        self.add(record.behavior, record.close, 1);
    }

    /// Counts what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for Repeated { behavior, close, times } in &other.verdicts {
            self.add(*behavior, *close, *times);
        }
    }

    fn add(&mut self, behavior: Behavior, close: CloseVerdict, times: u32) {
        self.times += times;
        let alike = |seen: &&mut Repeated| (seen.behavior, seen.close) == (behavior, close);
        match self.verdicts.iter_mut().find(alike) {
            Some(seen) => seen.times += times,
            None => self.verdicts.push(Repeated { behavior, close, times }),
        }
    }

    /// Whether the verdict was not the same each time.
    pub fn is_flaky(&self) -> bool {
        self.verdicts.len() > 1
    }
}

impl CaseRecord {
    /// Whether its verdict was not the same each time it was played.
    pub fn is_flaky(&self) -> bool {
        self.repeats.as_ref().is_some_and(Repeats::is_flaky)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeats(verdicts: &[(Behavior, u32)]) -> Repeats {
        let mut repeats = Repeats::default();
        for (behavior, times) in verdicts {
            repeats.add(*behavior, CloseVerdict::Pass, *times);
        }
        repeats
    }

    #[test]
    fn what_differs_is_flaky() {
        assert!(!repeats(&[]).is_flaky());
        assert!(!repeats(&[(Behavior::Fail, 2), (Behavior::Fail, 1)]).is_flaky());
        assert!(repeats(&[(Behavior::Fail, 2), (Behavior::Pass, 1)]).is_flaky());
        let mut closes = repeats(&[(Behavior::Pass, 1)]);
        closes.add(Behavior::Pass, CloseVerdict::Unclean, 1);
        assert!(closes.is_flaky(), "either axis counts");
    }

    #[test]
    fn sums() {
        let mut sum = repeats(&[(Behavior::Pass, 1), (Behavior::Fail, 2), (Behavior::Pass, 1)]);
        sum.merge(&repeats(&[(Behavior::Fail, 3), (Behavior::NonStrict, 1)]));
        let times: Vec<_> = sum.verdicts.iter().map(|verdict| (verdict.behavior, verdict.times)).collect();
        assert_eq!(times, [(Behavior::Pass, 2), (Behavior::Fail, 5), (Behavior::NonStrict, 1)]);
        assert_eq!(sum.times, 8);
    }
}
