//! One-time schedules: `2026-12-24 18:00`.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::misread::{Misread, Wrong, end, words};
use super::window::read;

/// One moment of the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct At(pub(super) NaiveDateTime);

impl At {
    /// The moment, on the wall clock of the schedule's zone.
    #[must_use]
    pub fn wall(self) -> NaiveDateTime {
        self.0
    }
}

impl FromStr for At {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let words = words(text);
        match words.as_slice() {
            [] => Err(Misread { column: 1, wrong: Wrong::Empty("`2026-12-24 18:00`") }),
            [(column, day)] => {
                read::date(*column, day)?;
                Err(Misread { column: end(text), wrong: Wrong::Missing("a time of day, like `18:00`") })
            }
            [(day_at, day), (time_at, time)] => {
                let (date, minute) = (read::date(*day_at, day)?, read::begin(*time_at, time)?);
                let wrong = Misread { column: *day_at, wrong: Wrong::Date((*day).to_owned()) };
                read::moment(date, minute).map(Self).ok_or(wrong)
            }
            [_, _, (column, found), ..] => Err(Misread {
                column: *column,
                wrong: Wrong::Unexpected { found: (*found).to_owned(), wanted: "one date and one time only" },
            }),
        }
    }
}

impl TryFrom<String> for At {
    type Error = Misread;
    fn try_from(text: String) -> Result<Self, Misread> {
        text.parse()
    }
}

impl From<At> for String {
    fn from(at: At) -> Self {
        at.to_string()
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.format("%Y-%m-%d %H:%M").fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moment_is_a_date_and_a_time() {
        let read = |text: &str| text.parse::<At>().map(|at| at.to_string()).map_err(|wrong| wrong.to_string());
        assert_eq!(read(" 2026-12-24  18:00 "), Ok("2026-12-24 18:00".to_owned()));
        for (text, column) in [
            ("", 1),
            ("2026-02-30 18:00", 1),
            ("2026-12-24", 11),
            ("2026-12-24 25:00", 12),
            ("2026-12-24 18:00 19:00", 18),
            ("2026-12-24 24:00", 12),
        ] {
            assert_eq!(text.parse::<At>().map_err(|wrong| wrong.column), Err(column), "{text}");
        }
    }
}
