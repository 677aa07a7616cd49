//! When a rule asks for a yes: `deletes > 5`, `command = destroy`, `outside working hours`.

use std::fmt;

use crate::domain::changes::{Counts, Exactness};
use crate::domain::command::CommandName;
use crate::domain::environment::{Environment, SettingValue};
use crate::domain::holds::lowers;
use crate::domain::ids::{SettingName, Timestamp};
use crate::domain::order::Direction;
use crate::domain::policy::PlannedStack;
use crate::domain::request::{RunKind, RunRequest, value_at};

/// What a plan's changes are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Resources created.
    Creates,
    /// Resources changed in place.
    Updates,
    /// Resources replaced.
    Replaces,
    /// Resources deleted.
    Deletes,
    /// Resources replaced or deleted.
    Destroys,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Creates, Self::Updates, Self::Replaces, Self::Deletes, Self::Destroys];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creates => "creates",
            Self::Updates => "updates",
            Self::Replaces => "replaces",
            Self::Deletes => "deletes",
            Self::Destroys => "destroys",
        }
    }

    /// So many of a plan's changes.
    #[must_use]
    pub fn of(self, counts: Counts) -> u32 {
        match self {
            Self::Creates => counts.create,
            Self::Updates => counts.update,
            Self::Replaces => counts.replace,
            Self::Deletes => counts.delete,
            Self::Destroys => counts.replace + counts.delete,
        }
    }
}

/// A condition, as the configuration writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `command = destroy`
    Command(CommandName),
    /// `deletes > 5`
    Count {
        /// Of what.
        of: Counted,
        /// It holds above this.
        above: u32,
    },
    /// `slaves > 50`
    Setting {
        /// Which.
        setting: SettingName,
        /// It holds above this.
        above: i64,
    },
    /// `outside working hours`
    OutsideHours,
    /// `environment of another owner`
    OfAnother,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => write!(f, "command = {command}"),
            Self::Count { of, above } => write!(f, "{} > {above}", of.as_str()),
            Self::Setting { setting, above } => write!(f, "{setting} > {above}"),
            Self::OutsideHours => f.write_str("outside working hours"),
            Self::OfAnother => f.write_str("environment of another owner"),
        }
    }
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Neither a comparison nor a known phrase.
    #[error("this is no condition")]
    Form,
    /// The word after `command =` is no command.
    #[error("there is no command `{0}`")]
    Command(String),
    /// The word before `>` is nothing that can be compared.
    #[error("there is nothing that is called `{0}` to compare")]
    Subject(String),
    /// What stands after `>` is no whole number.
    #[error("`{0}` is not a whole number")]
    Number(String),
}

