//! Real clients over real sockets, in the loop that drivers written for Autobahn|Testsuite run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use wsgrade_cases::Catalogue;
use wsgrade_cases::id::CaseId;
use wsgrade_cases::model::{Need, Role, Scenario};
use wsgrade_reference_server::client::{ClientConfig, Outcome, Received, connect};
use wsgrade_reference_server::codec::endpoint::Message;
use wsgrade_reports::record::{Behavior, CaseRecord, RunReport, Severity};

use super::{Face, Listener, Refusals};
use crate::cli::Exit;
use crate::engine::Limits;
use crate::plan::{Depth, Plan};
use crate::runner::{Gate, Run, Settings, Staying};

struct Listening {
    url: String,
    updates: Arc<AtomicUsize>,
    interrupt: watch::Sender<bool>,
    serving: JoinHandle<RunReport>,
}

async fn listen(pick: impl Fn(&Scenario) -> bool) -> Listening {
    listen_with(pick, Face::default()).await
}

/// Those of resilience want a server that shares no runtime with us: `tests/resilience.rs` plays them.
async fn listen_with(pick: impl Fn(&Scenario) -> bool, face: Face) -> Listening {
    let all = Catalogue::embedded().scenarios().iter();
    let picked: Vec<_> =
        all.filter(|scenario| scenario.stress.is_none() && pick(scenario)).cloned().map(Arc::new).collect();
    let (interrupt, interrupted) = watch::channel(false);
    let limits = Limits {
        answer: Duration::from_millis(1500),
        close: Duration::from_millis(1500),
        ..Limits::default()
    };
    let run = Run {
        catalogue: Arc::new(Catalogue::embedded().clone()),
        selected: Plan::all(&picked, Depth::Messages(3), &Arc::default()),
        part: None,
        settings: Settings {
            jobs: 1,
            limits,
            seed: 1,
            prelude: Arc::default(),
            depth: Depth::Messages(3),
            gate: Gate::default(),
            may_stress: false,
            staying: Staying::default(),
            verbose: None,
        },
        patterns: (Vec::new(), Vec::new()),
        events: mpsc::unbounded_channel().0,
        interrupted,
    };
    let updates = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&updates);
    let on_update = move |_: &RunReport| {
        counted.fetch_add(1, Ordering::SeqCst);
    };
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(addr, run, None, on_update).await.unwrap().with_face(face);
    let url = listener.url().to_owned();
    Listening { url, updates, interrupt, serving: tokio::spawn(listener.serve(std::future::pending())) }
}

/// Connects to a call and gives the text that comes.
async fn ask(url: &str, call: &str) -> Option<String> {
    let mut connection = connect(&format!("{url}{call}"), ClientConfig::default()).await.unwrap();
    let mut said = None;
    while let Some(received) = connection.recv().await {
        if let Received::Message(message) = received {
            said = message.as_text().map(str::to_owned);
        }
    }
    said
}

async fn run_case(url: &str, n: usize, agent: &str) {
    let url = format!("{url}/runCase?case={n}&agent={agent}");
    // A case may be about an opening handshake that a client has to fail.
    if let Ok(connection) = connect(&url, ClientConfig::default()).await {
        connection.echo().await;
    }
}

/// The loop: how many, each of them, the reports.
async fn classic_loop(url: &str, agent: &str) {
    let count: usize = ask(url, "/getCaseCount").await.unwrap().parse().unwrap();
    for n in 1..=count {
        run_case(url, n, agent).await;
    }
    ask(url, &format!("/updateReports?agent={agent}")).await;
}

fn strict(record: &CaseRecord) -> bool {
    let good = matches!(record.behavior, Behavior::Pass | Behavior::Informational);
    good && record.severity() <= Severity::Neutral
}

fn is_for_a_plain_client(scenario: &Scenario) -> bool {
    scenario.roles.contains(&Role::Client)
        && !scenario.needs.contains(&Need::Tls)
        && scenario.stress.is_none()
}

