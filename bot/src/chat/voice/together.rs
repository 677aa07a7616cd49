//! Environments of one channel that the clock turns at one moment are told in one message, edited while they are at work. What fails is
//! a new message all the same.

use tidegate_runner::desk::DeskError;
use tidegate_runner::desk::post::Subject;
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::schedule::Turn;

use super::channels::About;
use super::letter::{Extras, Rendered, Rest};
use super::press;
use super::scribe::Scribe;
use crate::cards::{self, Button, Clock, Part};
use crate::chat::shell::local_zone;
use crate::reporter;

/// For so many milliseconds after its run was accepted it is waited for others of the same moment.
const GATHER_MS: i64 = 2_000;

/// The message about all that turn at one moment in a channel.
pub(in crate::chat) fn turn(due: Timestamp, channel: &str) -> Subject {
    Subject::Other(format!("{} {} {channel}", press::TURN, due.0))
}

impl Scribe {
    /// Whether a run is told together with others, or may be in a moment.
    pub(in crate::chat) async fn gathers(&mut self, run: RunNumber) -> Result<bool, DeskError> {
        let desk = self.mouth.desk.clone();
        let config = desk.config();
        let Some(detail) = self.runs.get(&run).map(|followed| &followed.detail) else { return Ok(false) };
        let told = reporter::is_told(detail, config.chat.tell_unchanged(self.mouth.door()));
        if detail.run.asker.id != ActorId::clock() || desk.card(self.mouth.door(), run).await?.is_some() {
            return Ok(false);
        }
        let age_ms = desk.now().await?.ms_since(detail.run.accepted);
        let environment = config.environments.get(&detail.run.request.environment);
        let Some(named) = environment.and_then(|e| e.channel.in_chat(self.mouth.door())).map(str::to_owned) else {
            return Ok(false);
        };
        // Where it cannot be looked up, or is not there, that is said of the run's own card.
        let Ok(Some(channel)) = self.mouth.platform.channel(&named).await else { return Ok(false) };
        let Some(due) = desk.due_of(run).await? else { return Ok(false) };
        let subject = turn(due, &channel);
        if desk.card(self.mouth.door(), &subject).await?.is_none() {
            let members = self.members(due, &channel).await?;
            if members.len() < 2 {
                return Ok(age_ms < GATHER_MS);
            }
            if told != Some(true) {
                // A message about all of them is begun by one that changes something.
                let mut at_work = told.is_none();
                for (_, member) in members {
                    at_work |= member != run && !self.part(member).await?.is_over();
                }
                return Ok(at_work);
            }
            let (rendered, _) = self.together(due, &channel).await?;
            self.begin(&subject, &About::Turn { due, channel: named }, &channel, rendered, &[]).await?;
        }
        if let Some(row) = desk.card(self.mouth.door(), &subject).await? {
            desk.within(self.mouth.door(), run, &channel, &row).await?;
        }
        Ok(true)
    }

    /// Those of this channel, whichever way the configuration names it, that turned at this moment, and have no card of their own.
    async fn members(&self, due: Timestamp, channel: &str) -> Result<Vec<(Turn, RunNumber)>, DeskError> {
        let desk = &self.mouth.desk;
        let config = desk.config();
        let mut members = Vec::new();
        for (environment, turn, run) in desk.due_together(due).await? {
            let named = config
                .environments
                .get(&environment)
                .and_then(|environment| environment.channel.in_chat(self.mouth.door()));
            let Some(named) = named else { continue };
            // What cannot be looked up now is none of them, and is told by itself.
            let there = matches!(self.mouth.platform.channel(named).await, Ok(Some(id)) if id == channel);
            if there && desk.card(self.mouth.door(), run).await?.is_none_or(|row| row.is_within()) {
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
        // As the configuration names it, or by its id.
        let channel = self.mouth.platform.channel(named).await.ok().flatten();
        let channel = channel.unwrap_or_else(|| named.to_owned());
        let members = self.members(due, &channel).await?;
        let mut parts = Vec::new();
        for (_, run) in &members {
            parts.push(self.part(*run).await?);
        }
        let (buttons, used) = self.again(&parts).await?;
        let row = self.mouth.desk.card(self.mouth.door(), &turn(due, &channel)).await?;
        let pressed = row.as_ref().and_then(|row| press::shown(row, None));
        let turn = members.into_iter().next().map(|(turn, _)| turn);
        let over = parts.iter().all(Part::is_over);
        let mut card = turn.map_or_else(cards::together_no_more, |turn| cards::together(&turn, &parts));
        card.next.retain(|command| !used.contains(command));
        let (rest, version) = (Rest::Typed("history".to_owned()), press::TURN.to_owned());
        let extras = Extras { buttons, version, pressed, rest, ..Extras::default() };
        Ok((self.mouth.platform.render(&card, &extras), over))
    }

    /// Buttons that try again what failed, and the commands of those that were used, wherever that was.
    async fn again(&self, parts: &[Part]) -> Result<(Vec<Button>, Vec<String>), DeskError> {
        let (desk, door) = (&self.mouth.desk, self.mouth.door());
        let (mut buttons, mut used) = (Vec::new(), Vec::new());
        for part in parts.iter().filter(|part| part.may_be_tried_again()) {
            let detail = desk.show(part.run).await?;
            let command = format!("retry {}", part.run);
            let row = desk.card(door, part.run).await?;
            if row.is_some_and(|row| press::used(&row, &reporter::version(&detail), &command)) {
                used.push(command);
                continue;
            }
            let clock = Clock { now: detail.now, zone: local_zone().told() };
            let Some(card) = cards::notice(&detail, &clock) else { continue };
            let card = cards::Card { next: vec![command], ..card };
            buttons.extend(reporter::buttons(&detail, &card).into_iter().map(|button| part.named(button)));
        }
        Ok((buttons, used))
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
