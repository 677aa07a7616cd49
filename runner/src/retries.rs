//! Does runs again that came up short, where the configuration says so. Several processes may: each try is made once.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;

use crate::desk::Desk;

/// How often it is looked: rests are minutes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Goes on for ever while `working` says that this process is the engine.
pub async fn run(desk: Desk, mut working: watch::Receiver<bool>) {
    let mut tried = BTreeSet::new();
    loop {
        if working.wait_for(|working| *working).await.is_err() {
            return;
        }
        desk.advance_retries(&mut tried).await;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
