//! An input read from front to back: what a field means does not depend on what comes later, so that bytes can be put
//! in, cut out and told from a dump by eye.

/// The rest of an input. What is missing at its end is zero or empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tape<'a> {
    rest: &'a [u8],
    /// How many bytes patterns may still make.
    room: usize,
}

/// The most that all patterns of an input make together: what a fuzzer can wait for.
const ROOM: usize = 1 << 20;

/// Blocks from this first byte on are a pattern and not bytes as they stand.
const PATTERN: u8 = 0xf0;

impl<'a> Tape<'a> {
    /// The whole of an input.
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { rest: data, room: ROOM }
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// Two bytes, the higher one first.
    pub(crate) fn number(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    /// So many bytes, or what is left.
    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A length in two bytes, and the bytes.
    pub(crate) fn long(&mut self) -> &'a [u8] {
        let length = usize::from(self.number());
        self.take(length)
    }

    /// A length in one byte, and the bytes. From 0xf0 on it is four bytes over and over, so many times as the two bytes
    /// before them say, and that by a power of two: a large message is seven bytes of an input.
    pub(crate) fn block(&mut self) -> Vec<u8> {
        let first = self.byte();
        if first < PATTERN {
            return self.take(usize::from(first)).to_vec();
        }
        let times = usize::from(self.number() >> 2) << ((first - PATTERN) / 8);
        let pattern = self.take(4).repeat(times.min(self.room / 4));
        self.room -= pattern.len();
        pattern
    }

    /// Into pieces of how many bytes so many are cut: one byte says it, and that there are no more than a few hundred.
    pub(crate) fn size(&mut self, whole: usize) -> usize {
        usize::from(self.byte()).max(whole / 200).max(1)
    }

    /// A block as text; what is not UTF-8 is replaced.
    pub(crate) fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.block()).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::Tape;

    #[test]
    fn fields_one_after_another() {
        let mut tape = Tape::new(&[7, 1, 2, 2, b'h', b'i', 0, 3, 1, 2, 3, 9]);
        assert_eq!((tape.byte(), tape.number(), tape.text().as_str()), (7, 0x102, "hi"));
        assert_eq!((tape.long(), tape.is_over()), (&[1, 2, 3][..], false));
        assert_eq!((tape.number(), tape.is_over(), tape.block()), (0x900, true, vec![]));
    }

    #[test]
    fn a_pattern_is_longer_than_its_description() {
        assert_eq!(Tape::new(&[0xf0, 0, 8, 1, 2, 3, 4]).block(), [1, 2, 3, 4, 1, 2, 3, 4]);
        assert_eq!(Tape::new(&[0xff, 0xff, 0xff, 1, 2, 3, 4]).block().len(), 131_064);
        assert!(Tape::new(&[0xf0, 0, 8]).block().is_empty());
        let many = [0xff, 0xff, 0xff, 1, 2, 3, 4].repeat(20);
        let mut tape = Tape::new(&many);
        let made: usize = (0..20).map(|_| tape.block().len()).sum();
        assert_eq!((made, tape.is_over()), (super::ROOM, true));
    }
}
