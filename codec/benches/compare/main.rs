//! This codec beside tungstenite, fastwebsockets and tokio-websockets, in one process, in memory.
//!
//! ```text
//! cargo bench -p wsgrade-codec [-- [FILTER…] [--markdown FILE] [--rounds N]]
//! ```
//!
//! Each row is measured in rounds; in each round every codec has its turn, so that what disturbs the machine disturbs
//! all of them. The shortest round counts. A filter keeps the rows whose name contains it.

mod peers;
mod wire;

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use peers::{CODECS, Job, Run, Work};
use wsgrade_codec::utf8::Validator;
use wsgrade_codec::wire::{Header, Opcode};
use wsgrade_codec::{Kind, Role, mask};

const SIZES: [(&str, usize); 5] =
    [("4 B", 4), ("125 B", 125), ("1 KiB", 1 << 10), ("16 KiB", 16 << 10), ("1 MiB", 1 << 20)];

/// How long one codec has its turn in a round.
const TURN: Duration = Duration::from_millis(3);

/// A row before it is measured: its name, the names of the columns, and what to run.
struct Row {
    name: String,
    runs: Vec<(&'static str, Run)>,
}

fn main() {
    let mut filters = Vec::new();
    let mut markdown = None;
    let mut rounds = 25;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--markdown" => markdown = arguments.next(),
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).expect("--rounds N"),
            // Cargo says so to every benchmark.
            "--bench" => {}
            _ => filters.push(argument),
        }
    }
    let mut table =
        String::from("| row | wsgrade-codec | tungstenite | fastwebsockets | tokio-websockets | ahead |\n");
    table.push_str("|---|--:|--:|--:|--:|--:|\n");
    print!("{table}");
    for (name, make) in rows() {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let line = measure(make(name), rounds);
        println!("{line}");
        table.push_str(&line);
        table.push('\n');
    }
    if let Some(path) = markdown {
        std::fs::write(path, table).expect("the table can be written");
    }
}

type Make = Box<dyn FnOnce(String) -> Row>;

fn rows() -> Vec<(String, Make)> {
    let mut rows: Vec<(String, Make)> = Vec::new();
    for (work, verb) in [(Work::Decode, "decode"), (Work::Encode, "encode"), (Work::Echo, "echo")] {
        for role in [Role::Server, Role::Client] {
            for kind in [Kind::Text, Kind::Binary] {
                for (label, size) in SIZES {
                    let name = format!("{verb} {role} {kind} {label}");
                    rows.push((name, Box::new(move |name| exchange(name, work, role, kind, size))));
                }
            }
        }
    }
    for (label, size) in SIZES {
        rows.push((format!("mask {label}"), Box::new(move |name| masking(name, size))));
        rows.push((format!("utf8 {label}"), Box::new(move |name| validating(name, size))));
    }
    rows
}

/// A payload of this size: prose with a few characters of several bytes, or noise.
fn payload(kind: Kind, size: usize) -> Bytes {
    match kind {
        Kind::Text => {
            let mut text = String::with_capacity(size);
            let mut prose =
                "The quick brown fox jumps over the lazy dog — für Elise, ça va. ".chars().cycle();
            while let Some(next) = prose.next().filter(|next| text.len() + next.len_utf8() <= size) {
                text.push(next);
            }
            while text.len() < size {
                text.push('.');
            }
            text.into()
        }
        Kind::Binary => {
            let mut noise = vec![0; size];
            fastrand::Rng::with_seed(7).fill(&mut noise);
            noise.into()
        }
    }
}

