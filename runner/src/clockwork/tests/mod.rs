//! The clock with a time that is given to it, on both databases and without an engine: a run that it causes stays in the queue.

mod by_chat;
mod changes;
mod early;
mod fresh;
mod pauses;
mod told;
mod year;

use std::sync::Arc;

use chrono::{DateTime, NaiveDate};
use tokio::sync::watch;

use super::*;
use crate::config;
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::AuditFilter;
use crate::domain::holds::News;
use crate::domain::ids::ActorId;
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
        if let Some(last) = self.queue().await.last() {
            self.wants(&last.clone()).await;
        }
        self.end_as("succeeded").await;
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

/// In Tokyo; 2026-11-23 is a Monday.
fn at(text: &str) -> Timestamp {
    Timestamp(DateTime::parse_from_rfc3339(&format!("{text}:00+09:00")).unwrap().timestamp_millis())
}

fn outcomes(looked: &Looked) -> Vec<&Turned> {
    looked.turned.iter().map(|(_, turned)| turned).collect()
}

#[tokio::test]
async fn a_transition_that_was_due_while_nobody_looked_is_made_late_and_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let looked = room.clock().look(at("2026-11-23T07:55")).await.unwrap();
        assert_eq!((outcomes(&looked), looked.next), (vec![], Some(at("2026-11-23T09:00"))));
        let mut clock = room.clock();
        let looked = clock.look(at("2026-11-23T09:30")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["full"]);
        assert_eq!(clock.look(at("2026-11-23T09:31")).await.unwrap().turned, []);
        assert_eq!(room.clock().look(at("2026-11-23T09:32")).await.unwrap().turned, []);
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn days_without_anybody_are_one_transition_or_none() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        room.clock().look(at("2026-11-26T10:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        room.all_done().await;
        let looked = room.clock().look(at("2026-11-27T12:00")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Nothing], "down and up again in between: it is where it should be");
        assert!(room.queue().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_is_later_than_the_catch_up_window_is_not_made() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        let looked = room.clock().look(at("2026-11-23T13:01")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Missed]);
        assert!(room.queue().await.is_empty());
        // The next one is made as ever: it is there already.
        let looked = room.clock().look(at("2026-11-23T21:00")).await.unwrap();
        assert_eq!(outcomes(&looked), [&Turned::Nothing]);
    })
    .await;
}

