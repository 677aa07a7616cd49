//! Moments that lie ahead, as people write them: `22:00`, `10pm`, `2h30m`, `tomorrow 9:00`, `fri 18:00`, `12-24 18:00`, `明日9時`.

use chrono::{DateTime, Datelike, Days, Month, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Weekday};
use chrono_tz::{TZ_VARIANTS, Tz};
use tidegate_runner::domain::ids::Timestamp;

use super::moment::End;
use crate::zone::Zone;

/// A moment as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ahead {
    /// It lies ahead.
    At(Timestamp),
    /// It has passed; what to type for the next one.
    Passed(String),
    /// It lies beyond what anybody can mean.
    Beyond,
}

/// Furthest moment that is believed: a hundred years ahead, in milliseconds.
const FURTHEST_MS: i64 = 36_525 * DAY_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const SECOND_MS: i64 = 1_000;
/// Most digits behind the point of `1.5h` that count.
const FRACTION_MAX: usize = 3;
/// When an evening begins, in hours of the wall clock: as for `skip ENV tonight`.
const EVENING: u32 = 18;
/// The most words that one moment has: `in 1 h 30 min`.
pub(super) const WORDS_MAX: usize = 5;

/// Milliseconds of `90m`, `2h`, `2h30m`, `1.5h`, `1 h 30 min`, `90s`, `3d`, `1w`, `2時間`; `None` for what is none, or nothing. What is too long for
/// a number is the largest.
pub(super) fn span(text: &str) -> Option<i64> {
    let (mut rest, mut total, mut last) = (text.trim(), 0_i64, i64::MAX);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let number = rest.strip_suffix(after).filter(|number| !number.is_empty())?;
        let after = after.trim_start();
        let next = after.trim_start_matches(|c: char| !c.is_ascii_digit() && !c.is_whitespace());
        let unit_ms = unit(after.strip_suffix(next)?)?;
        // `30m2h` is a slip of the pen.
        if unit_ms >= last {
            return None;
        }
        last = unit_ms;
        total = total.saturating_add(times(number, unit_ms)?);
        rest = next.trim_start();
    }
    Some(total).filter(|ms| *ms > 0)
}

/// So many of a unit: `1.5` of an hour. `None` for no number; what is too long for one is the largest.
fn times(number: &str, unit_ms: i64) -> Option<i64> {
    let (whole, part) = number.split_once('.').map_or((number, None), |(whole, part)| (whole, Some(part)));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !part.is_none_or(|part| is_digits(part) && part.len() <= FRACTION_MAX) {
        return None;
    }
    let of_part = part.map_or(Some(0), |part| {
        let scale = 10_i64.checked_pow(u32::try_from(part.len()).ok()?)?;
        Some(part.parse::<i64>().ok()? * unit_ms / scale)
    })?;
    Some(whole.parse().unwrap_or(i64::MAX).saturating_mul(unit_ms).saturating_add(of_part))
}

fn unit(word: &str) -> Option<i64> {
    match word {
        "s" | "sec" | "secs" | "second" | "seconds" | "秒" => Some(SECOND_MS),
        "m" | "min" | "mins" | "minute" | "minutes" | "分" => Some(MINUTE_MS),
        "h" | "hr" | "hrs" | "hour" | "hours" | "時間" => Some(HOUR_MS),
        "d" | "day" | "days" | "日間" => Some(DAY_MS),
        "w" | "week" | "weeks" | "週間" => Some(7 * DAY_MS),
        "y" | "year" | "years" | "年間" => Some(365 * DAY_MS),
        _ => None,
    }
}

/// Reads one moment, in at most [`WORDS_MAX`] words, on the clock of `zone` unless its last word names another one. A bare day is its
/// first moment or the moment after its last. `None` when the text is none.
pub(super) fn read(text: &str, end: End, now: Timestamp, zone: Zone) -> Option<Ahead> {
    let lower = text.trim().to_lowercase();
    if let Some((rest, named)) = zoned(&lower) {
        return Some(match read(rest, end, now, Zone::Told(named))? {
            Ahead::Passed(next) => Ahead::Passed(format!("{next} {named}")),
            found @ (Ahead::At(_) | Ahead::Beyond) => found,
        });
    }
    if let Some(ms) = span(lower.strip_prefix("in ").unwrap_or(&lower)) {
        return Some(judged(now.0.checked_add(ms).map(Timestamp), now, String::new));
    }
    let today = zone.local(now)?.naive_local();
    if let Ok(at) = DateTime::parse_from_rfc3339(&lower.to_uppercase()) {
        let wall = zone.local(Timestamp(at.timestamp_millis()))?.naive_local();
        return Some(judged(Some(Timestamp(at.timestamp_millis())), now, || next_at(wall.time(), now, zone)));
    }
    let said = Said::read(&lower, today)?;
    Some(judged(said.wall(end, today).and_then(|wall| zone.instant(wall)), now, || said.next(end, now, zone)))
}

