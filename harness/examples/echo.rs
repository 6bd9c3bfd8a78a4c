//! A small echo server to start with `wsgrade test --spawn`: `echo --port PORT [--exit-after CONNECTIONS]`.
//!
//! With `--exit-after` it says so and exits with status 7 as soon as so many connections came, in the middle of whatever goes
//! on: a server that dies.

use wsgrade_reference_server::{Config, serve_stream};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (mut port, mut exit_after) = (0, usize::MAX);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().unwrap_or_default();
        let wrong = || std::io::Error::other(format!("{name} {value}: not understood"));
        match name.as_str() {
            "--port" => port = value.parse().map_err(|_| wrong())?,
            "--exit-after" => exit_after = value.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    for number in 1.. {
        let (stream, peer) = listener.accept().await?;
        if number >= exit_after {
            eprintln!("fatal: out of everything");
            std::process::exit(7);
        }
        tokio::spawn(async move { serve_stream(stream, peer, &Config::default()).await });
    }
    Ok(())
}
