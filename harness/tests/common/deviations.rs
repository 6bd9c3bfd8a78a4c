//! Holds verdicts against a table of what a server is known to do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::grade::{Verdict, Verdicts};

/// Something a server is known to do otherwise than a strict one, and the cases in which it shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deviation {
    /// The cases, or all of a section as `12.*`. Each of them has to give exactly this verdict.
    pub(crate) cases: &'static [&'static str],
    pub(crate) behavior: &'static str,
    pub(crate) close: &'static str,
    /// What the server does, and which sentence of the RFC has something to say of it.
    pub(crate) reason: &'static str,
}

/// Every difference between the table and the verdicts, one line each; empty where they agree.
///
/// A case outside the table has to give a pass, or something that the RFC leaves open, on both axes. A case in the
/// table has to give what the table says: a deviation that does not occur is a mistake in the table or in us.
pub(crate) fn differences(verdicts: &Verdicts, table: &[Deviation]) -> String {
    let mut lines = String::new();
    let mut known: BTreeMap<&str, &Deviation> = BTreeMap::new();
    for deviation in table {
        for case in deviation.cases.iter().flat_map(|pattern| matching(verdicts, pattern)) {
            if known.insert(case, deviation).is_some() {
                line(&mut lines, case, "declared twice", "", deviation.reason);
            }
            if !verdicts.contains_key(case) {
                line(&mut lines, case, &words(deviation), "not played", deviation.reason);
            }
        }
    }
    for (case, verdict) in verdicts {
        let seen = format!("{} / {}", verdict.behavior, verdict.close);
        match known.get(case.as_str()) {
            Some(deviation) if words(deviation) == seen => {}
            Some(deviation) => line(&mut lines, case, &words(deviation), &seen, deviation.reason),
            None if is_strict(verdict) => {}
            None => line(&mut lines, case, "not declared", &seen, &verdict.observed.join("; ")),
        }
    }
    lines
}

/// The cases that a pattern stands for; one that was not played stands for itself.
fn matching<'a>(verdicts: &'a Verdicts, pattern: &'a str) -> Vec<&'a str> {
    match pattern.strip_suffix('*') {
        Some(start) => verdicts.keys().map(String::as_str).filter(|case| case.starts_with(start)).collect(),
        None => vec![pattern],
    }
}

fn is_strict(verdict: &Verdict) -> bool {
    [&verdict.behavior, &verdict.close].iter().all(|word| matches!(word.as_str(), "pass" | "informational"))
}

fn words(deviation: &Deviation) -> String {
    format!("{} / {}", deviation.behavior, deviation.close)
}

fn line(lines: &mut String, case: &str, expected: &str, seen: &str, why: &str) {
    writeln!(lines, "{case:<8} {expected:<24} {seen:<24} {why}").expect("a string takes everything");
}

mod tests {
    use super::{Deviation, Verdict, Verdicts, differences};

    const UNMASKED: Deviation = Deviation {
        cases: &["F.1", "F.2"],
        behavior: "fail",
        close: "wrong-side",
        reason: "takes unmasked frames",
    };

    fn verdicts(cases: &[(&str, &str, &str)]) -> Verdicts {
        let verdict = |behavior: &str, close: &str| Verdict {
            behavior: behavior.to_owned(),
            close: close.to_owned(),
            observed: vec!["something else".to_owned()],
        };
        cases.iter().map(|(case, behavior, close)| ((*case).to_owned(), verdict(behavior, close))).collect()
    }

    #[test]
    fn what_is_declared_and_occurs_is_no_difference() {
        let seen = verdicts(&[
            ("1.1.1", "pass", "pass"),
            ("7.1.6", "informational", "informational"),
            ("F.1", "fail", "wrong-side"),
            ("F.2", "fail", "wrong-side"),
        ]);
        assert_eq!(differences(&seen, &[UNMASKED]), "");
    }

    #[test]
    fn what_is_not_declared_is_a_difference_on_either_axis() {
        let seen = verdicts(&[
            ("1.1.1", "fail", "pass"),
            ("1.1.2", "pass", "dropped"),
            ("1.1.3", "inconclusive", "inconclusive"),
            ("1.1.4", "unimplemented", "pass"),
            ("1.1.5", "pass", "pass"),
        ]);
        let lines = differences(&seen, &[]);
        assert_eq!(
            lines.lines().next(),
            Some("1.1.1    not declared             fail / pass              something else")
        );
        assert_eq!(lines.lines().count(), 4);
    }

    #[test]
    fn what_is_declared_and_does_not_occur_is_a_difference() {
        let seen = verdicts(&[("F.1", "pass", "pass"), ("F.2", "fail", "pass")]);
        let lines = differences(&seen, &[UNMASKED]);
        assert_eq!(
            lines.lines().next(),
            Some("F.1      fail / wrong-side        pass / pass              takes unmasked frames")
        );
        assert_eq!(lines.lines().count(), 2);
    }

    #[test]
    fn a_pattern_stands_for_all_that_were_played() {
        let all = Deviation { cases: &["F.*"], ..UNMASKED };
        let seen = verdicts(&[("F.1", "fail", "wrong-side"), ("F.2", "fail", "wrong-side")]);
        assert_eq!(differences(&seen, &[all]), "");
        let seen = verdicts(&[("F.1", "fail", "wrong-side"), ("F.2", "pass", "pass")]);
        assert_eq!(differences(&seen, &[all]).lines().count(), 1);
    }

    #[test]
    fn what_was_not_played_or_stands_twice_is_a_difference() {
        let seen = verdicts(&[("F.1", "fail", "wrong-side")]);
        assert!(differences(&seen, &[UNMASKED]).contains("not played"));
        let seen = verdicts(&[("F.1", "fail", "wrong-side"), ("F.2", "fail", "wrong-side")]);
        assert_eq!(differences(&seen, &[UNMASKED, UNMASKED]).matches("declared twice").count(), 2);
    }
}
