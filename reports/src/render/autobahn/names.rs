//! What agents and files are called.

use std::collections::HashSet;

use crate::record::{CaseRecord, RunReport, TargetReport};
use crate::render::text::visible;

/// How long the parts of a file's name get at most: file systems end at 255 bytes.
const AGENT: usize = 100;
const CASE: usize = 60;

/// One column of the old report: a target over one carrier, since the old tool knows of no carriers.
#[derive(Debug)]
pub(super) struct Agent<'a> {
    /// Its key in `index.json`; no two are alike.
    pub(super) name: String,
    /// Which target of the record it is.
    pub(super) target: usize,
    /// Its records in their order, the first of each id.
    pub(super) cases: Vec<Case<'a>>,
}

/// One of an agent's records.
#[derive(Debug)]
pub(super) struct Case<'a> {
    pub(super) record: &'a CaseRecord,
    /// The name of its files but for the ending; no two are alike.
    pub(super) stem: String,
}

/// The agents of a run: its targets, the one with several carriers once for each.
pub(super) fn agents<'a>(report: &'a RunReport) -> Vec<Agent<'a>> {
    let mut names = Names::default();
    let mut stems = Names::default();
    let mut files = Names::default();
    let mut agents = Vec::new();
    for (number, target) in report.targets.iter().enumerate() {
        for (n, carrier) in carriers(target).into_iter().enumerate() {
            let name = match n {
                0 => visible(&target.name).into_owned(),
                _ => visible(&format!("{} ({carrier})", target.name)).into_owned(),
            };
            let name = names.unique(name, |name, n| format!("{name} ({n})"));
            let stem = stems.unique(clean(&name), |stem, n| format!("{stem}_{n}"));
            let mut known = HashSet::new();
            let records = target.cases.iter().filter(|record| record.carrier == carrier);
            let case = |record: &'a CaseRecord| {
                let stem = format!("{stem}_case_{}", case_part(&record.id));
                Case { record, stem: files.unique(stem, |stem, n| format!("{stem}_{n}")) }
            };
            let cases = records.filter(|record| known.insert(&record.id)).map(case).collect();
            agents.push(Agent { name, target: number, cases });
        }
    }
    agents
}

/// The carriers of a target, TCP first; one where it has no record at all, so that it is not forgotten.
fn carriers(target: &TargetReport) -> Vec<&str> {
    let mut carriers: Vec<&str> = Vec::new();
    for record in &target.cases {
        if !carriers.contains(&record.carrier.as_str()) {
            carriers.push(&record.carrier);
        }
    }
    carriers.sort_by_key(|&carrier| carrier != "tcp");
    if carriers.is_empty() { vec!["tcp"] } else { carriers }
}

/// Names that were given away, as a file system that knows no case sees them.
#[derive(Debug, Default)]
struct Names(HashSet<String>);

impl Names {
    /// The wanted name, or with the first number from 2 on with which nobody has it.
    fn unique(&mut self, wanted: String, numbered: impl Fn(&str, usize) -> String) -> String {
        let mut name = wanted.clone();
        let mut n = 1;
        while !self.0.insert(name.to_lowercase()) {
            n += 1;
            name = numbered(&wanted, n);
        }
        name
    }
}

/// The agent as file names have it, by the rule of the old tool: lower case, a space for whatever is neither letter nor
/// digit of ASCII, trimmed, an underscore for each space.
fn clean(agent: &str) -> String {
    let spaced: String = agent
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect();
    spaced.trim().chars().take(AGENT).map(|c| if c == ' ' { '_' } else { c }).collect()
}

/// The case's id as file names have it. It may come from elsewhere, so nothing of a path gets through.
fn case_part(id: &str) -> String {
    id.chars().take(CASE).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_cleaned_by_the_old_rule() {
        for (agent, stem) in [
            ("ws 8.18.3", "ws_8_18_3"),
            ("  AutobahnPython/0.6.0 ", "autobahnpython_0_6_0"),
            ("tokio-tungstenite", "tokio_tungstenite"),
            ("../../etc/passwd", "etc_passwd"),
            ("wså", "ws"),
            ("日本", ""),
        ] {
            assert_eq!(clean(agent), stem);
        }
        assert_eq!(clean(&"x".repeat(1000)).len(), AGENT);
    }

    #[test]
    fn ids_lose_whatever_is_no_letter_or_digit() {
        assert_eq!(case_part("13.7.18"), "13_7_18");
        assert_eq!(case_part("F.1"), "F_1");
        assert_eq!(case_part("../x"), "___x");
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        let unique = |name: &str| names.unique(name.to_owned(), |name, n| format!("{name}_{n}"));
        assert_eq!(["ws", "ws_2", "WS", "ws", "other"].map(unique), ["ws", "ws_2", "WS_3", "ws_4", "other"]);
    }
}
