//! What is in service decides: Auto Scaling is asked, probes must pass, and Terraform's word alone is no success.

use std::ffi::OsString;
use std::time::Duration;

use tidegate_runner::capacity::{Aws, CannotLook, Surroundings};
use tidegate_runner::domain::run::{Outcome, Phase, RunEvent};
use tidegate_tests::autoscaling::{ACCOUNT, AutoScaling, Fault, Group, NO_CAPACITY, REGION, arn, env};
use tidegate_tests::yard::{Layout, Yard};

fn surroundings(env: Vec<(String, String)>) -> Surroundings {
    let env: Vec<(OsString, OsString)> = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    Surroundings::with(&env)
}

fn without(env: Vec<(String, String)>, names: &[&str]) -> Vec<(String, String)> {
    let empty = |(name, value): (String, String)| {
        let value = if names.contains(&name.as_str()) { String::new() } else { value };
        (name, value)
    };
    env.into_iter().map(empty).collect()
}

async fn asked(scaling: &AutoScaling) -> Result<u32, CannotLook> {
    let aws = Aws::connect(&surroundings(scaling.env()), REGION, None).await?;
    let seen = aws.groups(&["shop-slaves".to_owned()]).await?;
    let counted = seen.iter().map(|group| u32::try_from(group.instances.len()).expect("few")).sum();
    Ok(counted)
}

#[tokio::test]
async fn counts_come_from_auto_scaling_as_they_grow_and_a_missing_group_is_not_there() {
    let scaling = AutoScaling::start().await;
    assert_eq!(asked(&scaling).await, Ok(0), "no such group");
    scaling.group("shop-slaves", Group { desired: 4, in_service: 1, grows: 2, ..Group::default() });
    assert_eq!((asked(&scaling).await, asked(&scaling).await, asked(&scaling).await), (Ok(1), Ok(3), Ok(4)));
    scaling.group("shop-slaves", Group { failures: vec![NO_CAPACITY.to_owned()], ..Group::default() });
    let aws = Aws::connect(&surroundings(scaling.env()), REGION, None).await.expect("credentials");
    let activities = aws.activities("shop-slaves").await.expect("activities");
    assert_eq!(
        (activities.len(), activities[0].status.as_str(), activities[0].message.as_str()),
        (1, "Failed", NO_CAPACITY)
    );
}

#[tokio::test]
async fn each_trouble_is_told_by_its_own_word_and_none_is_success() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 4, in_service: 4, ..Group::default() });
    let kind = |result: Result<u32, CannotLook>| match result.expect_err("not told") {
        CannotLook::Throttled(_) => "throttled",
        CannotLook::Busy { .. } => "busy",
        CannotLook::Expired(_) => "expired",
        CannotLook::Denied(_) => "denied",
        CannotLook::BadCredentials(_) => "bad credentials",
        CannotLook::Other(_) => "other",
        other => panic!("{other:?}"),
    };
    for (status, code, told) in [
        (400, "Throttling", "throttled"),
        (429, "", "throttled"),
        (503, "", "busy"),
        (500, "InternalFailure", "busy"),
        (403, "ExpiredToken", "expired"),
        (403, "AccessDenied", "denied"),
        (403, "InvalidClientTokenId", "bad credentials"),
        (403, "SignatureDoesNotMatch", "bad credentials"),
        (400, "ValidationError", "other"),
    ] {
        scaling.always(Some(Fault { status, code }));
        assert_eq!(kind(asked(&scaling).await), told, "{status} {code}");
    }
    scaling.always(None);
    // One that passes is asked again at once.
    scaling.meet([Fault { status: 503, code: "" }]);
    assert_eq!(asked(&scaling).await, Ok(4));
}

#[tokio::test]
async fn without_credentials_or_anybody_who_answers_it_is_said_so() {
    let scaling = AutoScaling::start().await;
    let keys = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let empty = surroundings(without(scaling.env(), &keys));
    let none = Aws::connect(&empty, REGION, None);
    let none = tokio::time::timeout(Duration::from_mins(1), none).await.expect("in time").expect_err("no credentials");
    assert!(matches!(none, CannotLook::NoCredentials(_)), "{none:?}");
    assert!(scaling.asked().is_empty());
    let url = scaling.env()[0].1.clone();
    drop(scaling);
    let aws = Aws::connect(&surroundings(env(&url)), REGION, None).await.expect("credentials");
    let nobody = aws.groups(&["shop-slaves".to_owned()]).await.expect_err("nobody answers");
    assert!(matches!(nobody, CannotLook::Unreachable(_)), "{nobody:?}");
}

