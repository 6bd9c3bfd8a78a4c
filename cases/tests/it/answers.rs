//! What a conforming echo answers.

use wsgrade_cases::describe::expected;

use crate::with_steps;

fn answers(steps: &str) -> Vec<String> {
    with_steps(steps).answers().iter().map(expected).collect()
}

#[test]
fn messages_come_back_in_their_own_kind() {
    let seen = answers(r#"{ send = "text", text = "a" }, { send = "binary", hex = "00" }"#);
    assert_eq!(seen, [r#"text, 1 byte "a""#, "binary, 1 byte 00"]);
}

#[test]
fn a_message_comes_back_with_its_last_fragment_and_pings_before_it() {
    let seen = answers(
        r#"{ send = "binary", text = "a", fin = false }, { send = "ping", text = "p" },
           { send = "continuation", text = "b", fin = false }, { send = "continuation", text = "c" }"#,
    );
    assert_eq!(seen, [r#"pong, 1 byte "p""#, r#"binary, 3 bytes "abc""#]);
}

#[test]
fn pongs_and_closes_and_unfinished_messages_want_no_answer() {
    assert!(
        answers(r#"{ send = "pong" }, { send = "text", text = "a", fin = false }, { send = "close" }"#)
            .is_empty()
    );
}

#[test]
fn a_frame_in_parts_counts_when_it_is_whole() {
    let steps = r#"{ send = "text", text = "ab", declared = 4 }, { send = "more", text = "c" }"#;
    assert!(answers(steps).is_empty());
    assert_eq!(
        answers(&format!("{steps}, {{ send = \"more\", text = \"d\" }}")),
        [r#"text, 4 bytes "abcd""#]
    );
    let ping = r#"{ send = "ping", text = "ab", declared = 3 }, { send = "more", text = "c" }"#;
    assert_eq!(answers(ping), [r#"pong, 3 bytes "abc""#]);
}

#[test]
fn a_fragment_in_parts_is_measured_by_its_own_length() {
    let steps = r#"{ send = "text", text = "long enough", fin = false },
                   { send = "continuation", text = "a", declared = 3 }"#;
    assert!(answers(steps).is_empty());
    let whole = format!("{steps}, {{ send = \"more\", text = \"bc\" }}");
    assert_eq!(answers(&whole), [r#"text, 14 bytes "long enoughabc""#]);
}

#[test]
fn a_frame_sent_often_is_answered_often() {
    assert_eq!(answers(r#"{ send = "ping", text = "p", times = 3 }"#), [r#"pong, 1 byte "p""#; 3]);
}

#[test]
fn what_is_no_frame_is_not_answered() {
    let steps = r#"{ send = "raw", hex = "8100" }, { probe = "A" }, { pause = "1ms" }, { await = "any" }, { end = "half" },
                   { send = "more", text = "x" }, { send = 3, text = "reserved" }"#;
    assert!(answers(steps).is_empty());
}
