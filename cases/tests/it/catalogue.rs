//! The catalogue as a whole, the schema and the README.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use wsgrade_cases::model::{By, Expected, Outcome, Saw, Scenario, Step};
use wsgrade_cases::{Catalogue, catalogue, load, schema, write};

const README: &str = include_str!("../../README.md");

#[test]
fn the_catalogue_is_without_fault() {
    let read = Catalogue::read(&catalogue::FILES).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(read.scenarios(), Catalogue::embedded().scenarios());
    assert_eq!(read.digest(), Catalogue::embedded().digest());
}

#[test]
fn autobahns_517_cases_are_whole() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for scenario in Catalogue::embedded().scenarios() {
        *counts.entry(scenario.id.group().to_owned()).or_default() += 1;
    }
    // Ours, which grow; ids are for ever, so a smaller number means that a case was lost.
    let ours = [("C", 76), ("D", 111), ("F", 122), ("H", 155), ("N", 96), ("R", 109), ("S", 19), ("U", 103)];
    for (group, count) in ours {
        assert_eq!(counts.remove(group), Some(count), "{group}");
    }
    let expected = [
        ("1", 16),
        ("10", 1),
        ("12", 90),
        ("13", 126),
        ("2", 11),
        ("3", 7),
        ("4", 10),
        ("5", 20),
        ("6", 145),
        ("7", 37),
        ("9", 54),
    ];
    assert_eq!(counts.values().sum::<usize>(), 517);
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        expected.map(|(group, count)| (group.to_owned(), count))
    );
}

#[test]
fn every_case_of_a_group_is_numbered_from_1_without_gaps() {
    let mut sections: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for scenario in Catalogue::embedded().scenarios() {
        let last =
            scenario.id.as_str().rsplit('.').next().and_then(|part| part.parse().ok()).expect("a number");
        sections.entry(scenario.section()).or_default().push(last);
    }
    for (section, numbers) in sections {
        assert!(
            numbers.iter().copied().eq(1..=numbers.len().try_into().expect("few")),
            "{section}: {numbers:?}"
        );
    }
}

#[test]
fn a_case_is_found_by_its_id_and_a_section_by_its_own_or_its_groups() {
    let catalogue = Catalogue::embedded();
    let id = "6.4.1".parse().expect("an id");
    assert_eq!(catalogue.get(&id).map(|scenario| scenario.id.as_str()), Some("6.4.1"));
    assert_eq!(catalogue.get(&"6.4.99".parse().expect("an id")), None);
    assert_eq!(catalogue.section_title("6.4"), Some("How soon invalid text is noticed"));
    assert_eq!(catalogue.section_title("6.99.1"), Some("UTF-8 in text messages"));
    assert_eq!(catalogue.section_title("Z"), None);
    assert!(catalogue.sections().any(|(id, title)| id == "F" && title == "Frames"));
    assert!(catalogue.place(&id).is_some_and(|place| place.file == "6-utf8.toml"));
}

#[test]
fn the_digest_is_that_of_the_cases_and_not_of_their_spelling() {
    let text =
        crate::case("steps = [{ send = \"text\", repeat = \"2a\", len = 3, times = 1 }]\nneeds = [\"echo\"]");
    let section = write::section("X", "Tests");
    let digest = |text: &str| Catalogue::read(&[("a.toml", text)]).unwrap_or_else(|e| panic!("{e}")).digest();
    let same = text.replace(", times = 1", "").replace("steps", "# a remark\nsteps");
    let other = text.replace("len = 3", "len = 4");
    assert_eq!(digest(&format!("{section}{text}")), digest(&format!("{section}{same}")));
    assert_ne!(digest(&format!("{section}{text}")), digest(&format!("{section}{other}")));
}

#[test]
fn every_outcome_but_a_pass_says_what_it_means_or_which_rule_decides() {
    for scenario in Catalogue::embedded().scenarios() {
        for accept in &scenario.accept {
            let always = scenario.accept.iter().all(|accept| accept.verdict == Outcome::Informational);
            assert!(
                accept.verdict == Outcome::Pass || accept.note.is_some() || always,
                "{}: {accept:?}",
                scenario.id
            );
        }
    }
}

/// RFC 7692 5.1: "A server MAY decline". Nothing can be said of a peer that declined, least of all that it failed.
#[test]
fn every_case_of_compression_knows_what_to_say_of_a_peer_that_declines() {
    for scenario in Catalogue::embedded().scenarios() {
        if scenario.opening.deflate.is_empty() {
            continue;
        }
        let declined = scenario.accept.iter().find(
            |accept| matches!(&accept.saw, Saw::Events { events, .. } if events[..] == [Expected::Declined]),
        );
        let accept = declined.unwrap_or_else(|| panic!("{}", scenario.id));
        assert_eq!(accept.verdict, Outcome::Unimplemented, "{}", scenario.id);
        let ending = accept.ending.as_ref().unwrap_or(&scenario.ending);
        assert_eq!(ending.by, By::Us, "{}: after it we close", scenario.id);
    }
}

/// Bytes that a case sends, at full depth; code points count as one.
fn sent(step: &Step) -> u64 {
    match step {
        Step::Send(frame) => frame.payload.len() * u64::from(frame.times),
        Step::More { payload, .. } | Step::Raw { payload, .. } => payload.len(),
        Step::Exchange(exchange) => u64::from(exchange.size) * u64::from(exchange.messages),
        Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => 0,
    }
}

#[test]
fn what_presses_a_target_is_in_its_group_and_nowhere_else() {
    for scenario in Catalogue::embedded().scenarios() {
        assert_eq!(scenario.stress.is_some(), scenario.id.group() == "R", "{}", scenario.id);
    }
}

