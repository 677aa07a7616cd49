//! The post office: messages of chats that are answered later than they are acknowledged, and what is to be posted in them. Chats
//! keep their own form in it as text; who may do what is not decided here.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Desk, DeskError, Message};
use crate::domain::answer::Trouble;
use crate::domain::holds::News;
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::ledger::outbox::{self, Address};
use crate::ledger::{LedgerError, card_news, cards, heard, homes, inbox, leases, now, runs, troubles};
use crate::warden;

pub use crate::ledger::card_news::NewsRow;
pub use crate::ledger::cards::{CardRow, Subject};
pub use crate::ledger::inbox::{Claim, Received};
pub use crate::ledger::outbox::Pending;

/// A message to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The channel, as the chat calls it.
    pub channel: String,
    /// About which run.
    pub run: Option<RunNumber>,
    /// In the chat's own form.
    pub body: String,
}

/// What is noted of a message that is kept true after it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The chat's ids of those whom it calls.
    pub mention: Vec<String>,
    /// Digest of what it shows.
    pub shown: String,
}

/// A text for the people who look after Tidegate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its key.
    pub id: Uuid,
    /// What it says.
    pub text: String,
    /// What it says keeps a chat from being spoken in is over.
    pub over: bool,
}

impl Desk {
    /// Now, asked where nothing waits for answers that are being worked on.
    pub async fn now_soon(&self) -> Result<Timestamp, DeskError> {
        Ok(now(self.store.door()).await?)
    }

    /// Makes ready for [`Desk::receive`].
    pub async fn listens(&self) {
        self.store.open_door().await;
    }

    /// Stores a message before it is acknowledged, and claims it; [`Desk::submit`] carries it out later. `reply` says where the answer
    /// goes. Gives when it was stored; `None`: it was before.
    pub async fn receive(
        &self,
        message: &Message,
        reply: &str,
        claim: Claim<'_>,
    ) -> Result<Option<Timestamp>, DeskError> {
        let Message { key, actor, place, typed } = message;
        let typed = self.clean(typed);
        let store = async || inbox::receive(self.store.door(), key, place.door, &actor.id, &typed, reply, claim).await;
        Ok(match store().await {
            // A connection that a restarted server has ended. What was stored all the same is seen before then, and answered once this
            // claim to it is over.
            Err(LedgerError::Unreachable(_)) => store().await?,
            stored => stored?,
        })
    }

    /// Messages of a chat whose answer is not in the outbox yet and that nobody else answers, oldest first.
    pub async fn unanswered(&self, door: &str, claim: Claim<'_>) -> Result<Vec<Received>, DeskError> {
        let now = self.store.now().await?;
        Ok(inbox::untold(&self.store, door, now, claim).await?)
    }

    /// What somebody has said in a chat and nobody has carried out or answered yet, whoever is at it, oldest first.
    pub async fn not_done(&self, door: &str, who: &ActorId) -> Result<Vec<Received>, DeskError> {
        Ok(inbox::open_of(&self.store, door, who).await?)
    }

    /// Claims a received message, keeps the claim, or (with few milliseconds) puts it off. False: somebody else has it, or it is
    /// answered.
    pub async fn claim(&self, key: &str, claim: Claim<'_>) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let ours = inbox::claim(&mut tx, key, claim).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// When the newest message of a chat was stored.
    pub async fn heard_last(&self, door: &str) -> Result<Option<Timestamp>, DeskError> {
        Ok(inbox::latest(&self.store, door).await?)
    }

    /// Where the answers of the newest `most` messages of a chat went, in the chat's own form.
    pub async fn replies(&self, door: &str, most: u32) -> Result<Vec<String>, DeskError> {
        Ok(inbox::replies(&self.store, door, most.into()).await?)
    }

    /// Until when everything said in a chat was heard, by place; the empty one stands for all others.
    pub async fn heard(&self, door: &str) -> Result<Vec<(String, Timestamp)>, DeskError> {
        Ok(heard::all(&self.store, door).await?)
    }

    /// Notes until when everything said in a chat was heard, and where that is not so.
    pub async fn heard_until(
        &self,
        door: &str,
        until: Timestamp,
        behind: &[(String, Timestamp)],
    ) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        heard::set(&mut tx, door, until, behind).await?;
        Ok(tx.commit().await?)
    }

