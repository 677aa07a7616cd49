//! A yard to try Tidegate in: a folder with a configuration, small real Terraform roots of `terraform_data`, and a `terraform`
//! that can be held, replaced and counted. Everything goes through the shipped binary; what came of it is read from the ledger.
//!
//! Nothing in it waits for a time: work is held by files (`hold`), let go (`release`), and waited for ([`eventually`]).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidegate_runner::domain::answer::RunSummary;
use tidegate_runner::domain::failure::Failure;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::run::{EventRecord, RunEvent, RunView, StackState};
use tidegate_runner::ledger::{Store, runs};
use tidegate_runner::terraform::{Attached, Child as Supervised, Stop};
use tokio::sync::OnceCell;

/// Longer than anything here takes on a machine that is busy with all the other tests.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Between two looks at something that is waited for.
const POLL: Duration = Duration::from_millis(20);

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
while [ -e "YARD/hold.$1.$2" ]; do sleep 0.05; done
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

/// Waits until `look` finds something, and gives it.
///
/// # Panics
/// When it never comes.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "never came: {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// The shipped binary, beside the folder of the test programs.
#[must_use]
pub fn tidegate() -> PathBuf {
    let here = std::env::current_exe().expect("this program");
    let binary = here.ancestors().nth(2).expect("target/PROFILE").join("tidegate");
    assert!(binary.exists(), "there is no {}: cargo build --workspace --bins", binary.display());
    binary
}

/// The name of the user who runs the tests: the owner of every environment, unless a test says otherwise.
#[must_use]
pub fn me() -> String {
    let id = Command::new("id").arg("-un").output().expect("id -un");
    String::from_utf8(id.stdout).expect("a name").trim().to_owned()
}

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
        let yard =
            Yard { folder, database: self.database.clone(), store: OnceCell::new(), processes: AtomicU32::new(0) };
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
             \"1s\"\nlease = \"3s\"\n{}\n",
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

/// A laid-out yard. Dropping it kills whatever Terraform still runs in it.
#[derive(Debug)]
pub struct Yard {
    folder: tempfile::TempDir,
    database: String,
    store: OnceCell<Store>,
    processes: AtomicU32,
}

/// What `shell -c` said.
#[derive(Debug)]
pub struct Told {
    /// The exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Told {
    /// Asserts the exit status, and gives the words.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn exits(&self, status: i32) -> &str {
        assert_eq!(self.status, Some(status), "it said:\n{}\n{}", self.out, self.err);
        &self.out
    }

    /// Asserts that all of this was said, and gives the words.
    ///
    /// # Panics
    /// When something was not.
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "the assertion is what most want")]
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.out.contains(word) || self.err.contains(word), "no `{word}` in:\n{}\n{}", self.out, self.err);
        }
        self
    }
}

