//! How much is taken from the other side.

use clap::Args;
use wsgrade_codec::{endpoint::Limits, handshake::Limits as HeadLimits};

use super::value;

/// The defaults are those of the codec; a test holds them together.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct LimitArgs {
    /// The largest frame taken; Close 1009 above
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = value::size)]
    max_frame_size: usize,

    /// The largest message taken, over all its frames, and also when decompressed; Close 1009 above
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = value::size)]
    max_message_size: usize,

    /// The most frames of one message; Close 1009 above
    #[arg(long, value_name = "N", default_value_t = 131_072)]
    max_fragments: usize,

    /// The largest HTTP head taken; 431 above
    #[arg(long, value_name = "SIZE", default_value = "16KiB", value_parser = value::size)]
    max_head_size: usize,

    /// The most header fields in it
    #[arg(long, value_name = "N", default_value_t = 100)]
    max_headers: usize,
}

impl LimitArgs {
    pub(crate) fn head(&self) -> HeadLimits {
        HeadLimits { max_bytes: self.max_head_size, max_headers: self.max_headers }
    }

    pub(crate) fn messages(&self) -> Limits {
        Limits {
            max_frame: self.max_frame_size,
            max_message: self.max_message_size,
            max_inflated: self.max_message_size,
            max_fragments: self.max_fragments,
            ..Limits::default()
        }
    }
}
