//! The gate that scripts in the field build on the old tool's words.

use wsgrade_reports::record::CaseRecord;
pub(crate) use wsgrade_reports::render::autobahn::{behavior, close};

/// Whether the gate takes a word: what the RFC asks for, leaves open or only advises, and what a target need not have.
pub(crate) fn is_good(word: &str) -> bool {
    matches!(word, "OK" | "INFORMATIONAL" | "NON-STRICT" | "UNIMPLEMENTED")
}

/// Whether both words of a case are good.
pub(crate) fn passes(record: &CaseRecord) -> bool {
    is_good(behavior(record.behavior)) && is_good(close(record))
}

#[cfg(test)]
mod tests {
    use wsgrade_reports::record::{Behavior, CloseVerdict};

    use super::*;

    fn record(behavior: Behavior, close: CloseVerdict) -> CaseRecord {
        CaseRecord {
            id: "1.1.1".to_owned(),
            role: wsgrade_reports::record::Role::Server,
            carrier: "tcp".to_owned(),
            behavior,
            close,
            close_code: None,
            duration_ms: 0.0,
            findings: Vec::new(),
            when_busy: None,
            repeats: None,
            adapted: None,
            expected: None,
            repeat: String::new(),
            transcript: wsgrade_reports::record::Transcript::default(),
        }
    }

    #[test]
    fn the_gate_on_behavior() {
        let good: Vec<_> = Behavior::ALL
            .into_iter()
            .filter(|behavior| passes(&record(*behavior, CloseVerdict::Pass)))
            .collect();
        assert_eq!(
            good,
            [Behavior::Pass, Behavior::Informational, Behavior::Unimplemented, Behavior::NonStrict]
        );
    }

    #[test]
    fn what_is_not_there_closes_well() {
        assert_eq!(close(&record(Behavior::Unimplemented, CloseVerdict::Informational)), "OK");
        assert_eq!(close(&record(Behavior::Pass, CloseVerdict::Informational)), "INFORMATIONAL");
    }

    #[test]
    fn the_gate_on_the_close() {
        let good: Vec<_> =
            CloseVerdict::ALL.into_iter().filter(|close| passes(&record(Behavior::Pass, *close))).collect();
        assert_eq!(good, [CloseVerdict::Pass, CloseVerdict::Informational, CloseVerdict::Dropped]);
        assert!(!is_good("WRONG CODE") && !is_good(""));
    }
}
