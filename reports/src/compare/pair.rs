//! Which target of one side is which of the other.

use std::fmt;

use super::side::{Side, SideTarget};
use crate::record::Role;
use crate::render::text::column;

/// A target that has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// On which side it is.
    pub on: Which,
    /// Its place among the targets of that side.
    pub at: usize,
    /// What it is called, with its role, made visible.
    pub name: String,
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// What is compared with.
    Old,
    /// What is compared.
    New,
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Old => "old",
            Self::New => "new",
        })
    }
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is only on the {} side, so nothing of it is compared", self.name, self.on)
    }
}

/// The places of targets that belong together, in the order of the new side, and those that have no counterpart.
///
/// The n-th of a name and role belongs to the n-th of that name and role; what is left of a role belongs together if it is
/// one on either side; and where each side has one target in all they belong together whatever they are called.
pub(super) fn pair(old: &Side, new: &Side) -> (Vec<(usize, usize)>, Vec<Unmatched>) {
    let mut left: Vec<usize> = (0..old.targets.len()).collect();
    let mut right: Vec<usize> = (0..new.targets.len()).collect();
    let mut pairs = Vec::new();
    let at = |i: usize, j: usize| (&old.targets[i], &new.targets[j]);
    right.retain(|&j| {
        let found = left.iter().position(|&i| {
            let (a, b) = at(i, j);
            a.name == b.name && roles_agree(a, b)
        });
        found.inspect(|&n| pairs.push((left.remove(n), j))).is_none()
    });
    for role in Role::ALL {
        let may_be = |target: &SideTarget| target.role.is_none_or(|its| its == role);
        let ours: Vec<usize> = left.iter().copied().filter(|&i| may_be(&old.targets[i])).collect();
        let theirs: Vec<usize> = right.iter().copied().filter(|&j| may_be(&new.targets[j])).collect();
        if let ([i], [j]) = (ours.as_slice(), theirs.as_slice()) {
            pairs.push((*i, *j));
            left.retain(|n| n != i);
            right.retain(|n| n != j);
        }
    }
    if old.targets.len() == 1 && new.targets.len() == 1 && pairs.is_empty() {
        return (vec![(0, 0)], Vec::new());
    }
    pairs.sort_by_key(|(_, j)| *j);
    let one = |on, at, target: &SideTarget| Unmatched { on, at, name: named(target) };
    let missing = left.iter().map(|&i| one(Which::Old, i, &old.targets[i]));
    let unknown = right.iter().map(|&j| one(Which::New, j, &new.targets[j]));
    (pairs, missing.chain(unknown).collect())
}

/// Unknown is like any.
fn roles_agree(a: &SideTarget, b: &SideTarget) -> bool {
    a.role.is_none() || b.role.is_none() || a.role == b.role
}

/// `ws 8.18 (server)`.
pub(super) fn named(target: &SideTarget) -> String {
    let name = column(&target.name, 100);
    match target.role {
        Some(role) => format!("{name} ({role})"),
        None => name,
    }
}
