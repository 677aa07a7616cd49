//! Names in the place of ids: of people, groups and channels, in whatever card is shown.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::DOOR;
use super::workspace::Workspace;
use crate::cards::Card;
use crate::chat::voice::names;

/// For how long a name is shown without asking again.
const NAMED: Duration = Duration::from_hours(1);

/// After somebody's name could not be asked.
const UNNAMED: Duration = Duration::from_secs(30);

impl Workspace {
    /// The name of somebody, if it can be had soon. Never waits long: a card is shown without a name rather than not at all.
    async fn name_soon(self: &Arc<Self>, id: &str) -> Option<String> {
        if let Some(person) = self.memory.person(id, NAMED) {
            return Some(person.name);
        }
        {
            let mut unnamed = self.unnamed.lock().unwrap_or_else(PoisonError::into_inner);
            unnamed.retain(|_, at| at.elapsed() < UNNAMED);
            if unnamed.contains_key(id) {
                return None;
            }
            // Until the answer is there nobody else asks.
            unnamed.insert(id.to_owned(), Instant::now());
        }
        let (workspace, id) = (Arc::clone(self), id.to_owned());
        let asked = tokio::spawn(async move {
            let person = workspace.person(&id).await.ok()?;
            workspace.unnamed.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            Some(person.name)
        });
        tokio::time::timeout(names::WAIT, asked).await.ok()?.ok()?
    }

    /// The card with names in place of the ids of people, groups and channels. Plain names: nobody is notified by them. Commands
    /// keep the ids, by which they are understood.
    pub(super) async fn name_people(self: &Arc<Self>, mut card: Card) -> Card {
        if names::texts(&card).any(|text| text.contains("slack:C")) {
            // What it is called is worth a moment, and no more.
            let _: Result<(), _> = tokio::time::timeout(names::WAIT, self.learn_channels()).await;
        }
        let mut called = self.names_of_places();
        let mut asked = tokio::task::JoinSet::new();
        for id in names::ids(&card, is_person) {
            let workspace = Arc::clone(self);
            asked.spawn(async move { (workspace.name_soon(&id).await, id) });
        }
        while let Some(named) = asked.join_next().await {
            if let Ok((Some(name), id)) = named {
                called.insert(id, format!("@{name}"));
            }
        }
        names::put(&mut card, DOOR, &called, |id| id.starts_with(['U', 'W']));
        card
    }

    /// Learns what channels are called that nobody has looked for.
    async fn learn_channels(&self) {
        match self.list("true").await {
            Ok(all) => self.memory.learn(all),
            Err(error) => tracing::debug!(%error, "what channels are called is not known"),
        }
    }

    /// Names of groups and channels by id, as far as they are known.
    fn names_of_places(&self) -> HashMap<String, String> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let groups = groups.1.iter().filter(|(_, group)| !group.handle.is_empty());
        let mut names: HashMap<_, _> = groups.map(|(id, group)| (id.clone(), format!("@{}", group.handle))).collect();
        names.extend(self.memory.all_called());
        names
    }
}

/// Whether a word looks like the id of a person.
fn is_person(word: &str) -> bool {
    word.starts_with(['U', 'W'])
        && word.len() > 2
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && word.chars().any(|c| c.is_ascii_digit())
}
