//! One table for each list of codes: the symbol and the words for it.

use super::text::column;
use crate::conformance::Standing;
use crate::record::{
    Behavior, Canary, CloseVerdict, FuzzReport, Grown, ProcessInfo, Refused, Repeated, Repeats, Response,
    RoundTrips, RuleText, Taken, TargetFacts, TargetReport,
};

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

/// What is known of a rule, for those who meet it for the first time.
pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::MustBroken => "a case failed by this rule",
        Standing::ShouldBroken => "a case was non-strict by this rule",
        Standing::Permitted => "the choice that was made is one the RFC leaves open",
        Standing::Held => "these cases rest on it and passed, and none failed by it",
        Standing::NotShown => "cases rest on it, but ended for another reason before they could show it",
        Standing::NotTested => "no case of this run rests on it",
        Standing::Unobservable => "no peer can see it broken",
        Standing::BindsOthers => "it binds the other role, or what stands between the endpoints",
    }
}

/// Its sign, and the behaviour whose colour it has.
pub(crate) fn standing_sign(standing: Standing) -> (&'static str, &'static str) {
    let like = |behavior: Behavior| (symbol(behavior), behavior.as_str());
    match standing {
        Standing::MustBroken => like(Behavior::Fail),
        Standing::ShouldBroken => like(Behavior::NonStrict),
        Standing::Permitted => like(Behavior::Informational),
        Standing::Held => like(Behavior::Pass),
        Standing::NotShown => like(Behavior::Inconclusive),
        Standing::NotTested | Standing::Unobservable | Standing::BindsOthers => like(Behavior::Unimplemented),
    }
}

/// Where the section of a rule can be read, if it is one of an RFC; nothing is fetched unless the reader follows it.
pub(crate) fn href(text: &RuleText) -> Option<String> {
    let number = text.source.strip_prefix("RFC ").filter(|n| n.len() < 6 && is_plain(n, false))?;
    let section = Some(&text.section).filter(|section| section.len() < 17 && is_plain(section, true))?;
    Some(format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"))
}

fn is_plain(text: &str, dots: bool) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || dots && byte == b'.')
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

/// How much was played of scenarios that nobody wrote, and what it came to.
pub(crate) fn fuzz(fuzz: &FuzzReport) -> Vec<String> {
    let FuzzReport {
        scenarios,
        per_second,
        corpus,
        behaviors,
        jobs,
        catalogue,
        cured,
        restarts,
        findings,
        ..
    } = fuzz;
    let mut facts = vec![
        format!("{scenarios} scenarios, {jobs} at once"),
        format!("{per_second:.0} a second"),
        format!("{behaviors} behaviors, {corpus} scenarios in the corpus"),
    ];
    facts.extend((!catalogue).then(|| "without the cases of the catalogue".to_owned()));
    facts.extend((*cured > 0).then(|| format!("{cured} times late under load and right when alone")));
    facts.extend(match restarts {
        0 => None,
        1 => Some("started again once".to_owned()),
        times => Some(format!("started again {times} times")),
    });
    let flaky = findings.iter().filter(|finding| finding.replayed < finding.tries).count();
    facts.push(match (findings.len(), flaky) {
        (0, _) => "nothing found".to_owned(),
        (found, 0) => format!("{found} found"),
        (found, flaky) => format!("{found} found, {flaky} of them flaky"),
    });
    facts
}

