use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::{
    Accept, BadTls, Chop, ChopAt, Ending, Expected, Frame, HeaderEdit, Opening, Outcome, Payload, Saw,
    Scenario, Step,
};
use wsgrade_codec::Role;
use wsgrade_codec::wire::{Opcode, Rsv};

use super::{Opens, expect};
use crate::oracle::complete;

/// What is right, in short: whether it opens, and the worst that is put up with otherwise.
fn says(opening: &Opening, role: Role) -> String {
    let list = |accept: &[Accept]| {
        let words = accept.iter().map(|accept| {
            let saw = match &accept.saw {
                Saw::Events { events, .. } if events.is_empty() => "failed".to_owned(),
                Saw::Events { events, .. } => match &events[0] {
                    Expected::Open(_) => "opened".to_owned(),
                    Expected::Refused { statuses, versions } => {
                        let statuses: Vec<_> = statuses.iter().map(ToString::to_string).collect();
                        let versions = if *versions { " naming 13" } else { "" };
                        format!("{}{versions}", statuses.join(" "))
                    }
                    Expected::Dropped => "dropped".to_owned(),
                    Expected::Unanswered => "silence".to_owned(),
                    other => format!("{other:?}"),
                },
                Saw::Anything => "anything".to_owned(),
                Saw::Answers => "answers".to_owned(),
            };
            match accept.verdict {
                Outcome::Pass => saw,
                verdict => format!("{verdict}: {saw}"),
            }
        });
        words.collect::<Vec<_>>().join(", ")
    };
    let word = |word: &str, rules: &[RuleId], accept: &[Accept]| {
        let rule = rules.first().map_or("ordinary", |rule| rule.as_str());
        format!("{word} ({rule}) {}", list(accept)).trim_end().to_owned()
    };
    match expect(opening, role) {
        Opens::Yes { rules, also } => word("yes", &rules, &also),
        Opens::No(expectation) => word("no", &expectation.rules, &expectation.accept),
        Opens::Unsaid(expectation) => word("unsaid", &expectation.rules, &expectation.accept),
    }
}

fn text(text: &str) -> Payload {
    Payload::Text(text.to_owned())
}

fn edited(edits: &[HeaderEdit]) -> Opening {
    Opening { headers: edits.to_vec(), ..Opening::default() }
}

fn set(name: &str, value: &str) -> Opening {
    edited(&[HeaderEdit::Set(name.to_owned(), text(value))])
}

fn add(name: &str, value: &str) -> Opening {
    edited(&[HeaderEdit::Add(name.to_owned(), text(value))])
}

fn removed(name: &str) -> Opening {
    edited(&[HeaderEdit::Remove(name.to_owned())])
}

fn raw(line: &str) -> Opening {
    edited(&[HeaderEdit::Raw(text(line))])
}

fn all(openings: &[Opening], role: Role) -> String {
    openings.iter().map(|opening| says(opening, role)).collect::<Vec<_>>().join("\n")
}

#[test]
fn lawful_requests_open() {
    let openings = [
        Opening::default(),
        set("upgrade", "websocket"),
        set("Upgrade", "WebSocket"),
        set("Connection", "keep-alive,UPGRADE"),
        set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
        add("Cookie", "a=1; b=2"),
        add("Sec-WebSocket-Extensions", "x-wsgrade, permessage-deflate; server_max_window_bits=8"),
        Opening { chop: Chop { at: ChopAt::Every(1), ..Chop::default() }, ..Opening::default() },
    ];
    insta::assert_snapshot!(all(&openings, Role::Server), @r"
    yes (ordinary)
    yes (rfc6455-4.1-field-names-any-case) fail: 4xx 5xx
    yes (rfc6455-4.2.1-upgrade) fail: 4xx 5xx
    yes (rfc6455-4.2.1-connection) fail: 4xx 5xx
    yes (rfc6455-4.2.1-key-16-bytes) fail: 4xx 5xx
    yes (rfc6455-4.2.1-unknown-fields-ignored) fail: 4xx 5xx
    yes (rfc6455-9-accept-some) fail: 4xx 5xx
    yes (rfc6455-4.2.1-parse-handshake) fail: 4xx 5xx, informational: dropped
    ");
}

#[test]
fn what_servers_may_do_as_they_like_they_may() {
    let openings = [
        set("Upgrade", "x, websocket"),
        set("Connection", "close, Upgrade"),
        set("Host", "other.example"),
        set("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC=="),
        set("Sec-WebSocket-Protocol", "x-wsgrade"),
        set("Origin", "https://other.example"),
        Opening { target: Some("/elsewhere".to_owned()), ..Opening::default() },
        Opening { target: Some("http://<host><target>".to_owned()), ..Opening::default() },
        Opening { version: Some("HTTP/1.2".to_owned()), ..Opening::default() },
        add("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=\"8\""),
        add("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=7"),
    ];
    insta::assert_snapshot!(all(&openings, Role::Server), @r"
    yes (rfc6455-4.2.1-upgrade) non-strict: 2xx 3xx 4xx 5xx, non-strict: dropped
    yes (rfc6455-4.2.1-connection) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.1-host) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.2-key-not-decoded) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.2-subprotocol-from-request) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.1-origin) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.2-not-found) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-4.2.1-get-http-1.1) non-strict: 2xx 3xx 4xx 5xx, non-strict: dropped
    yes (rfc6455-4.2.1-get-http-1.1) informational: 2xx 3xx 4xx 5xx, informational: dropped
    yes (rfc6455-9-accept-some) non-strict: 2xx 3xx 4xx 5xx, non-strict: dropped
    yes (rfc7692-7-decline-invalid-value) informational: 2xx 3xx 4xx 5xx, informational: dropped
    ");
}

