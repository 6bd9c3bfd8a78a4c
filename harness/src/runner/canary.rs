//! The canary: a connection that does nothing but ping while a case of resilience is played, and new ones beside it.
//!
//! ```text
//! begin ─ open, ping, open another ─▶ (the case) ping, open another, … ─▶ end: ping once more, open another
//!            baseline                    a beat each round                  within the time of an opening
//! ```
//!
//! It has a thread of its own, so that what keeps ours busy does not pass for slowness of the target.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use wsgrade_cases::model::Opening;
use wsgrade_codec::Role;
use wsgrade_codec::endpoint::{Config, Endpoint, Event};
use wsgrade_codec::handshake::{Limits as HeadLimits, ResponseReader};
use wsgrade_reports::record;

use super::Settings;
use super::gate::Place;
use crate::carrier::tcp;
use crate::engine::Pulse;
use crate::target::Target;

/// How many pings tell how fast the target is when it is left alone.
const BASELINE: u32 = 3;
/// Between two rounds: a target of our own, and any other.
const OFTEN: Duration = Duration::from_millis(15);
const SELDOM: Duration = Duration::from_millis(500);
/// Slower than so many times the baseline is slow, where that is more than the bound.
const SLOWER: u32 = 10;
/// How long the end of a connection of ours may take.
const GOODBYE: Duration = Duration::from_millis(200);
/// Between two attempts to be served afterwards.
const AGAIN: Duration = Duration::from_millis(50);

/// A canary that is being played.
pub(super) struct Canary {
    pulse: Arc<Pulse>,
    stop: watch::Sender<bool>,
    story: oneshot::Receiver<record::Canary>,
}

impl Canary {
    /// Opens the connection and measures how fast it is served. `newcomers`: whether new connections have to be served
    /// while the case is played.
    ///
    /// # Errors
    ///
    /// Says in one sentence why the target does not serve, before anything was done to it.
    pub(super) async fn begin(target: &Target, settings: &Settings, newcomers: bool) -> Result<Self, String> {
        let pulse = Arc::new(Pulse::default());
        let (stop, stopped) = watch::channel(false);
        let (ready, begun) = oneshot::channel();
        let (end, story) = oneshot::channel();
        let play = Play {
            target: target.clone(),
            settings: settings.clone(),
            newcomers: newcomers && target.is_local(),
            pulse: Arc::clone(&pulse),
            stopped,
        };
        let failed = |error: io::Error| format!("no canary: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let life = move || {
            runtime.block_on(async {
                match play.begin().await {
                    Ok(begun) => {
                        // Where nobody waits any more there is nobody to tell.
                        let _ = ready.send(Ok(()));
                        let _ = end.send(play.go_on(begun).await);
                    }
                    Err(reason) => {
                        let _ = ready.send(Err(reason));
                    }
                }
            });
        };
        std::thread::Builder::new().name("canary".to_owned()).spawn(life).map_err(failed)?;
        begun.await.unwrap_or_else(|_| Err("the canary died".to_owned()))?;
        Ok(Self { pulse, stop, story })
    }

    /// What a case that holds on waits for.
    pub(super) fn pulse(&self) -> Arc<Pulse> {
        Arc::clone(&self.pulse)
    }

    /// Pings once more, opens one more connection, and tells how it was served.
    ///
    /// # Errors
    ///
    /// Our side failed.
    pub(super) async fn end(self) -> Result<record::Canary, String> {
        self.stop.send_replace(true);
        self.story.await.map_err(|_| "the canary died".to_owned())
    }
}

struct Play {
    target: Target,
    settings: Settings,
    newcomers: bool,
    pulse: Arc<Pulse>,
    stopped: watch::Receiver<bool>,
}

impl Play {
    async fn begin(&self) -> Result<(Line, record::Canary), String> {
        let patience = self.settings.limits.answer;
        let mut line = self.open().await?;
        let mut slowest = Duration::ZERO;
        for _ in 0..BASELINE {
            slowest = slowest.max(line.ping(patience).await?);
        }
        // A target that serves one connection at a time says nothing beside another.
        slowest = slowest.max(self.newcomer().await.map_err(|reason| {
            format!("a second connection is not served beside a first, before anything is done: {reason}")
        })?);
        let bound = (patience / 2).max(slowest * SLOWER);
        let story = record::Canary {
            before_us: microseconds(slowest),
            bound_us: microseconds(bound),
            ..record::Canary::default()
        };
        Ok((line, story))
    }

    async fn go_on(mut self, (mut line, mut story): (Line, record::Canary)) -> record::Canary {
        let bound = Duration::from_micros(story.bound_us);
        let pause = if self.target.is_local() { OFTEN } else { SELDOM };
        let mut over = false;
        while story.lost.is_none() {
            let asked = Instant::now();
            match line.ping(bound).await {
                Ok(_) => story.answered += 1,
                Err(Lost::Silent) => {}
                Err(Lost::Ended(how)) => story.lost = Some(how),
            }
            story.slowest_us = story.slowest_us.max(microseconds(asked.elapsed()));
            if over || story.slowest_us > story.bound_us {
                break;
            }
            if self.newcomers && !*self.stopped.borrow() {
                let asked = Instant::now();
                // One that is turned away was answered: the number of connections is the target's to limit.
                let took = match timeout(bound + AGAIN, self.newcomer()).await {
                    Ok(Ok(took)) => microseconds(took),
                    Ok(Err(_)) | Err(_) => microseconds(asked.elapsed()),
                };
                story.newcomer_us = Some(story.newcomer_us.unwrap_or(0).max(took));
            }
            if story.newcomer_us.is_none_or(|us| us <= story.bound_us) {
                self.pulse.beat();
            }
            let _ = timeout(pause, self.stopped.wait_for(|stopped| *stopped)).await;
            over = *self.stopped.borrow();
        }
        // It may have ended before the case did.
        let _ = self.stopped.wait_for(|stopped| *stopped).await;
        story.unserved = self.served_afterwards().await.err();
        line.end().await;
        story
    }

