//! Where `fuzz` and `replay` play: servers or a client, by the command line or by `wsgrade.toml`.
//!
//! ```text
//! URLs, --spawn, [[target]] ─▶ Wanted ──┐
//! --listen, role = "client" ─▶ Meeting ─┴ ready ─▶ Ready: started, reached, and asked what it does
//! ```

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::sync::watch;
use wsgrade_cases::model::Step;
use wsgrade_reference_server::ServerHandle;
use wsgrade_reports::record::TargetFacts;

use super::args::{BaseArgs, RequestArgs, acceptor};
use super::config::{Config, ConfigArgs};
use super::exit::Failure;
use super::interrupt::Interrupts;
use super::listen::{ADDRESS, AGENT};
use super::servers::{Given, Started, Wanted, client_of};
use super::spawn::{Address, SpawnArgs};
use crate::carrier::tls::Acceptor;
use crate::fuzz::guests::Guests;
use crate::fuzz::place::{Dial, Place, Server, Start};
use crate::listen::Client;
use crate::runner::{Facts, Gate, Settings};
use crate::shell::word as shell_word;

/// Where scenarios are played.
#[derive(Clone, Debug, Args)]
pub(super) struct PlaceArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// Only targets of wsgrade.toml whose name matches; may be given several times
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,

    /// Meet clients here, instead of a server: whatever connection one makes, a scenario is played on it
    /// [default: 127.0.0.1:9001]
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "absent, without an address, with one")]
    listen: Option<Option<SocketAddr>>,

    #[command(flatten)]
    spawn: SpawnArgs,

    /// The name that {agent} stands for in the command of --spawn, with --listen [default: client]
    #[arg(long, value_name = "NAME", requires = "listen")]
    agent: Option<String>,

    /// Listen for TLS, as wss://, with the certificate in this PEM file, and its issuers behind it
    #[arg(long, value_name = "FILE", requires_all = ["key", "listen"])]
    cert: Option<PathBuf>,

    /// The private key of that certificate, in a PEM file
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Steps to play on every connection before those of a scenario, such as a login: a TOML file with `steps = [ … ]`, in
    /// the language of the case files
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    prelude: Option<PathBuf>,
}

/// Whom scenarios are played with.
pub(super) enum Chosen {
    /// Never none.
    Servers(Vec<Wanted>),
    Client(Meeting),
}

/// Where a client is met, and which.
pub(super) struct Meeting {
    /// What the file calls it, where it has it.
    name: Option<String>,
    address: SocketAddr,
    /// Who is started.
    client: Option<Client>,
    tls: Option<Acceptor>,
}

/// A place that can be played in.
pub(super) struct Ready {
    pub(super) place: Place,
    pub(super) facts: Facts,
    /// The steps before those of a scenario.
    pub(super) prelude: Arc<[Step]>,
    pub(super) interrupted: watch::Receiver<bool>,
    /// Whether it is on this machine.
    pub(super) local: bool,
    /// Ends when this goes out of scope.
    pub(super) built_in: Option<ServerHandle>,
}

impl PlaceArgs {
    /// The file, where there is one.
    pub(super) fn load(&self) -> Result<Option<Config>, Failure> {
        self.config.load()
    }

    /// Whom to play with.
    pub(super) fn choose(
        &self,
        urls: &[Address],
        request: &RequestArgs,
        config: Option<&Config>,
    ) -> Result<Chosen, Failure> {
        let Some(address) = self.listen else {
            let prelude = self.prelude.as_ref();
            let given = Given { urls, targets: &self.targets, spawn: &self.spawn, request, prelude };
            return given.wanted(config).map(Chosen::Servers);
        };
        let file = match self.spawn.command() {
            Some(_) => None,
            None => client_of(config, &self.targets)?,
        };
        if file.is_none() && !self.targets.is_empty() {
            return Err(Failure::usage(
                "--target picks from the targets of a file: leave it out beside --spawn",
            ));
        }
        let file = file.unwrap_or_default();
        let name = (!file.name.is_empty()).then_some(file.name);
        let agent = self.agent.clone().or_else(|| name.clone()).unwrap_or_else(|| AGENT.to_owned());
        let command = self.spawn.command().map(str::to_owned).or(file.spawn);
        let (cert, key) = match &self.cert {
            Some(_) => (&self.cert, &self.key),
            None => (&file.cert, &file.key),
        };
        let tls = acceptor(cert.as_deref(), key.as_deref())?;
        Ok(Chosen::Client(Meeting {
            name,
            address: address.or(file.listen).unwrap_or(ADDRESS),
            client: command.map(|command| Client { command, agent }),
            tls,
        }))
    }

