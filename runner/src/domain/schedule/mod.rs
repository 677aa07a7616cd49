//! Schedules: at which level an environment should be, when. Everything that knows *when* is here, as pure functions of what is
//! written and of the moment asked about: windows, crontab lines, holidays, what people bend for a while, and the one
//! [`timeline`] that fires, previews, warns, catches up and counts.

mod bend;
mod calendar;
mod check;
mod crontab;
mod item;
mod mark;
mod misread;
mod news;
mod once;
mod order;
mod scale;
mod seen;
mod timeline;
mod timetable;
mod wall;
mod window;
mod wish;
mod written;

pub use bend::{Bend, Bent, CHANGED, Foretold, PUT_OFF, Skipped};
pub use calendar::{COUNTRIES, Calendar, CalendarError, DatesError, IcsError, OwnDay, own_dates, read_ics};
pub use check::{Conflict, Quiet, QuietKind, conflicts, never, quiet_days, swallowed, unknown_years};
pub use crontab::Crontab;
pub use item::{
    DEFAULT_CATCH_UP_S, DEFAULT_WARN_S, Fires, LONGEST_FOR_S, Origin, Schedule, ScheduleError, Way, When, YEARS_AHEAD,
};
pub use misread::{Misread, Wrong};
pub use news::{ClockNews, HeldBack, OddDay, Overdue, Reasons};
pub use once::At;
pub use order::{AtOnce, BendAnswer, BendOrder, BentOne, PAUSE_MAX_MS, SKIP_DAYS_MAX, Skipping, TakeAway, Turn};
pub use scale::Scale;
pub use seen::{ALL_SEEN, as_seen, content, since};
pub use timeline::{
    Agenda, Because, Coming, Idle, Note, Outlook, Standing, Transition, coming, end_of_change, level_at, next_after,
    outlook, schedules_last_in, schedules_next_after, skips_at, skips_of, timeline,
};
pub use timetable::{DEFAULT_VISIT_S, Timetable, Unsaid};
pub use wall::{ClockChange, OnGap, OnOverlap, clock_changes, first_instant};
pub(super) use wall::{instant, local};
pub use window::{Sides, Window};
pub use wish::{WishError, in_words, read_do, read_target};
pub use written::{Deed, Listed, ScheduleAnswer, ScheduleOrder, Schedules, Signed, Stored, Written};
