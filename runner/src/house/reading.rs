//! The configuration of a living process: read again when its file, a root or a file of dates changes, noted in the audit, and what goes on by an
//! earlier file where the new one does not check.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::in_force::InForce;
use crate::config::{self, Asked, Config, Problems};
use crate::domain::access::Access;
use crate::domain::answer::{Actor, StackStanding};
use crate::domain::environment::{Environment, Level};
use crate::domain::ids::StackName;
use crate::domain::made::Template;
use crate::inspection::set_bad_roots_aside;
use crate::ledger::{LedgerError, Store, audit, environments, runs, stacks};
use crate::problem::Problem;
use crate::problem::source::Source;
use crate::redact::{self, REDACTED};
use crate::root::{File, Folder};
use crate::secrets::{self, Secrets};

/// How often the configuration file is looked at.
const LOOK_AT_FILE: Duration = Duration::from_secs(2);

/// At every which of these looks the roots are looked at too: a thousand of them take some 25 ms each time.
const LOOKS_PER_LOOK_AT_ROOTS: u64 = 5;

/// At every which of these looks a file is tried again that could not be put in force.
const LOOKS_PER_TRY: u64 = 3;

/// Reads the configuration again when its file, one of its roots or the dates of a calendar change. A file that does not check leaves the last good one
/// in force. `seen` is of before it was read first, so that no change is missed.
pub(super) async fn keep_reading(
    file: PathBuf,
    mut seen: Seen,
    in_force: Arc<InForce>,
    mut asked: mpsc::UnboundedReceiver<Asked>,
) {
    // Of the file as it was last read, also when that was not put in force.
    let mut roots = in_force.of_files().await.roots.clone();
    let mut roots_seen = stamp_of_roots(&roots);
    let mut calendars = in_force.of_files().await.calendar_files.clone();
    let mut calendars_seen = stamps(calendars.clone());
    let mut looks: u64 = 0;
    // Why the newest file is not in force yet.
    let mut waits: Option<String> = None;
    // By itself, however often others ask.
    let mut every = tokio::time::interval_at(Instant::now() + LOOK_AT_FILE, LOOK_AT_FILE);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waiting: Vec<Asked> = Vec::new();
    // Why what the files say is not in force.
    let mut wrong: Option<String> = None;
    loop {
        for waiter in waiting.drain(..) {
            // Who does not wait any more goes by what was in force before.
            let _ = waiter.send(wrong.clone().map_or(Ok(()), Err));
        }
        let by_itself = tokio::select! {
            _ = every.tick() => true,
            Some(waiter) = asked.recv() => {
                waiting.push(waiter);
                false
            }
        };
        looks += u64::from(by_itself);
        while let Ok(waiter) = asked.try_recv() {
            waiting.push(waiter);
        }
        let (path, dates) = (file.clone(), calendars.clone());
        let stamped = move || (stamp_of_files(&path), stamps(dates));
        let Ok((now, dates)) = tokio::task::spawn_blocking(stamped).await else { continue };
        // What keeps the newest file from being used may have passed.
        let mut changed = now != seen
            || dates != calendars_seen
            || waits.is_some() && by_itself && looks.is_multiple_of(LOOKS_PER_TRY);
        if by_itself && looks.is_multiple_of(LOOKS_PER_LOOK_AT_ROOTS) {
            let roots = roots.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || stamp_of_roots(&roots)).await else { continue };
            changed |= now != roots_seen;
            roots_seen = now;
        }
        if !changed {
            continue;
        }
        (seen, calendars_seen) = (now, dates);
        let path = file.clone();
        let read = move || {
            let config = config::load(&path)?;
            // Before they are checked, so that no change is missed.
            let seen = stamp_of_roots(&config.roots);
            Ok::<_, Problems>((set_bad_roots_aside(config), seen))
        };
        let Ok(loaded) = tokio::task::spawn_blocking(read).await else { continue };
        match loaded {
            Ok((new, seen_roots)) => {
                roots.clone_from(&new.roots);
                roots_seen = seen_roots;
                if calendars != new.calendar_files {
                    calendars.clone_from(&new.calendar_files);
                    calendars_seen = stamps(calendars.clone());
                }
                let old = in_force.of_files().await;
                let new = keep_last_good(new, &old);
                match put_in_force(in_force.store(), &old, &new).await {
                    Ok(()) => {
                        tracing::info!(file = %file.display(), "the configuration was read again");
                        in_force.files_are(new).await;
                        (waits, wrong) = (None, None);
                    }
                    // Told once, and tried again.
                    Err(why) => {
                        if waits.as_ref() != Some(&why) {
                            tracing::error!(file = %file.display(), "the changed configuration is not used yet: {why}");
                        }
                        wrong = Some(why.clone());
                        waits = Some(why);
                    }
                }
            }
            Err(problems) => {
                // It is read again when it changes, and told once.
                waits = None;
                let first = problems.as_slice().first().map(Problem::in_one_line);
                wrong = Some(first.unwrap_or_else(|| "it does not check".to_owned()));
                tracing::error!(file = %file.display(), %problems, "the changed configuration is not used: it does not check");
            }
        }
    }
}