/// A text without the zone that its last word names, and that: `22:00 Europe/Berlin`.
fn zoned(lower: &str) -> Option<(&str, Tz)> {
    let (rest, last) = lower.rsplit_once(char::is_whitespace)?;
    let named = |zone: &&Tz| zone.name().eq_ignore_ascii_case(last);
    let zone = Some(last).filter(|last| *last == "utc" || last.contains('/'));
    zone.and_then(|_| TZ_VARIANTS.iter().find(named)).map(|zone| (rest.trim_end(), *zone))
}

/// The days that `next fri` can mean, and `next week`: of a day of the week the first one from tomorrow on, and the one a week later; of a
/// week its first day and its last.
pub(super) fn next_days(word: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let in_days = |days: u32| today.checked_add_days(Days::new(u64::from(days)));
    let since_monday = today.weekday().num_days_from_monday();
    let (first, further) = if word == "week" {
        (7 - since_monday, 6)
    } else {
        (
            match (weekday(word)?.num_days_from_monday() + 7 - since_monday) % 7 {
                0 => 7,
                days => days,
            },
            7,
        )
    };
    Some((in_days(first)?, in_days(first + further)?))
}

/// `2026-12-24 18:00`: what a one-time schedule on the clock of `zone` says of a moment, to the minute and not before it.
pub(super) fn wall(at: Timestamp, zone: Zone) -> Option<String> {
    let minute = Timestamp(at.0.checked_add(MINUTE_MS - 1)?.div_euclid(MINUTE_MS) * MINUTE_MS);
    Some(zone.local(minute)?.format("%Y-%m-%d %H:%M").to_string())
}

/// How long it lasts in milliseconds that begins at `begins` and ends as a text says: after a span of time, or at a moment after it.
pub(super) fn lasts(is_span: bool, end: &str, begins: Timestamp, zone: Zone) -> Option<i64> {
    if is_span {
        return span(&end.to_lowercase());
    }
    let ends = match read(end, End::Last, begins, zone)? {
        Ahead::Passed(later) => read(&later, End::Last, begins, zone)?,
        ends @ (Ahead::At(_) | Ahead::Beyond) => ends,
    };
    match ends {
        Ahead::At(ends) => Some(ends.ms_since(begins)),
        Ahead::Passed(_) | Ahead::Beyond => None,
    }
}

/// Whether a text names a day, and no time of it.
pub(super) fn is_day(text: &str, now: Timestamp, zone: Zone) -> bool {
    let lower = text.trim().to_lowercase();
    let said =
        zone.local(now).filter(|_| span(&lower).is_none()).and_then(|today| Said::read(&lower, today.naive_local()));
    said.is_some_and(|said| said.time.is_none())
}

fn judged(found: Option<Timestamp>, now: Timestamp, next: impl FnOnce() -> String) -> Ahead {
    match found {
        Some(at) if at.ms_since(now) > FURTHEST_MS => Ahead::Beyond,
        Some(at) if at > now => Ahead::At(at),
        Some(_) => Ahead::Passed(next()),
        None => Ahead::Beyond,
    }
}

/// The same time of day when it comes next.
fn next_at(time: NaiveTime, now: Timestamp, zone: Zone) -> String {
    let today = zone.local(now).and_then(|local| zone.instant(local.date_naive().and_time(time)));
    let day = if today.is_some_and(|at| at > now) { "today" } else { "tomorrow" };
    format!("{day} {}", time.format("%H:%M"))
}

/// A time of the wall clock as it was said: a day, a time of day, or both.
#[derive(Debug)]
struct Said {
    day: Option<Day>,
    time: Option<Clock>,
    /// The day is `tonight`: it begins in the evening.
    tonight: bool,
}

#[derive(Debug)]
struct Day {
    date: NaiveDate,
    again: Again,
}

