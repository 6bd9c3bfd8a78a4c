//! The summary for a step, read by a parser of Markdown.

use pulldown_cmark::{Event, Options, Parser, Tag};
use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{fuzzing, sample, variants};

fn markdown(report: &RunReport) -> String {
    let [file] = render::markdown::render(report).try_into().expect("one file");
    assert_eq!(file.name, "summary.md");
    file.contents
}

/// What a parser makes of it that we did not mean: elements, links and pictures of others.
fn foreign(text: &str) -> Vec<String> {
    let mut foreign = Vec::new();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_GFM | Options::ENABLE_MATH) {
        match event {
            Event::InlineHtml(html)
                if ["<code>", "</code>", "<span>", "</span>"].contains(&html.as_ref()) => {}
            Event::Start(Tag::Link { dest_url, .. })
                if dest_url.starts_with("https://www.rfc-editor.org/") => {}
            Event::Start(
                Tag::BlockQuote(_)
                | Tag::CodeBlock(_)
                | Tag::HtmlBlock
                | Tag::Image { .. }
                | Tag::Link { .. }
                | Tag::Emphasis,
            )
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Rule => foreign.push(format!("{event:?}")),
            _ => {}
        }
    }
    foreign
}

/// The texts of each row of each table, cell by cell.
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableCell) => cell.clear(),
            Event::Text(text) => cell += &text,
            Event::End(pulldown_cmark::TagEnd::TableCell) => row.push(cell.clone()),
            Event::End(pulldown_cmark::TagEnd::TableRow | pulldown_cmark::TagEnd::TableHead) => {
                rows.push(std::mem::take(&mut row));
            }
            _ => {}
        }
    }
    rows
}

#[test]
fn nothing_in_it_is_markup_of_others() {
    for (name, report) in variants::all() {
        let text = markdown(&report);
        assert_eq!(foreign(&text), Vec::<String>::new(), "{name}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{name}");
        // What a service makes of plain text, behind the parser's back.
        for made in ["@everyone", "www.evil", "http://", "https://evil", "$x"] {
            assert!(!text.contains(made), "{name}: {made}");
        }
        assert!(!text.contains('\u{202e}'), "{name}");
    }
    for bad in ["<img src=x>", "[a](http://b)", "![a](b)", "`c`", "a <b>x</b>", "> q", "$x$", "*x*"] {
        assert!(!foreign(bad).is_empty(), "{bad}");
    }
}

#[test]
fn what_is_hostile_can_be_read_as_it_was() {
    let text = markdown(&variants::hostile());
    let mut shown = String::new();
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        if let Event::Text(text) = event {
            shown += &text;
        }
    }
    let visible = "</script><img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](http://evil.example/b.png) | `code` \
                   **bold** @everyone #1 $x$ www.evil.example https://evil.example/ {0} {{x}} ]]> <!-- ::error::x%0A\\n";
    assert!(shown.contains(visible), "{shown}");
    assert!(rows(&text).iter().all(|row| [10, 3].contains(&row.len())), "a bar makes no cell");
}

#[test]
fn the_summary_literally() {
    let mut report = sample::small();
    report.targets[0].name = "ws".to_owned();
    insta::assert_snapshot!(markdown(&report));
}

#[test]
fn runs_without_a_grade_say_so() {
    assert!(markdown(&variants::no_target()).contains("## wsgrade: no grade\n"));
    assert!(markdown(&variants::no_target()).contains("**The run had no target.**"));
    assert!(markdown(&variants::no_case()).contains("No grade: no case was played that counts."));
    let stopped = markdown(&variants::stopped());
    assert!(
        stopped.contains("**Stopped:** <code>the target stopped answering after 1.1.1</code>"),
        "{stopped}"
    );
}

#[test]
fn a_campaign_tells_what_it_found() {
    let text = markdown(&fuzzing::campaign());
    for words in [
        "## wsgrade: 1 found\n",
        "Scenarios that nobody wrote: 12345 scenarios, 16 at once",
        "- **1.1.1 differs**, wrong: A is right, B breaks a rule",
        "- <code>B&#58; went on</code>",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("what cost the most"));
    assert!(markdown(&fuzzing::clean()).starts_with("## wsgrade: nothing found\n"));
}

#[test]
fn what_was_expected_is_a_table_and_not_among_what_failed() {
    let text = markdown(&variants::expected_of_one());
    let known =
        &text[text.find("**Expectations").expect("they come first")..text.find("### ").expect("a target")];
    insta::assert_snapshot!(known, @"
    **Expectations that are not true (3):**

    - expectation 1 &#40;&#96;2.5&#96;, &#96;7.&#42;&#96;&#41; expects fail with close unclean, but 7.7.1 passes&#58; narrow the entry to those that do not
    - expectation 3 &#40;&#96;1.&#42;&#96;&#41; expects pass with close unclean, but 1.1.1, 1.1.2, 1.1.3, 1.1.4 pass&#58; delete the entry, or narrow it
    - expectation 4 &#40;&#96;zz&#96;&#41; matches no case&#58; delete the entry

    | expected deviation | target | verdict | reason | until |
    |---|---|---|---|---|
    | 2.5 | <code>ws 8.18</code> | fail, close unclean | see issue 12 | 2027-04-01 |
    | 6.3.1 | <code>ws 8.18</code> | non-strict, close wrong-code | UTF-8 is checked late |  |
    ");
    assert!(!text.contains("**2.5**") && !text.contains("**6.3.1**"), "{text}");
    assert!(text.contains("**3.1**"), "what nobody expected is still there");
    let hostile = rows(&markdown(&variants::hostile_expectations()));
    assert!(hostile.iter().all(|row| [10, 5, 3].contains(&row.len())), "{hostile:?}");
    assert!(
        hostile.iter().any(|row| row.len() == 5 && row[3].contains("not ok 1 - z # SKIP ... 1..1")),
        "{hostile:?}"
    );
}

#[test]
fn as_much_of_what_was_expected_is_told_as_there_is_room_for() {
    let mut report = variants::hostile_expectations();
    let entry = report.expectations[0].clone();
    report.expectations = vec![entry; 2_000];
    let numbers = 0..;
    let records = report.targets.iter_mut().flat_map(|target| &mut target.cases);
    records.zip(numbers).for_each(|(record, number)| record.expected = Some(number));
    let text = markdown(&report);
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(text.contains(" more in run.json"));
    assert_eq!(foreign(&text), Vec::<String>::new(), "and it is whole");
}

#[test]
fn it_is_never_too_large_and_what_is_left_out_is_counted() {
    let text = markdown(&variants::broken(300));
    assert!(
        text.contains("\n250 more cases are not listed here: run.json and the page have all.\n"),
        "{text}"
    );
    assert!(!markdown(&variants::broken(50)).contains("more case"));

    let mut wide = variants::hostile();
    let target = wide.targets[0].clone();
    wide.targets = vec![target; 60];
    for target in &mut wide.targets {
        let record = target.cases[4].clone();
        target.cases = vec![record; 60];
    }
    let text = markdown(&wide);
    assert!(text.len() < 1 << 20, "{}", text.len());
    assert!(text.contains("more cases are not listed here"), "some of a target's cases");
    assert!(text.contains("more targets are not described here: run.json and the page have all."));
    assert_eq!(foreign(&text), Vec::<String>::new(), "and it is whole");
}
