//! Clients on other people's codecs, each with the loop that its project drives Autobahn|Testsuite with.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{Error, Message};

/// tokio-tungstenite, after its `autobahn-client` example: how many cases, each of them as an echo, the reports.
pub(crate) fn tungstenite(base: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (mut socket, _) = connect_async(format!("{base}/getCaseCount")).await.expect("we listen");
        let answer = socket.next().await.expect("an answer").expect("a lawful answer");
        let count: u32 = answer.to_text().expect("text").parse().expect("a number");
        drop(socket);
        for case in 1..=count {
            let url = format!("{base}/runCase?case={case}&agent=Tungstenite");
            match echo(&url).await {
                // What a case is about: the connection was failed, or closed by us.
                Ok(())
                | Err(
                    Error::ConnectionClosed
                    | Error::Protocol(_)
                    | Error::Utf8(_)
                    | Error::Capacity(_)
                    | Error::AttackAttempt
                    | Error::Http(_)
                    | Error::HttpFormat(_)
                    | Error::Io(_),
                ) => {}
                Err(error) => panic!("case {case}: {error}"),
            }
        }
        let reports = format!("{base}/updateReports?agent=Tungstenite&shutdownOnComplete=true");
        let (mut socket, _) = connect_async(reports).await.expect("we listen");
        // The end of the call is the end of the connection.
        while let Some(Ok(_)) = socket.next().await {}
    });
}

async fn echo(url: &str) -> Result<(), Error> {
    let (mut socket, _) = connect_async(url).await?;
    while let Some(message) = socket.next().await {
        let message: Message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
}