/// When a day comes again that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Weekly,
    Yearly,
    Never,
}

/// A time of day. `24:00` is the first of the next day.
#[derive(Debug, Clone, Copy)]
struct Clock {
    time: NaiveTime,
    /// It ends the day.
    ends: bool,
    /// It says itself which half of the day.
    whole: bool,
}

impl Said {
    fn read(text: &str, today: NaiveDateTime) -> Option<Self> {
        let words = words(text);
        let words: Vec<&str> = words.iter().map(String::as_str).filter(|word| *word != "at").collect();
        let (day, time) = match words.as_slice() {
            [] => return None,
            // `22:00 tomorrow`, as many say it, too.
            [one] => clock(one).map_or((words.as_slice(), None), |time| (&[][..], Some(time))),
            [first, day @ ..] if clock(first).is_some() => (day, clock(first)),
            [day @ .., last] => clock(last).map_or((words.as_slice(), None), |time| (day, Some(time))),
        };
        let tonight = matches!(day, ["tonight" | "今夜" | "今晩"]);
        if time.is_some_and(|time| time.ends && !time.whole) && !(tonight || matches!(day, [] | ["today" | "今日"])) {
            // Which end of that day is midnight?
            return None;
        }
        let mut said = Self { tonight, day: (!day.is_empty()).then(|| named(day, today.date())).flatten(), time };
        if said.day.is_none() && !day.is_empty() {
            return None;
        }
        if tonight && let Some(time) = &mut said.time {
            said.day = Some(time.tonight(today)?);
        }
        Some(said)
    }

    fn wall(&self, end: End, today: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = self.day.as_ref().map_or(today.date(), |day| day.date);
        match (self.time, end) {
            (Some(Clock { ends: false, time, .. }), _) => Some(date.and_time(time)),
            (None, End::First) if self.tonight => date.and_hms_opt(EVENING, 0, 0),
            (None, End::First) => Some(date.and_time(NaiveTime::MIN)),
            (Some(Clock { ends: true, .. }), _) | (None, End::Last) => {
                Some(date.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN))
            }
        }
    }

    /// What to type instead, when it has passed.
    fn next(&self, end: End, now: Timestamp, zone: Zone) -> String {
        let again = self.day.as_ref().and_then(|Day { date, again }| match again {
            Again::Weekly => date.checked_add_days(Days::new(7)),
            Again::Yearly => yearly(date.month(), date.day(), date.succ_opt()?),
            Again::Never => None,
        });
        match (again, self.time) {
            (Some(date), Some(Clock { ends: true, .. })) => format!("{date} 24:00"),
            (Some(date), Some(Clock { time, .. })) => format!("{date} {}", time.format("%H:%M")),
            (Some(date), None) => date.to_string(),
            (None, Some(Clock { ends: true, .. })) => "today 24:00".to_owned(),
            (None, Some(Clock { time, .. })) => next_at(time, now, zone),
            (None, None) if end == End::Last => "today".to_owned(),
            (None, None) => "tomorrow".to_owned(),
        }
    }
}

impl Clock {
    /// Makes it a time of this evening or night, and gives its day: `tonight 10:00` is 22:00, `tonight 1:00` is behind midnight.
    fn tonight(&mut self, today: NaiveDateTime) -> Option<Day> {
        let mut date = today.date();
        if !self.whole && (5..12).contains(&self.time.hour()) {
            self.time = self.time.with_hour(self.time.hour() + 12)?;
        } else if !self.ends && self.time.hour() < 5 && self.time <= today.time() {
            date = date.checked_add_days(Days::new(1))?;
        }
        Some(Day { date, again: Again::Never })
    }
}

/// The words of a moment: `明日の9時` and `2026-11-21T09:00` are two each, `10 pm` is one.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if matches!(word, "am" | "pm")
            && let Some(last) = words.last_mut().filter(|last| last.ends_with(|c: char| c.is_ascii_digit()))
        {
            last.push_str(word);
            continue;
        }
        let apart = || word.split_once('t').filter(|(day, _)| day.ends_with(|c: char| c.is_ascii_digit()));
        let (day, rest) = japanese_day(word).or_else(apart).unwrap_or((word, ""));
        words.extend(
            [day, rest.trim_start_matches('の')].iter().filter(|word| !word.is_empty()).map(ToString::to_string),
        );
    }
    words
}

