//! What one side of a connection did, judged by the sentences of the RFCs.
//!
//! - `rule`: [`Rule`], one table of the sentences with section and level, and [`Violation`].
//! - `header`: what a frame header alone can break; shared with the strict endpoint.
//! - [`opening`]: what the heads of the opening handshake can break.
//! - `checker`: [`Checker`], takes the pieces of [`wire`](crate::wire) and gives [`Item`]s; never mends, never stops.
//! - `inflate`: a DEFLATE reader which knows how far back each reference reaches, which no library tells.

mod checker;
pub(crate) mod header;
mod inflate;
pub mod opening;
mod rule;
#[cfg(test)]
mod tests;

pub(crate) use checker::close_code_violation;
pub use checker::{Checker, DEFAULT_MESSAGE_CAP, Item, Negotiated};
pub use rule::{Rule, Violation};
