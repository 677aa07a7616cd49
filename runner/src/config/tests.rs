//! Whole files: good ones, broken ones, hostile ones, large ones.

mod schedules;

use std::path::Path;

use super::*;
use crate::domain::access::Access;
use crate::domain::environment::{Environment, Level, OffAction, SettingKind, StackSource};
use crate::domain::ids::{ProfileName, SettingName, StackName};
use crate::domain::secret::{Given, Origin, SecretSource};

fn read(text: &str) -> Result<Config, Problems> {
    parse(source::Source::new("/etc/tide/tidegate.toml", text), &|name| {
        (name == "DATABASE_URL").then(|| "postgres://tide:secret@db/tide".to_owned())
    })
}

fn report(text: &str) -> String {
    match read(text) {
        Ok(config) => render(&config.unmanaged.into_values().flatten().collect::<Vec<_>>(), false),
        Err(problems) => problems.to_string(),
    }
}

fn shop(text: &str) -> Environment {
    let config = read(text).unwrap_or_else(|problems| panic!("{problems}"));
    let problems: Vec<_> = config.unmanaged.into_values().flatten().collect();
    assert!(problems.is_empty(), "{}", render(&problems, false));
    config.environments.get("shop").expect("shop is there").clone()
}

/// A small environment; `more` goes into its table.
fn small(more: &str) -> String {
    format!(
        "[environments.shop]\nup = 'full'\ndown = 'small'\n{more}\n[[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
         [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
    )
}

const GOOD: &str = r##"
redact = ["DB_PASSWORD"]

[database]
url = { env = "DATABASE_URL" }

[runner]
parallel = 4
ask_expires = "2h"
terraform = "tools/terraform"

[environments.shop]
about    = "Production-sized shop for load tests"
channel  = "#load-test"
owners   = ["slack:U024BE7LH", "local:ito"]
oncall   = ["slack:S0604QSJC"]
up       = "full"
down     = "small"
protect  = ["aws_db_instance.*"]

[[environments.shop.stacks]]
name = "app"
root = "../roots/app"
backend = { key = "app.tfstate", encrypt = true }
variables = { env_name = "shop", zones = ["a", "b"], tags = { team = "日本" } }
off = "destroy"
lock_timeout = "90s"

[[environments.shop.stacks]]
name = "jmeter"
source = { git = "https://git.example.com/infra.git", ref = "main", folder = "jmeter" }
needs = ["app"]
terraform = "tofu"
version = "~> 1.9"

[environments.shop.settings.slaves]
stack = "jmeter"
variable = "slave_count"
min = 0
max = 200
step = 10

[environments.shop.settings.class]
stack = "app"
variable = "db_class"
values = ["small", "large"]

[environments.shop.settings.debug]
stack = "app"
variable = "debug"
type = "bool"

[environments.shop.profiles.full]
app = { servers = 20, db_class = "large", debug = false }
jmeter = { slave_count = 40 }

[environments.shop.profiles.small]
app = { servers = 1, db_class = "small" }
jmeter = { slave_count = 0 }
"##;

#[test]
fn accounts_in_which_something_may_be_removed_are_twelve_digits() {
    let good = shop(&small("remove_in = ['123456789012', '012345678901']"));
    assert_eq!(good.rules.drift.remove_in, ["123456789012", "012345678901"]);
    assert!(shop(&small("")).rules.drift.remove_in.is_empty());
    for wrong in ["12345678901", "1234567890123", "12345678901a", "*", "", "１２３４５６７８９０１２"] {
        let told = report(&small(&format!("remove_in = ['123456789012', '{wrong}']")));
        assert!(told.contains("is no AWS account") && told.contains("4:"), "{wrong}: {told}");
    }
}

#[test]
fn a_good_file_becomes_domain_values() {
    let config = read(GOOD).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.database, DatabaseConfig::Postgres("postgres://tide:secret@db/tide".to_owned()));
    assert_eq!(config.redact, ["DB_PASSWORD"]);
    assert_eq!((config.runner.parallel, config.runner.ask_expires_s, config.runner.drain_s), (4, 7_200, 300));
    assert_eq!(config.runner.state_dir, Path::new("/etc/tide/.tidegate"));
    let shop = shop(GOOD);
    assert_eq!(shop.levels.iter().map(ProfileName::as_str).collect::<Vec<_>>(), ["small", "full"]);
    assert_eq!((shop.up.as_str(), &shop.down), ("full", &Level::Profile("small".parse().unwrap())));
    assert_eq!(shop.stacks.keys().map(StackName::as_str).collect::<Vec<_>>(), ["app", "jmeter"]);
    assert_eq!(shop.settings.keys().map(SettingName::as_str).collect::<Vec<_>>(), ["slaves", "class", "debug"]);
    let app = &shop.stacks["app"];
    assert_eq!(app.source, StackSource::Folder("/etc/roots/app".into()));
    assert_eq!((app.off, app.terraform.lock_timeout_s), (OffAction::Destroy, 90));
    assert_eq!(app.terraform.program, Path::new("/etc/tide/tools/terraform"));
    assert_eq!(app.backend["encrypt"], Given::Plain("true".to_owned()));
    assert_eq!(app.variables["tags"], serde_json::json!({ "team": "日本" }));
    let jmeter = &shop.stacks["jmeter"];
    assert_eq!(jmeter.needs, ["app".parse().unwrap()]);
    assert_eq!((jmeter.off, jmeter.terraform.lock_timeout_s), (OffAction::Lowest, 300));
    assert_eq!(jmeter.terraform.program, Path::new("tofu"));
    assert_eq!(shop.settings["slaves"].kind, SettingKind::Number { min: 0, max: 200, step: 10 });
    assert_eq!(shop.settings["debug"].kind, SettingKind::Switch);
    assert_eq!(shop.profiles["full"]["jmeter"]["slave_count"], serde_json::json!(40));
}

