//! Messages that are kept true: the one about each run in the channel of its environment, and those about something else. Where each
//! is, and what it shows.

use std::fmt;

use uuid::Uuid;

use super::column::{Row, storable, to_json};
use super::error::LedgerError;
use super::store::{Access, Tx};
use crate::domain::ids::{RunNumber, Timestamp};

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A run.
    Run(RunNumber),
    /// Something else, by a name that never begins with `run `.
    Other(String),
}

impl Subject {
    /// The run that it is.
    #[must_use]
    pub fn run(&self) -> Option<RunNumber> {
        match self {
            Self::Run(run) => Some(*run),
            Self::Other(_) => None,
        }
    }

    fn read(text: String) -> Self {
        match text.strip_prefix("run ").and_then(|number| number.parse().ok()) {
            Some(number) => Self::Run(RunNumber(number)),
            None => Self::Other(text),
        }
    }
}

impl From<RunNumber> for Subject {
    fn from(run: RunNumber) -> Self {
        Self::Run(run)
    }
}

impl From<&Subject> for Subject {
    fn from(subject: &Subject) -> Self {
        subject.clone()
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {}", run.0),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// A message that is kept true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// What it is about.
    pub subject: Subject,
    /// Where that is no run: what it tells, in the chat's own form.
    pub about: Option<String>,
    /// The chat's id of the channel; empty where the environment has none.
    pub channel: String,
    /// The message of the outbox that posts it.
    pub message: Uuid,
    /// What the chat calls it, once it is posted.
    pub posted: Option<String>,
    /// It can never be posted.
    pub given_up: bool,
    /// Digest of what it shows; empty before it was edited first.
    pub shown: String,
    /// Which news of it were put into the outbox, and what was pressed.
    pub told: Vec<String>,
    /// It shows the end, and nothing more is to be told.
    pub settled: bool,
}

row! {
    struct Found {
        subject: String,
        about: Option<String>,
        channel: String,
        message: String,
        posted: Option<String>,
        given_up: bool,
        shown: String,
        told: String,
        settled: bool,
    }
}

impl CardRow {
    /// The run has no message of its own: one about several tells it.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.message.is_nil() && !self.channel.is_empty()
    }
}

impl TryFrom<Found> for CardRow {
    type Error = LedgerError;
    fn try_from(found: Found) -> Result<Self, LedgerError> {
        let row = Row { table: "cards", id: &found.subject };
        Ok(Self {
            channel: found.channel,
            message: Uuid::parse_str(&found.message).map_err(|why| row.impossible("message", why))?,
            posted: found.posted,
            given_up: found.given_up,
            shown: found.shown,
            told: row.json("told", &found.told)?,
            settled: found.settled,
            about: found.about,
            subject: Subject::read(found.subject),
        })
    }
}

macro_rules! select_cards {
    ($rest:literal) => {
        concat!(
            "SELECT c.subject, c.about, c.channel, c.message, o.posted, o.given_up IS NOT NULL AS given_up, c.shown, c.told, \
             c.settled FROM cards c LEFT JOIN outbox o ON o.id = c.message ",
            $rest
        )
    };
}

/// The message about this in this chat.
pub async fn get(mut db: impl Access, door: &str, subject: &Subject) -> Result<Option<CardRow>, LedgerError> {
    let found: Option<Found> = on!(
        db,
        fetch_optional,
        sqlx::query_as(select_cards!("WHERE c.door = $1 AND c.subject = $2")).bind(door).bind(subject.to_string())
    )?;
    found.map(CardRow::try_from).transpose()
}

/// Messages of this chat that are about no run and not settled, in the order of their names.
pub async fn open_others(mut db: impl Access, door: &str) -> Result<Vec<CardRow>, LedgerError> {
    let found: Vec<Found> = on!(
        db,
        fetch_all,
        sqlx::query_as(select_cards!(
            "WHERE c.door = $1 AND NOT c.settled AND c.run_number IS NULL ORDER BY c.subject"
        ))
        .bind(door)
    )?;
    found.into_iter().map(CardRow::try_from).collect()
}

