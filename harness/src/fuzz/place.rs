//! Where a scenario is played: at a server that we dial, or on the next connection of a client.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};
use wsgrade_codec::Role;
use wsgrade_reports::record::{CaseRecord, ProcessInfo, Transcript};

use super::guests::Guests;
use crate::carrier::{self, Patience};
use crate::engine::{Engine, Limits};
use crate::plan::Plan;
use crate::runner::{Facts, Gate, Settings, still_there, stress};
use crate::spawn::{Death, Guard, Watched};
use crate::target::Target;

/// How long a target may take to serve again after it was seen not to.
const RECOVERY: Duration = Duration::from_secs(5);
/// How long after the end of a connection its process may be seen to be dead: to write down its memory may take a while.
const SINKING: Duration = Duration::from_millis(1000);
/// How long we wait between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Where scenarios are played.
#[derive(Clone, Debug)]
pub enum Place {
    /// A server under test.
    Dial(Arc<Dial>),
    /// Clients under test.
    Accept(Arc<Guests>),
    /// An endpoint in memory, where nothing takes time.
    Memory(Memory),
}

/// An endpoint in memory: what is on the wire when it is played a case.
#[derive(Clone)]
pub struct Memory {
    /// Its role.
    pub role: Role,
    /// Plays a case, where the number decides every random byte.
    pub play: Arc<PlayInMemory>,
}

/// Plays a case in memory.
pub type PlayInMemory = dyn Fn(&Arc<Plan>, &Limits, u64) -> Transcript + Send + Sync;

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("role", &self.role).finish_non_exhaustive()
    }
}

/// A server under test.
#[derive(Debug)]
pub struct Dial {
    /// Where it is now; a server that is started again has another port.
    target: Mutex<Arc<Target>>,
    facts: Facts,
    /// What every connection passes, and how long a lawful question may take.
    settings: Settings,
    server: Option<Server>,
}

/// A server that we start, and start again.
pub struct Server {
    start: Start,
    running: Mutex<Option<Arc<Guard>>>,
}

/// Starts a server and waits until it listens; says why it does not.
pub type Start = Box<dyn Fn() -> Starting + Send + Sync>;
/// A server that is about to listen.
pub type Starting = Pin<Box<dyn Future<Output = Result<(Guard, Target), String>> + Send>>;

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("running", &self.running).finish_non_exhaustive()
    }
}

impl Server {
    /// One that runs, and how it is started again.
    pub fn new(running: Guard, start: Start) -> Self {
        Self { start, running: Mutex::new(Some(Arc::new(running))) }
    }
}

impl Dial {
    /// A server of which this is known. `settings` say how patient a lawful question is, and which gate every connection
    /// passes.
    pub fn new(target: Target, facts: Facts, settings: Settings, server: Option<Server>) -> Self {
        Self { target: Mutex::new(Arc::new(target)), facts, settings, server }
    }

    /// Where it is now.
    pub fn target(&self) -> Arc<Target> {
        Arc::clone(&lock(&self.target))
    }

    /// What was found of it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    fn gate(&self) -> &Gate {
        &self.settings.gate
    }

    fn running(&self) -> Option<Arc<Guard>> {
        lock(&self.server.as_ref()?.running).clone()
    }
}

impl Place {
    /// The role of the endpoint under test.
    pub fn role(&self) -> Role {
        match self {
            Self::Dial(_) => Role::Server,
            Self::Accept(_) => Role::Client,
            Self::Memory(memory) => memory.role,
        }
    }

    /// Where it is, or where we are.
    pub fn url(&self) -> String {
        match self {
            Self::Dial(dial) => dial.target().url.to_string(),
            Self::Accept(guests) => guests.url().to_owned(),
            Self::Memory(_) => "memory".to_owned(),
        }
    }

    /// Whether it is on this machine, where nothing takes long but for a reason.
    pub fn is_near(&self) -> bool {
        match self {
            Self::Dial(dial) => dial.target().is_local(),
            Self::Accept(guests) => guests.is_near(),
            Self::Memory(_) => true,
        }
    }

