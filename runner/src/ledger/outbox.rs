//! Messages to send: stored in the transaction that they tell of, sent afterwards.

use std::fmt;

use uuid::Uuid;

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::ids;
use super::store::{Access, Tx, now};
use crate::domain::holds::News;
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::redact::without;

/// A message about a run that needs somebody, is over, or is unknown. Its body is `{"seq":9,"status":"failed"}`; `seq`
/// is absent where no event of the run is told.
pub const KIND_RUN: &str = "run";

/// A text for the people who look after Tidegate. Its body is `{"text":"..."}`; of what keeps a chat from being spoken in also
/// `"of":[door, place, code]`.
pub const KIND_NOTICE: &str = "notice";

/// A message in a chat; its body is in the chat's own form.
pub const KIND_POST: &str = "post";

/// News about holds, stops and free environments for a person. Its body is a [`News`].
pub const KIND_NEWS: &str = "news";

/// To whom: a chat and a person or channel in it, `shell:ito`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// The person or channel `who` of the chat `door`.
    #[must_use]
    pub fn new(door: &str, who: &str) -> Self {
        Self(format!("{door}:{who}"))
    }

    /// A person, in the chat that knows them by this id.
    #[must_use]
    pub fn of(person: &ActorId) -> Self {
        match person.as_str().split_once(':') {
            Some(("local", name)) => Self::new("shell", name),
            Some((chat, who)) => Self::new(chat, who),
            None => Self(person.as_str().to_owned()),
        }
    }

    /// The people who look after Tidegate, in a chat.
    #[must_use]
    pub fn admins(door: &str) -> Self {
        Self::of_all("admins", door)
    }

    /// The channels of all environments, in the chat that has them.
    #[must_use]
    pub fn channels(door: &str) -> Self {
        Self::of_all("channels", door)
    }

    /// Each chat hears of it by itself. The first one needed no name, and what was stored then is still read.
    fn of_all(who: &str, door: &str) -> Self {
        if door == "slack" { Self::new("tidegate", who) } else { Self::new("tidegate", &format!("{who}.{door}")) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its key.
    pub id: Uuid,
    /// To whom.
    pub address: Address,
    /// What it is about.
    pub kind: String,
    /// Which run.
    pub run: Option<RunNumber>,
    /// What it says; the form depends on the kind.
    pub body: String,
    /// When it was stored.
    pub created: Timestamp,
    /// How often sending was tried.
    pub tries: i64,
}

row! {
    struct OutboxRow {
        id: String,
        address: String,
        kind: String,
        run_number: Option<i64>,
        body: String,
        created_at: i64,
        tries: i64,
    }
}

impl TryFrom<OutboxRow> for Message {
    type Error = LedgerError;
    fn try_from(found: OutboxRow) -> Result<Self, LedgerError> {
        let row = Row { table: "outbox", id: &found.id };
        Ok(Self {
            id: Uuid::parse_str(&found.id).map_err(|why| row.impossible("id", why))?,
            address: Address(found.address),
            kind: found.kind,
            run: found.run_number.map(RunNumber),
            body: found.body,
            created: Timestamp(found.created_at),
            tries: found.tries,
        })
    }
}

/// Stores a message to be sent and gives its key.
pub async fn put(
    mut tx: &mut Tx,
    address: &Address,
    kind: &str,
    run: Option<RunNumber>,
    body: &str,
) -> Result<Uuid, LedgerError> {
    let at = now(&mut *tx).await?;
    let id = ids::key(at);
    on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO outbox (id, address, kind, run_number, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
        )
        .bind(id.to_string())
        .bind(address.as_str())
        .bind(kind)
        .bind(run.map(|run| run.0))
        .bind(storable(body))
        .bind(at.0)
    )?;
    Ok(id)
}

/// Stores a text for the people who look after Tidegate in these chats.
pub async fn put_notice(
    tx: &mut Tx,
    doors: impl IntoIterator<Item = &'static str>,
    text: &str,
) -> Result<(), LedgerError> {
    let body = serde_json::json!({ "text": text }).to_string();
    for door in doors {
        put(tx, &Address::admins(door), KIND_NOTICE, None, &body).await?;
    }
    Ok(())
}

