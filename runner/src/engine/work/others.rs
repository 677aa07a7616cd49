//! What others did to one stack: changed by hand what Terraform made. Nothing is changed by looking; what is adopted is written into the
//! state, and nowhere else.

use std::collections::BTreeSet;
use std::path::Path;

use super::plan::How;
use super::prepare::InitWish;
use super::region::Asked;
use super::remove::still_there;
use super::{Ready, RunContext};
use crate::capacity::strays::{self, ENVIRONMENT_TAG, Known};
use crate::capacity::{CannotLook, Signed, Surroundings};
use crate::domain::answer::StackStanding;
use crate::domain::changes::{Action, Change, Exactness, StackPlan};
use crate::domain::environment::Level;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::StackName;
use crate::domain::request::{Goal, RunKind};
use crate::domain::run::Note;
use crate::ledger::places::{self, Place};
use crate::ledger::{LedgerError, made, stacks, strays as seen};
use crate::terraform::drift;

/// What carries a stack's tags, as far as it is not where it should be.
pub(super) struct Swept {
    /// What stands in no state.
    pub(super) strays: Vec<strays::Of>,
    /// ARNs that carry the tag of another stack and stand in this one's state.
    pub(super) elsewhere: Vec<String>,
    /// Why what stands in no state here may well stand in one.
    pub(super) doubt: Option<String>,
}

impl RunContext {
    /// Plans what a run about others' changes needs of this stack.
    pub(super) async fn plan_others(&self, name: &StackName) -> Result<StackPlan, Failure> {
        let stack = self.stack(name)?;
        let (Goal::Apply(variables) | Goal::Destroy { instead: variables }) =
            self.request.goal(&self.environment, stack);
        if self.request.kind == RunKind::Preflight {
            Box::pin(self.preflight(name, &variables)).await?;
            return Ok(nothing());
        }
        if self.request.kind == RunKind::Remove {
            return Box::pin(self.plan_removal(name, &variables)).await;
        }
        if let Some(by_hand) = &self.request.by_hand {
            return Box::pin(self.plan_by_hand(name, &variables, &by_hand.args)).await;
        }
        if self.request.kind == RunKind::Sweep {
            match self.prepare(name, &variables, InitWish::WhereNeeded).await {
                Ok(_) => self.sweep(name).await,
                // In no workspace is no state: whatever carries the tags is not looked for by an empty one.
                Err(failure) if failure.kind == FailureKind::NoWorkspace => self.note(name, unswept(failure.summary)),
                Err(failure) => return Err(failure),
            }
            return Ok(nothing());
        }
        let planned = self.plan_with(name, &variables, How::Refresh).await;
        if self.request.kind == RunKind::Drift && planned.is_ok() {
            self.sweep(name).await;
        }
        if let Ok(plan) = &planned
            && self.request.kind == RunKind::Drift
        {
            Box::pin(self.who_did(name, &plan.drift)).await;
        }
        match planned {
            // A stack that nothing was ever applied to has nothing that others could have changed.
            Err(Failure { kind: FailureKind::UpstreamMissing | FailureKind::NoWorkspace, .. })
                if !self.states_left.contains_key(name) =>
            {
                Ok(nothing())
            }
            planned => planned,
        }
    }

    /// Looks for what carries the stack's tags and stands in no state, and tells it, or why that is not known. A stack without the AWS
    /// provider has nothing there.
    async fn sweep(&self, name: &StackName) {
        let note = match self.swept(name).await {
            Ok(None) => return,
            Ok(Some(Swept { strays, elsewhere, doubt })) => {
                let strays = strays.into_iter().map(|of| of.stray).collect();
                Note::Swept { strays, elsewhere, doubt, unknown: None }
            }
            Err(why) => unswept(why),
        };
        self.note(name, note);
    }

    pub(super) async fn swept(&self, name: &StackName) -> Result<Option<Swept>, String> {
        if self.request.clears {
            return self.swept_everywhere(name).await;
        }
        let Some((swept, aws)) = self.swept_by(name).await? else { return Ok(None) };
        self.as_it_is(name, swept, &aws).await.map(Some)
    }

    /// Wherever its state had something: it is empty by now, and does not tell. Where nothing is known of that, where it is configured.
    async fn swept_everywhere(&self, name: &StackName) -> Result<Option<Swept>, String> {
        let noted = places::of_stack(&self.claim.store, &self.environment.name, name).await;
        let noted: Vec<Option<Place>> = noted.map_err(|error| error.to_string())?.into_iter().map(Some).collect();
        let noted = if noted.is_empty() { vec![None] } else { noted };
        let mut all: Option<Swept> = None;
        for place in &noted {
            let Some((swept, aws)) = self.swept_at(name, place.as_ref()).await? else { return Ok(None) };
            let swept = self.as_it_is(name, swept, &aws).await?;
            match &mut all {
                None => all = Some(swept),
                Some(all) => {
                    all.strays.extend(swept.strays);
                    all.elsewhere.extend(swept.elsewhere);
                    all.doubt = all.doubt.take().or(swept.doubt);
                }
            }
        }
        Ok(all)
    }

