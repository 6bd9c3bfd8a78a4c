//! Cases in which TLS fails, for clients that a command starts.
//!
//! ```text
//! the client's own loop ends ─▶ its command again, {url} = a listener of our own ─▶ Sight of each connection
//!                                                            the worst of them ─▶ Transcript ─▶ judge ─▶ board
//! ```
//!
//! A driver asks for cases on one URL, which has a certificate that it trusts, or nothing could be asked for. So what it does
//! with another is seen apart, on another port. "If this fails (e.g., the server's certificate could not be verified), then the
//! client MUST _Fail the WebSocket Connection_ and abort the connection" (RFC 6455 4.1): whatever it says behind the failure,
//! through TLS or without it, is what it must not say.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use wsgrade_cases::model::BadTls;
use wsgrade_codec::Role;
use wsgrade_reports::record::{CaseRecord, Direction, Entry, PayloadInfo, Transcript, Unopened, What};

use super::{Shared, connection};
use crate::carrier::tls;
use crate::engine::{Limits, http_message};
use crate::plan::Plan;
use crate::runner::{case, wait_for};
use crate::shell;
use crate::spawn::{Guard, Process, SpawnError};

/// Another address of ours, which the certificate of `--cert` is not for.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// What stands for where we listen in a command.
const URL: &str = "{url}";
/// What stands for the name that the client is to give.
const AGENT: &str = "{agent}";
/// Connections that are looked at; a client that comes again and again is known by then.
const MAX_CONNECTIONS: usize = 16;
/// Of what a client says that it must not say, so much is looked at. It holds any TLS record.
const MAX_SAID: usize = 20 << 10;
/// The alert handshake_failure, fatal, as a record of its own (RFC 8446 6, 5.1).
const ALERT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 40];
/// The type of a TLS record that holds a hello.
const HANDSHAKE: u8 = 0x16;

/// A client under test by its command.
#[derive(Clone, Debug)]
pub struct Client {
    /// For the shell, with `{url}` for where we listen and `{agent}` for the name it is to give.
    pub command: String,
    /// That name.
    pub agent: String,
}

impl Client {
    /// Starts it for a URL.
    ///
    /// # Errors
    ///
    /// [`SpawnError::Start`] if it cannot be.
    pub fn start(&self, url: &str) -> Result<Guard, SpawnError> {
        let line = self.command.replace(URL, url).replace(AGENT, &self.agent);
        Process::start(&self.command, &line).map(Guard)
    }
}

/// What the target lacks for a case in which TLS fails, if it does, to follow "the target …".
pub(super) fn lacks(shared: &Shared, flaw: BadTls) -> Option<&'static str> {
    lacking(shared.tls.is_some(), shared.client.as_ref()).or_else(|| match flaw {
        BadTls::Untrusted | BadTls::Broken => None,
        BadTls::Misnamed => {
            mistakable(|ip| shared.tls.as_ref().is_some_and(|tls| tls.is_for(ip)), shared.addr.ip())
        }
    })
}

/// Why a client that compares our certificate with where it was sent could take one address for another, if it could.
fn mistakable(is_for: impl Fn(IpAddr) -> bool, here: IpAddr) -> Option<&'static str> {
    if !is_for(here) {
        return Some(
            "cannot compare the certificate of --cert with {url}, whose address it is not for, and so compares it with \
             something else or not at all",
        );
    }
    is_for(ELSEWHERE).then_some("is not misled, as the certificate of --cert is for 127.0.0.2 as well")
}

/// What every such case takes: TLS, and a command that can be given another URL.
fn lacking(tls: bool, client: Option<&Client>) -> Option<&'static str> {
    match (tls, client) {
        (false, _) => Some("does not reach us through TLS (listen --cert --key --spawn)"),
        (true, None) => Some(
            "was not started by us, so it cannot be sent to where TLS fails (listen --cert --key --spawn 'COMMAND {url}')",
        ),
        (true, Some(client)) if !client.command.contains(URL) => {
            Some("cannot be sent to where TLS fails, as its command has no {url}")
        }
        (true, Some(_)) => None,
    }
}

/// What stands on the board until such a case is played.
pub(super) fn pending(shared: &Shared, plan: &Plan) -> CaseRecord {
    let reason = "it is played when the client's own loop has ended, which it had not".to_owned();
    record(
        shared,
        plan,
        vec![Entry { at_us: 0, step: None, prelude: false, what: What::Trouble { reason } }],
        Duration::ZERO,
    )
}

