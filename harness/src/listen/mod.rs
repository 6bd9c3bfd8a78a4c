//! Clients under test: they connect to us.
//!
//! ```text
//! TCP [─ TLS] ─ request head ─┬─ no upgrade ─────────▶ page: the report as it stands, or an error
//!                             └─ upgrade ─ api::Call ─┬─ RunCase ──────▶ engine ─▶ judge ─▶ board
//!                                                     ├─ GetCaseStatus ▶ waits for the board
//!                                                     ├─ Command ──────▶ command: frames as the client asks for them
//!                                                     └─ the others ───▶ one text message from the board
//! ```
//!
//! A client that a command starts is started once more for each case in which TLS fails (`distrust`), when its own loop has
//! ended.
//!
//! The calls are those of Autobahn|Testsuite's fuzzing server, so that drivers written for it work unchanged.

pub(crate) mod api;
mod board;
mod command;
pub(crate) mod connection;
mod distrust;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use wsgrade_cases::id::CaseId;
use wsgrade_reports::record::RunReport;

use crate::carrier::tls;
use crate::event::RunEvent;
use crate::plan::Depth;
use crate::runner::{Run, Staying, breaks_a_must};
use crate::shell;
use board::Board;

pub use distrust::Client;

/// Connections served at once; more have to wait.
const MAX_CONNECTIONS: usize = 256;
/// Reasons to turn a client away that are told.
const MAX_REASONS: usize = 8;

/// Listens for clients under test.
pub struct Listener {
    listener: TcpListener,
    shared: Shared,
}

/// How clients are met, where there is a choice.
pub struct Face {
    /// How calls that cannot be served are refused.
    pub refusals: Refusals,
    /// Whether an agent, by its name, is kept from a case: its connection is closed at once, and the report has nothing of
    /// it.
    pub excluded: Excluded,
    /// The subprotocols spoken; the first of the client's that is among them is agreed to.
    pub subprotocols: Vec<String>,
}

/// Whether an agent is kept from a case.
pub type Excluded = Box<dyn Fn(&str, &CaseId) -> bool + Send + Sync>;

/// How a call that cannot be served is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusals {
    /// With the status that fits, and a sentence.
    Told,
    /// As Autobahn|Testsuite does: status 500 and no word; so is a client refused that does not name itself.
    Mute,
}

impl Default for Face {
    fn default() -> Self {
        Self { refusals: Refusals::Told, excluded: Box::new(|_, _| false), subprotocols: Vec::new() }
    }
}

/// What every connection needs.
struct Shared {
    run: Run,
    face: Face,
    /// The client that we started, if we did.
    client: Option<Client>,
    board: Board,
    /// Where we listen.
    addr: SocketAddr,
    /// Where we listen, as a URL.
    url: String,
    /// The command that repeats a case, up to its id.
    repeat: String,
    started: (SystemTime, Instant),
    /// Becomes `true` when a client asks us to stop.
    stop: watch::Sender<bool>,
    /// How TLS is spoken, if it is.
    tls: Option<tls::Acceptor>,
    /// Why clients had no connection, each reason once, and not more of them than [`MAX_REASONS`].
    turned_away: Mutex<BTreeSet<String>>,
    /// Told of every report that a client asks for.
    on_update: Box<dyn Fn(&RunReport) + Send + Sync>,
}

impl Listener {
    /// Begins to listen, for TLS and nothing else if there is an acceptor. `on_update` is called whenever a client asks for the reports to be written.
    pub async fn bind(
        addr: SocketAddr,
        run: Run,
        tls: Option<tls::Acceptor>,
        on_update: impl Fn(&RunReport) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let shared = Shared {
            board: Board::default(),
            client: None,
            addr,
            url: format!("{}://{addr}", if tls.is_some() { "wss" } else { "ws" }),
            repeat: format!(
                "wsgrade listen {addr}{}{} --seed {} -c ",
                tls.as_ref().map(files).unwrap_or_default(),
                match run.settings.depth {
                    Depth::Default => String::new(),
                    depth => format!(" --depth {depth}"),
                },
                run.settings.seed
            ),
            started: (SystemTime::now(), Instant::now()),
            stop: watch::channel(false).0,
            on_update: Box::new(on_update),
            tls,
            turned_away: Mutex::default(),
            face: Face::default(),
            run,
        };
        Ok(Self { listener, shared })
    }

