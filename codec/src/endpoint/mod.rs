//! A strict endpoint for either role: it stops at the first violation and closes as the RFC asks.
//!
//! ```text
//!   socket -> read_buffer / receive -> [input] -> poll_event -> Event
//!   socket <- io_slices / advance  <- [output] <- send, ping, close, and the answers it gives by itself
//! ```
//!
//! - `config`: [`Config`] and [`Limits`].
//! - `message`: [`Message`], [`Event`], [`Failure`], [`SendError`].
//! - `connection`: [`Endpoint`], what the caller sees.
//! - `receive`: bytes to events.
//! - `output`: the queue of bytes to send.
//!
//! ```
//! use wsgrade_codec::Role;
//! use wsgrade_codec::endpoint::{Config, Endpoint, Event, Message};
//!
//! let mut server = Endpoint::new(Config::new(Role::Server), || [0; 4]);
//! let mut client = Endpoint::new(Config::new(Role::Client), || [1, 2, 3, 4]);
//!
//! client.send(Message::text("Hello"))?;
//! let mut wire = Vec::new();
//! client.drain_into(&mut wire);
//!
//! server.receive(&wire);
//! assert_eq!(server.poll_event(), Some(Event::Message(Message::text("Hello"))));
//! assert_eq!(server.poll_event(), None);
//! # Ok::<(), wsgrade_codec::endpoint::SendError>(())
//! ```

mod config;
mod connection;
mod message;
mod output;
mod receive;
#[cfg(test)]
mod tests;

pub use config::{Config, Limits};
pub use connection::Endpoint;
pub use message::{Event, Failure, Message, NotUtf8, SendError};
