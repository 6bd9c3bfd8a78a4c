//! The defects that show in memory, processor time and open files: each is played as a process of its own, and has to be
//! caught. The others are in `detection.rs`.
//!
//! The server is `examples/deviant.rs`, which `cargo test` builds with the rest.
#![cfg(target_os = "linux")]

#[path = "detection/processes.rs"]
mod processes;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wsgrade_reference_server::deviant::Defect;

use processes::FOUND_BY;

/// The behaviour of each of these cases, and why.
fn graded(defect: &str, cases: &[&str]) -> BTreeMap<String, (String, String)> {
    let server = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples").join("deviant");
    assert!(server.is_file(), "this test alone needs `cargo build -p wsgrade --example deviant` before");
    let place = tempfile::tempdir().unwrap();
    let spawn = format!("exec '{}' --port {{port}} --defect {defect}", server.display());
    let output = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
        .args(["test", "--out", "report", "--seed", "1", "--timeout", "2s", "--spawn", &spawn])
        .args(cases.iter().flat_map(|case| ["-c", case]))
        .current_dir(place.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary of this package starts");
    let record = std::fs::read_to_string(place.path().join("report/run.json"))
        .unwrap_or_else(|_| panic!("{defect}: no record: {}", String::from_utf8_lossy(&output.stderr)));
    let record: Value = serde_json::from_str(&record).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let graded = record["targets"][0]["cases"].as_array().unwrap().iter().map(|case| {
        let findings = case["findings"].as_array().unwrap().iter();
        let why: Vec<_> = findings.map(|finding| text(&finding["observed"])).collect();
        (text(&case["id"]), (text(&case["behavior"]), why.join("; ")))
    });
    graded.collect()
}

#[test]
fn every_defect_of_a_process_is_caught_by_a_case_that_it_passes_without() {
    let all: Vec<&str> = FOUND_BY.iter().map(|(_, case)| *case).collect();
    let sound = graded("none", &all);
    for case in all {
        assert_eq!(sound.get(case), Some(&("pass".to_owned(), String::new())), "{case}");
    }
    for (defect, case) in FOUND_BY {
        let graded = graded(defect.name(), &[case]);
        let (behavior, why) = &graded[case];
        assert_eq!(behavior, "fail", "{defect} in {case}: {why}");
    }
}

#[test]
fn none_is_left_out() {
    for defect in Defect::ALL.iter().filter(|defect| defect.needs_process()) {
        assert!(FOUND_BY.iter().any(|(found, _)| found == defect), "{defect}");
    }
}
