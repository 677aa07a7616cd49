//! Told values as others write them: in base64, in URLs, in JSON inside of JSON.
//!
//! Base64 is looked for in its own form, whatever stands before and after the value. The other encodings are undone, and the place
//! of what is found is looked up in the text as it was: nobody knows which characters a program escapes.

use std::ops::Range;

/// Shortest piece of base64 that is looked for, in characters; a shorter one would be found by chance.
const CORE_MIN: usize = 6;

/// How often JSON is put into JSON: a provider's log in a log message in the stream.
const LEVELS: usize = 3;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What every base64 text that holds `value` has in it: one text for each place at which the value may begin in a group of three
/// bytes, each in the standard alphabet and in the one for URLs.
pub(super) fn base64_cores(value: &str) -> Vec<String> {
    let mut cores = Vec::new();
    for before in 0..3 {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(value.bytes()).collect();
        // A character stands for six bits: those that the neighbours have a part in are left out.
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        let core: String = (first..last).map(|at| char::from(sextet(&bytes, at))).collect();
        if core.len() < CORE_MIN {
            continue;
        }
        let of_urls = core.replace('+', "-").replace('/', "_");
        if of_urls != core {
            cores.push(of_urls);
        }
        cores.push(core);
    }
    cores
}

/// As `base64` writes bytes.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text: String = (0..(bytes.len() * 8).div_ceil(6)).map(|at| char::from(sextet(bytes, at))).collect();
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// The character that stands for the six bits number `at`.
fn sextet(bytes: &[u8], at: usize) -> u8 {
    let bit = at * 6;
    let byte = |at: usize| u16::from(bytes.get(at).copied().unwrap_or(0));
    let two = (byte(bit / 8) << 8) | byte(bit / 8 + 1);
    let index = (two >> (10 - bit % 8)) & 0x3f;
    STANDARD.get(usize::from(index)).copied().unwrap_or(b'A')
}

/// The base64 text around a core: its first and last characters hold bits of the value too.
pub(super) fn whole_run(text: &[u8], core: Range<usize>) -> Range<usize> {
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let before = text.get(..core.start).unwrap_or_default().iter().rev().take(2).take_while(|b| belongs(b)).count();
    let after = text.get(core.end..).unwrap_or_default().iter().take(4).take_while(|b| belongs(b)).count();
    core.start - before..core.end + after
}

/// The text without an escape at its end that is not whole: `%2`, `\u65e`.
pub(super) fn without_cut_escape(text: &str) -> &str {
    let tail = text.floor_char_boundary(text.len().saturating_sub(6));
    let cut = text.get(tail..).and_then(|end| end.rfind(['%', '\\'])).map_or(text.len(), |at| tail + at);
    text.get(..cut).unwrap_or_default().trim_end_matches('\\')
}

/// Which encodings can make one of some values look different.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    /// Some character is escaped in URLs.
    in_urls: bool,
    /// Some character is a space, which forms write as `+`.
    has_space: bool,
    /// Some character is escaped in JSON, by one program or another.
    in_json: bool,
}

impl Written {
    pub(super) fn of(values: &[String]) -> Self {
        let any = |has: &dyn Fn(char) -> bool| values.iter().any(|value| value.chars().any(has));
        Self {
            in_urls: any(&|c| !(c.is_ascii_alphanumeric() || "-._~".contains(c))),
            has_space: any(&|c| c == ' '),
            in_json: any(&|c| !c.is_ascii() || c.is_ascii_control() || "\"\\/<>&'+=".contains(c)),
        }
    }

    /// What a text must hold to be worth a look.
    pub(super) fn hints(self) -> impl Iterator<Item = String> {
        let hints = [(self.in_urls, "%"), (self.has_space, "+"), (self.in_json, "\\")];
        hints.into_iter().filter(|(has, _)| *has).map(|(_, hint)| hint.to_owned())
    }

    /// The text with the encodings undone that may hide something, each in its own way.
    pub(super) fn views(self, text: &str) -> Vec<View> {
        let mut views = Vec::new();
        let mut plain = View::of(text);
        for level in 0..=LEVELS {
            let of_url = self.in_urls && plain.bytes.contains(&b'%');
            if of_url {
                views.push(plain.unescaped_url(false));
            }
            if self.has_space && plain.bytes.contains(&b'+') {
                views.push(plain.unescaped_url(true));
            }
            if level == LEVELS || !self.in_json || !plain.bytes.contains(&b'\\') {
                break;
            }
            plain = plain.unescaped_json();
            views.push(plain.clone());
        }
        views
    }
}

/// A text with an encoding undone.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) bytes: Vec<u8>,
    /// Where each byte, and the end, was in the text.
    places: Vec<usize>,
}

