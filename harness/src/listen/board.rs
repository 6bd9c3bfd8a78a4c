//! Who has played what, and how it went.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use wsgrade_reports::record::{CaseRecord, Role, TargetReport};

use crate::runner::repeat;

/// Agents beyond this many are not taken: names cost memory, and a client may make them up.
const MAX_AGENTS: usize = 64;

/// Of so many connections of an agent the keys are compared.
const MAX_KEYS: usize = 100_000;
/// So often the first masking key of a connection may be that of another before it is no chance: among the 1 000 connections
/// of a run two such pairs have a probability of (1000²/2/2³²)²/2 = 7e-9.
const CHANCE: usize = 1;

/// The results of every agent.
#[derive(Default)]
pub(super) struct Board {
    agents: Mutex<BTreeMap<String, Agent>>,
    /// How often something changed, so that those who wait for something know when to look.
    changes: watch::Sender<u64>,
}

/// A case that is being played; over when this is dropped.
pub(super) struct Playing<'a> {
    board: &'a Board,
    agent: String,
}

impl Drop for Playing<'_> {
    fn drop(&mut self) {
        if let Some(agent) = self.board.agents().get_mut(&self.agent) {
            agent.playing -= 1;
        }
        self.board.changed();
    }
}

#[derive(Default)]
struct Agent {
    /// What it says it is.
    software: Option<String>,
    /// How many cases it is playing.
    playing: usize,
    /// By index into the selection.
    records: BTreeMap<usize, CaseRecord>,
    /// The nonces of its connections. `len() <= MAX_KEYS`
    nonces: HashSet<String>,
    /// The first masking keys of its connections. `len() <= MAX_KEYS`
    masks: HashSet<String>,
    /// How often a first masking key came again.
    masks_again: usize,
}

impl Board {
    /// An agent begins to play a case; `None` if there is no place for one more agent.
    pub(super) fn begin(&self, agent: &str, software: Option<String>) -> Option<Playing<'_>> {
        let mut agents = self.agents();
        if !agents.contains_key(agent) && agents.len() >= MAX_AGENTS {
            return None;
        }
        let entry = agents.entry(agent.to_owned()).or_default();
        entry.software = software.or(entry.software.take());
        entry.playing += 1;
        Some(Playing { board: self, agent: agent.to_owned() })
    }

    /// Whether the nonce of a connection (RFC 6455 4.1) was that of an earlier one.
    pub(super) fn is_stale(&self, playing: &Playing<'_>, nonce: &str) -> bool {
        let mut agents = self.agents();
        let Some(agent) = agents.get_mut(&playing.agent) else { return false };
        if agent.nonces.len() >= MAX_KEYS {
            return agent.nonces.contains(nonce);
        }
        !agent.nonces.insert(nonce.to_owned())
    }

    /// Whether the first masking key of a connection, in hex, was that of an earlier one more often than chance allows.
    pub(super) fn starts_alike(&self, playing: &Playing<'_>, mask: &str) -> bool {
        let mut agents = self.agents();
        let Some(agent) = agents.get_mut(&playing.agent) else { return false };
        if agent.masks.contains(mask) {
            agent.masks_again += 1;
            return agent.masks_again > CHANCE;
        }
        if agent.masks.len() < MAX_KEYS {
            agent.masks.insert(mask.to_owned());
        }
        false
    }

    /// Puts a result up; it replaces an earlier one of the same case, unless that is `repeated`: then the worst stays.
    pub(super) fn put(&self, playing: &Playing<'_>, index: usize, record: CaseRecord, repeated: bool) {
        if let Some(agent) = self.agents().get_mut(&playing.agent) {
            let before = agent.records.remove(&index).filter(|_| repeated);
            agent.records.insert(index, if repeated { repeat::after(before, record) } else { record });
        }
        self.changed();
    }

    /// The agent that is meant by a name: the one that has it or, where it gave itself another, the only one there is.
    pub(super) fn meant_by(&self, name: &str) -> Option<String> {
        let agents = self.agents();
        let mut played = agents.iter().filter(|(_, agent)| !agent.records.is_empty()).map(|(name, _)| name);
        if agents.get(name).is_some_and(|agent| !agent.records.is_empty()) {
            return Some(name.to_owned());
        }
        let only = played.next()?;
        played.next().is_none().then(|| only.clone())
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Waits until an agent has a result for a case, and gives it in `pick`'s words.
    pub(super) async fn result<T>(&self, agent: &str, index: usize, pick: impl Fn(&CaseRecord) -> T) -> T {
        let look = |agents: &BTreeMap<String, Agent>| Some(pick(agents.get(agent)?.records.get(&index)?));
        self.wait_for(look).await
    }

    /// Waits until an agent (or, without a name, every agent) plays nothing: a client is done with a case before
    /// we are.
    pub(super) async fn idle(&self, agent: Option<&str>) {
        let busy = |agents: &BTreeMap<String, Agent>| match agent {
            Some(name) => agents.get(name).is_some_and(|agent| agent.playing > 0),
            None => agents.values().any(|agent| agent.playing > 0),
        };
        self.wait_for(|agents| (!busy(agents)).then_some(())).await;
    }

    async fn wait_for<T>(&self, look: impl Fn(&BTreeMap<String, Agent>) -> Option<T>) -> T {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(seen) = look(&self.agents()) {
                return seen;
            }
            if changes.changed().await.is_err() {
                // The board outlives those who wait at it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// One target for each agent. `expected` is how many cases an agent has to play, by its name.
    pub(super) fn targets(&self, url: &str, expected: impl Fn(&str) -> usize) -> Vec<TargetReport> {
        let agents = self.agents();
        let target = |(name, agent): (&String, &Agent)| {
            let (ran, expected) = (agent.records.len(), expected(name));
            TargetReport {
                name: name.clone(),
                url: url.to_owned(),
                role: Role::Client,
                agent: agent.software.clone(),
                facts: None,
                process: None,
                stopped: (ran < expected).then(|| format!("the client ran {ran} of {expected} cases")),
                cases: agent.records.values().cloned().collect(),
            }
        };
        agents.iter().filter(|(_, agent)| !agent.records.is_empty()).map(target).collect()
    }

    fn agents(&self) -> MutexGuard<'_, BTreeMap<String, Agent>> {
        // Nothing panics while it holds the lock, and what is in there is whole at any time.
        self.agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
