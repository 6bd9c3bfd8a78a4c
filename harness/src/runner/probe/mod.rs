//! What is known of a target before the first case: is it there, does it speak WebSocket, what does it do with messages?
//!
//! ```text
//! text ── there? ─┬─ binary ── ever larger messages
//!                 ├─ nothing at all, and what it hears of the others
//!                 └─ an offer of permessage-deflate
//! ```

pub(crate) mod facts;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use wsgrade_cases::model::{Awaited, Ending, Expected, Frame, Need, Opening, Payload, Saw, Scenario, Step};
use wsgrade_codec::Kind;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Direction, Response, TargetFacts, Transcript, What};

use super::Settings;
use super::case::{no_connection, play_on};
use crate::plan::Plan;
use crate::target::Target;

/// How long an echo is waited for after the pong to a ping behind the message: most answer in order, and it is there
/// already.
const ECHO: Duration = Duration::from_secs(1);
/// How long a connection listens that says nothing: longer than those beside it take to be opened and to send a message
/// that is passed on.
const HUSH: Duration = Duration::from_millis(30);
/// How long a pong is waited for: a server may be slow at its first message.
const PONG: Duration = Duration::from_secs(2);
/// The messages that are tried, each if the one before it was done with soon enough.
const SIZES: [u64; 4] = [1 << 10, 1 << 16, 1 << 20, 1 << 22];
/// How long each may take for the next to be tried, which takes a few times as long.
const CHEAP: Duration = Duration::from_millis(6);
/// The text of every probe.
const TEXT: &str = "wsgrade";

/// What the probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What the target says it is: its `Server` header.
    pub agent: Option<String>,
    /// What it has of what cases may need.
    pub offers: BTreeSet<Need>,
    /// What it does.
    pub found: TargetFacts,
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

/// Reaches a target, at whichever of its addresses answers, and asks what it does.
pub async fn probe(target: &mut Target, settings: &Settings) -> Result<Facts, Unreachable> {
    let settings = patient(settings);
    let text = conversation(&settings, Opening::default(), said(Kind::Text));
    let candidates: Vec<SocketAddr> = std::iter::once(target.addr).chain(target.others.clone()).collect();
    let mut first_reason: Option<String> = None;
    for addr in candidates {
        target.addr = addr;
        let (transcript, _) = play_on(&text, target, &settings).await;
        if let Some(reason) = no_connection(&text, &transcript) {
            first_reason.get_or_insert_with(|| advise(target, &transcript, reason));
            continue;
        }
        return Ok(all_facts(target, &settings, &transcript).await);
    }
    Err(Unreachable { url: target.url.to_string(), reason: first_reason.unwrap_or_default() })
}

/// What else there is to know of a target of which this came of a text.
async fn all_facts(target: &Target, settings: &Settings, text: &Transcript) -> Facts {
    let response = facts::response(text, Kind::Text, TEXT.as_bytes());
    let mut found = TargetFacts {
        text: response,
        pongs: facts::marked(text, AFTER),
        subprotocol: facts::subprotocol(text),
        ..TargetFacts::default()
    };
    let offer = Opening { extensions: vec!["permessage-deflate".to_owned()], ..Opening::default() };
    let deflate = conversation(settings, offer, vec![message(Kind::Text, Payload::Text(TEXT.to_owned()))]);
    let hush =
        conversation(settings, Opening::default(), listening(found.pongs || response == Response::Ends));
    let rest = async {
        let binary = conversation(settings, Opening::default(), said(Kind::Binary));
        let (transcript, _) = play_on(&binary, target, settings).await;
        let response = facts::response(&transcript, Kind::Binary, TEXT.as_bytes());
        let kind = if response == Response::Ends { Kind::Text } else { Kind::Binary };
        let taken = found.pongs && !(found.text == Response::Ends && response == Response::Ends);
        let largest = if taken { largest(target, settings, kind).await } else { facts::Largest::default() };
        (transcript, response, largest)
    };
    let ((hush, _), (deflate, _), (binary, response, largest)) = if settings.jobs > 1 {
        tokio::join!(play_on(&hush, target, settings), play_on(&deflate, target, settings), rest)
    } else {
        // It may serve no more than one at a time.
        (play_on(&hush, target, settings).await, play_on(&deflate, target, settings).await, rest.await)
    };
    found.binary = response;
    // Where a text is the end, only a connection without one can tell.
    found.pongs |= facts::marked(&hush, AFTER);
    found.talks = facts::says_anything(&hush, &[])
        || found.text == Response::Echo && facts::says_anything(text, TEXT.as_bytes())
        || found.binary == Response::Echo && facts::says_anything(&binary, TEXT.as_bytes());
    if found.talks {
        // What came was perhaps no answer.
        for response in [&mut found.text, &mut found.binary] {
            if *response == Response::Other {
                *response = Response::Nothing;
            }
        }
    }
    found.deflate = facts::deflate(&deflate);
    (found.takes, found.refuses) = (largest.takes, largest.refuses);
    let mut offers = BTreeSet::new();
    offers.extend((found.text == Response::Echo).then_some(Need::Echo));
    offers.extend(found.deflate.is_some().then_some(Need::Deflate));
    offers.extend(target.tls.is_some().then_some(Need::Tls));
    Facts { agent: agent(text), offers, found }
}

