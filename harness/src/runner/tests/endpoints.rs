//! Endpoints that are no echo, over real sockets.

use wsgrade_cases::load::read_prelude;
use wsgrade_cases::model::Step;
use wsgrade_codec::check::{Checker, Item, Negotiated};
use wsgrade_codec::handshake::{Agreement, Limits as HeadLimits, RequestReader};
use wsgrade_codec::wire::{FrameDecoder, Header, Opcode};
use wsgrade_codec::{Kind, Role};
use wsgrade_reports::grade::{Grade, TargetGrade};
use wsgrade_reports::record::{Refused, What};
use wsgrade_reports::render;

use super::*;

/// A server by what it does with messages.
async fn handling(handler: Handler) -> SocketAddr {
    listen(move |stream, _| {
        let handler = Arc::clone(&handler);
        async move {
            let peer = stream.peer_addr().unwrap();
            serve_stream(stream, peer, &Config { handler, ..Config::default() }).await;
        }
    })
    .await
}

async fn silent() -> SocketAddr {
    handling(Arc::new(|_| None)).await
}

async fn facts(addr: SocketAddr) -> TargetFacts {
    probe(&mut target(addr).await, &settings(16)).await.unwrap().found
}

/// A lax server of our own, frame by frame, for what the reference server would not do.
#[derive(Clone, Copy, Default)]
struct Lax {
    /// Says something every 10 ms.
    talks: bool,
    /// Says something when the connection is open, and sends messages back.
    greets: bool,
    /// Sends text messages back, and closes with 1003 at others.
    only_text: bool,
    /// Fails nothing that breaks a rule.
    passes_over: bool,
    /// Answers no ping.
    no_pong: bool,
    /// Closes with 1008 unless the first message is the password, which it answers.
    password: Option<&'static str>,
}

async fn lax(lax: Lax) -> SocketAddr {
    listen(move |stream, _| async move {
        // The client may be gone at any time.
        let _ = serve_lax(stream, lax).await;
    })
    .await
}

async fn serve_lax(mut stream: TcpStream, lax: Lax) -> std::io::Result<()> {
    let mut reader = RequestReader::new(HeadLimits::default());
    let mut buffer = vec![0; 65_536];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        if let Ok(Some((head, _))) = reader.push(&buffer[..count]) {
            let Ok(request) = head.validate() else { return Ok(()) };
            stream.write_all(&request.accept(&Agreement::default()).unwrap()).await?;
            break;
        }
    }
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::new(Role::Client, Negotiated::default());
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut logged_in = lax.password.is_none();
    if lax.greets {
        stream.write_all(&frame(Opcode::TEXT, b"welcome")).await?;
    }
    loop {
        let count = tokio::select! {
            count = stream.read(&mut buffer) => count?,
            _ = ticks.tick(), if lax.talks => {
                stream.write_all(&frame(Opcode::TEXT, b"tick")).await?;
                continue;
            }
        };
        if count == 0 {
            return Ok(());
        }
        decoder.push(&buffer[..count]);
        for piece in decoder.by_ref() {
            checker.push(piece);
            for item in checker.by_ref() {
                let out = match item {
                    Item::Violation(_) if lax.passes_over => continue,
                    Item::Violation(violation) => {
                        let text = violation.rule.id().contains("utf8");
                        let code: u16 = if text { 1007 } else { 1002 };
                        stream.write_all(&frame(Opcode::CLOSE, &code.to_be_bytes())).await?;
                        return Ok(());
                    }
                    Item::Ping(_) if lax.no_pong => continue,
                    Item::Ping(body) => frame(Opcode::PONG, &body),
                    Item::Close { body, .. } => {
                        stream.write_all(&frame(Opcode::CLOSE, &body[..body.len().min(2)])).await?;
                        return Ok(());
                    }
                    Item::Message { payload, .. } if !logged_in => {
                        if lax.password.map(str::as_bytes) != Some(&payload[..]) {
                            stream.write_all(&frame(Opcode::CLOSE, &1008_u16.to_be_bytes())).await?;
                            return Ok(());
                        }
                        logged_in = true;
                        frame(Opcode::TEXT, b"token 4711")
                    }
                    Item::Message { kind: Kind::Binary, .. } if lax.only_text => {
                        stream.write_all(&frame(Opcode::CLOSE, &1003_u16.to_be_bytes())).await?;
                        return Ok(());
                    }
                    Item::Message { kind, payload, .. }
                        if lax.greets || lax.only_text || lax.password.is_some() =>
                    {
                        frame(Opcode::of(kind), &payload)
                    }
                    Item::Message { .. } | Item::Pong(_) | Item::TooBig { .. } => continue,
                };
                stream.write_all(&out).await?;
            }
        }
    }
}

