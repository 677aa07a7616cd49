//! What asks a process to end: SIGTERM, SIGINT, and the SIGHUP of a terminal or a connection that went away.

use std::future::pending;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals to this process.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// `None`: it is to outlive its terminal.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Listens from now on: none of them ends the process by itself any more.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn listen() -> io::Result<Self> {
        // Whoever listens takes back what `nohup` did.
        let outlives = std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hang_up(&status));
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: if outlives { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// Waits for the next one, and gives its name.
    pub async fn came(&mut self) -> &'static str {
        let hung_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = hung_up => "SIGHUP",
        }
    }
}

/// Whether a process was started with SIGHUP ignored, as by `nohup`. `status`: its `/proc/PID/status`; source of the mask `SigIgn`: proc(5).
fn ignores_hang_up(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Its number is 1: the lowest bit.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::ignores_hang_up;

    #[test]
    fn who_is_started_by_nohup_goes_on_without_its_terminal() {
        let status = |mask: &str| {
            format!("Name:\ttidegate\nSigBlk:\t0000000000000001\nSigIgn:\t{mask}\nSigCgt:\t0000000000000001\n")
        };
        assert!(ignores_hang_up(&status("0000000000001001")));
        assert!(!ignores_hang_up(&status("0000000000001000")));
        assert!(!ignores_hang_up(&status("none")) && !ignores_hang_up(""));
    }
}
