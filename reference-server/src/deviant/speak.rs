//! Messages and control frames to bytes.

use std::collections::VecDeque;

use bytes::Bytes;
use wsgrade_codec::deflate::{Compressor, Params, WindowBits};
use wsgrade_codec::wire::{Header, Length, LengthForm, Opcode, Rsv};
use wsgrade_codec::{Kind, Role, mask};

use super::defect::Nature;
use super::table::Defect;

/// Something that an endpoint does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Writes these bytes.
    Write(Bytes),
    /// Ends its side of TCP.
    ShutdownWrite,
    /// Resets TCP.
    Reset,
}

/// Random numbers that are the same for the same seed (SplitMix64). A mask from here is not one to be relied on.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// Writes frames.
#[derive(Debug)]
pub(super) struct Speaker {
    role: Role,
    random: Random,
    /// How many keys were used, and the last of them.
    keys: u32,
    last_key: [u8; 4],
    compressor: Option<Compressor>,
    out: VecDeque<Output>,
}

impl Speaker {
    pub(super) fn new(role: Role, seed: u64) -> Self {
        Self {
            role,
            random: Random::new(seed),
            keys: 0,
            last_key: [0; 4],
            compressor: None,
            out: VecDeque::new(),
        }
    }

    /// The handshake's nonce.
    pub(super) fn nonce(&mut self) -> [u8; 16] {
        let (high, low) = (self.random.next(), self.random.next());
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }

    /// What was agreed on for compression.
    pub(super) fn agree(&mut self, params: Option<Params>, nature: &Nature) {
        self.compressor = params.map(|mut params| {
            let (fresh, bits) = match self.role {
                Role::Server => (&mut params.server_no_context_takeover, &mut params.server_max_window_bits),
                Role::Client => (&mut params.client_no_context_takeover, &mut params.client_max_window_bits),
            };
            if *fresh && nature.has(Defect::KeepsContext) {
                *fresh = false;
            }
            if *bits < WindowBits::MAX && nature.has(Defect::ExceedsWindow) {
                *bits = WindowBits::MAX;
            }
            Compressor::with_level(&params, self.role, 1)
        });
    }

    pub(super) fn compresses(&self) -> bool {
        self.compressor.is_some()
    }

    pub(super) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    pub(super) fn push(&mut self, output: Output) {
        self.out.push_back(output);
    }

    /// Sends a message.
    pub(super) fn message(&mut self, kind: Kind, payload: &[u8], nature: &Nature) {
        let mut opcode = Opcode::of(kind);
        if nature.has(Defect::EchoWithReservedOpcode) {
            opcode = Opcode::from_first_byte(3);
        }
        if nature.has(Defect::EchoAsContinuation) {
            opcode = Opcode::CONTINUATION;
        }
        let compressed = self.compressed(payload, nature);
        let mut rsv = if compressed.is_some() { Rsv::RSV1 } else { Rsv::NONE };
        match &compressed {
            Some(_) if nature.has(Defect::NoRsv1) => rsv = Rsv::NONE,
            None if nature.has(Defect::EchoWithRsv1) => rsv = Rsv::RSV1,
            Some(_) | None => {}
        }
        let each = compressed.is_some() && nature.has(Defect::Rsv1OnEachFragment);
        let payload = compressed.as_deref().unwrap_or(payload);
        if nature.has(Defect::EchoWithRsv3) {
            rsv = rsv | Rsv::RSV3;
        }
        if each || nature.has(Defect::EchoSplitInvalid) {
            let (first, second) = payload.split_at(payload.len() / 2);
            self.frame(opcode, false, rsv, first, nature);
            let opcode = if each { Opcode::CONTINUATION } else { opcode };
            self.frame(opcode, true, if each { rsv } else { Rsv::NONE }, second, nature);
            return;
        }
        let fin = !nature.has(Defect::EchoNeverEnds);
        let length = Length::minimal(payload.len() as u64 + u64::from(nature.has(Defect::EchoLengthTooLong)));
        self.write(Header { fin, rsv, length, ..Header::new(opcode, None, 0) }, payload, nature);
    }

    /// The payload of a message, compressed if that was agreed on.
    fn compressed(&mut self, payload: &[u8], nature: &Nature) -> Option<Vec<u8>> {
        let compressor = self.compressor.as_mut()?;
        if nature.has(Defect::Rsv1Uncompressed) {
            return Some(payload.to_vec());
        }
        if nature.has(Defect::SharesCompressor) {
            // What this leaves in the window was never sent here.
            let _ = compressor.message(payload);
        }
        let mut compressed = compressor.message(payload);
        if nature.has(Defect::CutsCompressed) {
            compressed.pop();
        }
        if compressed.len() > payload.len() && !payload.is_empty() && nature.has(Defect::CutsIncompressible) {
            compressed.truncate(payload.len());
        }
        if nature.has(Defect::KeepsPartOfTail) {
            compressed.push(0);
        }
        Some(compressed)
    }

    /// Bytes, compressed as a message would be; as they are, where nothing is.
    pub(super) fn squeeze(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.compressor.as_mut().map_or_else(|| bytes.to_vec(), |compressor| compressor.message(bytes))
    }

