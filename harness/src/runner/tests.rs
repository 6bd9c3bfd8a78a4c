//! Whole runs over real sockets: lawful targets, and every way of not being one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{Need, Role, Scenario};
use wsgrade_reference_server::codec::endpoint::Message;
use wsgrade_reference_server::config::{Config, Handler};
use wsgrade_reference_server::serve_stream;
use wsgrade_reports::record::{Behavior, Response, RunReport, TargetFacts};

use super::{Facts, Gate, Prepared, Run, Settings, Staying, Unreachable, probe};
use crate::cli::Exit;
use crate::engine::Limits;
use crate::plan::{Depth, Plan};
use crate::target::{RequestOptions, Target};

mod endpoints;
mod staying;

/// Starts a server that hands each connection, with its number, to `serve`.
async fn listen<F, S>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> S + Send + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, number));
            number += 1;
        }
    });
    addr
}

/// Reads a request and answers with these bytes, and nothing else.
async fn answering(response: &'static [u8]) -> SocketAddr {
    listen(move |mut stream, _| async move {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(response).await;
    })
    .await
}

async fn echo(stream: TcpStream) {
    let peer = stream.peer_addr().unwrap();
    serve_stream(stream, peer, &Config::default()).await;
}

fn settings(jobs: usize) -> Settings {
    let limits = Limits {
        answer: Duration::from_millis(1500),
        opening: Duration::from_millis(1500),
        close: Duration::from_millis(1500),
        ..Limits::default()
    };
    Settings {
        jobs,
        limits,
        seed: 1,
        prelude: Arc::default(),
        depth: Depth::Messages(3),
        gate: Gate::default(),
        may_stress: false,
        staying: Staying::default(),
        verbose: None,
    }
}

async fn target(addr: SocketAddr) -> Target {
    let url = format!("ws://{addr}/chat").parse().unwrap();
    Target::find(url, &RequestOptions::default()).await.unwrap()
}

async fn reason(addr: SocketAddr) -> String {
    let mut target = target(addr).await;
    let Unreachable { url, reason } = probe(&mut target, &settings(1)).await.unwrap_err();
    assert_eq!(url, format!("ws://{addr}/chat"));
    reason.replace(&addr.to_string(), "ADDR")
}

/// Those of resilience want a server that shares no runtime with us: `tests/resilience.rs` plays them.
fn cases(pick: impl Fn(&Scenario) -> bool) -> Vec<Arc<Plan>> {
    let all = Catalogue::embedded().scenarios().iter();
    let plain = |scenario: &&Scenario| {
        scenario.roles.contains(&Role::Server)
            && !scenario.needs.contains(&Need::Tls)
            && scenario.stress.is_none()
    };
    let picked: Vec<_> = all.filter(plain).filter(|scenario| pick(scenario)).cloned().map(Arc::new).collect();
    Plan::all(&picked, Depth::Messages(3), &Arc::default())
}

/// Those that any echo can be asked.
fn needs_no_deflate(scenario: &Scenario) -> bool {
    !scenario.needs.contains(&Need::Deflate)
}

struct Playing {
    run: Run,
    prepared: Prepared,
    interrupt: watch::Sender<bool>,
}

/// What a probe finds of an echo; for servers that count their connections, and so are not probed.
fn an_echo() -> Facts {
    let found =
        TargetFacts { text: Response::Echo, binary: Response::Echo, pongs: true, ..TargetFacts::default() };
    Facts { agent: None, offers: [Need::Echo, Need::Deflate].into(), found }
}

async fn playing(addr: SocketAddr, selected: Vec<Arc<Plan>>, jobs: usize, facts: Option<Facts>) -> Playing {
    let mut target = target(addr).await;
    let settings = settings(jobs);
    let facts = match facts {
        Some(facts) => facts,
        None => probe(&mut target, &settings).await.unwrap(),
    };
    let (interrupt, interrupted) = watch::channel(false);
    let (events, _) = mpsc::unbounded_channel();
    let run = Run {
        catalogue: Arc::new(Catalogue::embedded().clone()),
        selected,
        part: None,
        settings: settings.clone(),
        patterns: (Vec::new(), Vec::new()),
        events,
        interrupted,
    };
    let prepared = Prepared {
        target,
        facts,
        settings,
        adapt: true,
        name: None,
        repeat: "wsgrade test URL -c ".to_owned(),
        process: None,
        watched: None,
    };
    Playing { run, prepared, interrupt }
}

async fn play(addr: SocketAddr, selected: Vec<Arc<Plan>>, jobs: usize) -> RunReport {
    let Playing { run, prepared, interrupt: _interrupt } = playing(addr, selected, jobs, None).await;
    run.play(&[prepared]).await
}

/// Without a probe.
async fn play_echo(addr: SocketAddr, selected: Vec<Arc<Plan>>, jobs: usize) -> RunReport {
    let Playing { run, prepared, interrupt: _interrupt } =
        playing(addr, selected, jobs, Some(an_echo())).await;
    run.play(&[prepared]).await
}

