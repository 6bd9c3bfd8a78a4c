//! `[[target]]`.

use std::net::SocketAddr;
use std::str::FromStr as _;

use wsgrade_cases::form::{self, Fields, Node, Value};

use super::super::args::{RequestArgs, duration};
use super::super::spawn::Address;
use super::read::Reader;
use super::{Capability, ClientConfig, Config, ServerConfig};
use crate::carrier::tls;
use crate::target::{Header, Resolve};

/// What a server may have.
const SERVER: [&str; 15] = [
    "name",
    "role",
    "url",
    "spawn",
    "spawn-timeout",
    "headers",
    "subprotocols",
    "origin",
    "host",
    "resolve",
    "ca",
    "insecure",
    "prelude",
    "has",
    "without",
];

/// What a client may have.
const CLIENT: [&str; 6] = ["name", "role", "spawn", "listen", "cert", "key"];

#[derive(Clone, Copy)]
enum Role {
    Server,
    Client,
}

/// Reads all of them.
pub(super) fn read(reader: &mut Reader<'_>, root: &Fields<'_>, config: &mut Config) {
    let mut names: Vec<&str> = Vec::new();
    for node in root.list(&mut reader.problems, "target") {
        let Some(fields) = Fields::open(&mut reader.problems, node, "a target") else { continue };
        let words = [("server", Role::Server), ("client", Role::Client)];
        let role = fields.word(&mut reader.problems, "role", &words).unwrap_or(Role::Server);
        let fields = match role {
            Role::Server => fields.named("a server"),
            Role::Client => fields.named("a client"),
        };
        match role {
            Role::Server => {
                fields.refuse_others(&mut reader.problems, &SERVER);
                config.servers.extend(server(reader, &fields));
            }
            Role::Client => {
                fields.refuse_others(&mut reader.problems, &CLIENT);
                config.clients.extend(client(reader, &fields));
            }
        }
        if let Some(Node { value: Value::Text(name), at }) = fields.get("name") {
            if names.contains(&name.as_str()) {
                reader.problems.add(*at, format!("there is another target `{name}`"));
            }
            names.push(name);
        }
    }
}

fn name(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    let name = fields.need_text(&mut reader.problems, "name")?;
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        reader.problems.add(fields.get("name")?.at, "`name` is not one line of text");
        return None;
    }
    Some(name.to_owned())
}

fn server(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ServerConfig> {
    let name = name(reader, fields);
    let spawn = fields.text(&mut reader.problems, "spawn").map(str::to_owned);
    let url = reader.parsed(fields, "url", Address::from_str);
    if spawn.is_none() && !fields.has("url") {
        let help =
            "url = \"ws://…\" for a server that runs, spawn = \"./server --port {port}\" to have it started";
        reader.problems.add_with_help(fields.at, "a server with neither `url` nor `spawn`", help);
    }
    if let (None, Some(url)) = (&spawn, &url)
        && url.has_port()
    {
        reader.problems.add(fields.get("url")?.at, "`url` has {port}, which is only known with `spawn`");
    }
    let spawn_timeout = reader.parsed(fields, "spawn-timeout", duration);
    if let (None, Some(node)) = (&spawn, fields.get("spawn-timeout")) {
        reader.problems.add(node.at, "`spawn-timeout` without `spawn`");
    }
    let server = ServerConfig {
        name: String::new(),
        url,
        spawn,
        spawn_timeout,
        request: request(reader, fields),
        prelude: reader.path(fields, "prelude"),
        has: capabilities(reader, fields, "has"),
        without: capabilities(reader, fields, "without"),
    };
    if let Some(both) = server.has.iter().find(|one| server.without.contains(one)) {
        let message = format!("`has` and `without` both name \"{}\"", both.as_str());
        reader.problems.add(fields.get("without")?.at, message);
    }
    Some(ServerConfig { name: name?, ..server })
}

fn request(reader: &mut Reader<'_>, fields: &Fields<'_>) -> RequestArgs {
    let filled = |reader: &mut Reader<'_>, key: &str| {
        let text = fields.text(&mut reader.problems, key)?;
        let at = fields.get(key)?.at;
        Some(reader.filled(text, at)?.text)
    };
    let origin = filled(reader, "origin");
    let host = filled(reader, "host");
    let headers = each(reader, fields, "headers", |reader, text, at| {
        let filled = reader.filled(text, at)?;
        // What the environment has is no part of a message, nor of a record.
        let header = reader.taken("headers", text, at, Header::from_str(&filled.text))?;
        let shown = Header::from_str(&filled.shown).ok().map(|header| header.value);
        let shown = shown.filter(|shown| *shown != header.value);
        Some(Header { shown, ..header })
    });
    let resolve = each(reader, fields, "resolve", |reader, text, at| {
        reader.taken("resolve", text, at, Resolve::from_str(text))
    });
    let dir = reader.dir();
    let ca = each(reader, fields, "ca", |reader, text, at| {
        let path = dir.join(text);
        reader.taken("ca", text, at, tls::Roots::from_str(&path.display().to_string()))
    });
    let insecure = fields.bool(&mut reader.problems, "insecure").unwrap_or_default();
    if insecure && fields.has("ca") {
        reader.problems.add(fields.at, "`insecure` takes any certificate, so `ca` says nothing");
    }
    RequestArgs {
        headers,
        subprotocols: reader.texts(fields, "subprotocols"),
        origin,
        host,
        resolve,
        ca,
        insecure,
    }
}

/// What each string of a list is read as.
fn each<T>(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    read: impl Fn(&mut Reader<'_>, &str, usize) -> Option<T>,
) -> Vec<T> {
    let nodes = fields.list(&mut reader.problems, key);
    let mut all = Vec::new();
    for node in nodes {
        if let Some(text) = form::text(&mut reader.problems, key, node) {
            all.extend(read(reader, text, node.at));
        }
    }
    all
}

fn capabilities(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str) -> Vec<Capability> {
    let words = Capability::ALL.map(|value| (value.as_str(), value));
    let nodes = fields.list(&mut reader.problems, key);
    nodes.iter().filter_map(|node| form::word(&mut reader.problems, key, node, &words)).collect()
}

fn client(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<ClientConfig> {
    let name = name(reader, fields);
    let client = ClientConfig {
        name: String::new(),
        spawn: fields.text(&mut reader.problems, "spawn").map(str::to_owned),
        listen: reader.parsed(fields, "listen", |text| {
            SocketAddr::from_str(text).map_err(|_| "expected an address and a port, such as 127.0.0.1:9001")
        }),
        cert: reader.path(fields, "cert"),
        key: reader.path(fields, "key"),
    };
    for (one, other) in [("cert", "key"), ("key", "cert")] {
        if fields.has(one) && !fields.has(other) {
            reader.problems.add(fields.get(one)?.at, format!("`{one}` without `{other}`"));
        }
    }
    Some(ClientConfig { name: name?, ..client })
}
