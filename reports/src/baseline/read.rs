//! A baseline from text.

use std::collections::BTreeMap;
use std::fmt;

use super::{Baseline, BaselineTarget, FormatVersion};
use crate::compare::{Pace, Verdict};
use crate::record::{Behavior, CaseKey, CloseVerdict, Role};
use crate::render::text::column;

/// Why a text is no baseline: where, what and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, message, help } = self;
        write!(f, "{file}:{line}: {message}\n  help: {help}")
    }
}

impl std::error::Error for ParseError {}

/// What is wrong, and how to mend it.
type Problem = (String, String);

const ANEW: &str = "write it anew by `wsgrade report baseline RUN.JSON`";
const COLUMNS: &str =
    "a case has five columns, or six: id, carrier, behavior, close, code or -, and a time such as 120ms";

pub(super) fn parse(file: &str, text: &str) -> Result<Baseline, ParseError> {
    let mut reader = Reader::default();
    let mut last = 1;
    for (number, line) in text.lines().enumerate() {
        last = number + 1;
        reader.line(last, line).map_err(|(message, help)| ParseError {
            file: file.to_owned(),
            line: last,
            message,
            help,
        })?;
    }
    reader.finish().map_err(|(message, help)| ParseError { file: file.to_owned(), line: last, message, help })
}

#[derive(Default)]
struct Reader {
    version: Option<FormatVersion>,
    catalogue: Option<String>,
    pace: Option<Pace>,
    targets: Vec<BaselineTarget>,
    /// The keys of the last target, and the lines they stand on.
    known: BTreeMap<CaseKey, usize>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Problem> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark)) {
            return Err((
                "this is the mark of a merge conflict".to_owned(),
                format!("keep one line for each case and delete the marks, or {ANEW}"),
            ));
        }
        let words = words(line)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if self.version.is_none() {
            return self.version(&words);
        }
        // A quoted word is never a key word.
        match (words.as_slice(), line.starts_with('"')) {
            (["catalogue", digest], false) => once(&mut self.catalogue, (*digest).to_owned(), "catalogue"),
            (["depth", depth], false) => once(&mut self.pace, pace(depth)?, "depth"),
            (["target", name, role], false) => {
                let role = known("role", role, &Role::ALL.map(Role::as_str), Role::from_word)?;
                self.targets.push(BaselineTarget { name: (*name).to_owned(), role, cases: Vec::new() });
                self.known.clear();
                Ok(())
            }
            (["catalogue", ..], false) => Err(("`catalogue` wants one word".to_owned(), ANEW.to_owned())),
            (["depth", ..], false) => Err(("`depth` wants one word".to_owned(), ANEW.to_owned())),
            (["target", ..], false) => Err((
                "`target` wants a name and a role".to_owned(),
                "write it as `target \"its name\" server`".to_owned(),
            )),
            (columns, _) => self.case(number, columns),
        }
    }

    fn version(&mut self, words: &[&str]) -> Result<(), Problem> {
        let ["wsgrade-baseline", version] = words else {
            return Err((
                "this is no baseline: its first line, comments aside, is not `wsgrade-baseline 1`".to_owned(),
                "give a baseline, a run.json, or an index.json of Autobahn|Testsuite".to_owned(),
            ));
        };
        let version = version.parse().ok().filter(|version| *version > 0).map(FormatVersion);
        match version {
            Some(version) if version <= FormatVersion::CURRENT => {
                self.version = Some(version);
                Ok(())
            }
            Some(later) => Err((
                format!(
                    "this baseline has format {}, and this build reads formats up to {}",
                    later.0,
                    FormatVersion::CURRENT.0
                ),
                format!("read it with the wsgrade that wrote it or a later one, or {ANEW}"),
            )),
            None => Err(("the number of a format is a whole number from 1".to_owned(), ANEW.to_owned())),
        }
    }

    fn case(&mut self, number: usize, columns: &[&str]) -> Result<(), Problem> {
        let (id, carrier, behavior, close, code, time) = match columns {
            [id, carrier, behavior, close, code] => (id, carrier, behavior, close, code, None),
            [id, carrier, behavior, close, code, time] => (id, carrier, behavior, close, code, Some(time)),
            other => {
                let found = other.len();
                let message = match other {
                    [word] | [word, ..] if found < 3 => {
                        format!("`{}` begins no line of a baseline", column(word, 40))
                    }
                    _ => format!("a case with {found} columns"),
                };
                return Err((message, COLUMNS.to_owned()));
            }
        };
        let verdict = Verdict {
            behavior: known("behavior", behavior, &Behavior::ALL.map(Behavior::as_str), Behavior::from_word)?,
            close: known(
                "close verdict",
                close,
                &CloseVerdict::ALL.map(CloseVerdict::as_str),
                CloseVerdict::from_word,
            )?,
            close_code: match *code {
                "-" => None,
                number => Some(number.parse().map_err(|_| {
                    (
                        format!("`{}` is no status code", column(number, 20)),
                        "a code is a number such as 1000, or - where there was none".to_owned(),
                    )
                })?),
            },
            duration_ms: time.map(|time| duration(time)).transpose()?,
        };
        let Some(target) = self.targets.last_mut() else {
            return Err((
                "a case before the first target".to_owned(),
                "put `target \"its name\" server` above it".to_owned(),
            ));
        };
        let key = CaseKey { id: (*id).to_owned(), role: target.role, carrier: (*carrier).to_owned() };
        if let Some(first) = self.known.insert(key.clone(), number) {
            return Err((
                format!(
                    "case {} over {} is there already, in line {first}",
                    column(id, 40),
                    column(carrier, 20)
                ),
                "delete one of the two".to_owned(),
            ));
        }
        target.cases.push((key, verdict));
        Ok(())
    }

    fn finish(self) -> Result<Baseline, Problem> {
        let missing = |what: &str| (format!("the file ends without {what}"), ANEW.to_owned());
        if self.version.is_none() {
            return Err(missing("`wsgrade-baseline 1`: it is no baseline"));
        }
        let catalogue = self.catalogue.ok_or_else(|| missing("`catalogue`"))?;
        if self.targets.is_empty() {
            return Err(missing("a target"));
        }
        if let Some(target) = self.targets.iter().find(|target| target.cases.is_empty()) {
            return Err((format!("target {} has no case", column(&target.name, 60)), ANEW.to_owned()));
        }
        let timed = self.targets.iter().flat_map(|target| &target.cases);
        if self.pace.is_none() && timed.into_iter().any(|(_, verdict)| verdict.duration_ms.is_some()) {
            return Err((
                "there are times but no `depth`, without which they cannot be compared".to_owned(),
                format!("put `depth 10` below `catalogue`, with the depth of that run, or {ANEW}"),
            ));
        }
        let mut baseline = Baseline { catalogue, pace: self.pace, targets: self.targets };
        baseline.sort();
        Ok(baseline)
    }
}

