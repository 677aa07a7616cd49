//! The home tab: every environment as it stands, with buttons; published again as things change for those who have looked lately.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};
use tidegate_runner::desk::{DeskError, Message};
use tidegate_runner::domain::answer::{Sight, Standing};
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::EnvironmentName;

use super::DOOR;
use super::platform::Slack;
use super::render::render;
use crate::cards::{self, Button, Card, Clock, Tone, form, overview};
use crate::chat::voice::ear::Ear;
use crate::chat::voice::letter::{Extras, Rest};
use crate::commands;
use crate::zone::Zone;

/// For how long a home tab is kept true after it was opened.
const KEPT_MS: i64 = 3_600_000;

/// Most blocks of a view.
const BLOCKS_MAX: usize = 100;

/// Blocks that are kept for what is told at the end.
const HEALTH_MAX: usize = 3;

/// Blocks that are kept for the environments for which there is no room in full: of all of a message not more than these can be had.
const REST_MAX: usize = 12;

/// Why it is not known what somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen {
    /// Slack does not tell who they are.
    Unknown,
    /// They are nobody to speak to.
    Nobody,
}

impl Slack {
    /// Shows the home tab to somebody who opens it.
    pub(super) async fn home(&self, ear: &Ear, user: &str) {
        self.open_home(ear, user, false).await;
    }

    /// Shows the home tab once more to somebody who pressed a button of it, so that the next press counts again.
    pub(super) async fn show_home_anew(&self, ear: &Ear, user: &str) {
        self.open_home(ear, user, true).await;
    }

    async fn open_home(&self, ear: &Ear, user: &str, again: bool) {
        if let Err(error) = ear.desk.shows_overview(DOOR, user, KEPT_MS, again).await {
            tracing::error!(%error, "that a home tab was opened is not noted: it is shown, and not kept true");
        }
        let _publishing = self.publishing.lock().await;
        self.homes().remove(user);
        self.publish(ear, user, 0).await;
        // Where another process keeps it true, that may have shown something newer meanwhile: it is to show it once more.
        match ear.desk.shows_overview(DOOR, user, KEPT_MS, true).await {
            Ok(shown) => {
                if let Some((_, noted)) = self.homes().get_mut(user) {
                    *noted = shown;
                }
            }
            Err(error) => tracing::error!(%error, "that a home tab was shown is not noted"),
        }
    }

    /// Publishes the home tab to those for whom it is not true any more.
    pub(super) async fn refresh_homes(&self, ear: &Ear) {
        // One after the other: what was read earlier must not be shown later.
        let _publishing = self.publishing.lock().await;
        let users = match ear.desk.overviews(DOOR, KEPT_MS).await {
            Ok(users) => users,
            Err(error) => return tracing::error!(%error, "home tabs stay as they are"),
        };
        self.homes().retain(|user, _| users.iter().any(|(other, _)| other == user));
        for (user, shown) in users {
            if !self.publish(ear, &user, shown).await {
                return;
            }
        }
    }

    /// Publishes somebody's home tab, where it is not true any more, or may be another process's, as it was noted for the `times`-th time.
    /// False: others need not be tried now.
    async fn publish(&self, ear: &Ear, user: &str, times: i64) -> bool {
        let before = self.homes().get(user).copied();
        let shown = before.filter(|(_, noted)| *noted == times).map(|(digest, _)| digest);
        let blocks = match self.sight_of(ear, user, CommandName::Status).await {
            Ok(Ok((sight, message))) => self.overview(ear, &sight, &message, ear.zone_of(user)).await,
            // What was true a moment ago is better than nothing.
            Ok(Err(Unseen::Unknown)) if before.is_some() => return true,
            Ok(Err(Unseen::Unknown)) => Ok(said(form::NOBODY_KNOWN)),
            Ok(Err(Unseen::Nobody)) => return true,
            Err(error) => Err(error),
        };
        let blocks = match blocks {
            Ok(blocks) => blocks,
            Err(error) => {
                tracing::error!(%error, "home tabs stay as they are");
                return false;
            }
        };
        let mut hasher = DefaultHasher::new();
        json!(blocks).to_string().hash(&mut hasher);
        let digest = hasher.finish();
        if shown == Some(digest) {
            return true;
        }
        let body = json!({ "user_id": user, "view": { "type": "home", "blocks": blocks } });
        let (noted, goes_on) = match self.workspace.api.post("views.publish", &body).await {
            Ok(_) => (true, true),
            Err(error) => {
                tracing::warn!(%error, user, "a home tab is not published");
                // What is refused for this person is not tried again before it is another.
                let of_one = error.code().is_some() && !error.is_of_token();
                (of_one, of_one)
            }
        };
        if noted {
            self.homes().insert(user.to_owned(), (digest, times));
        }
        goes_on
    }

