//! Environments that the tests of the conversation talk about.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use tidegate_runner::domain::environment::{
    Channels, Environment, Level, OffAction, Rules, Setting, SettingKind, Stack, StackSource, TerraformSettings,
};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, Timestamp};

use super::Known;
use crate::zone::Zone;

/// 2026-11-20 12:00 in Tokyo.
pub(crate) const NOW: Timestamp = Timestamp(1_795_143_600_000);

/// Nine hours east of Greenwich.
pub(crate) fn tokyo() -> Zone {
    Zone::Named(chrono_tz::Tz::Asia__Tokyo)
}

fn stack(name: &str, needs: &[&str]) -> Stack {
    Stack {
        name: name.parse().expect("a name"),
        source: StackSource::Folder(name.into()),
        needs: needs.iter().map(|n| n.parse().expect("a name")).collect(),
        workspace: None,
        backend: BTreeMap::new(),
        env: BTreeMap::new(),
        variables: BTreeMap::new(),
        off: OffAction::Destroy,
        terraform: TerraformSettings {
            program: "terraform".into(),
            version: None,
            lock_timeout_s: 60,
            parallelism: None,
        },
        readiness: tidegate_runner::domain::readiness::Readiness::default(),
        busy: Vec::new(),
    }
}

fn setting(name: &str, stack: &str, kind: SettingKind) -> Setting {
    Setting {
        name: name.parse().expect("a name"),
        stack: stack.parse().expect("a name"),
        variable: name.to_owned(),
        kind,
        about: None,
    }
}

/// An environment with the stacks of the demo and a setting of each kind.
pub(crate) fn environment(name: &str) -> Environment {
    let number = |max, step| SettingKind::Number { min: 0, max, step };
    let settings = [
        setting("slaves", "jmeter", number(200, 1)),
        setting("servers", "app", number(60, 2)),
        setting("mode", "app", SettingKind::Choice(vec!["fast".to_owned(), "cheap".to_owned()])),
        setting("spot", "app", SettingKind::Switch),
    ];
    let stacks = [stack("monitoring", &[]), stack("app", &["monitoring"]), stack("jmeter", &["app"])];
    let profile = |name: &str, servers: i64, slaves: i64| {
        let of = |stack: &str, variable: &str, value: i64| {
            (stack.parse().expect("a name"), BTreeMap::from([(variable.to_owned(), value.into())]))
        };
        (name.parse().expect("a name"), [of("app", "servers", servers), of("jmeter", "slaves", slaves)].into())
    };
    let profiles = [profile("small", 2, 2), profile("full", 6, 40)];
    Environment {
        name: name.parse().expect("a name"),
        group: None,
        about: Some("Production-sized shop".to_owned()),
        channel: Channels::everywhere("#load-test"),
        owners: vec![ActorId::local("ito")],
        oncall: Vec::new(),
        up: "full".parse().expect("a name"),
        down: Level::Profile("small".parse().expect("a name")),
        levels: vec!["small".parse().expect("a name"), "full".parse().expect("a name")],
        protect: Vec::new(),
        stacks: stacks.into_iter().map(|s| (s.name.clone(), s)).collect(),
        settings: settings.into_iter().map(|s| (s.name.clone(), s)).collect(),
        profiles: profiles.into_iter().collect(),
        timetable: std::sync::Arc::default(),
        money: tidegate_runner::domain::hours_on::Money::default(),
        rules: Rules::default(),
    }
}

/// Calls `f` with the environments of these names.
pub(crate) fn with_environments<T>(names: &[&str], f: impl FnOnce(&Known<'_>) -> T) -> T {
    let environments: IndexMap<EnvironmentName, Environment> =
        names.iter().map(|name| environment(name)).map(|e| (e.name.clone(), e)).collect();
    let others = ["attic".parse().expect("a name")];
    let me = ActorId::local("ito");
    f(&Known { environments: &environments, aside: &[], others: &others, me: &me, now: NOW, zone: tokyo() })
}

/// Calls `f` with the one environment `shop`.
pub(crate) fn with_known<T>(f: impl FnOnce(&Known<'_>) -> T) -> T {
    with_environments(&["shop"], f)
}

/// Calls `f` with `chess`, and with `game` and `game-eu` in the group `rpg`.
pub(crate) fn with_groups<T>(f: impl FnOnce(&Known<'_>) -> T) -> T {
    let all = ["chess", "game", "game-eu"].map(|name| {
        let mut environment = environment(name);
        environment.group = name.starts_with("game").then(|| "rpg".parse().expect("a name"));
        (environment.name.clone(), environment)
    });
    let environments: IndexMap<_, _> = all.into_iter().collect();
    let me = ActorId::local("ito");
    f(&Known { environments: &environments, aside: &[], others: &[], me: &me, now: NOW, zone: tokyo() })
}
