//! One direction of a connection, judged as it arrives.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::header::{self, Context, Prefix};
use super::inflate::{Fault, Inflater, Reach};
use super::{Rule, Violation};
use crate::close::{CloseCode, CloseFrame, InvalidClose};
use crate::deflate::Params;
use crate::utf8::Validator;
use crate::wire::{Header, Opcode, Piece, Rsv};
use crate::{Kind, Role};

/// The largest message which [`Checker::new`] keeps, in bytes: 64 MiB.
pub const DEFAULT_MESSAGE_CAP: usize = 64 << 20;

/// What the opening handshake agreed upon, as far as it changes the meaning of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Negotiated {
    /// The parameters of permessage-deflate; `None` if it is not in use.
    pub deflate: Option<Params>,
}

/// What [`Checker`] gives, in the order in which it became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A rule was broken.
    Violation(Violation),
    /// A message is complete. Text which is not UTF-8 comes too, after its violation.
    Message {
        /// The type by the opcode of the first frame.
        kind: Kind,
        /// The message, inflated if it was compressed.
        payload: Bytes,
        /// Whether it came compressed.
        compressed: bool,
        /// In how many frames it came; at least 1.
        fragments: u64,
    },
    /// A frame or message had more bytes than the cap and was not kept. Also given for a compressed message which
    /// refers to one that was not kept.
    TooBig {
        /// The opcode of the first frame.
        opcode: Opcode,
        /// How many bytes were counted, on the wire; for a message which is too big when inflated, compressed ones.
        received: u64,
    },
    /// A Ping frame with its body.
    Ping(Bytes),
    /// A Pong frame with its body.
    Pong(Bytes),
    /// A Close frame.
    Close {
        /// Its body as it came.
        body: Bytes,
        /// The body read; `None` if it could not be, after the violation.
        frame: Option<CloseFrame>,
    },
}

/// Judges what one side of a connection sent.
///
/// Feed it the [`Piece`]s of a [`FrameDecoder`](crate::wire::FrameDecoder) with [`push`](Self::push), then drain it
/// (it is an iterator). It never mends and never stops: after a violation it takes the most plausible view of what the
/// sender meant and goes on. A text or binary frame inside an unfinished message begins a new message, and what there
/// was of the old one is dropped; a continuation without a message and a frame with a reserved opcode are passed over;
/// control frames which are too long or fragmented are taken as they are.
///
/// It keeps at most one message and one control frame, each up to the cap, and 32 KiB of history when messages are
/// compressed.
#[derive(Debug)]
pub struct Checker {
    sender: Role,
    deflate: Option<Params>,
    /// The most bytes that are kept of a message or a control frame.
    cap: usize,
    items: VecDeque<Item>,
    /// The frame between its `Header` and its `End`.
    frame: Option<Header>,
    /// The message between its first and its last frame.
    message: Option<Message>,
    /// The body of the control frame being received.
    control: Kept,
    inflater: Inflater,
    /// Whether the history lacks a message, so that later messages cannot be inflated.
    history_lost: bool,
    closed: bool,
}

/// Bytes up to a cap.
#[derive(Debug, Default)]
struct Kept {
    bytes: BytesMut,
    /// How many bytes there were, kept or not.
    received: u64,
}

impl Kept {
    fn extend(&mut self, bytes: &[u8], cap: usize) {
        self.received += bytes.len() as u64;
        if self.received <= cap as u64 {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.bytes = BytesMut::new();
        }
    }

    fn take(&mut self) -> Self {
        std::mem::take(self)
    }
}

#[derive(Debug)]
struct Message {
    kind: Kind,
    compressed: bool,
    fragments: u64,
    kept: Kept,
    utf8: Utf8,
}

/// How far the text of a message is judged.
#[derive(Debug)]
enum Utf8 {
    /// Binary, or compressed and so judged when inflated.
    NotAsked,
    Valid(Validator),
    /// Found wrong and said so.
    Reported,
}

impl Checker {
    /// A judge of what `sender` sends, keeping messages up to [`DEFAULT_MESSAGE_CAP`].
    #[must_use]
    pub fn new(sender: Role, negotiated: Negotiated) -> Self {
        Self::with_cap(sender, negotiated, DEFAULT_MESSAGE_CAP)
    }

    /// A judge which keeps messages up to `cap` bytes, inflated or not. Larger ones are judged by their frames only.
    #[must_use]
    pub fn with_cap(sender: Role, negotiated: Negotiated, cap: usize) -> Self {
        Self {
            sender,
            deflate: negotiated.deflate,
            cap,
            items: VecDeque::new(),
            frame: None,
            message: None,
            control: Kept::default(),
            inflater: Inflater::default(),
            history_lost: false,
            closed: false,
        }
    }

