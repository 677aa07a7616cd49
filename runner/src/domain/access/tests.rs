//! Rights as tables: who is whom, who may do what, what a channel leaves of it.

use std::fmt::Write as _;

use super::*;
use crate::domain::answer::{Actor, ActorKind};
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, Rules};
use crate::domain::ids::Timestamp;
use crate::domain::policy::{Decision, Matter, Place, policy};

fn id(text: &str) -> ActorId {
    text.parse().expect("an id")
}

fn grant(least: Least, who: &str) -> Grant {
    let who = if who == "everyone" { Who::Everyone } else { Who::Named(id(who)) };
    Grant { role: Role::built_in(least), who, written: Some(Written { file: "tidegate.toml".to_owned(), line: 7 }) }
}

fn shop(grants: Vec<Grant>) -> Environment {
    Environment {
        name: "shop".parse().expect("a name"),
        group: None,
        about: None,
        channel: crate::domain::environment::Channels::default(),
        owners: vec![id("local:ito")],
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: crate::domain::environment::Level::Off,
        levels: vec!["full".parse().expect("a name")],
        protect: Vec::new(),
        stacks: indexmap::IndexMap::new(),
        settings: indexmap::IndexMap::new(),
        profiles: indexmap::IndexMap::new(),
        timetable: std::sync::Arc::default(),
        money: crate::domain::hours_on::Money::default(),
        rules: Rules { grants, ..Rules::default() },
    }
}

fn allowed(access: &Access, actor: &Actor, place: &Place, command: CommandName, shop: &Environment) -> bool {
    may(access, actor, place, command, Some(shop)).is_ok()
}

#[test]
fn every_role_has_all_that_the_one_before_it_has() {
    let roles = Least::ROLES.map(Role::built_in);
    for pair in roles.windows(2) {
        assert!(pair[1].includes(&pair[0]), "{} and {}", pair[1].name, pair[0].name);
    }
    assert!(CommandName::ALL.into_iter().all(|command| roles[3].has(command)));
    for command in CommandName::ALL {
        let viewer = command.only_reads() || command.is_about_oneself();
        assert_eq!(roles[0].has(command), viewer, "{command}");
    }
}

#[test]
fn nobody_has_anything_that_nobody_gives_them() {
    let (access, shop) = (Access::default(), shop(Vec::new()));
    let kato = Actor::person(id("local:kato"), "kato");
    for command in CommandName::ALL {
        let anybody = command.least() == Least::Anybody;
        assert_eq!(allowed(&access, &kato, &Place::shell(), command, &shop), anybody, "{command}");
    }
    let (rule, refusal) = may(&access, &kato, &Place::shell(), CommandName::Down, Some(&shop)).expect_err("no role");
    assert_eq!(rule, "role");
    assert!(refusal.why.contains("ask `local:ito` (owner)"), "{refusal:?}");
}

#[test]
fn guests_bots_and_strangers_have_only_what_names_themselves() {
    let group = id("slack:S1");
    let access = Access {
        grants: vec![grant(Least::Viewer, "everyone"), grant(Least::Operator, "slack:S1")],
        groups: [(group.clone(), vec![id("slack:U1")])].into(),
        ..Access::default()
    };
    let shop = shop(vec![grant(Least::Operator, "slack:U2")]);
    let place = Place::shell();
    let actor = |text: &str, kind| Actor { kind, groups: vec![group.clone()], ..Actor::person(id(text), "a") };
    for kind in [ActorKind::Guest, ActorKind::Bot, ActorKind::Stranger] {
        for command in [CommandName::Status, CommandName::Up] {
            assert!(!allowed(&access, &actor("slack:U1", kind), &place, command, &shop), "{command} of a {kind:?}");
            assert!(
                allowed(&access, &actor("slack:U2", kind), &place, command, &shop),
                "{command} of a named {kind:?}"
            );
        }
    }
    assert!(allowed(&access, &actor("slack:U3", ActorKind::Person), &place, CommandName::Up, &shop), "the chat knows");
    let member = Actor::person(id("slack:U1"), "a");
    assert!(allowed(&access, &member, &place, CommandName::Up, &shop), "the file knows");
    let nobody = Actor::person(id("slack:U4"), "a");
    assert!(!allowed(&access, &nobody, &place, CommandName::Up, &shop));
    assert!(allowed(&access, &nobody, &place, CommandName::Status, &shop));
}

