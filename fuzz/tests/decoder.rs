//! The targets on stable: over the stored seeds, and over fresh inputs in every run.

use std::path::Path;

use quickcheck::{Gen, QuickCheck};

fn seeds(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut count = 0;
    for entry in folder.read_dir().expect("every target has seeds") {
        let path = entry.expect("the folder can be listed").path();
        println!("{}", path.display());
        run(&std::fs::read(&path).expect("a seed can be read"));
        count += 1;
    }
    assert!(count > 0, "no seeds in {}", folder.display());
}

#[test]
fn the_decoder_holds_over_its_seeds() {
    seeds("decoder", wsgrade_fuzz::decoder);
}

#[test]
fn the_decoder_holds_over_fresh_inputs() {
    fn holds(flags: u8, bytes: Vec<u8>) {
        let mut data = vec![flags];
        data.extend(bytes);
        wsgrade_fuzz::decoder(&data);
    }
    QuickCheck::new().rng(Gen::new(300)).tests(2000).quickcheck(holds as fn(u8, Vec<u8>));
}
