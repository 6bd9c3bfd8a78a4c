//! Typed access to tables: a wrong type says what was expected, an unknown key what was probably meant.

use std::time::Duration;

use super::node::{Entry, Node, Value};
use super::problem::{Problems, listed, nearest};

/// The lists of tables that our files have, which are written `[[key]]`.
const TABLES: [&str; 6] = ["section", "case", "family", "rule", "target", "expect"];

/// The entries of one table.
#[derive(Debug)]
pub struct Fields<'a> {
    /// What the table is: `a case`, `an ending`.
    pub what: &'static str,
    /// The byte offset it begins at.
    pub at: usize,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The entries of a node that has to be a table with these keys and no others.
    pub fn new(
        problems: &mut Problems<'_>,
        node: &'a Node,
        what: &'static str,
        known: &[&'static str],
    ) -> Option<Self> {
        let fields = Self::open(problems, node, what)?;
        fields.refuse_others(problems, known);
        Some(fields)
    }

    /// The entries of a node that has to be a table; its keys are looked at later.
    pub fn open(problems: &mut Problems<'_>, node: &'a Node, what: &'static str) -> Option<Self> {
        match &node.value {
            Value::Table(entries) => Some(Self { what, at: node.at, entries }),
            _ => {
                problems.add(node.at, format!("{} is expected to be a table, not {}", what, node.kind()));
                None
            }
        }
    }

    /// The same entries, by a name that says more.
    pub fn named(self, what: &'static str) -> Self {
        Self { what, ..self }
    }

    /// Notes every key that is not among the known ones.
    pub fn refuse_others(&self, problems: &mut Problems<'_>, known: &[&'static str]) {
        for entry in self.entries {
            if !known.contains(&entry.key.as_str()) {
                let help = match nearest(&entry.key, known.iter().copied()) {
                    _ if self.what == "a case" && ["rows", "with"].contains(&entry.key.as_str()) => {
                        "a case with parameters is a [[family]]".to_owned()
                    }
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("it may have {}", listed(known, "and")),
                };
                problems.add_with_help(
                    entry.key_at,
                    format!("unknown key `{}` in {}", entry.key, self.what),
                    help,
                );
            }
        }
    }

    /// The keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }

    /// The entries, in the order of the file.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// Whether there is such a key.
    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }

    /// As [`get`](Self::get), and a note where it is missing.
    pub fn need(&self, problems: &mut Problems<'_>, key: &str) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            problems.add(self.at, format!("{} without `{key}`", self.what));
        }
        found
    }

    /// A string; nothing where there is no such key.
    pub fn text(&self, problems: &mut Problems<'_>, key: &str) -> Option<&'a str> {
        text(problems, key, self.get(key)?)
    }

    /// A string that has to be there.
    pub fn need_text(&self, problems: &mut Problems<'_>, key: &str) -> Option<&'a str> {
        let node = self.need(problems, key)?;
        text(problems, key, node)
    }

    /// `true` or `false`.
    pub fn bool(&self, problems: &mut Problems<'_>, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        match node.value {
            Value::Bool(yes) => Some(yes),
            _ => {
                problems.add(node.at, format!("`{key}` is {}, expected true or false", node.kind()));
                None
            }
        }
    }

    /// A number in this range, ends included.
    pub fn number(&self, problems: &mut Problems<'_>, key: &str, range: (u64, u64)) -> Option<u64> {
        number(problems, key, self.get(key)?, range)
    }

    /// A time such as `250ms`.
    pub fn duration(&self, problems: &mut Problems<'_>, key: &str) -> Option<Duration> {
        let node = self.get(key)?;
        let text = text(problems, key, node)?;
        let duration = parse_duration(text);
        if duration.is_none() {
            problems.add(
                node.at,
                format!("`{key}` is {text:?}, expected a time such as \"250ms\" (units s, ms, us, ns)"),
            );
        }
        duration
    }

    /// The items of a list; nothing where there is no such key.
    pub fn list(&self, problems: &mut Problems<'_>, key: &str) -> &'a [Node] {
        self.get(key).map_or(&[], |node| list(problems, key, node))
    }

    /// One of a few words.
    pub fn word<T: Copy>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        word(problems, key, self.get(key)?, words)
    }
}

/// A node as a string.
pub fn text<'a>(problems: &mut Problems<'_>, key: &str, node: &'a Node) -> Option<&'a str> {
    match &node.value {
        Value::Text(text) => Some(text),
        _ => {
            problems.add(node.at, format!("`{key}` is {}, expected a string", node.kind()));
            None
        }
    }
}

/// A node as a number in this range, ends included.
pub fn number(problems: &mut Problems<'_>, key: &str, node: &Node, (least, most): (u64, u64)) -> Option<u64> {
    let number = match node.value {
        Value::Integer(number) => number,
        _ => {
            problems.add(node.at, format!("`{key}` is {}, expected a number", node.kind()));
            return None;
        }
    };
    let found = u64::try_from(number).ok().filter(|n| (least..=most).contains(n));
    if found.is_none() {
        problems.add(node.at, format!("`{key}` is {number}, expected {least} to {most}"));
    }
    found
}

/// A node as a list.
pub fn list<'a>(problems: &mut Problems<'_>, key: &str, node: &'a Node) -> &'a [Node] {
    match &node.value {
        Value::Array(items) => items,
        Value::Table(_) if TABLES.contains(&key) => {
            problems.add(node.at, format!("one `{key}` in brackets, expected two: [[{key}]]"));
            &[]
        }
        _ => {
            problems.add(node.at, format!("`{key}` is {}, expected a list", node.kind()));
            &[]
        }
    }
}

/// A node as one of a few words.
pub fn word<T: Copy>(
    problems: &mut Problems<'_>,
    key: &str,
    node: &Node,
    words: &[(&'static str, T)],
) -> Option<T> {
    let text = text(problems, key, node)?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        let message = format!("`{key}` is {text:?}, expected {}", listed(&known, "or"));
        let help = nearest(text, known).map(|near| format!("did you mean \"{near}\"?"));
        problems.push(node.at, message, help);
    }
    found
}

/// Hex digits in pairs; spaces between pairs are for the reader's eye.
pub fn hex(problems: &mut Problems<'_>, key: &str, node: &Node) -> Option<Vec<u8>> {
    let text = text(problems, key, node)?;
    let bytes = parse_hex(text);
    if bytes.is_none() {
        problems.add(node.at, format!("`{key}` is {}, expected pairs of hex digits", quoted_short(text)));
    }
    bytes
}

fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn quoted_short(text: &str) -> String {
    match text.char_indices().nth(24) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    match unit.trim_start() {
        "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "us" => Some(Duration::from_micros(number)),
        "ns" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_number_and_a_unit() {
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(parse_duration("1 s"), Some(Duration::from_secs(1)));
        assert_eq!(parse_duration("10us"), Some(Duration::from_micros(10)));
        assert_eq!(parse_duration("7ns"), Some(Duration::from_nanos(7)));
        for wrong in ["", "s", "1", "1m", "-1s", "1.5s", "99999999999999999999s", "é"] {
            assert_eq!(parse_duration(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn hex_is_pairs() {
        assert_eq!(parse_hex(""), Some(vec![]));
        assert_eq!(parse_hex("ce BA"), Some(vec![0xce, 0xba]));
        for wrong in ["c", "cg", "c e b", "é0"] {
            assert_eq!(parse_hex(wrong), None, "{wrong:?}");
        }
    }
}
