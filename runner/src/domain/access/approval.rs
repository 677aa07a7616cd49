//! Whose yes is needed, how many, and what has been said: rules of the configuration, and what one of them wants of people.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::condition::{About, Condition, Counted};
use super::{Access, Role, Who, Written, given, held};
use crate::domain::answer::Actor;
use crate::domain::environment::Environment;
use crate::domain::ids::{ActorId, Timestamp};

/// Whose yes counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approvers {
    /// Owners of the environment, and who is more than that.
    Owners,
    /// Who has this role there, or one with all of its commands.
    Role(String),
    /// These people and groups.
    Named(Vec<ActorId>),
}

impl fmt::Display for Approvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owners => f.write_str("owners"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Named(ids) => {
                let ids: Vec<_> = ids.iter().map(ActorId::shown).collect();
                f.write_str(&ids.join(", "))
            }
        }
    }
}

impl Approvers {
    fn role<'a>(&self, access: &'a Access) -> Option<&'a Role> {
        let name = match self {
            Self::Owners => "owner",
            Self::Role(name) => name,
            Self::Named(_) => return None,
        };
        access.roles.get(name).map(|role| &**role)
    }

    /// True when this actor's yes counts, by the roles as they are now.
    #[must_use]
    pub fn has(&self, access: &Access, environment: &Environment, actor: &Actor) -> bool {
        match self {
            Self::Named(ids) => ids.iter().any(|id| Who::Named(id.clone()).is(actor, access)),
            Self::Owners | Self::Role(_) => self
                .role(access)
                .is_some_and(|role| held(access, Some(environment), actor).any(|grant| grant.role.includes(role))),
        }
    }

    /// Those whose yes counts, by id, as far as the configuration names them; and who else may be among them.
    #[must_use]
    pub fn people(&self, access: &Access, environment: &Environment) -> (Vec<ActorId>, More) {
        let who: Vec<Who> = match self {
            Self::Named(ids) => ids.iter().cloned().map(Who::Named).collect(),
            Self::Owners | Self::Role(_) => match self.role(access) {
                None => Vec::new(),
                Some(role) => given(access, Some(environment))
                    .filter(|grant| grant.role.includes(role))
                    .map(|grant| grant.who)
                    .collect(),
            },
        };
        let (mut people, mut more) = (Vec::new(), More::default());
        for who in who {
            match who {
                Who::Everyone => more.everyone = true,
                Who::Named(id) => {
                    for person in access.people(&id) {
                        if people.contains(&person) {
                            continue;
                        }
                        if may_be_a_group(&person) && access.persons.of(&person).is_none() {
                            more.groups.push(person.clone());
                        }
                        people.push(person);
                    }
                }
            }
        }
        (people, more)
    }
}

/// Who else may have a yes that counts, beside those whom the configuration names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct More {
    /// Ordinary people of a chat, or users of the machine.
    pub everyone: bool,
    /// Those of these ids that are groups, and whoever only their chat knows to be in them.
    pub groups: Vec<ActorId>,
}

/// A group of a chat that the configuration does not name the members of. Slack's have their own letter, Discord's none.
fn may_be_a_group(id: &ActorId) -> bool {
    id.as_str().starts_with("slack:S") || id.as_str().starts_with("discord:")
}

/// A rule that asks for a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// It asks when one of these holds, each with its place.
    pub when: Vec<(Condition, Written)>,
    /// Whose yes.
    pub by: Approvers,
    /// How many of them. At least 1.
    pub count: u32,
    /// Whoever asks may say yes too.
    pub own: bool,
    /// Milliseconds within which it must be said; `None`: as long as any question.
    pub within_ms: Option<i64>,
    /// Milliseconds after which one of them may say it alone, whoever asks included; `None`: never.
    pub alone_after_ms: Option<i64>,
}

impl ApprovalRule {
    /// True for a rule that counts what a plan changes.
    #[must_use]
    pub fn is_about_changes(&self) -> bool {
        self.when.iter().any(|(condition, _)| matches!(condition, Condition::Count { .. }))
    }

    /// True for a rule that depends on when something happens.
    #[must_use]
    pub fn is_about_hours(&self) -> bool {
        self.when.iter().any(|(condition, _)| matches!(condition, Condition::OutsideHours))
    }

