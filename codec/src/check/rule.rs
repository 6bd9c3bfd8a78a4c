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
    /// A request that is no HTTP.
    RequestSyntax = "rfc6455-4.1-valid-http", "RFC 6455", "4.1", "MUST",
        "The handshake MUST be a valid HTTP request as specified by [RFC2616].";
    /// A request with another method.
    RequestMethod = "rfc6455-4.1-method-get", "RFC 6455", "4.1", "MUST",
        "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.";
    /// A request of an older HTTP.
    RequestHttpVersion = "rfc6455-4.1-http-version", "RFC 6455", "4.1", "MUST",
        "The method of the request MUST be GET, and the HTTP version MUST be at least 1.1.";
    /// A request for something that is no resource name.
    RequestTarget = "rfc6455-4.1-request-uri", "RFC 6455", "4.1", "MUST",
        "The \"Request-URI\" part of the request MUST match the /resource name/ defined in Section 3 (a relative URI) or be an absolute http/https URI that, when parsed, has a /resource name/, /host/, and /port/ that match the corresponding ws/wss URI.";
    /// A request without one proper `Host`.
    RequestHost = "rfc6455-4.1-host", "RFC 6455", "4.1", "MUST",
        "The request MUST contain a |Host| header field whose value contains /host/ plus optionally \":\" followed by /port/ (when not using the default port).";
    /// A request whose `Upgrade` does not say `websocket`.
    RequestUpgrade = "rfc6455-4.1-upgrade", "RFC 6455", "4.1", "MUST",
        "The request MUST contain an |Upgrade| header field whose value MUST include the \"websocket\" keyword.";
    /// A request whose `Connection` does not say `Upgrade`.
    RequestConnection = "rfc6455-4.1-connection", "RFC 6455", "4.1", "MUST",
        "The request MUST contain a |Connection| header field whose value MUST include the \"Upgrade\" token.";
    /// A request whose key is not 16 bytes in base64.
    RequestKey = "rfc6455-4.1-key-nonce", "RFC 6455", "4.1", "MUST",
        "The value of this header field MUST be a nonce consisting of a randomly selected 16-byte value that has been base64-encoded (see Section 4 of [RFC4648]).";
    /// The key of another connection again.
    RequestKeyFresh = "rfc6455-4.1-key-fresh", "RFC 6455", "4.1", "MUST",
        "The nonce MUST be selected randomly for each connection.";
    /// A request without a key.
    RequestKeyMissing = "rfc6455-4.1-key", "RFC 6455", "4.1", "MUST",
        "The request MUST include a header field with the name |Sec-WebSocket-Key|.";
    /// A request of no version.
    RequestVersionMissing = "rfc6455-4.1-version", "RFC 6455", "4.1", "MUST",
        "The request MUST include a header field with the name |Sec-WebSocket-Version|.";
    /// A request that names a subprotocol twice.
    RequestSubprotocolTwice = "rfc6455-4.1-subprotocols-unique", "RFC 6455", "4.1", "MUST",
        "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not including separator characters as defined in [RFC2616] and MUST all be unique strings.";
    /// Bytes of a client that came before it could have read a response.
    RequestWaits = "rfc6455-4.1-wait-for-response", "RFC 6455", "4.1", "MUST",
        "Once the client's opening handshake has been sent, the client MUST wait for a response from the server before sending any further data.";
    /// A TLS hello without the name of the server.
    RequestServerName = "rfc6455-4.1-tls-server-name", "RFC 6455", "4.1", "MUST",
        "Clients MUST use the Server Name Indication extension in the TLS handshake [RFC6066].";
    /// A request with several keys.
    RequestKeyOnce = "rfc6455-11.3.1-key-once", "RFC 6455", "11.3.1", "MUST NOT",
        "The |Sec-WebSocket-Key| header field MUST NOT appear more than once in an HTTP request.";
    /// A request of another version.
    RequestVersion = "rfc6455-4.1-version-13", "RFC 6455", "4.1", "MUST",
        "The value of this header field MUST be 13.";
    /// A request of several versions.
    RequestVersionOnce = "rfc6455-11.3.5-version-once", "RFC 6455", "11.3.5", "MUST NOT",
        "However, the |Sec-WebSocket-Version| header field MUST NOT appear more than once in an HTTP request.";
    /// A request whose subprotocols are no list of tokens.
    RequestSubprotocols = "rfc6455-4.1-subprotocol-characters", "RFC 6455", "4.1", "MUST",
        "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not including separator characters as defined in [RFC2616] and MUST all be unique strings.";
    /// permessage-deflate with parameters that it does not have.
    ExtensionParams = "rfc6455-9.1-parameters-defined", "RFC 6455", "9.1", "MUST",
        "The parameters supplied with any given extension MUST be defined for that extension.";
    /// Extensions, offered or agreed to, which are no list of extensions.
    ExtensionSyntax = "rfc6455-9.1-malformed-extensions", "RFC 6455", "9.1", "MUST",
        "If a value is received by either the client or the server during negotiation that does not conform to the ABNF below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_.";
    /// A response that is no HTTP of version 1.1.
    ResponseSyntax = "rfc6455-4.2.2-valid-response", "RFC 6455", "4.2.2", "MUST",
        "If the server chooses to accept the incoming connection, it MUST reply with a valid HTTP response indicating the following.";
    /// A response whose `Upgrade` is not `websocket`.
    ResponseUpgrade = "rfc6455-4.2.2-upgrade", "RFC 6455", "4.2.2", "MUST",
        "An |Upgrade| header field with value \"websocket\" as per RFC 2616 [RFC2616].";
    /// A response whose `Connection` does not say `Upgrade`.
    ResponseConnection = "rfc6455-4.2.2-connection", "RFC 6455", "4.2.2", "MUST",
        "A |Connection| header field with value \"Upgrade\".";
    /// A response that does not answer the key.
    ResponseAccept = "rfc6455-4.2.2-accept", "RFC 6455", "4.2.2", "MUST",
        "A |Sec-WebSocket-Accept| header field. The value of this header field is constructed by concatenating /key/, defined above in step 4 in Section 4.2.2, with the string \"258EAFA5-E914-47DA-95CA-C5AB0DC85B11\", taking the SHA-1 hash of this concatenated value to obtain a 20-byte value and base64-encoding (see Section 4 of [RFC4648]) this 20-byte hash.";
    /// A response that answers the key twice.
    ResponseAcceptOnce = "rfc6455-11.3.3-accept-once", "RFC 6455", "11.3.3", "MUST NOT",
        "The |Sec-WebSocket-Accept| header MUST NOT appear more than once in an HTTP response.";
    /// A response with an extension that was not offered.
    ResponseExtension = "rfc6455-4.2.2-extensions-unlisted", "RFC 6455", "4.2.2", "MUST NOT",
        "Extensions not listed by the client MUST NOT be listed.";
    /// A response with two fields of extensions.
    ResponseExtensionsOnce = "rfc6455-11.3.2-extensions-once", "RFC 6455", "11.3.2", "MUST NOT",
        "However, the |Sec-WebSocket-Extensions| header field MUST NOT appear more than once in an HTTP response.";
    /// A response with a subprotocol that was not offered.
    ResponseSubprotocol = "rfc6455-4.2.2-subprotocol-from-request", "RFC 6455", "4.2.2", "MUST",
        "The value chosen MUST be derived from the client's handshake, specifically by selecting one of the values from the |Sec-WebSocket-Protocol| field that the server is willing to use for this connection (if any).";
    /// A response with two subprotocols.
    ResponseSubprotocolOnce = "rfc6455-11.3.4-subprotocol-once", "RFC 6455", "11.3.4", "MUST NOT",
        "However, the |Sec-WebSocket-Protocol| header field MUST NOT appear more than once in an HTTP response.";
    /// A response that agrees to permessage-deflate in a way that answers no offer.
    ResponseDeflate = "rfc7692-5-request-satisfied", "RFC 7692", "5", "MUST",
        "A request in a PMCE negotiation offer indicates constraints on the server's behavior that must be satisfied if the server accepts the offer.";
    /// A frame from the client has no mask.
    UnmaskedByClient = "rfc6455-5.1-client-masks", "RFC 6455", "5.1", "MUST",
        "To avoid confusing network intermediaries (such as intercepting proxies) and for security reasons that are further discussed in Section 10.3, a client MUST mask all frames that it sends to the server (see Section 5.3 for further details).";
    /// A frame from the server has a mask.
    MaskedByServer = "rfc6455-5.1-server-does-not-mask", "RFC 6455", "5.1", "MUST NOT",
        "A server MUST NOT mask any frames that it sends to the client.";
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
