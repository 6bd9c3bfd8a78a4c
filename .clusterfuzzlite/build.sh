#!/bin/bash -eu
# Builds every fuzz target into $OUT, each with what fuzzing goes faster with: NAME, NAME_seed_corpus.zip, NAME.options, and
# one dictionary for all. Called in the image of the Dockerfile beside it, with $SRC and $OUT set.
cd "$SRC/wsgrade"

# With debug assertions, as in development: overflow is found too.
cargo fuzz build -O --debug-assertions

# The flags of the image are for what is fuzzed, and this program is not.
seeds=$(mktemp -d)
env -u RUSTFLAGS -u CFLAGS -u CXXFLAGS cargo run --quiet --package wsgrade-fuzz --example export-seeds -- "$seeds"

cp fuzz/wsgrade.dict "$OUT/"
for source in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$source" .rs)
  cp "target/x86_64-unknown-linux-gnu/release/$name" "$OUT/"
  cp fuzz/seeds/"$name"/* "$seeds/$name/"
  rm -f "$OUT/${name}_seed_corpus.zip"
  (cd "$seeds/$name" && zip --quiet --recurse-paths "$OUT/${name}_seed_corpus.zip" .)
  printf '[libfuzzer]\ndict = wsgrade.dict\ntimeout = 20\nrss_limit_mb = 2048\n' >"$OUT/$name.options"
done
rm -r "$seeds"
