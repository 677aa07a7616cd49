//! `tidegate check`: everything that is wrong with the configuration and the Terraform roots, at once.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tidegate_runner::config::check::Report;
use tidegate_runner::config::{self, Config};
use tidegate_runner::inspection::inspect;

use crate::cards::online::{Asked, Missing, NO_CHAT, NOT_ASKED, NOTHING_MISSING, SECRET_NOT_CHECKED};
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
        let (report, asked) = match config::load_to_check(file) {
            Ok((config, whole)) => {
                let report = inspect(&config).and(whole);
                (report, if self.online { Some(online(&config).await) } else { None })
            }
            Err(problems) => {
                let asked = Asked { unasked: vec![NOT_ASKED.to_owned()], ..Asked::default() };
                (Report::of(problems.into_vec()), self.online.then_some(asked))
            }
        };
        let asked = asked.as_ref();
        match self.format {
            Format::Text => {
                print!("{}", report.render(color_on_stdout()));
                let Asked { missing, unasked } = asked.cloned().unwrap_or_default();
                for line in missing.iter().map(Missing::line).chain(unasked.iter().cloned()) {
                    println!("{line}");
                }
                // Of what was not asked nothing is known.
                if asked.is_some() && missing.is_empty() && unasked.iter().all(|line| line == SECRET_NOT_CHECKED) {
                    println!("{NOTHING_MISSING}");
                }
            }
            Format::Json => {
                let mut json = report.to_json();
                if let Some(Asked { missing, unasked }) = asked {
                    json["missing"] = missing.iter().map(Missing::line).collect();
                    json["not_asked"] = unasked.iter().cloned().collect();
                }
                println!("{json}");
            }
        }
        let certain = [SECRET_NOT_CHECKED, NO_CHAT];
        let lacks = asked.is_some_and(|asked| {
            !asked.missing.is_empty() || asked.unasked.iter().any(|line| !certain.contains(&line.as_str()))
        });
        if report.has_errors() || lacks { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

#[cfg(feature = "slack")]
async fn online(config: &Config) -> Asked {
    let no_chat = || Asked { unasked: vec![NO_CHAT.to_owned()], ..Asked::default() };
    crate::chat::slack::check_online(config).await.unwrap_or_else(no_chat)
}

#[cfg(not(feature = "slack"))]
async fn online(_: &Config) -> Asked {
    Asked { unasked: vec![NO_CHAT.to_owned()], ..Asked::default() }
}
