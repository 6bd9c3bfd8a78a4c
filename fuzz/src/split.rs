//! The ways to cut a stream of bytes into reads.

/// Every cut in two of a short stream and some of a long one, byte by byte, a few even sizes, and one uneven split with
/// empty reads in it. Each is the list of reads.
pub(crate) fn splits(wire: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let step = if wire.len() < 64 { 1 } else { wire.len() / 16 };
    let in_two = (0..=wire.len()).step_by(step).map(|at| vec![&wire[..at], &wire[at..]]);
    let even = [1, 2, 3, 5, 64].into_iter().map(|size| wire.chunks(size).collect());
    in_two.chain(even).chain(std::iter::once_with(|| uneven(wire)))
}

/// A split that depends on nothing but the bytes, so that a crash repeats itself.
fn uneven(wire: &[u8]) -> Vec<&[u8]> {
    // FNV-1a: every byte has a say in every later size.
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut reads = Vec::new();
    let mut rest = wire;
    while let Some(first) = rest.first() {
        state = (state ^ u64::from(*first)).wrapping_mul(0x0100_0000_01b3);
        let (read, later) = rest.split_at(rest.len().min((state >> 32) as usize % 24));
        // An empty read is lawful input too; one byte more keeps the loop going.
        reads.push(read);
        if read.is_empty() {
            reads.push(&rest[..1]);
            rest = &rest[1..];
        } else {
            rest = later;
        }
    }
    reads
}

#[cfg(test)]
mod tests {
    use super::splits;

    #[test]
    fn every_split_is_the_whole() {
        for len in [0, 1, 2, 63, 64, 65, 1000] {
            let wire: Vec<u8> = (0..len).map(|at| at as u8).collect();
            for reads in splits(&wire) {
                assert_eq!(reads.concat(), wire);
            }
        }
    }

    #[test]
    fn a_short_stream_is_cut_everywhere() {
        let wire = [7; 63];
        let in_two: Vec<usize> =
            splits(&wire).filter(|reads| reads.len() == 2).map(|reads| reads[0].len()).collect();
        assert!((0..=63).all(|at| in_two.contains(&at)));
        assert!(splits(&wire).any(|reads| reads.len() == 63));
    }

    #[test]
    fn some_reads_in_the_middle_are_empty() {
        let wire: Vec<u8> = (0..=255).collect();
        assert!(splits(&wire).any(|reads| reads.len() > 2 && reads.iter().any(|read| read.is_empty())));
    }
}
