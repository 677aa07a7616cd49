//! Takes away what carries a stack's tags and stands in no state. Each is deleted by a call of AWS's own, and looked for until AWS says that
//! it is gone: nothing is told to be gone that was not looked for, and nothing to be left that is gone.
//!
//! What speaks against it is asked twice: when it is shown, and in the moment before each deletion, of everything anew: whether the run is still
//! ours, who else works or has a state lock, what every state has, and what AWS says of the thing itself. Whatever cannot be told stops it.
//!
//! That AWS is about to be asked for a deletion is in the ledger before it is asked. A removal that was broken off is never planned anew, as a
//! plan that finds less tells nothing of what went: the next process goes on with the plan that people saw, from what the ledger has.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::others::{Swept, plan_of, unswept};
use super::prepare::InitWish;
use super::{Report, RunContext};
use crate::capacity::removal::{Call, Found, Removable, There, Thing, waits_for_others};
use crate::capacity::stays::{Case, stays, stays_for};
use crate::capacity::strays;
use crate::capacity::{CannotLook, Signed, Surroundings};
use crate::domain::changes::{Action, Change, StackPlan};
use crate::domain::drift::Stray;
use crate::domain::environment::{Environment, Variables};
use crate::domain::failure::{Applied, Failure, FailureKind, ResourceEvent, ResourceStage};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::run::{Note, RunEvent, StackView};
use crate::ledger::{LedgerError, strays as seen};

type Tags = BTreeMap<String, String>;

/// How long it is gone on without anything more being gone. AWS frees the interfaces of what ended within minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Rest between two rounds: the first, and the longest.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// How old the states may be for what is only shown: all stacks of a run share one reading.
const SHOWN: Duration = Duration::from_mins(2);

/// What a removal is known to have done before this process took it up, by ARN.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begun {
    /// AWS had them no more.
    gone: BTreeSet<String>,
    /// AWS was asked to delete them, or was about to be.
    asked: BTreeSet<String>,
}

impl Begun {
    /// As the ledger has it.
    #[must_use]
    pub fn of(view: &StackView) -> Self {
        Self {
            gone: view.done.iter().map(|change| change.address.clone()).collect(),
            asked: view.in_flight.iter().map(|one| one.address.clone()).collect(),
        }
    }
}

/// One of those that go.
struct Goes<'p> {
    stray: Stray,
    /// As AWS listed them last.
    tags: Tags,
    change: &'p Change,
    since: Instant,
    /// The ledger has that AWS is asked to delete it.
    noted: bool,
    now: Now,
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Now {
    /// Nothing was asked of AWS yet.
    ToDo,
    /// Its deletion was taken by AWS.
    Asked,
    /// Its deletion was asked for, and what came of that was not heard.
    Unsure(String),
    /// It is not gone yet, and may be later.
    Waits(String),
    /// It is not taken away.
    Stays(String),
    /// AWS has it no more.
    Gone,
}

/// What stops everything that is left to do.
struct Halt(String);

impl Goes<'_> {
    fn may_go(&self) -> bool {
        !matches!(self.now, Now::Stays(_) | Now::Gone)
    }

    /// AWS was asked to delete it.
    fn is_asked(&self) -> bool {
        matches!(self.now, Now::Asked | Now::Unsure(_))
    }
}

/// What stays, by its id, with why: an instance that would take such a thing along stays as well.
type Staying = BTreeMap<String, String>;

/// What an instance's company is held against.
#[derive(Clone, Copy)]
struct Around<'a> {
    aws: &'a Signed,
    ruled: &'a Environment,
    states: &'a [(String, String)],
    staying: &'a Staying,
    now: Timestamp,
}

