//! A command line that is none: what is wrong, why, and the one to type instead.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use tidegate_runner::domain::refusal::Refusal;

use super::Arguments;
use crate::cards;
use crate::chat::shell::color_on_stderr;
use crate::chat::shell::render::{Style, render};

/// Exit status of a command line that is not understood, as programs of this kind have it.
const USAGE: u8 = 2;

/// Says what is wrong with a command line, or shows the help that was asked for.
#[must_use]
pub fn mistyped(error: &clap::Error, typed: &[String]) -> ExitCode {
    if !error.use_stderr() {
        // Help or version: there is nothing better to do when standard output is gone.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(USAGE);
    }
    let style = Style { color: color_on_stderr(), ..Style::plain() };
    eprint!("{}", render(&cards::refusal(&refusal(error, typed)), &style));
    ExitCode::from(USAGE)
}

/// What is wrong, in words.
fn refusal(error: &clap::Error, typed: &[String]) -> Refusal {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(all)) => all.first().cloned(),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        Some(_) | None => None,
    };
    let all = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::Strings(all)) => all.clone(),
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(_) | None => Vec::new(),
    };
    let (program, names) = typed_so_far(typed);
    let help = format!("{program} --help");
    let near = |wrong: &str, right: Option<String>| right.and_then(|right| instead(typed, wrong, &right));
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let wrong = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            let why = format!("its commands are {}", quoted(&names));
            let right = near(&wrong, text(ContextKind::SuggestedSubcommand));
            Refusal::not_understood(format!("`{program}` has no command `{wrong}`"), why).hint(right.unwrap_or(help))
        }
        ErrorKind::UnknownArgument => {
            let wrong = text(ContextKind::InvalidArg).unwrap_or_default();
            let right = text(ContextKind::SuggestedArg);
            let why = match &right {
                Some(right) => format!("it has `{right}`"),
                None => format!("`{help}` tells what it takes"),
            };
            let hint = near(&wrong, right).unwrap_or(help);
            Refusal::not_understood(format!("`{program}` takes no `{wrong}`"), why).hint(hint)
        }
        ErrorKind::InvalidValue => {
            let (option, wrong) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue).unwrap_or_default());
            let valid = all(ContextKind::ValidValue);
            let what = format!("`{}` cannot be `{wrong}`", option.unwrap_or_default());
            let why = if valid.is_empty() {
                "it needs a value".to_owned()
            } else {
                format!("it is one of {}", quoted(&valid))
            };
            let hint = near(&wrong, text(ContextKind::SuggestedValue)).unwrap_or(help);
            Refusal::not_understood(what, why).hint(hint)
        }
        _ => {
            // clap's own words, without what it says around them.
            let said = error.to_string();
            let first = said.lines().next().unwrap_or_default().trim_start_matches("error: ").trim_end_matches(':');
            let missing = all(ContextKind::InvalidArg);
            let why = if missing.is_empty() { format!("`{help}` tells what it takes") } else { quoted(&missing) };
            Refusal::not_understood(first, why).hint(help)
        }
    }
}

/// The same command line with another word, ready to copy; `None` where the word does not stand alone in it.
fn instead(typed: &[String], wrong: &str, right: &str) -> Option<String> {
    let at = typed
        .iter()
        .position(|word| word == wrong || word.strip_prefix(wrong).is_some_and(|rest| rest.starts_with('=')));
    let at = match at {
        Some(at) => at,
        // `--format=jsn`: the value is what is wrong.
        None => typed.iter().position(|word| word.split_once('=').is_some_and(|(_, value)| value == wrong))?,
    };
    let words = typed
        .iter()
        .enumerate()
        .map(|(index, word)| if index == at { word.replacen(wrong, right, 1) } else { word.clone() });
    Some(
        std::iter::once("tidegate".to_owned())
            .chain(words.map(|word| for_a_shell(&word)))
            .collect::<Vec<_>>()
            .join(" "),
    )
}

/// A word as a shell takes it for one.
fn for_a_shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:@,+%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// `` `shell`, `demo` ``
fn quoted<W: AsRef<str>>(words: &[W]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The command that was meant as far as it was typed: `tidegate audit`, and the names of what can follow it.
fn typed_so_far(typed: &[String]) -> (String, Vec<String>) {
    let root = Arguments::command();
    let (mut command, mut path) = (&root, "tidegate".to_owned());
    for word in typed {
        if let Some(next) = command.get_subcommands().find(|next| next.get_name() == word) {
            path = format!("{path} {word}");
            command = next;
        }
    }
    let names = command.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| one.get_name().to_owned());
    (path, names.collect())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn of(line: &[&str]) -> Refusal {
        let typed: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let error =
            Arguments::try_parse_from(std::iter::once("tidegate").chain(line.iter().copied())).expect_err("wrong");
        refusal(&error, &typed)
    }

    #[test]
    fn what_is_mistyped_is_told_with_the_line_to_type_instead() {
        for (line, what, why, hint) in [
            (
                &["demoo"][..],
                "no command `demoo`",
                "`shell`, `demo`, `check`, `adopt`, `terraform`, `serve`, `audit`",
                "tidegate demo",
            ),
            (
                &["--config", "my file.toml", "chek", "--online"],
                "`chek`",
                "`check`",
                "tidegate --config 'my file.toml' check --online",
            ),
            (&["zzz"], "no command `zzz`", "`serve`", "tidegate --help"),
            (&["audit", "verfy"], "`tidegate audit` has no command `verfy`", "`verify`", "tidegate audit verify"),
            (&["check", "--onlin"], "`tidegate check` takes no `--onlin`", "`--online`", "tidegate check --online"),
            (&["check", "--zzz"], "takes no `--zzz`", "`tidegate check --help`", "tidegate check --help"),
            (&["check", "--format", "jsn"], "cannot be `jsn`", "`text`, `json`", "tidegate check --format json"),
            (&["check", "--format=jsn"], "cannot be `jsn`", "`json`", "tidegate check --format=json"),
            (&["--configg=a.toml", "check"], "takes no `--configg`", "`--config`", "tidegate --config=a.toml check"),
            (&["check", "--format"], "`--format", "`text`", "tidegate check --help"),
        ] {
            let found = of(line);
            assert!(found.what.contains(what) && found.why.contains(why), "{line:?}: {found:?}");
            assert_eq!(found.hints, [hint], "{line:?}");
            // What is offered is understood, or help.
            if !hint.ends_with("--help") && !hint.contains('\'') {
                assert!(Arguments::try_parse_from(hint.split(' ')).is_ok(), "{hint}");
            }
        }
    }
}
