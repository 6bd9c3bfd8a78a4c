//! The result as plain text, for a terminal or a log.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::text::{column, prose, visible};
use super::{expectations, words};
use crate::conformance::{Standing, conformance, tally};
use crate::grade::{Blame, NoGrade, TargetGrade, Weight};
use crate::record::{Behavior, CaseInfo, CaseRecord, CloseVerdict, RunReport, TargetReport};

/// How wide the columns get at most, in characters.
const TITLE: usize = 44;
const REASON: usize = 110;
/// For how many cases the command that repeats them is told.
const REPEATS: usize = 3;
/// More cases than this that were not played for one reason are one line.
const LISTED: usize = 8;

/// The result in plain text without colour codes, one line for each case that is no plain pass; what was expected, and what is
/// not true of that, stands at the end.
pub fn summary(report: &RunReport) -> String {
    let mut out = String::new();
    render(report, &mut out).expect("writing to a string never fails");
    out
}

fn render(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let catalogue = &report.catalogue;
    write!(out, "{} {}", visible(&report.tool.name), visible(&report.tool.version))?;
    match report.fuzz {
        Some(_) => write!(out, " · {} found", words::cases(catalogue.selected))?,
        None => write!(out, " · {} of {}", catalogue.selected, words::cases(catalogue.known))?,
    }
    if let Some(shard) = report.shard {
        write!(out, " · shard {} of {}", shard.index, shard.count)?;
    }
    write!(out, " · catalogue {}", column(&catalogue.digest, 12))?;
    writeln!(out, " · seed {} · {}", report.seed, words::duration(report.duration_ms))?;
    if report.targets.is_empty() {
        writeln!(out, "\nNo grade: the run had no target.")?;
    }
    if let Some(fuzz) = &report.fuzz {
        writeln!(out, "\nScenarios that nobody wrote: {}", words::fuzz(fuzz).join(" · "))?;
        for difference in &fuzz.differences {
            writeln!(out, "  {}: {}", visible(&difference.case), visible(&difference.verdict))?;
        }
    }
    for target in &report.targets {
        one_target(report, target, out)?;
    }
    let known = expectations::text(report);
    if !known.is_empty() {
        write!(out, "\n{known}")?;
    }
    Ok(())
}

fn one_target(report: &RunReport, target: &TargetReport, out: &mut String) -> std::fmt::Result {
    let result = TargetGrade::of(report, target);
    let counts = &result.counts;
    writeln!(out, "\n{}", column(&target.name, 100))?;
    writeln!(out, "{} under test at {}", target.role, visible(&target.url))?;
    if let Some(facts) = &target.facts {
        writeln!(out, "{}", words::facts(facts))?;
    }
    match result.grade {
        Ok(grade) => write!(out, "\n  Grade {grade}")?,
        Err(none) => write!(out, "\n  No grade: {none}")?,
    }
    match (counts.major, counts.minor) {
        _ if result.grade == Err(NoGrade::Fuzzed) => writeln!(out)?,
        (0, 0) if counts.counted > 0 => {
            writeln!(out, " · nothing broken in {}", words::cases(counts.counted))?
        }
        (0, 0) => writeln!(out)?,
        (major, minor) => {
            let counted = words::cases(counts.counted);
            writeln!(out, " · a MUST broken in {major}, a SHOULD in {minor} of {counted} that count")?;
        }
    }
    if let Some(adapted) = words::adapted(target) {
        writeln!(out, "  {adapted}")?;
    }
    if let Some(reason) = &target.stopped {
        writeln!(out, "  Stopped: {}", visible(reason))?;
    }
    if let Some(process) = &target.process {
        let facts = words::process(process);
        let gap = if facts.is_empty() { "" } else { " · " };
        writeln!(out, "  Started by: {}{gap}{facts}", column(&process.command, 100))?;
    }
    let tally: Vec<_> = Behavior::ALL
        .into_iter()
        .filter(|&behavior| counts.behavior(behavior) > 0)
        .map(|behavior| format!("{behavior} {}", counts.behavior(behavior)))
        .collect();
    if !tally.is_empty() {
        writeln!(out, "  {}", tally.join(" · "))?;
    }
    rules(report, target, out)?;

    let lines = Lines::new(report, target);
    for group in Group::ALL {
        let of_group = |record: &&CaseRecord| Group::of(report, record) == Some(group);
        let records: Vec<_> = target.cases.iter().filter(of_group).collect();
        if records.is_empty() {
            continue;
        }
        writeln!(out, "\n  {} ({})", group.title(), records.len())?;
        let (folded, listed) = folded(records);
        for record in listed {
            lines.write(record, out)?;
        }
        for (reason, ids) in folded {
            let (first, last) = (ids[0], ids[ids.len() - 1]);
            let ids = format!("{}, {} to {}", words::cases(ids.len()), visible(first), visible(last));
            writeln!(out, "    {ids}: {}", column(reason, REASON))?;
        }
    }
    flaky(target, out)?;
    repeats(report, target, out)
}

