//! `tidegate adopt ROOT`: a proposed environment for a root that people run by hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tidegate_runner::account;
use tidegate_runner::config::{self, adopt};
use tidegate_runner::domain::ids::{ActorId, EnvironmentName};
use tidegate_runner::root::Folder;

use super::fail;
use crate::chat::shell::color_on_stdout;

/// `tidegate adopt`
#[derive(Debug, Args)]
pub struct Adopt {
    /// The folder of the Terraform root.
    root: PathBuf,
    /// The environment's name. Without it, the folder's.
    #[arg(long)]
    name: Option<String>,
    /// A new file for the proposal, which `include` may name. Without it, it is printed.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

impl Adopt {
    /// Exit status 0 when there is a proposal, else 1. Nothing is changed but the new file.
    pub(super) fn run(&self, config_file: &Path) -> ExitCode {
        let name: Option<EnvironmentName> = match &self.name {
            Some(name) => match name.parse() {
                Ok(name) => Some(name),
                Err(why) => return fail(&format!("{why}: `tidegate adopt {} --name NAME`", self.root.display())),
            },
            None => std::path::absolute(&self.root).ok().as_deref().and_then(adopt::name_of),
        };
        let Some(name) = name else {
            return fail(&format!(
                "the folder's name makes no environment's: `tidegate adopt {} --name NAME`",
                self.root.display()
            ));
        };
        let read = Folder::list(&self.root).ok().map(|folder| (folder.root(), folder.plain_values()));
        let (root, values) = match read {
            Some((Ok(root), values)) => (root, values),
            Some((Err(problems), _)) => {
                eprint!("{}", config::render(&problems, color_on_stdout()));
                return ExitCode::FAILURE;
            }
            None => return fail(&format!("there is no folder {} that can be read", self.root.display())),
        };
        // As the configuration names it: from its own folder.
        let written = from(config_file, &self.root);
        let workspace = adopt::workspace(&self.root);
        let owner = ActorId::local(&account::own_name().unwrap_or_else(|| account::own_id().to_string()));
        let state = adopt::state(&root, workspace.as_deref());
        let proposal = adopt::propose(&name, &root, &written, workspace.as_deref(), &owner, &values, &state);
        match &self.to {
            None => print!("{}", proposal.text),
            Some(file) => {
                let made =
                    std::fs::File::create_new(file).and_then(|mut file| file.write_all(proposal.text.as_bytes()));
                if let Err(error) = made {
                    return fail(&format!("{} cannot be written: {error}; nothing is overwritten", file.display()));
                }
                println!("{} is written; `tidegate check` tells whether it is whole.", file.display());
            }
        }
        if !proposal.missing.is_empty() {
            eprintln!("Without a value: {}. Give each one where the proposal says so.", proposal.missing.join(", "));
        }
        ExitCode::SUCCESS
    }
}

/// A folder as a file in another folder names it; absolute where it does not lie below that.
fn from(file: &Path, folder: &Path) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (file, folder) = (absolute(file), absolute(folder));
    let below = file.parent().and_then(|parent| folder.strip_prefix(parent).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Some(below) => below.to_string_lossy().into_owned(),
        None => folder.to_string_lossy().into_owned(),
    }
}
