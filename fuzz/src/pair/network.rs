//! A network in virtual time: it delays, splits and joins, and loses what is under way when it is cut.

use std::collections::VecDeque;

/// One direction.
#[derive(Default)]
struct Way {
    /// What is under way, each with the time of its arrival; later ones arrive no earlier.
    under_way: VecDeque<(u64, Vec<u8>)>,
    /// When the last of it arrives.
    last: u64,
    /// When the end of TCP arrives.
    end: Option<u64>,
}

impl Way {
    fn arrived(&mut self, now: u64) -> Option<Vec<u8>> {
        let (at, _) = self.under_way.front()?;
        if *at > now {
            return None;
        }
        self.under_way.pop_front().map(|(_, bytes)| bytes)
    }
}

/// Both directions.
pub(super) struct Network {
    ways: [Way; 2],
    state: u64,
    /// The most that is written at once.
    most: usize,
}

impl Network {
    pub(super) fn new(seed: u16, most: u16) -> Self {
        Self {
            ways: [Way::default(), Way::default()],
            state: u64::from(seed),
            most: usize::from(most).max(16),
        }
    }

    /// Splitmix64: every seed will do, 0 as well.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// How much the next write takes: mostly all there is, sometimes a few bytes.
    pub(super) fn size(&mut self) -> usize {
        match self.random() % 8 {
            0 => self.most.min(1 + (self.random() % 7) as usize),
            1 | 2 => self.most,
            _ => usize::MAX,
        }
    }

    pub(super) fn carries(&mut self, from: usize, now: u64, bytes: Vec<u8>) {
        let delay = match self.random() % 4 {
            0 => 0,
            1 | 2 => self.random() % 4,
            _ => self.random() % 50,
        };
        let way = &mut self.ways[from];
        way.last = way.last.max(now + delay);
        way.under_way.push_back((way.last, bytes));
    }

    pub(super) fn ends(&mut self, from: usize, now: u64) {
        let way = &mut self.ways[from];
        way.last = way.last.max(now + 1);
        way.end.get_or_insert(way.last);
    }

    /// What arrives, joined or as it was written.
    pub(super) fn delivers(&mut self, from: usize, now: u64) -> Option<Vec<u8>> {
        let joined = self.random() & 1 == 0;
        let way = &mut self.ways[from];
        let mut bytes = way.arrived(now)?;
        while joined && let Some(more) = way.arrived(now) {
            bytes.extend(more);
        }
        Some(bytes)
    }

    pub(super) fn has_ended(&self, from: usize, now: u64) -> bool {
        let way = &self.ways[from];
        way.under_way.is_empty() && way.end.is_some_and(|end| end <= now)
    }

    pub(super) fn loses_everything(&mut self) {
        self.ways = [Way::default(), Way::default()];
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn bytes_arrive_late_and_joined_but_in_order() {
        for seed in 0..50 {
            let mut network = Network::new(seed, 100);
            for byte in 0..20 {
                network.carries(0, u64::from(byte), vec![byte]);
            }
            network.ends(0, 20);
            let (mut arrived, mut deliveries) = (Vec::new(), 0);
            for now in 0..200 {
                assert!(arrived.len() == 20 || !network.has_ended(0, now), "the end comes last");
                while let Some(bytes) = network.delivers(0, now) {
                    arrived.extend(bytes);
                    deliveries += 1;
                }
                assert!(arrived.len() as u64 <= now + 1, "nothing arrives before it was written");
            }
            assert_eq!(arrived, (0..20).collect::<Vec<u8>>());
            assert!(deliveries <= 20 && network.has_ended(0, 200) && !network.has_ended(1, 200));
        }
    }

    #[test]
    fn what_is_cut_is_lost() {
        let mut network = Network::new(1, 100);
        network.carries(1, 0, vec![1]);
        network.loses_everything();
        assert_eq!(network.delivers(1, 1000), None);
    }
}
