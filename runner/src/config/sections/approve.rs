//! `[[environments.NAME.approve]]`: when a run asks for a yes, and whose.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::access::{Roles, unknown};
use super::people;
use crate::domain::access::{
    Access, ApprovalRule, Approvers, Condition, ConditionError, Counted, Least, OPEN_MAX_S, Written, given, yeses,
};
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Setting, SettingKind};
use crate::domain::ids::{ActorId, SettingName};

/// The commands that make runs which can ask.
const ASKING: [CommandName; 7] = [
    CommandName::Up,
    CommandName::Down,
    CommandName::Scale,
    CommandName::Adopt,
    CommandName::Terraform,
    CommandName::Destroy,
    CommandName::Undo,
];

/// When a run asks for a yes before it changes anything, and whose.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct ApproveSection {
    /// It asks when one of these holds: `command = destroy`, `deletes > 5` (also `creates`, `updates`, `replaces`,
    /// `destroys`), a setting as in `slaves > 50`, `outside working hours`, `environment of another owner`.
    #[schemars(length(min = 1), example = ["command = destroy", "deletes > 5"])]
    when: Vec<String>,
    /// Whose yes counts: `owners`, the name of a role, or people and groups by id.
    by: By,
    /// How many of them.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 20))]
    count: u32,
    /// Whether whoever asks may say yes too.
    #[serde(default, rename = "self")]
    own: bool,
    /// How long the question stays open. `1m` to `30d`. Without it, `ask_expires` of the runner.
    #[schemars(regex(pattern = duration::PATTERN), example = &"30m")]
    within: Option<String>,
    /// After how long one of them may say it alone, whoever asks included: `approve RUN alone because ...`. The others are
    /// told. `0s` to `30d`. Without it, never.
    #[schemars(regex(pattern = duration::PATTERN), example = &"10m")]
    alone_after: Option<String>,
}

fn one() -> u32 {
    1
}

/// Whose yes counts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum By {
    Word(String),
    People(Vec<String>),
}

/// One rule as a table, or several as a list of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(in super::super) enum ApproveSections {
    /// `approve = { when = [...], by = "owners" }`
    One(ApproveSection),
    /// `[[environments.NAME.approve]]`
    Several(Vec<ApproveSection>),
}

/// What the rules of an environment are held against.
pub(super) struct Known<'a> {
    pub(super) roles: &'a Roles,
    /// How long a question stays open where its rule does not say; 0 where that could not be read.
    pub(super) ask_expires_s: u32,
    pub(super) settings: &'a [&'a Setting],
    pub(super) has_owners: bool,
    pub(super) has_hours: bool,
    pub(super) only_in_hours: bool,
    pub(super) destroys_max: Option<u32>,
}

/// Reads the rules; what is wrong goes to `findings`.
pub(super) fn read(
    at: &Path<'_>,
    sections: Option<&ApproveSections>,
    known: &Known<'_>,
    findings: &mut Findings<'_, '_>,
) -> Vec<ApprovalRule> {
    match sections {
        None => Vec::new(),
        Some(ApproveSections::One(section)) => section.read(at, known, findings).into_iter().collect(),
        Some(ApproveSections::Several(sections)) => sections
            .iter()
            .enumerate()
            .filter_map(|(index, section)| section.read(&at.index(index), known, findings))
            .collect(),
    }
}

impl ApproveSection {
    fn read(&self, at: &Path<'_>, known: &Known<'_>, findings: &mut Findings<'_, '_>) -> Option<ApprovalRule> {
        let before = findings.errors();
        let mut when: Vec<(Condition, Written)> = Vec::new();
        for (index, text) in self.when.iter().enumerate() {
            let at = at.key("when");
            let at = at.index(index);
            let Some(condition) = condition(&at, text, known, findings) else { continue };
            if when.iter().any(|(other, _)| *other == condition) {
                findings.at_value(&at, format!("{} is listed twice", quoted(text)), Some("remove one".to_owned()));
                continue;
            }
            when.push((condition, findings.written(&at)));
        }
        let by = self.by(&at.key("by"), known, findings);
        let mut ms = |key, text: Option<&String>, least| {
            let read = text.map(|text| duration::read(&at.key(key), text, least..=OPEN_MAX_S, findings));
            read.flatten().map(|seconds| i64::from(seconds) * 1_000)
        };
        let within_ms = ms("within", self.within.as_ref(), 60);
        let alone_after_ms = ms("alone_after", self.alone_after.as_ref(), 0);
        let of_runner = Some(1_000 * i64::from(known.ask_expires_s)).filter(|ms| *ms > 0);
        if let (Some(open), Some(alone)) = (within_ms.or(of_runner), alone_after_ms)
            && alone >= open
        {
            let (message, hint) = match within_ms {
                Some(_) => {
                    ("nobody could ever say it alone: the question expires before", "make it shorter than `within`")
                }
                None => (
                    "nobody could ever say it alone: the question expires before, after `ask_expires` of `[runner]`",
                    "make it shorter, or write a longer `within` here",
                ),
            };
            findings.at_value(&at.key("alone_after"), message, Some(hint.to_owned()));
        }
        if findings.errors() > before {
            return None;
        }
        Some(ApprovalRule { when, by: by?, count: self.count, own: self.own, within_ms, alone_after_ms })
    }

