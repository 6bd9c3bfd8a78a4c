//! How fast scenarios are made and played in memory, and whether an endpoint without a defect is ever found wrong.
//!
//! ```text
//! cargo run --release -p wsgrade --example generated -- [SCENARIOS [SEED]]
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use wsgrade::carrier::memory::{self, Endpoint, Said};
use wsgrade::engine::{Accepted, Engine, Input, Limits, Request};
use wsgrade::generate::{Brief, generate, mutate};
use wsgrade::judge::judge;
use wsgrade::plan::Plan;
use wsgrade::signature::Signature;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::{Catalogue, write};
use wsgrade_codec::Role;
use wsgrade_codec::handshake::RequestReader;
use wsgrade_reference_server::deviant::{self, Deviant, Output};

/// So many findings are shown, each of so many letters at most.
const SHOWN: u32 = 4;
const LETTERS: usize = 3000;
/// What takes longer waits for something. So many rules over which are listed.
const SHORT: Duration = Duration::from_millis(5);
const LISTED: usize = 12;
/// How many bytes a scenario is made of.
const BYTES: usize = 256;

/// The endpoint, and how long it had the word.
struct Peer {
    deviant: Deviant,
    took: Duration,
}

impl Endpoint for Peer {
    fn receive(&mut self, bytes: &[u8]) {
        let began = Instant::now();
        self.deviant.handle(deviant::Input::Bytes(bytes));
        self.took += began.elapsed();
    }

    fn end_of_stream(&mut self) {
        self.deviant.handle(deviant::Input::EndOfStream);
    }

    fn poll(&mut self) -> Option<Said> {
        Some(match self.deviant.poll()? {
            Output::Write(bytes) => Said::Bytes(bytes),
            Output::ShutdownWrite => Said::EndOfStream,
            Output::Reset => Said::Reset,
        })
    }
}

/// Times of the stages, in their order.
const STAGES: [&str; 5] = ["made", "planned", "played by us", "played by the endpoint", "judged"];

fn engine(plan: &Arc<Plan>, role: Role, peer: &mut Peer, seed: u64) -> Engine {
    // Those of a campaign.
    let second = Duration::from_secs(1);
    let silence = Duration::from_millis(100);
    let limits = Limits {
        excess_bytes: 1 << 20,
        answer: second,
        close: second,
        opening: second,
        silence,
        ..Limits::default()
    };
    match role {
        Role::Server => {
            let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
            let mut engine = Engine::connecting(Arc::clone(plan), request, limits, seed);
            engine.handle(Duration::ZERO, Input::Connected);
            engine
        }
        Role::Client => {
            let mut said = BytesMut::new();
            while let Some(Said::Bytes(bytes)) = peer.poll() {
                said.extend_from_slice(&bytes);
            }
            let read = RequestReader::default().push(&said).expect("a head that can be read");
            let (head, rest) = read.expect("a whole request");
            Engine::accepting(Arc::clone(plan), &Accepted::new(&head, rest.freeze()), limits, seed)
        }
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |otherwise| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let (scenarios, seed): (u64, u64) = (number(100_000), number(1));
    for role in [Role::Server, Role::Client] {
        let brief = Brief { role, deflate: true, openings: true };
        let mut random = fastrand::Rng::with_seed(seed);
        // Cases of the catalogue among them, as in a campaign.
        let mut kept: Vec<Scenario> = Catalogue::embedded()
            .scenarios()
            .iter()
            .filter(|case| case.roles.contains(&role))
            .cloned()
            .collect();
        let mut took = [Duration::ZERO; STAGES.len()];
        let mut wrong = 0;
        let mut waits: BTreeMap<String, (u64, Duration)> = BTreeMap::new();
        for n in 0..scenarios {
            let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BYTES).collect();
            let began = Instant::now();
            let scenario = if n % 2 == 1 {
                let [one, other] = [(); 2].map(|()| random.usize(..kept.len()));
                mutate(&brief, &kept[one], &kept[other], &bytes)
            } else {
                generate(&brief, &bytes)
            };
            took[0] += began.elapsed();
            if n % 16 == 0 {
                let at = random.usize(..kept.len());
                kept[at] = scenario.clone();
            }
            let began = Instant::now();
            let plan = Plan::alone(scenario);
            took[1] += began.elapsed();
            let deviant = match role {
                Role::Server => Deviant::server(None, n),
                Role::Client => Deviant::client("test", "/", None, n),
            };
            let mut peer = Peer { deviant, took: Duration::ZERO };
            let began = Instant::now();
            let engine = engine(&plan, role, &mut peer, n);
            let transcript = memory::play(engine, &mut peer);
            took[2] += began.elapsed().saturating_sub(peer.took);
            took[3] += peer.took;
            let waited = Duration::from_micros(transcript.entries.last().map_or(0, |entry| entry.at_us));
            if waited > SHORT {
                let rule = plan.scenario.rules.first().map(ToString::to_string).unwrap_or_default();
                let known = waits.entry(rule).or_default();
                *known = (known.0 + 1, known.1 + waited);
            }
            let began = Instant::now();
            let judgement = judge(&plan, role, &transcript);
            let found = Signature::of(&plan.scenario, &judgement);
            took[4] += began.elapsed();
            if let Some(found) = found {
                wrong += 1;
                if wrong <= SHOWN {
                    let text: String = write::scenario(&plan.scenario).chars().take(LETTERS).collect();
                    println!("{found}\n{:?}\n{text}", judgement.findings);
                }
            }
        }
        let each = |time: Duration| time.as_secs_f64() * 1e6 / scenarios as f64;
        println!("{role}: {scenarios} scenarios, {wrong} found wrong");
        for (stage, time) in STAGES.iter().zip(took) {
            println!("  {stage:<24} {:6.1} µs", each(time));
        }
        println!("  {:<24} {:6.1} µs", "in all", each(took.iter().sum()));
        let mut waits: Vec<_> = waits.into_iter().collect();
        waits.sort_by_key(|(_, (_, time))| std::cmp::Reverse(*time));
        let waited = waits.iter().map(|(_, (_, time))| *time).sum();
        println!("  {:<24} {:6.1} µs, of which the most over", "waited in vain", each(waited));
        for (rule, (count, time)) in waits.iter().take(LISTED) {
            println!("    {rule:<44} {count:>6} × {:6.1} ms", time.as_secs_f64() * 1e3 / *count as f64);
        }
    }
}
