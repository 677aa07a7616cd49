//! Whether `terraform init` must run: it costs a second or two and changes nothing when what it depends on is as it was.
//!
//! A [`Fingerprint`] holds one hash for each thing that `init` depends on; it is stored in the stack's data folder after a
//! good `init`, and compared before the next.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::tool::{Tool, Version};
use crate::problem::{Problem, Problems};
use crate::root::InitInputs;

const RECORD: &str = "tidegate-init.json";

/// What `init` depends on, as hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    parts: BTreeMap<Part, String>,
    has_backend: bool,
    has_modules: bool,
    has_providers: bool,
}

/// One thing that `init` depends on, in the order in which a difference is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Tool,
    Backend,
    Modules,
    Providers,
    Lock,
}

impl Part {
    const fn changed(self) -> &'static str {
        match self {
            Self::Tool => "the program or its version changed",
            Self::Backend => "the backend or its settings changed",
            Self::Modules => "the modules changed",
            Self::Providers => "the providers or their requirements changed",
            Self::Lock => "the lock file changed",
        }
    }
}

/// What `init` of the root module in `root` depends on now. `backend_config` are the backend settings that it is given.
///
/// `init` itself may write the lock file: take the fingerprint to [`record`] after it, not before.
///
/// # Errors
/// When the root or a local module of it cannot be read.
pub fn fingerprint(
    root: &Path,
    data_dir: &Path,
    backend_config: &[String],
    tool: &Tool,
    version: &Version,
) -> Result<Fingerprint, Problems> {
    let code = InitInputs::read(root)?;
    let lock_file = root.join(".terraform.lock.hcl");
    let lock = match std::fs::read_to_string(&lock_file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Problem::of_file(lock_file, error.to_string()).into()),
    };
    let tool =
        [tool.program.to_string_lossy().into_owned(), version.to_string(), data_dir.to_string_lossy().into_owned()];
    Ok(Fingerprint {
        parts: BTreeMap::from([
            (Part::Tool, hash(&tool)),
            (Part::Backend, hash(code.backends.iter().chain(backend_config))),
            (Part::Modules, hash(&code.modules)),
            (Part::Providers, hash(code.requirements.iter().chain(&code.providers))),
            (Part::Lock, hash([&lock])),
        ]),
        has_backend: !code.backends.is_empty(),
        has_modules: !code.modules.is_empty(),
        // `terraform_data` and `terraform_remote_state` are built in: nothing is installed for them.
        has_providers: code.providers.iter().any(|name| name != "terraform"),
    })
}

fn hash<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        // Length first, so that no text can imitate a boundary between two of them.
        hash.update((text.as_ref().len() as u64).to_le_bytes());
        hash.update(text.as_ref().as_bytes());
    }
    hash.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// Whether `init` must run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Init {
    /// Nothing that it depends on changed since then.
    Skip,
    /// It must run.
    Needed {
        /// Why, as half a sentence for people.
        why: &'static str,
    },
}

/// Compares `now` with what the last good `init` left in `data_dir` (the stack's `TF_DATA_DIR`), and looks whether what it
/// installed is still there.
#[must_use]
pub fn needed(data_dir: &Path, now: &Fingerprint) -> Init {
    let needed = |why| Init::Needed { why };
    let Ok(bytes) = std::fs::read(data_dir.join(RECORD)) else { return needed("first time") };
    let Ok(last) = serde_json::from_slice::<Fingerprint>(&bytes) else {
        return needed("the record of the last time is damaged");
    };
    let changed = now.parts.iter().find(|(part, hash)| last.parts.get(part) != Some(hash));
    if let Some((part, _)) = changed {
        return needed(part.changed());
    }
    if now.has_backend && !data_dir.join("terraform.tfstate").exists() {
        return needed("the backend's settings are gone from the data folder");
    }
    if now.has_modules && !data_dir.join("modules/modules.json").exists() {
        return needed("the modules are gone from the data folder");
    }
    if now.has_providers && !all_there(&data_dir.join("providers"), 6) {
        return needed("the providers are gone from the data folder");
    }
    Init::Skip
}

/// True when the folder exists and holds no link into nothing: a plugin cache that was emptied leaves such links.
fn all_there(folder: &Path, depth: u8) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().all(|entry| {
        let path = entry.path();
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() && depth > 0 => all_there(&path, depth - 1),
            Ok(_) => true,
            Err(_) => false,
        }
    })
}

/// Remembers a good `init` by the fingerprint taken after it.
///
/// # Errors
/// When the data folder cannot be written.
pub fn record(data_dir: &Path, fingerprint: &Fingerprint) -> io::Result<()> {
    std::fs::create_dir_all(data_dir)?;
    let json = serde_json::to_vec(fingerprint)?;
    let new = data_dir.join("tidegate-init.json.new");
    std::fs::write(&new, json)?;
    std::fs::rename(new, data_dir.join(RECORD))
}

