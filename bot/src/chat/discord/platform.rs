//! Discord as a chat like others. Who and where is in `guild`, messages in `sending`.

use async_trait::async_trait;
use tokio::time::Instant;

use super::guild::Guild;
use super::{DOOR, form, refused, render};
use crate::cards::{COMMANDS, Card};
use crate::chat::voice::ear::Ear;
use crate::chat::voice::letter::{Extras, Letter, Rendered};
use crate::chat::voice::limiter::Share;
use crate::chat::voice::origin::{Draft, Origin};
use crate::chat::voice::platform::{Call, Means, Page, People as _, Platform};

#[async_trait]
impl Platform for Guild {
    fn door(&self) -> &'static str {
        DOOR
    }

    fn take(&self, call: Call, queue: &str, share: Share) -> bool {
        let method = match call {
            Call::Private => "private",
            Call::Edit => "edit",
            Call::Post | Call::Response | Call::File | Call::Place | Call::History | Call::Person => "post",
        };
        self.api.limiter.take(Instant::now(), method, queue, share)
    }

    fn means(&self, call: Call, code: &str) -> Means {
        refused::WORDS.means(call, code)
    }

    fn render(&self, card: &Card, extras: &Extras) -> Rendered {
        let called = |id: &String| if self.is_group(id) { format!("&{id}") } else { id.clone() };
        let mention = extras.mention.iter().map(called).collect();
        render::render(card, &Extras { mention, ..extras.clone() })
    }

    fn has_files_alone(&self) -> bool {
        true
    }

    fn perhaps_again(&self, letter: &mut Letter) {
        render::perhaps_again(letter);
    }

    fn linked(&self, letter: &mut Letter, run: i64, url: &str) {
        render::linked(letter, run, url);
    }

    async fn turn(&self, _: &Draft, origin: &Origin, page: Page<'_>) -> bool {
        let Some(token) = origin.response_url.as_deref() else { return false };
        let turned = self.api.respond(&self.application, token, &form::page(&page), None).await;
        if let Err(error) = &turned {
            tracing::warn!(%error, "a plan is not shown where its form was filled in");
        }
        turned.is_ok()
    }

    async fn refresh(&self, ear: &Ear, _: bool) {
        if let Err(error) = self.commands.note(&ear.desk, DOOR, COMMANDS).await {
            tracing::error!(%error, "whether Discord takes the commands cannot be noted");
        }
        if !self.lists.is_due() {
            return;
        }
        if let Err(error) = self.list_roles().await {
            tracing::warn!(%error, "the roles of the server are as they were");
        }
        self.tell_commands_again().await;
    }
}
