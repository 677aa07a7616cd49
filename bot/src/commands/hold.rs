//! `hold`, `unhold`, `freeze`, `unfreeze`, `keep`.

use tidegate_runner::domain::command::{Command, Order};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::grammar;
use tidegate_runner::domain::holds::{DEFAULT_S, HoldNumber, HoldOrder, LONGEST_MS};
use tidegate_runner::domain::ids::{EnvironmentName, Timestamp};
use tidegate_runner::domain::refusal::Refusal;

use super::ahead::{self, Ahead};
use super::context::{Context, quoted};
use super::moment::End;
use super::table;
use super::until::{Day, Longest};

/// The longest of a hold, freeze or keep.
const LONGEST: Longest = Longest { ms: LONGEST_MS, words: "the longest is 7 days", span: "7d" };

/// What follows what is held.
struct Wish {
    until: Timestamp,
    only: Vec<String>,
}

/// Reads `hold ENV until TIME|for SPAN [only @who ...] because ...`.
pub(super) fn read_hold(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.known_environment()?;
    let Wish { until, only } = context.hold(2, Some(environment), true)?;
    context.needs_reason()?;
    Ok(context.order(Order::Hold(HoldOrder::Hold { environment: environment.name.clone(), until, only })))
}

/// Reads `freeze all until TIME|for SPAN [only @who ...] because ...`.
pub(super) fn read_freeze(context: &Context<'_>) -> Result<Command, Refusal> {
    let from = context.all("freeze")?;
    let Wish { until, only } = context.hold(from, None, true)?;
    context.needs_reason()?;
    Ok(context.order(Order::Hold(HoldOrder::Freeze { until, only })))
}

/// Reads `unfreeze [all]`.
pub(super) fn read_unfreeze(context: &Context<'_>) -> Result<Command, Refusal> {
    let from = if context.line.word(1).is_some() { context.all("unfreeze")? } else { 1 };
    context.no_more_words(from)?;
    Ok(context.order(Order::Hold(HoldOrder::Unfreeze)))
}

/// Reads `keep ENV until TIME|for SPAN`.
pub(super) fn read_keep(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.known_environment()?;
    let Wish { until, only: _ } = context.hold(2, Some(environment), false)?;
    Ok(context.order(Order::Hold(HoldOrder::Keep { environment: environment.name.clone(), until })))
}

/// Reads `unhold ENV [number]`.
pub(super) fn read_unhold(context: &Context<'_>) -> Result<Command, Refusal> {
    let environment = context.named_environment()?;
    let number = number(context, &environment, "a hold", &format!("status {environment}"))?;
    Ok(context.order(Order::Hold(HoldOrder::Unhold { environment, number })))
}

/// The number after the environment, which is that of `what`, and the last word; `look` tells the numbers.
pub(super) fn number(
    context: &Context<'_>,
    environment: &EnvironmentName,
    what: &str,
    look: &str,
) -> Result<Option<HoldNumber>, Refusal> {
    let number = match context.line.word(2) {
        None => None,
        Some(word) => match word.trim_start_matches('#').parse() {
            Ok(number) if number > 0 => Some(HoldNumber(number)),
            Ok(_) | Err(_) => {
                let not = format!("{} is not the number of {what} of {environment}", quoted(word));
                let refusal = Refusal::not_understood(not, format!("`{look}` tells them"));
                return Err(refusal.hint(context.line.without(2)).hint(look));
            }
        },
    };
    context.no_more_words(3)?;
    Ok(number)
}