#[tokio::test]
async fn the_reference_client_passes_strictly() {
    let Listening { url, updates, interrupt: _interrupt, serving } = listen(is_for_a_plain_client).await;
    tokio::join!(classic_loop(&url, "one"), classic_loop(&url, "two"));
    assert_eq!(updates.load(Ordering::SeqCst), 2);
    ask(&url, "/stopServer").await;
    let report = serving.await.unwrap();
    assert_eq!(report.targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    let scenarios = Catalogue::embedded().scenarios();
    let of_clients = scenarios.iter().filter(|scenario| is_for_a_plain_client(scenario)).count();
    for target in &report.targets {
        assert_eq!(target.stopped, None);
        assert_eq!(target.cases.len(), of_clients);
        for record in &target.cases {
            assert!(strict(record), "{record:#?}");
        }
    }
    assert_eq!(Exit::of_run(&report), Exit::Success);
}

/// What a browser's `WebSocket` and every other library would do with tungstenite: messages echoed, errors end it.
async fn tungstenite_loop(url: &str) {
    use futures_util::{SinkExt as _, StreamExt as _};
    let count: usize = ask(url, "/getCaseCount").await.unwrap().parse().unwrap();
    for n in 1..=count {
        let call = format!("{url}/runCase?case={n}&agent=tungstenite");
        let (mut socket, _) = tokio_tungstenite::connect_async(call).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                break;
            }
        }
    }
}

/// A client that is not strict is told so: one that takes a length in too long a form, and one that ends TCP without a
/// Close.
#[tokio::test]
async fn tungstenite_as_a_client() {
    let picked = ["1.1", "2", "5", "F"];
    let Listening { url, interrupt: _interrupt, serving, .. } =
        listen(|scenario| picked.contains(&scenario.section().as_str())).await;
    tungstenite_loop(&url).await;
    ask(&url, "/updateReports?agent=tungstenite&shutdownOnComplete=true").await;
    let report = serving.await.unwrap();
    let cases = &report.targets[0].cases;
    let of = |id: &str| cases.iter().find(|record| record.id == id).unwrap();
    for id in ["1.1.1", "1.1.8", "2.1", "2.10", "5.3", "5.19"] {
        assert!(strict(of(id)), "{:#?}", of(id));
    }
    assert_eq!(of("F.7").behavior, Behavior::NonStrict, "{:#?}", of("F.7"));
    assert_eq!(of("5.1").behavior, Behavior::Pass, "{:#?}", of("5.1"));
    assert_eq!(of("5.1").close.as_str(), "dropped", "{:#?}", of("5.1"));
    assert_eq!(report.targets[0].stopped, None);
}

