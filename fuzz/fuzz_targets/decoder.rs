//! The frame decoder, the checker and the strict endpoint under every split of their input; see
//! [`wsgrade_fuzz::decoder`].
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wsgrade_fuzz::decoder(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    wsgrade_fuzz::replay(wsgrade_fuzz::decoder)
}
