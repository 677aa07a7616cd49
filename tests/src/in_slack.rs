//! A yard whose Tidegate speaks in a Slack for tests.

use crate::process::Process;
use crate::slack::{ChannelId, UserId, Workspace};
use crate::yard::{Layout, Yard};

/// Slack, a yard with the environment `shop` (the one stack `app`), its channel, and its owner.
pub struct InSlack {
    /// The workspace.
    pub slack: Workspace,
    /// The yard.
    pub yard: Yard,
    /// The channel of `shop`.
    pub channel: ChannelId,
    /// The owner of `shop`.
    pub alice: UserId,
}

impl InSlack {
    /// Lays it out; nothing is started yet.
    pub async fn lay() -> Self {
        Self::lay_with("").await
    }

    /// The same with more lines in `[chat.slack]`.
    pub async fn lay_with(lines: &str) -> Self {
        Self::lay_on(lines, "sqlite:tidegate.db").await
    }

    /// The same with another ledger.
    pub async fn lay_on(lines: &str, database: &str) -> Self {
        Self::lay_whole(lines, database, &[]).await
    }

    /// The same with further owners of `shop`, who are on call.
    pub async fn lay_owned_by(others: &[&str], lines: &str) -> Self {
        Self::lay_whole(lines, "sqlite:tidegate.db", others).await
    }

    async fn lay_whole(lines: &str, database: &str, others: &[&str]) -> Self {
        let slack = Workspace::start().await;
        let channel = slack.channel("#load-test");
        let alice = slack.person("alice");
        let chat = format!(
            "[chat.slack]\napi_url = \"{}\"\nbot_token = {{ env = \"BOT\" }}\napp_token = {{ env = \"APP\" }}\nsigning_secret = \
             {{ env = \"SIGNING\" }}\n{lines}",
            slack.api_url()
        );
        let others: Vec<String> =
            others.iter().map(|name| format!("\"slack:{}\"", slack.person(name).as_str())).collect();
        let others = others.join(", ");
        let shop = format!(
            "channel = \"#load-test\"\nowners = [\"slack:{}\", \"local:{}\", {others}]\noncall = [{others}]\n",
            alice.as_str(),
            crate::yard::me()
        );
        let yard = Layout::new().database(database).top(&chat).environment_with("shop", &shop, &[("app", &[])]).lay();
        Self { slack, yard, channel, alice }
    }

    /// Adds environments like `shop`, each with a root and a name of its own.
    ///
    /// # Panics
    /// When `shop` is not in the configuration.
    pub fn lay_more(&self, names: &[&str], channel: &str) {
        let text = self.yard.read("tidegate.toml");
        let (_, shop) = text.split_once("[environments.shop]").expect("shop");
        let root = self.yard.read("roots/shop/app/main.tf");
        let mut all = format!("{}\n", text.trim_end());
        for name in names {
            self.yard.write(&format!("roots/{name}/app/main.tf"), &root);
            let another = shop.replace("shop", name).replace("#load-test", channel);
            for piece in ["\n[environments.", name, "]", another.trim_end(), "\n"] {
                all.push_str(piece);
            }
        }
        self.yard.write("tidegate.toml", &all);
    }

    /// Starts `serve` without waiting for it.
    pub fn start(&self) -> Process {
        self.start_with("")
    }

    /// The same with an address in `HOOK`.
    pub fn start_with(&self, webhook: &str) -> Process {
        let env = [
            ("HOOK", webhook),
            ("BOT", self.slack.bot_token()),
            ("APP", self.slack.app_token()),
            ("SIGNING", self.slack.signing_secret()),
            ("TIDEGATE_LOOPBACK_ONLY", "1"),
        ];
        self.yard.start(&["serve"], &env)
    }

    /// Starts `serve` that listens for HTTP on a port of its choice, and gives it with that address.
    ///
    /// # Panics
    /// When it does not say which.
    pub async fn serve_http(&self) -> (Process, String) {
        let serve = self.start();
        let said = |err: &str| {
            let line = err.lines().find(|line| line.contains("listening for HTTP"))?;
            let port = line.split("127.0.0.1:").nth(1)?;
            Some(port.chars().take_while(char::is_ascii_digit).collect::<String>()).filter(|port| !port.is_empty())
        };
        let port = self.yard.wait("HTTP is listened to", async || said(&serve.err())).await;
        (serve, format!("127.0.0.1:{port}"))
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

    /// Starts `serve`, and waits until it hears.
    pub async fn serve(&self) -> Process {
        let serve = self.start();
        self.yard.wait("Slack is listened to", async || serve.err().contains("listening to Slack").then_some(())).await;
        serve
    }

    /// Now, in seconds since 1970, as a file tells it that is written now.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.yard.write("now", "");
        let written = std::fs::metadata(self.yard.file("now")).and_then(|file| file.modified()).expect("a time");
        written.duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs()
    }

    /// Types `/tide ...` as the owner, in the channel.
    pub async fn tide(&self, words: &str) {
        self.slack.command(&self.alice, &self.channel, "/tide", words).await.accepted();
    }

    /// Waits until the channel reads so.
    pub async fn reads(&self, words: &str) -> String {
        self.slack.reads(&self.channel, words).await
    }
}
