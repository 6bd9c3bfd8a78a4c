//! What a frame breaks, and whether that is passed over.

use wsgrade_codec::Role;
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::wire::{Header, LengthForm, Opcode, Piece, Rsv};

use super::defect::Nature;
use super::table::Defect;

/// The code to fail a connection with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure(pub(super) u16);

/// A breach, and the frame that it was found in.
struct Breach<'a> {
    rule: Rule,
    header: &'a Header,
    /// What there is of the body of a control frame.
    body: &'a [u8],
}

impl Breach<'_> {
    fn opcode(&self) -> Opcode {
        self.header.opcode
    }

    fn is(&self, rule: Rule, opcode: Opcode) -> bool {
        self.rule == rule && self.opcode() == opcode
    }

    fn is_opcode(&self, value: u8) -> bool {
        self.rule == Rule::ReservedOpcode && self.opcode().value() == value
    }

    /// A reserved bit, whichever it is.
    fn is_rsv(&self) -> bool {
        matches!(self.rule, Rule::ReservedBits | Rule::Rsv1NotNegotiated)
    }

    fn is_rsv_of_message(&self, only: Rsv) -> bool {
        self.is_rsv() && self.opcode().kind().is_some() && self.header.rsv == only
    }

    fn is_mask(&self) -> bool {
        matches!(self.rule, Rule::UnmaskedByClient | Rule::MaskedByServer)
    }

    fn is_code(&self) -> bool {
        matches!(
            self.rule,
            Rule::CloseCodeReserved
                | Rule::CloseCodeUnused
                | Rule::CloseCodeUnregistered
                | Rule::CloseCodeOutOfRange
        )
    }

    /// The code of a Close that it is about.
    fn code(&self) -> Option<u16> {
        match (self.is_code(), self.body) {
            (true, [high, low, ..]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }
}

/// What a breach has to be like.
type Applies = fn(&Breach<'_>) -> bool;

/// Which defect passes over what.
const TOLERANCES: &[(Defect, Applies)] = &[
    (Defect::TakesOpcode3, |breach| breach.is_opcode(3)),
    (Defect::TakesOpcode4, |breach| breach.is_opcode(4)),
    (Defect::TakesOpcode5, |breach| breach.is_opcode(5)),
    (Defect::TakesOpcode6, |breach| breach.is_opcode(6)),
    (Defect::TakesOpcode7, |breach| breach.is_opcode(7)),
    (Defect::TakesOpcodeB, |breach| breach.is_opcode(0xB)),
    (Defect::TakesOpcodeC, |breach| breach.is_opcode(0xC)),
    (Defect::TakesOpcodeD, |breach| breach.is_opcode(0xD)),
    (Defect::TakesOpcodeE, |breach| breach.is_opcode(0xE)),
    (Defect::TakesOpcodeF, |breach| breach.is_opcode(0xF)),
    (Defect::TakesRsv1, |breach| breach.is_rsv_of_message(Rsv::RSV1)),
    (Defect::TakesRsv2, |breach| breach.is_rsv_of_message(Rsv::RSV2)),
    (Defect::TakesRsv3, |breach| breach.is_rsv_of_message(Rsv::RSV3)),
    (Defect::TakesSeveralRsv, |breach| {
        breach.is_rsv() && breach.opcode().kind().is_some() && breach.header.rsv.value().count_ones() > 1
    }),
    (Defect::TakesRsvOnPing, |breach| breach.is_rsv() && breach.opcode() == Opcode::PING),
    (Defect::TakesRsvOnClose, |breach| breach.is_rsv() && breach.opcode() == Opcode::CLOSE),
    (Defect::TakesRsvOnContinuation, |breach| breach.is_rsv() && breach.opcode() == Opcode::CONTINUATION),
    (Defect::TakesWrongMaskOnData, |breach| breach.is_mask() && breach.opcode().kind().is_some()),
    (Defect::DeliversWrongMask, |breach| breach.is_mask() && breach.opcode().kind().is_some()),
    (Defect::TakesWrongMaskOnPing, |breach| breach.is_mask() && breach.opcode() == Opcode::PING),
    (Defect::TakesWrongMaskOnClose, |breach| breach.is_mask() && breach.opcode() == Opcode::CLOSE),
    (Defect::MisreadsMaskedClose, |breach| breach.is(Rule::MaskedByServer, Opcode::CLOSE)),
    (Defect::TakesWrongMaskOnContinuation, |breach| {
        breach.is_mask() && breach.opcode() == Opcode::CONTINUATION
    }),
    (Defect::WaitsForTopBit, |breach| breach.rule == Rule::LengthTopBit),
    (Defect::TakesLongForm, |breach| breach.rule == Rule::MinimalLength && !breach.opcode().is_control()),
    (Defect::TakesLongFormOnPing, |breach| breach.is(Rule::MinimalLength, Opcode::PING)),
    (Defect::TakesLongPing, |breach| breach.is(Rule::ControlLength, Opcode::PING)),
    (Defect::TakesLongPong, |breach| breach.is(Rule::ControlLength, Opcode::PONG)),
    (Defect::TakesLongClose, |breach| breach.is(Rule::ControlLength, Opcode::CLOSE)),
    (Defect::TakesFragmentedPing, |breach| breach.is(Rule::ControlFragmented, Opcode::PING)),
    (Defect::TakesFragmentedPong, |breach| breach.is(Rule::ControlFragmented, Opcode::PONG)),
    (Defect::TakesFragmentedClose, |breach| breach.is(Rule::ControlFragmented, Opcode::CLOSE)),
    (Defect::TakesLastContinuationAlone, |breach| {
        breach.rule == Rule::ContinuationWithoutStart && breach.header.fin
    }),
    (Defect::TakesContinuationAlone, |breach| {
        breach.rule == Rule::ContinuationWithoutStart && !breach.header.fin
    }),
    (Defect::TakesTextInside, |breach| breach.is(Rule::InterleavedMessage, Opcode::TEXT)),
    (Defect::JoinsTextInside, |breach| breach.is(Rule::InterleavedMessage, Opcode::TEXT)),
    (Defect::TakesBinaryInside, |breach| breach.is(Rule::InterleavedMessage, Opcode::BINARY)),
    (Defect::TakesRsv1OnContinuation, |breach| breach.rule == Rule::Rsv1OnContinuation),
    (Defect::TakesRsv1OnPing, |breach| breach.is(Rule::Rsv1OnControl, Opcode::PING)),
    (Defect::TakesRsv1OnPong, |breach| breach.is(Rule::Rsv1OnControl, Opcode::PONG)),
    (Defect::TakesRsv1OnClose, |breach| breach.is(Rule::Rsv1OnControl, Opcode::CLOSE)),
    (Defect::TakesOneByteClose, |breach| breach.rule == Rule::CloseBodyOneByte),
    (Defect::ReasonUnchecked, |breach| breach.rule == Rule::CloseReasonUtf8),
    (Defect::TakesCode0, |breach| breach.code() == Some(0)),
    (Defect::TakesCode999, |breach| breach.code() == Some(999)),
    (Defect::TakesCode1004, |breach| breach.code() == Some(1004)),
    (Defect::TakesCode1005, |breach| breach.code() == Some(1005)),
    (Defect::TakesCode1006, |breach| breach.code() == Some(1006)),
    (Defect::TakesCode1015, |breach| breach.code() == Some(1015)),
    (Defect::TakesCode1016, |breach| matches!(breach.code(), Some(1016..=1100))),
    (Defect::TakesCode2000, |breach| matches!(breach.code(), Some(1101..=2998))),
    (Defect::TakesCode2999, |breach| breach.code() == Some(2999)),
    (Defect::TakesCode5000, |breach| breach.code() == Some(5000)),
    (Defect::TakesCode65535, |breach| breach.code() == Some(65_535)),
];

/// Which rule a breach has to be of.
type Breaks = fn(Rule) -> bool;

/// Which defect fails the connection with another code, and at what.
const WRONG_CODES: &[(Defect, Breaks, u16)] = &[
    (Defect::ClosesOpcodeWith1003, |rule| rule == Rule::ReservedOpcode, 1003),
    (Defect::ClosesRsvWith1007, |rule| matches!(rule, Rule::ReservedBits | Rule::Rsv1NotNegotiated), 1007),
    (Defect::ClosesUtf8With1002, is_utf8, 1002),
    (
        Defect::ClosesBadCodeWith1000,
        |rule| {
            matches!(
                rule,
                Rule::CloseCodeReserved
                    | Rule::CloseCodeUnused
                    | Rule::CloseCodeUnregistered
                    | Rule::CloseCodeOutOfRange
            )
        },
        1000,
    ),
    (Defect::ClosesCorruptWith1000, |rule| rule == Rule::DeflateData, 1000),
    (Defect::FailsWith1000, |_| true, 1000),
];

fn is_utf8(rule: Rule) -> bool {
    matches!(rule, Rule::TextUtf8 | Rule::CloseReasonUtf8)
}

/// The failure that a breach of this rule is.
pub(super) fn failure(rule: Rule, nature: &Nature) -> Failure {
    let wrong = WRONG_CODES.iter().find(|(defect, applies, _)| applies(rule) && nature.has(*defect));
    Failure(match wrong {
        Some((_, _, code)) => *code,
        // "1007 indicates that an endpoint is terminating the connection because it has received data within a message
        // that was not consistent with the type of the message" (RFC 6455, 7.4.1)
        None if is_utf8(rule) => 1007,
        None => 1002,
    })
}

/// A control frame, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Control {
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Vec<u8>),
}

