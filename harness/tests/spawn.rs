//! `wsgrade test --spawn`: a server by its command is started, graded and ended, and its own failures are told apart.
//!
//! The server is `examples/echo.rs`, which `cargo test` builds with the rest.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What is played where any cases do.
const SOME: [&str; 6] = ["-c", "1.1.*", "-c", "1.2.*", "-c", "2.*"];

/// A folder to run in: the report goes to `report`, and a command may write down process ids in `pid`.
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
        command.args(["test", "--out", "report"]).args(args).current_dir(self.path());
        command.env("NO_COLOR", "1").env("COLUMNS", "100").env("ECHO", echo());
        command
    }

    fn wsgrade(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the binary of this package starts")
    }

    fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.path().join("report/run.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The process whose id the command wrote down.
    fn pid(&self) -> String {
        let text = std::fs::read_to_string(self.path().join("pid")).unwrap_or_default();
        text.trim().to_owned()
    }

    /// Whether that process runs no more. A zombie that nobody waits for is as good as gone.
    fn is_gone(&self) -> bool {
        let pid = self.pid();
        assert!(!pid.is_empty(), "the command did not write down a process id");
        let ps = Command::new("ps").args(["-o", "stat=", "-p", &pid]).output().expect("there is `ps`");
        let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
        state.is_empty() || state.starts_with('Z')
    }
}

/// Commands find it as `$ECHO`.
fn echo() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples").join("echo");
    assert!(path.is_file(), "cargo test --test spawn needs `cargo build --example echo` before");
    path
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// The text with ports as `PORT`, which differ from run to run.
fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out += if rest.len() < part.len() { "127.0.0.1:PORT" } else { "127.0.0.1:" };
        out += rest;
    }
    out
}

#[test]
fn a_server_is_started_graded_and_ended() {
    let place = Place::new();
    let command = "echo $$ > pid; exec \"$ECHO\" --port {port}";
    let output = place
        .wsgrade(&[&["--spawn", command, "ws://127.0.0.1:{port}/chat", "--seed", "1"], &SOME[..]].concat());
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("  Started by: echo $$ > pid; exec \"$ECHO\" --port {port}"), "{text}");
    assert!(place.is_gone());
    let run = place.record();
    let target = &run["targets"][0];
    assert_eq!(without_ports(target["url"].as_str().unwrap()), "ws://127.0.0.1:PORT/chat");
    let process = &target["process"];
    assert_eq!(process["command"], command);
    assert_eq!(process["exit"], Value::Null, "it ended because we ended it");
    assert_eq!(without_ports(process["output_tail"].as_str().unwrap()), "listening on 127.0.0.1:PORT\n");
    if cfg!(target_os = "linux") {
        assert!(process["peak_rss_bytes"].as_u64().unwrap() > 1 << 20, "{process}");
        assert!(process["cpu_ms"].as_f64().is_some(), "{process}");
    }
    let repeat = target["cases"][0]["repeat"].as_str().unwrap();
    insta::assert_snapshot!(repeat, @r##"wsgrade test --spawn 'echo $$ > pid; exec "$ECHO" --port {port}' 'ws://127.0.0.1:{port}/chat' --seed 1 -c 1.1.1"##);
}

