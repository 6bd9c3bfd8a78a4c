//! What is right for a peer, and what is not: for each of the rules one that is accepted, and one that is found wrong.

use std::time::Duration;

use wsgrade_cases::model::{
    By, DeflateWish, End, Ending, Expected, Frame, HeaderEdit, Length, Mask, Order, Outcome, Payload, Saw,
    Scenario, Step,
};
use wsgrade_codec::Role;
use wsgrade_codec::wire::{LengthForm, Opcode, Rsv};
use wsgrade_reports::record::{
    Behavior, ClosedHow, Direction, Entry, FrameInfo, MessageKind, PayloadInfo, Transcript, What,
};

use super::complete;
use crate::judge::judge;
use crate::plan::Plan;
use crate::signature::Signature;

// ---- scenarios ----

fn sketch(steps: Vec<Step>) -> Scenario {
    Scenario::uncatalogued("x", steps, Saw::Anything, Ending::ordinary())
}

fn of(steps: Vec<Step>) -> Scenario {
    complete(&sketch(steps), Role::Server)
}

/// With compression, in which our messages may refer to earlier ones in the largest window.
fn compressed(steps: Vec<Step>) -> Scenario {
    let mut sketch = sketch(steps);
    let known =
        DeflateWish { our_context_takeover: Some(true), our_window_bits: Some(15), ..DeflateWish::default() };
    sketch.opening.deflate = vec![known];
    complete(&sketch, Role::Server)
}

fn frame(opcode: Opcode, body: &[u8]) -> Frame {
    Frame::new(opcode, Payload::Hex(body.to_vec()))
}

fn text(body: &[u8]) -> Step {
    Step::Send(frame(Opcode::TEXT, body))
}

fn begun(body: &[u8]) -> Step {
    Step::Send(Frame { fin: false, ..frame(Opcode::TEXT, body) })
}

fn goes_on(body: &[u8]) -> Step {
    Step::Send(frame(Opcode::CONTINUATION, body))
}

fn ping(body: &[u8]) -> Step {
    Step::Send(frame(Opcode::PING, body))
}

fn close(code: u16) -> Step {
    Step::Send(frame(Opcode::CLOSE, &code.to_be_bytes()))
}

fn reserved() -> Step {
    Step::Send(frame(Opcode::from_first_byte(3), b""))
}

fn probe(mark: &str) -> Step {
    Step::Probe { mark: mark.to_owned() }
}

// ---- what a peer does ----

/// An answer.
fn got_text(body: &[u8]) -> What {
    What::Message { kind: MessageKind::Text, payload: PayloadInfo::of(body) }
}

