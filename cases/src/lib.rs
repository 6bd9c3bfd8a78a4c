//! The scenarios wsgrade plays, and the language they are written in.

pub mod id;
pub mod model;
