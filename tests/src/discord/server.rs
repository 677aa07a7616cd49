//! The server as a test sees it: started, looked at, troubled.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::gateway::{self, Sessions};
use super::rest::{self, Fault, Faults};
use super::state::{BOT, Channel, GUILD, Id, Message, Person, Role, State};
use super::transcript;

/// How long a test waits for something.
const PATIENCE: Duration = Duration::from_mins(1);

/// A call that was made.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its method and path, with `-` in place of numbers and tokens: `POST /channels/-/messages`.
    pub what: String,
    /// The whole path.
    pub path: String,
    /// Its body.
    pub body: Value,
    /// What it was answered with; 0: nothing.
    pub status: u16,
}

pub(super) struct Inner {
    state: Mutex<State>,
    pub(super) sessions: Mutex<Sessions>,
    pub(super) faults: Mutex<Faults>,
    calls: Mutex<Vec<Call>>,
    wrong: Mutex<Vec<String>>,
    changed: watch::Sender<u64>,
    pub(super) base: String,
    pub(super) token: String,
    pub(super) beat: Mutex<Duration>,
}

impl Inner {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, call: Call) {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        self.bump();
    }

    pub(super) fn bad(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(super) fn bump(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// A Discord for tests; ends with it.
pub struct Server {
    pub(super) inner: Arc<Inner>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    /// Starts it, with the channel `load-test`.
    ///
    /// # Panics
    /// When nothing can be listened to.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = listener.local_addr().expect("an address").to_string();
        let inner = Arc::new(Inner {
            state: Mutex::default(),
            sessions: Mutex::default(),
            faults: Mutex::default(),
            calls: Mutex::default(),
            wrong: Mutex::default(),
            changed: watch::Sender::new(0),
            token: format!("bot.{}", uuid::Uuid::now_v7().simple()),
            base,
            beat: Mutex::new(Duration::from_millis(41_250)),
        });
        {
            let mut state = inner.state();
            state.people.insert(BOT, Person { name: "tidegate".to_owned(), bot: true, roles: Vec::new() });
            let channel = Channel { name: "load-test".to_owned(), kind: 0, parent: None, direct: None };
            // What the link of docs/discord.md asks for.
            state.everybody = 309_237_894_144;
            let id = state.next_id();
            state.channels.insert(id, channel);
        }
        let router = Router::new()
            .route("/gw/", get(gateway::upgrade))
            .route("/resume/", get(gateway::upgrade_again))
            .route("/api/v10/{*rest}", any(rest::call))
            .layer(axum::extract::DefaultBodyLimit::max(32 << 20))
            .with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { inner, task }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.base)
    }

    /// The bot's token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.inner.token
    }

    /// The id of the server, as a configuration has it.
    #[must_use]
    pub fn guild(&self) -> Id {
        GUILD
    }

    /// The id of the application.
    #[must_use]
    pub fn application(&self) -> Id {
        super::state::APPLICATION
    }

    /// The channel of this name, made where it is not there.
    pub fn channel(&self, name: &str) -> Id {
        let mut state = self.inner.state();
        if let Some(id) = state.channel_named(name) {
            return id;
        }
        let id = state.next_id();
        state.channels.insert(id, Channel { name: name.to_owned(), kind: 0, parent: None, direct: None });
        id
    }

    /// The person of this name, made where they are not there.
    pub fn person(&self, name: &str) -> Id {
        let mut state = self.inner.state();
        if let Some((id, _)) = state.people.iter().find(|(_, person)| person.name == name) {
            return *id;
        }
        let id = state.next_id();
        state.people.insert(id, Person { name: name.to_owned(), bot: false, roles: Vec::new() });
        id
    }

    /// Another program in the server.
    pub fn robot(&self, name: &str) -> Id {
        let mut state = self.inner.state();
        let id = state.next_id();
        state.people.insert(id, Person { name: name.to_owned(), bot: true, roles: Vec::new() });
        id
    }

    /// A role that these have.
    pub fn role(&self, name: &str, members: &[Id]) -> Id {
        let mut state = self.inner.state();
        let id = state.next_id();
        state.roles.insert(id, Role { name: name.to_owned(), mentionable: false, own: false });
        for member in members {
            if let Some(person) = state.people.get_mut(member) {
                person.roles.push(id);
            }
        }
        id
    }

    /// Everybody may call a role.
    pub fn opens_role(&self, role: Id) {
        if let Some(role) = self.inner.state().roles.get_mut(&role) {
            role.mentionable = true;
        }
    }

    /// The role that came with the application, which is called as the bot is.
    pub fn own_role(&self) -> Id {
        let mut state = self.inner.state();
        let id = state.next_id();
        state.roles.insert(id, Role { name: "tidegate".to_owned(), mentionable: false, own: true });
        id
    }

    /// The key that the application's deliveries are signed with, in hex.
    pub fn signs_with(&self, key: &str) {
        key.clone_into(&mut self.inner.state().verify_key);
    }

    /// Another channel of a name, in another category.
    pub fn channel_again(&self, name: &str) -> Id {
        let mut state = self.inner.state();
        let id = state.next_id();
        state.channels.insert(id, Channel { name: name.to_owned(), kind: 0, parent: None, direct: None });
        id
    }

    /// Somebody has a role no more.
    pub fn takes_role(&self, role: Id, person: Id) {
        if let Some(person) = self.inner.state().people.get_mut(&person) {
            person.roles.retain(|one| *one != role);
        }
    }

    /// Somebody gives a channel another name.
    pub fn rename(&self, channel: Id, name: &str) {
        let event = {
            let mut state = self.inner.state();
            if let Some(channel) = state.channels.get_mut(&channel) {
                name.clone_into(&mut channel.name);
            }
            state.channel_json(channel)
        };
        self.happens("CHANNEL_UPDATE", &event.unwrap_or_default());
    }

    /// Somebody deletes a channel or a thread.
    pub fn removes(&self, channel: Id) {
        let event = {
            let mut state = self.inner.state();
            let event = state.channel_json(channel).unwrap_or_default();
            state.channels.remove(&channel);
            event
        };
        let thread = event["type"] == 11;
        self.happens(if thread { "THREAD_DELETE" } else { "CHANNEL_DELETE" }, &event);
    }

    /// Everybody, and so the bot, may do this in the server, in Discord's bits.
    pub fn allows(&self, permissions: u64) {
        self.inner.state().everybody = permissions;
    }

    /// Somebody leaves the server.
    pub fn leaves(&self, person: Id) {
        self.inner.state().people.remove(&person);
    }

    /// How often the application has to be heard, of connections from now on.
    pub fn beats_each(&self, beat: Duration) {
        *self.inner.beat.lock().unwrap_or_else(PoisonError::into_inner) = beat;
    }

    /// Calls of this kind, `POST /channels/-/messages`, go wrong so often; `*` are all.
    pub fn refuse(&self, what: &str, fault: Fault, times: u32) {
        self.inner.faults().add(what, fault, 0, times);
    }

    /// The same once, after so many more calls of this kind.
    pub fn refuse_after(&self, calls: u32, what: &str, fault: Fault) {
        self.inner.faults().add(what, fault, calls, 1);
    }

    /// All goes well again.
    pub fn heal(&self) {
        self.inner.faults().clear();
    }

    /// What the channel reads, threads below their messages.
    #[must_use]
    pub fn transcript(&self, channel: Id) -> String {
        transcript::channel(&self.inner.state(), channel)
    }

    /// What a person reads in their conversation with the bot.
    #[must_use]
    pub fn direct_transcript(&self, person: Id) -> String {
        let state = self.inner.state();
        let found = state.channels.iter().find(|(_, channel)| channel.direct == Some(person)).map(|(id, _)| *id);
        found.map(|id| transcript::channel(&state, id)).unwrap_or_default()
    }

    /// The conversation of the bot with a person.
    pub fn direct_channel(&self, person: Id) -> Id {
        rest::direct(&mut self.inner.state(), person)
    }

    /// Waits until the channel reads so, and gives all of it.
    pub async fn reads(&self, channel: Id, words: &str) -> String {
        self.until(&format!("`{words}` is read"), || {
            let text = self.transcript(channel);
            text.contains(words).then_some(text)
        })
        .await
    }

    /// Waits until something is so.
    ///
    /// # Panics
    /// When it is not after a minute.
    pub async fn until<T>(&self, what: &str, mut is: impl FnMut() -> Option<T>) -> T {
        let mut changes = self.inner.changed.subscribe();
        let waits = async {
            loop {
                if let Some(found) = is() {
                    return found;
                }
                // What is waited for may be elsewhere, too.
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, waits).await.ok();
        found.unwrap_or_else(|| panic!("{what}: not so within a minute\n{}", self.all()))
    }

    fn all(&self) -> String {
        let state = self.inner.state();
        let channels = state.channels.iter().filter(|(_, channel)| channel.kind != 11);
        channels.map(|(id, _)| transcript::channel(&state, *id)).collect::<Vec<_>>().join("\n")
    }

    /// Calls of this kind.
    #[must_use]
    pub fn calls(&self, what: &str) -> Vec<Call> {
        let calls = self.inner.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| call.what == what).cloned().collect()
    }

    /// Asserts that everything that the application sent was as Discord wants it.
    ///
    /// # Panics
    /// When something was not.
    pub fn check(&self) {
        let wrong = self.inner.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone();
        assert!(wrong.is_empty(), "Discord would have refused:\n{}", wrong.join("\n"));
    }

    /// The message of a channel in which these words are.
    #[must_use]
    pub fn find(&self, channel: Id, words: &str) -> Option<Id> {
        let state = self.inner.state();
        let found = state.messages.iter().rev().find(|message| {
            message.channel == channel && !message.deleted && transcript::one(&state, message).contains(words)
        });
        found.map(|message| message.id)
    }

    /// Messages of the bot that stand in a channel itself and everybody sees.
    #[must_use]
    pub fn posted(&self, channel: Id) -> Vec<String> {
        let state = self.inner.state();
        let here = |m: &&Message| m.channel == channel && m.author == BOT && m.only.is_none() && !m.deleted;
        state.messages.iter().filter(here).map(|message| transcript::one(&state, message)).collect()
    }

    /// How often somebody was called.
    #[must_use]
    pub fn called(&self, person: Id) -> usize {
        let state = self.inner.state();
        let calls = |message: &&Message| {
            let named = message.body["allowed_mentions"]["users"].as_array();
            let named = named.is_some_and(|all| all.iter().any(|one| one == person.to_string().as_str()));
            named && message.body["content"].as_str().is_some_and(|text| text.contains(&format!("<@{person}>")))
        };
        state.messages.iter().filter(calls).count()
    }

    /// How often those who have a role were notified: only where everybody may call it, or the bot may call all.
    #[must_use]
    pub fn role_called(&self, role: Id) -> usize {
        const CALLS_ALL: u64 = 1 << 17;
        let state = self.inner.state();
        let open = state.roles.get(&role).is_some_and(|role| role.mentionable) || state.everybody & CALLS_ALL != 0;
        let calls = |message: &&Message| {
            let named = message.body["allowed_mentions"]["roles"].as_array();
            let named = named.is_some_and(|all| all.iter().any(|one| one == role.to_string().as_str()));
            named && message.body["content"].as_str().is_some_and(|text| text.contains(&format!("<@&{role}>")))
        };
        if open { state.messages.iter().filter(calls).count() } else { 0 }
    }

    /// A moderator deletes a message.
    pub fn delete(&self, channel: Id, message: Id) {
        if let Some(found) = self.inner.state().message_mut(channel, message) {
            found.deleted = true;
        }
        self.inner.bump();
    }

    /// A thread that somebody opened in a channel.
    pub fn thread(&self, channel: Id, name: &str) -> Id {
        let mut state = self.inner.state();
        let id = state.next_id();
        state.channels.insert(id, Channel { name: name.to_owned(), kind: 11, parent: Some(channel), direct: None });
        id
    }

    /// A moderator puts a thread away and locks it.
    pub fn lock(&self, thread: Id) {
        self.inner.state().locked.insert(thread);
    }

    /// A file that was sent, by the beginning of its name.
    #[must_use]
    pub fn file(&self, begins: &str) -> Option<(String, String)> {
        let state = self.inner.state();
        let mut files = state.messages.iter().flat_map(|message| &message.files);
        let (name, content) = files.find(|(name, _)| name.starts_with(begins))?;
        Some((name.clone(), String::from_utf8_lossy(content).into_owned()))
    }

    /// The tokens of all interactions are too old from now on.
    pub fn expire(&self) {
        self.inner.state().interactions.iter_mut().for_each(|given| given.expired = true);
    }

    /// What is said from now on was said so many milliseconds ago.
    pub fn said_ago(&self, ms: i64) {
        self.inner.state().ago_ms = ms;
    }

    /// The subcommands that were told, with their slots.
    #[must_use]
    pub fn commands(&self) -> BTreeMap<String, Vec<String>> {
        let state = self.inner.state();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let of = |sub: &Value| {
            let slots = sub["options"].as_array().into_iter().flatten().map(|slot| text(&slot["name"])).collect();
            (text(&sub["name"]), slots)
        };
        state.commands[0]["options"].as_array().into_iter().flatten().map(of).collect()
    }
}
