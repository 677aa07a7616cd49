//! Terraform's version against what roots and stacks ask for.

use std::path::Path as FilePath;

use super::super::document::Path;
use super::super::findings::Findings;
use super::super::problem::{Problem, quoted};
use super::super::version::{Constraints, Version};
use super::Visit;
use super::modules::at_line;
use crate::domain::environment::Stack;
use crate::root::Root;

impl Visit<'_, '_> {
    /// Checks the stack's own constraint and those of its root and modules.
    pub(super) fn check_versions(
        &self,
        stack: &Stack,
        roots: &[&Root],
        at: &Path<'_>,
        findings: &mut Findings<'_, '_>,
        elsewhere: &mut Vec<Problem>,
    ) {
        let version = self.version(stack, at, findings);
        let program = stack.terraform.program.to_string_lossy();
        // A constraint of the stack that cannot be parsed was refused when the file was read.
        if let (Some(version), Some(wanted)) = (&version, &stack.terraform.version)
            && wanted.parse::<Constraints>().is_ok_and(|wanted| !wanted.allow(version))
        {
            let message = format!("the stack wants version {}, and {} is {version}", quoted(wanted), quoted(&program));
            findings.at_value(&at.key("version"), message, Some(ANOTHER.to_owned()));
        }
        for (wanted, place) in roots.iter().flat_map(|root| &root.required_versions) {
            let (message, hint) = match wanted.parse::<Constraints>() {
                Err(error) => (error.to_string(), "write it like `~> 1.11` or `>= 1.9, < 2.0`"),
                Ok(wanted) => match &version {
                    Some(version) if !wanted.allow(version) => {
                        let wanted = quoted(&wanted.to_string());
                        (format!("this wants version {wanted}, and {} is {version}", quoted(&program)), ANOTHER)
                    }
                    Some(_) | None => continue,
                },
            };
            let problem = at_line(&place.file, place.line, message);
            elsewhere.push(problem.with_hint(Some(hint.to_owned())));
        }
    }

    /// The version of the stack's program, asked once per program.
    fn version(&self, stack: &Stack, at: &Path<'_>, findings: &mut Findings<'_, '_>) -> Option<Version> {
        let ask = self.options.version?;
        let program: &FilePath = &stack.terraform.program;
        let known = self.versions.borrow().get(program).cloned();
        let version = known.unwrap_or_else(|| {
            let version = ask(program);
            self.versions.borrow_mut().insert(program.to_owned(), version.clone());
            version
        });
        version
            .map_err(|why| {
                let message = format!("{} cannot be used: {why}", quoted(&program.to_string_lossy()));
                let hint = "install it, or name another one with `terraform` here or in `[runner]`".to_owned();
                // Where the program is named: at the stack, or for all of them, or nowhere.
                let (own, runner) = (at.key("terraform"), Path::ROOT.key("runner"));
                let of_all = runner.key("terraform");
                let named = if !self.document.has(&own) && self.document.has(&of_all) { &of_all } else { &own };
                findings.at_key(named, message, Some(hint));
            })
            .ok()
    }
}

const ANOTHER: &str = "name a program of a fitting version with `terraform` at the stack, or change the constraint";
