//! Exchanges, and the compression they are to go with.

use wsgrade_codec::Kind;

use super::{Findings, numbered};
use crate::load::{MAX_MESSAGES, MAX_PAYLOAD};
use crate::model::{Awaited, Exchange, Expected, Need, Saw, Scenario, Source, Step};

/// No exchange has more units in all, at full depth.
const MAX_EXCHANGED: u64 = 1 << 30;

pub(super) fn check(scenario: &Scenario, findings: &mut Findings) {
    let opening = &scenario.opening;
    if !opening.deflate.is_empty() && !opening.extensions.is_empty() {
        findings.add_with_help(
            "the opening has both `deflate` and `extensions`",
            "`deflate` writes the extension's offers itself; offer it by `extensions` alone, or by `deflate` alone",
        );
    }
    let windows = opening.deflate.iter().flat_map(|wish| [wish.max_window_bits, wish.our_window_bits]);
    if windows.flatten().any(|bits| !(8..=15).contains(&bits)) {
        findings.add("a window has 8 to 15 bits");
    }
    let mut lengths = Vec::new();
    for (n, step) in numbered(scenario) {
        match step {
            Step::Exchange(exchange) => {
                lengths.push(exchange.messages);
                let size = u64::from(exchange.size);
                if size > MAX_PAYLOAD {
                    findings.add(format!("step {n} exchanges messages of more than {MAX_PAYLOAD} bytes"));
                }
                if exchange.messages > MAX_MESSAGES {
                    findings.add(format!("step {n} exchanges more than {MAX_MESSAGES} messages"));
                }
                if size * u64::from(exchange.messages) > MAX_EXCHANGED {
                    findings.add(format!("step {n} exchanges more than {MAX_EXCHANGED} bytes in all"));
                }
                if exchange.kind == Kind::Text && !are_texts(exchange) {
                    findings.add_with_help(
                        format!("step {n} exchanges texts that are not UTF-8"),
                        "the corpora json, prose and html are texts; `repeat` has to end with a whole character",
                    );
                }
                if exchange.compressed && opening.deflate.is_empty() {
                    findings.add_with_help(
                        format!("step {n} is compressed, but the opening does not ask for it"),
                        "add opening = { deflate = [{}] }",
                    );
                }
                if exchange.compressed && !scenario.needs.contains(&Need::Deflate) {
                    findings.add_with_help(
                        format!("step {n} is compressed, but the case does not need permessage-deflate"),
                        "add \"deflate\" to `needs`",
                    );
                }
            }
            Step::Await { event: Awaited::Answer(Expected::Exchanged(_) | Expected::Declined), .. } => {
                findings.add(format!("step {n} waits for an exchange, which waits for itself"));
            }
            Step::Await { event: Awaited::Answer(expected), .. } if expected.is_of_opening() => {
                findings.add(format!("step {n} waits for an opening handshake that ended before it"));
            }
            Step::Send(_)
            | Step::More { .. }
            | Step::Raw { .. }
            | Step::Await { .. }
            | Step::Probe { .. }
            | Step::Pause { .. }
            | Step::Read(_)
            | Step::Hold { .. }
            | Step::End(_) => {}
        }
    }
    for (n, accept) in (1..).zip(&scenario.accept) {
        let Saw::Events { events, .. } = &accept.saw else { continue };
        for event in events {
            match event {
                Expected::Exchanged(messages) if !lengths.contains(messages) => {
                    findings.add(format!(
                        "outcome {n} expects {messages} messages exchanged, which no step does"
                    ));
                }
                Expected::Declined if opening.deflate.is_empty() => {
                    findings.add_with_help(
                        format!(
                            "outcome {n} expects that the peer declines what the opening does not ask for"
                        ),
                        "add opening = { deflate = [{}] }",
                    );
                }
                Expected::Text(_)
                | Expected::Binary(_)
                | Expected::Pong(_)
                | Expected::Open(_)
                | Expected::Exchanged(_)
                | Expected::Declined
                | Expected::Refused { .. }
                | Expected::Dropped
                | Expected::Unanswered => {}
            }
        }
    }
}

/// Whether every message is UTF-8.
fn are_texts(exchange: &Exchange) -> bool {
    match &exchange.source {
        Source::Corpus(corpus) => corpus.is_text(),
        Source::Repeat(unit) if unit.is_ascii() => true,
        // Beyond the bound nobody wants to see the bytes.
        Source::Repeat(_) => {
            u64::from(exchange.size) > MAX_PAYLOAD || std::str::from_utf8(&exchange.message(0)).is_ok()
        }
    }
}
