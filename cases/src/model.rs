//! What a case is: the one type that the catalogue holds, a user writes, the engine plays and the judge reads.
//!
//! ```text
//! Scenario ── opening   the HTTP side, every byte of which can be overridden
//!        ├── steps     what we do, one after another
//!        ├── accept    outcomes that are all right, in order; the first that matches decides
//!        └── ending    how the connection has to end, judged apart
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

pub use wsgrade_codec::Role;
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};

pub use crate::corpus::Corpus;
pub use crate::exchange::{Exchange, Source};
use crate::id::{CaseId, RuleId};
pub use crate::opening::{BadTls, DeflateWish, HeaderEdit, Opening, Status};
pub use crate::stress::Stress;

/// One case, whole. Equality is by content; `load(write(s)) == s`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// For ever; titles may improve.
    pub id: CaseId,
    /// One line, without a full stop.
    pub title: String,
    /// Which rule it tests and why it matters, in a few sentences.
    pub why: String,
    /// The rules it tests, the main one first. Never empty.
    pub rules: Vec<RuleId>,
    /// The roles of the endpoints it can test. Never empty.
    pub roles: BTreeSet<Role>,
    /// What the target must offer for the case to say anything.
    pub needs: BTreeSet<Need>,
    /// The opening handshake, where it is not the ordinary one.
    pub opening: Opening,
    /// What we do once the connection is open.
    pub steps: Vec<Step>,
    /// What makes it a case of resilience: played alone, beside a connection that must stay served.
    pub stress: Option<Stress>,
    /// The accepted outcomes, first match wins. What matches none is a failure. Never empty.
    pub accept: Vec<Accept>,
    /// How the connection has to end.
    pub ending: Ending,
    /// Real defects it would have caught (CVE numbers, issue names).
    pub catches: Vec<String>,
    /// Where our judgement differs from Autobahn|Testsuite's: how, and by which sentence of the RFC.
    pub differs: Option<String>,
}

/// Something a target may lack without breaking a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// It sends every message back as it came.
    Echo,
    /// It agrees to permessage-deflate when offered (RFC 7692).
    Deflate,
    /// It is reached, or reaches us, through TLS.
    Tls,
}

impl Need {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Echo, Self::Deflate, Self::Tls];

    /// The word used in case files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Deflate => "deflate",
            Self::Tls => "tls",
        }
    }
}

/// One thing we do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send a frame, any part of which may be wrong.
    Send(Frame),
    /// Send more payload of the frame before, masked on from where it stood. Only after a frame whose declared
    /// length is longer than its payload.
    More {
        /// The bytes, before masking.
        payload: Payload,
        /// How they are cut into writes.
        chop: Chop,
    },
    /// Send bytes as they are.
    Raw {
        /// The bytes.
        payload: Payload,
        /// How they are cut into writes.
        chop: Chop,
    },
    /// Wait until the peer did something. Going without it is no failure here: the judge sees what came.
    Await {
        /// What.
        event: Awaited,
        /// For how long; the run's `--timeout` unless given.
        within: Option<Duration>,
    },
    /// Ask whether the connection is alive: a ping, whose pong is not counted among the answers. When it comes
    /// back the mark is set ([`Expected::Open`]); ends early when the connection ends.
    Probe {
        /// The mark's name.
        mark: String,
    },
    /// Wait, no longer than until the connection ends. If it is open afterwards the mark is set.
    Pause {
        /// How long.
        time: Duration,
        /// The mark's name, if any.
        mark: Option<String>,
    },
    /// Send messages one at a time, each when the echo of the one before is in. Ends early at the first echo that is
    /// wrong or does not come.
    Exchange(Exchange),
    /// Stop reading what the peer sends (`false`), or go on with it.
    Read(bool),
    /// Keep the connection as it stands until the canary was answered, on the connection that was there before and on a
    /// new one. Over at once where nobody watches (client under test).
    Hold {
        /// No longer than this.
        within: Duration,
    },
    /// End the connection before its time.
    End(End),
}

/// How a step ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A reset of TCP.
    Abort,
    /// The end of our sending side only.
    Half,
}

