//! Values in memory: read once and kept as long as they are good, refreshed in the background, remembered for the redactors.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::read::{Reader, Reading, SecretError, read};
use crate::domain::secret::{Given, Origin, SecretSource};

/// Values of one place that are still redacted after newer ones came: a run may hold the one before.
const OLD_VALUES: usize = 8;

/// Between two tries to refresh what cannot be read, at most.
const RETRY_MAX: Duration = Duration::from_mins(5);

/// Two readings of the age of the same file differ by less.
const AS_OLD: Duration = Duration::from_secs(1);

/// Between two tries, at least.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// What the people who look after Tidegate should know about a secret. Words for people, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice(pub String);

/// The room. Cheap to clone; all clones share what is in it.
#[derive(Clone, Default)]
pub struct Secrets {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    places: Mutex<BTreeMap<SecretSource, Arc<Place>>>,
    notices: Mutex<Option<mpsc::UnboundedSender<Notice>>>,
    /// Somebody read something for the first time.
    news: Notify,
}

/// Without anything that is in it.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(..)")
    }
}

/// A configured text that is secret and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the secret `{name}`: {error}")]
pub struct NotRead {
    /// What it is called in the configuration.
    pub name: String,
    /// Why.
    pub error: SecretError,
}

/// One place, and what was read there.
#[derive(Default)]
struct Place {
    /// Held while it is read, so that a command runs once however many wait for it.
    reading: tokio::sync::Mutex<()>,
    reader: Reader,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    value: Option<Value>,
    old: VecDeque<SecretString>,
    /// Tries that failed since the last one that did not, and when the last of them was.
    failed: Option<Failed>,
    told_open: bool,
    told_end: bool,
}

#[derive(Clone)]
struct Failed {
    /// In a row.
    tries: u32,
    /// When the last of them ended.
    at: Instant,
    /// Why, without anything of the secret.
    why: String,
    /// Its file gave no answer.
    hangs: bool,
    /// People have been told.
    told: bool,
}

impl Failed {
    /// When it is worth another try where nothing depends on it.
    fn again(&self) -> Instant {
        self.at + RETRY_MIN.saturating_mul(1 << self.tries.min(16)).min(RETRY_MAX)
    }
}

#[derive(Clone)]
struct Value {
    secret: SecretString,
    /// When it was made, as far as is known.
    made: Instant,
    read: Instant,
}

impl Secrets {
    /// The secret, read now where that is due. Files and variables are looked at each time. While a command runs for somebody
    /// else, what it gave before is given as long as it is good.
    ///
    /// # Errors
    /// When it cannot be read, and what was read before is no longer good.
    pub async fn get(&self, source: &SecretSource) -> Result<SecretString, SecretError> {
        let place = self.place(source);
        if is_command(source)
            && place.reading.try_lock().is_err()
            && let Some(kept) = &place.state().value
            && !is_over(source, kept, Instant::now())
        {
            return Ok(kept.secret.clone());
        }
        self.read_when_due(source, &place).await
    }

    /// The configured texts, with the secret ones read as by [`Self::get`].
    ///
    /// # Errors
    /// The first that cannot be read.
    pub async fn texts(&self, given: &BTreeMap<String, Given>) -> Result<BTreeMap<String, String>, NotRead> {
        let mut texts = BTreeMap::new();
        for (name, given) in given {
            let text = match given {
                Given::Plain(text) => text.clone(),
                Given::Secret(source) => {
                    let secret = self.get(source).await.map_err(|error| NotRead { name: name.clone(), error })?;
                    secret.expose_secret().to_owned()
                }
            };
            texts.insert(name.clone(), text);
        }
        Ok(texts)
    }

    /// Reads the secret so that it is known to redactors, where nothing else depends on it: one that failed lately is left alone for a while,
    /// longer with each try, and one that was read by a command stays as it is until it is due.
    pub async fn learn(&self, source: &SecretSource) {
        let place = self.place(source);
        let rests = |failed: &Failed| Instant::now() < failed.again();
        if place.state().failed.as_ref().is_some_and(rests) {
            return;
        }
        if let Err(error) = self.get(source).await {
            tracing::debug!(%error, "what was typed is kept without looking for this secret in it");
        }
    }

