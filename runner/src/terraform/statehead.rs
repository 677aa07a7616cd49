//! What stands at the head of a Terraform state: which state it is, and how often it was written. Never what is in it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zip::ZipArchive;

/// Most bytes of a state that are read: its head stands at its beginning, its secrets after that.
const HEAD_MAX: u64 = 4_096;

/// The head of a Terraform state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateHead {
    /// One more each time that it is written with something new in it; `None` where it cannot be told.
    pub serial: Option<u64>,
    /// Given to a state when it is first written, and kept for good, also when everything in it is destroyed; `None` where there is
    /// no state.
    pub lineage: Option<String>,
}

impl StateHead {
    /// Of the state that a saved plan was made against. Nothing can be told of OpenTofu's encrypted plans.
    ///
    /// A plan is a ZIP file in which `tfstate` is that state. Source: Terraform's `internal/plans/planfile/writer.go`.
    #[must_use]
    pub fn of_plan(plan: &Path) -> Self {
        let read = || Self::read(ZipArchive::new(File::open(plan).ok()?).ok()?.by_name("tfstate").ok()?);
        read().unwrap_or_default()
    }

    /// Of a state in a file.
    #[must_use]
    pub fn of_file(state: &Path) -> Self {
        let read = || Self::read(File::open(state).ok()?);
        read().unwrap_or_default()
    }

    /// Of a state as `terraform state pull` prints it.
    #[must_use]
    pub fn of_text(state: &[u8]) -> Self {
        Self::read(state).unwrap_or_default()
    }

    fn read(state: impl Read) -> Option<Self> {
        let mut head = Vec::new();
        state.take(HEAD_MAX).read_to_end(&mut head).ok()?;
        Some(Self::parse(&String::from_utf8_lossy(&head)))
    }

    /// Source: Terraform's `internal/states/statefile/version4.go`, which writes the two one after the other, before all else that
    /// could hold such words.
    fn parse(head: &str) -> Self {
        let Some((_, after)) = head.split_once("\"serial\":") else { return Self::default() };
        let after = after.trim_start();
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (digits, after) = after.split_at(digits);
        let lineage =
            after.trim_start().strip_prefix(',').and_then(|after| after.trim_start().strip_prefix("\"lineage\":"));
        let lineage =
            lineage.and_then(|after| serde_json::Deserializer::from_str(after).into_iter::<String>().next()?.ok());
        Self { serial: digits.parse().ok(), lineage: lineage.filter(|lineage| !lineage.is_empty()) }
    }
}

#[derive(Deserialize)]
struct Initialised {
    backend: Backend,
}

#[derive(Deserialize)]
struct Backend {
    r#type: String,
    config: LocalConfig,
}

/// Of other backends than `local` nothing of it is there, or it means something else.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LocalConfig {
    path: Option<serde_json::Value>,
    workspace_dir: Option<serde_json::Value>,
}

/// The file of a local state, as `init` noted it in Terraform's data folder; `None` where the state is elsewhere. `root` is where
/// Terraform is started; `workspace` the one selected, `None` for the default one.
///
/// Source: Terraform's `internal/backend/local/backend.go`, `StatePaths`.
#[must_use]
pub fn local_state(data_dir: &Path, root: &Path, workspace: Option<&str>) -> Option<PathBuf> {
    let text = std::fs::read_to_string(data_dir.join("terraform.tfstate")).ok()?;
    let Initialised { backend: Backend { r#type, config } } = serde_json::from_str(&text).ok()?;
    if r#type != "local" {
        return None;
    }
    let given = |value: Option<serde_json::Value>, usual: &str| {
        root.join(value.as_ref().and_then(serde_json::Value::as_str).filter(|path| !path.is_empty()).unwrap_or(usual))
    };
    Some(match workspace.filter(|name| *name != "default") {
        Some(name) => given(config.workspace_dir, "terraform.tfstate.d").join(name).join("terraform.tfstate"),
        None => given(config.path, "terraform.tfstate"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_serial_and_lineage_and_never_what_comes_after() {
        let head = |serial, lineage: Option<&str>| StateHead { serial, lineage: lineage.map(str::to_owned) };
        let text = |serial: &str, lineage: &str| {
            format!("{{\n  \"version\": 4,\n  \"serial\": {serial},\n  \"lineage\": \"{lineage}\",\n  \"outputs\": {{")
        };
        assert_eq!(StateHead::parse(&text("12", "29b1-a")), head(Some(12), Some("29b1-a")));
        assert_eq!(StateHead::parse(&text("0", "")), head(Some(0), None));
        assert_eq!(StateHead::parse(r#"{"version":4,"serial":3,"lineage":"x"}"#), head(Some(3), Some("x")));
        assert_eq!(StateHead::parse(r#"{"serial":3,"outputs":{"lineage":"x"}}"#), head(Some(3), None));
        assert_eq!(StateHead::parse(r#"{"serial":3,"lineage":"x"#), head(Some(3), None));
        assert_eq!(StateHead::parse(""), head(None, None));
        assert_eq!(StateHead::of_file(Path::new("not/there")), head(None, None));
    }

    #[test]
    fn a_local_state_is_found_where_init_noted_it() {
        let data = tempfile::tempdir().expect("a folder");
        let noted = |text: &str| std::fs::write(data.path().join("terraform.tfstate"), text).expect("written");
        let found = |workspace| local_state(data.path(), Path::new("/stack"), workspace);
        assert_eq!(found(None), None);
        noted(
            r#"{"version":3,"backend":{"type":"local","config":{"path":"/a/b.tfstate","workspace_dir":null},"hash":1}}"#,
        );
        assert_eq!(found(None), Some("/a/b.tfstate".into()));
        assert_eq!(found(Some("blue")), Some("/stack/terraform.tfstate.d/blue/terraform.tfstate".into()));
        noted(r#"{"version":3,"backend":{"type":"s3","config":{"path":"/a/b.tfstate"},"hash":1}}"#);
        assert_eq!(found(None), None);
    }
}
