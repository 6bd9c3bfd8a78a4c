//! An endpoint that is strict but for one defect, to prove that a test suite finds it. Feature `defects`.
//!
//! ```text
//!           serve, ask               frames ──▶ law ───────┐
//! bytes ──▶ opening handshake ──▶    bytes      headers,   ├──▶ conversation ──▶ speak ──▶ bytes
//!           fields, offers, proof    to frames  controls   │    what to do       frames
//!                                       └─────▶ assembly ──┘
//!                                               messages, text
//! ```
//!
//! - `table`: the catalogue, [`Defect`].
//! - `defect`: what is said of one, and `Nature`, which every point of decision asks.
//! - `endpoint`: [`Deviant`], which is all of the above, without I/O and without a clock.
//! - `resilience`: defects that show in memory and in the process only.
//! - `drive`: a server and a client on sockets.
//!
//! The strict endpoint of the codec and the connections of this crate know nothing of any of it.

mod ask;
mod assembly;
mod conversation;
mod defect;
mod drive;
mod endpoint;
mod fields;
mod frames;
mod law;
mod offers;
mod proof;
mod resilience;
mod serve;
mod speak;
mod table;
mod text;

pub use defect::{Area, Roles, UnknownDefect};
pub use drive::{play_cases, serve};
pub use endpoint::{Deviant, Input};
pub use speak::Output;
pub use table::Defect;
