//! Echo servers on other people's codecs, each as its own documentation writes one.

use std::future::Future;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// The port of a server that may have any.
pub(crate) const ANY_PORT: u16 = 0;

/// A running server; dropping it ends it with all its connections.
pub(crate) struct Server {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    runtime: Option<Runtime>,
}

impl Server {
    /// tokio-tungstenite, after its `autobahn-server` example.
    pub(crate) fn tungstenite(port: u16) -> Self {
        Self::start(port, |stream| async move {
            let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
            while let Some(Ok(message)) = socket.next().await {
                if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    }

    /// fastwebsockets behind hyper, after its `echo_server` example.
    pub(crate) fn fastwebsockets(port: u16) -> Self {
        Self::start(port, |stream| async move {
            let io = hyper_util::rt::TokioIo::new(stream);
            let http = hyper::server::conn::http1::Builder::new();
            // It ends in an error where the peer breaks HTTP; there is nobody to tell.
            let _ = http.serve_connection(io, service_fn(upgrade)).with_upgrades().await;
        })
    }

    /// tokio-websockets, after its `autobahn_server` example.
    pub(crate) fn tokio_websockets(port: u16) -> Self {
        Self::start(port, |stream| async move {
            let Ok((_request, mut socket)) = tokio_websockets::ServerBuilder::new().accept(stream).await
            else {
                return;
            };
            while let Some(Ok(message)) = socket.next().await {
                if (message.is_text() || message.is_binary()) && socket.send(message).await.is_err() {
                    return;
                }
            }
        })
    }

    /// The URL to grade.
    pub(crate) fn url(&self) -> String {
        format!("ws://{}/", self.addr)
    }

    fn start<F>(port: u16, serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let listener =
            runtime.block_on(TcpListener::bind(("127.0.0.1", port))).expect("loopback has this port free");
        let addr = listener.local_addr().expect("a bound listener has an address");
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { addr, runtime: Some(runtime) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn upgrade(
    mut request: Request<Incoming>,
) -> Result<Response<Empty<hyper::body::Bytes>>, fastwebsockets::WebSocketError> {
    let (response, upgraded) = fastwebsockets::upgrade::upgrade(&mut request)?;
    tokio::spawn(async move {
        // The error is the rule that the peer broke; the codec has answered it where it meant to.
        let _ = echo(upgraded).await;
    });
    Ok(response)
}

async fn echo(upgraded: fastwebsockets::upgrade::UpgradeFut) -> Result<(), fastwebsockets::WebSocketError> {
    use fastwebsockets::OpCode;

    let mut socket = fastwebsockets::FragmentCollector::new(upgraded.await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            OpCode::Continuation | OpCode::Ping | OpCode::Pong => {}
        }
    }
}
