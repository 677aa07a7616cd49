//! Lists of people and groups, by immutable id.

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use crate::domain::access::Who;
use crate::domain::ids::ActorId;
use crate::domain::lookalike::imitating;

/// The word for all ordinary people of a chat.
const EVERYONE: &str = "everyone";

/// Who is listed at `at`, with each one's place in the list; what is wrong goes to `findings`.
pub(super) fn read(at: &Path<'_>, texts: &[String], findings: &mut Findings<'_, '_>) -> Vec<(usize, ActorId)> {
    let mut people: Vec<(usize, ActorId)> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        let at = at.index(index);
        let Some(person) = one(&at, text, findings) else { continue };
        if people.iter().any(|(_, other)| *other == person) {
            findings.at_value(&at, format!("{} is listed twice", quoted(text)), Some("remove one".to_owned()));
            continue;
        }
        people.push((index, person));
    }
    people
}

/// As [`read`], where `everyone` may stand too, and nobody is a mistake.
pub(super) fn read_who(at: &Path<'_>, texts: &[String], findings: &mut Findings<'_, '_>) -> Vec<(usize, Who)> {
    if texts.is_empty() {
        let hint = "add somebody by id, or `everyone`, or remove the line";
        findings.at_key(at, "this role is given to nobody", Some(hint.to_owned()));
    }
    let is_everyone = |text: &String| text == EVERYONE;
    let mut found: Vec<(usize, Who)> = Vec::new();
    for (index, _) in texts.iter().enumerate().filter(|(_, text)| is_everyone(text)) {
        if found.is_empty() {
            found.push((index, Who::Everyone));
        } else {
            let message = format!("`{EVERYONE}` is listed twice");
            findings.at_value(&at.index(index), message, Some("remove one".to_owned()));
        }
    }
    // What is not a person stays in its place, so that the others keep theirs.
    let named: Vec<(usize, String)> =
        texts.iter().enumerate().filter(|(_, text)| !is_everyone(text)).map(|(at, text)| (at, text.clone())).collect();
    let mut people: Vec<ActorId> = Vec::new();
    for (index, text) in named {
        let at = at.index(index);
        let Some(person) = one(&at, &text, findings) else { continue };
        if people.contains(&person) {
            findings.at_value(&at, format!("{} is listed twice", quoted(&text)), Some("remove one".to_owned()));
            continue;
        }
        people.push(person.clone());
        found.push((index, Who::Named(person)));
    }
    found
}

/// The person or group written at `at`.
pub(super) fn one(at: &Path<'_>, text: &str, findings: &mut Findings<'_, '_>) -> Option<ActorId> {
    let at_fault = |findings: &mut Findings<'_, '_>, message: String, hint: String| {
        findings.at_value(at, message, Some(hint));
        None
    };
    match checked(text) {
        Ok(person) => {
            if let Some((message, hint)) = names_nobody(&person) {
                findings.warn_at_value(at, message, Some(hint));
            }
            Some(person)
        }
        Err((message, hint)) => at_fault(findings, message, hint),
    }
}

/// The person or group that a text names, or what is wrong with it and what to write.
pub(super) fn checked(text: &str) -> Result<ActorId, (String, String)> {
    let Ok(person) = text.parse::<ActorId>() else {
        let hint = if text.contains(':') || text.trim().is_empty() {
            "write `local:NAME`, `slack:ID` or `discord:ID`".to_owned()
        } else {
            let local = quoted(&format!("local:{}", text.trim()));
            format!("write {local} for a user of this machine, `slack:ID` or `discord:ID` for others")
        };
        return Err((format!("{} is not a person or group", quoted(text)), hint));
    };
    let in_chat = !text.starts_with("local:");
    if in_chat && !person.short().chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        let message = format!("{} is not an id of that chat", quoted(&person.shown()));
        return Err((message, "ids of a chat are letters and digits, as in `slack:U024BE7LH`".to_owned()));
    }
    if let Some(odd) = imitating(text) {
        let message = format!(
            "{} can be taken for another name: it has the character U+{:04X}",
            quoted(&person.shown()),
            u32::from(odd)
        );
        return Err((message, "write the name as `whoami` shows it".to_owned()));
    }
    Ok(person)
}

/// An id that its chat gives to nobody: mostly a name that stands in its place.
fn names_nobody(id: &ActorId) -> Option<(String, String)> {
    let (short, all) = (id.short(), |is: fn(&u8) -> bool| id.short().as_bytes().iter().all(is));
    let (chat, like) = match id.as_str().split_once(':').map(|(chat, _)| chat) {
        Some("slack")
            if !(short.starts_with(['U', 'W', 'S', 'B']) && all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())) =>
        {
            (
                "Slack",
                "Slack's ids begin with `U`, `W` (a person), `S` (a group) or `B` (a program), as in `slack:U024BE7LH`",
            )
        }
        Some("discord") if !all(u8::is_ascii_digit) => {
            ("Discord", "Discord's ids are numbers, as in `discord:80351110224678912`")
        }
        _ => return None,
    };
    let message = format!("{} names nobody: {chat} gives no such id", quoted(&id.shown()));
    Some((message, format!("write the id that `whoami` shows there; {like}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_the_place_of_an_id_is_told() {
        let told = |text: &str| names_nobody(&checked(text).unwrap()).map(|(message, _)| message);
        for text in ["slack:U024BE7LH", "slack:W1", "slack:S0604QSJC", "discord:80351110224678912", "local:ito"] {
            assert_eq!(told(text), None, "{text}");
        }
        for text in ["slack:ito", "slack:u024be7lh", "slack:C024BE7LH", "discord:ito"] {
            assert!(told(text).unwrap().contains("names nobody"), "{text}");
        }
    }
}
