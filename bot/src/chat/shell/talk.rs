//! The chat in a terminal: a prompt, answers, and the card of the run that was just asked for. Ctrl-C leaves the card and
//! gives the prompt back; the run goes on, and its end is told above the prompt.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use tidegate_runner::domain::answer::{Actor, RunDetail};
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::RunState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::prompt::{Printer, Prompt, Typed, Vocabulary};
use super::{DOOR, Screen, local_offset, message};
use crate::cards::{self, Card, Clock};
use crate::conversation::{self, fault, reply};
use crate::follow::follow;
use tidegate_runner::house::House;

/// Talks until the person leaves.
pub async fn talk(house: House, actor: Actor, history: &Path, screen: Screen) -> ExitCode {
    let config = house.config();
    let prompt = match Prompt::open(&actor.name, history, &config, screen.style()) {
        Ok(prompt) => prompt,
        Err(error) => return crate::cli::fail(&format!("this terminal cannot be talked in: {error}")),
    };
    let printer = prompt.printer();
    let mut talk = Talk { house, actor, screen, printer, left: Arc::default() };
    talk.tell_missed().await;
    talk.listen(prompt).await;
    talk.leave().await
}

struct Talk {
    house: House,
    actor: Actor,
    screen: Screen,
    printer: Option<Arc<Printer>>,
    /// Runs whose card was left, and whose end is to be told above the prompt.
    left: Arc<Mutex<BTreeSet<RunNumber>>>,
}

impl Talk {
    async fn listen(&mut self, mut prompt: Prompt) {
        loop {
            self.refresh_words(&prompt).await;
            // Reading a line blocks; the engine goes on meanwhile.
            let read = tokio::task::spawn_blocking(move || {
                let typed = prompt.read();
                (prompt, typed)
            });
            let Ok((back, typed)) = read.await else { return };
            prompt = back;
            match typed {
                Typed::Line(line) if line.trim().is_empty() => {}
                Typed::Line(line) if matches!(line.trim(), "exit" | "quit" | "bye") => return,
                Typed::Line(line) => self.answer(&line).await,
                Typed::Interrupted => self.screen.note("Ctrl-D leaves; `cancel` stops a run."),
                Typed::End => return,
                Typed::Broken(error) => {
                    self.screen.note(&format!("the terminal is gone: {error}"));
                    return;
                }
            }
        }
    }

    /// The words that completion offers, as they are now.
    async fn refresh_words(&self, prompt: &Prompt) {
        let mut words = Vocabulary::of(&self.house.config());
        words.runs = self.house.desk.active().await.unwrap_or_default().iter().map(|run| run.number).collect();
        *prompt.vocabulary().write().unwrap_or_else(PoisonError::into_inner) = words;
    }

    /// What ended while nobody of that name was here.
    async fn tell_missed(&mut self) {
        let Ok(missed) = self.house.desk.untold(DOOR, &self.actor).await else { return };
        for run in missed {
            let Ok(detail) = self.house.desk.show(run).await else { continue };
            let clock = Clock { now: detail.now, offset: local_offset() };
            if let Some(card) = cards::notice(&detail, &clock) {
                self.screen.card(&card);
            }
            self.told(run).await;
        }
    }

    async fn told(&self, run: RunNumber) {
        if let Err(error) = self.house.desk.told(DOOR, &self.actor, run).await {
            tracing::warn!(%error, "a message will be shown again at the next start");
        }
    }

    async fn answer(&mut self, line: &str) {
        let reply = reply(&self.house.desk, &message(&self.actor, line), local_offset()).await;
        self.screen.card(&reply.card);
        if let Some((run, _)) = reply.follow {
            self.screen.note("(Ctrl-C gives the prompt back; the run goes on.)");
            self.follow(run).await;
        }
    }

    /// Shows the card of a run until it rests, somebody must type something, or Ctrl-C is pressed.
    async fn follow(&mut self, run: RunNumber) {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        let (asks, mut asked) = mpsc::unbounded_channel();
        let screen = &mut self.screen;
        let show = |card: &Card, detail: &RunDetail, last: bool| {
            screen.live(card, last);
            if matches!(detail.view.state, RunState::AwaitingApproval { .. }) {
                // The prompt is needed back. The receiver lives as long as this closure.
                let _ = asks.send(());
            }
        };
        let interrupted = tokio::select! {
            rest = follow(&self.house.desk, &self.house.bell, run, local_offset(), show) => {
                if let Err(error) = rest {
                    self.screen.card(&fault(&error).card);
                }
                self.told(run).await;
                return;
            }
            _ = interrupt.recv() => true,
            _ = asked.recv() => false,
        };
        self.screen.leave_live();
        self.told(run).await;
        if interrupted {
            self.screen.note(&format!("Run {run} goes on; `cancel {run}` stops it, `show {run}` shows it."));
        }
        self.tell_later(run);
    }

    /// Tells the end of a run above the prompt, unless its card is followed again before.
    fn tell_later(&self, run: RunNumber) {
        let Some(printer) = self.printer.clone() else { return };
        self.left.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
        let (desk, bell, left) = (self.house.desk.clone(), self.house.bell.clone(), Arc::clone(&self.left));
        let actor = self.actor.clone();
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
            let mine = left.lock().unwrap_or_else(PoisonError::into_inner).remove(&run);
            if let Some(card) = last_card.filter(|_| mine) {
                printer.print(&card);
                if let Err(error) = desk.told(DOOR, &actor, run).await {
                    tracing::warn!(%error, "a message will be shown again at the next start");
                }
            }
        });
    }

    async fn leave(mut self) -> ExitCode {
        let active = self.house.desk.active().await.unwrap_or_default();
        let running: Vec<String> =
            active.iter().filter(|run| run.state.holds_environment()).map(|run| run.number.to_string()).collect();
        if !running.is_empty() {
            self.screen.note(&format!(
                "Waiting for run {} to end. Ctrl-C leaves at once: Terraform goes on by itself, and the next start finds it again.",
                running.join(", ")
            ));
        }
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return ExitCode::FAILURE };
        tokio::select! {
            () = self.house.close() => ExitCode::SUCCESS,
            _ = interrupt.recv() => ExitCode::SUCCESS,
        }
    }
}
