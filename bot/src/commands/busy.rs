//! What to do while somebody else has it: `queue`, `leave`, `ask`, `tell`; and `stop everything`, `resume everything`.

use tidegate_runner::domain::command::{Command, NEXT_DAYS_MAX, Order, Query};
use tidegate_runner::domain::holds::{About, HoldOrder};
use tidegate_runner::domain::refusal::Refusal;

use super::context::{Context, quoted};
use super::until::Longest;
use super::{bend, group, run, table};

/// Longest question, in characters.
const QUESTION_MAX: usize = 500;

/// How many days `next` looks ahead where nothing is said.
const NEXT_DAYS: u32 = 7;

/// How far ahead `next` may begin.
const NEXT: Longest =
    Longest { ms: NEXT_DAYS_MAX as i64 * 86_400_000, words: "`next` begins at most 366 days ahead", span: "366d" };

/// Words of `tell me when shop is free` that say nothing more than `tell shop`.
const FILLERS: [&str; 8] = ["me", "when", "if", "once", "the", "free", "is", "gets"];

/// Reads `queue [env]`, and `queue leave [run]`.
pub(super) fn read_queue(context: &Context<'_>) -> Result<Command, Refusal> {
    if context.line.word(1).is_some_and(|word| Context::is_keyword(word, "leave")) {
        let line = super::line::Line::read(&context.line.without(0));
        return read_leave(&Context { line: &line, spec: table::spec(super::CommandName::Leave), ..*context });
    }
    let environment = context.line.word(1).map(|word| context.readable_environment(1, word)).transpose()?;
    context.no_more_words(2)?;
    Ok(Command::Query(Query::Queue { environment }))
}

/// Reads `next [env] [from TIME] [7d]`.
pub(super) fn read_next(context: &Context<'_>) -> Result<Command, Refusal> {
    let (mut environment, mut of_group, mut days, mut from) = (None, None, None, None);
    let mut at = 1;
    while let Some(word) = context.line.word(at) {
        if from.is_none() && Context::is_keyword(word, "from") {
            let (moment, next) = context.beginning(at, &NEXT)?;
            (from, at) = (Some(moment), next);
            continue;
        }
        match how_many_days(&word.to_lowercase()) {
            Some(number) if days.is_none() => {
                if !(1..=NEXT_DAYS_MAX).contains(&number) {
                    let why = format!("`next` looks from 1 to {NEXT_DAYS_MAX} days ahead");
                    let (what, hint) = if number == 0 { ("too near", 1) } else { ("too far", NEXT_DAYS_MAX) };
                    let refusal = Refusal::not_understood(format!("{} is {what}", quoted(word)), why);
                    return Err(refusal.hint(context.line.with(at, &format!("{hint}d"))));
                }
                days = Some(number);
            }
            // Without an environment it is about all of them.
            _ if at == 1 && (Context::is_keyword(word, "all") || Context::is_keyword(word, "everything")) => {}
            _ if environment.is_none() && of_group.is_none() && word.starts_with('@') => {
                of_group = group::only(context, at)?;
            }
            _ if environment.is_none() && of_group.is_none() => {
                environment = Some(context.readable_environment(at, word)?);
            }
            _ => {
                context.no_more_words(at)?;
            }
        }
        at += 1;
    }
    Ok(Command::Query(Query::Next { environment, group: of_group, from, days: days.unwrap_or(NEXT_DAYS) }))
}

/// `7d`, `2w`, `7`; what is too long for a number is the largest.
fn how_many_days(word: &str) -> Option<u32> {
    let (digits, days) = match word.strip_suffix('w') {
        Some(weeks) => (weeks, 7),
        None => (word.strip_suffix('d').unwrap_or(word), 1),
    };
    let all_digits = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
    all_digits.then(|| digits.parse().unwrap_or(u32::MAX).saturating_mul(days))
}

/// Reads `leave [run]`.
pub(super) fn read_leave(context: &Context<'_>) -> Result<Command, Refusal> {
    let run = match context.line.word(1) {
        None => None,
        Some(_) => Some(context.only_run()?),
    };
    Ok(context.order(Order::Hold(HoldOrder::Leave { run })))
}

