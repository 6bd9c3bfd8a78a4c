//! Spec files, as real projects have them.
//!
//! ```text
//! text ─ fields: JSON, places, types ─▶ read ─▶ Spec       fuzzingclient, fuzzingserver
//!                                       read_mass ─▶ Mass  massconnect
//! ```
//!
//! A value of a wrong type is an error that names its key; a key that is not known is a warning, for files outlive
//! the tools that read them. Keys that begin with `_` or `//` are comments.

mod fields;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use super::pattern::{AgentRule, CasePattern};
use fields::{Fields, Notes};

pub(super) use fields::{SpecError, nearest};

/// Larger files are not spec files.
const MAX_BYTES: u64 = 16 << 20;
/// More connections than this need more than one machine's ports.
const MAX_CONNECTIONS: u64 = 1_000_000;

/// What a fuzzing mode is told by its file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Spec {
    /// Where the reports go.
    pub(super) outdir: Option<String>,
    /// The servers to grade.
    pub(super) servers: Vec<Server>,
    /// Where to listen.
    pub(super) url: Option<String>,
    /// The port for plain HTTP; 0 for none.
    pub(super) webport: Option<u16>,
    /// The subprotocols that a fuzzing server speaks.
    pub(super) protocols: Vec<String>,
    /// The file of the TLS key.
    pub(super) key: Option<String>,
    /// The file of the TLS certificate.
    pub(super) cert: Option<String>,
    /// For every connection.
    pub(super) options: Options,
    /// Which cases; absent means all.
    pub(super) cases: Option<Vec<CasePattern>>,
    /// Which of them not.
    pub(super) exclude: Vec<CasePattern>,
    /// Which of them not for whom.
    pub(super) exclude_agent: Vec<AgentRule>,
}

/// A server to grade.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Server {
    pub(super) url: String,
    /// What the report calls it.
    pub(super) agent: Option<String>,
    pub(super) origin: Option<String>,
    pub(super) protocols: Vec<String>,
    /// The name that TLS asks for.
    pub(super) hostname: Option<String>,
    pub(super) options: Options,
}

/// What of the old tool's options means something to us.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Options {
    /// `openHandshakeTimeout`.
    pub(super) opening: Option<Duration>,
    /// `closeHandshakeTimeout`.
    pub(super) close: Option<Duration>,
}

/// What massconnect is told by its file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mass {
    /// How many connections to each server.
    pub(super) connections: usize,
    /// How many at once. At least 1.
    pub(super) batch: usize,
    /// Between batches.
    pub(super) batch_delay: Duration,
    /// Before a connection that failed is tried again.
    pub(super) retry_delay: Duration,
    /// Name and URL. Never empty.
    pub(super) servers: Vec<(String, String)>,
}

/// The text of a spec file.
pub(super) fn load(path: &Path) -> Result<String, SpecError> {
    let file = path.display().to_string();
    let unreadable = |reason: String| SpecError::Unreadable { file: file.clone(), reason };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(unreadable(format!("it has {size} bytes, and a spec file at most {MAX_BYTES}")));
    }
    std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))
}

/// Reads a spec file of a fuzzing mode; `file` is how it is named in messages. Gives the warnings beside it.
pub(super) fn read(file: &str, text: &str) -> Result<(Spec, Vec<String>), SpecError> {
    let root = fields::parse(file, text)?;
    let mut notes = Notes::new(file);
    let mut top = Fields::of(&root, String::new(), &mut notes)?;
    let spec = Spec {
        outdir: top.text("outdir")?,
        url: top.text("url")?,
        webport: top.number("webport", 0, u64::from(u16::MAX))?.and_then(|port| u16::try_from(port).ok()),
        protocols: top.texts("protocols")?.unwrap_or_default(),
        key: top.text("key")?,
        cert: top.text("cert")?,
        options: options(&mut top)?,
        servers: servers(&mut top)?,
        cases: patterns(&mut top, "cases")?,
        exclude: patterns(&mut top, "exclude-cases")?.unwrap_or_default(),
        exclude_agent: agent_rules(&mut top)?,
    };
    top.ignore("enable-ssl", "whether there is TLS is said by the URL: wss://");
    top.ignore("webdir", "the web port serves the reports");
    top.finish();
    Ok((spec, notes.into_list()))
}

