//! What one process of Tidegate is made of: configuration, ledger, desk, and the engine where none lives yet.

mod in_force;
mod reading;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::agenda::{self, ByFile};
use crate::bell::Bell;
use crate::clockwork::{self, Watch};
use crate::config::{self, Config, DatabaseConfig, MadeUp, Newest, Problems, Rules};
use crate::desk::Desk;
use crate::domain::access::{Least, Role, Who, given};
use crate::domain::holds::News;
use crate::domain::ids::{ActorId, Timestamp};
pub use crate::engine::engine_pid;
use crate::engine::{Echo, Engine, EngineLock, make_sure_of_state_folder, seen_elsewhere};
use crate::inspection::set_bad_roots_aside;
use crate::ledger::{Address, AddressError, LedgerError, OpenError, Store, audit, made, outbox, runners};
use crate::lives;
use crate::paths::Paths;
use crate::retries;
use crate::rollouts;
use crate::secrets::{self, ExposeSecret as _, Notice, SecretError, Secrets};
use crate::switch;
use crate::terraform::Supervisor;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use in_force::{InForce, keep_made};
use reading::{go_on_as_kept, keep_reading, note_configuration, read_again, stamp_of_files};

/// How often a process without an engine looks whether the one that lives has gone.
const LOOK_FOR_ENGINE: Duration = Duration::from_secs(1);

/// Longest that a process which ends waits for the ledger to hear that it is the clock no more.
const GIVE_BACK: Duration = Duration::from_secs(2);

/// How often an address of the ledger that is read from elsewhere is looked at: a password in it may have changed.
const LOOK_AT_ADDRESS: Duration = Duration::from_mins(1);

/// Everything that a command line works with.
#[derive(Debug)]
pub struct House {
    /// The one door.
    pub desk: Desk,
    /// Rings when something is new in the ledger.
    pub bell: Bell,
    /// The ledger.
    pub store: Store,
    config: watch::Receiver<Arc<Config>>,
    newest: Newest,
    sqlite: Option<PathBuf>,
    engine: Option<Keeper>,
    secrets: Secrets,
    reload: JoinHandle<()>,
    keep_fresh: JoinHandle<()>,
    _echo: Option<Echo>,
    clock: Option<(JoinHandle<()>, Watch)>,
    switches: Option<JoinHandle<()>>,
    rollouts: Option<JoinHandle<()>>,
    /// The configuration is not the file's, but the one that was last in force.
    last_good: bool,
}

/// Where the engine of a ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineAt {
    /// In this process.
    Here,
    /// In another one.
    Elsewhere {
        /// Its process id, where it is on this machine and known.
        pid: Option<u32>,
    },
    /// Nowhere.
    Nowhere,
}

/// Why a house cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// The configuration.
    #[error("{0}")]
    Config(Problems),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] OpenError),
    /// The ledger's address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The ledger's address cannot be read where the configuration says that it is.
    #[error("the ledger's address: {0}")]
    Secret(#[from] SecretError),
}

