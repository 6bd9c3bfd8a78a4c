//! `wsgrade.sarif`: SARIF 2.1.0, for code scanning.
//!
//! Every rule of the record is a rule, every [`Issue`] a result, and every [`Trouble`] a notification of the tool: what
//! passed has no result. An issue that was expected is suppressed, with the reason; a [`Complaint`] is a result of a rule of
//! its own. There is one run, whatever the number of targets. What GitHub's code scanning requires beyond
//! the standard, and how much it takes, is kept here.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use super::issue::{Complaint, Issue, Level, Trouble, complaints, issues, troubles};
use super::names::Names;
use super::text::{clipped, column, markdown, prose, visible};
use super::{File, words};
use crate::grade::Blame;
use crate::record::{Binds, CloseVerdict, RuleText, RunReport, Severity};

/// As many results and rules as code scanning takes in a run; of the results it shows the gravest 5000.
const RESULTS: usize = 25_000;
const RULES: usize = 25_000;
/// As many inconclusive cases as are told one by one.
const NOTIFICATIONS: usize = 200;
/// As many characters as code scanning takes of a description, and of what stands beside each alert.
const DESCRIPTION: usize = 1024;
const SHORT: usize = 160;
/// The longest text of the network that one place of the file quotes, in characters.
const QUOTE: usize = 1000;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The run as SARIF has it.
pub fn render(report: &RunReport) -> Vec<File> {
    let names = Names::of(report);
    let mut issues = issues(report);
    issues.sort_by_key(|issue| (issue.known.is_some(), issue.level));
    let mut complaints = complaints(report);
    let left_out = (issues.len() + complaints.len()).saturating_sub(RESULTS);
    complaints.truncate(RESULTS);
    issues.truncate(RESULTS - complaints.len());
    let rules = Rules::of(report, &issues, &complaints);
    let untrue = complaints.iter().map(|complaint| untrue(complaint, &rules));
    let results: Vec<_> = untrue.chain(issues.iter().map(|issue| result(issue, &names, &rules))).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": named(&report.tool.name),
                "version": named(&report.tool.version),
                "informationUri": "https://github.com/wsgrade/wsgrade",
                "rules": rules.descriptors(),
            } },
            "invocations": [invocation(report, &names, left_out)],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut contents = serde_json::to_string_pretty(&log).expect("JSON in memory has string keys only");
    contents.push('\n');
    vec![File { name: "wsgrade.sarif".to_owned(), contents }]
}

/// What must not be empty.
fn named(text: &str) -> String {
    if text.is_empty() { "unknown".to_owned() } else { column(text, 255) }
}

/// The rules of the file, by id.
struct Rules<'a> {
    texts: BTreeMap<String, What<'a>>,
    places: HashMap<String, usize>,
}

/// What a rule is.
enum What<'a> {
    /// A sentence that the record quotes.
    Sentence(&'a RuleText),
    /// How a connection has to end.
    Close(CloseVerdict),
    /// That what was expected is true.
    Expectation,
    /// One that the record names and does not quote.
    Unknown,
}

impl<'a> Rules<'a> {
    /// Those of the register and those that the results name. Where there are too many, only these.
    fn of(report: &'a RunReport, issues: &[Issue<'a>], complaints: &[Complaint<'a>]) -> Self {
        let mut texts = BTreeMap::new();
        for issue in issues {
            let what = match (&issue.blame, issue.text) {
                (Blame::Close(close), _) => What::Close(*close),
                (Blame::Rule(_), Some(text)) => What::Sentence(text),
                (Blame::Rule(_), None) => What::Unknown,
            };
            texts.insert(issue.rule(), what);
        }
        if !complaints.is_empty() {
            texts.insert(Complaint::RULE.to_owned(), What::Expectation);
        }
        for (id, text) in report.rules.iter().filter(|(id, _)| !id.is_empty()) {
            if texts.len() == RULES {
                break;
            }
            texts.entry(visible(id).into_owned()).or_insert(What::Sentence(text));
        }
        let places = texts.keys().cloned().zip(0..).collect();
        Self { texts, places }
    }

    fn place(&self, id: &str) -> usize {
        self.places[id]
    }

    fn descriptors(&self) -> Vec<Value> {
        self.texts.iter().map(|(id, what)| descriptor(id, what)).collect()
    }
}

