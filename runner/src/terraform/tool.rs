//! The program: where it is, whether it can be started, which version it has.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::sync::OnceCell;

use super::command;
use super::query::Query;
use crate::domain::failure::{Failure, FailureKind};

/// The oldest Terraform that Tidegate drives: 1.4 brought `terraform_data` and `workspace select -or-create`.
pub const MINIMUM_TERRAFORM: (u64, u64, u64) = (1, 4, 0);

/// The first Terraform whose `init` speaks JSON.
const INIT_JSON: (u64, u64, u64) = (1, 9, 0);

/// `version` answers in 40 ms; a machine that is very busy gets two hundred times that.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of the smallest program that is taken for Terraform itself. Terraform 1.4 has 65 MB; scripts and programs that
/// choose a version for the folder and start that one have a fraction of it.
const SMALLEST: u64 = 50_000_000;

/// The answer is some 200 bytes and one line for each provider.
const ANSWER_MAX: u64 = 256 * 1024;

/// A Terraform or OpenTofu that can be started.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tool {
    /// The executable, with its folder.
    pub program: PathBuf,
}

/// Which of the two programs it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Product {
    /// Terraform.
    Terraform,
    /// OpenTofu.
    OpenTofu,
}

/// What a tool says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Terraform or OpenTofu.
    pub product: Product,
    /// The version as it writes it: `1.11.4`, `1.12.0-beta1`.
    pub text: String,
    /// Major, minor, patch.
    pub number: (u64, u64, u64),
    /// `linux_amd64` and alike.
    pub platform: String,
    /// Providers that the lock file of the folder selects, with their versions.
    pub providers: BTreeMap<String, String>,
}

impl Version {
    /// True when `init -json` works. OpenTofu's support came later than its fork and is not relied upon.
    #[must_use]
    pub fn init_speaks_json(&self) -> bool {
        self.product == Product::Terraform && self.number >= INIT_JSON
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let product = match self.product {
            Product::Terraform => "Terraform",
            Product::OpenTofu => "OpenTofu",
        };
        write!(f, "{product} {}", self.text)
    }
}

fn refused(summary: impl Into<String>) -> Box<Failure> {
    Box::new(Failure::new(FailureKind::CouldNotStart, summary))
}

impl Tool {
    /// The program `name`: a path when it holds a `/`, else looked for in the folders of `path` (the PATH variable).
    ///
    /// # Errors
    /// [`FailureKind::CouldNotStart`]: missing, a folder, or not executable, in words for people.
    pub fn find(name: &Path, path: Option<&OsStr>) -> Result<Self, Box<Failure>> {
        if name.components().count() > 1 || name.is_absolute() {
            return check(name).map(|()| Self { program: name.to_owned() });
        }
        let candidates = path.map(std::env::split_paths).into_iter().flatten().map(|folder| folder.join(name));
        let mut first_refusal = None;
        for candidate in candidates {
            match check(&candidate) {
                Ok(()) => return Ok(Self { program: candidate }),
                Err(refusal) if candidate.exists() => first_refusal = first_refusal.or(Some(refusal)),
                Err(_) => {}
            }
        }
        Err(first_refusal.unwrap_or_else(|| refused(format!("`{}` is not on the PATH", name.display()))))
    }

