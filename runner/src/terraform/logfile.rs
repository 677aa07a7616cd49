//! The full log of one step: every line, redacted, compressed, bounded in size, readable after a crash as far as it was written.
//!
//! Gzip in several members. The beginning goes into `NAME`; once it is full, the rest goes round in two files `NAME.tail0` and
//! `NAME.tail1`, of which only the newer lines stay. [`LogWriter::finish`] joins them into `NAME`.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::rundir::private;
use crate::redact::{LineRedactor, Redactor};

/// Most raw bytes of the beginning, and of each of the two halves of the end: 64 MiB in all.
pub const HEAD_MAX: u64 = 32 * 1024 * 1024;
const TAIL_MAX: u64 = HEAD_MAX / 2;

/// Raw bytes after which what was written is made readable for others, so that a crash costs at most so much.
const FLUSH_AFTER: u64 = 32 * 1024;

/// Writes one log. Dropped without [`LogWriter::finish`] it leaves what was flushed, as after a crash.
#[derive(Debug)]
pub struct LogWriter<'a> {
    path: PathBuf,
    redactor: LineRedactor<'a>,
    head: Part,
    tail: Option<Part>,
    /// Lines in the file of the tail that is not being written.
    older_lines: u64,
    tail_number: u8,
    left_out: u64,
    limits: (u64, u64),
}

#[derive(Debug)]
struct Part {
    gzip: GzEncoder<File>,
    raw: u64,
    unflushed: u64,
    lines: u64,
}

impl Part {
    fn create(path: &Path) -> io::Result<Self> {
        let file = private().truncate(true).open(path)?;
        Ok(Self { gzip: GzEncoder::new(file, Compression::fast()), raw: 0, unflushed: 0, lines: 0 })
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.gzip.write_all(line.as_bytes())?;
        self.gzip.write_all(b"\n")?;
        let bytes = line.len() as u64 + 1;
        self.raw += bytes;
        self.unflushed += bytes;
        self.lines += 1;
        if self.unflushed >= FLUSH_AFTER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.unflushed = 0;
        self.gzip.flush()
    }
}

impl<'a> LogWriter<'a> {
    /// Begins the log `path` anew: after a crash a child's lines are given again from the first.
    pub fn create(path: &Path, redactor: &'a Redactor) -> io::Result<Self> {
        Self::with_limits(path, redactor, HEAD_MAX, TAIL_MAX)
    }

    fn with_limits(path: &Path, redactor: &'a Redactor, head: u64, tail: u64) -> io::Result<Self> {
        for number in [0, 1] {
            remove(&tail_path(path, number))?;
        }
        Ok(Self {
            path: path.to_owned(),
            redactor: LineRedactor::new(redactor),
            head: Part::create(path)?,
            tail: None,
            older_lines: 0,
            tail_number: 0,
            left_out: 0,
            limits: (head, tail),
        })
    }

    /// Appends one line, redacted. `line` has no line break.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        for line in self.redactor.push(line) {
            self.write(&line)?;
        }
        Ok(())
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let (head_max, tail_max) = self.limits;
        if self.tail.is_none() && self.head.raw + line.len() as u64 <= head_max {
            return self.head.write(line);
        }
        let full = self.tail.as_ref().is_none_or(|tail| tail.raw + line.len() as u64 > tail_max);
        if full {
            self.turn()?;
        }
        match &mut self.tail {
            Some(tail) => tail.write(line),
            None => Ok(()),
        }
    }

    /// Goes on in the other file of the tail, whose lines are lost.
    fn turn(&mut self) -> io::Result<()> {
        self.head.flush()?;
        self.left_out += self.older_lines;
        if let Some(mut tail) = self.tail.take() {
            tail.gzip.try_finish()?;
            self.older_lines = tail.lines;
            self.tail_number = 1 - self.tail_number;
        }
        self.tail = Some(Part::create(&tail_path(&self.path, self.tail_number))?);
        Ok(())
    }

    /// Makes everything written so far readable for others.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.tail {
            Some(tail) => tail.flush(),
            None => self.head.flush(),
        }
    }

    /// Ends the log: joins its parts, with a line that says how many lines were left out. Gives the whole file, which the
    /// caller may make outlast a power cut when it has time to.
    pub fn finish(mut self) -> io::Result<File> {
        for line in self.redactor.finish() {
            self.write(&line)?;
        }
        if self.left_out > 0 {
            let said = format!("[{} lines left out: the log is too long]", self.left_out);
            self.head.write(&said)?;
        }
        let mut file = self.head.gzip.finish()?;
        if let Some(tail) = self.tail {
            tail.gzip.finish()?;
            for number in [1 - self.tail_number, self.tail_number] {
                let part = tail_path(&self.path, number);
                if part.exists() {
                    io::copy(&mut File::open(&part)?, &mut file)?;
                    remove(&part)?;
                }
            }
        }
        Ok(file)
    }
}