fn descriptor(id: &str, what: &What<'_>) -> Value {
    let (short, full, level, tags) = match what {
        What::Sentence(text) => {
            let sentence = prose(&text.sentence);
            let sentence = if sentence.is_empty() { id.to_owned() } else { sentence };
            let source = prose(&text.source);
            let short = format!("{source} {}: {}", prose(&text.section), column(&sentence, SHORT));
            let level = match text.level.as_str() {
                "MUST" | "MUST NOT" => Level::Error,
                "SHOULD" | "SHOULD NOT" => Level::Warning,
                _ => Level::Note,
            };
            let tags =
                vec![source.to_lowercase().replace(' ', ""), text.level.to_lowercase().replace(' ', "-")];
            (short, sentence, level, tags)
        }
        What::Close(close) => {
            let what = words::close(*close).to_owned();
            let level = if close.severity() == Severity::Major { Level::Error } else { Level::Warning };
            (format!("the end of the connection: {what}"), what, level, vec!["close".to_owned()])
        }
        What::Expectation => {
            let text = "what is written down as expected is true of the run".to_owned();
            (text.clone(), text, Level::Error, vec!["expectation".to_owned()])
        }
        What::Unknown => {
            let text = format!("{id}, which the record does not quote");
            (text.clone(), text, Level::Warning, Vec::new())
        }
    };
    let tags: Vec<_> = ["websocket".to_owned()]
        .into_iter()
        .chain(tags.iter().map(|tag| column(tag, 40)).filter(|tag| !tag.is_empty()))
        .collect();
    let (text, markdown) = help(id, what);
    let mut rule = json!({
        "id": id,
        "shortDescription": { "text": column(&short, DESCRIPTION) },
        "fullDescription": { "text": column(&full, DESCRIPTION) },
        "defaultConfiguration": { "level": level.as_str() },
        "help": { "text": text, "markdown": markdown },
        "properties": {
            "tags": tags,
            "precision": "very-high",
            "problem.severity": match level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "recommendation",
            },
        },
    });
    if let What::Sentence(text) = what
        && let Some(href) = words::href(text)
    {
        rule["helpUri"] = href.into();
    }
    rule
}

/// What stands beside an alert, as plain text and as Markdown.
fn help(id: &str, what: &What<'_>) -> (String, String) {
    let rules =
        "`wsgrade cases --rules` lists the cases that test a rule, `wsgrade cases` what each of them is.";
    let plain_rules = rules.replace('`', "");
    match what {
        What::Sentence(text) => {
            let sentence = prose(&text.sentence);
            let place = format!("{}, section {}", prose(&text.source), prose(&text.section));
            let level = prose(&text.level);
            let binds = match text.binds {
                None => "",
                Some(Binds::Both) => " It binds both endpoints.",
                Some(Binds::Client) => " It binds the client.",
                Some(Binds::Server) => " It binds the server.",
                Some(Binds::Intermediary) => " It binds what stands between the endpoints.",
            };
            let linked = match words::href(text) {
                Some(href) => format!("[{}]({href})", markdown(&place, QUOTE)),
                None => markdown(&place, QUOTE),
            };
            (
                format!("{}\n\n{place}, {level}.{binds}\n\n{plain_rules}", clipped(&sentence, 4 * QUOTE)),
                format!(
                    "> {}\n\n{linked}, **{}**.{binds}\n\n{rules}",
                    markdown(&sentence, 4 * QUOTE),
                    markdown(&level, 40)
                ),
            )
        }
        What::Close(close) => {
            let says = format!(
                "{}. How a connection is to be closed is said in RFC 6455, section 7; this is the verdict {close}.",
                words::close(*close)
            );
            (format!("{says}\n\n{plain_rules}"), format!("{says}\n\n{rules}"))
        }
        What::Expectation => {
            let says = "A known deviation is written down with its reason, so that it counts for nothing until it is mended. An \
                        entry that is not true any more would hide the next deviation of its cases: delete it, narrow it, or \
                        give it another day.";
            (says.to_owned(), says.to_owned())
        }
        What::Unknown => {
            let says = "The record names this rule and does not quote it.";
            (format!("{id}: {says}"), format!("{}: {says}", markdown(id, QUOTE)))
        }
    }
}

fn result(issue: &Issue<'_>, names: &Names, rules: &Rules<'_>) -> Value {
    let id = issue.rule();
    let record = issue.record;
    let message = format!(
        "{}. Case {}, {} under test: {}. Repeat: {}",
        issue.sentence(QUOTE),
        issue.case(200),
        record.role,
        names.label(issue.target),
        clipped(&record.repeat, QUOTE)
    );
    let fingerprint = issue.fingerprint(names);
    let mut result = json!({
        "ruleId": id,
        "ruleIndex": rules.place(&id),
        "level": issue.level.as_str(),
        "message": { "text": message_text(&message) },
        "locations": [{
            "physicalLocation": physical(&issue.path(names)),
            "logicalLocations": [
                logical(names, issue.target),
                {
                    "name": visible(&record.id),
                    "fullyQualifiedName": format!("{}/{}", names.word(issue.target), visible(&record.id)),
                    "kind": "case",
                },
            ],
        }],
        "partialFingerprints": {
            "wsgradeIssue/v1": fingerprint,
            // The only one that code scanning looks at.
            "primaryLocationLineHash": format!("{fingerprint}:1"),
        },
        "properties": {
            "behavior": record.behavior.as_str(),
            "close": record.close.as_str(),
            "carrier": visible(&record.carrier),
            "role": record.role.to_string(),
            "repeat": clipped(&record.repeat, QUOTE),
        },
    });
    if let Some(known) = issue.known {
        let reason = clipped(&prose(&known.reason), QUOTE);
        result["suppressions"] =
            json!([{ "kind": "external", "status": "accepted", "justification": reason }]);
    }
    result
}