    /// The rule with no other conditions than those that count what is lost, deleted or replaced; `None`: it has none.
    #[must_use]
    pub fn of_losses(&self) -> Option<Self> {
        let lost = |condition: &Condition| match condition {
            Condition::Count { of: Counted::Replaces | Counted::Deletes | Counted::Destroys, .. } => true,
            Condition::Count { of: Counted::Creates | Counted::Updates, .. }
            | Condition::Command(_)
            | Condition::Setting { .. }
            | Condition::OutsideHours
            | Condition::OfAnother => false,
        };
        let when: Vec<_> = self.when.iter().filter(|(condition, _)| lost(condition)).cloned().collect();
        (!when.is_empty()).then(|| Self { when, ..self.clone() })
    }

    /// What the rule wants of people here because of losses alone; `None`: nothing.
    #[must_use]
    pub fn want_of_losses(&self, access: &Access, about: &About<'_>) -> Option<Want> {
        let want = self.of_losses()?.want(access, about)?;
        Some(Want { rule: Some(OfRule { about: self.about(), asked: about.now }), ..want })
    }

    /// What tells the rule from others of its environment, whoever's yes it wants: all that it asks about.
    fn about(&self) -> Vec<String> {
        self.when.iter().map(|(condition, _)| condition.to_string()).collect()
    }

    /// What the rule wants of people here; `None`: nothing.
    #[must_use]
    pub fn want(&self, access: &Access, about: &About<'_>) -> Option<Want> {
        let held: Vec<Held> = self
            .when
            .iter()
            .filter_map(|(condition, written)| Some(Held { words: condition.holds(about)?, written: written.clone() }))
            .collect();
        if held.is_empty() {
            return None;
        }
        Some(Want {
            held,
            by: self.by.clone(),
            people: self.by.people(access, about.environment).0,
            count: self.count,
            own: self.own,
            within_ms: self.within_ms,
            alone_from: self.alone_after_ms.map(|ms| about.now.plus_ms(ms)),
            rule: Some(OfRule { about: self.about(), asked: about.now }),
        })
    }
}

/// `asks 1 yes of owners when command = destroy or deletes > 5 (tidegate.toml:31)`.
impl fmt::Display for ApprovalRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when: Vec<String> = self.when.iter().map(|(condition, _)| format!("`{condition}`")).collect();
        write!(f, "asks {} of {} when {}", yeses(self.count), self.by, when.join(" or "))?;
        self.when.first().iter().try_for_each(|(_, written)| write!(f, " ({written})"))
    }
}

/// `1 yes`, `2 yeses`.
#[must_use]
pub fn yeses(count: u32) -> String {
    if count == 1 { "1 yes".to_owned() } else { format!("{count} yeses") }
}

/// A condition that held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What was found: `deletes 7 > 5`.
    pub words: String,
    /// Where the condition is written.
    pub written: Written,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.words, self.written)
    }
}

/// Which rule a want is of, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfRule {
    /// All that the rule asks about, in words.
    pub about: Vec<String>,
    /// When it asked.
    pub asked: Timestamp,
}

/// What a rule wants of people, once it has asked. Kept with the question; whose yes counts, and how many are wanted, is told by the same
/// rule as it is in the configuration now ([`follow`]), and who has a role is asked anew at each yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Want {
    /// Why it asks.
    pub held: Vec<Held>,
    /// Whose yes counts.
    pub by: Approvers,
    /// Who that was when it asked, as far as the configuration names them; who it is now, once that was looked at.
    pub people: Vec<ActorId>,
    /// How many.
    pub count: u32,
    /// Whoever asks may say yes too.
    pub own: bool,
    /// Milliseconds within which it must be said.
    pub within_ms: Option<i64>,
    /// From when on one of them may say it alone.
    pub alone_from: Option<Timestamp>,
    /// Of which rule; `None` of questions of earlier versions, which stay as they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<OfRule>,
}

/// A yes that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Yes {
    /// Whose.
    pub by: ActorId,
    /// To which wants of the question, by their places.
    pub wants: Vec<usize>,
    /// Said alone, in the place of all that were wanted.
    pub alone: bool,
    /// Why.
    pub because: Option<String>,
    /// Groups that make it count, as their chat knew them to be in when they said it: no chat is asked again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<ActorId>,
}

impl Want {
    fn is_of(&self, rule: &ApprovalRule) -> bool {
        self.rule.as_ref().is_some_and(|of| of.about == rule.about())
    }

