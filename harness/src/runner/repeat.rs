//! A case played more than once on purpose, so that one whose verdict changes is found out.

use std::cmp::Reverse;
use std::num::NonZeroU32;

use wsgrade_reports::record::{Behavior, CaseRecord, Severity};

/// Plays a case so many times, one after another, unless the target dies of it; the record is that of the worst.
pub(super) async fn play<F: Future<Output = CaseRecord>>(
    times: NonZeroU32,
    died: impl Fn() -> bool,
    once: impl Fn() -> F,
) -> CaseRecord {
    let mut worst = once().await;
    if times == NonZeroU32::MIN {
        return worst;
    }
    worst = after(None, worst);
    while worst.repeats.as_ref().is_some_and(|repeats| repeats.times < times.get()) && !died() {
        worst = after(Some(worst), once().await);
    }
    worst
}

/// What is left of a case that was played once more: the worst, and how often it came out how.
pub(crate) fn after(before: Option<CaseRecord>, record: CaseRecord) -> CaseRecord {
    let mut repeats = before.as_ref().and_then(|before| before.repeats.clone()).unwrap_or_default();
    repeats.count(&record);
    // The first of those that are as bad, as far as that tells them apart.
    let worst = before.into_iter().chain([record]).min_by_key(badness).expect("one at least");
    CaseRecord { repeats: Some(repeats), ..worst }
}

/// What was played before the case was played again alone counts as well.
pub(super) fn add_those_before(record: &mut CaseRecord, before: &CaseRecord) {
    if let (Some(repeats), Some(before)) = (&mut record.repeats, &before.repeats) {
        let mut all = before.clone();
        all.merge(repeats);
        *repeats = all;
    }
}

fn badness(record: &CaseRecord) -> Reverse<(Severity, bool)> {
    Reverse((record.severity(), record.behavior == Behavior::Inconclusive))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;
    use std::time::Duration;

    use wsgrade_cases::model::{Ending, Saw, Scenario};
    use wsgrade_reports::record::{CloseVerdict, Transcript};

    use super::*;
    use crate::plan::Plan;
    use crate::runner::case;

    fn record(behavior: Behavior) -> CaseRecord {
        let scenario = Scenario::uncatalogued("a", Vec::new(), Saw::Anything, Ending::ordinary());
        let plan = Plan::alone(scenario);
        let role = wsgrade_codec::Role::Server;
        let transcript = Transcript::default();
        let record = case::record(&Arc::clone(&plan), role, "tcp", transcript, Duration::ZERO, "");
        CaseRecord { behavior, close: CloseVerdict::Pass, ..record }
    }

    async fn played(times: u32, verdicts: &[Behavior], lives: usize) -> CaseRecord {
        let at = Cell::new(0);
        let once = || {
            at.set(at.get() + 1);
            std::future::ready(record(verdicts[(at.get() - 1) % verdicts.len()]))
        };
        play(times.try_into().unwrap(), || at.get() >= lives, once).await
    }

    #[tokio::test]
    async fn the_worst_counts_and_differences_are_seen() {
        use Behavior::{Fail, Inconclusive, NonStrict, Pass};
        let flaky = played(6, &[Pass, Fail, NonStrict], 99).await;
        assert_eq!((flaky.behavior, flaky.is_flaky()), (Fail, true));
        assert_eq!(
            flaky.repeats.as_ref().map(|repeats| (repeats.times, repeats.verdicts.len())),
            Some((6, 3))
        );

        let steady = played(3, &[Fail], 99).await;
        assert_eq!((steady.behavior, steady.is_flaky()), (Fail, false));
        assert_eq!(played(2, &[Pass, Inconclusive], 99).await.behavior, Inconclusive);

        let once = played(1, &[Pass, Fail], 99).await;
        assert_eq!((once.behavior, once.repeats), (Pass, None));

        let dead = played(5, &[Pass, Fail, Pass], 2).await;
        assert_eq!(dead.repeats.map(|repeats| repeats.times), Some(2));
    }

    #[tokio::test]
    async fn what_was_seen_beside_others_counts_as_well() {
        let before = played(2, &[Behavior::Pass, Behavior::Fail], 99).await;
        let mut alone = played(2, &[Behavior::Pass], 99).await;
        add_those_before(&mut alone, &before);
        assert_eq!(alone.behavior, Behavior::Pass);
        assert_eq!(alone.repeats.as_ref().map(|repeats| repeats.times), Some(4));
        assert!(alone.is_flaky());

        let mut once = record(Behavior::Pass);
        add_those_before(&mut once, &record(Behavior::Fail));
        assert_eq!(once.repeats, None);
    }
}
