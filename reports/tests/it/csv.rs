//! The table, read by the rules of RFC 4180.

use wsgrade_reports::record::RunReport;
use wsgrade_reports::render;

use crate::{sample, variants};

fn csv(report: &RunReport) -> String {
    let [file] = render::csv::render(report).try_into().expect("one file");
    assert_eq!(file.name, "cases.csv");
    file.contents
}

/// Records of fields, if it is a file of RFC 4180 with every field quoted.
fn read(text: &str) -> Option<Vec<Vec<String>>> {
    let mut records = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut record = Vec::new();
        loop {
            let mut field = String::new();
            rest = rest.strip_prefix('"')?;
            loop {
                let (before, after) = rest.split_once('"')?;
                field += before;
                rest = after;
                match rest.strip_prefix('"') {
                    Some(after) => {
                        field.push('"');
                        rest = after;
                    }
                    None => break,
                }
            }
            record.push(field);
            match rest.strip_prefix(',') {
                Some(after) => rest = after,
                None => break,
            }
        }
        rest = rest.strip_prefix("\r\n")?;
        records.push(record);
    }
    Some(records)
}

#[test]
fn there_is_one_line_for_each_record_and_each_has_as_many_fields() {
    for (name, report) in variants::all() {
        let text = csv(&report);
        let records = read(&text).unwrap_or_else(|| panic!("{name}: {text}"));
        let cases: usize = report.targets.iter().map(|target| target.cases.len()).sum();
        assert_eq!(records.len(), 1 + cases, "{name}");
        assert_eq!(text.lines().count(), 1 + cases, "{name}: a line is a record");
        assert!(records.iter().all(|record| record.len() == records[0].len()), "{name}");
        // What a spreadsheet computes begins so, whatever it is.
        let computed = |field: &&String| field.trim_start().starts_with(['=', '+', '-', '@']);
        assert_eq!(records.iter().flatten().find(computed), None, "{name}");
    }
    for broken in ["a,b\r\n", "\"a\"\n", "\"a\r\n", "\"a\" ,\"b\"\r\n"] {
        assert_eq!(read(broken), None, "{broken:?}");
    }
}

#[test]
fn formulas_are_text() {
    let mut report = sample::small();
    report.targets[0].cases[4].findings[0].observed = "=HYPERLINK(\"http://evil\")".to_owned();
    report.targets[0].name = "@SUM(A1)".to_owned();
    let records = read(&csv(&report)).expect("it is a table");
    assert_eq!(records[5][14], "'=HYPERLINK(\"http://evil\")");
    assert_eq!(records[5][0], "'@SUM(A1)");
}

#[test]
fn the_reason_of_what_was_expected_is_the_last_column() {
    let mut report = variants::expected_of_one();
    report.expectations[0].reason = "=1+1 \"see\"\nissue 12".to_owned();
    let records = read(&csv(&report)).expect("it is a table");
    let column: Vec<_> = records.iter().map(|record| record.last().expect("a field").as_str()).collect();
    assert_eq!(column[0], "expected_reason");
    assert_eq!((column[4], column[5]), ("", "'=1+1 \"see\" issue 12"));
    let names: std::collections::BTreeSet<_> = records[0].iter().collect();
    assert_eq!(names.len(), records[0].len(), "no two columns share a name");
}

#[test]
fn the_table_literally() {
    let mut report = sample::small();
    report.targets[0].name = "ws".to_owned();
    report.targets.truncate(1);
    let lines: Vec<_> = csv(&report).lines().take(6).map(str::to_owned).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
