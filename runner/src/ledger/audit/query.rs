//! Questions about the audit: pages of entries, and who did what last.

use super::row::{AuditRow, COLUMNS, untold};
use crate::domain::answer::RunSummary;
use crate::domain::audit::{AuditFilter, AuditPage, Decision, Deed, Record, WhoDid};
use crate::domain::command::CommandName;
use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
use crate::domain::run::Outcome;
use crate::ledger::conditions::{Conditions, Value, actor_ids};
use crate::ledger::error::LedgerError;
use crate::ledger::runs;
use crate::ledger::store::{Access, Reach, Store};

/// What counts as failed; word for word the condition of the partial indexes, or they are not used.
const FAILED: &str = "(decision IN ('refused', 'not_understood') OR result IN ('failed', 'partial', 'unknown', 'refused', 'expired', 'missed'))";

/// Entries that words are looked for in, for one page. More of them would take longer than people wait: the page says how far
/// it looked, and the next one goes on there.
const LOOKED: u32 = 20_000;

/// How much earlier than its run an order may be noted, in milliseconds: they are of one transaction, in which a clock may be set.
const ORDER_MS: i64 = 60_000;

/// Whether an entry says that somebody ordered a run and was allowed to. What else people did with it, as to cancel it, is no order.
pub async fn has_order(mut db: impl Access, run: &RunSummary) -> Result<bool, LedgerError> {
    let entries: Vec<(String, String)> = on!(
        db,
        fetch_all,
        // From the index of the environment: few things happen to it while a run waits.
        sqlx::query_as(
            "SELECT action, decision FROM audit WHERE environment = $1 AND at >= $2 AND run_number = $3 AND actor_id <> $4"
        )
        .bind(run.request.environment.as_str())
        .bind(run.accepted.0 - ORDER_MS)
        .bind(run.number.0)
        .bind(ActorId::tidegate().as_str())
    )?;
    let orders = |action: &str| CommandName::ALL.into_iter().any(|name| name.orders() && name.action() == action);
    Ok(entries.iter().any(|(action, decision)| decision == Decision::Allowed.as_str() && orders(action)))
}

/// Commands of a person that `who` looks through, newest first.
const WHO_LOOKS: i64 = 50;

/// The latest entries, newest first; of one environment, or of all.
pub async fn recent(
    db: impl Access,
    environment: Option<&EnvironmentName>,
    limit: u32,
) -> Result<Vec<Record>, LedgerError> {
    let filter = AuditFilter { environment: environment.cloned(), page: 1, ..AuditFilter::default() };
    Ok(page(db, &filter, limit).await?.records)
}

/// A page of entries, newest first by the database's clock. `size` is at least 1.
pub async fn page(mut db: impl Access, filter: &AuditFilter, size: u32) -> Result<AuditPage, LedgerError> {
    let dialect = Dialect::of(&mut db).await?;
    let before = match filter.before {
        None => None,
        Some(seq) => {
            let found = place(&mut db, seq).await?;
            if found.is_none() && newest_seq(&mut db).await? < Some(seq) {
                // All there are were written before one that is still to come.
                None
            } else if found.is_none() {
                // Whatever was older than an entry that was taken out is gone as well.
                let exported = exported(&mut db).await?;
                return Ok(AuditPage { records: Vec::new(), older: None, looked: None, exported });
            } else {
                found
            }
        }
    };
    let skipped = (filter.page.max(1) - 1).saturating_mul(size);
    let limit = i64::from(skipped) + i64::from(size.max(1)) + 1;
    let mut looked: Option<(i64, Timestamp)> = None;
    let mut rows = Vec::new();
    for actor in who_is_meant(&mut db, filter.by.as_deref()).await? {
        let mut conditions = conditions(filter, actor.as_deref());
        let table = dialect.table(index(filter, actor.is_some()));
        if let Some((at, seq)) = before {
            older_than(&mut conditions, "<", at, seq);
        }
        if !filter.words.is_empty() {
            if let Some((at, seq)) = last_looked_at(&mut db, &table, &conditions).await? {
                older_than(&mut conditions, ">=", at, seq);
                if looked.is_none_or(|(_, earlier)| at > earlier.0) {
                    looked = Some((seq, Timestamp(at)));
                }
            }
            for words in &filter.words {
                holds(&mut conditions, dialect, words);
            }
        }
        rows.extend(newest(&mut db, &table, conditions, limit).await?);
    }
    rows.sort_by_key(|row: &AuditRow| std::cmp::Reverse((row.at, row.seq)));
    if let Some((seq, at)) = looked {
        // Of several people of that name one may have been looked at further back than the others.
        rows.retain(|row| (row.at, row.seq) >= (at.0, seq));
    }
    let mut rows: Vec<AuditRow> = rows.into_iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX)).collect();
    let size = usize::try_from(size.max(1)).unwrap_or(usize::MAX);
    let more = rows.len() > size;
    rows.truncate(size);
    let older = if more { rows.last().map(|row| row.seq) } else { looked.map(|(seq, _)| seq) };
    let looked = looked.filter(|_| !more).map(|(_, at)| (LOOKED, at));
    let records = rows.into_iter().map(Record::try_from).collect::<Result<_, _>>()?;
    let reaches = |at: &Timestamp| filter.since.is_none_or(|since| since < *at);
    let exported = if older.is_none() { exported(&mut db).await?.filter(reaches) } else { None };
    Ok(AuditPage { records, older, looked, exported })
}

