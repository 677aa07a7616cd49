//! What every command's reader needs: the line, what is known, and refusals that all commands share.

use tidegate_runner::domain::command::{Command, CommandName, Order};
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::EnvironmentName;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::line::Line;
use super::table::{self, Spec, Takes};
use super::{Known, Present, assignment, normalise};

/// Longest word that a refusal repeats, in characters.
const QUOTED_MAX: usize = 40;
/// Most hints that name one environment each.
const ENVIRONMENT_HINTS: usize = 3;

/// One line while it is read.
pub(super) struct Context<'a> {
    pub(super) line: &'a Line,
    pub(super) known: &'a Known<'a>,
    pub(super) present: &'a Present,
    pub(super) spec: &'static Spec,
}

/// A word as a refusal repeats it: in back quotes, cut, on one line.
pub(super) fn quoted(word: &str) -> String {
    let shown: String =
        word.chars().filter(|c| !normalise::invisible(*c)).map(|c| if c == '`' { '\'' } else { c }).collect();
    if shown.chars().count() > QUOTED_MAX {
        format!("`{}...`", shown.chars().take(QUOTED_MAX).collect::<String>())
    } else {
        format!("`{shown}`")
    }
}

/// `a, b, c`, at most 20 of them.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = words.into_iter().collect();
    match all.get(..20) {
        Some(some) if all.len() > 20 => format!("{} and {} more", some.join(", "), all.len() - 20),
        _ => all.join(", "),
    }
}

impl<'a> Context<'a> {
    /// An order with the reason of this line.
    pub(super) fn order(&self, order: Order) -> Command {
        Command::Order { order, because: self.line.because().map(str::to_owned) }
    }

    /// Refuses a reason that is empty, or given to a command that does nothing.
    pub(super) fn check_reason(&self) -> Result<(), Refusal> {
        let Some(because) = self.line.because() else { return Ok(()) };
        if because.chars().all(|c| c.is_whitespace() || normalise::invisible(c)) {
            return Err(Refusal::not_understood("the reason is empty", "nothing stands after `because`")
                .hint(self.line.unreasoned()));
        }
        if self.spec.name.only_reads() {
            return Err(Refusal::not_understood(
                format!("`{}` takes no reason", self.spec.name),
                "it only tells, and changes nothing",
            )
            .hint(self.line.unreasoned()));
        }
        Ok(())
    }

