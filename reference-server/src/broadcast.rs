//! What one client says, to all of them.
//!
//! ```text
//! on_message ─▶ Broadcast::send ─┬─▶ queue of a member ─▶ its connection ─▶ TCP
//!                                └─▶ queue of a member …   (full: the connection closes with 1008)
//! ```
//!
//! A reader that is too slow is closed, and not kept with gaps: what it missed it could not know of.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use wsgrade_codec::endpoint::Message;

/// What a queued message costs beside its payload, so that a queue of empty ones has an end, too.
const OVERHEAD: usize = 64;

/// All who are to get what anybody sends. Cheap to clone; every clone is the same.
#[derive(Debug, Clone)]
pub struct Broadcast {
    /// How many bytes may wait for one member.
    queue: usize,
    members: Arc<Mutex<Members>>,
}

impl Default for Broadcast {
    /// A queue of 1 MiB for each member.
    fn default() -> Self {
        Self::new(1 << 20)
    }
}

#[derive(Debug, Default)]
struct Members {
    next: u64,
    queues: BTreeMap<u64, Queue>,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Message>,
    /// Of what waits, with what it costs. `bytes <= Broadcast::queue`, unless a single message is longer.
    bytes: usize,
    overflown: bool,
    news: Arc<Notify>,
}

impl Broadcast {
    /// With queues of so many bytes. A single message may be longer; then it is all that waits.
    #[must_use]
    pub fn new(queue: usize) -> Self {
        Self { queue, members: Arc::default() }
    }

    /// Sends a message to everybody who is connected. Never waits: who cannot take it has had its time.
    pub fn send(&self, message: &Message) {
        let cost = message.payload().len() + OVERHEAD;
        for queue in self.lock().queues.values_mut().filter(|queue| !queue.overflown) {
            if queue.waiting.is_empty() || queue.bytes.saturating_add(cost) <= self.queue {
                queue.waiting.push_back(message.clone());
                queue.bytes += cost;
            } else {
                queue.overflown = true;
                queue.waiting.clear();
                queue.bytes = 0;
            }
            queue.news.notify_one();
        }
    }

    /// How many are connected.
    #[must_use]
    pub fn members(&self) -> usize {
        self.lock().queues.len()
    }

    pub(crate) fn join(&self) -> Member {
        let news = Arc::new(Notify::new());
        let mut members = self.lock();
        let id = members.next;
        members.next += 1;
        let queue = Queue { waiting: VecDeque::new(), bytes: 0, overflown: false, news: Arc::clone(&news) };
        members.queues.insert(id, queue);
        drop(members);
        Member { id, broadcast: self.clone(), news }
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // Nothing panics while it holds the lock, and what is in there is whole at any time.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who is connected; leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Member {
    id: u64,
    broadcast: Broadcast,
    news: Arc<Notify>,
}

/// What waits for a member.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    Nothing,
    Message(Message),
    /// More came than it took.
    Overflow,
}

impl Member {
    /// To everybody, this member too.
    pub(crate) fn say(&self, message: &Message) {
        self.broadcast.send(message);
    }

    /// The next message, unless there is no room for one; an overflow is told in any case.
    pub(crate) fn take(&self, room: bool) -> Waiting {
        let mut members = self.broadcast.lock();
        let Some(queue) = members.queues.get_mut(&self.id) else { return Waiting::Nothing };
        if queue.overflown {
            return Waiting::Overflow;
        }
        match if room { queue.waiting.pop_front() } else { None } {
            Some(message) => {
                queue.bytes -= message.payload().len() + OVERHEAD;
                Waiting::Message(message)
            }
            None => Waiting::Nothing,
        }
    }

    /// Ready when something came since this was ready last. May be dropped and called again.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.broadcast.lock().queues.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Waiting {
        Waiting::Message(Message::text(text))
    }

    #[test]
    fn everybody_gets_everything_in_order() {
        let broadcast = Broadcast::default();
        let (one, two) = (broadcast.join(), broadcast.join());
        assert_eq!(broadcast.members(), 2);
        one.say(&Message::text("a"));
        two.say(&Message::text("b"));
        for member in [&one, &two] {
            assert_eq!(member.take(false), Waiting::Nothing);
            assert_eq!([member.take(true), member.take(true)], [text("a"), text("b")]);
            assert_eq!(member.take(true), Waiting::Nothing);
        }
        drop(one);
        assert_eq!(broadcast.members(), 1);
    }

    #[test]
    fn a_slow_member_overflows_alone_and_its_queue_is_freed() {
        let broadcast = Broadcast::new(2 * (10 + OVERHEAD));
        let (slow, quick) = (broadcast.join(), broadcast.join());
        for _ in 0..5 {
            broadcast.send(&Message::text("0123456789"));
            assert_eq!(quick.take(true), text("0123456789"));
        }
        assert_eq!((slow.take(false), slow.take(true)), (Waiting::Overflow, Waiting::Overflow));
        assert_eq!(broadcast.lock().queues[&slow.id].waiting.len(), 0);
        assert_eq!(quick.take(true), Waiting::Nothing);
    }

    #[test]
    fn empty_messages_cost_something_and_a_long_one_passes_alone() {
        let broadcast = Broadcast::new(3 * OVERHEAD);
        let member = broadcast.join();
        broadcast.send(&Message::text("x".repeat(1000)));
        assert_eq!(member.take(true), text(&"x".repeat(1000)));
        for _ in 0..3 {
            broadcast.send(&Message::text(""));
        }
        assert_eq!(member.take(false), Waiting::Nothing);
        broadcast.send(&Message::text(""));
        assert_eq!(member.take(false), Waiting::Overflow);
    }
}
