//! What a chat told of itself, asked once and believed for a while: people, channels by name, conversations. Nothing here is kept longer
//! than the process.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::failure::ApiError;

/// After a chat has refused to tell something: somebody has to switch something on.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// After it could not be asked.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// For how long a list of channels is believed.
pub(in crate::chat) struct Pace {
    /// That a channel of a name is the one that was found.
    pub(in crate::chat) known: Duration,
    /// That there is none of a name.
    pub(in crate::chat) unknown: Duration,
}

/// Ids of channels by name, as a chat listed them.
pub(in crate::chat) struct Channels {
    pub(in crate::chat) all: HashMap<String, String>,
    /// All that there are: some are listed apart, where one is looked for that is not among the others.
    pub(in crate::chat) whole: bool,
}

/// What is remembered of people, each a `P`, and of places.
pub(in crate::chat) struct Memory<P>(Mutex<Known<P>>);

struct Known<P> {
    people: HashMap<String, (Instant, P)>,
    /// The number of the newest thing that told who somebody is, by person, where such numbers grow with time.
    told_by: HashMap<String, u64>,
    /// Ids of channels by name.
    channels: HashMap<String, String>,
    /// When they were listed.
    listed: Option<Instant>,
    /// When they were listed to the last one, so that what is not among them is not there.
    listed_whole: Option<Instant>,
    /// What channels are called, by id: as the configuration does, where it names them.
    names: HashMap<String, String>,
    /// Conversations with one person, by person.
    directs: HashMap<String, String>,
    /// The channel of each thread that was met; of what is no thread, nothing.
    parents: HashMap<String, Option<String>>,
}

impl<P> Known<P> {
    /// The channel that was found by a name which none has any more: called otherwise by now, it is still the one.
    fn remembered(&self, named: &str, is_there: impl Fn(&str) -> bool) -> Option<String> {
        self.names.iter().find(|(id, name)| *name == named && is_there(id)).map(|(id, _)| id.clone())
    }
}

fn is_among(channels: &HashMap<String, String>, id: &str) -> bool {
    channels.values().any(|one| one == id)
}

impl<P> Default for Memory<P> {
    fn default() -> Self {
        Self(Mutex::new(Known {
            people: HashMap::new(),
            told_by: HashMap::new(),
            channels: HashMap::new(),
            listed: None,
            listed_whole: None,
            names: HashMap::new(),
            directs: HashMap::new(),
            parents: HashMap::new(),
        }))
    }
}

impl<P: Clone> Memory<P> {
    fn known(&self) -> MutexGuard<'_, Known<P>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody, as far as that was told within this time.
    pub(in crate::chat) fn person(&self, id: &str, believed: Duration) -> Option<P> {
        let known = self.known();
        known.people.get(id).filter(|(at, _)| at.elapsed() < believed).map(|(_, person)| person.clone())
    }

    /// Looks at everybody who was told of, whenever that was.
    pub(in crate::chat) fn people<T>(&self, look: impl FnOnce(&mut dyn Iterator<Item = (&str, &P)>) -> T) -> T {
        let known = self.known();
        look(&mut known.people.iter().map(|(id, (_, person))| (id.as_str(), person)))
    }

    /// Notes who somebody is.
    pub(in crate::chat) fn note(&self, id: &str, person: P) {
        self.known().people.insert(id.to_owned(), (Instant::now(), person));
    }

    /// Notes who somebody is as this tells it, unless what told it last is newer, or the same.
    pub(in crate::chat) fn note_newer(&self, id: &str, by: u64, person: P) {
        let mut known = self.known();
        if known.told_by.get(id).is_none_or(|last| *last < by) {
            known.told_by.insert(id.to_owned(), by);
            known.people.insert(id.to_owned(), (Instant::now(), person));
        }
    }

