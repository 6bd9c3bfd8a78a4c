//! From text to [`Config`], with a place for everything that is wrong.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use wsgrade_cases::form::{self, Fields, Node, Problem, Problems, Value};
use wsgrade_reports::gate::FailOn;
use wsgrade_reports::grade::Grade;
use wsgrade_reports::render::Format;

use super::super::args::{bytes, duration};
use super::{Config, FILE, GateConfig, LimitsConfig, OutputConfig, SelectionConfig, Stale, expect, target};
use crate::plan::Depth;

/// What the file may have.
const KEYS: [&str; 6] = ["target", "selection", "expect", "gate", "output", "limits"];

/// Reads the text of a `wsgrade.toml`. `file` is its name in messages, paths in it are relative to `dir`, and `environment`
/// knows what `${NAME}` stands for.
///
/// # Errors
///
/// Everything that is wrong with it, in the order in which it was found; never empty.
pub(super) fn read(
    file: &str,
    text: &str,
    dir: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader { problems: Problems::new(file, text), dir, environment };
    let root = form::parse(&mut reader.problems, text);
    if reader.problems.count() > 0 {
        // What was recovered from broken TOML would only give rise to more complaints.
        return Err(reader.problems.into_list());
    }
    let mut config = Config::default();
    if let Some(fields) = Fields::new(&mut reader.problems, &root, FILE, &KEYS) {
        reader.selection(&fields, &mut config.selection);
        reader.limits(&fields, &mut config.limits);
        reader.gate(&fields, &mut config.gate);
        reader.output(&fields, &mut config.output);
        target::read(&mut reader, &fields, &mut config);
        expect::read(&mut reader, &fields, &mut config.expectations);
    }
    if reader.problems.count() > 0 { Err(reader.problems.into_list()) } else { Ok(config) }
}

