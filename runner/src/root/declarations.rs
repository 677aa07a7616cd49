//! What one file of a root declares.

use std::ops::Range;

use super::backend::Backend;
use super::block::{Argument, Block, Body};
use super::{Condition, DefaultValue, Location, ModuleCall, Type};
use crate::problem::source::Source;

/// What one file declares.
#[derive(Debug)]
pub(super) struct Declarations {
    pub(super) variables: Vec<VariableDeclaration>,
    pub(super) required_versions: Vec<(String, Location)>,
    pub(super) backend: Option<Backend>,
    pub(super) modules: Vec<ModuleCall>,
    pub(super) resources: Vec<String>,
}

/// A variable block; what it leaves out is `None`, so that an override changes only what it names.
#[derive(Debug)]
pub(super) struct VariableDeclaration {
    pub(super) name: String,
    pub(super) kind: Option<(Type, String)>,
    pub(super) default: Option<DefaultValue>,
    pub(super) sensitive: Option<bool>,
    /// The simple ones of its conditions; `None` when it has none at all.
    pub(super) conditions: Option<Vec<Condition>>,
    pub(super) at: Location,
    /// The part of the file that names it.
    pub(super) span: Range<usize>,
    pub(super) source: Source,
}

impl Declarations {
    pub(super) fn read(body: &Body<'_>) -> Self {
        let versions = body.blocks("terraform").into_iter().filter_map(|block| block.body.argument("required_version"));
        Self {
            variables: body.blocks("variable").iter().map(VariableDeclaration::read).collect(),
            required_versions: versions.filter_map(|given| Some((given.text()?.to_owned(), given.at()))).collect(),
            backend: Backend::read(body),
            modules: body.blocks("module").iter().map(ModuleCall::of).collect(),
            resources: body.resources(),
        }
    }
}

impl VariableDeclaration {
    fn read(block: &Block<'_>) -> Self {
        let argument = |name| block.body.argument(name);
        let validations = block.body.blocks("validation");
        let conditions = validations.iter().filter_map(|validation| Condition::read(block.label, validation));
        Self {
            name: block.label.to_owned(),
            kind: argument("type").map(|kind| (kind.kind(), kind.written())),
            default: argument("default").map(|given| given.plain().map_or(DefaultValue::Unread, DefaultValue::Value)),
            sensitive: argument("sensitive").as_ref().and_then(Argument::flag),
            conditions: (!validations.is_empty()).then(|| conditions.collect()),
            at: block.at(),
            span: block.span(),
            source: block.source(),
        }
    }
}
