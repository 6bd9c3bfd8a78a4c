//! Findings where a reviewer looks: workflow commands of GitHub, and the Code Quality report of GitLab.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::File;
use super::issue::{Complaint, Issue, Level, Trouble, complaints, fingerprint, issues, troubles};
use super::names::Names;
use super::text::{clipped, prose, visible};
use crate::grade::Blame;
use crate::record::RunReport;

/// As many annotations of a kind as GitHub shows for a step.
const OF_A_KIND: usize = 10;
/// How many cases an annotation names.
const IDS: usize = 8;
/// The longest text of the network that one place quotes, in characters.
const QUOTE: usize = 500;
/// The longest description of a Code Quality issue quotes less, since it is a line of a list.
const LINE: usize = 200;

/// `github-annotations.txt`: lines that GitHub makes annotations of where a step prints them.
///
/// One for each rule that a target broke, the gravest first, and never more than are shown: the last of a kind says how many
/// rules are missing. What was expected is nothing to look at; an expectation that is not true is an error.
pub fn github(report: &RunReport) -> Vec<File> {
    let names = Names::of(report);
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for trouble in troubles(report) {
        let kind = if trouble.is_grave() { &mut errors } else { &mut warnings };
        kind.push((title(&trouble, &names), trouble.sentence(QUOTE)));
    }
    for complaint in complaints(report) {
        errors.push((format!("wsgrade: {}", complaint.name()), complaint.sentence(2 * QUOTE)));
    }
    for group in groups(report) {
        match group[0].level {
            Level::Error => errors.push(told(&group, &names)),
            Level::Warning => warnings.push(told(&group, &names)),
            Level::Note => {}
        }
    }
    let mut contents = String::new();
    for (command, mut list) in [("error", errors), ("warning", warnings)] {
        if list.len() > OF_A_KIND {
            let more = list.len() - (OF_A_KIND - 1);
            list.truncate(OF_A_KIND - 1);
            let text =
                format!("{more} more are not shown as annotations: the summary and the report have all.");
            list.push(("wsgrade".to_owned(), text));
        }
        for (title, message) in list {
            contents += &format!("::{command} title={}::{}\n", property(&title), data(&message));
        }
    }
    vec![File { name: "github-annotations.txt".to_owned(), contents }]
}

/// The issues of one target that nobody expected, are laid to one rule and weigh the same, in the order they were met.
fn groups(report: &RunReport) -> Vec<Vec<Issue<'_>>> {
    let mut groups: Vec<Vec<Issue<'_>>> = Vec::new();
    let mut places: HashMap<(usize, Blame, Level), usize> = HashMap::new();
    for issue in issues(report).into_iter().filter(|issue| issue.known.is_none()) {
        let at = *places.entry((issue.target, issue.blame.clone(), issue.level)).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(issue),
            None => groups.push(vec![issue]),
        }
    }
    groups
}

fn title(trouble: &Trouble<'_>, names: &Names) -> String {
    match trouble.target {
        Some(target) => format!("wsgrade: {}: {}", names.label(target), trouble.word()),
        None => format!("wsgrade: {}", trouble.word()),
    }
}

/// Title and text of an annotation.
fn told(group: &[Issue<'_>], names: &Names) -> (String, String) {
    let first = &group[0];
    let mut ids: Vec<&str> = group.iter().map(|issue| issue.record.id.as_str()).collect();
    ids.dedup();
    let title = format!(
        "wsgrade: {}: {}, {} ({})",
        names.label(first.target),
        first.level.word(),
        first.place(),
        super::words::cases(ids.len())
    );
    let mut lines = Vec::new();
    lines.extend(first.text.map(|text| clipped(&prose(&text.sentence), 2 * QUOTE)));
    lines.push(format!("Case {}: {}", first.case(LINE), first.sentence(QUOTE)));
    lines.push(format!("Repeat: {}", clipped(&first.record.repeat, QUOTE)));
    if ids.len() > 1 {
        let mut others: Vec<_> = ids[1..].iter().take(IDS).map(|id| visible(id).into_owned()).collect();
        others.extend((ids.len() - 1 > IDS).then(|| format!("and {} more", ids.len() - 1 - IDS)));
        lines.push(format!("Also: {}", others.join(", ")));
    }
    (title, lines.join("\n"))
}

/// What stands behind the second pair of colons.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands behind an equals sign: a comma would begin another property, and a colon end them all.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// `gl-code-quality-report.json`: one entry for each issue, and for each target of which less is known than was asked.
///
/// Informational findings are not in it: GitLab compares two reports, and a choice that is made anew is no degradation. Nor is
/// what was expected; an expectation that is not true is.
pub fn gitlab(report: &RunReport) -> Vec<File> {
    let names = Names::of(report);
    let mut seen = HashSet::new();
    let mut entries: Vec<Value> = Vec::new();
    let mut add = |description: String, check: String, print: String, severity: &str, path: String| {
        // An entry whose fingerprint another has would be taken for that one.
        if seen.insert(print.clone()) {
            entries.push(json!({
                "description": description,
                "check_name": check,
                "fingerprint": print,
                "severity": severity,
                "location": { "path": path, "lines": { "begin": 1 } },
            }));
        }
    };
    for trouble in troubles(report) {
        let severity = if trouble.is_grave() { "blocker" } else { "info" };
        let path = trouble.path(&names);
        let print = fingerprint(&["trouble", trouble.word(), &path]);
        let of = trouble.target.map_or_else(String::new, |target| format!("{}: ", names.label(target)));
        add(format!("{of}{}", trouble.sentence(LINE)), trouble.word().to_owned(), print, severity, path);
    }
    for complaint in complaints(report) {
        let text = complaint.sentence(2 * QUOTE);
        add(text, Complaint::RULE.to_owned(), complaint.fingerprint(), "critical", complaint.path());
    }
    for issue in issues(report).into_iter().filter(|issue| issue.known.is_none()) {
        let severity = match issue.level {
            Level::Error => "critical",
            Level::Warning => "minor",
            Level::Note => continue,
        };
        let description = format!(
            "{}: {}, {}: case {}: {}",
            names.label(issue.target),
            issue.level.word(),
            issue.place(),
            issue.case(LINE),
            issue.sentence(LINE)
        );
        add(description, issue.rule(), issue.fingerprint(&names), severity, issue.path(&names));
    }
    let mut contents = serde_json::to_string_pretty(&entries).expect("JSON in memory has string keys only");
    contents.push('\n');
    vec![File { name: "gl-code-quality-report.json".to_owned(), contents }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_would_take_for_its_own_is_escaped() {
        assert_eq!(data("50%\r\n::error::x, y"), "50%25%0D%0A::error::x, y");
        assert_eq!(property("a: b, c\n%"), "a%3A b%2C c%0A%25");
    }
}
