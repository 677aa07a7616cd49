//! Durations as the configuration writes them: `90s`, `5m`, `2h`, `1d`.

use std::ops::RangeInclusive;

use super::document::Path;
use super::findings::Findings;
use super::problem::quoted;

/// The form of a duration, for the JSON Schema.
pub(super) const PATTERN: &str = "^[0-9]+[smhd]$";

/// Seconds in a duration; `None` when it is not one or does not fit.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let unit = text.chars().last()?;
    let number = text.strip_suffix(unit)?;
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number.parse::<u32>().ok()?.checked_mul(factor)
}

/// The duration written at `path`, within `range` seconds; what is wrong goes to `findings`.
pub(super) fn read(
    path: &Path<'_>,
    text: &str,
    range: RangeInclusive<u32>,
    findings: &mut Findings<'_, '_>,
) -> Option<u32> {
    let Some(found) = seconds(text) else {
        let hint = "write a whole number and a unit: `90s`, `5m`, `2h`, `1d`".to_owned();
        findings.at_value(path, format!("{} is not a duration", quoted(text)), Some(hint));
        return None;
    };
    if !range.contains(&found) {
        let message =
            format!("{} is outside of {} to {}", quoted(text), written(*range.start()), written(*range.end()));
        let nearest = if found < *range.start() { *range.start() } else { *range.end() };
        findings.at_value(path, message, Some(format!("write {}", written(nearest))));
        return None;
    }
    Some(found)
}

/// The shortest way to write a number of seconds.
fn written(seconds: u32) -> String {
    match seconds {
        0 => "`0s`".to_owned(),
        s if s % 86_400 == 0 => format!("`{}d`", s / 86_400),
        s if s % 3_600 == 0 => format!("`{}h`", s / 3_600),
        s if s % 60 == 0 => format!("`{}m`", s / 60),
        s => format!("`{s}s`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("2h"), Some(7_200));
        assert_eq!(seconds("1d"), Some(86_400));
        for wrong in ["", "s", "5", "-5m", "5 m", "1.5h", "5分", "９s", "99999999999d", "5mm"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
