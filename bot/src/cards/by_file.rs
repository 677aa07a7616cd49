//! What a configuration does as soon as it is taken, for `tidegate check`.

use tidegate_runner::agenda::ByFile;
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::schedule::in_words;

use super::words::duration;

/// `shop: now full; by this file small: it goes there after a warning of 15 min`.
#[must_use]
pub fn line(one: &ByFile, now: Timestamp) -> String {
    let ByFile { environment, at_once, warned } = one;
    let from = at_once.from.as_ref().map_or_else(|| "as it is".to_owned(), in_words);
    let Some(to) = &at_once.to else { return format!("{environment}: now {from}; by this file it stays so") };
    let to_level = in_words(&to.wanted);
    let when = if *warned {
        format!("it goes there after a warning of {}", duration(to.at.ms_since(now)))
    } else {
        "it goes there as soon as this is taken".to_owned()
    };
    format!("{environment}: now {from}; by this file {to_level}: {when}")
}

/// That it is not known, and why.
#[must_use]
pub fn not_known(why: &str) -> String {
    format!("What this file does as soon as it is taken is not known, as the ledger cannot be read: {why}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono_tz::Tz;
    use tidegate_runner::domain::request::Target;
    use tidegate_runner::domain::schedule::{AtOnce, Turn};

    use super::*;

    #[test]
    fn a_line_says_where_it_is_to_be_now_where_it_goes_and_after_which_warning() {
        let target = |level: &str| Target { level: level.parse().expect("a level"), settings: BTreeMap::new() };
        let now = Timestamp(1_795_834_800_000);
        let one = |minutes: i64, to: &str, warned| ByFile {
            environment: "shop".parse().expect("a name"),
            at_once: AtOnce {
                from: Some(target("full")),
                to: Some(Turn::new(now.plus_ms(minutes * 60_000), Tz::UTC, target(to))),
            },
            warned,
        };
        assert_eq!(
            line(&one(15, "small", true), now),
            "shop: now full; by this file small: it goes there after a warning of 15 min"
        );
        assert_eq!(
            line(&one(0, "huge", false), now),
            "shop: now full; by this file huge: it goes there as soon as this is taken"
        );
    }
}
