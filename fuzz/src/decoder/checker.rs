//! The checker over a stream.

use wsgrade_codec::Role;
use wsgrade_codec::check::{Checker, Item, Negotiated};
use wsgrade_codec::deflate::Params;
use wsgrade_codec::wire::FrameDecoder;

use crate::plan::{Input, Known};
use crate::split::splits;

/// The same items whatever the split; gives them.
pub(crate) fn holds(input: &Input) -> Vec<Item> {
    let expected = judge(input.sender, input, &[&input.wire]);
    if let Known::Items(described) = &input.known {
        assert_eq!(&expected, described, "a lawful conversation is judged");
    }
    for reads in splits(&input.wire) {
        assert_eq!(judge(input.sender, input, &reads), expected, "the reads were {reads:02x?}");
    }
    expected
}

pub(crate) fn judge(sender: Role, input: &Input, reads: &[&[u8]]) -> Vec<Item> {
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::with_cap(sender, negotiated(input), input.cap);
    let mut items = Vec::new();
    for read in reads {
        decoder.push(read);
        for piece in decoder.by_ref() {
            checker.push(piece);
            items.extend(checker.by_ref());
        }
    }
    items
}

pub(crate) fn negotiated(input: &Input) -> Negotiated {
    Negotiated { deflate: input.deflate.then(Params::default) }
}
