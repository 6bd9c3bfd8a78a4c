//! An echo server on tokio-tungstenite: `echo PORT`.
//!
//! With SEED_DEFECT in its environment it has a mistake, to see the gate close: it takes a message without a payload for no
//! message.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(9001);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let defect = std::env::var_os("SEED_DEFECT").is_some();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(serve(stream, defect));
    }
}

/// Sends every message back, until the other side closes or breaks a rule.
async fn serve(stream: TcpStream, defect: bool) {
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    while let Some(Ok(message)) = socket.next().await {
        let said = matches!(message, Message::Text(_) | Message::Binary(_));
        let passed_over = defect && message.is_empty();
        if said && !passed_over && socket.send(message).await.is_err() {
            return;
        }
    }
}
