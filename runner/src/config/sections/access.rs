//! `[roles]`, `[access]`, `[groups]` and `[channels]`: who may do what, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::person::{self, PersonSection};
use super::{people, values};
use crate::domain::access::{Access, Ceiling, Channels, Grant, Least, Role};
use crate::domain::command::CommandName;
use crate::domain::ids::{ActorId, EnvironmentName, RoleName};

/// A role of your own: the commands that it has. `help` and `whoami` are everybody's.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct RoleSection {
    /// The commands that it has, by name.
    #[schemars(length(min = 1), example = ["status", "plan", "up", "scale"])]
    commands: Vec<String>,
}

/// The most that anybody may do in a channel.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct ChannelSection {
    /// The role that nobody is more than there.
    #[schemars(example = &"operator")]
    role: String,
    /// The environments that can be talked about there. Without it, all.
    #[schemars(length(min = 1), example = ["shop"])]
    environments: Option<Vec<String>>,
}

/// To whom roles are given, by role.
pub(in super::super) type GrantSection = BTreeMap<String, Vec<String>>;

/// The roles by name, built-in ones included.
pub(in super::super) type Roles = BTreeMap<String, Arc<Role>>;

/// What the file says about access beside its environments.
pub(in super::super) struct Sections<'a> {
    pub(in super::super) roles: &'a BTreeMap<String, RoleSection>,
    pub(in super::super) access: &'a GrantSection,
    pub(in super::super) groups: &'a BTreeMap<String, Vec<String>>,
    pub(in super::super) people: &'a BTreeMap<String, PersonSection>,
    pub(in super::super) channels: Option<&'a BTreeMap<String, ChannelSection>>,
}

/// Reads the sections. `used` has the roles that environments give, `environments` their names.
pub(in super::super) fn read(
    sections: &Sections<'_>,
    used: &BTreeSet<String>,
    environments: &[&str],
    findings: &mut Findings<'_, '_>,
) -> Access {
    let roles = roles(sections.roles, findings);
    let used_here = sections.access.keys().chain(sections.channels.into_iter().flatten().map(|(_, c)| &c.role));
    let used: BTreeSet<&str> = used_here.chain(used).map(String::as_str).collect();
    let at = Path::ROOT.key("roles");
    for (name, _) in roles.iter().filter(|(name, role)| role.written.is_some() && !used.contains(name.as_str())) {
        let hint = format!("add it to `[access]`: `{name} = [\"local:NAME\"]`, or remove it");
        findings.at_key(&at.key(name), format!("nobody has the role `{name}`"), Some(hint));
    }
    Access {
        grants: grants(&Path::ROOT.key("access"), sections.access, &roles, findings),
        persons: person::read(sections.people, sections.groups, findings),
        groups: groups(sections.groups, findings),
        roles: roles.clone(),
        channels: sections.channels.map(|channels| channel_rules(channels, &roles, environments, findings)),
    }
}

fn roles(sections: &BTreeMap<String, RoleSection>, findings: &mut Findings<'_, '_>) -> Roles {
    let mut roles: Roles =
        Least::ROLES.into_iter().map(|least| (least.as_str().to_owned(), Role::built_in(least))).collect();
    let at = Path::ROOT.key("roles");
    for (name, section) in sections {
        let at = at.key(name);
        if roles.contains_key(name) {
            let hint = "give yours another name; what the built-in ones have is in docs/access.md".to_owned();
            findings.at_key(&at, format!("{} is built in", quoted(name)), Some(hint));
            continue;
        }
        let mut may = BTreeSet::new();
        for (index, word) in section.commands.iter().enumerate() {
            let at = at.key("commands");
            let at = at.index(index);
            let Some(command) = CommandName::ALL.into_iter().find(|command| command.as_str() == word) else {
                let names = CommandName::ALL.map(CommandName::as_str);
                let hint = suggestion(word, names, "the commands");
                findings.at_value(&at, format!("there is no command {}", quoted(word)), hint);
                continue;
            };
            if !may.insert(command) {
                findings.at_value(&at, format!("`{command}` is listed twice"), Some("remove one".to_owned()));
            }
        }
        let Some(known) = values::name_of_key::<RoleName>(&at, name, findings) else { continue };
        let written = Some(findings.written(&at));
        roles.insert(name.clone(), Arc::new(Role { name: known.as_str().to_owned(), may, written }));
    }
    roles
}

