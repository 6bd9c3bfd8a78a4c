//! What changed since an earlier run, as the page shows it: a panel, a filter, and a mark on each case.
//!
//! The page is told the changes and draws nothing from them: who compares decides what a change is.

use std::collections::HashMap;

use serde::Serialize;

use super::page::{Link, href};
use crate::compare::{self, Comparison, Verdict};
use crate::record::{CaseRecord, Role, RunReport};
use crate::render::comparison::words_of;
use crate::render::text::{clipped, column, prose};

/// How many changes of a kind the panel lists; the filter shows the others.
const LISTED: usize = 60;
/// With no more changes than this in all, each kind is unfolded.
const UNFOLDED: usize = 12;
/// How much of a description is shown, in characters.
const TEXT: usize = 160;

/// An earlier run to compare with, and what has changed since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// What a person calls it: a file name, a commit, a date.
    pub name: String,
    /// What is not as it was, in the order in which it is shown.
    pub changes: Vec<Change>,
}

impl Baseline {
    /// What a comparison found that the page of this record can show. `name` is what the earlier run is called.
    pub fn of(name: &str, comparison: &Comparison, report: &RunReport) -> Self {
        let mut changes = Vec::new();
        for target in &comparison.targets {
            let Some(of) = report.targets.get(target.new) else { continue };
            let words = |verdict: &Option<Verdict>| verdict.as_ref().map(words_of).unwrap_or_default();
            changes.extend(target.deltas.iter().map(|delta| Change {
                target: of.name.clone(),
                case: delta.key.id.clone(),
                role: delta.key.role,
                carrier: delta.key.carrier.clone(),
                kind: ChangeKind::of(delta.change),
                before: words(&delta.old),
                after: words(&delta.new),
            }));
        }
        Self { name: name.to_owned(), changes }
    }
}

/// A case that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The name of the target, as the record has it.
    pub target: String,
    /// The id of the case.
    pub case: String,
    /// The role of the endpoint under test.
    pub role: Role,
    /// What carried the bytes.
    pub carrier: String,
    /// In which way it changed.
    pub kind: ChangeKind,
    /// What was seen then, in a few words: `pass`, `12 ms`. Empty where there was nothing.
    pub before: String,
    /// What was seen now.
    pub after: String,
}

/// In which way a case changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It got worse.
    Regressed,
    /// It got better.
    Fixed,
    /// It is another, and neither better nor worse.
    Changed,
    /// It was not there before.
    Added,
    /// It is no longer there.
    Removed,
    /// It takes much longer.
    Slower,
}

impl ChangeKind {
    /// That of a comparison. One side of which nothing can be said is another one, and neither better nor worse.
    fn of(change: compare::Change) -> Self {
        match change {
            compare::Change::Regressed => Self::Regressed,
            compare::Change::Fixed => Self::Fixed,
            compare::Change::Changed | compare::Change::Undecided => Self::Changed,
            compare::Change::Slower => Self::Slower,
            compare::Change::Added => Self::Added,
            compare::Change::Removed => Self::Removed,
        }
    }

    /// Every value, what matters most first.
    pub const ALL: [Self; 6] =
        [Self::Regressed, Self::Slower, Self::Changed, Self::Fixed, Self::Added, Self::Removed];

    /// The word on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Fixed => "fixed",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Slower => "slower",
        }
    }

    /// A sign that tells the kinds apart without colour.
    fn symbol(self) -> &'static str {
        match self {
            Self::Regressed => "▼",
            Self::Fixed => "▲",
            Self::Changed => "◆",
            Self::Added => "+",
            Self::Removed => "−",
            Self::Slower => "◷",
        }
    }

    /// The behaviour whose colour it has.
    fn class(self) -> &'static str {
        match self {
            Self::Regressed => "fail",
            Self::Fixed => "pass",
            Self::Changed | Self::Added => "informational",
            Self::Removed => "unimplemented",
            Self::Slower => "non-strict",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Regressed => "worse than in the baseline",
            Self::Fixed => "better than in the baseline",
            Self::Changed => "not as in the baseline, and neither better nor worse",
            Self::Added => "not in the baseline",
            Self::Removed => "in the baseline, and not in this run",
            Self::Slower => "takes much longer than in the baseline",
        }
    }
}

/// The panel.
#[derive(Debug, Serialize)]
pub(super) struct Panel {
    name: String,
    groups: Vec<Group>,
}

/// The changes of a kind.
#[derive(Debug, Serialize)]
struct Group {
    #[serde(flatten)]
    sign: Sign,
    meaning: &'static str,
    n: usize,
    unfolded: bool,
    /// Whether the matrix has such cases, so that it can be filtered by them.
    filtered: bool,
    changes: Vec<Line>,
    more: usize,
}

/// How a kind of change is shown.
#[derive(Clone, Copy, Debug, Serialize)]
struct Sign {
    word: &'static str,
    symbol: &'static str,
    class: &'static str,
}

#[derive(Debug, Serialize)]
struct Line {
    id: String,
    /// Where it is on the page; a case that is gone is nowhere.
    link: Option<Link>,
    /// Where there are several.
    target: Option<String>,
    title: String,
    before: String,
    after: String,
}