    /// Takes the next piece. Drain the items after each piece or after several; they wait.
    pub fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Header(header) => self.header(header),
            Piece::Payload { bytes, offset: _ } => self.payload(&bytes),
            Piece::End => self.end(),
        }
    }

    /// Whether a message was begun and not finished.
    #[must_use]
    pub fn in_message(&self) -> Option<Kind> {
        self.message.as_ref().map(|message| message.kind)
    }

    /// Whether a Close frame was seen.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    fn violation(&mut self, rule: Rule, detail: impl Into<String>) {
        self.items.push_back(Item::Violation(Violation::new(rule, detail)));
    }

    fn header(&mut self, header: Header) {
        let context = Context {
            sender: self.sender,
            deflate: self.deflate.is_some(),
            in_message: self.message.is_some(),
        };
        let prefix =
            Prefix { fin: header.fin, rsv: header.rsv, opcode: header.opcode, masked: header.mask.is_some() };
        let items = &mut self.items;
        let mut found = |violation| items.push_back(Item::Violation(violation));
        header::check_prefix(&prefix, context, &mut found);
        header::check_length(header.opcode, header.length, &mut found);

        let opcode = header.opcode;
        if self.closed {
            if opcode.is_control() {
                // "After sending a control frame indicating the connection should be closed, a peer does not send any
                // further data" (RFC 6455, 1.4)
                self.violation(Rule::ControlAfterClose, format!("a {opcode} frame after a close frame"));
            } else {
                // "The application MUST NOT send any more data frames after sending a Close frame." (RFC 6455, 5.5.1)
                self.violation(Rule::DataAfterClose, format!("a {opcode} frame after a close frame"));
            }
        }
        if let Some(kind) = opcode.kind() {
            let compressed = self.deflate.is_some() && header.rsv.contains(Rsv::RSV1);
            let utf8 = match kind {
                Kind::Text if !compressed => Utf8::Valid(Validator::new()),
                Kind::Text | Kind::Binary => Utf8::NotAsked,
            };
            if self.message.as_ref().is_some_and(|dropped| dropped.compressed) {
                self.history_lost = true;
            }
            self.message = Some(Message { kind, compressed, fragments: 1, kept: Kept::default(), utf8 });
        } else if opcode == Opcode::CONTINUATION
            && let Some(message) = &mut self.message
        {
            message.fragments += 1;
        }
        self.frame = Some(header);
    }

    fn payload(&mut self, bytes: &[u8]) {
        let Some(header) = self.frame else { return };
        match header.opcode {
            Opcode::TEXT | Opcode::BINARY | Opcode::CONTINUATION => {
                let Some(message) = &mut self.message else { return };
                message.kept.extend(bytes, self.cap);
                if let Utf8::Valid(validator) = &mut message.utf8
                    && let Err(error) = validator.push(bytes)
                {
                    message.utf8 = Utf8::Reported;
                    self.violation(Rule::TextUtf8, format!("a text message {error}"));
                }
            }
            opcode if opcode.is_control() && !opcode.is_reserved() => self.control.extend(bytes, self.cap),
            _ => {}
        }
    }

    fn end(&mut self) {
        let Some(header) = self.frame.take() else { return };
        match header.opcode {
            Opcode::TEXT | Opcode::BINARY | Opcode::CONTINUATION => {
                if header.fin
                    && let Some(message) = self.message.take()
                {
                    self.message_end(message);
                }
            }
            opcode if opcode.is_control() && !opcode.is_reserved() => {
                let Kept { bytes, received } = self.control.take();
                if received > self.cap as u64 {
                    self.items.push_back(Item::TooBig { opcode, received });
                    self.closed |= opcode == Opcode::CLOSE;
                    return;
                }
                let body = bytes.freeze();
                match opcode {
                    Opcode::PING => self.items.push_back(Item::Ping(body)),
                    Opcode::PONG => self.items.push_back(Item::Pong(body)),
                    _ => self.close(body),
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, body: Bytes) {
        self.closed = true;
        let parsed = CloseFrame::parse(&body);
        if let [high, low, ..] = *body {
            self.close_code(CloseCode::new(u16::from_be_bytes([high, low])));
        }
        match &parsed {
            Ok(_) => {}
            // "If there is a body, the first two bytes of the body MUST be a 2-byte unsigned integer (in network byte
            // order) representing a status code" (RFC 6455, 5.5.1)
            Err(InvalidClose::OneByte) => {
                self.violation(Rule::CloseBodyOneByte, "a close frame with a body of one byte");
            }
            // "When an endpoint is to interpret a byte stream as UTF-8 but finds that the byte stream is not, in fact,
            // a valid UTF-8 stream, that endpoint MUST _Fail the WebSocket Connection_." (RFC 6455, 8.1)
            Err(error @ InvalidClose::Reason { .. }) => {
                self.violation(Rule::CloseReasonUtf8, format!("a close frame: {error}"));
            }
        }
        self.items.push_back(Item::Close { body, frame: parsed.ok() });
    }

    fn close_code(&mut self, code: CloseCode) {
        if let Some(violation) = close_code_violation(code) {
            self.items.push_back(Item::Violation(violation));
        } else if code == CloseCode::MANDATORY_EXTENSION && self.sender == Role::Server {
            // "Note that this status code is not used by the server, because it can fail the WebSocket handshake
            // instead." (RFC 6455, 7.4.1)
            self.violation(Rule::CloseCodeRole, "a close frame from the server with code 1010");
        }
    }

    fn message_end(&mut self, message: Message) {
        let Message { kind, compressed, fragments, kept: Kept { bytes, received }, utf8 } = message;
        if let Utf8::Valid(validator) = &utf8
            && let Err(error) = validator.finish()
        {
            self.violation(Rule::TextUtf8, format!("a text message ends inside a character, {error}"));
        }
        let too_big = Item::TooBig { opcode: Opcode::of(kind), received };
        if received > self.cap as u64 {
            self.history_lost |= compressed;
            self.items.push_back(too_big);
            return;
        }
        let payload = match self.deflate {
            Some(params) if compressed => match self.inflate(&params, &bytes) {
                Ok(payload) => payload,
                Err(Fault::TooBig) => {
                    self.items.push_back(too_big);
                    return;
                }
                // "Compress all the octets of the payload of the message using DEFLATE." (RFC 7692, 7.2.1)
                Err(Fault::Corrupt(what)) => {
                    self.violation(
                        Rule::DeflateData,
                        format!("a compressed {kind} message cannot be inflated: {what}"),
                    );
                    return;
                }
            },
            Some(_) | None => bytes.freeze(),
        };
        if compressed && kind == Kind::Text {
            let mut validator = Validator::new();
            if let Err(error) = validator.push(&payload).and_then(|()| validator.finish()) {
                self.violation(Rule::TextUtf8, format!("a compressed text message {error}"));
            }
        }
        self.items.push_back(Item::Message { kind, payload, compressed, fragments });
    }

    fn inflate(&mut self, params: &Params, bytes: &[u8]) -> Result<Bytes, Fault> {
        let fresh = params.no_context_takeover(self.sender);
        if self.history_lost && !fresh {
            return Err(Fault::TooBig);
        }
        let result = self.inflater.message(bytes, self.cap);
        let (payload, reach) = match result {
            Ok(inflated) => inflated,
            Err(fault) => {
                self.history_lost = true;
                return Err(fault);
            }
        };
        let Reach { distance, before_message } = reach;
        let sender = self.sender;
        // "the client MUST start compressing each new message with an empty LZ77 sliding window" (RFC 7692, 7.2.1)
        if fresh && before_message {
            let rule = match sender {
                Role::Client => Rule::ClientContextTakenOver,
                Role::Server => Rule::ServerContextTakenOver,
            };
            self.violation(rule, format!("a compressed message from the {sender} refers to an earlier one"));
        }
        // "the client MUST NOT use an LZ77 sliding window longer than the w-th power of 2 bytes" (RFC 7692, 7.2.1)
        let window = params.window_bits(sender).bytes();
        if distance > window {
            let rule = match sender {
                Role::Client => Rule::ClientWindowExceeded,
                Role::Server => Rule::ServerWindowExceeded,
            };
            let detail =
                format!("a compressed message refers {distance} bytes back, the window has {window}");
            self.violation(rule, detail);
        }
        Ok(payload.into())
    }
}

/// What is wrong with a code in a Close frame, whoever sent it.
pub(crate) fn close_code_violation(code: CloseCode) -> Option<Violation> {
    let rule = match code.value() {
        // "Status codes in the range 0-999 are not used." (RFC 6455, 7.4.2)
        0..=999 => Rule::CloseCodeUnused,
        // "is a reserved value and MUST NOT be set as a status code in a Close control frame by an endpoint"
        // (RFC 6455, 7.4.1)
        1004..=1006 | 1015 => Rule::CloseCodeReserved,
        // "Status codes in the range 1000-2999 are reserved for definition by this protocol, its future revisions, and
        // extensions" (RFC 6455, 7.4.2)
        1016..=2999 => Rule::CloseCodeUnregistered,
        5000..=u16::MAX => Rule::CloseCodeOutOfRange,
        1000..=1003 | 1007..=1014 | 3000..=4999 => return None,
    };
    Some(Violation::new(rule, format!("a close frame with code {}", code.value())))
}

impl Iterator for Checker {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        self.items.pop_front()
    }
}
