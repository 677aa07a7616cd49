//! Commands on one run: `cancel`, `retry`, `accept`, `approve`, `reject`, `recover`, `show`, `log`.

use tidegate_runner::domain::command::{Command, CommandName, Order, Query};
use tidegate_runner::domain::ids::{RunNumber, StackName};
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::{Context, listed, quoted};

/// What a word says about a run.
enum Number {
    Is(RunNumber),
    Impossible,
    Not,
}

/// `812` or `#812`.
fn number(word: &str) -> Number {
    let digits = word.strip_prefix('#').unwrap_or(word);
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return Number::Not;
    }
    match digits.parse() {
        Ok(number) if number > 0 => Number::Is(RunNumber(number)),
        Ok(_) | Err(_) => Number::Impossible,
    }
}

/// The run that a whole line names: `812`, `#812`, `run 812`.
pub(super) fn alone(first: &str, second: Option<&str>) -> Option<RunNumber> {
    let word = match second {
        Some(second) if first.eq_ignore_ascii_case("run") => second,
        Some(_) => return None,
        None => first,
    };
    match number(word) {
        Number::Is(run) => Some(run),
        Number::Impossible | Number::Not => None,
    }
}

impl Context<'_> {
    /// The run named after the command, and where the words after it begin.
    fn run(&self) -> Result<(RunNumber, usize), Refusal> {
        let name = self.spec.name;
        let at = match self.line.word(1) {
            Some(word) if word.eq_ignore_ascii_case("run") => 2,
            _ => 1,
        };
        let Some(word) = self.line.word(at) else {
            if matches!(name, CommandName::Approve | CommandName::Reject) && !self.present.asking().is_empty() {
                return Err(self.which_question());
            }
            return Err(Refusal::not_understood(
                format!("`{name}` needs a run"),
                "runs have numbers; `history` lists them",
            )
            .hint("history"));
        };
        match number(word) {
            Number::Is(run) => Ok((run, at + 1)),
            Number::Impossible => Err(Refusal::not_understood(
                format!("no run has the number {}", quoted(word)),
                "runs are numbered from 1",
            )
            .hint("history")),
            Number::Not => Err(self.not_a_run(at, word)),
        }
    }

    /// Offers what waits for an answer: to look at it, as a yes cannot be taken back.
    fn which_question(&self) -> Refusal {
        let (name, asking) = (self.spec.name, self.present.asking());
        let waits: Vec<String> = asking.iter().map(|(run, environment)| format!("{run} ({environment})")).collect();
        let refusal = Refusal::not_understood(
            format!("`{name}` needs a run"),
            format!("these wait for a yes: {}", listed(waits.iter().map(String::as_str))),
        );
        // Never the yes itself: it would be copied before anybody has looked.
        asking.iter().take(3).fold(refusal, |refusal, (run, _)| refusal.hint(format!("show {run}")))
    }

    fn not_a_run(&self, at: usize, word: &str) -> Refusal {
        // `retry --force 812`, `log app 812`: the number is there, elsewhere.
        let later = self.line.from(at + 1).find(|(_, w)| matches!(number(w), Number::Is(_)));
        let refusal = Refusal::not_understood(
            format!("{} is not a run", quoted(word)),
            "runs have numbers, like 812; `history` lists them",
        );
        if let Some((place, run)) = later {
            let rest = super::line::Line::read(&self.line.without(place));
            return refusal.hint(rest.inserted(1, run));
        }
        let lower = word.to_lowercase();
        if self.known.environments.contains_key(lower.as_str()) {
            return refusal.hint(format!("history {lower}")).hint(format!("status {lower}"));
        }
        // No number is guessed: a yes to another run than the one that was meant cannot be taken back.
        refusal.hint("history")
    }

    pub(super) fn only_run(&self) -> Result<RunNumber, Refusal> {
        let (run, next) = self.run()?;
        self.no_more_words(next)?;
        Ok(run)
    }
}