fn count(report: &RunReport, behavior: Behavior) -> usize {
    report.targets[0].cases.iter().filter(|record| record.behavior == behavior).count()
}

#[tokio::test]
async fn why_nothing_can_be_played() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let silent = listen(|stream, _| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let reasons = [
        reason(closed).await,
        reason(answering(b"").await).await,
        reason(answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await).await,
        reason(answering(b"HTTP/1.1 200 OK\r\n\r\nhello").await).await,
        reason(answering(b"HTTP/1.1 401 Unauthorized\r\n\r\n").await).await,
        reason(answering(b"HTTP/1.1 301 Moved Permanently\r\nLocation: /x\r\n\r\n").await).await,
        reason(answering(b"SSH-2.0-OpenSSH_9.9\r\n").await).await,
        reason(answering(b"\x15\x03\x01\x00\x02\x02\x50").await).await,
        reason(silent).await,
    ];
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    cannot connect to ADDR: connection refused; is the server running there?
    the server ended the connection before it answered the opening handshake
    the server answered 404 Not Found instead of 101; there is no WebSocket at `/chat`: give the path of the endpoint in the URL
    the server answered 200 OK instead of 101
    the server answered 401 Unauthorized instead of 101; give what it asks for by --header 'Authorization: …'
    the server answered 301 Moved Permanently instead of 101; give the URL it redirects to
    what answers there is not HTTP: it began with "SSH-2.0-OpenSSH_9.9"
    what answers there speaks TLS, not plain HTTP; give the URL as wss://
    the server did not answer the opening handshake in time
    "#);
}

#[tokio::test]
async fn the_reference_server_passes_strictly() {
    let addr = listen(|stream, _| echo(stream)).await;
    let all = cases(|_| true);
    let report = play(addr, all.clone(), 16).await;
    assert_eq!(report.targets[0].cases.len(), all.len());
    for record in &report.targets[0].cases {
        let good = matches!(record.behavior, Behavior::Pass | Behavior::Informational);
        assert!(good && record.severity() <= wsgrade_reports::record::Severity::Neutral, "{record:#?}");
    }
    assert_eq!(Exit::of_run(&report), Exit::Success);
    let unknown: Vec<_> = report
        .cases
        .iter()
        .flat_map(|case| &case.rules)
        .filter(|rule| !report.rules.contains_key(*rule))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// It takes four connections and is gone: one sentence, no failures, and no waiting for each of the rest.
#[tokio::test]
async fn a_target_that_dies_halfway_is_not_blamed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for _ in 0..4 {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(echo(stream));
        }
    });
    let report = play_echo(addr, cases(needs_no_deflate), 2).await;
    let stopped = report.targets[0].stopped.clone().unwrap();
    let expected = format!(
        "the target stopped serving after 4 of {} cases: cannot connect to {addr}: connection refused",
        cases(needs_no_deflate).len()
    );
    assert_eq!(stopped, expected);
    assert_eq!((count(&report, Behavior::Pass), count(&report, Behavior::Fail)), (4, 0));
    assert_eq!(Exit::of_run(&report), Exit::Inconclusive);
}

/// It still accepts but serves nobody any more.
#[tokio::test]
async fn a_target_that_hangs_halfway_is_not_blamed() {
    let addr = listen(|stream, number| async move {
        if number < 4 {
            echo(stream).await;
        } else {
            tokio::time::sleep(Duration::from_secs(600)).await;
            drop(stream);
        }
    })
    .await;
    let report = play_echo(addr, cases(needs_no_deflate), 4).await;
    let stopped = report.targets[0].stopped.clone().unwrap();
    assert!(stopped.contains("the server did not answer the opening handshake in time"), "{stopped}");
    assert_eq!((count(&report, Behavior::Pass), count(&report, Behavior::Fail)), (4, 0));
    assert_eq!(Exit::of_run(&report), Exit::Inconclusive);
}

/// It opens connections and says nothing any more.
#[tokio::test]
async fn a_target_that_falls_silent_halfway_is_not_blamed() {
    for jobs in [1, 4] {
        let addr = listen(|stream, number| async move {
            if number < 4 {
                echo(stream).await;
            } else {
                let mut stream = stream;
                answer_opening(&mut stream).await;
                tokio::time::sleep(Duration::from_secs(600)).await;
                drop(stream);
            }
        })
        .await;
        let report = play_echo(addr, cases(needs_no_deflate), jobs).await;
        let stopped = report.targets[0].stopped.clone().unwrap();
        assert!(stopped.contains("it no longer sends messages back"), "{stopped}");
        assert_eq!((count(&report, Behavior::Pass), count(&report, Behavior::Fail)), (4, 0));
        assert_eq!(Exit::of_run(&report), Exit::Inconclusive);
    }
}