/// The last allowed command that raised, stopped or changed an environment, with its run. None when the last ones of the
/// commands that could be it were something else.
pub async fn who(store: &Store, deed: Deed, environment: &EnvironmentName) -> Result<WhoDid, LedgerError> {
    let dialect = Dialect::of(store).await?;
    let mut entries: Vec<Record> = Vec::new();
    for command in deed.commands() {
        let filter = AuditFilter {
            environment: Some(environment.clone()),
            action: Some(command.as_str().to_owned()),
            ..AuditFilter::default()
        };
        let mut conditions = conditions(&filter, None);
        conditions.add("decision =", Value::Text(Decision::Allowed.as_str().to_owned()));
        let table = dialect.table(index(&filter, false));
        let rows = newest(store, &table, conditions, WHO_LOOKS).await?;
        entries.extend(rows.into_iter().map(Record::try_from).collect::<Result<Vec<_>, _>>()?);
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.seq)));
    let mut found: Option<(Timestamp, Record, RunSummary)> = None;
    for entry in entries {
        let Some(number) = entry.run else { continue };
        if let Some(run) = runs::by_number(store, number).await?
            && deed.is(&entry.action, &run)
            && !came_to_nothing(store, deed, &entry, &run).await?
        {
            // By when it came to pass: an order may have waited long.
            let cancels = entry.action == CommandName::Cancel.action();
            let at = run.ended.filter(|_| !cancels).unwrap_or(entry.at);
            // Of those that one message stopped, what was under way is told before what had not begun.
            let rather = |(_, other, of): &(Timestamp, Record, RunSummary)| {
                cancels && is_of_one_message(&entry, other) && run.began && !of.began
            };
            if found.as_ref().is_none_or(|best| at > best.0 || rather(best)) {
                found = Some((at, entry, run));
            }
        }
    }
    let found = found.map(|(_, entry, run)| (entry, run));
    let agreed = match &found {
        Some((entry, run)) if entry.action != CommandName::Cancel.action() => agreed(store, run).await?,
        Some(_) | None => Vec::new(),
    };
    let exported = exported(store).await?;
    Ok(WhoDid { deed, environment: environment.clone(), found, agreed, exported })
}

/// Who said yes to a run, by the names that they had then, in order.
async fn agreed(store: &Store, run: &RunSummary) -> Result<Vec<String>, LedgerError> {
    let mut db = store;
    let mut names: Vec<String> = on!(
        db,
        fetch_all,
        // From the index of the environment, as for its order.
        sqlx::query_scalar(
            "SELECT actor_name FROM audit WHERE environment = $1 AND at >= $2 AND run_number = $3 AND action = $4 \
             AND decision = $5 ORDER BY at, seq"
        )
        .bind(run.request.environment.as_str())
        .bind(run.accepted.0 - ORDER_MS)
        .bind(run.number.0)
        .bind(CommandName::Approve.action())
        .bind(Decision::Allowed.as_str())
    )?;
    names.dedup();
    Ok(names)
}

