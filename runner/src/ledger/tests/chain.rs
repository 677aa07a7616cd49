//! The audit's chain of hashes shows what was done to it.

use super::{actor, environment, on_both, sql};
use crate::domain::audit::AuditFilter;
use crate::ledger::audit::{self, Broken, Decision, Entry, VerifyError};
use crate::ledger::{Address, Store};

pub(super) async fn act(store: &Store, typed: &str) -> i64 {
    let shop = environment("shop");
    let detail = serde_json::json!({ "slaves": 40, "why": "試験" });
    let ito = actor("ito");
    let entry = Entry {
        actor: &ito,
        door: "shell",
        place: Some("#load-test"),
        action: "up",
        environment: Some(&shop),
        run: None,
        typed: Some(typed),
        because: Some("nul \0 and 日本"),
        decision: Decision::Allowed,
        rule: Some("owner"),
        result: Some("queued"),
        detail: Some(&detail),
    };
    let mut tx = store.begin().await.unwrap();
    let seq = audit::append(&mut tx, &entry).await.unwrap();
    tx.commit().await.unwrap();
    seq
}

/// What lets the audit be changed by hand.
pub(super) fn lift(store: &Store) -> &'static str {
    match store {
        Store::Sqlite { .. } => {
            "DROP TRIGGER audit_never_updated; DROP TRIGGER audit_never_deleted; DROP TRIGGER audit_never_replaced"
        }
        Store::Postgres { .. } => "DROP TRIGGER audit_append_only ON audit",
    }
}

async fn broken_by(statements: &str) -> Vec<Broken> {
    let found = std::cell::RefCell::new(Vec::new());
    on_both(async |store| {
        for n in 1..=5 {
            act(&store, &format!("up shop slaves={n}")).await;
        }
        assert_eq!(audit::verify(&store).await.unwrap(), 5);
        sql(&store, lift(&store)).await.unwrap();
        sql(&store, statements).await.unwrap();
        match audit::verify(&store).await {
            Err(VerifyError::Broken(broken)) => found.borrow_mut().push(broken),
            other => panic!("{statements}: {other:?}"),
        }
    })
    .await;
    found.into_inner()
}

async fn breaks(statements: &str, seq: i64, why: &'static str) {
    let expected = Broken { seq, why };
    assert_eq!(broken_by(statements).await, [expected.clone(), expected], "{statements}");
}

#[tokio::test]
async fn an_altered_entry_is_found() {
    breaks("UPDATE audit SET typed = 'down shop' WHERE seq = 3", 3, "it was altered").await;
    breaks("UPDATE audit SET at = at + 1 WHERE seq = 1", 1, "it was altered").await;
}

#[tokio::test]
async fn an_entry_with_a_hash_of_its_own_does_not_fit_the_chain() {
    breaks("UPDATE audit SET hash = prev WHERE seq = 2", 2, "it was altered").await;
    breaks("UPDATE audit_head SET hash = 'x'", 5, "it is not the entry that was written last").await;
}

#[tokio::test]
async fn a_removed_entry_is_found_also_at_either_end() {
    breaks("DELETE FROM audit WHERE seq = 3", 3, "it was removed").await;
    breaks("DELETE FROM audit WHERE seq = 1", 1, "it was removed").await;
    breaks("DELETE FROM audit WHERE seq >= 4", 4, "it and what followed it were removed").await;
    breaks("DELETE FROM audit", 1, "it and what followed it were removed").await;
    breaks("DELETE FROM audit_head", 0, "the end of the chain is not known any more").await;
}

#[tokio::test]
async fn an_inserted_entry_is_found() {
    let copy = "INSERT INTO audit SELECT 6, hash, hash, at, actor_id, actor_name, door, place, action, environment, \
                run_number, typed, because, decision, rule, detail, result FROM audit WHERE seq = 5";
    breaks(copy, 6, "it was altered").await;
}

#[tokio::test]
async fn reordered_entries_are_found() {
    let swap = "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; \
                UPDATE audit SET seq = 3 WHERE seq = 99";
    breaks(swap, 2, "it was altered").await;
}