impl<'a> Around<'a> {
    fn case<'c>(&self, name: &'c StackName, stray: &'c Stray, tags: Option<&'c Tags>) -> Case<'c>
    where
        'a: 'c,
    {
        let &Self { ruled, states, now, .. } = self;
        let (environment, protect) = (&ruled.name, &ruled.protect);
        let accounts = &ruled.rules.drift.remove_in;
        Case { stray, tags, environment, stack: name, protect, accounts, states, now }
    }

    fn stays_of(&self, name: &StackName, stray: &Stray, listed: &Tags, there: Option<&There>) -> Option<String> {
        // What the thing itself tells is newer than the list; of what tells none, the list has to do.
        let tags = there.and_then(|there| there.tags.as_ref()).unwrap_or(listed);
        let of_itself = stays(&self.case(name, stray, Some(tags)));
        let of_list = || stays(&self.case(name, stray, Some(listed)));
        of_itself.or_else(of_list).or_else(|| there.and_then(|there| there.kept.clone()))
    }

    /// Why an instance stays for what AWS would delete along with it.
    async fn stays_for_others(&self, name: &StackName, stray: &Stray, there: &There) -> Option<String> {
        let Self { aws, staying, .. } = self;
        for id in &there.takes {
            if let Some(why) = staying.get(id) {
                return Some(format!("{id} would go with it, which stays: {why}"));
            }
            let Some(along) = Thing::along(id) else { return Some(format!("{id} would go with it")) };
            let tags = match look(aws, &along).await {
                Ok(Found::There(there)) => there.tags,
                Ok(Found::Gone) => continue,
                Ok(Found::Unclear) => None,
                Err(why) => return Some(format!("{id} would go with it: {}", told(&why, &along.look().right()))),
            };
            if let Some(why) = stays_for(&self.case(name, stray, None), &along, tags.as_ref()) {
                return Some(why);
            }
        }
        None
    }
}

impl RunContext {
    /// What would be removed of this stack.
    pub(super) async fn plan_removal(&self, name: &StackName, variables: &Variables) -> Result<StackPlan, Failure> {
        match self.prepare(name, variables, InitWish::WhereNeeded).await {
            Ok(_) => {}
            // In no workspace is no state that could tell what is not to be removed.
            Err(failure) if failure.kind == FailureKind::NoWorkspace => {
                self.note(name, unswept(failure.summary));
                return Ok(plan_of(Vec::new()));
            }
            Err(failure) => return Err(failure),
        }
        match Box::pin(self.removable(name)).await {
            Ok(None) => Ok(plan_of(Vec::new())),
            Ok(Some(Swept { strays, elsewhere, doubt })) => {
                let strays: Vec<Stray> = strays.into_iter().map(|of| of.stray).collect();
                let changes = strays.iter().filter(|stray| stray.stays.is_none()).map(removed).collect();
                self.note(name, Note::Swept { strays, elsewhere, doubt, unknown: None });
                Ok(plan_of(changes))
            }
            Err(why) => {
                self.note(name, unswept(why));
                Ok(plan_of(Vec::new()))
            }
        }
    }

