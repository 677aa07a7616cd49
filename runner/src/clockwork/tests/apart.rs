//! What is wrong with one environment is that environment's alone, however many are due with it.

use super::*;
use crate::domain::audit::Decision;
use crate::domain::request::RunKind;
use crate::ledger::firings::Outcome;

fn name(number: usize) -> EnvironmentName {
    format!("e{number}").parse().unwrap()
}

/// So many environments with the same working hours, all of them small; with more lines for each.
async fn rooms(store: Store, count: usize, lines: &str) -> Room {
    let of = |number: usize| {
        let text = CONFIG.replace("zone = 'Asia/Tokyo'\n", &format!("zone = 'Asia/Tokyo'\n{lines}"));
        text.replace("environments.shop", &format!("environments.e{number}"))
    };
    let text: String = (0..count).map(of).collect();
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    let mut tx = store.begin().await.unwrap();
    for number in 0..count {
        environments::set_wanted(&mut tx, &name(number), Some(&target("small")), None).await.unwrap();
    }
    tx.commit().await.unwrap();
    Room { store, config: Arc::new(config) }
}

/// Which environments have a run in the queue that can be read, of this kind.
async fn queued(room: &Room, kind: RunKind) -> Vec<String> {
    let active = runs::all_active(&room.store).await.unwrap();
    let of_kind = active.iter().filter(|run| run.request.kind == kind);
    of_kind.map(|run| run.request.environment.to_string()).collect()
}