/// Plays every case in which TLS fails, one by one, and puts the results up.
pub(super) async fn play_all(shared: &Shared) {
    let Some(client) = &shared.client else { return };
    // Who could not play a case says nothing by not connecting.
    let Some(agent) = shared.board.meant_by(&client.agent) else { return };
    let mut interrupted = shared.run.interrupted.clone();
    for (index, plan) in shared.run.selected.iter().enumerate() {
        let Some(flaw) = plan.scenario.opening.tls else { continue };
        if lacks(shared, flaw).is_some() || (shared.face.excluded)(&agent, &plan.scenario.id) {
            continue;
        }
        let Some(playing) = shared.board.begin(&agent, None) else { return };
        let began = Instant::now();
        let entries = tokio::select! {
            entries = play(shared, client, plan, flaw) => entries,
            () = wait_for(&mut interrupted) => return,
        };
        let record = record(shared, plan, entries, began.elapsed());
        connection::put(shared, &playing, index, &agent, record, false);
    }
}

fn record(shared: &Shared, plan: &Plan, entries: Vec<Entry>, took: Duration) -> CaseRecord {
    let spawn = shared.client.iter().map(|client| {
        format!(" --spawn {} --agent {}", shell::word(&client.command), shell::word(&client.agent))
    });
    // Only a client that is started can be graded by it.
    let repeat = format!("{}{} -c ", shared.repeat.trim_end_matches(" -c "), spawn.collect::<String>());
    case::record(plan, Role::Client, tls::NAME, Transcript { entries }, took, &repeat)
}

/// Starts the client and watches what it does; gives what is worst.
async fn play(shared: &Shared, client: &Client, plan: &Plan, flaw: BadTls) -> Vec<Entry> {
    let began = Instant::now();
    let at = |what| Entry { at_us: micros(began), step: None, prelude: false, what };
    let trouble = |reason| vec![at(What::Trouble { reason })];
    let ip = match flaw {
        BadTls::Untrusted | BadTls::Broken => shared.addr.ip(),
        BadTls::Misnamed => ELSEWHERE,
    };
    let door = match Door::open(ip) {
        Ok(door) => door,
        Err(error) => return trouble(format!("cannot listen on another port of {ip}: {error}")),
    };
    let trap = match Trap::new(flaw, shared.tls.as_ref(), plan, began, &shared.run.settings.limits) {
        Ok(trap) => trap,
        Err(error) => return trouble(error.to_string()),
    };
    let url = format!("wss://{}", door.addr);
    let process = match client.start(&url) {
        Ok(process) => process,
        Err(error) => return trouble(error.to_string()),
    };
    let worst = watch(&door, &process, Arc::new(trap)).await;
    // It is given two seconds to end, and who waits for it here would keep others waiting.
    let _ = tokio::task::spawn_blocking(move || drop(process)).await;
    match worst {
        Some(sight) => sight.entries,
        None => trouble(format!("the client did not connect to {url}, where {}", flaw_in_words(flaw))),
    }
}

/// Watches until the client has ended, said what it must not say, or keeps away.
async fn watch(door: &Door, process: &Guard, trap: Arc<Trap>) -> Option<Sight> {
    let limits = &trap.limits;
    let mut worst: Option<Sight> = None;
    let mut watching = JoinSet::new();
    let mut taken = 0;
    let mut ends = std::pin::pin!(process.0.death_within(Duration::MAX));
    let mut is_gone = false;
    // It may take its time to start; once it has come, it comes again soon or not at all.
    let mut deadline = Instant::now() + limits.opening + limits.answer;
    loop {
        tokio::select! {
            Ok((stream, _)) = door.listener.accept(), if taken < MAX_CONNECTIONS => {
                taken += 1;
                watching.spawn(Arc::clone(&trap).catch(stream));
            }
            Some(sight) = watching.join_next() => {
                // A watcher that panicked saw nothing.
                let Ok(sight) = sight else { continue };
                let spoke = sight.came == Came::Spoke;
                if worst.as_ref().is_none_or(|known| known.came < sight.came) {
                    worst = Some(sight);
                }
                if spoke {
                    return worst;
                }
                deadline = Instant::now() + limits.answer;
            }
            _ = &mut ends, if !is_gone => {
                is_gone = true;
                for stream in door.waiting().take(MAX_CONNECTIONS) {
                    watching.spawn(Arc::clone(&trap).catch(stream));
                }
            }
            () = std::future::ready(()), if watching.is_empty() && (is_gone || taken == MAX_CONNECTIONS) => {
                return worst;
            }
            () = sleep_until(deadline), if watching.is_empty() => return worst,
        }
    }
}

