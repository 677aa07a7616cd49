//! What somebody may give Terraform to do by hand with one stack: which words, and what they mean. Everything else is refused.

use serde::{Deserialize, Serialize};

use super::changes::{Action, Change};
use super::ids::StackName;
use super::refusal::Refusal;

/// The step of a run in which Terraform is given a command by hand: `log RUN` tells it under this name.
pub const BY_HAND: &str = "hand";

/// Longest address or id, in bytes. Terraform has no such bound; a command line has.
const WORD_MAX: usize = 1_000;

/// A command for Terraform, and the stack that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// Which.
    pub stack: StackName,
    /// What.
    pub args: HandArgs,
}

/// What Terraform is to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case")]
pub enum HandArgs {
    /// `plan`, as people read it.
    Plan,
    /// `validate`
    Validate,
    /// `providers`
    Providers,
    /// `output`: all of them, so that secret ones stay hidden.
    Output,
    /// `show`, of the state.
    Show,
    /// `state list`
    StateList,
    /// `state show`
    StateShow {
        /// Of which resource.
        address: String,
    },
    /// `apply`, of a plan that is shown first.
    Apply {
        /// What is made anew.
        replace: Vec<String>,
        /// Only the state learns what exists.
        refresh_only: bool,
    },
    /// `import`
    Import {
        /// To which address.
        address: String,
        /// What, as its provider calls it.
        id: String,
    },
    /// `state mv`
    Move {
        /// From which address.
        from: String,
        /// To which.
        to: String,
    },
    /// `state rm`
    Forget {
        /// Which.
        addresses: Vec<String>,
    },
}

/// What follows `address` in the address of what it is, or of what lies in it.
fn under<'a>(has: &'a str, address: &str) -> Option<&'a str> {
    has.strip_prefix(address).filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Whether the id of such a resource is what is to be kept secret.
fn is_secret(address: &str) -> bool {
    address.rsplit_once("random_password.").is_some_and(|(before, _)| before.is_empty() || before.ends_with('.'))
}

impl HandArgs {
    /// Reads the words after `--`.
    ///
    /// # Errors
    /// Refuses whatever is not on the list, with what to do instead.
    pub fn read(words: &[String]) -> Result<Self, Refusal> {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if words.iter().any(|word| word.len() > WORD_MAX || word.chars().any(char::is_control)) {
            return Err(refused(
                "a word that Terraform is to be given is too long or has control characters in it",
                "no address or id has",
            ));
        }
        let none = |args: Self, rest: &[&str]| match rest {
            [] => Ok(args),
            [word, ..] => Err(not_taken(word)),
        };
        match words.as_slice() {
            ["plan", rest @ ..] => none(Self::Plan, rest),
            ["validate", rest @ ..] => none(Self::Validate, rest),
            ["providers", rest @ ..] => none(Self::Providers, rest),
            // A secret output is shown in clear where it is named.
            ["output", rest @ ..] => none(Self::Output, rest),
            ["show", rest @ ..] => none(Self::Show, rest),
            ["state", "list", rest @ ..] => none(Self::StateList, rest),
            ["state", "show", address] => Ok(Self::StateShow { address: plain(address)? }),
            ["apply", rest @ ..] => Self::read_apply(rest),
            ["import", address, _] if is_secret(address) => Err(refused(
                "the id of what is to be imported is itself a secret",
                "cards and audit would show it; import it where only you read",
            )),
            ["import", address, id] => Ok(Self::Import { address: plain(address)?, id: plain(id)? }),
            ["state", "mv", from, to] => Ok(Self::Move { from: plain(from)?, to: plain(to)? }),
            ["state", "rm", first, rest @ ..] => {
                let addresses = std::iter::once(first).chain(rest).map(|address| plain(address));
                Ok(Self::Forget { addresses: addresses.collect::<Result<_, _>>()? })
            }
            [] => Err(refused("nothing is said for Terraform to do", "the words for it come after `--`")),
            ["state", "show" | "mv" | "rm", ..] | ["import", ..] => {
                Err(refused(&format!("`{}` is not whole, or has too much", words.join(" ")), TAKEN))
            }
            [first, ..] => Err(not_taken(first)),
        }
    }

    fn read_apply(words: &[&str]) -> Result<Self, Refusal> {
        let (mut replace, mut refresh_only) = (Vec::new(), false);
        for word in words {
            match word.strip_prefix("-replace=") {
                Some(address) => replace.push(plain(address)?),
                None if *word == "-refresh-only" => refresh_only = true,
                None => return Err(not_taken(word)),
            }
        }
        if refresh_only && !replace.is_empty() {
            return Err(refused("`-refresh-only` and `-replace` do not go together", "the one changes only the state"));
        }
        Ok(Self::Apply { replace, refresh_only })
    }

