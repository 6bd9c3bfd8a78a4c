//! Laws: what has to hold for all inputs, tried on random ones.

use bytes::Bytes;
use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult, quickcheck};
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule};
use wsgrade_codec::close::CloseCode;
use wsgrade_codec::deflate::{self, Compressor, Decompressor, Offer, Params, Support, WindowBits};
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Limits, Message};
use wsgrade_codec::handshake::{self, ClientHello, RequestReader};
use wsgrade_codec::utf8::Validator;
use wsgrade_codec::wire::{FrameDecoder, Header, Length, LengthForm, Opcode, Parsed, Piece, Rsv};
use wsgrade_codec::{Kind, Role, mask};

/// Any header there can be.
#[derive(Debug, Clone)]
struct AnyHeader(Header);

impl Arbitrary for AnyHeader {
    fn arbitrary(g: &mut Gen) -> Self {
        let form = *g.choose(&[LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64]).unwrap();
        let value = match form {
            LengthForm::Bits7 => u64::from(u8::arbitrary(g)) % 126,
            LengthForm::Bits16 => u64::from(u16::arbitrary(g)),
            LengthForm::Bits64 => u64::arbitrary(g) >> (u8::arbitrary(g) % 64),
        };
        Self(Header {
            fin: bool::arbitrary(g),
            rsv: Rsv::new(u8::arbitrary(g) % 8).unwrap(),
            opcode: Opcode::new(u8::arbitrary(g) % 16).unwrap(),
            mask: Option::<u32>::arbitrary(g).map(u32::to_be_bytes),
            length: Length::with_form(value, form).unwrap(),
        })
    }
}

/// Where to cut a stream of bytes: the lengths of the pieces, over and over.
#[derive(Debug, Clone)]
struct Cuts(Vec<usize>);

impl Arbitrary for Cuts {
    fn arbitrary(g: &mut Gen) -> Self {
        let sizes = [1, 1, 2, 3, 5, 14, 127, 4000, 20_000];
        Self((0..1 + usize::arbitrary(g) % 8).map(|_| *g.choose(&sizes).unwrap()).collect())
    }
}

impl Cuts {
    fn of<'a>(&'a self, mut bytes: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().cycle().map_while(move |size| {
            if bytes.is_empty() {
                return None;
            }
            let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
            bytes = rest;
            Some(piece)
        })
    }
}

/// One frame, mostly legal, with a payload of which nothing is missing.
#[derive(Clone)]
struct AnyFrame(Vec<u8>);

impl std::fmt::Debug for AnyFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes: {:02x?}", self.0.len(), &self.0[..self.0.len().min(24)])
    }
}

impl Arbitrary for AnyFrame {
    fn arbitrary(g: &mut Gen) -> Self {
        let opcodes = [0, 0, 1, 1, 1, 2, 2, 8, 9, 9, 10, 3];
        let opcode = Opcode::new(*g.choose(&opcodes).unwrap()).unwrap();
        let mut payload = match u8::arbitrary(g) % 8 {
            0 => Vec::<u8>::arbitrary(g),
            1 => "ä€𝄞".repeat(usize::arbitrary(g) % 4000).into_bytes(),
            2 if opcode == Opcode::CLOSE => vec![3, 232],
            _ => String::arbitrary(g).into_bytes(),
        };
        let rare = |g: &mut Gen| u8::arbitrary(g) % 32 == 0;
        let mut header = Header::new(opcode, None, payload.len() as u64);
        header.fin = u8::arbitrary(g) % 4 != 0 || opcode.is_control();
        header.mask = (!rare(g)).then(|| u32::arbitrary(g).to_be_bytes());
        if rare(g) {
            header.rsv = Rsv::new(u8::arbitrary(g) % 8).unwrap();
        }
        if rare(g) {
            header.length = Length::with_form(payload.len() as u64, LengthForm::Bits64).unwrap();
        }
        if let Some(key) = header.mask {
            mask::apply(key, 0, &mut payload);
        }
        Self([&*header.encode(), &payload].concat())
    }
}

/// Frames one after the other.
fn stream(frames: &[AnyFrame]) -> Vec<u8> {
    frames.iter().flat_map(|AnyFrame(bytes)| bytes).copied().collect()
}

