//! Runs of which nobody knows how they ended, looked at because somebody asked. Nothing is guessed: a plan says what is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::alone::Alone;
use super::drive::environment_of;
use super::{EngineError, Shared, lost, work};
use crate::account;
use crate::domain::answer::RunSummary;
use crate::domain::changes::{Change, StackPlan, WentBack};
use crate::domain::failure::{Failure, FailureKind, LockHolder};
use crate::domain::ids::{RunNumber, StackName, Timestamp};
use crate::domain::request::RunKind;
use crate::domain::run::{EventRecord, Outcome, Phase, RunEvent, RunState, RunView, StackState};
use crate::ledger::runs::{self, Fence};
use crate::redact::Redactor;
use crate::standing;
use crate::terraform::{Attached, Child};

/// How long another process of this machine may take to let go of the run. One that lost its lease does so at once when it hears
/// of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks what became of a run in state `unknown`: is anything still running, who holds the lock, what does a plan say is left to
/// do? Saves a state that its apply could not save; else it changes nothing but, with `unlock`, a lock that was taken while the run applied.
pub(super) async fn look(shared: &Arc<Shared>, run: &RunSummary, fence: &Fence) -> Result<(), EngineError> {
    let alone = tokio::time::timeout(PATIENCE, Alone::with(&shared.paths, run.number)).await;
    let Some(view) = runs::view(&shared.store, run.id).await? else { return Ok(()) };
    let RunState::Unknown { look: Some(unlock), .. } = &view.state else { return Ok(()) };
    let alone = match alone {
        Ok(Ok(alone)) => Some(alone),
        Ok(Err(lost)) => return store(shared, run, fence, &[still(lost.to_string())]).await,
        Err(_) => None,
    };
    let event = match lost::elsewhere(shared, run.id).await? {
        // Nobody here can see whether that Terraform lives; only a person can say that the machine is gone.
        Some(host) if !unlock => still(format!(
            "it was applied on {host}, and only there can be seen whether its Terraform still runs; if that machine is gone for \
             good: `recover {} unlock`",
            run.number
        )),
        Some(_) | None if alone.is_none() => {
            still("another process of this machine has not let go of it yet; ask again".to_owned())
        }
        Some(_) | None => match alive(shared, run.number, &view) {
            Some(finding) => still(finding),
            None => Box::pin(finding(shared, run, fence, &view, *unlock)).await?,
        },
    };
    let ended = matches!(event, RunEvent::Ended { .. });
    store(shared, run, fence, &[event]).await?;
    if let Some(alone) = alone.filter(|_| ended) {
        alone.clean_up();
    }
    Ok(())
}

fn still(finding: String) -> RunEvent {
    RunEvent::StillUnknown { finding }
}

/// What of the run still runs on this machine, in words.
fn alive(shared: &Shared, run: RunNumber, view: &RunView) -> Option<String> {
    let children = view.stacks.keys().flat_map(|name| {
        shared.paths.children(run, name).into_iter().map(move |(command, _, dir)| (name, command, dir))
    });
    children.into_iter().find_map(|(name, command, dir)| {
        let Attached::Running(child) = Child::attach(&dir) else { return None };
        let pid = child.pid().map(|pid| format!(" (process {pid})")).unwrap_or_default();
        Some(format!("`terraform {command}` of {name} still runs{pid}; ask again once it has ended"))
    })
}