/// The task that is, or waits to become, the engine.
#[derive(Debug)]
struct Keeper {
    stop: watch::Sender<bool>,
    working: watch::Receiver<bool>,
    /// Why this process cannot be the engine; also where nothing else is it.
    hindered: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl House {
    /// Reads the configuration, opens the ledger, and goes on reading the configuration when it changes.
    ///
    /// # Errors
    /// [`HouseError`], each in words for people.
    pub async fn open(file: &Path) -> Result<Self, HouseError> {
        let seen = stamp_of_files(file);
        let config = set_bad_roots_aside(config::load(file).map_err(HouseError::Config)?);
        let secrets = Secrets::default();
        crate::redact::hide(secrets::told(&config, &secrets));
        let address = address(&config.database, &secrets).await?;
        let store = Store::open_at(&address).await?;
        let noted = note_configuration(&store, &config, &secrets).await;
        let of_ledger = |why| OpenError::Ledger { place: address.to_string(), why };
        noted.map_err(of_ledger)?;
        let config = go_on_as_kept(config, &store).await.map_err(of_ledger)?;
        let sqlite = match &address {
            Address::Sqlite(path) => Some(path.clone()),
            Address::Postgres(_) => None,
        };
        let in_force = InForce::begin(config, &store).await.map_err(of_ledger)?;
        let receiver = in_force.config();
        let bell = Bell::default();
        let (newest, asked) = Newest::heard();
        let desk = Desk::new(store.clone(), receiver.clone(), bell.clone());
        let desk = desk.with_secrets(secrets.clone()).with_newest(newest.clone());
        let keep_fresh = tokio::spawn(keep_fresh(secrets.clone(), store.clone(), receiver.clone(), bell.clone()));
        // Whoever asks will hear of an unreadable ledger; here it would only keep the rest from working.
        for (name, wanted) in desk.departed().await.unwrap_or_default() {
            if wanted.is_some() {
                tracing::error!(environment = %name, "still raised, but not in the configuration any more: `status` tells the way back");
            }
        }
        let reads = keep_reading(file.to_owned(), seen, Arc::clone(&in_force), asked);
        let hears = keep_made(in_force, bell.clone());
        let reload = tokio::spawn(async move {
            tokio::join!(reads, hears);
        });
        let echo = hear_others(sqlite.as_deref(), &bell);
        Ok(Self {
            last_good: false,
            desk,
            bell,
            store,
            config: receiver,
            newest,
            sqlite,
            engine: None,
            secrets,
            reload,
            keep_fresh,
            _echo: echo,
            clock: None,
            switches: None,
            rollouts: None,
        })
    }

    /// Opens the ledger of a file that does not check with the configuration that was last in force, so that one can look and stop
    /// what runs. It never becomes the engine. `None` when the file does not tell where the ledger is, or there is none.
    ///
    /// # Errors
    /// [`HouseError`], each in words for people.
    pub async fn open_with_last_good(file: &Path) -> Result<Option<Self>, HouseError> {
        let Some(database) = config::database_of(file) else { return Ok(None) };
        let secrets = Secrets::default();
        let address = address(&database, &secrets).await?;
        let sqlite = match &address {
            Address::Sqlite(path) if !path.exists() => return Ok(None),
            Address::Sqlite(path) => Some(path.clone()),
            Address::Postgres(_) => None,
        };
        let store = Store::open_at(&address).await?;
        let known = audit::known_configuration(&store).await;
        let known = known.map_err(|why| OpenError::Ledger { place: address.to_string(), why })?;
        let read = |text: String| read_again(file, &text);
        // Another ledger than its own would be one that only happens to lie where the file no longer says otherwise.
        let same = |config: &Config| sqlite.is_none() || config.database == database;
        let Some(config) = known.and_then(read).filter(same) else { return Ok(None) };
        let of_ledger = |why| OpenError::Ledger { place: address.to_string(), why };
        let config = go_on_as_kept(config, &store).await.map_err(of_ledger)?;
        crate::redact::hide(secrets::told(&config, &secrets));
        let in_force = InForce::begin(config, &store).await.map_err(of_ledger)?;
        let receiver = in_force.config();
        let bell = Bell::default();
        let desk = Desk::new(store.clone(), receiver.clone(), bell.clone()).with_secrets(secrets.clone());
        let echo = hear_others(sqlite.as_deref(), &bell);
        // Nothing is read again: it lasts for one answer.
        let reload = tokio::spawn(async move {
            let _kept = in_force;
            std::future::pending::<()>().await;
        });
        let keep_fresh = tokio::spawn(async {});
        Ok(Some(Self {
            last_good: true,
            desk,
            bell,
            store,
            config: receiver,
            newest: Newest::default(),
            sqlite,
            engine: None,
            secrets,
            reload,
            keep_fresh,
            _echo: echo,
            clock: None,
            switches: None,
            rollouts: None,
        }))
    }

    /// Whether this process may become the engine.
    #[must_use]
    pub fn may_be_engine(&self) -> bool {
        !self.last_good
    }

    /// The configuration as it is now.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.borrow())
    }

