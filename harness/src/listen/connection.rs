//! One connection of a client under test.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use wsgrade_cases::model::{By, Ending, Frame, Payload, Saw, Scenario, Step};
use wsgrade_codec::Role;
use wsgrade_codec::handshake::{HeadError, Limits as HeadLimits, RequestHead, RequestReader, refuse};
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::Transcript;
use wsgrade_reports::render::html;

use super::Shared;
use super::api::{Call, CaseRef};
use super::board::Playing;
use crate::carrier::{self, Link};
use crate::engine::{Accepted, Engine};
use crate::event::RunEvent;
use crate::plan::Plan;
use crate::runner::case;

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
async fn request(stream: &mut impl Link) -> Result<Option<(RequestHead, BytesMut)>, HeadError> {
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
    if head.headers.get("Upgrade").is_none() {
        return Some(page(shared, head));
    }
    let accepted = match Accepted::new(head, rest.freeze()) {
        Ok(accepted) => accepted,
        Err(error) => return Some(error.response()),
    };
    let call = match Call::parse(&head.target) {
        Ok(call) => call,
        Err(reason) => return Some(refuse(404, &[], &reason)),
    };
    let found = |case: &CaseRef| find(shared, case).ok_or_else(|| refuse(400, &[], "there is no such case"));
    match call {
        Call::RunCase(case, agent) => {
            let index = match found(&case) {
                Ok(index) => index,
                Err(response) => return Some(response),
            };
            let Some(playing) = shared.board.begin(&agent, software(head)) else {
                return Some(refuse(503, &[], "there are too many agents already"));
            };
            run_case(stream, shared, &accepted, index, &agent, &playing).await;
        }
        Call::CaseCount => say(stream, shared, &accepted, shared.run.selected.len().to_string()).await,
        Call::CaseInfo(case) => match found(&case) {
            Ok(index) => {
                let scenario = &shared.run.selected[index].scenario;
                let info = serde_json::json!({ "id": scenario.id.as_str(), "description": scenario.title });
                say(stream, shared, &accepted, info.to_string()).await;
            }
            Err(response) => return Some(response),
        },
        Call::CaseStatus(case, agent) => match found(&case) {
            Ok(index) => {
                let status = shared.board.result(&agent, index, |record| {
                    serde_json::json!({ "behavior": autobahn(record.behavior) }).to_string()
                });
                match timeout(shared.run.settings.limits.whole, status).await {
                    Ok(status) => say(stream, shared, &accepted, status).await,
                    Err(_) => return Some(refuse(503, &[], "there is no result yet")),
                }
            }
            Err(response) => return Some(response),
        },
        Call::UpdateReports { agent, stop } => {
            // A case ends by itself within this time.
            let _ = timeout(shared.run.settings.limits.whole, shared.board.idle(agent.as_deref())).await;
            (shared.on_update)(&shared.record());
            play(stream, shared, &message(None), &accepted).await;
            if stop {
                shared.stop.send_replace(true);
            }
        }
        Call::StopServer => {
            play(stream, shared, &message(None), &accepted).await;
            shared.stop.send_replace(true);
        }
    }
    None
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

async fn run_case<L: Link>(
    stream: &mut L,
    shared: &Shared,
    accepted: &Accepted,
    index: usize,
    agent: &str,
    playing: &Playing<'_>,
) {
    let plan = &shared.run.selected[index];
    let (transcript, took) = play(stream, shared, plan, accepted).await;
    let record = case::record(plan, Role::Client, L::CARRIER, transcript, took, &shared.repeat);
    shared.run.tell(RunEvent::CaseFinished {
        id: format!("{agent}: {}", record.id),
        title: plan.scenario.title.clone(),
        behavior: record.behavior,
        close: record.close,
        reason: record.findings.first().map(|finding| finding.observed.clone()),
        provisional: false,
    });
    shared.board.put(playing, index, record);
}

/// One text message, then a Close without a code.
async fn say(stream: &mut impl Link, shared: &Shared, accepted: &Accepted, text: String) {
    play(stream, shared, &message(Some(text)), accepted).await;
}

async fn play(
    stream: &mut impl Link,
    shared: &Shared,
    plan: &Arc<Plan>,
    accepted: &Accepted,
) -> (Transcript, Duration) {
    let settings = &shared.run.settings;
    let began = Instant::now();
    let seed = case::seed_of(settings.seed, plan.scenario.id.as_str());
    let mut engine = Engine::accepting(Arc::clone(plan), accepted, settings.limits.clone(), seed);
    carrier::play_on(&mut engine, stream, began, settings.limits.answer).await;
    (engine.into_transcript(), began.elapsed())
}

/// A conversation that says one thing, and asks nothing.
fn message(text: Option<String>) -> Arc<Plan> {
    let mut steps = Vec::new();
    if let Some(text) = text {
        steps.push(Step::Send(Frame::new(Opcode::TEXT, Payload::Text(text))));
    }
    steps.push(Step::Send(Frame::new(Opcode::CLOSE, Payload::default())));
    let ending = Ending { by: By::Either, codes: Vec::new(), clean: false };
    Plan::alone(Scenario::uncatalogued("call", steps, Saw::Anything, ending))
}

/// The index of a case in the selection.
fn find(shared: &Shared, case: &CaseRef) -> Option<usize> {
    let selected = &shared.run.selected;
    match case {
        CaseRef::Number(number) => number.checked_sub(1).filter(|index| *index < selected.len()),
        CaseRef::Id(id) => selected.iter().position(|plan| plan.scenario.id.as_str() == id),
    }
}

/// The `User-Agent`.
fn software(head: &RequestHead) -> Option<String> {
    head.headers.get("User-Agent").map(|value| String::from_utf8_lossy(value).into_owned())
}

/// Autobahn's word for a verdict, which drivers may compare with.
fn autobahn(behavior: wsgrade_reports::record::Behavior) -> &'static str {
    use wsgrade_reports::record::Behavior;
    match behavior {
        Behavior::Pass => "OK",
        Behavior::Informational => "INFORMATIONAL",
        Behavior::Unimplemented => "UNIMPLEMENTED",
        Behavior::NonStrict => "NON-STRICT",
        Behavior::Fail | Behavior::Inconclusive => "FAILED",
    }
}
