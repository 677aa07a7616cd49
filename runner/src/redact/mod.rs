//! The one redaction layer before every sink: cards, logs, events, the ledger.
//!
//! Two kinds of secrets are replaced by `[redacted]`: values that Tidegate was told (environment variables named in `redact`,
//! what the configuration reads from files and commands, sensitive variables), also as base64, URLs and JSON write them; and texts
//! that have the shape of a well-known token. JSON lines stay JSON lines. What is sensitive to Terraform alone, which hides it
//! itself, is not known here.

mod encoded;
mod json;
mod known;
mod lines;
mod shapes;
mod stream;

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use crate::domain::drift::{Doer, Stray};
use crate::domain::failure::{Failure, Output};
use crate::domain::readiness::GroupCount;
use crate::domain::run::Note;
use encoded::Written;
pub(crate) use encoded::base64;

pub use known::{hide, without};
pub use lines::LineRedactor;
pub use stream::StreamRedactor;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Shortest told value that is looked for, in characters. Shorter ones (`on`, `42`, a PIN) would be found everywhere: they are
/// **not** redacted, and a secret so short is none.
pub const VALUE_MIN: usize = 4;

/// Shortest line of a told value of several lines (a key file) that is looked for on its own, in characters.
const LINE_MIN: usize = 8;

/// Shortest beginning of a told value that gives anything away, in characters.
const BEGINNING_MIN: usize = 3;

/// Finds and replaces secrets. Cheap to use, not to build: make one per run and share it.
#[derive(Debug, Clone)]
pub struct Redactor {
    /// The told values as they are, longest first where one begins another. Pattern 0 is the placeholder itself, so that what
    /// was redacted stays as it is.
    values: AhoCorasick,
    /// What every base64 text with a told value in it holds.
    base64: AhoCorasick,
    /// Which encodings can make a told value look different.
    written: Written,
    /// What makes a line worth a closer look: told values, as they are and as JSON writes them, and the words of the shapes.
    hints: AhoCorasick,
    told: Vec<String>,
    cores: Vec<String>,
}