    /// Puts the answer to a received message into the outbox, once; with `undone` only to one that nobody has carried out, and
    /// that nobody can then any more. `kept` takes the place of its words, where they are not to be kept. False: not so.
    pub async fn answer(
        &self,
        door: &str,
        key: &str,
        posts: &[Post],
        undone: bool,
        kept: Option<&str>,
    ) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        if !inbox::told(&mut tx, key, undone, kept).await? {
            return Ok(false);
        }
        for post in posts {
            outbox::put(&mut tx, &Address::new(door, &post.channel), outbox::KIND_POST, post.run, &post.body).await?;
        }
        tx.commit().await?;
        self.bell.ring();
        Ok(true)
    }

    /// What is to be posted in a chat, oldest first.
    pub async fn posts(&self, door: &str) -> Result<Vec<Pending>, DeskError> {
        Ok(outbox::posts(&self.store, door).await?)
    }

    /// How many messages wait to be posted in a chat, and how long the oldest has, in milliseconds.
    pub async fn unsaid(&self, door: &str) -> Result<(u64, Option<u64>), DeskError> {
        let (count, oldest) = outbox::unsaid(&self.store, door).await?;
        let now = self.store.now().await?;
        let age = oldest.map(|at| u64::try_from(now.ms_since(at)).unwrap_or_default());
        Ok((u64::try_from(count).unwrap_or_default(), age))
    }

    /// Notes that a post is being tried, by who has the right to speak in the chat for the next `ms` milliseconds at least. False: it
    /// has somebody else, was posted, or is known to be in another doubt than `in_doubt`; then it must not be tried.
    pub async fn trying(&self, door: &str, holder: &str, id: Uuid, in_doubt: bool, ms: i64) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let ours = outbox::begin_try(&mut tx, id, in_doubt, door, holder, ms).await?;
        tx.commit().await?;
        Ok(ours)
    }

    /// Notes that a try was refused for certain.
    pub async fn refused(&self, id: Uuid) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        outbox::try_refused(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }

    /// Notes what the chat calls a message that was posted; `kept` takes the place of what it said, where that is not to be kept.
    pub async fn posted(&self, id: Uuid, posted: &str, kept: Option<&str>) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        outbox::mark_posted(&mut tx, id, posted, kept).await?;
        tx.commit().await?;
        self.bell.ring();
        Ok(())
    }

    /// Notes that a message can never be posted; `kept` as with [`Desk::posted`].
    pub async fn give_up_post(&self, id: Uuid, why: &str, kept: Option<&str>) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        outbox::give_up(&mut tx, id, why, kept).await?;
        Ok(tx.commit().await?)
    }

    /// Takes or keeps the right to speak in a chat, for `ms` milliseconds; `force` where every other holder is known to be dead.
    /// `None`: another process has it. Otherwise since when Tidegate speaks in this chat at all.
    pub async fn speak_in(
        &self,
        door: &str,
        holder: &str,
        ms: i64,
        force: bool,
    ) -> Result<Option<Timestamp>, DeskError> {
        let mut tx = self.store.begin().await?;
        let since = leases::take(&mut tx, door, holder, ms, force).await?;
        tx.commit().await?;
        Ok(since)
    }

    /// Gives the right to speak in a chat back.
    pub async fn fall_silent(&self, door: &str, holder: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        leases::release(&mut tx, door, holder).await?;
        Ok(tx.commit().await?)
    }

    /// Runs of which something is still to be shown or told in a chat: after `floor` also those, accepted since then, without a message.
    pub async fn open_cards(
        &self,
        door: &str,
        since: Timestamp,
        floor: RunNumber,
    ) -> Result<Vec<RunNumber>, DeskError> {
        Ok(cards::open(&self.store, door, since, floor).await?)
    }

    /// The message about this in a chat.
    pub async fn card(&self, door: &str, subject: impl Into<Subject>) -> Result<Option<CardRow>, DeskError> {
        Ok(cards::get(&self.store, door, &subject.into()).await?)
    }

    /// Messages of a chat that are about no run and of which something is still to be shown.
    pub async fn other_cards(&self, door: &str) -> Result<Vec<CardRow>, DeskError> {
        Ok(cards::open_others(&self.store, door).await?)
    }

    /// What this message is about.
    pub async fn subject_of(&self, door: &str, channel: &str, posted: &str) -> Result<Option<Subject>, DeskError> {
        Ok(cards::by_posted(&self.store, door, channel, posted).await?)
    }

    /// Puts the message about a run into the outbox, once.
    pub async fn begin_card(&self, door: &str, run: RunNumber, channel: &str, body: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        let id = outbox::put(&mut tx, &Address::new(door, channel), outbox::KIND_POST, Some(run), body).await?;
        if cards::begin(&mut tx, door, &run.into(), None, channel, id, false).await? {
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }

    /// Puts a message that is about no run and is kept true into the outbox, once, in place of `notices`: `about` is what it tells, and
    /// `shown` the digest of what it shows.
    pub async fn begin_other(
        &self,
        door: &str,
        subject: &Subject,
        about: &str,
        (post, shown): (&Post, &str),
        notices: &[Uuid],
    ) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        for notice in notices {
            // Another process was faster: it tells all of them.
            if !outbox::mark_sent(&mut tx, *notice).await? {
                return Ok(());
            }
        }
        let id = outbox::put(&mut tx, &Address::new(door, &post.channel), outbox::KIND_POST, None, &post.body).await?;
        if cards::begin(&mut tx, door, subject, Some(about), &post.channel, id, false).await? {
            cards::shown(&mut tx, door, subject, shown).await?;
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }

    /// Notes that a run gets no message in this chat.
    pub async fn no_card(&self, door: &str, run: RunNumber) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        cards::begin(&mut tx, door, &run.into(), None, "", Uuid::nil(), true).await?;
        Ok(tx.commit().await?)
    }

    /// Notes that a run is told in a message about several, `together`, which is to be looked at again; what is new of it alone still
    /// goes into `channel`.
    pub async fn within(&self, door: &str, run: RunNumber, channel: &str, together: &CardRow) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        let first = cards::begin(&mut tx, door, &run.into(), None, channel, Uuid::nil(), false).await?;
        if first && cards::told(&mut tx, door, &together.subject, &together.told, &format!("run {run}")).await? {
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }

    /// Notes what the message about this shows now.
    pub async fn card_shows(&self, door: &str, subject: impl Into<Subject>, digest: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        cards::shown(&mut tx, door, &subject.into(), digest).await?;
        Ok(tx.commit().await?)
    }

    /// Puts news of this into the outbox, each `key` once; with `kept` those that are kept true.
    pub async fn tell_news(
        &self,
        door: &str,
        card: &CardRow,
        key: &str,
        posts: &[(Post, Option<Kept>)],
    ) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        if !cards::told(&mut tx, door, &card.subject, &card.told, key).await? {
            return Ok(false);
        }
        for (post, kept) in posts {
            let address = Address::new(door, &post.channel);
            let id = outbox::put(&mut tx, &address, outbox::KIND_POST, post.run, &post.body).await?;
            if let (Some(Kept { mention, shown }), Some(run)) = (kept, card.subject.run()) {
                card_news::begin(&mut tx, door, run, (key, &post.channel), id, mention, shown).await?;
            }
        }
        tx.commit().await?;
        self.bell.ring();
        Ok(true)
    }

    /// The messages about a run that are kept true beside its card.
    pub async fn kept_news(&self, door: &str, run: RunNumber) -> Result<Vec<NewsRow>, DeskError> {
        Ok(card_news::of(&self.store, door, run).await?)
    }

    /// Notes what such a message shows now.
    pub async fn news_shows(&self, door: &str, run: RunNumber, news: &str, digest: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        card_news::shown(&mut tx, door, run, news, digest).await?;
        Ok(tx.commit().await?)
    }

    /// The last run that changed something on an environment, or began to.
    pub async fn changed_last(&self, environment: &EnvironmentName) -> Result<Option<RunNumber>, DeskError> {
        Ok(runs::last_change(&self.store, environment).await?.map(|run| run.number))
    }

    /// Notes that nothing more is to be shown or told of this.
    pub async fn settle_card(&self, door: &str, card: &CardRow) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        cards::settle(&mut tx, door, &card.subject, &card.told).await?;
        Ok(tx.commit().await?)
    }

    /// Texts for the people who look after Tidegate that were not told yet in a chat.
    pub async fn notices(&self, door: &str) -> Result<Vec<Notice>, DeskError> {
        let pending = outbox::pending(&self.store, &Address::admins(door)).await?;
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let stand = self.troubles().await?;
        let is_over = |of: &Value| {
            let stands = |one: &Trouble| *of == json!([one.door, one.place, one.code]);
            !of.is_null() && !stand.iter().any(stands)
        };
        let read = |message: outbox::Message| {
            let body = serde_json::from_str::<Value>(&message.body).ok()?;
            Some(Notice { id: message.id, text: body["text"].as_str()?.to_owned(), over: is_over(&body["of"]) })
        };
        Ok(pending.into_iter().filter_map(read).collect())
    }

    /// What people of a chat are to be told of runs, each to them alone: id, person, run.
    pub async fn personal(&self, door: &str) -> Result<Vec<(Uuid, String, RunNumber)>, DeskError> {
        let messages = outbox::personal(&self.store, door, outbox::KIND_RUN).await?;
        Ok(messages.into_iter().filter_map(|(who, message)| Some((message.id, who, message.run?))).collect())
    }

    /// What people of a chat are to be told of holds, stops and free environments: id, person, news.
    pub async fn personal_news(&self, door: &str) -> Result<Vec<(Uuid, String, News)>, DeskError> {
        let mut all = Vec::new();
        for (who, message) in outbox::personal(&self.store, door, outbox::KIND_NEWS).await? {
            match outbox::news(&message) {
                Ok(news) => all.extend(news.map(|news| (message.id, who, news))),
                // It must not keep others from being told.
                Err(error) => tracing::warn!(%error, "a piece of news cannot be read and is not told"),
            }
        }
        Ok(all)
    }

    /// What the channels of all environments are to be told in a chat, oldest first.
    pub async fn news_for_all(&self, door: &str) -> Result<Vec<(Uuid, News)>, DeskError> {
        let pending = outbox::pending(&self.store, &Address::channels(door)).await?;
        let mut all = Vec::new();
        for message in pending {
            match outbox::news(&message) {
                Ok(news) => all.extend(news.map(|news| (message.id, news))),
                Err(error) => tracing::warn!(%error, "a piece of news cannot be read and is not told"),
            }
        }
        Ok(all)
    }

    /// Notes that a message was told in another way.
    pub async fn told_otherwise(&self, id: Uuid) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        outbox::mark_sent(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }

    /// Puts such a text into the outbox of a chat, once, for each who should read it.
    pub async fn hand_notice_to(&self, door: &str, notice: Uuid, posts: &[Post]) -> Result<(), DeskError> {
        self.hand_notices_to(door, &[notice], posts).await
    }

    /// The same for several notices that are told together. Where one of them was told by another process, all are looked at again.
    pub async fn hand_notices_to(&self, door: &str, notices: &[Uuid], posts: &[Post]) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        for notice in notices {
            if !outbox::mark_sent(&mut tx, *notice).await? {
                return Ok(());
            }
        }
        for post in posts {
            outbox::put(&mut tx, &Address::new(door, &post.channel), outbox::KIND_POST, None, &post.body).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Tells what was meant for an environment's channel, which cannot be found, to each of those who look after it; to the admins where
    /// that is nobody.
    pub async fn tell_each_instead(
        &self,
        notice: Uuid,
        environment: &EnvironmentName,
        news: &News,
    ) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        if outbox::mark_sent(&mut tx, notice).await? {
            warden::of_clock_to_each(&mut tx, &self.config(), environment, news).await?;
            tx.commit().await?;
            self.bell.ring();
        }
        Ok(())
    }

    /// Notes what keeps a chat from being spoken in, and stores `text` for the people who look after Tidegate, once. False: it was known.
    pub async fn trouble(&self, door: &str, place: &str, code: &str, text: &str) -> Result<bool, DeskError> {
        let mut tx = self.store.begin().await?;
        let new = troubles::begin(&mut tx, door, place, code).await?;
        if new {
            let of = (door, place, code);
            outbox::put_trouble(&mut tx, self.config().chat.admin_doors(), &self.clean(text), of).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Notes that a chat can be spoken in again there.
    pub async fn trouble_over(&self, door: &str, place: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        troubles::over(&mut tx, door, place).await?;
        Ok(tx.commit().await?)
    }

    /// What keeps chats from being spoken in, oldest first.
    pub async fn troubles(&self) -> Result<Vec<Trouble>, DeskError> {
        Ok(troubles::all(&self.store).await?)
    }

    /// Notes that a chat shows an overview to this person from now on, to be kept true for `ms` milliseconds; with `keep` until when it
    /// is stays as it was, where that is known. Gives how often that was noted, by whatever process.
    pub async fn shows_overview(&self, door: &str, person: &str, ms: i64, keep: bool) -> Result<i64, DeskError> {
        let since = self.store.now().await?.plus_ms(-ms);
        let mut tx = self.store.begin().await?;
        let shown = homes::opened(&mut tx, door, person, since, keep).await?;
        tx.commit().await?;
        Ok(shown)
    }

    /// The people to whom a chat has shown its overview in the last `ms` milliseconds, each with how often that was noted.
    pub async fn overviews(&self, door: &str, ms: i64) -> Result<Vec<(String, i64)>, DeskError> {
        let since = self.store.now().await?.plus_ms(-ms);
        Ok(homes::since(&self.store, door, since).await?)
    }

    /// Stores a text for the people who look after Tidegate.
    pub async fn notify(&self, text: &str) -> Result<(), DeskError> {
        let mut tx = self.store.begin().await?;
        outbox::put_notice(&mut tx, self.config().chat.admin_doors(), &self.clean(text)).await?;
        Ok(tx.commit().await?)
    }
}
