//! A corpus in memory: twice in a row, so that every stretch of it is in one piece, wherever it begins.

use std::borrow::Cow;

/// Every so many code points their place is noted.
const STRIDE: usize = 64;

pub(super) struct Content {
    /// The content, twice.
    twice: Vec<u8>,
    /// Of a text, the offset of every [`STRIDE`]th code point in the first of the two, and how many code points that
    /// has. None where a code point is a byte.
    text: Option<(Vec<usize>, usize)>,
}

impl Content {
    pub(super) fn binary(bytes: Vec<u8>) -> Self {
        let mut twice = bytes;
        twice.extend_from_within(..);
        Self { twice, text: None }
    }

    pub(super) fn text(text: String) -> Self {
        let index = (!text.is_ascii()).then(|| {
            let places = text.char_indices().step_by(STRIDE).map(|(at, _)| at).collect();
            (places, text.chars().count())
        });
        Self { text: index, ..Self::binary(text.into_bytes()) }
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        self.twice.len() / 2
    }

    /// In code points, where it is text; else in bytes.
    pub(super) fn count(&self) -> usize {
        self.text.as_ref().map_or(self.size(), |(_, count)| *count)
    }

    pub(super) fn bytes(&self, start: u64, len: u32) -> Cow<'_, [u8]> {
        let size = self.size();
        let from = (start % size as u64) as usize;
        self.stretch(from, from + len as usize)
    }

    pub(super) fn code_points(&self, start: u64, len: u32) -> Cow<'_, [u8]> {
        let Some((places, _)) = &self.text else { return self.bytes(start, len) };
        let count = self.count();
        let from = (start % count as u64) as usize;
        let offset = |code_point: usize| {
            let (turns, rest) = (code_point / count, code_point % count);
            let near = places[rest / STRIDE];
            turns * self.size() + near + self.after(near, rest % STRIDE)
        };
        self.stretch(offset(from), offset(from + len as usize))
    }

    /// How many bytes so many code points have from there on.
    fn after(&self, at: usize, code_points: usize) -> usize {
        let begins = |byte: &u8| byte & 0xc0 != 0x80;
        let bytes = self.twice[at..].iter().enumerate().filter(|(_, byte)| begins(byte));
        bytes.map(|(at, _)| at).nth(code_points).unwrap_or_default()
    }

    /// The bytes of the endless repetition from one offset to another. `from < size`.
    fn stretch(&self, from: usize, to: usize) -> Cow<'_, [u8]> {
        match self.twice.get(from..to) {
            Some(bytes) => Cow::Borrowed(bytes),
            None => Cow::Owned(self.twice.iter().copied().cycle().skip(from).take(to - from).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::*;

    fn cut<T: Copy>(units: &[T], start: u64, len: u32) -> Vec<T> {
        let from = (start % units.len() as u64) as usize;
        units.iter().copied().cycle().skip(from).take(len as usize).collect()
    }

    quickcheck! {
        fn bytes_go_round(bytes: Vec<u8>, start: u64, len: u16) -> bool {
            let bytes = [bytes, vec![7]].concat();
            let content = Content::binary(bytes.clone());
            let cut_of = cut(&bytes, start, len.into());
            let shorter = usize::from(len) <= bytes.len();
            let found = content.bytes(start, len.into());
            (!shorter || matches!(found, Cow::Borrowed(_)))
                && *found == *cut_of
                && content.code_points(start, len.into()) == found
        }

        fn code_points_go_round(text: Vec<String>, start: u64, len: u16) -> bool {
            let text = text.concat() + "κ";
            let chars: Vec<char> = text.chars().collect();
            let content = Content::text(text);
            let cut_of: String = cut(&chars, start, len.into()).into_iter().collect();
            let shorter = usize::from(len) <= chars.len();
            let found = content.code_points(start, len.into());
            (!shorter || matches!(found, Cow::Borrowed(_)))
                && *found == *cut_of.as_bytes()
                && content.count() == chars.len()
        }
    }
}
