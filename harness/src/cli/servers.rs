//! The servers of a run: by the command line, by `wsgrade.toml`, or the one that is built in.
//!
//! ```text
//! URLs, --spawn ──────────┐
//! [[target]] ── overridden ┼─▶ Wanted ─ start ─▶ Started ─ prepare ─▶ Prepared, for the runner
//! neither ── built in ────┘      └ found, or started and waited for    └ probed, held against `has`
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use wsgrade_cases::model::{Need, Step};
use wsgrade_cases::select::Pattern;
use wsgrade_reference_server::client::Url;
use wsgrade_reference_server::{Config as ServerConfigOfOurs, Server, ServerHandle};
use wsgrade_reports::record::{Response, TargetFacts};

use super::args::{RequestArgs, prelude};
use super::config::{Capability, ClientConfig, Config, FILE, ServerConfig};
use super::exit::Failure;
use super::interrupt::Interrupts;
use super::spawn::{Address, SpawnArgs, Spawned};
use super::stress::StressArgs;
use crate::runner::{DYING, Facts, Prepared, Settings, probe, wait_for};
use crate::spawn::{Guard, Watched};
use crate::target::{Target, TargetError};

/// Cases at once against a target on this machine.
pub(crate) const LOCAL_JOBS: usize = 16;
/// Cases at once against any other, which others may be using.
pub(crate) const REMOTE_JOBS: usize = 4;

/// A server that is to be graded.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// What it is called, where the user said so.
    name: Option<String>,
    /// Where it is, or is to be; without one and without a command, it is the built-in one.
    address: Option<Address>,
    spawn: SpawnArgs,
    request: RequestArgs,
    prelude: Option<PathBuf>,
    has: Vec<Capability>,
    without: Vec<Capability>,
}

/// What the command line says of servers.
pub(super) struct Given<'a> {
    pub(super) urls: &'a [Address],
    pub(super) targets: &'a [String],
    pub(super) spawn: &'a SpawnArgs,
    pub(super) request: &'a RequestArgs,
    pub(super) prelude: Option<&'a PathBuf>,
}

impl Given<'_> {
    /// The servers to grade. A URL or a command on the command line stands in the place of all targets of the file; other
    /// options override what is asked of each of them.
    pub(super) fn wanted(&self, config: Option<&Config>) -> Result<Vec<Wanted>, Failure> {
        let wanted = self.all(config)?;
        if wanted.iter().all(|server| server.spawn.command().is_none()) {
            self.spawn.check()?;
        }
        Ok(wanted)
    }

    fn all(&self, config: Option<&Config>) -> Result<Vec<Wanted>, Failure> {
        if !self.urls.is_empty() || self.spawn.command().is_some() {
            return self.by_the_command_line();
        }
        let Some(config) = config else {
            return match self.targets {
                [] => Ok(vec![self.plain(None)]),
                _ => Err(Failure::usage(format!(
                    "--target picks from the targets of a {FILE}, and there is none: `wsgrade init` writes one"
                ))),
            };
        };
        if config.servers.is_empty() && config.clients.is_empty() && self.targets.is_empty() {
            eprintln!(
                "wsgrade: note: {} has no [[target]]: grading the built-in reference server",
                config.path.display()
            );
            return Ok(vec![self.plain(None)]);
        }
        let names = config.servers.iter().map(|server| server.name.as_str());
        let picked = picked(self.targets, names, &format!("server in {}", config.path.display()))?;
        if picked.is_empty() {
            return Err(Failure::usage(format!(
                "{} has no target that is a server: give a URL, or use `wsgrade listen` or `wsgrade fuzz --listen` for its clients",
                config.path.display()
            )));
        }
        Ok(picked.into_iter().map(|at| self.over(config.servers[at].clone())).collect())
    }

    fn by_the_command_line(&self) -> Result<Vec<Wanted>, Failure> {
        if !self.targets.is_empty() {
            return Err(Failure::usage(
                "--target picks from the targets of a file: leave it out beside a URL or --spawn",
            ));
        }
        Ok(match (self.spawn.command(), self.urls) {
            (Some(_), [_, _, ..]) => {
                return Err(Failure::usage("--spawn starts one server: give one URL at most beside it"));
            }
            (Some(_), urls) => vec![self.plain(urls.first())],
            (None, urls) => urls.iter().map(|address| self.plain(Some(address))).collect(),
        })
    }

    /// One that the file says nothing of.
    fn plain(&self, address: Option<&Address>) -> Wanted {
        Wanted {
            address: address.cloned(),
            spawn: self.spawn.clone(),
            request: self.request.clone(),
            prelude: self.prelude.cloned(),
            ..Wanted::default()
        }
    }

    fn over(&self, server: ServerConfig) -> Wanted {
        let ServerConfig { name, url, spawn, spawn_timeout, request, prelude, has, without } = server;
        Wanted {
            name: Some(name),
            address: url,
            spawn: self.spawn.or(spawn, spawn_timeout),
            request: self.request.over(request),
            prelude: self.prelude.cloned().or(prelude),
            has,
            without,
        }
    }
}

