//! Ctrl-C, and being told to end: the first ends the run with what there is, and nothing that we started outlives us.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

use super::exit::Exit;
use crate::spawn::Process;

/// Who listens for it, and the processes that end with us.
#[derive(Clone)]
pub(crate) struct Interrupts {
    interrupted: watch::Receiver<bool>,
    processes: Arc<Mutex<Vec<Weak<Process>>>>,
}

impl Interrupts {
    /// Listens from now on. One of a program is enough.
    pub(crate) fn watch() -> Self {
        let (stop, interrupted) = watch::channel(false);
        let interrupts = Self { interrupted, processes: Arc::default() };
        #[cfg(unix)]
        tokio::spawn(end_with_us(interrupts.clone()));
        let of_all = interrupts.clone();
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                eprintln!(
                    "wsgrade: ending; the report will hold what was played so far (once more to stop at once)"
                );
                let _ = stop.send(true);
                if tokio::signal::ctrl_c().await.is_ok() {
                    of_all.each(Process::kill);
                    std::process::exit(i32::from(Exit::Inconclusive.code()));
                }
            }
        });
        interrupts
    }

    /// Becomes `true` at the first Ctrl-C.
    pub(crate) fn receiver(&self) -> watch::Receiver<bool> {
        self.interrupted.clone()
    }

    /// This process shall not outlive us.
    pub(crate) fn end(&self, process: &Arc<Process>) {
        let mut processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is started again and again would leave many that are over.
        processes.retain(|process| process.strong_count() > 0);
        processes.push(Arc::downgrade(process));
    }

    fn each(&self, end: impl Fn(&Process)) {
        let processes = self.processes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        processes.iter().filter_map(Weak::upgrade).for_each(|process| end(&process));
    }
}

/// A process that we started would outlive us when we are told to end: it does not hear of it.
#[cfg(unix)]
async fn end_with_us(interrupts: Interrupts) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut hang_up)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    interrupts.each(Process::end);
    std::process::exit(i32::from(Exit::Inconclusive.code()));
}
