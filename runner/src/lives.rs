//! Brings the lives of environments that were made for one test further. Several processes may: each step is made once.

use std::time::Duration;

use tokio::sync::watch;

use crate::bell::Bell;
use crate::desk::Desk;

/// How often it is looked when no bell rings: their time passes by itself.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Goes on for ever while `working` says that this process is the engine: where nothing carries runs out, nothing is destroyed.
pub async fn run(desk: Desk, bell: Bell, mut working: watch::Receiver<bool>) {
    let mut listener = bell.listen();
    loop {
        if working.wait_for(|working| *working).await.is_err() {
            return;
        }
        if let Err(error) = desk.advance_lives().await {
            tracing::warn!(%error, "what was made is looked at again");
        }
        tokio::select! {
            () = listener.heard() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}