/// Pieces with their payloads put together, so that they do not tell how the input was cut.
fn pieces(wire: &[u8], cuts: &Cuts) -> (Vec<Header>, Vec<Vec<u8>>, usize, usize) {
    let mut decoder = FrameDecoder::new();
    let (mut headers, mut payloads, mut ends) = (Vec::new(), Vec::<Vec<u8>>::new(), 0);
    for piece in cuts.of(wire) {
        decoder.push(piece);
        for piece in decoder.by_ref() {
            match piece {
                Piece::Header(header) => {
                    headers.push(header);
                    payloads.push(Vec::new());
                }
                Piece::Payload { bytes, offset } => {
                    let payload = payloads.last_mut().unwrap();
                    assert_eq!(payload.len() as u64, offset);
                    payload.extend_from_slice(&bytes);
                }
                Piece::End => ends += 1,
            }
        }
    }
    (headers, payloads, ends, decoder.buffered())
}

fn judged(wire: &[u8], cuts: &Cuts, deflate: Option<Params>) -> Vec<Item> {
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::with_cap(Role::Client, Negotiated { deflate }, 1 << 16);
    for piece in cuts.of(wire) {
        decoder.push(piece);
        decoder.by_ref().for_each(|piece| checker.push(piece));
    }
    checker.collect()
}

/// All events and all that was sent, for a server which gets this input.
fn played(wire: &[u8], cuts: &Cuts, deflate: Option<Params>, through_buffer: bool) -> (Vec<Event>, Vec<u8>) {
    let limits = Limits { max_frame: 40_000, max_message: 60_000, max_inflated: 60_000, ..Limits::default() };
    let config = Config { limits, deflate, read_chunk: 100, ..Config::new(Role::Server) };
    let mut endpoint = Endpoint::new(config, || [0; 4]);
    let (mut events, mut sent) = (Vec::new(), Vec::new());
    for piece in cuts.of(wire) {
        if through_buffer {
            endpoint.read_buffer().extend_from_slice(piece);
        } else {
            endpoint.receive(piece);
        }
        events.extend(std::iter::from_fn(|| endpoint.poll_event()));
        endpoint.drain_into(&mut sent);
    }
    endpoint.eof();
    events.extend(std::iter::from_fn(|| endpoint.poll_event()));
    endpoint.drain_into(&mut sent);
    (events, sent)
}

const WHOLE: fn() -> Cuts = || Cuts(vec![usize::MAX]);

