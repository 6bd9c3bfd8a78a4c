//! `reference-server`.

use std::{
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    process::ExitCode,
    time::Duration,
};

use clap::{ArgAction, Args, Parser};
use tracing::level_filters::LevelFilter;

use super::{FAILURE, USAGE, defects::DefectArgs, limits::LimitArgs, value};
use crate::{Config, ConnectionCaps, DeflateConfig, OriginPolicy, RateLimit, Server, Timeouts};

/// A strict WebSocket echo server
///
/// Sends every message back as it came, text as text and binary as binary, on any path. Whatever breaks RFC 6455 is
/// answered with the Close frame that the RFC asks for.
///
/// When it is ready it prints one line on standard output, `listening on ws://ADDRESS/`. Standard error is the log:
/// one line per connection, when it is over, with the reason.
///
/// SIGTERM or SIGINT (Ctrl-C) stops it gracefully: every connection gets Close 1001 and the time of --shutdown-grace to
/// end. A second signal ends the process at once, with exit code 1.
///
/// Exit codes: 0 stopped by a signal; 1 cannot listen; 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "reference-server", version, max_term_width = 100)]
struct Command {
    #[command(flatten)]
    server: ServerArgs,

    /// What goes into the log: off, error, warn, info (one line per connection) or debug
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: LevelFilter,

    #[command(flatten)]
    defects: DefectArgs,
}

/// The whole program: reads the command line of the process, serves until a signal.
#[must_use]
pub fn main() -> ExitCode {
    let command = Command::parse();
    if command.defects.are_given() {
        return deviate(&command);
    }
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_max_level(command.log)
        .with_target(false)
        .init();
    match serve(command.server.into_config()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(if error.kind() == io::ErrorKind::InvalidInput { USAGE } else { FAILURE })
        }
    }
}

#[cfg(not(feature = "defects"))]
fn deviate(_: &Command) -> ExitCode {
    eprintln!("error: {}", super::defects::absent("reference-server"));
    ExitCode::from(USAGE)
}

/// Serves with a defect, until the process is ended; of the other flags only the address counts.
#[cfg(feature = "defects")]
fn deviate(command: &Command) -> ExitCode {
    use super::defects::{list, named};

    if command.defects.list_defects {
        print!("{}", list(wsgrade_codec::Role::Server));
        return ExitCode::SUCCESS;
    }
    let name = command.defects.defect.as_deref().unwrap_or("none");
    let defect = match named(name, wsgrade_codec::Role::Server) {
        Ok(defect) => defect,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(USAGE);
        }
    };
    match serve_with(command.server.listen, defect) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(FAILURE)
        }
    }
}

#[cfg(feature = "defects")]
#[tokio::main]
async fn serve_with(address: SocketAddr, defect: Option<crate::deviant::Defect>) -> io::Result<()> {
    let signals = Signals::new()?;
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
    let mut out = io::stdout().lock();
    // As without a defect.
    let _ = writeln!(out, "listening on ws://{}/", listener.local_addr()?).and_then(|()| out.flush());
    drop(out);
    tokio::select! {
        served = crate::deviant::serve(listener, defect) => served,
        () = signals.stop() => Ok(()),
    }
}

#[tokio::main]
async fn serve(config: Config) -> io::Result<()> {
    // Before the line below: who reads it may send the signal at once.
    let signals = Signals::new()?;
    let address = config.addr;
    let server = Server::bind(config)
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
    let mut out = io::stdout().lock();
    // Who is not there to read the line does not need it.
    let _ = writeln!(out, "listening on ws://{}/", server.local_addr()).and_then(|()| out.flush());
    drop(out);
    server.run(signals.stop()).await;
    Ok(())
}

/// SIGINT, and SIGTERM where there is one.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Ready at the first signal. The second one ends the process.
    async fn stop(mut self) {
        self.next().await;
        tracing::info!("stopping; once more to stop at once");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(FAILURE.into());
        });
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // Without a way to be told to stop, go on.
            std::future::pending::<()>().await;
        }
    }
}

