//! `tidegate shell`: the chat in this terminal, or one command of it.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::house::{House, HouseError};

use super::{fail, log_file, not_opened, os_user};
use crate::chat::shell::{self, Once, Screen};
use crate::commands;
use tidegate_runner::logging::{self, LogFormat};

/// Exit status of what is understood and not done.
const REFUSED: u8 = 3;

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
        let actor = Actor::person(ActorId::local(&name), name);
        let mut house = match self.open(config, &actor).await {
            Ok(house) => house,
            Err(status) => return status,
        };
        let state_dir = house.config().runner.state_dir.clone();
        let mut screen = Screen::new();
        match logging::start(Some(&log_file(&state_dir)), log_format) {
            Ok(()) => {}
            // Of another user of this machine, who may use the ledger and not this folder: what they ask for is in the ledger.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                screen.note(&format!("This shell keeps no log: {error}"));
            }
            Err(error) => return fail(&format!("cannot log: {error}")),
        }
        if !house.may_be_engine() {
            let file = config.display();
            screen.note(&format!(
                "{file} does not check (see `tidegate check`): this goes by the configuration that was last in force"
            ));
        }
        for (name, problems) in &house.config().unmanaged {
            let count = problems.len();
            let noun = if count == 1 { "problem" } else { "problems" };
            let what = if house.config().environments.contains_key(name.as_str()) {
                "goes on by the last configuration that checked"
            } else {
                "is not managed"
            };
            screen.note(&format!("{name} {what}: {count} {noun}, see `tidegate check`"));
        }
        for (name, _) in house.desk.departed().await.unwrap_or_default().iter().filter(|(_, wanted)| wanted.is_some()) {
            screen.note(&format!("{name} has left the configuration and is still raised, see `status {name}`"));
        }
        if let Some(line) = self.command {
            return Box::pin(shell::once(house, actor, &Once { line, wait: !self.no_wait, given: None }, screen)).await;
        }
        house.start_engine();
        Box::pin(shell::talk(house, actor, &state_dir.join("history.txt"), screen)).await
    }

    /// What only looks, or stops, works without a configuration that checks: the brake is not taken away by a slip in a file.
    async fn open(&self, config: &Path, actor: &Actor) -> Result<House, ExitCode> {
        let opened = House::open(config).await;
        let command = self.command.as_deref().and_then(commands::name_of);
        let stops = command.is_some_and(|command| command.only_ends() || command == CommandName::Stop);
        if (stops || command.is_some_and(CommandName::only_reads)) && matches!(opened, Err(HouseError::Config(_))) {
            match House::open_with_last_good(config).await {
                Ok(Some(house)) => return Ok(house),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the ledger cannot be opened without a configuration that checks"),
            }
        }
        let error = match opened {
            Ok(house) => return Ok(house),
            Err(error) => error,
        };
        let order = command.filter(|_| matches!(error, HouseError::Config(_)) && config.exists()).and_then(meanwhile);
        let status = not_opened(error);
        if let (Some(line), Some(meanwhile)) = (&self.command, order) {
            let meanwhile = if note_refusal(config, actor, line).await { meanwhile } else { "" };
            eprintln!(
                "tidegate: `{line}` was refused: with that in the file it cannot be told who may say it. Put it right, ask \
                 `tidegate check`, and type `{line}` again. {meanwhile}"
            );
            return Err(ExitCode::from(REFUSED));
        }
        if stops {
            eprintln!(
                "tidegate: nothing can be stopped from here until that is put right. By hand: `pgrep -a terraform` names what \
                 runs; `kill -INT PID`, once, lets it write its state and free its lock."
            );
        }
        Err(status)
    }
}

/// Keeps in the audit that an order was refused because of the file, where the ledger of the last good one can be opened. True when it can.
async fn note_refusal(config: &Path, actor: &Actor, line: &str) -> bool {
    let Ok(Some(house)) = House::open_with_last_good(config).await else { return false };
    let refusal = Refusal::refused(format!("`{line}` was refused"), "the configuration does not check");
    let noted = house.desk.not_understood(&shell::message(actor, line), None, &refusal).await;
    if let Err(error) = &noted {
        tracing::warn!(%error, "a refusal is not in the audit");
    }
    house.close().await;
    true
}

/// For orders, which need a configuration that checks: what works without one. `None` for what only asks, or works without.
fn meanwhile(command: CommandName) -> Option<&'static str> {
    match command {
        CommandName::Approve => Some("`reject RUN` and `cancel RUN` work meanwhile."),
        CommandName::Unhold | CommandName::Unfreeze | CommandName::Resume => Some("What is held stays held meanwhile."),
        CommandName::Cancel | CommandName::Stop | CommandName::Leave | CommandName::Reject => None,
        other if other.only_reads() => None,
        _ => Some("`status`, `cancel RUN` and `stop everything` work meanwhile."),
    }
}
