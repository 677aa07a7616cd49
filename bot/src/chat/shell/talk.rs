//! The chat in a terminal: a prompt, answers, and above the line being typed the cards of the runs that were asked for. Where
//! the terminal cannot do that, or lines come from a pipe, each run is waited for before the next line is read.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{getpid, kill_process};
use tidegate_runner::desk::Desk;
use tidegate_runner::domain::answer::{Actor, RunSummary};
use tidegate_runner::domain::ids::RunNumber;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::board::Board;
use super::farewell::farewell;
use super::prompt::{Prompt, Typed};
use super::save::saved;
use super::watch::Watch;
use super::{Screen, local_zone, message};
use crate::cards;
use crate::conversation::reply;
use tidegate_runner::house::House;

/// Longest that a terminal is waited for that is to be given back, or a last card to be shown.
const PATIENCE: Duration = Duration::from_secs(3);

/// Talks until the person leaves, or the process is told to end.
pub async fn talk(house: House, actor: Actor, history: &Path, screen: Screen) -> ExitCode {
    let config = house.config();
    let desk = house.desk.clone();
    let clean = move |line: &str| desk.clean(line);
    let prompt = match Prompt::open(&actor.name, history, &config, screen.style(), clean) {
        Ok(prompt) => prompt,
        Err(error) => return crate::cli::fail(&format!("this terminal cannot be talked in: {error}")),
    };
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return crate::cli::fail(&format!("cannot listen for signals: {error}")),
    };
    let board = prompt.board();
    let watch = Watch::new(house.desk.clone(), house.bell.clone(), actor.clone(), Arc::clone(&board));
    let mut talk = Talk { house, actor, board, watch, signals };
    talk.listen(prompt).await;
    talk.leave().await
}

/// Signals to this process. While a line is edited, the editor has Ctrl-C as a key.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The next one.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.terminate.recv() => Told::End,
            _ = self.hang_up.recv() => Told::End,
        }
    }
}

/// What a signal tells this process to do.
enum Told {
    /// Ctrl-C: stop waiting.
    Interrupt,
    /// End.
    End,
}

struct Talk {
    house: House,
    actor: Actor,
    board: Arc<Board>,
    watch: Arc<Watch>,
    signals: Signals,
}

impl Talk {
    async fn listen(&mut self, mut prompt: Prompt) {
        if let Err(error) = self.watch.begin().await {
            tracing::warn!(%error, "what happened before is not told");
        }
        tokio::spawn(Arc::clone(&self.watch).keep_telling(prompt.vocabulary()));
        loop {
            let typed = tokio::select! {
                typed = prompt.next() => typed,
                told = self.signals.next() => match told {
                    Told::Interrupt => Typed::Interrupted { empty: true },
                    Told::End => {
                        self.take_back_terminal(&mut prompt).await;
                        return;
                    }
                },
            };
            match typed {
                Typed::Line(line) if line.trim().is_empty() => {}
                Typed::Line(line) if matches!(line.trim(), "exit" | "quit" | "bye") => return,
                Typed::Line(line) => {
                    if self.answer(&line).await.is_err() {
                        return;
                    }
                }
                Typed::Interrupted { empty: false } => {}
                Typed::Interrupted { empty: true } => self.say_how_to_stop().await,
                Typed::End => return,
                Typed::Broken(error) => {
                    self.board.note(&format!("the terminal is gone: {error}"));
                    return;
                }
            }
        }
    }

    /// Answers a line. An error: the process is to end.
    async fn answer(&mut self, line: &str) -> Result<(), ()> {
        let (run, rested) = {
            // What follows from the answer is told after it.
            let _turn = self.watch.turn().await;
            let mut reply = saved(reply(&self.house.desk, &message(&self.actor, line), local_zone()).await);
            if reply.lists_commands {
                reply.card = cards::at_prompt(reply.card);
            }
            self.board.say(&reply.card);
            if let Some(run) = reply.settled {
                self.watch.settle(run).await;
            }
            let Some((run, _)) = reply.follow else { return Ok(()) };
            (run, self.watch.follow(run))
        };
        if self.board.has_editor() {
            // The run's card goes on being shown; who looks at it should know why nothing happens.
            if let Some(why) = self.house.hindrance()
                && !self.house.an_engine_lives().await
            {
                self.board.note(&nobody_works(run, &why));
            }
            return Ok(());
        }
        self.board.note("(Ctrl-C gives the prompt back; the run goes on.)");
        tokio::select! {
            _ = rested => Ok(()),
            why = self.house.nobody_works() => {
                self.board.note(&nobody_works(run, &why));
                Ok(())
            }
            told = self.signals.next() => match told {
                Told::Interrupt => {
                    self.board.note(&format!("Run {run} goes on; `cancel {run}` stops it, `show {run}` shows it."));
                    Ok(())
                }
                Told::End => Err(()),
            },
        }
    }

    async fn say_how_to_stop(&self) {
        let active = active(&self.house.desk).await;
        let cancel = active.iter().find(|run| run.asker.id == self.actor.id).map(|run| run.number);
        self.board.note(&match cancel {
            Some(run) => format!("Ctrl-D leaves; `cancel {run}` stops run {run}."),
            None => "Ctrl-D leaves.".to_owned(),
        });
    }

    /// The editor gives the terminal back when it is interrupted, and nothing else makes it.
    async fn take_back_terminal(&self, prompt: &mut Prompt) {
        if self.board.is_editing() && kill_process(getpid(), rustix::process::Signal::INT).is_ok() {
            let _ = tokio::time::timeout(PATIENCE, prompt.next()).await;
        }
    }

    /// Says what becomes of what is under way, and ends the engine of this process, if it has one.
    async fn leave(self) -> ExitCode {
        let Self { house, board, watch, .. } = self;
        // Not the listener of before: it may have heard what was meant for the editor.
        let Ok(mut signals) = Signals::listen() else { return ExitCode::FAILURE };
        let active = active(&house.desk).await;
        let under_way = active.iter().filter(|run| !Desk::needs_somebody(run));
        let (working, waiting): (Vec<_>, Vec<_>) = under_way.partition(|run| run.state.holds_environment());
        let numbers = |runs: &[&RunSummary]| runs.iter().map(|run| run.number).collect::<Vec<_>>();
        let drain = Duration::from_secs(house.config().runner.drain_s.into());
        for line in farewell(house.engine_at().await, &numbers(&working), &numbers(&waiting), drain) {
            board.note(&line);
        }
        tokio::select! {
            () = house.close() => watch.finish(PATIENCE).await,
            _ = signals.next() => {}
        }
        ExitCode::SUCCESS
    }
}

fn nobody_works(run: RunNumber, why: &str) -> String {
    format!("Nothing carries out run {run}: {why}. It goes on by itself once that is put right.")
}

async fn active(desk: &Desk) -> Vec<RunSummary> {
    desk.active().await.unwrap_or_default()
}
