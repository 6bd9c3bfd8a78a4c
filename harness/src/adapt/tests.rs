//! Both sides of every rule, for all the cases there are, in virtual time.

use std::sync::Arc;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::Need;
use wsgrade_codec::Role;
use wsgrade_reports::record::{Behavior, CloseVerdict};

use super::*;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::simulated::{Quirk, SimulatedServer, play_with};

fn facts(text: Response, binary: Response, talks: bool) -> TargetFacts {
    TargetFacts { text, binary, talks, pongs: true, ..TargetFacts::default() }
}

fn silent() -> TargetFacts {
    facts(Response::Nothing, Response::Nothing, false)
}

fn case(id: &str) -> &'static Scenario {
    Catalogue::embedded().get(&id.parse().unwrap()).unwrap()
}

fn all() -> impl Iterator<Item = &'static Scenario> {
    Catalogue::embedded().scenarios().iter().filter(|scenario| scenario.roles.contains(&Role::Server))
}

/// Those that a server can play which knows no compression, and whose messages are not so long that they take a while.
fn plain() -> impl Iterator<Item = &'static Scenario> {
    all().filter(|scenario| !scenario.needs.contains(&Need::Deflate) && !scenario.section().starts_with("9."))
}

fn adapted(scenario: &Scenario, facts: &TargetFacts) -> Option<Arc<Plan>> {
    match adapt(scenario, facts) {
        Adapted::AsWritten => Some(Plan::alone(scenario.clone())),
        Adapted::WithoutEcho { scenario: fitted, why } => {
            Some(Arc::new(Plan::alone(scenario.clone()).without_echo(*fitted, why)))
        }
        Adapted::Unplayable(_) => None,
    }
}

fn judged(scenario: &Scenario, facts: &TargetFacts, quirk: Quirk) -> Option<Judgement> {
    let plan = adapted(scenario, facts)?;
    Some(play_with(&plan, &mut SimulatedServer::new(quirk)).judgement)
}

#[track_caller]
fn expect(id: &str, facts: &TargetFacts, quirk: Quirk, behavior: Behavior, close: CloseVerdict) {
    let judgement = judged(case(id), facts, quirk).unwrap();
    assert_eq!(
        (judgement.behavior, judgement.close),
        (behavior, close),
        "{id} {quirk:?} {:#?}",
        judgement.findings
    );
}

#[test]
fn an_echo_is_asked_what_is_written() {
    let echo = facts(Response::Echo, Response::Echo, false);
    assert!(all().all(|scenario| adapt(scenario, &echo) == Adapted::AsWritten));
}

#[test]
fn of_a_silent_target_nothing_is_expected_that_it_does_not_do() {
    for scenario in all() {
        let id = &scenario.id;
        match adapt(scenario, &silent()) {
            // It may say something of its own at any time, and in no case is that an answer.
            Adapted::AsWritten => panic!("{id} is played as it is written"),
            Adapted::Unplayable(why) => {
                assert!(scenario.exchanges().next().is_some(), "{id}");
                assert!(why.starts_with("does not send "), "{id}: {why}");
            }
            Adapted::WithoutEcho { scenario: fitted, why } => {
                assert!(why.contains("back: what it says is passed over"), "{id}: {why}");
                assert_eq!(fitted.ending, scenario.ending, "{id}");
                let events = fitted.accept.iter().flat_map(|accept| match &accept.saw {
                    Saw::Events { events, .. } => &events[..],
                    Saw::Anything => &[],
                    Saw::Answers => panic!("{id} expects what an echo answers"),
                });
                assert_eq!(events.filter(|event| is_message(event)).count(), 0, "{id}");
                assert!(fitted.steps.len() >= scenario.steps.len(), "{id}: the steps keep their numbers");
            }
        }
    }
}

