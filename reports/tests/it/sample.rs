//! Run records to test with: a small one with every verdict and much hostility, and a large one.

use std::collections::BTreeMap;

use wsgrade_reports::record::{
    Behavior, Binds, Canary, CaseInfo, CaseRecord, CatalogueInfo, CloseVerdict, ClosedHow, Direction, Entry,
    Finding, FrameInfo, Grown, HttpMessage, MessageKind, PayloadInfo, ProcessInfo, Refused, Response, Role,
    RoundTrips, RuleText, RunOptions, RunReport, SchemaVersion, Taken, TargetFacts, TargetReport, Tool,
    Transcript, Unopened, What,
};

/// What a hostile peer may put wherever it has a say.
pub(crate) const HOSTILE: &str =
    "</script><img src=x onerror=alert(1)> \" ' & {{ 7*7 }} \0 \u{1b}[31m \u{202e}evil\u{202c} ]]> <!--";

const RULES: [(&str, &str, &str, &str); 6] = [
    (
        "rfc6455-5.5-control-length",
        "5.5",
        "MUST",
        "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.",
    ),
    (
        "rfc6455-5.5.2-pong-in-response",
        "5.5.2",
        "MUST",
        "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response, unless it already received a Close frame.",
    ),
    (
        "rfc6455-5.2-rsv",
        "5.2",
        "MUST",
        "If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, \
         the receiving endpoint MUST _Fail the WebSocket Connection_.",
    ),
    (
        "rfc6455-8.1-utf8",
        "8.1",
        "MUST",
        "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 \
         stream, that endpoint MUST _Fail the WebSocket Connection_.",
    ),
    (
        "rfc6455-7.1.7-close-before-drop",
        "7.1.7",
        "SHOULD",
        "An endpoint MAY omit sending a Close frame only where it believes the other endpoint is unlikely to process it; \
         it SHOULD send one with an appropriate status code before it closes.",
    ),
    (
        "rfc6455-5.1-masked-client",
        "5.1",
        "MUST",
        "The server MUST close the connection upon receiving a frame that is not masked.",
    ),
];

/// Two targets, eleven cases, every verdict.
pub(crate) fn small() -> RunReport {
    let cases = vec![
        case("1.1.1", "Text message with empty payload", "Text messages", RULES[1].0),
        case("1.1.2", "Text message of a million bytes", "Text messages", RULES[1].0),
        case("1.1.3", "Text message of 125 bytes", "Text messages", RULES[1].0),
        case("1.1.4", "Text message of 126 bytes", "Text messages", RULES[1].0),
        case("2.5", "Ping with 126 bytes of payload", "Pings and pongs", RULES[0].0),
        case("2.6", "Ping in single-byte writes", "Pings and pongs", RULES[1].0),
        case("3.1", "Small text with RSV1 set", "Reserved bits", RULES[2].0),
        case("6.3.1", "Invalid UTF-8 in one frame", "Invalid UTF-8", RULES[3].0),
        CaseInfo {
            differs: Some(
                "Autobahn accepts 1012 as invalid here; it is registered since 2013 and valid.".to_owned(),
            ),
            ..case("7.7.1", "Close with status code 1012", "Close codes", RULES[4].0)
        },
        case("12.1.1", "Compressed messages of 16 bytes", "Compression", RULES[2].0),
        case("F.1", "Frame without a mask from a client", "Framing", RULES[5].0),
    ];
    RunReport {
        schema: SchemaVersion::CURRENT,
        tool: Tool { name: "wsgrade".to_owned(), version: "0.1.0".to_owned() },
        started: "2026-01-02T03:04:05Z".to_owned(),
        duration_ms: 1840.5,
        seed: 42,
        catalogue: CatalogueInfo {
            digest: "1f3a5c7e9b0d2f4a6c8e0b1d3f5a7c9e0b2d4f6a".to_owned(),
            known: 252,
            selected: cases.len(),
        },
        shard: None,
        fuzz: None,
        expectations: Vec::new(),
        options: RunOptions {
            jobs: 8,
            timeout_ms: 2000,
            close_timeout_ms: 1000,
            connect_timeout_ms: 3000,
            depth: Some(10),
            cases: Vec::new(),
            exclude: vec!["9.*".to_owned()],
            prelude: vec!["send text, 5 bytes \"login\"".to_owned()],
        },
        rules: rules(),
        targets: vec![faulty(), good(&cases)],
        cases,
    }
}

