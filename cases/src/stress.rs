//! What makes a case one of resilience.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::model::{HeaderEdit, Payload, Scenario};

/// How a case presses its peer, and what that may cost where the peer's process is known.
///
/// Such a case is played while no other is, beside a canary: a connection of its own that has to stay served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stress {
    /// How many connections play it. They play it at the same time, as far as the limits of the run allow.
    pub connections: NonZeroU32,
    /// The opening is played at once, twice and four times its size, and the time to the answer must not grow faster
    /// than the size does. What grows is every repeated payload in it.
    pub growth: bool,
    /// How much more memory the process may hold than before, in bytes, beyond twice what was sent to it.
    pub memory: Option<u64>,
    /// How much processor time it may take while the case is played.
    pub cpu: Option<Duration>,
    /// How many more files it may have open afterwards than before.
    pub files: Option<u32>,
    /// How many bytes the process may keep of each connection that is over. All of them are played four times, the first time to
    /// warm up; it keeps more if it does after each of the other three.
    pub kept: Option<u64>,
}

impl Default for Stress {
    fn default() -> Self {
        Self { connections: NonZeroU32::MIN, growth: false, memory: None, cpu: None, files: None, kept: None }
    }
}

impl Stress {
    /// Whether what the process takes is judged, which only those can see who may look at it.
    pub fn has_bounds(&self) -> bool {
        let Self { connections: _, growth: _, memory, cpu, files, kept } = self;
        memory.is_some() || cpu.is_some() || files.is_some() || kept.is_some()
    }
}

impl Scenario {
    /// The same case with every repeated payload of its opening so many times as long.
    pub fn grown(&self, factor: u32) -> Self {
        let mut scenario = self.clone();
        let opening = &mut scenario.opening;
        for edit in &mut opening.headers {
            match edit {
                HeaderEdit::Set(_, payload) | HeaderEdit::Add(_, payload) | HeaderEdit::Raw(payload) => {
                    grow(payload, factor);
                }
                HeaderEdit::Remove(_) => {}
            }
        }
        opening.raw.iter_mut().for_each(|raw| grow(raw, factor));
        scenario
    }

    /// Whether something in its opening grows.
    pub(crate) fn can_grow(&self) -> bool {
        self.grown(2).opening != self.opening
    }
}

fn grow(payload: &mut Payload, factor: u32) {
    match payload {
        Payload::Repeat { unit: _, len } => *len *= u64::from(factor),
        Payload::Join(parts) => parts.iter_mut().for_each(|part| grow(part, factor)),
        Payload::Close { code: _, reason } => grow(reason, factor),
        Payload::Text(_) | Payload::Hex(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ending, Saw};

    #[test]
    fn which_cases_are_about_what_the_process_takes() {
        assert!(!Stress { growth: true, ..Stress::default() }.has_bounds());
        let each = [
            Stress { memory: Some(0), ..Stress::default() },
            Stress { cpu: Some(Duration::ZERO), ..Stress::default() },
            Stress { files: Some(0), ..Stress::default() },
            Stress { kept: Some(0), ..Stress::default() },
        ];
        assert!(each.iter().all(Stress::has_bounds));
    }

    #[test]
    fn what_is_repeated_grows_and_nothing_else() {
        let mut scenario = Scenario::uncatalogued("a", Vec::new(), Saw::Anything, Ending::ordinary());
        assert!(!scenario.can_grow());
        let value = |len| {
            let spaces = Payload::Repeat { unit: b" ".to_vec(), len };
            Payload::Join(vec![Payload::Text("a".to_owned()), spaces, Payload::Text("b".to_owned())])
        };
        scenario.opening.headers = vec![HeaderEdit::Set("Origin".to_owned(), value(100))];
        assert!(scenario.can_grow());
        let four = scenario.grown(4);
        assert_eq!(four.opening.headers, [HeaderEdit::Set("Origin".to_owned(), value(400))]);
        assert_eq!(scenario.grown(1), scenario);
    }
}