    /// The room of secrets, which what else this process does shares.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// True when no other process can be the engine of this ledger while this one is: it lies in a file.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.sqlite.is_some()
    }

    /// Tells whether this process is the engine; `None` where it does not try to be.
    #[must_use]
    pub fn working(&self) -> Option<watch::Receiver<bool>> {
        self.engine.as_ref().map(|keeper| keeper.working.clone())
    }

    /// Is the engine from now on, or becomes it as soon as the one that lives has gone, unless it may not be.
    pub fn start_engine(&mut self) {
        if self.last_good {
            return;
        }
        let (stop, stopped) = watch::channel(false);
        let (tell, working) = watch::channel(false);
        let (tell_why, hindered) = watch::channel(None);
        let keeper = Keep {
            store: self.store.clone(),
            config: self.config.clone(),
            newest: self.newest.clone(),
            bell: self.bell.clone(),
            sqlite: self.sqlite.clone(),
            secrets: self.secrets.clone(),
        };
        let task = tokio::spawn(keeper.keep(stopped, tell, tell_why));
        let many = rollouts::run(self.desk.clone(), self.bell.clone(), working.clone());
        let lives = lives::run(self.desk.clone(), self.bell.clone(), working.clone());
        let again = retries::run(self.desk.clone(), working.clone());
        let all = async move {
            tokio::join!(many, lives, again);
        };
        if let Some(before) = self.rollouts.replace(tokio::spawn(all)) {
            before.abort();
        }
        self.engine = Some(Keeper { stop, working, hindered, task });
    }

    /// Follows the schedules, until the house is closed. Any number of processes may: one of them is the clock, and another one goes on
    /// where that falls silent.
    pub fn start_clock(&mut self) {
        if self.last_good || self.clock.is_some() {
            return;
        }
        let (desk, store) = (self.desk.clone(), self.store.clone());
        let (bell, config) = (self.bell.clone(), self.config.clone());
        let ends = switch::run(desk.clone(), store.clone(), self.secrets.clone(), bell.clone(), config.clone());
        self.switches = Some(tokio::spawn(ends));
        let watch = Watch::over(self.sqlite.as_deref());
        let task = tokio::spawn(clockwork::run(desk, store, bell, config, watch.clone()));
        self.clock = Some((task, watch));
    }

    /// Whether this process is the engine, or becomes it as soon as the one that lives has gone.
    #[must_use]
    pub fn has_engine(&self) -> bool {
        self.engine.is_some()
    }

    /// Waits a moment until it is known whether this process is the engine, and says so.
    pub async fn is_engine(&mut self) -> bool {
        let Some(keeper) = &mut self.engine else { return false };
        // The first look takes some milliseconds; a ledger that is slow to answer is no reason to wait for ever.
        let _ = tokio::time::timeout(LOOK_FOR_ENGINE, keeper.working.wait_for(|working| *working)).await;
        *keeper.working.borrow()
    }

    /// Where the engine of this ledger is, as far as this moment tells.
    pub async fn engine_at(&self) -> EngineAt {
        if self.engine.as_ref().is_some_and(|keeper| *keeper.working.borrow()) {
            return EngineAt::Here;
        }
        if self.an_engine_lives().await {
            EngineAt::Elsewhere { pid: self.sqlite.as_deref().and_then(engine_pid) }
        } else {
            EngineAt::Nowhere
        }
    }

    /// Whether some process is the engine of this ledger. On PostgreSQL any runner that was seen lately counts.
    pub async fn an_engine_lives(&self) -> bool {
        // What cannot be read tells of none that died.
        let lease_ms = lease_ms(&self.config());
        if let Some(path) = &self.sqlite {
            // Where the lock may not be looked at, the ledger alone says.
            let held = EngineLock::is_held(path).unwrap_or(false);
            return held || seen_elsewhere(&self.store, lease_ms).await.map_or(true, |pid| pid.is_some());
        }
        runners::alive(&self.store, lease_ms).await.map_or(true, |all| !all.is_empty())
    }

    /// Why this process, which shall be the engine, cannot be it.
    #[must_use]
    pub fn hindrance(&self) -> Option<String> {
        self.engine.as_ref().and_then(|keeper| keeper.hindered.borrow().clone())
    }

    /// Waits until this process, which shall be the engine, cannot be it while no other one is, and says why. Does not end where
    /// that does not come.
    pub async fn nobody_works(&self) -> String {
        let mut hindered = match &self.engine {
            Some(keeper) => keeper.hindered.clone(),
            None => return std::future::pending().await,
        };
        loop {
            let why = hindered.borrow_and_update().clone();
            if let Some(why) = why
                && !self.an_engine_lives().await
            {
                return why;
            }
            tokio::select! {
                Ok(()) = hindered.changed() => {}
                // The engine elsewhere may have gone.
                () = tokio::time::sleep(LOOK_FOR_ENGINE) => {}
            }
        }
    }

    /// Stops the engine of this process, if it has one: it drains.
    pub async fn close(mut self) {
        self.keep_fresh.abort();
        if let Some(switches) = &self.switches {
            switches.abort();
        }
        if let Some(rollouts) = &self.rollouts {
            rollouts.abort();
        }
        if let Some((clock, watch)) = self.clock.take() {
            clock.abort();
            // A look that is under way ends first: nobody else begins one beside it.
            let _ = clock.await;
            match tokio::time::timeout(GIVE_BACK, watch.give_back(&self.store)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "another process follows the schedules a moment later than it could");
                }
                Err(_) => tracing::warn!("another process follows the schedules a moment later: the ledger is slow"),
            }
        }
        if let Some(keeper) = self.engine.take() {
            keeper.stop.send_replace(true);
            if let Err(error) = keeper.task.await {
                tracing::error!(%error, "the engine ended abnormally");
            }
        }
        // Last: what still runs goes by rules that are read until then.
        self.reload.abort();
    }
}