/// Reads `ask ENV|RUN words`.
pub(super) fn read_ask(context: &Context<'_>) -> Result<Command, Refusal> {
    let line = context.line;
    let says_run = line.word(1).is_some_and(|word| word.eq_ignore_ascii_case("run"));
    let run_at = if says_run { 2 } else { 1 };
    let (about, from) = match line.word(run_at).and_then(|word| run::alone(word, None)) {
        Some(run) => (About::Run(run), run_at + 1),
        None => (About::Environment(context.named_environment()?), 2),
    };
    let plain = |text: &str| text.replace(['"', '`'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    // A quote within a word leaves one word: what it parts would not be read so again, as `a :` is `a:`.
    let whole = |word: &str| word.replace(['"', '`'], "");
    let mut words: Vec<String> = line.from(from).map(|(_, word)| whole(word)).filter(|word| !word.is_empty()).collect();
    // A question may have its reason in it: it is all one.
    if let Some(because) = line.because() {
        words.extend(["because".to_owned(), plain(because)]);
    }
    let words = words.join(" ");
    if words.is_empty() {
        return Err(Refusal::not_understood("`ask` needs a question", "it is put to whoever has it, in your words")
            .hint(format!("{} when is it free?", line.until(from))));
    }
    if words.chars().count() > QUESTION_MAX {
        return Err(Refusal::not_understood(
            "the question is too long",
            format!("it has at most {QUESTION_MAX} characters"),
        )
        .hint(format!("{} when is it free?", line.until(from).split(" because ").next().unwrap_or_default())));
    }
    Ok(Command::Order { order: Order::Hold(HoldOrder::Ask { about, words }), because: None })
}

/// Reads `tell [me when free] ENV`.
pub(super) fn read_tell(context: &Context<'_>) -> Result<Command, Refusal> {
    let is_filler = |word: &str| {
        let lower = word.to_lowercase();
        !context.known.environments.contains_key(lower.as_str())
            && FILLERS.contains(&lower.trim_end_matches(['?', '.', '!']))
    };
    let fillers: Vec<usize> = context.line.from(1).filter(|(_, word)| is_filler(word)).map(|(at, _)| at).collect();
    let rest = fillers
        .iter()
        .rev()
        .fold(context.line.until(context.line.len()), |text, at| super::line::Line::read(&text).without(*at));
    let line = super::line::Line::read(&rest);
    let plain = Context { line: &line, ..*context };
    let environment = plain.named_environment()?;
    plain.no_more_words(2)?;
    Ok(context.order(Order::Hold(HoldOrder::Tell { environment })))
}

/// Reads `stop everything`. Anything less is another command.
pub(super) fn read_stop(context: &Context<'_>) -> Result<Command, Refusal> {
    if let Some(next) = context.everything()? {
        context.no_more_words(next)?;
        return Ok(context.order(Order::Hold(HoldOrder::Stop)));
    }
    let refusal = Refusal::not_understood(
        "`stop` stops everything, or nothing",
        "`cancel` stops a run, `down` lowers an environment, `stop everything` stops all runs and lets nothing begin",
    );
    Err(super::unknown::stop(context.line, context.present, refusal))
}

/// Reads `resume everything`, and `resume ENV`.
pub(super) fn read_resume(context: &Context<'_>) -> Result<Command, Refusal> {
    if let Some(next) = context.everything()? {
        context.no_more_words(next)?;
        return Ok(context.order(Order::Hold(HoldOrder::Resume)));
    }
    if context.line.word(1).is_some() {
        return bend::read_unpause(&Context { spec: table::spec(super::CommandName::Unpause), ..*context });
    }
    let refusal = Refusal::not_understood(
        "`resume` says what: `resume ENV` or `resume everything`",
        "one ends what pauses or skips schedules, the other what `stop everything` stopped",
    );
    Err(context.with_each_environment(refusal, 1, |_| true).hint("resume everything"))
}

impl Context<'_> {
    /// Where the words after `everything` begin; `None` when it is not there.
    fn everything(&self) -> Result<Option<usize>, Refusal> {
        // Whoever is in a hurry types exclamation marks.
        let word =
            self.line.word(1).map(|word| word.trim_end_matches(['!', '.', ',', '！', '。', '、']).to_lowercase());
        match word.as_deref() {
            Some("everything" | "all") => Ok(Some(2)),
            Some(word) if word.starts_with("every") || word.starts_with("evry") => {
                let refusal =
                    Refusal::not_understood(format!("{} is not understood", quoted(word)), "one word is meant");
                Err(refusal.hint(self.line.with(1, "everything")))
            }
            Some(_) | None => Ok(None),
        }
    }
}
