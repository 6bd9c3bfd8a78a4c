//! Frames to messages: fragments, compression, text.

use wsgrade_codec::Kind;
use wsgrade_codec::Role;
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::deflate::{Decompressor, InflateError, Params, WindowBits};
use wsgrade_codec::utf8::Validator;
use wsgrade_codec::wire::{Header, Opcode, Piece, Rsv};

use super::defect::Nature;
use super::law::{Failure, failure};
use super::resilience;
use super::table::Defect;
use super::text;

/// The largest frame, in bytes.
const MAX_FRAME: u64 = 16 << 20;
/// The largest message, in bytes, on the wire and inflated.
const MAX_MESSAGE: usize = 64 << 20;
/// The most frames of a message.
const MAX_FRAGMENTS: usize = 131_072;

/// What exceeds a limit (RFC 6455, 7.4.1).
const TOO_BIG: Failure = Failure(1009);

/// A message, as it is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
}

/// The message that is coming.
#[derive(Debug)]
struct Message {
    kind: Kind,
    compressed: bool,
    /// What each frame brought, inflated.
    parts: Vec<Vec<u8>>,
    /// How many bytes its frames declared.
    declared: u64,
    /// How many bytes of the present frame came, and the first of them.
    frame: (u64, u8),
    /// What was read of its text; `None` where that is not asked.
    text: Option<Validator>,
    /// Whether its text was found wrong, and passed over.
    forgiven: bool,
    /// Whether it is taken to be over already.
    over: bool,
}

/// Puts the messages of the peer together.
#[derive(Debug)]
pub(super) struct Assembly {
    params: Option<Params>,
    peer: Role,
    decompressor: Option<Decompressor>,
    message: Option<Message>,
    /// The fragments of the message before.
    before: Option<Vec<u8>>,
    /// Tells which references a small window does not hold. The decompressor reaches them all the same, as long as they
    /// are within one message.
    window: Option<Checker>,
}

impl Assembly {
    pub(super) fn new(peer: Role, agreed: Option<Params>, nature: &Nature) -> Self {
        let params = agreed.map(|params| mistaken(params, peer, nature));
        Self {
            params,
            peer,
            decompressor: params.map(|params| decompressor(&params, peer, nature)),
            message: None,
            before: None,
            window: agreed.and_then(|params| small_window(params, peer, nature)),
        }
    }

    pub(super) fn in_message(&self) -> bool {
        self.message.is_some()
    }

    pub(super) fn in_compressed(&self) -> bool {
        self.message.as_ref().is_some_and(|message| message.compressed)
    }

    /// Loses the message that is coming.
    pub(super) fn lose(&mut self) {
        if let Some(message) = &mut self.message {
            message.parts.iter_mut().for_each(Vec::clear);
        }
    }

    /// Puts bytes into the message that is coming, which are none of it.
    pub(super) fn join(&mut self, bytes: &[u8]) {
        if let Some(part) = self.message.as_mut().and_then(|message| message.parts.last_mut()) {
            part.extend_from_slice(bytes);
        }
    }

    /// Whether a window of 2^9 bytes holds what a piece of a message refers to.
    pub(super) fn fits(&mut self, piece: Piece, nature: &Nature) -> Result<(), Failure> {
        let Some(window) = &mut self.window else { return Ok(()) };
        window.push(piece);
        let beyond = |item| match item {
            Item::Violation(violation) => {
                matches!(violation.rule, Rule::ServerWindowExceeded | Rule::ClientWindowExceeded)
            }
            Item::Message { .. }
            | Item::TooBig { .. }
            | Item::Ping(_)
            | Item::Pong(_)
            | Item::Close { .. } => false,
        };
        if window.by_ref().any(beyond) { Err(failure(Rule::DeflateData, nature)) } else { Ok(()) }
    }

