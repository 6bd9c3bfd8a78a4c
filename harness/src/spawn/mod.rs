//! A process that we start, wait for, watch and end: the endpoint under test by its command.
//!
//! ```text
//! start ─▶ wait_until_listening ─▶ (played against) ─▶ info ─▶ end: SIGTERM, 2 s, SIGKILL
//!   ├── output  what it wrote, the last of it
//!   ├── usage   what it takes, sampled
//!   ├── group   how it ended; ends it with all that it started
//!   └── running all there are, so that none outlives us
//! ```
//!
//! The command is for the shell, and the shell and all that it starts are a process group of their own: a Ctrl-C on
//! our terminal does not reach them, and ending the group leaves nothing behind but what left the group by itself.

mod group;
mod output;
mod running;
mod usage;

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use wsgrade_reports::record::ProcessInfo;

use output::Output;
pub(crate) use output::telling;
pub use running::{end_all, kill_all};
use usage::Usage;
pub use usage::{WatchError, Watched};

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How often we look whether something has come about.
const LOOK: Duration = Duration::from_millis(10);
/// How long one attempt to connect may take while we wait for it to listen.
const KNOCK: Duration = Duration::from_millis(250);
/// How long we wait for the rest of the output of a process that is gone.
const DRAIN: Duration = Duration::from_millis(200);

/// Why nothing can be played against a command.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The shell could not be started.
    #[error("cannot start `{command}`: {reason}")]
    Start {
        /// As the user wrote it.
        command: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It ended before it listened.
    #[error("`{command}` ended with {} before it listened on {addr}{}", death.exit, indented(&death.output))]
    Ended {
        /// As the user wrote it.
        command: String,
        /// Where it was waited for.
        addr: SocketAddr,
        /// How it ended.
        death: Death,
    },
    /// It ended when it listened and before anything was played.
    #[error("`{command}` ended with {} before a case was played{}", death.exit, indented(&death.output))]
    Unserved {
        /// As the user wrote it.
        command: String,
        /// How it ended.
        death: Death,
    },
    /// It did not listen in time.
    #[error("`{command}` did not listen on {addr} within {}{}", humantime::format_duration(*waited), indented(output))]
    Silent {
        /// As the user wrote it.
        command: String,
        /// Where it was waited for.
        addr: SocketAddr,
        /// How long.
        waited: Duration,
        /// The last lines that it wrote.
        output: Vec<String>,
    },
}

fn indented(lines: &[String]) -> String {
    if lines.is_empty() {
        return "; it wrote nothing".to_owned();
    }
    let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
    format!("; its last output:{lines}")
}

/// How a process ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Such as `exit status 1` or `signal 11 (SIGSEGV)`.
    pub exit: String,
    /// The last lines that it wrote.
    pub output: Vec<String>,
}

/// A running process with all that it started. [`Process::end`] ends it; see [`Guard`].
#[derive(Debug)]
pub struct Process {
    command: String,
    /// The shell's process id, which is that of the group as well.
    leader: u32,
    child: Arc<Mutex<Child>>,
    exit: watch::Receiver<Option<String>>,
    output: Arc<Output>,
    usage: Arc<Mutex<Usage>>,
    ending: AtomicBool,
    /// From when on the group's number may be somebody else's.
    waited_for: AtomicBool,
}

impl Process {
    /// Hands `line` to the shell; `command` is what the user wrote, for messages and the record.
    ///
    /// # Errors
    ///
    /// [`SpawnError::Start`] if there is no shell or no room for another process, or we are about to end.
    pub fn start(command: &str, line: &str) -> Result<Arc<Self>, SpawnError> {
        let failed = |reason| SpawnError::Start { command: command.to_owned(), reason };
        running::add(|| Self::start_one(command, line))
            .unwrap_or_else(|| Err(failed(std::io::Error::other("wsgrade was told to end"))))
    }

    fn start_one(command: &str, line: &str) -> Result<Arc<Self>, SpawnError> {
        let failed = |reason| SpawnError::Start { command: command.to_owned(), reason };
        let (output, writer) = Output::open().map_err(failed)?;
        let mut shell = shell(line);
        shell.stdin(Stdio::null());
        shell.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
        let child = shell.spawn().map_err(failed)?;
        // It holds our copies of the pipe's end, without which reading would never end.
        drop(shell);
        let leader = child.id();
        let child = Arc::new(Mutex::new(child));
        let usage = Arc::new(Mutex::new(Usage::default()));
        let exit = group::watch(leader, &child);
        usage::sample_often(leader, &usage, exit.clone());
        Ok(Arc::new(Self {
            command: command.to_owned(),
            leader,
            child,
            exit,
            output,
            usage,
            ending: AtomicBool::new(false),
            waited_for: AtomicBool::new(false),
        }))
    }