/// What an [`Step::Await`] waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// An answer of this kind that has not been awaited before: a message, a pong or a mark. An exchange waits for its own.
    Answer(Expected),
    /// Any message or pong that has not been awaited before.
    Any,
    /// A Close frame, or the end of TCP.
    Close,
}

/// A frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Any 4-bit value.
    pub opcode: Opcode,
    /// `true` unless given.
    pub fin: bool,
    /// Zero unless given.
    pub rsv: Rsv,
    /// As our role asks unless given.
    pub mask: Mask,
    /// The shortest lawful form of the payload's length unless given.
    pub length: Length,
    /// Empty unless given.
    pub payload: Payload,
    /// Joined with its neighbours unless given.
    pub chop: Chop,
    /// How many times in a row it is sent, each with a fresh key. `1 <= times`.
    pub times: u32,
    /// Sent over and over for so long, as the peer takes it, and `times` is the most. What the peer has not taken by
    /// then is not sent.
    pub lasting: Option<Duration>,
}

impl Frame {
    /// A lawful frame: FIN set, no reserved bits, shortest length, masked as the role asks.
    pub fn new(opcode: Opcode, payload: Payload) -> Self {
        Self {
            opcode,
            fin: true,
            rsv: Rsv::NONE,
            mask: Mask::RoleDefault,
            length: Length::Minimal,
            payload,
            chop: Chop::default(),
            times: 1,
            lasting: None,
        }
    }
}

/// Whether and how a frame is masked. `RoleDefault` and `Wrong` let one case test both roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mask {
    /// A client masks with a fresh random key, a server does not mask (RFC 6455 5.1).
    #[default]
    RoleDefault,
    /// The other way round.
    Wrong,
    /// Masked with this key, whatever the role.
    Key([u8; 4]),
}

/// What the header says of the payload's length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Length {
    /// The payload's length in the shortest form.
    #[default]
    Minimal,
    /// The payload's length in this form, which may be longer than needed.
    Form(LengthForm),
    /// Some other length, in this form or else the shortest.
    Declared {
        /// What is declared.
        value: u64,
        /// The form it is written in.
        form: Option<LengthForm>,
    },
}

/// How bytes are cut into writes. Every piece goes out by a write of its own (TCP_NODELAY is set), which makes
/// a TCP segment of its own likely but not certain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chop {
    /// Where it is cut.
    pub at: ChopAt,
    /// A pause after each piece, before whatever is written next.
    pub pause: Duration,
}

/// Where bytes are cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChopAt {
    /// Not at all: joined with what comes before and after into one write.
    #[default]
    Together,
    /// One write for the whole of it.
    Alone,
    /// Pieces of so many bytes (`1 <= n`).
    Every(u32),
    /// Pieces of these lengths (each at least 1), then the rest.
    Sizes(Vec<u32>),
}

/// Bytes, by description: a million bytes are a line in a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// Text, as UTF-8.
    Text(String),
    /// Any bytes, in hex.
    Hex(Vec<u8>),
    /// `unit` over and over, `len` bytes in all (the last may be cut short). `unit` is never empty.
    Repeat {
        /// What is repeated.
        unit: Vec<u8>,
        /// How many bytes in all.
        len: u64,
    },
    /// A Close frame's body: a status code and a reason.
    Close {
        /// The status code, two bytes in network order.
        code: u16,
        /// The reason; lawful ones are UTF-8.
        reason: Box<Payload>,
    },
    /// One after another.
    Join(Vec<Payload>),
}

impl Default for Payload {
    fn default() -> Self {
        Self::Hex(Vec::new())
    }
}

/// One accepted outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// The verdict when it matches.
    pub verdict: Outcome,
    /// The answers of the peer.
    pub saw: Saw,
    /// How the connection ended, where that is part of the outcome and not only of the close verdict. Where
    /// given, the close verdict is judged by it too, instead of by [`Scenario::ending`]. Where not, and the
    /// case's ending is begun by the peer, the outcome still asks that the peer began: to fail the connection is
    /// something it did, not only how things ended.
    pub ending: Option<Ending>,
    /// The rule the verdict rests on, where it is not the case's main rule.
    pub rule: Option<RuleId>,
    /// What it means, in a sentence; shown with the verdict.
    pub note: Option<String>,
}

