//! Who may do what, and what a plan must not do. One pure function; every door passes it, before and after the plan.

use std::collections::BTreeMap;

use super::access::answering::{Answering, Asked};
use super::access::{self, About, Access, ApprovalRule, Grant, Want, Who, limits};
use super::answer::Actor;
use super::changes::{Change, Moved, StackPlan, WentBack};
use super::command::CommandName;
use super::environment::Environment;
use super::holds::{self, Hold};
use super::ids::{ActorId, StackName, Timestamp};
use super::order::Direction;
use super::protect::protects;
use super::refusal::Refusal;
use super::request::RunRequest;

/// Where somebody speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which kind of chat: `shell`, later `slack`, `discord`, `web`, `clock`.
    pub door: &'static str,
    /// Channel or thread, where the chat has such.
    pub channel: Option<String>,
    /// A direct message to the bot, which nobody else reads.
    pub direct: bool,
}

impl Place {
    /// The terminal.
    #[must_use]
    pub fn shell() -> Self {
        Self { door: "shell", channel: None, direct: false }
    }
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
    /// It is being done, or was: no rule can stop that any more. What it takes away counts, and alone keeps the rest from nothing.
    pub begun: bool,
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
    /// Of which environment; `None` when it is not in the configuration (any more), or of all.
    pub environment: Option<&'a Environment>,
    /// Who may do what, beside what the environment says.
    pub access: &'a Access,
    /// What exactly, with everything absolute, once that is known.
    pub request: Option<&'a RunRequest>,
    /// The question that is to be answered, for `approve` and `reject`.
    pub asked: Option<Asked<'a>>,
    /// Every stack of the run once it is planned; `None` before.
    pub plan: Option<&'a [PlannedStack<'a>]>,
    /// What people hold, freeze, keep or stop, as the ledger has it.
    pub holds: &'a [Hold],
    /// Something of it is applied already: what is half done is not stopped by the clock.
    pub begun: bool,
    /// When, by the ledger's clock.
    pub now: Timestamp,
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Go on.
    Allow,
    /// Go on after a yes of others, as rules of the configuration want it.
    NeedsApproval {
        /// What each of them wants.
        wants: Vec<Want>,
        /// What whoever asks would have to be sure of besides.
        confirm: Option<Confirm>,
    },
    /// Go on once whoever asks has seen the numbers and said yes.
    NeedsConfirmation(Confirm),
    /// No.
    Refuse {
        /// The rule by name, for the audit.
        rule: &'static str,
        /// The words for people.
        refusal: Refusal,
    },
}

/// Why whoever asks is asked whether they mean it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirm {
    /// The Terraform states of these are older than the ones that Tidegate left.
    WentBack(BTreeMap<StackName, WentBack>),
    /// The Terraform states of these were written by others since Tidegate left them.
    Moved(BTreeMap<StackName, Moved>),
    /// These would be deleted or replaced though nothing in the command says so.
    Unannounced(Vec<(StackName, String)>),
    /// So much would be deleted or replaced.
    ManyDestroys {
        /// How much.
        destroys: u32,
        /// Above how much it is asked.
        above: u32,
    },
    /// The environment has other owners.
    OfAnother {
        /// Whose it is.
        owners: Vec<ActorId>,
    },
}

