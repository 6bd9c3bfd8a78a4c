//! What is known of a target before the first case: is it there, does it speak WebSocket, does it echo?

use std::collections::BTreeSet;
use std::net::SocketAddr;

use wsgrade_cases::model::{Ending, Frame, Need, Opening, Payload, Saw, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Behavior, Direction, Transcript, What};

use super::Settings;
use super::case::{no_connection, play_on};
use crate::judge::judge;
use crate::plan::Plan;
use crate::target::Target;

/// What the probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the target says it is: its `Server` header.
    pub agent: Option<String>,
    /// What it has of what cases may need.
    pub offers: BTreeSet<Need>,
}

/// Why nothing can be played against a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url}: {reason}")]
pub struct Unreachable {
    /// The target.
    pub url: String,
    /// Why, in one sentence, with what to do where we know it.
    pub reason: String,
}

/// Reaches a target, at whichever of its addresses answers, and asks what it offers.
pub async fn probe(
    target: &mut Target,
    settings: &Settings,
    needed: &BTreeSet<Need>,
) -> Result<Facts, Unreachable> {
    let echo = Plan::alone(question(Opening::default()));
    let candidates: Vec<SocketAddr> = std::iter::once(target.addr).chain(target.others.clone()).collect();
    let mut first_reason: Option<String> = None;
    for addr in candidates {
        target.addr = addr;
        let (transcript, _) = play_on(&echo, target, settings).await;
        if let Some(reason) = no_connection(&echo, &transcript) {
            first_reason.get_or_insert_with(|| advise(target, &transcript, reason));
            continue;
        }
        let mut offers = BTreeSet::new();
        if echoes(&echo, &transcript) {
            offers.insert(Need::Echo);
        }
        if target.tls.is_some() {
            offers.insert(Need::Tls);
        }
        if needed.contains(&Need::Deflate) && agrees_to_deflate(target, settings).await {
            offers.insert(Need::Deflate);
        }
        return Ok(Facts { agent: agent(&transcript), offers });
    }
    Err(Unreachable { url: target.url.to_string(), reason: first_reason.unwrap_or_default() })
}

/// Whether the target still serves as it did when it was probed; if not, why.
pub(super) async fn still_there(target: &Target, facts: &Facts, settings: &Settings) -> Result<(), String> {
    let question = Plan::alone(question(Opening::default()));
    let (transcript, _) = play_on(&question, target, settings).await;
    match no_connection(&question, &transcript) {
        Some(reason) => Err(reason.to_owned()),
        None if facts.offers.contains(&Need::Echo) && !echoes(&question, &transcript) => {
            Err("it no longer sends messages back".to_owned())
        }
        None => Ok(()),
    }
}

/// A text message to a target of which nothing is known.
fn question(opening: Opening) -> Scenario {
    let text = Frame::new(Opcode::TEXT, Payload::Text("wsgrade".to_owned()));
    let steps = vec![Step::Send(text)];
    Scenario { opening, ..Scenario::uncatalogued("probe", steps, Saw::Answers, Ending::ordinary()) }
}

fn echoes(question: &Plan, transcript: &Transcript) -> bool {
    judge(question, Role::Server, transcript).behavior == Behavior::Pass
}

async fn agrees_to_deflate(target: &Target, settings: &Settings) -> bool {
    let opening = Opening { extensions: vec!["permessage-deflate".to_owned()], ..Opening::default() };
    let (transcript, _) = play_on(&Plan::alone(question(opening)), target, settings).await;
    transcript.entries.iter().any(|entry| {
        matches!(&entry.what, What::Opened { extensions: Some(agreed), .. } if agreed.contains("permessage-deflate"))
    })
}

/// The `Server` header of the response.
fn agent(transcript: &Transcript) -> Option<String> {
    transcript.entries.iter().find_map(|entry| {
        let What::Http { dir: Direction::Received, message } = &entry.what else { return None };
        message.lines.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("server").then(|| value.trim().to_owned())
        })
    })
}

/// The reason, with what to do about it.
fn advise(target: &Target, transcript: &Transcript, reason: &str) -> String {
    let status = transcript
        .entries
        .iter()
        .find_map(|entry| if let What::OpeningFailed { status, .. } = &entry.what { *status } else { None });
    match status {
        Some(404) => format!(
            "{reason}; there is no WebSocket at `{}`: give the path of the endpoint in the URL",
            target.request.target
        ),
        Some(401 | 407) => format!("{reason}; give what it asks for by --header 'Authorization: …'"),
        Some(403) => format!("{reason}; it may want another --origin, --host or --header"),
        Some(301 | 302 | 303 | 307 | 308) => format!("{reason}; give the URL it redirects to"),
        Some(_) => reason.to_owned(),
        None if reason.ends_with("speaks TLS, not plain HTTP") => format!("{reason}; give the URL as wss://"),
        None if reason.contains("refused") => format!("{reason}; is the server running there?"),
        None => reason.to_owned(),
    }
}
