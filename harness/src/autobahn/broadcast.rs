//! broadcastserver and broadcastclient.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use wsgrade_reference_server::client::{ClientConfig, Received, connect_to};
use wsgrade_reference_server::codec::Kind;
use wsgrade_reference_server::codec::close::CloseCode;
use wsgrade_reference_server::codec::endpoint::Message;
use wsgrade_reference_server::{Broadcast, Config, Timeouts};

use super::Wish;
use super::address::{Side, resolve};
use super::fuzz_client::printable;
use super::peers::{URL, serve, told_to_stop};
use crate::cli::{Exit, Failure, print};

/// Between two ticks of the server.
const TICK: Duration = Duration::from_secs(1);
/// Between two hellos of the client.
const HELLO: Duration = Duration::from_secs(2);
/// How much of a message is printed, in characters or bytes.
const SHOWN: usize = 256;

/// Sends what anybody sends to everybody, and a tick each second, until it is told to stop. Who reads too slowly is closed
/// with 1008.
pub(super) async fn server(wish: &Wish) -> Result<Exit, Failure> {
    let broadcast = Broadcast::default();
    let ticking = broadcast.clone();
    let ticks = tokio::spawn(async move {
        let mut clock = interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 1_u64.. {
            clock.tick().await;
            ticking.send(&Message::text(format!("tick {number}")));
        }
    });
    // Who only listens is not idle.
    let timeouts = Timeouts { idle: None, ..Timeouts::default() };
    let config = Config { broadcast: Some(broadcast), timeouts, ..Config::default() };
    let served = serve(wish, config, Some("every message goes to everybody")).await;
    ticks.abort();
    served
}

/// Says hello every two seconds and prints what comes, until either side ends it.
pub(super) async fn client(wish: &Wish) -> Result<Exit, Failure> {
    let url = resolve(wish.url.as_deref().unwrap_or(URL), Side::Connecting)?;
    let mut connection = connect_to(&url, ClientConfig::default()).await.map_err(Failure::inconclusive)?;
    print(&format!("connected to {url}\n"));
    let mut clock = interval(HELLO);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(told_to_stop());
    let mut number = 0_u64;
    let by_us = loop {
        tokio::select! {
            _ = clock.tick() => {
                number += 1;
                // An error is the end of the connection, which `recv` tells next.
                let _ = connection.send(Message::text(format!("hello #{number}"))).await;
            }
            received = connection.recv() => match received {
                Some(Received::Message(message)) => print(&format!("received: {}\n", shown(&message))),
                Some(Received::Ping(_) | Received::Pong(_)) => {}
                None => break false,
            },
            () = &mut stop => break true,
        }
    };
    let outcome = connection.close(CloseCode::NORMAL, "").await;
    print(&format!("{}\n", printable(&outcome.to_string())));
    Ok(if by_us || outcome.is_clean() { Exit::Success } else { Exit::GateNotMet })
}

/// A message on one line.
fn shown(message: &Message) -> String {
    match message.kind() {
        Kind::Text => {
            let text = message.as_text().unwrap_or_default();
            let mut shown = printable(&text.chars().take(SHOWN).collect::<String>());
            if text.chars().nth(SHOWN).is_some() {
                shown.push('…');
            }
            shown
        }
        Kind::Binary => {
            let bytes = message.payload();
            let hex: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
            if bytes.len() > SHOWN { hex + "…" } else { hex }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        let lines = [
            shown(&Message::text("hello #1")),
            shown(&Message::text("a\nb\u{1b}[2J")),
            shown(&Message::text("")),
            shown(&Message::binary(vec![0, 255])),
        ];
        assert_eq!(lines, ["hello #1", "a\u{fffd}b\u{fffd}[2J", "", "00ff"]);
        assert_eq!(shown(&Message::text("ä".repeat(SHOWN + 1))), "ä".repeat(SHOWN) + "…");
        assert_eq!(shown(&Message::binary(vec![1; SHOWN])), "01".repeat(SHOWN));
        assert_eq!(shown(&Message::binary(vec![1; SHOWN + 1])), "01".repeat(SHOWN) + "…");
    }
}
