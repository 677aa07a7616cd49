//! Templates, pools, and what is made of them.

use super::super::{load, parse};
use super::*;
use crate::domain::answer::Actor;
use crate::domain::ids::{RunNumber, Timestamp};

const TEMPLATE: &str = "[environments.game]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\n\
    stacks = [{ name = 'app', root = 'app', workspace = '{env}', variables = { cidr = '10.0.0.0/20' } }]\n\
    profiles.small.app = { servers = 1 }\nprofiles.full.app = { servers = 8 }\nlevels = ['small', 'full']\n\
    [pools.vpc]\nranges = ['10.64.0.0/19']\nprefix = 20\n\
    [templates.loadtest]\nnames = 'lt-*'\nlife = '8h'\nlongest = '2d'\nat_once = 2\npool = 'vpc'\nkeep_at_end = ['results']\n\
    [templates.loadtest.environment]\nlike = 'game'\nabout = 'test {env}'\n\
    stacks = [{ name = 'app', variables = { cidr = '{range}', env = '{env}' } }, { name = 'results', root = 'results', workspace = '{env}' }]\n";

fn read(text: &str) -> Config {
    parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

fn wrong(text: &str) -> Vec<String> {
    let problems = match parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None) {
        Ok(config) => config.templates_aside.into_values().flatten().collect(),
        Err(problems) => problems.into_vec(),
    };
    problems.into_iter().map(|problem| format!("{}: {}", problem.line, problem.message)).collect()
}

fn made(config: &Config, name: &str, range: &str) -> Made {
    let template = &config.templates["loadtest"];
    let name: EnvironmentName = name.parse().expect("a name");
    let maker = Actor::person(ActorId::local("mori"), "Mori 森");
    Made {
        definition: template.definition_for(&name, &maker.id).expect("a definition"),
        digest: template.digest.clone(),
        keep: template.keep_at_end.clone(),
        range: Some(("vpc".parse().expect("a name"), range.to_owned())),
        ends: Timestamp(1),
        latest: Timestamp(2),
        run: RunNumber(1),
        ..Made::begins(1, name, template.name.clone(), maker, Timestamp(0))
    }
}

fn with(config: &Config, all: Vec<Made>) -> Config {
    config.clone().with_made(MadeUp { all, broken: Vec::new() })
}

#[test]
fn what_is_made_from_a_template_is_an_environment_like_those_of_the_file() {
    let config = read(TEMPLATE);
    let template = &config.templates["loadtest"];
    assert_eq!((template.life_s, template.longest_s, template.at_once), (28_800, 172_800, Some(2)));
    assert_eq!(template.sample.stacks["app"].workspace.as_deref(), Some("lt-loadtest"));
    let one = made(&config, "lt-login", "10.64.16.0/20");
    assert!(!one.definition.contains("lt-login-") && one.definition.contains("{range}"), "{}", one.definition);
    let union = with(&config, vec![one.clone()]);
    let environment = &union.environments["lt-login"];
    assert_eq!(environment.about.as_deref(), Some("test lt-login"));
    assert_eq!(environment.stacks["app"].workspace.as_deref(), Some("lt-login"));
    assert_eq!(environment.stacks["app"].variables["cidr"], "10.64.16.0/20");
    assert_eq!(environment.stacks["app"].source, union.environments["game"].stacks["app"].source);
    let owners: Vec<&str> = environment.owners.iter().map(ActorId::as_str).collect();
    assert_eq!(owners, ["local:ito", "local:mori"]);
    assert_eq!(union.made["lt-login"].keep[0].as_str(), "results");
    assert!(!config.environments.contains_key("lt-login"));
    assert_eq!(differences(&one, template), Vec::<String>::new());
}

