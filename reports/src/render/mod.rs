//! What is made of a record: files, and text for a terminal.
//!
//! ```text
//!              ┌── json         run.json       the record itself, for machines
//! RunReport ───┼── html         index.html     for a person, offline, in one file
//!              ├── junit        junit.xml      for a CI service
//!              ├── sarif        wsgrade.sarif  for code scanning
//!              ├── markdown     summary.md     for the summary of a step, or a pull request
//!              ├── csv          cases.csv      for a spreadsheet
//!              ├── tap          results.tap    for what reads the Test Anything Protocol
//!              ├── badge        badge.svg, badge.json
//!              ├── annotations  for GitHub and for GitLab, beside the code
//!              ├── pcap         for Wireshark, as far as the record holds the bytes
//!              ├── summary      for a terminal
//!              ├── comparison   of two records, for a terminal and as Markdown
//!              ├── expectations known deviations and their reasons, likewise
//!              └── autobahn     the output tree of Autobahn|Testsuite, for those who ask for it
//! ```
//!
//! [`Format`] is the table of them by name. `issue` says what is wrong in a run and `names` what its targets are called, for
//! all formats alike. Every renderer is a pure function, so the same record always gives the same bytes; only
//! [`write_files`] touches the disk.

pub mod annotations;
pub mod autobahn;
pub mod badge;
pub mod comparison;
pub mod csv;
pub mod expectations;
mod format;
pub mod html;
mod issue;
pub mod json;
pub mod junit;
pub mod markdown;
mod names;
pub mod pcap;
pub mod sarif;
mod summary;
pub mod tap;
pub(crate) mod text;
pub(crate) mod words;
mod write;

use crate::record::RunReport;

pub use format::{Format, UnknownFormat, render};
pub use summary::summary;
pub use write::{write_all, write_files};

/// One file of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name within the report's directory.
    pub name: String,
    /// What it holds.
    pub contents: String,
}

/// The files that are written where nothing else is asked for: `run.json`, `index.html`, `junit.xml`.
pub fn all(report: &RunReport) -> Vec<File> {
    only(&Format::DEFAULT, report)
}

/// The files of these formats, each once.
pub fn only(formats: &[Format], report: &RunReport) -> Vec<File> {
    let asked = Format::ALL.into_iter().filter(|format| formats.contains(format));
    asked.flat_map(|format| render(format, report)).collect()
}
