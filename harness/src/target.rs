//! What is under test: where it is and what it wants of every request.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use wsgrade_reference_server::client::Url;

use crate::carrier::{self, Trust, tls};
use crate::engine::{Request, Secret};

/// A server under test.
#[derive(Clone, Debug)]
pub struct Target {
    /// As the user wrote it.
    pub url: Url,
    /// Where it is played against.
    pub addr: SocketAddr,
    /// Where it may be instead: the other addresses of its name.
    pub others: Vec<SocketAddr>,
    /// The ordinary request to it.
    pub request: Request,
    /// How TLS is spoken to it, if it is.
    pub tls: Option<tls::Connector>,
}

/// What the user asked of every request.
#[derive(Clone, Debug, Default)]
pub struct RequestOptions {
    /// `--header`.
    pub headers: Vec<Header>,
    /// `--subprotocol`.
    pub subprotocols: Vec<String>,
    /// `--origin`.
    pub origin: Option<String>,
    /// `--host`.
    pub host: Option<String>,
    /// `--resolve`.
    pub resolve: Vec<Resolve>,
    /// `--ca`, `--insecure`.
    pub trust: Trust,
}

/// A header given by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What records show in place of the value, where that holds a secret. As long as the value.
    pub shown: Option<String>,
}

impl FromStr for Header {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) =
            text.split_once(':').ok_or_else(|| "a header is written `Name: value`".to_owned())?;
        let value = value.trim();
        if !wsgrade_codec::handshake::is_token(name) {
            return Err(format!("`{name}` is no header name"));
        }
        if value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err("a header's value has no control characters".to_owned());
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned(), shown: None })
    }
}

impl Header {
    /// The header as it is sent and as it is shown, where these differ.
    fn secret(&self) -> Option<Secret> {
        let line = |value: &str| format!("{}: {value}", self.name);
        Some(Secret { sent: line(&self.value), shown: line(self.shown.as_deref()?) })
    }
}

/// An address to use for a host instead of asking the resolver, as curl has it: `HOST:PORT:ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolve {
    /// The host it is for.
    pub host: String,
    /// The port it is for.
    pub port: u16,
    /// The address to use.
    pub address: IpAddr,
}

impl FromStr for Resolve {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "an address is given as `HOST:PORT:ADDRESS`, such as `example.com:80:127.0.0.1`";
        let mut parts = text.splitn(3, ':');
        let (Some(host), Some(port), Some(address)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form.to_owned());
        };
        let port = port.parse().map_err(|_| format!("`{port}` is no port: {form}"))?;
        let address = address
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .map_err(|_| format!("`{address}` is no IP address: {form}"))?;
        if host.is_empty() {
            return Err(format!("the host is missing: {form}"));
        }
        Ok(Self { host: host.to_owned(), port, address })
    }
}

/// Why a target cannot be addressed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The name has no address.
    #[error("cannot find the address of {host}: {reason}")]
    NoAddress {
        /// The host in the URL.
        host: String,
        /// What the resolver says.
        reason: String,
    },
    /// TLS cannot be spoken to it as the user asks.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
}

impl Target {
    /// Finds where a URL leads.
    pub async fn find(url: Url, options: &RequestOptions) -> Result<Self, TargetError> {
        let host = options.host.clone().unwrap_or_else(|| url.host_header());
        let tls = if url.is_secure() {
            let name = options.host.as_deref().map_or(url.host(), without_port);
            Some(tls::Connector::new(name, &options.trust)?)
        } else {
            None
        };
        let given = options
            .resolve
            .iter()
            .find(|entry| entry.port == url.port() && entry.host.eq_ignore_ascii_case(url.host()));
        let (addr, others) = match given {
            Some(entry) => (SocketAddr::new(entry.address, entry.port), Vec::new()),
            None => look_up(&url).await?,
        };
        let request = Request {
            host,
            target: url.resource().to_owned(),
            origin: options.origin.clone(),
            subprotocols: options.subprotocols.clone(),
            headers: options.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect(),
            secrets: options.headers.iter().filter_map(Header::secret).collect(),
        };
        Ok(Self { url, addr, others, request, tls })
    }

    /// What it is reached over, in the words of records.
    pub fn carrier(&self) -> &'static str {
        carrier::name(self.tls.as_ref())
    }

    /// Whether it is on this machine: only there are many connections at once a matter of course.
    pub fn is_local(&self) -> bool {
        self.addr.ip().to_canonical().is_loopback()
    }
}

/// The host in a `Host` header.
fn without_port(header: &str) -> &str {
    if let Some((address, _)) = header.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return address;
    }
    match header.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => header,
    }
}

/// Every address of the URL's host, the resolver's favourite first.
async fn look_up(url: &Url) -> Result<(SocketAddr, Vec<SocketAddr>), TargetError> {
    let none = |reason: String| TargetError::NoAddress { host: url.host().to_owned(), reason };
    let mut found =
        tokio::net::lookup_host((url.host(), url.port())).await.map_err(|error| none(error.to_string()))?;
    let first = found.next().ok_or_else(|| none("it has none".to_owned()))?;
    Ok((first, found.filter(|addr| *addr != first).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let header: Header = "X-Token:  a:b ".parse().unwrap();
        assert_eq!((header.name.as_str(), header.value.as_str()), ("X-Token", "a:b"));
        for text in ["X-Token", ": x", "A B: x", "A: x\r\nB: y"] {
            assert!(text.parse::<Header>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn resolve_entries() {
        let entry: Resolve = "example.com:80:127.0.0.1".parse().unwrap();
        assert_eq!(entry.address.to_string(), "127.0.0.1");
        let entry: Resolve = "example.com:80:[::1]".parse().unwrap();
        assert_eq!(entry.address.to_string(), "::1");
        for text in ["example.com", "example.com:80", "example.com:x:127.0.0.1", "a:1:b", ":1:127.0.0.1"] {
            assert!(text.parse::<Resolve>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn hosts_without_ports() {
        for (header, host) in [
            ("example.com", "example.com"),
            ("example.com:8443", "example.com"),
            ("[::1]:8443", "::1"),
            ("[::1]", "::1"),
            ("127.0.0.1:", "127.0.0.1"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(without_port(header), host);
        }
    }

    #[tokio::test]
    async fn a_given_address_is_used_and_the_host_stays() {
        let options = RequestOptions {
            resolve: vec!["Example.com:81:127.0.0.9".parse().unwrap()],
            ..Default::default()
        };
        let target = Target::find("ws://example.com:81/x".parse().unwrap(), &options).await.unwrap();
        assert_eq!(target.addr.to_string(), "127.0.0.9:81");
        assert_eq!(target.request.host, "example.com:81");
        assert_eq!(target.request.target, "/x");
        assert!(target.is_local());
        assert!(!Target { addr: "192.0.2.1:81".parse().unwrap(), ..target }.is_local());
    }
}
