//! Whether an opening handshake has to open a connection.

use wsgrade_cases::id::RuleId;
use wsgrade_cases::model::Opening;
use wsgrade_codec::Role;

use super::Expectation;

/// What a conforming peer does with an opening handshake.
pub(super) enum Opens {
    /// It opens the connection. The rules that it would break otherwise, where the handshake is not the ordinary one.
    Yes {
        /// May be empty.
        rules: Vec<RuleId>,
    },
    /// It need not, or must not: the steps are one probe, which shows that it has.
    #[expect(dead_code, reason = "every opening is taken for an ordinary one so far")]
    No(Expectation),
}

/// What is right, for a peer in this role.
pub(super) fn expect(_opening: &Opening, _role: Role) -> Opens {
    Opens::Yes { rules: Vec::new() }
}
