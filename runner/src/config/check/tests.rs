//! Configurations against roots in a temporary folder.

use std::path::Path as FilePath;

use super::super::{Problem, Report, load, load_to_check};
use super::*;

/// A folder with a configuration and roots.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    fn check(&self, options: &CheckOptions<'_>) -> Report {
        match load_to_check(&self.0.path().join("tidegate.toml")) {
            Ok((config, whole)) => check(&config, options).and(whole),
            Err(problems) => Report::of(problems.into_vec()),
        }
    }

    fn text(&self, options: &CheckOptions<'_>) -> String {
        self.check(options).render(false).replace(&self.0.path().display().to_string(), "PLACE")
    }
}

const CONFIG: &str = r#"
[environments.shop]
owners = ["local:ito"]
up = "full"
down = "small"

[[environments.shop.stacks]]
name = "app"
root = "roots/app"
variables = { env_name = "shop" }

[[environments.shop.stacks]]
name = "jmeter"
root = "roots/jmeter"
needs = ["app"]

[environments.shop.settings.slaves]
stack = "jmeter"
variable = "slaves"
min = 0
max = 200

[environments.shop.profiles.full]
app = { servers = 20 }
jmeter = { slaves = 40 }

[environments.shop.profiles.small]
app = { servers = 1 }
jmeter = { slaves = 0 }
"#;

const APP: &str = "variable \"env_name\" {\n  type = string\n}\nvariable \"servers\" {\n  type = number\n}\n";
const JMETER: &str = "variable \"slaves\" {\n  type    = number\n  default = 2\n}\n";

fn good() -> Place {
    Place::new(&[("tidegate.toml", CONFIG), ("roots/app/main.tf", APP), ("roots/jmeter/main.tf", JMETER)])
}

#[test]
fn a_configuration_that_fits_its_roots_has_nothing_wrong() {
    let report = good().check(&CheckOptions::default());
    assert!(!report.has_errors(), "{}", report.render(false));
    assert_eq!(report.render(false), "1 environment and 2 stacks checked: nothing wrong\n");
    assert_eq!(report.to_json()["checked"]["stacks"], 2);
}

