//! The opening handshake on the client's side.

use bytes::Bytes;
use wsgrade_codec::Kind;
use wsgrade_codec::deflate::Offer;
use wsgrade_codec::handshake::{
    Agreed, ClientHello, ResponseError, ResponseHead, ResponseReader, accept_key,
};
use wsgrade_codec::wire::{Opcode, Rsv};

use super::defect::Nature;
use super::fields::{extensions_as_read, first_of, refuses, with, without};
use super::offers;
use super::serve::Opened;
use super::speak::{Output, Speaker};
use super::table::Defect;

/// A client that waits for a response.
#[derive(Debug)]
pub(super) struct Asking {
    hello: ClientHello,
    offers: Vec<Offer>,
    reader: ResponseReader,
    heard: bool,
}

impl Asking {
    /// Sends the request.
    pub(super) fn new(host: &str, target: &str, speaker: &mut Speaker, nature: &Nature) -> Self {
        let offers = vec![Offer { client_max_window_bits: Some(None), ..Offer::default() }];
        let mut hello = ClientHello::new(host, target, speaker.nonce());
        hello.extensions = offers.iter().map(Offer::to_extension).collect();
        if nature.has(Defect::SendsFixedKey) {
            hello.nonce = *b"the sample nonce";
        }
        if let Ok(request) = hello.encode() {
            speaker.push(Output::Write(Bytes::from(miswritten(request, &hello.key(), nature))));
        }
        if nature.has(Defect::SpeaksBeforeOpen) {
            speaker.frame(Opcode::PING, true, Rsv::NONE, b"", nature);
        }
        Self { hello, offers, reader: ResponseReader::default(), heard: false }
    }

    pub(super) fn take(&mut self, bytes: &[u8], speaker: &mut Speaker, nature: &Nature) -> Opened {
        let first = !std::mem::replace(&mut self.heard, true);
        let (head, rest) = match self.reader.push(bytes) {
            Ok(Some((head, rest))) => (head, rest.to_vec()),
            Ok(None) if first && nature.has(Defect::RefusesHeadInPieces) => return failed(speaker),
            Ok(None) => return Opened::NotYet,
            Err(_) => return failed(speaker),
        };
        let agreed = match self.judged(head, nature) {
            Ok(agreed) => agreed,
            Err(error) => {
                if matches!(error, ResponseError::Status(_)) && nature.has(Defect::GoesOnAfterRefusal) {
                    speaker.message(Kind::Text, b"hello?", nature);
                }
                return failed(speaker);
            }
        };
        let Ok(agreed) = offers::accept(&agreed.extensions, &self.offers, nature) else {
            return failed(speaker);
        };
        let rest =
            if !rest.is_empty() && nature.has(Defect::DropsFramesBehindHead) { Vec::new() } else { rest };
        Opened::Open { agreed, rest }
    }

