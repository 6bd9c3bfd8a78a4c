//! Runs the real binary against a URL and reads what it wrote.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use serde_json::Value;

/// What the record says of one case, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) behavior: String,
    pub(crate) close: String,
    /// What was observed, for a person who reads a failed test.
    pub(crate) observed: Vec<String>,
}

/// Verdicts by case id.
pub(crate) type Verdicts = BTreeMap<String, Verdict>;

/// Grades a server with `wsgrade test URL ARGS…`.
pub(crate) fn grade(url: &str, args: &[&str]) -> Verdicts {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let run = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
        .args(["test", url, "--out"])
        .arg(out.path())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("the binary can be started");
    // 0 and 1 are grades; 2 and 3 say that it could not be graded.
    let said = || format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(matches!(run.status.code(), Some(0 | 1)), "wsgrade ended with {}:\n{}", run.status, said());
    let json = std::fs::read(out.path().join("run.json"))
        .unwrap_or_else(|error| panic!("run.json cannot be read: {error}\n{}", said()));
    read(&serde_json::from_slice(&json).expect("run.json is JSON"))
}

/// The verdicts of a record's first target.
fn read(run: &Value) -> Verdicts {
    let word = |value: &Value| value.as_str().expect("the record says it in a word").to_owned();
    let cases = run["targets"][0]["cases"].as_array().expect("the record has a target with cases");
    cases
        .iter()
        .map(|case| {
            let findings = case["findings"].as_array().expect("every case has a list of findings");
            let verdict = Verdict {
                behavior: word(&case["behavior"]),
                close: word(&case["close"]),
                observed: findings.iter().map(|finding| word(&finding["observed"])).collect(),
            };
            (word(&case["id"]), verdict)
        })
        .collect()
}
