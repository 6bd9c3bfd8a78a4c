//! Writes the inputs that the catalogue gives for each target: `cargo run -p wsgrade-fuzz --example export-seeds -- DIR`.

use std::path::Path;

use wsgrade_fuzz::{TARGETS, seeds};

fn main() -> std::io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!(
            "usage: export-seeds DIR\n  a folder for each fuzz target is made in DIR, with the inputs the catalogue gives"
        );
        std::process::exit(2);
    };
    for target in TARGETS {
        let folder = Path::new(&folder).join(target.name);
        std::fs::create_dir_all(&folder)?;
        let seeds = seeds::exported(target.name);
        for (name, bytes) in &seeds {
            std::fs::write(folder.join(name), bytes)?;
        }
        println!("{}: {} inputs", folder.display(), seeds.len());
    }
    Ok(())
}
