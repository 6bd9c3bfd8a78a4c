//! The Close frames the engine sends of its own accord.

use wsgrade_codec::close::CloseCode;

/// 1000: the case is over and all is well.
pub(super) const NORMAL: &[u8] = &1000_u16.to_be_bytes();

/// 1001: the peer should have closed and has not.
pub(super) const GOING_AWAY: &[u8] = &1001_u16.to_be_bytes();

/// The body of our answer to a Close: RFC 6455 5.5.1, "When sending a Close frame in response, the endpoint
/// typically echos the status code it received". One that must not be on the wire is not echoed.
pub(super) fn reply_to(code: Option<u16>) -> Vec<u8> {
    match code {
        Some(code) if CloseCode::new(code).is_valid_on_wire() => code.to_be_bytes().to_vec(),
        Some(_) => 1002_u16.to_be_bytes().to_vec(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_code_is_echoed_and_no_other() {
        assert_eq!(reply_to(Some(1000)), [0x03, 0xe8]);
        assert_eq!(reply_to(Some(4999)), [0x13, 0x87]);
        assert_eq!(reply_to(Some(1005)), [0x03, 0xea]);
        assert_eq!(reply_to(Some(0)), [0x03, 0xea]);
        assert!(reply_to(None).is_empty());
    }
}
