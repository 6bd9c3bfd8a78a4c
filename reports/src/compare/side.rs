//! One side of a comparison, whatever file it came from.

use serde::Deserialize;
use serde_json::Value;

use crate::baseline::{Baseline, ParseError};
use crate::record::{CaseKey, ReadError, Role, RunReport, Shard};

use super::index::{self, IndexError};
use super::verdict::Verdict;

/// One side: what was found of some targets, and what is known of how.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Whose verdicts these are.
    pub judge: Judge,
    /// The digest of the catalogue; unknown of the old tool.
    pub catalogue: Option<String>,
    /// The part of the selection that this covers, where it is not the whole.
    pub shard: Option<Shard>,
    /// How many messages exchanges had, which decides how long they take; absent where no durations are known.
    pub pace: Option<Pace>,
    /// What was found, target by target.
    pub targets: Vec<SideTarget>,
}

/// Whose verdicts a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Judge {
    /// Ours.
    Wsgrade,
    /// Those of Autobahn|Testsuite.
    Autobahn,
}

/// The most messages that an exchange had ([`RunOptions::depth`](crate::record::RunOptions::depth)); nothing for as many as
/// the case has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace(pub Option<u32>);

/// What was found of one target.
#[derive(Clone, Debug, PartialEq)]
pub struct SideTarget {
    /// What it was called.
    pub name: String,
    /// Its role; unknown of the old tool, whose keys then say server and TCP for want of better.
    pub role: Option<Role>,
    /// The verdicts. Of two with the same key the first one counts.
    pub cases: Vec<(CaseKey, Verdict)>,
}

/// Why a file is no side of a comparison.
#[derive(Debug, thiserror::Error)]
pub enum SideError {
    /// It is JSON and says that it is a run record, but cannot be read.
    #[error("{file}: {source}")]
    Record {
        /// Its name.
        file: String,
        /// What is wrong.
        source: ReadError,
    },
    /// It is JSON of another kind, and not as the old tool has it.
    #[error("{file}: {source}")]
    Index {
        /// Its name.
        file: String,
        /// What is wrong.
        source: Box<IndexError>,
    },
    /// It is no JSON, and no baseline.
    #[error(transparent)]
    Baseline(#[from] ParseError),
}

impl Side {
    /// Reads a file of any kind: a run record, the old tool's `index.json`, or a baseline. `file` is its name, for errors.
    ///
    /// # Errors
    ///
    /// What is wrong with it, as the kind of file that it most likely is.
    pub fn read(file: &str, text: &str) -> Result<Self, SideError> {
        if !text.trim_start().starts_with('{') {
            return Ok(Self::from(&Baseline::parse(file, text)?));
        }
        /// The old tool has agents at the top, each of which is an object; ours has a number there.
        #[derive(Deserialize)]
        struct Top {
            #[serde(default)]
            schema: Option<Value>,
        }

        let is_index = serde_json::from_str::<Top>(text)
            .is_ok_and(|top| top.schema.is_none_or(|schema| schema.is_object()));
        if is_index {
            return index::read(text)
                .map_err(|source| SideError::Index { file: file.to_owned(), source: Box::new(source) });
        }
        match RunReport::from_json(text) {
            Ok(report) => Ok(Self::from(&report)),
            Err(source) => Err(SideError::Record { file: file.to_owned(), source }),
        }
    }
}

impl From<&RunReport> for Side {
    fn from(report: &RunReport) -> Self {
        let targets = report.targets.iter().map(|target| SideTarget {
            name: target.lasting_name().to_owned(),
            role: Some(target.role),
            cases: target.cases.iter().map(|record| (record.key(), Verdict::of(record))).collect(),
        });
        Self {
            judge: Judge::Wsgrade,
            catalogue: Some(report.catalogue.digest.clone()),
            shard: report.shard,
            pace: Some(Pace(report.options.depth)),
            targets: targets.collect(),
        }
    }
}

impl From<&Baseline> for Side {
    fn from(baseline: &Baseline) -> Self {
        let targets = baseline.targets.iter().map(|target| SideTarget {
            name: target.name.clone(),
            role: Some(target.role),
            cases: target.cases.clone(),
        });
        Self {
            judge: Judge::Wsgrade,
            catalogue: Some(baseline.catalogue.clone()),
            shard: None,
            pace: baseline.pace,
            targets: targets.collect(),
        }
    }
}
