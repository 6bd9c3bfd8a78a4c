//! `summary.md`: the summary of a step, or a comment on a pull request.
//!
//! ```text
//! grade ─ table of the targets ─ expectations that are not true, known deviations
//!       ─ for each target: what cost the most, what failed with rule, expected, seen and repeat command
//! ```
//!
//! It is never larger than a step summary of GitHub may be; what is left out is counted.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::issue::{Issue, Level, issues};
use super::names::Names;
use super::text::{code, markdown, prose};
use super::{File, expectations, words};
use crate::grade::{Blame, Cost, RunGrade, TargetGrade, Weight};
use crate::record::{Behavior, CaseInfo, CaseRecord, FuzzFinding, FuzzReport, RunReport, TargetReport};

/// GitHub refuses the summary of a step beyond 1 MiB, and whatever else the step wrote counts too.
const LIMIT: usize = 900_000;
/// What the sentences on what is left out may take.
const RESERVE: usize = 1_000;
/// More than these are only counted, however small they are: a person has to read it.
const TARGETS: usize = 50;
const CASES: usize = 50;
const COSTS: usize = 5;
const FINDINGS: usize = 3;
const IDS: usize = 8;
const DIFFERENCES: usize = 20;
/// The longest texts, in characters.
const NAME: usize = 80;
const SENTENCE: usize = 600;
const QUOTE: usize = 400;

/// The run in GitHub Flavored Markdown.
pub fn render(report: &RunReport) -> Vec<File> {
    let mut out = String::new();
    write(report, &mut out).expect("writing to a string never fails");
    vec![File { name: "summary.md".to_owned(), contents: out }]
}

fn write(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let grades = RunGrade::of(report);
    let names = Names::of(report);
    head(report, &grades, out)?;
    let shown = report.targets.len().min(TARGETS);
    table(report, &grades, &names, shown, out)?;
    if let Some(fuzz) = &report.fuzz {
        campaign(fuzz, out)?;
    }
    let known = expectations::markdown(report);
    if !known.is_empty() {
        write!(out, "\n{known}")?;
    }
    let issues = issues(report);
    let mut left_out = report.targets.len() - shown;
    for (at, target) in report.targets.iter().enumerate().take(shown) {
        let room = LIMIT.saturating_sub(out.len() + RESERVE);
        let of: Vec<_> = issues.iter().filter(|issue| issue.target == at).collect();
        let section =
            Section { report, target, grade: &grades.targets[at], name: names.label(at), issues: of };
        let section = section.render(room / (shown - at))?;
        // Its share is for the cases; what stands above them may be more than that, where there are many targets.
        match section.len() <= room {
            true => out.push_str(&section),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        writeln!(
            out,
            "\n{left_out} more {} not described here: run.json and the page have all.",
            are(left_out, "target")
        )?;
    }
    Ok(())
}

fn head(report: &RunReport, grades: &RunGrade, out: &mut String) -> std::fmt::Result {
    let tool = markdown(&report.tool.name, NAME);
    match (&report.fuzz, grades.grade) {
        (Some(fuzz), _) if fuzz.findings.is_empty() => writeln!(out, "## {tool}: nothing found\n")?,
        (Some(fuzz), _) => writeln!(out, "## {tool}: {} found\n", fuzz.findings.len())?,
        (None, Some(grade)) => writeln!(out, "## {tool}: grade {grade}\n")?,
        (None, None) => writeln!(out, "## {tool}: no grade\n")?,
    }
    let catalogue = &report.catalogue;
    match report.fuzz {
        Some(_) => write!(out, "{} found", words::cases(catalogue.selected))?,
        None => write!(out, "{} of {}", catalogue.selected, words::cases(catalogue.known))?,
    }
    if let Some(shard) = report.shard {
        write!(out, " · shard {} of {}", shard.index, shard.count)?;
    }
    let digest: String = catalogue.digest.chars().take(12).collect();
    writeln!(
        out,
        " · catalogue {} · seed {} · {} · {tool} {}",
        code(&digest, 12),
        report.seed,
        words::duration(report.duration_ms),
        markdown(&report.tool.version, NAME)
    )?;
    if report.targets.is_empty() {
        writeln!(out, "\n**The run had no target.**")?;
    }
    Ok(())
}

fn table(
    report: &RunReport,
    grades: &RunGrade,
    names: &Names,
    shown: usize,
    out: &mut String,
) -> std::fmt::Result {
    if shown == 0 {
        return Ok(());
    }
    let behaviors = Behavior::ALL.map(Behavior::as_str).join(" | ");
    writeln!(out, "\n| target | grade | {behaviors} | MUST broken | SHOULD broken |")?;
    writeln!(out, "|---|---|{}--:|--:|", "--:|".repeat(Behavior::ALL.len()))?;
    for (at, target) in report.targets.iter().enumerate().take(shown) {
        let TargetGrade { grade, counts, areas: _, costs: _ } = &grades.targets[at];
        let grade = match grade {
            Ok(grade) => format!("**{grade}**"),
            Err(_) => "none".to_owned(),
        };
        let name = code(names.label(at), NAME);
        write!(out, "| {name} ({}) | {grade} |", target.role)?;
        for behavior in Behavior::ALL {
            write!(out, " {} |", counts.behavior(behavior))?;
        }
        writeln!(out, " {} | {} |", counts.major, counts.minor)?;
    }
    Ok(())
}

/// What a run came to in which scenarios were played that nobody wrote.
fn campaign(fuzz: &FuzzReport, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\nScenarios that nobody wrote: {}.", words::fuzz(fuzz).join(" · "))?;
    for difference in fuzz.differences.iter().take(DIFFERENCES) {
        let word = if difference.lawful { "lawful" } else { "wrong" };
        writeln!(
            out,
            "\n- **{} differs**, {word}: {}",
            markdown(&difference.case, NAME),
            markdown(&difference.verdict, QUOTE)
        )?;
        for seen in difference.seen.iter().take(DIFFERENCES) {
            writeln!(out, "  - {}", code(seen, QUOTE))?;
        }
        writeln!(out, "  - repeat: {}", code(&difference.replay, QUOTE))?;
    }
    let more = fuzz.differences.len().saturating_sub(DIFFERENCES);
    if more > 0 {
        writeln!(
            out,
            "\n{more} more {} not listed here: run.json and the page have all.",
            are(more, "difference")
        )?;
    }
    Ok(())
}

/// All of one target.
struct Section<'a> {
    report: &'a RunReport,
    target: &'a TargetReport,
    grade: &'a TargetGrade,
    name: &'a str,
    issues: Vec<&'a Issue<'a>>,
}

