//! A record of cases that were played more than once, to test with.

use wsgrade_reports::record::{Behavior, CaseRecord, CloseVerdict, Repeats, RunReport};

use crate::sample;

/// The first case was played four times and differed twice, the second was the same each time.
pub(crate) fn report() -> RunReport {
    let mut report = sample::small();
    report.targets.truncate(1);
    let [flaky, steady, ..] = report.targets[0].cases.as_mut_slice() else { panic!("more than one case") };
    let mut repeats = Repeats::default();
    for (behavior, close) in [
        (Behavior::Pass, CloseVerdict::Pass),
        (Behavior::Fail, CloseVerdict::Unclean),
        (Behavior::Pass, CloseVerdict::Unclean),
        (Behavior::Pass, CloseVerdict::Pass),
    ] {
        repeats.count(&CaseRecord { behavior, close, ..flaky.clone() });
    }
    flaky.repeats = Some(repeats);
    let mut repeats = Repeats::default();
    (0..3).for_each(|_| repeats.count(steady));
    steady.repeats = Some(repeats);
    report
}
