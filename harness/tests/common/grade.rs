//! Runs the real binary against a server or a client and reads what it wrote.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

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

/// Grades a client with `wsgrade listen`: `play` gets the URL and has to end with `/updateReports` and a shutdown.
pub(crate) fn grade_client(play: impl FnOnce(&str)) -> Verdicts {
    let out = tempfile::tempdir().expect("a temporary folder can be made");
    let mut listener = Listening(
        Command::new(env!("CARGO_BIN_EXE_wsgrade"))
            // Not only those that drivers written for Autobahn count on. How much a client takes of us, which group R asks, hangs
            // on what else the machine does.
            .args(["listen", "127.0.0.1:0", "-c", "*", "-x", "R.*", "--out"])
            .arg(out.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary can be started"),
    );
    let mut said = BufReader::new(listener.0.stdout.take().expect("its output is a pipe"));
    let mut line = String::new();
    said.read_line(&mut line).expect("it says where it listens");
    let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it says {line:?}"));
    let url = url.trim_end_matches('/').to_owned();
    // A pipe that nobody reads fills up, and then it waits for us while we wait for it.
    let rest = std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    play(&url);
    let status = listener.0.wait().expect("it is our child");
    rest.join().expect("reading does not panic").expect("its output can be read");
    assert!(matches!(status.code(), Some(0 | 1)), "wsgrade ended with {status}");
    let json = std::fs::read(out.path().join("run.json")).expect("it has written its record");
    read(&serde_json::from_slice(&json).expect("run.json is JSON"))
}

/// A child that ends with its test, whatever becomes of that.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        // It is mostly gone by then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
