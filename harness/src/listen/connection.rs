//! One connection of a client under test.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use wsgrade_cases::model::{By, Ending, Frame, Need, Payload, Saw, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::check::opening::Asked;
use wsgrade_codec::check::{Rule, Violation};
use wsgrade_codec::handshake::{
    Agreement, HeadError, Limits as HeadLimits, RequestHead, RequestReader, refuse,
};
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{CaseRecord, Direction, Entry, Transcript, What};
use wsgrade_reports::render::html;

use super::api::{Call, CaseRef, Unnamed};
use super::board::Playing;
use super::{Refusals, Shared, command, distrust};
use crate::autobahn::words;
use crate::carrier::{self, Link};
use crate::engine::{Accepted, Engine, Witness};
use crate::event::RunEvent;
use crate::plan::Plan;
use crate::runner::{Staying, breaks_a_must, case};

/// Serves one connection, whatever it wants.
pub(super) async fn serve<L: Link>(mut stream: L, shared: &Shared) {
    let patience = shared.run.settings.limits.opening;
    let response = match timeout(patience, request(&mut stream)).await {
        Ok(Ok(Some((head, rest)))) => match respond(&mut stream, shared, &head, rest).await {
            Some(response) => response,
            None => return,
        },
        Ok(Ok(None)) => return,
        Ok(Err(error)) => refuse(error.status(), &[], &error.to_string()),
        Err(_) => refuse(408, &[], "the request did not come in time"),
    };
    // A client that does not take its answer is not waited for.
    let _ = timeout(patience, async {
        stream.write_all(&response).await?;
        stream.shutdown().await
    })
    .await;
}

/// The request's head and what came behind it; `None` if the client went before that.
pub(crate) async fn request(stream: &mut impl Link) -> Result<Option<(RequestHead, BytesMut)>, HeadError> {
    let mut reader = RequestReader::new(HeadLimits::default());
    let mut buffer = [0; 4096];
    loop {
        let Ok(count @ 1..) = stream.read(&mut buffer).await else { return Ok(None) };
        if let Some(request) = reader.push(&buffer[..count])? {
            return Ok(Some(request));
        }
    }
}