quickcheck! {
    fn a_header_is_decoded_as_it_was_encoded(header: AnyHeader) -> bool {
        let encoded = header.0.encode();
        let short = (0..encoded.len()).all(|len| matches!(Header::parse(&encoded[..len]), Parsed::Incomplete { needed } if needed > len && needed <= encoded.len()));
        short && Header::parse(&encoded) == Parsed::Header(header.0, encoded.len())
    }

    fn the_decoder_does_not_care_how_input_is_cut(frames: Vec<AnyFrame>, junk: Vec<u8>, cuts: Cuts) -> bool {
        let wire = [stream(&frames), junk].concat();
        pieces(&wire, &cuts) == pieces(&wire, &WHOLE())
    }

    fn the_checker_does_not_care_how_input_is_cut(frames: Vec<AnyFrame>, cuts: Cuts, deflated: bool) -> bool {
        let wire = stream(&frames);
        let deflate = deflated.then(Params::default);
        judged(&wire, &cuts, deflate) == judged(&wire, &WHOLE(), deflate)
    }

    fn the_endpoint_does_not_care_how_input_is_cut(frames: Vec<AnyFrame>, cuts: Cuts, deflated: bool, through_buffer: bool) -> bool {
        let wire = stream(&frames);
        let deflate = deflated.then(Params::default);
        played(&wire, &cuts, deflate, through_buffer) == played(&wire, &WHOLE(), deflate, false)
    }

    /// The two judges are written apart; they have to agree on the first violation and on every message before it.
    fn endpoint_and_checker_agree(frames: Vec<AnyFrame>) -> TestResult {
        let wire = stream(&frames);
        let items = judged(&wire, &WHOLE(), None);
        if items.iter().any(|item| matches!(item, Item::TooBig { .. })) {
            return TestResult::discard();
        }
        let config = Config::new(Role::Server);
        let mut endpoint = Endpoint::new(config, || [0; 4]);
        endpoint.receive(&wire);
        let mut items = items.into_iter().peekable();
        for event in std::iter::from_fn(|| endpoint.poll_event()) {
            let item = items.next();
            let agree = match (&event, &item) {
                (Event::Message(message), Some(Item::Message { kind, payload, .. })) => message.kind() == *kind && message.payload() == payload,
                (Event::Ping(a), Some(Item::Ping(b))) | (Event::Pong(a), Some(Item::Pong(b))) => a == b,
                (Event::Close(a), Some(Item::Close { frame: Some(b), .. })) => a == b,
                (Event::Failed { failure, .. }, Some(Item::Violation(violation))) => {
                    let wsgrade_codec::endpoint::Failure::Violation(ours) = failure else { return TestResult::error(failure.to_string()) };
// The endpoint does not wait for the length of a control frame which needs more than seven bits for it.
                    let early = (ours.rule, violation.rule) == (Rule::ControlLength, Rule::MinimalLength);
                    return if early || ours.rule == violation.rule { TestResult::passed() } else { TestResult::error(format!("{ours} {violation}")) };
                }
                // Nothing is looked at after the close, and an unfinished frame gives nothing.
                (Event::Closed { .. }, _) => return TestResult::passed(),
                _ => false,
            };
            if !agree {
                return TestResult::error(format!("{event:?} {item:?}"));
            }
        }
        match items.next() {
            None => TestResult::passed(),
            Some(item) => TestResult::error(format!("the endpoint missed {item:?}")),
        }
    }

    fn a_mask_taken_twice_is_none(key: u32, offset: usize, data: Vec<u8>) -> bool {
        let key = key.to_ne_bytes();
        let mut masked = data.clone();
        mask::apply(key, offset, &mut masked);
        let plain: Vec<u8> = data.iter().enumerate().map(|(i, byte)| byte ^ key[(offset.wrapping_add(i)) % 4]).collect();
        let equal = masked == plain;
        mask::apply(key, offset, &mut masked);
        equal && masked == data
    }

    fn a_mask_can_be_laid_on_in_pieces(key: u32, data: Vec<u8>, cuts: Cuts) -> bool {
        let key = key.to_ne_bytes();
        let mut whole = data.clone();
        mask::apply(key, 0, &mut whole);
        let mut pieces = Vec::new();
        for piece in cuts.of(&data) {
            let mut piece = piece.to_vec();
            mask::apply(key, pieces.len(), &mut piece);
            pieces.extend_from_slice(&piece);
        }
        pieces == whole
    }

    fn the_validator_says_what_the_standard_library_says(text: String, junk: Vec<u8>, at: usize, cuts: Cuts) -> bool {
        let mut bytes = text.repeat(3).into_bytes();
        if !junk.is_empty() {
            let at = at % (bytes.len() + 1);
            bytes.splice(at..at, junk);
        }
        let mut validator = Validator::new();
        let mut pushed = 0;
        for piece in cuts.of(&bytes) {
            pushed += piece.len();
            match (validator.push(piece), std::str::from_utf8(&bytes[..pushed])) {
                (Ok(()), Ok(_)) => assert!(validator.finish().is_ok()),
                (Ok(()), Err(error)) => {
                    assert_eq!(error.error_len(), None);
                    assert_eq!(validator.finish().map_err(|e| e.valid_up_to), Err(error.valid_up_to() as u64));
                }
                (Err(ours), Err(error)) => return error.error_len().is_some() && ours.valid_up_to == error.valid_up_to() as u64,
                (Err(_), Ok(_)) => return false,
            }
        }
        true
    }

    fn a_request_does_not_care_how_it_is_cut(target: u16, protocols: Vec<u8>, rest: Vec<u8>, cuts: Cuts) -> bool {
        let mut hello = ClientHello::new("example.org:8080", format!("/{target}"), [7; 16]);
        hello.subprotocols = protocols.iter().enumerate().map(|(i, p)| format!("p{i}-{p}")).collect();
        let wire = [hello.encode().unwrap(), rest.clone()].concat();
        let mut reader = RequestReader::default();
        let mut pieces = cuts.of(&wire);
        let (head, mut leftover) = loop {
            if let Some(found) = reader.push(pieces.next().unwrap()).unwrap() {
                break found;
            }
        };
        pieces.for_each(|piece| leftover.extend_from_slice(piece));
        let request = head.validate().unwrap();
        request.key == hello.key() && request.subprotocols == hello.subprotocols && leftover == rest
    }

    fn no_list_makes_a_parser_panic(bytes: Vec<u8>, text: String) -> bool {
        for value in [bytes.as_slice(), text.as_bytes()] {
            let _ = handshake::parse_tokens(value);
            if let Ok(list) = handshake::parse_extensions(value) {
                let written = handshake::format_extensions(&list);
                assert_eq!(handshake::parse_extensions(written.as_bytes()), Ok(list));
            }
        }
        true
    }
}

/// Parameters of permessage-deflate.
#[derive(Debug, Clone, Copy)]
struct AnyParams(Params);

