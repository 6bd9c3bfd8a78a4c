//! The four codecs, each doing the same work through its own face.

use std::future::Future;
use std::hint::black_box;
use std::io::IoSlice;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, WebSocket};
use futures_util::{SinkExt, StreamExt};
use wsgrade_codec::endpoint::{Config, Endpoint, Event, Message};
use wsgrade_codec::{Kind, Role};

use crate::wire::Wire;

/// What is done with a number of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Receive them.
    Decode,
    /// Send them, and flush at the end.
    Encode,
    /// Receive each and send it back at once.
    Echo,
}

/// What a codec is to do.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) role: Role,
    pub(crate) kind: Kind,
    /// What it receives, over and over.
    pub(crate) wire: Vec<u8>,
    /// What it sends.
    pub(crate) payload: Bytes,
}

/// Does the work for this many messages.
pub(crate) type Run = Box<dyn FnMut(usize)>;

/// Sets a codec up for a job.
pub(crate) type Setup = fn(&Job) -> Run;

/// The names of the codecs, and how each is set up.
pub(crate) const CODECS: [(&str, Setup); 4] = [
    ("wsgrade-codec", ours),
    ("tungstenite", tungstenite),
    ("fastwebsockets", fastwebsockets),
    ("tokio-websockets", tokio_websockets),
];

/// The result of a future which never has to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

/// More than this in the queue is written; the others write at 8 KiB or 128 KiB, or each frame at once.
const FLUSH: usize = 8 << 10;

fn flush(endpoint: &mut Endpoint, wire: &mut Wire) {
    while endpoint.pending() > 0 {
        let mut slices = [IoSlice::new(&[]); 4];
        let filled = endpoint.io_slices(&mut slices);
        let count = wire.write_slices(&slices[..filled]);
        endpoint.advance(count);
    }
}

fn next_message(endpoint: &mut Endpoint, wire: &mut Wire) -> Message {
    loop {
        match endpoint.poll_event() {
            Some(Event::Message(message)) => return message,
            Some(event) => panic!("{event:?}"),
            None => wire.read_into(endpoint.read_buffer()),
        }
    }
}

fn ours(job: &Job) -> Run {
    let mut wire = Wire::new(job.wire.clone());
    let mut random = fastrand::Rng::with_seed(1);
    let mut endpoint = Endpoint::new(Config::new(job.role), move || random.u32(..).to_ne_bytes());
    match job.work {
        Work::Decode => Box::new(move |count| {
            for _ in 0..count {
                black_box(next_message(&mut endpoint, &mut wire));
            }
        }),
        Work::Encode => {
            let message = Message::new(job.kind, job.payload.clone()).unwrap();
            Box::new(move |count| {
                for _ in 0..count {
                    endpoint.send(message.clone()).unwrap();
                    if endpoint.pending() > FLUSH {
                        flush(&mut endpoint, &mut wire);
                    }
                }
                flush(&mut endpoint, &mut wire);
            })
        }
        Work::Echo => Box::new(move |count| {
            for _ in 0..count {
                let message = next_message(&mut endpoint, &mut wire);
                endpoint.send(message).unwrap();
                flush(&mut endpoint, &mut wire);
            }
        }),
    }
}

fn tungstenite(job: &Job) -> Run {
    use tungstenite::protocol::Role as TheirRole;
    use tungstenite::{Message, Utf8Bytes, WebSocket};
    let role = match job.role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let mut socket = WebSocket::from_raw_socket(Wire::new(job.wire.clone()), role, None);
    match job.work {
        Work::Decode => Box::new(move |count| {
            for _ in 0..count {
                black_box(socket.read().unwrap());
            }
        }),
        Work::Encode => {
            let message = match job.kind {
                Kind::Text => Message::Text(Utf8Bytes::try_from(job.payload.clone()).unwrap()),
                Kind::Binary => Message::Binary(job.payload.clone()),
            };
            Box::new(move |count| {
                for _ in 0..count {
                    socket.write(message.clone()).unwrap();
                }
                socket.flush().unwrap();
            })
        }
        Work::Echo => Box::new(move |count| {
            for _ in 0..count {
                let message = socket.read().unwrap();
                socket.send(message).unwrap();
            }
        }),
    }
}

fn fastwebsockets(job: &Job) -> Run {
    use fastwebsockets::Role as TheirRole;
    let role = match job.role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    };
    let socket = WebSocket::after_handshake(Wire::new(job.wire.clone()), role);
    let mut socket = FragmentCollector::new(socket);
    match job.work {
        Work::Decode => Box::new(move |count| {
            now(async {
                for _ in 0..count {
                    black_box(socket.read_frame().await.unwrap());
                }
            });
        }),
        Work::Encode => {
            let opcode = match job.kind {
                Kind::Text => OpCode::Text,
                Kind::Binary => OpCode::Binary,
            };
            // A payload that lives as long as the socket; the codec copies it where it has to.
            let payload: &'static [u8] = Box::leak(job.payload.to_vec().into_boxed_slice());
            Box::new(move |count| {
                now(async {
                    for _ in 0..count {
                        let frame = Frame::new(true, opcode, None, Payload::Borrowed(payload));
                        socket.write_frame(frame).await.unwrap();
                    }
                });
            })
        }
        Work::Echo => Box::new(move |count| {
            now(async {
                for _ in 0..count {
                    let frame = socket.read_frame().await.unwrap();
                    socket.write_frame(Frame::new(true, frame.opcode, None, frame.payload)).await.unwrap();
                }
            });
        }),
    }
}

fn tokio_websockets(job: &Job) -> Run {
    use tokio_websockets::{ClientBuilder, Message, ServerBuilder};
    let wire = Wire::new(job.wire.clone());
    let mut socket = match job.role {
        Role::Server => ServerBuilder::new().serve(wire),
        Role::Client => ClientBuilder::new().take_over(wire),
    };
    match job.work {
        Work::Decode => Box::new(move |count| {
            now(async {
                for _ in 0..count {
                    black_box(socket.next().await.unwrap().unwrap());
                }
            });
        }),
        Work::Encode => {
            let payload = job.payload.clone();
            let message = match job.kind {
                Kind::Text => Message::text(String::from_utf8(payload.to_vec()).unwrap()),
                Kind::Binary => Message::binary(payload),
            };
            Box::new(move |count| {
                now(async {
                    for _ in 0..count {
                        socket.feed(message.clone()).await.unwrap();
                    }
                    socket.flush().await.unwrap();
                });
            })
        }
        Work::Echo => Box::new(move |count| {
            now(async {
                for _ in 0..count {
                    let message = socket.next().await.unwrap().unwrap();
                    socket.send(message).await.unwrap();
                }
            });
        }),
    }
}
