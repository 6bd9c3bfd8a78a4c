#!/usr/bin/env bash
# How many lines of each file of the codec the fuzz targets reach: over the seeds, over what the catalogue gives and over
# fresh inputs, as `cargo test -p wsgrade-fuzz` plays them; tests of the codec's own are not among them.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$PWD/target/coverage
tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
[ -x "$tools/llvm-cov" ] || rustup component add llvm-tools
rm -rf "$target/profiles"
# Build scripts and procedural macros are instrumented as well; what they say is not asked for.
export CARGO_TARGET_DIR=$target RUSTFLAGS="-C instrument-coverage" LLVM_PROFILE_FILE="$target/profiles/%p-%m.profraw"
cargo test --package wsgrade-fuzz --test targets
binary=$(cargo test --package wsgrade-fuzz --test targets --no-run 2>&1 | sed -n 's/.*Executable .* (\(.*\))$/\1/p')
"$tools/llvm-profdata" merge -sparse "$target/profiles" -o "$target/merged.profdata"
"$tools/llvm-cov" report "$binary" -instr-profile "$target/merged.profdata" -sources codec/src
