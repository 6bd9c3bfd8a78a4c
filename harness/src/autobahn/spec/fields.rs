//! JSON with places: every error and every warning says where.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};

/// Why a spec file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::autobahn) enum SpecError {
    /// It cannot be read at all.
    #[error("cannot read the spec file {file}: {reason}")]
    Unreadable {
        /// As it was named.
        file: String,
        /// The system's word for it.
        reason: String,
    },
    /// It is not JSON.
    #[error("{file}:{line}:{column}: {reason}{}", .help.map(|help| format!("\n  help: {help}")).unwrap_or_default())]
    NotJson {
        /// As it was named.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser says.
        reason: String,
        /// How to mend it, where we have an idea.
        help: Option<&'static str>,
    },
    /// A value is not what its key asks for.
    #[error("{file}: {key} must be {expected}, not {found}")]
    Wrong {
        /// As it was named.
        file: String,
        /// The path to the value, quoted.
        key: String,
        /// What is asked for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A key is not there.
    #[error("{file}: `{key}` is missing: {expected}")]
    Missing {
        /// As it was named.
        file: String,
        /// The path to the key.
        key: String,
        /// What is asked for.
        expected: &'static str,
    },
}

/// The known word nearest to another, if any is near.
pub(in crate::autobahn) fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        // The first of equals.
        .fold(None, |best: Option<(f64, &str)>, next| match best {
            Some(best) if best.0 >= next.0 => Some(best),
            Some(_) | None => Some(next),
        })
        .map(|(_, candidate)| candidate)
}

/// Reads JSON. A byte order mark in front is passed over.
pub(super) fn parse(file: &str, text: &str) -> Result<Value, SpecError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.strip_suffix(place.as_str()).unwrap_or(&reason);
        SpecError::NotJson {
            file: file.to_owned(),
            line: error.line(),
            // Of an empty file it says 0.
            column: error.column().max(1),
            reason: format!("this is not JSON: {reason}"),
            help: help(text, error.line(), error.column(), reason),
        }
    })
}

/// What people write that JSON does not have.
fn help(text: &str, line: usize, column: usize, reason: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        return Some("the file is empty; without -s, one to begin with is created");
    }
    if reason.contains("trailing comma") {
        return Some("take away the comma behind the last entry");
    }
    let at = text.lines().nth(line.checked_sub(1)?)?.get(column.checked_sub(1)?..)?;
    let slip = [
        ("/", "JSON has no comments; a key that begins with `_` can hold one"),
        ("#", "JSON has no comments; a key that begins with `_` can hold one"),
        ("'", "JSON has only double quotes"),
    ];
    slip.into_iter().find(|(start, _)| at.starts_with(start)).map(|(_, help)| help)
}

/// What is worth a word and no error.
pub(super) struct Notes {
    file: String,
    list: Vec<String>,
}

impl Notes {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), list: Vec::new() }
    }

    pub(super) fn into_list(self) -> Vec<String> {
        self.list
    }
}

/// The keys of one object, taken one by one; what is left over at the end is not known.
pub(super) struct Fields<'v, 'n> {
    map: &'v Map<String, Value>,
    path: String,
    notes: &'n mut Notes,
    /// Every key that was asked for, which are those there are.
    known: BTreeSet<&'static str>,
}

impl<'v, 'n> Fields<'v, 'n> {
    pub(super) fn of(value: &'v Value, path: String, notes: &'n mut Notes) -> Result<Self, SpecError> {
        match value {
            Value::Object(map) => Ok(Self { map, path, notes, known: BTreeSet::new() }),
            other => Err(wrong(&notes.file, &path, "an object {…}", other)),
        }
    }

