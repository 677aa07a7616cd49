//! Completion: which words can stand where the cursor is.

use tidegate_runner::config::typed_schedule;
use tidegate_runner::domain::audit::{self, Deed};
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::RunNumber;

use super::Known;
use super::group;
use super::line::Line;
use super::schedule::ACTIONS;
use super::table::{self, Object, TABLE, Takes};

/// What can be put in the place of the word under the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Where that word begins, in bytes of the text given; always at a character boundary.
    pub start: usize,
    /// Whole words, in the order of the table or the configuration. A setting ends with `=` and wants no space.
    pub candidates: Vec<String>,
}

/// Runs worth offering, newest first.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Those that are not over.
    pub open: Vec<RunNumber>,
    /// Those and others.
    pub all: Vec<RunNumber>,
}

impl Runs {
    /// The runs that a command can be about.
    fn of(&self, command: CommandName) -> &[RunNumber] {
        match command {
            CommandName::Cancel
            | CommandName::Approve
            | CommandName::Reject
            | CommandName::Recover
            | CommandName::Leave => &self.open,
            _ => &self.all,
        }
    }
}

/// Completes the last word of `before`, the text up to the cursor.
#[must_use]
pub fn complete(before: &str, known: &Known<'_>, runs: &Runs) -> Completion {
    let start = before.char_indices().rev().find(|(_, c)| c.is_whitespace()).map_or(0, |(at, c)| at + c.len_utf8());
    let (done, partial) = before.split_at_checked(start).unwrap_or((before, ""));
    let partial = partial.to_lowercase();
    let line = Line::read(done);
    let mut candidates = if line.because().is_some() { Vec::new() } else { possible(&line, known, runs) };
    candidates.retain(|word| word.starts_with(&partial));
    candidates.dedup();
    Completion { start, candidates }
}

fn possible(line: &Line, known: &Known<'_>, runs: &Runs) -> Vec<String> {
    let commands = || TABLE.iter().map(|spec| spec.name.to_string());
    let Some(word) = line.word(0) else { return commands().collect() };
    let Some(spec) = table::find(word) else { return Vec::new() };
    let environments = || known.environments.keys().map(ToString::to_string);
    if line.len() == 1 {
        let mut words: Vec<String> = match spec.object {
            Object::Nothing => Vec::new(),
            Object::Command => commands().collect(),
            Object::Environment => environments().collect(),
            Object::AnyEnvironment => environments().chain(known.others.iter().map(ToString::to_string)).collect(),
            Object::Run => runs.of(spec.name).iter().map(ToString::to_string).collect(),
            Object::Schedules => ACTIONS.iter().map(|action| (*action).to_owned()).collect(),
            Object::Deed => Deed::ALL.iter().map(|deed| deed.as_str().to_owned()).collect(),
        };
        let of_many = match spec.name {
            CommandName::Up
            | CommandName::Down
            | CommandName::Scale
            | CommandName::Destroy
            | CommandName::Hold
            | CommandName::Unhold
            | CommandName::Keep
            | CommandName::Book
            | CommandName::Unbook
            | CommandName::Skip
            | CommandName::Pause
            | CommandName::Unpause
            | CommandName::Next
            | CommandName::History => &[][..],
            CommandName::Plan | CommandName::Cancel | CommandName::Status | CommandName::Hours => &["all"][..],
            _ => return with_others(words, spec, known),
        };
        words.extend(group::groups(known).into_iter().map(|group| format!("@{group}")));
        if !group::groups(known).is_empty() {
            words.extend(of_many.iter().map(|word| (*word).to_owned()));
        }
        return with_others(words, spec, known);
    }
    if spec.object == Object::Schedules && line.len() > 3 {
        return typed_schedule::keys().map(|key| format!("{key}=")).chain(["because".to_owned()]).collect();
    }
    if spec.takes.contains(&Takes::Action) && line.word(line.len() - 1) == Some("action") {
        return audit::actions().map(str::to_owned).collect();
    }
    let environment = line.word(1).and_then(|word| group::example(word, known));
    let mut words: Vec<String> = spec.takes.iter().flat_map(|takes| following(*takes, environment, known)).collect();
    words.retain(|word| {
        !line.from(1).any(|(_, used)| used == word || used.starts_with(word.as_str()) && word.ends_with('='))
    });
    if !spec.name.only_reads() {
        words.push("because".to_owned());
    }
    words
}