    /// What carries this stack's tags and stands in no state, each with why it stays where it does.
    async fn removable(&self, name: &StackName) -> Result<Option<Swept>, String> {
        let Some((swept, aws)) = self.swept_by(name).await? else { return Ok(None) };
        let states = self.every_state(SHOWN).await?;
        let words = |error: LedgerError| error.to_string();
        let known = seen::of_stack(&self.claim.store, &self.environment.name, name).await.map_err(words)?;
        let now = self.claim.store.now().await.map_err(words)?;
        let nothing = Staying::new();
        let around = Around { aws: &aws, ruled: &self.environment, states: &states.texts, staying: &nothing, now };
        let mut strays: Vec<(strays::Of, Option<There>)> = Vec::new();
        for mut of in swept.strays {
            of.stray.seen = known.get(&of.stray.arn).copied();
            let found = match Thing::of(&of.stray) {
                Ok(thing) => look(&aws, &thing).await.map_err(|why| (why, thing.look().right())),
                Err(_) => Ok(Found::Unclear),
            };
            let mut about = None;
            match found {
                Ok(Found::Gone) => continue,
                Ok(Found::There(there)) => {
                    of.stray.since = there.since;
                    of.stray.stays = around.stays_of(name, &of.stray, &of.tags, Some(&there));
                    about = Some(there);
                }
                Ok(Found::Unclear) => {
                    let kept = around.stays_of(name, &of.stray, &of.tags, None);
                    of.stray.stays = kept.or_else(|| Some("AWS's answer about it is not understood".to_owned()));
                }
                Err((why, right)) => of.stray.stays = Some(told(&why, &right)),
            }
            strays.push((of, about));
        }
        let goes = strays.iter().filter(|(of, _)| of.stray.stays.is_none());
        let shown: BTreeSet<String> = goes.filter_map(|(of, _)| of.stray.id.clone()).collect();
        let staying = staying(strays.iter().map(|(of, _)| &of.stray));
        let around = Around { staying: &staying, ..around };
        for (of, about) in &mut strays {
            let (None, Some(there), Ok(thing)) = (&of.stray.stays, &*about, Thing::of(&of.stray)) else { continue };
            let why = match in_use(&thing, there, &shown) {
                Some(Now::Stays(why)) => Some(why),
                Some(_) | None => around.stays_for_others(name, &of.stray, there).await,
            };
            of.stray.stays = why;
        }
        let strays = strays.into_iter().map(|(of, _)| of).collect();
        Ok(Some(Swept { strays, ..swept }))
    }

    /// Removes what `plan` names, as far as it can be, and says what is gone.
    pub(super) async fn remove(&self, name: &StackName, plan: &StackPlan, begun: &Begun) -> Result<Report, Failure> {
        let mut applied = Applied::default();
        let (gone, left): (Vec<_>, Vec<_>) = plan.changes.iter().partition(|one| begun.gone.contains(&one.address));
        applied.done.extend(gone.into_iter().cloned());
        let mut goes: Vec<Goes<'_>> = left.into_iter().map(|one| goes(one, begun)).collect();
        let (mut last_gone, mut rest) = (Instant::now(), REST.0);
        while goes.iter().any(Goes::may_go) && self.stop.borrow().is_none() {
            if let Err(Halt(why)) = Box::pin(self.round(name, &mut goes)).await {
                // Nothing more is begun; what AWS has taken on is followed to its end.
                for one in goes.iter_mut().filter(|one| one.may_go() && !one.is_asked()) {
                    one.now = Now::Stays(why.clone());
                }
                self.look_once_more(name, &mut goes).await;
            }
            if self.tell_gone(name, &mut goes, &mut applied) {
                (last_gone, rest) = (Instant::now(), REST.0);
            }
            if last_gone.elapsed() > PATIENCE || !goes.iter().any(Goes::may_go) {
                break;
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                () = sleep(rest) => rest = (rest * 2).min(REST.1),
                Ok(_) = stop.wait_for(Option::is_some) => {}
            }
        }
        // AWS takes some away together with others, and people may have: what is gone is not told to be left.
        self.look_once_more(name, &mut goes).await;
        self.tell_gone(name, &mut goes, &mut applied);
        Ok(self.told_of_removal(name, plan, applied, &goes))
    }

    /// Tells what is gone by now, and lets go of it. True where anything is.
    fn tell_gone(&self, name: &StackName, goes: &mut Vec<Goes<'_>>, applied: &mut Applied) -> bool {
        let (done, left): (Vec<_>, Vec<_>) =
            std::mem::take(goes).into_iter().partition(|one| matches!(one.now, Now::Gone));
        *goes = left;
        for one in &done {
            self.tell(name, one.change, ResourceStage::Done, seconds_since(one.since));
            applied.done.push(one.change.clone());
        }
        !done.is_empty()
    }

