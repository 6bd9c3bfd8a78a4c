//! Exchanges: what their messages are, and what less depth makes of them.

use quickcheck::{Arbitrary, Gen, quickcheck};
use wsgrade_cases::describe;
use wsgrade_cases::model::{Corpus, Exchange, Expected, Payload, Saw, Scenario, Source};
use wsgrade_codec::Kind;

use crate::{arbitrary, case, one, with_steps};

/// An exchange of messages that are quickly made.
#[derive(Clone, Debug)]
struct Short(Exchange);

impl Arbitrary for Short {
    fn arbitrary(g: &mut Gen) -> Self {
        let exchange = arbitrary::exchange(g);
        let size = *g.choose(&[0, 1, 3, 16, 64, 1000, 4096, 131_072]).expect("never empty");
        Self(Exchange { size, ..exchange })
    }
}

quickcheck! {
    fn messages_come_again_after_a_cycle(short: Short, k: u32) -> bool {
        let exchange = short.0;
        let cycle = exchange.cycle();
        let k = k % exchange.messages;
        let again = k + cycle;
        (1..=exchange.messages).contains(&cycle)
            && (again >= exchange.messages || exchange.message(k) == exchange.message(again))
    }

    fn the_next_message_goes_on_where_the_one_before_it_ended(which: usize, size: u16, k: u16) -> bool {
        let corpus = Corpus::ALL[which % Corpus::ALL.len()];
        let size = u32::from(size);
        let exchange = exchange(Source::Corpus(corpus), Kind::Binary, size);
        let both = [exchange.message(k.into()), exchange.message(u32::from(k) + 1)].concat();
        both == *corpus.bytes(u64::from(size) * u64::from(k), 2 * size)
    }
}

fn exchange(source: Source, kind: Kind, size: u32) -> Exchange {
    Exchange { kind, source, size, messages: 1000, compressed: false, fragment: None, timed: false }
}

#[test]
fn the_first_message_comes_again_when_the_corpus_is_through() {
    let cycle = |size| exchange(Source::Corpus(Corpus::Json), Kind::Text, size).cycle();
    assert_eq!(cycle(131_072), 8);
    assert_eq!(cycle(4096), 256);
    assert_eq!(cycle(1000), 1000, "no more than there are");
    assert_eq!(cycle(0), 1);
    assert_eq!(exchange(Source::Repeat(b"ab".to_vec()), Kind::Text, 7).cycle(), 1);
}

/// What the catalogue cuts its messages from is cut by so many units that large ones repeat early.
#[test]
fn large_messages_of_the_catalogue_repeat_early() {
    for (corpus, kind) in [
        (Corpus::Json, Kind::Text),
        (Corpus::Bitmap, Kind::Binary),
        (Corpus::Prose, Kind::Binary),
        (Corpus::Html, Kind::Text),
        (Corpus::Document, Kind::Binary),
    ] {
        assert_eq!(exchange(Source::Corpus(corpus), kind, 131_072).cycle(), 8, "{corpus:?}");
    }
}

#[test]
fn texts_are_cut_by_code_points_and_all_else_by_bytes() {
    let text = exchange(Source::Corpus(Corpus::Prose), Kind::Text, 100).message(3);
    let text = std::str::from_utf8(&text).expect("cut between characters");
    assert_eq!(text.chars().count(), 100);
    assert!(text.len() > 100);
    assert_eq!(exchange(Source::Corpus(Corpus::Prose), Kind::Binary, 100).message(3).len(), 100);
    let repeat = exchange(Source::Repeat(b"abc".to_vec()), Kind::Text, 7);
    assert_eq!(*repeat.message(0), *b"abcabca");
    assert_eq!(repeat.message(999), repeat.message(0));
}

// ---- depth ----

const TWO: &str = r#"needs = ["echo"]
    steps = [
      { exchange = "text", repeat = "61", size = 1, messages = 500 },
      { send = "ping" },
      { exchange = "text", repeat = "62", size = 1, messages = 200, timed = true },
    ]
    accept = [
      { verdict = "pass", saw = "answers" },
      { verdict = "informational", saw = [{ exchanged = 500 }, { pong = "" }, { exchanged = 200 }], order = "any" },
    ]"#;

