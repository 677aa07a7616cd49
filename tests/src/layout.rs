//! What is to be in a yard: its configuration, its Terraform roots, and a `terraform` that can be held, replaced and counted.

use std::fmt::Write as _;
use std::path::Path;

use crate::process::me;
use crate::yard::Yard;

/// The root module of every stack, unless a test writes another. Each resource tells in `did` what it does, and waits while
/// there is a file `hold.VERB.STACK`; it fails where there is a file `fail.VERB.STACK.INDEX`.
const ROOT: &str = r#"variable "slaves" {
  type    = number
  default = 1
}

variable "yard" {
  type = string
}

variable "stack" {
  type = string
}

resource "terraform_data" "slave" {
  count = var.slaves
  input = { yard = var.yard, stack = var.stack, index = count.index }

  provisioner "local-exec" {
    command = "exec ${self.input.yard}/does create ${self.input.stack} ${self.input.index}"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "exec ${self.input.yard}/does delete ${self.input.stack} ${self.input.index}"
  }
}

output "slaves" {
  value = var.slaves
}
"#;

/// What every resource runs.
const DOES: &str = r#"#!/bin/sh
echo "$*" >>"YARD/did"
while [ -e "YARD/hold.$1.$2" ] || [ -e "YARD/hold.$1.$2.$3" ]; do sleep 0.05; done
[ ! -e "YARD/fail.$1.$2.$3" ] || { echo "no capacity for $2 $3" >&2; exit 1; }
"#;

/// Terraform, with a count of its calls. `hold.SUBCOMMAND` holds it before it begins, `instead.SUBCOMMAND` is run in its place.
const TERRAFORM: &str = r#"#!/bin/sh
case "$1" in
version) ;;
*) echo "$1 $(basename "$(dirname "$TF_DATA_DIR")")-$(basename "$TF_DATA_DIR") $$" >>"YARD/calls" ;;
esac
while [ -e "YARD/hold.$1" ]; do sleep 0.05; done
[ ! -e "YARD/instead.$1" ] || exec sh "YARD/instead.$1" "$@"
exec terraform "$@"
"#;

/// What is to be in a yard.
#[derive(Debug)]
pub struct Layout {
    top: String,
    database: String,
    runner: String,
    environments: Vec<EnvironmentLayout>,
}

/// An environment of a [`Layout`].
#[derive(Debug)]
struct EnvironmentLayout {
    name: String,
    lines: String,
    stacks: Vec<(String, Vec<String>)>,
}

impl Default for Layout {
    fn default() -> Self {
        Self::new()
    }
}

impl Layout {
    /// Without an environment.
    #[must_use]
    pub fn new() -> Self {
        Self {
            top: String::new(),
            database: "sqlite:tidegate.db".to_owned(),
            runner: String::new(),
            environments: Vec::new(),
        }
    }

    /// A line of the configuration before all sections.
    #[must_use]
    pub fn top(mut self, line: &str) -> Self {
        writeln!(self.top, "{line}").expect("written");
        self
    }

    /// Another ledger.
    #[must_use]
    pub fn database(mut self, url: &str) -> Self {
        url.clone_into(&mut self.database);
        self
    }

    /// A line of `[runner]`.
    #[must_use]
    pub fn runner(mut self, line: &str) -> Self {
        writeln!(self.runner, "{line}").expect("written");
        self
    }

    /// An environment with stacks, each with those that it needs. Each stack has a setting of its own name: the number of its
    /// resources, 1 at `small` and 3 at `full`.
    #[must_use]
    pub fn environment(self, name: &str, stacks: &[(&str, &[&str])]) -> Self {
        self.environment_with(name, "", stacks)
    }

    /// [`Layout::environment`], with more lines in its section.
    #[must_use]
    pub fn environment_with(mut self, name: &str, lines: &str, stacks: &[(&str, &[&str])]) -> Self {
        let stacks = stacks
            .iter()
            .map(|(stack, needs)| ((*stack).to_owned(), needs.iter().map(|need| (*need).to_owned()).collect()))
            .collect();
        self.environments.push(EnvironmentLayout { name: name.to_owned(), lines: lines.to_owned(), stacks });
        self
    }

    /// Lays it out.
    #[must_use]
    pub fn lay(self) -> Yard {
        let folder = tempfile::Builder::new().prefix("tidegate-yard.").tempdir().expect("a folder");
        let yard = Yard::in_folder(folder, &self.database);
        yard.write("tidegate.toml", &self.configuration(yard.path()));
        for EnvironmentLayout { name, stacks, .. } in &self.environments {
            for (stack, _) in stacks {
                yard.write(&format!("roots/{name}/{stack}/main.tf"), ROOT);
            }
        }
        yard.program("does", DOES);
        yard.program("terraform", TERRAFORM);
        yard
    }

    fn configuration(&self, yard: &Path) -> String {
        let mut text = format!(
            "{}\n[database]\nurl = \"{}\"\n\n[runner]\nstate_dir = \"state\"\nterraform = \"./terraform\"\nheartbeat = \
             \"1s\"\nlease = \"3s\"\n{}\n\n[access]\nviewer = [\"everyone\"]\n\n",
            self.top, self.database, self.runner
        );
        for EnvironmentLayout { name, lines, stacks } in &self.environments {
            let owners =
                if lines.contains("owners") { String::new() } else { format!("owners = [\"local:{}\"]\n", me()) };
            write!(text, "[environments.{name}]\n{owners}levels = [\"small\", \"full\"]\nup = \"full\"\ndown = \"small\"\n{lines}\n")
                .expect("written");
            for (stack, needs) in stacks {
                writeln!(
                    text,
                    "[[environments.{name}.stacks]]\nname = \"{stack}\"\nroot = \"roots/{name}/{stack}\"\noff = \
                     \"destroy\"\nneeds = {needs:?}\nvariables = {{ yard = {:?}, stack = \"{name}-{stack}\" }}\n",
                    yard.display().to_string()
                )
                .expect("written");
            }
            for (stack, _) in stacks {
                write!(
                    text,
                    "[environments.{name}.settings.{stack}]\nstack = \"{stack}\"\nvariable = \"slaves\"\nmin = 0\nmax = \
                     20\n"
                )
                .expect("written");
            }
            for (profile, slaves) in [("small", 1), ("full", 3)] {
                writeln!(text, "[environments.{name}.profiles.{profile}]").expect("written");
                for (stack, _) in stacks {
                    writeln!(text, "{stack} = {{ slaves = {slaves} }}").expect("written");
                }
            }
        }
        text
    }
}
