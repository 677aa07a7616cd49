//! Text in Slack's own form: escaping, cutting, and what people type with mentions in it.

/// The text so that Slack shows it as it is.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// At most `max` characters, cut between words where one ends near enough, with `…` for what is left out.
pub(super) fn cut_between_words(text: &str, max: usize) -> String {
    // NUL and alike are refused by Slack or shown as nothing.
    let clean = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    if text.chars().count() <= max {
        return text.chars().map(clean).collect();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).map(clean).collect();
    let end = kept.rfind(char::is_whitespace).filter(|end| kept[*end..].chars().count() < max / 4);
    let kept = end.and_then(|end| kept.get(..end)).unwrap_or(&kept);
    format!("{}…", kept.trim_end())
}

/// What somebody typed, as the command that it means: mentions, channels and groups by id, links as written, escapes undone, the
/// bot's own name at the front taken away.
pub(super) fn typed(raw: &str, me: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('>').map(|end| start + end) else {
            rest = &rest[start..];
            break;
        };
        out.push_str(&token(&rest[start + 1..end], me));
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    let out = out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    // Phones write these by themselves.
    let out = out.replace(['\u{201c}', '\u{201d}'], "\"").replace(['\u{2018}', '\u{2019}'], "'").replace('\u{a0}', " ");
    out.trim().to_owned()
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
    // `<http://shop.example|shop.example>`: what was typed is what is shown.
    shown.unwrap_or(what).to_owned()
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
            ("<!channel> status", "@channel status"),
            ("a < b", "a < b"),
            ("up shop because \u{201c}late\u{201d}", "up shop because \"late\""),
        ] {
            assert_eq!(typed(raw, "UBOT"), meant);
        }
    }

    #[test]
    fn a_cut_falls_between_words_and_never_in_a_character() {
        assert_eq!(cut_between_words("one two three", 9), "one two…");
        assert_eq!(cut_between_words("日本日本日本", 4), "日本日…");
        assert_eq!(cut_between_words("short", 9), "short");
        assert!(cut_between_words(&"word ".repeat(1000), 100).chars().count() <= 100);
    }
}
