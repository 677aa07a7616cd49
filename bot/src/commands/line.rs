//! A message as words: the plain words of the command, and the reason as typed.

use super::normalise::{invisible, normalise};

/// One message. `words` never contains an empty word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    words: Vec<String>,
    /// The same as they are offered again: with the quotes that make one value of several words.
    shown: Vec<String>,
    because: Option<String>,
    /// What the words were cut from, with its quotes.
    plain: String,
}

/// What may stand before the command: the slash command, the bot's name.
const NAMES: [&str; 6] = ["/tide", "/tidegate", "@tidegate", "@tide", "tidegate", "tide"];

impl Line {
    /// Cuts a message into words. Nothing is lost but white space, quotes around words, and the bot's own name.
    pub(super) fn read(text: &str) -> Self {
        let mut rest = text.trim_start();
        let mut before = String::new();
        let mut because = None;
        while !rest.is_empty() {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            if is_because(word) {
                because = Some(after.trim().to_owned());
                break;
            }
            before.push_str(word);
            before.push(' ');
            rest = after.trim_start();
        }
        let plain = normalise(&before);
        let quoted = quoted_words(&plain);
        let pieces = plain.split_whitespace().enumerate().map(|(at, raw)| {
            let word = unquoted(raw).to_owned();
            (if quoted.contains(&at) { raw.to_owned() } else { word.clone() }, word)
        });
        let mut pieces: Vec<(String, String)> = pieces.filter(|(_, word)| !word.is_empty()).collect();
        if pieces.first().is_some_and(|(_, first)| is_name(first)) {
            pieces.remove(0);
        }
        let (shown, words) = joined(pieces).into_iter().unzip();
        Self { words, shown, because, plain }
    }

    /// This line without what stands between double quotes after its command, and that.
    pub(super) fn without_quoted(&self) -> (Self, Vec<String>) {
        let pieces: Vec<&str> = self.plain.split('"').collect();
        // A quote that is never closed encloses nothing.
        let closed = pieces.len() - 1 + pieces.len() % 2;
        let (mut rest, mut quoted) = (String::new(), Vec::new());
        for (at, piece) in pieces.iter().enumerate() {
            if at % 2 == 1 && at < closed {
                quoted.push(piece.split_whitespace().collect::<Vec<_>>().join(" "));
            } else {
                rest.push_str(piece);
            }
            rest.push(' ');
        }
        quoted.retain(|words| !words.is_empty());
        let line = Self { because: self.because.clone(), ..Self::read(&rest) };
        // `"audit" shop` is how people copy things.
        if line.word(0) == self.word(0) { (line, quoted) } else { (self.clone(), Vec::new()) }
    }

    /// The words again, where several in quotes are one, also behind an `=`: `window="Mon-Fri 09:00-21:00"`. A quote that is never
    /// closed encloses nothing. `a = b` is `a=b`.
    pub(super) fn arguments(&self) -> Vec<Argument> {
        let mut all: Vec<Argument> = Vec::new();
        let mut rest = self.plain.trim_start();
        while !rest.is_empty() {
            let (argument, after) = Argument::read(rest);
            rest = after.trim_start();
            let goes_on = |last: &Argument| {
                let opens = last.text.ends_with('=') && !last.quoted && !argument.text.contains('=');
                !last.whole && (opens || !argument.whole && argument.text.starts_with('=') && !last.text.contains('='))
            };
            match all.last_mut().filter(|last| goes_on(last)) {
                Some(last) => {
                    last.text.push_str(&argument.text);
                    last.quoted |= argument.quoted;
                }
                None => all.push(argument),
            }
        }
        all.retain(|argument| !argument.text.is_empty());
        if all.first().is_some_and(|first| is_name(&first.text)) {
            all.remove(0);
        }
        all
    }

