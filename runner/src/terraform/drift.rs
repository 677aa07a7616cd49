//! Which of the changes that others made are worth a line. Terraform tells each resource that is not as its state has it, also where
//! only what AWS computes is another: a launch template's version, a status, a time. What nobody wrote down nobody misses.
//!
//! Only names of attributes are looked at, never their values: states hold secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use zip::ZipArchive;

use crate::domain::changes::{Action, Change};
use crate::root::arguments_of_resources;

/// Most bytes of one file in a plan that are unpacked.
const FILE_MAX: u64 = 256 << 20;

/// Those of `drift`, as the plan at `plan` found it, that change what the code writes down, or take a resource away. All of them where
/// that cannot be told.
#[must_use]
pub fn watched(plan: &Path, drift: Vec<Change>) -> Vec<Change> {
    let Some(seen) = Seen::of(plan) else { return drift };
    drift.into_iter().filter(|change| change.action == Action::Delete || seen.is_watched(&change.address)).collect()
}

/// What differs between the state as it was stored and as it was read anew, and what the code writes down.
struct Seen {
    /// Attributes by address.
    differing: BTreeMap<String, BTreeSet<String>>,
    /// Arguments and blocks by address without module and key.
    written: BTreeMap<String, BTreeSet<String>>,
}

impl Seen {
    /// Source: Terraform's `internal/plans/planfile/writer.go`: `tfstate-prev` is the state as it was, `tfstate` as it is now, and
    /// `tfconfig/` all files of all modules.
    fn of(plan: &Path) -> Option<Self> {
        let mut archive = ZipArchive::new(File::open(plan).ok()?).ok()?;
        let before = attributes(&text_of(&mut archive, "tfstate-prev")?)?;
        let now = attributes(&text_of(&mut archive, "tfstate")?)?;
        let mut written: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let names: Vec<String> = archive
            .file_names()
            .filter_map(|name| name.ok().map(std::borrow::Cow::into_owned))
            .filter(|name| is_code(name))
            .collect();
        for name in names {
            let text = String::from_utf8(text_of(&mut archive, &name)?).ok()?;
            for (address, names) in arguments_of_resources(&name, &text) {
                written.entry(address).or_default().extend(names);
            }
        }
        let differing =
            now.iter().filter_map(|(address, now)| Some((address.clone(), differing(before.get(address)?, now))));
        Some(Self { differing: differing.collect(), written })
    }

    fn is_watched(&self, address: &str) -> bool {
        let (Some(differing), Some(written)) = (self.differing.get(address), self.written.get(&plain(address))) else {
            return true;
        };
        differing.iter().any(|attribute| written.contains(attribute))
    }
}

fn is_code(name: &str) -> bool {
    let plain = name.strip_suffix(".json").unwrap_or(name);
    name.starts_with("tfconfig/") && Path::new(plain).extension().is_some_and(|extension| extension == "tf")
}

fn text_of(archive: &mut ZipArchive<File>, name: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    archive.by_name(name).ok()?.take(FILE_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[derive(Deserialize)]
struct StateOf {
    #[serde(default)]
    resources: Vec<ResourceOf>,
}

#[derive(Deserialize)]
struct ResourceOf {
    #[serde(default)]
    module: Option<String>,
    mode: String,
    r#type: String,
    name: String,
    #[serde(default)]
    instances: Vec<InstanceOf>,
}

#[derive(Deserialize)]
struct InstanceOf {
    #[serde(default)]
    index_key: Option<Value>,
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    attributes: Map<String, Value>,
}

fn attributes(state: &[u8]) -> Option<BTreeMap<String, Map<String, Value>>> {
    let state: StateOf = serde_json::from_slice(state).ok()?;
    let mut all = BTreeMap::new();
    for resource in state.resources.into_iter().filter(|resource| resource.mode == "managed") {
        let module = resource.module.map(|module| format!("{module}.")).unwrap_or_default();
        for instance in resource.instances.into_iter().filter(|instance| instance.deposed.is_none()) {
            let key = instance.index_key.filter(|key| !key.is_null()).map(|key| format!("[{key}]")).unwrap_or_default();
            all.insert(format!("{module}{}.{}{key}", resource.r#type, resource.name), instance.attributes);
        }
    }
    Some(all)
}

fn differing(before: &Map<String, Value>, now: &Map<String, Value>) -> BTreeSet<String> {
    let names = before.keys().chain(now.keys());
    names.filter(|name| before.get(*name) != now.get(*name)).cloned().collect()
}

/// `aws_instance.web` of `module.a["x.y"].aws_instance.web[0]`.
fn plain(address: &str) -> String {
    let (mut depth, mut text) = (0_u32, String::new());
    for c in address.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    let mut parts: Vec<&str> = text.rsplitn(3, '.').take(2).collect();
    parts.reverse();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    fn state(version: u32, desired: u32, tag: &str) -> String {
        let group =
            json!({ "index_key": "a.b", "attributes": { "name": "s", "desired_capacity": desired, "status": tag } });
        let template = json!({ "attributes": { "name": "t", "latest_version": version } });
        json!({ "version": 4, "resources": [
            { "module": "module.jmeter", "mode": "managed", "type": "aws_autoscaling_group", "name": "slaves", "instances": [group] },
            { "mode": "managed", "type": "aws_launch_template", "name": "this", "instances": [template] },
        ] })
        .to_string()
    }

    fn plan(before: &str, now: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let mut archive = zip::ZipWriter::new(file.as_file_mut());
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let code = "resource \"aws_autoscaling_group\" \"slaves\" {\n  name = \"s\"\n  desired_capacity = 4\n}\n";
        let root = "resource \"aws_launch_template\" \"this\" {\n  name = \"t\"\n}\n";
        for (name, text) in [
            ("tfstate-prev", before),
            ("tfstate", now),
            ("tfconfig/m-/main.tf", root),
            ("tfconfig/m-jmeter/main.tf", code),
        ] {
            archive.start_file(name, options).expect("begun");
            archive.write_all(text.as_bytes()).expect("written");
        }
        archive.finish().expect("finished");
        file
    }

    #[test]
    fn what_only_aws_computes_is_quiet_and_what_is_written_down_or_gone_is_not() {
        let change = |address: &str, action| Change { address: address.to_owned(), action, reason: None };
        let group = change("module.jmeter.aws_autoscaling_group.slaves[\"a.b\"]", Action::Update);
        let template = change("aws_launch_template.this", Action::Update);
        let gone = change("aws_launch_template.this", Action::Delete);
        let all = || vec![group.clone(), template.clone(), gone.clone()];
        let computed = plan(&state(1, 4, "ok"), &state(2, 4, "busy"));
        assert_eq!(watched(computed.path(), all()), std::slice::from_ref(&gone));
        let by_hand = plan(&state(1, 4, "ok"), &state(2, 9, "ok"));
        assert_eq!(watched(by_hand.path(), all()), [group.clone(), gone.clone()]);
        assert_eq!(watched(Path::new("/dev/null"), all()), all(), "what cannot be told is told");
    }

    #[test]
    fn the_code_s_address_is_that_of_a_resource_without_modules_and_keys() {
        assert_eq!(plain("module.a[\"x.y\"].aws_instance.web[0]"), "aws_instance.web");
        assert_eq!(plain("aws_instance.web"), "aws_instance.web");
    }
}
