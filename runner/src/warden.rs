//! Who hears of holds, keeps, freezes and stops, stored with what they hear of; and what happens to them by itself: their time is
//! over, an environment is free, nothing runs any more after a stop.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::config::Config;
use crate::domain::access::{Least, Role, Who, given, held, named};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::LAPSE;
use crate::domain::holds::{Ending, Hold, Kind, News};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::made::{LifeNews, Made};
use crate::domain::refusal::Refusal;
use crate::domain::run::RunState;
use crate::domain::schedule::ClockNews;
use crate::ledger::audit::{self, Entry};
use crate::ledger::holds::Unreadable;
use crate::ledger::tellings::Telling;
use crate::ledger::{LedgerError, Store, Tx, Unread, holds, links, outbox, runs, tellings};

/// Who looks after an environment, or after all of them: its owners, and for all of them the admins too. Groups count by those
/// members that the configuration names.
fn who_cares(config: &Config, environment: Option<&EnvironmentName>) -> BTreeSet<ActorId> {
    let of = |name: &EnvironmentName| environment.is_none_or(|only| only == name);
    let owners = config.all_known().filter(|e| of(&e.name)).flat_map(|e| e.owners.iter().cloned());
    let mut found: Vec<ActorId> = owners.collect();
    if environment.is_none() {
        let admin = Role::built_in(Least::Admin);
        found.extend(given(&config.access, None).filter(|grant| grant.role.includes(&admin)).filter_map(|grant| {
            match grant.who {
                Who::Named(id) => Some(id),
                Who::Everyone => None,
            }
        }));
    }
    found.iter().flat_map(|id| config.access.people(id)).collect()
}

async fn tell(tx: &mut Tx, news: &News, to: BTreeSet<ActorId>, except: Option<&ActorId>) -> Result<(), LedgerError> {
    for person in to.iter().filter(|person| except != Some(*person)) {
        outbox::put_news(tx, person, news).await?;
    }
    Ok(())
}

/// Tells what concerns everybody in the channels of all environments, too, where a chat has them.
async fn tell_all(tx: &mut Tx, config: &Config, hold: &Hold, news: &News) -> Result<(), LedgerError> {
    if hold.kind == Kind::Stop {
        for door in config.chat.doors() {
            outbox::put_news_for_all(tx, door, news).await?;
        }
    }
    Ok(())
}

/// Tells what the clock does otherwise than people may think: in the environment's channel where a chat has it, otherwise those who
/// look after it; and in any case those `beside`, whom the schedule names.
pub(crate) async fn of_clock(
    tx: &mut Tx,
    config: &Config,
    name: &EnvironmentName,
    said: ClockNews,
    beside: &[ActorId],
) -> Result<(), LedgerError> {
    let news = News::Clock { environment: name.clone(), said };
    let mut to: BTreeSet<ActorId> = beside.iter().flat_map(|id| config.access.people(id)).collect();
    let channel = config.environments.get(name).map(|environment| &environment.channel);
    let mut told = false;
    for door in config.chat.doors().filter(|door| channel.is_some_and(|channel| channel.in_chat(door).is_some())) {
        outbox::put_news_for_all(tx, door, &news).await?;
        told = true;
    }
    if !told {
        to.extend(who_cares(config, Some(name)));
    }
    tell(tx, &news, to, None).await
}

/// Tells what happens to one that was made for one test: whoever made it, its owners, and its channels. Where it is gone already, the
/// definition that it had says whose and where that was.
pub(crate) async fn of_life(tx: &mut Tx, config: &Config, made: &Made, said: LifeNews) -> Result<(), LedgerError> {
    let environment = match config.environments.get(&made.name) {
        Some(environment) => Some(environment.clone()),
        None => config.environment_of(made).ok(),
    };
    let channel = environment.as_ref().map(|environment| &environment.channel);
    let channels: BTreeMap<String, String> =
        config.chat.doors().filter_map(|door| Some((door.to_owned(), channel?.in_chat(door)?.to_owned()))).collect();
    let news = News::Life { environment: made.name.clone(), channels: channels.clone(), said };
    for door in config.chat.doors().filter(|door| channels.contains_key(*door)) {
        outbox::put_news_for_all(tx, door, &news).await?;
    }
    let owners = environment.iter().flat_map(|environment| environment.owners.iter());
    let to = owners.chain([&made.maker.id]).flat_map(|id| config.access.people(id)).collect();
    tell(tx, &news, to, None).await
}

