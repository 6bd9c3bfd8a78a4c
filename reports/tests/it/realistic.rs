//! A run as large as they come: 517 cases against five targets, with transcripts like those of real runs.

use wsgrade_reports::expect::{Expectation, Matching, apply};
use wsgrade_reports::record::{
    Behavior, CaseInfo, CaseRecord, CatalogueInfo, CloseVerdict, ClosedHow, Direction, Entry, Finding,
    FrameInfo, HttpMessage, MessageKind, PayloadInfo, Role, RoundTrips, RuleText, RunReport, TargetReport,
    Transcript, What,
};

use wsgrade_reports::render::html::{Baseline, Change, ChangeKind};

use crate::sample;

/// The subsections of each section and how many cases they have, as the field numbers them.
const SECTIONS: [(&str, &[(&str, usize)]); 11] = [
    ("Framing", &[("1.1", 8), ("1.2", 8)]),
    ("Pings and pongs", &[("2", 11)]),
    ("Reserved bits", &[("3", 7)]),
    ("Opcodes", &[("4.1", 5), ("4.2", 5)]),
    ("Fragmentation", &[("5", 20)]),
    ("UTF-8", &[("6.1", 3), ("6.2", 4), ("6.3", 2), ("6.4", 4), ("6.5", 60), ("6.6", 72)]),
    ("Closing", &[("7.1", 6), ("7.3", 6), ("7.5", 1), ("7.7", 13), ("7.9", 9), ("7.13", 2)]),
    (
        "Limits and speed",
        &[("9.1", 6), ("9.2", 6), ("9.3", 9), ("9.4", 9), ("9.5", 6), ("9.6", 6), ("9.7", 6), ("9.8", 6)],
    ),
    ("Many fragments", &[("10.1", 1)]),
    ("Compression", &[("12.1", 18), ("12.2", 18), ("12.3", 18), ("12.4", 18), ("12.5", 18)]),
    (
        "Compression with parameters",
        &[("13.1", 18), ("13.2", 18), ("13.3", 18), ("13.4", 18), ("13.5", 18), ("13.6", 18), ("13.7", 18)],
    ),
];

/// What each target calls itself, and what else its response has.
const TARGETS: [(&str, &[&str]); 5] = [
    ("ws 8.23.0", &[]),
    ("websockets 17.4", &["Date: Fri, 20 Nov 2026 11:14:05 GMT", "Server: Python/3.14 websockets/17.4"]),
    ("tokio-tungstenite 0.30", &[]),
    ("fastwebsockets 0.10", &["X-Request-Id"]),
    ("gws 1.9", &["Server: gws"]),
];
/// It has no permessage-deflate.
pub(crate) const PLAIN: usize = 3;

/// How many cases the whole catalogue has, and how many rules there are.
const CATALOGUE: usize = 1210;
const RULES: usize = 400;
/// From here on renamed cases would come twice.
const SECTIONS_END: usize = 517;

/// The frames of a transcript are recorded up to so many.
const FRAMES: usize = 2000;

/// The run, always the same.
pub(crate) fn run() -> RunReport {
    let base = sample::small();
    let rules: Vec<_> = base.rules.keys().cloned().collect();
    let mut cases = Vec::new();
    for (title, sections) in SECTIONS {
        for (section, count) in sections {
            cases.extend((1..=*count).map(|n| case(title, section, n, &rules[n % rules.len()])));
        }
    }
    let target = |n: usize| TargetReport {
        name: TARGETS[n].0.to_owned(),
        url: format!("ws://127.0.0.1:{}/", 44291 + n),
        role: Role::Server,
        agent: Some(TARGETS[n].0.to_owned()),
        facts: None,
        stopped: None,
        process: None,
        cases: cases.iter().enumerate().map(|(i, info)| record(info, i, n)).collect(),
    };
    RunReport {
        catalogue: CatalogueInfo { selected: cases.len(), known: cases.len(), ..base.catalogue.clone() },
        targets: (0..TARGETS.len()).map(target).collect(),
        cases,
        ..base
    }
}

/// The run, judged by expectations of every kind: two are met in part, one is about a case that passes, one matches nothing.
pub(crate) fn expected() -> RunReport {
    let new = |cases: &[&str], behavior, reason: &str| {
        let cases = cases.iter().map(|&pattern| pattern.to_owned()).collect();
        Expectation::new(cases, behavior, None, reason).expect("a deviation")
    };
    let list = [
        new(&["9.3.*", "9.4.*"], Behavior::Fail, "large messages are refused on purpose: see issue 12")
            .of_target("websockets*")
            .until("2027-04-01".parse().expect("a day")),
        new(&["6.*"], Behavior::NonStrict, "UTF-8 is checked when the message is whole"),
        new(&["1.1.1"], Behavior::Fail, "</script><img src=x onerror=alert(1)>"),
        new(&["6.44.1"], Behavior::Fail, "nobody knows any more"),
    ];
    let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(head) => text.starts_with(head),
        None => text == pattern,
    };
    let mut report = run();
    let today = "2027-03-01".parse().expect("a day");
    apply(&mut report, &list, today, &Matching { matches: &matches, known: &[] });
    report
}

