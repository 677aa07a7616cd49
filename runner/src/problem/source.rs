//! The text of a file and where its lines begin: from byte offsets to lines, columns and excerpts.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Excerpt, Problem, Problems, harmless};

/// Longest excerpt of a line, in characters.
const EXCERPT_MAX: usize = 160;

/// Before each further file that a bound source consists of stands a line of this and the file's path.
pub const FILE_MARK: &str = "#:tidegate:file: ";

/// A text file in memory, or several bound to one text, each with its own lines. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    path: PathBuf,
    text: Arc<str>,
    line_starts: Arc<[usize]>,
    /// The files after the first, in order.
    parts: Arc<[Part]>,
}

/// One more file of a bound source.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    /// As it stands in the text.
    name: String,
    path: PathBuf,
    /// Where its own text begins.
    start: usize,
    /// Lines before its first one.
    lines_before: usize,
}

/// Where a span of bytes begins, for people.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) excerpt: Excerpt,
}

impl Source {
    /// A file whose text is already known. A byte order mark is dropped.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { path: path.into(), text: text.into(), line_starts, parts: Arc::default() }
    }

    /// The same, taken apart at each line that begins with [`FILE_MARK`]: what follows is another file, named from this one's folder.
    #[must_use]
    pub fn bound(self) -> Self {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let mut parts = Vec::new();
        for (row, begin) in self.line_starts.iter().enumerate() {
            let end = self.line_starts.get(row + 1).copied();
            let line = self.text.get(*begin..end.unwrap_or(self.text.len())).unwrap_or_default();
            if let Some(name) = line.strip_prefix(FILE_MARK) {
                let name = name.trim_end_matches(['\n', '\r']).to_owned();
                let (path, start) = (folder.join(&name), end.unwrap_or(self.text.len()));
                parts.push(Part { name, path, start, lines_before: row + 1 });
            }
        }
        Self { parts: parts.into(), ..self }
    }

    /// The files of it, each with its name, its path and the bytes of its text. The first is the one that names the others.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Path, Range<usize>)> {
        // The line of the mark before the next file belongs to neither.
        let end_of = |next: Option<&Part>| {
            next.map_or(self.text.len(), |next| {
                self.line_starts.get(next.lines_before.saturating_sub(1)).copied().unwrap_or(next.start)
            })
        };
        let first = ("", self.path.as_path(), 0..end_of(self.parts.first()));
        let more = self.parts.iter().enumerate();
        std::iter::once(first).chain(more.map(move |(at, part)| {
            (part.name.as_str(), part.path.as_path(), part.start..end_of(self.parts.get(at + 1)))
        }))
    }

    fn part_at(&self, offset: usize) -> Option<&Part> {
        let after = self.parts.partition_point(|part| part.start <= offset);
        after.checked_sub(1).and_then(|at| self.parts.get(at))
    }

    /// The file in which a byte offset lies.
    #[must_use]
    pub fn path_at(&self, offset: usize) -> &Path {
        self.part_at(offset).map_or(&self.path, |part| &part.path)
    }

    /// The same as people name it from the first file's folder; none for the first.
    #[must_use]
    pub fn name_at(&self, offset: usize) -> Option<&str> {
        self.part_at(offset).map(|part| part.name.as_str())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It does not exist, is a folder, cannot be read, or is not UTF-8 (with the place of the first bad byte).
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let why = match error.kind() {
                    std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                    std::io::ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
                    _ => error.to_string(),
                };
                return Err(Problem::of_file(path, format!("the file cannot be read: {why}")).into());
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(path, &text)),
            Err(error) => {
                let good = error.utf8_error().valid_up_to();
                let source = Self::new(path, &String::from_utf8_lossy(error.as_bytes()));
                // The lossy text equals the original up to the bad byte, apart from a byte order mark.
                let mark = if error.as_bytes().starts_with("\u{feff}".as_bytes()) { '\u{feff}'.len_utf8() } else { 0 };
                let at = good.saturating_sub(mark);
                Err(Problem::at(&source, at..at, "the file is not UTF-8 text: this byte belongs to no character")
                    .into())
            }
        }
    }

    /// The file; of several, the first.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its text, without a byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of its file, from 1, in which a byte offset lies.
    #[must_use]
    pub fn line_of(&self, offset: usize) -> u32 {
        let before = self.part_at(offset).map_or(0, |part| part.lines_before);
        let row = self.line_starts.partition_point(|start| *start <= offset).saturating_sub(before);
        u32::try_from(row.max(1)).unwrap_or(u32::MAX)
    }

    /// The bytes of a line (from 1) without the white space around it.
    pub(crate) fn line_span(&self, line: u32) -> Range<usize> {
        let row = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let start = self.line_starts.get(row).copied().unwrap_or(self.text.len());
        let end = self.line_starts.get(row + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        let indent = line.len() - line.trim_start().len();
        start + indent..(start + line.trim_end().len()).max(start + indent)
    }

    /// The offset of a line (from 1) and a column in bytes (from 1), as serde tells places; at most the text's end.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.boundary(start.saturating_add(column.saturating_sub(1)))
    }

    /// Line, column and excerpt of a span; offsets beyond the text or inside a character are moved to a boundary.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end).max(start);
        let row = self.line_starts.partition_point(|line| *line <= start).max(1) - 1;
        let line_start = self.line_starts.get(row).copied().unwrap_or(0);
        let line_end = self.line_starts.get(row + 1).map_or(self.text.len(), |next| next - 1);
        let line = self.text.get(line_start..line_end).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        let count = |text: Option<&str>| text.map_or(0, |text| text.chars().count());
        let before = count(self.text.get(line_start..start));
        // A span over several lines is marked to the end of its first line.
        let marked = count(self.text.get(start..end.min(line_start + line.len()).max(start))).max(1);
        Place {
            line: self.line_of(start),
            column: u32::try_from(before + 1).unwrap_or(u32::MAX),
            excerpt: cut(line, before, marked),
        }
    }

    fn boundary(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// A readable piece of a line around its marked part.
fn cut(line: &str, before: usize, marked: usize) -> Excerpt {
    let length = line.chars().count();
    let skip = if length > EXCERPT_MAX { before.saturating_sub(EXCERPT_MAX / 2) } else { 0 };
    let mut shown: String = line.chars().skip(skip).take(EXCERPT_MAX).map(harmless).collect();
    if length > skip + EXCERPT_MAX {
        shown.push('…');
    }
    let before = before - skip;
    if skip > 0 {
        shown.insert(0, '…');
    }
    let before = if skip > 0 { before + 1 } else { before };
    let room = shown.chars().count().saturating_sub(before).max(1);
    Excerpt { line: shown, before, marked: marked.min(room) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, needle: &str) -> (u32, u32, Excerpt) {
        let source = Source::new("tidegate.toml", text);
        let at = source.text().find(needle).expect("the needle is in the text");
        let place = source.place(at..at + needle.len());
        (place.line, place.column, place.excerpt)
    }

    #[test]
    fn each_file_of_several_has_its_own_lines() {
        let text = format!("a = 1\n{FILE_MARK}teams/x.toml\nb = 1\nc = 2\n{FILE_MARK}teams/日本.toml\nd = 3");
        let source = Source::new("/etc/tide/tidegate.toml", &text).bound();
        let at = |needle: &str| source.text().find(needle).expect("the needle is in the text");
        let told =
            |needle: &str| (source.path_at(at(needle)).to_owned(), source.place(at(needle)..at(needle) + 1).line);
        assert_eq!(told("a = "), (PathBuf::from("/etc/tide/tidegate.toml"), 1));
        assert_eq!(told("b = "), (PathBuf::from("/etc/tide/teams/x.toml"), 1));
        assert_eq!(told("c = "), (PathBuf::from("/etc/tide/teams/x.toml"), 2));
        assert_eq!(told("d = "), (PathBuf::from("/etc/tide/teams/日本.toml"), 1));
        assert_eq!(source.name_at(at("c = ")), Some("teams/x.toml"));
        let texts: Vec<&str> = source.files().filter_map(|(_, _, span)| source.text().get(span)).collect();
        assert_eq!(texts, ["a = 1\n", "b = 1\nc = 2\n", "d = 3"]);
        assert_eq!(Source::new("t", &text).files().count(), 1, "unbound");
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let (line, column, excerpt) = place("a = 1\nabout = \"日本\" # 環境\n", "環境");
        assert_eq!((line, column), (2, 16));
        assert_eq!(excerpt.marked, 2);
    }

    #[test]
    fn windows_line_ends_and_a_byte_order_mark_do_not_move_places() {
        let (line, column, excerpt) = place("\u{feff}a = 1\r\n\tb = 2\r\n", "b = 2");
        assert_eq!((line, column, excerpt.line.as_str()), (2, 2, "\tb = 2"));
        let (line, column, _) = place("\u{feff}a = 1", "a");
        assert_eq!((line, column), (1, 1));
    }

    #[test]
    fn any_offset_has_a_place() {
        let source = Source::new("f", "日\r\n本");
        for start in 0..20 {
            for end in 0..20 {
                let place = source.place(start..end);
                assert!(place.line >= 1 && place.column >= 1 && place.excerpt.marked >= 1);
            }
        }
        assert_eq!(Source::new("f", "").place(0..0).line, 1);
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mark() {
        let text = format!("{}X{}", "a".repeat(5_000), "b".repeat(5_000));
        let (_, column, excerpt) = place(&text, "X");
        assert_eq!(column, 5_001);
        assert!(excerpt.line.chars().count() <= EXCERPT_MAX + 2);
        assert_eq!(excerpt.line.chars().nth(excerpt.before), Some('X'));
    }

    #[test]
    fn what_could_disturb_a_terminal_is_replaced() {
        let (_, _, excerpt) = place("a = \u{1b}[31m\u{202e}x", "a");
        assert!(!excerpt.line.contains('\u{1b}') && !excerpt.line.contains('\u{202e}'));
    }

    #[test]
    fn a_file_that_is_not_utf8_is_told_with_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tidegate.toml");
        std::fs::write(&path, b"\xef\xbb\xbfa = 1\nb = \"\xff\"\n").expect("written");
        let problems = Source::read(&path).expect_err("not UTF-8").into_vec();
        assert_eq!(problems.iter().map(|p| (p.line, p.column)).collect::<Vec<_>>(), [(2, 6)]);
        assert!(Source::read(folder.path()).is_err());
        assert!(Source::read(&folder.path().join("none")).is_err());
    }
}
