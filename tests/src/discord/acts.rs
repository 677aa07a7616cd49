//! What people do in Discord: commands, buttons, messages.

use serde_json::{Value, json};

use super::rest::{ACKNOWLEDGE, direct, shown};
use super::server::Server;
use super::state::{APPLICATION, BOT, GUILD, Given, Id, Message, State, now_ms};
use super::transcript;

/// An interaction that somebody began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interaction(pub Id);

impl Server {
    fn begin(&self, person: Id, channel: Id, original: Option<Id>, kind: u8, with: &Value) -> (Interaction, Value) {
        let mut state = self.inner.state();
        let id = state.next_id();
        let token = format!("interaction-{}", uuid::Uuid::now_v7().simple());
        let mut event = json!({
            "id": id.to_string(), "application_id": APPLICATION.to_string(), "type": kind, "token": token, "version": 1,
            "channel_id": channel.to_string(), "channel": state.channel_json(channel), "locale": "en-US",
        });
        if state.channels.get(&channel).is_some_and(|channel| channel.kind == 1) {
            event["user"] = state.user(person);
        } else {
            event["guild_id"] = GUILD.to_string().into();
            event["member"] =
                state.member(person).unwrap_or_else(|| json!({ "user": state.user(person), "roles": [] }));
        }
        for (key, value) in with.as_object().into_iter().flatten() {
            event[key] = value.clone();
        }
        let at_ms = now_ms();
        state.interactions.push(Given {
            id,
            token,
            user: person,
            channel,
            at_ms,
            acknowledged: None,
            original,
            expired: false,
        });
        (Interaction(id), event)
    }

    pub(super) fn happens(&self, name: &str, event: &Value) {
        self.inner.sessions().happens(name, event);
        self.inner.bump();
    }

    fn command_event(&self, person: Id, channel: Id, kind: u8, sub: &str, options: &Value) -> (Interaction, Value) {
        let data = json!({ "id": "1", "name": "tide", "type": 1, "options": [{ "name": sub, "type": 1, "options": options }] });
        self.begin(person, channel, None, kind, &json!({ "data": data }))
    }

    /// Types `/tide SUB` with these slots filled, and gives it without that anybody was told: for HTTP.
    ///
    /// # Panics
    /// When the application has no such command.
    #[must_use]
    pub fn written(&self, person: Id, channel: Id, sub: &str, slots: &[(&str, &str)]) -> (Interaction, Value) {
        let known = self.commands();
        let known = known.get(sub).unwrap_or_else(|| panic!("there is no `/tide {sub}`: {known:?}"));
        for (slot, _) in slots {
            assert!(known.iter().any(|known| known == slot), "`/tide {sub}` has no `{slot}`: {known:?}");
        }
        let options: Value =
            slots.iter().map(|(name, value)| json!({ "name": name, "type": 3, "value": value })).collect();
        self.command_event(person, channel, 2, sub, &options)
    }

    /// Types `/tide SUB` with these slots filled.
    pub fn command(&self, person: Id, channel: Id, sub: &str, slots: &[(&str, &str)]) -> Interaction {
        let (interaction, event) = self.written(person, channel, sub, slots);
        self.happens("INTERACTION_CREATE", &event);
        interaction
    }

    /// Types a whole line as `/tide text`.
    pub async fn tide(&self, person: Id, channel: Id, line: &str) {
        let interaction = self.command(person, channel, "text", &[("line", line)]);
        self.acknowledged(interaction).await;
    }

    /// Types a command without slots, and gives what it was acknowledged with.
    ///
    /// # Panics
    /// When the application has no such command.
    pub async fn bare(&self, person: Id, channel: Id, name: &str) -> Value {
        let known = self.inner.state().commands.clone();
        let known = known.as_array().into_iter().flatten().any(|command| command["name"] == name);
        assert!(known, "there is no `/{name}`");
        let data = json!({ "id": "2", "name": name, "type": 1 });
        let (interaction, event) = self.begin(person, channel, None, 2, &json!({ "data": data }));
        self.happens("INTERACTION_CREATE", &event);
        self.acknowledged(interaction).await
    }

