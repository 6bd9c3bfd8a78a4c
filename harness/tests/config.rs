//! `wsgrade.toml` as a user meets it: what is in it is done, flags override it, and what cannot be is told.
//!
//! The servers are the examples, which `cargo test` builds with the rest.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use insta::assert_snapshot;
use serde_json::Value;

/// A folder of its own.
struct Place(tempfile::TempDir);

impl Place {
    /// With this in its wsgrade.toml.
    fn with(text: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("wsgrade.toml", text);
        place
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().expect("it is in a folder")).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.0.path().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    /// The exit code and what was printed, standard error last. `$BIN` is the folder of the examples.
    fn run(&self, args: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
        command.args(args).current_dir(self.0.path()).env("NO_COLOR", "1").env("COLUMNS", "100");
        let Output { status, stdout, stderr } =
            command.env("BIN", examples()).output().expect("the binary of this package starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (status.code().expect("no signal"), text(stdout) + &text(stderr))
    }

    /// Runs what has to end with this code.
    fn ends(&self, code: i32, args: &[&str]) -> String {
        let (found, said) = self.run(args);
        assert_eq!(found, code, "$ wsgrade {}\n{said}", args.join(" "));
        said
    }

    fn record(&self) -> Value {
        serde_json::from_str(&self.read("wsgrade-report/run.json")).expect("a record")
    }

    /// The ids of the cases that were played against each target, by its name.
    fn played(&self) -> Vec<(String, Vec<String>)> {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let ids = |target: &Value| {
            target["cases"].as_array().unwrap().iter().map(|case| text(&case["id"])).collect()
        };
        let record = self.record();
        let targets = record["targets"].as_array().expect("targets");
        targets.iter().map(|target| (text(&target["name"]), ids(target))).collect()
    }
}

fn examples() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wsgrade")).with_file_name("examples");
    assert!(path.join("deviant").is_file(), "cargo test --test config needs `cargo build --examples` before");
    path
}

/// The last line that says this.
fn line<'a>(said: &'a str, what: &str) -> &'a str {
    said.lines().rfind(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what:?} in\n{said}"))
}

const STRICT: &str = "spawn = \"exec $BIN/deviant --port {port}\"";
/// Sends data back that it should have refused.
const WRONG: &str = "spawn = \"exec $BIN/deviant --port {port} --defect takes-several-rsv\"";

