//! A client under test for `wsgrade listen --cert --key --spawn`: `tls_client URL AGENT CA HOW`, the loop of cases over TLS.
//!
//! HOW is what it does with TLS:
//!
//! ```text
//! verifying  trusts the certificates in the file CA for the address in URL, and nothing that fails
//! careless   trusts anything
//! falling    trusts as it should, and asks again without TLS where that fails
//! naming     asks for localhost wherever it is sent, in its hello as well, and does not look at the address
//! nameless   verifies the address and names no server in its hello, whose Host is a name all the same
//! elsewhere  verifies, and connects to nothing but the port of its first run, which it keeps in CA.port
//! ```

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use wsgrade::carrier::{Trust, tls};
use wsgrade_reference_server::client::{self, ClientConfig, Received, Url};

/// How long a handshake of TLS may take.
const PATIENCE: Duration = Duration::from_secs(5);

struct Client {
    /// Where we are told to go: `wss://127.0.0.1:PORT`.
    base: String,
    agent: String,
    trust: Trust,
    how: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<_> = std::env::args().skip(1).collect();
    let [base, agent, ca, how] = &args[..] else { return Err("tls_client URL AGENT CA HOW".into()) };
    if how == "elsewhere" {
        let port = format!("{ca}.port");
        match std::fs::read_to_string(&port) {
            Ok(_) => return Ok(()),
            Err(_) => std::fs::write(&port, base)?,
        }
    }
    let trust = match how.as_str() {
        "careless" => Trust::Anything,
        _ => Trust::Roots { extra: vec![tls::Roots::from_pem_file(Path::new(ca))?] },
    };
    let client = Client { base: base.clone(), agent: agent.clone(), trust, how: how.clone() };
    let count: usize = client.call("/getCaseCount").await?.unwrap_or_default().parse()?;
    for case in 1..=count {
        // A case may be about an opening handshake that a client has to fail.
        let _ = client.call(&format!("/runCase?case={case}&agent={}", client.agent)).await;
        client.call(&format!("/getCaseStatus?case={case}&agent={}", client.agent)).await?;
    }
    client.call(&format!("/updateReports?agent={}&shutdownOnComplete=true", client.agent)).await?;
    Ok(())
}

impl Client {
    /// Plays a call to its end; gives the last text that came.
    async fn call(&self, call: &str) -> Result<Option<String>, Box<dyn Error>> {
        let addr: SocketAddr = self.base.trim_start_matches("wss://").parse()?;
        let address = addr.ip().to_string();
        let name = if self.how == "naming" { "localhost" } else { &address };
        let host = if self.how.starts_with("nam") { "localhost" } else { &address };
        let url: Url = format!("wss://{host}:{}{call}", addr.port()).parse()?;
        let stream = TcpStream::connect(addr).await?;
        match tls::Connector::new(name, &self.trust)?.connect(stream, PATIENCE).await {
            Ok(stream) => play(stream, &url, call).await,
            Err(_) if self.how == "falling" => play(TcpStream::connect(addr).await?, &url, call).await,
            Err(error) => Err(error.into()),
        }
    }
}

async fn play<S>(stream: S, url: &Url, call: &str) -> Result<Option<String>, Box<dyn Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = client::open(stream, url, ClientConfig::default()).await?;
    if call.starts_with("/runCase") {
        connection.echo().await;
        return Ok(None);
    }
    let mut said = None;
    while let Some(received) = connection.recv().await {
        if let Received::Message(message) = received {
            said = message.as_text().map(str::to_owned);
        }
    }
    Ok(said)
}
