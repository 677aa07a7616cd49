//! A yard whose Tidegate speaks in a Discord for tests, and where it is wanted in a Slack, too.

use crate::discord::{Id, Server};
use crate::process::Process;
use crate::slack::Workspace;
use crate::yard::{Layout, Yard};

/// Discord, a yard with the environment `shop` (the one stack `app`), its channel, and its owner.
pub struct InDiscord {
    /// The server.
    pub discord: Server,
    /// The workspace, where both are configured.
    pub slack: Option<Workspace>,
    /// The yard.
    pub yard: Yard,
    /// The channel of `shop`.
    pub channel: Id,
    /// The owner of `shop`.
    pub alice: Id,
}

impl InDiscord {
    /// Lays it out; nothing is started yet.
    pub async fn lay() -> Self {
        Self::lay_whole("", "sqlite:tidegate.db", false).await
    }

    /// The same with more lines in `[chat.discord]`.
    pub async fn lay_with(lines: &str) -> Self {
        Self::lay_whole(lines, "sqlite:tidegate.db", false).await
    }

    /// The same with another ledger.
    pub async fn lay_on(database: &str) -> Self {
        Self::lay_whole("", database, false).await
    }

    /// The same with Slack beside it, in which `alice` owns `shop`, too.
    pub async fn lay_beside_slack() -> Self {
        Self::lay_whole("", "sqlite:tidegate.db", true).await
    }

    async fn lay_whole(lines: &str, database: &str, both: bool) -> Self {
        let discord = Server::start().await;
        let (channel, alice) = (discord.channel("load-test"), discord.person("alice"));
        let mut chat = format!(
            "[chat.discord]\napi_url = \"{}\"\nbot_token = {{ env = \"DISCORD\" }}\napplication = \"{}\"\nguild = \"{}\"\n{lines}\n",
            discord.url(),
            discord.application(),
            discord.guild()
        );
        let slack = if both { Some(Workspace::start().await) } else { None };
        let mut owners = format!("\"discord:{alice}\", \"local:{}\"", crate::yard::me());
        if let Some(slack) = &slack {
            let _ = slack.channel("#load-test");
            owners = format!("{owners}, \"slack:{}\"", slack.person("alice").as_str());
            chat = format!(
                "{chat}[chat.slack]\napi_url = \"{}\"\nbot_token = {{ env = \"BOT\" }}\napp_token = {{ env = \"APP\" }}\n",
                slack.api_url()
            );
        }
        let shop = format!("channel = \"#load-test\"\nowners = [{owners}]\n");
        let yard = Layout::new().database(database).top(&chat).environment_with("shop", &shop, &[("app", &[])]).lay();
        Self { discord, slack, yard, channel, alice }
    }

    /// Starts `serve` without waiting for it.
    pub fn start(&self) -> Process {
        self.start_with("")
    }

    /// The same with an address in `HOOK`.
    pub fn start_with(&self, webhook: &str) -> Process {
        let slack = self.slack.as_ref();
        let env = [
            ("HOOK", webhook),
            ("DISCORD", self.discord.token()),
            ("BOT", slack.map_or("", |slack| slack.bot_token())),
            ("APP", slack.map_or("", |slack| slack.app_token())),
            ("TIDEGATE_LOOPBACK_ONLY", "1"),
        ];
        self.yard.start(&["serve"], &env)
    }

    /// Starts `serve`, and waits until it hears.
    pub async fn serve(&self) -> Process {
        let serve = self.start();
        let heard = |err: &str| {
            err.contains("listening to Discord") && (self.slack.is_none() || err.contains("listening to Slack"))
        };
        self.yard.wait("the chats are listened to", async || heard(&serve.err()).then_some(())).await;
        serve
    }

    /// Types `/tide text` as the owner, in the channel.
    pub async fn tide(&self, words: &str) {
        self.discord.tide(self.alice, self.channel, words).await;
    }

    /// Waits until the channel reads so.
    pub async fn reads(&self, words: &str) -> String {
        self.discord.reads(self.channel, words).await
    }

    /// Waits until everything that was heard is answered, and all that was to be said is said, and the cards of
    /// runs that are over show it.
    pub async fn settled(&self) {
        const OPEN: &str = "SELECT (SELECT COUNT(*) FROM inbox WHERE reply IS NOT NULL AND told_at IS NULL) + \
                            (SELECT COUNT(*) FROM outbox WHERE kind = 'post' AND sent_at IS NULL) + \
                            (SELECT COUNT(*) FROM cards c JOIN runs r ON r.number = c.run_number \
                             WHERE r.ended_at IS NOT NULL AND NOT c.settled)";
        self.yard.wait("that all is answered", async || (self.yard.number(OPEN).await == 0).then_some(())).await;
    }
}
