//! The payload length: how much, and in how many bytes it is said.

/// The form in which a length is written (RFC 6455, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LengthForm {
    /// Seven bits in the second byte, 0 to 125.
    Bits7,
    /// 126 in the second byte, then 16 bits.
    Bits16,
    /// 127 in the second byte, then 64 bits.
    Bits64,
}

impl LengthForm {
    /// How many bytes follow the second byte of the header to hold the length: 0, 2 or 8.
    #[must_use]
    pub const fn extra_bytes(self) -> usize {
        match self {
            Self::Bits7 => 0,
            Self::Bits16 => 2,
            Self::Bits64 => 8,
        }
    }

    /// The largest length, in bytes, which can be written so.
    #[must_use]
    pub const fn max(self) -> u64 {
        match self {
            Self::Bits7 => 125,
            Self::Bits16 => u16::MAX as u64,
            Self::Bits64 => u64::MAX,
        }
    }

    /// The shortest form in which this length can be written.
    #[must_use]
    pub const fn minimal(value: u64) -> Self {
        if value <= Self::Bits7.max() {
            Self::Bits7
        } else if value <= Self::Bits16.max() {
            Self::Bits16
        } else {
            Self::Bits64
        }
    }
}

/// A payload length in bytes together with its form. What is in here can always be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Length {
    /// value <= form.max()
    value: u64,
    form: LengthForm,
}

impl Length {
    /// No payload.
    pub const ZERO: Self = Self::minimal(0);

    /// This many bytes, in the shortest form. Values above 2^63 - 1 set the bit which must not be set; that is
    /// the caller's wish.
    #[must_use]
    pub const fn minimal(value: u64) -> Self {
        Self { value, form: LengthForm::minimal(value) }
    }

    /// This many bytes in a given form; `None` if the form is too small for the value.
    #[must_use]
    pub const fn with_form(value: u64, form: LengthForm) -> Option<Self> {
        if value <= form.max() { Some(Self { value, form }) } else { None }
    }

    /// The length in bytes.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.value
    }

    /// The form in which it is written.
    #[must_use]
    pub const fn form(self) -> LengthForm {
        self.form
    }

    /// "Note that in all cases, the minimal number of bytes MUST be used to encode the length" (5.2): whether it is.
    #[must_use]
    pub const fn is_minimal(self) -> bool {
        matches!(
            (self.form, LengthForm::minimal(self.value)),
            (LengthForm::Bits7, LengthForm::Bits7)
                | (LengthForm::Bits16, LengthForm::Bits16)
                | (LengthForm::Bits64, LengthForm::Bits64)
        )
    }

    /// Whether the top bit of the 64-bit form is set, which it must not be (5.2).
    #[must_use]
    pub const fn has_top_bit(self) -> bool {
        self.value >> 63 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimal_form_changes_at_the_boundaries() {
        for (value, form) in [
            (0, LengthForm::Bits7),
            (125, LengthForm::Bits7),
            (126, LengthForm::Bits16),
            (65_535, LengthForm::Bits16),
            (65_536, LengthForm::Bits64),
            (u64::MAX, LengthForm::Bits64),
        ] {
            assert_eq!(Length::minimal(value).form(), form, "{value}");
            assert!(Length::minimal(value).is_minimal());
        }
    }

    #[test]
    fn a_form_takes_only_what_fits() {
        assert!(Length::with_form(126, LengthForm::Bits7).is_none());
        assert!(Length::with_form(65_536, LengthForm::Bits16).is_none());
        let wide = Length::with_form(5, LengthForm::Bits64).unwrap();
        assert_eq!((wide.value(), wide.is_minimal(), wide.has_top_bit()), (5, false, false));
        assert!(Length::with_form(1 << 63, LengthForm::Bits64).unwrap().has_top_bit());
        assert!(!Length::minimal((1 << 63) - 1).has_top_bit());
    }
}
