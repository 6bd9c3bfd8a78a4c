//! Which cases are played.

use wsgrade_cases::Catalogue;
use wsgrade_cases::select::{NoMatch, Pattern, select};

fn chosen(include: &[&str], exclude: &[&str]) -> Result<Vec<String>, NoMatch> {
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(*text)).collect::<Vec<_>>();
    let selection = select(Catalogue::embedded(), &patterns(include), &patterns(exclude))?;
    Ok(selection.cases.iter().map(|scenario| scenario.id.to_string()).collect())
}

fn refused(pattern: &str) -> String {
    chosen(&[pattern], &[]).expect_err(pattern).to_string()
}

#[test]
fn without_patterns_all_are_played() {
    assert_eq!(chosen(&[], &[]).expect("all").len(), Catalogue::embedded().scenarios().len());
}

#[test]
fn a_pattern_is_an_id_or_a_glob_over_the_whole_of_it() {
    let matches = |pattern: &str, id: &str| Pattern::new(pattern).matches(id);
    assert!(matches("6.4.1", "6.4.1"));
    assert!(!matches("6.4", "6.4.1"));
    assert!(!matches("6.4.1", "6.4.11"));
    assert!(matches("6.*", "6.4.1"));
    assert!(!matches("6.*", "6"));
    assert!(!matches("6.*", "16.1"));
    assert!(!matches("6x*", "6.4"));
    assert!(matches("*", ""));
    assert!(matches("*.1", "6.4.1"));
    assert!(!matches("*.1", "6.4.11"));
    assert!(matches("6.*.1", "6.4.1"));
    assert!(!matches("6.*.1", "6.1"));
    assert!(matches("*4*1", "6.4.1"));
    assert!(!matches("*1*4", "6.4.1"));
    assert!(matches("**", "6"));
    assert!(!matches("1*1", "1"));
}

#[test]
fn cases_come_in_the_order_of_their_ids_whatever_the_order_of_the_patterns() {
    assert_eq!(chosen(&["10.*", "2.1*"], &[]).expect("some"), ["2.1", "2.10", "2.11", "10.1.1"]);
}

#[test]
fn what_is_excluded_is_not_played() {
    assert_eq!(chosen(&["6.4.*"], &["6.4.3", "*.4"]).expect("some"), ["6.4.1", "6.4.2"]);
    assert!(chosen(&["6.4.*"], &["6.*"]).expect("none is no error here").is_empty());
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error_with_a_suggestion() {
    assert_eq!(refused("6"), "no case matches `6`; did you mean `6.*`?");
    assert_eq!(refused("6.4"), "no case matches `6.4`; did you mean `6.4.*`?");
    assert_eq!(refused("f.*"), "no case matches `f.*`; did you mean `F.*`?");
    assert_eq!(refused("6.4.1."), "no case matches `6.4.1.`; did you mean `6.4.1`?");
    assert_eq!(refused("ping"), "no case matches `ping`");
    assert_eq!(refused(""), "no case matches ``");
}

#[test]
fn an_exclusion_that_excludes_nothing_is_reported_and_no_error() {
    let patterns = [Pattern::new("11.*"), Pattern::new("6.4.*")];
    let selection = select(Catalogue::embedded(), &[], &patterns).expect("no error");
    let idle: Vec<_> = selection.idle.iter().map(|idle| idle.pattern.to_string()).collect();
    assert_eq!(idle, ["11.*"]);
}
