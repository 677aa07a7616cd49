//! Local state stays where Terraform started by hand in the original folder would put it, though Tidegate runs it
//! elsewhere: both see the same state and the same lock, and nothing is lost with a checkout. Remote backends are left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::problem::Problem;
use crate::root::{self, Folder, LocalState};

/// The file that gives a root without a backend block one. Terraform merges `*_override.tf` over the rest.
pub const OVERRIDE_FILE: &str = "tidegate_backend_override.tf";

/// How a stack's state is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Type as Terraform names it: `local`, `s3`; `cloud` for a `cloud` block.
    pub kind: String,
    /// All arguments for `-backend-config=NAME=VALUE`: the configured ones and, for a local state, ours.
    pub arguments: BTreeMap<String, String>,
    /// The state file of the default workspace; `None` for a remote backend.
    pub state: Option<PathBuf>,
}

/// Reads which backend the root in a checkout declares and fixes a local one to `home` (see
/// [`super::state_home`]; absolute), writing [`OVERRIDE_FILE`] into the checkout where there is no backend block. Idempotent.
///
/// # Errors
/// [`SourceError::Backend`] when the file that declares it cannot be read, [`SourceError::Io`] when the disk refuses.
pub fn settle(root: &Folder, home: &Path, configured: &BTreeMap<String, String>) -> Result<Backend, SourceError> {
    let declared = root.backend(OVERRIDE_FILE)?;
    let override_file = root.path.join(OVERRIDE_FILE);
    let local = root::Backend::local_state(declared.as_ref(), configured, home).map_err(|(name, at)| Problem {
        line: at.line,
        ..Problem::of_file(at.file, format!("the backend's `{name}` is not a plain text"))
    })?;
    let Some(LocalState { file: state, workspaces }) = local else {
        remove(&override_file)?;
        let kind = declared.map(|backend| backend.kind).unwrap_or_default();
        return Ok(Backend { kind, arguments: configured.clone(), state: None });
    };
    let mut arguments = configured.clone();
    let (state_text, workspaces_text) = (text(&state)?, text(&workspaces)?);
    if declared.is_some() {
        remove(&override_file)?;
        arguments.insert("path".to_owned(), state_text);
        arguments.insert("workspace_dir".to_owned(), workspaces_text);
    } else {
        arguments.remove("path");
        arguments.remove("workspace_dir");
        let hcl = format!(
            "# Written by Tidegate: local state stays where Terraform by hand would put it.\n\
             terraform {{\n  backend \"local\" {{\n    path          = {}\n    workspace_dir = {}\n  }}\n}}\n",
            quoted(&state_text),
            quoted(&workspaces_text),
        );
        if fs::read_to_string(&override_file).ok().as_deref() != Some(hcl.as_str()) {
            fs::write(&override_file, hcl).map_err(SourceError::io("write", &override_file))?;
        }
    }
    Ok(Backend { kind: "local".to_owned(), arguments, state: Some(state) })
}

/// The settings as a file that `-backend-config` takes, and those that only Terraform can read: a text that is written as a list or
/// map may be one, or a text after all, and only Terraform knows the backend's types. `secret` names settings that are in the
/// file in any case.
#[must_use]
pub fn settings(all: &BTreeMap<String, String>, secret: &BTreeSet<String>) -> (String, Vec<String>) {
    let structured = |value: &str| value.starts_with(['[', '{']) && value.parse::<hcl_edit::expr::Expression>().is_ok();
    let (others, texts): (Vec<_>, Vec<_>) =
        all.iter().partition(|(name, value)| structured(value) && !secret.contains(*name));
    let file = texts.into_iter().map(|(name, value)| format!("{name} = {}\n", quoted(value))).collect();
    (file, others.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
}

fn text(path: &Path) -> Result<String, SourceError> {
    path.to_str().map(str::to_owned).ok_or_else(|| SourceError::NotUnicode(path.to_owned()))
}

/// A quoted template that means exactly `text`. Source: HCL native syntax specification, "Template Expressions".
fn quoted(text: &str) -> String {
    let mut hcl = String::with_capacity(text.len() + 2);
    hcl.push('"');
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '"' => hcl.push_str("\\\""),
            '\\' => hcl.push_str("\\\\"),
            '\n' => hcl.push_str("\\n"),
            '\r' => hcl.push_str("\\r"),
            '\t' => hcl.push_str("\\t"),
            '$' | '%' if rest.peek() == Some(&'{') => hcl.extend([character, character]),
            other => hcl.push(other),
        }
    }
    hcl.push('"');
    hcl
}

