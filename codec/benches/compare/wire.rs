//! A connection in memory: an endless supply of frames, and a sink that only counts.

use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Gives the same bytes over and over, never across their end in one read, and takes whatever is written.
pub(crate) struct Wire {
    bytes: Vec<u8>,
    at: usize,
    /// Counted, so that the writes cannot be left out.
    pub(crate) written: usize,
}

impl Wire {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0, written: 0 }
    }

    /// The next bytes, at most `limit`.
    fn next(&mut self, limit: usize) -> &[u8] {
        if self.at == self.bytes.len() {
            self.at = 0;
        }
        let start = self.at;
        self.at = self.bytes.len().min(start + limit);
        &self.bytes[start..self.at]
    }

    /// A read into the room that a buffer has, without filling it before.
    pub(crate) fn read_into(&mut self, buffer: &mut BytesMut) {
        let room = buffer.capacity() - buffer.len();
        buffer.extend_from_slice(self.next(room));
    }

    pub(crate) fn write_slices(&mut self, slices: &[IoSlice<'_>]) -> usize {
        let count = slices.iter().map(|slice| std::hint::black_box(slice).len()).sum();
        self.written += count;
        count
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len());
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.write_slices(&[IoSlice::new(bytes)]))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = self.get_mut().next(buffer.remaining());
        buffer.put_slice(bytes);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.get_mut().write_slices(&[IoSlice::new(bytes)])))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.get_mut().write_slices(slices)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