    /// The want as `rule` has it now, and with whoever can say it now.
    fn by(&self, rule: Option<&ApprovalRule>, access: &Access, environment: &Environment) -> Self {
        let mut want = self.clone();
        if let (Some(rule), Some(of)) = (rule, &self.rule) {
            want.by = rule.by.clone();
            want.count = rule.count;
            want.own = rule.own;
            want.alone_from = rule.alone_after_ms.map(|ms| of.asked.plus_ms(ms));
        }
        want.people = want.by.people(access, environment).0;
        want
    }

    /// Whether both want the same of people.
    #[must_use]
    pub fn wants_as(&self, other: &Self) -> bool {
        (&self.by, self.count, self.own, self.alone_from) == (&other.by, other.count, other.own, other.alone_from)
    }

    /// Whether what was said to `earlier` was asked of the same people.
    #[must_use]
    pub fn is_of_the_same(&self, earlier: &Self) -> bool {
        self.by == earlier.by && (self.own || !earlier.own)
    }

    /// Whether a yes that somebody said counts by the roles as they are now.
    #[must_use]
    pub fn counts(&self, by: &ActorId, through: &[ActorId], access: &Access, environment: &Environment) -> bool {
        let actor = Actor { groups: through.to_vec(), ..Actor::person(by.clone(), String::new()) };
        self.by.has(access, environment, &actor)
    }
}

/// What is wanted by the configuration as it is now, in the same order: each want as its rule is written now. A want whose rule is not
/// there any more, or cannot be told from another one, stays as it was asked; before anything is applied the rules are asked anew.
#[must_use]
pub fn follow(wants: &[Want], access: &Access, environment: &Environment) -> Vec<Want> {
    let rules = followed(wants, &environment.rules.approvals);
    wants.iter().zip(rules).map(|(want, rule)| want.by(rule, access, environment)).collect()
}

/// The rule of each want. Those that ask about the same are told apart by whom they ask, and by which is left. None is followed by two wants:
/// what was said to one of them would count for the other.
fn followed<'r>(wants: &[Want], rules: &'r [ApprovalRule]) -> Vec<Option<&'r ApprovalRule>> {
    let mut found: Vec<Option<&ApprovalRule>> = vec![None; wants.len()];
    for by_people in [true, false] {
        let free: Vec<&ApprovalRule> =
            rules.iter().filter(|rule| !found.iter().flatten().any(|taken| std::ptr::eq(*taken, *rule))).collect();
        let open: Vec<usize> = (0..wants.len()).filter(|at| found.get(*at).is_some_and(Option::is_none)).collect();
        let fits = |at: usize, rule: &ApprovalRule| {
            wants.get(at).is_some_and(|want| want.is_of(rule) && (!by_people || want.by == rule.by))
        };
        for at in &open {
            let mut fitting = free.iter().filter(|rule| fits(*at, rule));
            let (Some(rule), None) = (fitting.next(), fitting.next()) else { continue };
            let alone = open.iter().filter(|other| fits(**other, rule)).count() == 1;
            if let Some(place) = found.get_mut(*at).filter(|_| alone) {
                *place = Some(rule);
            }
        }
    }
    found
}

/// The groups of `actor` without which none of these wants would have their yes.
#[must_use]
pub fn through<'w>(
    wants: impl IntoIterator<Item = &'w Want>,
    actor: &Actor,
    access: &Access,
    environment: &Environment,
) -> Vec<ActorId> {
    let mut needed: Vec<ActorId> = Vec::new();
    for want in wants.into_iter().filter(|want| !want.counts(&actor.id, &[], access, environment)) {
        let makes = |group: &&ActorId| want.counts(&actor.id, std::slice::from_ref(*group), access, environment);
        needed.extend(actor.groups.iter().filter(makes).cloned());
    }
    needed.sort();
    needed.dedup();
    needed
}

/// How many yeses the want at `at` has.
#[must_use]
pub fn said(yes: &[Yes], at: usize) -> usize {
    yes.iter().filter(|yes| yes.wants.contains(&at)).count()
}

/// True when every want has what it wants.
#[must_use]
pub fn satisfied(wants: &[Want], yes: &[Yes]) -> bool {
    wants.iter().enumerate().all(|(at, want)| {
        let alone = yes.iter().any(|yes| yes.alone && yes.wants.contains(&at));
        alone || said(yes, at) >= usize::try_from(want.count).unwrap_or(usize::MAX)
    })
}