#[tokio::test]
async fn the_calls() {
    let Listening { url, updates, interrupt: _interrupt, serving } =
        listen(|scenario| scenario.section() == "2").await;
    assert_eq!(ask(&url, "/getCaseCount").await.as_deref(), Some("11"));
    let info = ask(&url, "/getCaseInfo?case=2").await.unwrap();
    assert!(info.starts_with(r#"{"id": "2.2", "description": ""#), "{info}");
    assert_eq!(ask(&url, "/getCaseInfo?casetuple=2.2").await, Some(info));
    // Asked before there is a result: it waits.
    let (status, ()) = tokio::join!(ask(&url, "/getCaseStatus?case=2&agent=a"), run_case(&url, 2, "a"));
    assert_eq!(status.as_deref(), Some(r#"{"behavior": "OK"}"#));
    for (call, status) in [("/runCase?case=99&agent=a", 400), ("/runCase?agent=a", 404)] {
        let refused =
            connect(&format!("{url}{call}"), ClientConfig::default()).await.err().unwrap().to_string();
        assert!(refused.contains(&status.to_string()), "{call}: {refused}");
    }
    ask(&url, "/updateReports?agent=a&shutdownOnComplete=true").await;
    assert_eq!(updates.load(Ordering::SeqCst), 1);
    let report = serving.await.unwrap();
    assert_eq!(report.targets[0].stopped.as_deref(), Some("the client ran 1 of 11 cases"));
    assert_eq!(Exit::of_run(&report), Exit::Inconclusive);
}

#[tokio::test]
async fn a_browser_sees_the_report() {
    let Listening { url, interrupt: _interrupt, .. } = listen(|scenario| scenario.section() == "2").await;
    run_case(&url, 1, "the-agent").await;
    ask(&url, "/getCaseStatus?case=1&agent=the-agent").await;
    let get = async |target: &str| {
        let mut stream = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).await.unwrap();
        page
    };
    let page = get("/").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("the-agent"), "{page:.300}");
    assert!(get("/favicon.ico").await.starts_with("HTTP/1.1 404 "));
}

/// A client that opens and then says nothing fails its case, and keeps nobody else waiting.
#[tokio::test]
async fn a_silent_client_fails() {
    let Listening { url, interrupt, serving, .. } = listen(|scenario| scenario.id.as_str() == "1.1.2").await;
    let mut stream = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
    let request = "GET /runCase?case=1&agent=silent HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
                   Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    run_case(&url, 1, "good").await;
    assert_eq!(
        ask(&url, "/getCaseStatus?case=1&agent=silent").await.as_deref(),
        Some(r#"{"behavior": "FAILED"}"#)
    );
    interrupt.send(true).unwrap();
    let report = serving.await.unwrap();
    let behaviors: Vec<_> = report.targets.iter().map(|target| target.cases[0].behavior).collect();
    assert_eq!(behaviors, [Behavior::Pass, Behavior::Fail]);
    assert_eq!(Exit::of_run(&report), Exit::GateNotMet);
}

/// What forgets `Upgrade` is no browser that wants the page, if it has a key.
#[tokio::test]
async fn a_client_without_upgrade_has_a_record() {
    let Listening { url, interrupt, serving, .. } = listen(|scenario| scenario.id.as_str() == "1.1.1").await;
    let mut stream = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
    let request = "GET /runCase?case=1&agent=forgetful HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    drop(stream);
    ask(&url, "/getCaseStatus?case=1&agent=forgetful").await;
    interrupt.send(true).unwrap();
    let report = serving.await.unwrap();
    let record = &report.targets[0].cases[0];
    assert_eq!(record.behavior, Behavior::Fail);
    assert!(record.findings.iter().any(|finding| finding.rule == "rfc6455-4.1-upgrade"), "{record:?}");
}

async fn raw(url: &str, target: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("ws://")).await.unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// The old server said nothing of what was wrong with a call.
#[tokio::test]
async fn mute_refusals() {
    let face = Face { refusals: Refusals::Mute, ..Face::default() };
    let Listening { url, interrupt: _interrupt, .. } = listen_with(|case| case.section() == "2", face).await;
    for call in [
        "/runCase?case=99&agent=a",
        "/runCase?agent=a",
        "/getCaseInfo?casetuple=9.9.9",
        "/getCaseStatus?case=x",
        "/runCase?case=1",
    ] {
        let mut answer = String::new();
        raw(&url, call).await.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 500 ") && answer.ends_with("\r\n\r\n"), "{call}: {answer}");
    }
}

/// An agent that is kept from a case is closed at once, and asked for nothing more.
#[tokio::test]
async fn excluded_agents() {
    let excluded = |agent: &str, id: &CaseId| agent == "kept" && id.as_str() != "2.1";
    let face = Face { excluded: Box::new(excluded), ..Face::default() };
    let Listening { url, interrupt: _interrupt, serving, .. } =
        listen_with(|case| ["2.1", "2.2", "2.3"].contains(&case.id.as_str()), face).await;
    tokio::join!(classic_loop(&url, "kept"), classic_loop(&url, "free"));
    assert_eq!(ask(&url, "/getCaseStatus?case=2&agent=kept").await, None);
    ask(&url, "/stopServer").await;
    let report = serving.await.unwrap();
    let of = |name: &str| report.targets.iter().find(|target| target.name == name).unwrap();
    let ids = |name: &str| of(name).cases.iter().map(|record| record.id.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids("kept"), ids("free")),
        (vec!["2.1".into()], vec!["2.1".into(), "2.2".into(), "2.3".into()])
    );
    assert_eq!((&of("kept").stopped, &of("free").stopped), (&None, &None));
}

/// The old server broke on this.
#[tokio::test]
async fn reports_after_a_case_without_an_agent() {
    let Listening { url, updates, interrupt: _interrupt, serving } =
        listen(|case| case.id.as_str() == "2.1").await;
    connect(&format!("{url}/runCase?case=1"), ClientConfig::default()).await.unwrap().echo().await;
    ask(&url, "/updateReports").await;
    ask(&url, "/updateReports?agent=somebody&shutdownOnComplete=yes").await;
    assert_eq!(updates.load(Ordering::SeqCst), 2);
    let report = serving.await.unwrap();
    assert_eq!((report.targets[0].name.as_str(), report.targets[0].cases.len()), ("unnamed", 1));
}

#[tokio::test]
async fn subprotocols() {
    let face = Face { subprotocols: vec!["b".to_owned(), "c".to_owned()], ..Face::default() };
    let Listening { url, interrupt: _interrupt, .. } = listen_with(|case| case.section() == "2", face).await;
    for (offered, agreed) in [(&["a", "c", "b"][..], Some("c")), (&["a"], None)] {
        for call in ["/getCaseCount", "/runCase?case=1&agent=x", "/"] {
            let subprotocols = offered.iter().map(|name| (*name).to_owned()).collect();
            let config = ClientConfig { subprotocols, ..ClientConfig::default() };
            let connection = connect(&format!("{url}{call}"), config).await.unwrap();
            assert_eq!(connection.subprotocol(), agreed, "{call}");
        }
    }
}

/// What comes on a path that is no call, for one command.
async fn command(text: &str) -> (Vec<Received>, Outcome) {
    let Listening { url, interrupt: _interrupt, .. } = listen(|case| case.section() == "2").await;
    let mut connection = connect(&format!("{url}/any?x=1"), ClientConfig::default()).await.unwrap();
    connection.send(Message::text(text)).await.unwrap();
    // Fails where the command has ended the connection.
    let _ = connection.send(Message::text(r#"["close", {"code": 3000, "reason": "done"}]"#)).await;
    let mut came = Vec::new();
    while let Some(received) = connection.recv().await {
        came.push(received);
    }
    (came, connection.close_without_code().await)
}

fn closed_with(outcome: &Outcome) -> (Option<u16>, &str) {
    let frame = outcome.received.as_ref().unwrap();
    (frame.code.map(|code| code.value()), &frame.reason)
}

#[tokio::test]
async fn frames_by_command() {
    let frames = r#"["sendframes", [
        {"opcode": 1, "payload": "Hä", "fin": false, "chopsize": 1},
        {"opcode": 9, "payload": "p"},
        {"opcode": 0, "payload": "lo", "payload_len": 5, "sync": true}
    ]]"#;
    let (came, outcome) = command(frames).await;
    let text = |text: &str| Received::Message(Message::text(text));
    assert_eq!(came, [Received::Ping("p".into()), text("Hälolol")]);
    assert_eq!(closed_with(&outcome), (Some(3000), "done"));

    let (came, _) = command(r#"["echo", {"payload": "ab", "payload_len": 200001}]"#).await;
    assert_eq!(came, [text(&("ab".repeat(100_000) + "a"))]);

    // What no lawful endpoint sends: the client fails the connection.
    for wrong in [
        r#"["sendframe", {"opcode": 1, "rsv": 4}]"#,
        r#"["sendframe", {"opcode": 3}]"#,
        r#"["sendframe", {"opcode": 1, "payload": "x", "mask": true}]"#,
        r#"["close", {"code": 1005, "reason": "not on the wire"}]"#,
    ] {
        let (_, outcome) = command(wrong).await;
        assert!(outcome.to_string().starts_with("failed with 1002"), "{wrong}: {outcome}");
    }
}

#[tokio::test]
async fn what_is_no_command_is_told_why() {
    let (came, outcome) = command(r#"["sendframe", {"opcode": 77}]"#).await;
    assert_eq!((came, closed_with(&outcome)), (Vec::new(), (Some(1008), "opcode is a number from 0 to 15")));
    let Listening { url, interrupt: _interrupt, .. } = listen(|case| case.section() == "2").await;
    let mut connection = connect(&url, ClientConfig::default()).await.unwrap();
    connection.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(connection.recv().await, None);
    assert_eq!(
        closed_with(&connection.close_without_code().await),
        (Some(1003), "a command is a text message")
    );
}
