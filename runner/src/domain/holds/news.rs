//! What people are told about holds, stops and free environments: data that every chat makes its words from.

use serde::{Deserialize, Serialize};

use super::{About, Hold, HoldNumber};
use crate::domain::access::Link;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::made::LifeNews;
use crate::domain::rollout::Rollout;
use crate::domain::schedule::ClockNews;

/// How a hold came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Its time was over.
    Lapsed,
    /// Somebody lifted it.
    Lifted {
        /// Who.
        by: ActorId,
        /// Why, in their words.
        because: Option<String>,
    },
    /// Somebody lowered the environment all the same.
    Overridden {
        /// Who.
        by: ActorId,
        /// Why, in their words.
        because: Option<String>,
        /// By which run.
        run: RunNumber,
    },
}

impl Ending {
    /// The word for it in the ledger and the audit.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Lapsed => "lapsed",
            Self::Lifted { .. } => "lifted",
            Self::Overridden { .. } => "overridden",
        }
    }
}

/// One piece of news.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// A hold, freeze, keep or stop began.
    Began {
        /// Which.
        hold: Hold,
    },
    /// It is over.
    Over {
        /// Which.
        hold: Hold,
        /// How.
        ending: Ending,
    },
    /// One that nobody could read is over.
    Cleared {
        /// Who took it away; `None`: its time was over.
        by: Option<ActorId>,
        /// Which.
        number: HoldNumber,
        /// Under which environment that was said, or whose it was, as far as that is known.
        environment: Option<EnvironmentName>,
        /// What was wrong with it.
        why: String,
    },
    /// After a stop nothing runs any more.
    Still {
        /// The stop.
        hold: Hold,
        /// Runs of which nobody saw the end.
        unknown: Vec<RunNumber>,
        /// Runs that cannot be read, with what is wrong with each.
        #[serde(default)]
        unread: Vec<(RunNumber, String)>,
    },
    /// Somebody asks whoever has something.
    Asked {
        /// Who asks.
        by: ActorId,
        /// About what.
        about: About,
        /// In their words.
        words: String,
    },
    /// The environment is free.
    Free {
        /// Which.
        environment: EnvironmentName,
    },
    /// Of the clock.
    Clock {
        /// Of which environment.
        environment: EnvironmentName,
        /// What.
        said: ClockNews,
    },
    /// A change or plan of many environments is over.
    Rollout(Box<Rollout>),
    /// Of one that was made for one test.
    Life {
        /// Which.
        environment: EnvironmentName,
        /// Where it is spoken of, by the name of the chat: of what is gone nothing else tells it.
        channels: std::collections::BTreeMap<String, String>,
        /// What.
        said: LifeNews,
    },
    /// Somebody said the code of the reader: both are one person.
    Linked {
        /// By which id.
        by: ActorId,
        /// What they are called there.
        called: String,
    },
    /// A link of the reader is over.
    Unlinked {
        /// Who ended it.
        by: ActorId,
        /// What they are called.
        called: String,
        /// Which.
        link: Link,
    },
    /// What the people who look after Tidegate should know: of a secret that cannot be refreshed, or nears its end.
    Notice {
        /// In words, without secrets.
        text: String,
    },
    /// It did not become free in time.
    NotFree {
        /// Which.
        environment: EnvironmentName,
        /// Since when the reader waited.
        since: Timestamp,
    },
}