/// Stores for the same people that a chat cannot be spoken in somewhere.
pub async fn put_trouble(
    tx: &mut Tx,
    doors: impl IntoIterator<Item = &'static str>,
    text: &str,
    of: (&str, &str, &str),
) -> Result<(), LedgerError> {
    let body = serde_json::json!({ "text": text, "of": [of.0, storable(of.1), storable(of.2)] }).to_string();
    for door in doors {
        put(tx, &Address::admins(door), KIND_NOTICE, None, &body).await?;
    }
    Ok(())
}

/// Stores news for the channels of all environments, where a chat has them.
pub async fn put_news_for_all(tx: &mut Tx, door: &str, news: &News) -> Result<Uuid, LedgerError> {
    put(tx, &Address::channels(door), KIND_NEWS, None, &to_json("body", news)?).await
}

/// Stores news for a person.
pub async fn put_news(tx: &mut Tx, to: &ActorId, news: &News) -> Result<Uuid, LedgerError> {
    let body = to_json("body", news)?;
    put(tx, &Address::of(to), KIND_NEWS, None, &body).await
}

/// The news in a message; `None` when it is of another kind.
pub fn news(message: &Message) -> Result<Option<News>, LedgerError> {
    let id = message.id.to_string();
    let row = Row { table: "outbox", id: &id };
    // A value that is secret by now may also be a name, without which nobody could be told: then it is taken out of words alone.
    let read = || {
        row.json("body", &without(message.body.clone())).or_else(|_| row.json("body", &without_in_words(&message.body)))
    };
    (message.kind == KIND_NEWS).then(read).transpose()
}

/// What people wrote, by its key in the news.
const WORDS: [&str; 6] = ["because", "reason", "text", "typed", "why", "words"];

fn without_in_words(body: &str) -> String {
    fn clean(value: &mut serde_json::Value, of_words: bool) {
        match value {
            serde_json::Value::String(text) if of_words => *text = without(std::mem::take(text)),
            serde_json::Value::Array(all) => all.iter_mut().for_each(|value| clean(value, of_words)),
            serde_json::Value::Object(all) => {
                all.iter_mut().for_each(|(key, value)| clean(value, WORDS.contains(&key.as_str())));
            }
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_str(body) else { return body.to_owned() };
    clean(&mut value, false);
    value.to_string()
}

/// Messages to this address that were not sent, oldest first.
pub async fn pending(mut db: impl Access, address: &Address) -> Result<Vec<Message>, LedgerError> {
    let rows: Vec<OutboxRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT id, address, kind, run_number, body, created_at, tries FROM outbox \
             WHERE address = $1 AND sent_at IS NULL ORDER BY created_at, id"
        )
        .bind(address.as_str())
    )?;
    rows.into_iter().map(Message::try_from).collect()
}

/// A message that is sent over a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The message.
    pub message: Message,
    /// It may have been sent already: a try began, and nobody knows how it ended.
    pub in_doubt: bool,
}

row! {
    struct PendingRow {
        id: String,
        address: String,
        kind: String,
        run_number: Option<i64>,
        body: String,
        created_at: i64,
        tries: i64,
        in_doubt: bool,
    }
}

/// Posts of a chat that were not sent, oldest first.
pub async fn posts(mut db: impl Access, door: &str) -> Result<Vec<Pending>, LedgerError> {
    let rows: Vec<PendingRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT id, address, kind, run_number, body, created_at, tries, in_doubt FROM outbox \
             WHERE address >= $1 AND address < $2 AND sent_at IS NULL AND kind = $3 ORDER BY created_at, id"
        )
        .bind(format!("{door}:"))
        .bind(format!("{door};"))
        .bind(KIND_POST)
    )?;
    rows.into_iter()
        .map(|PendingRow { id, address, kind, run_number, body, created_at, tries, in_doubt }| {
            let message = OutboxRow { id, address, kind, run_number, body, created_at, tries }.try_into()?;
            Ok(Pending { message, in_doubt })
        })
        .collect()
}

