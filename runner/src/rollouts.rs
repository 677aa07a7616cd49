//! Brings changes of many environments further whenever a run of theirs is over. Several processes may: each run is made once.

use std::time::Duration;

use tokio::sync::watch;

use crate::bell::Bell;
use crate::desk::Desk;

/// How often it is looked when no bell rings: runs may be carried out by another process.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Goes on for ever while `working` says that this process is the engine: where nothing carries runs out, none are made.
pub async fn run(desk: Desk, bell: Bell, mut working: watch::Receiver<bool>) {
    let mut listener = bell.listen();
    loop {
        if working.wait_for(|working| *working).await.is_err() {
            return;
        }
        if let Err(error) = desk.advance_rollouts().await {
            tracing::warn!(%error, "changes of many environments are looked at again");
        }
        tokio::select! {
            () = listener.heard() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
