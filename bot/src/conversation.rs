//! A message of a person in, a card out. The same for every chat; native formats are the chats' business.

mod offers;

use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::answer::{Answer, RunSummary, Sight, Standing};
use tidegate_runner::domain::audit::{Format, Record};
use tidegate_runner::domain::command::{Command, CommandName, Order, Query};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::holds::{HoldAnswer, QueueOf};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, GroupName, RunNumber};
use tidegate_runner::domain::refusal::{Refusal, RefusalKind};
use tidegate_runner::domain::rollout::{RolloutAnswer, Scope};
use tidegate_runner::domain::run::Outcome;
use tidegate_runner::domain::schedule::BendAnswer;

use crate::cards::overview::{ChatHealth, health_line};
use crate::cards::{self, Card, Clock, Line};
use crate::commands::{self, Known, Present};
use crate::sheet;
use crate::zone::Zone;

/// What came of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answered, or accepted.
    Done,
    /// The words make no command.
    NotUnderstood,
    /// Understood, and not done.
    Refused,
    /// This very message was answered before: whoever hears that heard the answer, too.
    Repeated,
    /// A fault of ours.
    Fault,
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// What people read.
    pub card: Card,
    /// What came of it.
    pub verdict: Verdict,
    /// The run to follow, with the outcome that the asker hopes for: a `cancel` is carried out when the run ends cancelled.
    pub follow: Option<(RunNumber, Hope)>,
    /// It put a run into the queue.
    pub queued: bool,
    /// Runs that a `stop everything` waits for.
    pub stopping: Vec<RunNumber>,
    /// A change of many environments that this message began.
    pub rollout: Option<i64>,
    /// The run whose end this answer has told.
    pub settled: Option<RunNumber>,
    /// It lists the commands; a chat may add its own keys.
    pub lists_commands: bool,
    /// What was asked for as a file.
    pub file: Option<Attachment>,
}

/// A file that goes with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, like `audit.csv`; a chat may put something before the dot.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl Reply {
    /// A card, and nothing to follow.
    fn plain(card: Card, verdict: Verdict) -> Self {
        Self {
            card,
            verdict,
            follow: None,
            queued: false,
            stopping: Vec::new(),
            rollout: None,
            settled: None,
            lists_commands: false,
            file: None,
        }
    }
}

/// Which end of a run means that the command was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hope {
    /// That it does what it was made for.
    Success,
    /// That it stops.
    Stop,
    /// That it is over, however.
    Still,
    /// Nothing of it: that it was told was all.
    Heard,
}

/// Exit status of `shell -c`: 0 carried out, 1 failed or partial, 2 not understood, 3 refused, 4 cancelled, 5 unknown.
#[must_use]
pub fn exit_status(hope: Hope, outcome: Option<Outcome>) -> u8 {
    match (hope, outcome) {
        (Hope::Heard, _)
        | (Hope::Still, Some(_))
        | (Hope::Success, Some(Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned))
        | (Hope::Stop, Some(Outcome::Cancelled)) => 0,
        (_, None) => 5,
        (Hope::Success | Hope::Stop, Some(Outcome::Partial | Outcome::Failed))
        | (Hope::Stop, Some(Outcome::Succeeded | Outcome::NothingToDo | Outcome::Planned)) => 1,
        (Hope::Success | Hope::Stop, Some(Outcome::Refused | Outcome::Expired)) => 3,
        (Hope::Success, Some(Outcome::Cancelled)) => 4,
    }
}

/// Answers a message. Never fails: a fault of ours is a card too, with a reference that is in the log.
pub async fn reply(desk: &Desk, message: &Message, zone: Zone) -> Reply {
    let mut reply = Box::pin(any_reply(desk, message, zone)).await;
    Box::pin(offers::keep_allowed(desk, message, zone, &mut reply)).await;
    reply
}

/// As [`reply`] to an order that the command line has read itself.
pub async fn ordered(desk: &Desk, message: &Message, order: &Order, because: Option<String>, zone: Zone) -> Reply {
    let given = async {
        let clock = Clock { now: desk.now().await?, zone };
        accepted(desk, message, order, because, &clock).await
    };
    let mut reply = answered(desk, message, given.await);
    Box::pin(offers::keep_allowed(desk, message, zone, &mut reply)).await;
    reply
}

