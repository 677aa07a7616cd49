//! Many environments: several files, those that are like another, and groups that are planned and changed together.

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::yard::{Layout, Yard};

/// `shop` in the main file, and `game-a` to `game-c` like it in another one.
fn forty() -> Yard {
    let yard = Layout::new().top("include = ['teams/*.toml']").environment("shop", &[("app", &[])]).lay();
    yard.write("teams/rpg.toml", &games());
    yard
}

/// How many resources the state of one of the games has: a workspace of the one root.
fn in_state(yard: &Yard, game: &str) -> usize {
    let text = yard.read(&format!("roots/shop/app/terraform.tfstate.d/{game}/terraform.tfstate"));
    let state: serde_json::Value = serde_json::from_str(&text).expect("a state");
    let resources = state["resources"].as_array().expect("resources");
    resources.iter().filter_map(|resource| resource["instances"].as_array()).map(Vec::len).sum()
}

fn games() -> String {
    let game = |name: &str| {
        format!(
            "[environments.{name}]\nlike = 'shop'\ngroup = 'rpg'\n\
             stacks = [{{ name = 'app', workspace = '{{env}}', variables = {{ stack = '{{env}}-app' }} }}]\n"
        )
    };
    ["game-a", "game-b", "game-c"].map(game).concat()
}

#[tokio::test]
async fn a_group_is_planned_by_class_and_changed_until_the_first_that_fails_and_a_restart_goes_on() {
    let yard = forty();
    yard.run(&["check"]).await.says(&["4 environments", "nothing wrong"]).exits(0);
    let shown = yard.run(&["check", "--show", "game-b"]).await;
    shown.says(&["stacks[app].variables.stack", "\"game-b-app\"", "teams/rpg.toml:", "tidegate.toml:"]).exits(0);
    yard.run(&["check", "--show", "gmae-b"]).await.exits(1);
    yard.shell("plan @rpg full").await.says(&["3 create"]).exits(0);
    assert_eq!(yard.did("create"), 0);
    // The first is well, the second is not: the third is beside it, and nothing else is begun.
    yard.fail("create.game-b-app.0");
    yard.shell("up @rpg small").await.says(&["STOPPED", "game-b FAILED"]).exits(1);
    assert_eq!((yard.did("create game-a-app"), yard.did("create game-c-app")), (1, 1));
    yard.heal("create.game-b-app.0");
    yard.shell("handover").await.says(&["game-b", "FAILED"]).says_not(&["game-a"]);
    let serve = yard.serve().await;
    yard.hold("create.game-b-app");
    yard.accepted("up @rpg full").await;
    yard.until_did("create game-b-app", 2).await;
    serve.kill().await;
    let serve = yard.serve().await;
    yard.shell("status @rpg").await.says(&["up @rpg", "game-b"]).exits(0);
    yard.release("create.game-b-app");
    yard.wait("the end of it", async || yard.shell("status @rpg").await.exits(0).contains("3 done").then_some(()))
        .await;
    for game in ["game-a", "game-b", "game-c"] {
        assert_eq!(in_state(&yard, game), 3, "{game}");
    }
    serve.stop().await.exits(0);
    yard.shell("down @rpg off").await.says(&["3 done"]).exits(0);
    yard.shell("handover").await.says(&["Nothing to hand over"]).exits(0);
}

