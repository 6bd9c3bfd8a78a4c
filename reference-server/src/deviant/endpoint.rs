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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Moves what one says to the other; gives how many bytes that were, and whether TCP was ended.
    fn pass(from: &mut Deviant, to: &mut Deviant) -> (usize, bool) {
        let (mut bytes, mut ended) = (0, false);
        while let Some(output) = from.poll() {
            match output {
                Output::Write(said) => {
                    bytes += said.len();
                    to.handle(Input::Bytes(&said));
                }
                Output::ShutdownWrite | Output::Reset => {
                    ended = true;
                    to.handle(Input::EndOfStream);
                }
            }
        }
        (bytes, ended)
    }

    /// Lets the two talk until neither has more to say; gives whether both ended TCP, and `None` if they never stop.
    fn talk(client: &mut Deviant, server: &mut Deviant) -> Option<bool> {
        let mut ended = [false; 2];
        for _ in 0..100 {
            let (said, client_ended) = pass(client, server);
            let (answered, server_ended) = pass(server, client);
            ended = [ended[0] || client_ended, ended[1] || server_ended];
            if said + answered == 0 {
                return Some(ended == [true; 2]);
            }
        }
        None
    }

    /// What a peer of the server says behind the handshake: a ping, and a Close with its code, masked with zero.
    const LAST_WORDS: &[u8] = b"\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8";

    #[test]
    fn two_strict_ones_open_and_close() {
        let (mut client, mut server) = (Deviant::client("host", "/", None, 1), Deviant::server(None, 2));
        assert_eq!(talk(&mut client, &mut server), Some(false));
        assert!(client.is_opened() && server.is_opened());
        server.handle(Input::Bytes(LAST_WORDS));
        assert_eq!(talk(&mut client, &mut server), Some(true));
        // Nothing is said when all is said.
        server.handle(Input::Bytes(LAST_WORDS));
        assert_eq!(server.poll(), None);
    }

    #[test]
    fn whatever_the_defect_there_is_an_end_to_it() {
        for defect in Defect::ALL.iter().filter(|defect| !defect.needs_process()) {
            let of = |role| defect.roles().has(role).then_some(*defect);
            let mut client = Deviant::client("host", "/", of(Role::Client), 1);
            let mut server = Deviant::server(of(Role::Server), 2);
            assert!(talk(&mut client, &mut server).is_some(), "{defect}");
            server.handle(Input::Bytes(LAST_WORDS));
            client.handle(Input::Bytes(b"\x89\x00\x88\x02\x03\xe8"));
            assert!(talk(&mut client, &mut server).is_some(), "{defect}");
        }
    }

    /// The law that `asked` states, which what is left out of a test rests on.
    #[test]
    fn a_defect_that_was_not_asked_for_changes_nothing() {
        let wire = [
            &b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
               Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"[..],
            b"\x81\x82\0\0\0\0Hi",
            LAST_WORDS,
        ];
        let played = |defect| {
            let mut server = Deviant::server(defect, 3);
            let mut outputs = Vec::new();
            for read in wire {
                server.handle(Input::Bytes(read));
                outputs.extend(std::iter::from_fn(|| server.poll()));
            }
            (outputs, server.asked().collect::<BTreeSet<_>>())
        };
        let (strict, asked) = played(None);
        let mut different = 0;
        for defect in Defect::ALL.iter().filter(|defect| defect.roles().has(Role::Server)) {
            let same = played(Some(*defect)).0 == strict;
            assert!(same || asked.contains(defect), "{defect}");
            different += usize::from(!same);
        }
        assert!(different > 30, "{different}");
    }
}
