//! Records in and out, and the schema that publishes their form.

use serde_json::{Value, json};
use wsgrade_reports::conformance::{Standing, conformance};
use wsgrade_reports::record::{ReadError, RunReport};
use wsgrade_reports::render;

use crate::{expecting, repeated, sample};

pub(crate) fn schema() -> jsonschema::Validator {
    let text = include_str!("../../schema/run.schema.json");
    let schema: Value = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("the schema is a schema");
    jsonschema::validator_for(&schema).expect("the schema compiles")
}

fn written(report: &RunReport) -> Value {
    let [file] = render::json::render(report).try_into().expect("one file");
    assert_eq!(file.name, "run.json");
    serde_json::from_str(&file.contents).expect("run.json is JSON")
}

#[test]
fn what_is_written_is_read_again() {
    for report in [sample::small(), repeated::report(), expecting::judged(), sample::large(2, 30, 3)] {
        let text = written(&report).to_string();
        assert_eq!(RunReport::from_json(&text).expect("it is a record"), report);
    }
}

#[test]
fn what_is_written_fits_the_schema() {
    let schema = schema();
    for report in [sample::small(), repeated::report(), expecting::judged(), sample::large(2, 30, 3)] {
        let value = written(&report);
        let errors: Vec<_> =
            schema.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn what_the_field_reads_is_there() {
    let value = written(&sample::small());
    let case = &value["targets"][0]["cases"][4];
    assert_eq!(case["id"], "2.5");
    assert_eq!(case["role"], "server");
    assert_eq!(case["carrier"], "tcp");
    assert_eq!(case["behavior"], "fail");
    assert_eq!(case["close"], "unclean");
    assert_eq!(case["duration_ms"], 3.25);
    assert_eq!(case["findings"][0]["rule"], "rfc6455-5.5-control-length");
    assert_eq!(case["findings"][0]["expected"], "the connection is failed with 1002");
    assert_eq!(case["findings"][0]["observed"], "answered with a pong of 126 bytes");
}

#[test]
fn the_schema_refuses_what_is_broken() {
    let schema = schema();
    let whole = written(&expecting::judged());
    assert!(schema.is_valid(&whole));
    let breakages: [(&str, &str, Value); 30] = [
        ("", "schema", json!(5)),
        ("", "schema", json!("1")),
        ("", "targets", Value::Null),
        ("", "seed", json!(-1)),
        ("/catalogue", "digest", Value::Null),
        ("/rules/rfc6455-4.1-hidden", "binds", json!("proxy")),
        ("/rules/rfc6455-4.1-hidden", "unobservable", json!("so")),
        ("/rules/rfc6455-5.5-control-length", "watched", json!("yes")),
        ("/targets/0", "role", json!("proxy")),
        ("", "expectations", json!("none")),
        ("/expectations/0", "cases", json!("2.5")),
        ("/expectations/0", "cases", Value::Null),
        ("/expectations/0", "behavior", json!("bad")),
        ("/expectations/0", "reason", Value::Null),
        ("/expectations/0", "until", json!(2027)),
        ("/expectations/1", "close", json!("bad")),
        ("/expectations/3", "complaints", json!("no")),
        ("/targets/0/cases/4", "expected", json!(-1)),
        ("/targets/0/cases/0", "id", Value::Null),
        ("/targets/0/cases/0", "behavior", json!("ok")),
        ("/targets/0/cases/0", "close", json!("failed")),
        ("/targets/0/cases/0", "duration_ms", json!(-1)),
        ("/targets/0/cases/4/findings/0", "observed", Value::Null),
        ("/targets/0/cases/0/transcript/entries/0", "what", json!("guessed")),
        ("/targets/0/cases/4/transcript/entries/13", "messages", json!(-1)),
        ("/targets/0/cases/4/transcript/entries/13/round_trips", "p99_us", Value::Null),
        ("/targets/0/cases/4/transcript/entries/14", "extension", Value::Null),
        ("/targets/0/cases/0/transcript/entries/4/frame", "opcode", json!(16)),
        ("/targets/0/cases/0/transcript/entries/4/frame", "mask", json!("xyz")),
        ("/targets/0/cases/0/transcript/entries/4/frame/payload", "hex", json!("abc")),
    ];
    for (at, field, to) in breakages {
        let mut broken = whole.clone();
        let object = broken.pointer_mut(at).and_then(Value::as_object_mut).expect(at);
        assert!(object.contains_key(field), "{at} has {field}");
        // Null stands for the field's absence.
        if to.is_null() {
            object.remove(field);
        } else {
            object.insert(field.to_owned(), to.clone());
        }
        assert!(!schema.is_valid(&broken), "{at}/{field} = {to} was accepted");
    }
}

#[test]
fn fields_of_a_later_minor_are_no_harm() {
    let mut value = written(&sample::small());
    value["weather"] = json!("fine");
    value["targets"][0]["cases"][0]["mood"] = json!(7);
    assert!(schema().is_valid(&value));
    assert!(RunReport::from_json(&value.to_string()).is_ok());
}

/// Records of builds that knew no expectations have none, and those that have none do not say so.
#[test]
fn what_nobody_expected_is_not_there() {
    let value = written(&sample::small());
    assert_eq!(value.get("expectations"), None);
    assert_eq!(value["targets"][0]["cases"][4].get("expected"), None);
    let report = RunReport::from_json(&value.to_string()).expect("it is a record");
    assert!(report.expectations.is_empty());
    let judged = written(&expecting::judged());
    assert_eq!(judged["targets"][0]["cases"][4]["expected"], 0);
    assert_eq!(judged["expectations"][0]["reason"], "see issue 12");
}

#[test]
fn a_record_of_the_first_version_is_read_as_it_stands() {
    let mut value = written(&sample::small());
    value["schema"] = json!(1);
    for entries in value["targets"].as_array_mut().into_iter().flatten().flat_map(|target| {
        let cases = target["cases"].as_array_mut().expect("cases");
        cases.iter_mut().map(|case| case["transcript"]["entries"].as_array_mut().expect("entries"))
    }) {
        entries.retain(|entry| entry["what"] != "exchanged" && entry["what"] != "declined");
    }
    assert!(schema().is_valid(&value));
    let report = RunReport::from_json(&value.to_string()).expect("it is a record");
    assert!(!render::html::render(&report).is_empty());
}

/// Before version 3 a record held the rules that it cites, and did not say whom they bind.
#[test]
fn a_record_of_the_second_version_has_the_rules_that_it_names() {
    let mut value = written(&sample::small());
    value["schema"] = json!(2);
    let rules = value["rules"].as_object_mut().expect("rules");
    rules.retain(|id, _| id != "rfc6455-4.1-hidden" && id != "rfc6455-10.3-of-clients");
    for rule in rules.values_mut() {
        for field in ["binds", "unobservable", "watched"] {
            rule.as_object_mut().expect("a rule").remove(field);
        }
    }
    assert!(schema().is_valid(&value));
    let report = RunReport::from_json(&value.to_string()).expect("it is a record");
    let results = conformance(&report, &report.targets[0]);
    assert_eq!(results.len(), report.rules.len());
    let answerless = [Standing::Unobservable, Standing::BindsOthers];
    assert!(results.iter().all(|result| !answerless.contains(&result.standing)));
    assert!(!render::html::render(&report).is_empty() && !render::summary(&report).contains("rules:"));
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let whole = written(&sample::small());
    let with_schema = |schema: Value| {
        let mut value = whole.clone();
        value["schema"] = schema;
        value.to_string()
    };

    let later = RunReport::from_json(&with_schema(json!(7))).expect_err("it is of a later version");
    assert!(matches!(later, ReadError::Later { .. }));
    assert_eq!(
        later.to_string(),
        "this record has schema version 7, and this build reads versions up to 4: \
         read it with the wsgrade that wrote it, or a later one"
    );
    // Even where nothing else is as we know it.
    assert!(matches!(RunReport::from_json(r#"{"schema": 7, "runs": []}"#), Err(ReadError::Later { .. })));

    let unknown = RunReport::from_json(&with_schema(json!(0))).expect_err("there was no version 0");
    assert!(matches!(unknown, ReadError::Unknown { .. }));

    for text in ["", "no", "[]", "{}", r#"{"schema": "one"}"#] {
        assert!(matches!(RunReport::from_json(text), Err(ReadError::NotARecord(_))), "{text}");
    }

    let mut value = whole;
    value["targets"][0]["cases"][0]["behavior"] = json!("ok");
    let malformed = RunReport::from_json(&value.to_string()).expect_err("`ok` is no behaviour");
    assert!(matches!(malformed, ReadError::Malformed { .. }));
    assert!(malformed.to_string().contains("unknown variant `ok`"), "{malformed}");
}
