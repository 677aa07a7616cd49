//! What happens to a stack and may take a while, in a line below it.

use tidegate_runner::domain::run::Note;

use super::super::natural::naturally;
use super::super::words::{DOT, cut, plural};
use super::failure::held_by;
use super::service;

/// The line, without the stack's name.
pub(super) fn words(note: &Note) -> String {
    match note {
        Note::Init { why } => format!("init runs: {}", cut(why)),
        Note::Workspace { name } => format!("selects the workspace {}, or makes it", cut(name)),
        Note::LockHeld { holder, wait_s } => {
            format!("the state lock is {}; waiting for it up to {wait_s} s", held_by(holder))
        }
        Note::Protected { addresses } => {
            let named: Vec<String> =
                naturally(addresses, |address| address.as_str()).into_iter().map(|address| cut(address)).collect();
            cut(&format!("only lowered, not destroyed: `protect` names {}", named.join(", ")))
        }
        Note::InService { groups, trouble } => {
            let trouble = trouble.as_ref().map(|trouble| format!("{}; asking again", cut(trouble)));
            let all: Vec<String> = groups.iter().map(service::short).chain(trouble).collect();
            if all.is_empty() { "asks what is in service".to_owned() } else { all.join(DOT) }
        }
        Note::NotReady { probes } => {
            let probes: Vec<String> = probes.iter().map(|probe| cut(probe)).collect();
            format!("not ready: {}", probes.join(DOT))
        }
        Note::Untainted { addresses } => {
            let named: Vec<String> = addresses.iter().map(|address| cut(address)).collect();
            cut(&format!(
                "its making came up short; untainted, so that what is in service is kept: {}",
                named.join(", ")
            ))
        }
        Note::Resized { settings } => format!("changed by hand: {}", cut(&settings.join(", "))),
        Note::Swept { unknown: Some(why), .. } => format!("what no state knows is not known: {}", cut(why)),
        Note::Swept { strays, unknown: None, .. } => match strays.len() {
            0 => "nothing stands outside the state".to_owned(),
            many => format!("{} in no state", plural(many as u64, "resource")),
        },
        Note::Doers { unknown: Some(why), .. } => format!("who did it is not known: {}", cut(why)),
        Note::Doers { doers, .. } => match doers.len() {
            0 => "CloudTrail names nobody".to_owned(),
            many => format!("CloudTrail names {} of others", plural(many as u64, "change")),
        },
        Note::Needs { .. } => "holds what it needs against the account's quotas".to_owned(),
        Note::Locked { holders } => {
            let holders: Vec<String> = holders.iter().map(held_by).collect();
            format!("the state lock is {}", holders.join(DOT))
        }
        Note::Preflight { troubles } if troubles.is_empty() => "nothing stands in the way".to_owned(),
        Note::Preflight { troubles } => cut(&troubles.join(DOT)),
        Note::Text(text) => cut(text),
    }
}
