//! Whether the channels that the configuration names are there, are called so, and let Tidegate in: looked at before anything is to be
//! said in them, so that those who look after Tidegate are not told of it by what nobody read.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tidegate_runner::domain::answer::Trouble;
use tokio::time::Instant;

use super::ear::Ear;
use super::failure::ApiError;
use super::mouth::Mouth;
use crate::cards::NAME_OF;

/// Between two looks at one channel that nothing was heard of. One channel is looked at after the other, far from any chat's limits.
const EACH: Duration = Duration::from_mins(1);

/// What a look finds wrong, and so when it is over; other troubles of a channel are those of what is said in it.
const FOUND: [&str; 5] = ["channel_not_found", "is_archived", "not_in_channel", "missing_access", "missing_scope"];

/// How it is with a channel that the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) enum Whereabouts {
    /// It is there and called so, and the bot is in it.
    There,
    /// The same, and it has another name by now, with its `#`.
    Renamed(String),
    /// Nothing can be said there, in the chat's word for it.
    Refused(&'static str),
}

impl Whereabouts {
    /// What a refusal to tell of a channel says of it.
    ///
    /// # Errors
    /// When it says nothing of the channel.
    pub(in crate::chat) fn refused(error: ApiError) -> Result<Self, ApiError> {
        let found = FOUND.into_iter().find(|code| error.code() == Some(*code));
        found.map(Self::Refused).ok_or(error)
    }
}

/// Looks at one channel after the other.
#[derive(Default)]
pub(in crate::chat) struct Rounds {
    /// When each was looked at, and what was found.
    looked: HashMap<String, (Instant, Option<Whereabouts>)>,
}

impl Rounds {
    /// Looks at the channel whose turn it is, if it is any's: first those that something was heard of.
    pub(in crate::chat) async fn look(&mut self, mouth: &Mouth, ear: &Ear) {
        let named = mouth.named_channels();
        self.looked.retain(|name, _| named.contains(name));
        mouth.leave_unnamed(&named).await;
        for moved in ear.take_moved() {
            let name = mouth.platform.name_of(&moved);
            // What is not where it was may be just this one, under its name again.
            self.looked.retain(|of, (_, found)| *of != name && *of != moved && *found == Some(Whereabouts::There));
        }
        let now = Instant::now();
        let at = |name: &String| self.looked.get(name).map(|(at, _)| *at);
        let due = named.iter().filter(|name| at(name).is_none_or(|at| now.duration_since(at) >= EACH));
        let Some(name) = due.min_by_key(|name| at(name)) else { return };
        let before = self.looked.get(name).and_then(|(_, found)| found.clone());
        let found = match mouth.platform.whereabouts(name).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::debug!(%error, channel = name, "how it is with a channel is not told now");
                before.clone()
            }
        };
        if let Some(found) = found.as_ref().filter(|found| before.as_ref() != Some(*found)) {
            mouth.note_whereabouts(name, found).await;
        }
        self.looked.insert(name.clone(), (now, found));
    }
}

impl Mouth {
    /// The channels that the configuration names here.
    fn named_channels(&self) -> BTreeSet<String> {
        let config = self.desk.config();
        let channels = config.all_known().filter_map(|environment| environment.channel.in_chat(self.door()));
        channels.chain(config.chat.admin_channel(self.door())).map(str::to_owned).collect()
    }

    /// What is not named any more is no trouble.
    async fn leave_unnamed(&self, named: &BTreeSet<String>) {
        let is_channel = |place: &str| place.starts_with('#');
        let of = |place: &String| place.strip_prefix(NAME_OF).unwrap_or(place).to_owned();
        let left = self.troubled_places().await.into_iter().filter(|place| is_channel(&of(place)));
        for place in left.filter(|place| !named.contains(&of(place))) {
            self.over(&place).await;
        }
    }

    /// Tells what was found, where it is not known.
    async fn note_whereabouts(&self, named: &str, found: &Whereabouts) {
        let name = format!("{NAME_OF}{named}");
        match found {
            Whereabouts::There => {
                self.over(&name).await;
                self.is_back(named).await;
            }
            Whereabouts::Renamed(now) => {
                self.is_back(named).await;
                self.tell_once(&name, now).await;
            }
            Whereabouts::Refused(code) => {
                self.over(&name).await;
                // What is said in it may have been refused in other words, which are told; and who may not look at a channel that is
                // named by its id may be heard in it.
                let unseen = *code == "missing_scope" && !named.starts_with('#');
                if !unseen && !self.is_troubled(named).await {
                    self.tell_once(named, code).await;
                }
            }
        }
    }

    /// A channel lets Tidegate in: what waits for that is said at once.
    async fn is_back(&self, named: &str) {
        if !self.is_troubled(named).await {
            return;
        }
        let troubles = match self.desk.troubles().await {
            Ok(troubles) => troubles,
            Err(error) => return tracing::error!(%error, "what keeps a chat from being spoken in cannot be read"),
        };
        let here = |one: &&Trouble| one.door == self.door() && one.place == named;
        if !troubles.iter().find(here).is_some_and(|one| FOUND.contains(&one.code.as_str())) {
            return;
        }
        self.over(named).await;
        if let Ok(Some(channel)) = self.platform.channel(named).await {
            self.works(&channel);
        }
    }
}
