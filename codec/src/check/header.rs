//! What a frame header alone can break.

use super::{Rule, Violation};
use crate::Role;
use crate::wire::{Length, LengthForm, Opcode, Rsv};

/// The first two bytes of a frame: enough for most rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prefix {
    pub(crate) fin: bool,
    pub(crate) rsv: Rsv,
    pub(crate) opcode: Opcode,
    pub(crate) masked: bool,
}

/// What was agreed upon and what came before, as far as it changes the meaning of a header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) sender: Role,
    /// Whether permessage-deflate is in use.
    pub(crate) deflate: bool,
    /// Whether a message is unfinished.
    pub(crate) in_message: bool,
}

impl Prefix {
    pub(crate) fn from_bytes(first: u8, second: u8) -> Self {
        Self {
            fin: first & 0x80 != 0,
            rsv: Rsv::from_first_byte(first),
            opcode: Opcode::from_first_byte(first),
            masked: second & 0x80 != 0,
        }
    }
}

/// Calls `found` for each rule that the first two bytes break.
pub(crate) fn check_prefix(prefix: &Prefix, context: Context, found: &mut dyn FnMut(Violation)) {
    let Prefix { fin, rsv, opcode, masked } = *prefix;
    match context.sender {
        // "a client MUST mask all frames that it sends to the server" (RFC 6455, 5.1)
        Role::Client if !masked => {
            found(Violation::new(
                Rule::UnmaskedByClient,
                format!("a {opcode} frame from the client without a mask"),
            ));
        }
        // "A server MUST NOT mask any frames that it sends to the client." (RFC 6455, 5.1)
        Role::Server if masked => {
            found(Violation::new(
                Rule::MaskedByServer,
                format!("a {opcode} frame from the server with a mask"),
            ));
        }
        Role::Client | Role::Server => {}
    }

    // "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values." (RFC 6455, 5.2)
    let mut reserved = rsv.without(Rsv::RSV1);
    if rsv.contains(Rsv::RSV1) {
        let first_of_message = matches!(opcode, Opcode::TEXT | Opcode::BINARY);
        match (context.deflate, opcode) {
            // "An endpoint MUST NOT set the "Per-Message Compressed" bit of control frames and non-first fragments of
            // a data message." (RFC 7692, 6.1)
            (true, Opcode::CONTINUATION) => {
                found(Violation::new(Rule::Rsv1OnContinuation, "a continuation frame with RSV1 set"));
            }
            (true, _) if opcode.is_control() => {
                found(Violation::new(Rule::Rsv1OnControl, format!("a {opcode} frame with RSV1 set")));
            }
            (true, _) => {}
            (false, _) if first_of_message => {
                // "If a nonzero value is received and none of the negotiated extensions defines the meaning of such
                // a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_." (RFC 6455, 5.2)
                let detail = format!("a {opcode} frame with RSV1 set, and no extension was negotiated");
                found(Violation::new(Rule::Rsv1NotNegotiated, detail));
            }
            (false, _) => reserved = rsv,
        }
    }
    if !reserved.is_empty() {
        found(Violation::new(Rule::ReservedBits, format!("a {opcode} frame with {reserved} set")));
    }

    // "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_." (RFC 6455, 5.2)
    if opcode.is_reserved() {
        found(Violation::new(Rule::ReservedOpcode, format!("a frame with opcode {:#x}", opcode.value())));
    } else if opcode.is_control() {
        // "All control frames [...] MUST NOT be fragmented." (RFC 6455, 5.5)
        if !fin {
            found(Violation::new(Rule::ControlFragmented, format!("a {opcode} frame without FIN")));
        }
    } else if opcode == Opcode::CONTINUATION {
        // "A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed
        // by zero or more frames with the FIN bit clear and the opcode set to 0" (RFC 6455, 5.4)
        if !context.in_message {
            found(Violation::new(
                Rule::ContinuationWithoutStart,
                "a continuation frame, and no message was begun",
            ));
        }
    } else if context.in_message {
        // "The fragments of one message MUST NOT be interleaved between the fragments of another message"
        // (RFC 6455, 5.4)
        let detail = format!("a {opcode} frame, and the message before it was not finished");
        found(Violation::new(Rule::InterleavedMessage, detail));
    }
}

/// Calls `found` for each rule that the length breaks.
pub(crate) fn check_length(opcode: Opcode, length: Length, found: &mut dyn FnMut(Violation)) {
    // "All control frames MUST have a payload length of 125 bytes or less" (RFC 6455, 5.5)
    if opcode.is_control() && !opcode.is_reserved() && length.value() > 125 {
        found(Violation::new(Rule::ControlLength, format!("a {opcode} frame of {} bytes", length.value())));
    }
    // "the minimal number of bytes MUST be used to encode the length" (RFC 6455, 5.2)
    if !length.is_minimal() {
        let bits = if length.form() == LengthForm::Bits16 { 16 } else { 64 };
        let detail = format!("a {opcode} frame with its length of {} in {bits} bits", length.value());
        found(Violation::new(Rule::MinimalLength, detail));
    }
    // "the following 8 bytes interpreted as a 64-bit unsigned integer (the most significant bit MUST be 0)"
    // (RFC 6455, 5.2)
    if length.has_top_bit() {
        let detail = format!("a {opcode} frame with a length of {:#x}", length.value());
        found(Violation::new(Rule::LengthTopBit, detail));
    }
}
