//! What Discord delivers, taken: stored before it is acknowledged, and acknowledged before it is answered.

use std::sync::Arc;

use serde_json::{Value, json};
use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::ActorId;

use super::delivery::{Wish, interaction, message};
use super::guild::Guild;
use super::render;
use super::sending::EPHEMERAL;
use crate::cards::{self, Card, Line, Tone};
use crate::chat::shell::local_zone;
use crate::chat::voice::ear::{Ear, Heard};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Extras, Rest};
use crate::chat::voice::origin::How;
use crate::commands::{Known, Runs, slots};

/// Kinds of answers to an interaction.
const PONG: u8 = 1;
const MESSAGE: u8 = 4;
const THINKS: u8 = 5;
const STAYS: u8 = 6;
const CHANGES: u8 = 7;
const CHOICES: u8 = 8;
const MODAL: u8 = 9;

/// Takes deliveries. Cheap to clone.
#[derive(Clone)]
pub(super) struct DiscordEar {
    pub(super) ear: Ear,
    pub(super) guild: Arc<Guild>,
}

/// What was made of an interaction: what acknowledges it, and what is answered once that has arrived.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) acknowledgement: Option<Value>,
    pub(super) heard: Option<Heard>,
}

impl DiscordEar {
    /// Takes an interaction. Returns once it is stored. `fresh`: it has just happened, and who did it is as it says.
    ///
    /// # Errors
    /// When it could not be stored: it must not be acknowledged, so that who said it is told that nobody heard it.
    pub(super) async fn interaction(&self, said: &Value, fresh: bool) -> Result<Taken, DeskError> {
        self.ear.vital.hears();
        if fresh {
            self.guild.note_member(said);
        }
        let acknowledged = |acknowledgement| Taken { acknowledgement: Some(acknowledgement), heard: None };
        match interaction(said, &self.guild.id).unwrap_or(Wish::Nothing("something in it is missing")) {
            Wish::Nothing(why) => {
                tracing::debug!(why, "ignored");
                Ok(Taken::default())
            }
            Wish::Ping => Ok(acknowledged(json!({ "type": PONG }))),
            Wish::Completes { user, command, filled, slot } => {
                let choices = self.choices(&user, &command, &filled, &slot).await?;
                Ok(acknowledged(json!({ "type": CHOICES, "data": { "choices": choices } })))
            }
            Wish::Asks { version, typed, card, about } => Ok(acknowledged(question(&version, &typed, &card, &about))),
            Wish::Form { user } => Ok(acknowledged(match self.form(&user).await? {
                Ok(modal) => json!({ "type": MODAL, "data": modal }),
                Err(why) => told_alone(&Card::new(Tone::Plain, why)),
            })),
            Wish::Filled { said, fields } => match self.drafted(said, fields).await? {
                Ok(said) => {
                    let heard = self.ear.keep(said).await?;
                    let acknowledgement = json!({ "type": THINKS, "data": { "flags": EPHEMERAL } });
                    Ok(Taken { acknowledgement: Some(acknowledgement), heard })
                }
                Err(wrong) => Ok(acknowledged(told_alone(&cards::form::wrong(&wrong)))),
            },
            Wish::Said(wish) => {
                // The channel sees who asked for what; questions are between the two of us.
                let zone = self.ear.zone_of(&wish.reply.user);
                let pressed = said["data"]["custom_id"].as_str().unwrap_or_default();
                let sure = pressed.starts_with(render::SURE) || pressed.starts_with(render::LAST);
                let (typed, how) = (wish.typed.clone(), wish.reply.how.clone());
                let heard = self.ear.keep(wish).await?;
                let private = match &heard {
                    _ if how != How::Command => true,
                    Some(heard) => !self.ear.orders(&typed, zone, heard.at),
                    None => !self.ear.is_order(&typed, zone).await,
                };
                let acknowledgement = match how {
                    How::Command if private => json!({ "type": THINKS, "data": { "flags": EPHEMERAL } }),
                    How::Command => json!({ "type": THINKS }),
                    // The question is answered: its button goes.
                    _ if sure => json!({ "type": CHANGES, "data": { "components": [] } }),
                    _ => json!({ "type": STAYS }),
                };
                Ok(Taken { acknowledgement: Some(acknowledgement), heard })
            }
        }
    }

    /// Answers what was taken.
    pub(super) fn answer(&self, heard: Option<Heard>) {
        if let Some(mut heard) = heard {
            let ear = self.ear.clone();
            tokio::spawn(async move { ear.answer(&mut heard).await });
        }
    }

