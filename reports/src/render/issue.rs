//! What is wrong in a run, as every format for a CI service tells it.
//!
//! ```text
//! RunReport ─┬─ issues ─────▶ Issue      of a target: which rule, how much it weighs, what was seen instead
//!            ├─ troubles ───▶ Trouble    of the run: nothing was played, it broke off, cases were inconclusive
//!            └─ complaints ─▶ Complaint  of an expectation: it is not true, or not any more
//! ```
//!
//! What passed is none of them, nor what a target does not implement. An issue that was expected is one, and says so.

use std::collections::HashMap;

use sha1::{Digest, Sha1};

use super::names::Names;
use super::text::{clipped, prose, visible};
use super::words;
use crate::conformance::{Standing, broken};
use crate::grade::{Blame, Weight};
use crate::record::{
    Behavior, CaseInfo, CaseRecord, CloseVerdict, ExpectationRecord, RuleText, RunReport, Severity,
};

/// The longest part of a path, in characters.
const PART: usize = 120;

/// How much an issue weighs, the heaviest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Level {
    /// A `MUST` is broken.
    Error,
    /// A `SHOULD` is broken.
    Warning,
    /// A choice was made that is left open.
    Note,
}

impl Level {
    /// As SARIF has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    /// What became of the rule.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Error => "MUST broken",
            Self::Warning => "SHOULD broken",
            Self::Note => "choice made",
        }
    }
}

/// One finding of one record.
#[derive(Debug)]
pub(crate) struct Issue<'a> {
    /// The target's place in the record.
    pub(crate) target: usize,
    /// Where it was found.
    pub(crate) record: &'a CaseRecord,
    /// What was played, if the record says so.
    pub(crate) info: Option<&'a CaseInfo>,
    /// What it is laid to.
    pub(crate) blame: Blame,
    /// What the rule says, if it is one that the record quotes.
    pub(crate) text: Option<&'a RuleText>,
    /// How much it weighs.
    pub(crate) level: Level,
    /// That it was known, and why it is put up with.
    pub(crate) known: Option<&'a ExpectationRecord>,
    /// What a conforming peer does, as it was recorded.
    pub(crate) expected: Option<&'a str>,
    /// What this one did, as it was recorded.
    pub(crate) observed: &'a str,
    /// How many findings of the same record are laid to the same before this one.
    nth: usize,
}

/// Every issue, in the order of the record.
pub(crate) fn issues(report: &RunReport) -> Vec<Issue<'_>> {
    let infos: HashMap<&str, &CaseInfo> = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
    let mut all = Vec::new();
    for (target, found) in report.targets.iter().enumerate() {
        for record in &found.cases {
            add(report, target, record, infos.get(record.id.as_str()).copied(), &mut all);
        }
    }
    all
}

fn add<'a>(
    report: &'a RunReport,
    target: usize,
    record: &'a CaseRecord,
    info: Option<&'a CaseInfo>,
    all: &mut Vec<Issue<'a>>,
) {
    match record.behavior {
        Behavior::Inconclusive | Behavior::Unimplemented => return,
        // What is worth knowing of it is no issue.
        Behavior::Pass if record.close.severity() <= Severity::Neutral => return,
        Behavior::Pass | Behavior::Informational | Behavior::NonStrict | Behavior::Fail => {}
    }
    let known = report.expectation_of(record);
    let first = all.len();
    for (at, finding) in record.findings.iter().enumerate() {
        let Some(standing) = broken(report, record, at) else { continue };
        let blame = Blame::Rule(finding.rule.clone());
        let nth = all[first..].iter().filter(|issue| issue.blame == blame).count();
        all.push(Issue {
            target,
            record,
            info,
            text: report.rules.get(&finding.rule),
            blame,
            level: level(standing),
            known,
            expected: Some(&finding.expected),
            observed: &finding.observed,
            nth,
        });
    }
    let level = match Weight::of(record) {
        Weight::Major => Level::Error,
        Weight::Minor => Level::Warning,
        Weight::Good | Weight::Uncounted => return,
    };
    if all.len() == first {
        let blame = Blame::of(record, info.map_or(&[][..], |info| &info.rules));
        let (text, observed) = match &blame {
            Blame::Rule(rule) => (report.rules.get(rule), words::behavior(record.behavior)),
            Blame::Close(close) => (None, words::close(*close)),
        };
        all.push(Issue { target, record, info, blame, text, level, known, expected: None, observed, nth: 0 });
    }
}

