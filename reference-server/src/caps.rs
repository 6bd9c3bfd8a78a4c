//! How many connections there may be, in total and from one address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The most connections served at one time.
///
/// A connection counts from the moment it is accepted until its socket is dropped, its opening handshake and its
/// lingering close included. What is above a cap is answered with HTTP status 503 and closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionCaps {
    /// From all addresses together. Default: 10 000.
    pub total: usize,
    /// From one IP address (an IPv4 address written as IPv6 is the IPv4 address). Default: 1 000.
    pub per_address: usize,
}

impl Default for ConnectionCaps {
    fn default() -> Self {
        Self { total: 10_000, per_address: 1_000 }
    }
}

/// Which cap a connection ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Total,
    Address,
}

/// The book of who is connected.
#[derive(Debug)]
pub(crate) struct Census {
    caps: ConnectionCaps,
    open: AtomicUsize,
    /// An address is here as long as it has at least one connection, so the map is never larger than `caps.total`.
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Census {
    pub(crate) fn new(caps: ConnectionCaps) -> Arc<Self> {
        Arc::new(Self { caps, open: AtomicUsize::new(0), by_address: Mutex::default() })
    }

    /// A place for one connection, given back when the [`Seat`] is dropped.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let address = address.to_canonical();
        let mut by_address = self.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        // Only changed under the lock; an atomic so that it can be read without.
        if self.open.load(Ordering::Relaxed) >= self.caps.total {
            return Err(Full::Total);
        }
        let here = by_address.get(&address).copied().unwrap_or(0);
        if here >= self.caps.per_address {
            return Err(Full::Address);
        }
        by_address.insert(address, here + 1);
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Seat { census: Arc::clone(self), address })
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// The right to be connected.
#[derive(Debug)]
pub(crate) struct Seat {
    census: Arc<Census>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut by_address = self.census.by_address.lock().unwrap_or_else(PoisonError::into_inner);
        self.census.open.fetch_sub(1, Ordering::Relaxed);
        if let Some(here) = by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_total_holds_and_a_seat_comes_back() {
        let census = Census::new(ConnectionCaps { total: 2, per_address: 9 });
        let first = census.admit(address("10.0.0.1")).unwrap();
        let _second = census.admit(address("10.0.0.2")).unwrap();
        assert_eq!(Full::Total, census.admit(address("10.0.0.3")).unwrap_err());
        drop(first);
        assert!(census.admit(address("10.0.0.3")).is_ok());
    }

    #[test]
    fn one_address_does_not_take_the_places_of_another() {
        let census = Census::new(ConnectionCaps { total: 9, per_address: 1 });
        let seat = census.admit(address("10.0.0.1")).unwrap();
        assert_eq!(Full::Address, census.admit(address("::ffff:10.0.0.1")).unwrap_err());
        let _other = census.admit(address("10.0.0.2")).unwrap();
        drop(seat);
        assert!(census.admit(address("10.0.0.1")).is_ok());
    }

    #[test]
    fn the_book_forgets_who_left() {
        let census = Census::new(ConnectionCaps::default());
        drop(census.admit(address("10.0.0.1")).unwrap());
        assert_eq!(0, census.open());
        assert!(census.by_address.lock().unwrap().is_empty());
    }
}
