//! Made-up contents of real kinds: the same bytes on every machine, for ever.
//!
//! ```text
//! random ─> json, bitmap, prose, html, document ─> content: twice in a row, so that no message has to be put together
//! ```
//!
//! Nothing is generated before it is asked for. Numbers are whole, since not every machine rounds alike, and a test
//! holds the digest of each.

mod bitmap;
mod content;
mod document;
mod html;
mod json;
mod prose;
mod random;

use std::borrow::Cow;
use std::sync::OnceLock;

use content::Content;

/// The length of each corpus, in the unit it is cut by.
const UNITS: usize = 1 << 20;

/// A content to cut messages from. Each has 2^20 of the units it is cut by in the catalogue (code points of JSON and HTML,
/// bytes of all else), so that messages of a power of two in size repeat early and are compressed once.
///
/// Beside each stands how well zlib's level 6 compresses the whole of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Corpus {
    /// JSON records, in ASCII. 5.6 to 1.
    Json,
    /// An uncompressed picture. 1.6 to 1.
    Bitmap,
    /// Prose in many scripts, in UTF-8. 4.0 to 1.
    Prose,
    /// A page in HTML with a few characters beyond ASCII. 4.5 to 1.
    Html,
    /// A document whose streams are compressed already. 1.09 to 1.
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

    /// Whether it is UTF-8, and so can be cut into texts.
    pub fn is_text(self) -> bool {
        match self {
            Self::Json | Self::Prose | Self::Html => true,
            Self::Bitmap | Self::Document => false,
        }
    }

    /// How many bytes it has.
    pub fn len_in_bytes(self) -> u64 {
        match self {
            Self::Json | Self::Bitmap | Self::Prose | Self::Document => UNITS as u64,
            // Known without generating it; a test counts them.
            Self::Html => 1_061_887,
        }
    }

    /// How many code points it has, if it is text; else as many as it has bytes.
    pub fn len_in_code_points(self) -> u64 {
        match self {
            Self::Json | Self::Html | Self::Bitmap | Self::Document => UNITS as u64,
            // Known without generating it; a test counts them.
            Self::Prose => 498_319,
        }
    }

    /// `len` bytes from the byte `start`, beginning anew at the end. Borrowed where `len` is no longer than the corpus.
    pub fn bytes(self, start: u64, len: u32) -> Cow<'static, [u8]> {
        self.content().bytes(start, len)
    }

    /// `len` code points from the code point `start`, beginning anew at the end; bytes, where it is not text. Borrowed
    /// where `len` is no longer than the corpus.
    pub fn code_points(self, start: u64, len: u32) -> Cow<'static, [u8]> {
        self.content().code_points(start, len)
    }

    fn content(self) -> &'static Content {
        static CONTENTS: [OnceLock<Content>; Corpus::ALL.len()] =
            [const { OnceLock::new() }; Corpus::ALL.len()];
        CONTENTS[self as usize].get_or_init(|| match self {
            Self::Json => Content::text(json::generate()),
            Self::Bitmap => Content::binary(bitmap::generate()),
            Self::Prose => Content::text(prose::generate()),
            Self::Html => Content::text(html::generate()),
            Self::Document => Content::binary(document::generate()),
        })
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;
    use sha1::{Digest, Sha1};

    use super::*;

    /// The whole of it.
    fn whole(corpus: Corpus) -> Cow<'static, [u8]> {
        corpus.bytes(0, u32::try_from(corpus.len_in_bytes()).expect("short"))
    }

    /// These digests stand for ever: a run is compared with one of years ago only if both sent the same.
    #[test]
    fn every_corpus_is_what_it_always_was() {
        let digests = Corpus::ALL
            .map(|corpus| format!("{} {}", corpus.as_str(), crate::write::hex(&Sha1::digest(whole(corpus)))));
        assert_eq!(
            digests,
            [
                "json bf72d1b044f367a5fd8d159988b41c952cc4fcbf",
                "bitmap 7cf0782a043706fb1329e6e5b04d235daacdc1cd",
                "prose c5374f7b3434e7e19143880c79f273a1e9ac359a",
                "html 5454b04096589afda19ad3b10035c37eb06ea606",
                "document d9d86a26bb583fb22d64217db0a8950b1d164050",
            ]
        );
    }

    #[test]
    fn lengths_are_what_is_said() {
        for corpus in Corpus::ALL {
            let content = corpus.content();
            assert_eq!(content.size() as u64, corpus.len_in_bytes(), "{corpus:?}");
            assert_eq!(content.count() as u64, corpus.len_in_code_points(), "{corpus:?}");
        }
    }

    #[test]
    fn texts_are_texts_and_the_others_are_not() {
        for corpus in Corpus::ALL {
            assert_eq!(std::str::from_utf8(&whole(corpus)).is_ok(), corpus.is_text(), "{corpus:?}");
        }
        assert!(whole(Corpus::Json).is_ascii());
        let prose = String::from_utf8(whole(Corpus::Prose).into_owned()).expect("a text");
        for bytes in 1..=4 {
            let count = prose.chars().filter(|c| c.len_utf8() == bytes).count();
            assert!(count > 10_000, "{count} characters of {bytes} bytes");
        }
        let html = String::from_utf8(whole(Corpus::Html).into_owned()).expect("a text");
        let beyond = html.chars().filter(|c| !c.is_ascii()).count();
        assert!((1_000..20_000).contains(&beyond), "{beyond}");
    }

    #[test]
    fn contents_are_of_their_kind() {
        let json: serde_json::Value = serde_json::from_slice(&whole(Corpus::Json)).expect("JSON");
        assert!(json["items"].as_array().is_some_and(|items| items.len() > 1_000));
        assert!(whole(Corpus::Bitmap).starts_with(b"BM\x00\x00\x10\x00"));
        assert!(whole(Corpus::Html).ends_with(b"</html>\n"));
        assert!(whole(Corpus::Document).starts_with(b"%PDF-1.4\n"));
    }

    /// The table at the end of the document says where its objects are.
    #[test]
    fn the_documents_objects_are_where_its_table_says() {
        let document = whole(Corpus::Document);
        let tail = String::from_utf8_lossy(&document[document.len() - 20..]).into_owned();
        let table: usize =
            tail.split_whitespace().rev().nth(1).and_then(|at| at.parse().ok()).expect("a place");
        let table = String::from_utf8(document[table..].to_vec()).expect("the end is text");
        let places: Vec<_> = table.lines().filter(|line| line.ends_with(" n ")).collect();
        assert!(places.len() > 50);
        for (number, line) in (1..).zip(places) {
            let at: usize = line[..10].parse().expect("a place");
            assert!(document[at..].starts_with(format!("{number} 0 obj\n").as_bytes()), "object {number}");
        }
    }

    quickcheck! {
        fn stretches_go_round(which: usize, start: u64, len: u16) -> bool {
            let corpus = Corpus::ALL[which % Corpus::ALL.len()];
            let all = whole(corpus);
            let from = (start % corpus.len_in_bytes()) as usize;
            let naive: Vec<u8> = all.iter().copied().cycle().skip(from).take(len.into()).collect();
            let found = corpus.bytes(start, len.into());
            matches!(found, Cow::Borrowed(_)) && *found == *naive
        }

        fn stretches_of_text_go_round(which: usize, start: u64, len: u16) -> bool {
            let corpus = [Corpus::Json, Corpus::Prose, Corpus::Html][which % 3];
            let all = String::from_utf8(whole(corpus).into_owned()).expect("a text");
            let from = (start % corpus.len_in_code_points()) as usize;
            let naive: String = all.chars().cycle().skip(from).take(len.into()).collect();
            let found = corpus.code_points(start, len.into());
            matches!(found, Cow::Borrowed(_)) && *found == *naive.as_bytes()
        }
    }

    #[test]
    fn the_longest_stretch_in_one_piece_is_the_whole_and_a_longer_one_is_put_together() {
        for corpus in [Corpus::Prose, Corpus::Html] {
            let count = u32::try_from(corpus.len_in_code_points()).expect("short");
            let last = corpus.code_points(u64::from(count) - 1, count);
            assert!(matches!(last, Cow::Borrowed(_)));
            let longer = corpus.code_points(5, 2 * count + 7);
            let parts =
                [corpus.code_points(5, count), corpus.code_points(5, count), corpus.code_points(5, 7)];
            assert_eq!(*longer, *parts.concat());
        }
        let longer = Corpus::Bitmap.bytes(3, 5 << 20);
        assert_eq!(*longer, *Corpus::Bitmap.bytes(3, 1 << 20).repeat(5));
    }
}