    /// An object within this one.
    pub(super) fn inner<'m>(
        &'m mut self,
        value: &'v Value,
        path: String,
    ) -> Result<Fields<'v, 'm>, SpecError> {
        Fields::of(value, path, self.notes)
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, SpecError> {
        self.take(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, SpecError> {
        self.take(key, "true or false", Value::as_bool)
    }

    pub(super) fn number(
        &mut self,
        key: &'static str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, SpecError> {
        let expected = match most {
            u64::MAX => "a whole number".to_owned(),
            most => format!("a whole number from {least} to {most}"),
        };
        self.take(key, &expected, |value| value.as_u64().filter(|number| (least..=most).contains(number)))
    }

    /// A time in seconds. Nothing, which to the old tool is no limit, is as long as anything lasts here.
    pub(super) fn seconds(&mut self, key: &'static str) -> Result<Option<Duration>, SpecError> {
        let longest = Duration::from_secs(3600);
        let time = self.take(key, "seconds, from 0 to 3600", |value| {
            let seconds = value.as_f64()?;
            Duration::try_from_secs_f64(seconds).ok().filter(|time| *time <= longest)
        })?;
        Ok(time.map(|time| if time.is_zero() { longest } else { time }))
    }

    pub(super) fn object(&mut self, key: &'static str) -> Result<Option<(&'v Value, String)>, SpecError> {
        let path = self.at(key);
        let value = self.get(key);
        match value {
            None => Ok(None),
            Some(object @ Value::Object(_)) => Ok(Some((object, path))),
            Some(other) => Err(wrong(&self.notes.file, &path, "an object {…}", other)),
        }
    }

    /// The entries of a list, each with its path.
    pub(super) fn list(&mut self, key: &'static str) -> Result<Option<Vec<(&'v Value, String)>>, SpecError> {
        let path = self.at(key);
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(list)) => {
                Ok(Some(list.iter().enumerate().map(|(n, value)| (value, format!("{path}[{n}]"))).collect()))
            }
            Some(other) => Err(wrong(&self.notes.file, &path, "a list […]", other)),
        }
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Result<Option<Vec<String>>, SpecError> {
        let path = self.at(key);
        let value = self.get(key);
        value.map(|value| texts(&self.notes.file, &path, value)).transpose()
    }

    /// For an object whose keys are the user's: every key with its list.
    pub(super) fn each_list_of_texts(self) -> Result<Vec<(String, Vec<String>)>, SpecError> {
        let entry = |(key, value): (&String, &Value)| {
            let list = texts(&self.notes.file, &format!("{}[{key:?}]", self.path), value)?;
            Ok((key.clone(), list))
        };
        self.map.iter().filter(|(key, _)| !is_comment(key)).map(entry).collect()
    }

    /// A key that may be there and means nothing to us; the user is told so.
    pub(super) fn ignore(&mut self, key: &'static str, why: &str) {
        if self.get(key).is_some() {
            self.warn(key, &format!("is ignored: {why}"));
        }
    }

    /// A key that may be there and never meant anything.
    pub(super) fn quiet(&mut self, key: &'static str) {
        self.known.insert(key);
    }

    pub(super) fn warn(&mut self, key: &str, what: &str) {
        let path = self.at(key);
        let file = &self.notes.file;
        self.notes.list.push(format!("{file}: `{path}` {what}"));
    }

    pub(super) fn missing(&self, key: &str, expected: &'static str) -> SpecError {
        SpecError::Missing { file: self.notes.file.clone(), key: self.at(key), expected }
    }

    /// Warns of every key that nobody asked for.
    pub(super) fn finish(mut self) {
        let strangers: Vec<&String> =
            self.map.keys().filter(|key| !self.known.contains(key.as_str()) && !is_comment(key)).collect();
        for key in strangers {
            let near = nearest(key, self.known.iter().copied());
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.warn(key, &format!("is not known and ignored{hint}"));
        }
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, SpecError> {
        let path = self.at(key);
        let Some(value) = self.get(key) else { return Ok(None) };
        match read(value) {
            Some(read) => Ok(Some(read)),
            None => Err(wrong(&self.notes.file, &path, expected, value)),
        }
    }

    /// The value of a key; `null` is as good as absent.
    fn get(&mut self, key: &'static str) -> Option<&'v Value> {
        self.known.insert(key);
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn is_comment(key: &str) -> bool {
    key.starts_with('_') || key.starts_with("//")
}

fn texts(file: &str, path: &str, value: &Value) -> Result<Vec<String>, SpecError> {
    let Value::Array(list) = value else {
        return Err(wrong(file, path, "a list of texts", value));
    };
    let text = |(n, value): (usize, &Value)| match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong(file, &format!("{path}[{n}]"), "a text", other)),
    };
    list.iter().enumerate().map(text).collect()
}

fn wrong(file: &str, path: &str, expected: &str, value: &Value) -> SpecError {
    let found = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) if text.chars().count() <= 40 => format!("the text {text:?}"),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    let key = if path.is_empty() { "the whole of it".to_owned() } else { format!("`{path}`") };
    SpecError::Wrong { file: file.to_owned(), key, expected: expected.to_owned(), found }
}