/// One target without a fault, eleven cases.
pub(crate) fn faultless() -> RunReport {
    let mut report = small();
    report.targets.remove(0);
    report
}

/// The record of a case of the first target.
pub(crate) fn record<'a>(report: &'a mut RunReport, id: &str) -> &'a mut CaseRecord {
    report.targets[0].cases.iter_mut().find(|record| record.id == id).expect(id)
}

/// So many targets with so many cases each and so many rounds of echo in each case.
pub(crate) fn large(targets: usize, cases: usize, rounds: usize) -> RunReport {
    let infos: Vec<_> = (0..cases)
        .map(|i| {
            let (group, section) = (i / 60 + 1, i / 12 % 5 + 1);
            let rule = RULES[i % RULES.len()].0;
            case(
                &format!("{group}.{section}.{}", i % 12 + 1),
                &format!("Echo number {i} with a payload of some size"),
                &format!("Messages of kind {group}.{section}"),
                rule,
            )
        })
        .collect();
    let target = |n: usize| TargetReport {
        name: ["ws 8.18.3", "websockets 15.0", "tokio-tungstenite 0.28", "fastwebsockets 0.10", "Bun 1.3"]
            [n % 5]
            .to_owned(),
        url: format!("ws://127.0.0.1:{}/", 9001 + n),
        role: Role::Server,
        agent: None,
        facts: None,
        stopped: None,
        process: None,
        cases: infos
            .iter()
            .enumerate()
            .map(|(i, info)| {
                let mut record = passed(&info.id, "tcp");
                record.transcript = echoes(rounds, i * 7 + n);
                if (i + n) % 31 == 7 && n > 0 {
                    record.behavior = if i % 2 == 0 { Behavior::Fail } else { Behavior::NonStrict };
                    record.findings = vec![finding(
                        &info.rules[0],
                        "an echo of the message",
                        "nothing within 2 s",
                        Some(4),
                    )];
                }
                record
            })
            .collect(),
    };
    let base = small();
    RunReport {
        catalogue: CatalogueInfo { selected: cases, known: cases, ..base.catalogue.clone() },
        targets: (0..targets).map(target).collect(),
        cases: infos,
        ..base
    }
}

/// The last two bind nobody here: one is hidden from every peer of a server, one is the client's.
fn rules() -> BTreeMap<String, RuleText> {
    let hidden = [(Role::Server, "how it was meant is not on the wire".to_owned())];
    let unseen = |id: &str, level: &str, binds, unobservable: BTreeMap<Role, String>| {
        let text = RuleText {
            source: "RFC 6455".to_owned(),
            section: id.split('-').nth(1).expect("a section").to_owned(),
            level: level.to_owned(),
            binds: Some(binds),
            sentence: format!("Whoever it is {level} do it."),
            unobservable,
            watched: false,
        };
        (id.to_owned(), text)
    };
    RULES
        .into_iter()
        .map(|(id, section, level, sentence)| {
            let text = RuleText {
                source: "RFC 6455".to_owned(),
                section: section.to_owned(),
                level: level.to_owned(),
                binds: Some(Binds::Both),
                sentence: sentence.to_owned(),
                unobservable: BTreeMap::new(),
                watched: id.contains("-5.5-"),
            };
            (id.to_owned(), text)
        })
        .chain([
            unseen("rfc6455-4.1-hidden", "MUST", Binds::Both, hidden.into()),
            unseen("rfc6455-10.3-of-clients", "SHOULD NOT", Binds::Client, BTreeMap::new()),
        ])
        .collect()
}

fn case(id: &str, title: &str, section_title: &str, rule: &str) -> CaseInfo {
    CaseInfo {
        id: id.to_owned(),
        title: title.to_owned(),
        why: format!(
            "{title}: an endpoint that gets this wrong\nloses or invents data without either side noticing."
        ),
        section: id.rsplit_once('.').map_or(id, |(section, _)| section).to_owned(),
        section_title: section_title.to_owned(),
        rules: vec![rule.to_owned()],
        outcome_rules: Vec::new(),
        setup: vec![format!("opening: header X: {HOSTILE}")],
        steps: vec!["send text \"Hello\"".to_owned(), "wait for the answer".to_owned()],
        accepts: vec![
            "pass: the same message comes back".to_owned(),
            "non-strict: the connection is failed first".to_owned(),
        ],
        differs: None,
    }
}

