//! One connection on the server's side, from the first byte to the end of TCP.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::Instant,
};
use wsgrade_codec::{
    Role,
    close::CloseCode,
    deflate::Params,
    endpoint::{self, Endpoint, Event, Message},
};

use crate::{
    broadcast::{Broadcast, Member, Waiting},
    bucket::TokenBucket,
    config::Config,
    linger::end_tcp,
    opening::{self, NotOpened},
    phase::{Phase, Watch},
    report::{CloseReason, ConnectionEnd, ConnectionReport},
    session::{Session, Step},
};

/// Serves one connection on any stream: the opening handshake, the messages, the closing handshake, the end of the
/// stream. [`Config::addr`], [`Config::caps`] and all else that is about listening is not used; neither is
/// [`Config::on_end`] called nor anything logged, as the report is returned.
///
/// `peer` is who will be named in the report. Dropping the future drops the stream.
pub async fn serve_stream<S>(stream: S, peer: SocketAddr, config: &Config) -> ConnectionReport
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (_phase, watch) = Watch::new();
    serve(stream, peer, config, watch).await
}

pub(crate) async fn serve<S>(
    mut stream: S,
    peer: SocketAddr,
    config: &Config,
    mut watch: Watch,
) -> ConnectionReport
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let since = Instant::now();
    let mut report = ConnectionReport::new(peer, ConnectionEnd::Aborted);
    let opened =
        opening::receive(&mut stream, config, &mut watch, &mut report.received, &mut report.path).await;
    match opened {
        Ok(opening) => {
            report.subprotocol = opening.subprotocol;
            report.deflate = opening.deflate.is_some();
            report.end = match opening::send(
                &mut stream,
                &opening.response,
                config.timeouts.write,
                &mut watch,
            )
            .await
            {
                Ok(()) => {
                    report.sent.bytes += opening.response.len() as u64;
                    let endpoint = endpoint(config, opening.deflate, &opening.leftover);
                    let mut connection = Connection::new(stream, endpoint, config, watch);
                    let end = connection.run().await;
                    report.received += connection.session.received;
                    report.sent += connection.session.sent;
                    end
                }
                Err(end) => end,
            };
        }
        Err(NotOpened::Refused(refusal)) => {
            let (sent, discarded) =
                opening::refuse(&mut stream, &refusal, &config.timeouts, &mut watch).await;
            report.sent.bytes += sent;
            report.received.bytes += discarded;
            report.end = refusal.end();
        }
        Err(NotOpened::Gone(end)) => report.end = end,
    }
    report.duration = since.elapsed();
    report
}

fn endpoint(config: &Config, deflate: Option<Params>, leftover: &[u8]) -> Endpoint {
    let settings = endpoint::Config {
        limits: config.limits,
        deflate,
        compression_level: config.deflate.map_or(0, |deflate| deflate.level),
        ..endpoint::Config::new(Role::Server)
    };
    // "A server MUST NOT mask any frames that it sends to the client" (RFC 6455, section 5.1): never called.
    let mut endpoint = Endpoint::new(settings, || [0; 4]);
    endpoint.receive(leftover);
    endpoint
}

/// How far the end is.
#[derive(Debug)]
enum State {
    /// Messages are exchanged.
    Open,
    /// The end is decided; what is queued is still to be written, and the peer's part to be awaited.
    Ending { end: ConnectionEnd, awaited: Awaited },
}

/// What the peer is still to do for the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Nothing, and nothing is read any more.
    Nothing,
    /// Its Close frame; but ours is not written yet, so it cannot be late.
    CloseAfterOurs,
    /// Its Close frame, until then.
    CloseUntil(Instant),
}

/// Why [`Connection::run`] stops where it stands.
enum Stop {
    /// TCP is to be ended in good order.
    Orderly(ConnectionEnd),
    /// There is nobody to be in good order with.
    Abrupt(ConnectionEnd),
}