/// Notes a configuration that is to be in force from now on, or tells what keeps it from that.
async fn put_in_force(store: &Store, old: &Config, new: &Config) -> Result<(), String> {
    let up = still_up(store, old, new).await.map_err(|error| format!("the ledger does not answer: {error}"))?;
    if !up.is_empty() {
        return Err(format!("it leaves out what is still up ({}); bring it `down NAME off` first", up.join(", ")));
    }
    let noted = note_configuration(store, new, &Secrets::default()).await;
    noted.map(drop).map_err(|error| format!("it cannot be noted in the audit: {error}"))
}

/// Keeps in the audit that the configuration is another one, and how, without secrets.
pub(super) async fn note_configuration(store: &Store, config: &Config, secrets: &Secrets) -> Result<bool, LedgerError> {
    let text = config.text();
    // Whatever it was to the one before: what is a secret now is shown in no difference.
    let before = audit::known_configuration(store).await?.unwrap_or_default();
    redact::hide(config::moved_to_secrets(&before, text));
    redact::hide(secrets::told(config, secrets));
    let misread = config.misread().collect();
    audit::note_configuration(store, &Actor::tidegate(), text, &redact::without(text.to_owned()), &misread).await
}

/// What tells that a file was changed: when its content and when it itself was changed last, its length, and which file it is, since one may be
/// put in the place of another with the times of that.
type Stamp = Option<(SystemTime, i64, i64, u64, u64)>;

fn stamp(file: &Path) -> Stamp {
    let meta = std::fs::metadata(file).ok()?;
    Some((meta.modified().ok()?, meta.ctime(), meta.ctime_nsec(), meta.len(), meta.ino()))
}

/// What tells that files were changed, each with its path.
pub(super) type Seen = Vec<(PathBuf, Stamp)>;

/// Those of the configuration file and of what it includes now.
pub(super) fn stamp_of_files(file: &Path) -> Seen {
    stamps(config::files_of(file))
}

fn stamps(files: Vec<PathBuf>) -> Vec<(PathBuf, Stamp)> {
    let stamped = |path: PathBuf| {
        let stamp = stamp(&path);
        (path, stamp)
    };
    files.into_iter().map(stamped).collect()
}

/// Those of the Terraform files that roots consist of.
fn stamp_of_roots(roots: &BTreeSet<PathBuf>) -> Vec<(PathBuf, Stamp)> {
    let folders = roots.iter().filter_map(|root| Folder::list(root).ok());
    let files = folders.flat_map(|folder| folder.files.into_iter().chain(folder.values));
    let stamped = |File { path, .. }| {
        let stamp = stamp(&path);
        (path, stamp)
    };
    files.map(stamped).collect()
}

/// An environment whose section does not check any more goes on as it last did; `status` and `check` tell what is wrong. So does one of a
/// file in which nothing can be found any more.
fn keep_last_good(mut new: Config, old: &Config) -> Config {
    new.keep_calendars_of(old);
    for (name, environment) in &old.environments {
        if !new.has(name)
            && let Some(problems) = old.file_of(name.as_str()).and_then(|file| new.unmanaged.get(file))
        {
            new.unmanaged.insert(name.to_string(), problems.clone());
        }
        if new.unmanaged.contains_key(name.as_str()) {
            new.environments.insert(name.clone(), with_roles_of(environment.clone(), &new.access));
        }
    }
    for (name, template) in old.templates.iter().filter(|(name, _)| new.templates_aside.contains_key(name.as_str())) {
        let sample = with_roles_of(template.sample.clone(), &new.access);
        new.templates.insert(name.clone(), Template { sample, ..template.clone() });
    }
    new
}

/// An environment of an earlier file with the roles of a newer one: what a role may not do any more, nobody may by it here.
fn with_roles_of(mut environment: Environment, access: &Access) -> Environment {
    environment.rules.grants.retain_mut(|grant| match access.roles.get(&grant.role.name) {
        Some(role) => {
            grant.role = Arc::clone(role);
            true
        }
        None => false,
    });
    environment
}

