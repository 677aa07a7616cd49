//! The entry about a changed configuration, with the difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use similar::TextDiff;

use super::row::Entry;
use crate::domain::answer::Actor;
use crate::domain::audit::CONFIGURE;
use crate::ledger::column::storable;
use crate::ledger::error::LedgerError;
use crate::ledger::store::{Store, Tx};
use crate::redact::without;

/// Longest difference that is kept, in characters.
const DIFFERENCE_MAX: usize = 20_000;

/// The text, without secrets, of the configuration that was last in force; `None` before the first.
pub async fn known_configuration(mut store: &Store) -> Result<Option<String>, LedgerError> {
    const TEXT: &str = "SELECT digest, text FROM audited_configuration WHERE id = 1";
    let (digest, text): (String, String) = on!(store, fetch_one, sqlx::query_as(TEXT))?;
    Ok((!digest.is_empty()).then_some(text))
}

/// Environments whose section in the known configuration has errors, each with the text, without secrets, of the last one in which it
/// may have had none: the one that was known before.
pub async fn kept_configurations(mut store: &Store) -> Result<Vec<(String, String)>, LedgerError> {
    const KEPT: &str = "SELECT environment, text FROM kept_configuration ORDER BY environment";
    Ok(on!(store, fetch_all, sqlx::query_as(KEPT))?)
}

/// Keeps `before` for environments that have errors from now on, and forgets what was kept for those that have none any more.
async fn keep(mut tx: &mut Tx, misread: &BTreeSet<&str>, before: &str) -> Result<(), LedgerError> {
    const NAMES: &str = "SELECT environment FROM kept_configuration";
    const KEEP: &str =
        "INSERT INTO kept_configuration (environment, text) VALUES ($1, $2) ON CONFLICT (environment) DO NOTHING";
    let kept: Vec<(String,)> = on!(tx, fetch_all, sqlx::query_as(NAMES))?;
    for (name,) in kept.iter().filter(|(name,)| !misread.contains(name.as_str())) {
        on!(tx, execute, sqlx::query("DELETE FROM kept_configuration WHERE environment = $1").bind(name))?;
    }
    for name in misread {
        on!(tx, execute, sqlx::query(KEEP).bind(storable(name)).bind(before))?;
    }
    Ok(())
}

/// Appends an entry when the configuration is another than the one that the audit knows, whichever process noticed first, and also
/// when it changed while no process lived. `file` is the whole text, of which only the digest is kept; `text` the same without
/// secrets; `misread` names the environments whose section in it has errors: what was known before is kept for them. True when it is
/// another.
pub async fn note_configuration(
    store: &Store,
    actor: &Actor,
    file: &str,
    text: &str,
    misread: &BTreeSet<&str>,
) -> Result<bool, LedgerError> {
    const KNOWN: &str = "SELECT digest, text FROM audited_configuration WHERE id = 1";
    let digest = hex::encode(Sha256::digest(file.as_bytes()));
    let mut db = store;
    let (known, _): (String, String) = on!(db, fetch_one, sqlx::query_as(KNOWN))?;
    if known == digest {
        return Ok(false);
    }
    let text = storable(text);
    let mut tx = store.begin().await?;
    let (known, before): (String, String) = on!(tx, fetch_one, sqlx::query_as(KNOWN))?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE audited_configuration SET digest = $1, text = $2 WHERE id = 1 AND digest = $3 AND digest <> $1"
        )
        .bind(&digest)
        .bind(&text)
        .bind(&known)
    )?;
    if changed == 0 {
        return Ok(false);
    }
    // It was kept without what was known to be secret then.
    let before = without(before);
    keep(&mut tx, misread, &before).await?;
    let mut detail = serde_json::json!({ "digest": digest });
    if known.is_empty() {
        detail["lines"] = text.lines().count().into();
    } else {
        detail["before"] = known.into();
        detail["difference"] = difference(&before, &text).into();
    }
    super::append(&mut tx, &Entry { detail: Some(&detail), ..Entry::of_tidegate(actor, CONFIGURE) }).await?;
    tx.commit().await?;
    Ok(true)
}

/// The changed lines, with one line around them. Only a secret may have changed: then there are none.
fn difference(before: &str, after: &str) -> String {
    let text = TextDiff::from_lines(before, after).unified_diff().context_radius(1).to_string();
    let mut cut: String = text.chars().take(DIFFERENCE_MAX).collect();
    if cut.len() < text.len() {
        let rest: &str = text.get(cut.len()..).unwrap_or_default();
        let (lines, characters) = (rest.lines().count(), rest.chars().count());
        let _ = write!(cut, "\n... {lines} more lines of the difference ({characters} characters) are not kept");
    }
    cut
}
