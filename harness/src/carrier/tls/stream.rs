//! A connection under TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::NAME;
use crate::carrier::Link;

/// A stream under TLS. A peer that ends the transport without TLS's own goodbye (`close_notify`) has ended the stream:
/// whether a connection was closed as it should is told by WebSocket's Close frame, and many peers never send the other.
#[derive(Debug)]
pub struct Stream<S>(TlsStream<S>);

impl<S> Stream<S> {
    pub(super) fn new(stream: impl Into<TlsStream<S>>) -> Self {
        Self(stream.into())
    }
}

impl<S: Link> Link for Stream<S> {
    const CARRIER: &'static str = NAME;

    fn reset_when_dropped(&self) {
        self.0.get_ref().0.reset_when_dropped();
    }

    fn server_name(&self) -> Option<Option<&str>> {
        match &self.0 {
            TlsStream::Server(stream) => Some(stream.get_ref().1.server_name()),
            TlsStream::Client(_) => None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(cx, buf) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => read,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
