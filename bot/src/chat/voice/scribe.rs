//! Keeps the card of each run true, and the messages beside it, and puts its news into the outbox. What is told is the reporter's; here it becomes letters.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tidegate_runner::desk::post::{CardRow, Kept, NewsRow, Notice, Post};
use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::answer::{RunDetail, Trouble};
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tokio::time::Instant;

use super::editing::{CARD, Edits, Stale, digest};
use super::letter::{Extras, Letter, Rendered, Rest, Thread, urgent};
use super::limiter::Share;
use super::mouth::Mouth;
use super::platform::Platform;
use super::{logs, press};
use crate::cards::{self, Card, Clock, Part};
use crate::chat::shell::local_zone;
use crate::reporter::{self, ENDED, LOG, News, NewsPlace, Notify};

/// How often a card is edited while nothing happens but that time goes by, at most; and for each card that is followed, so that all
/// of them together stay far from a chat's limits (Slack's: 50 edits a minute).
const REDRAW: Duration = Duration::from_secs(10);
const REDRAW_EACH: Duration = Duration::from_secs(3);

/// After a channel was not found.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Follows runs. One at a time.
pub(in crate::chat) struct Scribe {
    pub(in crate::chat) mouth: Mouth,
    since: Timestamp,
    floor: RunNumber,
    pub(in crate::chat) runs: HashMap<RunNumber, Followed>,
    missing: HashMap<String, Instant>,
    pub(in crate::chat) edits: Edits,
    /// Runs told in a message about several that are over.
    pub(in crate::chat) parts: HashMap<RunNumber, Part>,
    /// Runs that cannot be read; each is told of once.
    unread: HashSet<RunNumber>,
}

pub(in crate::chat) struct Followed {
    pub(in crate::chat) detail: RunDetail,
    edited: Instant,
    /// What the card was last told to show.
    seq: i64,
}

impl Scribe {
    pub(in crate::chat) fn new(mouth: Mouth, since: Timestamp) -> Self {
        Self {
            mouth,
            since,
            floor: RunNumber(0),
            runs: HashMap::new(),
            missing: HashMap::new(),
            edits: Edits::default(),
            unread: HashSet::new(),
            parts: HashMap::new(),
        }
    }

    /// Looks at every run of which something is still to be shown or told.
    pub(in crate::chat) async fn look(&mut self) -> Result<(), DeskError> {
        let desk = self.mouth.desk.clone();
        let open = desk.open_cards(self.mouth.door(), self.since, self.floor).await?;
        self.runs.retain(|run, _| open.contains(run));
        if let Some(first) = open.first() {
            self.floor = RunNumber(first.0 - 1);
        }
        for run in open {
            if self.read(run).await && !self.gathers(run).await? {
                self.one(run).await?;
            }
        }
        self.tell_people().await?;
        self.tell_of_holds().await?;
        self.tell_channels().await?;
        let others = self.keep_others_true().await?;
        let runs = &self.runs;
        self.edits.keep(|subject| subject.run().map_or(others.contains(subject), |run| runs.contains_key(&run)));
        self.hand_over_notices().await
    }

    /// Reads what is new of a run. False: it cannot be read, which keeps no other from being told of.
    async fn read(&mut self, run: RunNumber) -> bool {
        let desk = self.mouth.desk.clone();
        let read = match self.runs.get_mut(&run) {
            Some(followed) => desk.refresh(&mut followed.detail).await.map(|_| ()),
            None => desk.show(run).await.map(|detail| {
                self.runs.insert(run, Followed { detail, edited: Instant::now(), seq: 0 });
            }),
        };
        match read {
            Ok(()) => {
                self.unread.remove(&run);
            }
            Err(error) if self.unread.insert(run) => {
                tracing::error!(%error, run = run.0, "a run cannot be read: its card stays as it is");
            }
            Err(_) => {}
        }
        !self.unread.contains(&run)
    }

