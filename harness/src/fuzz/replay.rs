//! Plays the cases of a file again, several times, and says what shows.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use wsgrade_cases::load::{self, LoadError};
use wsgrade_cases::model::Scenario;
use wsgrade_codec::Role;
use wsgrade_reports::record::{Behavior, CloseVerdict};

use super::finding::one_line;
use super::player::Player;
use crate::judge::Judgement;
use crate::plan::Plan;
use crate::signature::Signature;

/// What came of a case that was played several times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// Its id and title.
    pub case: (String, String),
    /// What showed, with how many times, in the order it was first seen.
    pub shown: Vec<(Showed, u32)>,
    /// How often it was played.
    pub times: u32,
}

/// What a case shows, played once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Showed {
    /// A verdict, and what was expected and seen where something is wrong.
    Verdict {
        /// What the peer did.
        behavior: Behavior,
        /// How the connection ended.
        close: CloseVerdict,
        /// Whether anything is wrong.
        wrong: bool,
        /// Expected and observed, where there is something to say.
        why: Option<(String, String)>,
    },
    /// It cannot be played against this target.
    Unplayable,
    /// It is about what the process takes, and we did not start the process.
    Unwatched,
    /// There was no connection; why.
    Unreachable(String),
    /// The target served nobody any more afterwards; why.
    Killed(String),
}

/// The cases of a file, for endpoints in the player's role.
///
/// # Errors
///
/// The file cannot be read, or is no case file.
pub fn read(path: &Path) -> Result<Vec<Arc<Scenario>>, LoadError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| LoadError::Unreadable { path: name.clone(), reason: error.to_string() })?;
    let file = load::read(&name, &text).map_err(LoadError::Problems)?;
    Ok(file.scenarios.into_iter().map(|(scenario, _)| Arc::new(scenario)).collect())
}

/// Plays a case so many times, and starts the target anew where it died of it.
pub async fn replay(player: &Player, scenario: &Arc<Scenario>, seed: u64, times: u32) -> Replayed {
    let mut shown: Vec<(Showed, u32)> = Vec::new();
    let plan = player.fit(scenario);
    for _ in 0..times {
        let showed = match &plan {
            Some(plan) => once(player, plan, seed).await,
            None => Showed::Unplayable,
        };
        let unreachable = matches!(showed, Showed::Unreachable(_) | Showed::Unplayable | Showed::Unwatched);
        match shown.iter_mut().find(|(known, _)| known.is_like(&showed)) {
            Some((_, count)) => *count += 1,
            None => shown.push((showed, 1)),
        }
        if unreachable {
            break;
        }
    }
    Replayed { case: (scenario.id.to_string(), scenario.title.clone()), shown, times }
}

async fn once(player: &Player, plan: &Arc<Plan>, seed: u64) -> Showed {
    let place = &player.place;
    if plan.scenario.stress.is_some() && place.role() == Role::Server {
        let pressed = player.press(plan, seed).await;
        let showed = pressed.map_or(Showed::Unwatched, |record| verdict(&plan.scenario, &(&record).into()));
        // What it took stays with it: the next time is to be like the first.
        return match place.restart().await {
            Ok(()) => showed,
            Err(error) => Showed::Killed(format!("the process cannot be started again: {error}")),
        };
    }
    let played = player.play_as_case(plan, &player.patient, seed).await;
    // One that dies of what it read last may do so when the connection has ended already, by our doing.
    if place.is_spawned()
        && let Some(death) = place.death().await
    {
        let words = match death.output.as_slice() {
            [] => "it wrote nothing".to_owned(),
            lines => format!("its last output: {}", lines.join(" | ")),
        };
        let killed = Showed::Killed(format!("the process died with {}; {words}", death.exit));
        return match place.restart().await {
            Ok(()) => killed,
            Err(error) => Showed::Killed(format!("the process died and cannot be started again: {error}")),
        };
    }
    if let Some(reason) = played.trouble(plan) {
        return Showed::Unreachable(reason.to_owned());
    }
    // Where nobody can say of a process that it died, that it serves nobody any more says it.
    if played.broke_off(plan)
        && let Err(reason) = place.serves().await
    {
        return Showed::Killed(format!("the target stopped serving: {reason}"));
    }
    verdict(&plan.scenario, &played.judgement)
}

fn verdict(scenario: &Scenario, judged: &Judgement) -> Showed {
    let wrong = Signature::of(scenario, judged).is_some();
    let why = judged.findings.first().map(|finding| (finding.expected.clone(), finding.observed.clone()));
    if judged.behavior == Behavior::Inconclusive {
        return Showed::Unreachable(why.map(|(_, observed)| observed).unwrap_or_default());
    }
    Showed::Verdict { behavior: judged.behavior, close: judged.close, wrong, why }
}

impl Showed {
    /// Whether this is wrong.
    pub fn is_wrong(&self) -> bool {
        match self {
            Self::Verdict { wrong, .. } => *wrong,
            Self::Killed(_) => true,
            Self::Unplayable | Self::Unwatched | Self::Unreachable(_) => false,
        }
    }