/// The verdict of an accepted outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// What the rule asks for.
    Pass,
    /// A choice the RFC leaves open.
    Informational,
    /// An optional feature is missing.
    Unimplemented,
    /// A SHOULD was broken.
    NonStrict,
    /// A MUST was broken, in a way worth a note of its own.
    Fail,
}

/// What the peer must have answered: messages, pongs and marks, in the order they came. Pings from the peer
/// are answered and not counted, nor is the pong to a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saw {
    /// What a conforming echo answers to every message and ping in the steps, in the order they are completed
    /// there ([`Scenario::answers`]).
    Answers,
    /// Exactly these.
    Events {
        /// The answers.
        events: Vec<Expected>,
        /// How strictly they are compared.
        order: Order,
    },
    /// Whatever came, unless nothing was played because the peer declined ([`Expected::Declined`]).
    Anything,
}

/// How a list of expected answers is compared with what came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The same list.
    #[default]
    Exact,
    /// The same answers in any order.
    Any,
    /// The same list, but pongs may be missing so long as a later one is there (RFC 6455 5.5.3: an endpoint may
    /// answer only the most recent ping).
    LatestPong,
    /// The messages in their order, the pongs in theirs, of which all but the last may be missing, and the marks in theirs;
    /// nothing is asked of how they lie among each other. Where a mark comes behind the last pong that may be missing too.
    Apart,
    /// The same as far as it goes: what is expected after some message may be missing, and any pong.
    UpTo,
}

/// One expected answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A text message.
    Text(Payload),
    /// A binary message.
    Binary(Payload),
    /// A pong.
    Pong(Payload),
    /// The connection was open at this mark.
    Open(String),
    /// An exchange of so many messages was completed, every echo equal to the message it answers.
    Exchanged(u32),
    /// The peer did not agree to the permessage-deflate that the opening asked for, or to none of its wishes for our
    /// own compression, where the steps need it.
    Declined,
    /// The server answered the opening handshake with one of these statuses instead of 101.
    Refused {
        /// Which. Never empty.
        statuses: Vec<Status>,
        /// Whether the response has to name version 13 in `Sec-WebSocket-Version`.
        versions: bool,
    },
    /// The server ended TCP instead of answering the opening handshake; a client whose TLS failed, instead of asking.
    Dropped,
    /// The server neither answered the opening handshake nor ended TCP while we waited; a client whose TLS failed neither
    /// asked nor ended it.
    Unanswered,
}

impl Expected {
    /// Whether it is the end of an opening handshake that opened no connection.
    pub fn is_of_opening(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Dropped | Self::Unanswered => true,
            Self::Text(_)
            | Self::Binary(_)
            | Self::Pong(_)
            | Self::Open(_)
            | Self::Exchanged(_)
            | Self::Declined => false,
        }
    }
}

/// How the connection has to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Which side has to begin.
    pub by: By,
    /// Status codes that are right in the peer's Close frame. A Close without a code is always right. Empty:
    /// any code is right.
    pub codes: Vec<u16>,
    /// Whether the closing handshake has to be completed. Where it has not, the peer may also end TCP.
    pub clean: bool,
    /// Whether the end of TCP without a Close is as good as one with it: where no connection was established there
    /// is nothing to close (RFC 6455 7.1.7).
    pub bare: bool,
}

/// Which side begins to close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// We do, once the answers are in; the peer has to answer.
    Us,
    /// The peer has to, because it must fail the connection.
    Peer,
    /// Nothing is judged.
    Either,
}

impl Ending {
    /// The ordinary end of a lawful conversation: we send Close 1000, the peer answers.
    pub fn ordinary() -> Self {
        Self { by: By::Us, codes: vec![1000], clean: true, bare: false }
    }

    /// The peer has to _Fail the WebSocket Connection_ (RFC 6455 7.1.7), with one of these codes where it sends
    /// a Close at all.
    pub fn failed_with(codes: &[u16]) -> Self {
        Self { by: By::Peer, codes: codes.to_vec(), clean: false, bare: false }
    }
}

