//! The register of rules: that it is true to itself, and which of its rules no case tests.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Role;
use wsgrade_cases::rules::{Binds, Coverage, Level, cited};
use wsgrade_cases::{Catalogue, Register};
use wsgrade_codec::check;

#[test]
fn it_has_every_rule_of_the_checker_word_for_word() {
    for rule in check::Rule::ALL {
        let ours = Register::embedded().get(&RuleId::new(rule.id())).unwrap_or_else(|| panic!("no {rule}"));
        assert_eq!(
            (ours.document.as_str(), ours.section.as_str(), ours.level.as_str(), ours.sentence.as_str()),
            (rule.source(), rule.section(), rule.level(), rule.sentence()),
            "{rule}"
        );
        assert!(ours.is_watched(), "{rule}");
    }
    let watched = Register::embedded().iter().filter(|rule| rule.is_watched()).count();
    assert_eq!(watched, check::Rule::ALL.len());
}

#[test]
fn rules_are_named_after_their_place() {
    for rule in Register::embedded().iter() {
        let prefix = format!("{}-{}-", rule.document.replace(' ', "").to_lowercase(), rule.section);
        assert!(rule.id.as_str().starts_with(&prefix), "{}", rule.id);
        assert!(rule.sentence.ends_with(['.', ')']), "{}", rule.id);
    }
}

#[test]
fn a_level_is_in_the_words_of_its_sentence() {
    for rule in Register::embedded().iter() {
        let says = |words: &[&str]| words.iter().any(|word| rule.sentence.contains(word));
        let in_sentence = match rule.level {
            // Not all leave is given by the key word: "Optionally", "The value may be quoted".
            Level::May => says(&[
                "MAY",
                "may ",
                "can ",
                "might ",
                "Optionally",
                "reserved for",
                "not necessary",
                "don't need",
            ]),
            Level::Should => says(&["SHOULD", "should ", "RECOMMENDED"]),
            Level::ShouldNot => says(&["SHOULD NOT", "should not"]),
            Level::Must | Level::MustNot | Level::Note => true,
        };
        assert!(in_sentence, "{} is no {}: {}", rule.id, rule.level, rule.sentence);
    }
}