    /// True for what changes nothing, neither what exists nor the state.
    #[must_use]
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Plan
            | Self::Validate
            | Self::Providers
            | Self::Output
            | Self::Show
            | Self::StateList
            | Self::StateShow { .. } => true,
            Self::Apply { .. } | Self::Import { .. } | Self::Move { .. } | Self::Forget { .. } => false,
        }
    }

    /// True for what takes variables, and so the level that the environment is to be at.
    #[must_use]
    pub fn takes_variables(&self) -> bool {
        matches!(self, Self::Plan | Self::Apply { .. } | Self::Import { .. })
    }

    /// What it does to the state alone, as a plan would say it.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let change =
            |address: &str, action, reason: Option<String>| Change { address: address.to_owned(), action, reason };
        match self {
            Self::Import { address, id } => vec![change(address, Action::Import, Some(format!("id {id}")))],
            Self::Move { from, to } => vec![change(to, Action::Move, Some(format!("from {from}")))],
            Self::Forget { addresses } => {
                addresses.iter().map(|address| change(address, Action::Forget, None)).collect()
            }
            Self::Plan
            | Self::Validate
            | Self::Providers
            | Self::Output
            | Self::Show
            | Self::StateList
            | Self::StateShow { .. }
            | Self::Apply { .. } => Vec::new(),
        }
    }

    /// [`Self::changes`], each of what a state has under an address by itself: `module.db` stands for all that lies in it.
    #[must_use]
    pub fn changes_in(&self, state: &[String]) -> Vec<Change> {
        let below = |address: &str| {
            let below: Vec<&str> = state.iter().filter_map(|has| under(has, address)).collect();
            // Terraform itself tells that there is none.
            if below.is_empty() { vec![""] } else { below }
        };
        let change = |address: String, action, reason: Option<String>| Change { address, action, reason };
        match self {
            Self::Move { from, to } => {
                let moved =
                    |rest: &str| change(format!("{to}{rest}"), Action::Move, Some(format!("from {from}{rest}")));
                below(from).into_iter().map(moved).collect()
            }
            Self::Forget { addresses } => {
                let forgotten = |address: &String| {
                    let one = |rest| change(format!("{address}{rest}"), Action::Forget, None);
                    below(address).into_iter().map(one).collect::<Vec<_>>()
                };
                addresses.iter().flat_map(forgotten).collect()
            }
            Self::Import { .. }
            | Self::Plan
            | Self::Validate
            | Self::Providers
            | Self::Output
            | Self::Show
            | Self::StateList
            | Self::StateShow { .. }
            | Self::Apply { .. } => self.changes(),
        }
    }

    /// Of one of its changes: the address that the state has no more after it, and the one in its place, where there is one.
    #[must_use]
    pub fn takes_away(&self, change: &Change) -> Option<(String, Option<String>)> {
        match (self, change.action) {
            (Self::Move { from, to }, Action::Move) => {
                let rest = change.address.strip_prefix(to.as_str())?;
                Some((format!("{from}{rest}"), Some(change.address.clone())))
            }
            (Self::Forget { .. }, Action::Forget) => Some((change.address.clone(), None)),
            (_, _) => None,
        }
    }

    /// Its words, as they are typed.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match self {
            Self::Plan => own(&["plan"]),
            Self::Validate => own(&["validate"]),
            Self::Providers => own(&["providers"]),
            Self::Output => own(&["output"]),
            Self::Show => own(&["show"]),
            Self::StateList => own(&["state", "list"]),
            Self::StateShow { address } => own(&["state", "show", address]),
            Self::Apply { replace, refresh_only } => {
                let mut words = own(&["apply"]);
                words.extend(refresh_only.then(|| "-refresh-only".to_owned()));
                words.extend(replace.iter().map(|address| format!("-replace={address}")));
                words
            }
            Self::Import { address, id } => own(&["import", address, id]),
            Self::Move { from, to } => own(&["state", "mv", from, to]),
            Self::Forget { addresses } => {
                let mut words = own(&["state", "rm"]);
                words.extend(addresses.iter().cloned());
                words
            }
        }
    }
}

impl std::fmt::Display for ByHand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} -- {}", self.stack, self.args.words().join(" "))
    }
}

const TAKEN: &str = "taken are `plan`, `output`, `show`, `state list`, `state show ADDRESS`, `providers`, `validate`; and `apply \
                     [-replace=ADDRESS] [-refresh-only]`, `import ADDRESS ID`, `state mv FROM TO`, `state rm ADDRESS ...`";

fn plain(word: &str) -> Result<String, Refusal> {
    if word.is_empty() || word.starts_with('-') {
        return Err(not_taken(word));
    }
    Ok(word.to_owned())
}

