//! Answering commands: 100 a second, whatever the earlier ones take, with an engine at work and a queue that grows.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate::conversation::{self, Verdict};
use tidegate::zone::Zone;
use tokio::task::JoinSet;

use super::figures::{Durations, ms};
use super::world::{World, message, order};

const RATE: u32 = 100;

const ENVIRONMENTS: usize = 200;

/// A Terraform that never gets to an end, so that the one run which may go on keeps all others waiting.
const TERRAFORM: &str = "#!/bin/sh
[ \"$1\" != version ] || exec terraform \"$@\"
while [ -e \"$(dirname \"$0\")/hold\" ]; do sleep 0.2; done
exit 1
";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Accepted,
    Refused,
    Question,
    NotUnderstood,
}

/// Measures, and prints the table.
pub(crate) async fn run(seconds: u32) {
    let world = World::new(ENVIRONMENTS, "terraform = \"./terraform\"\nparallel = 1\ndrain = \"1s\"");
    let program = world.path().join("terraform");
    std::fs::write(&program, TERRAFORM).expect("a file");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    std::fs::write(world.path().join("hold"), "").expect("a file");
    let house = Arc::new(world.house().await);
    conversation::reply(&house.desk, &order("plan env0"), Zone::UTC).await;

    let begin = Instant::now() + Duration::from_millis(100);
    let mut tasks = JoinSet::new();
    for number in 0..RATE * seconds {
        let due = begin + Duration::from_secs(1) * number / RATE;
        let house = Arc::clone(&house);
        let (kind, message) = command(number);
        tasks.spawn(async move {
            tokio::time::sleep_until(due.into()).await;
            let reply = conversation::reply(&house.desk, &message, Zone::UTC).await;
            // From when it was due: an answer that came late because others were slow is late.
            (kind, reply.verdict, due.elapsed())
        });
    }
    let mut took: [Durations; 5] = std::array::from_fn(|_| Durations::default());
    while let Some(done) = tasks.join_next().await {
        let (kind, verdict, duration) = done.expect("an answer");
        let expected = match kind {
            Kind::Accepted | Kind::Question => Verdict::Done,
            Kind::Refused => Verdict::Refused,
            Kind::NotUnderstood => Verdict::NotUnderstood,
        };
        assert_eq!(verdict, expected, "{kind:?}");
        took[0].push(duration);
        took[kind as usize + 1].push(duration);
    }
    println!("| commands, {RATE} a second | number | p50 | p99 | max |");
    println!("| --- | --- | --- | --- | --- |");
    let names =
        ["all", "accepted (run, event, audit, commit)", "refused (audit, commit)", "questions", "not understood"];
    for (name, took) in names.iter().zip(&took) {
        let [p50, p99, max] = [50.0, 99.0, 100.0].map(|percent| ms(took.percentile(percent)));
        println!("| {name} | {} | {p50} ms | **{p99} ms** | {max} ms |", took.len());
    }
    std::fs::remove_file(world.path().join("hold")).expect("removed");
    if let Ok(house) = Arc::try_unwrap(house) {
        house.close().await;
    }
}

/// Half of them are accepted, the rest is questions, refusals and mistakes, as in a channel.
fn command(number: u32) -> (Kind, tidegate_runner::desk::Message) {
    let env = (number as usize * 7) % (ENVIRONMENTS - 1) + 1;
    match number % 10 {
        0 | 5 => (Kind::Accepted, order(&format!("up env{env} full slaves={number} because the test begins"))),
        2 | 7 => (Kind::Accepted, order(&format!("plan env{env} full slaves={number}"))),
        4 => (Kind::Accepted, order(&format!("plan env{env}"))),
        1 | 6 => (Kind::Question, order(&format!("status env{env}"))),
        3 => (Kind::Question, order(&format!("history env{env}"))),
        8 => (Kind::Refused, message("mallory", &format!("up env{env}"))),
        _ => (Kind::NotUnderstood, order(&format!("up env{env} slavs=3"))),
    }
}
