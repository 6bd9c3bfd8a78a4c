//! `reference-client`.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use bytes::Bytes;
use clap::{ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader},
    time::timeout,
};
use wsgrade_codec::{
    Kind,
    close::{CloseCode, MAX_REASON_BYTES},
    deflate::{Offer, Params, WindowBits},
    endpoint::Message,
};

use super::{FAILURE, defects::DefectArgs, limits::LimitArgs, value};
use crate::{
    DeflateConfig,
    client::{self, ClientConfig, ClientTimeouts, Connection, Outcome, Received, Url, UrlError},
};

/// A strict WebSocket client
///
/// Connects, says what it is told to, and prints on standard output what it sees: one line for the opening, one for
/// each message, ping and pong, one for the end. Whatever the server does against RFC 6455 fails the connection with
/// the Close frame that the RFC asks for.
///
/// Without --send, --binary, --ping or --echo, each line of standard input is sent as a text message. When everything
/// is sent, it waits for as many messages and pongs as it sent messages and pings (see --expect), then closes.
///
/// Exit codes: 0 the connection was closed cleanly; 1 it was not, or could not be opened, or the server closed it
/// because of an error (a code other than 1000, 1001 and those from 3000 on), or what was expected did not come; 2 the
/// command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "reference-client", version, max_term_width = 100)]
struct Command {
    /// Where to connect to: ws://host[:port][/path][?query]
    #[arg(value_parser = plain, required_unless_present = "list_defects")]
    url: Option<Url>,

    /// Send a text message; may be given more than once. The order of --send, --binary and --ping is kept
    #[arg(long, value_name = "TEXT", action = ArgAction::Append)]
    send: Vec<String>,

    /// Send a binary message, written in hexadecimal digits
    #[arg(long, value_name = "HEX", action = ArgAction::Append, value_parser = hex_bytes)]
    binary: Vec<Bytes>,

    /// Send a ping, with this text in it
    #[arg(long, value_name = "TEXT", action = ArgAction::Append, num_args = 0..=1, require_equals = true,
          default_missing_value = "", value_parser = ping_body)]
    ping: Vec<Bytes>,

    /// Send every message back, until the server closes
    #[arg(long, conflicts_with_all = ["send", "binary", "ping", "expect"])]
    echo: bool,

    /// For how many messages and pongs to wait before closing [default: as many as there were messages and pings sent]
    #[arg(long, value_name = "N")]
    expect: Option<u64>,

    /// How long to wait for each of them
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    timeout: Duration,

    /// The code to close with; 0 for a Close frame without one
    #[arg(long, value_name = "CODE", default_value = "1000", value_parser = close_code)]
    close_code: u16,

    /// The reason to close with
    #[arg(long, value_name = "TEXT", default_value = "", value_parser = close_reason)]
    close_reason: String,

    /// How many bytes of a message to print
    #[arg(long, value_name = "SIZE", default_value = "256", value_parser = value::size)]
    show: usize,

    #[command(flatten)]
    opening: OpeningArgs,

    #[command(flatten)]
    limits: LimitArgs,

    #[command(flatten)]
    times: TimeArgs,

    /// With a defect, the cases of `wsgrade listen` at the URL are played instead.
    #[command(flatten)]
    defects: DefectArgs,

    /// By which name to play cases
    #[arg(long, value_name = "NAME", default_value = "reference-client", requires = "defect", value_parser = agent,
          help_heading = "Defects (for test suites to be proved on; feature `defects`)")]
    agent: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Opening")]
struct OpeningArgs {
    /// The Origin header
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,

    /// A subprotocol to offer; may be given more than once, the preferred one first
    #[arg(long = "subprotocol", value_name = "NAME", action = ArgAction::Append)]
    subprotocols: Vec<String>,

    /// A header to send, as `Name: value`; may be given more than once
    #[arg(long = "header", value_name = "HEADER", action = ArgAction::Append, value_parser = header)]
    headers: Vec<(String, String)>,

    /// Do not offer compression (permessage-deflate, RFC 7692)
    #[arg(long)]
    no_deflate: bool,

    /// The largest window of the server to offer, as a power of two of bytes
    #[arg(long, value_name = "BITS", default_value_t = 15, value_parser = clap::value_parser!(u8).range(8..=15))]
    server_max_window_bits: u8,

    /// The largest window of the client to offer
    #[arg(long, value_name = "BITS", default_value_t = 15, value_parser = clap::value_parser!(u8).range(8..=15))]
    client_max_window_bits: u8,

    /// Ask the server to forget its window after each message
    #[arg(long)]
    server_no_context_takeover: bool,

