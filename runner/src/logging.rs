//! Where the program's own log goes: `tracing`, for people or as JSON, and without secrets.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::redact::without;

/// A writer of whole lines that takes secrets out of them.
struct Redacting<W>(W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (text, end) = text.strip_suffix('\n').map_or((&*text, ""), |text| (text, "\n"));
        let redacted = without(text.to_owned());
        self.0.write_all(format!("{redacted}{end}").as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

fn open(file: &Path) -> io::Result<std::fs::File> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::options().create(true).append(true).open(file)
}

/// Starts logging: to standard error, or to `file` where a terminal must stay free for the conversation. Which events is said
/// by `TIDEGATE_LOG` in the form of `RUST_LOG` (`debug`, `tidegate_runner=trace`); without it, `info`.
///
/// # Errors
/// When the file cannot be opened.
pub fn start(file: Option<&Path>, format: LogFormat) -> io::Result<()> {
    let filter = EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let writer = match file {
        None => BoxMakeWriter::new(|| Redacting(io::stderr())),
        Some(file) => {
            let file =
                open(file).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
            let file = Arc::new(file);
            BoxMakeWriter::new(move || Redacting(Arc::clone(&file)))
        }
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    // A second start (tests in one process) keeps the first.
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started before");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_without_what_is_hidden() {
        crate::redact::hide(vec!["log-hunter22".to_owned()]);
        let mut out = Vec::new();
        let token = format!("gh{}_{}", 'p', "a1b2".repeat(9));
        let line = format!("WARN a: with log-hunter22 and {token}\n");
        Redacting(&mut out).write_all(line.as_bytes()).expect("written");
        crate::redact::hide(Vec::new());
        Redacting(&mut out).write_all(b"{\"a\":\"log-hunter22\"}\n").expect("written");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            "WARN a: with [redacted] and [redacted]\n{\"a\":\"[redacted]\"}\n"
        );
    }
}
