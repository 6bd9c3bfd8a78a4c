//! massconnect: opens many connections in batches, holds them all, and says how long it took.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use wsgrade_reference_server::client::{ClientConfig, ClientTimeouts, Url, connect_to};
use wsgrade_reference_server::codec::close::CloseCode;

use super::address::{Side, resolve};
use super::fuzz_client::printable;
use super::peers::told_to_stop;
use super::spec::{self, Mass};
use super::{Wish, template, warn};
use crate::cli::{Exit, Failure, print};

/// How often a connection is tried.
const TRIES: usize = 10;
/// How long all connections together may take to close.
const CLOSING: Duration = Duration::from_secs(10);

/// What came of one server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    wanted: usize,
    connected: usize,
    /// Tries that failed and were followed by another.
    retries: usize,
    /// Connections that ended before we ended them.
    lost: usize,
}

/// Connects to every server of the spec file, one after another.
pub(super) async fn run(wish: &Wish) -> Result<Exit, Failure> {
    let mass = read(wish)?;
    let servers = mass
        .servers
        .iter()
        .map(|(name, uri)| Ok((name.as_str(), resolve(uri, Side::Connecting)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let mut counts = Vec::new();
    for (name, url) in &servers {
        let count = tokio::select! {
            count = connect_all(&mass, name, url) => count,
            () = told_to_stop() => return Err(Failure::inconclusive("interrupted")),
        };
        counts.push(count);
    }
    Ok(exit(&counts))
}

/// A server to which nothing connects is not there; one that takes fewer than asked has failed.
fn exit(counts: &[Count]) -> Exit {
    let short = |count: &&Count| count.connected < count.wanted || count.lost > 0;
    match counts.iter().filter(short).map(|count| count.connected).max() {
        None => Exit::Success,
        Some(0) => Exit::Inconclusive,
        Some(_) => Exit::GateNotMet,
    }
}

fn read(wish: &Wish) -> Result<Mass, Failure> {
    let path = wish.spec.clone().unwrap_or_else(|| PathBuf::from(format!("{}.json", wish.mode.as_str())));
    if wish.spec.is_none() && !path.exists() {
        template::create(wish.mode, &path)?;
    }
    let text = spec::load(&path).map_err(Failure::usage)?;
    let (mut mass, warnings) = spec::read_mass(&path.display().to_string(), &text).map_err(Failure::usage)?;
    warnings.iter().for_each(warn);
    if let Some(url) = &wish.url {
        mass.servers = vec![(url.clone(), url.clone())];
    }
    Ok(mass)
}

async fn connect_all(mass: &Mass, name: &str, url: &Url) -> Count {
    let name = printable(name);
    let began = Instant::now();
    let (stop, stopped) = watch::channel(false);
    let (done, mut results) = mpsc::channel(mass.batch.min(1024));
    let lost = Arc::new(AtomicUsize::new(0));
    let mut held = JoinSet::new();
    let mut count = Count { wanted: mass.connections, ..Count::default() };
    let mut started = 0;
    let mut number = 0;
    while started < mass.connections {
        let size = mass.batch.min(mass.connections - started);
        let batch_began = Instant::now();
        for _ in 0..size {
            let lost = Arc::clone(&lost);
            let (url, done, stopped) = (url.clone(), done.clone(), stopped.clone());
            held.spawn(hold(url, mass.retry_delay, done, stopped, lost));
        }
        started += size;
        number += 1;
        let before = count.connected;
        let mut reason = None;
        for _ in 0..size {
            // The sender is kept here, so there is always an answer to come.
            match results.recv().await {
                Some(Tried { retries, failed }) => {
                    count.retries += retries;
                    count.connected += usize::from(failed.is_none());
                    reason = failed.or(reason);
                }
                None => break,
            }
        }
        let connected = count.connected - before;
        print(&format!(
            "{name}: batch {number}: {connected} of {size} in {}; {} of {}\n",
            paced(connected, batch_began.elapsed()),
            count.connected,
            count.wanted
        ));
        if let Some(reason) = reason {
            warn(format!("{name}: {}", printable(&reason)));
        }
        if connected == 0 {
            // The others would not fare better.
            break;
        }
        if started < mass.connections {
            sleep(mass.batch_delay).await;
        }
    }
    count.lost = lost.load(Ordering::SeqCst);
    print(&format!(
        "{name}: connected {} of {} to {url} in {}, {} retries, {} lost\n",
        count.connected,
        count.wanted,
        paced(count.connected, began.elapsed()),
        count.retries,
        count.lost
    ));
    // Nobody listens where nothing is held.
    let _ = stop.send(true);
    let closed = timeout(CLOSING, async { while held.join_next().await.is_some() {} }).await;
    if closed.is_err() {
        warn(format!("{name}: {} connections did not close within {CLOSING:?}", held.len()));
    }
    count
}

/// How the opening of one connection went.
struct Tried {
    /// How often it failed and was tried again.
    retries: usize,
    /// Why it was given up, if it was.
    failed: Option<String>,
}

/// Opens one connection and holds it until it is to stop.
async fn hold(
    url: Url,
    retry_delay: Duration,
    done: mpsc::Sender<Tried>,
    mut stopped: watch::Receiver<bool>,
    lost: Arc<AtomicUsize>,
) {
    let timeouts = ClientTimeouts {
        close: Duration::from_secs(2),
        end: Duration::from_secs(1),
        ..ClientTimeouts::default()
    };
    let mut retries = 0;
    let connection = loop {
        let config =
            ClientConfig { deflate: None, timeouts, receive_queue: 1 << 16, ..ClientConfig::default() };
        match connect_to(&url, config).await {
            Ok(connection) => break Ok(connection),
            Err(error) if retries + 1 == TRIES => break Err(error.to_string()),
            Err(_) => {
                retries += 1;
                sleep(retry_delay).await;
            }
        }
    };
    let failed = connection.as_ref().err().cloned();
    // Who does not want to know any more ends us, too.
    let _ = done.send(Tried { retries, failed }).await;
    let Ok(mut connection) = connection else { return };
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            received = connection.recv() => if received.is_none() {
                lost.fetch_add(1, Ordering::SeqCst);
                return;
            },
        }
    }
    connection.close(CloseCode::NORMAL, "").await;
}

/// A time, and how many a second that is.
fn paced(count: usize, took: Duration) -> String {
    let rate = count as f64 / took.as_secs_f64().max(1e-6);
    format!("{:.0} ms ({rate:.0}/s)", took.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_than_asked_is_told_from_none() {
        let count = |connected, lost| Count { wanted: 5, connected, retries: 0, lost };
        assert_eq!(exit(&[count(5, 0), count(5, 0)]), Exit::Success);
        assert_eq!(exit(&[count(5, 0), count(4, 0)]), Exit::GateNotMet);
        assert_eq!(exit(&[count(5, 1)]), Exit::GateNotMet);
        assert_eq!(exit(&[count(0, 0), count(5, 0)]), Exit::Inconclusive);
        assert_eq!(exit(&[count(0, 0), count(3, 0)]), Exit::GateNotMet);
    }

    #[test]
    fn a_pace() {
        assert_eq!(paced(10, Duration::from_millis(500)), "500 ms (20/s)");
        assert!(paced(1, Duration::ZERO).starts_with("0 ms"));
    }
}
