//! The one door: orders and questions of people, from whichever chat, schedule or command line. Policy and audit are behind
//! it, so that every door passes the same checks.

mod answer;
mod ask;
mod bends;
pub mod clock;
mod decide;
mod extract;
mod holds;
mod hours;
mod links;
mod lives;
mod made;
mod notices;
mod order;
pub mod post;
mod reasons;
mod record;
#[cfg(test)]
mod reloaded;
mod retries;
mod rights;
mod rollouts;
mod schedules;
#[cfg(test)]
mod tests;
mod visit;

use std::sync::Arc;

use tokio::sync::watch;

pub use notices::Untold;
pub use rights::named_in;

use crate::agenda::Diaries;
use crate::bell::Bell;
use crate::config::{Config, Newest};
use crate::domain::access;
use crate::domain::answer::{Actor, Answer, RunSummary};
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::Environment;
use crate::domain::holds::{Hold, Kind, lowers};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::link::LinkOrder;
use crate::domain::made::AtWork;
use crate::domain::policy::{Decision, Matter, Place, policy};
use crate::domain::refusal::Refusal;
use crate::domain::request::RunRequest;
use crate::domain::run::RunEvent;
use crate::ledger::holds::Unreadable;
use crate::ledger::runs::AppendError;
use crate::ledger::{self, LedgerError, Store, Tx, inbox};
use crate::paths::Paths;
use crate::redact::Redactor;
use crate::secrets::{self, Secrets};
use crate::warden::{Lapsed, barred_by};

/// The desk. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    store: Store,
    config: watch::Receiver<Arc<Config>>,
    bell: Bell,
    paths: Paths,
    secrets: Secrets,
    newest: Newest,
    diaries: Diaries,
}

/// How often an order is tried that loses a race in the ledger.
const TRIES: u32 = 4;

/// One message of a person.
#[derive(Debug, Clone)]
pub struct Message {
    /// Unique for the message wherever it comes from, so that a repeated delivery is seen: (team, channel, timestamp) and alike.
    pub key: String,
    /// Who.
    pub actor: Actor,
    /// Where.
    pub place: Place,
    /// The words as typed.
    pub typed: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The order was refused; nothing was changed, and the audit says so.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// This very message was answered before.
    #[error("this message was answered already")]
    Repeated,
    /// A fault of ours.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The logs of a run are there and cannot be read.
    #[error("the logs in {folder} cannot be read: {why}")]
    Logs {
        /// Their folder.
        folder: String,
        /// Why not, for people.
        why: String,
    },
}

impl From<AppendError> for DeskError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Db(error) => Self::Ledger(error),
            AppendError::Illegal(_) | AppendError::LostRace(_) | AppendError::NotFound(_) | AppendError::Fenced(_) => {
                Self::Refused(
                    Refusal::refused("that came too late", "the run has changed in the same moment").hint("status"),
                )
            }
        }
    }
}

impl Desk {
    /// A desk on `store`. It rings `bell` when there is something for the engine.
    #[must_use]
    pub fn new(store: Store, config: watch::Receiver<Arc<Config>>, bell: Bell) -> Self {
        let paths = Paths::new(&config.borrow().runner.state_dir);
        Self {
            store,
            config,
            bell,
            paths,
            secrets: Secrets::default(),
            newest: Newest::default(),
            diaries: Diaries::default(),
        }
    }