    fn by(&self, at: &Path<'_>, known: &Known<'_>, findings: &mut Findings<'_, '_>) -> Option<Approvers> {
        match &self.by {
            By::Word(word) if word == "owners" => Some(Approvers::Owners),
            By::Word(word) if known.roles.contains_key(word) => Some(Approvers::Role(word.clone())),
            By::Word(word) => {
                let (message, hint) = if word.contains(':') {
                    (format!("{} stands alone", quoted(word)), Some(format!("write it in brackets: `[{word:?}]`")))
                } else {
                    let names = known.roles.keys().map(String::as_str).chain(["owners"]);
                    (unknown(word, known.roles).0, suggestion(word, names, "what can stand here"))
                };
                findings.at_value(at, message, hint);
                None
            }
            By::People(texts) => {
                if texts.is_empty() {
                    let message = "nobody is named, so that no yes can ever come";
                    findings.at_value(at, message, Some("name somebody by id, or write `\"owners\"`".to_owned()));
                }
                let people = people::read(at, texts, findings);
                Some(Approvers::Named(people.into_iter().map(|(_, id)| id).collect()))
            }
        }
    }
}

fn condition(at: &Path<'_>, text: &str, known: &Known<'_>, findings: &mut Findings<'_, '_>) -> Option<Condition> {
    let names = || known.settings.iter().map(|setting| &setting.name);
    match Condition::read(text, names()) {
        Ok(condition) => match never(&condition, known) {
            None => Some(condition),
            Some((message, hint)) => {
                findings.at_value(at, format!("{} can never hold: {message}", quoted(text)), Some(hint));
                None
            }
        },
        Err(error) => {
            let hint = match &error {
                ConditionError::Form => Some(
                    "write one of `command = destroy`, `deletes > 5`, `slaves > 50`, `outside working hours`, `environment of \
                     another owner`"
                        .to_owned(),
                ),
                ConditionError::Command(word) => {
                    suggestion(word, ASKING.map(CommandName::as_str), "the commands that ask")
                }
                ConditionError::Subject(word) => {
                    let counted = Counted::ALL.map(Counted::as_str);
                    suggestion(word, names().map(SettingName::as_str).chain(counted), "what can be compared")
                }
                ConditionError::Number(_) => Some("write a whole number: `deletes > 5`".to_owned()),
            };
            findings.at_value(at, format!("{}: {error}", quoted(text)), hint);
            None
        }
    }
}

/// Why a condition can never hold here, and what to do about it.
fn never(condition: &Condition, known: &Known<'_>) -> Option<(String, String)> {
    match condition {
        Condition::Command(command) if !ASKING.contains(command) => {
            Some((format!("`{command}` makes no run that asks"), "remove it".to_owned()))
        }
        Condition::Count { of: Counted::Deletes | Counted::Replaces | Counted::Destroys, above } => {
            let most = known.destroys_max.filter(|most| most <= above)?;
            let hint = format!("write less than {most}, or raise `destroys_max`");
            Some((format!("`destroys_max` is {most}"), hint))
        }
        Condition::Setting { setting, above } => {
            let setting = known.settings.iter().find(|known| known.name == *setting)?;
            match &setting.kind {
                SettingKind::Number { max, .. } if max <= above => {
                    Some((format!("the `max` of `{}` is {max}", setting.name), format!("write less than {max}")))
                }
                SettingKind::Number { .. } => None,
                SettingKind::Choice(_) | SettingKind::Switch => {
                    Some((format!("`{}` is no number", setting.name), "remove it".to_owned()))
                }
            }
        }
        Condition::OutsideHours if !known.has_hours => {
            let hint = "add `hours = \"Mon-Fri 09:00-18:00\"` and `zone` to the environment".to_owned();
            Some(("the environment has no `hours`".to_owned(), hint))
        }
        Condition::OutsideHours if known.only_in_hours => {
            Some(("`changes` lets nothing begin then".to_owned(), "remove it, or `changes`".to_owned()))
        }
        Condition::OfAnother if !known.has_owners => {
            Some(("the environment has no `owners`".to_owned(), "add `owners`, or remove it".to_owned()))
        }
        Condition::Command(_) | Condition::Count { .. } | Condition::OutsideHours | Condition::OfAnother => None,
    }
}

