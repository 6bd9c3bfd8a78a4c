//! `wsgrade fuzz` and `wsgrade replay` as a user meets them: what is wrong is found, written down and shown again, and what
//! is right is let alone.
//!
//! Servers and clients are the examples, which `cargo test` builds with the rest.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use wsgrade_reference_server::deviant::{self, Defect};

/// A folder to run in, where the report goes to `wsgrade-report`.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.args(args).current_dir(self.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        command.env("BIN", examples());
        command
    }

    fn wsgrade(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary of this package starts")
    }

    /// A command as it is printed, in a shell that finds this binary first.
    fn shell(&self, line: &str) -> Output {
        let bin = Path::new(env!("CARGO_BIN_EXE_wsgrade")).parent().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.path()).env("PATH", path).env("BIN", examples());
        command.output().expect("there is a shell")
    }

    fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.path().join("wsgrade-report/run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The findings of the record.
    fn findings(&self) -> Vec<Value> {
        self.record()["fuzz"]["findings"].as_array().unwrap().clone()
    }
}

/// Commands find them as `$BIN`.
fn examples() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples");
    assert!(path.join("deviant").is_file(), "cargo test --test fuzz needs `cargo build --examples` before");
    path
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn both(output: &Output) -> String {
    format!("{}{}", stdout(output), String::from_utf8_lossy(&output.stderr))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A server with a defect, or without one; its port.
fn serve(runtime: &Runtime, defect: Option<Defect>) -> u16 {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(deviant::serve(listener, defect));
    port
}

/// Hands every connection on: each third to the second of these, the others to the first.
fn sometimes(runtime: &Runtime, mostly: u16, seldom: u16) -> u16 {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    runtime.spawn(async move {
        for number in 0_u64.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let to = if number % 3 == 2 { seldom } else { mostly };
            tokio::spawn(async move {
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    });
    port
}

fn defect(name: &str) -> Option<Defect> {
    Some(name.parse().unwrap())
}

/// What is found is written as a case, which shows it again on a fresh process by the printed command, and in `test`.
#[test]
fn a_defect_is_found_and_shown_again() {
    let place = Place::new();
    let command = r#"exec "$BIN/deviant" --port {port} --defect masks"#;
    let output = place.wsgrade(&["fuzz", "--spawn", command, "--runs", "300", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let text = stdout(&output);
    let findings = place.findings();
    assert!(!findings.is_empty() && text.contains("expected  ") && text.contains("300 scenarios"), "{text}");
    for finding in &findings {
        let (file, replay) = (finding["file"].as_str().unwrap(), finding["replay"].as_str().unwrap());
        assert_eq!(finding["replayed"], finding["tries"], "{finding}");
        assert!(finding["steps"].as_u64() <= finding["steps_found"].as_u64(), "{finding}");
        assert!(text.contains(replay), "{text}");
        let written = std::fs::read_to_string(place.path().join(file)).unwrap();
        assert!(written.contains(replay) && written.contains("# seed      1, scenario"), "{written}");
        let again = place.shell(replay);
        assert_eq!(again.status.code(), Some(1), "{}", both(&again));
        assert!(stdout(&again).contains("1 of 1 shows, every time"), "{}", both(&again));
        // And nothing is wrong with the same case where nothing is wrong.
        let right = place.wsgrade(&["replay", file]);
        assert_eq!(right.status.code(), Some(0), "{}", both(&right));
        assert!(stdout(&right).contains("3 of 3 times right"), "{}", both(&right));
    }
    let record = place.record();
    assert_eq!(record["targets"][0]["cases"].as_array().unwrap().len(), findings.len());
    assert_eq!(record["cases"][0]["section_title"], "Found by fuzzing");
    // The folder is a regression suite.
    let suite = ["--cases", "wsgrade-report/findings", "-c", "found.*", "-o", "suite"];
    let output = place.wsgrade(&[&["test"], &suite[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    let output = place.wsgrade(&[&["test", "--spawn", command], &suite[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    // The page can be made anew, and the exit code stays.
    assert_eq!(place.wsgrade(&["report"]).status.code(), Some(1));
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let place = Place::new();
    let output = place.wsgrade(&["fuzz", "--runs", "3000", "--corpus", "seen", "--seed", "5"]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    let text = stdout(&output);
    assert!(text.contains("nothing found"), "{text}");
    // One that had no connection, as happens on a machine that others use, is not counted.
    let played = place.record()["fuzz"]["scenarios"].as_u64().unwrap();
    assert!((2900..=3000).contains(&played) && text.contains(&format!("{played} scenarios in")), "{text}");
    let corpus = std::fs::read_dir(place.path().join("seen")).unwrap().count();
    assert!(corpus > 20, "{corpus}");
    // What is in the corpus is gone on from, and read without complaint.
    let output = place.wsgrade(&["fuzz", "--runs", "100", "--corpus", "seen", "--no-catalogue"]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert_eq!(place.wsgrade(&["report"]).status.code(), Some(0));
}

#[test]
fn a_client_is_met() {
    let place = Place::new();
    let with =
        |defect: &str| format!(r#"exec "$BIN/deviant" --url {{url}} --agent {{agent}} --defect {defect}"#);
    let run = |defect: &str| {
        let command = with(defect);
        place.wsgrade(&[
            "fuzz",
            "--listen",
            "127.0.0.1:0",
            "--spawn",
            &command,
            "--runs",
            "400",
            "--seed",
            "1",
        ])
    };
    let output = run("none");
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert_eq!(place.record()["targets"][0]["role"], "client");
    let output = run("sends-unmasked");
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let replay = place.findings()[0]["replay"].as_str().unwrap().to_owned();
    let again = place.shell(&replay);
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
    // The driver of Autobahn's kind, on the reference client.
    let command = r#"exec "$BIN/client" {url} me"#;
    let output = place.wsgrade(&["fuzz", "--listen", "127.0.0.1:0", "--spawn", command, "--runs", "200"]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
}

/// The client of our own, in a loop of Autobahn's kind; and clients that never play, one of which connects.
#[test]
fn a_client_plays_or_is_given_up() {
    let place = Place::new();
    let run = |command: &str| {
        let args = ["fuzz", "--listen", "127.0.0.1:0", "--spawn", command, "--runs", "200", "--seed", "1"];
        place.wsgrade(&args)
    };
    let testee =
        format!("exec '{}' autobahn -m testeeclient -w {{url}} -i {{agent}}", env!("CARGO_BIN_EXE_wsgrade"));
    let output = run(&testee);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(stdout(&output).contains("200 scenarios in"), "{}", both(&output));
    let connects =
        r#"bash -c 'to={url}; to=${to#ws://}; exec 3<>"/dev/tcp/${to%:*}/${to#*:}"; echo gone; exit 3'"#;
    for (command, why) in [("exit 3", ""), (connects, "gone")] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(3), "{command}: {}", both(&output));
        let reason = format!("the client ended with exit status 3 without having played anything: {why}");
        assert!(both(&output).contains(&reason), "{command}: {}", both(&output));
    }
}

/// A length that `naive --fault dies` dies of.
const DEADLY: &str = r#"
[[section]]
id = "my"
title = "Mine"

[[case]]
id = "my.1"
title = "Long"
why = "x"
rules = ["rfc6455-5.2-payload-length"]
steps = [{ send = "text", declared = 1099511627776 }]
accept = [{ verdict = "pass", saw = "anything" }]
ending = { by = "either" }
"#;

/// What `leaks-socket` never forgets.
const RESETS: &str = r#"
[[section]]
id = "my"
title = "Mine"

[[case]]
id = "my.1"
title = "A reset"
why = "x"
rules = ["rfc6455-5.6-text"]
steps = [{ send = "ping" }, { await = "any" }, { end = "abort" }]
accept = [{ verdict = "pass", saw = "anything" }]
ending = { by = "either" }
"#;

/// A server that dies is started again, and which scenario it died of is the finding.
#[test]
fn a_process_that_dies() {
    let place = Place::new();
    let command = r#"exec "$BIN/naive" --port {port} --fault dies"#;
    std::fs::create_dir(place.path().join("seen")).unwrap();
    std::fs::write(place.path().join("seen/long.toml"), DEADLY).unwrap();
    let args =
        ["fuzz", "--spawn", command, "--time", "8s", "--seed", "1", "--corpus", "seen", "--no-catalogue"];
    let output = place.wsgrade(&args);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let findings = place.findings();
    let death =
        findings.iter().find(|finding| finding["signature"].as_str().unwrap().contains("the process died"));
    let death = death.unwrap_or_else(|| panic!("{}", both(&output)));
    assert_eq!(death["replayed"], 3, "{death}");
    let again = place.shell(death["replay"].as_str().unwrap());
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
    assert!(stdout(&again).contains("3 of 3 times wrong: the process died with"), "{}", both(&again));
}

/// A server that was started again ends with us as well, and so does a client.
#[test]
fn what_is_started_ends_with_us() {
    let server = r#"echo $$ >> pids; exec "$BIN/naive" --port {port} --fault dies"#;
    let client = "echo $$ >> pids; exec sleep 300";
    let runs: [(&[&str], usize); 3] = [
        (&["fuzz", "--corpus", "seen", "--no-catalogue", "--time", "10m", "--spawn", server], 3),
        (&["fuzz", "--listen", "127.0.0.1:0", "--time", "10m", "--spawn", client], 1),
        (&["listen", "127.0.0.1:0", "--spawn", client], 1),
    ];
    for (args, least) in runs {
        let place = Place::new();
        std::fs::create_dir(place.path().join("seen")).unwrap();
        std::fs::write(place.path().join("seen/long.toml"), DEADLY).unwrap();
        let mut us = place.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let pids = || std::fs::read_to_string(place.path().join("pids")).unwrap_or_default();
        let deadline = Instant::now() + Duration::from_secs(60);
        while pids().lines().count() < least && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(pids().lines().count() >= least, "{args:?}: {}", pids());
        let kill = |args: &[&str]| Command::new("kill").args(args).stderr(Stdio::null()).status().unwrap();
        assert!(kill(&["-TERM", &us.id().to_string()]).success());
        assert_eq!(us.wait().unwrap().code(), Some(3), "{args:?}");
        for pid in pids().lines() {
            assert!(!kill(&["-0", pid]).success(), "{args:?}: {pid} runs still");
        }
    }
}

/// A server that leaves something behind: which scenario it is, and how much, shows on fresh processes and on no other server.
#[test]
#[cfg(target_os = "linux")]
fn a_process_that_takes_more_and_more() {
    let place = Place::new();
    let with = |defect: &str| format!(r#"exec "$BIN/deviant" --port {{port}} --defect {defect}"#);
    let leaks = with("leaks-socket");
    std::fs::create_dir(place.path().join("seen")).unwrap();
    std::fs::write(place.path().join("seen/reset.toml"), RESETS).unwrap();
    let args =
        ["--time", "6s", "--seed", "1", "--no-catalogue", "--fail-on", "non-strict", "--corpus", "seen"];
    let output = place.wsgrade(&[&["fuzz", "--spawn", &leaks], &args[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let findings = place.findings();
    let [finding] = &findings[..] else { panic!("{}", both(&output)) };
    assert_eq!(finding["signature"], "the process leaves files open when connections are over");
    assert_eq!((&finding["level"], &finding["replayed"]), (&"non-strict".into(), &3.into()));
    let again = place.shell(&format!("{} --repeat 1", finding["replay"].as_str().unwrap()));
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
    assert!(stdout(&again).contains("1 of 1 times wrong: non-strict"), "{}", both(&again));
    let file = finding["file"].as_str().unwrap();
    let right = place.wsgrade(&["replay", file, "--spawn", &with("none"), "--repeat", "1"]);
    assert_eq!(right.status.code(), Some(0), "{}", both(&right));
    // Nobody can tell of a process that is not ours.
    let unknown = place.wsgrade(&["replay", file]);
    assert_eq!(unknown.status.code(), Some(3), "{}", both(&unknown));
    assert!(
        stdout(&unknown).contains("not played: it is about what the process takes"),
        "{}",
        both(&unknown)
    );
}

/// A server that nobody can start again: what was under way is written down, and says later which one it was.
#[test]
fn a_server_that_is_lost() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("seen")).unwrap();
    std::fs::write(place.path().join("seen/long.toml"), DEADLY).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut server = Command::new(examples().join("naive"))
        .args(["--port", &port, "--fault", "dies"])
        .spawn()
        .expect("the example starts");
    let url = format!("ws://127.0.0.1:{port}/");
    let runtime = runtime();
    runtime.block_on(async {
        while TcpStream::connect(format!("127.0.0.1:{port}")).await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    let output =
        place.wsgrade(&["fuzz", &url, "--time", "30s", "--corpus", "seen", "--no-catalogue", "--seed", "1"]);
    // It is lost, or what else is wrong with it was found before.
    assert!(matches!(output.status.code(), Some(1 | 3)), "{}", both(&output));
    assert!(both(&output).contains("start it again, and `wsgrade replay"), "{}", both(&output));
    assert!(!server.wait().unwrap().success());
    let lost = "wsgrade-report/findings/lost.toml";
    let replay = format!(
        r#"wsgrade replay {lost} --repeat 1 --spawn 'exec "$BIN/naive" --port {{port}} --fault dies'"#
    );
    let again = place.shell(&replay);
    assert!(stdout(&again).contains("wrong: the process died with"), "{}", both(&again));
}

/// Two servers of which one is wrong, and two that are alike.
#[test]
fn servers_are_compared() {
    let runtime = runtime();
    let url = |defect| format!("ws://127.0.0.1:{}/", serve(&runtime, defect));
    let (right, wrong, alike) = (url(None), url(defect("takes-opcode-3")), url(None));
    let place = Place::new();
    let compare = |a: &str, b: &str, more: &[&str]| {
        place.wsgrade(&[&["fuzz", a, b, "--runs", "900", "--seed", "1"], more].concat())
    };
    let output = compare(&right, &alike, &["--fail-on", "non-strict"]);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    let output = compare(&right, &wrong, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let record = place.record();
    let differences = record["fuzz"]["differences"].as_array().unwrap();
    let first = differences.first().unwrap_or_else(|| panic!("{}", both(&output)));
    assert_eq!((&first["lawful"], &first["replayed"]), (&false.into(), &3.into()));
    let verdict = first["verdict"].as_str().unwrap();
    assert!(verdict.starts_with(&format!("Right: {right}. {wrong} breaks a rule")), "{verdict}");
    // Its case shows it where something is wrong, and only there.
    let again = place.shell(first["replay"].as_str().unwrap());
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
    let file = first["file"].as_str().unwrap();
    assert_eq!(place.wsgrade(&["replay", file, &right]).status.code(), Some(0));
    // What is wrong is a finding of the one that is wrong.
    let findings = place.findings();
    assert!(!findings.is_empty() && findings.iter().all(|finding| finding["target"] == 1), "{findings:?}");
    // The servers of a file are compared by their names.
    let target = |name: &str, url: &str| format!("[[target]]\nname = \"{name}\"\nurl = \"{url}\"\n");
    let file = target("old", &right) + &target("new", &wrong);
    std::fs::write(place.path().join("wsgrade.toml"), file).unwrap();
    let output = place.wsgrade(&["fuzz", "--runs", "900", "--seed", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let record = place.record();
    let targets = record["targets"].as_array().unwrap().iter();
    let named: Vec<_> = targets.map(|target| (&target["name"], &target["url"])).collect();
    assert_eq!(named, [(&"old".into(), &right.into()), (&"new".into(), &wrong.into())]);
    let first = &record["fuzz"]["differences"][0];
    assert!(first["verdict"].as_str().unwrap().starts_with("Right: old. new breaks a rule"), "{first}");
    let replay = first["replay"].as_str().unwrap();
    assert!(replay.ends_with(".toml --target new --seed 1"), "{replay}");
    assert_eq!(place.shell(replay).status.code(), Some(1));
}

/// A defect that shows now and then is found, and said to be flaky.
#[test]
fn what_shows_now_and_then_is_flaky() {
    let runtime = runtime();
    let port = sometimes(&runtime, serve(&runtime, None), serve(&runtime, defect("masks")));
    let place = Place::new();
    let url = format!("ws://127.0.0.1:{port}/");
    let output = place.wsgrade(&["fuzz", &url, "--runs", "300", "--seed", "1", "-j", "1"]);
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let findings = place.findings();
    let flaky = findings.iter().find(|finding| finding["replayed"].as_u64() < finding["tries"].as_u64());
    let flaky = flaky.unwrap_or_else(|| panic!("{}", both(&output)));
    assert!(stdout(&output).contains("(flaky)"), "{}", stdout(&output));
    let again = place.shell(&format!("{} --repeat 6", flaky["replay"].as_str().unwrap()));
    assert_eq!(again.status.code(), Some(1), "{}", both(&again));
    assert!(stdout(&again).contains("not every time (flaky)"), "{}", both(&again));
}

/// What is only a SHOULD does not fail a gate unless asked.
#[test]
fn exit_codes() {
    let runtime = runtime();
    let port = serve(&runtime, defect("drops-on-violation"));
    let place = Place::new();
    let url = format!("ws://127.0.0.1:{port}/");
    let args = ["fuzz", url.as_str(), "--runs", "300", "--seed", "1"];
    let output = place.wsgrade(&args);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
    assert!(
        !place.findings().is_empty() && place.findings().iter().all(|found| found["level"] == "non-strict")
    );
    let output = place.wsgrade(&[&args[..], &["--fail-on", "non-strict"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", both(&output));
    let output = place.wsgrade(&["fuzz", "ws://127.0.0.1:1/", "--runs", "1"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    for wrong in
        [&["fuzz", "--runs", "0"][..], &["fuzz", "--time", "0s"], &["replay", "nowhere.toml"], &["replay"]]
    {
        assert_eq!(place.wsgrade(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
