//! What a process takes with all that it started: memory, processor time and open files, read from `/proc` where there
//! is one.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use wsgrade_reports::record::Taken;

/// A process that can be looked at, with all that it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched(Whom);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// All of a process group.
    Group(u32),
    /// A process and its descendants.
    Tree(u32),
}

/// Why a process cannot be watched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchError {
    /// There is none with this id.
    #[error("there is no process with the id {0}: give that of the server, as `ps` or `pgrep` shows it")]
    NoProcess(u32),
    /// It is somebody else's.
    #[error(
        "the process {0} is not ours to look at: run wsgrade as the user that runs it, or leave --pid out"
    )]
    NotOurs(u32),
    /// There is no `/proc`.
    #[error(
        "this system does not tell what a process takes: leave --pid out, and it is judged by its behavior alone"
    )]
    NotHere,
}

impl Watched {
    /// All of a process group that we started.
    pub(super) fn group(leader: u32) -> Self {
        Self(Whom::Group(leader))
    }

    /// A process that somebody else started, with its descendants.
    ///
    /// # Errors
    ///
    /// There is none, it is somebody else's, or this system does not tell.
    pub fn tree(pid: u32) -> Result<Self, WatchError> {
        may_look(pid)?;
        Ok(Self(Whom::Tree(pid)))
    }

    /// Whether any of its threads is at work now, or wants to be; `false` where the system does not tell.
    pub fn is_busy(&self) -> bool {
        is_busy(self.0)
    }

    /// What it takes now; what the system does not tell is absent.
    pub fn taken(&self) -> Taken {
        taken(self.0)
    }
}

/// What a group was seen to take so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) peak_rss_bytes: Option<u64>,
    pub(super) cpu_ms: Option<f64>,
}

#[cfg(not(target_os = "linux"))]
impl Usage {
    /// Not known on this system.
    pub(super) fn sample(&mut self, _group: u32) {}
}

#[cfg(not(target_os = "linux"))]
fn may_look(_: u32) -> Result<(), WatchError> {
    Err(WatchError::NotHere)
}

