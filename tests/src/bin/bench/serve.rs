//! `tidegate serve`: from its start until it is ready, and what it costs while nobody asks for anything.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::figures::Durations;
use super::world::{World, tidegate};

const STARTS: usize = 10;

/// Before memory is looked at.
const SETTLE: Duration = Duration::from_secs(10);

/// For how long processor time is counted.
const IDLE: Duration = Duration::from_secs(30);

/// Measures, and prints the table.
pub(crate) async fn run() {
    println!("| `tidegate serve` with | first start | later starts | RSS | of it private | processor time idle |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for environments in [1, 1_000] {
        let world = World::new(environments, "");
        let mut later = Durations::default();
        let (first, child) = start(&world).await;
        end(child).await;
        for _ in 0..STARTS {
            let (took, child) = start(&world).await;
            later.push(took);
            end(child).await;
        }
        let (_, child) = start(&world).await;
        let pid = child.id().expect("it runs");
        tokio::time::sleep(SETTLE).await;
        let [rss, private] = memory_mib(pid);
        let before = processor_time(pid);
        tokio::time::sleep(IDLE).await;
        let busy = (processor_time(pid).saturating_sub(before)).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
        end(child).await;
        println!(
            "| {environments} environments | {} ms | {} | {rss:.1} MiB | {private:.1} MiB | {busy:.2} % of a core |",
            first.as_millis(),
            later.told()
        );
    }
}

async fn start(world: &World) -> (Duration, Child) {
    let mut command = Command::new(tidegate());
    command.arg("serve").current_dir(world.path()).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let begin = Instant::now();
    let mut child = command.spawn().expect("tidegate serve");
    wait_until_ready(&mut child).await;
    (begin.elapsed(), child)
}

/// Reads its log until it says that it is ready; the rest of the log is read by nobody.
pub(crate) async fn wait_until_ready(child: &mut Child) {
    let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
    while let Some(line) = lines.next_line().await.expect("text") {
        if line.contains(" ready") {
            // Read on: a full or broken pipe would disturb it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return;
        }
    }
    panic!("it ended before it was ready");
}

pub(crate) async fn end(mut child: Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
    rustix::process::kill_process(pid.expect("it runs"), rustix::process::Signal::TERM).expect("signalled");
    child.wait().await.expect("its end");
}

/// Resident memory, and what of it no other process shares. Source: proc(5), `smaps_rollup`.
pub(crate) fn memory_mib(pid: u32) -> [f64; 2] {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("smaps_rollup");
    let kib = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.trim_matches([':', ' ', 'k', 'B']).parse().ok()).unwrap_or(0.0)
    };
    [kib("Rss"), kib("Private_Clean") + kib("Private_Dirty")].map(|kib| kib / 1024.0)
}

/// Processor time of all threads. Source: `/proc/PID/task/TID/schedstat`, the first field, in nanoseconds.
pub(crate) fn processor_time(pid: u32) -> Duration {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten();
    let nanos = tasks.filter_map(|task| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}
