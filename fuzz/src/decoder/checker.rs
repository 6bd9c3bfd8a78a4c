//! The checker over a stream.

use wsgrade_codec::check::{Checker, Item, Negotiated, Rule, Violation};
use wsgrade_codec::deflate::Params;
use wsgrade_codec::wire::{FrameDecoder, Opcode};
use wsgrade_codec::{Kind, Role};

use crate::plain::{self, Frames};
use crate::plan::{Input, Known};
use crate::split::splits;

/// The same items whatever the split; gives them.
pub(crate) fn holds(input: &Input) -> Vec<Item> {
    let expected = judge(input.sender, negotiated(input), input.cap, &[&input.wire]);
    expected.iter().for_each(is_cited);
    knows_what_is_unfinished(input);
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
    let mut closed = false;
    for read in reads {
        decoder.push(read);
        for piece in decoder.by_ref() {
            checker.push(piece);
            let start = items.len();
            items.extend(checker.by_ref());
            closed |= items[start..].iter().any(is_close);
            assert_eq!(checker.is_closed(), closed);
        }
    }
    items
}

fn is_close(item: &Item) -> bool {
    match item {
        Item::Close { .. } => true,
        Item::TooBig { opcode, received: _ } => *opcode == Opcode::CLOSE,
        Item::Violation(_) | Item::Message { .. } | Item::Ping(_) | Item::Pong(_) => false,
    }
}

/// A message is unfinished from its first frame to the end of its last.
fn knows_what_is_unfinished(input: &Input) {
    let mut checker = Checker::new(input.sender, negotiated(input));
    let mut decoder = FrameDecoder::new();
    decoder.push(&input.wire);
    decoder.for_each(|piece| checker.push(piece));
    let Frames { whole, open, rest: _ } = plain::read(&input.wire);
    let ended = whole.iter().map(|(header, _)| (header, header.fin));
    let frames = ended.chain(open.iter().map(|(header, _)| (header, false)));
    let unfinished = frames.fold(None, |before, (header, ends)| match (header.opcode, ends) {
        (0..=2, true) => None,
        (1, false) => Some(Kind::Text),
        (2, false) => Some(Kind::Binary),
        (_, _) => before,
    });
    assert_eq!(checker.in_message(), unfinished);
}

/// A violation names a sentence that there is, and says in one line what was seen and where the sentence stands.
fn is_cited(item: &Item) {
    let Item::Violation(violation) = item else { return };
    let Violation { rule, detail } = violation;
    assert_eq!(Rule::from_id(&rule.to_string()), Some(*rule));
    let prefix = format!("{}-{}-", rule.source().replace(' ', "").to_lowercase(), rule.section());
    assert!(rule.id().starts_with(&prefix) && rule.sentence().ends_with('.'), "{rule:?}");
    assert!(["MUST", "MUST NOT", "NOTE"].contains(&rule.level()), "{rule:?}");
    let line = violation.to_string();
    assert!(
        line.starts_with(detail.as_str()) && line.contains(rule.section()) && !line.contains('\n'),
        "{line}"
    );
}

pub(crate) fn negotiated(input: &Input) -> Negotiated {
    Negotiated { deflate: input.deflate.then(Params::default) }
}
