//! Entries as CSV and JSON, written as they are read.

use std::io::{BufWriter, Write};

use chrono::{SecondsFormat, TimeZone as _, Utc};
use serde_json::{Value, json};
use tidegate_runner::domain::audit::{AuditFilter, Record};
use tidegate_runner::domain::ids::Timestamp;
use tidegate_runner::ledger::Store;
use tidegate_runner::ledger::audit::{self, ExportError};

use super::Format;

/// The columns, in order.
const HEADING: [&str; 15] = [
    "entry",
    "at",
    "actor_id",
    "actor_name",
    "door",
    "place",
    "action",
    "environment",
    "run",
    "typed",
    "because",
    "decision",
    "rule",
    "result",
    "detail",
];

/// Writes all entries that fit, oldest first, and gives their number.
pub(super) async fn write(
    store: &Store,
    filter: &AuditFilter,
    format: Format,
    out: impl Write,
) -> Result<u64, ExportError> {
    match format {
        Format::Csv => csv(store, filter, out).await,
        Format::Json => json(store, filter, out).await,
    }
}

async fn csv(store: &Store, filter: &AuditFilter, out: impl Write) -> Result<u64, ExportError> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADING).map_err(std::io::Error::from)?;
    let count = audit::each(store, filter, |record| Ok(writer.write_record(cells(record))?)).await?;
    writer.flush()?;
    Ok(count)
}

async fn json(store: &Store, filter: &AuditFilter, out: impl Write) -> Result<u64, ExportError> {
    let mut out = BufWriter::new(out);
    let mut before = "[\n";
    let count = audit::each(store, filter, |record| {
        out.write_all(before.as_bytes())?;
        before = ",\n";
        Ok(serde_json::to_writer(&mut out, &object(record))?)
    })
    .await?;
    out.write_all(if count == 0 { b"[]\n" } else { b"\n]\n" })?;
    out.flush()?;
    Ok(count)
}

fn cells(record: &Record) -> [String; 15] {
    values(record).map(|value| match value {
        Value::Null => String::new(),
        Value::String(text) => harmless(&text),
        other => harmless(&other.to_string()),
    })
}

fn object(record: &Record) -> Value {
    HEADING.map(str::to_owned).into_iter().zip(values(record)).collect()
}

/// What stands under each of [`HEADING`].
fn values(record: &Record) -> [Value; 15] {
    let Record {
        seq,
        at,
        actor,
        door,
        place,
        action,
        environment,
        run,
        typed,
        because,
        decision,
        rule,
        result,
        detail,
    } = record;
    [
        json!(seq),
        json!(moment(*at)),
        json!(actor.id.as_str()),
        json!(actor.name),
        json!(door),
        json!(place),
        json!(action),
        json!(environment),
        json!(run.map(|run| run.0)),
        json!(typed),
        json!(because),
        json!(decision.as_str()),
        json!(rule),
        json!(result),
        json!(detail),
    ]
}

fn moment(at: Timestamp) -> String {
    Utc.timestamp_millis_opt(at.0)
        .single()
        .map_or_else(|| at.0.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A text that no spreadsheet takes for a formula: an apostrophe goes before what one could begin with, also in full width.
/// Source: OWASP, "CSV Injection".
fn harmless(text: &str) -> String {
    let first = text.chars().find(|c| *c != ' ');
    let formula =
        first.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'));
    if formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\n=1"] {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        for plain in ["", "up shop", "because = 3", "日本", "'=1"] {
            assert_eq!(harmless(plain), plain);
        }
    }
}
