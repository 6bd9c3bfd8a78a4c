//! What is written to the old tool's output folder.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde_json::{Value, json};
use wsgrade_reports::record::{CaseRecord, RunReport, TargetReport};

use super::words;

/// The file that every script in the field reads.
const INDEX: &str = "index.json";

/// Writes the reports of a run.
pub(crate) fn write(report: &RunReport, dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join(INDEX), index(report))
}

/// Removes the index of an earlier run: whatever reads it must not take that for this run's.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(dir.join(INDEX)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// `index.json`: verdicts by agent and case, keys sorted, three spaces deep.
fn index(report: &RunReport) -> String {
    let mut agents: BTreeMap<&str, BTreeMap<&str, Value>> = BTreeMap::new();
    for TargetReport { name, cases, .. } in &report.targets {
        let agent = agents.entry(name).or_default();
        agent.extend(cases.iter().map(|record| (record.id.as_str(), entry(name, record))));
    }
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Text and numbers into memory: nothing there can fail.
    let written = serde::Serialize::serialize(&agents, &mut serializer);
    debug_assert!(written.is_ok(), "{written:?}");
    String::from_utf8_lossy(&out).into_owned()
}

fn entry(agent: &str, record: &CaseRecord) -> Value {
    json!({
        "behavior": words::behavior(record.behavior),
        "behaviorClose": words::close(record),
        "duration": record.duration_ms.round() as u64,
        "remoteCloseCode": record.close_code,
        "reportfile": format!("{}_case_{}.json", file_name(agent), record.id.replace('.', "_")),
    })
}

/// An agent's name as its files have it: other than letters and digits becomes a space, and spaces within become `_`.
fn file_name(agent: &str) -> String {
    let plain: String = agent
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { ' ' })
        .collect();
    plain.trim().replace(' ', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for (agent, name) in [
            ("uWebSockets", "uwebsockets"),
            ("WebSocket-Ruby v0.0.1", "websocket_ruby_v0_0_1"),
            ("  ../../etc/passwd ", "etc_passwd"),
            ("Ärger", "rger"),
            ("", ""),
        ] {
            assert_eq!(file_name(agent), name);
        }
    }

    #[test]
    fn an_earlier_index_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        assert!(clear(&dir.path().join("not-there")).is_ok());
        for file in [INDEX, "other.json"] {
            std::fs::write(dir.path().join(file), "{}").unwrap();
        }
        clear(dir.path()).unwrap();
        assert!(!dir.path().join(INDEX).exists() && dir.path().join("other.json").exists());
    }
}