#[test]
fn several_servers_are_started_and_stand_side_by_side() {
    let file = format!(
        "[[target]]\nname = \"right\"\n{STRICT}\n[[target]]\nname = \"wrong\"\n{WRONG}\n[selection]\ncases = [\"1.1.1\", \"3.3\"]\n"
    );
    let place = Place::with(&file);
    let said = place.ends(1, &["test"]);
    assert_snapshot!(line(&said, "gate"), @"gate not met: a MUST is broken in 1 case of wrong: 3.3");
    let both = vec!["1.1.1".to_owned(), "3.3".to_owned()];
    assert_eq!(place.played(), [("right".to_owned(), both.clone()), ("wrong".to_owned(), both.clone())]);
    // The printed command plays the case again, against that target alone.
    let repeat = line(&said, "wsgrade test --target wrong").trim().to_owned();
    let words: Vec<&str> = repeat.split(' ').skip(1).collect();
    place.ends(1, &words);
    assert_eq!(place.played(), [("wrong".to_owned(), vec!["3.3".to_owned()])]);
    place.ends(0, &["test", "--target", "r*"]);
    assert_eq!(place.played(), [("right".to_owned(), both)]);
    assert_snapshot!(place.ends(2, &["test", "--target", "left"]), @r#"wsgrade: --target "left" matches no server in wsgrade.toml, which has `right` and `wrong`"#);
    assert_snapshot!(place.ends(2, &["test", "--target", "right", "ws://127.0.0.1:1/"]), @"wsgrade: --target picks from the targets of a file: leave it out beside a URL or --spawn");
}

#[test]
fn flags_override_what_the_file_says() {
    let place = Place::with(
        "[selection]\ncases = [\"1.1.1\"]\nexclude = [\"1.1.2\"]\n[output]\ndir = \"out\"\nformats = [\"json\", \"tap\"]\n\
         [limits]\ntimeout = \"3s\"\nseed = 5\njobs = 2\n",
    );
    let said = place.ends(0, &["test"]);
    assert_snapshot!(line(&said, "note:"), @"wsgrade: note: wsgrade.toml has no [[target]]: grading the built-in reference server");
    let record: Value = serde_json::from_str(&place.read("out/run.json")).unwrap();
    assert_eq!((&record["seed"], &record["options"]["jobs"]), (&5.into(), &2.into()));
    assert_eq!(record["options"]["timeout_ms"], 3000);
    assert!(
        !place.0.path().join("out/index.html").exists() && place.0.path().join("out/results.tap").exists()
    );
    place.ends(
        0,
        &[
            "test",
            "-c",
            "1.1.*",
            "--timeout",
            "1s",
            "--seed",
            "6",
            "-j",
            "1",
            "-o",
            "wsgrade-report",
            "--format",
            "json",
        ],
    );
    let record = place.record();
    assert_eq!((&record["seed"], &record["options"]["jobs"]), (&6.into(), &1.into()));
    assert_eq!(record["options"]["timeout_ms"], 1000);
    let ids: Vec<_> = place.played().remove(0).1;
    assert!(ids.contains(&"1.1.3".to_owned()) && !ids.contains(&"1.1.2".to_owned()), "{ids:?}");
    // Without the file, none of it is so.
    place.ends(0, &["test", "--no-config", "-c", "1.1.2"]);
    assert_eq!(place.played()[0].1, ["1.1.2"]);
    assert_ne!(place.record()["seed"], 5);
}

#[test]
fn paths_in_it_are_relative_to_its_folder() {
    let place = Place::with("");
    place.write(
        "ci/ours.toml",
        "[selection]\nfiles = \"own\"\ncases = [\"1.1.99\"]\n[output]\ndir = \"report\"\n",
    );
    let own = place.ends(0, &["cases", "-c", "1.1.1", "--format", "toml"]).replace("1.1.1", "1.1.99");
    place.write("ci/own/x.toml", &own);
    let said = place.ends(0, &["test", "--config", "ci/ours.toml"]);
    assert!(said.contains("Report: ci/report/index.html"), "{said}");
    assert!(place.read("ci/report/run.json").contains("\"1.1.99\""));
}

#[test]
fn what_a_server_has_to_do_is_asked_for() {
    let target = format!("[[target]]\nname = \"a\"\n{STRICT}\n");
    let deaf =
        "[[target]]\nname = \"a\"\nspawn = \"exec $BIN/deviant --port {port} --defect text-as-binary\"\n";
    let place = Place::with(&format!("{target}has = [\"echo\", \"deflate\"]"));
    place.ends(0, &["test", "-c", "1.1.1"]);
    place.write("wsgrade.toml", &format!("{deaf}has = [\"echo\"]"));
    assert_snapshot!(place.ends(1, &["test", "-c", "1.1.1"]), @r#"wsgrade: gate not met: `a` has to send every message back and nothing else ("echo" in its `has`), and does not; no case was played"#);
    // What is passed over is not played, though it is there.
    place.write("wsgrade.toml", &format!("{target}without = [\"deflate\"]"));
    place.ends(0, &["test", "-c", "1.1.1", "-c", "12.1.1"]);
    let cases = place.record()["targets"][0]["cases"].clone();
    assert_eq!((&cases[0]["behavior"], &cases[1]["behavior"]), (&"pass".into(), &"unimplemented".into()));
    place.write("wsgrade.toml", &format!("{target}without = [\"echo\"]"));
    place.ends(0, &["test", "-c", "1.1.1"]);
    assert!(place.record()["targets"][0]["cases"][0]["adapted"].is_string());
}

#[test]
fn each_server_has_headers_and_a_prelude_of_its_own() {
    let server = |name: &str, rest: &str| format!("[[target]]\nname = \"{name}\"\n{STRICT}\n{rest}\n");
    let place = Place::with(
        &(server("a", "headers = [\"X-Key: ${KEY}\"]\nsubprotocols = [\"chat\"]\nprelude = \"hello.toml\"")
            + &server("b", "origin = \"https://b.example\"")),
    );
    place.write("hello.toml", "steps = [{ send = \"text\", text = \"hello\" }, { await = \"any\" }]");
    assert_snapshot!(place.ends(2, &["test", "-c", "1.1.2"]), @r#"
    wsgrade: wsgrade.toml:4:12: the environment has no "KEY"
      help: set it before wsgrade is started, as in KEY=… wsgrade test
    "#);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command
        .args(["test", "-c", "1.1.2", "-v", "--pcap", "wsgrade-report/wire.pcap"])
        .current_dir(place.0.path())
        .env("BIN", examples())
        .env("KEY", "s3cret");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let record = place.record();
    let head = |target: usize| record["targets"][target]["cases"][0]["transcript"].to_string();
    assert!(
        head(0).contains("X-Key: ******") && head(0).contains("Sec-WebSocket-Protocol: chat"),
        "{}",
        head(0)
    );
    assert!(!head(1).contains("X-Key") && head(1).contains("Origin: https://b.example"), "{}", head(1));
    assert!(head(0).contains("\"prelude\":true") && !head(1).contains("\"prelude\":true"));
    let lines: Vec<_> =
        record["options"]["prelude"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert!(lines.iter().all(|line| line.starts_with("a: ")) && lines.len() == 2, "{lines:?}");
    let repeat = record["targets"][0]["cases"][0]["repeat"].as_str().unwrap();
    assert!(repeat.starts_with("wsgrade test --target a "), "{repeat}");
    // What the environment has is sent, and told nobody.
    let written = fs::read_dir(place.0.path().join("wsgrade-report")).unwrap();
    let mut told: Vec<Vec<u8>> = written.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    told.extend([output.stdout, output.stderr]);
    let says = |text: &str| {
        let says = |told: &&Vec<u8>| told.windows(text.len()).any(|part| part == text.as_bytes());
        told.iter().filter(says).count()
    };
    assert_eq!(says("s3cret"), 0);
    assert_eq!(says("X-Key: ******"), 3, "the record, the page and the capture");
}

#[test]
fn expectations_are_proposed_without_a_reason() {
    let place = Place::with(&format!(
        "[[target]]\nname = \"a\"\n{WRONG}\n[selection]\ncases = [\"1.1.1\", \"3.*\"]\n"
    ));
    let said = place.ends(1, &["test", "--update-expectations"]);
    assert_snapshot!(line(&said, "added"), @"wsgrade.toml: 1 expectation added; the file is refused until each has a reason, or is deleted again");
    let file = place.read("wsgrade.toml");
    let entries = file[file.find("\n[[expect]]").expect("an entry")..].trim();
    assert_snapshot!(entries, @r#"
    [[expect]]
    # RFC 6455 5.2, MUST: If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_.
    # 3.3: Text, text with RSV2 and RSV3, ping, each in a write of its own
    # 3.5: Binary with RSV1 and RSV3
    # 3.6: Binary with RSV1 and RSV2
    cases = ["3.3", "3.5", "3.6"]
    behavior = "fail"
    reason = ""
    "#);
    let said = place.ends(2, &["test"]);
    assert!(said.contains("an expectation wants a reason"), "{said}");
    place.write("wsgrade.toml", &file.replace("reason = \"\"", "reason = \"issue 12\""));
    let said = place.ends(0, &["test", "--update-expectations"]);
    assert_snapshot!(line(&said, "gate"), @"gate met: no MUST is broken in 8 cases, 3 cases as expected aside");
    assert_snapshot!(line(&said, "wsgrade.toml"), @"wsgrade.toml: no expectation to add: nothing is broken that is not expected");
    // A finished run is judged by the file as it is now.
    place.write("wsgrade.toml", &file[..file.find("\n[[expect]]").unwrap()]);
    place.ends(1, &["report"]);
}

#[test]
fn expectations_that_are_not_true_fail_the_gate_or_warn() {
    let expect = "[[expect]]\ncases = \"1.1.1\"\nbehavior = \"fail\"\nreason = \"x\"\n\
                  [[expect]]\ncases = \"77.*\"\nbehavior = \"fail\"\nreason = \"x\"\n\
                  [[expect]]\ncases = \"1.1.2\"\nbehavior = \"fail\"\nreason = \"x\"\nuntil = 2020-01-31\n";
    let place = Place::with(expect);
    let said = place.ends(1, &["test", "-c", "1.1.*"]);
    assert_snapshot!(line(&said, "gate"), @"gate not met: expectation 1 (`1.1.1`) expects fail, but 1.1.1 passes: delete the entry, or narrow it; expectation 2 (`77.*`) matches no case: delete the entry; expectation 3 (`1.1.2`) held until 2020-01-31: mend what it is about, or give it another day (x)");
    place.write("wsgrade.toml", &format!("gate.stale-expectations = \"warn\"\n{expect}"));
    let said = place.ends(0, &["test", "-c", "1.1.*"]);
    assert!(said.contains("expects fail, but 1.1.1 passes") && said.contains("gate met"), "{said}");
}

#[test]
fn the_gate_of_the_file_holds_for_reports_too() {
    let place = Place::with(&format!(
        "[[target]]\nname = \"a\"\n{WRONG}\n[selection]\ncases = [\"1.1.1\", \"3.3\"]\n[gate]\nmin-grade = \"A+\"\n"
    ));
    place.ends(1, &["test"]);
    place.ends(1, &["report"]);
    place.write("wsgrade.toml", "[gate]\nfail-on = \"regression\"\n");
    assert_snapshot!(place.ends(2, &["report"]), @"wsgrade: --fail-on regression wants something to compare with: give --baseline FILE, or `baseline` under [gate] of wsgrade.toml; `wsgrade report baseline` writes one");
    place.ends(0, &["report", "baseline"]);
    place.write("wsgrade.toml", "[gate]\nfail-on = \"regression\"\nbaseline = \"wsgrade-baseline.txt\"\n");
    place.ends(0, &["report"]);
    place.ends(1, &["report", "--fail-on", "fail"]);
}

#[test]
fn what_is_not_there() {
    let place = Place::with("[[target]]\nname = \"a\"\nrole = \"client\"\nspawn = \"true\"\n");
    assert_snapshot!(place.ends(2, &["test"]), @"wsgrade: wsgrade.toml has no target that is a server: give a URL, or use `wsgrade listen` or `wsgrade fuzz --listen` for its clients");
    assert_snapshot!(place.ends(2, &["test", "--config", "other.toml"]), @"wsgrade: cannot read other.toml: No such file or directory (os error 2)");
    assert_snapshot!(place.ends(2, &["test", "--no-config", "--target", "a"]), @"wsgrade: --target picks from the targets of a wsgrade.toml, and there is none: `wsgrade init` writes one");
    assert_snapshot!(place.ends(2, &["listen", "--target", "b"]), @r#"wsgrade: --target "b" matches no client in wsgrade.toml, which has `a`"#);
    place.write(
        "wsgrade.toml",
        "[[target]]\nname = \"a\"\nrole = \"client\"\n[[target]]\nname = \"b\"\nrole = \"client\"\n",
    );
    assert_snapshot!(place.ends(2, &["listen"]), @"wsgrade: wsgrade.toml has several clients, and one is listened for at a time: pick it by --target NAME");
}

#[test]
fn a_client_of_the_file_is_started() {
    let client =
        format!("exec {} autobahn -m testeeclient -w {{url}} -i {{agent}}", env!("CARGO_BIN_EXE_wsgrade"));
    let place = Place::with(&format!(
        "[[target]]\nname = \"ours\"\nrole = \"client\"\nlisten = \"127.0.0.1:0\"\nspawn = \"{client}\"\n[selection]\ncases = [\"1.1.1\", \"2.1\"]\n"
    ));
    let said = place.ends(0, &["listen"]);
    assert!(said.contains("gate met"), "{said}");
    assert_eq!(place.played(), [("ours".to_owned(), vec!["1.1.1".to_owned(), "2.1".to_owned()])]);
}

#[test]
fn what_the_file_has_is_fuzzed() {
    let masks = "spawn = \"exec $BIN/deviant --port {port} --defect masks\"";
    let one = format!("[[target]]\nname = \"mine\"\n{masks}\nheaders = [\"X-Key: ${{HOME}}\"]\n");
    let place = Place::with(&one);
    let fuzz = ["fuzz", "--runs", "50", "--seed", "1", "--max-findings", "1"];
    place.ends(1, &fuzz);
    assert_eq!(place.record()["fuzz"]["findings"].as_array().map(Vec::len), Some(1));
    let replay = place.record()["fuzz"]["findings"][0]["replay"].as_str().expect("a command").to_owned();
    assert!(
        replay.ends_with(".toml --target mine --seed 1"),
        "no secret and nothing that the file says: {replay}"
    );
    let words: Vec<&str> = replay.split(' ').skip(1).collect();
    assert!(place.ends(1, &words).contains("1 of 1 shows, every time"));

    // What is given in the place of the file is played, and what it says of others is left alone.
    let strict = STRICT.strip_prefix("spawn = ").unwrap().trim_matches('"');
    place.ends(0, &["fuzz", "--runs", "50", "--spawn", strict]);
    place.ends(0, &["fuzz", "--runs", "50", "--no-config"]);
    place.ends(0, &["replay", words[1], "--spawn", strict]);

    place.write("wsgrade.toml", &format!("{one}\n[[target]]\nname = \"strict\"\n{STRICT}\n"));
    assert_snapshot!(place.ends(2, &fuzz), @"wsgrade: several targets are compared where they run, and one of these is to be started: give their URLs, or pick one by --target NAME");
    assert_snapshot!(place.ends(2, &["replay", words[1]]), @"wsgrade: a finding is played against one target: pick it by --target NAME, or give its URL");
    place.ends(0, &["fuzz", "--runs", "50", "--target", "strict"]);
    place.ends(0, &["replay", words[1], "--target", "strict"]);
}

#[test]
fn a_client_of_the_file_is_fuzzed() {
    let client = |defect: &str| {
        format!(
            "[[target]]\nname = \"bot\"\nrole = \"client\"\nlisten = \"127.0.0.1:0\"\n\
             spawn = \"exec $BIN/deviant --url {{url}} --agent {{agent}} --defect {defect}\"\n"
        )
    };
    let place = Place::with(&client("none"));
    let fuzz = ["fuzz", "--listen", "--runs", "50", "--seed", "1"];
    place.ends(0, &fuzz);
    place.write("wsgrade.toml", &client("sends-unmasked"));
    place.ends(1, &fuzz);
    let replay = place.record()["fuzz"]["findings"][0]["replay"].as_str().expect("a command").to_owned();
    assert!(replay.ends_with(".toml --listen --target bot --seed 1"), "{replay}");
    let words: Vec<&str> = replay.split(' ').skip(1).collect();
    place.ends(1, &words);
    assert_snapshot!(place.ends(2, &["fuzz", "--listen", "--target", "other"]), @r#"wsgrade: --target "other" matches no client in wsgrade.toml, which has `bot`"#);
    assert_snapshot!(place.ends(2, &["fuzz", "--listen", "--spawn", "true", "--target", "bot"]), @"wsgrade: --target picks from the targets of a file: leave it out beside --spawn");
}

#[test]
fn init_looks_and_writes_what_can_be_used_at_once() {
    let place = Place(tempfile::tempdir().unwrap());
    let spawn = "exec $BIN/deviant --port {port}";
    let said = place.ends(0, &["init", "--spawn", spawn, "--name", "mine"]);
    assert_snapshot!(said, @"wsgrade.toml is written: look through it, then run `wsgrade test`");
    let file = place.read("wsgrade.toml");
    assert!(file.contains("has = [\"echo\", \"deflate\"]"), "{file}");
    place.ends(0, &["test", "-c", "1.1.1"]);
    assert_eq!(place.played(), [("mine".to_owned(), vec!["1.1.1".to_owned()])]);
    assert_snapshot!(place.ends(2, &["init"]), @"wsgrade: wsgrade.toml is there already: change it by hand, or give --force");
    assert_eq!(place.read("wsgrade.toml"), file, "nothing was written over");
    place.ends(0, &["init", "--force"]);
    assert_ne!(place.read("wsgrade.toml"), file);
    place.ends(0, &["test", "-c", "1.1.1"]);
    let said = place.ends(3, &["init", "ws://127.0.0.1:1/", "--config", "other.toml"]);
    assert!(said.contains("ws://127.0.0.1:1/"), "{said}");
    assert!(!place.0.path().join("other.toml").exists());
    let schema: Value = serde_json::from_str(&place.ends(0, &["init", "--schema"])).expect("JSON");
    assert_eq!(schema["title"], "wsgrade.toml");
}
