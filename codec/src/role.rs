//! Two small words that every module shares.

use std::fmt;

/// Whose endpoint this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The side which accepted the connection. Its frames are not masked.
    Server,
    /// The side which opened the connection. Its frames are masked.
    Client,
}

impl Role {
    /// The other side.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }

    /// Whether frames which this side sends have to be masked (RFC 6455, 5.1).
    #[must_use]
    pub const fn masks(self) -> bool {
        match self {
            Self::Server => false,
            Self::Client => true,
        }
    }

    /// `"server"` or `"client"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The type of a message (RFC 6455, 5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// UTF-8 text, opcode 0x1.
    Text,
    /// Arbitrary bytes, opcode 0x2.
    Binary,
}

impl Kind {
    /// `"text"` or `"binary"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_of_the_peer_is_oneself() {
        for role in [Role::Server, Role::Client] {
            assert_ne!(role.peer(), role);
            assert_eq!(role.peer().peer(), role);
        }
        assert!(Role::Client.masks());
        assert!(!Role::Server.masks());
        assert_eq!(Role::Client.to_string(), "client");
        assert_eq!(Kind::Binary.to_string(), "binary");
    }
}
