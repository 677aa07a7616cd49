//! Short commands whose whole output is wanted and which change nothing that must be found again after a crash: `version`,
//! `state list`, `show`. Bounded in time and memory. What plans or applies goes through [`super::Child`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::exit::Exit;
use super::surroundings::surround;

/// A short command.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The program.
    pub program: &'a Path,
    /// Its arguments.
    pub args: &'a [OsString],
    /// The folder it runs in.
    pub cwd: &'a Path,
    /// Environment variables on top of the inherited ones.
    pub env: &'a [(OsString, OsString)],
    /// When it is killed.
    pub timeout: Duration,
    /// Most bytes of each of its outputs.
    pub limit: u64,
}

/// How a short command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Exit status or signal.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, as text.
    pub stderr: String,
}

impl Finished {
    /// What it complained of, in one line and without the frame that Terraform draws around it.
    #[must_use]
    pub fn complaint(&self) -> String {
        let words = self.stderr.split_whitespace().filter(|word| !matches!(*word, "╷" | "│" | "╵"));
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Why a short command gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It could not be started, or its output could not be read.
    #[error("{}: {source}", program.display())]
    Io {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It took too long and was killed.
    #[error("{} gave no answer within {seconds} s", program.display())]
    Timeout {
        /// The program.
        program: PathBuf,
        /// How long was waited.
        seconds: u64,
    },
    /// It printed more than was allowed and was killed.
    #[error("{} printed more than {limit} bytes", program.display())]
    TooMuch {
        /// The program.
        program: PathBuf,
        /// The most that is read.
        limit: u64,
    },
}

impl Query<'_> {
    /// Runs it to its end. A future that is dropped kills the process.
    ///
    /// # Errors
    /// [`QueryError`]; an exit status other than 0 is none.
    pub async fn run(&self) -> Result<Finished, QueryError> {
        match tokio::time::timeout(self.timeout, self.run_for_ever()).await {
            Ok(result) => result,
            Err(_) => Err(QueryError::Timeout { program: self.program.to_owned(), seconds: self.timeout.as_secs() }),
        }
    }

    async fn run_for_ever(&self) -> Result<Finished, QueryError> {
        let io = |source| QueryError::Io { program: self.program.to_owned(), source };
        let mut child = surround(&mut Command::new(self.program))
            .args(self.args)
            .current_dir(self.cwd)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(io)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        // Both at once: a child that fills one pipe while the other is read would wait for ever.
        let (stdout, stderr) = tokio::try_join!(self.read(stdout), self.read(stderr))?;
        let status = child.wait().await.map_err(io)?;
        let exit = super::supervise::exit_of(status);
        Ok(Finished { exit, stdout, stderr: String::from_utf8_lossy(&stderr).into_owned() })
    }

    async fn read(&self, pipe: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, QueryError> {
        let mut bytes = Vec::new();
        let Some(pipe) = pipe else { return Ok(bytes) };
        let io = |source| QueryError::Io { program: self.program.to_owned(), source };
        pipe.take(self.limit.saturating_add(1)).read_to_end(&mut bytes).await.map_err(io)?;
        if u64::try_from(bytes.len()).is_ok_and(|len| len <= self.limit) {
            Ok(bytes)
        } else {
            Err(QueryError::TooMuch { program: self.program.to_owned(), limit: self.limit })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Finished};

    #[test]
    fn a_complaint_is_one_line_without_a_frame() {
        let stderr = "\u{2577}\n\u{2502} Error: no state\n\u{2502} \n\u{2502}   it is | of another\n\u{2575}\n";
        let finished = Finished { exit: Exit::Code(1), stdout: Vec::new(), stderr: stderr.to_owned() };
        assert_eq!(finished.complaint(), "Error: no state it is | of another");
    }
}