impl Payload {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Hex(bytes) => bytes.len() as u64,
            Self::Repeat { len, .. } => *len,
            Self::Close { reason, .. } => 2 + reason.len(),
            Self::Join(parts) => parts.iter().map(Self::len).sum(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append_to(&mut out);
        out
    }

    fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Hex(bytes) => out.extend_from_slice(bytes),
            Self::Repeat { unit, len } => {
                let len = usize::try_from(*len).expect("the linter bounds payloads far below usize::MAX");
                let start = out.len();
                out.extend(unit.iter().take(len));
                // What is there is a whole number of units, so it goes on with itself.
                while out.len() - start < len {
                    let there = out.len() - start;
                    out.extend_from_within(start..start + there.min(len - there));
                }
            }
            Self::Close { code, reason } => {
                out.extend_from_slice(&code.to_be_bytes());
                reason.append_to(out);
            }
            Self::Join(parts) => parts.iter().for_each(|part| part.append_to(out)),
        }
    }
}

impl Scenario {
    /// A conversation of our own that is no case of a catalogue: a probe, an answer to a call. Its only accepted
    /// outcome is a pass. `name` is letters and digits.
    pub fn uncatalogued(name: &'static str, steps: Vec<Step>, saw: Saw, ending: Ending) -> Self {
        Self {
            id: name.parse().expect("letters and digits are a case id"),
            title: String::new(),
            why: String::new(),
            rules: vec![RuleId::new("rfc6455-5.6-text")],
            roles: BTreeSet::from([Role::Server, Role::Client]),
            needs: BTreeSet::new(),
            opening: Opening::default(),
            steps,
            stress: None,
            accept: vec![Accept { verdict: Outcome::Pass, saw, ending: None, rule: None, note: None }],
            ending,
            catches: Vec::new(),
            differs: None,
        }
    }

    /// The same case with no more than so many messages in each exchange that is not timed.
    pub fn at_depth(&self, messages: u32) -> Self {
        let messages = messages.max(1);
        let mut scenario = self.clone();
        let mut cut = Vec::new();
        for step in &mut scenario.steps {
            if let Step::Exchange(exchange) = step
                && !exchange.timed
                && exchange.messages > messages
            {
                cut.push(exchange.messages);
                exchange.messages = messages;
            }
        }
        let events = scenario.accept.iter_mut().flat_map(|accept| match &mut accept.saw {
            Saw::Events { events, .. } => events.as_mut_slice(),
            Saw::Answers | Saw::Anything => &mut [],
        });
        for event in events {
            if let Expected::Exchanged(count) = event
                && cut.contains(count)
            {
                *count = messages;
            }
        }
        scenario
    }

    /// Whether the opening handshake itself is tested: a refusal is an answer then, and not the reason why nothing can
    /// be said. What is asked of permessage-deflate is not of that kind, unless an outcome names the refusal.
    pub fn tests_opening(&self) -> bool {
        let Opening {
            method,
            target,
            version,
            status,
            headers,
            extensions: _,
            deflate: _,
            raw,
            newline,
            unfinished,
            early,
            knock: _,
            tls,
            chop,
        } = &self.opening;
        let changed = method.is_some()
            || target.is_some()
            || version.is_some()
            || status.is_some()
            || !headers.is_empty()
            || raw.is_some()
            || newline.is_some()
            || *unfinished
            || *early
            || tls.is_some()
            || *chop != Chop::default();
        let names_refusal = |accept: &Accept| match &accept.saw {
            Saw::Events { events, .. } => events.iter().any(Expected::is_of_opening),
            Saw::Answers | Saw::Anything => false,
        };
        changed || self.accept.iter().any(names_refusal)
    }

    /// Whether it measures time, and so has to be played while nothing else is.
    pub fn is_timed(&self) -> bool {
        self.exchanges().any(|exchange| exchange.timed)
    }

    /// The exchanges among its steps, in order.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some(exchange),
            Step::Send(_)
            | Step::More { .. }
            | Step::Raw { .. }
            | Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => None,
        })
    }

    /// The section it belongs to: the id without its last part.
    pub fn section(&self) -> String {
        self.id.section()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Informational => "informational",
            Self::Unimplemented => "unimplemented",
            Self::NonStrict => "non-strict",
            Self::Fail => "fail",
        })
    }
}
