//! What is UTF-8, and what lax decoders take for it.

use super::defect::Nature;
use super::table::Defect;

/// What bytes that are not UTF-8 are, that one decoder or another takes nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// U+D800 to U+DFFF, encoded like any other.
    Surrogate,
    /// A character in more bytes than it needs.
    Overlong,
    /// Above U+10FFFF, in four bytes.
    AboveMax,
    /// Five or six bytes, which there were before RFC 3629.
    FiveBytes,
    /// A continuation byte, and nothing that it continues.
    LoneContinuation,
    /// A character that breaks off before its last byte.
    Cut,
    /// FE and FF, which were never anything.
    Never,
}

impl Fault {
    fn forgiven_by(self) -> Option<Defect> {
        match self {
            Self::Surrogate => Some(Defect::TakesSurrogates),
            Self::Overlong => Some(Defect::TakesOverlong),
            Self::AboveMax => Some(Defect::TakesAboveMax),
            Self::FiveBytes => Some(Defect::TakesFiveBytes),
            Self::LoneContinuation => Some(Defect::TakesLoneContinuation),
            Self::Cut => Some(Defect::TakesCutCharacter),
            Self::Never => None,
        }
    }
}

/// Whether all of these bytes can be the beginning of a text, for an endpoint of this nature.
pub(super) fn is_tolerable(bytes: &[u8], nature: &Nature) -> bool {
    let mut rest = bytes;
    loop {
        let Err(error) = std::str::from_utf8(rest) else { return true };
        rest = &rest[error.valid_up_to()..];
        // The beginning of a character that may be completed.
        if error.error_len().is_none() {
            return true;
        }
        let (fault, length) = fault(rest);
        if !fault.forgiven_by().is_some_and(|defect| nature.has(defect)) {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// What is wrong at the beginning of these bytes, and how many of them a decoder takes that sees nothing wrong in it.
fn fault(bytes: &[u8]) -> (Fault, usize) {
    let first = bytes.first().copied().unwrap_or_default();
    let second = bytes.get(1).copied().unwrap_or_default();
    let (length, fault) = match (first, second) {
        (0x80..=0xBF, _) => return (Fault::LoneContinuation, 1),
        (0xC0 | 0xC1, 0x80..=0xBF) => (2, Fault::Overlong),
        (0xE0, 0x80..=0x9F) => (3, Fault::Overlong),
        (0xF0, 0x80..=0x8F) => (4, Fault::Overlong),
        (0xED, 0xA0..=0xBF) => (3, Fault::Surrogate),
        (0xF4, 0x90..=0xBF) | (0xF5..=0xF7, 0x80..=0xBF) => (4, Fault::AboveMax),
        (0xF8..=0xFB, _) => (5, Fault::FiveBytes),
        (0xFC | 0xFD, _) => (6, Fault::FiveBytes),
        (0xFE | 0xFF, _) => (1, Fault::Never),
        // A lead byte that is as it should be, or one that nothing follows.
        _ => (2, Fault::Cut),
    };
    let continued = bytes[1..].iter().take(length - 1).take_while(|byte| matches!(byte, 0x80..=0xBF)).count();
    match fault {
        Fault::Cut => (Fault::Cut, 1 + continued),
        // What breaks off besides is taken as far as it goes.
        _ => (fault, 1 + continued),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_forgiven_by_its_defect_alone() {
        let faults: [(&[u8], Defect); 9] = [
            (b"a\xed\xa0\x80b", Defect::TakesSurrogates),
            (b"\xc0\xaf", Defect::TakesOverlong),
            (b"\xe0\x80\xaf", Defect::TakesOverlong),
            (b"\xf0\x80\x80\xaf", Defect::TakesOverlong),
            (b"\xf4\x90\x80\x80", Defect::TakesAboveMax),
            (b"\xf8\x88\x80\x80\x80", Defect::TakesFiveBytes),
            (b"\xfc\x84\x80\x80\x80\x80", Defect::TakesFiveBytes),
            (b"a\x80", Defect::TakesLoneContinuation),
            (b"\xe2\x82a", Defect::TakesCutCharacter),
        ];
        let lenient = [
            Defect::TakesSurrogates,
            Defect::TakesOverlong,
            Defect::TakesAboveMax,
            Defect::TakesFiveBytes,
            Defect::TakesLoneContinuation,
            Defect::TakesCutCharacter,
        ];
        for (bytes, defect) in faults {
            for other in lenient {
                assert_eq!(
                    is_tolerable(bytes, &Nature::new(Some(other))),
                    other == defect,
                    "{bytes:02x?} {other}"
                );
            }
            assert!(!is_tolerable(bytes, &Nature::new(None)));
        }
        assert!(!is_tolerable(b"\xff", &Nature::new(Some(Defect::TakesFiveBytes))));
        assert!(is_tolerable("aä€\u{1f600}".as_bytes(), &Nature::new(None)));
        assert!(is_tolerable(b"\xe2\x82", &Nature::new(None)));
    }
}
