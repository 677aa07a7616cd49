//! Redaction of the lines of one Terraform. What a provisioner prints comes in pieces: Terraform sends on what it has after 100 ms
//! of silence, be it half a line and half a password, as messages of their own.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use super::stream::KeyBlock;
use super::{Redactor, replace, shapes};

/// Pieces that are held back at most, and their bytes.
const HELD_MAX: usize = 8;
const HELD_BYTES: usize = 64 * 1024;

/// Bytes of earlier pieces that a secret may have begun in: longer than any token of one line.
const CONTEXT: usize = 8 * 1024;

/// Bytes of earlier pieces that are remembered in any case: longer than the words by which shapes are known.
const WORD: usize = 64;

/// Redacts the lines of one Terraform; each goes in by [`LineRedactor::push`], and those that are safe to be shown come out.
///
/// A piece of a provisioner's output whose end may be the beginning of a secret is held back, at most eight of them for each
/// resource, until the next one tells, or the provisioner is done. Where one line ends and the next begins is not known, so that the
/// first word of a line after one with a token at its end may be taken for the rest of it, and be redacted too.
#[derive(Debug)]
pub struct LineRedactor<'r> {
    redactor: &'r Redactor,
    /// What the provisioners of each resource have printed last.
    printed: BTreeMap<String, Printed>,
    /// Lines that are no messages: a crash, a program that is no Terraform.
    key: KeyBlock,
}

#[derive(Debug, Default)]
struct Printed {
    /// The end of all pieces so far, as they came. Those that are held are its last part.
    context: String,
    held: Vec<Piece>,
    key: KeyBlock,
}

/// A piece that is held back.
#[derive(Debug)]
struct Piece {
    line: String,
    message: Value,
    output: String,
    /// What is secret in it, as far as is known.
    spans: Vec<Range<usize>>,
}

impl<'r> LineRedactor<'r> {
    /// A redactor for the lines of one child.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, printed: BTreeMap::new(), key: KeyBlock::default() }
    }

    /// Takes the next line; gives those that can be shown now, without secrets. A message stays a message.
    pub fn push<'t>(&mut self, line: &'t str) -> Vec<Cow<'t, str>> {
        if !line.trim_start().starts_with('{') {
            return vec![self.key.redact(self.redactor, line)];
        }
        let progress = line.contains("\"provision_progress\"");
        if !progress && self.printed.is_empty() {
            return vec![self.redactor.redact(line)];
        }
        let message: Value = serde_json::from_str(line).unwrap_or_default();
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let Some(address) = text("/hook/resource/addr") else { return vec![self.redactor.redact(line)] };
        match text("/hook/output") {
            Some(output) if progress => {
                let piece = Piece { line: line.to_owned(), message, output, spans: Vec::new() };
                let printed = self.printed.entry(address).or_default();
                printed.take(piece, self.redactor).into_iter().map(Cow::Owned).collect()
            }
            // A sign of life in the middle of a line says nothing about its end.
            _ if text("/type").is_some_and(|kind| kind == "apply_progress") => vec![self.redactor.redact(line)],
            _ => {
                let before = self.printed.remove(&address).map(|printed| printed.end(self.redactor));
                let before = before.unwrap_or_default().into_iter().map(Cow::Owned);
                before.chain([self.redactor.redact(line)]).collect()
            }
        }
    }

    /// Ends the lines: what was still held back.
    pub fn finish(&mut self) -> Vec<String> {
        std::mem::take(&mut self.printed).into_values().flat_map(|printed| printed.end(self.redactor)).collect()
    }
}