/// Whether a secret that stood in the file itself is missing in the text that was kept: its place would be taken for its value.
fn lacks_a_secret(environment: &Environment) -> bool {
    format!("{environment:?}").contains(REDACTED)
}

/// A text that was once read from `file`.
pub(super) fn read_again(file: &Path, text: &str) -> Option<Config> {
    config::parse(Source::new(file, text), &|name| std::env::var(name).ok()).ok()
}

/// As [`keep_last_good`], by what the ledger keeps of earlier files: for a process that did not see them.
pub(super) async fn go_on_as_kept(mut config: Config, store: &Store) -> Result<Config, LedgerError> {
    let misread: BTreeSet<String> = config.misread().map(str::to_owned).collect();
    if misread.is_empty() {
        return Ok(config);
    }
    let mut earlier: Vec<(String, Option<Config>)> = Vec::new();
    for (name, text) in audit::kept_configurations(store).await? {
        if !misread.contains(&name) {
            continue;
        }
        // Most often all broke with the same change.
        if earlier.last().is_none_or(|(known, _)| *known != text) {
            let read = read_again(&config.file, &text);
            earlier.push((text, read));
        }
        let Some(kept) = earlier.last().and_then(|(_, config)| config.as_ref()) else { continue };
        // A file in which nothing can be found stands for all that it had.
        let of_it = |environment: &&Environment| {
            environment.name.as_str() == name
                || kept.file_of(environment.name.as_str()) == Some(&name) && !config.has(&environment.name)
        };
        for environment in kept.environments.values().filter(of_it).cloned().collect::<Vec<_>>() {
            if lacks_a_secret(&environment) {
                tracing::error!(
                    environment = %environment.name,
                    "it does not go on by its last good configuration: a secret stood in that file, and secrets are not kept"
                );
                continue;
            }
            if let Some(problems) = config.unmanaged.get(&name).cloned() {
                config.unmanaged.entry(environment.name.to_string()).or_insert(problems);
            }
            let environment = with_roles_of(environment, &config.access);
            config.environments.insert(environment.name.clone(), environment);
        }
    }
    Ok(config)
}

