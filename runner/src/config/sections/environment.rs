//! `[environments.NAME]`: what people name in chat.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::super::nearest::suggestion;
use super::super::problem::quoted;
use super::access::{GrantSection, Roles};
use super::approve::ApproveSections;
use super::calendar::Calendars;
use super::channel::ChannelSection;
use super::profile::{self, ProfileSection};
use super::runner::RunnerConfig;
use super::schedule::{self, ScheduleSection};
use super::setting::SettingSection;
use super::stack::StackSection;
use super::{access, approve, levels, limits, people, ready, values};
use crate::domain::access::{Access, Written};
use crate::domain::environment::{Environment, Rules, Setting, Stack};
use crate::domain::hours_on::Money;
use crate::domain::ids::{ActorId, EnvironmentName, GroupName, ProfileName, SettingName, StackName};
use crate::domain::order::find_circle;

/// An environment: one or more stacks, one lock, one channel, owners.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct EnvironmentSection {
    /// The environment from whose definition this one is made, with what stands here laid over it. That one has no `like` itself.
    #[schemars(example = &"game")]
    #[expect(dead_code, reason = "describes the form; it is laid under the environment before that is read")]
    like: Option<String>,
    /// The group that it belongs to, which people name `@rpg`: a-z, 0-9, `-` and `_`, a letter first, at most 40 characters.
    #[schemars(example = &"rpg")]
    group: Option<String>,
    /// One line for `envs`.
    #[schemars(example = &"Production-sized shop for load tests")]
    about: Option<String>,
    /// Where its messages go: `#name`, or the channel's id; where that differs from chat to chat, a name for each.
    #[schemars(example = &"#load-test")]
    channel: Option<ChannelSection>,
    /// Who may do everything to it, by immutable id: `local:NAME` for a user of this machine, `slack:ID` (of a person or a
    /// group), `discord:ID`. The same as `owner` in its `access`.
    #[serde(default)]
    #[schemars(example = ["slack:U024BE7LH"])]
    pub(super) owners: Vec<String>,
    /// Who else may do what in it: for each role, to whom it is given.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "operator": ["slack:S0604QSJC"], "viewer": ["everyone"] }))]
    access: GrantSection,
    /// Who is told when something fails and nobody asked for it.
    #[serde(default)]
    #[schemars(example = ["slack:S0604QSJC"])]
    oncall: Vec<String>,
    /// The profile that `up` means without one. Without it, the highest level.
    #[schemars(example = &"full")]
    pub(super) up: Option<String>,
    /// The profile, or `off`, that `down` means without one. Without it, the lowest level.
    #[schemars(example = &"small")]
    pub(super) down: Option<String>,
    /// All profiles, lowest first; `off` is below them and not listed. May be left out when the profiles are just those
    /// of `down` and `up`.
    #[schemars(example = ["small", "full"])]
    pub(super) levels: Option<Vec<String>>,
    /// Addresses of resources that no run may delete or replace; `*` stands for any characters.
    #[serde(default)]
    #[schemars(example = ["aws_db_instance.*"])]
    protect: Vec<String>,
    /// The most resources that one run may delete or replace. Without it, any number.
    #[schemars(range(min = 0, max = 100_000), example = 20)]
    pub(super) destroys_max: Option<u32>,
    /// Above so many deletions and replacements whoever asks sees them first and says yes. Without it, never for their number.
    #[schemars(range(min = 0, max = 100_000), example = 10)]
    pub(super) destroys_ask: Option<u32>,
    /// Working hours: days and a span on the clock of `zone`.
    #[schemars(example = &"Mon-Fri 09:00-18:00")]
    pub(super) hours: Option<String>,
    /// The time zone of `hours` and of its schedules, by its IANA name.
    #[schemars(example = &"Asia/Tokyo")]
    pub(super) zone: Option<String>,
    /// The holidays of its schedules: a country's code, or the name of a `[calendars]` entry. Without it, all days are alike.
    #[schemars(example = &"JP")]
    pub(super) holidays: Option<String>,
    /// How long a person's change of an environment with schedules lasts at most, where the command does not say. `1m` to `31d`. Without
    /// it, `12h`; the schedules' next transition ends it earlier.
    #[schemars(regex(pattern = duration::PATTERN), example = &"12h")]
    pub(super) visit: Option<String>,
    /// In which currency the `rate` of its profiles is, by its three letters. Needed where one has a rate.
    #[schemars(example = &"USD")]
    pub(super) currency: Option<String>,
    /// When changes may begin; what has begun is brought to its end. Without it, at any time.
    pub(super) changes: Option<Changes>,
    /// How long a `hold` without an end is offered for. `1m` to `7d`. Without it, `12h`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"4h")]
    pub(super) hold: Option<String>,
    /// When it is looked each day what others changed, on the clock of `zone`: `HH:MM`. It is told once, and nothing is changed. Without it,
    /// only when somebody types `drift`.
    #[schemars(regex(pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"), example = &"03:00")]
    pub(super) drift: Option<String>,
    /// What `drift` does not tell: addresses of resources, and of single attributes after a point; `*` stands for any characters.
    #[serde(default)]
    #[schemars(example = ["*.tags", "module.monitoring"])]
    pub(super) drift_ignore: Vec<String>,
    /// Asks CloudTrail who did what `drift` finds, and names them on the card. Takes `cloudtrail:LookupEvents`. Without it, nobody is named.
    #[serde(default)]
    #[schemars(example = true)]
    pub(super) drift_who: bool,
    /// AWS accounts, by their 12 digits, in which `sweep ENV remove` may delete what carries this environment's tags and stands in no state: those
    /// in which no other Tidegate has an environment of this name, as tags do not tell two of them apart. Without it, nothing is deleted.
    #[serde(default)]
    #[schemars(example = ["123456789012"])]
    pub(super) remove_in: Vec<String>,
    /// How long before its schedules raise it it is looked whether anything stands in the way: credentials, a state lock, a full disk. `5m` to
    /// `1d`. Without it, only when somebody types `preflight`.
    #[schemars(regex(pattern = duration::PATTERN), example = &"30m")]
    pub(super) preflight: Option<String>,
    /// How often a run that raises is tried again by itself where too few came into service, or AWS says what passes: after 1, 2, 4, 8 and then each 15
    /// minutes. At most 10. Without it, never.
    #[serde(default)]
    #[schemars(range(max = 10))]
    pub(super) retries: u32,
    /// It was there before Tidegate, and what stands here may not be what it was made with: its schedules ask for nothing until a plan of all of it,
    /// at a level that is not `off`, found nothing to do once. What is `like` it has to say so itself.
    #[serde(default)]
    #[schemars(example = true)]
    pub(super) adopted: bool,
    /// When a run asks for a yes, and whose: one rule in braces, or several as `[[environments.NAME.approve]]`.
    pub(super) approve: Option<ApproveSections>,
    /// When it should be at which level.
    #[serde(default)]
    pub(super) schedules: Vec<ScheduleSection>,
    /// Its stacks. With `like`, those that differ, by their names, and further ones.
    #[schemars(length(min = 1))]
    stacks: Vec<StackSection>,
    /// What people may change by chat, by the name that they type.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, SettingSection>")]
    settings: IndexMap<String, SettingSection>,
    /// Its levels: for each profile the values of variables, by stack.
    #[serde(default)]
    #[schemars(
        with = "BTreeMap<String, ProfileSection>",
        example = serde_json::json!({ "full": { "jmeter": { "slave_count": 40 } } })
    )]
    profiles: IndexMap<String, ProfileSection>,
}