#[tokio::test]
async fn however_many_clocks_look_it_is_made_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let days = ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"];
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        for day in days {
            for (time, level) in [("09:00", "full"), ("21:00", "small")] {
                let now = at(&format!("{day}T{time}"));
                let (mut one, mut other, mut third) = (room.clock(), room.clock(), room.clock());
                let (one, other, third) =
                    tokio::join!(Box::pin(one.look(now)), Box::pin(other.look(now)), Box::pin(third.look(now)));
                let runs = [one, other, third]
                    .into_iter()
                    .map(|looked| looked.unwrap().turned.iter().filter(|(_, turned)| turned.run().is_some()).count());
                assert_eq!(runs.sum::<usize>(), 1, "{day} {time}");
                assert_eq!(room.queue().await, [level]);
                room.all_done().await;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_keep_moves_the_evening_and_then_it_goes_down_by_itself_once() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2026-11-23T20:50")).await.unwrap();
        let (began, until) = (at("2026-11-23T20:58").0, at("2026-11-23T22:58").0);
        sql(
            &room.store,
            &format!(
                "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
                 VALUES (1, 'keep', 'shop', 'shop local:ito', 'local:ito', 'ito', '[]', 'we measure', {began}, {until})"
            ),
        )
        .await
        .unwrap();
        // Restarted in between.
        let looked = room.clock().look(at("2026-11-23T21:30")).await.unwrap();
        assert_eq!((outcomes(&looked), looked.next), (vec![], Some(at("2026-11-23T22:43"))), "when it warns");
        sql(&room.store, &format!("UPDATE holds SET ended_at = {until}, ended_how = 'lapsed'")).await.unwrap();
        let looked = room.clock().look(at("2026-11-23T22:58")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(room.clock().look(at("2026-11-23T23:30")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn what_is_held_is_refused_and_made_when_it_is_free_again() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        sql(
            &room.store,
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
             VALUES (1, 'hold', 'shop', 'shop', 'local:ito', 'ito', '[]', 'we measure', 0, 1900000000000)",
        )
        .await
        .unwrap();
        let mut clock = room.clock();
        let looked = clock.look(at("2026-11-23T09:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Refused(_)]), "{looked:?}");
        clock.look(at("2026-11-23T09:02")).await.unwrap();
        assert!(room.queue().await.is_empty());
        sql(&room.store, "UPDATE holds SET ended_at = 1, ended_how = 'lifted'").await.unwrap();
        clock.look(at("2026-11-23T09:30")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        clock.look(at("2026-11-23T10:30")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_twice() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2026-11-23T08:59")).await.unwrap();
        clock.look(at("2026-11-23T09:01")).await.unwrap();
        clock.look(at("2026-11-23T08:30")).await.unwrap();
        room.clock().look(at("2026-11-23T08:31")).await.unwrap();
        clock.look(at("2026-11-23T09:02")).await.unwrap();
        room.clock().look(at("2026-11-23T09:03")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
    })
    .await;
}

#[tokio::test]
async fn a_run_that_failed_is_tried_again_within_its_window_and_one_that_a_person_stopped_is_not() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        let mut clock = room.clock();
        clock.look(at("2026-11-23T09:00")).await.unwrap();
        room.end_as("failed").await;
        clock.look(at("2026-11-23T09:05")).await.unwrap();
        let again = runs::active(&room.store, &shop()).await.unwrap();
        assert_eq!(again.iter().map(|run| run.request.retry_of.map(|run| run.0)).collect::<Vec<_>>(), [Some(1)]);
        room.end_as("cancelled").await;
        clock.look(at("2026-11-23T09:30")).await.unwrap();
        assert!(room.queue().await.is_empty());
    })
    .await;
}

/// What somebody bends, as the desk would have noted it.
async fn bends(room: &Room, bend: Bend, until: Timestamp) -> Bent {
    let ito = Actor::person(ActorId::local("ito"), "ito");
    let mut tx = room.store.begin().await.unwrap();
    let noted = ledger_bends::begin(&mut tx, &shop(), bend, until, &ito, Some("we measure")).await.unwrap();
    tx.commit().await.unwrap();
    noted
}

#[tokio::test]
async fn what_is_skipped_is_not_made_and_what_comes_after_it_is() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        room.clock().look(at("2026-11-23T20:00")).await.unwrap();
        let local = NaiveDate::from_ymd_opt(2026, 11, 23).unwrap().and_hms_opt(21, 0, 0).unwrap();
        let skip = Bend::Skip(Skipped::One { schedule: "hours".to_owned(), local });
        bends(&room, skip, at("2027-12-01T00:00")).await;
        for (now, made) in [("2026-11-23T21:00", 0), ("2026-11-23T23:00", 0), ("2026-11-24T09:00", 0)] {
            let looked = room.clock().look(at(now)).await.unwrap();
            assert_eq!(looked.turned.len(), made, "{now}: {looked:?}");
        }
        assert!(room.queue().await.is_empty());
        room.clock().look(at("2026-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
}

#[tokio::test]
async fn while_schedules_are_paused_nothing_is_made_and_at_the_end_what_they_then_ask_for() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2026-11-23T20:00")).await.unwrap();
        let (from, until) = (at("2026-11-23T20:10"), at("2026-11-25T12:00"));
        let pause = bends(&room, Bend::Pause { from, until: Some(until) }, until).await;
        for now in ["2026-11-23T21:00", "2026-11-24T09:00", "2026-11-24T21:00"] {
            assert_eq!(clock.look(at(now)).await.unwrap().turned, [], "{now}");
        }
        // Somebody resumes a moment before the clock looks, by a clock that is a little behind.
        clock.look(at("2026-11-24T22:00")).await.unwrap();
        let mut tx = room.store.begin().await.unwrap();
        ledger_bends::shorten(&mut tx, &pause, at("2026-11-24T22:00").plus_ms(-1_500)).await.unwrap();
        tx.commit().await.unwrap();
        clock.look(at("2026-11-24T22:01")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(clock.look(at("2026-11-24T22:02")).await.unwrap().turned, []);
    })
    .await;
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

#[tokio::test]
async fn a_persons_change_holds_until_the_next_transition_or_as_long_as_they_said() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2026-11-23T22:00")).await.unwrap();
        // Over the night by default: never longer than 12 hours, and to the morning here.
        visits(&room, "full", at("2026-11-23T22:10"), None).await;
        assert_eq!(
            clock.look(at("2026-11-23T22:11")).await.unwrap().next,
            Some(at("2026-11-24T20:45")),
            "when it warns"
        );
        // For three hours, and back to what the schedules then ask for.
        visits(&room, "full", at("2026-11-23T22:20"), Some(at("2026-11-24T01:20"))).await;
        assert_eq!(
            clock.look(at("2026-11-23T22:21")).await.unwrap().next,
            Some(at("2026-11-24T01:05")),
            "when it warns"
        );
        clock.look(at("2026-11-24T01:20")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        let looked = room.clock().look(at("2026-11-24T01:21")).await.unwrap();
        assert_eq!(looked.turned, [], "{looked:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_destroyed_is_raised_by_people_only() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        let mut tx = room.store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &shop(), None, None).await.unwrap();
        tx.commit().await.unwrap();
        let looked = room.clock().look(at("2026-11-23T09:00")).await.unwrap();
        assert_eq!((looked.turned, looked.next), (vec![], None));
        visits(&room, "full", at("2026-11-23T10:00"), None).await;
        room.clock().look(at("2026-11-23T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
    })
    .await;
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

#[tokio::test]
async fn before_it_goes_down_people_are_warned_once_and_again_where_they_kept_it() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        let looked = clock.look(at("2026-11-23T20:44")).await.unwrap();
        assert_eq!(looked.next, Some(at("2026-11-23T20:45")), "when it warns");
        assert_eq!(told(&room).await, []);
        for _ in 0..2 {
            clock.look(at("2026-11-23T20:45")).await.unwrap();
            room.clock().look(at("2026-11-23T20:46")).await.unwrap();
        }
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Ahead { turn, from }]
                if turn.at == at("2026-11-23T21:00") && turn.zone == "Asia/Tokyo" && *from == target("full")),
            "{all:?}"
        );
        let (began, until) = (at("2026-11-23T20:50").0, at("2026-11-23T21:50").0);
        sql(
            &room.store,
            &format!(
                "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
                 VALUES (1, 'keep', 'shop', 'shop local:ito', 'local:ito', 'ito', '[]', NULL, {began}, {until})"
            ),
        )
        .await
        .unwrap();
        clock.look(at("2026-11-23T21:00")).await.unwrap();
        assert_eq!(told(&room).await.len(), 1);
        clock.look(at("2026-11-23T21:35")).await.unwrap();
        let all = told(&room).await;
        assert_eq!(all.iter().map(|said| said.turn().at).collect::<Vec<_>>(), [at("2026-11-23T21:00"), Timestamp(until)]);
        // Nothing is said of what changes nothing: it is down already.
        sql(&room.store, &format!("UPDATE holds SET ended_at = {until}, ended_how = 'lapsed'")).await.unwrap();
        clock.look(Timestamp(until)).await.unwrap();
        room.all_done().await;
        clock.look(at("2026-11-24T09:00")).await.unwrap();
        room.end_as("cancelled").await;
        let looked = clock.look(at("2026-11-24T20:50")).await.unwrap();
        assert_eq!((told(&room).await.len(), looked.next), (2, Some(at("2026-11-24T21:00"))));
    })
    .await;
}