#[test]
fn broken_requests_do_not_open() {
    let openings = [
        Opening { method: Some("get".to_owned()), ..Opening::default() },
        Opening { version: Some("HTTP/1.0".to_owned()), ..Opening::default() },
        Opening { version: Some("ICY/1.1".to_owned()), ..Opening::default() },
        Opening { target: Some("/a b".to_owned()), ..Opening::default() },
        removed("Upgrade"),
        set("Connection", "Upgrades"),
        set("Connection", "Upgrade;q=1"),
        removed("Host"),
        set("Host", "a b"),
        removed("Sec-WebSocket-Key"),
        set("Sec-WebSocket-Key", "AAAA"),
        add("Sec-WebSocket-Key", "<key>"),
        set("Sec-WebSocket-Version", "12"),
        set("Sec-WebSocket-Version", "8"),
        set("Sec-WebSocket-Version", "013"),
        set("Sec-WebSocket-Version", "-13"),
        set("Sec-WebSocket-Version", ""),
        set("Sec-WebSocket-Protocol", "a b"),
        add("Sec-WebSocket-Extensions", "permessage-deflate;"),
        add("Sec-WebSocket-Extensions", ","),
        raw("no header\r\n"),
        raw("X: \0\r\n"),
        raw("X: 1\r\n 2\r\n"),
        Opening { newline: Some("\n".to_owned()), ..Opening::default() },
    ];
    insta::assert_snapshot!(all(&openings, Role::Server), @r"
    no (rfc6455-4.2.1-get-http-1.1) 2xx 3xx 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-get-http-1.1) 2xx 3xx 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-get-http-1.1) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-get-http-1.1) 4xx 501 505, informational: dropped, non-strict: 5xx, non-strict: opened, non-strict: silence
    no (rfc6455-4.2.1-upgrade) 2xx 3xx 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-connection) 2xx 3xx 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-connection) 2xx 3xx 4xx 501 505, informational: dropped, non-strict: 5xx, informational: opened
    no (rfc6455-4.2.1-host) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-host) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-4.2.1-key-16-bytes) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-key-16-bytes) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-11.3.1-key-once) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-4.2.2-version-mismatch) 4xx naming 13, fail: 4xx, informational: dropped, non-strict: 5xx naming 13
    no (rfc6455-4.4-all-versions) 4xx naming 13, fail: 4xx, informational: dropped, non-strict: 5xx naming 13, informational: opened
    no (rfc6455-4.2.1-version-13) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-4.2.2-version-mismatch) 4xx naming 13, non-strict: 4xx, informational: dropped, non-strict: 5xx naming 13
    no (rfc6455-4.2.1-version-13) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-subprotocols) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-9.1-malformed-extensions) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-9.1-malformed-extensions) 4xx, informational: dropped, non-strict: 5xx, informational: opened
    no (rfc6455-4.2.1-refuse-handshake) 4xx 501 505, informational: dropped, non-strict: 5xx, non-strict: opened, non-strict: silence
    no (rfc6455-4.2.1-refuse-handshake) 2xx 3xx 4xx 5xx, informational: dropped, non-strict: opened, non-strict: silence
    no (rfc6455-4.2.1-refuse-handshake) 2xx 3xx 4xx 5xx, informational: dropped, informational: opened, informational: silence
    no (rfc6455-4.2.1-refuse-handshake) 4xx 501 505, informational: dropped, non-strict: 5xx, informational: opened, informational: silence
    ");
}