/// The cases whose verdict was not the same each time, whatever it counts as.
fn flaky(target: &TargetReport, out: &mut String) -> std::fmt::Result {
    let verdicts = |record: &CaseRecord| record.repeats.as_ref().map(words::repeats);
    let flaky: Vec<_> = target
        .cases
        .iter()
        .filter(|record| record.is_flaky())
        .filter_map(|record| Some((visible(&record.id), verdicts(record)?)))
        .collect();
    let Some(width) = flaky.iter().map(|(id, _)| id.chars().count()).max() else { return Ok(()) };
    writeln!(out, "\n  flaky: not the same verdict each time ({})", flaky.len())?;
    flaky.iter().try_for_each(|(id, verdicts)| writeln!(out, "    {id:width$}  {verdicts}"))
}

/// Cases that were not played, all for one reason and too many to be listed: the reason and their ids.
type Folded<'a> = Vec<(&'a str, Vec<&'a str>)>;

/// Tells what is folded from what is listed.
fn folded(records: Vec<&CaseRecord>) -> (Folded<'_>, Vec<&CaseRecord>) {
    let reason = |record: &CaseRecord| {
        let idle = record.behavior == Behavior::Unimplemented && record.transcript.entries.is_empty();
        record.findings.first().filter(|_| idle).map(|finding| finding.observed.clone())
    };
    let mut counts: HashMap<String, usize> = HashMap::new();
    records
        .iter()
        .filter_map(|record| reason(record))
        .for_each(|reason| *counts.entry(reason).or_default() += 1);
    let mut folded: Folded<'_> = Vec::new();
    let mut listed = Vec::new();
    for record in records {
        let many = reason(record).is_some_and(|reason| counts[&reason] > LISTED);
        match record.findings.first().filter(|_| many) {
            None => listed.push(record),
            Some(finding) => match folded.iter_mut().find(|(reason, _)| *reason == finding.observed) {
                Some((_, ids)) => ids.push(&record.id),
                None => folded.push((&finding.observed, vec![&record.id])),
            },
        }
    }
    (folded, listed)
}

/// How many rules were held, broken and so on.
fn rules(report: &RunReport, target: &TargetReport, out: &mut String) -> std::fmt::Result {
    // An older record does not hold every rule, and counts of some of them would pass for more than they are.
    if !report.schema.has_register() || report.fuzz.is_some() {
        return Ok(());
    }
    let count = |(standing, n): (Standing, usize)| format!("{n} {standing}");
    let mut tally = tally(&conformance(report, target));
    tally.retain(|(standing, _)| *standing != Standing::BindsOthers);
    let counts: Vec<_> = tally.into_iter().map(count).collect();
    writeln!(out, "  rules: {}", counts.join(", "))
}

/// The commands of the first few cases that broke something, which nobody expected.
fn repeats(report: &RunReport, target: &TargetReport, out: &mut String) -> std::fmt::Result {
    let unknown = || target.cases.iter().filter(|record| report.expectation_of(record).is_none());
    let worst = |weight| unknown().filter(move |record| Weight::of(record) == weight);
    let broken = worst(Weight::Major).chain(worst(Weight::Minor));
    for (i, record) in broken.take(REPEATS).enumerate() {
        if i == 0 {
            writeln!(out, "\n  Repeat one alone:")?;
        }
        writeln!(out, "    {}", visible(&record.repeat))?;
    }
    Ok(())
}

