//! TOML as a tree that we own, every value with its place. The families of case files fill in parameters here, before anything
//! is given a meaning.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The byte offset it begins at.
    pub at: usize,
    /// What it is.
    pub value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number that fits 64 signed bits.
    Integer(i64),
    /// `true` or `false`.
    Bool(bool),
    /// `[ … ]`, or tables under the same name in double brackets.
    Array(Vec<Node>),
    /// A table, in the order of the file.
    Table(Vec<Entry>),
    /// A day, a time or both, as it is written.
    Date(String),
    /// A float, of which no file of ours has any use.
    Fraction,
}

/// A key of a table and its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The byte offset it begins at.
    pub key_at: usize,
    /// The value.
    pub node: Node,
}

impl Node {
    /// What it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "a number",
            Value::Bool(_) => "a boolean",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
            Value::Date(_) => "a date",
            Value::Fraction => "a fraction",
        }
    }
}

/// Reads TOML. What is no TOML is noted, and what could be read nevertheless is returned.
pub fn parse(problems: &mut Problems<'_>, text: &str) -> Node {
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
        DeValue::Float(_) => Value::Fraction,
        DeValue::Datetime(date) => Value::Date(date.to_string()),
    };
    Node { at, value }
}