    /// The same desk; what is read in `secrets` is taken out of what people type and read.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets = secrets;
        self
    }

    /// The same desk; before a yes it has the configuration's files looked at.
    #[must_use]
    pub fn with_newest(mut self, newest: Newest) -> Self {
        self.newest = newest;
        self
    }

    /// Where the ledger is, for people.
    #[must_use]
    pub fn ledger(&self) -> String {
        self.store.place()
    }

    /// The configuration as it is now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// What is written and bent about when.
    pub(crate) fn diaries(&self) -> &Diaries {
        &self.diaries
    }

    /// Takes an order: decides, stores the run or the change of a run with its audit row in one transaction, and answers.
    ///
    /// A received message that was carried out by a process that died before it could tell so gets the same answer again.
    ///
    /// # Errors
    /// [`DeskError::Refused`] with the words for the person; the refusal is in the audit.
    pub async fn submit(&self, message: &Message, order: &Order, because: Option<String>) -> Result<Answer, DeskError> {
        self.know_secrets_for(order, because.as_deref()).await;
        let redactor = self.redactor();
        let clean = |text: &str| redactor.redact(text).into_owned();
        let because = because.as_deref().map(clean);
        let typed = match order {
            // A code is nobody else's to read, also when it was mistyped.
            Order::Link(LinkOrder::Confirm { .. }) => "link CODE".to_owned(),
            _ => clean(&message.typed),
        };
        let message = &Message { typed, ..message.clone() };
        let at_work = self.test_under(message, order).await?;
        // Rights and rules are those at the press. Not within the transaction: whoever reads the files writes to the ledger.
        let unread = match order {
            Order::Approve { .. } => self.newest.looked_at().await.err(),
            _ => None,
        };
        // Against others who write the same rows in another order, as `stop everything` does, one of two gives way and tries again.
        for _ in 1..TRIES {
            match Box::pin(self.try_submit(message, order, because.clone(), (at_work.clone(), unread.clone()))).await {
                Err(DeskError::Ledger(error)) if error.lost_race() => {
                    tracing::debug!(%error, "an order met another; trying again");
                }
                done => return done,
            }
        }
        Box::pin(self.try_submit(message, order, because, (at_work, unread))).await
    }

    async fn try_submit(
        &self,
        message: &Message,
        order: &Order,
        because: Option<String>,
        (at_work, unread): (Option<AtWork>, Option<String>),
    ) -> Result<Answer, DeskError> {
        let mut tx = self.store.begin().await?;
        let taken = inbox::take(&mut tx, &message.key, message.place.door, &message.actor.id, &message.typed).await?;
        if let Some(answer) = record::answered_before(taken)? {
            return Ok(answer?);
        }
        let anyway = order.goes_anyway();
        let actor = self.known(&mut tx, message.actor.clone()).await?;
        let message = &Message { actor, ..message.clone() };
        let case = Case { desk: self, message, because, anyway, at_work, unread };
        let decided = match order {
            Order::Each { group, orders } => Box::pin(case.decide_each(&mut tx, group, orders)).await,
            one => Box::pin(case.decide(&mut tx, one)).await.map(|done| vec![(one.name(), done)]),
        };
        match decided {
            Ok(all) => {
                for (command, done) in &all {
                    case.note(&mut tx, *command, done).await?;
                }
                let run = all.first().and_then(|(_, done)| done.run);
                let mut answers: Vec<Answer> = all.into_iter().map(|(_, done)| done.answer).collect();
                let answer = match (order, answers.pop()) {
                    (Order::Each { .. }, last) => {
                        answers.extend(last);
                        Ok(Answer::Each(answers))
                    }
                    (_, Some(only)) => Ok(only),
                    (_, None) => Err(Refusal::refused("nothing was done", "there was nothing to do").hint("help")),
                };
                inbox::answered(&mut tx, &message.key, run, &self.kept(&answer)?).await?;
                tx.commit().await?;
                self.bell.ring();
                Ok(answer?)
            }
            Err(Denied::Refused { environment, rule, refusal }) => {
                // Nothing that `decide` may have begun is kept; that it was refused is.
                tx.rollback().await?;
                // Only a run that there is can be found under its number.
                let about = match order.on_run() {
                    Some(number) => ledger::runs::by_number(&self.store, number).await?.map(|run| run.number),
                    None => None,
                };
                let what = (order.name(), about);
                self.note_refusal_of(&case, what, environment.as_ref(), rule, &refusal).await?;
                Err(DeskError::Refused(*refusal))
            }
            // Nothing is done by half of what is known; whose move it is stands in what is wrong.
            // What the clock asks for by itself is asked for again.
            Err(Denied::Error(DeskError::Ledger(error)))
                if error.is_of_a_row() && message.actor.id != ActorId::clock() =>
            {
                tx.rollback().await?;
                // Of a run that cannot be read its number and its environment are still known.
                let (run, its) = match order.on_run() {
                    Some(number) => match ledger::runs::environment_of(&self.store, number).await.unwrap_or_default() {
                        Some(its) => (Some(number), its.parse::<EnvironmentName>().ok()),
                        None => (None, None),
                    },
                    None => (None, None),
                };
                let environment = order.environment().or(its.as_ref());
                let status = environment.map_or_else(|| "status".to_owned(), |name| format!("status {name}"));
                let what = format!("`{}` is not done: something that it depends on cannot be read", order.name());
                let refusal = Refusal::refused(what, error.to_string()).hint(status);
                tracing::error!(%error, command = order.name().as_str(), "an order is refused, as a row cannot be read");
                self.note_refusal_of(&case, (order.name(), run), environment, "ledger", &refusal).await?;
                Err(DeskError::Refused(refusal))
            }
            Err(Denied::Error(error)) => Err(error),
        }
    }

    /// The text without secrets: for what people typed, wherever it is repeated or kept.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.redactor().redact(text).into_owned()
    }

    /// Takes secrets out of what people type: a reason with a token in it is kept without the token.
    fn redactor(&self) -> Redactor {
        Redactor::new(secrets::told(&self.config(), &self.secrets))
    }

    /// Whether something can be begun in an environment.
    fn manages(&self, name: &EnvironmentName) -> bool {
        self.config().environments.contains_key(name)
    }

    /// What is known of an environment, also where its roots do not check.
    fn environment(&self, name: &EnvironmentName) -> Option<Environment> {
        self.config().whose(name).cloned()
    }
}