    /// Whether it is the same but for what differs from time to time.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Verdict { behavior, close, wrong, why: _ },
                Self::Verdict { behavior: b, close: c, wrong: w, why: _ },
            ) => (behavior, close, wrong) == (b, c, w),
            (Self::Killed(_), Self::Killed(_)) => true,
            (Self::Unplayable, Self::Unplayable) | (Self::Unwatched, Self::Unwatched) => true,
            (Self::Unreachable(_), Self::Unreachable(_)) => true,
            (
                Self::Verdict { .. }
                | Self::Killed(_)
                | Self::Unplayable
                | Self::Unwatched
                | Self::Unreachable(_),
                Self::Verdict { .. }
                | Self::Killed(_)
                | Self::Unplayable
                | Self::Unwatched
                | Self::Unreachable(_),
            ) => false,
        }
    }
}

impl Replayed {
    /// How often something wrong showed.
    pub fn wrong(&self) -> u32 {
        self.shown.iter().filter(|(showed, _)| showed.is_wrong()).map(|(_, times)| times).sum()
    }

    /// Whether it was played at all.
    pub fn is_judged(&self) -> bool {
        self.shown.iter().all(|(showed, _)| matches!(showed, Showed::Verdict { .. } | Showed::Killed(_)))
    }
}

/// What is printed of the cases of a file.
pub fn words(all: &[Replayed]) -> String {
    let mut out = String::new();
    for Replayed { case: (id, title), shown, times } in all {
        let _ = writeln!(out, "{id}  {}", one_line(title));
        for (showed, count) in shown {
            let (what, why) = match showed {
                Showed::Verdict { behavior, close, wrong, why } => {
                    let word = if *wrong { "wrong" } else { "right" };
                    (format!("{word}: {behavior}, close {close}"), why.clone().filter(|_| *wrong))
                }
                Showed::Unplayable => ("cannot be played against this target".to_owned(), None),
                Showed::Unwatched => {
                    let words = "not played: it is about what the process takes, which --spawn shows";
                    (words.to_owned(), None)
                }
                Showed::Unreachable(reason) => (format!("no connection: {reason}"), None),
                Showed::Killed(reason) => (format!("wrong: {reason}"), None),
            };
            let _ = writeln!(out, "  {count} of {times} times {}", one_line(&what));
            if let Some((expected, observed)) = why {
                let _ = writeln!(out, "    expected  {}", one_line(&expected));
                let _ = writeln!(out, "    observed  {}", one_line(&observed));
            }
        }
    }
    let wrong: Vec<_> = all.iter().filter(|replayed| replayed.wrong() > 0).collect();
    let flaky = wrong.iter().filter(|replayed| replayed.wrong() < replayed.times).count();
    let _ = match (wrong.len(), flaky) {
        (0, _) => writeln!(out, "nothing is wrong"),
        (count, 0) => writeln!(out, "{count} of {} shows, every time", all.len()),
        (count, flaky) => writeln!(out, "{count} of {} shows, {flaky} not every time (flaky)", all.len()),
    };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(wrong: bool) -> Showed {
        let behavior = if wrong { Behavior::Fail } else { Behavior::Pass };
        let why = Some(("a\npong".to_owned(), "nothing".to_owned()));
        Showed::Verdict { behavior, close: CloseVerdict::Pass, wrong, why }
    }

    fn replayed(shown: Vec<(Showed, u32)>) -> Replayed {
        Replayed { case: ("found.1".to_owned(), "A title".to_owned()), shown, times: 3 }
    }

    #[test]
    fn what_is_printed() {
        let all = [
            replayed(vec![(verdict(true), 3)]),
            replayed(vec![(verdict(false), 2), (verdict(true), 1)]),
            replayed(vec![(Showed::Killed("it died".to_owned()), 3)]),
            replayed(vec![(Showed::Unplayable, 1)]),
            replayed(vec![(Showed::Unwatched, 1)]),
            replayed(vec![(Showed::Unreachable("refused".to_owned()), 1)]),
        ];
        insta::assert_snapshot!(words(&all), @r"
        found.1  A title
          3 of 3 times wrong: fail, close pass
            expected  a�pong
            observed  nothing
        found.1  A title
          2 of 3 times right: pass, close pass
          1 of 3 times wrong: fail, close pass
            expected  a�pong
            observed  nothing
        found.1  A title
          3 of 3 times wrong: it died
        found.1  A title
          1 of 3 times cannot be played against this target
        found.1  A title
          1 of 3 times not played: it is about what the process takes, which --spawn shows
        found.1  A title
          1 of 3 times no connection: refused
        3 of 6 shows, 1 not every time (flaky)
        ");
        assert_eq!(all.iter().map(Replayed::wrong).collect::<Vec<_>>(), [3, 1, 3, 0, 0, 0]);
        let judged = [true, true, true, false, false, false];
        assert_eq!(all.iter().map(Replayed::is_judged).collect::<Vec<_>>(), judged);
        insta::assert_snapshot!(words(&[replayed(vec![(verdict(false), 3)])]), @r"
        found.1  A title
          3 of 3 times right: pass, close pass
        nothing is wrong
        ");
    }
}
