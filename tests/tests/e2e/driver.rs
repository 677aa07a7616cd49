//! The supervised child, with a scripted Terraform and with the real one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tidegate_runner::domain::changes::{Action, StackPlan};
use tidegate_runner::domain::failure::{Applied, Failure, FailureKind};
use tidegate_runner::terraform::command::{self, InitArgs, PlanArgs};
use tidegate_runner::terraform::{
    ApplyFold, Attached, Child, ChildEvent, Exit, Line, Message, PlanFold, Query, QueryError, Spec, Standby, Stop,
    Supervisor, Tool, check_plan_file,
};

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// What runs the fake Terraform with one rule for everything.
    fn fake(&self, steps: &Value) -> Spec {
        let script = json!({ "argv_log": self.path("argv"), "rules": [{ "match": "*", "steps": steps }] });
        self.write("script.json", &script.to_string());
        Spec {
            program: env!("CARGO_BIN_EXE_fake-terraform").into(),
            args: vec!["plan".into(), "-json".into()],
            cwd: self.0.path().to_owned(),
            env: vec![("FAKE_TERRAFORM_SCRIPT".into(), self.path("script.json").into())],
        }
    }

    fn start(&self, spec: &Spec) -> Child {
        Child::start(&supervisor(), &self.path("run"), spec).expect("a supervisor")
    }

    fn processes(&self) -> Value {
        let text = std::fs::read(self.path("run/child.json")).expect("child.json");
        serde_json::from_slice(&text).expect("JSON")
    }
}

fn program() -> Supervisor {
    Supervisor { exe: env!("CARGO_BIN_EXE_supervisor").into(), args: Vec::new() }
}

fn supervisor() -> Standby {
    Standby::new(program())
}

