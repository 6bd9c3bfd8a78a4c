//! Frame headers, field by field and byte by byte, and the masking key in them.

use wsgrade_codec::mask;
use wsgrade_codec::wire::{Header, Length, LengthForm, MAX_HEADER_BYTES, Opcode, Parsed, Rsv};

use crate::plain::{self, PlainHeader};
use crate::tape::Tape;

/// Two readings of the same bytes:
///
/// - as fields: they are encoded as a writer by hand encodes them, and parsed again are the same. A length is refused
///   only where its form has no room for it;
/// - as a header: it is what a reader by hand finds, and encoded again gives the same bytes; where bytes are missing
///   it says how many.
///
/// What is left is masked with the key, in one piece and in several.
pub(crate) fn header(data: &[u8]) {
    fields(Tape::new(data));
    bytes(data);
}

fn fields(mut tape: Tape<'_>) {
    let (first, second) = (tape.byte(), tape.byte());
    let form = [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64][usize::from(second & 3) % 3];
    let value =
        tape.take(usize::from(second >> 2 & 0b1111)).iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let key: [u8; 4] = std::array::from_fn(|_| tape.byte());
    let mask = (second & 0x80 != 0).then_some(key);

    // "If 0-125, that is the payload length. If 126, the following 2 bytes [...] If 127, the following 8 bytes" (5.2)
    let fits = match form {
        LengthForm::Bits7 => value <= 125,
        LengthForm::Bits16 => value <= 0xffff,
        LengthForm::Bits64 => true,
    };
    let length = Length::with_form(value, form);
    assert_eq!(length.is_some(), fits, "{value} in {form:?}");
    let length = length.unwrap_or(Length::minimal(value));
    let plain = PlainHeader {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 15,
        mask,
        length: value,
        length_bytes: length.form().extra_bytes(),
    };
    let header = Header {
        fin: plain.fin,
        rsv: Rsv::new(plain.rsv).expect("three bits"),
        opcode: Opcode::new(plain.opcode).expect("four bits"),
        mask,
        length,
    };
    let encoded = header.encode();
    assert_eq!(&*encoded, plain::write_header(&plain));
    assert_eq!((encoded.as_ref(), encoded.len()), (&*encoded, header.encoded_len()));
    assert!(encoded.len() <= MAX_HEADER_BYTES);
    assert_eq!(Header::parse(&encoded), Parsed::Header(header, encoded.len()));
    assert_eq!(length.has_top_bit(), value > i64::MAX as u64);
    let shortest = if value <= 125 {
        0
    } else if value <= 0xffff {
        2
    } else {
        8
    };
    assert_eq!(length.is_minimal(), plain.length_bytes == shortest, "{length:?}");
    assert_eq!(Length::minimal(value).form().extra_bytes(), shortest);
    says_what_is_odd(&header);
    masks(key, tape.rest());
}

/// The line for people names everything about a header that is not ordinary, and nothing else.
fn says_what_is_odd(header: &Header) {
    let line = header.to_string();
    assert_eq!(line.contains("reserved"), header.opcode.is_reserved(), "{line}");
    assert_eq!(line.contains("not final"), !header.fin, "{line}");
    assert_eq!(line.contains("RSV"), !header.rsv.is_empty(), "{line}");
    assert_eq!(line.contains("unmasked"), header.mask.is_none(), "{line}");
    assert_eq!(line.contains("length in"), !header.length.is_minimal(), "{line}");
    assert!(line.starts_with(&header.opcode.to_string()), "{line}");
    let Header { opcode, rsv, .. } = header;
    assert_eq!(format!("{opcode:?} {rsv:?}"), format!("Opcode({opcode}) Rsv({rsv})"));
    assert_eq!(format!("{:?}", header.encode()), format!("{:02x?}", &*header.encode()));
    assert_eq!(opcode.is_control(), opcode.value() >= 8);
    assert_eq!(opcode.kind().map(Opcode::of), (1..3).contains(&opcode.value()).then_some(*opcode));
    // Of the three bits each is there or is not.
    let bits = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3].into_iter().filter(|bit| rsv.contains(*bit));
    assert_eq!(bits.fold(Rsv::NONE, |all, bit| all | bit), *rsv);
    assert_eq!(rsv.without(Rsv::RSV1).value(), rsv.value() & 3);
}

fn bytes(data: &[u8]) {
    match (Header::parse(data), plain::read_header(data)) {
        (Parsed::Header(header, size), Some((plain, plain_size))) => {
            assert_eq!((PlainHeader::from(header), size), (plain, plain_size));
            assert_eq!(&*header.encode(), &data[..size]);
        }
        (Parsed::Incomplete { needed }, None) => {
            assert!(needed > data.len() && needed <= MAX_HEADER_BYTES, "{needed} of {}", data.len());
            // Whatever the missing bytes are, there is a header of this size once the length is known.
            if data.len() >= 2 {
                let mut filled = data.to_vec();
                filled.resize(needed, 0);
                assert!(matches!(Header::parse(&filled), Parsed::Header(_, size) if size == needed));
            }
        }
        (parsed, plain) => panic!("{parsed:?}, where there is {plain:?}"),
    }
}

/// "transformed-octet-i = original-octet-i XOR masking-key-octet-j", with j = i MOD 4 (RFC 6455 5.3).
fn masks(key: [u8; 4], payload: &[u8]) {
    let expected: Vec<u8> = payload.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
    let mut whole = payload.to_vec();
    mask::apply(key, 0, &mut whole);
    assert_eq!(whole, expected);
    for size in [1, 3, 7, 64, 513] {
        let mut pieces = payload.to_vec();
        for (at, piece) in pieces.chunks_mut(size).enumerate() {
            mask::apply(key, at * size, piece);
        }
        assert_eq!(pieces, expected, "in pieces of {size}");
    }
}
