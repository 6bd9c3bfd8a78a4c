//! The page: that nothing gets out of where it belongs, and that it stays light.

use serde_json::Value;
use wsgrade_reports::record::{
    Behavior, CaseInfo, CaseRecord, PayloadInfo, RuleText, RunReport, SchemaVersion, What,
};
use wsgrade_reports::render;

use crate::sample::{self, HOSTILE};
use crate::{realistic, repeated};

fn page(report: &RunReport) -> String {
    let [file] = render::html::render(report).try_into().expect("one file");
    assert_eq!(file.name, "index.html");
    file.contents
}

/// What stands between the tags of the script with this id.
fn script<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("id=\"{id}\">")).expect(id) + id.len() + 6;
    let len = page[start..].find("</script>").expect("scripts end");
    &page[start..start + len]
}

fn island(page: &str) -> Value {
    serde_json::from_str(script(page, "index")).expect("the index is JSON")
}

#[test]
fn the_title_has_target_and_grade() {
    let mut report = sample::small();
    report.targets.remove(0);
    assert!(page(&report).contains("<title>A+ reference-server · wsgrade</title>"));
    report.targets.clear();
    assert!(page(&report).contains("<title>no target · wsgrade</title>"));
}

#[test]
fn the_card_says_what_the_process_took() {
    let page = page(&sample::small());
    assert!(page.contains("started by <code>.&#x2f;server --port {port} &lt;&#x2f;script&gt;&lt;img"));
    assert!(page.contains(
        "</code> · peak memory 45 MiB · CPU time 1.23 s · ended by itself: signal 11 (SIGSEGV)</p>"
    ));
    assert_eq!(page.matches("started by <code>").count(), 1, "the other target was not started by us");
}

#[test]
fn hostile_text_stays_text() {
    let page = page(&sample::small());
    for markup in ["<img", "onerror=alert(1)>", "\u{202e}", "\0", "\u{1b}", "7*7 }}<", "<!--"] {
        let found = page.find(markup).map(|at| &page[at.saturating_sub(80)..]);
        assert!(found.is_none(), "{markup:?} in …{}", &found.unwrap_or("")[..120]);
    }
    assert!(page.contains("&lt;&#x2f;script&gt;&lt;img"), "it is there to be read");
    // As many ends as beginnings: the index, what is shared, a wire for each target, and the program.
    assert_eq!(page.matches("</script>").count(), 5);
    assert_eq!(page.matches("<script").count(), 5);
    assert!(page.contains("{{ 7*7 }}"), "templates in the record are not expanded");
}

#[test]
fn the_index_says_what_the_record_says() {
    let report = sample::small();
    let index = island(&page(&report));
    assert_eq!(index["cases"].as_array().map(Vec::len), Some(report.cases.len()));
    let record = &index["targets"][0]["records"][4];
    let case = record[0].as_u64().and_then(|at| usize::try_from(at).ok()).expect("the number of a case");
    assert_eq!(index["cases"][case]["id"], "2.5");
    assert_eq!((&record[2], &record[3]), (&"fail".into(), &"unclean".into()));
    assert_eq!(
        index["repeats"][record[6].as_u64().unwrap_or(9) as usize],
        "wsgrade test ws://127.0.0.1:9001/ -c \0 --seed 42"
    );
    let seen = record[7][1]["observed"].as_str().expect("a sentence");
    let shown =
        [('\0', "\\u{0}"), ('\u{1b}', "\\u{1b}"), ('\u{202e}', "\\u{202e}"), ('\u{202c}', "\\u{202c}")]
            .into_iter()
            .fold(HOSTILE.to_owned(), |text, (c, shown)| text.replace(c, shown));
    assert_eq!(seen, shown, "all of it is there, and all of it shows");
    assert_eq!(index["rules"]["rfc6455-5.2-rsv"]["section"], "5.2");
}

#[test]
fn the_index_says_what_came_of_each_time() {
    let index = island(&page(&repeated::report()));
    let aside = |n: usize| index["targets"][0]["records"][n][8]["repeats"].clone();
    let verdicts = "pass (close pass) 2, fail 1, pass (close unclean) 1 of 4";
    assert_eq!(aside(0), serde_json::json!({ "flaky": true, "verdicts": verdicts }));
    assert_eq!(aside(1), serde_json::json!({ "flaky": false, "verdicts": "pass 3 of 3" }));
    assert_eq!(aside(2), Value::Null);
}

#[test]
fn every_record_has_one_line_of_wire() {
    let report = sample::small();
    let page = page(&report);
    for (n, target) in report.targets.iter().enumerate() {
        let lines: Vec<Value> = script(&page, &format!("wire-{n}"))
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect();
        assert_eq!(lines.len(), target.cases.len());
        for (line, record) in lines.iter().zip(&target.cases) {
            assert_eq!(line.as_array().map(Vec::len), Some(record.transcript.entries.len()));
        }
    }
}