fn finding(rule: &str, expected: &str, observed: &str, entry: Option<usize>) -> Finding {
    Finding { rule: rule.to_owned(), expected: expected.to_owned(), observed: observed.to_owned(), entry }
}

/// A record of a case that went well.
pub(crate) fn passed(id: &str, carrier: &str) -> CaseRecord {
    CaseRecord {
        id: id.to_owned(),
        role: Role::Server,
        carrier: carrier.to_owned(),
        behavior: Behavior::Pass,
        close: CloseVerdict::Pass,
        close_code: Some(1000),
        duration_ms: 3.25,
        findings: Vec::new(),
        when_busy: None,
        repeats: None,
        adapted: None,
        expected: None,
        repeat: format!("wsgrade test ws://127.0.0.1:9001/ -c {id} --seed 42"),
        transcript: echoes(1, 0),
    }
}

fn good(cases: &[CaseInfo]) -> TargetReport {
    TargetReport {
        name: "reference-server".to_owned(),
        url: "ws://127.0.0.1:41234/".to_owned(),
        role: Role::Server,
        agent: Some("wsgrade-reference-server/0.1.0".to_owned()),
        facts: None,
        stopped: None,
        process: None,
        cases: cases.iter().map(|case| passed(&case.id, "tcp")).collect(),
    }
}

fn faulty() -> TargetReport {
    let with = |id, behavior, close, findings: Vec<Finding>| CaseRecord {
        behavior,
        close,
        findings,
        ..passed(id, "tcp")
    };
    let mut ping = with(
        "2.5",
        Behavior::Fail,
        CloseVerdict::Unclean,
        vec![
            finding(
                RULES[0].0,
                "the connection is failed with 1002",
                "answered with a pong of 126 bytes",
                Some(5),
            ),
            finding(RULES[0].0, "no frame of this kind", HOSTILE, Some(6)),
        ],
    );
    ping.transcript = ping_transcript();
    ping.transcript.entries[4].prelude = true;
    ping.close_code = None;
    let mut million = passed("1.1.2", "tcp");
    million.transcript = echo_of(&vec![b'*'; 1_000_000]);
    million.findings = vec![finding(RULES[1].0, "an echo", "an echo in 16 fragments, which is lawful", None)];
    let mut busy = with(
        "6.3.1",
        Behavior::NonStrict,
        CloseVerdict::WrongCode,
        vec![finding(
            RULES[3].0,
            "the connection is failed with 1007",
            "failed with 1002, after the whole message was in",
            Some(6),
        )],
    );
    busy.when_busy = Some(Behavior::Fail);
    busy.close_code = Some(1002);
    busy.adapted = Some(format!("The target does not send text back. {HOSTILE}"));
    TargetReport {
        name: format!("ws 8.18 {HOSTILE}"),
        url: "ws://127.0.0.1:9001/a?b=\"c\"&d=<e>".to_owned(),
        role: Role::Server,
        agent: Some(HOSTILE.to_owned()),
        facts: Some(TargetFacts {
            text: Response::Echo,
            binary: Response::Ends,
            pongs: true,
            talks: true,
            subprotocol: Some(format!("chat {HOSTILE}")),
            deflate: Some("permessage-deflate".to_owned()),
            takes: Some(1 << 16),
            refuses: Some(Refused { bytes: 1 << 20, code: Some(1009) }),
        }),
        stopped: None,
        process: Some(ProcessInfo {
            command: format!("./server --port {{port}} {HOSTILE}"),
            peak_rss_bytes: Some(45 << 20),
            cpu_ms: Some(1230.0),
            exit: Some("signal 11 (SIGSEGV)".to_owned()),
            output_tail: Some(format!("listening\n{HOSTILE}\n")),
        }),
        cases: vec![
            passed("1.1.1", "tcp"),
            million,
            passed("1.1.3", "tcp"),
            passed("1.1.4", "tcp"),
            ping,
            with("2.6", Behavior::Pass, CloseVerdict::FailedByPeer, vec![]),
            with(
                "3.1",
                Behavior::Pass,
                CloseVerdict::WrongSide,
                vec![finding(RULES[4].0, "the peer begins to close", "it waited for us to", None)],
            ),
            busy,
            with(
                "7.7.1",
                Behavior::Informational,
                CloseVerdict::Informational,
                vec![finding(RULES[4].0, "a choice", "answered with 1012", None)],
            ),
            with(
                "12.1.1",
                Behavior::Unimplemented,
                CloseVerdict::Pass,
                vec![finding(RULES[2].0, "permessage-deflate agreed to", "the offer was declined", None)],
            ),
            with("F.1", Behavior::Inconclusive, CloseVerdict::Inconclusive, vec![]),
        ],
    }
}

