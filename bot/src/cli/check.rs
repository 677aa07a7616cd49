//! `tidegate check`: everything that is wrong with the configuration and the Terraform roots, at once.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tidegate_runner::config;
use tidegate_runner::config::check::Report;
use tidegate_runner::inspection::inspect;

use crate::chat::shell::color_on_stdout;

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
    /// Exit status 0 when nothing is wrong (warnings may be), else 1.
    pub(super) fn run(&self, file: &Path) -> ExitCode {
        let report = match config::load_to_check(file) {
            Ok((config, whole)) => inspect(&config).and(whole),
            Err(problems) => Report::of(problems.into_vec()),
        };
        match self.format {
            Format::Text => print!("{}", report.render(color_on_stdout())),
            Format::Json => println!("{}", report.to_json()),
        }
        if report.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}