/// A port of our own.
struct Door {
    listener: TcpListener,
    /// The same socket.
    plain: std::net::TcpListener,
    addr: SocketAddr,
}

impl Door {
    fn open(ip: IpAddr) -> io::Result<Self> {
        let plain = std::net::TcpListener::bind((ip, 0))?;
        plain.set_nonblocking(true)?;
        let listener = TcpListener::from_std(plain.try_clone()?)?;
        Ok(Self { addr: plain.local_addr()?, listener, plain })
    }

    /// The connections that wait now. Asked of the system itself: the runtime may not have heard of them yet, and from a
    /// client that has ended no others will come.
    fn waiting(&self) -> impl Iterator<Item = TcpStream> {
        std::iter::from_fn(|| self.plain.accept().ok()).filter_map(|(stream, _)| {
            stream.set_nonblocking(true).ok()?;
            TcpStream::from_std(stream).ok()
        })
    }
}

/// What a client did on one connection, from least to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// Nothing that could have failed: TCP and no more, or a handshake that failed by what the two have in common.
    Nothing,
    /// It went when TLS had failed.
    Dropped,
    /// It stayed, and said nothing.
    Silent,
    /// It spoke.
    Spoke,
}

/// One connection, as it was seen.
struct Sight {
    came: Came,
    entries: Vec<Entry>,
}

/// A place where TLS fails.
struct Trap {
    /// Shows the certificate; where there is none, the handshake is broken off.
    acceptor: Option<tls::Acceptor>,
    flaw: BadTls,
    /// The rule that is broken by who speaks here.
    rule: String,
    began: Instant,
    limits: Limits,
}

impl Trap {
    /// `trusted` shows the certificate that the client trusts, if there is one.
    fn new(
        flaw: BadTls,
        trusted: Option<&tls::Acceptor>,
        plan: &Plan,
        began: Instant,
        limits: &Limits,
    ) -> Result<Self, tls::TlsError> {
        let acceptor = match flaw {
            BadTls::Untrusted => Some(tls::Acceptor::untrusted()?),
            BadTls::Misnamed => trusted.cloned(),
            BadTls::Broken => None,
        };
        let rule = plan.scenario.rules.first().map(ToString::to_string).unwrap_or_default();
        Ok(Self { acceptor, flaw, rule, began, limits: limits.clone() })
    }

    async fn catch(self: Arc<Self>, mut stream: TcpStream) -> Sight {
        let _ = stream.set_nodelay(true);
        let mut first = [0];
        match timeout(self.limits.opening, stream.peek(&mut first)).await {
            Ok(Ok(1)) if first[0] == HANDSHAKE => {}
            // Not even an attempt at TLS.
            Ok(Ok(1)) if first[0].is_ascii_uppercase() => {
                return self.spoke(&mut stream, Vec::new(), PLAIN).await;
            }
            Ok(Ok(1)) => return self.nothing("what a client said is neither a TLS hello nor HTTP"),
            Ok(Ok(_) | Err(_)) => {
                return self.nothing("a client connected and ended TCP without a TLS hello");
            }
            Err(_) => return self.nothing("a client connected and never sent a TLS hello"),
        }
        match &self.acceptor {
            Some(acceptor) => self.show(stream, acceptor).await,
            None => self.break_off(stream).await,
        }
    }

    /// Shows a certificate that must not be taken.
    async fn show(&self, stream: TcpStream, acceptor: &tls::Acceptor) -> Sight {
        let mut stream = match acceptor.accept(stream, self.limits.opening).await {
            Ok(stream) => stream,
            Err(error) => {
                return match error.by_client() {
                    Some(reason) => self.dropped(&reason),
                    // It says nothing of a certificate that was never seen.
                    None => self.nothing(&error.to_string()),
                };
            }
        };
        let mut said = [0; 4096];
        match timeout(self.limits.answer, stream.read(&mut said)).await {
            // A client may look at the certificate when the handshake is over; what counts is that it says nothing then.
            Ok(Ok(0) | Err(_)) => self
                .dropped("the client completed the TLS handshake, and ended the connection without a word"),
            Ok(Ok(count)) => self.spoke(&mut stream, said[..count].to_vec(), THROUGH_TLS).await,
            Err(_) => self.silent("the client completed the TLS handshake, and said nothing more"),
        }
    }

