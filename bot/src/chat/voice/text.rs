//! Text of people on its way to a chat: nothing in it may move or hide what stands beside it; cut between words.

use serde_json::Value;

/// Most characters of a command that are carried out. Nothing that can be meant is nearly as long.
pub(in crate::chat) const TYPED_MAX: usize = 4_000;

/// How many characters a command has, where they are too many: cut, it could mean something else.
pub(in crate::chat) fn too_long(typed: &str) -> Option<usize> {
    let length = typed.chars().count();
    (length > TYPED_MAX).then_some(length)
}

/// Before and after words that run from right to left, so that what stands beside them stays where it is (UAX 9, isolates).
const ISOLATE: char = '\u{2068}';
const END: char = '\u{2069}';

/// Written from right to left: the blocks of Unicode that are kept for such scripts.
fn runs_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// The text with nothing in it that turns, hides or moves other text, or that a chat refuses: one sign for each that was there. The one
/// place for it; every text of somebody passes it on its way to a chat.
pub(in crate::chat) fn plainly(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(c),
        // Marks of direction show nothing and are not needed beside isolates.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | ISOLATE | END => None,
        '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => {
            Some('\u{fffd}')
        }
        c if c.is_control() => Some('\u{fffd}'),
        c => Some(c),
    };
    let all: Vec<char> = text.chars().filter_map(shown).collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(&c) = all.get(at) {
        if !runs_left(c) {
            out.push(c);
            at += 1;
            continue;
        }
        // To the last such sign before another letter, a line's end or a digit.
        let rest = &all[at..];
        let end = rest.iter().position(|c| *c == '\n' || c.is_alphanumeric() && !runs_left(*c)).unwrap_or(rest.len());
        let last = rest[..end].iter().rposition(|c| runs_left(*c)).map_or(1, |last| last + 1);
        out.push(ISOLATE);
        out.extend(&rest[..last]);
        out.push(END);
        at += last;
    }
    out
}

/// At most `max` characters, cut between words where one ends near enough, with `…` for what is left out.
pub(in crate::chat) fn cut_between_words(text: &str, max: usize) -> String {
    let text = plainly(text);
    if text.chars().count() <= max {
        return text;
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    let end = kept.rfind(char::is_whitespace).filter(|end| kept[*end..].chars().count() < max / 4);
    let kept = end.and_then(|end| kept.get(..end)).unwrap_or(&kept);
    format!("{}…", kept.trim_end())
}

/// What people type as commands take it: without what phones write by themselves, or what was copied out of a card.
pub(in crate::chat) fn as_typed(text: &str) -> String {
    // What was copied out of a card has them; see `plainly`.
    let out = text.replace([ISOLATE, END], "");
    let out = out.replace(['\u{201c}', '\u{201d}'], "\"").replace(['\u{2018}', '\u{2019}'], "'").replace('\u{a0}', " ");
    out.trim().to_owned()
}

/// The text with what stands between `<` and `>` as it is meant; where it means nothing, it stays as it is.
pub(in crate::chat) fn in_angles(raw: &str, meant: impl Fn(&str) -> Option<String>) -> String {
    let (mut out, mut rest) = (String::with_capacity(raw.len()), raw);
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let found = after.split_once('>').and_then(|(inner, after)| Some((meant(inner)?, after)));
        if let Some((words, after)) = found {
            out.push_str(&words);
            rest = after;
        } else {
            out.push('<');
            rest = after;
        }
    }
    out + rest
}

/// A text of a delivery, unless it says nothing.
pub(in crate::chat) fn told(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_the_other_way_or_is_not_seen_moves_nothing_beside_it() {
        for (written, shown) in [
            ("late \u{202e}evil 12", "late \u{fffd}evil 12"),
            ("a\u{200b}b\u{2066}c\u{feff}\u{200f}", "a\u{fffd}b\u{fffd}c\u{fffd}"),
            ("because \u{5d0}\u{5d1} \u{5d2}! 12 of 40", "because \u{2068}\u{5d0}\u{5d1} \u{5d2}\u{2069}! 12 of 40"),
            ("\u{627}\n\u{628}", "\u{2068}\u{627}\u{2069}\n\u{2068}\u{628}\u{2069}"),
            ("👨\u{200d}👩 日本", "👨\u{200d}👩 日本"),
        ] {
            assert_eq!(cut_between_words(written, 100), shown);
            assert_eq!(cut_between_words(shown, 100), shown, "once is enough");
        }
        assert_eq!(as_typed(" up shop because \u{2068}\u{5d0}\u{2069}"), "up shop because \u{5d0}");
    }

    #[test]
    fn what_has_more_than_4_000_characters_is_too_long() {
        assert_eq!(too_long(&"日".repeat(4_000)), None);
        assert_eq!(too_long(&"日".repeat(4_001)), Some(4_001));
    }

    #[test]
    fn a_cut_falls_between_words_and_never_in_a_character() {
        assert_eq!(cut_between_words("one two three", 9), "one two…");
        assert_eq!(cut_between_words("日本日本日本", 4), "日本日…");
        assert_eq!(cut_between_words("short", 9), "short");
        assert!(cut_between_words(&"word ".repeat(1000), 100).chars().count() <= 100);
    }
}