#[tokio::test]
async fn a_role_is_assumed_by_the_stack_s_credentials_and_a_refused_one_is_named() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, ..Group::default() });
    let role = "arn:aws:iam::123456789012:role/tidegate-read";
    let aws = Aws::connect(&surroundings(scaling.env()), REGION, Some(role)).await.expect("the role");
    assert_eq!(aws.groups(&["shop-slaves".to_owned()]).await.expect("told").len(), 1);
    let asked = scaling.asked();
    let keys: Vec<(&str, &str)> = asked.iter().map(|asked| (asked.action.as_str(), asked.key.as_str())).collect();
    assert_eq!(keys[0], ("AssumeRole", "AKIATESTONLY"));
    assert_eq!(*keys.last().expect("asked"), ("DescribeAutoScalingGroups", "ASIAASSUMED"));
    scaling.always(Some(Fault { status: 403, code: "AccessDenied" }));
    let refused = Aws::connect(&surroundings(scaling.env()), REGION, Some(role)).await.expect_err("refused");
    assert!(matches!(&refused, CannotLook::Role { role: named, .. } if named == role), "{refused:?}");
    assert!(!format!("{refused:?}").contains("hunter"), "{refused:?}");
}

#[test]
#[should_panic(expected = "on loopback")]
fn no_test_asks_aws_itself() {
    let _ = env("https://autoscaling.ap-northeast-1.amazonaws.com");
}

/// A root whose state names the type of a group, as one with a group would; the group itself is in the state that `state pull` is made to
/// tell.
const ROOT: &str = r#"
variable "slaves" {
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
  input = [var.yard, var.stack]
}
resource "terraform_data" "group" {
  input = "aws_autoscaling_group"
}
"#;

/// A yard whose stack `jmeter` has a group of `desired` in its state, with `lines` in its section; `shop` is at `small`.
async fn with_group(scaling: &AutoScaling, desired: u32, lines: &str) -> Yard {
    let yard = Layout::new().environment("shop", &[("jmeter", &[])]).lay();
    yard.write("roots/shop/jmeter/main.tf", ROOT);
    let env: Vec<String> = scaling.env().iter().map(|(name, value)| format!("{name} = {value:?}")).collect();
    yard.configure("name = \"jmeter\"", &format!("name = \"jmeter\"\nenv = {{ {} }}\n{lines}", env.join(", ")));
    in_state(&yard, desired);
    // What is made for the first time has no state that names a group.
    yard.shell("up shop small").await.exits(0);
    yard
}

fn in_state(yard: &Yard, desired: u32) {
    let arn = arn(ACCOUNT, "shop-slaves");
    let state = serde_json::json!({ "version": 4, "serial": 9, "resources": [{
        "module": "module.jmeter", "mode": "managed", "type": "aws_autoscaling_group", "name": "slaves",
        "instances": [{ "attributes": { "name": "shop-slaves", "arn": arn, "desired_capacity": desired } }],
    }] });
    yard.write("state.json", &state.to_string());
    yard.instead("state", "cat YARD/state.json");
}

fn notes(events: &[RunEvent]) -> String {
    format!("{:?}", events.iter().filter(|event| matches!(event, RunEvent::StackNoted { .. })).collect::<Vec<_>>())
}

/// The notes of a run, once there is one.
async fn told(yard: &Yard, run: i64) -> String {
    if yard.known(run).await.is_some() { notes(&yard.events(run).await) } else { String::new() }
}

