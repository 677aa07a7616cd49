//! A first word that is no command: what was probably meant.

use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::environment::Environment;
use tidegate_runner::domain::ids::SettingName;
use tidegate_runner::domain::refusal::{Refusal, is_slip, nearest};

use super::context::quoted;
use super::line::Line;
use super::{Known, Present, assignment, run, table};

/// Words for going away. A terminal takes them itself; elsewhere there is nothing to leave.
const GOODBYES: [&str; 6] = ["exit", "quit", "bye", "logout", "close", ":q"];
/// Words for lowering and raising in one breath, which no command does.
const RESTARTS: [&str; 4] = ["restart", "reboot", "bounce", "recreate"];

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
            format!("run {run} alone does not say what to do with it"),
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
    if GOODBYES.contains(&lower.as_str()) && line.len() == 1 {
        return Refusal::not_understood(
            "there is nothing to leave here",
            "Tidegate needs no goodbye: runs go on without you, and `history` tells later how they ended",
        )
        .hint("history by me");
    }
    if RESTARTS.contains(&lower.as_str()) {
        let environment = line.word(1).map(|name| format!(" {name}")).unwrap_or_default();
        let refusal = Refusal::not_understood(
            refusal.what,
            "it would be two runs: one that lowers the environment, and after it one that raises it again",
        );
        // What else stands there may say that only a part of it is meant.
        return if line.len() > 2 {
            refusal.hint(format!("status{environment}"))
        } else {
            refusal.hint(format!("down{environment}")).hint(format!("up{environment}"))
        };
    }
    let names = || table::TABLE.iter().map(|spec| spec.name.as_str());
    let stripped = lower.trim_start_matches(['-', '/', '!', '@', '.']);
    let near = nearest(stripped, names()).filter(|near| !lowers(near) || is_slip(stripped, near));
    match table::meant_by(&lower).or(near) {
        Some(near) => refusal.hint(line.with(0, near)),
        None => refusal.hint("help"),
    }
}

/// Commands that are offered for a word only where it is hardly another one: `restore` is no `destroy`.
fn lowers(command: &str) -> bool {
    [CommandName::Down, CommandName::Destroy].iter().any(|name| name.as_str() == command)
}

/// `stop` may mean the run at work or the environment. Whoever says it in mid-run means the run.
pub(super) fn stop(line: &Line, present: &Present, refusal: Refusal) -> Refusal {
    let Some(word) = line.word(1) else {
        let runs: Vec<_> = present.stoppable(None).take(3).collect();
        let refusal = match runs.as_slice() {
            [] => refusal.hint("down"),
            runs => runs.iter().fold(which_stop(refusal), |refusal, run| refusal.hint(format!("cancel {run}"))),
        };
        return refusal.hint("stop everything");
    };
    if run::alone(word, line.word(2)).is_some() {
        return refusal.hint(line.with(0, "cancel"));
    }
    let runs: Vec<_> = present.stoppable(Some(&word.to_lowercase())).take(3).collect();
    if runs.is_empty() {
        return refusal.hint(line.with(0, "down"));
    }
    let refusal = runs.iter().fold(which_stop(refusal), |refusal, run| refusal.hint(format!("cancel {run}")));
    refusal.hint(line.with(0, "down"))
}

fn which_stop(refusal: Refusal) -> Refusal {
    let why = "`cancel` stops a run, `down` lowers an environment, `stop everything` stops all runs";
    Refusal { why: why.to_owned(), ..refusal }
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