impl Panel {
    pub(super) fn of(report: &RunReport, baseline: &Baseline) -> Self {
        let titles: HashMap<_, _> = report.cases.iter().map(|case| (case.id.as_str(), &case.title)).collect();
        let marks = Marks::of(report, Some(baseline));
        let many = report.targets.len() > 1;
        let line = |change: &Change| {
            // Only a record that is there can be linked to.
            let at = marks.places.get(&Key::of(change)).copied();
            Line {
                id: column(&change.case, 32),
                link: at
                    .map(|at| Link::new(column(&change.case, 32), href(&change.case, at, &change.carrier))),
                target: many.then(|| clipped(&change.target, 120)),
                title: titles.get(change.case.as_str()).map(|title| prose(title)).unwrap_or_default(),
                before: clipped(&change.before, TEXT),
                after: clipped(&change.after, TEXT),
            }
        };
        let groups = ChangeKind::ALL.into_iter().map(|kind| {
            let changes: Vec<_> = baseline.changes.iter().filter(|change| change.kind == kind).collect();
            Group {
                sign: Sign::of(kind),
                meaning: kind.meaning(),
                n: changes.len(),
                unfolded: kind == ChangeKind::Regressed || baseline.changes.len() <= UNFOLDED,
                filtered: changes.iter().any(|change| marks.places.contains_key(&Key::of(change))),
                changes: changes.iter().take(LISTED).map(|change| line(change)).collect(),
                more: changes.len().saturating_sub(LISTED),
            }
        });
        Self { name: clipped(&baseline.name, 120), groups: groups.filter(|group| group.n > 0).collect() }
    }
}

impl Sign {
    fn of(kind: ChangeKind) -> Self {
        Self { word: kind.as_str(), symbol: kind.symbol(), class: kind.class() }
    }
}

/// Which record a change speaks of. Names of targets may be alike, so that one may speak of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key<'a> {
    target: &'a str,
    case: &'a str,
    role: Role,
    carrier: &'a str,
}

impl<'a> Key<'a> {
    fn of(change: &'a Change) -> Self {
        Self { target: &change.target, case: &change.case, role: change.role, carrier: &change.carrier }
    }

    fn of_record(target: &'a str, record: &'a CaseRecord) -> Self {
        Self { target, case: &record.id, role: record.role, carrier: &record.carrier }
    }
}

/// The changes, by the records they speak of.
#[derive(Debug, Default)]
pub(super) struct Marks<'a> {
    changes: HashMap<Key<'a>, &'a Change>,
    /// The first target that has such a record, where one that changed is in this run.
    places: HashMap<Key<'a>, usize>,
}

/// What stands beside a verdict.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Mark {
    #[serde(flatten)]
    sign: Sign,
    /// What it was, and what it is.
    says: String,
}

impl Mark {
    /// The word that the filter looks for.
    pub(super) fn word(&self) -> &'static str {
        self.sign.word
    }
}

impl<'a> Marks<'a> {
    pub(super) fn of(report: &'a RunReport, baseline: Option<&'a Baseline>) -> Self {
        let changes = baseline.map_or(&[][..], |baseline| &baseline.changes);
        // Where two speak of one record, the first does.
        let changes: HashMap<_, _> = changes.iter().rev().map(|change| (Key::of(change), change)).collect();
        let mut places = HashMap::new();
        if !changes.is_empty() {
            for (at, target) in report.targets.iter().enumerate() {
                let keys = target.cases.iter().map(|record| Key::of_record(&target.name, record));
                for key in keys.filter(|key| changes.contains_key(key)) {
                    places.entry(key).or_insert(at);
                }
            }
        }
        Self { changes, places }
    }

    /// What changed of this record.
    pub(super) fn get(&self, target: &'a str, record: &'a CaseRecord) -> Option<Mark> {
        let change = self.changes.get(&Key::of_record(target, record))?;
        let (before, after) = (clipped(&change.before, TEXT), clipped(&change.after, TEXT));
        let says = match (before.is_empty(), after.is_empty()) {
            (true, true) => change.kind.meaning().to_owned(),
            (true, false) => format!("now {after}"),
            (false, true) => format!("was {before}"),
            (false, false) => format!("was {before}, now {after}"),
        };
        Some(Mark { sign: Sign::of(change.kind), says })
    }

    /// The kinds that the matrix can be filtered by, with how many records each marks.
    pub(super) fn legend(&self) -> Vec<Chip> {
        let count = |kind| self.places.keys().filter(|key| self.changes[key].kind == kind).count();
        ChangeKind::ALL
            .into_iter()
            .map(|kind| Chip { sign: Sign::of(kind), meaning: kind.meaning(), n: count(kind) })
            .filter(|chip| chip.n > 0)
            .collect()
    }
}

/// One kind in the filter.
#[derive(Debug, Serialize)]
pub(super) struct Chip {
    #[serde(flatten)]
    sign: Sign,
    meaning: &'static str,
    n: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_kinds_share_a_sign_or_a_word() {
        for of in [ChangeKind::symbol, ChangeKind::as_str, ChangeKind::meaning] {
            let mut all = ChangeKind::ALL.map(of);
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
        }
    }
}
