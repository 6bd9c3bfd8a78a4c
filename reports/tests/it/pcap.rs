//! The capture file, read packet by packet.

use wsgrade_reports::record::{
    ClosedHow, Direction, Entry, FrameInfo, HttpMessage, PayloadInfo, Role, RunReport, Transcript, What,
};
use wsgrade_reports::render;

use crate::sample;

/// A packet as a reader of such files has it.
struct Packet {
    /// In microseconds.
    at: u64,
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    seq: u32,
    ack: u32,
    flags: u8,
    /// As much as was captured.
    data: Vec<u8>,
    /// How much there was.
    len: u32,
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;

fn be16(bytes: &[u8]) -> u16 {
    u16::from_be_bytes(bytes.try_into().unwrap())
}

fn be32(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().unwrap())
}

/// The sum of 16-bit words that is `0xFFFF` where a checksum is right.
fn sum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|word| u32::from(word[0]) << 8 | word.get(1).map_or(0, |low| u32::from(*low)));
    words
        .fold(0_u32, |sum, word| (sum + word) % 0xFFFF)
        .try_into()
        .map(|sum: u16| if sum == 0 { 0xFFFF } else { sum })
        .unwrap()
}

/// Reads a file, and looks at every length and checksum.
fn packets(file: &[u8]) -> Vec<Packet> {
    let le32 = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    assert_eq!(&file[..24], b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0");
    let mut rest = &file[24..];
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let (head, behind) = rest.split_at(16);
        let (captured, original) = (le32(&head[8..12]), le32(&head[12..16]));
        let (bytes, behind) = behind.split_at(captured as usize);
        rest = behind;
        let (ethernet, ip, tcp, data) = (&bytes[..14], &bytes[14..34], &bytes[34..54], &bytes[54..]);
        assert_eq!((&ethernet[12..], ip[0], ip[9], tcp[12]), (&[8, 0][..], 0x45, 6, 0x50));
        assert_eq!(u32::from(be16(&ip[2..4])), original - 14);
        assert_eq!(sum(ip), 0xFFFF, "the checksum of IP");
        let mut pseudo = [&ip[12..20], &[0, 6][..]].concat();
        pseudo.extend_from_slice(&u16::try_from(original - 34).unwrap().to_be_bytes());
        if captured == original {
            assert_eq!(sum(&[&pseudo, &bytes[34..]].concat()), 0xFFFF, "the checksum of TCP");
        } else {
            assert!(captured < original);
            assert_eq!(&tcp[16..18], [0, 0], "nobody can check it");
        }
        packets.push(Packet {
            at: u64::from(le32(&head[..4])) * 1_000_000 + u64::from(le32(&head[4..8])),
            from: (ip[12..16].try_into().unwrap(), be16(&tcp[..2])),
            to: (ip[16..20].try_into().unwrap(), be16(&tcp[2..4])),
            seq: be32(&tcp[4..8]),
            ack: be32(&tcp[8..12]),
            flags: tcp[13],
            data: data.to_vec(),
            len: original - 54,
        });
    }
    packets
}

/// Whether the numbers of each side go on without gaps, and acknowledge all that the other sent.
fn check_numbers(packets: &[Packet]) {
    let mut next = std::collections::BTreeMap::new();
    for packet in packets {
        let key = (packet.from, packet.to);
        if packet.flags & SYN != 0 {
            next.insert(key, packet.seq);
        }
        assert_eq!(next.get(&key), Some(&packet.seq));
        next.insert(key, packet.seq + packet.len + u32::from(packet.flags & (SYN | FIN) != 0));
        if packet.flags != SYN {
            assert_eq!(next.get(&(packet.to, packet.from)), Some(&packet.ack));
        }
    }
}

fn entry(at_us: u64, what: What) -> Entry {
    Entry { at_us, step: None, prelude: false, what }
}

fn http(dir: Direction, line: &str) -> What {
    let lines = vec![line.to_owned(), "Upgrade: websocket".to_owned()];
    let bytes = lines.join("\r\n").len() as u64 + 4;
    What::Http { dir, message: HttpMessage { lines, bytes } }
}

fn frame(payload: &[u8], mask: Option<&str>, length_bytes: u8) -> FrameInfo {
    FrameInfo {
        opcode: 1,
        fin: true,
        rsv: 4,
        mask: mask.map(str::to_owned),
        length_bytes,
        declared: payload.len() as u64,
        payload: PayloadInfo::of(payload),
        close_code: None,
        chops: None,
        times: 1,
    }
}

