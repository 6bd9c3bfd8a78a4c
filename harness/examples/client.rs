//! The loop of a test driver, on the reference client: `client URL AGENT [LAST]` plays the cases up to LAST, or all.

use wsgrade_reference_server::client::{ClientConfig, ConnectError, Connection, Received, connect};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(agent)) = (arguments.next(), arguments.next()) else {
        return Err("give the URL and the name of the agent".into());
    };
    let mut counting = open(&format!("{url}/getCaseCount")).await?;
    let mut count = 0;
    while let Some(received) = counting.recv().await {
        if let Received::Message(message) = received {
            count = message.as_text().unwrap_or_default().parse()?;
        }
    }
    let last = arguments.next().map_or(Ok(count), |last| last.parse())?;
    for number in 1..=last {
        open(&format!("{url}/runCase?case={number}&agent={agent}")).await?.echo().await;
    }
    open(&format!("{url}/updateReports?agent={agent}")).await?.echo().await;
    Ok(())
}

async fn open(url: &str) -> Result<Connection<tokio::net::TcpStream>, ConnectError> {
    connect(url, ClientConfig::default()).await
}