/// What this message is about: itself, or the run that it is kept true beside.
pub async fn by_posted(
    mut db: impl Access,
    door: &str,
    channel: &str,
    posted: &str,
) -> Result<Option<Subject>, LedgerError> {
    let found: Option<String> = on!(
        db,
        fetch_optional,
        sqlx::query_scalar(
            "SELECT c.subject FROM outbox o JOIN cards c ON c.message = o.id \
             WHERE o.address = $1 AND o.posted = $2 AND c.door = $3 \
             UNION SELECT 'run ' || n.run_number FROM outbox o JOIN card_news n ON n.message = o.id \
             WHERE o.address = $1 AND o.posted = $2 AND n.door = $3"
        )
        .bind(format!("{door}:{channel}"))
        .bind(storable(posted))
        .bind(door)
    )?;
    Ok(found.map(Subject::read))
}

/// Runs whose message is not settled, and those after `floor`, accepted at `since` or later, that have none, in order.
pub async fn open(
    mut db: impl Access,
    door: &str,
    since: Timestamp,
    floor: RunNumber,
) -> Result<Vec<RunNumber>, LedgerError> {
    let rows: Vec<i64> = on!(
        db,
        fetch_all,
        sqlx::query_scalar(
            "SELECT r.number AS number FROM runs r WHERE r.number > $2 AND r.accepted_at >= $3 \
             AND NOT EXISTS (SELECT 1 FROM cards c WHERE c.door = $1 AND c.run_number = r.number) \
             UNION SELECT c.run_number AS number FROM cards c WHERE c.door = $1 AND NOT c.settled \
             AND c.run_number IS NOT NULL ORDER BY number"
        )
        .bind(door)
        .bind(floor.0)
        .bind(since.0)
    )?;
    Ok(rows.into_iter().map(RunNumber).collect())
}

/// Notes that this has its message, which `message` of the outbox posts. False: it had one already.
pub async fn begin(
    mut tx: &mut Tx,
    door: &str,
    subject: &Subject,
    about: Option<&str>,
    channel: &str,
    message: Uuid,
    settled: bool,
) -> Result<bool, LedgerError> {
    let stored = on!(
        tx,
        execute,
        sqlx::query(
            "INSERT INTO cards (door, subject, run_number, about, channel, message, settled) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (door, subject) DO NOTHING"
        )
        .bind(door)
        .bind(subject.to_string())
        .bind(subject.run().map(|run| run.0))
        .bind(about.map(storable))
        .bind(channel)
        .bind(message.to_string())
        .bind(settled)
    )?;
    Ok(stored == 1)
}

/// Notes what the message shows now.
pub async fn shown(mut tx: &mut Tx, door: &str, subject: &Subject, digest: &str) -> Result<(), LedgerError> {
    on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET shown = $1 WHERE door = $2 AND subject = $3")
            .bind(digest)
            .bind(door)
            .bind(subject.to_string())
    )?;
    Ok(())
}

/// Notes that further news of this are in the outbox, and that its message is to be looked at again; `before` is what was told until
/// now. False: somebody else was faster.
pub async fn told(
    mut tx: &mut Tx,
    door: &str,
    subject: &Subject,
    before: &[String],
    news: &str,
) -> Result<bool, LedgerError> {
    let old = to_json("told", &before)?;
    let mut all = before.to_vec();
    all.push(news.to_owned());
    let new = to_json("told", &all)?;
    let changed = on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET told = $1, settled = FALSE WHERE door = $2 AND subject = $3 AND told = $4")
            .bind(&new)
            .bind(door)
            .bind(subject.to_string())
            .bind(&old)
    )?;
    Ok(changed == 1)
}

/// Notes that nothing more is to be shown or told of this, unless something was told since `told`.
pub async fn settle(mut tx: &mut Tx, door: &str, subject: &Subject, told: &[String]) -> Result<(), LedgerError> {
    let told = to_json("told", &told)?;
    on!(
        tx,
        execute,
        sqlx::query("UPDATE cards SET settled = TRUE WHERE door = $1 AND subject = $2 AND told = $3")
            .bind(door)
            .bind(subject.to_string())
            .bind(&told)
    )?;
    Ok(())
}
