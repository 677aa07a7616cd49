//! The local modules that a root uses, directly or through others: folders whose change is a change of the root's code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hcl_edit::structure::Body;

/// The root itself and every local module that it reaches (`source = "./..."` or `"../..."`), as existing folders with no
/// `..` in them. Files that cannot be parsed are passed over: Terraform will say what is wrong with them.
pub(super) fn folders_of(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(folder) = folder.canonicalize() else { continue };
        if !folder.is_dir() || !found.insert(folder.clone()) {
            continue;
        }
        open.extend(sources_in(&folder).into_iter().map(|source| folder.join(source)));
    }
    found
}

fn sources_in(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for path in terraform_files(folder) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if !text.contains("module") {
            continue;
        }
        if is_json(&path) {
            let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
            sources_in_json(&json, &mut sources);
        } else if let Ok(body) = text.parse::<Body>() {
            let modules = body.get_blocks("module");
            sources.extend(modules.filter_map(|m| Some(m.body.get_attribute("source")?.value.as_str()?.to_owned())));
        }
    }
    sources.retain(|source| source.starts_with("./") || source.starts_with("../"));
    sources
}

/// `{"module": {"name": {"source": "..."}}}`, where any level may also be a list of such objects.
fn sources_in_json(json: &serde_json::Value, sources: &mut Vec<String>) {
    let modules = objects(json).filter_map(|top| top.get("module"));
    for calls in modules.flat_map(objects) {
        for call in calls.values().flat_map(objects) {
            sources.extend(call.get("source").and_then(|s| s.as_str()).map(str::to_owned));
        }
    }
}

/// The objects that a block of Terraform's JSON syntax stands for: itself, or each of a list.
pub(super) fn objects(
    value: &serde_json::Value,
) -> impl Iterator<Item = &serde_json::Map<String, serde_json::Value>> + use<'_> {
    let several = value.as_array().into_iter().flatten();
    value.as_object().into_iter().chain(several.filter_map(serde_json::Value::as_object))
}

/// The files that Terraform reads in a folder, sorted by name. Source: "Files and directories" of Terraform's manual; it
/// passes over names that begin with a dot, end with `~` or stand between two `#`.
pub(super) fn terraform_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
        let ignored = name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'));
        !ignored && [".tf", ".tf.json", ".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end)) && path.is_file()
    });
    files.sort();
    files
}

/// True for a file that OpenTofu reads and Terraform passes over.
pub(super) fn is_tofu_only(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    [".tofu", ".tofu.json"].iter().any(|end| name.ends_with(end))
}

/// True for Terraform's JSON syntax.
pub(super) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_followed_through_modules_and_circles_end() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(
            "root/main.tf",
            "module \"a\" {\n  source = \"../mod/a\"\n}\nmodule \"r\" {\n  source = \"hashicorp/x/aws\"\n}\n",
        );
        write("root/broken.tf", "module {{{");
        write("mod/a/main.tf.json", r#"{"module": {"b": [{"source": "../b"}]}}"#);
        write(
            "mod/b/main.tf",
            "module \"a\" {\n  source = \"../a\"\n}\nmodule \"gone\" {\n  source = \"../gone\"\n}\n",
        );
        let top = dir.path().canonicalize().unwrap();
        let expected: BTreeSet<PathBuf> = ["root", "mod/a", "mod/b"].iter().map(|p| top.join(p)).collect();
        assert_eq!(folders_of(&dir.path().join("root")), expected);
    }
}