fn frame(opcode: u8, payload: &[u8], mask: Option<u32>) -> FrameInfo {
    FrameInfo {
        opcode,
        fin: true,
        rsv: 0,
        mask: mask.map(|key| format!("{key:08x}")),
        length_bytes: if payload.len() < 126 {
            0
        } else if payload.len() < 65536 {
            2
        } else {
            8
        },
        declared: payload.len() as u64,
        payload: PayloadInfo::of(payload),
        close_code: match payload {
            [high, low, ..] if opcode == 8 => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        },
        chops: None,
        times: 1,
    }
}

fn http(dir: Direction, lines: &[&str]) -> What {
    let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
    let bytes = lines.iter().map(|line| line.len() as u64 + 2).sum::<u64>() + 2;
    What::Http { dir, message: HttpMessage { lines, bytes } }
}

/// Gives each thing a time and a step.
fn transcript(what: Vec<(Option<usize>, What)>) -> Transcript {
    let entries = what.into_iter().enumerate();
    Transcript {
        entries: entries
            .map(|(i, (step, what))| Entry { at_us: 40 + 137 * i as u64, step, prelude: false, what })
            .collect(),
    }
}

fn opening() -> Vec<(Option<usize>, What)> {
    vec![
        (None, What::Connected),
        (
            None,
            http(
                Direction::Sent,
                &[
                    "GET / HTTP/1.1",
                    "Host: 127.0.0.1:9001",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                    "Sec-WebSocket-Version: 13",
                ],
            ),
        ),
        (
            None,
            http(
                Direction::Received,
                &[
                    "HTTP/1.1 101 Switching Protocols",
                    "Upgrade: websocket",
                    "Connection: Upgrade",
                    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                ],
            ),
        ),
        (None, What::Opened { subprotocol: None, extensions: None }),
    ]
}

fn ending(key: u32) -> Vec<(Option<usize>, What)> {
    vec![
        (None, What::Frame { dir: Direction::Sent, frame: frame(8, &[3, 232], Some(key)) }),
        (None, What::Frame { dir: Direction::Received, frame: frame(8, &[3, 232], None) }),
        (None, What::EndOfStream),
        (None, What::Closed { how: ClosedHow::Normal }),
    ]
}

fn echo_of(bytes: &[u8]) -> Transcript {
    let mut what = opening();
    what.push((Some(0), What::Frame { dir: Direction::Sent, frame: frame(1, bytes, Some(0x37fa_213d)) }));
    what.push((Some(1), What::Frame { dir: Direction::Received, frame: frame(1, bytes, None) }));
    what.push((Some(1), What::Message { kind: MessageKind::Text, payload: PayloadInfo::of(bytes) }));
    what.extend(ending(0x0102_0304));
    transcript(what)
}

/// So many echoes on one connection.
fn echoes(rounds: usize, salt: usize) -> Transcript {
    let mut what = opening();
    for round in 0..rounds {
        let text = format!("Hello, message {round} of many, with {salt} and κόσμε in it ").repeat(3);
        let key = 0x9e37_79b9_u32.wrapping_mul((salt * 64 + round + 1) as u32);
        what.push((
            Some(0),
            What::Frame { dir: Direction::Sent, frame: frame(1, text.as_bytes(), Some(key)) },
        ));
        what.push((
            Some(1),
            What::Frame { dir: Direction::Received, frame: frame(1, text.as_bytes(), None) },
        ));
        what.push((
            Some(1),
            What::Message { kind: MessageKind::Text, payload: PayloadInfo::of(text.as_bytes()) },
        ));
    }
    what.extend(ending(salt as u32));
    transcript(what)
}

