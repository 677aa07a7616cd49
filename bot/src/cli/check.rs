//! `tidegate check`: everything that is wrong with the configuration and the Terraform roots, at once.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

/// `tidegate check`
#[derive(Debug, Args)]
pub struct Check {
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
    pub(super) async fn run(self, config: &Path) -> ExitCode {
        let _ = (config, self.format);
        ExitCode::FAILURE
    }
}
