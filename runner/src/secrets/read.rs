//! Reads one secret from its place.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use tokio::sync::oneshot;

use crate::domain::secret::{Origin, SecretSource};
use crate::redact::Redactor;
use crate::terraform::{Exit, Query, QueryError};

/// Most bytes of a secret. A key file with its chain of certificates has some 10 KB.
const LENGTH_MAX: u64 = 64 * 1024;

/// Most characters of what a command complains that are repeated.
const COMPLAINT_MAX: usize = 200;

/// Seconds within which a file is read: one on a disk takes less than a millisecond, one on a slow network mount some hundred.
const WAIT_S: u64 = 3;

/// A file being read by a thread of its own: nothing can end a reading on a mount that hangs, and it must hold up nobody, also not the end
/// of this process. There is one for each secret.
#[derive(Debug, Default, Clone)]
pub(super) struct Reader(Arc<AtomicBool>);

impl Reader {
    async fn read(&self, path: &Path) -> Result<(Zeroizing<Vec<u8>>, Duration, bool), SecretError> {
        let hangs = || SecretError::Hangs { path: path.to_owned() };
        let failed = |source| SecretError::File { path: path.to_owned(), source };
        // The one before has not come back.
        if self.0.swap(true, Ordering::AcqRel) {
            return Err(hangs());
        }
        let (told, came) = oneshot::channel();
        let (file, reading) = (path.to_owned(), Arc::clone(&self.0));
        let thread = std::thread::Builder::new().name("secret".to_owned()).spawn(move || {
            let read = read_file(&file);
            reading.store(false, Ordering::Release);
            // Nobody waits any more for one that came too late: the next reads it anew.
            let _ = told.send(read);
        });
        if let Err(error) = thread {
            self.0.store(false, Ordering::Release);
            return Err(failed(error));
        }
        match tokio::time::timeout(Duration::from_secs(WAIT_S), came).await {
            Ok(Ok(read)) => read.map_err(failed),
            Ok(Err(_)) => Err(failed(std::io::Error::other("its reading broke off"))),
            Err(_) => Err(hangs()),
        }
    }
}

/// Why a secret could not be read. Never with the value in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not there.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("the file `{}` cannot be read: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file's system does not answer, as that of a mount whose server is gone.
    #[error("the file `{}` gives no answer, as on a mount whose server is gone: nothing was read within {WAIT_S} s", path.display())]
    Hangs {
        /// Which.
        path: PathBuf,
    },
    /// It could not be read for somebody who asked just before, and is not tried again for each who waited.
    #[error("{0}")]
    Told(String),
    /// The command could not be started, took too long or printed too much.
    #[error("the command failed: {0}")]
    Command(#[from] QueryError),
    /// The command ended with another status than 0.
    #[error("`{program}` failed ({exit}){complaint}")]
    Failed {
        /// The program, without its arguments.
        program: String,
        /// How it ended.
        exit: String,
        /// The end of what it wrote to standard error, redacted, after `: `; empty when there is none.
        complaint: String,
    },
    /// Nothing is there.
    #[error("{0} holds nothing")]
    Empty(String),
    /// It is no text.
    #[error("{0} holds something that is not UTF-8")]
    NotText(String),
    /// It is longer than any secret.
    #[error("{0} holds more than {LENGTH_MAX} bytes")]
    TooLong(String),
    /// What was read before is too old, and nothing newer can be had.
    #[error("what {from} gave has expired, and it cannot be read again: {why}")]
    Expired {
        /// Where it is from.
        from: String,
        /// Why not.
        why: String,
    },
}

/// What was read, and what is known of it.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) value: SecretString,
    /// How old it was when it was read.
    pub(super) age: Duration,
    /// The file can be read by others than its owner.
    pub(super) open_to_others: bool,
}