/// Plans the stacks of which nobody saw how their apply ended, to see what is left to do.
async fn finding(
    shared: &Arc<Shared>,
    run: &RunSummary,
    fence: &Fence,
    view: &RunView,
    unlock: bool,
) -> Result<RunEvent, EngineError> {
    let name = &view.request.environment;
    let Some(environment) = environment_of(shared, &view.request).await? else {
        return Ok(still(format!("{name} is not in the configuration any more")));
    };
    let (reports, _drain) = mpsc::unbounded_channel();
    let (_stop, stopped) = watch::channel(None);
    let context = shared.context(run, fence, view, environment, reports, stopped).await?;
    let (mut left, mut older, mut unseen) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    let lease_ms = i64::from(shared.config().runner.lease_s) * 1_000;
    let here = (shared.host.as_str(), account::own_name());
    let alive = Alive::of(&runs::events(&shared.store, run.id, 0).await?, lease_ms, &here);
    if view.request.kind == RunKind::Remove {
        return Ok(removed(&context, view).await);
    }
    // Each of them, also where one cannot be looked at: `unlock` is about all of their locks.
    for stack in lost::unknown(view) {
        match work::look(&context, stack, |holder| unlock && alive.held(stack, holder)).await {
            Ok(plan) => {
                // What such a state does not know of is neither gone nor undone.
                if let Some(back) = went_back(view, stack, &plan) {
                    older.insert(stack.clone(), back);
                    continue;
                }
                // What is only replaced because nobody saw its making end is there.
                let asked_for = |change: &Change| change.reason.as_deref() == Some("requested");
                left.insert(stack.clone(), plan.changes.into_iter().filter(|change| !asked_for(change)).collect());
            }
            Err(failure) => {
                let failure = Redactor::new(context.told()).redact_failure(failure);
                unseen.push(why_not(stack, run.number, failure, alive.held_it(stack)));
            }
        }
    }
    Ok(if unseen.is_empty() { found(view, left, &older) } else { still(unseen.join("; ")) })
}

/// What is gone of what a removal was to delete, and what is there: no plan tells that, as it finds only what is there.
async fn removed(context: &work::RunContext, view: &RunView) -> RunEvent {
    let (mut all, mut unseen) = (Vec::new(), Vec::new());
    for stack in lost::unknown(view) {
        let Some(plan) = view.stacks.get(stack).and_then(|stack| stack.plan.as_ref()) else {
            unseen.push(format!("what was to go of {stack} is not known"));
            continue;
        };
        match context.look_at_removal(stack, plan).await {
            Ok((there, gone)) => all.push((stack.clone(), there, gone)),
            Err(failure) => unseen.push(format!("{stack} cannot be looked at: {}", failure.summary)),
        }
    }
    if unseen.is_empty() {
        found_removed(view, all)
    } else {
        still(Redactor::new(context.told()).redact(&unseen.join("; ")).into_owned())
    }
}

/// How a removal ends with what AWS still has of it, by stack: what is there, and what is gone.
fn found_removed(view: &RunView, all: Vec<(StackName, Vec<Change>, Vec<Change>)>) -> RunEvent {
    let anything_gone = all.iter().any(|(_, _, gone)| !gone.is_empty()) || view.done().total() > 0;
    let names = |changes: &[Change]| changes.iter().map(|change| change.address.clone()).collect::<Vec<_>>().join(", ");
    let mut findings: Vec<String> = all
        .iter()
        .map(|(stack, there, gone)| match (there.as_slice(), gone.as_slice()) {
            ([], gone) => format!("AWS has nothing more of {stack}: {} is gone", names(gone)),
            (there, []) => format!("AWS has all of {stack} still: {}", names(there)),
            (there, gone) => format!("of {stack} AWS has {} still; gone is {}", names(there), names(gone)),
        })
        .collect();
    let left: BTreeMap<StackName, Vec<Change>> = all.into_iter().map(|(stack, there, _)| (stack, there)).collect();
    findings.extend(not_begun(view, &left, &BTreeMap::new()));
    let outcome = if anything_gone { Outcome::Partial } else { Outcome::Failed };
    RunEvent::Ended { outcome, refusal: None, rule: None, finding: Some(findings.join("; ")), left }
}

/// Whether a stack's state is older than the one that the lost apply began with or left, or another one.
fn went_back(view: &RunView, stack: &StackName, plan: &StackPlan) -> Option<WentBack> {
    let began_with = view.stacks.get(stack).and_then(|view| view.plan.as_ref());
    let serial = began_with.and_then(|plan| plan.serial);
    let lineage = || began_with.and_then(|plan| plan.lineage.clone());
    StackPlan {
        least_serial: plan.least_serial.max(serial),
        left_lineage: plan.left_lineage.clone().or_else(lineage),
        ..plan.clone()
    }
    .went_back()
}

