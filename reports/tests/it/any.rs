//! Run records of every shape that matters for laws about comparing, merging and keeping verdicts.

use quickcheck::{Arbitrary, Gen};
use wsgrade_reports::record::{
    Behavior, CaseRecord, CloseVerdict, Role, RunReport, TargetReport, Transcript,
};

use crate::sample;

/// Names that are alike, empty, or from an enemy.
const NAMES: [&str; 5] = ["ws 8.18", "ws 8.18", "", "target # \"x\" \\ 1\n", sample::HOSTILE];

/// A run in which every target has a record of every case.
#[derive(Clone, Debug)]
pub(crate) struct AnyRun(pub(crate) RunReport);

/// A whole run with random verdicts.
impl Arbitrary for AnyRun {
    fn arbitrary(g: &mut Gen) -> Self {
        let cases = 1 + usize::arbitrary(g) % 40;
        let mut report = sample::large(1, cases, 0);
        let ids: Vec<String> = report.cases.iter().map(|case| case.id.clone()).collect();
        let targets = 1 + usize::arbitrary(g) % 3;
        report.targets = (0..targets)
            .map(|n| {
                let role = *g.choose(&Role::ALL).expect("there are roles");
                TargetReport {
                    name: (*g.choose(&NAMES).expect("there are names")).to_owned(),
                    url: format!("ws://127.0.0.1:{}/", 9000 + n),
                    role,
                    agent: Option::arbitrary(g),
                    facts: None,
                    stopped: None,
                    process: None,
                    cases: ids.iter().map(|id| record(g, id, role)).collect(),
                }
            })
            .collect();
        Self(report)
    }
}

fn record(g: &mut Gen, id: &str, role: Role) -> CaseRecord {
    CaseRecord {
        transcript: Transcript::default(),
        role,
        behavior: *g.choose(&Behavior::ALL).expect("there are behaviours"),
        close: *g.choose(&CloseVerdict::ALL).expect("there are verdicts"),
        close_code: Option::arbitrary(g),
        duration_ms: f64::from(u16::arbitrary(g)) / 8.0,
        ..sample::passed(id, if bool::arbitrary(g) { "tcp" } else { "tls" })
    }
}
