//! A small echo server on threads, sound unless told otherwise: what the cases of resilience are tested against on both
//! sides.
//!
//! `naive --port PORT [--fault FAULT]`

use std::hint::black_box;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use wsgrade_codec::handshake::{Agreement, Limits, RequestReader};

/// What it does that it should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// Reads one request after another, and accepts no other connection meanwhile.
    OneRequestAtATime,
    /// Serves nobody while a message is under way.
    OneMessageAtATime,
    /// Makes room for what a header declares, up to half a gigabyte.
    Allocates,
    /// Dies of a length above 32 bits.
    Dies,
    /// Keeps connections open that are gone.
    Leaks,
    /// Keeps a buffer of each connection that is gone.
    Hoards,
    /// Reads the end of a half-closed connection again and again.
    Spins,
    /// Compares each byte of a header with all that follow.
    Quadratic,
}

const FAULTS: [(&str, Fault); 9] = [
    ("none", Fault::None),
    ("one-request-at-a-time", Fault::OneRequestAtATime),
    ("one-message-at-a-time", Fault::OneMessageAtATime),
    ("allocates", Fault::Allocates),
    ("dies", Fault::Dies),
    ("leaks", Fault::Leaks),
    ("hoards", Fault::Hoards),
    ("spins", Fault::Spins),
    ("quadratic", Fault::Quadratic),
];

/// No message is larger.
const MOST: u64 = 32 << 20;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let option = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let port: u16 = option("--port").and_then(|port| port.parse().ok()).expect("--port PORT");
    let name = option("--fault").map_or("none", String::as_str);
    let (_, fault) = FAULTS.into_iter().find(|(known, _)| *known == name).expect("a known --fault");
    let turn = Arc::new(Mutex::new(()));
    for stream in TcpListener::bind(("0.0.0.0", port)).expect("a free port").incoming() {
        let Ok(mut stream) = stream else { continue };
        let turn = Arc::clone(&turn);
        if fault == Fault::OneRequestAtATime {
            let accepted = accept(&mut stream, fault);
            std::thread::spawn(move || accepted.and_then(|()| serve(stream, fault, &turn)));
        } else {
            std::thread::spawn(move || {
                accept(&mut stream, fault)?;
                serve(stream, fault, &turn)
            });
        }
    }
}

fn accept(stream: &mut TcpStream, fault: Fault) -> Result<()> {
    stream.set_nodelay(true)?;
    let bad = |reason: String| Error::new(ErrorKind::InvalidData, reason);
    let limits = Limits { max_bytes: 128 << 10, ..Limits::default() };
    let mut reader = RequestReader::new(limits);
    // Byte by byte: what follows the head is frames.
    let mut byte = [0];
    let (head, _) = loop {
        stream.read_exact(&mut byte)?;
        if let Some(request) = reader.push(&byte).map_err(|error| bad(error.to_string()))? {
            break request;
        }
    };
    if fault == Fault::Quadratic {
        // Long enough to be noticed, however it was built.
        (0..if cfg!(debug_assertions) { 1 } else { 8 }).for_each(|_| compare_all(&head.raw));
    }
    let request = head.validate().map_err(|error| bad(error.to_string()))?;
    let response = request.accept(&Agreement::default()).map_err(|error| bad(error.to_string()))?;
    stream.write_all(&response)
}

fn compare_all(bytes: &[u8]) {
    let mut alike = 0_u64;
    for (at, byte) in bytes.iter().enumerate() {
        alike += bytes[at..].iter().filter(|other| black_box(**other) == *byte).count() as u64;
    }
    black_box(alike);
}

fn serve(mut stream: TcpStream, fault: Fault, turn: &Mutex<()>) -> Result<()> {
    let ended = echo(&mut stream, fault, turn);
    match fault {
        Fault::Leaks => std::mem::forget(stream),
        Fault::Hoards => std::mem::forget(black_box(vec![1_u8; 64 << 10])),
        Fault::Spins => {
            let until = Instant::now() + Duration::from_secs(5);
            while Instant::now() < until && matches!(stream.read(&mut [0; 16]), Ok(0)) {}
        }
        Fault::None
        | Fault::OneRequestAtATime
        | Fault::OneMessageAtATime
        | Fault::Allocates
        | Fault::Dies
        | Fault::Quadratic => {}
    }
    ended
}

fn echo(stream: &mut TcpStream, fault: Fault, turn: &Mutex<()>) -> Result<()> {
    let mut message: Option<(u8, Vec<u8>)> = None;
    loop {
        let mut head = [0; 2];
        stream.read_exact(&mut head)?;
        let _turn = (fault == Fault::OneMessageAtATime).then(|| turn.lock());
        let declared = match head[1] & 0x7f {
            126 => u64::from(u16::from_be_bytes(array(stream)?)),
            127 => u64::from_be_bytes(array(stream)?),
            short => u64::from(short),
        };
        if fault == Fault::Dies && declared > u64::from(u32::MAX) {
            std::process::abort();
        }
        let room = (fault == Fault::Allocates).then(|| vec![1_u8; declared.min(512 << 20) as usize]);
        let so_far = message.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64);
        if declared.saturating_add(so_far) > MOST {
            black_box(&room);
            let _ = stream.write_all(&[0x88, 2, 3, 0xf1]);
            // Half a second of memory is long enough to be seen.
            std::thread::sleep(Duration::from_millis(if room.is_some() { 500 } else { 0 }));
            return Ok(());
        }
        let key: [u8; 4] = array(stream)?;
        let mut payload = Vec::new();
        Read::by_ref(stream).take(declared).read_to_end(&mut payload)?;
        if payload.len() as u64 != declared {
            return Ok(());
        }
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        match head[0] & 0xf {
            8 => {
                send(stream, 8, &payload[..payload.len().min(2)])?;
                return Ok(());
            }
            9 => send(stream, 10, &payload)?,
            10 => {}
            opcode => {
                let (_, all) = message.get_or_insert_with(|| (opcode, Vec::new()));
                all.extend(payload);
                if head[0] & 0x80 != 0
                    && let Some((opcode, all)) = message.take()
                {
                    send(stream, opcode, &all)?;
                }
            }
        }
    }
}

fn array<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn send(stream: &mut TcpStream, opcode: u8, payload: &[u8]) -> Result<()> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        len @ 0..126 => frame.push(len as u8),
        len @ 126..65_536 => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    stream.write_all(&frame)
}
