//! Both sides of every verdict: a server that earns it and one that does not.

use wsgrade_cases::Catalogue;
use wsgrade_codec::Role;
use wsgrade_reports::record::{Behavior, CloseVerdict};

use super::judge;
use crate::plan::Plan;
use crate::simulated::{Quirk, play_case};

#[track_caller]
fn expect(id: &str, quirk: Quirk, behavior: Behavior, close: CloseVerdict) {
    let played = play_case(id, quirk);
    let judgement = &played.judgement;
    assert_eq!(
        (judgement.behavior, judgement.close),
        (behavior, close),
        "{id} {quirk:?}: {:#?}\n{:#?}",
        judgement.findings,
        played.transcript
    );
    let plain = behavior == Behavior::Pass && close == CloseVerdict::Pass;
    assert!(
        plain || !judgement.findings.is_empty(),
        "{id} {quirk:?} is {behavior} and {close} for no reason"
    );
}

#[test]
fn answers() {
    use Behavior::{Fail, Pass};
    expect("1.1.2", Quirk::None, Pass, CloseVerdict::Pass);
    expect("1.1.2", Quirk::FragmentsEcho, Pass, CloseVerdict::Pass);
    // More frames than a transcript has entries: the Close frames behind them count all the same.
    expect("9.1.2", Quirk::FragmentsEcho, Pass, CloseVerdict::Pass);
    expect("1.1.2", Quirk::CorruptsEcho, Fail, CloseVerdict::Pass);
    expect("1.1.2", Quirk::EchoesBinary, Fail, CloseVerdict::Pass);
    expect("1.1.2", Quirk::EchoesTwice, Fail, CloseVerdict::Pass);
    expect("1.1.2", Quirk::Silent, Fail, CloseVerdict::Unclean);
    expect("1.2.2", Quirk::EchoesBinary, Pass, CloseVerdict::Pass);
}

#[test]
fn pongs() {
    use Behavior::{Fail, Informational, Pass};
    expect("2.2", Quirk::None, Pass, CloseVerdict::Pass);
    expect("2.2", Quirk::NoPong, Fail, CloseVerdict::Pass);
    expect("2.2", Quirk::WrongPong, Fail, CloseVerdict::Pass);
    expect("2.10", Quirk::None, Pass, CloseVerdict::Pass);
    expect("2.10", Quirk::LatestPongOnly, Informational, CloseVerdict::Pass);
    expect("2.10", Quirk::NoPong, Fail, CloseVerdict::Pass);
}

#[test]
fn violations_must_fail_the_connection() {
    use Behavior::{Fail, Pass};
    for id in ["2.5", "3.1", "4.1.1", "5.1", "5.9", "6.3.1", "F.1"] {
        expect(id, Quirk::None, Pass, CloseVerdict::Pass);
        expect(id, Quirk::DropsOnViolation, Pass, CloseVerdict::Dropped);
        expect(id, Quirk::IgnoresViolations, Fail, CloseVerdict::WrongSide);
    }
    expect("4.1.1", Quirk::FailsWith(1011), Pass, CloseVerdict::WrongCode);
    expect("4.1.1", Quirk::EndsAtOnce, Pass, CloseVerdict::Dropped);
}

#[test]
fn closing() {
    use Behavior::{Fail, Pass};
    expect("7.1.1", Quirk::NoCloseReply, Fail, CloseVerdict::Unclean);
    expect("1.1.1", Quirk::NoCloseReply, Pass, CloseVerdict::Unclean);
    expect("1.1.1", Quirk::LeavesTcpOpen, Pass, CloseVerdict::FailedByPeer);
    expect("1.1.1", Quirk::RepliesWith(1011), Pass, CloseVerdict::WrongCode);
    expect("1.1.1", Quirk::ClosesAtOnce, Fail, CloseVerdict::WrongSide);
    expect("7.7.2", Quirk::None, Pass, CloseVerdict::Pass);
    expect("7.7.2", Quirk::RepliesWith(1000), Pass, CloseVerdict::Pass);
    expect("7.7.2", Quirk::RepliesWith(1002), Fail, CloseVerdict::WrongCode);
    expect("7.9.4", Quirk::None, Pass, CloseVerdict::Pass);
    expect("7.9.4", Quirk::IgnoresViolations, Fail, CloseVerdict::WrongCode);
}

/// What breaks a rule in the peer's own frames fails every case, whatever the answers.
#[test]
fn violations_of_the_peer() {
    let played = play_case("1.1.2", Quirk::Masks);
    assert_eq!(played.judgement.behavior, Behavior::Fail);
    assert_eq!(played.judgement.findings.len(), 1, "each rule once: {:#?}", played.judgement.findings);
    assert_eq!(played.judgement.findings[0].rule, "rfc6455-5.1-server-does-not-mask");
}

/// A case for both roles may test a rule of each, and blames the one that binds who is under test.
#[test]
fn the_main_rule_binds_the_role_under_test() {
    let scenario = |id: &str| Catalogue::embedded().get(&id.parse().expect("an id")).expect("a case");
    let main = |id, role| super::main_rule(scenario(id), role);
    assert_eq!(main("F.1", Role::Server), "rfc6455-5.1-server-fails-unmasked");
    assert_eq!(main("F.1", Role::Client), "rfc6455-5.1-client-fails-masked");
    for role in [Role::Server, Role::Client] {
        assert_eq!(main("1.1.1", role), "rfc6455-5.2-payload-length");
    }
}

