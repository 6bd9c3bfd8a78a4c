//! What a server can be told, and what it does when it is told nothing.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use thiserror::Error;
use wsgrade_codec::{
    deflate::{self, Offer, Params, Support, WindowBits},
    endpoint::{Limits, Message},
    handshake::{Extension, Limits as HeadLimits, is_token},
};

use crate::{broadcast::Broadcast, bucket::RateLimit, caps::ConnectionCaps, report::ConnectionReport};

/// Makes the answer to a message, if there shall be one. Runs inside the connection's task: it must not block.
pub type Handler = Arc<dyn Fn(Message) -> Option<Message> + Send + Sync>;

/// Is called once per connection, when it is over. Runs inside the connection's task: it must not block.
pub type OnEnd = Arc<dyn Fn(&ConnectionReport) + Send + Sync>;

/// The handler of an echo server: text comes back as text, binary as binary.
#[must_use]
pub fn echo() -> Handler {
    Arc::new(Some)
}

/// The configuration of a [`Server`](crate::Server).
///
/// [`Config::default`] is fit for the open network on one condition: that anybody may connect. No time, size or count
/// is without a limit but the message rate.
#[derive(Clone)]
pub struct Config {
    /// Where to listen. Port 0 is any free one. Default: 127.0.0.1:0.
    pub addr: SocketAddr,
    /// How many sockets listen on that address, each with a task of its own; more than one needs `SO_REUSEPORT`. At
    /// least 1. Default: 1.
    pub acceptors: usize,
    /// Whether small writes leave at once (`TCP_NODELAY`). Default: true.
    pub nodelay: bool,
    /// What to do with a message. Default: [`echo`].
    pub handler: Handler,
    /// Where every message goes to everybody instead of to [`handler`](Self::handler), or `None`. Default: `None`.
    pub broadcast: Option<Broadcast>,
    /// The `Server` header of the response. Default: none.
    pub server_name: Option<String>,
    /// Which web pages may connect. Default: all.
    pub origins: OriginPolicy,
    /// The subprotocols spoken, the preferred one first (RFC 6455, section 4.2.2). The first of them which the client
    /// offers is chosen; if it offers none of them, the connection has no subprotocol. Default: none.
    pub subprotocols: Vec<String>,
    /// permessage-deflate (RFC 7692), or `None` to decline every offer. Default: [`DeflateConfig::default`].
    pub deflate: Option<DeflateConfig>,
    /// How much of a request is read. Default: 16 KiB, 100 header fields; 431 above.
    pub head_limits: HeadLimits,
    /// The sizes accepted from the peer: frames, messages, fragments.
    pub limits: Limits,
    /// The times.
    pub timeouts: Timeouts,
    /// How many bytes may wait to be sent on one connection before nothing more is read from it. The most that waits
    /// is this and the answers to one message. Default: 1 MiB.
    pub send_queue: usize,
    /// How many connections. Default: 10 000, and 1 000 per address.
    pub caps: ConnectionCaps,
    /// How many messages per connection, or `None` for no limit. A ping counts as a message, because it asks for an
    /// answer as well. Default: `None`.
    pub rate: Option<RateLimit>,
    /// How long a shutdown waits for the connections to end. Default: 5 seconds.
    pub shutdown_grace: Duration,
    /// Is told how each connection went. Default: nobody, there is only the log line.
    pub on_end: Option<OnEnd>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            acceptors: 1,
            nodelay: true,
            handler: echo(),
            broadcast: None,
            server_name: None,
            origins: OriginPolicy::default(),
            subprotocols: Vec::new(),
            deflate: Some(DeflateConfig::default()),
            head_limits: HeadLimits::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            send_queue: 1 << 20,
            caps: ConnectionCaps::default(),
            rate: None,
            shutdown_grace: Duration::from_secs(5),
            on_end: None,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            addr,
            acceptors,
            nodelay,
            handler: _,
            broadcast,
            server_name,
            origins,
            subprotocols,
            deflate,
            head_limits,
            limits,
            timeouts,
            send_queue,
            caps,
            rate,
            shutdown_grace,
            on_end: _,
        } = self;
        f.debug_struct("Config")
            .field("addr", addr)
            .field("acceptors", acceptors)
            .field("nodelay", nodelay)
            .field("broadcast", broadcast)
            .field("server_name", server_name)
            .field("origins", origins)
            .field("subprotocols", subprotocols)
            .field("deflate", deflate)
            .field("head_limits", head_limits)
            .field("limits", limits)
            .field("timeouts", timeouts)
            .field("send_queue", send_queue)
            .field("caps", caps)
            .field("rate", rate)
            .field("shutdown_grace", shutdown_grace)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Looks for contradictions.
    ///
    /// # Errors
    ///
    /// The first one found.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.acceptors == 0 {
            return Err(ConfigError::NoAcceptor);
        }
        if self.rate.is_some_and(|rate| rate.per_second == 0 || rate.burst == 0) {
            return Err(ConfigError::RateOfNothing);
        }
        check_subprotocols(&self.subprotocols)?;
        if let Some(name) = self.server_name.as_ref().filter(|name| !is_field_value(name)) {
            return Err(ConfigError::ServerName(name.clone()));
        }
        if let Some(deflate) = &self.deflate {
            deflate.validate()?;
        }
        Ok(())
    }
}