    /// Whoever is asked about what a removal's plan names, wherever its states are by now.
    ///
    /// # Errors
    /// Why nobody can be: without credentials, or with those of another account, in which none of it is.
    async fn asked_about(&self, name: &StackName, arn: &str) -> Result<Signed, String> {
        let ready = self.ready_again(name).await.map_err(|failure| failure.summary)?;
        let words = |error: CannotLook| {
            let said = error.said();
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            ready.redactor.redact(&format!("{error}{said}; next: {}", error.next_step())).into_owned()
        };
        let region = arn.split(':').nth(3).unwrap_or_default();
        let role = self.stack(name).map_err(|failure| failure.summary)?.readiness.role.clone();
        let aws = Signed::connect(&Surroundings::with(&ready.env), region, role.as_deref()).await.map_err(words)?;
        let identity = aws.identity().await.map_err(words)?;
        match (strays::account(&identity), strays::account(arn)) {
            (Some(here), Some(there)) if here == there => Ok(aws),
            (here, there) => Err(format!(
                "it is in the account {}, and AWS was asked in {}",
                there.unwrap_or("that its ARN does not tell"),
                here.unwrap_or("one that it does not tell")
            )),
        }
    }

    /// Looks for each that is not known to be gone, however it stands.
    async fn look_once_more(&self, name: &StackName, goes: &mut [Goes<'_>]) {
        let Some(first) = goes.first() else { return };
        let aws = match self.asked_about(name, &first.change.address).await {
            Ok(aws) => aws,
            Err(why) => {
                tracing::warn!(stack = %name, why, "what is left of a removal cannot be looked at");
                return;
            }
        };
        for one in goes.iter_mut() {
            if is_gone(&aws, &one.stray).await == Ok(true) {
                one.now = Now::Gone;
            }
        }
    }

    /// What of a removal that nobody saw the end of is there, and what is gone.
    ///
    /// # Errors
    /// Where AWS does not tell it of any of them.
    pub(in crate::engine) async fn look_at_removal(
        &self,
        name: &StackName,
        plan: &StackPlan,
    ) -> Result<(Vec<Change>, Vec<Change>), Failure> {
        let cannot = |why: String| Failure::new(FailureKind::CannotLook, why);
        let Some(first) = plan.changes.first() else { return Ok((Vec::new(), Vec::new())) };
        let aws = self.asked_about(name, &first.address).await.map_err(cannot)?;
        there_and_gone(&aws, plan).await.map_err(cannot)
    }

    /// Brings each of them as far as it gets now.
    async fn round(&self, name: &StackName, goes: &mut [Goes<'_>]) -> Result<(), Halt> {
        let Some(first) = goes.first() else { return Ok(()) };
        // Where they are, and not where the state is by now: elsewhere AWS says of each that there is none.
        let aws = self.asked_about(name, &first.change.address).await.map_err(Halt)?;
        let swept = self.swept_by(name).await.map_err(Halt)?;
        let Some((Swept { strays, elsewhere, doubt }, _)) = swept else {
            return Err(Halt("the stack has no AWS provider any more".to_owned()));
        };
        if let Some(doubt) = doubt {
            return Err(Halt(format!("its state is doubted by now: {doubt}")));
        }
        let words = |error: LedgerError| Halt(error.to_string());
        let known = seen::of_stack(&self.claim.store, &self.environment.name, name).await.map_err(words)?;
        // In their order: what holds others would only be refused as long as they are there.
        goes.sort_by_key(|one| Thing::of(&one.stray).map_or(usize::MAX, |thing| thing.order));
        let all = goes.iter().filter(|one| one.may_go());
        let shown: BTreeSet<String> = all.filter_map(|one| one.stray.id.clone()).collect();
        let others =
            strays.iter().map(|of| &of.stray).filter(|stray| stray.id.as_ref().is_some_and(|id| !shown.contains(id)));
        let staying: Staying = others
            .filter_map(|stray| Some((stray.id.clone()?, "it was not shown, or is not taken away".to_owned())))
            .collect();
        for one in goes.iter_mut().filter(|one| one.may_go()) {
            if self.stop.borrow().is_some() {
                break;
            }
            let listed = strays.iter().find(|of| of.stray.arn == one.change.address);
            if let Some(of) = listed {
                let seen = known.get(&of.stray.arn).copied();
                (one.stray, one.tags) = (Stray { seen, ..of.stray.clone() }, of.tags.clone());
            }
            let is_listed = listed.is_some() && !elsewhere.contains(&one.change.address);
            one.now = Box::pin(self.further(name, &aws, one, is_listed, &shown, &staying)).await?;
        }
        Ok(())
    }

    /// Brings one as far as it gets now. `is_listed`: AWS lists it with the stack's tags, and its state has it not.
    async fn further(
        &self,
        name: &StackName,
        aws: &Signed,
        one: &mut Goes<'_>,
        is_listed: bool,
        shown: &BTreeSet<String>,
        staying: &Staying,
    ) -> Result<Now, Halt> {
        let removable = match Removable::of(&one.stray) {
            Ok(removable) => removable,
            Err(why) => return Ok(Now::Stays(why.to_owned())),
        };
        let thing = removable.thing;
        // However it went.
        if matches!(look(aws, &thing).await, Ok(Found::Gone)) {
            return Ok(Now::Gone);
        }
        match &one.now {
            Now::Asked => return Ok(Now::Asked),
            // What nobody heard an answer to is asked for again, by all the rules.
            Now::Unsure(_) | Now::ToDo | Now::Waits(_) => {}
            Now::Stays(_) | Now::Gone => return Ok(one.now.clone()),
        }
        if !is_listed {
            return Ok(Now::Stays("it carries the tags no more, or stands in a state by now".to_owned()));
        }
        // All the states first, as they take longest: what comes after is what they are held against.
        let states = self.every_state(Duration::ZERO).await.map_err(Halt)?;
        let there = match look(aws, &thing).await {
            Ok(Found::There(there)) => there,
            Ok(Found::Gone) => return Ok(Now::Gone),
            Ok(Found::Unclear) => return Ok(Now::Waits("AWS's answer about it is not understood".to_owned())),
            Err(why) => return Ok(refused(&why, &thing.look())),
        };
        let now = self.claim.store.now().await.map_err(|error| Halt(error.to_string()))?;
        let stray = Stray { since: there.since, ..one.stray.clone() };
        let around = Around { aws, ruled: &self.environment, states: &states.texts, staying, now };
        if let Some(why) = around.stays_of(name, &stray, &one.tags, Some(&there)) {
            return Ok(Now::Stays(why));
        }
        if let Some(why) = in_use(&thing, &there, shown) {
            return Ok(why);
        }
        if let Some(why) = around.stays_for_others(name, &stray, &there).await {
            return Ok(Now::Stays(why));
        }
        self.nobody_else_works(&states).await.map_err(Halt)?;
        // Rules that came meanwhile are kept too; a wish to stop that came while they were read is heard.
        let ruled = self.rules.now_of(&self.environment).await;
        if let Some(why) = (Around { ruled: &ruled, ..around }).stays_of(name, &stray, &one.tags, Some(&there)) {
            return Ok(Now::Stays(why));
        }
        if self.stop.borrow().is_some() {
            return Ok(one.now.clone());
        }
        if !one.noted {
            one.noted = self.note_before(name, one.change).await;
        }
        if !one.noted {
            return Err(Halt("that it goes could not be written down before".to_owned()));
        }
        // Last of all, so that nothing lies between this and the deletion.
        self.has_the_run().await.map_err(|failure| Halt(failure.summary))?;
        let call = removable.delete();
        match aws.call(&call).await {
            Ok(_) => {}
            // It may have been heard all the same.
            Err(CannotLook::Unreachable(why)) => return Ok(Now::Unsure(why)),
            Err(why) => return Ok(refused(&why, &call)),
        }
        Ok(if matches!(look(aws, &thing).await, Ok(Found::Gone)) { Now::Gone } else { Now::Asked })
    }

    /// Has it stored that AWS is asked to delete it. False where it is not stored: then it is not asked.
    async fn note_before(&self, stack: &StackName, change: &Change) -> bool {
        let (stored, is_stored) = tokio::sync::oneshot::channel();
        self.report(Report::Ahead(event_of(stack, change, ResourceStage::Started, 0), stored));
        is_stored.await.is_ok()
    }

    fn told_of_removal(&self, name: &StackName, plan: &StackPlan, mut applied: Applied, left: &[Goes<'_>]) -> Report {
        for one in left {
            self.tell(name, one.change, ResourceStage::Failed, seconds_since(one.since));
            applied.failed.push(one.change.clone());
        }
        if left.is_empty() {
            return Report::Applied(name.clone(), applied);
        }
        let lines = left.iter().map(|one| {
            let why = match &one.now {
                Now::Waits(why) | Now::Stays(why) => why.clone(),
                Now::Unsure(why) => format!("AWS was asked to delete it, and what came of that is not known: {why}"),
                Now::Asked => "AWS took its deletion, and had it still when it was looked at last".to_owned(),
                Now::Gone => "it is gone".to_owned(),
                Now::ToDo => "it was not begun".to_owned(),
            };
            format!("{}: {why}", one.change.address)
        });
        let detail = lines.collect::<Vec<_>>().join("\n");
        let stopped = self.stop.borrow().is_some();
        let kind = if stopped { FailureKind::Interrupted } else { FailureKind::Configuration };
        let summary = format!("{} of {} removed", applied.done.len(), plan.changes.len());
        Report::ApplyFailed(name.clone(), Failure::new(kind, summary).with_detail(detail), applied)
    }

    fn tell(&self, stack: &StackName, change: &Change, stage: ResourceStage, elapsed_s: u32) {
        self.event(event_of(stack, change, stage, elapsed_s));
    }
}

fn event_of(stack: &StackName, change: &Change, stage: ResourceStage, elapsed_s: u32) -> RunEvent {
    let resource = ResourceEvent { address: change.address.clone(), action: Action::Delete, stage, elapsed_s };
    RunEvent::Resource { stack: stack.clone(), resource }
}

/// Those that stay, with why.
fn staying<'s>(strays: impl Iterator<Item = &'s Stray>) -> Staying {
    strays.filter_map(|stray| Some((stray.id.clone()?, stray.stays.clone()?))).collect()
}

/// What is in use by something that stays, or that goes first.
fn in_use(thing: &Thing<'_>, there: &There, shown: &BTreeSet<String>) -> Option<Now> {
    if there.used_by.is_empty() {
        return None;
    }
    if thing.is_group() {
        let (count, id) = (there.used_by.len(), thing.id);
        return Some(Now::Stays(format!(
            "it has {count} instances, which are its own: `aws autoscaling update-auto-scaling-group --auto-scaling-group-name {id} \
             --min-size 0 --max-size 0 --desired-capacity 0` ends them"
        )));
    }
    let others: Vec<&str> = there.used_by.iter().filter(|id| !shown.contains(*id)).map(String::as_str).collect();
    Some(if others.is_empty() {
        Now::Waits(format!("it is in use by {}, which is not gone yet", there.used_by.join(", ")))
    } else {
        Now::Stays(format!("it is in use by {}, which stays", others.join(", ")))
    })
}

fn goes<'p>(change: &'p Change, begun: &Begun) -> Goes<'p> {
    let noted = begun.asked.contains(&change.address);
    let broken_off = || Now::Unsure("the process that asked ended before it heard an answer".to_owned());
    let now = if noted { broken_off() } else { Now::ToDo };
    let stray = strays::named(&change.address);
    Goes { stray, tags: Tags::new(), change, since: Instant::now(), noted, now }
}

