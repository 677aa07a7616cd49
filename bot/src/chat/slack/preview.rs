//! The second page of the form: what it would do, and the button that does it.

use serde_json::{Value, json};

use super::form::plain;
use super::render::render;
use super::workspace::Workspace;
use crate::cards::form as words;
use crate::chat::voice::failure::ApiError;
use crate::chat::voice::letter::{Extras, Rest};
use crate::chat::voice::origin::{Draft, Origin};
use crate::chat::voice::platform::Page;

/// The name of the page.
pub(super) const CALLBACK: &str = "tide.do";

fn page(blocks: &[Value]) -> Value {
    json!({
        "type": "modal", "callback_id": CALLBACK, "title": plain(words::PREVIEW, 24), "close": plain(words::CLOSE, 24),
        "blocks": blocks,
    })
}

/// What stands there while the plan is made.
pub(super) fn planning() -> Value {
    page(&[json!({ "type": "section", "text": plain(words::PLANNING, 3_000) })])
}

/// What stands there in the end, with the command that does it.
pub(crate) fn planned(page_: &Page<'_>, channel: &str, response_url: Option<&str>) -> Value {
    // What is no message has no thread, and its whole is asked for by a command that the card has or the plan's own card in the channel.
    let rest = Rest::Typed(page_.whole.to_owned());
    let mut view = page(&render(page_.card, &Extras { rest, ..Extras::default() }).blocks);
    if let Some(last) = &page_.last {
        view["submit"] = plain(last.label, 24);
        view["private_metadata"] = json!({
            "channel": channel, "response_url": response_url, "typed": last.typed, "keep": last.keep,
        })
        .to_string()
        .into();
    }
    view
}

impl Workspace {
    /// Shows the page. False: it is not there any more.
    pub(super) async fn turn(&self, draft: &Draft, origin: &Origin, page: &Page<'_>) -> bool {
        let body =
            json!({ "view_id": draft.view, "view": planned(page, &origin.channel, origin.response_url.as_deref()) });
        match self.api.post("views.update", &body).await {
            Ok(_) => true,
            Err(ApiError::Refused { code, .. }) => {
                tracing::info!(code, "a form was closed before its plan was there");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a plan is not shown in its form");
                false
            }
        }
    }
}
