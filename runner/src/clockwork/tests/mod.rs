//! The clock with a time that is given to it, on both databases and without an engine: a run that it causes stays in the queue.

mod again;
mod apart;
mod bent;
mod booked;
mod by_chat;
mod changes;
mod early;
mod fresh;
mod graces;
mod kept;
mod looks;
mod moments;
mod off;
mod once;
mod overdue;
mod pauses;
mod told;
mod warned;
mod year;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use tokio::sync::watch;

use super::round::{LONGEST_MS, Round};
use super::watch::Held;
use super::*;
use crate::bell::Bell;
use crate::config::{self, Config};
use crate::desk::Message;
use crate::desk::clock::Warned;
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::AuditFilter;
use crate::domain::command::Order;
use crate::domain::holds::News;
use crate::domain::ids::{ActorId, RunNumber};
use crate::domain::policy::Place;
use crate::domain::request::{RunRequest, Target};
use crate::domain::schedule::{Bend, Bent, ClockNews, Skipped, Written};
use crate::ledger::outbox::{self, Address};
use crate::ledger::runs::NewRun;
use crate::ledger::tests::{on_both, sql};
use crate::ledger::{audit, bends as ledger_bends, environments, runs, schedules};
use crate::problem::source::Source;

const CONFIG: &str = "[environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n\
    [[environments.shop.schedules]]\nname = 'hours'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n";

const UNSCHEDULED: &str = "[environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

struct Room {
    store: Store,
    config: Arc<Config>,
}

impl Room {
    async fn new(store: Store) -> Self {
        Self::with(store, "").await
    }