impl Arbitrary for AnyParams {
    fn arbitrary(g: &mut Gen) -> Self {
        let bits = |g: &mut Gen| WindowBits::new(8 + u8::arbitrary(g) % 8).unwrap();
        Self(Params {
            server_no_context_takeover: bool::arbitrary(g),
            client_no_context_takeover: bool::arbitrary(g),
            server_max_window_bits: bits(g),
            client_max_window_bits: bits(g),
        })
    }
}

/// A payload with something to compress: pieces of itself at all distances.
#[derive(Debug, Clone)]
struct Repetitive(Vec<u8>);

impl Arbitrary for Repetitive {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut data: Vec<u8> = Vec::arbitrary(g);
        for _ in 0..u8::arbitrary(g) % 60 {
            if data.is_empty() || bool::arbitrary(g) {
                data.extend(Vec::<u8>::arbitrary(g));
            } else {
                let start = usize::arbitrary(g) % data.len();
                let len = (usize::arbitrary(g) % 2000).min(data.len() - start);
                data.extend_from_within(start..start + len);
            }
        }
        Self(data)
    }
}

quickcheck! {
    fn what_is_compressed_is_inflated(params: AnyParams, messages: Vec<Repetitive>, level: u8, cuts: Cuts, client: bool) -> bool {
        let sender = if client { Role::Client } else { Role::Server };
        let mut compressor = Compressor::with_level(&params.0, sender, u32::from(level % 10));
        let mut decompressor = Decompressor::new(&params.0, sender, 1 << 24);
        messages.iter().all(|Repetitive(message)| {
            let payload = compressor.message(message);
            let mut pushed = Vec::new();
            for piece in cuts.of(&payload) {
                pushed.extend_from_slice(decompressor.push(piece).unwrap());
            }
            let (start, whole) = decompressor.finish().unwrap();
            start == pushed.len() && whole[..start] == pushed && &whole == message
        })
    }

    /// The checker inflates by itself and knows the distances: the compressor keeps to what was agreed upon, with a
    /// window of 256 bytes too.
    fn the_compressor_keeps_the_agreement(params: AnyParams, messages: Vec<Repetitive>, level: u8) -> bool {
        let mut compressor = Compressor::with_level(&params.0, Role::Client, u32::from(level % 10));
        let mut wire = Vec::new();
        for (k, Repetitive(message)) in (0_u32..).zip(&messages) {
            let mut payload = compressor.message(message);
            // One key for all frames would be a violation too.
            let key = k.to_be_bytes();
            let header = Header { rsv: Rsv::RSV1, ..Header::new(Opcode::BINARY, Some(key), payload.len() as u64) };
            wire.extend_from_slice(&header.encode());
            mask::apply(key, 0, &mut payload);
            wire.extend_from_slice(&payload);
        }
        let mut checker = Checker::new(Role::Client, Negotiated { deflate: Some(params.0) });
        let mut decoder = FrameDecoder::new();
        decoder.push(&wire);
        decoder.for_each(|piece| checker.push(piece));
        let expected: Vec<Item> = messages.iter().map(|message| Item::Message {
            kind: Kind::Binary, payload: Bytes::from(message.0.clone()), compressed: true, fragments: 1,
        }).collect();
        checker.collect::<Vec<_>>() == expected
    }

    fn no_data_makes_an_inflater_panic(payloads: Vec<Vec<u8>>, cuts: Cuts) -> bool {
        let mut decompressor = Decompressor::new(&Params::default(), Role::Client, 1 << 16);
        for payload in &payloads {
            if cuts.of(payload).any(|piece| decompressor.push(piece).is_err()) || decompressor.finish().is_err() {
                break;
            }
        }
        let mut checker = Checker::with_cap(Role::Server, Negotiated { deflate: Some(Params::default()) }, 1 << 16);
        for payload in payloads {
            let header = Header { rsv: Rsv::RSV1, ..Header::new(Opcode::TEXT, None, payload.len() as u64) };
            checker.push(Piece::Header(header));
            checker.push(Piece::Payload { bytes: payload.into(), offset: 0 });
            checker.push(Piece::End);
        }
        checker.count() < 1000
    }

    /// Whatever a client offers, it accepts what our server answers, and both mean the same.
    fn both_sides_agree(offers: Vec<(bool, bool, u8, u8)>, support: AnyParams) -> bool {
        let offers: Vec<Offer> = offers.iter().map(|(server, client, server_bits, client_bits)| Offer {
            server_no_context_takeover: *server,
            client_no_context_takeover: *client,
            server_max_window_bits: WindowBits::new(server_bits % 20),
            client_max_window_bits: match client_bits % 20 { 0 => None, bits => Some(WindowBits::new(bits)) },
        }).collect();
        let Params { server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits } = support.0;
        let support = Support { server_no_context_takeover, client_no_context_takeover, server_max_window_bits, client_max_window_bits };
        match deflate::negotiate(&deflate::offer_extensions(&offers), &support) {
            None => offers.is_empty(),
            Some((params, extension)) => deflate::accept_response(&[extension], &offers) == Ok(Some(params)),
        }
    }
}

