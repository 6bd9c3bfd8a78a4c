//! The table of formats.

use std::collections::BTreeSet;

use wsgrade_reports::render::{self, Format};

use crate::{sample, variants};

#[test]
fn a_name_is_read_as_it_is_printed() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse(), Ok(format));
    }
    assert_eq!(format!("{:>6}", Format::Csv), "   csv");
}

#[test]
fn a_wrong_name_is_answered_with_what_was_meant() {
    for (word, meant) in
        [("sarrif", "sarif"), ("JUnit", "junit"), ("github", "github-annotations"), ("markdwn", "markdown")]
    {
        let error = word.parse::<Format>().expect_err("it is none").to_string();
        assert_eq!(error, format!("there is no format `{word}`; did you mean `{meant}`?"));
    }
    insta::assert_snapshot!("\u{1b}xyz".parse::<Format>().expect_err("it is none"), @r"there is no format `\u{1b}xyz`; there are json, html, junit, sarif, markdown, csv, tap, badge, github-annotations, gitlab-codequality");
    assert!("".parse::<Format>().is_err());
}

#[test]
fn every_format_writes_the_files_that_the_table_names() {
    for (name, report) in variants::all() {
        let mut names = BTreeSet::new();
        for format in Format::ALL {
            let files: Vec<_> = render::render(format, &report).into_iter().map(|file| file.name).collect();
            assert_eq!(files, format.files(), "{name}: {format}");
            assert!(files.into_iter().all(|file| names.insert(file)), "{name}: {format} overwrites another");
            assert!(!format.about().is_empty());
        }
    }
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    for format in Format::ALL {
        assert_eq!(
            render::render(format, &sample::small()),
            render::render(format, &sample::small()),
            "{format}"
        );
    }
}

#[test]
fn what_is_asked_for_twice_is_written_once() {
    let names = |formats: &[Format]| {
        render::only(formats, &sample::small()).into_iter().map(|file| file.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[Format::Csv, Format::Json, Format::Csv]), ["run.json", "cases.csv"]);
    assert_eq!(names(&[]), Vec::<String>::new());
    let all: Vec<_> = render::all(&sample::small()).into_iter().map(|file| file.name).collect();
    assert_eq!(all, names(&Format::DEFAULT));
    assert_eq!(all, ["run.json", "index.html", "junit.xml"]);
}