    async fn one(&mut self, run: RunNumber) -> Result<(), DeskError> {
        let redraw = REDRAW.max(REDRAW_EACH.saturating_mul(u32::try_from(self.runs.len()).unwrap_or(u32::MAX)));
        let Some(followed) = self.runs.get_mut(&run) else { return Ok(()) };
        let (desk, door, platform) = (&self.mouth.desk, self.mouth.door(), &self.mouth.platform);
        let detail = &followed.detail;
        let environment = desk.config().environments.get(&detail.run.request.environment).cloned();
        let row = desk.card(self.mouth.door(), run).await?;
        let tell_unchanged = desk.config().chat.tell_unchanged(door);
        if row.is_none() && stays_untold(desk, door, detail, tell_unchanged).await? {
            return Ok(());
        }
        let channel = match (
            &row,
            environment.as_ref().and_then(|environment| environment.channel.in_chat(door)).map(str::to_owned),
        ) {
            (Some(row), _) => row.channel.clone(),
            (None, None) => return desk.no_card(self.mouth.door(), run).await,
            (None, Some(named)) => {
                if self.missing.get(&named).is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
                    return Ok(());
                }
                let Some(channel) = self.mouth.channel_called(&named).await else {
                    self.missing.insert(named, Instant::now());
                    return Ok(());
                };
                channel
            }
        };
        let clock = Clock { now: detail.now, zone: local_zone().told() };
        let mut card = platform.name_people(cards::run_card(detail, &clock)).await;
        card.next.extend(reporter::offers(detail));
        let version = reporter::version(detail);
        // What was used is neither pressed nor typed again.
        card.next.retain(|command| row.as_ref().is_none_or(|row| !press::used(row, &version, command)));
        let buttons = reporter::buttons(detail, &card);
        let pressed = row.as_ref().and_then(|row| press::shown(row, None));
        let rest = Rest::Typed(format!("show {run}"));
        let extras = Extras { buttons, version, pressed, rest, ..Extras::default() };
        let rendered = platform.render(&card, &extras);
        let digest = digest(&rendered);
        let Some(mut row) = row else {
            let letter = Letter::new(rendered).without_file();
            desk.begin_card(self.mouth.door(), run, &channel, &letter.post(&channel, Some(run)).body).await?;
            desk.card_shows(self.mouth.door(), run, &digest).await?;
            followed.seq = detail.view.seq;
            return Ok(());
        };
        let oncall = environment.map(|environment| environment.oncall).unwrap_or_default();
        let mut all_told = true;
        let all = reporter::news(detail, &clock);
        let alone = all.iter().any(|news| news.key == ENDED && news.place == NewsPlace::Channel);
        for news in all {
            // What has no card has no thread, but for the message about what failed.
            let nowhere = row.is_within() && news.place == NewsPlace::Thread && !(news.key == LOG && alone);
            let nowhere = nowhere || news.key == ENDED && reporter::ends_quietly(detail, tell_unchanged);
            if nowhere || row.told.contains(&news.key) {
                continue;
            }
            let posts = letters(&self.mouth, detail, &row, &news, &oncall).await;
            if desk.tell_news(self.mouth.door(), &row, &news.key, &posts).await? {
                row.told.push(news.key);
            } else {
                all_told = false;
                break;
            }
        }
        let ended = detail.view.state.ended();
        let (stale, all_true) = beside(&self.mouth, detail, &row, &clock).await?;
        let all_told = all_told && all_true;
        let (grown, since) = (detail.view.seq != followed.seq, followed.edited.elapsed());
        let shows = digest == row.shown && row.posted.is_some();
        let unsettled = !(shows || row.given_up || row.is_within());
        if ended && all_told && !unsettled {
            return desk.settle_card(self.mouth.door(), &row).await;
        }
        let urgent = if ended { Share::All } else { Share::Most };
        let share = match (ended, grown) {
            (true, _) | (false, true) => Some(urgent),
            (false, false) => (since >= redraw).then_some(Share::Half),
        };
        if let (Some(share), Some(ts), true) = (share, row.posted, unsettled && digest != row.shown) {
            let name = CARD.to_owned();
            if self.edit(&run.into(), Stale { name, channel: row.channel, ts, rendered, digest }, share)
                && let Some(followed) = self.runs.get_mut(&run)
            {
                followed.seq = followed.detail.view.seq;
                followed.edited = Instant::now();
            }
        }
        for message in stale {
            self.edit(&run.into(), message, urgent);
        }
        Ok(())
    }

    /// What is for one person alone: askers where no channel tells it, and people whose yes was not waited for.
    async fn tell_people(&mut self) -> Result<(), DeskError> {
        let desk = &self.mouth.desk;
        for (id, who, run) in desk.personal(self.mouth.door()).await? {
            let detail = match desk.show(run).await {
                Ok(detail) => detail,
                Err(error) => {
                    if self.unread.insert(run) {
                        tracing::error!(%error, run = run.0, "a run cannot be read: who asked is not told yet");
                    }
                    continue;
                }
            };
            let asked = self.mouth.own(&detail.run.asker.id).is_some_and(|asker| asker == who);
            let card = desk.card(self.mouth.door(), run).await?;
            // Without one of its own, its card waits for the channel that the configuration names.
            let config = desk.config();
            let named = config.environments.get(&detail.run.request.environment);
            let place = match &card {
                Some(card) => Some(card.channel.as_str()).filter(|channel| !channel.is_empty()),
                None => named.and_then(|environment| environment.channel.in_chat(self.mouth.door())),
            };
            let lost = card.as_ref().is_some_and(|card| card.given_up);
            let silent = match place {
                Some(place) => lost || self.mouth.is_troubled(place).await,
                None => true,
            };
            let quietly = reporter::ends_quietly(&detail, config.chat.tell_unchanged(self.mouth.door()));
            // Where the channel takes nothing, or is told nothing, they hear of it themselves.
            if asked && !silent && !quietly {
                // Its news in the channel mention them; whether it takes them is known once all of them are there.
                let there = card.as_ref().is_some_and(|card| card.posted.is_some() || card.is_within());
                let all = desk.posts(self.mouth.door()).await?;
                if there && all.iter().all(|pending| pending.message.run != Some(run)) {
                    desk.told_otherwise(id).await?;
                }
                continue;
            }
            let Ok(reader) = format!("{}:{who}", self.mouth.door()).parse::<ActorId>() else { continue };
            let zone = self.mouth.platform.zone_of(&who).unwrap_or_else(local_zone).told();
            let clock = Clock { now: detail.now, zone };
            let card = cards::notice_to(&detail, &clock, &reader).unwrap_or_else(|| cards::run_card(&detail, &clock));
            let card = self.mouth.platform.name_people(card).await;
            let row = desk.card(self.mouth.door(), run).await?.filter(|row| !row.channel.is_empty());
            let link = row.as_ref().map(|_| run.0);
            // A group has no conversation of its own: it is called in the run's channel, or its members are told.
            let posts = match row {
                Some(row) if self.mouth.platform.is_group(&who) => {
                    let mut letter = Letter::new(
                        self.mouth.platform.render(&card, &Extras { mention: vec![who], ..Extras::default() }),
                    );
                    letter.link = Some(run.0);
                    vec![letter.post(&row.channel, Some(run))]
                }
                Some(_) | None => {
                    let mut letter = Letter::new(self.mouth.platform.render(&card, &Extras::default()));
                    letter.link = link;
                    let Some(readers) = self.mouth.readers(&who, id).await else { continue };
                    readers.iter().map(|reader| letter.post(&self.mouth.platform.alone(reader), Some(run))).collect()
                }
            };
            desk.hand_notice_to(self.mouth.door(), id, &posts).await?;
        }
        Ok(())
    }

    /// What people are to hear of holds, stops and free environments, each in their own conversation.
    async fn tell_of_holds(&self) -> Result<(), DeskError> {
        let desk = &self.mouth.desk;
        for (id, who, news) in desk.personal_news(self.mouth.door()).await? {
            let zone = self.mouth.platform.zone_of(&who).unwrap_or_else(local_zone).told();
            let clock = Clock { now: desk.now().await?, zone };
            let card = self.mouth.platform.name_people(cards::news(&news, &clock)).await;
            let letter = Letter::new(self.mouth.platform.render(&card, &Extras::default()));
            let Some(readers) = self.mouth.readers(&who, id).await else { continue };
            let posts: Vec<Post> =
                readers.iter().map(|reader| letter.post(&self.mouth.platform.alone(reader), None)).collect();
            desk.hand_notice_to(self.mouth.door(), id, &posts).await?;
        }
        Ok(())
    }

    /// Texts for the people who look after Tidegate, into their channel.
    async fn hand_over_notices(&mut self) -> Result<(), DeskError> {
        let desk = &self.mouth.desk;
        let Some(named) = desk.config().chat.admin_channel(self.mouth.door()).map(str::to_owned) else { return Ok(()) };
        let notices = desk.notices(self.mouth.door()).await?;
        if notices.is_empty() || self.missing.get(&named).is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
            return Ok(());
        }
        let channel = match self.mouth.platform.channel(&named).await {
            Ok(Some(channel)) => channel,
            Ok(None) => {
                tracing::error!(channel = named, "the channel for those who look after Tidegate is not there");
                self.missing.insert(named, Instant::now());
                return Ok(());
            }
            Err(error) => {
                // It may well be there: what is wrong is what the chat says.
                tracing::error!(%error, channel = named, "the channel of those who look after Tidegate cannot be looked up");
                if let Some(code) = error.code().filter(|_| error.is_of_token()) {
                    self.mouth.tell_once("", code).await;
                }
                self.missing.insert(named, Instant::now());
                return Ok(());
            }
        };
        let stand = desk.troubles().await?;
        for Notice { id, text, over } in notices {
            let told = stand.iter().filter(|_| !over).find(|one| {
                let Trouble { door, place, code, since: _ } = one;
                desk.clean(&cards::cannot_speak(door, place, code)) == text
            });
            let text = if over { cards::over_by_now(&text) } else { text };
            let mut letter = Letter::new(self.mouth.platform.render(&cards::for_admins(&text), &Extras::default()));
            // Under the name that it has had so far, so that the webhook tells what is not taken here either.
            // What is over is nothing for it.
            letter.urgent = (!over).then(|| id.to_string());
            letter.trouble = told.map(|one| (one.door.clone(), one.place.clone(), one.code.clone()));
            desk.hand_notice_to(self.mouth.door(), id, &[letter.post(&channel, None)]).await?;
        }
        Ok(())
    }
}

