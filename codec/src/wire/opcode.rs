//! The first byte of a frame without its FIN bit.

use std::fmt;

use crate::Kind;

/// The four opcode bits (RFC 6455, 5.2). Each of the 16 values can be represented.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Opcode(
    /// 0 <= value <= 15
    u8,
);

impl Opcode {
    /// 0x0, a further fragment of the message begun before.
    pub const CONTINUATION: Self = Self(0x0);
    /// 0x1, a text message or its first fragment.
    pub const TEXT: Self = Self(0x1);
    /// 0x2, a binary message or its first fragment.
    pub const BINARY: Self = Self(0x2);
    /// 0x8, the closing handshake.
    pub const CLOSE: Self = Self(0x8);
    /// 0x9, a ping.
    pub const PING: Self = Self(0x9);
    /// 0xA, a pong.
    pub const PONG: Self = Self(0xA);

    /// The opcode with this value; `None` if it needs more than four bits.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 0xF { Some(Self(value)) } else { None }
    }

    /// The opcode in the low four bits of a frame's first byte.
    #[must_use]
    pub const fn from_first_byte(byte: u8) -> Self {
        Self(byte & 0xF)
    }

    /// The opcode of an unfragmented message of this kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::TEXT,
            Kind::Binary => Self::BINARY,
        }
    }

    /// The message kind which this opcode begins; `None` for all but text and binary.
    #[must_use]
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::TEXT => Some(Kind::Text),
            Self::BINARY => Some(Kind::Binary),
            _ => None,
        }
    }

    /// The four bits, 0 to 15.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// "Control frames are identified by opcodes where the most significant bit of the opcode is 1." (5.5)
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 & 0x8 != 0
    }

    /// Whether RFC 6455 gives this opcode no meaning: 0x3 to 0x7 and 0xB to 0xF.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self.0, 0x3..=0x7 | 0xB..=0xF)
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CONTINUATION => f.write_str("continuation"),
            Self::TEXT => f.write_str("text"),
            Self::BINARY => f.write_str("binary"),
            Self::CLOSE => f.write_str("close"),
            Self::PING => f.write_str("ping"),
            Self::PONG => f.write_str("pong"),
            Self(value) => write!(f, "reserved {value:#x}"),
        }
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

/// The three reserved bits (RFC 6455, 5.2). Each of the 8 combinations can be represented.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Rsv(
    /// 0 <= value <= 7
    u8,
);

impl Rsv {
    /// No bit set.
    pub const NONE: Self = Self(0);
    /// The highest of the three, 0x40 in the frame's first byte; RFC 7692 calls it "Per-Message Compressed".
    pub const RSV1: Self = Self(4);
    /// The middle one, 0x20 in the frame's first byte.
    pub const RSV2: Self = Self(2);
    /// The lowest, 0x10 in the frame's first byte.
    pub const RSV3: Self = Self(1);

    /// These bits, RSV1 being 4, RSV2 2 and RSV3 1; `None` if the value needs more than three bits.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value <= 7 { Some(Self(value)) } else { None }
    }

    /// The reserved bits of a frame's first byte.
    #[must_use]
    pub const fn from_first_byte(byte: u8) -> Self {
        Self((byte >> 4) & 7)
    }

    /// The three bits as a number, 0 to 7.
    #[must_use]
    pub const fn value(self) -> u8 {
        self.0
    }

    /// Whether all bits of `other` are set in `self`.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of `self` which are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether no bit is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl std::ops::BitOr for Rsv {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut separator = "";
        for (bit, name) in [(Self::RSV1, "RSV1"), (Self::RSV2, "RSV2"), (Self::RSV3, "RSV3")] {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = "+";
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rsv({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_opcodes_and_no_more() {
        assert!((0..=15).all(|value| Opcode::new(value).is_some_and(|opcode| opcode.value() == value)));
        assert!((16..=255).all(|value| Opcode::new(value).is_none()));
        let reserved: Vec<u8> = (0..16).filter(|v| Opcode::from_first_byte(*v).is_reserved()).collect();
        assert_eq!(reserved, [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]);
        let control: Vec<u8> = (0..16).filter(|v| Opcode::from_first_byte(*v).is_control()).collect();
        assert_eq!(control, [8, 9, 10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn opcodes_are_printed_by_name() {
        assert_eq!(Opcode::TEXT.to_string(), "text");
        assert_eq!(Opcode::CONTINUATION.to_string(), "continuation");
        assert_eq!(Opcode::from_first_byte(0xF3).to_string(), "reserved 0x3");
        assert_eq!(Opcode::from_first_byte(0x0B).to_string(), "reserved 0xb");
    }

    #[test]
    fn eight_combinations_of_reserved_bits() {
        assert!((0..=7).all(|value| Rsv::new(value).is_some_and(|rsv| rsv.value() == value)));
        assert!(Rsv::new(8).is_none());
        assert_eq!(Rsv::from_first_byte(0x40), Rsv::RSV1);
        assert_eq!(Rsv::from_first_byte(0x20), Rsv::RSV2);
        assert_eq!(Rsv::from_first_byte(0x10), Rsv::RSV3);
        assert_eq!(Rsv::from_first_byte(0x8F), Rsv::NONE);
        assert_eq!((Rsv::RSV1 | Rsv::RSV3).to_string(), "RSV1+RSV3");
        assert_eq!((Rsv::RSV1 | Rsv::RSV3).without(Rsv::RSV1), Rsv::RSV3);
        assert!(!Rsv::RSV2.contains(Rsv::RSV1));
        assert_eq!(Rsv::NONE.to_string(), "none");
    }
}