/// As many cases as the whole catalogue has, and as many rules as the RFCs, each cited by many of them; always the same.
pub(crate) fn whole() -> RunReport {
    let mut report = run();
    let more: Vec<_> = (0..CATALOGUE - report.cases.len()).map(|n| (n, n % report.cases.len())).collect();
    let renamed = |n: usize, id: &str| format!("{}.{id}", if n < SECTIONS_END { "Y" } else { "Z" });
    for (n, of) in more {
        let case = report.cases[of].clone();
        let (id, section) = (renamed(n, &case.id), renamed(n, &case.section));
        let why = format!("{} As {id} it says so once more.", case.why);
        report.cases.push(CaseInfo { id, section, why, ..case });
        for target in &mut report.targets {
            let record = target.cases[of].clone();
            target.cases.push(CaseRecord { id: renamed(n, &record.id), ..record });
        }
    }
    let longest = report.rules.values().max_by_key(|text| text.sentence.len()).expect("a rule").clone();
    for n in 0..RULES {
        let section = format!("{}.{}", n / 40, n % 40 / 4);
        let level = ["MUST", "SHOULD", "MAY", "MUST NOT"][n % 4].to_owned();
        report.rules.insert(format!("rfc-{section}-{n}"), RuleText { section, level, ..longest.clone() });
    }
    let rules: Vec<String> = report.rules.keys().cloned().collect();
    for (n, case) in report.cases.iter_mut().enumerate() {
        case.rules.extend((0..3).map(|i| rules[(n * 3 + i) % rules.len()].clone()));
    }
    report.catalogue.selected = report.cases.len();
    report.catalogue.known = report.cases.len();
    report
}

/// An earlier run to compare one of these with: some of everything that can change, and one case that is gone.
pub(crate) fn baseline(report: &RunReport) -> Baseline {
    let of = |target: &TargetReport, record: &CaseRecord, kind, before: &str, after: &str| Change {
        target: target.name.clone(),
        case: record.id.clone(),
        role: record.role,
        carrier: record.carrier.clone(),
        kind,
        before: before.to_owned(),
        after: after.to_owned(),
    };
    let mut changes = Vec::new();
    for (t, target) in report.targets.iter().enumerate() {
        for (n, record) in target.cases.iter().enumerate() {
            let after = record.behavior.as_str();
            changes.extend(match (record.behavior, (n + t) % 40) {
                (Behavior::Fail, 0..20) => Some(of(target, record, ChangeKind::Regressed, "pass", after)),
                (Behavior::NonStrict, 0..20) => {
                    Some(of(target, record, ChangeKind::Changed, "inconclusive", after))
                }
                (Behavior::Pass, 3) => Some(of(target, record, ChangeKind::Fixed, "fail", after)),
                (Behavior::Pass, 7) if n % 3 == 0 => {
                    Some(of(target, record, ChangeKind::Slower, "3 ms", "41 ms"))
                }
                (Behavior::Pass, 9) if n % 5 == 0 => Some(of(target, record, ChangeKind::Added, "", after)),
                _ => None,
            });
        }
    }
    if let Some((target, record)) =
        report.targets.first().and_then(|target| Some((target, target.cases.first()?)))
    {
        changes
            .push(Change { case: "1.9.9".to_owned(), ..of(target, record, ChangeKind::Removed, "pass", "") });
    }
    Baseline { name: "main at 4f1c9d2".to_owned(), changes }
}

fn case(title: &str, section: &str, n: usize, rule: &str) -> CaseInfo {
    let id = format!("{section}.{n}");
    CaseInfo {
        title: format!("{title}: variant {n} of {section}"),
        why: format!(
            "Case {id} of {title} sends what most endpoints never see in the wild.\nA peer that reads the header \
             carelessly here takes the payload for something else, and what follows is misread without a word."
        ),
        section: section.to_owned(),
        section_title: format!("{title}, part {section}"),
        rules: vec![rule.to_owned()],
        outcome_rules: Vec::new(),
        setup: Vec::new(),
        steps: vec![format!("send text, {n} times 64 bytes \"*…*\", FIN"), "wait for the answer".to_owned()],
        accepts: vec![
            format!("pass: text, {n} times 64 bytes \"*…*\" — the same message came back, in one frame or many"),
            "non-strict: no answer — the connection was failed before the message had come whole".to_owned(),
            "close: we close with code 1000, the peer answers with the same code and ends TCP".to_owned(),
        ],
        differs: n.is_multiple_of(3).then(|| {
            format!(
                "Autobahn|Testsuite calls case {id} non-strict where the peer closes with 1002. RFC 6455 5.4 leaves \
                 the choice open, since a Close between fragments is lawful and says all that there is to say."
            )
        }),
        id,
    }
}

