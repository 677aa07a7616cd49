//! Takes away what carries a stack's tags and stands in no state. Each is deleted by a call of AWS's own, and looked for until AWS says that
//! it is gone: nothing is told to be gone that was not.
//!
//! What speaks against it is asked twice: when it is shown, and in the moment before each deletion, of everything anew: whether the run is still
//! ours, who else works or has a state lock, what every state has, and what AWS says of the thing itself. Whatever cannot be told stops it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::others::{Swept, plan_of, unswept};
use super::prepare::InitWish;
use super::{Report, RunContext};
use crate::capacity::removal::{Call, Found, Removable, There, waits_for_others};
use crate::capacity::stays::{Case, stays};
use crate::capacity::strays;
use crate::capacity::{CannotLook, Signed};
use crate::domain::changes::{Action, Change, StackPlan};
use crate::domain::drift::Stray;
use crate::domain::environment::Variables;
use crate::domain::failure::{Applied, Failure, FailureKind, ResourceEvent, ResourceStage};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::run::{Note, RunEvent};
use crate::ledger::{LedgerError, strays as seen};

type Tags = BTreeMap<String, String>;

/// How long it is gone on without anything more being gone. AWS frees the interfaces of what ended within minutes.
const PATIENCE: Duration = Duration::from_mins(5);

/// Rest between two rounds: the first, and the longest.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// How old the states may be for what is only shown: all stacks of a run share one reading.
const SHOWN: Duration = Duration::from_mins(2);

