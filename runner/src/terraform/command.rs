//! The arguments of each subcommand, each built in one function. Variables never go on the command line: everybody on the
//! machine can read it, and an undeclared one would be an error there.

use std::ffi::OsString;
use std::path::Path;

use crate::domain::by_hand::HandArgs;

/// What `init` is told.
#[derive(Debug, Clone, Copy)]
pub struct InitArgs<'a> {
    /// File with the backend's settings: they may be secret, and everybody on the machine can read a command line. Its path must
    /// hold no `=`, or Terraform takes it for a setting.
    pub backend_file: Option<&'a Path>,
    /// Backend settings that only Terraform can read, each `key=value`: lists and maps. None of them is secret.
    pub backend_config: &'a [String],
    /// Messages as JSON: not every version can, see [`super::Version::init_speaks_json`].
    pub json: bool,
}

/// `init`. Never with `-reconfigure` or `-migrate-state`: with a changed backend the one would plan as if nothing existed and
/// the other would move a state; Terraform's own error leaves that to people.
#[must_use]
pub fn init(told: &InitArgs<'_>) -> Vec<OsString> {
    let mut argv = words(&["init", "-input=false", "-no-color"]);
    if told.json {
        argv.push("-json".into());
    }
    argv.extend(told.backend_file.map(|file| option("-backend-config=", file)));
    argv.extend(told.backend_config.iter().map(|setting| OsString::from(format!("-backend-config={setting}"))));
    argv
}

/// Terraform colours what it tells people into a pipe, too, and takes this anywhere. Source: `process` in its `internal/command/meta.go`.
const NO_COLOUR: &str = "-no-color";

fn uncoloured(mut argv: Vec<OsString>) -> Vec<OsString> {
    argv.push(NO_COLOUR.into());
    argv
}

/// `workspace select`; with `makes`, the workspace is made where there is none (Terraform 1.4).
#[must_use]
pub fn workspace_select(name: &str, makes: bool) -> Vec<OsString> {
    let argv =
        if makes { words(&["workspace", "select", "-or-create", name]) } else { words(&["workspace", "select", name]) };
    uncoloured(argv)
}

/// `workspace list`: each in a line, a star before the one that is selected.
#[must_use]
pub fn workspace_list() -> Vec<OsString> {
    uncoloured(words(&["workspace", "list"]))
}

/// `workspace delete`: refused by Terraform where something is left in it.
#[must_use]
pub fn workspace_delete(name: &str, lock_timeout_s: u32) -> Vec<OsString> {
    let mut argv = words(&["workspace", "delete"]);
    argv.push(format!("-lock-timeout={lock_timeout_s}s").into());
    argv.push(name.into());
    uncoloured(argv)
}

/// What `plan` is told.
#[derive(Debug, Clone, Copy)]
pub struct PlanArgs<'a> {
    /// Where the plan is saved.
    pub out: &'a Path,
    /// Variables, as JSON.
    pub var_file: &'a Path,
    /// How long the state lock is waited for, in seconds.
    pub lock_timeout_s: u32,
    /// Plan to destroy everything.
    pub destroy: bool,
    /// Only look what others changed.
    pub refresh_only: bool,
    /// Addresses that are to be replaced where the state has them.
    pub replace: &'a [String],
    /// Resources read at the same time; `None` means Terraform's default.
    pub parallelism: Option<u32>,
}

/// `plan`, saved and told as JSON.
#[must_use]
pub fn plan(told: &PlanArgs<'_>) -> Vec<OsString> {
    let mut argv = words(&["plan", "-json", "-input=false"]);
    argv.push(option("-out=", told.out));
    argv.push(option("-var-file=", told.var_file));
    argv.push(format!("-lock-timeout={}s", told.lock_timeout_s).into());
    if told.destroy {
        argv.push("-destroy".into());
    } else if told.refresh_only {
        argv.push("-refresh-only".into());
    } else {
        // Terraform refuses both at once, and what is destroyed needs not be made again.
        argv.extend(told.replace.iter().map(|address| OsString::from(format!("-replace={address}"))));
    }
    argv.extend(told.parallelism.map(|count| format!("-parallelism={count}").into()));
    argv
}

