//! How the connection ended, and whether it should have ended so.

use wsgrade_cases::model::{By, Ending};
use wsgrade_codec::Role;
use wsgrade_reports::record::{CloseVerdict, ClosedHow, Direction, Finding, Transcript, What};

use super::rules;

/// The close of a connection, as the transcript has it: where each thing first happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    our_close: Option<usize>,
    peer_close: Option<(usize, Option<u16>)>,
    /// The peer ended TCP; `true` for a reset.
    tcp_end: Option<(usize, bool)>,
    gave_up: Option<usize>,
    /// The client asked anew on a connection that our response had not opened: it went to a redirection, or gave its
    /// credentials, and took the connection for HTTP.
    asked_anew: Option<usize>,
}

/// Which side began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Began {
    Us,
    Peer,
    Nobody,
}

/// A verdict and, unless it is a pass, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) verdict: CloseVerdict,
    pub(super) finding: Option<Finding>,
}

impl Facts {
    pub(super) fn of(transcript: &Transcript, role: Role) -> Self {
        let mut facts = Self::default();
        let mut answered = false;
        for (at, entry) in transcript.entries.iter().enumerate() {
            match &entry.what {
                What::Frame { dir, frame } if frame.opcode == 8 => match dir {
                    Direction::Sent => {
                        facts.our_close.get_or_insert(at);
                    }
                    Direction::Received => {
                        facts.peer_close.get_or_insert((at, frame.close_code));
                    }
                },
                What::EndOfStream => {
                    facts.tcp_end.get_or_insert((at, false));
                }
                What::Reset => {
                    facts.tcp_end.get_or_insert((at, true));
                }
                What::Closed { how: ClosedHow::GaveUp } => {
                    facts.gave_up.get_or_insert(at);
                }
                What::Http { dir: Direction::Sent, .. } => answered = true,
                What::Http { dir: Direction::Received, .. } if answered && role == Role::Client => {
                    facts.asked_anew.get_or_insert(at);
                }
                What::Connected
                | What::Http { .. }
                | What::Opened { .. }
                | What::OpeningFailed { .. }
                | What::Frame { .. }
                | What::Bytes { .. }
                | What::Message { .. }
                | What::Violation { .. }
                | What::Canary(_)
                | What::Resources { .. }
                | What::Crowd { .. }
                | What::Growth { .. }
                | What::StillOpen { .. }
                | What::TimedOut { .. }
                | What::Closed { how: ClosedHow::Normal | ClosedHow::Abort | ClosedHow::Half }
                | What::Trouble { .. }
                | What::Exchanged { .. }
                | What::Declined { .. }
                | What::Folded { .. } => {}
            }
        }
        facts
    }

    pub(super) fn close_code(&self) -> Option<u16> {
        self.peer_close.and_then(|(_, code)| code)
    }

    /// Where to look: the peer's Close, its end of TCP, or where we gave up.
    pub(super) fn entry(&self) -> Option<usize> {
        self.peer_close.map(|(at, _)| at).or(self.tcp_end.map(|(at, _)| at)).or(self.gave_up)
    }

    /// Whether the peer began to end the connection.
    pub(super) fn peer_began(&self) -> bool {
        self.began() == Began::Peer
    }

    fn began(&self) -> Began {
        let ours = self.our_close.unwrap_or(usize::MAX);
        let theirs = [self.peer_close.map(|(at, _)| at), self.tcp_end.map(|(at, _)| at), self.asked_anew];
        match theirs.into_iter().flatten().min() {
            Some(theirs) if theirs < ours => Began::Peer,
            Some(_) => Began::Us,
            None if self.our_close.is_some() => Began::Us,
            None => Began::Nobody,
        }
    }

