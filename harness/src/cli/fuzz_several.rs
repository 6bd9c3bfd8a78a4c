//! `wsgrade fuzz URL_A URL_B …`: the same scenarios against several servers.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc;
use wsgrade_codec::Role;
use wsgrade_reports::record::Severity;

use super::exit::{Exit, Failure};
use super::fuzz::{FailOn, FuzzArgs, exit_of};
use super::interrupt::Interrupts;
use super::place::{Ready, reach};
use super::servers::Wanted;
use super::tide;
use crate::fuzz::campaign::Options;
use crate::fuzz::corpus::Corpus;
use crate::fuzz::differ::{Compared, Differ, Difference, Side};
use crate::fuzz::player::Player;
use crate::fuzz::record::{self, Against, How};
use crate::fuzz::schedule::Schedule;
use crate::fuzz::words;
use crate::generate::Brief;
use crate::runner::{Facts, Gate, Settings, preludes_in_words};

/// Compares them, reports and says how it went. `given` are the arguments without what the file says.
pub(super) async fn compare(
    given: &FuzzArgs,
    args: &FuzzArgs,
    servers: &[Wanted],
    settings: &Settings,
    started: SystemTime,
    gate: impl Fn(bool) -> Gate,
) -> Result<Exit, Failure> {
    if !servers.iter().all(Wanted::is_dialled) {
        return Err(Failure::usage(
            "several targets are compared where they run, and one of these is to be started: give their URLs, or pick one by \
             --target NAME",
        ));
    }
    let mut sides = Vec::new();
    let mut all_facts: Vec<Facts> = Vec::new();
    let (mut urls, mut preludes) = (Vec::new(), Vec::new());
    let interrupts = Interrupts::watch();
    let interrupted = interrupts.receiver();
    let mut local = true;
    for server in servers {
        let ready: Ready = reach(server, settings, &gate, &interrupts).await?;
        local &= ready.local;
        let player = Player::new(ready.place, ready.facts.found.clone(), settings.limits.clone())
            .with_prelude(Arc::clone(&ready.prelude));
        let options =
            Options { replay: given.replay(server.called(), settings.seed), ..args.options(settings.seed) };
        let (name, url) = server.called();
        urls.push(url.unwrap_or_default().to_owned());
        sides.push(Side { name: name.or(url).unwrap_or_default().to_owned(), player, options });
        all_facts.push(ready.facts);
        preludes.push(ready.prelude);
    }
    let jobs = args.jobs(local);
    sides.iter_mut().for_each(|side| side.options.jobs = jobs);
    // What one of them has not would not be the same scenario.
    let deflate = all_facts.iter().all(|facts| facts.found.deflate.is_some());
    let brief = Brief { role: Role::Server, deflate, openings: !args.no_openings };
    let corpus = match &args.corpus {
        Some(dir) => Corpus::load(dir, brief.role).map_err(Failure::usage)?,
        None => Corpus::default(),
    };
    let names: Vec<_> = sides.iter().map(|side| side.name.clone()).collect();
    eprintln!("{}: fuzzing with --seed {}", names.join(" and "), settings.seed);
    let schedule = Schedule::new(brief, settings.seed, !args.no_catalogue);
    let (tell, told) = mpsc::unbounded_channel();
    let watcher = tokio::spawn(tide::watch(told));
    let differ = Differ::new(sides, schedule, corpus, tell, interrupted);
    let Compared { summaries, differences } = differ.run().await;
    // The display ends with its channel; it has nothing to say that could fail the run.
    let _ = watcher.await;

    let against: Vec<_> = names
        .iter()
        .zip(&all_facts)
        .zip(&summaries)
        .zip(&urls)
        .map(|(((name, facts), summary), url)| Against {
            name: name.clone(),
            url: url.clone(),
            role: brief.role,
            agent: facts.agent.clone(),
            facts: facts.found.clone(),
            process: None,
            summary,
        })
        .collect();
    let how =
        How { settings: &Settings { jobs, ..settings.clone() }, catalogue: !args.no_catalogue, started };
    let more =
        differences.iter().map(|difference| (difference.told.clone(), difference.plan.clone())).collect();
    let mut report = record::report(&how, &against, more);
    report.options.prelude = preludes_in_words(names.iter().cloned().zip(&preludes));
    for (n, target) in report.targets.iter_mut().enumerate() {
        target.cases.extend(differences.iter().filter_map(|difference| difference.records.get(n).cloned()));
    }
    let mut text = String::new();
    for (name, summary) in names.iter().zip(&summaries) {
        text += &format!("{name}\n\n{}\n", words::summary(summary));
    }
    text += &words::differences(&differences);
    let lawful = differences.iter().filter(|difference| difference.told.lawful).count();
    text += &format!("{} differences, {lawful} of them lawful\n", differences.len());
    args.base.formats.finish(&report, None, args.base.out(), &text)?;
    let exits = summaries.iter().map(|summary| exit_of(summary, args.fail_on));
    let differing = differences.iter().any(|difference| counts(difference, args.fail_on));
    let exits: Vec<_> = exits.chain(differing.then_some(Exit::GateNotMet)).collect();
    Ok([Exit::GateNotMet, Exit::Inconclusive]
        .into_iter()
        .find(|exit| exits.contains(exit))
        .unwrap_or(Exit::Success))
}

/// Whether a difference makes the exit code 1.
fn counts(difference: &Difference, fail_on: FailOn) -> bool {
    match fail_on {
        FailOn::Fail => difference.severity >= Severity::Major,
        FailOn::NonStrict => difference.severity >= Severity::Minor,
        FailOn::Difference => true,
    }
}