    /// Asks the program for its version, in `cwd`, and reads there which providers are selected. The version is remembered
    /// in memory for as long as the file stays the same: for all folders where the program is Terraform itself, for this folder
    /// where it may be a version manager's stand-in.
    ///
    /// # Errors
    /// [`FailureKind::CouldNotStart`] when it does not answer as Terraform or OpenTofu would, or is too old.
    pub async fn version(&self, cwd: &Path) -> Result<Version, Box<Failure>> {
        let folder = (!self.is_itself()).then(|| cwd.to_owned());
        let key = Key { program: stamp(&self.program), folder };
        let known = Arc::clone(KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let version = known.get_or_try_init(|| self.ask(cwd)).await?.clone();
        let providers = locked_providers(&cwd.join(".terraform.lock.hcl"));
        let tofu = providers.keys().any(|provider| provider.starts_with("registry.opentofu.org/"));
        let product = if tofu { Product::OpenTofu } else { version.product };
        Ok(Version { product, providers, ..version })
    }

    /// True for the real program: it answers the same in every folder.
    #[must_use]
    pub fn is_itself(&self) -> bool {
        let Ok(real) = self.program.canonicalize() else { return false };
        let named = real.file_name().is_some_and(|name| {
            let name = name.to_string_lossy();
            name.starts_with("terraform") || name.starts_with("tofu")
        });
        named && std::fs::metadata(&real).is_ok_and(|metadata| metadata.len() >= SMALLEST)
    }

    async fn ask(&self, cwd: &Path) -> Result<Version, Box<Failure>> {
        let args = command::version();
        let query = Query { program: &self.program, args: &args, cwd, env: &[], timeout: TIMEOUT, limit: ANSWER_MAX };
        let answer = query.run().await.map_err(|error| refused(error.to_string()))?;
        let shown = self.program.display();
        if !answer.exit.is_success() {
            let summary = format!("`{shown} version -json` failed: it is no Terraform 1.4 or newer");
            return Err(Box::new(refused(summary).with_detail(answer.stderr.trim())));
        }
        let version = parse(&answer.stdout, &self.program)
            .ok_or_else(|| refused(format!("`{shown} version -json` did not answer as Terraform or OpenTofu does")))?;
        let (major, minor, _) = MINIMUM_TERRAFORM;
        if version.number < MINIMUM_TERRAFORM {
            return Err(refused(format!("{version} is too old: {major}.{minor} or newer is needed ({shown})")));
        }
        Ok(version)
    }
}

fn check(program: &Path) -> Result<(), Box<Failure>> {
    let shown = program.display();
    let metadata = std::fs::metadata(program).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => refused(format!("there is no file `{shown}`")),
        _ => refused(format!("`{shown}` cannot be looked at: {error}")),
    })?;
    if metadata.is_dir() {
        return Err(refused(format!("`{shown}` is a folder, not a program")));
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return Err(refused(format!("`{shown}` is not executable")));
    }
    Ok(())
}

/// A file at a moment: replaced by another version, one of these differs.
type Stamp = (PathBuf, Option<(SystemTime, u64)>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    program: Stamp,
    folder: Option<PathBuf>,
}

/// Several who ask at once wait for one answer; a refusal is not remembered.
static KNOWN: LazyLock<Mutex<HashMap<Key, Arc<OnceCell<Version>>>>> = LazyLock::new(Mutex::default);

fn stamp(file: &Path) -> Stamp {
    let metadata = std::fs::metadata(file).ok();
    (file.to_owned(), metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len()))))
}

/// The answer of `version -json`. OpenTofu keeps Terraform's field names. Source: `internal/command/version.go` of both.
#[derive(Deserialize)]
struct Answer {
    terraform_version: String,
    #[serde(default)]
    platform: String,
}

fn parse(answer: &[u8], program: &Path) -> Option<Version> {
    let Answer { terraform_version: text, platform } = serde_json::from_slice(answer).ok()?;
    // Nothing in the answer names the product; the program's own name does, or a provider's registry in the lock file.
    let tofu = program.file_name().is_some_and(|name| name.to_string_lossy().contains("tofu"));
    let product = if tofu { Product::OpenTofu } else { Product::Terraform };
    Some(Version { product, number: number(&text)?, text, platform, providers: BTreeMap::new() })
}

