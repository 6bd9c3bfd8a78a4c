//! Two runs, and what is different in the later one.
//!
//! ```text
//! run.json ─┐
//! baseline ─┼─▶ Side ─┐           verdict  how good, and how slow
//! index.json┘         ├─ pair ─▶ Comparison { TargetComparison { Delta … } … }
//!                Side ┘           │
//!                                 ├── gate                  whether it may pass
//!                                 └── render::comparison    for a terminal, and as Markdown
//! ```

mod index;
mod pair;
mod side;
mod verdict;

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::order;
use crate::record::{CaseKey, Role};
use crate::render::text::column;

pub use index::IndexError;
pub use pair::{Unmatched, Which};
pub use side::{Judge, Pace, Side, SideError, SideTarget};
pub use verdict::{Rank, SLOWER_BY_MS, SLOWER_TIMES, Verdict};

/// What is different between two runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// What a reader has to know of how they were compared, a sentence each.
    pub notes: Vec<String>,
    /// Target by target, in the order of the new side.
    pub targets: Vec<TargetComparison>,
    /// Targets of which nothing was compared.
    pub unmatched: Vec<Unmatched>,
}

/// What is different in one target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetComparison {
    /// What it is called on the new side.
    pub name: String,
    /// Its role, where either side knows it.
    pub role: Option<Role>,
    /// Its place among the targets of the old side.
    pub old: usize,
    /// Its place among the targets of the new side.
    pub new: usize,
    /// How many cases both sides have: those in which nothing is different among them.
    pub compared: usize,
    /// What is different, in the order of the cases.
    pub deltas: Vec<Delta>,
}

/// What is different in one case.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// Which case.
    pub key: CaseKey,
    /// In what way.
    pub change: Change,
    /// What was found before; absent where it was added.
    pub old: Option<Verdict>,
    /// What was found now; absent where it was removed.
    pub new: Option<Verdict>,
    /// Whether it also takes longer, by [`Verdict::is_slower_than`].
    pub slower: bool,
}

/// In what way a case is different. The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Its [`Rank`] is worse.
    Regressed,
    /// Its rank is better.
    Fixed,
    /// Its rank is the same, and its behaviour, its close verdict or the close code is another.
    Changed,
    /// It was inconclusive on one side, so nothing can be said.
    Undecided,
    /// It is the same, but takes longer.
    Slower,
    /// Only the new side has it.
    Added,
    /// Only the old side has it.
    Removed,
}

impl Change {
    /// Every value.
    pub const ALL: [Self; 7] = [
        Self::Regressed,
        Self::Fixed,
        Self::Changed,
        Self::Undecided,
        Self::Slower,
        Self::Added,
        Self::Removed,
    ];

