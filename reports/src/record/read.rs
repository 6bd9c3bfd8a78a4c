//! Reading a record that some build of ours wrote.

use serde::Deserialize;

use super::{RunReport, SchemaVersion};

/// Why a text is no record that this build can read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no JSON, or no object with a `schema` number.
    #[error("this is no run record of wsgrade: {0}")]
    NotARecord(#[source] serde_json::Error),
    /// A later build wrote it.
    #[error(
        "this record has schema version {}, and this build reads versions up to {}: \
         read it with the wsgrade that wrote it, or a later one", found.0, SchemaVersion::CURRENT.0
    )]
    Later {
        /// The version it says.
        found: SchemaVersion,
    },
    /// No build ever wrote such a version.
    #[error("this record has schema version {}, which never existed: the first is 1", found.0)]
    Unknown {
        /// The version it says.
        found: SchemaVersion,
    },
    /// The version is known, the rest is not as that version has it.
    #[error("this record says schema version {}, but is not as that version has it: {source}", found.0)]
    Malformed {
        /// The version it says.
        found: SchemaVersion,
        /// Where it departs from it.
        source: serde_json::Error,
    },
}

impl RunReport {
    /// Reads what `run.json` holds.
    ///
    /// # Errors
    ///
    /// What is no record, or one of a version that this build does not know; each says what to do about it.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        /// Looked at first: in a later version everything else may have another shape.
        #[derive(Deserialize)]
        struct Versioned {
            schema: SchemaVersion,
        }

        let Versioned { schema: found } = serde_json::from_str(text).map_err(ReadError::NotARecord)?;
        if found > SchemaVersion::CURRENT {
            return Err(ReadError::Later { found });
        }
        if found < SchemaVersion(1) {
            return Err(ReadError::Unknown { found });
        }
        serde_json::from_str(text).map_err(|source| ReadError::Malformed { found, source })
    }
}
