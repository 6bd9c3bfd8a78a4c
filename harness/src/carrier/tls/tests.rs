//! Servers and clients behind TLS over real sockets, and every way for them not to be.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::server::TlsStream;
use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{By, Ending, Frame, Payload, Saw, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::wire::Opcode;
use wsgrade_reference_server::client::{self, ClientConfig, Received};
use wsgrade_reference_server::{Config, serve_stream};
use wsgrade_reports::record::{RunReport, Severity};

use super::{Acceptor, Connector, Roots, TlsError};
use crate::carrier::{Link as _, Trust, tcp};
use crate::engine::Limits;
use crate::event::RunEvent;
use crate::listen::Listener;
use crate::plan::{Depth, Plan};
use crate::runner::{Gate, Prepared, Run, Settings, Staying, Unreachable, probe};
use crate::target::{RequestOptions, Target, TargetError};

#[path = "../../../tests/common/certificates.rs"]
mod certificates;

use certificates::{Authority, Issued, listen, params, self_signed, server_config};

const HERE: &[&str] = &["localhost", "127.0.0.1"];

/// A folder of files that the user gives.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) -> std::path::PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An error without the folder.
    fn words(&self, error: impl ToString) -> String {
        error.to_string().replace(&format!("{}{}", self.0.path().display(), std::path::MAIN_SEPARATOR), "")
    }

    fn acceptor(&self, issued: &Issued) -> Acceptor {
        let [cert, key] = [self.put("cert.pem", &issued.cert), self.put("key.pem", &issued.key)];
        Acceptor::from_pem_files(&cert, &key).unwrap()
    }
}

fn expired(authority: &Authority) -> Issued {
    let mut params = params(HERE);
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    authority.issue_with(&params)
}

fn trusting(pem: &str) -> Trust {
    let files = Files::new();
    Trust::Roots { extra: vec![Roots::from_pem_file(&files.put("ca.pem", pem)).unwrap()] }
}

fn settings(jobs: usize) -> Settings {
    let patience = Duration::from_millis(1500);
    let limits = Limits { answer: patience, opening: patience, close: patience, ..Limits::default() };
    Settings {
        jobs,
        limits,
        seed: 1,
        prelude: Arc::default(),
        depth: Depth::Messages(2),
        gate: Gate::default(),
        may_stress: false,
        staying: Staying::default(),
        verbose: None,
    }
}

async fn target(addr: SocketAddr, options: &RequestOptions) -> Target {
    Target::find(format!("wss://{addr}/chat").parse().unwrap(), options).await.unwrap()
}

/// Why nothing can be played.
async fn reason(addr: SocketAddr, options: RequestOptions) -> String {
    let mut target = target(addr, &options).await;
    let Unreachable { reason, .. } = probe(&mut target, &settings(1)).await.unwrap_err();
    reason.replace(&addr.to_string(), "ADDR")
}

fn with(trust: Trust) -> RequestOptions {
    RequestOptions { trust, ..RequestOptions::default() }
}

fn run(
    selected: Vec<Arc<Scenario>>,
    jobs: usize,
) -> (Run, watch::Sender<bool>, mpsc::UnboundedReceiver<RunEvent>) {
    let (interrupt, interrupted) = watch::channel(false);
    let (events, heard) = mpsc::unbounded_channel();
    let catalogue = Arc::new(Catalogue::embedded().clone());
    let patterns = (Vec::new(), Vec::new());
    let selected = Plan::all(&selected, Depth::Messages(2), &Arc::default());
    (
        Run { catalogue, selected, part: None, settings: settings(jobs), patterns, events, interrupted },
        interrupt,
        heard,
    )
}

/// Those of resilience want a server that shares no runtime with us: `tests/resilience.rs` plays them.
fn cases(pick: impl Fn(&Scenario) -> bool) -> Vec<Arc<Scenario>> {
    let all = Catalogue::embedded().scenarios().iter();
    all.filter(|scenario| scenario.stress.is_none() && pick(scenario)).cloned().map(Arc::new).collect()
}

async fn play(addr: SocketAddr, trust: Trust, selected: Vec<Arc<Scenario>>) -> RunReport {
    let (run, _interrupt, _heard) = run(selected, 8);
    let mut target = target(addr, &with(trust)).await;
    let facts = probe(&mut target, &run.settings).await.unwrap();
    let repeat = String::new();
    let settings = run.settings.clone();
    let prepared =
        Prepared { target, facts, settings, adapt: true, name: None, repeat, process: None, watched: None };
    run.play(&[prepared]).await
}