/// When changes may begin.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(super) enum Changes {
    #[serde(rename = "in working hours")]
    InWorkingHours,
}

/// What is the same for all environments of a file.
pub(in super::super) struct Surroundings<'a> {
    /// The configuration file's folder.
    pub(in super::super) folder: &'a FilePath,
    /// Who may do what in all environments.
    pub(in super::super) access: &'a Access,
    /// The roles that can be given.
    pub(in super::super) roles: &'a Roles,
    /// Where the defaults of stacks come from.
    pub(in super::super) runner: &'a RunnerConfig,
    /// Holidays and working days by name.
    pub(in super::super) calendars: &'a Calendars,
    /// The day on which schedules are held against the time to come.
    pub(in super::super) today: DateTime<Utc>,
}

impl EnvironmentSection {
    /// The names of its stacks as they are written.
    pub(super) fn stack_names(&self) -> Vec<&str> {
        self.stacks.iter().map(|stack| stack.name.as_str()).collect()
    }
}

/// Reads one environment; `None` when something about it is wrong, which then is in `findings`.
pub(in super::super) fn read(
    at: &Path<'_>,
    name: &str,
    section: &EnvironmentSection,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings<'_, '_>,
) -> Option<Environment> {
    let before = findings.errors();
    let name: Option<EnvironmentName> = values::typed_name(at, name, "an environment", findings);
    let group: Option<GroupName> =
        section.group.as_ref().and_then(|group| values::name_of_value(&at.key("group"), group, findings));
    let (owners_at, owners) = owners(&at.key("owners"), &section.owners, findings);
    let oncall = people::read(&at.key("oncall"), &section.oncall, findings);
    let oncall = oncall.into_iter().map(|(_, person)| person).collect();
    let grants = access::grants(&at.key("access"), &section.access, surroundings.roles, findings);
    check_protect(&at.key("protect"), &section.protect, findings);
    let channel =
        section.channel.as_ref().map(|channel| channel.read(&at.key("channel"), findings)).unwrap_or_default();
    let stacks = stacks(&at.key("stacks"), section, surroundings, findings);
    let names: Vec<&str> = section.stacks.iter().map(|stack| stack.name.as_str()).collect();
    let settings = settings(&at.key("settings"), section, &names, findings);
    for (index, stack) in section.stacks.iter().enumerate() {
        let at = at.key("stacks");
        let at = at.index(index);
        let profiles: Vec<&str> = section.profiles.keys().map(String::as_str).collect();
        ready::check_levels(&at.key("ready"), &stack.ready, &profiles, findings);
        profile::check_settings(&at.key("variables"), &stack.name, &stack.variables, &settings, findings);
    }
    let (profiles, rates) = profile::read(&at.key("profiles"), &section.profiles, &names, &settings, findings);
    let all_settings: Vec<&Setting> = settings.values().collect();
    let currency = profile::currency(at, section.currency.as_ref(), &rates, findings);
    let limits = limits::read(at, section, surroundings, &all_settings, findings);
    let known: Vec<&ProfileName> = profiles.keys().collect();
    // A refused profile is no missing one: what `levels` says about it is a consequence.
    let all_profiles = profiles.len() == section.profiles.len();
    let levels = if all_profiles { levels::read(at, section, &known, findings) } else { None };
    if findings.errors() > before {
        return None;
    }
    let protect = at.key("protect");
    let protect_at = (0..section.protect.len()).map(|index| findings.written(&protect.index(index))).collect();
    let levels = levels?;
    let mut environment = Environment {
        name: name?,
        group,
        about: section.about.clone(),
        channel,
        owners,
        oncall,
        up: levels.up,
        down: levels.down,
        levels: levels.order,
        protect: section.protect.clone(),
        stacks,
        settings,
        profiles,
        rules: Rules { owners_at, grants, protect_at, ..limits },
        timetable: Arc::default(),
        money: Money { currency, rates },
    };
    environment.timetable =
        Arc::new(schedule::read(at, section, &environment, surroundings.calendars, surroundings.today, findings));
    let is_list = matches!(section.approve, Some(ApproveSections::Several(_)));
    approve::check_people(&at.key("approve"), is_list, &environment, surroundings.access, findings);
    (findings.errors() == before).then_some(environment)
}

