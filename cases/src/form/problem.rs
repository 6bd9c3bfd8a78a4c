//! What is wrong with a file, and where.

use std::collections::BTreeSet;
use std::fmt;

/// A place in a file.
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

/// One thing wrong in a file: where, what, and how to mend it.
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

/// What went wrong while one file is read, by byte offset.
#[derive(Debug)]
pub struct Problems<'a> {
    file: &'a str,
    text: &'a str,
    /// Where each line begins: every case has its place, and files are long.
    lines: Vec<usize>,
    list: Vec<Problem>,
    /// The rows of a family say the same thing many times: once is enough.
    seen: BTreeSet<(usize, String)>,
}

impl<'a> Problems<'a> {
    /// Of a file of this name and with this text.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        Self { file, text, lines, list: Vec::new(), seen: BTreeSet::new() }
    }

    /// Notes what is wrong at a byte offset.
    pub fn add(&mut self, at: usize, message: impl Into<String>) {
        self.push(at, message.into(), None);
    }

    /// The same, with how to mend it.
    pub fn add_with_help(&mut self, at: usize, message: impl Into<String>, help: impl Into<String>) {
        self.push(at, message.into(), Some(help.into()));
    }

    /// The same, perhaps with how to mend it.
    pub fn push(&mut self, at: usize, message: String, help: Option<String>) {
        if self.seen.insert((at, message.clone())) {
            self.list.push(Problem { place: self.place(at), message, help });
        }
    }

    /// Where a byte offset is.
    pub fn place(&self, at: usize) -> Place {
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= at);
        let start = self.lines[line - 1];
        let column = 1 + String::from_utf8_lossy(&self.text.as_bytes()[start..at]).chars().count();
        Place { file: self.file.to_owned(), line, column }
    }

    /// How many were found up to now.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// All of it, in the order in which it was found.
    pub fn into_list(self) -> Vec<Problem> {
        self.list
    }
}

/// The known word nearest to a mistyped one, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `` `a`, `b` and `c` ``.
pub fn listed(words: &[&str], last: &str) -> String {
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