/// What nobody puts up with is not made good by what somebody does, but where lines are no lines all is doubtful.
#[test]
fn several_points_ask_for_the_most_of_them() {
    let both = |one: Opening, other: Opening| edited(&[one.headers, other.headers].concat());
    let openings = [
        both(set("Sec-WebSocket-Key", "AAAA"), removed("Host")),
        both(set("Sec-WebSocket-Version", "12"), removed("Host")),
        both(set("Sec-WebSocket-Version", "12"), set("Origin", "null")),
        both(removed("Host"), raw("no header\r\n")),
        both(add("Sec-WebSocket-Protocol", "x-wsgrade"), add("Cookie", "a=1")),
        // Who understands the draft may be lax as well.
        both(set("Sec-WebSocket-Version", "8"), set("Host", "no host")),
        both(set("Sec-WebSocket-Version", "8"), removed("Host")),
        both(set("Sec-WebSocket-Version", "08"), Opening::default()),
        // A list that is not understood is a reason to refuse that has nothing to do with the version.
        set("Sec-WebSocket-Version", "12"),
        both(set("Sec-WebSocket-Version", "12"), set("Upgrade", "h2c, websocket")),
        // What is hard to understand about it is the list, and not the order of the fields.
        add("Upgrade", ""),
    ];
    insta::assert_snapshot!(all(&openings, Role::Server), @r"
    no (rfc6455-4.2.1-host) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-host) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.2-version-mismatch) 2xx 3xx 4xx 5xx, informational: dropped
    no (rfc6455-4.2.1-refuse-handshake) 4xx 501 505, informational: dropped, non-strict: 5xx, non-strict: opened, non-strict: silence
    yes (rfc6455-4.2.2-subprotocol-from-request) informational: 2xx 3xx 4xx 5xx, informational: dropped
    no (rfc6455-4.2.1-host) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-4.2.1-host) 4xx 501 505, informational: dropped, non-strict: 5xx
    no (rfc6455-4.2.1-version-13) 4xx, informational: dropped, non-strict: 5xx, non-strict: opened
    no (rfc6455-4.2.2-version-mismatch) 4xx naming 13, fail: 4xx, informational: dropped, non-strict: 5xx naming 13
    no (rfc6455-4.2.2-version-mismatch) 4xx naming 13, non-strict: 4xx, informational: dropped, non-strict: 5xx naming 13
    yes (rfc6455-4.2.1-upgrade) non-strict: 2xx 3xx 4xx 5xx, non-strict: dropped
    ");
}

#[test]
fn what_nobody_can_say_is_not_said() {
    let openings = [
        Opening { unfinished: true, ..Opening::default() },
        Opening { early: true, ..Opening::default() },
        Opening { version: Some("HTTP/2.0".to_owned()), ..Opening::default() },
        Opening { raw: Some(text("GET <target>\r\n\r\n")), ..Opening::default() },
        Opening { newline: Some("\r".to_owned()), ..Opening::default() },
        add("Content-Length", "5"),
        add("Expect", "100-continue"),
    ];
    for opening in openings {
        assert!(says(&opening, Role::Server).starts_with("unsaid"), "{opening:?}");
    }
    let unfinished = Opening { unfinished: true, ..Opening::default() };
    assert!(says(&unfinished, Role::Client).starts_with("unsaid"));
    let early = Opening { early: true, ..Opening::default() };
    assert!(says(&early, Role::Client).starts_with("yes"), "a server may speak at once");
    let tls = Opening { tls: Some(BadTls::Broken), ..Opening::default() };
    assert_eq!(says(&tls, Role::Client), "unsaid (rfc6455-4.1-tls-failure) dropped, informational: silence");
}

/// RSV1 is a breach where nothing was agreed on, and lawful where permessage-deflate was.
#[test]
fn what_depends_on_an_agreement_that_is_not_known_is_not_said() {
    let frame = |rsv| Step::Send(Frame { rsv, ..Frame::new(Opcode::TEXT, text("")) });
    let right = |opening: Opening, rsv| {
        let steps = vec![frame(rsv)];
        let sketch = Scenario::uncatalogued("x", steps, Saw::Anything, Ending::ordinary());
        complete(&Scenario { opening, ..sketch }, Role::Server).accept[0].saw.clone()
    };
    let offers = || add("Sec-WebSocket-Extensions", "permessage-deflate");
    assert_eq!(right(offers(), Rsv::RSV1), Saw::Anything);
    assert_ne!(right(offers(), Rsv::NONE), Saw::Anything);
    assert_ne!(right(add("Cookie", "a=1"), Rsv::RSV1), Saw::Anything);
}