    /// In words, to follow "the peer …".
    pub(super) fn in_words(&self) -> String {
        let tcp = match self.tcp_end {
            Some((_, false)) => "ended TCP",
            Some((_, true)) => "reset TCP",
            None => "left TCP open",
        };
        match (self.began(), self.peer_close) {
            (Began::Nobody, _) => "kept the connection open".to_owned(),
            (Began::Peer, Some((_, code))) => format!("closed with {}", code_in_words(code)),
            (Began::Peer, None) if self.tcp_end.is_none() => "went on with HTTP".to_owned(),
            (Began::Peer, None) => format!("{tcp} without a Close frame"),
            (Began::Us, Some((_, code))) => format!("answered our Close with {}", code_in_words(code)),
            (Began::Us, None) => format!("did not answer our Close and {tcp}"),
        }
    }
}

fn code_in_words(code: Option<u16>) -> String {
    match code {
        Some(code) => format!("Close {code}"),
        None => "a Close without a code".to_owned(),
    }
}

/// Whether an outcome that names its ending has ended so: what rests on a SHOULD does not speak against it,
/// but for the code, which such an outcome asks for by number.
pub(super) fn is_accepted(verdict: CloseVerdict) -> bool {
    match verdict {
        CloseVerdict::Pass
        | CloseVerdict::Informational
        | CloseVerdict::Dropped
        | CloseVerdict::FailedByPeer => true,
        CloseVerdict::WrongCode
        | CloseVerdict::Unclean
        | CloseVerdict::WrongSide
        | CloseVerdict::Inconclusive => false,
    }
}

/// Judges the end of a connection; `None` where nothing is asked of it.
pub(super) fn judge_ending(ending: &Ending, facts: &Facts, role: Role) -> Option<Judged> {
    let by = match ending.by {
        By::Either => return None,
        By::Us => Began::Us,
        By::Peer => Began::Peer,
    };
    let verdict = if facts.began() != by {
        CloseVerdict::WrongSide
    } else {
        match facts.peer_close {
            None if ending.bare && (by == Began::Peer || facts.tcp_end.is_some()) => CloseVerdict::Pass,
            None if ending.clean || facts.tcp_end.is_none() => CloseVerdict::Unclean,
            None => CloseVerdict::Dropped,
            Some((_, Some(code))) if !ending.codes.is_empty() && !ending.codes.contains(&code) => {
                CloseVerdict::WrongCode
            }
            // RFC 6455 7.1.1: the server ends TCP first; where we are the client and had to, it did not.
            Some(_) if facts.gave_up.is_some() && role == Role::Server => CloseVerdict::FailedByPeer,
            Some(_) => CloseVerdict::Pass,
        }
    };
    let finding = (verdict != CloseVerdict::Pass).then(|| Finding {
        rule: rules::of_ending(verdict, by == Began::Peer).to_owned(),
        expected: expected_in_words(ending, verdict),
        observed: match verdict {
            CloseVerdict::FailedByPeer => "the server left TCP open after the closing handshake".to_owned(),
            CloseVerdict::Pass
            | CloseVerdict::Informational
            | CloseVerdict::Dropped
            | CloseVerdict::WrongCode
            | CloseVerdict::Unclean
            | CloseVerdict::WrongSide
            | CloseVerdict::Inconclusive => format!("the peer {}", facts.in_words()),
        },
        entry: facts.entry(),
    });
    Some(Judged { verdict, finding })
}

fn expected_in_words(ending: &Ending, verdict: CloseVerdict) -> String {
    if verdict == CloseVerdict::FailedByPeer {
        return "the server ends TCP once the closing handshake is done".to_owned();
    }
    let codes = match &ending.codes[..] {
        [] => "a Close frame".to_owned(),
        [code] => format!("Close {code}"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(u16::to_string).collect();
            format!("Close {} or {last}", first.join(", "))
        }
    };
    match ending.by {
        By::Us => format!("the peer answers our Close with {codes}"),
        By::Peer => format!("the peer fails the connection with {codes}"),
        By::Either => "nothing".to_owned(),
    }
}
