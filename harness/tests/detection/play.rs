//! One case against the deviant endpoint, in memory and in virtual time.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use wsgrade::engine::{Accepted, Action, Engine, Input, Limits, Request};
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

/// How long a write takes to arrive.
const LATENCY: Duration = Duration::from_micros(10);

/// What a play came to.
pub(crate) struct Played {
    pub(crate) weight: Weight,
    pub(crate) behavior: Behavior,
    pub(crate) close: CloseVerdict,
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
        matches!(self.behavior, Behavior::Pass | Behavior::Informational)
            && matches!(self.close, CloseVerdict::Pass | CloseVerdict::Informational)
    }
}

/// Plays a case against an endpoint with this defect.
pub(crate) fn play(plan: &Arc<Plan>, role: Role, defect: Option<Defect>, agent: &mut Agent) -> Played {
    let seed = seed_of(plan.scenario.id.as_str());
    let mut wire = match role {
        Role::Server => Wire::new(Deviant::server(defect, seed)),
        Role::Client => Wire::new(Deviant::client("test", "/runCase?case=1&agent=deviant", defect, seed)),
    };
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
            while let Some(Input::Received(bytes)) = wire.next() {
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
    let mut transcript = converse(engine, &mut wire, plan);
    if role == Role::Client
        && let Some(what) = agent.first_mask(&transcript)
    {
        let at_us = transcript.entries.last().map_or(0, |entry| entry.at_us);
        transcript.entries.push(Entry { at_us, step: None, prelude: false, what });
    }
    judged(plan, role, transcript, &wire)
}

/// The endpoint, and what it sent that did not arrive yet.
struct Wire {
    deviant: Deviant,
    out: VecDeque<Input>,
    bytes: u64,
}

impl Wire {
    fn new(deviant: Deviant) -> Self {
        let mut wire = Self { deviant, out: VecDeque::new(), bytes: 0 };
        wire.collect();
        wire
    }

    fn give(&mut self, input: deviant::Input<'_>) {
        if let deviant::Input::Bytes(bytes) = input {
            self.bytes += bytes.len() as u64;
        }
        self.deviant.handle(input);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(output) = self.deviant.poll() {
            self.out.push_back(match output {
                Output::Write(bytes) => {
                    self.bytes += bytes.len() as u64;
                    Input::Received(bytes)
                }
                Output::ShutdownWrite => Input::EndOfStream,
                Output::Reset => Input::Reset,
            });
        }
    }

    fn next(&mut self) -> Option<Input> {
        self.out.pop_front()
    }
}

fn converse(mut engine: Engine, wire: &mut Wire, plan: &Plan) -> Transcript {
    let mut now = Duration::ZERO;
    for _ in 0..10_000_000 {
        match engine.poll(now) {
            Action::Write(bytes) => give(wire, &bytes),
            // Only cases of resilience do this, which are not played here.
            Action::Offer(..) | Action::Read(_) => panic!("{} puts under stress", plan.scenario.id),
            Action::Wait(until) => match wire.next() {
                Some(input) => {
                    now += LATENCY;
                    engine.handle(now, input);
                }
                None => {
                    assert!(until > now, "waits for what has passed: {until:?} at {now:?}");
                    now = until;
                    engine.handle(now, Input::Tick);
                }
            },
            Action::ShutdownWrite => wire.give(deviant::Input::EndOfStream),
            Action::Abort | Action::Finish => return engine.into_transcript(),
        }
    }
    panic!("{} never ends", plan.scenario.id);
}

/// As a socket does it: what is read at once has a bound.
fn give(wire: &mut Wire, bytes: &Bytes) {
    for read in bytes.chunks(64 << 10) {
        wire.give(deviant::Input::Bytes(read));
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
        adapted: None,
        repeat: String::new(),
        transcript: Transcript::default(),
    };
    let findings: Vec<_> = record
        .findings
        .iter()
        .map(|finding| format!("{}: expected {}, saw {}", finding.rule, finding.expected, finding.observed))
        .collect();
    Played {
        weight: Weight::of(&record),
        behavior: record.behavior,
        close: record.close,
        verdict: format!("{}/{:?}: {}", record.behavior, record.close, findings.join("; ")),
        asked: wire.deviant.asked().collect(),
        bytes: wire.bytes,
    }
}
