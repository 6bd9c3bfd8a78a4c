//! The opening handshake on the server's side (RFC 6455, section 4.2).
//!
//! ```text
//! bytes --RequestReader--> head --validate--> request --policy--> Opening (101)
//!           \ too large, no HTTP  \ 400 405 426           \ 403
//!            \ too slow: 408                               Refusal: status, one sentence, end of TCP
//! ```

use std::time::Duration;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::Instant,
};
use wsgrade_codec::{
    deflate::Params,
    handshake::{self, Agreement, RequestError, RequestHead, RequestReader},
};

use crate::{
    caps::Full,
    config::{Config, Timeouts},
    linger::end_tcp,
    phase::{Phase, Watch},
    report::{ConnectionEnd, Traffic},
};

/// A request that was accepted, and is not answered yet.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) subprotocol: Option<String>,
    pub(crate) deflate: Option<Params>,
    /// The bytes of the 101.
    pub(crate) response: Vec<u8>,
    /// What came behind the request: the first frames.
    pub(crate) leftover: BytesMut,
}

/// A request that is not accepted.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: u16,
    reason: String,
    response: Vec<u8>,
}

impl Refusal {
    fn new(status: u16, fields: &[(&str, &str)], reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { status, response: handshake::refuse(status, fields, &reason), reason }
    }

    /// Above a cap. "Retry-After" is a guess, and better than a client that tries again at once.
    pub(crate) fn full(full: Full) -> Self {
        let reason = match full {
            Full::Total => "too many connections",
            Full::Address => "too many connections from this address",
        };
        Self::new(503, &[("Retry-After", "1")], reason)
    }

    pub(crate) fn end(&self) -> ConnectionEnd {
        ConnectionEnd::Refused { status: self.status, reason: self.reason.clone() }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self { status: error.status(), reason: error.to_string(), response: error.response() }
    }
}

/// Why there is no [`Opening`].
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// To be told.
    Refused(Refusal),
    /// There is nobody left to be told.
    Gone(ConnectionEnd),
}

/// Reads and judges the request. Counts what was read in `received`, and notes the path as soon as it is known.
pub(crate) async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    config: &Config,
    watch: &mut Watch,
    received: &mut Traffic,
    path: &mut Option<String>,
) -> Result<Opening, NotOpened> {
    let deadline = Instant::now() + config.timeouts.handshake;
    let (head, leftover) = tokio::select! {
        biased;
        head = read_head(stream, config, received) => head?,
        () = tokio::time::sleep_until(deadline) => {
            let reason = format!("no complete request within {:?}", config.timeouts.handshake);
            return Err(NotOpened::Refused(Refusal::new(408, &[], reason)));
        }
        () = watch.reached(Phase::GoingAway) => {
            return Err(match watch.now() {
                Phase::Serving | Phase::GoingAway =>
                    NotOpened::Refused(Refusal::new(503, &[], "the server is shutting down")),
                Phase::CutOff => NotOpened::Gone(ConnectionEnd::Aborted),
            });
        }
    };
    *path = Some(head.target.clone());
    judge(&head, leftover, config).map_err(NotOpened::Refused)
}

/// The head, and the bytes behind it.
async fn read_head<S: AsyncRead + Unpin>(
    stream: &mut S,
    config: &Config,
    received: &mut Traffic,
) -> Result<(RequestHead, BytesMut), NotOpened> {
    let mut reader = RequestReader::new(config.head_limits);
    let mut buffer = vec![0; 4 << 10];
    let mut first = true;
    loop {
        let n = match stream.read(&mut buffer).await {
            Ok(0) => return Err(NotOpened::Gone(ConnectionEnd::NoRequest)),
            Ok(n) => n,
            Err(error) => return Err(NotOpened::Gone(ConnectionEnd::Failed { error: error.to_string() })),
        };
        received.bytes += n as u64;
        // A client that begins with TLS waits for an answer and sends no line break. It would wait for the 408.
        if std::mem::take(&mut first) && !matches!(buffer[0], b'\r' | b'\n' | b'!'..=b'~') {
            return Err(NotOpened::Refused(Refusal::new(
                400,
                &[],
                "this is not HTTP (and there is no TLS here)",
            )));
        }
        let head = reader
            .push(&buffer[..n])
            .map_err(|error| NotOpened::Refused(RequestError::from(error).into()))?;
        if let Some(head) = head {
            return Ok(head);
        }
    }
}

