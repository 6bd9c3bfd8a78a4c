//! What the catalogue holds, as inputs of the targets: the frames of its cases, their heads, their payloads, their text.
//!
//! They are made when they are asked for, so they are never older than the catalogue; `examples/export-seeds.rs` writes them
//! to files. Those under `seeds/` are made by hand, and are those in which something was found.

mod heads;
mod traffic;

use std::collections::HashSet;

use wsgrade_cases::model::{Need, Payload, Role, Scenario, Step};
use wsgrade_cases::{Catalogue, catalogue, write};
use wsgrade_codec::wire::{Opcode, Rsv};

/// Inputs above this many bytes only slow a fuzzer down.
const LONGEST: usize = 4096;

/// The inputs for a target, each with a name; none for a target that nobody knows.
#[must_use]
pub fn exported(target: &str) -> Vec<(String, Vec<u8>)> {
    let all = Catalogue::embedded().scenarios();
    let mut found = match target {
        "decoder" => of_roles(all, |scenario, sender| {
            Some([&[flags(scenario, sender)], &traffic::wire(scenario, sender)?[..]].concat())
        }),
        "tungstenite" | "tokio_websockets" => of_roles(all, |scenario, sender| {
            let plain = !scenario.needs.contains(&Need::Deflate);
            let wire = traffic::wire(scenario, sender).filter(|_| plain)?;
            Some([&[flags(scenario, sender)], &wire[..]].concat())
        }),
        "endpoint" => of_roles(all, |scenario, sender| {
            let wire = traffic::wire(scenario, sender)?;
            let length = u16::try_from(wire.len()).ok()?.to_be_bytes();
            // The sender's peer; it receives, says something itself, and drains.
            let setup = [flags(scenario, sender), 0, 0x18];
            Some([&setup, &[6][..], &length, &wire, &[14, 0x00, 2, b'h', b'i', 3, 1, b'p', 11]].concat())
        }),
        "header" => of_roles(all, |scenario, sender| {
            let mut wire = traffic::wire(scenario, sender)?;
            wire.truncate(40);
            Some(wire)
        }),
        "pair" => of_each(all, traffic::pair),
        "utf8" => payloads(all, Opcode::TEXT, |payload| [&[0, 0], payload].concat()),
        "deflate" => deflate(all),
        "handshake" => heads::all(all),
        "cases" => cases(all),
        "judge" => judge(all.len()),
        "scenario" => scenarios(all.len()),
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    found.retain(|(_, bytes)| bytes.len() <= LONGEST && seen.insert(bytes.clone()));
    found
}

/// The first byte of `decoder` and `endpoint`, which mean the same by their lowest two bits.
fn flags(scenario: &Scenario, sender: Role) -> u8 {
    let server = match sender {
        Role::Client => 0,
        Role::Server => 1,
    };
    server | u8::from(scenario.needs.contains(&Need::Deflate)) << 1
}

type Seeds = Vec<(String, Vec<u8>)>;

fn of_each(all: &[Scenario], make: impl Fn(&Scenario) -> Option<Vec<u8>>) -> Seeds {
    all.iter().filter_map(|scenario| Some((scenario.id.to_string(), make(scenario)?))).collect()
}

/// As a client, and as a server, as far as the case is played so.
fn of_roles(all: &[Scenario], make: impl Fn(&Scenario, Role) -> Option<Vec<u8>>) -> Seeds {
    let both = all.iter().flat_map(|scenario| scenario.roles.iter().map(move |role| (scenario, role.peer())));
    both.filter_map(|(scenario, sender)| {
        Some((format!("{}-by-{sender}", scenario.id), make(scenario, sender)?))
    })
    .collect()
}

/// The payloads of frames with this opcode, each message whole.
fn payloads(all: &[Scenario], opcode: Opcode, make: impl Fn(&[u8]) -> Vec<u8>) -> Seeds {
    of_each(all, |scenario| {
        let mut frames = traffic::frames(scenario).skip_while(|frame| frame.opcode != opcode);
        let mut bytes = short(&frames.next()?.payload)?;
        for more in frames.take_while(|frame| frame.opcode == Opcode::CONTINUATION) {
            bytes.extend(short(&more.payload)?);
        }
        Some(make(&bytes))
    })
}

/// Its bytes, where they are few.
fn short(payload: &Payload) -> Option<Vec<u8>> {
    (payload.len() <= LONGEST as u64).then(|| payload.to_bytes())
}

/// Compressed payloads to inflate, and others to compress.
fn deflate(all: &[Scenario]) -> Seeds {
    let mut found = of_each(all, |scenario| {
        let compressed: Vec<_> =
            traffic::frames(scenario).filter(|frame| frame.rsv.contains(Rsv::RSV1)).collect();
        let mut input = vec![8, 0, 0];
        for frame in &compressed {
            let payload = short(&frame.payload)?;
            input.extend(u16::try_from(payload.len()).ok()?.to_be_bytes());
            input.extend(payload);
        }
        (!compressed.is_empty()).then_some(input)
    });
    let mut windows = 0_u8;
    found.extend(payloads(all, Opcode::BINARY, |payload| {
        let mut input = vec![0, 0, 6];
        for piece in payload.chunks(0xef) {
            input.extend([1, piece.len() as u8]);
            input.extend(piece);
        }
        input
    }));
    for (_, input) in &mut found {
        windows = windows.wrapping_add(9);
        input[1] = windows;
    }
    found
}

/// Every table of the catalogue's files by itself, families among them, and cases as they are written.
fn cases(all: &[Scenario]) -> Seeds {
    let mut found = Seeds::new();
    for (name, text) in catalogue::FILES {
        for (at, table) in text.split("\n[[").enumerate() {
            let open = if at == 0 { "" } else { "[[" };
            found.push((format!("{name}-{at}"), format!("\0{open}{table}\n").into_bytes()));
        }
    }
    let written = all.iter().step_by(11).map(|scenario| {
        (format!("written-{}", scenario.id), format!("\0{}", write::scenario(scenario)).into_bytes())
    });
    found.extend(written);
    found
}

/// Cases by their number, with any transcript.
fn judge(count: usize) -> Seeds {
    let input = |at: usize| {
        let mut state = at as u32 + 1;
        let random = std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let number = u16::try_from(at).unwrap_or(u16::MAX).to_be_bytes();
        let mut input = vec![1, number[0], number[1]];
        input.extend(random.take(400));
        (format!("case-{at}"), input)
    };
    (0..count).step_by(5).map(input).collect()
}

/// Pairs of cases, in each role, and nothing but bytes.
fn scenarios(count: usize) -> Seeds {
    let number = |at: usize| u16::try_from(at % count).unwrap_or_default().to_be_bytes();
    let input = |at: usize| {
        let flags = u8::try_from(at % 16).unwrap_or_default();
        let [[a, b], [c, d]] = [number(at), number(at * 7)];
        let bytes =
            std::iter::successors(Some(at as u8), |byte| Some(byte.wrapping_mul(77).wrapping_add(41)));
        (format!("pair-{at}"), [flags, a, b, c, d].into_iter().chain(bytes.take(120)).collect())
    };
    (0..count).step_by(3).map(input).collect()
}

/// The steps that send frames.
fn frame_of(step: &Step) -> Option<&wsgrade_cases::model::Frame> {
    match step {
        Step::Send(frame) => Some(frame),
        Step::More { .. }
        | Step::Raw { .. }
        | Step::Await { .. }
        | Step::Probe { .. }
        | Step::Pause { .. }
        | Step::Exchange(_)
        | Step::Read(_)
        | Step::Hold { .. }
        | Step::End(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_codec::handshake::{Limits, RequestReader, ResponseReader};

    use super::*;
    use crate::handshake::{asked, hello};

    fn case(id: &str) -> &'static Scenario {
        Catalogue::embedded().get(&id.parse().expect("an id")).expect("a case")
    }

    #[test]
    fn a_case_is_on_the_wire_as_its_sender_writes_it() {
        let text = case("1.1.2");
        let payload = traffic::frames(text).next().expect("a frame").payload.to_bytes();
        let from_server = [&[0x81, payload.len() as u8], &payload[..]].concat();
        assert_eq!(traffic::wire(text, Role::Server), Some(from_server));
        let from_client = traffic::wire(text, Role::Client).expect("short");
        assert_eq!(from_client.len(), 6 + payload.len());
        assert_eq!(from_client[1], 0x80 | payload.len() as u8);
        assert_eq!(traffic::wire(case("9.1.6"), Role::Client), None, "megabytes");
    }

    #[test]
    fn ordinary_heads_are_taken() {
        let ordinary = wsgrade_cases::model::Opening::default();
        let request = heads::request(&ordinary).expect("a head");
        let read = RequestReader::new(Limits::default()).push(&request).expect("HTTP").expect("whole");
        assert_eq!(read.0.validate().map(|request| request.key), Ok(hello().key()));
        let response = heads::response(&ordinary).expect("a head");
        let read = ResponseReader::new(Limits::default()).push(&response).expect("HTTP").expect("whole");
        assert!(read.0.validate(&hello()).is_ok());
        assert_eq!(wsgrade_codec::check::opening::response(&read.0, &asked(&hello())), []);
    }

    #[test]
    fn inputs_are_short_and_each_there_once() {
        for target in crate::TARGETS {
            let all = exported(target.name);
            let distinct: HashSet<_> = all.iter().map(|(_, bytes)| bytes).collect();
            assert!(!all.is_empty() && distinct.len() == all.len(), "{}", target.name);
            assert!(all.iter().all(|(_, bytes)| bytes.len() <= LONGEST), "{}", target.name);
        }
        assert!(exported("nobody").is_empty());
    }
}