/// Providers and versions that a lock file selects; none where it is missing or cannot be read, which Terraform tells better.
/// Format: <https://developer.hashicorp.com/terraform/language/files/dependency-lock>.
fn locked_providers(file: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let Ok(body) = hcl_edit::parser::parse_body(&text) else { return BTreeMap::new() };
    let providers = body.blocks().filter(|block| block.ident.as_str() == "provider");
    providers
        .filter_map(|block| {
            let version = block.body.get_attribute("version")?.value.as_str()?;
            Some((block.labels.first()?.as_str().to_owned(), version.to_owned()))
        })
        .collect()
}

/// Major, minor and patch of `1.12.0-beta1`; the part after `-` or `+` does not count.
fn number(text: &str) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(['-', '+']).next()?.split('.').map(str::parse);
    let mut next = || parts.next()?.ok();
    Some((next()?, next()?, next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_answer_of_either_program() {
        let answer = br#"{"terraform_version":"1.12.0-beta1","platform":"linux_amd64","x":1}"#;
        let version = parse(answer, Path::new("/usr/bin/terraform")).expect("a version");
        assert_eq!(version.to_string(), "Terraform 1.12.0-beta1");
        assert_eq!(version.number, (1, 12, 0));
        assert!(version.init_speaks_json());
        let tofu = parse(br#"{"terraform_version":"1.9.0"}"#, Path::new("/opt/tofu")).expect("a version");
        assert_eq!(tofu.to_string(), "OpenTofu 1.9.0");
        assert_eq!(parse(br#"{"terraform_version":"one"}"#, Path::new("x")), None);
        assert_eq!(parse(b"", Path::new("x")), None);
    }

    #[test]
    fn providers_are_read_from_the_lock_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(".terraform.lock.hcl");
        assert_eq!(locked_providers(&file), BTreeMap::new());
        let text = "# made by init\nprovider \"registry.opentofu.org/a/b\" {\n  version     = \"5.1.0\"\n  constraints = \"~> 5.0\"\n  \
                    hashes = [\n    \"h1:x\",\n  ]\n}\n\nprovider \"x/y/z\" {\n  version = \"1.0.0\"\n}\n";
        std::fs::write(&file, text).expect("a file");
        let expected = [("registry.opentofu.org/a/b", "5.1.0"), ("x/y/z", "1.0.0")];
        assert_eq!(
            locked_providers(&file),
            expected.map(|(name, version)| (name.to_owned(), version.to_owned())).into()
        );
        std::fs::write(&file, "provider {{{").expect("a file");
        assert_eq!(locked_providers(&file), BTreeMap::new());
    }

    #[tokio::test]
    async fn a_stand_in_is_asked_again_in_another_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("terraform");
        std::fs::write(&program, "#!/bin/sh\nprintf '{\"terraform_version\":\"%s\"}' \"$(cat want)\"\n")
            .expect("a file");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let tool = Tool { program };
        for version in ["1.9.1", "1.10.2"] {
            let place = folder.path().join(version);
            std::fs::create_dir(&place).expect("a folder");
            std::fs::write(place.join("want"), version).expect("a file");
            assert_eq!(tool.version(&place).await.expect("a version").text, version);
            std::fs::write(place.join("want"), "0.0.1").expect("a file");
            assert_eq!(tool.version(&place).await.expect("remembered").text, version);
        }
    }

    #[test]
    fn what_cannot_be_started_is_refused_in_clear_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("terraform");
        let refusal = |name: &Path| Tool::find(name, Some(folder.path().as_os_str())).expect_err("a refusal").summary;
        assert!(refusal(&file).starts_with("there is no file"));
        assert_eq!(refusal(Path::new("terraform")), "`terraform` is not on the PATH");
        assert!(refusal(folder.path()).ends_with("is a folder, not a program"));
        std::fs::write(&file, "").expect("a file");
        assert!(refusal(&file).ends_with("is not executable"));
        assert!(refusal(Path::new("terraform")).ends_with("is not executable"));
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let tool = Tool::find(Path::new("terraform"), Some(folder.path().as_os_str())).expect("found");
        assert_eq!(tool.program, file);
    }
}