/// Keeps in the audit that a chat did not carry out what somebody said, under the command that the words are.
///
/// # Errors
/// [`DeskError::Repeated`] and [`DeskError::Refused`] when this very message was carried out, or refused, before.
pub async fn turned_away(desk: &Desk, message: &Message, zone: Zone, rule: &str, card: &Card) -> Result<(), DeskError> {
    refuse(desk, message, zone, rule, &Refusal::refused(card.title.clone(), "nothing of it was done")).await
}

/// The same with a refusal of the chat's own.
///
/// # Errors
/// As [`turned_away`].
pub async fn refuse(
    desk: &Desk,
    message: &Message,
    zone: Zone,
    rule: &str,
    refusal: &Refusal,
) -> Result<(), DeskError> {
    let (config, now) = (desk.config(), desk.now().await?);
    let aside: Vec<&Environment> = config.set_aside_now().collect();
    let known =
        Known { environments: &config.environments, aside: &aside, others: &[], me: &message.actor.id, now, zone };
    let command = commands::parse(&message.typed, &known).ok().map(|command| command.name());
    let about = commands::environment_of(&message.typed, &known);
    let message = &Message { typed: commands::without_code(&message.typed), ..message.clone() };
    desk.note_refused(message, command, about.as_ref(), rule, refusal).await
}

/// A card that offers only what this person may say; for what people are told without having asked.
pub async fn offering(desk: &Desk, message: &Message, zone: Zone, card: Card) -> Card {
    let mut reply = Reply::plain(card, Verdict::Done);
    Box::pin(offers::keep_allowed(desk, message, zone, &mut reply)).await;
    reply.card
}

async fn any_reply(desk: &Desk, message: &Message, zone: Zone) -> Reply {
    let tried = try_reply(desk, message, zone).await;
    answered(desk, message, tried)
}

fn answered(desk: &Desk, message: &Message, tried: Result<Reply, DeskError>) -> Reply {
    match tried {
        Ok(reply) => reply,
        Err(DeskError::Refused(mut refusal)) => {
            // What was just refused is not what to type next.
            refusal.hints.retain(|hint| *hint != message.typed.trim());
            refused(desk, refusal)
        }
        Err(DeskError::Repeated) => {
            let refusal =
                Refusal::refused("this message was answered already", "it came a second time").hint("history");
            Reply { verdict: Verdict::Repeated, ..refused(desk, refusal) }
        }
        Err(error @ (DeskError::Ledger(_) | DeskError::Logs { .. })) => fault(desk, &error),
    }
}

/// A refusal repeats words of the message, so that a secret typed by mistake would be repeated too.
fn refused(desk: &Desk, mut refusal: Refusal) -> Reply {
    let Refusal { kind: _, what, why, hints, of_them: _ } = &mut refusal;
    for text in [what, why].into_iter().chain(hints) {
        *text = desk.clean(text);
    }
    let verdict = match refusal.kind {
        RefusalKind::NotUnderstood => Verdict::NotUnderstood,
        RefusalKind::Refused => Verdict::Refused,
    };
    Reply::plain(cards::refusal(&refusal), verdict)
}

/// The card for what keeps us from answering; the log has the rest under the same reference. What somebody can do something
/// about is told at once, and is no fault of ours.
pub fn fault(desk: &Desk, error: &DeskError) -> Reply {
    let reference = uuid::Uuid::now_v7().simple().to_string().split_off(20);
    tracing::error!(reference, %error, "a message could not be answered");
    let card = match error {
        DeskError::Ledger(error) if error.is_of_surroundings() => {
            cards::no_ledger(&reference, &desk.ledger(), &error.to_string(), error.is_locked())
        }
        DeskError::Ledger(error) if error.is_of_a_row() => cards::unread(&reference, &error.to_string()),
        DeskError::Logs { .. } => cards::no_logs(&reference, &error.to_string()),
        DeskError::Ledger(_) | DeskError::Refused(_) | DeskError::Repeated => cards::fault(&reference, None),
    };
    Reply::plain(card, Verdict::Fault)
}

