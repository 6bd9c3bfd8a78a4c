//! Clients under test: whatever connection one makes, the next scenario is played on it.
//!
//! ```text
//! TCP [─ TLS] ─ request head ─┬─ getCaseCount, getCaseStatus, … ─▶ an answer that keeps a driver's loop going
//!                             └─ runCase, any other path ────────▶ the next scenario that waits for a connection
//! ```
//!
//! A client that a command starts is started again whenever it ends. One that ends by a signal has crashed, which is a finding;
//! with which status one ends is its own affair.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, timeout};
use wsgrade_cases::model::{Awaited, DeflateWish, Ending, Expected, Frame, Payload, Saw, Scenario, Step};
use wsgrade_codec::Kind;
use wsgrade_codec::handshake::refuse;
use wsgrade_codec::wire::Opcode;
use wsgrade_reports::record::{Entry, TargetFacts, Transcript, What};

use crate::carrier::{self, Link, tls};
use crate::engine::{Accepted, Engine, Limits};
use crate::listen::api::{Call, Unnamed};
use crate::listen::{Client, connection};
use crate::plan::Plan;
use crate::runner::probe::facts;
use crate::spawn::{Death, Guard};

/// How many cases a driver is told there are: more than any plays in the time.
const MANY: &str = "1000000";
/// How long a scenario waits for a client to connect.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the first clients are asked.
const QUESTION: &str = "wsgrade";
/// The mark behind the question.
const AFTER: &str = "after";
/// How long an echo is waited for.
const ECHO: Duration = Duration::from_secs(1);
/// So many times in a row a client may end without having played anything.
const FRUITLESS: u32 = 5;

/// Where clients are met.
pub struct Guests {
    url: String,
    inner: Arc<Inner>,
    tasks: Mutex<Vec<AbortHandle>>,
}

struct Inner {
    limits: Limits,
    tls: Option<tls::Acceptor>,
    /// What waits for a connection.
    jobs: Mutex<VecDeque<Job>>,
    /// There is one more job.
    more: Notify,
    /// How many scenarios got a connection.
    begun: AtomicU64,
    client: Option<Client>,
    /// How the client crashed last.
    crash: watch::Sender<Option<Death>>,
    /// Told to end the client that runs, so that another is started.
    anew: Notify,
    /// Why no client comes any more.
    gone: watch::Sender<Option<String>>,
}

struct Job {
    plan: Arc<Plan>,
    limits: Limits,
    seed: u64,
    reply: oneshot::Sender<(Transcript, Duration)>,
}

