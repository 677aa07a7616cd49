//! `tidegate check`: everything that is wrong with the configuration and the Terraform roots, at once.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tidegate_runner::config::check::Report;
use tidegate_runner::config::{self, Config, NotShown};
use tidegate_runner::house;
use tidegate_runner::inspection::inspect;
use tidegate_runner::redact::Redactor;
use tidegate_runner::secrets::{self, Secrets};

use crate::cards::by_file;
use crate::cards::online::{Asked, Missing, NO_CHAT, NOT_ASKED, NOTHING_MISSING, SECRET_NOT_CHECKED};
use crate::cards::sources;
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
    /// Instead, prints each value of an environment, of a group (`@rpg`) or of a template, with the file and line that it comes from.
    #[arg(long, value_name = "NAME", conflicts_with = "online")]
    show: Option<String>,
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
        if let Some(wanted) = &self.show {
            return self.show(file, wanted).await;
        }
        let mut at_once = None;
        let (report, asked) = match config::load_to_check(file) {
            Ok((config, whole)) => {
                let report = inspect(&config).and(whole);
                let asked = if self.online { Some(online(&config).await) } else { None };
                // What does not check is not taken.
                if !report.has_errors() {
                    at_once = at_once_of(Arc::new(config)).await;
                }
                (report, asked)
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
                for line in at_once.iter().flatten() {
                    println!("{line}");
                }
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
                if let Some(lines) = at_once {
                    json["at_once"] = lines.into();
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

impl Check {
    /// Exit status 0 when something was shown, else 1. Whether it is right is not asked.
    async fn show(&self, file: &Path, wanted: &str) -> ExitCode {
        let config = match config::load_to_check(file) {
            Ok((config, _)) => config,
            Err(problems) => {
                eprint!("{}", config::render(&problems.into_vec(), color_on_stdout()));
                return ExitCode::FAILURE;
            }
        };
        // What the files say is shown also where the ledger cannot be read; why, is said.
        let config = match house::with_made(config.clone()).await {
            Ok(config) => config,
            Err(error) => {
                eprintln!("what was made with `new` is not shown: {error}");
                config
            }
        };
        match config::show(&config, wanted) {
            Ok(shown) => {
                let redactor = Redactor::new(secrets::told(&config, &Secrets::default()));
                let text = match self.format {
                    Format::Text => sources::text(&shown),
                    Format::Json => sources::json(&shown),
                };
                print!("{}", redactor.redact(&text));
                ExitCode::SUCCESS
            }
            Err(NotShown::Unknown { name, nearest }) => {
                eprintln!("{}", sources::unknown(&name, nearest.as_deref()));
                ExitCode::FAILURE
            }
        }
    }
}

/// What the file does as soon as it is taken, a line for each environment. `None`: that cannot be known from here.
async fn at_once_of(config: Arc<Config>) -> Option<Vec<String>> {
    match Box::pin(house::by_file(&config)).await {
        Ok(Some((all, now))) => Some(all.iter().map(|one| by_file::line(one, now)).collect()),
        Ok(None) => None,
        Err(error) => Some(vec![by_file::not_known(&error.to_string())]),
    }
}

/// What all chats say that are configured.
async fn online(config: &Config) -> Asked {
    let chats: Vec<Asked> = slack(config).await.into_iter().chain(discord(config).await).collect();
    if chats.is_empty() {
        return Asked { unasked: vec![NO_CHAT.to_owned()], ..Asked::default() };
    }
    chats.into_iter().fold(Asked::default(), Asked::and)
}

#[cfg(feature = "slack")]
async fn slack(config: &Config) -> Option<Asked> {
    crate::chat::slack::check_online(config).await
}

#[cfg(not(feature = "slack"))]
async fn slack(_: &Config) -> Option<Asked> {
    None
}

#[cfg(feature = "discord")]
async fn discord(config: &Config) -> Option<Asked> {
    crate::chat::discord::check_online(config).await
}

#[cfg(not(feature = "discord"))]
async fn discord(_: &Config) -> Option<Asked> {
    None
}
