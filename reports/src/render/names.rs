//! What targets are called where a name has to stay the same from run to run, and to tell them apart.

use std::borrow::Cow;

use super::text::clipped;
use crate::record::{RunReport, TargetReport};

/// The longest name, in characters.
const NAME: usize = 120;

/// The names of the targets of one run, by their place in the record.
#[derive(Debug)]
pub(crate) struct Names {
    labels: Vec<String>,
    words: Vec<String>,
}

impl Names {
    /// Names every target.
    pub(crate) fn of(report: &RunReport) -> Self {
        let mut names = Self { labels: Vec::new(), words: Vec::new() };
        for target in &report.targets {
            let label = clipped(&lasting(target), NAME);
            let word = word(&label);
            names.labels.push(unlike(&names.labels, &label, |n| format!("{label} ({n})")));
            names.words.push(unlike(&names.words, &word, |n| format!("{word}-{n}")));
        }
        names
    }

    /// For a person to read: harmless to the eye, not yet to any format.
    pub(crate) fn label(&self, target: usize) -> &str {
        &self.labels[target]
    }

    /// For a machine: letters, digits, `-` and `_`, and never empty.
    pub(crate) fn word(&self, target: usize) -> &str {
        &self.words[target]
    }
}

/// A process that we started listens on another port each time, so where its address is all its name, the port is not
/// in it.
fn lasting(target: &TargetReport) -> Cow<'_, str> {
    if target.name != target.url || target.process.is_none() {
        return Cow::Borrowed(&target.name);
    }
    let Some(start) = target.url.find("://").map(|at| at + 3) else { return Cow::Borrowed(&target.name) };
    let rest = &target.url[start..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Cow::Owned(format!("{}{host}{path}", &target.url[..start]))
        }
        Some(_) | None => Cow::Borrowed(&target.name),
    }
}

/// The name, or the first of its variations that nobody has yet.
fn unlike(taken: &[String], name: &str, vary: impl Fn(usize) -> String) -> String {
    let mut names = std::iter::once(name.to_owned()).chain((2..).map(vary));
    names.find(|name| !taken.contains(name)).expect("there are endless variations")
}

/// A part of a class name or a path: a dot would be a level of its own, and a slash too.
pub(crate) fn word(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || c == '-' {
            out.push(c);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    if out.is_empty() { "_".to_owned() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ProcessInfo, Role};

    fn target(name: &str, url: &str, spawned: bool) -> TargetReport {
        TargetReport {
            name: name.to_owned(),
            url: url.to_owned(),
            role: Role::Server,
            agent: None,
            facts: None,
            stopped: None,
            process: spawned.then(ProcessInfo::default),
            cases: Vec::new(),
        }
    }

    #[test]
    fn a_port_that_we_chose_is_no_name() {
        for (url, name) in [
            ("ws://127.0.0.1:41234/", "ws://127.0.0.1/"),
            ("wss://[::1]:41234/a:1?b=c", "wss://[::1]/a:1?b=c"),
            ("ws://localhost:9", "ws://localhost"),
            ("ws://[::1]/", "ws://[::1]/"),
            ("ws://host/", "ws://host/"),
            ("nonsense:1", "nonsense:1"),
        ] {
            assert_eq!(lasting(&target(url, url, true)), name);
            assert_eq!(lasting(&target(url, url, false)), url, "whoever was there before has its port");
        }
        assert_eq!(lasting(&target("mine", "ws://127.0.0.1:41234/", true)), "mine");
    }

    #[test]
    fn words_are_words() {
        assert_eq!(word("ws 8.18 </x>"), "ws_8_18_x_");
        assert_eq!(word(""), "_");
        assert_eq!(word("../.."), "_");
    }

    #[test]
    fn no_two_are_alike() {
        let taken = ["a".to_owned(), "a-2".to_owned()];
        assert_eq!(unlike(&taken, "a", |n| format!("a-{n}")), "a-3");
        assert_eq!(unlike(&taken, "b", |n| format!("b-{n}")), "b");
    }
}