/// Whether what was to raise or lower it ended badly before any of it was done. That it was changed may be true all the same: what was
/// begun is in doubt.
async fn came_to_nothing(store: &Store, deed: Deed, entry: &Record, run: &RunSummary) -> Result<bool, LedgerError> {
    let badly = matches!(run.state.outcome(), Some(Outcome::Cancelled | Outcome::Failed));
    if deed == Deed::Changed || entry.action == CommandName::Cancel.action() || !badly {
        return Ok(false);
    }
    let view = runs::view(store, run.id).await?;
    Ok(view.is_some_and(|view| view.stacks.values().all(|stack| stack.changes_done() == 0)))
}

/// How far apart the entries about one message may be, in milliseconds.
const ONE_MESSAGE_MS: i64 = 1_000;

/// Both are about what the same message did, as `stop everything` does to every run.
fn is_of_one_message(one: &Record, other: &Record) -> bool {
    one.action == other.action
        && one.actor.id == other.actor.id
        && one.typed == other.typed
        && one.at.ms_since(other.at).max(other.at.ms_since(one.at)) < ONE_MESSAGE_MS
}

/// The names of all environments that entries are about, also those that are gone from the configuration.
pub async fn environments(mut db: impl Access) -> Result<Vec<String>, LedgerError> {
    // From one name to the next in the index: DISTINCT would read every row.
    let sql = "WITH RECURSIVE names (name) AS (SELECT MIN(environment) FROM audit UNION ALL \
               SELECT (SELECT MIN(environment) FROM audit WHERE environment > names.name) FROM names \
               WHERE names.name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL";
    on!(db, fetch_all, sqlx::query_scalar(sql))
}

/// The conditions of those filters that are set, but for words and place.
pub(super) fn conditions(filter: &AuditFilter, actor: Option<&str>) -> Conditions {
    let AuditFilter { environment, by: _, since, until, action, failed, words: _, before: _, page: _ } = filter;
    let mut conditions = Conditions::default();
    if let Some(environment) = environment {
        conditions.add("environment =", Value::Text(environment.to_string()));
    }
    if let Some(actor) = actor {
        conditions.add("actor_id =", Value::Text(actor.to_owned()));
    }
    if let Some(action) = action {
        conditions.add("action =", Value::Text(action.clone()));
    }
    if let Some(since) = since {
        conditions.add("at >=", Value::Number(since.0));
    }
    if let Some(until) = until {
        conditions.add("at <", Value::Number(until.0));
    }
    if *failed {
        conditions.fixed(FAILED);
    }
    conditions
}

/// That these words stand in what was typed or in the reason. Letters of a-z count in either case, others as the database has it.
pub(super) fn holds(conditions: &mut Conditions, dialect: Dialect, words: &str) {
    let escaped: String =
        words.chars().flat_map(|c| matches!(c, '\\' | '%' | '_').then_some('\\').into_iter().chain([c])).collect();
    let pattern = conditions.place(Value::Text(format!("%{escaped}%")));
    let like = match dialect {
        Dialect::Sqlite => "LIKE",
        Dialect::Postgres => "ILIKE",
    };
    conditions.fixed(format!("(typed {like} {pattern} ESCAPE '\\' OR because {like} {pattern} ESCAPE '\\')"));
}

/// `(at, seq)` compared with this pair.
fn older_than(conditions: &mut Conditions, how: &str, at: i64, seq: i64) {
    let (at, seq) = (conditions.place(Value::Number(at)), conditions.place(Value::Number(seq)));
    conditions.fixed(format!("(at, seq) {how} ({at}, {seq})"));
}

/// The index in which the rows that a filter lets through stand in order.
pub(super) fn index(filter: &AuditFilter, actor: bool) -> &'static str {
    match (filter.failed, filter.environment.is_some(), actor, filter.action.is_some()) {
        (true, true, _, _) => "audit_failed_of_environment",
        (true, false, true, _) => "audit_failed_of_actor",
        (true, false, false, _) => "audit_failed",
        (false, true, true, true) => "audit_of_environment_actor_action",
        (false, true, true, false) => "audit_of_environment_actor",
        (false, true, false, true) => "audit_of_environment_action",
        (false, true, false, false) => "audit_of_environment",
        (false, false, true, true) => "audit_of_actor_action",
        (false, false, true, false) => "audit_of_actor",
        (false, false, false, true) => "audit_of_action",
        (false, false, false, false) => "audit_at",
    }
}