    /// Notes who somebody is among all others.
    pub(in crate::chat) fn note_among(&self, id: &str, make: impl FnOnce(&mut dyn Iterator<Item = &P>) -> P) -> P {
        let mut known = self.known();
        let person = make(&mut known.people.iter().filter(|(other, _)| *other != id).map(|(_, (_, other))| other));
        known.people.insert(id.to_owned(), (Instant::now(), person.clone()));
        person
    }

    /// Who somebody is is asked again.
    pub(in crate::chat) fn forget(&self, id: &str) {
        self.known().people.remove(id);
    }

    /// The id of a channel: `#name`, or an id already; `list` asks for ids by name. `None`: there is none that we see.
    pub(in crate::chat) async fn channel(
        &self,
        named: &str,
        pace: &Pace,
        list: impl Future<Output = Result<Channels, ApiError>>,
    ) -> Result<Option<String>, ApiError> {
        let Some(name) = named.strip_prefix('#') else { return Ok(Some(named.to_owned())) };
        let believed = {
            let known = self.known();
            let channels = &known.channels;
            let found = channels.get(name).cloned();
            let (at, believed) =
                if found.is_some() { (known.listed, pace.known) } else { (known.listed_whole, pace.unknown) };
            let found = found.or_else(|| known.remembered(named, |id| channels.is_empty() || is_among(channels, id)));
            at.is_some_and(|at| at.elapsed() < believed).then_some(found)
        };
        let found = if let Some(found) = believed {
            found
        } else {
            let Channels { all, whole } = list.await?;
            let mut known = self.known();
            let found = all.get(name).cloned().or_else(|| known.remembered(named, |id| is_among(&all, id)));
            known.channels = all;
            known.listed = Some(Instant::now());
            if whole {
                known.listed_whole = known.listed;
            }
            found
        };
        if let Some(id) = &found {
            self.known().names.insert(id.clone(), named.to_owned());
        }
        Ok(found)
    }

    /// What a channel is called, as far as that is known.
    pub(in crate::chat) fn called(&self, channel: &str) -> Option<String> {
        self.known().names.get(channel).cloned()
    }

    /// What a channel was called when all were listed, with its `#`.
    pub(in crate::chat) fn listed(&self, channel: &str) -> Option<String> {
        let known = self.known();
        known.channels.iter().find(|(_, id)| *id == channel).map(|(name, _)| format!("#{name}"))
    }

    /// What the configuration calls a channel, as far as that was looked up.
    pub(in crate::chat) fn name_of(&self, channel: &str) -> String {
        self.called(channel).unwrap_or_else(|| channel.to_owned())
    }

    /// Learns ids by name; what the configuration calls a channel stays.
    pub(in crate::chat) fn learn(&self, channels: HashMap<String, String>) {
        let mut known = self.known();
        for (name, id) in channels {
            known.names.entry(id).or_insert_with(|| format!("#{name}"));
        }
    }

    /// What all channels are called that were told of, by id.
    pub(in crate::chat) fn all_called(&self) -> HashMap<String, String> {
        let known = self.known();
        let listed = known.channels.iter().map(|(name, id)| (id.clone(), format!("#{name}")));
        listed.chain(known.names.clone()).collect()
    }

    /// A channel is not where it was: its name is asked for again.
    pub(in crate::chat) fn forget_channels(&self) {
        self.known().channels.clear();
    }

    /// Something was done to a channel: there may be one by now of a name of which there was none.
    pub(in crate::chat) fn channels_moved(&self) {
        self.known().listed_whole = None;
    }

    /// Notes in which channel a thread is, or that it is none.
    pub(in crate::chat) fn note_parent(&self, place: &str, channel: Option<&str>) {
        self.known().parents.insert(place.to_owned(), channel.map(str::to_owned));
    }

    /// The channel of a thread; `ask` asks for it. `None`: it is no thread.
    pub(in crate::chat) async fn parent(
        &self,
        place: &str,
        ask: impl Future<Output = Result<Option<String>, ApiError>>,
    ) -> Result<Option<String>, ApiError> {
        let known = self.known().parents.get(place).cloned();
        if let Some(parent) = known {
            return Ok(parent);
        }
        let parent = ask.await?;
        self.note_parent(place, parent.as_deref());
        Ok(parent)
    }

