//! The end of TCP, such that the peer gets to read our last words.

use std::{future::Future, time::Duration};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What is still read and thrown away before the socket is dropped, at the most.
const DRAINED_BYTES: usize = 64 << 20;

/// Ends our direction of TCP, then reads and discards until the peer ends its own, `time` is over, or `cut_off` is ready.
///
/// "the server MUST close the underlying TCP connection first" (RFC 6455, section 7.1.1): this does, by the FIN of the
/// shutdown. To drop the socket at once would be wrong: the kernel answers bytes which arrive at a closed socket, or
/// lie unread in it, with RST, and RST makes the peer's kernel throw away what the peer did not read yet, our Close
/// frame for instance. The RFC says so itself in 7.1.1 ("call shutdown() with SHUT_WR ... call recv() until ...").
///
/// Returns how many bytes were discarded.
pub(crate) async fn end_tcp<S>(stream: &mut S, time: Duration, cut_off: impl Future<Output = ()>) -> u64
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut discarded = 0;
    let drain = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut scratch = vec![0; 16 << 10];
        while let Ok(n @ 1..) = stream.read(&mut scratch).await {
            discarded += n;
            if discarded >= DRAINED_BYTES {
                return;
            }
        }
    };
    tokio::select! {
        () = drain => {}
        () = cut_off => {}
        () = tokio::time::sleep(time) => {}
    }
    discarded as u64
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ends_as_soon_as_the_peer_does() {
        let (mut ours, mut theirs) = tokio::io::duplex(16);
        let start = Instant::now();
        let peer = async {
            theirs.write_all(&[7; 1000]).await.unwrap();
            assert_eq!(0, theirs.read(&mut [0; 1]).await.unwrap(), "our direction is ended");
            drop(theirs);
        };
        let (discarded, ()) = tokio::join!(end_tcp(&mut ours, Duration::from_secs(9), pending()), peer);
        assert_eq!((1000, Duration::ZERO), (discarded, start.elapsed()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_stays_is_left_after_the_time() {
        let (mut ours, _theirs) = tokio::io::duplex(16);
        let start = Instant::now();
        end_tcp(&mut ours, Duration::from_secs(9), pending()).await;
        assert_eq!(9, start.elapsed().as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_stops_talking_is_left_after_the_time() {
        let (mut ours, mut theirs) = tokio::io::duplex(1024);
        let peer = async move {
            while theirs.write_all(&[7; 512]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let ending = async move {
            let start = Instant::now();
            end_tcp(&mut ours, Duration::from_secs(9), pending()).await;
            assert_eq!(9, start.elapsed().as_secs());
        };
        tokio::join!(peer, ending);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_grace_time_ends_it_too() {
        let (mut ours, _theirs) = tokio::io::duplex(16);
        let start = Instant::now();
        end_tcp(&mut ours, Duration::from_secs(9), tokio::time::sleep(Duration::from_secs(2))).await;
        assert_eq!(2, start.elapsed().as_secs());
    }
}
