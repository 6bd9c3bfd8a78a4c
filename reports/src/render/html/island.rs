//! What the page's scripts read: data, never markup.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::baseline::{Mark, Marks};
use super::fold::Caps;
use super::known;
use super::wire::{Shared, TEXT, Table};
use crate::record::{Behavior, CaseInfo, CaseRecord, CloseVerdict, RuleText, RunReport, TargetReport};
use crate::render::text::{clipped, prose};
use crate::render::words;

/// How many findings of one record, and how many lines of steps, the page shows.
const FINDINGS: usize = 64;
const STEPS: usize = 400;

/// The index of the page: everything but the transcripts.
#[derive(Debug, Serialize)]
pub(super) struct Index<'a> {
    words: Words,
    rules: BTreeMap<&'a str, Rule>,
    /// What cases say: several say the same.
    texts: Vec<String>,
    cases: Vec<Case>,
    carriers: Vec<&'a str>,
    /// The commands that repeat a case, with [`HOLE`]s for the case's id.
    repeats: Vec<String>,
    /// How cases were adapted to a target, in sentences.
    adaptations: Vec<String>,
    /// Why deviations were expected.
    known: Vec<String>,
    targets: Vec<Target>,
}

/// Stands for a case's id in a command. No command has it: [`clipped`] makes control characters visible.
const HOLE: &str = "\0";

#[derive(Debug, Serialize)]
struct Words {
    /// By behaviour: the symbol, and what it means.
    behavior: BTreeMap<&'static str, (&'static str, &'static str)>,
    /// By close verdict: how much it weighs (`good`, `neutral`, `minor`, `major`), and what it means.
    close: BTreeMap<&'static str, (&'static str, &'static str)>,
    opcodes: [&'static str; 16],
}

#[derive(Debug, Serialize)]
struct Rule {
    source: String,
    section: String,
    level: String,
    sentence: String,
}

/// Numbers are those of texts.
#[derive(Debug, Serialize)]
struct Case {
    id: String,
    title: String,
    why: usize,
    section: String,
    rules: Vec<usize>,
    setup: Vec<usize>,
    steps: Vec<usize>,
    accepts: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Target {
    name: String,
    role: String,
    records: Vec<Record>,
}

/// An array, as there are thousands; `base.js` names its parts: the case, the carrier, behaviour, close verdict,
/// close code, milliseconds, the command that repeats it, findings, and what few records have.
#[derive(Debug, Serialize)]
struct Record(
    usize,
    usize,
    Behavior,
    CloseVerdict,
    Option<u16>,
    f64,
    usize,
    Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")] Option<Aside>,
);

/// Behaviour when busy, which of the sentences on how a case was adapted, which of those on why it was expected, what changed since
/// the baseline, and what came of each time where there were several.
#[derive(Debug, Serialize)]
struct Aside {
    #[serde(skip_serializing_if = "Option::is_none")]
    busy: Option<Behavior>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adapted: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<Mark>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repeats: Option<Repeats>,
}

impl Aside {
    /// Whether there is any of it.
    fn is_some(&self) -> bool {
        let Self { busy, adapted, known, mark, repeats } = self;
        busy.is_some() || adapted.is_some() || known.is_some() || mark.is_some() || repeats.is_some()
    }
}

#[derive(Debug, Serialize)]
struct Repeats {
    flaky: bool,
    verdicts: String,
}

#[derive(Debug, Serialize)]
struct Finding {
    rule: String,
    expected: String,
    observed: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<usize>,
}

impl<'a> Index<'a> {
    /// The cases are given, since the page may know more of them than the record describes.
    pub(super) fn of(report: &'a RunReport, cases: &[CaseInfo], marks: &Marks<'a>) -> Self {
        let mut tables = Tables::default();
        for (at, case) in cases.iter().enumerate() {
            tables.cases.entry(&case.id).or_insert(at);
        }
        let targets =
            report.targets.iter().map(|target| Target::of(report, target, marks, &mut tables)).collect();
        let mut texts = Table::default();
        let described = cases.iter().map(|case| Case::of(case, &mut texts)).collect();
        Self {
            words: Words::new(),
            rules: rules(report, cases),
            texts: texts.list,
            cases: described,
            carriers: tables.carriers,
            repeats: tables.repeats.list,
            adaptations: tables.adaptations.list,
            known: tables.known.list,
            targets,
        }
    }
}

/// The rules that scripts look up: those that cases cite and findings name. The others are in the statement alone.
fn rules<'a>(report: &'a RunReport, cases: &[CaseInfo]) -> BTreeMap<&'a str, Rule> {
    let of_cases = cases.iter().flat_map(|case| &case.rules);
    let records = report.targets.iter().flat_map(|target| &target.cases);
    let of_findings = records.flat_map(|record| &record.findings).map(|finding| &finding.rule);
    let known = of_cases.chain(of_findings).filter_map(|id| report.rules.get_key_value(id));
    let mut rules = BTreeMap::new();
    for (id, rule) in known {
        rules.entry(id.as_str()).or_insert_with(|| Rule::of(rule));
    }
    rules
}

/// What records refer to by number.
#[derive(Debug, Default)]
struct Tables<'a, 'b> {
    cases: HashMap<&'b str, usize>,
    /// In the order they are met.
    carriers: Vec<&'a str>,
    repeats: Table,
    adaptations: Table,
    known: Table,
}

