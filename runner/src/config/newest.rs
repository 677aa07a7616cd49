//! Having the configuration's files looked at before something goes by it, so that no rule comes too late because nobody had read it yet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::Config;
use crate::domain::environment::Environment;

/// Longest that anybody waits for files to be looked at.
const LONGEST: Duration = Duration::from_secs(10);

/// Asks whoever reads the configuration to look at its files now.
#[derive(Debug, Clone, Default)]
pub struct Newest(Option<mpsc::UnboundedSender<Asked>>);

/// Who asks that the files be looked at: answered once what they say is in force, or with why it is not.
pub type Asked = oneshot::Sender<Result<(), String>>;

impl Newest {
    /// For a configuration that is read again, with what whoever reads it hears.
    #[must_use]
    pub fn heard() -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let (sender, asked) = mpsc::unbounded_channel();
        (Self(Some(sender)), asked)
    }

    /// Returns when the files were looked at after this was called, and what changed in them is in force; at once where nobody reads them
    /// again; and after 10 s at the latest.
    ///
    /// # Errors
    /// Why what the files say now is not what is in force, in words.
    pub async fn looked_at(&self) -> Result<(), String> {
        let Some(reader) = &self.0 else { return Ok(()) };
        let (sender, answer) = oneshot::channel();
        let gone = || "nobody reads the configuration any more: this process ends".to_owned();
        reader.send(sender).map_err(|_| gone())?;
        match tokio::time::timeout(LONGEST, answer).await {
            Ok(Ok(looked)) => looked,
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(format!("its files were not read within {} s", LONGEST.as_secs())),
        }
    }
}

/// What is in force, and who has the files looked at: what runs go by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Has the files looked at.
    pub newest: Newest,
    /// What is in force.
    pub config: watch::Receiver<Arc<Config>>,
}

impl Rules {
    /// `environment`, with the rules that the files have for it now. What cannot be read now, or is not in the files any more, leaves it its
    /// own; so does having been made from a template, since that keeps those it was made with.
    pub async fn now_of(&self, environment: &Environment) -> Environment {
        if let Err(why) = self.newest.looked_at().await {
            tracing::warn!(environment = %environment.name, why, "goes on by the rules that were read before");
        }
        let mut ruled = environment.clone();
        let config = self.config.borrow();
        if let Some(newer) = config.environments.get(&environment.name)
            && !config.made.contains_key(&environment.name)
        {
            ruled.take_rules_of(newer);
        }
        ruled
    }
}
