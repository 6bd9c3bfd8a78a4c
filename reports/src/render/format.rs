//! The formats by their names.

use std::fmt;
use std::str::FromStr;

use super::{File, annotations, badge, csv, html, json, junit, markdown, sarif, tap};
use crate::record::RunReport;

/// What a record can be rendered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `run.json`: the record itself.
    Json,
    /// `index.html`: the page.
    Html,
    /// `junit.xml`, which nearly every CI service reads.
    Junit,
    /// `wsgrade.sarif`: for code scanning.
    Sarif,
    /// `summary.md`: for the summary of a step, or a comment on a pull request.
    Markdown,
    /// `cases.csv`: for a spreadsheet.
    Csv,
    /// `results.tap`: the Test Anything Protocol, version 14.
    Tap,
    /// `badge.svg`, and `badge.json` for the endpoint badge of shields.io.
    Badge,
    /// `github-annotations.txt`: workflow commands of GitHub, to be printed.
    GithubAnnotations,
    /// `gl-code-quality-report.json`: the Code Quality report of GitLab.
    GitlabCodequality,
}

impl Format {
    /// Every format, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Json,
        Self::Html,
        Self::Junit,
        Self::Sarif,
        Self::Markdown,
        Self::Csv,
        Self::Tap,
        Self::Badge,
        Self::GithubAnnotations,
        Self::GitlabCodequality,
    ];

    /// What is written where nothing else is asked for.
    pub const DEFAULT: [Self; 3] = [Self::Json, Self::Html, Self::Junit];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Tap => "tap",
            Self::Badge => "badge",
            Self::GithubAnnotations => "github-annotations",
            Self::GitlabCodequality => "gitlab-codequality",
        }
    }

    /// The names of its files within the report's directory.
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["run.json"],
            Self::Html => &["index.html"],
            Self::Junit => &["junit.xml"],
            Self::Sarif => &["wsgrade.sarif"],
            Self::Markdown => &["summary.md"],
            Self::Csv => &["cases.csv"],
            Self::Tap => &["results.tap"],
            Self::Badge => &["badge.svg", "badge.json"],
            Self::GithubAnnotations => &["github-annotations.txt"],
            Self::GitlabCodequality => &["gl-code-quality-report.json"],
        }
    }

    /// What it is for, in a few words.
    pub fn about(self) -> &'static str {
        match self {
            Self::Json => "the record itself, from which every other is made",
            Self::Html => "the page for a person, offline, in one file",
            Self::Junit => "test results for nearly every CI service",
            Self::Sarif => "findings for code scanning, each with its rule",
            Self::Markdown => "a summary for a step or a pull request",
            Self::Csv => "one line a case, for a spreadsheet",
            Self::Tap => "the Test Anything Protocol, version 14",
            Self::Badge => "the grade as an SVG, and as JSON for shields.io",
            Self::GithubAnnotations => "workflow commands for GitHub Actions, to be printed",
            Self::GitlabCodequality => "the Code Quality report of GitLab",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is none of a format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{}`; {}", .word.escape_debug(), hint(.word))]
pub struct UnknownFormat {
    word: String,
}

/// What was meant, or what there is.
fn hint(word: &str) -> String {
    let word = word.to_lowercase();
    let likeness = |format: &Format| strsim::jaro_winkler(&word, format.as_str());
    let nearest = Format::ALL.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|format| likeness(format) > 0.8) {
        Some(format) => format!("did you mean `{format}`?"),
        None => format!("there are {}", Format::ALL.map(Format::as_str).join(", ")),
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.as_str() == word);
        found.ok_or_else(|| UnknownFormat { word: word.to_owned() })
    }
}

/// The files of one format.
pub fn render(format: Format, report: &RunReport) -> Vec<File> {
    match format {
        Format::Json => json::render(report),
        Format::Html => html::render(report),
        Format::Junit => junit::render(report),
        Format::Sarif => sarif::render(report),
        Format::Markdown => markdown::render(report),
        Format::Csv => csv::render(report),
        Format::Tap => tap::render(report),
        Format::Badge => badge::render(report),
        Format::GithubAnnotations => annotations::github(report),
        Format::GitlabCodequality => annotations::gitlab(report),
    }
}