fn level(standing: Standing) -> Level {
    match standing {
        Standing::MustBroken => Level::Error,
        Standing::ShouldBroken => Level::Warning,
        Standing::Permitted
        | Standing::Held
        | Standing::NotShown
        | Standing::NotTested
        | Standing::Unobservable
        | Standing::BindsOthers => Level::Note,
    }
}

impl Issue<'_> {
    /// The id of what it is laid to: a rule's, or `close-unclean` and so on. Never empty.
    pub(crate) fn rule(&self) -> String {
        match &self.blame {
            Blame::Rule(rule) if rule.is_empty() => "unnamed".to_owned(),
            Blame::Rule(rule) => visible(rule).into_owned(),
            Blame::Close(close) => format!("close-{close}"),
        }
    }

    /// What it is laid to, in the fewest words: `RFC 6455 5.5.1`, or the id.
    pub(crate) fn place(&self) -> String {
        match self.text {
            Some(text) => format!("{} {}", prose(&text.source), prose(&text.section)),
            None => self.rule(),
        }
    }

    /// The case: its id and its title.
    pub(crate) fn case(&self, max: usize) -> String {
        let title =
            self.info.map_or_else(String::new, |info| format!(" {}", clipped(&prose(&info.title), max)));
        format!("{}{title}", visible(&self.record.id))
    }

    /// What was expected and what was seen, each no longer than so many characters.
    pub(crate) fn sentence(&self, max: usize) -> String {
        let observed = clipped(self.observed, max);
        match self.expected {
            Some(expected) => format!("expected {}; saw {observed}", clipped(expected, max)),
            None => observed,
        }
    }

    /// Where a service that knows only files and lines is to show it: there is no such file, but the path says what it
    /// is about, and is the same in every run.
    pub(crate) fn path(&self, names: &Names) -> String {
        path(names.word(self.target), &self.record.id)
    }

    /// The same for the same issue in every run, and another for every other issue of a run: 40 hexadecimal digits.
    pub(crate) fn fingerprint(&self, names: &Names) -> String {
        let CaseRecord { id, role, carrier, .. } = self.record;
        let parts =
            [names.word(self.target), id, &role.to_string(), carrier, &self.rule(), &self.nth.to_string()];
        fingerprint(&parts)
    }
}

/// A path of ASCII letters, digits, `-`, `_` and single dots, which is a URI as it stands and leads nowhere else.
fn path(target: &str, case: &str) -> String {
    format!("wsgrade/{}/case-{}", part(target), part(case))
}

fn part(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().take(PART) {
        let plain = c.is_ascii_alphanumeric() || c == '-' || c == '.' && !out.ends_with('.');
        out.push(if plain { c } else { '_' });
    }
    out
}

/// SHA-1 over the parts, so that no two lists of parts run together.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let mut sha1 = Sha1::new();
    for part in parts {
        sha1.update((part.len() as u64).to_be_bytes());
        sha1.update(part.as_bytes());
    }
    sha1.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why less is known of a target, or of all, than was asked: no fault of a target that anybody has seen.
#[derive(Debug)]
pub(crate) struct Trouble<'a> {
    /// The target's place in the record; none where the run had no target.
    pub(crate) target: Option<usize>,
    /// What kind of trouble.
    pub(crate) kind: Kind<'a>,
}

/// What kind of trouble.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    /// The run had no target.
    NoTarget,
    /// No case was played.
    NothingPlayed,
    /// The run ended before its last case, for this reason.
    Stopped(&'a str),
    /// This case was inconclusive.
    Inconclusive(&'a CaseRecord),
}

/// Every trouble, in the order of the record.
pub(crate) fn troubles(report: &RunReport) -> Vec<Trouble<'_>> {
    let mut all = Vec::new();
    if report.targets.is_empty() {
        all.push(Trouble { target: None, kind: Kind::NoTarget });
    }
    let campaign = report.fuzz.as_ref().is_some_and(|fuzz| fuzz.scenarios > 0);
    for (at, target) in report.targets.iter().enumerate() {
        let mut add = |kind| all.push(Trouble { target: Some(at), kind });
        match &target.stopped {
            Some(reason) => add(Kind::Stopped(reason)),
            None if target.cases.is_empty() && !campaign => add(Kind::NothingPlayed),
            None => {}
        }
        for record in target.cases.iter().filter(|record| record.behavior == Behavior::Inconclusive) {
            add(Kind::Inconclusive(record));
        }
    }
    all
}

