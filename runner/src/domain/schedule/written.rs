//! Schedules by chat: what people type, what they are told.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::bend::Bent;
use super::item::Schedule;
use super::order::AtOnce;
use super::timeline::{Coming, Transition};
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::request::{AskedAs, TypedBy};

/// A schedule as it is typed: the keys of `[[environments.NAME.schedules]]`. Whether it is one is the configuration's to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// What people call it.
    pub name: String,
    /// Its other keys with their values, in the order in which they were typed.
    pub keys: IndexMap<String, String>,
}

/// What is asked for of the schedules of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum ScheduleOrder {
    /// Add one.
    Add {
        /// To which environment.
        environment: EnvironmentName,
        /// The whole of it.
        written: Written,
    },
    /// Change one.
    Change {
        /// Of which environment.
        environment: EnvironmentName,
        /// Its name, and the keys that change; an empty value takes its key out.
        written: Written,
    },
    /// Remove one.
    Remove {
        /// Of which environment.
        environment: EnvironmentName,
        /// Its name.
        name: String,
    },
}

/// What was done to a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It is new.
    Added,
    /// It is another than before.
    Changed,
    /// It is gone.
    Removed,
}

impl Deed {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// What came of an order about a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduleAnswer {
    /// What was done.
    pub deed: Deed,
    /// Of which environment.
    pub environment: EnvironmentName,
    /// As it is now; as it was, where it is gone.
    pub written: Written,
    /// As it was before a change.
    pub before: Option<Written>,
    /// Why.
    pub because: Option<String>,
    /// The environment's next transitions.
    pub next: Vec<Transition>,
    /// What this schedule next does; `None` where it is gone.
    #[serde(default)]
    pub own: Option<Coming>,
    /// What people bend meanwhile, whose ends can be among the transitions.
    #[serde(default)]
    pub bends: Vec<Bent>,
    /// Calendars of it that do not know the holidays of the year in which it next does anything, with the last year that they know.
    #[serde(default)]
    pub unknown_years: BTreeMap<String, i32>,
    /// What comes of it at once.
    #[serde(default)]
    pub at_once: Option<AtOnce>,
    /// Somebody's change that ends at another moment by it, and when it was to end until now.
    #[serde(default)]
    pub moved: Option<Box<(Bent, Timestamp)>>,
}

/// A schedule that somebody added by chat, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its row.
    pub id: String,
    /// Of which environment.
    pub environment: EnvironmentName,
    /// As it was typed.
    pub written: Written,
    /// Who added it.
    pub added: Signed,
    /// Who changed it last.
    pub changed: Option<Signed>,
}

/// Who did something, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub by: ActorId,
    /// What they were called then.
    pub called: String,
    /// When.
    pub at: Timestamp,
    /// Why, in their words.
    pub because: Option<String>,
    /// What they were in the chat then; `None`: it was not kept yet.
    pub asked_as: Option<AskedAs>,
}

impl Stored {
    /// True where it says by moments when it does something.
    #[must_use]
    pub fn has_moments(&self) -> bool {
        ["cron", "at"].iter().any(|key| self.written.keys.contains_key(*key))
    }

    /// Whose it is as it is worded now: they answer for what the clock does by it. `None`: it is from before it was kept what
    /// they were, so that nobody can say whether they still may; it counts as it did then, as if the file had it.
    #[must_use]
    pub fn typed_by(&self) -> Option<TypedBy> {
        let Signed { by, called, asked_as, .. } = self.changed.as_ref().unwrap_or(&self.added);
        let asked_as = asked_as.clone()?;
        Some(TypedBy { by: by.clone(), called: called.clone(), asked_as })
    }
}

/// One schedule in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The schedule; or why what somebody added is none any more, so that it is left out.
    pub schedule: Result<Schedule, String>,
    /// Who added it by chat; `None`: it is the file's.
    pub stored: Option<Stored>,
    /// What it next does.
    pub next: Coming,
}

/// The schedules of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedules {
    /// Which.
    pub environment: EnvironmentName,
    /// Those of the file, then those that were added, in order.
    pub all: Vec<Listed>,
    /// Who paused them.
    pub paused: Option<Bent>,
    /// Its code does not check, and nothing comes of them until it does.
    pub aside: bool,
}