/// One of those that go.
struct Goes<'p> {
    stray: Stray,
    /// As AWS listed them last.
    tags: Tags,
    change: &'p Change,
    since: Instant,
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
    /// AWS has it no more, by this run.
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
        let mut strays: Vec<(strays::Of, Option<There>)> = Vec::new();
        for mut of in swept.strays {
            of.stray.seen = known.get(&of.stray.arn).copied();
            let found = match Removable::of(&of.stray) {
                Ok(removable) => look(&aws, &removable).await.map_err(|why| (why, removable.look().right())),
                Err(_) => Ok(Found::Unclear),
            };
            let mut about = None;
            match found {
                Ok(Found::Gone) => continue,
                Ok(Found::There(there)) => {
                    of.stray.since = there.since;
                    of.stray.stays = self.stays_of(name, &of.stray, &of.tags, Some(&there), &states.texts, now);
                    about = Some(there);
                }
                Ok(Found::Unclear) => {
                    let kept = self.stays_of(name, &of.stray, &of.tags, None, &states.texts, now);
                    of.stray.stays = kept.or_else(|| Some("AWS's answer about it is not understood".to_owned()));
                }
                Err((why, right)) => of.stray.stays = Some(told(&why, &right)),
            }
            strays.push((of, about));
        }
        let goes = strays.iter().filter(|(of, _)| of.stray.stays.is_none());
        let shown: BTreeSet<String> = goes.filter_map(|(of, _)| of.stray.id.clone()).collect();
        for (of, about) in &mut strays {
            if let (None, Some(there), Ok(removable)) = (&of.stray.stays, about, Removable::of(&of.stray))
                && let Some(Now::Stays(why)) = in_use(&removable, there, &shown)
            {
                of.stray.stays = Some(why);
            }
        }
        let strays = strays.into_iter().map(|(of, _)| of).collect();
        Ok(Some(Swept { strays, ..swept }))
    }

    fn stays_of(
        &self,
        name: &StackName,
        stray: &Stray,
        listed: &Tags,
        there: Option<&There>,
        states: &[(String, String)],
        now: Timestamp,
    ) -> Option<String> {
        // What the thing itself tells is newer than the list; of what tells none, the list has to do.
        let tags = there.and_then(|there| there.tags.as_ref()).unwrap_or(listed);
        let (environment, protect) = (&self.environment.name, &self.environment.protect);
        let of_list = Case { stray, tags: Some(listed), environment, stack: name, protect, states, now };
        let of_itself = Case { tags: Some(tags), ..of_list };
        stays(&of_itself).or_else(|| stays(&of_list))
    }

    /// Removes what `plan` names, as far as it can be, and says what is gone.
    pub(super) async fn remove(&self, name: &StackName, plan: &StackPlan) -> Result<Report, Failure> {
        let mut goes: Vec<Goes<'_>> = plan.changes.iter().map(goes).collect();
        let mut applied = Applied::default();
        let (mut last_gone, mut rest) = (Instant::now(), REST.0);
        for one in &goes {
            self.tell(name, one.change, ResourceStage::Started, 0);
        }
        while goes.iter().any(Goes::may_go) && self.stop.borrow().is_none() {
            if let Err(Halt(why)) = Box::pin(self.round(name, &mut goes)).await {
                // Nothing more is begun; what AWS has taken on is followed to its end.
                for one in goes.iter_mut().filter(|one| one.may_go() && !one.is_asked()) {
                    one.now = Now::Stays(why.clone());
                }
            }
            let (done, left): (Vec<_>, Vec<_>) = goes.into_iter().partition(|one| matches!(one.now, Now::Gone));
            goes = left;
            if !done.is_empty() {
                (last_gone, rest) = (Instant::now(), REST.0);
            }
            for one in done {
                self.tell(name, one.change, ResourceStage::Done, seconds_since(one.since));
                applied.done.push(one.change.clone());
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
        Ok(self.told_of_removal(name, plan, applied, &goes))
    }

    /// Brings each of them as far as it gets now.
    async fn round(&self, name: &StackName, goes: &mut [Goes<'_>]) -> Result<(), Halt> {
        let swept = self.swept_by(name).await.map_err(Halt)?;
        let Some((Swept { strays, elsewhere, doubt }, aws)) = swept else {
            return Err(Halt("the stack has no AWS provider any more".to_owned()));
        };
        if let Some(doubt) = doubt {
            return Err(Halt(format!("its state is doubted by now: {doubt}")));
        }
        let words = |error: LedgerError| Halt(error.to_string());
        let known = seen::of_stack(&self.claim.store, &self.environment.name, name).await.map_err(words)?;
        let order = |one: &Goes<'_>| Removable::of(&one.stray).map_or(usize::MAX, |removable| removable.order);
        for one in goes.iter_mut() {
            if let Some(mut of) = strays.iter().find(|of| of.stray.arn == one.change.address).cloned() {
                of.stray.seen = known.get(&of.stray.arn).copied();
                (one.stray, one.tags) = (of.stray, of.tags);
                if elsewhere.contains(&one.change.address) && !one.is_asked() {
                    one.now = Now::Stays("it stands in a state by now".to_owned());
                }
            } else if !one.is_asked() {
                // AWS lists it no more, or a state has it by now: neither is ours to remove.
                one.now = Now::Stays("it carries the tags no more, or stands in a state by now".to_owned());
            }
        }
        // In their order: what stands in others would only be refused as long as they are there.
        goes.sort_by_key(order);
        let all = goes.iter().filter(|one| one.may_go());
        let shown: BTreeSet<String> = all.filter_map(|one| one.stray.id.clone()).collect();
        for one in goes.iter_mut().filter(|one| one.may_go()) {
            if self.stop.borrow().is_some() {
                break;
            }
            one.now = Box::pin(self.further(name, &aws, one, &shown)).await?;
        }
        Ok(())
    }

    /// Brings one as far as it gets now.
    async fn further(
        &self,
        name: &StackName,
        aws: &Signed,
        one: &Goes<'_>,
        shown: &BTreeSet<String>,
    ) -> Result<Now, Halt> {
        let removable = match Removable::of(&one.stray) {
            Ok(removable) => removable,
            Err(why) => return Ok(Now::Stays(why.to_owned())),
        };
        match &one.now {
            Now::Asked | Now::Unsure(_) if matches!(look(aws, &removable).await, Ok(Found::Gone)) => {
                return Ok(Now::Gone);
            }
            Now::Asked => return Ok(Now::Asked),
            // What nobody heard an answer to is asked for again, by all the rules.
            Now::Unsure(_) | Now::ToDo | Now::Waits(_) => {}
            Now::Stays(_) | Now::Gone => return Ok(one.now.clone()),
        }
        // All the states first, as they take longest: what comes after is what they are held against.
        let states = self.every_state(Duration::ZERO).await.map_err(Halt)?;
        let there = match look(aws, &removable).await {
            Ok(Found::There(there)) => there,
            Ok(Found::Gone) => return Ok(Now::Stays("somebody else has taken it away".to_owned())),
            Ok(Found::Unclear) => return Ok(Now::Waits("AWS's answer about it is not understood".to_owned())),
            Err(why) => return Ok(refused(&why, &removable.look())),
        };
        let now = self.claim.store.now().await.map_err(|error| Halt(error.to_string()))?;
        let stray = Stray { since: there.since, ..one.stray.clone() };
        if let Some(why) = self.stays_of(name, &stray, &one.tags, Some(&there), &states.texts, now) {
            return Ok(Now::Stays(why));
        }
        if let Some(why) = in_use(&removable, &there, shown) {
            return Ok(why);
        }
        let mut calls = Vec::new();
        calls.extend(there.network.as_ref().map(|network| removable.detach(network)));
        calls.push(removable.delete());
        // Last of all, so that nothing lies between this and the deletion.
        self.nobody_else_works(&states).await.map_err(Halt)?;
        self.has_the_run().await.map_err(|failure| Halt(failure.summary))?;
        for call in calls {
            match aws.call(&call).await {
                Ok(_) => {}
                // It may have been heard all the same.
                Err(CannotLook::Unreachable(why)) => return Ok(Now::Unsure(why)),
                Err(why) => return Ok(refused(&why, &call)),
            }
        }
        Ok(if matches!(look(aws, &removable).await, Ok(Found::Gone)) { Now::Gone } else { Now::Asked })
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
        let resource = ResourceEvent { address: change.address.clone(), action: Action::Delete, stage, elapsed_s };
        self.event(RunEvent::Resource { stack: stack.clone(), resource });
    }
}

/// What is in use by something that stays, or that goes first.
fn in_use(removable: &Removable<'_>, there: &There, shown: &BTreeSet<String>) -> Option<Now> {
    if let Some(network) = there.network.as_ref().filter(|network| !shown.contains(*network)) {
        return Some(Now::Stays(format!("it is of the network {network}, which stays")));
    }
    if there.instances.is_empty() {
        return None;
    }
    if removable.is_group() {
        let (count, id) = (there.instances.len(), removable.id);
        return Some(Now::Stays(format!(
            "it has {count} instances, which are its own: `aws autoscaling update-auto-scaling-group --auto-scaling-group-name {id} \
             --min-size 0 --max-size 0 --desired-capacity 0` ends them"
        )));
    }
    let others: Vec<&str> = there.instances.iter().filter(|id| !shown.contains(*id)).map(String::as_str).collect();
    Some(if others.is_empty() {
        Now::Waits(format!("it is in use by {}, which is not gone yet", there.instances.join(", ")))
    } else {
        Now::Stays(format!("it is in use by {}, which stays", others.join(", ")))
    })
}

fn goes(change: &Change) -> Goes<'_> {
    let (kind, id, name, since, seen, stays) = (None, None, None, None, None, None);
    let stray = Stray { arn: change.address.clone(), kind, id, name, since, seen, stays };
    Goes { stray, tags: Tags::new(), change, since: Instant::now(), now: Now::ToDo }
}

fn seconds_since(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_secs()).unwrap_or(u32::MAX)
}

