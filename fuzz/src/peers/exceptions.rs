//! Where others differ from our strict endpoint, by the rule that they see otherwise. A test fails when one of these is
//! needed no more.

use wsgrade_codec::check::Rule;
use wsgrade_codec::close::{CloseCode, CloseFrame};

use super::{End, Heard, Said};
use crate::plain::Frames;

/// Something that a codec does otherwise than our endpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Exception {
    /// The rules it is about. None, where it is about a limit.
    pub rules: &'static [Rule],
    /// What they do.
    pub they: They,
    /// How that is to be judged, in a sentence.
    pub why: &'static str,
}

/// What a codec does otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum They {
    /// Our endpoint fails the connection; they do not mind, and go on.
    Accept,
    /// Our endpoint fails the connection; they look at a frame when all of it is there, and it is not.
    WaitForTheFrame,
    /// Our endpoint fails the connection; they hand out the Close frame as one with code 1002, which is what they answer.
    AnswerTheClose,
    /// Our endpoint takes a Close frame; they do not know its code, and answer it with 1002.
    RefuseTheCode,
    /// They fail the connection; our endpoint waits for what is missing of the frame.
    FailSooner,
}

/// An exception, and the one of its rules that made the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excuse {
    /// The exception.
    pub exception: &'static Exception,
    /// The rule, where it is about one.
    pub rule: Option<Rule>,
}

impl Exception {
    /// Whether it explains what was heard.
    pub(super) fn excuses(&'static self, ours: &Heard, theirs: &Heard, frames: &Frames) -> Option<Excuse> {
        let rule = match (self.they, &ours.end) {
            (They::Accept | They::WaitForTheFrame | They::AnswerTheClose, End::Failed(rule)) => *rule,
            (They::RefuseTheCode, End::Closed) | (They::FailSooner, End::Open) => self.rules.first().copied(),
            (They::Accept | They::WaitForTheFrame | They::AnswerTheClose, End::Closed | End::Open)
            | (They::RefuseTheCode, End::Failed(_) | End::Open)
            | (They::FailSooner, End::Failed(_) | End::Closed) => return None,
        };
        let about = match &rule {
            Some(rule) => self.rules.contains(rule),
            None => self.rules.is_empty(),
        };
        (about && self.is_seen(ours, theirs, frames)).then_some(Excuse { exception: self, rule })
    }

    fn is_seen(&self, ours: &Heard, theirs: &Heard, frames: &Frames) -> bool {
        let further = theirs.said.strip_prefix(&ours.said[..]);
        match self.they {
            They::Accept => further.is_some(),
            They::WaitForTheFrame => {
                let cut = frames.open.is_some() || !frames.rest.is_empty();
                cut && theirs.end == End::Open && further == Some(&[])
            }
            They::AnswerTheClose => further == Some(&[answer()]),
            They::RefuseTheCode => match (&ours.said[..], &theirs.said[..]) {
                ([before @ .., Said::Close(frame)], [same @ .., other]) => {
                    before == same && *other == answer() && frame.code == Some(CloseCode::BAD_GATEWAY)
                }
                _ => false,
            },
            They::FailSooner => {
                let close_of_one_byte = match (&frames.open, &frames.rest[..]) {
                    (Some((header, _)), _) => header.opcode == 8 && header.length == 1,
                    (None, rest) => {
                        matches!(rest, [first, second, ..] if first & 15 == 8 && second & 127 == 1)
                    }
                };
                close_of_one_byte && theirs.end == End::Failed(None) && further == Some(&[])
            }
        }
    }
}

/// What `tungstenite` makes of a Close with a code that it does not like.
fn answer() -> Said {
    Said::Close(CloseFrame::new(CloseCode::PROTOCOL_ERROR, "Protocol violation"))
}

/// Those of `tungstenite` 0.30.
pub const TUNGSTENITE: &[Exception] = &[
    Exception {
        rules: &[
            Rule::UnmaskedByClient,
            Rule::MaskedByServer,
            Rule::ReservedBits,
            Rule::Rsv1NotNegotiated,
            Rule::ReservedOpcode,
            Rule::ControlFragmented,
            Rule::ControlLength,
            Rule::ContinuationWithoutStart,
            Rule::InterleavedMessage,
            Rule::MinimalLength,
            Rule::LengthTopBit,
            Rule::TextUtf8,
            Rule::CloseReasonUtf8,
            Rule::CloseCodeUnused,
            Rule::CloseCodeReserved,
            Rule::CloseCodeUnregistered,
            Rule::CloseCodeOutOfRange,
        ],
        they: They::WaitForTheFrame,
        why: "permitted: no sentence says how soon an endpoint has to fail the connection",
    },
    Exception {
        rules: &[],
        they: They::WaitForTheFrame,
        why: "permitted: the limit of a frame is looked at when its masking key is there too, that of a message when the frame is",
    },
    Exception {
        rules: &[Rule::MinimalLength, Rule::ControlLength],
        they: They::Accept,
        why: "a defect: \"the minimal number of bytes MUST be used to encode the length\" (RFC 6455 5.2); control frames \
              with a short length in a longer form our endpoint fails by their form alone",
    },
    Exception {
        rules: &[
            Rule::CloseCodeUnused,
            Rule::CloseCodeReserved,
            Rule::CloseCodeUnregistered,
            Rule::CloseCodeOutOfRange,
        ],
        they: They::AnswerTheClose,
        why: "the same verdict in other words: what it answers is 1002",
    },
    Exception {
        rules: &[Rule::CloseCodeUnregistered],
        they: They::RefuseTheCode,
        why: "permitted: 1014 was registered after RFC 6455, and is one of those \"reserved for definition\" to who does not \
              know the registry (7.4.2)",
    },
];

