//! `tidegate shell`: the chat in this terminal, or one command of it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::ids::ActorId;

use super::{fail, log_file, open, os_user};
use crate::chat::shell::{self, Once, Screen};
use tidegate_runner::logging::{self, LogFormat};

/// `tidegate shell`
#[derive(Debug, Args)]
pub struct Shell {
    /// Run one command and exit: 0 carried out, 1 failed or partial, 2 not understood, 3 refused, 4 cancelled, 5 unknown.
    #[arg(short = 'c', value_name = "COMMAND")]
    command: Option<String>,
    /// Wait until the run has ended (the default).
    #[arg(long, requires = "command", conflicts_with = "no_wait")]
    wait: bool,
    /// Exit once the run is accepted; needs a process that carries out runs.
    #[arg(long, requires = "command")]
    no_wait: bool,
}

impl Shell {
    pub(super) async fn run(self, config: &Path, log_format: LogFormat) -> ExitCode {
        let name = match os_user() {
            Ok(name) => name,
            Err(error) => return fail(&error),
        };
        let mut house = match open(config).await {
            Ok(house) => house,
            Err(status) => return status,
        };
        let state_dir = house.config().runner.state_dir.clone();
        if let Err(error) = logging::start(Some(&log_file(&state_dir)), log_format) {
            return fail(&format!("cannot log: {error}"));
        }
        let actor = Actor::person(ActorId::local(&name), name);
        let mut screen = Screen::new();
        for (name, problems) in &house.config().unmanaged {
            let count = problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            screen.note(&format!("{name} is not managed: {count} {noun}, see `tidegate check`"));
        }
        for (name, _) in house.desk.departed().await.unwrap_or_default().iter().filter(|(_, wanted)| wanted.is_some()) {
            screen.note(&format!("{name} has left the configuration and is still raised, see `status {name}`"));
        }
        if let Some(line) = self.command {
            return shell::once(house, actor, &Once { line, wait: !self.no_wait }, screen).await;
        }
        house.start_engine();
        shell::talk(house, actor, &state_dir.join("history.txt"), screen).await
    }
}
