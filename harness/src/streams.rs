//! Compressed messages, prepared once: streams that are equal for equal parameters are shared between cases, agents
//! and roles.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use wsgrade_cases::model::{Exchange, Payload, Source};
use wsgrade_codec::deflate::{Compressor, Params};
use wsgrade_codec::{Kind, Role};
use wsgrade_reports::record::PayloadInfo;

/// Every stream there is, as long as they fit into a number of bytes.
#[derive(Debug)]
pub struct Streams {
    budget: usize,
    /// How many bytes all streams hold together.
    held: Arc<AtomicUsize>,
    shelf: Mutex<Shelf>,
    /// What transcripts say of long payloads: the catalogue has few, and many cases send the same.
    described: Mutex<HashMap<Payload, PayloadInfo>>,
}

/// How hard messages are compressed: dynamic codes and far references, at little cost.
const LEVEL: u32 = 2;

/// Payloads shorter than this are described faster than looked up.
const WORTH_LOOKING_UP: u64 = 32 << 10;

#[derive(Debug, Default)]
struct Shelf {
    streams: HashMap<Key, Shelved>,
    /// How often a stream was asked for.
    asked: u64,
}

#[derive(Debug)]
struct Shelved {
    stream: Arc<Stream>,
    /// When it was last asked for.
    asked: u64,
}

/// What decides the bytes of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    kind: Kind,
    source: Source,
    size: u32,
    no_context_takeover: bool,
    window_bits: u8,
}

impl Default for Streams {
    /// With the default budget.
    fn default() -> Self {
        Self::with_budget(Self::DEFAULT_BUDGET)
    }
}

impl Streams {
    /// 512 MiB.
    pub const DEFAULT_BUDGET: usize = 512 << 20;

    /// Streams that hold no more than so many bytes, those in use aside.
    pub fn with_budget(budget: usize) -> Self {
        Self { budget, held: Arc::default(), shelf: Mutex::default(), described: Mutex::default() }
    }

    /// The messages of an exchange as `sender` compresses them under these parameters.
    pub fn of(&self, exchange: &Exchange, params: &Params, sender: Role) -> Arc<Stream> {
        let key = Key {
            kind: exchange.kind,
            source: exchange.source.clone(),
            size: exchange.size,
            no_context_takeover: params.no_context_takeover(sender),
            window_bits: params.window_bits(sender).get(),
        };
        let mut shelf = lock(&self.shelf);
        shelf.asked += 1;
        let asked = shelf.asked;
        let fresh =
            || Shelved { stream: Arc::new(Stream::new(params, sender, Arc::clone(&self.held))), asked };
        let shelved = shelf.streams.entry(key).or_insert_with(fresh);
        shelved.asked = asked;
        let stream = Arc::clone(&shelved.stream);
        self.make_room(&mut shelf);
        stream
    }

    /// Forgets what nobody uses, the longest unused first, until the rest fits.
    fn make_room(&self, shelf: &mut Shelf) {
        while self.held.load(Ordering::Relaxed) > self.budget {
            let unused = shelf.streams.iter().filter(|(_, shelved)| Arc::strong_count(&shelved.stream) == 1);
            let Some(key) = unused.min_by_key(|(_, shelved)| shelved.asked).map(|(key, _)| key.clone())
            else {
                return;
            };
            shelf.streams.remove(&key);
        }
    }

    /// What a transcript says of a payload whose bytes are these.
    pub fn describe(&self, payload: &Payload, bytes: &[u8]) -> PayloadInfo {
        if payload.len() < WORTH_LOOKING_UP {
            return PayloadInfo::of(bytes);
        }
        if let Some(info) = lock(&self.described).get(payload) {
            return info.clone();
        }
        let info = PayloadInfo::of(bytes);
        lock(&self.described).insert(payload.clone(), info.clone());
        info
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }
}

/// The compressed messages of one exchange, made as they are asked for.
#[derive(Debug)]
pub struct Stream {
    made: Mutex<Made>,
    held: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Made {
    compressor: Compressor,
    messages: Vec<Bytes>,
}

impl Stream {
    fn new(params: &Params, sender: Role, held: Arc<AtomicUsize>) -> Self {
        let compressor = Compressor::with_level(params, sender, LEVEL);
        Self { made: Mutex::new(Made { compressor, messages: Vec::new() }), held }
    }

