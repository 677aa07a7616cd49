//! Commands as named slots, for chats that ask for them one by one: derived from the table, and written back as one line.

use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::SettingKind;

use super::table::{Object, Spec, TABLE, Takes};
use super::{Known, Runs, complete};

/// The slot for a level.
const LEVEL: &str = "level";
/// The slot for settings.
const SET: &str = "set";
/// The slot for what else a command takes.
const MORE: &str = "more";
/// The slot for the reason.
const BECAUSE: &str = "because";
/// In place of a command: a whole line.
pub const TEXT: &str = "text";
/// Its one slot.
const LINE: &str = "line";

/// Most candidates that are given.
const CANDIDATES_MAX: usize = 25;

/// Most characters of one.
const CANDIDATE_MAX: usize = 100;

/// A slot of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its name.
    pub name: &'static str,
    /// What stands in it, at most 100 characters.
    pub about: &'static str,
    /// Without it there is no command.
    pub required: bool,
    /// What can stand in it is known.
    pub completes: bool,
}

const fn slot(name: &'static str, about: &'static str, required: bool, completes: bool) -> Slot {
    Slot { name, about, required, completes }
}

/// The name of a command's slot for what it is about: what people call that.
fn object(spec: &Spec) -> Option<Slot> {
    Some(match spec.object {
        Object::Nothing => return None,
        Object::Command => slot("command", "a command", false, true),
        Object::Environment => slot("env", "an environment", true, true),
        Object::AnyEnvironment => slot("env", "an environment", false, true),
        Object::Run => slot("run", "the number of a run; in the thread of a run it may be left out", false, true),
        Object::Deed => slot("deed", "what somebody did", true, true),
        Object::Schedules => slot("action", "what to do with schedules", true, true),
    })
}

/// The slots of a command, in the order of its line, the required ones first.
#[must_use]
pub fn of(spec: &Spec) -> Vec<Slot> {
    let mut slots: Vec<Slot> = object(spec).into_iter().collect();
    let takes = |what: fn(&Takes) -> bool| spec.takes.iter().any(what);
    if takes(|takes| matches!(takes, Takes::Level)) {
        slots.push(slot(LEVEL, "a level, or `off`", false, true));
    }
    if takes(|takes| matches!(takes, Takes::Setting)) {
        slots.push(slot(SET, "settings, like slaves=40; several with spaces between them", false, true));
    }
    if takes(|takes| !matches!(takes, Takes::Level | Takes::Setting)) || spec.object == Object::Schedules {
        slots.push(slot(MORE, "what else the command takes, as it is typed", false, true));
    }
    if !spec.name.only_reads() {
        slots.push(slot(BECAUSE, "why; kept in the history", false, false));
    }
    slots
}

/// The one slot of a whole line.
#[must_use]
pub fn whole_line() -> Slot {
    slot(LINE, "any command, as it is typed: up shop full slaves=40", true, true)
}

/// Commands without a place of their own, where there is none for all: what is done seldom, or offered where it is wanted.
const TYPED: [CommandName; 31] = [
    CommandName::Book,
    CommandName::Unbook,
    CommandName::New,
    CommandName::Extend,
    CommandName::End,
    CommandName::List,
    CommandName::Renew,
    CommandName::Drift,
    CommandName::Adopt,
    CommandName::Sweep,
    CommandName::Preflight,
    CommandName::Terraform,
    CommandName::Recover,
    CommandName::Accept,
    CommandName::Freeze,
    CommandName::Unfreeze,
    CommandName::Schedule,
    CommandName::On,
    CommandName::Handover,
    CommandName::Hours,
    CommandName::Leave,
    CommandName::Ask,
    CommandName::Tell,
    CommandName::Stop,
    CommandName::Resume,
    CommandName::Audit,
    CommandName::Who,
    CommandName::Whoami,
    CommandName::Link,
    CommandName::Unlink,
    CommandName::Why,
];

/// The commands that have a place of their own; everything can be said by [`TEXT`].
pub fn commands() -> impl Iterator<Item = &'static Spec> {
    TABLE.iter().filter(|spec| !TYPED.contains(&spec.name))
}

/// The order in which slots stand in a line.
fn order(name: &str) -> usize {
    match name {
        LEVEL => 1,
        SET => 2,
        MORE => 3,
        BECAUSE => 4,
        _ => 0,
    }
}

/// The line that a command with these slots filled is.
#[must_use]
pub fn line(command: &str, filled: &[(String, String)]) -> String {
    if command == TEXT {
        return filled.iter().find(|(name, _)| name == LINE).map(|(_, value)| value.clone()).unwrap_or_default();
    }
    let mut filled: Vec<&(String, String)> = filled.iter().collect();
    filled.sort_by_key(|(name, _)| order(name));
    let mut line = command.to_owned();
    for (name, value) in filled {
        if name == BECAUSE {
            line.push_str(" because");
        }
        line.push(' ');
        line.push_str(value.trim());
    }
    line
}