    /// Answers the hello with an alert.
    async fn break_off(&self, mut stream: TcpStream) -> Sight {
        // Read to its end: TCP that is ended with something unread is reset, and the alert may be lost.
        let hello = timeout(self.limits.opening, record_behind(&mut stream, None)).await;
        if !matches!(hello, Ok(Ok(()))) {
            return self.nothing("a client's TLS hello was cut off");
        }
        let alert = async {
            stream.write_all(&ALERT).await?;
            stream.shutdown().await
        };
        // One that is gone takes no alert: what it did is seen below.
        let _ = timeout(self.limits.answer, alert).await;
        let rest = timeout(self.limits.answer, async {
            loop {
                match stream.read_u8().await {
                    Ok(first) if first.is_ascii_uppercase() => return Some(first),
                    Ok(first) if record_behind(&mut stream, Some(first)).await.is_ok() => {}
                    Ok(_) | Err(_) => return None,
                }
            }
        })
        .await;
        match rest {
            Ok(Some(first)) => self.spoke(&mut stream, vec![first], PLAIN).await,
            Ok(None) => self.dropped("the client ended the connection behind our alert"),
            Err(_) => self.silent("the client said nothing behind our alert, and left TCP open"),
        }
    }

    fn nothing(&self, reason: &str) -> Sight {
        Sight { came: Came::Nothing, entries: vec![self.now(What::Trouble { reason: reason.to_owned() })] }
    }

    fn dropped(&self, reason: &str) -> Sight {
        let ended = self.unopened(Unopened::Dropped, reason);
        Sight { came: Came::Dropped, entries: vec![ended, self.now(What::EndOfStream)] }
    }

    fn silent(&self, reason: &str) -> Sight {
        Sight { came: Came::Silent, entries: vec![self.unopened(Unopened::Unanswered, reason)] }
    }

    fn unopened(&self, how: Unopened, reason: &str) -> Entry {
        let reason = reason.to_owned();
        self.now(What::OpeningFailed { status: None, reason, how: Some(how), versions: None })
    }

    /// It said what it must not say, of which this is the beginning.
    async fn spoke(&self, stream: &mut (impl AsyncRead + Unpin), mut said: Vec<u8>, way: &str) -> Sight {
        // The rest of the head is for the transcript alone: that anything came decides.
        let _ = timeout(self.limits.answer, async {
            while end_of_head(&said).is_none() && said.len() < MAX_SAID {
                if !matches!(stream.read_buf(&mut said).await, Ok(1..)) {
                    break;
                }
            }
        })
        .await;
        let first = said.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let first: String = String::from_utf8_lossy(first).chars().take(80).collect();
        let detail = format!("the client sent {first:?} {way}, where {}", flaw_in_words(self.flaw));
        let what = match end_of_head(&said) {
            Some(end) => What::Http { dir: Direction::Received, message: http_message(&said[..end]) },
            None => What::Bytes { dir: Direction::Received, payload: PayloadInfo::of(&said) },
        };
        let broken = What::Violation { rule: self.rule.clone(), detail };
        Sight { came: Came::Spoke, entries: vec![self.now(what), self.now(broken)] }
    }

    fn now(&self, what: What) -> Entry {
        Entry { at_us: micros(self.began), step: None, prelude: false, what }
    }
}

/// Through the tunnel that must not be trusted.
const THROUGH_TLS: &str = "through TLS";
/// Beside any tunnel.
const PLAIN: &str = "in plain text";

/// To follow "where …".
fn flaw_in_words(flaw: BadTls) -> &'static str {
    match flaw {
        BadTls::Untrusted => "the certificate is self-signed and for wrong.example",
        BadTls::Misnamed => "the certificate, that of --cert, is not for 127.0.0.2",
        BadTls::Broken => "the TLS handshake was answered with the alert handshake_failure",
    }
}

/// Where a request's head ends, if it does.
fn end_of_head(said: &[u8]) -> Option<usize> {
    said.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a TLS record and forgets it; `first` is its first byte, where that is read already (RFC 8446 5.1: a type, a
/// version of two bytes, a length of two bytes).
async fn record_behind(stream: &mut TcpStream, first: Option<u8>) -> io::Result<()> {
    let kind = match first {
        Some(first) => first,
        None => stream.read_u8().await?,
    };
    // change_cipher_spec, alert, handshake, application_data.
    if !(0x14..=0x17).contains(&kind) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    stream.read_u16().await?;
    let mut record = vec![0; usize::from(stream.read_u16().await?).min(MAX_SAID)];
    stream.read_exact(&mut record).await.map(drop)
}

fn micros(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
