//! What a client can be told.

use std::time::Duration;

use wsgrade_codec::{endpoint::Limits, handshake::Limits as HeadLimits};

use crate::config::{ConfigError, DeflateConfig, check_subprotocols};

/// The configuration of a client connection.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// The `Origin` header. Default: none.
    pub origin: Option<String>,
    /// The subprotocols to offer, the preferred one first. Default: none.
    pub subprotocols: Vec<String>,
    /// permessage-deflate to offer, or `None` for no offer. Default: [`DeflateConfig::default`], which offers
    /// `client_max_window_bits` and asks for nothing.
    pub deflate: Option<DeflateConfig>,
    /// More headers for the request, as they are.
    pub headers: Vec<(String, String)>,
    /// How much of a response is read.
    pub head_limits: HeadLimits,
    /// The sizes accepted from the server.
    pub limits: Limits,
    /// The times.
    pub timeouts: ClientTimeouts,
    /// How many bytes of messages may wait to be received while something is sent; above, nothing more is read. The
    /// most that waits is this and one message. Default: 16 MiB.
    pub receive_queue: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            origin: None,
            subprotocols: Vec::new(),
            deflate: Some(DeflateConfig::default()),
            headers: Vec::new(),
            head_limits: HeadLimits::default(),
            limits: Limits::default(),
            timeouts: ClientTimeouts::default(),
            receive_queue: 16 << 20,
        }
    }
}

impl ClientConfig {
    /// Looks for contradictions.
    ///
    /// # Errors
    ///
    /// The first one found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_subprotocols(&self.subprotocols)?;
        self.deflate.as_ref().map_or(Ok(()), DeflateConfig::validate)
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientTimeouts {
    /// For the TCP connection. Default: 10 seconds.
    pub connect: Duration,
    /// From the connection to the last byte of the response. Default: 10 seconds.
    pub handshake: Duration,
    /// How long sending may be without progress. Default: 30 seconds.
    pub write: Duration,
    /// How long after our Close frame the server's may take. Default: 5 seconds.
    pub close: Duration,
    /// How long after the closing handshake the server may take to end TCP: "the client SHOULD wait for the server to
    /// close the connection but MAY close the connection at any time after receiving and sending a Close message, e.g.,
    /// if it has not received a TCP Close from the server in a reasonable time period" (RFC 6455, section 5.5.1).
    /// Default: 2 seconds.
    pub end: Duration,
}

impl Default for ClientTimeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(30),
            close: Duration::from_secs(5),
            end: Duration::from_secs(2),
        }
    }
}