/// The places of the names that any of these patterns matches, or of all where there is no pattern. `what` is what is
/// picked, for messages.
///
/// # Errors
///
/// A pattern that matches none.
pub(super) fn picked<'a>(
    patterns: &[String],
    names: impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<Vec<usize>, Failure> {
    let names: Vec<&str> = names.collect();
    let mut places: Vec<usize> = if patterns.is_empty() { (0..names.len()).collect() } else { Vec::new() };
    for pattern in patterns {
        let matcher = Pattern::new(pattern);
        let before = places.len();
        places.extend((0..names.len()).filter(|&at| matcher.matches(names[at])));
        if places.len() == before {
            let known = match names[..] {
                [] => "none".to_owned(),
                _ => wsgrade_cases::form::listed(&names, "and"),
            };
            return Err(Failure::usage(format!("--target {pattern:?} matches no {what}, which has {known}")));
        }
    }
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// The client of the file that is meant by these patterns, or the only one there is; none where nothing is asked for.
pub(super) fn client_of(
    config: Option<&Config>,
    patterns: &[String],
) -> Result<Option<ClientConfig>, Failure> {
    let Some(config) = config else {
        return match patterns {
            [] => Ok(None),
            _ => Err(Failure::usage(format!("--target picks a client of a {FILE}, and there is none"))),
        };
    };
    let names = config.clients.iter().map(|client| client.name.as_str());
    match picked(patterns, names, &format!("client in {}", config.path.display()))?[..] {
        [] => Ok(None),
        [at] => Ok(Some(config.clients[at].clone())),
        [_, _, ..] => Err(Failure::usage(format!(
            "{} has several clients, and one is listened for at a time: pick it by --target NAME",
            config.path.display()
        ))),
    }
}

/// A server that is there.
pub(super) struct Started {
    target: Target,
    /// Where we started it by its command.
    pub(super) spawned: Option<Spawned>,
    /// Where it is the one that is built in.
    pub(super) built_in: Option<ServerHandle>,
}

impl Started {
    /// Whether it is on this machine.
    pub(super) fn is_local(&self) -> bool {
        self.target.is_local()
    }

    /// Ends it, if it is ours.
    pub(super) async fn end(self) {
        drop(self.spawned);
        if let Some(server) = self.built_in {
            server.shutdown().await;
        }
    }
}

impl Wanted {
    /// Whether it runs already.
    pub(super) fn is_dialled(&self) -> bool {
        self.address.is_some() && self.spawn.command().is_none()
    }

    /// Starts it where it is to be started, and finds where it is.
    pub(super) async fn start(&self, interrupts: &Interrupts) -> Result<Started, Failure> {
        let options = self.request.options();
        if let Some(command) = self.spawn.command() {
            let spawned = self.spawn.start(command, self.address.as_slice(), &options, interrupts).await?;
            return Ok(Started { target: spawned.target.clone(), spawned: Some(spawned), built_in: None });
        }
        let (url, built_in): (Url, _) = match &self.address {
            Some(address) => (address.url()?, None),
            None => {
                let server = start_reference_server()?;
                (server.url().parse().map_err(Failure::inconclusive)?, Some(server))
            }
        };
        let target = Target::find(url.clone(), &options).await.map_err(|error| no_target(&url, &error))?;
        if self.request.insecure && target.tls.is_some() {
            eprintln!("wsgrade: warning: {url}: not verifying who answers there (--insecure)");
        }
        Ok(Started { target, spawned: None, built_in })
    }

    /// Starts it once more, on another port where its command takes one.
    pub(super) async fn start_again(&self) -> Result<(Guard, Target), Failure> {
        let Some(command) = self.spawn.command() else {
            return Err(Failure::usage("there is no command that starts it again"));
        };
        let options = self.request.options();
        self.spawn.start_again(command, self.address.as_slice(), &options).await
    }

    /// The steps before those of every case.
    pub(super) fn prelude(&self) -> Result<Arc<[Step]>, Failure> {
        prelude(self.prelude.as_deref())
    }

    /// What the file calls it, and what the user does.
    pub(super) fn called(&self) -> (Option<&str>, Option<&str>) {
        (self.name.as_deref(), self.address.as_ref().map(Address::text))
    }

    /// Asks it what it does, and holds that against what it is to do.
    pub(super) async fn probed(
        &self,
        started: &Started,
        settings: &Settings,
        interrupts: &Interrupts,
    ) -> Result<(Target, Facts), Failure> {
        let mut target = started.target.clone();
        let mut facts = match &started.spawned {
            Some(spawned) => probe_spawned(spawned, &mut target, settings, interrupts).await?,
            None => probe(&mut target, settings).await.map_err(Failure::inconclusive)?,
        };
        self.hold(&mut facts)?;
        Ok((target, facts))
    }

    /// Makes it ready for the runner. `repeat` is the command that repeats one of its cases, up
    /// to the id, given its name and its URL, as far as it has them from the user.
    pub(super) async fn prepare(
        &self,
        started: &Started,
        settings: &Settings,
        stress: &StressArgs,
        watched: Option<Watched>,
        interrupts: &Interrupts,
        repeat: impl FnOnce(Option<&str>, Option<&str>) -> String,
    ) -> Result<Prepared, Failure> {
        let Started { target: _, spawned, built_in } = started;
        let settings = Settings {
            prelude: self.prelude()?,
            gate: stress.gate(spawned.is_some()),
            may_stress: stress.may_stress(),
            ..settings.clone()
        };
        let (target, facts) = self.probed(started, &settings, interrupts).await?;
        if let Some(hint) = hint(&facts) {
            eprintln!("wsgrade: note: {}: {hint}", target.url);
        }
        let process = spawned.as_ref().map(|spawned| Arc::clone(&spawned.process.0));
        Ok(Prepared {
            target,
            facts,
            settings,
            adapt: true,
            repeat: {
                let (name, url) = self.called();
                repeat(name, url)
            },
            name: self.name.clone().or_else(|| built_in.is_some().then(|| "reference server".to_owned())),
            watched: process.as_ref().map(|process| process.watched()).or(watched),
            process,
        })
    }

    /// Holds what a server does against what it is to do, and takes away what is to be passed over.
    fn hold(&self, facts: &mut Facts) -> Result<(), Failure> {
        let does = |facts: &Facts, capability| match capability {
            Capability::Echo => facts.found.is_echo(),
            Capability::Deflate => facts.offers.contains(&Need::Deflate),
        };
        let name = self.name.as_deref().unwrap_or_default();
        if let Some(capability) = self.has.iter().find(|capability| !does(facts, **capability)) {
            let has_to = match capability {
                Capability::Echo => "send every message back and nothing else",
                Capability::Deflate => "agree to permessage-deflate",
            };
            let word = capability.as_str();
            return Err(Failure::unmet(format!(
                "gate not met: `{name}` has to {has_to} (\"{word}\" in its `has`), and does not; no case was played"
            )));
        }
        for capability in &self.without {
            match capability {
                Capability::Echo => {
                    facts.offers.remove(&Need::Echo);
                    for response in [&mut facts.found.text, &mut facts.found.binary] {
                        if *response == Response::Echo {
                            *response = Response::Other;
                        }
                    }
                }
                Capability::Deflate => {
                    facts.offers.remove(&Need::Deflate);
                    facts.found.deflate = None;
                }
            }
        }
        Ok(())
    }
}

fn start_reference_server() -> Result<ServerHandle, Failure> {
    Server::bind(ServerConfigOfOurs::default()).map(Server::spawn).map_err(|error| {
        Failure::inconclusive(format!("cannot start the built-in reference server: {error}"))
    })
}

/// Whether it died says more than that nobody answers.
async fn probe_spawned(
    spawned: &Spawned,
    target: &mut Target,
    settings: &Settings,
    interrupts: &Interrupts,
) -> Result<Facts, Failure> {
    let mut interrupted = interrupts.receiver();
    let unreachable = tokio::select! {
        probed = probe(target, settings) => match probed {
            Ok(facts) => return Ok(facts),
            Err(unreachable) => unreachable,
        },
        () = wait_for(&mut interrupted) => return Err(Failure::inconclusive("interrupted")),
    };
    let process = &spawned.process.0;
    Err(match process.death_within(DYING).await {
        Some(death) => Failure::inconclusive(process.died_unserved(death)),
        None => Failure::inconclusive(unreachable),
    })
}

/// What a user might do so that more can be seen of a target.
pub(super) fn hint(facts: &Facts) -> Option<&'static str> {
    let TargetFacts { text, binary, talks, .. } = &facts.found;
    let either = |response| *text == response || *binary == response;
    if *text == Response::Ends && *binary == Response::Ends {
        Some(
            "it ends the connection at any message; if it wants a login or a subprotocol first, give --prelude FILE or \
             --subprotocol NAME",
        )
    } else if *talks && either(Response::Echo) {
        Some(
            "it says things unasked, so its echoes are not judged; if it only greets, await that in a --prelude FILE",
        )
    } else {
        None
    }
}

/// Why there is nothing to grade at a URL.
pub(super) fn no_target(url: &Url, error: &TargetError) -> Failure {
    let message = format!("{url}: {error}");
    match error {
        TargetError::NoAddress { .. } => Failure::inconclusive(message),
        TargetError::Tls(_) => Failure::usage(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_for_those_of_whom_more_could_be_seen() {
        let of = |text, binary, talks| {
            let found = TargetFacts { text, binary, talks, ..TargetFacts::default() };
            hint(&Facts { found, ..Facts::default() }).is_some()
        };
        assert!(of(Response::Ends, Response::Ends, false));
        assert!(of(Response::Echo, Response::Ends, true));
        assert!(!of(Response::Echo, Response::Echo, false));
        assert!(!of(Response::Echo, Response::Ends, false));
        assert!(!of(Response::Nothing, Response::Nothing, true));
    }
}
