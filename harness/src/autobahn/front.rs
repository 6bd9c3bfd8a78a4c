//! TLS in front of the reference server, which speaks none.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

use super::door;
use crate::carrier::tls::Acceptor;

/// Connections at once; more have to wait.
const MAX_CONNECTIONS: usize = 256;
/// How long a client may take for its TLS handshake.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes TLS at an address and hands what is in it to a server on this machine, for as long as the returned future is
/// polled.
pub(super) async fn serve(
    addr: SocketAddr,
    acceptor: Acceptor,
    inside: SocketAddr,
) -> io::Result<(SocketAddr, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let serve = move |stream| {
        let acceptor = acceptor.clone();
        async move { relay(stream, &acceptor, inside).await }
    };
    Ok((addr, door::open(listener, MAX_CONNECTIONS, serve)))
}

/// One connection. Whatever ends it ends it on both sides, and there is nobody to tell.
async fn relay(stream: TcpStream, acceptor: &Acceptor, inside: SocketAddr) {
    let Ok(mut outer) = acceptor.accept(stream, PATIENCE).await else { return };
    let Ok(mut inner) = TcpStream::connect(inside).await else { return };
    // Where it cannot be set, small writes are late, and nothing else.
    let _ = inner.set_nodelay(true);
    let _ = copy_bidirectional(&mut outer, &mut inner).await;
}
