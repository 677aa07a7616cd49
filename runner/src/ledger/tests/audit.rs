//! Questions about the audit, and entries that are no commands.

use std::collections::BTreeSet;

use super::{actor, ended, environment, on_both, request, submit_up};
use crate::domain::answer::Actor;
use crate::domain::audit::{AuditFilter, CONFIGURE, Deed, Record};
use crate::domain::command::CommandName;
use crate::domain::ids::{RunNumber, Timestamp};
use crate::domain::order::Direction;
use crate::domain::request::RunKind;
use crate::domain::run::Outcome;
use crate::ledger::Store;
use crate::ledger::audit::{self, Decision, Entry};

/// An entry in a transaction of its own.
async fn entry(store: &Store, who: &str, action: &str, on: Option<&str>, change: impl FnOnce(&mut Entry<'_>)) -> i64 {
    let (who, on) = (actor(who), on.map(environment));
    let mut entry = Entry { environment: on.as_ref(), door: "shell", ..Entry::of_tidegate(&who, action) };
    change(&mut entry);
    let mut tx = store.begin().await.unwrap();
    let seq = audit::append(&mut tx, &entry).await.unwrap();
    tx.commit().await.unwrap();
    seq
}

fn filter() -> AuditFilter {
    AuditFilter { page: 1, ..AuditFilter::default() }
}

async fn found(store: &Store, filter: &AuditFilter) -> Vec<i64> {
    audit::page(store, filter, 100).await.unwrap().records.into_iter().map(|record| record.seq).collect()
}

#[tokio::test]
async fn only_what_the_filters_let_through_is_told_newest_first() {
    on_both(async |store| {
        entry(&store, "ito", "up", Some("shop"), |e| e.typed = Some("up shop because Black Friday 100% _sure_")).await;
        entry(&store, "mori", "down", Some("shop"), |e| e.because = Some("朝の試験 is over")).await;
        entry(&store, "ito", "down", Some("blog"), |e| e.decision = Decision::Refused).await;
        let since = super::next_moment(&store).await;
        entry(&store, "ito", "end", Some("shop"), |e| e.result = Some("failed")).await;
        entry(&store, "ito", "end", Some("shop"), |e| e.result = Some("succeeded")).await;
        entry(&store, "sato", "message", None, |e| e.decision = Decision::NotUnderstood).await;
        entry(&store, "tidegate", "miss", Some("game"), |e| e.result = Some("missed")).await;
        assert_eq!(found(&store, &filter()).await, [7, 6, 5, 4, 3, 2, 1]);
        assert_eq!(audit::environments(&store).await.unwrap(), ["blog", "game", "shop"]);
        let shop = || AuditFilter { environment: Some(environment("shop")), ..filter() };
        let by = |who: &str| AuditFilter { by: Some(who.to_owned()), ..filter() };
        let words = |all: &[&str]| AuditFilter { words: all.iter().map(|w| (*w).to_owned()).collect(), ..filter() };
        let action = |word: &str| AuditFilter { action: Some(word.to_owned()), ..filter() };
        for (filter, expected) in [
            (shop(), &[5, 4, 2, 1][..]),
            (by("ito"), &[5, 4, 3, 1]),
            (by("local:mori"), &[2]),
            (by("nobody"), &[]),
            (action("down"), &[3, 2]),
            (AuditFilter { failed: true, ..filter() }, &[7, 6, 4, 3]),
            (AuditFilter { failed: true, ..shop() }, &[4]),
            (AuditFilter { failed: true, ..by("ito") }, &[4, 3]),
            (AuditFilter { since: Some(since), ..filter() }, &[7, 6, 5, 4]),
            (AuditFilter { until: Some(since), ..shop() }, &[2, 1]),
            (AuditFilter { environment: shop().environment, action: Some("end".to_owned()), ..by("ito") }, &[5, 4]),
            (AuditFilter { before: Some(4), ..shop() }, &[2, 1]),
            (AuditFilter { before: Some(99), ..shop() }, &[5, 4, 2, 1]),
            (words(&["black friday"]), &[1]),
            (words(&["BLACK", "100%"]), &[1]),
            (words(&["100_"]), &[]),
            (words(&["_sure_"]), &[1]),
            (words(&["朝の"]), &[2]),
            (words(&["black", "朝の"]), &[]),
        ] {
            assert_eq!(found(&store, &filter).await, expected, "{filter:?}");
            let mut exported = Vec::new();
            let unpaged = AuditFilter { before: None, ..filter.clone() };
            let take = |record: &Record| -> std::io::Result<()> {
                exported.push(record.seq);
                Ok(())
            };
            let count = audit::each(&store, &unpaged, take).await.unwrap();
            if filter.before.is_none() {
                exported.reverse();
                assert_eq!((count, exported.as_slice()), (expected.len() as u64, expected), "{filter:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_stays_the_same_page_while_entries_are_added() {
    on_both(async |store| {
        for n in 0..25 {
            entry(&store, if n % 5 == 0 { "mori" } else { "ito" }, "up", Some("shop"), |_| {}).await;
        }
        let first = audit::page(&store, &filter(), 10).await.unwrap();
        assert_eq!((first.records[0].seq, first.older, first.looked), (25, Some(16), None));
        entry(&store, "ito", "up", Some("shop"), |_| {}).await;
        let second = audit::page(&store, &AuditFilter { before: first.older, ..filter() }, 10).await.unwrap();
        assert_eq!((second.records[0].seq, second.older), (15, Some(6)));
        let third = audit::page(&store, &AuditFilter { before: second.older, ..filter() }, 10).await.unwrap();
        assert_eq!((third.records.len(), third.older), (5, None));
        let page = audit::page(&store, &AuditFilter { page: 2, before: Some(26), ..filter() }, 10).await.unwrap();
        assert_eq!((page.records[0].seq, page.older), (15, Some(6)));
        let beyond = audit::page(&store, &AuditFilter { page: 9, ..filter() }, 10).await.unwrap();
        assert_eq!((beyond.records.len(), beyond.older), (0, None));
    })
    .await;
}

#[tokio::test]
async fn on_sqlite_every_combination_of_filters_follows_an_index_in_order() {
    on_both(async |store| {
        let Store::Sqlite { read, .. } = &store else { return };
        entry(&store, "ito", "up", Some("shop"), |_| {}).await;
        for bits in 0..64 {
            let set = |bit: u32| bits & (1 << bit) != 0;
            let filter = AuditFilter {
                environment: set(0).then(|| environment("shop")),
                by: set(1).then(|| "local:ito".to_owned()),
                action: set(2).then(|| "up".to_owned()),
                failed: set(3),
                since: set(4).then_some(Timestamp(1)),
                until: set(4).then_some(Timestamp(i64::MAX)),
                before: set(5).then_some(1),
                ..filter()
            };
            // An index that cannot be followed is an error of SQLite itself.
            audit::page(&store, &filter, 20).await.unwrap();
            let sql = audit::explained(&filter);
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(read).await.unwrap();
            let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
            assert_eq!(plan.len(), 1, "it sorts: {filter:?}: {plan:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_keeps_entries_from_being_taken_out_is_found_by_the_run() {
    on_both(async |store| {
        let Store::Sqlite { read, .. } = &store else { return };
        let sql = format!("EXPLAIN QUERY PLAN {}", audit::UNFINISHED);
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(read).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|(.., step)| step).collect();
        // Otherwise it reads all entries of an environment for each of its runs.
        assert!(plan.iter().any(|step| step.contains("audit_of_run (run_number=?)")), "{plan:?}");
    })
    .await;
}

#[tokio::test]
async fn of_a_long_difference_the_audit_says_how_much_it_has_not() {
    on_both(async |store| {
        let note = async |text: &str| {
            audit::note_configuration(&store, &Actor::tidegate(), text, text, &BTreeSet::new()).await.unwrap()
        };
        assert!(note("a = 1\n").await);
        let long: String = (0..3_000).map(|line| format!("key_{line:04} = 1\n")).collect();
        assert!(note(&long).await);
        let told = audit::recent(&store, None, 1).await.unwrap();
        let difference = told[0].detail.as_ref().unwrap()["difference"].as_str().unwrap().to_owned();
        let kept = difference.lines().filter(|line| line.starts_with("+key_")).count();
        let last = difference.lines().last().unwrap();
        let more: usize = last.split_whitespace().nth(1).unwrap().parse().unwrap();
        // The line at the cut is in both.
        assert!(
            last.ends_with("characters) are not kept") && (3_000..=3_001).contains(&(kept + more)),
            "{kept} {last}"
        );
        assert_eq!(audit::verify(&store).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn who_did_it_is_answered_with_the_run() {
    on_both(async |store| {
        let shop = environment("shop");
        let who = async |deed| audit::who(&store, deed, &shop).await.unwrap().found;
        assert_eq!(who(Deed::Changed).await, None);
        let up = submit_up(&store, "shop").await;
        entry(&store, "ito", "up", Some("shop"), |e| e.run = Some(up.number)).await;
        let mut down = request(RunKind::Down, "shop", "small");
        down.stacks.values_mut().for_each(|direction| *direction = Direction::Fall);
        let fall = super::submit(&store, down.clone(), "mori").await;
        entry(&store, "mori", "down", Some("shop"), |e| {
            e.run = Some(fall.number);
            e.because = Some("the test is over");
        })
        .await;
        let again = super::submit(&store, down, "sato").await;
        entry(&store, "sato", "retry", Some("shop"), |e| e.run = Some(again.number)).await;
        let plan = super::submit(&store, request(RunKind::Plan, "shop", "full"), "kato").await;
        entry(&store, "kato", "up", Some("shop"), |e| e.run = Some(plan.number)).await;
        entry(&store, "kato", "down", Some("shop"), |e| e.decision = Decision::Refused).await;
        let (raised, run) = who(Deed::Raised).await.unwrap();
        assert_eq!((raised.actor.name.as_str(), run.number), ("ito", up.number));
        let (stopped, run) = who(Deed::Stopped).await.unwrap();
        assert_eq!((stopped.actor.name.as_str(), run.number), ("sato", again.number));
        entry(&store, "abe", CommandName::Cancel.as_str(), Some("shop"), |e| e.run = Some(up.number)).await;
        let (changed, _) = who(Deed::Changed).await.unwrap();
        assert_eq!(changed.actor.name, "abe");
        assert_eq!(who(Deed::Raised).await.unwrap().0.actor.name, "ito");
        // It began, and was stopped before any of it was done.
        let stopped = submit_up(&store, "shop").await;
        entry(&store, "kato", "up", Some("shop"), |e| e.run = Some(stopped.number)).await;
        let (claimed, began) = (super::claimed("r1", 1), crate::domain::run::RunEvent::ApplyBegan);
        let events = [claimed, began, super::started(crate::domain::run::Phase::Apply), ended(Outcome::Cancelled)];
        super::tell(&store, stopped.id, &events).await;
        assert_eq!(who(Deed::Raised).await.unwrap().0.actor.name, "ito");
        assert_eq!(who(Deed::Changed).await.unwrap().0.actor.name, "kato");
    })
    .await;
}

#[tokio::test]
async fn a_text_that_is_read_from_elsewhere_now_is_shown_in_no_difference() {
    on_both(async |store| {
        let note = async |text: &str| {
            let before = audit::known_configuration(&store).await.unwrap().unwrap_or_default();
            crate::redact::hide(crate::config::moved_to_secrets(&before, text));
            audit::note_configuration(&store, &Actor::tidegate(), text, text, &BTreeSet::new()).await.unwrap()
        };
        assert!(note("[a]\nname = 1\nkey = 'inline-one-7'\n").await);
        assert!(note("[a]\nname = 2\nkey = { file = '/run/key' }\n").await);
        let told = audit::recent(&store, None, 1).await.unwrap();
        let difference = told[0].detail.as_ref().unwrap()["difference"].as_str().unwrap().to_owned();
        assert!(difference.contains("-name = 1") && difference.contains("-key = "), "{difference}");
        assert!(!difference.contains("inline-one-7"), "{difference}");
    })
    .await;
}

#[tokio::test]
async fn a_changed_configuration_is_noted_once_with_the_difference() {
    on_both(async |store| {
        let note = async |text: &str| {
            let shown = text.replace("hush hush", "[redacted]").replace("hush", "[redacted]");
            audit::note_configuration(&store, &Actor::tidegate(), text, &shown, &BTreeSet::new()).await.unwrap()
        };
        assert!(note("a = 1\nb = 2\nkey = \"hush\"\n").await);
        assert!(!note("a = 1\nb = 2\nkey = \"hush\"\n").await);
        assert!(note("a = 1\nb = 3\nkey = \"hush\"\n").await);
        // A secret alone: that something is other is kept, and not what.
        assert!(note("a = 1\nb = 3\nkey = \"hush hush\"\n").await);
        let told = audit::recent(&store, None, 10).await.unwrap();
        assert_eq!(told.len(), 3);
        assert!(told.iter().all(|record| record.action == CONFIGURE));
        assert_eq!(told[0].detail.as_ref().unwrap()["difference"], "");
        let detail = told[1].detail.as_ref().unwrap();
        let difference = detail["difference"].as_str().unwrap();
        assert!(difference.contains("-b = 2\n+b = 3"), "{difference}");
        assert!(!told.iter().any(|record| format!("{record:?}").contains("hush")));
        assert_eq!(told[2].detail.as_ref().unwrap()["lines"], 3);
        assert_eq!(audit::verify(&store).await.unwrap(), 3);
    })
    .await;
}

#[tokio::test]
async fn what_was_known_is_kept_for_an_environment_until_its_section_has_no_errors() {
    on_both(async |store| {
        let note = async |text: &str, misread: &[&str]| {
            let misread = misread.iter().copied().collect();
            audit::note_configuration(&store, &Actor::tidegate(), text, text, &misread).await.unwrap();
            let kept = audit::kept_configurations(&store).await.unwrap();
            kept.into_iter().map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>()
        };
        assert!(note("1", &[]).await.is_empty());
        assert_eq!(note("2", &["shop"]).await, ["shop: 1"]);
        assert_eq!(note("2", &["shop"]).await, ["shop: 1"]);
        assert_eq!(note("3", &["shop", "other"]).await, ["other: 2", "shop: 1"]);
        assert_eq!(note("4", &["other"]).await, ["other: 2"]);
        assert_eq!(note("5", &["other", "shop"]).await, ["other: 2", "shop: 4"]);
        assert!(note("6", &[]).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_happens_to_a_run_is_noted_with_the_event_or_not_at_all() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let events = [super::claimed("r1", 1), ended(Outcome::Failed)];
        let mut tx = store.begin().await.unwrap();
        crate::standing::append(&mut tx, &run, None, &events, None).await.unwrap();
        tx.rollback().await.unwrap();
        assert!(audit::recent(&store, None, 10).await.unwrap().is_empty());

        let events = [super::claimed("r1", 1), super::asked(store.now().await.unwrap())];
        for events in [&events[..], &[crate::domain::run::RunEvent::QuestionExpired]] {
            let mut tx = store.begin().await.unwrap();
            crate::standing::append(&mut tx, &run, None, events, None).await.unwrap();
            tx.commit().await.unwrap();
        }
        let told = audit::recent(&store, None, 10).await.unwrap();
        let told: Vec<_> =
            told.iter().rev().map(|r| (r.action.as_str(), r.decision, r.result.as_deref(), r.run)).collect();
        let number = Some(RunNumber(1));
        assert_eq!(
            told,
            [
                ("ask", Decision::NeedsApproval, None, number),
                ("expire", Decision::Allowed, None, number),
                ("end", Decision::Allowed, Some("expired"), number),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn a_run_has_an_order_only_where_somebody_was_allowed_what_makes_one() {
    on_both(async |store| {
        let run = submit_up(&store, "shop").await;
        let of_run = |e: &mut Entry<'_>| e.run = Some(run.number);
        let has = async || audit::has_order(&store, &run).await.unwrap();
        for (who, action, decision) in [
            ("ito", "cancel", Decision::Allowed),
            ("sato", "approve", Decision::Allowed),
            ("ito", "leave", Decision::Allowed),
            ("ito", "up", Decision::Refused),
        ] {
            entry(&store, who, action, Some("shop"), |e| {
                of_run(e);
                e.decision = decision;
            })
            .await;
            assert!(!has().await, "{action}, {decision:?}");
        }
        // What Tidegate notes of a run by itself orders nothing either, nor does an order of another run or environment.
        let mut tx = store.begin().await.unwrap();
        let (tidegate, shop) = (Actor::tidegate(), environment("shop"));
        let of_tidegate =
            Entry { environment: Some(&shop), run: Some(run.number), ..Entry::of_tidegate(&tidegate, "up") };
        audit::append(&mut tx, &of_tidegate).await.unwrap();
        tx.commit().await.unwrap();
        entry(&store, "ito", "up", Some("shop"), |e| e.run = Some(RunNumber(run.number.0 + 1))).await;
        entry(&store, "ito", "up", Some("blog"), of_run).await;
        assert!(!has().await);
        entry(&store, "ito", "retry", Some("shop"), of_run).await;
        assert!(has().await);
    })
    .await;
}