#[test]
fn groups_may_hold_groups_and_even_themselves() {
    let groups = [
        (id("slack:S1"), vec![id("slack:S2"), id("slack:U1")]),
        (id("slack:S2"), vec![id("slack:S1"), id("slack:U2")]),
    ];
    let access = Access { groups: groups.into(), ..Access::default() };
    assert_eq!(access.people(&id("slack:S1")), [id("slack:U2"), id("slack:U1")]);
    assert_eq!(access.people(&id("slack:U9")), [id("slack:U9")]);
}

#[test]
fn the_right_is_what_both_person_and_channel_allow() {
    let ceiling = |least, only: &[&str]| Ceiling {
        role: Role::built_in(least),
        environments: (!only.is_empty()).then(|| only.iter().map(|name| name.parse().expect("a name")).collect()),
        written: Written { file: "tidegate.toml".to_owned(), line: 9 },
    };
    let named = [
        ("slack:C1".to_owned(), ceiling(Least::Viewer, &[])),
        ("slack:C2".to_owned(), ceiling(Least::Owner, &["blog"])),
        ("slack:C3".to_owned(), ceiling(Least::Operator, &["shop"])),
    ];
    let channels = Channels { named: named.into(), ..Channels::default() };
    let mut access = Access { channels: Some(channels), ..Access::default() };
    let shop = shop(Vec::new());
    let ito = Actor::person(id("local:ito"), "ito");
    let slack = |channel: &str| Place { door: "slack", channel: Some(channel.to_owned()), direct: false };
    let direct = Place { direct: true, ..slack("D1") };
    let may_here = |access: &Access, place: &Place, command| {
        may(access, &ito, place, command, Some(&shop)).map_err(|(rule, _)| rule)
    };
    for (place, status, up, destroy) in [
        (slack("C1"), Ok(()), Err("channel"), Err("channel")),
        (slack("C2"), Err("channel"), Err("channel"), Err("channel")),
        (slack("C3"), Ok(()), Ok(()), Err("channel")),
        (slack("C4"), Err("channel"), Err("channel"), Err("channel")),
        (direct.clone(), Err("channel"), Err("channel"), Err("channel")),
        (Place { channel: None, ..slack("C1") }, Err("channel"), Err("channel"), Err("channel")),
        (Place::shell(), Ok(()), Ok(()), Ok(())),
    ] {
        assert_eq!(may_here(&access, &place, CommandName::Status), status, "{place:?}");
        assert_eq!(may_here(&access, &place, CommandName::Up), up, "{place:?}");
        assert_eq!(may_here(&access, &place, CommandName::Destroy), destroy, "{place:?}");
    }
    // What is about all environments is not for a channel of one; each of them is asked about.
    access.grants.push(grant(Least::Admin, "local:ito"));
    assert!(may(&access, &ito, &slack("C3"), CommandName::Status, None).is_err());
    assert!(may(&access, &ito, &slack("C1"), CommandName::Status, None).is_ok());
    let channels = access.channels.as_mut().expect("channels");
    channels.direct = Some(ceiling(Least::Admin, &[]));
    channels.others = Some(ceiling(Least::Viewer, &[]));
    channels.shell = Some(ceiling(Least::Viewer, &[]));
    assert_eq!(may_here(&access, &direct, CommandName::Destroy), Ok(()));
    assert_eq!(may_here(&access, &slack("C4"), CommandName::Status), Ok(()));
    assert_eq!(may_here(&access, &slack("C4"), CommandName::Up), Err("channel"));
    assert_eq!(may_here(&access, &Place::shell(), CommandName::Up), Err("channel"));
}

