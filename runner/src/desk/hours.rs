//! Questions about where environments stood: `hours`, `on`.

use super::{Desk, DeskError};
use crate::domain::answer::Sight;
use crate::domain::environment::Environment;
use crate::domain::hours_on::{Hours, Month, Raised, RaisedNow, Stood, is_on, on_since, reached};
use crate::domain::ids::{EnvironmentName, Timestamp};
use crate::domain::refusal::Refusal;
use crate::domain::schedule::next_after;
use crate::ledger::runs;

/// How far `on` looks back for when an environment was raised: 31 days, in milliseconds.
const BACK_MS: i64 = 31 * 86_400_000;

/// Most raised environments of which everything is told.
const RAISED_MAX: usize = 40;

/// Most transitions that are looked at for one that lowers.
const TRANSITIONS_MAX: usize = 20;

impl Desk {
    /// The hours of a month, or of the present one, in each environment's zone: of one environment, or of all that somebody sees.
    ///
    /// # Errors
    /// [`DeskError::Refused`] for a month that has not begun, and for an environment that is not in the configuration.
    pub async fn hours(
        &self,
        only: Option<&EnvironmentName>,
        month: Option<Month>,
        sight: &Sight,
    ) -> Result<Vec<Hours>, DeskError> {
        let now = self.now().await?;
        let config = self.config();
        let seen = seen(config.all_known(), only, sight);
        if let (Some(name), true) = (only, seen.is_empty()) {
            let what = format!("{name} is not in the configuration");
            let why = "which of its levels count as on is written there";
            return Err(Refusal::refused(what, why).hint(format!("history {name}")).into());
        }
        let month_of = |environment: &Environment| month.unwrap_or_else(|| Month::at(now, environment.timetable.zone));
        let spans = || seen.iter().map(|environment| month_of(environment).span(environment.timetable.zone));
        let (from, to) = (spans().map(|(from, _)| from).min(), spans().map(|(_, to)| to).max());
        let (Some(from), Some(to)) = (from, to) else { return Ok(Vec::new()) };
        if let Some(month) = month.filter(|_| now <= from) {
            let what = format!("{} has not begun", month.in_words());
            let about = only.map_or("all", EnvironmentName::as_str);
            return Err(Refusal::refused(what, "hours are counted when they have passed")
                .hint(format!("hours {about}"))
                .into());
        }
        let mut deeds = runs::deeds(&self.store, only, from, to.min(now)).await?;
        let of = |environment: &&Environment| {
            let reaches = reached(deeds.remove(environment.name.as_str()).unwrap_or_default());
            Hours::of(environment, month_of(environment), &reaches, now)
        };
        Ok(seen.iter().filter_map(of).collect())
    }

    /// What is raised now, of what somebody sees.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn on(&self, sight: &Sight) -> Result<RaisedNow, DeskError> {
        let now = self.now().await?;
        let config = self.config();
        let seen = seen(config.all_known(), None, sight);
        let mut deeds = runs::deeds(&self.store, None, now.plus_ms(-BACK_MS), now.plus_ms(1)).await?;
        let mut found: Vec<(&Environment, (Timestamp, bool, _))> = seen
            .iter()
            .filter_map(|environment| {
                let reaches = reached(deeds.remove(environment.name.as_str()).unwrap_or_default());
                Some((*environment, on_since(environment, &reaches, now)?))
            })
            .collect();
        found.sort_by_key(|(environment, (since, ..))| (*since, environment.name.clone()));
        let more = found.len().saturating_sub(RAISED_MAX);
        found.truncate(RAISED_MAX);
        let mut raised = Vec::with_capacity(found.len());
        for (environment, (since, or_longer, reach)) in found {
            let run = runs::by_number(&self.store, reach.run).await?;
            raised.push(Raised {
                environment: environment.name.clone(),
                until: self.lowers_at(environment, now).await?,
                stood: reach.stood,
                since,
                or_longer,
                whose: reach.whose,
                run: reach.run,
                because: run.and_then(|run| run.request.because),
            });
        }
        Ok(RaisedNow { raised, more, of: seen.len() })
    }

    /// When an environment is to be lowered to where it does not count as on; `None` where nothing does that by itself.
    async fn lowers_at(&self, environment: &Environment, now: Timestamp) -> Result<Option<Timestamp>, DeskError> {
        let diary = self.diaries.seen(&self.store, &self.config(), environment, now).await?;
        let agenda = diary.agenda();
        let mut at = now;
        for _ in 0..TRANSITIONS_MAX {
            let Some(next) = next_after(&agenda, at) else { return Ok(None) };
            if !is_on(environment, &Stood::At(next.wanted.level.clone())) {
                return Ok(Some(next.at));
            }
            at = next.at;
        }
        Ok(None)
    }
}

/// Environments that somebody sees.
fn seen<'a>(
    all: impl Iterator<Item = &'a Environment>,
    only: Option<&EnvironmentName>,
    sight: &Sight,
) -> Vec<&'a Environment> {
    all.filter(|e| only.is_none_or(|only| *only == e.name) && sight.sees(e.name.as_str())).collect()
}
