//! Why case files could not be loaded.

use crate::form::Problem;

/// Why cases could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The files are wrong: everything that was found, in the order of the files. Never empty.
    #[error("{}", join(.0))]
    Problems(Vec<Problem>),
    /// A file or folder cannot be read.
    #[error("cannot read case files from {path}: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// The system's word for it.
        reason: String,
    },
    /// The folder has no case files.
    #[error("no case files in {path}: their names end with .toml")]
    NoFiles {
        /// Which.
        path: String,
    },
}

fn join(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}
