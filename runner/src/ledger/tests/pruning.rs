//! Entries leave the ledger without loss, and the chain stays provable: with and without the files.

use std::path::{Path, PathBuf};

use super::{on_both, sql};
use crate::domain::answer::Actor;
use crate::domain::audit::PRUNE;
use crate::domain::ids::Timestamp;
use crate::domain::run::Outcome;
use crate::ledger::Store;
use crate::ledger::audit::{
    self, Asked, Broken, Checkpoint, Entry, Evidence, Key, Link, Proven, PruneError, SegmentError, VerifyError,
};

async fn acts(store: &Store, count: i64) -> Timestamp {
    for n in 0..count {
        super::chain::act(store, &format!("up shop slaves={n}")).await;
    }
    super::next_moment(store).await
}

async fn prune(store: &Store, before: Timestamp, file: &Path) -> Result<Option<audit::Pruned>, PruneError> {
    audit::prune(store, before, file, &Actor::tidegate(), Some("the year is over")).await
}

async fn prove(store: &Store, files: &[&PathBuf]) -> Result<Proven, VerifyError> {
    let exports: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
    audit::prove(store, Evidence { checkpoint: None, exports: &exports }).await
}

#[tokio::test]
async fn what_is_taken_out_is_in_the_file_and_the_whole_can_be_proven() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let middle = acts(&store, 7).await;
        acts(&store, 5).await;
        let done = prune(&store, middle, &first).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq), (7, 7));
        assert_eq!(audit::verify(&store).await.unwrap(), 6);
        let told = &audit::recent(&store, None, 1).await.unwrap()[0];
        assert_eq!((told.seq, told.action.as_str(), told.because.as_deref()), (13, PRUNE, Some("the year is over")));
        assert_eq!(told.detail.as_ref().unwrap()["file"], "first");

        let end = acts(&store, 3).await;
        let done = prune(&store, end, &second).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq), (9, 16), "all but the entry about it");
        let Proven { entries, start, end, exported, reconnected: _ } = prove(&store, &[&second, &first]).await.unwrap();
        assert_eq!((entries, start.seq, end.seq, exported), (1, 16, 17, 16));

        let missing = prove(&store, &[&second]).await.unwrap_err();
        assert!(matches!(missing, VerifyError::Segment(SegmentError::Missing { from: 1, to: 7 })), "{missing}");
        let missing = prove(&store, &[&first]).await.unwrap_err();
        assert!(matches!(missing, VerifyError::Segment(SegmentError::Missing { from: 8, to: 16 })), "{missing}");
        // The triggers are back.
        super::append_only::refuses(&store, "DELETE FROM audit").await;
        super::append_only::refuses(&store, "UPDATE audit SET typed = 'x'").await;
    })
    .await;
}

#[tokio::test]
async fn what_would_be_taken_out_is_told_without_taking_it_out() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(audit::prunable(&store, Timestamp(i64::MAX)).await.unwrap(), None);
        let middle = acts(&store, 7).await;
        let end = acts(&store, 5).await;
        let would = audit::prunable(&store, middle).await.unwrap().unwrap();
        assert_eq!((would.first, would.last, would.of, would.entries()), (1, 7, 12, 7));
        assert!(would.oldest <= would.youngest && would.youngest < middle);
        assert_eq!(audit::verify(&store).await.unwrap(), 12, "nothing was");
        let days = |days: i64| end.plus_ms(days * 86_400_000);
        assert!(would.is_to_be_asked(end) && would.is_to_be_asked(days(89)) && !would.is_to_be_asked(days(91)));
        let all = audit::prunable(&store, end).await.unwrap().unwrap();
        assert_eq!((all.entries(), all.of), (12, 12));
        assert!(all.is_to_be_asked(days(1_000)), "all that there is");
        prune(&store, middle, &folder.path().join("old")).await.unwrap().unwrap();
        let rest = audit::prunable(&store, end).await.unwrap().unwrap();
        assert_eq!((rest.first, rest.last, rest.of), (8, 12, 6));
        assert_eq!(audit::prunable(&store, middle).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn no_more_is_taken_out_than_was_asked() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        acts(&store, 7).await;
        let before = acts(&store, 5).await;
        let asked = Asked { before, upto: Some(7) };
        let would = audit::prunable(&store, asked).await.unwrap().unwrap();
        assert_eq!((would.first, would.last, would.of), (1, 7, 12));
        let done = audit::prune(&store, asked, &first, &Actor::tidegate(), None).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq), (7, 7), "old enough are 12");
        // Said again, it is done.
        assert_eq!(audit::prune(&store, asked, &second, &Actor::tidegate(), None).await.unwrap(), None);
        assert!(!second.exists());
        let done = prune(&store, before, &second).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq), (5, 12));
    })
    .await;
}

