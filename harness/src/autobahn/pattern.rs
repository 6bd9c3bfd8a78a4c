//! Patterns as spec files have them: `.` is a dot, `*` any text.
//!
//! The old tool matches in two ways, and lists of cases in the field depend on both: a pattern of `cases` and
//! `exclude-cases` matches from the start and need not reach the end, a pattern of `exclude-agent-cases` matches as a
//! whole. Without a `*` either is an exact text.

use std::fmt;

/// A pattern of `cases` or `exclude-cases`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CasePattern(String);

impl CasePattern {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it picks a case: `9.*.1` picks `9.1.1`, and `9.1.10` too.
    pub(crate) fn matches(&self, id: &str) -> bool {
        matches(&self.0, id, End::Open)
    }

    /// As it was written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CasePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One entry of `exclude-agent-cases`: these cases are nothing for these agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AgentRule {
    /// Of the agent's name.
    pub(crate) agents: String,
    /// Of case ids.
    pub(crate) cases: Vec<String>,
}

impl AgentRule {
    /// Whether it keeps an agent from a case.
    pub(crate) fn excludes(&self, agent: &str, id: &str) -> bool {
        self.is_for(agent) && self.cases.iter().any(|pattern| matches(pattern, id, End::Whole))
    }

    /// Its case patterns that match none of these ids.
    pub(crate) fn idle<'a>(&'a self, ids: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let idle =
            |pattern: &&String| !pattern.is_empty() && !ids.iter().any(|id| matches(pattern, id, End::Whole));
        self.cases.iter().filter(idle).map(String::as_str)
    }

    /// Whether it says anything of an agent.
    pub(crate) fn is_for(&self, agent: &str) -> bool {
        matches(&self.agents, agent, End::Whole)
    }
}

/// Whether any rule keeps an agent from a case.
pub(crate) fn excluded(rules: &[AgentRule], agent: &str, id: &str) -> bool {
    rules.iter().any(|rule| rule.excludes(agent, id))
}

/// How far a pattern with a `*` has to reach.
#[derive(Clone, Copy)]
enum End {
    /// To the end of the text.
    Whole,
    /// As far as it goes.
    Open,
}

fn matches(pattern: &str, text: &str, end: End) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    // The earliest match of each part leaves the most for those after it.
    for part in middle.split('*') {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    match end {
        End::Whole => left.ends_with(tail),
        End::Open => left.contains(tail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_patterns_begin_at_the_start_and_end_anywhere() {
        for (pattern, picks, leaves) in [
            ("*", &["1.1.1", "13.7.18", "F.1"][..], &[][..]),
            ("1.*", &["1.1.1", "1.2.8"], &["10.1.1", "11.1", "2.1", "1"]),
            ("1*", &["1.1.1", "10.1.1", "13.1.1"], &["2.1", "2.10"]),
            ("9.*.1", &["9.1.1", "9.1.10", "9.8.1", "9.1.1.2"], &["9.1.2", "19.1.1", "9.1"]),
            ("*.1", &["1.1", "1.1.5", "2.10"], &["1.2", "2.2.2"]),
            ("6.*.2*3", &["6.4.23", "6.1.2.3", "6.4.21.31"], &["6.4.3", "6.4.2"]),
            ("6.4.1", &["6.4.1"], &["6.4.10", "6.4", "16.4.1", "6x4x1"]),
            ("", &[], &["1.1.1"]),
        ] {
            let pattern = CasePattern::new(pattern);
            for id in picks {
                assert!(pattern.matches(id), "`{pattern}` picks {id}");
            }
            for id in leaves {
                assert!(!pattern.matches(id), "`{pattern}` leaves {id}");
            }
        }
    }

    #[test]
    fn agent_rules_match_as_a_whole() {
        let rule = |agents: &str, cases: &[&str]| AgentRule {
            agents: agents.to_owned(),
            cases: cases.iter().map(|case| (*case).to_owned()).collect(),
        };
        let rules = [rule("Fire*", &["9.*.1", "6.4.1"]), rule("ws 8.0", &["*"])];
        for (agent, id) in
            [("Firefox/99", "9.1.1"), ("Fire", "6.4.1"), ("Firefox", "9.8.1"), ("ws 8.0", "13.7.18")]
        {
            assert!(excluded(&rules, agent, id), "{agent} {id}");
        }
        for (agent, id) in [
            ("Firefox/99", "9.1.10"),
            ("Firefox/99", "6.4.10"),
            ("A Firefox", "6.4.1"),
            ("ws 8.0.1", "1.1.1"),
            ("ws 8x0", "1.1.1"),
            ("fire", "6.4.1"),
        ] {
            assert!(!excluded(&rules, agent, id), "{agent} {id}");
        }
        assert!(!excluded(&[], "any", "1.1.1"));
        assert!(rules[0].is_for("Firewall") && !rules[0].is_for("Water"));
    }
}