    /// With another face than the default one.
    #[must_use]
    pub fn with_face(mut self, face: Face) -> Self {
        self.shared.face = face;
        self
    }

    /// For a client that a command starts: it is started once more for each case in which TLS fails.
    #[must_use]
    pub fn with_client(mut self, client: Client) -> Self {
        self.shared.client = Some(client);
        self
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Serves until a client says stop, the user does, or `over` ends, as it does when a client that was started has ended;
    /// plays then what is not played on a connection that the client makes by itself; gives the record of what was played.
    pub async fn serve(self, over: impl Future<Output = ()>) -> RunReport {
        let Self { listener, shared } = self;
        let shared = Arc::new(shared);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut stopped = shared.stop.subscribe();
        let mut interrupted = shared.run.interrupted.clone();
        let mut over = std::pin::pin!(over);
        let mut is_over = false;
        loop {
            let accepted = tokio::select! {
                accepted = async {
                    // Never closed, so there is always a place in the end.
                    let place = Arc::clone(&places).acquire_owned().await;
                    listener.accept().await.map(|(stream, _)| (stream, place))
                } => accepted,
                _ = stopped.wait_for(|stop| *stop) => break,
                _ = interrupted.wait_for(|stop| *stop) => break,
                () = &mut over => {
                    is_over = true;
                    break;
                }
                Some(_) = connections.join_next() => continue,
            };
            // One that is gone before it was accepted is no reason to stop.
            let Ok((stream, place)) = accepted else { continue };
            let shared = Arc::clone(&shared);
            connections.spawn(async move {
                shared.serve(stream).await;
                drop(place);
            });
        }
        let in_a_hurry = *shared.run.interrupted.borrow();
        if !in_a_hurry {
            // A client is done with its last case before we are.
            let limits = &shared.run.settings.limits;
            let _ = timeout(limits.answer + limits.close, shared.board.idle(None)).await;
            let goes_on = !(shared.run.settings.staying.fail_fast && *shared.stop.borrow());
            if goes_on && shared.has_failing_tls() {
                if !is_over {
                    // One that asked us to stop is about to end.
                    let _ = timeout(limits.close, over).await;
                }
                distrust::play_all(&shared).await;
            }
        }
        shared.record()
    }
}

/// The options that name an acceptor's files.
fn files(acceptor: &tls::Acceptor) -> String {
    let [cert, key] = acceptor.files().map(|path| shell::word(&path.display().to_string()));
    format!(" --cert {cert} --key {key}")
}

impl Shared {
    async fn serve(&self, stream: TcpStream) {
        // Where it cannot be set, small writes are late, and nothing else.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => connection::serve(stream, self).await,
            Some(acceptor) => match acceptor.accept(stream, self.run.settings.limits.opening).await {
                Ok(stream) => connection::serve(stream, self).await,
                Err(error) => self.turn_away(error.to_string()),
            },
        }
    }

    /// Whether cases are selected in which TLS fails.
    fn has_failing_tls(&self) -> bool {
        self.run.selected.iter().any(|plan| plan.scenario.opening.tls.is_some())
    }

    /// A client without a connection is no result, and who waits for one wants to know; once.
    fn turn_away(&self, reason: String) {
        let mut told = self.turned_away.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < MAX_REASONS && told.insert(reason.clone()) {
            self.run.tell(RunEvent::TurnedAway { reason });
        }
    }

    /// The record of what was played so far.
    fn record(&self) -> RunReport {
        let (started, began) = self.started;
        let expected = |agent: &str| {
            self.run.selected.iter().filter(|plan| !(self.face.excluded)(agent, &plan.scenario.id)).count()
        };
        let mut report = self.run.record(started, began.elapsed(), self.board.targets(&self.url, expected));
        if self.run.settings.staying.fail_fast && *self.stop.borrow() {
            for target in report.targets.iter_mut().filter(|target| target.stopped.is_some()) {
                let (ran, of) = (target.cases.len(), expected(&target.name));
                if let Some(broken) = target.cases.iter().find(|record| breaks_a_must(record)) {
                    target.stopped = Some(Staying::ended_at(&broken.id, ran, of));
                }
            }
        }
        report
    }
}
