//! Scenarios and exchanges of every shape, for properties.

use quickcheck::{Arbitrary, Gen};
use wsgrade_cases::any::{self, Dice};
use wsgrade_cases::model::{Exchange, Scenario};

/// Any scenario that a case file can say.
#[derive(Clone, Debug)]
pub(crate) struct Any(pub(crate) Scenario);

impl Arbitrary for Any {
    fn arbitrary(g: &mut Gen) -> Self {
        Self(any::scenario(&mut Dice::new(&bytes(g))))
    }
}

/// Any exchange.
pub(crate) fn exchange(g: &mut Gen) -> Exchange {
    any::exchange(&mut Dice::new(&bytes(g)))
}

/// More than any scenario needs.
fn bytes(g: &mut Gen) -> Vec<u8> {
    (0..4096).map(|_| u8::arbitrary(g)).collect()
}
