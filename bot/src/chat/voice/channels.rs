//! What channels are told that is about no run: stops of everything, and what the clock does. A warning of the clock can be acted on
//! like a card, once, and stays true.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use tidegate_runner::desk::DeskError;
use tidegate_runner::desk::clock::Warned;
use tidegate_runner::desk::post::{CardRow, Post, Subject};
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::{EnvironmentName, GroupName, Timestamp};
use tidegate_runner::domain::schedule::ClockNews;
use uuid::Uuid;

use super::editing::{CARD, Stale, digest};
use super::letter::{Extras, Letter, Rendered, Rest, urgent_news};
use super::limiter::Share;
use super::press;
use super::scribe::Scribe;
use crate::cards::{self, Button, Clock};
use crate::chat::shell::local_zone;

/// What a message that is kept true tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::chat) enum About {
    /// That an environment goes down soon.
    Ahead {
        environment: EnvironmentName,
        said: ClockNews,
        /// When it was told.
        at: Timestamp,
    },
    /// That several do, in one message.
    ManyAhead {
        all: Vec<(EnvironmentName, ClockNews)>,
        /// When it was told.
        at: Timestamp,
    },
    /// What came of the environments of a channel, as the configuration calls it, that turned at one moment.
    Turn { due: Timestamp, channel: String },
}

/// For so many milliseconds after the newest it is waited for others of the same moment, and never longer than that after the first:
/// the clock refuses one after the other, which takes its time where there are many or the machine is busy.
const GATHER_MS: u64 = 2_000;
const GATHER_MAX_MS: u64 = 20_000;

/// So many environments are told together; fewer have a message each, with its buttons.
const MANY: usize = 4;

/// One of them: the message, the environment, what is told of it.
type Piece = (Uuid, EnvironmentName, ClockNews);

/// Pieces of news that are told together, by channel.
type Many = Vec<(String, Vec<Piece>)>;

/// Parts news of many environments of one channel, of one kind and about one moment, from the others. What others may still come to
/// is in neither. What was tried and given up is told for each.
fn gathered(
    all: Vec<(Uuid, News)>,
    now: Timestamp,
    channel: impl Fn(&EnvironmentName) -> Option<String>,
) -> (Many, Vec<(Uuid, News)>) {
    let mut groups: BTreeMap<(String, &'static str, Timestamp), Vec<Piece>> = BTreeMap::new();
    let mut others = Vec::new();
    for (id, news) in all {
        let key = match &news {
            News::Clock { said: ClockNews::GivenUp { .. }, .. } => None,
            News::Clock { environment, said } => channel(environment).map(|at| (at, said.kind(), said.turn().at)),
            _ => None,
        };
        match (key, news) {
            (Some(key), News::Clock { environment, said }) => {
                groups.entry(key).or_default().push((id, environment, said));
            }
            (_, news) => others.push((id, news)),
        }
    }
    let now_ms = u64::try_from(now.0).unwrap_or_default();
    let mut many = Vec::new();
    for ((channel, _, _), some) in groups {
        let told = some.iter().filter_map(|(id, _, _)| id.get_timestamp()).map(|at| at.to_unix());
        let told: Vec<u64> = told.map(|(s, nanos)| s * 1_000 + u64::from(nanos) / 1_000_000).collect();
        if more_may_come(&told, now_ms) {
            continue;
        }
        if some.len() < MANY {
            others.extend(some.into_iter().map(|(id, environment, said)| (id, News::Clock { environment, said })));
        } else {
            many.push((channel, some));
        }
    }
    // In the order in which they were stored.
    others.sort_by_key(|(id, _)| *id);
    (many, others)
}

/// Whether others may still come to news that were stored at these moments, all in milliseconds.
fn more_may_come(told: &[u64], now_ms: u64) -> bool {
    let first = told.iter().min().copied().unwrap_or_default();
    let newest = told.iter().max().copied().unwrap_or_default();
    // By a clock that was put back nothing is waited for.
    now_ms >= first && now_ms < (newest + GATHER_MS).min(first + GATHER_MAX_MS)
}

/// Whether somebody has to do something about what the clock says: it does not do what was asked of it.
pub(in crate::chat) fn is_urgent(said: &ClockNews) -> bool {
    match said {
        ClockNews::Refused { .. } | ClockNews::GivenUp { .. } => true,
        ClockNews::Ahead { .. }
        | ClockNews::Late { .. }
        | ClockNews::Missed { .. }
        | ClockNews::Swallowed { .. }
        | ClockNews::Skipped { .. }
        | ClockNews::Eve { .. }
        | ClockNews::CalledOff { .. } => false,
    }
}

/// The channel of what was made for one test, as the configuration called it.
fn channel_of_life<'n>(news: &'n News, door: &str) -> Option<&'n str> {
    match news {
        News::Life { channels, .. } => channels.get(door).map(String::as_str),
        _ => None,
    }
}