fn judge(head: &RequestHead, leftover: BytesMut, config: &Config) -> Result<Opening, Refusal> {
    let request = head.validate()?;
    refuse_body(head)?;
    check_origin(head, config)?;
    let subprotocol = config.subprotocols.iter().find(|name| request.subprotocols.contains(name)).cloned();
    let deflate = config.deflate.as_ref().and_then(|ours| ours.answer(&request.extensions));
    let (deflate, extension) = deflate.unzip();
    let extensions = extension.into_iter().collect();
    let headers = config.server_name.iter().map(|name| ("Server".to_owned(), name.clone())).collect();
    let agreement = Agreement { subprotocol: subprotocol.clone(), extensions, headers };
    // Cannot fail: the subprotocol and the name were checked by Config::validate, and the rest is ours.
    let response = request.accept(&agreement).map_err(|error| Refusal::new(500, &[], error.to_string()))?;
    Ok(Opening { subprotocol, deflate, response, leftover })
}

/// A request with a body: its bytes would be taken for frames by us and for a body by a proxy before us.
fn refuse_body(head: &RequestHead) -> Result<(), Refusal> {
    let announces_bytes = head.headers.all("Content-Length").any(|length| length != b"0");
    if announces_bytes || head.headers.get("Transfer-Encoding").is_some() {
        return Err(Refusal::new(400, &[], "a request for a WebSocket has no body"));
    }
    Ok(())
}

/// "If the server does not wish to accept this connection, it MUST return an appropriate HTTP error code (e.g., 403
/// Forbidden)" (RFC 6455, section 4.2.2, item 4). An origin that cannot be read is not an absent one.
fn check_origin(head: &RequestHead, config: &Config) -> Result<(), Refusal> {
    let mut origins = head.headers.all("Origin");
    let origin = origins.next();
    if origins.next().is_some() {
        return Err(Refusal::new(400, &[], "there is more than one Origin field"));
    }
    let shown = origin.map(String::from_utf8_lossy);
    if config.origins.allows(shown.as_deref()) {
        return Ok(());
    }
    let reason = match shown {
        Some(origin) => format!("the origin {origin:?} is not allowed"),
        None => "a request without an Origin field is not allowed".to_owned(),
    };
    Err(Refusal::new(403, &[], reason))
}

/// Sends a refusal and ends TCP. Gives how many bytes were sent and how many were discarded.
pub(crate) async fn refuse<S>(
    stream: &mut S,
    refusal: &Refusal,
    timeouts: &Timeouts,
    watch: &mut Watch,
) -> (u64, u64)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let sent = send(stream, &refusal.response, timeouts.write, watch).await.is_ok();
    if !sent {
        return (0, 0);
    }
    let discarded = end_tcp(stream, timeouts.linger, watch.reached(Phase::CutOff)).await;
    (refusal.response.len() as u64, discarded)
}

/// Writes all of a response within the time.
pub(crate) async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    response: &[u8],
    time: Duration,
    watch: &mut Watch,
) -> Result<(), ConnectionEnd> {
    let write = async {
        stream.write_all(response).await?;
        stream.flush().await
    };
    tokio::select! {
        biased;
        written = write => written.map_err(|error| ConnectionEnd::Failed { error: error.to_string() }),
        () = tokio::time::sleep(time) => Err(ConnectionEnd::WriteTimeout),
        () = watch.reached(Phase::CutOff) => Err(ConnectionEnd::Aborted),
    }
}
