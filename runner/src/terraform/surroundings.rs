//! The environment variables of every child, beside those of its stack.

use std::ffi::OsString;

use tokio::process::Command;

use crate::domain::environment::is_set_by_tidegate;

/// Set for every child, below what its stack sets: no questions, no hints for people at a prompt, no call home.
const SET: [(&str, &str); 3] = [("TF_IN_AUTOMATION", "1"), ("TF_INPUT", "0"), ("CHECKPOINT_DISABLE", "1")];

/// Gives a child what Tidegate says, and nothing of what whoever started Tidegate says about it: another workspace, or arguments
/// that nobody sees.
pub(super) fn surround(command: &mut Command) -> &mut Command {
    let said = |name: &OsString| name.to_str().is_some_and(is_set_by_tidegate);
    for (name, _) in std::env::vars_os().filter(|(name, _)| said(name)) {
        command.env_remove(name);
    }
    command.envs(SET)
}