    /// Notes in which accounts and regions the state has something that is to be destroyed, where it was made for one test: its end looks there
    /// for what is left.
    pub(super) async fn note_places(&self, name: &StackName, ready: &Ready) -> Result<(), Failure> {
        let failed = |error: &dyn std::fmt::Display| {
            let summary =
                format!("where {name} has something cannot be noted, so that nobody would look there for what is left");
            Failure::new(FailureKind::CannotLook, summary).with_detail(error.to_string())
        };
        if !made::exists(&self.claim.store, &self.environment.name).await.map_err(|error| failed(&error))? {
            return Ok(());
        }
        let known = Known::read(&self.state(name, ready).await?).map_err(|error| failed(&error))?;
        let place = |(account, region): (&str, &str)| Place { account: account.to_owned(), region: region.to_owned() };
        let places: BTreeSet<Place> = known.places().map(place).collect();
        if places.is_empty() {
            return Ok(());
        }
        let mut tx = self.claim.store.begin().await.map_err(|error| failed(&error))?;
        places::note(&mut tx, &self.environment.name, name, &places).await.map_err(|error| failed(&error))?;
        tx.commit().await.map_err(|error| failed(&error))
    }

    /// Each is asked for by itself, how old it is and whether it still is: the tagging API lists for a while what is gone.
    async fn as_it_is(&self, name: &StackName, swept: Swept, aws: &Signed) -> Result<Swept, String> {
        let known = seen::of_stack(&self.claim.store, &self.environment.name, name).await;
        let known = known.map_err(|error| error.to_string())?;
        let mut strays = Vec::new();
        for mut of in swept.strays {
            of.stray.seen = known.get(&of.stray.arn).copied();
            strays.extend(still_there(aws, of).await);
        }
        Ok(Swept { strays, ..swept })
    }

    /// The same, with whoever was asked.
    pub(super) async fn swept_by(&self, name: &StackName) -> Result<Option<(Swept, Signed)>, String> {
        self.swept_at(name, None).await
    }

    /// What carries the tags at a place, or else where the state has something, with whoever was asked.
    async fn swept_at(&self, name: &StackName, place: Option<&Place>) -> Result<Option<(Swept, Signed)>, String> {
        let words = |failure: Failure| failure.summary;
        let ready = self.ready_again(name).await.map_err(words)?;
        let version = ready.tool.version(&ready.root).await.map_err(|failure| failure.summary)?;
        if !version.providers.keys().any(|source| source.ends_with("/aws")) {
            let nothing = "it has no AWS provider, and nobody but AWS is asked";
            return if self.request.kind == RunKind::Sweep { Err(nothing.to_owned()) } else { Ok(None) };
        }
        let readiness = self.stack(name).map_err(words)?.readiness.clone();
        let text = self.state(name, &ready).await.map_err(words)?;
        let known = Known::read(&text).map_err(|error| error.to_string())?;
        let surroundings = Surroundings::with(&ready.env);
        let told = |error: CannotLook| {
            let said = error.said();
            // Another right is needed here than to look at groups.
            let next = match &error {
                CannotLook::Denied(_) => "allow `tag:GetResources`",
                other => other.next_step(),
            };
            let said = if said.is_empty() { String::new() } else { format!(": {said}") };
            ready.redactor.redact(&format!("{error}{said}; next: {next}")).into_owned()
        };
        let Asked { region, guessed } = match place {
            Some(place) => Asked { region: place.region.clone(), guessed: false },
            None => self.region(name, &ready, known.region()).await.map_err(|_| {
                "it is not known in which region: give the stack `env = { AWS_REGION = \"...\" }`".to_owned()
            })?,
        };
        let aws = Signed::connect(&surroundings, &region, readiness.role.as_deref()).await.map_err(told)?;
        let identity = aws.identity().await.map_err(told)?;
        let mut accounts = known.accounts();
        accounts.extend(place.map(|place| place.account.as_str()));
        elsewhere(accounts, strays::account(&identity))?;
        let all = aws.tagged(ENVIRONMENT_TAG, self.environment.name.as_str()).await.map_err(told)?;
        let stacks: Vec<&str> = self.environment.stacks.keys().map(StackName::as_str).collect();
        let (strays, elsewhere) = strays::sort(name.as_str(), &stacks, &known, &all);
        if guessed && strays.is_empty() {
            return Err(format!(
                "nothing is in {region}, where its state lies, and whether it is made there nobody says: give the stack \
                 `env = {{ AWS_REGION = \"...\" }}`"
            ));
        }
        // Where nothing stands outside, nothing is to be doubted.
        let doubt = match strays.as_slice() {
            [] => None,
            _ => self.doubt(name, &known).await.map_err(|error| error.to_string())?,
        };
        Ok(Some((Swept { strays, elsewhere, doubt }, aws)))
    }