/// Whether a run without a card gets none now. Where it never will, that is noted: its asker is told alone, as of all that no channel tells.
async fn stays_untold(
    desk: &Desk,
    door: &'static str,
    detail: &RunDetail,
    tell_unchanged: bool,
) -> Result<bool, DeskError> {
    let told = match (desk.is_quiet(detail).await?, detail.view.state.ended()) {
        (true, true) => Some(false),
        (true, false) => None,
        (false, _) => reporter::is_told(detail, tell_unchanged),
    };
    if told == Some(false) {
        desk.no_card(door, detail.run.number).await?;
    }
    Ok(told != Some(true))
}

/// New messages about a run that do not show what they should any more, and whether all of them do.
async fn beside(
    mouth: &Mouth,
    detail: &RunDetail,
    row: &CardRow,
    clock: &Clock,
) -> Result<(Vec<Stale>, bool), DeskError> {
    let (mut stale, mut all_true) = (Vec::new(), true);
    for NewsRow { news: name, channel, posted, given_up, mention, shown } in
        mouth.desk.kept_news(mouth.door(), detail.run.number).await?
    {
        let Some(card) = reporter::message(detail, &name, clock).filter(|_| !given_up) else { continue };
        let card = mouth.platform.name_people(card).await;
        let rendered = message(&*mouth.platform, detail, row, card, mention);
        let digest = digest(&rendered);
        if digest == shown {
            continue;
        }
        all_true = false;
        stale.extend(posted.map(|ts| Stale { name, channel, ts, rendered, digest }));
    }
    Ok((stale, all_true))
}

