//! An answer that says what was refused, why, and what to type instead.

use serde::{Deserialize, Serialize};

/// Whether the words were not understood or the thing is not allowed. Decides the exit status of `shell -c`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The words do not make a command.
    NotUnderstood,
    /// Understood, and not done.
    Refused,
}

/// A refusal. `hints` are exact next commands, without a leading `/tide`; the words around them are the chat's business.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Refusal {
    /// Not understood or not allowed.
    pub kind: RefusalKind,
    /// What was refused, in a few words: `shop has no setting slavs`.
    pub what: String,
    /// Why, in one sentence.
    pub why: String,
    /// What to type instead: whole commands, ready to copy. May be empty when there is truly nothing to type.
    pub hints: Vec<String>,
    /// What and why as anybody else reads it, where the words speak to whom is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_them: Option<Box<(String, String)>>,
}

impl Refusal {
    /// Words that do not make a command.
    #[must_use]
    pub fn not_understood(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind: RefusalKind::NotUnderstood, what: what.into(), why: why.into(), hints: Vec::new(), of_them: None }
    }

    /// A command that is understood and not carried out.
    #[must_use]
    pub fn refused(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { kind: RefusalKind::Refused, what: what.into(), why: why.into(), hints: Vec::new(), of_them: None }
    }

    /// [`Refusal::refused`] in words that speak to whom is refused, made with what to call them: `you` or, for others, `they`.
    #[must_use]
    pub fn speaking(what: impl Fn(&str) -> String, why: impl Fn(&str) -> String) -> Self {
        let of_them = Some(Box::new((what("they"), why("they"))));
        Self { of_them, ..Self::refused(what("you"), why("you")) }
    }

    /// The refusal of somebody as somebody else reads it.
    #[must_use]
    pub fn told_of_them(self) -> Self {
        match self.of_them {
            Some(words) => Self { what: words.0, why: words.1, of_them: None, ..self },
            None => self,
        }
    }

    /// The same with one more command to copy.
    #[must_use]
    pub fn hint(mut self, command: impl Into<String>) -> Self {
        self.hints.push(command.into());
        self
    }
}

/// Longest word that is compared, in characters: what is longer is no misspelling, and a distance costs the product of both lengths.
const LONGEST: usize = 100;

fn comparable(word: &str) -> bool {
    word.chars().nth(LONGEST).is_none()
}

/// The candidate that `word` was most likely meant to be: the smallest edit distance, at most a third of the longer
/// word's characters (rounded up). Damerau-Levenshtein, so that a transposition counts once. Nothing for a word of more than
/// 100 characters.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if !comparable(word) {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| comparable(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let longest = word.chars().count().max(candidate.chars().count());
            *distance <= longest.div_ceil(3)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// True when `word` is `meant` with one letter wrong, missing or too many, or two that changed places.
#[must_use]
pub fn is_slip(word: &str, meant: &str) -> bool {
    comparable(word)
        && comparable(meant)
        && strsim::damerau_levenshtein(&word.to_lowercase(), &meant.to_lowercase()) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_one_letter() {
        assert!(is_slip("Destory", "destroy") && is_slip("dwn", "down"));
        assert!(!is_slip("restore", "destroy") && !is_slip("deploy", "destroy"));
    }

    #[test]
    fn the_nearest_word_is_near() {
        assert_eq!(nearest("slavs", ["servers", "slaves"]), Some("slaves"));
        assert_eq!(nearest("Shpo", ["shop", "zoo"]), Some("shop"));
        assert_eq!(nearest("日本", ["shop"]), None);
        assert_eq!(nearest("", ["shop"]), None);
        let page = "日".repeat(LONGEST + 1);
        assert_eq!(nearest(&page, [page.as_str()]), None, "what is that long is not compared");
        let line = "日".repeat(LONGEST);
        assert_eq!(nearest(&line, [line.as_str()]), Some(line.as_str()));
        assert!(!is_slip(&page, &page) && is_slip(&line, &line));
    }
}
