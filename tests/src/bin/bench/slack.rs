//! Slack: from a delivery to its acknowledgement, 100 a second, while runs are in progress; and the same with Bolt for Python.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_tests::postgres::Database;
use tidegate_tests::slack::{Workspace, judges};
use tidegate_tests::slow::Slow;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::figures::{Durations, ms};
use super::serve::{end, memory_mib, wait_until_ready};
use super::world::{World, tidegate};

const RATE: u32 = 100;

/// Runs that are in progress meanwhile.
const RUNS: usize = 50;

/// A Terraform that never gets to an end.
const TERRAFORM: &str = "#!/bin/sh
[ \"$1\" != version ] || exec terraform \"$@\"
while [ -e \"$(dirname \"$0\")/hold\" ]; do sleep 1; done
exit 1
";

/// Measures, and prints the table.
pub(crate) async fn run(seconds: u32) {
    println!("| acknowledged, {RATE} commands a second | number | not within 3 s | p50 | p99 | max | RSS |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for runs in [0, RUNS] {
        with_tidegate(seconds, runs, None).await;
    }
    with_bolt(seconds).await;
}

/// The same on a PostgreSQL whose every answer takes longer, by so many milliseconds each way.
pub(crate) async fn run_slowly(seconds: u32) {
    println!(
        "| acknowledged on PostgreSQL, {RATE} commands a second | number | not within 3 s | p50 | p99 | max | RSS |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for delay_ms in [0, 5, 20] {
        with_tidegate(seconds, RUNS, Some(delay_ms)).await;
    }
}

/// On PostgreSQL where there is a delay, also of nothing; otherwise on SQLite.
async fn with_tidegate(seconds: u32, runs: usize, delay_ms: Option<u64>) {
    let slack = Arc::new(Workspace::start().await);
    let lines = format!(
        "terraform = \"./terraform\"\nparallel = {RUNS}\ndrain = \"1s\"\n\n[chat.slack]\napi_url = \"{}\"\n\
         bot_token = {{ env = \"BOT\" }}\napp_token = {{ env = \"APP\" }}\n",
        slack.api_url()
    );
    let world = World::new(RUNS, &lines);
    let database = delay_ms.map(|_| Database::apart());
    let slow = database.as_ref().map(|(_, folder)| Slow::before(folder));
    if let Some(slow) = &slow {
        world.keeps_its_ledger_at(&slow.url());
    }
    let program = world.path().join("terraform");
    std::fs::write(&program, TERRAFORM).expect("a file");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    std::fs::write(world.path().join("hold"), "").expect("a file");
    let mut command = Command::new(tidegate());
    command.arg("serve").current_dir(world.path()).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command.env("BOT", slack.bot_token()).env("APP", slack.app_token()).env("TIDEGATE_LOOPBACK_ONLY", "1");
    let mut child = command.spawn().expect("tidegate serve");
    wait_until_ready(&mut child).await;
    slack.connected(2).await;
    for number in 0..runs {
        let mut plan = Command::new(tidegate());
        plan.args(["shell", "--no-wait", "-c", &format!("plan env{number}")]).current_dir(world.path());
        let done = plan.stdout(Stdio::null()).stderr(Stdio::null()).status().await.expect("tidegate shell");
        assert!(done.success(), "{done}");
    }
    let mut what = format!("Tidegate, stored first, {runs} runs in progress");
    if let (Some(slow), Some(delay_ms)) = (&slow, delay_ms) {
        slow.delays(Duration::from_millis(delay_ms));
        what = format!("{what}, each way {delay_ms} ms longer");
    }
    measure(&slack, seconds, &what, &child).await;
    if let Some(slow) = &slow {
        slow.delays(Duration::ZERO);
    }
    std::fs::remove_file(world.path().join("hold")).expect("removed");
    end(child).await;
}

async fn with_bolt(seconds: u32) {
    let slack = Arc::new(Workspace::start().await);
    let mut command = Command::new(judges::python());
    command.arg(judges::program("bolt_ack.py")).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
    command.env("SLACK_API_URL", slack.api_url()).env("SLACK_BOT_TOKEN", slack.bot_token());
    command.env("SLACK_APP_TOKEN", slack.app_token());
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    let child = command.spawn().expect("python");
    slack.connected(1).await;
    measure(&slack, seconds, "Bolt for Python, stores nothing", &child).await;
}

/// An open loop: whatever the earlier ones take.
async fn measure(slack: &Arc<Workspace>, seconds: u32, what: &str, child: &Child) {
    let (alice, channel) = (slack.person("alice"), slack.channel("#load-test"));
    let begin = Instant::now() + Duration::from_secs(1);
    let mut tasks = JoinSet::new();
    for number in 0..RATE * seconds {
        let due = begin + Duration::from_secs(1) * number / RATE;
        let (slack, alice, channel) = (Arc::clone(slack), alice.clone(), channel.clone());
        tasks.spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let env = number as usize % RUNS;
            let words = if number % 2 == 0 { format!("status env{env}") } else { format!("up env{env}") };
            let acknowledgement = slack.command(&alice, &channel, "/tide", &words).await;
            (acknowledgement.is_ok(), acknowledgement.taken)
        });
    }
    let (mut took, mut missed) = (Durations::default(), 0);
    while let Some(done) = tasks.join_next().await {
        let (in_time, one) = done.expect("it was sent");
        missed += u32::from(!in_time);
        took.push(one);
    }
    let [rss, _] = memory_mib(child.id().expect("it runs"));
    let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percent| ms(took.percentile(percent)));
    println!("| {what} | {} | {missed} | {p50} ms | **{p99} ms** | {max} ms | {rss:.1} MiB |", took.len());
}
