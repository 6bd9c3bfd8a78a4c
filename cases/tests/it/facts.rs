//! What Autobahn|Testsuite 0.8.2 was seen to send in its sections 9, 12 and 13, as a table of its own: sizes, kinds, cuts and
//! parameters of every case.

use std::collections::BTreeMap;

use wsgrade_cases::Catalogue;
use wsgrade_cases::model::{
    ChopAt, Corpus, DeflateWish, Exchange, Expected, Frame, Need, Opening, Outcome, Payload, Saw, Scenario,
    Source, Step,
};
use wsgrade_codec::Kind;
use wsgrade_codec::wire::Opcode;

fn group(group: &str) -> BTreeMap<String, &'static Scenario> {
    let all = Catalogue::embedded().scenarios().iter();
    let group = all.filter(|scenario| scenario.id.group() == group);
    group.map(|scenario| (scenario.id.to_string(), scenario)).collect()
}

/// What is looked at of a frame: opcode, FIN, unit, length, how often, the size of its writes.
type Sent = (Opcode, bool, Vec<u8>, u64, u32, Option<u32>);

fn sent(frame: &Frame) -> Sent {
    let (unit, len) = match &frame.payload {
        Payload::Repeat { unit, len } => (unit.clone(), *len),
        Payload::Text(_) | Payload::Hex(_) | Payload::Close { .. } | Payload::Join(_) => {
            panic!("{:?}", frame.payload)
        }
    };
    let chop = match frame.chop.at {
        ChopAt::Together => None,
        ChopAt::Every(size) => Some(size),
        ChopAt::Alone | ChopAt::Sizes(_) => panic!("{:?}", frame.chop),
    };
    let plain = Frame {
        fin: frame.fin,
        chop: frame.chop.clone(),
        times: frame.times,
        ..Frame::new(frame.opcode, frame.payload.clone())
    };
    assert_eq!(*frame, plain, "nothing else is out of the ordinary");
    (frame.opcode, frame.fin, unit, len, frame.times, chop)
}

#[test]
fn section_9() {
    let text = b"BAsd7&jh23".to_vec();
    let binary = vec![0x00, 0xfe, 0x23, 0xfa, 0xf0];
    let star = vec![0x2a];
    let mut expected: BTreeMap<String, Vec<Sent>> = BTreeMap::new();
    for (section, opcode, unit) in [("9.1", Opcode::TEXT, &text), ("9.2", Opcode::BINARY, &binary)] {
        let sizes = [65_536, 262_144, 1_048_576, 4_194_304, 8_388_608, 16_777_216];
        for (n, size) in (1..).zip(sizes) {
            expected.insert(format!("{section}.{n}"), vec![(opcode, true, unit.clone(), size, 1, None)]);
        }
    }
    for (section, opcode) in [("9.3", Opcode::TEXT), ("9.4", Opcode::BINARY)] {
        let cuts = [
            (64, 65_535),
            (256, 16_383),
            (1024, 4095),
            (4096, 1023),
            (16_384, 255),
            (65_536, 63),
            (262_144, 15),
            (1_048_576, 3),
        ];
        for (n, (size, more)) in (1..).zip(cuts) {
            let unit = if section == "9.4" && n == 1 { vec![0xfe] } else { star.clone() };
            let frames = vec![
                (opcode, false, unit.clone(), size, 1, None),
                (Opcode::CONTINUATION, false, unit.clone(), size, more, None),
                (Opcode::CONTINUATION, true, unit, 0, 1, None),
            ];
            expected.insert(format!("{section}.{n}"), frames);
        }
        expected.insert(format!("{section}.9"), vec![(opcode, true, star.clone(), 4_194_304, 1, None)]);
    }
    for (section, opcode, unit) in [("9.5", Opcode::TEXT, &text), ("9.6", Opcode::BINARY, &binary)] {
        for (n, chop) in (1..).zip([64, 128, 256, 512, 1024, 2048]) {
            let frame = (opcode, true, unit.clone(), 1_048_576, 1, Some(chop));
            expected.insert(format!("{section}.{n}"), vec![frame]);
        }
    }

    let mut cases = group("9");
    for (id, frames) in expected {
        let scenario = cases.remove(&id).unwrap_or_else(|| panic!("no {id}"));
        let steps: Vec<_> = scenario
            .steps
            .iter()
            .map(|step| match step {
                Step::Send(frame) => sent(frame),
                other => panic!("{id}: {other:?}"),
            })
            .collect();
        assert_eq!(steps, frames, "{id}");
    }
    for (section, kind, unit) in [("9.7", Kind::Text, 0x2a), ("9.8", Kind::Binary, 0xfe)] {
        for (n, size) in (1..).zip([0, 16, 64, 256, 1024, 4096]) {
            let id = format!("{section}.{n}");
            let scenario = cases.remove(&id).unwrap_or_else(|| panic!("no {id}"));
            let exchange = Exchange {
                kind,
                source: Source::Repeat(vec![unit]),
                size,
                messages: 1000,
                compressed: false,
                fragment: None,
                timed: true,
            };
            assert_eq!(scenario.steps, [Step::Exchange(exchange)], "{id}");
            assert!(scenario.is_timed());
        }
    }
    assert!(cases.is_empty(), "{:?}", cases.keys());
}

