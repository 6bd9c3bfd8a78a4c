//! The badge, as XML and as shields.io wants it.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{fuzzing, sample, variants};

fn badge(report: &RunReport) -> (String, Value) {
    let [svg, json] = render::badge::render(report).try_into().expect("two files");
    assert_eq!((svg.name.as_str(), json.name.as_str()), ("badge.svg", "badge.json"));
    (svg.contents, serde_json::from_str(&json.contents).expect("it is JSON"))
}

#[test]
fn both_forms_are_well_formed_for_every_record() {
    for (name, report) in variants::all() {
        let (svg, json) = badge(&report);
        let mut reader = Reader::from_str(&svg);
        let mut depth = 0;
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(depth, 0, "{name}");
        assert!(svg.is_ascii() && !svg.contains("script") && !svg.contains("evil"), "{name}");
        // "Always the number 1", "the left text", "can't be empty".
        assert_eq!(json["schemaVersion"], 1, "{name}");
        assert_eq!(json["label"], "wsgrade", "{name}");
        let message = json["message"].as_str().expect("a text");
        assert!(!message.is_empty() && svg.contains(&format!(">{message}</text>")), "{name}");
        let colors = ["brightgreen", "green", "yellowgreen", "yellow", "orange", "red", "lightgrey"];
        assert!(colors.contains(&json["color"].as_str().expect("a text")), "{name}");
        assert!(json["isError"].is_boolean(), "{name}");
    }
}

#[test]
fn it_tells_what_is_known() {
    let told = |report: &RunReport| {
        let (_, json) = badge(report);
        let text = |key: &str| json[key].as_str().unwrap().to_owned();
        (text("message"), text("color"), json["isError"].as_bool().unwrap())
    };
    let of = |message: &str, color: &str, error| (message.to_owned(), color.to_owned(), error);
    assert_eq!(told(&sample::small()), of("D", "orange", false), "that of the worst target");
    let mut good = sample::small();
    good.targets.remove(0);
    assert_eq!(told(&good), of("A+", "brightgreen", false));
    assert_eq!(told(&variants::no_target()), of("no grade", "lightgrey", true));
    assert_eq!(told(&variants::stopped()), of("no grade", "lightgrey", true));
    assert_eq!(told(&fuzzing::campaign()), of("1 found", "red", false));
    assert_eq!(told(&fuzzing::clean()), of("nothing found in 12345", "brightgreen", false));
    assert_eq!(told(&variants::empty_campaign()), of("no grade", "lightgrey", true));
    let mut stopped = fuzzing::clean();
    stopped.targets[0].stopped = Some("it is gone".to_owned());
    assert_eq!(told(&stopped), of("no grade", "lightgrey", true));
}

#[test]
fn the_picture_literally() {
    let mut good = sample::small();
    good.targets.remove(0);
    insta::assert_snapshot!(badge(&good).0);
}