    /// With more lines for its schedule.
    async fn with(store: Store, more: &str) -> Self {
        let config = format!("{CONFIG}{more}");
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &config), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let room = Self { store, config: Arc::new(config) };
        room.wants("small").await;
        room
    }

    /// A process begins.
    fn clock(&self) -> Clockwork {
        let told = watch::channel(Arc::clone(&self.config)).1;
        Clockwork::new(Desk::new(self.store.clone(), told, Bell::default()), self.store.clone())
    }

    async fn wants(&self, level: &str) {
        let mut tx = self.store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &shop(), Some(&target(level)), None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What is in the queue: the levels, oldest first.
    async fn queue(&self) -> Vec<String> {
        let active = runs::active(&self.store, &shop()).await.unwrap();
        active.iter().map(|run: &RunSummary| run.request.target.level.to_string()).collect()
    }

    /// Everything in the queue is done.
    async fn all_done(&self) {
        if let Some(last) = runs::active(&self.store, &shop()).await.unwrap().last() {
            let mut tx = self.store.begin().await.unwrap();
            let wanted = target(&last.request.target.level.to_string());
            environments::set_wanted(&mut tx, &shop(), Some(&wanted), Some(last.number)).await.unwrap();
            tx.commit().await.unwrap();
        }
        self.end_as("succeeded").await;
    }

    /// Somebody holds it, for years.
    async fn is_held(&self) {
        self.is_held_until(Timestamp(1_900_000_000_000)).await;
    }

    /// The same until a moment.
    async fn is_held_until(&self, until: Timestamp) {
        let values = "'hold', 'shop', 'shop', 'local:sato', 'sato', '[]', 'we measure', 0";
        self.hold(&format!("{values}, {}, NULL, NULL", until.0)).await;
    }

    /// Nobody holds it any more.
    async fn is_free(&self) {
        sql(&self.store, "UPDATE holds SET ended_at = 1, ended_how = 'lifted'").await.unwrap();
    }

    /// Its owner keeps it up.
    async fn keeps(&self, from: Timestamp, until: Timestamp) {
        let (from, until) = (from.0, until.0);
        let keep = "'keep', 'shop', 'shop local:ito', 'local:ito', 'ito', '[]', 'we measure'";
        self.hold(&format!("{keep}, {from}, {until}, NULL, NULL")).await;
    }

    /// Keeps are over as they were said to be.
    async fn keeps_are_over(&self) {
        sql(&self.store, "UPDATE holds SET ended_at = until_at, ended_how = 'lapsed'").await.unwrap();
    }

    async fn hold(&self, values: &str) {
        let columns =
            "kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at, ended_at, ended_how";
        let number = "(SELECT COUNT(*) + 1 FROM holds)";
        sql(&self.store, &format!("INSERT INTO holds (number, {columns}) VALUES ({number}, {values})")).await.unwrap();
    }

    /// Nobody wants anything of it any more.
    async fn is_destroyed(&self) {
        let mut tx = self.store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &shop(), None, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Its owner types a command that only looks.
    async fn looks(&self, line: &str) {
        let told = watch::channel(Arc::clone(&self.config)).1;
        let desk = Desk::new(self.store.clone(), told, Bell::default());
        let message = Message {
            key: format!("m {line}"),
            actor: Actor::person(ActorId::local("ito"), "ito"),
            place: Place::shell(),
            typed: line.to_owned(),
        };
        let environment = shop();
        let order = match line.split(' ').next() {
            Some("preflight") => Order::Preflight { environment },
            Some("drift") => Order::Drift { environment },
            Some("sweep") => Order::Sweep { environment, remove: false },
            _ => Order::Plan { environment, level: None, settings: Vec::new(), newest_code: false },
        };
        desk.submit(&message, &order, None).await.unwrap();
    }

    /// Everything in the queue ends so.
    async fn end_as(&self, outcome: &str) {
        let state = format!("{{\"state\":\"ended\",\"outcome\":\"{outcome}\"}}");
        let ended = format!("status = '{outcome}', state = '{state}', ended_at = updated_at");
        sql(&self.store, &format!("UPDATE runs SET {ended} WHERE ended_at IS NULL")).await.unwrap();
    }
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn target(level: &str) -> Target {
    Target { level: level.parse().unwrap(), settings: std::collections::BTreeMap::new() }
}

/// In Tokyo; 2037-11-23 is a Monday.
fn at(text: &str) -> Timestamp {
    Timestamp(DateTime::parse_from_rfc3339(&format!("{text}:00+09:00")).unwrap().timestamp_millis())
}

fn outcomes(looked: &Looked) -> Vec<&Turned> {
    looked.turned.iter().map(|(_, turned)| turned).collect()
}

/// What somebody bends, as the desk would have noted it.
async fn bends(room: &Room, bend: Bend, until: Timestamp) -> Bent {
    let ito = Actor::person(ActorId::local("ito"), "ito");
    let mut tx = room.store.begin().await.unwrap();
    let noted = ledger_bends::begin(&mut tx, &shop(), bend, until, &ito, Some("we measure")).await.unwrap();
    tx.commit().await.unwrap();
    noted
}

/// A person's run that has brought `level` about.
async fn visits(room: &Room, level: &str, accepted: Timestamp, until: Option<Timestamp>) {
    let environment = room.config.environments.get(&shop()).unwrap();
    let request = RunRequest { until, ..crate::domain::request::turn(environment, target(level), String::new(), None) };
    let asker = Actor::person(ActorId::local("ito"), "ito");
    let id = crate::ledger::ids::run_id(room.store.now().await.unwrap());
    let mut tx = room.store.begin().await.unwrap();
    let run = NewRun { id, request, asker, door: "shell".to_owned(), place: None };
    let run = runs::insert(&mut tx, run).await.unwrap();
    environments::set_wanted(&mut tx, &shop(), Some(&target(level)), Some(run.number)).await.unwrap();
    tx.commit().await.unwrap();
    room.end_as("succeeded").await;
    let (number, at) = (run.number, accepted.0);
    let dated = format!("UPDATE runs SET accepted_at = {at}, ended_at = {at} WHERE number = {number}");
    sql(&room.store, &dated).await.unwrap();
}

/// What whoever looks after the environment has been told of the clock, oldest first.
async fn told(room: &Room) -> Vec<ClockNews> {
    let pending = outbox::pending(&room.store, &Address::of(&ActorId::local("ito"))).await.unwrap();
    let news = pending.iter().filter_map(|message| outbox::news(message).unwrap());
    let of_clock = news.filter_map(|news| match news {
        News::Clock { said, .. } => Some(said),
        _ => None,
    });
    of_clock.collect()
}
