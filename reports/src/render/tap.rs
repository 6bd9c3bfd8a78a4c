//! `results.tap`: the Test Anything Protocol, version 14.
//!
//! One test point for each record, and one for each target of which less is known than was asked. What broke a MUST is
//! `not ok`, so is what is inconclusive; what is not implemented is skipped. Whatever is no plain pass has a YAML block. What
//! is not ok and was expected is `TODO`, which no harness takes for a failure; an expectation that is not true is `not ok`.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::File;
use super::issue::{Kind, complaints, troubles};
use super::names::Names;
use super::text::{clipped, prose, visible};
use crate::grade::Weight;
use crate::record::{Behavior, CaseInfo, CaseRecord, RuleText, RunReport};

/// The longest text of the network that one place of the file quotes, in characters.
const QUOTE: usize = 2000;

/// The run as TAP has it.
pub fn render(report: &RunReport) -> Vec<File> {
    let points = points(report);
    let mut contents = format!("TAP version 14\n1..{}\n", points.len());
    for (number, point) in (1..).zip(&points) {
        point.write(number, &mut contents).expect("writing to a string never fails");
    }
    vec![File { name: "results.tap".to_owned(), contents }]
}

/// A test point.
struct Point {
    passes: bool,
    description: String,
    /// What else is said of it, and why.
    directive: Option<(Directive, String)>,
    /// The lines of the YAML block, if it has one.
    block: Vec<String>,
}

/// What a harness makes of a point.
#[derive(Clone, Copy, Debug)]
enum Directive {
    /// It was not played.
    Skip,
    /// It was known not to be ok.
    Todo,
}

fn points(report: &RunReport) -> Vec<Point> {
    let names = Names::of(report);
    let infos: HashMap<&str, &CaseInfo> = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
    // A stream that is one target's has no need of its name.
    let prefix = |at: usize| match report.targets.len() {
        1 => String::new(),
        _ => format!("{}: ", names.label(at)),
    };
    let mut points = Vec::new();
    for (at, target) in report.targets.iter().enumerate() {
        let carriers: BTreeSet<&str> = target.cases.iter().map(|record| record.carrier.as_str()).collect();
        for record in &target.cases {
            let mut point = of(report, infos.get(record.id.as_str()).copied(), record);
            point.description.insert_str(0, &prefix(at));
            if carriers.len() > 1 {
                point.description += &format!(" ({})", visible(&record.carrier));
            }
            points.push(point);
        }
        if let Some(fuzz) = report.fuzz.as_ref().filter(|fuzz| fuzz.scenarios > 0)
            && target.cases.is_empty()
            && target.stopped.is_none()
        {
            let description = format!("{}{} scenarios that nobody wrote", prefix(at), fuzz.scenarios);
            points.push(Point { passes: true, description, directive: None, block: Vec::new() });
        }
    }
    for trouble in troubles(report) {
        let description = match trouble.kind {
            // It is a point already.
            Kind::Inconclusive(_) => continue,
            Kind::NoTarget | Kind::NothingPlayed => "something is played",
            Kind::Stopped(_) => "the run goes on to its last case",
        };
        let description = format!("{}{description}", trouble.target.map_or_else(String::new, prefix));
        let block = vec![format!("message: {}", quoted(&trouble.sentence(QUOTE)))];
        points.push(Point { passes: false, description, directive: None, block });
    }
    for complaint in complaints(report) {
        let block = vec![format!("message: {}", quoted(&complaint.sentence(QUOTE)))];
        points.push(Point { passes: false, description: complaint.name(), directive: None, block });
    }
    points
}

fn of(report: &RunReport, info: Option<&CaseInfo>, record: &CaseRecord) -> Point {
    let title = info.map_or_else(String::new, |info| format!(" {}", prose(&info.title)));
    let weight = Weight::of(record);
    let passes = match (record.behavior, weight) {
        (Behavior::Inconclusive, _) | (_, Weight::Major) => false,
        (
            Behavior::Pass
            | Behavior::Informational
            | Behavior::Unimplemented
            | Behavior::NonStrict
            | Behavior::Fail,
            Weight::Uncounted | Weight::Good | Weight::Minor,
        ) => true,
    };
    let known = report.expectation_of(record).map(|known| clipped(&prose(&known.reason), QUOTE));
    let directive = match known {
        Some(reason) if !passes => Some((Directive::Todo, reason)),
        Some(_) | None => (record.behavior == Behavior::Unimplemented).then(|| {
            let why = record.findings.first().map(|finding| clipped(&finding.observed, QUOTE));
            (Directive::Skip, why.unwrap_or_else(|| "not implemented".to_owned()))
        }),
    };
    let plain = record.behavior == Behavior::Pass && weight == Weight::Good && record.adapted.is_none();
    let block = if plain { Vec::new() } else { block(report, record) };
    Point { passes, description: format!("{}{title}", visible(&record.id)), directive, block }
}

fn block(report: &RunReport, record: &CaseRecord) -> Vec<String> {
    let mut lines = vec![format!("behavior: {}", record.behavior), format!("close: {}", record.close)];
    if let Some(known) = report.expectation_of(record) {
        lines.push(format!("known: {}", quoted(&clipped(&prose(&known.reason), QUOTE))));
    }
    if !record.findings.is_empty() {
        lines.push("findings:".to_owned());
    }
    for finding in &record.findings {
        lines.push(format!("  - rule: {}", quoted(&visible(&finding.rule))));
        if let Some(RuleText { source, section, level, sentence, .. }) = report.rules.get(&finding.rule) {
            let place = format!("{} {}", prose(source), prose(section));
            lines.push(format!("    section: {}", quoted(&place)));
            lines.push(format!("    level: {}", quoted(&prose(level))));
            lines.push(format!("    sentence: {}", quoted(&prose(sentence))));
        }
        lines.push(format!("    expected: {}", quoted(&clipped(&finding.expected, QUOTE))));
        lines.push(format!("    observed: {}", quoted(&clipped(&finding.observed, QUOTE))));
    }
    if let Some(adapted) = &record.adapted {
        lines.push(format!("adapted: {}", quoted(&clipped(adapted, QUOTE))));
    }
    if let Some(busy) = record.when_busy {
        lines.push(format!("when_busy: {busy}"));
    }
    if record.duration_ms.is_finite() {
        lines.push(format!("duration_ms: {:.3}", record.duration_ms));
    }
    lines.push(format!("repeat: {}", quoted(&clipped(&record.repeat, QUOTE))));
    lines
}

/// A string of JSON is one of YAML 1.2 too.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}

/// A hash after a space would begin a directive.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('#', "\\#")
}

impl Point {
    fn write(&self, number: usize, out: &mut String) -> std::fmt::Result {
        let Self { passes, description, directive, block } = self;
        let not = if *passes { "" } else { "not " };
        write!(out, "{not}ok {number} - {}", escaped(description))?;
        match directive {
            Some((Directive::Skip, why)) => write!(out, " # SKIP {}", escaped(why))?,
            Some((Directive::Todo, why)) => write!(out, " # TODO {}", escaped(why))?,
            None => {}
        }
        writeln!(out)?;
        if !block.is_empty() {
            writeln!(out, "  ---")?;
            for line in block {
                writeln!(out, "  {line}")?;
            }
            writeln!(out, "  ...")?;
        }
        Ok(())
    }
}
