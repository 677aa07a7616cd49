//! Groups in what people type: who is in them only the chat knows, so that their members are written in their place.

use super::platform::Platform;

/// A question with the members of a group in place of the group that stands after `by`, as far as that is one.
pub(in crate::chat) async fn by(platform: &dyn Platform, typed: &str) -> Option<String> {
    let prefix = format!("{}:", platform.door());
    let words: Vec<&str> = typed.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("by"))? + 1;
    let group = words.get(at)?.trim_start_matches('@').strip_prefix(&prefix).filter(|id| platform.is_group(id))?;
    let members = platform.members(group).await.ok().filter(|members| !members.is_empty())?;
    let named: Vec<String> = members.iter().map(|member| format!("{prefix}{member}")).collect();
    let (before, after) = (words.get(..at)?.join(" "), words.get(at + 1..)?.join(" "));
    Some(format!("{before} {} {after}", named.join(",")).trim_end().to_owned())
}

/// A line with the members of groups in place of those that it leaves in by `only`. `None`: it names no group with members.
pub(in crate::chat) async fn with(platform: &dyn Platform, typed: &str) -> Option<String> {
    let prefix = format!("{}:", platform.door());
    let (mut words, mut found, mut names) = (Vec::new(), false, false);
    for word in typed.split_whitespace() {
        let id = word.trim_matches(['@', ',']).strip_prefix(&prefix).filter(|id| platform.is_group(id));
        names = word.eq_ignore_ascii_case("only") || names && (word.starts_with('@') || word.contains(':'));
        let members = match id.filter(|_| names) {
            Some(id) => platform.members(id).await.ok()?,
            None => Vec::new(),
        };
        found |= !members.is_empty();
        if members.is_empty() {
            words.push(word.to_owned());
        }
        words.extend(members.iter().map(|member| format!("@{prefix}{member}")));
        if word.eq_ignore_ascii_case("because") {
            names = false;
        }
    }
    found.then(|| words.join(" "))
}