/// A process of the shipped binary. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: tokio::process::Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw).expect("it runs");
        kill_process(pid, signal).expect("signalled");
    }

    /// `kill -9`, and nothing else of it is left.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("killed");
    }

    /// Asks it to drain and waits for its end.
    pub async fn stop(self) -> Told {
        self.signal(Signal::TERM);
        self.end().await
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn end(mut self) -> Told {
        let ended = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status: Option<ExitStatus> = ended.ok().map(|ended| ended.expect("its status"));
        let told = Told { status: status.and_then(|s| s.code()), out: self.out(), err: self.err() };
        assert!(status.is_some(), "it does not end:\n{}\n{}", told.out, told.err);
        told
    }

    /// What it has said so far.
    #[must_use]
    pub fn out(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// What it has said on standard error so far.
    #[must_use]
    pub fn err(&self) -> String {
        std::fs::read_to_string(&self.err).unwrap_or_default()
    }
}

impl Yard {
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

    /// [`eventually`], with everything that the yard knows when it never comes.
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

    fn command(&self, arguments: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(tidegate());
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
        let number = self.processes.fetch_add(1, Ordering::Relaxed);
        let (out, err) = (self.file(&format!("{number}.out")), self.file(&format!("{number}.err")));
        let file = |path: &Path| std::fs::File::create(path).expect("a file");
        let mut command = self.command(arguments);
        command.envs(env.iter().copied()).stdout(file(&out)).stderr(file(&err)).kill_on_drop(true);
        Process { child: command.spawn().expect("started"), out, err }
    }

    /// Runs the shipped binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Told {
        self.start(arguments, &[]).end().await
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

    /// The ledger.
    pub async fn store(&self) -> &Store {
        let open = async || {
            let address = match self.database.strip_prefix("sqlite:") {
                Some(file) => format!("sqlite:{}", self.file(file).display()),
                None => self.database.clone(),
            };
            Store::open(&address).await.expect("the ledger")
        };
        self.store.get_or_init(open).await
    }

    /// A run, if there is one.
    pub async fn known(&self, number: i64) -> Option<RunView> {
        let run = runs::by_number(self.store().await, RunNumber(number)).await.expect("the ledger")?;
        runs::view(self.store().await, run.id).await.expect("the ledger")
    }

    /// A run.
    pub async fn view(&self, number: i64) -> RunView {
        self.known(number).await.expect("a run")
    }

    /// A run's row.
    pub async fn row(&self, number: i64) -> RunSummary {
        runs::by_number(self.store().await, RunNumber(number)).await.expect("the ledger").expect("a run")
    }

    /// A run's events.
    pub async fn events(&self, number: i64) -> Vec<RunEvent> {
        let run = self.row(number).await;
        let records = runs::events(self.store().await, run.id, 0).await.expect("the ledger");
        records.into_iter().map(|EventRecord { event, .. }| event).collect()
    }

    /// The word for a run's state; empty when there is no such run.
    pub async fn status(&self, number: i64) -> &'static str {
        self.known(number).await.map_or("", |view| view.state.status())
    }

    /// Waits until a run is in this state, and gives it.
    pub async fn until(&self, number: i64, status: &str) -> RunView {
        self.wait(&format!("run {number} {status}"), async || {
            let view = self.known(number).await?;
            let there = view.state.status();
            assert!(there == status || !view.state.ended(), "run {number} is {there}, not {status}: {view:#?}");
            (there == status).then_some(view)
        })
        .await
    }

    /// Waits until another engine than the first has taken the run over, and asserts that it is in this state then.
    pub async fn until_taken_over(&self, number: i64, status: &str) {
        let what = format!("run {number} taken over");
        let there = self.wait(&what, async || {
            let view = self.known(number).await?;
            (view.attempt > 1).then_some(view.state.status())
        });
        assert_eq!(there.await, status);
    }

    /// Waits until a run has ended, and gives the word for how.
    pub async fn ends(&self, number: i64) -> &'static str {
        self.wait(&format!("the end of run {number}"), async || {
            let view = self.known(number).await?;
            view.state.ended().then_some(view.state.status())
        })
        .await
    }

    /// The addresses in a stack's state, as Terraform started by hand in its folder tells them.
    pub async fn in_state(&self, environment: &str, stack: &str) -> Vec<String> {
        let folder = self.by_hand(environment, stack);
        let list = self.terraform(&folder, &["state", "list"]).await;
        list.out.lines().map(str::to_owned).collect()
    }

    /// A folder in which a person could run Terraform on a stack's state: its root, initialised.
    #[must_use]
    pub fn by_hand(&self, environment: &str, stack: &str) -> PathBuf {
        self.file(&format!("roots/{environment}/{stack}"))
    }

    /// The real Terraform, by hand.
    pub async fn terraform(&self, folder: &Path, arguments: &[&str]) -> Told {
        let data = self.file("by-hand").join(folder.strip_prefix(self.path()).expect("in the yard"));
        if !data.exists() {
            let init = tokio::process::Command::new("terraform")
                .args(["init", "-input=false", "-no-color"])
                .current_dir(folder)
                .env("TF_DATA_DIR", &data)
                .env("CHECKPOINT_DISABLE", "1")
                .output();
            assert!(init.await.expect("terraform").status.success());
        }
        let output = tokio::process::Command::new("terraform")
            .args(arguments)
            .current_dir(folder)
            .env("TF_DATA_DIR", &data)
            .env("CHECKPOINT_DISABLE", "1")
            .kill_on_drop(true)
            .output();
        let output = output.await.expect("terraform");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Told { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Somebody applies `shop-app` by hand, with that many resources.
    pub async fn apply_by_hand(&self, slaves: u32) {
        let (yard, slaves) = (format!("-var=yard={}", self.path().display()), format!("-var=slaves={slaves}"));
        let arguments = ["apply", "-auto-approve", "-input=false", "-var=stack=shop-app", &yard, &slaves];
        self.terraform(&self.by_hand("shop", "app"), &arguments).await.exits(0);
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

    fn children(&self, run: i64, stack: &str) -> Vec<PathBuf> {
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

/// `kill -9` of a process that a test knows from its own yard.
pub fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("a process id"), Signal::KILL).expect("killed");
}

/// Whether a process runs.
#[must_use]
pub fn runs(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Why a stack of a run failed.
#[must_use]
pub fn failure<'v>(view: &'v RunView, stack: &str) -> Option<&'v Failure> {
    view.stacks.iter().find(|(name, _)| name.as_str() == stack).and_then(|(_, view)| match &view.state {
        StackState::Failed(_, failure) => Some(failure.as_ref()),
        _ => None,
    })
}
