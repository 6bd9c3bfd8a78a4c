//! Defects that show in memory and in the process, not on the wire.

use std::sync::Mutex;

use wsgrade_codec::wire::Header;

use super::defect::Nature;
use super::table::Defect;

/// The most that is reserved by what a header says, so that the machine of who tries it lives on: 512 MiB.
const MOST_RESERVED: u64 = 512 << 20;

/// What a pong costs an endpoint that leaks: the buffer that it was read into.
const PONG_BUFFER: usize = 16 << 10;

/// What a fragment costs an endpoint that keeps the buffer that it was read into.
const FRAGMENT_BUFFER: usize = 4 << 10;

/// What was reserved last, by whichever connection.
static RESERVED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What was never given back.
static LEAKED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// A header came.
pub(super) fn header(header: &Header, nature: &Nature) {
    let declared = header.length.value();
    if declared >= 1 << 62 && nature.has(Defect::CrashesOnLength) {
        std::process::abort();
    }
    if declared > 1 << 20 && nature.has(Defect::AllocatesDeclared) {
        let bytes = declared.min(MOST_RESERVED) as usize;
        if let Ok(mut reserved) = RESERVED.lock() {
            // Not zero, because memory of zeroes is not there before it is written.
            *reserved = vec![1; bytes];
        }
    }
}

/// A pong came.
pub(super) fn pong(nature: &Nature) {
    if nature.has(Defect::LeaksOnPong) {
        leak(PONG_BUFFER);
    }
}

/// A fragment came to an endpoint that does not count them.
pub(super) fn fragment() {
    leak(FRAGMENT_BUFFER);
}

fn leak(bytes: usize) {
    if let Ok(mut leaked) = LEAKED.lock() {
        leaked.push(vec![1; bytes]);
    }
}