    /// What somebody may see.
    pub(super) async fn sight_of(
        &self,
        ear: &Ear,
        user: &str,
        command: CommandName,
    ) -> Result<Result<(Sight, Message), Unseen>, DeskError> {
        let person = match self.workspace.person(user).await {
            Ok(person) => person,
            Err(error) => {
                tracing::warn!(%error, user, "who that is cannot be asked now");
                return Ok(Err(Unseen::Unknown));
            }
        };
        match self.workspace.actor(user, &self.workspace.me.team, &person) {
            Ok(actor) => ear.sight_of(actor, command).await.map(Ok),
            Err(_) => Ok(Err(Unseen::Nobody)),
        }
    }

    async fn overview(&self, ear: &Ear, sight: &Sight, who: &Message, zone: Zone) -> Result<Vec<Value>, DeskError> {
        let config = ear.desk.config();
        let mut all = ear.desk.status(None).await?;
        all.retain(|standing| match standing {
            Standing::Managed(status) => sight.sees(status.name.as_str()),
            Standing::Unmanaged { name, .. } => sight.sees(name),
            Standing::Departed { name, .. } => sight.sees(name.as_str()),
        });
        let clock = Clock { now: ear.desk.now().await?, zone };
        if all.is_empty() && !config.environments.is_empty() {
            return Ok(said(form::NOT_YOURS));
        }
        if all.is_empty() {
            let card = self.workspace.name_people(cards::envs(&all, &clock)).await;
            return Ok(render(&card, &Extras::default()).blocks);
        }
        // Read anew each time: what is bent or written otherwise meanwhile changes it, and so does the time.
        let coming = ear.desk.next(None, None, 1, sight).await?;
        let mut tab = Tab::default();
        let mut shown = 0;
        for standing in &all {
            let mut card = cards::status(std::slice::from_ref(standing), &clock);
            if let Standing::Managed(status) = standing {
                card.lines.extend(overview::why(status));
                let coming = coming.iter().find(|coming| coming.environment == status.name);
                card.lines.extend(coming.and_then(cards::next_of));
            }
            let card = self.workspace.name_people(card).await;
            let name: Option<EnvironmentName> = match standing {
                Standing::Managed(status) => Some(status.name.clone()),
                Standing::Unmanaged { .. } | Standing::Departed { .. } => None,
            };
            let environment = name.and_then(|name| config.environments.get(&name));
            let buttons = environment.map(form::overview_buttons).unwrap_or_default();
            // What they may not do is not offered.
            let may = |command: &str| {
                let (name, about) = (commands::name_of(command), environment);
                name.zip(about).is_none_or(|(name, about)| ear.desk.may(who, name, &about.name))
            };
            if !tab.takes(card, buttons, may) {
                break;
            }
            shown += 1;
        }
        let rest = &all[shown..];
        if !rest.is_empty() {
            tab.rest(&self.workspace.name_people(cards::envs(rest, &clock)).await);
        }
        let heard_ms = ear.vital.age().map(|age| i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
        let health = overview::health(&ear.desk.runners().await?, heard_ms, ear.desk.unsaid(DOOR).await?, &clock);
        Ok(tab.whole(&health))
    }
}

/// The blocks of a home tab, as far as it is written.
#[derive(Default)]
pub(crate) struct Tab(Vec<Value>);

impl Tab {
    /// Adds an environment with its buttons, and those of what its card offers. False: there is no room for it.
    pub(crate) fn takes(&mut self, mut card: Card, mut buttons: Vec<Button>, may: impl Fn(&str) -> bool) -> bool {
        buttons.extend(card.next.iter().filter_map(|command| cards::button(command, &card.title, true)));
        buttons.retain(|button| may(&button.command));
        // What is no button is typed.
        card.next.retain(|command| may(command) && !buttons.iter().any(|button| button.command == *command));
        // Its own buttons raise and lower it, and many have to have room.
        card.menu = None;
        let made = render(&card, &Extras { buttons, version: "home".to_owned(), ..Extras::default() }).blocks;
        if self.0.len() + made.len() + 1 > BLOCKS_MAX - HEALTH_MAX - REST_MAX {
            return false;
        }
        self.divide();
        self.0.extend(made);
        true
    }

    /// Adds those that have no room of their own.
    fn rest(&mut self, card: &Card) {
        self.divide();
        let rest = Rest::Typed("envs".to_owned());
        let card = &Card { menu: None, ..card.clone() };
        self.0.extend(render(card, &Extras { rest, ..Extras::default() }).blocks.into_iter().take(REST_MAX - 1));
    }

    /// All of it, with how everything is at the end.
    pub(crate) fn whole(mut self, health: &Card) -> Vec<Value> {
        self.divide();
        self.0.extend(render(health, &Extras::default()).blocks);
        self.0
    }

    fn divide(&mut self) {
        if !self.0.is_empty() {
            self.0.push(json!({ "type": "divider" }));
        }
    }
}

/// A home tab that says one thing.
fn said(words: &str) -> Vec<Value> {
    render(&Card::new(Tone::Plain, words), &Extras::default()).blocks
}