impl ScheduleOrder {
    /// Which environment it is about.
    #[must_use]
    pub fn environment(&self) -> &EnvironmentName {
        match self {
            Self::Add { environment, .. } | Self::Change { environment, .. } | Self::Remove { environment, .. } => {
                environment
            }
        }
    }

    /// As people type it.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Add { environment, written } => format!("schedule add {environment} {}", written.line()),
            Self::Change { environment, written } => format!("schedule change {environment} {}", written.line()),
            Self::Remove { environment, name } => format!("schedule remove {environment} {}", word(name)),
        }
    }
}

/// The keys of `[[environments.NAME.schedules]]` that belong to one way of saying when, and to no other.
const WAYS: [(&str, [&str; 2]); 3] =
    [("window", ["inside", "outside"]), ("cron", ["do", "for"]), ("at", ["do", "for"])];

impl Written {
    /// Its name and keys as people type them: `"late shift" window="Mon-Fri 13:00-23:00" inside=full outside=small`.
    #[must_use]
    pub fn line(&self) -> String {
        let keys = self.keys.iter().map(|(key, value)| format!(" {key}={}", word(value)));
        std::iter::once(word(&self.name)).chain(keys).collect()
    }

    /// This with other keys over its own. Who says when in another way takes out what belonged to the one before.
    #[must_use]
    pub fn changed_by(&self, change: &Self) -> Self {
        let mut keys = self.keys.clone();
        let way = WAYS.iter().find(|(way, _)| change.keys.get(*way).is_some_and(|value| !value.is_empty()));
        if let Some((way, own)) = way {
            let others = WAYS.iter().filter(|(other, _)| other != way);
            for (other, belong) in others {
                keys.shift_remove(*other);
                for key in belong.iter().filter(|key| !own.contains(key)) {
                    keys.shift_remove(*key);
                }
            }
        }
        for (key, value) in &change.keys {
            if value.is_empty() {
                keys.shift_remove(key);
            } else {
                keys.insert(key.clone(), value.clone());
            }
        }
        Self { name: self.name.clone(), keys }
    }
}

/// A value as one word: in quotes where it is several.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_.:,/*".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('"', "'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(keys: &[(&str, &str)]) -> Written {
        let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Written { name: "late shift".to_owned(), keys }
    }

    #[test]
    fn a_schedule_is_told_as_it_is_typed() {
        let late = written(&[("window", "Mon-Fri 13:00-23:00"), ("inside", "full"), ("outside", "small")]);
        let line = "\"late shift\" window=\"Mon-Fri 13:00-23:00\" inside=full outside=small";
        assert_eq!(late.line(), line);
        let environment: EnvironmentName = "shop".parse().expect("a name");
        assert_eq!(ScheduleOrder::Add { environment, written: late }.line(), format!("schedule add shop {line}"));
    }

    #[test]
    fn a_change_names_only_what_changes() {
        let late =
            written(&[("window", "Mon-Fri 13:00-23:00"), ("inside", "full"), ("outside", "small"), ("zone", "UTC")]);
        for (change, line) in [
            (&[("inside", "small")][..], "window=\"Mon-Fri 13:00-23:00\" inside=small outside=small zone=UTC"),
            (&[("zone", "")], "window=\"Mon-Fri 13:00-23:00\" inside=full outside=small"),
            (&[("cron", "0 9 * * 1-5"), ("do", "up"), ("for", "3h")], "zone=UTC cron=\"0 9 * * 1-5\" do=up for=3h"),
        ] {
            assert_eq!(late.changed_by(&written(change)).line(), format!("\"late shift\" {line}"));
        }
        let cron = written(&[("cron", "0 9 * * 1-5"), ("do", "up"), ("for", "3h")]);
        let once = cron.changed_by(&written(&[("at", "2026-12-24 18:00")]));
        assert_eq!(once.line(), "\"late shift\" do=up for=3h at=\"2026-12-24 18:00\"");
    }
}
