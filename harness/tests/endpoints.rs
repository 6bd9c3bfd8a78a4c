//! Endpoints that are no echo, as a user grades them: what the binary prints and how it exits.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output};

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A server on tokio-tungstenite, which serves for as long as its runtime is there.
fn serve<F>(connection: impl Fn(TcpStream) -> F + Send + 'static) -> (Runtime, SocketAddr)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runtime = Runtime::new().expect("a runtime can be built");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("loopback has a free port");
    let addr = listener.local_addr().expect("a bound listener has an address");
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream));
        }
    });
    (runtime, addr)
}

/// Reads, and sends nothing of its own.
async fn reads(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(_)) = socket.next().await {}
}

/// Sends back what it reads once it has read the password.
async fn asks_for_a_password(stream: TcpStream) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    let mut known = false;
    while let Some(Ok(message)) = socket.next().await {
        if !message.is_text() && !message.is_binary() {
            continue;
        }
        if !known && message != Message::text("sesame") {
            let refusal = CloseFrame { code: CloseCode::Policy, reason: "".into() };
            let _ = socket.close(Some(refusal)).await;
            continue;
        }
        let answer = if known { message } else { Message::text("token 4711") };
        known = true;
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

fn wsgrade(addr: SocketAddr, out: &Path, args: &[&str]) -> Output {
    run("test", addr, out, args)
}

fn run(mode: &str, addr: SocketAddr, out: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsgrade"));
    command.arg(mode).arg(format!("ws://{addr}/")).arg("--out").arg(out).args(args);
    command.env("NO_COLOR", "1").output().expect("the binary of this package starts")
}

/// The first lines, without what differs from run to run.
fn head(output: &Output, addr: SocketAddr, lines: usize) -> String {
    let text = String::from_utf8(output.stdout.clone()).expect("UTF-8").replace(&addr.to_string(), "ADDR");
    // The first line has the catalogue's digest and the time; how large a message is cheap depends on the machine.
    let lines = text.lines().filter(|line| !line.starts_with("  rules: ")).skip(2).take(lines);
    lines.map(|line| line.split("; takes messages").next().unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_server_that_only_reads_is_graded_without_an_echo() {
    let (_runtime, addr) = serve(reads);
    let dir = tempfile::tempdir().unwrap();
    let output =
        wsgrade(addr, dir.path(), &["-c", "1.*", "-c", "2.2", "-c", "5.3", "-c", "9.7.1", "-c", "12.1.1"]);
    insta::assert_snapshot!(head(&output, addr, 9), @"
    ws://ADDR/
    server under test at ws://ADDR/
    answers no message

      Grade A+ · nothing broken in 18 cases
      18 cases were judged without an echo, 2 could not be played
      pass 18 · unimplemented 2

      unimplemented: not counted (2)
    ");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let junit = std::fs::read_to_string(dir.path().join("junit.xml")).unwrap();
    assert!(junit.contains("name=\"facts\" value=\"answers no message"), "{junit}");
    assert!(junit.contains("adapted: The target does not send text back"), "{junit}");
    let page = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
    assert!(page.contains("answers no message"), "the page says what was found");
    assert!(page.contains("judged without an echo"), "the page says what it came to");
}

#[test]
fn a_server_that_wants_a_password_is_graded_after_a_prelude() {
    let (_runtime, addr) = serve(asks_for_a_password);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("login.toml");
    let path = file.to_str().unwrap();
    let args = ["-c", "1.1.*", "-c", "2.2", "-c", "5.3", "--prelude", path];

    std::fs::write(&file, "steps = [{ send = \"text\", text = \"sesame\" }, { await = \"any\" }]").unwrap();
    let output = wsgrade(addr, dir.path(), &args);
    insta::assert_snapshot!(head(&output, addr, 6), @"
    ws://ADDR/
    server under test at ws://ADDR/
    echoes text and binary

      Grade A+ · nothing broken in 10 cases
      pass 10
    ");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = std::fs::read_to_string(dir.path().join("run.json")).unwrap();
    assert!(record.contains(&format!("--prelude {path}")), "the command that repeats a case has it");

    // So is what nobody wrote. tungstenite takes lengths that are longer than they have to be, which is non-strict.
    let fuzz = ["--prelude", path, "--runs", "2000", "--no-openings", "--seed", "1"];
    let output = run("fuzz", addr, dir.path(), &fuzz);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let record = std::fs::read_to_string(dir.path().join("run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["options"]["prelude"].as_array().unwrap().len(), 2);
    assert_eq!(record["targets"][0]["facts"]["text"], "echo");
    let findings = record["fuzz"]["findings"].as_array().unwrap();
    assert!(!findings.is_empty(), "{record}");
    for finding in findings {
        assert!(finding["replay"].as_str().unwrap().contains(&format!("--prelude {path}")), "{finding}");
    }

    std::fs::write(&file, "steps = [{ send = \"text\", text = \"please\" }, { await = \"any\" }]").unwrap();
    let output = wsgrade(addr, dir.path(), &args);
    let said = stderr(&output).replace(&addr.to_string(), "ADDR");
    insta::assert_snapshot!(said, @"wsgrade: ws://ADDR/: the prelude failed at its step 2: the server closed the connection with 1008");
    assert_eq!(output.status.code(), Some(3));

    std::fs::write(&file, "steps = [{ send = \"text\", text = \"sesame\" }, { await = \"eny\" }]").unwrap();
    let output = wsgrade(addr, dir.path(), &args);
    insta::assert_snapshot!(stderr(&output).replace(path, "login.toml"), @r#"wsgrade: login.toml:1:56: `await` is "eny", expected `text`, `binary`, `pong`, `open`, `any` or `close`"#);
    assert_eq!(output.status.code(), Some(2));

    std::fs::remove_file(&file).unwrap();
    let output = wsgrade(addr, dir.path(), &args);
    insta::assert_snapshot!(stderr(&output).replace(path, "login.toml"), @"wsgrade: cannot read the prelude from login.toml: No such file or directory (os error 2)");
    assert_eq!(output.status.code(), Some(2));

    let output = wsgrade(addr, dir.path(), &args[..6]);
    let said = stderr(&output).replace(&addr.to_string(), "ADDR");
    assert!(
        said.contains("note: ws://ADDR/: it ends the connection at any message; if it wants a login"),
        "{said}"
    );
    insta::assert_snapshot!(head(&output, addr, 10), @"
    ws://ADDR/
    server under test at ws://ADDR/
    ends the connection at messages

      Grade A+ · nothing broken in 1 case
      1 case was judged without an echo, 9 could not be played
      pass 1 · unimplemented 9

      unimplemented: not counted (9)
        9 cases, 1.1.1 to 5.3: the target ends the connection at any text message; the case was not played
    ");
}
