//! Where a URL leads, and the one place where TLS begins.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use wsgrade_reference_server::client::Url;

use crate::carrier::tls::Acceptor;
use crate::cli::Failure;

/// What a server needs for TLS: both, or neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The file of the private key.
    pub(crate) key: Option<PathBuf>,
    /// The file of the certificate.
    pub(crate) cert: Option<PathBuf>,
}

/// What is known of an address before TLS is thought of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side<'a> {
    /// We grade what is there; TLS then asks for this name, if not for that of the URL.
    Grading(Option<&'a str>),
    /// The reference client connects, which speaks no TLS.
    Connecting,
    /// We listen; TLS then needs these files.
    Listening(&'a Identity),
}

/// Reads a URL for one side or the other. Every mode comes through here for each of its addresses.
pub(super) fn resolve(text: &str, side: Side<'_>) -> Result<Url, Failure> {
    let url: Url = text.parse().map_err(|error| Failure::usage(format!("{text}: {error}")))?;
    match (url.is_secure(), side) {
        (false, Side::Grading(Some(hostname))) => {
            super::warn(format!("hostname {hostname}: {url} is without TLS, and only TLS asks for a name"));
        }
        (false, Side::Listening(identity)) if identity.key.is_some() || identity.cert.is_some() => {
            super::warn(format!("key and cert: {url} is without TLS; write wss:// for one with it"));
        }
        (true, Side::Connecting) => {
            return Err(Failure::usage(format!(
                "{text}: the clients of this mode speak no TLS; of the modes that connect, fuzzingclient does"
            )));
        }
        (true, Side::Grading(_)) | (false, _) => {}
        (true, Side::Listening(identity)) => drop(identity.files(&url)?),
    }
    Ok(url)
}

impl Identity {
    /// The files.
    fn files(&self, url: &Url) -> Result<(&Path, &Path), Failure> {
        match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Ok((cert, key)),
            (None, _) | (_, None) => Err(Failure::usage(format!(
                "{url}: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file"
            ))),
        }
    }

    /// What a server at this URL speaks TLS with, if it is to.
    pub(super) fn acceptor(&self, url: &Url) -> Result<Option<Acceptor>, Failure> {
        if !url.is_secure() {
            return Ok(None);
        }
        let (cert, key) = self.files(url)?;
        Acceptor::from_pem_files(cert, key).map(Some).map_err(Failure::usage)
    }
}

/// Where to listen for a URL: its host's first IPv4 address, as the old tool did, or else its first.
pub(super) async fn to_listen_on(url: &Url) -> Result<SocketAddr, Failure> {
    let failed = |reason: String| {
        Failure::inconclusive(format!("{url}: cannot find the address of {}: {reason}", url.host()))
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host((url.host(), url.port()))
        .await
        .map_err(|error| failed(error.to_string()))?
        .collect();
    let first = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| failed("it has none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, side: Side<'_>) -> String {
        resolve(text, side).err().unwrap().to_string()
    }

    #[test]
    fn addresses() {
        let none = Identity::default();
        let some = Identity { key: Some("k".into()), cert: Some("c".into()) };
        for side in [
            Side::Grading(None),
            Side::Grading(Some("n")),
            Side::Connecting,
            Side::Listening(&none),
            Side::Listening(&some),
        ] {
            assert_eq!(resolve("ws://h:1/x", side).ok().unwrap().to_string(), "ws://h:1/x");
        }
        for side in [Side::Grading(None), Side::Grading(Some("n")), Side::Listening(&some)] {
            assert!(resolve("wss://h", side).ok().unwrap().is_secure());
        }
        let lines = [
            said("http://h", Side::Connecting),
            said("wss://h", Side::Connecting),
            said("wss://h", Side::Listening(&none)),
            said("wss://h", Side::Listening(&Identity { key: None, ..some.clone() })),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        http://h: the address must begin with ws:// or wss://
        wss://h: the clients of this mode speak no TLS; of the modes that connect, fuzzingclient does
        wss://h/: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file
        wss://h/: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file
        ");
    }

    #[tokio::test]
    async fn listening() {
        let at = async |text: &str| to_listen_on(&text.parse().unwrap()).await.ok().unwrap().to_string();
        assert_eq!(at("ws://127.0.0.1:9001").await, "127.0.0.1:9001");
        assert_eq!(at("ws://localhost:9001/x").await, "127.0.0.1:9001");
        assert_eq!(at("ws://[::1]:9001").await, "[::1]:9001");
    }
}
