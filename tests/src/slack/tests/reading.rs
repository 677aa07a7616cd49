//! What can be read: history, threads, people, groups, files.

use serde_json::{Value, json};

use super::{call, call_as, read};
use crate::slack::http::post;
use crate::slack::{ChannelId, Workspace};

async fn say(slack: &Workspace, channel: &ChannelId, text: &str, thread: Option<&Value>) -> Value {
    let mut arguments = json!({ "channel": channel.as_str(), "text": text });
    if let Some(thread) = thread {
        arguments["thread_ts"] = thread.clone();
    }
    let answer = call(slack, "chat.postMessage", &arguments).await;
    assert_eq!(answer["ok"], true, "{answer}");
    answer["ts"].clone()
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().into_iter().flatten().filter_map(|message| message["text"].as_str()).collect()
}

#[tokio::test]
async fn history_is_newest_first_in_pages_and_between_time_stamps_and_leaves_threads_to_replies() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    let first = say(&slack, &channel, "1", None).await;
    for text in ["2", "3", "4"] {
        say(&slack, &channel, text, None).await;
    }
    say(&slack, &channel, "in the thread", Some(&first)).await;
    let id = channel.as_str();
    let page = read(&slack, "conversations.history", &[("channel", id), ("limit", "3")]).await;
    assert_eq!((texts(&page), &page["has_more"]), (vec!["4", "3", "2"], &json!(true)));
    let cursor = page["response_metadata"]["next_cursor"].as_str().expect("a cursor");
    let rest = read(&slack, "conversations.history", &[("channel", id), ("cursor", cursor)]).await;
    assert_eq!((texts(&rest), &rest["messages"][0]["reply_count"]), (vec!["1"], &json!(1)));
    let oldest = first.as_str().expect("a time stamp");
    let later = read(&slack, "conversations.history", &[("channel", id), ("oldest", oldest)]).await;
    assert_eq!(texts(&later), ["4", "3", "2"]);
    let thread = read(&slack, "conversations.replies", &[("channel", id), ("ts", oldest)]).await;
    assert_eq!(texts(&thread), ["1", "in the thread"]);
    let none = read(&slack, "conversations.replies", &[("channel", id), ("ts", "1.000000")]).await;
    assert_eq!(none["error"], "thread_not_found");
}

#[tokio::test]
async fn metadata_is_found_again_in_history_where_it_is_asked_for() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    let metadata = json!({ "event_type": "card", "event_payload": { "outbox": "7" } });
    call(&slack, "chat.postMessage", &json!({ "channel": channel.as_str(), "text": "x", "metadata": metadata })).await;
    let id = channel.as_str();
    let with = read(&slack, "conversations.history", &[("channel", id), ("include_all_metadata", "true")]).await;
    assert_eq!(with["messages"][0]["metadata"], metadata);
    let without = read(&slack, "conversations.history", &[("channel", id)]).await;
    assert_eq!(without["messages"][0].get("metadata"), None);
}

#[tokio::test]
async fn people_guests_bots_and_strangers_can_be_told_apart() {
    let slack = Workspace::start().await;
    let (alice, guest, bot, stranger) =
        (slack.person("alice"), slack.guest("gus"), slack.bot("jenkins"), slack.stranger("sam"));
    let user = async |id: &str| read(&slack, "users.info", &[("user", id)]).await["user"].clone();
    assert_eq!(user(alice.as_str()).await["is_restricted"], false);
    assert_eq!(user(guest.as_str()).await["is_restricted"], true);
    assert_eq!(user(bot.as_str()).await["is_bot"], true);
    let sam = user(stranger.as_str()).await;
    assert_eq!((&sam["is_stranger"], sam["team_id"] == slack.team()), (&json!(true), false));
    slack.leaves(&alice);
    assert_eq!(user(alice.as_str()).await["deleted"], true);
    assert_eq!(read(&slack, "users.info", &[("user", "U0NOBODY")]).await["error"], "user_not_found");
    let group = slack.group("ops", &[&alice, &guest]);
    let users = read(&slack, "usergroups.users.list", &[("usergroup", group.as_str())]).await;
    assert_eq!(users["users"], json!([alice.as_str(), guest.as_str()]));
    assert_eq!(read(&slack, "usergroups.users.list", &[("usergroup", "S0")]).await["error"], "no_such_subteam");
}

#[tokio::test]
async fn a_file_is_announced_uploaded_and_shared() {
    let slack = Workspace::start().await;
    let channel = slack.channel("#load-test");
    let first = say(&slack, &channel, "run 812", None).await;
    let open = read(&slack, "files.getUploadURLExternal", &[("filename", "plan.txt"), ("length", "5")]).await;
    let (id, address) = (open["file_id"].clone(), open["upload_url"].as_str().expect("an address"));
    let done =
        json!({ "files": [{ "id": id, "title": "the plan" }], "channel_id": channel.as_str(), "thread_ts": first });
    assert_eq!(call(&slack, "files.completeUploadExternal", &done).await["error"], "file_not_found");
    assert_eq!(post(address, &[], b"four".to_vec()).await.map(|answer| answer.0), Ok(400));
    assert_eq!(post(address, &[], b"+ 3 t".to_vec()).await.map(|answer| answer.0), Ok(200));
    assert_eq!(call(&slack, "files.completeUploadExternal", &done).await["files"][0]["title"], "the plan");
    assert_eq!(slack.file("plan.txt").as_deref(), Some(b"+ 3 t".as_slice()));
    assert_eq!(slack.transcript(&channel), "#load-test\ntidegate: run 812\n  > tidegate: [file the plan, 5 bytes]\n");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let slack = Workspace::start().await;
    let _ = [slack.channel("#one"), slack.channel("#two"), slack.private_channel("#three")];
    let page = read(&slack, "conversations.list", &[("limit", "1")]).await;
    let cursor = page["response_metadata"]["next_cursor"].as_str().expect("a cursor");
    let rest = read(&slack, "conversations.list", &[("limit", "1"), ("cursor", cursor)]).await;
    assert_eq!(rest["response_metadata"]["next_cursor"], "");
    assert_ne!(page["channels"][0]["name"], rest["channels"][0]["name"]);
    let wrong = read(&slack, "conversations.list", &[("cursor", "x")]).await;
    assert_eq!(wrong["error"], "invalid_cursor");
    let private = read(&slack, "conversations.list", &[("types", "private_channel")]).await;
    assert_eq!(private["channels"][0]["name"], "three");
    let (_, own) = call_as(&slack, "auth.test", "application/json", slack.bot_token(), "").await;
    assert_eq!(own["user_id"], slack.me().as_str());
}
