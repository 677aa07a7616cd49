//! What stands in the way of a change of one stack: found before anybody waits for it. Nothing is changed by looking, not even a lock taken.
//!
//! Quotas are [`super::quotas`]'s: what is needed of them only a plan tells.

use chrono::{DateTime, SecondsFormat};

use super::plan::How;
use super::prepare::InitWish;
use super::region::Asked;
use super::{Ready, RunContext};
use crate::capacity::state::{self, StateError};
use crate::capacity::{CannotLook, Signed, Surroundings};
use crate::domain::changes::StackPlan;
use crate::domain::environment::Variables;
use crate::domain::failure::{Failure, FailureKind, LockHolder};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::request::variables;
use crate::domain::run::Note;
use crate::terraform::{LockPlace, StateHead, lock_place};

/// Less room than this for plans and logs is too little, in bytes: one gigabyte, as much as a provider of AWS takes to be unpacked.
const ROOM_MIN: u64 = 1 << 30;

/// Credentials that end sooner than that may end in mid-apply, in milliseconds: two hours.
const LASTS_MS: i64 = 2 * 3_600_000;

impl RunContext {
    /// Looks, and tells. What keeps the stack from being made ready at all fails as it would fail a change.
    pub(super) async fn preflight(&self, name: &StackName, variables: &Variables) -> Result<(), Failure> {
        let mut troubles: Vec<String> = self.room().into_iter().collect();
        let prepared = self.prepare(name, variables, InitWish::WhereNeeded).await;
        let (ready, has_workspace) = match prepared {
            // The change makes it.
            Err(failure) if failure.kind == FailureKind::NoWorkspace => {
                (self.ready_as_it_was(name, variables).ok_or(failure)?, false)
            }
            prepared => (prepared?, true),
        };
        let version = ready.tool.version(&ready.root).await.map_err(|failure| *failure)?;
        if version.providers.keys().any(|source| source.ends_with("/aws")) {
            let surroundings = Surroundings::with(&ready.env);
            match self.region(name, &ready, None).await {
                Ok(Asked { region, .. }) => {
                    let of_aws = self.of_aws(name, &surroundings, &region).await;
                    // Nobody's plan is worth anything while somebody applies, or without credentials.
                    if has_workspace && of_aws.is_empty() {
                        troubles.extend(Box::pin(self.of_raise(name)).await);
                    }
                    troubles.extend(of_aws);
                    troubles.extend(self.ends(&surroundings).await);
                }
                Err(error) => troubles.push(format!("AWS was not asked: {}", words(&error))),
            }
        }
        if troubles.is_empty() && has_workspace {
            troubles.extend(self.of_state(name, &ready).await);
        }
        let troubles = troubles.iter().map(|trouble| ready.redactor.redact(trouble).into_owned()).collect();
        self.note(name, Note::Preflight { troubles });
        Ok(())
    }

    /// What its schedules will ask for next, planned to see whether that can be, and what it needs of the account's quotas.
    async fn of_raise(&self, name: &StackName) -> Option<String> {
        let target = self.coming.as_ref()?;
        let variables = variables(&self.environment, self.stack(name).ok()?, target);
        match self.plan_with(name, &variables, How::Glance).await {
            Ok(plan) => {
                self.note_needs(name, &plan).await;
                None
            }
            // Its upstream is raised before it, in the same run.
            Err(failure) if failure.kind == FailureKind::UpstreamMissing => None,
            Err(failure) => Some(format!("a plan for {} fails: {}", target.level, failure.summary)),
        }
    }

    /// Tells where the credentials end before an apply of this plan may have.
    pub(super) async fn note_end(&self, name: &StackName, plan: &StackPlan) {
        let Some(ready) = self.remembered(name).filter(|_| !plan.changes.is_empty()) else { return };
        if let Some(trouble) = self.ends(&Surroundings::with(&ready.env)).await {
            self.note(name, Note::Preflight { troubles: vec![trouble] });
        }
    }

    async fn ends(&self, surroundings: &Surroundings) -> Option<String> {
        ends_soon(surroundings.ends()?, self.claim.store.now().await.ok()?)
    }

    /// A state that nobody can read, as of a newer Terraform, or that others wrote since it was left: a run that changes the stack would
    /// wait for a yes.
    async fn of_state(&self, name: &StackName, ready: &Ready) -> Option<String> {
        let text = match self.state(name, ready).await {
            Ok(text) => text,
            Err(failure) => return Some(format!("{}: {}", failure.summary, failure.detail)),
        };
        if let Err(error @ (StateError::NotAState(_) | StateError::Version(_))) = state::read(&text) {
            return Some(error.to_string());
        }
        let left = self.states_left.get(name)?;
        let StateHead { serial, lineage } = StateHead::of_text(&text);
        if let Some(back) = left.went_back(serial.unwrap_or_default(), lineage.as_deref()) {
            return Some(format!("{}: what changes it will ask first", back.in_words()));
        }
        let left_at = left.at?;
        let serial = serial.filter(|serial| *serial > left.serial)?;
        Some(format!(
            "its state moved from serial {} to {serial} outside Tidegate since {}: what changes it will ask first",
            left.serial,
            moment(left_at)
        ))
    }

