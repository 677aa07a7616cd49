//! `up`, `plan` and `down`: an environment, and the level that it is to have.

use tidegate_runner::domain::command::{Assignment, Command, CommandName, Order};
use tidegate_runner::domain::environment::{Environment, Level};
use tidegate_runner::domain::ids::{ProfileName, Timestamp};
use tidegate_runner::domain::refusal::{Refusal, nearest};
use tidegate_runner::domain::schedule::{LONGEST_FOR_S, ScheduleOrder, Written};

use super::ahead;
use super::assignment;
use super::context::{Context, listed, quoted};
use super::moment::End;
use super::table::{self, Takes};
use super::until::{Day, Longest};
use crate::zone::Zone;

/// What may stand after the environment, in any order.
struct Wish {
    anyway: bool,
    level: Option<Level>,
    settings: Vec<Assignment>,
    newest_code: bool,
    until: Option<Timestamp>,
}

/// The longest that a change is asked for with its end.
pub(super) const VISIT: Longest =
    Longest { ms: LONGEST_FOR_S as i64 * 1_000, words: "the longest is 31 days", span: "31d" };

/// Reads `up ENV ...`.
pub(super) fn read_up(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let Wish { level, settings, newest_code, until, anyway: _ } = context.wish(environment)?;
    let order = Order::Up { environment: environment.name.clone(), level, settings, newest_code };
    Ok(context.order(order.until(until)))
}

/// Reads `plan ENV ...`.
pub(super) fn read_plan(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let Wish { level, settings, newest_code, anyway: _, until: _ } = context.wish(environment)?;
    Ok(context.order(Order::Plan { environment: environment.name.clone(), level, settings, newest_code }))
}

/// Reads `down ENV [profile|off]`.
pub(super) fn read_down(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.environment()?;
    let name = &environment.name;
    let assigned = context.line.from(2).find(|(_, word)| assignment::parts(word).is_some());
    if let Some((_, word)) = assigned {
        return Err(Refusal::not_understood(
            format!("`down` does not take {}", quoted(word)),
            "a lowered environment has the sizes of its profile; sizes alone are changed with `scale`",
        )
        .hint(format!("scale {name} {word}"))
        .hint("help down"));
    }
    let Wish { level, anyway, until, settings: _, newest_code: _ } = context.wish(environment)?;
    if anyway && context.line.because().is_none() {
        return Err(Refusal::not_understood(
            "`anyway` needs a reason",
            "whoever keeps it is told that you did it all the same, and why",
        )
        .hint(format!("{} because REASON", context.line.until(context.line.len()))));
    }
    Ok(context.order(Order::Down { environment: name.clone(), level, anyway }.until(until)))
}

/// The level that a word names, if it names one of this environment's.
pub(super) fn level(environment: &Environment, word: &str) -> Option<Level> {
    let lower = word.to_lowercase();
    if lower == "off" {
        return Some(Level::Off);
    }
    environment.profiles.get_key_value(lower.as_str()).map(|(name, _)| Level::Profile(name.clone()))
}

