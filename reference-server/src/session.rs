//! Moves bytes between a stream and the codec's endpoint. What the bytes mean is for others.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    time::{Instant, Sleep, sleep_until},
};
use wsgrade_codec::endpoint::Endpoint;

use crate::report::Traffic;

/// The most pieces that one call to the operating system writes. Small frames are one piece together, so that this is
/// enough for any number of them.
const SLICES: usize = 64;

/// A stream, the endpoint that speaks on it, and the clock of both.
///
/// [`step`](Self::step) is the only way forward and can be dropped at any time: all state lives here.
#[derive(Debug)]
pub(crate) struct Session<S> {
    pub(crate) stream: S,
    pub(crate) endpoint: Endpoint,
    pub(crate) received: Traffic,
    pub(crate) sent: Traffic,
    /// When the peer last gave us a byte, or when we last began to read again after we did not want to.
    pub(crate) last_read: Instant,
    /// See [`stalled_since`](Self::stalled_since).
    stalled_since: Option<Instant>,
    /// When the stream last did not take all there was.
    pub(crate) last_backlog: Instant,
    /// Whether the stream may hold back bytes that it has taken (TLS does).
    unflushed: bool,
    /// May be set too early, which costs one look at the clock, but never too late.
    timer: Pin<Box<Sleep>>,
}

/// What a [`Session::step`] came to.
#[derive(Debug)]
pub(crate) enum Step {
    /// Bytes were read or written.
    Moved,
    /// The peer ended its direction of the stream.
    PeerEnded,
    /// The deadline is over.
    Deadline,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(crate) fn new(stream: S, endpoint: Endpoint, now: Instant) -> Self {
        Self {
            stream,
            endpoint,
            received: Traffic::default(),
            sent: Traffic::default(),
            last_read: now,
            stalled_since: None,
            last_backlog: now,
            unflushed: false,
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// Whether all that was queued is with the operating system.
    pub(crate) fn is_flushed(&self) -> bool {
        self.endpoint.pending() == 0 && !self.unflushed
    }

    /// Since when the stream takes nothing of what is queued; `None` if nothing is.
    pub(crate) fn stalled_since(&mut self, now: Instant) -> Option<Instant> {
        if self.is_flushed() {
            self.stalled_since = None;
        } else if self.stalled_since.is_none() {
            self.stalled_since = Some(now);
        }
        self.stalled_since
    }

    /// Writes what is queued and, if `reading`, reads what is there; returns as soon as there is news, at the latest at
    /// the deadline.
    pub(crate) async fn step(&mut self, reading: bool, deadline: Option<Instant>) -> io::Result<Step> {
        poll_fn(|cx| self.poll_step(cx, reading, deadline)).await
    }

    fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        reading: bool,
        deadline: Option<Instant>,
    ) -> Poll<io::Result<Step>> {
        let wrote = self.poll_write(cx)?;
        if reading && let Poll::Ready(read) = self.poll_read(cx) {
            return Poll::Ready(read);
        }
        if wrote {
            return Poll::Ready(Ok(Step::Moved));
        }
        let Some(deadline) = deadline else { return Poll::Pending };
        ready!(self.poll_deadline(cx, deadline));
        Poll::Ready(Ok(Step::Deadline))
    }

    /// Writes as much as the stream takes. Gives whether it took anything.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut wrote = false;
        while self.endpoint.pending() > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.endpoint.io_slices(&mut slices);
            match Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..filled]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.endpoint.advance(n);
                    self.sent.bytes += n as u64;
                    self.unflushed = true;
                    wrote = true;
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        if wrote {
            self.stalled_since = None;
        }
        if self.endpoint.pending() > 0 {
            self.last_backlog = Instant::now();
        }
        if self.unflushed
            && self.endpoint.pending() == 0
            && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready()
        {
            self.unflushed = false;
            wrote = true;
        }
        Ok(wrote)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Step>> {
        // The future holds no state of its own, so it may be made anew for each poll.
        let read = pin!(self.stream.read_buf(self.endpoint.read_buffer()));
        match ready!(read.poll(cx))? {
            0 => {
                self.endpoint.eof();
                Poll::Ready(Ok(Step::PeerEnded))
            }
            n => {
                self.received.bytes += n as u64;
                self.last_read = Instant::now();
                Poll::Ready(Ok(Step::Moved))
            }
        }
    }

    /// To set a timer costs more than to read a clock, and a deadline mostly moves away from us: so the timer is only
    /// set anew when it is too late, or was too early.
    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(deadline);
        }
    }
}
