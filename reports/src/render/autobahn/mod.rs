//! The output tree of Autobahn|Testsuite, for the gates that were built on it.
//!
//! ```text
//! names     agents, and names of files
//! index.json                  verdict   by agent and case
//! <agent>_case_<id>.json      case      one record, with all the keys it always had
//!                             wirelog   its rows and counts of octets and frames
//! <agent>_case_<id>.html      case      leads to the case on our page
//! index.html                  table     our page, and below it the results in the old words and classes
//! ```
//!
//! What the old tool told and the record does not hold is derived from the verdict, never made up; each place says
//! how. It is no part of [`all`](super::all): whoever wants the old tree asks for it.

mod case;
mod names;
mod table;
mod verdict;
mod wirelog;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::text::visible;
use super::{File, html, write_files};
use crate::record::RunReport;
use names::Agent;
pub(in crate::render) use table::Table;
pub use verdict::{behavior, close};

/// The old tool's files: `index.json` and `index.html`, and two for each record. Agents that would get the same name
/// are told apart by a number, and so are their files.
pub fn render(report: &RunReport) -> Vec<File> {
    let agents = names::agents(report);
    let index: BTreeMap<&str, BTreeMap<String, Entry>> =
        agents.iter().map(|agent| (agent.name.as_str(), entries(agent))).collect();
    let mut files = vec![
        File { name: "index.json".to_owned(), contents: json(&index) },
        File { name: "index.html".to_owned(), contents: html::with_old(report, &table::of(report, &agents)) },
    ];
    for agent in &agents {
        for case in &agent.cases {
            let json = json(&case::json(report, agent, case));
            files.push(File { name: format!("{}.json", case.stem), contents: json });
            files.push(File { name: format!("{}.html", case.stem), contents: case::html(agent, case) });
        }
    }
    files
}

/// [`render`]s the files into a directory, which is made if need be; gives their paths.
///
/// # Errors
///
/// See [`write_files`].
pub fn write_into(report: &RunReport, dir: &Path) -> io::Result<Vec<PathBuf>> {
    write_files(&render(report), dir)
}

/// What `index.json` says of a record; the fields in the order of their names, as the old tool sorted them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    behavior: &'static str,
    behavior_close: &'static str,
    /// In whole milliseconds.
    duration: u64,
    remote_close_code: Option<u16>,
    #[serde(rename = "reportfile")]
    report_file: String,
}

fn entries(agent: &Agent<'_>) -> BTreeMap<String, Entry> {
    let entry = |case: &names::Case<'_>| {
        let entry = Entry {
            behavior: verdict::behavior(case.record.behavior),
            behavior_close: verdict::close(case.record),
            duration: case::milliseconds(case.record),
            remote_close_code: case.record.close_code,
            report_file: format!("{}.json", case.stem),
        };
        (visible(&case.record.id).into_owned(), entry)
    };
    agent.cases.iter().map(entry).collect()
}

/// JSON as the old tool laid it out: three spaces a level, and ASCII throughout.
fn json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"   "));
    value.serialize(&mut serializer).expect("keys are strings, and writing to memory never fails");
    let json = String::from_utf8(out).expect("JSON is UTF-8");
    let mut ascii = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            ascii.push(c);
        } else {
            // Only strings have such, and there the escape means the same.
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(ascii, "\\u{unit:04x}").expect("writing to a string never fails");
            }
        }
    }
    ascii.push('\n');
    ascii
}