#[tokio::test]
async fn the_youngest_is_told_also_where_a_clock_was_set_back_after_it() {
    on_both(async |store| {
        acts(&store, 5).await;
        sql(&store, super::chain::lift(&store)).await.unwrap();
        sql(&store, "UPDATE audit SET at = at + 86400000 WHERE seq = 3").await.unwrap();
        let would = audit::prunable(&store, Timestamp(i64::MAX)).await.unwrap().unwrap();
        let all = audit::recent(&store, None, 5).await.unwrap();
        let third = all.iter().find(|record| record.seq == 3).unwrap();
        assert_eq!(would.youngest, third.at);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_when_nothing_is_old_enough_and_no_file_is_written_over() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        assert_eq!(prune(&store, Timestamp(i64::MAX), &file).await.unwrap(), None);
        let end = acts(&store, 2).await;
        assert_eq!(prune(&store, Timestamp(1), &file).await.unwrap(), None);
        assert!(!file.exists());
        std::fs::write(&file, "mine").unwrap();
        let error = prune(&store, end, &file).await.unwrap_err();
        assert!(matches!(error, PruneError::File(SegmentError::Io { .. })), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        assert_eq!(audit::verify(&store).await.unwrap(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_a_run_that_is_not_over_was_ordered_by_stays() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        acts(&store, 3).await;
        let run = super::submit_up(&store, "shop").await;
        let (ito, shop) = (super::actor("ito"), super::environment("shop"));
        let order = Entry { environment: Some(&shop), run: Some(run.number), ..Entry::of_tidegate(&ito, "up") };
        let mut tx = store.begin().await.unwrap();
        assert_eq!(audit::append(&mut tx, &order).await.unwrap(), 4);
        tx.commit().await.unwrap();
        let end = acts(&store, 2).await;
        let done = prune(&store, end, &file).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq, done.stays_for), (3, 3, Some(run.number)));
        assert!(audit::has_order(&store, &run).await.unwrap());
        let second = folder.path().join("second");
        let error = prune(&store, end, &second).await.unwrap_err();
        assert!(matches!(error, PruneError::Unfinished(number) if number == run.number), "{error}");
        assert!(!second.exists());
        // Of what is too young anyway, no run holds anything back.
        assert_eq!(prune(&store, Timestamp(1), &second).await.unwrap(), None);
        super::record(&store, run.id, &[super::ended(Outcome::Cancelled)], None).await.unwrap();
        let done = prune(&store, end, &second).await.unwrap().unwrap();
        assert_eq!((done.entries, done.end.seq, done.stays_for), (3, 6, None));
        assert!(prove(&store, &[&file, &second]).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_broken_chain_is_not_taken_out() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        let end = acts(&store, 5).await;
        sql(&store, super::chain::lift(&store)).await.unwrap();
        sql(&store, "UPDATE audit SET because = 'x' WHERE seq = 3").await.unwrap();
        let error = prune(&store, end, &file).await.unwrap_err();
        assert!(matches!(error, PruneError::Broken(3)), "{error}");
        assert!(!file.exists(), "half a file is in nobody's way");
    })
    .await;
}

#[tokio::test]
async fn every_change_of_an_exported_file_is_found() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        let end = acts(&store, 5).await;
        prune(&store, end, &file).await.unwrap().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        let without = |gone: usize| {
            let rest: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect();
            rest.join("\n")
        };
        let mut swapped = lines.clone();
        swapped.swap(2, 3);
        let bad = [
            text.replacen("slaves=2", "slaves=9", 1),
            text.replacen("slaves=4", "slaves=9", 1),
            without(0),
            without(1),
            without(3),
            without(5),
            swapped.join("\n"),
            String::new(),
            "日本".to_owned(),
        ];
        for bad in bad {
            std::fs::write(&file, &bad).unwrap();
            let error = prove(&store, &[&file]).await.unwrap_err();
            assert!(matches!(error, VerifyError::Segment(_)), "{bad}: {error}");
        }
        std::fs::write(&file, &text).unwrap();
        prove(&store, &[&file]).await.unwrap();
    })
    .await;
}

/// What makes the entry about a pruning fail, as a crash would: beyond the place 9.
fn fault(store: &Store) -> &'static str {
    match store {
        Store::Sqlite { .. } => {
            "CREATE TRIGGER fault BEFORE INSERT ON audit WHEN NEW.action = 'prune' AND NEW.seq > 9
             BEGIN SELECT RAISE(ABORT, 'a fault'); END"
        }
        Store::Postgres { .. } => "ALTER TABLE audit ADD CONSTRAINT fault CHECK (action <> 'prune' OR seq <= 9)",
    }
}

fn healed(store: &Store) -> &'static str {
    match store {
        Store::Sqlite { .. } => "DROP TRIGGER fault",
        Store::Postgres { .. } => "ALTER TABLE audit DROP CONSTRAINT fault",
    }
}