    /// Whether a new connection is served within the time of an opening.
    async fn served_afterwards(&self) -> Result<(), String> {
        let deadline = Instant::now() + self.settings.limits.opening;
        loop {
            match self.newcomer().await {
                Ok(_) => return Ok(()),
                Err(reason) if Instant::now() >= deadline => return Err(reason),
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// A new connection, from TCP to a pong.
    async fn newcomer(&self) -> Result<Duration, String> {
        let began = Instant::now();
        let mut line = self.open().await?;
        line.ping(self.settings.limits.answer).await?;
        let took = began.elapsed();
        line.end().await;
        Ok(took)
    }

    async fn open(&self) -> Result<Line, String> {
        let place = self.settings.gate.enter(&self.target).await;
        let patience = self.settings.limits.opening;
        let Target { addr, request, tls, .. } = &self.target;
        let stream = tcp::connect(*addr, patience).await.map_err(|error| error.to_string())?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(stream),
            Some(tls) => Box::new(tls.connect(stream, patience).await.map_err(|error| error.to_string())?),
        };
        let head = request.head(&Opening::default(), fastrand::u128(..).to_be_bytes());
        match timeout(patience, Line::open(stream, &head, place)).await {
            Ok(line) => line,
            Err(_) => Err("the opening handshake was not answered in time".to_owned()),
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Why a ping was not answered.
#[derive(Debug)]
enum Lost {
    /// Nothing came in time.
    Silent,
    /// The peer ended the connection, in this way.
    Ended(String),
}

impl From<Lost> for String {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Silent => "a ping was not answered in time".to_owned(),
            Lost::Ended(how) => how,
        }
    }
}

/// One connection that pings.
struct Line {
    stream: Box<dyn Stream>,
    endpoint: Endpoint,
    pings: u64,
    _place: Place,
}

impl Line {
    async fn open(mut stream: Box<dyn Stream>, head: &[u8], place: Place) -> Result<Self, String> {
        let words = |error: io::Error| error.kind().to_string();
        stream.write_all(head).await.map_err(words)?;
        stream.flush().await.map_err(words)?;
        let mut reader = ResponseReader::new(HeadLimits::default());
        let mut buffer = [0; 4096];
        let (response, rest) = loop {
            let count = stream.read(&mut buffer).await.map_err(words)?;
            if count == 0 {
                return Err("TCP ended before the opening handshake was answered".to_owned());
            }
            if let Some(done) = reader.push(&buffer[..count]).map_err(|error| error.to_string())? {
                break done;
            }
        };
        if response.status != 101 {
            return Err(format!("the opening handshake was refused with {}", response.status));
        }
        let mut endpoint = Endpoint::new(Config::new(Role::Client), || fastrand::u32(..).to_be_bytes());
        endpoint.receive(&rest);
        Ok(Self { stream, endpoint, pings: 0, _place: place })
    }

    /// How long the answer to one ping takes.
    async fn ping(&mut self, patience: Duration) -> Result<Duration, Lost> {
        self.pings += 1;
        let payload = format!("canary {}", self.pings);
        if self.endpoint.ping(payload.as_bytes()).is_err() {
            return Err(Lost::Ended("the connection is closed".to_owned()));
        }
        let began = Instant::now();
        match timeout(patience, self.pong(payload.as_bytes())).await {
            Ok(Ok(())) => Ok(began.elapsed()),
            Ok(Err(how)) => Err(Lost::Ended(how)),
            Err(_) => Err(Lost::Silent),
        }
    }

    async fn pong(&mut self, payload: &[u8]) -> Result<(), String> {
        let mut buffer = [0; 4096];
        loop {
            self.write().await.map_err(|error| format!("TCP failed: {}", error.kind()))?;
            while let Some(event) = self.endpoint.poll_event() {
                match event {
                    Event::Pong(pong) if pong == payload => return Ok(()),
                    Event::Pong(_) | Event::Ping(_) | Event::Message(_) => {}
                    Event::Close(_) => return Err("the peer closed it".to_owned()),
                    Event::Failed { failure, code: _ } => {
                        return Err(format!("the peer broke a rule: {failure}"));
                    }
                    Event::Closed { clean: _ } => return Err("the peer ended it".to_owned()),
                }
            }
            match self.stream.read(&mut buffer).await {
                Ok(0) => return Err("the peer ended TCP".to_owned()),
                Ok(count) => self.endpoint.receive(&buffer[..count]),
                Err(error) => return Err(format!("TCP failed: {}", error.kind())),
            }
        }
    }

    async fn write(&mut self) -> io::Result<()> {
        let mut wire = Vec::new();
        self.endpoint.drain_into(&mut wire);
        self.stream.write_all(&wire).await?;
        self.stream.flush().await
    }

    /// Ends it as one should, as far as that goes.
    async fn end(mut self) {
        let goodbye = async {
            if self.endpoint.close(None, "").is_ok() && self.write().await.is_ok() {
                let mut buffer = [0; 4096];
                while matches!(self.stream.read(&mut buffer).await, Ok(1..)) {}
            }
        };
        let _ = timeout(GOODBYE, goodbye).await;
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