#[test]
fn the_matrix_is_there_without_scripts() {
    let page = page(&sample::small());
    for id in ["1.1.1", "2.5", "F.1"] {
        assert!(page.contains(&format!("href=\"#case/{id}/1\"")), "{id}");
    }
    assert!(page.contains("<noscript>"));
    assert!(page.contains("A choice the RFC leaves open") || page.contains("a choice the RFC leaves open"));
}

#[test]
fn nothing_is_fetched_and_nothing_foreign_runs() {
    let page = page(&sample::small());
    assert!(page.contains("default-src 'none'"));
    assert!(!page.contains("'unsafe-inline'; script-src 'unsafe"));
    for foreign in
        ["src=\"", "<link", "@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval("]
    {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let nonce = page.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a policy");
    assert_eq!(page.matches(nonce).count(), 2, "the policy and the one program");
}

#[test]
fn what_the_record_leaves_undescribed_is_shown_all_the_same() {
    let mut report = sample::small();
    report.cases.remove(4);
    report.rules.clear();
    let page = page(&report);
    assert!(page.contains("(not described in this record)"));
    assert!(page.contains("href=\"#case/2.5/1\""));
}

/// The statement, from its heading to the key of the page.
fn statement(page: &str) -> &str {
    let start = page.find("id=\"rules\"").expect("there is a statement");
    &page[start..start + page[start..].find("id=\"key\"").expect("and a key after it")]
}

#[test]
fn the_statement_says_of_each_rule_how_each_target_stands() {
    let mut report = sample::small();
    report.targets[1].name = "the other".to_owned();
    let page = page(&report);
    let text = statement(&page);
    for id in report.rules.keys() {
        assert_eq!(text.matches(&format!("<code>{id}</code>")).count(), 1, "{id}");
    }
    let of = |id: &str| {
        let end = text.find(&format!("<code>{id}</code>")).expect("the rule is there");
        let rest = &text[end..];
        &rest[..rest.find("</ul></li>").expect("items end")]
    };
    let broken = of("rfc6455-5.5-control-length");
    assert!(broken.contains("MUST broken") && broken.contains("<a href=\"#case/2.5/1\">2.5</a>"), "{broken}");
    assert!(
        broken.contains("<li>the other <span class=\"v v-pass\">")
            && broken.contains("watched in every case")
    );
    assert!(broken.contains("> held</span> <a href=\"#case/2.5/2\">2.5</a>"), "{broken}");
    // What is alike for all is said once, and of nobody in particular.
    let hidden = of("rfc6455-4.1-hidden");
    assert!(
        hidden.contains("<li><span class=\"v v-unimplemented\">")
            && hidden.contains("cannot be observed</span>: how it was meant"),
        "{hidden}"
    );
    assert!(!hidden.contains("watched"), "{hidden}");
    assert!(of("rfc6455-10.3-of-clients").contains("binds client"));
    assert!(!text.contains("older version") && !text.contains("<details class=\"doc\" open"));
    // Section 10 stands after section 4.
    assert!(text.find("#section-4.1\"") < text.find("#section-10.3\""));

    // One from before the register would claim more than it can.
    report.schema = SchemaVersion(2);
    let older = self::page(&report);
    assert!(statement(&older).contains("older version") && !statement(&older).contains("<details"));
    report.rules.clear();
    assert!(!self::page(&report).contains("id=\"rules\""), "no rules, no statement");
}

#[test]
fn a_section_that_is_none_is_no_link() {
    let mut report = sample::small();
    let places = [("RFC 6455", "\"><b>"), ("RFC \"", "1"), ("Mine", "1")];
    for (text, (source, section)) in report.rules.values_mut().zip(places) {
        (text.source, text.section) = (source.to_owned(), section.to_owned());
    }
    let page = page(&report);
    let text = statement(&page);
    assert!(text.contains("<h3>§&quot;&gt;&lt;b&gt;</h3>"), "a section of no RFC");
    assert_eq!(text.matches("<h3>§1</h3>").count(), 2);
    assert!(text.contains("<h3><a href=\"https://www.rfc-editor.org/rfc/rfc6455#section-5.2\""));
}

#[test]
fn an_empty_run_still_gives_a_page() {
    let mut report = sample::small();
    report.targets.clear();
    assert!(page(&report).contains("there is nothing to grade"));
    let mut report = sample::small();
    report.targets.truncate(1);
    report.targets[0].cases.clear();
    assert!(page(&report).contains("no case was played that counts"));
}

#[test]
fn long_conversations_do_not_make_it_heavy() {
    let mut report = sample::small();
    let light = page(&report).len();
    // A payload that some other tool did not digest, and a conversation without end.
    let entries = &mut report.targets[0].cases[0].transcript.entries;
    let What::Frame { frame, .. } = &mut entries[4].what else { panic!("entry 4 is the frame") };
    frame.payload = PayloadInfo { len: 1_000_000, hex: "2a".repeat(1_000_000), tail: None, sha1: None };
    let entry = entries[5].clone();
    entries.extend(std::iter::repeat_n(entry, 100_000));
    report.targets[0].cases[1].findings[0].observed = "x".repeat(1_000_000);
    let heavy = page(&report).len();
    assert!(heavy - light < 60_000, "{light} became {heavy}");
}

#[test]
fn a_large_run_stays_in_bounds() {
    let report = sample::large(5, 520, 4);
    assert_eq!(report.targets.iter().map(|target| target.cases.len()).sum::<usize>(), 2600);
    let size = page(&report).len();
    assert!(size < 8_000_000, "{size}");
}

#[test]
fn a_run_as_large_as_they_come_opens_at_once() {
    let report = realistic::run();
    assert_eq!((report.cases.len(), report.targets.len()), (517, 5));
    let page = page(&report);
    let size = page.len();
    assert!(size < 3_000_000, "{size}");

    let shared: Value = serde_json::from_str(script(&page, "shared")).expect("it is JSON");
    for (n, target) in report.targets.iter().enumerate() {
        let lines = script(&page, &format!("wire-{n}")).lines();
        for (line, record) in lines.zip(&target.cases) {
            let entries = &record.transcript.entries;
            let shown = unfolded(&shared, line);
            match record.behavior {
                Behavior::Pass => assert!(shown.len() <= 48, "{}", record.id),
                Behavior::Informational
                | Behavior::Unimplemented
                | Behavior::NonStrict
                | Behavior::Fail
                | Behavior::Inconclusive => assert_eq!(shown.len(), entries.len(), "{} is whole", record.id),
            }
            for (index, at_us, hex) in shown {
                assert_eq!(at_us, entries[index].at_us, "{} {index}", record.id);
                if let What::Frame { frame, .. } = &entries[index].what {
                    assert_eq!(hex, frame.payload.hex, "{} {index}", record.id);
                }
            }
        }
    }
}

/// As many cases as there will be, and as many rules as the RFCs have, each cited by many of them.
#[test]
fn a_statement_of_every_rule_leaves_the_page_light() {
    let mut report = realistic::run();
    let more: Vec<_> = (0..900 - report.cases.len()).collect();
    let renamed = |id: &str| format!("Z.{id}");
    for &n in &more {
        let case = report.cases[n].clone();
        let (id, section) = (renamed(&case.id), renamed(&case.section));
        report.cases.push(CaseInfo { id, section, ..case });
        for target in &mut report.targets {
            let record = target.cases[n].clone();
            target.cases.push(CaseRecord { id: renamed(&record.id), ..record });
        }
    }
    let text = report.rules.values().max_by_key(|text| text.sentence.len()).expect("a rule").clone();
    for n in 0..400 {
        let section = format!("{}.{}", n / 40, n % 40 / 4);
        report.rules.insert(format!("rfc-{section}-{n}"), RuleText { section, ..text.clone() });
    }
    let rules: Vec<String> = report.rules.keys().cloned().collect();
    for (n, case) in report.cases.iter_mut().enumerate() {
        case.rules.extend((0..3).map(|i| rules[(n * 3 + i) % rules.len()].clone()));
    }
    let page = page(&report);
    let share = statement(&page).len();
    assert!(page.len() < 5_000_000 && share < 1_000_000, "{} of {}", share, page.len());
}

/// What a line of wire shows: the index of each entry in its transcript, its time, and its frame's payload.
fn unfolded(shared: &Value, line: &str) -> Vec<(usize, u64, String)> {
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).expect("a number");
    let rows: Vec<Vec<Value>> = serde_json::from_str(line).expect("each line is JSON");
    let (mut index, mut at_us) = (0, 0);
    let mut shown = Vec::new();
    for row in rows {
        let thing = &shared["t"][number(&row[0])];
        at_us += row[1].as_u64().expect("time goes on");
        if thing["w"] == "gap" {
            index += number(&thing["n"]);
            continue;
        }
        let blob = |at: &Value| shared["b"][number(at)].as_str().expect("hex").to_owned();
        shown.push((index, at_us, thing["f"]["p"].get("h").map(blob).unwrap_or_default()));
        index += 1;
    }
    shown
}
