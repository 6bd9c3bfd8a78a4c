//! All cases together: those built in, and a user's own.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use sha1::{Digest, Sha1};

use crate::form::{Place, Problem};
use crate::id::CaseId;
use crate::lint;
use crate::load::{self, LoadError};
use crate::model::Scenario;
use crate::rules::Register;
use crate::write;

/// The catalogue's files, one for each group.
pub const FILES: [(&str, &str); 19] = [
    ("1-framing.toml", include_str!("../catalogue/1-framing.toml")),
    ("2-pings.toml", include_str!("../catalogue/2-pings.toml")),
    ("3-reserved-bits.toml", include_str!("../catalogue/3-reserved-bits.toml")),
    ("4-opcodes.toml", include_str!("../catalogue/4-opcodes.toml")),
    ("5-fragmentation.toml", include_str!("../catalogue/5-fragmentation.toml")),
    ("6-utf8.toml", include_str!("../catalogue/6-utf8.toml")),
    ("7-closing.toml", include_str!("../catalogue/7-closing.toml")),
    ("9-limits-and-speed.toml", include_str!("../catalogue/9-limits-and-speed.toml")),
    ("10-many-fragments.toml", include_str!("../catalogue/10-many-fragments.toml")),
    ("12-deflate-data.toml", include_str!("../catalogue/12-deflate-data.toml")),
    ("13-deflate-parameters.toml", include_str!("../catalogue/13-deflate-parameters.toml")),
    ("C-closing.toml", include_str!("../catalogue/C-closing.toml")),
    ("D-deflate.toml", include_str!("../catalogue/D-deflate.toml")),
    ("F-frames.toml", include_str!("../catalogue/F-frames.toml")),
    ("H-handshake.toml", include_str!("../catalogue/H-handshake.toml")),
    ("N-negotiation.toml", include_str!("../catalogue/N-negotiation.toml")),
    ("R-resilience.toml", include_str!("../catalogue/R-resilience.toml")),
    ("S-security.toml", include_str!("../catalogue/S-security.toml")),
    ("U-utf8.toml", include_str!("../catalogue/U-utf8.toml")),
];

/// Cases with unique ids, in their order, and the titles of their sections.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Sorted by id.
    scenarios: Vec<Scenario>,
    places: BTreeMap<CaseId, Place>,
    sections: BTreeMap<String, (String, Place)>,
}

