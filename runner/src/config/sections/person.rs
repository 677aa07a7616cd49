//! `[people]`: who has several ids.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::people;
use crate::domain::access::{Access, People, Person, Who, given};
use crate::domain::environment::Environment;
use crate::domain::ids::ActorId;
use crate::domain::lookalike::{distinct, imitating};

/// Somebody with several ids.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct PersonSection {
    /// All of them: `slack:ID`, `discord:ID`, `local:NAME`. At least two.
    #[schemars(length(min = 2), example = ["slack:U024BE7LH", "discord:80351110224678912", "local:sato"])]
    ids: Vec<String>,
}

/// Reads the section. `groups` are what is no person.
pub(super) fn read(
    sections: &BTreeMap<String, PersonSection>,
    groups: &BTreeMap<String, Vec<String>>,
    findings: &mut Findings<'_, '_>,
) -> People {
    let root = Path::ROOT.key("people");
    let mut found: Vec<Person> = Vec::new();
    for (name, section) in sections {
        let at = root.key(name);
        if let Some((message, hint)) = bad_name(name, sections) {
            findings.at_key(&at, message, Some(hint));
        }
        let list = at.key("ids");
        let mut ids: Vec<ActorId> = Vec::new();
        for (index, id) in people::read(&list, &section.ids, findings) {
            let place = list.index(index);
            if groups.contains_key(id.as_str()) || id.as_str().starts_with("slack:S") {
                let hint = "write the ids of the person; a group stands in `[groups]`".to_owned();
                findings.at_value(&place, format!("{} is a group", quoted(&id.shown())), Some(hint));
                continue;
            }
            if id.as_str().starts_with("clock:") {
                findings.at_value(&place, "the clock is no person", Some("remove it".to_owned()));
                continue;
            }
            if let Some(other) = found.iter().find(|person| person.ids.contains(&id)) {
                let message = format!("{} is {} already ({})", quoted(&id.shown()), quoted(&other.name), other.written);
                findings.at_value(&place, message, Some("one id is one person: remove it here or there".to_owned()));
                continue;
            }
            ids.push(id);
        }
        if section.ids.len() < 2 {
            let hint = "add the other ids, or remove the person: one id alone needs no entry".to_owned();
            findings.at_key(&list, format!("{} has one id", quoted(name)), Some(hint));
        }
        found.push(Person { name: name.clone(), ids, written: findings.written(&at) });
    }
    People(found)
}

/// What is wrong with a name, and what to write. It stands in lists beside the names of others.
fn bad_name(name: &str, sections: &BTreeMap<String, PersonSection>) -> Option<(String, String)> {
    if name.trim().is_empty() || name.contains([':', ',', '@']) || name.contains(char::is_whitespace) {
        let hint = "write one word, as in `[people.sato]`".to_owned();
        return Some((format!("{} is no name of a person", quoted(name)), hint));
    }
    if let Some(odd) = imitating(name) {
        let message = format!(
            "{} can be taken for another name: it has the character U+{:04X}",
            quoted(&distinct(name)),
            u32::from(odd)
        );
        return Some((message, "write it in ordinary letters".to_owned()));
    }
    let lower = name.to_lowercase();
    if let Some(other) = sections.keys().find(|other| *other != name && other.to_lowercase() == lower) {
        let message = format!("{} and {} read alike", quoted(name), quoted(other));
        return Some((message, "give one of them another name".to_owned()));
    }
    let of_others = sections.iter().filter(|(other, _)| *other != name).flat_map(|(other, section)| {
        section
            .ids
            .iter()
            .map(move |id| (other, id))
            .filter(|(_, id)| id.split_once(':').is_some_and(|(_, short)| short.to_lowercase() == lower))
    });
    of_others
        .map(|(other, id)| {
            let message = format!("{} imitates {}, an id of {}", quoted(name), quoted(id), quoted(other));
            (message, "give one of them another name".to_owned())
        })
        .next()
}

/// Tells of people who are called like an id of somebody else: where that name is typed, nobody could tell who is meant. Of those who
/// are named in an environment, where one is given; otherwise of those who are named for all.
pub(in super::super) fn check_names(
    access: &Access,
    environment: Option<&Environment>,
    findings: &mut Findings<'_, '_>,
) {
    let root = Path::ROOT.key("people");
    let groups = access.groups.iter().flat_map(|(group, members)| members.iter().chain([group]).cloned());
    let for_all: Vec<ActorId> = given(access, None).filter_map(|grant| id_of(grant.who)).chain(groups).collect();
    let named = match environment {
        Some(environment) => {
            let own = given(access, Some(environment)).filter_map(|grant| id_of(grant.who));
            own.chain(environment.oncall.iter().cloned()).filter(|id| !for_all.contains(id)).collect()
        }
        None => for_all,
    };
    for person in &access.persons.0 {
        let like = |id: &&ActorId| id.short().to_lowercase() == person.name.to_lowercase();
        // One that is another person's is told above.
        let of_nobody = |id: &&ActorId| access.persons.of(id).is_none();
        if let Some(id) = named.iter().filter(like).find(of_nobody) {
            let id = quoted(&id.shown());
            let message = format!("{} is called like {id}, which is none of its ids", quoted(&person.name));
            let hint = format!("add {id} to its ids where it is theirs, otherwise give the person another name");
            findings.at_key(&root.key(&person.name), message, Some(hint));
        }
    }
}

