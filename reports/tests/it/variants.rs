//! Records of every kind that a renderer may be given.

use wsgrade_reports::record::{
    Behavior, CaseInfo, CloseVerdict, ExpectationRecord, ProcessInfo, RuleText, RunReport,
};

use crate::{expecting, fuzzing, sample};

/// What a hostile peer, or a case file, would put into any of the formats.
pub(crate) const HOSTILE: &str = "</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](http://evil.example/b.png) | \
     `code` **bold** @everyone #1 $x$ www.evil.example https://evil.example/ {0} {{x}} ]]> <!-- ::error::x%0A\n::error::y\r\n\
     not ok 1 - z # SKIP\n  ...\n1..1\nBail out! \\# \t\0 \u{1b}[31m \u{202e}evil\u{202c} \",\"=1+1";

/// One of each kind, with its name.
pub(crate) fn all() -> Vec<(&'static str, RunReport)> {
    vec![
        ("small", sample::small()),
        ("large", sample::large(3, 60, 1)),
        ("hostile", hostile()),
        ("no target", no_target()),
        ("no case", no_case()),
        ("stopped", stopped()),
        ("twins", twins()),
        ("unquoted", unquoted()),
        ("campaign", fuzzing::campaign()),
        ("clean campaign", fuzzing::clean()),
        ("empty campaign", empty_campaign()),
        ("odd numbers", odd_numbers()),
        ("expected", expecting::judged()),
        ("expected of one", expected_of_one()),
        ("hostile expectations", hostile_expectations()),
        ("expectations of nobody", RunReport { targets: Vec::new(), ..hostile_expectations() }),
    ]
}

/// Whatever is free text is hostile, ids as well.
pub(crate) fn hostile() -> RunReport {
    let mut report = sample::small();
    let hostile = || HOSTILE.to_owned();
    report.tool.name = hostile();
    report.tool.version = hostile();
    report.started = hostile();
    report.catalogue.digest = hostile();
    let rule = report.targets[0].cases[4].findings[0].rule.clone();
    let text = report.rules.remove(&rule).expect("it is quoted");
    report.rules.insert(
        hostile(),
        RuleText { source: hostile(), section: hostile(), level: hostile(), sentence: hostile(), ..text },
    );
    report.cases.push(CaseInfo {
        id: hostile(),
        title: hostile(),
        section: hostile(),
        rules: vec![hostile()],
        ..report.cases[0].clone()
    });
    for target in &mut report.targets {
        target.name = hostile();
        target.url = hostile();
        target.stopped = Some(hostile());
        target.process = Some(ProcessInfo {
            command: hostile(),
            exit: Some(hostile()),
            output_tail: Some(hostile()),
            ..ProcessInfo::default()
        });
        for record in &mut target.cases {
            record.carrier = hostile();
            record.repeat = hostile();
            record.adapted = Some(hostile());
            for finding in &mut record.findings {
                finding.expected = hostile();
                finding.observed = hostile();
            }
        }
    }
    let broken = &mut report.targets[0].cases[4];
    broken.id = hostile();
    broken.findings.iter_mut().for_each(|finding| finding.rule = hostile());
    report
}

/// One target, of which two deviations were known, and three things that are not true.
pub(crate) fn expected_of_one() -> RunReport {
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].name = "ws 8.18".to_owned();
    expecting::judge(&report)
}

/// Everything was expected for a hostile reason, by entries of which nothing tells one from the other, as far as there are
/// such entries at all.
pub(crate) fn hostile_expectations() -> RunReport {
    let mut report = hostile();
    let hostile = || HOSTILE.to_owned();
    let entry = ExpectationRecord {
        cases: vec![hostile(), String::new()],
        behavior: Behavior::Fail,
        close: None,
        reason: hostile(),
        until: Some(hostile()),
        target: Some(hostile()),
        complaints: vec![hostile(), hostile(), String::new()],
    };
    let bare = ExpectationRecord { cases: Vec::new(), reason: String::new(), until: None, ..entry.clone() };
    report.expectations = vec![entry.clone(), entry, bare];
    let numbers = [0, 1, 2, 3, usize::MAX];
    let records = report.targets.iter_mut().flat_map(|target| &mut target.cases);
    records.zip(numbers.iter().cycle()).for_each(|(record, &number)| record.expected = Some(number));
    report
}

/// Nobody was there.
pub(crate) fn no_target() -> RunReport {
    RunReport { targets: Vec::new(), ..sample::small() }
}

/// Somebody was there, and nothing was played.
pub(crate) fn no_case() -> RunReport {
    let mut report = sample::small();
    report.targets.iter_mut().for_each(|target| target.cases.clear());
    report.cases.clear();
    report
}

/// Both runs ended before their last case.
pub(crate) fn stopped() -> RunReport {
    let mut report = sample::small();
    for target in &mut report.targets {
        target.cases.truncate(1);
        target.stopped = Some("the target stopped answering after 1.1.1".to_owned());
    }
    report
}

/// Two targets that nothing tells apart, and nothing wrong but how connections ended.
pub(crate) fn twins() -> RunReport {
    let mut report = sample::small();
    let mut target = report.targets.remove(1);
    target.cases[3].close = CloseVerdict::Unclean;
    target.cases[4].close = CloseVerdict::Dropped;
    target.cases[5].behavior = Behavior::Fail;
    report.targets = vec![target.clone(), target];
    report
}

/// A record that quotes no rule and describes no case.
pub(crate) fn unquoted() -> RunReport {
    let mut report = sample::small();
    report.rules.clear();
    report.cases.clear();
    report.targets[0].cases[4].findings[0].rule = String::new();
    report.targets[1].cases[0].behavior = Behavior::Fail;
    report
}

/// A campaign that was over before it began.
pub(crate) fn empty_campaign() -> RunReport {
    let mut report = fuzzing::clean();
    report.fuzz.as_mut().expect("a campaign").scenarios = 0;
    report
}

fn odd_numbers() -> RunReport {
    let mut report = sample::small();
    report.duration_ms = f64::NAN;
    report.targets[0].cases[0].duration_ms = f64::INFINITY;
    report.targets[0].cases[1].duration_ms = -1.0;
    report
}

/// So many records that broke a MUST, after one that broke a SHOULD.
pub(crate) fn broken(cases: usize) -> RunReport {
    let mut report = sample::small();
    report.targets.remove(0);
    let target = &mut report.targets[0];
    let model = target.cases[0].clone();
    target.cases = (0..cases)
        .map(|n| {
            let mut record = model.clone();
            record.id = format!("1.1.{n}");
            record.transcript.entries.clear();
            record.behavior = if n == 0 { Behavior::NonStrict } else { Behavior::Fail };
            record
        })
        .collect();
    report
}
