//! What a plan would do and what an apply did, in Terraform's words (`create`, `update`, `replace`, `delete`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ids::Timestamp;

/// What Terraform means to do with one resource.
/// Source: the `action` field of Terraform's machine-readable UI, `planned_change` messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The resource does not exist yet.
    Create,
    /// A change in place.
    Update,
    /// Deleted and made again (in either order).
    Replace,
    /// Deleted.
    Delete,
    /// Only moved to another address.
    Move,
    /// Only adopted into the state.
    Import,
    /// Dropped from the state, left in the cloud.
    Forget,
}

impl Action {
    /// True where Terraform reports it when it is done. Moves, imports and forgettings only change the state.
    #[must_use]
    pub fn is_reported(self) -> bool {
        !matches!(self, Self::Move | Self::Import | Self::Forget)
    }

    /// True when the thing that exists now will not exist afterwards.
    #[must_use]
    pub fn destroys(self) -> bool {
        match self {
            Self::Replace | Self::Delete => true,
            Self::Create | Self::Update | Self::Move | Self::Import | Self::Forget => false,
        }
    }
}

/// [`Change::reason`] of a group whose making came up short and that is kept: untainted once there is a yes, then changed as planned.
pub const UNTAINTED: &str = "untainted";

/// One planned change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Change {
    /// The resource's address: `module.slaves.terraform_data.slave[0]`.
    pub address: String,
    /// What will be done.
    pub action: Action,
    /// Terraform's reason where it gives one (`tainted`, `requested`, `cannot_update`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Change {
    /// True for a group that is kept, although Terraform would destroy and make it again.
    #[must_use]
    pub fn is_untainted(&self) -> bool {
        self.reason.as_deref() == Some(UNTAINTED)
    }
}

/// How many resources are created, changed, replaced, destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Resources created.
    pub create: u32,
    /// Resources changed in place.
    pub update: u32,
    /// Resources replaced.
    pub replace: u32,
    /// Resources destroyed.
    pub delete: u32,
    /// Resources only moved to another address.
    #[serde(default, skip_serializing_if = "is_none")]
    pub moved: u32,
    /// Resources only adopted into the state.
    #[serde(default, skip_serializing_if = "is_none")]
    pub import: u32,
    /// Resources only dropped from the state.
    #[serde(default, skip_serializing_if = "is_none")]
    pub forget: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Counts {
    /// Counts the actions of `changes`.
    #[must_use]
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut counts = Self::default();
        for change in changes {
            match change.action {
                Action::Create => counts.create += 1,
                Action::Update => counts.update += 1,
                Action::Move => counts.moved += 1,
                Action::Import => counts.import += 1,
                Action::Forget => counts.forget += 1,
                Action::Replace => counts.replace += 1,
                Action::Delete => counts.delete += 1,
            }
        }
        counts
    }

    /// All changes of what exists together; a replacement counts once. What only changes the state is none of them.
    #[must_use]
    pub fn total(self) -> u32 {
        self.create + self.update + self.replace + self.delete
    }

    /// How many there are of one action.
    #[must_use]
    pub fn many(self, action: Action) -> u32 {
        match action {
            Action::Create => self.create,
            Action::Update => self.update,
            Action::Replace => self.replace,
            Action::Delete => self.delete,
            Action::Move => self.moved,
            Action::Import => self.import,
            Action::Forget => self.forget,
        }
    }

    /// Both counts added up, for a run over several stacks.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            create: self.create + other.create,
            update: self.update + other.update,
            replace: self.replace + other.replace,
            delete: self.delete + other.delete,
            moved: self.moved + other.moved,
            import: self.import + other.import,
            forget: self.forget + other.forget,
        }
    }
}

/// How far a stack's plan can be believed before its upstream stacks have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exactness {
    /// This very plan will be applied.
    Exact,
    /// Planned against upstream outputs that are about to change; planned again when they have.
    Provisional,
    /// Cannot be planned yet, because an upstream stack has no state. Only creations are allowed, their number is unknown.
    Unknown,
}