/// Decides. Before planning `plan` is `None`; after planning it has every stack of the run.
///
/// Nobody may anything that the configuration does not give them; what people hold, hours, bounds, `protect` and `destroys_max` stand above every
/// yes; then come rules that ask for a yes of others, and last what only whoever asks has to be sure of: a state that is not the one
/// that was left, a stack that should rise and would lose something by it, many destroys, an environment of other owners. A replacement of a tainted resource
/// needs no yes: its making failed before, and making it again is what was asked for.
#[must_use]
pub fn policy(matter: &Matter<'_>) -> Decision {
    let &Matter { actor, place, command, environment, access, request, asked, plan, holds: _, begun, now } = matter;
    let Some(environment) = environment else {
        if !command.only_reads() && !command.is_about_all() && !command.is_about_oneself() {
            return Decision::Refuse {
                rule: "environment",
                refusal: Refusal::refused(
                    format!("`{command}` was refused"),
                    "its environment is not in the configuration, or not any more",
                )
                .hint("envs"),
            };
        }
        return access::may(access, actor, place, command, None).map_or_else(refuse, |()| Decision::Allow);
    };
    // What somebody has the clock do by chat is theirs to answer for.
    let clock = actor.id == ActorId::clock();
    let typed_by = request.and_then(|request| request.typed_by.as_ref()).filter(|_| clock);
    let typist = typed_by.map(|typed_by| typed_by.actor());
    let clock = clock && typist.is_none();
    let rights = match asked.map(|asked| Answering { access, actor, place, environment, asked, now }) {
        Some(answering) if command == CommandName::Approve => answering.may_approve().map(|_| ()),
        Some(answering) if command == CommandName::Reject => answering.may_reject(),
        Some(_) | None => match &typist {
            Some(typist) => access::may(access, typist, place, command, Some(environment))
                .map_err(|(rule, refusal)| (rule, not_any_more(typist, command, environment, refusal))),
            None => access::may(access, actor, place, command, Some(environment)),
        },
    };
    // What is half done is brought to its end, also when whoever asked for it has lost the right meanwhile.
    if let Err(refused) = rights
        && !(begun && plan.is_some())
    {
        return refuse(refused);
    }
    if !command.starts_change() && plan.is_none() {
        return Decision::Allow;
    }
    // What schedules do is written beside the hours: nobody means one to forbid the other.
    let limit = |rule, refusal: Option<Refusal>| refusal.map(|refusal| (rule, refusal));
    let hours = || {
        limit("hours", limits::outside_hours(environment, now).filter(|_| command.starts_change() && !begun && !clock))
    };
    let over = || limit("span", request.and_then(|request| limits::over(request, now)).filter(|_| !begun));
    let bounds =
        || limit("bounds", request.and_then(|request| limits::out_of_bounds(environment, request)).filter(|_| !begun));
    let by_hand = || request.and_then(|request| taken_by_hand(environment, request, plan));
    let lost = || limit("protect", plan.and_then(|plan| protected(environment, plan)).or_else(by_hand));
    let destroys = || limit("destroys", plan.and_then(|plan| limits::too_many_destroys(environment, plan)));
    if let Some(refused) =
        holds::forbids(matter).or_else(hours).or_else(over).or_else(bounds).or_else(lost).or_else(destroys)
    {
        let ends = plan.is_some() && request.is_some_and(|request| request.clears);
        let (rule, refusal) = refused;
        return refuse((rule, if ends && ENDLESS.contains(&rule) { held_end(refusal, environment) } else { refusal }));
    }
    if command == CommandName::Approve {
        return Decision::Allow;
    }
    let another = is_of_others(access, typist.as_ref().unwrap_or(actor), environment);
    let about = About { command, environment, request, plan, another, now };
    let rises = request.is_some_and(|request| request.stacks.values().any(|direction| *direction == Direction::Rise));
    // The configuration says yes to what the clock does, but not to what something that rises would lose by surprise.
    let surprise = |rule: &ApprovalRule| if rises { rule.want_of_losses(access, &about) } else { None };
    let want = |rule: &ApprovalRule| if clock { surprise(rule) } else { rule.want(access, &about) };
    let wants: Vec<Want> = environment.rules.approvals.iter().filter_map(want).collect();
    // Who adopts takes over what others did; and what was made for one test goes as it is, whoever wrote its state last.
    let clears = request.is_some_and(|request| request.clears);
    let moved = |plan| moved(plan).filter(|_| command != CommandName::Adopt && !clears);
    let confirm = plan.and_then(|plan| went_back(plan).or_else(|| moved(plan)).or_else(|| unannounced(plan)));
    if !wants.is_empty() {
        return Decision::NeedsApproval { wants, confirm };
    }
    if let Some(confirm) = confirm {
        return Decision::NeedsConfirmation(confirm);
    }
    let destroys = plan.map(limits::destroys).unwrap_or_default();
    match &environment.rules.destroys_ask {
        Some(ask) if destroys > ask.most && !clock => {
            Decision::NeedsConfirmation(Confirm::ManyDestroys { destroys, above: ask.most })
        }
        Some(_) | None if is_strange(matter, environment) => {
            Decision::NeedsConfirmation(Confirm::OfAnother { owners: environment.owners.clone() })
        }
        Some(_) | None => Decision::Allow,
    }
}

