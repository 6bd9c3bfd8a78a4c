//! The two programs, run as a user runs them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Output, Stdio},
};

struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-server"))
            .args(["--listen", "127.0.0.1:0"])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).trim().to_owned();
        Self { child, url }
    }

    fn client(&self, flags: &[&str], input: &str) -> Output {
        let mut child = Command::new(env!("CARGO_BIN_EXE_reference-client"))
            .arg(&self.url)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The client may have ended without reading it all.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Sends SIGTERM; gives the exit code and the log.
    #[cfg(unix)]
    fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[cfg(unix)]
#[test]
fn they_talk_and_the_server_stops_when_told() {
    let server = Program::start(&["--subprotocol", "echo"]);
    let output = server.client(
        &[
            "--subprotocol",
            "echo",
            "--send",
            "hello",
            "--binary",
            "00ff",
            "--ping=x",
            "--close-reason",
            "bye",
        ],
        "",
    );
    assert_eq!(Some(0), output.status.code(), "{}", text(&output.stderr));
    let expected = format!(
        "open {} subprotocol=echo permessage-deflate\ntext 5 \"hello\"\nbinary 2 00ff\npong 1 \"x\"\n\
         closed cleanly by us, the server said 1000 (normal closure)",
        server.url
    );
    assert!(text(&output.stdout).starts_with(&expected), "{}", text(&output.stdout));

    let (code, log) = server.stop();
    assert_eq!(Some(0), code, "{log}");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("closed by peer with 1000")).collect();
    assert_eq!(1, lines.len(), "{log}");
    assert!(lines[0].contains("in=2/") && lines[0].contains("out=2/"), "{log}");
}

#[cfg(unix)]
#[test]
fn an_echoing_client_hears_of_the_shutdown() {
    let server = Program::start(&[]);
    let mut client = Command::new(env!("CARGO_BIN_EXE_reference-client"))
        .args([&server.url, "--echo"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("open ws://"), "{line}");
    let (code, log) = server.stop();
    assert_eq!(Some(0), code, "{log}");
    assert!(log.contains(": closed with 1001: server is shutting down\n"), "{log}");
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    let expected =
        "closed cleanly by the server, the server said 1001 (going away) \"server is shutting down\"\n";
    assert_eq!(expected, rest);
    assert_eq!(Some(0), client.wait().unwrap().code());
}

#[test]
fn lines_of_standard_input_are_messages() {
    let server = Program::start(&[]);
    let output = server.client(&["--no-deflate"], "one\ntwo\n");
    assert_eq!(Some(0), output.status.code(), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    assert!(out.contains("\ntext 3 \"one\"\ntext 3 \"two\"\nclosed cleanly by us"), "{out}");
}

#[test]
fn what_goes_wrong_is_exit_code_1_and_a_sentence() {
    let server = Program::start(&["--origin", "https://example.org", "--max-message-size", "10"]);
    let refused = server.client(&["--origin", "https://evil.example"], "");
    assert_eq!(Some(1), refused.status.code());
    assert!(text(&refused.stderr).contains("status 403: "), "{}", text(&refused.stderr));

    let too_big = server.client(&["--send", "eleven bytes"], "");
    assert_eq!(Some(1), too_big.status.code());
    assert!(
        text(&too_big.stdout).contains("closed cleanly by the server, the server said 1009"),
        "{}",
        text(&too_big.stdout)
    );

    let unanswered = server.client(&["--send", "x", "--expect", "2", "--timeout", "10ms"], "");
    assert_eq!(Some(1), unanswered.status.code());
    assert!(text(&unanswered.stderr).contains("1 more were expected"), "{}", text(&unanswered.stderr));
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for (program, flags) in [
        (env!("CARGO_BIN_EXE_reference-server"), &["--listen", "nowhere"][..]),
        (env!("CARGO_BIN_EXE_reference-server"), &["--burst", "1"]),
        (env!("CARGO_BIN_EXE_reference-server"), &["--listen", "127.0.0.1:0", "--subprotocol", "a b"]),
        (env!("CARGO_BIN_EXE_reference-client"), &["http://localhost/"]),
        (env!("CARGO_BIN_EXE_reference-client"), &[]),
    ] {
        let output = Command::new(program).args(flags).output().unwrap();
        assert_eq!(Some(2), output.status.code(), "{flags:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn a_port_that_is_taken_is_exit_code_1() {
    let server = Program::start(&[]);
    let address = server.url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
    let output =
        Command::new(env!("CARGO_BIN_EXE_reference-server")).args(["--listen", &address]).output().unwrap();
    assert_eq!(Some(1), output.status.code());
    assert!(
        text(&output.stderr).contains(&format!("cannot listen on {address}")),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn help_fits_on_a_terminal_and_names_every_default() {
    for program in [env!("CARGO_BIN_EXE_reference-server"), env!("CARGO_BIN_EXE_reference-client")] {
        let output = Command::new(program).arg("--help").output().unwrap();
        assert_eq!(Some(0), output.status.code());
        let help = text(&output.stdout);
        assert!(help.contains("Exit codes"), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}

/// Without the feature the flags are there, and say how they are had.
#[cfg(not(feature = "defects"))]
#[test]
fn defects_are_a_feature() {
    let run =
        |flags: &[&str]| Command::new(env!("CARGO_BIN_EXE_reference-server")).args(flags).output().unwrap();
    let (list, one) = (run(&["--list-defects"]), run(&["--defect", "no-pong"]));
    assert_eq!((Some(2), Some(2)), (list.status.code(), one.status.code()));
    assert_eq!(list.stderr, one.stderr);
    insta::assert_snapshot!(text(&list.stderr), @"error: built without the feature `defects`: cargo run -p wsgrade-reference-server --features defects --bin reference-server -- --list-defects");
}

#[cfg(feature = "defects")]
#[test]
fn a_server_with_a_defect_has_this_one_and_no_other() {
    let ping = ["--ping=x", "--timeout", "500ms"];
    assert_eq!(Some(0), Program::start(&["--defect", "none"]).client(&ping, "").status.code());
    let deaf = Program::start(&["--defect", "no-pong"]);
    assert_eq!(Some(1), deaf.client(&ping, "").status.code());
    assert_eq!(Some(0), deaf.client(&["--send", "hello"], "").status.code());
}

#[cfg(feature = "defects")]
#[test]
fn defects_are_listed_and_known_by_their_names() {
    for (program, only) in [
        (env!("CARGO_BIN_EXE_reference-server"), "takes-any-method"),
        (env!("CARGO_BIN_EXE_reference-client"), "ignores-accept"),
    ] {
        let output = Command::new(program).arg("--list-defects").output().unwrap();
        assert_eq!(Some(0), output.status.code());
        assert!(text(&output.stdout).contains(only), "{}", text(&output.stdout));
    }
    let output = Command::new(env!("CARGO_BIN_EXE_reference-server"))
        .args(["--defect", "ignores-accept"])
        .output()
        .unwrap();
    assert_eq!(Some(2), output.status.code());
    insta::assert_snapshot!(text(&output.stderr), @"error: ignores-accept is a defect of a client, and this is a server");
}