    /// The environment that the word after the command names, as something that can be changed.
    pub(super) fn environment(&self) -> Result<&'a Environment, Refusal> {
        let Some(word) = self.line.word(1) else { return Err(self.missing_environment()) };
        let lower = word.to_lowercase();
        if let Some(environment) = self.known.environments.get(lower.as_str()) {
            return Ok(environment);
        }
        if self.known.others.iter().any(|name| name.as_str() == lower) {
            return Err(Refusal::refused(
                format!("{lower} cannot be changed"),
                "Tidegate does not manage it, so it can only be asked about; `tidegate check` in a terminal tells what to \
                 put right",
            )
            .hint(format!("status {lower}")));
        }
        Err(self.no_such_environment(1, word))
    }

    /// The environment that the word after the command names, as something of which something is said that no code has to do with:
    /// whether its code checks or not.
    pub(super) fn known_environment(&self) -> Result<&'a Environment, Refusal> {
        let lower = self.line.word(1).map(str::to_lowercase).unwrap_or_default();
        match self.known.aside.iter().find(|environment| environment.name.as_str() == lower) {
            Some(environment) => Ok(environment),
            None => self.environment(),
        }
    }

    /// The environment that the word after the command names, as something in which something ends or is asked, whether it checks or not.
    pub(super) fn named_environment(&self) -> Result<EnvironmentName, Refusal> {
        let Some(word) = self.line.word(1) else { return Err(self.missing_environment()) };
        self.readable_environment(1, word)
    }

    /// The environment that the word at `at` names, as something to ask about.
    pub(super) fn readable_environment(&self, at: usize, word: &str) -> Result<EnvironmentName, Refusal> {
        let lower = word.to_lowercase();
        let known = self.known.environments.keys().chain(self.known.others);
        known.into_iter().find(|name| name.as_str() == lower).cloned().ok_or_else(|| self.no_such_environment(at, word))
    }

    fn names(&self) -> impl Iterator<Item = &'a str> {
        // Last known as checked, and now with a mistake, it is among both.
        let known = &self.known.environments;
        let others =
            self.known.others.iter().filter(|name| self.spec.name.only_reads() && !known.contains_key(name.as_str()));
        self.known.environments.keys().chain(others).map(EnvironmentName::as_str)
    }

    fn missing_environment(&self) -> Refusal {
        let why = match self.known.environments.len() {
            0 => "no environment is configured".to_owned(),
            1 => "there is no default, so that nothing happens to the wrong one".to_owned(),
            _ => format!("the environments are: {}", listed(self.names())),
        };
        let refusal = Refusal::not_understood(format!("`{}` needs an environment", self.spec.name), why);
        self.with_each_environment(refusal, 1, |_| true)
    }

    /// Adds the line with each environment that fits put in at `at`, when they are few.
    pub(super) fn with_each_environment(
        &self,
        refusal: Refusal,
        at: usize,
        fits: impl Fn(&Environment) -> bool,
    ) -> Refusal {
        let fitting: Vec<_> = self.known.environments.values().filter(|e| fits(e)).collect();
        if fitting.is_empty() || fitting.len() > ENVIRONMENT_HINTS {
            return refusal.hint("envs");
        }
        fitting.into_iter().fold(refusal, |refusal, e| refusal.hint(self.line.inserted(at, e.name.as_str())))
    }

    fn no_such_environment(&self, at: usize, word: &str) -> Refusal {
        let lower = word.to_lowercase();
        if ["all", "everything"].contains(&lower.as_str())
            && !self.known.environments.is_empty()
            && let Some(refusal) = self.not_all(at)
        {
            return refusal;
        }
        // `up full shop`: the words are right, their order is not.
        if let Some((later, name)) =
            self.line.from(at + 1).find(|(_, w)| self.known.environments.contains_key(w.to_lowercase().as_str()))
        {
            let name = name.to_lowercase();
            return Refusal::not_understood(
                format!("{} is not an environment", quoted(word)),
                format!("the environment comes right after `{}`", self.spec.name),
            )
            .hint(Line::read(&self.line.without(later)).inserted(1, &name));
        }
        // `scale shop =40`: the value was taken for the environment's.
        if let Some(parts) = assignment::parts(word)
            && let Some(environment) = self.known.environments.get(parts.name.to_lowercase().as_str())
            && self.spec.takes.contains(&Takes::Setting)
        {
            let apart = Line::read(&self.line.with(at, environment.name.as_str()));
            let inner = Context { line: &Line::read(&apart.inserted(at + 1, "_")), ..*self };
            let value = word.chars().skip(parts.name.chars().count()).collect::<String>();
            return inner.nameless(environment, at + 1, &assignment::Parts { name: "", ..parts }, &value);
        }
        let assigns = lower.contains(['=', ':']);
        let level = |e: &Environment| lower == "off" || e.profiles.contains_key(lower.as_str());
        if assigns || self.known.environments.values().any(&level) {
            let setting: String = lower.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let refusal = Refusal::not_understood(
                format!("`{}` needs an environment before {}", self.spec.name, quoted(word)),
                format!("the environments are: {}", listed(self.names())),
            );
            return self.with_each_environment(refusal, 1, |e| {
                if assigns { e.settings.contains_key(setting.as_str()) } else { level(e) }
            });
        }
        if word.starts_with("--") {
            return self.stray(at, word);
        }
        let why = if self.known.environments.is_empty() {
            "no environment is configured".to_owned()
        } else {
            format!("the environments are: {}", listed(self.names()))
        };
        let refusal = Refusal::not_understood(format!("there is no environment {}", quoted(word)), why);
        match nearest(&lower, self.names()) {
            Some(near) => refusal.hint(self.line.with(at, near)),
            None => refusal.hint("envs"),
        }
    }

    /// Refuses what is said of all environments at once and belongs to one.
    fn not_all(&self, at: usize) -> Option<Refusal> {
        let why = match self.spec.name {
            CommandName::Pause => "each has schedules of its own; `skip all DAYS` leaves days out everywhere",
            CommandName::Keep | CommandName::Hold => "for all of them there is `freeze all`",
            CommandName::Unhold => "a freeze of all ends with `unfreeze all`",
            // What raises, lowers or destroys is not offered for one that nobody named.
            _ => return None,
        };
        let what = format!("`{}` takes one environment, or a group like `@GROUP`", self.spec.name);
        let line = Line::read(&self.line.without(at));
        let one = Context { line: &line, ..*self };
        Some(one.with_each_environment(Refusal::not_understood(what, why), at, |_| true))
    }

    /// True when `word` is this keyword of the command, with or without dashes before it.
    pub(super) fn is_keyword(word: &str, keyword: &str) -> bool {
        word.strip_prefix("--").unwrap_or(word).to_lowercase() == keyword
    }

    /// Refuses a word that does not belong where it stands.
    pub(super) fn stray(&self, at: usize, word: &str) -> Refusal {
        let name = self.spec.name;
        let lower = word.to_lowercase();
        let refusal = Refusal::not_understood(
            format!("`{name}` does not take {}", quoted(word)),
            format!("it goes `{}`", self.spec.usage),
        );
        if let Some(other) = table::find(&lower) {
            let refusal = Refusal::not_understood(
                format!("{} is a command of its own", quoted(word)),
                "one message is one command",
            )
            .hint(self.line.until(at));
            return match self.line.word(1).filter(|_| at > 1) {
                Some(object) => refusal.hint(format!("{} {object}", other.name)),
                None => refusal.hint(format!("help {}", other.name)),
            };
        }
        if lower == "--help" || lower == "-h" {
            return refusal.hint(format!("help {name}"));
        }
        let bare = lower.trim_start_matches('-');
        if let Some(shown) = self.only_shown(at, bare) {
            return Refusal { why: "`plan` shows what would be done, and does nothing".to_owned(), ..refusal }
                .hint(shown);
        }
        let keywords = self.spec.takes.iter().filter_map(|takes| match takes {
            Takes::Keyword(keyword) => Some(*keyword),
            _ => None,
        });
        match nearest(bare, keywords) {
            Some(near) if lower.starts_with('-') => refusal.hint(self.line.with(at, &format!("--{near}"))),
            Some(near) => refusal.hint(self.line.with(at, near)),
            // The word that is not understood may have been meant to lower less: `destroy shop jmeter`.
            None if matches!(name, CommandName::Down | CommandName::Destroy) => {
                let environment = self.line.word(1).map(str::to_lowercase).filter(|_| at > 1);
                let refusal = refusal.hint(format!("help {name}"));
                environment.into_iter().fold(refusal, |refusal, name| refusal.hint(format!("status {name}")))
            }
            None => refusal.hint(self.line.without(at)),
        }
    }

    /// The line that only shows what this one would do, for whoever asks for that by another word: `up shop --dry-run`.
    fn only_shown(&self, at: usize, word: &str) -> Option<String> {
        let shows =
            table::meant_by(word) == Some(CommandName::Plan.as_str()) || matches!(word, "dryrun" | "check" | "n");
        let environment = self.known.environments.get(self.line.word(1)?.to_lowercase().as_str()).filter(|_| shows)?;
        let rest = Line::read(&Line::read(&self.line.without(at)).with(0, CommandName::Plan.as_str()));
        match self.spec.name {
            CommandName::Down if rest.len() == 2 => Some(rest.inserted(2, &environment.down.to_string())),
            CommandName::Up | CommandName::Down | CommandName::Scale => Some(rest.until(rest.len())),
            _ => None,
        }
    }

    /// Refuses any word from `from` on.
    pub(super) fn no_more_words(&self, from: usize) -> Result<(), Refusal> {
        match self.line.from(from).next() {
            Some((at, word)) => Err(self.stray(at, word)),
            None => Ok(()),
        }
    }
}
