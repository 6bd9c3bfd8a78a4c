//! The opening handshake on the server's side.

use bytes::Bytes;
use wsgrade_codec::deflate::Params;
use wsgrade_codec::handshake::{
    Agreement, HeadError, Limits, Request, RequestError, RequestHead, RequestReader, accept_key, is_token,
    refuse,
};
use wsgrade_codec::wire::{Opcode, Rsv};

use super::defect::Nature;
use super::fields::{extensions_as_read, first_of, refuses, with, without};
use super::offers;
use super::proof;
use super::speak::{Output, Speaker};
use super::table::Defect;

/// A key that is one, to stand for one that is none while the rest is judged.
const SOME_KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// Where the opening handshake stands, behind each read.
#[derive(Debug)]
pub(super) enum Opened {
    /// More is to come.
    NotYet,
    /// It is over, and so is the connection.
    Failed,
    /// Frames follow.
    Open { agreed: Option<Params>, rest: Vec<u8> },
}

/// A server that waits for a request.
#[derive(Debug, Default)]
pub(super) struct Serving {
    reader: RequestReader,
    /// All that came.
    heard: Vec<u8>,
}

impl Serving {
    pub(super) fn take(&mut self, bytes: &[u8], speaker: &mut Speaker, nature: &Nature) -> Opened {
        let first = self.heard.is_empty();
        self.heard.extend_from_slice(bytes);
        if nature.has(Defect::QuadraticHead) {
            look_again(&self.heard, bytes.len());
        }
        let (head, rest) = match self.head(bytes, nature) {
            Ok(Some((head, rest))) => (head, rest),
            Ok(None) if first && nature.has(Defect::RefusesHeadInPieces) => {
                return refused(&bad("the request is not whole"), &[], speaker, nature);
            }
            Ok(None) => return Opened::NotYet,
            Err(error) => {
                let error = RequestError::from(error);
                return refused(&error.response(), &[], speaker, nature);
            }
        };
        let (request, response_key) = match judged(head.clone(), nature) {
            Ok(judged) => judged,
            Err(response) => return refused(&response, &rest, speaker, nature),
        };
        let (agreed, named) = offers::answer(&request.extensions, nature);
        let agreement = Agreement {
            subprotocol: subprotocol(&request.subprotocols, nature),
            extensions: named,
            headers: Vec::new(),
        };
        let Ok(response) = request.accept(&agreement) else {
            return refused(&bad("the answer cannot be sent"), &[], speaker, nature);
        };
        if nature.has(Defect::ResponseFramesFirst) {
            speaker.frame(Opcode::PING, true, Rsv::NONE, b"", nature);
        }
        let response = miswritten(response, &response_key, &request.subprotocols, nature);
        speaker.push(Output::Write(Bytes::from(response)));
        Opened::Open { agreed, rest }
    }

    /// The head, when it is whole, and what came behind it.
    fn head(&mut self, bytes: &[u8], nature: &Nature) -> Result<Option<(RequestHead, Vec<u8>)>, HeadError> {
        match self.reader.push(bytes) {
            Ok(read) => Ok(read.map(|(head, rest)| (head, rest.to_vec()))),
            Err(error @ (HeadError::TooLarge { .. } | HeadError::TooManyHeaders { .. })) => Err(error),
            Err(error @ HeadError::Syntax(_)) => self.lax_head(nature).ok_or(error).map(Some),
        }
    }

    /// A head that is no HTTP, as a lax parser reads it.
    fn lax_head(&self, nature: &Nature) -> Option<(RequestHead, Vec<u8>)> {
        let end = self.heard.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&self.heard[..end]).into_owned();
        let readings: [(Defect, Reading); 3] = [
            (Defect::TakesSpaceBeforeColon, closed_up),
            (Defect::TakesNulInHead, |head| head.replace('\0', "")),
            (Defect::TakesLineWithoutColon, fields_only),
        ];
        readings.into_iter().find_map(|(defect, read)| {
            let read = read(&head);
            if read == head || !nature.has(defect) {
                return None;
            }
            let head = RequestHead::parse(Bytes::from(read), &Limits::default()).ok()?;
            Some((head, self.heard[end..].to_vec()))
        })
    }
}

/// How a lax parser reads a head.
type Reading = fn(&str) -> String;

/// Looks for the end of the head from its beginning, at every third byte that is new: enough to take seconds of a head of
/// 16 KiB, and not minutes.
fn look_again(heard: &[u8], new: usize) {
    for end in (heard.len() - new..heard.len()).step_by(3) {
        std::hint::black_box(heard[..end].windows(4).filter(|four| *four == b"\r\n\r\n").count());
    }
}

