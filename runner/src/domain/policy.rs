//! Who may do what, and what a plan must not do. One pure function; every door passes it, before and after the plan.

use super::answer::Actor;
use super::changes::StackPlan;
use super::command::CommandName;
use super::environment::Environment;
use super::ids::{ActorId, StackName, Timestamp};
use super::order::Direction;
use super::protect::protects;
use super::refusal::Refusal;

/// Where somebody speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which kind of chat: `shell`, later `slack`, `discord`, `web`, `clock`.
    pub door: &'static str,
    /// Channel or thread, where the chat has such.
    pub channel: Option<String>,
}

/// A planned stack with the way it moves.
#[derive(Debug, Clone, Copy)]
pub struct PlannedStack<'a> {
    /// Its name.
    pub stack: &'a StackName,
    /// The way it was asked to move.
    pub direction: Direction,
    /// What Terraform would do.
    pub plan: &'a StackPlan,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Go on after a yes; why, in words.
    NeedsApproval {
        /// Addresses that would be deleted or replaced though nothing in the command says so.
        unannounced: Vec<(StackName, String)>,
    },
    /// No.
    Refuse {
        /// The rule by name, for the audit.
        rule: &'static str,
        /// The words for people.
        refusal: Refusal,
    },
}

/// Decides. Before planning `plan` is `None`; after planning it has every stack of the run.
///
/// The rules of this version: everybody may read; only owners change, approve and cancel; nothing that `protect` names
/// is deleted or replaced; a stack that should rise and would lose something by it needs a yes. A replacement of a
/// tainted resource needs none: its making failed before, and making it again is what was asked for.
#[must_use]
pub fn policy(
    actor: &Actor,
    place: &Place,
    command: CommandName,
    environment: Option<&Environment>,
    plan: Option<&[PlannedStack<'_>]>,
    now: Timestamp,
) -> Decision {
    // Neither place nor time decide anything in this version; they are part of the question from the start, so that
    // no caller has to be found again when a rule about channels or working hours arrives.
    let _ = (place, now);
    if command.only_reads() {
        return Decision::Allow;
    }
    let Some(environment) = environment else {
        return Decision::Refuse {
            rule: "environment",
            refusal: Refusal::refused(
                format!("`{command}` was refused"),
                "its environment is not in the configuration (any more)",
            )
            .hint("envs"),
        };
    };
    if !environment.owners.contains(&actor.id) {
        return Decision::Refuse { rule: "owners", refusal: not_an_owner(actor, command, environment) };
    }
    plan.map_or(Decision::Allow, |plan| policy_of_plan(environment, plan))
}

fn not_an_owner(actor: &Actor, command: CommandName, environment: &Environment) -> Refusal {
    let owners: Vec<&str> = environment.owners.iter().map(ActorId::as_str).collect();
    let why = if owners.is_empty() {
        format!("{} has no owners, so nobody may change it; you are `{}`", environment.name, actor.id)
    } else {
        format!("only its owners may: {}; you are `{}`", owners.join(", "), actor.id)
    };
    Refusal::refused(format!("`{command} {}` is not yours to do", environment.name), why)
        .hint(format!("status {}", environment.name))
}

fn policy_of_plan(environment: &Environment, plan: &[PlannedStack<'_>]) -> Decision {
    for planned in plan {
        for change in planned.plan.changes.iter().filter(|change| change.action.destroys()) {
            if let Some(pattern) = environment.protect.iter().find(|pattern| protects(pattern, &change.address)) {
                return Decision::Refuse {
                    rule: "protect",
                    refusal: Refusal::refused(
                        format!("{} would be lost in {}/{}", change.address, environment.name, planned.stack),
                        format!("`protect` names it (`{pattern}`); whoever edits the configuration can lift that"),
                    )
                    .hint(format!("plan {}", environment.name)),
                };
            }
        }
    }
    let unannounced: Vec<_> = plan
        .iter()
        .filter(|planned| planned.direction == Direction::Rise)
        .flat_map(|planned| {
            planned
                .plan
                .changes
                .iter()
                .filter(|change| change.action.destroys() && change.reason.as_deref() != Some("tainted"))
                .map(|change| (planned.stack.clone(), change.address.clone()))
        })
        .collect();
    if unannounced.is_empty() { Decision::Allow } else { Decision::NeedsApproval { unannounced } }
}
