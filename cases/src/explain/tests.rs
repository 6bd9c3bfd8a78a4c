use super::*;
use crate::catalogue::Catalogue;

fn explained(id: &str) -> String {
    let catalogue = Catalogue::embedded();
    let scenario = catalogue.get(&id.parse().expect("an id")).expect("a case");
    explain(scenario, catalogue, Register::embedded())
}

#[test]
fn a_plain_case() {
    insta::assert_snapshot!(explained("6.4.1"), @r#"
    6.4.1  Invalid fragment between two valid ones
    section 6.4, How soon invalid text is noticed

    Why
      The second fragment holds a character beyond the end of Unicode, whole. Nothing that follows can
      make the message valid, so the peer can fail the connection at once instead of buffering a message
      that it must not deliver. When it does so is seen by asking after each fragment whether it is
      still there.

    Rules
      rfc6455-8.1-fail-on-invalid-utf8: RFC 6455 section 8.1, MUST, binds both
        "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not,
        in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_."
      rfc6455-5.6-text-utf8: RFC 6455 section 5.6, MUST, binds both
        "Note that a particular text frame might include a partial UTF-8 sequence; however, the whole
        message MUST contain valid UTF-8."
      rfc6455-7.1.7-send-close: RFC 6455 section 7.1.7, SHOULD, binds both
        "If _The WebSocket Connection is Established_ prior to the point where the endpoint is required
        to _Fail the WebSocket Connection_, the endpoint SHOULD send a Close frame with an appropriate
        status code (Section 7.4) before proceeding to _Close the WebSocket Connection_."

    Played
      against servers and clients

    Steps (── what we do, ┄┄ what the peer does in the first accepted outcome)
        us                                                peer
        │◀─ the opening handshake ─────────────────────────▶│
        │── text, 11 bytes cebae1bdb9cf83cebcceb5, no FIN ─▶│
        │── ping: is the connection open? ─────────────────▶│
        │◀┄ its pong sets mark A ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│
        │── continuation, 4 bytes f4908080, no FIN ────────▶│
        │── ping: is the connection open? ─────────────────▶│
        │   (no pong, mark B is not set)                    │
        │── continuation, 6 bytes 656469746564, FIN ───────▶│
        │◀┄ close, code 1007, or the end of TCP ┄┄┄┄┄┄┄┄┄┄┄┄│

    Accepted outcomes (the first that matches decides, and what matches none is a failure)
      1. pass: open at A; the peer closes with code 1007 or drops the connection
      2. non-strict: open at A; open at B; the peer closes with any code or drops the connection —
         noticed at the level of the message: when its last fragment was there
      3. non-strict: open at A; the peer closes with any code or drops the connection — noticed at the
         level of the fragment, but failed with another code than 1007 (by rfc6455-7.1.7-send-close)

    End of the connection
      the peer closes with code 1007 or drops the connection

    How it differs from Autobahn|Testsuite
      Autobahn waits for a second after each fragment and notes whether the connection is still open;
      this case asks by a ping, which may stand between fragments, and waits no longer than for the
      pong.
    "#);
}

#[test]
fn a_case_with_an_opening() {
    insta::assert_snapshot!(explained("H.1.12"), @r#"
    H.1.12  Two Connection fields, the second with the token
    section H.1, Requests that are lawful

    Why
      A list may be split over several fields of one name (RFC 2616 4.2), which mean the same as one.

    Rules
      rfc6455-4.2.1-connection: RFC 6455 section 4.2.1, MUST, binds server
        "A |Connection| header field that includes the token "Upgrade", treated as an ASCII
        case-insensitive value."
      rfc6455-4.2.1-parse-handshake: RFC 6455 section 4.2.1, MUST, binds server
        "The server must parse at least part of this handshake in order to obtain the necessary
        information to generate the server part of the handshake."

    Played
      against servers

    Setup
      opening: header Connection: keep-alive
      opening: one more header Connection: Upgrade

    Steps (── what we do, ┄┄ what the peer does in the first accepted outcome)
        us                                   peer
        │── the opening handshake, as set up ─▶│
        │◀┄ 101, the connection is open ┄┄┄┄┄┄┄│
        │── ping: is the connection open? ────▶│
        │◀┄ its pong sets mark open ┄┄┄┄┄┄┄┄┄┄┄│
        │── close ────────────────────────────▶│
        │◀┄ close, code 1000 ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄│

    Accepted outcomes (the first that matches decides, and what matches none is a failure)
      1. pass: open at open

    End of the connection
      we close, and the peer answers with code 1000
    "#);
}

#[test]
fn a_case_of_resilience() {
    insta::assert_snapshot!(explained("R.1.1"), @r#"
    R.1.1  Request that stops after its first line
    section R.1, Openings that do not end

    Why
      Whoever reads one request after another before it accepts the next connection serves nobody while
      this one is open. Refusing it in time, dropping it and waiting are all right; the others have to
      be served.

    Rules
      rfc6455-10.4-limits: RFC 6455 section 10.4, MUST, binds both
        "Implementations that have implementation- and/or platform-specific limitations regarding the
        frame size or total message size after reassembly from multiple frames MUST protect themselves
        against exceeding those limits."

    Played
      against servers

    Setup
      opening: no header Host
      opening: no header Upgrade
      opening: no header Connection
      opening: no header Sec-WebSocket-Key
      opening: no header Sec-WebSocket-Version
      opening: no header User-Agent
      opening: the head is never finished
      played beside a canary connection
      the process may hold 134217728 bytes more than before, beyond twice what was sent

    Steps (── what we do, ┄┄ what the peer does in the first accepted outcome)
        us                                    peer
        │── the opening handshake, as set up ──▶│
        │   (either side ends it, in any way)   │

    Accepted outcomes (the first that matches decides, and what matches none is a failure)
      1. pass: anything

    End of the connection
      either side ends it, in any way
    "#);
}

#[test]
fn every_row_is_as_wide_as_the_others() {
    let catalogue = Catalogue::embedded();
    for scenario in catalogue.scenarios() {
        let text = Diagram::of(scenario).text();
        let widths: Vec<_> = text.lines().skip(1).map(width).collect();
        assert!(widths.iter().all(|row| *row == widths[0]), "{}:\n{text}", scenario.id);
        assert!(text.lines().count() > scenario.steps.len() + 1, "{}:\n{text}", scenario.id);
        let whole = explain(scenario, catalogue, Register::embedded());
        assert!(!whole.contains("not in the register"), "{}", scenario.id);
        assert!(!whole.chars().any(|c| c.is_control() && c != '\n'), "{}", scenario.id);
    }
}

/// What a step waits for is drawn where it waits, and not once more behind the steps.
#[test]
fn what_is_awaited_is_drawn_once() {
    use crate::model::Payload;
    let pong = || Expected::Pong(Payload::default());
    let wait = Step::Await { event: Awaited::Answer(pong()), within: None };
    let saw = Saw::Events { events: vec![pong()], order: crate::model::Order::Exact };
    let awaited = Scenario::uncatalogued("a", vec![wait], saw.clone(), Ending::ordinary());
    let rows = |scenario: &Scenario| {
        Diagram::of(scenario)
            .0
            .into_iter()
            .filter(|row| row.label().starts_with("pong, empty"))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(&awaited), [Row::Theirs("pong, empty, awaited".to_owned())]);
    let unawaited = Scenario { steps: Vec::new(), ..awaited };
    assert_eq!(rows(&unawaited), [Row::Theirs("pong, empty".to_owned())]);
}

/// A file of a user's may hold anything.
#[test]
fn control_characters_are_made_visible() {
    let mut scenario = Scenario::uncatalogued("a", Vec::new(), Saw::Answers, Ending::ordinary());
    scenario.title = "evil \u{1b}[2J\u{9b}".to_owned();
    let text = explain(&scenario, &Catalogue::default(), Register::embedded());
    assert!(text.starts_with("a  evil \\u{1b}[2J\\u{9b}\n"), "{text}");
}

#[test]
fn lines_end_between_words_where_they_can() {
    assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
    assert_eq!(wrapped("", 4), [""]);
}
