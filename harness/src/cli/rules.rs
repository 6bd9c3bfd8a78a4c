//! `wsgrade cases --rules`: every rule, and the cases that test it. What a run made of them is in the report.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use wsgrade_cases::id::CaseId;
use wsgrade_cases::model::{Role, Scenario};
use wsgrade_cases::rules::{Coverage, Register, Rule};

/// How wide a line gets.
const COLUMNS: usize = 100;

/// A rule in words, as `--format json` has it.
#[derive(Serialize)]
pub(super) struct Cited<'a> {
    id: &'a str,
    document: &'a str,
    section: &'a str,
    level: &'static str,
    binds: &'static str,
    sentence: &'a str,
}

impl<'a> Cited<'a> {
    pub(super) fn of(rule: &'a Rule) -> Self {
        Self {
            id: rule.id.as_str(),
            document: &rule.document,
            section: &rule.section,
            level: rule.level.as_str(),
            binds: rule.binds.as_str(),
            sentence: &rule.sentence,
        }
    }
}

/// The same, and which cases are about it.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    cited: Cited<'a>,
    /// Whether all that the peer sends is held against it, in whatever case.
    watched: bool,
    /// The cases that cite it, by each role that it binds and in which a peer can see it.
    cases: BTreeMap<&'static str, Vec<&'a str>>,
    /// Why no peer can, by role.
    unobservable: BTreeMap<&'static str, &'a str>,
}

/// The rules for a role under test, or for both, and which of these cases cite them.
pub(super) struct Matrix<'a> {
    register: &'a Register,
    coverage: Coverage<'a>,
    role: Option<Role>,
}

impl<'a> Matrix<'a> {
    pub(super) fn new(
        register: &'a Register,
        cases: impl IntoIterator<Item = &'a Scenario>,
        role: Option<Role>,
    ) -> Self {
        Self { register, coverage: Coverage::of(cases), role }
    }

    /// Every rule, or those that bind the role asked for.
    fn rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.register.iter().filter(|rule| self.role.is_none_or(|role| rule.binds.role(role)))
    }

    /// The roles that are asked for and bound.
    fn roles(&self, rule: &Rule) -> Vec<Role> {
        let mut roles = vec![Role::Server, Role::Client];
        roles.retain(|&role| self.role.is_none_or(|asked| asked == role) && rule.binds.role(role));
        roles
    }

    /// As data.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        let listed: Vec<_> = self.rules().map(|rule| self.listed(rule)).collect();
        Ok(serde_json::to_string_pretty(&listed)? + "\n")
    }

    fn listed<'b>(&'b self, rule: &'b Rule) -> Listed<'b> {
        let seen = self.roles(rule).into_iter().filter(|&role| rule.is_observable(role));
        let hidden = [Role::Server, Role::Client].into_iter();
        let hidden = hidden.filter(|&role| self.role.is_none_or(|asked| asked == role));
        Listed {
            cited: Cited::of(rule),
            watched: rule.is_watched(),
            cases: seen
                .map(|role| {
                    let cases = self.coverage.cases(&rule.id, role);
                    (role.as_str(), cases.iter().map(|id| id.as_str()).collect())
                })
                .collect(),
            unobservable: hidden.filter_map(|role| Some((role.as_str(), rule.hidden.of(role)?))).collect(),
        }
    }

    /// For people: a few lines for each rule, under the heading of its section, and the sums.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).expect("writing to a string never fails");
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let mut place = None;
        let (mut rules, mut hidden, mut gaps) = (0, 0, 0);
        for rule in self.rules() {
            if place.replace((&rule.document, &rule.section)) != Some((&rule.document, &rule.section)) {
                writeln!(out, "{} section {}\n", rule.document, rule.section)?;
            }
            let watched = if rule.is_watched() { ", watched in every case" } else { "" };
            writeln!(out, "  {}: {}, binds {}{watched}", rule.id, rule.level, rule.binds)?;
            writeln!(out, "    {}", shortened(&rule.sentence, COLUMNS - 4))?;
            let lines = self.lines(rule);
            for line in &lines {
                writeln!(out, "    {}", line.text)?;
            }
            writeln!(out)?;
            rules += 1;
            hidden += usize::from(lines.iter().all(|line| line.is_hidden));
            gaps += usize::from(lines.iter().any(|line| line.is_gap));
        }
        let for_role = self.role.map_or_else(String::new, |role| format!(" for a {role}"));
        writeln!(out, "{rules} rules{for_role}: {hidden} cannot be observed, {gaps} lack a case")
    }

    /// What is said of each role; once where it is the same.
    fn lines(&self, rule: &Rule) -> Vec<Line> {
        let roles = self.roles(rule);
        let mut lines: Vec<(Vec<Role>, Line)> = Vec::new();
        for &role in &roles {
            let line = Line::of(rule, role, self.coverage.cases(&rule.id, role));
            match lines.iter_mut().find(|(_, other)| *other == line) {
                Some((roles, _)) => roles.push(role),
                None => lines.push((vec![role], line)),
            }
        }
        // Intermediaries are under test in neither role.
        if let (true, Some(reason)) = (roles.is_empty(), rule.hidden.of(Role::Server)) {
            return vec![Line::hidden(reason)];
        }
        let of_roles = |(of, line): (Vec<Role>, Line)| {
            let names: Vec<_> = of.iter().map(|role| role.as_str()).collect();
            Line { text: format!("{}: {}", names.join(" and "), line.text), ..line }
        };
        lines.into_iter().map(of_roles).collect()
    }
}

