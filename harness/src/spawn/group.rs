//! A process and all that it started, as one: how it ended, and how to end it.
//!
//! On Unix that is a process group, and the leader is only waited for by [`end`](super::Process::end): until then its
//! number is its own, however long it is dead. On Windows it is the tree under a process.

#[cfg(unix)]
pub(super) use unix::{ask_to_end, kill, others_run, watch};
#[cfg(windows)]
pub(super) use windows::{ask_to_end, kill, others_run, watch};

#[cfg(unix)]
mod unix {
    use std::process::Child;
    use std::sync::{Arc, Mutex};

    use rustix::io::Errno;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid};
    use tokio::sync::watch;

    #[cfg(target_os = "linux")]
    pub(in crate::spawn) use crate::spawn::usage::others_run;

    /// Not known on this system: when the leader has ended, the rest is ended at once.
    #[cfg(not(target_os = "linux"))]
    pub(in crate::spawn) fn others_run(_group: u32) -> bool {
        false
    }

    fn id(leader: u32) -> Option<Pid> {
        Pid::from_raw(i32::try_from(leader).ok()?)
    }

    /// Tells how the leader ended, when it has, and leaves it to be waited for.
    pub(in crate::spawn) fn watch(
        leader: u32,
        _child: &Arc<Mutex<Child>>,
    ) -> watch::Receiver<Option<String>> {
        let (tell, exit) = watch::channel(None);
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        // Without the thread it is never seen to end, and then ended by force.
        let _ = std::thread::Builder::new().name("exit".to_owned()).spawn(move || {
            let Some(pid) = id(leader) else { return };
            loop {
                match waitid(WaitId::Pid(pid), options) {
                    Ok(Some(status)) => {
                        tell.send_replace(Some(in_words(&status)));
                        return;
                    }
                    Ok(None) | Err(Errno::INTR) => {}
                    Err(_) => return,
                }
            }
        });
        exit
    }

    fn in_words(status: &WaitIdStatus) -> String {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => match code.checked_sub(128).and_then(name) {
                // So a shell passes on how its command ended.
                Some(name) => format!("exit status {code} ({name})"),
                None => format!("exit status {code}"),
            },
            (None, Some(number)) => match name(number) {
                Some(name) => format!("signal {number} ({name})"),
                None => format!("signal {number}"),
            },
            (None, None) => "an unknown status".to_owned(),
        }
    }

    /// The signals that end servers.
    fn name(number: i32) -> Option<&'static str> {
        let names = [
            (Signal::HUP, "SIGHUP"),
            (Signal::INT, "SIGINT"),
            (Signal::QUIT, "SIGQUIT"),
            (Signal::ILL, "SIGILL"),
            (Signal::TRAP, "SIGTRAP"),
            (Signal::ABORT, "SIGABRT"),
            (Signal::BUS, "SIGBUS"),
            (Signal::FPE, "SIGFPE"),
            (Signal::KILL, "SIGKILL"),
            (Signal::SEGV, "SIGSEGV"),
            (Signal::PIPE, "SIGPIPE"),
            (Signal::TERM, "SIGTERM"),
        ];
        names.into_iter().find_map(|(signal, name)| (signal.as_raw() == number).then_some(name))
    }

    /// Asks all of them.
    pub(in crate::spawn) fn ask_to_end(leader: u32) {
        signal(leader, Signal::TERM);
    }

    /// Ends all of them.
    pub(in crate::spawn) fn kill(leader: u32) {
        signal(leader, Signal::KILL);
    }

    /// Nobody being left is what was wanted.
    fn signal(leader: u32, signal: Signal) {
        if let Some(pid) = id(leader) {
            let _ = kill_process_group(pid, signal);
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::process::{Child, Command, Stdio};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::sync::watch;

    use crate::spawn::lock;

    /// How often we look whether it has ended.
    const OFTEN: Duration = Duration::from_millis(50);

    /// Not known without the Job API; [`kill`] ends the tree.
    pub(in crate::spawn) fn others_run(_leader: u32) -> bool {
        false
    }

    /// Tells how the leader ended, when it has.
    pub(in crate::spawn) fn watch(
        _leader: u32,
        child: &Arc<Mutex<Child>>,
    ) -> watch::Receiver<Option<String>> {
        let (tell, exit) = watch::channel(None);
        let child = Arc::downgrade(child);
        // Without the thread it is never seen to end, and then ended by force.
        let _ = std::thread::Builder::new().name("exit".to_owned()).spawn(move || {
            while let Some(child) = child.upgrade() {
                if let Ok(Some(status)) = lock(&child).try_wait() {
                    let code = status.code().map_or_else(String::new, |code| format!(" {code}"));
                    tell.send_replace(Some(format!("exit status{code}")));
                    return;
                }
                drop(child);
                std::thread::sleep(OFTEN);
            }
        });
        exit
    }

    /// A console process cannot be asked from outside its console, so this is the end of it.
    pub(in crate::spawn) fn ask_to_end(leader: u32) {
        kill(leader);
    }

    /// Ends the tree.
    pub(in crate::spawn) fn kill(leader: u32) {
        let mut command = Command::new("taskkill");
        command.args(["/T", "/F", "/PID", &leader.to_string()]);
        // That it is gone already is what was wanted.
        let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}
