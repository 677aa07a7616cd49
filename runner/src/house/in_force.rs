//! The configuration in force: what the files say, with what was made and stands in the ledger.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::bell::Bell;
use crate::config::{Config, MadeUp};
use crate::ledger::{LedgerError, Store, made};
use crate::secrets::{self, Secrets};

/// How often it is looked whether something was made when no bell rings: another process may have made it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The one place in which files and ledger become one configuration.
#[derive(Debug)]
pub(super) struct InForce {
    store: Store,
    parts: Mutex<Parts>,
    whole: watch::Sender<Arc<Config>>,
}

#[derive(Debug)]
struct Parts {
    files: Arc<Config>,
    made: MadeUp,
    /// Of the ledger, when `made` was read.
    version: i64,
}

/// What was made, with its version.
async fn read(store: &Store) -> Result<(MadeUp, i64), LedgerError> {
    // The version first: what changes in between is read once more.
    let version = made::version(store).await?;
    if version == 0 {
        return Ok((MadeUp::default(), version));
    }
    let existing = made::existing(store).await?;
    let broken = existing.broken.into_iter().map(|broken| {
        tracing::error!(id = broken.id, why = broken.why, "an environment that was made cannot be read");
        (broken.environment.unwrap_or_else(|| format!("made-{}", broken.id)), broken.why)
    });
    Ok((MadeUp { broken: broken.collect(), all: existing.all }, version))
}

impl InForce {
    /// What is in force by these files.
    pub(super) async fn begin(files: Config, store: &Store) -> Result<Arc<Self>, LedgerError> {
        let (made, version) = read(store).await?;
        let whole = watch::channel(Arc::new(files.clone().with_made(made.clone()))).0;
        let parts = Mutex::new(Parts { files: Arc::new(files), made, version });
        Ok(Arc::new(Self { store: store.clone(), parts, whole }))
    }

    pub(super) fn config(&self) -> watch::Receiver<Arc<Config>> {
        self.whole.subscribe()
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// What the files say, without what was made.
    pub(super) async fn of_files(&self) -> Arc<Config> {
        Arc::clone(&self.parts.lock().await.files)
    }

    /// The files say something else from now on.
    pub(super) async fn files_are(&self, files: Config) {
        let mut parts = self.parts.lock().await;
        parts.files = Arc::new(files);
        self.put(&parts);
    }

    /// Takes over what was made, extended or ended since the last look.
    async fn look(&self) -> Result<(), LedgerError> {
        let known = self.parts.lock().await.version;
        if made::version(&self.store).await? == known {
            return Ok(());
        }
        let (made, version) = read(&self.store).await?;
        let mut parts = self.parts.lock().await;
        (parts.made, parts.version) = (made, version);
        self.put(&parts);
        Ok(())
    }

    fn put(&self, parts: &Parts) {
        let whole = Config::clone(&parts.files).with_made(parts.made.clone());
        crate::redact::hide(secrets::told(&whole, &Secrets::default()));
        self.whole.send_replace(Arc::new(whole));
    }
}

/// Takes over what is made by whichever process. Never returns.
pub(super) async fn keep_made(in_force: Arc<InForce>, bell: Bell) {
    let mut listener = bell.listen();
    loop {
        if let Err(error) = in_force.look().await {
            tracing::warn!(%error, "what was made is looked at again");
        }
        tokio::select! {
            () = listener.heard() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