fn seconds_since(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX)
}

async fn look(aws: &Signed, thing: &Thing<'_>) -> Result<Found, CannotLook> {
    match aws.call(&thing.look()).await {
        Ok(answer) => Ok(thing.found(&answer)),
        Err(why) if thing.is_none(why.said()) => Ok(Found::Gone),
        Err(why) => Err(why),
    }
}

/// Whether AWS has it no more.
///
/// # Errors
/// Why that is not known.
async fn is_gone(aws: &Signed, stray: &Stray) -> Result<bool, String> {
    let thing = Thing::of(stray)?;
    match look(aws, &thing).await {
        Ok(Found::Gone) => Ok(true),
        Ok(Found::There(_)) => Ok(false),
        Ok(Found::Unclear) => Err("AWS's answer about it is not understood".to_owned()),
        Err(why) => Err(told(&why, &thing.look().right())),
    }
}

/// What of `plan` AWS still has, and what it has no more. Where it does not tell of one, nothing is said of any.
async fn there_and_gone(aws: &Signed, plan: &StackPlan) -> Result<(Vec<Change>, Vec<Change>), String> {
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    for change in &plan.changes {
        let stray = strays::named(&change.address);
        match is_gone(aws, &stray).await {
            Ok(true) => gone.push(change.clone()),
            Ok(false) => there.push(change.clone()),
            Err(why) => return Err(format!("{}: {why}", change.address)),
        }
    }
    Ok((there, gone))
}