    /// These people, each once, but of those with whom there is no conversation yet only so many.
    pub(in crate::chat) fn few_new(&self, mut people: Vec<String>, most: usize) -> Vec<String> {
        let (known, mut seen, mut new) = (self.known(), HashSet::new(), 0);
        people.retain(|person| {
            let is_new = !known.directs.contains_key(person);
            let fits = seen.insert(person.clone()) && (!is_new || new < most);
            new += usize::from(fits && is_new);
            fits
        });
        people
    }

    /// The conversation with somebody; `open` asks for it.
    pub(in crate::chat) async fn direct(
        &self,
        person: &str,
        open: impl Future<Output = Result<String, ApiError>>,
    ) -> Result<String, ApiError> {
        let known = self.known().directs.get(person).cloned();
        if let Some(direct) = known {
            return Ok(direct);
        }
        let direct = open.await?;
        self.known().directs.insert(person.to_owned(), direct.clone());
        Ok(direct)
    }
}

/// Something that a chat tells all at once, or why it does not, and until when that is believed.
pub(in crate::chat) struct Believed<T>(tokio::sync::Mutex<Option<(Instant, Result<T, ApiError>)>>);

impl<T> Default for Believed<T> {
    fn default() -> Self {
        Self(tokio::sync::Mutex::new(None))
    }
}

impl<T> Believed<T> {
    /// Looks at it, asking where it is not known or was told longer ago. Who comes while it is asked waits for the same answer.
    pub(in crate::chat) async fn look<R>(
        &self,
        believed: Duration,
        ask: impl Future<Output = Result<T, ApiError>>,
        look: impl FnOnce(&T) -> R,
    ) -> Result<R, ApiError> {
        let mut known = self.0.lock().await;
        let still = known.take().filter(|(until, _)| *until > Instant::now());
        let told = if let Some(told) = still {
            told
        } else {
            let found = ask.await;
            let wait = believed_for(&found, believed);
            (Instant::now() + wait, found)
        };
        known.insert(told).1.as_ref().map(look).map_err(ApiError::clone)
    }
}

fn believed_for<T>(found: &Result<T, ApiError>, believed: Duration) -> Duration {
    match found {
        Ok(_) => believed,
        Err(ApiError::Refused { .. } | ApiError::Token(_)) => ASK_AGAIN,
        Err(ApiError::Limited(wait)) => *wait,
        Err(ApiError::Unknown(_)) => TRY_AGAIN,
    }
}

/// Something that is done again after a while.
pub(in crate::chat) struct Every {
    after: Duration,
    last: Mutex<Instant>,
}

impl Every {
    /// It was done just now.
    pub(in crate::chat) fn new(after: Duration) -> Self {
        Self { after, last: Mutex::new(Instant::now()) }
    }

