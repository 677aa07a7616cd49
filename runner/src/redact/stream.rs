//! Redaction of text that comes in pieces, so that a secret split over two of them does not get through.

use std::borrow::Cow;

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
    key: KeyBlock,
}

impl Redactor {
    /// The end of a text, at most `max` bytes of it: redacted first and cut then, for in what a cut leaves of a secret nobody would find
    /// one.
    #[must_use]
    pub fn end_of(&self, text: &[u8], max: usize) -> String {
        let mut stream = StreamRedactor::new(self);
        let mut out = stream.push(text);
        out.push_str(&stream.finish());
        out.split_off(out.ceil_char_boundary(out.len().saturating_sub(max)))
    }
}

impl<'r> StreamRedactor<'r> {
    /// A redactor for one stream.
    #[must_use]
    pub fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, held: Vec::new(), key: KeyBlock::default() }
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
        out.push_str(&self.key.redact(self.redactor, text));
        out.push_str(end);
    }
}

/// Whether the lines of a text are inside of a private key, which is redacted whole.
#[derive(Debug, Default)]
pub(super) struct KeyBlock {
    /// Lines since it began.
    lines: Option<u32>,
}

impl KeyBlock {
    /// True inside of a key.
    pub(super) fn is_open(&self) -> bool {
        self.lines.is_some_and(|lines| lines < KEY_LINES_MAX)
    }

    /// Notes where `line` leaves us, when it is not inside of a key.
    pub(super) fn begin(&mut self, line: &str) {
        let open = line
            .rsplit_once("-----BEGIN ")
            .is_some_and(|(_, after)| after.contains("PRIVATE KEY") && !after.contains("-----END "));
        self.lines = open.then_some(0);
    }

    /// The next line without secrets.
    pub(super) fn redact<'t>(&mut self, redactor: &Redactor, line: &'t str) -> Cow<'t, str> {
        if !self.is_open() {
            self.begin(line);
            return redactor.redact(line);
        }
        self.lines = self.lines.map(|lines| lines + 1);
        let Some((_, end)) = line.split_once("-----END ") else { return Cow::Borrowed(REDACTED) };
        self.lines = None;
        let after = end.split_once("-----").map_or("", |(_, after)| after);
        Cow::Owned(format!("{REDACTED}{}", redactor.redact(after)))
    }
}
