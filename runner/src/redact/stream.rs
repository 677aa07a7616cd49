//! Redaction of text that comes in pieces, so that a secret split over two of them does not get through.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::{REDACTED, Redactor, replace};

/// Most bytes that are held back while no line break comes.
const HELD_MAX: usize = 64 * 1024;

/// Bytes that stay held back when [`HELD_MAX`] is reached: longer than any token, and than one line of any key.
const OVERLAP: usize = 8 * 1024;

/// Lines after which a private key that never ended is taken for over. A 16,384-bit RSA key has some 200.
const KEY_LINES_MAX: u32 = 400;

/// Redacts a stream of chunks line by line; a line that is not complete is held back. Where the chunks are split makes no
/// difference to what comes out.
///
/// A line of more than 64 KiB is redacted in parts that overlap.
#[derive(Debug)]
pub struct StreamRedactor<'r> {
    redactor: &'r Redactor,
    pub(super) held: Vec<u8>,
    /// Lines since a private key began.
    in_key: Option<u32>,
}

impl<'r> StreamRedactor<'r> {
    /// A redactor for one stream.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, held: Vec::new(), in_key: None }
    }

    /// Takes a chunk; gives the redacted text that is safe to be shown. Bytes that are not UTF-8 become U+FFFD.
    pub fn push(&mut self, chunk: &[u8]) -> String {
        let mut out = String::new();
        for part in chunk.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = part;
            // Filled up to exactly the same point however the chunks are cut, so that the result is the same too.
            while self.held.len() + rest.len() > HELD_MAX {
                let (head, tail) = rest.split_at(HELD_MAX - self.held.len());
                self.held.extend_from_slice(head);
                rest = tail;
                self.give_way(&mut out);
            }
            self.held.extend_from_slice(rest);
            if self.held.ends_with(b"\n") {
                let line = std::mem::take(&mut self.held);
                self.line(&String::from_utf8_lossy(&line), &mut out);
            }
        }
        out
    }

    /// Ends the stream: the redacted rest.
    pub fn finish(&mut self) -> String {
        let mut out = String::new();
        let rest = std::mem::take(&mut self.held);
        if !rest.is_empty() {
            self.line(&String::from_utf8_lossy(&rest), &mut out);
        }
        out
    }

    /// Gives the beginning of an over-long line, but nothing that a secret in its end may have begun in.
    fn give_way(&mut self, out: &mut String) {
        let text = String::from_utf8_lossy(&self.held).into_owned();
        let spans = self.redactor.spans(&text);
        let mut cut = text.floor_char_boundary(text.len().saturating_sub(OVERLAP));
        if let Some(span) = spans.iter().find(|span| span.start < cut && cut < span.end) {
            cut = if span.end < text.len() { span.end } else { span.start };
        }
        // One secret from end to end: nothing of it is needed any more to know what it is.
        let cut = if cut == 0 { text.len() } else { cut };
        let (head, tail) = text.split_at(cut);
        let spans = spans.into_iter().filter(|span| span.start < cut).collect();
        out.push_str(&replace(head, spans));
        self.held = tail.as_bytes().to_vec();
    }

    fn line(&mut self, line: &str, out: &mut String) {
        let (text, end) = match line.strip_suffix('\n') {
            Some(text) => (text, "\n"),
            None => (line, ""),
        };
        match self.in_key {
            Some(lines) if lines < KEY_LINES_MAX => {
                self.in_key = Some(lines + 1);
                out.push_str(REDACTED);
                if let Some((_, after)) = text.split_once("-----END ") {
                    self.in_key = None;
                    let after = after.split_once("-----").map_or("", |(_, after)| after);
                    out.push_str(&self.redactor.redact(after));
                }
            }
            Some(_) | None => {
                self.in_key = key_stays_open(text).then_some(0);
                out.push_str(&self.redactor.redact(text));
            }
        }
        out.push_str(end);
    }
}

fn key_stays_open(line: &str) -> bool {
    line.rsplit_once("-----BEGIN ")
        .is_some_and(|(_, after)| after.contains("PRIVATE KEY") && !after.contains("-----END "))
}

/// Redacts the lines of one Terraform, and joins what a provisioner printed in two pieces: Terraform sends on what it has
/// after 100 ms, be it half a line (and half a password), as messages of their own.
///
/// The end of a piece that may be the beginning (3 characters or more) of a told value is redacted at once; where the next
/// piece of the same resource goes on with the rest, that is redacted too. Nothing is held back.
#[derive(Debug)]
pub struct LineRedactor<'r> {
    redactor: &'r Redactor,
    /// For each resource: told values that its last piece may have begun, with how many bytes of them came.
    begun: BTreeMap<String, Vec<(usize, usize)>>,
}

/// Shortest beginning of a told value at the end of a piece that is redacted, in characters.
const BEGINNING_MIN: usize = 3;

impl<'r> LineRedactor<'r> {
    /// A redactor for the lines of one child.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, begun: BTreeMap::new() }
    }

    /// The next line without secrets; a message stays a message.
    pub fn redact<'t>(&mut self, line: &'t str) -> Cow<'t, str> {
        if !line.contains("\"provision_progress\"") {
            return self.redactor.redact(line);
        }
        let Ok(mut message) = serde_json::from_str::<Value>(line) else { return self.redactor.redact(line) };
        let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
        let (Some(address), Some(piece)) = (text("/hook/resource/addr"), text("/hook/output")) else {
            return self.redactor.redact(line);
        };
        let (address, piece) = (address.to_owned(), piece.to_owned());
        let Some(redacted) = self.piece(&address, &piece) else { return self.redactor.redact(line) };
        if let Some(shown) = message.pointer_mut("/@message")
            && let Some(before) = shown.as_str().and_then(|shown| shown.strip_suffix(piece.as_str()))
        {
            *shown = format!("{before}{redacted}").into();
        }
        if let Some(output) = message.pointer_mut("/hook/output") {
            *output = redacted.into();
        }
        Cow::Owned(self.redactor.redact(&message.to_string()).into_owned())
    }

    /// The piece with what belongs to a split value redacted; `None` when nothing in it does.
    fn piece(&mut self, address: &str, piece: &str) -> Option<String> {
        let mut spans = Vec::new();
        let mut begun = Vec::new();
        for (value, came) in self.begun.remove(address).unwrap_or_default() {
            let rest = self.redactor.told.get(value).and_then(|told| told.get(came..)).unwrap_or_default();
            if piece.starts_with(rest) {
                spans.push(0..rest.len());
            } else if !piece.is_empty() && rest.starts_with(piece) {
                spans.push(0..piece.len());
                begun.push((value, came + piece.len()));
            }
        }
        for (value, told) in self.redactor.told.iter().enumerate() {
            for (count, (at, _)) in told.char_indices().enumerate().skip(1) {
                if told.get(..at).is_some_and(|beginning| piece.ends_with(beginning)) {
                    begun.push((value, at));
                    if count >= BEGINNING_MIN {
                        spans.push(piece.len() - at..piece.len());
                    }
                }
            }
        }
        if !begun.is_empty() {
            self.begun.insert(address.to_owned(), begun);
        }
        (!spans.is_empty()).then(|| {
            spans.extend(self.redactor.spans(piece));
            replace(piece, spans).into_owned()
        })
    }
}
