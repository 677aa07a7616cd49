//! An environment with mistakes, as far as it can be understood: its stacks' roots are read all the same, so that whoever puts the
//! mistakes right is not told of the next ones only then.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::de::{DeTable, ValueDeserializer};

use super::super::document::{Document, Node, Path};
use super::super::findings::Findings;
use super::super::shape::Shape;
use super::environment::Surroundings;
use super::profile::{self, ProfileSection};
use super::setting::SettingSection;
use super::stack::StackSection;
use crate::domain::environment::{Setting, Stack, Variables};
use crate::domain::ids::{GroupName, ProfileName, SettingName, StackName};

/// What a check of roots needs of an environment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) struct Draft {
    /// Its stacks, each with its place in the list of the file.
    pub(in super::super) stacks: Vec<(usize, Stack)>,
    pub(in super::super) settings: IndexMap<SettingName, Setting>,
    pub(in super::super) profiles: IndexMap<ProfileName, BTreeMap<StackName, Variables>>,
    /// False where values for variables could not be read, so that it is not known which are given.
    pub(in super::super) all_values: bool,
    /// The group that it is in.
    pub(in super::super) group: DraftGroup,
}

/// Whether an environment with mistakes is in a group.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in super::super) enum DraftGroup {
    /// That cannot be read.
    #[default]
    Unread,
    /// In none.
    None,
    /// In this one.
    Of(GroupName),
}

impl Draft {
    /// Reads what can be read of the environment at `at`; `shape` knows what in it is not of the form. What is wrong with the
    /// parts is not told from here.
    pub(in super::super) fn read(
        document: &Document<'_>,
        at: &Path<'_>,
        node: &Node<'_>,
        shape: &Shape,
        surroundings: &Surroundings<'_>,
    ) -> Self {
        let mut untold = Findings::new(document);
        let part = |name: &str| node.get_ref().as_table().and_then(|table| table.get(name));
        let stack_nodes = || part("stacks").and_then(|node| node.get_ref().as_array()).into_iter().flatten();
        let mut stacks = Vec::new();
        let mut names = Vec::new();
        for (index, node) in stack_nodes().enumerate() {
            let Some(section) = section::<StackSection>(node, shape) else { continue };
            let stack = section.read(&at.key("stacks").index(index), surroundings, &mut untold);
            names.push(section.name);
            stacks.extend(stack.map(|stack| (index, stack)));
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let settings = entries(part("settings")).filter_map(|(name, node)| {
            let section = section::<SettingSection>(node, shape)?;
            let setting = section.read(&at.key("settings").key(name), name.parse().ok()?, &names, &mut untold)?;
            Some((setting.name.clone(), setting))
        });
        let settings = settings.collect();
        let sections: IndexMap<String, ProfileSection> = entries(part("profiles"))
            .filter_map(|(name, node)| Some((name.to_owned(), section::<ProfileSection>(node, shape)?)))
            .collect();
        let (profiles, _) = profile::read(&at.key("profiles"), &sections, &names, &settings, &mut untold);
        let read = |(name, node): (&str, &Node<'_>)| {
            let by_stack = profiles.get(name).map(BTreeMap::len);
            shape.is_whole(node) && by_stack == node.get_ref().as_table().map(values_in)
        };
        let all_values = stack_nodes().all(|node| shape.is_whole(node)) && entries(part("profiles")).all(read);
        let group = part("group").map_or(DraftGroup::None, |node| {
            let read = node.get_ref().as_str().and_then(|group| group.parse().ok());
            read.map_or(DraftGroup::Unread, DraftGroup::Of)
        });
        Self { stacks, settings, profiles, all_values, group }
    }
}

/// How many stacks a profile has values for: what is in it beside its rate.
fn values_in(profile: &DeTable<'_>) -> usize {
    profile.keys().filter(|key| key.get_ref() != "rate").count()
}

/// A part without what is wrong in it, when what is left is enough.
fn section<T: for<'d> Deserialize<'d>>(node: &Node<'_>, shape: &Shape) -> Option<T> {
    T::deserialize(ValueDeserializer::from(shape.without_wrong(node))).ok()
}

fn entries<'d, 'i>(part: Option<&'d Node<'i>>) -> impl Iterator<Item = (&'d str, &'d Node<'i>)> {
    part.and_then(|node| node.get_ref().as_table())
        .into_iter()
        .flatten()
        .map(|(name, node)| (name.get_ref().as_ref(), node))
}
