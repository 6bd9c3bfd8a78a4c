//! Made-up contents of real kinds: the same bytes on every machine, for ever.

use std::borrow::Cow;

/// A content to cut messages from. Each has 2^20 units (code points where it is text, bytes where it is not), so that
/// messages of a power of two in size repeat early and are compressed once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Corpus {
    /// JSON records, in ASCII.
    Json,
    /// An uncompressed picture.
    Bitmap,
    /// Prose in many scripts, in UTF-8.
    Prose,
    /// A page in HTML with a few characters beyond ASCII.
    Html,
    /// A document whose streams are compressed already.
    Document,
}

impl Corpus {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Json, Self::Bitmap, Self::Prose, Self::Html, Self::Document];

    /// The word used in case files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Bitmap => "bitmap",
            Self::Prose => "prose",
            Self::Html => "html",
            Self::Document => "document",
        }
    }

    /// How many bytes it has.
    pub fn len_in_bytes(self) -> u64 {
        0
    }

    /// How many code points it has, if it is text; else as many as it has bytes.
    pub fn len_in_code_points(self) -> u64 {
        0
    }

    /// `len` bytes from the byte `start`, beginning anew at the end.
    pub fn bytes(self, _start: u64, _len: u32) -> Cow<'static, [u8]> {
        Cow::Borrowed(&[])
    }

    /// `len` code points from the code point `start`, beginning anew at the end.
    pub fn code_points(self, _start: u64, _len: u32) -> Cow<'static, [u8]> {
        Cow::Borrowed(&[])
    }
}