    /// Forget the window after each message sent
    #[arg(long)]
    client_no_context_takeover: bool,

    /// How hard to compress: 0 not at all, 1 fastest, 9 smallest
    #[arg(long, value_name = "LEVEL", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=9))]
    compression_level: u32,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Times (like 500ms, 10s, 5m)")]
struct TimeArgs {
    /// For the TCP connection
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    connect_timeout: Duration,

    /// For the opening handshake
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    handshake_timeout: Duration,

    /// Without progress in sending
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = value::duration)]
    write_timeout: Duration,

    /// For the server's Close frame after ours
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = value::duration)]
    close_timeout: Duration,

    /// For the server's end of TCP after the closing handshake
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = value::duration)]
    end_timeout: Duration,
}

fn hex_bytes(text: &str) -> Result<Bytes, String> {
    value::hex(text).map(Bytes::from)
}

fn ping_body(text: &str) -> Result<Bytes, String> {
    if text.len() > 125 {
        return Err(format!("a ping holds 125 bytes, not {}", text.len()));
    }
    Ok(Bytes::copy_from_slice(text.as_bytes()))
}

fn close_code(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(code) if code == 0 || CloseCode::new(code).is_valid_on_wire() => Ok(code),
        _ => Err(format!(
            "{text:?} is not a code that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999, or 0"
        )),
    }
}

fn close_reason(text: &str) -> Result<String, String> {
    if text.len() > MAX_REASON_BYTES {
        return Err(format!("a reason has at most {MAX_REASON_BYTES} bytes, not {}", text.len()));
    }
    Ok(text.to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.trim().to_owned())),
        _ => Err(format!("{text:?} is not of the form `Name: value`")),
    }
}

/// Something to send.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Say {
    Message(Message),
    Ping(Bytes),
}

impl Command {
    fn config(&self) -> ClientConfig {
        let OpeningArgs {
            origin,
            subprotocols,
            headers,
            no_deflate,
            server_max_window_bits,
            client_max_window_bits,
            server_no_context_takeover,
            client_no_context_takeover,
            compression_level,
        } = &self.opening;
        let TimeArgs { connect_timeout, handshake_timeout, write_timeout, close_timeout, end_timeout } =
            self.times;
        ClientConfig {
            origin: origin.clone(),
            subprotocols: subprotocols.clone(),
            headers: headers.clone(),
            deflate: (!no_deflate).then_some(DeflateConfig {
                server_max_window_bits: *server_max_window_bits,
                client_max_window_bits: *client_max_window_bits,
                server_no_context_takeover: *server_no_context_takeover,
                client_no_context_takeover: *client_no_context_takeover,
                level: *compression_level,
            }),
            head_limits: self.limits.head(),
            limits: self.limits.messages(),
            timeouts: ClientTimeouts {
                connect: connect_timeout,
                handshake: handshake_timeout,
                write: write_timeout,
                close: close_timeout,
                end: end_timeout,
            },
            ..ClientConfig::default()
        }
    }

    /// What to send, in the order of the command line. clap sorts by flag; the indices know better.
    fn says(&self, matches: &ArgMatches) -> Vec<Say> {
        let at = |flag| matches.indices_of(flag).into_iter().flatten();
        let mut says: Vec<(usize, Say)> = Vec::new();
        says.extend(at("send").zip(self.send.iter().map(|text| Say::Message(Message::text(text.as_str())))));
        says.extend(
            at("binary").zip(self.binary.iter().map(|bytes| Say::Message(Message::binary(bytes.clone())))),
        );
        says.extend(at("ping").zip(self.ping.iter().cloned().map(Say::Ping)));
        says.sort_by_key(|(index, _)| *index);
        says.into_iter().map(|(_, say)| say).collect()
    }
}

