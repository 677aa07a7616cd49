//! Entries that were taken out, in files: written before anything is deleted, and proven later without the ledger.
//!
//! The first line of a file tells where its part of the chain begins and ends. Each further line is the hashed text of one entry as it
//! is: SHA-256 over the `prev` in it and the line is its hash, which the next line has as its `prev`.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::chain::Link;
use super::row::hash_of;

/// What stands first in each file.
const KIND: &str = "audit entries";

/// What is wrong with a file of entries.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// It cannot be read or written.
    #[error("{file} cannot be used: {why}")]
    Io {
        /// Which.
        file: String,
        /// Why.
        why: std::io::Error,
    },
    /// It is not such a file, or not whole.
    #[error("{file} is not what was exported: line {line} {why}")]
    Line {
        /// Which.
        file: String,
        /// Where, from 1.
        line: u64,
        /// What is wrong there.
        why: &'static str,
    },
    /// It belongs to another history.
    #[error("{file} is not of this history: entry {seq} is another one")]
    Other {
        /// Which.
        file: String,
        /// Where.
        seq: i64,
    },
    /// Some entries are in none of the files.
    #[error("the entries {from} to {to} are in none of the files")]
    Missing {
        /// The first of them.
        from: i64,
        /// The last.
        to: i64,
    },
}

/// The first line.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Header {
    tidegate: String,
    first: i64,
    prev: String,
    last: i64,
    hash: String,
}

/// What every other line has.
#[derive(Deserialize)]
struct Row {
    seq: i64,
    prev: String,
}

/// A file that is being written.
pub(super) struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
}

/// Files that were found whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proof {
    /// How many entries they hold.
    pub(super) entries: u64,
    /// The hash of the entry that was wanted, if it is in them.
    pub(super) seen: Option<String>,
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> SegmentError {
    let file = path.display().to_string();
    move |why| SegmentError::Io { file: file.clone(), why }
}

impl Writer {
    /// A new file, readable by its owner only. One that is there is not written over.
    pub(super) fn create(path: &Path, start: &Link, end: &Link) -> Result<Self, SegmentError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(io(path))?;
        let mut writer = Self { path: path.to_owned(), file: BufWriter::new(file) };
        let header = Header {
            tidegate: KIND.to_owned(),
            first: start.seq + 1,
            prev: start.hash.clone(),
            last: end.seq,
            hash: end.hash.clone(),
        };
        let line = serde_json::to_string(&header).map_err(|why| io(path)(why.into()))?;
        writer.line(&line)?;
        Ok(writer)
    }

    /// One more line.
    pub(super) fn line(&mut self, line: &str) -> Result<(), SegmentError> {
        writeln!(self.file, "{line}").map_err(io(&self.path))
    }

    /// Makes it survive a power cut, name included.
    pub(super) fn finish(self) -> Result<(), SegmentError> {
        let Self { path, file } = self;
        let file = file.into_inner().map_err(|error| io(&path)(error.into_error()))?;
        file.sync_all().map_err(io(&path))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(&path))
    }
}

/// Proves that these files hold all entries from the first to `until`, whatever their order and however they overlap. Gives the
/// hash of the entry `wanted` on the way.
pub(super) fn prove(files: &[PathBuf], until: &Link, wanted: Option<&Link>) -> Result<Proof, SegmentError> {
    let mut known: Vec<(Header, &PathBuf)> =
        files.iter().map(|path| header(path).map(|found| (found, path))).collect::<Result<_, _>>()?;
    known.sort_by_key(|(header, _)| header.first);
    let mut seen = None;
    let mut before = Link::genesis();
    let mut known = known.into_iter().peekable();
    while let Some((header, path)) = known.next() {
        if header.first > before.seq + 1 {
            return Err(SegmentError::Missing { from: before.seq + 1, to: header.first - 1 });
        }
        // Up to where the next one goes on; both may hold the same entries beyond that.
        let next = known.peek().map_or(until.seq, |(next, _)| (next.first - 1).min(until.seq)).min(header.last);
        let own = Link { seq: header.first - 1, hash: header.prev.clone() };
        if own.seq == before.seq && own != before {
            return Err(SegmentError::Other { file: path.display().to_string(), seq: before.seq });
        }
        let (end, found) = read(path, &header, next, wanted)?;
        seen = seen.or(found);
        if let Some(end) = end {
            before = end;
        }
    }
    if before.seq < until.seq {
        return Err(SegmentError::Missing { from: before.seq + 1, to: until.seq });
    }
    if before.hash != until.hash {
        let file = files.last().map_or_else(String::new, |path| path.display().to_string());
        return Err(SegmentError::Other { file, seq: until.seq });
    }
    Ok(Proof { entries: u64::try_from(until.seq).unwrap_or(0), seen })
}

/// Proves that one file holds what its first line says, from `start` to `end`.
pub(super) fn prove_one(path: &Path, start: &Link, end: &Link) -> Result<(), SegmentError> {
    let header = header(path)?;
    let (found, _) = read(path, &header, end.seq, None)?;
    let begins = header.first == start.seq + 1 && header.prev == start.hash;
    if begins && found.as_ref() == Some(end) && header.last == end.seq {
        return Ok(());
    }
    Err(SegmentError::Line { file: path.display().to_string(), line: 1, why: "does not tell what is in it" })
}

fn header(path: &Path) -> Result<Header, SegmentError> {
    let mut first = String::new();
    BufReader::new(File::open(path).map_err(io(path))?).read_line(&mut first).map_err(io(path))?;
    let wrong = SegmentError::Line { file: path.display().to_string(), line: 1, why: "is no heading of ours" };
    match serde_json::from_str::<Header>(&first) {
        Ok(header) if header.tidegate == KIND && header.first >= 1 && header.last >= header.first => Ok(header),
        _ => Err(wrong),
    }
}

/// Checks all lines, and gives the link at `at` and the hash of the entry `wanted`.
fn read(
    path: &Path,
    header: &Header,
    at: i64,
    wanted: Option<&Link>,
) -> Result<(Option<Link>, Option<String>), SegmentError> {
    let file = BufReader::new(File::open(path).map_err(io(path))?);
    let mut before = Link { seq: header.first - 1, hash: header.prev.clone() };
    let mut link = (before.seq == at).then(|| before.clone());
    let mut seen = None;
    for (number, text) in (2..).zip(file.lines().skip(1)) {
        let text = text.map_err(io(path))?;
        let wrong = |why| SegmentError::Line { file: path.display().to_string(), line: number, why };
        let row: Row = serde_json::from_str(&text).map_err(|_| wrong("is no entry"))?;
        if row.seq != before.seq + 1 {
            return Err(wrong("is not the next entry"));
        }
        if row.prev != before.hash {
            return Err(wrong("does not follow from the line before it"));
        }
        before = Link { seq: row.seq, hash: hash_of(&row.prev, &text) };
        if before.seq == at {
            link = Some(before.clone());
        }
        if wanted.is_some_and(|wanted| wanted.seq == before.seq) {
            seen = Some(before.hash.clone());
        }
    }
    if before.seq != header.last || before.hash != header.hash {
        return Err(SegmentError::Line {
            file: path.display().to_string(),
            line: u64::try_from(before.seq - header.first).unwrap_or(0) + 3,
            why: "is not there or not the last one as it was",
        });
    }
    Ok((link, seen))
}
