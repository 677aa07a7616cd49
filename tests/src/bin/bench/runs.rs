//! `up` and `down` of one stack: through a shell script, through a chat in this process, and through `tidegate shell -c`.
//! Every round does all of them, each round in another order, so that a slow moment of the machine hits all alike.

use std::process::Stdio;
use std::time::Duration;

use super::figures::{Durations, ratio};
use super::serve::wait_until_ready;
use super::world::{World, carry_out, order, tidegate};

/// Rounds before the ones that count.
const WARM_UP: u32 = 2;

/// One way to do it, and what it took.
#[derive(Debug, Default)]
struct Way {
    up: Durations,
    down: Durations,
}

/// Measures both, and prints the table.
pub(crate) async fn run(rounds: u32) {
    println!("| from | command | script | chat | ratio | `shell -c` | ratio |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let [script, chat, shell] = Box::pin(warm(rounds)).await;
    tell("warm", &script, &chat, &shell);
    let ([script, chat, shell], bare) = Box::pin(cold(rounds)).await;
    tell("cold", &script, &chat, &shell);
    tell("cold, but for the script's checkout", &bare, &chat, &shell);
}

fn tell(from: &str, script: &Way, chat: &Way, shell: &Way) {
    let lines = [("up", &script.up, &chat.up, &shell.up), ("down", &script.down, &chat.down, &shell.down)];
    for (command, script, chat, shell) in lines.into_iter().filter(|(_, script, ..)| script.len() > 0) {
        println!(
            "| {from} | {command} | {} | {} | **{:.2}** | {} | {:.2} |",
            script.told(),
            chat.told(),
            ratio(chat, script),
            shell.told(),
            ratio(shell, script)
        );
    }
}

/// Roots that are initialised, processes that live.
async fn warm(rounds: u32) -> [Way; 3] {
    let [by_script, by_chat, by_shell] = [World::new(1, ""), World::new(1, ""), World::new(1, "")];
    let house = by_chat.house().await;
    let mut serve = tokio::process::Command::new(tidegate())
        .arg("serve")
        .current_dir(by_shell.path())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("tidegate serve");
    wait_until_ready(&mut serve).await;
    let mut ways: [Way; 3] = std::array::from_fn(|_| Way::default());
    for round in 0..WARM_UP + rounds {
        for (up, slaves, line) in [(true, 5, "up env0 full"), (false, 0, "down env0 small")] {
            for place in 0..3 {
                let way = (place + round as usize) % 3;
                let took = match way {
                    0 => by_script.script(slaves),
                    1 => carry_out(&house, &order(line)).await,
                    _ => by_shell.shell(line),
                };
                if round >= WARM_UP {
                    note(&mut ways[way], up, took);
                }
            }
        }
    }
    house.close().await;
    ways
}

/// New folders each time: no checkout, no data folder, no `.terraform`. The chat's process lives and has an empty ledger, the
/// shell's process begins with making one. The script begins with `git clone`; the last of the answer is it without that.
async fn cold(rounds: u32) -> ([Way; 3], Way) {
    let mut bare = Way::default();
    let mut ways: [Way; 3] = std::array::from_fn(|_| Way::default());
    for round in 0..WARM_UP + rounds {
        let [by_script, by_chat, by_shell] = [World::new(1, ""), World::new(1, ""), World::new(1, "")];
        let house = by_chat.house().await;
        // Else the first commit of the ledger would wait for what was only just written here.
        rustix::fs::sync();
        for place in 0..3 {
            let way = (place + round as usize) % 3;
            let took = match way {
                0 => {
                    let [clone, script] = by_script.clone_and_script(5);
                    if round >= WARM_UP {
                        note(&mut bare, true, script);
                    }
                    clone + script
                }
                1 => carry_out(&house, &order("up env0 full")).await,
                _ => by_shell.shell("up env0 full"),
            };
            if round >= WARM_UP {
                note(&mut ways[way], true, took);
            }
        }
        house.close().await;
    }
    (ways, bare)
}

fn note(way: &mut Way, up: bool, took: Duration) {
    if up { way.up.push(took) } else { way.down.push(took) }
}