    /// A frame with its length as it is.
    pub(super) fn frame(&mut self, opcode: Opcode, fin: bool, rsv: Rsv, body: &[u8], nature: &Nature) {
        let header = Header { fin, rsv, ..Header::new(opcode, None, body.len() as u64) };
        self.write(header, body, nature);
    }

    fn write(&mut self, header: Header, body: &[u8], nature: &Nature) {
        let mask = self.key(header.opcode, nature);
        let header = Header { mask, length: lengthened(header.length, nature), ..header };
        let mut bytes = header.encode().to_vec();
        let start = bytes.len();
        bytes.extend_from_slice(body);
        if let Some(key) = mask {
            let mut end = bytes.len();
            if !body.len().is_multiple_of(4) && nature.has(Defect::MasksWholeWordsOnly) {
                end -= body.len() % 4;
            }
            mask::apply(key, 0, &mut bytes[start..end]);
        }
        self.out.push_back(Output::Write(Bytes::from(bytes)));
    }

    /// The key for a frame, if it is masked.
    fn key(&mut self, opcode: Opcode, nature: &Nature) -> Option<[u8; 4]> {
        let (pong, close) = (opcode == Opcode::PONG, opcode == Opcode::CLOSE);
        let masked = match self.role {
            Role::Server => nature.has(Defect::Masks) || close && nature.has(Defect::MasksClose),
            Role::Client => {
                !(nature.has(Defect::SendsUnmasked)
                    || pong && nature.has(Defect::SendsPongUnmasked)
                    || close && nature.has(Defect::SendsCloseUnmasked))
            }
        };
        if !masked {
            return None;
        }
        // Drawn whether used or not, so that all else stays as it is.
        let mut key = (self.random.next() as u32).to_le_bytes();
        self.keys += 1;
        if self.role == Role::Client {
            if nature.has(Defect::MasksWithZero) {
                key = [0; 4];
            }
            if nature.has(Defect::MasksWithConstant) {
                key = [0x37, 0xfa, 0x21, 0x3d];
            }
            if nature.has(Defect::MasksWithCounter) {
                key = (0x1F3A_0000 + self.keys).to_be_bytes();
            }
            if nature.has(Defect::MasksWithOneByte) {
                key = [key[0]; 4];
            }
            if self.keys.is_multiple_of(2) && nature.has(Defect::MasksByTwos) {
                key = self.last_key;
            }
        }
        self.last_key = key;
        Some(key)
    }
}

/// The length of a frame, in the form in which it is sent.
fn lengthened(length: Length, nature: &Nature) -> Length {
    let value = length.value();
    let longer = [
        (value <= 125, Defect::Sends16BitsFor7, LengthForm::Bits16),
        (value == 125, Defect::Sends16BitsFor125, LengthForm::Bits16),
        ((126..=65_535).contains(&value), Defect::Sends64BitsFor16, LengthForm::Bits64),
        (value == 65_535, Defect::Sends64BitsFor65535, LengthForm::Bits64),
    ];
    let found = longer.into_iter().find(|(applies, defect, _)| *applies && nature.has(*defect));
    found.and_then(|(_, _, form)| Length::with_form(value, form)).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(role: Role, defect: Option<Defect>, payload: &[u8]) -> Vec<u8> {
        let mut speaker = Speaker::new(role, 1);
        speaker.message(Kind::Text, payload, &Nature::new(defect));
        let mut bytes = Vec::new();
        while let Some(output) = speaker.poll() {
            match output {
                Output::Write(more) => bytes.extend_from_slice(&more),
                Output::ShutdownWrite | Output::Reset => panic!("{output:?}"),
            }
        }
        bytes
    }

    #[test]
    fn frames_are_plain_but_for_the_defect() {
        assert_eq!(said(Role::Server, None, b"Hello"), b"\x81\x05Hello");
        assert_eq!(said(Role::Server, Some(Defect::EchoWithRsv3), b"Hello"), b"\x91\x05Hello");
        assert_eq!(said(Role::Server, Some(Defect::Sends16BitsFor7), b"Hello"), b"\x81\x7e\x00\x05Hello");
        assert_eq!(said(Role::Server, Some(Defect::EchoSplitInvalid), b"Hello"), b"\x01\x02He\x81\x03llo");
        assert_eq!(said(Role::Client, Some(Defect::SendsUnmasked), b"Hello"), b"\x81\x05Hello");
        assert_eq!(said(Role::Client, Some(Defect::MasksWithZero), b"Hi"), b"\x81\x82\0\0\0\0Hi");
        let masked = said(Role::Client, None, b"Hello");
        assert_eq!((masked[1], masked.len()), (0x85, 11));
        assert_ne!(&masked[6..], b"Hello");
    }

    #[test]
    fn keys_differ_but_for_the_defect() {
        let keys = |defect| {
            let mut speaker = Speaker::new(Role::Client, 7);
            let nature = Nature::new(defect);
            [(); 4].map(|()| speaker.key(Opcode::TEXT, &nature).unwrap())
        };
        let lawful = keys(None);
        assert!((1..4).all(|i| !lawful[..i].contains(&lawful[i])));
        let twos = keys(Some(Defect::MasksByTwos));
        assert!(twos[0] == twos[1] && twos[1] != twos[2] && twos[2] == twos[3]);
        assert!(keys(Some(Defect::MasksWithOneByte)).iter().all(|key| *key == [key[0]; 4]));
    }
}