/// Why a call was not carried out, and whether it may be later.
fn refused(why: &CannotLook, call: &Call) -> Now {
    let words = told(why, &call.right());
    if why.passes() || waits_for_others(why.said()) { Now::Waits(words) } else { Now::Stays(words) }
}

/// Why AWS did not do or tell something, with the right that it takes where that is missing.
fn told(why: &CannotLook, right: &str) -> String {
    let said = why.said();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    match why {
        CannotLook::Denied(_) => format!("AWS does not allow it{said}; next: allow `{right}`"),
        // It says that nobody understands what AWS said, which here it said plainly.
        CannotLook::Other(_) => format!("AWS refuses it{said}"),
        other => format!("{other}{said}; next: {}", other.next_step()),
    }
}

/// With its age where AWS tells it; `None` for what is gone: AWS lists what has ended for a while. One that cannot be looked at stays.
pub(super) async fn still_there(aws: &Signed, mut of: strays::Of) -> Option<strays::Of> {
    let Ok(thing) = Thing::of(&of.stray) else { return Some(of) };
    match look(aws, &thing).await {
        Ok(Found::Gone) => None,
        Ok(Found::There(there)) => {
            of.stray.since = there.since;
            Some(of)
        }
        Ok(Found::Unclear) => Some(of),
        Err(error) => {
            tracing::debug!(arn = of.stray.arn, %error, "the age of something cannot be told");
            Some(of)
        }
    }
}