impl Scribe {
    /// What concerns everybody, once into each channel of an environment; what concerns one, into its own.
    pub(in crate::chat) async fn tell_channels(&mut self) -> Result<(), DeskError> {
        let desk = self.mouth.desk.clone();
        let all = desk.news_for_all(self.mouth.door()).await?;
        if all.is_empty() {
            return Ok(());
        }
        let (config, door) = (desk.config(), self.mouth.door());
        // What was made for one test may be gone by now.
        let departed = all.iter().filter_map(|(_, news)| channel_of_life(news, door));
        let of_all = config.environments.values().filter_map(|e| e.channel.in_chat(door));
        let named: BTreeSet<String> = of_all.chain(departed).map(str::to_owned).collect();
        let mut channels = BTreeMap::new();
        for named in named {
            match self.mouth.platform.channel(&named).await {
                Ok(Some(channel)) => {
                    channels.insert(named, channel);
                }
                // Who is not told of it there hears it elsewhere: the others do not wait for a name to be put right.
                Ok(None) => self.mouth.tell_once(&named, "channel_not_found").await,
                Err(error) => {
                    tracing::warn!(%error, channel = named, "a channel cannot be looked up now");
                    match error.code().filter(|_| !error.is_of_token()) {
                        Some(code) => self.mouth.tell_once(&named, code).await,
                        None => return Ok(()),
                    }
                }
            }
        }
        let now = desk.now().await?;
        let (many, all) =
            gathered(all, now, |name| channels.get(config.environments.get(name)?.channel.in_chat(door)?).cloned());
        for (channel, some) in many {
            let ids: Vec<Uuid> = some.iter().map(|(id, _, _)| *id).collect();
            if let [first, ..] = ids.as_slice()
                && some.iter().all(|(_, _, said)| matches!(said, ClockNews::Ahead { .. }))
            {
                let subject = Subject::Other(format!("ahead {first}"));
                let all: Vec<_> = some.into_iter().map(|(_, name, said)| (name, said)).collect();
                let (rendered, _) = self.many_ahead(&all, now, None).await?;
                self.begin(&subject, &About::ManyAhead { all, at: now }, &channel, rendered, &ids).await?;
                continue;
            }
            let told: Vec<(&EnvironmentName, &ClockNews)> = some.iter().map(|(_, name, said)| (name, said)).collect();
            let card = cards::of_many(&told, &Clock { now, zone: local_zone() });
            let platform = &self.mouth.platform;
            let card = platform.name_people(card).await;
            let mut letter = Letter::new(platform.render(&card, &Extras::default()));
            letter.urgent = some.iter().find(|(_, _, said)| is_urgent(said)).map(|(id, _, _)| urgent_news(*id));
            let post = letter.post(&channel, None);
            desk.hand_notices_to(self.mouth.door(), &ids, &[post]).await?;
        }
        for (id, news) in all {
            let of_one = match &news {
                News::Clock { environment, .. } => Some(environment),
                _ => None,
            };
            let life = channel_of_life(&news, door);
            let own = life.or_else(|| of_one.and_then(|name| config.environments.get(name)?.channel.in_chat(door)));
            if life.is_some_and(|own| !channels.contains_key(own)) {
                // Whoever made it hears it in any case.
                desk.told_otherwise(id).await?;
                continue;
            }
            if let Some(environment) = of_one
                && own.is_none_or(|own| !channels.contains_key(own))
            {
                desk.tell_each_instead(id, environment, &news).await?;
                continue;
            }
            if let News::Clock { environment, said: said @ ClockNews::Ahead { .. } } = &news
                && let Some(channel) = own.and_then(|own| channels.get(own))
            {
                let subject = Subject::Other(format!("ahead {id}"));
                let rendered = self.warning((environment, said, now), Warned::Ahead, None).await;
                let about = About::Ahead { environment: environment.clone(), said: said.clone(), at: now };
                self.begin(&subject, &about, channel, rendered, &[id]).await?;
                continue;
            }
            let clock = Clock { now, zone: local_zone().told() };
            let card = self.mouth.platform.name_people(cards::news(&news, &clock)).await;
            let mut letter = Letter::new(self.mouth.platform.render(&card, &Extras::default()));
            letter.urgent = matches!(&news, News::Clock { said, .. } if is_urgent(said)).then(|| urgent_news(id));
            let to: BTreeSet<&String> = channels
                .iter()
                .filter(|(named, _)| own.is_none_or(|own| own == named.as_str()))
                .map(|(_, id)| id)
                .collect();
            let posts: Vec<Post> = to.into_iter().map(|channel| letter.post(channel, None)).collect();
            desk.hand_notice_to(self.mouth.door(), id, &posts).await?;
        }
        Ok(())
    }

