//! The page: that nothing gets out of where it belongs, and that it stays light.

use serde_json::Value;
use wsgrade_reports::record::{
    Behavior, ExpectationRecord, PayloadInfo, Role, RunReport, SchemaVersion, What,
};
use wsgrade_reports::render::html::{self, Baseline, Change, ChangeKind};

use crate::sample::{self, HOSTILE};
use crate::{expecting, realistic, repeated, variants};

fn page(report: &RunReport) -> String {
    let [file] = html::render(report).try_into().expect("one file");
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

fn change(target: &str, case: &str, kind: ChangeKind, before: &str, after: &str) -> Change {
    Change {
        target: target.to_owned(),
        case: case.to_owned(),
        role: Role::Server,
        carrier: "tcp".to_owned(),
        kind,
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

#[test]
fn what_changed_is_a_panel_a_filter_and_a_mark() {
    let report = sample::small();
    let (faulty, good) = (report.targets[0].name.clone(), report.targets[1].name.clone());
    let changes = vec![
        change(&faulty, "2.5", ChangeKind::Regressed, "pass", HOSTILE),
        change(&good, "2.5", ChangeKind::Slower, "3 ms", "41 ms"),
        change(&good, "1.1.1", ChangeKind::Added, "", "pass"),
        change(&good, "9.9.9", ChangeKind::Removed, "pass", ""),
        // Of no record of this run: another role, another carrier, another target.
        Change { role: Role::Client, ..change(&good, "3.1", ChangeKind::Fixed, "fail", "pass") },
        Change { carrier: "h2".to_owned(), ..change(&good, "3.1", ChangeKind::Fixed, "fail", "pass") },
        change("somebody else", "3.1", ChangeKind::Fixed, "fail", "pass"),
    ];
    let baseline = Baseline { name: format!("main {HOSTILE}"), changes };
    let [file] = html::render_with(&report, Some(&baseline)).try_into().expect("one file");
    let page = file.contents;
    assert!(!page.contains("<img") && !page.contains('\0') && page.contains("compared with <code>main &lt;"));
    assert_eq!(page.matches("<span class=\"delta ").count(), 3, "those that are there are marked");
    assert!(page.contains("data-k=\"bad-close fail pass regressed slower differ\""), "and can be filtered");
    let chip = |word: &str| page.contains(&format!("data-kind=\"{word}\""));
    assert_eq!(
        ["regressed", "slower", "added", "removed", "fixed", "changed"].map(chip),
        [true, true, true, false, false, false],
        "what the matrix has none of is no filter"
    );
    assert!(page.contains("<span class=\"id\">9.9.9</span>"), "what is gone has no link");
    assert!(page.contains("<b>3</b> fixed"), "the panel has them all");
    assert!(page.contains("<del>3 ms</del>") && page.contains("<ins>41 ms</ins>"));
    let index = island(&page);
    let marks: Vec<_> = (0..2).map(|n| &index["targets"][n]["records"][4][8]["mark"]).collect();
    assert_eq!((&marks[1]["word"], &marks[1]["says"]), (&"slower".into(), &"was 3 ms, now 41 ms".into()));
    assert!(marks[0]["says"].as_str().expect("a sentence").starts_with("was pass, now </script><img"));
    assert_eq!(index["targets"][1]["records"][0][8]["mark"]["says"], "now pass");
    assert!(index["targets"][1]["records"][6][8].is_null(), "3.1 is as it was");

    let nothing = Baseline { name: "main".to_owned(), changes: Vec::new() };
    let [file] = html::render_with(&report, Some(&nothing)).try_into().expect("one file");
    assert!(file.contents.contains("Nothing changed.") && !file.contents.contains("class=\"delta"));
    assert!(!self::page(&report).contains("id=\"since\""), "without a baseline there is nothing of it");
    assert_eq!(html::render(&report), html::render_with(&report, None));
}

#[test]
fn what_was_expected_is_a_panel_a_filter_and_a_mark() {
    let page = page(&variants::expected_of_one());
    let untrue = &page[page.find("id=\"untrue\"").expect("it is there")..];
    assert!(page.find("id=\"untrue\"") < page.find("id=\"costs\""), "near the top");
    assert_eq!(untrue[..untrue.find("</section>").expect("an end")].matches("<li>").count(), 3);
    let known = &page[page.find("id=\"known\"").expect("it is there")..];
    let known = &known[..known.find("</section>").expect("an end")];
    for words in [
        "see issue 12",
        "until 2027-04-01",
        "href=\"#case/2.5/1\"",
        "UTF-8 is checked late",
        "2 records deviate",
    ] {
        assert!(known.contains(words), "{words}: {known}");
    }
    assert!(page.contains("<b>2</b> <i aria-hidden=\"true\">◎</i> as expected"));
    let row = |id: &str| {
        let at = page.find(&format!("<span class=\"id\">{id}</span>")).expect(id);
        let start = page[..at].rfind("<tr ").expect("a row");
        &page[start..start + page[start..].find("</tr>").expect("its end")]
    };
    assert!(row("2.5").contains("data-k=\"bad-close expected fail\""), "{}", row("2.5"));
    assert!(
        row("2.5").contains("<b>◎ expected:</b> see issue 12") && row("2.5").contains("cell v-fail known")
    );
    assert!(row("3.1").contains("data-k=\"bad-close pass unexpected\"") && !row("3.1").contains("◎"));
    let index = island(&page);
    assert_eq!(
        index["known"],
        serde_json::json!(["see issue 12 (until 2027-04-01)", "UTF-8 is checked late"])
    );
    assert_eq!(index["targets"][0]["records"][4][8]["known"], 0);
    // Of several targets, a line says which.
    let many = self::page(&realistic::expected());
    assert!(many.contains("websockets 17.4 · until 2027-04-01"));
    // Where nobody expected anything there is nothing of it.
    let other = self::page(&sample::small());
    for words in ["id=\"untrue\"", "id=\"known\"", "unexpected", "◎", "data-key=\"known\""] {
        assert!(!other.contains(words), "{words}");
    }
}

#[test]
fn hostile_reasons_stay_text() {
    let page = page(&variants::hostile_expectations());
    assert!(!page.contains("<img") && !page.contains("\u{1b}"));
    let index = island(&page);
    let reason = index["known"][0].as_str().expect("a reason");
    assert!(reason.contains("onerror=alert(1)") && !reason.contains('\u{202e}'), "{reason}");
}

/// A long reason for each of the deviations does not make it heavy either.
#[test]
fn many_expectations_are_listed_in_part() {
    let mut report = realistic::run();
    let entry =
        ExpectationRecord { reason: "because ".repeat(500), ..expecting::judged().expectations.remove(0) };
    let entries: Vec<_> = (0..3_000)
        .map(|n| ExpectationRecord { reason: format!("{n} {}", entry.reason), ..entry.clone() })
        .collect();
    report.expectations = entries;
    let records = report.targets.iter_mut().flat_map(|target| &mut target.cases);
    records.zip(0..).for_each(|(record, number)| {
        record.expected = Some(number);
        record.behavior = Behavior::Fail;
    });
    let page = page(&report);
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert!(page.contains(" more in <code>run.json</code>"));
}

#[test]
fn many_changes_are_listed_in_part() {
    let report = realistic::run();
    let target = &report.targets[0];
    let changes = target.cases.iter().take(90);
    let changes =
        changes.map(|record| change(&target.name, &record.id, ChangeKind::Slower, "1 ms", "9 ms")).collect();
    let baseline = Baseline { name: "main".to_owned(), changes };
    let [file] = html::render_with(&report, Some(&baseline)).try_into().expect("one file");
    let listed = file.contents.matches("<ins>9 ms</ins>").count();
    assert_eq!(listed, 60);
    assert!(file.contents.contains("and 30 more: <a href=\"#cases?change=slower\">"));
    assert!(!file.contents.contains("<details class=\"change\" open"));
}

#[test]
fn what_was_timed_is_plotted() {
    let report = realistic::run();
    let text = page(&report);
    assert_eq!(text.matches("<figure class=\"plot\">").count(), 8);
    // Round trips of each target, and for those who read the same in a table.
    assert_eq!(text.matches("class=\"whisker\"").count(), 2 * 6 * 5);
    let links = text.matches(" data-href=\"#case/9.7.2/3\"").count();
    assert_eq!((links, text.matches("<td><a href=\"#case/9.7.2/3\">").count()), (1, 1));
    // Two targets failed three cases each of two sections, which says nothing of how fast they are.
    let [one, two] =
        ["#case/9.3.1/1", "#case/9.3.4/1"].map(|href| text.contains(&format!("data-href=\"{href}\"")));
    assert_eq!((one, two), (false, true));
    assert!(text.contains(">in fragments of</text>") && text.contains(">64 B</text>"));
    assert!(!page(&sample::small()).contains("class=\"plot\""), "nothing was timed");
}

#[test]
fn absurd_times_leave_the_plots_whole() {
    let mut report = realistic::run();
    let mut n = 0_u64;
    for record in report.targets.iter_mut().flat_map(|target| &mut target.cases) {
        n += 1;
        for entry in &mut record.transcript.entries {
            entry.at_us = if n.is_multiple_of(3) { u64::MAX } else { 0 };
            match &mut entry.what {
                What::Exchanged { round_trips: Some(times), .. } => {
                    (times.min_us, times.median_us) = (0, 0);
                    times.p99_us = if n.is_multiple_of(2) { u64::MAX } else { 0 };
                }
                What::Message { payload, .. } => payload.len = u64::MAX,
                _ => {}
            }
        }
    }
    let page = page(&report);
    let start = page.find("id=\"speed\"").expect("there are plots");
    let plots = &page[start..start + page[start..].find("</section>").expect("sections end")];
    assert!(plots.matches("class=\"point\"").count() > 100);
    for wrong in ["NaN", "inf"] {
        assert!(!plots.contains(wrong), "{wrong}");
    }
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
    assert!(size < 5_000_000, "{size}");
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

#[test]
fn five_targets_and_the_whole_catalogue_open_at_once() {
    let report = realistic::whole();
    assert_eq!((report.cases.len(), report.targets.len()), (1210, 5));
    let [file] =
        html::render_with(&report, Some(&realistic::baseline(&report))).try_into().expect("one file");
    let share = statement(&file.contents).len();
    assert!(file.contents.len() < 5_000_000 && share < 1_000_000, "{} of {}", share, file.contents.len());
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