    /// A frame of a message begins.
    pub(super) fn begin(&mut self, header: &Header, nature: &Nature) -> Result<(), Failure> {
        let declared = header.length.value();
        let waits = header.length.has_top_bit() && nature.has(Defect::WaitsForTopBit);
        if declared > MAX_FRAME && !waits {
            return Err(TOO_BIG);
        }
        if header.opcode == Opcode::CONTINUATION {
            return self.continued(declared, nature);
        }
        let Some(kind) = header.opcode.kind() else { return Ok(()) };
        if kind == Kind::Text && self.message.is_some() && nature.has(Defect::JoinsTextInside) {
            return self.continued(declared, nature);
        }
        let compressed = self.is_compressed(header, nature);
        let asked = match (kind, compressed) {
            (Kind::Text, false) => true,
            (Kind::Text, true) => !nature.has(Defect::InflatedTextUnchecked),
            (Kind::Binary, _) => nature.has(Defect::ChecksBinary),
        };
        self.message = Some(Message {
            kind,
            compressed,
            parts: vec![Vec::new()],
            declared,
            frame: (0, 0),
            text: asked.then(Validator::new),
            forgiven: false,
            over: false,
        });
        Ok(())
    }

    /// Whether a message is to be inflated.
    fn is_compressed(&mut self, header: &Header, nature: &Nature) -> bool {
        let Some(params) = self.params else { return false };
        if header.rsv.contains(Rsv::RSV1) {
            return !nature.has(Defect::PassesCompressed);
        }
        if nature.has(Defect::InflatesPlain) {
            return true;
        }
        if nature.has(Defect::PlainResetsContext) {
            self.decompressor = Some(decompressor(&params, self.peer, nature));
        }
        false
    }

    fn continued(&mut self, declared: u64, nature: &Nature) -> Result<(), Failure> {
        let Some(message) = &mut self.message else { return Ok(()) };
        message.declared = message.declared.saturating_add(declared);
        if message.declared > MAX_MESSAGE as u64 {
            return Err(TOO_BIG);
        }
        if nature.has(Defect::NoFragmentLimit) {
            resilience::fragment();
        } else if message.parts.len() >= MAX_FRAGMENTS {
            return Err(TOO_BIG);
        }
        if message.parts.len() == 9 && nature.has(Defect::RefusesManyFragments) {
            return Err(Failure(1002));
        }
        message.parts.push(Vec::new());
        message.frame = (0, 0);
        Ok(())
    }

    /// Bytes of the payload came.
    pub(super) fn payload(&mut self, bytes: &[u8], nature: &Nature) -> Result<(), Failure> {
        let Some(message) = &mut self.message else { return Ok(()) };
        if message.frame.0 == 0 {
            message.frame.1 = bytes[0];
            if message.compressed && message.parts.len() == 1 {
                refuses_block(bytes[0], nature)?;
            }
        }
        message.frame.0 += bytes.len() as u64;
        if !message.compressed {
            return message.take(bytes, nature);
        }
        let Some(decompressor) = &mut self.decompressor else { return Ok(()) };
        if message.over {
            return Ok(());
        }
        let mut bytes = bytes;
        if let Some(at) = bytes.windows(4).position(|four| four == [0x00, 0x00, 0xFF, 0xFF])
            && nature.has(Defect::EndsAtFlush)
        {
            bytes = &bytes[..at];
            message.over = true;
        }
        let start = decompressor.inflated();
        let corrupt = match decompressor.push(bytes) {
            Ok(_) => false,
            Err(InflateError::TooBig { .. }) => return Err(TOO_BIG),
            Err(InflateError::Corrupt) => true,
        };
        let inflated = decompressor.inflated_from(start).to_vec();
        message.take(&inflated, nature)?;
        if corrupt {
            if !nature.has(Defect::TakesCorrupt) {
                return Err(failure(Rule::DeflateData, nature));
            }
            message.over = true;
        }
        Ok(())
    }

    /// A frame of a message is complete; gives what there is to deliver then.
    pub(super) fn end(&mut self, header: &Header, nature: &Nature) -> Result<Option<Delivered>, Failure> {
        let Some(message) = &mut self.message else { return Ok(None) };
        if !header.fin {
            return self.fragment(nature);
        }
        if message.compressed
            && message.parts.len() > 1
            && message.frame == (1, 0)
            && nature.has(Defect::RefusesOneByteEnd)
        {
            self.message = None;
            return Ok(None);
        }
        if message.compressed && !(message.over && nature.has(Defect::TakesCorrupt)) {
            self.finish(nature)?;
        }
        let Some(message) = self.message.take() else { return Ok(None) };
        self.deliver(message, nature)
    }