/// Judges the frames of the peer, but for the payload of its messages.
#[derive(Debug)]
pub(super) struct Law {
    checker: Checker,
    deflate: bool,
    /// The body of the control frame that is coming.
    body: Vec<u8>,
}

impl Law {
    pub(super) fn new(peer: Role, negotiated: Negotiated) -> Self {
        Self {
            checker: Checker::new(peer, negotiated),
            deflate: negotiated.deflate.is_some(),
            body: Vec::new(),
        }
    }

    /// Judges a header.
    pub(super) fn header(&mut self, header: &Header, nature: &Nature) -> Result<(), Failure> {
        let in_message = self.checker.in_message().is_some();
        self.body.clear();
        self.checker.push(Piece::Header(*header));
        self.judge(header, nature)?;
        refuses(header, in_message, self.deflate, nature)
    }

    /// Takes what came of the body of a control frame. That of messages is not for here.
    pub(super) fn payload(&mut self, bytes: bytes::Bytes, offset: u64) {
        self.body.extend_from_slice(&bytes);
        self.checker.push(Piece::Payload { bytes, offset });
    }

    /// Judges a frame at its end; gives it, if it is a control frame.
    pub(super) fn end(&mut self, header: &Header, nature: &Nature) -> Result<Option<Control>, Failure> {
        self.checker.push(Piece::End);
        self.judge(header, nature)?;
        let body = std::mem::take(&mut self.body);
        Ok(match header.opcode {
            Opcode::PING => Some(Control::Ping(body)),
            Opcode::PONG => Some(Control::Pong(body)),
            Opcode::CLOSE => Some(Control::Close(body)),
            _ => None,
        })
    }