#[tokio::test]
async fn an_up_succeeds_once_all_slaves_are_in_service_and_tells_how_they_come() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 6, in_service: 2, grows: 2, ..Group::default() });
    let yard = with_group(&scaling, 6, "").await;
    yard.shell("up shop full").await.says(&["shop is at full", "slaves 6/6 in service"]).exits(0);
    let told = notes(&yard.events(2).await);
    assert!(
        told.contains("in_service: 2") && told.contains("in_service: 4") && told.contains("in_service: 6"),
        "{told}"
    );
    let view = yard.view(2).await;
    let checked = view.stacks.values().next().and_then(|stack| stack.checked.clone()).expect("checked");
    assert!(checked.contains("changes done; slaves 6 of 6 in service"), "{checked}");
}

#[tokio::test]
async fn an_empty_plan_with_half_the_slaves_missing_is_partial_until_they_are_there_or_somebody_accepts() {
    let scaling = AutoScaling::start().await;
    let short = Group { desired: 40, in_service: 37, failures: vec![NO_CAPACITY.to_owned()], ..Group::default() };
    scaling.group("shop-slaves", short);
    let yard = with_group(&scaling, 40, "ready_within = \"2s\"").await;
    yard.shell("up shop small")
        .await
        .says(&[
            "shop is PARTIAL",
            "slaves 37 of 40 in service",
            "InsufficientInstanceCapacity in ap-northeast-1a",
            "retry 2",
            "accept 2",
        ])
        .exits(1);
    assert_eq!(yard.calls("apply", "shop-jmeter"), 1, "nothing was applied");
    yard.shell("status shop").await.says(&["shop"]);
    yard.shell("accept 2 because three are enough for today").await.exits(0);
    scaling.group("shop-slaves", Group { desired: 40, in_service: 40, ..Group::default() });
    yard.shell("retry 2").await.says(&["shop is at small already", "slaves 40/40 in service"]).exits(0);
    assert_eq!(yard.view(3).await.outcome(), Some(Outcome::NothingToDo));
}

#[tokio::test]
async fn as_many_as_are_enough_are_a_success_that_says_what_is_missing() {
    let scaling = AutoScaling::start().await;
    let short = Group { desired: 40, in_service: 37, failures: vec![NO_CAPACITY.to_owned()], ..Group::default() };
    scaling.group("shop-slaves", short);
    let lines = "ready_within = \"2s\"\nenough = { \"module.jmeter.*\" = \"90%\" }";
    let yard = with_group(&scaling, 40, lines).await;
    yard.shell("up shop full")
        .await
        .says(&["shop is at full", "37/40 in service", "3 MISSING", "36 are enough", "InsufficientInstanceCapacity"])
        .exits(0);
    assert_eq!(yard.view(2).await.outcome(), Some(Outcome::Succeeded));
}

#[tokio::test]
async fn what_was_lowered_is_done_when_its_instances_are_gone() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 6, in_service: 6, ..Group::default() });
    let yard = with_group(&scaling, 6, "").await;
    yard.shell("up shop full").await.exits(0);
    in_state(&yard, 1);
    scaling.group("shop-slaves", Group { desired: 1, in_service: 3, terminating: 3, ..Group::default() });
    let serve = yard.serve().await;
    let asker = yard.begin("down shop small");
    yard.wait("a count", async || told(&yard, 3).await.contains("terminating: 3").then_some(())).await;
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, terminating: 1, ..Group::default() });
    yard.wait("another count", async || told(&yard, 3).await.contains("terminating: 1").then_some(())).await;
    assert_eq!(yard.status(3).await, "applying");
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, ..Group::default() });
    asker.end().await.says(&["shop is at small"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn troubles_of_aws_are_told_while_they_last_and_never_end_as_success() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, ..Group::default() });
    let yard = with_group(&scaling, 1, "ready_within = \"2s\"").await;
    let mut run = 1;
    for (fault, says) in [
        (Fault { status: 503, code: "" }, "AWS has a trouble of its own (HTTP 503)"),
        (Fault { status: 429, code: "" }, "AWS throttles requests"),
        (Fault { status: 403, code: "ExpiredToken" }, "the AWS credentials have expired"),
        (Fault { status: 403, code: "AccessDenied" }, "autoscaling:DescribeAutoScalingGroups"),
    ] {
        scaling.always(Some(fault));
        run += 1;
        yard.shell("up shop small").await.says(&["NOT READY", says, &format!("retry {run}")]).exits(1);
    }
    scaling.always(None);
    scaling.delete("shop-slaves");
    yard.shell("up shop small").await.says(&["NOT READY", "the group shop-slaves is in the state", "role"]).exits(1);
    // Another account's group of that name has all that was asked for, and is not ours.
    let others = Group { desired: 1, in_service: 1, account: "999999999999".to_owned(), ..Group::default() };
    scaling.group("shop-slaves", others);
    yard.shell("up shop small").await.says(&["NOT READY", "is another one", "999999999999", "role"]).exits(1);
    // A state that cannot be read is no state without groups.
    yard.instead("state", "echo '{ \"version\": 5 }'");
    yard.shell("up shop small").await.says(&["NOT READY", "the state has the format 5"]).exits(1);
    yard.instead("state", "echo 'Error: state snapshot was created by a newer version' >&2; exit 1");
    yard.shell("up shop small").await.says(&["NOT READY", "newer version"]).exits(1);
}