async fn try_reply(desk: &Desk, message: &Message, zone: Zone) -> Result<Reply, DeskError> {
    let config = desk.config();
    let now = desk.now().await?;
    let clock = Clock { now, zone };
    let mut others: Vec<EnvironmentName> = config.unmanaged.keys().filter_map(|name| name.parse().ok()).collect();
    others.extend(desk.departed().await?.into_iter().map(|(name, _)| name));
    let aside: Vec<&Environment> = config.set_aside_now().collect();
    let known =
        Known { environments: &config.environments, aside: &aside, others: &others, me: &message.actor.id, now, zone };
    let command = match commands::parse(&message.typed, &known) {
        Ok(command) => command,
        Err(refusal) => {
            let about = commands::environment_of(&message.typed, &known);
            let kept = Message { typed: commands::without_code(&message.typed), ..message.clone() };
            match desk.not_understood(&kept, about.as_ref(), &refusal).await {
                Ok(()) => {}
                // Nothing was done and nothing will be: the answer need not wait for a ledger that can be written to.
                Err(DeskError::Ledger(error)) => tracing::error!(%error, "a message is not in the audit"),
                Err(error @ (DeskError::Repeated | DeskError::Refused(_) | DeskError::Logs { .. })) => {
                    return Err(error);
                }
            }
            let fitting = fitting(desk, message, &known, &refusal).await;
            if let Err(error) = &fitting {
                tracing::warn!(%error, "a refusal is told without a look at where things stand");
            }
            return Ok(refused(desk, fitting.unwrap_or(refusal)));
        }
    };
    let card = match command {
        Command::Order { order, because } => {
            return accepted(desk, message, &order, because, &clock).await;
        }
        Command::Help(None) => {
            let card = cards::help(&desk.abilities(message));
            return Ok(Reply { lists_commands: true, ..Reply::plain(card, Verdict::Done) });
        }
        Command::Help(Some(name)) => cards::help_on(name, &desk.abilities(message)),
        Command::Query(query) => return told(desk, message, query, &clock).await,
    };
    Ok(Reply::plain(card, Verdict::Done))
}

/// The answer to an order.
async fn accepted(
    desk: &Desk,
    message: &Message,
    order: &Order,
    because: Option<String>,
    clock: &Clock,
) -> Result<Reply, DeskError> {
    let answer = desk.submit(message, order, because).await?;
    let (follow, settled, stopping) = (follow(&answer), settled(&answer), stopping(&answer));
    let queued = matches!(answer, Answer::Queued { .. });
    let rollout = match &answer {
        Answer::Rollout(RolloutAnswer::Began { rollout, .. }) => Some(rollout.number),
        _ => None,
    };
    let mut card = cards::answer(&answer, clock);
    // It is the engine that tells.
    if matches!(answer, Answer::Hold(HoldAnswer::WillTell { .. })) && !desk.an_engine_lives().await? {
        card = card.line(Line::marked(cards::NOBODY_WORKS));
    }
    let card = if is_of_clock(&answer) { told_if_nobody_follows(desk, card).await? } else { card };
    Ok(Reply { follow, queued, stopping, rollout, settled, ..Reply::plain(card, Verdict::Done) })
}

/// Whether it promises that the clock does something.
fn is_of_clock(answer: &Answer) -> bool {
    match answer {
        Answer::Queued { until, .. } => until.is_some(),
        Answer::Bend(BendAnswer::Cleared { .. }) => false,
        Answer::Hold(HoldAnswer::Booked { .. } | HoldAnswer::Lifted { comes: Some(_), .. })
        | Answer::Bend(_)
        | Answer::Schedule(_) => true,
        Answer::Each(all) => all.iter().any(is_of_clock),
        Answer::Hold(_)
        | Answer::Approved(_)
        | Answer::Seconded(_)
        | Answer::Recovering(_)
        | Answer::Stopping { .. }
        | Answer::Cancelled(_)
        | Answer::Rejected(_)
        | Answer::Taken(_)
        | Answer::Rollout(_)
        | Answer::Link(_)
        | Answer::Made(_) => false,
    }
}

/// The card, which also says that nothing comes of schedules where no process follows them.
async fn told_if_nobody_follows(desk: &Desk, card: Card) -> Result<Card, DeskError> {
    Ok(if desk.is_followed().await? { card } else { card.line(Line::marked(cards::NOBODY_FOLLOWS)) })
}

/// Whether the clock has something to do in one of these.
fn wait_for_clock(standings: &[Standing]) -> bool {
    standings.iter().any(|standing| matches!(standing, Standing::Managed(status) if status.next.is_some()))
}

/// The runs in these standings that are not over.
fn runs_of(standings: &[Standing]) -> impl Iterator<Item = &RunSummary> {
    standings.iter().flat_map(|standing| {
        let (running, waiting) = match standing {
            Standing::Managed(status) => (status.running.as_ref().map(|(run, _)| run), &status.waiting),
            Standing::Unmanaged { runs, .. } | Standing::Departed { runs, .. } => (None, runs),
        };
        running.into_iter().chain(waiting)
    })
}

