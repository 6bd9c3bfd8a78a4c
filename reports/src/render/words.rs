//! One table for each list of codes: the symbol and the words for it.

use super::text::column;
use crate::record::{Behavior, CloseVerdict, ProcessInfo};

/// A sign that tells the verdicts apart without colour.
pub(crate) fn symbol(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Pass => "✓",
        Behavior::Informational => "i",
        Behavior::Unimplemented => "–",
        Behavior::NonStrict => "~",
        Behavior::Fail => "✕",
        Behavior::Inconclusive => "?",
    }
}

/// What a verdict means, for those who meet it for the first time.
pub(crate) fn behavior(behavior: Behavior) -> &'static str {
    match behavior {
        Behavior::Pass => "did what the rule asks for",
        Behavior::Informational => "a choice the RFC leaves open; not counted",
        Behavior::Unimplemented => "lacks an optional feature that the case needs; not counted",
        Behavior::NonStrict => "broke a SHOULD",
        Behavior::Fail => "broke a MUST",
        Behavior::Inconclusive => "our side or the network failed; not counted",
    }
}

/// What a close verdict says of the peer.
pub(crate) fn close(close: CloseVerdict) -> &'static str {
    match close {
        CloseVerdict::Pass => "the connection ended as it must",
        CloseVerdict::Informational => "the end of the connection is not judged here",
        CloseVerdict::Dropped => "ended TCP without a Close frame",
        CloseVerdict::WrongCode => "its Close frame carried a wrong status code",
        CloseVerdict::Unclean => "did not complete the closing handshake",
        CloseVerdict::WrongSide => "the wrong side began to close",
        CloseVerdict::FailedByPeer => "did not end TCP in time after the closing handshake",
        CloseVerdict::Inconclusive => "the end of the connection could not be judged",
    }
}

/// The names of the opcodes, by value.
pub(crate) const OPCODES: [&str; 16] = [
    "continuation",
    "text",
    "binary",
    "reserved 0x3",
    "reserved 0x4",
    "reserved 0x5",
    "reserved 0x6",
    "reserved 0x7",
    "close",
    "ping",
    "pong",
    "reserved 0xb",
    "reserved 0xc",
    "reserved 0xd",
    "reserved 0xe",
    "reserved 0xf",
];

/// A duration as a person says it.
pub(crate) fn duration(ms: f64) -> String {
    if ms < 1000.0 {
        format!("{ms:.0} ms")
    } else if ms < 120_000.0 {
        format!("{:.2} s", ms / 1000.0)
    } else {
        format!("{:.0} min {:.0} s", (ms / 60_000.0).floor(), (ms % 60_000.0) / 1000.0)
    }
}

/// An amount of memory as a person says it.
pub(crate) fn memory(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 10.0 { format!("{mebibytes:.1} MiB") } else { format!("{mebibytes:.0} MiB") }
}

/// What a process that we started took, and how it ended where it ended by itself.
pub(crate) fn process(process: &ProcessInfo) -> String {
    let memory = process.peak_rss_bytes.map(|bytes| format!("peak memory {}", memory(bytes)));
    let cpu = process.cpu_ms.map(|ms| format!("CPU time {}", duration(ms)));
    let exit = process.exit.as_ref().map(|exit| format!("ended by itself: {}", column(exit, 60)));
    [memory, cpu, exit].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// `1 case`, `2 cases`.
pub(crate) fn cases(n: usize) -> String {
    if n == 1 { "1 case".to_owned() } else { format!("{n} cases") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        for (ms, text) in [(0.4, "0 ms"), (999.0, "999 ms"), (1840.0, "1.84 s"), (125_000.0, "2 min 5 s")] {
            assert_eq!(duration(ms), text);
        }
    }

    #[test]
    fn amounts_of_memory_read_well() {
        for (bytes, text) in [(0, "0.0 MiB"), (3 << 19, "1.5 MiB"), (300 << 20, "300 MiB")] {
            assert_eq!(memory(bytes), text);
        }
    }

    #[test]
    fn no_two_verdicts_share_a_symbol() {
        let mut symbols = Behavior::ALL.map(symbol);
        symbols.sort_unstable();
        assert!(symbols.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
