//! Roles: sets of commands. Four are built in, each with all that the one before it has; others are the configuration's.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Written;
use crate::domain::command::CommandName;

/// The least that one must be to run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Least {
    /// Anybody, also those that nothing is given to.
    Anybody,
    /// `viewer`: asks.
    Viewer,
    /// `operator`: raises, lowers and scales.
    Operator,
    /// `owner`: destroys, and says yes and no.
    Owner,
    /// `admin`: everything.
    Admin,
}

impl Least {
    /// The roles that are built in, from the least.
    pub const ROLES: [Self; 4] = [Self::Viewer, Self::Operator, Self::Owner, Self::Admin];

    /// The role's name in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Admin => "admin",
        }
    }
}

impl CommandName {
    /// The least role that has this command.
    #[must_use]
    pub fn least(self) -> Least {
        match self {
            Self::Help | Self::Whoami | Self::Why => Least::Anybody,
            Self::Envs
            | Self::Status
            | Self::Queue
            | Self::Next
            | Self::On
            | Self::Handover
            | Self::Hours
            | Self::Show
            | Self::Log
            | Self::History
            | Self::Audit
            | Self::Who
            | Self::List
            | Self::Link
            | Self::Unlink => Least::Viewer,
            Self::Up
            | Self::Down
            | Self::Scale
            | Self::Plan
            | Self::Drift
            | Self::Adopt
            | Self::Sweep
            | Self::Preflight
            | Self::New
            | Self::Extend
            | Self::Undo
            | Self::Cancel
            | Self::Retry
            | Self::Accept
            | Self::Hold
            | Self::Unhold
            | Self::Keep
            | Self::Book
            | Self::Unbook
            | Self::Skip
            | Self::Pause
            | Self::Unpause
            | Self::Schedule
            | Self::Leave
            | Self::Ask
            | Self::Tell => Least::Operator,
            Self::Destroy | Self::End | Self::Renew | Self::Approve | Self::Reject | Self::Recover => Least::Owner,
            Self::Freeze | Self::Unfreeze | Self::Stop | Self::Resume | Self::Terraform => Least::Admin,
        }
    }
}

impl CommandName {
    /// True for what makes a run: where the audit has it as allowed, somebody ordered that run.
    #[must_use]
    pub fn orders(self) -> bool {
        // A yes lets begin what another asked for, and orders nothing by itself.
        matches!(self, Self::Plan | Self::Drift | Self::Sweep | Self::Preflight | Self::Renew)
            || (self.starts_change() && self != Self::Approve)
    }

    /// True for what only ends something that is under way or stands: it must be possible whatever the configuration says, or does not.
    #[must_use]
    pub fn only_ends(self) -> bool {
        matches!(self, Self::Cancel | Self::Reject | Self::Unhold | Self::Unbook | Self::Leave)
    }

    /// True for what needs nothing of an environment but to know who may do what in it: its roots may be broken.
    #[must_use]
    pub fn needs_no_roots(self) -> bool {
        self.only_reads()
            || self.only_ends()
            || matches!(
                self,
                Self::Hold | Self::Keep | Self::Ask | Self::Tell | Self::Skip | Self::Pause | Self::Unpause
            )
    }

    /// True for what lets a change begin: rules about when and how far changes go are held against it.
    #[must_use]
    pub fn starts_change(self) -> bool {
        match self {
            Self::Up
            | Self::Down
            | Self::Scale
            | Self::Adopt
            | Self::Terraform
            | Self::Destroy
            | Self::New
            | Self::End
            | Self::Undo
            | Self::Retry
            | Self::Approve => true,
            Self::Help
            | Self::Envs
            | Self::Status
            | Self::Plan
            | Self::Drift
            | Self::Sweep
            | Self::Preflight
            | Self::Extend
            | Self::List
            | Self::Renew
            | Self::Cancel
            | Self::Accept
            | Self::Reject
            | Self::Recover
            | Self::Hold
            | Self::Unhold
            | Self::Freeze
            | Self::Unfreeze
            | Self::Keep
            | Self::Book
            | Self::Unbook
            | Self::Skip
            | Self::Pause
            | Self::Unpause
            | Self::Queue
            | Self::Next
            | Self::Schedule
            | Self::On
            | Self::Handover
            | Self::Hours
            | Self::Leave
            | Self::Ask
            | Self::Tell
            | Self::Stop
            | Self::Resume
            | Self::Show
            | Self::Log
            | Self::History
            | Self::Audit
            | Self::Who
            | Self::Whoami
            | Self::Link
            | Self::Unlink
            | Self::Why => false,
        }
    }
}

/// A set of commands with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// The commands that it has, beside those that anybody has.
    pub may: BTreeSet<CommandName>,
    /// Where it is defined; `None` for one that is built in.
    pub written: Option<Written>,
}

impl Role {
    /// A role that is built in.
    #[must_use]
    pub fn built_in(least: Least) -> Arc<Self> {
        let may = CommandName::ALL.into_iter().filter(|command| command.least() <= least).collect();
        Arc::new(Self { name: least.as_str().to_owned(), may, written: None })
    }

    /// True when it has this command.
    #[must_use]
    pub fn has(&self, command: CommandName) -> bool {
        command.least() == Least::Anybody || self.may.contains(&command)
    }

    /// True when it is `other`, or has all that `other` has.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.name == other.name || self.may.is_superset(&other.may)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_the_document_is_that_of_the_roles() {
        let text = include_str!("../../../../docs/access.md");
        let own = |least: Least| {
            let all = CommandName::ALL.into_iter().filter(|command| command.least() == least);
            all.map(|command| format!("`{command}`")).collect::<Vec<_>>().join(", ")
        };
        for row in [
            format!("| `viewer` | what only reads, and what is about oneself: {} |", own(Least::Viewer)),
            format!("| `operator` | that, and {} |", own(Least::Operator)),
            format!("| `owner` | that, and {} |", own(Least::Owner)),
        ] {
            assert!(text.contains(&row), "not in docs/access.md:\n{row}");
        }
    }
}
