//! Stacks that read each other's outputs: what was shown holds, and what goes beyond it asks.

use rustix::process::Signal;
use tidegate_runner::domain::changes::Exactness;
use tidegate_runner::domain::run::{Phase, QuestionWhy, RunEvent};
use tidegate_tests::yard::{Layout, Yard};

/// `app` makes as many resources as `EXPRESSION` says of the outputs of `base`.
const APP: &str = r#"variable "slaves" { type = number }
variable "yard" { type = string }
variable "stack" { type = string }

data "terraform_remote_state" "base" {
  backend = "local"
  config  = { path = "${var.yard}/roots/shop/base/terraform.tfstate" }
}

locals {
  base = data.terraform_remote_state.base.outputs.slaves
}

resource "terraform_data" "slave" {
  count = EXPRESSION
  input = { yard = var.yard, stack = var.stack, index = count.index }

  provisioner "local-exec" {
    command = "exec ${self.input.yard}/does create ${self.input.stack} ${self.input.index}"
  }

  provisioner "local-exec" {
    when    = destroy
    command = "exec ${self.input.yard}/does delete ${self.input.stack} ${self.input.index}"
  }
}
"#;

fn yard(expression: &str) -> Yard {
    let yard = Layout::new()
        .runner("ask_expires = \"10m\"")
        .environment("shop", &[("base", &[]), ("app", &["base"])])
        .environment("other", &[("app", &[])])
        .lay();
    yard.write("roots/shop/app/main.tf", &APP.replace("EXPRESSION", expression));
    yard
}

/// A yard in which `up shop full` makes `app` lose two resources that no plan could show before `base` was applied.
async fn with_a_surprise() -> Yard {
    let yard = yard("4 - local.base");
    yard.shell("up shop small").await.exits(0);
    assert_eq!(yard.in_state("shop", "app").await.len(), 3 + 1);
    yard
}