/// Reads `cancel [run] [force]`.
pub(super) fn read_cancel(context: &Context<'_>) -> Result<Command, Refusal> {
    if let Some(many) = super::group::read_cancel(context) {
        return many;
    }
    let mut run = None;
    let mut force = false;
    for (at, word) in context.line.from(1) {
        if Context::is_keyword(word, "force") {
            force = true;
        } else if word.eq_ignore_ascii_case("run")
            && matches!(context.line.word(at + 1).map(number), Some(Number::Is(_)))
        {
            // The number itself comes next.
        } else {
            match number(word) {
                Number::Is(number) if run.is_none() => run = Some(number),
                Number::Is(_) => {
                    return Err(Refusal::not_understood("`cancel` is given two runs", "one message cancels one run")
                        .hint(context.line.without(at)));
                }
                Number::Impossible => {
                    return Err(Refusal::not_understood(
                        format!("no run has the number {}", quoted(word)),
                        "runs are numbered from 1",
                    )
                    .hint(context.line.without(at)));
                }
                Number::Not if context.known.environments.contains_key(word.to_lowercase().as_str()) => {
                    let refusal = Refusal::not_understood(
                        format!("`cancel` takes a run, not an environment like {}", quoted(word)),
                        "without a number it lists the runs that are not over",
                    );
                    let name = word.to_lowercase();
                    let runs: Vec<_> = context.present.stoppable(Some(&name)).take(3).collect();
                    let refusal = match runs.as_slice() {
                        [] => refusal.hint(context.line.without(at)),
                        runs => runs
                            .iter()
                            .fold(refusal, |refusal, run| refusal.hint(context.line.with(at, &run.to_string()))),
                    };
                    return Err(refusal.hint(format!("status {name}")));
                }
                Number::Not => return Err(context.stray(at, word)),
            }
        }
    }
    Ok(context.order(Order::Cancel { run, force }))
}

/// Reads `retry RUN`.
pub(super) fn read_retry(context: &Context<'_>) -> Result<Command, Refusal> {
    Ok(context.order(Order::Retry { run: context.only_run()? }))
}

/// Reads `accept RUN`.
pub(super) fn read_accept(context: &Context<'_>) -> Result<Command, Refusal> {
    Ok(context.order(Order::Accept { run: context.only_run()? }))
}

/// The beginning of a question's digest, as cards show it: hexadecimal, at least four characters.
fn code(word: &str) -> Option<String> {
    let whole = (4..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| word.to_ascii_lowercase())
}

/// Reads `approve RUN [CODE] [alone]`.
pub(super) fn read_approve(context: &Context<'_>) -> Result<Command, Refusal> {
    let (run, next) = context.run()?;
    let (mut asked, mut alone) = (None, false);
    for (at, word) in context.line.from(next) {
        match code(word) {
            _ if Context::is_keyword(word, "alone") => alone = true,
            Some(code) if asked.is_none() => asked = Some(code),
            Some(_) | None => return Err(context.stray(at, word)),
        }
    }
    if alone && context.line.because().is_none() {
        return Err(Refusal::not_understood(
            "`alone` needs a reason",
            "the others whose yes was wanted are told that you did without them, and why",
        )
        .hint(format!(
            "approve {run}{} alone because REASON",
            asked.map(|code| format!(" {code}")).unwrap_or_default()
        )));
    }
    Ok(context.order(Order::Approve { run, code: asked, alone }))
}

/// Reads `reject RUN`.
pub(super) fn read_reject(context: &Context<'_>) -> Result<Command, Refusal> {
    Ok(context.order(Order::Reject { run: context.only_run()? }))
}

/// Reads `recover RUN [unlock]`.
pub(super) fn read_recover(context: &Context<'_>) -> Result<Command, Refusal> {
    let (run, next) = context.run()?;
    let mut unlock = false;
    for (at, word) in context.line.from(next) {
        if !Context::is_keyword(word, "unlock") {
            return Err(context.stray(at, word));
        }
        unlock = true;
    }
    Ok(context.order(Order::Recover { run, unlock }))
}

/// Reads `show RUN`.
pub(super) fn read_show(context: &Context<'_>) -> Result<Command, Refusal> {
    Ok(Command::Query(Query::Show { run: context.only_run()? }))
}

/// Reads `log RUN [stack]`.
pub(super) fn read_log(context: &Context<'_>) -> Result<Command, Refusal> {
    let (run, next) = context.run()?;
    let stacks = || context.known.environments.values().flat_map(|e| e.stacks.keys());
    let stack = match context.line.word(next) {
        None => None,
        Some(word) => {
            let lower = word.to_lowercase();
            let found = stacks().find(|stack| stack.as_str() == lower).cloned();
            Some(found.ok_or_else(|| {
                if word.starts_with('-') || super::table::find(word).is_some() {
                    return context.stray(next, word);
                }
                let mut names: Vec<&str> = stacks().map(StackName::as_str).collect();
                names.sort_unstable();
                names.dedup();
                let refusal = Refusal::not_understood(
                    format!("there is no stack {}", quoted(word)),
                    format!("the stacks are: {}", listed(names.iter().copied())),
                );
                match nearest(word, names) {
                    Some(near) => refusal.hint(context.line.with(next, near)),
                    None => refusal.hint(context.line.without(next)),
                }
            })?)
        }
    };
    context.no_more_words(next + 1)?;
    Ok(Command::Query(Query::Log { run, stack }))
}
