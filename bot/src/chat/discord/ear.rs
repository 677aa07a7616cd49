//! What Discord delivers, taken: stored before it is acknowledged, and acknowledged before it is answered.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use tidegate_runner::desk::DeskError;
use tidegate_runner::domain::ids::Timestamp;

use super::delivery::{Wish, interaction, message};
use super::guild::Guild;
use super::render;
use crate::cards::{self, Card, Line, Tone};
use crate::chat::voice::draft::Fields;
use crate::chat::voice::ear::{Ear, Heard};
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Extras, Rest};
use crate::chat::voice::origin::How;
use crate::chat::voice::platform::Places as _;
use crate::chat::voice::turn::Turn;
use crate::wire::discord::bodies::Answer;
use crate::wire::discord::gateway::Hears;
use crate::wire::discord::hook::Posted;
use crate::wire::discord::interaction::row_of;

/// By HTTP the answer follows so long after the acknowledgement, which Discord has to have read: nothing tells when it has. Where it had
/// not, the answer is tried again.
const AFTER: Duration = Duration::from_millis(300);

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
            Wish::Ping => Ok(acknowledged(Answer::pong())),
            Wish::Completes { user, command, filled, slot } => {
                let Ok(Ok(actor)) = self.guild.actor(&user).await else {
                    return Ok(acknowledged(Answer::choices(Vec::new())));
                };
                Ok(acknowledged(Answer::choices(self.ear.choices(actor, &command, &filled, &slot).await?)))
            }
            Wish::Asks { version, typed, card, about } => Ok(acknowledged(question(&version, &typed, &card, &about))),
            Wish::Form { user } => Ok(acknowledged(self.form(&user).await?)),
            Wish::Filled { said, fields } => {
                let now = self.ear.desk.now().await?;
                match self.ear.drafted(said, Fields::of(fields), "", now) {
                    Ok(said) => {
                        Ok(Taken { acknowledgement: Some(Answer::thinks(true)), heard: self.ear.keep(said).await? })
                    }
                    Err(wrong) => {
                        let all: Vec<String> =
                            wrong.values().filter_map(|why| why.as_str().map(str::to_owned)).collect();
                        Ok(acknowledged(told_alone(&cards::form::wrong(&all))))
                    }
                }
            }
            Wish::Said(mut wish) => {
                let pressed = said["data"]["custom_id"].as_str().unwrap_or_default();
                let sure = pressed.starts_with(render::SURE) || pressed.starts_with(render::LAST);
                let typed = wish.reply.how == How::Command;
                // By Discord's own clock, so that it is the same however often it comes.
                let (zone, at) = (self.ear.zone_of(&wish.reply.user), wish.reply.at.unwrap_or(Timestamp(0)));
                wish.reply.public = typed && self.ear.orders(&wish.typed, zone, at);
                let public = wish.reply.public;
                let heard = self.ear.keep(wish).await?;
                let acknowledgement = if typed {
                    Answer::thinks(!public)
                } else if sure {
                    // The question is answered: its button goes.
                    Answer::without_buttons()
                } else {
                    Answer::stays()
                };
                Ok(Taken { acknowledgement: Some(acknowledgement), heard })
            }
        }
    }

    /// Acknowledges what is to be, and then has it answered; beside the connection, which goes on.
    fn acknowledge(&self, event: &Value, made: Taken) {
        let Taken { acknowledgement, mut heard } = made;
        let Some(acknowledgement) = acknowledgement else { return self.ear.answer_beside(heard) };
        let (this, id, token) = (self.clone(), event["id"].clone(), event["token"].clone());
        tokio::spawn(async move {
            let (id, token) = (id.as_str().unwrap_or_default(), token.as_str().unwrap_or_default());
            if let Err(error) = this.guild.api.acknowledge(id, token, &acknowledgement).await {
                tracing::warn!(%error, "an interaction is not acknowledged");
                if let Some(heard) = heard.as_mut().filter(|_| error.code() == Some("expired_token")) {
                    // Nothing can be said that way any more.
                    (heard.origin.response_url, heard.origin.awaited) = (None, false);
                }
            }
            this.ear.answer_beside(heard);
        });
    }

    /// Takes a message. Returns once it is stored. `fresh` as with an interaction.
    ///
    /// # Errors
    /// Why it could not be stored, or that it is not known where it was said.
    pub(super) async fn message(&self, said: &Value, fresh: bool) -> Result<Option<Heard>, String> {
        self.ear.vital.hears();
        let direct = said["guild_id"].is_null();
        let place = said["channel_id"].as_str().unwrap_or_default();
        // Most of what is said is not for us, and nothing is asked about it.
        if !matches!(message(said, &self.guild, (place, None), direct), Some(Wish::Said(_))) {
            return Ok(None);
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
                    return Ok(None);
                }
                Err(error) => return Err(format!("where something was said is not known: {error}")),
            }
        };
        match message(said, &self.guild, (&channel, thread.as_deref()), direct) {
            Some(Wish::Said(said)) => self.ear.keep(said).await.map_err(|error| error.to_string()),
            _ => Ok(None),
        }
    }
}