fn a_frame(dir: Direction, opcode: u8, body: &[u8]) -> What {
    let close_code = match (opcode, body) {
        (8, [high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    };
    let frame = FrameInfo {
        opcode,
        fin: true,
        rsv: 0,
        mask: None,
        length_bytes: 1,
        declared: body.len() as u64,
        payload: PayloadInfo::of(body),
        close_code,
        chops: None,
        times: 1,
    };
    What::Frame { dir, frame }
}

fn pong(body: &[u8]) -> What {
    a_frame(Direction::Received, 0xA, body)
}

fn open(mark: &str) -> What {
    What::StillOpen { mark: mark.to_owned() }
}

/// We begin to close, and the peer answers with this code.
fn answers(code: u16) -> Vec<What> {
    let sent = a_frame(Direction::Sent, 8, &code.to_be_bytes());
    vec![sent, a_frame(Direction::Received, 8, &code.to_be_bytes()), What::EndOfStream]
}

/// We begin to close with 1000, and the peer answers with this code.
fn answers_with(code: u16) -> Vec<What> {
    let sent = a_frame(Direction::Sent, 8, &1000_u16.to_be_bytes());
    vec![sent, a_frame(Direction::Received, 8, &code.to_be_bytes()), What::EndOfStream]
}

/// The peer begins to close, with this code.
fn fails(code: u16) -> Vec<What> {
    let [sent, received] =
        [Direction::Sent, Direction::Received].map(|dir| a_frame(dir, 8, &code.to_be_bytes()));
    vec![received, sent, What::EndOfStream]
}

/// The peer has not failed the connection, and we have lost patience.
fn lives() -> Vec<What> {
    answers(1001)
}

fn stays() -> Vec<What> {
    vec![What::Closed { how: ClosedHow::GaveUp }]
}

fn played(scenario: &Scenario, answers: Vec<What>, end: Vec<What>) -> (Option<Signature>, Behavior) {
    let entry = |what| Entry { at_us: 0, step: None, prelude: false, what };
    let transcript = Transcript { entries: answers.into_iter().chain(end).map(entry).collect() };
    let role = *scenario.roles.first().expect("one at least");
    let plan = Plan::alone(scenario.clone());
    let judgement = judge(&plan, role, &transcript);
    (Signature::of(scenario, &judgement), judgement.behavior)
}

#[track_caller]
fn right(scenario: &Scenario, answers: Vec<What>, end: Vec<What>) {
    let (found, behavior) = played(scenario, answers, end);
    assert_eq!(found, None, "{:#?}", scenario.accept);
    assert!(behavior < Behavior::NonStrict, "{behavior}");
}

#[track_caller]
fn wrong(scenario: &Scenario, answers: Vec<What>, end: Vec<What>) {
    let (found, _) = played(scenario, answers, end);
    assert!(found.is_some(), "{:#?}", scenario.accept);
}

// ---- lawful conversations ----

#[test]
fn messages_come_back_in_order_and_whole() {
    let scenario = of(vec![text(b"a"), text(b"b")]);
    right(&scenario, vec![got_text(b"a"), got_text(b"b")], answers(1000));
    wrong(&scenario, vec![got_text(b"b"), got_text(b"a")], answers(1000));
    wrong(&scenario, vec![got_text(b"a")], answers(1000));
    wrong(&scenario, vec![got_text(b"a"), got_text(b"b"), got_text(b"b")], answers(1000));
    wrong(&scenario, vec![got_text(b"a"), got_text(b"B")], answers(1000));
    wrong(&scenario, vec![got_text(b"a")], fails(1002));
}

#[test]
fn pongs_may_overtake_and_the_last_may_stand_for_all() {
    let scenario = of(vec![text(b"a"), ping(b"1"), ping(b"2")]);
    right(&scenario, vec![pong(b"1"), got_text(b"a"), pong(b"2")], answers(1000));
    right(&scenario, vec![pong(b"1"), pong(b"2"), got_text(b"a")], answers(1000));
    right(&scenario, vec![got_text(b"a"), pong(b"2")], answers(1000));
    wrong(&scenario, vec![got_text(b"a"), pong(b"1")], answers(1000));
    wrong(&scenario, vec![got_text(b"a"), pong(b"2"), pong(b"1")], answers(1000));
    wrong(&scenario, vec![got_text(b"a")], answers(1000));
}

#[test]
fn the_pong_to_a_later_probe_may_stand_for_all() {
    let before = of(vec![ping(b"1"), probe("A")]);
    right(&before, vec![pong(b"1"), open("A")], answers(1000));
    right(&before, vec![open("A")], answers(1000));
    wrong(&before, vec![pong(b"1")], answers(1000));
    let behind = of(vec![probe("A"), ping(b"1")]);
    wrong(&behind, vec![open("A")], answers(1000));
}

#[test]
fn a_ping_within_a_message_is_to_be_answered_soon() {
    let scenario = of(vec![begun(b"a"), probe("A"), goes_on(b"b")]);
    right(&scenario, vec![open("A"), got_text(b"ab")], answers(1000));
    let (found, behavior) = played(&scenario, vec![got_text(b"ab")], answers(1000));
    assert!(found.is_some());
    // "It SHOULD respond with Pong frame as soon as is practical."
    assert_eq!(behavior, Behavior::NonStrict);
    let (_, behavior) = played(&scenario, vec![open("A")], answers(1000));
    assert_eq!(behavior, Behavior::Fail);
}

#[test]
fn a_big_message_may_be_too_big_and_a_small_one_may_not() {
    let sized = |len| Payload::Repeat { unit: b"a".to_vec(), len };
    let of_size = |len| of(vec![Step::Send(Frame::new(Opcode::BINARY, sized(len)))]);
    right(&of_size(65_536), vec![], fails(1009));
    wrong(&of_size(65_536), vec![], fails(1002));
    wrong(&of_size(4096), vec![], fails(1009));
    // Already by what came of it, and with our Close under way.
    let unfinished = Step::Send(Frame { fin: false, ..Frame::new(Opcode::TEXT, sized(65_536)) });
    right(&of(vec![unfinished.clone()]), vec![], fails(1009));
    let behind = of(vec![Step::Send(Frame::new(Opcode::BINARY, sized(65_536))), close(1000)]);
    right(&behind, vec![], answers_with(1009));
    right(&behind, vec![], fails(1009));
}

#[test]
fn what_is_not_whole_is_not_answered() {
    let message = of(vec![begun(b"a")]);
    right(&message, vec![], answers(1000));
    wrong(&message, vec![got_text(b"a")], answers(1000));
    // A Close within a message is answered, or taken for an error.
    right(&message, vec![], answers_with(1002));
    wrong(&message, vec![], answers_with(1011));
    let frame = of(vec![Step::Send(Frame {
        length: Length::Declared { value: 100, form: None },
        ..frame(Opcode::TEXT, b"a")
    })]);
    right(&frame, vec![], stays());
    right(&frame, vec![], fails(1009));
    wrong(&frame, vec![got_text(b"a")], stays());
}

#[test]
fn a_compressed_message_is_known_when_it_is_whole() {
    let first = Step::Send(Frame { fin: false, rsv: Rsv::RSV1, ..frame(Opcode::TEXT, b"\xf2\x48") });
    let scenario = compressed(vec![first.clone()]);
    right(&scenario, vec![], answers(1000));
    // What came of it may be no UTF-8, for all that we know.
    right(&scenario, vec![], fails(1007));
    right(&scenario, vec![], answers_with(1009));
    wrong(&scenario, vec![], fails(1011));
    wrong(&of(vec![begun(b"Hi")]), vec![], fails(1007));
    let behind = compressed(vec![first.clone(), reserved()]);
    right(&behind, vec![], fails(1002));
    right(&behind, vec![], fails(1007));
    wrong(&behind, vec![], lives());
    wrong(&of(vec![begun(b"Hi"), reserved()]), vec![], fails(1007));
    let closing = compressed(vec![first, close(1000)]);
    right(&closing, vec![], answers_with(1007));
    right(&closing, vec![], fails(1003));
    right(&closing, vec![], fails(1009));
    wrong(&closing, vec![], answers_with(1011));
}

#[test]
fn compressed_messages_are_what_they_inflate_to() {
    let hello = Step::Send(Frame { rsv: Rsv::RSV1, ..frame(Opcode::TEXT, b"\xf2\x48\xcd\xc9\xc9\x07\x00") });
    let scenario = compressed(vec![hello.clone()]);
    right(&scenario, vec![got_text(b"Hello")], answers(1000));
    wrong(&scenario, vec![], fails(1007));
    right(&scenario, vec![What::Declined { extension: "permessage-deflate".to_owned() }], answers(1000));
    let plain = of(vec![hello]);
    right(&plain, vec![], fails(1002));
    wrong(&plain, vec![got_text(b"Hello")], answers(1000));
}

/// A megabyte in a frame of one kilobyte.
#[test]
fn of_a_message_that_compression_made_small_nothing_is_asked() {
    let params = wsgrade_codec::deflate::Params::default();
    let inflates_to = |len: usize| {
        let mut compressor = wsgrade_codec::deflate::Compressor::new(&params, Role::Client);
        let data = compressor.message(&vec![b'a'; len]);
        compressed(vec![Step::Send(Frame { rsv: Rsv::RSV1, ..frame(Opcode::BINARY, &data) })])
    };
    let bomb = inflates_to(2 << 20);
    assert!(super::is_beyond_limits(&bomb));
    right(&bomb, vec![], answers_with(1009));
    right(&bomb, vec![], stays());
    let big = inflates_to(100_000);
    assert!(!super::is_beyond_limits(&big));
    right(&big, vec![], fails(1009));
    wrong(&big, vec![], stays());
}

// ---- ends ----

#[test]
fn a_close_is_answered_with_its_code_or_1000() {
    let scenario = of(vec![close(3000)]);
    right(&scenario, vec![], answers(3000));
    let ours = || a_frame(Direction::Sent, 8, &3000_u16.to_be_bytes());
    let with =
        |code: u16| vec![ours(), a_frame(Direction::Received, 8, &code.to_be_bytes()), What::EndOfStream];
    right(&scenario, vec![], with(1000));
    right(&scenario, vec![], vec![ours(), a_frame(Direction::Received, 8, b""), What::EndOfStream]);
    wrong(&scenario, vec![], with(1002));
    wrong(&scenario, vec![], vec![ours(), What::EndOfStream]);
    wrong(&scenario, vec![], vec![ours(), What::Closed { how: ClosedHow::GaveUp }]);
}

/// A message that was in fragments, and whole before the Close, excuses nothing.
#[test]
fn a_close_is_taken_for_an_error_only_within_a_message() {
    let before = of(vec![begun(b"a"), goes_on(b"b"), close(1000)]);
    wrong(&before, vec![got_text(b"ab")], answers_with(1002));
    let within = of(vec![begun(b"a"), close(1000)]);
    right(&within, vec![], answers_with(1002));
}

#[test]
fn what_comes_behind_a_close_is_discarded() {
    let scenario = of(vec![close(1000), text(b"a"), ping(b"1")]);
    right(&scenario, vec![], answers(1000));
    // TCP is reset where it ends with something unread, and takes the Close with it.
    let ours = || a_frame(Direction::Sent, 8, &1000_u16.to_be_bytes());
    right(&scenario, vec![], vec![ours(), What::Reset]);
    wrong(&scenario, vec![], vec![ours(), What::Closed { how: ClosedHow::GaveUp }]);
    wrong(&of(vec![close(1000)]), vec![], vec![ours(), What::Reset]);
    // Whatever it made of the code.
    right(&of(vec![close(1014), text(b"a")]), vec![], vec![ours(), What::Reset]);
    wrong(&of(vec![close(1014)]), vec![], vec![ours(), What::Reset]);
    wrong(
        &scenario,
        vec![],
        answers(1000).into_iter().take(2).chain([got_text(b"a"), What::EndOfStream]).collect(),
    );
    wrong(
        &scenario,
        vec![],
        answers(1000).into_iter().take(2).chain([pong(b"1"), What::EndOfStream]).collect(),
    );
}

#[test]
fn codes_that_are_newer_than_the_rfc_may_be_unknown() {
    right(&of(vec![close(1012)]), vec![], answers_with(1002));
    wrong(&of(vec![close(1011)]), vec![], answers_with(1002));
    // Nothing is said of codes from 5000 on but that no ranges have them; its own may not be such.
    right(&of(vec![close(5000)]), vec![], fails(1002));
    right(&of(vec![close(5000)]), vec![], answers_with(1000));
}

#[test]
fn where_we_end_tcp_nothing_is_asked_but_what_was_answered() {
    for end in [End::Half, End::Abort] {
        for before in [vec![text(b"a")], vec![text(b"a"), reserved()], vec![text(b"a"), close(1000)]] {
            let scenario = of(before.into_iter().chain([Step::End(end)]).collect());
            right(&scenario, vec![got_text(b"a")], vec![What::EndOfStream]);
            right(&scenario, vec![], vec![What::Reset]);
            right(&scenario, vec![got_text(b"a")], fails(1002));
        }
    }
    wrong(&of(vec![text(b"a"), Step::End(End::Half)]), vec![got_text(b"b")], vec![What::EndOfStream]);
}

// ---- breaches ----

/// Frames that no receiver may take, and the codes for them.
#[test]
fn a_breach_is_to_fail_the_connection_with_its_code() {
    let bad = |frame| of(vec![Step::Send(frame)]);
    let framing = [
        bad(frame(Opcode::from_first_byte(11), b"")),
        bad(Frame { rsv: Rsv::RSV3, ..frame(Opcode::TEXT, b"a") }),
        bad(Frame { rsv: Rsv::RSV1, ..frame(Opcode::TEXT, b"a") }),
        bad(Frame { mask: Mask::Wrong, ..frame(Opcode::TEXT, b"a") }),
        bad(frame(Opcode::CONTINUATION, b"a")),
        of(vec![begun(b"a"), text(b"b")]),
        bad(frame(Opcode::PING, &[b'a'; 126])),
        bad(Frame { fin: false, ..frame(Opcode::PING, b"") }),
        bad(frame(Opcode::CLOSE, &[3])),
        of(vec![close(1005)]),
        of(vec![close(999)]),
        of(vec![close(1016)]),
    ];
    for scenario in &framing {
        right(scenario, vec![], fails(1002));
        right(scenario, vec![], fails(1002).into_iter().take(1).chain([What::EndOfStream]).collect());
        wrong(scenario, vec![], fails(1003));
        wrong(scenario, vec![], lives());
        wrong(scenario, vec![got_text(b"a")], fails(1002));
    }
    let utf8 = bad(frame(Opcode::TEXT, b"\xff"));
    right(&utf8, vec![], fails(1007));
    wrong(&utf8, vec![], fails(1002));
    wrong(&utf8, vec![got_text(b"\xff")], answers(1000));
    let reason = bad(frame(Opcode::CLOSE, b"\x03\xe8\xff"));
    right(&reason, vec![], fails(1002));
    right(&reason, vec![], answers_with(1007));
    wrong(&reason, vec![], answers(1000));
}

#[test]
fn what_was_asked_before_a_breach_may_be_answered_and_what_comes_behind_may_not() {
    let scenario = of(vec![text(b"a"), ping(b"1"), reserved(), text(b"b"), ping(b"2")]);
    right(&scenario, vec![got_text(b"a"), pong(b"1")], fails(1002));
    right(&scenario, vec![pong(b"1"), got_text(b"a")], fails(1002));
    right(&scenario, vec![], fails(1002));
    wrong(&scenario, vec![got_text(b"b")], fails(1002));
    wrong(&scenario, vec![got_text(b"a"), pong(b"1"), pong(b"2")], fails(1002));
}

/// "an endpoint is to interpret a byte stream as UTF-8" (RFC 6455 8.1), and when it does is its own matter.
#[test]
fn content_may_be_looked_at_late_but_not_never() {
    let scenario = of(vec![text(b"\xff"), ping(b"1"), close(1000)]);
    right(&scenario, vec![], fails(1007));
    right(&scenario, vec![pong(b"1")], fails(1007));
    right(&scenario, vec![pong(b"1")], answers(1000));
    wrong(&scenario, vec![got_text(b"\xff"), pong(b"1")], answers(1000));
    wrong(&scenario, vec![], stays());
    // At the next breach, which it sees first.
    let another = of(vec![text(b"\xff"), reserved()]);
    right(&another, vec![], fails(1002));
    // A message that is never whole may never be looked at.
    let unfinished = of(vec![begun(b"\xff")]);
    right(&unfinished, vec![], answers(1000));
    right(&unfinished, vec![], fails(1007));
    wrong(&of(vec![text(b"\xff")]), vec![], lives());
}

/// A peer that looks at text when its application asks for it sees the first frame that it cannot take before that, however
/// many messages are no text.
#[test]
fn who_looks_late_sees_the_next_bad_frame_first_and_nothing_behind_it() {
    let scenario = of(vec![text(b"\xff"), text(b"\xff"), reserved()]);
    right(&scenario, vec![], fails(1007));
    right(&scenario, vec![], fails(1002));
    wrong(&scenario, vec![], fails(1003));
    wrong(&of(vec![text(b"\xff"), text(b"\xff")]), vec![], fails(1002));
    let damaged = || Step::Send(Frame { rsv: Rsv::RSV1, ..frame(Opcode::TEXT, b"\x07") });
    right(&compressed(vec![text(b"\xff"), damaged()]), vec![], fails(1003));
    let behind = compressed(vec![text(b"\xff"), reserved(), damaged()]);
    right(&behind, vec![], fails(1002));
    wrong(&behind, vec![], fails(1003));
}

/// Which of two breaches in one frame a peer tells is its own matter; of two frames it is the first.
#[test]
fn of_two_things_that_are_wrong_with_a_frame_either_may_be_told() {
    let both = of(vec![Step::Send(frame(Opcode::CLOSE, b"\x03\xe7\xff"))]);
    for code in [1002, 1007] {
        right(&both, vec![], fails(code));
        right(&both, vec![], answers_with(code));
    }
    wrong(&both, vec![], fails(1003));
    wrong(&both, vec![], answers(1000));
    wrong(&of(vec![close(999)]), vec![], answers_with(1007));
    let bits = |body: &[u8]| Step::Send(Frame { rsv: Rsv::RSV3, ..frame(Opcode::TEXT, body) });
    right(&of(vec![bits(b"\xff")]), vec![], fails(1007));
    wrong(&of(vec![bits(b"a")]), vec![], fails(1007));
    wrong(&of(vec![reserved(), text(b"\xff")]), vec![], fails(1007));
}

#[test]
fn so_many_pings_at_once_may_be_an_attack() {
    let pings = |times| vec![Step::Send(Frame { times, ..frame(Opcode::PING, b"") })];
    let flooded = of(pings(61));
    let pongs = |times| (0..times).map(|_| pong(b"")).collect::<Vec<_>>();
    let (ours, theirs) =
        (a_frame(Direction::Sent, 8, &1000_u16.to_be_bytes()), a_frame(Direction::Received, 8, b"\x03\xf0"));
    right(&flooded, pongs(61), answers(1000));
    right(&flooded, pongs(60), vec![ours, What::Reset]);
    right(&flooded, pongs(60), vec![What::Reset]);
    right(&flooded, vec![], vec![theirs, What::EndOfStream]);
    wrong(&flooded, pongs(60), fails(1002));
    wrong(&flooded, pongs(60), stays());
    wrong(&of(pings(32)), pongs(31), vec![What::Reset]);
    // Where each few are waited for there are never so many.
    let slow = (0..4).flat_map(|n| pings(16).into_iter().chain([probe(&n.to_string())])).collect();
    wrong(&of(slow), pongs(16), vec![What::Reset]);
    let ends = |role| {
        let (found, behavior) = played(&complete(&sketch(pings(61)), role), pongs(60), vec![What::Reset]);
        (found.is_some(), behavior)
    };
    assert_eq!(ends(Role::Server), (false, Behavior::Informational));
    assert_eq!(ends(Role::Client), (true, Behavior::NonStrict), "a client SHOULD NOT");
}

/// What goes wrong in a lawful conversation behind an odd request is put down to the request, a breach to the breach.
#[test]
fn the_main_rule_is_that_of_the_breach_where_there_is_one() {
    let main = |step| {
        let mut sketch = sketch(vec![step]);
        sketch.opening.headers =
            vec![HeaderEdit::Add("Origin".to_owned(), Payload::Text("https://other.example".to_owned()))];
        complete(&sketch, Role::Server).rules[0].to_string()
    };
    assert_eq!(main(text(b"a")), "rfc6455-4.2.1-origin");
    assert_eq!(main(reserved()), "rfc6455-5.2-reserved-opcode");
    assert_eq!(main(close(999)), "rfc6455-7.4.2-close-code-unused");
    let long = Frame { length: Length::Form(LengthForm::Bits16), ..frame(Opcode::TEXT, b"a") };
    assert_eq!(main(Step::Send(long)), "rfc6455-5.2-minimal-length");
}

#[test]
fn a_length_that_is_not_the_shortest_is_not_strict() {
    let long = Frame { length: Length::Form(LengthForm::Bits16), ..frame(Opcode::TEXT, b"a") };
    let scenario = of(vec![Step::Send(long)]);
    right(&scenario, vec![], fails(1002));
    let (found, behavior) = played(&scenario, vec![got_text(b"a")], answers(1000));
    assert!(found.is_some());
    assert_eq!(behavior, Behavior::NonStrict);
}

#[test]
fn the_top_bit_of_a_length_is_never_part_of_one() {
    let top = Length::Declared { value: 1 << 63 | 1, form: None };
    let scenario = of(vec![Step::Send(Frame { length: top, ..frame(Opcode::TEXT, b"a") })]);
    right(&scenario, vec![], fails(1002));
    right(&scenario, vec![], fails(1009));
    wrong(&scenario, vec![], fails(1007));
    wrong(&scenario, vec![got_text(b"a")], stays());
    assert_eq!(played(&scenario, vec![], stays()).1, Behavior::NonStrict);
}

/// Where inflaters differ nothing is asked, where they agree the connection is to be failed.
#[test]
fn damaged_data_is_refused_and_doubtful_data_is_as_the_peer_likes() {
    let of_data =
        |data: &[u8]| compressed(vec![Step::Send(Frame { rsv: Rsv::RSV1, ..frame(Opcode::TEXT, data) })]);
    let damaged = of_data(b"\x07");
    for code in [1002, 1003, 1007] {
        right(&damaged, vec![], fails(code));
    }
    wrong(&damaged, vec![], fails(1000));
    wrong(&damaged, vec![got_text(b"")], answers(1000));
    let cut = of_data(b"\xf2\x48\xcd");
    right(&cut, vec![], fails(1007));
    right(&cut, vec![got_text(b"He")], answers(1000));
}

// ---- the role, and what is written ----

#[test]
fn what_is_unlawful_depends_on_who_sends_it() {
    let masked =
        sketch(vec![Step::Send(Frame { mask: Mask::Key([1, 2, 3, 4]), ..frame(Opcode::TEXT, b"a") })]);
    let by = |role| complete(&masked, role).accept[0].ending.clone().map(|ending| ending.by);
    assert_eq!((by(Role::Server), by(Role::Client)), (Some(By::Us), Some(By::Peer)));
}

#[test]
fn what_a_scenario_said_before_is_not_looked_at() {
    let scenario = of(vec![text(b"a")]);
    let mut changed = scenario.clone();
    changed.accept[0].verdict = Outcome::Fail;
    changed.rules.clear();
    assert_eq!(complete(&changed, Role::Server), scenario);
    let events = vec![Expected::Text(Payload::Text("a".to_owned()))];
    assert_eq!(scenario.accept[0].saw, Saw::Events { events, order: Order::Apart });
}

#[test]
fn pauses_and_waits_ask_for_nothing() {
    let pause = Step::Pause { time: Duration::from_micros(1), mark: None };
    assert_eq!(of(vec![text(b"a"), pause]).accept, of(vec![text(b"a")]).accept);
}
