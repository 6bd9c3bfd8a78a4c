//! The codec's own endpoint in memory: an echo with the opening handshake of the reference server and client, and with
//! preferences that are its right.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use wsgrade::carrier::memory::{self, Endpoint, Said};
use wsgrade::engine::{Accepted, Engine, Input, Limits, Request};
use wsgrade::judge::{Judgement, judge};
use wsgrade::plan::Plan;
use wsgrade_codec::Role;
use wsgrade_codec::deflate::{self, Offer, Params, Support, WindowBits};
use wsgrade_codec::endpoint::{Config, Endpoint as Codec, Event};
use wsgrade_codec::handshake::{
    Agreement, ClientHello, Extension, RequestHead, RequestReader, ResponseReader, refuse,
};

/// What is an endpoint's to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It takes whatever is lawful. As a client it offers permessage-deflate in the way of browsers.
    Open,
    /// It serves one resource on one host to nobody in particular, and refuses whatever else it may. As a client it asks all
    /// that an offer can ask.
    Particular,
    /// It knows no extensions and one subprotocol.
    Plain,
}

impl Manner {
    pub(crate) const ALL: [Self; 3] = [Self::Open, Self::Particular, Self::Plain];

    fn offers(self) -> Vec<Offer> {
        match self {
            Self::Open => vec![Offer { client_max_window_bits: Some(None), ..Offer::default() }],
            Self::Particular => vec![Offer {
                server_no_context_takeover: true,
                server_max_window_bits: WindowBits::new(9),
                ..Offer::default()
            }],
            Self::Plain => Vec::new(),
        }
    }

    /// The status with which a lawful request is refused, if it is.
    fn refuses(self, head: &RequestHead, extensions: &[Extension]) -> Option<u16> {
        let there = |name| head.headers.get(name).is_some();
        let bad = |extension: &Extension| extension.name == deflate::NAME && Offer::parse(extension).is_err();
        let dislikes = match self {
            Self::Open | Self::Plain => Vec::new(),
            Self::Particular => vec![
                (head.target != "/" && head.target != "http://test/", 404),
                (head.headers.get("Host") != Some(b"test"), 421),
                (there("Origin"), 403),
                (there("Authorization"), 401),
                (there("Sec-WebSocket-Protocol") || extensions.iter().any(bad), 400),
            ],
        };
        let body =
            there("Transfer-Encoding") || head.headers.all("Content-Length").any(|value| value != b"0");
        let first = dislikes.into_iter().find(|(is, _)| *is).map(|(_, status)| status);
        first.or(body.then_some(400))
    }
}

#[derive(Debug)]
enum Phase {
    Serving(RequestReader),
    Asking(ResponseReader, ClientHello),
    Open(Box<Codec>),
    Over,
}

struct Echo {
    manner: Manner,
    role: Role,
    phase: Phase,
    said: VecDeque<Said>,
}

impl Echo {
    fn new(role: Role, manner: Manner) -> Self {
        let mut said = VecDeque::new();
        let phase = match role {
            Role::Server => Phase::Serving(RequestReader::default()),
            Role::Client => {
                let mut hello = ClientHello::new("test", "/", *b"0123456789abcdef");
                hello.extensions = manner.offers().iter().map(Offer::to_extension).collect();
                if manner == Manner::Plain {
                    hello.subprotocols = vec!["chat".to_owned()];
                }
                said.push_back(Said::Bytes(Bytes::from(hello.encode().expect("plain values"))));
                Phase::Asking(ResponseReader::default(), hello)
            }
        };
        Self { manner, role, phase, said }
    }

    fn open(&mut self, deflate: Option<Params>, rest: &[u8]) {
        let config = Config { deflate, ..Config::new(self.role) };
        let mut random = fastrand::Rng::with_seed(7);
        let codec = Codec::new(config, move || random.u32(..).to_be_bytes());
        self.phase = Phase::Open(Box::new(codec));
        self.hear(rest);
    }

    fn over(&mut self, response: Option<Vec<u8>>) {
        self.said.extend(response.map(|response| Said::Bytes(Bytes::from(response))));
        self.said.push_back(Said::EndOfStream);
        self.phase = Phase::Over;
    }