/// What a plan of one stack says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackPlan {
    /// Exact, provisional or unknown.
    pub exactness: Exactness,
    /// Planned changes, sorted by address. Empty when nothing is to be done or the plan is unknown.
    pub changes: Vec<Change>,
    /// Changes that Terraform found to have been made outside of it (`resource_drift`), sorted by address.
    pub drift: Vec<Change>,
    /// True when an output of the stack changes, so that stacks which need it must be planned again.
    pub outputs_change: bool,
    /// True when this is a plan to destroy the whole stack.
    pub destroy: bool,
    /// Why a stack that should have been destroyed is only lowered: addresses that `protect` names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_for: Vec<String>,
    /// Digest of what it was made with; see [`crate::domain::run::Provenance::inputs`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<String>,
    /// Serial of the Terraform state that it was made against; `None` where it is not told. No part of what a yes is for: the same
    /// changes to a newer state are the same changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Serial that the state had at least when Tidegate last applied something to it; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_serial: Option<u64>,
    /// Lineage of the Terraform state that it was made against: what Terraform calls a state that is another one from its first day,
    /// whatever its serial; `None` where there is no state or it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// Lineage that the state had when Tidegate last knew it; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_lineage: Option<String>,
    /// When Tidegate left the state with exactly [`StackPlan::least_serial`]; `None` where only the least is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// A digest of the values that each change gives, by address; none for what is taken away, nor where they cannot be told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// The stack has Auto Scaling groups, or is to have: whether they are in service is another question than whether they are there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scales: bool,
}

/// How a stack's Terraform state was left, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateLeft {
    /// The serial that it has at least.
    pub serial: u64,
    /// Its lineage; `None` where that is not known.
    pub lineage: Option<String>,
    /// When it was left with exactly that serial; `None` where only the least is known.
    pub at: Option<Timestamp>,
}

impl StateLeft {
    /// Whether a state with this serial and lineage is another or an older one.
    #[must_use]
    pub fn went_back(&self, serial: u64, lineage: Option<&str>) -> Option<WentBack> {
        let other = lineage.filter(|now| self.lineage.as_ref().is_some_and(|left| left != now));
        (serial < self.serial || other.is_some()).then(|| WentBack {
            serial,
            least: self.serial,
            lineage: other.map(str::to_owned),
        })
    }
}

/// A Terraform state that is not the one that was left: it was deleted, or an older or another one was put in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentBack {
    /// The serial that it has; 0 where there is no state.
    pub serial: u64,
    /// The serial that it should have at least.
    pub least: u64,
    /// Its lineage, where that is another than the one that was left; its serial then tells nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
}

impl WentBack {
    /// `its state has the serial 3, and had 7 when it was left`
    #[must_use]
    pub fn in_words(&self) -> String {
        match &self.lineage {
            Some(_) => "its state is another one than the one that was left".to_owned(),
            None => format!("its state has the serial {}, and had {} when it was left", self.serial, self.least),
        }
    }
}

/// A Terraform state that was written by others since it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The serial that it has.
    pub serial: u64,
    /// The serial that it was left with.
    pub left: u64,
    /// When that was.
    pub since: Timestamp,
}

impl StackPlan {
    /// Whether it was made against an older or another state than the one that Tidegate left: what was made since then may still
    /// exist, and the plan knows nothing of it.
    #[must_use]
    pub fn went_back(&self) -> Option<WentBack> {
        let left = StateLeft { serial: self.least_serial?, lineage: self.left_lineage.clone(), at: None };
        left.went_back(self.serial?, self.lineage.as_deref())
    }

    /// Whether somebody has written the state since Tidegate left it: what they did is not known, and the plan may take it back.
    #[must_use]
    pub fn moved(&self) -> Option<Moved> {
        let (serial, left, since) = (self.serial?, self.least_serial?, self.left_at?);
        (serial > left && self.went_back().is_none()).then_some(Moved { serial, left, since })
    }