/// Forgets the last good `init`, so that the next one runs: Terraform said that it is not initialised.
///
/// # Errors
/// When the record is there and cannot be removed.
pub fn forget(data_dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(data_dir.join(RECORD)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what an `init` that was killed has written only half, and gives the names of those files. They hold what `init`
/// works out again; half of one would make each later `init` fail ("Failed to load state: unexpected end of JSON input").
///
/// # Errors
/// When one of them cannot be removed.
pub fn remove_half_written(data_dir: &Path) -> io::Result<Vec<&'static str>> {
    // Which backend is used, and which modules are installed. No resource is in either.
    let mut removed = Vec::new();
    for name in ["terraform.tfstate", "modules/modules.json"] {
        let file = data_dir.join(name);
        let Ok(text) = std::fs::read(&file) else { continue };
        if serde_json::from_slice::<serde::de::IgnoredAny>(&text).is_err() {
            std::fs::remove_file(&file)?;
            removed.push(name);
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::tool::Product;
    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        version: &'static str,
        backend: Vec<String>,
    }

    impl Place {
        fn new() -> Self {
            let place = Self { folder: tempfile::tempdir().expect("a folder"), version: "1.11.4", backend: Vec::new() };
            place.write("root/main.tf", "module \"slaves\" {\n  source = \"./slaves\"\n  count = 2\n}\n");
            place.write("root/slaves/main.tf", "resource \"terraform_data\" \"slave\" {\n  input = 1\n}\n");
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }

        fn now(&self) -> Fingerprint {
            let version = Version {
                product: Product::Terraform,
                text: self.version.to_owned(),
                number: (1, 11, 4),
                platform: String::new(),
                providers: BTreeMap::new(),
            };
            let tool = Tool { program: "/usr/bin/terraform".into() };
            fingerprint(&self.path("root"), &self.path("data"), &self.backend, &tool, &version).expect("a fingerprint")
        }

        fn init(&self) {
            self.write("data/modules/modules.json", "{}");
            record(&self.path("data"), &self.now()).expect("recorded");
            assert_eq!(needed(&self.path("data"), &self.now()), Init::Skip);
        }

        fn why(&self) -> &'static str {
            match needed(&self.path("data"), &self.now()) {
                Init::Needed { why } => why,
                Init::Skip => "skipped",
            }
        }
    }

    #[test]
    fn init_is_skipped_until_something_that_it_depends_on_changes_and_the_reason_is_named() {
        let mut place = Place::new();
        assert_eq!(place.why(), "first time");
        place.init();
        place.write("root/slaves/main.tf", "resource \"terraform_data\" \"slave\" {\n  input = 2\n}\n");
        place.write("root/outputs.tf", "output \"a\" {\n  value = 1\n}\n");
        assert_eq!(place.why(), "skipped", "values are no business of init");

        place.write("root/.terraform.lock.hcl", "# provider");
        assert_eq!(place.why(), "the lock file changed");
        place.init();
        place.write("root/slaves/more.tf", "resource \"random_id\" \"x\" {}\n");
        assert_eq!(place.why(), "the providers or their requirements changed");
        place.write("data/providers/registry/x", "");
        place.init();
        place.write("root/versions.tf", "terraform {\n  required_version = \">= 1.4\"\n}\n");
        assert_eq!(place.why(), "the providers or their requirements changed");
        place.init();
        place.write("root/versions.tf", "terraform {\n  required_version = \">= 1.4\"\n  backend \"local\" {}\n}\n");
        assert_eq!(place.why(), "the backend or its settings changed");
        place.write("data/terraform.tfstate", "{}");
        place.init();
        place.backend.push("path=x".to_owned());
        assert_eq!(place.why(), "the backend or its settings changed");
        place.init();
        place.version = "1.12.0";
        assert_eq!(place.why(), "the program or its version changed");
        place.init();
        place.write("root/more.tf.json", r#"{"module":{"x":{"source":"./slaves"}}}"#);
        assert_eq!(place.why(), "the modules changed");
    }

    #[test]
    fn init_runs_again_when_what_it_installed_is_gone() {
        let place = Place::new();
        place.write("root/slaves/more.tf", "resource \"random_id\" \"x\" {}\n");
        place.write("data/providers/registry/x", "");
        place.init();
        std::fs::remove_file(place.path("data/modules/modules.json")).expect("removed");
        assert_eq!(place.why(), "the modules are gone from the data folder");
        place.init();
        std::os::unix::fs::symlink(place.path("nowhere"), place.path("data/providers/registry/y")).expect("a link");
        assert_eq!(place.why(), "the providers are gone from the data folder");
        place.write("data/tidegate-init.json", "{\"parts\"");
        assert_eq!(place.why(), "the record of the last time is damaged");
        forget(&place.path("data")).expect("forgotten");
        forget(&place.path("data")).expect("forgotten twice");
        assert_eq!(place.why(), "first time");
    }

    #[test]
    fn modules_that_call_each_other_in_a_circle_are_read_once() {
        let place = Place::new();
        place.write("root/slaves/main.tf", "module \"back\" {\n  source = \"../\"\n}\n");
        assert!(place.now().has_modules);
    }

    #[test]
    fn a_root_that_cannot_be_read_says_which_file() {
        let place = Place::new();
        place.write("root/slaves/bad.tf", "resource {{{");
        let version = Version {
            product: Product::Terraform,
            text: String::new(),
            number: (1, 4, 0),
            platform: String::new(),
            providers: BTreeMap::new(),
        };
        let tool = Tool { program: PathBuf::new() };
        let error = fingerprint(&place.path("root"), &place.path("data"), &[], &tool, &version).expect_err("an error");
        assert!(error.to_string().contains("bad.tf"), "{error}");
    }
}