/// One message being decided on.
struct Case<'a> {
    desk: &'a Desk,
    message: &'a Message,
    because: Option<String>,
    /// Against somebody's keep.
    anyway: bool,
    /// The test that runs in what is to end, as far as anybody could say before this began.
    at_work: Option<AtWork>,
    /// Why the configuration as its files have it now is not in force.
    unread: Option<String>,
}

impl<'a> Case<'a> {
    /// One that is against nobody's keep and asked nothing before.
    fn of(desk: &'a Desk, message: &'a Message, because: Option<String>) -> Self {
        Self { desk, message, because, anyway: false, at_work: None, unread: None }
    }
}

/// What was done, before it is committed.
struct Done {
    answer: Answer,
    environment: Option<EnvironmentName>,
    run: Option<RunNumber>,
    /// A rule that was overridden.
    rule: Option<&'static str>,
    /// What was stored of runs, with each run after it.
    events: Vec<(RunSummary, RunEvent)>,
    /// Holds whose end was noted on the way.
    lapsed: Lapsed,
    /// What the audit keeps of it besides.
    detail: serde_json::Map<String, serde_json::Value>,
}

/// Why something is not done.
enum Denied {
    Refused { environment: Option<EnvironmentName>, rule: &'static str, refusal: Box<Refusal> },
    Error(DeskError),
}

impl<E: Into<DeskError>> From<E> for Denied {
    fn from(error: E) -> Self {
        match error.into() {
            DeskError::Refused(refusal) => {
                Self::Refused { environment: None, rule: "meaning", refusal: Box::new(refusal) }
            }
            error @ (DeskError::Repeated | DeskError::Ledger(_) | DeskError::Logs { .. }) => Self::Error(error),
        }
    }
}

impl Denied {
    /// With the rule that it is refused by.
    fn by_rule(self, rule: &'static str) -> Self {
        match self {
            Self::Refused { environment, refusal, .. } => Self::Refused { environment, rule, refusal },
            Self::Error(error) => Self::Error(error),
        }
    }