#[tokio::test]
async fn what_is_late_collapsed_missed_or_refused_is_told() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.clock().look(at("2026-11-23T08:00")).await.unwrap();
        // Three days without anybody: five transitions, of which the last is made.
        room.clock().look(at("2026-11-25T09:30")).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Late { turn, by_ms: 1_800_000, collapsed: 4, .. }]
                if turn.at == at("2026-11-25T09:00")),
            "{all:?}"
        );
        room.all_done().await;
        room.clock().look(at("2026-11-26T03:00")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.last(), Some(ClockNews::Missed { by_ms: 21_600_000, .. })), "{all:?}");
        sql(
            &room.store,
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
             VALUES (9, 'hold', 'shop', 'shop', 'local:sato', 'sato', '[]', 'we measure', 0, 1900000000000)",
        )
        .await
        .unwrap();
        room.wants("small").await;
        let mut clock = room.clock();
        clock.look(at("2026-11-26T09:00")).await.unwrap();
        clock.look(at("2026-11-26T09:30")).await.unwrap();
        let all = told(&room).await;
        assert!(
            matches!(all.last(), Some(ClockNews::Refused { again: Some(until), .. }) if *until == at("2026-11-26T21:00")),
            "{all:?}"
        );
        clock.look(at("2026-11-26T09:32")).await.unwrap();
        clock.look(at("2026-11-26T14:00")).await.unwrap();
        assert_eq!(told(&room).await.len(), 3, "as long as it is wanted");
        clock.look(at("2026-11-26T21:00")).await.unwrap();
        let all = told(&room).await;
        assert!(matches!(all.last(), Some(ClockNews::GivenUp { run: None, .. })), "{all:?}");
        // And each of it is in the audit; tries that are refused for the same reason again are not.
        let kept = audit::page(&room.store, &AuditFilter { page: 1, ..AuditFilter::default() }, 50).await.unwrap();
        let kept: Vec<_> = kept.records.iter().rev().map(|one| (one.action.as_str(), one.decision.as_str())).collect();
        assert_eq!(
            kept,
            [
                ("up", "allowed"),
                ("miss", "allowed"),
                ("up", "refused"),
                ("abandon", "allowed")
            ]
        );
        assert_eq!(all.len(), 4, "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_to_be_ready_by_a_time_begins_as_early_as_it_took_last_time() {
    on_both(async |store| {
        let room = Room::with(store, "ready_by = true\n").await;
        let mut clock = room.clock();
        clock.look(at("2026-11-23T08:30")).await.unwrap();
        // Nobody knows how long it takes.
        clock.look(at("2026-11-23T08:59")).await.unwrap();
        assert!(room.queue().await.is_empty());
        clock.look(at("2026-11-23T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        let ten_minutes = 600_000;
        room.all_done().await;
        sql(&room.store, "UPDATE runs SET changed = TRUE, status = 'succeeded', attempt = 1").await.unwrap();
        let events = "INSERT INTO run_events (run_id, seq, at, status, event) SELECT id, ";
        for (seq, at, status, event) in [
            (1001, 0, "planning", "{\"event\":\"claimed\",\"runner\":\"r\",\"attempt\":1}"),
            (1002, ten_minutes, "succeeded", "{\"event\":\"verified\"}"),
        ] {
            let text = format!("{events}{seq}, {at}, '{status}', '{event}' FROM runs");
            sql(&room.store, &text).await.unwrap();
        }
        clock.look(at("2026-11-23T21:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2026-11-24T08:48")).await.unwrap();
        assert!(room.queue().await.is_empty(), "11 minutes early, and no more");
        clock.look(at("2026-11-24T08:49")).await.unwrap();
        assert_eq!(room.queue().await, ["full"]);
        clock.look(at("2026-11-24T09:00")).await.unwrap();
        assert_eq!(room.queue().await, ["full"], "once");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_was_wrong_and_is_set_right_loses_nothing() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2026-11-24T12:00")).await.unwrap();
        room.wants("full").await;
        // Ten hours ahead for a while.
        clock.look(at("2026-11-24T22:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"]);
        room.all_done().await;
        let looked = room.clock().look(at("2026-11-24T12:10")).await.unwrap();
        assert_eq!((looked.turned, looked.set_back_ms.is_some()), (vec![], true));
        room.wants("full").await;
        clock.look(at("2026-11-24T12:11")).await.unwrap();
        clock.look(at("2026-11-24T21:00")).await.unwrap();
        assert_eq!(room.queue().await, ["small"], "although it was made at the wrong time");
        assert_eq!(room.clock().look(at("2026-11-24T21:01")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_is_changed_counts_from_then_on() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        let mut clock = room.clock();
        clock.look(at("2026-11-24T08:00")).await.unwrap();
        clock.look(at("2026-11-24T09:00")).await.unwrap();
        room.all_done().await;
        clock.look(at("2026-11-24T14:59")).await.unwrap();
        // The hours are cut, and the process begins again.
        let shorter = CONFIG.replace("09:00-21:00", "09:00-14:00");
        room.config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &shorter), &|_| None).unwrap());
        let looked = room.clock().look(at("2026-11-24T15:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Queued(_)]), "{looked:?}");
        assert_eq!(room.queue().await, ["small"]);
        assert_eq!(room.clock().look(at("2026-11-24T15:01")).await.unwrap().turned, []);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_wanted_skipped_is_told_when_its_time_comes() {
    on_both(async |store| {
        let room = Room::new(store).await;
        room.wants("full").await;
        let mut clock = room.clock();
        clock.look(at("2026-11-24T20:00")).await.unwrap();
        let local = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap().and_hms_opt(21, 0, 0).unwrap();
        let skip = Bend::Skip(Skipped::One { schedule: "hours".to_owned(), local });
        bends(&room, skip, at("2027-12-01T00:00")).await;
        clock.look(at("2026-11-24T20:59")).await.unwrap();
        assert_eq!(told(&room).await, []);
        for now in ["2026-11-24T21:00", "2026-11-24T21:01"] {
            clock.look(at(now)).await.unwrap();
            room.clock().look(at(now)).await.unwrap();
        }
        let all = told(&room).await;
        assert!(
            matches!(all.as_slice(), [ClockNews::Skipped { turn, called, because: Some(_), .. }]
                if turn.at == at("2026-11-24T21:00") && called == "ito"),
            "{all:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_destroyed_is_not_raised_by_another_try() {
    on_both(async |store| {
        let mut room = Room::new(store).await;
        let once = "[[environments.shop.schedules]]\nname = 'once'\nat = '2026-11-23 09:00'\ndo = 'up full'\nfor = '8h'\n";
        let text = format!("{UNSCHEDULED}{once}");
        room.config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap());
        let mut clock = room.clock();
        clock.look(at("2026-11-23T08:00")).await.unwrap();
        sql(
            &room.store,
            "INSERT INTO holds (number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at) \
             VALUES (1, 'hold', 'shop', 'shop', 'local:ito', 'ito', '[]', 'we measure', 0, 1900000000000)",
        )
        .await
        .unwrap();
        let looked = clock.look(at("2026-11-23T09:00")).await.unwrap();
        assert!(matches!(outcomes(&looked).as_slice(), [Turned::Refused(_)]), "{looked:?}");
        let mut tx = room.store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &shop(), None, None).await.unwrap();
        tx.commit().await.unwrap();
        sql(&room.store, "UPDATE holds SET ended_at = 1, ended_how = 'lifted'").await.unwrap();
        for now in ["2026-11-23T09:05", "2026-11-23T09:30"] {
            clock.look(at(now)).await.unwrap();
        }
        assert!(room.queue().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn two_processes_with_different_files_do_not_answer_each_other_for_ever() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let mut old = room.clock();
        old.look(at("2026-11-24T08:00")).await.unwrap();
        old.look(at("2026-11-24T09:00")).await.unwrap();
        room.all_done().await;
        let shorter = CONFIG.replace("09:00-21:00", "09:00-14:00");
        let config = Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &shorter), &|_| None).unwrap());
        let another = Room { store: room.store.clone(), config };
        let mut new = another.clock();
        let mut made = 0;
        for minute in 0..10 {
            let now = at("2026-11-24T15:00").plus_ms(minute * 60_000);
            made +=
                new.look(now).await.unwrap().turned.len() + old.look(now.plus_ms(30_000)).await.unwrap().turned.len();
            room.all_done().await;
        }
        assert_eq!(made, 1);
    })
    .await;
}
