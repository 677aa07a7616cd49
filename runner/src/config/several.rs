//! Configurations of several files, environments that are like another, and names that are put in.

use std::path::Path;

use super::*;
use crate::domain::ids::{EnvironmentName, GroupName};
use crate::problem::source::Source;

/// A folder with these files, the first of them the main one.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    folder
}

fn loaded(folder: &tempfile::TempDir) -> Config {
    load(&folder.path().join("tidegate.toml")).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What is wrong, by environment: file, line and message.
fn wrong(config: &Config, folder: &Path) -> Vec<String> {
    let all = config.unmanaged.iter().flat_map(|(name, problems)| problems.iter().map(move |problem| (name, problem)));
    all.map(|(name, problem)| {
        let file = problem.file.strip_prefix(folder).unwrap_or(&problem.file).display().to_string();
        format!("{name}: {file}:{}: {}", problem.line, problem.message)
    })
    .collect()
}

const GAME: &str = "[environments.game]\ngroup = 'rpg'\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\n\
    stacks = [{ name = 'app', root = 'app', workspace = '{env}', backend = { key = '{env}/app.tfstate' }, variables = { name = '{env}-app', map = { a = 1 } } }]\n\
    profiles.small.app = { servers = 1 }\nprofiles.full.app = { servers = 8, size = 'xl' }\nlevels = ['small', 'full']\n";

#[test]
fn environments_of_several_files_are_one_configuration_and_a_broken_file_sets_only_its_own_aside() {
    let folder = folder(&[
        (
            "tidegate.toml",
            "include = ['teams/*.toml', 'teams/b.toml', 'none/*.toml']\n[environments.own]\nlike = 'game'\n",
        ),
        ("teams/a.toml", GAME),
        (
            "teams/b.toml",
            "\n[environments.rally]\nlike = 'game'\n[environments.sim]\nlike = = 'game'\n[environments.\"trail\"]\n",
        ),
        ("teams/c.toml", "[database]\nurl = 'sqlite:x'\n[environments.chess]\nlike = 'game'\n"),
        ("teams/.d.toml", "x"),
        ("teams/e.toml", "what is this"),
        ("teams/f.toml", "[environments.game]\n"),
        ("teams/g.txt", "x"),
    ]);
    let config = loaded(&folder);
    assert_eq!(
        wrong(&config, folder.path()),
        [
            "rally: teams/b.toml:5: not TOML: extra `=`, expected nothing",
            "sim: teams/b.toml:5: not TOML: extra `=`, expected nothing",
            "trail: teams/b.toml:5: not TOML: extra `=`, expected nothing",
            "teams/e.toml: teams/e.toml:1: not TOML: key with no value, expected `=`",
            "game: teams/a.toml:1: the environment `game` stands in `teams/f.toml`, line 1 too",
            "game: teams/f.toml:1: the environment `game` stands in `teams/a.toml`, line 1 too",
            "chess: teams/c.toml:1: `database` cannot stand in an included file",
        ]
    );
    let names: Vec<&str> = config.environments.keys().map(EnvironmentName::as_str).collect();
    assert_eq!(names, ["own"], "the one whose file is whole");
    assert_eq!((config.file_of("game"), config.file_of("own")), (Some("teams/a.toml"), None));
    let told: Vec<&str> = config.about_files.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(told, ["no file is called `none/*.toml`"]);
    let files = files_of(&folder.path().join("tidegate.toml"));
    assert_eq!(files.len(), 7, "{files:?}");
}

#[test]
fn what_was_kept_of_several_files_is_read_again_as_it_was() {
    let folder = folder(&[("tidegate.toml", "include = ['a.toml']"), ("a.toml", GAME)]);
    let config = loaded(&folder);
    let again = parse(Source::new(folder.path().join("tidegate.toml"), config.text()), &|_| None).expect("valid");
    assert_eq!(again, config);
    std::fs::write(folder.path().join("a.toml"), format!("{}b\n{GAME}", crate::problem::source::FILE_MARK))
        .expect("written");
    let said = wrong(&loaded(&folder), folder.path());
    assert_eq!(said, ["a.toml: a.toml:1: a line cannot begin like this: so Tidegate parts files from each other"]);
    std::fs::remove_file(folder.path().join("a.toml")).expect("removed");
    assert_eq!(
        wrong(&loaded(&folder), folder.path()),
        ["a.toml: a.toml:0: the file cannot be read: there is no such file"]
    );
}

#[test]
fn an_environment_like_another_has_what_it_says_itself_and_else_what_that_one_says() {
    let folder = folder(&[
        ("tidegate.toml", &format!("include = ['eu.toml']\n{GAME}")),
        (
            "eu.toml",
            "[environments.game-eu]\nlike = 'game'\nzone = 'Europe/Berlin'\nprofiles.full.app.servers = 4\n\
             stacks = [{ name = 'app', variables = { map = { b = 2 } } }, { name = 'slaves', root = 'slaves-{env}' }]\n",
        ),
    ]);
    let config = loaded(&folder);
    assert_eq!(wrong(&config, folder.path()), Vec::<String>::new());
    let eu = config.environments.get("game-eu").expect("it is there");
    assert_eq!(eu.owners[0].as_str(), "local:ito");
    assert_eq!(eu.group.as_ref().map(GroupName::as_str), Some("rpg"));
    let app = &eu.stacks["app"];
    assert_eq!(app.workspace.as_deref(), Some("game-eu"));
    assert_eq!(format!("{:?}", app.backend["key"]), "Plain(\"game-eu/app.tfstate\")");
    assert_eq!(serde_json::json!(app.variables), serde_json::json!({ "name": "game-eu-app", "map": { "b": 2 } }));
    assert!(format!("{:?}", eu.stacks["slaves"].source).contains("slaves-game-eu"));
    let full = serde_json::json!(eu.profiles["full"]["app"]);
    assert_eq!(full, serde_json::json!({ "servers": 4, "size": "xl" }));
    assert_eq!(
        serde_json::json!(config.environments["game"].profiles["full"]["app"])["servers"],
        8,
        "the other one keeps its own"
    );
    assert_eq!(config.group(&"rpg".parse().expect("a name")).count(), 2);

    let shown = show(&config, "game-eu").expect("it is there");
    let of = |key: &str| {
        let shown = shown.iter().find(|shown| shown.key == key).unwrap_or_else(|| panic!("no {key} in {shown:?}"));
        format!("{} {}:{} {}", shown.value, shown.file, shown.line, shown.written.as_deref().unwrap_or("-"))
    };
    assert_eq!(of("zone"), "\"Europe/Berlin\" eu.toml:3 -");
    assert_eq!(of("stacks[app].workspace"), "\"game-eu\" tidegate.toml:6 '{env}'");
    assert_eq!(of("stacks[app].variables.map.b"), "2 eu.toml:5 -");
    assert_eq!(of("profiles.full.app.size"), "\"xl\" tidegate.toml:8 -");
    assert_eq!(show(&config, "@rpg").expect("a group").iter().filter(|shown| shown.key == "group").count(), 2);
    let unknown = show(&config, "@rgp").expect_err("no such group");
    assert!(matches!(unknown, NotShown::Unknown { nearest: None, .. }), "{unknown:?}");
}

#[test]
fn a_circle_a_second_step_and_what_is_not_there_are_refused_where_they_are_written() {
    let text = "[environments.a]\nlike = 'b'\n[environments.b]\nlike = 'a'\n[environments.c]\nlike = 'c'\n\
                [environments.d]\nlike = 'e'\n[environments.e]\nlike = 'game'\n[environments.f]\nlike = 'gmae'\n";
    let config = parse(Source::new("/etc/tide/tidegate.toml", &format!("{text}{GAME}")), &|_| None).expect("read");
    let told: Vec<String> = wrong(&config, Path::new("/etc/tide"));
    assert_eq!(
        told,
        [
            "a: tidegate.toml:2: this is a circle: `b` is like `a` (line 4 of `tidegate.toml`)",
            "b: tidegate.toml:4: this is a circle: `a` is like `b` (line 2 of `tidegate.toml`)",
            "c: tidegate.toml:6: an environment cannot be like itself",
            "d: tidegate.toml:8: `e` is itself like `game` (line 10 of `tidegate.toml`): only one step is taken",
            "f: tidegate.toml:12: there is no environment `gmae` to be like",
        ]
    );
    let hints: Vec<Option<String>> = config.unmanaged.values().map(|problems| problems[0].hint.clone()).collect();
    assert_eq!(hints[3].as_deref(), Some("write `like = \"game\"`, with the differences of both"));
    assert_eq!(hints[4].as_deref(), Some("did you mean `game`?"));
}

#[test]
fn a_mistake_in_what_is_inherited_is_told_at_its_line_for_each_and_braces_without_a_meaning_are_refused() {
    let text = "[environments.one]\nlike = 'game'\nowners = ['nobody']\n";
    let bad = GAME
        .replace("workspace = '{env}'", "workspace = '{name}'")
        .replace("zone = 'Asia/Tokyo'", "zone = 'Asia/Tokio'");
    let config = parse(Source::new("/etc/tide/tidegate.toml", &format!("{bad}{text}")), &|_| None).expect("read");
    let told = wrong(&config, Path::new("/etc/tide"));
    assert_eq!(told.iter().filter(|line| line.contains(":4: ")).count(), 2, "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.ends_with(":5: `{name}` has no meaning here")).count(), 2, "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.starts_with("one: tidegate.toml:11: ")).count(), 1, "{told:#?}");
}

