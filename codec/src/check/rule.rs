//! The sentences.

use std::fmt;

/// One table for all rules: variant, id, source, section, level, sentence.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $source:literal, $section:literal, $level:literal, $sentence:literal;)*) => {
        /// A normative sentence which the sender of a frame can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule, in the order of the sections.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A name for ever, such as `rfc6455-5.5-control-length`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The document, `RFC 6455` or `RFC 7692`.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }

            /// The section in which the sentence stands, such as `5.5.1`.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self { $(Self::$variant => $section,)* }
            }

            /// The sentence's key word: `MUST` or `MUST NOT`; `NOTE` where it advises without one. A definition which
            /// says what a valid stream of frames is counts as `MUST`.
            #[must_use]
            pub const fn level(self) -> &'static str {
                match self { $(Self::$variant => $level,)* }
            }

            /// The sentence itself, word for word, on one line.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }
        }
    };
}

rules! {
    /// A frame from the client has no mask.
    UnmaskedByClient = "rfc6455-5.1-client-masks", "RFC 6455", "5.1", "MUST",
        "To avoid confusing network intermediaries (such as intercepting proxies) and for security reasons that are further discussed in Section 10.3, a client MUST mask all frames that it sends to the server (see Section 5.3 for further details).";
    /// A frame from the server has a mask.
    MaskedByServer = "rfc6455-5.1-server-does-not-mask", "RFC 6455", "5.1", "MUST NOT",
        "A server MUST NOT mask any frames that it sends to the client.";
    /// The client masks frame after frame with one key.
    MaskRepeated = "rfc6455-5.3-fresh-key", "RFC 6455", "5.3", "MUST",
        "When preparing a masked frame, the client MUST pick a fresh masking key from the set of allowed 32-bit values.";
    /// RSV2 or RSV3 is set, or RSV1 on a control frame or a continuation, and no extension gives the bit a meaning.
    ReservedBits = "rfc6455-5.2-reserved-bits", "RFC 6455", "5.2", "MUST",
        "MUST be 0 unless an extension is negotiated that defines meanings for non-zero values.";
    /// RSV1 is set on the first frame of a message, and compression was not agreed upon.
    Rsv1NotNegotiated = "rfc6455-5.2-rsv1-not-negotiated", "RFC 6455", "5.2", "MUST",
        "If a nonzero value is received and none of the negotiated extensions defines the meaning of such a nonzero value, the receiving endpoint MUST _Fail the WebSocket Connection_.";
    /// An opcode without a meaning.
    ReservedOpcode = "rfc6455-5.2-reserved-opcode", "RFC 6455", "5.2", "MUST",
        "If an unknown opcode is received, the receiving endpoint MUST _Fail the WebSocket Connection_.";
    /// A length written in more bytes than it needs.
    MinimalLength = "rfc6455-5.2-minimal-length", "RFC 6455", "5.2", "MUST",
        "Note that in all cases, the minimal number of bytes MUST be used to encode the length, for example, the length of a 124-byte-long string can't be encoded as the sequence 126, 0, 124.";
    /// A 64-bit length with its top bit set.
    LengthTopBit = "rfc6455-5.2-length-top-bit", "RFC 6455", "5.2", "MUST",
        "If 127, the following 8 bytes interpreted as a 64-bit unsigned integer (the most significant bit MUST be 0) are the payload length.";
    /// A continuation frame while no message is unfinished.
    ContinuationWithoutStart = "rfc6455-5.4-continuation-without-start", "RFC 6455", "5.4", "MUST",
        "A fragmented message consists of a single frame with the FIN bit clear and an opcode other than 0, followed by zero or more frames with the FIN bit clear and the opcode set to 0, and terminated by a single frame with the FIN bit set and an opcode of 0.";
    /// A new text or binary frame while a message is unfinished.
    InterleavedMessage = "rfc6455-5.4-interleaved-message", "RFC 6455", "5.4", "MUST NOT",
        "The fragments of one message MUST NOT be interleaved between the fragments of another message unless an extension has been negotiated that can interpret the interleaving.";
    /// A control frame of more than 125 bytes.
    ControlLength = "rfc6455-5.5-control-length", "RFC 6455", "5.5", "MUST",
        "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.";
    /// A control frame without the FIN bit.
    ControlFragmented = "rfc6455-5.5-control-fragmented", "RFC 6455", "5.5", "MUST NOT",
        "All control frames MUST have a payload length of 125 bytes or less and MUST NOT be fragmented.";
    /// A Close frame with one byte of body.
    CloseBodyOneByte = "rfc6455-5.5.1-close-body-length", "RFC 6455", "5.5.1", "MUST",
        "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a status code with value /code/ defined in Section 7.4.";
    /// A text or binary frame, or a continuation, after a Close frame.
    DataAfterClose = "rfc6455-5.5.1-data-after-close", "RFC 6455", "5.5.1", "MUST NOT",
        "The application MUST NOT send any more data frames after sending a Close frame.";
    /// A control frame after a Close frame, such as a second Close.
    ControlAfterClose = "rfc6455-1.4-control-after-close", "RFC 6455", "1.4", "NOTE",
        "After sending a control frame indicating the connection should be closed, a peer does not send any further data; after receiving a control frame indicating the connection should be closed, a peer discards any further data received.";
    /// A text message that is not UTF-8.
    TextUtf8 = "rfc6455-5.6-text-utf8", "RFC 6455", "5.6", "MUST",
        "Note that a particular text frame might include a partial UTF-8 sequence; however, the whole message MUST contain valid UTF-8.";
    /// A Close frame says 1004, 1005, 1006 or 1015.
    CloseCodeReserved = "rfc6455-7.4.1-close-code-reserved", "RFC 6455", "7.4.1", "MUST NOT",
        "1005 is a reserved value and MUST NOT be set as a status code in a Close control frame by an endpoint.";
    /// The server says 1010, which is the client's.
    CloseCodeRole = "rfc6455-7.4.1-close-code-role", "RFC 6455", "7.4.1", "NOTE",
        "Note that this status code is not used by the server, because it can fail the WebSocket handshake instead.";
    /// A Close frame says 0 to 999.
    CloseCodeUnused = "rfc6455-7.4.2-close-code-unused", "RFC 6455", "7.4.2", "MUST NOT",
        "Status codes in the range 0-999 are not used.";
    /// A Close frame says 1016 to 2999, where nothing is registered.
    CloseCodeUnregistered = "rfc6455-7.4.2-close-code-unregistered", "RFC 6455", "7.4.2", "MUST NOT",
        "Status codes in the range 1000-2999 are reserved for definition by this protocol, its future revisions, and extensions specified in a permanent and readily available public specification.";
    /// A Close frame says 5000 or more, which is no range at all.
    CloseCodeOutOfRange = "rfc6455-5.5.1-close-code-defined", "RFC 6455", "5.5.1", "MUST",
        "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte order) representing a status code with value /code/ defined in Section 7.4.";
    /// The reason in a Close frame is not UTF-8.
    CloseReasonUtf8 = "rfc6455-8.1-close-reason-utf8", "RFC 6455", "8.1", "MUST",
        "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact, a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_.";
    /// Compression is agreed upon, and RSV1 is set on a control frame.
    Rsv1OnControl = "rfc7692-6.1-rsv1-on-control", "RFC 7692", "6.1", "MUST NOT",
        "An endpoint MUST NOT set the \"Per-Message Compressed\" bit of control frames and non-first fragments of a data message.";
    /// Compression is agreed upon, and RSV1 is set on a continuation.
    Rsv1OnContinuation = "rfc7692-6.1-rsv1-on-continuation", "RFC 7692", "6.1", "MUST NOT",
        "An endpoint MUST NOT set the \"Per-Message Compressed\" bit of control frames and non-first fragments of a data message.";
    /// A compressed message which cannot be inflated.
    DeflateData = "rfc7692-6.1-deflate-data", "RFC 7692", "6.1", "MUST",
        "An endpoint MUST use the following algorithm to send a message in the form of a compressed message.";
    /// The client refers further back than `client_max_window_bits` allows.
    ClientWindowExceeded = "rfc7692-7.2.1-client-window", "RFC 7692", "7.2.1", "MUST NOT",
        "If the \"agreed parameters\" contain the \"client_max_window_bits\" extension parameter with a value of w, the client MUST NOT use an LZ77 sliding window longer than the w-th power of 2 bytes to compress messages to send.";
    /// The server refers further back than `server_max_window_bits` allows.
    ServerWindowExceeded = "rfc7692-7.2.1-server-window", "RFC 7692", "7.2.1", "MUST NOT",
        "If the \"agreed parameters\" contain the \"server_max_window_bits\" extension parameter with a value of w, the server MUST NOT use an LZ77 sliding window longer than the w-th power of 2 bytes to compress messages to send.";
    /// The client refers to an earlier message although `client_no_context_takeover` was agreed upon.
    ClientContextTakenOver = "rfc7692-7.2.1-client-context", "RFC 7692", "7.2.1", "MUST",
        "If the \"agreed parameters\" contain the \"client_no_context_takeover\" extension parameter, the client MUST start compressing each new message with an empty LZ77 sliding window.";
    /// The server refers to an earlier message although `server_no_context_takeover` was agreed upon.
    ServerContextTakenOver = "rfc7692-7.2.1-server-context", "RFC 7692", "7.2.1", "MUST",
        "If the \"agreed parameters\" contain the \"server_no_context_takeover\" extension parameter, the server MUST start compressing each new message with an empty LZ77 sliding window.";
}

impl Rule {
    /// The rule with this [`id`](Self::id).
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A rule that was broken, and what was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What was seen, as a fragment in lower case: `a ping of 126 bytes`.
    pub detail: String,
}

impl Violation {
    /// A violation of this rule.
    #[must_use]
    pub fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.detail, self.rule.source(), self.rule.section())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_unique_and_say_source_and_section() {
        let ids: HashSet<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            let prefix = format!("{}-{}-", rule.source().replace(' ', "").to_lowercase(), rule.section());
            assert!(rule.id().starts_with(&prefix), "{rule}");
            assert!(
                rule.id().bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b))
            );
            assert!(["MUST", "MUST NOT", "NOTE"].contains(&rule.level()), "{rule}");
            assert_eq!(Rule::from_id(rule.id()), Some(*rule));
            assert!(!rule.sentence().contains('\n') && rule.sentence().ends_with('.'));
        }
        assert_eq!(Rule::from_id("rfc6455-0-nothing"), None);
    }

    #[test]
    fn a_violation_is_one_line() {
        let violation = Violation::new(Rule::ControlLength, "a ping of 126 bytes");
        assert_eq!(violation.to_string(), "a ping of 126 bytes (RFC 6455 5.5)");
    }
}