/// A message of its own about a run, with the buttons that still count.
fn message(
    platform: &dyn Platform,
    detail: &RunDetail,
    row: &CardRow,
    mut card: Card,
    mention: Vec<String>,
) -> Rendered {
    let version = reporter::version(detail);
    card.next.retain(|command| !press::used(row, &version, command));
    let buttons = reporter::buttons(detail, &card);
    let pressed = press::shown(row, Some(&version));
    // It is edited, and a file would tell what was.
    let rest = Rest::Typed(format!("show {}", detail.run.number));
    platform.render(&card, &Extras { mention, buttons, version, pressed, rest })
}

/// The messages that tell news, with what is noted of those that are kept true.
async fn letters(
    mouth: &Mouth,
    detail: &RunDetail,
    row: &CardRow,
    news: &News,
    oncall: &[ActorId],
) -> Vec<(Post, Option<Kept>)> {
    let run = detail.run.number;
    let asker = here(mouth, std::slice::from_ref(&detail.run.asker.id)).await;
    let mut mention: Vec<String> = match news.to {
        Notify::Nobody => Vec::new(),
        // Whoever asked elsewhere is told there.
        Notify::Asker if asker.is_empty() => return Vec::new(),
        Notify::AskerOrOncall if asker.is_empty() => here(mouth, oncall).await,
        Notify::Asker | Notify::AskerOrOncall => asker,
    };
    for who in here(mouth, &news.call).await {
        if !mention.contains(&who) {
            mention.push(who);
        }
    }
    let under = match news.place {
        NewsPlace::Thread => Some(Thread::Card(run.0)),
        NewsPlace::Channel => None,
    };
    let made = match &news.card {
        Some(card) => vec![(card.clone(), None)],
        None => logs::of(mouth, detail).await,
    };
    let mut posts = Vec::new();
    for (card, file) in made {
        let card = mouth.platform.name_people(card).await;
        let rendered = match under {
            Some(_) => mouth.platform.render(&card, &Extras { mention: mention.clone(), ..Extras::default() }),
            None => message(&*mouth.platform, detail, row, card, mention.clone()),
        };
        let kept = under.is_none().then(|| Kept { mention: mention.clone(), shown: digest(&rendered) });
        let mut letter = Letter::new(rendered);
        letter.thread.clone_from(&under);
        letter.link = (under.is_none() && !row.is_within()).then_some(run.0);
        letter.file = match under {
            Some(_) => file.or(letter.file),
            None => None,
        };
        letter.urgent = under.is_none().then(|| urgent(run, &news.key));
        posts.push((letter.post(&row.channel, Some(run)), kept));
    }
    posts
}

/// Those who can be called here. Whose account is deactivated cannot, and somebody should know.
async fn here(mouth: &Mouth, people: &[ActorId]) -> Vec<String> {
    let mut here = Vec::new();
    for id in people.iter().filter_map(|person| mouth.own(person)) {
        if !mouth.platform.is_group(&id) && mouth.platform.is_gone(&id).await {
            mouth.tell_once(&format!("{}:{id}", mouth.door()), "user_deactivated").await;
        } else {
            here.push(id);
        }
    }
    here
}
