//! Against tokio-tungstenite, which was written by others: their client with our server, our client with their server.

mod support;

use futures_util::{SinkExt, StreamExt};
use support::{Running, patiently};
use tokio::net::TcpListener;
use tokio_tungstenite::{
    accept_async, accept_hdr_async, connect_async,
    tungstenite::{
        self, Message as Theirs,
        client::IntoClientRequest,
        handshake::server::{ErrorResponse, Request, Response},
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use wsgrade_reference_server::{
    Config, OriginPolicy,
    client::{self, ClientConfig, Received},
    codec::{close::CloseCode as Code, endpoint::Message},
};

#[tokio::test]
async fn their_client_our_server() {
    let mut server = Running::start(Config { subprotocols: vec!["echo".into()], ..Config::default() });
    let mut request = server.handle.url().into_client_request().unwrap();
    request.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("nothing, echo"));
    let (mut socket, response) = patiently(connect_async(request)).await.unwrap();
    assert_eq!("echo", response.headers()["Sec-WebSocket-Protocol"]);

    for message in [
        Theirs::text("hello"),
        Theirs::text(""),
        Theirs::binary(vec![0, 255]),
        Theirs::binary(vec![7; 3 << 20]),
        Theirs::text("ä".repeat(70_000)),
    ] {
        socket.send(message.clone()).await.unwrap();
        let answer = patiently(socket.next()).await.unwrap().unwrap();
        assert!(answer == message, "another message of {} bytes", answer.len());
    }
    socket.send(Theirs::Ping("now".into())).await.unwrap();
    assert_eq!(Theirs::Pong("now".into()), patiently(socket.next()).await.unwrap().unwrap());

    let goodbye = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    socket.close(Some(goodbye)).await.unwrap();
    let answer = patiently(socket.next()).await.unwrap().unwrap();
    assert!(matches!(answer, Theirs::Close(Some(CloseFrame { code: CloseCode::Normal, .. }))), "{answer}");
    assert!(patiently(socket.next()).await.is_none());
    drop(socket);
    assert_eq!("closed by peer with 1000", server.end().await);
}

#[tokio::test]
async fn their_client_is_told_why_it_is_refused() {
    let origins = OriginPolicy { allowed: Some(Vec::new()), allow_absent: true };
    let server = Running::start(Config { origins, ..Config::default() });
    let mut request = server.handle.url().into_client_request().unwrap();
    request.headers_mut().insert("Origin", HeaderValue::from_static("https://example.org"));
    match patiently(connect_async(request)).await {
        Err(tungstenite::Error::Http(response)) => assert_eq!(403, response.status().as_u16()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn their_client_hears_of_a_shutdown() {
    let server = Running::start(Config::default());
    let (mut socket, _) = patiently(connect_async(server.handle.url())).await.unwrap();
    let stopping = tokio::spawn(server.handle.shutdown());
    match patiently(socket.next()).await {
        Some(Ok(Theirs::Close(Some(CloseFrame { code: CloseCode::Away, .. })))) => {}
        other => panic!("{other:?}"),
    }
    assert!(patiently(socket.next()).await.is_none());
    drop(socket);
    patiently(stopping).await.unwrap();
}

/// Sends everything back until the client closes, for one connection.
async fn their_echo() -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(stream).await.unwrap();
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                socket.send(message).await.unwrap();
            }
        }
    });
    (url, task)
}

#[tokio::test]
async fn our_client_their_server() {
    let (url, server) = their_echo().await;
    let mut connection = patiently(client::connect(&url, ClientConfig::default())).await.unwrap();
    assert_eq!(None, connection.subprotocol());
    assert!(connection.deflate().is_none(), "tungstenite does not do it");
    for message in [
        Message::text("hello"),
        Message::text(""),
        Message::binary(vec![0, 255]),
        Message::binary(vec![7; 3 << 20]),
        Message::text("ä".repeat(70_000)),
    ] {
        connection.send(message.clone()).await.unwrap();
        match patiently(connection.recv()).await {
            Some(Received::Message(answer)) => assert!(answer == message),
            other => panic!("{other:?}"),
        }
    }
    connection.ping("now").await.unwrap();
    assert_eq!(Some(Received::Pong("now".into())), patiently(connection.recv()).await);
    let outcome = patiently(connection.close(Code::NORMAL, "bye")).await;
    assert!(outcome.is_clean(), "{outcome:?}");
    assert_eq!(Some(Code::NORMAL), outcome.received.and_then(|frame| frame.code));
    server.await.unwrap();
}

#[tokio::test]
async fn our_client_echoes_to_their_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        #[expect(clippy::result_large_err, reason = "the signature is theirs")]
        let choose = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
            assert_eq!("https://example.org", request.headers()["Origin"]);
            assert_eq!("yes", request.headers()["X-Test"]);
            response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static("b"));
            Ok(response)
        };
        let mut socket = accept_hdr_async(stream, choose).await.unwrap();
        for i in 0..100 {
            let message = Theirs::text(format!("message {i}"));
            socket.send(message.clone()).await.unwrap();
            assert_eq!(message, socket.next().await.unwrap().unwrap());
        }
        socket.close(Some(CloseFrame { code: CloseCode::Away, reason: "done".into() })).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    });
    let config = ClientConfig {
        origin: Some("https://example.org".into()),
        subprotocols: vec!["a".into(), "b".into()],
        headers: vec![("X-Test".into(), "yes".into())],
        ..ClientConfig::default()
    };
    let connection = patiently(client::connect(&url, config)).await.unwrap();
    assert_eq!(Some("b"), connection.subprotocol());
    let outcome = patiently(connection.echo()).await;
    assert!(outcome.is_clean(), "{outcome:?}");
    let close = outcome.received.unwrap();
    assert_eq!((Some(Code::GOING_AWAY), "done"), (close.code, close.reason.as_str()));
    server.await.unwrap();
}
