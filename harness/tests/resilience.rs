//! Cases of resilience against servers that have one fault each, and against the same server without it.
//!
//! The server is `examples/naive.rs`, which `cargo test` builds with the rest.
#![cfg(target_os = "linux")]

use std::net::{IpAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

fn naive() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples").join("naive");
    assert!(path.is_file(), "cargo test --test resilience needs `cargo build --example naive` before");
    path
}

struct Graded {
    output: Output,
    record: Option<Value>,
}

impl Graded {
    fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    fn case(&self, id: &str) -> &Value {
        let record = self.record.as_ref().unwrap_or_else(|| panic!("no record: {}", self.stderr()));
        let cases = record["targets"][0]["cases"].as_array().unwrap();
        cases
            .iter()
            .find(|case| case["id"] == id)
            .unwrap_or_else(|| panic!("{id} was not played: {}", self.stderr()))
    }

    /// The verdict on a case, and everything that was said of it.
    fn verdict(&self, id: &str) -> (String, String) {
        let case = self.case(id);
        let findings = case["findings"].as_array().unwrap().iter();
        let observed =
            findings.map(|finding| finding["observed"].as_str().unwrap()).collect::<Vec<_>>().join("; ");
        (case["behavior"].as_str().unwrap().to_owned(), observed)
    }

    fn entry(&self, id: &str, what: &str) -> Option<&Value> {
        let entries = self.case(id)["transcript"]["entries"].as_array().unwrap();
        entries.iter().find(|entry| entry["what"] == what)
    }
}

fn wsgrade(args: &[&str]) -> Graded {
    let place = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_wsgrade"))
        .args(["test", "--out", "report", "--seed", "1"])
        .args(args)
        .current_dir(place.path())
        .env("NO_COLOR", "1")
        .output()
        .expect("the binary of this package starts");
    let record = std::fs::read_to_string(place.path().join("report/run.json")).ok();
    Graded { output, record: record.map(|text| serde_json::from_str(&text).unwrap()) }
}

/// Grades the server with this fault by these cases.
fn graded(fault: &str, timeout: &str, cases: &[&str]) -> Graded {
    let command = format!("exec '{}' --port {{port}} --fault {fault}", naive().display());
    let mut args = vec!["--spawn", &command, "--timeout", timeout];
    args.extend(cases.iter().flat_map(|case| ["-c", case]));
    wsgrade(&args)
}

/// A server that somebody else started.
struct Served {
    child: Child,
    port: u16,
}

