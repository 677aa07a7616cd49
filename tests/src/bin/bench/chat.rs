//! Chats: what `tidegate serve` costs while nobody says anything in them.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use tidegate_tests::discord::Server;
use tidegate_tests::slack::Workspace;
use tokio::process::Command;

use super::serve::{end, memory_mib, processor_time, wait_until_ready};
use super::world::{World, tidegate};

/// Before memory is looked at.
const SETTLE: Duration = Duration::from_secs(10);

/// For how long processor time is counted.
const IDLE: Duration = Duration::from_secs(30);

/// Measures, and prints the tables.
pub(crate) async fn run() {
    println!("| idle `tidegate serve` with | RSS | of it private | processor time |");
    println!("| --- | --- | --- | --- |");
    for (what, in_slack, in_discord) in
        [("no chat", false, false), ("Slack", true, false), ("Discord", false, true), ("both", true, true)]
    {
        idle(what, in_slack, in_discord).await;
    }
}

async fn idle(what: &str, in_slack: bool, in_discord: bool) {
    let (slack, discord) = (Workspace::start().await, Server::start().await);
    let (_, _) = (slack.channel("#load-test"), discord.channel("load-test"));
    let mut lines = String::new();
    if in_slack {
        let _ = write!(
            lines,
            "\n[chat.slack]\napi_url = \"{}\"\nbot_token = {{ env = \"BOT\" }}\napp_token = {{ env = \"APP\" }}\n",
            slack.api_url()
        );
    }
    if in_discord {
        let _ = write!(
            lines,
            "\n[chat.discord]\napi_url = \"{}\"\nbot_token = {{ env = \"DISCORD\" }}\napplication = \"{}\"\nguild = \"{}\"\n",
            discord.url(),
            discord.application(),
            discord.guild()
        );
    }
    let world = World::new(1, &lines);
    let mut command = Command::new(tidegate());
    command.arg("serve").current_dir(world.path()).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command.env("BOT", slack.bot_token()).env("APP", slack.app_token()).env("DISCORD", discord.token());
    command.env("TIDEGATE_LOOPBACK_ONLY", "1");
    let mut child = command.spawn().expect("tidegate serve");
    wait_until_ready(&mut child).await;
    if in_slack {
        slack.connected(2).await;
    }
    if in_discord {
        discord.until_connected(1).await;
    }
    let pid = child.id().expect("it runs");
    tokio::time::sleep(SETTLE).await;
    let [rss, private] = memory_mib(pid);
    let before = processor_time(pid);
    tokio::time::sleep(IDLE).await;
    let busy = (processor_time(pid).saturating_sub(before)).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
    end(child).await;
    println!("| {what} | **{rss:.1} MiB** | {private:.1} MiB | {busy:.2} % of a core |");
}
