//! Whether an opening handshake has to open a connection.
//!
//! ```text
//! Opening ─ head, as the engine sends it ─ lines ─┬─ request  ─┐
//!                                                 └─ response ─┴─ points ─ verdict ─▶ Opens
//! ```
//!
//! A point is one thing in a head that is not as usual, and what a peer may make of it. What all the points of a head come
//! to is the most that one of them asks, as far as none of the others makes it doubtful.

mod point;
mod request;
mod response;
#[cfg(test)]
mod tests;

use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{Accept, By, Ending, Expected, HeaderEdit, Opening, Order, Outcome, Saw};
use wsgrade_codec::Role;

use super::Expectation;

/// What a conforming peer does with an opening handshake.
pub(super) enum Opens {
    /// It opens the connection.
    Yes {
        /// The rules that it would break otherwise, where the handshake is not the ordinary one. May be empty.
        rules: Vec<RuleId>,
        /// What else may come of it, behind all that may come of the conversation. May be empty.
        also: Vec<Accept>,
    },
    /// It must not: the steps are one probe, [`MARK`], which shows that it has.
    No(Expectation),
    /// Nobody can say what comes of it; the steps stay as they are.
    Unsaid(Expectation),
}

/// The mark of the probe that shows whether a connection is open.
pub(super) const MARK: &str = "open";

/// What is right, for a peer in this role.
pub(super) fn expect(opening: &Opening, role: Role) -> Opens {
    // What is agreed on by wishes is lawful, and whether it has to be agreed on the course of the conversation says.
    let wished = Opening { deflate: opening.deflate.clone(), ..Opening::default() };
    if *opening == wished {
        return Opens::Yes { rules: Vec::new(), also: Vec::new() };
    }
    if opening.tls.is_some() {
        return Opens::Unsaid(without_tls());
    }
    match role {
        Role::Server => request::expect(opening),
        Role::Client => response::expect(opening),
    }
}

fn unsaid(role: Role) -> Opens {
    Opens::Unsaid(anything(role))
}

/// Whether the head has a list of extensions other than that of its wishes, so that what is agreed on is not known before.
pub(super) fn may_agree(opening: &Opening) -> bool {
    let lists = |edit: &HeaderEdit| match edit {
        HeaderEdit::Set(name, _) | HeaderEdit::Add(name, _) | HeaderEdit::Remove(name) => {
            name.eq_ignore_ascii_case("Sec-WebSocket-Extensions")
        }
        HeaderEdit::Raw(_) => true,
    };
    !opening.extensions.is_empty() || opening.raw.is_some() || opening.headers.iter().any(lists)
}

/// Whatever comes is right.
pub(super) fn anything(role: Role) -> Expectation {
    let rule = match role {
        Role::Server => "rfc6455-4.2.1-parse-handshake",
        Role::Client => "rfc6455-4.1-response-conforms",
    };
    let ending = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    let accept = vec![accepted(Outcome::Pass, Saw::Anything)];
    Expectation { rules: vec![RuleId::new(rule)], accept, ending, needs: Default::default() }
}

/// "If this fails (e.g., the server's certificate could not be verified), then the client MUST _Fail the WebSocket
/// Connection_ and abort the connection." (RFC 6455 4.1)
fn without_tls() -> Expectation {
    let note = "it says nothing more, and had not ended TCP when we stopped waiting";
    let silent = accepted(Outcome::Informational, end_of_opening(Expected::Unanswered));
    Expectation {
        rules: vec![RuleId::new("rfc6455-4.1-tls-failure")],
        accept: vec![
            accepted(Outcome::Pass, end_of_opening(Expected::Dropped)),
            Accept { note: Some(note.to_owned()), ..silent },
        ],
        ending: Ending::ordinary(),
        needs: Default::default(),
    }
}

fn accepted(verdict: Outcome, saw: Saw) -> Accept {
    Accept { verdict, saw, ending: None, rule: None, note: None }
}

fn end_of_opening(expected: Expected) -> Saw {
    Saw::Events { events: vec![expected], order: Order::Exact }
}

/// Whether the engine adds extensions of its own to the head, which depend on the peer in one role.
fn negotiates(opening: &Opening) -> bool {
    !opening.extensions.is_empty() || !opening.deflate.is_empty()
}
