//! Which servers behind TLS are believed to be who they say they are.

use super::tls::Roots;

/// Whose certificates are taken.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those that lead to a certificate authority which browsers trust, or to one of these.
    Roots {
        /// `--ca`.
        extra: Vec<Roots>,
    },
    /// Any at all: `--insecure`.
    Anything,
}

impl Default for Trust {
    fn default() -> Self {
        Self::Roots { extra: Vec::new() }
    }
}
