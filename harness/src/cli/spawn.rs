//! `--spawn`: the server under test by its command.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use wsgrade_reference_server::client::{Url, UrlError};

use super::args::duration;
use super::exit::Failure;
use super::interrupt::Interrupts;
use crate::runner::wait_for;
use crate::shell::word as shell_word;
use crate::spawn::{Guard, Process, SpawnError};
use crate::target::{RequestOptions, Target};

/// What stands for the port in a command and in a URL.
const PORT: &str = "{port}";
/// What stands for the URL in a command.
const URL: &str = "{url}";

#[derive(Clone, Debug, Default, Args)]
pub(super) struct SpawnArgs {
    /// Start the server by this command, with {port} or {url} where it takes the free port that was found for it
    #[arg(long, value_name = "COMMAND")]
    spawn: Option<String>,

    /// How long to wait until it listens [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    spawn_timeout: Option<Duration>,
}

/// How long to wait until a server listens unless told otherwise.
const SPAWN_TIMEOUT: Duration = Duration::from_secs(10);

/// A URL as it is written on the command line, where `{port}` may stand for the port of `--spawn`.
#[derive(Clone, Debug)]
pub(super) struct Address(String);

impl FromStr for Address {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let address = Self(text.to_owned());
        // Any port tells whether the rest is right.
        address.at(1)?;
        Ok(address)
    }
}

impl Address {
    /// As the user wrote it.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// The URL, if it needs no port.
    pub(super) fn url(&self) -> Result<Url, Failure> {
        if self.has_port() {
            return Err(Failure::usage(format!("{}: {PORT} is only known with --spawn", self.0)));
        }
        self.at(1).map_err(Failure::usage)
    }

    pub(super) fn has_port(&self) -> bool {
        self.0.contains(PORT)
    }

    fn at(&self, port: u16) -> Result<Url, UrlError> {
        self.0.replace(PORT, &port.to_string()).parse()
    }
}

/// A server that we started and that listens.
pub(super) struct Spawned {
    /// Ends it, when this goes out of scope at the latest.
    pub(super) process: Guard,
    pub(super) target: Target,
}

impl SpawnArgs {
    /// This command, unless there is another on the command line.
    pub(super) fn or(&self, command: Option<String>, timeout: Option<Duration>) -> Self {
        Self { spawn: self.spawn.clone().or(command), spawn_timeout: self.spawn_timeout.or(timeout) }
    }

    /// Says so where a time is given to wait for nobody.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.spawn.is_none() && self.spawn_timeout.is_some() {
            return Err(Failure::usage(
                "--spawn-timeout is how long to wait for the server of --spawn: give that as well",
            ));
        }
        Ok(())
    }

    fn timeout(&self) -> Duration {
        self.spawn_timeout.unwrap_or(SPAWN_TIMEOUT)
    }

    /// The command as the user wrote it.
    pub(super) fn command(&self) -> Option<&str> {
        self.spawn.as_deref()
    }

    /// The options that start it again, as words for a shell.
    pub(super) fn repeat(&self) -> Vec<String> {
        let Some(command) = &self.spawn else { return Vec::new() };
        let mut words = vec!["--spawn".to_owned(), command.clone()];
        if let Some(time) = self.spawn_timeout.filter(|time| *time != SPAWN_TIMEOUT) {
            let time = humantime::format_duration(time).to_string();
            words.extend(["--spawn-timeout".to_owned(), time.replace(' ', "")]);
        }
        words
    }

    /// Starts the server and waits until it listens.
    pub(super) async fn start(
        &self,
        command: &str,
        addresses: &[Address],
        request: &RequestOptions,
        interrupts: &Interrupts,
    ) -> Result<Spawned, Failure> {
        let (process, target, addrs) = self.launch(command, addresses, request).await?;
        let mut interrupted = interrupts.receiver();
        let listening = process.0.wait_until_listening(&addrs, self.timeout());
        let listening: Result<(), SpawnError> = tokio::select! {
            listening = listening => listening,
            () = wait_for(&mut interrupted) => return Err(Failure::inconclusive("interrupted")),
        };
        listening.map_err(Failure::inconclusive)?;
        Ok(Spawned { process, target })
    }

    /// Starts the server once more, on another port where the command takes one, and waits until it listens.
    pub(super) async fn start_again(
        &self,
        command: &str,
        addresses: &[Address],
        request: &RequestOptions,
    ) -> Result<(Guard, Target), Failure> {
        let (process, target, addrs) = self.launch(command, addresses, request).await?;
        let listening = process.0.wait_until_listening(&addrs, self.timeout());
        listening.await.map_err(Failure::inconclusive)?;
        Ok((process, target))
    }

    /// Starts the server; gives where it is going to listen.
    async fn launch(
        &self,
        command: &str,
        addresses: &[Address],
        request: &RequestOptions,
    ) -> Result<(Guard, Target, Vec<SocketAddr>), Failure> {
        let address = match addresses {
            [] => Address(format!("ws://127.0.0.1:{PORT}/")),
            [address] => address.clone(),
            _ => return Err(Failure::usage("--spawn starts one server: give one URL at most beside it")),
        };
        if address.has_port() && !command.contains(PORT) && !command.contains(URL) {
            return Err(Failure::usage(format!(
                "--spawn {}: write {PORT} or {URL} where the command takes the port to listen on, or give the URL of \
                 the port that it always has",
                shell_word(command)
            )));
        }
        let port = free_port().map_err(|error| Failure::inconclusive(format!("no free port: {error}")))?;
        let url = address.at(port).map_err(Failure::usage)?;
        let target = Target::find(url.clone(), request)
            .await
            .map_err(|error| super::servers::no_target(&url, &error))?;
        let addrs: Vec<_> = std::iter::once(target.addr).chain(target.others.iter().copied()).collect();
        if !address.has_port() {
            nobody_listens_yet(&addrs).await?;
        }
        let line = command.replace(PORT, &url.port().to_string()).replace(URL, &url.to_string());
        let process = Guard(Process::start(command, &line).map_err(Failure::inconclusive)?);
        Ok((process, target, addrs))
    }
}

/// A port that nobody listens on now.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Who listens already where the command is to listen would be graded in its place.
async fn nobody_listens_yet(addrs: &[SocketAddr]) -> Result<(), Failure> {
    for addr in addrs {
        let connect = tokio::net::TcpStream::connect(addr);
        if let Ok(Ok(_)) = tokio::time::timeout(Duration::from_secs(1), connect).await {
            return Err(Failure::inconclusive(format!(
                "something listens on {addr} already: end it, or write {PORT} in the command and in the URL"
            )));
        }
    }
    Ok(())
}
