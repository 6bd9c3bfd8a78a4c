//! What is wrong with a case file, and where.

use std::collections::BTreeSet;
use std::fmt;

/// A place in a case file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as it was named to us.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing wrong in a case file: where, what, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, as a fragment in lower case.
    pub message: String,
    /// How to mend it, where we have an idea.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

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

/// What went wrong while one file is read, by byte offset.
pub(crate) struct Problems<'a> {
    file: &'a str,
    text: &'a str,
    /// Where each line begins: every case has its place, and files are long.
    lines: Vec<usize>,
    list: Vec<Problem>,
    /// The rows of a family say the same thing many times: once is enough.
    seen: BTreeSet<(usize, String)>,
}

impl<'a> Problems<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Self { file, text, lines, list: Vec::new(), seen: BTreeSet::new() }
    }

    pub(crate) fn add(&mut self, at: usize, message: impl Into<String>) {
        self.push(at, message.into(), None);
    }

    pub(crate) fn add_with_help(&mut self, at: usize, message: impl Into<String>, help: impl Into<String>) {
        self.push(at, message.into(), Some(help.into()));
    }

    pub(crate) fn push(&mut self, at: usize, message: String, help: Option<String>) {
        if self.seen.insert((at, message.clone())) {
            self.list.push(Problem { place: self.place(at), message, help });
        }
    }

    /// Where a byte offset is.
    pub(crate) fn place(&self, at: usize) -> Place {
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        let column = 1 + String::from_utf8_lossy(&self.text.as_bytes()[start..at]).chars().count();
        Place { file: self.file.to_owned(), line, column }
    }

    /// How many were found up to now.
    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn into_list(self) -> Vec<Problem> {
        self.list
    }
}

/// The known word nearest to a mistyped one, if any is near.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed(words: &[&str], last: &str) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let problems = Problems::new("a.toml", "one\nzwölf = 3\n");
        assert_eq!(problems.place(0).to_string(), "a.toml:1:1");
        assert_eq!(problems.place(4).to_string(), "a.toml:2:1");
        let equals = "one\nzwölf ".len();
        assert_eq!(problems.place(equals).to_string(), "a.toml:2:7");
        assert_eq!(problems.place(9_999).to_string(), "a.toml:3:1");
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("titel", ["title", "steps"]), Some("title"));
        assert_eq!(nearest("Steps", ["title", "steps"]), Some("steps"));
        assert_eq!(nearest("payload", ["title", "steps"]), None);
    }

    #[test]
    fn the_same_problem_at_the_same_place_is_said_once() {
        let mut problems = Problems::new("a.toml", "x");
        problems.add(0, "bad");
        problems.add(0, "bad");
        problems.add(0, "worse");
        assert_eq!(problems.into_list().len(), 2);
    }

    #[test]
    fn words_are_listed() {
        assert_eq!(listed(&["a"], "or"), "`a`");
        assert_eq!(listed(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
        assert_eq!(listed(&[], "or"), "nothing");
    }
}
