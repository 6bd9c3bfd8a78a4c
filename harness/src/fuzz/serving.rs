//! Whether the target of a campaign still serves, and what is done when it does not, or takes too much.

use std::sync::atomic::Ordering;

use tokio::time::Instant;

use super::campaign::{Campaign, Told, lock};
use super::death;
use super::finding::{Finding, Kind, Origin};
use super::growth;
use super::lost;
use crate::spawn::Death;

/// After so many deaths of one kind of which no scenario is the cause alone nobody looks for it any more.
const AUTOPSIES: u32 = 5;

impl Campaign {
    /// A scenario had no answer.
    pub(super) async fn look_after(&self, upheavals: u64) {
        let _alone = self.alone.write().await;
        let began = Instant::now();
        if self.upheavals.load(Ordering::SeqCst) == upheavals && self.stop.borrow().is_none() {
            // What others have seen meanwhile says nothing.
            self.upheavals.fetch_add(1, Ordering::SeqCst);
            self.see_that_it_serves().await;
        }
        *lock(&self.apart) += began.elapsed();
    }

    pub(super) async fn see_that_it_serves(&self) {
        let place = &self.player.place;
        let reason = match place.serves().await {
            Ok(()) => return,
            Err(reason) => reason,
        };
        if place.is_spawned() && place.death().await.is_some() {
            self.bury().await;
            return;
        }
        if place.is_spawned() && self.start_anew(&format!("it is started again: {reason}")).await {
            return;
        }
        self.lost(&reason);
    }

    /// The target serves nobody any more, and we cannot start it again: writes down what it may have died of.
    pub(super) fn lost(&self, reason: &str) {
        let scenarios = self.last(self.at_work());
        let file = self.options.findings.join(lost::FILE);
        let origin = Origin { target: self.player.place.url(), seed: self.options.seed };
        let written = match lost::save(&scenarios, &file, &origin) {
            Ok(()) => format!(
                "; the last {} scenarios are in {}: start it again, and `{}` says whether it is one of them",
                scenarios.len(),
                file.display(),
                self.options.replay.of(&file)
            ),
            Err(error) => format!("; cannot write {}: {error}", file.display()),
        };
        self.end(format!(
            "the target stopped serving after {} scenarios: {reason}{written}",
            self.board.played()
        ));
    }

    /// The process is dead: finds out what it died of, and starts it again.
    pub(super) async fn bury(&self) {
        self.upheavals.fetch_add(1, Ordering::SeqCst);
        let Some(death) = self.player.place.death().await else { return };
        let kind = Kind::of_death(&death);
        let unsolved = {
            let mut known = lock(&self.known);
            let unknown =
                known.findings.iter().all(|finding| finding.kind != kind || finding.replayed.0 == 0);
            let looked = known.deaths.entry(kind.clone()).or_default();
            *looked += u32::from(unknown);
            unknown && *looked <= AUTOPSIES
        };
        if !self.start_anew(&format!("the process died with {}; it is started again", death.exit)).await {
            return;
        }
        if unsolved {
            self.autopsy(kind, &death).await;
            return;
        }
        let mut known = lock(&self.known);
        if let Some(finding) = known.findings.iter_mut().find(|finding| finding.kind == kind) {
            finding.seen += 1;
        }
    }

    /// Finds out which scenario it was, or tries again where an earlier death of the same kind did not tell.
    async fn autopsy(&self, kind: Kind, death: &Death) {
        let suspects = self.last(self.at_work());
        let found =
            death::investigate(&self.player, &kind, &suspects, self.options.seed, self.options.budget);
        let Some(cause) = found.await else {
            self.end("the process does not start again".to_owned());
            return;
        };
        let (file, replay) = self.file_of(&kind);
        let finding = cause.into_finding(kind, death, file, replay);
        self.keep_death(finding);
    }

    /// Keeps a finding in place of the one of its kind that did not know which scenario it was, unless this one knows no more.
    fn keep_death(&self, mut finding: Finding) {
        let place = lock(&self.known).findings.iter().position(|known| known.kind == finding.kind);
        let Some(place) = place else {
            self.keep(finding);
            return;
        };
        if finding.replayed.0 > 0 {
            self.write_down(&finding);
        }
        let known = &mut lock(&self.known).findings[place];
        if finding.replayed.0 == 0 {
            known.seen += 1;
        } else {
            finding.seen += known.seen;
            *known = finding;
        }
    }

    async fn start_anew(&self, why: &str) -> bool {
        self.tell(Told::Note(why.to_owned()));
        lock(&self.known).restarts += 1;
        match self.player.place.restart().await {
            Ok(()) => true,
            Err(error) => {
                self.end(format!("the target could not be started again: {error}"));
                false
            }
        }
    }

    /// The most memory that the process that we started has held.
    pub(super) fn peak(&self) -> Option<u64> {
        self.player.place.process_info()?.peak_rss_bytes
    }

    /// Looks at what the process takes while nobody plays, and finds out which scenario it grows with.
    pub(super) async fn look_at_process(&self, upheavals: u64) {
        let _alone = self.alone.write().await;
        let Some(growth) = &self.growth else { return };
        let (mut growth, began) = (growth.lock().await, Instant::now());
        if self.upheavals.load(Ordering::SeqCst) != upheavals {
            growth.start_anew();
        }
        // Others may have looked while we waited.
        let Some(watched) = self.player.place.watched().filter(|_| growth.is_due() || self.is_over()) else {
            return;
        };
        let grown = growth.look(watched, self.peak(), self.board.played()).await;
        let any = !grown.is_empty();
        for resource in grown {
            growth.looked_into(resource);
            self.tell(Told::Note(format!("the process {resource}; looking for the scenario")));
            let suspects = self.last(growth::SUSPECTS);
            let (player, seed, budget) = (&self.player, self.options.seed, self.options.budget);
            let culprit =
                growth::investigate(player, resource, &suspects, self.options.jobs, seed, budget).await;
            match culprit {
                Some(culprit) => {
                    let kind = Kind::Grew { what: resource };
                    let (file, replay) = self.file_of(&kind);
                    self.keep(culprit.into_finding(kind, file, replay));
                    // What else it seemed to be may have been the same.
                    break;
                }
                None => self.tell(Told::Note(format!(
                    "the process {resource}, but with none of the last {} scenarios alone",
                    suspects.len()
                ))),
            }
        }
        if any {
            // A fresh one serves now, or none.
            growth.start_anew();
            drop(growth);
            self.see_that_it_serves().await;
        }
        *lock(&self.apart) += began.elapsed();
    }
}