/// The day that a word begins with which needs no space behind it, and the rest.
fn japanese_day(word: &str) -> Option<(&str, &str)> {
    const DAYS: [&str; 9] = ["今日", "本日", "今夜", "今晩", "明日", "明後日", "昨日", "あした", "あさって"];
    let split = |end: usize| word.split_at_checked(end);
    if let Some(day) = DAYS.iter().find(|day| word.starts_with(**day)) {
        return split(day.len());
    }
    if let Some((month, rest)) = word.split_once('月')
        && let Some((day, _)) = rest.split_once('日')
        && [month, day].iter().all(|part| short(part))
    {
        return split(month.len() + "月".len() + day.len() + "日".len());
    }
    let days = word.strip_prefix("来週").unwrap_or(word);
    let end = days.find('曜').filter(|at| *at == "月".len())? + "曜".len();
    let end = if days.get(end..).is_some_and(|rest| rest.starts_with('日')) { end + "日".len() } else { end };
    split(word.len() - days.len() + end)
}

/// The date that one word names, the first such from `today` on: `tomorrow`, `fri`, `12-24`, `2026-12-24`, `明日`.
pub(super) fn date(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    named(&[word], today).map(|day| day.date)
}

/// The day that these words name.
fn named(words: &[&str], today: NaiveDate) -> Option<Day> {
    let in_days = |days: u64| Some(Day { date: today.checked_add_days(Days::new(days))?, again: Again::Never });
    let of_year = |month: u32, day: u32| Some(Day { date: yearly(month, day, today)?, again: Again::Yearly });
    match words {
        ["today" | "tonight" | "今日" | "本日" | "今夜" | "今晩"] => in_days(0),
        ["tomorrow" | "明日" | "あした"] => in_days(1),
        ["明後日" | "あさって"] => in_days(2),
        ["yesterday" | "昨日"] => Some(Day { date: today.pred_opt()?, again: Again::Never }),
        [word] => {
            if let Some(rest) = word.strip_prefix("来週") {
                let ahead = 7 - today.weekday().num_days_from_monday() + weekday(rest)?.num_days_from_monday();
                return in_days(u64::from(ahead));
            }
            if let Some(day) = weekday(word) {
                let ahead = (day.num_days_from_monday() + 7 - today.weekday().num_days_from_monday()) % 7;
                return in_days(u64::from(ahead)).map(|day| Day { again: Again::Weekly, ..day });
            }
            if let Some((month, day)) = word.strip_suffix('日').and_then(|word| word.split_once('月')) {
                return of_year(digits(month)?, digits(day)?);
            }
            let plain = word.replace('/', "-");
            match plain.split('-').collect::<Vec<_>>().as_slice() {
                [year, month, day] if year.len() == 4 && [month, day].iter().all(|part| short(part)) => {
                    let date = NaiveDate::from_ymd_opt(year.parse().ok()?, digits(month)?, digits(day)?)?;
                    Some(Day { date, again: Again::Never })
                }
                // `3/4` is in March here and in April there.
                [month, day] if !word.contains('/') => of_year(digits(month)?, digits(day)?),
                _ => None,
            }
        }
        [one, other] => {
            let (month, day) = one
                .parse::<Month>()
                .map(|month| (month, other))
                .or_else(|_| other.parse().map(|month| (month, one)))
                .ok()?;
            of_year(month.number_from_month(), digits(day)?)
        }
        _ => None,
    }
}

/// The first such day of a year that is not before `from`; 29 February comes every four years, or eight.
fn yearly(month: u32, day: u32, from: NaiveDate) -> Option<NaiveDate> {
    (0..=8).find_map(|years| NaiveDate::from_ymd_opt(from.year() + years, month, day).filter(|date| *date >= from))
}

fn weekday(word: &str) -> Option<Weekday> {
    match word.trim_end_matches('日').strip_suffix('曜') {
        Some("月") => Some(Weekday::Mon),
        Some("火") => Some(Weekday::Tue),
        Some("水") => Some(Weekday::Wed),
        Some("木") => Some(Weekday::Thu),
        Some("金") => Some(Weekday::Fri),
        Some("土") => Some(Weekday::Sat),
        Some("日") => Some(Weekday::Sun),
        Some(_) => None,
        None => word.parse().ok(),
    }
}