/// What one of two endpoints does.
#[derive(Debug, Clone)]
enum Act {
    Text(String),
    Binary(Repetitive),
    Fragmented(Repetitive, u8),
    Ping(u8),
    /// Move some of the pending bytes to the other side.
    Deliver(u16),
}

impl Arbitrary for Act {
    fn arbitrary(g: &mut Gen) -> Self {
        match u8::arbitrary(g) % 6 {
            0 => Self::Text(String::arbitrary(g)),
            1 => Self::Binary(Repetitive::arbitrary(g)),
            2 => Self::Fragmented(Repetitive::arbitrary(g), u8::arbitrary(g)),
            3 => Self::Ping(u8::arbitrary(g)),
            _ => Self::Deliver(u16::arbitrary(g)),
        }
    }
}

/// An endpoint, and what it has seen.
struct Side {
    endpoint: Endpoint,
    seen: Vec<Message>,
    sent: Vec<Message>,
    closed: Option<bool>,
}

impl Side {
    fn new(role: Role, deflate: Option<Params>) -> Self {
        let mut state = 1u32;
        let keys = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()
        };
        let config = Config { deflate, compress_from: 10, ..Config::new(role) };
        Self { endpoint: Endpoint::new(config, keys), seen: vec![], sent: vec![], closed: None }
    }

    fn send(&mut self, message: Message, size: Option<usize>) {
        self.sent.push(message.clone());
        match size {
            Some(size) => self.endpoint.send_fragmented(message, size).unwrap(),
            None => self.endpoint.send(message).unwrap(),
        }
    }

    /// Moves up to `count` bytes to the other side, as a vectored write would, and takes its events.
    fn deliver(&mut self, other: &mut Self, mut count: usize) {
        while count > 0 && self.endpoint.pending() > 0 {
            let mut slices = [std::io::IoSlice::new(&[]); 3];
            let filled = self.endpoint.io_slices(&mut slices);
            let mut moved = 0;
            for slice in &slices[..filled] {
                let len = slice.len().min(count - moved);
                other.endpoint.read_buffer().extend_from_slice(&slice[..len]);
                moved += len;
            }
            self.endpoint.advance(moved);
            count -= moved;
            while let Some(event) = other.endpoint.poll_event() {
                match event {
                    Event::Message(message) => other.seen.push(message),
                    Event::Ping(_) | Event::Pong(_) | Event::Close(_) => {}
                    Event::Closed { clean } => other.closed = Some(clean),
                    Event::Failed { failure, .. } => panic!("{failure}"),
                }
            }
        }
    }
}

fn two_endpoints_deliver_everything(params: Option<AnyParams>, acts: Vec<(bool, Act)>) -> bool {
    let deflate = params.map(|params| params.0);
    let mut server = Side::new(Role::Server, deflate);
    let mut client = Side::new(Role::Client, deflate);
    for (by_client, act) in acts {
        let (from, to) = if by_client { (&mut client, &mut server) } else { (&mut server, &mut client) };
        match act {
            Act::Text(text) => from.send(Message::text(text), None),
            Act::Binary(data) => from.send(Message::binary(data.0), None),
            Act::Fragmented(data, size) => from.send(Message::binary(data.0), Some(usize::from(size) + 1)),
            Act::Ping(body) => from.endpoint.ping(&[body; 7]).unwrap(),
            Act::Deliver(count) => from.deliver(to, usize::from(count)),
        }
    }
    client.endpoint.close(Some(CloseCode::NORMAL), "done").unwrap();
    client.deliver(&mut server, usize::MAX);
    server.deliver(&mut client, usize::MAX);
    assert!(server.endpoint.should_end_tcp() && !client.endpoint.should_end_tcp());
    client.endpoint.eof();
    assert!(client.endpoint.should_end_tcp());
    client.sent == server.seen
        && server.sent == client.seen
        && (client.closed, server.closed) == (Some(true), Some(true))
}

#[test]
fn two_endpoints() {
    QuickCheck::new()
        .tests(150)
        .quickcheck(two_endpoints_deliver_everything as fn(Option<AnyParams>, Vec<(bool, Act)>) -> bool);
}
