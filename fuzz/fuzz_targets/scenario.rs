//! See `wsgrade_fuzz::TARGETS`.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| (wsgrade_fuzz::target("scenario").run)(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    wsgrade_fuzz::replay("scenario")
}
