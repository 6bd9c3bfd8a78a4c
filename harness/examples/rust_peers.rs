//! Starts the Rust servers that `tests/rust_peers.rs` grades, so that one can play a case against them by hand:
//! each line is a name and a URL. They end when the standard input does. Given the URL of `wsgrade listen`, it is the client
//! of those tests instead; given a name and a port, it is that server alone, for `wsgrade --spawn`, until it is ended.

#[path = "../tests/common/clients.rs"]
mod clients;
#[path = "../tests/common/servers.rs"]
mod servers;

use std::io::Read as _;

use servers::{ANY_PORT, Server};

/// Starts a server on a port.
type Start = fn(u16) -> Server;

/// The servers by their names.
const SERVERS: [(&str, Start); 3] = [
    ("tokio-tungstenite", Server::tungstenite),
    ("fastwebsockets", Server::fastwebsockets),
    ("tokio-websockets", Server::tokio_websockets),
];

fn main() -> std::io::Result<()> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match &args[..] {
        [] => all(),
        [url] => {
            clients::tungstenite(url.trim_end_matches('/'));
            Ok(())
        }
        [name, port] => one(name, port),
        [..] => Err(std::io::Error::other(USAGE)),
    }
}

const USAGE: &str = "no argument, the URL of `wsgrade listen`, or a name and a port";

fn all() -> std::io::Result<()> {
    let servers = SERVERS.map(|(name, start)| (name, start(ANY_PORT)));
    for (name, server) in &servers {
        println!("{name} {}", server.url());
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn one(name: &str, port: &str) -> std::io::Result<()> {
    let port = port.parse().map_err(|_| std::io::Error::other(format!("`{port}` is no port; {USAGE}")))?;
    let Some((_, start)) = SERVERS.iter().find(|(known, _)| *known == name) else {
        let known = SERVERS.map(|(known, _)| known).join(", ");
        return Err(std::io::Error::other(format!("no server is called `{name}`; there are {known}")));
    };
    let server = start(port);
    println!("{}", server.url());
    loop {
        std::thread::park();
    }
}
