//! A yard to try Tidegate in: a folder with a configuration, small real Terraform roots of `terraform_data`, and a `terraform`
//! that can be held, replaced and counted. Everything goes through the shipped binary; what came of it is read from the ledger.
//!
//! Nothing in it waits for a time: work is held by files (`hold`), let go (`release`), and waited for ([`Yard::wait`]).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tidegate_runner::ledger::Store;
use tidegate_runner::terraform::{Attached, Child as Supervised, Stop};
use tokio::sync::OnceCell;

pub use crate::layout::Layout;
pub use crate::ledger::{Lock, failure};
use crate::process::shipped;
pub use crate::process::{Process, Told, kill_9, me, runs, tidegate};

/// Longer than anything here takes on a machine that is busy with all the other tests.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Between two looks at something that is waited for.
const POLL: Duration = Duration::from_millis(20);

/// The user `nobody`, and the group.
const NOBODY: u32 = 65_534;

/// A laid-out yard. Dropping it kills whatever Terraform still runs in it.
#[derive(Debug)]
pub struct Yard {
    folder: tempfile::TempDir,
    pub(crate) database: String,
    pub(crate) store: OnceCell<Store>,
    processes: AtomicU32,
}

impl Yard {
    pub(crate) fn in_folder(folder: tempfile::TempDir, database: &str) -> Self {
        Self { folder, database: database.to_owned(), store: OnceCell::new(), processes: AtomicU32::new(0) }
    }

