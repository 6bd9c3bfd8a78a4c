//! An endpoint with one defect, to start with `--spawn`. As a server, for `wsgrade test`: `deviant --port PORT --defect NAME`;
//! as a client, for `wsgrade listen`: `deviant --url URL --agent NAME --defect NAME`. The names of the defects are those of
//! `reference-server --list-defects` (feature `defects`), and `none`.

use wsgrade_reference_server::client::Url;
use wsgrade_reference_server::deviant::{self, Defect};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let (mut port, mut url, mut agent, mut defect) = (0, None, "deviant".to_owned(), None);
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().unwrap_or_default();
        let wrong = || std::io::Error::other(format!("{name} {value}: not understood"));
        match name.as_str() {
            "--port" => port = value.parse().map_err(|_| wrong())?,
            "--url" => url = Some(value.parse::<Url>().map_err(|_| wrong())?),
            "--agent" => agent = value,
            "--defect" if value == "none" => {}
            "--defect" => defect = Some(value.parse::<Defect>().map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    if let Some(url) = url {
        let cases = deviant::play_cases(&url, &agent, defect).await.map_err(std::io::Error::other)?;
        println!("{cases} cases played");
        return Ok(());
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    deviant::serve(listener, defect).await
}
