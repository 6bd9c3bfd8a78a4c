//! `run.json`: the record itself.

use super::File;
use crate::record::RunReport;

/// The record as `reports/schema/run.schema.json` has it, without spaces: `jq .` makes it pretty, and nothing
/// makes a large one small.
pub fn render(report: &RunReport) -> Vec<File> {
    let mut contents = serde_json::to_string(report).expect("a record has string keys only");
    contents.push('\n');
    vec![File { name: "run.json".to_owned(), contents }]
}
