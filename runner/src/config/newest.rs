//! Having the configuration's files looked at before something goes by it, so that no rule comes too late because nobody had read it yet.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

/// Longest that anybody waits for files to be looked at. After that it goes by what was in force before: a folder that does not answer holds
/// up no run that was asked for.
const LONGEST: Duration = Duration::from_secs(10);

/// Asks whoever reads the configuration to look at its files now.
#[derive(Debug, Clone, Default)]
pub struct Newest(Option<mpsc::UnboundedSender<oneshot::Sender<()>>>);

/// Who asks that the files be looked at: each is answered once what they say is in force, or told why it is not.
pub type Asked = mpsc::UnboundedReceiver<oneshot::Sender<()>>;

impl Newest {
    /// For a configuration that is read again, with what whoever reads it hears.
    #[must_use]
    pub fn heard() -> (Self, Asked) {
        let (sender, asked) = mpsc::unbounded_channel();
        (Self(Some(sender)), asked)
    }

    /// Returns when the files were looked at after this was called, and what changed in them is in force where it can be; at once where
    /// nobody reads them again; and after 10 s at the latest.
    pub async fn looked_at(&self) {
        let Some(reader) = &self.0 else { return };
        let (sender, answer) = oneshot::channel();
        if reader.send(sender).is_err() {
            return;
        }
        // A reader that went away answers nothing: this process ends.
        if tokio::time::timeout(LONGEST, answer).await.is_err() {
            tracing::warn!("the configuration's files do not answer; it goes on by what was read of them before");
        }
    }
}
