//! Numbers as people write them, for refusals that offer the number that was meant.

/// What a text says about a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// A whole number, plainly written.
    Whole(i64),
    /// Whole, and beyond what 64 bits hold: the end that it is beyond.
    TooLarge(i64),
    /// With a sign in front that may have meant a change: `+5`. The number is without it.
    Plus(i64),
    /// Another notation (`1e9`, `0x10`, `4.5`, `1,000`, `ten`): the whole numbers that it lies between, which are the same for a
    /// whole one.
    Other {
        /// The one not above it.
        floor: i64,
        /// The one not below it.
        ceil: i64,
    },
    /// No number.
    Not,
}

const WORDS: [&str; 13] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// Reads `text`. Only ASCII digits, at most one `-`, are a plainly written number.
pub(super) fn read(text: &str) -> Reading {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit()) {
        let end = if text.starts_with('-') { i64::MIN } else { i64::MAX };
        return text.parse().map_or(Reading::TooLarge(end), Reading::Whole);
    }
    if let Some(Ok(number)) = text.strip_prefix('+').filter(|rest| !rest.starts_with(['+', '-'])).map(str::parse) {
        return Reading::Plus(number);
    }
    other(&text.to_lowercase()).map_or(Reading::Not, |(floor, ceil)| Reading::Other { floor, ceil })
}

fn other(text: &str) -> Option<(i64, i64)> {
    let whole = |number: i64| (number, number);
    if text.chars().count() > 40 {
        return None;
    }
    if let Some(at) = WORDS.iter().position(|word| *word == text) {
        return i64::try_from(at).ok().map(whole);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return i64::from_str_radix(hexadecimal, 16).ok().map(whole);
    }
    if !text.chars().next()?.is_ascii_digit() {
        return None;
    }
    let grouped: String = text.chars().filter(|c| !matches!(c, ',' | '_' | '\'')).collect();
    if let Ok(number) = grouped.parse() {
        return Some(whole(number));
    }
    let number: f64 = grouped.parse().ok()?;
    // Through text: a cast would need a reason for its loss. What is beyond 64 bits is no number to offer.
    let exactly = |number: f64| format!("{number:.0}").parse().ok();
    Some((exactly(number.floor())?, exactly(number.ceil())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_strictly_and_guessed_kindly() {
        for (text, reading) in [
            ("40", Reading::Whole(40)),
            ("-5", Reading::Whole(-5)),
            ("007", Reading::Whole(7)),
            ("99999999999999999999", Reading::TooLarge(i64::MAX)),
            ("-99999999999999999999", Reading::TooLarge(i64::MIN)),
            ("+5", Reading::Plus(5)),
            ("++5", Reading::Not),
            ("+-5", Reading::Not),
            ("1e9", Reading::Other { floor: 1_000_000_000, ceil: 1_000_000_000 }),
            ("0x10", Reading::Other { floor: 16, ceil: 16 }),
            ("4.5", Reading::Other { floor: 4, ceil: 5 }),
            ("1,000", Reading::Other { floor: 1000, ceil: 1000 }),
            ("Ten", Reading::Other { floor: 10, ceil: 10 }),
            ("10²", Reading::Not),
            ("٤٠", Reading::Not),
            ("1e999", Reading::Not),
            ("nan", Reading::Not),
            ("inf", Reading::Not),
            ("", Reading::Not),
            ("-", Reading::Not),
            ("--5", Reading::Not),
        ] {
            assert_eq!(read(text), reading, "{text}");
        }
    }
}
