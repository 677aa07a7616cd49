//! What is so at this moment, for hints: people copy them, so none may change more than what was typed.

use std::collections::BTreeMap;

use tidegate_runner::domain::answer::{EnvironmentStatus, RunSummary};
use tidegate_runner::domain::environment::{Environment, Level, Setting, SettingValue};
use tidegate_runner::domain::ids::{EnvironmentName, RunNumber};
use tidegate_runner::domain::request::{Target, value_at};
use tidegate_runner::domain::run::RunState;

/// Where things stand. What is missing in it is not known; hints then do without.
#[derive(Debug, Clone, Default)]
pub struct Present {
    targets: BTreeMap<EnvironmentName, Target>,
    runs: Vec<(RunNumber, EnvironmentName)>,
    asking: Vec<(RunNumber, EnvironmentName)>,
}

impl Present {
    /// Notes where an environment is to be once everything accepted so far is done: relative values count from there.
    pub fn stands(&mut self, status: &EnvironmentStatus) {
        let running = status.running.as_ref().map(|(run, _)| run);
        let happens = |run: &&RunSummary| {
            run.request.kind.says_where()
                && (run.state.holds_environment() || matches!(run.state, RunState::Queued { .. }))
        };
        let last = running.into_iter().chain(&status.waiting).filter(happens).max_by_key(|run| run.number);
        let target = last.map(|run| &run.request.target).or(status.wanted.as_ref());
        self.targets.extend(target.map(|target| (status.name.clone(), target.clone())));
    }

    /// Notes a run that can still be stopped. In the order of their numbers.
    pub fn runs(&mut self, run: &RunSummary) {
        if !run.state.ended() && !matches!(run.state, RunState::Unknown { .. }) {
            self.runs.push((run.number, run.request.environment.clone()));
        }
        if matches!(run.state, RunState::AwaitingApproval { .. }) {
            self.asking.push((run.number, run.request.environment.clone()));
        }
    }

    /// Where an environment is to be; `None` when that is not known.
    pub(super) fn target(&self, environment: &Environment) -> Option<&Target> {
        self.targets.get(&environment.name)
    }

    /// Runs that can be stopped: all, or those of one environment.
    pub(super) fn stoppable(&self, environment: Option<&str>) -> impl Iterator<Item = RunNumber> {
        let of = move |name: &EnvironmentName| environment.is_none_or(|wanted| wanted == name.as_str());
        self.runs.iter().filter(move |(_, name)| of(name)).map(|(run, _)| *run)
    }

    /// Runs that wait for a yes, each with its environment.
    pub(super) fn asking(&self) -> &[(RunNumber, EnvironmentName)] {
        &self.asking
    }

    /// The value that a setting has anyway in a command that goes to `level` (`None`: stays where it is): offering it changes
    /// nothing that the command without it would not change.
    pub(super) fn value(
        &self,
        environment: &Environment,
        setting: &Setting,
        level: Option<&Level>,
    ) -> Option<SettingValue> {
        let now = self.target(environment);
        match (now, level) {
            (Some(now), None) => value_at(environment, setting, now),
            (Some(now), Some(level)) if now.level == *level => value_at(environment, setting, now),
            (_, Some(level)) => environment.configured_value(setting, level),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
impl Present {
    /// A moment of a test: the levels of environments, and runs at work.
    pub(crate) fn of(targets: &[(&str, Target)], runs: &[(i64, &str)]) -> Self {
        let name = |name: &str| -> EnvironmentName { name.parse().expect("a name") };
        Self {
            targets: targets.iter().map(|(environment, target)| (name(environment), target.clone())).collect(),
            runs: runs.iter().map(|(run, environment)| (RunNumber(*run), name(environment))).collect(),
            asking: Vec::new(),
        }
    }

    /// The same, with these runs waiting for a yes.
    pub(crate) fn with_asking(self, asking: &[(i64, &str)]) -> Self {
        let asking = asking.iter().map(|(run, environment)| (RunNumber(*run), environment.parse().expect("a name")));
        Self { asking: asking.collect(), ..self }
    }
}