impl fmt::Debug for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guests").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Guests {
    /// Begins to listen, and starts the client, if there is a command that does.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    pub async fn bind(
        addr: SocketAddr,
        tls: Option<tls::Acceptor>,
        limits: Limits,
        client: Option<Client>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        let url = format!("{scheme}://{}", listener.local_addr()?);
        let inner = Arc::new(Inner {
            limits,
            tls,
            jobs: Mutex::default(),
            more: Notify::new(),
            begun: AtomicU64::new(0),
            client,
            crash: watch::channel(None).0,
            anew: Notify::new(),
            gone: watch::channel(None).0,
        });
        let mut tasks = vec![tokio::spawn(accept(listener, Arc::clone(&inner))).abort_handle()];
        if let Some(client) = inner.client.clone() {
            let keeping: JoinHandle<()> = tokio::spawn(keep(client, url.clone(), Arc::clone(&inner)));
            tasks.push(keeping.abort_handle());
        }
        Ok(Self { url, inner, tasks: Mutex::new(tasks) })
    }

    /// Where we listen.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn carrier(&self) -> &'static str {
        if self.inner.tls.is_some() { tls::NAME } else { carrier::tcp::NAME }
    }

    pub(super) fn is_near(&self) -> bool {
        self.is_spawned()
    }

    pub(super) fn is_spawned(&self) -> bool {
        self.inner.client.is_some()
    }

    /// Plays a scenario on the next connection that nobody else has.
    pub(super) async fn play(&self, plan: &Arc<Plan>, limits: &Limits, seed: u64) -> (Transcript, Duration) {
        let began = Instant::now();
        let (reply, mut answer) = oneshot::channel();
        let job = Job { plan: Arc::clone(plan), limits: limits.clone(), seed, reply };
        lock(&self.inner.jobs).push_back(job);
        self.inner.more.notify_one();
        let mut gone = self.inner.gone.subscribe();
        loop {
            let begun = self.inner.begun.load(Ordering::Relaxed);
            let gone = async {
                // Its other end is held as long as we are.
                let gone = gone.wait_for(Option::is_some).await.ok()?;
                gone.clone()
            };
            // A scenario takes its own time once it has a connection, and others may be before it.
            tokio::select! {
                played = &mut answer => {
                    // Its connection was dropped by the end of everything.
                    return played.unwrap_or_else(|_| trouble("the connection was lost", began));
                }
                Some(reason) = gone => return trouble(&reason, began),
                () = sleep(PATIENCE) => {
                    if self.inner.begun.load(Ordering::Relaxed) == begun {
                        return trouble("no client connected in time", began);
                    }
                }
            }
        }
    }

    /// Whether a client connects once more; if not, why.
    pub(super) async fn comes_again(&self) -> Result<(), String> {
        let plan = connection::message(None);
        let (transcript, _) = self.play(&plan, &self.inner.limits, 0).await;
        match crate::judge::trouble(&plan.scenario, &transcript) {
            Some((_, reason)) => Err(reason.to_owned()),
            None => Ok(()),
        }
    }

    /// Asks the first client that comes what it does with messages, and whether it offers permessage-deflate.
    ///
    /// # Errors
    ///
    /// No client comes.
    pub async fn learn(&self) -> Result<TargetFacts, String> {
        let ask = async |kind: Kind, deflate: bool| {
            let plan = question(kind, deflate);
            let (transcript, _) = self.play(&plan, &self.inner.limits, 0).await;
            match crate::judge::trouble(&plan.scenario, &transcript) {
                Some((_, reason)) => Err(reason.to_owned()),
                None => Ok(transcript),
            }
        };
        let text = ask(Kind::Text, false).await?;
        let binary = ask(Kind::Binary, false).await?;
        let deflate = ask(Kind::Text, true).await?;
        Ok(TargetFacts {
            text: facts::response(&text, Kind::Text, QUESTION.as_bytes()),
            binary: facts::response(&binary, Kind::Binary, QUESTION.as_bytes()),
            talks: [&text, &binary].iter().any(|said| facts::says_anything(said, QUESTION.as_bytes())),
            pongs: facts::marked(&text, AFTER),
            deflate: facts::deflate(&deflate),
            ..TargetFacts::default()
        })
    }

    pub(super) fn has_crashed(&self) -> bool {
        self.inner.crash.borrow().is_some()
    }

    pub(super) async fn crash_within(&self, patience: Duration) -> Option<Death> {
        let mut crash = self.inner.crash.subscribe();
        // When the time is over there is nothing to add to what is known.
        let _ = timeout(patience, crash.wait_for(Option::is_some)).await;
        crash.borrow().clone()
    }

    pub(super) fn forget_crash(&self) {
        self.inner.crash.send_replace(None);
    }

    pub(super) fn start_anew(&self) {
        self.inner.anew.notify_waiters();
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        lock(&self.tasks).iter().for_each(AbortHandle::abort);
    }
}

/// A message, a ping that shows when it was read, and the echo, should there be one.
fn question(kind: Kind, deflate: bool) -> Arc<Plan> {
    let payload = Payload::Text(QUESTION.to_owned());
    let echo = match kind {
        Kind::Text => Expected::Text(payload.clone()),
        Kind::Binary => Expected::Binary(payload.clone()),
    };
    let steps = vec![
        Step::Send(Frame::new(Opcode::of(kind), payload)),
        Step::Probe { mark: AFTER.to_owned() },
        Step::Await { event: Awaited::Answer(echo), within: Some(ECHO) },
    ];
    let mut scenario = Scenario::uncatalogued("probe", steps, Saw::Anything, Ending::ordinary());
    if deflate {
        scenario.opening.deflate = vec![DeflateWish::default()];
    }
    Plan::alone(scenario)
}

/// Runs the client's command again and again.
async fn keep(client: Client, url: String, inner: Arc<Inner>) {
    let mut fruitless = 0;
    while fruitless < FRUITLESS {
        let begun = inner.begun.load(Ordering::Relaxed);
        let guard: Guard = match client.start(&url) {
            Ok(guard) => guard,
            Err(error) => {
                inner.gone.send_replace(Some(error.to_string()));
                return;
            }
        };
        let death = tokio::select! {
            death = guard.0.death_within(Duration::MAX) => death,
            () = inner.anew.notified() => None,
        };
        // To end it may take seconds.
        let _ = tokio::task::spawn_blocking(move || drop(guard)).await;
        let Some(death) = death else { continue };
        fruitless = if inner.begun.load(Ordering::Relaxed) == begun { fruitless + 1 } else { 0 };
        if fruitless == FRUITLESS {
            let output = death.output.join(" | ");
            inner.gone.send_replace(Some(format!(
                "the client ended with {} without having played anything: {output}",
                death.exit
            )));
        }
        if crashed(&death) {
            inner.crash.send_replace(Some(death));
        }
    }
}

