//! What people do in Slack: commands, messages, buttons, forms, the Home tab.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::delivery::{Acknowledgement, Kind, deliver_all};
use super::forms;
use super::ids::{ChannelId, MessageId, UserId, ViewId};
use super::messages;
use super::response;
use super::state::{APP, BOT_USER, Message, ResponseUrl, State, TEAM, Trigger};
use super::words;
use super::workspace::Workspace;

/// What came of something said.
#[derive(Debug, Clone)]
pub struct Said {
    /// The message.
    pub message: MessageId,
    /// One for each event that it made: a mention makes two, `message` and `app_mention`.
    pub acknowledgements: Vec<Acknowledgement>,
}

impl Said {
    /// Asserts that the app acknowledged each event, of which there were some.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn accepted(&self) -> &Self {
        assert!(!self.acknowledgements.is_empty(), "the app was not told of it");
        for acknowledgement in &self.acknowledgements {
            acknowledgement.accepted();
        }
        self
    }
}

/// A new trigger of this person.
pub(crate) fn trigger(state: &mut State, user: &UserId, patience: Duration, view: Option<ViewId>) -> String {
    let id = format!("{}.{}", state.stamp(), state.new_id('t'));
    let until = Instant::now() + patience;
    state.triggers.insert(id.clone(), Trigger { user: user.clone(), until, used: false, view });
    id
}

/// Who did it, where, with what trigger: what all interactions begin with.
pub(crate) fn interaction(state: &State, kind: &str, user: &UserId, trigger: &str) -> Value {
    let (name, team) = state.person(user.as_str()).map_or(("", TEAM), |person| (&person.name, person.team()));
    json!({ "type": kind, "team": { "id": TEAM, "domain": "tidegate-test" }, "enterprise": null, "is_enterprise_install": false,
        "user": { "id": user.as_str(), "username": name, "name": name, "team_id": team }, "api_app_id": APP, "token": "legacy",
        "trigger_id": trigger })
}

impl Workspace {
    async fn send(&self, kind: Kind, payload: Value) -> Acknowledgement {
        deliver_all(&self.inner, kind, vec![payload]).await.remove(0)
    }

    /// Sends an interaction that no person could make, as it is.
    pub async fn interaction(&self, payload: &Value) -> Acknowledgement {
        self.send(Kind::Interactive, payload.clone()).await
    }

    /// Sends an envelope of a kind that does not exist yet.
    pub async fn unheard_of(&self, payload: &Value) -> Acknowledgement {
        self.send(Kind::Unheard, payload.clone()).await
    }

    /// Sends an event that no person could cause.
    pub async fn happening(&self, event: &Value) -> Acknowledgement {
        self.event(event).await
    }

    async fn event(&self, event: &Value) -> Acknowledgement {
        self.send(Kind::Events, self.inner.wrapped(event)).await
    }

    /// Every `response_url` that was given out is too old from now on.
    pub fn expire_responses(&self) {
        let now = Instant::now();
        self.inner.state().responses.values_mut().for_each(|response| response.until = now);
    }

    fn response_url(&self, user: &UserId, channel: &str, message: Option<String>) -> String {
        let key = uuid::Uuid::now_v7().simple().to_string();
        let until = Instant::now() + Duration::from_mins(30);
        let response = ResponseUrl { user: user.0.clone(), channel: channel.into(), message, uses: 0, until };
        self.inner.state().responses.insert(key.clone(), response);
        format!("{}/response/{key}", self.inner.base)
    }

    /// Types a slash command, and shows what the acknowledgement says as Slack does.
    ///
    /// # Panics
    /// When the channel is unknown.
    pub async fn command(&self, person: &UserId, channel: &ChannelId, command: &str, text: &str) -> Acknowledgement {
        let url = self.response_url(person, channel.as_str(), None);
        let payload = {
            let patience = self.inner.settings().patience;
            let mut state = self.inner.state();
            let trigger = trigger(&mut state, person, patience, None);
            let place = state.channel(channel.as_str()).expect("a channel of this workspace");
            let place_name = if place.direct.is_some() { "directmessage".to_owned() } else { place.name.clone() };
            let name = state.person(person.as_str()).map_or("", |person| &person.name);
            json!({ "token": "legacy", "team_id": TEAM, "team_domain": "tidegate-test", "channel_id": channel.as_str(),
                "channel_name": place_name, "user_id": person.as_str(), "user_name": name, "command": command,
                "text": words::typed(&state, text, words::Kind::Command), "api_app_id": APP, "is_enterprise_install": "false",
                "response_url": url, "trigger_id": trigger })
        };
        let acknowledgement = self.send(Kind::Command, payload).await;
        if let Some(body) = acknowledgement.body() {
            // Answered aloud, the command itself is seen by everybody.
            if body["response_type"] == "in_channel" {
                let mut state = self.inner.state();
                let (channel, user, text) = (channel.0.clone(), person.0.clone(), format!("{command} {text}"));
                state.post(Message { channel, user, text, command: true, ..Message::default() });
            }
            // What Slack cannot show it shows nobody; the test sees the acknowledgement itself.
            let _ = response::say(&self.inner, person.as_str(), channel.as_str(), None, body);
            self.inner.bump();
        }
        acknowledgement
    }