    /// Fills a form in and sends it.
    ///
    /// # Panics
    /// When it has no such field, or no such choice, or wants more.
    pub fn fill(&self, person: Id, channel: Id, form: &Value, values: &[(&str, &str)]) -> Interaction {
        let fields = form["components"].as_array().expect("fields");
        for (name, _) in values {
            assert!(fields.iter().any(|field| field["component"]["custom_id"] == *name), "no field `{name}` in {form}");
        }
        let one = |field: &Value| {
            let component = &field["component"];
            let value = values.iter().find(|(name, _)| component["custom_id"] == *name).map(|(_, value)| *value);
            assert!(value.is_some() || component["required"] == false, "it wants {component}");
            let mut sent = json!({ "type": component["type"], "custom_id": component["custom_id"] });
            if component["type"] == 3 {
                let options = component["options"].as_array().expect("options");
                let known = |value: &str| options.iter().any(|option| option["value"] == value);
                assert!(value.is_none_or(known), "{value:?} is no choice of {component}");
                sent["values"] = value.into_iter().collect::<Value>();
            } else {
                sent["value"] = value.unwrap_or_default().into();
            }
            json!({ "type": field["type"], "component": sent })
        };
        let data = json!({ "custom_id": form["custom_id"], "components": fields.iter().map(one).collect::<Value>() });
        let (interaction, event) = self.begin(person, channel, None, 5, &json!({ "data": data }));
        self.happens("INTERACTION_CREATE", &event);
        interaction
    }

