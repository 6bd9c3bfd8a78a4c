//! The rules the judge itself rests on, beside those that cases name.

use wsgrade_cases::rules::Level;
use wsgrade_reports::record::{Behavior, CloseVerdict};

/// What breaking a rule of this level comes to.
pub(crate) fn weight(level: Level) -> Behavior {
    match level {
        Level::Must | Level::MustNot => Behavior::Fail,
        Level::Should | Level::ShouldNot => Behavior::NonStrict,
        Level::May => Behavior::Informational,
        // Worth a word, never a verdict.
        Level::Note => Behavior::Pass,
    }
}

/// A Close must be answered by a Close.
pub(super) const CLOSE_REPLY: &str = "rfc6455-5.5.1-answer-close";
/// The answer typically has the code of the Close it answers.
pub(super) const ECHO_CODE: &str = "rfc6455-5.5.1-echo-code";
/// Who fails the connection should send a Close with a fitting code first.
pub(super) const FAIL_CLOSE: &str = "rfc6455-7.1.7-send-close";
/// The server ends TCP first.
pub(super) const SERVER_ENDS_TCP: &str = "rfc6455-7.1.1-server-ends-tcp";

/// The rule a close verdict rests on. `failing`: the peer had to fail the connection.
pub(super) fn of_ending(verdict: CloseVerdict, failing: bool) -> &'static str {
    match verdict {
        CloseVerdict::FailedByPeer => SERVER_ENDS_TCP,
        CloseVerdict::Unclean if !failing => CLOSE_REPLY,
        CloseVerdict::WrongCode if !failing => ECHO_CODE,
        CloseVerdict::WrongSide if !failing => CLOSE_REPLY,
        CloseVerdict::Dropped
        | CloseVerdict::WrongCode
        | CloseVerdict::Unclean
        | CloseVerdict::WrongSide
        | CloseVerdict::Pass
        | CloseVerdict::Informational
        | CloseVerdict::Inconclusive => FAIL_CLOSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wsgrade_cases::id::RuleId;
    use wsgrade_cases::rules::Register;

    #[test]
    fn each_is_in_the_register() {
        for id in [CLOSE_REPLY, ECHO_CODE, FAIL_CLOSE, SERVER_ENDS_TCP] {
            assert!(Register::embedded().get(&RuleId::new(id)).is_some(), "{id}");
        }
    }
}
