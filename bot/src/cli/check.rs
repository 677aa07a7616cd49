//! `tidegate check`: everything that is wrong with the configuration and the Terraform roots, at once.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tidegate_runner::config::check::Report;
use tidegate_runner::config::{self, Config};
use tidegate_runner::inspection::inspect;

use crate::cards::online::Missing;
use crate::chat::shell::color_on_stdout;

/// `tidegate check`
#[derive(Debug, Args)]
pub struct Check {
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Asks the chats that are configured what is missing there: tokens, scopes, channels. Nothing is posted.
    #[arg(long)]
    online: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

impl Check {
    /// Exit status 0 when nothing is wrong (warnings may be), else 1.
    pub(super) async fn run(&self, file: &Path) -> ExitCode {
        let (report, missing) = match config::load_to_check(file) {
            Ok((config, whole)) => {
                let report = inspect(&config).and(whole);
                (report, if self.online { online(&config).await } else { Vec::new() })
            }
            Err(problems) => (Report::of(problems.into_vec()), Vec::new()),
        };
        match self.format {
            Format::Text => {
                print!("{}", report.render(color_on_stdout()));
                for one in &missing {
                    println!("{}", one.line());
                }
                if self.online && missing.is_empty() {
                    println!("nothing is missing in the chats");
                }
            }
            Format::Json => {
                let mut json = report.to_json();
                if self.online {
                    json["missing"] = missing.iter().map(Missing::line).collect();
                }
                println!("{json}");
            }
        }
        if report.has_errors() || !missing.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

async fn online(config: &Config) -> Vec<Missing> {
    let mut missing = slack(config).await;
    missing.extend(discord(config).await);
    missing
}

#[cfg(feature = "slack")]
async fn slack(config: &Config) -> Vec<Missing> {
    crate::chat::slack::check_online(config).await
}

#[cfg(not(feature = "slack"))]
async fn slack(_: &Config) -> Vec<Missing> {
    Vec::new()
}

#[cfg(feature = "discord")]
async fn discord(config: &Config) -> Vec<Missing> {
    crate::chat::discord::check_online(config).await
}

#[cfg(not(feature = "discord"))]
async fn discord(_: &Config) -> Vec<Missing> {
    Vec::new()
}