async fn look(aws: &Signed, removable: &Removable<'_>) -> Result<Found, CannotLook> {
    match aws.call(&removable.look()).await {
        Ok(answer) => Ok(removable.found(&answer)),
        Err(why) if removable.is_none(why.said()) => Ok(Found::Gone),
        Err(why) => Err(why),
    }
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
    let Ok(removable) = Removable::of(&of.stray) else { return Some(of) };
    match look(aws, &removable).await {
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
        let change = Change { address: format!("arn:{id}"), action: Action::Delete, reason: None };
        Stray { kind: Some(kind.to_owned()), id: Some(id.to_owned()), ..goes(&change).stray }
    }

    fn use_of(kind: &str, id: &str, network: Option<&str>, instances: &[&str], shown: &[&str]) -> String {
        let stray = stray(kind, id);
        let removable = Removable::of(&stray).expect("removable");
        let instances = instances.iter().map(|&id| id.to_owned()).collect();
        let there = There { since: None, tags: None, network: network.map(str::to_owned), instances };
        match in_use(&removable, &there, &shown.iter().map(|&id| id.to_owned()).collect()) {
            None => "goes".to_owned(),
            Some(Now::Waits(why)) => format!("waits: {why}"),
            Some(Now::Stays(why)) => format!("stays: {why}"),
            Some(other @ (Now::ToDo | Now::Asked | Now::Unsure(_) | Now::Gone)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_in_use_by_something_that_stays_stays() {
        assert_eq!(use_of("aws_ebs_volume", "vol-1", None, &[], &[]), "goes");
        assert_eq!(
            use_of("aws_ebs_volume", "vol-1", None, &["i-1"], &["i-2"]),
            "stays: it is in use by i-1, which stays"
        );
        assert_eq!(
            use_of("aws_ebs_volume", "vol-1", None, &["i-1"], &["i-1", "vol-1"]),
            "waits: it is in use by i-1, which is not gone yet"
        );
        let gateway = |shown: &[&str]| use_of("aws_internet_gateway", "igw-1", Some("vpc-1"), &[], shown);
        assert_eq!(gateway(&["vpc-2"]), "stays: it is of the network vpc-1, which stays");
        assert_eq!(gateway(&["vpc-1"]), "goes");
        let group = use_of("aws_autoscaling_group", "slaves", None, &["i-1", "i-2"], &["i-1", "i-2"]);
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
}
