//! TOML as a tree that we own, every value with its place. Families fill in parameters here, before anything is
//! given a meaning.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The byte offset it begins at.
    pub(crate) at: usize,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    Array(Vec<Node>),
    Table(Vec<Entry>),
    /// A float or a date, of which no case file has any use.
    Other(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: usize,
    pub(crate) node: Node,
}

impl Node {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "a number",
            Value::Bool(_) => "a boolean",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// Reads TOML. What is no TOML is noted, and what could be read nevertheless is returned.
pub(crate) fn parse(problems: &mut Problems<'_>, text: &str) -> Node {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().replace('\n', ", ");
        problems.add(at, format!("not TOML: {message}"));
    }
    let at = table.span().start;
    Node { at, value: from_table(problems, table.into_inner()) }
}

fn from_table(problems: &mut Problems<'_>, table: DeTable<'_>) -> Value {
    let entries = table.into_iter().map(|(key, value)| Entry {
        key_at: key.span().start,
        key: key.into_inner().into_owned(),
        node: from_value(problems, value),
    });
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry.key_at);
    Value::Table(entries)
}

fn from_value(problems: &mut Problems<'_>, value: Spanned<DeValue<'_>>) -> Node {
    let at = value.span().start;
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                problems.add_with_help(
                    at,
                    "the number does not fit 64 signed bits",
                    "a declared length may be written as a string: \"0xffffffffffffffff\"",
                );
                Value::Integer(0)
            }
        },
        DeValue::Boolean(yes) => Value::Bool(yes),
        DeValue::Array(items) => {
            Value::Array(items.into_iter().map(|item| from_value(problems, item)).collect())
        }
        DeValue::Table(table) => from_table(problems, table),
        DeValue::Float(_) => Value::Other("a fraction"),
        DeValue::Datetime(_) => Value::Other("a date"),
    };
    Node { at, value }
}
