//! What is made of a record: files, and text for a terminal.
//!
//! ```text
//!              ┌── json     run.json     the record itself, for machines
//! RunReport ───┼── html     index.html   for a person, offline, in one file
//!              ├── junit    junit.xml    for a CI service
//!              ├── summary               for a terminal
//!              ├── comparison            of two records, for a terminal and as Markdown
//!              ├── expectations          known deviations and their reasons, likewise
//!              └── autobahn              the output tree of Autobahn|Testsuite, for those who ask for it
//! ```
//!
//! Every renderer is a pure function, so the same record always gives the same bytes; only [`write_all`]
//! touches the disk.

pub mod autobahn;
pub mod comparison;
pub mod expectations;
pub mod html;
pub mod json;
pub mod junit;
mod summary;
pub(crate) mod text;
pub(crate) mod words;
mod write;

use crate::record::RunReport;

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

/// Every file of the report: `run.json`, `index.html`, `junit.xml`.
pub fn all(report: &RunReport) -> Vec<File> {
    [json::render, html::render, junit::render].into_iter().flat_map(|render| render(report)).collect()
}