/// Where the ledger of a configuration is.
///
/// # Errors
/// When the address, or the secret that it is, cannot be read.
pub async fn address(database: &DatabaseConfig, secrets: &Secrets) -> Result<Address, HouseError> {
    match database {
        DatabaseConfig::Sqlite(path) => Ok(Address::Sqlite(path.clone())),
        DatabaseConfig::Postgres(url) => Ok(url.parse()?),
        DatabaseConfig::Elsewhere { source, folder } => {
            let url = secrets.get(source).await?;
            match DatabaseConfig::of_url(url.expose_secret(), folder) {
                Some(DatabaseConfig::Sqlite(path)) => Ok(Address::Sqlite(path)),
                Some(DatabaseConfig::Postgres(url)) => Ok(url.parse()?),
                Some(DatabaseConfig::Elsewhere { .. }) | None => Err(AddressError::Scheme.into()),
            }
        }
    }
}

/// What a configuration does as soon as it is taken, by what its ledger has, and when that was read. `None`: the ledger is on a
/// server, or there is none, or it has another format than this program's.
///
/// # Errors
/// The ledger cannot be read.
pub async fn by_file(config: &Arc<Config>) -> Result<Option<(Vec<ByFile>, Timestamp)>, HouseError> {
    let DatabaseConfig::Sqlite(path) = &config.database else { return Ok(None) };
    let address = Address::Sqlite(path.clone());
    let Some(store) = Store::look_into(&address).await? else { return Ok(None) };
    let of_ledger = |why| OpenError::Ledger { place: address.to_string(), why };
    let now = store.now().await.map_err(of_ledger)?;
    let all = agenda::by_file(&store, config, now).await.map_err(of_ledger)?;
    Ok(Some((all, now)))
}

/// The configuration with what its ledger has of what was made; as it is where the ledger is on a server, or there is none, or it has
/// another format than this program's.
///
/// # Errors
/// The ledger cannot be read.
pub async fn with_made(config: Config) -> Result<Config, HouseError> {
    let DatabaseConfig::Sqlite(path) = &config.database else { return Ok(config) };
    let address = Address::Sqlite(path.clone());
    let Some(store) = Store::look_into(&address).await? else { return Ok(config) };
    let of_ledger = |why| OpenError::Ledger { place: address.to_string(), why };
    let all = made::existing(&store).await.map_err(of_ledger)?.all;
    Ok(config.with_made(MadeUp { all, broken: Vec::new() }))
}

