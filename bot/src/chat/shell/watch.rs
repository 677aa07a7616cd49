//! Looks after the runs of the ledger for whoever sits at the prompt: the cards of those that they asked for, the news of all
//! others. Each fact is told once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tidegate_runner::bell::Bell;
use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::answer::{Actor, RunSummary};
use tidegate_runner::domain::command::{CommandName, HistoryFilter};
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::{RunNumber, Timestamp};
use tidegate_runner::domain::run::RunState;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::board::Board;
use super::completion::Vocabulary;
use super::gathered::gathered;
use super::{DOOR, local_zone, message};
use crate::cards::{self, Clock};
use crate::conversation::{fault, offering};
use crate::follow::follow;

/// How often the ledger is looked at for news: the bell does not ring for other machines.
const NEWS_EVERY: Duration = Duration::from_secs(2);
/// Rest between two looks while the bell rings all the time.
const NEWS_REST: Duration = Duration::from_millis(250);

/// What can be told of a run that is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    /// Nothing yet.
    Working,
    /// It needs a yes until then.
    Asks(Timestamp),
    /// It is unknown, and nobody looks.
    Unknown,
    /// It is over.
    Over,
}

impl Fact {
    fn of(state: &RunState) -> Self {
        match state {
            RunState::Queued { .. }
            | RunState::Planning { .. }
            | RunState::Applying { .. }
            | RunState::Verifying { .. }
            | RunState::Unknown { look: Some(_), .. } => Self::Working,
            RunState::AwaitingApproval { question, .. } => Self::Asks(question.expires),
            RunState::Unknown { look: None, .. } => Self::Unknown,
            RunState::Ended { .. } => Self::Over,
        }
    }
}

/// Who looks.
pub(super) struct Watch {
    desk: Desk,
    bell: Bell,
    actor: Actor,
    board: Arc<Board>,
    /// Whoever tells something holds it, so that an answer comes before what follows from it.
    turn: tokio::sync::Mutex<()>,
    /// Runs whose card is shown.
    followed: Mutex<BTreeMap<RunNumber, JoinHandle<()>>>,
    /// Who waits until such a card rests or asks.
    waiting: Mutex<BTreeMap<RunNumber, Vec<oneshot::Sender<()>>>>,
    /// What was last told of each run.
    told: Mutex<BTreeMap<RunNumber, Fact>>,
}

fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Watch {
    /// Nothing is followed yet.
    pub(super) fn new(desk: Desk, bell: Bell, actor: Actor, board: Arc<Board>) -> Arc<Self> {
        let (followed, waiting, told) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { desk, bell, actor, board, turn: tokio::sync::Mutex::default(), followed, waiting, told })
    }

    /// Holds back what others would tell until the guard is dropped.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Shows the card of a run until it rests. The receiver hears when somebody is asked something, or it rests.
    pub(super) fn follow(self: &Arc<Self>, run: RunNumber) -> oneshot::Receiver<()> {
        let (rests, rested) = oneshot::channel();
        open(&self.waiting).entry(run).or_default().push(rests);
        open(&self.followed).entry(run).or_insert_with(|| tokio::spawn(Arc::clone(self).show(run)));
        rested
    }

    /// Tells whoever waits for this card.
    fn rests(&self, run: RunNumber) {
        for waiting in open(&self.waiting).remove(&run).into_iter().flatten() {
            let _ = waiting.send(());
        }
    }

    /// An answer has told the end of this run; nothing else needs to.
    pub(super) async fn settle(&self, run: RunNumber) {
        if let Some(task) = open(&self.followed).remove(&run) {
            task.abort();
        }
        self.board.end(run, None);
        self.rests(run);
        self.told(run, Fact::Over).await;
    }

    async fn show(self: Arc<Self>, run: RunNumber) {
        self.draw(run).await;
        open(&self.followed).remove(&run);
        self.rests(run);
    }

    async fn draw(&self, run: RunNumber) {
        let (mut asked, mut last) = (None, None);
        let reader = message(&self.actor, "");
        let rest = follow(&self.desk, &self.bell, run, &reader, local_zone(), |card, detail, rest| {
            if rest {
                last = Some((card.clone(), Fact::of(&detail.view.state)));
            } else if let RunState::AwaitingApproval { question, .. } = &detail.view.state {
                // The whole question stays above; what goes on being shown is that it waits for an answer.
                if asked.as_ref() != Some(question) {
                    self.board.say(card);
                    asked = Some(question.clone());
                    self.rests(run);
                }
                let clock = Clock { now: detail.now, zone: local_zone() };
                if let Some(mut short) = cards::notice(detail, &clock) {
                    short.next.retain(|line| card.next.contains(line));
                    self.board.live(run, &short);
                }
            } else {
                self.board.live(run, card);
            }
        });
        let rest = rest.await;
        let _turn = self.turn.lock().await;
        let (card, fact) = match (rest, last) {
            (Ok(_), Some(last)) => last,
            (Ok(_), None) => return,
            (Err(error), _) => {
                // Its end is news as that of any other.
                self.board.end(run, Some(&fault(&self.desk, &error).card));
                return;
            }
        };
        self.board.end(run, Some(&card));
        self.told(run, fact).await;
    }

    /// Waits until the last cards of runs that rest have been shown, at most `limit` for each.
    pub(super) async fn finish(&self, limit: Duration) {
        let tasks = std::mem::take(&mut *open(&self.followed));
        for (run, task) in tasks {
            let fact = self.desk.find(run).await.map_or(Fact::Working, |run| Fact::of(&run.state));
            match fact {
                Fact::Over | Fact::Unknown => {
                    let _ = tokio::time::timeout(limit, task).await;
                }
                Fact::Working | Fact::Asks(_) => task.abort(),
            }
        }
    }

    async fn told(&self, run: RunNumber, fact: Fact) {
        open(&self.told).insert(run, fact);
        if let Err(error) = self.desk.told(DOOR, &self.actor, run).await {
            tracing::warn!(%error, "a message will be shown again at the next start");
        }
    }

    /// At the start: what happened while nobody looked, what needs somebody, and what is under way.
    pub(super) async fn begin(self: &Arc<Self>) -> Result<(), DeskError> {
        self.tell_of_holds().await?;
        let untold = self.desk.untold(DOOR, &self.actor).await?;
        for run in self.runs().await?.values() {
            let fact = Fact::of(&run.state);
            if fact == Fact::Working || (fact == Fact::Over && !untold.contains(&run.number)) {
                open(&self.told).insert(run.number, fact);
            }
            match fact {
                Fact::Over if !untold.contains(&run.number) => {}
                Fact::Over | Fact::Asks(_) | Fact::Unknown => self.tell_or_later(run).await,
                Fact::Working if run.asker.id == self.actor.id => {
                    self.board.note(&format!("Run {} is under way.", run.number));
                    drop(self.follow(run.number));
                }
                Fact::Working => self.board.say(&cards::under_way(run)),
            }
        }
        Ok(())
    }

    /// Tells news until the process ends, and keeps the words for completion.
    pub(super) async fn keep_telling(self: Arc<Self>, words: Arc<RwLock<Vocabulary>>) {
        let mut listener = self.bell.listen();
        loop {
            if let Err(error) = self.tell_news(&words).await {
                tracing::warn!(%error, "news cannot be looked for; trying again");
            }
            tokio::time::sleep(NEWS_REST).await;
            let _ = tokio::time::timeout(NEWS_EVERY, listener.heard()).await;
        }
    }

    async fn tell_news(&self, words: &RwLock<Vocabulary>) -> Result<(), DeskError> {
        let _turn = self.turn.lock().await;
        self.tell_of_holds().await?;
        let runs = self.runs().await?;
        let mut known = Vocabulary::of(&self.desk.config());
        known.runs.all = runs.keys().rev().copied().collect();
        known.runs.open = runs.values().rev().filter(|run| !run.state.ended()).map(|run| run.number).collect();
        *words.write().unwrap_or_else(PoisonError::into_inner) = known;
        for run in runs.values() {
            let fact = Fact::of(&run.state);
            let before = open(&self.told).get(&run.number).copied();
            if before == Some(fact) || open(&self.followed).contains_key(&run.number) {
                continue;
            }
            // What others only look at is no news.
            let mine = run.asker.id == self.actor.id;
            if fact != Fact::Working && (mine || !run.request.kind.only_looks()) {
                self.tell_or_later(run).await;
            } else {
                open(&self.told).insert(run.number, fact);
            }
        }
        Ok(())
    }

    /// Runs that this person may see: those not over, the newest of all, and those whose asker has not been told of them.
    async fn runs(&self) -> Result<BTreeMap<RunNumber, RunSummary>, DeskError> {
        let sight = self.desk.sight(&message(&self.actor, ""), CommandName::History).await?;
        let newest = self.desk.history(&HistoryFilter::default(), &sight).await?.runs;
        let active = self.desk.active().await?;
        let seen = active.into_iter().filter(|run| sight.sees(run.request.environment.as_str())).chain(newest);
        let mut runs: BTreeMap<_, _> = seen.map(|run| (run.number, run)).collect();
        for number in self.desk.untold(DOOR, &self.actor).await? {
            if let Entry::Vacant(unknown) = runs.entry(number) {
                unknown.insert(self.desk.find(number).await?);
            }
        }
        Ok(runs)
    }

    /// Tells what this person has not heard yet of holds, stops and free environments.
    async fn tell_of_holds(&self) -> Result<(), DeskError> {
        let (all, now) = (self.desk.news(DOOR, &self.actor).await?, self.desk.now().await?);
        let clock = Clock { now, zone: local_zone() };
        let (many, others) = gathered(all, |untold| (&untold.news, untold.stored()), now);
        for some in many {
            let mut told = Vec::new();
            for untold in some {
                if self.desk.news_told(&untold).await?
                    && let News::Clock { environment, said } = untold.news
                {
                    told.push((environment, said));
                }
            }
            if !told.is_empty() {
                let told: Vec<_> = told.iter().map(|(environment, said)| (environment, said)).collect();
                let card = cards::of_many(&told, &clock);
                self.board.say(&offering(&self.desk, &message(&self.actor, ""), clock.zone, card).await);
            }
        }
        for untold in others {
            // Noted first: two prompts of one person do not both tell it.
            if self.desk.news_told(&untold).await? {
                let card = cards::news(&untold.news, &clock);
                self.board.say(&offering(&self.desk, &message(&self.actor, ""), clock.zone, card).await);
            }
        }
        Ok(())
    }

    /// What cannot be told now is told at the next look.
    async fn tell_or_later(&self, run: &RunSummary) {
        if let Err(error) = self.tell(run).await {
            tracing::warn!(run = run.number.0, %error, "news of a run cannot be told; trying again");
        }
    }

    async fn tell(&self, run: &RunSummary) -> Result<(), DeskError> {
        let detail = self.desk.show(run.number).await?;
        let clock = Clock { now: detail.now, zone: local_zone() };
        if let Some(card) = cards::notice_to(&detail, &clock, &self.actor.id) {
            self.board.say(&offering(&self.desk, &message(&self.actor, ""), clock.zone, card).await);
        }
        self.told(run.number, Fact::of(&detail.view.state)).await;
        Ok(())
    }
}