/// How the run ends with what plans found. That is no success in any case: what was done nobody verified. Of stacks with an `older`
/// state nothing is known but what was reported while they were applied.
fn found(view: &RunView, left: BTreeMap<StackName, Vec<Change>>, older: &BTreeMap<StackName, WentBack>) -> RunEvent {
    let reported = |stack: &StackName| view.stacks.get(stack).is_some_and(|stack| !stack.done.is_empty());
    let anything_done = older.keys().any(reported)
        || left.iter().any(|(name, left)| {
            let Some(stack) = view.stacks.get(name) else { return false };
            let planned = stack.plan.as_ref().map(|plan| plan.changes.as_slice()).unwrap_or_default();
            let is_left =
                |change: &Change| left.iter().any(|l| l.address == change.address && l.action == change.action);
            // What was reported done is done, wherever it is now; what is planned no more, or otherwise, was at least begun.
            !stack.done.is_empty() || planned.iter().any(|change| !is_left(change))
        });
    let outcome = if anything_done || view.done().total() > 0 { Outcome::Partial } else { Outcome::Failed };
    let mut findings: Vec<String> = left
        .iter()
        .map(|(stack, left)| match left.len() {
            0 => format!("a plan of {stack} finds nothing left to do"),
            1 => format!("a plan of {stack} finds 1 change left to do"),
            more => format!("a plan of {stack} finds {more} changes left to do"),
        })
        .collect();
    findings.extend(older.iter().map(|(stack, WentBack { serial, least, lineage })| match lineage {
        Some(lineage) => format!(
            "what is done of {stack} cannot be told: its state is another one (lineage {lineage}) than the one that it was applied to"
        ),
        None => format!(
            "what is done of {stack} cannot be told: its state has the serial {serial} and had {least} at least, so it was deleted, \
             an older one was put back, or what was made last was never stored"
        ),
    }));
    findings.extend(not_begun(view, &left, older));
    RunEvent::Ended { outcome, refusal: None, rule: None, finding: Some(findings.join("; ")), left }
}

/// Stacks that were to come after those looked at.
fn not_begun(
    view: &RunView,
    looked: &BTreeMap<StackName, Vec<Change>>,
    older: &BTreeMap<StackName, WentBack>,
) -> Option<String> {
    let through =
        |state: &StackState| matches!(state, StackState::NothingToDo | StackState::Applied | StackState::Verified);
    let after: Vec<&str> = view
        .stacks
        .iter()
        .filter(|(name, other)| !looked.contains_key(*name) && !older.contains_key(*name) && !through(&other.state))
        .map(|(name, _)| name.as_str())
        .collect();
    (!after.is_empty()).then(|| format!("not done: {}", after.join(", ")))
}

/// When and on which machine each stack of a run was being applied, as far as is known: from when its apply began until the run was
/// last heard of, or known to be lost.
struct Alive(BTreeMap<StackName, Applying>);

struct Applying {
    from: Timestamp,
    to: Timestamp,
    /// Its name alone, as Terraform writes it after `user@`; `None` where it is not known.
    machine: Option<String>,
    /// As whom, as Terraform writes it before the `@`; `None` where it is not known, as of another machine.
    user: Option<String>,
}

/// What Terraform calls an apply in the lock that it takes. Source: `internal/backend/backendrun/operation_type.go`.
const APPLY: &str = "OperationTypeApply";

/// How far the clock of the machine that applied may be from the ledger's, in milliseconds.
const CLOCKS_MS: i64 = 5_000;

impl Alive {
    /// A run is heard of by its events, and between them by a lease of `lease_ms` milliseconds. Whoever saw that it was lost saw
    /// that its Terraform was gone.
    /// `here` is this machine with its state folder, and as whom runs apply on it: whoever is somebody else cannot use that folder.
    fn of(events: &[EventRecord], lease_ms: i64, here: &(&str, Option<String>)) -> Self {
        let is_lost = |record: &&EventRecord| matches!(record.event, RunEvent::LostTrack { .. });
        let own = || events.iter().take_while(|record| !is_lost(record));
        let heard = own().last().map(|record| record.at.plus_ms(lease_ms));
        let lost = events.iter().find(is_lost).map(|record| record.at);
        let Some(to) = heard.map(|heard| lost.map_or(heard, |lost| heard.min(lost))) else {
            return Self(BTreeMap::new());
        };
        let began = own().filter_map(|record| match &record.event {
            RunEvent::StackStarted { stack, phase: Phase::Apply } => Some((stack.clone(), record.at)),
            _ => None,
        });
        let applying = began.map(|(stack, began)| {
            let host = lost::begun_on(events, &stack);
            let user = here.1.clone().filter(|_| host.as_deref() == Some(here.0));
            let machine = host.and_then(|host| host.split(':').next().map(str::to_owned));
            (stack, Applying { from: began.plus_ms(-CLOCKS_MS), to: to.plus_ms(CLOCKS_MS), machine, user })
        });
        Self(applying.collect())
    }

