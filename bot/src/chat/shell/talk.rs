//! The chat in a terminal: a prompt, answers, and the card of the run that was just asked for. Ctrl-C leaves the card and
//! gives the prompt back; the run goes on, and its end is told above the prompt.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tidegate_runner::domain::answer::{Actor, RunDetail};
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::RunState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::prompt::{Printer, Prompt, Typed};
use super::{Screen, local_offset, message};
use crate::cards::Card;
use crate::conversation::{self, fault, reply};
use crate::follow::follow;
use crate::house::House;

/// Talks until the person leaves.
pub async fn talk(house: House, actor: Actor, history: &Path, mut screen: Screen) -> ExitCode {
    let config = house.config();
    let prompt = match Prompt::open(&actor.name, history, &config, screen.style()) {
        Ok(prompt) => prompt,
        Err(error) => return crate::cli::fail(&format!("this terminal cannot be talked in: {error}")),
    };
    let printer = prompt.printer();
    let mut prompt = Some(prompt);
    while let Some(mut asking) = prompt.take() {
        // Reading a line blocks; the engine goes on meanwhile.
        let Ok((back, typed)) = tokio::task::spawn_blocking(move || {
            let typed = asking.read();
            (asking, typed)
        })
        .await
        else {
            break;
        };
        match typed {
            Typed::Line(line) if line.trim().is_empty() => {}
            Typed::Line(line) if matches!(line.trim(), "exit" | "quit" | "bye") => break,
            Typed::Line(line) => answer(&house, &actor, &line, &mut screen, printer.as_ref()).await,
            Typed::Interrupted => screen.note("Ctrl-D leaves; `cancel` stops a run."),
            Typed::End => break,
            Typed::Broken(error) => {
                screen.note(&format!("the terminal is gone: {error}"));
                break;
            }
        }
        prompt = Some(back);
    }
    leave(house, &mut screen).await
}

async fn answer(house: &House, actor: &Actor, line: &str, screen: &mut Screen, printer: Option<&Arc<Printer>>) {
    let reply = reply(&house.desk, &message(actor, line), local_offset()).await;
    screen.card(&reply.card);
    let Some((run, _)) = reply.follow else { return };
    let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
    let (asks, mut asked) = mpsc::unbounded_channel();
    let show = |card: &Card, detail: &RunDetail, last: bool| {
        screen.live(card, last);
        if matches!(detail.view.state, RunState::AwaitingApproval { .. }) {
            // Somebody must type something: the prompt is needed back.
            let _ = asks.send(());
        }
    };
    let left = tokio::select! {
        rest = follow(&house.desk, &house.bell, run, local_offset(), show) => {
            if let Err(error) = rest {
                screen.card(&fault(&error).card);
            }
            return;
        }
        _ = interrupt.recv() => true,
        _ = asked.recv() => false,
    };
    screen.leave_live();
    if left {
        screen.note(&format!("Run {run} goes on; `cancel {run}` stops it, `show {run}` shows it."));
    }
    tell_later(house, run, printer.cloned());
}

/// Tells the end of a run above the prompt.
fn tell_later(house: &House, run: RunNumber, printer: Option<Arc<Printer>>) {
    let Some(printer) = printer else { return };
    let (desk, bell) = (house.desk.clone(), house.bell.clone());
    tokio::spawn(async move {
        let mut last_card = None;
        let rest = follow(&desk, &bell, run, local_offset(), |card, _, last| {
            if last {
                last_card = Some(card.clone());
            }
        });
        if let Err(error) = rest.await {
            last_card = Some(conversation::fault(&error).card);
        }
        if let Some(card) = last_card {
            printer.print(&card);
        }
    });
}

async fn leave(house: House, screen: &mut Screen) -> ExitCode {
    let active = house.desk.active().await.unwrap_or_default();
    let running: Vec<String> =
        active.iter().filter(|run| run.state.holds_environment()).map(|run| run.number.to_string()).collect();
    if !running.is_empty() {
        screen.note(&format!(
            "Waiting for run {} to end. Ctrl-C leaves at once: Terraform goes on by itself, and the next start finds it again.",
            running.join(", ")
        ));
    }
    let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return ExitCode::FAILURE };
    tokio::select! {
        () = house.close() => ExitCode::SUCCESS,
        _ = interrupt.recv() => ExitCode::SUCCESS,
    }
}
