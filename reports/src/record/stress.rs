//! What is measured while a case of resilience is played, beside what passes on its own connections.

use serde::{Deserialize, Serialize};

/// How a connection of its own was served that did nothing but ping, and how new ones were. Times are in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// The slowest answer before the case began.
    pub before_us: u64,
    /// The slowest from then on; of a ping that was not answered, how long we waited.
    pub slowest_us: u64,
    /// How many pings were answered.
    pub answered: u32,
    /// The slowest new connection, from TCP to the pong; absent where none was tried while the case was played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newcomer_us: Option<u64>,
    /// What is slower than this is not served.
    pub bound_us: u64,
    /// How the connection ended, where the peer ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// Why no new connection was served once the case was over; absent where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unserved: Option<String>,
}

/// What a process, with all that it started, took at one time. What the system does not tell is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Memory that it holds, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_bytes: Option<u64>,
    /// Processor time since it began, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Files that it has open, sockets among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<u64>,
}

/// An opening handshake of one size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grown {
    /// How many bytes the head had.
    pub bytes: u64,
    /// From the head to the answer, the fastest of several, in microseconds.
    pub us: u64,
    /// What the answer was, such as `101`.
    pub answer: String,
}
