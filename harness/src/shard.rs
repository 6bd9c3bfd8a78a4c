//! Which part of a selection a machine plays.
//!
//! ```text
//! selected cases ─┬─ known to an earlier run ─▶ the longest first, each to the shard that has the least to do
//!                 └─ new ─────────────────────▶ by a hash of the case's key
//! ```
//!
//! So the same command with another `K` plays another part on every machine, without the machines asking each other, and a
//! case that is added to the catalogue moves no other: without an earlier run the hash of each case decides alone, and with
//! one the place of a case that it knows depends on the known ones only. All that a shard plays of a case, over whatever
//! carrier, is in one place, so that the case is whole there.

use std::collections::BTreeMap;
use std::sync::Arc;

use wsgrade_cases::id::CaseId;
use wsgrade_cases::model::Role;
use wsgrade_reports::compare::Side;
use wsgrade_reports::record::{self, Shard};

use crate::plan::Plan;

/// A shard of a selection, for a [`Run`](crate::runner::Run) that plays nothing else of it.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which.
    pub shard: Shard,
    /// All that was selected, that part included, as it would be played.
    pub selection: Vec<Arc<Plan>>,
}

/// How long cases took in an earlier run, by id, in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durations(BTreeMap<String, f64>);

/// What no case is quicker than, in milliseconds: else all that was not played would come to one shard, as work of no time.
const LEAST: f64 = 1.0;

impl Durations {
    /// Those of an earlier run, for endpoints in this role: of several targets the sum, since a shard plays all of them.
    /// Nothing where the run has none.
    pub fn of(side: &Side, role: Role) -> Option<Self> {
        let role = match role {
            Role::Server => record::Role::Server,
            Role::Client => record::Role::Client,
        };
        let mut known = BTreeMap::new();
        for target in side.targets.iter().filter(|target| target.role.is_none_or(|its| its == role)) {
            for (key, verdict) in &target.cases {
                if let Some(ms) = verdict.duration_ms.filter(|ms| ms.is_finite()) {
                    *known.entry(key.id.clone()).or_insert(0.0) += ms.max(0.0);
                }
            }
        }
        (!known.is_empty()).then_some(Self(known))
    }
}

/// The shard of each case, from 1 to `count`, in the order of the cases.
pub fn assign(cases: &[&CaseId], role: Role, count: u32, durations: &Durations) -> Vec<u32> {
    let count = count.max(1);
    let mut places: Vec<u32> = cases.iter().map(|id| by_hash(id.as_str(), role, count)).collect();
    let known = |n: &usize| durations.0.get(cases[*n].as_str()).map(|ms| (*n, ms.max(LEAST)));
    let mut known: Vec<(usize, f64)> =
        (0..cases.len()).collect::<Vec<_>>().iter().filter_map(known).collect();
    known.sort_by(|(m, a), (n, b)| b.total_cmp(a).then_with(|| cases[*m].cmp(cases[*n])));
    let mut loads: Vec<f64> = vec![0.0; count as usize];
    for (n, ms) in known {
        // Of shards that have as much to do the first one, so that every machine comes to the same.
        let least = (0..loads.len()).min_by(|a, b| loads[*a].total_cmp(&loads[*b])).unwrap_or_default();
        loads[least] += ms;
        places[n] = least as u32 + 1;
    }
    places
}