#[tokio::test]
async fn a_change_of_a_group_is_stopped_as_a_whole_and_what_runs_of_it_breaks_off_gently() {
    let yard = forty();
    let serve = yard.serve().await;
    for game in ["game-b", "game-c"] {
        yard.hold(&format!("create.{game}-app"));
    }
    let asker = yard.begin("up @rpg small");
    for game in ["game-b", "game-c"] {
        yard.until_did(&format!("create {game}-app"), 1).await;
    }
    let stopped = yard.shell("cancel @rpg because the wrong size").await;
    let said =
        ["up @rpg is stopped", "1 done, 2 running", "Asked to stop: game-b (run 2), game-c (run 3)", "cancel 2 force"];
    stopped.says(&said).exits(0);
    asker.end().await.says(&["stopped by hand", "1 done, 2 cancelled"]).exits(1);
    assert_eq!((yard.ends(1).await, yard.ends(2).await, yard.ends(3).await), ("succeeded", "cancelled", "cancelled"));
    yard.shell("show 2").await.says(&["`up @rpg` is stopped: the wrong size"]);
    yard.shell("cancel @rpg").await.says(&["nothing is being done to @rpg"]).exits(3);
    for game in ["game-b", "game-c"] {
        yard.release(&format!("create.{game}-app"));
    }
    // State and lock are as they should be.
    yard.shell("up @rpg small").await.says(&["3 environments"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_group_is_destroyed_by_a_yes_for_each_booked_as_a_whole_and_its_hours_are_told() {
    let yard = forty();
    let serve = yard.serve().await;
    yard.shell("up @rpg small").await.exits(0);
    yard.shell("hours @rpg")
        .await
        .says(&["3 environments were on", "game-a", "game-c", "hours @rpg 20"])
        .says_not(&["shop"]);
    yard.shell("book game-b full tomorrow 9:00-12:00 because rehearsal").await.exits(0);
    let words = ["game-b is booked then", "book @rpg full", "books each of it, or none"];
    yard.shell("book @rpg full tomorrow 11:00-13:00 because rehearsal").await.says(&words).exits(3);
    yard.shell("book @rpg full tomorrow 12:00-13:00 because rehearsal")
        .await
        .says(&["Done in 3 environments"])
        .exits(0);
    yard.shell("list bookings @rpg").await.says(&["4 bookings"]).exits(0);
    yard.shell("unbook @rpg 1").await.exits(0);
    yard.shell("unbook @rpg").await.says(&["Done in 3 environments"]).exits(0);
    // The first one asks, and nothing else is begun meanwhile; a yes is for it alone.
    let asker = yard.begin("destroy @rpg because the season is over");
    yard.until(4, "awaiting_approval").await;
    assert_eq!(yard.did("delete"), 0);
    yard.shell("status @rpg").await.says(&["destroy @rpg", "1 running, 2 not begun"]).exits(0);
    yard.wait("its line", async || asker.out().contains("approve 4").then_some(())).await;
    yard.shell("approve 4").await.exits(0);
    for run in [5, 6] {
        yard.until(run, "awaiting_approval").await;
    }
    assert_eq!((yard.did("delete game-a-app"), yard.did("delete")), (1, 1));
    yard.shell("reject 6 because it is needed").await.exits(0);
    yard.shell("approve 5").await.exits(0);
    let said = ["STOPPED", "2 done, 1 cancelled", "game-c CANCELLED, run 6", "game-a waits for a yes", "approve 4"];
    asker.end().await.says(&said).exits(1);
    assert_eq!((in_state(&yard, "game-b"), in_state(&yard, "game-c")), (0, 1));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_broken_file_sets_only_its_own_environments_aside_and_they_go_on_as_they_were() {
    let yard = forty();
    yard.shell("up game-a small").await.exits(0);
    let serve = yard.serve().await;
    yard.write("teams/rpg.toml", &games().replace("like = 'shop'\ngroup = 'rpg'", "like = = 'shop'"));
    yard.wait("that it is told", async || {
        yard.shell("status game-a").await.exits(0).contains("teams/rpg.toml:2").then_some(())
    })
    .await;
    yard.shell("up shop small").await.exits(0);
    yard.shell("up game-a full").await.exits(0);
    yard.run(&["check"]).await.says(&["teams/rpg.toml:2"]).exits(1);
    yard.write("teams/rpg.toml", &games());
    yard.write(
        "teams/more.toml",
        "[environments.chess]\nlike = 'shop'\nstacks = [{ name = 'app', workspace = '{env}' }]\n",
    );
    yard.wait("the new one", async || {
        let told = yard.shell("envs").await;
        let told = told.exits(0);
        (told.contains("chess") && !told.contains("DOES NOT CHECK")).then_some(())
    })
    .await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn a_group_is_changed_in_a_chat_one_change_at_a_time() {
    let place = InSlack::lay().await;
    place.yard.configure("[environments.shop]", "[environments.shop]\ngroup = \"rpg\"");
    place.lay_more(&["blog"], "#load-test");
    place.yard.hold("create.shop-app");
    let serve = place.serve().await;
    place.tide("up @rpg small").await;
    let text = place.reads("up @rpg \u{b7} 2 environments").await;
    assert!(text.contains("shop alone first, then up to 4 at a time"), "{text}");
    place.yard.until_did("create shop-app", 1).await;
    place.tide("down @rpg off").await;
    let text = place.reads("`down @rpg` does not begin beside `up @rpg`").await;
    assert!(text.contains("@alice") && text.contains("0 of 2 are over") && text.contains("cancel @rpg"), "{text}");
    place.yard.release("create.shop-app");
    place.reads("blog is at small").await;
    // Its end is told to whoever asked.
    let direct = place.slack.direct_channel(&place.alice);
    place.slack.reads(&direct, "up @rpg \u{b7} 2 done").await;
    assert_eq!((place.yard.ends(1).await, place.yard.ends(2).await), ("succeeded", "succeeded"));
    place.tide("down @rpg off").await;
    place.slack.reads(&direct, "down @rpg \u{b7} 2 done").await;
    place.settled().await;
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn where_no_group_is_configured_it_is_told_how_to_make_one() {
    let yard = Layout::new().environment("shop", &[("app", &[])]).lay();
    yard.shell("up @rpg").await.says(&["there is no group", "group = \"rpg\"", "[environments.NAME]"]).exits(2);
}
