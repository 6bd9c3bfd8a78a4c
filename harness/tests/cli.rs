//! The binary as a user and a CI gate meet it: what it prints, what it writes, how it exits.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use wsgrade_cases::Register;

fn wsgrade(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command.env_remove("GITHUB_ACTIONS").env_remove("GITHUB_STEP_SUMMARY");
    command.args(args).env("NO_COLOR", "1").env("COLUMNS", "100");
    command.output().expect("the binary of this package starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn record(dir: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(dir.join("run.json")).unwrap()).unwrap()
}

#[test]
fn without_a_url_the_reference_server_is_graded_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let output = wsgrade(&["test", "--out", dir.path().to_str().unwrap()]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.contains("Grade A+"), "{text}");
    assert!(text.contains(&format!("Report: {}", dir.path().join("index.html").display())), "{text}");
    for file in ["index.html", "junit.xml", "run.json"] {
        assert!(dir.path().join(file).is_file(), "{file}");
    }
    let run = record(dir.path());
    let cases = run["targets"][0]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), run["catalogue"]["selected"].as_u64().unwrap() as usize);
    let numbered = |case: &&Value| case["id"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit());
    assert_eq!(cases.iter().filter(numbered).count(), 517);
    // The record holds every rule, so that what is said of them is complete.
    let ids: Vec<_> = run["rules"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(ids.len(), Register::embedded().iter().count());
    assert!(run["rules"]["rfc6455-10.6-support-tls"]["unobservable"]["server"].is_string());
    assert!(text.contains("\n  rules: ") && !text.contains("MUST broken"), "{text}");
    let of_tls = |case: &&Value| case["id"].as_str().unwrap().starts_with("S.4.");
    for case in cases.iter().filter(of_tls) {
        assert_eq!(case["behavior"], "unimplemented", "{case}");
    }
    for case in cases.iter().filter(|case| !of_tls(case)) {
        let behavior = case["behavior"].as_str().unwrap();
        assert!(["pass", "informational"].contains(&behavior), "{case}");
        assert!(["pass", "informational"].contains(&case["close"].as_str().unwrap()), "{case}");
        assert!(case["duration_ms"].as_f64().unwrap() > 0.0, "{case}");
        assert_eq!((&case["role"], &case["carrier"]), (&Value::from("server"), &Value::from("tcp")));
    }
}

