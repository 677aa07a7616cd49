//! `tidegate demo`: the tour without a terminal, the playground with one.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::ids::ActorId;

use super::{fail, log_file, open, os_user};
use crate::chat::shell::{self, Screen};
use crate::demo::{self, Tour, tour};
use tidegate_runner::house::{EngineAt, engine_pid};
use tidegate_runner::logging::{self, LogFormat};

/// `tidegate demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Play the guided tour, also in a terminal.
    #[arg(long)]
    tour: bool,
    /// Forget everything and begin anew.
    #[arg(long)]
    reset: bool,
    /// Be somebody else: `kato` may only read.
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
}

impl Demo {
    pub(super) async fn run(self, log_format: LogFormat) -> ExitCode {
        let folder = match demo::folder() {
            Ok(folder) => folder,
            Err(error) => return fail(&format!("the current folder cannot be told: {error}")),
        };
        if self.reset {
            if let Some(pid) = engine_pid(&demo::ledger(&folder)) {
                return fail(&format!("process {pid} works in {}: end it first, then reset", folder.display()));
            }
            if let Err(error) = demo::reset(&folder) {
                return fail(&format!("{} cannot be removed: {error}", folder.display()));
            }
        }
        let user = match os_user() {
            Ok(user) => user,
            Err(error) => return fail(&error),
        };
        let mut owners = vec![user.as_str()];
        owners.extend(Tour::OWNERS);
        let config = match demo::lay_out(&folder, &owners) {
            Ok(config) => config,
            Err(error) => return fail(&error.to_string()),
        };
        if let Err(error) = logging::start(Some(&log_file(&folder)), log_format) {
            return fail(&format!("cannot log: {error}"));
        }
        let mut house = match open(&config).await {
            Ok(house) => house,
            Err(status) => return status,
        };
        house.start_engine();
        house.start_clock();
        let mut screen = Screen::new();
        let alone = house.is_engine().await;
        let who = match house.engine_at().await {
            EngineAt::Elsewhere { pid: Some(pid) } => format!("process {pid}"),
            EngineAt::Elsewhere { pid: None } | EngineAt::Here | EngineAt::Nowhere => "another process".to_owned(),
        };
        if self.tour || !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            if !alone {
                let hindrance = house.hindrance();
                house.close().await;
                if let Some(why) = hindrance {
                    return fail(&why);
                }
                return fail(&format!(
                    "the tour wants this demo for itself, and {who} carries out its runs: end that first, or play along with \
                     `tidegate demo` in a terminal"
                ));
            }
            let result = tour(&house, &mut screen, shell::local_zone()).await;
            house.close().await;
            return match result {
                Ok(()) => {
                    screen.note("Everything happened as told. `tidegate demo` in a terminal is yours to play with.");
                    ExitCode::SUCCESS
                }
                Err(error) => fail(&format!("the tour did not end as told: {error}")),
            };
        }
        let name = self.name.unwrap_or(user);
        let actor = Actor::person(ActorId::local(&name), name);
        if !alone {
            screen.note(&format!(
                "This demo is open already: {who} carries out its runs. Everything works here too, and when that one ends, this one \
                 takes over."
            ));
        }
        screen
            .note("Real Terraform, no cloud. Try: `envs`, `up shop small`, `scale shop slaves+=2`, `history`, `help`.");
        Box::pin(shell::talk(house, actor, &folder.join("history.txt"), screen)).await
    }
}