/// Why a word is not taken, where there is more to say than that it is not on the list.
fn not_taken(word: &str) -> Refusal {
    let flag = word.trim_start_matches('-');
    let flag = flag.split('=').next().unwrap_or(flag);
    let why = match (word.starts_with('-'), flag) {
        (true, "var" | "var-file") => {
            "variables come from the configuration: `up` and `scale` change them, and say who did"
        }
        (true, "target") => {
            "a plan of a part leaves the rest as it is not written anywhere; `-replace=ADDRESS` makes one resource anew"
        }
        (true, "auto-approve") => "what would be done is shown first, and done after a yes",
        (true, "lock" | "lock-timeout") => "the state is always locked, as long as the stack's `lock_timeout` says",
        (true, "json" | "raw") => "secrets would be shown in clear",
        (true, "state" | "state-out" | "backup" | "out" | "chdir") => {
            "the stack's own state is meant, and no other file"
        }
        (_, "destroy") => "whole environments are destroyed by `destroy ENV`, which heeds `protect`",
        (false, "init" | "workspace" | "get") => "Tidegate does that itself, before each command",
        (false, "force-unlock") => {
            "`recover RUN unlock` breaks the lock of a run that is known to be dead; of nobody else is that known, and docs/drift.md says \
             how it is broken by hand"
        }
        (false, "taint") => "`apply -replace=ADDRESS` makes a resource anew",
        (false, "refresh") => "`apply -refresh-only` shows first what the state would learn",
        _ => TAKEN,
    };
    let shown: String = word.chars().take(60).map(|c| if c == '`' { '\'' } else { c }).collect();
    refused(&format!("`{shown}` is not given to Terraform by hand"), why)
}

fn refused(what: &str, why: &str) -> Refusal {
    Refusal::not_understood(what, why).hint("help terraform")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<HandArgs, Refusal> {
        HandArgs::read(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_on_the_list_is_read_and_said_again_word_for_word() {
        for line in [
            "plan",
            "validate",
            "providers",
            "output",
            "show",
            "state list",
            "state show aws_instance.a[\"x\"]",
            "apply",
            "apply -replace=aws_instance.a -replace=aws_instance.b",
            "apply -refresh-only",
            "import aws_vpc.a vpc-1",
            "state mv a.b c.d",
            "state rm a.b a.c",
        ] {
            let args = read(line).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
            assert_eq!(args.words().join(" "), line);
            let text = serde_json::to_string(&args).expect("text");
            assert_eq!(serde_json::from_str::<HandArgs>(&text).expect("the same"), args);
            let looks = !["apply", "import", "state mv", "state rm"].iter().any(|word| line.starts_with(word));
            assert_eq!(args.only_looks(), looks, "{line}");
        }
    }

    #[test]
    fn an_address_stands_for_all_that_lies_in_it() {
        let state: Vec<String> =
            ["module.db.a.x[0]", "module.db.a.x[1]", "module.db2.a.x", "a.b"].map(str::to_owned).into();
        let told = |line: &str| {
            let args = read(line).expect("read");
            let changes = args.changes_in(&state);
            let taken = |change: &Change| match args.takes_away(change) {
                Some((from, Some(to))) => format!("{from} -> {to}"),
                Some((from, None)) => from,
                None => "nothing".to_owned(),
            };
            changes.iter().map(taken).collect::<Vec<_>>()
        };
        assert_eq!(told("state rm module.db a.b"), ["module.db.a.x[0]", "module.db.a.x[1]", "a.b"]);
        assert_eq!(told("state mv module.db.a.x a.y"), ["module.db.a.x[0] -> a.y[0]", "module.db.a.x[1] -> a.y[1]"]);
        // What is not there Terraform itself tells.
        assert_eq!(told("state rm a.c"), ["a.c"]);
        assert_eq!(told("import a.b i-1"), ["nothing"]);
    }

    #[test]
    fn what_is_not_on_the_list_is_refused_with_what_to_do_instead() {
        for (line, why) in [
            ("", "after `--`"),
            ("apply -auto-approve", "after a yes"),
            ("apply -var=a=b", "`up` and `scale`"),
            ("apply --var-file=x", "`up` and `scale`"),
            ("apply -target=a.b", "-replace"),
            ("apply -destroy", "destroy ENV"),
            ("apply plan.bin", "taken are"),
            ("apply -lock=false", "always locked"),
            ("destroy", "destroy ENV"),
            ("state pull", "taken are"),
            ("state push x", "taken are"),
            ("state rm", "taken are"),
            ("state rm -dry-run a.b", "taken are"),
            ("state mv -state=x a b", "taken are"),
            ("output password", "taken are"),
            ("output -json", "in clear"),
            ("show -json", "in clear"),
            ("import a.b -x", "taken are"),
            ("import module.a.random_password.db hunter2", "would show it"),
            ("apply -replace=-x", "taken are"),
            ("init -upgrade", "itself"),
            ("force-unlock 1", "recover RUN unlock"),
            ("console", "taken are"),
            ("apply -refresh-only -replace=a.b", "only the state"),
        ] {
            let refusal = read(line).expect_err(line);
            assert!(refusal.why.contains(why), "{line}: {}", refusal.why);
        }
        let odd = vec!["state".to_owned(), "show".to_owned(), "a\u{1b}[2J".to_owned()];
        assert!(HandArgs::read(&odd).is_err());
        assert!(read("apply -replace=").is_err());
    }
}
