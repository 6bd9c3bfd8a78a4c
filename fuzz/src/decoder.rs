//! The frame decoder and what stands on it, under every split of their input.

mod checker;
mod endpoint;

use wsgrade_codec::wire::{FrameDecoder, Header, Parsed, Piece};

use crate::plain::{self, Frames, PlainHeader};
use crate::plan::{Input, Known};
use crate::split::splits;

pub(crate) use checker::{first_broken, judge};
pub(crate) use endpoint::agrees_with_the_checker;

/// However a stream is split into reads:
///
/// - the frame decoder hands out the frames that a reader by hand finds in the whole of it, every byte as soon as it
///   is there, and each header turns back into the bytes it was read from;
/// - the checker says the same, in the same order;
/// - the strict endpoint gives the same events and sends the same bytes, none of which breaks a rule, and fails where the
///   checker finds the first violation;
/// - where the stream was made from a description, what was described is what is seen, and a lawful conversation
///   has no violation.
pub(crate) fn decoder(data: &[u8]) {
    let Some(input) = Input::new(data) else { return };
    let frames = frames(&input);
    let items = checker::holds(&input);
    endpoint::holds(&input, &items, &frames);
}

fn frames(input: &Input) -> Frames {
    let expected = plain::read(&input.wire);
    if let Known::Frames(described) = &input.known {
        assert_eq!(&expected, described, "what was written is not what is on the wire");
    }
    headers_round_trip(&input.wire);
    for reads in splits(&input.wire) {
        assert_eq!(decode(&reads), expected, "the reads were {reads:02x?}");
    }
    expected
}

/// Every header in the stream, parsed and encoded again, is the bytes it was parsed from.
fn headers_round_trip(mut wire: &[u8]) {
    while let Parsed::Header(header, size) = Header::parse(wire) {
        assert_eq!(&*header.encode(), &wire[..size]);
        assert_eq!(header.encoded_len(), size);
        for short in 0..size {
            let Parsed::Incomplete { needed } = Header::parse(&wire[..short]) else {
                panic!("a header out of {short} of its {size} bytes");
            };
            assert!(short < needed && needed <= size, "{needed} of {size} bytes needed with {short} there");
        }
        let end = usize::try_from(header.length.value()).ok().and_then(|length| size.checked_add(length));
        let Some(later) = end.and_then(|end| wire.get(end..)) else { return };
        wire = later;
    }
}

/// What the decoder sees, held after each read against what it may hold back.
fn decode(reads: &[&[u8]]) -> Frames {
    // What came behind a head of the opening handshake is there from the beginning.
    let mut decoder = FrameDecoder::with_buffer(reads.first().copied().unwrap_or_default().into());
    let mut frames = Frames::default();
    for (at, read) in reads.iter().enumerate() {
        if at > 0 {
            decoder.push(read);
        }
        for piece in decoder.by_ref() {
            match piece {
                Piece::Header(header) => {
                    assert!(frames.open.is_none(), "a header inside a frame");
                    frames.open = Some((header.into(), Vec::new()));
                }
                Piece::Payload { bytes, offset } => {
                    let (_, payload) = frames.open.as_mut().expect("a payload inside a frame");
                    assert!(!bytes.is_empty(), "an empty payload");
                    assert_eq!(offset, payload.len() as u64, "a payload in its place");
                    payload.extend_from_slice(&bytes);
                }
                Piece::End => {
                    let (header, payload) = frames.open.take().expect("an end inside a frame");
                    assert_eq!(header.length, payload.len() as u64, "an end when all is there");
                    frames.whole.push((header, payload));
                }
            }
        }
        let open = decoder.in_frame().map(|(header, received)| (PlainHeader::from(header), received));
        assert_eq!(open, frames.open.as_ref().map(|(header, payload)| (*header, payload.len() as u64)));
        assert_eq!(decoder.buffered(), decoder.buffer().len());
        if open.is_some() {
            assert_eq!(decoder.buffered(), 0, "payload is handed out as it arrives");
        } else {
            assert_eq!(plain::read_header(decoder.buffer()), None, "a header is handed out once it is there");
        }
    }
    frames.rest = decoder.buffer().to_vec();
    frames
}