/// What was found of a target before the first case, in one line.
pub(crate) fn facts(facts: &TargetFacts) -> String {
    let TargetFacts { text, binary, pongs, talks, subprotocol, deflate, takes, refuses } = facts;
    let mut words = match (text, binary) {
        (Response::Echo, Response::Echo) => vec!["echoes text and binary".to_owned()],
        (Response::Nothing, Response::Nothing) => vec!["answers no message".to_owned()],
        (text, binary) if text == binary => vec![response("messages", *text)],
        (text, binary) => vec![response("text", *text), response("binary", *binary)],
    };
    words.extend(talks.then(|| "talks unasked".to_owned()));
    words.extend((!pongs).then(|| "answers no ping".to_owned()));
    words.extend(subprotocol.as_ref().map(|name| format!("subprotocol {}", column(name, 40))));
    words.extend(deflate.as_ref().map(|agreed| column(agreed, 120)));
    words.extend(takes.map(|bytes| match refuses {
        None => format!("takes messages of {} and more", binary_size(bytes)),
        Some(_) => format!("takes messages of {}", binary_size(bytes)),
    }));
    words.extend(refuses.map(|Refused { bytes, code }| match code {
        Some(code) => format!("refuses {} with {code}", binary_size(bytes)),
        None => format!("ends the connection at {}", binary_size(bytes)),
    }));
    words.join("; ")
}

fn response(kind: &str, response: Response) -> String {
    match response {
        Response::Nothing => format!("does not answer {kind}"),
        Response::Echo => format!("echoes {kind}"),
        Response::OtherKind => format!("sends {kind} back as another kind"),
        Response::Other => format!("answers {kind} with something else"),
        Response::Ends => format!("ends the connection at {kind}"),
    }
}

/// How many cases of a target were judged without an echo, and how many could not be played; `None` where all were
/// judged as they are written.
pub(crate) fn adapted(target: &TargetReport) -> Option<String> {
    let count = target.cases.iter().filter(|record| record.adapted.is_some()).count();
    let idle = |record: &&crate::record::CaseRecord| {
        record.behavior == Behavior::Unimplemented && record.transcript.entries.is_empty()
    };
    let unplayed = target.cases.iter().filter(idle).count();
    let were = |n: usize| if n == 1 { "was" } else { "were" };
    (count > 0).then(|| {
        let judged = format!("{} {} judged without an echo", cases(count), were(count));
        if unplayed == 0 { judged } else { format!("{judged}, {unplayed} could not be played") }
    })
}

/// What came of a case that was played several times: `fail 2, pass 38 of 40`. How the connection ended is told of those
/// verdicts that differ in nothing else.
pub(crate) fn repeats(repeats: &Repeats) -> String {
    let Repeats { times, verdicts } = repeats;
    let one = |verdict: &Repeated| {
        let alike = verdicts.iter().filter(|other| other.behavior == verdict.behavior).count();
        let close = if alike > 1 { format!(" (close {})", verdict.close) } else { String::new() };
        format!("{}{close} {}", verdict.behavior, verdict.times)
    };
    let all: Vec<_> = verdicts.iter().map(one).collect();
    format!("{} of {times}", all.join(", "))
}

/// A power of two of bytes as a person says it.
fn binary_size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        1_048_576.. => format!("{} MiB", bytes >> 20),
    }
}