fn tail_path(path: &Path, number: u8) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".tail{number}"));
    name.into()
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The lines of the log `path`, finished or not. A part that was cut off gives what is there; bytes that are not UTF-8 become
/// U+FFFD.
///
/// # Errors
/// When the log cannot be opened.
pub fn read_log(path: &Path) -> io::Result<impl Iterator<Item = String>> {
    let mut parts = vec![File::open(path)?];
    let mut tails: Vec<_> =
        [0, 1].map(|number| tail_path(path, number)).into_iter().filter(|part| part.exists()).collect();
    tails.sort_by_key(|part| std::fs::metadata(part).and_then(|metadata| metadata.modified()).ok());
    for part in tails {
        parts.push(File::open(part)?);
    }
    Ok(parts.into_iter().flat_map(lines))
}

fn lines(file: File) -> impl Iterator<Item = String> {
    let mut reader = BufReader::new(MultiGzDecoder::new(BufReader::new(file)));
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        // An error is the place where the writer was cut off: what came before it is still a line.
        let _ = reader.read_until(b'\n', &mut line);
        if line.is_empty() {
            return None;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        Some(String::from_utf8_lossy(text).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_in(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("plan.log.gz")
    }

    #[test]
    fn a_log_gives_back_its_lines_redacted() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(["hunter22"]);
        let mut log = LogWriter::create(&log_in(&folder), &redactor).expect("a log");
        for line in ["one", "", "日本", "with hunter22 in it"] {
            log.line(line).expect("written");
        }
        log.finish().expect("finished");
        let lines: Vec<_> = read_log(&log_in(&folder)).expect("readable").collect();
        assert_eq!(lines, ["one", "", "日本", "with [redacted] in it"]);
    }

    #[test]
    fn a_log_that_was_cut_off_gives_what_was_flushed() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(Vec::<String>::new());
        let mut log = LogWriter::create(&log_in(&folder), &redactor).expect("a log");
        log.line("kept").expect("written");
        log.flush().expect("flushed");
        log.line("perhaps lost").expect("written");
        std::mem::forget(log);
        assert_eq!(read_log(&log_in(&folder)).expect("readable").next().as_deref(), Some("kept"));
    }

    #[test]
    fn a_log_that_is_too_long_keeps_beginning_and_end_and_counts_the_rest() {
        let folder = tempfile::tempdir().expect("a folder");
        let redactor = Redactor::new(Vec::<String>::new());
        let mut log = LogWriter::with_limits(&log_in(&folder), &redactor, 100, 100).expect("a log");
        for number in 0..1000 {
            log.line(&format!("line {number:04}")).expect("written");
        }
        let unfinished: Vec<_> = read_log(&log_in(&folder)).expect("readable").collect();
        assert_eq!(unfinished.first().map(String::as_str), Some("line 0000"));
        log.finish().expect("finished");
        let lines: Vec<_> = read_log(&log_in(&folder)).expect("readable").collect();
        assert_eq!(lines.first().map(String::as_str), Some("line 0000"));
        assert_eq!(lines.last().map(String::as_str), Some("line 0999"));
        let left_out = lines.iter().find(|line| line.starts_with('[')).expect("a note");
        let count = 1000 - (lines.len() - 1);
        assert_eq!(left_out, &format!("[{count} lines left out: the log is too long]"));
    }
}