impl Trouble<'_> {
    /// Whether what was left out may be the worst of it, so that the run as a whole cannot be relied on.
    pub(crate) fn is_grave(&self) -> bool {
        match self.kind {
            Kind::NoTarget | Kind::NothingPlayed | Kind::Stopped(_) => true,
            Kind::Inconclusive(_) => false,
        }
    }

    /// In a word.
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            Kind::NoTarget | Kind::NothingPlayed => "empty-run",
            Kind::Stopped(_) => "stopped",
            Kind::Inconclusive(_) => "inconclusive",
        }
    }

    /// In a sentence, what it quotes no longer than so many characters.
    pub(crate) fn sentence(&self, max: usize) -> String {
        match self.kind {
            Kind::NoTarget => "the run had no target".to_owned(),
            Kind::NothingPlayed => "no case was played against this target".to_owned(),
            Kind::Stopped(reason) => format!("the run ended before its last case: {}", clipped(reason, max)),
            Kind::Inconclusive(record) => {
                let why = match record.findings.first() {
                    Some(finding) => clipped(&finding.observed, max),
                    None => words::behavior(record.behavior).to_owned(),
                };
                format!("case {} is inconclusive: {why}", visible(&record.id))
            }
        }
    }

    /// Where to show it, as [`Issue::path`].
    pub(crate) fn path(&self, names: &Names) -> String {
        let target = self.target.map_or("run", |target| names.word(target));
        match self.kind {
            Kind::NoTarget | Kind::NothingPlayed | Kind::Stopped(_) => path(target, self.word()),
            Kind::Inconclusive(record) => path(target, &record.id),
        }
    }
}

/// That an expectation is not true, or not any more.
#[derive(Debug)]
pub(crate) struct Complaint<'a> {
    /// The place of the expectation in the record.
    entry: usize,
    expectation: &'a ExpectationRecord,
    text: &'a str,
    /// How many there are of the same expectation before this one.
    nth: usize,
    /// How many expectations before it say the same.
    twins: usize,
}

/// Every complaint, in the order of the record.
pub(crate) fn complaints(report: &RunReport) -> Vec<Complaint<'_>> {
    let mut alike = HashMap::new();
    let mut all = Vec::new();
    for (entry, expectation) in report.expectations.iter().enumerate() {
        let seen = alike.entry(identity(expectation)).or_insert(0);
        let (twins, texts) = (*seen, (0..).zip(&expectation.complaints));
        *seen += 1;
        all.extend(texts.map(|(nth, text)| Complaint { entry, expectation, text, nth, twins }));
    }
    all
}

/// What an expectation is about, which outlasts its place, its reason and its day.
fn identity(expectation: &ExpectationRecord) -> String {
    let ExpectationRecord { cases, behavior, close, reason: _, until: _, target, complaints: _ } =
        expectation;
    let close = close.map_or("", CloseVerdict::as_str);
    let parts = [behavior.as_str(), close, target.as_deref().unwrap_or("")];
    fingerprint(&parts.into_iter().chain(cases.iter().map(String::as_str)).collect::<Vec<_>>())
}

impl Complaint<'_> {
    /// The rule that it is laid to, which is one of ours.
    pub(crate) const RULE: &'static str = "wsgrade-expectation";

    /// `expectation 2 (6.4.*)`, and which of its complaints where it has several.
    pub(crate) fn name(&self) -> String {
        let cases = clipped(&self.expectation.cases.join(", "), PART);
        let name = format!("expectation {} ({cases})", self.entry + 1);
        if self.nth == 0 { name } else { format!("{name}, {}", self.nth + 1) }
    }

    /// What is not true, no longer than so many characters.
    pub(crate) fn sentence(&self, max: usize) -> String {
        if self.text.trim().is_empty() { "it is not true".to_owned() } else { clipped(self.text, max) }
    }

    /// Where to show it, as [`Issue::path`].
    pub(crate) fn path(&self) -> String {
        let cases = self.expectation.cases.first().map_or("", String::as_str);
        format!("wsgrade/expectations/cases-{}", part(cases))
    }

    /// As [`Issue::fingerprint`].
    pub(crate) fn fingerprint(&self) -> String {
        let parts = [Self::RULE, &identity(self.expectation), &self.twins.to_string(), &self.nth.to_string()];
        fingerprint(&parts)
    }
}
