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

/// What is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Matter<'a> {
    /// Who wants it.
    pub actor: &'a Actor,
    /// Where they said so.
    pub place: &'a Place,
    /// What they want.
    pub command: CommandName,
    /// Of which environment; `None` when it is not in the configuration (any more).
    pub environment: Option<&'a Environment>,
    /// Every stack of the run once it is planned; `None` before.
    pub plan: Option<&'a [PlannedStack<'a>]>,
    /// When, by the ledger's clock.
    pub now: Timestamp,
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
pub fn policy(matter: &Matter<'_>) -> Decision {
    // Neither place nor time decide anything in this version; they are part of the question from the start, so that
    // no caller has to be found again when a rule about channels or working hours arrives.
    let &Matter { actor, place: _, command, environment, plan, now: _ } = matter;
    if command.only_reads() {
        return Decision::Allow;
    }
    let Some(environment) = environment else {
        return Decision::Refuse {
            rule: "environment",
            refusal: Refusal::refused(
                format!("`{command}` was refused"),
                "its environment is not in the configuration, or not any more",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::changes::{Action, Change, Exactness};
    use crate::domain::environment::Level;

    fn shop(owners: &[&str], protect: &[&str]) -> Environment {
        Environment {
            name: "shop".parse().expect("a name"),
            about: None,
            channel: None,
            owners: owners.iter().map(|name| ActorId::local(name)).collect(),
            oncall: Vec::new(),
            up: "full".parse().expect("a name"),
            down: Level::Off,
            levels: vec!["full".parse().expect("a name")],
            protect: protect.iter().map(|&pattern| pattern.to_owned()).collect(),
            stacks: indexmap::IndexMap::new(),
            settings: indexmap::IndexMap::new(),
            profiles: [("full".parse().expect("a name"), BTreeMap::new())].into(),
        }
    }

    fn decide(who: &str, command: CommandName, environment: Option<&Environment>) -> Decision {
        let actor = Actor { id: ActorId::local(who), name: who.to_owned() };
        let place = Place { door: "shell", channel: None };
        policy(&Matter { actor: &actor, place: &place, command, environment, plan: None, now: Timestamp(0) })
    }

    fn planned(change: Change, direction: Direction, environment: &Environment) -> Decision {
        let plan = StackPlan {
            exactness: Exactness::Exact,
            changes: vec![change],
            drift: Vec::new(),
            outputs_change: false,
            destroy: false,
            kept_for: Vec::new(),
            inputs: None,
        };
        let stack = "app".parse().expect("a name");
        let actor = Actor { id: ActorId::local("ito"), name: "ito".to_owned() };
        let place = Place { door: "shell", channel: None };
        let plan = [PlannedStack { stack: &stack, direction, plan: &plan }];
        policy(&Matter {
            actor: &actor,
            place: &place,
            command: CommandName::Up,
            environment: Some(environment),
            plan: Some(&plan),
            now: Timestamp(0),
        })
    }

    fn change(action: Action, reason: Option<&str>) -> Change {
        Change { address: "aws_instance.web[0]".to_owned(), action, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn everybody_reads_and_only_owners_change() {
        let shop = shop(&["ito"], &[]);
        for command in CommandName::ALL {
            assert_eq!(decide("ito", command, Some(&shop)), Decision::Allow, "{command} of an owner");
            let stranger = decide("kato", command, Some(&shop));
            if command.only_reads() {
                assert_eq!(stranger, Decision::Allow, "{command} of a stranger");
            } else {
                assert!(matches!(stranger, Decision::Refuse { rule: "owners", .. }), "{command} of a stranger");
            }
        }
    }

    #[test]
    fn without_owners_nobody_changes_anything_and_without_an_environment_neither() {
        let nobodys = shop(&[], &[]);
        assert!(matches!(decide("ito", CommandName::Up, Some(&nobodys)), Decision::Refuse { rule: "owners", .. }));
        assert!(matches!(decide("ito", CommandName::Up, None), Decision::Refuse { rule: "environment", .. }));
    }

    #[test]
    fn what_protect_names_is_refused_whichever_way_the_stack_moves() {
        let shop = shop(&["ito"], &["aws_instance.web"]);
        for direction in [Direction::Rise, Direction::Fall] {
            for action in [Action::Delete, Action::Replace] {
                let decision = planned(change(action, None), direction, &shop);
                assert!(matches!(decision, Decision::Refuse { rule: "protect", .. }), "{action:?} {direction:?}");
            }
            assert_eq!(planned(change(Action::Update, None), direction, &shop), Decision::Allow);
        }
    }

    #[test]
    fn a_rising_stack_that_would_lose_something_needs_a_yes_and_a_falling_one_does_not() {
        let shop = shop(&["ito"], &[]);
        let rising = planned(change(Action::Delete, None), Direction::Rise, &shop);
        assert!(matches!(rising, Decision::NeedsApproval { ref unannounced } if unannounced.len() == 1));
        assert_eq!(planned(change(Action::Delete, None), Direction::Fall, &shop), Decision::Allow);
        assert_eq!(planned(change(Action::Replace, Some("tainted")), Direction::Rise, &shop), Decision::Allow);
        assert_eq!(planned(change(Action::Create, None), Direction::Rise, &shop), Decision::Allow);
    }
}
