//! What is agreed on for compression, by either side.

use wsgrade_codec::deflate::{
    InvalidParam, InvalidResponse, NAME, Offer, Params, Support, WindowBits, accept_response, negotiate,
};
use wsgrade_codec::handshake::{Extension, Param};

use super::defect::Nature;
use super::table::Defect;

const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";
const SERVER_CONTEXT: &str = "server_no_context_takeover";
const CLIENT_CONTEXT: &str = "client_no_context_takeover";

/// An offer or a response as it is read by who does not see what is wrong with it.
fn mended(extension: &Extension, nature: &Nature) -> Extension {
    let mut extension = extension.clone();
    // Each of these can hide another, so they are tried until nothing is mended.
    while let Err(invalid) = Offer::parse(&extension) {
        let defect = match &invalid {
            InvalidParam::Unknown(_) => Defect::TakesUnknownParameter,
            InvalidParam::Twice(_) => Defect::TakesParameterTwice,
            InvalidParam::Value { name, value } => match value.as_deref() {
                Some(_) if name == SERVER_CONTEXT || name == CLIENT_CONTEXT => Defect::TakesContextWithValue,
                None => Defect::TakesWindowWithoutValue,
                Some(value) if is_padded(value) => Defect::TakesWindowWithZero,
                Some(_) => Defect::TakesWindowOutOfRange,
            },
        };
        if !nature.has(defect) {
            break;
        }
        mend(&mut extension.params, &invalid);
    }
    extension
}

/// A number between 8 and 15, written with zeroes before it.
fn is_padded(value: &str) -> bool {
    value.starts_with('0') && WindowBits::parse(value.trim_start_matches('0')).is_some()
}

/// Takes away what is wrong.
fn mend(params: &mut Vec<Param>, invalid: &InvalidParam) {
    match invalid {
        InvalidParam::Unknown(name) => params.retain(|param| param.name != *name),
        InvalidParam::Twice(name) => {
            let mut seen = false;
            params.retain(|param| param.name != *name || !std::mem::replace(&mut seen, true));
        }
        InvalidParam::Value { name, value } => {
            for param in params.iter_mut().filter(|param| param.name == *name && param.value == *value) {
                param.value = match &param.value {
                    _ if *name == SERVER_CONTEXT || *name == CLIENT_CONTEXT => None,
                    Some(value) if is_padded(value) => Some(value.trim_start_matches('0').to_owned()),
                    Some(_) | None => Some(WindowBits::MAX.to_string()),
                };
            }
        }
    }
}

/// What a server agrees to, and the extensions that its response names.
pub(super) fn answer(offered: &[Extension], nature: &Nature) -> (Option<Params>, Vec<Extension>) {
    let mut named = Vec::new();
    let deflate = agree(offered, nature);
    let params = deflate.map(|(params, extension)| {
        if nature.has(Defect::AnswersTwoOffers) {
            named.push(extension.clone());
        }
        named.push(extension);
        params
    });
    if nature.has(Defect::AgreesToUnofferedExtension) {
        named.push(Extension::new("x-not-offered"));
    }
    (params, named)
}

fn agree(offered: &[Extension], nature: &Nature) -> Option<(Params, Extension)> {
    let offers: Vec<Extension> = offered
        .iter()
        .filter(|extension| extension.name == NAME)
        .map(|extension| mended(extension, nature))
        .collect();
    if offers.is_empty() && nature.has(Defect::AgreesUnasked) {
        return Some((Params::default(), Extension::new(NAME)));
    }
    let offer = offers.iter().find_map(|extension| Offer::parse(extension).ok())?;
    let (params, extension) = negotiate(&offers, &Support::default())?;
    Some(misanswered(&offer, params, extension, nature))
}

/// The response to an offer, as it goes out.
fn misanswered(
    offer: &Offer,
    mut params: Params,
    mut extension: Extension,
    nature: &Nature,
) -> (Params, Extension) {
    let set = |extension: &mut Extension, name: &str, value: Option<String>| {
        extension.params.retain(|param| param.name != name);
        extension.params.push(Param { name: name.to_owned(), value });
    };
    let asked = offer.server_max_window_bits;
    if asked == Some(WindowBits::MIN) && nature.has(Defect::Answers9For8) {
        params.server_max_window_bits = WindowBits::new(9).unwrap_or_default();
        set(&mut extension, SERVER_BITS, Some("9".to_owned()));
    }
    if asked.is_some_and(|bits| bits < WindowBits::MAX) && nature.has(Defect::AnswersLargerWindow) {
        params.server_max_window_bits = WindowBits::MAX;
        set(&mut extension, SERVER_BITS, Some(WindowBits::MAX.to_string()));
    }
    if asked.is_some_and(|bits| bits < WindowBits::MAX) && nature.has(Defect::OmitsWindow) {
        params.server_max_window_bits = WindowBits::MAX;
        extension.params.retain(|param| param.name != SERVER_BITS);
    }
    if offer.server_no_context_takeover && nature.has(Defect::OmitsContext) {
        params.server_no_context_takeover = false;
        extension.params.retain(|param| param.name != SERVER_CONTEXT);
    }
    match offer.client_max_window_bits {
        None if nature.has(Defect::AnswersClientWindowUnasked) => {
            set(&mut extension, CLIENT_BITS, Some("10".to_owned()));
        }
        Some(_) if nature.has(Defect::AnswersClientWindowBare) => set(&mut extension, CLIENT_BITS, None),
        None | Some(_) => {}
    }
    if nature.has(Defect::AnswersWindowOutOfRange) {
        set(&mut extension, SERVER_BITS, Some("16".to_owned()));
    }
    if nature.has(Defect::AnswersUnknownParameter) {
        set(&mut extension, "x_unknown", None);
    }
    if nature.has(Defect::AnswersParameterTwice) {
        set(&mut extension, CLIENT_CONTEXT, None);
        extension.params.push(Param { name: CLIENT_CONTEXT.to_owned(), value: None });
    }
    if nature.has(Defect::AnswersContextWithValue) {
        set(&mut extension, CLIENT_CONTEXT, Some("1".to_owned()));
    }
    (params, extension)
}