    /// What carries the bytes, in the words of records.
    pub fn carrier(&self) -> &'static str {
        match self {
            Self::Dial(dial) => dial.target().carrier(),
            Self::Accept(guests) => guests.carrier(),
            Self::Memory(_) => "memory",
        }
    }

    /// Plays a scenario on a connection of its own; `seed` decides every random byte.
    pub async fn play(&self, plan: &Arc<Plan>, limits: &Limits, seed: u64) -> (Transcript, Duration) {
        match self {
            Self::Dial(dial) => {
                let target = dial.target();
                let _place = dial.gate().enter(&target).await;
                let engine =
                    Engine::connecting(Arc::clone(plan), target.request.clone(), limits.clone(), seed);
                let patience = Patience { connect: limits.opening, write: limits.answer };
                carrier::play(engine, target.addr, target.tls.as_ref(), patience).await
            }
            Self::Accept(guests) => guests.play(plan, limits, seed).await,
            Self::Memory(memory) => {
                // As a connection does it: others get their turn.
                tokio::task::yield_now().await;
                ((memory.play)(plan, limits, seed), Duration::ZERO)
            }
        }
    }

    /// Whether it still serves as it did at first; if not, why. It is given some time, as what fails under load may come back.
    pub async fn serves(&self) -> Result<(), String> {
        let deadline = Instant::now() + RECOVERY;
        loop {
            let question = async {
                match self {
                    Self::Dial(dial) => still_there(&dial.target(), &dial.facts, &dial.settings).await,
                    Self::Accept(guests) => guests.comes_again().await,
                    Self::Memory(_) => Ok(()),
                }
            };
            // It may be one that accepts and never answers.
            let answer =
                timeout(RECOVERY, question).await.unwrap_or_else(|_| Err("it does not answer".to_owned()));
            match answer {
                Ok(()) => return Ok(()),
                Err(_) if self.is_dead() => return Err("the process died".to_owned()),
                Err(reason) if Instant::now() >= deadline => return Err(reason),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// Whether the process that we started has died.
    pub fn is_dead(&self) -> bool {
        match self {
            Self::Dial(dial) => dial.running().is_some_and(|guard| guard.0.is_dead()),
            Self::Accept(guests) => guests.has_crashed(),
            Self::Memory(_) => false,
        }
    }

    /// How the process that we started died, if it does within a moment.
    pub async fn death(&self) -> Option<Death> {
        self.death_within(SINKING).await
    }

    /// The same within this time.
    pub(super) async fn death_within(&self, patience: Duration) -> Option<Death> {
        match self {
            Self::Dial(dial) => dial.running()?.0.death_within(patience).await,
            Self::Accept(guests) => guests.crash_within(patience).await,
            Self::Memory(_) => None,
        }
    }

    /// Whether we can start it anew.
    pub fn is_spawned(&self) -> bool {
        match self {
            Self::Dial(dial) => dial.server.is_some(),
            Self::Accept(guests) => guests.is_spawned(),
            Self::Memory(_) => false,
        }
    }

    /// Starts the process anew, and ends the one that runs.
    ///
    /// # Errors
    ///
    /// It does not listen again; why, in a sentence.
    pub async fn restart(&self) -> Result<(), String> {
        match self {
            Self::Dial(dial) => {
                let Some(server) = &dial.server else { return Ok(()) };
                let old = lock(&server.running).take();
                // To end it may take seconds.
                let _ = tokio::task::spawn_blocking(move || drop(old)).await;
                let (guard, target) = (server.start)().await?;
                *lock(&server.running) = Some(Arc::new(guard));
                *lock(&dial.target) = Arc::new(target);
                Ok(())
            }
            Self::Accept(guests) => {
                guests.forget_crash();
                guests.start_anew();
                Ok(())
            }
            Self::Memory(_) => Ok(()),
        }
    }

    /// Plays a case of resilience, while nothing else is played: beside a canary, and with the process looked at, where we started
    /// it. `None` where there is no server, or nobody to look at whose bounds the case is about.
    pub(super) async fn press(&self, plan: &Arc<Plan>, limits: &Limits, seed: u64) -> Option<CaseRecord> {
        let Self::Dial(dial) = self else { return None };
        let stress = plan.scenario.stress.as_ref()?;
        let running = dial.running();
        if running.is_none() && stress.has_bounds() {
            return None;
        }
        let place = stress::Place {
            target: &dial.target(),
            settings: &Settings { seed, limits: limits.clone(), ..dial.settings.clone() },
            process: running.as_ref().map(|guard| &guard.0),
            watched: running.as_ref().map(|guard| guard.0.watched()),
            repeat: "",
        };
        Some(stress::play(plan, stress, &place).await)
    }

    /// The process that we started, for looking at what it takes.
    pub fn watched(&self) -> Option<Watched> {
        match self {
            Self::Dial(dial) => Some(dial.running()?.0.watched()),
            Self::Accept(_) | Self::Memory(_) => None,
        }
    }

    /// What the record says of the process that we started.
    pub fn process_info(&self) -> Option<ProcessInfo> {
        match self {
            Self::Dial(dial) => Some(dial.running()?.0.info()),
            Self::Accept(_) | Self::Memory(_) => None,
        }
    }
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
