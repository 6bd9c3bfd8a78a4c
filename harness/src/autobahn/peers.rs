//! The peers that the old tool has beside the fuzzing: echo and testee, as servers and as clients. They are the reference
//! server and the reference client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use wsgrade_reference_server::client::{ClientConfig, Received, Url, connect_to};
use wsgrade_reference_server::{Config, Server};

use super::address::{Side, resolve, to_listen_on};
use super::fuzz_client::printable;
use super::fuzz_server::start_web;
use super::web::Site;
use super::{Mode, Wish, front};
use crate::cli::{Exit, Failure, print};

/// Where an echo server listens, and an echo client connects, unless told otherwise.
pub(super) const URL: &str = "ws://127.0.0.1:9000";
/// Where a fuzzing server is, unless told otherwise.
const FUZZING_SERVER: &str = "ws://127.0.0.1:9001";
/// What we call ourselves.
const IDENT: &str = concat!("wsgrade/", env!("CARGO_PKG_VERSION"));
/// How long a fuzzing server may take for one case.
const CASE: Duration = Duration::from_secs(600);
/// A fuzzing server that says more is none; one that makes up its scenarios says a million.
const MAX_CASES: usize = 10_000_000;

/// echoserver and testeeserver: sends every message back until it is told to stop.
pub(super) async fn server(wish: &Wish) -> Result<Exit, Failure> {
    let page = (wish.mode == Mode::EchoServer).then_some("every message comes back");
    serve(wish, Config::default(), page).await
}

/// Serves with a configuration, and with a page for browsers that says what the server does.
pub(super) async fn serve(wish: &Wish, config: Config, page: Option<&str>) -> Result<Exit, Failure> {
    let url = resolve(wish.url.as_deref().unwrap_or(URL), Side::Listening(&wish.identity))?;
    let addr = to_listen_on(&url).await?;
    let tls = wish.identity.acceptor(&url)?;
    let debug = wish.debug;
    let config = Config {
        addr: if tls.is_some() { SocketAddr::from(([127, 0, 0, 1], 0)) } else { addr },
        server_name: Some(wish.ident.clone().unwrap_or_else(|| IDENT.to_owned())),
        on_end: Some(Arc::new(move |report| {
            if debug {
                eprintln!("{report}");
            }
        })),
        ..config
    };
    config.validate().map_err(|error| Failure::usage(format!("--ident: {error}")))?;
    let cannot = |error| Failure::inconclusive(format!("cannot listen on {addr}: {error}"));
    let server = Server::bind(config).map_err(cannot)?;
    let (listening, front) = match tls {
        Some(acceptor) => {
            let (addr, front) = front::serve(addr, acceptor, server.local_addr()).await.map_err(cannot)?;
            (format!("wss://{addr}/"), Some(tokio::spawn(front)))
        }
        None => (format!("ws://{}/", server.local_addr()), None),
    };
    let web = match page {
        Some(about) => start_web(wish.webport, addr, Site::Page(html(about, addr.port()))).await?,
        None => None,
    };
    print(&format!("listening on {listening}\n"));
    if let Some((web, _)) = &web {
        print(&format!("a page for browsers is on http://{web}/\n"));
    }
    server.run(told_to_stop()).await;
    for serving in web.map(|(_, serving)| serving).into_iter().chain(front) {
        serving.abort();
    }
    Ok(Exit::Success)
}