/// Tells of rules that fewer people can satisfy than they want, as far as the file names them, and warns of those that the approvers
/// themselves can never satisfy.
pub(super) fn check_people(
    at: &Path<'_>,
    is_list: bool,
    environment: &Environment,
    access: &Access,
    findings: &mut Findings<'_, '_>,
) {
    for (index, rule) in environment.rules.approvals.iter().enumerate() {
        let (mut people, more) = rule.by.people(access, environment);
        if let Approvers::Role(name) = &rule.by
            && !Least::ROLES.iter().any(|least| least.as_str() == name)
            && !given(access, Some(environment)).any(|grant| grant.role.name == *name)
            && people.is_empty()
            && !more.everyone
        {
            let indexed = at.index(index);
            let at = if is_list { &indexed } else { at };
            let message =
                format!("nobody is given the role {name} here, so that it says nothing of whose yes is wanted");
            let hint = format!(
                "give it under `access`, as in `access = {{ {name} = [\"local:ito\"] }}`, or name `owners` or people"
            );
            findings.at_value(&at.key("by"), message, Some(hint));
            continue;
        }
        // Two ids of one person say one yes.
        let mut persons: Vec<ActorId> = Vec::new();
        people.retain(|id| {
            let first = !persons.iter().any(|other| access.persons.same(other, id));
            persons.extend(first.then(|| id.clone()));
            first
        });
        let count = usize::try_from(rule.count).unwrap_or(usize::MAX);
        let indexed = at.index(index);
        let at = if is_list { &indexed } else { at };
        if more.everyone {
            continue;
        }
        if !more.groups.is_empty() {
            let is_group = |id: &ActorId| id.as_str().starts_with("slack:S") && more.groups.contains(id);
            let least = people.iter().filter(|id| !is_group(id)).count();
            if least < count {
                let key = if rule.count > 1 { "count" } else { "by" };
                let hint = "list its members under `[groups]`, name more people, or want fewer";
                findings.warn_at_value(&at.key(key), uncounted(rule, least, &more.groups), Some(hint.to_owned()));
            }
            continue;
        }
        if people.len() > count {
            continue;
        }
        if people.len() == count {
            if !rule.own && rule.alone_after_ms.is_none() {
                let people: Vec<_> = people.iter().map(ActorId::called).collect();
                let message = format!(
                    "this wants {} of {}, which is all there are ({}): a run of their own can never have it",
                    yeses(rule.count),
                    rule.by,
                    people.join(", ")
                );
                let hint = "name more people, or write `self = true` or `alone_after = \"10m\"`".to_owned();
                findings.warn_at_value(&at.key("by"), message, Some(hint));
            }
            continue;
        }
        let message = match people.len() {
            0 => format!("nobody is {}, so that no yes can ever come", rule.by),
            1 => format!("this wants {} of {}, and there is only 1", yeses(rule.count), rule.by),
            found => format!("this wants {} of {}, and there are only {found}", yeses(rule.count), rule.by),
        };
        let key = if rule.count > 1 { "count" } else { "by" };
        findings.at_value(&at.key(key), message, Some("name more people, or want fewer".to_owned()));
    }
}

/// That nobody can tell from the file alone whether there are enough.
fn uncounted(rule: &ApprovalRule, least: usize, groups: &[ActorId]) -> String {
    let named = match least {
        0 => "nobody".to_owned(),
        1 => "only 1 person".to_owned(),
        more => format!("only {more} people"),
    };
    let (of_slack, others): (Vec<_>, Vec<_>) = groups.iter().partition(|id| id.as_str().starts_with("slack:"));
    let list = |ids: &[&ActorId]| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
    let slack = format!("who is in {} only Slack knows", list(&of_slack));
    let other = format!(
        "whether {} is a person, which it counts as here, or a role, and who has that, only Discord knows",
        list(&others)
    );
    let unknown = [(of_slack.is_empty(), slack), (others.is_empty(), other)];
    let unknown: Vec<String> = unknown.into_iter().filter(|(none, _)| !none).map(|(_, words)| words).collect();
    format!(
        "this wants {} of {}, and the file names {named} for it; {}: with too few of them it can never have it",
        yeses(rule.count),
        rule.by,
        unknown.join("; ")
    )
}
