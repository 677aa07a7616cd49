//! Entries of the audit as CSV and JSON, written as they are read.

use std::io::Write;

use chrono::{SecondsFormat, TimeZone as _, Utc};
use serde_json::{Value, json};
use tidegate_runner::domain::audit::{Format, Record};
use tidegate_runner::domain::ids::Timestamp;

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

/// A file of entries that is being written.
pub enum Sheet<W: Write> {
    /// For spreadsheets.
    Csv(Box<csv::Writer<W>>),
    /// An array of objects; whether one is in it already.
    Json(W, bool),
}

impl<W: Write> Sheet<W> {
    /// Begins one.
    pub fn begin(format: Format, out: W) -> std::io::Result<Self> {
        Ok(match format {
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(HEADING)?;
                Self::Csv(Box::new(writer))
            }
            Format::Json => Self::Json(out, false),
        })
    }

    /// Adds an entry.
    pub fn add(&mut self, record: &Record) -> std::io::Result<()> {
        match self {
            Self::Csv(writer) => Ok(writer.write_record(cells(record))?),
            Self::Json(out, begun) => {
                out.write_all(if std::mem::replace(begun, true) { b",\n" } else { b"[\n" })?;
                Ok(serde_json::to_writer(out, &object(record))?)
            }
        }
    }

    /// Ends it.
    pub fn end(self) -> std::io::Result<()> {
        match self {
            Self::Csv(mut writer) => writer.flush(),
            Self::Json(mut out, begun) => {
                out.write_all(if begun { b"\n]\n" } else { b"[]\n" })?;
                out.flush()
            }
        }
    }
}

/// The text of a file of these entries.
pub fn of(format: Format, records: &[Record]) -> std::io::Result<String> {
    let mut text = Vec::new();
    let mut sheet = Sheet::begin(format, &mut text)?;
    records.iter().try_for_each(|record| sheet.add(record))?;
    sheet.end()?;
    String::from_utf8(text).map_err(std::io::Error::other)
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
