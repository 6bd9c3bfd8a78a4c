//! The values of headers: lists of tokens and of extensions, and what is negotiated by them.

use wsgrade_codec::deflate::{self, Offer, Support, WindowBits};
use wsgrade_codec::handshake::{
    Extension, ListError, format_extensions, has_token, is_token, parse_extensions, parse_tokens,
};

pub(super) fn holds(value: &[u8]) {
    tokens(value);
    match parse_extensions(value) {
        Ok(list) => {
            assert!(!list.is_empty(), "a list has an element");
            let written = format_extensions(&list);
            assert_eq!(parse_extensions(written.as_bytes()).as_ref(), Ok(&list), "{written}");
            for Extension { name, params } in &list {
                assert!(is_token(name), "{name:?}");
                for param in params {
                    assert!(
                        is_token(&param.name) && param.value.as_deref().is_none_or(is_token),
                        "{param:?}"
                    );
                }
            }
            negotiates(&list, value);
        }
        Err(error) => is_located(error, value),
    }
}

fn tokens(value: &[u8]) {
    // By hand: elements between commas, of which empty ones do not count (RFC 2616 2.1).
    let by_hand: Option<Vec<String>> = value
        .split(|byte| *byte == b',')
        .map(|element| {
            let start =
                element.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(element.len());
            let end =
                element.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(start, |at| at + 1);
            &element[start..end]
        })
        .filter(|element| !element.is_empty())
        .map(|element| {
            let element = element.iter().map(|byte| char::from(*byte)).collect::<String>();
            element.bytes().all(is_char_of_token).then_some(element).filter(|element| element.is_ascii())
        })
        .collect();
    match (parse_tokens(value), by_hand.filter(|list| !list.is_empty())) {
        (Ok(list), Some(expected)) => {
            assert_eq!(list, expected);
            for token in &list {
                assert!(is_token(token) && has_token(value, &token.to_ascii_uppercase()), "{token}");
            }
        }
        (Err(error), None) => is_located(error, value),
        (parsed, by_hand) => panic!("{parsed:?}, where by hand it is {by_hand:?}"),
    }
}

/// "1*<any CHAR except CTLs or separators>" (RFC 2616 2.2).
fn is_char_of_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

fn is_located(error: ListError, value: &[u8]) {
    assert!(error.position <= value.len() && !error.what.is_empty(), "{error}");
}

/// What a server agrees to is within what both wanted, and the client that offered it takes it.
fn negotiates(list: &[Extension], value: &[u8]) {
    // Any numbers will do, if the same value gives the same ones.
    let sum = value.iter().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    let bits = |three: u8| WindowBits::new(8 + (three & 7)).expect("8 to 15");
    let support = Support {
        server_no_context_takeover: sum & 1 != 0,
        client_no_context_takeover: sum & 2 != 0,
        server_max_window_bits: bits(sum >> 2),
        client_max_window_bits: bits(sum >> 5),
    };
    let named = list.iter().filter(|extension| extension.name == deflate::NAME);
    let offers: Vec<Offer> = named.filter_map(|extension| Offer::parse(extension).ok()).collect();
    let Some((params, extension)) = deflate::negotiate(list, &support) else {
        assert!(offers.is_empty(), "declined {offers:?}");
        return;
    };
    assert_eq!(deflate::accept_response(std::slice::from_ref(&extension), &offers), Ok(Some(params)));
    assert!(params.server_max_window_bits <= support.server_max_window_bits);
    assert!(params.server_no_context_takeover || !support.server_no_context_takeover);
    assert!(params.client_no_context_takeover || !support.client_no_context_takeover);
    let offer = &offers[0];
    assert!(params.server_max_window_bits <= offer.server_max_window_bits.unwrap_or_default());
    assert!(params.server_no_context_takeover || !offer.server_no_context_takeover);
    // "the corresponding extension negotiation response to the offer MUST NOT include the "client_max_window_bits" extension
    // parameter" (RFC 7692 7.1.2.2) where the offer did not.
    let limited = params.client_max_window_bits < WindowBits::MAX;
    assert!(!limited || offer.client_max_window_bits.is_some());
    let again = deflate::offer_extensions(&offers);
    let parsed: Vec<_> = again.iter().map(|extension| Offer::parse(extension).expect("an offer")).collect();
    assert_eq!(parsed, offers);
    // Read as a response, the same list answers none but its own like.
    if let Ok(Some(agreed)) = deflate::accept_response(list, &offers) {
        assert_eq!(offers.len(), 1, "{agreed:?} of several");
        assert_eq!(
            Some(agreed.server_max_window_bits),
            offers[0].server_max_window_bits.or(Some(WindowBits::MAX))
        );
    }
}