impl Catalogue {
    /// The cases that are built in.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
            let mut catalogue = Catalogue::default();
            // Linting what a test has linted would only cost time at every start.
            match catalogue.extend(&FILES, false) {
                Ok(()) => catalogue,
                Err(error) => unreachable!("a test loads the embedded cases: {error}"),
            }
        });
        &EMBEDDED
    }

    /// Reads and lints case files: pairs of name and text. Everything wrong in any of them is found.
    pub fn read(files: &[(&str, &str)]) -> Result<Self, LoadError> {
        let mut catalogue = Self::default();
        catalogue.extend(files, true)?;
        Ok(catalogue)
    }

    /// The cases built in, and beside them those of a file, or of the `.toml` files of a folder.
    pub fn with_path(path: &Path) -> Result<Self, LoadError> {
        let mut catalogue = Self::embedded().clone();
        let files = read_files(path)?;
        let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        catalogue.extend(&files, true)?;
        Ok(catalogue)
    }

    fn extend(&mut self, files: &[(&str, &str)], linted: bool) -> Result<(), LoadError> {
        let mut problems = Vec::new();
        let mut added = Vec::new();
        for (name, text) in files {
            match load::read(name, text) {
                Ok(file) => {
                    for (id, title, place) in file.sections {
                        self.add_section(&mut problems, id, title, place);
                    }
                    for (scenario, place) in file.scenarios {
                        self.add(&mut problems, scenario, place, &mut added);
                    }
                }
                Err(found) => problems.extend(found),
            }
        }
        self.scenarios.sort_by(|a, b| a.id.cmp(&b.id));
        if linted && problems.is_empty() {
            self.lint(&added, &mut problems);
        }
        if problems.is_empty() { Ok(()) } else { Err(LoadError::Problems(problems)) }
    }

    fn add(
        &mut self,
        problems: &mut Vec<Problem>,
        scenario: Scenario,
        place: Place,
        added: &mut Vec<CaseId>,
    ) {
        match self.places.entry(scenario.id.clone()) {
            Entry::Occupied(first) => problems.push(Problem {
                message: format!("case `{}` is there already, at {}", scenario.id, first.get()),
                help: Some("ids are unique among all cases, the built-in ones included".to_owned()),
                place,
            }),
            Entry::Vacant(free) => {
                free.insert(place);
                added.push(scenario.id.clone());
                self.scenarios.push(scenario);
            }
        }
    }

    fn add_section(&mut self, problems: &mut Vec<Problem>, id: String, title: String, place: Place) {
        match self.sections.entry(id) {
            // Files that are made one by one, such as findings, each say what they belong to.
            Entry::Occupied(first) if first.get().0 == title => {}
            Entry::Occupied(first) => problems.push(Problem {
                message: format!("section `{}` is there already, at {}", first.key(), first.get().1),
                help: None,
                place,
            }),
            Entry::Vacant(free) => {
                free.insert((title, place));
            }
        }
    }

    fn lint(&self, added: &[CaseId], problems: &mut Vec<Problem>) {
        for id in added {
            let (Some(scenario), Some(place)) = (self.get(id), self.places.get(id)) else { continue };
            for finding in lint::check(scenario, Register::embedded()) {
                problems.push(Problem {
                    place: place.clone(),
                    message: format!("case `{id}`: {}", finding.message),
                    help: finding.help,
                });
            }
            if self.section_title(&scenario.section()).is_none() {
                problems.push(Problem {
                    place: place.clone(),
                    message: format!("case `{id}`: section `{}` has no title", scenario.section()),
                    help: Some(format!("add [[section]] with id = \"{}\" and a title", scenario.section())),
                });
            }
        }
    }

    /// Every case, sorted by id.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The case of that id.
    pub fn get(&self, id: &CaseId) -> Option<&Scenario> {
        let at = self.scenarios.binary_search_by(|scenario| scenario.id.cmp(id)).ok()?;
        self.scenarios.get(at)
    }

    /// Where a case is written.
    pub fn place(&self, id: &CaseId) -> Option<&Place> {
        self.places.get(id)
    }

    /// The title of a section, or of the nearest section around it: `6.4`, else `6`.
    pub fn section_title(&self, section: &str) -> Option<&str> {
        let mut section = section;
        loop {
            if let Some((title, _)) = self.sections.get(section) {
                return Some(title);
            }
            section = section.rsplit_once('.')?.0;
        }
    }

    /// Every section that has a title of its own: id and title.
    pub fn sections(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sections.iter().map(|(id, (title, _))| (id.as_str(), title.as_str()))
    }

    /// The SHA-1 of all cases as [`mod@write`] has them, in hex: runs of like catalogues have the same.
    pub fn digest(&self) -> String {
        let mut digest = Sha1::new();
        for scenario in &self.scenarios {
            digest.update(write::scenario(scenario));
        }
        write::hex(&digest.finalize())
    }
}

/// The case files at a path: itself, or the `.toml` files in it, by name.
fn read_files(path: &Path) -> Result<Vec<(String, String)>, LoadError> {
    let unreadable = |path: &Path, error: &std::io::Error| LoadError::Unreadable {
        path: path.display().to_string(),
        reason: error.to_string(),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(|error| unreadable(path, &error))? {
            let entry = entry.map_err(|error| unreadable(path, &error))?.path();
            if entry.extension().is_some_and(|extension| extension == "toml") {
                paths.push(entry);
            }
        }
        paths.sort();
        if paths.is_empty() {
            return Err(LoadError::NoFiles { path: path.display().to_string() });
        }
    } else {
        paths.push(path.to_owned());
    }
    paths
        .into_iter()
        .map(|path| match std::fs::read_to_string(&path) {
            Ok(text) => Ok((path.display().to_string(), text)),
            Err(error) => Err(unreadable(&path, &error)),
        })
        .collect()
}