impl Served {
    fn start(fault: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(naive())
            .args(["--port", &port.to_string(), "--fault", fault])
            .spawn()
            .expect("it starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "it does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Each fault, the cases that find it, and what they say.
const FAULTS: [(&str, &[&str], &str); 6] = [
    ("one-request-at-a-time", &["R.1.1", "R.1.2"], "a new connection was not served within 1s"),
    (
        "one-message-at-a-time",
        &["R.2.13", "R.3.5"],
        "a ping on another connection was not answered within 1s",
    ),
    ("allocates", &["R.2.1", "R.2.4"], "bytes more, for "),
    ("leaks", &["R.7.8"], "open before, and "),
    ("spins", &["R.7.21"], "it took "),
    ("quadratic", &["R.9.1"], " bytes in "),
];

#[test]
fn every_fault_is_found_by_cases_that_the_sound_server_passes() {
    let all: Vec<&str> = FAULTS.iter().flat_map(|(_, cases, _)| cases.iter().copied()).collect();
    let sound = graded("none", "2s", &all);
    for id in all {
        assert_eq!(sound.verdict(id), ("pass".to_owned(), String::new()), "{id}");
        assert!(sound.entry(id, "canary").is_some() && sound.entry(id, "resources").is_some(), "{id}");
    }
    for (fault, cases, observed) in FAULTS {
        let graded = graded(fault, "2s", cases);
        for id in cases {
            let (behavior, seen) = graded.verdict(id);
            assert_eq!(behavior, "fail", "{fault} {id}: {seen}");
            assert!(seen.contains(observed), "{fault} {id}: {seen}");
        }
        assert_eq!(graded.output.status.code(), Some(1), "{fault}");
    }
}

#[test]
fn a_case_that_kills_its_server_fails() {
    let graded = graded("dies", "2s", &["1.1.1", "R.2.4"]);
    let (behavior, seen) = graded.verdict("R.2.4");
    assert_eq!(behavior, "fail", "{seen}");
    assert!(seen.contains("the process died with signal 6"), "{seen}");
    assert_eq!(graded.verdict("1.1.1").0, "pass");
    assert_eq!(graded.output.status.code(), Some(1), "{}", graded.stderr());
}

#[test]
fn a_server_that_nobody_of_ours_started_is_watched_by_its_id() {
    let served = Served::start("allocates");
    let (url, pid) = (format!("ws://127.0.0.1:{}/", served.port), served.child.id().to_string());
    let graded = wsgrade(&[&url, "--pid", &pid, "-c", "R.2.1"]);
    assert_eq!(graded.verdict("R.2.1").0, "fail");
    assert!(graded.entry("R.2.1", "resources").is_some());
    // Without it nothing is known of the process, and it serves as it should.
    let graded = wsgrade(&[&url, "-c", "R.2.1"]);
    assert_eq!(graded.verdict("R.2.1"), ("pass".to_owned(), String::new()));
    assert!(graded.entry("R.2.1", "resources").is_none());
}

#[test]
fn an_id_that_is_no_servers_is_an_error() {
    let error = |args: &[&str]| {
        let graded = wsgrade(args);
        assert_eq!(graded.output.status.code(), Some(2), "{}", graded.stderr());
        graded.stderr()
    };
    let none = error(&["ws://127.0.0.1:9/", "--pid", "4194305"]);
    assert!(none.contains("--pid 4194305: there is no process with the id 4194305"), "{none}");
    let many = error(&["ws://127.0.0.1:9/", "ws://127.0.0.1:10/", "--pid", "1"]);
    assert!(many.contains("--pid is the process of one server"), "{many}");
    let both = error(&["--spawn", "true {port}", "--pid", "1"]);
    assert!(both.contains("cannot be used with"), "{both}");
}

/// An address of this machine that is not a loopback one, if it has one. Nothing is sent.
fn elsewhere() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn a_server_elsewhere_is_pressed_only_where_one_says_so() {
    let Some(address) = elsewhere() else { return };
    let served = Served::start("none");
    let url = format!("ws://{address}:{}/", served.port);
    let graded = wsgrade(&[&url, "-c", "R.1.2", "-c", "1.1.1"]);
    let (behavior, seen) = graded.verdict("R.1.2");
    assert_eq!(behavior, "unimplemented");
    assert_eq!(
        seen,
        "the target is not on this machine, and may be stressed only with --i-am-allowed-to-stress-this-target; the \
         case was not played"
    );
    assert_eq!(graded.verdict("1.1.1").0, "pass");
    assert_eq!(graded.output.status.code(), Some(0), "{}", graded.stderr());

    let allowed = ["--i-am-allowed-to-stress-this-target", "--max-connections", "4", "--rate", "100"];
    let graded = wsgrade(&[&[url.as_str(), "-c", "R.1.2", "-c", "R.7.21"], &allowed[..]].concat());
    assert_eq!(graded.verdict("R.1.2"), ("pass".to_owned(), String::new()));
    assert_eq!(graded.entry("R.7.21", "crowd").unwrap()["opened"], 8);
    let repeat = graded.case("R.1.2")["repeat"].as_str().unwrap();
    assert!(
        repeat.contains(" --i-am-allowed-to-stress-this-target --max-connections 4 --rate 100 "),
        "{repeat}"
    );
}