fn closed_up(head: &str) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some((name, value)) if !name.starts_with("GET ") => format!("{}:{value}", name.trim_end()),
        Some(_) | None => line.to_owned(),
    };
    head.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

fn fields_only(head: &str) -> String {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let fields = lines.filter(|line| line.is_empty() || line.contains(':'));
    std::iter::once(first).chain(fields).collect::<Vec<_>>().join("\r\n")
}

fn bad(reason: &str) -> Vec<u8> {
    refuse(400, &[], reason)
}

/// The request, and the key that its answer proves; or the answer that refuses it.
fn judged(mut head: RequestHead, nature: &Nature) -> Result<(Request, String), Vec<u8>> {
    head.headers = extensions_as_read(&head.headers, nature);
    let headers = &head.headers;
    let key = headers.get("Sec-WebSocket-Key").map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    let other = headers.get("Cookie").or(headers.get("Authorization")).is_some();
    if other && nature.has(Defect::RefusesOtherFields) || refuses(headers, nature) {
        return Err(bad("this server is particular"));
    }
    let request = loop {
        match head.validate() {
            Ok(request) => break request,
            Err(error) => {
                if !mend(&mut head, &error, nature) {
                    return Err(error.response());
                }
            }
        }
    };
    let length = head.headers.all("Content-Length").any(|length| length != b"0");
    let body = length || head.headers.get("Transfer-Encoding").is_some();
    if body {
        return Err(bad("a request for a WebSocket has no body"));
    }
    if head.headers.all("Origin").count() > 1 {
        return Err(bad("there is more than one Origin field"));
    }
    let unknown = request.extensions.iter().any(|extension| extension.name != wsgrade_codec::deflate::NAME);
    let eight = request
        .extensions
        .iter()
        .flat_map(|extension| &extension.params)
        .any(|param| param.name == "server_max_window_bits" && param.value.as_deref() == Some("8"));
    if unknown && nature.has(Defect::RefusesUnknownExtension) || eight && nature.has(Defect::RefusesWindow8) {
        return Err(bad("an extension that is not known here"));
    }
    Ok((request, key))
}

/// Makes a request proper where the endpoint does not see what is wrong with it.
fn mend(head: &mut RequestHead, error: &RequestError, nature: &Nature) -> bool {
    let headers = &head.headers;
    let set = |name: &'static str, value: &'static str| with(headers, name, value);
    let (defect, mended) = match error {
        RequestError::Head(_) => return false,
        RequestError::Method(_) => {
            let mends = nature.has(Defect::TakesAnyMethod);
            if mends {
                head.method = "GET".to_owned();
            }
            return mends;
        }
        RequestError::HttpVersion(_) => {
            let mends = nature.has(Defect::TakesHttp10);
            if mends {
                head.minor_version = 1;
            }
            return mends;
        }
        RequestError::Target(_) => {
            let mends = nature.has(Defect::TakesBadTarget);
            if mends {
                head.target = "/".to_owned();
            }
            return mends;
        }
        RequestError::NoHost => (Defect::TakesNoHost, set("Host", "none")),
        RequestError::Host if headers.all("Host").count() > 1 => {
            (Defect::TakesTwoHosts, first_of(headers, "Host"))
        }
        RequestError::Host => (Defect::TakesBadHost, set("Host", "none")),
        RequestError::NoUpgrade => (Defect::TakesNoUpgrade, set("Upgrade", "websocket")),
        RequestError::Upgrade => (Defect::TakesOtherUpgrade, set("Upgrade", "websocket")),
        RequestError::Connection => (Defect::TakesNoConnection, set("Connection", "Upgrade")),
        RequestError::NoKey => (Defect::TakesNoKey, set("Sec-WebSocket-Key", SOME_KEY)),
        RequestError::SeveralKeys => (Defect::TakesTwoKeys, first_of(headers, "Sec-WebSocket-Key")),
        RequestError::Key => {
            let key = headers.get("Sec-WebSocket-Key").unwrap_or_default();
            (bad_key(key), set("Sec-WebSocket-Key", SOME_KEY))
        }
        RequestError::NoVersion => (Defect::TakesNoVersion, set("Sec-WebSocket-Version", "13")),
        RequestError::SeveralVersions => (Defect::TakesTwoVersions, set("Sec-WebSocket-Version", "13")),
        RequestError::Version(version) => (bad_version(version), set("Sec-WebSocket-Version", "13")),
        RequestError::Subprotocols(_) => {
            (Defect::TakesBadSubprotocols, without(headers, "Sec-WebSocket-Protocol"))
        }
        RequestError::SubprotocolTwice(_) | RequestError::Extensions(_) => return false,
    };
    let mends = nature.has(defect);
    if mends {
        head.headers = mended;
    }
    mends
}