impl Section<'_> {
    /// In so many bytes, unless what stands above the cases alone is more.
    fn render(&self, room: usize) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        self.above(&mut out)?;
        // What was expected stands in the table above.
        let unknown =
            || self.target.cases.iter().filter(|record| self.report.expectation_of(record).is_none());
        let broken = |weight| unknown().filter(move |record| Weight::of(record) == weight);
        let inconclusive =
            self.target.cases.iter().filter(|record| record.behavior == Behavior::Inconclusive);
        let records: Vec<_> =
            broken(Weight::Major).chain(broken(Weight::Minor)).chain(inconclusive).collect();
        let infos: HashMap<&str, &CaseInfo> =
            self.report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
        let mut listed = 0;
        for record in &records {
            if listed == CASES {
                break;
            }
            let entry = self.entry(record, infos.get(record.id.as_str()).copied())?;
            if out.len() + entry.len() + RESERVE <= room {
                out.push_str(&entry);
                listed += 1;
            }
        }
        let more = records.len() - listed;
        if more > 0 {
            writeln!(
                out,
                "\n{more} more {} not listed here: run.json and the page have all.",
                are(more, "case")
            )?;
        }
        Ok(out)
    }

    fn above(&self, out: &mut String) -> std::fmt::Result {
        let target = self.target;
        match self.grade.grade {
            Ok(grade) => writeln!(out, "\n### {}: {grade}\n", code(self.name, NAME))?,
            Err(none) => writeln!(out, "\n### {}: no grade\n\nNo grade: {none}.\n", code(self.name, NAME))?,
        }
        writeln!(out, "{} under test at {}", target.role, code(&target.url, QUOTE))?;
        if let Some(facts) = &target.facts {
            writeln!(out, "· {}", markdown(&words::facts(facts), QUOTE))?;
        }
        if let Some(adapted) = words::adapted(target) {
            writeln!(out, "· {adapted}")?;
        }
        if let Some(reason) = &target.stopped {
            writeln!(out, "\n**Stopped:** {}", code(reason, QUOTE))?;
        }
        if let Some(exit) = target.process.as_ref().and_then(|process| process.exit.as_ref()) {
            writeln!(out, "\n**Its process ended by itself:** {}", code(exit, QUOTE))?;
        }
        self.costs(out)
    }

    fn costs(&self, out: &mut String) -> std::fmt::Result {
        let costs = &self.grade.costs;
        if costs.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n| what cost the most | loss | cases |\n|---|--:|---|")?;
        for cost in costs.iter().take(COSTS) {
            let Cost { blame, weight: _, cases, tenths: _ } = cost;
            let loss = cost.percent_of(self.grade.counts.counted);
            let mut ids: Vec<_> = cases.iter().take(IDS).map(|key| markdown(&key.id, 40)).collect();
            ids.extend((cases.len() > IDS).then(|| format!("and {} more", cases.len() - IDS)));
            writeln!(out, "| {} | {loss:.1} % | {} |", self.blame(blame, 200), ids.join(", "))?;
        }
        let more = costs.len().saturating_sub(COSTS);
        if more > 0 {
            writeln!(out, "\n{more} more {} not listed here.", are(more, "rule"))?;
        }
        Ok(())
    }

    /// The rule with its place and its sentence.
    fn blame(&self, blame: &Blame, max: usize) -> String {
        let id = match blame {
            Blame::Close(close) => return words::close(*close).to_owned(),
            Blame::Rule(id) if id.is_empty() => return "a rule that the record does not name".to_owned(),
            Blame::Rule(id) => id,
        };
        let Some(text) = self.report.rules.get(id) else { return code(id, NAME) };
        let place = markdown(&format!("{} {}", text.source, text.section), NAME);
        let place = match words::href(text) {
            Some(href) => format!("[{place}]({href})"),
            None => place,
        };
        format!("{place} {}: {}", markdown(&text.level, 20), markdown(&prose(&text.sentence), max))
    }

    fn entry(&self, record: &CaseRecord, info: Option<&CaseInfo>) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        let title = info.map_or_else(String::new, |info| format!(" {}", markdown(&prose(&info.title), 200)));
        let issues: Vec<_> = self.issues.iter().filter(|issue| std::ptr::eq(issue.record, record)).collect();
        let (sign, word) = match issues.iter().map(|issue| issue.level).min() {
            None => ("?", Behavior::Inconclusive.as_str()),
            Some(Level::Error) => (words::symbol(Behavior::Fail), Behavior::Fail.as_str()),
            Some(Level::Warning) => (words::symbol(Behavior::NonStrict), Behavior::NonStrict.as_str()),
            Some(Level::Note) => (words::symbol(Behavior::Informational), Behavior::Informational.as_str()),
        };
        writeln!(out, "\n- {sign} **{}**{title} ({word})", markdown(&record.id, NAME))?;
        for (at, issue) in issues.iter().enumerate().take(FINDINGS) {
            if at == 0 || issue.blame != issues[at - 1].blame {
                writeln!(out, "  - {}", self.blame(&issue.blame, SENTENCE))?;
            }
            if let Some(expected) = issue.expected {
                writeln!(out, "  - expected: {}", code(expected, QUOTE))?;
            }
            // Of how a connection ended there is no more to say.
            if !matches!(issue.blame, Blame::Close(_)) {
                writeln!(out, "  - seen: {}", code(issue.observed, QUOTE))?;
            }
        }
        let more = issues.len().saturating_sub(FINDINGS);
        if more > 0 {
            writeln!(out, "  - {more} more {} in run.json", are(more, "finding"))?;
        }
        if issues.is_empty() {
            for finding in record.findings.iter().take(FINDINGS) {
                writeln!(out, "  - seen: {}", code(&finding.observed, QUOTE))?;
            }
        }
        if let Some(busy) = record.when_busy {
            writeln!(out, "  - while other cases were running: {busy}")?;
        }
        if let Some(found) = self.found(record) {
            let flaky = if found.replayed < found.tries { ", flaky" } else { "" };
            writeln!(out, "  - shown again {} of {} times{flaky}", found.replayed, found.tries)?;
        }
        writeln!(out, "  - repeat: {}", code(&record.repeat, QUOTE))?;
        Ok(out)
    }

    /// What a campaign says of the case.
    fn found(&self, record: &CaseRecord) -> Option<&FuzzFinding> {
        let target =
            |at: usize| self.report.targets.get(at).is_some_and(|target| std::ptr::eq(target, self.target));
        let mut findings = self.report.fuzz.iter().flat_map(|fuzz| &fuzz.findings);
        findings.find(|finding| finding.case == record.id && target(finding.target))
    }
}

/// `case is`, `cases are`.
fn are(n: usize, what: &str) -> String {
    if n == 1 { format!("{what} is") } else { format!("{what}s are") }
}