#[test]
fn the_smallest_file_has_sensible_defaults() {
    let config = read("").unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.database, DatabaseConfig::Sqlite("/etc/tide/.tidegate/tidegate.db".into()));
    assert_eq!((config.runner.parallel, config.runner.lease_s), (2, 10));
    let one = small("").replace("down = 'small'\n", "down = 'off'\n").replace("small.app.servers = 1\n", "");
    let shop = shop(&one);
    assert_eq!((shop.levels.len(), &shop.down), (1, &Level::Off));
    assert_eq!(shop.rules.hold_s, None);
}

#[test]
fn a_hold_is_offered_for_as_long_as_the_file_says() {
    assert_eq!(shop(&small("hold = '4h'")).rules.hold_s, Some(14_400));
    for (wrong, words) in [("8d", "`8d` is outside of `1m` to `7d`"), ("long", "`long` is not a duration")] {
        let told = report(&small(&format!("hold = '{wrong}'")));
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn levels_are_taken_from_down_and_up_or_asked_for() {
    let of = |more: &str, drop: &str| report(&small(more).replace(drop, ""));
    assert_eq!(of("", "#"), "");
    assert_eq!(of("levels = ['small', 'full']", "up = 'full'\n"), "");
    assert!(of("", "up = 'full'\n").contains("add `levels = [\"full\", \"small\"]`"));
    assert!(of("levels = ['full', 'small']", "#").contains("`down` is `small`, which is above `up`, `full`"));
    assert!(of("levels = ['full']", "#").contains("`levels` leaves out `small`"));
    assert!(of("levels = ['full', 'full', 'small']", "#").contains("`full` is listed twice"));
    assert!(of("levels = ['off', 'small', 'full']", "#").contains("`off` is below all levels"));
    assert!(of("levels = ['smal', 'full']", "#").contains("did you mean `small`?"));
}

#[test]
fn every_mistake_of_a_broken_file_is_told_at_once() {
    insta::assert_snapshot!(report(include_str!("samples/broken.toml")));
}

#[test]
fn mistakes_outside_of_the_environments_stop_everything_and_hide_nothing() {
    insta::assert_snapshot!(report(include_str!("samples/broken_top.toml")));
}

#[test]
fn every_mistake_about_access_is_told_at_once() {
    insta::assert_snapshot!(report(include_str!("samples/broken_access.toml")));
}

#[test]
fn every_mistake_about_what_must_be_ready_is_told_at_its_place() {
    insta::assert_snapshot!(report(include_str!("samples/broken_ready.toml")));
}

#[test]
fn access_becomes_roles_groups_and_channels_with_the_lines_of_the_file() {
    let text = small("owners = ['local:ito',\n  'slack:S1']\naccess = { tester = ['local:kato'] }")
        + "[roles.tester]\ncommands = ['status', 'up']\n[access]\nadmin = ['local:root']\nviewer = [\n'local:mori',\n'everyone']\n\
           [groups]\n'slack:S1' = ['slack:U1']\n[channels.'slack:C1']\nrole = 'tester'\nenvironments = ['shop']\n[channels.others]\nrole = 'viewer'\n";
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let lines = |grants: &[crate::domain::access::Grant]| {
        grants.iter().map(|grant| format!("{}: {grant}", grant.who)).collect::<Vec<_>>()
    };
    assert_eq!(
        lines(&config.access.grants),
        [
            "local:root: admin (tidegate.toml:16)",
            "everyone: viewer (tidegate.toml:19)",
            "local:mori: viewer (tidegate.toml:18)",
        ]
    );
    let shop = &config.environments["shop"];
    assert_eq!(lines(&shop.rules.grants), ["local:kato: tester (tidegate.toml:6)"]);
    assert_eq!(shop.rules.owners_at.iter().map(|written| written.line).collect::<Vec<_>>(), [4, 5]);
    let channels = config.access.channels.expect("channels");
    assert_eq!((channels.named.len(), channels.others.is_some(), channels.direct), (1, true, None));
    assert_eq!(read(&small("")).expect("valid").access, Access::default());
}

#[test]
fn broken_toml_is_told_line_by_line() {
    insta::assert_snapshot!(report(
        "[runner\nparallel = 3\nabout = \"日本\nredact = [1,, 2]\r\n[environments.shop]\nup = \n"
    ));
}

#[test]
fn one_bad_environment_does_not_stop_the_others() {
    let text = format!("{}[environments.'日本 ']\nup = 3\n", small(""));
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.environments.len(), 1);
    let problems = &config.unmanaged["日本 "];
    assert!(problems.iter().all(|problem| problem.environment.as_deref() == Some("日本 ")));
    assert!(problems.iter().any(|problem| problem.key_path == "environments.\"日本 \".up"), "{problems:?}");
}

#[test]
fn words_of_the_commands_are_no_names() {
    let text = small("").replace("environments.shop", "environments.all").replace("small", "tonight").replace(
        "[environments.all.profiles]",
        "[environments.all.settings.until]\nstack = 'app'\nvariable = 'x'\ntype = 'bool'\n[environments.all.profiles]\noff.app.servers = 0",
    );
    insta::assert_snapshot!(report(&text));
}

#[test]
fn a_file_that_is_not_there_tells_how_to_begin() {
    let report = load(Path::new("/nowhere/tidegate.toml")).expect_err("no file").to_string();
    insta::assert_snapshot!(report);
}

#[test]
fn keys_of_later_versions_are_unknown_keys() {
    let text = report(&small("idle_after = '12h'\ntemplate = 'loadtest'"));
    assert!(
        text.contains("there is no key `idle_after` here") && text.contains("there is no key `template` here"),
        "{text}"
    );
}

#[test]
fn the_example_of_the_document_about_schedules_checks() {
    let document = include_str!("../../../docs/schedules.md");
    let (_, example) = document.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    // The team's file is the team's.
    let example: String =
        example.lines().filter(|line| !line.starts_with("file = ")).map(|line| format!("{line}\n")).collect();
    let rest = "[environments.shop.settings.slaves]\nstack = 'app'\nvariable = 'slaves'\nmin = 0\nmax = 20\n\
                [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
                [environments.shop.profiles]\nsmall.app.slaves = 1\nfull.app.slaves = 3\n";
    let own = "[environments.shop]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n";
    let text = format!("{}{rest}", example.replace("[environments.shop]\n", own));
    let config = parse(crate::problem::source::Source::new("/etc/tide/tidegate.toml", &text), &|_| None)
        .expect("a configuration");
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    assert_eq!(config.environments.values().map(|shop| shop.timetable.schedules.len()).sum::<usize>(), 2);
}

#[test]
fn every_mistake_about_schedules_is_told_at_its_place() {
    insta::assert_snapshot!(report(include_str!("samples/broken_schedules.toml")));
}

#[test]
fn a_schedule_that_can_never_happen_is_refused_at_its_place_and_one_that_is_over_is_warned_of() {
    let of = |when: &str| {
        let more = "owners = ['local:ito']\nzone = 'Europe/Berlin'";
        format!(
            "{}[[environments.shop.schedules]]\nname = 'once'\n{when}\ninside = 'full'\noutside = 'small'\n",
            small(more)
        )
    };
    let told = report(&of("window = '2036-03-30 02:10-02:40'"));
    assert!(told.contains("never happens: the clocks of Europe/Berlin skip 2036-03-30 02:10"), "{told}");
    assert!(told.contains("tidegate.toml:14:10"), "{told}");
    assert_eq!(report(&of("window = '2036-03-30 02:10-04:00'")), "");
    let over = read(&of("window = '2020-03-29 09:00-18:00'")).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(over.unmanaged.is_empty(), "{:?}", over.unmanaged);
    let warned = render(&over.warnings["shop"], false);
    assert!(warned.contains("never happens from now on"), "{warned}");
}

#[test]
fn rates_are_what_an_hour_costs_in_a_currency() {
    let priced = |currency: &str, full: &str| {
        small(currency).replace("full.app.servers", &format!("full.rate = {full}\nfull.app.servers"))
    };
    let shop = shop(&priced("currency = 'EUR'", "12.5"));
    assert_eq!(shop.money.currency.as_deref(), Some("EUR"));
    assert_eq!(shop.money.rates, [("full".parse().unwrap(), 12.5)].into());
    assert_eq!(shop.profiles["full"].len(), 1, "a rate is no stack");
    let broken: String = [
        priced("currency = 'EUR'", "-1"),
        priced("currency = 'EUR'", "-0.5"),
        priced("currency = 'EUR'", "inf"),
        priced("currency = 'EUR'", "'12.5'"),
        priced("currency = 'euro'", "12"),
        priced("currency = ''", "12"),
        priced("", "0"),
    ]
    .iter()
    .map(|text| report(text))
    .collect();
    insta::assert_snapshot!(broken);
}

#[test]
fn places_are_right_with_a_byte_order_mark_windows_line_ends_and_wide_characters() {
    let text =
        format!("\u{feff}# 設定\r\n{}", small("about = 3 # 日本\nowners = ['日本', '伊藤']").replace('\n', "\r\n"));
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let places: Vec<_> = config.unmanaged["shop"].iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(places, [(5, 9), (6, 11), (6, 17)]);
}

#[test]
fn a_secret_may_come_from_a_variable_a_file_or_a_command() {
    let with = |env: &str| small("").replace("root = 'app'\n", &format!("root = 'app'\nenv = {env}\n"));
    let env = shop(&with(
        "{ A = 'x', B = { env = 'C' }, D = { file = 'd', expires_in = '30d' }, E = { command = ['./e', 'f'], refresh = '1h' } }",
    ))
    .stacks["app"]
        .env
        .clone();
    let secret = |origin, expires_in_s| Given::Secret(SecretSource { origin, expires_in_s });
    assert_eq!(env["A"], Given::Plain("x".to_owned()));
    assert_eq!(env["B"], secret(Origin::Env("C".to_owned()), None));
    assert_eq!(env["D"], secret(Origin::File("/etc/tide/d".into()), Some(30 * 86_400)));
    let argv = vec!["/etc/tide/./e".to_owned(), "f".to_owned()];
    let command = Origin::Command { argv, folder: "/etc/tide".into(), timeout_s: 10, refresh_s: Some(3_600) };
    assert_eq!(env["E"], secret(command, None));
    for (wrong, told) in [
        ("{ A = {} }", "does not say where the secret is read from"),
        ("{ A = { env = 'B', file = 'c' } }", "from one place, not from several"),
        ("{ A = { env = 'B', refresh = '1h' } }", "only a `command` has `refresh`"),
        ("{ A = { command = [] } }", "must not be empty"),
        ("{ A = { command = 'vault get x' } }", "this must be a list of texts"),
        ("{ A = { command = ['x'], timeout = '1d' } }", "outside of"),
        ("{ A = { fil = 'x' } }", "did you mean `file`?"),
        ("{ A = 1.5 }", "`{ env = \"...\" }`, `{ file = \"...\" }` or `{ command = [...] }`"),
        ("{ 'A=B' = 'x' }", "not the name of an environment variable"),
        ("{ TF_CLI_ARGS_plan = '-destroy' }", "`TF_CLI_ARGS_plan` is set by Tidegate alone"),
        ("{ TF_DATA_DIR = '/x' }", "set by Tidegate alone"),
    ] {
        let text = report(&with(wrong));
        assert!(text.contains(told), "{wrong}: {text}");
    }
}

#[test]
fn a_missing_secret_names_the_variable_and_not_its_value() {
    let text = report("[database]\nurl = { env = 'NOT_SET' }");
    assert!(text.contains("the environment variable `NOT_SET` is not set"), "{text}");
    let text = report("[database]\nurl = 'postgre://u:geheim@h/n'");
    assert_eq!(text.matches("geheim").count(), 1, "only in the excerpt of the file itself: {text}");
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    assert!(load(folder.path()).unwrap_err().to_string().contains("a folder, not a file"));
    assert!(load(&folder.path().join("none.toml")).unwrap_err().to_string().contains("there is no configuration yet"));
}

#[test]
fn a_thousand_environments_load() {
    let one = GOOD.split_once("[environments.shop]").expect("the environment").1;
    let mut text = String::new();
    for number in 0..1_000 {
        let body =
            format!("[environments.shop]{one}").replace("environments.shop", &format!("environments.shop{number}"));
        text.push_str(&body);
    }
    let config = read(&text).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.environments.len(), 1_000);
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n){0,200}") {
        let _ = report(&text);
    }

    #[test]
    fn no_value_makes_it_panic(
        key in "[a-z_]{0,8}|up|down|levels|stacks|settings|profiles|owners|protect",
        value in "-?[0-9]{1,20}|'\\PC{0,20}'|\\[\\]|\\[\\[1\\], 'a'\\]|\\{\\}|true|1979-05-27|inf|nan|1e400|\\{ a = \\{ b = 日 \\} \\}",
    ) {
        let _ = report(&small(&format!("{key} = {value}")));
        let _ = report(&format!("{}\n{key} = {value}\n", GOOD.replace("max = 200", &format!("max = {value}"))));
        let _ = report(&format!("[{key}]\n{key} = {value}\n[runner]\nparallel = {value}\n[environments.{key}]\n"));
    }
}