    /// What is offered for the last of these slots.
    pub async fn offered(&self, person: Id, channel: Id, sub: &str, slots: &[(&str, &str)]) -> Vec<(String, String)> {
        let last = slots.len().saturating_sub(1);
        let option = |(at, (name, value)): (usize, &(&str, &str))| json!({ "name": name, "type": 3, "value": value, "focused": at == last });
        let options: Value = slots.iter().enumerate().map(option).collect();
        let (interaction, event) = self.command_event(person, channel, 4, sub, &options);
        self.happens("INTERACTION_CREATE", &event);
        let said = self.acknowledged(interaction).await;
        assert_eq!(said["type"], 8, "{said}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let choices = said["data"]["choices"].as_array().into_iter().flatten();
        choices.map(|choice| (text(&choice["name"]), text(&choice["value"]))).collect()
    }

    /// Waits until the application has acknowledged, and gives what it said.
    ///
    /// # Panics
    /// When it has not within three seconds: the person reads that the application did not respond.
    pub async fn acknowledged(&self, interaction: Interaction) -> Value {
        let found = || {
            let state = self.inner.state();
            let given = state.interactions.iter().find(|given| given.id == interaction.0)?;
            given.acknowledged.clone()
        };
        let waits = self.until("an acknowledgement", found);
        tokio::time::timeout(ACKNOWLEDGE, waits).await.expect("acknowledged within three seconds")
    }

    /// An interaction was acknowledged in the answer to a delivery by HTTP.
    pub fn answered(&self, interaction: Interaction, body: &Value) {
        let mut state = self.inner.state();
        let Some(given) = state.interactions.iter().find(|given| given.id == interaction.0).cloned() else { return };
        let original = shown(&mut state, &given, body);
        if let Some(given) = state.interactions.iter_mut().find(|given| given.id == interaction.0) {
            (given.acknowledged, given.original) = (Some(body.clone()), original);
        }
    }

    /// Whether it was acknowledged.
    #[must_use]
    pub fn is_acknowledged(&self, interaction: Interaction) -> bool {
        let state = self.inner.state();
        state.interactions.iter().any(|given| given.id == interaction.0 && given.acknowledged.is_some())
    }

    /// Presses the button of a message that says this.
    ///
    /// # Panics
    /// When there is no such button: nobody could press it.
    pub fn press(&self, person: Id, message: Id, label: &str) -> Interaction {
        let (channel, shown, id) = {
            let state = self.inner.state();
            let found = state.messages.iter().find(|m| m.id == message && !m.deleted).expect("a message");
            assert!(found.only.is_none_or(|only| only == person), "somebody else's message");
            let id = button(&found.body, label).unwrap_or_else(|| panic!("no [{label}] in {}", found.body));
            (found.channel, state.message_json(found), id)
        };
        let with = json!({ "data": { "custom_id": id, "component_type": 2 }, "message": shown });
        let (interaction, event) = self.begin(person, channel, Some(message), 3, &with);
        self.happens("INTERACTION_CREATE", &event);
        interaction
    }

    /// Chooses in the menu of a message, by what a choice says.
    ///
    /// # Panics
    /// When there is no such choice: nobody could make it.
    pub fn choose(&self, person: Id, message: Id, label: &str) -> Interaction {
        let (channel, shown, data) = {
            let state = self.inner.state();
            let found = state.messages.iter().find(|m| m.id == message && !m.deleted).expect("a message");
            assert!(found.only.is_none_or(|only| only == person), "somebody else's message");
            let data = choice(&found.body, label).unwrap_or_else(|| panic!("no choice {label} in {}", found.body));
            (found.channel, state.message_json(found), data)
        };
        let with = json!({ "data": data, "message": shown });
        let (interaction, event) = self.begin(person, channel, Some(message), 3, &with);
        self.happens("INTERACTION_CREATE", &event);
        interaction
    }

    /// Says something in a channel or thread.
    pub fn say(&self, person: Id, channel: Id, text: &str) -> Id {
        let event = {
            let mut state = self.inner.state();
            let message = written(&mut state, person, channel, text);
            let mut event = state.message_json(&message);
            if state.channels.get(&channel).is_some_and(|channel| channel.kind != 1) {
                event["guild_id"] = GUILD.to_string().into();
                event["member"] = state.member(person).unwrap_or_default();
            }
            event
        };
        self.happens("MESSAGE_CREATE", &event);
        Id(event["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or(0))
    }

    /// Says something that nobody is told of: as if the application had not listened.
    pub fn says_unheard(&self, person: Id, channel: Id, text: &str) -> Id {
        written(&mut self.inner.state(), person, channel, text).id
    }

    /// The bot's name in what somebody types.
    #[must_use]
    pub fn me(&self) -> String {
        format!("<@{BOT}>")
    }

    /// Mentions the bot.
    pub fn mention(&self, person: Id, channel: Id, words: &str) -> Id {
        self.say(person, channel, &format!("<@{BOT}> {words}"))
    }

    /// Writes to the bot directly.
    pub fn direct(&self, person: Id, words: &str) -> Id {
        let channel = direct(&mut self.inner.state(), person);
        self.say(person, channel, words)
    }

    /// A message that only this person sees, with these words.
    #[must_use]
    pub fn private(&self, person: Id, words: &str) -> Option<Id> {
        let state = self.inner.state();
        let found =
            state.messages.iter().rev().find(|m| m.only == Some(person) && transcript::one(&state, m).contains(words));
        found.map(|message| message.id)
    }

    /// Delivers an interaction once more, as a session does that is gone on with.
    pub fn again(&self, event: &Value) {
        self.happens("INTERACTION_CREATE", event);
    }
}

fn written(state: &mut State, person: Id, channel: Id, text: &str) -> Message {
    let message = Message {
        id: state.next_id(),
        channel,
        author: person,
        body: json!({ "content": text }),
        only: None,
        edited: false,
        deleted: false,
        thinks: false,
        answers: None,
        files: Vec::new(),
    };
    state.messages.push(message.clone());
    message
}

fn button(body: &Value, label: &str) -> Option<String> {
    let rows = body["components"].as_array()?;
    let mut buttons = rows.iter().filter_map(|row| row["components"].as_array()).flatten();
    buttons.find(|button| button["label"] == label).and_then(|button| button["custom_id"].as_str().map(str::to_owned))
}

fn choice(body: &Value, label: &str) -> Option<Value> {
    let rows = body["components"].as_array()?;
    let menus = rows.iter().filter_map(|row| row["components"].as_array()).flatten().filter(|one| one["type"] == 3);
    menus.into_iter().find_map(|menu| {
        let option = menu["options"].as_array()?.iter().find(|option| option["label"] == label)?;
        Some(json!({ "custom_id": menu["custom_id"], "component_type": 3, "values": [option["value"]] }))
    })
}