fn lengths(scenario: &Scenario) -> Vec<u32> {
    scenario.exchanges().map(|exchange| exchange.messages).collect()
}

#[test]
fn less_depth_cuts_what_is_not_timed_and_what_is_expected_of_it() {
    let scenario = one(&case(TWO));
    let cut = scenario.at_depth(20);
    assert_eq!(lengths(&cut), [20, 200]);
    let pong = Expected::Pong(Payload::default());
    assert_eq!(cut.answers(), [Expected::Exchanged(20), pong, Expected::Exchanged(200)]);
    let Saw::Events { events, .. } = &cut.accept[1].saw else { panic!("{:?}", cut.accept) };
    let lines: Vec<_> = events.iter().map(describe::expected).collect();
    assert_eq!(lines, ["20 messages exchanged", "pong, empty", "200 messages exchanged"]);
}

#[test]
fn more_depth_than_there_is_changes_nothing_and_none_is_one() {
    let scenario = one(&case(TWO));
    assert_eq!(scenario.at_depth(500), scenario);
    assert_eq!(scenario.at_depth(u32::MAX), scenario);
    assert_eq!(lengths(&scenario.at_depth(0)), [1, 200]);
    let without = with_steps("{ send = \"ping\" }");
    assert_eq!(without.at_depth(1), without);
}

#[test]
fn a_case_is_timed_by_any_of_its_exchanges() {
    assert!(one(&case(TWO)).is_timed());
    assert!(!with_steps("{ exchange = \"text\", repeat = \"61\", size = 1, messages = 5 }").is_timed());
    assert!(!with_steps("{ send = \"ping\" }").is_timed());
}

// ---- messages of many alike fragments ----

fn answer(steps: &str) -> Payload {
    let mut answers = with_steps(steps).answers();
    assert_eq!(answers.len(), 1);
    match answers.remove(0) {
        Expected::Text(payload) | Expected::Binary(payload) => payload,
        other => panic!("{other:?}"),
    }
}

#[test]
fn alike_fragments_are_one_payload() {
    let whole = |unit: &[u8], len| Payload::Repeat { unit: unit.to_vec(), len };
    let star = r#"{ send = "text", repeat = "2a", len = 4194304, fragment = 64 }"#;
    assert_eq!(answer(star), whole(b"*", 4_194_304));
    // A unit goes on across the border of two fragments.
    let cut = r#"{ send = "text", repeat = "616263", len = 10, fragment = 4 }"#;
    assert_eq!(answer(cut), whole(b"abc", 10));
    let rows =
        r#"{ send = "text", repeat = "6162", len = 4, fin = false, times = 3 }, { send = "continuation" }"#;
    assert_eq!(answer(rows), whole(b"ab", 12));
}

#[test]
fn other_fragments_are_joined_in_order() {
    let odd = r#"{ send = "text", repeat = "6162", len = 3, fin = false, times = 2 }, { send = "continuation", text = "c" }"#;
    assert_eq!(answer(odd).to_bytes(), b"abaabac");
    let other = r#"{ send = "text", repeat = "61", len = 2, fin = false }, { send = "continuation", repeat = "62", len = 2 }"#;
    assert_eq!(answer(other).to_bytes(), b"aabb");
    let texts =
        r#"{ send = "text", text = "a", fin = false, times = 3 }, { send = "continuation", text = "" }"#;
    assert_eq!(answer(texts).to_bytes(), b"aaa");
    let empty = r#"{ send = "text", fin = false, times = 3 }, { send = "continuation", text = "z" }"#;
    assert_eq!(answer(empty), Payload::Text("z".to_owned()));
}

quickcheck! {
    fn fragments_have_the_bytes_of_the_whole(unit: Vec<u8>, len: u16, size: u8) -> bool {
        let unit = if unit.is_empty() { "00".to_owned() } else { unit.iter().map(|b| format!("{b:02x}")).collect() };
        let whole = format!("{{ send = \"binary\", repeat = \"{unit}\", len = {len} }}");
        let cut = whole.replace(" }", &format!(", fragment = {} }}", u32::from(size) + 1));
        answer(&whole).to_bytes() == answer(&cut).to_bytes()
    }
}