#[test]
fn slack_is_configured_by_places_of_secrets_and_each_mode_says_what_it_lacks() {
    let slack = |text: &str| read(&format!("[chat.slack]\nbot_token = {{ env = 'BOT' }}\n{text}\n"));
    let config = slack("app_token = { env = 'APP' }").expect("a configuration").chat.slack.expect("Slack");
    assert!(matches!(config.mode, SlackMode::Socket { .. }));
    assert_eq!(config.api_url, "https://slack.com/api");
    let http =
        "mode = 'http'\nsigning_secret = { env = 'S' }\nlisten = '0.0.0.0:80'\napi_url = 'http://127.0.0.1:1/api/'";
    let config = slack(http).expect("a configuration").chat.slack.expect("Slack");
    assert!(matches!(config.mode, SlackMode::Http { listen, look_back_s: 300, .. } if listen.port() == 80));
    assert_eq!(config.api_url, "http://127.0.0.1:1/api");
    for (text, told) in [
        ("", "there must be a `app_token`"),
        ("mode = 'http'", "there must be a `signing_secret`"),
        ("mode = 'http'\nsigning_secret = { env = 'S' }\nlisten = 'here'", "is not an address with a port"),
        ("mode = 'http'\nsigning_secret = { env = 'S' }\nlook_back = '2h'", "look_back"),
        ("app_token = { env = 'A' }\nteams = ['acme']", "is not the id of a workspace"),
        ("app_token = { env = 'A' }\nadmin_channel = 'ops'", "write `#ops`"),
        ("app_token = { env = 'A' }\napi_url = 'slack.com'", "is not an address"),
        ("app_token = 'xapp-1'", "`{ env = \"...\" }`"),
        ("app_tokn = { env = 'A' }", "app_token"),
    ] {
        let problems = slack(text).map(|_| ()).expect_err(text).to_string();
        assert!(problems.contains(told), "{text}: {problems}");
    }
    assert!(report(&small("channel = 'load-test'")).contains("write `#load-test`"));
    assert!(report(&small("channel = 'C024BE7LR'")).is_empty());
}