/// Tells each of those who look after an environment what was meant for its channel, which cannot be found; the admins where that is
/// nobody.
pub(crate) async fn of_clock_to_each(
    tx: &mut Tx,
    config: &Config,
    name: &EnvironmentName,
    news: &News,
) -> Result<(), LedgerError> {
    let mut to = who_cares(config, Some(name));
    if to.is_empty() {
        to = who_cares(config, None);
    }
    tell(tx, news, to, None).await
}

/// Tells that a hold began, those also who are left in and `beside`, but not whose it is.
pub(crate) async fn began(
    tx: &mut Tx,
    config: &Config,
    hold: &Hold,
    beside: impl IntoIterator<Item = ActorId>,
) -> Result<(), LedgerError> {
    let mut to = who_cares(config, hold.environment.as_ref());
    to.extend(hold.only.iter().cloned().chain(beside));
    let news = News::Began { hold: hold.clone() };
    tell_all(tx, config, hold, &news).await?;
    tell(tx, &news, to, Some(&hold.by)).await
}

/// Ends a hold and tells it, but not who did it. False: it was over already.
pub(crate) async fn over(tx: &mut Tx, config: &Config, hold: &Hold, ending: Ending) -> Result<bool, LedgerError> {
    if !holds::end(tx, hold, &ending).await? {
        return Ok(false);
    }
    let by = match &ending {
        Ending::Lapsed => None,
        Ending::Lifted { by, .. } | Ending::Overridden { by, .. } => Some(by.clone()),
    };
    let mut to = who_cares(config, hold.environment.as_ref());
    to.extend(hold.only.iter().cloned().chain([hold.by.clone()]));
    let news = News::Over { hold: hold.clone(), ending };
    tell_all(tx, config, hold, &news).await?;
    tell(tx, &news, to, by.as_ref()).await?;
    Ok(true)
}

/// Ends the keeps that a run which begins now goes against, and tells whose they were. The ones that ended by it.
pub(crate) async fn overridden(tx: &mut Tx, config: &Config, run: &RunSummary) -> Result<Vec<Hold>, LedgerError> {
    let mut ended = Vec::new();
    if run.request.against.is_empty() {
        return Ok(ended);
    }
    // What the run goes against was read when it was asked for, and again as it was allowed to begin.
    for keep in holds::readable(&mut *tx).await?.0 {
        let (by, because) = (run.asker.id.clone(), run.request.because.clone());
        if run.request.against.contains(&keep.number)
            && over(tx, config, &keep, Ending::Overridden { by, because, run: run.number }).await?
        {
            ended.push(keep);
        }
    }
    Ok(ended)
}

/// Tells that a hold is over that nobody could read, because somebody took it away or by itself: whose it was is not known, so that all
/// who look after it hear of it.
pub(crate) async fn cleared(
    tx: &mut Tx,
    config: &Config,
    environment: Option<&EnvironmentName>,
    broken: &Unreadable,
    by: Option<&ActorId>,
) -> Result<(), LedgerError> {
    let own: Option<EnvironmentName> = broken.environment.as_ref().and_then(|name| name.parse().ok());
    let mut to = who_cares(config, None);
    if let Some(about) = own.as_ref().or(environment) {
        to.extend(who_cares(config, Some(about)));
    }
    let (number, why) = (broken.number(), broken.why.clone());
    let environment = environment.or(own.as_ref()).cloned();
    let news = News::Cleared { by: by.cloned(), number, environment, why };
    tell(tx, &news, to, by).await
}

