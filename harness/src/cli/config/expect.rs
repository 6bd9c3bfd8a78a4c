//! `[[expect]]`.

use std::str::FromStr as _;

use wsgrade_cases::form::{Fields, Node, Value};
use wsgrade_reports::expect::{Date, Expectation, NoExpectation};
use wsgrade_reports::record::{Behavior, CloseVerdict};

use super::read::Reader;

/// What an expectation may have.
const KEYS: [&str; 6] = ["cases", "behavior", "close", "reason", "until", "target"];

/// Reads all of them.
pub(super) fn read(reader: &mut Reader<'_>, root: &Fields<'_>, expectations: &mut Vec<Expectation>) {
    for node in root.list(&mut reader.problems, "expect") {
        if let Some(fields) = Fields::new(&mut reader.problems, node, "an expectation", &KEYS) {
            expectations.extend(one(reader, &fields));
        }
    }
}

fn one(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    // Each is looked at, so that all that is wrong is told at once.
    let cases = fields.need(&mut reader.problems, "cases").map(|_| reader.texts(fields, "cases"));
    fields.need(&mut reader.problems, "behavior");
    let behaviors = Behavior::ALL.map(|value| (value.as_str(), value));
    let behavior = fields.word(&mut reader.problems, "behavior", &behaviors);
    let closes = CloseVerdict::ALL.map(|value| (value.as_str(), value));
    let close = fields.word(&mut reader.problems, "close", &closes);
    let until = until(reader, fields);
    let target = fields.text(&mut reader.problems, "target");
    if !fields.has("reason") {
        reader.problems.add_with_help(
            fields.at,
            "an expectation without `reason`",
            "say in a sentence why this deviation is put up with, and where that is tracked",
        );
    }
    let reason = fields.text(&mut reader.problems, "reason");
    if (fields.has("close") && close.is_none()) || (fields.has("until") && until.is_none()) {
        return None;
    }
    let (cases, behavior, reason) = (cases?, behavior?, reason?);
    let mut expectation = match Expectation::new(cases, behavior, close, reason) {
        Ok(expectation) => expectation,
        Err(none) => {
            let key = match none {
                NoExpectation::Cases => "cases",
                NoExpectation::Reason => "reason",
                NoExpectation::Pass | NoExpectation::Inconclusive => "behavior",
            };
            let at = fields.get(key).map_or(fields.at, |node| node.at);
            reader.problems.add(at, none.to_string());
            return None;
        }
    };
    if let Some(day) = until {
        expectation = expectation.until(day);
    }
    Some(match target {
        Some(target) => expectation.of_target(target),
        None => expectation,
    })
}

/// The last day, as a date of TOML or in quotes.
fn until(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Date> {
    let Node { at, value } = fields.get("until")?;
    match value {
        Value::Date(text) | Value::Text(text) => {
            Date::from_str(text).map_err(|error| reader.problems.add(*at, error.to_string())).ok()
        }
        Value::Integer(_) | Value::Bool(_) | Value::Array(_) | Value::Table(_) | Value::Fraction => {
            reader
                .problems
                .add(*at, "`until` is no day: write it as year, month and day, such as 2027-03-01");
            None
        }
    }
}
