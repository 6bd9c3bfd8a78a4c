//! `--shard` and `--durations`: a part of the selection.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use wsgrade_cases::model::Role;
use wsgrade_reports::record::Shard;

use super::exit::Failure;
use super::gate::side;
use crate::plan::Plan;
use crate::shard::{Durations, Part};

/// Which part of the cases.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ShardArgs {
    /// Play only this part of the selected cases, as 2/3 for the second of three; `wsgrade report merge` puts the parts
    /// together
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<Shard>,

    /// Cut the parts by how long the cases took in this earlier run.json, or baseline with times; give it to all parts alike
    #[arg(long, value_name = "FILE", requires = "shard")]
    durations: Option<PathBuf>,
}

impl ShardArgs {
    /// What is to be played of a selection, and what is to be recorded of the rest.
    pub(super) fn cut(
        &self,
        selected: Vec<Arc<Plan>>,
        role: Role,
    ) -> Result<(Vec<Arc<Plan>>, Option<Part>), Failure> {
        let Some(shard) = self.shard else { return Ok((selected, None)) };
        let durations = match &self.durations {
            None => Durations::default(),
            Some(path) => Durations::of(&side(path)?, role).ok_or_else(|| {
                Failure::usage(format!(
                    "{}: no case of the role {role} has a time there; give a run.json, or write the baseline with --durations",
                    path.display()
                ))
            })?,
        };
        let all = selected.len();
        let (here, part) = Part::of(selected, role, shard, &durations);
        if here.is_empty() {
            let Shard { index, count } = shard;
            let cases = if all == 1 {
                "the one selected case".to_owned()
            } else {
                format!("the {all} selected cases")
            };
            return Err(Failure::usage(format!(
                "shard {index} of {count} has none of {cases}: cut them into fewer shards"
            )));
        }
        Ok((here, Some(part)))
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let numbers =
        text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
    match numbers {
        Some((index, count)) if (1..=count).contains(&index) && count <= Shard::MOST => {
            Ok(Shard { index, count })
        }
        Some((_, count)) if count > Shard::MOST => Err(format!("there are {} shards at most", Shard::MOST)),
        Some(_) | None => Err("a shard is written K/N, such as 1/3, 2/3 or 3/3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards() {
        assert_eq!(shard("1/1"), Ok(Shard { index: 1, count: 1 }));
        assert_eq!(shard("10/10000"), Ok(Shard { index: 10, count: 10_000 }));
        for text in ["", "1", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/3", "1/10001"] {
            assert!(shard(text).is_err(), "{text:?}");
        }
    }
}
