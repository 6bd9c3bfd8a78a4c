//! Frames on the wire, for whoever makes traffic.

use wsgrade_codec::Role;
use wsgrade_codec::wire::{Header, Opcode, Rsv};

/// Appends a frame; a masking key of the header is put on the payload.
pub(crate) fn append(header: Header, payload: &[u8], wire: &mut Vec<u8>) {
    wire.extend_from_slice(&header.encode());
    let start = wire.len();
    wire.extend_from_slice(payload);
    if let Some(key) = header.mask {
        for (at, byte) in wire[start..].iter_mut().enumerate() {
            *byte ^= key[at % 4];
        }
    }
}

/// Who writes frames as its role asks: a client with a key for each.
#[derive(Clone, Debug)]
pub(crate) struct Pen {
    pub(crate) sender: Role,
    /// The last masking key.
    key: u32,
}

impl Pen {
    pub(crate) fn new(sender: Role) -> Self {
        Self { sender, key: 0 }
    }

    /// Another key each time, the same ones in every run.
    pub(crate) fn key(&mut self) -> [u8; 4] {
        self.key = self.key.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        self.key.to_be_bytes()
    }

    /// Appends a frame that is lawful where the order of frames is.
    pub(crate) fn frame(&mut self, fin: bool, rsv: Rsv, opcode: Opcode, payload: &[u8], wire: &mut Vec<u8>) {
        let mask = self.sender.masks().then(|| self.key());
        append(Header { fin, rsv, ..Header::new(opcode, mask, payload.len() as u64) }, payload, wire);
    }
}