/// The runs in these queues.
fn runs_in(queues: &[QueueOf]) -> impl Iterator<Item = &RunSummary> {
    queues.iter().flat_map(|queue| {
        queue.running.iter().map(|(run, _)| run).chain(queue.waiting.iter().map(|waiting| &waiting.run))
    })
}

/// The card, which also says when nothing of these runs goes on because no engine lives.
async fn told_if_nobody_works<'r>(
    desk: &Desk,
    card: Card,
    mut runs: impl Iterator<Item = &'r RunSummary>,
) -> Result<Card, DeskError> {
    let waits = runs.any(|run| !run.state.ended() && !Desk::needs_somebody(run));
    if waits && !desk.an_engine_lives().await? {
        return Ok(card.line(Line::marked(cards::NOBODY_WORKS)));
    }
    Ok(card)
}

/// The card, which also says what keeps the chats from being spoken in: everywhere, where the environment speaks, and to whom.
async fn with_troubles(
    desk: &Desk,
    card: Card,
    only: Option<&EnvironmentName>,
    clock: &Clock,
) -> Result<Card, DeskError> {
    let config = desk.config();
    let concerns = |door: &str, place: &str| {
        // A channel that is called otherwise by now is still the one.
        let place = place.strip_prefix(cards::NAME_OF).unwrap_or(place);
        let of = config.environments.values().filter(|e| only.is_none_or(|only| e.name == *only));
        let mut named = of.flat_map(|environment| {
            let people = environment.owners.iter().chain(&environment.oncall).map(ActorId::as_str);
            environment.channel.in_chat(door).into_iter().chain(people)
        });
        ["", cards::FILES, cards::HEARING, cards::PEOPLE, cards::MEMBERS, cards::COMMANDS].contains(&place)
            || config.chat.admin_channel(door) == Some(place)
            || named.any(|named| named == place)
    };
    let mut troubles = desk.troubles().await?;
    let configured: Vec<_> = config.chat.doors().collect();
    troubles.retain(|trouble| configured.contains(&&*trouble.door) && concerns(&trouble.door, &trouble.place));
    Ok(card.lines(troubles.iter().map(|trouble| cards::trouble(trouble, clock))))
}

/// The card, which also says whether runners live and how the chats are, where there are any.
async fn with_health(desk: &Desk, card: Card, clock: &Clock) -> Result<Card, DeskError> {
    let mut chats = Vec::new();
    for door in desk.config().chat.doors() {
        let heard_ms = desk.heard_last(door).await?.map(|at| clock.now.ms_since(at));
        chats.push(ChatHealth { door, heard_ms, unsaid: desk.unsaid(door).await? });
    }
    if chats.is_empty() {
        return Ok(card);
    }
    Ok(card.line(health_line(&desk.runners().await?, &chats)))
}

/// The same refusal with hints that fit where things stand. Only what is refused is worth the questions to the ledger.
async fn fitting(desk: &Desk, message: &Message, known: &Known<'_>, refusal: &Refusal) -> Result<Refusal, DeskError> {
    let mut present = Present::default();
    // What somebody may not see is not told by a hint either.
    let sight = desk.sight(message, CommandName::Status).await?;
    for run in desk.active().await? {
        if sight.sees(run.request.environment.as_str()) {
            present.runs(&run);
        }
    }
    let mentioned = known
        .environments
        .keys()
        .filter(|name| sight.sees(name.as_str()))
        .filter(|name| refusal.hints.iter().any(|hint| hint.split_whitespace().any(|word| word == name.as_str())));
    for name in mentioned {
        for standing in desk.status(Some(name)).await? {
            if let Standing::Managed(status) = standing {
                present.stands(&status);
            }
        }
    }
    Ok(commands::parse_at(&message.typed, known, &present).err().unwrap_or_else(|| refusal.clone()))
}

