//! Every target on stable: over the seeds made by hand, over those that the catalogue gives, and over fresh inputs in
//! every run, some of them random and some of them seeds with something changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use quickcheck::{Arbitrary, Gen};
use wsgrade_fuzz::{
    Exception, Excuse, TARGETS, TOKIO_WEBSOCKETS, TUNGSTENITE, Target, excuse_of_tokio_websockets,
    excuse_of_tungstenite, seeds, target,
};

/// A module with two tests for each target, so that a failure names it.
macro_rules! targets {
    ($($name:ident)*) => {
        const TESTED: &[&str] = &[$(stringify!($name)),*];
        $(mod $name {
            #[test]
            fn holds_over_seeds() {
                super::holds_over_seeds(stringify!($name));
            }

            #[test]
            fn holds_over_fresh_inputs() {
                super::holds_over_fresh_inputs(stringify!($name));
            }
        })*
    };
}

targets! { decoder header utf8 deflate handshake endpoint pair tungstenite tokio_websockets cases judge scenario }

/// Says where the input is, if the target does not hold.
struct Input<'a>(Target, &'a [u8]);

impl Drop for Input<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-input", self.0.name));
            let kept = std::fs::write(&path, self.1);
            eprintln!("the input of {} bytes is in {}: {kept:?}", self.1.len(), path.display());
        }
    }
}

impl Input<'_> {
    fn holds(self) {
        (self.0.run)(self.1);
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The names of the files in a folder of this crate, without what is behind a full stop.
fn names(of: &str) -> BTreeSet<String> {
    let entries = folder(of).read_dir().unwrap_or_else(|error| panic!("{of}: {error}"));
    let name = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned());
    entries.filter_map(|entry| name(&entry.expect("an entry").path())).collect()
}

fn all_seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = seeds::exported(name);
    assert!(!all.is_empty(), "the catalogue gives nothing for {name}");
    for file in names(&format!("seeds/{name}")) {
        let bytes = std::fs::read(folder("seeds").join(name).join(&file)).expect("a seed can be read");
        all.push((file, bytes));
    }
    all
}

fn holds_over_seeds(name: &str) {
    for (seed, bytes) in all_seeds(name) {
        println!("{seed}");
        Input(target(name), &bytes).holds();
    }
}

fn holds_over_fresh_inputs(name: &str) {
    let seeds = all_seeds(name);
    let g = &mut Gen::new(400);
    for round in 0..target(name).fresh {
        let bytes = match round % 3 {
            0 => Vec::arbitrary(g),
            _ => changed(g, &seeds),
        };
        Input(target(name), &bytes).holds();
    }
}

/// A seed with some of its bytes changed, left out, doubled, or from another.
fn changed(g: &mut Gen, seeds: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (_, seed) = g.choose(seeds).expect("there are some");
    let mut bytes = seed.clone();
    for _ in 0..1 + u8::arbitrary(g) % 4 {
        let at = usize::arbitrary(g) % (bytes.len() + 1);
        let length = usize::arbitrary(g) % 9;
        let end = (at + length).min(bytes.len());
        match u8::arbitrary(g) % 5 {
            0 => {
                bytes.drain(at..end);
            }
            1 => bytes.extend_from_within(at..end),
            2 => {
                let odd: [u8; 6] = [0, 1, 0x7f, 0x80, 0xff, u8::arbitrary(g)];
                let odd = *g.choose(&odd).expect("six");
                bytes[at..end].fill(odd);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << (u8::arbitrary(g) % 8),
            _ => {
                let (_, other) = g.choose(seeds).expect("there are some");
                let from = usize::arbitrary(g) % (other.len() + 1);
                bytes.splice(at..end, other[from..(from + 16).min(other.len())].iter().copied());
            }
        }
    }
    bytes
}

#[test]
fn every_target_is_in_every_table() {
    let named: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
    assert_eq!(TESTED, named, "the tests above");
    let named: BTreeSet<String> = named.into_iter().map(str::to_owned).collect();
    assert_eq!(names("fuzz_targets"), named);
    assert_eq!(names("seeds"), named);
    let manifest = include_str!("../Cargo.toml");
    let readme = include_str!("../README.md");
    for name in &named {
        assert!(manifest.contains(&format!("path = \"fuzz_targets/{name}.rs\"")), "{name} has no [[bin]]");
        assert!(readme.contains(&format!("| `{name}` |")), "{name} is not in the README");
    }
}

/// What others do otherwise is seen in the seeds, or in one that is cut short; else the exception is of no use.
fn are_needed(name: &str, exceptions: &'static [Exception], excuse: fn(&[u8]) -> Option<Excuse>) {
    let mut found = Vec::new();
    for (_, bytes) in all_seeds(name) {
        for end in (0..bytes.len().min(20)).chain([bytes.len()]) {
            found.extend(excuse(&bytes[..end]).filter(|excuse| !found.contains(excuse)));
        }
    }
    for exception in exceptions {
        let rules: Vec<_> = exception.rules.iter().map(|rule| Some(*rule)).collect();
        for rule in if rules.is_empty() { vec![None] } else { rules } {
            assert!(found.contains(&Excuse { exception, rule }), "{rule:?} is not needed in {exception:#?}");
        }
    }
}

#[test]
fn every_exception_for_tungstenite_is_needed() {
    are_needed("tungstenite", TUNGSTENITE, excuse_of_tungstenite);
}

#[test]
fn every_exception_for_tokio_websockets_is_needed() {
    are_needed("tokio_websockets", TOKIO_WEBSOCKETS, excuse_of_tokio_websockets);
}

/// The format of libFuzzer: a quoted string in each line, in which a backslash begins `\\\\`, `\\"` or `\\xAB`.
fn token(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    while let Some(char) = rest.chars().next() {
        let plain = char.is_ascii_graphic() && char != '"' || char == ' ';
        let (byte, length) = match rest.as_bytes() {
            [b'\\', escaped @ (b'\\' | b'"'), ..] => (*escaped, 2),
            [b'\\', b'x', ..] => (u8::from_str_radix(rest.get(2..4)?, 16).ok()?, 4),
            [byte, ..] if plain && *byte != b'\\' => (*byte, 1),
            _ => return None,
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[test]
fn the_dictionary_can_be_read() {
    assert_eq!(token(r#""a\\\"\x0d""#), Some(b"a\\\"\r".to_vec()));
    for wrong in ["", "a", "\"\"", "\"a", r#""\n""#, r#""\xg0""#, "\"ä\""] {
        assert_eq!(token(wrong), None, "{wrong}");
    }
    let mut seen = BTreeSet::new();
    for line in
        include_str!("../wsgrade.dict").lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let token = token(line).unwrap_or_else(|| panic!("{line} is no token"));
        assert!(seen.insert(token), "{line} is there twice");
    }
}