    /// The target and how it is played, as a shell takes it: what stands behind the file in the command of a replay. `name` is
    /// what the file calls it, where it has it, and `url` what the user does.
    pub(super) fn words(
        &self,
        (name, url): (Option<&str>, Option<&str>),
        request: &RequestArgs,
        base: &BaseArgs,
        seed: u64,
    ) -> String {
        let Self { config, targets: _, listen, spawn, agent, cert, key, prelude } = self;
        let mut words = Vec::new();
        // What the file says of a target with a name stands there still.
        words.extend(url.filter(|_| name.is_none()).map(str::to_owned));
        if let Some(address) = listen {
            words.push("--listen".to_owned());
            words.extend(address.map(|address| address.to_string()));
        }
        words.extend(config.words());
        words.extend(name.iter().flat_map(|name| ["--target".to_owned(), (*name).to_owned()]));
        words.extend(spawn.repeat());
        words.extend(agent.iter().flat_map(|agent| ["--agent".to_owned(), agent.clone()]));
        for (name, file) in [("--cert", cert), ("--key", key), ("--prelude", prelude)] {
            words.extend(file.iter().flat_map(|file| [name.to_owned(), file.display().to_string()]));
        }
        words.extend(request.words());
        words.extend(base.times());
        words.extend(request.insecure.then(|| "--insecure".to_owned()));
        words.extend(["--seed".to_owned(), seed.to_string()]);
        let words: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        words.join(" ")
    }
}

impl Chosen {
    /// The only place there is. `one` says how to come by one, where there are several.
    pub(super) async fn ready(
        &self,
        settings: &Settings,
        gate: impl Fn(bool) -> Gate,
        one: &str,
    ) -> Result<Ready, Failure> {
        let interrupts = Interrupts::watch();
        match self {
            Self::Client(meeting) => meeting.ready(settings, &interrupts).await,
            Self::Servers(servers) => match &servers[..] {
                [server] => reach(server, settings, gate, &interrupts).await,
                _ => Err(Failure::usage(one)),
            },
        }
    }

    /// What the file calls it, and what the user does, where there is one.
    pub(super) fn called(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Client(meeting) => (meeting.name.as_deref(), None),
            Self::Servers(servers) => servers.first().map_or((None, None), Wanted::called),
        }
    }
}

impl Meeting {
    async fn ready(&self, settings: &Settings, interrupts: &Interrupts) -> Result<Ready, Failure> {
        let Self { name: _, address, client, tls } = self;
        let mut interrupted = interrupts.receiver();
        let guests = Guests::bind(*address, tls.clone(), settings.limits.clone(), client.clone())
            .await
            .map_err(|error| Failure::inconclusive(format!("cannot listen on {address}: {error}")))?;
        super::print(&format!("listening on {}/\n", guests.url()));
        let found: TargetFacts = tokio::select! {
            found = guests.learn() => found.map_err(Failure::inconclusive)?,
            () = crate::runner::wait_for(&mut interrupted) => return Err(Failure::inconclusive("interrupted")),
        };
        let facts = Facts { found, ..Facts::default() };
        let place = Place::Accept(Arc::new(guests));
        Ok(Ready { place, facts, prelude: Arc::default(), interrupted, local: true, built_in: None })
    }
}

/// Starts a server where it is to be started, reaches it and asks what it does.
pub(super) async fn reach(
    wanted: &Wanted,
    settings: &Settings,
    gate: impl Fn(bool) -> Gate,
    interrupts: &Interrupts,
) -> Result<Ready, Failure> {
    let started = wanted.start(interrupts).await?;
    let settings = Settings { prelude: wanted.prelude()?, ..settings.clone() };
    let (target, facts) = wanted.probed(&started, &settings, interrupts).await?;
    let local = started.is_local();
    let Started { spawned, built_in, .. } = started;
    let server = spawned.map(|spawned| {
        let wanted = wanted.clone();
        let start: Start = Box::new(move || {
            let wanted = wanted.clone();
            Box::pin(async move { wanted.start_again().await.map_err(|failure| failure.to_string()) })
        });
        Server::new(spawned.process, start)
    });
    let prelude = Arc::clone(&settings.prelude);
    let settings = Settings { gate: gate(local || server.is_some()), ..settings };
    let dial = Dial::new(target, facts.clone(), settings, server);
    let place = Place::Dial(Arc::new(dial));
    Ok(Ready { place, facts, prelude, interrupted: interrupts.receiver(), local, built_in })
}