impl Condition {
    /// Reads a condition. `settings` are the environment's.
    ///
    /// # Errors
    /// [`ConditionError`] says which part is wrong.
    pub fn read<'a>(text: &str, mut settings: impl Iterator<Item = &'a SettingName>) -> Result<Self, ConditionError> {
        let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match plain.as_str() {
            "outside working hours" => return Ok(Self::OutsideHours),
            "environment of another owner" => return Ok(Self::OfAnother),
            _ => {}
        }
        if let Some((subject, object)) = plain.split_once('>') {
            let (subject, object) = (subject.trim(), object.trim());
            // `>= 5` is what people write for `> 4`.
            let (object, least) = object.strip_prefix('=').map_or((object, 0), |rest| (rest.trim(), 1));
            let number: i64 = object.parse().map_err(|_| ConditionError::Number(object.to_owned()))?;
            let above = number.saturating_sub(least);
            if let Some(of) = Counted::ALL.into_iter().find(|counted| counted.as_str() == subject) {
                let above = u32::try_from(above).map_err(|_| ConditionError::Number(object.to_owned()))?;
                return Ok(Self::Count { of, above });
            }
            let setting = settings.find(|setting| setting.as_str() == subject);
            let setting = setting.ok_or_else(|| ConditionError::Subject(subject.to_owned()))?.clone();
            return Ok(Self::Setting { setting, above });
        }
        match plain.split_once('=').map(|(left, right)| (left.trim(), right.trim())) {
            Some(("command", word)) => CommandName::ALL
                .into_iter()
                .find(|command| command.as_str() == word)
                .map(Self::Command)
                .ok_or_else(|| ConditionError::Command(word.to_owned())),
            Some(_) | None => Err(ConditionError::Form),
        }
    }

    /// Whether `words` are what it found at some time: [`Self::holds`].
    #[must_use]
    pub fn found(&self, words: &str) -> bool {
        let counted = |what: &str, above: &str| {
            let Some(found) = words.strip_prefix(what).and_then(|words| words.strip_prefix(' ')) else { return false };
            found.ends_with(&format!("> {above}"))
        };
        match self {
            Self::Command(_) | Self::OfAnother => words == self.to_string(),
            Self::Count { of, above } => counted(of.as_str(), &above.to_string()),
            Self::Setting { setting, above } => counted(setting.as_str(), &above.to_string()),
            Self::OutsideHours => words.starts_with("outside "),
        }
    }

    /// What it found, in words (`deletes 7 > 5`), where it holds. What is not known yet is taken to hold once there is a plan,
    /// and not before.
    #[must_use]
    pub fn holds(&self, about: &About<'_>) -> Option<String> {
        match self {
            Self::Command(command) => about.is_for(*command).then(|| self.to_string()),
            Self::Count { of, above } => {
                let plan = about.plan?;
                let counts = plan.iter().fold(Counts::default(), |sum, planned| sum.plus(planned.plan.counts()));
                let found = of.of(counts);
                let unknown = plan.iter().any(|planned| planned.plan.exactness == Exactness::Unknown);
                if found > *above {
                    Some(format!("{} {found} > {above}", of.as_str()))
                } else {
                    let open = unknown && *of == Counted::Creates;
                    open.then(|| format!("{} not known yet, may be > {above}", of.as_str()))
                }
            }
            Self::Setting { setting, above } => {
                let known = about.environment.settings.get(setting)?;
                match value_at(about.environment, known, &about.request?.target)? {
                    SettingValue::Number(value) => (value > *above).then(|| format!("{setting} {value} > {above}")),
                    SettingValue::Switch(_) | SettingValue::Text(_) => None,
                }
            }
            Self::OutsideHours => {
                let hours = about.environment.rules.hours.as_ref()?;
                (!hours.hours.contain(about.now, hours.zone)).then(|| format!("outside {}", hours.in_words()))
            }
            Self::OfAnother => about.another.then(|| self.to_string()),
        }
    }
}

/// What conditions are held against.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// What is asked for.
    pub command: CommandName,
    /// On which environment.
    pub environment: &'a Environment,
    /// In detail, once that is known.
    pub request: Option<&'a RunRequest>,
    /// The plan, once there is one.
    pub plan: Option<&'a [PlannedStack<'a>]>,
    /// The environment has owners, and whoever asks is none of them.
    pub another: bool,
    /// When.
    pub now: Timestamp,
}

impl About<'_> {
    /// What a request is to a rule about a command: its own word, and `up` or `down` where it raises or lowers by another one, as `undo`,
    /// `scale` and `destroy` do. A plan is never more than a plan.
    #[must_use]
    pub fn is_for(&self, command: CommandName) -> bool {
        let does = |moves: fn(&RunRequest) -> bool| {
            self.request.is_some_and(|request| request.kind != RunKind::Plan && moves(request))
        };
        command == self.command
            || match command {
                CommandName::Down => does(lowers),
                CommandName::Up => does(rises),
                _ => false,
            }
    }
}

/// True for a run that brings something of its environment up.
fn rises(request: &RunRequest) -> bool {
    request.kind == RunKind::Up || request.stacks.values().any(|direction| *direction == Direction::Rise)
}
