//! The Slack for tests is judged by Slack's own framework: Bolt for Python carries a whole story through it.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tidegate_tests::slack::{Refusal, Workspace, judges};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn bolt(slack: &Workspace, mode: &str) -> Child {
    let mut command = Command::new(judges::python());
    command.arg(judges::program("bolt_story.py")).arg(mode);
    command.env("SLACK_API_URL", slack.api_url()).env("SLACK_SIGNING_SECRET", slack.signing_secret());
    command.env("SLACK_BOT_TOKEN", slack.bot_token()).env("SLACK_APP_TOKEN", slack.app_token());
    // A proxy of the machine has no business on the loopback interface.
    for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    command.spawn().expect("python starts")
}

/// Command, acknowledgement, post, update, button, form, errors of the form, file, reaction, ephemeral, mention, direct message, Home.
async fn story(slack: &Workspace) {
    let (alice, bob) = (slack.person("alice"), slack.person("bob"));
    let ops = slack.group("ops", &[&alice, &bob]);
    assert!(ops.as_str().starts_with('S'));
    let (channel, _, _) = (slack.channel("#load-test"), slack.channel("#general"), slack.private_channel("#secret"));

    // The client of Slack itself waits as a 429 says.
    slack.refuse("chat.postMessage", Refusal::RateLimited { retry_after: 1 }).for_calls(1);
    slack.command(&alice, &channel, "/tide", "up shop").await.accepted();
    slack.reads(&channel, "only alice sees): run 812 waits for a yes").await;

    let card = slack.find(&channel, "[Approve]").expect("the card");
    slack.press(&bob, &card, "approve").await.accepted();
    slack.until("the form", || slack.form(&bob).is_some()).await;
    slack.until("the second form is refused", || slack.calls_of("views.open").len() == 2).await;
    let form = slack.form(&bob).expect("the form");
    assert_eq!(slack.view_text(&form), "form: Approve run 812\nBecause: [____]\n[Approve]\n[Cancel]\n");
    let short = slack.submit(&bob, &form, &json!({ "reason": "ok" })).await;
    assert_eq!(short.body().and_then(|body| body["errors"]["because"].as_str()), Some("Say more."));
    assert_eq!(slack.form(&bob), Some(form.clone()));
    slack.submit(&bob, &form, &json!({ "reason": "the test begins at ten" })).await.accepted();
    assert_eq!(slack.form(&bob), None);
    slack.reads(&channel, "Your yes is written down.").await;

    slack.mention(&alice, &channel, None, "@tidegate what is up?").await.accepted();
    let reads = slack.reads(&channel, "> tidegate: I heard").await;
    let expected = "\
#load-test
tidegate (only alice sees): On it: up shop
tidegate (edited):
  *812* approved by @bob: the test begins at ten
  :white_check_mark:
  > tidegate: [file plan.txt, 11 bytes]
tidegate (only alice sees): run 812 waits for a yes
tidegate (only bob sees): Your yes is written down.
alice: @tidegate what is up?
  > tidegate: I heard @alice
";
    assert_eq!(sorted(&reads), sorted(expected), "{reads}");
    assert_eq!(slack.file("plan.txt").as_deref(), Some(b"+ 3 things\n".as_slice()));
    assert_eq!(slack.called(&alice), ["I heard @alice"]);

    slack.direct(&alice, "look around").await.accepted();
    let direct = slack.direct_channel(&alice);
    let told = slack.reads(&direct, "invalid_auth").await;
    let around = "2 channels; 3 in it; 3 members; alice in Asia/Tokyo; 3 people; ops has 2; tidegate; run 812 found again; 1 answers; \
         channel_not_found; message_not_found; invalid_blocks; unknown_method; invalid_auth";
    assert_eq!(told, format!("@alice\nalice: look around\ntidegate: {around}\n"));

    slack.open_home(&alice).await.accepted();
    slack.until("the Home tab", || slack.home(&alice).is_some()).await;
    assert_eq!(slack.view_text(&slack.home(&alice).expect("it")), "# What is up\n");
    assert!(judges::check_calls(slack).contains("0 faults"));
}

/// An acknowledgement may be shown before or after what was posted at once after it.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

async fn ends(mut bolt: Child) {
    drop(bolt.stdin.take());
    let status =
        tokio::time::timeout(Duration::from_secs(30), bolt.wait()).await.expect("it ends").expect("its status");
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn bolt_runs_a_whole_story_over_socket_mode() {
    let slack = Workspace::start().await;
    let bolt = bolt(&slack, "socket");
    slack.connected(1).await;
    story(&slack).await;
    ends(bolt).await;
}

#[tokio::test]
async fn bolt_runs_a_whole_story_over_http_and_takes_the_signatures() {
    let slack = Workspace::start().await;
    let mut bolt = bolt(&slack, "http");
    let mut lines = BufReader::new(bolt.stdout.take().expect("its output")).lines();
    let line = lines.next_line().await.expect("a line").expect("a line");
    let port = line.strip_prefix("listening ").expect("its port");
    slack.over_http_at(&format!("http://127.0.0.1:{port}/"));
    story(&slack).await;
    ends(bolt).await;
}

#[test]
fn the_models_of_slacks_client_refuse_what_slack_would() {
    let call =
        |blocks| json!({ "method": "chat.postMessage", "arguments": { "blocks": blocks }, "answer": { "ok": true } });
    let section = |text: &str| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } });
    for (blocks, fault) in [
        (json!([section(&"x".repeat(3001))]), "3000"),
        (json!([{ "type": "nothing" }]), "unknown type"),
        (json!([{ "type": "actions", "elements": [{ "type": "lever" }] }]), "unknown type"),
        (json!(vec![section("x"); 51]), "51 blocks"),
    ] {
        let (well, told) = judges::read_calls(&call(blocks).to_string());
        assert!(!well && told.contains(fault), "{told}");
    }
}