/// Everything a server can be told.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9001")]
    pub listen: SocketAddr,

    /// How many sockets accept connections on that port (SO_REUSEPORT)
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub acceptors: usize,

    /// Let the kernel collect small writes (do not set TCP_NODELAY)
    #[arg(long)]
    pub no_nodelay: bool,

    /// Allow only web pages of this origin, like `https://example.org`; may be given more than once. Others get 403
    #[arg(long = "origin", value_name = "ORIGIN", action = ArgAction::Append)]
    pub origins: Vec<String>,

    /// Refuse requests without an Origin header, that is, everything that is not a browser
    #[arg(long)]
    pub require_origin: bool,

    /// A subprotocol to agree to; may be given more than once, the preferred one first
    #[arg(long = "subprotocol", value_name = "NAME", action = ArgAction::Append)]
    pub subprotocols: Vec<String>,

    #[command(flatten)]
    deflate: DeflateArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    times: TimeArgs,

    /// How many bytes may wait to be sent on a connection before nothing more is read from it
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = value::size, help_heading = "Limits")]
    pub send_queue: usize,

    /// How many connections at a time; those above get 503
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Limits")]
    pub max_connections: usize,

    /// How many connections at a time from one address; those above get 503
    #[arg(long, value_name = "N", default_value_t = 1_000, help_heading = "Limits")]
    pub max_connections_per_address: usize,

    /// How many messages (and pings) a connection may send per second; Close 1008 above [default: no limit]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub rate: Option<u32>,

    /// How many of them may come in one go [default: as many as in a second]
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub burst: Option<u32>,
}

/// permessage-deflate, from the side of the server.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compression (permessage-deflate, RFC 7692)")]
struct DeflateArgs {
    /// Decline compression
    #[arg(long)]
    no_deflate: bool,

    /// The largest window of the server, as a power of two of bytes
    #[arg(long, value_name = "BITS", default_value_t = 15, value_parser = clap::value_parser!(u8).range(8..=15))]
    server_max_window_bits: u8,

    /// The largest window to ask of a client that can be asked
    #[arg(long, value_name = "BITS", default_value_t = 15, value_parser = clap::value_parser!(u8).range(8..=15))]
    client_max_window_bits: u8,

    /// Forget the window after each message sent
    #[arg(long)]
    server_no_context_takeover: bool,

    /// Ask clients to forget theirs
    #[arg(long)]
    client_no_context_takeover: bool,

    /// How hard to compress: 0 not at all, 1 fastest, 9 smallest
    #[arg(long, value_name = "LEVEL", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=9))]
    compression_level: u32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Times (like 500ms, 10s, 5m)")]
struct TimeArgs {
    /// For the opening handshake, from the first byte to the last; then 408
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    handshake_timeout: Duration,

    /// Without a message; then Close 1001. `off`: for ever
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = value::optional_duration)]
    idle_timeout: Opt,

    /// Without a byte from the peer; then a ping is sent. `off`: never
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = value::optional_duration)]
    ping_interval: Opt,

    /// For any byte after that ping; then the connection is given up
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = value::duration)]
    pong_timeout: Duration,

    /// Without progress in sending; then the connection is given up
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = value::duration)]
    write_timeout: Duration,

    /// For the peer's Close frame after ours; then TCP is ended without it
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::duration)]
    close_timeout: Duration,

    /// For the peer's end of TCP after ours
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = value::duration)]
    linger_timeout: Duration,

    /// For all connections to end after a signal to stop; then they are cut off
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::duration)]
    shutdown_grace: Duration,
}

/// clap takes a plain `Option` for an argument that may be missing.
type Opt = std::option::Option<Duration>;