/// The words of a line: what stands between spaces, or between quotes as a string of JSON.
fn words(line: &str) -> Result<Vec<String>, Problem> {
    let mut words = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let end = if rest.starts_with('"') { end_of_string(rest) } else { rest.find(char::is_whitespace) };
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        if word.starts_with('"') {
            words.push(serde_json::from_str(word).map_err(|_| {
                (
                    format!("{} is no string", column(word, 60)),
                    "a string stands between quotes, with \\\" for a quote and \\\\ for a backslash in it"
                        .to_owned(),
                )
            })?);
        } else {
            words.push(word.to_owned());
        }
        rest = after.trim_start();
    }
    Ok(words)
}

/// Where the string ends that begins here, if it ends at all.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn once<T>(place: &mut Option<T>, value: T, what: &str) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err((format!("`{what}` is there already"), "delete one of the two".to_owned())),
    }
}

fn pace(word: &str) -> Result<Pace, Problem> {
    match word {
        "full" => Ok(Pace(None)),
        number => number.parse().map(|depth| Pace(Some(depth))).map_err(|_| {
            (
                format!("`{}` is no depth", column(number, 20)),
                "a depth is `full` or a number of messages".to_owned(),
            )
        }),
    }
}

fn duration(word: &str) -> Result<f64, Problem> {
    let number: Option<u32> = word.strip_suffix("ms").and_then(|number| number.parse().ok());
    number.map(f64::from).ok_or_else(|| {
        (
            format!("`{}` is no time", column(word, 20)),
            "a time is a whole number of milliseconds, such as 120ms".to_owned(),
        )
    })
}

fn known<T>(
    what: &str,
    word: &str,
    words: &[&'static str],
    find: impl Fn(&str) -> Option<T>,
) -> Result<T, Problem> {
    find(word).ok_or_else(|| {
        let help = match crate::near::nearest(word, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", words.join(", ")),
        };
        (format!("unknown {what} `{}`", column(word, 40)), help)
    })
}
