//! What stands written in resources and locals: names, never values. Expressions are not evaluated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Folder;
use super::block::Tree;
use crate::problem::source::Source;

/// Names of the arguments and blocks of the resources in a file, by address without a module (`aws_instance.web`), less those that
/// `ignore_changes` leaves to others. Of a file that cannot be read nothing.
#[must_use]
pub fn arguments_of_resources(name: &str, text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let source = Source::new(name, text);
    let json = Path::new(name).extension().is_some_and(|extension| extension == "json");
    let Ok(tree) = Tree::parse(&source, json) else { return BTreeMap::new() };
    let body = tree.body(&source);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (address, mut names, lifecycle) in body.entries_of_resources() {
        let ignored = lifecycle.split_once("ignore_changes").map(|(_, rest)| rest).unwrap_or_default();
        let ignored = ignored.split_once(']').map_or(ignored, |(list, _)| list);
        let words: Vec<&str> = ignored.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        if words.contains(&"all") {
            names.clear();
        }
        names.retain(|name| !words.contains(&name.as_str()));
        all.entry(address).or_default().extend(names);
    }
    all
}

impl Folder {
    /// Names of the locals in whose expressions `word` stands, or a local in whose expression it stands.
    #[must_use]
    pub fn locals_of(&self, word: &str) -> BTreeSet<String> {
        let mut written: Vec<(String, String)> = Vec::new();
        for file in self.files.iter().filter(|file| !file.tofu_only) {
            let Ok(body) = file.body() else { continue };
            let locals = body.blocks("locals").into_iter().flat_map(|block| block.body.arguments());
            written.extend(locals.map(|local| (local.name.to_owned(), local.written())));
        }
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for (name, text) in &written {
                let by_local = || locals_in(text).any(|local| found.contains(local));
                if text.contains(word) || by_local() {
                    found.insert(name.clone());
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }
}

/// The names after `local.` in an expression.
fn locals_in(text: &str) -> impl Iterator<Item = &str> {
    let name = |rest: &'_ str| rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(rest.len());
    text.match_indices("local.").filter_map(move |(at, word)| {
        let rest = text.get(at + word.len()..)?;
        rest.get(..name(rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_arguments_blocks_and_dynamic_blocks_are_told_less_what_is_left_to_others() {
        let text = r#"
resource "aws_autoscaling_group" "slaves" {
  name             = "x"
  desired_capacity = 4
  max_size         = 9
  dynamic "tag" {
    for_each = {}
    content {}
  }
  lifecycle {
    ignore_changes = [desired_capacity, tag["a"]]
  }
}
resource "aws_instance" "all" {
  ami = "x"
  lifecycle {
    ignore_changes = all
  }
}
"#;
        let all = arguments_of_resources("main.tf", text);
        let of = |address: &str| all[address].iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(of("aws_autoscaling_group.slaves"), ["lifecycle", "max_size", "name"]);
        assert!(of("aws_instance.all").is_empty());
        let json = r#"{ "resource": { "aws_instance": { "web": { "ami": "x", "tags": {} } } } }"#;
        let all = arguments_of_resources("main.tf.json", json);
        assert_eq!(all["aws_instance.web"], BTreeSet::from(["ami".to_owned(), "tags".to_owned()]));
        assert!(arguments_of_resources("main.tf", "resource {{{").is_empty());
    }

    #[test]
    fn locals_made_of_another_stack_are_found_through_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let text = "locals {\n  net = data.terraform_remote_state.base.outputs\n  ids = local.net.ids\n  own = 1\n  two = local.own\n}\n";
        std::fs::write(folder.path().join("main.tf"), text).expect("written");
        let found = Folder::list(folder.path()).expect("a folder").locals_of("terraform_remote_state");
        assert_eq!(found, BTreeSet::from(["net".to_owned(), "ids".to_owned()]));
    }
}