    /// Too little room where plans, logs and providers lie.
    fn room(&self) -> Option<String> {
        let folder = self.paths.state_dir();
        let room = rustix::fs::statvfs(folder).ok()?;
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        let mib = free >> 20;
        (free < ROOM_MIN).then(|| format!("only {mib} MiB are free in {}: make room there", folder.display()))
    }

    async fn of_aws(&self, name: &StackName, surroundings: &Surroundings, region: &str) -> Vec<String> {
        let asked = match Signed::connect(surroundings, region, None).await {
            Ok(aws) => aws.identity().await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(_) => self.of_lock(name, surroundings, region).await,
            Err(error) => vec![words(&error)],
        }
    }

    /// Who holds the state's lock: told as what stands in the way, and kept for `status`.
    async fn of_lock(&self, name: &StackName, surroundings: &Surroundings, region: &str) -> Vec<String> {
        let (mut troubles, mut holders) = (Vec::new(), Vec::new());
        let data_dir = self.paths.data(&self.environment.name, name);
        let workspace = self.stack(name).ok().and_then(|stack| stack.workspace.as_deref());
        for place in lock_place(&data_dir, workspace) {
            let held = match &place {
                LockPlace::Object { region: own, bucket, key, role } => {
                    let own = own.as_deref().unwrap_or(region);
                    match Signed::connect(surroundings, own, role.as_deref()).await {
                        Ok(aws) => aws.object(bucket, key).await,
                        Err(error) => Err(error),
                    }
                }
                LockPlace::Item { region: own, table, id, role } => {
                    let own = own.as_deref().unwrap_or(region);
                    match Signed::connect(surroundings, own, role.as_deref()).await {
                        Ok(aws) => aws.lock_item(table, id).await,
                        Err(error) => Err(error),
                    }
                }
            };
            match held {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let holder = holder(&text);
                    troubles.push(
                        holder
                            .as_ref()
                            .map_or_else(|| "the state lock is held; by whom cannot be read".to_owned(), held_by),
                    );
                    holders.extend(holder);
                }
                Err(error) => troubles.push(format!("who holds the state lock cannot be told: {}", words(&error))),
            }
        }
        if !holders.is_empty() {
            self.note(name, Note::Locked { holders });
        }
        troubles
    }
}

/// Why AWS could not be asked, with what to do.
fn words(error: &CannotLook) -> String {
    let said = error.said();
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let next = match error {
        CannotLook::Denied(_) => "allow `s3:GetObject` on the lock, or `dynamodb:GetItem` on its table",
        other => other.next_step(),
    };
    format!("{error}{said}; next: {next}")
}

fn ends_soon(end: Timestamp, now: Timestamp) -> Option<String> {
    let left_ms = end.ms_since(now);
    let at = moment(end);
    match left_ms {
        ..=0 => Some(format!("the credentials ended at {at}: renew them")),
        1..=LASTS_MS => Some(format!(
            "the credentials end at {at}, in {} min: an apply that takes longer fails half done; renew them",
            left_ms / 60_000
        )),
        _ => None,
    }
}

fn moment(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.0).map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)).unwrap_or_default()
}

/// Who holds a lock, as its text tells; `None` where it cannot be read. Source: Terraform's `internal/states/statemgr/locker.go`,
/// `LockInfo`.
fn holder(text: &str) -> Option<LockHolder> {
    let info: serde_json::Value = serde_json::from_str(text).ok()?;
    let of = |name: &str| info[name].as_str().unwrap_or_default().to_owned();
    Some(LockHolder { id: of("ID"), who: of("Who"), operation: of("Operation"), created: of("Created") })
}

/// The same in words.
fn held_by(holder: &LockHolder) -> String {
    let LockHolder { id, who, operation, created } = holder;
    let operation = operation.strip_prefix("OperationType").unwrap_or(operation).to_lowercase();
    format!(
        "the state lock is held by {who} for {operation} since {created}, lock {id}: ask them; where nobody is at work any more, \
         `terraform force-unlock {id}` by hand, as docs/drift.md says"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_that_end_within_two_hours_are_told_and_others_are_not() {
        let now = Timestamp(1_000_000);
        assert_eq!(ends_soon(now.plus_ms(LASTS_MS + 1), now), None);
        assert!(ends_soon(now.plus_ms(40 * 60_000), now).is_some_and(|text| text.contains("in 40 min")));
        assert!(ends_soon(now, now).is_some_and(|text| text.contains("ended")));
    }

    #[test]
    fn a_lock_is_told_with_its_holder_and_one_that_cannot_be_read_is_a_lock_too() {
        let text = r#"{"ID":"11","Operation":"OperationTypeApply","Who":"ito@desk","Created":"2026-11-20T05:54:55Z"}"#;
        let told = held_by(&holder(text).expect("a holder"));
        assert!(told.contains("held by ito@desk for apply since 2026-11-20T05:54:55Z, lock 11"), "{told}");
        assert_eq!(holder("{"), None);
    }
}