impl Printed {
    fn take(&mut self, mut piece: Piece, redactor: &Redactor) -> Vec<String> {
        if self.key.is_open() {
            let redacted = self.key.redact(redactor, &piece.output).into_owned();
            self.context.clear();
            return vec![piece.shown_as(&redacted, redactor)];
        }
        let joined = format!("{}{}", self.context, piece.output);
        piece.spans = if redactor.hinted(&piece.output) { redactor.spans(&piece.output) } else { Vec::new() };
        // Alone as well as joined: what comes before can also hide that a word begins here.
        let open = redactor.hinted(&joined) || redactor.begun(&joined) > 0;
        let spans = if open { redactor.spans(&joined) } else { Vec::new() };
        self.held.push(piece);
        self.mark(&spans, joined.len());
        self.key.begin(&joined);
        let begins = open.then(|| open_end(redactor, &joined)).flatten();
        let context = if begins.is_some() { CONTEXT } else { WORD };
        let keep = joined.ceil_char_boundary(joined.len().saturating_sub(context));
        joined.get(keep..).unwrap_or_default().clone_into(&mut self.context);
        let Some(begins) = begins.filter(|_| !self.key.is_open()) else { return self.release(redactor) };
        let bytes: usize = self.held.iter().map(|held| held.output.len()).sum();
        if self.held.len() <= HELD_MAX && bytes <= HELD_BYTES {
            return Vec::new();
        }
        // Whatever it becomes, it is not shown.
        self.mark(std::slice::from_ref(&(begins..joined.len())), joined.len());
        self.release(redactor)
    }

    /// Notes spans of a text of `len` bytes that ends with the pieces that are held.
    fn mark(&mut self, spans: &[Range<usize>], len: usize) {
        for span in spans {
            let mut end = len;
            for held in self.held.iter_mut().rev() {
                // The first of them may have begun before the text does.
                let (own, start) = (held.output.len(), end.saturating_sub(held.output.len()));
                let (from, to) = (span.start.max(start), span.end.min(end));
                if from < to {
                    held.spans.push(own - (end - from)..own - (end - to));
                }
                end = start;
            }
        }
    }

    fn release(&mut self, redactor: &Redactor) -> Vec<String> {
        std::mem::take(&mut self.held).into_iter().map(|piece| piece.show(redactor)).collect()
    }

    /// Gives what is held when nothing comes any more. The beginning of a told value is not shown for its own sake.
    fn end(mut self, redactor: &Redactor) -> Vec<String> {
        let len = self.context.len();
        let begun = redactor.begun(&self.context);
        self.mark(std::slice::from_ref(&(len - begun..len)), len);
        self.release(redactor)
    }
}

/// Where in `text` something begins that may go on after its end, and be a secret.
fn open_end(redactor: &Redactor, text: &str) -> Option<usize> {
    let begun = Some(redactor.begun(text)).filter(|len| *len > 0).map(|len| text.len() - len);
    let mut tokens = Vec::new();
    shapes::find(text, &mut tokens);
    let touching = tokens.iter().find(|span| span.end == text.len()).map(|span| span.start);
    let last_hint = shapes::last_hint(text);
    let growing = last_hint.filter(|end| may_grow(text.get(*end..).unwrap_or_default()));
    begun.into_iter().chain(touching).chain(growing).min()
}

/// True when what stands after a telling word (`pass`) may be a value that is not whole yet: one word, or an open quote.
fn may_grow(after: &str) -> bool {
    let value = after.trim_start_matches(|c: char| c.is_alphanumeric() || "_-".contains(c));
    let word = value.trim_start_matches(|c: char| c.is_whitespace() || "=:>\\\"'".contains(c));
    let before = value.strip_suffix(word).unwrap_or_default();
    match before.chars().next_back() {
        Some(quote @ ('"' | '\'')) => !word.contains(quote),
        _ => !word.contains(char::is_whitespace),
    }
}

impl Piece {
    /// The message without what is secret in it.
    fn show(self, redactor: &Redactor) -> String {
        if self.spans.is_empty() {
            return redactor.redact(&self.line).into_owned();
        }
        let redacted = replace(&self.output, self.spans.clone()).into_owned();
        self.shown_as(&redacted, redactor)
    }

    /// The message with `redacted` in the place of its output.
    fn shown_as(mut self, redacted: &str, redactor: &Redactor) -> String {
        if let Some(shown) = self.message.pointer_mut("/@message") {
            let before = shown.as_str().and_then(|shown| shown.strip_suffix(self.output.as_str()));
            *shown = format!("{}{redacted}", before.unwrap_or_default()).into();
        }
        if let Some(output) = self.message.pointer_mut("/hook/output") {
            *output = redacted.into();
        }
        redactor.redact(&self.message.to_string()).into_owned()
    }
}