    /// The first breach that is not passed over.
    fn judge(&mut self, header: &Header, nature: &Nature) -> Result<(), Failure> {
        let body = &self.body;
        let mut failed = Ok(());
        for item in self.checker.by_ref() {
            let rule = match item {
                Item::Violation(violation) => violation.rule,
                Item::Message { .. }
                | Item::TooBig { .. }
                | Item::Ping(_)
                | Item::Pong(_)
                | Item::Close { .. } => {
                    continue;
                }
            };
            // The payload of messages is judged elsewhere and was kept from the checker; what comes after a Close is
            // discarded, and whose code 1010 is does not fail a connection.
            let elsewhere = matches!(
                rule,
                Rule::TextUtf8
                    | Rule::DeflateData
                    | Rule::ControlAfterClose
                    | Rule::DataAfterClose
                    | Rule::CloseCodeRole
            );
            let breach = Breach { rule, header, body };
            let tolerated =
                || TOLERANCES.iter().any(|(defect, applies)| applies(&breach) && nature.has(*defect));
            if failed.is_ok() && !elsewhere && !tolerated() {
                failed = Err(failure(rule, nature));
            }
        }
        failed
    }
}

/// What is lawful and fails the connection nevertheless.
fn refuses(header: &Header, in_message: bool, deflate: bool, nature: &Nature) -> Result<(), Failure> {
    let length = header.length;
    let signed = length.form() == LengthForm::Bits16 && length.value() >= 0x8000;
    let empty = header.opcode == Opcode::CONTINUATION && length.value() == 0;
    let inside = header.opcode == Opcode::PING && in_message;
    let plain = deflate && header.opcode.kind().is_some() && !header.rsv.contains(Rsv::RSV1);
    let refused = [
        (signed, Defect::Reads16BitsSigned),
        (empty, Defect::RefusesEmptyContinuation),
        (inside, Defect::FailsPingInside),
        (plain, Defect::RefusesPlain),
    ];
    match refused.into_iter().any(|(applies, defect)| applies && nature.has(defect)) {
        true => Err(Failure(1002)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(header: Header, defect: Option<Defect>) -> Result<(), Failure> {
        let mut law = Law::new(Role::Client, Negotiated::default());
        law.header(&header, &Nature::new(defect))
    }

    fn frame(opcode: u8) -> Header {
        Header::new(Opcode::new(opcode).unwrap(), Some([1, 2, 3, 4]), 3)
    }

    #[test]
    fn a_breach_is_passed_over_by_its_defect_alone() {
        assert_eq!(judged(frame(3), Some(Defect::TakesOpcode3)), Ok(()));
        assert_eq!(judged(frame(4), Some(Defect::TakesOpcode3)), Err(Failure(1002)));
        assert_eq!(judged(frame(3), None), Err(Failure(1002)));
        // Two breaches in one frame: one that is passed over does not hide the other.
        let unmasked = Header { mask: None, ..frame(3) };
        assert_eq!(judged(unmasked, Some(Defect::TakesOpcode3)), Err(Failure(1002)));
        let rsv = Header { rsv: Rsv::RSV1 | Rsv::RSV3, ..frame(1) };
        assert_eq!(judged(rsv, Some(Defect::TakesRsv1)), Err(Failure(1002)));
        assert_eq!(judged(rsv, Some(Defect::TakesSeveralRsv)), Ok(()));
    }

    #[test]
    fn codes_are_wrong_by_their_defect_alone() {
        let code = |rule, defect| failure(rule, &Nature::new(defect)).0;
        assert_eq!(code(Rule::TextUtf8, None), 1007);
        assert_eq!(code(Rule::TextUtf8, Some(Defect::ClosesUtf8With1002)), 1002);
        assert_eq!(code(Rule::ReservedOpcode, Some(Defect::ClosesUtf8With1002)), 1002);
        assert_eq!(code(Rule::ReservedOpcode, Some(Defect::ClosesOpcodeWith1003)), 1003);
    }

    #[test]
    fn what_is_lawful_is_refused_by_a_defect_alone() {
        let long = Header::new(Opcode::BINARY, Some([0; 4]), 40_000);
        assert_eq!(judged(long, None), Ok(()));
        assert_eq!(judged(long, Some(Defect::Reads16BitsSigned)), Err(Failure(1002)));
        assert_eq!(
            judged(Header::new(Opcode::BINARY, Some([0; 4]), 400), Some(Defect::Reads16BitsSigned)),
            Ok(())
        );
    }
}
