//! One case against the deviant endpoint, in memory and in virtual time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use wsgrade::carrier::memory::{self, Endpoint, Said};
use wsgrade::engine::{Accepted, Engine, Input, Limits, Request};
use wsgrade::judge::judge;
use wsgrade::plan::Plan;
use wsgrade_codec::Role;
use wsgrade_codec::check::opening::Asked;
use wsgrade_codec::check::{Rule, Violation};
use wsgrade_codec::handshake::{RequestHead, RequestReader};
use wsgrade_reference_server::deviant::{self, Defect, Deviant, Output};
use wsgrade_reports::grade::Weight;
use wsgrade_reports::record::{self, Behavior, CaseRecord, CloseVerdict, Direction, Entry, Transcript, What};

/// So often the first masking key of a connection may be that of another, as in `listen`.
const CHANCE: usize = 1;

/// What is known of a client from its connections before, as `listen` knows it.
#[derive(Default)]
pub(crate) struct Agent {
    nonces: HashSet<String>,
    masks: HashSet<String>,
    /// How often a first masking key came again.
    masks_again: usize,
}

impl Agent {
    /// What a request breaks by what came before.
    fn request(&mut self, head: &RequestHead) -> Option<Violation> {
        let key = Asked::of(head).key;
        let stale = !key.is_empty() && !self.nonces.insert(key);
        stale.then(|| Violation::new(Rule::RequestKeyFresh, "the key is that of an earlier connection"))
    }

    /// What the first masking key of a connection breaks by what came before.
    fn first_mask(&mut self, transcript: &Transcript) -> Option<What> {
        let first = transcript.entries.iter().find_map(|entry| {
            let What::Frame { dir: Direction::Received, frame } = &entry.what else { return None };
            frame.mask.clone()
        })?;
        if self.masks.insert(first) {
            return None;
        }
        self.masks_again += 1;
        (self.masks_again > CHANCE).then(|| What::Violation {
            rule: "rfc6455-5.3-key-unpredictable".to_owned(),
            detail: "the first masking key is that of another connection".to_owned(),
        })
    }
}

/// Each case has random bytes of its own (FNV-1a).
fn seed_of(id: &str) -> u64 {
    id.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// What a play came to.
pub(crate) struct Played {
    pub(crate) weight: Weight,
    /// What was seen and what is said of it.
    pub(crate) record: CaseRecord,
    /// In words, for who has to find out.
    pub(crate) verdict: String,
    /// The defects at whose points of decision the endpoint was.
    pub(crate) asked: BTreeSet<Defect>,
    /// How many bytes went over the wire, both ways.
    pub(crate) bytes: u64,
}

impl Played {
    /// Whether nothing was found wrong.
    pub(crate) fn is_good(&self) -> bool {
        matches!(self.record.behavior, Behavior::Pass | Behavior::Informational)
            && matches!(self.record.close, CloseVerdict::Pass | CloseVerdict::Informational)
    }
}

/// Plays a case against an endpoint with this defect.
pub(crate) fn play(plan: &Arc<Plan>, role: Role, defect: Option<Defect>, agent: &mut Agent) -> Played {
    let seed = seed_of(plan.scenario.id.as_str());
    let wire = match role {
        Role::Server => Deviant::server(defect, seed),
        Role::Client => Deviant::client("test", "/runCase?case=1&agent=deviant", defect, seed),
    };
    let mut wire = Wire { deviant: wire, bytes: 0 };
    let limits = Limits { excess_bytes: 1 << 20, ..Limits::default() };
    let engine = match role {
        Role::Server => {
            let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
            let mut engine = Engine::connecting(Arc::clone(plan), request, limits, seed);
            engine.handle(Duration::ZERO, Input::Connected);
            engine
        }
        Role::Client => {
            // All that it says before it has a response.
            let mut said = BytesMut::new();
            while let Some(Said::Bytes(bytes)) = wire.poll() {
                said.extend_from_slice(&bytes);
            }
            let read = RequestReader::default().push(&said).expect("a head that can be read");
            let (head, rest) = read.expect("a whole request");
            let mut accepted = Accepted::new(&head, rest.freeze());
            if let Some(violation) = agent.request(&head) {
                accepted.add_violation(violation);
            }
            Engine::accepting(Arc::clone(plan), &accepted, limits, seed)
        }
    };
    let mut transcript = memory::play(engine, &mut wire);
    if role == Role::Client
        && let Some(what) = agent.first_mask(&transcript)
    {
        let at_us = transcript.entries.last().map_or(0, |entry| entry.at_us);
        transcript.entries.push(Entry { at_us, step: None, prelude: false, what });
    }
    judged(plan, role, transcript, &wire)
}

/// The endpoint, and how much went over the wire.
struct Wire {
    deviant: Deviant,
    bytes: u64,
}

impl Endpoint for Wire {
    fn receive(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.deviant.handle(deviant::Input::Bytes(bytes));
    }

    fn end_of_stream(&mut self) {
        self.deviant.handle(deviant::Input::EndOfStream);
    }

    fn poll(&mut self) -> Option<Said> {
        Some(match self.deviant.poll()? {
            Output::Write(bytes) => {
                self.bytes += bytes.len() as u64;
                Said::Bytes(bytes)
            }
            Output::ShutdownWrite => Said::EndOfStream,
            Output::Reset => Said::Reset,
        })
    }
}

fn judged(plan: &Plan, role: Role, transcript: Transcript, wire: &Wire) -> Played {
    let judgement = judge(plan, role, &transcript);
    let record = CaseRecord {
        id: plan.scenario.id.to_string(),
        role: match role {
            Role::Server => record::Role::Server,
            Role::Client => record::Role::Client,
        },
        carrier: "memory".to_owned(),
        behavior: judgement.behavior,
        close: judgement.close,
        close_code: judgement.close_code,
        duration_ms: 0.0,
        findings: judgement.findings,
        when_busy: None,
        repeats: None,
        adapted: None,
        expected: None,
        repeat: String::new(),
        transcript,
    };
    let findings: Vec<_> = record
        .findings
        .iter()
        .map(|finding| format!("{}: expected {}, saw {}", finding.rule, finding.expected, finding.observed))
        .collect();
    Played {
        weight: Weight::of(&record),
        verdict: format!("{}/{:?}: {}", record.behavior, record.close, findings.join("; ")),
        record,
        asked: wire.deviant.asked().collect(),
        bytes: wire.bytes,
    }
}
