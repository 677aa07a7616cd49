//! What is worth a line on a card while a stack is worked on. Its words are the conversation's.

use serde::{Deserialize, Serialize};

use crate::domain::drift::{Doer, Stray};
use crate::domain::failure::LockHolder;
use crate::domain::quota::Need;
use crate::domain::readiness::GroupCount;

/// Something that happens to a stack and may take a while, or that nobody expects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Note {
    /// `init` runs.
    Init {
        /// Why, in a few words: `the lock file changed`.
        why: String,
    },
    /// The workspace is selected, or made.
    Workspace {
        /// Its name.
        name: String,
    },
    /// The state lock is held by somebody else, and waited for.
    LockHeld {
        /// By whom.
        holder: LockHolder,
        /// For how many seconds at most.
        wait_s: u32,
    },
    /// The stack was to be destroyed, and is only lowered.
    Protected {
        /// Addresses that `protect` names.
        addresses: Vec<String>,
    },
    /// What is waited for to be in service.
    InService {
        /// How the groups stand.
        groups: Vec<GroupCount>,
        /// Why it is not known better, in words: `AWS is busy`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trouble: Option<String>,
    },
    /// What does not answer yet as it should.
    NotReady {
        /// What, and how it answers, in words.
        probes: Vec<String>,
    },
    /// Groups whose making had come up short are kept, where Terraform would have destroyed and made them again.
    Untainted {
        /// Their addresses.
        addresses: Vec<String>,
    },
    /// Somebody changed the sizes of groups by hand, to what these settings could say: `slaves=9`.
    Resized {
        /// As they would be typed.
        settings: Vec<String>,
    },
    /// What carries the stack's tags was looked for.
    Swept {
        /// What stands in no state.
        strays: Vec<Stray>,
        /// ARNs that carry the tag of another stack and stand in this one's state.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elsewhere: Vec<String>,
        /// Why what stands in no state here may well stand in one: nobody should take it away by this look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        doubt: Option<String>,
        /// Why that is not known, in words with what to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<String>,
    },
    /// CloudTrail was asked who changed what was found.
    Doers {
        /// Who it names, the newest first for each resource.
        doers: Vec<Doer>,
        /// For how many of the resources it names nobody.
        #[serde(default)]
        nobody: u32,
        /// How many of the resources were not asked about.
        #[serde(default)]
        unasked: u32,
        /// Why it could not be asked, in words with what to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown: Option<String>,
    },
    /// What the plan needs of what the account has only so much of.
    Needs {
        /// Of each, as far as AWS told.
        needs: Vec<Need>,
    },
    /// Who held the state lock when it was looked.
    Locked {
        /// Each with the place that told: a state may be locked in two.
        holders: Vec<LockHolder>,
    },
    /// It was looked whether anything stands in the way of a change.
    Preflight {
        /// What does, each in words with what to do.
        troubles: Vec<String>,
    },
    /// In words, as events of earlier versions have it.
    #[serde(untagged)]
    Text(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_earlier_versions_are_read() {
        let read = |text: &str| serde_json::from_str::<Note>(text).expect("a note");
        assert_eq!(read(r#""terraform init (first time)""#), Note::Text("terraform init (first time)".to_owned()));
        for note in [
            Note::Init { why: "first time".to_owned() },
            Note::Workspace { name: "日本".to_owned() },
            Note::LockHeld { holder: LockHolder { who: "ito@desk".to_owned(), ..LockHolder::default() }, wait_s: 60 },
            Note::Protected { addresses: vec!["aws_db_instance.main".to_owned()] },
            Note::InService { groups: vec![GroupCount { desired: 40, ..GroupCount::default() }], trouble: None },
            Note::NotReady { probes: vec!["tcp 127.0.0.1:1: refused".to_owned()] },
            Note::Untainted { addresses: vec!["aws_autoscaling_group.slaves".to_owned()] },
            Note::Resized { settings: vec!["slaves=9".to_owned()] },
            Note::Swept {
                strays: Vec::new(),
                elsewhere: Vec::new(),
                doubt: Some("another state".to_owned()),
                unknown: Some("no credentials".to_owned()),
            },
            Note::Doers { doers: Vec::new(), nobody: 1, unasked: 2, unknown: Some("no credentials".to_owned()) },
            Note::Needs { needs: Vec::new() },
            Note::Locked { holders: vec![LockHolder::default()] },
            Note::Preflight { troubles: vec!["a lock".to_owned()] },
            Note::Text("as it was".to_owned()),
        ] {
            assert_eq!(read(&serde_json::to_string(&note).expect("text")), note);
        }
    }
}