    fn judged(&self, mut head: ResponseHead, nature: &Nature) -> Result<Agreed, ResponseError> {
        head.headers = extensions_as_read(&head.headers, nature);
        if head.status == 101 && refuses(&head.headers, nature) {
            return Err(ResponseError::Connection);
        }
        loop {
            match head.validate(&self.hello) {
                Ok(agreed) => return Ok(agreed),
                Err(error) => {
                    if !self.mend(&mut head, &error, nature) {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Makes a response proper where the endpoint does not see what is wrong with it.
    fn mend(&self, head: &mut ResponseHead, error: &ResponseError, nature: &Nature) -> bool {
        let headers = &head.headers;
        let lawful = accept_key(&self.hello.key());
        let (defect, mended) = match error {
            ResponseError::Head(_) | ResponseError::Extensions(_) => return false,
            ResponseError::Status(status) => {
                let mends = nature.has(match status {
                    200 => Defect::TakesStatus200,
                    _ => Defect::TakesOtherStatus,
                });
                if mends {
                    head.status = 101;
                }
                return mends;
            }
            ResponseError::HttpVersion(_) => {
                let mends = nature.has(Defect::TakesHttp10);
                if mends {
                    head.minor_version = 1;
                }
                return mends;
            }
            ResponseError::Upgrade => {
                let missing = headers.get("Upgrade").is_none();
                let defect = if missing { Defect::TakesNoUpgrade } else { Defect::TakesOtherUpgrade };
                (defect, with(headers, "Upgrade", "websocket"))
            }
            ResponseError::Connection => (Defect::TakesNoConnection, with(headers, "Connection", "Upgrade")),
            ResponseError::NoAccept => {
                (Defect::TakesNoAccept, with(headers, "Sec-WebSocket-Accept", &lawful))
            }
            ResponseError::SeveralAccepts => {
                (Defect::TakesTwoAccepts, first_of(headers, "Sec-WebSocket-Accept"))
            }
            ResponseError::Accept => {
                let found = headers.get("Sec-WebSocket-Accept").unwrap_or_default();
                let mends = found.eq_ignore_ascii_case(lawful.as_bytes())
                    && nature.has(Defect::ComparesAcceptWithoutCase)
                    || found.get(..10) == lawful.as_bytes().get(..10)
                        && nature.has(Defect::ComparesAcceptPrefix)
                    || nature.has(Defect::IgnoresAccept);
                if mends {
                    head.headers = with(headers, "Sec-WebSocket-Accept", &lawful);
                }
                return mends;
            }
            ResponseError::ExtensionNotOffered(_) => {
                (Defect::TakesUnofferedExtension, without(headers, "Sec-WebSocket-Extensions"))
            }
            ResponseError::Subprotocol => {
                (Defect::TakesTwoSubprotocols, without(headers, "Sec-WebSocket-Protocol"))
            }
            ResponseError::SubprotocolNotOffered(_) => {
                (Defect::TakesUnofferedSubprotocol, without(headers, "Sec-WebSocket-Protocol"))
            }
        };
        let mends = nature.has(defect);
        if mends {
            head.headers = mended;
        }
        mends
    }
}

/// "the client MUST _Fail the WebSocket Connection_" (RFC 6455, 4.1)
fn failed(speaker: &mut Speaker) -> Opened {
    speaker.push(Output::ShutdownWrite);
    Opened::Failed
}

/// The request as it goes out.
fn miswritten(request: Vec<u8>, key: &str, nature: &Nature) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(&request).into_owned();
    let mut edit = |defect: Defect, from: &str, to: &str| {
        if nature.has(defect) {
            text = text.replacen(from, to, 1);
        }
    };
    let key_line = format!("Sec-WebSocket-Key: {key}\r\n");
    edit(Defect::SendsShortKey, key, "AQIDBAUGBwg=");
    edit(Defect::SendsKeyNoBase64, key, "this*is*not*base64*at*all");
    edit(Defect::SendsNoKey, &key_line, "");
    edit(Defect::SendsKeyTwice, &key_line, &format!("{key_line}{key_line}"));
    edit(Defect::SendsNoUpgrade, "Upgrade: websocket\r\n", "");
    edit(Defect::SendsNoConnection, "Connection: Upgrade\r\n", "");
    edit(Defect::SendsNoVersion, "Sec-WebSocket-Version: 13\r\n", "");
    edit(Defect::SendsVersion8, "Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 8\r\n");
    edit(Defect::SendsLowerCaseMethod, "GET ", "get ");
    edit(Defect::SendsPost, "GET ", "POST ");
    edit(Defect::SendsHttp10, " HTTP/1.1\r\n", " HTTP/1.0\r\n");
    edit(Defect::SendsBadSubprotocol, "\r\n\r\n", "\r\nSec-WebSocket-Protocol: super chat\r\n\r\n");
    if nature.has(Defect::SendsNoHost) {
        let host = text.find("Host: ").and_then(|at| Some(at..at + text[at..].find("\r\n")? + 2));
        if let Some(host) = host {
            text.replace_range(host, "");
        }
    }
    if nature.has(Defect::SendsBareLf) {
        text = text.replace("\r\n", "\n");
    }
    text.into_bytes()
}
