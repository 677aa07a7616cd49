//! The chat in a terminal: a prompt, answers, and the card of the run that was just asked for. Any key (or Ctrl-C) leaves the card
//! and gives the prompt back; the run goes on, and its end is told above the prompt.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tidegate_runner::desk::Desk;
use tidegate_runner::domain::answer::{Actor, RunDetail};
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::RunState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::keys::Keys;
use super::prompt::{Printer, Prompt, Typed, Vocabulary};
use super::{DOOR, Screen, local_offset, message};
use crate::cards::{self, Card, Clock};
use crate::conversation::{self, fault, reply};
use crate::follow::follow;
use tidegate_runner::house::House;

/// Talks until the person leaves.
pub async fn talk(house: House, actor: Actor, history: &Path, screen: Screen) -> ExitCode {
    let config = house.config();
    let desk = house.desk.clone();
    let clean = move |line: &str| desk.clean(line);
    let prompt = match Prompt::open(&actor.name, history, &config, screen.style(), clean) {
        Ok(prompt) => prompt,
        Err(error) => return crate::cli::fail(&format!("this terminal cannot be talked in: {error}")),
    };
    let printer = prompt.printer();
    let mut talk = Talk { house, actor, screen, printer, watched: Arc::default() };
    talk.tell_news_above();
    talk.listen(prompt).await;
    talk.leave().await
}

struct Talk {
    house: House,
    actor: Actor,
    screen: Screen,
    printer: Option<Arc<Printer>>,
    watched: Arc<Mutex<Watched>>,
}

/// Runs that somebody looks after already, so that their news need not be told.
#[derive(Debug, Default)]
struct Watched {
    /// Whose card is being drawn. Nothing else may be printed meanwhile.
    drawn: Option<RunNumber>,
    /// Whose card was left, and whose end is to be told above the prompt.
    left: BTreeSet<RunNumber>,
}

impl Watched {
    fn has(&self, run: RunNumber) -> bool {
        self.drawn == Some(run) || self.left.contains(&run)
    }
}

/// How often the ledger is looked at for news while nobody types: the bell does not ring for other machines.
const NEWS_EVERY: Duration = Duration::from_secs(2);

impl Talk {
    async fn listen(&mut self, mut prompt: Prompt) {
        loop {
            self.tell_missed().await;
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

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happened to this person's runs while they did not look: it ended, it waits for a yes, it is unknown.
    async fn tell_missed(&mut self) {
        for card in news(&self.house.desk, &self.actor, &self.watched).await {
            self.screen.card(&card);
        }
    }

    /// The same above the prompt, while they think about what to type.
    fn tell_news_above(&self) {
        let Some(printer) = self.printer.clone() else { return };
        let (desk, actor, watched) = (self.house.desk.clone(), self.actor.clone(), Arc::clone(&self.watched));
        let mut listener = self.house.bell.listen();
        tokio::spawn(async move {
            loop {
                let _ = tokio::time::timeout(NEWS_EVERY, listener.heard()).await;
                if watched.lock().unwrap_or_else(PoisonError::into_inner).drawn.is_none() {
                    for card in news(&desk, &actor, &watched).await {
                        printer.print(&card);
                    }
                }
            }
        });
    }

    async fn answer(&mut self, line: &str) {
        let reply = reply(&self.house.desk, &message(&self.actor, line), local_offset()).await;
        self.screen.card(&reply.card);
        if let Some((run, _)) = reply.follow {
            self.screen.note("(Any key gives the prompt back; the run goes on.)");
            self.follow(run).await;
        }
    }

    /// Shows the card of a run until it rests, somebody must type something, or Ctrl-C is pressed.
    async fn follow(&mut self, run: RunNumber) {
        {
            let mut watched = self.watched();
            watched.left.remove(&run);
            watched.drawn = Some(run);
        }
        self.draw(run).await;
        self.watched().drawn = None;
    }

    async fn draw(&mut self, run: RunNumber) {
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return };
        let keys = Keys::look();
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
                told(&self.house.desk, &self.actor, run).await;
                return;
            }
            _ = interrupt.recv() => true,
            () = pressed(keys.as_ref()) => true,
            _ = asked.recv() => false,
        };
        self.screen.leave_live();
        told(&self.house.desk, &self.actor, run).await;
        if interrupted {
            self.screen.note(&format!("Run {run} goes on; `cancel {run}` stops it, `show {run}` shows it."));
        }
        self.tell_later(run);
    }

    /// Tells the end of a run above the prompt, unless its card is followed again before.
    fn tell_later(&self, run: RunNumber) {
        let Some(printer) = self.printer.clone() else { return };
        self.watched().left.insert(run);
        let (desk, bell, watched) = (self.house.desk.clone(), self.house.bell.clone(), Arc::clone(&self.watched));
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
            // Not taken back before it is told: the news would tell it too.
            let mine = watched.lock().unwrap_or_else(PoisonError::into_inner).left.contains(&run);
            if let Some(card) = last_card.filter(|_| mine) {
                printer.print(&card);
                told(&desk, &actor, run).await;
            }
            watched.lock().unwrap_or_else(PoisonError::into_inner).left.remove(&run);
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

async fn pressed(keys: Option<&Keys>) {
    match keys {
        Some(keys) => keys.pressed().await,
        None => std::future::pending().await,
    }
}

/// Cards of what a person has not been told yet, and notes that they are.
async fn news(desk: &Desk, actor: &Actor, watched: &Mutex<Watched>) -> Vec<Card> {
    let mut found = Vec::new();
    for run in desk.untold(DOOR, actor).await.unwrap_or_default() {
        if watched.lock().unwrap_or_else(PoisonError::into_inner).has(run) {
            continue;
        }
        let Ok(detail) = desk.show(run).await else { continue };
        let clock = Clock { now: detail.now, offset: local_offset() };
        found.extend(cards::notice(&detail, &clock));
        told(desk, actor, run).await;
    }
    found
}

async fn told(desk: &Desk, actor: &Actor, run: RunNumber) {
    if let Err(error) = desk.told(DOOR, actor, run).await {
        tracing::warn!(%error, "a message will be shown again at the next start");
    }
}