/// Whether the target still serves as it did when it was probed; if not, why.
pub(crate) async fn still_there(target: &Target, facts: &Facts, settings: &Settings) -> Result<(), String> {
    let TargetFacts { text, pongs, .. } = facts.found;
    let mut steps = said(Kind::Text);
    // Nobody waits for what never comes.
    steps.retain(|step| match step {
        Step::Await { .. } => text == Response::Echo,
        Step::Probe { .. } => pongs,
        step => matches!(step, Step::Send(_)),
    });
    let question = conversation(settings, Opening::default(), steps);
    let (transcript, _) = play_on(&question, target, settings).await;
    let response = facts::response(&transcript, Kind::Text, TEXT.as_bytes());
    match no_connection(&question, &transcript) {
        Some(reason) => Err(reason.to_owned()),
        None if text == Response::Echo && response != Response::Echo => {
            Err("it no longer sends messages back".to_owned())
        }
        None if pongs && text != Response::Ends && !facts::marked(&transcript, AFTER) => {
            Err("it no longer answers pings".to_owned())
        }
        None => Ok(()),
    }
}

/// How large a message the target takes, as far as that is quickly seen.
async fn largest(target: &Target, settings: &Settings, kind: Kind) -> facts::Largest {
    let mut largest = facts::Largest::default();
    for len in SIZES {
        let payload = Payload::Repeat { unit: vec![b'*'], len };
        let steps = vec![message(kind, payload), Step::Probe { mark: AFTER.to_owned() }];
        let plan = conversation(settings, Opening::default(), steps);
        // How much comes back is not looked at, so there is no bound on it.
        let plan = Arc::new(plan.without_echo(plan.scenario.as_ref().clone(), String::new()));
        let (transcript, _) = play_on(&plan, target, settings).await;
        match facts::taken(&transcript, AFTER) {
            Some(took) => {
                largest.takes = Some(len);
                if took > CHEAP {
                    break;
                }
            }
            None => {
                largest.refuses = facts::refused(&transcript, len);
                break;
            }
        }
    }
    largest
}

/// Waits no longer than for what a target on the other side of the world does at once.
fn patient(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    settings.limits.answer = settings.limits.answer.min(PONG);
    settings
}

/// The mark of the probe behind a message.
const AFTER: &str = "after";

/// A conversation with a target of which nothing is known, after the prelude.
fn conversation(settings: &Settings, opening: Opening, steps: Vec<Step>) -> Arc<Plan> {
    let scenario =
        Scenario { opening, ..Scenario::uncatalogued("probe", steps, Saw::Anything, Ending::ordinary()) };
    Arc::new(Plan::alone(scenario).with_prelude(&settings.prelude))
}

/// A short message, a ping that shows when it was read, and the echo, should there be one.
fn said(kind: Kind) -> Vec<Step> {
    let payload = Payload::Text(TEXT.to_owned());
    let echo = match kind {
        Kind::Text => Expected::Text(payload.clone()),
        Kind::Binary => Expected::Binary(payload.clone()),
    };
    vec![
        message(kind, payload),
        Step::Probe { mark: AFTER.to_owned() },
        Step::Await { event: Awaited::Answer(echo), within: Some(ECHO) },
    ]
}

/// Nothing, from before the connections beside it have sent anything until after they have.
fn listening(pongs: bool) -> Vec<Step> {
    let pause = Step::Pause { time: HUSH, mark: None };
    let probe = || Step::Probe { mark: AFTER.to_owned() };
    if pongs { vec![probe(), pause, probe()] } else { vec![pause] }
}

fn message(kind: Kind, payload: Payload) -> Step {
    Step::Send(Frame::new(Opcode::of(kind), payload))
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