/// What a client makes of the extensions that a response names.
///
/// # Errors
///
/// If it answers none of the offers.
pub(super) fn accept(
    named: &[Extension],
    offers: &[Offer],
    nature: &Nature,
) -> Result<Option<Params>, InvalidResponse> {
    let named: Vec<Extension> = named
        .iter()
        .map(|extension| if extension.name == NAME { mended(extension, nature) } else { extension.clone() })
        .collect();
    match accept_response(&named, offers) {
        Err(InvalidResponse::SeveralTimes) if nature.has(Defect::TakesDeflateTwice) => {
            let first = named.iter().find(|extension| extension.name == NAME);
            accept_response(&first.cloned().into_iter().collect::<Vec<_>>(), offers)
        }
        // "The "client_max_window_bits" extension parameter in an extension negotiation response has a decimal integer
        // value" (RFC 7692, 7.1.2.2)
        Err(InvalidResponse::Param(InvalidParam::Value { value: None, .. }))
            if nature.has(Defect::TakesWindowWithoutValue) =>
        {
            Ok(Some(Params::default()))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wsgrade_codec::handshake::{format_extensions, parse_extensions};

    fn answered(offers: &str, defect: Option<Defect>) -> String {
        let offered = parse_extensions(offers.as_bytes()).unwrap();
        format_extensions(&answer(&offered, &Nature::new(defect)).1)
    }

    #[test]
    fn bad_offers_are_taken_by_their_defect_alone() {
        for (offer, defect, response) in [
            ("permessage-deflate; x", Defect::TakesUnknownParameter, "permessage-deflate"),
            (
                "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
                Defect::TakesParameterTwice,
                "permessage-deflate; server_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_max_window_bits=16",
                Defect::TakesWindowOutOfRange,
                "permessage-deflate; server_max_window_bits=15",
            ),
            (
                "permessage-deflate; server_max_window_bits=010",
                Defect::TakesWindowWithZero,
                "permessage-deflate; server_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_no_context_takeover=1",
                Defect::TakesContextWithValue,
                "permessage-deflate; server_no_context_takeover",
            ),
        ] {
            assert_eq!(answered(offer, Some(defect)), response);
            assert_eq!(answered(offer, None), "");
            assert_eq!(answered(offer, Some(Defect::Answers9For8)), "");
        }
    }

    #[test]
    fn lawful_offers_are_answered_wrongly_by_a_defect_alone() {
        let eight = "permessage-deflate; server_max_window_bits=8";
        assert_eq!(answered(eight, None), eight);
        assert_eq!(
            answered(eight, Some(Defect::Answers9For8)),
            "permessage-deflate; server_max_window_bits=9"
        );
        assert_eq!(answered("permessage-deflate", Some(Defect::Answers9For8)), "permessage-deflate");
        assert_eq!(answered("x-foo", Some(Defect::AgreesUnasked)), "permessage-deflate");
        assert_eq!(answered("x-foo", None), "");
    }

    #[test]
    fn bad_responses_are_taken_by_their_defect_alone() {
        let offers = [Offer { client_max_window_bits: Some(None), ..Offer::default() }];
        for (response, defect) in [
            ("permessage-deflate; server_max_window_bits=20", Defect::TakesWindowOutOfRange),
            ("permessage-deflate; x=1", Defect::TakesUnknownParameter),
            ("permessage-deflate, permessage-deflate", Defect::TakesDeflateTwice),
            ("permessage-deflate; client_max_window_bits", Defect::TakesWindowWithoutValue),
        ] {
            let named = parse_extensions(response.as_bytes()).unwrap();
            assert!(accept(&named, &offers, &Nature::new(Some(defect))).is_ok(), "{response}");
            assert!(accept(&named, &offers, &Nature::new(None)).is_err(), "{response}");
        }
    }
}