#[test]
fn what_is_like_an_adopted_one_is_not_adopted() {
    let game = GAME.replace("group = 'rpg'", "group = 'rpg'\nadopted = true");
    let like = "[environments.game-eu]\nlike = 'game'\nzone = 'Europe/Berlin'\n";
    let folder = folder(&[("tidegate.toml", &format!("{game}{like}"))]);
    let config = loaded(&folder);
    let adopted = |name: &str| config.environments.get(name).map(|found| found.rules.adopted);
    assert_eq!((adopted("game"), adopted("game-eu")), (Some(true), Some(false)));
}

const TEMPLATES: &str = "[pools.vpc]\nranges = ['10.64.0.0/12']\nprefix = 20\n\
    [templates.loadtest]\nnames = 'lt-*'\npool = 'vpc'\n[templates.loadtest.environment]\nlike = 'game'\n\
    stacks = [{ name = 'app', variables = { cidr = '{range}' } }]\n\
    [templates.plain.environment]\ndown = 'off'\nowners = ['local:ito']\nstacks = [{ name = 'app', root = 'app', workspace = '{env}' }]\nprofiles.full.app = {}\n";

#[test]
fn a_mistake_in_one_teams_file_sets_only_the_template_that_is_like_it_aside() {
    for (bad, told) in [
        ("zone = 'Asia/Tokio'\n", "teams/a.toml:4: "),
        ("zoone = 'Asia/Tokyo'\n", "teams/a.toml:4: "),
        ("zone = = 1\n", "tidegate.toml:9: what it is like, `game`, cannot be read"),
    ] {
        let folder = folder(&[
            ("tidegate.toml", &format!("include = ['teams/*.toml']\n{TEMPLATES}[environments.own]\nlike = 'other'\n")),
            ("teams/a.toml", &GAME.replace("zone = 'Asia/Tokyo'\n", bad)),
            ("teams/b.toml", &GAME.replace("environments.game", "environments.other")),
        ]);
        let config = loaded(&folder);
        let names: Vec<&str> = config.environments.keys().map(EnvironmentName::as_str).collect();
        assert_eq!(names, ["own", "other"], "{bad}");
        assert_eq!(config.templates.keys().map(ToString::to_string).collect::<Vec<_>>(), ["plain"], "{bad}");
        let said = config.templates_aside["loadtest"].iter().map(|problem| {
            let file = problem.file.strip_prefix(folder.path()).unwrap_or(&problem.file).display();
            format!("{file}:{}: {}", problem.line, problem.message)
        });
        let said: Vec<String> = said.collect();
        assert!(said.iter().any(|said| said.starts_with(told)), "{bad}: {said:#?}");
        let report = check(&config, &CheckOptions::default());
        let of_it = |problem: &&Problem| problem.environment.as_deref() == Some("template loadtest");
        assert!(report.has_errors() && report.problems.iter().any(|problem| of_it(&problem)), "{report:?}");
    }
    // Nor does one that is wrong itself.
    let folder =
        folder(&[("tidegate.toml", &format!("{GAME}{TEMPLATES}life = 'long'\n[templates.bad]\nlfie = '8h'\n"))]);
    let config = loaded(&folder);
    assert_eq!((config.templates.len(), config.templates_aside.len()), (1, 2));
    let said: Vec<&str> = config.templates_aside["bad"].iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(said, ["there is no key `lfie` here", "`environment` is missing here"]);
}