    /// Says something in a channel, or in a thread of it. The app is told where it is a member; a mention of it makes two events.
    ///
    /// # Panics
    /// When person or channel are unknown.
    pub async fn say(&self, person: &UserId, channel: &ChannelId, thread: Option<&MessageId>, text: &str) -> Said {
        let (message, events) = {
            let mut state = self.inner.state();
            let bot_id = state.person(person.as_str()).expect("a person of this workspace").bot_id.clone();
            let text = words::typed(&state, text, words::Kind::Message);
            let id = uuid::Uuid::now_v7().to_string();
            let element = json!({ "type": "text", "text": text });
            let rich =
                json!([{ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [element] }] }]);
            let root = |thread: &MessageId| {
                let named = state.message(channel.as_str(), &thread.ts).expect("a message of this channel");
                named.thread_ts.clone().unwrap_or_else(|| named.ts.clone())
            };
            let thread_ts = thread.map(root);
            let message = state.post(Message {
                channel: channel.0.clone(),
                user: person.0.clone(),
                blocks: bot_id.is_none().then_some(rich),
                client_msg_id: bot_id.is_none().then_some(id),
                bot_id,
                text,
                thread_ts,
                ..Message::default()
            });
            let place = state.channel(channel.as_str()).expect("a channel of this workspace");
            let mut events = Vec::new();
            if place.has(BOT_USER) {
                events.push(messages::event(&state, &message));
                // A direct conversation makes no app_mention.
                if place.direct.is_none() && message.text.contains(&format!("<@{BOT_USER}>")) {
                    let mut mention = messages::event(&state, &message);
                    mention["type"] = json!("app_mention");
                    if let Some(mention) = mention.as_object_mut() {
                        mention.remove("channel_type");
                    }
                    events.push(mention);
                }
            }
            (MessageId { channel: channel.clone(), ts: message.ts }, events)
        };
        let payloads = events.iter().map(|event| self.inner.wrapped(event)).collect();
        let acknowledgements = deliver_all(&self.inner, Kind::Events, payloads).await;
        Said { message, acknowledgements }
    }

    /// Mentions the app: [`Workspace::say`] with a text that names it.
    pub async fn mention(&self, person: &UserId, channel: &ChannelId, thread: Option<&MessageId>, text: &str) -> Said {
        self.say(person, channel, thread, text).await
    }

    /// Writes to the app directly.
    pub async fn direct(&self, person: &UserId, text: &str) -> Said {
        let channel = self.direct_channel(person);
        self.say(person, &channel, None, text).await
    }

    /// A person edits a message of their own.
    ///
    /// # Panics
    /// When there is no such message.
    pub async fn edit(&self, message: &MessageId, text: &str) -> Acknowledgement {
        let event = {
            let mut state = self.inner.state();
            let (text, edited) = (words::typed(&state, text, words::Kind::Message), state.stamp());
            let found = state.message_mut(message.channel.as_str(), &message.ts).expect("a message");
            let before = found.clone();
            (found.text, found.blocks, found.edited) = (text, None, Some(edited));
            let after = found.clone();
            messages::changed(&state, &before, &after)
        };
        self.event(&event).await
    }

    /// A person deletes a message of their own.
    ///
    /// # Panics
    /// When there is no such message.
    pub async fn delete(&self, message: &MessageId) -> Acknowledgement {
        let event = {
            let mut state = self.inner.state();
            let found = state.message_mut(message.channel.as_str(), &message.ts).expect("a message");
            found.deleted = true;
            let gone = found.clone();
            messages::deleted(&mut state, &gone)
        };
        self.event(&event).await
    }

    /// Presses a button of a message; where it asks for confirmation, the person confirms.
    ///
    /// # Panics
    /// When there is no such button: nobody could press it.
    pub async fn press(&self, person: &UserId, message: &MessageId, action_id: &str) -> Acknowledgement {
        self.act_on_message(person, message, action_id, None).await
    }

    /// Chooses in a menu of a message, by the option's value.
    ///
    /// # Panics
    /// When there is no such menu or option.
    pub async fn choose(&self, person: &UserId, message: &MessageId, action_id: &str, value: &str) -> Acknowledgement {
        self.act_on_message(person, message, action_id, Some(&json!(value))).await
    }

    async fn act_on_message(
        &self,
        person: &UserId,
        at: &MessageId,
        action: &str,
        value: Option<&Value>,
    ) -> Acknowledgement {
        let url = self.response_url(person, at.channel.as_str(), Some(at.ts.clone()));
        let payload = {
            let patience = self.inner.settings().patience;
            let mut state = self.inner.state();
            let message = state.message(at.channel.as_str(), &at.ts).cloned().expect("a message that is there");
            let sees = message.only.as_ref().is_none_or(|only| only == person.as_str());
            assert!(sees, "{person} does not see this message");
            let blocks = message.blocks.clone().unwrap_or(Value::Null);
            let (block, element) = forms::find(&blocks, action)
                .unwrap_or_else(|| panic!("nothing named {action} in:\n{}", super::transcript::one(&state, &message)));
            let stamp = state.stamp();
            let done = forms::action(&block, &element, value, &stamp);
            let trigger = trigger(&mut state, person, patience, None);
            let mut payload = interaction(&state, "block_actions", person, &trigger);
            let place = state.channel(at.channel.as_str()).expect("a channel");
            let name = if place.direct.is_some() { "directmessage" } else { &place.name };
            let mut container = json!({ "type": "message", "message_ts": at.ts, "channel_id": at.channel.as_str(), "is_ephemeral": message.only.is_some() });
            if let Some(thread) = &message.thread_ts {
                container["thread_ts"] = json!(thread);
            }
            payload["container"] = container;
            payload["channel"] = json!({ "id": at.channel.as_str(), "name": name });
            // Of a message that only one person sees Slack tells no more than its place.
            if message.only.is_none() {
                payload["message"] = messages::told(&state, &message, true);
            }
            payload["state"] = json!({ "values": {} });
            payload["response_url"] = json!(url);
            payload["actions"] = json!([done]);
            payload
        };
        self.send(Kind::Interactive, payload).await
    }

    /// Opens the app's Home tab.
    pub async fn open_home(&self, person: &UserId) -> Acknowledgement {
        let channel = self.direct_channel(person);
        let event = {
            let mut state = self.inner.state();
            let stamp = state.stamp();
            let mut event = json!({ "type": "app_home_opened", "user": person.as_str(), "channel": channel.as_str(), "tab": "home", "event_ts": stamp });
            if let Some(view) = state.views.iter().find(|view| view.is_home() && view.user == *person) {
                event["view"] = view.told();
            }
            event
        };
        self.event(&event).await
    }

    /// Fills in a form and submits it. `values` is an object: action id (or block id) to what is entered: text, the value of an
    /// option, or a list of them. What is not named keeps its initial value.
    ///
    /// # Panics
    /// When the form is not there, a name or an option is unknown, or something required is empty: Slack would not send it.
    pub async fn submit(&self, person: &UserId, view: &ViewId, values: &Value) -> Acknowledgement {
        let payload = {
            let patience = self.inner.settings().patience;
            let mut state = self.inner.state();
            let form = state.view_mut(view.as_str()).expect("a form that is open");
            assert!(form.user == *person, "{person} does not see this form");
            form.entered = forms::entered(form.body.get("blocks").unwrap_or(&Value::Null), values);
            let told = form.told();
            let trigger = trigger(&mut state, person, patience, Some(view.clone()));
            let mut payload = interaction(&state, "view_submission", person, &trigger);
            payload["view"] = told;
            payload["response_urls"] = json!([]);
            payload
        };
        let acknowledgement = self.send(Kind::Interactive, payload).await;
        if acknowledgement.is_ok() {
            forms::answered(&mut self.inner.state(), view, acknowledgement.body());
            self.inner.bump();
        }
        acknowledgement
    }

    /// Presses a button, or chooses in a menu (`value`), of a form or of the Home tab.
    ///
    /// # Panics
    /// When it is not there.
    pub async fn press_in_view(
        &self,
        person: &UserId,
        view: &ViewId,
        action_id: &str,
        value: Option<&Value>,
    ) -> Acknowledgement {
        let payload = {
            let patience = self.inner.settings().patience;
            let mut state = self.inner.state();
            let stamp = state.stamp();
            let form = state.view_mut(view.as_str()).expect("a form that is open");
            let blocks = form.body.get("blocks").unwrap_or(&Value::Null);
            let (block, element) =
                forms::find(blocks, action_id).unwrap_or_else(|| panic!("nothing named {action_id} in the view"));
            let done = forms::action(&block, &element, value, &stamp);
            let told = form.told();
            let trigger = trigger(&mut state, person, patience, Some(view.clone()));
            let mut payload = interaction(&state, "block_actions", person, &trigger);
            payload["container"] = json!({ "type": "view", "view_id": view.as_str() });
            payload["view"] = told;
            payload["actions"] = json!([done]);
            payload
        };
        self.send(Kind::Interactive, payload).await
    }

    /// Closes a form without submitting it. The app is told where the form says `notify_on_close`.
    pub async fn close(&self, person: &UserId, view: &ViewId) -> Option<Acknowledgement> {
        let payload = {
            let mut state = self.inner.state();
            let told = state.view_mut(view.as_str()).map(|view| view.told())?;
            state.views.retain(|other| other.id != *view);
            let mut payload = interaction(&state, "view_closed", person, "");
            if let Some(payload) = payload.as_object_mut() {
                payload.remove("trigger_id");
            }
            payload["is_cleared"] = json!(false);
            payload["view"] = told;
            payload
        };
        self.inner.bump();
        if payload["view"]["notify_on_close"] != json!(true) {
            return None;
        }
        Some(self.send(Kind::Interactive, payload).await)
    }
}
