//! Tidegate in Slack: real Terraform, and what the channel reads.

use std::time::Duration;

use tidegate_tests::in_slack::InSlack;
use tidegate_tests::slack::Refusal;
use tidegate_tests::yard::kill_9;

/// The transcript without what differs each time.
fn read(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut words: Vec<String> = Vec::new();
        for word in line.split(' ') {
            let number = word.trim_end_matches([',', '.', ')', 's']).trim_start_matches('(');
            let clock = number.len() == 5 && number.as_bytes()[2] == b':';
            let spent = word != number && number.parse::<f64>().is_ok() && word.contains('s');
            words.push(if clock {
                "HH:MM".to_owned()
            } else if spent {
                "N s".to_owned()
            } else {
                word.to_owned()
            });
        }
        out.push_str(words.join(" ").trim_end());
        out.push('\n');
    }
    out
}

#[tokio::test]
async fn a_slash_command_raises_an_environment_and_the_channel_tells_it() {
    let place = InSlack::lay().await;
    let serve = place.serve().await;
    place.tide("up shop because the rehearsal starts").await;
    let text = place.reads("shop is at full").await;
    println!("{text}");
    place.slack.until("the asker is called", || !place.slack.called(&place.alice).is_empty()).await;
    assert_eq!(place.yard.status(1).await, "succeeded");
    let text = place.slack.transcript(&place.channel);
    println!("{}", read(&text));
    assert_eq!(
        place.slack.calls_of("chat.postMessage").iter().filter(|call| call.text("thread_ts").is_empty()).count(),
        1
    );
    serve.stop().await.exits(0);
    let _ = (Refusal::Silence, Duration::ZERO, kill_9 as fn(i32));
}
