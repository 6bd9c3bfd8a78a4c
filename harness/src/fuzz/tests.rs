//! Whole campaigns against endpoints in memory.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use wsgrade_codec::Role;
use wsgrade_reports::record::{Behavior, Finding, Response, TargetFacts};

use super::campaign::{Campaign, Options, Summary};
use super::confirm::Budget;
use super::corpus::Corpus;
use super::finding::{Kind, Replay};
use super::place::{Memory, Place};
use super::player::Player;
use super::schedule::Schedule;
use super::words;
use crate::engine::Limits;
use crate::generate::Brief;
use crate::signature::{Broken, Ended, Signature, Symptom};
use crate::simulated::{Quirk, SimulatedServer, play_with};

async fn campaign(quirk: Quirk, seed: u64, jobs: usize, runs: u64) -> (Summary, tempfile::TempDir) {
    let brief = Brief { role: Role::Server, deflate: false, openings: false };
    let play = move |plan: &_, _: &_, _| play_with(plan, &mut SimulatedServer::new(quirk)).transcript;
    let place = Place::Memory(Memory { role: Role::Server, play: Arc::new(play) });
    let facts =
        TargetFacts { text: Response::Echo, binary: Response::Echo, pongs: true, ..TargetFacts::default() };
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        seed,
        runs: Some(runs),
        time: None,
        max_findings: None,
        jobs,
        findings: dir.path().to_owned(),
        replay: Replay { before: "wsgrade replay".to_owned(), behind: "ws://h/ --seed 1".to_owned() },
        budget: Budget::default(),
    };
    let campaign = Campaign::new(
        options,
        Schedule::new(brief, seed, true),
        Player::new(place, facts, Limits::default()),
        Corpus::default(),
        mpsc::unbounded_channel().0,
        watch::channel(false).1,
    );
    (campaign.run().await, dir)
}

/// How many play at once decides nothing: neither which scenarios are played nor what is in the corpus.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_seed_gives_the_same_however_many_play() {
    let seen = |summary: Summary| (summary.trail, summary.corpus, summary.behaviours, summary.scenarios);
    let one = seen(campaign(Quirk::IgnoresViolations, 1, 1, 5000).await.0);
    for jobs in [2, 8] {
        assert_eq!(seen(campaign(Quirk::IgnoresViolations, 1, jobs, 5000).await.0), one, "{jobs} at once");
    }
    assert_ne!(seen(campaign(Quirk::IgnoresViolations, 2, 8, 5000).await.0), one);
    assert_ne!(seen(campaign(Quirk::None, 1, 8, 5000).await.0), one);
}

#[tokio::test]
async fn what_is_printed_and_written() {
    let (mut summary, dir) = campaign(Quirk::Masks, 1, 1, 40).await;
    assert!(!summary.findings.is_empty() && summary.findings.iter().all(|finding| !finding.is_flaky()));
    let text = std::fs::read_to_string(&summary.findings[0].file).unwrap();
    let first = &mut summary.findings[0];
    assert!(text.contains(&format!("id = \"{}\"", first.id())), "{text}");
    assert!(text.contains("# rule      RFC 6455 5.1, MUST NOT: "), "{text}");
    // The case is one that `wsgrade test --cases` takes.
    let file = first.file.clone();
    assert!(wsgrade_cases::Catalogue::with_path(&file).is_ok());
    assert!(wsgrade_cases::Catalogue::with_path(dir.path()).is_ok(), "all of them together");
    // What hangs on the machine, and on which scenario happens to come first, aside.
    let broken = Broken::Sent("rfc6455-5.1-server-does-not-mask".to_owned());
    let signature = Signature { broken, behavior: Behavior::Fail, ended: Ended::Anyhow };
    first.kind = Kind::Verdict(Symptom { signature, about: None });
    first.record.id = "found.1".to_owned();
    first.record.findings = vec![Finding {
        rule: "rfc6455-5.1-server-does-not-mask".to_owned(),
        expected: "no mask".to_owned(),
        observed: "a \u{1b}mask".to_owned(),
        entry: None,
    }];
    (first.scenarios, first.steps_found, first.seen, first.replayed) = (Vec::new(), 3, 2, (3, 5));
    first.file = "findings/found.toml".into();
    first.replay = "wsgrade replay findings/found.toml ws://h/ --seed 1".to_owned();
    summary.findings.truncate(1);
    let printed = words::summary(&summary);
    assert!(printed.contains("40 scenarios in ") && printed.contains("; 1 finding, flaky"), "{printed}");
    let printed: Vec<_> = printed.lines().filter(|line| !line.contains(" a second")).collect();
    insta::assert_snapshot!(printed.join("\n"), @r"
    found.1: fail, sent against rfc6455-5.1-server-does-not-mask
      rule      RFC 6455 5.1, MUST NOT: A server MUST NOT mask any frames that it sends to the client.
      expected  no mask
      observed  a �mask
      steps     3 as it was found, 0 now
      shown     by 2 scenarios; again 3 of 5 times (flaky)
      file      findings/found.toml
      replay    wsgrade replay findings/found.toml ws://h/ --seed 1
    ");
}
