//! The local modules that a root uses, directly or through others: folders whose change is a change of the root's code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::block::Block;
use super::{Folder, ModuleCall};

impl ModuleCall {
    pub(super) fn of(block: &Block<'_>) -> Self {
        let source = block.body.text("source").unwrap_or_default().to_owned();
        Self { name: block.label.to_owned(), source, at: block.at() }
    }
}

/// The root itself and every local module that it reaches (`source = "./..."` or `"../..."`), as existing folders with no
/// `..` in them. Files that cannot be read or parsed are passed over: Terraform will say what is wrong with them.
#[must_use]
pub fn folders_of(root: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(path) = path.canonicalize() else { continue };
        if !path.is_dir() || !found.insert(path.clone()) {
            continue;
        }
        let Ok(folder) = Folder::list(&path) else { continue };
        let bodies = folder.files.iter().filter(|file| file.mentions(&["module"])).filter_map(|file| file.body().ok());
        let calls = bodies.flat_map(|body| body.blocks("module")).map(|block| ModuleCall::of(&block));
        open.extend(calls.filter_map(|call| Some(path.join(call.local()?))));
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn modules_are_followed_through_modules_and_circles_end() {
        let dir = tempfile::tempdir().expect("done");
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("done")).expect("done");
            fs::write(path, text).expect("done");
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
        let top = dir.path().canonicalize().expect("done");
        let expected: BTreeSet<PathBuf> = ["root", "mod/a", "mod/b"].iter().map(|p| top.join(p)).collect();
        assert_eq!(folders_of(&dir.path().join("root")), expected);
    }
}