    /// As [`Self::get`], and waits for a reading that is under way.
    async fn read_when_due(&self, source: &SecretSource, place: &Place) -> Result<SecretString, SecretError> {
        let asked = Instant::now();
        let _reading = place.reading.lock().await;
        let now = Instant::now();
        let (kept, failed) = {
            let state = place.state();
            (state.value.clone(), state.failed.clone())
        };
        if let Some(kept) = &kept
            && now < due(source, kept)
        {
            return Ok(kept.secret.clone());
        }
        // Whoever waited while it failed hears of that: otherwise each of them would try it again, one after the other.
        let came = match failed.filter(|failed| failed.at >= asked) {
            Some(failed) => Err((failed.hangs, SecretError::Told(failed.why))),
            None => read(source, &place.reader).await.map_err(|error| {
                self.note_failure(source, place, &error);
                (matches!(error, SecretError::Hangs { .. }), error)
            }),
        };
        match came {
            Ok(reading) => Ok(self.keep(source, place, reading)),
            Err((hangs, error)) => {
                // A file that is gone is gone on purpose; one that gives no answer is not, and what a command gave is good until its end.
                let stands = is_command(source) || hangs;
                match kept {
                    Some(kept) if stands && !is_over(source, &kept, Instant::now()) => Ok(kept.secret),
                    Some(_) if stands => Err(SecretError::Expired { from: source.to_string(), why: error.to_string() }),
                    _ => Err(error),
                }
            }
        }
    }

