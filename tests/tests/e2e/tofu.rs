//! OpenTofu, played by a script: it answers to `tofu`, tells a version of its own, refuses what OpenTofu does not know, and leaves the
//! work to Terraform. What only the real one would do differently is not shown by this.

use tidegate_tests::yard::Yard;

/// `init -json` is newer in OpenTofu than its fork; everything else that is used is older than it.
const TOFU: &str = r#"#!/bin/sh
echo "$*" >>YARD/tofu.log
case "$1 $*" in
version*) echo '{"terraform_version":"1.9.1","platform":"linux_amd64","provider_selections":{}}'; exit ;;
init*-json*) echo "flag provided but not defined: -json" >&2; exit 1 ;;
esac
exec YARD/terraform "$@"
"#;

#[tokio::test]
async fn opentofu_is_driven_without_what_it_does_not_know() {
    let yard = Yard::new();
    yard.program("tofu", TOFU);
    yard.configure("terraform = \"./terraform\"", "terraform = \"./tofu\"");
    yard.shell("up shop small").await.says(&["1 created", "shop is at small"]).exits(0);
    assert_eq!(yard.shell("scale shop app=2").await.exits(0).matches("1 created").count(), 1);

    let view = yard.view(1).await;
    let made = view.stacks.values().find_map(|stack| stack.provenance.clone()).expect("a provenance");
    assert_eq!(made.tool, "OpenTofu 1.9.1");
    let calls = yard.read("tofu.log");
    for subcommand in ["init -input=false", "plan -json", "apply -json"] {
        assert!(calls.lines().any(|line| line.starts_with(subcommand)), "no `{subcommand}` in:\n{calls}");
    }
}

#[tokio::test]
async fn an_opentofu_that_is_too_old_for_the_root_says_so_in_its_own_name() {
    let yard = Yard::new();
    yard.program("tofu", &TOFU.replace("1.9.1", "1.3.0"));
    yard.configure("terraform = \"./terraform\"", "terraform = \"./tofu\"");
    yard.shell("up shop small").await.says(&["OpenTofu 1.3.0 is too old"]).exits(1);
    assert_eq!(yard.calls("apply", "shop-app"), 0);
}