/// With the words that may come first: only where there need be no object.
fn with_others(mut words: Vec<String>, spec: &table::Spec, known: &Known<'_>) -> Vec<String> {
    if matches!(spec.object, Object::AnyEnvironment | Object::Nothing) {
        words.extend(spec.takes.iter().flat_map(|takes| following(*takes, None, known)));
    }
    words
}

fn following(takes: Takes, environment: Option<&Environment>, known: &Known<'_>) -> Vec<String> {
    match takes {
        Takes::Level => environment
            .into_iter()
            .flat_map(|e| e.levels.iter().map(ToString::to_string).chain(["off".to_owned()]))
            .collect(),
        Takes::Setting => {
            environment.into_iter().flat_map(|e| e.settings.keys().map(|name| format!("{name}="))).collect()
        }
        Takes::Stack => {
            let mut stacks: Vec<String> =
                known.environments.values().flat_map(|e| e.stacks.keys().map(ToString::to_string)).collect();
            stacks.sort();
            stacks
        }
        Takes::Person => vec!["by".to_owned()],
        Takes::Action => vec!["action".to_owned()],
        Takes::AnyEnvironment => known.environments.keys().chain(known.others).map(ToString::to_string).collect(),
        Takes::Moment(word) | Takes::Keyword(word) => vec![word.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::fixture;

    fn words(before: &str) -> Vec<String> {
        let runs = Runs { open: vec![RunNumber(812)], all: vec![RunNumber(812), RunNumber(811)] };
        fixture::with_known(|known| complete(before, known, &runs).candidates)
    }

    #[test]
    fn completion_follows_the_table() {
        assert_eq!(words("sta"), ["status"]);
        assert_eq!(words("/tide sta"), ["status"]);
        assert_eq!(words("up s"), ["shop"]);
        assert_eq!(
            words("up shop "),
            ["small", "full", "off", "code", "slaves=", "servers=", "mode=", "spot=", "for", "until", "because"]
        );
        assert_eq!(words("up shop full slaves=4 s"), ["small", "servers=", "spot="]);
        assert_eq!(words("cancel "), ["812"]);
        assert_eq!(words("show "), ["812", "811"]);
        assert_eq!(words("cancel 812 "), ["force", "because"]);
        assert_eq!(words("log 812 j"), ["jmeter"]);
        assert_eq!(words("help whoa"), ["whoami"]);
        assert_eq!(words("history f"), ["failed"]);
        assert_eq!(words("who s"), ["stopped"]);
        assert_eq!(words("who stopped "), ["shop", "attic"]);
        assert_eq!(words("audit a"), ["attic", "action", "as"]);
        assert_eq!(words("audit shop action d"), ["down", "drift", "destroy", "due"]);
        assert_eq!(words("hold shop "), ["until", "for", "only", "because"]);
        assert_eq!(words("freeze a"), ["all"]);
        assert_eq!(words("freeze all "), ["until", "for", "only", "because"]);
        assert_eq!(words("stop "), ["everything"]);
        assert_eq!(words("schedule r"), ["remove"]);
        assert_eq!(words("schedule add s"), ["shop"]);
        assert_eq!(words("schedule add shop night w"), ["warn=", "window="]);
        assert_eq!(words("leave "), ["812"]);
        assert!(words("up shop because of s").is_empty());
        assert!(words("日本 s").is_empty());
    }
}