#[test]
fn a_template_that_changes_is_told_value_by_value_and_changes_nothing_of_those_that_live() {
    let before = read(TEMPLATE);
    let one = made(&before, "lt-login", "10.64.0.0/20");
    let after = read(&TEMPLATE.replace("servers = 8", "servers = 9").replace("keep_at_end = ['results']\n", ""));
    assert_ne!(one.digest, after.templates["loadtest"].digest);
    assert_eq!(
        differences(&one, &after.templates["loadtest"]),
        [
            "- keep_at_end = results",
            "+ keep_at_end = ",
            "- profiles.full.app.servers = 8",
            "+ profiles.full.app.servers = 9"
        ]
    );
    assert_eq!(with(&after, vec![one]).environments["lt-login"].profiles["full"]["app"]["servers"], 8);
}

#[test]
fn one_whose_name_is_in_the_file_too_or_whose_definition_is_not_one_is_told_and_stops_no_other() {
    let config = read(TEMPLATE);
    let (game, good) = (made(&config, "game", "10.64.0.0/20"), made(&config, "lt-a", "10.64.16.0/20"));
    let bad = Made {
        definition: good.definition.replace("lt-a", "lt-b").replace("zone", "zoen"),
        name: "lt-b".parse().expect("a name"),
        ..good.clone()
    };
    let broken = vec![("lt-c".to_owned(), "no such stage".to_owned())];
    let union = config.with_made(MadeUp { all: vec![game, good, bad], broken });
    assert_eq!(union.environments["game"].stacks["app"].variables["cidr"], "10.64.0.0/20");
    let told: Vec<String> = union
        .unmanaged
        .iter()
        .flat_map(|(name, problems)| problems.iter().map(move |problem| format!("{name}: {}", problem.message)))
        .collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("game: the environment `game` was made from loadtest"), "{told:#?}");
    assert!(told[1].contains("`zoen`") && told[2].starts_with("lt-c: what was made cannot be read"), "{told:#?}");
    assert!(union.environments.contains_key("lt-a") && !union.environments.contains_key("lt-b"));
}

#[test]
fn what_is_wrong_with_templates_and_pools_is_told_where_it_is_written() {
    let told = wrong(
        &TEMPLATE
            .replace("life = '8h'", "life = '3d'")
            .replace("pool = 'vpc'", "pool = 'vcp'")
            .replace("keep_at_end = ['results']", "keep_at_end = ['result']")
            .replace("root = 'results', workspace = '{env}'", "root = 'results'")
            .replace("'10.64.0.0/19'", "'10.64.0.0/19', '10.64.1.0/16', '10.64.16.0/20', '10.70.0.0/24'"),
    );
    let expected = [
        "9: `10.64.1.0/16` is no range: it begins at 10.64.0.0/16",
        "9: 10.64.16.0/20 and 10.64.0.0/19 of `vpc` have addresses in common",
        "9: 10.70.0.0/24 is smaller than a piece of it, which is a /20",
        "13: it would live longer than `longest` allows",
        "16: there is no pool `vcp`",
        "17: there is no stack `result` in this template",
        "21: all environments of this template would have one state of this stack",
    ];
    for line in expected {
        assert!(told.iter().any(|told| told.starts_with(line)), "{line} is not in {told:#?}");
    }
    let told = wrong(&TEMPLATE.replace(
        "root = 'results', workspace = '{env}'",
        "root = 'results', workspace = '{env}', variables = { cidr = '{range}' }",
    ));
    assert!(told.iter().any(|told| told.starts_with("17: `results` stays and has the range")), "{told:#?}");
    let told = wrong(&TEMPLATE.replace("pool = 'vpc'\n", ""));
    assert!(told.iter().any(|told| told.contains("`{range}` has no meaning here")), "{told:#?}");
    let told = wrong(&TEMPLATE.replace("like = 'game'\nabout", "like = 'gmae'\nabout"));
    assert!(told.iter().any(|told| told.contains("there is no environment `gmae` to be like")), "{told:#?}");
}

