//! How long a run goes on: every case so many times, and no further than the first that fails.

use wsgrade_codec::Kind;

use super::*;

/// Every third connection ends without an answer: each case is played until it shows, and is marked.
#[tokio::test]
async fn a_case_that_differs_from_time_to_time_is_flaky() {
    let addr = listen(|stream, number| async move {
        if number % 3 == 2 {
            let mut stream = stream;
            answer_opening(&mut stream).await;
        } else {
            echo(stream).await;
        }
    })
    .await;
    let selected = cases(|scenario| ["1.1.1", "2.2"].contains(&scenario.id.as_str()));
    let mut playing = playing(addr, selected, 1, Some(an_echo())).await;
    playing.prepared.settings.staying.times = 6.try_into().unwrap();
    let report = playing.run.play(&[playing.prepared]).await;
    for record in &report.targets[0].cases {
        assert_eq!((record.behavior, record.is_flaky()), (Behavior::Fail, true), "{record:#?}");
        let repeats = record.repeats.as_ref().unwrap();
        let verdicts: Vec<_> =
            repeats.verdicts.iter().map(|verdict| (verdict.behavior, verdict.times)).collect();
        assert_eq!(verdicts, [(Behavior::Pass, 4), (Behavior::Fail, 2)]);
        assert_eq!(repeats.times, 6);
    }
    assert_eq!(Exit::of_run(&report), Exit::GateNotMet);
}

/// It echoes no binary message: the run ends at the first, and what is not sure is not held against it.
#[tokio::test]
async fn the_first_that_breaks_a_must_ends_the_run() {
    let addr = listen(|stream, _| async move {
        let no_binary: Handler = Arc::new(|message: Message| {
            Some(if message.kind() == Kind::Binary { Message::text("other") } else { message })
        });
        let peer = stream.peer_addr().unwrap();
        serve_stream(stream, peer, &Config { handler: no_binary, ..Config::default() }).await;
    })
    .await;
    for jobs in [1, 8] {
        let selected = cases(|scenario| ["1.1", "1.2", "2"].contains(&scenario.section().as_str()));
        let count_all = selected.len();
        let mut playing = playing(addr, selected, jobs, Some(an_echo())).await;
        playing.run.settings.staying.fail_fast = true;
        playing.prepared.settings.staying.fail_fast = true;
        let report = playing.run.play(&[playing.prepared]).await;
        let records = &report.targets[0].cases;
        let broken: Vec<_> = records
            .iter()
            .filter(|record| record.behavior == Behavior::Fail)
            .map(|record| &record.id)
            .collect();
        assert!(broken.iter().all(|id| id.starts_with("1.2.")) && !broken.is_empty(), "{broken:?}");
        assert!(broken.len() <= jobs, "{broken:?}");
        assert_eq!(count(&report, Behavior::Inconclusive), 0, "{records:#?}");
        assert!(records.len() < count_all, "{} of {count_all}", records.len());
        let stopped = report.targets[0].stopped.clone().unwrap();
        let played = format!("{} of {count_all} cases were played", records.len());
        assert!(stopped.starts_with("ended at the first case that breaks a MUST, as --fail-fast asks: 1.2."));
        assert!(stopped.ends_with(&played), "{stopped}");
        assert_eq!(Exit::of_run(&report), Exit::GateNotMet);
    }
}

/// A failure beside others that is none alone ends nothing.
#[tokio::test]
async fn what_is_not_confirmed_does_not_end_the_run() {
    let addr = listen(|stream, number| async move {
        if number == 2 {
            let mut stream = stream;
            answer_opening(&mut stream).await;
        } else {
            echo(stream).await;
        }
    })
    .await;
    let selected = cases(|scenario| ["1.1", "2"].contains(&scenario.section().as_str()));
    let all = selected.len();
    let mut playing = playing(addr, selected, 4, Some(an_echo())).await;
    playing.run.settings.staying.fail_fast = true;
    playing.prepared.settings.staying.fail_fast = true;
    let report = playing.run.play(&[playing.prepared]).await;
    assert_eq!((report.targets[0].stopped.as_ref(), count(&report, Behavior::Pass)), (None, all));
    let marked = report.targets[0].cases.iter().filter(|record| record.when_busy.is_some()).count();
    assert_eq!(marked, 1);
    assert_eq!(Exit::of_run(&report), Exit::Success);
}