fn remove(path: &Path) -> Result<(), SourceError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SourceError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use hcl_edit::structure::Body;

    use super::*;

    const HOME: &str = "/srv/roots/app";

    fn settled(
        files: &[(&str, &str)],
        configured: &[(&str, &str)],
    ) -> (tempfile::TempDir, Result<Backend, SourceError>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(root.path().join(name), text).unwrap();
        }
        let configured = configured.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let backend = settle(&Folder::list(root.path()).unwrap(), Path::new(HOME), &configured);
        (root, backend)
    }

    fn state(files: &[(&str, &str)], configured: &[(&str, &str)]) -> String {
        settled(files, configured).1.unwrap().state.unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_root_without_a_backend_gets_one_where_its_state_already_is() {
        let (root, backend) = settled(&[("main.tf", "output \"x\" { value = \"backend cloud\" }\n")], &[]);
        let backend = backend.unwrap();
        assert_eq!(backend.state, Some(PathBuf::from("/srv/roots/app/terraform.tfstate")));
        assert!(backend.arguments.is_empty());
        let text = fs::read_to_string(root.path().join(OVERRIDE_FILE)).unwrap();
        assert!(text.contains("path          = \"/srv/roots/app/terraform.tfstate\""), "{text}");
        assert!(text.contains("workspace_dir = \"/srv/roots/app/terraform.tfstate.d\""), "{text}");
        let again = settle(&Folder::list(root.path()).unwrap(), Path::new(HOME), &BTreeMap::new()).unwrap();
        assert_eq!(again, backend);
    }

    #[test]
    fn a_local_backend_keeps_its_own_path_unless_the_configuration_gives_another() {
        let block = "terraform {\n  backend \"local\" {\n    path = \"../states/app.tfstate\"\n  }\n}\n";
        assert_eq!(state(&[("main.tf", block)], &[]), "/srv/roots/app/../states/app.tfstate");
        assert_eq!(state(&[("main.tf", block)], &[("path", "/elsewhere")]), "/elsewhere");
        assert_eq!(state(&[("main.tf", block)], &[("path", "here.tfstate")]), "/srv/roots/app/here.tfstate");
        let (root, backend) = settled(&[("main.tf", block)], &[]);
        let arguments = backend.unwrap().arguments;
        assert_eq!(arguments["path"], "/srv/roots/app/../states/app.tfstate");
        assert_eq!(arguments["workspace_dir"], "/srv/roots/app/terraform.tfstate.d");
        assert!(!root.path().join(OVERRIDE_FILE).exists());
    }

    #[test]
    fn json_roots_and_override_files_are_read_too() {
        let json = r#"{"terraform": [{"backend": {"local": [{"path": "j.tfstate"}]}}]}"#;
        assert_eq!(state(&[("main.tf.json", json)], &[]), "/srv/roots/app/j.tfstate");
        let s3 = "terraform {\n  backend \"s3\" {}\n}\n";
        let local = "terraform {\n  backend \"local\" {}\n}\n";
        assert_eq!(state(&[("z.tf", s3), ("a_override.tf", local)], &[]), "/srv/roots/app/terraform.tfstate");
        let (_root, backend) = settled(&[("z.tf", local), ("override.tf", s3)], &[]);
        assert_eq!(backend.unwrap().kind, "s3");
    }

    #[test]
    fn remote_backends_are_left_alone() {
        let (root, backend) = settled(&[("main.tf", "terraform {\n  backend \"s3\" {}\n}\n")], &[("bucket", "b")]);
        let backend = backend.unwrap();
        assert_eq!((backend.kind.as_str(), backend.state), ("s3", None));
        assert_eq!(backend.arguments, [("bucket".to_owned(), "b".to_owned())].into());
        assert!(!root.path().join(OVERRIDE_FILE).exists());
        let (_root, backend) = settled(&[("main.tf", "terraform {\n  cloud {}\n}\n")], &[]);
        assert_eq!(backend.unwrap().kind, "cloud");
        let (_root, backend) = settled(&[("m.tf.json", r#"{"terraform": {"cloud": {}}}"#)], &[]);
        assert_eq!(backend.unwrap().kind, "cloud");
    }

    #[test]
    fn a_backend_that_cannot_be_read_is_never_taken_for_none() {
        let (root, backend) = settled(&[("main.tf", "terraform {\n  backend \"s3\" {\n}\n")], &[]);
        let error = backend.unwrap_err();
        assert!(matches!(&error, SourceError::Backend { file, line, .. } if file == "main.tf" && *line > 0), "{error}");
        assert!(!root.path().join(OVERRIDE_FILE).exists());
        let variable = "terraform {\n  backend \"local\" {\n    path = var.path\n  }\n}\n";
        let (_root, backend) = settled(&[("main.tf", variable)], &[]);
        assert!(matches!(backend, Err(SourceError::Backend { line: 3, .. })), "{backend:?}");
        let (_root, backend) = settled(&[("main.tf.json", "{\"terraform\": {\"backend\"")], &[]);
        assert!(matches!(backend, Err(SourceError::Backend { line: 1, .. })), "{backend:?}");
        // A syntax error elsewhere is Terraform's to tell.
        assert_eq!(state(&[("broken.tf", "resource {{{")], &[]), "/srv/roots/app/terraform.tfstate");
    }

    #[test]
    fn settings_go_into_a_file_but_for_lists_that_only_terraform_can_read() {
        let all = [("key", "a=\"${b}\""), ("encrypt", "true"), ("ids", "[\"1\"]"), ("token", "[1]"), ("odd", "[1")];
        let all = all.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let (file, others) = settings(&all, &BTreeSet::from(["token".to_owned()]));
        assert_eq!(file, "encrypt = \"true\"\nkey = \"a=\\\"$${b}\\\"\"\nodd = \"[1\"\ntoken = \"[1]\"\n");
        assert_eq!(others, ["ids=[\"1\"]"]);
        assert!(file.parse::<Body>().is_ok());
    }

    #[test]
    fn a_path_is_quoted_so_that_it_means_itself() {
        assert_eq!(quoted(r#"a"b\c${d}%{e}$f 日本"#), r#""a\"b\\c$${d}%%{e}$f 日本""#);
        let body: Body = format!("x = {}\n", quoted("a\"b\\c\nd\te$ % 日本")).parse().unwrap();
        assert_eq!(body.get_attribute("x").unwrap().value.as_str(), Some("a\"b\\c\nd\te$ % 日本"));
    }
}