/// The shard of a case of which nothing is known, from 1 to `count`. This is for ever: FNV-1a over the role, a space and the
/// id, stirred (as in MurmurHash3) so that ids that differ in a digit differ everywhere, and the remainder by `count`.
pub fn by_hash(id: &str, role: Role, count: u32) -> u32 {
    let role = match role {
        Role::Server => "server ",
        Role::Client => "client ",
    };
    let mut hash = role
        .bytes()
        .chain(id.bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^= hash >> 33;
    u32::try_from(hash % u64::from(count.max(1))).unwrap_or_default() + 1
}

impl Part {
    /// Cuts a selection: the cases of this shard, and what is to be recorded of the whole.
    pub fn of(
        selection: Vec<Arc<Plan>>,
        role: Role,
        shard: Shard,
        durations: &Durations,
    ) -> (Vec<Arc<Plan>>, Self) {
        let ids: Vec<&CaseId> = selection.iter().map(|plan| &plan.scenario.id).collect();
        let places = assign(&ids, role, shard.count, durations);
        let here = selection.iter().zip(places).filter(|(_, place)| *place == shard.index);
        let here = here.map(|(plan, _)| Arc::clone(plan)).collect();
        (here, Self { shard, selection })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quickcheck::quickcheck;
    use wsgrade_cases::Catalogue;

    use super::*;

    fn ids() -> Vec<&'static CaseId> {
        Catalogue::embedded().scenarios().iter().map(|scenario| &scenario.id).collect()
    }

    fn known(entries: &[(&str, f64)]) -> Durations {
        Durations(entries.iter().map(|(id, ms)| ((*id).to_owned(), *ms)).collect())
    }

    /// Other machines, and other builds, have to come to the same.
    #[test]
    fn the_hash_is_for_ever() {
        let places = |role| ["1.1.1", "1.1.2", "6.4.1", "13.7.18", "F.3"].map(|id| by_hash(id, role, 7));
        assert_eq!(places(Role::Server), [6, 7, 5, 5, 6]);
        assert_eq!(places(Role::Client), [6, 3, 6, 6, 7]);
        assert_eq!((by_hash("1.1.1", Role::Server, 1), by_hash("1.1.1", Role::Server, 0)), (1, 1));
    }

    #[test]
    fn the_hash_spreads_the_catalogue() {
        let all = ids();
        for count in 2..=8 {
            let places = assign(&all, Role::Server, count, &Durations::default());
            for shard in 1..=count {
                let share = places.iter().filter(|place| **place == shard).count() as f64;
                let fair = all.len() as f64 / f64::from(count);
                assert!((share / fair - 1.0).abs() < 0.25, "{share} of {fair} in {shard} of {count}");
            }
        }
    }

    #[test]
    fn known_durations_are_balanced() {
        let all = ids();
        let took: Vec<_> =
            all.iter().enumerate().map(|(n, id)| (id.as_str(), (n * n % 977) as f64)).collect();
        let durations = known(&took);
        for count in 2..=8 {
            let places = assign(&all, Role::Server, count, &durations);
            let load = |shard: u32| -> f64 {
                let here = places.iter().zip(&took).filter(|(place, _)| **place == shard);
                here.map(|(_, (_, ms))| ms.max(LEAST)).sum()
            };
            let loads: Vec<_> = (1..=count).map(load).collect();
            let most = loads.iter().copied().fold(0.0, f64::max);
            let least = loads.iter().copied().fold(f64::MAX, f64::min);
            // By the rule no shard has more than the shortest case that might have gone elsewhere.
            assert!(most - least <= 977.0, "{loads:?}");
        }
    }

    #[test]
    fn what_took_no_time_is_spread_too() {
        let all = ids();
        let nothing: Vec<_> = all.iter().map(|id| (id.as_str(), 0.0)).collect();
        let places = assign(&all, Role::Server, 4, &known(&nothing));
        let counts: Vec<_> =
            (1..=4).map(|shard| places.iter().filter(|place| **place == shard).count()).collect();
        assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
    }

    #[test]
    fn durations_of_several_targets_are_added_and_other_roles_are_not() {
        let text = |role: &str, ms: u32| format!("target \"a\" {role}\n1.1.1 tcp pass pass 1000 {ms}ms\n");
        let file = format!(
            "wsgrade-baseline 1\ncatalogue abc\ndepth 10\n{}{}{}",
            text("server", 5),
            text("client", 70),
            text("server", 600)
        );
        let side = Side::read("a", &file).unwrap();
        assert_eq!(Durations::of(&side, Role::Server), Some(known(&[("1.1.1", 605.0)])));
        assert_eq!(Durations::of(&side, Role::Client), Some(known(&[("1.1.1", 70.0)])));
        let without =
            file.replace("depth 10\n", "").replace(" 5ms", "").replace(" 70ms", "").replace(" 600ms", "");
        assert_eq!(Durations::of(&Side::read("a", &without).unwrap(), Role::Server), None);
    }

    quickcheck! {
        /// Whatever of the catalogue is new, and whatever of it is known.
        fn a_new_case_moves_no_other(new: BTreeSet<u16>, unknown: BTreeSet<u16>, count: u32) -> bool {
            let all = ids();
            let count = 1 + count % 9;
            let is_in = |set: &BTreeSet<u16>, n: usize| set.iter().any(|m| usize::from(*m) % all.len() == n);
            let took: Vec<_> = all
                .iter()
                .enumerate()
                .filter(|(n, _)| !is_in(&unknown, *n) && !is_in(&new, *n))
                .map(|(n, id)| (id.as_str(), (n % 37) as f64))
                .collect();
            let durations = known(&took);
            let before: Vec<&CaseId> =
                all.iter().enumerate().filter(|(n, _)| !is_in(&new, *n)).map(|(_, id)| *id).collect();
            [Durations::default(), durations].iter().all(|durations| {
                let old: BTreeMap<&str, u32> = before
                    .iter()
                    .map(|id| id.as_str())
                    .zip(assign(&before, Role::Server, count, durations))
                    .collect();
                all.iter()
                    .zip(assign(&all, Role::Server, count, durations))
                    .all(|(id, place)| old.get(id.as_str()).is_none_or(|was| *was == place))
            })
        }
    }
}