/// A person's plan of `e1` is in the queue.
async fn plans(room: &Room) {
    let environment = room.config.environments.get(&name(1)).unwrap();
    let request = RunRequest {
        kind: RunKind::Plan,
        ..crate::domain::request::turn(environment, target("full"), String::new(), None)
    };
    let asker = Actor::person(ActorId::local("ito"), "ito");
    let id = crate::ledger::ids::run_id(room.store.now().await.unwrap());
    let mut tx = room.store.begin().await.unwrap();
    let run = NewRun { id, request, asker, door: "shell".to_owned(), place: None };
    runs::insert(&mut tx, run).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the audit has of refusals: environment, rule, and whether the reason names this table.
async fn refusals(room: &Room, table: &str) -> Vec<(Option<String>, Option<String>, bool)> {
    let filter = AuditFilter { page: 1, ..AuditFilter::default() };
    let records = audit::page(&room.store, &filter, 50).await.unwrap().records;
    let refused = records.into_iter().filter(|record| record.decision == Decision::Refused);
    refused
        .map(|record| {
            let names = record.detail.is_some_and(|detail| detail.to_string().contains(table));
            (record.environment, record.rule, names)
        })
        .collect()
}

const BREAKS: [(&str, &str, &str); 5] = [
    ("runs", "UPDATE runs SET request = 'x' || request WHERE environment = 'e1'", "request = SUBSTR(request, 2)"),
    ("runs", "UPDATE runs SET state = 'x' || state WHERE environment = 'e1'", "state = SUBSTR(state, 2)"),
    ("environments", "UPDATE environments SET wanted = 'x' || wanted WHERE name = 'e1'", "wanted = SUBSTR(wanted, 2)"),
    ("bends", "UPDATE bends SET bend = 'x' || bend WHERE environment = 'e1'", "bend = SUBSTR(bend, 2)"),
    (
        "schedules",
        "UPDATE schedules SET written = 'x' || written WHERE environment = 'e1'",
        "written = SUBSTR(written, 2)",
    ),
];

#[tokio::test]
async fn what_cannot_be_read_of_one_environment_holds_back_that_one_until_it_can() {
    for (table, breaks, mends) in BREAKS {
        on_both(async |store| {
            let room = rooms(store, 4, "").await;
            plans(&room).await;
            let ito = Actor::person(ActorId::local("ito"), "ito");
            let mut tx = room.store.begin().await.unwrap();
            let skips = Bend::Skip(Skipped::One {
                schedule: "hours".to_owned(),
                local: "2037-12-01T09:00:00".parse().unwrap(),
            });
            ledger_bends::begin(&mut tx, &name(1), skips, at("2037-12-02T00:00"), &ito, None).await.unwrap();
            let keys = [("cron", "0 2 1 1 *"), ("do", "up full"), ("for", "1h")];
            let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            let written = Written { name: "later".to_owned(), keys };
            schedules::put(&mut tx, &name(1), &written, &ito, None, None).await.unwrap().unwrap();
            tx.commit().await.unwrap();
            let mut clock = room.clock();
            clock.look(at("2037-11-23T08:00")).await.unwrap();
            sql(&room.store, breaks).await.unwrap();
            let looked = clock.look(at("2037-11-23T09:00")).await.unwrap();
            assert_eq!(queued(&room, RunKind::Up).await, ["e0", "e2", "e3"], "{table}");
            let of_e1: Vec<&(Due, Turned)> =
                looked.turned.iter().filter(|(due, _)| due.environment == name(1)).collect();
            assert!(matches!(of_e1.as_slice(), [(_, Turned::Refused(_))]), "{table}: {of_e1:?}");
            let refused = [(Some("e1".to_owned()), Some("ledger".to_owned()), true)];
            assert_eq!(refusals(&room, table).await, refused, "{table}");
            let said = told(&room).await;
            let of_e1 = said.iter().filter(|said| matches!(said, ClockNews::Refused { again: Some(_), .. }));
            assert_eq!((said.len(), of_e1.count()), (1, 1), "{table}: {said:?}");
            let again = firings::one(&room.store, &name(1), "hours@2037-11-23T09:00+09:00").await.unwrap().unwrap();
            assert_eq!((again.outcome, again.try_at), (Outcome::Refused, Some(at("2037-11-23T09:01"))), "{table}");
            // Tried again it is refused for the same reason, which is in the audit once.
            clock.look(at("2037-11-23T09:01")).await.unwrap();
            assert_eq!(refusals(&room, table).await, refused, "{table}");
            let of = if table == "environments" { "name" } else { "environment" };
            sql(&room.store, &format!("UPDATE {table} SET {mends} WHERE {of} = 'e1'")).await.unwrap();
            clock.look(at("2037-11-23T09:04")).await.unwrap();
            assert_eq!(queued(&room, RunKind::Up).await, ["e0", "e1", "e2", "e3"], "{table}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_memory_of_the_clocks_that_cannot_be_read_loses_no_transition() {
    on_both(async |store| {
        let room = rooms(store, 2, "").await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        sql(&room.store, "UPDATE clock_asked SET wanted = 'x' WHERE environment = 'e1'").await.unwrap();
        let mut clock = room.clock();
        clock.look(at("2037-11-23T08:30")).await.unwrap();
        assert_eq!(queued(&room, RunKind::Up).await, Vec::<String>::new());
        clock.look(at("2037-11-23T09:00")).await.unwrap();
        assert_eq!(queued(&room, RunKind::Up).await, ["e0", "e1"]);
    })
    .await;
}

#[tokio::test]
async fn what_was_due_too_long_ago_is_told_also_where_it_cannot_be_read_how_it_stands() {
    on_both(async |store| {
        let room = rooms(store, 2, "").await;
        plans(&room).await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        sql(&room.store, BREAKS[0].1).await.unwrap();
        let looked = room.clock().look(at("2037-11-23T13:01")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Missed, &Turned::Missed]);
        let said = told(&room).await;
        assert!(said.len() == 2 && said.iter().all(|said| matches!(said, ClockNews::Missed { .. })), "{said:?}");
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let records = audit::page(&room.store, &filter, 20).await.unwrap().records;
        let told: Vec<_> = records.iter().map(|record| (record.action.as_str(), record.result.as_deref())).collect();
        assert_eq!(told, [("miss", Some("missed")), ("miss", Some("missed"))]);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_takes_nothing_of_the_others_with_it_and_leaves_nothing_of_itself() {
    on_both(async |store| {
        let room = rooms(store, 40, "").await;
        room.clock().look(at("2037-11-23T08:00")).await.unwrap();
        for number in (0..40).step_by(2) {
            let one = name(number);
            let values = format!(
                "'hold', '{one}', '{one}', 'local:sato', 'sato', '[]', 'we measure', 0, 1900000000000, NULL, NULL"
            );
            room.hold(&values).await;
        }
        let looked = room.clock().look(at("2037-11-23T09:00")).await.unwrap();
        let refused = looked.turned.iter().filter(|(_, turned)| matches!(turned, Turned::Refused(_))).count();
        assert_eq!((looked.turned.len(), refused), (40, 20));
        let mut active = runs::all_active(&room.store).await.unwrap();
        active.sort_by_key(|run| run.number);
        let numbers: Vec<i64> = active.iter().map(|run| run.number.0).collect();
        assert_eq!(numbers, (1..=20).collect::<Vec<_>>(), "one for each that is free, and no number is left out");
        let all = audit::recent(&room.store, None, 100).await.unwrap();
        let with_run = all.iter().filter(|record| record.run.is_some()).count();
        let held =
            all.iter().filter(|record| record.decision == Decision::Refused && record.rule.as_deref() == Some("hold"));
        assert_eq!((all.len(), with_run, held.count()), (40, 20, 20));
        assert_eq!(told(&room).await.len(), 20);
        assert_eq!(room.clock().look(at("2037-11-23T09:00")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn a_look_that_cannot_be_asked_for_keeps_none_of_the_others_from_theirs() {
    for (lines, kind, now) in [
        ("drift = '03:00'\n", RunKind::Drift, at("2037-11-24T03:00")),
        ("preflight = '30m'\n", RunKind::Preflight, at("2037-11-24T08:30")),
    ] {
        on_both(async |store| {
            let room = rooms(store, 3, lines).await;
            plans(&room).await;
            let mut clock = room.clock();
            clock.look(now.plus_ms(-1_000)).await.unwrap();
            sql(&room.store, BREAKS[0].1).await.unwrap();
            clock.look(now).await.unwrap();
            assert_eq!(queued(&room, kind).await, ["e0", "e2"]);
            sql(&room.store, &format!("UPDATE runs SET {} WHERE environment = 'e1' AND kind = 'plan'", BREAKS[0].2))
                .await
                .unwrap();
            clock.look(now.plus_ms(60_000)).await.unwrap();
            assert_eq!(queued(&room, kind).await, ["e0", "e1", "e2"]);
            clock.look(now.plus_ms(120_000)).await.unwrap();
            assert_eq!(queued(&room, kind).await, ["e0", "e1", "e2"]);
        })
        .await;
    }
}