#[test]
fn the_list_of_cases() {
    let output = wsgrade(&["cases", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let cases: Vec<Value> = serde_json::from_str(&stdout(&output)).unwrap();
    let numbered =
        cases.iter().filter(|c| c["id"].as_str().unwrap().starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(numbered.count(), 517);
    for case in &cases {
        assert!(!case["title"].as_str().unwrap().is_empty(), "{case}");
        assert!(!case["section"].as_str().unwrap().is_empty(), "{case}");
        assert!(!case["rules"].as_array().unwrap().is_empty(), "{case}");
        assert!(!case["roles"].as_array().unwrap().is_empty(), "{case}");
        assert!(case["needs"].is_array(), "{case}");
    }
    let one = wsgrade(&["cases", "-c", "6.4.1"]);
    insta::assert_snapshot!(stdout(&one), @"6.4.1  Invalid fragment between two valid ones");
}

/// The matrix of rules, of a few cases that no later case can change.
#[test]
fn the_matrix_of_rules() {
    let few = ["cases", "--rules", "-c", "1.1.1", "-c", "7.1.5"];
    let output = wsgrade(&few);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let section = |id: &str| {
        let heading = format!("{id}\n\n");
        let rest = &text[text.find(&heading).expect("a section")..];
        rest[..rest[1..].find("RFC ").map_or(rest.len(), |end| end + 1)].to_owned()
    };
    insta::assert_snapshot!(section("RFC 6455 section 5.1"), @"
    RFC 6455 section 5.1

      rfc6455-5.1-client-masks: MUST, binds client, watched in every case
        To avoid confusing network intermediaries (such as intercepting proxies) and for security reaso…
        client: 1.1.1

      rfc6455-5.1-masked-over-tls: MUST, binds client
        (Note that masking is done whether or not the WebSocket Protocol is running over TLS.)
        client: no case

      rfc6455-5.1-server-fails-unmasked: MUST, binds server
        The server MUST close the connection upon receiving a frame that is not masked.
        server: no case

      rfc6455-5.1-fail-code: MAY, binds server
        In this case, a server MAY send a Close frame with a status code of 1002 (protocol error) as de…
        server: no case

      rfc6455-5.1-server-does-not-mask: MUST NOT, binds server, watched in every case
        A server MUST NOT mask any frames that it sends to the client.
        server: 1.1.1

      rfc6455-5.1-client-fails-masked: MUST, binds client
        A client MUST close a connection if it detects a masked frame.
        client: no case

      rfc6455-5.1-client-fail-code: MAY, binds client
        In this case, it MAY use the status code 1002 (protocol error) as defined in Section 7.4.1.
        client: no case

      rfc6455-5.1-data-any-time: MAY, binds both
        A data frame MAY be transmitted by either the client or the server at any time after opening ha…
        server and client: no case
    ");
    insta::assert_snapshot!(section("RFC 6455 section 10.6"), @"
    RFC 6455 section 10.6

      rfc6455-10.6-support-tls: MUST, binds both
        WebSocket implementations MUST support TLS and SHOULD employ it when communicating with their p…
        server and client: cannot be observed: an endpoint shows what it was set up to do, not what it could

      rfc6455-10.6-employ-tls: SHOULD, binds both
        WebSocket implementations MUST support TLS and SHOULD employ it when communicating with their p…
        server and client: cannot be observed: an endpoint shows what it was set up to do, not what it could

      rfc6455-10.6-strong-tls: SHOULD, binds client
        To achieve reasonable levels of protection, clients should use only Strong TLS algorithms.
        client: no case
    ");
    assert!(section("RFC 6455 section 5.4").contains("\n    cannot be observed: an intermediary is never"));
    let last = text.lines().last().expect("the sums");
    assert!(last.contains(" rules: ") && last.ends_with(" lack a case"), "{last}");

    // Of one role only what binds it.
    let of_clients = stdout(&wsgrade(&[&few[..], &["--role", "client"]].concat()));
    assert!(
        of_clients.contains("rfc6455-5.1-client-masks: ") && !of_clients.contains("server-does-not-mask: ")
    );
    assert!(!of_clients.contains("server and client: "));

    let json = stdout(&wsgrade(&[&few[..], &["--format", "json"]].concat()));
    let rules: Vec<Value> = serde_json::from_str(&json).unwrap();
    let rule = |id: &str| rules.iter().find(|rule| rule["id"] == id).expect("every rule is there");
    let masks = rule("rfc6455-5.1-client-masks");
    assert_eq!(masks["cases"], serde_json::json!({ "client": ["1.1.1"] }));
    assert_eq!((&masks["watched"], &masks["unobservable"]), (&true.into(), &serde_json::json!({})));
    assert!(masks["sentence"].as_str().unwrap().ends_with("(see Section 5.3 for further details)."));
    let hidden = rule("rfc6455-10.6-support-tls");
    assert_eq!(hidden["cases"], serde_json::json!({}));
    assert_eq!(hidden["unobservable"].as_object().unwrap().len(), 2);

    let toml = wsgrade(&["cases", "--rules", "--format", "toml"]);
    assert_eq!(toml.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&toml), @"wsgrade: rules are listed as text or json: case files do not hold them");
}

/// A case written out is a case file, and a case file is played.
#[test]
fn a_users_own_case() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("mine.toml");
    let text = stdout(&wsgrade(&["cases", "-c", "1.1.2", "--format", "toml"]));
    let section = "[[section]]\nid = \"X\"\ntitle = \"Mine\"\n\n";
    std::fs::write(&file, section.to_owned() + &text.replace("\"1.1.2\"", "\"X.1\"")).unwrap();
    let out = dir.path().join("report");
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let output = wsgrade(&["test", "--cases", file, "-c", "X.*", "--out", out]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = record(Path::new(out));
    assert_eq!(run["targets"][0]["cases"][0]["id"], "X.1");
    assert_eq!(run["catalogue"]["selected"], 1);
}

#[test]
fn selection_and_exclusion() {
    let ids = |args: &[&str]| {
        let text = stdout(&wsgrade(&[&["cases"], args].concat()));
        text.lines().map(|line| line.split_whitespace().next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["-c", "6.4.*", "-x", "6.4.1", "-x", "*.4"]), ["6.4.2", "6.4.3"]);
    assert_eq!(ids(&["-c", "1.1.1", "-c", "2.1"]), ["1.1.1", "2.1"]);
}

/// Whatever is wrong with the command line or a case file is exit code 2 and a sentence.
#[test]
fn what_is_wrong_with_the_command_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let bad = dir.path().join("bad.toml");
    std::fs::write(&bad, "[[case]]\nid = \"X.1\"\ntitel = \"A typo\"\n").unwrap();
    let bad = bad.to_str().unwrap();
    let said = [
        vec!["test", "http://localhost/"],
        vec!["test", "-c", "6.99.*"],
        vec!["test", "-c", "F.1", "-x", "F.*"],
        vec!["test", "--timeout", "soon"],
        vec!["test", "--header", "no colon"],
        vec!["test", "--role", "client"],
        vec!["test", "--cases", bad],
        vec!["report", bad],
        vec!["tset"],
    ]
    .map(|args| {
        let output = wsgrade(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), "", "{args:?}");
        format!("$ wsgrade {}\n{}", args.join(" "), stderr(&output)).replace(bad, "bad.toml")
    });
    insta::assert_snapshot!(said.join("\n"), @r"
    $ wsgrade test http://localhost/
    error: invalid value 'http://localhost/' for '[URL]...': the address must begin with ws:// or wss://

    For more information, try '--help'.

    $ wsgrade test -c 6.99.*
    wsgrade: no case matches `6.99.*`; did you mean `6.9.4`?

    $ wsgrade test -c F.1 -x F.*
    wsgrade: no case is selected: `wsgrade cases` lists what there is

    $ wsgrade test --timeout soon
    error: invalid value 'soon' for '--timeout <TIME>': expected number at 0: a time is written 500ms, 4s or 1m

    For more information, try '--help'.

    $ wsgrade test --header no colon
    error: invalid value 'no colon' for '--header <HEADER>': a header is written `Name: value`

    For more information, try '--help'.

    $ wsgrade test --role client
    wsgrade: `wsgrade test` grades servers; it has no cases for the role client

    $ wsgrade test --cases bad.toml
    wsgrade: bad.toml:3:1: unknown key `titel` in a case
      help: did you mean `title`?
    bad.toml:1:1: a case without `title`
    bad.toml:1:1: a case without `why`
    bad.toml:1:1: a case without `rules`

    $ wsgrade report bad.toml
    wsgrade: bad.toml: this is no run record of wsgrade: invalid type: sequence, expected u32 at line 1 column 1

    $ wsgrade tset
    error: unrecognized subcommand 'tset'

      tip: a similar subcommand exists: 'test'

    Usage: wsgrade [COMMAND]

    For more information, try '--help'.
    ");
}

/// A target that is not there is exit code 3, one sentence and no report.
#[test]
fn a_target_that_is_not_there() {
    let addr = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("report");
    let output = wsgrade(&["test", &format!("ws://{addr}/"), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let expected = format!(
        "wsgrade: ws://{addr}/: cannot connect to {addr}: connection refused; is the server running there?\n"
    );
    assert_eq!(stderr(&output), expected);
    assert!(!out.exists());
}

/// The report can be made again from the record, and says the same.
#[test]
fn a_report_from_the_record() {
    let dir = tempfile::tempdir().unwrap();
    let first = dir.path().join("first");
    let again = dir.path().join("again");
    let played = wsgrade(&["test", "-c", "2.*", "--out", first.to_str().unwrap()]);
    let run = first.join("run.json");
    let made = wsgrade(&["report", run.to_str().unwrap(), "--out", again.to_str().unwrap()]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    for file in ["index.html", "junit.xml", "run.json"] {
        let read = |dir: &Path| std::fs::read_to_string(dir.join(file)).unwrap();
        assert!(read(&first) == read(&again), "{file}");
    }
    let text = |output: &Output| stdout(output).lines().filter(|line| !line.starts_with("Report:")).count();
    assert_eq!(text(&played), text(&made));
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_it_says_how_to_get_it() {
    let output = wsgrade(&["test", "wss://localhost/"]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stderr(&output), @"wsgrade: wss://localhost/: this wsgrade was built without TLS; build it with its feature `tls`, which is on unless --no-default-features");
}

/// A client is started, and its end is the end of the run; what it did not play keeps the gate from being met.
#[test]
fn a_client_is_started() {
    let dir = tempfile::tempdir().unwrap();
    let binary = Path::new(env!("CARGO_BIN_EXE_wsgrade")).parent().unwrap();
    let client = binary.join("examples").join(format!("client{}", std::env::consts::EXE_SUFFIX));
    assert!(client.is_file(), "{} is not there; `cargo build --example client` makes it", client.display());
    let listen = |command: &str| {
        let out = dir.path().to_str().unwrap();
        wsgrade(&[
            "listen",
            "127.0.0.1:0",
            "-c",
            "1.1.*",
            "--out",
            out,
            "--spawn",
            command,
            "--agent",
            "mine",
        ])
    };
    let target = || record(dir.path())["targets"][0].clone();

    let all = listen(&format!("{} {{url}} {{agent}}", client.display()));
    assert_eq!(all.status.code(), Some(0), "{}{}", stdout(&all), stderr(&all));
    assert!(stdout(&all).starts_with("listening on ws://127.0.0.1:"), "{}", stdout(&all));
    assert_eq!((&target()["name"], &target()["role"]), (&Value::from("mine"), &Value::from("client")));
    assert_eq!(target()["cases"].as_array().unwrap().len(), 8);
    assert_eq!(target()["process"]["exit"], "exit status 0");

    let some = listen(&format!("{} {{url}} {{agent}} 3", client.display()));
    assert_eq!(some.status.code(), Some(3), "{}{}", stdout(&some), stderr(&some));
    assert_eq!(target()["stopped"], "the client ran 3 of 8 cases");

    let none = listen(&format!("{} {{url}}", client.display()));
    assert_eq!(none.status.code(), Some(3), "{}", stderr(&none));
    assert!(stderr(&none).contains("wsgrade: no client ran a case"), "{}", stderr(&none));
}
