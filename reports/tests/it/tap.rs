//! TAP, read by the rules of version 14.

use serde_json::Value;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{fuzzing, sample, variants};

fn tap(report: &RunReport) -> String {
    let [file] = render::tap::render(report).try_into().expect("one file");
    assert_eq!(file.name, "results.tap");
    file.contents
}

#[derive(Debug, PartialEq, Eq)]
struct Point {
    ok: bool,
    description: String,
    skip: Option<String>,
    todo: Option<String>,
    block: bool,
}

/// The points of a stream, or where it is none of version 14 as we write it: nothing in it is left to be ignored.
fn read(text: &str) -> Result<Vec<Point>, String> {
    let mut lines = text.lines().peekable();
    if lines.next() != Some("TAP version 14") {
        return Err("no version".to_owned());
    }
    let plan = lines.next().and_then(|line| line.strip_prefix("1..")).and_then(|n| n.parse::<usize>().ok());
    let plan = plan.ok_or("no plan")?;
    let mut points = Vec::new();
    while let Some(line) = lines.next() {
        let (ok, rest) = match line.strip_prefix("not ") {
            Some(rest) => (false, rest),
            None => (true, line),
        };
        let number = points.len() + 1;
        let rest = rest.strip_prefix(&format!("ok {number} - ")).ok_or(format!("no point: {line}"))?;
        let (description, skip, todo) = directive(rest)?;
        let block = lines.next_if_eq(&"  ---").is_some();
        if block {
            loop {
                match lines.next() {
                    None => return Err("the block has no end".to_owned()),
                    Some("  ...") => break,
                    Some(line) => yaml(line)?,
                }
            }
        }
        points.push(Point { ok, description, skip, todo, block });
    }
    if points.len() == plan { Ok(points) } else { Err(format!("{plan} planned, {} there", points.len())) }
}

/// A description, and the reasons of a SKIP and of a TODO.
type Described = (String, Option<String>, Option<String>);

/// The description, and the reason of a directive behind the first hash that is not escaped.
fn directive(text: &str) -> Result<Described, String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("there is one");
        match c {
            '\\' => match chars.next_if(|next| matches!(next, '\\' | '#')) {
                Some(next) => part.push(next),
                None => part.push('\\'),
            },
            '#' => parts.push(String::new()),
            c => part.push(c),
        }
    }
    match parts.as_slice() {
        [description] => Ok((description.clone(), None, None)),
        [description, directive] if description.ends_with(' ') => {
            let why = |word| directive.strip_prefix(word).map(str::to_owned);
            let description = description.trim_end().to_owned();
            match (why(" SKIP "), why(" TODO ")) {
                (None, None) => Err(format!("no directive: {text}")),
                (skip, todo) => Ok((description, skip, todo)),
            }
        }
        [_, _] => Err(format!("no directive: {text}")),
        _ => Err(format!("several directives: {text}")),
    }
}

/// A line of the YAML that we write: a key, and a word of ours or a string of JSON.
fn yaml(line: &str) -> Result<(), String> {
    let wrong = || format!("no YAML of ours: {line}");
    let item = line.strip_prefix("  ").ok_or_else(wrong)?.trim_start_matches([' ', '-']);
    let (key, value) = item.split_once(':').ok_or_else(wrong)?;
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let value = value.trim_start();
    let is_value =
        is_word(value) || serde_json::from_str::<Value>(value).is_ok_and(|value| value.is_string());
    if is_word(key) && is_value { Ok(()) } else { Err(wrong()) }
}

#[test]
fn it_is_a_stream_of_version_14() {
    for (name, report) in variants::all() {
        let points = read(&tap(&report)).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        assert!(!points.is_empty(), "{name}: there must be at least one test point");
    }
    for broken in [
        "1..1\nok 1 - a\n",
        "TAP version 14\n1..2\nok 1 - a\n",
        "TAP version 14\n1..1\nok 1 - a # b\n",
        "TAP version 14\n1..1\nok 1 - a\n  ---\n  a: \"\n  ...\n",
        "TAP version 14\n1..1\nok 1 - a\n  ---\n",
        "TAP version 14\n1..1\nBail out!\n",
    ] {
        assert!(read(broken).is_err(), "{broken}");
    }
}

#[test]
fn what_is_hostile_is_one_description() {
    let points = read(&tap(&variants::hostile())).expect("a stream");
    assert_eq!(points.len(), 22 + 2, "each record and each run that was stopped");
    assert!(points.iter().any(|point| point.description.contains("not ok 1 - z # SKIP\\n")));
}

#[test]
fn what_is_ok_and_what_is_not() {
    let mut report = sample::small();
    report.targets.truncate(1);
    let points = read(&tap(&report)).expect("a stream");
    let bad: Vec<_> =
        points.iter().filter(|point| !point.ok).map(|point| point.description.as_str()).collect();
    assert_eq!(
        bad,
        [
            "2.5 Ping with 126 bytes of payload",
            "3.1 Small text with RSV1 set",
            "F.1 Frame without a mask from a client"
        ]
    );
    let skipped: Vec<_> = points.iter().filter_map(|point| point.skip.as_deref()).collect();
    assert_eq!(skipped, ["the offer was declined"]);
    assert!(!points[0].block && points[4].block, "a plain pass needs no words");
}

/// A harness does not take a TODO for a failure, and takes an entry that is not true for one.
#[test]
fn what_was_expected_is_to_be_done() {
    let points = read(&tap(&variants::expected_of_one())).expect("a stream");
    let told: Vec<_> = points
        .iter()
        .filter(|point| !point.ok)
        .map(|point| format!("{}: {:?}", point.description, point.todo))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    2.5 Ping with 126 bytes of payload: Some("see issue 12")
    3.1 Small text with RSV1 set: None
    F.1 Frame without a mask from a client: None
    expectation 1 (2.5, 7.*): None
    expectation 3 (1.*): None
    expectation 4 (zz): None
    "#);
    assert!(
        points.iter().all(|point| point.todo.is_none() || !point.ok),
        "TODO of what is ok would be a surprise"
    );
    let hostile = read(&tap(&variants::hostile_expectations())).expect("a stream");
    assert!(hostile.iter().any(|point| {
        point.todo.as_ref().is_some_and(|why| why.contains("not ok 1 - z # SKIP ... 1..1"))
    }));
}

#[test]
fn an_empty_run_and_one_that_was_stopped_are_not_ok() {
    insta::assert_snapshot!(tap(&variants::no_target()));
    let points = read(&tap(&variants::stopped())).expect("a stream");
    let last = points.last().expect("a point");
    assert_eq!(
        (last.ok, last.description.as_str()),
        (false, "reference-server: the run goes on to its last case")
    );
    let points = read(&tap(&fuzzing::clean())).expect("a stream");
    assert!(points.len() == 1 && points[0].ok && points[0].description.contains("12345 scenarios"));
}

#[test]
fn the_stream_literally() {
    let mut report = sample::small();
    report.targets.truncate(1);
    insta::assert_snapshot!(tap(&report));
}
