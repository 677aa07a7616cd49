//! What phones and Japanese keyboards make of plain characters, turned back: width forms, smart quotes, dashes,
//! characters that nobody sees.
//!
//! Only width forms are folded. Full NFKC would also make `10²` the number 102.

use unicode_normalization::UnicodeNormalization;

/// Rewrites `text` with plain quotes, dashes, digits and letters, and without invisible characters.
pub(super) fn normalise(text: &str) -> String {
    let wide: String = text.chars().flat_map(fold_width).filter(|c| !invisible(*c)).collect();
    let chars: Vec<char> = wide.nfc().collect();
    let mut out = String::with_capacity(wide.len());
    for (at, &c) in chars.iter().enumerate() {
        let next = chars.get(at + 1).copied();
        let starts_word = at == 0 || chars.get(at - 1).is_some_and(|before| before.is_whitespace());
        match c {
            // Phones write `--force` as one long dash.
            '–' | '—' | '―' | '⸺' if starts_word && next.is_some_and(char::is_alphabetic) => out.push_str("--"),
            '‐' | '‑' | '‒' | '–' | '—' | '―' | '⸺' | '−' => out.push('-'),
            // The long-vowel mark lies where a Japanese keyboard has the minus sign.
            'ー' if next.is_some_and(|next| next == '=' || next.is_ascii_digit()) => out.push('-'),
            '“' | '”' | '„' | '‟' | '«' | '»' | '″' => out.push('"'),
            '‘' | '’' | '‚' | '‛' | '′' => out.push('\''),
            '×' | '✕' | '✖' | '∗' => out.push('*'),
            '∶' | '꞉' => out.push(':'),
            _ if c.is_whitespace() => out.push(' '),
            _ => out.push(c),
        }
    }
    out
}

/// A character without its half or full width.
fn fold_width(c: char) -> impl Iterator<Item = char> {
    let (folded, kept) = match c {
        '\u{ff00}'..='\u{ffef}' | '\u{fe50}'..='\u{fe6f}' | '\u{3000}' => (Some(std::iter::once(c).nfkc()), None),
        _ => (None, Some(c)),
    };
    folded.into_iter().flatten().chain(kept)
}

/// True for what no screen shows: controls (but white space), zero-width and direction marks, variation selectors.
pub(super) fn invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keyboards_make_of_plain_characters_is_turned_back() {
        for (typed, meant) in [
            ("ｓｃａｌｅ　ｓｈｏｐ　ｓｌａｖｅｓ＝４０", "scale shop slaves=40"),
            ("slaves：40 ＃812", "slaves:40 #812"),
            ("cancel —force", "cancel --force"),
            ("cancel –force", "cancel --force"),
            (
                "slaves−=5 slaves–=5 slaves－=5 slaves﹣=5 slavesー=5",
                "slaves-=5 slaves-=5 slaves-=5 slaves-=5 slaves-=5",
            ),
            ("slaves×=2", "slaves*=2"),
            ("“shop” ‘shop’", "\"shop\" 'shop'"),
            ("up\u{200b} sh\u{200d}op\u{feff}", "up shop"),
            ("up\u{a0}shop\tfull", "up shop full"),
            ("10²", "10²"),
            ("データ", "データ"),
        ] {
            assert_eq!(normalise(typed), meant);
        }
    }
}