/// Text that a header field can hold as it is.
fn is_field_value(text: &str) -> bool {
    text.trim() == text && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// Each a token, no two alike (RFC 6455, section 4.1, item 10).
pub(crate) fn check_subprotocols(names: &[String]) -> Result<(), ConfigError> {
    for (i, name) in names.iter().enumerate() {
        if !is_token(name) {
            return Err(ConfigError::SubprotocolNotAToken(name.clone()));
        }
        if names[..i].contains(name) {
            return Err(ConfigError::SubprotocolTwice(name.clone()));
        }
    }
    Ok(())
}

/// A configuration that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// [`Config::acceptors`] is 0.
    #[error("at least one acceptor is needed")]
    NoAcceptor,
    /// A field of [`RateLimit`] is 0.
    #[error("a rate limit needs at least one message per second and a burst of at least one message")]
    RateOfNothing,
    /// A subprotocol cannot be said in a header field.
    #[error("subprotocol {0:?} is not a token (letters, digits and !#$%&'*+-.^_`|~)")]
    SubprotocolNotAToken(String),
    /// A name of the server cannot be said in a header field.
    #[error("server name {0:?} has characters that a header field cannot hold")]
    ServerName(String),
    /// A subprotocol is listed twice.
    #[error("subprotocol {0:?} is listed twice")]
    SubprotocolTwice(String),
    /// A window of permessage-deflate is not 8 to 15 bits.
    #[error("a window of {0} bits: 8 to 15 exist")]
    WindowBits(u8),
    /// A level of compression is not 0 to 9.
    #[error("compression level {0}: 0 to 9 exist")]
    Level(u32),
}

/// Which web pages may open a connection (RFC 6455, section 10.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginPolicy {
    /// The origins allowed, like `https://example.org` or `http://localhost:8080`, compared without regard to the case
    /// of ASCII letters; `None` allows all. Default: `None`.
    pub allowed: Option<Vec<String>>,
    /// Whether a request without `Origin` is allowed. Browsers always send one, other clients need not. Default: true.
    pub allow_absent: bool,
}

impl Default for OriginPolicy {
    fn default() -> Self {
        Self { allowed: None, allow_absent: true }
    }
}

impl OriginPolicy {
    /// Whether a request with this `Origin` (or none) may go on.
    #[must_use]
    pub fn allows(&self, origin: Option<&str>) -> bool {
        match (origin, &self.allowed) {
            (None, _) => self.allow_absent,
            (Some(_), None) => true,
            (Some(origin), Some(allowed)) => allowed.iter().any(|one| one.eq_ignore_ascii_case(origin)),
        }
    }
}

/// permessage-deflate: what is agreed to, offered, and how hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateConfig {
    /// The largest window the server compresses with, as a power of two of bytes, 8 to 15 (RFC 7692, section 7.1.2.1).
    /// Default: 15.
    pub server_max_window_bits: u8,
    /// The largest window the client may compress with, 8 to 15 (section 7.1.2.2). A server can only ask for fewer than
    /// 15 if the client's offer allows it; if it does not, 15 are used. Default: 15.
    pub client_max_window_bits: u8,
    /// Whether the server forgets its window after each message: less memory, worse compression. Default: false.
    pub server_no_context_takeover: bool,
    /// Whether the client is asked to do so. Default: false.
    pub client_no_context_takeover: bool,
    /// How hard to compress, 0 (not at all) to 9. Default: 1, the fastest.
    pub level: u32,
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self {
            server_max_window_bits: 15,
            client_max_window_bits: 15,
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            level: 1,
        }
    }
}

