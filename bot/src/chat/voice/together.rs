//! Environments of one channel that the clock turns at one moment are told in one message, edited while they are at work. What fails is
//! a new message all the same.

use tidegate_runner::desk::DeskError;
use tidegate_runner::desk::post::Subject;
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::schedule::Turn;

use super::channels::About;
use super::letter::{Extras, Rendered, Rest};
use super::scribe::Scribe;
use crate::cards::{self, Part};

/// For so many milliseconds after its run was accepted it is waited for others of the same moment.
const GATHER_MS: i64 = 2_000;

impl Scribe {
    /// Whether a run is told together with others, or may be in a moment.
    pub(in crate::chat) async fn gathers(&mut self, run: RunNumber) -> Result<bool, DeskError> {
        let desk = self.mouth.desk.clone();
        let Some(detail) = self.runs.get(&run).map(|followed| &followed.detail) else { return Ok(false) };
        if detail.run.asker.id != ActorId::clock() || desk.card(self.mouth.door(), run).await?.is_some() {
            return Ok(false);
        }
        let age_ms = desk.now().await?.ms_since(detail.run.accepted);
        let config = desk.config();
        let environment = config.environments.get(&detail.run.request.environment);
        let Some(named) = environment.and_then(|e| e.channel.in_chat(self.mouth.door())).map(str::to_owned) else {
            return Ok(false);
        };
        // Where it cannot be looked up, or is not there, that is said of the run's own card.
        let Ok(Some(channel)) = self.mouth.platform.channel(&named).await else { return Ok(false) };
        let Some(due) = desk.due_of(run).await? else { return Ok(false) };
        let subject = Subject::Other(format!("turn {} {channel}", due.0));
        if desk.card(self.mouth.door(), &subject).await?.is_none() {
            if self.members(due, &named).await?.len() < 2 {
                return Ok(age_ms < GATHER_MS);
            }
            let (rendered, _) = self.together(due, &named).await?;
            self.begin(&subject, &About::Turn { due, channel: named }, &channel, rendered, None).await?;
        }
        if let Some(row) = desk.card(self.mouth.door(), &subject).await? {
            desk.within(self.mouth.door(), run, &channel, &row).await?;
        }
        Ok(true)
    }

    /// Those that turned at this moment, and have no card of their own.
    async fn members(&self, due: Timestamp, named: &str) -> Result<Vec<(Turn, RunNumber)>, DeskError> {
        let desk = &self.mouth.desk;
        let config = desk.config();
        let mut members = Vec::new();
        for (environment, turn, run) in desk.due_together(due).await? {
            let channel = config
                .environments
                .get(&environment)
                .and_then(|environment| environment.channel.in_chat(self.mouth.door()));
            if channel == Some(named) && desk.card(self.mouth.door(), run).await?.is_none_or(|row| row.is_within()) {
                members.push((turn, run));
            }
        }
        Ok(members)
    }

    /// The message about all of them, and whether nothing more comes of any.
    pub(in crate::chat) async fn together(
        &mut self,
        due: Timestamp,
        named: &str,
    ) -> Result<(Rendered, bool), DeskError> {
        let members = self.members(due, named).await?;
        let mut parts = Vec::new();
        for (_, run) in &members {
            parts.push(self.part(*run).await?);
        }
        let turn = members.into_iter().next().map(|(turn, _)| turn);
        let over = parts.iter().all(Part::is_over);
        let card = turn.map_or_else(cards::together_no_more, |turn| cards::together(&turn, &parts));
        let rest = Rest::Typed("history".to_owned());
        Ok((self.mouth.platform.render(&card, &Extras { rest, ..Extras::default() }), over))
    }

    async fn part(&mut self, run: RunNumber) -> Result<Part, DeskError> {
        if let Some(part) = self.parts.get(&run) {
            return Ok(part.clone());
        }
        let part = match self.runs.get(&run) {
            Some(followed) => Part::of(&followed.detail),
            None => Part::of(&self.mouth.desk.show(run).await?),
        };
        if part.is_over() {
            self.parts.insert(run, part.clone());
        }
        Ok(part)
    }
}
