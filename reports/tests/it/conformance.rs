//! What a run says of each rule: every standing, and the other side of each.

use std::collections::BTreeMap;

use wsgrade_reports::conformance::{Standing, conformance, tally};
use wsgrade_reports::record::{
    Behavior, Binds, CaseInfo, CaseRecord, CloseVerdict, Finding, Role, RuleText, RunReport, SchemaVersion,
};

use crate::sample;

const MUST: &str = "rfc-5.9-must";
const SHOULD: &str = "rfc-5.10-should";
const MAY: &str = "rfc-5.10-may";
const OTHER: &str = "rfc-5.10.1-other";

fn rule(id: &str, level: &str) -> (String, RuleText) {
    let section = id.split('-').nth(1).expect("a section");
    let text = RuleText {
        source: "RFC".to_owned(),
        section: section.to_owned(),
        level: level.to_owned(),
        binds: Some(Binds::Both),
        sentence: format!("{level} it is."),
        unobservable: BTreeMap::new(),
        watched: false,
    };
    (id.to_owned(), text)
}

fn case(id: &str, rules: &[&str]) -> CaseInfo {
    let base = sample::small().cases.swap_remove(0);
    CaseInfo { id: id.to_owned(), rules: rules.iter().map(ToString::to_string).collect(), ..base }
}

fn record(id: &str, behavior: Behavior, close: CloseVerdict, rules: &[&str]) -> CaseRecord {
    let finding = |rule: &&str| Finding {
        rule: (*rule).to_owned(),
        expected: String::new(),
        observed: String::new(),
        entry: None,
    };
    let findings = rules.iter().map(finding).collect();
    CaseRecord { behavior, close, findings, ..sample::passed(id, "tcp") }
}

/// A run of a server with four rules.
fn run(cases: Vec<CaseInfo>, records: Vec<CaseRecord>) -> RunReport {
    let mut report = sample::small();
    report.rules =
        [rule(MUST, "MUST"), rule(SHOULD, "SHOULD"), rule(MAY, "MAY"), rule(OTHER, "MUST NOT")].into();
    report.cases = cases;
    report.targets.truncate(1);
    report.targets[0].cases = records;
    report
}

fn standing(report: &RunReport, rule: &str) -> (Standing, Vec<String>) {
    let results = conformance(report, &report.targets[0]);
    let result = results.into_iter().find(|result| result.rule == rule).expect("every rule has a result");
    (result.standing, result.cases.into_iter().map(|case| case.id).collect())
}

/// One case that cites all four rules, judged so.
fn of_one(behavior: Behavior, close: CloseVerdict, findings: &[&str], rule: &str) -> Standing {
    let cases = vec![case("1", &[MUST, SHOULD, MAY, OTHER])];
    standing(&run(cases, vec![record("1", behavior, close, findings)]), rule).0
}

#[test]
fn what_passed_is_held_and_what_nobody_cites_is_not_tested() {
    let report = run(
        vec![case("1", &[MUST]), case("2", &[MUST])],
        vec![
            record("1", Behavior::Pass, CloseVerdict::Pass, &[]),
            record("2", Behavior::Pass, CloseVerdict::Informational, &[]),
        ],
    );
    assert_eq!(standing(&report, MUST), (Standing::Held, vec!["1".to_owned(), "2".to_owned()]));
    assert_eq!(standing(&report, SHOULD), (Standing::NotTested, vec![]));
}

#[test]
fn a_finding_breaks_its_rule_and_says_nothing_against_the_others() {
    let fail = |findings: &[&str], rule| of_one(Behavior::Fail, CloseVerdict::Pass, findings, rule);
    assert_eq!(fail(&[MUST], MUST), Standing::MustBroken);
    assert_eq!(fail(&[MUST], OTHER), Standing::NotShown);
    assert_eq!(fail(&[MUST], SHOULD), Standing::NotShown);
    assert_eq!(fail(&[MUST, SHOULD], SHOULD), Standing::ShouldBroken);
    assert_eq!(fail(&[SHOULD, OTHER], SHOULD), Standing::ShouldBroken);
    assert_eq!(fail(&[SHOULD, OTHER], OTHER), Standing::MustBroken);
    // One that failed while another passed is held: the failure had another reason.
    let report = run(
        vec![case("1", &[MUST, OTHER]), case("2", &[OTHER])],
        vec![
            record("1", Behavior::Fail, CloseVerdict::Pass, &[MUST]),
            record("2", Behavior::Pass, CloseVerdict::Pass, &[]),
        ],
    );
    assert_eq!(standing(&report, MUST), (Standing::MustBroken, vec!["1".to_owned()]));
    assert_eq!(standing(&report, OTHER), (Standing::Held, vec!["2".to_owned()]));
}

#[test]
fn a_rule_is_broken_by_a_case_that_does_not_cite_it_too() {
    let report = run(
        vec![case("1", &[MUST]), case("2", &[OTHER])],
        vec![
            record("1", Behavior::Pass, CloseVerdict::Pass, &[]),
            record("2", Behavior::Fail, CloseVerdict::Pass, &[MUST]),
        ],
    );
    assert_eq!(standing(&report, MUST), (Standing::MustBroken, vec!["2".to_owned()]));
}

#[test]
fn no_finding_weighs_more_than_the_judge_found() {
    let seen = |behavior, close| of_one(behavior, close, &[MUST], MUST);
    assert_eq!(seen(Behavior::NonStrict, CloseVerdict::Pass), Standing::ShouldBroken);
    assert_eq!(seen(Behavior::Pass, CloseVerdict::Dropped), Standing::ShouldBroken);
    assert_eq!(seen(Behavior::Pass, CloseVerdict::Unclean), Standing::MustBroken);
    assert_eq!(seen(Behavior::Informational, CloseVerdict::Pass), Standing::Permitted);
    assert_eq!(seen(Behavior::Pass, CloseVerdict::Pass), Standing::Permitted);
}