fn owners(at: &Path<'_>, texts: &[String], findings: &mut Findings<'_, '_>) -> (Vec<Written>, Vec<ActorId>) {
    let people = people::read(at, texts, findings);
    people.into_iter().map(|(index, person)| (findings.written(&at.index(index)), person)).unzip()
}

fn check_protect(at: &Path<'_>, patterns: &[String], findings: &mut Findings<'_, '_>) {
    for (index, pattern) in patterns.iter().enumerate() {
        if pattern.is_empty() || pattern.trim() != pattern || pattern.chars().any(char::is_control) {
            let message = format!("{} names no resource", quoted(pattern));
            let hint = "write an address as Terraform prints it: `aws_db_instance.*`";
            findings.at_value(&at.index(index), message, Some(hint.to_owned()));
        }
    }
}

fn stacks(
    at: &Path<'_>,
    section: &EnvironmentSection,
    surroundings: &Surroundings<'_>,
    findings: &mut Findings<'_, '_>,
) -> IndexMap<StackName, Stack> {
    let names: Vec<&str> = section.stacks.iter().map(|stack| stack.name.as_str()).collect();
    let mut stacks: IndexMap<StackName, Stack> = IndexMap::new();
    let mut needs = BTreeMap::new();
    for (index, stack) in section.stacks.iter().enumerate() {
        let at = at.index(index);
        let read = stack.read(&at, surroundings, findings);
        let needed = needs_of(&at.key("needs"), stack, &names, findings);
        if names.iter().take(index).any(|earlier| *earlier == stack.name) {
            let message = format!("there are two stacks {} in this environment", quoted(&stack.name));
            findings.at_value(&at.key("name"), message, Some("rename or remove one of them".to_owned()));
            continue;
        }
        if let Ok(name) = stack.name.parse::<StackName>() {
            needs.insert(name, needed.clone());
        }
        if let Some(mut read) = read {
            read.needs = needed;
            stacks.insert(read.name.clone(), read);
        }
    }
    if let Err(circle) = find_circle(&needs) {
        let first = circle.0.first().and_then(|name| names.iter().position(|known| *known == name.as_str()));
        let at = at.index(first.unwrap_or_default());
        let hint = Some("take one `needs` of the circle out".to_owned());
        findings.at_value(&at.key("needs"), circle.to_string(), hint);
    }
    stacks
}

