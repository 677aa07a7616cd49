//! Slack's own Python client and framework, and its published description, where a test wants another's judgement.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use super::workspace::Workspace;

/// What of Slack's own descriptions is compared with; `tests/slack/reduce.py` makes it of them.
pub(crate) fn described() -> &'static Value {
    static DESCRIBED: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../slack/described.json")).expect("JSON"));
    &DESCRIBED
}

/// Arguments that Slack takes since its description was archived, in 2021.
const NEWER: [(&str, &str); 3] = [
    ("chat.postMessage", "metadata"),
    ("conversations.history", "include_all_metadata"),
    ("conversations.replies", "include_all_metadata"),
];

/// What is wrong with the arguments of recorded calls by Slack's published description, for methods that are in it.
#[must_use]
pub fn misspelt(slack: &Workspace) -> Vec<String> {
    let mut wrong = Vec::new();
    for call in slack.calls() {
        let arguments = &described()["methods"][&call.method]["arguments"];
        let Some(arguments) = arguments.as_object() else { continue };
        for name in call.arguments.keys() {
            // Slack's own client sends it with everything.
            if name != "team_id"
                && !arguments.contains_key(name)
                && !NEWER.contains(&(call.method.as_str(), name.as_str()))
            {
                wrong.push(format!("{} has no argument {name}", call.method));
            }
        }
        for (name, required) in arguments {
            if *required == true && !call.arguments.contains_key(name) {
                wrong.push(format!("{} lacks {name}", call.method));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

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

/// Has the models of `slack_sdk` read every block and view that was sent, and Slack's published description every argument.
///
/// # Panics
/// When they refuse one.
#[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
pub fn check_calls(slack: &Workspace) -> String {
    assert_eq!(misspelt(slack), Vec::<String>::new(), "what Slack's published description says");
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