    fn hear(&mut self, bytes: &[u8]) {
        let Phase::Open(codec) = &mut self.phase else { return };
        codec.receive(bytes);
        self.go_on();
    }

    fn go_on(&mut self) {
        let Phase::Open(codec) = &mut self.phase else { return };
        while let Some(event) = codec.poll_event() {
            if let Event::Message(message) = event {
                // Behind a Close nothing is sent.
                let _ = codec.send(message);
            }
        }
        let mut wire = Vec::new();
        codec.drain_into(&mut wire);
        if !wire.is_empty() {
            self.said.push_back(Said::Bytes(Bytes::from(wire)));
        }
        if codec.should_end_tcp() {
            self.over(None);
        }
    }

    fn answer(&mut self, head: &RequestHead, rest: &[u8]) {
        let request = match head.validate() {
            Ok(request) => request,
            Err(error) => return self.over(Some(error.response())),
        };
        if let Some(status) = self.manner.refuses(head, &request.extensions) {
            return self.over(Some(refuse(status, &[], "not here")));
        }
        let agreed = match self.manner {
            Manner::Open | Manner::Particular => deflate::negotiate(&request.extensions, &Support::default()),
            Manner::Plain => None,
        };
        let (params, extension) = agreed.unzip();
        let subprotocol = match self.manner {
            Manner::Plain => request.subprotocols.last().cloned(),
            Manner::Open | Manner::Particular => None,
        };
        let extensions = extension.into_iter().collect();
        let agreement = Agreement { subprotocol, extensions, headers: Vec::new() };
        let response = request.accept(&agreement).expect("a lawful agreement");
        self.said.push_back(Said::Bytes(Bytes::from(response)));
        self.open(params, rest);
    }
}

impl Endpoint for Echo {
    fn receive(&mut self, bytes: &[u8]) {
        match &mut self.phase {
            Phase::Serving(reader) => match reader.push(bytes) {
                Ok(None) => {}
                Ok(Some((head, rest))) => self.answer(&head, &rest),
                Err(error) => {
                    self.over(Some(wsgrade_codec::handshake::RequestError::from(error).response()));
                }
            },
            Phase::Asking(reader, hello) => match reader.push(bytes) {
                Ok(None) => {}
                Ok(Some((head, rest))) => {
                    let agreed = head.validate(hello).ok().and_then(|agreed| {
                        deflate::accept_response(&agreed.extensions, &self.manner.offers()).ok()
                    });
                    match agreed {
                        Some(params) => self.open(params, &rest),
                        None => self.over(None),
                    }
                }
                Err(_) => self.over(None),
            },
            Phase::Open(_) => self.hear(bytes),
            Phase::Over => {}
        }
    }

    fn end_of_stream(&mut self) {
        match &mut self.phase {
            Phase::Serving(_) | Phase::Asking(..) => self.over(None),
            Phase::Open(codec) => {
                codec.eof();
                self.go_on();
            }
            Phase::Over => {}
        }
    }

    fn poll(&mut self) -> Option<Said> {
        self.said.pop_front()
    }
}

/// Plays a case against such an endpoint.
pub(crate) fn play(plan: &Arc<Plan>, role: Role, manner: Manner) -> Judgement {
    let mut echo = Echo::new(role, manner);
    let engine = match role {
        Role::Server => {
            let request = Request { host: "test".to_owned(), target: "/".to_owned(), ..Request::default() };
            let mut engine = Engine::connecting(Arc::clone(plan), request, Limits::default(), 5);
            engine.handle(Duration::ZERO, Input::Connected);
            engine
        }
        Role::Client => {
            let mut request = BytesMut::new();
            while let Some(Said::Bytes(bytes)) = echo.poll() {
                request.extend_from_slice(&bytes);
            }
            let head = RequestHead::parse(request.freeze(), &Default::default()).expect("a whole request");
            Engine::accepting(Arc::clone(plan), &Accepted::new(&head, Bytes::new()), Limits::default(), 5)
        }
    };
    judge(plan, role, &memory::play(engine, &mut echo))
}
