//! A server with one defect, to start with `wsgrade test --spawn`: `deviant --port PORT --defect NAME`. The names are those
//! of `reference-server --list-defects` (feature `defects`), and `none`.

use wsgrade_reference_server::deviant::{self, Defect};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (mut port, mut defect) = (0, None);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().unwrap_or_default();
        let wrong = || std::io::Error::other(format!("{name} {value}: not understood"));
        match name.as_str() {
            "--port" => port = value.parse().map_err(|_| wrong())?,
            "--defect" if value == "none" => {}
            "--defect" => defect = Some(value.parse::<Defect>().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    deviant::serve(listener, defect).await
}