/// One case, in which these came between the opening and the end.
fn played(between: Vec<What>, end: What) -> RunReport {
    let mut report = sample::small();
    report.started = "2024-02-29T23:59:59Z".to_owned();
    report.targets.truncate(1);
    report.targets[0].cases.truncate(1);
    let mut entries = vec![
        entry(0, What::Connected),
        entry(10, http(Direction::Sent, "GET / HTTP/1.1")),
        entry(20, http(Direction::Received, "HTTP/1.1 101 Switching Protocols")),
    ];
    entries.extend(between.into_iter().map(|what| entry(30, what)));
    entries.push(entry(40, end));
    report.targets[0].cases[0].transcript = Transcript { entries };
    report
}

#[test]
fn a_conversation() {
    let sent = frame(b"Hello", Some("37fa213d"), 0);
    let back = frame(b"Hello", None, 0);
    let report = played(
        vec![
            What::Frame { dir: Direction::Sent, frame: sent },
            What::Frame { dir: Direction::Received, frame: back },
            What::EndOfStream,
        ],
        What::Closed { how: ClosedHow::Normal },
    );
    let packets = packets(&render::pcap::render(&report));
    check_numbers(&packets);
    let flags: Vec<_> = packets.iter().map(|packet| packet.flags).collect();
    assert_eq!(flags, [0x02, 0x12, 0x10, 0x18, 0x18, 0x18, 0x18, 0x11, 0x11]);
    let (us, them) = (([192, 0, 2, 1], 49_152), ([198, 51, 100, 1], 80));
    assert!(packets.iter().all(|packet| [(us, them), (them, us)].contains(&(packet.from, packet.to))));
    assert_eq!((packets[0].from, packets[1].from, packets[7].from), (us, them, them));
    assert_eq!(packets[3].data, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(packets[4].data, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    // RFC 6455 5.7, but for RSV1.
    assert_eq!(packets[5].data, b"\xc1\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert_eq!(packets[6].data, b"\xc1\x05Hello");
    // 1709251199 is what `date -d 2024-02-29T23:59:59Z +%s` says.
    let times: Vec<_> = packets.iter().map(|packet| packet.at - 1_709_251_199_000_000).collect();
    assert_eq!(times, [0, 0, 0, 10, 20, 30, 30, 30, 40]);
}

#[test]
fn a_client_dials_and_a_reset_ends_it() {
    let mut report = played(Vec::new(), What::Closed { how: ClosedHow::Abort });
    report.targets[0].cases[0].role = Role::Client;
    let packets = packets(&render::pcap::render(&report));
    check_numbers(&packets);
    let (us, them) = (([192, 0, 2, 1], 80), ([198, 51, 100, 1], 49_152));
    assert_eq!((packets[0].from, packets[0].flags), (them, SYN));
    let last = packets.last().unwrap();
    assert_eq!((last.from, last.flags & RST), (us, RST));
}

/// The beginning is there, and the packet says how long it was.
#[test]
fn what_the_record_does_not_hold_is_cut() {
    let long = frame(&[b'*'; 70_000], None, 8);
    let row = FrameInfo { times: 3, ..frame(&[7; 200], None, 2) };
    let report = played(
        vec![
            What::Frame { dir: Direction::Sent, frame: long },
            What::Frame { dir: Direction::Received, frame: row },
        ],
        What::Reset,
    );
    let packets = packets(&render::pcap::render(&report));
    check_numbers(&packets);
    let data: Vec<_> = packets[5..].iter().map(|packet| (packet.data.len(), packet.len)).collect();
    assert_eq!(data, [(74, 65_495), (0, 70_010 - 65_495), (204, 204), (0, 408), (0, 0)]);
    assert!(packets[5].data.starts_with(b"\xc1\x7f\0\0\0\0\0\x01\x11\x70**"));
    assert!(packets[7].data.starts_with(b"\xc1\x7e\0\xc8\x07"));
}

#[test]
fn every_record_is_a_stream_in_their_order() {
    let report = sample::large(2, 30, 3);
    let packets = packets(&render::pcap::render(&report));
    check_numbers(&packets);
    assert!(packets.is_sorted_by_key(|packet| packet.at));
    let ports: Vec<_> =
        packets.iter().filter(|packet| packet.flags == SYN).map(|packet| packet.from.1).collect();
    let played = report.targets.iter().flat_map(|target| &target.cases);
    let played = played.filter(|record| !record.transcript.entries.is_empty()).count();
    assert!(played > 30 && ports.len() == played, "{} of {played}", ports.len());
    assert!(ports.windows(2).all(|two| two[1] == two[0] + 1));
}

#[test]
fn a_hostile_record_makes_a_file_all_the_same() {
    let odd = FrameInfo { opcode: 0xFF, rsv: 0xFF, mask: Some("zz".to_owned()), ..frame(b"x", None, 9) };
    let mut report = played(vec![What::Frame { dir: Direction::Sent, frame: odd }], What::EndOfStream);
    report.started = "some day".to_owned();
    let packets = packets(&render::pcap::render(&report));
    check_numbers(&packets);
    assert_eq!((packets[0].at, packets[5].data.as_slice()), (0, &b"\xff\x81x"[..]));
}
