//! What was found of a target before the first case.

use serde::{Deserialize, Serialize};

/// What a target does with lawful messages, and what it agreed to. What could not be asked is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFacts {
    /// What comes of a text message.
    pub text: Response,
    /// What comes of a binary message.
    pub binary: Response,
    /// It answers a ping by the pong with the same payload (RFC 6455 5.5.3).
    pub pongs: bool,
    /// It sends messages that answer nothing of ours: on a connection that sends none, or beside an echo.
    pub talks: bool,
    /// The subprotocol it chose of those that were offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
    /// What it agreed to of permessage-deflate, as its header has it; absent where it did not, or was not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deflate: Option<String>,
    /// The largest message that it was seen to take, in bytes of payload. It may take larger ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<u64>,
    /// What it did not take, where one was too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refuses: Option<Refused>,
}

/// What comes of a short lawful message of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Nothing.
    #[default]
    Nothing,
    /// The same message.
    Echo,
    /// The same bytes as a message of the other kind.
    OtherKind,
    /// Another message.
    Other,
    /// The end of the connection: the target takes no such message.
    Ends,
}

/// A message that was too large for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Its payload in bytes.
    pub bytes: u64,
    /// The code of the Close that came of it (1009 says that it was too large, RFC 6455 7.4.1); absent where there was
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

impl TargetFacts {
    /// Whether every message comes back as it was, and nothing else comes.
    pub fn is_echo(&self) -> bool {
        self.text == Response::Echo && self.binary == Response::Echo && !self.talks
    }
}
