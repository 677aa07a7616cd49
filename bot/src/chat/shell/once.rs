//! `shell -c`: one command, its answer, its run to the end, and an exit status that says what became of it.

use std::process::ExitCode;

use tidegate_runner::domain::answer::{Actor, RunDetail};
use tidegate_runner::domain::ids::RunNumber;
use tokio::signal::unix::{SignalKind, signal};

use super::{DOOR, Screen, local_offset, message};
use crate::cards::Card;
use crate::conversation::{self, Hope, Verdict, exit_status};
use crate::follow::{Rest, follow};
use tidegate_runner::house::House;

/// Exit status for a fault of ours.
const FAULT: u8 = 1;

/// What `-c` was told.
#[derive(Debug)]
pub struct Once {
    /// The command.
    pub line: String,
    /// Wait for the end of its run.
    pub wait: bool,
}

/// Runs one command.
pub async fn once(mut house: House, actor: Actor, once: &Once, mut screen: Screen) -> ExitCode {
    if !once.wait && !house.an_engine_lives().await {
        let what = "`--no-wait` needs a process that carries out runs, and none lives: start `tidegate serve`, or leave it out";
        return crate::cli::fail(what);
    }
    let offset = local_offset();
    let reply = conversation::reply(&house.desk, &message(&actor, &once.line), offset).await;
    screen.card(&reply.card);
    let status = match (reply.verdict, reply.follow) {
        (Verdict::Done, Some((run, hope))) if once.wait => {
            house.start_engine();
            let status = wait(&house, run, hope, &mut screen).await;
            if let Err(error) = house.desk.told(DOOR, &actor, run).await {
                tracing::warn!(%error, "a message will be shown again at the next start");
            }
            status
        }
        (Verdict::Done, _) => 0,
        (Verdict::NotUnderstood, _) => 2,
        (Verdict::Refused, _) => 3,
        (Verdict::Fault, _) => FAULT,
    };
    house.close().await;
    ExitCode::from(status)
}

async fn wait(house: &House, run: RunNumber, hope: Hope, screen: &mut Screen) -> u8 {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else {
        tracing::error!("cannot listen for signals");
        return FAULT;
    };
    let show = |card: &Card, _: &RunDetail, last: bool| screen.live(card, last);
    let rest = tokio::select! {
        rest = follow(&house.desk, &house.bell, run, local_offset(), show) => Some(rest),
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
    };
    match rest {
        Some(Ok(Rest::Ended(outcome))) => exit_status(hope, Some(outcome)),
        Some(Ok(Rest::Unknown)) => exit_status(hope, None),
        Some(Err(error)) => {
            screen.card(&conversation::fault(&error).card);
            FAULT
        }
        None => {
            screen.note(&format!("Not waiting any longer. Run {run} is not over: `show {run}`, `cancel {run}`."));
            exit_status(hope, None)
        }
    }
}