/// What is known of a rule in one role.
#[derive(PartialEq, Eq)]
struct Line {
    text: String,
    is_hidden: bool,
    is_gap: bool,
}

impl Line {
    fn of(rule: &Rule, role: Role, cases: &[&CaseId]) -> Self {
        match rule.hidden.of(role) {
            Some(reason) => Self::hidden(reason),
            None if cases.is_empty() => Self { text: "no case".to_owned(), is_hidden: false, is_gap: true },
            None => Self { text: fitting(cases), is_hidden: false, is_gap: false },
        }
    }

    fn hidden(reason: &str) -> Self {
        Self { text: format!("cannot be observed: {reason}"), is_hidden: true, is_gap: false }
    }
}

/// As many ids as there is room for, and how many more there are.
fn fitting(cases: &[&CaseId]) -> String {
    // The names of both roles and the count of the rest stand on the same line.
    let room = COLUMNS - "    server and client: ".len() - " and 999 more".len();
    let mut text = String::new();
    for (at, id) in cases.iter().enumerate() {
        if text.len() + id.as_str().len() > room {
            write!(text, "and {} more", cases.len() - at).expect("writing to a string never fails");
            break;
        }
        text.push_str(id.as_str());
        text.push(' ');
    }
    text.trim_end().to_owned()
}

/// A sentence of so many characters at most.
fn shortened(sentence: &str, most: usize) -> String {
    if sentence.chars().count() <= most {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(most - 1).collect();
    cut.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_end_before_the_line_does() {
        let ids: Vec<CaseId> = (0..200).map(|n| format!("6.{n}.1").parse().expect("an id")).collect();
        let all: Vec<&CaseId> = ids.iter().collect();
        assert_eq!(fitting(&all[..2]), "6.0.1 6.1.1");
        let text = fitting(&all);
        assert!(text.ends_with(" more") && text.len() + 23 <= COLUMNS, "{text}");
        let told = text.split("and ").next().expect("ids").split_whitespace().count();
        assert!(text.ends_with(&format!(" and {} more", 200 - told)), "{text}");
    }

    #[test]
    fn a_sentence_is_cut_where_it_does_not_fit() {
        assert_eq!(shortened("It must.", 8), "It must.");
        assert_eq!(shortened("It must be.", 9), "It must…");
    }
}