#[async_trait]
impl Hears for DiscordEar {
    fn opened(&self, anew: bool) {
        tracing::info!("listening to Discord");
        if anew {
            self.ear.listens();
        } else {
            self.ear.vital.opened();
        }
    }

    fn ended(&self) {
        self.ear.vital.ended();
    }

    fn failed(&self, why: &str) {
        self.ear.vital.failed(why);
    }

    type Turn = Turn;

    fn looks(&self, kind: &str, event: &Value) -> Option<Turn> {
        match (kind, event["id"].as_str()) {
            ("THREAD_CREATE", Some(id)) => self.guild.memory.note_parent(id, event["parent_id"].as_str()),
            ("CHANNEL_UPDATE" | "CHANNEL_DELETE", Some(id)) => {
                self.guild.forget_channels();
                self.ear.moved(id);
            }
            _ => {}
        }
        matches!(kind, "MESSAGE_CREATE" | "INTERACTION_CREATE").then(|| self.ear.turns.next(&row_of(event)))
    }

    async fn takes(&self, kind: &str, event: &Value, fresh: bool, turn: Turn) -> Result<(), String> {
        let mut taken = if kind == "MESSAGE_CREATE" {
            let taken = self.message(event, fresh).await;
            let heard = taken.map_err(|error| format!("a message cannot be stored, and is to come again: {error}"))?;
            Taken { acknowledgement: None, heard }
        } else {
            self.interaction(event, fresh).await.unwrap_or_else(|error| {
                tracing::error!(%error, "not acknowledged: it cannot be stored, and Discord tells so");
                Taken::default()
            })
        };
        let before = turn.over();
        taken.heard.iter_mut().for_each(|heard| heard.before = before.clone());
        self.acknowledge(event, taken);
        Ok(())
    }
}

#[async_trait]
impl Posted for DiscordEar {
    async fn now_ms(&self) -> Option<i64> {
        self.ear.desk.now().await.ok().map(|now| now.0)
    }

    async fn posted(&self, said: &Value, fresh: bool) -> Result<Option<Value>, String> {
        let Taken { acknowledgement, heard } =
            self.interaction(said, fresh).await.map_err(|error| error.to_string())?;
        let ear = self.ear.clone();
        tokio::spawn(async move {
            tokio::time::sleep(AFTER).await;
            ear.answer_beside(heard);
        });
        Ok(acknowledgement)
    }
}

/// Whether Discord will refuse to tell where something was said as long as nobody changes anything in the server. What stands between
/// us and Discord has no such word.
fn is_final(error: &ApiError) -> bool {
    matches!(error.code(), Some("missing_access" | "channel_not_found"))
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
    Answer::alone(render::body("", &blocks))
}

pub(super) fn told_alone(card: &Card) -> Value {
    let blocks = render::render(card, &Extras { rest: Rest::Nowhere, ..Extras::default() }).blocks;
    Answer::alone(render::body("", &blocks))
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
