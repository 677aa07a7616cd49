//! What is answered to what came in: once, by one process at a time, with what was truly done, also when whoever did it died before
//! it could say so.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_runner::desk::post::Post;
use tidegate_runner::desk::{DeskError, Message};
use tidegate_runner::domain::answer::{Actor, ActorKind};
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::run::{Outcome, RunState};

use super::ear::{CLAIM_MS, Ear, Heard};
use super::letter::Letter;
use super::members;
use super::origin::{How, Origin, Said};
use super::platform::{Call, Means, Page, Unheard};
use super::press::{Came, Press};
use super::stands::Stands;
use super::text::{TYPED_MAX, cut_between_words, too_long};
use crate::cards;
use crate::commands;
use crate::conversation::{self, Attachment, Hope, Verdict};

/// What is older is not carried out by itself any more, in milliseconds.
pub(super) const LATE_MS: i64 = 5 * 60_000;

/// When the claim to a message is renewed while it is being answered.
const RENEW: Duration = Duration::from_secs(10);

/// How long it is waited for that a run begins before others may answer, and between two looks.
const PATIENCE: Duration = Duration::from_mins(10);
const LOOK: Duration = Duration::from_millis(500);

/// After so many milliseconds what cannot be answered now is tried again.
const LATER_MS: i64 = 5_000;

/// For so many milliseconds a press waits until it is noted which card it is on, or what came of the one before it.
const EARLY_MS: i64 = 30_000;

impl Ear {
    /// Begins to answer what a crash, or a chat that did not tell who somebody is, left: what was said in one place in the order in
    /// which it was said.
    pub(in crate::chat) async fn sweep(&self) {
        let (left, now) = match (self.desk.unanswered(self.door(), self.claim(CLAIM_MS)).await, self.desk.now().await) {
            (Ok(left), Ok(now)) => (left, now),
            (Err(error), _) | (_, Err(error)) => return tracing::error!(%error, "the inbox cannot be read"),
        };
        let mut places: HashMap<String, Vec<Heard>> = HashMap::new();
        for received in left {
            let ago = now.ms_since(received.message.at);
            if !Self::can_be_answered(&received) {
                tracing::error!(key = received.message.key, "a received message has no place for its answer: given up");
                self.put(&received.message.key, &received.message.body, &[], false).await;
                continue;
            }
            let Some(heard) = self.found(received, ago) else { continue };
            // It waits for a plan or a yes, perhaps long, and nothing said elsewhere waits for it.
            let alone = matches!(heard.origin.how, How::Form(_) | How::After { .. }).then(|| heard.message.key.clone());
            places.entry(alone.unwrap_or_else(|| heard.origin.channel.clone())).or_default().push(heard);
        }
        for mut all in places.into_values() {
            let ear = self.clone();
            tokio::spawn(async move {
                for heard in &mut all {
                    match ear.desk.claim(&heard.message.key, ear.claim(CLAIM_MS)).await {
                        Ok(true) => ear.answer(heard).await,
                        Ok(false) => {}
                        Err(error) => tracing::error!(%error, "a message cannot be claimed"),
                    }
                }
            });
        }
    }

    /// Answers a message that is claimed, and keeps the claim meanwhile.
    pub(in crate::chat) async fn answer(&self, heard: &mut Heard) {
        let (key, before) = (heard.message.key.clone(), std::mem::take(&mut heard.before));
        let mut work = Box::pin(async {
            if self.is_turn(heard, before).await {
                self.answer_now(heard).await;
            } else {
                self.put_off(&heard.message.key).await;
            }
        });
        loop {
            tokio::select! {
                () = &mut work => return,
                () = tokio::time::sleep(RENEW) => {
                    if let Err(error) = self.desk.claim(&key, self.claim(CLAIM_MS)).await {
                        tracing::warn!(%error, "the claim to a message is not renewed");
                    }
                }
            }
        }
    }

