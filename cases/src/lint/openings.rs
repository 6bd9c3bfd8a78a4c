//! What can be wrong with the opening handshake of a case.

use super::Findings;
use crate::load::MAX_PAYLOAD;
use crate::model::{Expected, HeaderEdit, Need, Opening, Role, Saw, Scenario};

/// What is a server's to say says nothing of a client, and the other way round.
pub(super) fn check(scenario: &Scenario, findings: &mut Findings) {
    let opening = &scenario.opening;
    let Opening {
        method,
        target,
        version: _,
        status,
        headers,
        extensions: _,
        deflate: _,
        raw,
        newline: _,
        unfinished,
        early: _,
        knock,
        tls,
        chop: _,
    } = opening;
    let for_both = scenario.roles.len() > 1;
    let of_request = method.is_some() || target.is_some() || *knock;
    if (of_request || status.is_some() || raw.is_some() || !headers.is_empty()) && for_both {
        findings.add_with_help(
            "the opening is that of one role, and the case is for both",
            "give the case roles = [\"server\"] for a request, roles = [\"client\"] for a response",
        );
    }
    let tests = |role| !for_both && scenario.roles.contains(&role);
    if status.is_some() && tests(Role::Server) {
        findings.add("`status` is for the response that a client under test gets");
    }
    if of_request && tests(Role::Client) {
        findings.add("`method`, `target` and `knock` are for the request that a server under test gets");
    }
    if raw.is_some() && (!headers.is_empty() || *unfinished) {
        findings.add("`raw` is the whole head, which nothing else can change");
    }
    let lengths = headers.iter().map(|edit| match edit {
        HeaderEdit::Set(_, value) | HeaderEdit::Add(_, value) | HeaderEdit::Raw(value) => value.len(),
        HeaderEdit::Remove(_) => 0,
    });
    if lengths.chain(raw.iter().map(|raw| raw.len())).fold(0, u64::saturating_add) > MAX_PAYLOAD {
        findings.add(format!("the head has more than {MAX_PAYLOAD} bytes"));
    }
    for (n, accept) in (1..).zip(&scenario.accept) {
        let Saw::Events { events, .. } = &accept.saw else { continue };
        if !events.iter().any(Expected::is_of_opening) {
            continue;
        }
        if !tests(Role::Server) && tls.is_none() {
            findings.add_with_help(
                format!("outcome {n} is about a server's answer to the opening handshake"),
                "give the case roles = [\"server\"]",
            );
        }
        if events.len() > 1 {
            findings.add(format!("outcome {n} expects something besides the end of the opening handshake"));
        }
    }
    if tls.is_some() {
        without_tls(scenario, findings);
    }
}

/// Where TLS fails, none of what would come after it can be played or seen.
fn without_tls(scenario: &Scenario, findings: &mut Findings) {
    let Scenario { roles, needs, opening, steps, stress, accept, .. } = scenario;
    if roles.contains(&Role::Server) || !needs.contains(&Need::Tls) {
        findings.add_with_help(
            "`tls` in the opening is what is wrong with our side of it towards a client",
            "give the case roles = [\"client\"] and needs = [\"tls\"]",
        );
    }
    let alone = steps.is_empty() && stress.is_none();
    if !alone || *opening != (Opening { tls: opening.tls, ..Opening::default() }) {
        findings.add(
            "`tls` in the opening makes TLS fail, so there are no steps and nothing else in the opening",
        );
    }
    for (n, accept) in (1..).zip(accept) {
        let is_seen = match &accept.saw {
            Saw::Events { events, order: _ } => {
                matches!(events[..], [Expected::Dropped | Expected::Unanswered])
            }
            Saw::Answers | Saw::Anything => false,
        };
        if !is_seen {
            findings.add_with_help(
                format!("outcome {n} is not what can be seen where TLS fails"),
                "such as saw = [{ dropped = \"tcp\" }]",
            );
        }
    }
}