    /// True when applying it would do something: resources or outputs change. A plan that is not exact may always turn
    /// out to have work, because what it was planned against is about to change.
    #[must_use]
    pub fn has_work(&self) -> bool {
        match self.exactness {
            Exactness::Exact => !self.changes.is_empty() || self.outputs_change,
            Exactness::Provisional | Exactness::Unknown => true,
        }
    }

    /// Whether groups in it are to be untainted before anything is applied.
    #[must_use]
    pub fn untaints(&self) -> bool {
        self.changes.iter().any(Change::is_untainted)
    }

    /// The plan with these groups kept: what it will be once they are untainted, as far as that can be told before. Its makings anew
    /// become changes, which is the most that the true plan may do to them.
    #[must_use]
    pub fn keeping(mut self, groups: &[String]) -> Self {
        for change in self.changes.iter_mut().filter(|change| groups.contains(&change.address)) {
            change.action = Action::Update;
            change.reason = Some(UNTAINTED.to_owned());
        }
        self.values.retain(|address, _| !groups.contains(address));
        self.changes.sort();
        Self { exactness: Exactness::Provisional, ..self }
    }

    /// The counts of the planned changes.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.changes)
    }

    /// What a later plan of this stack may do without asking again.
    #[must_use]
    pub fn envelope(&self) -> Envelope {
        Envelope {
            exactness: self.exactness,
            changes: self.changes.clone(),
            inputs: self.inputs.clone(),
            values: self.values.clone(),
        }
    }
}

