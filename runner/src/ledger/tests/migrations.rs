//! Every migration, applied in order on top of rows that the ones before it allowed.

use std::path::Path;

use sqlx::ConnectOptions as _;

use super::at_both;
use crate::domain::ids::RunNumber;
use crate::ledger::migrate::{MIGRATIONS, TEXTS};
use crate::ledger::{Address, Store, audit, environments, outbox, runners, runs, stacks};

/// The rows that belong to a migration: the file of the same name in `samples`.
fn sample(version: i64, description: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/samples");
    let file = folder.join(format!("{version:04}_{}.sql", description.replace(' ', "_")));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

async fn apply_one_by_one(address: &Address) {
    match address {
        Address::Sqlite(file) => {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).create_if_missing(true);
            let mut connection = options.connect().await.unwrap();
            for migration in MIGRATIONS.iter() {
                MIGRATIONS.run_direct(Some(migration.version), &mut connection, false).await.unwrap();
                let rows = sample(migration.version, &migration.description);
                sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
            }
        }
        Address::Postgres(options) => {
            let mut connection = options.connect().await.unwrap();
            for migration in MIGRATIONS.iter() {
                MIGRATIONS.run_direct(Some(migration.version), &mut connection, false).await.unwrap();
                let rows = sample(migration.version, &migration.description);
                sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
            }
        }
    }
}

#[test]
fn every_file_in_the_folder_is_in_the_list_of_migrations() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = entries.filter(|name| name != "samples").collect();
    files.sort();
    assert_eq!(files, TEXTS.map(|(version, name, _)| format!("{version:04}_{name}.sql")));
}

#[tokio::test]
async fn migrations_keep_the_rows_that_were_there_and_they_can_be_read() {
    at_both(async |address| {
        apply_one_by_one(&address).await;
        let store = Store::open_at(&address).await.unwrap();
        let shop = super::environment("shop");
        assert!(environments::wanted(&store, &shop).await.unwrap().is_some());
        assert_eq!(stacks::standings(&store, &shop).await.unwrap().len(), 2);
        let run = runs::by_number(&store, RunNumber(1)).await.unwrap().unwrap();
        assert_eq!(runs::view(&store, run.id).await.unwrap().unwrap().state, run.state);
        assert_eq!(audit::verify(&store).await.unwrap(), 4);
        let entries = audit::recent(&store, None, 10).await.unwrap();
        assert_eq!((entries[2].result.as_deref(), entries[3].actor.name.as_str()), (Some("cancelled"), "Ito 伊藤"));
        assert_eq!(super::unanswered(&store).await.len(), 1);
        assert_eq!(outbox::pending(&store, &outbox::Address::new("shell", "ito")).await.unwrap().len(), 1);
        assert_eq!(runners::alive(&store, i64::MAX).await.unwrap().len(), 1);
        assert_eq!(super::submit_up(&store, "shop").await.number, RunNumber(3));
    })
    .await;
}

#[test]
fn migrations_use_only_what_both_databases_know() {
    for migration in MIGRATIONS.iter() {
        let code = migration.sql.as_str().lines().map(|line| line.split("--").next().unwrap_or_default());
        let text = code.collect::<Vec<_>>().join("\n").to_uppercase();
        for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
            let known = !["BLOB", "BYTEA", "SERIAL", "BIGSERIAL", "NOW", "JSONB", "AUTOINCREMENT", "CURRENT_TIMESTAMP"]
                .contains(&word);
            assert!(known, "{} uses {word}", migration.description);
        }
    }
}
