//! Generator, oracle, engine and judge against strict endpoints: what is made of any bytes, and what the oracle says is
//! right in it, is what they do.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;
use wsgrade::carrier::drive;
use wsgrade::carrier::memory::{self, Endpoint, Said};
use wsgrade::engine::{Accepted, Engine, Input, Limits, Request};
use wsgrade::generate::{Brief, generate, mutate};
use wsgrade::judge::judge;
use wsgrade::oracle;
use wsgrade::plan::Plan;
use wsgrade::signature::Signature;
use wsgrade_cases::model::{Need, Role, Scenario};
use wsgrade_cases::{Catalogue, Register, lint, load, write};
use wsgrade_codec::handshake::RequestReader;
use wsgrade_reference_server::deviant::{self, Deviant, Output};
use wsgrade_reference_server::{Config, serve_stream};
use wsgrade_reports::record::{Behavior, Transcript};

/// How much is on its way between engine and server at most.
const PIPE: usize = 64 << 10;

/// The first byte says what is made of the rest:
///
/// | bit | 0 | 1 |
/// |---|---|---|
/// | 0 | for a server | for a client |
/// | 1 | without compression | with permessage-deflate |
/// | 2 | what is said on an open connection | the opening handshake too |
/// | 3 | made of the rest | two cases of the catalogue, of the next four bytes, changed by the rest |
///
/// The reference server on a stream of its own, and the strict endpoint in either role, are right by the oracle; completing twice
/// is completing once; and the scenario is a case, which is written and read again the same.
pub(crate) fn scenario(data: &[u8]) {
    let Some((flags, rest)) = data.split_first() else { return };
    let role = if flags & 1 == 0 { Role::Server } else { Role::Client };
    let brief = Brief { role, deflate: flags & 2 != 0, openings: flags & 4 != 0 };
    let scenario = match rest {
        [a, b, c, d, rest @ ..] if flags & 8 != 0 => mutate(&brief, case([*a, *b]), case([*c, *d]), rest),
        _ => generate(&brief, rest),
    };
    assert_eq!(oracle::complete(&scenario, role), scenario, "completing twice is completing once");
    is_a_case(&scenario);
    if scenario.needs.contains(&Need::Tls) {
        return;
    }
    let plan = Plan::alone(scenario);
    is_right(&plan, role, &with_strict(&plan, role));
    if role == Role::Server {
        is_right(&plan, role, &with_reference_server(&plan));
    }
}

fn case(number: [u8; 2]) -> &'static Scenario {
    let all = Catalogue::embedded().scenarios();
    &all[usize::from(u16::from_be_bytes(number)) % all.len()]
}

fn is_a_case(scenario: &Scenario) {
    let text = write::section(scenario.id.as_str(), "T") + &write::scenario(scenario);
    let again = load::read("a.toml", &text).expect("what was written can be read");
    assert_eq!(again.scenarios[0].0, *scenario, "{text}");
    let findings = lint::check(scenario, Register::embedded());
    assert!(findings.is_empty(), "{findings:?} in\n{text}");
}

fn is_right(plan: &Plan, role: Role, transcript: &Transcript) {
    let judgement = judge(plan, role, transcript);
    let wrong = Signature::of(&plan.scenario, &judgement);
    let inconclusive = judgement.behavior == Behavior::Inconclusive;
    assert!(
        wrong.is_none() && !inconclusive,
        "{wrong:?}: {:?} in\n{}",
        judgement.findings,
        write::scenario(&plan.scenario)
    );
}

fn request() -> Request {
    Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() }
}

/// The endpoint that the catalogue is proved with, without a defect.
struct Strict(Deviant);

impl Endpoint for Strict {
    fn receive(&mut self, bytes: &[u8]) {
        self.0.handle(deviant::Input::Bytes(bytes));
    }

    fn end_of_stream(&mut self) {
        self.0.handle(deviant::Input::EndOfStream);
    }

    fn poll(&mut self) -> Option<Said> {
        Some(match self.0.poll()? {
            Output::Write(bytes) => Said::Bytes(bytes),
            Output::ShutdownWrite => Said::EndOfStream,
            Output::Reset => Said::Reset,
        })
    }
}

fn with_strict(plan: &Arc<Plan>, role: Role) -> Transcript {
    let limits = Limits::default();
    match role {
        Role::Server => {
            let mut engine = Engine::connecting(Arc::clone(plan), request(), limits, 1);
            engine.handle(Duration::ZERO, Input::Connected);
            memory::play(engine, &mut Strict(Deviant::server(None, 1)))
        }
        Role::Client => {
            let mut client = Strict(Deviant::client("test", "/", None, 1));
            let mut said = BytesMut::new();
            while let Some(Said::Bytes(bytes)) = client.poll() {
                said.extend_from_slice(&bytes);
            }
            let read = RequestReader::default().push(&said).expect("a head that can be read");
            let (head, rest) = read.expect("a whole request");
            let accepted = Accepted::new(&head, rest.freeze());
            memory::play(Engine::accepting(Arc::clone(plan), &accepted, limits, 1), &mut client)
        }
    }
}

/// In virtual time: nobody sleeps.
fn with_reference_server(plan: &Arc<Plan>) -> Transcript {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime without I/O");
    runtime.block_on(async {
        let (mut ours, theirs) = tokio::io::duplex(PIPE);
        let config = Config::default();
        let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let play = async {
            let limits = Limits::default();
            let stall = limits.answer;
            let mut engine = Engine::connecting(Arc::clone(plan), request(), limits, 1);
            engine.handle(Duration::ZERO, Input::Connected);
            drive(&mut engine, &mut ours, Instant::now(), stall).await;
            drop(ours);
            engine.into_transcript()
        };
        tokio::join!(play, serve_stream(theirs, nobody, &config)).0
    })
}