/// Whether somebody looks after everything.
pub(crate) fn is_admin(config: &Config, actor: &Actor) -> bool {
    let admin = Role::built_in(Least::Admin);
    held(&config.access, None, actor).any(|grant| grant.role.includes(&admin))
}

/// `ask local:boss`: whom to ask for what takes an admin.
pub(crate) fn ask_an_admin(config: &Config) -> String {
    let admin = Role::built_in(Least::Admin);
    let able: Vec<_> = given(&config.access, None).filter(|grant| grant.role.includes(&admin)).collect();
    let whom = named(&able);
    if whom.is_empty() { "no admin is configured".to_owned() } else { format!("ask {whom}") }
}

/// Why nothing is changed while a hold cannot be read, and how an admin takes it away; the line is offered to whoever may say it, and to
/// all where it is told to several.
pub(crate) fn barred_by(
    broken: &Unreadable,
    name: Option<&EnvironmentName>,
    config: &Config,
    to: Option<&Actor>,
) -> Refusal {
    let what = "nothing is changed while a hold cannot be read";
    // Its own may be what cannot be read; whichever is named, its number says which is meant.
    let own = config.all_known().find(|own| Some(own.name.as_str()) == broken.environment.as_deref());
    let any = own.or_else(|| config.all_known().next()).map(|environment| &environment.name);
    let Some(name) = name.or(any) else {
        return Refusal::refused(what, format!("{}; an admin can take it away", broken.why)).hint("envs");
    };
    let line = format!("unhold {name} {}", broken.number());
    let status = format!("status {name}");
    if to.is_none_or(|actor| is_admin(config, actor)) {
        return Refusal::refused(what, format!("{}; an admin can take it away", broken.why)).hint(line).hint(status);
    }
    let why = format!("{}; an admin can take it away by `{line}`: {}", broken.why, ask_an_admin(config));
    Refusal::refused(what, why).hint(status)
}

/// What came to its end by itself.
#[derive(Debug, Default)]
pub(crate) struct Lapsed {
    /// Holds.
    pub holds: Vec<Hold>,
    /// Those that nobody could read: their time was over all the same.
    pub unreadable: Vec<Unreadable>,
}

/// Notes the end of those whose time is over, and tells it. The ones whose end was noted here.
pub(crate) async fn lapse(tx: &mut Tx, config: &Config) -> Result<Lapsed, LedgerError> {
    let (over_now, broken) = holds::lapsed(&mut *tx).await?;
    let mut ended = Lapsed::default();
    for hold in over_now {
        if over(tx, config, &hold, Ending::Lapsed).await? {
            ended.holds.push(hold);
        }
    }
    for one in broken {
        if holds::clear(tx, &one, None).await? {
            cleared(tx, config, None, &one, None).await?;
            ended.unreadable.push(one);
        }
    }
    Ok(ended)
}

/// Keeps in the audit that these came to their end. Comes last in a transaction.
pub(crate) async fn note_lapsed(tx: &mut Tx, ended: &Lapsed) -> Result<(), LedgerError> {
    let tidegate = Actor::tidegate();
    for hold in &ended.holds {
        let detail = json!({ "hold": hold.number, "kind": hold.kind, "by": hold.by, "until": hold.until });
        let entry = Entry::of_tidegate(&tidegate, LAPSE);
        let entry = Entry { environment: hold.environment.as_ref(), detail: Some(&detail), ..entry };
        audit::append(tx, &entry).await?;
    }
    for one in &ended.unreadable {
        let detail = json!({ "hold": one.number(), "unreadable": one.why });
        let environment: Option<EnvironmentName> = one.environment.as_ref().and_then(|name| name.parse().ok());
        let entry = Entry::of_tidegate(&tidegate, LAPSE);
        let entry = Entry { environment: environment.as_ref(), detail: Some(&detail), ..entry };
        audit::append(tx, &entry).await?;
    }
    Ok(())
}

