//! Words where a chat cannot serve as people expected: who is gone, what came late, where it cannot speak.

use tidegate_runner::domain::answer::Trouble;
use tidegate_runner::domain::ids::RunNumber;

use super::card::{Card, Line, Tone};
use super::words::Clock;

/// The answer to somebody whose account is deactivated.
#[must_use]
pub fn deactivated() -> Card {
    Card::new(Tone::Plain, "This account is deactivated, and has no rights here")
}

/// The answer to a command that was found only after an outage.
#[must_use]
pub fn late(typed: &str, minutes: i64) -> Card {
    Card::new(Tone::Warning, format!("This was said {minutes} minutes ago and is not done by itself any more"))
        .line(Line::text("Tidegate was away when it came. If it is still wanted, say it again."))
        .next(typed)
}

/// Most characters of a line that is offered again without its reason.
const OFFERED_MAX: usize = 200;

/// The answer to a command of `length` characters where at most `max` are carried out: cut, it could mean something else. `words` are
/// those of the command without its reason.
#[must_use]
pub fn too_long(words: &str, length: usize, max: usize) -> Card {
    let offered = (1..=OFFERED_MAX).contains(&words.chars().count()).then_some(words);
    let (length, max) = (thousands(length), thousands(max));
    Card::new(Tone::Warning, format!("This has {length} characters, and nothing of it is done: {max} are the most"))
        .line(Line::text("Cut, a command could mean something else. Say it again in fewer words."))
        .next(offered.unwrap_or("help"))
}

/// `10,013`.
fn thousands(count: usize) -> String {
    if count < 1_000 { count.to_string() } else { format!("{},{:03}", thousands(count / 1_000), count % 1_000) }
}

/// The answer to a command that came late, and was edited meanwhile.
#[must_use]
pub fn edited(typed: &str) -> Card {
    Card::new(Tone::Warning, "This was edited before Tidegate had read it, and nothing is done")
        .line(Line::text("Say again what is wanted; at first it was what stands here."))
        .next(typed)
}

/// The answer to a command that came late, and was deleted meanwhile.
#[must_use]
pub fn deleted() -> Card {
    Card::new(Tone::Plain, "A message of yours was deleted before Tidegate had read it, and nothing is done")
}

/// In a form whose plan is not there yet, or cannot be read.
#[must_use]
pub fn not_planned_yet(run: RunNumber) -> Card {
    Card::new(Tone::Warning, format!("The plan of run {run} is not there yet, and is not waited for here any more"))
        .line(Line::text("Nothing was changed. Its card in the channel has the plan once it is there."))
        .next(format!("show {run}"))
}

/// What a chat is called.
#[must_use]
pub fn chat(door: &str) -> &str {
    match door {
        "slack" => "Slack",
        "discord" => "Discord",
        other => other,
    }
}

/// The answer to a command that came late where nobody can look whether it still stands.
#[must_use]
pub fn not_looked_up(door: &str, typed: &str) -> Card {
    Card::new(
        Tone::Warning,
        format!(
            "This came late, and {} does not let Tidegate look whether it still stands: nothing is done",
            chat(door)
        ),
    )
    .line(Line::text("If it is still wanted, say it again."))
    .next(typed)
}

/// The text of the link to a run's card.
#[must_use]
pub fn card_link(run: i64) -> String {
    format!("run {run} in its channel")
}

/// Most characters that a title has in every chat: 256 in Discord, of which each may have to be escaped.
const TITLE_MAX: usize = 128;

/// A text for the people who look after Tidegate.
#[must_use]
pub fn for_admins(text: &str) -> Card {
    match text.split_once(HELPS).filter(|_| text.chars().count() > TITLE_MAX) {
        // What would be cut is what they need.
        Some((what, helps)) => {
            let sentence = what.find(". ").map(|at| (at, at + 2));
            let end = sentence.or_else(|| what.find("): ").map(|at| (at + 1, at + 3)));
            let parts = end.filter(|_| what.chars().count() > TITLE_MAX);
            let parts = parts.and_then(|(end, next)| Some((what.get(..end)?, Some(what.get(next..)?))));
            let (title, rest) = parts.unwrap_or((what, None));
            let rest = rest.map(Line::text);
            let helps = Line::text(format!("{}{helps}", HELPS.trim_start()));
            Card::new(Tone::Warning, title).lines(rest).line(helps)
        }
        None => Card::new(Tone::Warning, text),
    }
}

/// Between what is wrong and what helps.
const HELPS: &str = " What helps: ";

/// The same of what was over before they could be told.
#[must_use]
pub fn over_by_now(text: &str) -> String {
    format!("{text} (over by now: told only after it was)")
}

/// What `/tide` is, in at most 100 characters.
pub const COMMAND: &str = "Raise and lower load-test environments";
/// What the thread of a message is called.
pub const THREAD: &str = "Plan, log, end";
/// Before a channel: what it is called.
pub const NAME_OF: &str = "name of ";
/// In place of a channel: files.
pub const FILES: &str = "files";
/// In place of a channel: who people are.
pub const PEOPLE: &str = "people";
/// In place of a channel: commands that a chat is told of.
pub const COMMANDS: &str = "commands";
/// In place of a channel: who is in groups.
pub const MEMBERS: &str = "members";
/// In place of a chat's word: the port to which it delivers cannot be had.
pub const NO_PORT: &str = "no_port";
/// In place of a channel: being heard.
pub const HEARING: &str = "hearing";

