//! What every chat over a network does alike. `ear` stores what comes in before it is acknowledged, `answer` answers it once, with what
//! was truly done; `mouth` sends what lies in the outbox, each message once, one process at a time; `scribe` keeps one card per run
//! true; `missed` reads what was said while nobody listened; `speak` lets them work side by side. What differs from chat to chat is
//! a [`platform::Platform`]; words are the cards', rules the desk's.

mod answer;
mod channels;
pub(in crate::chat) mod crier;
pub(in crate::chat) mod draft;
pub(in crate::chat) mod ear;
mod editing;
pub(in crate::chat) mod letter;
mod logs;
mod members;
pub(in crate::chat) mod memory;
mod missed;
mod mouth;
pub(in crate::chat) mod names;
pub(in crate::chat) mod offer;
pub(in crate::chat) mod offered;
pub(in crate::chat) mod online;
pub(in crate::chat) mod origin;
pub(in crate::chat) mod plain;
pub(in crate::chat) mod platform;
mod press;
mod preview;
pub(in crate::chat) mod refused;
mod right;
pub(in crate::chat) mod rooms;
mod scribe;
pub(in crate::chat) mod sheet;
mod speak;
pub(in crate::chat) mod stands;
pub(in crate::chat) mod text;
mod thread;
mod together;
mod trouble;
pub(in crate::chat) mod turn;
mod waits;
pub(in crate::chat) mod whereabouts;

use std::time::Duration;

use tokio::sync::watch;

pub(in crate::chat) use crate::wire::{address, failure, limiter};

/// Waits; true when told to stop.
pub(in crate::chat) async fn wait(time: Duration, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        _ = stop.wait_for(|stop| *stop) => true,
    }
}