/// Environments, and stacks of them, that `new` leaves out although they are raised; also environments that a run is about to
/// change.
async fn still_up(store: &Store, old: &Config, new: &Config) -> Result<Vec<String>, LedgerError> {
    let mut up = Vec::new();
    for (name, environment) in &old.environments {
        if let Some(kept) = new.environments.get(name) {
            let gone = environment.stacks.keys().filter(|stack| !kept.stacks.contains_key(*stack));
            let gone: Vec<_> = gone.collect();
            if !gone.is_empty() {
                let standings = stacks::standings(store, name).await?;
                let up_still = |stack: &&&StackName| standings.get(**stack).is_some_and(StackStanding::may_be_up);
                up.extend(gone.iter().filter(up_still).map(|stack| format!("{name}/{stack}")));
            }
        }
        if new.has(name) {
            continue;
        }
        let raised = environments::wanted(store, name).await?.is_some_and(|wanted| wanted.target.level != Level::Off);
        if raised || !runs::active(store, name).await?.is_empty() {
            up.push(name.to_string());
        }
    }
    Ok(up)
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;

    use super::*;
    use crate::agenda::timetable;
    use crate::config::{Newest, Rules};
    use crate::domain::ids::{ActorId, EnvironmentName, Timestamp};
    use crate::domain::schedule::{Signed, Stored, Written};

    const CONFIG: &str = "[calendars.team]\nfile = 'team.toml'\n\
        [environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
        [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
        [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

    /// 2026-11-24 is a Tuesday, and off.
    const DATES: &str = "days = ['2026-11-24']\n";

    /// A schedule that somebody typed with that calendar.
    fn typed() -> Stored {
        let keys = [("window", "Mon-Fri 09:00-21:00"), ("inside", "full"), ("outside", "small"), ("holidays", "team")];
        let keys: IndexMap<_, _> = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let by = ActorId::local("ito");
        let added = Signed { by, called: "ito".to_owned(), at: Timestamp(0), because: None, asked_as: None };
        let written = Written { name: "hours".to_owned(), keys };
        let environment: EnvironmentName = "shop".parse().unwrap();
        Stored { id: "1".to_owned(), environment, written, added, changed: None }
    }

    #[test]
    fn what_was_typed_with_a_calendar_stands_by_its_last_dates_when_that_breaks_or_goes_away() {
        let folder = tempfile::tempdir().unwrap();
        let (file, dates) = (folder.path().join("tidegate.toml"), folder.path().join("team.toml"));
        std::fs::create_dir(folder.path().join("app")).unwrap();
        std::fs::write(folder.path().join("app/main.tf"), "variable \"servers\" {\n  type = number\n}\n").unwrap();
        std::fs::write(&file, CONFIG).unwrap();
        std::fs::write(&dates, DATES).unwrap();
        let stored = [typed()];
        let of = |config: &Config| {
            let environment = config.environments.get(&stored[0].environment).unwrap();
            // A Monday.
            timetable(config, environment, &stored, Timestamp(1_795_392_000_000))
        };
        let mut config = config::load(&file).unwrap();
        let (first, left_out) = of(&config);
        assert_eq!((first.schedules.len(), left_out.len()), (1, 0), "{left_out:?}");
        // It breaks, breaks otherwise, and goes away: each time it is read again, from what was kept.
        for broken in [Some("days = ['2026-13-01']\n"), Some("days = "), None] {
            match broken {
                Some(text) => std::fs::write(&dates, text).unwrap(),
                None => std::fs::remove_file(&dates).unwrap(),
            }
            let new = config::load(&file).unwrap();
            assert_eq!(of(&new).1.len(), 1, "without its dates it is none");
            config = keep_last_good(new, &config);
            let (kept, left_out) = of(&config);
            assert_eq!((kept.schedules.len(), left_out.len()), (1, 0), "{left_out:?}");
            assert_eq!(kept.calendars, first.calendars, "{broken:?}");
        }
        // It is there again, with other dates.
        std::fs::write(&dates, "days = ['2026-11-25']\n").unwrap();
        config = keep_last_good(config::load(&file).unwrap(), &config);
        let (again, left_out) = of(&config);
        assert!(left_out.is_empty() && again.calendars != first.calendars, "{left_out:?}");
    }

    #[tokio::test]
    async fn whoever_asks_goes_by_what_the_files_say_at_that_moment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tidegate.toml");
        std::fs::create_dir(folder.path().join("app")).unwrap();
        std::fs::write(folder.path().join("app/main.tf"), "variable \"servers\" {\n  type = number\n}\n").unwrap();
        std::fs::write(folder.path().join("team.toml"), DATES).unwrap();
        let says = |protect: &str| CONFIG.replace("up = 'full'", &format!("up = 'full'\nprotect = ['{protect}']"));
        std::fs::write(&file, says("a.a")).unwrap();
        let store = Store::open(&format!("sqlite:{}", folder.path().join("ledger.db").display())).await.unwrap();
        let seen = stamp_of_files(&file);
        let in_force = InForce::begin(config::load(&file).unwrap(), &store).await.unwrap();
        let (newest, asked) = Newest::heard();
        let rules = Rules { newest: newest.clone(), config: in_force.config() };
        let reader = tokio::spawn(keep_reading(file.clone(), seen, Arc::clone(&in_force), asked));
        let shop = rules.config.borrow().environments.values().next().cloned().unwrap();
        // As long as it was, and put in its place with the times that it had.
        let times = std::fs::metadata(&file).unwrap().modified().unwrap();
        std::fs::write(folder.path().join("new.toml"), says("b.b")).unwrap();
        std::fs::File::options()
            .append(true)
            .open(folder.path().join("new.toml"))
            .unwrap()
            .set_modified(times)
            .unwrap();
        std::fs::rename(folder.path().join("new.toml"), &file).unwrap();
        assert_eq!(rules.now_of(&shop).await.protect, ["b.b"]);
        // What does not check is not in force, and that is told; as long as it lasts the rules are those before.
        std::fs::write(&file, says("c.c") + "[acces]\n").unwrap();
        assert!(newest.looked_at().await.is_err_and(|why| why.contains("tidegate.toml")));
        assert!(newest.looked_at().await.is_err(), "as long as it does not check");
        assert_eq!(rules.now_of(&shop).await.protect, ["b.b"]);
        std::fs::write(&file, says("c.c")).unwrap();
        assert_eq!(newest.looked_at().await, Ok(()));
        let now = rules
            .now_of(&Environment {
                rules: crate::domain::environment::Rules { adopted: true, ..shop.rules.clone() },
                ..shop.clone()
            })
            .await;
        assert!(now.protect == ["c.c"] && now.rules.adopted, "{now:?}");
        reader.abort();
        let _ = reader.await;
        assert!(newest.looked_at().await.is_err(), "nobody reads any more");
    }
}
