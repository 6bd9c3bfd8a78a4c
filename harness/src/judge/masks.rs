//! Whether the masking keys of a client look random (RFC 6455 5.3, 10.3).
//!
//! Four questions to the keys of one connection. A generator without fault is called bad with a probability of less than
//! 1e-10 for each connection, by the bounds below: about one part in six of that for repeats among 2 000 keys, and less than
//! [`RARE`] for each of the other three.

use std::collections::HashMap;

use wsgrade_reports::record::{Direction, Finding, Transcript, What};

/// The most that chance may explain, as a natural logarithm: 1e-12.
const RARE: f64 = -27.63;
/// Of how many keys two that are equal are still chance. Three pairs among 2 000 keys: (2000²/2/2³²)³/6 = 1.7e-11.
const PAIRS: usize = 3;
/// How often the step from one key to the next may be the same one: 2 000 keys have four equal steps by chance with a
/// probability of 2000⁴/24/2⁹⁶ = 8e-18, in each of three ways of counting.
const STEPS: usize = 4;
/// More keys than this are not looked at.
const MOST: usize = 2000;

/// What is wrong with the keys of the frames that the peer sent, if anything is.
pub(super) fn look(transcript: &Transcript) -> Option<Finding> {
    let mut keys = Vec::new();
    let mut last = 0;
    for (at, entry) in transcript.entries.iter().enumerate() {
        let What::Frame { dir: Direction::Received, frame } = &entry.what else { continue };
        let Some(key) = frame.mask.as_deref().and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
            continue;
        };
        if keys.len() == MOST {
            break;
        }
        // Frames that differ in nothing but their keys may be one entry, which has the key of the first: of the others
        // nothing is known.
        keys.push(key);
        last = at;
    }
    let (rule, observed) = fault(&keys)?;
    Some(Finding {
        rule: rule.to_owned(),
        expected: "masking keys that nobody can foresee".to_owned(),
        observed,
        entry: Some(last),
    })
}

/// The rule that these keys break, and how.
fn fault(keys: &[u32]) -> Option<(&'static str, String)> {
    const FRESH: &str = "rfc6455-5.3-fresh-key";
    const UNPREDICTABLE: &str = "rfc6455-5.3-key-unpredictable";
    let count = keys.len();
    let equal = pairs(keys);
    if equal >= PAIRS {
        let all_equal = keys.windows(2).all(|pair| pair[0] == pair[1]);
        return Some((
            FRESH,
            match all_equal {
                true => format!("all of {count} frames have the masking key {:08x}", keys[0]),
                false => format!("among the masking keys of {count} frames {equal} pairs are equal"),
            },
        ));
    }
    if let Some((step, times)) = common_step(keys) {
        let observed = format!("the masking keys of {count} frames count: {times} times the next is {step}");
        return Some((UNPREDICTABLE, observed));
    }
    if let Some((bit, ones)) = biased_bit(keys) {
        let observed = format!("bit {bit} of the masking key is set in {ones} of {count} frames");
        return Some((UNPREDICTABLE, observed));
    }
    if let Some((a, b, times)) = equal_bytes(keys) {
        let observed = format!("bytes {a} and {b} of the masking key are equal in {times} of {count} frames");
        return Some((UNPREDICTABLE, observed));
    }
    None
}

/// How many pairs of keys are equal.
fn pairs(keys: &[u32]) -> usize {
    let mut seen: HashMap<u32, usize> = HashMap::new();
    keys.iter().fold(0, |pairs, key| {
        let before = seen.entry(*key).or_default();
        *before += 1;
        pairs + *before - 1
    })
}

/// How one key follows from the one before.
type Way = fn(u32, u32) -> u32;

/// The step from one key to the next that comes too often: a sum in either byte order, or bits that change.
fn common_step(keys: &[u32]) -> Option<(String, usize)> {
    let ways: [(&str, Way); 3] = [
        ("larger by", |a, b| b.wrapping_sub(a)),
        ("larger, its bytes turned round, by", |a, b| b.swap_bytes().wrapping_sub(a.swap_bytes())),
        ("the same but for the bits", |a, b| a ^ b),
    ];
    ways.into_iter().find_map(|(way, step)| {
        let mut seen: HashMap<u32, usize> = HashMap::new();
        for pair in keys.windows(2) {
            *seen.entry(step(pair[0], pair[1])).or_default() += 1;
        }
        let (step, times) = seen.into_iter().max_by_key(|(step, times)| (*times, *step))?;
        (times >= STEPS).then(|| (format!("{way} {step:#x}"), times))
    })
}

/// A bit that is set too often or too seldom. By Hoeffding's bound, of `n` fair bits `n/2 ± n·t` or more are set with a
/// probability of at most `2·exp(-2·n·t²)`; there are 32 of them.
fn biased_bit(keys: &[u32]) -> Option<(u32, usize)> {
    let count = keys.len() as f64;
    (0..32).find_map(|bit| {
        let ones = keys.iter().filter(|key| *key >> (31 - bit) & 1 == 1).count();
        let off = (ones as f64 / count - 0.5).abs();
        let likely = (2.0_f64 * 32.0).ln() - 2.0 * count * off * off;
        (count > 0.0 && likely < RARE).then_some((bit, ones))
    })
}

