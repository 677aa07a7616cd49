//! The demo's files: its Terraform roots, which are part of this program, and its configuration.

use std::path::{Path, PathBuf};

/// The Terraform roots, by stack. The same files lie in `terraform/environments/demo`.
const ROOTS: [(&str, &str); 3] = [
    ("monitoring", include_str!("../../../terraform/environments/demo/monitoring/main.tf")),
    ("app", include_str!("../../../terraform/environments/demo/app/main.tf")),
    ("jmeter", include_str!("../../../terraform/environments/demo/jmeter/main.tf")),
];

/// The ledger's file.
pub(super) const LEDGER: &str = "tidegate.db";

/// Why the demo cannot be laid out.
#[derive(Debug, thiserror::Error)]
#[error("the demo cannot write {path}: {source}")]
pub struct DemoError {
    path: PathBuf,
    source: std::io::Error,
}

/// Writes the demo's files into `folder` where they are not as they should be, and gives the configuration's path. `owners`
/// are local user names.
///
/// # Errors
/// When a file cannot be written.
pub fn lay_out(folder: &Path, owners: &[&str]) -> Result<PathBuf, DemoError> {
    for (stack, text) in ROOTS {
        write(&folder.join("terraform").join(stack).join("main.tf"), text)?;
    }
    let config = folder.join("tidegate.toml");
    write(&config, &configuration(folder, owners))?;
    Ok(config)
}

fn write(path: &Path, text: &str) -> Result<(), DemoError> {
    let failed = |source| DemoError { path: path.to_owned(), source };
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn quoted(text: &str) -> String {
    // TOML's basic strings and JSON's have the same escapes for everything that a path or a name can hold.
    serde_json::Value::from(text).to_string()
}

fn configuration(folder: &Path, owners: &[&str]) -> String {
    let state =
        |stack: &str| quoted(&folder.join("terraform").join(stack).join("terraform.tfstate").display().to_string());
    let owners: Vec<String> = owners.iter().map(|name| quoted(&format!("local:{name}"))).collect();
    format!(
        r##"# Written by `tidegate demo` at each start.
[database]
url = "sqlite:{LEDGER}"

[runner]
state_dir = "work"

[access]
viewer = ["everyone"]
admin  = [{owners}]

[environments.shop]
about   = "A small shop with its load generators, made of nothing"
channel = "#load-test"
owners  = [{owners}]
levels  = ["small", "full"]
up      = "full"
down    = "small"

[[environments.shop.stacks]]
name      = "monitoring"
root      = "terraform/monitoring"
off       = "destroy"
variables = {{ env_name = "shop", delay = 1 }}

[[environments.shop.stacks]]
name      = "app"
root      = "terraform/app"
needs     = ["monitoring"]
off       = "destroy"
variables = {{ env_name = "shop", delay = 1, monitoring_state = {monitoring} }}

[[environments.shop.stacks]]
name      = "jmeter"
root      = "terraform/jmeter"
needs     = ["app"]
off       = "destroy"
variables = {{ env_name = "shop", delay = 1, app_state = {app} }}

[environments.shop.settings.slaves]
stack    = "jmeter"
variable = "slaves"
min      = 0
max      = 20
about    = "JMeter slaves"

[environments.shop.settings.servers]
stack    = "app"
variable = "servers"
min      = 1
max      = 10
about    = "servers of the shop"

[environments.shop.profiles.small]
app    = {{ servers = 1 }}
jmeter = {{ slaves = 2 }}

[environments.shop.profiles.full]
app    = {{ servers = 4 }}
jmeter = {{ slaves = 8 }}
"##,
        owners = owners.join(", "),
        monitoring = state("monitoring"),
        app = state("app"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_configuration_is_a_valid_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = lay_out(folder.path(), &["ito", "o'brien \"the\" 日本"]).expect("written");
        let config = tidegate_runner::config::load(&file).expect("valid");
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let shop = config.environments.values().next().expect("an environment");
        assert_eq!(
            shop.stacks.keys().map(tidegate_runner::domain::ids::StackName::as_str).collect::<Vec<_>>(),
            ["monitoring", "app", "jmeter"]
        );
    }
}