/// The whole program: reads the command line of the process, connects, talks.
#[must_use]
pub fn main() -> ExitCode {
    let matches = Command::command().get_matches();
    let command = Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if command.defects.are_given() {
        return deviate(&command);
    }
    let Some(url) = command.url.clone() else { return fail("there is no URL") };
    let says = command.says(&matches);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let done = runtime.block_on(run(&command, &url, says));
    // Not dropped: that would wait for a read of standard input which may never end.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[cfg(not(feature = "defects"))]
fn deviate(_: &Command) -> ExitCode {
    eprintln!("error: {}", super::defects::absent("reference-client"));
    ExitCode::from(super::USAGE)
}

/// Plays all cases with a defect.
#[cfg(feature = "defects")]
fn deviate(command: &Command) -> ExitCode {
    use super::defects::{list, named};

    let role = wsgrade_codec::Role::Client;
    let Some(url) = command.url.as_ref().filter(|_| !command.defects.list_defects) else {
        print!("{}", list(role));
        return ExitCode::SUCCESS;
    };
    let defect = match named(command.defects.defect.as_deref().unwrap_or("none"), role) {
        Ok(defect) => defect,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(super::USAGE);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    match runtime.block_on(crate::deviant::play_cases(url, &command.agent, defect)) {
        Ok(cases) => match print(&format!("{cases} cases played")) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        },
        Err(error) => fail(&error),
    }
}

/// A name that can stand in a URL as it is.
fn agent(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not made of letters, digits and -._~"))
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(FAILURE)
}

async fn run(command: &Command, url: &Url, says: Vec<Say>) -> Result<(), String> {
    let connection = client::connect_to(url, command.config()).await.map_err(|error| error.to_string())?;
    let mut talk = Talk { connection, show: command.show, asked: 0, seen: 0 };
    print(&opened(url, &talk.connection))?;
    let talked = async {
        if command.echo {
            return talk.echo().await;
        }
        if says.is_empty() {
            talk.standard_input().await?;
        }
        for say in says {
            talk.say(say).await?;
        }
        talk.await_answers(command.expect, command.timeout).await
    };
    let ended = tokio::select! {
        ended = talked => ended,
        _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
    };
    let code = if ended.is_err() { CloseCode::GOING_AWAY } else { CloseCode::new(command.close_code) };
    let outcome = if code.value() == 0 {
        talk.connection.close_without_code().await
    } else {
        talk.connection.close(code, &command.close_reason).await
    };
    print(&outcome.to_string())?;
    ended?;
    if is_success(&outcome) {
        Ok(())
    } else {
        Err("the connection was not closed cleanly, or because of an error".into())
    }
}

/// See the help text.
fn is_success(outcome: &Outcome) -> bool {
    let code = outcome.received.as_ref().and_then(|frame| frame.code).map(CloseCode::value);
    outcome.is_clean() && (outcome.begun_by_us() || matches!(code, None | Some(1000 | 1001 | 3000..)))
}

/// A connection, and what is awaited on it.
struct Talk<S> {
    connection: Connection<S>,
    /// How many bytes of a message are printed.
    show: usize,
    /// How many messages and pings were sent.
    asked: u64,
    /// How many messages and pongs came.
    seen: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn say(&mut self, say: Say) -> Result<(), String> {
        self.asked += 1;
        // An error means that the connection is over; its end says why, and is printed.
        let _ = match say {
            Say::Message(message) => self.connection.send(message).await,
            Say::Ping(body) => self.connection.ping(body).await,
        };
        Ok(())
    }

    /// The next thing that came, printed; false when the connection is over.
    async fn see(&mut self) -> Result<Option<Received>, String> {
        let Some(received) = self.connection.recv().await else { return Ok(None) };
        match &received {
            Received::Message(_) | Received::Pong(_) => self.seen += 1,
            Received::Ping(_) => {}
        }
        print(&shown(&received, self.show))?;
        Ok(Some(received))
    }

    async fn echo(&mut self) -> Result<(), String> {
        while let Some(received) = self.see().await? {
            if let Received::Message(message) = received {
                // See `say`.
                let _ = self.connection.send(message).await;
            }
        }
        Ok(())
    }

    async fn standard_input(&mut self) -> Result<(), String> {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        loop {
            tokio::select! {
                seen = self.see() => if seen?.is_none() { return Ok(()) },
                line = lines.next_line() => match line {
                    Ok(Some(line)) => self.say(Say::Message(Message::text(line))).await?,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(format!("cannot read standard input: {error}")),
                },
            }
        }
    }

    /// `expect`: how many in all, if not as many as were asked for.
    async fn await_answers(&mut self, expect: Option<u64>, patience: Duration) -> Result<(), String> {
        let expect = expect.unwrap_or(self.asked);
        while self.seen < expect {
            let missing = expect - self.seen;
            match timeout(patience, self.see()).await {
                Ok(seen) => {
                    if seen?.is_none() {
                        return Err(format!("the connection ended and {missing} more were expected"));
                    }
                }
                Err(_) => {
                    return Err(format!("nothing came within {patience:?} and {missing} more were expected"));
                }
            }
        }
        Ok(())
    }
}

/// One line on standard output. An error ends the program: nobody is there to read on.
fn print(line: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| format!("cannot print: {error}"))
}

/// An address that [`client::connect_to`] takes.
fn plain(text: &str) -> Result<Url, UrlError> {
    let url: Url = text.parse()?;
    if url.is_secure() { Err(UrlError::Tls) } else { Ok(url) }
}

