//! Whatever the bytes: what comes out is a case, and the same again.

use quickcheck::quickcheck;
use wsgrade_cases::{Catalogue, Register, lint, load, write};
use wsgrade_codec::Role;

use super::*;

fn brief(role: Role, deflate: bool) -> Brief {
    Brief { role, deflate, openings: false }
}

fn is_a_case(scenario: &Scenario) -> bool {
    let text = write::section(ID, "T") + &write::scenario(scenario);
    let again = load::read("a.toml", &text).expect("what is written can be read");
    let findings = lint::check(scenario, Register::embedded());
    assert!(findings.is_empty(), "{findings:?}\n{text}");
    again.scenarios[0].0 == *scenario
}

quickcheck! {
    fn bytes_are_a_case_and_the_same_again(bytes: Vec<u8>, deflate: bool) -> bool {
        [Role::Server, Role::Client].into_iter().all(|role| {
            let brief = brief(role, deflate);
            let scenario = generate(&brief, &bytes);
            is_a_case(&scenario) && generate(&brief, &bytes) == scenario
        })
    }

    fn what_is_changed_is_a_case_again(one: Vec<u8>, other: Vec<u8>, bytes: Vec<u8>, at: usize) -> bool {
        let all = Catalogue::embedded().scenarios();
        [Role::Server, Role::Client].into_iter().all(|role| {
            let brief = brief(role, true);
            let of_case = mutate(&brief, &all[at % all.len()], &generate(&brief, &other), &bytes);
            let changed = mutate(&brief, &generate(&brief, &one), &of_case, &bytes);
            is_a_case(&of_case) && is_a_case(&changed)
        })
    }
}

/// Steps in any order, of the catalogue and of others: made playable, they stay as they are.
#[test]
fn what_is_playable_stays_as_it_is() {
    let all = Catalogue::embedded().scenarios();
    for seed in 0..2000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut mixed = Scenario::clone(&all[random.usize(..all.len())]);
        mixed.steps.extend_from_slice(&all[random.usize(..all.len())].steps);
        random.shuffle(&mut mixed.steps);
        playable::mend(&mut mixed, Role::Server);
        let mut again = mixed.clone();
        playable::mend(&mut again, Role::Server);
        assert_eq!(again, mixed, "{seed}");
        assert!(mixed.steps.len() <= 64 && mixed.stress.is_none());
    }
}

#[test]
fn without_bytes_it_is_the_simplest() {
    let scenario = generate(&brief(Role::Server, true), &[]);
    let text = write::scenario(&scenario);
    assert!(text.contains("{ send = \"text\", text = \"a\" }"), "{text}");
    assert_eq!(scenario.steps.len(), 1);
}
