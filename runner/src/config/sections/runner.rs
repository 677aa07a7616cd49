//! `[runner]`: how runs are carried out.

use std::path::{Path as FilePath, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::document::Path;
use super::super::duration;
use super::super::findings::Findings;
use super::values;
use crate::domain::access::OPEN_MAX_S;

/// A day, in seconds.
const DAY_S: u32 = 86_400;

/// How runs are carried out.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(in super::super) struct RunnerSection {
    /// Runs of different environments that are carried out at the same time. Terraform with a cloud provider takes
    /// about one processor and 0.5 to 0.8 GB of memory each.
    #[schemars(range(min = 1, max = 256))]
    parallel: u16,
    /// Folder for checkouts, plans and logs.
    #[schemars(length(min = 1))]
    state_dir: String,
    /// How long running work may go on when Tidegate is told to stop, before it is interrupted gently. `0s` to `1d`.
    #[schemars(regex(pattern = duration::PATTERN))]
    drain: String,
    /// How long a question for a yes stays open. `10s` to `30d`.
    #[schemars(regex(pattern = duration::PATTERN))]
    ask_expires: String,
    /// How long to wait for a state lock that somebody else holds, where the stack does not say. `0s` to `1d`.
    #[schemars(regex(pattern = duration::PATTERN))]
    lock_timeout: String,
    /// Path or name of `terraform` or `tofu`, where the stack does not say.
    #[schemars(length(min = 1))]
    terraform: String,
    /// How often a runner says that it is alive. `1s` to `1m`.
    #[schemars(regex(pattern = duration::PATTERN))]
    heartbeat: String,
    /// How long a runner that says nothing keeps its runs; at least twice `heartbeat`. `2s` to `10m`.
    #[schemars(regex(pattern = duration::PATTERN))]
    lease: String,
}

impl Default for RunnerSection {
    fn default() -> Self {
        Self {
            parallel: 2,
            state_dir: ".tidegate".to_owned(),
            drain: "5m".to_owned(),
            ask_expires: "30m".to_owned(),
            lock_timeout: "5m".to_owned(),
            terraform: "terraform".to_owned(),
            heartbeat: "3s".to_owned(),
            // A dead runner's work is to be taken over within 15 s of its death.
            lease: "10s".to_owned(),
        }
    }
}

/// How runs are carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerConfig {
    /// Runs of different environments at the same time. 1 to 256.
    pub parallel: usize,
    /// Folder for checkouts, plans and logs; absolute if the configuration's folder is. May not exist yet.
    pub state_dir: PathBuf,
    /// Seconds that running work may go on when Tidegate is told to stop. 0 to 86,400.
    pub drain_s: u32,
    /// Seconds for which a question for a yes stays open. 10 to 2,592,000.
    pub ask_expires_s: u32,
    /// Seconds to wait for a state lock that somebody else holds. 0 to 86,400.
    pub lock_timeout_s: u32,
    /// Path or name of `terraform` or `tofu`.
    pub terraform: PathBuf,
    /// Seconds between two signs of life of a runner. 1 to 60.
    pub heartbeat_s: u32,
    /// Seconds after which a silent runner loses its runs. At least twice `heartbeat_s`; 2 to 600.
    pub lease_s: u32,
}

/// Reads the section.
pub(in super::super) fn read(
    section: Option<RunnerSection>,
    folder: &FilePath,
    findings: &mut Findings<'_, '_>,
) -> RunnerConfig {
    let section = section.unwrap_or_default();
    let at = Path::ROOT.key("runner");
    let mut seconds = |key, text: &str, range| duration::read(&at.key(key), text, range, findings).unwrap_or_default();
    let drain_s = seconds("drain", &section.drain, 0..=DAY_S);
    let ask_expires_s = seconds("ask_expires", &section.ask_expires, 10..=OPEN_MAX_S);
    let lock_timeout_s = seconds("lock_timeout", &section.lock_timeout, 0..=DAY_S);
    let heartbeat_s = seconds("heartbeat", &section.heartbeat, 1..=60);
    let lease_s = seconds("lease", &section.lease, 2..=600);
    if lease_s > 0 && heartbeat_s > 0 && lease_s < 2 * heartbeat_s {
        let message = "with a `lease` shorter than twice the `heartbeat` one late sign of life loses a run";
        findings.at_key(&at.key("lease"), message, Some(format!("write at least `{}s`", 2 * heartbeat_s)));
    }
    RunnerConfig {
        parallel: section.parallel.into(),
        state_dir: folder.join(section.state_dir),
        drain_s,
        ask_expires_s,
        lock_timeout_s,
        terraform: values::program(&section.terraform, folder),
        heartbeat_s,
        lease_s,
    }
}
