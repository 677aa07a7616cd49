//! What of a root module and its local modules matters to `init`, read from `*.tf` and `*.tf.json`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body};
use serde_json::{Map, Value};

use super::RootError;

/// Local modules inside local modules; Terraform itself would be unusable long before.
const MODULES_MAX: usize = 1_000;

/// Sorted sets of texts, so that neither order nor formatting between blocks matters.
#[derive(Debug, Default)]
pub(super) struct Root {
    /// `backend` and `cloud` blocks.
    pub(super) backends: BTreeSet<String>,
    /// `terraform` blocks without them.
    pub(super) requirements: BTreeSet<String>,
    /// Names of providers, from `provider` blocks and from the types of resources and data sources.
    pub(super) providers: BTreeSet<String>,
    /// Source and version of each module call.
    pub(super) modules: BTreeSet<String>,
    local: Vec<PathBuf>,
}

impl Root {
    pub(super) fn read(root: &Path) -> Result<Self, RootError> {
        let mut found = Self::default();
        let mut seen = BTreeSet::new();
        found.local.push(root.to_owned());
        while let Some(folder) = found.local.pop() {
            let real =
                folder.canonicalize().map_err(|source| RootError::Io { file: folder.display().to_string(), source })?;
            if seen.len() < MODULES_MAX && seen.insert(real) {
                found.read_folder(&folder)?;
            }
        }
        Ok(found)
    }

    fn read_folder(&mut self, folder: &Path) -> Result<(), RootError> {
        let io = |file: &Path| {
            let file = file.display().to_string();
            move |source| RootError::Io { file, source }
        };
        for entry in std::fs::read_dir(folder).map_err(io(folder))? {
            let file = entry.map_err(io(folder))?.path();
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let is_json = name.ends_with(".tf.json") || name.ends_with(".tofu.json");
            let is_hcl = [".tf", ".tofu"].iter().any(|ending| name.ends_with(ending));
            if name.starts_with('.') || !(is_json || is_hcl) {
                continue;
            }
            let text = std::fs::read_to_string(&file).map_err(io(&file))?;
            let syntax = |reason: String| RootError::Syntax { file: file.display().to_string(), reason };
            if is_json {
                let json = serde_json::from_str(&text).map_err(|error| syntax(error.to_string()))?;
                self.json(folder, &json);
            } else {
                let body = hcl_edit::parser::parse_body(&text).map_err(|error| syntax(error.to_string()))?;
                self.hcl(folder, &text, &body);
            }
        }
        Ok(())
    }

    fn hcl(&mut self, folder: &Path, text: &str, body: &Body) {
        let source_of =
            |span: Option<std::ops::Range<usize>>| span.and_then(|span| text.get(span)).unwrap_or_default().to_owned();
        for block in body.blocks() {
            match block.ident.as_str() {
                "terraform" => {
                    for inner in &block.body {
                        let words = source_of(inner.span());
                        match inner.as_block().map(|inner| inner.ident.as_str()) {
                            Some("backend" | "cloud") => self.backends.insert(words),
                            Some("required_providers") => {
                                let names = inner.as_block().into_iter().flat_map(|inner| inner.body.attributes());
                                self.providers.extend(names.map(|name| name.key.as_str().to_owned()));
                                self.requirements.insert(words)
                            }
                            Some(_) | None => self.requirements.insert(words),
                        };
                    }
                }
                "module" => {
                    let text_of =
                        |key: &str| block.body.get_attribute(key).and_then(|attribute| attribute.value.as_str());
                    self.module(folder, label(block), text_of("source"), text_of("version"));
                }
                kind => self.provided(kind, label(block)),
            }
        }
    }

    fn json(&mut self, folder: &Path, json: &Value) {
        for (kind, content) in json.as_object().into_iter().flatten() {
            for content in objects(content) {
                match kind.as_str() {
                    "terraform" => {
                        for (key, value) in content {
                            let words = format!("{key} {value}");
                            if key == "required_providers" {
                                let names = objects(value).into_iter().flat_map(Map::keys);
                                self.providers.extend(names.cloned());
                            }
                            let of_backend = key == "backend" || key == "cloud";
                            if of_backend {
                                self.backends.insert(words)
                            } else {
                                self.requirements.insert(words)
                            };
                        }
                    }
                    "module" => {
                        for (name, calls) in content {
                            for call in objects(calls) {
                                let text_of = |key: &str| call.get(key).and_then(Value::as_str);
                                self.module(folder, name, text_of("source"), text_of("version"));
                            }
                        }
                    }
                    kind => content.keys().for_each(|label| self.provided(kind, label)),
                }
            }
        }
    }

    fn module(&mut self, folder: &Path, name: &str, source: Option<&str>, version: Option<&str>) {
        let source = source.unwrap_or_default();
        self.modules.insert(format!("{name} {source} {}", version.unwrap_or_default()));
        if source.starts_with("./") || source.starts_with("../") {
            let local = folder.join(source);
            // A module that is not there is told by Terraform, with the line of the call.
            if local.is_dir() {
                self.local.push(local);
            }
        }
    }

    /// Notes the provider behind a block: `aws` for a `resource "aws_instance"`, Terraform's own rule where a block names none.
    fn provided(&mut self, kind: &str, label: &str) {
        let provider = match kind {
            "provider" => label,
            "resource" | "data" | "ephemeral" => label.split('_').next().unwrap_or(label),
            _ => return,
        };
        self.providers.insert(provider.to_owned());
    }
}

fn label(block: &Block) -> &str {
    block.labels.first().map_or("", |label| label.as_str())
}

/// In JSON a block may be an object or a list of them.
fn objects(value: &Value) -> Vec<&Map<String, Value>> {
    match value {
        Value::Object(object) => vec![object],
        Value::Array(list) => list.iter().filter_map(Value::as_object).collect(),
        _ => Vec::new(),
    }
}