async fn drain(child: &mut Child) -> (Vec<ChildEvent>, Exit) {
    let mut events = Vec::new();
    let drained = tokio::time::timeout(DEADLINE, async {
        loop {
            match child.next().await {
                ChildEvent::Exited(exit) => return exit,
                event => events.push(event),
            }
        }
    });
    let exit = drained.await.expect("an end");
    (events, exit)
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn line(text: &str) -> ChildEvent {
    ChildEvent::Line(text.to_owned())
}

fn kill(pid: &Value, signal: Signal) {
    let pid = i32::try_from(pid.as_i64().expect("a number")).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(pid, signal).expect("signalled");
}

#[tokio::test]
async fn lines_come_in_order_and_half_a_line_comes_last() {
    let place = Place::new();
    let spec = place.fake(&json!([{ "print": "one" }, { "print": "" }, { "half": "{\"type\":\"pl" }, { "exit": 1 }]));
    let mut child = place.start(&spec);
    let (events, exit) = drain(&mut child).await;
    assert_eq!(events, [line("one"), line(""), ChildEvent::HalfLine("{\"type\":\"pl".to_owned())]);
    assert_eq!(exit, Exit::Code(1));
    assert_eq!(child.next().await, ChildEvent::Exited(Exit::Code(1)), "told again when asked again");
    let argv = std::fs::read_to_string(place.path("argv")).expect("the arguments");
    assert_eq!(argv, "[\"plan\",\"-json\"]\n");
}

#[tokio::test]
async fn lines_come_while_the_child_still_runs() {
    let place = Place::new();
    let go_on = place.path("go-on");
    let spec = place.fake(&json!([{ "print": "early" }, { "wait_for": go_on }, { "print": "late" }]));
    let mut child = place.start(&spec);
    let first = tokio::time::timeout(DEADLINE, child.next()).await.expect("a line");
    assert_eq!(first, line("early"));
    std::fs::write(&go_on, "").expect("the file");
    assert_eq!(drain(&mut child).await, (vec![line("late")], Exit::Code(0)));
}

#[tokio::test]
async fn nothing_at_all_is_told_as_such() {
    let place = Place::new();
    let mut child = place.start(&place.fake(&json!([])));
    assert_eq!(drain(&mut child).await, (Vec::new(), Exit::Code(0)));
    let failure = PlanFold::new(false).finish(&Exit::Code(0), false, "").expect_err("no plan");
    assert_eq!(failure.kind, FailureKind::OutputNotUnderstood);
}

#[tokio::test]
async fn a_hundred_megabytes_leave_memory_flat() {
    let place = Place::new();
    let mut child = place.start(&place.fake(&json!([{ "fill": 60 }, { "long_line": 40 }, { "print": "end" }])));
    let before = resident_kb();
    let (mut lines, mut oversized, mut last) = (0_u32, 0_u32, String::new());
    let exit = loop {
        match child.next().await {
            ChildEvent::Line(text) => {
                lines += 1;
                last = text;
            }
            ChildEvent::Oversized => oversized += 1,
            ChildEvent::HalfLine(text) => panic!("half a line: {text}"),
            ChildEvent::Exited(exit) => break exit,
        }
    };
    assert_eq!((lines, oversized, last.as_str(), exit), (60 * 1024 + 1, 1, "end", Exit::Code(0)));
    let grown = resident_kb().saturating_sub(before);
    // Other tests run in this process; 100 MB kept anywhere would still be seen.
    assert!(grown < 50 * 1024, "grown by {grown} KB");
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("status");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number")
}

#[tokio::test]
async fn an_interrupt_reaches_the_child_alone_and_only_once() {
    let place = Place::new();
    let mut child =
        place.start(&place.fake(&json!([{ "on_interrupt": 1 }, { "print": "ready" }, { "sleep_ms": 60_000 }])));
    assert_eq!(child.next().await, line("ready"));
    child.stop(Stop::Interrupt).expect("asked");
    child.stop(Stop::Interrupt).expect("asked again");
    assert_eq!(drain(&mut child).await.1, Exit::Code(1));
    child.stop(Stop::Kill).expect("harmless after the end");
    assert_eq!(std::fs::read_to_string(place.path("run/passed-on")).expect("a note"), "interrupt");
}

#[tokio::test]
async fn a_child_that_ignores_an_interrupt_ends_by_the_forced_stop() {
    let place = Place::new();
    let mut child =
        place.start(&place.fake(&json!([{ "on_interrupt": "ignore" }, { "print": "ready" }, { "sleep_ms": 60_000 }])));
    assert_eq!(child.next().await, line("ready"));
    child.stop(Stop::Interrupt).expect("asked");
    until("the interrupt", || place.path("run/passed-on").exists()).await;
    child.stop(Stop::Kill).expect("asked");
    assert_eq!(drain(&mut child).await.1, Exit::Signal(9));
}

#[tokio::test]
async fn a_child_killed_by_somebody_else_tells_the_signal() {
    let place = Place::new();
    let mut child = place.start(&place.fake(&json!([{ "print": "x" }, { "kill_self": true }])));
    assert_eq!(drain(&mut child).await, (vec![line("x")], Exit::Signal(9)));
}

#[tokio::test]
async fn signals_to_the_supervisor_do_not_end_anything() {
    let place = Place::new();
    let go_on = place.path("go-on");
    let mut child = place.start(&place.fake(&json!([{ "print": "ready" }, { "wait_for": go_on }, { "exit": 3 }])));
    assert_eq!(child.next().await, line("ready"));
    until("child.json", || place.path("run/child.json").exists()).await;
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        kill(&place.processes()["supervisor"]["pid"], signal);
    }
    std::fs::write(&go_on, "").expect("the file");
    assert_eq!(drain(&mut child).await.1, Exit::Code(3));
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let place = Place::new();
    let fine = place.fake(&json!([]));
    place.write("not-executable", "#!/bin/sh\n");
    let cases = [
        (Spec { program: place.path("missing"), ..fine.clone() }, "No such file"),
        (Spec { program: place.0.path().to_owned(), ..fine.clone() }, "ermission denied"),
        (Spec { program: place.path("not-executable"), ..fine.clone() }, "ermission denied"),
        (Spec { cwd: place.path("nowhere"), ..fine }, "nowhere"),
    ];
    for (number, (spec, expected)) in cases.into_iter().enumerate() {
        let mut child = Child::start(&supervisor(), &place.path(&format!("run{number}")), &spec).expect("a supervisor");
        let (events, exit) = drain(&mut child).await;
        assert!(events.is_empty());
        let Exit::CouldNotStart(why) = exit else { panic!("{exit:?}") };
        assert!(why.contains(expected), "{why}");
    }
    let missing = Standby::new(Supervisor { exe: place.path("missing"), args: Vec::new() });
    missing.prepare();
    assert!(Child::start(&missing, &place.path("run-x"), &place.fake(&json!([]))).is_err());
}

