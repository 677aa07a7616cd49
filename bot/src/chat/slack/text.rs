//! Text in Slack's own form: escaping, and what people type with mentions in it.

use crate::chat::voice::text::{as_typed, in_angles};

/// The text so that Slack shows it as it is.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What somebody typed, as the command that it means: mentions, channels and groups by id, links as written, escapes undone, the
/// bot's own name at the front taken away.
pub(super) fn typed(raw: &str, me: &str) -> String {
    let out = in_angles(raw, |inner| Some(token(inner, me)));
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    as_typed(&out)
}

/// An address without what people leave away as they type it.
fn of_address(text: &str) -> &str {
    let bare = text.split_once("://").map_or(text, |(_, bare)| bare);
    let bare = bare.strip_prefix("mailto:").or_else(|| bare.strip_prefix("tel:")).unwrap_or(bare);
    bare.strip_suffix('/').unwrap_or(bare)
}

/// What stands between `<` and `>`.
fn token(inner: &str, me: &str) -> String {
    let (what, shown) = inner.split_once('|').map_or((inner, None), |(what, shown)| (what, Some(shown)));
    if let Some(person) = what.strip_prefix('@') {
        return if person == me { String::new() } else { format!("slack:{person}") };
    }
    if let Some(channel) = what.strip_prefix('#') {
        return format!("slack:{channel}");
    }
    if let Some(group) = what.strip_prefix("!subteam^") {
        return format!("slack:{group}");
    }
    if let Some(word) = what.strip_prefix('!') {
        return format!("@{}", word.split('^').next().unwrap_or(word));
    }
    match shown {
        // `<http://shop.example|shop.example>`: what was typed is what is shown.
        Some(shown) if of_address(what) == of_address(shown) => shown.to_owned(),
        // Words over an address: neither is lost.
        Some(shown) => format!("{shown} ({what})"),
        None => what.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_resolves_to_ids_and_loses_slacks_own_marks() {
        for (raw, meant) in [
            ("<@UBOT> up shop slaves=40", "up shop slaves=40"),
            ("<@UBOT|tidegate>   status", "status"),
            ("history by <@U024BE7LH|alice>", "history by slack:U024BE7LH"),
            ("who <!subteam^S0604|@ops> <#C1|load-test>", "who slack:S0604 slack:C1"),
            ("up shop because a &lt;b&gt; &amp; c", "up shop because a <b> & c"),
            ("see <https://a.example/x|a.example/x>", "see a.example/x"),
            ("see <https://evil.example|click>", "see click (https://evil.example)"),
            ("see <https://a.example/|a.example> <mailto:a@b.example|a@b.example>", "see a.example a@b.example"),
            ("<!channel> status", "@channel status"),
            ("a < b", "a < b"),
            ("up shop because \u{201c}late\u{201d}", "up shop because \"late\""),
        ] {
            assert_eq!(typed(raw, "UBOT"), meant);
        }
    }
}