#[test]
fn no_built_in_case_is_large_but_for_those_of_sizes() {
    for scenario in Catalogue::embedded().scenarios() {
        let most = match scenario.id.group() {
            "9" => 16 << 20,
            "12" | "13" | "R" => 131_072_000,
            _ => 1 << 20,
        };
        let sent: u64 = scenario.steps.iter().map(sent).sum();
        assert!(sent <= most, "{}: {sent}", scenario.id);
    }
}

#[test]
fn cases_by_the_clock_are_those_of_round_trips() {
    let timed = Catalogue::embedded().scenarios().iter().filter(|scenario| scenario.is_timed());
    let sections: std::collections::BTreeSet<_> = timed.map(Scenario::section).collect();
    assert!(sections.iter().eq(["9.7", "9.8"]), "{sections:?}");
}

fn examples() -> Vec<&'static str> {
    README.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_examples_of_the_readme_load() {
    let examples = examples();
    assert_eq!(examples.len(), 3);
    let text = examples.concat();
    let catalogue = Catalogue::read(&[("README.md", &text)]).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalogue.scenarios().len(), 2 + 6);
    assert!(validator().is_valid(&to_json(&text)));
}

#[test]
fn cases_of_a_folder_stand_beside_those_built_in() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("own-cases");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("mine.toml"), examples()[0]).expect("a file");
    std::fs::write(folder.join("notes.txt"), "not a case").expect("a file");
    let catalogue = Catalogue::with_path(&folder).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(catalogue.scenarios().len(), Catalogue::embedded().scenarios().len() + 1);
    assert_ne!(catalogue.digest(), Catalogue::embedded().digest());
    let alone = Catalogue::with_path(&folder.join("mine.toml")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(alone.digest(), catalogue.digest());
}

#[test]
fn a_folder_without_cases_and_a_path_to_nothing_are_errors() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-cases");
    std::fs::create_dir_all(&folder).expect("a folder");
    let error = Catalogue::with_path(&folder).expect_err("nothing in it").to_string();
    assert_eq!(error, format!("no case files in {}: their names end with .toml", folder.display()));
    let error = Catalogue::with_path(&folder.join("gone.toml")).expect_err("not there").to_string();
    assert!(error.starts_with("cannot read case files from "), "{error}");
}

// ---- the schema ----

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(schema::CASE_FILE).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

fn to_json(text: &str) -> Value {
    fn convert(value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) => json!(text),
            toml::Value::Integer(number) => json!(number),
            toml::Value::Float(number) => json!(number),
            toml::Value::Boolean(yes) => json!(yes),
            toml::Value::Datetime(date) => json!(date.to_string()),
            toml::Value::Array(items) => items.iter().map(convert).collect(),
            toml::Value::Table(table) => {
                Value::Object(table.iter().map(|(key, value)| (key.clone(), convert(value))).collect())
            }
        }
    }
    convert(&toml::Value::Table(text.parse().expect("the text is TOML")))
}

#[test]
fn the_catalogue_is_valid_by_the_schema() {
    let validator = validator();
    for (name, text) in catalogue::FILES {
        let errors: Vec<_> = validator
            .iter_errors(&to_json(text))
            .map(|error| format!("{name}: {} {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    let written = write::scenarios(Catalogue::embedded().scenarios());
    assert!(validator.is_valid(&to_json(&written)));
}

#[test]
fn the_schema_refuses_what_the_loader_refuses() {
    let validator = validator();
    assert!(validator.is_valid(&to_json(&crate::case("steps = [{ send = \"ping\" }]"))));
    for wrong in [
        "steps = [{ sned = \"ping\" }]",
        "steps = [{ send = \"pingg\" }]",
        "steps = [{ send = \"ping\", rsv = 8 }]",
        "steps = [{ send = 16 }]",
        "steps = [{ pause = \"soon\" }]",
        "steps = [{ probe = \"A\", pause = \"1s\" }]",
        "steps = [{ send = \"ping\", fin = \"no\" }]",
        "roles = [\"proxy\"]",
        "roles = []",
        "accept = []",
        "accept = [{ verdict = \"ok\", saw = [] }]",
        "accept = [{ verdict = \"pass\", saw = [{ text = \"a\", pong = \"b\" }] }]",
        "ending = { codes = [1000] }",
        "ending = { by = \"peer\", codes = [70000] }",
        "titel = \"x\"",
        "steps = [{ exchange = \"text\", size = 1, messages = 1 }]",
        "steps = [{ exchange = \"ping\", repeat = \"2a\", size = 1, messages = 1 }]",
        "steps = [{ exchange = \"text\", corpus = \"poems\", size = 1, messages = 1 }]",
        "steps = [{ exchange = \"text\", corpus = \"json\", repeat = \"2a\", size = 1, messages = 1 }]",
        "steps = [{ exchange = \"text\", corpus = \"json\", size = 1 }]",
        "steps = [{ exchange = \"text\", corpus = \"json\", size = 1, messages = 0 }]",
        "steps = [{ exchange = \"text\", corpus = \"json\", size = 1, messages = 1, fragment = 0 }]",
        "opening = { deflate = [{ max_window_bits = 16 }] }",
        "opening = { deflate = [{ takeover = true }] }",
        "opening = { tls = \"expired\" }",
        "accept = [{ verdict = \"pass\", saw = [{ declined = \"deflate\" }] }]",
        "accept = [{ verdict = \"pass\", saw = [{ exchanged = 0 }] }]",
    ] {
        let text = crate::case(wrong);
        assert!(!validator.is_valid(&to_json(&text)), "{wrong}");
        assert!(load::read("a.toml", &text).is_err(), "{wrong}");
    }
}
