//! What was expected, for a terminal and as Markdown.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::names::Names;
use super::text::{clipped, code, column, markdown as plain, prose};
use crate::record::{Behavior, CaseRecord, CloseVerdict, ExpectationRecord, RunReport};

/// How many lines of either kind are told, and how many cases each names.
const LISTED: usize = 100;
const IDS: usize = 8;
/// The longest texts, in characters.
const NAME: usize = 60;
const REASON: usize = 400;
const COMPLAINT: usize = 600;
/// How many bytes of Markdown either list may have: escaped, a character may take thirty.
const ROOM: usize = 100_000;

/// Records of one target that meet one expectation and have one verdict.
pub(super) struct Met<'a> {
    /// The target's place in the record.
    pub(super) target: usize,
    pub(super) expectation: &'a ExpectationRecord,
    pub(super) behavior: Behavior,
    pub(super) close: CloseVerdict,
    /// In the order of the record; never empty.
    pub(super) records: Vec<&'a CaseRecord>,
}

/// What was met, in the order of the record.
pub(super) fn met(report: &RunReport) -> Vec<Met<'_>> {
    let mut all: Vec<Met<'_>> = Vec::new();
    let mut places = HashMap::new();
    for (target, found) in report.targets.iter().enumerate() {
        for record in &found.cases {
            let Some(expectation) = report.expectation_of(record) else { continue };
            let (behavior, close) = (record.behavior, record.close);
            let at = *places.entry((target, record.expected, behavior, close)).or_insert(all.len());
            if at == all.len() {
                all.push(Met { target, expectation, behavior, close, records: Vec::new() });
            }
            all[at].records.push(record);
        }
    }
    all
}

impl Met<'_> {
    /// The ids, each once.
    fn ids(&self) -> String {
        let mut all: Vec<_> = self.records.iter().map(|record| record.id.as_str()).collect();
        all.dedup();
        let mut ids: Vec<_> = all.iter().take(IDS).map(|id| column(id, 40)).collect();
        if all.len() > IDS {
            let last = ids.pop().unwrap_or_default();
            ids.push(format!("{last} and {} more", all.len() - IDS));
        }
        ids.join(", ")
    }

    fn verdict(&self) -> String {
        format!("{}, close {}", self.behavior, self.close)
    }

    pub(super) fn reason(&self) -> String {
        clipped(&prose(&self.expectation.reason), REASON)
    }

    pub(super) fn until(&self) -> Option<String> {
        self.expectation.until.as_deref().map(|day| column(day, 20))
    }
}

/// What is not true of the expectations, in their order.
pub(super) fn complaints(report: &RunReport) -> Vec<&str> {
    report.expectations.iter().flat_map(|entry| &entry.complaints).map(String::as_str).collect()
}

/// Known deviations with their reasons, and expectations that are not true any more, in plain text without colour codes;
/// nothing where there are none.
pub fn text(report: &RunReport) -> String {
    let mut out = String::new();
    write_text(report, &mut out).expect("writing to a string never fails");
    out
}

fn write_text(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let (met, complaints) = (met(report), complaints(report));
    if !met.is_empty() {
        let records: usize = met.iter().map(|met| met.records.len()).sum();
        writeln!(out, "expected deviations ({records}): not counted by the gate")?;
        for met in met.iter().take(LISTED) {
            let name = column(&report.targets[met.target].name, NAME);
            let until = met.until().map_or_else(String::new, |day| format!(" (until {day})"));
            writeln!(out, "  {}  {name}: {}: {}{until}", met.ids(), met.verdict(), met.reason())?;
        }
        more(met.len().saturating_sub(LISTED), "  ", out)?;
    }
    if !complaints.is_empty() {
        writeln!(out, "expectations that are not true ({})", complaints.len())?;
        for complaint in complaints.iter().take(LISTED) {
            writeln!(out, "  {}", clipped(complaint, COMPLAINT))?;
        }
        more(complaints.len().saturating_sub(LISTED), "  ", out)?;
    }
    Ok(())
}

/// The same as a list of what is not true, and a table of what was met; nothing where there are none.
pub fn markdown(report: &RunReport) -> String {
    let mut out = String::new();
    write_markdown(report, &mut out).expect("writing to a string never fails");
    out
}

fn write_markdown(report: &RunReport, out: &mut String) -> std::fmt::Result {
    let (met, complaints) = (met(report), complaints(report));
    if !complaints.is_empty() {
        writeln!(out, "**Expectations that are not true ({}):**\n", complaints.len())?;
        let lines = complaints.iter().map(|complaint| format!("- {}\n", plain(complaint, COMPLAINT)));
        listed(lines, out)?;
    }
    if met.is_empty() {
        return Ok(());
    }
    if !complaints.is_empty() {
        writeln!(out)?;
    }
    let names = Names::of(report);
    writeln!(out, "| expected deviation | target | verdict | reason | until |\n|---|---|---|---|---|")?;
    let rows = met.iter().map(|met| {
        format!(
            "| {} | {} | {} | {} | {} |\n",
            plain(&met.ids(), REASON),
            code(names.label(met.target), NAME),
            met.verdict(),
            plain(&met.reason(), 2 * REASON),
            met.until().map_or_else(String::new, |day| plain(&day, 40)),
        )
    });
    listed(rows, out)
}

/// As many lines of Markdown as there is room for, and how many there are besides.
fn listed(mut lines: impl ExactSizeIterator<Item = String>, out: &mut String) -> std::fmt::Result {
    let end = out.len() + ROOM;
    for line in lines.by_ref().take(LISTED) {
        out.push_str(&line);
        if out.len() > end {
            break;
        }
    }
    more(lines.len(), "\n", out)
}

/// How many lines were left out.
fn more(lines: usize, before: &str, out: &mut String) -> std::fmt::Result {
    if lines > 0 { writeln!(out, "{before}{lines} more in run.json") } else { Ok(()) }
}
