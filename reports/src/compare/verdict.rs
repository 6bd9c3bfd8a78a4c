//! What is compared of a case.

use crate::record::{Behavior, CaseRecord, CloseVerdict, Severity};

/// The verdict on one case, as every kind of file has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What the peer did.
    pub behavior: Behavior,
    /// How the connection ended.
    pub close: CloseVerdict,
    /// The status code of the peer's Close frame, where it sent one with a code.
    pub close_code: Option<u16>,
    /// How long the case took, in milliseconds; absent where the file does not tell.
    pub duration_ms: Option<f64>,
}

/// How good a verdict is. The best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// Nothing was broken: as asked, or a choice that the RFC leaves open.
    Good,
    /// The target lacks what the case needs: less than having it and getting it right.
    Absent,
    /// A `SHOULD` was broken.
    Minor,
    /// A `MUST` was broken.
    Major,
}

/// A case is slower if it took more than this many times as long …
pub const SLOWER_TIMES: f64 = 2.0;
/// … and more than this many milliseconds longer. Most cases take a few milliseconds, where twice as long is noise; and a
/// case that waits for a second varies by less than that.
pub const SLOWER_BY_MS: f64 = 250.0;

impl Verdict {
    /// That of a record.
    pub fn of(record: &CaseRecord) -> Self {
        Self {
            behavior: record.behavior,
            close: record.close,
            close_code: record.close_code,
            duration_ms: Some(record.duration_ms),
        }
    }

    /// How good it is, by the heavier of its two axes; nothing where it says nothing of the target.
    pub fn rank(&self) -> Option<Rank> {
        match self.behavior {
            Behavior::Inconclusive => return None,
            Behavior::Unimplemented => return Some(Rank::Absent),
            Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {}
        }
        Some(match self.behavior.severity().max(self.close.severity()) {
            Severity::Good | Severity::Neutral => Rank::Good,
            Severity::Minor => Rank::Minor,
            Severity::Major => Rank::Major,
        })
    }

    /// Whether both axes and the code are those of another verdict, however long either took.
    pub fn is_like(&self, other: &Self) -> bool {
        (self.behavior, self.close, self.close_code) == (other.behavior, other.close, other.close_code)
    }

    /// Whether it took longer than before by more than noise; what is inconclusive, or no time, is never slower.
    pub fn is_slower_than(&self, before: &Self) -> bool {
        let (Some(now), Some(then)) = (self.duration_ms, before.duration_ms) else { return false };
        let told = self.rank().is_some() && before.rank().is_some() && then >= 0.0;
        told && now > then * SLOWER_TIMES && now - then > SLOWER_BY_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(behavior: Behavior, close: CloseVerdict) -> Verdict {
        Verdict { behavior, close, close_code: Some(1000), duration_ms: None }
    }

    fn took(ms: f64) -> Verdict {
        Verdict { duration_ms: Some(ms), ..verdict(Behavior::Pass, CloseVerdict::Pass) }
    }

    #[test]
    fn the_heavier_axis_decides() {
        for (behavior, close, rank) in [
            (Behavior::Pass, CloseVerdict::Pass, Some(Rank::Good)),
            (Behavior::Pass, CloseVerdict::Informational, Some(Rank::Good)),
            (Behavior::Informational, CloseVerdict::Inconclusive, Some(Rank::Good)),
            (Behavior::Pass, CloseVerdict::WrongCode, Some(Rank::Minor)),
            (Behavior::NonStrict, CloseVerdict::Pass, Some(Rank::Minor)),
            (Behavior::Informational, CloseVerdict::Unclean, Some(Rank::Major)),
            (Behavior::Fail, CloseVerdict::Pass, Some(Rank::Major)),
            (Behavior::Unimplemented, CloseVerdict::Unclean, Some(Rank::Absent)),
            (Behavior::Inconclusive, CloseVerdict::Unclean, None),
        ] {
            assert_eq!(verdict(behavior, close).rank(), rank, "{behavior} {close}");
        }
    }

    #[test]
    fn noise_is_not_slower() {
        assert!(took(501.0).is_slower_than(&took(250.0)));
        assert!(took(251.5).is_slower_than(&took(1.0)));
        // Not twice as long, or not by so much, or not longer at all.
        assert!(!took(1900.0).is_slower_than(&took(1000.0)));
        assert!(!took(250.0).is_slower_than(&took(3.0)));
        assert!(!took(3.0).is_slower_than(&took(3000.0)));
        assert!(!took(f64::NAN).is_slower_than(&took(1.0)) && !took(900.0).is_slower_than(&took(f64::NAN)));
        assert!(!took(900.0).is_slower_than(&took(-1.0)));
    }

    #[test]
    fn what_is_inconclusive_is_never_slower() {
        let ours = Verdict { behavior: Behavior::Inconclusive, ..took(9000.0) };
        assert!(!ours.is_slower_than(&took(1.0)));
        let before = Verdict { behavior: Behavior::Inconclusive, ..took(1.0) };
        assert!(!took(9000.0).is_slower_than(&before));
    }
}