#[test]
fn who_does_not_put_up_with_what_a_rule_allows_has_broken_it() {
    let fail = |findings: &[&str]| of_one(Behavior::Fail, CloseVerdict::Pass, findings, MAY);
    assert_eq!(fail(&[MAY]), Standing::MustBroken);
    assert_eq!(fail(&[MAY, SHOULD]), Standing::MustBroken);
    // Another finding is what the case failed by.
    assert_eq!(fail(&[MAY, MUST]), Standing::Permitted);
    assert_eq!(fail(&[SHOULD, MAY]), Standing::Permitted);
}

#[test]
fn a_choice_left_open_is_told_where_the_rule_leaves_it_open() {
    let report = |rule| {
        run(
            vec![case("1", &[rule]), case("2", &[rule])],
            vec![
                record("1", Behavior::Pass, CloseVerdict::Pass, &[]),
                record("2", Behavior::Informational, CloseVerdict::Pass, &[rule]),
            ],
        )
    };
    assert_eq!(standing(&report(MAY), MAY), (Standing::Permitted, vec!["2".to_owned()]));
    assert_eq!(standing(&report(MUST), MUST), (Standing::Held, vec!["1".to_owned()]));
}

#[test]
fn what_was_not_played_to_its_end_shows_nothing() {
    for behavior in [Behavior::Inconclusive, Behavior::Unimplemented] {
        assert_eq!(of_one(behavior, CloseVerdict::Pass, &[MUST], MUST), Standing::NotShown, "{behavior}");
        assert_eq!(of_one(behavior, CloseVerdict::Pass, &[], OTHER), Standing::NotShown, "{behavior}");
    }
    // Nor a case that passed and then ended wrongly, by no rule that a finding names.
    assert_eq!(of_one(Behavior::Pass, CloseVerdict::Dropped, &[], MUST), Standing::NotShown);
    assert_eq!(of_one(Behavior::Pass, CloseVerdict::Pass, &[], MUST), Standing::Held);
}

#[test]
fn a_rule_that_only_an_outcome_rests_on_is_not_held_by_another_outcome() {
    let only = CaseInfo { outcome_rules: vec![MUST.to_owned()], ..case("1", &[OTHER]) };
    let passed = record("1", Behavior::Pass, CloseVerdict::Pass, &[]);
    assert_eq!(standing(&run(vec![only.clone()], vec![passed.clone()]), MUST).0, Standing::NotShown);
    let both = CaseInfo { rules: vec![MUST.to_owned()], ..only };
    assert_eq!(standing(&run(vec![both], vec![passed]), MUST).0, Standing::Held);
}

#[test]
fn whom_it_binds_and_who_can_see_it() {
    let mut report =
        run(vec![case("1", &[MUST, OTHER])], vec![record("1", Behavior::Fail, CloseVerdict::Pass, &[MUST])]);
    let mut change = |change: &dyn Fn(&mut RuleText), rule| {
        change(report.rules.get_mut(rule).expect("a rule"));
        let result = conformance(&report, &report.targets[0]).into_iter().find(|r| r.rule == rule);
        let result = result.expect("every rule has a result");
        (result.standing, result.reason.map(str::to_owned))
    };
    let hide = |role| move |text: &mut RuleText| text.unobservable = [(role, "so".to_owned())].into();
    assert_eq!(change(&hide(Role::Client), OTHER), (Standing::NotShown, None));
    assert_eq!(change(&hide(Role::Server), OTHER), (Standing::Unobservable, Some("so".to_owned())));
    // It was seen after all.
    assert_eq!(change(&hide(Role::Server), MUST), (Standing::MustBroken, None));
    assert_eq!(change(&|text| text.binds = Some(Binds::Server), MUST), (Standing::MustBroken, None));
    assert_eq!(change(&|text| text.binds = Some(Binds::Client), MUST), (Standing::BindsOthers, None));
    assert_eq!(change(&|text| text.binds = Some(Binds::Intermediary), OTHER), (Standing::BindsOthers, None));
    // An older record does not say: what was broken was broken, but nothing is called held.
    assert_eq!(change(&|text| text.binds = None, MUST), (Standing::MustBroken, None));
}

#[test]
fn where_it_is_not_known_whom_a_rule_binds_nothing_is_held() {
    let mut report =
        run(vec![case("1", &[MUST])], vec![record("1", Behavior::Pass, CloseVerdict::Pass, &[])]);
    assert_eq!(standing(&report, MUST).0, Standing::Held);
    report.rules.get_mut(MUST).expect("a rule").binds = None;
    assert_eq!(standing(&report, MUST), (Standing::NotShown, vec!["1".to_owned()]));
}

#[test]
fn results_come_by_section_and_are_counted() {
    let report = run(vec![case("1", &[MUST])], vec![record("1", Behavior::Pass, CloseVerdict::Pass, &[])]);
    let results = conformance(&report, &report.targets[0]);
    let ids: Vec<_> = results.iter().map(|result| result.rule).collect();
    assert_eq!(ids, [MUST, MAY, SHOULD, OTHER]);
    assert_eq!(tally(&results), [(Standing::Held, 1), (Standing::NotTested, 3)]);
    assert!(SchemaVersion::CURRENT.has_register() && !SchemaVersion(2).has_register());
}
