//! What is said of a defect, and how an endpoint asks whether it has one.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use wsgrade_codec::Role;

use super::table::{Defect, TABLE};

/// The part of the protocol that a defect is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Area {
    /// The opening handshake (RFC 6455, 4).
    Opening,
    /// Extensions and their parameters (RFC 6455, 9; RFC 7692, 5 and 7.1).
    Negotiation,
    /// Frames, fragments and control frames (RFC 6455, 5).
    Framing,
    /// Messages (RFC 6455, 6).
    Messages,
    /// Text (RFC 6455, 5.6 and 8.1).
    Utf8,
    /// The closing handshake and the end of TCP (RFC 6455, 7).
    Closing,
    /// Compressed messages (RFC 7692, 6 and 7.2).
    Deflate,
    /// What a hostile peer can make of an endpoint (RFC 6455, 10.4). These show in memory, processor time and
    /// sockets, and so only in a process.
    Resilience,
}

impl Area {
    /// A heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Opening => "Opening handshake",
            Self::Negotiation => "Negotiation",
            Self::Framing => "Framing",
            Self::Messages => "Messages",
            Self::Utf8 => "UTF-8",
            Self::Closing => "Closing",
            Self::Deflate => "Compressed messages",
            Self::Resilience => "Resilience",
        }
    }
}

/// In which roles a defect exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roles {
    /// Servers only.
    Server,
    /// Clients only.
    Client,
    /// Servers and clients.
    Both,
}

impl Roles {
    /// Whether this role is among them.
    #[must_use]
    pub const fn has(self, role: Role) -> bool {
        match (self, role) {
            (Self::Both, Role::Server | Role::Client)
            | (Self::Server, Role::Server)
            | (Self::Client, Role::Client) => true,
            (Self::Server, Role::Client) | (Self::Client, Role::Server) => false,
        }
    }
}

/// A line of the catalogue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) area: Area,
    pub(super) name: &'static str,
    pub(super) roles: Roles,
    pub(super) rule: &'static str,
    pub(super) does: &'static str,
    pub(super) known: Option<&'static str>,
}

impl Defect {
    fn entry(self) -> &'static Entry {
        // One macro writes the variants and the table, in one order.
        &TABLE[self as usize]
    }

    /// The part of the protocol that it is in.
    #[must_use]
    pub fn area(self) -> Area {
        self.entry().area
    }

    /// Its name on the command line, such as `takes-opcode-3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// In which roles it exists.
    #[must_use]
    pub fn roles(self) -> Roles {
        self.entry().roles
    }

    /// The id of the rule that it breaks, as in the register of the cases. Where the rule is not the same for both
    /// roles, that of the server.
    #[must_use]
    pub fn rule(self) -> &'static str {
        self.entry().rule
    }

    /// What it does, to follow "the endpoint ...".
    #[must_use]
    pub fn does(self) -> &'static str {
        self.entry().does
    }

    /// A real defect of its kind, if one is known.
    #[must_use]
    pub fn known(self) -> Option<&'static str> {
        self.entry().known
    }

    /// Whether it shows only in a process: in memory, processor time, sockets.
    #[must_use]
    pub fn needs_process(self) -> bool {
        self.area() == Area::Resilience
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No defect has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no defect {0:?}; --list-defects names them all")]
pub struct UnknownDefect(String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|defect| defect.name() == name);
        found.copied().ok_or_else(|| UnknownDefect(name.to_owned()))
    }
}

/// What an endpoint is like: strict, or strict but for one defect.
///
/// It notes which defects it was asked for. An endpoint asks only where the answer changes what it does next, and is
/// otherwise a function of what it is given; so where a strict one was not asked for a defect, one with that defect
/// would have done the same.
#[derive(Debug)]
pub(super) struct Nature {
    defect: Option<Defect>,
    /// One for each defect, in the order of [`Defect::ALL`].
    asked: Vec<Cell<bool>>,
}

impl Nature {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Self { defect, asked: vec![Cell::new(false); Defect::ALL.len()] }
    }

    /// Whether this is its defect.
    pub(super) fn has(&self, defect: Defect) -> bool {
        self.asked[defect as usize].set(true);
        self.defect == Some(defect)
    }

    /// The defects that it was asked for.
    pub(super) fn asked(&self) -> impl Iterator<Item = Defect> {
        Defect::ALL.iter().copied().filter(|defect| self.asked[*defect as usize].get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        for defect in Defect::ALL {
            assert_eq!(defect.name().parse(), Ok(*defect));
            let camel: String =
                defect.name().split(['-', '.']).map(|word| word[..1].to_uppercase() + &word[1..]).collect();
            assert_eq!(format!("{defect:?}"), camel);
            assert!(!defect.does().ends_with('.') && !defect.does().is_empty(), "{defect}");
            assert!(
                defect.rule().starts_with("rfc6455-") || defect.rule().starts_with("rfc7692-"),
                "{defect}"
            );
        }
        let error = "takes-opcode-9".parse::<Defect>().unwrap_err();
        assert_eq!(error.to_string(), "there is no defect \"takes-opcode-9\"; --list-defects names them all");
    }

    #[test]
    fn a_nature_has_one_defect_and_notes_what_it_was_asked() {
        let nature = Nature::new(Some(Defect::NoPong));
        assert!(nature.has(Defect::NoPong) && !nature.has(Defect::Masks));
        assert_eq!(nature.asked().count(), 2);
        assert!(!Nature::new(None).has(Defect::NoPong));
    }
}
