//! Families: one text for many alike cases. `rows` lists the parameters of each, `with` gives every combination.
//!
//! `{name}` in a string is replaced by the parameter, `{{` and `}}` are braces, and a string that is nothing but
//! `{name}` becomes the parameter itself, whatever its type. `{n}` counts the rows from 1 unless they say it.

use std::collections::BTreeSet;

use super::case;
use crate::form::{Entry, Fields, Node, Problems, Value, list, listed, nearest};

/// No family has more cases.
const MAX_CASES: usize = 10_000;

/// The tables of the family's cases.
pub(crate) fn expand(problems: &mut Problems<'_>, node: &Node) -> Vec<Node> {
    let mut known = case::KEYS.to_vec();
    known.extend(["rows", "with"]);
    let Some(fields) = Fields::new(problems, node, "a family", &known) else { return Vec::new() };
    let rows = match (fields.get("rows"), fields.get("with")) {
        (Some(rows), None) => from_rows(problems, rows),
        (None, Some(with)) => combinations(problems, with),
        (Some(_), Some(_)) => {
            problems.add(fields.at, "a family has either `rows` or `with`");
            return Vec::new();
        }
        (None, None) => {
            problems.add_with_help(
                fields.at,
                "a family without `rows` or `with`",
                "a case without parameters is a [[case]]",
            );
            return Vec::new();
        }
    };
    let template = Node {
        at: node.at,
        value: Value::Table(
            fields
                .entries()
                .iter()
                .filter(|entry| entry.key != "rows" && entry.key != "with")
                .cloned()
                .collect(),
        ),
    };
    let mut used = BTreeSet::new();
    let cases: Vec<_> =
        rows.iter().map(|row| Filling { row, used: &mut used, problems }.fill(&template)).collect();
    for row in &rows {
        for entry in row {
            if entry.key != "n" && !used.contains(&entry.key) {
                problems.add(entry.key_at, format!("parameter `{}` is used nowhere", entry.key));
            }
        }
    }
    cases
}

fn from_rows(problems: &mut Problems<'_>, node: &Node) -> Vec<Vec<Entry>> {
    let items = list(problems, "rows", node);
    if items.len() > MAX_CASES {
        problems.add(node.at, format!("more than {MAX_CASES} cases in one family"));
        return Vec::new();
    }
    let mut rows = Vec::new();
    for item in items {
        if let Some(fields) = Fields::open(problems, item, "a row") {
            rows.push(counted(fields.entries().to_vec(), rows.len(), item.at));
        }
    }
    if rows.is_empty() {
        problems.add(node.at, "`rows` is empty, expected at least one");
    }
    rows
}

fn combinations(problems: &mut Problems<'_>, node: &Node) -> Vec<Vec<Entry>> {
    let Some(fields) = Fields::open(problems, node, "`with`") else { return Vec::new() };
    let mut rows = vec![Vec::new()];
    for parameter in fields.entries() {
        let values = list(problems, &parameter.key, &parameter.node);
        if values.is_empty() || rows.len().saturating_mul(values.len()) > MAX_CASES {
            let wrong = if values.is_empty() { "no values" } else { "too many combinations" };
            problems.add(parameter.key_at, format!("parameter `{}`: {wrong}", parameter.key));
            return Vec::new();
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                values.iter().map(move |value| {
                    let mut row: Vec<Entry> = row.clone();
                    row.push(Entry { node: value.clone(), ..parameter.clone() });
                    row
                })
            })
            .collect();
    }
    rows.into_iter().enumerate().map(|(n, row)| counted(row, n, node.at)).collect()
}

/// A row with its number, unless it says one.
fn counted(mut row: Vec<Entry>, index: usize, at: usize) -> Vec<Entry> {
    if row.iter().all(|entry| entry.key != "n") {
        let value = Value::Integer(i64::try_from(index).unwrap_or(i64::MAX).saturating_add(1));
        row.push(Entry { key: "n".to_owned(), key_at: at, node: Node { at, value } });
    }
    row
}

/// The template with one row's parameters.
struct Filling<'a, 'p> {
    row: &'a [Entry],
    used: &'a mut BTreeSet<String>,
    problems: &'a mut Problems<'p>,
}

impl Filling<'_, '_> {
    fn fill(&mut self, node: &Node) -> Node {
        let value = match &node.value {
            Value::Text(text) => return self.fill_text(node.at, text),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill(item)).collect()),
            Value::Table(entries) => Value::Table(
                entries
                    .iter()
                    .map(|entry| Entry {
                        key: entry.key.clone(),
                        key_at: entry.key_at,
                        node: self.fill(&entry.node),
                    })
                    .collect(),
            ),
            Value::Integer(_) | Value::Bool(_) | Value::Date(_) | Value::Fraction => node.value.clone(),
        };
        Node { at: node.at, value }
    }

    fn fill_text(&mut self, at: usize, text: &str) -> Node {
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            && !name.contains(['{', '}'])
        {
            let fallback = || Node { at, value: Value::Text(text.to_owned()) };
            return self.parameter(at, name).cloned().unwrap_or_else(fallback);
        }
        let mut out = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            out.push_str(&rest[..brace]);
            rest = &rest[brace..];
            if let Some(after) = rest.strip_prefix("{{") {
                out.push('{');
                rest = after;
            } else if let Some(after) = rest.strip_prefix("}}") {
                out.push('}');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
                match self.parameter(at, name).map(|node| &node.value) {
                    Some(Value::Text(text)) => out.push_str(text),
                    Some(Value::Integer(number)) => out.push_str(&number.to_string()),
                    Some(
                        Value::Bool(_) | Value::Array(_) | Value::Table(_) | Value::Date(_) | Value::Fraction,
                    ) => {
                        let message = format!("parameter `{name}` is neither a string nor a number");
                        self.problems.add_with_help(
                            at,
                            message,
                            "it can only stand alone: \"{name}\"".replace("name", name),
                        );
                    }
                    None => {}
                }
                rest = after;
            } else {
                self.problems.add_with_help(
                    at,
                    "a brace without its partner",
                    "a brace itself is written `{{` or `}}` in a family",
                );
                rest = &rest[1..];
            }
        }
        out.push_str(rest);
        Node { at, value: Value::Text(out) }
    }

    fn parameter(&mut self, at: usize, name: &str) -> Option<&Node> {
        let names: Vec<_> = self.row.iter().map(|entry| entry.key.as_str()).collect();
        let found = self.row.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
        match found {
            Some(_) => {
                self.used.insert(name.to_owned());
            }
            None => {
                let help = match nearest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{{{near}}}`?"),
                    None => format!("this family has {}", listed(&names, "and")),
                };
                self.problems.add_with_help(at, format!("unknown parameter `{{{name}}}`"), help);
            }
        }
        found
    }
}
