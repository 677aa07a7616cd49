//! Any text as a message of a person, followed to the arguments of Terraform.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use tidegate::cards;
use tidegate::chat::shell::render::{Style, render};
use tidegate::commands::{Known, parse};
use tidegate::zone::Zone;
use tidegate_runner::config::{self, Config};
use tidegate_runner::domain::command::Command;
use tidegate_runner::domain::environment::{Environment, SettingKind, Variables};
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::request::{Goal, RunRequest, Target, request};
use tidegate_runner::paths::Paths;
use tidegate_runner::problem::source::Source;
use tidegate_runner::terraform::command::{self, PlanArgs};

use super::disturbs;

/// An environment with a setting of each kind, and a variable of each stack that no setting names.
pub const CONFIG: &str = r#"
[environments.shop]
owners = ["local:ito"]
levels = ["small", "full"]

[[environments.shop.stacks]]
name = "app"
root = "app"
off = "destroy"
variables = { env_name = "shop", admin_password = "not-by-chat" }

[[environments.shop.stacks]]
name = "jmeter"
root = "jmeter"
needs = ["app"]
workspace = "load"
variables = { env_name = "shop", region = "eu-west-1" }

[environments.shop.settings.slaves]
stack = "jmeter"
variable = "slave_count"
min = 0
max = 200
step = 2

[environments.shop.settings.class]
stack = "app"
variable = "db_class"
values = ["small", "large"]

[environments.shop.settings.debug]
stack = "app"
variable = "debug"
type = "bool"

[environments.shop.profiles.small]
app = { servers = 1, db_class = "small" }
jmeter = { slave_count = 0 }

[environments.shop.profiles.full]
app = { servers = 20, db_class = "large" }
jmeter = { slave_count = 40 }
"#;

static KNOWN: LazyLock<(Config, AllowList)> = LazyLock::new(|| {
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", CONFIG), &|_| None).expect("a configuration");
    let shop = config.environments.values().next().expect("an environment");
    let list = AllowList::of(shop);
    (config, list)
});

/// Reads `text` as a message and checks what Terraform would be given for it; a refusal must be one that people can use.
pub fn grammar(text: &str) {
    let (config, list) = &*KNOWN;
    let me = ActorId::local("ito");
    let zone = Zone::Named("Asia/Tokyo".parse().expect("a zone"));
    let now = Timestamp(1_795_143_600_000);
    let known = Known { environments: &config.environments, aside: &[], others: &[], me: &me, now, zone };
    let (order, because) = match parse(text, &known) {
        Ok(Command::Order { order, because }) => (order, because),
        Ok(_) => return,
        Err(refusal) => return usable(&refusal, &known),
    };
    let small = Target { level: "small".parse().expect("a level"), settings: BTreeMap::new() };
    for before in [None, Some(&small)] {
        match request(list.environment(), &order, because.clone(), before, Some(&small)) {
            Ok(request) => list.check(&request),
            Err(refusal) => usable(&refusal, &known),
        }
    }
}

/// A refusal shows nothing that disturbs a terminal, and what it offers to type is understood as a command.
fn usable(refusal: &Refusal, known: &Known<'_>) {
    let shown = render(&cards::refusal(refusal), &Style::plain());
    assert!(!shown.chars().any(disturbs), "{shown:?}");
    for hint in &refusal.hints {
        if let Err(again) = parse(hint, known) {
            assert_eq!(again.kind, tidegate_runner::domain::refusal::RefusalKind::Refused, "`{hint}`: {again}");
        }
    }
}

/// All that may reach Terraform for one environment: the names of variables for each stack, and for those that people may change
/// which values.
#[derive(Debug)]
pub struct AllowList {
    environment: Environment,
    names: BTreeMap<String, BTreeSet<String>>,
}

impl AllowList {
    /// What the configuration of `environment` allows.
    #[must_use]
    pub fn of(environment: &Environment) -> Self {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for stack in environment.stacks.values() {
            let of_profiles = environment.profiles.values().filter_map(|stacks| stacks.get(&stack.name));
            let all = of_profiles.flat_map(BTreeMap::keys).chain(stack.variables.keys()).cloned();
            names.entry(stack.name.to_string()).or_default().extend(all);
        }
        for setting in environment.settings.values() {
            names.entry(setting.stack.to_string()).or_default().insert(setting.variable.clone());
        }
        Self { environment: environment.clone(), names }
    }

    /// The environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Asserts that everything that `request` gives to Terraform is on the list.
    pub fn check(&self, request: &RunRequest) {
        for name in request.stacks.keys() {
            let stack = self.environment.stacks.get(name).expect("only stacks of the environment");
            let (variables, destroy) = match request.goal(&self.environment, stack) {
                Goal::Apply(variables) => (variables, false),
                Goal::Destroy { instead } => (instead, true),
            };
            self.check_variables(name.as_str(), &variables);
            let folder = Paths::new(Path::new("/state")).stack_of_run(RunNumber(7), name);
            let (out, var_file) = (folder.join("plan.bin"), folder.join("variables.tfvars.json"));
            let lock_timeout_s = stack.terraform.lock_timeout_s;
            let told = PlanArgs {
                out: &out,
                var_file: &var_file,
                lock_timeout_s,
                refresh_only: false,
                replace: &[],
                destroy,
                parallelism: stack.terraform.parallelism,
            };
            let argv: Vec<String> =
                command::plan(&told).iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
            let mut expected = vec!["plan", "-json", "-input=false"];
            let (out, var_file) = (format!("-out={}", out.display()), format!("-var-file={}", var_file.display()));
            let wait = format!("-lock-timeout={lock_timeout_s}s");
            expected.extend([out.as_str(), var_file.as_str(), wait.as_str()]);
            expected.extend(destroy.then_some("-destroy"));
            assert_eq!(argv, expected);
        }
    }

    fn check_variables(&self, stack: &str, variables: &Variables) {
        let allowed = self.names.get(stack).expect("a stack of the environment");
        for (name, value) in variables {
            assert!(allowed.contains(name), "the variable {name:?} of {stack}");
            assert!(self.configured(stack, name, value) || self.settable(stack, name, value), "{name} = {value}");
        }
    }

    /// True for a value that stands in the configuration.
    fn configured(&self, stack: &str, name: &str, value: &serde_json::Value) -> bool {
        let own = self.environment.stacks.get(stack).and_then(|stack| stack.variables.get(name));
        let of_profiles = self.environment.profiles.values().filter_map(|stacks| stacks.get(stack)?.get(name));
        own.into_iter().chain(of_profiles).any(|configured| configured == value)
    }

    /// True for a value that people may give.
    fn settable(&self, stack: &str, name: &str, value: &serde_json::Value) -> bool {
        let setting = self.environment.settings.values().find(|s| s.stack.as_str() == stack && s.variable == name);
        setting.is_some_and(|setting| match &setting.kind {
            SettingKind::Number { min, max, step } => {
                value.as_i64().is_some_and(|n| (*min..=*max).contains(&n) && (n - min) % step == 0)
            }
            SettingKind::Choice(choices) => value.as_str().is_some_and(|text| choices.iter().any(|c| c == text)),
            SettingKind::Switch => value.is_boolean(),
        })
    }
}