    /// Whether a lock is that of this stack's own apply: taken while it was being applied, for an apply, on the same machine, by the same
    /// user where that is known. Any other is somebody else's, who may live.
    fn held(&self, stack: &StackName, holder: &LockHolder) -> bool {
        let applying = self.0.get(stack).filter(|_| !holder.id.is_empty() && holder.operation == APPLY);
        let Some((user, machine)) = holder.who.rsplit_once('@') else { return false };
        applying.zip(holder.taken()).is_some_and(|(Applying { from, to, machine: own, user: as_user }, taken)| {
            let same_user = as_user.as_ref().is_none_or(|own| own == user);
            (*from..=*to).contains(&taken) && own.as_deref() == Some(machine) && same_user
        })
    }

    fn held_it<'a>(&'a self, stack: &'a StackName) -> impl Fn(&LockHolder) -> bool + 'a {
        move |holder| self.held(stack, holder)
    }
}

/// Why a stack cannot be looked at, and what can be done about it.
fn why_not(stack: &StackName, run: RunNumber, failure: Failure, is_dead: impl Fn(&LockHolder) -> bool) -> String {
    match failure.kind {
        FailureKind::LockHeld(holder) => {
            let held =
                format!("the state lock is held by {} ({}) since {}", holder.who, holder.operation, holder.created);
            if is_dead(&holder) {
                format!("{held}; `recover {run} unlock` breaks it")
            } else {
                let when = match holder.taken() {
                    Some(_) => format!("which is not when, where or as whom run {run} applied {stack}"),
                    None => format!("and whether run {run} took it cannot be told"),
                };
                format!(
                    "{held}, {when}: somebody else may be at work; ask again when they are done, or break it by hand, as \
                     docs/drift.md says: `terraform force-unlock {}`",
                    holder.id
                )
            }
        }
        FailureKind::Terraform
        | FailureKind::PreventDestroy
        | FailureKind::StalePlan
        | FailureKind::NotInitialised
        | FailureKind::UpstreamMissing
        | FailureKind::NoWorkspace
        | FailureKind::Credentials
        | FailureKind::NoStateBucket
        | FailureKind::StateUnread
        | FailureKind::CouldNotStart
        | FailureKind::Signal { .. }
        | FailureKind::NoReason { .. }
        | FailureKind::OutputNotUnderstood
        | FailureKind::Lost
        | FailureKind::Storage
        | FailureKind::Interrupted
        | FailureKind::Configuration
        | FailureKind::Fault
        | FailureKind::NotReady
        | FailureKind::CannotLook
        | FailureKind::Left => format!("{stack} cannot be planned: {}", failure.summary),
    }
}

