//! How many connections a target that is not ours has to bear: at once, and in a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::target::Target;

/// Where every connection to a target passes. Targets on this machine have no limits unless told so.
#[derive(Clone, Debug, Default)]
pub struct Gate(Option<Arc<Bounds>>);

#[derive(Debug)]
struct Bounds {
    /// For targets on this machine as well.
    everywhere: bool,
    places: Arc<Semaphore>,
    /// Between the beginnings of two connections.
    apart: Duration,
    /// When the next one may begin.
    next: Mutex<Instant>,
}

/// A place for one connection, given back when this is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Gate {
    /// At most so many connections at once, and so many new ones in a second.
    pub fn bounded(at_once: u16, per_second: u16) -> Self {
        Self::of(at_once, per_second, false)
    }

    /// The same for targets on this machine too, as the user asks for it.
    pub fn bounded_everywhere(at_once: u16, per_second: u16) -> Self {
        Self::of(at_once, per_second, true)
    }

    fn of(at_once: u16, per_second: u16, everywhere: bool) -> Self {
        Self(Some(Arc::new(Bounds {
            everywhere,
            places: Arc::new(Semaphore::new(at_once.max(1).into())),
            apart: Duration::from_secs(1) / u32::from(per_second.max(1)),
            next: Mutex::new(Instant::now()),
        })))
    }

    /// Waits until one more connection may be made.
    pub async fn enter(&self, target: &Target) -> Place {
        match &self.0 {
            Some(bounds) if bounds.is_for(target) => bounds.enter().await,
            Some(_) | None => Place(None),
        }
    }

    /// How many connections at once a target is to bear, where there is a bound.
    pub fn at_once(&self, target: &Target) -> Option<usize> {
        let bounds = self.0.as_ref().filter(|bounds| bounds.is_for(target))?;
        Some(bounds.places.available_permits())
    }
}

impl Bounds {
    fn is_for(&self, target: &Target) -> bool {
        self.everywhere || !target.is_local()
    }

    async fn enter(&self) -> Place {
        // It fails only when closed, which nobody does.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let begin = {
            let mut next = self.next.lock().await;
            let begin = (*next).max(Instant::now());
            *next = begin + self.apart;
            begin
        };
        sleep_until(begin).await;
        Place(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn so_many_at_once_and_in_a_second() {
        let bounds = Gate::bounded(2, 10).0.unwrap();
        let began = Instant::now();
        let first = bounds.enter().await;
        let _second = bounds.enter().await;
        assert_eq!(began.elapsed().as_millis() / 10, 10, "a tenth of a second apart");
        let third = tokio::time::timeout(Duration::from_secs(60), bounds.enter());
        assert!(third.await.is_err(), "there is no third place");
        drop(first);
        bounds.enter().await;
    }

    #[tokio::test(start_paused = true)]
    async fn this_machine_has_no_limits() {
        let options = crate::target::RequestOptions::default();
        let local = Target::find("ws://127.0.0.1:1/".parse().unwrap(), &options).await.unwrap();
        let remote = Target { addr: "192.0.2.1:1".parse().unwrap(), ..local.clone() };
        let gate = Gate::bounded(1, 1);
        let began = Instant::now();
        let _places = [gate.enter(&local).await, gate.enter(&local).await, gate.enter(&remote).await];
        assert!(began.elapsed().is_zero());
        assert!(tokio::time::timeout(Duration::from_secs(60), gate.enter(&remote)).await.is_err());
        assert_eq!((gate.at_once(&local), gate.at_once(&remote)), (None, Some(0)));
        let everywhere = Gate::bounded_everywhere(1, 1);
        let _place = everywhere.enter(&local).await;
        assert_eq!(everywhere.at_once(&local), Some(0));
        let open = Gate::default();
        let _places = [open.enter(&remote).await, open.enter(&remote).await];
    }
}
