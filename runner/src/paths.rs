//! Where things lie below the runner's state folder (`.tidegate`).

use std::path::{Path, PathBuf};

use crate::domain::ids::{EnvironmentName, RunNumber, StackName};

/// The state folder. All paths in it are absolute.
#[derive(Debug, Clone)]
pub struct Paths(PathBuf);

impl Paths {
    /// `state_dir` must be absolute: children run in other folders.
    #[must_use]
    pub fn new(state_dir: &Path) -> Self {
        Self(state_dir.to_owned())
    }

    /// The state folder itself.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.0
    }

    /// The code that a stack runs.
    #[must_use]
    pub fn checkout(&self, environment: &EnvironmentName, stack: &StackName) -> PathBuf {
        self.0.join("checkouts").join(environment.as_str()).join(stack.as_str())
    }

    /// What Terraform keeps of all stacks; nobody but the owner may enter it.
    #[must_use]
    pub fn all_data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// A stack's `TF_DATA_DIR`.
    #[must_use]
    pub fn data(&self, environment: &EnvironmentName, stack: &StackName) -> PathBuf {
        self.all_data().join(environment.as_str()).join(stack.as_str())
    }

    /// The folders that carrying out runs writes to.
    #[must_use]
    pub fn written(&self) -> [PathBuf; 4] {
        [self.runs(), self.all_data(), self.0.join("checkouts"), self.0.join("logs")]
    }

    /// What runs need only while they live; nobody but the owner may enter it.
    #[must_use]
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// What a run needs only while it lives: variables, saved plans, the children's folders. Removed at its end.
    #[must_use]
    pub fn run(&self, run: RunNumber) -> PathBuf {
        self.runs().join(run.to_string())
    }

    /// Whoever has locked this file works on the run on this machine.
    #[must_use]
    pub fn driver(&self, run: RunNumber) -> PathBuf {
        self.runs().join(format!("{run}.driver"))
    }

    /// A stack's part of [`Paths::run`].
    #[must_use]
    pub fn stack_of_run(&self, run: RunNumber, stack: &StackName) -> PathBuf {
        self.run(run).join(stack.as_str())
    }

    /// The children's folders of one stack in one run: command and number (`apply-2`), oldest first.
    #[must_use]
    pub fn children(&self, run: RunNumber, stack: &StackName) -> Vec<(String, u32, PathBuf)> {
        let entries = std::fs::read_dir(self.stack_of_run(run, stack)).into_iter().flatten().flatten();
        let mut found: Vec<(String, u32, PathBuf)> = entries
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let (command, number) = name.rsplit_once('-')?;
                entry.path().is_dir().then_some((command.to_owned(), number.parse().ok()?, entry.path()))
            })
            .collect();
        found.sort_by_key(|(_, number, _)| *number);
        found
    }

    /// A new folder for a child: its number follows the last one of this stack and run, whatever the command. Logs count too: they
    /// stay when a run that waits for a yes gives up its folders, and must not be written over afterwards.
    #[must_use]
    pub fn next_child(&self, run: RunNumber, stack: &StackName, command: &str) -> PathBuf {
        let begun = self.children(run, stack).last().map_or(0, |(_, number, _)| *number);
        let logs = std::fs::read_dir(self.logs(run)).into_iter().flatten().flatten();
        let logged = logs.filter_map(|log| {
            let name = log.file_name().to_string_lossy().into_owned();
            let (of, step) = name.split_once('.')?;
            let (_, number) = step.split('.').next()?.rsplit_once('-')?;
            (of == stack.as_str()).then(|| number.parse::<u32>().ok())?
        });
        let number = logged.max().unwrap_or(0).max(begun) + 1;
        self.stack_of_run(run, stack).join(format!("{command}-{number}"))
    }

    /// The folder with a run's logs; they stay.
    #[must_use]
    pub fn logs(&self, run: RunNumber) -> PathBuf {
        self.0.join("logs").join(run.to_string())
    }

    /// The log of a child, named after its folder.
    #[must_use]
    pub fn log(&self, run: RunNumber, stack: &StackName, child: &Path) -> PathBuf {
        let name = child.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        self.logs(run).join(format!("{stack}.{name}.jsonl.gz"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_numbered_in_the_order_of_the_work() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths = Paths::new(folder.path());
        let stack: StackName = "app".parse().expect("a name");
        for command in ["init", "plan", "apply"] {
            let child = paths.next_child(RunNumber(7), &stack, command);
            std::fs::create_dir_all(child).expect("a folder");
        }
        let names: Vec<_> =
            paths.children(RunNumber(7), &stack).into_iter().map(|(c, n, _)| format!("{c}-{n}")).collect();
        assert_eq!(names, ["init-1", "plan-2", "apply-3"]);
        std::fs::create_dir_all(paths.logs(RunNumber(7))).expect("a folder");
        std::fs::write(paths.logs(RunNumber(7)).join("app.apply-3.jsonl.gz"), "").expect("a log");
        std::fs::remove_dir_all(paths.run(RunNumber(7))).expect("removed");
        assert!(paths.next_child(RunNumber(7), &stack, "plan").ends_with("plan-4"));
    }
}