/// True when nothing is in the way of `who` on an environment: no run has it or waits for it, nobody holds it against them.
pub(crate) async fn is_free(
    tx: &mut Tx,
    environment: &EnvironmentName,
    who: &Actor,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    let against =
        |hold: &Hold| hold.kind != Kind::Keep && hold.is_about(environment) && hold.stands(now) && !hold.leaves_in(who);
    let (standing, broken) = holds::readable(&mut *tx).await?;
    // Of what cannot be read nobody knows whom it is against.
    if !broken.is_empty() || standing.iter().any(against) {
        return Ok(false);
    }
    let (active, broken) = runs::active_apart(&mut *tx, environment).await?;
    // Of a run that cannot be read nobody knows whether it has it.
    if !broken.is_empty() {
        return Ok(false);
    }
    let busy = active.iter().any(|run| {
        run.state.holds_environment()
            || (matches!(run.state, RunState::Queued { .. }) && !run.request.kind.only_looks())
    });
    Ok(!busy)
}

/// Sees to what happens by itself. True when somebody is to be told something.
///
/// # Errors
/// When the ledger does not answer; what was seen to until then is done.
pub(crate) async fn look(store: &Store, config: &Config) -> Result<bool, LedgerError> {
    let mut news = false;
    let (over_now, broken) = holds::lapsed(store).await?;
    if !over_now.is_empty() || !broken.is_empty() {
        let mut tx = store.begin().await?;
        let ended = lapse(&mut tx, config).await?;
        note_lapsed(&mut tx, &ended).await?;
        tx.commit().await?;
        news |= !ended.holds.is_empty() || !ended.unreadable.is_empty();
    }
    for telling in tellings::all(store).await? {
        news |= tell_free(store, config, &telling).await?;
    }
    if let Some(stop) = holds::unsettled_stop(store).await? {
        let mut tx = store.begin().await?;
        news |= settle(&mut tx, config, &stop).await?;
        tx.commit().await?;
    }
    Ok(news)
}

async fn tell_free(store: &Store, config: &Config, telling: &Telling) -> Result<bool, LedgerError> {
    let Telling { environment, who, began, until } = telling;
    let now = store.now().await?;
    let mut tx = store.begin().await?;
    let waits =
        Actor::person(who.clone(), who.short()).known(&config.access.persons, &links::readable(&mut tx).await?.0, now);
    let news = if is_free(&mut tx, environment, &waits, now).await? {
        News::Free { environment: environment.clone() }
    } else if *until <= now {
        News::NotFree { environment: environment.clone(), since: *began }
    } else {
        return Ok(false);
    };
    let first = tellings::end(&mut tx, telling).await?;
    if first {
        outbox::put_news(&mut tx, who, &news).await?;
    }
    tx.commit().await?;
    Ok(first)
}

/// Runs that cannot be read, by their numbers.
pub(crate) fn numbered(broken: Vec<Unread>) -> Vec<(RunNumber, String)> {
    broken.into_iter().filter_map(|run| Some((RunNumber(run.id.parse().ok()?), run.why))).collect()
}

/// Tells that nothing runs any more after a stop, once that is so. What waits for a yes or is unknown does not run; what cannot be read
/// is named, as nobody can say of it.
pub(crate) async fn settle(tx: &mut Tx, config: &Config, stop: &Hold) -> Result<bool, LedgerError> {
    let (active, broken) = runs::all_active_apart(&mut *tx).await?;
    if active.iter().any(|run| run.state.works()) || !holds::settle(tx, stop).await? {
        return Ok(false);
    }
    let unknown = active.iter().filter(|run| matches!(run.state, RunState::Unknown { .. })).map(|run| run.number);
    let news = News::Still { hold: stop.clone(), unknown: unknown.collect(), unread: numbered(broken) };
    let mut to = who_cares(config, None);
    to.insert(stop.by.clone());
    tell(tx, &news, to, None).await?;
    Ok(true)
}