/// Rings `bell` when another process on the same SQLite file commits. Where nothing tells of it, it is seen at the next look.
fn hear_others(sqlite: Option<&Path>, bell: &Bell) -> Option<Echo> {
    Echo::start(sqlite?, bell.clone())
        .inspect_err(|error| tracing::warn!(%error, "what other processes write is seen a little later"))
        .ok()
}

/// Keeps secrets fresh, and puts what people should know of them into the outbox.
async fn keep_fresh(secrets: Secrets, store: Store, config: watch::Receiver<Arc<Config>>, bell: Bell) {
    let (sender, mut notices) = mpsc::unbounded_channel();
    secrets.tell(sender);
    let tell = async {
        while let Some(Notice(text)) = notices.recv().await {
            let (doors, local) = {
                let config = config.borrow();
                (config.chat.admin_doors().collect(), local_admins(&config))
            };
            match put_notice(&store, doors, &local, &text).await {
                Ok(()) => bell.ring(),
                Err(error) => tracing::error!(%error, text, "a notice cannot be stored"),
            }
        }
    };
    let reconnect = async {
        loop {
            tokio::time::sleep(LOOK_AT_ADDRESS).await;
            let database = config.borrow().database.clone();
            // What is wrong with it was told; connections that stand go on.
            if matches!(database, DatabaseConfig::Elsewhere { .. })
                && let Ok(address) = address(&database, &secrets).await
            {
                store.connect_as(&address);
            }
        }
    };
    tokio::join!(secrets.keep_fresh(), tell, reconnect);
}

async fn put_notice(
    store: &Store,
    doors: Vec<&'static str>,
    local: &BTreeSet<ActorId>,
    text: &str,
) -> Result<(), LedgerError> {
    let mut tx = store.begin().await?;
    outbox::put_notice(&mut tx, doors, text).await?;
    for admin in local {
        outbox::put_news(&mut tx, admin, &News::Notice { text: text.to_owned() }).await?;
    }
    tx.commit().await
}

/// The admins who are users of this machine: they hear of it at the prompt of their shell.
fn local_admins(config: &Config) -> BTreeSet<ActorId> {
    let admin = Role::built_in(Least::Admin);
    let named =
        given(&config.access, None).filter(|grant| grant.role.includes(&admin)).filter_map(|grant| match grant.who {
            Who::Named(id) => Some(id),
            Who::Everyone => None,
        });
    let people = named.flat_map(|id| config.access.people(&id));
    people.filter(|id| id.as_str().starts_with("local:")).collect()
}

/// How long a runner that says nothing still counts as alive, in milliseconds.
fn lease_ms(config: &Config) -> i64 {
    i64::from(config.runner.lease_s) * 1_000
}

struct Keep {
    store: Store,
    config: watch::Receiver<Arc<Config>>,
    newest: Newest,
    bell: Bell,
    sqlite: Option<PathBuf>,
    secrets: Secrets,
}

impl Keep {
    /// The process that is the engine of this SQLite file although the lock is ours.
    async fn engine_without_lock(&self) -> Option<i32> {
        self.sqlite.as_ref()?;
        let lease_ms = lease_ms(&self.config.borrow());
        // A ledger that does not answer is told when the engine is made.
        seen_elsewhere(&self.store, lease_ms).await.unwrap_or_default()
    }

    /// The right to be the engine of this ledger. Without it: why, unless all is well because another process is the engine.
    async fn lock(&self) -> Result<EngineLock, Option<String>> {
        let sqlite = self.sqlite.as_deref();
        if sqlite.is_some_and(|ledger| EngineLock::is_held(ledger).unwrap_or(false)) {
            return Err(None);
        }
        make_sure_of_state_folder(&Paths::new(&self.config.borrow().runner.state_dir))
            .map_err(|error| Some(error.to_string()))?;
        let lock = EngineLock::try_take(sqlite).map_err(|error| Some(error.to_string()))?;
        let lock = lock.ok_or(None)?;
        match self.engine_without_lock().await {
            None => Ok(lock),
            // Given back at once, so that the other can have it again.
            Some(pid) => Err(Some(format!(
                "process {pid} carried out runs a moment ago and still lives, though the lock is not its own any more"
            ))),
        }
    }