impl Redactor {
    /// A redactor for these values. Values shorter than [`VALUE_MIN`] characters are left out.
    #[must_use]
    pub fn new<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut told: Vec<String> = Vec::new();
        for value in values {
            let value: String = value.into();
            let parts: Vec<&str> =
                value.lines().map(str::trim).filter(|line| line.chars().count() >= LINE_MIN).collect();
            if value.lines().count() > 1 {
                told.extend(parts.into_iter().map(str::to_owned));
            }
            let trimmed = value.trim();
            if trimmed.chars().count() >= VALUE_MIN {
                told.push(trimmed.to_owned());
            }
        }
        told.sort();
        told.dedup();
        let cores: Vec<String> = told.iter().flat_map(|value| encoded::base64_cores(value)).collect();
        let written = Written::of(&told);
        let hints: Vec<String> = told
            .iter()
            .cloned()
            .chain(cores.iter().cloned())
            .chain(written.hints())
            .chain(shapes::HINTS.iter().map(|hint| (*hint).to_owned()))
            .collect();
        let values: Vec<&str> = std::iter::once(REDACTED).chain(told.iter().map(String::as_str)).collect();
        let of_base64: Vec<&str> = cores.iter().map(String::as_str).collect();
        Self {
            values: searcher(&values, MatchKind::LeftmostLongest, false),
            base64: searcher(&of_base64, MatchKind::LeftmostLongest, false),
            written,
            hints: hint_searcher(&hints),
            told,
            cores,
        }
    }

    /// The same for these values too.
    #[must_use]
    pub fn with(&self, values: Vec<String>) -> Self {
        Self::new(self.told.iter().cloned().chain(values))
    }

    /// The text without secrets; the very same text when there are none. Idempotent. A line that is a JSON object stays one.
    #[must_use]
    pub fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.hinted(text) {
            return Cow::Borrowed(text);
        }
        if text.trim_start().starts_with('{')
            && let Ok(mut value) = serde_json::from_str::<serde_json::Value>(text)
        {
            let changed = json::redact(self, &mut value);
            return if changed { Cow::Owned(value.to_string()) } else { Cow::Borrowed(text) };
        }
        self.redact_plain(text)
    }

    /// False when surely no secret is in `text`: quick, since most lines have none.
    fn hinted(&self, text: &str) -> bool {
        self.hints.is_match(text) || shapes::is_numbered(text)
    }

    /// The failure without secrets.
    #[must_use]
    pub fn redact_failure(&self, mut failure: Failure) -> Failure {
        let Failure { kind: _, summary, detail, address, at, more_errors: _, kept, rule: _ } = &mut failure;
        let code = at.as_mut().and_then(|at| at.code.as_mut());
        for text in [Some(summary), Some(detail), address.as_mut(), code].into_iter().flatten().chain(kept) {
            if let Cow::Owned(redacted) = self.redact(text) {
                *text = redacted;
            }
        }
        failure
    }

    /// The note without secrets: what others say in it, as AWS of a group or a program of what it looked at.
    #[must_use]
    pub fn redact_note(&self, note: Note) -> Note {
        let clean = |text: String| match self.redact(&text) {
            Cow::Owned(redacted) => redacted,
            Cow::Borrowed(_) => text,
        };
        match note {
            Note::Init { why } => Note::Init { why: clean(why) },
            Note::InService { groups, trouble } => {
                let group = |group: GroupCount| GroupCount { cause: group.cause.map(clean), ..group };
                Note::InService { groups: groups.into_iter().map(group).collect(), trouble: trouble.map(clean) }
            }
            Note::Doers { doers, nobody, unasked, unknown } => {
                // Names of sessions and tools are whatever somebody wrote.
                let doer = |doer: Doer| Doer { by: clean(doer.by), event: clean(doer.event), ..doer };
                let doers = doers.into_iter().map(doer).collect();
                Note::Doers { doers, nobody, unasked, unknown: unknown.map(clean) }
            }
            Note::Preflight { troubles } => Note::Preflight { troubles: troubles.into_iter().map(clean).collect() },
            Note::NotReady { probes } => Note::NotReady { probes: probes.into_iter().map(clean).collect() },
            Note::Swept { strays, elsewhere, doubt, unknown } => {
                let stray =
                    |stray: Stray| Stray { name: stray.name.map(clean), stays: stray.stays.map(clean), ..stray };
                let strays = strays.into_iter().map(stray).collect();
                Note::Swept { strays, elsewhere, doubt: doubt.map(clean), unknown: unknown.map(clean) }
            }
            Note::Text(text) => Note::Text(clean(text)),
            // Names and addresses: what stands in them stands in the plan, too.
            note @ (Note::Workspace { .. }
            | Note::LockHeld { .. }
            | Note::Protected { .. }
            | Note::Resized { .. }
            | Note::Needs { .. }
            | Note::Locked { .. }
            | Note::Untainted { .. }) => note,
        }
    }

    /// The output without secrets: its name tells whether its value is one.
    #[must_use]
    pub fn redact_output(&self, mut output: Output) -> Output {
        if let Some(value) = &mut output.value {
            if shapes::is_secret_name(&output.name) {
                *value = REDACTED.into();
            } else {
                json::redact(self, value);
            }
        }
        output
    }

    /// The same for text that is no JSON.
    fn redact_plain<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut redacted = replace(text, self.spans(text));
        // A secret that stood right after another one has a boundary before it only now. Each round leaves less to find.
        while let Cow::Owned(before) = &redacted {
            match replace(before, self.spans(before)) {
                Cow::Owned(after) => redacted = Cow::Owned(after),
                Cow::Borrowed(_) => break,
            }
        }
        redacted
    }

    /// Where the secrets in a text are, in no order; they may overlap.
    fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let mut spans = Vec::new();
        self.find_told(text.as_bytes(), &mut |span| spans.push(span));
        for view in self.written.views(text) {
            self.find_told(&view.bytes, &mut |span| spans.push(view.place(text, span)));
        }
        shapes::find(text, &mut spans);
        spans
    }

    /// Where told values are, as they are or in base64.
    fn find_told(&self, text: &[u8], found: &mut dyn FnMut(Range<usize>)) {
        let values = self.values.find_iter(text).filter(|value| value.pattern().as_usize() > 0);
        values.for_each(|value| found(value.range()));
        self.base64.find_iter(text).for_each(|core| found(encoded::whole_run(text, core.range())));
    }

    /// How many bytes at the end of `text` may be the beginning of a told value, however it is written; 0 when none may.
    fn begun(&self, text: &str) -> usize {
        let mut start = text.len() - self.beginning(text.as_bytes());
        let whole = encoded::without_cut_escape(text);
        for text in std::iter::once(text).chain(Some(whole).filter(|whole| whole.len() < text.len())) {
            for view in self.written.views(text) {
                let len = self.beginning(&view.bytes);
                if len > 0 {
                    let at = view.bytes.len() - len;
                    start = start.min(view.place(text, at..at).start);
                }
            }
        }
        text.len() - start
    }

    /// How many bytes at the end of `text` are the beginning of a told value or of its base64.
    fn beginning(&self, text: &[u8]) -> usize {
        // By bytes: the last character may have come half, each of its bytes escaped.
        let beginning = |told: &String| {
            let least = told.char_indices().map(|(at, _)| at).nth(BEGINNING_MIN)?;
            let told = told.as_bytes();
            (least..told.len()).rev().find(|end| told.get(..*end).is_some_and(|beginning| text.ends_with(beginning)))
        };
        self.told.iter().chain(&self.cores).filter_map(beginning).max().unwrap_or(0)
    }

    /// True when `text` is a told value as a whole.
    fn is_value(&self, text: &str) -> bool {
        self.told.binary_search_by(|value| value.as_str().cmp(text)).is_ok()
    }
}

/// Replaces the spans, which may overlap and come in any order; spans that touch become one.
fn replace(text: &str, mut spans: Vec<Range<usize>>) -> Cow<'_, str> {
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    spans.sort_by_key(|span| span.start);
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let mut open: Option<Range<usize>> = None;
    let flush = |open: Range<usize>, at: &mut usize, out: &mut String| {
        out.push_str(text.get(*at..open.start).unwrap_or_default());
        out.push_str(REDACTED);
        *at = open.end;
    };
    for span in spans {
        match &mut open {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => {
                if let Some(last) = open.replace(span) {
                    flush(last, &mut at, &mut out);
                }
            }
        }
    }
    if let Some(last) = open {
        flush(last, &mut at, &mut out);
    }
    out.push_str(text.get(at..).unwrap_or_default());
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

/// A searcher for these texts.
fn searcher(patterns: &[&str], kind: MatchKind, ignore_case: bool) -> AhoCorasick {
    AhoCorasickBuilder::new()
        .match_kind(kind)
        .ascii_case_insensitive(ignore_case)
        .build(patterns)
        .expect("only sets of some two thousand million patterns do not build")
}

fn hint_searcher(hints: &[String]) -> AhoCorasick {
    let hints: Vec<&str> = hints.iter().map(String::as_str).collect();
    searcher(&hints, MatchKind::Standard, true)
}

#[cfg(test)]
mod tests;
