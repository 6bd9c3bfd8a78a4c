//! `cases.csv`: one line a record, for a spreadsheet.
//!
//! RFC 4180: commas, lines that end in CR LF, every field quoted. A field that a spreadsheet would compute begins with an
//! apostrophe, which it takes for "this is text".

use std::collections::HashMap;

use super::File;
use super::names::Names;
use super::text::{clipped, prose, visible};
use crate::grade::{Blame, Weight};
use crate::record::{CaseInfo, CaseRecord, RunReport};

/// The longest text of the network that one field quotes, in characters; a cell of a spreadsheet holds 32 767.
const QUOTE: usize = 4000;

const COLUMNS: [&str; 20] = [
    "target",
    "url",
    "role",
    "carrier",
    "case",
    "title",
    "section",
    "behavior",
    "close",
    "close_code",
    "duration_ms",
    "weight",
    "rule",
    "expected",
    "observed",
    "findings",
    "when_busy",
    "adapted",
    "repeat",
    "expected_reason",
];

/// The run as a table: the verdicts, the first finding of each record, and why it was expected where it was.
pub fn render(report: &RunReport) -> Vec<File> {
    let names = Names::of(report);
    let infos: HashMap<&str, &CaseInfo> = report.cases.iter().map(|info| (info.id.as_str(), info)).collect();
    let mut contents = String::new();
    line(&COLUMNS.map(str::to_owned), &mut contents);
    for (at, target) in report.targets.iter().enumerate() {
        for record in &target.cases {
            let info = infos.get(record.id.as_str()).copied();
            let known = report.expectation_of(record).map(|known| prose(&known.reason));
            let of = [names.label(at), &target.url];
            line(&fields(of, info, record, known.as_deref()), &mut contents);
        }
    }
    vec![File { name: "cases.csv".to_owned(), contents }]
}

fn fields(
    [target, url]: [&str; 2],
    info: Option<&CaseInfo>,
    record: &CaseRecord,
    known: Option<&str>,
) -> [String; COLUMNS.len()] {
    let weight = match Weight::of(record) {
        Weight::Uncounted => "uncounted",
        Weight::Good => "good",
        Weight::Minor => "should-broken",
        Weight::Major => "must-broken",
    };
    let finding = record.findings.first();
    let rules = info.map_or(&[][..], |info| &info.rules);
    let quoted = |text: Option<&str>| text.map_or_else(String::new, |text| self::text(&clipped(text, QUOTE)));
    [
        text(target),
        quoted(Some(url)),
        record.role.to_string(),
        text(&visible(&record.carrier)),
        text(&visible(&record.id)),
        info.map_or_else(String::new, |info| text(&prose(&info.title))),
        info.map_or_else(String::new, |info| text(&visible(&info.section))),
        record.behavior.to_string(),
        record.close.to_string(),
        record.close_code.map_or_else(String::new, |code| code.to_string()),
        duration(record.duration_ms),
        weight.to_owned(),
        text(&visible(&Blame::of(record, rules).to_string())),
        quoted(finding.map(|finding| finding.expected.as_str())),
        quoted(finding.map(|finding| finding.observed.as_str())),
        record.findings.len().to_string(),
        record.when_busy.map_or_else(String::new, |busy| busy.to_string()),
        quoted(record.adapted.as_deref()),
        quoted(Some(&record.repeat)),
        quoted(known),
    ]
}

/// What is no duration is nothing.
fn duration(ms: f64) -> String {
    if ms.is_finite() && ms >= 0.0 { format!("{ms:.3}") } else { String::new() }
}

/// What is no number of ours: a spreadsheet computes what begins like a formula, and some of them what does so in wide
/// letters.
fn text(text: &str) -> String {
    match text.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠') => format!("'{text}"),
        Some(_) | None => text.to_owned(),
    }
}

fn line(fields: &[String], out: &mut String) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push('"');
        out.push_str(&field.replace('"', "\"\""));
        out.push('"');
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_computed_is_text() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u{3000}=1", "＝1", "|x", "%1"] {
            assert_eq!(text(formula), format!("'{formula}"));
        }
        for plain in ["", "1.1.1", "ws://h/?a=b", "a-b", "'=1"] {
            assert_eq!(text(plain), plain);
        }
    }

    #[test]
    fn quotes_are_doubled() {
        let mut out = String::new();
        line(&["a\"b".to_owned(), "c,d".to_owned(), String::new()], &mut out);
        assert_eq!(out, "\"a\"\"b\",\"c,d\",\"\"\r\n");
    }
}