fn exchange(name: String, work: Work, role: Role, kind: Kind, size: usize) -> Row {
    let payload = payload(kind, size);
    let key = role.peer().masks().then_some([0x12, 0xF3, 0x5A, 0x88]);
    let mut body = payload.to_vec();
    if let Some(key) = key {
        mask::apply(key, 0, &mut body);
    }
    let frame = [&*Header::new(Opcode::of(kind), key, size as u64).encode(), &body].concat();
    // An echo gets one message at a time, as in a conversation; otherwise a full buffer of them.
    let times = if work == Work::Echo { 1 } else { (128usize << 10).div_ceil(frame.len()) };
    let job = Job { work, role, kind, wire: frame.repeat(times), payload };
    Row { name, runs: CODECS.iter().map(|(codec, setup)| (*codec, setup(&job))).collect() }
}

fn masking(name: String, size: usize) -> Row {
    let data = payload(Kind::Binary, size).to_vec();
    let key = [0x12, 0xF3, 0x5A, 0x88];
    let run = |apply: fn([u8; 4], &mut [u8])| -> Run {
        let mut data = data.clone();
        Box::new(move |count| {
            for _ in 0..count {
                apply(black_box(key), black_box(&mut data));
            }
        })
    };
    Row {
        name,
        runs: vec![
            ("wsgrade-codec", run(|key, data| mask::apply(key, 0, data))),
            ("fastwebsockets", run(|key, data| fastwebsockets::unmask(data, key))),
        ],
    }
}

fn validating(name: String, size: usize) -> Row {
    let data = payload(Kind::Text, size);
    let run = |valid: fn(&[u8]) -> bool| -> Run {
        let data = data.clone();
        Box::new(move |count| {
            for _ in 0..count {
                assert!(valid(black_box(&data)));
            }
        })
    };
    Row {
        name,
        runs: vec![
            (
                "wsgrade-codec",
                run(|data| {
                    let mut validator = Validator::new();
                    validator.push(data).is_ok() && validator.finish().is_ok()
                }),
            ),
            // What tungstenite validates with.
            ("tungstenite", run(|data| std::str::from_utf8(data).is_ok())),
        ],
    }
}

/// Measures a row; gives it as a line of the table, in nanoseconds per message and as a factor of ours.
fn measure(Row { name, mut runs }: Row, rounds: usize) -> String {
    let counts: Vec<usize> = runs.iter_mut().map(|(_, run)| count_for_a_turn(run)).collect();
    let mut best = vec![f64::INFINITY; runs.len()];
    for _ in 0..rounds {
        for ((best, (_, run)), count) in best.iter_mut().zip(&mut runs).zip(&counts) {
            let start = Instant::now();
            run(*count);
            *best = best.min(start.elapsed().as_nanos() as f64 / *count as f64);
        }
    }
    let ours = best[0];
    let mut line = format!("| {name} |");
    for (codec, _) in CODECS {
        let place = runs.iter().position(|(name, _)| *name == codec);
        // Writing to a string does not fail.
        let _ = match place {
            None => write!(line, " |"),
            Some(0) => write!(line, " {} |", time(ours)),
            Some(at) => write!(line, " {} ({:.2}×) |", time(best[at]), best[at] / ours),
        };
    }
    let ahead = best[1..].iter().all(|theirs| *theirs > ours);
    let _ = write!(line, " {} |", if ahead { "yes" } else { "**no**" });
    line
}

/// How many messages take about a turn; warms everything up too. What took shortest of several tries counts, or a single
/// interruption would make the turns of one codec short and its clock coarse.
fn count_for_a_turn(run: &mut Run) -> usize {
    let mut count = 1;
    loop {
        let shortest = (0..4)
            .map(|_| {
                let start = Instant::now();
                run(count);
                start.elapsed()
            })
            .min()
            .unwrap_or_default();
        if shortest >= TURN / 8 {
            return (count as f64 * TURN.as_secs_f64() / shortest.as_secs_f64()).ceil() as usize;
        }
        count *= 2;
    }
}

fn time(nanoseconds: f64) -> String {
    if nanoseconds < 10_000.0 {
        format!("{nanoseconds:.1} ns")
    } else {
        format!("{:.1} µs", nanoseconds / 1000.0)
    }
}
