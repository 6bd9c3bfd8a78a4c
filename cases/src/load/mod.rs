//! From text to scenarios, with a place for everything that is wrong.
//!
//! ```text
//! text ─ node ─> tree with places ─ family ─> tree of each case ─ case, step, payload ─> Scenario
//!                                                  every stage adds to Problems
//! ```
//!
//! All that is wrong with a file is found at once where that is possible; a file with any problem gives no cases.

mod case;
mod error;
mod family;
mod payload;
mod prelude;
mod step;

use crate::form::{self, Fields, Node, Place, Problem, Problems, list};
use crate::model::Scenario;
pub use error::LoadError;
pub use payload::MAX_PAYLOAD;
pub use prelude::read_prelude;
pub use step::MAX_MESSAGES;

/// A case file that was read: what it defines, and where.
#[derive(Clone, Debug, Default)]
pub struct CaseFile {
    /// The cases, families expanded, in the order of the file.
    pub scenarios: Vec<(Scenario, Place)>,
    /// The sections: id, title, place.
    pub sections: Vec<(String, String, Place)>,
}

/// Reads the text of a case file. `file` is its name in messages.
///
/// What a single case can be wrong in beyond its form is the linter's to say ([`crate::lint`]); that ids are
/// unique among all files is the catalogue's ([`crate::catalogue::Catalogue`]).
pub fn read(file: &str, text: &str) -> Result<CaseFile, Vec<Problem>> {
    let mut problems = Problems::new(file, text);
    let mut out = CaseFile::default();
    let root = form::parse(&mut problems, text);
    if problems.count() > 0 {
        // What was recovered from broken TOML would only give rise to more complaints.
        return Err(problems.into_list());
    }
    if let Some(fields) = Fields::new(&mut problems, &root, "a case file", &["section", "case", "family"]) {
        for node in fields.list(&mut problems, "section") {
            read_section(&mut problems, node, &mut out);
        }
        for entry in fields.entries() {
            let cases = match entry.key.as_str() {
                "case" => list(&mut problems, "case", &entry.node).to_vec(),
                "family" => {
                    let families = list(&mut problems, "family", &entry.node);
                    families.iter().flat_map(|node| family::expand(&mut problems, node)).collect()
                }
                _ => continue,
            };
            for node in &cases {
                if let Some((scenario, at)) = case::read(&mut problems, node) {
                    out.scenarios.push((scenario, problems.place(at)));
                }
            }
        }
    }
    if problems.count() > 0 { Err(problems.into_list()) } else { Ok(out) }
}

fn read_section(problems: &mut Problems<'_>, node: &Node, out: &mut CaseFile) {
    let Some(fields) = Fields::new(problems, node, "a section", &["id", "title"]) else { return };
    let id = fields.need_text(problems, "id");
    let title = fields.need_text(problems, "title");
    if let (Some(id), Some(title)) = (id, title) {
        out.sections.push((id.to_owned(), title.to_owned(), problems.place(fields.at)));
    }
}