#[tokio::test]
async fn a_run_folder_is_used_once_and_a_late_supervisor_starts_nothing() {
    let place = Place::new();
    let spec = place.fake(&json!([]));
    let mut child = place.start(&spec);
    drain(&mut child).await;
    assert!(Child::start(&supervisor(), &place.path("run"), &spec).is_err());

    // A runner wrote the spec and died before its supervisor began.
    place.write("late/spec.json", &serde_json::to_string(&spec).expect("JSON"));
    let Attached::NeverBegan(_) = Child::attach(&place.path("late")) else { panic!("not begun") };
    place.write("late.path", place.path("late").to_str().expect("text"));
    let path = std::fs::File::open(place.path("late.path")).expect("a file");
    let status = std::process::Command::new(program().exe).stdin(path).status().expect("it runs");
    assert!(!status.success());
    assert!(!place.path("late/stdout").exists());
}

#[tokio::test]
async fn a_supervisor_takes_one_child_after_another_and_ends_when_nobody_needs_it() {
    let place = Place::new();
    let standby = supervisor();
    standby.prepare();
    let waiting = standby.waiting();
    standby.prepare();
    assert_eq!((standby.waiting(), waiting.len()), (waiting.clone(), 1), "no more than one");
    for name in ["run", "run-2"] {
        let spec = place.fake(&json!([{ "print": name }, { "exit": 3 }]));
        let mut child = Child::start(&standby, &place.path(name), &spec).expect("a child");
        assert_eq!(standby.waiting(), [0_u32; 0]);
        assert_eq!(drain(&mut child).await, (vec![line(name)], Exit::Code(3)));
        standby.take_back(child);
        assert_eq!(standby.waiting(), waiting);
    }
    assert_eq!(place.processes()["supervisor"]["pid"], waiting[0]);

    // One that died while it waited is replaced.
    kill(&json!(waiting[0]), Signal::KILL);
    gone(waiting[0]).await;
    let mut child = Child::start(&standby, &place.path("run-3"), &place.fake(&json!([]))).expect("a child");
    assert_eq!(drain(&mut child).await.1, Exit::Code(0));
    standby.take_back(child);

    let unneeded = standby.waiting();
    drop(standby);
    gone(unneeded[0]).await;
}