#[test]
fn values_of_templates_and_of_what_was_made_are_shown_where_they_are_written() {
    let folder = folder(&[("tidegate.toml", &format!("include = ['a.toml']\n{TEMPLATES}")), ("a.toml", GAME)]);
    let config = loaded(&folder);
    let line = |shown: &[Shown], key: &str| {
        let one = shown.iter().find(|one| one.key == key).unwrap_or_else(|| panic!("no {key} in {shown:?}"));
        let from = one.written.as_deref().unwrap_or("-");
        format!("{} {} {}:{} {from}", one.environment, one.value, one.file, one.line)
    };
    let shown = show(&config, "loadtest").expect("a template");
    assert_eq!(line(&shown, "zone"), "template loadtest \"Asia/Tokyo\" a.toml:4 -");
    assert_eq!(
        line(&shown, "stacks[app].variables.cidr"),
        "template loadtest \"10.64.0.0/20\" tidegate.toml:10 '{range}'"
    );
    let name: EnvironmentName = "lt-a".parse().expect("a name");
    let template = config.templates.values().next().expect("a template");
    let maker = crate::domain::answer::Actor::person(crate::domain::ids::ActorId::local("mori"), "mori");
    let definition = template.definition_for(&name, &maker.id).expect("written").replace("Asia/Tokyo", "Europe/Berlin");
    let made = crate::domain::made::Made {
        definition,
        range: Some(("vpc".parse().expect("a name"), "10.65.0.0/20".to_owned())),
        ..crate::domain::made::Made::begins(1, name, template.name.clone(), maker, crate::domain::ids::Timestamp(0))
    };
    let config = config.with_made(MadeUp { all: vec![made], broken: Vec::new() });
    let shown = show(&config, "lt-a").expect("it was made");
    assert_eq!(line(&shown, "stacks[app].variables.cidr"), "lt-a \"10.65.0.0/20\" tidegate.toml:10 '{range}'");
    assert_eq!(line(&shown, "stacks[app].workspace"), "lt-a \"lt-a\" a.toml:5 '{env}'");
    assert_eq!(line(&shown, "profiles.full.app.servers"), "lt-a 8 a.toml:7 -");
    let zone = line(&shown, "zone");
    assert!(zone.starts_with("lt-a \"Europe/Berlin\" kept with lt-a:"), "its template says otherwise today: {zone}");
    assert!(line(&shown, "owners").contains("\"local:mori\"] kept with lt-a:"), "{shown:?}");
    assert!(matches!(show(&config, "lt-b"), Err(NotShown::Unknown { nearest: Some(_), .. })));
}