/// Numbers that look random and are always the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn base64(&mut self, len: usize) -> String {
        let text = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        self.bytes(len).into_iter().map(|b| char::from(text[usize::from(b % 64)])).collect()
    }
}

/// A transcript being made.
struct Log {
    at_us: u64,
    entries: Vec<Entry>,
    /// Different in each record.
    own: Numbers,
}

impl Log {
    fn push(&mut self, step: Option<usize>, what: What) {
        self.at_us += self.own.next() % 60;
        self.entries.push(Entry { at_us: self.at_us, step, prelude: false, what });
    }

    fn http(&mut self, dir: Direction, lines: Vec<String>) {
        let bytes = lines.iter().map(|line| line.len() as u64 + 2).sum::<u64>() + 2;
        self.push(None, What::Http { dir, message: HttpMessage { lines, bytes } });
    }

    fn frame(&mut self, dir: Direction, opcode: u8, fin: bool, rsv: u8, payload: PayloadInfo) {
        let mask = (dir == Direction::Sent).then(|| format!("{:08x}", self.own.next() >> 32));
        let frame = FrameInfo {
            opcode,
            fin,
            rsv,
            mask,
            length_bytes: match payload.len {
                0..126 => 0,
                126..65536 => 2,
                65536.. => 8,
            },
            declared: payload.len,
            close_code: (opcode == 8).then_some(1000),
            payload,
            chops: None,
            times: 1,
        };
        let step = (opcode != 8).then_some(usize::from(dir == Direction::Received));
        self.push(step, What::Frame { dir, frame });
    }

    fn message(&mut self, payload: PayloadInfo) {
        self.push(Some(1), What::Message { kind: MessageKind::Text, payload });
    }

    fn echo(&mut self, payload: &PayloadInfo) {
        self.frame(Direction::Sent, 1, true, 0, payload.clone());
        self.frame(Direction::Received, 1, true, 0, payload.clone());
        self.message(payload.clone());
    }

    fn opening(&mut self, n: usize, deflate: bool) {
        self.push(None, What::Connected);
        let mut request = vec![
            "GET / HTTP/1.1".to_owned(),
            format!("Host: 127.0.0.1:{}", 44291 + n),
            "Upgrade: websocket".to_owned(),
            "Connection: Upgrade".to_owned(),
            format!("Sec-WebSocket-Key: {}==", self.own.base64(22)),
            "Sec-WebSocket-Version: 13".to_owned(),
            "User-Agent: wsgrade/0.1.0".to_owned(),
        ];
        let mut response: Vec<_> =
            ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
                .map(str::to_owned)
                .into();
        response.push(format!("Sec-WebSocket-Accept: {}=", self.own.base64(27)));
        for line in TARGETS[n].1 {
            response.push(match line.contains(':') {
                true => (*line).to_owned(),
                false => format!("{line}: {}", self.own.base64(20)),
            });
        }
        let offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits";
        let agreed = deflate && n != PLAIN;
        request.extend(deflate.then(|| offer.to_owned()));
        response.extend(agreed.then(|| "Sec-WebSocket-Extensions: permessage-deflate".to_owned()));
        self.http(Direction::Sent, request);
        self.http(Direction::Received, response);
        let extensions = agreed.then(|| "permessage-deflate".to_owned());
        self.push(None, What::Opened { subprotocol: None, extensions });
    }

    fn ending(&mut self) {
        for dir in [Direction::Sent, Direction::Received] {
            self.frame(dir, 8, true, 0, PayloadInfo::of(&[3, 232]));
        }
        self.push(None, What::EndOfStream);
        self.push(None, What::Closed { how: ClosedHow::Normal });
    }

    /// A message of so many bytes in fragments of so many, and its echo in one frame.
    fn fragments(&mut self, total: usize, size: usize) {
        let frames = total.div_ceil(size).max(1);
        for i in 0..frames.min(FRAMES) {
            let opcode = u8::from(i == 0);
            self.frame(Direction::Sent, opcode, i + 1 == frames, 0, PayloadInfo::of(&vec![b'*'; size]));
        }
        let more = frames.saturating_sub(FRAMES) as u64;
        if more > 0 {
            self.push(
                Some(0),
                What::Folded { dir: Direction::Sent, frames: more, bytes: more * size as u64 },
            );
        }
        let whole = PayloadInfo::of(&vec![b'*'; total]);
        self.frame(Direction::Received, 1, true, 0, whole.clone());
        self.message(whole);
    }

