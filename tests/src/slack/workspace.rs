//! The handle that a test holds: starting, people and places, trouble.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

use super::delivery::{Acknowledgement, Addresses, again};
use super::faults::Refusal;
use super::ids::{ChannelId, GroupId, UserId};
use super::inner::Inner;
use super::server;
use super::state::{BOT, BOT_USER, Channel, Group, Kind, Person, TEAM};

/// A Slack with one workspace, one app and no people yet. Dropping it ends it.
pub struct Workspace {
    pub(crate) inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.inner.delivery().close_all();
        self.server.abort();
    }
}

/// Trouble that was set: without more it lasts until [`Workspace::accept`].
#[must_use]
pub struct Trouble<'a> {
    workspace: &'a Workspace,
    id: u64,
}

impl Trouble<'_> {
    /// It ends after so many calls.
    pub fn for_calls(self, calls: u32) {
        self.workspace.inner.faults().limit(self.id, calls);
    }

    /// It lasts until [`Workspace::accept`].
    pub fn lasting(self) {}
}

impl Workspace {
    /// Starts it on a free port of the loopback interface.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("its port");
        let inner = Arc::new(Inner::new(format!("http://{address}")));
        let id = UserId(BOT_USER.into());
        let bot = Person {
            id: id.clone(),
            name: "tidegate".into(),
            kind: Kind::Bot,
            deleted: false,
            bot_id: Some(BOT.into()),
            zone: "UTC".into(),
        };
        inner.state().people.insert(id, bot);
        let router = server::router(inner.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { inner, server }
    }

    /// The base of the Web API, without a slash at the end: `http://127.0.0.1:PORT/api`.
    #[must_use]
    pub fn api_url(&self) -> String {
        format!("{}/api", self.inner.base)
    }

    /// The bot's token, `xoxb-..`.
    #[must_use]
    pub fn bot_token(&self) -> &str {
        &self.inner.bot_token
    }

    /// The app's token for Socket Mode, `xapp-..`.
    #[must_use]
    pub fn app_token(&self) -> &str {
        &self.inner.app_token
    }

    /// What signs HTTP requests.
    #[must_use]
    pub fn signing_secret(&self) -> &str {
        &self.inner.signing_secret
    }

    /// The workspace's team id.
    #[must_use]
    pub fn team(&self) -> &str {
        TEAM
    }

    /// The app's bot user.
    #[must_use]
    pub fn me(&self) -> UserId {
        UserId(BOT_USER.into())
    }

    fn someone(&self, name: &str, kind: Kind) -> UserId {
        let mut state = self.inner.state();
        if let Some(person) = state.named(name) {
            return person.id.clone();
        }
        let id = UserId(state.new_id('U'));
        let bot_id = (kind == Kind::Bot).then(|| state.new_id('B'));
        let person =
            Person { id: id.clone(), name: name.into(), kind, deleted: false, bot_id, zone: "Asia/Tokyo".into() };
        state.people.insert(id.clone(), person);
        // Ordinary people see every public channel.
        for channel in state.channels.values_mut().filter(|channel| channel.direct.is_none() && !channel.private) {
            channel.members.insert(id.clone());
        }
        id
    }

    /// A person of the workspace, made at the first call with this name; a member of every public channel.
    #[must_use]
    pub fn person(&self, name: &str) -> UserId {
        self.someone(name, Kind::Person)
    }

    /// A guest.
    #[must_use]
    pub fn guest(&self, name: &str) -> UserId {
        self.someone(name, Kind::Guest)
    }

    /// Another app's bot.
    #[must_use]
    pub fn bot(&self, name: &str) -> UserId {
        self.someone(name, Kind::Bot)
    }

    /// Somebody of another team, in shared channels.
    #[must_use]
    pub fn stranger(&self, name: &str) -> UserId {
        self.someone(name, Kind::Stranger)
    }

    /// Somebody has left: their account is deactivated.
    pub fn leaves(&self, person: &UserId) {
        if let Some(person) = self.inner.state().people.get_mut(person) {
            person.deleted = true;
        }
    }

    /// Somebody who had left is back.
    pub fn returns(&self, person: &UserId) {
        if let Some(person) = self.inner.state().people.get_mut(person) {
            person.deleted = false;
        }
    }

    /// A user group with these members; a second call changes them.
    #[must_use]
    pub fn group(&self, handle: &str, members: &[&UserId]) -> GroupId {
        let mut state = self.inner.state();
        let known = state.groups.values().find(|group| group.handle == handle).map(|group| group.id.clone());
        let id = known.unwrap_or_else(|| GroupId(state.new_id('S')));
        let users = members.iter().map(|user| (*user).clone()).collect();
        state.groups.insert(id.clone(), Group { id: id.clone(), handle: handle.into(), users });
        id
    }

    /// A public channel by its name, made at the first call, with the app and everybody in it.
    #[must_use]
    pub fn channel(&self, name: &str) -> ChannelId {
        self.make(name, false, true)
    }

    /// A private channel with the app in it.
    #[must_use]
    pub fn private_channel(&self, name: &str) -> ChannelId {
        self.make(name, true, true)
    }

    /// A public channel without the app.
    #[must_use]
    pub fn foreign_channel(&self, name: &str) -> ChannelId {
        self.make(name, false, false)
    }