    /// A frame that is not the last is complete.
    fn fragment(&mut self, nature: &Nature) -> Result<Option<Delivered>, Failure> {
        let Some(message) = &self.message else { return Ok(None) };
        if message.compressed && nature.has(Defect::TailOnEachFrame) {
            self.finish(nature)?;
        }
        let Some(message) = &mut self.message else { return Ok(None) };
        if message.is_incomplete() && nature.has(Defect::TextCheckedPerFrame) {
            return Err(failure(Rule::TextUtf8, nature));
        }
        if nature.has(Defect::DeliversFragments) {
            let payload = message.parts.last().cloned().unwrap_or_default();
            return Ok(Some(Delivered { kind: message.kind, payload }));
        }
        Ok(None)
    }

    /// The end of compressed data.
    fn finish(&mut self, nature: &Nature) -> Result<(), Failure> {
        let (Some(message), Some(decompressor)) = (&mut self.message, &mut self.decompressor) else {
            return Ok(());
        };
        // "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload of the message." (RFC 7692, 7.2.2)
        if nature.has(Defect::TailNotAppended) {
            return Ok(());
        }
        match decompressor.finish() {
            Ok((start, whole)) => message.take(&whole[start..], nature),
            Err(InflateError::TooBig { .. }) => Err(TOO_BIG),
            Err(InflateError::Corrupt) if nature.has(Defect::TakesCorrupt) => Ok(()),
            Err(InflateError::Corrupt) => Err(failure(Rule::DeflateData, nature)),
        }
    }

    /// The message is complete.
    fn deliver(&mut self, message: Message, nature: &Nature) -> Result<Option<Delivered>, Failure> {
        message.judge_whole(nature)?;
        let invalid = message.forgiven || message.is_incomplete();
        let Message { kind, compressed, mut parts, .. } = message;
        let fragments = parts.len();
        let mut kind = kind;
        if fragments > 1 {
            if nature.has(Defect::ReversesFragments) {
                parts.reverse();
            }
            if nature.has(Defect::LosesFirstFragment) {
                parts.remove(0);
            }
            if nature.has(Defect::LosesLastFragment) || nature.has(Defect::DeliversFragments) {
                let last = parts.pop();
                if nature.has(Defect::DeliversFragments) {
                    parts = last.into_iter().collect();
                }
            }
            if nature.has(Defect::LosesThirdFragment) {
                parts.truncate(2);
            }
            if kind == Kind::Text && nature.has(Defect::ForgetsKindOfFragments) {
                kind = Kind::Binary;
            }
        }
        let mut payload = if parts.len() == 1 { parts.swap_remove(0) } else { parts.concat() };
        if fragments > 1 {
            let before = self.before.replace(payload.clone());
            if let Some(mut before) = before
                && nature.has(Defect::KeepsOldMessage)
            {
                before.append(&mut payload);
                payload = before;
            }
        }
        if compressed && payload.is_empty() && nature.has(Defect::LosesEmptyCompressed) {
            return Ok(None);
        }
        if invalid && nature.has(Defect::ReplacesInvalid) {
            payload = String::from_utf8_lossy(&payload).into_owned().into_bytes();
        }
        Ok(Some(Delivered { kind, payload }))
    }

    /// All that one read brought was taken.
    pub(super) fn end_of_read(&mut self, nature: &Nature) -> Result<(), Failure> {
        let incomplete = self.message.as_ref().is_some_and(Message::is_incomplete);
        if incomplete && nature.has(Defect::TextCheckedPerRead) {
            return Err(failure(Rule::TextUtf8, nature));
        }
        Ok(())
    }
}

