//! The room where secrets are: read from variables, files and commands, kept in memory alone, refreshed before they end, and told to
//! every redactor. Never: a value in an argument list, a log, an error or a core dump.

mod dumps;
mod read;
mod room;

pub use dumps::no_core_dumps;
pub use read::SecretError;
pub use room::{NotRead, Notice, Secrets};
pub use secrecy::{ExposeSecret, SecretString};

use crate::config::{Config, DatabaseConfig};
use crate::domain::environment::StackSource;
use crate::source::Remote;

/// Every value that no sink may show: the variables that the configuration names in `redact`, what the room has read, and the
/// passwords that stand in the configuration's own URLs.
#[must_use]
pub fn told(config: &Config, secrets: &Secrets) -> Vec<String> {
    let mut values: Vec<String> = config.redact.iter().filter_map(|name| std::env::var(name).ok()).collect();
    values.extend(secrets.values());
    if let DatabaseConfig::Postgres(url) = &config.database {
        values.extend(password_of(url));
    }
    let samples = config.templates.values().map(|template| &template.sample);
    let stacks = config.environments.values().chain(samples).flat_map(|environment| environment.stacks.values());
    for stack in stacks {
        if let StackSource::Git { url, .. } = &stack.source {
            values.extend(Remote::of(url).secrets());
        }
    }
    values
}

/// The password in a URL, as it stands there and with its escapes undone.
fn password_of(url: &str) -> Vec<String> {
    Remote::of(url).secrets()
}