/// The role of that name; an unknown one goes to `findings` at the key `at`.
fn role_of_key(at: &Path<'_>, name: &str, roles: &Roles, findings: &mut Findings<'_, '_>) -> Option<Arc<Role>> {
    let found = roles.get(name).cloned();
    if found.is_none() {
        let (message, hint) = unknown(name, roles);
        findings.at_key(at, message, hint);
    }
    found
}

pub(super) fn unknown(name: &str, roles: &Roles) -> (String, Option<String>) {
    let hint = suggestion(name, roles.keys().map(String::as_str), "the roles");
    (format!("there is no role {}", quoted(name)), hint)
}

/// Roles given at `at`: for all environments, or for one.
pub(super) fn grants(
    at: &Path<'_>,
    section: &GrantSection,
    roles: &Roles,
    findings: &mut Findings<'_, '_>,
) -> Vec<Grant> {
    let mut grants = Vec::new();
    for (name, texts) in section {
        let at = at.key(name);
        let role = role_of_key(&at, name, roles, findings);
        let who = people::read_who(&at, texts, findings);
        let Some(role) = role else { continue };
        grants.extend(who.into_iter().map(|(index, who)| {
            let written = Some(findings.written(&at.index(index)));
            Grant { role: Arc::clone(&role), who, written }
        }));
    }
    // The most first, so that who can do the most is named first.
    grants.sort_by_key(|grant| std::cmp::Reverse(grant.role.may.len()));
    grants
}

fn groups(
    sections: &BTreeMap<String, Vec<String>>,
    findings: &mut Findings<'_, '_>,
) -> BTreeMap<ActorId, Vec<ActorId>> {
    let mut groups = BTreeMap::new();
    let at = Path::ROOT.key("groups");
    for (name, members) in sections {
        let at = at.key(name);
        if members.is_empty() {
            findings.at_key(&at, "this group has no members", Some("add them by id, or remove it".to_owned()));
        }
        let members = people::read(&at, members, findings).into_iter().map(|(_, person)| person).collect();
        match people::checked(name) {
            Ok(group) => {
                groups.insert(group, members);
            }
            Err((message, hint)) => findings.at_key(&at, message, Some(hint)),
        }
    }
    groups
}

fn channel_rules(
    sections: &BTreeMap<String, ChannelSection>,
    roles: &Roles,
    environments: &[&str],
    findings: &mut Findings<'_, '_>,
) -> Channels {
    let mut channels = Channels::default();
    let at = Path::ROOT.key("channels");
    for (name, section) in sections {
        let at = at.key(name);
        let Some(ceiling) = ceiling(&at, section, roles, environments, findings) else { continue };
        match name.as_str() {
            "direct" => channels.direct = Some(ceiling),
            "others" => channels.others = Some(ceiling),
            "shell" => channels.shell = Some(ceiling),
            _ if is_channel(name) => {
                channels.named.insert(name.clone(), ceiling);
            }
            _ => {
                let message = format!("{} is not a channel", quoted(name));
                let hint = "write its immutable id: `[channels.\"slack:C024BE91L\"]`; or `direct`, `others`, `shell`";
                findings.at_key(&at, message, Some(hint.to_owned()));
            }
        }
    }
    channels
}

fn is_channel(name: &str) -> bool {
    let Some((door, id)) = name.split_once(':') else { return false };
    matches!(door, "slack" | "discord") && !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())
}

fn ceiling(
    at: &Path<'_>,
    section: &ChannelSection,
    roles: &Roles,
    known: &[&str],
    findings: &mut Findings<'_, '_>,
) -> Option<Ceiling> {
    let role = roles.get(&section.role).cloned();
    if role.is_none() {
        let (message, hint) = unknown(&section.role, roles);
        findings.at_value(&at.key("role"), message, hint);
    }
    let mut environments: Option<Vec<EnvironmentName>> = None;
    for (index, name) in section.environments.iter().flatten().enumerate() {
        let at = at.key("environments");
        let found = environments.get_or_insert_default();
        match name.parse::<EnvironmentName>() {
            Ok(name) if known.contains(&name.as_str()) && !found.contains(&name) => found.push(name),
            Ok(name) if found.contains(&name) => {
                let message = format!("{} is listed twice", quoted(name.as_str()));
                findings.at_value(&at.index(index), message, Some("remove one".to_owned()));
            }
            Ok(_) | Err(_) => {
                let hint = suggestion(name, known.iter().copied(), "the environments");
                findings.at_value(&at.index(index), format!("there is no environment {}", quoted(name)), hint);
            }
        }
    }
    Some(Ceiling { role: role?, environments, written: findings.written(at) })
}
