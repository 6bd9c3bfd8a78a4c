//! A server and a client on sockets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};
use wsgrade_codec::endpoint::Message;
use wsgrade_codec::handshake::refuse;

use super::endpoint::{Deviant, Input};
use super::speak::Output;
use super::table::Defect;
use crate::client::{self, ClientConfig, Received, Url};

/// For the opening handshake.
const OPENING: Duration = Duration::from_secs(5);
/// Without a byte from the peer.
const IDLE: Duration = Duration::from_secs(60);
/// For the peer's end of TCP after ours.
const LINGER: Duration = Duration::from_secs(2);
/// How much is read at once, in bytes.
const READ: usize = 64 << 10;

/// Serves whoever connects, until the future is dropped.
///
/// # Errors
///
/// Where nobody can be accepted any more.
pub async fn serve(listener: TcpListener, defect: Option<Defect>) -> io::Result<()> {
    // Who reads one request after the other has one of these.
    let turn = Arc::new(Semaphore::new(1));
    loop {
        let (stream, _) = listener.accept().await?;
        // Fails only if the connection is dead already, which reading will tell.
        let _ = stream.set_nodelay(true);
        let turn = (defect == Some(Defect::OneRequestAtATime)).then(|| Arc::clone(&turn));
        tokio::spawn(async move {
            let turn = match turn {
                Some(turn) => turn.acquire_owned().await.ok(),
                None => None,
            };
            let mut nonce = [0; 8];
            // A server draws nothing from it but for the defects that mask.
            let _ = getrandom::fill(&mut nonce);
            drive(stream, Deviant::server(defect, u64::from_le_bytes(nonce)), defect, turn).await;
        });
    }
}

/// Plays all cases that a server of cases (`wsgrade listen`) has, as the loops of Autobahn|Testsuite do: asks how many
/// there are, plays each, and asks for the reports at the end. Gives how many there were.
///
/// # Errors
///
/// What kept it from playing, in a sentence.
pub async fn play_cases(url: &Url, agent: &str, defect: Option<Defect>) -> Result<u64, String> {
    let base = format!("ws://{}", url.host_header());
    let count = ask(&format!("{base}/getCaseCount")).await?.unwrap_or_default();
    let count: u64 = count.trim().parse().map_err(|_| {
        format!("{base}/getCaseCount answered {count:?} and no number; is it `wsgrade listen`?")
    })?;
    for case in 1..=count {
        let stream = TcpStream::connect((url.host(), url.port()))
            .await
            .map_err(|error| format!("cannot connect to {base} for case {case}: {error}"))?;
        let _ = stream.set_nodelay(true);
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(|error| format!("no random numbers: {error}"))?;
        let target = format!("/runCase?case={case}&agent={agent}");
        let deviant = Deviant::client(&url.host_header(), &target, defect, u64::from_le_bytes(nonce));
        drive(stream, deviant, defect, None).await;
    }
    ask(&format!("{base}/updateReports?agent={agent}")).await?;
    Ok(count)
}

/// What a call answers, asked by the strict client.
async fn ask(url: &str) -> Result<Option<String>, String> {
    let mut connection = client::connect(url, ClientConfig::default())
        .await
        .map_err(|error| format!("cannot ask {url}: {error}"))?;
    let mut answer = None;
    while let Some(received) = connection.recv().await {
        if let Received::Message(message) = received {
            answer = text(&message);
        }
    }
    Ok(answer)
}

fn text(message: &Message) -> Option<String> {
    std::str::from_utf8(message.payload()).ok().map(str::to_owned)
}

/// One connection, to its end. Until it is open it has its turn, if there are such.
async fn drive(
    mut stream: TcpStream,
    mut deviant: Deviant,
    defect: Option<Defect>,
    mut turn: Option<OwnedSemaphorePermit>,
) {
    let has = |other| defect == Some(other);
    let began = Instant::now();
    let mut pending = BytesMut::new();
    let mut buffer = vec![0; READ];
    let mut heard = began;
    let mut ended = false;
    loop {
        while let Some(output) = deviant.poll() {
            match output {
                Output::Write(bytes) => pending.extend_from_slice(&bytes),
                Output::ShutdownWrite => ended = true,
                Output::Reset => {
                    // What was said before is to arrive.
                    let _ = timeout(LINGER, stream.write_all(&pending)).await;
                    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
                    return;
                }
            }
        }
        if ended && pending.is_empty() {
            return linger(stream).await;
        }
        if deviant.is_opened() {
            turn.take();
        }
        // Who reads no answers is not read from.
        let reading = pending.is_empty();
        let until = match deviant.is_opened() {
            false => began + OPENING,
            true => heard + IDLE,
        };
        let (mut reader, mut writer) = stream.split();
        let read = tokio::select! {
            read = reader.read(&mut buffer), if reading => Some(read),
            written = writer.write(&pending), if !pending.is_empty() => match written {
                Ok(count) => {
                    pending.advance(count);
                    None
                }
                Err(error) => Some(Err(error)),
            },
            () = sleep_until(until) => {
                if !deviant.is_opened() {
                    let _ = timeout(LINGER, stream.write_all(&refuse(408, &[], "no request in time"))).await;
                }
                return;
            }
        };
        match read {
            None => {}
            Some(Ok(0)) => {
                if has(Defect::SpinsAfterHalfClose) && deviant.is_opened() {
                    return spin(stream).await;
                }
                deviant.handle(Input::EndOfStream);
                ended = true;
            }
            Some(Ok(count)) => {
                heard = Instant::now();
                deviant.handle(Input::Bytes(&buffer[..count]));
            }
            Some(Err(_)) => {
                if has(Defect::LeaksSocket) {
                    std::mem::forget(stream);
                }
                return;
            }
        }
    }
}

/// Ends our side of TCP, and waits for the peer to end its own, or our last words could be lost.
async fn linger(mut stream: TcpStream) {
    let drain = async {
        let mut scratch = vec![0; 16 << 10];
        if stream.shutdown().await.is_ok() {
            while let Ok(1..) = stream.read(&mut scratch).await {}
        }
    };
    let _ = timeout(LINGER, drain).await;
}

/// Looks again and again whether more comes behind the end.
async fn spin(mut stream: TcpStream) {
    let mut scratch = [0; 1];
    while let Ok(0) = stream.read(&mut scratch).await {
        tokio::task::yield_now().await;
    }
}
