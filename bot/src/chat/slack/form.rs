//! The form that `/tide` alone opens, and the home tab.

use serde_json::{Value, json};

use super::delivery::Said;
use super::ear::Ear;

/// What was filled in, as the command that it means; or what is wrong, by field.
pub(super) fn typed(view: &Value) -> Result<String, Value> {
    let _ = view;
    Err(json!({ "command": "?" }))
}

impl Ear {
    pub(super) async fn open_form(&self, said: Said, trigger: &str) {
        let _ = trigger;
        if let Err(error) = self.hear(said).await {
            tracing::error!(%error, "a command cannot be stored");
        }
    }

    pub(super) async fn home(&self, user: &str) {
        tracing::debug!(user, "home");
    }
}
