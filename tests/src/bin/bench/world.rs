//! Folders to measure in: a Terraform root of `terraform_data` in a git repository, and a configuration for it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tidegate::conversation::{self, Verdict};
use tidegate::follow::{Rest, follow};
use tidegate::zone::Zone;
use tidegate_runner::desk::Message;
use tidegate_runner::domain::answer::Actor;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::policy::Place;
use tidegate_runner::domain::run::Outcome;
use tidegate_runner::house::House;

/// Five resources that are made at once: what remains is Terraform itself and whoever starts it.
const ROOT: &str = r#"variable "slaves" {
  type    = number
  default = 0
}

resource "terraform_data" "slave" {
  count = var.slaves
  input = { index = count.index }
}

output "slaves" {
  value = var.slaves
}
"#;

/// What people's scripts do. `$1` is the number of slaves.
pub(crate) const SCRIPT: &str = "#!/bin/sh
set -e
terraform init -input=false
terraform plan -input=false -out=plan.bin -var slaves=$1
terraform apply -input=false plan.bin
";

/// Where a ledger is, unless it is wanted elsewhere.
const LEDGER: &str = "sqlite:state/tidegate.db";

/// The configuration.
const FILE: &str = "tidegate.toml";

/// A folder with roots and a configuration.
#[derive(Debug)]
pub(crate) struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// `environments` environments `env0`, `env1`, ..., each with one stack and a root of its own.
    pub(crate) fn new(environments: usize, runner: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-bench.").tempdir().expect("a folder");
        let mut text = format!("[database]\nurl = \"{LEDGER}\"\n\n[runner]\nstate_dir = \"state\"\n{runner}\n");
        for number in 0..environments {
            let root = folder.path().join(format!("roots/env{number}"));
            std::fs::create_dir_all(&root).expect("a folder");
            std::fs::write(root.join("main.tf"), ROOT).expect("a file");
            writeln!(text, "{}", environment(number)).expect("written");
        }
        std::fs::write(folder.path().join(FILE), text).expect("a file");
        std::fs::write(folder.path().join("script"), SCRIPT).expect("a file");
        std::fs::write(folder.path().join(".gitignore"), "state/\n.terraform/\n*.tfstate*\nplan.bin\n")
            .expect("a file");
        let git = |arguments: &[&str]| {
            let mut command = Command::new("git");
            command.arg("-C").arg(folder.path()).args(["-c", "user.name=bench", "-c", "user.email=bench@localhost"]);
            let done = command.args(arguments).stdout(Stdio::null()).status().expect("git");
            assert!(done.success(), "git {arguments:?}");
        };
        git(&["init", "--quiet"]);
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", "Roots"]);
        Self { folder }
    }

    /// Its ledger is in this database instead.
    pub(crate) fn keeps_its_ledger_at(&self, url: &str) {
        let file = self.path().join(FILE);
        let text = std::fs::read_to_string(&file).expect("a configuration");
        std::fs::write(file, text.replace(LEDGER, url)).expect("a file");
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration.
    pub(crate) fn config(&self) -> PathBuf {
        self.path().join("tidegate.toml")
    }

    /// What a chat bot consists of, in this process, with its engine at work.
    pub(crate) async fn house(&self) -> House {
        let mut house = House::open(&self.config()).await.expect("a house");
        house.start_engine();
        assert!(house.is_engine().await, "another engine lives");
        house
    }

    /// How long the script takes.
    pub(crate) fn script(&self, slaves: u32) -> Duration {
        let mut command = Command::new("sh");
        command.arg("../../script").arg(slaves.to_string()).current_dir(self.path().join("roots/env0"));
        timed(&mut command)
    }

    /// How long `git clone` and the script in it take. Tidegate, too, makes a checkout of its own when it has none.
    pub(crate) fn clone_and_script(&self, slaves: u32) -> [Duration; 2] {
        let clone = self.path().join("state/clone");
        let mut git = Command::new("git");
        git.args(["clone", "--quiet"]).arg(self.path()).arg(&clone);
        let mut script = Command::new("sh");
        script.arg("../../script").arg(slaves.to_string()).current_dir(clone.join("roots/env0"));
        [timed(&mut git), timed(&mut script)]
    }

    /// How long `tidegate shell -c` takes.
    pub(crate) fn shell(&self, line: &str) -> Duration {
        let mut command = Command::new(tidegate());
        command.args(["shell", "-c", line]).current_dir(self.path());
        timed(&mut command)
    }
}

fn environment(number: usize) -> String {
    format!(
        "[environments.env{number}]\nowners = [\"local:{me}\"]\nlevels = [\"small\", \"full\"]\nup = \"full\"\n\
         down = \"small\"\n\n[[environments.env{number}.stacks]]\nname = \"app\"\nroot = \"roots/env{number}\"\n\n\
         [environments.env{number}.settings.slaves]\nstack = \"app\"\nvariable = \"slaves\"\nmin = 0\nmax = 100000\n\n\
         [environments.env{number}.profiles]\nsmall = {{ app = {{ slaves = 0 }} }}\n\
         full = {{ app = {{ slaves = 5 }} }}\n",
        me = me()
    )
}

/// The OS user, who owns every environment.
fn me() -> String {
    let id = Command::new("id").arg("-un").output().expect("id -un");
    String::from_utf8(id.stdout).expect("text").trim().to_owned()
}

/// The program that is measured, beside this one.
pub(crate) fn tidegate() -> PathBuf {
    std::env::current_exe().expect("this program").with_file_name("tidegate")
}

/// Wall-clock time of a program that must succeed.
fn timed(command: &mut Command) -> Duration {
    command.env("CHECKPOINT_DISABLE", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().expect("started");
    let took = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    took
}

/// A message as a chat hands it in.
pub(crate) fn message(actor: &str, typed: &str) -> Message {
    Message {
        key: format!("bench:{}", uuid::Uuid::now_v7()),
        actor: Actor::person(ActorId::local(actor), actor),
        place: Place::shell(),
        typed: typed.to_owned(),
    }
}

/// A message of the owner of everything.
pub(crate) fn order(typed: &str) -> Message {
    message(&me(), typed)
}

/// From a message to the last card of its run, in this process.
pub(crate) async fn carry_out(house: &House, message: &Message) -> Duration {
    let start = Instant::now();
    let reply = conversation::reply(&house.desk, message, Zone::UTC).await;
    assert_eq!(reply.verdict, Verdict::Done, "{:?}", reply.card);
    let (run, _) = reply.follow.expect("a run");
    let rest = follow(&house.desk, &house.bell, run, message, Zone::UTC, |_, _, _| {}).await.expect("the ledger");
    let took = start.elapsed();
    assert_eq!(rest, Rest::Ended(Outcome::Succeeded), "{}", message.typed);
    took
}
