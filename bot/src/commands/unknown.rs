//! A first word that is no command: what was probably meant.

use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::SettingName;
use tidegate_runner::domain::refusal::{Refusal, nearest};

use super::context::quoted;
use super::line::Line;
use super::{Known, assignment, run, table};

/// Refuses a line whose first word is no command.
pub(super) fn refuse(line: &Line, known: &Known<'_>) -> Refusal {
    let word = line.word(0).unwrap_or_default();
    let lower = word.to_lowercase();
    let refusal = Refusal::not_understood(
        format!("there is no command {}", quoted(word)),
        "a message begins with a command; `help` lists them",
    );
    if let Some(run) = run::alone(&lower, line.word(1)).filter(|_| line.len() <= 2) {
        return Refusal::not_understood(
            format!("run {run} alone says not what to do with it"),
            "a message begins with a command",
        )
        .hint(format!("show {run}"));
    }
    if let Some(parts) = assignment::parts(word) {
        return bare_setting(line, known, parts.name, refusal);
    }
    if known.environments.contains_key(lower.as_str()) {
        let command = line.word(1).and_then(table::find);
        return match (command, line.word(1)) {
            (Some(spec), _) => refusal.hint(Line::read(&line.without(0)).inserted(1, &lower).replacen(
                line.word(1).unwrap_or_default(),
                spec.name.as_str(),
                1,
            )),
            (None, Some(next)) if assignment::parts(next).is_some() => refusal.hint(line.inserted(0, "scale")),
            (None, Some(_)) => refusal.hint(line.inserted(0, "up")).hint(format!("status {lower}")),
            (None, None) => refusal.hint(format!("status {lower}")),
        };
    }
    let names = || table::TABLE.iter().map(|spec| spec.name.as_str());
    let stripped = lower.trim_start_matches(['-', '/', '!', '@', '.']);
    match table::meant_by(&lower).or_else(|| nearest(stripped, names())) {
        Some(near) => refusal.hint(line.with(0, near)),
        None => refusal.hint("help"),
    }
}

/// `slaves=10` without command and environment: offers `scale` for each environment that has such a setting.
fn bare_setting(line: &Line, known: &Known<'_>, name: &str, refusal: Refusal) -> Refusal {
    let lower = name.to_lowercase();
    let has = |e: &&Environment| e.settings.contains_key(lower.as_str());
    let near = |e: &&Environment| nearest(&lower, e.settings.keys().map(SettingName::as_str)).is_some();
    let mut fitting: Vec<_> = known.environments.values().filter(has).collect();
    if fitting.is_empty() {
        fitting = known.environments.values().filter(near).collect();
    }
    if fitting.is_empty() || fitting.len() > 3 {
        return refusal.hint("help scale").hint("envs");
    }
    let refusal = Refusal::not_understood(
        format!("{} lacks a command and an environment", quoted(line.word(0).unwrap_or_default())),
        "settings are changed with `scale`",
    );
    fitting.into_iter().fold(refusal, |refusal, e| {
        // `slaves=10 shop` names it already, at another place.
        let named = line.from(1).find(|(_, w)| w.to_lowercase() == e.name.as_str());
        let rest = named.map_or_else(|| line.until(line.len()), |(at, _)| line.without(at));
        refusal.hint(format!("scale {} {rest}", e.name))
    })
}