/// Whose SQL it is, where the text must differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(super) async fn of(mut db: impl Access) -> Result<Self, LedgerError> {
        Ok(match db.reach().await? {
            Reach::Sqlite(_) => Self::Sqlite,
            Reach::Postgres(_) => Self::Postgres,
        })
    }

    /// The table, with the index to follow where the database must be told: SQLite knows nothing of how many rows a condition
    /// leaves, and takes a shorter index or sorts. PostgreSQL does, and has no words for it.
    pub(super) fn table(self, index: &str) -> String {
        match self {
            Self::Sqlite => format!("audit INDEXED BY {index}"),
            Self::Postgres => "audit".to_owned(),
        }
    }
}

/// At most `limit` rows, newest first.
async fn newest(
    mut db: impl Access,
    table: &str,
    mut conditions: Conditions,
    limit: i64,
) -> Result<Vec<AuditRow>, LedgerError> {
    let limit = conditions.place(Value::Number(limit));
    let sql = format!("SELECT {COLUMNS} FROM {table} {} ORDER BY at DESC, seq DESC LIMIT {limit}", conditions.sql());
    let rows = on!(db, fetch_all, with_values!(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), conditions.values));
    rows.map_err(untold)
}

/// The pair after which no entry is looked at for words any more; none when they are few enough.
async fn last_looked_at(
    mut db: impl Access,
    table: &str,
    conditions: &Conditions,
) -> Result<Option<(i64, i64)>, LedgerError> {
    let mut conditions = conditions.clone();
    let skipped = conditions.place(Value::Number(i64::from(LOOKED) - 1));
    let sql =
        format!("SELECT at, seq FROM {table} {} ORDER BY at DESC, seq DESC LIMIT 1 OFFSET {skipped}", conditions.sql());
    on!(db, fetch_optional, with_values!(sqlx::query_as(sqlx::AssertSqlSafe(sql.as_str())), conditions.values))
}

/// Before when entries were taken out: the moment of the first that is left. `None`: none was.
pub async fn exported(mut db: impl Access) -> Result<Option<Timestamp>, LedgerError> {
    let first: Option<(i64, i64)> =
        on!(db, fetch_optional, sqlx::query_as("SELECT seq, at FROM audit ORDER BY seq LIMIT 1"))?;
    Ok(first.filter(|(seq, _)| *seq > 1).map(|(_, at)| Timestamp(at)))
}

/// The place of the last entry that was written.
async fn newest_seq(mut db: impl Access) -> Result<Option<i64>, LedgerError> {
    on!(db, fetch_one, sqlx::query_scalar("SELECT MAX(seq) FROM audit"))
}

async fn place(mut db: impl Access, seq: i64) -> Result<Option<(i64, i64)>, LedgerError> {
    on!(db, fetch_optional, sqlx::query_as("SELECT at, seq FROM audit WHERE seq = $1").bind(seq))
}

/// The ids that the audit knows for a person's name; one `None` for everybody. Each is asked for on its own: neither database
/// follows an index in order for several at once.
pub(super) async fn who_is_meant(mut db: impl Access, by: Option<&str>) -> Result<Vec<Option<String>>, LedgerError> {
    let Some(by) = by else { return Ok(vec![None]) };
    let mut known = Vec::new();
    for id in actor_ids(by) {
        let found: Option<String> = on!(
            db,
            fetch_optional,
            sqlx::query_scalar("SELECT actor_id FROM audit WHERE actor_id = $1 LIMIT 1").bind(&id)
        )?;
        known.extend(found.map(Some));
    }
    Ok(known)
}

/// Whether the audit has anything of somebody who is meant by this name, or by one of these ids.
pub async fn knows(db: impl Access, by: Option<&str>) -> Result<bool, LedgerError> {
    Ok(!who_is_meant(db, by).await?.is_empty())
}

/// The question to SQLite how it would find a page, for a test.
#[cfg(test)]
pub(in crate::ledger) fn explained(filter: &AuditFilter) -> String {
    let mut conditions = conditions(filter, filter.by.as_deref());
    if filter.before.is_some() {
        older_than(&mut conditions, "<", 1, 1);
    }
    let table = Dialect::Sqlite.table(index(filter, filter.by.is_some()));
    let sql = conditions.sql();
    format!("EXPLAIN QUERY PLAN SELECT {COLUMNS} FROM {table} {sql} ORDER BY at DESC, seq DESC LIMIT 20")
}
