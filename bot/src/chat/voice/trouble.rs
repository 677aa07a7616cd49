//! What keeps Tidegate from speaking or hearing: told once to the people who look after it, in `status` while it lasts, and over when it is.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use super::ear::Ear;
use super::mouth::Mouth;
use crate::cards::{HEARING, PEOPLE, cannot_speak};

/// Without any connection for so long, nothing is heard.
const DEAF: Duration = Duration::from_secs(30);

/// Between two looks whether somebody is back.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

impl Mouth {
    /// Tells the people who look after Tidegate, once for each place and reason until it is over; `status` tells it meanwhile.
    pub(in crate::chat) async fn tell_once(&self, place: &str, code: &str) {
        let place = self.named(place).await;
        let text = cannot_speak(self.door(), &place, code);
        if self.troubled().await.insert(place.clone()) {
            tracing::error!(place, code, "{text}");
        }
        if let Err(error) = self.desk.trouble(self.door(), &place, code, &text).await {
            tracing::error!(%error, "a notice cannot be stored");
        }
    }

    /// Whether a place takes nothing just now, as far as is known.
    pub(in crate::chat) async fn is_troubled(&self, place: &str) -> bool {
        let name = self.platform.name_of(place);
        self.troubled().await.contains(&name)
    }

    /// What works again is said no more.
    pub(in crate::chat) async fn works_in(&self, place: &str) {
        if !self.troubled().await.is_empty() {
            self.over(&self.named(place).await).await;
            self.over("").await;
        }
    }

    /// The channel that the configuration calls so. `None`: it is not to be had now, and where somebody has to do something about that
    /// they are told.
    pub(in crate::chat) async fn channel_called(&self, named: &str) -> Option<String> {
        match self.platform.channel(named).await {
            Ok(Some(channel)) => return Some(channel),
            Ok(None) => self.tell_once(named, "channel_not_found").await,
            Err(error) => {
                tracing::warn!(%error, channel = named, "a channel cannot be looked up now");
                if let Some(code) = error.code().filter(|_| !error.is_of_token()) {
                    self.tell_once(named, code).await;
                }
            }
        }
        None
    }

    /// What the configuration calls a place. After a start nobody has asked for its channels yet.
    async fn named(&self, place: &str) -> String {
        let name = self.platform.name_of(place);
        if name != place || !self.platform.is_channel(place) {
            return name;
        }
        let config = self.desk.config();
        let channels = config.environments.values().filter_map(|environment| environment.channel.in_chat(self.door()));
        let admins = config.chat.admin_channel(self.door());
        for named in channels.chain(admins) {
            if let Err(error) = self.platform.channel(named).await {
                tracing::warn!(%error, channel = named, "a channel cannot be looked up now");
            }
        }
        self.platform.name_of(place)
    }

    /// The trouble of this place, as it is called in the ledger, is over.
    pub(in crate::chat) async fn over(&self, place: &str) {
        if self.troubled().await.remove(place)
            && let Err(error) = self.desk.trouble_over(self.door(), place).await
        {
            tracing::error!(%error, "a trouble that is over cannot be noted");
        }
    }

    /// Somebody else speaks, and notes what they meet: it is read anew.
    pub(in crate::chat) async fn forget_troubles(&self) {
        *self.troubled.lock().await = None;
    }

    /// Whether anything is heard: without a connection for half a minute somebody should know.
    pub(in crate::chat) async fn tell_whether_heard(&self, ear: &Ear) {
        match ear.vital.deaf_for() {
            Some((time, why)) if time >= DEAF => self.tell_once(HEARING, &why).await,
            Some(_) => {}
            None => self.over(HEARING).await,
        }
    }

    /// Whether the chat tells who people are: otherwise nobody is answered, and cannot be told so either.
    pub(in crate::chat) async fn tell_whether_asked(&self, ear: &Ear) {
        match ear.asked() {
            Some(Err(code)) => self.tell_once(PEOPLE, &code).await,
            Some(Ok(())) => self.over(PEOPLE).await,
            None => {}
        }
    }

    /// Who was deactivated and is back is not told of any more.
    pub(in crate::chat) async fn look_for_people(&self) {
        {
            let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
            if looked.is_some_and(|at| at.elapsed() < LOOK_AGAIN) {
                return;
            }
            *looked = Some(Instant::now());
        }
        let prefix = format!("{}:", self.door());
        let gone: Vec<String> = self.troubled().await.iter().filter(|p| p.starts_with(&prefix)).cloned().collect();
        for place in gone {
            let Some(id) = place.strip_prefix(&prefix) else { continue };
            if self.platform.is_back(id).await {
                self.over(&place).await;
            }
        }
    }

    /// The same, as they are now.
    pub(in crate::chat) async fn troubled_places(&self) -> Vec<String> {
        self.troubled().await.iter().cloned().collect()
    }

    /// Places with a trouble; what stood before this process began is among them.
    async fn troubled(&self) -> tokio::sync::MappedMutexGuard<'_, HashSet<String>> {
        let mut troubled = self.troubled.lock().await;
        if troubled.is_none()
            && let Ok(all) = self.desk.troubles().await
        {
            *troubled = Some(all.into_iter().filter(|one| one.door == self.door()).map(|one| one.place).collect());
        }
        tokio::sync::MutexGuard::map(troubled, |known| known.get_or_insert_default())
    }
}
