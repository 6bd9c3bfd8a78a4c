//! UTF-8 that arrives in pieces, against the standard library.

use wsgrade_codec::Kind;
use wsgrade_codec::close::{CloseCode, CloseFrame, InvalidClose, MAX_REASON_BYTES, UnsendableClose};
use wsgrade_codec::endpoint::Message;
use wsgrade_codec::utf8::Validator;

use crate::split::splits;
use crate::tape::Tape;

/// However bytes are split, the validator refuses them with the first byte after which no other can make them UTF-8, and
/// says how many before it are whole characters: as the standard library does of what came so far. A message can be text
/// where the library says so, and the reason of a Close frame is one.
///
/// The first byte says how many ASCII bytes stand before the rest, so that a character lies anywhere in the blocks that
/// are looked at together; the second, how many stand behind.
pub(crate) fn utf8(data: &[u8]) {
    let mut tape = Tape::new(data);
    let (before, behind) = (usize::from(tape.byte()), usize::from(tape.byte()));
    let mut text = vec![b'a'; before];
    text.extend_from_slice(tape.rest());
    text.resize(text.len() + behind, b'z');
    for reads in splits(&text) {
        validates(&text, &reads);
    }
    messages(&text);
    closes(tape.rest());
}

fn validates(text: &[u8], reads: &[&[u8]]) {
    let mut validator = Validator::new();
    let mut pushed = 0;
    for read in reads {
        pushed += read.len();
        let ours = validator.push(read);
        match std::str::from_utf8(&text[..pushed]) {
            Ok(_) => {
                assert_eq!((ours, validator.finish()), (Ok(()), Ok(())));
                assert_eq!(validator.pushed(), pushed as u64);
            }
            Err(error) if error.error_len().is_none() => {
                assert_eq!(ours, Ok(()), "the end of {pushed} bytes may become a character");
                let cut = validator.finish().expect_err("the end is no character yet");
                assert_eq!(cut.valid_up_to, error.valid_up_to() as u64);
                assert_eq!(validator.pushed(), pushed as u64);
            }
            Err(error) => {
                let refused = ours.expect_err("no continuation makes this UTF-8");
                assert_eq!(refused.valid_up_to, error.valid_up_to() as u64);
                return;
            }
        }
    }
}

fn messages(bytes: &[u8]) {
    let text = Message::new(Kind::Text, bytes.to_vec());
    match std::str::from_utf8(bytes) {
        Ok(expected) => {
            let text = text.expect("it is UTF-8");
            assert_eq!((text.kind(), text.as_text()), (Kind::Text, Some(expected)));
            assert_eq!(text, Message::text(expected));
        }
        Err(_) => assert!(text.is_err(), "text that is not UTF-8"),
    }
    let binary = Message::binary(bytes.to_vec());
    assert_eq!(Message::new(Kind::Binary, bytes.to_vec()), Ok(binary.clone()));
    assert_eq!(
        (binary.as_text(), &binary.payload()[..], &binary.clone().into_payload()[..]),
        (None, bytes, bytes)
    );
}

/// "Following the 2-byte integer, the body MAY contain UTF-8-encoded data with value /reason/" (RFC 6455 5.5.1).
fn closes(body: &[u8]) {
    let parsed = CloseFrame::parse(body);
    match body {
        [] => assert_eq!(parsed, Ok(CloseFrame::default())),
        [_] => assert_eq!(parsed, Err(InvalidClose::OneByte)),
        [high, low, reason @ ..] => {
            let code = CloseCode::new(u16::from_be_bytes([*high, *low]));
            match std::str::from_utf8(reason) {
                Ok(reason) => assert_eq!(parsed, Ok(CloseFrame::new(code, reason))),
                Err(error) => {
                    assert_eq!(parsed, Err(InvalidClose::Reason { valid_up_to: error.valid_up_to() }));
                }
            }
            codes(code);
        }
    }
    let Ok(frame) = parsed else { return };
    match frame.encode() {
        Ok(encoded) => {
            assert_eq!(encoded, body);
            assert!(frame.reason.len() <= MAX_REASON_BYTES);
        }
        Err(UnsendableClose::ReasonTooLong { .. }) => assert!(frame.reason.len() > MAX_REASON_BYTES),
        Err(error @ UnsendableClose::ReasonWithoutCode) => panic!("{error}: there is a code"),
    }
    if !frame.reason.is_empty() && frame.reason.len() <= MAX_REASON_BYTES {
        let without = CloseFrame { code: None, ..frame };
        assert_eq!(without.encode(), Err(UnsendableClose::ReasonWithoutCode));
    }
}

/// RFC 6455 7.4, and what was registered since.
fn codes(code: CloseCode) {
    let value = code.value();
    let sent =
        (1000..=1014).contains(&value) && !(1004..=1006).contains(&value) || (3000..5000).contains(&value);
    assert_eq!(code.is_valid_on_wire(), sent, "{code}");
    assert!(!code.is_registered() || sent && code.name().is_some(), "{code}");
    assert_eq!((CloseCode::from(value), u16::from(code)), (code, value));
    assert!(code.to_string().starts_with(&value.to_string()));
}