#[test]
fn a_state_that_is_there_or_that_another_has_is_in_the_way() {
    let folder = tempfile::tempdir().expect("a folder");
    for root in ["app", "results"] {
        std::fs::create_dir_all(folder.path().join(root)).expect("made");
        std::fs::write(folder.path().join(root).join("main.tf"), "variable \"cidr\" {}\n").expect("written");
    }
    std::fs::write(folder.path().join("tidegate.toml"), TEMPLATE).expect("written");
    let config = load(&folder.path().join("tidegate.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let environment =
        |config: &Config, name| config.environment_of(&made(config, name, "10.64.0.0/20")).expect("it is one");
    let login = environment(&config, "lt-login");
    assert_eq!(config.state_in_the_way(&login), None);
    let state = folder.path().join("app/terraform.tfstate.d/lt-login");
    std::fs::create_dir_all(&state).expect("made");
    let told = config.state_in_the_way(&login).expect("the workspace is there");
    assert!(told.contains("there is a state of app already"), "{told}");
    let other = TEMPLATE.replace(
        "[environments.game]",
        "[environments.taken]\nlike = 'game'\nstacks = [{ name = 'app', workspace = 'lt-b' }]\n[environments.game]",
    );
    std::fs::write(folder.path().join("tidegate.toml"), other).expect("written");
    let config = load(&folder.path().join("tidegate.toml")).unwrap_or_else(|problems| panic!("{problems}"));
    let told = config.state_in_the_way(&environment(&config, "lt-b")).expect("another has it");
    assert!(told.starts_with("taken/app has that state"), "{told}");
}

#[test]
fn what_a_run_is_about_is_what_the_ledger_has_of_its_name_now() {
    let config = read(TEMPLATE);
    let name: EnvironmentName = "lt-a".parse().expect("a name");
    let first = made(&config, "lt-a", "10.64.0.0/20");
    let second =
        Made { id: 2, range: Some(("vpc".parse().expect("a name"), "10.64.16.0/20".to_owned())), ..first.clone() };
    let cidr = |config: &Config, row: Option<&Made>| {
        let environment = config.environment_in(&name, row, false)?;
        Some(environment.stacks["app"].variables["cidr"].to_string())
    };
    // This process knows the one before, none yet, or the one that there is.
    for in_force in [with(&config, vec![first.clone()]), config.clone(), with(&config, vec![second.clone()])] {
        assert_eq!(cidr(&in_force, Some(&second)).as_deref(), Some("\"10.64.16.0/20\""));
    }
    let renewed = Made { definition: second.definition.replace("servers = 8", "servers = 9"), ..second.clone() };
    let newest = with(&config, vec![second]).environment_in(&name, Some(&renewed), false).expect("it is there");
    assert_eq!(newest.profiles["full"]["app"]["servers"], 9);
    // It is gone, and this process has not heard of that yet.
    assert_eq!(cidr(&with(&config, vec![first]), None), None);
    assert!(config.environment_in(&"game".parse().expect("a name"), None, false).is_some());
}

#[test]
fn one_whose_role_or_calendar_is_gone_is_not_managed_and_is_known_as_far_as_its_end_needs() {
    let text = TEMPLATE.replace(
        "about = 'test {env}'",
        "about = 'test {env}'\naccess = { tester = ['local:mori'] }\nholidays = 'team'",
    );
    let role = "[roles.tester]\ncommands = ['up', 'new']\n[access]\ntester = ['local:zed']\n";
    let calendar = "[calendars.team]\ncountry = 'JP'\n";
    let outside = format!("{role}{calendar}");
    let whole = read(&format!("{text}{outside}"));
    let one = made(&whole, "lt-a", "10.64.0.0/20");
    assert!(with(&whole, vec![one.clone()]).environments.contains_key("lt-a"));
    for left in [role, calendar, ""] {
        let without = read(&format!("{TEMPLATE}{left}"));
        let union = with(&without, vec![one.clone()]);
        assert!(!union.environments.contains_key("lt-a") && union.unmanaged.contains_key("lt-a"), "{left}");
        let aside = union.whose(&one.name).expect("its end needs little of it");
        assert!(aside.owners.contains(&ActorId::local("mori")) && aside.stacks.contains_key("app"), "{left}");
        assert!(union.environment_in(&one.name, Some(&one), false).is_none(), "nothing new is begun in it");
        assert_eq!(union.environment_in(&one.name, Some(&one), true).as_ref(), Some(aside));
    }
}
