//! Listening, accepting, and stopping: everything that is about more than one connection.
//!
//! ```text
//! bind --> run ---> acceptor 1..n --admit?--> task: opening handshake -> connection -> end of TCP -> report
//!           |                  \--no seat--> task: 503
//!           \- shutdown: Phase goes Serving -> GoingAway -> (grace time) -> CutOff; every task watches it
//! ```

use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

use crate::{
    caps::{Census, Full},
    config::Config,
    connection,
    opening::{self, Refusal},
    phase::{Phase, Watch},
    report::ConnectionReport,
};

/// Connections waiting in the kernel for `accept`.
const BACKLOG: i32 = 1024;

/// At most this many connections above a cap are told so at a time; what comes on top is closed without a word.
const REFUSALS_AT_A_TIME: usize = 64;

/// How long an acceptor rests after `accept` failed for want of resources (file descriptors, memory). Without it the
/// loop would spin, because the connection that could not be accepted stays in the queue.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A strict echo server which is bound and not yet running.
#[derive(Debug)]
pub struct Server {
    config: Arc<Config>,
    listeners: Vec<TcpListener>,
    local_addr: SocketAddr,
    census: Arc<Census>,
}

impl Server {
    /// Binds the acceptor sockets. Must be called inside a tokio runtime with I/O and time enabled.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if the configuration contradicts itself (see [`Config::validate`]), otherwise
    /// what the operating system says about the address.
    pub fn bind(config: Config) -> io::Result<Self> {
        config.validate().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut listeners = Vec::with_capacity(config.acceptors);
        let mut address = config.addr;
        for _ in 0..config.acceptors {
            let listener = listen(address, config.acceptors > 1)?;
            // The first socket may have asked for any free port (0); the others share the one it got.
            address = listener.local_addr()?;
            listeners.push(listener);
        }
        let census = Census::new(config.caps);
        Ok(Self { config: Arc::new(config), listeners, local_addr: address, census })
    }

    /// The address listened on, with the real port if port 0 was asked for.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` is ready, then closes every connection with 1001, waits for them up to
    /// [`Config::shutdown_grace`], cuts off the rest and returns.
    ///
    /// Dropping the future stops accepting and cuts off all connections at once.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let (phase, watch) = Watch::new();
        let (alive, mut all_gone) = mpsc::channel::<()>(1);
        let acceptor = Acceptor {
            config: Arc::clone(&self.config),
            census: Arc::clone(&self.census),
            refusals: Arc::new(Semaphore::new(REFUSALS_AT_A_TIME)),
            watch,
            alive,
        };
        for listener in self.listeners {
            tokio::spawn(acceptor.clone().accept_all(listener));
        }
        drop(acceptor);

        shutdown.await;
        tracing::debug!(open = self.census.open(), "shutting down");
        phase.send_replace(Phase::GoingAway);
        // Every task holds a sender; `recv` ends when the last of them is gone.
        if tokio::time::timeout(self.config.shutdown_grace, all_gone.recv()).await.is_err() {
            tracing::debug!(open = self.census.open(), "cutting off what is left");
            phase.send_replace(Phase::CutOff);
            all_gone.recv().await;
        }
    }

    /// Runs the server as a task of the current runtime.
    #[must_use]
    pub fn spawn(self) -> ServerHandle {
        let local_addr = self.local_addr;
        let census = Arc::clone(&self.census);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(self.run(async move {
            // An error means that the handle was dropped, which asks for the same.
            let _ = stopped.await;
        }));
        ServerHandle { local_addr, census, stop, task }
    }
}

/// A running [`Server`]. Dropping the handle begins the shutdown as well, without waiting for its end.
#[derive(Debug)]
pub struct ServerHandle {
    local_addr: SocketAddr,
    census: Arc<Census>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl ServerHandle {
    /// The address listened on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// `ws://ADDRESS/`, for whoever wants to connect.
    #[must_use]
    pub fn url(&self) -> String {
        format!("ws://{}/", self.local_addr)
    }

    /// How many connections are open now (those being refused for a cap are not counted).
    #[must_use]
    pub fn connections(&self) -> usize {
        self.census.open()
    }

    /// Stops gracefully (see [`Server::run`]) and returns when the last connection is gone.
    pub async fn shutdown(self) {
        // Errors mean that the server task is gone already: there is nothing left to stop.
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// One listening socket. `shared`: other sockets will listen on the same port, and the kernel spreads the connections.
fn listen(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows the option of this name would let others steal the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    if shared {
        share_port(&socket)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(unix)]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn share_port(_socket: &Socket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "more than one acceptor needs SO_REUSEPORT"))
}

/// What the tasks of one server share.
#[derive(Clone)]
struct Acceptor {
    config: Arc<Config>,
    census: Arc<Census>,
    refusals: Arc<Semaphore>,
    watch: Watch,
    /// Never sent on; see [`Server::run`].
    alive: mpsc::Sender<()>,
}

impl Acceptor {
    async fn accept_all(mut self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.watch.reached(Phase::GoingAway) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.welcome(stream, peer),
                Err(error) if is_about_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr) {
        // Fails only if the connection is dead already, which reading will tell.
        let _ = stream.set_nodelay(self.config.nodelay);
        match self.census.admit(peer.ip()) {
            Ok(seat) => {
                let Self { config, watch, alive, .. } = self.clone();
                tokio::spawn(async move {
                    let report = connection::serve(stream, peer, &config, watch).await;
                    // Before the report, so that who hears of the end may come in its place.
                    drop(seat);
                    tell(&config, &report);
                    drop(alive);
                });
            }
            Err(full) => self.turn_away(stream, peer, full),
        }
    }

    /// A short answer for those above a cap. The answers have a cap, too.
    fn turn_away(&self, mut stream: TcpStream, peer: SocketAddr, full: Full) {
        let since = Instant::now();
        let refusal = Refusal::full(full);
        let mut report = ConnectionReport::new(peer, refusal.end());
        let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() else {
            tell(&self.config, &report);
            return;
        };
        let Self { config, mut watch, alive, .. } = self.clone();
        tokio::spawn(async move {
            let told = opening::refuse(&mut stream, &refusal, &config.timeouts, &mut watch).await;
            (report.sent.bytes, report.received.bytes) = told;
            drop(stream);
            report.duration = since.elapsed();
            tell(&config, &report);
            drop((permit, alive));
        });
    }
}

/// Errors of `accept` which concern a connection that died in the queue, and not the listening socket.
fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    )
}

fn tell(config: &Config, report: &ConnectionReport) {
    tracing::info!("{report}");
    if let Some(on_end) = &config.on_end {
        on_end(report);
    }
}
