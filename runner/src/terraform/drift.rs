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
use crate::domain::protect::protects;
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

/// Attributes whose numbers are told: how big a group is is no secret, and what people want to know first.
const SIZES: [&str; 3] = ["desired_capacity", "min_size", "max_size"];

/// An attribute that differs, with its sizes before and now where it is one of [`SIZES`].
type Watched<'a> = (&'a str, Option<(i64, i64)>);

/// What others changed, each with what is different in it: `desired_capacity 4 -> 9, tags`. Left out is what only AWS computes, and what
/// `ignore` names: globs over addresses, and over an address with one of its attributes after a point.
#[must_use]
pub fn found(plan: &Path, drift: Vec<Change>, ignore: &[String]) -> Vec<Change> {
    let seen = Seen::of(plan);
    let ignored = |text: &str| ignore.iter().any(|pattern| protects(pattern, text));
    drift
        .into_iter()
        .filter(|change| !ignored(&change.address))
        .filter_map(|change| {
            if matches!(change.action, Action::Delete | Action::Forget) {
                return Some(change);
            }
            // Where it cannot be told what differs, something does.
            let Some(attributes) = seen.as_ref().and_then(|seen| seen.watched(&change.address)) else {
                return Some(change);
            };
            let told: Vec<String> = attributes
                .into_iter()
                .filter(|(attribute, _)| !ignored(&format!("{}.{attribute}", change.address)))
                .map(|(attribute, sizes)| match sizes {
                    Some((from, to)) => format!("{attribute} {from} -> {to}"),
                    None => attribute.to_owned(),
                })
                .collect();
            (!told.is_empty()).then(|| Change { reason: Some(told.join(", ")), ..change })
        })
        .collect()
}

/// The desired count of a group before and now, as [`found`] tells it.
#[must_use]
pub fn desired(change: &Change) -> Option<(i64, i64)> {
    let told = change.reason.as_deref()?.split(", ").find_map(|part| part.strip_prefix("desired_capacity "))?;
    let (from, to) = told.split_once(" -> ")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

/// What differs between the state as it was stored and as it was read anew, and what the code writes down.
struct Seen {
    /// Attributes by address.
    differing: BTreeMap<String, BTreeSet<String>>,
    /// Sizes before and now by address and attribute.
    sizes: BTreeMap<(String, &'static str), (i64, i64)>,
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
        let mut sizes = BTreeMap::new();
        for (address, now) in &now {
            let Some(before) = before.get(address) else { continue };
            for size in SIZES {
                let number = |state: &Map<String, Value>| state.get(size).and_then(Value::as_i64);
                if let (Some(from), Some(to)) = (number(before), number(now)) {
                    sizes.insert((address.clone(), size), (from, to));
                }
            }
        }
        Some(Self { differing: differing.collect(), sizes, written })
    }

    fn is_watched(&self, address: &str) -> bool {
        self.watched(address).is_none_or(|attributes| !attributes.is_empty())
    }

    /// The attributes that differ and are written down, with sizes; `None` where that cannot be told.
    fn watched(&self, address: &str) -> Option<Vec<Watched<'_>>> {
        let (differing, written) = (self.differing.get(address)?, self.written.get(&plain(address))?);
        let watched = differing.iter().filter(|attribute| written.contains(*attribute));
        let sizes = |attribute: &String| {
            let size = SIZES.into_iter().find(|size| size == attribute)?;
            self.sizes.get(&(address.to_owned(), size)).copied()
        };
        Some(watched.map(|attribute| (attribute.as_str(), sizes(attribute))).collect())
    }
}

fn is_code(name: &str) -> bool {
    let plain = name.strip_suffix(".json").unwrap_or(name);
    name.starts_with("tfconfig/") && Path::new(plain).extension().is_some_and(|extension| extension == "tf")
}

pub(super) fn text_of(archive: &mut ZipArchive<File>, name: &str) -> Option<Vec<u8>> {
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

pub(super) fn attributes(state: &[u8]) -> Option<BTreeMap<String, Map<String, Value>>> {
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
pub(super) fn plain(address: &str) -> String {
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
    fn what_others_changed_is_told_with_its_sizes_and_what_is_ignored_is_quiet() {
        let group = "module.jmeter.aws_autoscaling_group.slaves[\"a.b\"]";
        let change = |action| Change { address: group.to_owned(), action, reason: None };
        let by_hand = plan(&state(1, 4, "ok"), &state(2, 9, "busy"));
        let found = |ignore: &[&str], action| {
            let ignore: Vec<String> = ignore.iter().map(|&pattern| pattern.to_owned()).collect();
            super::found(by_hand.path(), vec![change(action)], &ignore)
        };
        let told = found(&[], Action::Update);
        assert_eq!(told.first().and_then(|change| change.reason.as_deref()), Some("desired_capacity 4 -> 9"));
        assert_eq!(told.first().and_then(desired), Some((4, 9)));
        assert_eq!(found(&["*.desired_capacity"], Action::Update), []);
        assert_eq!(found(&["module.jmeter"], Action::Update), []);
        assert_eq!(found(&["*.tags"], Action::Update).len(), 1);
        // That something is gone is no change of an attribute.
        assert_eq!(found(&["*.desired_capacity"], Action::Delete), [change(Action::Delete)]);
        assert_eq!(super::found(Path::new("/dev/null"), vec![change(Action::Update)], &[]), [change(Action::Update)]);
    }

    #[test]
    fn the_code_s_address_is_that_of_a_resource_without_modules_and_keys() {
        assert_eq!(plain("module.a[\"x.y\"].aws_instance.web[0]"), "aws_instance.web");
        assert_eq!(plain("aws_instance.web"), "aws_instance.web");
    }
}
