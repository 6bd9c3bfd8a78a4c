//! The endpoint: opening handshake, then conversation.

use wsgrade_codec::Role;

use super::ask::Asking;
use super::conversation::Conversation;
use super::defect::Nature;
use super::serve::{Opened, Serving};
use super::speak::{Output, Speaker};
use super::table::Defect;

/// Something that happened to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// These bytes were read at once.
    Bytes(&'a [u8]),
    /// The peer ended its side of TCP.
    EndOfStream,
}

/// An echo that is strict but for one defect, in either role.
///
/// Give it what happens with [`handle`](Self::handle), and do what [`poll`](Self::poll) says until it says nothing
/// more. Nothing that it does depends on time, so it is told none; how long to wait for a peer is the caller's matter.
#[derive(Debug)]
pub struct Deviant {
    role: Role,
    nature: Nature,
    speaker: Speaker,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Serving(Box<Serving>),
    Asking(Box<Asking>),
    Open(Box<Conversation>),
    Over,
}

impl Deviant {
    /// A server with this defect; a strict one without.
    #[must_use]
    pub fn server(defect: Option<Defect>, seed: u64) -> Self {
        let speaker = Speaker::new(Role::Server, seed);
        Self {
            role: Role::Server,
            nature: Nature::new(defect),
            speaker,
            phase: Phase::Serving(Box::default()),
        }
    }

    /// A client with this defect; a strict one without. It asks for `target` at once. `seed` decides its nonce and
    /// its masks.
    #[must_use]
    pub fn client(host: &str, target: &str, defect: Option<Defect>, seed: u64) -> Self {
        let mut speaker = Speaker::new(Role::Client, seed);
        let nature = Nature::new(defect);
        let asking = Asking::new(host, target, &mut speaker, &nature);
        Self { role: Role::Client, nature, speaker, phase: Phase::Asking(Box::new(asking)) }
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, input: Input<'_>) {
        match input {
            Input::Bytes(bytes) => self.read(bytes),
            Input::EndOfStream => match &mut self.phase {
                Phase::Serving(_) | Phase::Asking(_) => {
                    self.speaker.push(Output::ShutdownWrite);
                    self.phase = Phase::Over;
                }
                Phase::Open(conversation) => conversation.end_of_stream(&mut self.speaker),
                Phase::Over => {}
            },
        }
    }

    /// The next thing to do; `None` until something more happens.
    pub fn poll(&mut self) -> Option<Output> {
        self.speaker.poll()
    }

    /// Whether the opening handshake is over, well or not.
    #[must_use]
    pub fn is_opened(&self) -> bool {
        match self.phase {
            Phase::Serving(_) | Phase::Asking(_) => false,
            Phase::Open(_) | Phase::Over => true,
        }
    }

    /// The defects at whose points of decision it was so far. What it did does not depend on any other: an endpoint
    /// that has one of the others would have done the same.
    pub fn asked(&self) -> impl Iterator<Item = Defect> {
        self.nature.asked()
    }

    fn read(&mut self, bytes: &[u8]) {
        let opened = match &mut self.phase {
            Phase::Serving(serving) => serving.take(bytes, &mut self.speaker, &self.nature),
            Phase::Asking(asking) => asking.take(bytes, &mut self.speaker, &self.nature),
            Phase::Open(conversation) => {
                return conversation.take(bytes, &mut self.speaker, &self.nature);
            }
            Phase::Over => return,
        };
        match opened {
            Opened::NotYet => {}
            Opened::Failed => self.phase = Phase::Over,
            Opened::Open { agreed, rest } => {
                let mut conversation =
                    Box::new(Conversation::new(self.role, agreed, &mut self.speaker, &self.nature));
                conversation.take(&rest, &mut self.speaker, &self.nature);
                self.phase = Phase::Open(conversation);
            }
        }
    }
}