/// The end of an exchange with so many good echoes of so many.
fn exchanged(messages: u32, of: u32) -> What {
    let bytes = u64::from(messages) * 1024;
    What::Exchanged {
        messages,
        of,
        bytes,
        sent: bytes / 5 + u64::from(messages) * 8,
        received: bytes / 4,
        compressed: messages,
        round_trips: (messages > 0).then(|| RoundTrips {
            min_us: 30,
            median_us: 41,
            p99_us: 120,
            max_us: 400 + u64::from(of),
            total_us: u64::from(messages) * 44,
        }),
    }
}

/// One of everything a transcript can hold.
fn ping_transcript() -> Transcript {
    let mut what = opening();
    what[3] = (
        None,
        What::Opened {
            subprotocol: Some(HOSTILE.to_owned()),
            extensions: Some("permessage-deflate; client_no_context_takeover".to_owned()),
        },
    );
    let ping = FrameInfo { chops: Some(7), times: 40, ..frame(9, &[0xfe; 126], Some(0x0a0b_0c0d)) };
    let odd = FrameInfo {
        fin: false,
        rsv: 5,
        declared: 70_000,
        length_bytes: 8,
        ..frame(3, "κόσμε \u{202e}\0 </script>".as_bytes(), None)
    };
    what.extend([
        (Some(0), What::Frame { dir: Direction::Sent, frame: ping }),
        (Some(1), What::Frame { dir: Direction::Received, frame: frame(10, &[0xfe; 126], None) }),
        (Some(1), What::Frame { dir: Direction::Received, frame: odd }),
        (
            Some(1),
            What::Violation { rule: RULES[0].0.to_owned(), detail: format!("a pong of 126 bytes {HOSTILE}") },
        ),
        (Some(1), What::Message { kind: MessageKind::Binary, payload: PayloadInfo::of(&[0, 255, 254, 1]) }),
        (Some(1), What::Bytes { dir: Direction::Received, payload: PayloadInfo::of(HOSTILE.as_bytes()) }),
        (Some(1), What::StillOpen { mark: "after the ping".to_owned() }),
        (Some(1), What::TimedOut { waited_for: "the connection to be failed".to_owned() }),
        (Some(1), What::Folded { dir: Direction::Received, frames: 1200, bytes: 4_800_000 }),
        (Some(1), exchanged(412, 1000)),
        (Some(1), What::Declined { extension: format!("permessage-deflate {HOSTILE}") }),
        (None, What::Crowd { connections: 300, opened: 128 }),
        (
            None,
            What::Canary(Canary {
                before_us: 80,
                slowest_us: 2_400_000,
                answered: 12,
                newcomer_us: Some(900),
                bound_us: 2_000_000,
                lost: Some(HOSTILE.to_owned()),
                unserved: None,
            }),
        ),
        (
            None,
            What::Resources {
                before: Taken { rss_bytes: Some(10 << 20), cpu_ms: Some(40.0), files: Some(9) },
                peak: Taken { rss_bytes: Some(90 << 20), cpu_ms: Some(140.0), files: Some(30) },
                after: Taken { rss_bytes: Some(12 << 20), cpu_ms: Some(140.0), files: None },
            },
        ),
        (None, What::Growth { sizes: vec![Grown { bytes: 2_000, us: 90, answer: HOSTILE.to_owned() }] }),
        (
            None,
            What::OpeningFailed {
                status: Some(404),
                reason: HOSTILE.to_owned(),
                how: Some(Unopened::Refused),
                versions: None,
            },
        ),
        (None, What::Frame { dir: Direction::Received, frame: frame(8, b"\x03\xeagoing away", None) }),
        (None, What::Trouble { reason: "the network is gone".to_owned() }),
        (None, What::Reset),
        (None, What::Closed { how: ClosedHow::GaveUp }),
    ]);
    transcript(what)
}
