//! The scenarios that showed something new, in the order of their numbers, and on disk as case files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wsgrade_cases::load::{self, LoadError};
use wsgrade_cases::model::{Payload, Scenario, Step};
use wsgrade_cases::write;
use wsgrade_codec::Role;

use super::schedule::Frozen;
use crate::oracle;

/// How many scenarios are held; a later one takes the place of an earlier one.
const MOST: usize = 4096;
/// Scenarios with more bytes that stand there as they are, instead of being repeated, are not held.
const LONGEST: usize = 64 << 10;

/// The section of the case files of a corpus.
const SECTION: &str = "corpus";

/// What showed something new.
#[derive(Debug, Default)]
pub struct Corpus {
    /// `len() <= MOST`
    entries: Vec<Arc<Scenario>>,
    /// How many were ever held.
    taken: usize,
    /// Every behaviour that was seen.
    seen: HashSet<u64>,
    /// Where new ones are written, if anywhere.
    dir: Option<PathBuf>,
}

/// Why a corpus cannot be had from a folder.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// The folder, or a file in it.
    #[error("cannot use {} as a corpus: {reason}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// A file in it is no case file.
    #[error("{0}\n(the corpus holds case files only; move this one elsewhere or remove it)")]
    Case(#[from] LoadError),
}

impl Corpus {
    /// What a folder holds, for endpoints in this role; new scenarios are written there. The folder is made if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read, or holds a case file that cannot be.
    pub fn load(dir: &Path, role: Role) -> Result<Self, CorpusError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |reason| CorpusError::Io { path, reason }
        };
        fs::create_dir_all(dir).map_err(failed(dir))?;
        let mut corpus = Self { dir: Some(dir.to_owned()), ..Self::default() };
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir).map_err(failed(dir))? {
            let path = entry.map_err(failed(dir))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                paths.push(path);
            }
        }
        // A folder has no order of its own.
        paths.sort();
        for path in paths {
            let text = fs::read_to_string(&path).map_err(failed(&path))?;
            let file = load::read(&path.display().to_string(), &text).map_err(LoadError::Problems)?;
            for (scenario, _) in file.scenarios {
                corpus.keep(Arc::new(oracle::complete(&scenario, role)));
            }
        }
        Ok(corpus)
    }

    /// Holds a scenario if the behaviour it showed is new; says whether it is.
    pub fn offer(&mut self, key: u64, scenario: &Arc<Scenario>) -> bool {
        if !self.seen.insert(key) {
            return false;
        }
        if words(scenario) > LONGEST {
            return true;
        }
        if let Some(dir) = &self.dir {
            let name = format!("{key:016x}");
            let named = Scenario {
                id: format!("{SECTION}.{name}").parse().unwrap_or_else(|_| scenario.id.clone()),
                title: "Showed something new".to_owned(),
                why: "To go on from in another campaign.".to_owned(),
                ..scenario.as_ref().clone()
            };
            let text = format!("{}\n{}", write::section(SECTION, "Corpus"), write::scenario(&named));
            // A corpus that cannot be written is lost when the campaign ends, and nothing else.
            let _ = fs::write(dir.join(format!("{name}.toml")), text);
        }
        self.keep(Arc::clone(scenario));
        true
    }

    fn keep(&mut self, scenario: Arc<Scenario>) {
        match self.entries.get_mut(self.taken % MOST) {
            Some(old) => *old = scenario,
            None => self.entries.push(scenario),
        }
        self.taken += 1;
    }

    /// As it is now.
    pub fn freeze(&self) -> Frozen {
        self.entries.iter().cloned().collect()
    }

    /// How many scenarios it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many behaviours were seen.
    pub fn behaviours(&self) -> usize {
        self.seen.len()
    }
}

/// How many bytes stand in the steps of a scenario as they are.
fn words(scenario: &Scenario) -> usize {
    let of = |step: &Step| match step {
        Step::Send(frame) => literal(&frame.payload),
        Step::More { payload, .. } | Step::Raw { payload, .. } => literal(payload),
        Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => 0,
    };
    scenario.steps.iter().map(of).sum()
}

fn literal(payload: &Payload) -> usize {
    match payload {
        Payload::Text(text) => text.len(),
        Payload::Hex(bytes) => bytes.len(),
        Payload::Repeat { unit, len: _ } => unit.len(),
        Payload::Close { code: _, reason } => literal(reason),
        Payload::Join(parts) => parts.iter().map(literal).sum(),
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::Frame;
    use wsgrade_codec::wire::Opcode;

    use super::*;
    use crate::generate::{Brief, generate};

    fn scenario(bytes: &[u8]) -> Arc<Scenario> {
        let brief = Brief { role: Role::Server, deflate: false, openings: false };
        Arc::new(generate(&brief, bytes))
    }

    #[test]
    fn what_is_not_new_is_not_held() {
        let mut corpus = Corpus::default();
        assert!(corpus.offer(1, &scenario(b"one")));
        assert!(!corpus.offer(1, &scenario(b"two")));
        assert!(corpus.offer(2, &scenario(b"two")));
        assert_eq!((corpus.len(), corpus.behaviours()), (2, 2));
    }

    #[test]
    fn there_is_a_bound() {
        let mut corpus = Corpus::default();
        let one = scenario(b"one");
        for key in 0..(MOST as u64 + 10) {
            assert!(corpus.offer(key, &one));
        }
        assert_eq!((corpus.len(), corpus.behaviours()), (MOST, MOST + 10));
    }

    #[test]
    fn what_is_long_is_known_and_not_held() {
        let long = |payload| {
            let mut scenario = Scenario::clone(&scenario(b"one"));
            scenario.steps = vec![Step::Send(Frame::new(Opcode::TEXT, payload))];
            Arc::new(scenario)
        };
        let mut corpus = Corpus::default();
        assert!(corpus.offer(1, &long(Payload::Text("a".repeat(LONGEST + 1)))));
        assert_eq!((corpus.len(), corpus.behaviours()), (0, 1));
        let repeated = Payload::Repeat { unit: b"a".to_vec(), len: 1 << 17 };
        corpus.offer(2, &long(Payload::Join(vec![repeated, Payload::Text("b".repeat(LONGEST - 1))])));
        assert_eq!((corpus.len(), corpus.behaviours()), (1, 2));
    }

    #[test]
    fn a_folder_gives_back_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new");
        let mut corpus = Corpus::load(&path, Role::Server).unwrap();
        assert!(corpus.is_empty());
        corpus.offer(7, &scenario(b"some bytes to be text"));
        let again = Corpus::load(&path, Role::Server).unwrap();
        let steps = |corpus: &Corpus| corpus.freeze().iter().map(|s| s.steps.clone()).collect::<Vec<_>>();
        assert_eq!(steps(&again), steps(&corpus));
        std::fs::write(path.join("bad.toml"), "[[case]]\nid = 1\n").unwrap();
        let error = Corpus::load(&path, Role::Server).unwrap_err().to_string();
        assert!(error.contains("bad.toml") && error.contains("case files only"), "{error}");
    }
}