/// Every command, for every role, in every kind of place: `+` allowed, `r` refused for the role, `c` for the channel.
#[test]
fn what_each_role_may_do_where() {
    let ceiling = |least| Ceiling {
        role: Role::built_in(least),
        environments: None,
        written: Written { file: "tidegate.toml".to_owned(), line: 9 },
    };
    let channels = Channels {
        named: [
            ("slack:CVIEW".to_owned(), ceiling(Least::Viewer)),
            ("slack:COPS".to_owned(), ceiling(Least::Operator)),
        ]
        .into(),
        direct: Some(ceiling(Least::Owner)),
        others: None,
        shell: None,
    };
    let place = |channel: &str, direct| Place { door: "slack", channel: Some(channel.to_owned()), direct };
    let places =
        [Place::shell(), place("CVIEW", false), place("COPS", false), place("CELSE", false), place("D1", true)];
    // What they are, what they have, and whether what gives it to them names themselves.
    let tester = Role {
        name: "tester".to_owned(),
        may: [CommandName::Status, CommandName::Plan, CommandName::Up].into(),
        written: None,
    };
    let roles = Least::ROLES.map(Role::built_in).into_iter().chain([Arc::new(tester)]);
    let mut people: Vec<(String, Option<Arc<Role>>, ActorKind, bool)> =
        roles.map(|role| (role.name.clone(), Some(role), ActorKind::Person, false)).collect();
    people.insert(0, ("nobody".to_owned(), None, ActorKind::Person, false));
    let kinds = [(ActorKind::Guest, "guest"), (ActorKind::Bot, "bot"), (ActorKind::Stranger, "stranger")];
    for (kind, word) in kinds {
        people.push((word.to_owned(), Some(Role::built_in(Least::Owner)), kind, false));
        people.push((format!("{word}!"), Some(Role::built_in(Least::Operator)), kind, true));
    }
    let mut table = format!("{:<10}", "");
    for (name, ..) in &people {
        write!(table, "{name:<10}").expect("written");
    }
    table.push_str(
        "(terminal, viewers' channel, operators' channel, unlisted channel, direct message; those with ! are named as operators, the \
         other guests, bots and strangers are owners with everyone)\n",
    );
    for command in CommandName::ALL {
        write!(table, "{:<10}", command.as_str()).expect("written");
        for (_, role, kind, named) in &people {
            let who = if *named { Who::Named(id("slack:U7")) } else { Who::Everyone };
            let grants = role.iter().map(|role| Grant { role: Arc::clone(role), who: who.clone(), written: None });
            let access = Access { channels: Some(channels.clone()), grants: grants.collect(), ..Access::default() };
            let kato = Actor { kind: *kind, ..Actor::person(id("slack:U7"), "kato") };
            let shop = shop(Vec::new());
            let decide = |place: &Place| {
                policy(&Matter {
                    actor: &kato,
                    place,
                    command,
                    environment: Some(&shop).filter(|_| !command.is_about_all()),
                    access: &access,
                    request: None,
                    asked: None,
                    plan: None,
                    holds: &[],
                    begun: false,
                    now: Timestamp(0),
                })
            };
            let cell: String = places
                .iter()
                .map(|place| match decide(place) {
                    Decision::Allow => '+',
                    // The environment has other owners, and whoever asks is to be sure of it.
                    Decision::NeedsConfirmation(_) => '?',
                    Decision::NeedsApproval { .. } => 'a',
                    Decision::Refuse { rule: "role", .. } => 'r',
                    Decision::Refuse { rule: "channel", .. } => 'c',
                    Decision::Refuse { rule, .. } => panic!("{rule}"),
                })
                .collect();
            write!(table, "{cell:<10}").expect("written");
        }
        table.push('\n');
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"));
}

#[test]
fn a_person_has_by_each_id_what_the_configuration_gives_to_any_and_by_a_link_nothing() {
    let written = Written { file: "tidegate.toml".to_owned(), line: 3 };
    let ids = vec![id("slack:U1"), id("discord:1"), id("local:sato")];
    let sato = Person { name: "sato".to_owned(), ids, written };
    let group = (id("slack:S1"), vec![id("local:sato")]);
    let shop = shop(vec![grant(Least::Operator, "slack:U1"), grant(Least::Owner, "slack:S1")]);
    let may_destroy = |access: &Access, actor: &Actor| {
        (allowed(access, actor, &Place::shell(), CommandName::Up, &shop), {
            allowed(access, actor, &Place::shell(), CommandName::Destroy, &shop)
        })
    };
    let told = Access { groups: [group.clone()].into(), persons: People(vec![sato]), ..Access::default() };
    let untold = Access { groups: [group].into(), ..Access::default() };
    let discord = Actor::person(id("discord:1"), "sato");
    assert_eq!(may_destroy(&told, &discord), (true, true));
    assert_eq!(may_destroy(&untold, &discord), (false, false));
    // A guest has what names any of their ids, and no group's.
    let guest = Actor { kind: ActorKind::Guest, ..discord.clone() };
    assert_eq!(may_destroy(&told, &guest), (true, false));
    let linked = Actor { also: vec![Also { id: id("slack:U1"), standing: true }], ..discord };
    assert_eq!(may_destroy(&untold, &linked), (false, false));
}