    /// Three of the round trips, then the result. What comes back compressed is not alike for any two targets.
    fn exchange(&mut self, size: usize, compressed: bool, of_case: &mut Numbers) {
        for _ in 0..3 {
            let message = PayloadInfo::of(&of_case.bytes(size));
            let (sent, received) = match compressed {
                true => {
                    (PayloadInfo::of(&of_case.bytes(size / 4)), PayloadInfo::of(&self.own.bytes(size / 4)))
                }
                false => (message.clone(), message.clone()),
            };
            let rsv = if compressed { 4 } else { 0 };
            self.frame(Direction::Sent, 1, true, rsv, sent);
            self.frame(Direction::Received, 1, true, rsv, received);
            self.message(message);
        }
        self.at_us += 41_000;
        let bytes = size as u64 * 1000;
        let times = RoundTrips {
            min_us: 20 + self.own.next() % 9,
            median_us: 41 + self.own.next() % 9,
            p99_us: 120 + self.own.next() % 90,
            max_us: 400 + self.own.next() % 900,
            total_us: 41_000 + self.own.next() % 900,
        };
        let exchanged = What::Exchanged {
            messages: 1000,
            of: 1000,
            bytes,
            sent: bytes / 4 + self.own.next() % 90,
            received: bytes / 4 + self.own.next() % 90,
            compressed: if compressed { 1000 } else { 0 },
            round_trips: Some(times),
        };
        self.push(Some(0), exchanged);
    }
}

fn record(info: &CaseInfo, i: usize, n: usize) -> CaseRecord {
    let mut of_case = Numbers(i as u64);
    let mut log = Log { at_us: 0, entries: Vec::new(), own: Numbers((i * 100 + n + 1) as u64) };
    let variant = info.id.rsplit('.').next().and_then(|n| n.parse::<u32>().ok()).unwrap_or(1);
    let mut behavior = Behavior::Pass;
    match info.section.split_once('.').unwrap_or((&info.section, "")) {
        ("9", "1" | "2" | "5" | "6") => {
            log.opening(n, false);
            log.echo(&PayloadInfo::of(&vec![b'*'; 65536 * variant as usize]));
        }
        ("9", "3" | "4") => {
            log.opening(n, false);
            log.fragments(4 << 20, 64 << (2 * (variant - 1)));
            // As two of the real ones: a limit to fragments.
            if n < 2 && variant < 4 {
                behavior = Behavior::Fail;
            }
        }
        ("9", _) => {
            log.opening(n, false);
            log.exchange(16 << variant, false, &mut of_case);
        }
        ("10", _) => {
            log.opening(n, false);
            log.fragments(65536, 1300);
        }
        ("12" | "13", _) => {
            log.opening(n, true);
            if n == PLAIN {
                behavior = Behavior::Unimplemented;
                log.push(None, What::Declined { extension: "permessage-deflate".to_owned() });
            } else {
                log.exchange(16 << (variant % 10), true, &mut of_case);
            }
        }
        (..) => {
            log.opening(n, false);
            for _ in 0..1 + i % 3 {
                let len = of_case.next() as usize % 200;
                log.echo(&PayloadInfo::of(of_case.base64(len).as_bytes()));
            }
            if (i + 7 * n).is_multiple_of(23) {
                behavior = if n.is_multiple_of(2) { Behavior::Fail } else { Behavior::NonStrict };
            }
        }
    }
    log.ending();
    let finding = || Finding {
        rule: info.rules[0].clone(),
        expected: "the message that was sent, in one frame or many".to_owned(),
        observed: format!("a Close with code 1009 after {} bytes", log.at_us),
        entry: Some(5),
    };
    let broke = match behavior {
        Behavior::Pass | Behavior::Inconclusive => false,
        Behavior::Informational | Behavior::Unimplemented | Behavior::NonStrict | Behavior::Fail => true,
    };
    CaseRecord {
        id: info.id.clone(),
        role: Role::Server,
        carrier: "tcp".to_owned(),
        behavior,
        close: CloseVerdict::Pass,
        close_code: Some(1000),
        duration_ms: log.at_us as f64 / 1000.0,
        findings: broke.then(finding).into_iter().collect(),
        when_busy: None,
        repeats: None,
        adapted: None,
        expected: None,
        repeat: format!(
            "wsgrade test ws://127.0.0.1:{}/ --seed 2212625718057923092 -c {}",
            44291 + n,
            info.id
        ),
        transcript: Transcript { entries: log.entries },
    }
}
