//! Scenarios that nobody wrote, against a server that others wrote: what is found is what it does wrong, and nothing else.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio_tungstenite::tungstenite::handshake::MidHandshake;
use tokio_tungstenite::tungstenite::handshake::server::NoCallback;
use tokio_tungstenite::tungstenite::{self, Error, HandshakeError, Message, ServerHandshake, WebSocket};
use wsgrade::carrier::memory::{self, Endpoint, Said};
use wsgrade::engine::{Engine, Input, Limits, Request};
use wsgrade::generate::{Brief, generate};
use wsgrade::judge::judge;
use wsgrade::plan::Plan;
use wsgrade::signature::Signature;
use wsgrade_cases::model::Scenario;
use wsgrade_cases::write;
use wsgrade_codec::Role;

/// How many scenarios are played.
const SCENARIOS: usize = 4_000;
/// How many bytes a scenario is made of.
const BYTES: usize = 256;

/// What tungstenite does wrong, by the sentence of each signature.
const KNOWN: [(&str, &str); 2] = [
    (
        "non-strict, took against rfc6455-5.2-minimal-length",
        "it takes lengths that are not in the shortest form, as case F.7 says of it",
    ),
    (
        "pass, failing the connection, close dropped",
        "it gives its user an error, and the Close that SHOULD be sent is left to that user, who here drops the connection",
    ),
];

/// A stream that has what was put into it, and keeps what is written.
#[derive(Clone, Default)]
struct Pipe(Rc<RefCell<Ends>>);

#[derive(Default)]
struct Ends {
    input: VecDeque<u8>,
    ended: bool,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ends = self.0.borrow_mut();
        match (ends.input.is_empty(), ends.ended) {
            (true, false) => Err(io::ErrorKind::WouldBlock.into()),
            (true, true) | (false, _) => ends.input.read(buffer),
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().output.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An echo on tungstenite, as its own example has it.
struct Peer {
    pipe: Pipe,
    stage: Stage,
    said: VecDeque<Said>,
}

enum Stage {
    Start,
    Opening(Box<MidHandshake<ServerHandshake<Pipe, NoCallback>>>),
    Open(Box<WebSocket<Pipe>>),
    Over,
}

impl Peer {
    fn new() -> Self {
        Self { pipe: Pipe::default(), stage: Stage::Start, said: VecDeque::new() }
    }

    /// Goes on until nothing is left to read.
    fn run(&mut self) {
        let mut goes_on = true;
        while goes_on {
            let opening = match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Start => tungstenite::accept(self.pipe.clone()),
                Stage::Opening(opening) => opening.handshake(),
                Stage::Open(socket) => {
                    goes_on = self.echo(socket);
                    continue;
                }
                Stage::Over => break,
            };
            match opening {
                Ok(socket) => self.stage = Stage::Open(Box::new(socket)),
                Err(HandshakeError::Interrupted(opening)) => {
                    self.stage = Stage::Opening(Box::new(opening));
                    goes_on = false;
                }
                Err(HandshakeError::Failure(_)) => self.end(),
            }
        }
        self.say();
    }

    /// Reads one message and sends it back; whether there may be more.
    fn echo(&mut self, mut socket: Box<WebSocket<Pipe>>) -> bool {
        let done = socket.read().and_then(|message| match message {
            Message::Text(_) | Message::Binary(_) => socket.send(message),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => socket.flush(),
        });
        match done {
            Ok(()) => {
                self.stage = Stage::Open(socket);
                true
            }
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                self.stage = Stage::Open(socket);
                false
            }
            Err(_) => {
                self.end();
                false
            }
        }
    }

    fn say(&mut self) {
        let output = std::mem::take(&mut self.pipe.0.borrow_mut().output);
        if !output.is_empty() {
            self.said.push_back(Said::Bytes(output.into()));
        }
    }

    fn end(&mut self) {
        self.say();
        self.said.push_back(Said::EndOfStream);
    }
}

impl Endpoint for Peer {
    fn receive(&mut self, bytes: &[u8]) {
        self.pipe.0.borrow_mut().input.extend(bytes);
        self.run();
    }

    fn end_of_stream(&mut self) {
        self.pipe.0.borrow_mut().ended = true;
        self.run();
    }

    fn poll(&mut self) -> Option<Said> {
        self.said.pop_front()
    }
}

fn found(scenario: &Scenario, seed: u64) -> Option<Signature> {
    let plan = Plan::alone(scenario.clone());
    let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
    let mut engine = Engine::connecting(Arc::clone(&plan), request, Limits::default(), seed);
    engine.handle(Duration::ZERO, Input::Connected);
    let transcript = memory::play(engine, &mut Peer::new());
    Signature::of(scenario, &judge(&plan, Role::Server, &transcript))
}

#[test]
fn a_server_of_others_is_found_wrong_in_what_it_does_wrong_alone() {
    let brief = Brief { role: Role::Server, deflate: false, openings: false };
    let mut random = fastrand::Rng::with_seed(5);
    let mut all: BTreeMap<String, Scenario> = BTreeMap::new();
    for seed in 0..SCENARIOS as u64 {
        let bytes: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(BYTES).collect();
        let scenario = generate(&brief, &bytes);
        if let Some(signature) = found(&scenario, seed) {
            all.entry(signature.to_string()).or_insert(scenario);
        }
    }
    for (signature, scenario) in &all {
        let known = KNOWN.iter().any(|(known, _)| known == signature);
        assert!(known, "{signature}\n{}", write::scenario(scenario));
    }
    for (known, reason) in KNOWN {
        assert!(all.contains_key(known), "no longer so: {known}, because {reason}");
    }
}
