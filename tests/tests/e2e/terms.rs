//! What the command line itself promises: `check` with the real Terraform, its report and the program's log as JSON, and who is who.

use serde_json::Value;
use tidegate_tests::yard::Yard;

#[tokio::test]
async fn check_tells_what_the_real_terraform_finds_in_a_root() {
    let yard = Yard::new();
    yard.run(&["check"]).await.exits(0);
    let root = yard.read("roots/shop/app/main.tf");
    yard.write(
        "roots/shop/app/main.tf",
        &format!("{root}\noutput \"x\" {{\n  value = terraform_data.slve[0].id\n}}\n"),
    );
    yard.run(&["check"]).await.says(&["Reference to undeclared resource", "main.tf"]).exits(1);
}

#[tokio::test]
async fn check_tells_it_as_json() {
    let yard = Yard::new();
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("one JSON object");
    let told = yard.run(&["check", "--format", "json"]).await;
    assert_eq!(json(told.exits(0))["checked"]["environments"], 1);
    yard.configure("max = 20", "max = -1");
    let told = yard.run(&["check", "--format", "json"]).await;
    let report = json(told.exits(1));
    let problem = &report["problems"][0];
    assert_eq!((problem["severity"].as_str(), problem["environment"].as_str()), (Some("error"), Some("shop")));
    assert!(problem["line"].as_u64().is_some_and(|line| line > 0) && problem["message"].is_string(), "{report}");
}

#[tokio::test]
async fn the_log_is_json_where_that_is_asked_for() {
    let yard = Yard::new();
    let serve = yard.start(&["--log-format", "json", "serve"], &[]);
    yard.shell("up shop").await.exits(0);
    yard.wait("a line", async || serve.err().contains('\n').then_some(())).await;
    let told = serve.err();
    let whole = told.rsplit_once('\n').expect("a line").0;
    for line in whole.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(entry["level"].is_string() && entry["timestamp"].is_string(), "{line}");
    }
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn nobody_speaks_as_somebody_else_but_in_the_demo() {
    let yard = Yard::new();
    yard.run(&["shell", "--as", "sato", "-c", "whoami"]).await.says(&["takes no `--as`"]).exits(2);
    yard.shell("approve 12").await.says(&["there is no run 12"]).exits(3);
}