/// Those of `tokio-websockets` 0.13.
pub const TOKIO_WEBSOCKETS: &[Exception] = &[
    Exception {
        rules: &[Rule::TextUtf8],
        they: They::Accept,
        why: "a defect: a text that ends within a character is taken where its last frame is empty, though \"the whole message \
              MUST contain valid UTF-8\" (RFC 6455 5.6)",
    },
    Exception {
        rules: &[
            Rule::CloseReasonUtf8,
            Rule::CloseCodeUnused,
            Rule::CloseCodeReserved,
            Rule::CloseCodeUnregistered,
            Rule::CloseCodeOutOfRange,
        ],
        they: They::WaitForTheFrame,
        why: "permitted: no sentence says how soon an endpoint has to fail the connection",
    },
    Exception {
        rules: &[],
        they: They::WaitForTheFrame,
        why: "permitted: the limit of a message is looked at when all of the frame is there",
    },
    Exception {
        rules: &[Rule::CloseBodyOneByte],
        they: They::FailSooner,
        why: "permitted: that the body has one byte is seen before the byte",
    },
];

#[cfg(test)]
mod tests {
    use wsgrade_codec::Kind;

    use super::*;
    use crate::plain;

    fn heard(said: &[&str], end: End) -> Heard {
        let message = |text: &&str| Said::Message(Kind::Text, text.as_bytes().to_vec().into());
        Heard { said: said.iter().map(message).collect(), end }
    }

    fn exception(rules: &'static [Rule], they: They) -> &'static Exception {
        Box::leak(Box::new(Exception { rules, they, why: "" }))
    }

    #[test]
    fn what_was_said_before_has_to_be_the_same() {
        let accept = exception(&[Rule::TextUtf8], They::Accept);
        let ours = heard(&["a"], End::Failed(Some(Rule::TextUtf8)));
        let whole = plain::read(&[]);
        let excuse = Excuse { exception: accept, rule: Some(Rule::TextUtf8) };
        assert_eq!(accept.excuses(&ours, &heard(&["a", "b"], End::Open), &whole), Some(excuse));
        for other in [heard(&["b", "b"], End::Open), heard(&[], End::Open)] {
            assert_eq!(accept.excuses(&ours, &other, &whole), None);
        }
        let other_rule = heard(&["a"], End::Failed(Some(Rule::MinimalLength)));
        assert_eq!(accept.excuses(&other_rule, &heard(&["a", "b"], End::Open), &whole), None);
        assert_eq!(accept.excuses(&heard(&["a"], End::Open), &heard(&["a", "b"], End::Open), &whole), None);
    }

    #[test]
    fn who_waits_has_something_to_wait_for() {
        let wait = exception(&[], They::WaitForTheFrame);
        let (ours, theirs) = (heard(&[], End::Failed(None)), heard(&[], End::Open));
        assert!(wait.excuses(&ours, &theirs, &plain::read(&[0x81])).is_some());
        assert_eq!(wait.excuses(&ours, &theirs, &plain::read(&[0x81, 0])), None);
        assert_eq!(wait.excuses(&ours, &heard(&["a"], End::Open), &plain::read(&[0x81])), None);
        assert_eq!(
            wait.excuses(&heard(&[], End::Failed(Some(Rule::TextUtf8))), &theirs, &plain::read(&[0x81])),
            None
        );
    }

    #[test]
    fn only_a_close_of_one_byte_fails_sooner() {
        let sooner = exception(&[Rule::CloseBodyOneByte], They::FailSooner);
        let (ours, theirs) = (heard(&[], End::Open), heard(&[], End::Failed(None)));
        assert!(sooner.excuses(&ours, &theirs, &plain::read(&[0x88, 1])).is_some());
        assert!(sooner.excuses(&ours, &theirs, &plain::read(&[0x88, 0x81, 0])).is_some());
        assert_eq!(sooner.excuses(&ours, &theirs, &plain::read(&[0x88, 2])), None);
        assert_eq!(sooner.excuses(&ours, &theirs, &plain::read(&[0x81, 1])), None);
    }

    #[test]
    fn only_one_code_is_too_new() {
        let refuse = exception(&[Rule::CloseCodeUnregistered], They::RefuseTheCode);
        let close = |code| Heard { said: vec![Said::Close(CloseFrame::new(code, ""))], end: End::Closed };
        let theirs = Heard { said: vec![answer()], end: End::Closed };
        assert!(refuse.excuses(&close(CloseCode::BAD_GATEWAY), &theirs, &plain::read(&[])).is_some());
        assert_eq!(refuse.excuses(&close(CloseCode::NORMAL), &theirs, &plain::read(&[])), None);
        assert_eq!(
            refuse.excuses(&close(CloseCode::BAD_GATEWAY), &heard(&[], End::Closed), &plain::read(&[])),
            None
        );
    }
}
