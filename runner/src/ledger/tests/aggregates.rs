//! Environments, stacks, inbox, outbox, runners.

use std::time::Duration;

use super::{actor, environment, on_both, sql, stack, target};
use crate::domain::answer::StackStanding;
use crate::domain::environment::{Level, SettingValue};
use crate::domain::ids::{RunNumber, Timestamp};
use crate::domain::readiness::GroupCount;
use crate::ledger::places::Place;
use crate::ledger::{
    Store, environments, heard, inbox, leases, outbox, places, proofs, runners, scaling_groups, stacks,
};

#[tokio::test]
async fn where_an_environment_should_be_is_what_was_said_last() {
    on_both(async |store| {
        let shop = environment("shop");
        assert_eq!(environments::wanted(&store, &shop).await.unwrap(), None);
        for (level, run) in [("small", 1), ("full", 2)] {
            let mut tx = store.begin().await.unwrap();
            environments::set_wanted(&mut tx, &shop, Some(&target(level)), Some(RunNumber(run))).await.unwrap();
            tx.commit().await.unwrap();
        }
        let wanted = environments::wanted(&store, &shop).await.unwrap().unwrap();
        assert_eq!((wanted.target, wanted.run), (target("full"), Some(RunNumber(2))));
        let mut tx = store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &shop, None, Some(RunNumber(3))).await.unwrap();
        let blog = "blog".parse().unwrap();
        environments::set_wanted(&mut tx, &blog, Some(&target("full")), Some(RunNumber(4))).await.unwrap();
        let all = environments::all(&mut tx).await.unwrap();
        assert_eq!(all, [(blog, Some(target("full"))), (shop.clone(), None)]);
        assert_eq!(environments::wanted(&mut tx, &shop).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_begins_notes_what_was_wanted_and_a_retry_what_its_first_try_noted() {
    on_both(async |store| {
        let shop = environment("shop");
        let begins = async |level: &str, run: i64, retries: Option<i64>| {
            let mut tx = store.begin().await.unwrap();
            let retries = retries.map(RunNumber);
            environments::begin(&mut tx, &shop, &target(level), RunNumber(run), retries).await.unwrap();
            tx.commit().await.unwrap();
            environments::before(&store, &shop, RunNumber(run)).await.unwrap()
        };
        assert_eq!(environments::before(&store, &shop, RunNumber(1)).await.unwrap(), None);
        assert_eq!(begins("small", 1, None).await, Some(None));
        assert_eq!(begins("full", 2, None).await, Some(Some(target("small"))));
        assert_eq!(begins("full", 4, Some(2)).await, Some(Some(target("small"))));
        assert_eq!(begins("full", 5, Some(4)).await, Some(Some(target("small"))));
        // Of another than the run that began last nothing is known, and nothing is taken over.
        assert_eq!(environments::before(&store, &shop, RunNumber(2)).await.unwrap(), None);
        assert_eq!(begins("small", 6, Some(2)).await, Some(Some(target("full"))));
        let wanted = environments::wanted(&store, &shop).await.unwrap().unwrap();
        assert_eq!((wanted.target, wanted.run), (target("small"), Some(RunNumber(6))));
    })
    .await;
}

#[tokio::test]
async fn groups_are_those_of_the_last_look_and_keep_what_was_written_as_long_as_they_are_the_same() {
    on_both(async |store| {
        let (shop, jmeter) = (environment("shop"), stack("jmeter"));
        let group = |address: &str, arn: &str| GroupCount {
            name: "g".to_owned(),
            address: address.to_owned(),
            arn: arn.to_owned(),
            ..GroupCount::default()
        };
        let set = async |groups: &[GroupCount]| {
            let mut tx = store.begin().await.unwrap();
            scaling_groups::set(&mut tx, &shop, &jmeter, groups).await.unwrap();
            tx.commit().await.unwrap();
            scaling_groups::all(&store).await.unwrap()
        };
        // Without an ARN, as in events of earlier versions, nothing is known of it.
        let found = set(&[group("a", "arn-1"), group("b", "arn-2"), group("c", "")]).await;
        assert_eq!(found.iter().map(|group| group.address.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let write = async |of: &scaling_groups::ScalingGroup, ends| {
            let mut tx = store.begin().await.unwrap();
            let stored = scaling_groups::set_ends(&mut tx, of, ends).await.unwrap();
            tx.commit().await.unwrap();
            stored
        };
        assert!(write(&found[0], Some(Timestamp(7))).await && write(&found[1], Some(Timestamp(8))).await);
        // One was made anew under its name, and nothing is written on that.
        let now = set(&[group("a", "arn-1"), group("b", "arn-3")]).await;
        assert_eq!(now.iter().map(|group| group.ends).collect::<Vec<_>>(), [Some(Timestamp(7)), None]);
        assert!(!write(&found[1], None).await, "it is not that group any more");
        assert!(set(&[]).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_stack_stands_where_it_was_last_verified_and_keeps_its_commit() {
    on_both(async |store| {
        let (shop, app, jmeter) = (environment("shop"), stack("app"), stack("jmeter"));
        let now = store.now().await.unwrap();
        let standing = StackStanding {
            level: Some(Level::Off),
            settings: vec![
                ("slaves".parse().unwrap(), SettingValue::Number(40)),
                ("mode".parse().unwrap(), SettingValue::Text("速い".to_owned())),
                ("debug".parse().unwrap(), SettingValue::Switch(true)),
            ],
            run: Some(RunNumber(7)),
            at: Some(now),
            in_doubt: false,
            older_state: false,
        };
        let mut tx = store.begin().await.unwrap();
        assert_eq!(stacks::accepted_commits(&mut tx, &shop).await.unwrap(), []);
        stacks::set_standing(&mut tx, &shop, &app, &standing, Some("c1")).await.unwrap();
        stacks::set_standing(&mut tx, &shop, &app, &standing, None).await.unwrap();
        let c1 = (app.clone(), "c1".to_owned());
        assert_eq!(stacks::accepted_commits(&mut tx, &shop).await.unwrap(), std::slice::from_ref(&c1));
        let before = StackStanding { run: Some(RunNumber(6)), ..standing.clone() };
        stacks::set_standing(&mut tx, &shop, &stack("base"), &before, Some("c0")).await.unwrap();
        let c0 = (stack("base"), "c0".to_owned());
        assert_eq!(stacks::accepted_commits(&mut tx, &shop).await.unwrap(), [c0.clone(), c1]);
        stacks::set_standing(&mut tx, &shop, &app, &standing, Some("c2")).await.unwrap();
        let c2 = (app.clone(), "c2".to_owned());
        assert_eq!(stacks::accepted_commits(&mut tx, &shop).await.unwrap(), [c0, c2]);
        stacks::mark_in_doubt(&mut tx, &shop, &jmeter).await.unwrap();
        stacks::mark_in_doubt(&mut tx, &shop, &jmeter).await.unwrap();
        tx.commit().await.unwrap();
        let standings = stacks::standings(&store, &shop).await.unwrap();
        assert_eq!(standings.get("app"), Some(&standing));
        assert!(standings.get("jmeter").is_some_and(|s| s.in_doubt && s.level.is_none()));
        let mut tx = store.begin().await.unwrap();
        stacks::mark_in_doubt(&mut tx, &shop, &app).await.unwrap();
        let doubted = stacks::standings(&mut tx, &shop).await.unwrap();
        assert_eq!(doubted.get("app"), Some(&StackStanding { in_doubt: true, ..standing.clone() }));
        stacks::settle(&mut tx, &shop, [&app], RunNumber(9)).await.unwrap();
        let settled = stacks::standings(&mut tx, &shop).await.unwrap();
        let taken = settled.get("app").unwrap();
        assert_eq!((taken.level.as_ref(), taken.settings.len(), taken.in_doubt), (None, 0, false));
        assert_eq!((taken.run, taken.at.is_some()), (Some(RunNumber(9)), true));
        assert!(settled.get("jmeter").is_some_and(|s| s.in_doubt));
        // What is in no doubt keeps its level.
        stacks::set_standing(&mut tx, &shop, &app, &standing, None).await.unwrap();
        stacks::settle(&mut tx, &shop, [&app], RunNumber(9)).await.unwrap();
        assert_eq!(stacks::standings(&mut tx, &shop).await.unwrap().get("app"), Some(&standing));
    })
    .await;
}

#[tokio::test]
async fn a_message_is_taken_once_however_often_it_comes() {
    on_both(async |store| {
        let ito = actor("ito").id;
        let take = async |key: &str| {
            let mut tx = store.begin().await.unwrap();
            let taken = inbox::take(&mut tx, key, "shell", &ito, "up shop 日本 \0").await.unwrap();
            tx.commit().await.unwrap();
            taken == inbox::Taken::New
        };
        assert!(take("k1").await);
        assert!(!take("k1").await);
        assert!(take("k2").await);
        let mut tx = store.begin().await.unwrap();
        inbox::answered(&mut tx, "k1", Some(RunNumber(1)), "{}").await.unwrap();
        tx.commit().await.unwrap();
        assert!(!take("k1").await);
        assert_eq!(super::unanswered(&store).await, [("k2".to_owned(), "up shop 日本 \u{fffd}".to_owned())]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_in_is_stored_once_also_while_answers_have_every_other_connection() {
    on_both(async |store| {
        let ito = actor("ito").id;
        let mut answers = Vec::new();
        store.open_door().await;
        if let Store::Postgres { pool, door } = &store {
            assert_eq!(
                door.size(),
                door.options().get_max_connections(),
                "nobody who speaks waits for one to be opened"
            );
            for _ in 0..pool.options().get_max_connections() {
                answers.push(store.begin().await.unwrap());
            }
        }
        let claim = inbox::Claim { holder: "p1", ms: 60_000, alone: false };
        let receive = async |key| {
            inbox::receive(store.door(), key, "slack", &ito, "up 日本", "{}", claim).await.unwrap().is_some()
        };
        assert!(receive("k1").await && !receive("k1").await && receive("k2").await);
        drop(answers);
        let now = store.now().await.unwrap();
        let left = inbox::untold(&store, "slack", now.plus_ms(60_001), claim).await.unwrap();
        assert_eq!(left.len(), 2);
        assert!((0..60_000).contains(&now.ms_since(left[0].message.at)), "{left:?}");
        assert_eq!(left[0].message.body, "up 日本");
        assert!(inbox::untold(&store, "slack", now, claim).await.unwrap().is_empty(), "claimed");
    })
    .await;
}

#[tokio::test]
async fn within_a_transaction_the_clock_goes_on_and_is_never_ahead() {
    on_both(async |store| {
        let mut tx = store.begin().await.unwrap();
        let first = crate::ledger::now(&mut tx).await.unwrap();
        tokio::time::sleep(Duration::from_millis(30)).await;
        let later = crate::ledger::now(&mut tx).await.unwrap();
        let beside = store.now().await.unwrap();
        assert!(later.ms_since(first) >= 29 && beside.ms_since(later) >= -1, "{first:?} {later:?} {beside:?}");
    })
    .await;
}

#[tokio::test]
async fn what_came_of_a_message_is_kept_until_it_is_told_and_one_process_at_a_time_tells_it() {
    on_both(async |store| {
        let ito = actor("ito").id;
        let one = |holder: &'static str, ms| inbox::Claim { holder, ms, alone: false };
        let mut tx = store.begin().await.unwrap();
        assert!(
            inbox::receive(&mut tx, "k1", "slack", &ito, "hold shop", "{}", one("p1", 60_000)).await.unwrap().is_some()
        );
        assert!(
            inbox::receive(&mut tx, "k1", "slack", &ito, "hold shop", "{}", one("p2", 60_000)).await.unwrap().is_none()
        );
        assert!(!inbox::claim(&mut tx, "k1", one("p2", 60_000)).await.unwrap());
        let take = async |tx: &mut _| inbox::take(tx, "k1", "slack", &ito, "hold shop").await.unwrap();
        assert_eq!(take(&mut tx).await, inbox::Taken::New);
        inbox::answered(&mut tx, "k1", None, "\"held\"").await.unwrap();
        assert_eq!(take(&mut tx).await, inbox::Taken::Answered("\"held\"".to_owned()));
        // Whoever had it is dead; the next one hears what was done.
        assert!(inbox::claim(&mut tx, "k1", one("p1", -1)).await.unwrap());
        let at = crate::ledger::now(&mut tx).await.unwrap();
        let left = inbox::untold(&mut tx, "slack", at, one("p2", 0)).await.unwrap();
        assert!(left.len() == 1 && left[0].answered, "{left:?}");
        assert!(inbox::claim(&mut tx, "k1", one("p2", 60_000)).await.unwrap());
        assert!(!inbox::claim(&mut tx, "k1", one("p1", 60_000)).await.unwrap());
        assert!(inbox::untold(&mut tx, "slack", at, one("p1", 0)).await.unwrap().is_empty());
        assert!(!inbox::told(&mut tx, "k1", true, None).await.unwrap(), "it was carried out");
        assert!(inbox::told(&mut tx, "k1", false, Some("cut")).await.unwrap());
        assert!(!inbox::told(&mut tx, "k1", false, None).await.unwrap());
        assert_eq!(take(&mut tx).await, inbox::Taken::Over);
        let mut db = &mut tx;
        let kept: String = on!(db, fetch_one, sqlx::query_scalar("SELECT body FROM inbox")).unwrap();
        assert_eq!(kept, "cut");
    })
    .await;
}

#[tokio::test]
async fn what_somebody_said_is_not_done_until_it_is_carried_out_whoever_is_at_it() {
    on_both(async |store| {
        let (ito, mori) = (actor("ito").id, actor("mori").id);
        let one = |holder: &'static str| inbox::Claim { holder, ms: 60_000, alone: false };
        let mut tx = store.begin().await.unwrap();
        for (key, door, who, holder) in [
            ("k1", "slack", &ito, "p1"),
            ("k2", "slack", &ito, "p2"),
            ("k3", "slack", &mori, "p1"),
            ("k4", "discord", &ito, "p1"),
        ] {
            inbox::receive(&mut tx, key, door, who, "up shop", "{}", one(holder)).await.unwrap().expect("new");
        }
        let open = async |tx: &mut crate::ledger::Tx| {
            let open = inbox::open_of(tx, "slack", &ito).await.unwrap();
            open.into_iter().map(|one| one.message.key).collect::<Vec<_>>()
        };
        assert_eq!(open(&mut tx).await, ["k1", "k2"]);
        assert_eq!(inbox::take(&mut tx, "k1", "slack", &ito, "up shop").await.unwrap(), inbox::Taken::New);
        assert_eq!(open(&mut tx).await, ["k2"], "what is carried out and not told holds nobody up");
        assert!(inbox::told(&mut tx, "k2", true, None).await.unwrap());
        assert!(open(&mut tx).await.is_empty(), "nor what is refused");
    })
    .await;
}

#[tokio::test]
async fn only_who_has_the_right_for_long_enough_begins_a_try_and_only_of_what_nobody_has_sent() {
    on_both(async |store| {
        let mut tx = store.begin().await.unwrap();
        let to = outbox::Address::new("slack", "C1");
        let id = outbox::put(&mut tx, &to, outbox::KIND_POST, None, "{}").await.unwrap();
        assert!(leases::take(&mut tx, "slack", "p1", 20_000, false).await.unwrap().is_some());
        let begin = async |tx: &mut _, in_doubt, holder, ms| {
            outbox::begin_try(tx, id, in_doubt, "slack", holder, ms).await.unwrap()
        };
        assert!(!begin(&mut tx, false, "p2", 12_000).await, "it has somebody else");
        assert!(!begin(&mut tx, false, "p1", 30_000).await, "it may lapse before the try ends");
        assert!(begin(&mut tx, false, "p1", 12_000).await);
        assert!(!begin(&mut tx, false, "p1", 12_000).await, "it is being tried");
        assert!(begin(&mut tx, true, "p1", 12_000).await);
        outbox::try_refused(&mut tx, id).await.unwrap();
        assert!(begin(&mut tx, false, "p1", 12_000).await);
        outbox::mark_posted(&mut tx, id, "1.1", Some("cut")).await.unwrap();
        assert!(!begin(&mut tx, false, "p1", 12_000).await, "it was sent");
    })
    .await;
}

#[tokio::test]
async fn how_far_a_chat_was_heard_is_kept_by_place() {
    on_both(async |store| {
        let mut tx = store.begin().await.unwrap();
        let behind = ("C1".to_owned(), Timestamp(5));
        heard::set(&mut tx, "slack", Timestamp(9), std::slice::from_ref(&behind)).await.unwrap();
        heard::set(&mut tx, "discord", Timestamp(7), &[]).await.unwrap();
        let mut all = heard::all(&mut tx, "slack").await.unwrap();
        all.sort();
        assert_eq!(all, [(String::new(), Timestamp(9)), behind]);
        heard::set(&mut tx, "slack", Timestamp(11), &[]).await.unwrap();
        assert_eq!(heard::all(&mut tx, "slack").await.unwrap(), [(String::new(), Timestamp(11))]);
    })
    .await;
}

#[tokio::test]
async fn messages_wait_in_order_until_they_are_sent_once() {
    on_both(async |store| {
        let to = outbox::Address::new("shell", "伊藤");
        let mut tx = store.begin().await.unwrap();
        for n in 0..20 {
            outbox::put(&mut tx, &to, outbox::KIND_RUN, Some(RunNumber(n)), "{}").await.unwrap();
        }
        tx.commit().await.unwrap();
        let waiting = outbox::pending(&store, &to).await.unwrap();
        assert_eq!(
            waiting.iter().filter_map(|m| m.run).map(|run| run.0).collect::<Vec<_>>(),
            (0..20).collect::<Vec<_>>()
        );
        let mut tx = store.begin().await.unwrap();
        assert!(outbox::mark_sent(&mut tx, waiting[0].id).await.unwrap());
        assert!(!outbox::mark_sent(&mut tx, waiting[0].id).await.unwrap());
        assert_eq!(outbox::pending(&mut tx, &to).await.unwrap().len(), 19);
    })
    .await;
}

#[tokio::test]
async fn runners_are_alive_while_they_are_seen() {
    on_both(async |store| {
        let mut tx = store.begin().await.unwrap();
        runners::hello(&mut tx, "r1", "host", "123", "0.1.0").await.unwrap();
        runners::hello(&mut tx, "r1", "host", "456", "0.1.0").await.unwrap();
        runners::hello(&mut tx, "r2", "host", "789", "0.1.0").await.unwrap();
        runners::seen(&mut tx, "r1").await.unwrap();
        runners::seen(&mut tx, "r3").await.unwrap();
        tx.commit().await.unwrap();
        sql(&store, "UPDATE runners SET seen_at = seen_at - 100000 WHERE name = 'r2'").await.unwrap();
        let alive = runners::alive(&store, 60_000).await.unwrap();
        assert_eq!(alive.iter().map(|r| (r.name.as_str(), r.process.as_str())).collect::<Vec<_>>(), [("r1", "456")]);
        sql(&store, "UPDATE runners SET seen_at = seen_at - 90000000 WHERE name = 'r2'").await.unwrap();
        assert_eq!(runners::alive(&store, 100_000_000).await.unwrap().len(), 2);
        let mut tx = store.begin().await.unwrap();
        runners::seen(&mut tx, "r1").await.unwrap();
        assert_eq!(runners::alive(&mut tx, 100_000_000).await.unwrap().len(), 1, "who is gone for a day is forgotten");
        runners::forget(&mut tx, "r1").await.unwrap();
        assert!(runners::alive(&mut tx, 60_000).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn that_a_plan_found_nothing_to_do_is_noted_once_for_each_environment() {
    on_both(async |store| {
        assert!(proofs::all(&store).await.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        for (name, run) in [("shop", 3), ("blog", 4), ("shop", 5)] {
            proofs::found(&mut tx, &environment(name), RunNumber(run), Timestamp(run)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let all: Vec<String> = proofs::all(&store).await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(all, ["blog", "shop"]);
        sql(&store, "DELETE FROM proofs WHERE run <> 3 AND environment = 'shop'").await.unwrap();
        assert_eq!(proofs::all(&store).await.unwrap().len(), 2, "the first one stays");
    })
    .await;
}

#[tokio::test]
async fn where_a_stack_had_something_is_noted_beside_what_was_noted_before() {
    on_both(async |store| {
        let (shop, app) = (environment("shop"), stack("app"));
        let place = |account: &str, region: &str| Place { account: account.to_owned(), region: region.to_owned() };
        for places in [vec![place("1", "eu-west-1")], vec![place("1", "eu-west-1"), place("2", "us-east-1")]] {
            let mut tx = store.begin().await.unwrap();
            places::note(&mut tx, &shop, &app, &places.into_iter().collect()).await.unwrap();
            tx.commit().await.unwrap();
        }
        let noted = places::of_stack(&store, &shop, &app).await.unwrap();
        assert_eq!(noted.into_iter().collect::<Vec<_>>(), [place("1", "eu-west-1"), place("2", "us-east-1")]);
        assert!(places::of_stack(&store, &shop, &stack("jmeter")).await.unwrap().is_empty());
    })
    .await;
}