/// Two bytes of the key that are equal too often. Of `n` keys `k` or more have them so with a probability of at most
/// `C(n, k)·256⁻ᵏ`; there are six pairs.
fn equal_bytes(keys: &[u32]) -> Option<(usize, usize, usize)> {
    let bytes: Vec<_> = keys.iter().map(|key| key.to_be_bytes()).collect();
    let choices = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    choices.into_iter().find_map(|(a, b)| {
        let times = bytes.iter().filter(|key| key[a] == key[b]).count();
        let chosen: f64 = (0..times).map(|i| ((keys.len() - i) as f64).ln() - ((i + 1) as f64).ln()).sum();
        let likely = 6.0_f64.ln() + chosen - times as f64 * 256.0_f64.ln();
        (likely < RARE).then_some((a, b, times))
    })
}

#[cfg(test)]
mod tests {
    use wsgrade_reports::record::{Entry, FrameInfo, PayloadInfo};

    use super::*;

    fn said(keys: &[u32]) -> String {
        fault(keys).map(|(rule, observed)| format!("{rule}: {observed}")).unwrap_or_default()
    }

    /// A transcript of text frames with these keys, each entry standing for so many of them.
    fn transcript(entries: &[(u32, u32)]) -> Transcript {
        let entry = |&(key, times): &(u32, u32)| {
            let frame = serde_json::json!({
                "at_us": 0, "what": "frame", "dir": "received",
                "frame": {
                    "opcode": 1, "fin": true, "mask": format!("{key:08x}"), "declared": 0,
                    "payload": { "len": 0, "hex": "" }, "times": times,
                },
            });
            serde_json::from_value(frame).unwrap()
        };
        Transcript { entries: entries.iter().map(entry).collect() }
    }

    #[test]
    fn of_frames_that_are_one_entry_only_the_first_key_is_known() {
        assert!(look(&transcript(&[(0x8ccee27c, 11), (0x12345678, 2000)])).is_none());
        assert!(look(&transcript(&[(0x8ccee27c, 1); 3])).is_some());
    }

    #[test]
    fn a_good_generator_is_never_called_bad() {
        for seed in 0..2000 {
            let mut random = fastrand::Rng::with_seed(seed);
            for count in [0, 1, 2, 3, 10, 64, 400] {
                let keys: Vec<u32> = (0..count).map(|_| random.u32(..)).collect();
                assert_eq!(fault(&keys), None, "{seed} {count}");
            }
        }
    }

    #[test]
    fn bad_generators_are_told_apart() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut of = |make: &mut dyn FnMut(&mut fastrand::Rng, u32) -> u32| -> Vec<u32> {
            (0..64).map(|i| make(&mut random, i)).collect()
        };
        let words = [
            said(&[0x3737_3737; 3]),
            said(&of(&mut |_, _| 0)),
            said(&of(&mut |random, _| random.u32(0..16))),
            said(&of(&mut |_, i| 0x1000_0000 + i)),
            said(&of(&mut |_, i| (7 * i).swap_bytes())),
            said(&of(&mut |_, i| if i % 2 == 0 { 0x0102_0304 } else { 0xf1f2_f3f4 } ^ (i / 2))),
            said(&of(&mut |random, _| random.u32(..) & 0x7fff_ffff)),
            said(&of(&mut |random, _| u32::from(random.u8(..)) * 0x0101_0101)),
            said(&of(&mut |random, _| {
                let byte = u32::from(random.u8(..));
                random.u32(..) & 0xffff_0000 | byte << 8 | byte
            })),
        ];
        insta::assert_snapshot!(words.join("\n"), @r"
        rfc6455-5.3-fresh-key: all of 3 frames have the masking key 37373737
        rfc6455-5.3-fresh-key: all of 64 frames have the masking key 00000000
        rfc6455-5.3-fresh-key: among the masking keys of 64 frames 144 pairs are equal
        rfc6455-5.3-key-unpredictable: the masking keys of 64 frames count: 63 times the next is larger by 0x1
        rfc6455-5.3-key-unpredictable: the masking keys of 64 frames count: 62 times the next is larger by 0x7000000
        rfc6455-5.3-key-unpredictable: the masking keys of 64 frames count: 16 times the next is larger by 0xf0f0f0f0
        rfc6455-5.3-key-unpredictable: bit 0 of the masking key is set in 0 of 64 frames
        rfc6455-5.3-fresh-key: among the masking keys of 64 frames 11 pairs are equal
        rfc6455-5.3-key-unpredictable: bytes 2 and 3 of the masking key are equal in 64 of 64 frames
        ");
    }

    /// Frames that differ in nothing but their keys are one entry, and of the others the key is not known.
    #[test]
    fn a_row_of_like_frames_has_one_known_key() {
        let pongs = |times| {
            let frame = FrameInfo {
                opcode: 0xA,
                fin: true,
                rsv: 0,
                mask: Some("01020304".to_owned()),
                length_bytes: 0,
                declared: 0,
                payload: PayloadInfo::default(),
                close_code: None,
                chops: None,
                times,
            };
            let what = What::Frame { dir: Direction::Received, frame };
            Entry { at_us: 0, step: None, prelude: false, what }
        };
        assert_eq!(look(&Transcript { entries: vec![pongs(1000), pongs(1000)] }), None);
        let finding = look(&Transcript { entries: vec![pongs(1), pongs(1), pongs(1)] }).unwrap();
        assert_eq!((finding.rule.as_str(), finding.entry), ("rfc6455-5.3-fresh-key", Some(2)));
    }

    #[test]
    fn few_keys_say_little() {
        assert_eq!(fault(&[1, 1]), None, "two equal keys may be chance");
        assert_eq!(fault(&[1, 2, 3, 4]), None, "three equal steps may be chance");
        assert!(fault(&[1, 2, 3, 4, 5]).is_some());
    }
}
