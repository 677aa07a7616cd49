//! The holidays that are built in. Source: `PyPI`'s `holidays`, by `tests/oracles/holidays_table.py`; each list says the version.

use std::sync::LazyLock;

use chrono::{Datelike as _, NaiveDate};

/// Codes of the lists that are built in, for refusals and `check`.
pub const COUNTRIES: [&str; 9] = ["JP", "US", "GB", "GB-ENG", "GB-WLS", "GB-SCT", "GB-NIR", "DE", "FR"];

/// The holidays of one country, or of a part of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Country {
    /// In ascending order, never empty.
    days: Vec<(NaiveDate, &'static str)>,
}

macro_rules! list {
    ($name:ident, $file:literal) => {
        static $name: LazyLock<Country> =
            LazyLock::new(|| Country::read(include_str!(concat!("holidays/", $file, ".txt"))));
    };
}

list!(JAPAN, "JP");
list!(UNITED_STATES, "US");
list!(ENGLAND, "GB-ENG");
list!(SCOTLAND, "GB-SCT");
list!(NORTHERN_IRELAND, "GB-NIR");
list!(GERMANY, "DE");
list!(FRANCE, "FR");

/// The list for a code, in capitals or not.
pub(super) fn find(code: &str) -> Option<&'static Country> {
    Some(match code.to_uppercase().as_str() {
        "JP" => &JAPAN,
        "US" => &UNITED_STATES,
        // England's and Wales' are the same.
        "GB" | "GB-ENG" | "GB-WLS" => &ENGLAND,
        "GB-SCT" => &SCOTLAND,
        "GB-NIR" => &NORTHERN_IRELAND,
        "DE" => &GERMANY,
        "FR" => &FRANCE,
        _ => return None,
    })
}

impl Country {
    fn read(text: &'static str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once(' '));
        Self { days: lines.filter_map(|(date, name)| Some((date.parse().ok()?, name))).collect() }
    }

    pub(super) fn holiday(&self, date: NaiveDate) -> Option<&'static str> {
        let at = self.days.binary_search_by_key(&date, |(date, _)| *date).ok()?;
        self.days.get(at).map(|(_, name)| *name)
    }

    pub(super) fn first_year(&self) -> i32 {
        self.days.first().map_or(0, |(date, _)| date.year())
    }

    pub(super) fn last_year(&self) -> i32 {
        self.days.last().map_or(0, |(date, _)| date.year())
    }
}