#[cfg(not(target_os = "linux"))]
fn is_busy(_: Whom) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn taken(_: Whom) -> Taken {
    Taken::default()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn sample_often(_: u32, _: &Arc<Mutex<Usage>>, _: watch::Receiver<Option<String>>) {}

#[cfg(target_os = "linux")]
use linux::{is_busy, may_look, taken};
#[cfg(target_os = "linux")]
pub(super) use linux::{others_run, sample_often};

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use super::{Arc, Mutex, Taken, Usage, WatchError, Whom, watch};
    use crate::spawn::lock;

    /// How often we look. The figures only grow, so this decides how much is missed of what lives shortly or of the
    /// last moments before a crash, not how good the figures are.
    const OFTEN: Duration = Duration::from_millis(500);

    /// A process that counts.
    struct Member {
        pid: u32,
        parent: u32,
        group: u32,
        /// It has ended and waits to be waited for.
        ended: bool,
        /// Its processor time and that of the children that it waited for.
        ticks: u64,
    }

    impl Usage {
        /// Looks once.
        pub(in crate::spawn) fn sample(&mut self, group: u32) {
            let members = members(Whom::Group(group));
            if members.is_empty() {
                return;
            }
            let cpu_ms = cpu_ms(&members);
            let peak: u64 = members.iter().filter_map(|member| memory(member.pid, "VmHWM:")).sum();
            // Who ends takes its figures along, unless its parent waited for it.
            self.cpu_ms = Some(self.cpu_ms.unwrap_or_default().max(cpu_ms));
            if peak > 0 {
                self.peak_rss_bytes = Some(self.peak_rss_bytes.unwrap_or_default().max(peak));
            }
        }
    }

    /// Looks from time to time until the leader has ended or nobody wants to know.
    pub(in crate::spawn) fn sample_often(
        group: u32,
        usage: &Arc<Mutex<Usage>>,
        exit: watch::Receiver<Option<String>>,
    ) {
        let usage = Arc::downgrade(usage);
        // Without the thread there are the samples at the beginning and at the end.
        let _ = std::thread::Builder::new().name("usage".to_owned()).spawn(move || {
            while let Some(usage) = usage.upgrade()
                && exit.borrow().is_none()
            {
                lock(&usage).sample(group);
                drop(usage);
                std::thread::sleep(OFTEN);
            }
        });
    }

    /// Whether anybody but the leader still runs in a group.
    pub(in crate::spawn) fn others_run(group: u32) -> bool {
        members(Whom::Group(group)).iter().any(|member| member.pid != group && !member.ended)
    }

    /// Whether a process is there, and ours to look at.
    pub(super) fn may_look(pid: u32) -> Result<(), WatchError> {
        let place = std::path::Path::new("/proc").join(pid.to_string());
        if !std::path::Path::new("/proc/self/stat").exists() {
            return Err(WatchError::NotHere);
        }
        if !place.exists() {
            return Err(WatchError::NoProcess(pid));
        }
        std::fs::read_dir(place.join("fd")).map(|_| ()).map_err(|_| WatchError::NotOurs(pid))
    }

    /// What these processes take now.
    pub(super) fn taken(whom: Whom) -> Taken {
        let members = members(whom);
        let sum = |of: fn(u32) -> Option<u64>| -> Option<u64> {
            let known: Vec<_> = members.iter().filter_map(|member| of(member.pid)).collect();
            (!known.is_empty()).then(|| known.iter().sum())
        };
        Taken {
            rss_bytes: sum(|pid| memory(pid, "VmRSS:")),
            cpu_ms: (!members.is_empty()).then(|| cpu_ms(&members)),
            files: sum(files),
        }
    }

    /// Whether a thread of theirs runs, waits for its turn (`R`) or for the machine (`D`).
    pub(super) fn is_busy(whom: Whom) -> bool {
        members(whom).iter().any(|member| {
            let threads =
                std::fs::read_dir(format!("/proc/{}/task", member.pid)).into_iter().flatten().flatten();
            threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok()).any(
                |stat| {
                    stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with(['R', 'D']))
                },
            )
        })
    }

    fn cpu_ms(members: &[Member]) -> f64 {
        let ticks: u64 = members.iter().map(|member| member.ticks).sum();
        ticks as f64 * 1000.0 / rustix::param::clock_ticks_per_second() as f64
    }

    fn members(whom: Whom) -> Vec<Member> {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        let all = entries.flatten().filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            member(pid, &std::fs::read_to_string(entry.path().join("stat")).ok()?)
        });
        match whom {
            Whom::Group(group) => all.filter(|member| member.group == group).collect(),
            Whom::Tree(root) => descendants(root, all.collect()),
        }
    }

    /// A process and all that descend from it.
    fn descendants(root: u32, mut others: Vec<Member>) -> Vec<Member> {
        let mut tree: Vec<Member> = others.extract_if(.., |member| member.pid == root).collect();
        loop {
            let known: Vec<u32> = tree.iter().map(|member| member.pid).collect();
            let before = tree.len();
            tree.extend(others.extract_if(.., |member| known.contains(&member.parent)));
            if tree.len() == before {
                return tree;
            }
        }
    }

    /// Reads `/proc/PID/stat` (proc_pid_stat(5)). The name in the second field may hold anything, even parentheses.
    fn member(pid: u32, stat: &str) -> Option<Member> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // From the third field on: state, ppid, pgrp, …; utime, stime, cutime and cstime are the 14th to the 17th.
        let (parent, group) = (fields.get(1)?.parse().ok()?, fields.get(2)?.parse().ok()?);
        let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Member { pid, parent, group, ended: matches!(fields[0], "Z" | "X"), ticks })
    }

    /// The memory that a process holds (`VmRSS:`) or held at most (`VmHWM:`), in bytes; nothing of one that has ended.
    fn memory(pid: u32, which: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(which))?;
        let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        kibibytes.checked_mul(1024)
    }

    /// How many files a process has open.
    fn files(pid: u32) -> Option<u64> {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        Some(open.count() as u64)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_of_stat() {
            let stat = "77 (a ) (b) S 1 42 42 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0";
            let found = member(77, stat).unwrap();
            assert_eq!((found.pid, found.parent, found.group), (77, 1, 42));
            assert_eq!((found.ended, found.ticks), (false, 100));
            assert!(member(77, &stat.replace(" S ", " Z ")).unwrap().ended);
            assert!(member(77, "77 (short) S 1 42").is_none());
        }

        #[test]
        fn descendants_at_any_depth_and_nobody_else() {
            let of = |pid, parent| Member { pid, parent, group: 1, ended: false, ticks: 0 };
            let all = || vec![of(9, 4), of(1, 0), of(4, 3), of(3, 1), of(5, 1)];
            let mut found: Vec<_> = descendants(3, all()).iter().map(|member| member.pid).collect();
            found.sort_unstable();
            assert_eq!(found, [3, 4, 9]);
            assert!(descendants(7, all()).is_empty());
        }

        #[test]
        fn our_own_memory_and_files() {
            let us = std::process::id();
            assert!(memory(us, "VmHWM:").unwrap() > 1 << 20);
            assert_eq!(memory(u32::MAX, "VmHWM:"), None);
            let before = taken(Whom::Tree(us));
            let held: Vec<u8> = vec![1; 64 << 20];
            let files: Vec<_> = (0..50).map(|_| std::fs::File::open("/proc/self/stat").unwrap()).collect();
            let after = taken(Whom::Tree(us));
            assert!(
                after.rss_bytes.unwrap() > before.rss_bytes.unwrap() + (32 << 20),
                "{before:?} {after:?}"
            );
            assert!(after.files.unwrap() >= before.files.unwrap() + 25, "{before:?} {after:?}");
            assert!(after.cpu_ms >= before.cpu_ms);
            drop((held, files));
            assert!(is_busy(Whom::Tree(us)), "this thread is at work");
            assert!(!is_busy(Whom::Tree(u32::MAX)));
            assert_eq!(taken(Whom::Tree(u32::MAX)), Taken::default());
        }

        #[test]
        fn whom_we_may_look_at() {
            assert_eq!(may_look(std::process::id()), Ok(()));
            assert_eq!(may_look(u32::MAX), Err(WatchError::NoProcess(u32::MAX)));
        }
    }
}