/// The URL is put into the command as well.
#[test]
fn a_command_that_takes_the_url() {
    let place = Place::new();
    let command = "url={url}; port=${url##*:}; exec \"$ECHO\" --port \"${port%/}\"";
    let output = place.wsgrade(&["--spawn", command, "-c", "1.1.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_command_that_exits_at_once() {
    let place = Place::new();
    let output = place.wsgrade(&["--spawn", "echo one; printf 'two \\033[2J\\n' >&2; exit 4 # {port}"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(!place.path().join("report").exists());
    insta::assert_snapshot!(without_ports(&stderr(&output)), @r"
    wsgrade: `echo one; printf 'two \033[2J\n' >&2; exit 4 # {port}` ended with exit status 4 before it listened on 127.0.0.1:PORT; its last output:
      one
      two �[2J
    ");
}

#[test]
fn a_command_that_is_killed_at_once() {
    let output = Place::new().wsgrade(&["--spawn", "kill -SEGV $$; sleep 60 # {port}"]);
    assert_eq!(output.status.code(), Some(3));
    insta::assert_snapshot!(without_ports(&stderr(&output)), @"wsgrade: `kill -SEGV $$; sleep 60 # {port}` ended with signal 11 (SIGSEGV) before it listened on 127.0.0.1:PORT; it wrote nothing");
}

#[test]
fn a_command_that_never_listens() {
    let place = Place::new();
    let began = Instant::now();
    let command = "echo $$ > pid; echo starting; exec sleep 300 # {port}";
    let output = place.wsgrade(&["--spawn", command, "--spawn-timeout", "700ms"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    assert!(place.is_gone());
    insta::assert_snapshot!(without_ports(&stderr(&output)), @r"
    wsgrade: `echo $$ > pid; echo starting; exec sleep 300 # {port}` did not listen on 127.0.0.1:PORT within 700ms; its last output:
      starting
    ");
}

/// One sentence, no failures, and no waiting for each of the rest.
#[test]
fn a_server_that_dies_halfway_is_not_blamed() {
    for jobs in ["1", "4"] {
        let place = Place::new();
        let command = "exec \"$ECHO\" --port {port} --exit-after 20";
        let output = place.wsgrade(&["--spawn", command, "--jobs", jobs]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let run = place.record();
        let target = &run["targets"][0];
        let stopped = without_ports(target["stopped"].as_str().unwrap());
        assert!(stopped.starts_with("the process died with exit status 7 after "), "{stopped}");
        let end = "; its last output: listening on 127.0.0.1:PORT | fatal: out of everything";
        assert!(stopped.ends_with(end), "{stopped}");
        assert_eq!(target["process"]["exit"], "exit status 7");
        let cases = target["cases"].as_array().unwrap();
        // 20 connections, some of them for the first look, and what was under way or about to begin when it died.
        assert!((6..=24).contains(&cases.len()), "{} cases", cases.len());
        for case in cases {
            let behavior = case["behavior"].as_str().unwrap();
            assert!(["pass", "inconclusive"].contains(&behavior), "{case}");
        }
    }
}

/// They ignore the request to end, and are ended all the same.
#[test]
fn what_the_shell_started_is_ended_as_well() {
    let place = Place::new();
    let command = "trap '' TERM; sleep 300 & echo $! > pid; exec \"$ECHO\" --port {port}";
    let output = place.wsgrade(&["--spawn", command, "-c", "1.1.1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(place.is_gone());
}

/// Whoever ends us ends the server.
#[test]
fn a_signal_to_us_ends_the_server() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let place = Place::new();
        let command = "echo $$ > pid; exec sleep 300 # {port}";
        let mut child = place
            .command(&["--spawn", command, "--spawn-timeout", "100s"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while place.pid().is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        // It listens for signals as soon as the command is started; a moment for the time between.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!place.is_gone());
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(3), "{signal}");
        assert!(place.is_gone(), "{signal}");
    }
}

/// A server with a port of its own is reached at its URL; who is there already is not mistaken for it.
#[test]
fn a_port_of_its_own() {
    let place = Place::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (command, url) = (format!("exec \"$ECHO\" --port {port}"), format!("ws://127.0.0.1:{port}/"));
    let args = ["--spawn", &command, &url, "-c", "1.1.1"];
    let taken = place.wsgrade(&args);
    assert_eq!(taken.status.code(), Some(3));
    insta::assert_snapshot!(without_ports(&stderr(&taken)), @"wsgrade: something listens on 127.0.0.1:PORT already: end it, or write {port} in the command and in the URL");
    drop(listener);
    let output = place.wsgrade(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn what_is_wrong_with_the_command_is_said() {
    let place = Place::new();
    let said = [
        vec!["--spawn", "./server --port 9001"],
        vec!["--spawn", "./server {port}", "ws://127.0.0.1:{port}/a", "ws://127.0.0.1:{port}/b"],
        vec!["--spawn", "./server {port}", "http://127.0.0.1:{port}/"],
        vec!["ws://127.0.0.1:{port}/"],
        vec!["--spawn-timeout", "1s"],
    ]
    .map(|args| {
        let output = place.wsgrade(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        format!("$ wsgrade test {}\n{}", args.join(" "), stderr(&output))
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    $ wsgrade test --spawn ./server --port 9001
    wsgrade: --spawn './server --port 9001': write {port} or {url} where the command takes the port to listen on, or give the URL of the port that it always has

    $ wsgrade test --spawn ./server {port} ws://127.0.0.1:{port}/a ws://127.0.0.1:{port}/b
    wsgrade: --spawn starts one server: give one URL at most beside it

    $ wsgrade test --spawn ./server {port} http://127.0.0.1:{port}/
    error: invalid value 'http://127.0.0.1:{port}/' for '[URL]...': the address must begin with ws:// or wss://

    For more information, try '--help'.

    $ wsgrade test ws://127.0.0.1:{port}/
    wsgrade: ws://127.0.0.1:{port}/: {port} is only known with --spawn

    $ wsgrade test --spawn-timeout 1s
    wsgrade: --spawn-timeout is how long to wait for the server of --spawn: give that as well
    ");
}
