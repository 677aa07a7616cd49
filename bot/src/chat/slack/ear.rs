//! What Slack delivers, taken: stored before it is acknowledged, or opened where nothing is kept of it.

use serde_json::{Value, json};
use tidegate_runner::desk::DeskError;

use super::delivery::{Form, Wish, read};
use super::draft;
use super::platform::Slack;
use super::preview;
use crate::chat::voice::ear::Ear;

/// Takes deliveries. Cheap to clone.
#[derive(Clone)]
pub(super) struct SlackEar {
    pub(super) ear: Ear,
    pub(super) slack: Slack,
}

impl SlackEar {
    /// Takes one delivery and gives what acknowledges it: nothing, or a body. Returns once it is stored. `again`: Slack has tried to
    /// deliver it before.
    ///
    /// # Errors
    /// When it could not be stored: it must not be acknowledged, so that Slack delivers it again.
    pub(super) async fn take(&self, form: Form, payload: &Value, again: bool) -> Result<Option<Value>, DeskError> {
        self.ear.vital.hears();
        match read(form, payload, &self.slack.workspace.me) {
            Wish::Nothing(why) => {
                tracing::debug!(why, "ignored");
                Ok(None)
            }
            Wish::Home { user } => {
                let this = self.clone();
                tokio::spawn(async move { this.slack.home(&this.ear, &user).await });
                Ok(None)
            }
            Wish::Moved { channel } => {
                self.slack.workspace.memory.channels_moved();
                self.ear.moved(&channel);
                Ok(None)
            }
            Wish::Form { mut said, trigger } => {
                // Not kept: Slack lets a form be opened for three seconds only.
                let this = self.clone();
                "help".clone_into(&mut said.typed);
                tokio::spawn(async move { this.open_form(said, &trigger).await });
                Ok(None)
            }
            Wish::FormChanged { user, view, environment } => {
                let this = self.clone();
                tokio::spawn(async move { this.change_form(&user, &view, &environment).await });
                Ok(None)
            }
            Wish::Filled { said, view } => {
                let now = self.ear.desk.now_soon().await?;
                match self.ear.drafted(said, draft::fields(&view), view["id"].as_str().unwrap_or_default(), now) {
                    Ok(said) => {
                        self.ear.hear(said).await?;
                        Ok(Some(json!({ "response_action": "update", "view": preview::planning() })))
                    }
                    Err(errors) => Ok(Some(json!({ "response_action": "errors", "errors": errors }))),
                }
            }
            Wish::Said(mut said) => {
                said.reply.again = again;
                let (heard, public) = self.ear.keep_told(said).await?;
                self.ear.answer_beside(heard);
                Ok(public.then(|| json!({ "response_type": "in_channel" })))
            }
        }
    }
}