    /// Waits until one of these addresses accepts TCP.
    ///
    /// # Errors
    ///
    /// The process ends before, or it takes longer than `patience`.
    pub async fn wait_until_listening(
        &self,
        addrs: &[SocketAddr],
        patience: Duration,
    ) -> Result<(), SpawnError> {
        let deadline = Instant::now() + patience;
        let addr = addrs.first().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let command = || self.command.clone();
        loop {
            let mut listens = false;
            for addr in addrs {
                let knock = timeout(KNOCK, TcpStream::connect(addr));
                listens |= matches!(timeout_at(deadline, knock).await, Ok(Ok(Ok(_))));
            }
            if let Some(death) = self.death().await {
                return Err(SpawnError::Ended { command: command(), addr, death });
            }
            if listens {
                self.sample();
                return Ok(());
            }
            if Instant::now() >= deadline {
                let output = self.output.last_lines();
                return Err(SpawnError::Silent { command: command(), addr, waited: patience, output });
            }
            sleep(LOOK).await;
        }
    }

    /// How it ended, if it has.
    pub async fn death(&self) -> Option<Death> {
        let exit = self.exit.borrow().clone()?;
        self.output.wait_for_end(DRAIN).await;
        Some(Death { exit, output: self.output.last_lines() })
    }

    /// How it ended, if it does within this time: its connections break a moment before it is seen to be dead.
    pub async fn death_within(&self, patience: Duration) -> Option<Death> {
        let mut exit = self.exit.clone();
        // When the time is over or nobody watches it any more there is nothing to add to what is known.
        let _ = timeout(patience, exit.wait_for(Option::is_some)).await;
        self.death().await
    }

    /// What to say when it ended before a case was played.
    pub fn died_unserved(&self, death: Death) -> SpawnError {
        SpawnError::Unserved { command: self.command.clone(), death }
    }

    /// Whether it has ended.
    pub fn is_dead(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// What the record says of it. To be asked before it is ended, whose end would else pass for its own.
    pub fn info(&self) -> ProcessInfo {
        self.sample();
        let usage = *lock(&self.usage);
        ProcessInfo {
            command: self.command.clone(),
            peak_rss_bytes: usage.peak_rss_bytes,
            cpu_ms: usage.cpu_ms,
            exit: self.exit.borrow().clone(),
            output_tail: self.output.tail(),
        }
    }

    /// For looking at what it takes, with all that it started.
    pub fn watched(&self) -> Watched {
        Watched::group(self.leader)
    }

    fn sample(&self) {
        lock(&self.usage).sample(self.leader);
    }

    /// Ends it with all that it started: asks first, and ends by force what is left after 2 seconds. Returns when that
    /// is done; the first call does it and every other does nothing.
    pub fn end(&self) {
        if self.ending.swap(true, Ordering::SeqCst) {
            return;
        }
        let deadline = std::time::Instant::now() + GRACE;
        group::ask_to_end(self.leader);
        while (!self.is_dead() || group::others_run(self.leader)) && std::time::Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        // As long as the leader is not waited for, the group's number can belong to nobody else.
        group::kill(self.leader);
        self.waited_for.store(true, Ordering::SeqCst);
        // It cannot fail but for a child that is waited for already.
        let _ = lock(&self.child).wait();
    }

    /// Ends it by force, without waiting: for when we are about to end ourselves.
    pub fn kill(&self) {
        if !self.waited_for.load(Ordering::SeqCst) {
            group::kill(self.leader);
        }
    }
}

/// Ends a process when it goes out of scope, whatever the reason.
#[derive(Debug)]
pub struct Guard(pub Arc<Process>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[cfg(unix)]
fn shell(line: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).process_group(0);
    shell
}

#[cfg(windows)]
fn shell(line: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut shell = Command::new("cmd");
    // `cmd` has quoting rules of its own: it gets the line as it is.
    shell.arg("/C").raw_arg(line);
    shell
}

/// A thread that panicked left nothing half done behind any of these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