impl Context<'_> {
    fn takes(&self, what: Takes) -> bool {
        self.spec.takes.contains(&what)
    }

    fn wish(&self, environment: &Environment) -> Result<Wish, Refusal> {
        let mut wish = Wish { anyway: false, level: None, settings: Vec::new(), newest_code: false, until: None };
        let mut level_at = None;
        let mut next = 2;
        while let Some(word) = self.line.word(next) {
            let at = next;
            next += 1;
            if let Some((until, after)) = self.lasting(at)? {
                if wish.until.replace(until).is_some() {
                    return Err(Refusal::not_understood("two ends are given", "it ends once")
                        .hint(self.line.without_all(at..after)));
                }
                next = after;
            } else if self.takes(Takes::Keyword("code")) && Self::is_keyword(word, "code") {
                wish.newest_code = true;
            } else if self.takes(Takes::Keyword("anyway")) && Self::is_keyword(word, "anyway") {
                wish.anyway = true;
            } else if let Some(found) = level(environment, word) {
                if let Some(first) = level_at.replace(at) {
                    return Err(Refusal::not_understood(
                        format!("`{}` is given two levels", self.spec.name),
                        format!("{} is at one level at a time", environment.name),
                    )
                    .hint(self.line.without(at))
                    .hint(self.line.without(first)));
                }
                wish.level = Some(found);
            } else if word.starts_with(|c: char| c.is_ascii_digit()) {
                // `22:00` is no value of a setting.
                return Err(self.no_such_word(environment, at, word));
            } else if let Some(assignment) = self.assignment(environment, at, word, &wish.settings)? {
                wish.settings.push(assignment);
            } else {
                return Err(self.no_such_word(environment, at, word));
            }
        }
        Ok(wish)
    }

    /// When a change ends by itself, where the words at `at` say so, and where those after them begin.
    pub(super) fn lasting(&self, at: usize) -> Result<Option<(Timestamp, usize)>, Refusal> {
        if self.takes(Takes::Moment("for")) {
            self.end_at(at, &VISIT, Day { end: End::Last, zone: None })
        } else {
            Ok(None)
        }
    }

    /// Refuses a word that is no level, no setting and no keyword.
    pub(super) fn no_such_word(&self, environment: &Environment, at: usize, word: &str) -> Refusal {
        if self.takes(Takes::Moment("for"))
            && !Self::is_keyword(word, "at")
            && let Some(line) = self.with_its_end(at)
        {
            let why = "an end is written `for 3h` or `until 22:00`";
            return Refusal::not_understood(format!("{} is no level", quoted(word)), why).hint(line);
        }
        if let Some(refusal) = self.later(environment, at, word) {
            return refusal;
        }
        if let Some(refusal) = self.unassigned(environment, at, word) {
            return refusal;
        }
        if let Some(refusal) = self.dashed(environment, at, word) {
            return refusal;
        }
        if word.starts_with('-') || table::find(word).is_some() || !self.takes(Takes::Level) {
            return self.stray(at, word);
        }
        let levels = || environment.levels.iter().map(ProfileName::as_str).chain(["off"]);
        if self.spec.name == CommandName::Down && environment.stacks.contains_key(word.to_lowercase().as_str()) {
            return Refusal::not_understood(
                format!("{} is a stack, and `down` lowers whole environments", quoted(word)),
                format!("single stacks of {} are changed by their settings, with `scale`", environment.name),
            )
            .hint(format!("scale {}", environment.name))
            .hint(format!("status {}", environment.name));
        }
        let refusal = Refusal::not_understood(
            format!("{} has no profile {}", environment.name, quoted(word)),
            format!("its levels are: {}", listed(levels())),
        );
        let keywords = self.spec.takes.iter().filter_map(|takes| match takes {
            Takes::Keyword(keyword) => Some(*keyword),
            Takes::Level
            | Takes::Setting
            | Takes::Stack
            | Takes::Person
            | Takes::Moment(_)
            | Takes::Action
            | Takes::AnyEnvironment => None,
        });
        // `up` never goes to `off`.
        let possible = levels().filter(|level| *level != "off" || self.spec.name != CommandName::Up);
        match nearest(word, possible.chain(keywords)) {
            Some(near) => refusal.hint(self.line.with(at, near)),
            // The word that is not understood may have been meant to lower less.
            None if self.spec.name == CommandName::Down => refusal.hint("help down"),
            None => refusal.hint(self.line.without(at)),
        }
    }

    /// `up shop full at 22:00`: what begins later is a schedule.
    fn later(&self, environment: &Environment, at: usize, word: &str) -> Option<Refusal> {
        /// How long what it raises lasts where nobody said, in minutes.
        const LASTS_MIN: i64 = 180;
        let way = match self.spec.name {
            CommandName::Up => "up",
            CommandName::Down => "down",
            _ => return None,
        };
        if !Self::is_keyword(word, "at") {
            return None;
        }
        let said_zone = environment.timetable.unsaid.zone;
        let zone = said_zone.unwrap_or(environment.timetable.zone);
        let (begins, next) = self.moment_at(at + 1)?;
        let words = |from: usize, to: usize| -> Vec<&str> {
            self.line.from(from).take(to.saturating_sub(from)).map(|(_, word)| word).collect()
        };
        let is_end = |word: &str| ["for", "until"].iter().any(|end| Self::is_keyword(word, end));
        let mut wish = [words(2, at), words(next, self.line.len())].concat();
        // Its end is `for` there.
        let end = wish.iter().position(|word| is_end(word)).map(|end| wish.split_off(end));
        let said = end.as_deref().and_then(|end| {
            let (keyword, end) = end.split_first()?;
            ahead::lasts(Self::is_keyword(keyword, "for"), &end.join(" "), begins, self.known.zone)
        });
        let lasts_ms = said.or_else(|| (way == "up").then_some(LASTS_MIN * 60_000));
        let lasts = lasts_ms.map(|ms| match ms.div_euclid(60_000).max(1) {
            minutes if minutes % 60 == 0 => format!("{}h", minutes / 60),
            minutes => format!("{minutes}m"),
        });
        let wall = ahead::wall(begins, Zone::Told(zone))?;
        let keys = [
            ("at", Some(wall.clone())),
            ("do", Some(format!("{way} {}", wish.join(" ")).trim_end().to_owned())),
            ("for", lasts),
            ("zone", said_zone.is_none().then(|| zone.name().to_owned())),
        ];
        let keys = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
        let written = Written { name: format!("{way} {wall}"), keys };
        let line = ScheduleOrder::Add { environment: environment.name.clone(), written }.line();
        let because = self.line.because().map(|because| format!(" because {because}")).unwrap_or_default();
        let what = format!("`{}` begins at once, and not {}", self.spec.name, quoted(&words(at, next).join(" ")));
        let why = "what begins by itself is a schedule, and what it raises says for how long";
        Some(Refusal::not_understood(what, why).hint(format!("{line}{because}")).hint("help schedule"))
    }

    /// `-small`, `--slaves=4`, `--profile=small`: what a program's options look like, offered as it is written here.
    pub(super) fn dashed(&self, environment: &Environment, at: usize, word: &str) -> Option<Refusal> {
        let bare = word.strip_prefix('-')?.trim_start_matches('-');
        let (name, value) = bare.split_once(['=', ':']).unwrap_or((bare, ""));
        let is_level = |word: &str| self.takes(Takes::Level) && level(environment, word).is_some();
        let meant = if is_level(bare) {
            bare
        } else if ["profile", "level"].contains(&name.to_lowercase().as_str()) && is_level(value) {
            value
        } else if self.takes(Takes::Setting)
            && assignment::parts(bare)
                .is_some_and(|p| environment.settings.contains_key(p.name.to_lowercase().as_str()))
        {
            bare
        } else {
            return None;
        };
        let what = format!("`{}` does not take {}", self.spec.name, quoted(word));
        let why = "levels and settings are written without dashes: `full`, `slaves=4`".to_owned();
        Some(Refusal::not_understood(what, why).hint(self.line.with(at, meant)))
    }

    /// `slaves 10`, `slaves +10`, `-5`: a setting or a value that lacks its other half.
    fn unassigned(&self, environment: &Environment, at: usize, word: &str) -> Option<Refusal> {
        if !self.takes(Takes::Setting) {
            return None;
        }
        let lower = word.to_lowercase();
        if let Some(setting) = environment.settings.get(lower.as_str()) {
            let name = &setting.name;
            let refusal = Refusal::not_understood(
                format!("`{name}` has no value"),
                format!("a setting is written `{name}=value`, without spaces"),
            );
            let next = self.line.word(at + 1).filter(|next| next.chars().any(|c| c.is_ascii_digit()));
            return Some(match next {
                Some(value) => {
                    let (sign, number) = match value.chars().next() {
                        Some(sign @ ('+' | '-' | '*')) => (sign.to_string(), value.trim_start_matches(sign)),
                        _ => (String::new(), value),
                    };
                    let rest = super::line::Line::read(&self.line.without(at + 1));
                    refusal.hint(rest.with(at, &format!("{name}{sign}={number}")))
                }
                None => self.instead(refusal, assignment::Place { environment, setting, at }, None),
            });
        }
        let number = lower.strip_prefix(['+', '-']).unwrap_or(&lower);
        if !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()) {
            let sign = lower.chars().next().filter(|c| matches!(c, '+' | '-')).map(String::from).unwrap_or_default();
            let parts = assignment::Parts {
                name: "",
                operator: assignment::parts(&format!("{sign}=")).and_then(|p| p.operator),
                value: number,
            };
            return Some(self.nameless(environment, at, &parts, word));
        }
        None
    }
}