/// The same plan without taking the state lock, for one that is only looked at: nobody at work is kept waiting for it.
#[must_use]
pub fn without_lock(mut plan: Vec<OsString>) -> Vec<OsString> {
    plan.push("-lock=false".into());
    plan
}

/// `apply` of a saved plan. `lock_timeout_s`: how long the state lock is waited for, in seconds. `parallelism`: resources changed
/// at the same time.
#[must_use]
pub fn apply(plan: &Path, lock_timeout_s: u32, parallelism: Option<u32>) -> Vec<OsString> {
    let mut argv = words(&["apply", "-json", "-input=false"]);
    argv.push(format!("-lock-timeout={lock_timeout_s}s").into());
    argv.extend(parallelism.map(|count| format!("-parallelism={count}").into()));
    argv.push(plan.into());
    argv
}

/// `validate`, told as one JSON document.
#[must_use]
pub fn validate() -> Vec<OsString> {
    words(&["validate", "-json"])
}

/// `version`, told as one JSON document.
#[must_use]
pub fn version() -> Vec<OsString> {
    words(&["version", "-json"])
}

/// `show` of a saved plan with values before and after, as one JSON document. It holds secrets in clear.
#[must_use]
pub fn show(plan: &Path) -> Vec<OsString> {
    let mut argv = words(&["show", "-json"]);
    argv.push(plan.into());
    argv
}

/// `force-unlock` of the lock with this id.
#[must_use]
pub fn force_unlock(id: &str) -> Vec<OsString> {
    uncoloured(words(&["force-unlock", "-force", id]))
}

/// `untaint` of the resource at this address. `lock_timeout_s`: how long the state lock is waited for, in seconds.
#[must_use]
pub fn untaint(address: &str, lock_timeout_s: u32) -> Vec<OsString> {
    let timeout = format!("-lock-timeout={lock_timeout_s}s");
    words(&["untaint", &timeout, NO_COLOUR, "--", address])
}

/// `state push` of the state in this file. `lock_timeout_s`: how long the state lock is waited for, in seconds.
#[must_use]
pub fn state_push(file: &str, lock_timeout_s: u32) -> Vec<OsString> {
    uncoloured(words(&["state", "push", &format!("-lock-timeout={lock_timeout_s}s"), file]))
}

/// `state pull`: the state as one JSON document. It holds secrets in clear.
#[must_use]
pub fn state_pull() -> Vec<OsString> {
    uncoloured(words(&["state", "pull"]))
}

/// What somebody gives it by hand, word for word, as people read it and without a question: nobody could answer. `lock_timeout_s`: how long the
/// state lock is waited for, in seconds. What `apply` does is planned and applied as any change is, by [`plan`] and [`apply`].
#[must_use]
pub fn by_hand(args: &HandArgs, var_file: &Path, lock_timeout_s: u32) -> Vec<OsString> {
    let lock = format!("-lock-timeout={lock_timeout_s}s");
    let with_variables = |own: &[&str]| {
        let mut line = words(own);
        line.extend([OsString::from(&lock), option("-var-file=", var_file)]);
        line
    };
    let addressed = |own: &[&str], those: &[&str]| {
        let mut line = words(own);
        line.push("--".into());
        line.extend(words(those));
        line
    };
    match args {
        HandArgs::Plan | HandArgs::Apply { .. } => with_variables(&["plan", "-input=false", "-no-color"]),
        HandArgs::Validate => words(&["validate", "-no-color"]),
        HandArgs::Providers => words(&["providers"]),
        HandArgs::Output => words(&["output", "-no-color"]),
        HandArgs::Show => words(&["show", "-no-color"]),
        HandArgs::StateList => words(&["state", "list"]),
        HandArgs::StateShow { address } => addressed(&["state", "show", "-no-color"], &[address]),
        HandArgs::Import { address, id } => {
            let mut line = with_variables(&["import", "-input=false", "-no-color"]);
            line.extend(words(&["--", address, id]));
            line
        }
        HandArgs::Move { from, to } => addressed(&["state", "mv", "-no-color", &lock], &[from, to]),
        HandArgs::Forget { addresses } => {
            let gone: Vec<&str> = addresses.iter().map(String::as_str).collect();
            addressed(&["state", "rm", "-no-color", &lock], &gone)
        }
    }
}

fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// `name` and a path that need not be UTF-8, as one argument.
fn option(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(path);
    argument
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(argv: &[OsString]) -> String {
        argv.iter().map(|argument| argument.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_subcommand_has_exactly_these_arguments() {
        let lines = [
            init(&InitArgs { backend_file: None, backend_config: &[], json: false }),
            init(&InitArgs {
                backend_file: Some(Path::new("a b.tfbackend")),
                backend_config: &["ids=[1]".to_owned()],
                json: true,
            }),
            workspace_select("shop", true),
            workspace_select("shop", false),
            plan(&PlanArgs {
                out: Path::new("p"),
                var_file: Path::new("v.json"),
                lock_timeout_s: 5,
                destroy: false,
                refresh_only: false,
                replace: &["a.b[0]".to_owned()],
                parallelism: None,
            }),
            plan(&PlanArgs {
                out: Path::new("p"),
                var_file: Path::new("v.json"),
                lock_timeout_s: 0,
                destroy: true,
                refresh_only: false,
                replace: &["a.b".to_owned()],
                parallelism: Some(2),
            }),
            plan(&PlanArgs {
                out: Path::new("p"),
                var_file: Path::new("v.json"),
                lock_timeout_s: 0,
                destroy: false,
                refresh_only: true,
                replace: &["a.b".to_owned()],
                parallelism: None,
            }),
            apply(Path::new("p"), 30, Some(4)),
            validate(),
            version(),
            show(Path::new("p")),
            force_unlock("fd11"),
            untaint("a.b[0]", 30),
            state_push("errored.tfstate", 30),
            state_pull(),
            by_hand(&HandArgs::Plan, Path::new("v.json"), 0),
            by_hand(&HandArgs::StateShow { address: "a.b".to_owned() }, Path::new("v.json"), 0),
            by_hand(&HandArgs::Import { address: "a.b".to_owned(), id: "i 1".to_owned() }, Path::new("v.json"), 5),
            by_hand(&HandArgs::Move { from: "a.b".to_owned(), to: "a.c".to_owned() }, Path::new("v.json"), 5),
            by_hand(&HandArgs::Forget { addresses: vec!["a.b".to_owned(), "a.c".to_owned()] }, Path::new("v.json"), 5),
        ];
        insta::assert_snapshot!(lines.map(|argv| shown(&argv)).join("\n"), @r"
        init -input=false -no-color
        init -input=false -no-color -json -backend-config=a b.tfbackend -backend-config=ids=[1]
        workspace select -or-create shop -no-color
        workspace select shop -no-color
        plan -json -input=false -out=p -var-file=v.json -lock-timeout=5s -replace=a.b[0]
        plan -json -input=false -out=p -var-file=v.json -lock-timeout=0s -destroy -parallelism=2
        plan -json -input=false -out=p -var-file=v.json -lock-timeout=0s -refresh-only
        apply -json -input=false -lock-timeout=30s -parallelism=4 p
        validate -json
        version -json
        show -json p
        force-unlock -force fd11 -no-color
        untaint -lock-timeout=30s -no-color -- a.b[0]
        state push -lock-timeout=30s errored.tfstate -no-color
        state pull -no-color
        plan -input=false -no-color -lock-timeout=0s -var-file=v.json
        state show -no-color -- a.b
        import -input=false -no-color -lock-timeout=5s -var-file=v.json -- a.b i 1
        state mv -no-color -lock-timeout=5s -- a.b a.c
        state rm -no-color -lock-timeout=5s -- a.b a.c
        ");
    }
}
