//! What is looked for on a connection that no opening handshake has opened.
//!
//! A refusal ends the handshake, and what follows is HTTP at most. A proxy that took the request for an upgrade all the
//! same passes frames on from here, and its filters see no more of what is said.

use wsgrade_codec::wire::{Header, Length, Opcode, Rsv};
use wsgrade_reports::record::{Direction, PayloadInfo, What};

use super::log::frame_info;

/// How many bytes after a refusal are looked through.
const LOOKED_AT: usize = 64 << 10;

/// A ping that was sent after a refusal, and what came since.
#[derive(Debug)]
pub(super) struct Knock {
    payload: Vec<u8>,
    /// The header of the pong that would answer it. No server masks.
    header: Header,
    /// `heard.len() <= LOOKED_AT`
    heard: Vec<u8>,
}

impl Knock {
    /// For a ping with this payload, at most 125 bytes.
    pub(super) fn new(payload: Vec<u8>) -> Self {
        let header = Header {
            fin: true,
            rsv: Rsv::NONE,
            opcode: Opcode::PONG,
            mask: None,
            length: Length::minimal(payload.len() as u64),
        };
        Self { payload, header, heard: Vec::new() }
    }

    /// Takes what came; gives the pong, as the transcript has it, once it is there: inside the body of the refusal, or
    /// behind it.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Option<What> {
        let room = LOOKED_AT - self.heard.len();
        self.heard.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let pong = [&self.header.encode()[..], &self.payload].concat();
        let found = self.heard.windows(pong.len()).any(|window| window == pong);
        let described = || frame_info(&self.header, PayloadInfo::of(&self.payload), &self.payload);
        found.then(|| What::Frame { dir: Direction::Received, frame: described() })
    }
}

/// Whether these are the first bytes of another request, on a connection that our response has not opened.
pub(super) fn is_request(bytes: &[u8]) -> bool {
    let methods: [&[u8]; 4] = [b"GET ", b"HEAD ", b"OPTIONS ", b"CONNECT "];
    methods.iter().any(|method| bytes.starts_with(method))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pong_is_found_wherever_it_is_cut() {
        let reply = b"hello\n\x8a\x05knockHTTP";
        for cut in 0..reply.len() {
            let mut knock = Knock::new(b"knock".to_vec());
            let found = knock.hear(&reply[..cut]).or_else(|| knock.hear(&reply[cut..]));
            assert!(matches!(found, Some(What::Frame { frame, .. }) if frame.opcode == 0xA), "{cut}");
        }
    }

    #[test]
    fn nothing_else_is_a_pong() {
        let mut knock = Knock::new(b"knock".to_vec());
        assert_eq!(knock.hear(b"knock \x8a\x04knock \x89\x05knock"), None);
        assert_eq!(knock.hear(&[b'x'; 2 * LOOKED_AT]), None);
        assert_eq!(knock.hear(b"\x8a\x05knock"), None, "beyond what is looked at");
    }

    #[test]
    fn requests_begin_with_a_method() {
        assert!(is_request(b"GET / HTTP/1.1\r\n"));
        assert!(!is_request(b"\x8a\x05knock") && !is_request(b"GE") && !is_request(b""));
    }
}
