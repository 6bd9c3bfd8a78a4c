//! What the page's scripts read: data, never markup.

use std::collections::BTreeMap;

use serde::Serialize;

use super::wire::{Caps, TEXT, Wire};
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
    cases: Vec<Case>,
    targets: Vec<Target>,
}

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

#[derive(Debug, Serialize)]
struct Case {
    id: String,
    title: String,
    why: String,
    section: String,
    rules: Vec<String>,
    steps: Vec<String>,
    accepts: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<String>,
}

#[derive(Debug, Serialize)]
struct Target {
    name: String,
    role: String,
    records: Vec<Record>,
}

#[derive(Debug, Serialize)]
struct Record {
    id: String,
    carrier: String,
    behavior: Behavior,
    close: CloseVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    ms: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy: Option<Behavior>,
    repeat: String,
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
    pub(super) fn of(report: &'a RunReport, cases: &[CaseInfo]) -> Self {
        Self {
            words: Words::new(),
            rules: report.rules.iter().map(|(id, rule)| (id.as_str(), Rule::of(rule))).collect(),
            cases: cases.iter().map(Case::of).collect(),
            targets: report.targets.iter().map(Target::of).collect(),
        }
    }
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
        let RuleText { source, section, level, sentence } = rule;
        Self {
            source: prose(source),
            section: prose(section),
            level: prose(level),
            sentence: prose(sentence),
        }
    }
}

impl Case {
    fn of(info: &CaseInfo) -> Self {
        let CaseInfo { id, title, why, section, section_title: _, rules, steps, accepts, differs } = info;
        let lines =
            |lines: &[String]| lines.iter().take(STEPS).map(|line| clipped(&prose(line), TEXT)).collect();
        Self {
            id: id.clone(),
            title: prose(title),
            why: prose(why),
            section: prose(section),
            rules: rules.clone(),
            steps: lines(steps),
            accepts: lines(accepts),
            differs: differs.as_deref().map(prose),
        }
    }
}

impl Target {
    fn of(target: &TargetReport) -> Self {
        Self {
            name: clipped(&target.name, 120),
            role: target.role.to_string(),
            records: target.cases.iter().map(Record::of).collect(),
        }
    }
}

impl Record {
    fn of(record: &CaseRecord) -> Self {
        Self {
            id: record.id.clone(),
            carrier: record.carrier.clone(),
            behavior: record.behavior,
            close: record.close,
            code: record.close_code,
            ms: (record.duration_ms * 1000.0).round() / 1000.0,
            findings: record
                .findings
                .iter()
                .take(FINDINGS)
                .map(|finding| Finding {
                    rule: finding.rule.clone(),
                    expected: clipped(&finding.expected, TEXT),
                    observed: clipped(&finding.observed, TEXT),
                    entry: finding.entry,
                })
                .collect(),
            busy: record.when_busy,
            repeat: clipped(&record.repeat, TEXT),
        }
    }
}

/// The transcripts of one target, a line for each record, so that a script reads only the one it shows.
pub(super) fn wires(target: &TargetReport, caps: &Caps) -> String {
    let lines: Vec<_> = target.cases.iter().map(|record| json(&Wire::of(record, caps))).collect();
    lines.join("\n")
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
