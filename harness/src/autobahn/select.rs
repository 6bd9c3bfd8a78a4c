//! Which cases a spec file picks.

use std::sync::Arc;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{Role, Scenario};

use super::is_case;
use super::pattern::{AgentRule, CasePattern};

/// What was picked, in numeric order, and which patterns picked nothing.
#[derive(Debug)]
pub(super) struct Picked {
    pub(super) cases: Vec<Arc<Scenario>>,
    /// One sentence each.
    pub(super) warnings: Vec<String>,
}

/// The cases of Autobahn|Testsuite for a role that any pattern of `cases` matches and none of `exclude`.
pub(super) fn select(
    catalogue: &Catalogue,
    role: Role,
    cases: &[CasePattern],
    exclude: &[CasePattern],
    rules: &[AgentRule],
) -> Picked {
    let known: Vec<&Scenario> =
        catalogue.scenarios().iter().filter(|scenario| is_case(&scenario.id)).collect();
    let ids: Vec<&str> = known.iter().map(|scenario| scenario.id.as_str()).collect();
    // An empty exclusion occurs in the field and excludes nothing.
    let exclude: Vec<&CasePattern> = exclude.iter().filter(|pattern| !pattern.as_str().is_empty()).collect();
    let idle_in = |key: &str, pattern: &str| {
        let near = nearest(pattern, &ids);
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("no case matches `{pattern}` in `{key}`{hint}")
    };
    let idle = |key: &str, pattern: &CasePattern| {
        (!ids.iter().any(|id| pattern.matches(id))).then(|| idle_in(key, pattern.as_str()))
    };
    let idle_rules = rules.iter().flat_map(|rule| {
        let key = format!("exclude-agent-cases[{:?}]", rule.agents);
        rule.idle(&ids).map(|pattern| idle_in(&key, pattern)).collect::<Vec<_>>()
    });
    let warnings = cases
        .iter()
        .filter_map(|pattern| idle("cases", pattern))
        .chain(exclude.iter().filter_map(|pattern| idle("exclude-cases", pattern)))
        .chain(idle_rules)
        .collect();
    let picked = known.iter().filter(|scenario| {
        let id = scenario.id.as_str();
        scenario.roles.contains(&role)
            && cases.iter().any(|pattern| pattern.matches(id))
            && !exclude.iter().any(|pattern| pattern.matches(id))
    });
    Picked { cases: picked.map(|scenario| Arc::new((*scenario).clone())).collect(), warnings }
}

/// What may have been meant by a pattern that matches nothing.
fn nearest(pattern: &str, ids: &[&str]) -> Option<String> {
    let stem = pattern.trim().trim_end_matches(['.', '*']);
    if stem.is_empty() {
        return None;
    }
    // `6`, `6.` and `6.4` are the likely slips.
    let sections = [stem.to_owned(), format!("{stem}.*")];
    let likely = sections.into_iter().find(|other| {
        let other = CasePattern::new(other.clone());
        ids.iter().any(|id| other.matches(id))
    });
    // A number too many is no slip of the pen: files in the field name groups that there never were.
    let is_group = stem.bytes().all(|byte| byte.is_ascii_digit());
    likely.or_else(|| {
        let near = super::spec::nearest(stem, ids.iter().copied().filter(|_| !is_group));
        near.map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(cases: &[&str], exclude: &[&str]) -> (Vec<String>, Vec<String>) {
        let patterns = |texts: &[&str]| texts.iter().map(|text| CasePattern::new(*text)).collect::<Vec<_>>();
        let Picked { cases, warnings } =
            select(Catalogue::embedded(), Role::Server, &patterns(cases), &patterns(exclude), &[]);
        (cases.iter().map(|scenario| scenario.id.to_string()).collect(), warnings)
    }

    #[test]
    fn numeric_order_without_repetition_and_without_our_own() {
        let (ids, warnings) = picked(&["2.1*", "2.2", "2.*", "1.1.1"], &["2.3"]);
        assert_eq!(ids, ["1.1.1", "2.1", "2.2", "2.4", "2.5", "2.6", "2.7", "2.8", "2.9", "2.10", "2.11"]);
        assert_eq!(warnings, [""; 0]);
        let (ids, _) = picked(&["*"], &[]);
        assert!(ids.len() >= 247 && ids.iter().all(|id| id.starts_with(|c: char| c.is_ascii_digit())));
    }

    #[test]
    fn nothing_is_excluded_by_nothing() {
        assert_eq!(picked(&["2.*"], &[""]), picked(&["2.*"], &[]));
        assert_eq!(picked(&["2.*"], &["*"]).0, [""; 0]);
        assert_eq!(picked(&[], &[]).0, [""; 0]);
    }

    #[test]
    fn idle_patterns_are_told_of() {
        let (ids, warnings) = picked(&["1.1.1", "6.4.111", "6", "F.*", "zzz", "11.*"], &["2", "77.*"]);
        assert_eq!(ids, ["1.1.1"]);
        insta::assert_snapshot!(warnings.join("\n"), @r"
        no case matches `6.4.111` in `cases`; did you mean `6.4.1`?
        no case matches `6` in `cases`; did you mean `6.*`?
        no case matches `F.*` in `cases`
        no case matches `zzz` in `cases`
        no case matches `11.*` in `cases`
        no case matches `2` in `exclude-cases`; did you mean `2.*`?
        no case matches `77.*` in `exclude-cases`
        ");
    }

    #[test]
    fn so_are_those_of_rules_for_agents() {
        let cases = ["1.1.*", "1.1", "", "2"].map(str::to_owned).to_vec();
        let rules = [AgentRule { agents: "A*".to_owned(), cases }];
        let picked = select(Catalogue::embedded(), Role::Server, &[CasePattern::new("1.*")], &[], &rules);
        assert_eq!(picked.cases.len(), 16);
        insta::assert_snapshot!(picked.warnings.join("\n"), @r#"
        no case matches `1.1` in `exclude-agent-cases["A*"]`; did you mean `1.1.*`?
        no case matches `2` in `exclude-agent-cases["A*"]`; did you mean `2.*`?
        "#);
    }
}
