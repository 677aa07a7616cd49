//! Entries as CSV and JSON, written as they are read.

use std::io::{BufWriter, Write};

use chrono::{SecondsFormat, TimeZone as _, Utc};
use serde_json::json;
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
    let text = |text: &Option<String>| text.as_deref().map(harmless).unwrap_or_default();
    [
        seq.to_string(),
        moment(*at),
        harmless(actor.id.as_str()),
        harmless(&actor.name),
        harmless(door),
        text(place),
        harmless(action),
        text(environment),
        run.map(|run| run.to_string()).unwrap_or_default(),
        text(typed),
        text(because),
        decision.as_str().to_owned(),
        text(rule),
        text(result),
        detail.as_ref().map(|detail| harmless(&detail.to_string())).unwrap_or_default(),
    ]
}

fn object(record: &Record) -> serde_json::Value {
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
    json!({
        "entry": seq,
        "at": moment(*at),
        "actor_id": actor.id.as_str(),
        "actor_name": actor.name,
        "door": door,
        "place": place,
        "action": action,
        "environment": environment,
        "run": run.map(|run| run.0),
        "typed": typed,
        "because": because,
        "decision": decision.as_str(),
        "rule": rule,
        "result": result,
        "detail": detail,
    })
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