#[tokio::test]
async fn a_stop_ends_the_waiting_and_a_restart_goes_on_with_it() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 6, in_service: 2, ..Group::default() });
    let yard = with_group(&scaling, 6, "").await;
    let serve = yard.serve().await;
    // Nobody waits for it in a shell, which would carry it out itself once nobody else does.
    yard.accepted("up shop full").await.exits(0);
    yard.wait("a count", async || told(&yard, 2).await.contains("in_service: 2").then_some(())).await;
    // A process that is told to stop does not wait for slaves, nor does one that is killed.
    serve.stop().await.exits(0);
    assert_eq!(yard.status(2).await, "applying");
    let serve = yard.serve().await;
    serve.kill().await;
    let serve = yard.serve().await;
    scaling.group("shop-slaves", Group { desired: 6, in_service: 5, ..Group::default() });
    yard.wait("another count", async || told(&yard, 2).await.contains("in_service: 5").then_some(())).await;
    let events = yard.events(2).await;
    let looks = events.iter().filter(|event| matches!(event, RunEvent::StackStarted { phase: Phase::Verify, .. }));
    assert_eq!(looks.count(), 1, "its time counts from the first look");
    yard.shell("cancel 2").await.exits(0);
    yard.wait("its end", async || yard.view(2).await.outcome().map(drop)).await;
    assert_eq!(yard.view(2).await.outcome(), Some(Outcome::Cancelled));
    assert_eq!(yard.calls("apply", "shop-jmeter"), 2);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn probes_must_pass_before_what_needs_the_stack_begins_and_need_no_aws() {
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let root = yard.read("roots/shop/base/main.tf");
    yard.write("roots/shop/base/main.tf", &format!("{root}\noutput \"address\" {{\n  value = \"{address}\"\n}}\n"));
    let ready = "ready = [{ tcp = \"{output.address}\" }, { command = [\"test\", \"-e\", \"YARD/open\"] }, \
                 { command = [\"false\"], levels = [\"small\"] }]";
    let ready = ready.replace("YARD", &yard.path().display().to_string());
    yard.configure("name = \"base\"", &format!("name = \"base\"\n{ready}"));
    let serve = yard.serve().await;
    let asker = yard.begin("up shop full");
    yard.wait("a probe", async || told(&yard, 1).await.contains("exit status 1").then_some(())).await;
    assert_eq!((yard.calls("apply", "shop-base"), yard.calls("apply", "shop-app")), (1, 0));
    yard.write("open", "");
    asker.end().await.says(&["shop is at full"]).exits(0);
    let view = yard.view(1).await;
    let checked = view.stacks.values().next().and_then(|stack| stack.checked.clone()).expect("checked");
    assert!(checked.contains(&format!("tcp {address}")) && checked.contains("`test -e"), "{checked}");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_probe_that_never_passes_ends_partial_and_says_how_it_was_answered() {
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let ready = format!("ready_within = \"1s\"\nready = [{{ http = \"http://{closed}/health\" }}]");
    yard.configure("name = \"base\"", &format!("name = \"base\"\n{ready}"));
    yard.shell("up shop full")
        .await
        .says(&["shop is PARTIAL", "base not all in service", "refused", "retry 1", "accept 1"])
        .exits(1);
    assert_eq!(yard.calls("apply", "shop-app"), 0);
    // Nothing answers at `off`, and nobody asks.
    yard.shell("down shop off").await.says(&["shop is off"]).exits(0);
}

#[tokio::test]
async fn a_group_tainted_by_a_making_that_came_up_short_is_kept_and_not_made_again() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).lay();
    yard.fail("create.shop-app.0");
    yard.shell("up shop full").await.says(&["PARTIAL"]).exits(1);
    yard.heal("create.shop-app.0");
    // Terraform is real, and its resource is called a group where Tidegate reads of it.
    let called = "terraform \"$@\" >YARD/plan.out; status=$?\n\
        sed 's/terraform_data\\.slave\\[0\\]/aws_autoscaling_group.slaves/g' YARD/plan.out; exit $status\n";
    yard.instead("plan", called);
    yard.instead(
        "untaint",
        "echo \"$*\" >>YARD/untainted; rm YARD/instead.plan; exec terraform untaint 'terraform_data.slave[0]'\n",
    );
    // What is only shown changes nothing, and neither does a run that asks and gets a no.
    yard.shell("plan shop full").await.says(&["aws_autoscaling_group.slaves", "untainted"]).exits(0);
    yard.configure("up = \"full\"", "up = \"full\"\napprove = { when = [\"command = up\"], by = \"owners\" }");
    let serve = yard.serve().await;
    let asker = yard.begin("up shop full");
    yard.until(3, "awaiting_approval").await;
    yard.shell("reject 3 because not today").await.exits(0);
    asker.end().await.exits(4);
    serve.stop().await.exits(0);
    yard.configure("\napprove = { when = [\"command = up\"], by = \"owners\" }", "");
    assert_eq!(yard.read("untainted"), "");
    yard.shell("up shop full").await.exits(0);
    assert!(yard.read("untainted").ends_with("-- aws_autoscaling_group.slaves\n"), "{}", yard.read("untainted"));
    assert_eq!((yard.did("delete shop-app"), yard.did("create shop-app 0")), (0, 1));
    // What was read of it is written: its making left no ARN in the state, without which nobody could look what is in service.
    assert_eq!(yard.calls("apply", "shop-app"), 2, "the making, and the state alone");
    assert!(notes(&yard.events(4).await).contains("Untainted"));
    yard.shell("audit action untaint").await.says(&["aws_autoscaling_group.slaves", "untainted"]).exits(0);
}

