//! `--update-expectations`: what the gate does not take, proposed as entries of `wsgrade.toml`. Never with a reason: that is
//! for whoever puts up with it, and without one the file is refused.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use wsgrade_cases::write::string;
use wsgrade_reports::gate::FailOn;
use wsgrade_reports::record::{
    Behavior, CaseInfo, CaseRecord, CloseVerdict, RunReport, Severity, TargetReport,
};

use super::exit::Failure;

/// How many cases a comment names.
const NAMED: usize = 3;

/// Adds proposals to the file, and says what was done.
pub(super) fn write(report: &RunReport, fail_on: FailOn, path: &Path) -> Result<String, Failure> {
    let name = path.display();
    let (entries, text) = proposals(report, fail_on);
    if entries == 0 {
        return Ok(format!("{name}: no expectation to add: nothing is broken that is not expected\n"));
    }
    let failed = |error| Failure::usage(format!("cannot write {name}: {error}"));
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    let added = if entries == 1 { "1 expectation".to_owned() } else { format!("{entries} expectations") };
    Ok(format!("{name}: {added} added; the file is refused until each has a reason, or is deleted again\n"))
}

/// The longest comment, in characters.
const LONGEST: usize = 200;

/// What deviations have in common that make one entry.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kind<'a> {
    /// Only where there are several targets.
    target: Option<&'a str>,
    /// One rule, one reason; empty where nothing names one.
    rule: &'a str,
    behavior: &'static str,
    /// Only where an entry without it would not take the record.
    close: Option<&'static str>,
}

/// How many entries, and their text.
fn proposals(report: &RunReport, fail_on: FailOn) -> (usize, String) {
    let least = match fail_on {
        FailOn::Fail | FailOn::Regression => Severity::Major,
        FailOn::NonStrict => Severity::Minor,
    };
    let infos: HashMap<&str, &CaseInfo> = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
    let mut kinds: BTreeMap<Kind<'_>, Vec<&CaseRecord>> = BTreeMap::new();
    for target in &report.targets {
        let unexpected = |record: &&CaseRecord| {
            record.expected.is_none()
                && record.severity() >= least
                && record.behavior != Behavior::Inconclusive
                && record.close != CloseVerdict::Inconclusive
        };
        for record in target.cases.iter().filter(unexpected) {
            let close = record.close.severity() > record.behavior.severity().max(Severity::Neutral);
            let kind = Kind {
                target: (report.targets.len() > 1).then_some(target.name.as_str()),
                rule: rule(record, &infos),
                behavior: record.behavior.as_str(),
                close: close.then_some(record.close.as_str()),
            };
            kinds.entry(kind).or_default().push(record);
        }
    }
    let mut text = String::new();
    for (kind, records) in &kinds {
        let targets =
            report.targets.iter().filter(|target| kind.target.is_none_or(|name| name == target.name));
        let cases = patterns(records, &targets.collect::<Vec<_>>(), &infos);
        entry(&mut text, report, kind, &cases, records).expect("writing to a string never fails");
    }
    (kinds.len(), text)
}

/// What a record is laid to: the rule of its first finding, or else what its case is about.
fn rule<'a>(record: &'a CaseRecord, infos: &HashMap<&str, &'a CaseInfo>) -> &'a str {
    let of_case = || infos.get(record.id.as_str()).and_then(|info| info.rules.first());
    record.findings.first().map(|finding| &finding.rule).or_else(of_case).map_or("", String::as_str)
}

fn entry(
    text: &mut String,
    report: &RunReport,
    kind: &Kind<'_>,
    cases: &[String],
    records: &[&CaseRecord],
) -> std::fmt::Result {
    writeln!(text, "\n[[expect]]")?;
    if let Some(rule) = report.rules.get(kind.rule) {
        let said = format!("{} {}, {}: {}", rule.source, rule.section, rule.level, rule.sentence);
        writeln!(text, "# {}", comment(&said))?;
    }
    for record in records.iter().take(NAMED) {
        let title = report.cases.iter().find(|info| info.id == record.id);
        let title = title.map_or("", |info| info.title.as_str());
        writeln!(text, "# {}", comment(&format!("{}: {title}", record.id)))?;
    }
    if records.len() > NAMED {
        writeln!(text, "# and {} more", records.len() - NAMED)?;
    }
    let quoted: Vec<_> = cases.iter().map(|pattern| string(pattern)).collect();
    match &quoted[..] {
        [only] => writeln!(text, "cases = {only}")?,
        few if few.len() <= 8 => writeln!(text, "cases = [{}]", few.join(", "))?,
        several => {
            writeln!(text, "cases = [")?;
            for line in several.chunks(8) {
                writeln!(text, "  {},", line.join(", "))?;
            }
            writeln!(text, "]")?;
        }
    }
    if let Some(target) = kind.target {
        writeln!(text, "target = {}", string(target))?;
    }
    writeln!(text, "behavior = {}", string(kind.behavior))?;
    if let Some(close) = kind.close {
        writeln!(text, "close = {}", string(close))?;
    }
    writeln!(text, "reason = \"\"")
}

/// The ids of these records: a section of which all deviate alike is one pattern.
fn patterns(
    records: &[&CaseRecord],
    targets: &[&TargetReport],
    infos: &HashMap<&str, &CaseInfo>,
) -> Vec<String> {
    let section = |id: &str| match infos.get(id) {
        Some(info) => info.section.clone(),
        None => id.rsplit_once('.').map_or(id, |(section, _)| section).to_owned(),
    };
    let mut played: BTreeMap<String, usize> = BTreeMap::new();
    for record in targets.iter().flat_map(|target| &target.cases) {
        *played.entry(section(&record.id)).or_default() += 1;
    }
    let mut deviates: BTreeMap<String, usize> = BTreeMap::new();
    for record in records {
        *deviates.entry(section(&record.id)).or_default() += 1;
    }
    let mut patterns: Vec<String> = Vec::new();
    for record in records {
        let section = section(&record.id);
        let whole = deviates[&section] > 1 && deviates[&section] == played[&section];
        let pattern = if whole { format!("{section}.*") } else { record.id.clone() };
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

/// A line of text that stays one, of no great length.
fn comment(text: &str) -> String {
    let mut line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