fn needs_of(at: &Path<'_>, stack: &StackSection, names: &[&str], findings: &mut Findings<'_, '_>) -> Vec<StackName> {
    let mut needs = Vec::new();
    for (index, needed) in stack.needs.iter().enumerate() {
        if !names.contains(&needed.as_str()) {
            let message = format!("there is no stack {} in this environment", quoted(needed));
            let others = names.iter().copied().filter(|name| *name != stack.name);
            findings.at_value(&at.index(index), message, suggestion(needed, others, "its other stacks"));
        } else if let Ok(needed) = needed.parse::<StackName>()
            && !needs.contains(&needed)
        {
            needs.push(needed);
        }
    }
    needs
}

fn settings(
    at: &Path<'_>,
    section: &EnvironmentSection,
    stacks: &[&str],
    findings: &mut Findings<'_, '_>,
) -> IndexMap<SettingName, Setting> {
    let mut settings: IndexMap<SettingName, Setting> = IndexMap::new();
    for (name, setting) in &section.settings {
        let at = at.key(name);
        let Some(name) = values::typed_name::<SettingName>(&at, name, "a setting", findings) else { continue };
        let Some(read) = setting.read(&at, name, stacks, findings) else { continue };
        let twin = settings.values().find(|other| other.stack == read.stack && other.variable == read.variable);
        if let Some(twin) = twin {
            let message = format!("the setting `{}` already changes this variable of `{}`", twin.name, twin.stack);
            findings.at_value(&at.key("variable"), message, Some("remove one of the two".to_owned()));
            continue;
        }
        settings.insert(read.name.clone(), read);
    }
    settings
}