fn id_of(who: Who) -> Option<ActorId> {
    match who {
        Who::Named(id) => Some(id),
        Who::Everyone => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{self, Config, Problems};
    use crate::problem::source::Source;

    fn read(lines: &str) -> Result<Config, Problems> {
        config::parse(Source::new("/etc/tide/tidegate.toml", lines), &|_| None)
    }

    #[test]
    fn people_are_read_with_all_of_their_ids() {
        let lines = "[people.sato]\nids = ['slack:U1', 'discord:1', 'local:sato']\n\
                     [people.'伊藤']\nids = ['slack:U2', 'discord:2']";
        let people = read(lines).expect("valid").access.persons;
        let id = |text: &str| text.parse().expect("an id");
        let sato = people.of(&id("discord:1")).expect("somebody");
        let written = sato.written.to_string();
        assert_eq!((sato.name.as_str(), sato.ids.len(), written.as_str()), ("sato", 3, "tidegate.toml:1"));
        assert!(people.same(&id("slack:U2"), &id("discord:2")));
        assert!(!people.same(&id("slack:U2"), &id("discord:1")));
    }

    #[test]
    fn what_would_make_two_people_of_one_or_one_of_two_is_refused_with_its_line() {
        for (lines, line, words) in [
            (
                "[people.a]\nids = ['slack:U1', 'discord:1']\n[people.b]\nids = ['slack:U2', 'discord:1']",
                4,
                "is `a` already",
            ),
            ("[people.a]\nids = ['slack:U1', 'slack:U1']", 2, "listed twice"),
            ("[people.a]\nids = ['slack:U1', 'sato']", 2, "not a person"),
            ("[people.a]\nids = ['slack:U1', 'local:ａlice']", 2, "can be taken for another"),
            ("[people.a]\nids = ['slack:U1', 'slack:S1']", 2, "is a group"),
            ("[people.a]\nids = ['slack:U1', 'discord:9']\n[groups]\n'discord:9' = ['slack:U2']", 2, "is a group"),
            ("[people.a]\nids = ['slack:U1']", 2, "one id"),
            ("[people.'ａlice']\nids = ['slack:U1', 'discord:1']", 1, "can be taken for another"),
            ("[people.'a b']\nids = ['slack:U1', 'discord:1']", 1, "no name of a person"),
            (
                "[people.ito]\nids = ['slack:U1', 'discord:1']\n[people.b]\nids = ['slack:U2', 'local:ito']",
                1,
                "imitates",
            ),
            (
                "[people.Ito]\nids = ['slack:U1', 'discord:1']\n[people.ito]\nids = ['slack:U2', 'discord:2']",
                1,
                "read alike",
            ),
            (
                "[people.ito]\nids = ['slack:U1', 'discord:1']\n[access]\nadmin = ['local:ito']",
                1,
                "called like `local:ito`",
            ),
            (
                "[people.U2]\nids = ['slack:U1', 'discord:1']\n[groups]\n'slack:S1' = ['slack:U2']",
                1,
                "called like `slack:U2`",
            ),
        ] {
            let problems = read(lines).expect_err(lines);
            let told = problems.to_string();
            assert!(told.contains(words) && told.contains(&format!("tidegate.toml:{line}")), "{lines}: {told}");
        }
    }

    #[test]
    fn a_name_like_an_id_in_one_environment_is_a_warning_of_that_environment_and_refuses_nothing() {
        let environment = |name: &str, owner: &str| {
            format!(
                "[environments.{name}]\nowners = ['{owner}']\nup = 'full'\ndown = 'off'\n[[environments.{name}.stacks]]\n\
                 name = 'app'\nroot = 'app-{name}'\n[environments.{name}.profiles]\nfull.app.servers = 3\n"
            )
        };
        let people = "[people.Ito]\nids = ['slack:U1', 'discord:1']\n";
        let lines = [people, &environment("shop", "local:ito"), &environment("rpg", "slack:U1")].concat();
        let config = read(&lines).expect("used");
        assert_eq!((config.environments.len(), config.unmanaged.len()), (2, 0));
        let told: Vec<&str> = config.warnings.keys().map(String::as_str).collect();
        assert_eq!(told, ["shop"]);
        let warned = &config.warnings["shop"][0];
        assert!(!warned.is_error() && format!("{warned:?}").contains("add `local:ito` to its ids"), "{warned:?}");
    }
}