    fn on(self, name: &EnvironmentName) -> Self {
        match self {
            Self::Refused { rule, refusal, .. } => Self::Refused { environment: Some(name.clone()), rule, refusal },
            Self::Error(error) => Self::Error(error),
        }
    }
}

impl Case<'_> {
    /// What policy is asked about this message.
    fn matter<'m>(
        &'m self,
        config: &'m Config,
        command: CommandName,
        environment: Option<&'m Environment>,
        holds: &'m [Hold],
        now: Timestamp,
    ) -> Matter<'m> {
        Matter {
            actor: &self.message.actor,
            place: &self.message.place,
            command,
            environment,
            access: &config.access,
            request: None,
            asked: None,
            plan: None,
            holds,
            begun: false,
            now,
        }
    }

    /// May this very run be put into the queue? Asked once everything in it is absolute. Gives the holds and keeps of its
    /// environment: those that stay, and the keeps that end by it.
    async fn agreed(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        request: &RunRequest,
    ) -> Result<(Vec<Hold>, Vec<Hold>), Denied> {
        let now = crate::ledger::now(&mut *tx).await?;
        // One that cannot be read keeps nobody from looking.
        let holds = if request.kind.only_looks() {
            ledger::holds::readable(&mut *tx).await?.0
        } else {
            self.all_holds(tx, &environment.name).await?
        };
        self.agrees(environment, request, holds, now)
    }

    /// [`Case::agreed`], where it is known what stands.
    fn agrees(
        &self,
        environment: &Environment,
        request: &RunRequest,
        mut stay: Vec<Hold>,
        now: Timestamp,
    ) -> Result<(Vec<Hold>, Vec<Hold>), Denied> {
        let config = self.desk.config();
        stay.retain(|hold| hold.is_about(&environment.name));
        let goes = |hold: &Hold| {
            hold.kind == Kind::Keep && lowers(request) && (self.anyway || hold.leaves_in(&self.message.actor))
        };
        let (go, stay): (Vec<_>, Vec<_>) = stay.into_iter().partition(goes);
        let mut matter = self.matter(&config, request.kind.command(), Some(environment), &stay, now);
        matter.request = Some(request);
        match policy(&matter) {
            Decision::Refuse { rule, refusal } => {
                Err(Denied::Refused { environment: Some(environment.name.clone()), rule, refusal: Box::new(refusal) })
            }
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => Ok((stay, go)),
        }
    }

    /// What stands. While one cannot be read nothing is changed: nobody knows what it forbids.
    async fn all_holds(&self, tx: &mut Tx, name: &EnvironmentName) -> Result<Vec<Hold>, Denied> {
        let (all, broken) = ledger::holds::readable(&mut *tx).await?;
        self.unless_barred(&broken, name)?;
        Ok(all)
    }

    /// Refuses where a hold cannot be read.
    fn unless_barred(&self, broken: &[Unreadable], name: &EnvironmentName) -> Result<(), Denied> {
        let Some(first) = broken.first() else { return Ok(()) };
        let refusal = Box::new(barred_by(first, Some(name), &self.desk.config(), Some(&self.message.actor)));
        Err(Denied::Refused { environment: Some(name.clone()), rule: "hold", refusal })
    }

    /// May this person do this to this environment? Gives the environment where they may.
    async fn allowed(&self, tx: &mut Tx, command: CommandName, name: &EnvironmentName) -> Result<Environment, Denied> {
        let config = self.desk.config();
        let known = config.whose(name);
        let environment = known.filter(|_| command.needs_no_roots() || config.environments.contains_key(name)).cloned();
        let now = crate::ledger::now(&mut *tx).await?;
        // Where holds cannot be read nothing new is begun; what ends something is not kept from anybody by that.
        let holds = if command.starts_change() { self.all_holds(tx, name).await? } else { Vec::new() };
        let decision = policy(&self.matter(&config, command, environment.as_ref(), &holds, now));
        if environment.is_none() && config.unmanaged.contains_key(name.as_str()) {
            // Who has no right to it hears that first.
            let (actor, place) = (&self.message.actor, &self.message.place);
            let lacks = known.and_then(|known| access::may(&config.access, actor, place, command, Some(known)).err());
            let (rule, refusal) = lacks.unwrap_or_else(|| ("environment", rights::not_managed(&config, name)));
            return Err(Denied::Refused { environment: Some(name.clone()), rule, refusal: Box::new(refusal) });
        }
        match (decision, environment) {
            (Decision::Refuse { rule, refusal }, _) => {
                Err(Denied::Refused { environment: Some(name.clone()), rule, refusal: Box::new(refusal) })
            }
            (Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_), Some(environment)) => {
                Ok(environment)
            }
            (Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_), None) => {
                Err(Denied::Refused {
                    environment: Some(name.clone()),
                    rule: "environment",
                    refusal: Box::new(
                        Refusal::refused(format!("there is no environment {name}"), "it is not configured")
                            .hint("envs"),
                    ),
                })
            }
        }
    }

    /// As [`Self::allowed`] for what only ends something. Where the configuration tells nothing of an environment, those may to whom it
    /// gives that in all of them.
    async fn allowed_to_end(
        &self,
        tx: &mut Tx,
        command: CommandName,
        name: &EnvironmentName,
    ) -> Result<Option<Environment>, Denied> {
        let config = self.desk.config();
        if config.whose(name).is_some() {
            return self.allowed(tx, command, name).await.map(Some);
        }
        match access::may(&config.access, &self.message.actor, &self.message.place, command, None) {
            Ok(()) => Ok(None),
            Err((rule, refusal)) => {
                Err(Denied::Refused { environment: Some(name.clone()), rule, refusal: Box::new(refusal) })
            }
        }
    }
}