/// The answer to a question, as far as the person may see it.
async fn told(desk: &Desk, message: &Message, query: Query, clock: &Clock) -> Result<Reply, DeskError> {
    let sight = desk.may_ask(message, &query).await?;
    let card = match query {
        Query::Envs => {
            let standings = seen(desk.status(None).await?, &sight);
            let card = with_troubles(desk, cards::envs(&standings, clock), None, clock).await?;
            told_if_nobody_works(desk, card, runs_of(&standings)).await?
        }
        Query::Status { environment } => {
            let standings = seen(desk.status(environment.as_ref()).await?, &sight);
            let mut card = with_troubles(desk, cards::status(&standings, clock), environment.as_ref(), clock).await?;
            if environment.is_none() {
                card = with_health(desk, card, clock).await?;
            }
            if wait_for_clock(&standings) {
                card = told_if_nobody_follows(desk, card).await?;
            }
            told_if_nobody_works(desk, card, runs_of(&standings)).await?
        }
        Query::StatusOf { scope } => {
            let config = desk.config();
            let of_it = |name: &str| {
                let known = config.environments.values().find(|environment| environment.name.as_str() == name);
                scope == Scope::All || known.is_some_and(|environment| scope.has(environment.group.as_ref()))
            };
            let mut standings = seen(desk.status(None).await?, &sight);
            standings.retain(|standing| of_it(standing.name()));
            let many = desk.rollouts(&scope, &sight).await?;
            let card =
                cards::status(&standings, clock).lines(many.iter().map(|rollout| cards::rollout_line(rollout, clock)));
            told_if_nobody_works(desk, card, runs_of(&standings)).await?
        }
        Query::Queue { environment } => {
            let queues = desk.queue(environment.as_ref(), &sight).await?;
            told_if_nobody_works(
                desk,
                cards::queue(&queues, &desk.person(&message.actor).await?, clock),
                runs_in(&queues),
            )
            .await?
        }
        Query::Show { run } => {
            let detail = desk.show(run).await?;
            told_if_nobody_works(desk, cards::show(&detail, clock), std::iter::once(&detail.run)).await?
        }
        Query::Log { run, stack } => cards::log(&desk.log(run, stack.as_ref()).await?),
        Query::History(filter) => {
            let sight = of_group(desk, sight, filter.group.as_ref());
            cards::history(&desk.history(&filter, &sight).await?, &filter, clock)
        }
        Query::Audit(filter) => cards::audit(&desk.audit(&filter, &sight).await?, &filter, clock),
        Query::Who { deed, environment } => cards::who(&desk.who(deed, &environment).await?, clock),
        Query::Next { environment, group, from, days } => {
            let sight = of_group(desk, sight, group.as_ref());
            let all = desk.next(environment.as_ref(), from, days, &sight).await?;
            let card = cards::next(&all, from, days, clock);
            let waits = all.iter().any(|upcoming| !upcoming.transitions.is_empty());
            if waits { told_if_nobody_follows(desk, card).await? } else { card }
        }
        Query::Schedules { environment, name } => {
            let all = desk.schedules(environment.as_ref(), name.as_deref(), &sight).await?;
            let card = cards::schedules(&all, name.is_some(), clock);
            let waits = all.iter().flat_map(|of| &of.all).any(|listed| listed.next.makes.is_some());
            if waits { told_if_nobody_follows(desk, card).await? } else { card }
        }
        Query::Handover => {
            let standings = seen(desk.status(None).await?, &sight);
            let card = with_troubles(desk, cards::handover(&standings, clock), None, clock).await?;
            told_if_nobody_works(desk, card, runs_of(&standings)).await?
        }
        Query::Bookings { environment, group } => {
            let sight = of_group(desk, sight, group.as_ref());
            cards::bookings(&desk.bookings(environment.as_ref(), &sight).await?, clock)
        }
        Query::ListNew => cards::made(&desk.made(&sight).await?, clock),
        Query::On => cards::on(&desk.on(&sight).await?, clock),
        Query::Hours { environment, group, month, by_person } => {
            let sight = of_group(desk, sight, group.as_ref());
            cards::hours(&desk.hours(environment.as_ref(), month, &sight).await?, group.as_ref(), by_person)
        }
        Query::Whoami => cards::whoami(&desk.whoami(message).await?),
        Query::Links => cards::links(&desk.links(message).await?, clock),
        Query::Why(query) => cards::why(&desk.why(message, &query).await?),
        Query::Export { filter, format } => {
            return exported(desk.audit_whole(&filter, &sight).await?.as_slice(), format);
        }
    };
    Ok(Reply::plain(card, Verdict::Done))
}

