//! The daily loop as a user meets it: what is explained and listed, and what of it is played again.
//!
//! The server with a defect is `examples/deviant.rs`, which `cargo test` builds with the rest.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A folder to run in, and the server with this defect.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
        command.args(args).current_dir(self.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        command.output().expect("the binary of this package starts")
    }

    /// Grades a server that answers no ping.
    fn test(&self, args: &[&str]) -> Output {
        let server = Path::new(env!("CARGO_BIN_EXE_wsgrade"));
        let server = server.with_file_name(format!("examples/deviant{}", std::env::consts::EXE_SUFFIX));
        assert!(server.is_file(), "`cargo build -p wsgrade --example deviant` makes it");
        let spawn = format!("{} --port {{port}} --defect no-pong", server.display());
        self.run(&[&["test", "--timeout", "500ms", "--spawn", &spawn], args].concat())
    }

    /// Grades a client that answers no ping.
    fn listen(&self, args: &[&str]) -> Output {
        let client = Path::new(env!("CARGO_BIN_EXE_wsgrade"));
        let client = client.with_file_name(format!("examples/deviant{}", std::env::consts::EXE_SUFFIX));
        let spawn = format!("{} --url {{url}} --agent {{agent}} --defect no-pong", client.display());
        self.run(&[&["listen", "127.0.0.1:0", "--timeout", "500ms", "--spawn", &spawn], args].concat())
    }

    fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.0.path().join("wsgrade-report/run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The cases of the last run.
    fn played(&self) -> Vec<String> {
        let record = self.record();
        let cases = record["targets"][0]["cases"].as_array().unwrap().iter();
        cases.map(|case| case["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_case_is_explained() {
    let place = Place::new();
    let output = place.run(&["cases", "show", "2.5", "2.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("2.1  Ping without payload\n") && text.contains("\n2.5  Ping of 126"), "{text}");
    insta::assert_snapshot!(text[..text.find("\n2.5  ").unwrap()], @r#"
    2.1  Ping without payload
    section 2, Pings and pongs

    Why
      Every ping has to be answered by a pong, the empty one too. Proxies and health checks rest on it:
      an unanswered ping is how a dead connection is told from a silent one.

    Rules
      rfc6455-5.5.2-pong-answers-ping: RFC 6455 section 5.5.2, MUST, binds both
        "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already
        received a Close frame."
      rfc6455-6.2-handle-control: RFC 6455 section 6.2, MUST, binds both
        "If a control frame (Section 5.5) is received, the frame MUST be handled as defined by Section
        5.5."
      rfc6455-5.5.2-ping-any-time: RFC 6455 section 5.5.2, MAY, binds both
        "An endpoint MAY send a Ping frame any time after the connection is established and before the
        connection is closed."

    Played
      against servers and clients

    Steps (── what we do, ┄┄ what the peer does in the first accepted outcome)
        us                           peer
        │◀─ the opening handshake ────▶│
        │── ping, empty, FIN ─────────▶│
        │◀┄ pong, empty ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
        │── close ────────────────────▶│
        │◀┄ close, code 1000 ┄┄┄┄┄┄┄┄┄┄│

    Accepted outcomes (the first that matches decides, and what matches none is a failure)
      1. pass: pong, empty

    End of the connection
      we close, and the peer answers with code 1000
    "#);

    let json = place.run(&["cases", "show", "2.5", "--format", "json"]);
    let cases: Vec<Value> = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!((cases.len(), &cases[0]["id"], &cases[0]["section"]), (1, &"2.5".into(), &"2".into()));
    assert_eq!(cases[0]["rules"][0], "rfc6455-5.5-control-length");
    assert_eq!(cases[0]["cites"][0]["level"], "MUST");
    assert!(cases[0]["cites"][0]["sentence"].as_str().unwrap().contains("125 bytes or less"));
    assert_eq!(cases[0]["steps"], serde_json::json!(["send ping, 126 bytes of fe, FIN"]));
    assert_eq!(cases[0]["accepts"], serde_json::json!(["pass: no answer"]));
    assert_eq!(cases[0]["ending"], "the peer closes with code 1002 or drops the connection");

    let toml = stdout(&place.run(&["cases", "show", "2.5", "--format", "toml"]));
    assert_eq!(toml, stdout(&place.run(&["cases", "-c", "2.5", "--format", "toml"])));
}

/// Whatever is wrong is exit code 2 and a sentence; nothing is played, and an old record stays.
#[test]
fn what_is_wrong_is_said() {
    let place = Place::new();
    let said = |args: &[&str]| {
        let output = place.run(args);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(2), ""), "{args:?}");
        let error = stderr(&output);
        let error = error.split("(os error").next().unwrap().replace('\\', "/");
        format!("$ wsgrade {}\n{}", args.join(" "), error.trim_end())
    };
    let mut all = vec![
        said(&["cases", "show", "6.4.99"]),
        said(&["cases", "show", "6.4"]),
        said(&["cases", "-c", "1.1.1", "show", "2.1"]),
        said(&["test", "--last-failed"]),
        said(&["test", "--repeat", "0"]),
    ];
    let output = place.run(&["test", "-c", "1.1.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    all.push(said(&["test", "--last-failed"]));
    assert_eq!(place.played(), ["1.1.1"]);
    std::fs::write(place.0.path().join("wsgrade-report/run.json"), "{}").unwrap();
    all.push(said(&["listen", "--last-failed"]));
    insta::assert_snapshot!(all.join("\n\n"), @"
    $ wsgrade cases show 6.4.99
    wsgrade: no case matches `6.4.99`; did you mean `6.14.9`?

    $ wsgrade cases show 6.4
    wsgrade: no case matches `6.4`; did you mean `6.4.*`?

    $ wsgrade cases -c 1.1.1 show 2.1
    error: the subcommand 'show' cannot be used with '--case <PATTERN>'

    Usage: wsgrade cases [OPTIONS]
           wsgrade cases <COMMAND>

    For more information, try '--help'.

    $ wsgrade test --last-failed
    wsgrade: there is no run before to take failures from: play without --last-failed first, with `json` among --format and the same --out: wsgrade-report/run.json: No such file or directory

    $ wsgrade test --repeat 0
    error: invalid value '0' for '--repeat <N>': 0 is not in 1..=10000

    For more information, try '--help'.

    $ wsgrade test --last-failed
    wsgrade: nothing failed in the run before, by wsgrade-report/run.json: --last-failed has nothing to play

    $ wsgrade listen --last-failed
    wsgrade: --last-failed needs the record of the run before: wsgrade-report/run.json: this is no run record of wsgrade: missing field `schema` at line 1 column 2
    ");
}

#[test]
fn what_would_be_played_is_listed() {
    let place = Place::new();
    // No server is asked: there is none.
    let output = place.run(&["test", "ws://127.0.0.1:1/", "--list", "-c", "6.4.*", "-x", "6.4.1"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    insta::assert_snapshot!(stdout(&output), @"
    6.4.2  Invalid at the first byte of a fragment
    6.4.3  Invalid bytes in the middle of a frame
    6.4.4  Invalid at one byte in the middle of a frame
    ");
    let clients = place.run(&["listen", "--list"]);
    assert_eq!(clients.status.code(), Some(0), "{}", stderr(&clients));
    assert!(stdout(&clients).starts_with("1.1.1") && stdout(&clients).lines().count() == 517);
    assert!(!place.0.path().join("wsgrade-report").exists());
}

#[test]
fn what_failed_is_played_again() {
    let place = Place::new();
    let first = place.test(&["-c", "1.1.*", "-c", "2.2", "-c", "2.3"]);
    assert_eq!(first.status.code(), Some(1), "{}{}", stdout(&first), stderr(&first));
    assert_eq!(place.played().len(), 10);

    let listed = place.test(&["--last-failed", "--list"]);
    assert_eq!(listed.status.code(), Some(0), "{}", stderr(&listed));
    let ids: Vec<_> = stdout(&listed).lines().map(|line| line[..3].to_owned()).collect();
    assert_eq!(ids, ["2.2", "2.3"]);
    assert_eq!(place.played().len(), 10, "a list leaves the record as it is");

    // Nothing failed of what clients did.
    let clients = place.run(&["listen", "--last-failed"]);
    assert_eq!(clients.status.code(), Some(2));
    assert!(stderr(&clients).starts_with("wsgrade: nothing failed in the run before, by "));

    let others = place.test(&["--last-failed", "-c", "1.1.*"]);
    assert_eq!(others.status.code(), Some(2), "{}", stdout(&others));
    assert!(stderr(&others).contains("2 cases failed in the run before, by "), "{}", stderr(&others));

    let one = place.test(&["--last-failed", "-x", "2.3"]);
    assert_eq!(one.status.code(), Some(1), "{}", stderr(&one));
    assert!(stderr(&one).contains("note: 2 cases failed in the run before, 1 of them not asked for\n"));
    assert_eq!(place.played(), ["2.2"]);
}

#[test]
fn the_first_failure_ends_the_run() {
    let place = Place::new();
    let output = place.test(&["--fail-fast", "-j", "1", "-c", "1.1.1", "-c", "2.*"]);
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert_eq!(place.played(), ["1.1.1", "2.1"]);
    let why =
        "ended at the first case that breaks a MUST, as --fail-fast asks: 2.1; 2 of 12 cases were played";
    assert_eq!(place.record()["targets"][0]["stopped"], why);
    assert!(stdout(&output).contains(why));
}

#[test]
fn what_was_on_the_wire_is_kept_for_wireshark() {
    let place = Place::new();
    let output = place.run(&["test", "-c", "1.1.2", "--pcap", "wire.pcap"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let file = std::fs::read(place.0.path().join("wire.pcap")).unwrap();
    assert!(file.starts_with(b"\xd4\xc3\xb2\xa1"));
    let holds = |bytes: &[u8]| file.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"GET / HTTP/1.1\r\n") && holds(b"\r\nSec-WebSocket-Accept: "));
    assert!(holds(&[&b"\x81\x7d"[..], &[b'*'; 125]].concat()), "the echo, as it came");
    let nowhere = place.run(&["test", "-c", "1.1.2", "--pcap", "not/there.pcap"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("wsgrade: cannot write the capture file not/there.pcap: "));
    assert!(place.0.path().join("wsgrade-report/run.json").is_file(), "what was played is not lost by it");
    let beside = place.run(&["test", "-c", "1.1.2", "-o", "new", "--pcap", "new/wire.pcap"]);
    assert_eq!(beside.status.code(), Some(0), "{}", stderr(&beside));
}

#[test]
fn frames_are_streamed() {
    let place = Place::new();
    let output = place.run(&["test", "-v", "-j", "1", "-c", "2.2"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stderr(&output);
    let frames: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("2.2 ")?.trim_start().split_once(' '))
        .map(|(_, rest)| rest)
        .filter(|rest| !rest.contains("HTTP"))
        .collect();
    insta::assert_snapshot!(frames.join("\n"), @"
      connected
      open
    ↑ Ping [FIN] [MASKED] 13 bytes 48656c6c6f2c20776f726c6421
    ↓ Pong [FIN] 13 bytes 48656c6c6f2c20776f726c6421
    ↑ Close [FIN] [MASKED] 2 bytes 03e8 code 1000
    ↓ Close [FIN] 2 bytes 03e8 code 1000
    ↓ the end of TCP
    ↑ the end of TCP
    ");
    let quiet = place.run(&["test", "-j", "1", "-c", "2.2"]);
    assert!(!stderr(&quiet).contains("Ping"), "{}", stderr(&quiet));
}

#[test]
fn a_case_is_played_so_many_times() {
    let place = Place::new();
    let output = place.test(&["--repeat", "3", "-c", "1.1.1", "-c", "2.2", "-j", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    let record = place.record();
    let repeats = |n: usize| record["targets"][0]["cases"][n]["repeats"].clone();
    let all = |behavior, close| {
        let verdict = serde_json::json!({ "behavior": behavior, "close": close, "times": 3 });
        serde_json::json!({ "times": 3, "verdicts": [verdict] })
    };
    assert_eq!(repeats(0), all("pass", "pass"));
    assert_eq!((&repeats(1)["times"], &repeats(1)["verdicts"][0]["times"]), (&3.into(), &3.into()));
    assert!(!stdout(&output).contains("flaky"));
}

#[test]
fn a_client_is_asked_so_many_times_or_until_it_fails_and_watched() {
    let place = Place::new();
    let output = place.listen(&["-c", "1.1.1", "-c", "2.2", "--repeat", "3", "-v"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(place.played(), ["1.1.1", "2.2"]);
    let cases = place.record()["targets"][0]["cases"].clone();
    let verdicts =
        |behavior: &str| serde_json::json!([{ "behavior": behavior, "close": "pass", "times": 3 }]);
    assert_eq!(
        (&cases[0]["repeats"]["times"], &cases[0]["repeats"]["verdicts"]),
        (&3.into(), &verdicts("pass"))
    );
    assert_eq!(
        (&cases[1]["repeats"]["times"], &cases[1]["repeats"]["verdicts"]),
        (&3.into(), &verdicts("fail"))
    );
    let frames = stderr(&output);
    let of_case = |id: &str| frames.lines().filter(|line| line.starts_with(id)).count();
    assert!(of_case("1.1.1") >= 9 && of_case("2.2") >= 6, "{frames}");

    let output = place.listen(&["-c", "1.*", "-c", "2.*", "--fail-fast"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let played = place.played();
    assert_eq!(played.last().map(String::as_str), Some("2.1"), "the first ping");
    let stopped = place.record()["targets"][0]["stopped"].as_str().unwrap().to_owned();
    let reason = "ended at the first case that breaks a MUST, as --fail-fast asks: 2.1; ";
    assert!(stopped.starts_with(reason), "{stopped}");
    assert!(!frames.is_empty() && stdout(&output).contains(reason));
}