fn frame(opcode: Opcode, body: &[u8]) -> Vec<u8> {
    let mut bytes = Header::new(opcode, None, body.len() as u64).encode().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

fn ids(report: &RunReport, behavior: Behavior) -> Vec<&str> {
    let of = report.targets[0].cases.iter().filter(|record| record.behavior == behavior);
    of.map(|record| record.id.as_str()).collect()
}

/// All cases but those that send megabytes, which say nothing new here.
fn most(scenario: &Scenario) -> bool {
    !scenario.section().starts_with("9.")
}

#[tokio::test]
async fn what_is_found_of_a_target() {
    let swapped: Handler = Arc::new(|message| Some(Message::binary(message.into_payload())));
    let other: Handler = Arc::new(|_| Some(Message::text("other")));
    let (echo, silent, swapped, other, texts, talker, greeter, deaf) = tokio::join!(
        facts(listen(|stream, _| echo(stream)).await),
        facts(silent().await),
        facts(handling(swapped).await),
        facts(handling(other).await),
        facts(lax(Lax { only_text: true, ..Lax::default() }).await),
        facts(lax(Lax { talks: true, ..Lax::default() }).await),
        facts(lax(Lax { greets: true, ..Lax::default() }).await),
        facts(lax(Lax { no_pong: true, ..Lax::default() }).await),
    );
    assert!(echo.is_echo() && echo.pongs, "{echo:?}");
    assert_eq!(echo.deflate.as_deref(), Some("permessage-deflate"));
    // How much more than that is tried depends on how quick the machine is.
    assert!(echo.takes >= Some(1 << 10), "{echo:?}");
    let nothing = TargetFacts { pongs: true, deflate: echo.deflate.clone(), ..TargetFacts::default() };
    assert_eq!(TargetFacts { takes: None, ..silent }, nothing);
    assert_eq!((swapped.text, swapped.binary), (Response::OtherKind, Response::Echo));
    assert_eq!((other.text, other.binary, other.talks), (Response::Other, Response::Other, false));
    assert_eq!((texts.text, texts.binary), (Response::Echo, Response::Ends));
    assert_eq!(texts.deflate, None);
    assert_eq!((talker.text, talker.talks), (Response::Nothing, true));
    assert_eq!((greeter.text, greeter.talks), (Response::Echo, true));
    assert!(!deaf.pongs && deaf.takes.is_none(), "{deaf:?}");
}

/// The message of one is passed on to all.
#[tokio::test]
async fn a_chat_is_one_that_talks() {
    let (said, _) = tokio::sync::broadcast::channel::<Vec<u8>>(64);
    let addr = listen(move |mut stream, _| {
        let said = said.clone();
        async move {
            answer_opening(&mut stream).await;
            let mut heard = said.subscribe();
            let mut decoder = FrameDecoder::new();
            let mut checker = Checker::new(Role::Client, Negotiated::default());
            let mut buffer = vec![0; 65_536];
            loop {
                let count = tokio::select! {
                    count = stream.read(&mut buffer) => count.unwrap_or(0),
                    Ok(bytes) = heard.recv() => {
                        if stream.write_all(&bytes).await.is_err() { return }
                        continue;
                    }
                };
                if count == 0 {
                    return;
                }
                decoder.push(&buffer[..count]);
                for piece in decoder.by_ref() {
                    checker.push(piece);
                    for item in checker.by_ref() {
                        match item {
                            Item::Message { kind, payload, .. } => {
                                let _ = said.send(frame(Opcode::of(kind), &payload));
                            }
                            Item::Ping(body) => {
                                let _ = stream.write_all(&frame(Opcode::PONG, &body)).await;
                            }
                            Item::Close { .. } | Item::Violation(_) => {
                                let _ = stream.write_all(&frame(Opcode::CLOSE, &[])).await;
                                return;
                            }
                            Item::Pong(_) | Item::TooBig { .. } => {}
                        }
                    }
                }
            }
        }
    })
    .await;
    let report = play(addr, cases(|scenario| ["1.1", "1.2", "2"].contains(&&*scenario.section())), 8).await;
    let found = report.targets[0].facts.clone().unwrap();
    assert!(found.talks, "{found:?}");
    assert_eq!(ids(&report, Behavior::Fail), Vec::<&str>::new(), "{:#?}", report.targets[0].cases);
    assert!(count(&report, Behavior::Pass) > 20);
}

/// Strict and silent: everything that can be played is passed, and the grade is the best.
#[tokio::test]
async fn a_strict_target_that_answers_nothing_is_graded() {
    let report = play(silent().await, cases(most), 16).await;
    let records = &report.targets[0].cases;
    for record in records {
        assert!(record.severity() <= wsgrade_reports::record::Severity::Neutral, "{record:#?}");
    }
    assert!(count(&report, Behavior::Pass) > 200, "{}", count(&report, Behavior::Pass));
    let unplayed: Vec<_> = records.iter().filter(|record| record.transcript.entries.is_empty()).collect();
    assert!(unplayed.iter().all(|record| record.behavior == Behavior::Unimplemented));
    let echoed = |id: &str| report.cases.iter().any(|case| case.id == id && case.section.starts_with("12"));
    assert!(unplayed.iter().any(|record| echoed(&record.id)));
    let lawful = records.iter().find(|record| record.id == "1.1.2").unwrap();
    insta::assert_snapshot!(lawful.adapted.clone().unwrap(), @"The target does not send text back: what it says is passed over, and the case is judged by pongs and by how the connection ended.");
    let grade = TargetGrade::of(&report, &report.targets[0]).grade;
    assert!(grade.is_ok_and(|grade| grade >= Grade::A), "{grade:?}");
    assert!(render::summary(&report).contains("judged without an echo, "), "{}", render::summary(&report));
}

/// Lax and silent: what it lets pass is seen by the connection that stays open.
#[tokio::test]
async fn a_lax_target_that_answers_nothing_fails() {
    let addr = lax(Lax { passes_over: true, ..Lax::default() }).await;
    let picked = ["F.1", "3.2", "4.1.1", "5.9", "6.3.1", "1.1.2", "2.2"];
    let report = play(addr, cases(|scenario| picked.contains(&scenario.id.as_str())), 8).await;
    assert_eq!(ids(&report, Behavior::Pass), ["1.1.2", "2.2"]);
    assert_eq!(count(&report, Behavior::Fail), picked.len() - 2, "{:#?}", report.targets[0].cases);

    let addr = lax(Lax { no_pong: true, ..Lax::default() }).await;
    let report =
        play(addr, cases(|scenario| ["1.1.2", "2.2", "3.1"].contains(&scenario.id.as_str())), 8).await;
    assert_eq!(ids(&report, Behavior::Fail), ["1.1.2", "2.2"]);
    assert_eq!(ids(&report, Behavior::Pass), ["3.1"]);
}

#[tokio::test]
async fn what_a_target_says_unasked_is_passed_over() {
    for (quirk, failed) in [
        (Lax { talks: true, ..Lax::default() }, 0),
        (Lax { talks: true, passes_over: true, ..Lax::default() }, 3),
    ] {
        let addr = lax(quirk).await;
        let picked =
            ["1.1.2", "1.2.3", "2.2", "2.10", "5.3", "5.6", "3.1", "4.1.1", "6.3.1", "7.1.1", "9.7.1"];
        let report = play(addr, cases(|scenario| picked.contains(&scenario.id.as_str())), 8).await;
        assert_eq!(count(&report, Behavior::Fail), failed, "{:#?}", ids(&report, Behavior::Fail));
        assert_eq!(ids(&report, Behavior::Unimplemented), ["9.7.1"]);
    }
}

/// Its text cases are judged by their echo; what it takes no message for is not played.
#[tokio::test]
async fn a_target_of_texts() {
    let addr = lax(Lax { only_text: true, ..Lax::default() }).await;
    let report = play(addr, cases(|scenario| ["1.1", "1.2"].contains(&&*scenario.section())), 8).await;
    let of = |section: &str| {
        let all = report.targets[0].cases.iter().filter(|record| record.id.starts_with(section));
        all.map(|record| (record.behavior, record.adapted.is_some())).collect::<Vec<_>>()
    };
    assert!(of("1.1.").iter().all(|one| *one == (Behavior::Pass, false)), "{:?}", of("1.1."));
    assert!(of("1.2.").iter().all(|one| *one == (Behavior::Unimplemented, false)), "{:?}", of("1.2."));

    let swapped: Handler = Arc::new(|message| Some(Message::binary(message.into_payload())));
    let addr = handling(swapped).await;
    let report = play(addr, cases(|scenario| ["1.1.2", "1.2.2"].contains(&scenario.id.as_str())), 8).await;
    let adapted: Vec<_> = report.targets[0].cases.iter().map(|record| record.adapted.is_some()).collect();
    assert_eq!((count(&report, Behavior::Pass), &adapted[..]), (2, &[true, false][..]));
}

fn prelude(text: &str) -> Arc<[Step]> {
    read_prelude("prelude.toml", text).unwrap().into()
}

#[tokio::test]
async fn a_target_that_wants_a_login_first() {
    let addr = lax(Lax { password: Some("sesame"), ..Lax::default() }).await;
    let login = prelude("steps = [{ send = \"text\", text = \"sesame\" }, { await = \"any\" }]");
    let settings = Settings { prelude: login, ..settings(8) };
    let mut target = target(addr).await;
    let facts = probe(&mut target, &settings).await.unwrap();
    assert_eq!(
        (facts.found.text, facts.found.binary, facts.found.talks),
        (Response::Echo, Response::Echo, false)
    );
    let picked = cases(|scenario| ["1.1.2", "2.2", "3.1", "5.3"].contains(&scenario.id.as_str()));
    let mut playing = playing(addr, picked.clone(), 8, Some(facts)).await;
    playing.prepared.settings = settings;
    let report = playing.run.play(&[playing.prepared]).await;
    assert_eq!(count(&report, Behavior::Pass), 4, "{:#?}", report.targets[0].cases);
    assert_eq!(report.options.prelude.len(), 2);
    let entries = &report.targets[0].cases[0].transcript.entries;
    let messages = |prelude: bool| {
        let of = entries.iter().filter(|entry| entry.prelude == prelude);
        of.filter(|entry| matches!(entry.what, What::Message { .. })).count()
    };
    assert_eq!((messages(true), messages(false)), (1, 1));

    // Without it, and with a wrong one.
    let found = probe(&mut target, &super::settings(8)).await.unwrap().found;
    assert_eq!((found.text, found.binary), (Response::Ends, Response::Ends));
    let wrong = prelude("steps = [{ send = \"text\", text = \"please\" }, { await = \"any\" }]");
    let wrong = Settings { prelude: wrong, ..super::settings(8) };
    let Unreachable { reason, .. } = probe(&mut target, &wrong).await.unwrap_err();
    insta::assert_snapshot!(reason, @"the prelude failed at its step 2: the server closed the connection with 1008");
    let mut playing = super::playing(addr, picked, 1, Some(an_echo())).await;
    playing.prepared.settings = wrong;
    let report = playing.run.play(&[playing.prepared]).await;
    assert_eq!(count(&report, Behavior::Inconclusive), report.targets[0].cases.len());
    assert!(report.targets[0].stopped.is_some());
}

/// A greeting that is awaited in a prelude leaves an echo that is judged as one.
#[tokio::test]
async fn a_target_that_greets() {
    let addr = lax(Lax { greets: true, ..Lax::default() }).await;
    let awaits = Settings { prelude: prelude("steps = [{ await = \"any\" }]"), ..settings(8) };
    let found = probe(&mut target(addr).await, &awaits).await.unwrap().found;
    assert!(found.is_echo(), "{found:?}");
    let patience = Settings {
        prelude: prelude("steps = [{ await = \"any\" }, { await = \"any\", within = \"50ms\" }]"),
        ..settings(8)
    };
    let Unreachable { reason, .. } = probe(&mut target(addr).await, &patience).await.unwrap_err();
    insta::assert_snapshot!(reason, @"the prelude failed at its step 2: waited in vain for the answer awaited there");
}

#[tokio::test]
async fn a_target_with_a_subprotocol_and_a_limit() {
    let addr = listen(|stream, _| async move {
        let peer = stream.peer_addr().unwrap();
        let limits = wsgrade_codec::endpoint::Limits { max_message: 1000, ..Default::default() };
        let config = Config { subprotocols: vec!["chat".to_owned()], limits, ..Config::default() };
        serve_stream(stream, peer, &config).await;
    })
    .await;
    let options = RequestOptions {
        subprotocols: vec!["soap".to_owned(), "chat".to_owned()],
        ..RequestOptions::default()
    };
    let mut target = Target::find(format!("ws://{addr}/").parse().unwrap(), &options).await.unwrap();
    let found = probe(&mut target, &settings(16)).await.unwrap().found;
    assert_eq!(found.subprotocol.as_deref(), Some("chat"));
    assert_eq!(found.takes, None, "{found:?}");
    assert_eq!(found.refuses, Some(Refused { bytes: 1 << 10, code: Some(1009) }));
}

/// Nothing comes back of it at the best of times, but for pongs.
#[tokio::test]
async fn a_silent_target_that_hangs_halfway_is_not_blamed() {
    let addr = listen(|mut stream, number| async move {
        if number < 2 {
            let peer = stream.peer_addr().unwrap();
            let handler: Handler = Arc::new(|_| None);
            serve_stream(stream, peer, &Config { handler, ..Config::default() }).await;
        } else {
            answer_opening(&mut stream).await;
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
    })
    .await;
    let silent = TargetFacts { pongs: true, ..TargetFacts::default() };
    let facts = Facts { found: silent, ..Facts::default() };
    let picked = cases(|scenario| ["1.1", "2"].contains(&&*scenario.section()));
    let playing = playing(addr, picked, 4, Some(facts)).await;
    let report = playing.run.play(&[playing.prepared]).await;
    let stopped = report.targets[0].stopped.clone().unwrap();
    assert!(stopped.contains("it no longer answers pings"), "{stopped}");
    assert_eq!((count(&report, Behavior::Pass), count(&report, Behavior::Fail)), (2, 0));
}