/// Whether a client did not end by its own will: by a signal, or as a shell says that of its child.
fn crashed(death: &Death) -> bool {
    let status = death.exit.strip_prefix("exit status ").and_then(|status| status.parse::<u32>().ok());
    death.exit.starts_with("signal ") || status.is_some_and(|status| (129..=159).contains(&status))
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    loop {
        // One that is gone before it was accepted is no reason to stop.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let inner = Arc::clone(&inner);
        tokio::spawn(async move {
            // Where it cannot be set, small writes are late, and nothing else.
            let _ = stream.set_nodelay(true);
            meet(stream, &inner).await;
        });
    }
}

async fn meet(stream: TcpStream, inner: &Inner) {
    match &inner.tls {
        None => serve(stream, inner).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream, inner.limits.opening).await {
                serve(stream, inner).await;
            }
        }
    }
}

async fn serve<L: Link>(mut stream: L, inner: &Inner) {
    let patience = inner.limits.opening;
    let refusal = match timeout(patience, connection::request(&mut stream)).await {
        Ok(Ok(Some((head, rest)))) => {
            let accepted = Accepted::new(&head, rest.freeze());
            let text = match Call::parse(&head.target, Unnamed::Called) {
                Ok(Call::RunCase(..) | Call::Command) | Err(_) => {
                    next(stream, inner, &accepted).await;
                    return;
                }
                Ok(Call::CaseCount) => Some(MANY.to_owned()),
                Ok(Call::CaseInfo(_)) => {
                    Some(r#"{"id": "fuzz", "description": "A scenario that nobody wrote"}"#.to_owned())
                }
                Ok(Call::CaseStatus(..)) => Some(r#"{"behavior": "OK"}"#.to_owned()),
                Ok(Call::UpdateReports { .. } | Call::StopServer) => None,
            };
            let plan = connection::message(text);
            let job = (&plan, &inner.limits, 0);
            play(&mut stream, job, &accepted).await;
            return;
        }
        Ok(Ok(None)) => return,
        Ok(Err(error)) => refuse(error.status(), &[], &error.to_string()),
        Err(_) => refuse(408, &[], "the request did not come in time"),
    };
    // A client that does not take its answer is not waited for.
    let _ = timeout(patience, async {
        stream.write_all(&refusal).await?;
        stream.shutdown().await
    })
    .await;
}

/// Plays what waits longest.
async fn next(mut stream: impl Link, inner: &Inner, accepted: &Accepted) {
    let job = loop {
        let more = inner.more.notified();
        if let Some(job) = lock(&inner.jobs).pop_front() {
            if job.reply.is_closed() {
                continue;
            }
            inner.begun.fetch_add(1, Ordering::Relaxed);
            break job;
        }
        more.await;
    };
    let played = play(&mut stream, (&job.plan, &job.limits, job.seed), accepted).await;
    // Whoever asked may have given up.
    let _ = job.reply.send(played);
}

async fn play(
    stream: &mut impl Link,
    (plan, limits, seed): (&Arc<Plan>, &Limits, u64),
    accepted: &Accepted,
) -> (Transcript, Duration) {
    let began = Instant::now();
    let mut engine = Engine::accepting(Arc::clone(plan), accepted, limits.clone(), seed);
    carrier::play_on(&mut engine, stream, began, limits.answer).await;
    (engine.into_transcript(), began.elapsed())
}

fn trouble(reason: &str, began: Instant) -> (Transcript, Duration) {
    let what = What::Trouble { reason: reason.to_owned() };
    let at_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    (Transcript { entries: vec![Entry { at_us, step: None, prelude: false, what }] }, began.elapsed())
}

/// Nothing panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_ends_are_crashes() {
        let crash = |exit: &str| crashed(&Death { exit: exit.to_owned(), output: Vec::new() });
        assert!(crash("signal 11 (SIGSEGV)") && crash("exit status 134") && crash("exit status 139"));
        assert!(!crash("exit status 0") && !crash("exit status 1") && !crash("exit status 255"));
    }
}
