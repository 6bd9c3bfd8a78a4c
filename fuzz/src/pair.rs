//! Two endpoints, and a network between them that keeps nothing but the order of bytes.

mod network;
mod side;

use wsgrade_codec::Role;
use wsgrade_codec::close::CloseCode;
use wsgrade_codec::deflate::Params;
use wsgrade_codec::endpoint::Message;

use crate::deflate;
use crate::tape::Tape;
use network::Network;
use side::Side;

/// Longer, in milliseconds that nobody waits for, than any conversation takes that goes on.
const FOR_EVER: u64 = 10_000_000;

/// How often each side can write in a millisecond, so that what waits to be sent grows at times.
const WRITES: usize = 4;

/// The first seven bytes say who talks and through what, the rest what they do, each with its time:
///
/// | byte | |
/// |---|---|
/// | 0 | bit 0: permessage-deflate; 1: the connection is cut; 2, 3: who closes at the end, the client, the server or both at once; 4, 5: who takes no context over |
/// | 1 | the windows of server and client |
/// | 2–3 | what the network is made from: how it delays, splits and joins |
/// | 4–6 | when it is cut, and at most how many bytes are written at once |
///
/// - What each hears is the beginning of what the other sent, in order; it is all of it, and both close cleanly, where
///   nothing is cut.
/// - Pings come as they were sent; Pongs answer them in order, and need not answer each.
/// - Where the connection is cut both learn that it is closed, and cleanly only who sent a Close and received one.
/// - Nobody breaks a rule, nobody waits for ever, and the server ends TCP first.
pub(crate) fn pair(data: &[u8]) {
    let mut tape = Tape::new(data);
    let (flags, windows, seed) = (tape.byte(), tape.byte(), tape.number());
    let deflate = (flags & 1 != 0).then(|| deflate::params(flags >> 4, windows));
    let cut = u64::from(tape.byte()) * 8;
    let network = Network::new(seed, tape.number());
    let cut = (flags & 2 != 0).then_some(cut);
    let mut talk = Talk::new(deflate, network, cut);
    talk.plays(&mut tape, flags >> 2 & 3);
    talk.holds();
}

struct Talk {
    /// The server, then the client.
    sides: [Side; 2],
    network: Network,
    cut: Option<u64>,
    now: u64,
}

impl Talk {
    fn new(deflate: Option<Params>, network: Network, cut: Option<u64>) -> Self {
        let sides = [Role::Server, Role::Client].map(|role| Side::new(role, deflate));
        Self { sides, network, cut, now: 0 }
    }

    fn plays(&mut self, tape: &mut Tape<'_>, closers: u8) {
        let mut next = 0;
        while !tape.is_over() {
            let act = tape.byte();
            // One act of four waits for the one before to arrive, or for some of it.
            if act & 0xc0 == 0 {
                next += u64::from(tape.byte());
            }
            while self.now < next {
                self.passes();
            }
            self.act(act, tape);
        }
        let closing = Some(CloseCode::NORMAL);
        for (at, side) in self.sides.iter_mut().enumerate() {
            let closes = match closers {
                0 => at == 1,
                1 => at == 0,
                _ => true,
            };
            if closes {
                side.close(closing, "done");
            }
        }
        while !self.sides.iter().all(Side::is_over) {
            assert!(self.now < FOR_EVER, "they wait for ever: {:?} {:?}", self.sides[0], self.sides[1]);
            self.passes();
        }
    }

    fn act(&mut self, act: u8, tape: &mut Tape<'_>) {
        let side = &mut self.sides[usize::from(act >> 5 & 1)];
        match act & 7 {
            0 | 1 => side.send(Message::text(tape.text()), None),
            2 => side.send(Message::binary(tape.block()), None),
            kind @ 3..=4 => {
                let message =
                    if kind == 3 { Message::binary(tape.block()) } else { Message::text(tape.text()) };
                let size = tape.size(message.payload().len());
                side.send(message, Some(size));
            }
            5 => side.ping(tape.byte()),
            6 => side.pong(tape.byte()),
            // Mostly the end comes at the end.
            _ if act & 24 == 24 => side.close(None, ""),
            _ => side.ping(7),
        }
    }

    /// A millisecond.
    fn passes(&mut self) {
        self.now += 1;
        if self.cut.is_some_and(|cut| self.now >= cut) {
            self.network.loses_everything();
            for side in &mut self.sides {
                side.hears_the_end();
            }
            return;
        }
        for (at, side) in self.sides.iter_mut().enumerate() {
            for _ in 0..WRITES {
                let Some(bytes) = side.writes(self.network.size()) else { break };
                self.network.carries(at, self.now, bytes);
            }
            if side.ends_tcp() {
                self.network.ends(at, self.now);
            }
        }
        for (at, side) in self.sides.iter_mut().enumerate() {
            let other = 1 - at;
            while let Some(bytes) = self.network.delivers(other, self.now) {
                side.receives(&bytes);
            }
            if self.network.has_ended(other, self.now) {
                side.hears_the_end();
            }
        }
    }

    fn holds(&self) {
        let [server, client] = &self.sides;
        let whole = self.cut.is_none() || self.now < self.cut.unwrap_or(0);
        server.heard(client, whole);
        client.heard(server, whole);
        if whole {
            assert!(server.ended_first(client), "the client ended TCP first");
        }
    }
}
