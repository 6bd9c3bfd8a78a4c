//! The results in the old words, as a table of our page.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::names::{Agent, Case};
use super::verdict;
use crate::record::{Behavior, RunReport, Severity};
use crate::render::text::column;

/// A column for each agent, a row for each case.
#[derive(Debug, Serialize)]
pub(in crate::render) struct Table {
    agents: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    id: String,
    cells: Vec<Option<Cell>>,
}

/// One record. The old classes are what gates look for, ours are what gives it its colour.
#[derive(Debug, Serialize)]
struct Cell {
    class: &'static str,
    word: &'static str,
    text: &'static str,
    file: String,
    /// How the connection ended; not told of what is unimplemented.
    close: Option<Close>,
}

#[derive(Debug, Serialize)]
struct Close {
    class: &'static str,
    word: &'static str,
    text: String,
}

/// The table, its rows in the order of the catalogue.
pub(super) fn of(report: &RunReport, agents: &[Agent<'_>]) -> Table {
    let by_id = |agent: &Agent<'_>| -> HashMap<String, Cell> {
        agent.cases.iter().map(|case| (case.record.id.clone(), Cell::of(case))).collect()
    };
    let mut columns: Vec<_> = agents.iter().map(by_id).collect();
    let mut known = HashSet::new();
    let described = report.cases.iter().map(|case| &case.id);
    let played = agents.iter().flat_map(|agent| &agent.cases).map(|case| &case.record.id);
    let mut rows = Vec::new();
    for id in described.chain(played).filter(|&id| known.insert(id)) {
        let cells: Vec<_> = columns.iter_mut().map(|cells| cells.remove(id)).collect();
        if cells.iter().any(Option::is_some) {
            rows.push(Row { id: column(id, 32), cells });
        }
    }
    Table { agents: agents.iter().map(|agent| column(&agent.name, 40)).collect(), rows }
}

impl Cell {
    fn of(case: &Case<'_>) -> Self {
        let record = case.record;
        let (class, text) = verdict::behavior_cell(record.behavior);
        let close = match record.behavior {
            Behavior::Unimplemented => None,
            Behavior::Pass
            | Behavior::Informational
            | Behavior::NonStrict
            | Behavior::Fail
            | Behavior::Inconclusive => {
                let (class, text) = verdict::close_cell(record.close);
                let code = || record.close_code.map_or_else(|| "None".to_owned(), |code| code.to_string());
                let word = match record.close.severity() {
                    Severity::Good => Behavior::Pass,
                    Severity::Neutral => Behavior::Informational,
                    Severity::Minor => Behavior::NonStrict,
                    Severity::Major => Behavior::Fail,
                };
                Some(Close { class, word: word.as_str(), text: text.map_or_else(code, str::to_owned) })
            }
        };
        Self { class, word: record.behavior.as_str(), text, file: format!("{}.html", case.stem), close }
    }
}