/// Nothing that an honest peer does is held against it, whether it answers or not.
#[test]
fn a_conforming_peer_passes_every_fitted_case() {
    let kinds = [Response::Nothing, Response::Echo, Response::OtherKind, Response::Other];
    let all_facts = kinds
        .into_iter()
        .flat_map(|text| [facts(text, Response::Nothing, false), facts(text, Response::Echo, true)]);
    for facts in all_facts {
        for scenario in plain() {
            for quirk in [Quirk::None, Quirk::Reads, Quirk::Talks] {
                let counts = [facts.text, facts.binary].contains(&Response::Echo) && !facts.talks;
                if quirk == Quirk::Talks && !facts.talks || quirk == Quirk::Reads && counts {
                    continue;
                }
                let Some(judgement) = judged(scenario, &facts, quirk) else { continue };
                let good = matches!(judgement.behavior, Behavior::Pass | Behavior::Informational)
                    && matches!(judgement.close, CloseVerdict::Pass | CloseVerdict::Informational);
                assert!(good, "{} {quirk:?} {facts:?}: {judgement:#?}", scenario.id);
            }
        }
    }
}

/// What has to fail the connection and does not is seen without an echo as well as with one.
#[test]
fn what_is_passed_over_is_seen_without_an_echo() {
    let mut seen = 0;
    for scenario in plain() {
        let plan = Plan::alone(scenario.clone());
        let written = play_with(&plan, &mut SimulatedServer::new(Quirk::IgnoresViolations)).judgement;
        if written.behavior != Behavior::Fail {
            continue;
        }
        for facts in [silent(), facts(Response::Echo, Response::Echo, true)] {
            let fitted = judged(scenario, &facts, Quirk::IgnoresViolations).unwrap();
            assert_eq!(fitted.behavior, Behavior::Fail, "{}: {:#?}", scenario.id, fitted.findings);
        }
        seen += 1;
    }
    assert!(seen > 90, "{seen}");
}

#[test]
fn lawful_cases_are_judged_by_liveness() {
    use Behavior::{Fail, Informational, NonStrict, Pass};
    let silent = &silent();
    expect("1.1.2", silent, Quirk::Reads, Pass, CloseVerdict::Pass);
    expect("1.1.2", silent, Quirk::NoPong, Fail, CloseVerdict::Pass);
    expect("1.1.2", silent, Quirk::WrongPong, Fail, CloseVerdict::Pass);
    expect("1.1.2", silent, Quirk::NoCloseReply, Pass, CloseVerdict::Unclean);
    expect("1.1.2", silent, Quirk::RepliesWith(1011), Pass, CloseVerdict::WrongCode);
    expect("1.1.2", silent, Quirk::Masks, Fail, CloseVerdict::Pass);
    expect("5.6", silent, Quirk::Reads, Pass, CloseVerdict::Pass);
    expect("5.6", silent, Quirk::NoPong, Fail, CloseVerdict::Pass);
    // It was not talking when it was probed.
    expect("2.2", silent, Quirk::Talks, Pass, CloseVerdict::Pass);
    expect("2.2", silent, Quirk::WrongPong, Fail, CloseVerdict::Pass);
    // It may close whenever it likes, but not by saying that we broke a rule.
    for (code, behavior) in
        [(1003, Informational), (1008, Informational), (4001, Informational), (1002, Fail), (1007, Fail)]
    {
        let judgement = judged(case("1.1.2"), silent, Quirk::ClosesAtText(code)).unwrap();
        assert_eq!(judgement.behavior, behavior, "{code}: {:#?}", judgement.findings);
    }
    expect("1.1.2", silent, Quirk::EndsAtOnce, NonStrict, CloseVerdict::Dropped);
}

#[test]
fn kinds_of_messages_are_told_apart() {
    let texts = facts(Response::Echo, Response::Nothing, false);
    assert_eq!(adapt(case("1.1.2"), &texts), Adapted::AsWritten);
    assert!(matches!(adapt(case("1.2.2"), &texts), Adapted::WithoutEcho { .. }));
    let texts = facts(Response::Echo, Response::Ends, false);
    assert_eq!(adapt(case("1.1.2"), &texts), Adapted::AsWritten);
    let none = Adapted::Unplayable("ends the connection at any binary message".to_owned());
    assert_eq!(adapt(case("1.2.2"), &texts), none);
    assert_eq!(adapt(case("2.2"), &texts), Adapted::AsWritten);
    // One that talks is fitted even where no message is asked for: what it says is no answer.
    let talks = facts(Response::Echo, Response::Echo, true);
    assert!(matches!(adapt(case("2.2"), &talks), Adapted::WithoutEcho { .. }));
    let none = Adapted::Unplayable("says things unasked, among which an echo cannot be told".to_owned());
    assert_eq!(adapt(case("12.1.1"), &talks), none);
}