/// A digest of a set of changes (addresses, actions, values and variables of all stacks, order-free), in hexadecimal. Two plans
/// with the same digest ask people the same question. SHA-256.
#[must_use]
pub fn digest<'a>(plans: impl IntoIterator<Item = (&'a str, &'a StackPlan)>) -> String {
    let sorted: BTreeMap<&str, &StackPlan> = plans.into_iter().collect();
    let mut hash = Sha256::new();
    for (stack, plan) in sorted {
        let mut changes: Vec<_> = plan.changes.iter().map(|c| (&c.address, c.action)).collect();
        changes.sort();
        // JSON quotes every text, so that no address can imitate a boundary between two of them.
        let line = serde_json::json!([stack, plan.exactness, plan.destroy, plan.inputs, changes, plan.values]);
        hash.update(line.to_string().as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The most that a later plan of a stack may do without a new question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// How far what was shown could be believed.
    pub exactness: Exactness,
    /// What was shown.
    pub changes: Vec<Change>,
    /// [`StackPlan::inputs`] of it.
    pub inputs: Option<String>,
    /// [`StackPlan::values`] of it.
    pub values: BTreeMap<String, String>,
}

impl Envelope {
    /// What `plan` would do beyond this envelope: empty means that the run may go on.
    ///
    /// Deletions and replacements must have been shown by name. So must all others where an exact plan was shown; where it
    /// could only be provisional, creations and updates must not outnumber what was shown, and where creations could not be
    /// counted, any number of them is inside. Where an exact plan was shown, what gives other values is beyond. With other
    /// variables or code than what was shown so is everything of which it is not known that it gives the same values: the same update of
    /// the same resource can then mean ten times as much.
    #[must_use]
    pub fn beyond(&self, plan: &StackPlan) -> Vec<Change> {
        let otherwise = self.is_made_otherwise(plan);
        let is_beyond = |change: &&Change| {
            let same = self.gives_the_same(change, plan);
            !self.allows(change, plan.counts()) || same == Some(false) || otherwise && same.is_none()
        };
        plan.changes.iter().filter(is_beyond).cloned().collect()
    }

    /// Whether `plan` is made with other variables or code than what was shown. What its changes run beside giving values, as a
    /// provisioner does, may then be something else.
    #[must_use]
    pub fn is_made_otherwise(&self, plan: &StackPlan) -> bool {
        matches!((&self.inputs, &plan.inputs), (Some(shown), Some(now)) if shown != now)
    }

    /// Whether `change` gives the values that were shown; `None` where that cannot be told.
    fn gives_the_same(&self, change: &Change, plan: &StackPlan) -> Option<bool> {
        if change.action == Action::Delete {
            return Some(true);
        }
        let exact = self.exactness == Exactness::Exact && plan.exactness == Exactness::Exact;
        let (shown, now) = (self.values.get(&change.address)?, plan.values.get(&change.address)?);
        exact.then_some(shown == now)
    }

    /// Whether `change` is inside; `counts` are those of the plan that it is in.
    fn allows(&self, change: &Change, counts: Counts) -> bool {
        let was_shown = |action| self.changes.iter().any(|c| c.action == action && c.address == change.address);
        let most = Counts::of(&self.changes);
        match (change.action, self.exactness) {
            (Action::Delete, _) => was_shown(Action::Delete),
            // What was to go for good may also come back; not the other way round.
            (Action::Replace, _) => was_shown(Action::Replace) || was_shown(Action::Delete),
            (Action::Create, Exactness::Unknown) => true,
            (Action::Create, Exactness::Provisional) => counts.create <= most.create,
            (
                Action::Update | Action::Move | Action::Import | Action::Forget,
                Exactness::Provisional | Exactness::Unknown,
            ) => counts.many(change.action) <= most.many(change.action),
            (Action::Create | Action::Update | Action::Move | Action::Import | Action::Forget, Exactness::Exact) => {
                was_shown(change.action)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(changes: &[(&str, Action)]) -> StackPlan {
        StackPlan {
            exactness: Exactness::Exact,
            changes: changes
                .iter()
                .map(|(address, action)| Change { address: (*address).to_owned(), action: *action, reason: None })
                .collect(),
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
            values: BTreeMap::new(),
            scales: false,
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_order_and_sees_every_action() {
        let a = plan(&[("a", Action::Create), ("b", Action::Update)]);
        let b = plan(&[("b", Action::Update), ("a", Action::Create)]);
        let c = plan(&[("b", Action::Replace), ("a", Action::Create)]);
        assert_eq!(digest([("app", &a)]), digest([("app", &b)]));
        assert_ne!(digest([("app", &a)]), digest([("app", &c)]));
        assert_ne!(digest([("app", &a)]), digest([("jmeter", &a)]));
    }

    #[test]
    fn an_envelope_lets_pass_what_was_shown_and_names_what_was_not() {
        let shown = plan(&[("a", Action::Create), ("b", Action::Delete)]).envelope();
        assert!(shown.beyond(&plan(&[("b", Action::Delete)])).is_empty());
        assert!(shown.beyond(&plan(&[("b", Action::Replace)])).is_empty());
        assert!(shown.beyond(&plan(&[])).is_empty());
        assert_eq!(shown.beyond(&plan(&[("c", Action::Delete)])).len(), 1);
        assert_eq!(shown.beyond(&plan(&[("x", Action::Create), ("b", Action::Delete)])).len(), 1);
        assert_eq!(shown.beyond(&plan(&[("a", Action::Create), ("c", Action::Create)])).len(), 1);
        assert_eq!(shown.beyond(&plan(&[("a", Action::Update)])).len(), 1);
        assert_eq!(shown.beyond(&plan(&[("a", Action::Replace)])).len(), 1);
    }

    #[test]
    fn a_replacement_that_was_shown_is_no_leave_to_destroy() {
        let shown = plan(&[("db", Action::Replace)]).envelope();
        assert_eq!(shown.beyond(&plan(&[("db", Action::Delete)])).len(), 1);
    }

    #[test]
    fn a_provisional_plan_allows_as_many_creations_and_updates_as_it_showed_and_losses_by_name() {
        let mut shown = plan(&[("a", Action::Create), ("b", Action::Delete)]);
        shown.exactness = Exactness::Provisional;
        let shown = shown.envelope();
        assert!(shown.beyond(&plan(&[("x", Action::Create), ("b", Action::Delete)])).is_empty());
        assert_eq!(shown.beyond(&plan(&[("a", Action::Create), ("c", Action::Create)])).len(), 2);
        assert_eq!(shown.beyond(&plan(&[("c", Action::Delete)])).len(), 1);
        assert_eq!(shown.beyond(&plan(&[("a", Action::Update)])).len(), 1);
    }

    #[test]
    fn with_other_variables_the_same_actions_are_beyond_what_was_shown() {
        let mut shown = plan(&[("a", Action::Update)]);
        shown.inputs = Some("40 slaves".to_owned());
        let mut now = shown.clone();
        assert!(shown.envelope().beyond(&now).is_empty());
        now.inputs = Some("400 slaves".to_owned());
        assert_eq!(shown.envelope().beyond(&now).len(), 1);
        assert_ne!(digest([("app", &shown)]), digest([("app", &now)]));
        let valued = |value: &str| StackPlan { values: [("a".to_owned(), value.to_owned())].into(), ..shown.clone() };
        assert!(valued("1").envelope().beyond(&valued("1")).is_empty());
        assert_eq!(valued("1").envelope().beyond(&valued("2")).len(), 1);
        assert_ne!(digest([("app", &valued("1"))]), digest([("app", &valued("2"))]));
        // Values that nobody could tell are no other values.
        assert!(valued("1").envelope().beyond(&shown).is_empty());
        // Where the values are known to be the same, it is only made otherwise.
        let otherwise = |value| StackPlan { inputs: now.inputs.clone(), ..valued(value) };
        assert!(valued("1").envelope().beyond(&otherwise("1")).is_empty());
        assert!(valued("1").envelope().is_made_otherwise(&otherwise("1")));
        assert_eq!(valued("1").envelope().beyond(&otherwise("2")).len(), 1);
    }

    #[test]
    fn a_group_that_came_up_short_is_shown_as_changed_and_the_true_plan_must_stay_inside() {
        let address = "aws_autoscaling_group.slaves";
        let kept = plan(&[(address, Action::Replace), ("b", Action::Create)]).keeping(&[address.to_owned()]);
        assert_eq!((kept.counts().replace, kept.counts().update, kept.untaints()), (0, 1, true));
        assert_eq!(kept.exactness, Exactness::Provisional);
        let shown = kept.envelope();
        assert!(shown.beyond(&plan(&[("b", Action::Create)])).is_empty(), "nothing is left to change of it");
        assert!(shown.beyond(&plan(&[(address, Action::Update), ("b", Action::Create)])).is_empty());
        assert_eq!(shown.beyond(&plan(&[(address, Action::Replace)])).len(), 1);
    }

    #[test]
    fn what_only_changes_the_state_is_no_change_of_what_exists() {
        let taken = plan(&[("a", Action::Import), ("b", Action::Move), ("c", Action::Forget), ("d", Action::Update)]);
        let counts = taken.counts();
        assert_eq!((counts.total(), counts.update, counts.import, counts.moved, counts.forget), (1, 1, 1, 1, 1));
        assert!(plan(&[("a", Action::Import)]).has_work(), "it is applied all the same");
        let mut shown = plan(&[("a", Action::Import)]);
        shown.exactness = Exactness::Provisional;
        assert_eq!(
            shown.envelope().beyond(&plan(&[("a", Action::Update)])).len(),
            1,
            "an import is no leave to change"
        );
    }

    #[test]
    fn an_unknown_plan_allows_any_number_of_creations_and_no_deletion() {
        let mut unknown = plan(&[]);
        unknown.exactness = Exactness::Unknown;
        let envelope = unknown.envelope();
        assert!(envelope.beyond(&plan(&[("a", Action::Create), ("b", Action::Create)])).is_empty());
        assert_eq!(envelope.beyond(&plan(&[("a", Action::Delete)])).len(), 1);
        assert!(unknown.has_work());
    }
}