struct Connection<'a, S> {
    session: Session<S>,
    config: &'a Config,
    watch: Watch,
    state: State,
    bucket: Option<TokenBucket>,
    /// Among whom messages are passed on, where they are.
    member: Option<Member>,
    /// When the last message came.
    last_message: Instant,
    /// When a ping was sent which no byte has followed.
    pinged: Option<Instant>,
    /// Whether the peer ended its direction of TCP.
    peer_ended: bool,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Connection<'a, S> {
    fn new(stream: S, endpoint: Endpoint, config: &'a Config, watch: Watch) -> Self {
        let now = Instant::now();
        Self {
            session: Session::new(stream, endpoint, now),
            config,
            watch,
            state: State::Open,
            bucket: config.rate.map(|rate| TokenBucket::new(rate, now)),
            member: config.broadcast.as_ref().map(Broadcast::join),
            last_message: now,
            pinged: None,
            peer_ended: false,
        }
    }

    /// From the first frame to the end of TCP.
    async fn run(&mut self) -> ConnectionEnd {
        match self.talk().await {
            Stop::Orderly(end) => {
                let cut_off = self.watch.reached(Phase::CutOff);
                let discarded = end_tcp(&mut self.session.stream, self.config.timeouts.linger, cut_off).await;
                self.session.received.bytes += discarded;
                end
            }
            Stop::Abrupt(end) => end,
        }
    }

    async fn talk(&mut self) -> Stop {
        loop {
            let now = Instant::now();
            self.digest(now);
            self.pass_on();
            if let Some(end) = self.settled(now) {
                return Stop::Orderly(end);
            }
            let reading = self.wants_to_read();
            if !reading {
                // A peer we do not listen to is not silent.
                self.session.last_read = now;
                self.pinged = None;
            }
            let deadline = self.deadline(now, reading);
            // Looked at here and not only when nothing comes: who goes on talking gains no time.
            if deadline.is_some_and(|deadline| deadline <= now) {
                match self.on_deadline(now) {
                    Some(stop) => return stop,
                    None => continue,
                }
            }
            let next_phase = match self.state {
                State::Open => Phase::GoingAway,
                State::Ending { .. } => Phase::CutOff,
            };
            let step = tokio::select! {
                biased;
                () = self.watch.reached(next_phase) => match self.watch.now() {
                    Phase::Serving | Phase::GoingAway => {
                        self.close(CloseReason::GoingAway);
                        continue;
                    }
                    Phase::CutOff => return Stop::Abrupt(self.end_with(ConnectionEnd::Aborted)),
                },
                step = self.session.step(reading, deadline) => step,
                // Last, so that what is queued is written before more is.
                () = news(self.member.as_ref()) => continue,
            };
            match step {
                Ok(Step::Moved | Step::Deadline) => {}
                Ok(Step::PeerEnded) => self.peer_ended = true,
                Err(error) => {
                    return Stop::Abrupt(self.end_with(ConnectionEnd::Failed { error: error.to_string() }));
                }
            }
        }
    }

    /// Turns what was read into answers, until there is nothing more or the send queue is full.
    fn digest(&mut self, now: Instant) {
        while self.has_room() {
            let Some(event) = self.session.endpoint.poll_event() else { return };
            match event {
                Event::Message(message) => self.on_message(message, now),
                Event::Ping(_) => self.on_ping(now),
                Event::Pong(_) => {}
                Event::Close(frame) => self.on_close(frame.code),
                Event::Failed { failure, code } => {
                    self.decide(ConnectionEnd::Violation { code: code.value(), detail: failure.to_string() })
                }
                // Comes after a Close or a failure, which have decided already, or else when the peer ended TCP.
                Event::Closed { clean: _ } => self.decide(ConnectionEnd::EndedByPeer),
            }
        }
    }

    /// Whether answers may be queued; when the end is decided there will be none.
    fn has_room(&self) -> bool {
        match self.state {
            State::Open => self.session.endpoint.pending() < self.config.send_queue.max(1),
            State::Ending { .. } => true,
        }
    }

    fn on_message(&mut self, message: Message, now: Instant) {
        self.session.received.messages += 1;
        self.last_message = now;
        if !matches!(self.state, State::Open) || !self.may_go_on(now) {
            return;
        }
        if let Some(member) = &self.member {
            member.say(&message);
            return;
        }
        if let Some(answer) = (self.config.handler)(message) {
            // Fails only when a Close frame was sent, and then the state is not Open.
            if self.session.endpoint.send(answer).is_ok() {
                self.session.sent.messages += 1;
            }
        }
    }

    /// Queues what was sent to everybody, until there is nothing more or the send queue is full.
    fn pass_on(&mut self) {
        while let (State::Open, Some(member)) = (&self.state, &self.member) {
            match member.take(self.has_room()) {
                Waiting::Nothing => return,
                Waiting::Message(message) => {
                    // Fails only when a Close frame was sent, and then the state is not Open.
                    if self.session.endpoint.send(message).is_ok() {
                        self.session.sent.messages += 1;
                    }
                }
                Waiting::Overflow => self.close(CloseReason::TooSlow),
            }
        }
    }

    /// The answer is queued already.
    fn on_ping(&mut self, now: Instant) {
        if matches!(self.state, State::Open) {
            self.may_go_on(now);
        }
    }

    /// Whether the rate limit allows one more; if not, the closing begins.
    fn may_go_on(&mut self, now: Instant) -> bool {
        let allowed = self.bucket.as_mut().is_none_or(|bucket| bucket.take(now));
        if !allowed {
            self.close(CloseReason::RateLimit);
        }
        allowed
    }

    fn on_close(&mut self, code: Option<CloseCode>) {
        match &mut self.state {
            State::Open => self.decide(ConnectionEnd::ClosedByPeer { code: code.map(CloseCode::value) }),
            State::Ending { end, awaited } => {
                if let (
                    ConnectionEnd::ClosedByUs { answered, .. },
                    Awaited::CloseAfterOurs | Awaited::CloseUntil(_),
                ) = (end, *awaited)
                {
                    *answered = true;
                }
                *awaited = Awaited::Nothing;
            }
        }
    }

    /// Begins the closing handshake.
    fn close(&mut self, why: CloseReason) {
        let awaited = match self.session.endpoint.close(Some(CloseCode::new(why.code())), why.text()) {
            Ok(()) => Awaited::CloseAfterOurs,
            // Does not happen: our codes and texts can be sent, and the state is Open.
            Err(_) => Awaited::Nothing,
        };
        self.state = State::Ending { end: ConnectionEnd::ClosedByUs { why, answered: false }, awaited };
    }

    /// Nothing is expected of the peer any more. The first reason stays.
    fn decide(&mut self, reason: ConnectionEnd) {
        match &mut self.state {
            State::Open => self.state = State::Ending { end: reason, awaited: Awaited::Nothing },
            State::Ending { end: _, awaited } => *awaited = Awaited::Nothing,
        }
    }

    /// The reason to report, when this one comes now.
    fn end_with(&mut self, reason: ConnectionEnd) -> ConnectionEnd {
        self.decide(reason);
        match std::mem::replace(&mut self.state, State::Open) {
            State::Ending { end, awaited: _ } => end,
            State::Open => ConnectionEnd::Aborted,
        }
    }

    /// The end, if everything is done for it.
    fn settled(&mut self, now: Instant) -> Option<ConnectionEnd> {
        let State::Ending { end, awaited } = &mut self.state else { return None };
        if !self.session.is_flushed() {
            return None;
        }
        match awaited {
            Awaited::Nothing => Some(end.clone()),
            Awaited::CloseAfterOurs => {
                *awaited = Awaited::CloseUntil(now + self.config.timeouts.close);
                None
            }
            Awaited::CloseUntil(_) => None,
        }
    }

    fn wants_to_read(&self) -> bool {
        let wanted = match self.state {
            State::Open => self.has_room(),
            State::Ending { awaited: Awaited::Nothing, .. } => false,
            State::Ending { awaited: Awaited::CloseAfterOurs | Awaited::CloseUntil(_), .. } => true,
        };
        wanted && !self.peer_ended
    }

    /// When something is to be done although nothing happens.
    fn deadline(&mut self, now: Instant, reading: bool) -> Option<Instant> {
        let times = &self.config.timeouts;
        let stalled = self.session.stalled_since(now).map(|since| since + times.write);
        let other = match self.state {
            State::Open => {
                let idle = times.idle.map(|time| self.last_active() + time);
                earlier(idle, if reading { self.keep_alive() } else { None })
            }
            State::Ending { awaited: Awaited::CloseUntil(until), .. } => Some(until),
            State::Ending { awaited: Awaited::Nothing | Awaited::CloseAfterOurs, .. } => None,
        };
        earlier(stalled, other)
    }

    /// Who takes its answers slowly is not idle; the write timeout looks after that.
    fn last_active(&self) -> Instant {
        self.last_message.max(self.session.last_backlog)
    }

    /// When the next ping is due, or the bytes that must follow the last one.
    fn keep_alive(&self) -> Option<Instant> {
        let times = &self.config.timeouts;
        let interval = times.ping_interval?;
        match self.pinged {
            Some(pinged) if self.session.last_read <= pinged => Some(pinged + times.pong),
            Some(_) | None => Some(self.session.last_read + interval),
        }
    }

    fn on_deadline(&mut self, now: Instant) -> Option<Stop> {
        let times = self.config.timeouts;
        let over = |since: Option<Instant>, time| since.is_some_and(|since| since + time <= now);
        if over(self.session.stalled_since(now), times.write) {
            return Some(Stop::Abrupt(self.end_with(ConnectionEnd::WriteTimeout)));
        }
        match self.state {
            State::Open => {
                if times.idle.is_some_and(|time| self.last_active() + time <= now) {
                    self.close(CloseReason::Idle);
                } else if self.keep_alive().is_some_and(|due| due <= now) {
                    return self.on_silence(now);
                }
            }
            State::Ending { awaited: Awaited::CloseUntil(until), .. } if until <= now => {
                self.decide(ConnectionEnd::EndedByPeer);
            }
            State::Ending { .. } => {}
        }
        None
    }

    fn on_silence(&mut self, now: Instant) -> Option<Stop> {
        match self.pinged {
            Some(pinged) if self.session.last_read <= pinged => {
                Some(Stop::Abrupt(self.end_with(ConnectionEnd::PongTimeout)))
            }
            Some(_) | None => {
                self.pinged = Some(now);
                // Fails only when a Close frame was sent, and then the state is not Open.
                let _ = self.session.endpoint.ping(b"");
                None
            }
        }
    }
}

/// Ready when something was sent to everybody; never, where nothing is.
async fn news(member: Option<&Member>) {
    match member {
        Some(member) => member.news().await,
        None => std::future::pending().await,
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