impl ServerArgs {
    /// The configuration that these flags ask for.
    #[must_use]
    pub fn into_config(self) -> Config {
        let Self {
            listen,
            acceptors,
            no_nodelay,
            origins,
            require_origin,
            subprotocols,
            deflate,
            limits,
            times,
            send_queue,
            max_connections,
            max_connections_per_address,
            rate,
            burst,
        } = self;
        let TimeArgs {
            handshake_timeout,
            idle_timeout,
            ping_interval,
            pong_timeout,
            write_timeout,
            close_timeout,
            linger_timeout,
            shutdown_grace,
        } = times;
        let allowed = if origins.is_empty() { None } else { Some(origins) };
        Config {
            addr: listen,
            acceptors,
            nodelay: !no_nodelay,
            origins: OriginPolicy { allowed, allow_absent: !require_origin },
            subprotocols,
            deflate: deflate.into_config(),
            head_limits: limits.head(),
            limits: limits.messages(),
            timeouts: Timeouts {
                handshake: handshake_timeout,
                idle: idle_timeout,
                ping_interval,
                pong: pong_timeout,
                write: write_timeout,
                close: close_timeout,
                linger: linger_timeout,
            },
            send_queue,
            caps: ConnectionCaps { total: max_connections, per_address: max_connections_per_address },
            rate: rate.map(|per_second| RateLimit { per_second, burst: burst.unwrap_or(per_second) }),
            shutdown_grace,
            ..Config::default()
        }
    }
}

impl DeflateArgs {
    fn into_config(self) -> Option<DeflateConfig> {
        let Self {
            no_deflate,
            server_max_window_bits,
            client_max_window_bits,
            server_no_context_takeover,
            client_no_context_takeover,
            compression_level,
        } = self;
        (!no_deflate).then_some(DeflateConfig {
            server_max_window_bits,
            client_max_window_bits,
            server_no_context_takeover,
            client_no_context_takeover,
            level: compression_level,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn config(line: &str) -> Config {
        Command::try_parse_from(line.split_whitespace()).unwrap().server.into_config()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let expected = Config { addr: "127.0.0.1:9001".parse().unwrap(), ..Config::default() };
        assert_eq!(format!("{expected:?}"), format!("{:?}", config("x")));
    }

    #[test]
    fn flags_arrive() {
        let config = config(
            "x --listen [::1]:0 --acceptors 2 --no-nodelay --origin https://a --origin https://b --require-origin \
             --subprotocol p --no-deflate --max-frame-size 1k --max-message-size 2k --max-fragments 3 \
             --max-head-size 4k --max-headers 5 --handshake-timeout 6s --idle-timeout off --ping-interval 7s \
             --pong-timeout 8s --write-timeout 9s --close-timeout 10s --linger-timeout 11s --shutdown-grace 12s \
             --send-queue 13k --max-connections 14 --max-connections-per-address 15 --rate 16",
        );
        assert_eq!("[::1]:0", config.addr.to_string());
        assert_eq!((2, false), (config.acceptors, config.nodelay));
        let allowed = Some(vec!["https://a".to_owned(), "https://b".to_owned()]);
        assert_eq!(OriginPolicy { allowed, allow_absent: false }, config.origins);
        assert_eq!((vec!["p".to_owned()], None), (config.subprotocols, config.deflate));
        let limits = config.limits;
        assert_eq!(
            (1024, 2048, 2048, 3),
            (limits.max_frame, limits.max_message, limits.max_inflated, limits.max_fragments)
        );
        assert_eq!((4096, 5), (config.head_limits.max_bytes, config.head_limits.max_headers));
        let seconds = |n| Duration::from_secs(n);
        let timeouts = Timeouts {
            handshake: seconds(6),
            idle: None,
            ping_interval: Some(seconds(7)),
            pong: seconds(8),
            write: seconds(9),
            close: seconds(10),
            linger: seconds(11),
        };
        assert_eq!((timeouts, seconds(12)), (config.timeouts, config.shutdown_grace));
        assert_eq!(13 << 10, config.send_queue);
        assert_eq!(ConnectionCaps { total: 14, per_address: 15 }, config.caps);
        assert_eq!(Some(RateLimit { per_second: 16, burst: 16 }), config.rate);
    }

    #[test]
    fn compression_flags_arrive() {
        let deflate = config(
            "x --server-max-window-bits 9 --client-max-window-bits 10 --server-no-context-takeover \
             --client-no-context-takeover --compression-level 3",
        )
        .deflate
        .unwrap();
        let expected = DeflateConfig {
            server_max_window_bits: 9,
            client_max_window_bits: 10,
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            level: 3,
        };
        assert_eq!(expected, deflate);
    }
}