/// Ready at Ctrl-C and at SIGTERM.
pub(super) async fn told_to_stop() {
    let interrupted = async {
        // Where we cannot be told, whoever wants us to end ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

/// Ready at SIGTERM; never, where there is no such thing.
pub(super) async fn terminated() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            terminate.recv().await;
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// echoclient: connects, and sends back what comes until the connection is over.
pub(super) async fn echo_client(wish: &Wish) -> Result<Exit, Failure> {
    let url = resolve(wish.url.as_deref().unwrap_or(URL), Side::Connecting)?;
    let connection = connect_to(&url, config(ident(wish))).await.map_err(Failure::inconclusive)?;
    print(&format!("connected to {url}\n"));
    let outcome = tokio::select! {
        outcome = connection.echo() => outcome,
        () = told_to_stop() => return Ok(Exit::Success),
    };
    print(&format!("{}\n", printable(&outcome.to_string())));
    Ok(if outcome.is_clean() { Exit::Success } else { Exit::GateNotMet })
}

/// testeeclient: plays every case of a fuzzing server and asks for the report.
pub(super) async fn testee_client(wish: &Wish) -> Result<Exit, Failure> {
    let text = wish.url.as_deref().unwrap_or(FUZZING_SERVER);
    let base = resolve(text, Side::Connecting)?.to_string();
    let base = base.trim_end_matches('/');
    tokio::select! {
        played = play(base, ident(wish)) => played,
        () = told_to_stop() => Err(Failure::inconclusive("interrupted")),
    }
}

async fn play(base: &str, ident: &str) -> Result<Exit, Failure> {
    let agent = encode(ident);
    let count = ask(base, "/getCaseCount", ident).await?.unwrap_or_default();
    let count: usize = count.trim().parse().ok().filter(|count| *count <= MAX_CASES).ok_or_else(|| {
        let said: String = printable(&count).chars().take(80).collect();
        Failure::inconclusive(format!(
            "{base}/getCaseCount: {said:?} is no number of cases; is a fuzzing server there?"
        ))
    })?;
    print(&format!("playing {count} cases of {base} as {ident}\n"));
    for number in 1..=count {
        ask(base, &format!("/runCase?case={number}&agent={agent}"), ident).await?;
    }
    ask(base, &format!("/updateReports?agent={agent}"), ident).await?;
    print(&format!("played {count} cases\n"));
    Ok(Exit::Success)
}

/// Makes a call, sends back what comes, and gives the last text of it.
async fn ask(base: &str, call: &str, ident: &str) -> Result<Option<String>, Failure> {
    let failed = |reason: String| Failure::inconclusive(format!("{base}{call}: {reason}"));
    let url: Url = format!("{base}{call}").parse().map_err(|error| failed(format!("{error}")))?;
    let is_case = call.starts_with("/runCase");
    let mut connection = match connect_to(&url, config(ident)).await {
        Ok(connection) => connection,
        // A case may be about an opening handshake that a client has to fail.
        Err(_) if is_case => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let talk = async {
        let mut last = None;
        while let Some(received) = connection.recv().await {
            let Received::Message(message) = received else { continue };
            if is_case {
                // An error is the end of the connection, which `recv` tells next.
                let _ = connection.send(message).await;
            } else {
                last = message.as_text().map(str::to_owned);
            }
        }
        last
    };
    timeout(CASE, talk).await.map_err(|_| failed(format!("it did not end within {CASE:?}")))
}

fn ident(wish: &Wish) -> &str {
    wish.ident.as_deref().unwrap_or(IDENT)
}

fn config(ident: &str) -> ClientConfig {
    ClientConfig { headers: vec![("User-Agent".to_owned(), ident.to_owned())], ..ClientConfig::default() }
}

/// A name as a query holds it.
fn encode(name: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    name.bytes().map(byte).collect()
}

/// A page that speaks with the server on this port.
fn html(about: &str, port: u16) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>wsgrade: {about}</title>
<h1>{about}</h1>
<form><input id="text" autofocus> <button>Send</button></form>
<pre id="log"></pre>
<script>
const log = line => document.getElementById("log").append(line + "\n");
const socket = new WebSocket("ws://" + location.hostname + ":{port}/");
socket.onopen = () => log("open");
socket.onmessage = event => log("received: " + event.data);
socket.onclose = event => log("closed: " + event.code + " " + event.reason);
document.querySelector("form").onsubmit = event => {{
  event.preventDefault();
  socket.send(document.getElementById("text").value);
}};
</script>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_queries() {
        assert_eq!(encode("wsgrade/0.1 ä&b"), "wsgrade%2F0.1%20%C3%A4%26b");
        assert_eq!(encode("a-b._~Z9"), "a-b._~Z9");
    }

    #[test]
    fn the_page_speaks_with_the_right_port() {
        assert!(html("x", 9000).contains("location.hostname + \":9000/\""));
    }
}
