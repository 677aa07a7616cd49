//! The second page of the form: what it would do, as the plan of a run like any other says, and the button that does it.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_runner::desk::Message;
use tidegate_runner::desk::post::Post;
use tidegate_runner::domain::answer::RunDetail;
use tidegate_runner::domain::environment::Level;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::answer::said_to;
use super::api::ApiError;
use super::delivery::Origin;
use super::draft::Draft;
use super::ear::Ear;
use super::form::plain;
use super::render::{Extras, render};
use crate::cards::{self, Card, Clock, form as words};
use crate::chat::shell::local_zone;
use crate::conversation::{self, Verdict};

/// The name of the page.
pub(super) const CALLBACK: &str = "tide.do";

/// Between two looks at a plan that is being made.
const LOOK: Duration = Duration::from_millis(300);

/// How long a page is waited for: nobody looks at it any more, and the plan has a card of its own.
const PATIENCE: Duration = Duration::from_mins(30);

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
fn planned(detail: &RunDetail, card: &Card, draft: &Draft, origin: &Origin) -> Value {
    let ready = matches!(detail.view.state, RunState::Ended { outcome: Outcome::Planned | Outcome::NothingToDo });
    let mut card = card.clone();
    card.next.clear();
    if !ready || draft.only_shown {
        return page(&render(&card, &Extras::default()).blocks);
    }
    let typed = format!("{}{}", cards::carried_out(detail), words::reason(&draft.because));
    card.next.push(typed.clone());
    card.next.extend(draft.keep.clone());
    let mut view = page(&render(&card, &Extras::default()).blocks);
    view["submit"] = plain(words::last(detail.run.request.target.level == Level::Off), 24);
    view["private_metadata"] = json!({
        "channel": origin.channel, "response_url": origin.response_url, "typed": typed, "keep": draft.keep,
    })
    .to_string()
    .into();
    view
}

impl Ear {
    /// Plans what was filled in and shows it where it was.
    pub(super) async fn preview(&self, message: &Message, origin: &Origin, draft: &Draft) -> Vec<Post> {
        let reply = conversation::reply(&self.desk, message, local_zone()).await;
        match reply.follow.map(|(run, _)| run) {
            Some(run) if reply.verdict == Verdict::Done => self.show_plan(run, origin, draft).await,
            Some(_) | None => {
                let card = self.workspace.name_people(reply.card).await;
                let view = page(&render(&card, &Extras::default()).blocks);
                // Where the form was closed meanwhile, it is told as other refusals are.
                if self.turn(draft, &view).await { Vec::new() } else { vec![said_to(&card, origin, true)] }
            }
        }
    }

    /// Waits for the end of a plan and shows it.
    pub(super) async fn show_plan(&self, run: RunNumber, origin: &Origin, draft: &Draft) -> Vec<Post> {
        let waits = async {
            loop {
                match self.desk.show(run).await {
                    Ok(detail) if detail.view.state.ended() => return Some(detail),
                    Ok(_) => tokio::time::sleep(LOOK).await,
                    Err(error) => {
                        tracing::warn!(%error, run = run.0, "a plan cannot be read");
                        return None;
                    }
                }
            }
        };
        if let Ok(Some(detail)) = tokio::time::timeout(PATIENCE, waits).await {
            let clock = Clock { now: detail.now, zone: local_zone() };
            let card = self.workspace.name_people(cards::run_card(&detail, &clock)).await;
            self.turn(draft, &planned(&detail, &card, draft, origin)).await;
        }
        Vec::new()
    }

    /// Shows the page. False: it is not there any more.
    async fn turn(&self, draft: &Draft, view: &Value) -> bool {
        let body = json!({ "view_id": draft.view, "view": view });
        match self.workspace.api.post("views.update", &body).await {
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