#[tokio::test]
async fn entries_of_many_writers_make_one_chain() {
    super::at_both(async |address: Address| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let address = address.clone();
                tokio::spawn(async move {
                    let store = Store::open_at(&address).await.unwrap();
                    for n in 0..5 {
                        act(&store, &format!("{writer}/{n}")).await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let store = Store::open_at(&address).await.unwrap();
        assert_eq!(audit::verify(&store).await.unwrap(), 20);
        let latest = audit::recent(&store, Some(&environment("shop")), 3).await.unwrap();
        assert_eq!(latest.len(), 3);
        assert!(latest.windows(2).all(|pair| pair[0].at >= pair[1].at));
        assert_eq!(latest[0].because.as_deref(), Some("nul \u{fffd} and 日本"));
        assert_eq!(audit::recent(&store, None, 1).await.unwrap()[0].seq, 20);
    })
    .await;
}

#[tokio::test]
async fn an_entry_whose_place_is_no_whole_number_is_named() {
    on_both(async |store| {
        if !matches!(store, Store::Sqlite { .. }) {
            // Elsewhere the column itself refuses it.
            return;
        }
        for n in 1..=5 {
            act(&store, &format!("up shop slaves={n}")).await;
        }
        sql(&store, lift(&store)).await.unwrap();
        for (from, to) in [("3", "3.5"), ("3.5", "5.5"), ("5.5", "0.5")] {
            sql(&store, &format!("UPDATE audit SET seq = {to} WHERE seq = {from}")).await.unwrap();
            match audit::verify(&store).await {
                Err(VerifyError::Broken(broken)) if to == "3.5" => {
                    assert_eq!(
                        (broken.seq, broken.why),
                        (3, "it, or one beside it, has a place that is no whole number")
                    );
                }
                Err(VerifyError::Broken(_)) => {}
                other => panic!("{to}: {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_chain_whose_end_was_taken_away_goes_on_after_its_last_entry_and_says_so() {
    for statements in
        ["DELETE FROM audit_head", "UPDATE audit_head SET seq = 2", "UPDATE audit_head SET seq = 0, hash = 'x'"]
    {
        on_both(async |store| {
            for n in 1..=5 {
                act(&store, &format!("up shop slaves={n}")).await;
            }
            sql(&store, statements).await.unwrap();
            assert_eq!(act(&store, "stop everything").await, 7, "{statements}");
            assert_eq!(act(&store, "up shop").await, 8, "{statements}: it is said once");
            let proven = audit::prove(&store, audit::Evidence::default()).await.unwrap();
            assert_eq!((proven.entries, proven.reconnected), (8, vec![6]), "{statements}");
            let told = audit::recent(&store, None, 3).await.unwrap();
            assert_eq!(told[2].action, crate::domain::audit::RECONNECT);
        })
        .await;
    }
}

#[tokio::test]
async fn an_audit_that_was_emptied_is_not_whole_where_somebody_asked_for_a_run() {
    on_both(async |store| {
        assert_eq!(audit::verify(&store).await.unwrap(), 0, "nothing was ever done");
        act(&store, "up shop").await;
        super::submit_up(&store, "shop").await;
        sql(&store, lift(&store)).await.unwrap();
        let zeros = "0".repeat(64);
        let emptied = format!("DELETE FROM audit; UPDATE audit_head SET seq = 0, hash = '{zeros}'");
        sql(&store, &emptied).await.unwrap();
        match audit::verify(&store).await {
            Err(VerifyError::Broken(broken)) => assert_eq!(broken.seq, 1),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn of_an_entry_that_cannot_be_read_it_is_said_who_names_it() {
    on_both(async |store| {
        if !matches!(store, Store::Sqlite { .. }) {
            // Elsewhere the column itself refuses it.
            return;
        }
        for n in 1..=3 {
            act(&store, &format!("up shop slaves={n}")).await;
        }
        sql(&store, lift(&store)).await.unwrap();
        sql(&store, "UPDATE audit SET at = 'abc' WHERE seq = 2").await.unwrap();
        let shown = audit::recent(&store, None, 10).await.map(|found| found.len());
        let error = shown.expect_err("it cannot be read");
        assert!(error.is_of_a_row() && error.to_string().contains("tidegate audit verify"), "{error}");
        let exported = audit::each(&store, &AuditFilter::default(), |_| Ok(())).await;
        assert!(exported.is_err_and(|why| why.to_string().contains("tidegate audit verify")));
        // What is to be done is done, and noted, all the same.
        assert_eq!(act(&store, "stop everything").await, 4);
    })
    .await;
}