impl Words {
    fn new() -> Self {
        use crate::record::Severity;
        let weight = |close: CloseVerdict| match close.severity() {
            Severity::Good => "good",
            Severity::Neutral => "neutral",
            Severity::Minor => "minor",
            Severity::Major => "major",
        };
        Self {
            behavior: Behavior::ALL.map(|b| (b.as_str(), (words::symbol(b), words::behavior(b)))).into(),
            close: CloseVerdict::ALL.map(|c| (c.as_str(), (weight(c), words::close(c)))).into(),
            opcodes: words::OPCODES,
        }
    }
}

impl Rule {
    fn of(rule: &RuleText) -> Self {
        let RuleText { source, section, level, sentence, binds: _, unobservable: _, watched: _ } = rule;
        Self {
            source: prose(source),
            section: prose(section),
            level: prose(level),
            sentence: prose(sentence),
        }
    }
}

impl Case {
    fn of(info: &CaseInfo, texts: &mut Table) -> Self {
        let CaseInfo {
            id,
            title,
            why,
            section,
            section_title: _,
            rules,
            outcome_rules: _,
            setup,
            steps,
            accepts,
            differs,
        } = info;
        let mut lines = |lines: &[String]| {
            lines.iter().take(STEPS).map(|line| texts.number(&clipped(&prose(line), TEXT))).collect()
        };
        Self {
            id: id.clone(),
            title: prose(title),
            section: prose(section),
            setup: lines(setup),
            steps: lines(steps),
            accepts: lines(accepts),
            rules: rules.iter().map(|rule| texts.number(rule)).collect(),
            why: texts.number(&prose(why)),
            differs: differs.as_deref().map(|differs| texts.number(&prose(differs))),
        }
    }
}

impl Target {
    fn of<'a>(
        report: &RunReport,
        target: &'a TargetReport,
        marks: &Marks<'a>,
        tables: &mut Tables<'a, '_>,
    ) -> Self {
        let record = |record| Record::of(report, record, marks.get(&target.name, record), tables);
        Self {
            name: clipped(&target.name, 120),
            role: target.role.to_string(),
            records: target.cases.iter().map(record).collect(),
        }
    }
}

impl Record {
    fn of<'a>(
        report: &RunReport,
        record: &'a CaseRecord,
        mark: Option<Mark>,
        tables: &mut Tables<'a, '_>,
    ) -> Self {
        let carrier = tables.carriers.iter().position(|&known| known == record.carrier);
        let carrier = carrier.unwrap_or_else(|| {
            tables.carriers.push(&record.carrier);
            tables.carriers.len() - 1
        });
        let finding = |finding: &crate::record::Finding| Finding {
            rule: finding.rule.clone(),
            expected: clipped(&finding.expected, TEXT),
            observed: clipped(&finding.observed, TEXT),
            entry: finding.entry,
        };
        let repeat = clipped(&record.repeat, TEXT);
        let repeat = if record.id.is_empty() { repeat } else { repeat.replace(&record.id, HOLE) };
        let adapted = record.adapted.as_deref().map(|text| tables.adaptations.number(&clipped(text, TEXT)));
        let known = known::told(report, record).map(|text| tables.known.number(&text));
        let repeats = record.repeats.as_ref();
        let repeats =
            repeats.map(|repeats| Repeats { flaky: repeats.is_flaky(), verdicts: words::repeats(repeats) });
        let aside = Aside { busy: record.when_busy, adapted, known, mark, repeats };
        Self(
            tables.cases[record.id.as_str()],
            carrier,
            record.behavior,
            record.close,
            record.close_code,
            // What is no duration counts as none.
            Some(record.duration_ms).filter(|ms| ms.is_finite()).map_or(0.0, |ms| (ms * 1e3).round() / 1e3),
            tables.repeats.number(&repeat),
            record.findings.iter().take(FINDINGS).map(finding).collect(),
            aside.is_some().then_some(aside),
        )
    }
}

/// The transcripts of a page.
#[derive(Debug)]
pub(super) struct Wires {
    /// What they have in common.
    pub(super) shared: String,
    /// For each target a line for each record, so that a script reads only the one it shows.
    pub(super) targets: Vec<String>,
}

/// How many bytes the transcripts of a page may have, and how many entries are worth trying.
const BYTES: usize = 2_400_000;
const ENTRIES: usize = 200_000;

impl Wires {
    /// As much as the page can bear, in so many bytes if that is possible at all.
    pub(super) fn of(report: &RunReport, room: usize) -> Self {
        let fitting = |caps: Caps| {
            let wires = (caps.entries(report) <= ENTRIES).then(|| Self::within(report, &caps));
            wires.filter(|wires| wires.bytes() <= room.min(BYTES))
        };
        Caps::ladder().find_map(fitting).unwrap_or_else(|| Self::within(report, &Caps::STRICTEST))
    }

    fn within(report: &RunReport, caps: &Caps) -> Self {
        let mut shared = Shared::default();
        let lines = |target: &TargetReport| {
            let lines: Vec<_> = target.cases.iter().map(|record| shared.line(record, caps)).collect();
            lines.join("\n")
        };
        let targets = report.targets.iter().map(lines).collect();
        Self { shared: shared.json(), targets }
    }

    fn bytes(&self) -> usize {
        self.shared.len() + self.targets.iter().map(String::len).sum::<usize>()
    }
}

/// JSON that nothing in it can end the `<script>` it stands in, nor open a comment there.
pub(super) fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("the page's data has string keys only");
    // Outside of strings JSON has none of these; inside, the escape means the same.
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_the_island() {
        let hostile = "</script><!--<script>&\u{2028}\"\\";
        let json = json(&hostile);
        assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).expect("it is JSON still"), hostile);
    }
}
