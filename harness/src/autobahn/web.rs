//! Plain HTTP for browsers: the files of a report, or one page.

use std::io;
use std::net::SocketAddr;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use wsgrade_codec::handshake::{Limits, RequestHead, RequestReader, refuse};

use super::door;

/// Browsers served at once; more have to wait.
const MAX_CONNECTIONS: usize = 32;
/// How long a browser may take for its request, and again for the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Larger files are not served; a report's largest is far below.
const MAX_FILE: u64 = 64 << 20;

/// What there is to see.
pub(super) enum Site {
    /// The files of a folder, and no folders within.
    Reports(PathBuf),
    /// One page at `/`.
    Page(String),
}

/// Listens; the answers are given for as long as the returned future is polled.
pub(super) async fn serve(
    addr: SocketAddr,
    site: Site,
) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let site = Arc::new(site);
    let serve = move |stream| {
        let site = Arc::clone(&site);
        async move { answer(stream, &site).await }
    };
    Ok((addr, door::open(listener, MAX_CONNECTIONS, serve)))
}

async fn answer(mut stream: TcpStream, site: &Site) {
    let response = match timeout(PATIENCE, request(&mut stream)).await {
        Ok(Some(head)) => site.response(&head),
        Ok(None) => return,
        Err(_) => refuse(408, &[], "the request did not come in time"),
    };
    // A browser that does not take its answer is not waited for.
    let _ = timeout(PATIENCE, async {
        stream.write_all(&response).await?;
        stream.shutdown().await
    })
    .await;
}

async fn request(stream: &mut TcpStream) -> Option<RequestHead> {
    let mut reader = RequestReader::new(Limits::default());
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).await.ok().filter(|count| *count > 0)?;
        match reader.push(&buffer[..count]) {
            Ok(Some((head, _))) => return Some(head),
            Ok(None) => {}
            Err(_) => return None,
        }
    }
}

impl Site {
    fn response(&self, head: &RequestHead) -> Vec<u8> {
        if head.method != "GET" && head.method != "HEAD" {
            return refuse(405, &[("Allow", "GET, HEAD")], "only GET and HEAD are answered");
        }
        let path = head.target.split('?').next().unwrap_or_default();
        let found = match self {
            Self::Page(page) => {
                (path == "/").then(|| (page.clone().into_bytes(), "text/html; charset=utf-8"))
            }
            Self::Reports(dir) => file_of(dir, path).and_then(|file| read(&file)),
        };
        let Some((body, kind)) = found else {
            return refuse(404, &[], "there is no such page; reports are written when a client asks for it");
        };
        let mut response = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
             X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
            body.len()
        )
        .into_bytes();
        if head.method == "GET" {
            response.extend(body);
        }
        response
    }
}

/// The file that a path of a URL means. The old tool served its working folder at `/cwd/`, and links to reports in the
/// field go there.
fn file_of(dir: &Path, path: &str) -> Option<PathBuf> {
    let plain = |component: Component<'_>| match component {
        Component::Normal(name) => name.to_str().map(str::to_owned),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    };
    let folder: String = dir.components().filter_map(plain).map(|name| name + "/").collect();
    let path = path.strip_prefix('/')?;
    let name = path.strip_prefix("cwd/").and_then(|path| path.strip_prefix(folder.as_str())).unwrap_or(path);
    let name = if name.is_empty() { "index.html" } else { name };
    // Neither folders nor hidden files, and nothing that a file system might read otherwise than we do.
    let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (name.chars().all(harmless) && !name.starts_with('.')).then(|| dir.join(name))
}

fn read(file: &Path) -> Option<(Vec<u8>, &'static str)> {
    // A link in the folder may lead anywhere.
    let about = std::fs::symlink_metadata(file).ok()?;
    if !about.is_file() || about.len() > MAX_FILE {
        return None;
    }
    let kind = match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("css") => "text/css",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    };
    Some((std::fs::read(file).ok()?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(addr: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn the_files_of_a_folder_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let reports = dir.path().join("reports");
        std::fs::create_dir(&reports).unwrap();
        std::fs::write(dir.path().join("secret.json"), "secret").unwrap();
        for name in ["index.html", "index.json", ".hidden"] {
            std::fs::write(reports.join(name), name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path().join("secret.json"), reports.join("link.json")).unwrap();
        let (addr, serving) =
            serve("127.0.0.1:0".parse().unwrap(), Site::Reports(reports.clone())).await.unwrap();
        tokio::spawn(serving);
        let json = get(addr, "GET /index.json?x=1").await;
        assert!(json.starts_with("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"), "{json}");
        assert!(json.ends_with("\r\n\r\nindex.json"), "{json}");
        assert!(get(addr, "GET /").await.ends_with("index.html"));
        let old = format!("GET /cwd{}/index.json", reports.display());
        assert!(get(addr, &old).await.ends_with("\r\n\r\nindex.json"));
        assert!(get(addr, "HEAD /index.json").await.ends_with("\r\n\r\n"));
        for path in [
            "/../secret.json",
            "/%2e%2e/secret.json",
            "/.hidden",
            "/none",
            "/link.json",
            "/./index.json",
            "//",
        ] {
            let answer = get(addr, &format!("GET {path}")).await;
            assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        }
        assert!(get(addr, "POST /").await.starts_with("HTTP/1.1 405 "));
    }

    #[test]
    fn a_relative_folder_has_its_old_link() {
        let dir = Path::new("./reports/clients/");
        assert_eq!(file_of(dir, "/cwd/reports/clients/a.html"), Some(dir.join("a.html")));
        assert_eq!(file_of(dir, "/cwd/reports/clients/"), Some(dir.join("index.html")));
        assert_eq!(file_of(dir, "/cwd/Cargo.toml"), None);
    }
}