/// Answers a request; gives a plain HTTP response, unless WebSocket was spoken.
async fn respond(
    stream: &mut impl Link,
    shared: &Shared,
    head: &RequestHead,
    rest: BytesMut,
) -> Option<Vec<u8>> {
    // A client that forgets `Upgrade` is a client all the same; browsers that want the page have neither field.
    if ["Upgrade", "Sec-WebSocket-Key"].iter().all(|name| head.headers.get(name).is_none()) {
        return Some(page(shared, head));
    }
    let refused = |status, reason: &str| Some(shared.face.refusals.response(status, reason));
    let accepted = Accepted::new(head, rest.clone().freeze());
    let unnamed = match shared.face.refusals {
        Refusals::Told => Unnamed::Called,
        Refusals::Mute => Unnamed::Refused,
    };
    let call = match Call::parse(&head.target, unnamed) {
        Ok(call) => call,
        Err(reason) => return refused(404, &reason),
    };
    let subprotocol = subprotocol(shared, accepted.asked());
    let accepted = accepted.with_subprotocol(subprotocol.clone());
    let peer = Peer { shared, accepted: &accepted };
    let no_such_case = "there is no such case";
    match call {
        Call::RunCase(case, agent) => {
            let Some(index) = find(shared, &case) else { return refused(400, no_such_case) };
            if excluded(shared, &agent, index) {
                peer.play(stream, &message(None)).await;
                return None;
            }
            if has_ended(shared, &agent).await {
                return refused(503, "the run has ended");
            }
            let Some(playing) = shared.board.begin(&agent, software(head)) else {
                return refused(503, "there are too many agents already");
            };
            let mut accepted = accepted.clone();
            for violation in beyond_the_text(stream, &peer, &playing, head) {
                accepted.add_violation(violation);
            }
            let peer = Peer { accepted: &accepted, ..peer };
            run_case(stream, &peer, index, &agent, &playing).await;
        }
        Call::CaseCount => {
            let times = shared.run.settings.staying.times.get() as usize;
            peer.say(stream, (shared.run.selected.len() * times).to_string()).await;
        }
        Call::CaseInfo(case) => {
            let Some(index) = find(shared, &case) else { return refused(400, no_such_case) };
            let scenario = &shared.run.selected[index].scenario;
            // With the spaces and the order of the old server: not every driver has a JSON parser.
            let description = serde_json::Value::from(scenario.title.as_str());
            let info = format!(r#"{{"id": "{}", "description": {description}}}"#, scenario.id);
            peer.say(stream, info).await;
        }
        Call::CaseStatus(case, agent) => {
            let Some(index) = find(shared, &case) else { return refused(400, no_such_case) };
            if excluded(shared, &agent, index) {
                // There will never be a result to wait for.
                peer.play(stream, &message(None)).await;
                return None;
            }
            let status = shared.board.result(&agent, index, |record| {
                format!(r#"{{"behavior": "{}"}}"#, words::behavior(record.behavior))
            });
            match timeout(shared.run.settings.limits.whole, status).await {
                Ok(status) => peer.say(stream, status).await,
                Err(_) => return refused(503, "there is no result yet"),
            }
        }
        Call::UpdateReports { agent, stop } => {
            // A case ends by itself within this time.
            let _ = timeout(shared.run.settings.limits.whole, shared.board.idle(agent.as_deref())).await;
            (shared.on_update)(&shared.record());
            peer.play(stream, &message(None)).await;
            if stop {
                shared.stop.send_replace(true);
            }
        }
        Call::StopServer => {
            peer.play(stream, &message(None)).await;
            shared.stop.send_replace(true);
        }
        Call::Command => {
            let agreement = Agreement { subprotocol, ..Agreement::default() };
            let request = match head.validate() {
                Ok(request) => request,
                Err(error) => return Some(error.response()),
            };
            match request.accept(&agreement) {
                Ok(response) => {
                    command::converse(stream, &response, &rest, &shared.run.settings.limits).await
                }
                Err(error) => return refused(400, &error.to_string()),
            }
        }
    }
    None
}

impl Refusals {
    /// The response of a call that cannot be served.
    fn response(self, status: u16, reason: &str) -> Vec<u8> {
        match self {
            Self::Told => refuse(status, &[], reason),
            Self::Mute => {
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    .to_vec()
            }
        }
    }
}

/// The report as it stands.
fn page(shared: &Shared, head: &RequestHead) -> Vec<u8> {
    let path = head.target.split('?').next().unwrap_or_default();
    if head.method != "GET" || path != "/" {
        return refuse(404, &[], "the page is at /; clients under test speak WebSocket");
    }
    let body =
        html::render(&shared.record()).into_iter().next().map(|file| file.contents).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// A client whose request can be accepted.
struct Peer<'a> {
    shared: &'a Shared,
    accepted: &'a Accepted,
}

impl Peer<'_> {
    /// One text message, then a Close without a code.
    async fn say(&self, stream: &mut impl Link, text: String) {
        self.play(stream, &message(Some(text))).await;
    }

    async fn play(&self, stream: &mut impl Link, plan: &Arc<Plan>) -> (Transcript, Duration) {
        self.play_before(None, stream, plan).await
    }

    /// The same before somebody who watches.
    async fn play_before(
        &self,
        witness: Option<Witness>,
        stream: &mut impl Link,
        plan: &Arc<Plan>,
    ) -> (Transcript, Duration) {
        let settings = &self.shared.run.settings;
        let began = Instant::now();
        let seed = case::seed_of(settings.seed, plan.scenario.id.as_str());
        let mut engine = Engine::accepting(Arc::clone(plan), self.accepted, settings.limits.clone(), seed);
        if let Some(witness) = witness {
            engine = engine.before(witness);
        }
        carrier::play_on(&mut engine, stream, began, settings.limits.answer).await;
        (engine.into_transcript(), began.elapsed())
    }
}

async fn run_case<L: Link>(
    stream: &mut L,
    peer: &Peer<'_>,
    index: usize,
    agent: &str,
    playing: &Playing<'_>,
) {
    let shared = peer.shared;
    let plan = &shared.run.selected[index];
    let mut provisional = false;
    let record = if let Some(flaw) = plan.scenario.opening.tls {
        peer.play(stream, &message(None)).await;
        let lacks = distrust::lacks(shared, flaw);
        provisional = lacks.is_none();
        match lacks {
            Some(lacks) => {
                case::unimplemented(&plan.scenario, Role::Client, L::CARRIER, lacks, &shared.repeat)
            }
            None => distrust::pending(shared, plan),
        }
    } else if plan.scenario.needs.contains(&Need::Tls) && stream.server_name().is_none() {
        peer.play(stream, &message(None)).await;
        let lacks = "does not reach us through TLS (listen --cert --key)";
        case::unimplemented(&plan.scenario, Role::Client, L::CARRIER, lacks, &shared.repeat)
    } else {
        let witness = shared.run.settings.witness(plan.scenario.id.as_str());
        let (mut transcript, took) = peer.play_before(witness, stream, plan).await;
        if let Some(violation) = same_start(shared, playing, &transcript) {
            let at_us = transcript.entries.last().map_or(0, |entry| entry.at_us);
            transcript.entries.push(Entry { at_us, step: None, prelude: false, what: violation });
        }
        case::record(plan, Role::Client, L::CARRIER, transcript, took, &shared.repeat)
    };
    put(shared, playing, index, agent, record, provisional);
}

/// Whether what came of an agent's last case was to end the run: a client is done with a case before we are.
async fn has_ended(shared: &Shared, agent: &str) -> bool {
    let fail_fast = shared.run.settings.staying.fail_fast;
    if fail_fast {
        // One that goes on before it has ended its case is not waited for longer than a case may take.
        let _ = timeout(shared.run.settings.limits.whole, shared.board.idle(Some(agent))).await;
    }
    fail_fast && *shared.stop.borrow()
}

/// Tells of a result, and puts it up. A `provisional` one is replaced later.
pub(super) fn put(
    shared: &Shared,
    playing: &Playing<'_>,
    index: usize,
    agent: &str,
    record: CaseRecord,
    provisional: bool,
) {
    shared.run.tell(RunEvent::CaseFinished {
        id: format!("{agent}: {}", record.id),
        title: shared.run.selected[index].scenario.title.clone(),
        behavior: record.behavior,
        close: record.close,
        reason: record.findings.first().map(|finding| finding.observed.clone()),
        provisional,
    });
    let Staying { fail_fast, times } = shared.run.settings.staying;
    let is_last = fail_fast && !provisional && breaks_a_must(&record);
    let repeated = times > NonZeroU32::MIN && shared.run.selected[index].scenario.opening.tls.is_none();
    shared.board.put(playing, index, record, repeated);
    if is_last {
        shared.stop.send_replace(true);
    }
}

/// What the first masking key of a connection breaks by being that of others.
fn same_start(shared: &Shared, playing: &Playing<'_>, transcript: &Transcript) -> Option<What> {
    let first = transcript.entries.iter().find_map(|entry| {
        let What::Frame { dir: Direction::Received, frame } = &entry.what else { return None };
        frame.mask.as_deref()
    })?;
    shared.board.starts_alike(playing, first).then(|| What::Violation {
        rule: "rfc6455-5.3-key-unpredictable".to_owned(),
        detail: format!("the first masking key, {first}, is that of another connection of this client"),
    })
}

/// What the request of a client breaks that is not in its text.
fn beyond_the_text(
    stream: &impl Link,
    peer: &Peer<'_>,
    playing: &Playing<'_>,
    head: &RequestHead,
) -> Vec<Violation> {
    let mut broken = Vec::new();
    let key = &peer.accepted.asked().key;
    if !key.is_empty() && peer.shared.board.is_stale(playing, key) {
        let detail = format!("the Sec-WebSocket-Key {key:?} is that of an earlier connection");
        broken.push(Violation::new(Rule::RequestKeyFresh, detail));
    }
    // "Literal IPv4 and IPv6 addresses are not permitted" in the extension (RFC 6066 3).
    let host = head.headers.get("Host").map(String::from_utf8_lossy).unwrap_or_default();
    if stream.server_name() == Some(None) && is_name(&host) {
        let detail = format!("the TLS hello names no server, and Host is {host:?}");
        broken.push(Violation::new(Rule::RequestServerName, detail));
    }
    broken
}

/// Whether a host, with or without a port, is a name and no address.
fn is_name(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    !name.is_empty() && !host.starts_with('[') && name.parse::<std::net::IpAddr>().is_err()
}

/// The first of the client's subprotocols that we speak.
fn subprotocol(shared: &Shared, asked: &Asked) -> Option<String> {
    asked.subprotocols.iter().find(|name| shared.face.subprotocols.contains(*name)).cloned()
}

/// Whether an agent is kept from a case.
fn excluded(shared: &Shared, agent: &str, index: usize) -> bool {
    (shared.face.excluded)(agent, &shared.run.selected[index].scenario.id)
}

/// A conversation that says one thing, and asks nothing.
pub(crate) fn message(text: Option<String>) -> Arc<Plan> {
    let mut steps = Vec::new();
    if let Some(text) = text {
        steps.push(Step::Send(Frame::new(Opcode::TEXT, Payload::Text(text))));
    }
    steps.push(Step::Send(Frame::new(Opcode::CLOSE, Payload::default())));
    let ending = Ending { by: By::Either, codes: Vec::new(), clean: false, bare: false };
    Plan::alone(Scenario::uncatalogued("call", steps, Saw::Anything, ending))
}

/// The index of a case in the selection.
fn find(shared: &Shared, case: &CaseRef) -> Option<usize> {
    let selected = &shared.run.selected;
    match case {
        CaseRef::Number(number) => {
            // A case that is repeated has as many numbers, one after another.
            let times = shared.run.settings.staying.times.get() as usize;
            number.checked_sub(1).map(|number| number / times).filter(|index| *index < selected.len())
        }
        CaseRef::Id(id) => selected.iter().position(|plan| plan.scenario.id.as_str() == id),
    }
}

/// The `User-Agent`.
fn software(head: &RequestHead) -> Option<String> {
    head.headers.get("User-Agent").map(|value| String::from_utf8_lossy(value).into_owned())
}
