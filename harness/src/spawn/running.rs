//! Every process that we started and that may run still, so that none outlives us.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::Process;

static RUNNING: Mutex<Running> = Mutex::new(Running { is_over: false, processes: Vec::new() });

struct Running {
    /// Whether we are about to end, so that there shall be no other.
    is_over: bool,
    processes: Vec<Weak<Process>>,
}

/// Starts one more; `None` where we are about to end.
pub(super) fn add<E>(start: impl FnOnce() -> Result<Arc<Process>, E>) -> Option<Result<Arc<Process>, E>> {
    // Held while it is started: what is not in the list when that is taken will not be there.
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running.is_over {
        return None;
    }
    let started = start();
    if let Ok(process) = &started {
        // A server that is started again and again would leave many that are over.
        running.processes.retain(|process| process.strong_count() > 0);
        running.processes.push(Arc::downgrade(process));
    }
    Some(started)
}

/// Ends every process that was started, as [`Process::end`] does, and starts no other: for when we are about to end.
pub fn end_all() {
    last().iter().for_each(|process| process.end());
}

/// The same by force, without waiting.
pub fn kill_all() {
    last().iter().for_each(|process| process.kill());
}

fn last() -> Vec<Arc<Process>> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    running.is_over = true;
    running.processes.iter().filter_map(Weak::upgrade).collect()
}