    /// Everything that was read so far, for redactors.
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        let places: Vec<Arc<Place>> = self.places().values().cloned().collect();
        let mut values = BTreeSet::new();
        for place in places {
            let state = place.state();
            let now = state.value.as_ref().map(|kept| &kept.secret);
            values.extend(now.into_iter().chain(&state.old).map(|value| value.expose_secret().to_owned()));
        }
        values.into_iter().collect()
    }

    /// Where notices go from now on.
    pub fn tell(&self, notices: mpsc::UnboundedSender<Notice>) {
        *self.inner.notices.lock().unwrap_or_else(PoisonError::into_inner) = Some(notices);
    }

    /// Refreshes for ever what was read once, before it is too old.
    pub async fn keep_fresh(&self) {
        loop {
            let now = Instant::now();
            let places: Vec<(SecretSource, Arc<Place>)> =
                self.places().iter().map(|(source, place)| (source.clone(), Arc::clone(place))).collect();
            let mut next: Option<Instant> = None;
            for (source, place) in places {
                let Some(at) = next_try(&source, &place.state()) else { continue };
                if at <= now {
                    // What is wrong was noted.
                    let _ = self.read_when_due(&source, &place).await;
                }
                self.look_at_end(&source, &place);
                next = [next, next_try(&source, &place.state())].into_iter().flatten().min();
            }
            let sleep = async {
                match next {
                    Some(at) => tokio::time::sleep_until(at.max(Instant::now() + Duration::from_millis(10))).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = sleep => {}
                () = self.inner.news.notified() => {}
            }
        }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, BTreeMap<SecretSource, Arc<Place>>> {
        self.inner.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, source: &SecretSource) -> Arc<Place> {
        Arc::clone(self.places().entry(source.clone()).or_default())
    }

    fn keep(&self, source: &SecretSource, place: &Place, reading: Reading) -> SecretString {
        let now = Instant::now();
        let Reading { value, age, open_to_others } = reading;
        let made = now.checked_sub(age).unwrap_or(now);
        let mut state = place.state();
        let first = state.value.is_none();
        let same = state.value.as_ref().is_some_and(|kept| kept.secret.expose_secret() == value.expose_secret());
        // What never changes has been as old as it is since it was first seen.
        let made = match &state.value {
            Some(kept) if same && matches!(source.origin, Origin::Env(_)) => kept.made,
            _ => made,
        };
        let mut moved = state.value.as_ref().is_some_and(|kept| apart(made, kept.made) >= AS_OLD);
        if !same && let Some(old) = state.value.take() {
            state.old.push_front(old.secret);
            state.old.truncate(OLD_VALUES);
            moved = true;
        }
        // The end that was told is not the end any more.
        state.told_end &= !moved;
        state.value = Some(Value { secret: value.clone(), made, read: now });
        let recovered = state.failed.take().is_some();
        let tell_open = open_to_others && !std::mem::replace(&mut state.told_open, open_to_others);
        drop(state);
        if !same {
            crate::redact::hide(self.values());
        }
        if first {
            self.inner.news.notify_one();
        }
        if recovered {
            self.notice(format!("{source} can be read again"));
        }
        if tell_open {
            self.notice(format!("{source} holds a secret and can be read by others than its owner: `chmod 600` it"));
        }
        self.look_at_end(source, place);
        value
    }

    fn note_failure(&self, source: &SecretSource, place: &Place, error: &SecretError) {
        let mut state = place.state();
        let (tries, told) = state.failed.as_ref().map_or((0, false), |failed| (failed.tries, failed.told));
        // One that never could be read is told by what needs it; of one that hangs nobody would know what they wait for.
        let hangs = matches!(error, SecretError::Hangs { .. });
        let tells = !told && (hangs || tries == 0 && state.value.is_some());
        let why = error.to_string();
        state.failed =
            Some(Failed { tries: tries + 1, at: Instant::now(), why: why.clone(), hangs, told: told || tells });
        let kept = state.value.is_some();
        drop(state);
        // Told once; that it goes on is in the log, that it is over will be told.
        match (tells, hangs) {
            (true, true) if !kept => self.notice(format!(
                "a secret cannot be read: {why}; until it can be, what people type is kept without looking for it"
            )),
            (true, _) => self.notice(format!("a secret could not be refreshed: {why}")),
            (false, _) => tracing::warn!(secret = %source, %error, tries = tries + 1, "a secret cannot be read"),
        }
    }

    /// Tells once when a value nears its end and nothing newer came.
    fn look_at_end(&self, source: &SecretSource, place: &Place) {
        let mut state = place.state();
        let Some((ends, last_tenth)) = state.value.as_ref().and_then(|kept| ends(source, kept)) else { return };
        let now = Instant::now();
        if state.told_end || now + last_tenth < ends {
            return;
        }
        state.told_end = true;
        drop(state);
        let left = ends.saturating_duration_since(now).as_secs();
        let when = match left {
            0 => "has expired".to_owned(),
            1..=7_199 => format!("expires in {} min", left.div_ceil(60)),
            7_200..=172_799 => format!("expires in {} h", left / 3_600),
            _ => format!("expires in {} days", left / 86_400),
        };
        self.notice(format!("what {source} gave {when}: renew it"));
    }

    fn notice(&self, text: String) {
        tracing::warn!(notice = text, "a secret needs somebody");
        let notices = self.inner.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(notices) = &*notices {
            // Nobody listens any more when Tidegate is stopping.
            let _ = notices.send(Notice(text));
        }
    }
}

impl Place {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_command(source: &SecretSource) -> bool {
    matches!(source.origin, Origin::Command { .. })
}

fn apart(one: Instant, other: Instant) -> Duration {
    one.saturating_duration_since(other).max(other.saturating_duration_since(one))
}

/// When a value ends, and how long its last tenth is.
fn ends(source: &SecretSource, kept: &Value) -> Option<(Instant, Duration)> {
    let good_for = Duration::from_secs(u64::from(source.expires_in_s?));
    Some((kept.made + good_for, good_for / 10))
}

fn is_over(source: &SecretSource, kept: &Value, now: Instant) -> bool {
    ends(source, kept).is_some_and(|(ends, _)| ends <= now)
}

/// When a value is read again: what a command gave after `refresh`, but no later than when four fifths of its time are over;
/// everything else at once.
fn due(source: &SecretSource, kept: &Value) -> Instant {
    let Origin::Command { refresh_s, .. } = &source.origin else { return kept.read };
    let refresh = refresh_s.map(|seconds| kept.read + Duration::from_secs(u64::from(seconds)));
    let before_end = ends(source, kept).map(|(ends, last_tenth)| ends - last_tenth * 2);
    let never = kept.read + Duration::from_secs(u64::from(u32::MAX));
    [refresh, before_end].into_iter().flatten().min().unwrap_or(never)
}

/// When something is to be done about a place in the background; `None` when never.
fn next_try(source: &SecretSource, state: &State) -> Option<Instant> {
    let kept = state.value.as_ref()?;
    let warn = ends(source, kept).filter(|_| !state.told_end).map(|(ends, last_tenth)| ends - last_tenth);
    if !is_command(source) {
        return warn;
    }
    let refresh = match &state.failed {
        Some(failed) => failed.again(),
        None => due(source, kept),
    };
    [Some(refresh), warn].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits until it `is` so, for half a minute at most; whoever asks then sees what is.
    async fn wait(is: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is().await && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    struct Bench {
        folder: tempfile::TempDir,
        secrets: Secrets,
        notices: mpsc::UnboundedReceiver<Notice>,
    }

    impl Bench {
        fn new() -> Self {
            let (sender, notices) = mpsc::unbounded_channel();
            let secrets = Secrets::default();
            secrets.tell(sender);
            Self { folder: tempfile::tempdir().expect("a folder"), secrets, notices }
        }

        /// A command that prints the file `value` and counts its calls.
        fn command(&self, refresh_s: Option<u32>, expires_in_s: Option<u32>) -> SecretSource {
            let script = "echo x >>calls; cat value";
            let argv = ["sh", "-c", script].map(str::to_owned).to_vec();
            let folder = self.folder.path().to_owned();
            SecretSource { origin: Origin::Command { argv, folder, timeout_s: 30, refresh_s }, expires_in_s }
        }

        fn write(&self, value: &str) {
            std::fs::write(self.folder.path().join("value"), value).expect("written");
        }

        fn calls(&self) -> usize {
            std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default().lines().count()
        }

        async fn get(&self, source: &SecretSource) -> Result<String, String> {
            let value = self.secrets.get(source).await;
            value.map(|value| value.expose_secret().to_owned()).map_err(|error| error.to_string())
        }

        async fn notice(&mut self) -> String {
            let notice = tokio::time::timeout(Duration::from_secs(30), self.notices.recv());
            notice.await.expect("in time").expect("a notice").0
        }
    }

    #[tokio::test]
    async fn a_command_runs_once_for_all_who_ask() {
        let bench = Bench::new();
        bench.write("one");
        let source = bench.command(None, None);
        let (a, b) = tokio::join!(bench.get(&source), bench.get(&source));
        assert_eq!((a.as_deref(), b.as_deref(), bench.calls()), (Ok("one"), Ok("one"), 1));
        assert_eq!(bench.secrets.values(), ["one"]);
        assert!(!format!("{:?}", bench.secrets).contains("one"));
    }

    #[tokio::test]
    async fn a_command_is_refreshed_in_the_background_and_a_failure_is_told_once() {
        let mut bench = Bench::new();
        bench.write("one");
        let source = bench.command(Some(1), None);
        assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
        let secrets = bench.secrets.clone();
        let task = tokio::spawn(async move { secrets.keep_fresh().await });
        bench.write("two");
        wait(async || bench.secrets.values().contains(&"two".to_owned())).await;
        assert_eq!(bench.secrets.values(), ["one", "two"], "the old one is hidden too");
        std::fs::remove_file(bench.folder.path().join("value")).expect("removed");
        let told = bench.notice().await;
        assert!(told.starts_with("a secret could not be refreshed: `sh` failed") && !told.contains("two"), "{told}");
        assert_eq!(bench.get(&source).await.as_deref(), Ok("two"), "it has no end");
        bench.write("three");
        assert_eq!(bench.notice().await, "the command `sh` can be read again");
        task.abort();
    }

    #[tokio::test]
    async fn a_file_that_gives_no_answer_holds_nobody_up_and_is_told_once() {
        let mut bench = Bench::new();
        let file = bench.folder.path().join("value");
        assert!(std::process::Command::new("mkfifo").arg(&file).status().expect("mkfifo").success());
        let source = SecretSource { origin: Origin::File(file.clone()), expires_in_s: None };
        // Nobody writes to it: opening it never ends.
        for _ in 0..3 {
            let error = bench.get(&source).await.expect_err("no answer");
            assert!(error.contains("gives no answer"), "{error}");
        }
        let told = bench.notice().await;
        assert!(told.starts_with("a secret cannot be read: the file `") && told.contains("without looking"), "{told}");
        assert!(bench.notices.try_recv().is_err(), "told once");
        // The three readings were one: one writer is enough to end it.
        let end = file.clone();
        tokio::task::spawn_blocking(move || std::fs::write(end, "late")).await.expect("joined").expect("written");
        std::fs::remove_file(&file).expect("removed");
        std::fs::write(&file, "one").expect("written");
        wait(async || bench.get(&source).await.is_ok()).await;
        assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
    }

    #[tokio::test]
    async fn what_fails_is_tried_once_for_all_who_wait_and_left_alone_for_a_while() {
        let bench = Bench::new();
        let argv = ["sh", "-c", "echo x >>calls; sleep 1; exit 3"].map(str::to_owned).to_vec();
        let folder = bench.folder.path().to_owned();
        let origin = Origin::Command { argv, folder, timeout_s: 30, refresh_s: None };
        let source = SecretSource { origin, expires_in_s: None };
        let (a, b, c, ()) =
            tokio::join!(bench.get(&source), bench.get(&source), bench.get(&source), bench.secrets.learn(&source));
        assert_eq!((&a, &b), (&b, &c));
        assert!(a.expect_err("failed").contains("exit status 3"));
        bench.secrets.learn(&source).await;
        assert_eq!(bench.calls(), 1);
        // Whoever needs it has it tried again.
        assert!(bench.get(&source).await.is_err());
        assert_eq!(bench.calls(), 2);
    }

    #[tokio::test]
    async fn a_value_that_is_over_is_not_given_out_any_more() {
        let mut bench = Bench::new();
        bench.write("one");
        let source = bench.command(None, Some(1));
        assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
        std::fs::remove_file(bench.folder.path().join("value")).expect("removed");
        let secrets = bench.secrets.clone();
        let task = tokio::spawn(async move { secrets.keep_fresh().await });
        assert!(bench.notice().await.starts_with("a secret could not be refreshed"));
        let told = bench.notice().await;
        assert!(told.starts_with("what the command `sh` gave"), "{told}");
        wait(async || bench.get(&source).await.is_err()).await;
        let error = bench.get(&source).await.expect_err("expired");
        assert!(error.starts_with("what the command `sh` gave has expired"), "{error}");
        task.abort();
    }

    #[tokio::test]
    async fn a_good_value_is_given_while_a_command_runs_for_somebody_else() {
        let bench = Bench::new();
        bench.write("one");
        let source = bench.command(Some(0), None);
        assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
        let value = bench.folder.path().join("value");
        std::fs::remove_file(&value).expect("removed");
        assert!(std::process::Command::new("mkfifo").arg(&value).status().expect("mkfifo").success());
        let (secrets, slow) = (bench.secrets.clone(), source.clone());
        let refresh = tokio::spawn(async move { secrets.get(&slow).await.expect("read").expose_secret().to_owned() });
        wait(async || bench.calls() >= 2).await;
        let given = tokio::time::timeout(Duration::from_secs(10), bench.get(&source)).await;
        assert_eq!(given.expect("at once").as_deref(), Ok("one"));
        tokio::task::spawn_blocking(move || std::fs::write(value, "two")).await.expect("joined").expect("written");
        assert_eq!(refresh.await.expect("joined"), "two");
    }

    #[tokio::test]
    async fn an_end_is_told_again_after_it_moved() {
        use std::os::unix::fs::PermissionsExt as _;
        let mut bench = Bench::new();
        bench.write("one");
        let file = bench.folder.path().join("value");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        let source = SecretSource { origin: Origin::File(file.clone()), expires_in_s: Some(1_000) };
        let written = std::fs::metadata(&file).and_then(|file| file.modified()).expect("a time");
        for age_s in [950, 10, 960] {
            let made = written - Duration::from_secs(age_s);
            std::fs::File::options().write(true).open(&file).expect("the file").set_modified(made).expect("a time");
            assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
            assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
        }
        let told: Vec<String> = std::iter::from_fn(|| bench.notices.try_recv().ok()).map(|notice| notice.0).collect();
        assert_eq!(told.len(), 2, "{told:?}");
    }

    #[tokio::test]
    async fn a_file_is_read_each_time_and_told_of_when_others_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let mut bench = Bench::new();
        bench.write("one");
        let file = bench.folder.path().join("value");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        let source = SecretSource { origin: Origin::File(file.clone()), expires_in_s: None };
        assert_eq!(bench.get(&source).await.as_deref(), Ok("one"));
        bench.write("two");
        assert_eq!(bench.get(&source).await.as_deref(), Ok("two"));
        assert!(bench.notice().await.contains("can be read by others than its owner"));
        std::fs::remove_file(file).expect("removed");
        assert!(bench.get(&source).await.is_err());
        assert!(bench.notice().await.starts_with("a secret could not be refreshed"));
    }

    #[test]
    fn a_command_is_due_after_refresh_but_before_its_end() {
        let now = Instant::now();
        let kept = Value { secret: SecretString::from("x"), made: now, read: now };
        let of = |refresh_s, expires_in_s| {
            let argv = vec!["x".to_owned()];
            let origin = Origin::Command { argv, folder: "/".into(), timeout_s: 1, refresh_s };
            due(&SecretSource { origin, expires_in_s }, &kept).duration_since(now).as_secs()
        };
        assert_eq!(of(Some(60), None), 60);
        assert_eq!(of(Some(600), Some(100)), 80);
        assert_eq!(of(Some(60), Some(100)), 60);
        assert_eq!(of(None, Some(100)), 80);
        assert_eq!(of(None, None), u64::from(u32::MAX));
    }
}