    async fn keep(
        self,
        mut stop: watch::Receiver<bool>,
        working: watch::Sender<bool>,
        hindered: watch::Sender<Option<String>>,
    ) {
        let mut told = None;
        loop {
            let mut lock = loop {
                let why = match self.lock().await {
                    Ok(lock) => break lock,
                    Err(why) => why,
                };
                if let Some(error) = why.as_ref().filter(|why| told.as_ref() != Some(*why)) {
                    tracing::error!(error, "no engine here; trying again");
                    told = Some(error.clone());
                }
                hindered.send_replace(why);
                tokio::select! {
                    () = tokio::time::sleep(LOOK_FOR_ENGINE) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            };
            hindered.send_replace(None);
            let why = self.work(&mut lock, stop.clone(), &working, told.take().is_some()).await;
            working.send_replace(false);
            let Err(why) = why else { return };
            tracing::error!(why, "no engine here any more; trying again");
            hindered.send_replace(Some(why.clone()));
            told = Some(why);
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_ENGINE) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Is the engine until it is to stop, or cannot be any more: then why.
    async fn work(
        &self,
        lock: &mut EngineLock,
        mut stop: watch::Receiver<bool>,
        working: &watch::Sender<bool>,
        at_last: bool,
    ) -> Result<(), String> {
        let supervisor = match std::env::current_exe() {
            Ok(exe) => Supervisor { exe, args: vec!["supervise".into()] },
            Err(error) => {
                tokio::time::sleep(LOOK_FOR_ENGINE).await;
                return Err(format!("this program cannot find itself ({error})"));
            }
        };
        let alone = self.sqlite.is_some();
        loop {
            let (store, bell) = (self.store.clone(), self.bell.clone());
            let rules = Rules { newest: self.newest.clone(), config: self.config.clone() };
            match Engine::new(store, rules, bell, supervisor.clone(), self.secrets.clone(), alone).await {
                Ok(engine) => {
                    if at_last {
                        tracing::info!("carrying out runs now");
                    }
                    working.send_replace(true);
                    return tokio::select! {
                        ended = engine.run(stop) => ended,
                        () = keep_lock(lock, self.sqlite.as_deref()) => Ok(()),
                    };
                }
                Err(error) => tracing::error!(%error, "no engine here yet"),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_FOR_ENGINE) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
    }
}

/// Makes the lock's file again whenever somebody removes it. Never returns.
async fn keep_lock(lock: &mut EngineLock, ledger: Option<&Path>) {
    loop {
        tokio::time::sleep(LOOK_FOR_ENGINE).await;
        if let Err(error) = lock.restore(ledger) {
            tracing::error!(%error, "another process could take itself for the engine; trying again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Actor;
    use crate::ledger::tests::on_both;
    use crate::problem::source::Source;

    #[tokio::test]
    async fn what_is_wrong_with_a_secret_is_told_to_each_admin_at_the_prompt_once() {
        let text = "[access]\nadmin = ['local:boss', 'slack:S1', 'slack:U9']\nowner = ['local:ito']\n\
            [groups]\n'slack:S1' = ['local:abe', 'local:boss']\n\
            [environments.shop]\n[[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n";
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).expect("a configuration");
        on_both(async |store| {
            let doors = config.chat.admin_doors().collect();
            put_notice(&store, doors, &local_admins(&config), "a secret could not be refreshed").await.expect("kept");
            let desk = Desk::new(store, watch::channel(Arc::new(config.clone())).1, Bell::default());
            for (who, times) in [("boss", 1), ("abe", 1), ("ito", 0), ("boss", 0)] {
                let told = desk.news("shell", &Actor::person(ActorId::local(who), who)).await.expect("news");
                for untold in &told {
                    assert!(matches!(&untold.news, News::Notice { text } if text.contains("refreshed")), "{told:?}");
                    assert!(desk.news_told(untold).await.expect("told"));
                }
                assert_eq!(told.len(), times, "{who}: {told:?}");
            }
        })
        .await;
    }
}