#[test]
fn a_yes_that_those_who_may_say_it_can_never_have_themselves_is_warned_of() {
    let place = good();
    let told = |approve: &str| {
        place.write("tidegate.toml", &CONFIG.replace("up = \"full\"", &format!("up = \"full\"\n{approve}")));
        let report = place.check(&CheckOptions::default());
        assert!(!report.has_errors(), "{}", report.render(false));
        report.render(false)
    };
    let warned = told(r#"approve = { when = ["deletes > 5"], by = "owners" }"#);
    let config = load(&place.0.path().join("tidegate.toml")).expect("it can be used all the same");
    assert_eq!(config.environments.len(), 1);
    assert!(warned.contains("is all there are (ito): a run of their own can never have it"), "{warned}");
    for fine in ["self = true", "alone_after = \"10m\"", "by = [\"local:mori\", \"local:sato\"]"] {
        let by = if fine.starts_with("by") { "" } else { "by = \"owners\", " };
        let quiet = told(&format!("approve = {{ when = [\"deletes > 5\"], {by}{fine} }}"));
        assert!(quiet.ends_with("nothing wrong\n"), "{quiet}");
    }
}

#[test]
fn nobody_is_promised_a_yes_alone_after_the_question_is_over() {
    let place = good();
    let told = |rule: &str, runner: &str| {
        let approve = format!("up = \"full\"\napprove = {{ when = [\"deletes > 5\"], by = \"owners\", {rule} }}");
        place.write("tidegate.toml", &format!("{runner}{}", CONFIG.replace("up = \"full\"", &approve)));
        place.text(&CheckOptions::default())
    };
    for (rule, runner) in [
        (r#"alone_after = "30m""#, ""),
        (r#"alone_after = "1h""#, "[runner]\nask_expires = \"1h\"\n"),
        (r#"alone_after = "10m", within = "10m""#, ""),
    ] {
        let text = told(rule, runner);
        assert!(text.contains("nobody could ever say it alone: the question expires before"), "{text}");
    }
    for (rule, runner) in [
        (r#"alone_after = "29m""#, ""),
        (r#"alone_after = "1h""#, "[runner]\nask_expires = \"61m\"\n"),
        (r#"alone_after = "1h", within = "2h""#, ""),
    ] {
        let text = told(rule, runner);
        assert!(!text.contains("nobody could ever say it alone"), "{text}");
    }
}

#[test]
fn what_does_not_fit_the_roots_is_told_all_at_once() {
    let place = good();
    let config = CONFIG
        .replace("variables = { env_name = \"shop\" }", "variables = { env_nam = \"shop\", tags = [\"a\"] }\nbackend = { key = \"x\" }")
        .replace("app = { servers = 20 }", "app = { servers = \"twenty\" }")
        .replace("app = { servers = 1 }", "app = { zone = \"日本\" }")
        .replace("[environments.shop.profiles.full]", "[environments.shop.settings.size]\nstack = \"app\"\nvariable = \"servers\"\nvalues = [\"s\", \"m\"]\n\n[environments.shop.settings.debug]\nstack = \"jmeter\"\nvariable = \"debgu\"\ntype = \"bool\"\n\n[environments.shop.settings.password]\nstack = \"app\"\nvariable = \"password\"\nvalues = [\"x\"]\n\n[environments.shop.profiles.full]");
    // The values that the settings refuse by themselves would end it earlier; here the roots are asked.
    let config = config.replace("servers = \"twenty\"", "tags = { a = [] }");
    place.write("tidegate.toml", &config);
    place.write(
        "roots/app/main.tf",
        &format!("{APP}variable \"tags\" {{\n  type = map(string)\n  default = {{}}\n}}\nvariable \"password\" {{\n  type = string\n  sensitive = true\n}}\n"),
    );
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
}

#[test]
fn mistakes_of_an_environment_hide_none_of_its_roots() {
    let place = good();
    let config = CONFIG
        .replace("up = \"full\"", "up = \"fulll\"\nlevel = 3")
        .replace("max = 200", "max = \"many\"")
        .replace("app = { servers = 1 }", "app = { serverz = 1 }");
    let nameless = CONFIG.replace("environments.shop", "environments.blog").replace("name = \"app\"\n", "");
    place.write("tidegate.toml", &format!("{config}{}", nameless.replace("roots/jmeter", "roots/blog")));
    place.write("roots/jmeter/main.tf", "variable \"slaves\" {\n  type = list(string)\n}\n");
    place.write("roots/blog/main.tf", "variable \"slaves\" {\n  type = = number\n}\n");
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
}

#[test]
fn a_mistake_outside_of_the_environments_hides_none_of_their_roots() {
    let config = format!("redakt = []\n[runner]\nparallel = 0\n{CONFIG}");
    let place = Place::new(&[
        ("tidegate.toml", config.as_str()),
        ("roots/app/main.tf", APP),
        ("roots/jmeter/main.tf", "variable \"slavs\" {}\n"),
    ]);
    let report = place.check(&CheckOptions::default());
    let told = |word: &str| report.problems.iter().any(|problem| problem.message.contains(word));
    assert!(told("redakt") && told("slavs"), "{:?}", report.problems);
    assert_eq!((report.checked.environments, report.checked.stacks), (1, 2));
}

#[test]
fn what_a_setting_has_told_of_a_value_is_not_told_again_by_the_root() {
    let place = good();
    place.write("tidegate.toml", &CONFIG.replace("slaves = 40", "slaves = \"many\""));
    let text = place.text(&CheckOptions::default());
    assert_eq!(text.matches("error:").count(), 1, "{text}");
}

#[test]
fn stacks_that_would_share_one_state_are_all_refused() {
    let place = good();
    let second = CONFIG.replace("environments.shop", "environments.second");
    place.write("tidegate.toml", &format!("{CONFIG}{second}"));
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
    let report = place.check(&CheckOptions::default());
    assert_eq!((report.errors_of("shop").count(), report.errors_of("second").count()), (2, 2));
    // With workspaces of their own they do not.
    let second = second.replace("\nname = ", "\nworkspace = \"second\"\nname = ");
    place.write("tidegate.toml", &format!("{CONFIG}{second}"));
    assert!(!place.check(&CheckOptions::default()).has_errors());
    // Two local backends that name one file, from two roots.
    let local = |path: &str| format!("terraform {{\n  backend \"local\" {{\n    path = \"{path}\"\n  }}\n}}\n");
    place.write("tidegate.toml", CONFIG);
    place.write("states/README", "");
    place.write("roots/app/backend.tf", &local("../../states/all.tfstate"));
    place.write("roots/jmeter/backend.tf", &local("../app/../../states/all.tfstate"));
    assert_eq!(place.check(&CheckOptions::default()).errors_of("shop").count(), 2);
    // What a backend is told decides, wherever it is told.
    let remote = |key: &str| format!("terraform {{\n  backend \"s3\" {{\n    bucket = \"b\"\n{key}  }}\n}}\n");
    place.write("roots/app/backend.tf", &remote("    key = \"app\"\n"));
    place.write("roots/jmeter/backend.tf", &remote(""));
    let with_key = |key: &str| CONFIG.replace("needs = [", &format!("backend = {{ key = \"{key}\" }}\nneeds = ["));
    place.write("tidegate.toml", &with_key("jmeter"));
    assert!(!place.check(&CheckOptions::default()).has_errors());
    place.write("tidegate.toml", &with_key("app"));
    let text = place.text(&CheckOptions::default());
    assert!(text.contains("by the same settings of the backend `s3` in the workspace `default`"), "{text}");
}

#[test]
fn values_that_break_a_simple_condition_of_their_variable_are_found() {
    let place = good();
    place.write(
        "roots/jmeter/main.tf",
        "variable \"slaves\" {\n  type    = number\n  default = 2\n  validation {\n    condition     = var.slaves >= 1 && \
         var.slaves <= 100\n    error_message = \"1 to 100 slaves\"\n  }\n}\n",
    );
    place.write(
        "roots/app/main.tf",
        &format!(
            "{APP}variable \"size\" {{\n  type = string\n  default = \"s\"\n  validation {{\n    condition = \
             contains([\"s\", \"m\"], var.size)\n    error_message = \"s or m\"\n  }}\n}}\n"
        ),
    );
    let config = CONFIG.replace("servers = 20", "servers = 20, size = \"xxl\"").replace(
        "[environments.shop.profiles.full]",
        "[environments.shop.settings.size]\nstack = \"app\"\nvariable = \"size\"\nvalues = [\"s\", \"m\", \"xxl\"]\n\n\
         [environments.shop.profiles.full]",
    );
    place.write("tidegate.toml", &config);
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
}

#[test]
fn a_root_of_tofu_files_alone_is_refused_plainly() {
    let place = good();
    let folder = place.0.path().join("roots/app");
    std::fs::rename(folder.join("main.tf"), folder.join("main.tofu")).expect("renamed");
    let text = place.text(&CheckOptions::default());
    assert!(text.contains("there are only `*.tofu` files in this folder") && text.contains("rename them"), "{text}");
}

#[test]
fn a_value_in_only_some_profiles_is_not_enough() {
    let place = good();
    place.write("tidegate.toml", &CONFIG.replace("app = { servers = 1 }\n", ""));
    let text = place.text(&CheckOptions::default());
    assert!(
        text.contains("`servers` of the stack `app` has no default, and `small` does not give it a value"),
        "{text}"
    );
    place.write("roots/app/x.auto.tfvars", "servers = 3\n");
    assert!(!place.check(&CheckOptions::default()).has_errors());
}

#[test]
fn a_value_may_come_from_the_environment_of_the_process() {
    let place = good();
    place.write("roots/app/secret.tf", "variable \"password\" {\n  type = string\n  sensitive = true\n}\n");
    let text = place.text(&CheckOptions::default());
    assert!(text.contains("or set `TF_VAR_password` where Tidegate is started"), "{text}");
    let options = CheckOptions { is_set: Some(&|name| name == "TF_VAR_password"), ..CheckOptions::default() };
    assert!(!place.check(&options).has_errors());
    let root = "root = \"roots/app\"\n";
    assert!(CONFIG.contains(root), "{CONFIG}");
    let given = |env: &str| CONFIG.replacen(root, &format!("{root}env = {{ {env} }}\n"), 1);
    place.write("tidegate.toml", &given("TF_VAR_password = { file = \"secret\" }"));
    let text = place.text(&options);
    assert!(!place.check(&CheckOptions::default()).has_errors() && text.contains("cannot be read"), "{text}");
    place.write("secret", "x");
    assert!(place.text(&options).contains("can be read by others than its owner"), "{}", place.text(&options));
    place.write("tidegate.toml", &given("A = { env = \"B\" }, TF_VAR_password = { command = [\"./no-such\"] }"));
    let text = place.text(&options);
    assert!(text.contains("the environment variable `B` is not set") && text.contains("there is no program"), "{text}");
    place.write("tidegate.toml", &given("TF_VAR_password = { command = [\"vaultt\", \"kv\"] }"));
    let options = CheckOptions { has_program: Some(&|name| name == "vault"), ..options };
    let text = place.text(&options);
    assert!(text.contains("the program `vaultt` is not on the PATH"), "{text}");
    place.write("tidegate.toml", &given("TF_VAR_password = { command = [\"vault\", \"kv\"] }"));
    assert!(!place.text(&options).contains("PATH"), "{}", place.text(&options));
}

#[test]
fn roots_that_cannot_be_read_are_told_where_they_are_named() {
    let place = good();
    std::fs::remove_dir_all(place.0.path().join("roots/app")).expect("removed");
    place.write("roots/jmeter/main.tf", "variable \"slaves\" {\n  type = = number\n}\n");
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
}

#[test]
fn versions_are_held_against_stack_root_and_modules() {
    let place = good();
    place.write(
        "tidegate.toml",
        &CONFIG.replace("needs = [\"app\"]", "needs = [\"app\"]\nversion = \"~> 1.12\"\nterraform = \"tofu\""),
    );
    place.write(
        "roots/app/versions.tf",
        "terraform {\n  required_version = \">= 2\"\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n",
    );
    place.write("roots/app/m/main.tf", "terraform {\n  required_version = \"latest\"\n}\n");
    let asked = std::cell::Cell::new(0);
    let version = |program: &FilePath| {
        asked.set(asked.get() + 1);
        if program == FilePath::new("tofu") {
            "1.11.4".parse().map_err(|_| String::new())
        } else {
            Err("it is a folder".to_owned())
        }
    };
    let first = place.text(&CheckOptions { version: Some(&version), ..CheckOptions::default() });
    let known = |_: &FilePath| "1.11.4".parse::<Version>().map_err(|error| error.to_string());
    let second = place.text(&CheckOptions { version: Some(&known), ..CheckOptions::default() });
    assert_eq!(asked.get(), 2, "each program is asked once");
    insta::assert_snapshot!(format!("{first}\n=====\n\n{second}"));
}

#[test]
fn a_program_that_cannot_be_used_is_told_where_it_is_named() {
    let place = good();
    place.write("tidegate.toml", &format!("[runner]\nterraform = \"./old\"\n{CONFIG}"));
    let version = |_: &FilePath| Err("Terraform 0.11.3 is too old".to_owned());
    let report = place.check(&CheckOptions { version: Some(&version), ..CheckOptions::default() });
    let told: Vec<_> = report.problems.iter().map(|problem| (problem.line, problem.message.as_str())).collect();
    let [(2, message)] = told.as_slice() else { panic!("{told:?}") };
    assert!(message.ends_with("/old` cannot be used: Terraform 0.11.3 is too old"), "{message}");
}

#[test]
fn local_modules_must_be_part_of_what_is_copied_for_a_run() {
    let place = good();
    place.write("modules/base/main.tf", "module \"deep\" {\n  source = \"../deep\"\n}\n");
    place.write("modules/deep/main.tf", "variable \"x\" {}\n");
    place.write(
        "roots/app/modules.tf",
        "module \"base\" {\n  source = \"../../modules/base\"\n}\nmodule \"gone\" {\n  source = \"./gone\"\n}\n",
    );
    insta::assert_snapshot!(place.text(&CheckOptions::default()));
    place.write(".git/HEAD", "ref: refs/heads/main\n");
    place.write("roots/app/gone/main.tf", "");
    assert!(!place.check(&CheckOptions::default()).has_errors(), "{}", place.text(&CheckOptions::default()));
}

#[test]
fn terraform_is_asked_only_about_stacks_without_errors() {
    let place = good();
    place.write("roots/jmeter/main.tf", "");
    let validate = |environment: &EnvironmentName, stack: &Stack, folder: &FilePath| {
        vec![Problem::of_file(folder, format!("asked about {environment}/{}", stack.name))]
    };
    let report = place.check(&CheckOptions { validate: Some(&validate), ..CheckOptions::default() });
    let asked: Vec<_> = report.problems.iter().filter(|problem| problem.message.starts_with("asked")).collect();
    assert_eq!(asked.len(), 1, "{}", report.render(false));
    assert_eq!(asked[0].environment.as_deref(), Some("shop"));
    assert!(report.errors_of("shop").count() >= 2);
}

#[test]
fn stacks_in_other_repositories_are_read_when_somebody_can_fetch_them() {
    let place = good();
    let config =
        CONFIG.replace("root = \"roots/app\"", "source = { git = \"https://git.example.com/x.git\", ref = \"main\" }");
    place.write("tidegate.toml", &config);
    let report = place.check(&CheckOptions::default());
    assert_eq!(report.checked.not_read, ["shop/app"]);
    assert!(!report.has_errors());
    let folder = place.0.path().join("roots/jmeter");
    let checkout = |_: &StackSource| Ok(folder.clone());
    let text = place.text(&CheckOptions { checkout: Some(&checkout), ..CheckOptions::default() });
    assert!(text.contains("the root declares no variable `env_name`"), "{text}");
}

#[test]
fn environments_that_did_not_load_are_in_the_report() {
    let place = good();
    place.write("tidegate.toml", &format!("{CONFIG}\n[environments.other]\nup = 3\n"));
    let report = place.check(&CheckOptions::default());
    assert_eq!((report.checked.environments, report.errors_of("shop").count()), (2, 0));
    assert!(report.errors_of("other").count() >= 2);
    let only = "shop".parse().expect("a name");
    assert!(!place.check(&CheckOptions { only: Some(&only), ..CheckOptions::default() }).has_errors());
    let json = report.to_json();
    assert_eq!(json["problems"][0]["severity"], "error");
    assert_eq!(json["problems"][0]["environment"], "other");
    assert!(json["problems"][0]["line"].as_u64().is_some_and(|line| line > 30), "{json}");
}

#[test]
fn a_file_without_environments_is_a_warning() {
    let place = Place::new(&[("tidegate.toml", "")]);
    let report = place.check(&CheckOptions::default());
    assert!(!report.has_errors());
    assert!(report.render(false).contains("warning: the file names no environment"));
}

#[test]
fn the_example_at_the_top_of_the_repository_checks() {
    let file = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../tidegate.example.toml");
    let config = load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let version = |_: &FilePath| "1.11.4".parse::<Version>().map_err(|error| error.to_string());
    let report = check(&config, &CheckOptions { version: Some(&version), ..CheckOptions::default() });
    assert_eq!(report.render(false), "1 environment and 3 stacks checked: nothing wrong\n");
}

#[test]
fn a_mistake_in_a_shared_root_is_shown_once_and_stops_each_environment_that_uses_it() {
    let place = good();
    let second = CONFIG
        .replace("environments.shop", "environments.second")
        .replace("\nname = ", "\nworkspace = \"second\"\nname = ");
    place.write("tidegate.toml", &format!("{CONFIG}{second}"));
    place.write("roots/jmeter/main.tf", "variable \"slaves\" {");
    let report = place.check(&CheckOptions::default());
    assert_eq!((report.errors_of("shop").count(), report.errors_of("second").count()), (1, 1));
    assert_eq!(report.render(false).matches("not Terraform's syntax").count(), 1, "{}", report.render(false));
}

#[test]
fn a_thousand_environments_with_shared_roots_check() {
    let place = good();
    let text: String = (0..1_000)
        .map(|number| {
            let environment = CONFIG.replace("environments.shop", &format!("environments.shop{number}"));
            environment.replace("\nname = ", &format!("\nworkspace = \"shop{number}\"\nname = "))
        })
        .collect();
    place.write("tidegate.toml", &text);
    let report = place.check(&CheckOptions::default());
    assert_eq!((report.checked.stacks, report.problems.len()), (2_000, 0));
}

#[test]
fn a_protect_that_names_no_resource_of_the_roots_is_told_with_the_nearest() {
    let place = good();
    place.write(
        "roots/app/main.tf",
        &format!("{APP}resource \"terraform_data\" \"grafana\" {{\n}}\nmodule \"db\" {{\n  source = \"x/y/z\"\n}}\n"),
    );
    place.write("roots/jmeter/more.tf.json", r#"{"resource": {"//": "", "terraform_data": {"slave": {"count": 2}}}}"#);
    let text = |protect: &str| {
        place
            .write("tidegate.toml", &CONFIG.replace("up = \"full\"", &format!("up = \"full\"\nprotect = [{protect}]")));
        place.text(&CheckOptions::default())
    };
    let all = text(r#""terraform_data.grafna", "terraform_data.grafna[0]", "aws_db_instance.*", "module", "modul""#);
    insta::assert_snapshot!(all);
    let known = [
        "terraform_data.grafana",
        "terraform_data",
        "terraform_data.*",
        "terraform_*.slave",
        "terraform_data.slave[1]",
        "terraform_data.slave[*]",
        "terraform_data.*1]",
        "module.db",
        "module.other.aws_db_instance.*",
        "*.aws_db_instance.main",
        "mod*.aws_db_instance.main",
        "*",
    ];
    for glob in known {
        assert_eq!(text(&format!("'{glob}'")), "1 environment and 2 stacks checked: nothing wrong\n", "{glob}");
    }
    // Where a root cannot be read nothing is known of what it has.
    place.write("roots/jmeter/more.tf.json", "{");
    assert!(!text("'terraform_data.slav'").contains("still has of it"));
}