    /// Whether it is time, once each time.
    pub(in crate::chat) fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.elapsed() >= self.after;
        if due {
            *last = Instant::now();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    async fn asked(memory: &Memory<()>, named: &str, pace: &Pace) -> (Option<String>, u32) {
        let lists = AtomicU32::new(0);
        let found = memory.channel(named, pace, async {
            lists.fetch_add(1, Ordering::Relaxed);
            Ok(Channels { all: HashMap::from([("shop".to_owned(), "C1".to_owned())]), whole: named != "#shop" })
        });
        (found.await.expect("a list"), lists.into_inner())
    }

    #[tokio::test]
    async fn a_channel_is_asked_for_as_often_as_its_chat_lets_us() {
        let (memory, c1) = (Memory::default(), Some("C1".to_owned()));
        let pace = |known, unknown| Pace { known, unknown };
        let (often, seldom, always) = (
            pace(Duration::MAX, Duration::ZERO),
            pace(Duration::MAX, Duration::MAX),
            pace(Duration::ZERO, Duration::MAX),
        );
        assert_eq!(asked(&memory, "C7", &often).await, (Some("C7".to_owned()), 0), "an id needs no list");
        assert_eq!(asked(&memory, "#shop", &often).await, (c1.clone(), 1));
        assert_eq!(asked(&memory, "#shop", &often).await, (c1.clone(), 0));
        assert_eq!(asked(&memory, "#gone", &seldom).await, (None, 1), "those that are listed apart were not asked for");
        assert_eq!(asked(&memory, "#gone", &often).await, (None, 1), "there may be one by now");
        assert_eq!(asked(&memory, "#gone", &seldom).await, (None, 0), "all were listed just now");
        memory.channels_moved();
        assert_eq!(asked(&memory, "#gone", &seldom).await, (None, 1), "it may be called so by now");
        assert_eq!(asked(&memory, "#shop", &always).await, (c1.clone(), 1), "another may have the name by now");
        assert_eq!(memory.name_of("C1"), "#shop");
        memory.forget_channels();
        assert_eq!(asked(&memory, "#gone", &seldom).await, (None, 0));
        assert_eq!(asked(&memory, "#shop", &seldom).await, (c1.clone(), 0), "it was found by that name");
        assert_eq!(asked(&memory, "#shop", &often).await, (c1, 1));
    }

    #[tokio::test]
    async fn who_somebody_is_is_believed_for_a_while_and_the_conversation_with_them_for_ever() {
        let memory = Memory::<u8>::default();
        memory.note("U1", 7);
        assert_eq!((memory.person("U1", Duration::MAX), memory.person("U2", Duration::MAX)), (Some(7), None));
        assert_eq!((memory.person("U1", Duration::ZERO), memory.people(|all| all.count())), (None, 1));
        memory.forget("U1");
        assert_eq!(memory.people(|all| all.count()), 0);
        for (by, told, known) in [(5, 1, 1), (5, 2, 1), (4, 3, 1), (6, 4, 4)] {
            memory.note_newer("U1", by, told);
            assert_eq!(memory.person("U1", Duration::MAX), Some(known), "{by}");
        }
        let refused = ApiError::refused("user_not_found");
        assert_eq!(memory.direct("U1", async { Err(refused.clone()) }).await, Err(refused));
        assert_eq!(memory.direct("U1", async { Ok("D1".to_owned()) }).await.as_deref(), Ok("D1"));
        assert_eq!(memory.direct("U1", async { Ok("D2".to_owned()) }).await.as_deref(), Ok("D1"));
        let people = ["U2", "U1", "U2", "U3", "U1"].map(str::to_owned).to_vec();
        assert_eq!(memory.few_new(people.clone(), 1), ["U2", "U1"]);
        assert_eq!(memory.few_new(people, 9), ["U2", "U1", "U3"]);
    }

    #[tokio::test]
    async fn a_refusal_is_believed_too_and_what_was_not_answered_is_soon_asked_again() {
        let told = Believed::<u8>::default();
        let refused = ApiError::refused("missing_access");
        assert_eq!(told.look(Duration::ZERO, async { Ok(1) }, |told| *told).await, Ok(1));
        assert_eq!(told.look(Duration::MAX, async { Err(refused.clone()) }, |told| *told).await, Err(refused.clone()));
        assert_eq!(told.look(Duration::ZERO, async { Ok(2) }, |told| *told).await, Err(refused.clone()));
        let minute = Duration::from_mins(1);
        assert_eq!(believed_for(&Ok(()), minute * 5), minute * 5);
        assert_eq!(believed_for::<()>(&Err(refused), Duration::ZERO), ASK_AGAIN);
        assert_eq!(believed_for::<()>(&Err(ApiError::Unknown(String::new())), minute), TRY_AGAIN);
        assert_eq!(believed_for::<()>(&Err(ApiError::Limited(minute)), Duration::ZERO), minute);
    }
}