fn short(part: &str) -> bool {
    (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn digits(part: &str) -> Option<u32> {
    short(part).then(|| part.parse().ok()).flatten()
}

/// `22:00`, `9:00`, `22:00:30`, `24:00`, `10pm`, `10:30pm`, `noon`, `midnight`, `22時`, `22時30分`, `午後10時`.
fn clock(text: &str) -> Option<Clock> {
    let at = |hour, minute, second, whole| {
        Some(Clock { time: NaiveTime::from_hms_opt(hour, minute, second)?, ends: false, whole })
    };
    match text {
        "noon" | "正午" => return at(12, 0, 0, true),
        "midnight" => return Some(Clock { time: NaiveTime::MIN, ends: true, whole: false }),
        "24:00" | "24時" => return Some(Clock { time: NaiveTime::MIN, ends: true, whole: true }),
        _ => {}
    }
    let halves = [("am", "午前", 0), ("pm", "午後", 12)];
    let half = halves.into_iter().find_map(|(after, before, hours)| {
        Some((text.strip_suffix(after).or_else(|| text.strip_prefix(before))?, hours))
    });
    let (plain, half) = half.map_or((text, None), |(plain, hours)| (plain, Some(hours)));
    let (parts, japanese) = match plain.split_once('時') {
        Some((hour, "")) => (vec![hour, "0"], true),
        Some((hour, "半")) => (vec![hour, "30"], true),
        Some((hour, minute)) => (vec![hour, minute.strip_suffix('分')?], true),
        None => (plain.split(':').collect(), false),
    };
    let numbers: Vec<u32> = parts.iter().map(|part| digits(part)).collect::<Option<_>>()?;
    match (half, numbers.as_slice()) {
        // A clock with halves begins each with 12; Japanese ones also with 0.
        (Some(hours), [hour @ 1..=12, rest @ ..]) if rest.len() < 2 => {
            at(hour % 12 + hours, rest.first().copied().unwrap_or(0), 0, true)
        }
        (Some(hours), [0, minute]) if japanese => at(hours, *minute, 0, true),
        (None, [hour, minute]) => at(*hour, *minute, 0, false),
        (None, [hour, minute, second]) => at(*hour, *minute, *second, false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture::{NOW, tokyo};

    const BERLIN: Zone = Zone::Named(chrono_tz::Tz::Europe__Berlin);

    fn told(text: &str, end: End, now: Timestamp, zone: Zone) -> String {
        match read(text, end, now, zone) {
            Some(Ahead::At(at)) => zone.local(at).expect("a time").format("%a %Y-%m-%d %H:%M").to_string(),
            Some(Ahead::Passed(next)) => format!("passed, next {next}"),
            Some(Ahead::Beyond) => "beyond".to_owned(),
            None => "none".to_owned(),
        }
    }

    /// What `text` is as an end at noon of Friday 2026-11-20 in Tokyo.
    fn at_noon(text: &str) -> String {
        told(text, End::Last, NOW, tokyo())
    }

    #[test]
    fn moments_ahead_are_read_as_people_write_them() {
        for (text, meant) in [
            ("2h", "Fri 2026-11-20 14:00"),
            ("in 2h", "Fri 2026-11-20 14:00"),
            ("2 hours", "Fri 2026-11-20 14:00"),
            ("90m", "Fri 2026-11-20 13:30"),
            ("90min", "Fri 2026-11-20 13:30"),
            ("2h30m", "Fri 2026-11-20 14:30"),
            ("1h 30m", "Fri 2026-11-20 13:30"),
            ("in 1 h 30 min", "Fri 2026-11-20 13:30"),
            ("1.5h", "Fri 2026-11-20 13:30"),
            ("0.25h", "Fri 2026-11-20 12:15"),
            ("90s", "Fri 2026-11-20 12:01"),
            ("22:00 Europe/Berlin", "Sat 2026-11-21 06:00"),
            ("tomorrow 9:00 europe/berlin", "Sat 2026-11-21 17:00"),
            ("13:00 UTC", "Fri 2026-11-20 22:00"),
            ("1d12h", "Sun 2026-11-22 00:00"),
            ("7d", "Fri 2026-11-27 12:00"),
            ("1w", "Fri 2026-11-27 12:00"),
            ("2時間", "Fri 2026-11-20 14:00"),
            ("2時間30分", "Fri 2026-11-20 14:30"),
            ("30分", "Fri 2026-11-20 12:30"),
            ("22:00", "Fri 2026-11-20 22:00"),
            ("22:00:30", "Fri 2026-11-20 22:00"),
            ("10pm", "Fri 2026-11-20 22:00"),
            ("10 pm", "Fri 2026-11-20 22:00"),
            ("10:30PM", "Fri 2026-11-20 22:30"),
            ("at 10pm", "Fri 2026-11-20 22:00"),
            ("24:00", "Sat 2026-11-21 00:00"),
            ("midnight", "Sat 2026-11-21 00:00"),
            ("22時", "Fri 2026-11-20 22:00"),
            ("22時30分", "Fri 2026-11-20 22:30"),
            ("22時半", "Fri 2026-11-20 22:30"),
            ("午後10時", "Fri 2026-11-20 22:00"),
            ("午後10:30", "Fri 2026-11-20 22:30"),
            ("tonight", "Sat 2026-11-21 00:00"),
            ("tonight 9pm", "Fri 2026-11-20 21:00"),
            ("tonight 10:00", "Fri 2026-11-20 22:00"),
            ("tonight 22:00", "Fri 2026-11-20 22:00"),
            ("tonight 1:30", "Sat 2026-11-21 01:30"),
            ("tonight midnight", "Sat 2026-11-21 00:00"),
            ("今夜10時", "Fri 2026-11-20 22:00"),
            ("今晩の10時", "Fri 2026-11-20 22:00"),
            ("今日18:00", "Fri 2026-11-20 18:00"),
            ("today", "Sat 2026-11-21 00:00"),
            ("today 18:00", "Fri 2026-11-20 18:00"),
            ("tomorrow", "Sun 2026-11-22 00:00"),
            ("tomorrow 9:00", "Sat 2026-11-21 09:00"),
            ("9:00 tomorrow", "Sat 2026-11-21 09:00"),
            ("tomorrow at 9 am", "Sat 2026-11-21 09:00"),
            ("tomorrow noon", "Sat 2026-11-21 12:00"),
            ("明日", "Sun 2026-11-22 00:00"),
            ("明日9時", "Sat 2026-11-21 09:00"),
            ("明日 9:00", "Sat 2026-11-21 09:00"),
            ("明日の午前9時", "Sat 2026-11-21 09:00"),
            ("明後日9時", "Sun 2026-11-22 09:00"),
            ("mon", "Tue 2026-11-24 00:00"),
            ("Monday", "Tue 2026-11-24 00:00"),
            ("mon 18:00", "Mon 2026-11-23 18:00"),
            ("18:00 mon", "Mon 2026-11-23 18:00"),
            ("fri 18:00", "Fri 2026-11-20 18:00"),
            ("fri 24:00", "Sat 2026-11-21 00:00"),
            ("fri", "Sat 2026-11-21 00:00"),
            ("thursday 8am", "Thu 2026-11-26 08:00"),
            ("月曜 9時", "Mon 2026-11-23 09:00"),
            ("月曜日9時", "Mon 2026-11-23 09:00"),
            ("来週金曜18時", "Fri 2026-11-27 18:00"),
            ("12-24 18:00", "Thu 2026-12-24 18:00"),
            ("12-24", "Fri 2026-12-25 00:00"),
            ("01-03 9:00", "Sun 2027-01-03 09:00"),
            ("02-29", "Wed 2028-03-01 00:00"),
            ("24 Dec 18:00", "Thu 2026-12-24 18:00"),
            ("dec 24 18:00", "Thu 2026-12-24 18:00"),
            ("18:00 24 December", "Thu 2026-12-24 18:00"),
            ("12月24日18時", "Thu 2026-12-24 18:00"),
            ("12月24日", "Fri 2026-12-25 00:00"),
            ("2026-11-21 09:00", "Sat 2026-11-21 09:00"),
            ("2026-11-21T09:00", "Sat 2026-11-21 09:00"),
            ("2026/11/21 9:00", "Sat 2026-11-21 09:00"),
            ("2026-11-21", "Sun 2026-11-22 00:00"),
            ("2026-11-20T20:00:00Z", "Sat 2026-11-21 05:00"),
            ("2026-11-20T20:00:00+01:00", "Sat 2026-11-21 04:00"),
        ] {
            assert_eq!(at_noon(text), meant, "{text}");
        }
    }

    #[test]
    fn what_has_passed_is_answered_with_the_next_one() {
        for (text, next) in [
            ("09:00", "tomorrow 09:00"),
            ("12:00", "tomorrow 12:00"),
            ("12am", "tomorrow 00:00"),
            ("9時", "tomorrow 09:00"),
            ("noon", "tomorrow 12:00"),
            ("today 9:00", "tomorrow 09:00"),
            ("今日9時", "tomorrow 09:00"),
            ("tonight 9am", "tomorrow 09:00"),
            ("fri 9am", "2026-11-27 09:00"),
            ("2:00 Europe/Berlin", "tomorrow 02:00 Europe/Berlin"),
            ("金曜9時", "2026-11-27 09:00"),
            ("11-20 9:00", "2027-11-20 09:00"),
            ("20 nov 9:00", "2027-11-20 09:00"),
            ("yesterday", "today"),
            ("昨日18時", "today 18:00"),
            ("2026-11-19", "today"),
            ("2026-11-19 18:00", "today 18:00"),
            ("2026-11-19 09:00", "tomorrow 09:00"),
            ("2026-11-19 24:00", "today 24:00"),
            ("2026-11-19T20:00:00Z", "tomorrow 05:00"),
        ] {
            assert_eq!(at_noon(text), format!("passed, next {next}"), "{text}");
            assert!(matches!(read(next, End::Last, NOW, tokyo()), Some(Ahead::At(_))), "{next}");
        }
        for (text, meant) in [
            ("mon", "Mon 2026-11-23 00:00"),
            ("12-24", "Thu 2026-12-24 00:00"),
            ("tomorrow", "Sat 2026-11-21 00:00"),
            ("fri", "passed, next 2026-11-27"),
            ("today", "passed, next tomorrow"),
            ("2026-11-20", "passed, next tomorrow"),
        ] {
            assert_eq!(told(text, End::First, NOW, tokyo()), meant, "from {text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "in",
            "at",
            "soon",
            "0h",
            "0m",
            "2h2h",
            "30m2h",
            "2",
            "2x",
            "h",
            "-2h",
            "1.h",
            ".5h",
            "1.5.5h",
            "1.2345h",
            "22:00 Europe/Nowhere",
            "Europe/Berlin",
            "half an hour",
            "25:00",
            "24:30",
            "22:60",
            "13pm",
            "0am",
            "10.30pm",
            "9",
            "22",
            "22:0:0:0",
            "1:2:3:4",
            "24時30分",
            "22時半分",
            "午後13時",
            "fri noonish",
            "mony",
            "mon tue",
            "mon midnight",
            "tomorrow midnight",
            "fri 9",
            "日",
            "曜",
            "月",
            "火曜火曜",
            "13-01",
            "02-30",
            "3/4",
            "0-0",
            "24 Foo",
            "2026-02-30",
            "2026-13-01 09:00",
            "13月1日",
            "2月30日",
            "99999-01-01",
            "2026-11-21 09:00 10:00",
            "next week",
            "22:00 only",
            "now",
        ] {
            assert_eq!(at_noon(text), "none", "{text}");
        }
        for text in ["1000 years", "3650000d", "99999999999999999999h", "9999-01-01", "9999-12-31 24:00"] {
            assert!(matches!(at_noon(text).as_str(), "beyond" | "none"), "{text}");
        }
    }

    #[test]
    fn the_wall_clock_counts_over_its_changes() {
        let at = |text: &str| Timestamp(DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis());
        let friday = at("2026-10-23T12:00:00+02:00");
        for (text, instant) in [
            ("mon 9:00", "2026-10-26T09:00:00+01:00"),
            ("sun 02:30", "2026-10-25T02:30:00+02:00"),
            ("sun", "2026-10-26T00:00:00+01:00"),
            // Hours are hours.
            ("72h", "2026-10-26T11:00:00+01:00"),
        ] {
            assert_eq!(read(text, End::Last, friday, BERLIN), Some(Ahead::At(at(instant))), "{text}");
        }
        assert_eq!(
            read("sun 02:30", End::Last, at("2026-03-27T12:00:00+01:00"), BERLIN),
            Some(Ahead::At(at("2026-03-29T03:00:00+02:00")))
        );
        // The second of two equal hours: what is offered lies ahead all the same.
        let second = at("2026-10-25T02:10:00+01:00");
        assert_eq!(told("02:30", End::Last, second, BERLIN), "passed, next tomorrow 02:30");
    }
}
