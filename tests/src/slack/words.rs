//! Text as people type it and as Slack writes it: mentions, channels, groups, links, the three escaped characters.

use std::fmt::Write as _;

use super::ids::ChannelId;
use super::state::State;

/// Where the text stands: Slack writes names differently in messages and commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    Command,
}

/// What Slack makes of typed text: `@alice` becomes `<@U..>`, `#ops` `<#C..>`, `@group` `<!subteam^S..>`, a link `<https://..>`.
pub(crate) fn typed(state: &State, text: &str, kind: Kind) -> String {
    let mut written = String::new();
    let mut rest = text;
    let mut boundary = true;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let named = if boundary { name(state, first, after, kind) } else { None };
        if let Some((tag, length)) = named {
            written += &tag;
            rest = &after[length..];
            boundary = false;
            continue;
        }
        let link = ["http://", "https://"].iter().any(|scheme| rest.starts_with(scheme));
        if boundary && link {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            let _ = write!(written, "<{}>", escaped(&rest[..end]));
            rest = &rest[end..];
            continue;
        }
        written += &escaped(&first.to_string());
        boundary = !first.is_alphanumeric();
        rest = after;
    }
    written
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The tag of the longest known name at the beginning of `after`, and the name's length in bytes.
fn name(state: &State, sign: char, after: &str, kind: Kind) -> Option<(String, usize)> {
    let ends = |name: &str| {
        let next = after.get(name.len()..).and_then(|rest| rest.chars().next());
        after.starts_with(name) && !next.is_some_and(|next| next.is_alphanumeric() || "-_".contains(next))
    };
    let command = kind == Kind::Command;
    match sign {
        '@' => {
            if let Some(person) = state.people.values().find(|person| ends(&person.name)) {
                let shown = if command { format!("|{}", person.name) } else { String::new() };
                return Some((format!("<@{}{shown}>", person.id), person.name.len()));
            }
            if let Some(word) = ["here", "channel", "everyone"].into_iter().find(|word| ends(word)) {
                return Some((format!("<!{word}>"), word.len()));
            }
            let group = state.groups.values().find(|group| ends(&group.handle))?;
            Some((format!("<!subteam^{}|@{}>", group.id, group.handle), group.handle.len()))
        }
        '#' => {
            let channel = state.channels.values().find(|channel| channel.direct.is_none() && ends(&channel.name))?;
            Some((format!("<#{}|{}>", channel.id, channel.name), channel.name.len()))
        }
        _ => None,
    }
}

/// What people see of text that Slack has: the other way round.
pub(crate) fn shown(state: &State, text: &str) -> String {
    let mut seen = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        seen += &rest[..at];
        let Some(end) = rest[at..].find('>') else { break };
        seen += &tag(state, &rest[at + 1..at + end]);
        rest = &rest[at + end + 1..];
    }
    seen += rest;
    seen.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn tag(state: &State, inside: &str) -> String {
    let (what, label) = inside.split_once('|').map_or((inside, None), |(what, label)| (what, Some(label)));
    if let Some(user) = what.strip_prefix('@') {
        return state.person(user).map_or_else(|| format!("@{user}?"), |person| format!("@{}", person.name));
    }
    if let Some(channel) = what.strip_prefix('#') {
        let found = state.channels.get(&ChannelId(channel.into()));
        return found.map_or_else(|| format!("#{channel}?"), |channel| format!("#{}", channel.name));
    }
    if let Some(group) = what.strip_prefix("!subteam^") {
        let found = state.groups.values().find(|known| known.id.as_str() == group);
        return found.map_or_else(|| format!("@{group}?"), |group| format!("@{}", group.handle));
    }
    if what.starts_with("!date^") {
        return label.unwrap_or(what).to_owned();
    }
    if let Some(word) = what.strip_prefix('!') {
        return format!("@{word}");
    }
    label.map_or_else(|| what.to_owned(), |label| format!("{label} ({what})"))
}