    /// Keeps messages true that are about no run, and gives those that are still to be looked at.
    pub(in crate::chat) async fn keep_others_true(&mut self) -> Result<HashSet<Subject>, DeskError> {
        let desk = self.mouth.desk.clone();
        let mut open = HashSet::new();
        for row in desk.other_cards(self.mouth.door()).await? {
            let Some(about) = row.about.as_deref().and_then(|about| serde_json::from_str::<About>(about).ok()) else {
                tracing::error!(subject = %row.subject, "what a message tells cannot be read: it stays as it is");
                desk.settle_card(self.mouth.door(), &row).await?;
                continue;
            };
            let (rendered, over) = match &about {
                About::Ahead { environment, said, at } => {
                    let came = desk.warned(environment, said.turn()).await?;
                    let rendered = self.warning((environment, said, *at), came, Some(&row)).await;
                    // Until then people may change their minds.
                    (rendered, said.turn().at <= desk.now().await?)
                }
                About::ManyAhead { all, at } => self.many_ahead(all, *at, Some(&row)).await?,
                About::Turn { due, channel } => self.together(*due, channel).await?,
            };
            self.show(row, rendered, over, &mut open).await?;
        }
        Ok(open)
    }

    /// Puts a message that is kept true into the outbox, once, in place of `notices`.
    pub(in crate::chat) async fn begin(
        &self,
        subject: &Subject,
        about: &About,
        channel: &str,
        rendered: Rendered,
        notices: &[Uuid],
    ) -> Result<(), DeskError> {
        let body = serde_json::to_string(about).unwrap_or_default();
        let shown = digest(&rendered);
        let post = Letter::new(rendered).without_file().post(channel, None);
        self.mouth.desk.begin_other(self.mouth.door(), subject, &body, (&post, &shown), notices).await
    }

    /// Has a message edited that does not show this, and settles one that is over.
    async fn show(
        &mut self,
        row: CardRow,
        rendered: Rendered,
        over: bool,
        open: &mut HashSet<Subject>,
    ) -> Result<(), DeskError> {
        let digest = digest(&rendered);
        if row.given_up || (over && row.posted.is_some() && digest == row.shown) {
            return self.mouth.desk.settle_card(self.mouth.door(), &row).await;
        }
        open.insert(row.subject.clone());
        if digest != row.shown
            && let Some(ts) = row.posted
        {
            let stale = Stale { name: CARD.to_owned(), channel: row.channel, ts, rendered, digest };
            self.edit(&row.subject, stale, if over { Share::All } else { Share::Most });
        }
        Ok(())
    }

