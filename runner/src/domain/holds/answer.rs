//! What the desk tells about holds and the queue.

use serde::{Deserialize, Serialize};

use super::{Hold, HoldNumber, News};
use crate::domain::answer::RunSummary;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::{AtOnce, Turn};

/// The answer to an order about holds that was not refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldAnswer {
    /// A hold, freeze or keep began.
    Began {
        /// Which.
        hold: Hold,
        /// Runs of others that are under way and go on.
        going_on: Vec<RunSummary>,
        /// Runs of others that have changed nothing yet and will be refused while it lasts.
        refused: Vec<RunSummary>,
        /// What comes of it that a keep ends earlier than it was to.
        #[serde(default)]
        comes: Option<Comes>,
        /// Of what was made for one test, where it lasts longer than that: when that ends, and when at the latest.
        #[serde(default)]
        carries: Option<(Timestamp, Timestamp)>,
        /// What a keep makes of the schedules.
        #[serde(default)]
        keeps: Option<Box<Keeps>>,
    },
    /// Something is booked.
    Booked {
        /// Which.
        hold: Hold,
        /// Where it goes as that ends.
        afterwards: Afterwards,
    },
    /// It is over before its time.
    Lifted {
        /// Which.
        hold: Hold,
        /// It was somebody else's, who is told.
        of_another: bool,
        /// What comes of its end.
        #[serde(default)]
        comes: Option<Comes>,
    },
    /// One whose row nobody can read was taken away.
    Cleared {
        /// From where it was said.
        environment: EnvironmentName,
        /// Its number.
        number: HoldNumber,
        /// What was wrong with it.
        why: String,
    },
    /// The question is on its way.
    Asked {
        /// To whom.
        to: Vec<ActorId>,
        /// What they read.
        news: News,
    },
    /// They will be told once.
    WillTell {
        /// Which environment.
        environment: EnvironmentName,
        /// Until when they wait for it.
        until: Timestamp,
        /// They waited already.
        already: bool,
    },
    /// A run of theirs left the queue.
    Left(Box<RunSummary>),
    /// Everything stops.
    Stopped {
        /// The stop.
        hold: Hold,
        /// It was stopped already; what still runs was asked again.
        again: bool,
        /// What still runs.
        working: Vec<StillWorking>,
        /// Runs that had not begun, and are cancelled.
        emptied: Vec<RunSummary>,
        /// Runs that waited for a yes when something of them was done already, and end partial.
        half_done: Vec<RunSummary>,
        /// Runs of which nobody saw the end.
        unknown: Vec<RunNumber>,
        /// Runs that cannot be read, with what is wrong with each: they were not asked to stop.
        #[serde(default)]
        unread: Vec<(RunNumber, String)>,
    },
    /// Things may begin again.
    Resumed(Hold),
}

/// What a keep makes of what schedules do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Keeps {
    /// The end of the keep of the same person in whose place it is.
    pub instead_of: Option<Timestamp>,
    /// What would have happened and does not, in order.
    pub turns: Vec<Turn>,
    /// What comes next.
    pub next: Option<Turn>,
}

/// What the clock does because something does not keep it from that any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comes {
    /// Where it goes, and when.
    pub at_once: AtOnce,
    /// People are warned before.
    pub warned: bool,
}

/// A run that was asked to stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StillWorking {
    /// Which.
    pub run: RunSummary,
    /// Changes that are done.
    pub done: u32,
    /// Changes that were planned; 0 while it is not known.
    pub planned: u32,
}

/// The queue of one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueOf {
    /// Which environment.
    pub environment: EnvironmentName,
    /// The run that has it, and how long it has worked, in milliseconds.
    pub running: Option<(RunSummary, i64)>,
    /// Runs that wait, in order.
    pub waiting: Vec<Waiting>,
    /// Runs that wait for a yes, and for nobody's place meanwhile.
    pub asking: Vec<RunSummary>,
    /// Who holds or keeps it.
    pub holds: Vec<Hold>,
    /// What is wrong with its runs that cannot be read, one line each: nobody knows whether they have it or wait.
    pub unread: Vec<String>,
}

/// A run in the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// Which.
    pub run: RunSummary,
    /// Milliseconds until it starts, if those ahead take as long as last time; `None` when that is not known.
    pub starts_in_ms: Option<i64>,
    /// As things stand it will be refused when its turn comes.
    pub barred: bool,
}

/// A keep that ended because its environment is lowered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// Which.
    pub hold: Hold,
    /// It was the one of whoever lowers it.
    pub own: bool,
}

/// Where an environment goes as a booking ends, as far as that is known before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "goes", content = "to", rename_all = "snake_case")]
pub enum Afterwards {
    /// Its schedules ask for that then.
    Schedules(Target),
    /// Somebody asks for that then.
    Asked(Target),
    /// It is there now, and goes back or stays.
    Back(Target),
    /// Nobody asks for anything then: it goes to where `down` brings it.
    Rests(Target),
    /// What is kept about it cannot be read.
    Unknown,
}