impl View {
    fn of(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), places: (0..=text.len()).collect() }
    }

    /// Where a part of the view is in `text`.
    pub(super) fn place(&self, text: &str, part: Range<usize>) -> Range<usize> {
        let place = |at: usize| self.places.get(at).copied().unwrap_or(text.len());
        text.floor_char_boundary(place(part.start))..text.ceil_char_boundary(place(part.end))
    }

    /// Undoes what `next` knows: it gives the bytes that the beginning of its argument stands for, and how long that is.
    fn undone(&self, next: impl Fn(&[u8]) -> Option<(Vec<u8>, usize)>) -> Self {
        let mut undone = Self { bytes: Vec::with_capacity(self.bytes.len()), places: Vec::new() };
        let mut at = 0;
        while let Some(rest) = self.bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let (bytes, len) = next(rest).unwrap_or_else(|| (rest.iter().take(1).copied().collect(), 1));
            let place = self.places.get(at).copied().unwrap_or_default();
            undone.places.extend(std::iter::repeat_n(place, bytes.len()));
            undone.bytes.extend(bytes);
            at += len;
        }
        undone.places.extend(self.places.last());
        undone
    }

    /// `%41` is `A`; in forms `+` is a space.
    fn unescaped_url(&self, form: bool) -> Self {
        self.undone(|rest| match rest {
            [b'%', high, low, ..] => Some((vec![(hex(*high)? << 4) | hex(*low)?], 3)),
            [b'+', ..] if form => Some((vec![b' '], 1)),
            _ => None,
        })
    }

    /// `\n`, `\"`, `\u003c`: a character.
    fn unescaped_json(&self) -> Self {
        self.undone(|rest| {
            let [b'\\', letter, ..] = rest else { return None };
            let byte = match letter {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                b'b' => 8,
                b'f' => 12,
                b'"' | b'\\' | b'/' | b'\'' => *letter,
                b'u' => return escaped_character(rest),
                _ => return None,
            };
            Some((vec![byte], 2))
        })
    }
}

/// A `\uXXXX`, or two of them for one character beyond the first 65,536.
fn escaped_character(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let unit = |at: usize| {
        let [b'\\', b'u', a, b, c, d, ..] = text.get(at..)? else { return None };
        let digits = [hex(*a)?, hex(*b)?, hex(*c)?, hex(*d)?];
        Some(digits.iter().fold(0_u32, |sum, digit| sum << 4 | u32::from(*digit)))
    };
    let first = unit(0)?;
    let (code, len) = match (first, unit(6)) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            (0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00), 12)
        }
        _ => (first, 6),
    };
    Some((char::from_u32(code)?.to_string().into_bytes(), len))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::super::Redactor;
    use super::base64;

    #[test]
    fn base64_is_what_others_write() {
        for (plain, encoded) in
            [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy"), ("\u{ff}>?", "w78+Pw==")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn a_value_inside_of_base64_goes_wherever_it_begins() {
        let redactor = Redactor::new(["hunter22>?"]);
        for before in 0..7 {
            for after in 0..4 {
                let plain = format!("{}hunter22>?{}", "u".repeat(before), "v".repeat(after));
                let encoded = base64(plain.as_bytes());
                for text in [encoded.clone(), encoded.replace('+', "-").replace('/', "_")] {
                    let redacted = redactor.redact(&text).into_owned();
                    assert!(redacted.contains("[redacted]"), "{plain}: {redacted}");
                    assert!(redacted.len() < 10 + before * 2 + after * 2 + 4, "{plain}: {redacted}");
                }
            }
        }
    }

    #[test]
    fn a_value_goes_however_it_is_escaped() {
        let redactor = Redactor::new(["p<q>&\"r\\s", "a b/c+d", "日本語の秘密", "two\nlines-of-it"]);
        for text in [
            "https://h/?k=p%3Cq%3E%26%22r%5Cs&x=1",
            "https://h/?k=p%3cq%3e%26%22r%5cs&x=1",
            "k=a+b%2Fc%2Bd",
            "/a%20b%2Fc%2bd/",
            "%E6%97%A5%E6%9C%AC%E8%AA%9E%E3%81%AE%E7%A7%98%E5%AF%86",
            r#"{\"k\":\"p\u003cq\u003e\u0026\"r\\s\"}"#,
            r#"{\"k\":\"p<q>&\\\"r\\\\s\"}"#,
            r#"{\\\"k\\\":\\\"p<q>&\\\\\\\"r\\\\\\\\s\\\"}"#,
            r"\u65e5\u672c\u8a9e\u306e\u79d8\u5bc6",
            r"k = two\nlines-of-it",
        ] {
            assert!(redactor.redact(text).contains("[redacted]"), "{text}: {}", redactor.redact(text));
            let line = serde_json::json!({ "@message": text }).to_string();
            assert!(redactor.redact(&line).contains("[redacted]"), "{line}");
        }
        for text in ["100% of a+b", r#"aws_x.y[\"a\"]: \u0041"#, "%zz %4"] {
            assert_eq!(redactor.redact(text), text);
        }
    }
}
