//! Words of the form that asks for an environment without typing a command, and what filling it in means as a command.

use tidegate_runner::domain::environment::{Environment, Setting};
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::domain::refusal::Refusal;

use super::button::{Button, Weight, asks_first};
use super::card::{Card, Line, Tone};
use super::words::{cut, plural};
use crate::commands::slots;
use crate::zone::Zone;

/// Its title, at most 24 characters.
pub const TITLE: &str = "Change an environment";
/// Its button: nothing is changed by it.
pub const SUBMIT: &str = "Show what it would do";
/// The title of what follows it, at most 24 characters.
pub const PREVIEW: &str = "What it would do";
/// Its last button.
pub const LAST: &str = "Do it";
/// Its last button where something is destroyed.
pub const LAST_DESTROYS: &str = "Destroy it";
/// While the plan is made.
pub const PLANNING: &str =
    "Planning. What would change is shown here, with the button that does it. Nothing is changed before.";
/// Its other button.
pub const CLOSE: &str = "Leave it";
/// Above the environments.
pub const ENVIRONMENT: &str = "Environment";
/// Above what can be done.
pub const WHAT: &str = "What";
/// Above the levels.
pub const LEVEL: &str = "Level";
/// Below the levels.
pub const LEVEL_HINT: &str = "Empty: what `up` or `down` means for this environment";
/// Above the settings, where all of them share a field.
pub const SETTINGS: &str = "Settings";
/// Below them.
pub const SETTINGS_HINT: &str = "Like slaves=40; several with spaces between them. Empty: as the level says";
/// At settings that are none.
pub const NO_SETTING: &str = "Settings are written as NAME=VALUE, with spaces between them";
/// What the command is that opens it, where it has one; at most 100 characters.
pub const COMMAND: &str = "Change an environment by a form: it shows first what it would do";
/// Above the end of a keep.
pub const UNTIL: &str = "Until";
/// Below it.
pub const UNTIL_HINT: &str = "Nobody else lowers it before (`keep`); empty: nobody is kept from it";
/// At an end that has passed.
pub const PASSED: &str = "This has passed";
/// At an end beside something else than raising.
pub const NOT_KEPT: &str = "Only what is raised is kept until then";
/// At a size beside lowering.
pub const NOT_SIZED: &str = "Lowering goes to a level, and takes no sizes";
/// Above the reason.
pub const REASON: &str = "Because";
/// Below it.
pub const REASON_HINT: &str = "Kept in the history, for whoever asks later";
/// Where no environment is configured.
pub const NOTHING: &str = "No environment is configured.";
/// Where there are some, and none for whoever looks.
pub const NOT_YOURS: &str =
    "None of the environments is yours to see. `whoami` tells what you may do, and whom to ask.";
/// Where there are some to look at, and none to change.
pub const NOT_YOURS_TO_CHANGE: &str =
    "You may look at environments here, and change none. `status` shows them; `whoami` tells what you may do.";

/// Below a form that has no room for all; `None`: it has.
#[must_use]
pub fn more(environments: usize, settings: usize, chosen: &str) -> Option<String> {
    let of = |count: usize, noun: &str| {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        (count > 0).then(|| format!("{} without room here", plural(count, noun)))
    };
    let environments = of(environments, "more environment").map(|told| format!("{told}: type /tide up NAME."));
    let settings = of(settings, "more setting").map(|told| format!("{told}: type /tide up {chosen} NAME=VALUE."));
    let told: Vec<String> = environments.into_iter().chain(settings).collect();
    (!told.is_empty()).then(|| told.join(" "))
}

/// Where the chat does not tell who looks.
pub const NOBODY_KNOWN: &str = "Slack does not say who you are just now, so that nothing can be shown. Try again; `tidegate check --online` tells what is missing.";
/// At a field that holds several words.
pub const ONE_WORD: &str = "One word, without spaces";

/// What can be done, with what each choice says.
pub const CHOICES: [(&str, &str); 3] =
    [("plan", "Only show what would change"), ("up", "Raise it"), ("down", "Lower it")];

/// What stands below a setting: its bounds.
#[must_use]
pub fn bounds(setting: &Setting) -> String {
    let range = slots::bounds(&setting.kind);
    let about = setting.about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
    format!("{about}{range}; empty: as the level says")
}

/// The command that shows what a form would do.
#[must_use]
pub fn plan(environment: &str, level: Option<&str>, settings: &[(String, String)], because: &str) -> String {
    let mut words = vec![format!("plan {environment}")];
    words.extend(level.map(str::to_owned));
    words.extend(settings.iter().map(|(name, value)| format!("{name}={value}")));
    words.join(" ") + &reason(because)
}

/// The command that keeps others from lowering it, until a moment; on whatever clock it is read, it is the same.
#[must_use]
pub fn keep(environment: &str, until: Timestamp, zone: Zone, because: &str) -> String {
    let until = zone.local(until).map(|at| at.format("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default();
    format!("keep {environment} until {until}{}", reason(because))
}

/// ` because ...`, on one line; nothing without a reason.
#[must_use]
pub fn reason(because: &str) -> String {
    let because = because.split_whitespace().collect::<Vec<_>>().join(" ");
    if because.is_empty() { because } else { format!(" because {because}") }
}

/// What stands beside a field for which a refusal was made.
#[must_use]
pub fn beside(refusal: &Refusal) -> String {
    format!("{}: {}", refusal.what, refusal.why).replace('`', "")
}

/// The answer to a form with which something is wrong, where that cannot stand beside its fields.
#[must_use]
pub fn wrong(all: &[String]) -> Card {
    let card = Card::new(Tone::Warning, "Nothing was planned: something in the form is wrong");
    card.lines(all.iter().map(|why| Line::text(cut(why)))).line(Line::marked("Open it anew with `/tide-form`."))
}

/// What the last button says.
#[must_use]
pub fn last(destroys: bool) -> &'static str {
    if destroys { LAST_DESTROYS } else { LAST }
}

/// The buttons beside an environment in an overview.
#[must_use]
pub fn overview_buttons(environment: &Environment) -> Vec<Button> {
    let name = &environment.name;
    let down = format!("down {name}");
    // Whatever it comes to, servers go; how many, only a plan knows.
    let confirm = asks_first(&down, &format!("{down} takes {name} to {}.", environment.down), true);
    vec![
        Button { label: "Raise".to_owned(), command: format!("up {name}"), weight: Weight::On, confirm: None },
        Button { label: "Lower".to_owned(), command: down, weight: Weight::Plain, confirm },
        Button {
            label: "History".to_owned(),
            command: format!("history {name}"),
            weight: Weight::Plain,
            confirm: None,
        },
    ]
}
