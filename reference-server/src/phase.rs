//! How far a server is with its life.

use tokio::sync::watch;

/// Only ever moves forward. Every connection of a server watches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Business as usual.
    Serving,
    /// Connections are closed with 1001, no new ones are accepted.
    GoingAway,
    /// The grace time is over: connections are dropped where they stand.
    CutOff,
}

/// One reader of the server's [`Phase`].
#[derive(Debug, Clone)]
pub(crate) struct Watch(watch::Receiver<Phase>);

impl Watch {
    /// For a server.
    pub(crate) fn new() -> (watch::Sender<Phase>, Self) {
        let (sender, receiver) = watch::channel(Phase::Serving);
        (sender, Self(receiver))
    }

    pub(crate) fn now(&self) -> Phase {
        // The server was dropped without a shutdown.
        if self.0.has_changed().is_err() { Phase::CutOff } else { *self.0.borrow() }
    }

    /// Ready when the phase is this one or a later one. May be dropped and called again.
    pub(crate) async fn reached(&mut self, phase: Phase) {
        // An error means that the server was dropped without a shutdown, and that is the end, too.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