#[tokio::test]
async fn a_crash_between_two_deletions_loses_nothing_and_the_rest_is_done_later() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let end = acts(&store, 8).await;
        sql(&store, fault(&store)).await.unwrap();
        let in_threes = audit::prune_by(&store, end.into(), &first, &Actor::tidegate(), None, 3).await;
        assert!(matches!(in_threes, Err(PruneError::Ledger(_))), "{in_threes:?}");
        // The first three are gone; all eight are in the file; the triggers are back.
        let Proven { entries, start, exported, .. } = prove(&store, &[&first]).await.unwrap();
        assert_eq!((entries, start.seq, exported), (6, 3, 3));
        super::append_only::refuses(&store, "DELETE FROM audit").await;

        sql(&store, healed(&store)).await.unwrap();
        let end = super::next_moment(&store).await;
        prune(&store, end, &second).await.unwrap().unwrap();
        let Proven { entries, start, exported, .. } = prove(&store, &[&first, &second]).await.unwrap();
        assert_eq!((entries, start.seq, exported), (1, 9, 9));
        // A file of another ledger is none of this one, however whole it is.
        let other = tempfile::tempdir().unwrap();
        std::fs::write(&first, exported_elsewhere(&other).await).unwrap();
        let error = prove(&store, &[&first, &second]).await.unwrap_err();
        assert!(matches!(error, VerifyError::Segment(SegmentError::Other { .. })), "{error}");
    })
    .await;
}

/// What another ledger with eight entries exports.
async fn exported_elsewhere(folder: &tempfile::TempDir) -> String {
    let address = crate::ledger::Address::Sqlite(folder.path().join("other.db"));
    let store = Store::open_at(&address).await.unwrap();
    let end = acts(&store, 8).await;
    let file = folder.path().join("all");
    prune(&store, end, &file).await.unwrap().unwrap();
    store.close().await;
    std::fs::read_to_string(file).unwrap()
}

#[tokio::test]
async fn others_append_while_entries_are_taken_out_and_nothing_is_lost() {
    super::at_both(async |address| {
        let store = Store::open_at(&address).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        let end = acts(&store, 200).await;
        let writer = tokio::spawn(async move {
            let store = Store::open_at(&address).await.unwrap();
            acts(&store, 30).await;
        });
        prune(&store, end, &file).await.unwrap().unwrap();
        writer.await.unwrap();
        let Proven { entries, end, exported, .. } = prove(&store, &[&file]).await.unwrap();
        assert_eq!((entries, end.seq, exported), (31, 231, 200));
    })
    .await;
}

fn key(folder: &tempfile::TempDir) -> Key {
    Key::open(&folder.path().join("audit.key")).unwrap()
}

async fn against(store: &Store, checkpoint: &Checkpoint, exports: &[PathBuf]) -> Result<Proven, VerifyError> {
    audit::prove(store, Evidence { checkpoint: Some(checkpoint), exports }).await
}

#[tokio::test]
async fn a_checkpoint_finds_a_cut_tail_and_another_history() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        acts(&store, 6).await;
        let end = audit::prove(&store, Evidence::default()).await.unwrap().end;
        let checkpoint = Checkpoint::sign(&key(&folder), end, store.now().await.unwrap());
        acts(&store, 2).await;
        against(&store, &checkpoint, &[]).await.unwrap();

        // Cut before the checkpoint, with a head that fits: without the checkpoint nobody could tell.
        sql(&store, super::chain::lift(&store)).await.unwrap();
        let cut = "DELETE FROM audit WHERE seq > 4; \
                   UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)";
        sql(&store, cut).await.unwrap();
        assert_eq!(audit::verify(&store).await.unwrap(), 4);
        let error = against(&store, &checkpoint, &[]).await.unwrap_err();
        assert!(matches!(error, VerifyError::Broken(Broken { seq: 5, .. })), "{error}");
        // And written anew.
        acts(&store, 4).await;
        assert_eq!(audit::verify(&store).await.unwrap(), 8);
        let error = against(&store, &checkpoint, &[]).await.unwrap_err();
        assert!(matches!(error, VerifyError::Broken(Broken { seq: 6, .. })), "{error}");
    })
    .await;
}

#[tokio::test]
async fn a_checkpoint_of_entries_that_were_taken_out_needs_the_file() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("old");
        acts(&store, 3).await;
        let Link { seq, .. } = audit::prove(&store, Evidence::default()).await.unwrap().end;
        assert_eq!(seq, 3);
        let end = audit::prove(&store, Evidence::default()).await.unwrap().end;
        let checkpoint = Checkpoint::sign(&key(&folder), end, store.now().await.unwrap());
        let moment = acts(&store, 3).await;
        prune(&store, moment, &file).await.unwrap().unwrap();
        let error = against(&store, &checkpoint, &[]).await.unwrap_err();
        assert!(matches!(error, VerifyError::Broken(Broken { seq: 3, .. })), "{error}");
        against(&store, &checkpoint, &[file]).await.unwrap();
    })
    .await;
}