#[test]
fn what_is_told_over_http_is_told_to_this_machine_alone_unless_it_is_written_otherwise() {
    assert_eq!(read("").expect("a configuration").web, None);
    let web = |text: &str| read(&format!("[web]\n{text}"));
    let listen = |text: &str| web(text).expect("a configuration").web.expect("an address").listen.to_string();
    assert_eq!(listen(""), "127.0.0.1:3080");
    assert_eq!(listen("listen = '[::1]:80'"), "[::1]:80");
    let problems = web("listen = 'localhost'").map(|_| ()).expect_err("no port").to_string();
    assert!(problems.contains("is not an address with a port") && problems.contains("127.0.0.1:3080"), "{problems}");
}

#[test]
fn discord_is_configured_by_ids_and_each_mode_says_what_it_lacks() {
    let discord = |text: &str| {
        read(&format!("[chat.discord]\nbot_token = {{ env = 'BOT' }}\napplication = '12'\nguild = '34'\n{text}\n"))
    };
    let config = discord("").expect("a configuration").chat.discord.expect("Discord");
    assert_eq!((config.mode, config.api_url.as_str()), (DiscordMode::Gateway, "https://discord.com"));
    let key = "ab".repeat(32);
    let http = format!("mode = 'http'\npublic_key = '{key}'\napi_url = 'http://127.0.0.1:1/'\ntell_unchanged = true");
    let config = discord(&http).expect("a configuration").chat.discord.expect("Discord");
    assert!(
        matches!(config.mode, DiscordMode::Http { public_key, listen } if public_key == [0xab; 32] && listen.port() == 3_001)
    );
    assert_eq!((config.api_url.as_str(), config.tell_unchanged), ("http://127.0.0.1:1", true));
    for (text, told) in [
        ("mode = 'http'", "there must be a `public_key`"),
        ("mode = 'http'\npublic_key = 'ab'", "is not a public key"),
        ("admin_channel = 'ops'", "write `#ops`"),
        ("webhook_after = '0s'", "webhook_after"),
        ("api_url = 'discord.com'", "is not an address"),
        ("guld = '5'", "guild"),
    ] {
        let problems = discord(text).map(|_| ()).expect_err(text).to_string();
        assert!(problems.contains(told), "{text}: {problems}");
    }
    let listen = discord(&format!("mode = 'http'\npublic_key = '{key}'\nlisten = 'here'"));
    assert!(listen.map(|_| ()).expect_err("no address").to_string().contains("is not an address with a port"));
    let guild = read("[chat.discord]\nbot_token = { env = 'BOT' }\napplication = 'tide'\nguild = '0'\n");
    let problems = guild.map(|_| ()).expect_err("no ids").to_string();
    assert_eq!(problems.matches("is not an id of Discord").count(), 2, "{problems}");
}

#[test]
fn an_environment_speaks_in_a_channel_of_each_chat() {
    let of = |text: &str| {
        let config = read(&small(text)).expect("a configuration");
        let channel = &config.environments.values().next().expect("an environment").channel;
        ["slack", "discord", "shell"].map(|chat| channel.in_chat(chat).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("channel = '#load'"), [some("#load"), some("#load"), None]);
    assert_eq!(of("channel = 'C024BE7LR'"), [some("C024BE7LR"), None, None]);
    assert_eq!(of("channel = '175928847299117063'"), [None, some("175928847299117063"), None]);
    assert_eq!(of("channel = { slack = '#a', discord = '#b' }"), [some("#a"), some("#b"), None]);
    assert_eq!(of("channel = { discord = '#b' }"), [None, some("#b"), None]);
    assert_eq!(of(""), [None, None, None]);
    assert!(report(&small("channel = { slack = 'load' }")).contains("write `#load`"));
}