impl Context<'_> {
    /// The word `all` after the command, and where the words after it begin.
    fn all(&self, command: &str) -> Result<usize, Refusal> {
        match self.line.word(1).map(str::to_lowercase) {
            Some(word) if ["all", "everything"].contains(&word.as_str()) => Ok(2),
            Some(word) if self.known.environments.contains_key(word.as_str()) => {
                let one = if command == "freeze" { "hold" } else { "unhold" };
                Err(Refusal::not_understood(
                    format!("`{command}` is about all environments"),
                    format!("one alone is for `{one}`"),
                )
                .hint(self.line.with(0, one)))
            }
            Some(_) | None => Err(Refusal::not_understood(
                format!("`{command}` says what: `{command} all`"),
                "it is about all environments, so that nobody does it unawares",
            )
            .hint(self.line.inserted(1, "all"))),
        }
    }

    fn hold(&self, from: usize, environment: Option<&Environment>, leaves_in: bool) -> Result<Wish, Refusal> {
        let (mut until, mut only) = (None, Vec::new());
        let mut at = from;
        while let Some(word) = self.line.word(at) {
            let begin = at;
            let day = Day { end: End::Last, zone: None };
            // Nothing else can follow a `keep`.
            let said = if leaves_in { self.end_at(at, &LONGEST, day)? } else { self.plain_end_at(at, &LONGEST, day)? };
            if let Some((moment, next)) = said {
                if until.replace(moment).is_some() {
                    return Err(Refusal::not_understood("two ends are given", "a hold ends once")
                        .hint(self.line.without_all(begin..next)));
                }
                at = next;
            } else if let Some((names, next)) = if leaves_in { self.only(at)? } else { None } {
                only.extend(names);
                at = next;
            } else {
                return Err(self.stray_end(at, word));
            }
        }
        match until {
            Some(until) => Ok(Wish { until, only }),
            None => Err(self.without_end(from, environment)),
        }
    }

    /// The people whom `only` at `at` names, and where the words after them begin; `None` where no `only` stands.
    pub(super) fn only(&self, at: usize) -> Result<Option<(Vec<String>, usize)>, Refusal> {
        if !self.line.word(at).is_some_and(|word| Self::is_keyword(word, "only")) {
            return Ok(None);
        }
        let (begin, mut at, mut only) = (at, at + 1, Vec::new());
        while let Some(word) = self.line.word(at).filter(|word| word.starts_with('@') || word.contains(':')) {
            only.extend(Some(word.trim_matches(['@', ',']).to_owned()).filter(|name| !name.is_empty()));
            at += 1;
        }
        if !only.is_empty() {
            return Ok(Some((only, at)));
        }
        let refusal = Refusal::not_understood(
            "`only` names nobody",
            "it leaves in those named: `only @sato @mori`; you are in it anyway",
        );
        let plain = |word: &&str| word.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
        let bare = self.line.word(at).filter(plain).filter(|word| table::find(word).is_none());
        let bare = bare.filter(|word| grammar::meaning(&word.to_lowercase()).is_none());
        Err(match bare {
            Some(name) => refusal.hint(self.line.with(at, &format!("@{name}"))),
            None => refusal.hint(self.line.without(begin)),
        })
    }

    fn without_end(&self, from: usize, environment: Option<&Environment>) -> Refusal {
        let seconds = environment.and_then(|environment| environment.rules.hold_s).unwrap_or(DEFAULT_S);
        let default = match seconds {
            s if s % 86_400 == 0 => format!("{}d", s / 86_400),
            s if s % 3_600 == 0 => format!("{}h", s / 3_600),
            s => format!("{}m", s.div_ceil(60)),
        };
        let (now, zone) = (self.known.now, self.known.zone);
        let evening = match ahead::read("22:00", End::Last, now, zone) {
            Some(Ahead::At(_)) => "until 22:00",
            Some(Ahead::Passed(_) | Ahead::Beyond) | None => "until tomorrow 9:00",
        };
        Refusal::not_understood(
            format!("`{}` has no end", self.spec.name),
            "what nobody ends would stay for ever; the longest is 7 days",
        )
        .hint(self.line.inserted(from, &format!("for {default}")))
        .hint(self.line.inserted(from, evening))
    }

    /// Refuses a line whose others would not know why.
    pub(super) fn needs_reason(&self) -> Result<(), Refusal> {
        if self.line.because().is_some() {
            return Ok(());
        }
        Err(Refusal::not_understood(format!("`{}` needs a reason", self.spec.name), "whoever has to wait reads it")
            .hint(format!("{} because REASON", self.line.until(self.line.len()))))
    }
}
