//! What expectations came to, for a terminal and as Markdown.

use std::fmt::Write as _;

use super::comparison::escaped;
use super::text::{column, prose, visible};
use crate::expect::{Applied, Expected};
use crate::record::{CaseRecord, RunReport};

/// Known deviations with their reasons, and expectations that are not true any more, in plain text without colour codes;
/// nothing where there are none. `report` is what the expectations were applied to.
pub fn text(report: &RunReport, applied: &Applied) -> String {
    let mut out = String::new();
    write_text(report, applied, &mut out).expect("writing to a string never fails");
    out
}

fn write_text(report: &RunReport, applied: &Applied, out: &mut String) -> std::fmt::Result {
    if !applied.expected.is_empty() {
        writeln!(out, "expected deviations ({}): not counted by the gate", applied.expected.len())?;
        for expected in &applied.expected {
            let (target, verdict) = shown(report, expected);
            let (id, reason) = (visible(&expected.key.id), prose(&expected.reason));
            writeln!(out, "  {id}  {target}: {verdict}: {reason}")?;
        }
    }
    if !applied.complaints.is_empty() {
        writeln!(out, "expectations that are not true ({})", applied.complaints.len())?;
        for complaint in &applied.complaints {
            writeln!(out, "  {complaint}")?;
        }
    }
    Ok(())
}

/// The same as a table and a list; nothing where there are none.
pub fn markdown(report: &RunReport, applied: &Applied) -> String {
    let mut out = String::new();
    write_markdown(report, applied, &mut out).expect("writing to a string never fails");
    out
}

fn write_markdown(report: &RunReport, applied: &Applied, out: &mut String) -> std::fmt::Result {
    if !applied.expected.is_empty() {
        writeln!(out, "| expected | target | verdict | reason |\n|---|---|---|---|")?;
        for expected in &applied.expected {
            let (target, verdict) = shown(report, expected);
            let (id, reason) = (escaped(&visible(&expected.key.id)), escaped(&prose(&expected.reason)));
            writeln!(out, "| {id} | {} | {verdict} | {reason} |", escaped(&target))?;
        }
    }
    if !applied.complaints.is_empty() {
        writeln!(out, "\nExpectations that are not true:\n")?;
        for complaint in &applied.complaints {
            writeln!(out, "- {}", escaped(&complaint.to_string()))?;
        }
    }
    Ok(())
}

/// What the target is called and what it did.
fn shown(report: &RunReport, expected: &Expected) -> (String, String) {
    let Some(target) = report.targets.get(expected.target) else { return (String::new(), String::new()) };
    let is_it = |record: &&CaseRecord| record.key() == expected.key;
    let verdict = target
        .cases
        .iter()
        .find(is_it)
        .map_or_else(String::new, |record| format!("{}, close {}", record.behavior, record.close));
    (column(&target.name, 60), verdict)
}