    async fn answer_now(&self, heard: &mut Heard) {
        let Heard { message, origin, age_ms, answered, .. } = heard;
        let asker = match self.platform.asker(origin).await {
            Ok(asker) => asker,
            Err(error) if error.code().is_some_and(|code| self.platform.means(Call::Person, code) == Means::Never) => {
                tracing::warn!(%error, user = origin.user, "nobody is there to be answered");
                return self.put(&message.key, &message.typed, &[], false).await;
            }
            Err(error) => {
                tracing::warn!(%error, user = origin.user, "who that is cannot be asked now: answered later");
                if let Some(code) = error.code().filter(|code| self.platform.means(Call::Person, code) == Means::Mend) {
                    self.note_asked(Err(code.to_owned()));
                }
                return self.put_off(&message.key).await;
            }
        };
        self.note_asked(Ok(()));
        if !message.place.direct {
            message.place.direct = self.platform.is_direct(origin).await;
        }
        match asker {
            Err(Unheard::Bot) => return self.put(&message.key, &message.typed, &[], false).await,
            Err(Unheard::Gone) if *answered => {}
            Err(Unheard::Gone) => return self.turn_away(message, origin, "gone", &cards::deactivated(), true).await,
            // Whoever has a person's token is not that person; and two programs that nobody named could talk for ever.
            Ok(actor) if (actor.kind == ActorKind::Bot && !self.desk.names(&actor.id)) || strange(&actor, origin) => {
                return self.put(&message.key, &message.typed, &[], false).await;
            }
            Ok(actor) => message.actor = actor,
        }
        let stored_ms = *age_ms;
        let age_ms = self.age(origin, stored_ms).await;
        if let How::After { run } = &origin.how {
            match self.has_begun(RunNumber(*run)).await {
                Some(true) => {}
                Some(false) => return self.put(&message.key, &message.typed, &[], true).await,
                None => return self.put_off(&message.key).await,
            }
        } else if age_ms > LATE_MS && !*answered {
            let card = cards::late(&commands::without_code(&message.typed), age_ms / 60_000);
            // A process that died may have taken it.
            if let Err(error) = self.free_button(&message.key, &message.typed, origin).await {
                tracing::error!(%error, "whether a button is free again cannot be noted: answered later");
                return self.put_off(&message.key).await;
            }
            return self.turn_away(message, origin, "late", &card, true).await;
        }
        if let Some(length) = too_long(&message.typed).filter(|_| !*answered) {
            let card = cards::too_long(&commands::words(&commands::without_code(&message.typed)), length, TYPED_MAX);
            // The audit need not have all of it either.
            message.typed = cut_between_words(&message.typed, TYPED_MAX);
            return self.turn_away(message, origin, "too_long", &card, true).await;
        }
        match self.stands(origin, &message.typed, stored_ms, age_ms).await {
            _ if *answered => {}
            Some(Stands::Yes) => {}
            Some(Stands::Edited) => {
                return self
                    .turn_away(
                        message,
                        origin,
                        "edited",
                        &cards::edited(&commands::without_code(&message.typed)),
                        false,
                    )
                    .await;
            }
            Some(Stands::Deleted) => {
                // What is not there has no thread, and what was taken back is nobody else's business.
                let aside = Origin { thread: None, how: How::Command, ..origin.clone() };
                let private = !message.place.direct;
                if self.forget_read_codes(message, origin).await.is_none() {
                    return self.put_off(&message.key).await;
                }
                return self.turn_away(message, &aside, "deleted", &cards::deleted(), private).await;
            }
            Some(Stands::Unknown) => {
                let card = cards::not_looked_up(self.door(), &commands::without_code(&message.typed));
                return self.turn_away(message, origin, "unread", &card, false).await;
            }
            None => return self.put_off(&message.key).await,
        }
        let mut after = None;
        let posts = match &origin.how {
            How::Form(draft) => Some(self.preview(message, origin, draft).await),
            _ => Box::pin(self.carry_out(message, origin, stored_ms, &mut after)).await,
        };
        let Some(posts) = posts else { return self.put_off(&message.key).await };
        self.put(&message.key, &message.typed, &posts, false).await;
        self.platform.answered(self, origin).await;
        if let Some(mut after) = after {
            // What follows is followed by nothing: this goes no deeper.
            Box::pin(self.answer(&mut after)).await;
        }
    }

    /// Tells somebody that what they said is not done, and why; the audit has it like every other refusal.
    async fn turn_away(&self, message: &Message, origin: &Origin, rule: &str, card: &cards::Card, private: bool) {
        let zone = self.zone_of(&origin.user);
        if self.forget_read_codes(message, origin).await.is_none() {
            return self.put_off(&message.key).await;
        }
        match conversation::turned_away(&self.desk, message, zone, rule, card).await {
            Ok(()) => {
                let posts = match &origin.how {
                    // The form says that it is planned.
                    How::Form(draft) => {
                        self.turned(draft, origin, Page { card, whole: &message.typed, last: None }).await
                    }
                    _ => vec![self.said_to(card, origin, private)],
                };
                self.put(&message.key, &message.typed, &posts, false).await;
            }
            // Somebody else has carried it out in the meantime, and tells so.
            Err(DeskError::Repeated | DeskError::Refused(_)) => {}
            Err(error) => {
                tracing::error!(%error, "a refusal is not in the audit: answered later");
                self.put_off(&message.key).await;
            }
        }
    }