#[test]
fn responses_open_or_are_failed() {
    let openings = [
        Opening::default(),
        set("Connection", "keep-alive, upgrade"),
        set("Upgrade", "WEBSOCKET"),
        add("Set-Cookie", "a=1"),
        Opening { status: Some(200), ..Opening::default() },
        Opening { version: Some("HTTP/1.0".to_owned()), ..Opening::default() },
        Opening { version: Some("HTTP/1.2".to_owned()), ..Opening::default() },
        Opening { raw: Some(text("SSH-2.0-x\r\n\r\n")), ..Opening::default() },
        removed("Upgrade"),
        set("Upgrade", "x, websocket"),
        add("Upgrade", "websocket"),
        set("Connection", "close"),
        set("Connection", "close, Upgrade"),
        removed("Sec-WebSocket-Accept"),
        set("Sec-WebSocket-Accept", "<accept-swapped>"),
        add("Sec-WebSocket-Accept", "<accept>"),
        add("Sec-WebSocket-Accept", "x"),
        raw("no header\r\n"),
        raw("X: \0\r\n"),
    ];
    insta::assert_snapshot!(all(&openings, Role::Client), @r"
    yes (ordinary)
    yes (rfc6455-4.1-response-connection)
    yes (rfc6455-4.1-response-upgrade)
    yes (rfc6455-4.1-response-conforms)
    no (rfc6455-4.1-status-not-101) failed, informational: failed
    no (rfc6455-4.1-response-conforms) failed, non-strict: opened
    yes (rfc6455-4.1-response-conforms) informational: failed
    no (rfc6455-4.1-response-conforms) failed, informational: failed
    no (rfc6455-4.1-response-upgrade) failed
    no (rfc6455-4.1-response-upgrade) failed, non-strict: opened
    yes (rfc6455-4.1-response-upgrade) informational: failed
    no (rfc6455-4.1-response-connection) failed
    yes (rfc6455-4.1-response-connection) informational: failed
    no (rfc6455-4.1-response-accept) failed
    no (rfc6455-4.1-response-accept) failed
    no (rfc6455-11.3.3-accept-once) failed, non-strict: opened
    no (rfc6455-11.3.3-accept-once) failed
    no (rfc6455-4.1-response-conforms) failed, informational: opened
    no (rfc6455-4.1-response-conforms) failed, non-strict: opened
    ");
}

#[test]
fn what_a_response_agrees_to_is_judged_as_far_as_no_client_can_have_asked_for_it() {
    let extensions = |value: &str| set("Sec-WebSocket-Extensions", value);
    let agreed = |value: &str| Opening { extensions: vec![value.to_owned()], ..Opening::default() };
    let openings = [
        set("Sec-WebSocket-Protocol", "x-wsgrade"),
        set("Sec-WebSocket-Protocol", "chat"),
        set("Sec-WebSocket-Protocol", "<protocol>"),
        set("Sec-WebSocket-Protocol", "a b"),
        set("Sec-WebSocket-Protocol", ""),
        extensions("x-wsgrade"),
        extensions("x-other"),
        extensions("permessage-deflate"),
        extensions("permessage-deflate; server_max_window_bits=16"),
        extensions("permessage-deflate;"),
        extensions("permessage-deflate, permessage-deflate"),
        agreed("permessage-deflate; server_max_window_bits=16"),
        agreed("permessage-deflate"),
        agreed("permessage-deflate; server_no_context_takeover; server_max_window_bits=8"),
        agreed("permessage-deflate; server_no_context_takeover; server_max_window_bits=\"8\""),
    ];
    insta::assert_snapshot!(all(&openings, Role::Client), @r"
    no (rfc6455-4.1-response-subprotocol) failed
    yes (rfc6455-4.1-response-subprotocol) informational: failed
    yes (rfc6455-4.1-response-subprotocol) informational: failed
    no (rfc6455-4.1-response-subprotocol) failed
    no (rfc6455-4.1-response-subprotocol) failed, non-strict: opened
    no (rfc6455-4.1-response-extension) failed
    yes (rfc6455-4.1-response-extension) informational: failed
    yes (rfc7692-5-invalid-response) informational: failed
    no (rfc7692-7-fail-invalid-value) failed
    no (rfc6455-9.1-malformed-extensions) failed
    no (rfc7692-5-invalid-response) failed
    yes (rfc7692-7-fail-invalid-value) informational: failed
    yes (rfc7692-5-invalid-response) informational: failed
    yes (rfc7692-5-agreed-parameters)
    yes (rfc7692-5-agreed-parameters) non-strict: failed
    ");
}