    fn make(&self, name: &str, private: bool, with_app: bool) -> ChannelId {
        let name = name.strip_prefix('#').unwrap_or(name);
        let mut state = self.inner.state();
        if let Some(channel) = state.channels.values().find(|channel| channel.direct.is_none() && channel.name == name)
        {
            return channel.id.clone();
        }
        let id = ChannelId(state.new_id('C'));
        let mut members: HashSet<UserId> = state.people.keys().cloned().collect();
        if !with_app {
            members.remove(&UserId(BOT_USER.into()));
        }
        let (archived, shared, direct) = (false, false, None);
        state.channels.insert(
            id.clone(),
            Channel { id: id.clone(), name: name.into(), private, archived, shared, direct, members },
        );
        id
    }

    /// Changes a channel: archives it, or shares it with the strangers' team.
    pub fn set_channel(&self, channel: &ChannelId, archived: bool, shared: bool) {
        if let Some(channel) = self.inner.state().channels.get_mut(channel) {
            (channel.archived, channel.shared) = (archived, shared);
        }
    }

    /// Somebody takes the app out of a channel, or invites it.
    pub fn set_member(&self, channel: &ChannelId, is_there: bool) {
        if let Some(channel) = self.inner.state().channels.get_mut(channel) {
            if is_there {
                channel.members.insert(UserId(BOT_USER.into()));
            } else {
                channel.members.remove(&UserId(BOT_USER.into()));
            }
        }
    }

    /// Somebody gives a channel another name.
    pub fn rename(&self, channel: &ChannelId, name: &str) {
        if let Some(channel) = self.inner.state().channels.get_mut(channel) {
            name.trim_start_matches('#').clone_into(&mut channel.name);
        }
    }

    /// The direct conversation between the app and this person.
    #[must_use]
    pub fn direct_channel(&self, person: &UserId) -> ChannelId {
        self.inner.state().direct(person)
    }

    /// The bot's token is another app's than the one for which everything is delivered.
    pub fn bot_of_another_app(&self) {
        self.inner.settings().app_of_bot = "A0OTHER";
    }

    /// What the bot's token may do, in place of what it could.
    pub fn scopes(&self, scopes: &[&str]) {
        self.inner.settings().scopes = scopes.iter().map(ToString::to_string).collect();
    }

    /// What the bot's token may do.
    #[must_use]
    pub fn granted(&self) -> Vec<String> {
        self.inner.settings().scopes.clone()
    }

    /// The signature of this body at this time, in seconds since 1970.
    #[must_use]
    pub fn sign(&self, time: &str, body: &str) -> String {
        super::http::sign(&self.inner.signing_secret, time, body)
    }

    /// What is said from now on was said so long ago; zero: now.
    pub fn said_ago(&self, ago: Duration) {
        self.inner.state().ago = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
    }

    /// How long Slack waits for an acknowledgement and how long a trigger lives; 3 s unless set.
    pub fn patience(&self, patience: Duration) {
        self.inner.settings().patience = patience;
    }

    /// Makes calls of a method (`*`: of all) go wrong.
    pub fn refuse(&self, method: &str, refusal: Refusal) -> Trouble<'_> {
        Trouble { workspace: self, id: self.inner.faults().add(method, refusal) }
    }

    /// Takes back every refusal and delay of a method (`*`: all).
    pub fn accept(&self, method: &str) {
        self.inner.faults().clear(method);
    }

    /// Delays each answer of a method (`*`: of all).
    pub fn delay(&self, method: &str, delay: Duration) {
        self.inner.faults().delay(method, delay);
    }

    /// Switches Slack's rate limits on: one message a second in a channel, calls a minute of each method.
    pub fn limit_rates(&self) {
        self.inner.faults().limits = true;
    }

    /// Delivers by signed HTTP to `BASE/slack/events`, `/slack/commands` and `/slack/actions` instead of Socket Mode.
    pub fn over_http(&self, base: &str) {
        let at = |what: &str| format!("{}/slack/{what}", base.trim_end_matches('/'));
        let (events, commands, interactive) = (at("events"), at("commands"), at("actions"));
        self.inner.delivery().addresses = Some(Addresses { events, commands, interactive });
    }

    /// Delivers everything by signed HTTP to this one address.
    pub fn over_http_at(&self, url: &str) {
        let (events, commands, interactive) = (url.to_owned(), url.to_owned(), url.to_owned());
        self.inner.delivery().addresses = Some(Addresses { events, commands, interactive });
    }

    /// Sends all that was not acknowledged again, marked as a retry.
    pub async fn redeliver(&self) -> Vec<Acknowledgement> {
        let envelopes = self.inner.delivery().take_unacknowledged();
        let sent = envelopes.into_iter().map(|envelope| again(&self.inner, envelope));
        futures_util::future::join_all(sent).await
    }

    /// Sends what the last act of a person made again, though it was acknowledged: Slack delivers at least once.
    pub async fn repeat(&self) -> Vec<Acknowledgement> {
        let mut envelopes = self.inner.delivery().last();
        for envelope in &mut envelopes {
            (envelope.attempt, envelope.reason) = (envelope.attempt + 1, "timeout");
        }
        futures_util::future::join_all(envelopes.into_iter().map(|envelope| again(&self.inner, envelope))).await
    }

    /// How many things wait to be sent again.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.inner.delivery().unacknowledged()
    }

    /// Tells every connection to go (`warning`, `refresh_requested`, `link_disabled`); all but a warning end it.
    pub fn disconnect(&self, reason: &str) {
        self.inner.delivery().say_disconnect(reason);
    }

    /// Asks for the oldest connection alone to be renewed, as Slack does every few hours.
    pub fn refresh_one(&self) {
        self.inner.delivery().say_refresh();
    }

    /// Leaves the connections open and dead: nothing is read or written any more. New connections live.
    pub fn half_open(&self) {
        self.inner.delivery().mute_all();
        self.inner.bump();
    }

    /// How many living connections there are.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.inner.delivery().sockets()
    }
}