/// Sizes of messages and of frames, the same in all sections of 12 and 13.
const CUTS: [(u32, Option<u32>); 18] = [
    (16, None),
    (64, None),
    (256, None),
    (1024, None),
    (4096, None),
    (8192, None),
    (16_384, None),
    (32_768, None),
    (65_536, None),
    (131_072, None),
    (8192, Some(256)),
    (16_384, Some(256)),
    (32_768, Some(256)),
    (65_536, Some(256)),
    (131_072, Some(256)),
    (131_072, Some(1024)),
    (131_072, Some(4096)),
    (131_072, Some(32_768)),
];

fn compressed(sections: &[(&str, Kind, Corpus, &[DeflateWish])]) {
    let mut cases = group(sections[0].0.split('.').next().expect("a group"));
    for (section, kind, corpus, wishes) in sections {
        for (n, (size, fragment)) in (1..).zip(CUTS) {
            let id = format!("{section}.{n}");
            let scenario = cases.remove(&id).unwrap_or_else(|| panic!("no {id}"));
            let exchange = Exchange {
                kind: *kind,
                source: Source::Corpus(*corpus),
                size,
                messages: 1000,
                compressed: true,
                fragment,
                timed: false,
            };
            assert_eq!(scenario.steps, [Step::Exchange(exchange)], "{id}");
            assert_eq!(scenario.opening, Opening { deflate: wishes.to_vec(), ..Opening::default() }, "{id}");
            assert_eq!(
                scenario.needs.iter().copied().collect::<Vec<_>>(),
                [Need::Echo, Need::Deflate],
                "{id}"
            );
            assert_eq!(scenario.answers(), [Expected::Exchanged(1000)], "{id}");
            let verdicts: Vec<_> =
                scenario.accept.iter().map(|accept| (accept.verdict, &accept.saw)).collect();
            let declined = Saw::Events { events: vec![Expected::Declined], order: Default::default() };
            let nothing = Saw::Events { events: Vec::new(), order: Default::default() };
            let mut expected = vec![(Outcome::Pass, &Saw::Answers), (Outcome::Unimplemented, &declined)];
            // A peer may have a limit, but not one of a page.
            if size >= 8192 {
                expected.insert(1, (Outcome::Informational, &nothing));
            }
            assert_eq!(verdicts, expected, "{id}");
        }
    }
    assert!(cases.is_empty(), "{:?}", cases.keys());
}

#[test]
fn section_12() {
    let any = [DeflateWish::default()];
    compressed(&[
        ("12.1", Kind::Text, Corpus::Json, &any),
        ("12.2", Kind::Binary, Corpus::Bitmap, &any),
        ("12.3", Kind::Binary, Corpus::Prose, &any),
        ("12.4", Kind::Text, Corpus::Html, &any),
        ("12.5", Kind::Binary, Corpus::Document, &any),
    ]);
}

#[test]
fn section_13() {
    let wish = |no_context_takeover, max_window_bits| DeflateWish {
        no_context_takeover,
        max_window_bits,
        ..DeflateWish::default()
    };
    let wishes = [
        vec![wish(false, None)],
        vec![wish(true, None)],
        vec![wish(false, Some(9))],
        vec![wish(false, Some(15))],
        vec![wish(true, Some(9))],
        vec![wish(true, Some(15))],
        vec![wish(true, Some(9)), wish(true, None), wish(false, None)],
    ];
    let ids = ["13.1", "13.2", "13.3", "13.4", "13.5", "13.6", "13.7"];
    let sections: Vec<_> = ids
        .iter()
        .zip(&wishes)
        .map(|(id, wishes)| (*id, Kind::Text, Corpus::Json, wishes.as_slice()))
        .collect();
    compressed(&sections);
}
