//! Connecting, and the opening handshake on the client's side (RFC 6455, section 4.1).

use std::{io, time::Duration};

use bytes::BytesMut;
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use wsgrade_codec::{
    deflate::{self, InvalidResponse, Offer, Params},
    handshake::{ClientHello, InvalidField, ResponseError, ResponseReader},
};

use super::{Url, UrlError, config::ClientConfig, connection::Connection};
use crate::{
    config::{ConfigError, DeflateConfig},
    report::OneLine,
};

/// Why there is no connection.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address is not one.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A header cannot be sent.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// There is no randomness for the key and the masks.
    #[error("the system has no randomness: {0}")]
    Random(#[from] getrandom::Error),
    /// There is no TCP connection.
    #[error("cannot connect to {address}: {error}")]
    Tcp {
        /// Where to.
        address: String,
        /// The operating system's word on it.
        error: io::Error,
    },
    /// Reading or writing failed during the opening handshake.
    #[error("the connection failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
    /// The server ended TCP before its response was complete.
    #[error("the server ended the connection after {0} bytes of its response")]
    Ended(usize),
    /// The response was not complete in time.
    #[error("no complete response within {0:?}")]
    Timeout(Duration),
    /// The server does not want a WebSocket here.
    #[error("the server answered with status {status}{}", shown(.text))]
    Refused {
        /// The status of the response.
        status: u16,
        /// The beginning of its body.
        text: String,
    },
    /// The response breaks a rule.
    #[error("the response is wrong: {0}")]
    Response(#[from] ResponseError),
    /// The response agrees to compression which was not offered so.
    #[error("the response is wrong: {0}")]
    Deflate(#[from] InvalidResponse),
}

fn shown(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {}", OneLine(text)) }
}

/// Connects to a `ws://` address.
///
/// # Errors
///
/// See [`ConnectError`].
pub async fn connect(url: &str, config: ClientConfig) -> Result<Connection<TcpStream>, ConnectError> {
    connect_to(&url.parse()?, config).await
}

/// Connects to a parsed address.
///
/// # Errors
///
/// See [`ConnectError`].
pub async fn connect_to(url: &Url, config: ClientConfig) -> Result<Connection<TcpStream>, ConnectError> {
    if url.is_secure() {
        return Err(UrlError::Tls.into());
    }
    let tcp = TcpStream::connect((url.host(), url.port()));
    let connected = timeout(config.timeouts.connect, tcp).await.unwrap_or_else(|_| {
        let words = format!("no answer within {:?}", config.timeouts.connect);
        Err(io::Error::new(io::ErrorKind::TimedOut, words))
    });
    let stream = connected
        .map_err(|error| ConnectError::Tcp { address: format!("{}:{}", url.host(), url.port()), error })?;
    // Fails only if the connection is dead already, which writing will tell.
    let _ = stream.set_nodelay(true);
    open(stream, url, config).await
}

/// The opening handshake on any stream that leads to a server: to one at a `wss://` address, a stream of TLS.
///
/// # Errors
///
/// See [`ConnectError`].
pub async fn open<S>(mut stream: S, url: &Url, config: ClientConfig) -> Result<Connection<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    config.validate()?;
    let hello = hello(url, &config)?;
    let request = hello.encode()?;
    let deadline = Instant::now() + config.timeouts.handshake;
    let exchanged = timeout_at(deadline, exchange(&mut stream, &request, &hello, &config)).await;
    let answer = exchanged.map_err(|_| ConnectError::Timeout(config.timeouts.handshake))??;
    let Answer { subprotocol, deflate, leftover } = answer;
    Connection::new(stream, subprotocol, deflate, leftover, &config)
}

/// "the |Sec-WebSocket-Key| [...] MUST be a nonce consisting of a randomly selected 16-byte value" (section 4.1, item 7)
fn hello(url: &Url, config: &ClientConfig) -> Result<ClientHello, ConnectError> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)?;
    let mut hello = ClientHello::new(url.host_header(), url.resource(), nonce);
    hello.origin.clone_from(&config.origin);
    hello.subprotocols.clone_from(&config.subprotocols);
    hello.headers.clone_from(&config.headers);
    hello.extensions = config.deflate.iter().map(|deflate| deflate.offer().to_extension()).collect();
    Ok(hello)
}

/// What the server agreed to.
struct Answer {
    subprotocol: Option<String>,
    deflate: Option<Params>,
    /// What came behind the response: the first frames.
    leftover: BytesMut,
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
    hello: &ClientHello,
    config: &ClientConfig,
) -> Result<Answer, ConnectError> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut reader = ResponseReader::new(config.head_limits);
    let mut buffer = vec![0; 4 << 10];
    let (head, leftover) = loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Err(ConnectError::Ended(reader.buffered().len()));
        }
        if let Some(head) = reader.push(&buffer[..n]).map_err(ResponseError::from)? {
            break head;
        }
    };
    let agreed = match head.validate(hello) {
        Ok(agreed) => agreed,
        Err(ResponseError::Status(status)) => {
            let text = String::from_utf8_lossy(&leftover).trim().chars().take(200).collect();
            return Err(ConnectError::Refused { status, text });
        }
        Err(error) => return Err(error.into()),
    };
    let offers: Vec<Offer> = config.deflate.iter().map(DeflateConfig::offer).collect();
    let deflate = deflate::accept_response(&agreed.extensions, &offers)?;
    Ok(Answer { subprotocol: agreed.subprotocol, deflate, leftover })
}
