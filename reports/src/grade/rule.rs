//! From counts to a letter. `docs/grading.md` publishes this rule: change both or neither.

use std::fmt;

use super::AreaGrade;
use super::count::Counts;

/// A letter, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// A third of the conversation or more cannot be relied on.
    F,
    /// MUSTs are broken all over.
    D,
    /// MUSTs are broken in more than a few places, or a whole area is bad.
    C,
    /// A MUST is broken in a few places, or SHOULDs in many.
    B,
    /// No MUST is broken, and few SHOULDs.
    A,
    /// Nothing at all is broken.
    APlus,
}

impl Grade {
    /// Every letter, the best first.
    pub const ALL: [Self; 6] = [Self::APlus, Self::A, Self::B, Self::C, Self::D, Self::F];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F => "F",
            Self::D => "D",
            Self::C => "C",
            Self::B => "B",
            Self::A => "A",
            Self::APlus => "A+",
        }
    }

    /// The letter of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.as_str() == word)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why there is no letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoGrade {
    /// Nothing was played that counts.
    NothingCounted,
    /// The run ended before its last case.
    Stopped,
    /// More than a tenth of what was played is inconclusive.
    Inconclusive,
    /// Scenarios were played that nobody wrote, of which only those are recorded in which something is wrong.
    Fuzzed,
}

impl NoGrade {
    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingCounted => "no case was played that counts",
            Self::Stopped => "the run ended before its last case",
            Self::Inconclusive => "more than a tenth of the cases were inconclusive",
            Self::Fuzzed => "a fuzz run grades nothing, it only finds what is wrong",
        }
    }
}

impl fmt::Display for NoGrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// An area of fewer counted cases than this does not cap the whole.
pub(super) const AREA_CAPS_FROM: usize = 5;

/// The letter for these counts alone.
pub(super) fn letter(counts: &Counts) -> Result<Grade, NoGrade> {
    if counts.inconclusive * 10 > counts.total() {
        return Err(NoGrade::Inconclusive);
    }
    if counts.counted == 0 {
        return Err(NoGrade::NothingCounted);
    }
    let (counted, cost) = (counts.counted as u64, counts.cost());
    // `cost` is in tenths of a case: a loss of p percent is `cost * 10 == p * counted`.
    let loss_at_most = |percent: u64| cost * 10 <= percent * counted;
    Ok(if cost == 0 {
        Grade::APlus
    } else if counts.major == 0 {
        if loss_at_most(1) { Grade::A } else { Grade::B }
    } else if loss_at_most(2) {
        Grade::B
    } else if loss_at_most(10) {
        Grade::C
    } else if cost * 3 < counted * 10 {
        Grade::D
    } else {
        Grade::F
    })
}

/// A bad area is not hidden by good ones.
pub(super) fn capped(letter: Grade, areas: &[AreaGrade]) -> Grade {
    let bad = |area: &AreaGrade| area.grade == Ok(Grade::F) && area.counts.counted >= AREA_CAPS_FROM;
    if areas.iter().any(bad) { letter.min(Grade::C) } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many counted records, of which so many broke a SHOULD and so many a MUST.
    fn counts(counted: usize, minor: usize, major: usize) -> Counts {
        Counts {
            pass: counted - minor - major,
            non_strict: minor,
            fail: major,
            counted,
            minor,
            major,
            ..Counts::default()
        }
    }

    #[test]
    fn every_border_is_where_it_is_published() {
        for (counted, minor, major, grade) in [
            (1, 0, 0, Grade::APlus),
            (500, 0, 0, Grade::APlus),
            // No MUST broken: A up to a tenth of the cases, then B however many.
            (500, 1, 0, Grade::A),
            (500, 50, 0, Grade::A),
            (500, 51, 0, Grade::B),
            (500, 500, 0, Grade::B),
            // Any MUST: B at best.
            (100_000, 0, 1, Grade::B),
            (500, 0, 10, Grade::B),
            (500, 1, 10, Grade::C),
            (500, 0, 50, Grade::C),
            (500, 0, 51, Grade::D),
            (600, 9, 199, Grade::D),
            (600, 10, 199, Grade::F),
            (600, 0, 200, Grade::F),
            (1, 0, 1, Grade::F),
        ] {
            assert_eq!(letter(&counts(counted, minor, major)), Ok(grade), "{counted} {minor} {major}");
        }
    }

    #[test]
    fn without_evidence_there_is_no_letter() {
        assert_eq!(letter(&Counts::default()), Err(NoGrade::NothingCounted));
        let only_neutral = Counts { informational: 3, unimplemented: 9, ..Counts::default() };
        assert_eq!(letter(&only_neutral), Err(NoGrade::NothingCounted));
        let all_inconclusive = Counts { inconclusive: 3, ..Counts::default() };
        assert_eq!(letter(&all_inconclusive), Err(NoGrade::Inconclusive));
        let too_many = Counts { inconclusive: 11, ..counts(89, 0, 0) };
        assert_eq!(letter(&too_many), Err(NoGrade::Inconclusive));
        let just_few_enough = Counts { inconclusive: 10, ..counts(90, 0, 0) };
        assert_eq!(letter(&just_few_enough), Ok(Grade::APlus));
    }

    #[test]
    fn a_bad_area_caps_the_whole_and_a_tiny_one_does_not() {
        let area = |counted, major| {
            let counts = counts(counted, 0, major);
            AreaGrade { area: "4".to_owned(), grade: letter(&counts), counts }
        };
        assert_eq!(capped(Grade::B, &[area(50, 0), area(5, 5)]), Grade::C);
        assert_eq!(capped(Grade::D, &[area(5, 5)]), Grade::D);
        assert_eq!(capped(Grade::B, &[area(4, 4)]), Grade::B);
        assert_eq!(capped(Grade::B, &[area(10, 3)]), Grade::B);
    }

    #[test]
    fn letters_are_ordered() {
        assert!(Grade::ALL.windows(2).all(|pair| pair[0] > pair[1]));
        assert_eq!(format!("{:>3}", Grade::APlus), " A+");
    }
}