/// It drops connections when it has more than one: each case passes alone, and says that it did not beside others.
#[tokio::test]
async fn what_fails_only_beside_others_passes_and_is_marked() {
    let open = Arc::new(AtomicUsize::new(0));
    let addr = listen(move |stream, number| {
        let open = Arc::clone(&open);
        async move {
            let busy = open.fetch_add(1, Ordering::SeqCst) > 0;
            if busy && (2..=4).contains(&number) {
                let mut stream = stream;
                answer_opening(&mut stream).await;
            } else {
                echo(stream).await;
            }
            open.fetch_sub(1, Ordering::SeqCst);
        }
    })
    .await;
    let report = play_echo(addr, cases(|scenario| scenario.section() == "1.1"), 4).await;
    let records = &report.targets[0].cases;
    assert_eq!(count(&report, Behavior::Pass), records.len(), "{records:#?}");
    let marked = records.iter().filter(|record| record.when_busy == Some(Behavior::Fail)).count();
    assert!(marked > 0, "{records:#?}");
    assert_eq!(Exit::of_run(&report), Exit::Success);
}

/// It answers every message with another: six of each area are played again, and the rest is believed.
#[tokio::test]
async fn what_fails_everywhere_is_not_all_played_again() {
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    let addr = listen(move |stream, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move {
            let other: Handler = Arc::new(|_| Some(Message::text("other")));
            let peer = stream.peer_addr().unwrap();
            serve_stream(stream, peer, &Config { handler: other, ..Config::default() }).await;
        }
    })
    .await;
    let echoed = |scenario: &Scenario| ["1.1", "1.2", "6.2"].contains(&scenario.section().as_str());
    // It echoes nothing; here that is not to have the cases judged without an echo.
    let playing = playing(addr, cases(echoed), 8, Some(an_echo())).await;
    let before = connections.load(Ordering::SeqCst);
    let report = playing.run.play(&[playing.prepared]).await;
    let records = &report.targets[0].cases;
    assert_eq!(count(&report, Behavior::Fail), records.len(), "{records:#?}");
    let again = connections.load(Ordering::SeqCst) - before - records.len();
    assert_eq!(again, 6 + 4, "six of area 1, and the four of area 6");
}

/// Completes the opening handshake and does no more.
async fn answer_opening(stream: &mut TcpStream) {
    use wsgrade_codec::handshake::{Agreement, Limits, RequestReader};
    let mut reader = RequestReader::new(Limits::default());
    let mut buffer = [0; 1024];
    loop {
        let count = stream.read(&mut buffer).await.unwrap();
        if let Some((head, _)) = reader.push(&buffer[..count]).unwrap() {
            let response = head.validate().unwrap().accept(&Agreement::default()).unwrap();
            stream.write_all(&response).await.unwrap();
            return;
        }
    }
}

#[tokio::test]
async fn an_interrupted_run_keeps_what_it_has() {
    let addr = listen(|stream, number| async move {
        if number < 3 {
            echo(stream).await;
        } else {
            tokio::time::sleep(Duration::from_secs(600)).await;
            drop(stream);
        }
    })
    .await;
    let Playing { run, prepared, interrupt } =
        playing(addr, cases(needs_no_deflate), 1, Some(an_echo())).await;
    let (events, mut listener) = mpsc::unbounded_channel();
    let run = Run { events, ..run };
    tokio::spawn(async move {
        let mut judged = 0;
        while let Some(event) = listener.recv().await {
            judged += usize::from(matches!(event, crate::event::RunEvent::CaseFinished { .. }));
            if judged == 3 {
                interrupt.send(true).unwrap();
            }
        }
    });
    let report = run.play(&[prepared]).await;
    let total = cases(needs_no_deflate).len();
    assert_eq!(report.targets[0].stopped, Some(format!("interrupted after 3 of {total} cases")));
    assert_eq!(count(&report, Behavior::Pass), 3);
    assert_eq!(Exit::of_run(&report), Exit::Inconclusive);
}

/// Ten of a kind: the gate is about MUSTs, and an empty run never meets it.
#[tokio::test]
async fn the_gate() {
    let addr = listen(|stream, _| echo(stream)).await;
    let report = play(addr, cases(|scenario| scenario.section() == "1.1"), 4).await;
    let with = |behavior| {
        let mut report = report.clone();
        report.targets[0].cases[0].behavior = behavior;
        Exit::of_run(&report)
    };
    assert_eq!(with(Behavior::Pass), Exit::Success);
    assert_eq!(with(Behavior::NonStrict), Exit::Success);
    assert_eq!(with(Behavior::Fail), Exit::GateNotMet);
    assert_eq!(with(Behavior::Inconclusive), Exit::Inconclusive);
    let mut empty = report.clone();
    empty.targets[0].cases.clear();
    assert_eq!(Exit::of_run(&empty), Exit::Inconclusive);
    let mut nothing_judged = report.clone();
    nothing_judged.targets[0].cases.iter_mut().for_each(|record| record.behavior = Behavior::Unimplemented);
    assert_eq!(Exit::of_run(&nothing_judged), Exit::Inconclusive);
}