    /// As it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regressed => "regressed",
            Self::Fixed => "fixed",
            Self::Changed => "changed",
            Self::Undecided => "undecided",
            Self::Slower => "slower",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// In what way two verdicts are different, if they are. Durations count only where they are `timed` alike.
    fn between(old: &Verdict, new: &Verdict, timed: bool) -> Option<Self> {
        match (old.rank(), new.rank()) {
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => Some(Self::Undecided),
            (Some(before), Some(now)) if now > before => Some(Self::Regressed),
            (Some(before), Some(now)) if now < before => Some(Self::Fixed),
            (Some(_), Some(_)) if !new.is_like(old) => Some(Self::Changed),
            (Some(_), Some(_)) => (timed && new.is_slower_than(old)).then_some(Self::Slower),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Comparison {
    /// Compares two sides.
    pub fn of(old: &Side, new: &Side) -> Self {
        let mut notes = notes(old, new);
        let (pairs, unmatched) = pair::pair(old, new);
        let mut targets = Vec::new();
        for (i, j) in pairs {
            let (before, now) = (&old.targets[i], &new.targets[j]);
            if before.name != now.name {
                notes.push(format!(
                    "{} is compared with {}: they are the only ones left of their kind",
                    pair::named(now),
                    pair::named(before)
                ));
            }
            let deltas = Deltas::of((old, before), (new, now));
            targets.push(TargetComparison {
                name: now.name.clone(),
                role: now.role.or(before.role),
                old: i,
                new: j,
                compared: deltas.compared,
                deltas: deltas.found,
            });
        }
        if !unmatched.is_empty() {
            notes.push(
                "targets are matched by name and role: give both runs the same names, or compare files of one target each"
                    .to_owned(),
            );
        }
        Self { notes, targets, unmatched }
    }

    /// Whether nothing is different, in whatever way.
    pub fn is_empty(&self) -> bool {
        self.unmatched.is_empty() && self.targets.iter().all(|target| target.deltas.is_empty())
    }

    /// How many cases are different in this way.
    pub fn count(&self, change: Change) -> usize {
        self.targets.iter().map(|target| target.of(change).count()).sum()
    }
}

impl TargetComparison {
    /// What is different in this way.
    pub fn of(&self, change: Change) -> impl Iterator<Item = &Delta> {
        self.deltas.iter().filter(move |delta| delta.change == change)
    }
}

/// What is to be known of these two sides, whatever they hold.
fn notes(old: &Side, new: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(a), Some(b)) = (&old.catalogue, &new.catalogue)
        && a != b
    {
        notes.push(format!(
            "the catalogues are not the same ({} and {}): cases are compared by their ids, and some may test something else \
             than they did",
            column(a, 12),
            column(b, 12)
        ));
    }
    if old.judge != new.judge {
        notes.push(
            "one side was judged by Autobahn|Testsuite: our verdicts are put into its words, cases are compared by their \
             ids, and durations are not"
                .to_owned(),
        );
    } else if let (Some(a), Some(b)) = (old.pace, new.pace)
        && a != b
    {
        let words = |Pace(depth)| depth.map_or("full".to_owned(), |depth: u32| depth.to_string());
        notes.push(format!(
            "the exchanges had not the same depth ({} and {}), so durations are not compared",
            words(a),
            words(b)
        ));
    }
    for (side, which) in [(old, Which::Old), (new, Which::New)] {
        if let Some(shard) = side.shard {
            notes.push(format!(
                "the {which} side is shard {} of {}: cases that it does not hold are left out",
                shard.index, shard.count
            ));
        }
    }
    notes
}

/// What is different between two targets.
struct Deltas {
    found: Vec<Delta>,
    compared: usize,
}

impl Deltas {
    fn of((old, before): (&Side, &SideTarget), (new, now): (&Side, &SideTarget)) -> Self {
        let foreign = old.judge != new.judge;
        let timed = !foreign && old.pace.is_some() && old.pace == new.pace;
        // The old tool tells neither role nor carrier, and what has another role has no key in common.
        let by_id = before.role.is_none() || now.role.is_none() || before.role != now.role;
        let seen = |verdict: &Verdict| if foreign { index::in_old_words(verdict) } else { *verdict };
        let handle = |key: &CaseKey| match by_id {
            true => (key.id.clone(), None),
            false => (key.id.clone(), Some((key.role, key.carrier.clone()))),
        };
        let mut earlier: HashMap<_, (&CaseKey, Verdict)> = HashMap::new();
        for (key, verdict) in &before.cases {
            earlier.entry(handle(key)).or_insert((key, seen(verdict)));
        }
        let mut met = HashSet::new();
        let mut found = Vec::new();
        let mut compared = 0;
        for (key, verdict) in &now.cases {
            let handle = handle(key);
            if !met.insert(handle.clone()) {
                continue;
            }
            let verdict = seen(verdict);
            let Some((known, past)) = earlier.get(&handle) else {
                if old.shard.is_none() {
                    let (old, new) = (None, Some(verdict));
                    found.push(Delta { key: key.clone(), change: Change::Added, old, new, slower: false });
                }
                continue;
            };
            compared += 1;
            if let Some(change) = Change::between(past, &verdict, timed) {
                let key = if now.role.is_some() { key.clone() } else { (*known).clone() };
                let slower = timed && verdict.is_slower_than(past);
                found.push(Delta { key, change, old: Some(*past), new: Some(verdict), slower });
            }
        }
        if new.shard.is_none() {
            let gone = earlier.iter().filter(|(handle, _)| !met.contains(*handle));
            found.extend(gone.map(|(_, (key, past))| Delta {
                key: (*key).clone(),
                change: Change::Removed,
                old: Some(*past),
                new: None,
                slower: false,
            }));
        }
        found.sort_by(|a, b| order::keys(&a.key, &b.key));
        Self { found, compared }
    }
}