#[test]
fn no_connection_is_nobodys_fault() {
    for quirk in [Quirk::Refuses, Quirk::NeverOpens, Quirk::NotHttp] {
        expect("1.1.1", quirk, Behavior::Inconclusive, CloseVerdict::Inconclusive);
    }
}

/// A 101 opens the connection, and what it breaks is held against the server in every case.
#[test]
fn a_response_that_breaks_a_rule_fails_the_case_that_goes_on() {
    expect("1.1.1", Quirk::WrongAccept, Behavior::Fail, CloseVerdict::Pass);
    assert_eq!(play_case("1.1.1", Quirk::WrongAccept).judgement.findings[0].rule, "rfc6455-4.2.2-accept");
}

#[test]
fn the_words_of_a_finding() {
    let words = |id, quirk| {
        let findings = play_case(id, quirk).judgement.findings;
        findings
            .iter()
            .map(|f| format!("{}\n  expected: {}\n  observed: {}\n", f.rule, f.expected, f.observed))
            .collect::<String>()
    };
    let text = [
        words("1.1.1", Quirk::EchoesTwice),
        words("2.2", Quirk::NoPong),
        words("4.1.1", Quirk::IgnoresViolations),
        words("4.1.1", Quirk::DropsOnViolation),
        words("1.1.1", Quirk::LeavesTcpOpen),
        words("1.1.1", Quirk::Refuses),
        words("1.1.1", Quirk::NotHttp),
        words("1.1.1", Quirk::WrongAccept),
    ]
    .join("\n");
    insta::assert_snapshot!(text, @r#"
    rfc6455-5.2-payload-length
      expected: text, empty; we close, and the peer answers with code 1000
      observed: text of 0 bytes, text of 0 bytes; then the peer answered our Close with Close 1000

    rfc6455-5.5.3-same-data
      expected: pong, 13 bytes "Hello, world!"; we close, and the peer answers with code 1000
      observed: no answer; waited in vain for the expected answers; then the peer answered our Close with Close 1000

    rfc6455-5.2-reserved-opcode
      expected: no answer; the peer closes with code 1002 or drops the connection
      observed: no answer; waited in vain for the peer to fail the connection; then the peer answered our Close with Close 1001
    rfc6455-7.1.7-send-close
      expected: the peer fails the connection with Close 1002
      observed: the peer answered our Close with Close 1001

    rfc6455-7.1.7-send-close
      expected: the peer fails the connection with Close 1002
      observed: the peer ended TCP without a Close frame

    rfc6455-7.1.1-server-ends-tcp
      expected: the server ends TCP once the closing handshake is done
      observed: the server left TCP open after the closing handshake

    rfc6455-5.2-payload-length
      expected: a connection on which the case can be played
      observed: the server answered 503 Service Unavailable instead of 101

    rfc6455-5.2-payload-length
      expected: a connection on which the case can be played
      observed: what answers there is not HTTP: it began with "SSH-2.0-OpenSSH_9.9"

    rfc6455-4.2.2-accept
      expected: A |Sec-WebSocket-Accept| header field. The value of this header field is constructed by concatenating /key/, defined above in step 4 in Section 4.2.2, with the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", taking the SHA-1 hash of this concatenated value to obtain a 20-byte value and base64-encoding (see Section 4 of [RFC4648]) this 20-byte hash.
      observed: the Sec-WebSocket-Accept does not answer the key
    "#);
}

/// Where TLS fails there are no frames: what a client did instead is in the words of who watched it.
#[test]
fn a_client_whose_tls_failed() {
    use wsgrade_reports::record::{Entry, Transcript, Unopened, What};
    let scenarios = Catalogue::embedded().scenarios();
    let scenario = scenarios.iter().find(|scenario| scenario.id.as_str() == "S.4.3").unwrap();
    let plan = Plan::alone(scenario.clone());
    let judged = |whats: Vec<What>| {
        let entries =
            whats.into_iter().map(|what| Entry { at_us: 0, step: None, prelude: false, what }).collect();
        let judgement = judge(&plan, Role::Client, &Transcript { entries });
        let mut told = vec![format!("{} {}", judgement.behavior, judgement.close)];
        told.extend(
            judgement.findings.iter().map(|found| format!("{}; not: {}", found.observed, found.expected)),
        );
        told.join("\n")
    };
    let unopened = |how| What::OpeningFailed {
        status: None,
        reason: "it did this".to_owned(),
        how: Some(how),
        versions: None,
    };
    let spoke = What::Violation { rule: "rfc6455-4.1-tls-failure".to_owned(), detail: "it spoke".to_owned() };
    let told = [
        judged(vec![unopened(Unopened::Dropped), What::EndOfStream]),
        judged(vec![unopened(Unopened::Unanswered)]),
        judged(vec![spoke]),
        judged(vec![What::Trouble { reason: "it never came".to_owned() }]),
        judged(Vec::new()),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    pass informational
    informational informational
    it did this: it says nothing more, and had not ended TCP when we stopped waiting; not: the connection ended, and no request
    fail informational
    it spoke; not: If this fails (e.g., the server's certificate could not be verified), then the client MUST _Fail the WebSocket Connection_ and abort the connection.
    inconclusive inconclusive
    it never came; not: a connection on which the case can be played
    fail informational
    no answer; then the peer kept the connection open; not: the connection ended, and no request
    ");
}