async fn exactness(yard: &Yard, run: i64, stack: &str) -> Vec<Exactness> {
    let events = yard.events(run).await;
    events
        .into_iter()
        .filter_map(|event| match event {
            RunEvent::StackPlanned { stack: name, plan } if name.as_str() == stack => Some(plan.exactness),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_run_that_waits_half_way_for_a_yes_takes_nobodys_place() {
    let yard = with_a_surprise().await;
    yard.configure("[runner]\n", "[runner]\nparallel = 1\n");
    let serve = yard.serve().await;
    yard.accepted("up shop full").await;
    yard.until(2, "awaiting_approval").await;
    yard.shell("up other").await.exits(0);
    assert_eq!(yard.status(2).await, "awaiting_approval");
    // With its yes it waits until there is a place again.
    yard.hold("delete.other-app");
    yard.accepted("down other small").await;
    yard.until_did("delete other-app", 1).await;
    let code = yard.view(2).await.question.expect("a question").code().to_owned();
    yard.accepted(&format!("approve 2 {code}")).await;
    assert_eq!((yard.calls("apply", "shop-app"), yard.status(2).await), (1, "applying"));
    yard.release("delete.other-app");
    assert_eq!((yard.ends(4).await, yard.ends(2).await), ("succeeded", "succeeded"));
    let applies = |event: &RunEvent| matches!(event, RunEvent::StackStarted { stack, phase: Phase::Apply } if stack.as_str() == "app");
    let begun = yard.records(2).await.into_iter().rfind(|record| applies(&record.event)).expect("an apply").at;
    let over = yard.records(4).await.into_iter().rfind(|record| matches!(record.event, RunEvent::Ended { .. }));
    assert!(begun >= over.expect("an end").at, "there is one seat");
    assert_eq!(yard.calls("apply", "shop-app"), 2);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_run_that_waits_for_a_place_begins_nothing_while_its_engine_ends() {
    let yard = with_a_surprise().await;
    yard.configure("[runner]\n", "[runner]\nparallel = 1\n");
    let serve = yard.serve().await;
    yard.accepted("up shop full").await;
    yard.until(2, "awaiting_approval").await;
    yard.shell("up other").await.exits(0);
    yard.hold("delete.other-app");
    yard.accepted("down other small").await;
    yard.until_did("delete other-app", 1).await;
    let code = yard.view(2).await.question.expect("a question").code().to_owned();
    yard.accepted(&format!("approve 2 {code}")).await;
    serve.signal(Signal::TERM);
    yard.wait("draining", async || serve.err().contains("draining").then_some(())).await;
    yard.release("delete.other-app");
    serve.end().await.exits(0);
    assert_eq!((yard.status(4).await, yard.status(2).await), ("succeeded", "applying"));
    assert_eq!(yard.calls("apply", "shop-app"), 1);
    let serve = yard.serve().await;
    assert_eq!(yard.ends(2).await, "succeeded");
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn without_an_upstream_state_creations_are_foreseen_and_counted_later() {
    let yard = yard("local.base");
    yard.shell("up shop").await.says(&["6 created"]).exits(0);
    assert_eq!(exactness(&yard, 1, "app").await, [Exactness::Unknown, Exactness::Exact]);
    yard.shell("log 1 app")
        .await
        .says(&["Unable to find remote state", "Tried before a stack that it needs was there"])
        .exits(0);
    let base = yard.shell("log 1 base").await;
    assert!(!base.exits(0).contains("Tried before"), "only what was tried is told so");
    assert_eq!((yard.did("create shop-base"), yard.did("create shop-app")), (3, 3));
    // No output changes: everything is planned at once, and once.
    yard.shell("up shop").await.exits(0);
    assert_eq!(exactness(&yard, 2, "app").await, [Exactness::Exact]);
    yard.shell("down shop off").await.says(&["6 destroyed"]).exits(0);
}

#[tokio::test]
async fn what_stays_within_what_was_shown_goes_on_by_itself() {
    let yard = yard("var.slaves + min(local.base, 1)");
    yard.shell("up shop small").await.exits(0);
    yard.shell("up shop full").await.says(&["4 created"]).exits(0);
    assert_eq!(exactness(&yard, 2, "app").await, [Exactness::Provisional, Exactness::Exact]);
    assert_eq!(yard.in_state("shop", "app").await.len(), 4 + 1);
}

#[tokio::test]
async fn what_would_be_lost_beyond_it_asks_and_keeps_the_environment_meanwhile() {
    let yard = with_a_surprise().await;
    let _serve = yard.serve().await;
    let up = yard.begin("up shop full");
    let asked = yard.until(2, "awaiting_approval").await;
    let question = asked.question.expect("a question");
    let QuestionWhy::PlanChanged { beyond, .. } = question.why else { panic!("{question:?}") };
    assert_eq!((beyond[0].0.as_str(), beyond.len()), ("app", 2));
    assert_eq!((yard.did("create shop-base"), yard.did("delete shop-app")), (3, 0));
    yard.wait("the names", async || up.out().contains("terraform_data.slave[2]").then_some(())).await;
    // It has begun, so that nobody else may change this environment; others go on.
    let waits = yard.begin("scale shop base=2");
    yard.until(3, "queued").await;
    yard.shell("up other small").await.exits(0);
    assert_eq!(yard.status(3).await, "queued");
    yard.accepted("cancel 3").await;
    waits.end().await.exits(4);
    yard.shell(&yes_to(&yard).await).await.exits(0);
    up.end().await.says(&["shop is at full"]).exits(0);
    assert_eq!(yard.did("delete shop-app"), 2);
}

/// The yes to what run 2 asks now.
async fn yes_to(yard: &Yard) -> String {
    format!("approve 2 {}", yard.view(2).await.question.expect("a question").code())
}

#[tokio::test]
async fn a_no_in_between_ends_partial_and_says_what_stands() {
    for answer in ["reject 2 because they are needed", "cancel 2"] {
        let yard = with_a_surprise().await;
        let _serve = yard.serve().await;
        let up = yard.begin("up shop full");
        yard.until(2, "awaiting_approval").await;
        let told = yard.shell(answer).await;
        told.says(&["half way", "PARTIAL", "What stands"]).exits(1);
        assert!(!told.out.contains("is not done") && !told.out.contains("is not applied"), "{}", told.out);
        up.end().await.says(&["base", "app"]).exits(1);
        assert_eq!((yard.status(2).await, yard.did("delete shop-app")), ("partial", 0));
        yard.shell("status shop").await.exits(0);
        yard.shell("accept 2 because it is enough").await.exits(0);
        // Also where what was to be before is wanted again: what stands is more than that.
        yard.shell("down shop").await.exits(0);
        assert_eq!(yard.in_state("shop", "base").await.len(), 1);
    }
}

#[tokio::test]
async fn no_answer_in_between_ends_partial_and_frees_the_environment() {
    let yard = with_a_surprise().await;
    yard.configure("ask_expires = \"10m\"", "ask_expires = \"10s\"");
    // Whoever waits is the engine here; it sees the question expire.
    let up = yard.shell("up shop full").await;
    up.says(&["nobody said yes in time"]).exits(1);
    assert_eq!((yard.status(2).await, yard.did("delete shop-app")), ("partial", 0));
    yard.shell("scale shop base=1").await.exits(0);
}

#[tokio::test]
async fn a_question_in_between_survives_a_crash() {
    let yard = with_a_surprise().await;
    let serve = yard.serve().await;
    yard.accepted("up shop full").await;
    let asked = yard.until(2, "awaiting_approval").await;
    serve.kill().await;
    let serve = yard.serve().await;
    assert_eq!(yard.view(2).await.question, asked.question);
    yard.accepted(&yes_to(&yard).await).await;
    serve.kill().await;
    let _serve = yard.serve().await;
    assert_eq!(yard.ends(2).await, "succeeded");
    assert_eq!(yard.did("delete shop-app"), 2);
}

#[tokio::test]
async fn the_same_change_with_another_value_is_asked_about_again() {
    let yard = Yard::new();
    let root = yard.read("roots/shop/app/main.tf");
    yard.write(
        "roots/shop/app/main.tf",
        &format!("{root}\nresource \"terraform_data\" \"size\" {{\n  input = file(\"YARD/size\")\n}}\n"),
    );
    yard.write("size", "one");
    yard.shell("up shop small").await.exits(0);
    yard.shell("scale shop app=2").await.exits(0);
    let _serve = yard.serve().await;
    yard.write("size", "two");
    yard.accepted("undo shop").await;
    let asked = yard.until(3, "awaiting_approval").await.question.expect("a question");
    // Neither the code nor a variable is another: only what the plan read.
    yard.write("size", "three");
    yard.accepted("approve 3").await;
    let again = async || yard.view(3).await.question.filter(|question| question.digest != asked.digest);
    let again = yard.wait("a new question", again).await;
    let told = format!("{:?}", again.why);
    assert!(told.contains("terraform_data.size") && !told.contains("slave"), "{told}");
    yard.accepted(&format!("approve 3 {}", again.code())).await;
    assert_eq!(yard.ends(3).await, "succeeded");
    assert_eq!(yard.in_state("shop", "app").await.len(), 2);
}

#[tokio::test]
async fn what_would_be_replaced_although_nobody_asked_for_it_asks_first() {
    let yard = Yard::new();
    yard.shell("up shop").await.exits(0);
    let root = yard.read("roots/shop/app/main.tf");
    let text = root.replace("  count = var.slaves\n", "  count = var.slaves\n  triggers_replace = [\"new\"]\n");
    yard.write("roots/shop/app/main.tf", &text);
    let _serve = yard.serve().await;
    let up = yard.begin("up shop app=4");
    yard.until(2, "awaiting_approval").await;
    yard.wait("the names", async || up.out().contains("replace `terraform_data.slave[0]`").then_some(())).await;
    assert_eq!(yard.did("delete"), 0);
    yard.shell("reject 2").await.exits(0);
    up.end().await.says(&["Nothing was changed"]).exits(4);
    // For the level that was announced nobody is asked.
    yard.shell("down shop off").await.exits(0);
}

#[tokio::test]
async fn a_state_that_was_deleted_is_noticed_before_anything_is_made_a_second_time() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let left = std::fs::read(&state).expect("a state");
    std::fs::remove_file(&state).expect("removed");
    yard.shell("plan shop small").await.says(&["app's state has the serial 0; it was 1 at least"]).exits(0);
    let _serve = yard.serve().await;
    let scale = yard.begin("scale shop app=3");
    yard.until(3, "awaiting_approval").await;
    let says = ["The Terraform state of app is not the one that was left", "would be made once more"];
    yard.wait("why", async || says.iter().all(|said| scale.out().contains(said)).then_some(())).await;
    let made = yard.did("create shop-app");
    yard.shell("reject 3").await.exits(0);
    scale.end().await.says(&["Nothing was changed"]).exits(4);
    assert_eq!(yard.did("create shop-app"), made);
    // Put back it is the one that was left.
    std::fs::write(&state, left).expect("written");
    yard.shell("scale shop app=3").await.exits(0);
    // Who knows that nothing of it exists any more says so, and is not asked again.
    std::fs::remove_file(&state).expect("removed");
    let scale = yard.begin("scale shop app=4");
    yard.until(5, "awaiting_approval").await;
    yard.shell("approve 5").await.exits(0);
    scale.end().await.exits(0);
    // What was there before may still be: that is plain until the next run finds the state as it was left.
    yard.shell("status shop").await.says(&["IN DOUBT: what an older state does not know of may stand beside it"]);
    yard.shell("scale shop app=5").await.exits(0);
    yard.shell("status shop").await.says_not(&["IN DOUBT"]);
    // Where everything was destroyed, nothing is lost with the state.
    let destroy = yard.begin("destroy shop");
    yard.until(7, "awaiting_approval").await;
    yard.shell("approve 7").await.exits(0);
    destroy.end().await.exits(0);
    std::fs::remove_file(&state).expect("removed");
    yard.shell("up shop small").await.exits(0);
}

#[tokio::test]
async fn nothing_is_called_off_or_destroyed_on_an_older_state_before_somebody_says_yes_to_it() {
    let yard =
        Layout::new().environment_with("shop", "protect = [\"terraform_data.slave[0]\"]\n", &[("app", &[])]).lay();
    yard.shell("up shop small").await.exits(0);
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let older = std::fs::read(&state).expect("a state");
    yard.shell("up shop full").await.exits(0);
    let serve = yard.serve().await;
    let mut run = 2;
    // Lost; and an older one put back, in which what is protected is all that there is.
    for lost in [true, false] {
        for order in ["down shop off", "destroy shop"] {
            if lost {
                let _ = std::fs::remove_file(&state);
            } else {
                std::fs::write(&state, &older).expect("written");
            }
            run += 1;
            let asked = yard.begin(order);
            let question = yard.until(run, "awaiting_approval").await.question.expect("a question");
            assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{order}: {:?}", question.why);
            yard.shell(&format!("show {run}")).await.says(&["would be left as it is", "app's state has the serial"]);
            // Without a yes nothing is known of what stands.
            yard.shell(&format!("reject {run}")).await.exits(0);
            asked.end().await.says(&["app's state has the serial", "Nothing was changed"]).exits(4);
            yard.shell("status shop").await.says(&["shop is at full"]);
        }
    }
    run += 1;
    let asked = yard.begin("destroy shop");
    yard.until(run, "awaiting_approval").await;
    yard.shell(&format!("approve {run}")).await.exits(0);
    let told = asked.end().await;
    told.says(&["as far as an older state tells", "app's state has the serial", "protected"]).exits(0);
    told.says_not(&["Everything is as asked"]);
    assert_eq!(yard.did("delete"), 0);
    yard.shell("status shop").await.says(&["IN DOUBT: what an older state does not know of may stand beside it"]);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_was_lowered_on_an_older_state_is_told_as_far_as_that_tells() {
    let yard = Yard::new();
    yard.shell("up shop full").await.exits(0);
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let older = std::fs::read(&state).expect("a state");
    yard.shell("scale shop app=5").await.exits(0);
    std::fs::write(&state, &older).expect("written");
    let _serve = yard.serve().await;
    let down = yard.begin("down shop small");
    yard.until(3, "awaiting_approval").await;
    yard.shell("approve 3").await.exits(0);
    // Something was lowered, and what the older state does not know of stands as it did.
    down.end().await.says(&["as far as an older state tells"]).exits(0);
    assert_eq!(yard.did("delete"), 2);
}

#[tokio::test]
async fn another_state_put_in_its_place_is_asked_about_whatever_its_serial() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let state = yard.file("roots/shop/app/terraform.tfstate");
    let another = |lineage: &str, serial: u64| {
        let text = std::fs::read(&state).expect("a state");
        let mut head: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        head["lineage"] = lineage.into();
        head["serial"] = serial.into();
        std::fs::write(&state, head.to_string()).expect("written");
    };
    // Right after the run that made it, before any further plan.
    another("by-hand", 99);
    let _serve = yard.serve().await;
    let scale = yard.begin("scale shop app=3");
    let question = yard.until(2, "awaiting_approval").await.question.expect("a question");
    assert!(matches!(question.why, QuestionWhy::WentBack { .. }), "{:?}", question.why);
    yard.shell("show 2").await.says(&["app's state is another state (lineage by-hand)"]);
    yard.shell("reject 2").await.exits(0);
    scale.end().await.says(&["Nothing was changed"]).exits(4);
    // After a yes it is the one that counts.
    let scale = yard.begin("scale shop app=3");
    yard.until(3, "awaiting_approval").await;
    yard.shell("approve 3").await.exits(0);
    scale.end().await.exits(0);
    yard.shell("scale shop app=4").await.exits(0);
    // A ledger from before lineages were kept learns it from the next plan.
    yard.change_ledger("UPDATE stacks SET lineage = NULL").await;
    let told = yard.shell("plan shop small").await;
    told.says_not(&["another state"]);
    told.exits(0);
    another("again", 200);
    yard.shell("plan shop small").await.says(&["app's state is another state (lineage again)"]).exits(0);
    another("by-hand", 201);
    // Terraform keeps the lineage when everything is destroyed; where nothing of ours is left, another one is no question.
    let destroy = yard.begin("destroy shop");
    yard.until(7, "awaiting_approval").await;
    yard.shell("approve 7").await.exits(0);
    destroy.end().await.exits(0);
    yard.shell("up shop small").await.exits(0);
    let destroy = yard.begin("destroy shop");
    yard.until(9, "awaiting_approval").await;
    yard.shell("approve 9").await.exits(0);
    destroy.end().await.exits(0);
    another("third", 1);
    yard.shell("up shop small").await.exits(0);
    yard.shell("status shop").await.says_not(&["IN DOUBT"]);
}

#[tokio::test]
async fn what_the_code_itself_keeps_is_explained_and_nothing_goes() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let root = yard.read("roots/shop/app/main.tf");
    let kept = "  count = var.slaves\n  lifecycle {\n    prevent_destroy = true\n  }\n";
    yard.write("roots/shop/app/main.tf", &root.replace("  count = var.slaves\n", kept));
    let told = yard.shell("down shop off").await;
    told.says(&["Instance cannot be destroyed", "The code says `prevent_destroy` there", "name the resource in"]);
    told.exits(1);
    assert_eq!(yard.did("delete"), 0);
}

#[tokio::test]
async fn what_the_code_and_protect_keep_is_lowered_at_off_and_status_says_so() {
    let yard = Yard::new();
    yard.shell("up shop full").await.exits(0);
    let root = yard.read("roots/shop/app/main.tf");
    let kept = "\nresource \"terraform_data\" \"database\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n";
    yard.write("roots/shop/app/main.tf", &format!("{root}{kept}"));
    yard.configure("up = \"full\"", "up = \"full\"\nprotect = [\"terraform_data.database\"]");
    yard.shell("up shop full").await.exits(0);
    yard.shell("down shop off").await.says(&["only lowered, not destroyed", "terraform_data.database"]).exits(0);
    assert!(yard.in_state("shop", "app").await.contains(&"terraform_data.database".to_owned()));
    yard.shell("status shop").await.says(&["at off as far as it goes: app at small"]).exits(0);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_known_through_a_local() {
    let yard = Layout::new().environment("shop", &[("base", &[]), ("app", &["base"])]).lay();
    let root = yard.read("roots/shop/base/main.tf");
    yard.write("roots/shop/base/main.tf", &format!("{root}\noutput \"network\" {{\n  value = \"n-1\"\n}}\n"));
    let root = yard.read("roots/shop/app/main.tf");
    let reads = "\ndata \"terraform_remote_state\" \"base\" {\n  backend = \"local\"\n  config = {\n    path = \"YARD/base.tfstate\"\n  }\n}\nlocals {\n  base = data.terraform_remote_state.base.outputs\n}\nresource \"terraform_data\" \"in\" {\n  input = local.base.network\n}\n";
    yard.write("roots/shop/app/main.tf", &format!("{root}{reads}"));
    // A state without outputs: the stack exists, and was never applied as far as that.
    yard.write(
        "base.tfstate",
        "{ \"version\": 4, \"serial\": 1, \"lineage\": \"x\", \"outputs\": {}, \"resources\": [] }",
    );
    yard.shell("plan shop full").await.says(&["only creations; counted when its upstream is there"]).exits(0);
}

#[tokio::test]
async fn what_moves_or_is_forgotten_is_not_missed_afterwards() {
    let yard = Yard::new();
    yard.shell("up shop small").await.exits(0);
    let root = yard.read("roots/shop/app/main.tf").replace("\"slave\"", "\"worker\"");
    let moved = "\nmoved {\n  from = terraform_data.slave\n  to   = terraform_data.worker\n}\n";
    yard.write("roots/shop/app/main.tf", &format!("{root}{moved}"));
    yard.shell("up shop full").await.says(&["2 created"]).exits(0);
    assert_eq!(yard.in_state("shop", "app").await[0], "terraform_data.worker[0]");
    let removed = "variable \"slaves\" {}\nvariable \"yard\" {}\nvariable \"stack\" {}\nremoved {\n  from = \
                   terraform_data.worker\n  lifecycle {\n    destroy = false\n  }\n}\n";
    yard.write("roots/shop/app/main.tf", removed);
    yard.shell("up shop").await.exits(0);
    assert_eq!((yard.in_state("shop", "app").await.len(), yard.did("delete")), (0, 0));
}
