//! Slack's own Python client and framework, where a test wants another's judgement.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::workspace::Workspace;

/// The Python with `slack_sdk` and `slack_bolt`: of `TIDEGATE_SLACK_PYTHON`, else in the target folder, where `tests/run` puts it.
///
/// # Panics
/// When it is not there, with the line that makes it.
#[must_use]
pub fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("TIDEGATE_SLACK_PYTHON") {
        return python.into();
    }
    let here = std::env::current_exe().expect("this program");
    let profile = here.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
    let folder = profile.and_then(Path::parent).expect("a target folder").join("slack-python");
    let python = folder.join("bin/python");
    let make = format!("python3 -m venv {0} && {0}/bin/pip install -r tests/slack/requirements.txt", folder.display());
    assert!(python.exists(), "Slack's own client is missing. Install it: {make}");
    python
}

/// A program of `tests/slack`.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("slack").join(name)
}

/// Has the models of `slack_sdk` read every block and view that was sent.
///
/// # Panics
/// When they refuse one.
#[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
pub fn check_calls(slack: &Workspace) -> String {
    let (well, told) = read_calls(&slack.calls_json());
    assert!(well, "what the models of slack_sdk say:\n{told}");
    told
}

/// Has the models of `slack_sdk` read recorded calls; gives whether all was well, and what they say.
///
/// # Panics
/// When Python does not start.
#[must_use]
pub fn read_calls(calls: &str) -> (bool, String) {
    let mut command = Command::new(python());
    command.arg(program("check_calls.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("python starts");
    let mut input = child.stdin.take().expect("its input");
    input.write_all(calls.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}
