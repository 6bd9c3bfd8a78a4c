//! Masking (RFC 6455, 5.3): the same operation puts a mask on and takes it off.

/// From this many bytes on it pays to align: an aligned store does not touch two cache lines.
const ALIGN_FROM: usize = 512;

/// What a vector register holds at most, in bytes, that the loops below can be compiled to.
const ALIGN: usize = 32;

/// XORs `data` with the masking key, in place.
///
/// `offset` is the position of `data[0]` in the frame's payload, in bytes; only its remainder modulo four counts. A
/// payload may so be worked on in pieces of any size.
///
/// "Octet i of the transformed data ("transformed-octet-i") is the XOR of octet i of the original data
/// ("original-octet-i") with octet at index i modulo 4 of the masking key ("masking-key-octet-j")" (5.3)
#[inline]
pub fn apply(key: [u8; 4], offset: usize, data: &mut [u8]) {
    let key = rotated(key, offset);
    if data.len() < ALIGN_FROM {
        return xor(key, data);
    }
    let ahead = data.as_ptr().align_offset(ALIGN).min(data.len());
    let (head, aligned) = data.split_at_mut(ahead);
    xor(key, head);
    xor(rotated(key, ahead), aligned);
}

#[inline]
fn xor(key: [u8; 4], data: &mut [u8]) {
    let word = u32::from_ne_bytes(key);
    let wide = (u64::from(word) << 32) | u64::from(word);
    // Four words at a time: the compiler turns this into vector instructions.
    let (blocks, rest) = data.as_chunks_mut::<32>();
    for block in blocks {
        for word in block.as_chunks_mut::<8>().0 {
            *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
        }
    }
    let (words, rest) = rest.as_chunks_mut::<4>();
    for bytes in words {
        *bytes = (u32::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

/// Writes `source`, masked from the beginning of the key, to `target` of the same length: a copy and [`apply`] in one
/// pass over the bytes.
#[inline]
pub(crate) fn copy(key: [u8; 4], source: &[u8], target: &mut [u8]) {
    if target.len() < ALIGN_FROM {
        return copy_xor(key, source, target);
    }
    let ahead = target.as_ptr().align_offset(ALIGN).min(target.len()).min(source.len());
    let (source_head, source) = source.split_at(ahead);
    let (target_head, target) = target.split_at_mut(ahead);
    copy_xor(key, source_head, target_head);
    copy_xor(rotated(key, ahead), source, target);
}

#[inline]
fn copy_xor(key: [u8; 4], source: &[u8], target: &mut [u8]) {
    let word = u32::from_ne_bytes(key);
    let wide = (u64::from(word) << 32) | u64::from(word);
    let (from, from_rest) = source.as_chunks::<32>();
    let (to, to_rest) = target.as_chunks_mut::<32>();
    for (from, to) in from.iter().zip(to) {
        for (from, to) in from.as_chunks::<8>().0.iter().zip(to.as_chunks_mut::<8>().0) {
            *to = (u64::from_ne_bytes(*from) ^ wide).to_ne_bytes();
        }
    }
    let (from, from_rest) = from_rest.as_chunks::<4>();
    let (to, to_rest) = to_rest.as_chunks_mut::<4>();
    for (from, to) in from.iter().zip(to) {
        *to = (u32::from_ne_bytes(*from) ^ word).to_ne_bytes();
    }
    for ((from, to), key) in from_rest.iter().zip(to_rest).zip(key) {
        *to = from ^ key;
    }
}

/// The key as it is to be laid over bytes which begin at `offset`.
#[inline]
const fn rotated(key: [u8; 4], offset: usize) -> [u8; 4] {
    let at = offset & 3;
    [key[at], key[(at + 1) & 3], key[(at + 2) & 3], key[(at + 3) & 3]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm as the RFC writes it.
    fn plain(key: [u8; 4], offset: usize, data: &[u8]) -> Vec<u8> {
        data.iter().enumerate().map(|(i, byte)| byte ^ key[(offset + i) % 4]).collect()
    }

    #[test]
    fn hello_of_section_5_7() {
        let mut data = *b"Hello";
        apply([0x37, 0xfa, 0x21, 0x3d], 0, &mut data);
        assert_eq!(data, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn every_length_and_offset_equals_the_plain_algorithm() {
        let data: Vec<u8> = (0..700u32).map(|i| (i * 7 + 3) as u8).collect();
        for start in 0..8 {
            for end in (start..100).chain([ALIGN_FROM - 1, ALIGN_FROM + start, 600, 699]) {
                for offset in [0, 1, 2, 3, 5, usize::MAX - 2] {
                    let key = [0xA5, 0x01, 0xFF, 0x3C];
                    let mut masked = data[start..end].to_vec();
                    apply(key, offset, &mut masked);
                    assert_eq!(masked, plain(key, offset % 4, &data[start..end]));
                    copy(key, &data[start..end], &mut masked);
                    assert_eq!(masked, plain(key, 0, &data[start..end]));
                }
            }
        }
    }
}