/// How many messages wait to be posted in a chat, and since when the oldest does.
pub async fn unsaid(mut db: impl Access, door: &str) -> Result<(i64, Option<Timestamp>), LedgerError> {
    let (count, oldest): (i64, Option<i64>) = on!(
        db,
        fetch_one,
        sqlx::query_as(
            "SELECT COUNT(*), MIN(created_at) FROM outbox \
             WHERE address >= $1 AND address < $2 AND sent_at IS NULL AND kind = $3"
        )
        .bind(format!("{door}:"))
        .bind(format!("{door};"))
        .bind(KIND_POST)
    )?;
    Ok((count, oldest.map(Timestamp)))
}

/// Messages of a kind for people of a chat that were not told yet, each with its person, oldest first.
pub async fn personal(mut db: impl Access, door: &str, kind: &str) -> Result<Vec<(String, Message)>, LedgerError> {
    let rows: Vec<OutboxRow> = on!(
        db,
        fetch_all,
        sqlx::query_as(
            "SELECT id, address, kind, run_number, body, created_at, tries FROM outbox \
             WHERE address >= $1 AND address < $2 AND sent_at IS NULL AND kind = $3 ORDER BY created_at, id"
        )
        .bind(format!("{door}:"))
        .bind(format!("{door};"))
        .bind(kind)
    )?;
    let mut found = Vec::new();
    for row in rows {
        let message = Message::try_from(row)?;
        let who = message.address.as_str().split_once(':').map(|(_, who)| who.to_owned());
        found.extend(who.map(|who| (who, message)));
    }
    Ok(found)
}

/// Notes, before a try, that one begins: of a message that was not sent and about which no more is known than `in_doubt`, by the
/// `holder` of the lease `name` for the next `ms` milliseconds at least. False: not so, and it must not be tried.
pub async fn begin_try(
    mut tx: &mut Tx,
    id: Uuid,
    in_doubt: bool,
    name: &str,
    holder: &str,
    ms: i64,
) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE outbox SET in_doubt = TRUE, tries = tries + 1 WHERE id = $1 AND sent_at IS NULL AND in_doubt = $2 \
             AND EXISTS (SELECT 1 FROM leases WHERE name = $3 AND holder = $4 AND until >= $5)"
        )
        .bind(id.to_string())
        .bind(in_doubt)
        .bind(name)
        .bind(holder)
        .bind(at.plus_ms(ms).0)
    )?;
    Ok(changed == 1)
}

/// Notes that a try was refused for certain.
pub async fn try_refused(mut tx: &mut Tx, id: Uuid) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE outbox SET in_doubt = FALSE WHERE id = $1 AND sent_at IS NULL").bind(id.to_string())
    )?;
    Ok(())
}

/// Notes what the chat calls a message that was sent. `kept` takes the place of what it said, where that is not to be kept.
pub async fn mark_posted(mut tx: &mut Tx, id: Uuid, posted: &str, kept: Option<&str>) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE outbox SET sent_at = $1, in_doubt = FALSE, posted = $2, body = COALESCE($4, body) \
             WHERE id = $3 AND sent_at IS NULL"
        )
        .bind(at.0)
        .bind(storable(posted))
        .bind(id.to_string())
        .bind(kept.map(storable))
    )?;
    Ok(())
}

/// Notes that a message can never be sent, and why; `kept` as with [`mark_posted`].
pub async fn give_up(mut tx: &mut Tx, id: Uuid, why: &str, kept: Option<&str>) -> Result<(), LedgerError> {
    let at = now(&mut *tx).await?;
    on!(
        tx,
        execute,
        sqlx::query(
            "UPDATE outbox SET sent_at = $1, in_doubt = FALSE, given_up = $2, body = COALESCE($4, body) \
             WHERE id = $3 AND sent_at IS NULL"
        )
        .bind(at.0)
        .bind(storable(why))
        .bind(id.to_string())
        .bind(kept.map(storable))
    )?;
    Ok(())
}

/// Notes that a message was sent. False: somebody had noted it before.
pub async fn mark_sent(mut tx: &mut Tx, id: Uuid) -> Result<bool, LedgerError> {
    let at = now(&mut *tx).await?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE outbox SET sent_at = $1, tries = tries + 1 WHERE id = $2 AND sent_at IS NULL")
            .bind(at.0)
            .bind(id.to_string())
    )?;
    Ok(changed == 1)
}
