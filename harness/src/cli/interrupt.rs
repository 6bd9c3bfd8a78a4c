//! Ctrl-C, and being told to end: the first ends the run with what there is, and nothing that we started outlives us.

use tokio::sync::watch;

use super::exit::Exit;
use crate::spawn;

/// Who listens for it.
pub(crate) struct Interrupts {
    interrupted: watch::Receiver<bool>,
}

impl Interrupts {
    /// Listens from now on. One of a program is enough.
    pub(crate) fn watch() -> Self {
        let (stop, interrupted) = watch::channel(false);
        #[cfg(unix)]
        end_with_us();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                eprintln!(
                    "wsgrade: ending; the report will hold what was played so far (once more to stop at once)"
                );
                let _ = stop.send(true);
                if tokio::signal::ctrl_c().await.is_ok() {
                    spawn::kill_all();
                    std::process::exit(i32::from(Exit::Inconclusive.code()));
                }
            }
        });
        Self { interrupted }
    }

    /// Becomes `true` at the first Ctrl-C.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.interrupted.clone()
    }
}

/// A process that we started would outlive us when we are told to end: it does not hear of it.
#[cfg(unix)]
fn end_with_us() {
    use tokio::signal::unix::{SignalKind, signal};
    // Not in the task: what is started behind this has somebody who ends it.
    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        spawn::end_all();
        std::process::exit(i32::from(Exit::Inconclusive.code()));
    });
}
