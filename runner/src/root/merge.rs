//! Several files to one root: what is declared twice, and what override files change.

use std::path::Path;

use super::declarations::{Declarations, VariableDeclaration};
use super::{DefaultValue, Root, Type, Variable};
use crate::problem::{Problem, quoted};

/// A root that grows file by file.
pub(super) struct Merge {
    pub(super) root: Root,
}

impl Merge {
    pub(super) fn new(folder: &Path) -> Self {
        Self { root: Root { folder: folder.to_owned(), ..Root::default() } }
    }

    /// Adds the declarations of an ordinary file.
    pub(super) fn add(&mut self, found: Declarations, problems: &mut Vec<Problem>) {
        let Declarations { variables, required_versions, backend, modules, resources } = found;
        for declaration in variables {
            if let Some(first) = self.root.variables.get(&declaration.name) {
                let place = first.at.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let message = format!("the variable {} is declared a second time", quoted(&declaration.name));
                let hint = format!("the first declaration is in {place}, line {}", first.at.line);
                let problem = Problem::at(&declaration.source, declaration.span, message);
                problems.push(problem.with_hint(Some(hint)));
                continue;
            }
            let (kind, type_text) = declaration.kind.unwrap_or((Type::Any, String::new()));
            let variable = Variable {
                name: declaration.name.clone(),
                kind,
                type_text,
                default: declaration.default.unwrap_or(DefaultValue::Missing),
                sensitive: declaration.sensitive.unwrap_or(false),
                conditions: declaration.conditions.unwrap_or_default(),
                at: declaration.at,
            };
            self.root.variables.insert(declaration.name, variable);
        }
        self.root.required_versions.extend(required_versions);
        self.root.backend = backend.or(self.root.backend.take());
        self.root.modules.extend(modules);
        self.root.resources.extend(resources);
    }

    /// Merges the declarations of an override file into what is there: what it names replaces what was.
    pub(super) fn add_override(&mut self, found: Declarations, problems: &mut Vec<Problem>) {
        // Terraform lets it change resources, not add any.
        let Declarations { variables, required_versions, backend, modules, resources: _ } = found;
        for declaration in variables {
            self.override_variable(declaration, problems);
        }
        if !required_versions.is_empty() {
            self.root.required_versions = required_versions;
        }
        self.root.backend = backend.or(self.root.backend.take());
        for module in modules {
            let base = self.root.modules.iter_mut().find(|base| base.name == module.name);
            if let Some(base) = base.filter(|_| !module.source.is_empty()) {
                *base = module;
            }
        }
    }

    fn override_variable(&mut self, declaration: VariableDeclaration, problems: &mut Vec<Problem>) {
        let Some(variable) = self.root.variables.get_mut(&declaration.name) else {
            let message = format!("this overrides the variable {}, which is not declared", quoted(&declaration.name));
            let hint = "declare it in a file whose name does not end in `override`".to_owned();
            problems.push(Problem::at(&declaration.source, declaration.span, message).with_hint(Some(hint)));
            return;
        };
        if let Some((kind, type_text)) = declaration.kind {
            variable.kind = kind;
            variable.type_text = type_text;
        }
        if let Some(default) = declaration.default {
            variable.default = default;
        }
        variable.sensitive = declaration.sensitive.unwrap_or(variable.sensitive);
        // Which of both count then is Terraform's to say.
        if declaration.conditions.is_some() {
            variable.conditions.clear();
        }
    }
}
