//! The checker over a stream.

use wsgrade_codec::Role;
use wsgrade_codec::check::{Checker, Item, Negotiated, Rule, Violation};
use wsgrade_codec::deflate::Params;
use wsgrade_codec::wire::FrameDecoder;

use crate::plan::{Input, Known};
use crate::split::splits;

/// The same items whatever the split; gives them.
pub(crate) fn holds(input: &Input) -> Vec<Item> {
    let expected = judge(input.sender, negotiated(input), input.cap, &[&input.wire]);
    if let Known::Items(described) = &input.known {
        assert_eq!(&expected, described, "a lawful conversation is judged");
    }
    for reads in splits(&input.wire) {
        assert_eq!(
            judge(input.sender, negotiated(input), input.cap, &reads),
            expected,
            "the reads were {reads:02x?}"
        );
    }
    expected
}

/// The first violation that a strict endpoint must not commit. That a server says 1010 is none where it answers with it: "the
/// endpoint typically echos the status code it received" (RFC 6455 5.5.1), and is only said to be of no use to it (7.4.1).
pub(crate) fn first_broken(items: &[Item]) -> Option<&Violation> {
    items.iter().find_map(|item| match item {
        Item::Violation(violation) if violation.rule != Rule::CloseCodeRole => Some(violation),
        Item::Violation(_)
        | Item::Message { .. }
        | Item::TooBig { .. }
        | Item::Ping(_)
        | Item::Pong(_)
        | Item::Close { .. } => None,
    })
}

/// What the checker finds in what `sender` sends.
pub(crate) fn judge(sender: Role, negotiated: Negotiated, cap: usize, reads: &[&[u8]]) -> Vec<Item> {
    let mut decoder = FrameDecoder::new();
    let mut checker = Checker::with_cap(sender, negotiated, cap);
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