/// What can stand in a slot of a command of which others are filled: what is read, and what it stands for.
#[must_use]
pub fn candidates(
    command: &str,
    filled: &[(String, String)],
    slot: &str,
    known: &Known<'_>,
    runs: &Runs,
) -> Vec<(String, String)> {
    let before: Vec<(String, String)> =
        filled.iter().filter(|(name, _)| name != slot && order(name) < order(slot)).cloned().collect();
    let written = filled.iter().find(|(name, _)| name == slot).map(|(_, value)| value.as_str()).unwrap_or_default();
    let front = if command == TEXT { String::new() } else { line(command, &before) + " " };
    let text = format!("{front}{written}");
    let completion = complete(&text, known, runs);
    // What stands before the word under the cursor in this very slot is kept.
    let kept = text.get(front.len()..completion.start.max(front.len())).unwrap_or_default();
    let environment = before.iter().find_map(|(_, value)| super::group::example(value, known));
    let mut all: Vec<(String, String)> = Vec::new();
    let word = text.get(completion.start..).unwrap_or_default();
    if let (Some((name, _)), Some(environment)) = (word.split_once('='), environment)
        && let Some(setting) = environment.settings.get(name)
    {
        // Half written: what may be written there stands beside it.
        all.push((format!("{kept}{word} ({})", bounds(&setting.kind)), format!("{kept}{word}")));
    }
    for candidate in completion.candidates {
        let level = is_level(&candidate, environment);
        if slot == LEVEL && !level || slot == MORE && level {
            continue;
        }
        let setting = candidate.strip_suffix('=').and_then(|name| environment?.settings.get(name));
        match (slot, setting) {
            // Each in its own slot.
            (SET, None) | (MORE, Some(_)) => {}
            (_, Some(setting)) => {
                all.push((format!("{kept}{candidate} ({})", bounds(&setting.kind)), format!("{kept}{candidate}")));
            }
            (_, None) => all.push((format!("{kept}{candidate}"), format!("{kept}{candidate}"))),
        }
    }
    all.retain(|(shown, value)| !value.is_empty() && shown.chars().count() <= CANDIDATE_MAX);
    all.truncate(CANDIDATES_MAX);
    all
}

fn is_level(word: &str, environment: Option<&tidegate_runner::domain::environment::Environment>) -> bool {
    word == "off"
        || environment.is_some_and(|environment| environment.levels.iter().any(|level| level.as_str() == word))
}

/// What may be written for a setting.
#[must_use]
pub fn bounds(kind: &SettingKind) -> String {
    match kind {
        SettingKind::Number { min, max, step: 1 } => format!("{min} to {max}"),
        SettingKind::Number { min, max, step } => format!("{min} to {max}, in steps of {step}"),
        SettingKind::Choice(choices) => choices.join(", "),
        SettingKind::Switch => "true or false".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tidegate_runner::domain::ids::RunNumber;

    use super::*;
    use crate::commands::{fixture, parse, spec};

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn shown(command: &str, filled: &[(&str, &str)], slot: &str) -> Vec<String> {
        let runs = Runs { open: vec![RunNumber(812)], all: vec![RunNumber(812), RunNumber(811)] };
        let all = fixture::with_known(|known| candidates(command, &pairs(filled), slot, known, &runs));
        all.into_iter().map(|(shown, _)| shown).collect()
    }

    #[test]
    fn filled_slots_are_the_line_that_would_be_typed_whatever_their_order() {
        let filled = pairs(&[("because", "Black Friday"), ("set", "slaves=40"), ("level", "full"), ("env", "shop")]);
        assert_eq!(line("up", &filled), "up shop full slaves=40 because Black Friday");
        assert_eq!(line("text", &pairs(&[("line", "status shop")])), "status shop");
        assert_eq!(line("whoami", &[]), "whoami");
        fixture::with_known(|known| assert!(parse(&line("up", &filled), known).is_ok()));
    }

    #[test]
    fn each_slot_is_completed_with_what_can_stand_there_and_bounds() {
        assert_eq!(shown("up", &[("env", "s")], "env"), ["shop"]);
        assert_eq!(shown("up", &[("env", "shop"), ("level", "")], "level"), ["small", "full", "off"]);
        assert_eq!(shown("up", &[("env", "shop"), ("set", "sl")], "set"), ["slaves= (0 to 200)"]);
        assert_eq!(shown("up", &[("env", "shop"), ("set", "slaves=4")], "set"), ["slaves=4 (0 to 200)"]);
        assert_eq!(
            shown("up", &[("env", "shop"), ("set", "slaves=4 s")], "set")[0],
            "slaves=4 servers= (0 to 60, in steps of 2)"
        );
        assert_eq!(shown("up", &[("env", "shop"), ("more", "f")], "more"), ["for"]);
        assert_eq!(shown("cancel", &[("run", "")], "run"), ["812"]);
        assert_eq!(shown("text", &[("line", "up s")], "line"), ["up shop"]);
        assert_eq!(shown("text", &[("line", "sta")], "line"), ["status"]);
        assert!(shown("nothing", &[("env", "日本")], "env").is_empty());
    }

    #[test]
    fn required_slots_come_first_and_texts_are_short() {
        let names: Vec<&str> = commands().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names.len(), 24);
        for wanted in ["up", "down", "scale", "plan", "status", "approve", "cancel", "show", "log", "history"] {
            assert!(names.contains(&wanted), "{wanted} is not among {names:?}");
        }
        for spec in &TABLE {
            let slots = of(spec);
            let first_free = slots.iter().position(|slot| !slot.required).unwrap_or(slots.len());
            assert!(slots.iter().skip(first_free).all(|slot| !slot.required), "{}", spec.name);
            assert!(slots.iter().all(|slot| slot.about.chars().count() <= 100 && !slot.about.is_empty()));
        }
        let up: Vec<&str> = of(spec(CommandName::Up)).iter().map(|s| s.name).collect();
        assert_eq!(up, ["env", "level", "set", "more", "because"]);
    }
}