    /// Takes a message. Returns once it is stored. `fresh` as with an interaction.
    ///
    /// # Errors
    /// When it could not be stored, or where it was said is not known.
    pub(super) async fn message(&self, said: &Value, fresh: bool) -> Result<(), Untaken> {
        self.ear.vital.hears();
        let direct = said["guild_id"].is_null();
        let place = said["channel_id"].as_str().unwrap_or_default();
        // Most of what is said is not for us, and nothing is asked about it.
        if !matches!(message(said, &self.guild, (place, None), direct), Some(Wish::Said(_))) {
            return Ok(());
        }
        if fresh {
            self.guild.note_member(said);
        }
        let (channel, thread) = if direct {
            (place.to_owned(), None)
        } else {
            match self.guild.channel_of(place).await {
                Ok(found) => found,
                // Deleted, or not for us to see: nobody is there to be answered, and it would be refused however often it came.
                Err(error) if is_final(&error) => {
                    tracing::warn!(%error, place, "what was said where Tidegate sees nothing is not heard");
                    return Ok(());
                }
                Err(error) => return Err(Untaken::Place(error)),
            }
        };
        if let Some(Wish::Said(said)) = message(said, &self.guild, (&channel, thread.as_deref()), direct) {
            self.ear.hear(said).await.map_err(Untaken::Desk)?;
        }
        Ok(())
    }

    /// What can stand in a slot, as far as this person may see it.
    async fn choices(
        &self,
        user: &str,
        command: &str,
        filled: &[(String, String)],
        slot: &str,
    ) -> Result<Vec<Value>, DeskError> {
        let Ok(Ok(actor)) = self.guild.actor(user).await else { return Ok(Vec::new()) };
        let (sight, _) = self.ear.sight_of(actor, CommandName::Status).await?;
        let desk = &self.ear.desk;
        let mut environments = desk.config().environments.clone();
        environments.retain(|name, _| sight.sees(name.as_str()));
        let runs = desk.active().await?.into_iter().filter(|run| sight.sees(run.request.environment.as_str()));
        let open: Vec<_> = runs.map(|run| run.number).collect();
        let me = ActorId::tidegate();
        let now = desk.now().await?;
        let known = Known { environments: &environments, aside: &[], others: &[], me: &me, now, zone: local_zone() };
        let all = slots::candidates(command, filled, slot, &known, &Runs { all: open.clone(), open });
        Ok(all.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect())
    }
}

/// Whether Discord will refuse to tell where something was said as long as nobody changes anything in the server. What stands between
/// us and Discord has no such word.
fn is_final(error: &ApiError) -> bool {
    matches!(error.code(), Some("missing_access" | "channel_not_found"))
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Untaken {
    #[error(transparent)]
    Desk(DeskError),
    #[error("where something was said is not known: {0}")]
    Place(ApiError),
}

/// What is asked before something that cannot be undone.
fn question(version: &str, typed: &str, card: &str, about: &str) -> Value {
    let confirm = cards::button(typed, about, true).and_then(|button| button.confirm);
    let blocks = confirm.and_then(|confirm| {
        let asks = Card::new(Tone::Warning, confirm.title).lines(confirm.text.lines().map(Line::text));
        render::question(&asks, confirm.yes, &[card, version, typed])
    });
    let blocks = blocks.unwrap_or_else(|| {
        // Too long for a button: by hand, then.
        let card = Card::new(Tone::Warning, about).next(typed);
        render::render(&card, &Extras::default()).blocks
    });
    alone(&blocks)
}

/// A message that only who did something sees.
fn alone(blocks: &[Value]) -> Value {
    let mut data = render::body("", blocks);
    data["flags"] = EPHEMERAL.into();
    json!({ "type": MESSAGE, "data": data })
}

fn told_alone(card: &Card) -> Value {
    alone(&render::render(card, &Extras { rest: Rest::Nowhere, ..Extras::default() }).blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_discord_itself_says_that_a_place_is_not_for_us_to_see() {
        for code in ["missing_access", "channel_not_found"] {
            assert!(is_final(&ApiError::refused(code)), "{code}");
        }
        for code in ["http_403", "http_404", "invalid_auth", "missing_permissions"] {
            assert!(!is_final(&ApiError::refused(code)), "{code}");
        }
        assert!(!is_final(&ApiError::Unknown("HTTP 502".to_owned())));
    }
}
