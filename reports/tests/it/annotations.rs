//! What GitHub and GitLab show beside the code.

use std::collections::BTreeSet;

use serde_json::Value;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{sample, variants};

fn github(report: &RunReport) -> String {
    let [file] = render::annotations::github(report).try_into().expect("one file");
    assert_eq!(file.name, "github-annotations.txt");
    file.contents
}

/// Command, title and text of a line, if the runner would take it for one.
fn command(line: &str) -> Option<(String, String, String)> {
    let (head, text) = line.strip_prefix("::")?.split_once("::")?;
    let (command, properties) = head.split_once(' ')?;
    let (key, title) = properties.split_once('=')?;
    let decoded = |text: &str| {
        let text = text.replace("%0A", "\n").replace("%0D", "\r").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    // What is left of these would begin another property.
    let whole = key == "title" && !title.contains([',', ':']);
    whole.then(|| (command.to_owned(), decoded(title), decoded(text)))
}

#[test]
fn every_line_is_one_command_and_no_more_than_are_shown() {
    for (name, report) in variants::all().into_iter().chain([("broken", variants::broken(40))]) {
        let text = github(&report);
        let commands: Vec<_> =
            text.lines().map(|line| command(line).unwrap_or_else(|| panic!("{name}: {line}"))).collect();
        for kind in ["error", "warning"] {
            let count = commands.iter().filter(|(command, ..)| command == kind).count();
            assert!(count <= 10, "{name}: {count} of {kind}");
        }
        assert!(commands.iter().all(|(command, ..)| command == "error" || command == "warning"), "{name}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
    }
    for broken in ["error title=x::y", "::error title=x,file=y::z", "::error::x", "::error title=x"] {
        assert_eq!(command(broken), None, "{broken}");
    }
}

#[test]
fn the_annotations_literally() {
    let mut report = sample::small();
    report.targets[0].name = "ws, 8.18: 100%".to_owned();
    insta::assert_snapshot!(github(&report));
}

#[test]
fn where_nothing_is_wrong_there_is_nothing_and_an_empty_run_is_an_error() {
    let mut good = sample::small();
    good.targets.remove(0);
    assert_eq!(github(&good), "");
    assert_eq!(github(&variants::no_target()), "::error title=wsgrade%3A empty-run::the run had no target\n");
}

#[test]
fn what_was_expected_is_not_told_and_what_is_not_true_is() {
    let mut one = variants::expected_of_one();
    insta::assert_snapshot!(github(&one), @"
    ::error title=wsgrade%3A expectation 1 (2.5%2C 7.*)::expectation 1 (`2.5`, `7.*`) expects fail with close unclean, but 7.7.1 passes: narrow the entry to those that do not
    ::error title=wsgrade%3A expectation 3 (1.*)::expectation 3 (`1.*`) expects pass with close unclean, but 1.1.1, 1.1.2, 1.1.3, 1.1.4 pass: delete the entry, or narrow it
    ::error title=wsgrade%3A expectation 4 (zz)::expectation 4 (`zz`) matches no case: delete the entry
    ::error title=wsgrade%3A ws 8.18%3A MUST broken%2C RFC 6455 7.1.7 (1 case)::An endpoint MAY omit sending a Close frame only where it believes the other endpoint is unlikely to process it; it SHOULD send one with an appropriate status code before it closes.%0ACase 3.1 Small text with RSV1 set: expected the peer begins to close; saw it waited for us to%0ARepeat: wsgrade test ws://127.0.0.1:9001/ -c 3.1 --seed 42
    ::warning title=wsgrade%3A ws 8.18%3A inconclusive::case F.1 is inconclusive: our side or the network failed; not counted
    ::warning title=wsgrade%3A ws 8.18%3A SHOULD broken%2C close-failed-by-peer (1 case)::Case 2.6 Ping in single-byte writes: did not end TCP in time after the closing handshake%0ARepeat: wsgrade test ws://127.0.0.1:9001/ -c 2.6 --seed 42
    ");
    let told = |entries: Vec<Value>| {
        let of = |entry: &Value| format!("{} {}", entry["severity"], entry["description"]);
        entries.iter().map(of).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(gitlab(&one)), @r#"
    "info" "ws 8.18: case F.1 is inconclusive: our side or the network failed; not counted"
    "critical" "expectation 1 (`2.5`, `7.*`) expects fail with close unclean, but 7.7.1 passes: narrow the entry to those that do not"
    "critical" "expectation 3 (`1.*`) expects pass with close unclean, but 1.1.1, 1.1.2, 1.1.3, 1.1.4 pass: delete the entry, or narrow it"
    "critical" "expectation 4 (`zz`) matches no case: delete the entry"
    "minor" "ws 8.18: SHOULD broken, close-failed-by-peer: case 2.6 Ping in single-byte writes: did not end TCP in time after the closing handshake"
    "critical" "ws 8.18: MUST broken, RFC 6455 7.1.7: case 3.1 Small text with RSV1 set: expected the peer begins to close; saw it waited for us to"
    "#);
    // It is the same complaint, wherever the entry stands and whatever it says today.
    let prints = |report: &RunReport| {
        let of = |entry: Value| {
            (entry["check_name"] == "wsgrade-expectation").then(|| entry["fingerprint"].to_string())
        };
        gitlab(report).into_iter().filter_map(of).collect::<BTreeSet<_>>()
    };
    let before = prints(&one);
    assert_eq!(before.len(), 3);
    one.expectations.reverse();
    one.expectations[1].complaints[0].push_str(" today");
    assert_eq!(prints(&one), before);
}

#[test]
fn what_is_too_much_is_counted() {
    let mut report = sample::small();
    report.targets.remove(0);
    let mut other = report.targets[0].clone();
    other.cases.truncate(1);
    other.cases[0].behavior = wsgrade_reports::record::Behavior::Fail;
    report.targets = vec![other; 12];
    let text = github(&report);
    assert_eq!(text.lines().count(), 10);
    let last =
        "::error title=wsgrade::3 more are not shown as annotations: the summary and the report have all.";
    assert_eq!(text.lines().last(), Some(last));
    report.targets.truncate(10);
    assert!(!github(&report).contains("more are not shown"));
}

fn gitlab(report: &RunReport) -> Vec<Value> {
    let [file] = render::annotations::gitlab(report).try_into().expect("one file");
    assert_eq!(file.name, "gl-code-quality-report.json");
    assert!(file.contents.starts_with('['), "no byte order mark");
    serde_json::from_str(&file.contents).expect("it is a JSON array")
}

/// Whether an entry has all that GitLab documents, as it documents it.
fn is_entry(entry: &Value) -> bool {
    let filled = |at: &str| entry.pointer(at).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let severity = entry["severity"].as_str().unwrap_or("");
    let path = entry["location"]["path"].as_str().unwrap_or("");
    ["/description", "/check_name", "/fingerprint"].into_iter().all(filled)
        && ["info", "minor", "major", "critical", "blocker"].contains(&severity)
        && !path.is_empty()
        && !path.starts_with("./")
        && !path.starts_with('/')
        && !path.contains("..")
        && entry["location"]["lines"]["begin"].as_u64().is_some_and(|line| line > 0)
}

#[test]
fn every_entry_has_what_gitlab_asks_for() {
    for (name, report) in variants::all() {
        let entries = gitlab(&report);
        for entry in &entries {
            assert!(is_entry(entry), "{name}: {entry}");
        }
        let prints: BTreeSet<_> = entries.iter().map(|entry| entry["fingerprint"].as_str()).collect();
        assert_eq!(prints.len(), entries.len(), "{name}: no entry is taken for another");
    }
    let mut entry = gitlab(&sample::small()).remove(0);
    assert!(is_entry(&entry));
    for (at, value) in [("severity", "bad"), ("fingerprint", ""), ("description", "")] {
        let mut broken = entry.clone();
        broken[at] = value.into();
        assert!(!is_entry(&broken), "{at}");
    }
    entry["location"]["path"] = "./x".into();
    assert!(!is_entry(&entry));
}

#[test]
fn the_entries_literally() {
    let mut report = sample::small();
    report.targets[0].name = "ws".to_owned();
    insta::assert_snapshot!(serde_json::to_string_pretty(&gitlab(&report)).unwrap());
    let severities = |report: &RunReport| {
        let of = |entry: &Value| {
            format!("{} {}", entry["severity"].as_str().unwrap(), entry["check_name"].as_str().unwrap())
        };
        gitlab(report).iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(severities(&variants::stopped()), ["blocker stopped", "blocker stopped"]);
    report.targets.remove(0);
    assert_eq!(severities(&report), Vec::<String>::new());
}