/// What is at hand while the file is read.
pub(super) struct Reader<'a> {
    pub(super) problems: Problems<'a>,
    dir: &'a Path,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl Reader<'_> {
    fn selection(&mut self, root: &Fields<'_>, selection: &mut SelectionConfig) {
        let known = ["cases", "exclude", "files", "depth"];
        let Some(fields) = self.table(root, "selection", "[selection]", &known) else { return };
        selection.cases = self.texts(&fields, "cases");
        selection.exclude = self.texts(&fields, "exclude");
        selection.files = self.path(&fields, "files");
        selection.depth = match fields.get("depth") {
            Some(Node { value: Value::Integer(number), at }) => {
                let depth = Depth::from_str(&number.to_string());
                self.taken("depth", &number.to_string(), *at, depth)
            }
            Some(_) => self.parsed(&fields, "depth", Depth::from_str),
            None => None,
        };
    }

    fn limits(&mut self, root: &Fields<'_>, limits: &mut LimitsConfig) {
        let known = [
            "timeout",
            "close-timeout",
            "connect-timeout",
            "jobs",
            "memory",
            "max-connections",
            "rate",
            "stress",
            "seed",
        ];
        let Some(fields) = self.table(root, "limits", "[limits]", &known) else { return };
        limits.timeout = self.parsed(&fields, "timeout", duration);
        limits.close_timeout = self.parsed(&fields, "close-timeout", duration);
        limits.connect_timeout = self.parsed(&fields, "connect-timeout", duration);
        limits.jobs = self.short(&fields, "jobs", (1, 1024));
        limits.memory = self.parsed(&fields, "memory", bytes);
        limits.max_connections = self.short(&fields, "max-connections", (4, u64::from(u16::MAX)));
        limits.rate = self.short(&fields, "rate", (1, u64::from(u16::MAX)));
        limits.stress = fields.bool(&mut self.problems, "stress").unwrap_or_default();
        limits.seed = fields.number(&mut self.problems, "seed", (0, i64::MAX.unsigned_abs()));
    }

    fn gate(&mut self, root: &Fields<'_>, gate: &mut GateConfig) {
        let known = ["fail-on", "min-grade", "baseline", "stale-expectations"];
        let Some(fields) = self.table(root, "gate", "[gate]", &known) else { return };
        let problems = &mut self.problems;
        gate.fail_on = fields.word(problems, "fail-on", &FailOn::ALL.map(|value| (value.as_str(), value)));
        gate.min_grade = fields.word(problems, "min-grade", &Grade::ALL.map(|value| (value.as_str(), value)));
        let stale = [("fail", Stale::Fail), ("warn", Stale::Warn)];
        gate.stale = fields.word(problems, "stale-expectations", &stale).unwrap_or_default();
        gate.baseline = self.path(&fields, "baseline");
    }

    fn output(&mut self, root: &Fields<'_>, output: &mut OutputConfig) {
        let Some(fields) = self.table(root, "output", "[output]", &["dir", "formats"]) else { return };
        output.dir = self.path(&fields, "dir");
        if let Some(node) = fields.get("formats") {
            let words = Format::ALL.map(|value| (value.as_str(), value));
            let nodes = form::list(&mut self.problems, "formats", node);
            let formats =
                nodes.iter().filter_map(|node| form::word(&mut self.problems, "formats", node, &words));
            output.formats = Some(formats.collect());
            if nodes.is_empty() {
                self.problems.add(node.at, "`formats` is empty, so there would be no report");
            }
        }
    }

    /// A table under a key of the file.
    fn table<'a>(
        &mut self,
        root: &Fields<'a>,
        key: &str,
        what: &'static str,
        known: &[&'static str],
    ) -> Option<Fields<'a>> {
        Fields::new(&mut self.problems, root.get(key)?, what, known)
    }

    /// A list of strings, or one string for a list of one.
    pub(super) fn texts(&mut self, fields: &Fields<'_>, key: &str) -> Vec<String> {
        let nodes = match fields.get(key) {
            None => return Vec::new(),
            Some(node @ Node { value: Value::Text(_), .. }) => std::slice::from_ref(node),
            Some(node) => form::list(&mut self.problems, key, node),
        };
        let texts = nodes.iter().filter_map(|node| form::text(&mut self.problems, key, node));
        texts.map(str::to_owned).collect()
    }

    /// A path, relative to the folder of the file.
    pub(super) fn path(&mut self, fields: &Fields<'_>, key: &str) -> Option<PathBuf> {
        let text = fields.text(&mut self.problems, key)?;
        if text.is_empty() {
            self.problems.add(fields.get(key)?.at, format!("`{key}` is empty, expected a path"));
            return None;
        }
        Some(self.dir.join(text))
    }

    /// The folder of the file.
    pub(super) fn dir(&self) -> PathBuf {
        self.dir.to_owned()
    }

    /// A string that something else is read from.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        fields: &Fields<'_>,
        key: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = fields.text(&mut self.problems, key)?;
        self.taken(key, text, fields.get(key)?.at, parse(text))
    }

    /// What was read, or a note that it could not be.
    pub(super) fn taken<T, E: Display>(
        &mut self,
        key: &str,
        text: &str,
        at: usize,
        read: Result<T, E>,
    ) -> Option<T> {
        read.map_err(|error| self.problems.add(at, format!("`{key}` is {text:?}: {error}"))).ok()
    }

    fn short(&mut self, fields: &Fields<'_>, key: &str, range: (u64, u64)) -> Option<u16> {
        let number = fields.number(&mut self.problems, key, range)?;
        u16::try_from(number).ok()
    }

    /// A text in which `${NAME}` stands for what the environment has under that name, so that no secret has to stand in
    /// the file.
    pub(super) fn filled(&mut self, text: &str, at: usize) -> Option<Filled> {
        let mut filled = Filled::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, behind)) = after.split_once('}') else {
                self.problems.add_with_help(
                    at,
                    "`${` without `}`",
                    "a variable of the environment is written ${NAME}",
                );
                return None;
            };
            let Some(value) = (self.environment)(name) else {
                self.problems.add_with_help(
                    at,
                    format!("the environment has no {name:?}"),
                    format!("set it before wsgrade is started, as in {name}=… wsgrade test"),
                );
                return None;
            };
            filled.text += before;
            filled.shown += before;
            filled.text += &value;
            // What is cut off at the ends of a header has to be cut off here as well.
            filled
                .shown
                .extend(value.bytes().map(|b| if b.is_ascii_whitespace() { char::from(b) } else { '*' }));
            rest = behind;
        }
        filled.text += rest;
        filled.shown += rest;
        Some(filled)
    }
}

/// A text with what the environment has.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// As it is meant.
    pub(super) text: String,
    /// The same with an asterisk for every byte from the environment.
    pub(super) shown: String,
}
