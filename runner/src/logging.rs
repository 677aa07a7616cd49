//! Where the program's own log goes: `tracing`, for people or as JSON.

use std::path::Path;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

fn open(file: &Path) -> std::io::Result<std::fs::File> {
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
pub fn start(file: Option<&Path>, format: LogFormat) -> std::io::Result<()> {
    let filter = EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info,sqlx=warn"));
    let writer = match file {
        None => BoxMakeWriter::new(std::io::stderr),
        Some(file) => BoxMakeWriter::new(std::sync::Mutex::new(
            open(file).map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", file.display())))?,
        )),
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
