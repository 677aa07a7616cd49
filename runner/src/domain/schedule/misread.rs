//! What is wrong in a text that says when, and at which of its characters.

/// Where a text about time goes wrong, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong} (column {column})")]
pub struct Misread {
    /// The first character that is wrong, counted in characters from 1. What is missing at the end is one after the last.
    pub column: usize,
    /// What is wrong there.
    pub wrong: Wrong,
}

/// Why a text says no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Nothing is written.
    #[error("nothing is written: write something like {0}")]
    Empty(&'static str),
    /// Not a day of the week.
    #[error("`{0}` is not a day: mon, tue, wed, thu, fri, sat, sun")]
    Day(String),
    /// A day is in it twice.
    #[error("`{0}` is in it twice")]
    Twice(String),
    /// Not a time of day.
    #[error("`{0}` is not a time of day: write it like `09:00`, at most `24:00`")]
    Time(String),
    /// Nothing begins at the end of a day.
    #[error("nothing begins at 24:00: write 00:00 of the day after")]
    BeginsAtMidnight,
    /// Not a date of the calendar.
    #[error("`{0}` is not a date of the calendar: write it like `2026-12-24`")]
    Date(String),
    /// Not one of the weeks of a month.
    #[error("`{0}` is no such week of a month: 1st, 2nd, 3rd, 4th, 5th, last")]
    Nth(String),
    /// It lasts no time, or for ever.
    #[error("it ends when it begins: a whole day is `00:00-24:00`")]
    Ends,
    /// It ends before it begins.
    #[error("it ends before it begins")]
    Backwards,
    /// Something else was expected there.
    #[error("`{found}` was not expected there: write {wanted}")]
    Unexpected {
        /// What stands there.
        found: String,
        /// What may stand there.
        wanted: &'static str,
    },
    /// It stops too early.
    #[error("something is missing here: write {0}")]
    Missing(&'static str),
    /// Six fields: the first would be seconds.
    #[error("six fields: a crontab line has five (minute hour day month weekday) and no seconds; leave out the first")]
    Seconds,
    /// Another number of fields.
    #[error("{0} fields: a crontab line has five, `minute hour day month weekday`")]
    Fields(usize),
    /// A value outside its field.
    #[error("`{found}` is no {field}: {range}")]
    Field {
        /// What stands there.
        found: String,
        /// Which field it is.
        field: &'static str,
        /// What the field takes.
        range: &'static str,
    },
    /// A step of nothing.
    #[error("a step of 0 never gets anywhere: `{0}`")]
    NoStep(String),
    /// A range that ends before it begins.
    #[error("`{found}` goes backwards, which crontabs do not know: write `{instead}`")]
    Wraps {
        /// The range.
        found: String,
        /// The same as two ranges.
        instead: String,
    },
    /// A step after one value, which crontabs understand differently.
    #[error("`{found}`: crontabs differ on a step after a single value: write `{instead}`")]
    LoneStep {
        /// The element.
        found: String,
        /// What is most probably meant.
        instead: String,
    },
    /// A name such as `@reboot` that is no time.
    #[error("`@reboot` is no time of the clock: an environment goes up by a window or at a time")]
    Reboot,
    /// An unknown name.
    #[error("`{0}` is no crontab name: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually")]
    AtName(String),
    /// No month has such a day.
    #[error("day {day} is in none of these months: it never fires")]
    NoSuchDay {
        /// The field for days.
        day: String,
    },
    /// The parser behind the translation refuses it.
    #[error("it cannot be read: {0}")]
    Refused(String),
}

/// A text cut at blanks, each word with the column of its first character.
pub(super) fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begun: Option<(usize, usize)> = None;
    for (column, (byte, letter)) in text.char_indices().enumerate() {
        match (letter.is_whitespace(), begun) {
            (true, Some((at, from))) => {
                found.push((at, text.get(from..byte).unwrap_or_default()));
                begun = None;
            }
            (false, None) => begun = Some((column + 1, byte)),
            (true, None) | (false, Some(_)) => {}
        }
    }
    if let Some((at, from)) = begun {
        found.push((at, text.get(from..).unwrap_or_default()));
    }
    found
}

/// One after the last character of a text.
pub(super) fn end(text: &str) -> usize {
    text.trim_end().chars().count() + 1
}