/// An amount of data as a person says it.
pub(crate) fn size(bytes: u64) -> String {
    let scaled = |unit: f64| {
        let n = bytes as f64 / unit;
        if n < 10.0 { format!("{n:.1}") } else { format!("{n:.0}") }
    };
    match bytes {
        1 => "1 byte".to_owned(),
        0..1000 => format!("{bytes} bytes"),
        1000..1_000_000 => format!("{} kB", scaled(1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", scaled(1e6)),
        1_000_000_000.. => format!("{} GB", scaled(1e9)),
    }
}

/// A short time as a person says it.
pub(crate) fn instant(us: u64) -> String {
    match us {
        0..1000 => format!("{us} µs"),
        1000..10_000 => format!("{:.1} ms", us as f64 / 1e3),
        10_000.. => duration(us as f64 / 1e3),
    }
}

/// How an exchange ended: how many of how many echoes were equal, how many bytes the messages had and how many
/// were sent and received for them, how many echoes came compressed, and how long it took.
pub(crate) fn exchanged(
    (messages, of): (u32, u32),
    bytes: u64,
    (sent, received): (u64, u64),
    compressed: u32,
    round_trips: Option<RoundTrips>,
) -> String {
    let mut out = format!(
        "{messages} of {of} echoes equal, {} each way, {} sent, {} received",
        size(bytes),
        size(sent),
        size(received)
    );
    match compressed {
        _ if messages == 0 => {}
        0 => out += ", none compressed",
        n if n == messages => out += ", all compressed",
        n => out += &format!(", {n} compressed"),
    }
    if let Some(RoundTrips { min_us: _, median_us, p99_us, max_us, total_us: _ }) = round_trips {
        out += &format!(
            "; round trips {} median, {} p99, {} slowest",
            instant(median_us),
            instant(p99_us),
            instant(max_us)
        );
    }
    out
}

/// Whether a canary was served to the end, in time, and new connections with it.
pub(crate) fn is_served(canary: &Canary) -> bool {
    let Canary { before_us: _, slowest_us, answered: _, newcomer_us, bound_us, lost, unserved } = canary;
    lost.is_none() && unserved.is_none() && (*slowest_us).max(newcomer_us.unwrap_or(0)) <= *bound_us
}

/// How others were served meanwhile.
pub(crate) fn canary(canary: &Canary) -> String {
    let Canary { before_us, slowest_us, answered, newcomer_us, bound_us, lost, unserved } = canary;
    let mut out = format!(
        "{answered} pings answered, the slowest in {} (before the case {}, bound {})",
        instant(*slowest_us),
        instant(*before_us),
        instant(*bound_us)
    );
    if let Some(us) = newcomer_us {
        out += &format!("; new connections served in {}", instant(*us));
    }
    if let Some(how) = lost {
        out += &format!("; the connection was lost: {how}");
    }
    if let Some(why) = unserved {
        out += &format!("; afterwards no new connection was served: {why}");
    }
    out
}

/// What a process took before, at most and afterwards.
pub(crate) fn resources(before: &Taken, peak: &Taken, after: &Taken) -> String {
    let mut parts = Vec::new();
    if let (Some(before), Some(peak), Some(after)) = (before.rss_bytes, peak.rss_bytes, after.rss_bytes) {
        parts.push(format!(
            "memory {} before, {} at most, {} after",
            memory(before),
            memory(peak),
            memory(after)
        ));
    }
    if let (Some(before), Some(after)) = (before.cpu_ms, after.cpu_ms) {
        parts.push(format!("processor time {}", duration((after - before).max(0.0))));
    }
    if let (Some(before), Some(peak), Some(after)) = (before.files, peak.files, after.files) {
        parts.push(format!("open files {before} before, {peak} at most, {after} after"));
    }
    if parts.is_empty() { "nothing that the system tells".to_owned() } else { parts.join("; ") }
}

/// How many connections played a case.
pub(crate) fn crowd(connections: u32, opened: u32) -> String {
    format!("{connections} connections, {opened} of them opened")
}

/// How long the opening took at growing sizes.
pub(crate) fn growth(sizes: &[Grown]) -> String {
    let one =
        |Grown { bytes, us, answer }: &Grown| format!("{} in {} ({answer})", size(*bytes), instant(*us));
    sizes.iter().map(one).collect::<Vec<_>>().join(", ")
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
    fn facts_read_well() {
        let echo = TargetFacts {
            text: Response::Echo,
            binary: Response::Echo,
            pongs: true,
            deflate: Some("permessage-deflate".to_owned()),
            takes: Some(16 << 20),
            ..TargetFacts::default()
        };
        assert_eq!(
            facts(&echo),
            "echoes text and binary; permessage-deflate; takes messages of 16 MiB and more"
        );
        let texts = TargetFacts {
            text: Response::OtherKind,
            binary: Response::Ends,
            talks: true,
            pongs: false,
            subprotocol: Some("mqtt\u{202e}".to_owned()),
            deflate: None,
            takes: Some(64 << 10),
            refuses: Some(Refused { bytes: 1 << 20, code: Some(1009) }),
        };
        assert_eq!(
            facts(&texts),
            "sends text back as another kind; ends the connection at binary; talks unasked; answers no ping; \
             subprotocol mqtt\\u{202e}; takes messages of 64 KiB; refuses 1 MiB with 1009"
        );
        let silent = TargetFacts {
            refuses: Some(Refused { bytes: 512, code: None }),
            pongs: true,
            ..Default::default()
        };
        assert_eq!(facts(&silent), "answers no message; ends the connection at 512 bytes");
        let other =
            TargetFacts { text: Response::Other, binary: Response::Other, pongs: true, ..Default::default() };
        assert_eq!(facts(&other), "answers messages with something else");
    }

    #[test]
    fn amounts_of_data_read_well() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (999, "999 bytes"),
            (1_234, "1.2 kB"),
            (212_400, "212 kB"),
            (1_000_000, "1.0 MB"),
            (131_072_000, "131 MB"),
            (2_500_000_000, "2.5 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn an_exchange_reads_well() {
        let times = RoundTrips { min_us: 30, median_us: 41, p99_us: 120, max_us: 2_400, total_us: 48_000 };
        assert_eq!(
            exchanged((1000, 1000), 1_024_000, (212_000, 230_000), 1000, Some(times)),
            "1000 of 1000 echoes equal, 1.0 MB each way, 212 kB sent, 230 kB received, all compressed; \
             round trips 41 µs median, 120 µs p99, 2.4 ms slowest"
        );
        assert_eq!(
            exchanged((3, 1000), 48, (90, 70), 2, None),
            "3 of 1000 echoes equal, 48 bytes each way, 90 bytes sent, 70 bytes received, 2 compressed"
        );
        assert!(exchanged((3, 3), 48, (90, 70), 0, None).ends_with(", none compressed"));
        assert!(exchanged((0, 3), 0, (30, 0), 0, None).ends_with("30 bytes sent, 0 bytes received"));
        assert_eq!(instant(12_345), "12 ms");
    }

    #[test]
    fn what_is_measured_reads_well() {
        let served = Canary {
            before_us: 80,
            slowest_us: 2_400,
            answered: 12,
            newcomer_us: Some(900),
            bound_us: 2_000_000,
            ..Canary::default()
        };
        assert_eq!(
            canary(&served),
            "12 pings answered, the slowest in 2.4 ms (before the case 80 µs, bound 2.00 s); new connections served in 900 µs"
        );
        assert!(is_served(&served));
        let lost = Canary {
            lost: Some("TCP ended".to_owned()),
            unserved: Some("no answer".to_owned()),
            ..served.clone()
        };
        assert!(canary(&lost).ends_with(
            "; the connection was lost: TCP ended; afterwards no new connection was served: no answer"
        ));
        for bad in [
            lost,
            Canary { slowest_us: 2_000_001, ..served.clone() },
            Canary { newcomer_us: Some(2_000_001), ..served.clone() },
            Canary { unserved: Some("no answer".to_owned()), ..served },
        ] {
            assert!(!is_served(&bad), "{bad:?}");
        }
        let taken = |mib: u64, cpu, files| Taken {
            rss_bytes: Some(mib << 20),
            cpu_ms: Some(cpu),
            files: Some(files),
        };
        assert_eq!(
            resources(&taken(10, 100.0, 9), &taken(64, 350.0, 30), &taken(12, 350.0, 10)),
            "memory 10 MiB before, 64 MiB at most, 12 MiB after; processor time 250 ms; \
             open files 9 before, 30 at most, 10 after"
        );
        assert_eq!(
            resources(&Taken::default(), &taken(1, 1.0, 1), &taken(1, 1.0, 1)),
            "nothing that the system tells"
        );
        assert_eq!(crowd(300, 128), "300 connections, 128 of them opened");
        let grown = |bytes, us| Grown { bytes, us, answer: "101".to_owned() };
        assert_eq!(
            growth(&[grown(2_000, 90), grown(4_000, 2_500)]),
            "2.0 kB in 90 µs (101), 4.0 kB in 2.5 ms (101)"
        );
    }

    #[test]
    fn no_two_verdicts_share_a_symbol() {
        let mut symbols = Behavior::ALL.map(symbol);
        symbols.sort_unstable();
        assert!(symbols.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
