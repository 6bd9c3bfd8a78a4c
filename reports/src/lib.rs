//! The run record of wsgrade, and every report derived from it.

pub mod record;
