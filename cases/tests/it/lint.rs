//! What is well formed and still wrong, literally; and beside each finding a case that is right.

use insta::assert_snapshot;
use wsgrade_cases::model::{Awaited, DeflateWish, Expected, Step};
use wsgrade_cases::{Register, lint};

use crate::{case, one};

fn findings(lines: &str) -> String {
    let found = lint::check(&one(&case(lines)), Register::embedded());
    let lines = found.iter().map(|finding| match &finding.help {
        Some(help) => format!("{}\n  help: {help}", finding.message),
        None => finding.message.clone(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn right(lines: &str) {
    assert_eq!(findings(lines), "");
}

fn replaced(from: &str, to: &str) -> String {
    let text = case("").replace(from, to);
    let found = lint::check(&one(&text), Register::embedded());
    found
        .iter()
        .map(|finding| format!("{} | {:?}", finding.message, finding.help))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn words() {
    right("");
    assert_snapshot!(replaced("A case", "A case."), @"`title` ends with a full stop: it is a heading, not a sentence | None");
    assert_snapshot!(replaced("A case", " "), @"`title` is empty | None");
    assert_snapshot!(replaced("A case", &"x".repeat(101)), @"`title` is longer than a line of 100 characters | None");
    assert_snapshot!(replaced("For a test.", ""), @r#"`why` is empty | Some("say which rule the case tests and why it matters")"#);
    assert_snapshot!(findings("differs = \"\""), @"`differs` is empty");
}

#[test]
fn rules() {
    assert_snapshot!(replaced("rfc6455-5.6-text", "rfc6455-5.6-txet"), @r#"no rule `rfc6455-5.6-txet` in the register | Some("did you mean `rfc6455-5.6-text`?")"#);
    assert_snapshot!(replaced("rfc6455-5.6-text", "be nice"), @r#"no rule `be nice` in the register | Some("rules are named such as `rfc6455-5.5-control-length`")"#);
    assert_snapshot!(
        findings("accept = [{ verdict = \"pass\", saw = [], rule = \"rfc6455-5.5-control-lenght\" }]"), @"
    no rule `rfc6455-5.5-control-lenght` in the register
      help: did you mean `rfc6455-5.5-control-length`?
    ");
    right("accept = [{ verdict = \"pass\", saw = [], rule = \"rfc6455-5.5-control-length\" }]");
}

#[test]
fn sizes_and_times() {
    right("steps = [{ send = \"binary\", repeat = \"00\", len = 67108864, fin = false, times = 1 }]");
    assert_snapshot!(findings("steps = [{ send = \"raw\", join = [{ repeat = \"00\", len = 67108864 }, \"x\"] }]\naccept = [{ verdict = \"pass\", saw = [] }]"), @"step 1 sends more than 67108864 bytes");
    assert_snapshot!(findings("steps = [{ send = \"binary\", repeat = \"00\", len = 67108864, times = 5 }]"), @"the case sends more than 268435456 bytes in all");
    right("steps = [{ pause = \"60s\" }]");
    assert_snapshot!(findings("steps = [{ pause = \"61s\" }, { await = \"any\", within = \"1000s\" }]"), @"
    step 1 waits longer than 60 seconds
    step 2 waits longer than 60 seconds
    ");
    assert_snapshot!(findings("steps = [{ send = \"ping\", chop = 1, chop_pause = \"61s\" }]"), @"step 1 waits longer than 60 seconds");
}

#[test]
fn stress() {
    right("stress = {}\nsteps = [{ hold = \"1s\" }]");
    right("roles = [\"server\"]\nstress = { connections = 3 }");
    assert_snapshot!(findings("stress = { connections = 3 }"), @r#"
    a client makes one connection for a case, so `connections`, `growth` and `kept` say nothing of it
      help: add roles = ["server"]
    "#);
    assert_snapshot!(findings("stress = { kept = 3 }"), @r#"
    a client makes one connection for a case, so `connections`, `growth` and `kept` say nothing of it
      help: add roles = ["server"]
    "#);
    right("roles = [\"server\"]\nstress = { connections = 9, kept = 3 }");
    assert_snapshot!(findings("steps = [{ hold = \"1s\" }]"), @"
    step 1 holds on until a canary was answered, and the case has none
      help: give the case a `stress = {}`
    ");
    assert_snapshot!(findings("stress = {}\nsteps = [{ hold = \"61s\" }]"), @"step 1 waits longer than 60 seconds");
    assert_snapshot!(findings("roles = [\"server\"]\nstress = { growth = true }"), @r#"
    `growth` asks for an opening that grows, and nothing in this one is repeated
      help: give a header a value such as { repeat = "20", len = 1000 }
    "#);
    assert_snapshot!(
        findings("roles = [\"server\"]\nstress = { growth = true, kept = 1 }\nopening = { headers = [{ set = \"X-A\", value = { repeat = \"20\", len = 9 } }] }"),
        @"
    `growth` and `kept` are played in different ways
      help: make two cases of it
    "
    );
    right(
        "roles = [\"server\"]\nstress = { growth = true }\nopening = { headers = [{ set = \"X-A\", value = { repeat = \"20\", len = 9 } }] }",
    );
    assert_snapshot!(findings("steps = [{ send = \"ping\", for = \"1s\" }]"), @r#"
    `saw = "answers"`, but step 1 sends a frame for as long as the peer takes it
      help: list what the peer has to answer: saw = [] for nothing
    "#);
    assert_snapshot!(findings("steps = [{ read = false }]"), @r#"
    `saw = "answers"`, but step 1 stops reading
      help: list what the peer has to answer: saw = [] for nothing
    "#);
    right("steps = [{ read = true }]");
}

#[test]
fn more() {
    let none = "accept = [{ verdict = \"pass\", saw = [] }]";
    right(&format!(
        "steps = [{{ send = \"ping\", text = \"a\", declared = 3 }}, {{ send = \"more\", text = \"b\" }}, {{ send = \"more\", text = \"c\" }}]\n{none}"
    ));
    assert_snapshot!(findings(&format!("steps = [{{ send = \"ping\", text = \"a\", declared = 2 }}, {{ send = \"more\", text = \"bc\" }}]\n{none}")), @"step 2 sends 2 bytes, but its frame lacks 1");
    assert_snapshot!(findings(&format!("steps = [{{ send = \"ping\", text = \"a\" }}, {{ send = \"more\", text = \"b\" }}]\n{none}")), @"
    step 2 goes on with a frame that lacks nothing
      help: give the frame before it a `declared` length longer than its payload
    ");
    assert_snapshot!(findings(&format!("steps = [{{ send = \"ping\", declared = 126, length = \"7-bit\" }}]\n{none}")), @"step 1 has a length of 126 bytes, which no 7-bit length holds");
}

#[test]
fn marks() {
    right(
        "steps = [{ probe = \"A\" }, { await = \"open\", mark = \"A\" }]\naccept = [{ verdict = \"pass\", saw = [{ open = \"A\" }] }]",
    );
    assert_snapshot!(findings("steps = [{ probe = \"A\" }, { pause = \"1s\", mark = \"A\" }]"), @"step 2 sets mark `A` again");
    assert_snapshot!(findings("steps = [{ await = \"open\", mark = \"A\" }, { probe = \"A\" }]"), @"step 1 waits for mark `A`, which no step before it sets");
    assert_snapshot!(findings("accept = [{ verdict = \"pass\", saw = [{ open = \"A\" }] }]"), @r#"
    outcome 1 expects mark `A`, which no step sets
      help: a step { probe = "A" } sets it
    "#);
}

#[test]
fn echo() {
    right("steps = [{ send = \"text\", text = \"a\" }]\nneeds = [\"echo\"]");
    right("steps = [{ send = \"ping\", text = \"a\" }]");
    assert_snapshot!(findings("steps = [{ send = \"text\", text = \"a\" }]"), @r#"
    messages are expected back, but the case needs no echo
      help: add needs = ["echo"]
    "#);
    assert_snapshot!(findings("accept = [{ verdict = \"pass\", saw = [{ binary = \"a\" }] }]"), @r#"
    messages are expected back, but the case needs no echo
      help: add needs = ["echo"]
    "#);
    right("ending = { by = \"either\" }");
    assert_snapshot!(findings("ending = { by = \"either\", codes = [1000] }"), @"the ending is not judged, so its `codes` say nothing");
}

#[test]
fn exchanges() {
    let of = |fields: &str| format!("needs = [\"echo\"]\nsteps = [{{ exchange = \"text\", {fields} }}]");
    let deflate = |lines: &str| {
        format!("opening = {{ deflate = [{{}}] }}\n{lines}").replace("\"echo\"", "\"echo\", \"deflate\"")
    };
    right(&of("corpus = \"json\", size = 131072, messages = 1000"));
    right(&of("repeat = \"ceba\", size = 4, messages = 1"));
    right(&deflate(&of("corpus = \"json\", size = 1, messages = 1, compressed = true")));
    assert_snapshot!(findings(&of("corpus = \"json\", size = 1, messages = 1, compressed = true")), @r#"
    step 1 is compressed, but the opening does not ask for it
      help: add opening = { deflate = [{}] }
    step 1 is compressed, but the case does not need permessage-deflate
      help: add "deflate" to `needs`
    "#);
    assert_snapshot!(findings(&of("corpus = \"json\", size = 67108864, messages = 17")), @"step 1 exchanges more than 1073741824 bytes in all");
    assert_snapshot!(findings(&of("corpus = \"bitmap\", size = 1, messages = 1")), @"
    step 1 exchanges texts that are not UTF-8
      help: the corpora json, prose and html are texts; `repeat` has to end with a whole character
    ");
    assert_snapshot!(findings(&of("repeat = \"ceba\", size = 5, messages = 1")), @"
    step 1 exchanges texts that are not UTF-8
      help: the corpora json, prose and html are texts; `repeat` has to end with a whole character
    ");
    assert_snapshot!(findings("steps = [{ exchange = \"text\", corpus = \"json\", size = 1, messages = 1 }]"), @r#"
    messages are expected back, but the case needs no echo
      help: add needs = ["echo"]
    "#);
    assert_snapshot!(findings("opening = { deflate = [{}], extensions = [\"x\"] }"), @"
    the opening has both `deflate` and `extensions`
      help: `deflate` writes the extension's offers itself; offer it by `extensions` alone, or by `deflate` alone
    ");
    assert_snapshot!(findings("accept = [{ verdict = \"pass\", saw = [{ declined = \"permessage-deflate\" }] }]"), @"
    outcome 1 expects that the peer declines what the opening does not ask for
      help: add opening = { deflate = [{}] }
    ");
    let two = of("corpus = \"json\", size = 1, messages = 2");
    right(&format!("{two}\naccept = [{{ verdict = \"pass\", saw = [{{ exchanged = 2 }}] }}]"));
    assert_snapshot!(findings(&format!("{two}\naccept = [{{ verdict = \"pass\", saw = [{{ exchanged = 3 }}] }}]")), @"outcome 1 expects 3 messages exchanged, which no step does");
    assert_snapshot!(findings(&format!("{two}\naccept = [{{ verdict = \"pass\", saw = \"answers\" }}, {{ verdict = \"fail\", saw = [{{ exchanged = 2 }}] }}]")), @"outcome 2 is never reached: outcome 1 matches all that it matches");
}

/// What no case file says, but a program may.
#[test]
fn exchanges_beyond_what_the_reader_lets_through() {
    let mut scenario = one(&case(
        "needs = [\"echo\"]\nsteps = [{ exchange = \"text\", corpus = \"json\", size = 1, messages = 1 }, { await = \"any\" }]",
    ));
    let Step::Exchange(exchange) = &mut scenario.steps[0] else { panic!("{:?}", scenario.steps) };
    (exchange.size, exchange.messages) = (u32::MAX, u32::MAX);
    scenario.opening.deflate = vec![DeflateWish { our_window_bits: Some(7), ..DeflateWish::default() }];
    assert_eq!(lint::check(&scenario, Register::embedded())[0].message, "a window has 8 to 15 bits");
    scenario.opening.deflate = vec![DeflateWish { max_window_bits: Some(16), ..DeflateWish::default() }];
    scenario.steps[1] = Step::Await { event: Awaited::Answer(Expected::Declined), within: None };
    let found = lint::check(&scenario, Register::embedded());
    let lines: Vec<_> = found.iter().map(|finding| finding.message.as_str()).collect();
    assert_snapshot!(lines.join("\n"), @"
    a window has 8 to 15 bits
    step 1 exchanges messages of more than 67108864 bytes
    step 1 exchanges more than 100000 messages
    step 1 exchanges more than 1073741824 bytes in all
    step 2 waits for an exchange, which waits for itself
    ");
}

/// The first unlawful thing among steps.
fn unlawful(steps: &str) -> String {
    let scenario = one(&case(&format!("steps = [{steps}]")));
    lint::first_unlawful(&scenario)
        .map_or("lawful".to_owned(), |found| format!("step {} {}", found.step, found.reason))
}

#[test]
fn answers_are_for_lawful_steps() {
    assert_snapshot!(findings("steps = [{ send = \"ping\", rsv = 1 }]"), @r#"
    `saw = "answers"`, but step 1 sets a reserved bit
      help: list what the peer has to answer: saw = [] for nothing
    "#);
    right("steps = [{ send = \"ping\", rsv = 1 }]\naccept = [{ verdict = \"pass\", saw = [] }]");
}

#[test]
fn lawful_steps() {
    for steps in [
        "",
        r#"{ send = "text", text = "κ" }"#,
        r#"{ send = "text", hex = "ce", fin = false }, { send = "ping" }, { send = "continuation", hex = "ba" }"#,
        r#"{ send = "text", hex = "ce", declared = 2 }, { pause = "1ms" }, { send = "more", hex = "ba" }"#,
        r#"{ send = "binary", hex = "ff" }, { send = "close", code = 1000, reason = "κ" }"#,
        r#"{ send = "ping", repeat = "ff", len = 125 }, { send = "pong" }, { send = "close" }"#,
        r#"{ send = "text", text = "a", length = "7-bit" }, { send = "text", repeat = "61", len = 126, length = "16-bit" }"#,
        r#"{ send = "text", repeat = "61", len = 67108864 }"#,
        r#"{ send = "ping" }, { exchange = "text", corpus = "prose", size = 1, messages = 1 }, { send = "close" }"#,
        r#"{ exchange = "binary", corpus = "bitmap", size = 1, messages = 1 }"#,
        r#"{ exchange = "text", repeat = "61", size = 67108864, messages = 1 }"#,
    ] {
        assert_eq!(unlawful(steps), "lawful", "{steps}");
    }
}

#[test]
fn unlawful_steps() {
    let all = [
        r#"{ send = 3 }"#,
        r#"{ send = "text", rsv = 4 }"#,
        r#"{ send = "text", mask = "wrong" }"#,
        r#"{ send = "text", mask = "00000000" }"#,
        r#"{ send = "text", text = "a", length = "16-bit" }"#,
        r#"{ send = "text", declared = "0x8000000000000000" }"#,
        r#"{ send = "text", text = "ab", declared = 1 }"#,
        r#"{ send = "ping", repeat = "00", len = 126 }"#,
        r#"{ send = "ping", fin = false }"#,
        r#"{ send = "continuation" }"#,
        r#"{ send = "text", fin = false }, { send = "text" }"#,
        r#"{ send = "text", hex = "ff" }"#,
        r#"{ send = "text", hex = "ce", fin = false }, { send = "continuation", text = "a" }"#,
        r#"{ send = "text", repeat = "ce", len = 3 }"#,
        r#"{ send = "close", hex = "03" }"#,
        r#"{ send = "close", code = 1005 }"#,
        r#"{ send = "close", code = 1000, reason = { hex = "ff" } }"#,
        r#"{ send = "close" }, { send = "ping" }"#,
        r#"{ send = "raw", hex = "8900" }"#,
        r#"{ end = "half" }"#,
        r#"{ send = "text", declared = 2 }"#,
        r#"{ send = "text", declared = 2 }, { send = "ping" }"#,
        r#"{ send = "text", text = "a", declared = 2 }, { send = "more", text = "bc" }"#,
        r#"{ send = "more", text = "bc" }"#,
        r#"{ send = "text", fin = false }, { exchange = "text", corpus = "json", size = 1, messages = 1 }"#,
        r#"{ send = "text", declared = 2 }, { exchange = "text", corpus = "json", size = 1, messages = 1 }"#,
        r#"{ send = "close" }, { exchange = "text", corpus = "json", size = 1, messages = 1 }"#,
    ];
    let lines: Vec<_> = all.iter().map(|steps| format!("{steps}\n  {}", unlawful(steps))).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    { send = 3 }
      step 1 sends a frame with reserved 0x3
    { send = "text", rsv = 4 }
      step 1 sets a reserved bit
    { send = "text", mask = "wrong" }
      step 1 masks its frame the wrong way
    { send = "text", mask = "00000000" }
      step 1 masks its frame whatever the role
    { send = "text", text = "a", length = "16-bit" }
      step 1 writes its length in another form than the shortest
    { send = "text", declared = "0x8000000000000000" }
      step 1 declares a length with the top bit set
    { send = "text", text = "ab", declared = 1 }
      step 1 sends more payload than it declares
    { send = "ping", repeat = "00", len = 126 }
      step 1 sends a ping of 126 bytes
    { send = "ping", fin = false }
      step 1 fragments a ping
    { send = "continuation" }
      step 1 continues a message that was not begun
    { send = "text", fin = false }, { send = "text" }
      step 2 begins a message within another
    { send = "text", hex = "ff" }
      step 1 completes a text that is not UTF-8
    { send = "text", hex = "ce", fin = false }, { send = "continuation", text = "a" }
      step 2 completes a text that is not UTF-8
    { send = "text", repeat = "ce", len = 3 }
      step 1 completes a text that is not UTF-8
    { send = "close", hex = "03" }
      step 1 sends a Close with a body of 1 byte
    { send = "close", code = 1005 }
      step 1 sends a Close with code 1005
    { send = "close", code = 1000, reason = { hex = "ff" } }
      step 1 sends a Close whose reason is not UTF-8
    { send = "close" }, { send = "ping" }
      step 2 sends a frame after a Close
    { send = "raw", hex = "8900" }
      step 1 sends raw bytes
    { end = "half" }
      step 1 ends the connection
    { send = "text", declared = 2 }
      step 1 leaves a frame unfinished
    { send = "text", declared = 2 }, { send = "ping" }
      step 2 sends a frame inside an unfinished one
    { send = "text", text = "a", declared = 2 }, { send = "more", text = "bc" }
      step 2 sends more payload than it declares
    { send = "more", text = "bc" }
      step 1 goes on with a frame that lacks nothing
    { send = "text", fin = false }, { exchange = "text", corpus = "json", size = 1, messages = 1 }
      step 2 exchanges messages within another
    { send = "text", declared = 2 }, { exchange = "text", corpus = "json", size = 1, messages = 1 }
      step 2 exchanges messages inside an unfinished frame
    { send = "close" }, { exchange = "text", corpus = "json", size = 1, messages = 1 }
      step 2 exchanges messages after a Close
    "#);
}

#[test]
fn compressed_messages_and_fixed_keys_are_lawful_where_they_may_be() {
    let deflate = one(&case("needs = [\"deflate\"]\nsteps = [{ send = \"text\", hex = \"ff\", rsv = 4 }]"));
    assert_eq!(lint::first_unlawful(&deflate), None);
    let server = one(&case("roles = [\"server\"]\nsteps = [{ send = \"text\", mask = \"00000000\" }]"));
    assert_eq!(lint::first_unlawful(&server), None);
}

/// Whether the second of two outcomes is never reached.
fn shadowed(first: &str, second: &str) -> bool {
    let lines = format!(
        "needs = [\"echo\"]\nsteps = [{{ send = \"text\", text = \"a\" }}, {{ send = \"ping\", text = \"p\" }}]\naccept = [{{ verdict = \"pass\", {first} }}, {{ verdict = \"non-strict\", {second} }}]"
    );
    findings(&lines).contains("outcome 2 is never reached: outcome 1 matches all that it matches")
}

#[test]
fn shadows() {
    let two = r#"saw = [{ text = "a" }, { pong = "p" }]"#;
    let others = r#"saw = [{ exchanged = 2 }, { declined = "permessage-deflate" }, { open = "A" }]"#;
    assert!(shadowed(others, others));
    assert!(shadowed(&format!("{others}, order = \"any\""), &format!("{others}, order = \"any\"")));
    assert!(!shadowed(others, &others.replace('2', "3")));
    assert!(!shadowed(others, &others.replace('A', "B")));
    assert!(!shadowed("saw = [{ binary = \"a\" }]", "saw = [{ text = \"a\" }]"));
    assert!(!shadowed(
        "saw = [{ pong = \"a\" }, { pong = \"a\" }], order = \"any\"",
        "saw = [{ pong = \"a\" }, { pong = \"b\" }]"
    ));
    let turned = r#"saw = [{ pong = "p" }, { text = { hex = "61" } }]"#;
    assert!(shadowed(two, two));
    assert!(shadowed("saw = \"answers\"", two));
    assert!(shadowed("saw = \"anything\"", two));
    assert!(!shadowed(two, "saw = \"anything\""));
    assert!(!shadowed(two, turned));
    assert!(shadowed(&format!("{two}, order = \"any\""), turned));
    assert!(!shadowed(turned, &format!("{two}, order = \"any\"")));
    assert!(shadowed(&format!("{two}, order = \"latest-pong\""), two));
    assert!(!shadowed(two, &format!("{two}, order = \"latest-pong\"")));
    assert!(!shadowed(&format!("{two}, order = \"any\""), &format!("{two}, order = \"latest-pong\"")));
    assert!(!shadowed(two, "saw = []"));

    let ending = |ending: &str| format!("{two}, ending = {{ {ending} }}");
    assert!(shadowed(two, &ending("by = \"peer\"")));
    assert!(!shadowed(&ending("by = \"peer\""), two));
    assert!(shadowed(&ending("by = \"either\""), two));
    assert!(shadowed(&ending("by = \"either\""), &ending("by = \"us\"")));
    assert!(!shadowed(&ending("by = \"us\""), &ending("by = \"peer\"")));
    assert!(shadowed(&ending("by = \"peer\""), &ending("by = \"peer\", codes = [1002]")));
    assert!(!shadowed(&ending("by = \"peer\", codes = [1002]"), &ending("by = \"peer\"")));
    assert!(!shadowed(&ending("by = \"us\""), &ending("by = \"us\", clean = false")));
    assert!(shadowed(&ending("by = \"us\", clean = false"), &ending("by = \"us\"")));
}

/// Where the peer has to fail the connection, an outcome without an ending of its own is only for a peer that did.
#[test]
fn an_outcome_of_a_peer_that_fails_the_connection_leaves_room_for_one_that_does_not() {
    let shadowed = |ending: &str| {
        findings(&format!(
            "steps = [{{ send = 3 }}]\nending = {{ by = \"peer\", codes = [1002] }}\naccept = [{{ verdict = \"pass\", saw = [] }}, {{ verdict = \"non-strict\", saw = [], {ending} }}]"
        ))
        .contains("outcome 2 is never reached")
    };
    assert!(!shadowed("ending = { by = \"either\" }"));
    assert!(!shadowed("ending = { by = \"us\" }"));
    assert!(shadowed("ending = { by = \"peer\", codes = [1009] }"));
    assert!(shadowed("note = \"the same again\""));
}

#[test]
fn where_tls_fails_nothing_else_can_be_played() {
    let good = "roles = [\"client\"]\nneeds = [\"tls\"]\nopening = { tls = \"broken\" }\nending = { by = \"either\" }\n";
    let seen = |saw: &str| format!("{good}accept = [{{ verdict = \"pass\", saw = {saw} }}]");
    assert_eq!(findings(&seen("[{ dropped = \"tcp\" }]")), "");
    assert_eq!(findings(&seen("[{ unanswered = \"opening\" }]")), "");
    assert_snapshot!(findings(&seen("\"anything\"")), @r#"
    outcome 1 is not what can be seen where TLS fails
      help: such as saw = [{ dropped = "tcp" }]
    "#);
    assert_snapshot!(findings(&seen("[]")), @r#"
    outcome 1 is not what can be seen where TLS fails
      help: such as saw = [{ dropped = "tcp" }]
    "#);
    assert_snapshot!(findings(&seen("[{ refused = [400] }]")), @r#"
    outcome 1 is not what can be seen where TLS fails
      help: such as saw = [{ dropped = "tcp" }]
    "#);
    let both = seen("[{ dropped = \"tcp\" }]").replace("roles = [\"client\"]\nneeds = [\"tls\"]\n", "");
    assert_snapshot!(findings(&both), @r#"
    `tls` in the opening is what is wrong with our side of it towards a client
      help: give the case roles = ["client"] and needs = ["tls"]
    "#);
    let more = seen("[{ dropped = \"tcp\" }]").replace("\"broken\"", "\"broken\", unfinished = true");
    assert_snapshot!(findings(&format!("{more}\nsteps = [{{ send = \"ping\" }}]")), @"`tls` in the opening makes TLS fail, so there are no steps and nothing else in the opening");
    // A client that got its TLS and no answer is another matter.
    let ordinary = seen("[{ dropped = \"tcp\" }]").replace("opening = { tls = \"broken\" }\n", "");
    assert_snapshot!(findings(&ordinary), @r#"
    outcome 1 is about a server's answer to the opening handshake
      help: give the case roles = ["server"]
    "#);
}

#[test]
fn what_is_of_one_opening_handshake_only() {
    assert_snapshot!(findings("opening = { method = \"POST\" }"), @r#"
    the opening is that of one role, and the case is for both
      help: give the case roles = ["server"] for a request, roles = ["client"] for a response
    "#);
    assert_snapshot!(findings("roles = [\"server\"]\nopening = { status = 404 }"), @"`status` is for the response that a client under test gets");
    assert_snapshot!(findings("roles = [\"client\"]\nopening = { knock = true }"), @"`method`, `target` and `knock` are for the request that a server under test gets");
    assert_snapshot!(findings("roles = [\"server\"]\nopening = { raw = { text = \"GET\" }, headers = [{ remove = \"Host\" }] }"), @"`raw` is the whole head, which nothing else can change");
    assert_snapshot!(findings("roles = [\"server\"]\nopening = { raw = { repeat = \"00\", len = 67108864 }, headers = [{ set = \"A\", value = \"b\" }] }"), @"
    `raw` is the whole head, which nothing else can change
    the head has more than 67108864 bytes
    ");
    assert_snapshot!(
        findings("roles = [\"server\"]\naccept = [{ verdict = \"pass\", saw = [{ dropped = \"tcp\" }, { text = \"a\" }] }]"),
        @r#"
    outcome 1 expects something besides the end of the opening handshake
    messages are expected back, but the case needs no echo
      help: add needs = ["echo"]
    "#
    );
    right(
        "roles = [\"server\"]\nopening = { method = \"POST\" }\naccept = [{ verdict = \"pass\", saw = [{ refused = [\"4xx\"] }] }]",
    );
}

#[test]
fn what_is_expected_has_bounds_as_well() {
    let many = "{ binary = { repeat = \"00\", len = 67108864 } }, ".repeat(5);
    let found = findings(&format!("accept = [{{ verdict = \"pass\", saw = [{many}] }}]"));
    assert_snapshot!(found.lines().next().unwrap_or_default(), @"outcome 1 expects more than 268435456 bytes in all");
    assert_snapshot!(findings("accept = [{ verdict = \"pass\", saw = [{ open = \"here\" }] }]"), @r#"
    outcome 1 expects mark `here`, which no step sets
      help: a step { probe = "here" } sets it
    "#);
}
