//! What runs did to environments over time, as far as it says where they stood.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::hours_on::{Came, Deed, Whose};
use crate::domain::ids::{EnvironmentName, RunNumber, StackName, Timestamp};
use crate::domain::request::RunRequest;
use crate::domain::run::RunEvent;
use crate::ledger::column::{Row, to_json};
use crate::ledger::error::LedgerError;
use crate::ledger::store::Access;

row! {
    struct DeedRow {
        environment: String,
        number: i64,
        level: String,
        status: String,
        asker_id: String,
        asker_name: String,
        ended_at: Option<i64>,
        began_at: Option<i64>,
        request: Option<String>,
    }
}

/// How long after a span a run may end that left it in doubt: 31 days, in milliseconds.
const DOUBT_MS: i64 = 31 * 86_400_000;

// Rows are read from the index `runs_over_time` alone, but for those few that did not end well and those of a `scale`. What holds
// of them is written as it is in that index, `kind <> 'plan'` beside the kinds that say it, too: neither database would use it otherwise.
macro_rules! select_deeds {
    ($rest:literal) => {
        concat!(
            "SELECT r.environment, r.number, r.level, r.status, r.asker_id, r.asker_name, r.ended_at, \
             CASE WHEN r.status IN ('succeeded', 'nothing_to_do') THEN NULL ELSE (SELECT MIN(e.at) FROM run_events e \
             WHERE e.run_id = r.id AND e.event = $1) END AS began_at, \
             CASE WHEN r.kind = 'scale' THEN r.request ELSE NULL END AS request FROM ",
            $rest
        )
    };
}

// CROSS JOIN: SQLite then goes from environments to their runs, and does not read all runs of all years.
pub(in crate::ledger) const ENDED: &str = select_deeds!(
    "(SELECT n.name, COALESCE((SELECT b.ended_at FROM runs b WHERE b.environment = n.name AND b.ended_at <= $2 \
     AND b.kind <> 'plan' AND b.kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND (b.changed OR b.status = 'nothing_to_do') \
     AND b.status IN ('succeeded', 'nothing_to_do') AND b.kind <> 'scale' \
     ORDER BY b.ended_at DESC LIMIT 1), 0) AS since FROM environments n) AS s \
     CROSS JOIN runs r WHERE r.environment = s.name AND r.ended_at >= s.since AND r.ended_at < $3 \
     AND r.kind <> 'plan' AND r.kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND (r.changed OR r.status = 'nothing_to_do') \
     AND (r.ended_at < $4 OR r.status NOT IN ('succeeded', 'nothing_to_do'))"
);
pub(in crate::ledger) const OF_ONE: &str = select_deeds!(
    "runs r WHERE r.environment = $5 AND r.ended_at >= COALESCE((SELECT b.ended_at FROM runs b \
     WHERE b.environment = $5 AND b.ended_at <= $2 \
     AND b.kind <> 'plan' AND b.kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND (b.changed OR b.status = 'nothing_to_do') \
     AND b.status IN ('succeeded', 'nothing_to_do') AND b.kind <> 'scale' \
     ORDER BY b.ended_at DESC LIMIT 1), 0) AND r.ended_at < $3 \
     AND r.kind <> 'plan' AND r.kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND (r.changed OR r.status = 'nothing_to_do') \
     AND (r.ended_at < $4 OR r.status NOT IN ('succeeded', 'nothing_to_do'))"
);
const OPEN: &str = select_deeds!(
    "runs r WHERE r.ended_at IS NULL AND r.kind NOT IN ('plan', 'adopt', 'remove', 'terraform') AND r.changed"
);

/// From each environment's last run before `from` that brought all of it to a level, or found it there: what runs did until `to`.
/// Runs that are not over and have changed something are among them. Of the one environment, where one is named.
pub async fn deeds(
    mut db: impl Access,
    only: Option<&EnvironmentName>,
    from: Timestamp,
    to: Timestamp,
) -> Result<BTreeMap<EnvironmentName, Vec<Deed>>, LedgerError> {
    let began = to_json("event", &RunEvent::ApplyBegan)?;
    let latest = to.plus_ms(DOUBT_MS);
    let mut rows: Vec<DeedRow> = match only {
        Some(name) => on!(
            db,
            fetch_all,
            sqlx::query_as(OF_ONE).bind(&began).bind(from.0).bind(latest.0).bind(to.0).bind(name.as_str())
        )?,
        None => on!(db, fetch_all, sqlx::query_as(ENDED).bind(&began).bind(from.0).bind(latest.0).bind(to.0))?,
    };
    let open: Vec<DeedRow> = on!(db, fetch_all, sqlx::query_as(OPEN).bind(&began))?;
    rows.extend(open.into_iter().filter(|row| only.is_none_or(|only| only.as_str() == row.environment)));
    let mut deeds: BTreeMap<EnvironmentName, Vec<Deed>> = BTreeMap::new();
    for found in rows {
        let number = found.number.to_string();
        let row = Row { table: "runs", id: &number };
        let Some(deed) = deed(&row, &found)? else { continue };
        match deeds.get_mut(found.environment.as_str()) {
            Some(deeds) => deeds.push(deed),
            None => {
                deeds.insert(row.text("environment", found.environment)?, vec![deed]);
            }
        }
    }
    Ok(deeds)
}

fn deed(row: &Row<'_>, found: &DeedRow) -> Result<Option<Deed>, LedgerError> {
    let came = match (found.status.as_str(), found.ended_at, found.began_at) {
        ("succeeded", Some(at), _) => Came::Done(Timestamp(at)),
        ("nothing_to_do", Some(at), _) => Came::Found(Timestamp(at)),
        (_, _, Some(began)) => Came::Doubt(Timestamp(began)),
        // It says that it changed something and not when: an event is missing.
        (_, Some(ended), None) => Came::Doubt(Timestamp(ended)),
        (_, None, None) => return Ok(None),
    };
    let scaled = found.request.as_ref().map(|text| {
        let request: RunRequest = row.json("request", text)?;
        Ok::<BTreeSet<StackName>, LedgerError>(request.stacks.into_keys().collect())
    });
    Ok(Some(Deed {
        run: RunNumber(found.number),
        level: row.text("level", found.level.clone())?,
        scaled: scaled.transpose()?,
        whose: Whose { id: row.text("asker_id", found.asker_id.clone())?, called: found.asker_name.clone() },
        came,
    }))
}
