//! What a process group takes: memory and processor time, read from `/proc` where there is one.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

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
pub(super) fn sample_often(_: u32, _: &Arc<Mutex<Usage>>, _: watch::Receiver<Option<String>>) {}

#[cfg(target_os = "linux")]
pub(super) use linux::{others_run, sample_often};

#[cfg(target_os = "linux")]
mod linux {
    use std::time::Duration;

    use super::{Arc, Mutex, Usage, watch};
    use crate::spawn::lock;

    /// How often we look. The figures only grow, so this decides how much is missed of what lives shortly or of the
    /// last moments before a crash, not how good the figures are.
    const OFTEN: Duration = Duration::from_millis(500);

    /// A member of the group.
    struct Member {
        pid: u32,
        /// It has ended and waits to be waited for.
        ended: bool,
        /// Its processor time and that of the children that it waited for.
        ticks: u64,
    }

    impl Usage {
        /// Looks once.
        pub(in crate::spawn) fn sample(&mut self, group: u32) {
            let members = members(group);
            if members.is_empty() {
                return;
            }
            let ticks: u64 = members.iter().map(|member| member.ticks).sum();
            let cpu_ms = ticks as f64 * 1000.0 / rustix::param::clock_ticks_per_second() as f64;
            let peak: u64 = members.iter().filter_map(|member| peak_rss(member.pid)).sum();
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
        members(group).iter().any(|member| member.pid != group && !member.ended)
    }

    fn members(group: u32) -> Vec<Member> {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                member(pid, &std::fs::read_to_string(entry.path().join("stat")).ok()?, group)
            })
            .collect()
    }

    /// Reads `/proc/PID/stat` (proc_pid_stat(5)); nothing if it is of another group. The name in the second field may
    /// hold anything, even parentheses.
    fn member(pid: u32, stat: &str, group: u32) -> Option<Member> {
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // From the third field on: state, ppid, pgrp, …; utime, stime, cutime and cstime are the 14th to the 17th.
        if fields.get(2)?.parse() != Ok(group) {
            return None;
        }
        let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        Some(Member { pid, ended: matches!(fields[0], "Z" | "X"), ticks })
    }

    /// The most memory that a process held, in bytes; nothing of one that has ended.
    fn peak_rss(pid: u32) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        kibibytes.checked_mul(1024)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_line_of_stat() {
            let stat = "77 (a ) (b) S 1 42 42 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0";
            let found = member(77, stat, 42).unwrap();
            assert_eq!((found.pid, found.ended, found.ticks), (77, false, 100));
            assert!(member(77, stat, 43).is_none());
            assert!(member(77, &stat.replace(" S ", " Z "), 42).unwrap().ended);
            assert!(member(77, "77 (short) S 1 42", 42).is_none());
        }

        #[test]
        fn our_own_memory() {
            assert!(peak_rss(std::process::id()).unwrap() > 1 << 20);
            assert_eq!(peak_rss(u32::MAX), None);
        }
    }
}