fn opened<S: AsyncRead + AsyncWrite + Unpin>(url: &Url, connection: &Connection<S>) -> String {
    let subprotocol = connection.subprotocol().map(|name| format!(" subprotocol={name}")).unwrap_or_default();
    let deflate = connection.deflate().map(|params| format!(" {}", deflated(params))).unwrap_or_default();
    format!("open {url}{subprotocol}{deflate}")
}

/// The agreed parameters, the way the headers write them.
fn deflated(params: Params) -> String {
    let bits = |bits: WindowBits| (bits < WindowBits::MAX).then_some(bits);
    let Params {
        server_no_context_takeover,
        client_no_context_takeover,
        server_max_window_bits,
        client_max_window_bits,
    } = params;
    let offer = Offer {
        server_no_context_takeover,
        client_no_context_takeover,
        server_max_window_bits: bits(server_max_window_bits),
        client_max_window_bits: bits(client_max_window_bits).map(Some),
    };
    offer.to_extension().to_string()
}

/// A line for what came: what it is, its size in bytes, and the first bytes of it.
fn shown(received: &Received, show: usize) -> String {
    match received {
        Received::Message(message) => {
            let payload = message.payload();
            let (head, rest) = payload.split_at(payload.len().min(show));
            let cut = if rest.is_empty() { "" } else { "…" };
            match message.kind() {
                Kind::Text => {
                    // A character that was cut in two at the end is left out.
                    let text = String::from_utf8_lossy(head);
                    let text = if rest.is_empty() { &text } else { text.trim_end_matches('\u{fffd}') };
                    format!("text {} {text:?}{cut}", payload.len())
                }
                Kind::Binary => format!("binary {} {}{cut}", payload.len(), hex(head)),
            }
        }
        Received::Ping(body) => format!("ping {} \"{}\"", body.len(), body.escape_ascii()),
        Received::Pong(body) => format!("pong {} \"{}\"", body.len(), body.escape_ascii()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<(Command, Vec<Say>), clap::Error> {
        let matches = Command::command().try_get_matches_from(line.split_whitespace())?;
        let command = Command::from_arg_matches(&matches)?;
        let says = command.says(&matches);
        Ok((command, says))
    }

    #[test]
    fn the_command_line_is_consistent() {
        Command::command().debug_assert();
    }

    #[test]
    fn the_defaults_are_those_of_the_library() {
        let (command, says) = parse("x ws://localhost/").unwrap();
        assert_eq!(format!("{:?}", ClientConfig::default()), format!("{:?}", command.config()));
        assert!(says.is_empty());
    }

    #[test]
    fn the_order_of_what_is_said_is_kept() {
        let (_, says) = parse("x --send a --binary 00ff ws://h/ --ping --send b --ping=p").unwrap();
        let expected = [
            Say::Message(Message::text("a")),
            Say::Message(Message::binary(vec![0, 255])),
            Say::Ping(Bytes::new()),
            Say::Message(Message::text("b")),
            Say::Ping(Bytes::from_static(b"p")),
        ];
        assert_eq!(expected, *says);
    }

    #[test]
    fn what_cannot_be_sent_is_a_usage_error() {
        for line in [
            "x",
            "x http://h/",
            "x ws://h/ --binary 0",
            "x ws://h/ --echo --send a",
            "x ws://h/ --close-code 1005",
            "x ws://h/ --close-code 70000",
            "x ws://h/ --header nonsense",
            "x ws://h/ --client-max-window-bits 7",
            "x ws://h/ --timeout 5",
        ] {
            assert_eq!(2, parse(line).unwrap_err().exit_code(), "{line}");
        }
        assert!(close_reason(&"x".repeat(124)).is_err() && close_reason(&"x".repeat(123)).is_ok());
        assert!(ping_body(&"x".repeat(126)).is_err() && ping_body(&"x".repeat(125)).is_ok());
    }

    #[test]
    fn what_comes_is_one_line_each() {
        let lines = [
            Received::Message(Message::text("a\nb\"")),
            Received::Message(Message::text("ääää")),
            Received::Message(Message::binary(vec![0, 1, 2, 3, 4, 5, 6])),
            Received::Ping("a\n".into()),
            Received::Pong(Bytes::from_static(&[0xff])),
        ]
        .map(|received| shown(&received, 5));
        insta::assert_snapshot!(lines.join("\n"), @r#"
        text 4 "a\nb\""
        text 8 "ää"…
        binary 7 0001020304…
        ping 2 "a\n"
        pong 1 "\xff"
        "#);
    }
}