/// Reads a spec file of massconnect.
pub(super) fn read_mass(file: &str, text: &str) -> Result<(Mass, Vec<String>), SpecError> {
    let root = fields::parse(file, text)?;
    let mut notes = Notes::new(file);
    let mut top = Fields::of(&root, String::new(), &mut notes)?;
    let options = top.object("options")?;
    let (mut connections, mut batch, mut batch_delay, mut retry_delay) = (None, None, None, None);
    if let Some((map, path)) = options {
        let mut options = top.inner(map, path)?;
        connections = options.number("connections", 1, MAX_CONNECTIONS)?;
        batch = options.number("batchsize", 1, MAX_CONNECTIONS)?;
        batch_delay = options.number("batchdelay", 0, 3_600_000)?;
        retry_delay = options.number("retrydelay", 0, 3_600_000)?;
        options.finish();
    }
    let mut servers = Vec::new();
    for (value, path) in top.list("servers")?.unwrap_or_default() {
        let mut server = top.inner(value, path.clone())?;
        let Some(uri) = server.text("uri")? else {
            return Err(server.missing("uri", "a URL such as ws://…"));
        };
        let name = server.text("name")?.unwrap_or_else(|| uri.clone());
        server.quiet("desc");
        server.finish();
        servers.push((name, uri));
    }
    if servers.is_empty() {
        return Err(top.missing("servers", "a list of servers, each with a `uri`"));
    }
    top.finish();
    let count = |number: Option<u64>, otherwise: usize| {
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(otherwise)
    };
    let mass = Mass {
        connections: count(connections, 1000),
        batch: count(batch, 100),
        batch_delay: Duration::from_millis(batch_delay.unwrap_or(10)),
        retry_delay: Duration::from_millis(retry_delay.unwrap_or(10)),
        servers,
    };
    Ok((mass, notes.into_list()))
}

fn servers(top: &mut Fields<'_, '_>) -> Result<Vec<Server>, SpecError> {
    let mut servers = Vec::new();
    for (value, path) in top.list("servers")?.unwrap_or_default() {
        let mut fields = top.inner(value, path)?;
        let Some(url) = fields.text("url")? else {
            return Err(fields.missing("url", "a URL such as ws://…"));
        };
        servers.push(Server {
            url,
            agent: fields.text("agent")?,
            origin: fields.text("origin")?,
            protocols: fields.texts("protocols")?.unwrap_or_default(),
            hostname: fields.text("hostname")?,
            options: options(&mut fields)?,
        });
        fields.finish();
    }
    Ok(servers)
}

/// Names of the old tool's options that mean nothing here: what they set is either what a case is about or a matter
/// of its own network layer.
const IDLE_OPTIONS: [&str; 22] = [
    "allowHixie76",
    "webStatus",
    "utf8validateIncoming",
    "maskServerFrames",
    "maskClientFrames",
    "requireMaskedClientFrames",
    "acceptMaskedServerFrames",
    "applyMask",
    "maxFramePayloadSize",
    "maxMessagePayloadSize",
    "autoFragmentSize",
    "echoCloseCodeReason",
    "serverConnectionDropTimeout",
    "tcpNoDelay",
    "logOctets",
    "logFrames",
    "versions",
    "perMessageCompressionOffers",
    "perMessageCompressionAccept",
    "autoPingInterval",
    "autoPingTimeout",
    "autoPingSize",
];

fn options(fields: &mut Fields<'_, '_>) -> Result<Options, SpecError> {
    let Some((map, path)) = fields.object("options")? else { return Ok(Options::default()) };
    let mut options = fields.inner(map, path)?;
    let read = Options {
        opening: options.seconds("openHandshakeTimeout")?,
        close: options.seconds("closeHandshakeTimeout")?,
    };
    if options.flag("failByDrop")? == Some(true) {
        options.warn(
            "failByDrop",
            "is ignored: a connection is failed with a Close frame, as RFC 6455 7.1.7 says",
        );
    }
    // The drafts from 13 on have the protocol version of the RFC, which is 13.
    if options.number("version", 0, u64::MAX)?.is_some_and(|version| !(13..=18).contains(&version)) {
        options.warn("version", "is ignored: version 13 of the protocol is spoken, that of RFC 6455");
    }
    for name in IDLE_OPTIONS {
        options.ignore(name, "it sets what a case itself decides, or what the old tool's network layer does");
    }
    options.finish();
    Ok(read)
}

fn patterns(fields: &mut Fields<'_, '_>, key: &'static str) -> Result<Option<Vec<CasePattern>>, SpecError> {
    Ok(fields.texts(key)?.map(|texts| texts.into_iter().map(CasePattern::new).collect()))
}

fn agent_rules(fields: &mut Fields<'_, '_>) -> Result<Vec<AgentRule>, SpecError> {
    let Some((map, path)) = fields.object("exclude-agent-cases")? else { return Ok(Vec::new()) };
    let entries = fields.inner(map, path)?.each_list_of_texts()?;
    Ok(entries.into_iter().map(|(agents, cases)| AgentRule { agents, cases }).collect())
}