    /// The warning before several go down, and whether nothing more comes of it. Those that are a whole group can be kept or skipped by a button;
    /// what is chosen of the menu is about one of them.
    async fn many_ahead(
        &self,
        all: &[(EnvironmentName, ClockNews)],
        at: Timestamp,
        row: Option<&CardRow>,
    ) -> Result<(Rendered, bool), DeskError> {
        let desk = &self.mouth.desk;
        let now = desk.now().await?;
        let turns: Vec<_> = all.iter().map(|(name, said)| (name, said.turn())).collect();
        let came = desk.all_warned(&turns).await?;
        let told: Vec<_> = all.iter().zip(came).map(|((name, said), came)| (name, said, came)).collect();
        let config = desk.config();
        let names: BTreeSet<&EnvironmentName> = all.iter().map(|(name, _)| name).collect();
        let whole = |group: &&GroupName| config.group(group).map(|one| &one.name).collect::<BTreeSet<_>>() == names;
        let groups = config.groups();
        let group = groups.iter().copied().find(whole);
        let mut card = cards::many_ahead(&told, group, &Clock { now: at, zone: local_zone().told() });
        if row.is_some_and(|row| press::all_used(row, press::CLOCK)) {
            card.next.retain(|line| !line.contains('@'));
        }
        let card = self.mouth.platform.name_people(card).await;
        let of_all = card.next.iter().filter(|line| line.starts_with("keep @") || line.starts_with("skip @"));
        let buttons: Vec<Button> = of_all.filter_map(|line| cards::button(line, &card.title, true)).collect();
        let pressed = row.and_then(|row| press::shown(row, None));
        let extras = Extras {
            buttons,
            version: press::CLOCK.to_owned(),
            pressed,
            rest: Rest::Typed("next".to_owned()),
            ..Extras::default()
        };
        let over = all.first().is_none_or(|(_, said)| said.turn().at <= now);
        Ok((self.mouth.platform.render(&card, &extras), over))
    }

    /// The warning before an environment goes down, with its buttons for as long as they count.
    async fn warning(
        &self,
        (environment, said, at): (&EnvironmentName, &ClockNews, Timestamp),
        came: Warned,
        row: Option<&CardRow>,
    ) -> Rendered {
        let clock = Clock { now: at, zone: local_zone().told() };
        let news = News::Clock { environment: environment.clone(), said: said.clone() };
        let over = cards::turned(environment, said.turn(), came);
        let mut card = over.unwrap_or_else(|| cards::news(&news, &clock));
        if row.is_some_and(|row| press::all_used(row, press::CLOCK)) {
            card.next.clear();
        }
        let card = self.mouth.platform.name_people(card).await;
        let buttons: Vec<Button> = if came == Warned::Ahead {
            card.next.iter().filter_map(|line| cards::button(line, &card.title, true)).collect()
        } else {
            Vec::new()
        };
        let pressed = row.and_then(|row| press::shown(row, None));
        let rest = Rest::Typed(format!("next {environment}"));
        let version = press::CLOCK.to_owned();
        self.mouth.platform.render(&card, &Extras { buttons, version, pressed, rest, ..Extras::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_of_the_same_moment_are_waited_for_as_long_as_they_come_but_not_for_ever() {
        let each_second = |count: u64| (0..count).map(|n| 100_000 + n * 1_000).collect::<Vec<_>>();
        // How many have come, one a second; how long after the first it is; whether others may come.
        for (count, after_ms, waits) in [
            (1, 0, true),
            (1, 1_999, true),
            (1, 2_000, false),
            (5, 5_999, true),
            (5, 6_000, false),
            (20, 19_999, true),
            (20, 20_000, false),
        ] {
            assert_eq!(more_may_come(&each_second(count), 100_000 + after_ms), waits, "{count} {after_ms}");
        }
        assert!(!more_may_come(&each_second(1), 99_999), "the clock was put back");
    }
}