fn removed(stray: &Stray) -> Change {
    Change { address: stray.arn.clone(), action: Action::Delete, reason: stray.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stray(kind: &str, id: &str) -> Stray {
        Stray { kind: Some(kind.to_owned()), id: Some(id.to_owned()), ..strays::named("arn:x") }
    }

    fn use_of(kind: &str, id: &str, used_by: &[&str], shown: &[&str]) -> String {
        let stray = stray(kind, id);
        let thing = Thing::of(&stray).expect("a thing");
        let there = There { used_by: used_by.iter().map(|&id| id.to_owned()).collect(), ..There::default() };
        match in_use(&thing, &there, &shown.iter().map(|&id| id.to_owned()).collect()) {
            None => "goes".to_owned(),
            Some(Now::Waits(why)) => format!("waits: {why}"),
            Some(Now::Stays(why)) => format!("stays: {why}"),
            Some(other @ (Now::ToDo | Now::Asked | Now::Unsure(_) | Now::Gone)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_in_use_by_something_that_stays_stays() {
        assert_eq!(use_of("aws_ebs_volume", "vol-1", &[], &[]), "goes");
        assert_eq!(use_of("aws_ebs_volume", "vol-1", &["i-1"], &["i-2"]), "stays: it is in use by i-1, which stays");
        assert_eq!(
            use_of("aws_ebs_volume", "vol-1", &["i-1"], &["i-1", "vol-1"]),
            "waits: it is in use by i-1, which is not gone yet"
        );
        let address = use_of("aws_eip", "eipalloc-1", &["eni-1"], &["eipalloc-1"]);
        assert_eq!(address, "stays: it is in use by eni-1, which stays");
        let group = use_of("aws_autoscaling_group", "slaves", &["i-1", "i-2"], &["i-1", "i-2"]);
        assert!(group.starts_with("stays: it has 2 instances, which are its own: `aws autoscaling"), "{group}");
    }

    #[test]
    fn only_what_may_pass_is_tried_again_and_a_missing_right_is_named() {
        let network = stray("aws_vpc", "vpc-1");
        let call = Removable::of(&network).expect("removable").delete();
        let waits = |why: CannotLook| matches!(refused(&why, &call), Now::Waits(_));
        assert!(waits(CannotLook::Other("DependencyViolation: has dependencies".to_owned())));
        assert!(waits(CannotLook::Throttled("RequestLimitExceeded".to_owned())));
        assert!(!waits(CannotLook::Other("OperationNotPermitted: it is protected".to_owned())));
        let Now::Stays(why) = refused(&CannotLook::Denied("UnauthorizedOperation: no".to_owned()), &call) else {
            panic!("it is not tried again")
        };
        assert_eq!(why, "AWS does not allow it: UnauthorizedOperation: no; next: allow `ec2:DeleteVpc`");
    }

    #[test]
    fn what_was_asked_for_before_is_not_known_and_is_what_its_arn_says() {
        let arn = "arn:aws:ec2:eu-west-1:1:instance/i-1".to_owned();
        let change = Change { address: arn.clone(), action: Action::Delete, reason: None };
        let one = goes(&change, &Begun { gone: BTreeSet::new(), asked: [arn].into() });
        assert!(one.noted && one.is_asked() && one.may_go());
        let thing = Thing::of(&one.stray).expect("a thing");
        assert_eq!((thing.kind(), thing.id), ("aws_instance", "i-1"));
        let fresh = goes(&change, &Begun::default());
        assert!(!fresh.noted && fresh.now == Now::ToDo);
    }

    #[cfg(feature = "aws")]
    #[tokio::test]
    async fn a_removal_that_nobody_saw_the_end_of_is_told_by_what_aws_has() {
        use crate::capacity::scripted::Scripted;

        let arn = |id: &str| format!("arn:aws:ec2:ap-northeast-1:123456789012:volume/{id}");
        let delete = |id: &str| Change { address: arn(id), action: Action::Delete, reason: None };
        let plan = |ids: &[&str]| plan_of(ids.iter().map(|id| delete(id)).collect());
        let server = Scripted::answering(|_, body| {
            let volume = "<item><volumeId>vol-1</volumeId><status>available</status></item>";
            match body {
                body if body.contains("vol-1") => {
                    (200, format!("<DescribeVolumesResponse><volumeSet>{volume}</volumeSet></DescribeVolumesResponse>"))
                }
                body if body.contains("vol-2") => {
                    (400, "<Error><Code>InvalidVolume.NotFound</Code><Message>no</Message></Error>".to_owned())
                }
                _ => (403, "<Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error>".to_owned()),
            }
        });
        let aws = Signed::connect(&server.surroundings(), "ap-northeast-1", None).await.expect("signed in");
        let looked = there_and_gone(&aws, &plan(&["vol-1", "vol-2"])).await;
        assert_eq!(looked, Ok((vec![delete("vol-1")], vec![delete("vol-2")])));
        let untold = there_and_gone(&aws, &plan(&["vol-2", "vol-3"])).await.expect_err("one is not told of");
        assert!(untold.starts_with(&arn("vol-3")), "{untold}");
        let asked = server.asked();
        assert!(asked.iter().all(|asked| asked.starts_with("Describe")), "a look deletes nothing: {asked:?}");
    }
}
