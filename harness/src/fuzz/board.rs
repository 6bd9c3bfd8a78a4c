//! Who plays which number, and what came of it, taken note of in the order of the numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use wsgrade_cases::model::Scenario;

use super::corpus::Corpus;
use super::schedule::{Frozen, len_of, mix, round_of};

/// The numbers of a campaign.
pub(super) struct Board {
    state: Mutex<State>,
    /// A round is over, or all of it.
    changed: Notify,
}

/// A number to play.
pub(super) struct Turn {
    pub(super) number: u64,
    /// The corpus of its round.
    pub(super) corpus: Frozen,
}

struct State {
    corpus: Corpus,
    /// By round, the corpus that it draws on; those of rounds to come are not there yet.
    frozen: BTreeMap<u64, Frozen>,
    /// The first number that nobody has.
    next: u64,
    /// No number from this one on is played.
    end: u64,
    /// The first round that is not over, and its first number.
    open: (u64, u64),
    /// What came of numbers from there on; `None` where nothing can be said.
    results: HashMap<u64, Option<(u64, Arc<Scenario>)>>,
    /// How many were played.
    played: u64,
    trail: u64,
}

impl Board {
    pub(super) fn new(corpus: Corpus, runs: Option<u64>) -> Self {
        let given = corpus.freeze();
        let state = State {
            corpus,
            frozen: BTreeMap::from([(0, Arc::clone(&given)), (1, given)]),
            next: 0,
            end: runs.unwrap_or(u64::MAX),
            open: (0, 0),
            results: HashMap::new(),
            played: 0,
            trail: 0,
        };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    /// The next number, once the corpus that its round draws on is known; `None` when there is no more.
    pub(super) async fn take(&self) -> Option<Turn> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before we look, so that nothing is missed.
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                if state.next >= state.end {
                    return None;
                }
                if let Some(corpus) = state.frozen.get(&round_of(state.next)) {
                    let turn = Turn { number: state.next, corpus: Arc::clone(corpus) };
                    state.next += 1;
                    return Some(turn);
                }
            }
            changed.await;
        }
    }

    /// This behaviour was seen.
    pub(super) fn put(&self, number: u64, key: u64, scenario: &Arc<Scenario>) {
        self.settle(number, Some((key, Arc::clone(scenario))));
    }

    /// Nothing can be said of this number.
    pub(super) fn pass(&self, number: u64) {
        self.settle(number, None);
    }

    fn settle(&self, number: u64, result: Option<(u64, Arc<Scenario>)>) {
        let mut state = self.lock();
        state.played += u64::from(result.is_some());
        state.results.insert(number, result);
        if state.close_rounds() {
            drop(state);
            self.changed.notify_waiters();
        }
    }

    /// No more numbers are given.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.end = state.end.min(state.next);
        drop(state);
        self.changed.notify_waiters();
    }

    pub(super) fn played(&self) -> u64 {
        self.lock().played
    }

    pub(super) fn corpus_len(&self) -> usize {
        self.lock().corpus.len()
    }

    /// Takes note of what is left; gives the size of the corpus, how many behaviours were seen, and the trail.
    pub(super) fn finish(&self) -> (usize, usize, u64) {
        let mut state = self.lock();
        let mut left: Vec<u64> = state.results.keys().copied().collect();
        left.sort_unstable();
        left.iter().for_each(|number| state.commit(*number));
        (state.corpus.len(), state.corpus.behaviours(), state.trail)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether a round is over now; what it showed is what the round after the next draws on.
    fn close_rounds(&mut self) -> bool {
        let before = self.open;
        loop {
            let (round, first) = self.open;
            let len = len_of(round);
            let behind = first + len;
            // As many results as there are numbers: those of the round after it may be among them.
            if (self.results.len() as u64) < len
                || !(first..behind).all(|number| self.results.contains_key(&number))
            {
                return self.open != before;
            }
            (first..behind).for_each(|number| self.commit(number));
            self.frozen.remove(&round);
            self.frozen.insert(round + 2, self.corpus.freeze());
            self.open = (round + 1, behind);
        }
    }

    fn commit(&mut self, number: u64) {
        let Some(Some((key, scenario))) = self.results.remove(&number) else { return };
        self.trail = mix(self.trail ^ key, number);
        self.corpus.offer(key, &scenario);
    }
}

#[cfg(test)]
mod tests {
    use wsgrade_codec::Role;

    use super::*;
    use crate::generate::{Brief, generate};

    fn scenario() -> Arc<Scenario> {
        Arc::new(generate(&Brief { role: Role::Server, deflate: false, openings: false }, b"x"))
    }

    #[tokio::test]
    async fn a_round_draws_on_what_the_round_before_the_last_showed() {
        let board = Board::new(Corpus::default(), None);
        let one = scenario();
        let (first, second) = (len_of(0), len_of(1));
        for number in 0..first + second {
            let turn = board.take().await.unwrap();
            assert_eq!((turn.number, turn.corpus.len()), (number, 0));
        }
        // Round 2 waits for round 0, whatever came of round 1.
        board.put(first, 99, &one);
        for number in 1..first {
            board.put(number, number, &one);
        }
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), board.take());
        assert!(waits.await.is_err());
        board.pass(0);
        let turn = board.take().await.unwrap();
        assert_eq!((turn.number, turn.corpus.len() as u64), (first + second, first - 1));
    }

    #[tokio::test]
    async fn the_order_of_the_answers_is_of_no_matter() {
        let trail = |numbers: Vec<u64>| {
            let board = Board::new(Corpus::default(), None);
            numbers.iter().for_each(|number| board.put(*number, number % 7, &scenario()));
            board.finish()
        };
        let forth: Vec<u64> = (0..100).collect();
        let back: Vec<u64> = (0..100).rev().collect();
        assert_eq!(trail(forth.clone()), trail(back));
        assert_ne!(trail(forth), trail((0..99).collect()));
    }

    #[tokio::test]
    async fn there_is_an_end() {
        let board = Board::new(Corpus::default(), Some(2));
        assert!(board.take().await.is_some() && board.take().await.is_some() && board.take().await.is_none());
        let board = Board::new(Corpus::default(), None);
        board.close();
        assert!(board.take().await.is_none());
    }
}
