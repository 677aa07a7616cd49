//! Where the lock of a remote state lies, as `init` noted the backend in Terraform's data folder.
//!
//! Source: Terraform's `internal/backend/remote-state/s3/client.go` and `backend_state.go`.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// A place in which a lock lies while somebody has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockPlace {
    /// An object in the states' bucket (`use_lockfile`).
    Object {
        /// The bucket's region.
        region: Option<String>,
        /// The bucket.
        bucket: String,
        /// The lock's key.
        key: String,
        /// The role that the backend takes on.
        role: Option<String>,
    },
    /// An item of a table (`dynamodb_table`).
    Item {
        /// The table's region.
        region: Option<String>,
        /// The table.
        table: String,
        /// Its `LockID`.
        id: String,
        /// The role that the backend takes on.
        role: Option<String>,
    },
}

#[derive(Deserialize)]
struct Initialised {
    backend: Backend,
}

#[derive(Deserialize)]
struct Backend {
    r#type: String,
    config: Value,
}

/// The region of the bucket that has the state, where its backend names one.
#[must_use]
pub fn backend_region(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(data_dir.join("terraform.tfstate")).ok()?;
    let Initialised { backend: Backend { r#type, config } } = serde_json::from_str(&text).ok()?;
    let region = config["region"].as_str().filter(|region| r#type == "s3" && !region.is_empty())?;
    Some(region.to_owned())
}

/// Where the state of this workspace is locked; none where the backend is another than `s3`, or locks nothing. `None` is the default one.
#[must_use]
pub fn lock_place(data_dir: &Path, workspace: Option<&str>) -> Vec<LockPlace> {
    let text = std::fs::read_to_string(data_dir.join("terraform.tfstate")).unwrap_or_default();
    let Ok(Initialised { backend: Backend { r#type, config } }) = serde_json::from_str(&text) else {
        return Vec::new();
    };
    if r#type != "s3" {
        return Vec::new();
    }
    let given = |name: &str| config[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (Some(bucket), Some(key)) = (given("bucket"), given("key")) else { return Vec::new() };
    let key = match workspace.filter(|name| *name != "default") {
        Some(name) => format!("{}/{name}/{key}", given("workspace_key_prefix").unwrap_or_else(|| "env:".to_owned())),
        None => key,
    };
    let region = given("region");
    let role = config["assume_role"]["role_arn"].as_str().or_else(|| config["role_arn"].as_str());
    let role = role.filter(|role| !role.is_empty()).map(str::to_owned);
    let mut places = Vec::new();
    if config["use_lockfile"].as_bool() == Some(true) {
        let (region, bucket, role) = (region.clone(), bucket.clone(), role.clone());
        places.push(LockPlace::Object { region, bucket, key: format!("{key}.tflock"), role });
    }
    if let Some(table) = given("dynamodb_table") {
        places.push(LockPlace::Item { region, table, id: format!("{bucket}/{key}"), role });
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_lies_beside_its_state_or_in_its_table() {
        let data = tempfile::tempdir().expect("a folder");
        let noted = |text: &str| std::fs::write(data.path().join("terraform.tfstate"), text).expect("written");
        assert_eq!(lock_place(data.path(), None), []);
        noted(
            r#"{"backend":{"type":"s3","config":{"bucket":"b","key":"a/x.tfstate","region":"eu-west-1","use_lockfile":true,
               "dynamodb_table":"locks","assume_role":{"role_arn":"arn:r"}}}}"#,
        );
        assert_eq!(backend_region(data.path()).as_deref(), Some("eu-west-1"));
        let (region, role) = (Some("eu-west-1".to_owned()), Some("arn:r".to_owned()));
        let object = |key: &str| LockPlace::Object {
            region: region.clone(),
            bucket: "b".to_owned(),
            key: key.to_owned(),
            role: role.clone(),
        };
        let item = |id: &str| LockPlace::Item {
            region: region.clone(),
            table: "locks".to_owned(),
            id: id.to_owned(),
            role: role.clone(),
        };
        assert_eq!(lock_place(data.path(), None), [object("a/x.tfstate.tflock"), item("b/a/x.tfstate")]);
        assert_eq!(
            lock_place(data.path(), Some("blue")),
            [object("env:/blue/a/x.tfstate.tflock"), item("b/env:/blue/a/x.tfstate")]
        );
        noted(r#"{"backend":{"type":"local","config":{"path":"x"}}}"#);
        assert_eq!((lock_place(data.path(), None), backend_region(data.path())), (Vec::new(), None));
    }
}