/// Every case passes, or is about what the RFC leaves open.
fn assert_strict(report: &RunReport, cases: usize) {
    assert_eq!(report.targets[0].stopped, None);
    assert_eq!(report.targets[0].cases.len(), cases);
    for record in &report.targets[0].cases {
        assert!(record.severity() <= Severity::Neutral, "{record:#?}");
        assert_eq!(record.carrier, "tls");
    }
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(stream: S) {
    serve_stream(stream, "127.0.0.1:1".parse().unwrap(), &Config::default()).await;
}

async fn plain(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    addr
}

#[tokio::test]
async fn the_reference_server_passes_strictly_behind_tls() {
    let authority = Authority::new();
    let addr = listen(server_config(&authority.issue(HERE)), echo).await;
    let all = cases(|scenario| scenario.roles.contains(&Role::Server) && scenario.stress.is_none());
    let report = play(addr, trusting(&authority.pem()), all.clone()).await;
    assert_strict(&report, all.len());
}

#[tokio::test]
async fn any_certificate_can_be_taken() {
    let few = cases(|scenario| scenario.section() == "1.1");
    for issued in [self_signed(&["elsewhere.test"]), expired(&Authority::new())] {
        let addr = listen(server_config(&issued), echo).await;
        assert_strict(&play(addr, Trust::Anything, few.clone()).await, few.len());
    }
}

/// A certificate that is its own CA is no server's by the rules; given by --ca, it is trusted all the same, for its names.
#[tokio::test]
async fn the_servers_own_certificate_can_be_trusted() {
    let few = cases(|scenario| scenario.section() == "1.1");
    let issued = self_signed(HERE);
    let addr = listen(server_config(&issued), echo).await;
    assert_strict(&play(addr, trusting(&issued.cert), few.clone()).await, few.len());
    let elsewhere =
        RequestOptions { host: Some("elsewhere.test:1".to_owned()), ..with(trusting(&issued.cert)) };
    insta::assert_snapshot!(reason(addr, elsewhere).await, @"the certificate of elsewhere.test is not trusted: it is for another name: localhost, 127.0.0.1; give its name by --host, or --insecure");
}

#[tokio::test]
async fn why_nothing_can_be_played() {
    let authority = Authority::new();
    let trusted = || with(trusting(&authority.pem()));
    let good = authority.issue(HERE);
    let ours = listen(server_config(&good), echo).await;
    let elsewhere =
        listen(server_config(&authority.issue(&["a.test", "b.test", "*.c.test", "d.test", "e.test"])), echo)
            .await;
    let expired = listen(server_config(&expired(&authority)), echo).await;
    let its_own = listen(server_config(&self_signed(HERE)), echo).await;
    let mut http2 = server_config(&good);
    http2.alpn_protocols = vec![b"h2".to_vec()];
    let http2 = listen(http2, echo).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let reasons = [
        reason(ours, with(Trust::default())).await,
        reason(elsewhere, trusted()).await,
        reason(expired, trusted()).await,
        reason(its_own, trusted()).await,
        reason(http2, trusted()).await,
        reason(plain(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, trusted()).await,
        reason(plain(b"SSH-2.0-OpenSSH_9.9\r\n").await, trusted()).await,
        reason(plain(b"").await, trusted()).await,
        reason(silent.local_addr().unwrap(), trusted()).await,
    ];
    insta::assert_snapshot!(reasons.join("\n"), @r"
    the certificate of 127.0.0.1 is not trusted: unknown issuer; give its CA by --ca FILE, or --insecure
    the certificate of 127.0.0.1 is not trusted: it is for another name: a.test, b.test, *.c.test, d.test, 1 more; give its name by --host, or --insecure
    the certificate of 127.0.0.1 is not trusted: it has expired; renew it, or give --insecure
    the certificate of 127.0.0.1 is not trusted: it is that of a CA and nobody vouches for it; give it by --ca FILE, or --insecure
    the server broke off the TLS handshake with the alert NoApplicationProtocol
    what answers there does not speak TLS; if it is not to, give the URL as ws://
    what answers there does not speak TLS; if it is not to, give the URL as ws://
    the server ended the connection during the TLS handshake; does it speak TLS there?
    the server did not complete the TLS handshake within 1.5s
    ");
}

#[tokio::test]
async fn a_name_that_tls_cannot_ask_for() {
    let options = RequestOptions { host: Some("a b".to_owned()), ..RequestOptions::default() };
    let error = Target::find("wss://127.0.0.1:1/".parse().unwrap(), &options).await.unwrap_err();
    assert_eq!(error, TargetError::Tls(TlsError::Name("a b".to_owned())));
}

/// A stream whose end is that of TCP alone, without close_notify.
struct NoGoodbye(TlsStream<TcpStream>);

impl AsyncRead for NoGoodbye {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for NoGoodbye {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.0.get_mut().0).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn the_end_of_tcp_is_the_end_of_tls() {
    let addr = listen(server_config(&self_signed(HERE)), |stream| echo(NoGoodbye(stream))).await;
    let some = cases(|scenario| ["1.1", "3", "7.1"].contains(&scenario.section().as_str()));
    assert_strict(&play(addr, Trust::Anything, some.clone()).await, some.len());
}

/// More than any buffer takes goes both ways at once, and the last of it is not left lying in TLS.
#[tokio::test]
async fn much_goes_both_ways() {
    let addr = listen(server_config(&self_signed(HERE)), echo).await;
    let much = Payload::Repeat { unit: b"wsgrade".to_vec(), len: 3 << 20 };
    let message = |opcode| Step::Send(Frame::new(opcode, much.clone()));
    let ending = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    let steps = vec![message(Opcode::TEXT), message(Opcode::BINARY)];
    let scenario = Scenario::uncatalogued("much", steps, Saw::Answers, ending);
    assert_strict(&play(addr, Trust::Anything, vec![Arc::new(scenario)]).await, 1);
}

#[tokio::test]
async fn a_reset_is_a_reset_under_tls() {
    let (said, mut heard) = mpsc::unbounded_channel();
    let addr = listen(server_config(&self_signed(HERE)), move |mut stream| {
        let said = said.clone();
        async move {
            stream.write_all(b"!").await.unwrap();
            stream.flush().await.unwrap();
            let _ = said.send(stream.read(&mut [0; 1]).await.map_err(|error| error.kind()));
        }
    })
    .await;
    let connector = Connector::new("localhost", &Trust::Anything).unwrap();
    let connect = async || {
        let patience = Duration::from_secs(5);
        let stream = tcp::connect(addr, patience).await.unwrap();
        let mut stream = connector.connect(stream, patience).await.unwrap();
        // The server has had its handshake.
        assert_eq!(stream.read_u8().await.unwrap(), b'!');
        stream
    };
    let stream = connect().await;
    stream.reset_when_dropped();
    drop(stream);
    assert_eq!(heard.recv().await, Some(Err(io::ErrorKind::ConnectionReset)));
    connect().await.shutdown().await.unwrap();
    assert_eq!(heard.recv().await, Some(Ok(0)));
}

/// Connects to a listener as a client under TLS does, and plays a call to its end.
async fn call(url: &str, call: &str, trust: &Trust) -> Option<String> {
    let url: client::Url = format!("{url}{call}").parse().unwrap();
    let addr = format!("{}:{}", url.host(), url.port()).parse().unwrap();
    let patience = Duration::from_secs(5);
    let stream = tcp::connect(addr, patience).await.unwrap();
    let stream = Connector::new("localhost", trust).unwrap().connect(stream, patience).await.unwrap();
    let opened = client::open(stream, &url, ClientConfig::default()).await;
    if call.starts_with("/runCase") {
        // A case may be about an opening handshake that a client has to fail.
        if let Ok(connection) = opened {
            connection.echo().await;
        }
        return None;
    }
    let mut connection = opened.unwrap();
    let mut said = None;
    while let Some(received) = connection.recv().await {
        if let Received::Message(message) = received {
            said = message.as_text().map(str::to_owned);
        }
    }
    said
}

#[tokio::test]
async fn clients_are_graded_under_tls() {
    let files = Files::new();
    let issued = self_signed(HERE);
    let trust = trusting(&issued.cert);
    let selected = cases(|scenario| scenario.roles.contains(&Role::Client) && scenario.stress.is_none());
    let count = selected.len();
    let (run, _interrupt, mut heard) = run(selected, 1);
    let addr = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::bind(addr, run, Some(files.acceptor(&issued)), |_| {}).await.unwrap();
    let url = listener.url().to_owned();
    let serving = tokio::spawn(listener.serve(std::future::pending()));
    assert!(url.starts_with("wss://127.0.0.1:"), "{url}");

    // Those who cannot be served are told, once each, and harm nobody.
    let addr = url.trim_start_matches("wss://");
    for _ in 0..2 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        // A reset, if our alert was overtaken; the end in any case.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
    let stream = TcpStream::connect(addr).await.unwrap();
    let distrust = Connector::new("localhost", &Trust::default()).unwrap();
    distrust.connect(stream, Duration::from_secs(5)).await.unwrap_err();
    drop(TcpStream::connect(addr).await.unwrap());

    assert_eq!(call(&url, "/getCaseCount", &trust).await, Some(count.to_string()));
    for number in 1..=count {
        call(&url, &format!("/runCase?case={number}&agent=one"), &trust).await;
    }
    call(&url, "/updateReports?agent=one&shutdownOnComplete=true", &trust).await;
    let report = serving.await.unwrap();
    assert_strict(&report, count);
    // By no command of ours, they cannot be sent to where TLS fails.
    let failing = report.targets[0]
        .cases
        .iter()
        .filter(|record| ["S.4.3", "S.4.4", "S.4.5"].contains(&record.id.as_str()));
    let failing: Vec<_> =
        failing.map(|record| (record.behavior.as_str(), record.findings[0].observed.as_str())).collect();
    assert_eq!(failing, [failing[0]; 3]);
    insta::assert_snapshot!(format!("{}: {}", failing[0].0, failing[0].1), @"unimplemented: the target was not started by us, so it cannot be sent to where TLS fails (listen --cert --key --spawn 'COMMAND {url}'); the case was not played");
    let repeat = &report.targets[0].cases[0].repeat;
    assert!(repeat.contains(" --cert ") && repeat.contains(" --key "), "{repeat}");
    let mut reasons = Vec::new();
    while let Ok(event) = heard.try_recv() {
        if let RunEvent::TurnedAway { reason } = event {
            reasons.push(files.words(reason));
        }
    }
    reasons.sort();
    insta::assert_snapshot!(reasons.join("\n"), @r"
    a client does not speak TLS; its URL must begin with wss://
    a client does not trust our certificate (TLS alert: CertificateUnknown); let it trust cert.pem, or not verify
    a client ended the connection during the TLS handshake; does it trust our certificate, cert.pem?
    ");
}

#[test]
fn files_that_are_no_good() {
    let files = Files::new();
    let good = Authority::new().issue(HERE);
    let other = Authority::new().issue(HERE);
    let cert = files.put("cert.pem", &good.cert);
    let key = files.put("key.pem", &good.key);
    let other_key = files.put("other.pem", &other.key);
    let binary = files.put("cert.der", [0x30, 0x82, 1, 0]);
    let cut_off = files.put("cut.pem", &good.cert[..good.cert.len() / 2]);
    let no_base64 = files.put("garbled.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let no_der = files.put("empty.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let bad_key = files.put("badkey.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    let encrypted = files.put(
        "locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let nothing = files.0.path().join("nothing.pem");
    let acceptor = |cert: &Path, key: &Path| files.words(Acceptor::from_pem_files(cert, key).err().unwrap());
    let roots = |path: &Path| files.words(Roots::from_pem_file(path).err().unwrap());
    let said = [
        acceptor(&nothing, &key),
        acceptor(&cert, &nothing),
        acceptor(&binary, &key),
        acceptor(&key, &cert),
        acceptor(&cert, &cert),
        acceptor(&cut_off, &key),
        acceptor(&no_base64, &key),
        acceptor(&no_der, &key),
        acceptor(&cert, &binary),
        acceptor(&cert, &bad_key),
        acceptor(&cert, &encrypted),
        acceptor(&cert, &other_key),
        roots(&nothing),
        roots(&key),
        roots(&no_der),
    ];
    insta::assert_snapshot!(said.join("\n"), @r"
    cannot read nothing.pem: there is no such file
    cannot read nothing.pem: there is no such file
    there is no certificate in cert.der: it should have lines `-----BEGIN CERTIFICATE-----` (of a binary one, `openssl x509 -inform der -in FILE` makes such)
    there is no certificate in key.pem: it has a private key; are the two files the wrong way round?
    there is no private key in cert.pem: it has a certificate; are the two files the wrong way round?
    cut.pem is no good PEM: a section has no end; is it cut off?
    garbled.pem is no good PEM: what is between its lines is not base64
    the certificate in empty.pem cannot be used: it is no X.509 certificate
    there is no private key in cert.der: it should have a line `-----BEGIN PRIVATE KEY-----`, or the same with RSA or EC
    the key in badkey.pem cannot be used: failed to parse private key as RSA, ECDSA, or EdDSA; RSA of 2048 to 8192 bits, ECDSA on P-256 or P-384 and Ed25519 can
    there is no private key in locked.pem: the one it has is encrypted; `openssl pkey -in FILE` takes the password off
    the key in other.pem is not that of the first certificate in cert.pem; the server's own must come first, before its issuers
    cannot read nothing.pem: there is no such file
    there is no certificate in key.pem: it has a private key; are the two files the wrong way round?
    certificate 1 in empty.pem cannot be trusted: it is no X.509 certificate
    ");
    assert!(Acceptor::from_pem_files(&cert, &key).is_ok());
}
