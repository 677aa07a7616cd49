//! Whether the secrets of a stack can be read where the configuration says that they are. They are not read: a command may ask
//! somebody, or count.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path as FilePath;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::quoted;
use super::CheckOptions;
use crate::domain::environment::Stack;
use crate::domain::secret::{Given, Origin};

/// Warns of what will be missing when a run needs it. No errors: it may be there by then.
pub(super) fn check(stack: &Stack, options: &CheckOptions<'_>, at: &Path<'_>, findings: &mut Findings<'_, '_>) {
    for (section, given) in [("env", &stack.env), ("backend", &stack.backend)] {
        for (name, source) in given.iter().filter_map(|(name, given)| Some((name, Given::source(given)?))) {
            let Some((message, hint)) = wrong(&source.origin, options) else { continue };
            findings.warn_at_value(&at.key(section).key(name), message, Some(hint));
        }
    }
}

fn wrong(origin: &Origin, options: &CheckOptions<'_>) -> Option<(String, String)> {
    match origin {
        Origin::Env(name) => {
            let is_set = options.is_set?;
            let hint = "set it where Tidegate is started";
            (!is_set(name)).then(|| (format!("the environment variable {} is not set", quoted(name)), hint.to_owned()))
        }
        Origin::File(path) => {
            let shown = quoted(&path.to_string_lossy());
            match std::fs::metadata(path) {
                Err(error) => Some((format!("{shown} cannot be read: {error}"), "write the secret into it".to_owned())),
                Ok(found) if found.permissions().mode() & 0o077 != 0 => {
                    let message = format!("{shown} holds a secret and can be read by others than its owner");
                    Some((message, format!("chmod 600 {}", path.display())))
                }
                Ok(_) => None,
            }
        }
        Origin::Command { argv, .. } => {
            let program = argv.first()?;
            let file = FilePath::new(program);
            if file.is_absolute() {
                let hint = "write its path".to_owned();
                return (!file.is_file()).then(|| (format!("there is no program {}", quoted(program)), hint));
            }
            let missing = options.has_program.is_some_and(|has| !has(program));
            missing.then(|| {
                let what = format!("the program {} is not on the PATH", quoted(program));
                (what, "install it, or write its path".to_owned())
            })
        }
    }
}
