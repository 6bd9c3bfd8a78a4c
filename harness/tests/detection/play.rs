//! One case against the deviant endpoint, in memory and in virtual time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wsgrade::engine::{Accepted, Action, Engine, Input, Limits, Request};
use wsgrade::judge::judge;
use wsgrade::plan::Plan;
use wsgrade_codec::Role;
use wsgrade_codec::handshake::RequestReader;
use wsgrade_reference_server::deviant::{self, Defect, Deviant, Output};
use wsgrade_reports::grade::Weight;
use wsgrade_reports::record::{self, Behavior, CaseRecord, CloseVerdict, Transcript};

/// The random bytes of every play.
const SEED: u64 = 7;

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
pub(crate) fn play(plan: &Arc<Plan>, role: Role, defect: Option<Defect>) -> Played {
    let mut wire = match role {
        Role::Server => Wire::new(Deviant::server(defect, SEED)),
        Role::Client => Wire::new(Deviant::client("test", "/runCase?case=1&agent=deviant", defect, SEED)),
    };
    let limits = Limits { excess_bytes: 1 << 20, ..Limits::default() };
    let engine = match role {
        Role::Server => {
            let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
            let mut engine = Engine::connecting(Arc::clone(plan), request, limits, SEED);
            engine.handle(Duration::ZERO, Input::Connected);
            engine
        }
        Role::Client => {
            let mut reader = RequestReader::default();
            let (head, rest) = loop {
                match wire.next() {
                    Some(Input::Received(bytes)) => {
                        if let Some(request) = reader.push(&bytes).expect("a head that can be read") {
                            break request;
                        }
                    }
                    other => panic!("no request: {other:?}"),
                }
            };
            Engine::accepting(Arc::clone(plan), &Accepted::new(&head, rest.freeze()), limits, SEED)
        }
    };
    let transcript = converse(engine, &mut wire, plan);
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
