//! Words of the form that asks for an environment without typing a command, and what filling it in means as a command.

use tidegate_runner::domain::environment::{Environment, Level, Setting, SettingKind};

use super::button::{Button, Confirm, Weight};

/// Its title, at most 24 characters.
pub const TITLE: &str = "Change an environment";
/// Its last button.
pub const SUBMIT: &str = "Do it";
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
/// Above the reason.
pub const REASON: &str = "Because";
/// Below it.
pub const REASON_HINT: &str = "Kept in the history, for whoever asks later";
/// Where no environment is configured.
pub const NOTHING: &str = "No environment is configured.";
/// At a field that holds several words.
pub const ONE_WORD: &str = "One word, without spaces";

/// What can be done, with what each choice says.
pub const CHOICES: [(&str, &str); 3] =
    [("plan", "Only show what would change"), ("up", "Raise it"), ("down", "Lower it")];

/// What stands below a setting: its bounds.
#[must_use]
pub fn bounds(setting: &Setting) -> String {
    let range = match &setting.kind {
        SettingKind::Number { min, max, step: 1 } => format!("{min} to {max}"),
        SettingKind::Number { min, max, step } => format!("{min} to {max}, in steps of {step}"),
        SettingKind::Choice(choices) => choices.join(", "),
        SettingKind::Switch => "true or false".to_owned(),
    };
    let about = setting.about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
    format!("{about}{range}; empty: as the level says")
}

/// The command that a form means.
#[must_use]
pub fn command(
    what: &str,
    environment: &str,
    level: Option<&str>,
    settings: &[(String, String)],
    because: &str,
) -> String {
    let mut words = vec![what.to_owned(), environment.to_owned()];
    words.extend(level.map(str::to_owned));
    words.extend(settings.iter().map(|(name, value)| format!("{name}={value}")));
    let because = because.split_whitespace().collect::<Vec<_>>().join(" ");
    if !because.is_empty() {
        words.push(format!("because {because}"));
    }
    words.join(" ")
}

/// The buttons beside an environment in an overview.
#[must_use]
pub fn overview_buttons(environment: &Environment) -> Vec<Button> {
    let name = &environment.name;
    let confirm = (environment.down == Level::Off).then(|| Confirm {
        title: "This destroys",
        text: format!("down {name}: what is destroyed cannot be brought back by Tidegate."),
        yes: "Do it",
        no: "Leave it",
    });
    vec![
        Button { label: "Raise", command: format!("up {name}"), weight: Weight::On, confirm: None },
        Button { label: "Lower", command: format!("down {name}"), weight: Weight::Plain, confirm },
        Button { label: "History", command: format!("history {name}"), weight: Weight::Plain, confirm: None },
    ]
}