#[test]
fn it_is_in_the_order_of_the_documents() {
    let ids: Vec<_> = Register::embedded().iter().map(|rule| rule.id.as_str()).collect();
    let at = |id: &str| ids.iter().position(|other| *other == id).unwrap_or_else(|| panic!("{id}"));
    let some = [
        "rfc6455-1.4-control-after-close",
        "rfc6455-4.2.1-host",
        "rfc6455-5.2-payload-length",
        "rfc6455-5.5-control-length",
        "rfc6455-5.6-text",
        "rfc6455-10.7-drop",
        "rfc7692-5-preference",
        "rfc7692-7.2.2-algorithm",
    ];
    assert!(some.map(at).is_sorted());
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn a_rule_is_seen_where_it_binds_and_nothing_hides_it() {
    let rule = |id: &str| Register::embedded().get(&RuleId::new(id)).unwrap_or_else(|| panic!("{id}"));
    let seen = |id| [Role::Client, Role::Server].map(|role| rule(id).is_observable(role));
    assert_eq!(seen("rfc6455-5.5-control-length"), [true, true]);
    assert_eq!(seen("rfc6455-5.1-client-masks"), [true, false]);
    assert_eq!(seen("rfc6455-5.1-server-does-not-mask"), [false, true]);
    assert_eq!(seen("rfc6455-11.3.2-extensions-several"), [false, true]);
    assert_eq!(seen("rfc6455-10.6-support-tls"), [false, false]);
    let between = rule("rfc6455-5.4-intermediary-control");
    assert_eq!((between.binds, seen("rfc6455-5.4-intermediary-control")), (Binds::Intermediary, [false; 2]));
    assert_eq!(between.hidden.of(Role::Client), between.hidden.of(Role::Server));
}

fn wrong(lines: &str) -> String {
    let text = format!("document = \"RFC 1\"\n[[rule]]\nid = \"a\"\nsection = \"1\"\n{lines}");
    match Register::read(&[("r.toml", &text)]) {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn mistakes_in_a_file_of_rules() {
    let rule = "level = \"MUST\"\nsentence = \"It must.\"\n";
    assert_snapshot!(wrong(rule), @"no error");
    assert_snapshot!(wrong(&format!("{rule}unobservable_of = {{ client = \"so\" }}")), @"no error");
    assert_snapshot!(wrong("level = \"OUGHT\"\nsentence = \"It ought.\"\n"), @r#"r.toml:5:9: `level` is "OUGHT", expected `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT`, `MAY` or `NOTE`"#);
    assert_snapshot!(wrong(&format!("{rule}binds = \"proxy\"")), @r#"r.toml:7:9: `binds` is "proxy", expected `both`, `client`, `server` or `intermediary`"#);
    assert_snapshot!(wrong(&format!("{rule}binds = \"intermediary\"")), @"r.toml:2:1: a rule that binds intermediaries without `unobservable`: none is under test");
    assert_snapshot!(wrong(&format!("{rule}unobservable_of = {{ proxy = \"so\" }}")), @"
    r.toml:7:21: unknown key `proxy` in `unobservable_of`
      help: it may have `client` and `server`
    ");
    assert_snapshot!(wrong(&format!("{rule}binds = \"client\"\nunobservable_of = {{ client = \"so\" }}")), @"
    r.toml:8:19: `unobservable_of` is for one of the two roles that a rule binds
      help: say `unobservable` where it is no matter which
    ");
    assert_snapshot!(wrong(&format!("{rule}unobservable_of = {{ client = \"so\", server = \"so\" }}")), @"
    r.toml:7:19: `unobservable_of` is for one of the two roles that a rule binds
      help: say `unobservable` where it is no matter which
    ");
    assert_snapshot!(wrong(&format!("{rule}[[rule]]\nid = \"a\"\nsection = \"1\"\n{rule}")), @"r.toml:7:1: rule `a` is there twice");
    assert_snapshot!(wrong("unobservabel = \"so\"\n"), @"
    r.toml:5:1: unknown key `unobservabel` in a rule
      help: did you mean `unobservable`?
    r.toml:2:1: a rule without `level`
    r.toml:2:1: a rule without `sentence`
    ");
}

#[test]
fn what_a_case_cites_is_what_it_names_and_what_its_outcomes_rest_on() {
    let text = crate::case(
        "steps = [{ send = \"ping\" }]\naccept = [{ verdict = \"pass\", saw = [] }, { verdict = \"informational\", saw = [], rule = \"rfc6455-5.5.3-latest-ping\" }, { verdict = \"informational\", saw = \"anything\", rule = \"rfc6455-5.6-text\" }]\nroles = [\"server\"]",
    );
    let scenario = crate::one(&text);
    let ids: Vec<_> = cited(&scenario).into_iter().map(RuleId::as_str).collect();
    assert_eq!(ids, ["rfc6455-5.6-text", "rfc6455-5.5.3-latest-ping"]);

    let coverage = Coverage::of([&scenario]);
    let rule = |id: &str| Register::embedded().get(&RuleId::new(id)).expect("a rule");
    let text = rule("rfc6455-5.6-text");
    assert_eq!(coverage.cases(&text.id, Role::Server), [&scenario.id]);
    assert!(coverage.cases(&text.id, Role::Client).is_empty());
    assert_eq!(coverage.gaps(text), [Role::Client]);
    assert_eq!(coverage.gaps(rule("rfc6455-5.6-binary")), [Role::Client, Role::Server]);
    assert!(coverage.gaps(rule("rfc6455-10.6-support-tls")).is_empty());
    assert_eq!(coverage.gaps(rule("rfc6455-5.1-client-masks")), [Role::Client]);
}

/// What fails in a role is blamed on the first of the case's rules that binds it.
#[test]
fn every_case_has_a_rule_for_each_of_its_roles() {
    for scenario in Catalogue::embedded().scenarios() {
        for &role in &scenario.roles {
            let binding =
                |id: &RuleId| Register::embedded().get(id).is_some_and(|rule| rule.binds.role(role));
            assert!(scenario.rules.iter().any(binding), "{} has no rule that binds a {role}", scenario.id);
        }
    }
}

/// Whatever binds an endpoint and can be seen has a case.
#[test]
fn every_rule_that_can_be_seen_has_a_case_in_each_role_that_it_binds() {
    let coverage = Coverage::of(Catalogue::embedded().scenarios());
    let gaps: Vec<String> = Register::embedded()
        .iter()
        .flat_map(|rule| coverage.gaps(rule).into_iter().map(move |role| format!("{} {role}", rule.id)))
        .collect();
    assert!(gaps.is_empty(), "no case cites these, so add one, or say why no peer can see it: {gaps:#?}");
}
