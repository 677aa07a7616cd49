//! `tidegate terraform`: a command for Terraform by hand, in the place of one typed past Tidegate.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::by_hand::{ByHand, HandArgs};
use tidegate_runner::domain::command::Order;
use tidegate_runner::domain::ids::{ActorId, EnvironmentName, StackName};
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::house::House;
use tidegate_runner::logging::{self, LogFormat};

use super::{fail, log_file, open, os_user};
use crate::cards;
use crate::chat::shell::{self, ByCommandLine, Once, Screen};

/// Exit status of words that make no command.
const NOT_UNDERSTOOD: u8 = 2;

/// `tidegate terraform`
#[derive(Debug, Args)]
pub struct Terraform {
    /// Environment and stack, as in `shop/app`.
    #[arg(value_name = "ENV/STACK")]
    about: String,
    /// Why; kept in the history.
    #[arg(long, value_name = "REASON")]
    because: Option<String>,
    /// What Terraform is to do: looks (`plan`, `output`, `show`, `state list`, `state show ADDRESS`, `providers`, `validate`), or changes, which are
    /// shown first and wait for a yes (`apply [-replace=ADDRESS] [-refresh-only]`, `import ADDRESS ID`, `state mv FROM TO`, `state rm ADDRESS ...`).
    #[arg(last = true, required = true, value_name = "ARGS")]
    args: Vec<String>,
}

impl Terraform {
    pub(super) async fn run(self, config: &Path, log_format: LogFormat) -> ExitCode {
        let name = match os_user() {
            Ok(name) => name,
            Err(error) => return fail(&error),
        };
        let mut screen = Screen::new();
        let (environment, by_hand) = match self.read() {
            Ok(read) => read,
            Err(refusal) => {
                screen.card(&cards::refusal(&refusal));
                return ExitCode::from(NOT_UNDERSTOOD);
            }
        };
        let house = match open(config).await {
            Ok(house) => house,
            Err(status) => return status,
        };
        if let Err(error) = logging::start(Some(&log_file(&house.config().runner.state_dir)), log_format) {
            screen.note(&format!("This command keeps no log: {error}"));
        }
        self.give(house, Actor::person(ActorId::local(&name), name), environment, by_hand, screen).await
    }

    fn read(&self) -> Result<(EnvironmentName, ByHand), Refusal> {
        let wrong = || {
            let why = "an environment and one of its stacks are named with a slash between, as in `shop/app`";
            Refusal::not_understood(format!("`{}` names no stack", self.about), why).hint("envs")
        };
        let (environment, stack) = self.about.split_once('/').ok_or_else(wrong)?;
        let environment: EnvironmentName = environment.parse().map_err(|_| wrong())?;
        let stack: StackName = stack.parse().map_err(|_| wrong())?;
        Ok((environment, ByHand { stack, args: HandArgs::read(&self.args)? }))
    }

    async fn give(
        self,
        house: House,
        actor: Actor,
        environment: EnvironmentName,
        by_hand: ByHand,
        screen: Screen,
    ) -> ExitCode {
        let line = format!("terraform {environment}/{by_hand}");
        let line = match &self.because {
            Some(because) => format!("{line} because {because}"),
            None => line,
        };
        let order = Order::Terraform { environment, by_hand: Box::new(by_hand) };
        let given = Some(ByCommandLine { order, because: self.because });
        Box::pin(shell::once(house, actor, &Once { line, wait: true, given }, screen)).await
    }
}