/// Reads the secret now.
pub(super) async fn read(source: &SecretSource, reader: &Reader) -> Result<Reading, SecretError> {
    let named = source.to_string();
    let reading = |bytes: Zeroizing<Vec<u8>>, age, open_to_others| {
        let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NotText(named.clone()))?;
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            return Err(SecretError::Empty(named.clone()));
        }
        Ok(Reading { value: SecretString::from(text), age, open_to_others })
    };
    match &source.origin {
        Origin::Env(name) => {
            let value = std::env::var_os(name).ok_or_else(|| SecretError::NotSet(name.clone()))?;
            let bytes = std::os::unix::ffi::OsStringExt::into_vec(value);
            reading(Zeroizing::new(bytes), Duration::ZERO, false)
        }
        Origin::File(path) => {
            let (bytes, age, open_to_others) = reader.read(path).await?;
            if bytes.len() as u64 > LENGTH_MAX {
                return Err(SecretError::TooLong(named));
            }
            reading(bytes, age, open_to_others)
        }
        Origin::Command { argv, folder, timeout_s, refresh_s: _ } => {
            let program = argv.first().cloned().unwrap_or_default();
            let args: Vec<OsString> = argv.iter().skip(1).map(OsString::from).collect();
            let query = Query {
                program: Path::new(&program),
                args: &args,
                cwd: folder,
                env: &[],
                timeout: Duration::from_secs(u64::from(*timeout_s)),
                limit: LENGTH_MAX,
            };
            let finished = query.run().await?;
            let bytes = Zeroizing::new(finished.stdout);
            if !finished.exit.is_success() {
                let complaint = complaint(&finished.stderr, &bytes);
                return Err(SecretError::Failed { program, exit: ended(&finished.exit), complaint });
            }
            reading(bytes, Duration::ZERO, false)
        }
    }
}

fn read_file(path: &Path) -> std::io::Result<(Zeroizing<Vec<u8>>, Duration, bool)> {
    let file = std::fs::File::open(path)?;
    let metadata = file.metadata()?;
    let age = metadata.modified().ok().and_then(|written| written.elapsed().ok()).unwrap_or_default();
    // All at once: a growing vector leaves copies behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LENGTH_MAX + 1).unwrap_or(usize::MAX)));
    file.take(LENGTH_MAX + 1).read_to_end(&mut bytes)?;
    Ok((bytes, age, metadata.permissions().mode() & 0o077 != 0))
}

fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit status {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::CouldNotStart(why) => why.clone(),
        Exit::NeverBegan | Exit::Lost => "nobody saw how".to_owned(),
    }
}

/// The last line of a complaint, without what the command printed.
fn complaint(stderr: &str, stdout: &[u8]) -> String {
    let Some(last) = stderr.lines().map(str::trim).rfind(|line| !line.is_empty()) else { return String::new() };
    let redactor = Redactor::new([String::from_utf8_lossy(stdout).into_owned()]);
    let last: String = redactor.redact(last).chars().filter(|c| !c.is_control()).take(COMPLAINT_MAX).collect();
    format!(": {last}")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn source(origin: Origin) -> SecretSource {
        SecretSource { origin, expires_in_s: None }
    }

    fn command(argv: &[&str], timeout_s: u32) -> SecretSource {
        let argv = argv.iter().map(|&argument| argument.to_owned()).collect();
        source(Origin::Command { argv, folder: "/".into(), timeout_s, refresh_s: None })
    }

    async fn value(source: &SecretSource) -> Result<String, String> {
        read(source, &Reader::default())
            .await
            .map(|read| read.value.expose_secret().to_owned())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn one_line_break_at_the_end_does_not_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        for (content, read) in
            [("a", "a"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a "), ("日本\n", "日本")]
        {
            std::fs::write(&file, content).expect("written");
            assert_eq!(value(&source(Origin::File(file.clone()))).await.as_deref(), Ok(read), "{content:?}");
            assert_eq!(value(&command(&["printf", "%s", content], 10)).await.as_deref(), Ok(read), "{content:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_told_without_what_was_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secret");
        let at = |bytes: &[u8]| {
            std::fs::write(&file, bytes).expect("written");
            source(Origin::File(file.clone()))
        };
        for (source, told) in [
            (source(Origin::Env("TIDEGATE_NO_SUCH_VARIABLE".to_owned())), "is not set"),
            (source(Origin::File(folder.path().join("none"))), "cannot be read"),
            (at(b"\n"), "holds nothing"),
        ] {
            let error = value(&source).await.expect_err("an error");
            assert!(error.contains(told), "{error}");
        }
        assert!(value(&at(b"\xffgeheim")).await.expect_err("an error").ends_with("not UTF-8"));
        assert!(
            value(&at("x".repeat(70_000).as_bytes())).await.expect_err("an error").contains("more than 65536 bytes")
        );
        for (argv, told) in [
            (&["tidegate-no-such-program", "geheim"][..], "No such file"),
            (&["sh", "-c", "sleep 60; echo geheim"], "no answer within 1 s"),
            (&["sh", "-c", "yes geheim"], "more than 65536 bytes"),
            (
                &["sh", "-c", "echo geheim-1; echo no way, geheim-1 >&2; exit 3"],
                "`sh` failed (exit status 3): no way, [redacted]",
            ),
            (&["true"], "holds nothing"),
        ] {
            let error = value(&command(argv, 1)).await.expect_err("an error");
            assert!(error.contains(told) && !error.contains("geheim"), "{error}");
        }
    }
}