async fn store(shared: &Shared, run: &RunSummary, fence: &Fence, events: &[RunEvent]) -> Result<(), EngineError> {
    let config = shared.config();
    let environment = config.environments.get(&run.request.environment);
    let mut tx = shared.store.begin().await?;
    standing::append(&mut tx, run, environment, events, Some(fence)).await?;
    tx.commit().await?;
    shared.bell.ring();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::RunId;

    fn at(second: i64, event: RunEvent) -> EventRecord {
        EventRecord { run: RunId(uuid::Uuid::nil()), seq: second, at: Timestamp(second * 1_000), event }
    }

    fn app() -> StackName {
        "app".parse().expect("a name")
    }

    #[test]
    fn a_removal_that_nobody_saw_the_end_of_ends_with_what_aws_still_has() {
        let order = crate::domain::command::Order::Sweep { environment: "shop".parse().expect("a name"), remove: true };
        let text = "[environments.shop]\nup = 'full'\ndown = 'small'\n[[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
                    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";
        let source = crate::problem::source::Source::new("/etc/tide/tidegate.toml", text);
        let config = crate::config::parse(source, &|_| None).expect("a configuration");
        let shop = config.environments.get("shop").expect("an environment");
        let request = crate::domain::request::request(shop, &order, None, None, None).expect("a request");
        let view = RunView::new(request);
        let of = |arns: &[&str]| -> Vec<Change> {
            let change = |arn: &&str| Change {
                address: (*arn).to_owned(),
                action: crate::domain::changes::Action::Delete,
                reason: None,
            };
            arns.iter().map(change).collect()
        };
        let told = |there: &[&str], gone: &[&str]| match found_removed(&view, vec![(app(), of(there), of(gone))]) {
            RunEvent::Ended { outcome, finding: Some(finding), left, .. } => {
                assert_eq!(left[&app()], of(there));
                (outcome, finding)
            }
            other => panic!("{other:?}"),
        };
        let (outcome, finding) = told(&["arn:b"], &["arn:a"]);
        assert_eq!((outcome, finding.as_str()), (Outcome::Partial, "of app AWS has arn:b still; gone is arn:a"));
        assert_eq!(told(&["arn:a"], &[]).0, Outcome::Failed);
        let (outcome, finding) = told(&[], &["arn:a", "arn:b"]);
        assert_eq!(
            (outcome, finding.as_str()),
            (Outcome::Partial, "AWS has nothing more of app: arn:a, arn:b is gone")
        );
    }

    /// Begun at 100 s on `vm`, heard of last at 110 s, lost at 130 s.
    fn alive(lease_s: i64) -> Alive {
        let lost = RunEvent::LostTrack { stack: app(), finding: "gone".to_owned(), others: Vec::new() };
        let events = [
            at(1, RunEvent::Accepted),
            at(2, RunEvent::Claimed { runner: "vm:/state#1".to_owned(), attempt: 1 }),
            at(100, RunEvent::StackStarted { stack: app(), phase: Phase::Apply }),
            at(
                110,
                RunEvent::StackNoted {
                    stack: app(),
                    note: crate::domain::run::Note::Protected { addresses: Vec::new() },
                },
            ),
            at(130, lost),
        ];
        Alive::of(&events, lease_s * 1_000, &("vm:/state", Some("ito".to_owned())))
    }

    fn lock(second: u32, operation: &str, who: &str) -> LockHolder {
        LockHolder {
            id: "1f2e".to_owned(),
            who: who.to_owned(),
            operation: operation.to_owned(),
            created: format!("1970-01-01 00:{:02}:{:02}.5 +0000 UTC", second / 60, second % 60),
        }
    }

    #[test]
    fn only_the_lock_of_the_lost_apply_itself_is_that_of_the_dead() {
        // Seconds of the lease; when the lock was taken, for what and by whom; whether it is the run's own.
        for (lease_s, second, operation, who, own) in [
            (600, 101, "OperationTypeApply", "ito@vm", true),
            (600, 96, "OperationTypeApply", "ito@vm", true),
            (600, 94, "OperationTypeApply", "ito@vm", false),
            (600, 134, "OperationTypeApply", "ito@vm", true),
            // It was known to be lost: whoever applies now is alive.
            (600, 136, "OperationTypeApply", "ito@vm", false),
            (10, 124, "OperationTypeApply", "ito@vm", true),
            (10, 126, "OperationTypeApply", "ito@vm", false),
            (600, 101, "OperationTypePlan", "ito@vm", false),
            (600, 101, "OperationTypeApply", "ito@laptop", false),
            (600, 101, "OperationTypeApply", "vm", false),
            // A colleague on the same machine.
            (600, 101, "OperationTypeApply", "sato@vm", false),
        ] {
            let holder = lock(second, operation, who);
            assert_eq!(alive(lease_s).held(&app(), &holder), own, "{lease_s} {holder:?}");
        }
        assert!(!alive(600).held(&"db".parse().expect("a name"), &lock(101, APPLY, "ito@vm")));
        assert!(!alive(600).held(&app(), &LockHolder { id: String::new(), ..lock(101, APPLY, "ito@vm") }));
    }
}
