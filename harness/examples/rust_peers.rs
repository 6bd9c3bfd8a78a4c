//! Starts the Rust servers that `tests/rust_peers.rs` grades, so that one can play a case against them by hand:
//! each line is a name and a URL. They end when the standard input does. Given the URL of `wsgrade listen`, it is the client
//! of those tests instead.

#[path = "../tests/common/clients.rs"]
mod clients;
#[path = "../tests/common/servers.rs"]
mod servers;

use std::io::Read as _;

use servers::Server;

fn main() -> std::io::Result<()> {
    if let Some(url) = std::env::args().nth(1) {
        clients::tungstenite(url.trim_end_matches('/'));
        return Ok(());
    }
    let servers = [
        ("tokio-tungstenite", Server::tungstenite()),
        ("fastwebsockets", Server::fastwebsockets()),
        ("tokio-websockets", Server::tokio_websockets()),
    ];
    for (name, server) in &servers {
        println!("{name} {}", server.url());
    }
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