/// What is wrong with a key that is not 16 bytes in base64.
fn bad_key(key: &[u8]) -> Defect {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    if !key.iter().all(base64) {
        Defect::TakesKeyNoBase64
    } else if key.len() < 24 {
        Defect::TakesShortKey
    } else {
        Defect::TakesLongKey
    }
}

/// What is wrong with a version that is not 13.
fn bad_version(version: &str) -> Defect {
    let plain = !version.starts_with('0') || version == "0";
    match version.parse::<u32>() {
        Ok(0..=12) if plain => Defect::TakesEarlierVersion,
        Ok(_) if plain && version.bytes().all(|byte| byte.is_ascii_digit()) => Defect::TakesLaterVersion,
        Err(_) if version.contains(',') => Defect::TakesVersionList,
        Ok(_) | Err(_) => Defect::TakesVersionNoNumber,
    }
}

/// Sends a refusal, and ends TCP.
fn refused(response: &[u8], rest: &[u8], speaker: &mut Speaker, nature: &Nature) -> Opened {
    let mut response = String::from_utf8_lossy(response).into_owned();
    if response.contains("Sec-WebSocket-Version") && nature.has(Defect::RefusesVersionMute) {
        response = response.replace("Sec-WebSocket-Version: 13\r\n", "");
    }
    if nature.has(Defect::RefusesWith200) {
        let (_, fields) = response.split_once("\r\n").unwrap_or_default();
        response = format!("HTTP/1.1 200 OK\r\n{fields}");
    }
    speaker.push(Output::Write(Bytes::from(response)));
    if nature.has(Defect::RefusesAndOpens) {
        return Opened::Open { agreed: None, rest: rest.to_vec() };
    }
    speaker.push(Output::ShutdownWrite);
    Opened::Failed
}

/// The subprotocol that is chosen. A strict one speaks none.
fn subprotocol(offered: &[String], nature: &Nature) -> Option<String> {
    let Some(first) = offered.first() else {
        return nature.has(Defect::SubprotocolUnasked).then(|| "chat".to_owned());
    };
    if nature.has(Defect::SubprotocolNotOffered) {
        return Some("not-offered".to_owned());
    }
    let upper = first.to_uppercase();
    (upper != *first && is_token(&upper) && nature.has(Defect::SubprotocolUpperCase)).then_some(upper)
}

/// The response as it goes out.
fn miswritten(response: Vec<u8>, key: &str, subprotocols: &[String], nature: &Nature) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(&response).into_owned();
    let mut edit = |defect: Defect, from: &str, to: &str| {
        if nature.has(defect) {
            text = text.replacen(from, to, 1);
        }
    };
    edit(Defect::ResponseStatus200, "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 200 OK");
    edit(Defect::ResponseStatus100, "HTTP/1.1 101 Switching Protocols", "HTTP/1.1 100 Continue");
    edit(Defect::ResponseHttp10, "HTTP/1.1 ", "HTTP/1.0 ");
    edit(Defect::ResponseWithoutUpgrade, "Upgrade: websocket\r\n", "");
    edit(Defect::ResponseWithOtherUpgrade, "Upgrade: websocket\r\n", "Upgrade: WebSockets\r\n");
    edit(Defect::ResponseWithoutConnection, "Connection: Upgrade\r\n", "");
    edit(Defect::ResponseWithKeepAlive, "Connection: Upgrade\r\n", "Connection: keep-alive\r\n");
    let list = subprotocols.join(", ");
    if let Some(first) = subprotocols.first() {
        let one = format!("\r\nSec-WebSocket-Protocol: {first}\r\n\r\n");
        edit(Defect::SubprotocolTwice, "\r\n\r\n", &format!("\r\nSec-WebSocket-Protocol: {first}{one}"));
        edit(Defect::SubprotocolList, "\r\n\r\n", &format!("\r\nSec-WebSocket-Protocol: {list}\r\n\r\n"));
    }
    // The key as it came, also where it is none.
    let lawful = accept_key(key);
    let sent = text.find("Sec-WebSocket-Accept: ").map(|at| at + "Sec-WebSocket-Accept: ".len());
    if let Some(at) = sent {
        let end = text[at..].find("\r\n").map_or(text.len(), |length| at + length);
        text.replace_range(at..end, &proof::misproved(&lawful, key, nature));
    }
    if nature.has(Defect::AcceptMissing) {
        text = text.replacen(&format!("Sec-WebSocket-Accept: {lawful}\r\n"), "", 1);
    }
    if nature.has(Defect::AcceptTwice) {
        text = text.replacen("\r\n\r\n", &format!("\r\nSec-WebSocket-Accept: {lawful}\r\n\r\n"), 1);
    }
    if nature.has(Defect::ResponseBareLf) {
        text = text.replace("\r\n", "\n");
    }
    text.into_bytes()
}