fn untrue(complaint: &Complaint<'_>, rules: &Rules<'_>) -> Value {
    let fingerprint = complaint.fingerprint();
    json!({
        "ruleId": Complaint::RULE,
        "ruleIndex": rules.place(Complaint::RULE),
        "level": Level::Error.as_str(),
        "message": { "text": message_text(&complaint.sentence(QUOTE)) },
        "locations": [{ "physicalLocation": physical(&complaint.path()) }],
        "partialFingerprints": {
            "wsgradeIssue/v1": fingerprint,
            "primaryLocationLineHash": format!("{fingerprint}:1"),
        },
    })
}

fn logical(names: &Names, target: usize) -> Value {
    json!({ "name": names.label(target), "fullyQualifiedName": names.word(target), "kind": "target" })
}

/// Code scanning shows nothing that is not in a file, and asks for every corner of the region.
fn physical(path: &str) -> Value {
    json!({
        "artifactLocation": { "uri": path },
        "region": { "startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1 },
    })
}

/// "The characters “{” and “}” SHALL be represented by the character sequences “{{” and “}}”" (SARIF 2.1.0, 3.11.5), and a
/// pair of brackets before a parenthesis would be a link (3.11.6).
fn message_text(text: &str) -> String {
    let text = text.replace('{', "{{").replace('}', "}}");
    if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text }
}

/// How the run went, and what is not known because of it.
fn invocation(report: &RunReport, names: &Names, left_out: usize) -> Value {
    let troubles = troubles(report);
    let (grave, other): (Vec<_>, Vec<_>) = troubles.iter().partition(|trouble| trouble.is_grave());
    let notification = |trouble: &Trouble<'_>| {
        let level = if trouble.is_grave() { Level::Error } else { Level::Warning };
        let mut value = json!({
            "descriptor": { "id": trouble.word() },
            "level": level.as_str(),
            "message": { "text": message_text(&trouble.sentence(QUOTE)) },
        });
        if let Some(target) = trouble.target {
            value["locations"] = json!([{ "logicalLocations": [logical(names, target)] }]);
        }
        value
    };
    let mut notifications: Vec<_> = grave.iter().map(|trouble| notification(trouble)).collect();
    notifications.extend(other.iter().take(NOTIFICATIONS).map(|trouble| notification(trouble)));
    let mut more = |n: usize, what: &str| {
        if n > 0 {
            let text = format!("{n} more {what} are not in this file; run.json has them");
            notifications.push(json!({ "level": "warning", "message": { "text": text } }));
        }
    };
    more(other.len().saturating_sub(NOTIFICATIONS), "inconclusive cases");
    more(left_out, "results");
    let mut invocation = json!({
        "executionSuccessful": grave.is_empty(),
        "toolExecutionNotifications": notifications,
    });
    if is_time(&report.started) {
        invocation["startTimeUtc"] = report.started.as_str().into();
    }
    invocation
}

/// Whether it is a date and time of RFC 3339 in UTC, as far as its form goes.
fn is_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00";
    let Some((start, end)) = text.split_at_checked(form.len()) else { return false };
    let fits = start.bytes().zip(form.bytes()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        separator => byte == separator,
    });
    let fraction = end.strip_suffix('Z').map(|end| end.strip_prefix('.').unwrap_or("0"));
    let in_range = |at: usize, most: u32| {
        text.get(at..at + 2).and_then(|n| n.parse().ok()).is_some_and(|n: u32| n <= most)
    };
    fits && fraction.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        && in_range(5, 12)
        && in_range(8, 31)
        && in_range(11, 23)
        && in_range(14, 59)
        && in_range(17, 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456Z"] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04:05+01:00",
            "2026-13-02T03:04:05Z",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:0éZ",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn a_message_has_no_placeholder_and_no_link() {
        assert_eq!(message_text("{0} and {x}"), "{{0}} and {{x}}");
        assert_eq!(message_text("[a](http://b) [c]"), "\\[a\\](http://b) \\[c\\]");
        assert_eq!(message_text("[1002, 1007]"), "[1002, 1007]");
    }
}
