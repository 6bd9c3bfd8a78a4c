//! What is not true of an expectation, in sentences.

use super::{Date, Expectation};
use crate::record::{CaseRecord, Severity};
use crate::render::text::{column, prose};

/// How many cases and how many patterns a sentence names.
const NAMED: usize = 8;
const PATTERNS: usize = 3;
/// The longest name of each, in characters.
const NAME: usize = 40;

/// The records of one target that an expectation is about and that are not as it is written.
#[derive(Debug, Default)]
pub(super) struct Unlike {
    /// What the target is called, where there is another.
    pub(super) target: Option<String>,
    /// Those that pass.
    pub(super) passing: Vec<String>,
    /// Those that deviate otherwise, with what they showed.
    pub(super) other: Vec<String>,
}

impl Unlike {
    /// Takes note of a record that passes.
    pub(super) fn passes(&mut self, record: &CaseRecord) {
        self.passing.push(column(&record.id, NAME));
    }

    /// Takes note of a record that deviates otherwise.
    pub(super) fn deviates(&mut self, record: &CaseRecord) {
        let close = match record.close.severity() {
            Severity::Good | Severity::Neutral => String::new(),
            Severity::Minor | Severity::Major => format!(", close {}", record.close),
        };
        self.other.push(format!("{} ({}{close})", column(&record.id, NAME), record.behavior));
    }

    /// What is to be said of that. `met` says whether other records are as it is written.
    pub(super) fn sentences(&self, entry: &Entry<'_>, met: bool) -> Vec<String> {
        let of = self.target.as_ref().map_or_else(String::new, |name| format!(" of {}", column(name, 60)));
        let expects = format!("{} expects {}", entry.label(), entry.verdict());
        let mut said = Vec::new();
        if !self.other.is_empty() {
            let cases = listed(&self.other);
            said.push(format!(
                "{expects}, but there is another deviation in {cases}{of}: mend it, or write it down as well"
            ));
        }
        if !self.passing.is_empty() {
            let (cases, verb) =
                (listed(&self.passing), if self.passing.len() == 1 { "passes" } else { "pass" });
            let mend =
                if met { "narrow the entry to those that do not" } else { "delete the entry, or narrow it" };
            said.push(format!("{expects}, but {cases}{of} {verb}: {mend}"));
        }
        said
    }
}

/// An expectation and its place, by which a sentence names it.
pub(super) struct Entry<'a> {
    pub(super) place: usize,
    pub(super) expectation: &'a Expectation,
}

impl Entry<'_> {
    /// `expectation 2 (`6.4.*`)`
    fn label(&self) -> String {
        let patterns = self.expectation.cases();
        let mut named: Vec<_> = patterns.iter().take(PATTERNS).map(|pattern| quoted(pattern, NAME)).collect();
        if patterns.len() > PATTERNS {
            named.push(format!("{} more", patterns.len() - PATTERNS));
        }
        format!("expectation {} ({})", self.place + 1, named.join(", "))
    }

    /// `fail`, `pass with close unclean`
    fn verdict(&self) -> String {
        match self.expectation.close() {
            Some(close) => format!("{} with close {close}", self.expectation.behavior()),
            None => self.expectation.behavior().to_string(),
        }
    }

    /// That its last day is past.
    pub(super) fn over(&self, last: Date) -> String {
        let reason = prose(self.expectation.reason());
        format!(
            "{} held until {last}: mend what it is about, or give it another day ({reason})",
            self.label()
        )
    }

    /// That this pattern of cases matches none, and what was perhaps meant.
    pub(super) fn no_case(&self, pattern: &str, near: Option<&str>) -> String {
        let (label, alone) = (self.label(), self.expectation.cases().len() == 1);
        let subject = if alone { label } else { format!("{label}: {}", quoted(pattern, NAME)) };
        match near {
            Some(near) => format!("{subject} matches no case; did you mean {}?", quoted(near, 60)),
            None if alone => format!("{subject} matches no case: delete the entry"),
            None => format!("{subject} matches no case: take it out"),
        }
    }

    /// That its pattern of targets matches none, and what was perhaps meant.
    pub(super) fn no_target(&self, pattern: &str, near: Option<&str>) -> String {
        let said = format!("{} matches no target {}", self.label(), quoted(pattern, NAME));
        match near {
            Some(near) => format!("{said}; did you mean {}?", quoted(near, 60)),
            None => format!("{said}: delete the entry"),
        }
    }
}

fn quoted(text: &str, max: usize) -> String {
    format!("`{}`", column(text, max))
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > NAMED {
        text += &format!(" and {} more", names.len() - NAMED);
    }
    text
}