/// Waits for the end of a process; one that nobody has waited for yet counts as ended.
async fn gone(pid: u32) {
    let deadline = Instant::now() + DEADLINE;
    // A process that has ended has no program any more.
    while std::fs::read_link(format!("/proc/{pid}/exe")).is_ok() {
        assert!(Instant::now() < deadline, "process {pid} goes on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn files_of_a_run_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mut child = place.start(&place.fake(&json!([{ "print": "x" }])));
    drain(&mut child).await;
    for entry in std::fs::read_dir(place.path("run")).expect("the folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?} has mode {mode:o}", entry.file_name());
    }
}

#[tokio::test]
async fn a_dropped_child_lives_on_and_is_found_again_from_its_first_line() {
    let place = Place::new();
    let go_on = place.path("go-on");
    let mut child = place.start(&place.fake(&json!([{ "print": "one" }, { "wait_for": go_on }, { "print": "two" }])));
    assert_eq!(child.next().await, line("one"));
    drop(child);
    let Attached::Running(mut child) = Child::attach(&place.path("run")) else { panic!("it runs") };
    std::fs::write(&go_on, "").expect("the file");
    assert_eq!(drain(&mut child).await, (vec![line("one"), line("two")], Exit::Code(0)));
    let Attached::Ended(exit, mut child) = Child::attach(&place.path("run")) else { panic!("it ended") };
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(drain(&mut child).await.0, [line("one"), line("two")]);
}

#[tokio::test]
async fn a_child_whose_supervisor_was_killed_is_running_until_it_ends_and_then_lost() {
    let place = Place::new();
    let go_on = place.path("go-on");
    let mut child = place.start(&place.fake(&json!([{ "print": "one" }, { "wait_for": go_on }, { "print": "two" }])));
    assert_eq!(child.next().await, line("one"));
    until("child.json", || place.path("run/child.json").exists()).await;
    kill(&place.processes()["supervisor"]["pid"], Signal::KILL);
    // Neither the one who started it nor anybody else takes the dead supervisor for the end of the child.
    assert!(tokio::time::timeout(Duration::from_millis(300), child.next()).await.is_err());
    let Attached::Running(mut again) = Child::attach(&place.path("run")) else { panic!("it runs") };
    std::fs::write(&go_on, "").expect("the file");
    assert_eq!(drain(&mut child).await, (vec![line("two")], Exit::Lost));
    assert_eq!(drain(&mut again).await, (vec![line("one"), line("two")], Exit::Lost));
    assert!(matches!(Child::attach(&place.path("run")), Attached::Lost(_)));
}

#[tokio::test]
async fn a_child_without_supervisor_can_still_be_stopped() {
    let place = Place::new();
    let mut child =
        place.start(&place.fake(&json!([{ "on_interrupt": 1 }, { "print": "ready" }, { "sleep_ms": 60_000 }])));
    assert_eq!(child.next().await, line("ready"));
    until("child.json", || place.path("run/child.json").exists()).await;
    kill(&place.processes()["supervisor"]["pid"], Signal::KILL);
    child.stop(Stop::Interrupt).expect("asked");
    assert_eq!(drain(&mut child).await.1, Exit::Lost);
}

#[tokio::test]
async fn a_program_that_is_no_terraform_or_too_old_is_refused_in_clear_words() {
    let tool = Tool { program: env!("CARGO_BIN_EXE_fake-terraform").into() };
    let cases = [
        (
            json!([{ "print": "{\"terraform_version\":\"1.3.9\"}" }]),
            "Terraform 1.3.9 is too old: 1.4 or newer is needed",
        ),
        (json!([{ "print": "hello" }]), "did not answer as Terraform or OpenTofu does"),
        (json!([]), "did not answer as Terraform or OpenTofu does"),
        (json!([{ "print_err": "no such flag" }, { "exit": 1 }]), "it is no Terraform 1.4 or newer"),
        (json!([{ "fill": 1 }]), "printed more than"),
    ];
    for (steps, expected) in cases {
        let place = Place::new();
        place.fake(&steps);
        let failure = tool.version(place.0.path()).await.expect_err("a refusal");
        assert_eq!(failure.kind, FailureKind::CouldNotStart);
        assert!(failure.summary.contains(expected), "{}", failure.summary);
    }
}

#[tokio::test]
async fn a_short_command_that_hangs_is_killed_in_time() {
    let place = Place::new();
    place.fake(&json!([{ "sleep_ms": 60_000 }]));
    let query = Query {
        program: Path::new(env!("CARGO_BIN_EXE_fake-terraform")),
        args: &command::version(),
        cwd: place.0.path(),
        env: &[],
        timeout: Duration::from_millis(200),
        limit: 1000,
    };
    assert!(matches!(query.run().await, Err(QueryError::Timeout { .. })));
}

// With the real Terraform.

/// A root of three resources, one after the other. The second one takes as long as there is a file `hold`.
fn root(place: &Place) {
    let hold = place.path("hold");
    let resource = |name: &str, after: &str| {
        let waits = if name == "b" {
            format!("while [ -e '{}' ]; do sleep 0.05; done", hold.display())
        } else {
            "true".to_owned()
        };
        format!(
            "resource \"terraform_data\" \"{name}\" {{\n  input = \"{name}\"\n  {after}\n  provisioner \"local-exec\" {{\n    \
             command = \"{waits}\"\n  }}\n}}\n"
        )
    };
    let text = [
        "terraform {\n  backend \"local\" {}\n}\n".to_owned(),
        "variable \"size\" {\n  type = number\n}\n".to_owned(),
        resource("a", "triggers_replace = var.size"),
        resource("b", "depends_on = [terraform_data.a]"),
        resource("c", "depends_on = [terraform_data.b]"),
        "output \"address\" {\n  value = terraform_data.a.output\n}\n".to_owned(),
        "output \"secret\" {\n  value = \"x\"\n  sensitive = true\n}\n".to_owned(),
    ];
    place.write("root/main.tf", &text.concat());
}

fn terraform(place: &Place, args: Vec<OsString>) -> Spec {
    let tool = Tool::find(Path::new("terraform"), std::env::var_os("PATH").as_deref()).expect("Terraform on the PATH");
    Spec {
        program: tool.program,
        args,
        cwd: place.path("root"),
        env: vec![("TF_DATA_DIR".into(), place.path("data").into())],
    }
}

fn run(place: &Place, name: &str, args: Vec<OsString>) -> Child {
    Child::start(&supervisor(), &place.path(name), &terraform(place, args)).expect("a supervisor")
}

async fn init(place: &Place) {
    let backend_config = [format!("path={}", place.path("state/terraform.tfstate").display())];
    let args = command::init(&InitArgs { backend_file: None, backend_config: &backend_config, json: true });
    let mut child = run(place, "init", args);
    let (events, exit) = drain(&mut child).await;
    assert_eq!(exit, Exit::Code(0), "{events:?}");
}

async fn plan(place: &Place, name: &str, size: u32, destroy: bool) -> StackPlan {
    place.write("vars.tfvars.json", &json!({ "size": size }).to_string());
    let (out, var_file) = (place.path(&format!("{name}.tfplan")), place.path("vars.tfvars.json"));
    let args = command::plan(&PlanArgs {
        out: &out,
        var_file: &var_file,
        lock_timeout_s: 5,
        destroy,
        refresh_only: false,
        replace: &[],
        parallelism: None,
    });
    let mut child = run(place, name, args);
    let (events, exit) = drain(&mut child).await;
    let mut fold = PlanFold::new(destroy);
    for event in &events {
        fold.take(&parsed(event));
    }
    fold.finish(&exit, false, &String::from_utf8_lossy(&child.stderr_tail(4096))).expect("a plan")
}

async fn apply(place: &Place, name: &str, plan: &StackPlan, interrupt_at: Option<&str>) -> (Applied, Option<Failure>) {
    let args = command::apply(&place.path(&format!("{name}.tfplan")), 5, None);
    let mut child = run(place, &format!("{name}-apply"), args);
    let mut fold = ApplyFold::new(&plan.changes);
    loop {
        let event = tokio::time::timeout(DEADLINE, child.next()).await.expect("an event");
        if let ChildEvent::Exited(exit) = event {
            return fold.finish(&exit, interrupt_at.is_some(), &String::from_utf8_lossy(&child.stderr_tail(4096)));
        }
        let line = parsed(&event);
        fold.take(&line);
        if let Some(Message::Provision(provisioning)) = line.message()
            && provisioning.output.is_some()
            && interrupt_at == Some(provisioning.resource.addr.as_str())
        {
            child.stop(Stop::Interrupt).expect("asked");
        }
    }
}

fn parsed(event: &ChildEvent) -> Line {
    match event {
        ChildEvent::Line(text) | ChildEvent::HalfLine(text) => Line::parse(text),
        ChildEvent::Oversized => Line::Oversized,
        ChildEvent::Exited(exit) => panic!("{exit:?}"),
    }
}

#[tokio::test]
async fn the_real_terraform_is_planned_applied_replaced_and_destroyed() {
    let place = Place::new();
    root(&place);
    init(&place).await;

    let first = plan(&place, "first", 1, false).await;
    assert_eq!(first.counts().create, 3);
    assert!(first.outputs_change);
    let (applied, failure) = apply(&place, "first", &first, None).await;
    assert_eq!(failure, None);
    assert_eq!(applied.done.len(), first.changes.len());
    let outputs: Vec<_> = applied.outputs.iter().map(|output| (output.name.as_str(), output.value.clone())).collect();
    assert_eq!(outputs, [("address", Some(json!("a"))), ("secret", None)]);

    let again = plan(&place, "again", 1, false).await;
    assert!(!again.has_work());

    let replacing = plan(&place, "replacing", 2, false).await;
    assert_eq!(replacing.counts().replace, 1);
    let (applied, failure) = apply(&place, "replacing", &replacing, None).await;
    assert_eq!(failure, None);
    assert_eq!(applied.done, replacing.changes);

    let (_, stale) = apply(&place, "again", &again, None).await;
    assert_eq!(stale.map(|failure| failure.kind), Some(FailureKind::StalePlan));

    let destroying = plan(&place, "destroying", 2, true).await;
    assert!(destroying.changes.iter().all(|change| change.action == Action::Delete));
    let (applied, failure) = apply(&place, "destroying", &destroying, None).await;
    assert_eq!((applied.counts().delete, failure), (3, None));
}

#[tokio::test]
async fn the_real_terraform_interrupted_in_mid_apply_keeps_its_state() {
    let place = Place::new();
    root(&place);
    place.write("hold", "");
    init(&place).await;
    let first = plan(&place, "first", 1, false).await;
    let (applied, failure) = apply(&place, "first", &first, Some("terraform_data.b")).await;
    let failure = failure.expect("a failure");
    assert_eq!(failure.kind, FailureKind::Interrupted, "{failure:?}");
    assert_eq!(applied.done.iter().map(|change| change.address.as_str()).collect::<Vec<_>>(), ["terraform_data.a"]);
    assert_eq!(applied.failed.iter().map(|change| change.address.as_str()).collect::<Vec<_>>(), ["terraform_data.b"]);

    // State and lock are as they should be: the next plan says what is left, and applying it ends well.
    std::fs::remove_file(place.path("hold")).expect("it was held");
    let rest = plan(&place, "rest", 1, false).await;
    let left: Vec<_> = rest.changes.iter().map(|change| (change.address.as_str(), change.action)).collect();
    assert_eq!(left, [("terraform_data.b", Action::Replace), ("terraform_data.c", Action::Create)]);
    assert_eq!(apply(&place, "rest", &rest, None).await.1, None);
}

#[tokio::test]
async fn a_plan_that_did_not_fit_on_the_disk_is_found_out_before_anybody_says_yes() {
    let place = Place::new();
    root(&place);
    init(&place).await;
    std::os::unix::fs::symlink("/dev/full", place.path("full.tfplan")).expect("a link");
    let believed = plan(&place, "full", 1, false).await;
    assert!(believed.has_work(), "Terraform itself says that all is well");
    let failure = check_plan_file(&place.path("full.tfplan")).expect_err("a failure");
    assert_eq!(failure.kind, FailureKind::Storage);
    plan(&place, "saved", 1, false).await;
    check_plan_file(&place.path("saved.tfplan")).expect("a whole plan");
}

#[tokio::test]
async fn the_version_of_the_real_terraform_is_known_and_remembered() {
    let place = Place::new();
    let tool = Tool::find(Path::new("terraform"), std::env::var_os("PATH").as_deref()).expect("Terraform on the PATH");
    let version = tool.version(place.0.path()).await.expect("a version");
    assert!(version.text.starts_with("1."), "{version}");
    assert_eq!(tool.version(place.0.path()).await.expect("a version"), version);
}