/// The rules by which what was made for one test would never end: it keeps the definition that it was made with.
const ENDLESS: [&str; 2] = ["protect", "destroys"];

/// Why what was made for one test does not end, with the way out of it.
fn held_end(refusal: Refusal, environment: &Environment) -> Refusal {
    let name = &environment.name;
    let why = format!(
        "{}, in the template that {name} was made from, or have the stack stay by its `keep_at_end`; `renew {name} take` takes that over, \
         and its end goes on",
        refusal.why
    );
    Refusal { why, hints: vec![format!("renew {name} take"), format!("renew {name}")], ..refusal }
}

fn refuse((rule, refusal): (&'static str, Refusal)) -> Decision {
    Decision::Refuse { rule, refusal }
}

/// Who added a schedule by chat has lost the right to do by hand what it does.
fn not_any_more(typist: &Actor, command: CommandName, environment: &Environment, refusal: Refusal) -> Refusal {
    let (name, by) = (&environment.name, typist.id.shown());
    let what = format!("`{command} {name}` is not `{by}`'s to do any more, who has the clock do it by chat");
    Refusal::refused(what, refusal.told_of_them().why).hint(format!("schedule list {name}"))
}

/// The environment has owners, and whoever asks is none of them. The clock has no environment of its own.
fn is_of_others(access: &Access, actor: &Actor, environment: &Environment) -> bool {
    !environment.owners.is_empty()
        && !actor.id.as_str().starts_with("clock:")
        && !environment.owners.iter().any(|owner| Who::Named(owner.clone()).is(actor, access))
}

/// It is of others, and whoever asks has what they do here from no line of the environment: they may have meant another one.
fn is_strange(matter: &Matter<'_>, environment: &Environment) -> bool {
    let &Matter { actor, command, access, .. } = matter;
    let own = |grant: &Grant| grant.role.has(command) && grant.who.is(actor, access);
    is_of_others(access, actor, environment) && !environment.rules.grants.iter().any(own)
}

fn protected(environment: &Environment, plan: &[PlannedStack<'_>]) -> Option<Refusal> {
    plan.iter().filter(|planned| !planned.begun).find_map(|planned| {
        let destroyed = planned.plan.changes.iter().filter(|change| change.action.destroys());
        destroyed.into_iter().find_map(|change| {
            let mut patterns = environment.protect.iter().enumerate();
            let (at, pattern) = patterns.find(|(_, pattern)| protects(pattern, &change.address))?;
            let written = environment.rules.protect_at.get(at).map(|w| format!(", {w}")).unwrap_or_default();
            let what = format!("{} would be lost in {}/{}", change.address, environment.name, planned.stack);
            let why =
                format!("`protect` names it (`{pattern}`{written}); whoever edits the configuration can lift that");
            Some(Refusal::refused(what, why).hint(format!("plan {}", environment.name)))
        })
    })
}

/// What `protect` names and is to be taken out of the state by hand, or to where no pattern names it: no run would know of it any more, and
/// the next one would make it again or delete it.
fn taken_by_hand(
    environment: &Environment,
    request: &RunRequest,
    plan: Option<&[PlannedStack<'_>]>,
) -> Option<Refusal> {
    let by_hand = request.by_hand.as_ref()?;
    let typed = if plan.is_none() { by_hand.args.changes() } else { Vec::new() };
    let planned = plan.into_iter().flatten().flat_map(|planned| &planned.plan.changes);
    let named = |address: &str| environment.protect.iter().enumerate().find(|(_, pattern)| protects(pattern, address));
    typed.iter().chain(planned).find_map(|change| {
        let (from, to) = by_hand.args.takes_away(change)?;
        let (at, pattern) = named(&from)?;
        if to.is_some_and(|to| named(&to).is_some()) {
            return None;
        }
        let written = environment.rules.protect_at.get(at).map(|w| format!(", {w}")).unwrap_or_default();
        let (name, stack) = (&environment.name, &by_hand.stack);
        let what = format!("{from} would be lost to the state of {name}/{stack}");
        let why = format!("`protect` names it (`{pattern}`{written}); whoever edits the configuration can lift that");
        Some(Refusal::refused(what, why).hint(format!("status {name}")))
    })
}

/// Its making failed before, so that making it again is what was asked for. What nobody saw the end of may be whole: people say.
fn is_made_again(change: &Change) -> bool {
    change.reason.as_deref() == Some("tainted")
}

/// Stacks whose states are not the ones that were left.
fn went_back(plan: &[PlannedStack<'_>]) -> Option<Confirm> {
    let stacks: BTreeMap<_, _> =
        plan.iter().filter_map(|planned| Some((planned.stack.clone(), planned.plan.went_back()?))).collect();
    (!stacks.is_empty()).then_some(Confirm::WentBack(stacks))
}

/// Stacks whose states were written by others, and that are to be changed: what they did may be taken back by it.
fn moved(plan: &[PlannedStack<'_>]) -> Option<Confirm> {
    let moved = |planned: &PlannedStack<'_>| Some((planned.stack.clone(), planned.plan.moved()?));
    let stacks: BTreeMap<_, _> = plan.iter().filter(|planned| planned.plan.has_work()).filter_map(moved).collect();
    (!stacks.is_empty()).then_some(Confirm::Moved(stacks))
}

/// What rising stacks would lose though nothing in the command says so.
fn unannounced(plan: &[PlannedStack<'_>]) -> Option<Confirm> {
    let lost: Vec<_> = plan
        .iter()
        .filter(|planned| planned.direction == Direction::Rise)
        .flat_map(|planned| {
            planned
                .plan
                .changes
                .iter()
                .filter(|change| change.action.destroys() && !is_made_again(change))
                .map(|change| (planned.stack.clone(), change.address.clone()))
        })
        .collect();
    (!lost.is_empty()).then_some(Confirm::Unannounced(lost))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::{Grant, Least, Role, Who};
    use crate::domain::changes::{Action, Exactness};
    use crate::domain::environment::{Level, Rules};
    use crate::domain::ids::ActorId;

    fn shop(owners: &[&str], protect: &[&str]) -> Environment {
        Environment {
            name: "shop".parse().expect("a name"),
            group: None,
            about: None,
            channel: crate::domain::environment::Channels::default(),
            owners: owners.iter().map(|name| ActorId::local(name)).collect(),
            oncall: Vec::new(),
            up: "full".parse().expect("a name"),
            down: Level::Off,
            levels: vec!["full".parse().expect("a name")],
            protect: protect.iter().map(|&pattern| pattern.to_owned()).collect(),
            stacks: indexmap::IndexMap::new(),
            settings: indexmap::IndexMap::new(),
            profiles: [("full".parse().expect("a name"), BTreeMap::new())].into(),
            timetable: std::sync::Arc::default(),
            money: crate::domain::hours_on::Money::default(),
            rules: Rules::default(),
        }
    }

    /// Everybody may look.
    fn open() -> Access {
        let viewer = Grant { role: Role::built_in(Least::Viewer), who: Who::Everyone, written: None };
        Access { grants: vec![viewer], ..Access::default() }
    }

    fn decide(who: &str, command: CommandName, environment: Option<&Environment>) -> Decision {
        let actor = Actor::person(ActorId::local(who), who);
        let (place, access) = (Place::shell(), open());
        policy(&Matter {
            actor: &actor,
            place: &place,
            command,
            environment,
            access: &access,
            request: None,
            asked: None,
            holds: &[],
            begun: false,
            plan: None,
            now: Timestamp(0),
        })
    }

    fn planned(change: Change, direction: Direction, environment: &Environment) -> Decision {
        planned_with(|plan| plan, change, direction, environment)
    }

    fn planned_with(
        with: impl Fn(StackPlan) -> StackPlan,
        change: Change,
        direction: Direction,
        environment: &Environment,
    ) -> Decision {
        let plan = with(StackPlan {
            exactness: Exactness::Exact,
            changes: vec![change],
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
        });
        let stack = "app".parse().expect("a name");
        let actor = Actor::person(ActorId::local("ito"), "ito");
        let (place, access) = (Place::shell(), open());
        let plan = [PlannedStack { stack: &stack, direction, plan: &plan, begun: false }];
        policy(&Matter {
            actor: &actor,
            place: &place,
            command: CommandName::Up,
            environment: Some(environment),
            access: &access,
            request: None,
            asked: None,
            holds: &[],
            begun: false,
            plan: Some(&plan),
            now: Timestamp(0),
        })
    }

    fn change(action: Action, reason: Option<&str>) -> Change {
        Change { address: "aws_instance.web[0]".to_owned(), action, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn viewers_read_and_only_owners_change() {
        let shop = shop(&["ito"], &[]);
        for command in CommandName::ALL {
            if command.least() < Least::Admin {
                assert_eq!(decide("ito", command, Some(&shop)), Decision::Allow, "{command} of an owner");
            }
            let stranger = decide("kato", command, Some(&shop));
            if command.least() <= Least::Viewer {
                assert_eq!(stranger, Decision::Allow, "{command} of a stranger");
            } else {
                assert!(matches!(stranger, Decision::Refuse { rule: "role", .. }), "{command} of a stranger");
            }
        }
    }

    #[test]
    fn without_owners_nobody_changes_anything_and_without_an_environment_neither() {
        let nobodys = shop(&[], &[]);
        assert!(matches!(decide("ito", CommandName::Up, Some(&nobodys)), Decision::Refuse { rule: "role", .. }));
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
        assert!(matches!(rising, Decision::NeedsConfirmation(Confirm::Unannounced(ref lost)) if lost.len() == 1));
        assert_eq!(planned(change(Action::Delete, None), Direction::Fall, &shop), Decision::Allow);
        assert_eq!(planned(change(Action::Replace, Some("tainted")), Direction::Rise, &shop), Decision::Allow);
        assert_eq!(planned(change(Action::Create, None), Direction::Rise, &shop), Decision::Allow);
    }

    #[test]
    fn a_state_that_is_older_than_the_one_that_was_left_needs_a_yes_before_anything_else() {
        let shop = shop(&["ito"], &[]);
        let older = |direction| {
            let change = change(Action::Delete, None);
            planned_with(|plan| StackPlan { serial: Some(0), least_serial: Some(4), ..plan }, change, direction, &shop)
        };
        let stacks = [("app".parse().expect("a name"), WentBack { serial: 0, least: 4, lineage: None })].into();
        let expected = Decision::NeedsConfirmation(Confirm::WentBack(stacks));
        assert_eq!(older(Direction::Rise), expected);
        assert_eq!(older(Direction::Fall), expected);
        let same = |plan| StackPlan { serial: Some(4), least_serial: Some(4), ..plan };
        let same = planned_with(same, change(Action::Create, None), Direction::Rise, &shop);
        assert_eq!(same, Decision::Allow);
    }

    #[test]
    fn a_state_that_others_wrote_needs_a_yes_where_anything_would_be_changed() {
        let shop = shop(&["ito"], &[]);
        let since = Timestamp(7);
        let written = |serial| {
            let with =
                move |plan| StackPlan { serial: Some(serial), least_serial: Some(41), left_at: Some(since), ..plan };
            planned_with(with, change(Action::Update, None), Direction::Fall, &shop)
        };
        let stacks = [("app".parse().expect("a name"), Moved { serial: 43, left: 41, since })].into();
        assert_eq!(written(43), Decision::NeedsConfirmation(Confirm::Moved(stacks)));
        assert_eq!(written(41), Decision::Allow);
        assert!(matches!(written(40), Decision::NeedsConfirmation(Confirm::WentBack(_))));
        let least = |plan| StackPlan { serial: Some(43), least_serial: Some(41), ..plan };
        let least = planned_with(least, change(Action::Update, None), Direction::Fall, &shop);
        assert_eq!(least, Decision::Allow, "where only the least is known, nobody can tell");
        let idle = |plan| StackPlan {
            serial: Some(43),
            least_serial: Some(41),
            left_at: Some(since),
            changes: Vec::new(),
            ..plan
        };
        let idle = planned_with(idle, change(Action::Update, None), Direction::Fall, &shop);
        assert_eq!(idle, Decision::Allow, "nothing is taken back by doing nothing");
    }
}