/// What is seen of a group, where one is named.
fn of_group(desk: &Desk, sight: Sight, group: Option<&GroupName>) -> Sight {
    let Some(group) = group else { return sight };
    let config = desk.config();
    // Also those that are set aside now: what they did is told all the same.
    let own = config.all_known().filter(|environment| environment.group.as_ref() == Some(group));
    let seen = own.map(|environment| &environment.name).filter(|name| sight.sees(name.as_str()));
    Sight { all: false, environments: seen.cloned().collect() }
}

/// Entries of the audit as a file.
fn exported(records: &[Record], format: Format) -> Result<Reply, DeskError> {
    let plain = Reply::plain(cards::exported(records.len()), Verdict::Done);
    if records.is_empty() {
        return Ok(plain);
    }
    let text = sheet::of(format, records)
        .map_err(|error| Refusal::refused("the file cannot be made", error.to_string()).hint("audit"))?;
    Ok(Reply { file: Some(Attachment { name: format!("audit.{}", format.as_str()), text }), ..plain })
}

fn seen(mut all: Vec<Standing>, sight: &Sight) -> Vec<Standing> {
    all.retain(|standing| match standing {
        Standing::Managed(environment) => sight.sees(environment.name.as_str()),
        Standing::Unmanaged { name, .. } => sight.sees(name),
        Standing::Departed { name, .. } => sight.sees(name.as_str()),
    });
    all
}

fn follow(answer: &Answer) -> Option<(RunNumber, Hope)> {
    match answer {
        // What a look at an unknown run finds out is what became of the run, not of the look.
        Answer::Queued { run, .. } | Answer::Approved(run) | Answer::Recovering(run) => {
            Some((run.number, Hope::Success))
        }
        // It waits for others, who may take as long as the rule lets them.
        Answer::Seconded(run) => Some((run.number, Hope::Heard)),
        Answer::Stopping { run, .. } => Some((run.number, Hope::Stop)),
        // Its card has what stands and what does not.
        Answer::Cancelled(run) | Answer::Rejected(run) if half_done(run) => Some((run.number, Hope::Stop)),
        Answer::Cancelled(_)
        | Answer::Rejected(_)
        | Answer::Taken(_)
        | Answer::Hold(_)
        | Answer::Bend(_)
        | Answer::Rollout(_)
        | Answer::Link(_)
        | Answer::Made(_)
        | Answer::Each(_)
        | Answer::Schedule(_) => None,
    }
}

fn stopping(answer: &Answer) -> Vec<RunNumber> {
    match answer {
        Answer::Rollout(RolloutAnswer::Stopped { halted, .. }) => halted.stopping.clone(),
        Answer::Hold(HoldAnswer::Stopped { working, unknown, unread, .. }) => {
            let unread = unread.iter().map(|(number, _)| *number);
            working.iter().map(|still| still.run.number).chain(unknown.iter().copied()).chain(unread).collect()
        }
        _ => Vec::new(),
    }
}

fn half_done(run: &RunSummary) -> bool {
    run.state.outcome() == Some(Outcome::Partial)
}

fn settled(answer: &Answer) -> Option<RunNumber> {
    match answer {
        Answer::Hold(HoldAnswer::Left(run)) => Some(run.number),
        Answer::Cancelled(run) | Answer::Rejected(run) if !half_done(run) => Some(run.number),
        Answer::Queued { .. }
        | Answer::Approved(_)
        | Answer::Seconded(_)
        | Answer::Recovering(_)
        | Answer::Stopping { .. }
        | Answer::Cancelled(_)
        | Answer::Rejected(_)
        | Answer::Taken(_)
        | Answer::Hold(_)
        | Answer::Bend(_)
        | Answer::Rollout(_)
        | Answer::Link(_)
        | Answer::Made(_)
        | Answer::Each(_)
        | Answer::Schedule(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_says_what_became_of_it() {
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Succeeded)), 0);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::NothingToDo)), 0);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Partial)), 1);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Failed)), 1);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Refused)), 3);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Expired)), 3);
        assert_eq!(exit_status(Hope::Success, Some(Outcome::Cancelled)), 4);
        assert_eq!(exit_status(Hope::Success, None), 5);
        assert_eq!(exit_status(Hope::Stop, Some(Outcome::Cancelled)), 0);
        assert_eq!(exit_status(Hope::Stop, Some(Outcome::Succeeded)), 1);
        assert_eq!(exit_status(Hope::Still, Some(Outcome::Succeeded)), 0);
        assert_eq!(exit_status(Hope::Still, None), 5);
    }
}