    /// The environment `shop` with the one stack `app`.
    #[must_use]
    pub fn new() -> Self {
        Layout::new().environment("shop", &[("app", &[])]).lay()
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file or folder in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file, with `YARD` in the text replaced by the folder.
    pub fn write(&self, name: &str, text: &str) {
        let file = self.file(name);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(file, text.replace("YARD", &self.path().display().to_string())).expect("a file");
    }

    /// Writes a program.
    pub fn program(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        std::fs::set_permissions(self.file(name), std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// Changes the configuration.
    pub fn configure(&self, from: &str, to: &str) {
        let text = self.read("tidegate.toml");
        assert!(text.contains(from), "no `{from}` in:\n{text}");
        self.write("tidegate.toml", &text.replace(from, to));
    }

    /// A text file; empty when there is none.
    #[must_use]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap_or_default()
    }

    /// Holds a subcommand (`plan`) or what resources do (`create.shop-app`).
    pub fn hold(&self, what: &str) {
        self.write(&format!("hold.{what}"), "");
    }

    /// Lets go what was held.
    pub fn release(&self, what: &str) {
        std::fs::remove_file(self.file(&format!("hold.{what}"))).expect("it was held");
    }

    /// Makes a resource fail (`create.shop-app.1`).
    pub fn fail(&self, what: &str) {
        self.write(&format!("fail.{what}"), "");
    }

    /// Makes it succeed again.
    pub fn heal(&self, what: &str) {
        std::fs::remove_file(self.file(&format!("fail.{what}"))).expect("it failed");
    }

    /// Runs a shell script instead of a subcommand.
    pub fn instead(&self, subcommand: &str, script: &str) {
        self.write(&format!("instead.{subcommand}"), script);
    }

    /// The real subcommand again.
    pub fn really(&self, subcommand: &str) {
        std::fs::remove_file(self.file(&format!("instead.{subcommand}"))).expect("it was replaced");
    }

    /// How often a subcommand was started for a stack (`shop-app`).
    #[must_use]
    pub fn calls(&self, subcommand: &str, stack: &str) -> usize {
        self.call_pids(subcommand, stack).len()
    }

    /// The processes that were started so, oldest first.
    #[must_use]
    pub fn call_pids(&self, subcommand: &str, stack: &str) -> Vec<i32> {
        let begin = format!("{subcommand} {stack} ");
        self.read("calls").lines().filter_map(|line| line.strip_prefix(&begin)?.parse().ok()).collect()
    }

    /// How often something was done by resources (`create shop-app`).
    #[must_use]
    pub fn did(&self, what: &str) -> usize {
        self.read("did").lines().filter(|line| line.starts_with(what)).count()
    }

    /// Waits until a subcommand was started that often.
    pub async fn until_calls(&self, subcommand: &str, stack: &str, count: usize) {
        let what = format!("{count} x terraform {subcommand} of {stack}");
        self.wait(&what, async || (self.calls(subcommand, stack) >= count).then_some(())).await;
    }

    /// Waits until resources did something that often.
    pub async fn until_did(&self, does: &str, count: usize) {
        self.wait(&format!("{count} x {does}"), async || (self.did(does) >= count).then_some(())).await;
    }

    /// Waits for it, with everything that the yard knows when it never comes.
    pub async fn wait<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            if start.elapsed() > DEADLINE {
                self.complain(what).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn complain(&self, what: &str) -> ! {
        let mut text = format!("never came: {what}\n");
        for number in 1.. {
            let Some(view) = self.known(number).await else { break };
            writeln!(text, "run {number}: {:?}", view.state).expect("written");
            for (stack, view) in &view.stacks {
                writeln!(text, "  {stack}: {:?} {:?}", view.state, view.note).expect("written");
            }
        }
        writeln!(text, "calls:\n{}did:\n{}", self.read("calls"), self.read("did")).expect("written");
        for number in 0..self.processes.load(Ordering::Relaxed) {
            let (out, err) = (self.read(&format!("{number}.out")), self.read(&format!("{number}.err")));
            writeln!(text, "process {number}:\n{out}\n{err}").expect("written");
        }
        writeln!(text, "log:\n{}", self.read("state/tidegate.log")).expect("written");
        panic!("{text}")
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(program);
        command.current_dir(self.path()).args(arguments).stdin(Stdio::null()).env_remove("TIDEGATE_LOG");
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("TF_") && name != "TF_CLI_CONFIG_FILE" {
                command.env_remove(name.as_ref());
            }
        }
        command
    }

    /// Starts the shipped binary.
    pub fn start(&self, arguments: &[&str], env: &[(&str, &str)]) -> Process {
        self.start_program(&tidegate(), arguments, env)
    }

    /// [`Yard::start`] with SIGHUP as a terminal leaves it, or ignored as by `nohup`, whatever these tests were started by.
    pub fn start_with_hang_up(&self, ignored: bool, arguments: &[&str]) -> Process {
        let program = tidegate();
        let handling = if ignored { "--ignore-signal=HUP" } else { "--default-signal=HUP" };
        let mut words = vec![handling, program.to_str().expect("a path of text")];
        words.extend(arguments);
        self.start_program(Path::new("env"), &words, &[])
    }

    fn start_program(&self, program: &Path, arguments: &[&str], env: &[(&str, &str)]) -> Process {
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let mut command = self.command(program, arguments);
        command.envs(env.iter().copied());
        self.start_command(command, number)
    }

    fn start_command(&self, mut command: tokio::process::Command, number: u32) -> Process {
        let (out, err) = (self.file(&format!("{number}.out")), self.file(&format!("{number}.err")));
        let file = |path: &Path| std::fs::File::create(path).expect("a file");
        command.stdout(file(&out)).stderr(file(&err)).kill_on_drop(true);
        Process::new(command.spawn().expect("started"), out, err)
    }

    /// Runs the shipped binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Told {
        self.start(arguments, &[]).end().await
    }

    /// [`Yard::run`] as a user who may do only what modes allow: where the superuser runs the tests, another one.
    pub async fn run_as_another(&self, arguments: &[&str]) -> Told {
        let program = self.file("another-tidegate");
        if !program.exists() {
            // Beside the tests it may lie where nobody else can go.
            std::fs::copy(tidegate(), &program).expect("a copy");
        }
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let mut command = self.command(&program, arguments);
        if me() == "root" {
            command.uid(NOBODY).gid(NOBODY);
        }
        self.start_command(command, number).end().await
    }

    /// `shell -c`: one command and the end of its run.
    pub async fn shell(&self, line: &str) -> Told {
        self.run(&["shell", "-c", line]).await
    }

    /// `shell -c --no-wait`: accepted, and no more. Needs a living engine.
    pub async fn accepted(&self, line: &str) -> Told {
        let told = self.run(&["shell", "--no-wait", "-c", line]).await;
        told.exits(0);
        told
    }

    /// `shell -c` in the background.
    pub fn begin(&self, line: &str) -> Process {
        self.start(&["shell", "-c", line], &[])
    }

    /// `serve`, once it is the engine.
    pub async fn serve(&self) -> Process {
        let serve = self.start(&["serve"], &[]);
        self.wait("an engine", async || serve.err().contains(" ready").then_some(())).await;
        serve
    }

    /// `tidegate-runner` with this configuration, once it carries out runs.
    pub async fn runner(&self, configuration: &str) -> Process {
        let runner = self.start_program(&shipped("tidegate-runner"), &["--config", configuration], &[]);
        self.wait("a runner", async || runner.err().contains(" ready").then_some(())).await;
        runner
    }

    /// Supervisor and Terraform of the newest child of a stack in a run.
    #[must_use]
    pub fn processes(&self, run: i64, stack: &str) -> Option<(i32, i32)> {
        let folder = self.children(run, stack).pop()?;
        let text = std::fs::read_to_string(folder.join("child.json")).ok()?;
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let pid = |name: &str| i32::try_from(json[name]["pid"].as_i64().expect("a number")).expect("a process");
        Some((pid("supervisor"), pid("child")))
    }

    /// Kills `engine`, and the supervisor and the Terraform of a stack with it, all by `kill -9`.
    ///
    /// # Panics
    /// When nothing of the stack runs.
    pub async fn kill_everything(&self, engine: Process, run: i64, stack: &str) {
        // Terraform may be at work before its supervisor has written down which process it is.
        let (supervisor, terraform) = self.wait("processes", async || self.processes(run, stack)).await;
        engine.kill().await;
        kill_9(supervisor);
        kill_9(terraform);
    }

    /// The folders of the children of a stack in a run, in the order in which they were started.
    #[must_use]
    pub fn children(&self, run: i64, stack: &str) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.file(&format!("state/runs/{run}/{stack}"))).into_iter().flatten();
        let mut children: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
        children.sort_by_key(|path| path.to_string_lossy().rsplit('-').next().and_then(|n| n.parse::<u32>().ok()));
        children
    }
}

impl Default for Yard {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        for run in std::fs::read_dir(self.file("state/runs")).into_iter().flatten().flatten() {
            for stack in std::fs::read_dir(run.path()).into_iter().flatten().flatten() {
                for child in std::fs::read_dir(stack.path()).into_iter().flatten().flatten() {
                    if let Attached::Running(child) = Supervised::attach(&child.path()) {
                        // It may end by itself in this moment.
                        let _ = child.stop(Stop::Kill);
                    }
                }
            }
        }
    }
}
