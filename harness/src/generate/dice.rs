//! Choices, made by bytes. Where the bytes are used up every choice is the first, which is the simplest one.

use arbitrary::Unstructured;

/// Choices that are always made: none of these fails.
pub(super) trait Dice {
    /// A number below `n`; 0 where `n` is.
    fn below(&mut self, n: usize) -> usize;

    /// Whether it is the one time out of `n`; never where the bytes are used up.
    fn one_in(&mut self, n: usize) -> bool {
        n > 0 && self.below(n) == n - 1 && n > 1
    }

    /// One of these. The list is never empty.
    fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// The number of one of these weights, by their shares.
    fn weigh(&mut self, weights: &[u8]) -> usize {
        let all: usize = weights.iter().map(|weight| usize::from(*weight)).sum();
        let mut at = self.below(all);
        for (n, weight) in weights.iter().enumerate() {
            match at.checked_sub(usize::from(*weight)) {
                Some(rest) => at = rest,
                None => return n,
            }
        }
        0
    }
}

impl Dice for Unstructured<'_> {
    fn below(&mut self, n: usize) -> usize {
        self.int_in_range(0..=n.saturating_sub(1)).unwrap_or_default()
    }
}

/// Bytes that look random, the same for the same seed for ever (xorshift): a stretch of them costs no more than two bytes.
pub(super) fn noise(seed: u16) -> impl FnMut() -> u8 {
    let mut state = 0x9E37_79B9_u32 ^ (u32::from(seed) + 1).wrapping_mul(0x85EB_CA6B);
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 11) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_bytes_every_choice_is_the_first() {
        let mut u = Unstructured::new(&[]);
        assert_eq!((u.below(0), u.below(1), u.below(300)), (0, 0, 0));
        assert!(!u.one_in(1) && !u.one_in(2) && !u.one_in(0));
        assert_eq!((u.pick(&["a", "b"]), u.weigh(&[3, 1])), ("a", 0));
    }

    #[test]
    fn bytes_reach_every_choice() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut u = Unstructured::new(&bytes);
        let mut seen = [0; 3];
        (0..200).for_each(|_| seen[u.weigh(&[4, 0, 4])] += 1);
        assert!(seen[0] > 20 && seen[1] == 0 && seen[2] > 20, "{seen:?}");
        assert!((0..50).any(|_| u.one_in(4)));
    }

    #[test]
    fn noise_is_the_same_for_a_seed_and_another_for_another() {
        let some = |seed| std::iter::repeat_with(noise(seed)).take(64).collect::<Vec<_>>();
        assert_eq!(some(7), some(7));
        assert_ne!(some(7), some(8));
        assert_ne!(some(0), vec![0; 64]);
    }
}