    /// The word at `at`; 0 is the command.
    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.words.get(at).map(String::as_str)
    }

    /// The words from `from` on, each with its place.
    pub(super) fn from(&self, from: usize) -> impl Iterator<Item = (usize, &str)> {
        self.words.iter().enumerate().skip(from).map(|(at, word)| (at, word.as_str()))
    }

    /// How many words there are, the command included.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The reason; empty when `because` ended the message.
    pub(super) fn because(&self) -> Option<&str> {
        self.because.as_deref()
    }

    /// The whole line again, with another word at `at` (none for an empty one).
    pub(super) fn with(&self, at: usize, word: &str) -> String {
        self.edited(|words| {
            if let Some(place) = words.get_mut(at) {
                word.clone_into(place);
            }
        })
    }

    /// The whole line again, without the word at `at`.
    pub(super) fn without(&self, at: usize) -> String {
        self.with(at, "")
    }

    /// The whole line again, without the words at these places.
    pub(super) fn without_all(&self, places: std::ops::Range<usize>) -> String {
        self.edited(|words| words.iter_mut().skip(places.start).take(places.len()).for_each(String::clear))
    }

    /// The whole line again, without the words from `at` on.
    pub(super) fn until(&self, at: usize) -> String {
        self.edited(|words| words.truncate(at))
    }

    /// The whole line again, with a further word before the one at `at`.
    pub(super) fn inserted(&self, at: usize, word: &str) -> String {
        self.edited(|words| words.insert(at.min(words.len()), word.to_owned()))
    }

    /// The whole line again, without its reason.
    pub(super) fn unreasoned(&self) -> String {
        self.shown.join(" ")
    }

    fn edited(&self, edit: impl Fn(&mut Vec<String>)) -> String {
        let with = |words: &[String]| {
            let mut words = words.to_vec();
            edit(&mut words);
            words.retain(|word| !word.is_empty());
            words.join(" ")
        };
        // Where one of two quotes is edited away, the other one would enclose something else.
        let whole = |text: &String| text.matches('"').count().is_multiple_of(2);
        let mut text = Some(with(&self.shown)).filter(whole).unwrap_or_else(|| with(&self.words).replace('"', ""));
        if let Some(because) = self.because.as_deref().filter(|because| !because.is_empty()) {
            text.push_str(" because ");
            text.push_str(because);
        }
        text
    }
}

/// A word, or several in quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Argument {
    /// Without its quotes; white space within them is single spaces.
    pub(super) text: String,
    /// Something of it was in quotes.
    quoted: bool,
    /// All of it was.
    pub(super) whole: bool,
}

impl Argument {
    /// The first of `text`, which begins with it, and what follows.
    fn read(text: &str) -> (Self, &str) {
        let mut argument = Self { text: String::new(), quoted: false, whole: false };
        let mut rest = text;
        loop {
            let mut chars = rest.chars();
            let Some(next) = chars.next().filter(|next| !next.is_whitespace()) else { return (argument, rest) };
            let after = chars.as_str();
            let begins = argument.text.is_empty() || argument.text.ends_with('=');
            let enclosed = match next {
                '"' => after.split_once('"'),
                // Within a word it is an apostrophe.
                '\'' | '`' if begins => {
                    after.split_once(next).filter(|(_, after)| after.chars().next().is_none_or(char::is_whitespace))
                }
                _ => None,
            };
            if let Some((inside, after)) = enclosed {
                argument.whole |= argument.text.is_empty();
                argument.quoted = true;
                argument.text.push_str(&inside.split_whitespace().collect::<Vec<_>>().join(" "));
                rest = after;
            } else {
                if next != '"' {
                    argument.text.push(next);
                }
                rest = after;
            }
        }
    }
}

/// True for what may stand before the command.
fn is_name(word: &str) -> bool {
    let lower = word.to_lowercase();
    NAMES.contains(&lower.trim_end_matches([':', ',']))
}

fn is_because(word: &str) -> bool {
    // Longer words than this cannot be it; a message may be one word of a megabyte.
    word.chars().filter(|c| !invisible(*c)).take(10).count() <= 8
        && normalise(word).to_lowercase().trim_end_matches(':') == "because"
}

/// The text without quotes around it. Back quotes too: people copy them with a hint.
pub(super) fn unquoted(text: &str) -> &str {
    text.trim_matches(['"', '\'', '`'])
}

