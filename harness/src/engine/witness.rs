//! Whoever wants to hear what passes on a connection while it does.

use std::fmt;
use std::sync::Arc;

use wsgrade_reports::record::Entry;

/// Told of everything that goes into the transcript, each thing once and as it happens. Rows of like frames are not put
/// together here, and the number of entries has no bound.
#[derive(Clone)]
pub struct Witness(Arc<dyn Fn(&Entry) + Send + Sync>);

impl Witness {
    /// Calls this for each. It must not wait for anything: the case does not go on meanwhile.
    pub fn new(told: impl Fn(&Entry) + Send + Sync + 'static) -> Self {
        Self(Arc::new(told))
    }

    pub(super) fn tell(&self, entry: &Entry) {
        (self.0)(entry);
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}
