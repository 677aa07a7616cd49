//! `link`, `unlink`: somebody says from both of their ids that they are one person, by a code that one side is shown and the other says.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::access::{Link, Person};
use super::command::CommandName;
use super::ids::{ActorId, Timestamp};

/// How long a code can be said: ten minutes, in milliseconds.
pub const CODE_MS: i64 = 10 * 60_000;

/// So many wrong codes may one id say in [`WRONG_WITHIN_MS`].
pub const WRONG_MAX: i64 = 5;

/// An hour, in milliseconds.
pub const WRONG_WITHIN_MS: i64 = 3_600_000;

/// Crockford's base 32: no `i`, `l`, `o` or `u`, which are taken for others.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Letters of a code: 40 bits, of which one id may try [`WRONG_MAX`] in an hour.
const LENGTH: usize = 8;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum LinkOrder {
    /// A code is wanted, to be said from the other id.
    Begin,
    /// The code of the other id.
    Confirm {
        /// As it is made, without what people type between.
        code: Code,
    },
    /// A link is over.
    End {
        /// Those of this id, or by this number; `None`: one's own.
        of: Option<String>,
    },
}

impl LinkOrder {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> CommandName {
        match self {
            Self::Begin | Self::Confirm { .. } => CommandName::Link,
            Self::End { .. } => CommandName::Unlink,
        }
    }
}

/// A code that can be said once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// A code of these random bytes.
    #[must_use]
    pub fn new(random: [u8; 5]) -> Self {
        let bits = random.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let letter = |at: usize| char::from(LETTERS[usize::try_from(bits >> (5 * at) & 31).unwrap_or_default()]);
        Self((0..LENGTH).rev().map(letter).collect())
    }

    /// A code as somebody types it: in either case, with or without what stands between, and with `o`, `i` and `l` for what they
    /// look like. `None`: it is no code.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        let plain = |c: char| match c.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        };
        let code: String = word.chars().filter(|c| *c != '-').map(plain).collect();
        let letters = code.bytes().all(|byte| LETTERS.contains(&byte));
        (code.len() == LENGTH && letters).then_some(Self(code))
    }

    /// What can be a code in a text, as it stands there: words, and up to four of them where somebody has put spaces between.
    #[must_use]
    pub fn found(text: &str) -> Vec<(&str, Self)> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut words: Vec<std::ops::Range<usize>> = Vec::new();
        for (at, c) in text.char_indices().filter(|(_, c)| is_part(*c)) {
            match words.last_mut().filter(|last| last.end == at) {
                Some(last) => last.end = at + c.len_utf8(),
                None => words.push(at..at + c.len_utf8()),
            }
        }
        let some = |count: usize| words.windows(count).filter_map(|some| Some(some.first()?.start..some.last()?.end));
        let read = |range: std::ops::Range<usize>| {
            let found = text.get(range)?;
            let letters: String = found.chars().filter(|c| !c.is_whitespace()).collect();
            Some((found, Self::read(&letters)?))
        };
        (1..=4).flat_map(some).filter_map(read).collect()
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `7k3f-92mx`.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, other) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(f, "{one}-{other}")
    }
}

/// Not in a log.
impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(...)")
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAnswer {
    /// The code, for whoever asked alone.
    Code {
        /// To be said from the other id.
        code: Code,
        /// Until when.
        until: Timestamp,
    },
    /// Both are one person.
    Linked(Link),
    /// These are over.
    Unlinked(Vec<Link>),
    /// One that nobody could read was taken away.
    Cleared(Unreadable),
}

/// A link whose row says what no link can say. No yes counts while there is one: whom it makes one person nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// Its number.
    pub number: i64,
    /// Table, column and what is wrong with it.
    pub why: String,
}

/// Who is one person with whom, as far as somebody sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// Whom the configuration names by several ids.
    pub people: Vec<Person>,
    /// Links that stand.
    pub links: Vec<Link>,
    /// Links that cannot be read; for admins, who can take them away.
    pub unreadable: Vec<Unreadable>,
    /// Those of everybody, and not only of whoever asks.
    pub all: bool,
}

/// The other ids of somebody, and by what they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownAs {
    /// The person in the configuration, with where it is written.
    pub person: Option<Person>,
    /// By links.
    pub links: Vec<ActorId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Code::new([0xff, 0x00, 0x0f, 0xf0, 0x21]);
        assert_eq!(code.to_string(), "zw00-zw11");
        for typed in ["zw00-zw11", "ZW00ZW11", "zwoo-zwil", "zw-00-zw-11"] {
            assert_eq!(Code::read(typed).as_ref(), Some(&code), "{typed}");
        }
        for typed in ["", "zw00-zw1", "zw00-zw111", "zw00-zwu1", "ｚw00zw11", "日本日本日本日本", "slack:U1"] {
            assert_eq!(Code::read(typed), None, "{typed}");
        }
        assert_eq!(format!("{code:?}"), "Code(...)");
        for (text, found) in [
            ("link zw00-zw11", Some("zw00-zw11")),
            ("say `ZW00ZW11`, please", Some("ZW00ZW11")),
            ("lnk zw00 zw11", Some("zw00 zw11")),
            ("日本 zw00-zw11。", Some("zw00-zw11")),
            ("up shop slaves=40", None),
            ("", None),
        ] {
            let all = Code::found(text);
            assert_eq!(all.first().map(|(word, _)| *word), found, "{text}");
            assert!(all.iter().all(|(_, one)| *one == code), "{text}");
        }
    }
}