    /// A code that others have read is nobody's any more, whatever stands around it. True where there was one; `None`: try again later.
    async fn forget_read_codes(&self, message: &Message, origin: &Origin) -> Option<bool> {
        if !is_public(message, origin) {
            return Some(false);
        }
        match self.desk.forget_codes(&commands::words(&message.typed)).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::error!(%error, "a code that others have read is not taken away: tried again later");
                None
            }
        }
    }

    /// How long ago something was said, in milliseconds, by the chat's own time; where it has none, since it was stored.
    async fn age(&self, origin: &Origin, stored_ms: i64) -> i64 {
        match (origin.at, self.desk.now().await) {
            (Some(at), Ok(now)) => now.ms_since(at),
            (_, _) => stored_ms,
        }
    }

    /// Stores what is said after something was accepted, as a message of its own.
    async fn say_after(&self, key: &str, origin: &Origin, run: RunNumber) -> Option<Heard> {
        let How::Last { keep: Some(typed) } = &origin.how else { return None };
        let reply = Origin { how: How::After { run: run.0 }, awaited: false, ..origin.clone() };
        match self.keep(Said { key: format!("{key}:keep"), typed: typed.clone(), reply }).await {
            Ok(heard) => heard,
            Err(error) => {
                tracing::error!(%error, "what was to be said after something cannot be stored");
                None
            }
        }
    }

    /// Waits until a run changes something or is over, and gives whether it came to what it was for. `None`: not known yet.
    async fn has_begun(&self, run: RunNumber) -> Option<bool> {
        let since = tokio::time::Instant::now();
        while since.elapsed() < PATIENCE {
            match self.desk.show(run).await.map(|detail| detail.view.state) {
                Ok(RunState::Applying { .. } | RunState::Verifying { .. } | RunState::Unknown { .. }) => {
                    return Some(true);
                }
                Ok(RunState::Ended { outcome }) => {
                    let there = matches!(outcome, Outcome::Succeeded | Outcome::NothingToDo | Outcome::Partial);
                    return Some(there);
                }
                Ok(RunState::Queued { .. } | RunState::Planning { .. } | RunState::AwaitingApproval { .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, run = run.0, "whether a run has begun cannot be read");
                    return None;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    /// Carries a command out and gives what is said of it. `None`: not yet.
    async fn carry_out(
        &self,
        message: &Message,
        origin: &Origin,
        age_ms: i64,
        after: &mut Option<Heard>,
    ) -> Option<Vec<Post>> {
        let here = self.about_its_thread(message, origin).await;
        let message = here.as_ref().unwrap_or(message);
        let press = match self.take_button(&message.key, &message.typed, origin).await {
            Ok(Press::Again) => return Some(Vec::new()),
            Ok(Press::Early | Press::Undecided(_)) if age_ms < EARLY_MS => return None,
            Ok(Press::Dead(card) | Press::Undecided(card)) => return Some(vec![self.said_to(&card, origin, true)]),
            Ok(press) => press,
            Err(error) => return Some(vec![self.said_to(&conversation::fault(&self.desk, &error).card, origin, true)]),
        };
        if matches!(origin.how, How::Mention | How::Direct | How::Command) && cards::is_thanks(&message.typed) {
            return Some(vec![self.said_to(&cards::welcome(), origin, true)]);
        }
        // Who is in a group only the chat knows. An order is told as it was typed.
        let zone = self.zone_of(&origin.user);
        let asks = !self.is_order(&message.typed, zone).await;
        let of_members = if asks { members::by(&*self.platform, &message.typed).await } else { None };
        let expanded = of_members.map(|typed| Message { typed, ..message.clone() });
        let message = expanded.as_ref().unwrap_or(message);
        let read_by_all = self.forget_read_codes(message, origin).await?;
        if read_by_all || (is_public(message, origin) && commands::is_for_a_code(&message.typed)) {
            let refusal = not_in_public();
            let kept = Message { typed: commands::without_code(&message.typed), ..message.clone() };
            let noted = self.desk.note_refused(&kept, Some(CommandName::Link), None, "public", &refusal).await;
            return Some(self.refused(noted, refusal, origin).await);
        }
        if let Some(refusal) = members::left_in(&self.desk, &*self.platform, message).await {
            let noted = conversation::refuse(&self.desk, message, zone, "hold", &refusal).await;
            return Some(self.refused(noted, refusal, origin).await);
        }
        let reply = conversation::reply(&self.desk, message, zone).await;
        if reply.verdict == Verdict::Repeated {
            // Whoever carried it out has told so, or a card does; it is not for us to say anything of it, nor of its button, unless they
            // died before they noted that others are to press it, too.
            if let Press::Ours(pressed) = press
                && let Err(error) = self.note_counted(&pressed, message, origin).await
            {
                tracing::warn!(%error, "whether a press counts is not noted on its card");
            }
            return Some(Vec::new());
        }
        let card = self.platform.name_people(reply.card.clone()).await;
        let done = reply.verdict == Verdict::Done;
        let run = reply.follow.map(|(run, _)| run).or(reply.settled);
        if let Some(run) = run.filter(|_| done && reply.queued) {
            *after = self.say_after(&message.key, origin, run).await;
        }
        if let Press::Ours(pressed) = press {
            // The card itself says who pressed, and what came of it; what is about no run says of one what it is.
            let silent = pressed.run().is_some() && run.is_some();
            let came = (!silent).then_some(reply.card.title.as_str());
            let who = message.actor.name.as_str();
            let came = match reply.follow {
                _ if !done => Came::Nothing,
                Some((_, Hope::Heard)) => Came::Counts(who),
                Some(_) | None => Came::Done(who, came),
            };
            self.note_press(&pressed, &message.key, origin, came).await;
            if done && run.is_some() && !reply.queued {
                return Some(Vec::new());
            }
        }
        if let Some(Attachment { name, text }) = reply.file {
            let mut letter = Letter::answer(&*self.platform, &card, origin, self.platform.has_files_alone());
            letter.file = Some((name, text));
            return Some(vec![letter.post(&origin.channel, None)]);
        }
        let home = match run.filter(|_| reply.queued) {
            Some(run) => self.channel_of(run).await,
            None => None,
        };
        Some(match (home, run) {
            // Who mentions the bot looks for the answer in the thread, and the card is elsewhere.
            (Some(home), Some(_)) if home == origin.channel && origin.how != How::Mention && !origin.awaited => {
                // The run's card is the answer, unless there is more to say, or it may be a while until there is one.
                let at_once = self.desk.config().chat.tell_unchanged(self.door());
                match card.lines.is_empty() {
                    true if at_once => Vec::new(),
                    alone => vec![self.said_to(&card, origin, alone)],
                }
            }
            (Some(_), Some(run)) => {
                let mut letter = Letter::answer(&*self.platform, &card, origin, false);
                letter.link = Some(run.0);
                vec![letter.post(&origin.channel, Some(run))]
            }
            (None, _) | (_, None) => vec![self.said_to(&card, origin, !(done && run.is_some()))],
        })
    }

    /// What is said of something that the chat itself refuses, once that is kept.
    async fn refused(&self, noted: Result<(), DeskError>, refusal: Refusal, origin: &Origin) -> Vec<Post> {
        let card = match noted {
            Ok(()) => cards::refusal(&refusal),
            Err(DeskError::Repeated) => return Vec::new(),
            // Refused before a crash, and not told.
            Err(DeskError::Refused(refusal)) => cards::refusal(&refusal),
            Err(error) => conversation::fault(&self.desk, &error).card,
        };
        vec![self.said_to(&self.platform.name_people(card).await, origin, true)]
    }

    async fn put_off(&self, key: &str) {
        if let Err(error) = self.desk.claim(key, self.claim(LATER_MS)).await {
            tracing::warn!(%error, "a message is not put off");
        }
    }

    /// Puts an answer into the outbox; with `undone` only where nobody carried it out meanwhile. Of what is about a code for one person
    /// nothing is kept from then on that others could say: neither the words, nor, once it is told, the answer.
    async fn put(&self, key: &str, typed: &str, posts: &[Post], undone: bool) {
        let kept = commands::without_code(typed);
        let secret: Vec<Post> = posts.iter().cloned().map(Letter::as_secret).collect();
        let posts = if commands::is_for_a_code(typed) { secret.as_slice() } else { posts };
        let kept = (kept != typed).then_some(kept.as_str());
        if let Err(error) = self.desk.answer(self.door(), key, posts, undone, kept).await {
            tracing::error!(%error, key, "an answer cannot be stored: tried again later");
        }
    }

    /// The channel of a run's environment, where the chat knows it.
    async fn channel_of(&self, run: RunNumber) -> Option<String> {
        let environment = self.desk.show(run).await.ok()?.run.request.environment;
        let config = self.desk.config();
        let channel = config.environments.get(&environment)?.channel.in_chat(self.door())?;
        self.platform.channel(channel).await.ok().flatten()
    }

    /// An answer to where something was said; `private` when only who said it should see it.
    pub(in crate::chat) fn said_to(&self, card: &cards::Card, origin: &Origin, private: bool) -> Post {
        Letter::answer(&*self.platform, card, origin, private).post(&origin.channel, None)
    }
}

/// True where a program speaks in the name of somebody.
fn strange(actor: &Actor, origin: &Origin) -> bool {
    origin.program && actor.kind != ActorKind::Bot
}

/// True where everybody reads the words and their answer.
fn is_public(message: &Message, origin: &Origin) -> bool {
    origin.how == How::Mention && !message.place.direct
}

/// What answers a mention is read by all.
fn not_in_public() -> Refusal {
    let (what, why, hint) = cards::not_in_public();
    Refusal::refused(what, why).hint(hint)
}
