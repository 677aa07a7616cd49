//! Names that imitate another: full-width letters, invisible characters, letters of one script among those of another. They
//! are shown by code point, so that no two names look the same.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_normalization::UnicodeNormalization as _;

/// Small letters of other scripts that look like Latin ones. Source: the single-letter, whole-script confusables of Latin in
/// Unicode's UTS #39 `confusables.txt`, for Cyrillic, Greek and Armenian.
const LIKE_LATIN: &str = "асеһіјӏорԛѕԝухԁѵɡονρυιαγκχτսոօզցհյ";

/// Characters that are not drawn, or that turn the direction of writing. Source: the property `Default_Ignorable_Code_Point`
/// of Unicode, and line and paragraph separators.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Another form of characters that can be written plainly: full-width letters, mathematical ones, odd spaces.
fn is_variant(c: char) -> bool {
    !c.is_ascii() && !std::iter::once(c).nfkc().eq(std::iter::once(c))
}

fn is_latin(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
}

/// Letters of scripts that share shapes with Latin: Greek, Cyrillic, Armenian, Cherokee.
fn is_akin(c: char) -> bool {
    matches!(c, '\u{250}'..='\u{2af}' | '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}'
        | '\u{1c80}'..='\u{1c8f}' | '\u{1f00}'..='\u{1fff}' | '\u{2c60}'..='\u{2c7f}' | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' | '\u{ab70}'..='\u{abbf}')
}

/// The first character of `text` by which it could be taken for another text.
#[must_use]
pub fn imitating(text: &str) -> Option<char> {
    let among = Among::of(text);
    text.chars().find(|c| among.is_strange(*c))
}

/// `text` with every character by which it could be taken for another one written as its code point: `<U+FF41>lice`.
#[must_use]
pub fn distinct(text: &str) -> Cow<'_, str> {
    let among = Among::of(text);
    if !text.chars().any(|c| among.is_strange(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if among.is_strange(c) {
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Among which letters the letters of a text stand.
struct Among {
    /// Letters akin to Latin ones are strange here: they stand among Latin ones, or make a whole name that looks like one.
    akin_are_strange: bool,
}

impl Among {
    fn of(text: &str) -> Self {
        let letters = || text.chars().filter(|c| c.is_alphabetic());
        let akin = letters().any(is_akin);
        let mixed = akin && letters().any(is_latin);
        let like = |c: char| c.to_lowercase().all(|c| LIKE_LATIN.contains(c));
        let whole = akin && letters().all(like);
        Self { akin_are_strange: mixed || whole }
    }

    fn is_strange(&self, c: char) -> bool {
        is_invisible(c) || is_variant(c) || self.akin_are_strange && c.is_alphabetic() && is_akin(c)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_imitate_another_are_shown_by_code_point() {
        for (name, shown) in [
            ("ａlice", "<U+FF41>lice"),
            ("al\u{200d}ice", "al<U+200D>ice"),
            ("аlice", "<U+0430>lice"),
            ("асе", "<U+0430><U+0441><U+0435>"),
            ("Аlice", "<U+0410>lice"),
            ("𝐚lice", "<U+1D41A>lice"),
            ("al\u{202e}ice", "al<U+202E>ice"),
            ("ito\u{a0}", "ito<U+00A0>"),
        ] {
            assert_eq!(distinct(name), shown);
            assert!(imitating(name).is_some());
        }
    }

    #[test]
    fn ordinary_names_are_left_alone() {
        for name in
            ["ito", "slack:U024BE7LH", "伊藤", "いとう アリス", "Ольга", "Müller", "O'Brien", "Ελένη", "김", "a-b_c.d"]
        {
            assert_eq!(distinct(name), name);
            assert_eq!(imitating(name), None);
        }
    }
}