/// Under which heading a record is listed; a plain pass under none, and what was expected at the end of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Fail,
    BadClose,
    NonStrict,
    PoorClose,
    Inconclusive,
    Unimplemented,
    Informational,
}

impl Group {
    const ALL: [Self; 7] = [
        Self::Fail,
        Self::BadClose,
        Self::NonStrict,
        Self::PoorClose,
        Self::Inconclusive,
        Self::Unimplemented,
        Self::Informational,
    ];

    fn of(report: &RunReport, record: &CaseRecord) -> Option<Self> {
        if report.expectation_of(record).is_some() {
            return None;
        }
        match (record.behavior, Weight::of(record)) {
            (Behavior::Inconclusive, _) => Some(Self::Inconclusive),
            (Behavior::Unimplemented, _) => Some(Self::Unimplemented),
            (Behavior::Fail, _) => Some(Self::Fail),
            (_, Weight::Major) => Some(Self::BadClose),
            (Behavior::NonStrict, _) => Some(Self::NonStrict),
            (_, Weight::Minor) => Some(Self::PoorClose),
            (Behavior::Informational, _) => Some(Self::Informational),
            (Behavior::Pass, _) => None,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Fail => "fail: a MUST was broken",
            Self::BadClose => "fail: the connection ended wrongly",
            Self::NonStrict => "non-strict: a SHOULD was broken",
            Self::PoorClose => "non-strict: the connection did not end as it should",
            Self::Inconclusive => "inconclusive: our side or the network failed",
            Self::Unimplemented => "unimplemented: not counted",
            Self::Informational => "informational: not counted",
        }
    }
}

/// One line for a record, its columns aligned over the whole target.
struct Lines<'a> {
    report: &'a RunReport,
    infos: HashMap<&'a str, &'a CaseInfo>,
    id_width: usize,
    title_width: usize,
    place_width: usize,
}

impl<'a> Lines<'a> {
    fn new(report: &'a RunReport, target: &'a TargetReport) -> Self {
        let infos = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
        let mut lines = Self { report, infos, id_width: 0, title_width: 0, place_width: 0 };
        for record in target.cases.iter().filter(|record| Group::of(report, record).is_some()) {
            let width = |text: String| text.chars().count();
            lines.id_width = lines.id_width.max(width(visible(&record.id).into_owned()));
            lines.title_width = lines.title_width.max(width(lines.title(record)));
            lines.place_width = lines.place_width.max(width(lines.place(record)));
        }
        lines
    }

    fn title(&self, record: &CaseRecord) -> String {
        self.infos.get(record.id.as_str()).map_or_else(String::new, |info| column(&prose(&info.title), TITLE))
    }

    /// Where the rule is written, `RFC 6455 5.5`; its id where the record does not quote it.
    fn place(&self, record: &CaseRecord) -> String {
        let rules = self.infos.get(record.id.as_str()).map_or(&[][..], |info| &info.rules);
        let Blame::Rule(id) = Blame::of(record, rules) else { return String::new() };
        match self.report.rules.get(&id) {
            Some(rule) => column(&format!("{} {}", rule.source, rule.section), 24),
            None => column(&id, 24),
        }
    }

    fn write(&self, record: &CaseRecord, out: &mut String) -> std::fmt::Result {
        let mut reason = match record.findings.first() {
            Some(finding) => column(&finding.observed, REASON),
            None => String::new(),
        };
        let close_counts = !matches!(
            record.close,
            CloseVerdict::Pass | CloseVerdict::Informational | CloseVerdict::Inconclusive
        );
        if close_counts {
            let gap = if reason.is_empty() { "" } else { " · " };
            write!(reason, "{gap}close: {}", record.close)?;
        }
        if record.carrier != "tcp" {
            write!(reason, " [{}]", column(&record.carrier, 16))?;
        }
        if let Some(busy) = record.when_busy {
            write!(reason, " (alone; {busy} while others ran)")?;
        }
        let line = format!(
            "    {:id$}  {:title$}  {:place$}  {reason}",
            visible(&record.id),
            self.title(record),
            self.place(record),
            id = self.id_width,
            title = self.title_width,
            place = self.place_width,
        );
        writeln!(out, "{}", line.trim_end())
    }
}