    /// Why a state may not be the one that the stack was made with: what stands in that one is not to be taken away.
    async fn doubt(&self, name: &StackName, known: &Known) -> Result<Option<String>, LedgerError> {
        // Where Tidegate never saw a state there is none that could be missing: an apply was killed before its first was stored.
        let left = self.states_left.get(name).filter(|left| left.lineage.is_some() || known.lineage.is_some());
        if let Some(back) = left.and_then(|left| left.went_back(known.serial, known.lineage.as_deref())) {
            return Ok(Some(back.in_words()));
        }
        if !known.is_empty() {
            return Ok(None);
        }
        let standings = stacks::standings(&self.claim.store, &self.environment.name).await?;
        Ok(match standings.get(name) {
            None => Some("its state is empty, and Tidegate never applied it".to_owned()),
            Some(StackStanding { level: Some(level), .. }) if *level != Level::Off => {
                Some(format!("its state is empty, and it was left at {level}"))
            }
            Some(_) => None,
        })
    }

    /// What the refreshing plan at `out` means for this run: what is told, and where it is to be adopted what is written.
    pub(super) fn of_others(&self, name: &StackName, out: &Path, plan: StackPlan) -> StackPlan {
        let adopts = matches!(self.request.kind, RunKind::Adopt | RunKind::Terraform);
        // Its plan is applied whole: a yes to it has to see what is not told otherwise.
        let ignore: &[String] = if adopts { &[] } else { &self.environment.rules.drift.ignore };
        let drift = drift::found(out, plan.drift, ignore);
        let sizes = self.sizes_of(name, &drift);
        if !sizes.is_empty() {
            self.note(name, Note::Resized { settings: sizes });
        }
        let changes: Vec<Change> = if adopts { drift.iter().map(adopted).collect() } else { Vec::new() };
        let told = |change: &Change| Some((change.address.clone(), change.reason.clone()?));
        let values = changes.iter().filter_map(told).collect();
        // Outputs alone are nothing that others did: those of a stack that is off, or of what its upstream puts out. The next run has them.
        let outputs_change = adopts && plan.outputs_change && !changes.is_empty();
        StackPlan { changes, drift, outputs_change, values, ..plan }
    }

    /// Settings that a group's desired count is, as it was and as it is now: where exactly one number of this stack has the value that
    /// the group had, and may have the one that it has.
    fn sizes_of(&self, name: &StackName, drift: &[Change]) -> Vec<String> {
        let target = &self.request.target;
        crate::domain::drift::resized(&self.environment, name, target, drift.iter().filter_map(drift::desired))
    }
}

/// Refuses to look where the state's resources are not: a provider may take on a role that nobody but it knows of.
fn elsewhere(accounts: BTreeSet<&str>, here: Option<&str>) -> Result<(), String> {
    let Some(here) = here.filter(|here| !accounts.is_empty() && !accounts.contains(here)) else { return Ok(()) };
    let there: Vec<&str> = accounts.into_iter().collect();
    Err(format!(
        "what its state has, or had, is in the account {}, and AWS was asked in {here}: give the stack the `role` that its provider takes on",
        there.join(" and ")
    ))
}

/// Why what stands in no state is not known.
pub(super) fn unswept(why: String) -> Note {
    Note::Swept { strays: Vec::new(), elsewhere: Vec::new(), doubt: None, unknown: Some(why) }
}

/// A change of others as it is taken into the state.
fn adopted(change: &Change) -> Change {
    let gone = matches!(change.action, Action::Delete | Action::Forget);
    Change { action: if gone { Action::Forget } else { Action::Import }, ..change.clone() }
}

/// Nothing is there and nothing is to be done.
pub(super) fn nothing() -> StackPlan {
    plan_of(Vec::new())
}

/// A plan that Terraform has not made.
pub(super) fn plan_of(mut changes: Vec<Change>) -> StackPlan {
    changes.sort();
    StackPlan {
        exactness: Exactness::Exact,
        changes,
        drift: Vec::new(),
        outputs_change: false,
        destroy: false,
        kept_for: Vec::new(),
        inputs: None,
        serial: None,
        least_serial: None,
        lineage: None,
        left_lineage: None,
        left_at: None,
        values: std::collections::BTreeMap::new(),
        scales: false,
    }
}