impl Message {
    /// Takes bytes as they are after inflating.
    fn take(&mut self, bytes: &[u8], nature: &Nature) -> Result<(), Failure> {
        let frame = self.parts.len();
        if let Some(part) = self.parts.last_mut() {
            part.extend_from_slice(bytes);
        }
        let Some(text) = &mut self.text else { return Ok(()) };
        if text.push(bytes).is_ok() {
            return self.refuses_character(bytes, nature);
        }
        let forgiven = (frame > 1 && nature.has(Defect::FirstFrameCheckedOnly))
            || nature.has(Defect::TextUnchecked)
            || nature.has(Defect::ReplacesInvalid)
            || nature.has(Defect::ChecksTextLate)
            || text::is_tolerable(&self.parts.concat(), nature);
        if !forgiven {
            return Err(failure(Rule::TextUtf8, nature));
        }
        self.forgiven = true;
        self.text = None;
        Ok(())
    }

    /// Characters that are none to some decoders.
    fn refuses_character(&self, bytes: &[u8], nature: &Nature) -> Result<(), Failure> {
        if self.kind == Kind::Binary {
            return Ok(());
        }
        let noncharacter = bytes.windows(3).any(|three| matches!(three, [0xEF, 0xBF, 0xBE | 0xBF]));
        let refused = [
            (noncharacter, Defect::RefusesNoncharacters),
            (bytes.iter().any(|byte| *byte >= 0xF0), Defect::RefusesFourBytes),
            (bytes.iter().any(|byte| matches!(byte, 0xC2..=0xDF)), Defect::RefusesTwoBytes),
            (bytes.contains(&0), Defect::RefusesNul),
        ];
        match refused.into_iter().any(|(there, defect)| there && nature.has(defect)) {
            true => Err(failure(Rule::TextUtf8, nature)),
            false => Ok(()),
        }
    }

    /// What can only be said of the whole.
    fn judge_whole(&self, nature: &Nature) -> Result<(), Failure> {
        // Who looks late sees it now.
        if self.forgiven && nature.has(Defect::ChecksTextLate) {
            return Err(failure(Rule::TextUtf8, nature));
        }
        let forgiven = || {
            nature.has(Defect::TakesIncompleteEnd)
                || nature.has(Defect::TextUnchecked)
                || nature.has(Defect::ReplacesInvalid)
                || self.parts.len() > 1 && nature.has(Defect::FirstFrameCheckedOnly)
        };
        if self.is_incomplete() && !forgiven() {
            return Err(failure(Rule::TextUtf8, nature));
        }
        Ok(())
    }

    /// Whether its text ends inside of a character.
    fn is_incomplete(&self) -> bool {
        self.text.is_some_and(|text| text.finish().is_err())
    }
}

/// What is agreed, as it is taken.
fn mistaken(mut params: Params, peer: Role, nature: &Nature) -> Params {
    let fresh = match peer {
        Role::Server => &mut params.server_no_context_takeover,
        Role::Client => &mut params.client_no_context_takeover,
    };
    if !*fresh && nature.has(Defect::ResetsContext) {
        *fresh = true;
    }
    params
}

/// What sees which references a window of 2^9 bytes does not hold.
fn small_window(mut params: Params, peer: Role, nature: &Nature) -> Option<Checker> {
    let bits = match peer {
        Role::Server => &mut params.server_max_window_bits,
        Role::Client => &mut params.client_max_window_bits,
    };
    let small = WindowBits::new(9)?;
    if *bits <= small || !nature.has(Defect::SmallWindow) {
        return None;
    }
    *bits = small;
    Some(Checker::new(peer, Negotiated { deflate: Some(params) }))
}

fn decompressor(params: &Params, peer: Role, nature: &Nature) -> Decompressor {
    // Not without a limit, so that the machine of who tries it lives on.
    let limit = if nature.has(Defect::NoInflateLimit) { 512 << 20 } else { MAX_MESSAGE };
    Decompressor::new(params, peer, limit)
}

/// Some decoders do not know all kinds of blocks (RFC 1951, 3.2.3).
fn refuses_block(first: u8, nature: &Nature) -> Result<(), Failure> {
    let refused = [
        (first & 0b001 != 0, Defect::RefusesBfinal),
        (first & 0b110 == 0b000, Defect::RefusesStored),
        (first & 0b110 == 0b010, Defect::RefusesFixed),
        (first & 0b110 == 0b100, Defect::RefusesDynamic),
    ];
    match refused.into_iter().any(|(there, defect)| there && nature.has(defect)) {
        true => Err(Failure(1002)),
        false => Ok(()),
    }
}
