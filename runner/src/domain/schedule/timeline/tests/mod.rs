//! The timeline by example, read as people would, and by its laws.

mod bends;
mod coming;
mod laws;
mod levels;

use std::collections::BTreeMap;

use chrono::DateTime;
use chrono_tz::Tz;

use super::{Agenda, Because, Transition, timeline};
use crate::domain::environment::Level;
use crate::domain::ids::{ActorId, Timestamp};
use crate::domain::request::Target;
use crate::domain::schedule::bend::{Bend, Bent};
use crate::domain::schedule::calendar::Calendar;
use crate::domain::schedule::item::{DEFAULT_CATCH_UP_S, DEFAULT_WARN_S, Fires, Origin, Schedule, Way, When};
use crate::domain::schedule::scale::Scale;
use crate::domain::schedule::wall::{OnGap, OnOverlap};

pub(in crate::domain::schedule) fn at(text: &str) -> Timestamp {
    Timestamp(DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}")).timestamp_millis())
}

pub(super) fn target(level: &str) -> Target {
    Target { level: level.parse().expect("a level"), settings: BTreeMap::new() }
}

pub(super) fn schedule(name: &str, zone: Tz, when: When) -> Schedule {
    Schedule {
        name: name.to_owned(),
        zone,
        when,
        holidays: Some("JP".to_owned()),
        on_gap: OnGap::First,
        on_overlap: OnOverlap::First,
        catch_up_s: DEFAULT_CATCH_UP_S,
        warn_s: DEFAULT_WARN_S,
        ready_by: false,
        tell: Vec::new(),
        origin: Origin::File { line: 1 },
        since: None,
    }
}

/// A window in Tokyo; `-` for a level that it does not ask for.
pub(in crate::domain::schedule) fn window(name: &str, text: &str, inside: &str, outside: &str) -> Schedule {
    let level = |level: &str| (level != "-").then(|| target(level));
    let window = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    schedule(name, Tz::Asia__Tokyo, When::Window { window, inside: level(inside), outside: level(outside) })
}

/// A crontab line in Tokyo: `0 2 1 * *`, `up full`, hours or nothing.
pub(in crate::domain::schedule) fn cron(name: &str, line: &str, fires: &str, hours: Option<u32>) -> Schedule {
    let line = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
    schedule(name, Tz::Asia__Tokyo, When::Crontab { line, fires: does(fires, hours) })
}

pub(super) fn once(name: &str, moment: &str, fires: &str, hours: Option<u32>) -> Schedule {
    let at = moment.parse().unwrap_or_else(|error| panic!("{moment}: {error}"));
    schedule(name, Tz::Asia__Tokyo, When::At { at, fires: does(fires, hours) })
}

fn does(text: &str, hours: Option<u32>) -> Fires {
    let (way, level) = text.split_once(' ').expect("a way and a level");
    let way = if way == "up" { Way::Up } else { Way::Down };
    Fires { way, target: target(level), for_s: hours.map(|hours| hours * 3_600) }
}

pub(super) fn bent(number: i64, bend: Bend) -> Bent {
    Bent { number, by: ActorId::local("ito"), called: "ito".to_owned(), because: None, bend }
}

/// What a test has written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) scale: Scale,
    pub(super) schedules: Vec<Schedule>,
    pub(super) calendars: BTreeMap<String, Calendar>,
    pub(super) bends: Vec<Bent>,
}

impl Written {
    pub(super) fn new(schedules: Vec<Schedule>) -> Self {
        let levels = ["small", "full", "huge"].map(|name| name.parse().expect("a profile")).to_vec();
        let scale = Scale { levels, rest: "small".parse::<Level>().expect("a level"), sizes: BTreeMap::new() };
        for schedule in &schedules {
            schedule.check(&scale).unwrap_or_else(|error| panic!("{}: {error}", schedule.name));
        }
        let calendars = BTreeMap::from([("JP".to_owned(), Calendar::of("JP").expect("it is built in"))]);
        Self { scale, schedules, calendars, bends: Vec::new() }
    }

    pub(super) fn bent(mut self, bends: impl IntoIterator<Item = Bend>) -> Self {
        self.bends = bends.into_iter().zip(1..).map(|(bend, number)| bent(number, bend)).collect();
        self
    }

    pub(super) fn agenda(&self) -> Agenda<'_> {
        Agenda {
            zone: Tz::Asia__Tokyo,
            scale: &self.scale,
            schedules: &self.schedules,
            calendars: &self.calendars,
            bends: &self.bends,
        }
    }

    /// The transitions between two dates of Tokyo, one a line.
    pub(super) fn told(&self, from: &str, to: &str) -> Vec<String> {
        let moment = |date: &str| at(&format!("{date}T00:00:00+09:00"));
        timeline(&self.agenda(), moment(from), moment(to)).iter().map(told).collect()
    }
}

pub(super) fn told(transition: &Transition) -> String {
    let why = |because: &Because| match because {
        Because::Begins { schedule } => format!("{schedule} begins"),
        Because::Ends { schedule } => format!("{schedule} ends"),
        Because::Asks { schedule } => format!("{schedule} asks"),
        Because::Bent { number } => format!("bend {number}"),
        Because::Unbent { number } => format!("bend {number} ends"),
        Because::Rests => "rests".to_owned(),
    };
    let because: Vec<_> = transition.because.iter().map(why).collect();
    format!("{} {}: {}", transition.local.format("%a %m-%d %H:%M"), transition.wanted.level, because.join(", "))
}
