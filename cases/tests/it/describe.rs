//! Cases in words, literally.

use insta::assert_snapshot;
use wsgrade_cases::{Catalogue, describe};

use crate::{case, one, with_steps};

fn steps(steps: &str) -> String {
    with_steps(steps).steps.iter().map(describe::step).collect::<Vec<_>>().join("\n")
}

#[test]
fn frames() {
    assert_snapshot!(steps(r#"
        { send = "text", text = "Hello, world!", rsv = 4 },
        { send = "ping" },
        { send = "binary", repeat = "2a", len = 65536, chop = 997 },
        { send = "binary", repeat = "fe01", len = 1, fin = false, rsv = 3 },
        { send = "close", code = 1000, reason = "bye" },
        { send = "close", code = 1001 },
        { send = 3, hex = "00ff", mask = "wrong", times = 9 },
        { send = "continuation", join = ["ab", { hex = "63" }], mask = "37fa213d" },
        { send = "text", text = "a", length = "16-bit", chop = "alone" },
        { send = "text", text = "a", declared = 21, length = "64-bit" },
        { send = "text", declared = "0xffffffffffffffff" },
        { send = "text", text = "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü", chop = [1, 2], chop_pause = "10us" },
        { send = "binary", hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20" },
        { send = "binary", join = [{ hex = "ff" }, { repeat = "00", len = 1000 }] },
    "#), @r#"
    send text, 13 bytes "Hello, world!", FIN, RSV1
    send ping, empty, FIN
    send binary, 65536 bytes of "*", FIN, in writes of 997 bytes
    send binary, 1 byte of fe01, no FIN, RSV2, RSV3
    send close, code 1000, reason 3 bytes "bye", FIN
    send close, code 1001, FIN
    send reserved 0x3, 2 bytes 00ff, FIN, masked the wrong way, 9 times
    send continuation, 3 bytes "abc", FIN, masked with 37fa213d
    send text, 1 byte "a", FIN, length in 16 bits, in a write of its own
    send text, 1 byte "a", FIN, declared as 21 bytes in 64 bits
    send text, empty, FIN, declared as 0xffffffffffffffff bytes
    send text, 78 bytes "äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäö"…, FIN, in writes of 1, 2 bytes and the rest with 10us between
    send binary, 33 bytes 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f…, FIN
    send binary, 1001 bytes in 2 parts, FIN
    "#);
}

#[test]
fn other_steps() {
    assert_snapshot!(steps(r#"
        { send = "text", text = "ab", declared = 4 },
        { send = "more", text = "cd" },
        { send = "raw", text = "GET / HTTP/1.1" },
        { await = "pong", text = "p", within = "1s" },
        { await = "any" },
        { await = "close" },
        { probe = "A" },
        { await = "open", mark = "A" },
        { pause = "250ms" },
        { pause = "1500ms", mark = "B" },
        { end = "abort" },
        { end = "half" },
    "#), @r#"
    send text, 2 bytes "ab", FIN, declared as 4 bytes
    send the frame's payload on, 2 bytes "cd"
    send raw bytes, 14 bytes "GET / HTTP/1.1"
    wait for pong, 1 byte "p", for 1s at most
    wait for any message or pong
    wait for the end of the connection
    ask by a ping whether the connection is open (mark A)
    wait for mark A
    wait 250ms
    wait 1500ms, then note whether the connection is open (mark B)
    reset the connection
    end our sending side
    "#);
}

#[test]
fn exchanges() {
    assert_snapshot!(steps(r#"
        { exchange = "text", corpus = "json", size = 4096, messages = 1000, compressed = true, fragment = 256 },
        { exchange = "binary", corpus = "prose", size = 1, messages = 1, fragment = 1 },
        { exchange = "text", corpus = "html", size = 1, messages = 2 },
        { exchange = "binary", corpus = "bitmap", size = 16, messages = 2 },
        { exchange = "binary", corpus = "document", size = 16, messages = 2 },
        { exchange = "text", repeat = "2a", size = 16, messages = 1000, timed = true },
        { exchange = "binary", repeat = "fe", size = 0, messages = 1000 },
    "#), @r#"
    exchange 1000 text messages of 4096 code points from the JSON corpus, compressed, in frames of 256 bytes, one at a time
    exchange 1 binary message of 1 byte from the prose corpus, in frames of 1 byte, one at a time
    exchange 2 text messages of 1 code point from the HTML corpus, one at a time
    exchange 2 binary messages of 16 bytes from the bitmap corpus, one at a time
    exchange 2 binary messages of 16 bytes from the document corpus, one at a time
    exchange 1000 text messages of 16 bytes of "*", one at a time, by the clock
    exchange 1000 binary messages of no bytes, one at a time
    "#);
}

#[test]
fn outcomes() {
    let scenario = one(&case(
        r#"
        steps = [{ send = "ping", text = "p", times = 3 }, { probe = "A" }]
        accept = [
          { verdict = "pass", saw = "answers" },
          { verdict = "informational", saw = [{ pong = "p" }], order = "latest-pong", note = "it may" },
          { verdict = "non-strict", saw = [{ open = "A" }, { binary = { hex = "00" } }], order = "any" },
          { verdict = "fail", saw = [], ending = { by = "peer", codes = [1002, 1007, 1009] } },
          { verdict = "unimplemented", saw = "anything", ending = { by = "either" } },
          { verdict = "unimplemented", saw = [{ declined = "permessage-deflate" }] },
          { verdict = "non-strict", saw = [{ exchanged = 1 }, { exchanged = 1000 }] },
        ]"#,
    ));
    let lines: Vec<_> = scenario.accept.iter().map(|accept| describe::accept(&scenario, accept)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    pass: pong, 1 byte "p", 3 times
    informational: pong, 1 byte "p" (pongs to earlier pings may be missing) — it may
    non-strict: open at A; binary, 1 byte 00 (in any order)
    fail: no answer; the peer closes with code 1002, 1007 or 1009 or drops the connection
    unimplemented: anything; either side ends it, in any way
    unimplemented: permessage-deflate not agreed to
    non-strict: 1 message exchanged; 1000 messages exchanged
    "#);
}

#[test]
fn endings() {
    let endings = ["us", "peer"].into_iter().flat_map(|by| {
        ["true", "false"].map(|clean| {
            let ending = format!("ending = {{ by = \"{by}\", codes = [1000], clean = {clean} }}");
            describe::ending(&one(&case(&ending)).ending)
        })
    });
    let lines: Vec<_> = endings.collect();
    assert_snapshot!(lines.join("\n"), @"
    we close, and the peer answers with code 1000
    we close, and the peer answers with code 1000 or drops the connection
    the peer closes with code 1000, and cleanly
    the peer closes with code 1000 or drops the connection
    ");
}

#[test]
fn openings() {
    let scenario = one(&case(
        r#"opening = { method = "POST", target = "/x", version = "HTTP/1.0", status = 200, headers = [{ set = "A", value = "b" },
            { add = "C", value = "d" }, { remove = "Origin" }], extensions = ["permessage-deflate"], deflate = [{ no_context_takeover = true,
            max_window_bits = 9 }, { no_context_takeover = true }, { max_window_bits = 15 }, {}, { our_context_takeover = true, our_window_bits = 9 },
            { our_context_takeover = false }], raw = "GET", chop = 1 }"#,
    ));
    assert_snapshot!(describe::opening(&scenario.opening).join("\n"), @r#"
    method "POST"
    request target "/x"
    version "HTTP/1.0"
    status 200
    header A: b
    one more header C: d
    no header Origin
    extension permessage-deflate
    permessage-deflate, the peer compressing each message by itself and with a window of at most 2^9 bytes
    or else permessage-deflate, the peer compressing each message by itself
    or else permessage-deflate, the peer compressing with a window of at most 2^15 bytes
    or else permessage-deflate, the peer compressing as it likes
    or else permessage-deflate, the peer compressing as it likes, we with references to earlier messages and with a window of 2^9 bytes
    or else permessage-deflate, the peer compressing as it likes, we each message by itself
    the whole head, 3 bytes "GET"
    the head, in writes of 1 byte
    "#);
    assert!(describe::opening(&one(&case("")).opening).is_empty());
}

#[test]
fn no_line_of_the_catalogue_is_long() {
    for scenario in Catalogue::embedded().scenarios() {
        for step in &scenario.steps {
            let line = describe::step(step);
            assert!(line.chars().count() <= 160 && !line.contains('\n'), "{}: {line}", scenario.id);
        }
    }
}

#[test]
fn stress() {
    let text = case(
        "stress = { connections = 300, growth = true, memory = 1, cpu = \"1s\", files = 20, kept = 1024 }\n\
         steps = [{ send = \"ping\", for = \"2s\", times = 9 }, { read = false }, { read = true }, { hold = \"1s\" }]",
    );
    let scenario = one(&text);
    let stress = scenario.stress.as_ref().map(describe::stress).unwrap_or_default();
    let lines: Vec<_> = stress.into_iter().chain(scenario.steps.iter().map(describe::step)).collect();
    assert_snapshot!(lines.join("\n"), @"
    played by 300 connections beside a canary connection
    the opening at once, twice and four times its size: the time must grow no faster
    the process may hold 1 byte more than before, beyond twice what was sent
    the process may take 1s of processor time
    the process may have 20 more files open afterwards
    played four times; the process may keep 1024 bytes of each connection of the last three
    send ping, empty, FIN, over and over for 2s, 9 times at most
    stop reading
    go on reading
    hold on until the canary was answered, for 1s at most
    ");
    assert_eq!(
        describe::stress(&wsgrade_cases::model::Stress::default()),
        ["played beside a canary connection"]
    );
}
