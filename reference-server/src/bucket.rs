//! A token bucket: so many events per second, with room for a burst.

use std::time::Duration;

use tokio::time::Instant;

/// How many messages one connection may send.
///
/// A connection starts with `burst` tokens, each message costs one, and `per_second` of them come back each
/// second until there are `burst` again. A message that finds no token ends the connection with Close 1008.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Tokens which come back in one second. At least 1.
    pub per_second: u32,
    /// The most tokens there can be: the number of messages which may come in one go. At least 1.
    pub burst: u32,
}

/// The state of one connection under a [`RateLimit`].
#[derive(Debug)]
pub(crate) struct TokenBucket {
    limit: RateLimit,
    /// In billionths of a token, so that a nanosecond at one message per second is not lost to rounding.
    /// `0 <= level <= burst * SCALE`.
    level: u64,
    filled_at: Instant,
}

const SCALE: u64 = 1_000_000_000;

impl TokenBucket {
    pub(crate) fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, level: u64::from(limit.burst) * SCALE, filled_at: now }
    }

    /// Takes one token; false if there is none.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.filled_at);
        self.filled_at = now;
        self.level = self.level.saturating_add(self.earned(elapsed)).min(u64::from(self.limit.burst) * SCALE);
        match self.level.checked_sub(SCALE) {
            Some(rest) => {
                self.level = rest;
                true
            }
            None => false,
        }
    }

    /// One token per second is one billionth of it per nanosecond, which is why no division is needed.
    fn earned(&self, elapsed: Duration) -> u64 {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        nanos.saturating_mul(u64::from(self.limit.per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(per_second: u32, burst: u32) -> (TokenBucket, Instant) {
        let now = Instant::now();
        (TokenBucket::new(RateLimit { per_second, burst }, now), now)
    }

    #[test]
    fn the_burst_is_served_and_not_one_more() {
        let (mut bucket, now) = bucket(1, 3);
        assert_eq!([true, true, true, false], [(); 4].map(|()| bucket.take(now)));
    }

    #[test]
    fn tokens_come_back_at_the_rate() {
        let (mut bucket, now) = bucket(10, 1);
        assert!(bucket.take(now));
        assert!(!bucket.take(now + Duration::from_millis(99)));
        assert!(bucket.take(now + Duration::from_millis(100)));
    }

    #[test]
    fn looking_often_does_not_lose_fractions() {
        let (mut bucket, now) = bucket(1, 1);
        assert!(bucket.take(now));
        let taken = (1..=1000u64).filter(|i| bucket.take(now + Duration::from_millis(*i))).count();
        assert_eq!(1, taken);
    }

    #[test]
    fn a_long_pause_earns_no_more_than_the_burst() {
        let (mut bucket, now) = bucket(u32::MAX, 2);
        let later = now + Duration::from_secs(1 << 30);
        assert_eq!([true, true, false], [(); 3].map(|()| bucket.take(later)));
    }
}
