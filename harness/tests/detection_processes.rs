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

/// The behaviour of a server in each of these cases, and why.
fn graded(defect: &str, cases: &[&str]) -> BTreeMap<String, (String, String)> {
    played(&["test", "--timeout", "2s"], "--port {port}", defect, cases)
}

/// That of whoever is started.
fn played(mode: &[&str], as_what: &str, defect: &str, cases: &[&str]) -> BTreeMap<String, (String, String)> {
    let server = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples").join("deviant");
    assert!(server.is_file(), "this test alone needs `cargo build -p wsgrade --example deviant` before");
    let place = tempfile::tempdir().unwrap();
    let spawn = format!("exec '{}' {as_what} --defect {defect}", server.display());
    let output = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
        .args(mode)
        .args(["--out", "report", "--seed", "1", "--spawn", &spawn])
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
fn every_defect_of_a_process_is_caught_by_cases_that_it_passes_without() {
    let all: Vec<&str> = FOUND_BY.iter().flat_map(|(_, cases)| cases.iter().copied()).collect();
    let sound = graded("none", &all);
    for case in all {
        assert_eq!(sound.get(case), Some(&("pass".to_owned(), String::new())), "{case}");
    }
    for (defect, cases) in FOUND_BY {
        let graded = graded(defect.name(), cases);
        assert!(graded.values().any(|(behavior, _)| behavior == "fail"), "{defect}: {graded:?}");
    }
}

#[test]
fn none_is_left_out() {
    for defect in Defect::ALL.iter().filter(|defect| defect.needs_process()) {
        assert!(FOUND_BY.iter().any(|(found, _)| found == defect), "{defect}");
    }
}

/// The same endpoint on sockets as in memory, in the other role.
#[test]
fn a_client_with_a_defect_plays_the_cases() {
    let client = |defect| {
        let listen = ["listen", "127.0.0.1:0", "--agent", "deviant"];
        played(&listen, "--url {url} --agent {agent}", defect, &["1.1.1", "2.2", "H.7.*"])
    };
    let sound = client("none");
    assert!(sound.len() > 3 && sound.values().all(|(behavior, _)| behavior == "pass"), "{sound:?}");
    for (defect, case) in [("no-pong", "2.2"), ("sends-fixed-key", "H.7.2")] {
        let graded = client(defect);
        assert_eq!(graded[case].0, "fail", "{defect} in {case}");
        assert_eq!(graded["1.1.1"].0, "pass", "{defect}");
    }
}