    /// The payload of message `k` of the exchange the stream was asked for.
    ///
    /// Beyond the exchange's cycle the messages come again, and with them their bytes: what a message refers to lies
    /// in the messages before it, and these are the same as they were. The first of them have less before them than
    /// when they come again, and so refer to no more than there is.
    pub fn message(&self, exchange: &Exchange, k: u32) -> Bytes {
        let wanted = (k % exchange.cycle()) as usize;
        let mut made = lock(&self.made);
        while made.messages.len() <= wanted {
            let next = u32::try_from(made.messages.len()).expect("no longer than a cycle");
            let payload = Bytes::from(made.compressor.message(&exchange.message(next)));
            self.held.fetch_add(payload.len(), Ordering::Relaxed);
            made.messages.push(payload);
        }
        made.messages[wanted].clone()
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let made = self.made.get_mut().unwrap_or_else(PoisonError::into_inner);
        let held: usize = made.messages.iter().map(Bytes::len).sum();
        self.held.fetch_sub(held, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in there is whole at any time, whoever panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use wsgrade_cases::model::Corpus;
    use wsgrade_codec::deflate::{Decompressor, WindowBits};

    use super::*;

    fn exchange(size: u32, messages: u32) -> Exchange {
        Exchange {
            kind: Kind::Text,
            source: Source::Corpus(Corpus::Html),
            size,
            messages,
            compressed: true,
            fragment: None,
            timed: false,
        }
    }

    fn params(no_context_takeover: bool, bits: u8) -> Params {
        Params {
            client_no_context_takeover: no_context_takeover,
            client_max_window_bits: WindowBits::new(bits).unwrap(),
            ..Params::default()
        }
    }

    /// What the other side makes of a stream, message by message, also when messages come again.
    #[test]
    fn a_stream_is_inflated_to_its_messages_round_after_round() {
        for (no_context_takeover, bits) in [(false, 15), (false, 9), (true, 15), (true, 10)] {
            let params = params(no_context_takeover, bits);
            // Four messages a round; and many short ones, which refer far back.
            for exchange in [exchange(1 << 18, 11), exchange(1 << 14, 140)] {
                let stream = Streams::default().of(&exchange, &params, Role::Client);
                let mut inflate = Decompressor::new(&params, Role::Client, 8 << 20);
                for k in 0..exchange.messages {
                    inflate.push(&stream.message(&exchange, k)).unwrap();
                    let (_, message) = inflate.finish().unwrap();
                    assert!(message == *exchange.message(k), "message {k} of {params:?}");
                }
            }
        }
    }

    #[test]
    fn equal_parameters_share_a_stream_and_others_do_not() {
        let streams = Streams::default();
        let first = streams.of(&exchange(64, 3), &params(false, 15), Role::Client);
        // Neither how many messages there are nor how they are cut changes a message.
        let cut = Exchange { fragment: Some(7), ..exchange(64, 1000) };
        assert!(Arc::ptr_eq(&first, &streams.of(&cut, &params(false, 15), Role::Client)));
        // A server without limits sends what a client without limits does.
        assert!(Arc::ptr_eq(&first, &streams.of(&cut, &params(true, 9), Role::Server)));
        for other in [
            streams.of(&exchange(65, 3), &params(false, 15), Role::Client),
            streams.of(&exchange(64, 3), &params(true, 15), Role::Client),
            streams.of(&exchange(64, 3), &params(false, 9), Role::Client),
            streams.of(&Exchange { kind: Kind::Binary, ..exchange(64, 3) }, &params(false, 15), Role::Client),
        ] {
            assert!(!Arc::ptr_eq(&first, &other));
        }
    }

    #[test]
    fn the_budget_holds_for_what_nobody_uses() {
        let streams = Streams::with_budget(10_000);
        let held = |size| {
            let exchange = exchange(size, 10);
            let stream = streams.of(&exchange, &params(true, 15), Role::Client);
            (0..10).for_each(|k| drop(stream.message(&exchange, k)));
            stream
        };
        let used = held(8192);
        assert!(streams.held() > 10_000, "{}", streams.held());
        let unused = streams.held();
        drop(held(4096));
        assert!(streams.held() > unused);
        // Asking for another makes room: what is used stays.
        let exchange = exchange(16, 1);
        streams.of(&exchange, &params(true, 15), Role::Client);
        assert_eq!(streams.held(), unused);
        drop(used);
        streams.of(&exchange, &params(true, 15), Role::Client);
        assert_eq!(streams.held(), 0);
    }
}
