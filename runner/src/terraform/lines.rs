//! Bytes into lines, with a bound on each line so that memory stays flat whatever a child prints.

use std::collections::VecDeque;

/// Longest line that is kept, in bytes. The longest ever seen from Terraform is an `outputs` message of some 20 KB.
pub const LINE_MAX: usize = 1024 * 1024;

/// One line of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineItem {
    /// A line without its line break. Bytes that are not UTF-8 become U+FFFD.
    Whole(String),
    /// What came last, without a line break after it.
    Half(String),
    /// A line longer than [`LINE_MAX`], told once, its text dropped.
    Oversized,
}

/// Splits a stream of chunks at `\n`.
#[derive(Debug, Default)]
pub struct LineSplitter {
    partial: Vec<u8>,
    skipping: bool,
    ready: VecDeque<LineItem>,
}

impl LineSplitter {
    /// Takes the next chunk; [`LineSplitter::pop`] then gives the lines that it completed.
    pub fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(at);
            self.extend(head);
            if !self.skipping {
                self.ready.push_back(LineItem::Whole(text(&self.partial)));
            }
            self.partial.clear();
            self.skipping = false;
            rest = tail.get(1..).unwrap_or_default();
        }
        self.extend(rest);
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.skipping {
            return;
        }
        if self.partial.len() + bytes.len() > LINE_MAX {
            self.skipping = true;
            self.partial = Vec::new();
            self.ready.push_back(LineItem::Oversized);
        } else {
            self.partial.extend_from_slice(bytes);
        }
    }

    /// The next item, in the order of the stream.
    pub fn pop(&mut self) -> Option<LineItem> {
        self.ready.pop_front()
    }

    /// Ends the stream: what is left without a line break becomes a [`LineItem::Half`].
    pub fn finish(&mut self) {
        if !self.partial.is_empty() {
            self.ready.push_back(LineItem::Half(text(&self.partial)));
            self.partial = Vec::new();
        }
        self.skipping = false;
    }
}

fn text(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(chunks: &[&[u8]]) -> Vec<LineItem> {
        let mut splitter = LineSplitter::default();
        for chunk in chunks {
            splitter.push(chunk);
        }
        splitter.finish();
        std::iter::from_fn(|| splitter.pop()).collect()
    }

    #[test]
    fn chunks_may_split_anywhere_even_inside_a_character() {
        let whole = "a\n\n日本\r\nend".as_bytes();
        let expected = all(&[whole]);
        assert_eq!(expected.len(), 4);
        assert_eq!(expected.get(2), Some(&LineItem::Whole("日本".to_owned())));
        assert_eq!(expected.get(3), Some(&LineItem::Half("end".to_owned())));
        for at in 0..whole.len() {
            let (left, right) = whole.split_at(at);
            assert_eq!(all(&[left, right]), expected, "split at {at}");
        }
    }

    #[test]
    fn an_over_long_line_is_told_once_and_takes_no_memory() {
        let mut splitter = LineSplitter::default();
        let chunk = vec![b'x'; 64 * 1024];
        for _ in 0..1600 {
            splitter.push(&chunk);
            assert!(splitter.partial.capacity() <= 2 * LINE_MAX);
        }
        splitter.push(b"\nnext\n");
        assert_eq!(splitter.pop(), Some(LineItem::Oversized));
        assert_eq!(splitter.pop(), Some(LineItem::Whole("next".to_owned())));
        assert_eq!(splitter.pop(), None);
    }
}