impl DeflateConfig {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        window(self.server_max_window_bits)?;
        window(self.client_max_window_bits)?;
        if self.level > 9 {
            return Err(ConfigError::Level(self.level));
        }
        Ok(())
    }

    /// What a server answers to what a client offers.
    pub(crate) fn answer(&self, offered: &[Extension]) -> Option<(Params, Extension)> {
        let support = Support {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: window(self.server_max_window_bits).unwrap_or_default(),
            client_max_window_bits: window(self.client_max_window_bits).unwrap_or_default(),
        };
        deflate::negotiate(offered, &support)
    }

    /// What a client offers: nothing is asked of the server that is the default anyway.
    pub(crate) fn offer(&self) -> Offer {
        let limit = |bits| window(bits).ok().filter(|bits| *bits < WindowBits::MAX);
        Offer {
            server_no_context_takeover: self.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover,
            server_max_window_bits: limit(self.server_max_window_bits),
            client_max_window_bits: Some(limit(self.client_max_window_bits)),
        }
    }
}

fn window(bits: u8) -> Result<WindowBits, ConfigError> {
    WindowBits::new(bits).ok_or(ConfigError::WindowBits(bits))
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From accept to the last byte of the request, however it trickles; then 408. Default: 10 seconds.
    pub handshake: Duration,
    /// How long a connection may be without a complete message, while no answer is waiting to be taken; then Close 1001.
    /// Answering pings does not count. `None`: for ever. Default: 5 minutes.
    pub idle: Option<Duration>,
    /// After how long without a byte from the peer a ping is sent. `None`: never. Default: 20 seconds.
    pub ping_interval: Option<Duration>,
    /// How long after that ping the first byte from the peer may take, before the connection is given up. Any byte will
    /// do, because a peer in the middle of a large frame cannot answer yet. Default: 20 seconds.
    pub pong: Duration,
    /// How long sending may be without progress before the connection is given up. Default: 30 seconds.
    pub write: Duration,
    /// How long after our Close frame the peer's may take (RFC 6455, section 7.1.2). Default: 5 seconds.
    pub close: Duration,
    /// How long, after our end of TCP, the peer's may take. Default: 2 seconds.
    pub linger: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            idle: Some(Duration::from_secs(300)),
            ping_interval: Some(Duration::from_secs(20)),
            pong: Duration::from_secs(20),
            write: Duration::from_secs(30),
            close: Duration::from_secs(5),
            linger: Duration::from_secs(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_does_not_contradict_itself() {
        assert_eq!(Ok(()), Config::default().validate());
    }

    #[test]
    fn contradictions_are_found() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        let deflate = |change: fn(&mut DeflateConfig)| {
            let mut deflate = DeflateConfig::default();
            change(&mut deflate);
            Config { deflate: Some(deflate), ..Config::default() }.validate()
        };
        assert_eq!("at least one acceptor is needed", refused(|c| c.acceptors = 0));
        assert!(refused(|c| c.rate = Some(RateLimit { per_second: 0, burst: 1 })).contains("rate limit"));
        assert!(refused(|c| c.rate = Some(RateLimit { per_second: 1, burst: 0 })).contains("rate limit"));
        assert!(refused(|c| c.subprotocols = vec!["a b".into()]).contains("is not a token"));
        assert!(refused(|c| c.subprotocols = vec![String::new()]).contains("is not a token"));
        assert!(refused(|c| c.subprotocols = vec!["a".into(), "a".into()]).contains("twice"));
        assert!(refused(|c| c.server_name = Some("a\r\nb".into())).contains("header field"));
        assert_eq!(Err(ConfigError::WindowBits(7)), deflate(|d| d.server_max_window_bits = 7));
        assert_eq!(Err(ConfigError::WindowBits(16)), deflate(|d| d.client_max_window_bits = 16));
        assert_eq!(Ok(()), deflate(|d| d.client_max_window_bits = 8));
        assert_eq!(Err(ConfigError::Level(10)), deflate(|d| d.level = 10));
        assert_eq!(Ok(()), deflate(|d| d.level = 0));
    }

    #[test]
    fn origins() {
        let any = OriginPolicy::default();
        assert!(any.allows(None) && any.allows(Some("https://anywhere.example")));

        let one = OriginPolicy { allowed: Some(vec!["https://Example.org".into()]), allow_absent: true };
        assert!(one.allows(None) && one.allows(Some("https://example.org")));
        assert!(
            !one.allows(Some("http://example.org")) && !one.allows(Some("https://example.org.evil.example"))
        );
        assert!(!one.allows(Some("null")) && !one.allows(Some("")));

        let browsers = OriginPolicy { allow_absent: false, ..one };
        assert!(!browsers.allows(None) && browsers.allows(Some("https://example.org")));
    }
}
