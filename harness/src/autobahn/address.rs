//! Where a URL leads, and the one place where TLS begins.

use std::net::SocketAddr;
use std::path::PathBuf;

use wsgrade_reference_server::client::{Url, UrlError};

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
    /// We connect; TLS then asks for this name, if not for that of the URL.
    Connecting(Option<&'a str>),
    /// We listen; TLS then needs these files.
    Listening(&'a Identity),
}

/// Reads a URL for one side or the other. Every mode comes through here for each of its addresses, and the whole of
/// what was said of TLS comes with it: this is where `wss://` is to be connected.
pub(super) fn resolve(text: &str, side: Side<'_>) -> Result<Url, Failure> {
    let parsed: Result<Url, UrlError> = text.parse();
    match (parsed, side) {
        (Ok(url), Side::Connecting(None)) => Ok(url),
        (Ok(url), Side::Connecting(Some(hostname))) => {
            super::warn(format!("hostname {hostname}: {url} is without TLS, and only TLS asks for a name"));
            Ok(url)
        }
        (Ok(url), Side::Listening(Identity { key, cert })) => {
            if key.is_some() || cert.is_some() {
                super::warn(format!("key and cert: {url} is without TLS; write wss:// for one with it"));
            }
            Ok(url)
        }
        (Err(UrlError::Tls), Side::Listening(Identity { key: None, .. } | Identity { cert: None, .. })) => {
            Err(Failure::usage(format!(
                "{text}: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file"
            )))
        }
        (Err(error), Side::Connecting(_) | Side::Listening(_)) => {
            Err(Failure::usage(format!("{text}: {error}")))
        }
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
            Side::Connecting(None),
            Side::Connecting(Some("n")),
            Side::Listening(&none),
            Side::Listening(&some),
        ] {
            assert_eq!(resolve("ws://h:1/x", side).ok().unwrap().to_string(), "ws://h:1/x");
        }
        let lines = [
            said("http://h", Side::Connecting(None)),
            said("wss://h", Side::Connecting(Some("n"))),
            said("wss://h", Side::Listening(&none)),
            said("wss://h", Side::Listening(&Identity { key: None, ..some.clone() })),
            said("wss://h", Side::Listening(&some)),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        http://h: the address must begin with ws://
        wss://h: wss:// needs TLS, which is not built in
        wss://h: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file
        wss://h: a server with TLS needs --key and --cert, or `key` and `cert` in the spec file
        wss://h: wss:// needs TLS, which is not built in
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
