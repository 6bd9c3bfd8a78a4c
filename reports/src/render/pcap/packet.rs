//! Packets: Ethernet, IPv4 and TCP around the bytes of one connection.

use crate::record::Direction;

/// Ethernet, IPv4 and TCP without options, in bytes.
pub(super) const HEADERS: usize = 14 + 20 + 20;
/// The most that a packet carries: the length of an IPv4 packet has 16 bits.
const MOST: u64 = u16::MAX as u64 - 40;
/// The port of whoever is the server.
const HTTP: u16 = 80;

/// What a capture file begins with.
pub(super) fn file_header() -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0xA1B2_C3D4_u32.to_le_bytes());
    out.extend_from_slice(&2_u16.to_le_bytes());
    out.extend_from_slice(&4_u16.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&262_144_u32.to_le_bytes());
    // Ethernet.
    out.extend_from_slice(&1_u32.to_le_bytes());
    out
}

/// The bits of a TCP header that say what a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    pub(super) const FIN: Self = Self(0x11);
    pub(super) const RST: Self = Self(0x14);
    const SYN: Self = Self(0x02);
    const SYN_ACK: Self = Self(0x12);
    const ACK: Self = Self(0x10);
    const DATA: Self = Self(0x18);

    /// SYN and FIN count as a byte each.
    fn counts(self) -> u32 {
        u32::from(self.0 & 0x03 != 0)
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug)]
struct End {
    mac: [u8; 6],
    address: [u8; 4],
    port: u16,
    /// The number of the next byte that it sends.
    next: u32,
    /// Whether it said that it sends no more.
    is_done: bool,
}

/// The two ends: ours, and that of the target.
#[derive(Debug)]
pub(super) struct Conversation {
    ours: End,
    theirs: End,
    we_dial: bool,
}

impl Conversation {
    /// With the n-th target, as connection number `number` of the file.
    pub(super) fn new(target: usize, number: usize, we_dial: bool) -> Self {
        let low = |number: usize| number.to_le_bytes()[0];
        // 16384 ports are for those who dial; then they come again.
        let dialler = 49_152 + u16::try_from(number % 16_384).expect("it is less than that");
        let end = |mac: u8, address, port, next| End {
            mac: [2, 0, 0, 0, 0, mac],
            address,
            port,
            next,
            is_done: false,
        };
        let (our_port, their_port) = if we_dial { (dialler, HTTP) } else { (HTTP, dialler) };
        Self {
            ours: end(1, [192, 0, 2, 1], our_port, 1_000),
            theirs: end(2, [198, 51, 100, low(target).wrapping_add(1)], their_port, 5_000),
            we_dial,
        }
    }
}

/// A connection that is written into a file.
pub(super) struct Stream<'a> {
    out: &'a mut Vec<u8>,
    ends: Conversation,
}

impl<'a> Stream<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>, ends: Conversation) -> Self {
        Self { out, ends }
    }

    /// The handshake of TCP.
    pub(super) fn open(&mut self, now: u64) {
        let (dials, answers) = match self.ends.we_dial {
            true => (Direction::Sent, Direction::Received),
            false => (Direction::Received, Direction::Sent),
        };
        self.packet(now, dials, Flags::SYN, &[], 0);
        self.packet(now, answers, Flags::SYN_ACK, &[], 0);
        self.packet(now, dials, Flags::ACK, &[], 0);
    }

    /// So many bytes, of which the first are known.
    pub(super) fn data(&mut self, now: u64, dir: Direction, mut known: &[u8], len: u64) {
        let mut left = len.max(known.len() as u64);
        while left > 0 {
            let size = left.min(MOST);
            let here = known.len().min(usize::try_from(size).unwrap_or(usize::MAX));
            let (bytes, rest) = known.split_at(here);
            self.packet(now, dir, Flags::DATA, bytes, size);
            known = rest;
            left -= size;
        }
    }

    /// The end of one side, or of both.
    pub(super) fn flag(&mut self, now: u64, dir: Direction, flags: Flags) {
        let end = match dir {
            Direction::Sent => &mut self.ends.ours,
            Direction::Received => &mut self.ends.theirs,
        };
        if !std::mem::replace(&mut end.is_done, true) {
            self.packet(now, dir, flags, &[], 0);
        }
    }

    /// A packet that carries `len` bytes, `len <= MOST`, of which these are known.
    fn packet(&mut self, now: u64, dir: Direction, flags: Flags, known: &[u8], len: u64) {
        let Conversation { ours, theirs, .. } = &mut self.ends;
        let (from, to) = match dir {
            Direction::Sent => (ours, theirs),
            Direction::Received => (theirs, ours),
        };
        let size = u16::try_from(len).expect("it is at most MOST");
        let ack = if flags == Flags::SYN { 0 } else { to.next };
        let tcp = tcp(from, to, ack, flags, known, size);
        let original = u32::from(size) + HEADERS as u32;
        let captured = (HEADERS + known.len()) as u32;
        let (seconds, micros) = (now / 1_000_000, now % 1_000_000);
        for number in [seconds as u32, micros as u32, captured, original] {
            self.out.extend_from_slice(&number.to_le_bytes());
        }
        self.out.extend_from_slice(&to.mac);
        self.out.extend_from_slice(&from.mac);
        self.out.extend_from_slice(&[0x08, 0x00]);
        self.out.extend_from_slice(&ip(from, to, size));
        self.out.extend_from_slice(&tcp);
        self.out.extend_from_slice(known);
        from.next = from.next.wrapping_add(u32::from(size)).wrapping_add(flags.counts());
    }
}

fn ip(from: &End, to: &End, size: u16) -> [u8; 20] {
    let mut header = [0; 20];
    // Version 4, five words of header.
    header[0] = 0x45;
    header[2..4].copy_from_slice(&(size + 40).to_be_bytes());
    // Not to be fragmented; a time to live; TCP.
    (header[6], header[8], header[9]) = (0x40, 64, 6);
    header[12..16].copy_from_slice(&from.address);
    header[16..20].copy_from_slice(&to.address);
    let sum = checksum(&[&header]);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    header
}

/// A packet's TCP header. Its checksum is right where all bytes are known; nobody can check that of a packet that was cut, and
/// there it is 0.
fn tcp(from: &End, to: &End, ack: u32, flags: Flags, known: &[u8], size: u16) -> [u8; 20] {
    let mut header = [0; 20];
    header[0..2].copy_from_slice(&from.port.to_be_bytes());
    header[2..4].copy_from_slice(&to.port.to_be_bytes());
    header[4..8].copy_from_slice(&from.next.to_be_bytes());
    header[8..12].copy_from_slice(&ack.to_be_bytes());
    // Five words of header; the largest window.
    (header[12], header[13]) = (0x50, flags.0);
    header[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    if known.len() == usize::from(size) {
        let [high, low] = (size + 20).to_be_bytes();
        let sum = checksum(&[&from.address, &to.address, &[0, 6, high, low], &header, known]);
        header[16..18].copy_from_slice(&sum.to_be_bytes());
    }
    header
}

/// The checksum of the Internet (RFC 1071). All parts but the last are of even length.
pub(super) fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let sum: u64 =
        words.map(|word| u64::from(u16::from_be_bytes([word[0], word.get(1).copied().unwrap_or(0)]))).sum();
    let mut sum = sum;
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).expect("it was folded")
}