/// The places of the words that quotes make one value of, with others.
fn quoted_words(plain: &str) -> std::collections::BTreeSet<usize> {
    let (mut all, mut rest, mut at) = (std::collections::BTreeSet::new(), plain.trim_start(), 0);
    while !rest.is_empty() {
        let (argument, after) = Argument::read(rest);
        let count = rest.strip_suffix(after).unwrap_or(rest).split_whitespace().count();
        if argument.quoted && count > 1 {
            all.extend(at..at + count);
        }
        (rest, at) = (after.trim_start(), at + count);
    }
    all
}

/// Puts `slaves = 40`, `slaves =40` and `slaves + = 40` together again; of each word how it is shown, and itself.
fn joined(pieces: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter().peekable();
    while let Some((shown, word)) = pieces.next() {
        let next_assigns = pieces.peek().is_some_and(|(_, next)| next.starts_with(['=', ':']));
        let first = out.len() == 1;
        match out.last_mut() {
            Some((last_shown, last)) if belongs(last, &word, first, next_assigns) => {
                last_shown.push_str(&shown);
                last.push_str(&word);
            }
            _ => out.push((shown, word)),
        }
    }
    out
}

/// True when `word` goes on with the assignment that `last` began. `first`: `last` is where the command stands.
fn belongs(last: &str, word: &str, first: bool, next_assigns: bool) -> bool {
    let open = last.ends_with('=') || (last.ends_with(':') && !first);
    if last.contains(['=', ':']) {
        return open && !word.contains(['=', ':']);
    }
    let sign = ['+', '-', '*', '/', '÷'];
    let assigns = word.strip_prefix(sign).unwrap_or(word).starts_with(['=', ':']);
    let lone_sign = next_assigns && word.chars().count() == 1 && word.starts_with(sign);
    assigns || lone_sign
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        Line::read(text).words
    }

    #[test]
    fn an_assignment_is_one_word_however_it_is_spaced() {
        for typed in ["slaves=40", "slaves = 40", "slaves =40", "slaves= 40", "slaves ＝ 40", "slaves=\"40\""] {
            let words = words(&format!("scale shop {typed} servers=2"));
            assert_eq!(words.len(), 4, "{typed}");
            assert!(words[2].starts_with("slaves="), "{typed}");
        }
        assert_eq!(words("scale shop slaves + = 10"), ["scale", "shop", "slaves+=10"]);
        assert_eq!(words("scale shop slaves += 10"), ["scale", "shop", "slaves+=10"]);
        assert_eq!(words("scale shop slaves= servers=2"), ["scale", "shop", "slaves=", "servers=2"]);
        assert_eq!(words("scale shop slaves: 40"), ["scale", "shop", "slaves:40"]);
    }

    #[test]
    fn the_bots_name_may_stand_before_the_command() {
        for name in ["/tide", "@tidegate", "tide", "TIDE", "@Tidegate:", "／ｔｉｄｅ"] {
            assert_eq!(words(&format!("{name} up shop")), ["up", "shop"], "{name}");
        }
        assert!(words("/tide").is_empty());
        assert_eq!(words("tidey up"), ["tidey", "up"]);
    }

    #[test]
    fn what_stands_in_quotes_is_told_apart() {
        for (typed, rest, quoted) in [
            ("audit \"black  friday\" shop", &["audit", "shop"][..], &["black friday"][..]),
            ("/tide audit “Black” 'x' \"\"", &["audit", "x"], &["Black"]),
            ("audit \"a\" \"b c\" page 2", &["audit", "page", "2"], &["a", "b c"]),
            ("audit shop \"open", &["audit", "shop", "open"], &[]),
            ("audit \"a\" \"open", &["audit", "open"], &["a"]),
            ("\"audit\" shop", &["audit", "shop"], &[]),
        ] {
            let (line, found) = Line::read(typed).without_quoted();
            assert_eq!(line.words, rest, "{typed}");
            assert_eq!(found, quoted, "{typed}");
        }
    }

    #[test]
    fn a_reason_is_kept_as_typed() {
        let line = Line::read("up shop ＢＥＣＡＵＳＥ  of “Black Friday” — ２０ slaves=1  because yes ");
        assert_eq!(line.words, ["up", "shop"]);
        assert_eq!(line.because(), Some("of “Black Friday” — ２０ slaves=1  because yes"));
        assert_eq!(Line::read("up shop because").because(), Some(""));
        assert_eq!(Line::read("up shop").because(), None);
    }
}