#[tokio::test]
async fn a_group_of_which_the_state_has_no_arn_is_never_called_in_service_and_there_is_a_way_out() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, ..Group::default() });
    let yard = with_group(&scaling, 1, "").await;
    let state = yard.read("state.json");
    let arn = format!(",\"arn\":\"{}\"", arn(ACCOUNT, "shop-slaves"));
    let without = state.replacen(&arn, "", 1).replacen(&format!("{},", &arn[1..]), "", 1);
    assert_ne!(without, state);
    yard.write("state.json", &without);
    yard.shell("up shop full")
        .await
        .says(&["PARTIAL", "the state has no ARN", "`tidegate terraform shop/jmeter -- apply -refresh-only`"])
        .exits(1);
    yard.write("state.json", &state);
    yard.shell("retry 2").await.says(&["shop is at full", "in service"]).exits(0);
}

/// The moment at which AWS is to end the slaves, in milliseconds since 1970.
fn ends(scaling: &AutoScaling) -> Option<i64> {
    let text = scaling.ends("shop-slaves")?;
    Some(chrono::DateTime::parse_from_rfc3339(&text).expect("a time").timestamp_millis())
}

#[tokio::test]
async fn slaves_are_ended_by_aws_two_hours_after_the_planned_end_which_moves_and_goes() {
    let scaling = AutoScaling::start().await;
    scaling.group("shop-slaves", Group { desired: 1, in_service: 1, ..Group::default() });
    let yard = with_group(&scaling, 1, "planned_end = { groups = [\"module.jmeter.*\"] }").await;
    assert_eq!(ends(&scaling), None);
    let serve = yard.serve().await;
    let hour = 3_600_000;
    yard.shell("up shop full for 3h").await.exits(0);
    let began = yard.view(2).await.accepted.expect("accepted").0;
    let near = |at: i64, hours: i64| {
        let off = at - began - hours * hour;
        assert!(off.abs() < hour / 4, "{off} ms from {hours} hours ahead");
    };
    let first = yard.wait("an end", async || ends(&scaling)).await;
    near(first, 5);
    // Who keeps it for longer moves it.
    yard.shell("keep shop for 6h").await.exits(0);
    let second = yard.wait("a later end", async || ends(&scaling).filter(|at| *at != first)).await;
    near(second, 8);
    // A process that is away changes nothing of it, and the next one knows what was written.
    serve.stop().await.exits(0);
    assert_eq!(ends(&scaling), Some(second));
    let asked = scaling.asked().len();
    let serve = yard.serve().await;
    // Whose keep it is ends it by lowering.
    yard.shell("down shop small").await.exits(0);
    yard.wait("no end", async || ends(&scaling).is_none().then_some(())).await;
    assert!(scaling.asked()[asked..].iter().any(|asked| asked.action == "DeleteScheduledAction"));
    yard.shell("audit action switch").await.says(&["shop-slaves"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_end_that_cannot_be_written_is_told_and_without_a_word_of_the_configuration_none_is() {
    let scaling = AutoScaling::start().await;
    let others = Group { desired: 1, in_service: 1, ..Group::default() };
    scaling.group("shop-slaves", others.clone());
    let yard = with_group(&scaling, 1, "").await;
    let serve = yard.serve().await;
    yard.shell("up shop full for 3h").await.exits(0);
    yard.shell("status shop").await.exits(0);
    serve.stop().await.exits(0);
    assert!(scaling.asked().iter().all(|asked| !asked.action.contains("Scheduled")), "{:?}", scaling.asked());
    // Another account's group of that name is left alone.
    yard.configure("name = \"jmeter\"", "name = \"jmeter\"\nplanned_end = { groups = [\"*\"] }");
    scaling.group("shop-slaves", Group { account: "999999999999".to_owned(), ..others });
    let serve = yard.serve().await;
    yard.wait("a word of it", async || {
        (serve.err() + &serve.out()).contains("the end by AWS cannot be set").then_some(())
    })
    .await;
    assert_eq!(ends(&scaling), None);
    serve.stop().await.exits(0);
}

/// The one test that waits for a rest to be over, a minute: a shorter one would be for tests alone.
#[tokio::test]
async fn what_came_up_short_is_tried_again_by_itself_as_often_as_is_written_and_by_whoever_asked() {
    let yard = Yard::new();
    yard.configure("up = \"full\"\n", "up = \"full\"\nretries = 1\n");
    yard.configure(
        "root = \"roots/shop/app\"\n",
        "root = \"roots/shop/app\"\nready_within = \"1s\"\nready = [{ command = [\"test\", \"-e\", \"THERE\"] }]\n",
    );
    yard.configure("THERE", &yard.file("there").display().to_string());
    let _serve = yard.serve().await;
    yard.shell("up shop small because of Friday").await.says(&["PARTIAL", "Tried again by itself at"]).exits(1);
    yard.write("there", "");
    assert_eq!(yard.ends(2).await, "nothing_to_do", "it was there already, and is in service now");
    let again = yard.row(2).await;
    assert_eq!(again.request.retry_of.map(|run| run.0), Some(1));
    assert_eq!(again.request.because.as_deref(), Some("try 1 of 1 of what came up short"));
    let typed_by = again.request.typed_by.expect("whose it is");
    assert_eq!(typed_by.by, tidegate_runner::domain::ids::ActorId::local(&tidegate_tests::yard::me()));
    assert_eq!(yard.did("create shop-app"), 1, "what stands is not made again");
    // One that is over the number of tries is left to people.
    std::fs::remove_file(yard.file("there")).expect("removed");
    yard.configure("retries = 1\n", "retries = 0\n");
    yard.shell("scale shop app=2").await.says(&["PARTIAL"]).says_not(&["Tried again by itself"]);
}