/// What keeps a chat from being spoken in, and what helps. `place` is a channel, a person, [`FILES`], [`HEARING`], [`PEOPLE`], [`MEMBERS`],
/// [`COMMANDS`], or empty for the whole chat; after [`NAME_OF`] a channel whose name by now is `code`.
#[must_use]
pub fn cannot_speak(door: &str, place: &str, code: &str) -> String {
    let (chat, discord) = (chat(door), door == "discord");
    if let Some(named) = place.strip_prefix(NAME_OF) {
        return format!(
            "{chat}: {named} is called {code} now. Tidegate goes on there until it is started again, and then does not find it; runs go \
             on. What helps: call it {code} in the configuration, or by its id, which no new name changes"
        );
    }
    let remedy = match code {
        _ if place == COMMANDS => {
            "let the bot into the server once more, by the link in docs/discord.md with both scopes; within a minute it is tried again"
        }
        NO_PORT => "free the address that `listen` names under this chat, or name another, and start Tidegate again",
        _ if place == MEMBERS && discord => {
            "switch *Server Members Intent* on: https://discord.com/developers/applications, your application, Bot; or name the members \
             of the role in `[groups]`"
        }
        "not_in_channel" | "channel_not_found" | "missing_access" if discord => {
            "let the bot see the channel (its *View Channel*), or correct the name; where several channels have it, name it by its id"
        }
        "missing_permissions" => {
            "give the bot *Send Messages*, *Embed Links*, *Create Public Threads*, *Send Messages in Threads*, *Attach Files* and \
             *Read Message History* there"
        }
        "disallowed_intents" => {
            "look whether another program uses the token: Tidegate asks for no intent that has to be switched on"
        }
        "invalid_auth" if discord => "give Tidegate a working `bot_token`, and look whether the bot is in the server",
        _ if discord && code != "no_answer" && code != "user_deactivated" => "see docs/discord.md",
        "other_app" => "take `app_token` and `bot_token` from one and the same app: https://api.slack.com/apps",
        _ if place == HEARING && code != "no_answer" => {
            "give Tidegate a working `app_token`, an app-level token with the scope connections:write; what is said in the \
             environments' channels meanwhile is read then"
        }
        "not_in_channel" | "channel_not_found" => "invite the bot there: `/invite @tidegate`; or correct the name",
        "is_archived" => "unarchive it, or name another channel in the configuration",
        "missing_scope" => "install the app again with bot/slack-manifest.yaml",
        "user_deactivated" => "take them out of `owners` and `oncall`; until then `oncall` is called instead",
        "invalid_auth" | "token_revoked" | "account_inactive" | "not_authed" | "token_expired" => {
            "install the app again and give Tidegate the new token"
        }
        "no_answer" if discord => "look whether this machine reaches Discord; what is to be said waits",
        "no_answer" => "look whether this machine reaches Slack; what is to be said waits",
        _ => "see docs/slack.md",
    };
    let what = match (place, code) {
        (_, "user_deactivated") => format!("{chat}: {place} is deactivated and hears nothing"),
        (HEARING, NO_PORT) => {
            format!("Tidegate cannot listen for what {chat} delivers ({code}): nobody is answered there")
        }
        (HEARING, _) => format!("{chat} does not let Tidegate listen ({code})"),
        (PEOPLE, _) => format!("{chat} does not tell Tidegate who people are ({code}): nobody is answered there"),
        (FILES, _) => format!("{chat} takes no files ({code})"),
        (COMMANDS, _) => format!("{chat} does not take Tidegate's commands ({code}): mentions and buttons work"),
        (MEMBERS, _) => format!(
            "{chat} does not tell Tidegate who is in groups ({code}): what is for a group alone is told to those of it who are known"
        ),
        ("", _) => format!("{chat} does not let Tidegate speak ({code})"),
        (place, _) => format!("{chat} refuses messages to {place} ({code})"),
    };
    format!("{what}; runs go on. What helps: {remedy}")
}

/// The same in a card, with since when.
#[must_use]
pub fn trouble(trouble: &Trouble, clock: &Clock) -> Line {
    let since = clock.moment(trouble.since);
    Line::marked(&format!("Since {since}: {}.", cannot_speak(&trouble.door, &trouble.place, &trouble.code)))
}

/// What is refused of an `only` that leaves in a group, and why.
#[must_use]
pub fn group_left_in(group: &str) -> (String, &'static str) {
    (format!("`{group}` is a group"), "`only` leaves in people: name each of them")
}

/// What is told by a webhook.
#[must_use]
pub fn while_away(door: &str, text: &str) -> String {
    format!("{text}\n(told here because {} has not taken it)", chat(door))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_is_never_cut() {
        for (door, place, code) in [
            ("discord", "name of #load-test", "#rehearsals"),
            ("discord", MEMBERS, "missing_access"),
            ("discord", "#load-test", "missing_permissions"),
            ("slack", HEARING, "invalid_auth"),
            ("slack", "#load-test", "is_archived"),
        ] {
            let text = cannot_speak(door, place, code);
            let card = for_admins(&text);
            assert!(card.title.chars().count() <= TITLE_MAX, "{}", card.title);
            assert_eq!(card.lines.is_empty(), text.chars().count() <= TITLE_MAX, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_says_how_long_and_is_offered_without_its_reason() {
        let card = too_long("up shop slaves=40", 10_013, 4_000);
        assert_eq!(card.title, "This has 10,013 characters, and nothing of it is done: 4,000 are the most");
        assert_eq!(card.next, ["up shop slaves=40"]);
        assert_eq!(too_long(&"日".repeat(10_000), 10_000, 4_000).next, ["help"]);
        assert_eq!(too_long("", 1_234_567, 999).next, ["help"]);
        assert_eq!([999, 1_000, 1_234_567].map(thousands), ["999", "1,000", "1,234,567"]);
    }
}
