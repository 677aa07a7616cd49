//! Orders about schedules, on both databases, at the time that it is.

use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::bell::Bell;
use crate::config::{self, Config};
use crate::desk::{Desk, DeskError, Message};
use crate::domain::answer::Actor;
use crate::domain::command::Order;
use crate::domain::environment::Level;
use crate::domain::holds::{HoldAnswer, HoldOrder, Keeps};
use crate::domain::ids::ActorId;
use crate::domain::policy::Place;
use crate::domain::request::Target;
use crate::domain::schedule::{ScheduleOrder, Written};
use crate::ledger::tests::{on_both, sql};
use crate::ledger::{Store, audit, environments};
use crate::problem::source::Source;

/// A window of each day, so that something is due within a day whenever the test is run.
const CONFIG: &str = "[access]\nadmin = ['local:boss']\n[environments.shop]\ngroup = 'rpg'\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n\
    [[environments.shop.schedules]]\nname = 'hours'\nwindow = 'daily 09:00-21:00'\ninside = 'full'\noutside = 'small'\n\
    [environments.bank]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n[[environments.bank.stacks]]\nname = 'app'\nroot = 'bank'\n\
    [environments.bank.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

struct Room {
    desk: Desk,
    store: Store,
    config: Arc<Config>,
    messages: std::cell::Cell<u32>,
}

impl Room {
    async fn new(store: Store) -> Self {
        Self::of(store, CONFIG, "small").await
    }

    /// With another configuration, where shop is to be at `level`.
    async fn of(store: Store, config: &str, level: &str) -> Self {
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", config), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let config = Arc::new(config);
        let told = watch::channel(Arc::clone(&config)).1;
        let desk = Desk::new(store.clone(), told, Bell::default());
        let mut tx = store.begin().await.unwrap();
        let target = Target { level: level.parse().unwrap(), settings: std::collections::BTreeMap::new() };
        environments::set_wanted(&mut tx, &shop(), Some(&target), None).await.unwrap();
        tx.commit().await.unwrap();
        Self { desk, store, config, messages: std::cell::Cell::new(0) }
    }

    async fn orders(&self, order: Order) -> Result<Answer, DeskError> {
        self.orders_as("ito", order).await
    }

    async fn orders_as(&self, who: &str, order: Order) -> Result<Answer, DeskError> {
        let number = self.messages.get() + 1;
        self.messages.set(number);
        let message = Message {
            key: format!("m{number}"),
            actor: Actor::person(ActorId::local(who), who),
            place: Place::shell(),
            typed: format!("{order:?}"),
        };
        self.desk.submit(&message, &order, Some("we measure".to_owned())).await
    }

    async fn bends(&self, order: BendOrder) -> BendAnswer {
        match self.orders(Order::Bend(order)).await.unwrap() {
            Answer::Bend(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    async fn refuses(&self, order: BendOrder) -> Refusal {
        match self.orders(Order::Bend(order)).await {
            Err(DeskError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    }

    /// Moments within the next days at which schedules will change something.
    async fn due(&self) -> Vec<Timestamp> {
        let now = self.store.now().await.unwrap();
        let environment = self.config.environments.get(&shop()).unwrap();
        let diary = crate::agenda::Diaries::default().one(&self.store, &self.config, environment, now).await.unwrap();
        timeline(&diary.agenda(), now.plus_ms(1), now.plus_ms(5 * DAY_MS)).iter().map(|turn| turn.at).collect()
    }
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn skip(skipping: Skipping) -> BendOrder {
    BendOrder::Skip { environment: Some(shop()), group: None, skipping }
}

#[tokio::test]
async fn what_is_skipped_is_told_and_can_be_taken_back() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let before = room.due().await;
        let BendAnswer::Skipped(all) = room.bends(skip(Skipping::Next)).await else { panic!() };
        let [one] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(one.turns.first().map(|turn| turn.at), before.first().copied(), "{one:?}");
        assert_eq!(one.bent.iter().map(|bent| bent.because.as_deref()).collect::<Vec<_>>(), [Some("we measure")]);
        let after = room.due().await;
        assert!(!after.contains(&before[0]), "{after:?}");
        // The one after it changes nothing: that level never was left.
        assert_eq!(after[0], before[2]);
        let BendAnswer::Unpaused(one) = room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await
        else {
            panic!()
        };
        assert_eq!(one.turns.first().map(|turn| turn.at), Some(before[0]));
        assert_eq!(room.due().await, before);
        let refusal = room.refuses(BendOrder::Unpause { environment: shop(), unread: None }).await;
        assert!(refusal.what.contains("nothing to resume"), "{refusal:?}");
    })
    .await;
}

#[tokio::test]
async fn right_after_what_people_were_warned_of_nobody_leaves_out_the_next_by_mistake() {
    on_both(async |store| {
        let now = store.now().await.unwrap();
        let lowered = |minutes: i64| {
            let clock = |minutes: i64| {
                chrono::DateTime::from_timestamp_millis(now.plus_ms(-60_000 * minutes).0).unwrap().format("%H:%M")
            };
            let window = format!("window = 'daily {}-{}'\nzone = 'UTC'", clock(minutes + 60), clock(minutes));
            CONFIG.replace("window = 'daily 09:00-21:00'", &window)
        };
        // It went down two minutes ago, after an hour.
        let room = Room::of(store.clone(), &lowered(2), "small").await;
        let refusal = room.refuses(skip(Skipping::Coming)).await;
        assert!(refusal.what.contains("has passed"), "{refusal:?}");
        assert_eq!(refusal.hints.get(1).map(String::as_str), Some("skip shop next"));
        room.bends(skip(Skipping::Next)).await;
        room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await;
        // Somebody has raised it since.
        let room = Room::of(store.clone(), &lowered(2), "full").await;
        room.messages.set(5);
        room.bends(skip(Skipping::Coming)).await;
        room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await;
        // Half an hour ago it went down, and up again it goes in 23 hours: there is one that is meant.
        let room = Room::of(store, &lowered(30), "small").await;
        let before = room.due().await;
        room.messages.set(10);
        room.bends(skip(Skipping::Coming)).await;
        assert!(!room.due().await.contains(&before[0]));
    })
    .await;
}

#[tokio::test]
async fn a_group_is_skipped_and_nothing_else() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let skip = |group: &str| {
            let group = Some(group.parse().unwrap());
            BendOrder::Skip { environment: None, group, skipping: Skipping::Next }
        };
        let refusal = room.refuses(skip("moba")).await;
        assert!(refusal.what.contains("`skip @moba` has nothing to skip"), "{refusal:?}");
        let BendAnswer::Skipped(all) = room.bends(skip("rpg")).await else { panic!() };
        assert_eq!(all.iter().map(|one| one.environment.as_str()).collect::<Vec<_>>(), ["shop"]);
    })
    .await;
}

#[tokio::test]
async fn days_are_skipped_with_all_that_begins_on_them() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let now = room.store.now().await.unwrap();
        let today = DateTime::from_timestamp_millis(now.0).unwrap().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
        let (first, last) = (today + Days::new(1), today + Days::new(2));
        let BendAnswer::Skipped(all) = room
            .bends(BendOrder::Skip { environment: None, group: None, skipping: Skipping::Days { first, last } })
            .await
        else {
            panic!()
        };
        assert_eq!(all.iter().map(|one| one.environment.as_str()).collect::<Vec<_>>(), ["shop"]);
        let raised = |date: NaiveDate| {
            let nine = date.and_hms_opt(9, 0, 0).unwrap().and_utc() - chrono::TimeDelta::hours(9);
            Timestamp(nine.timestamp_millis())
        };
        let due = room.due().await;
        assert!(!due.contains(&raised(first)) && !due.contains(&raised(last)), "{due:?}");
        assert!(due.contains(&raised(last + Days::new(1))), "{due:?}");
        let again = room.refuses(skip(Skipping::Days { first, last })).await;
        assert!(again.what.contains("change nothing"), "{again:?}");
        assert!(again.hints.contains(&"skip shop next".to_owned()), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn a_pause_has_one_end_and_everything_about_it_is_refused_that_cannot_be() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let now = room.store.now().await.unwrap();
        let pause = |days: i64| BendOrder::Pause { environment: shop(), until: now.plus_ms(days * DAY_MS) };
        assert!(room.refuses(pause(-1)).await.what.contains("over before it begins"));
        assert!(room.refuses(pause(3_650)).await.hints.contains(&"pause shop for 90d".to_owned()));
        let BendAnswer::Paused { one, .. } = room.bends(pause(2)).await else { panic!() };
        assert!(one.turns.len() >= 3, "{one:?}");
        let BendAnswer::Paused { one, .. } = room.bends(pause(1)).await else { panic!() };
        assert_eq!(one.bent.len(), 1);
        let due = room.due().await;
        assert!(due.iter().all(|at| *at >= now.plus_ms(DAY_MS)) && !due.is_empty(), "{due:?}");
        let bank = BendOrder::Pause { environment: "bank".parse().unwrap(), until: now.plus_ms(DAY_MS) };
        assert!(room.refuses(bank).await.why.contains("no schedule"));
    })
    .await;
}

#[tokio::test]
async fn a_change_that_ends_by_itself_says_until_when_and_a_new_size_ends_with_it() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let now = room.store.now().await.unwrap();
        let up = |level: &str| Order::Up {
            environment: shop(),
            level: Some(level.parse::<Level>().unwrap()),
            settings: Vec::new(),
            newest_code: false,
        };
        let said = now.plus_ms(3 * 3_600_000);
        let Answer::Queued { until, run, .. } = room.orders(up("full").until(Some(said))).await.unwrap() else {
            panic!()
        };
        assert_eq!((until, run.request.until), (Some(said), Some(said)));
        let passed = room.orders(up("full").until(Some(now.plus_ms(-1)))).await;
        assert!(
            matches!(&passed, Err(DeskError::Refused(refusal)) if refusal.what.contains("over before")),
            "{passed:?}"
        );
        // What is offered instead ends then, too.
        let lower = room.orders(up("small").until(Some(said))).await;
        assert!(
            matches!(&lower, Err(DeskError::Refused(refusal))
                if !refusal.hints.is_empty() && refusal.hints.iter().all(|hint| hint.contains(" until "))),
            "{lower:?}"
        );
        // Without an end it is the schedules' next transition.
        let due = room.due().await;
        let other = room.orders(up("full")).await;
        if let Ok(Answer::Queued { until, .. }) = other {
            assert!(until.is_some_and(|until| due.contains(&until) || until <= now.plus_ms(DAY_MS)), "{until:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_raise_and_not_lower_has_nothing_end_by_itself() {
    on_both(async |store| {
        let more = "access = { raiser = ['local:mori'] }\n";
        let text = format!(
            "{}[roles.raiser]\ncommands = ['up', 'status']\n",
            CONFIG.replace("zone = 'Asia/Tokyo'\n", &format!("zone = 'Asia/Tokyo'\n{more}"))
        );
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let told = watch::channel(Arc::new(config)).1;
        let desk = Desk::new(store.clone(), told, Bell::default());
        let now = store.now().await.unwrap();
        let up = Order::Up { environment: shop(), level: None, settings: Vec::new(), newest_code: false };
        for (key, order, may) in [("m1", up.clone().until(Some(now.plus_ms(DAY_MS))), false), ("m2", up, true)] {
            let actor = Actor::person(ActorId::local("mori"), "mori");
            let message = Message { key: key.to_owned(), actor, place: Place::shell(), typed: key.to_owned() };
            assert_eq!(desk.submit(&message, &order, None).await.is_ok(), may, "{key}");
        }
    })
    .await;
}

#[test]
fn a_night_is_from_six_to_six_on_the_environments_clock() {
    let at = |text: &str| Timestamp(DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis());
    for (now, begins, ends) in [
        ("2026-11-23T09:00:00+09:00", "2026-11-23T18:00:00+09:00", "2026-11-24T06:00:00+09:00"),
        ("2026-11-23T20:58:00+09:00", "2026-11-23T20:58:00+09:00", "2026-11-24T06:00:00+09:00"),
        ("2026-11-24T01:00:00+09:00", "2026-11-24T01:00:00+09:00", "2026-11-24T06:00:00+09:00"),
        ("2026-11-24T06:00:00+09:00", "2026-11-24T18:00:00+09:00", "2026-11-25T06:00:00+09:00"),
    ] {
        assert_eq!(night(at(now), chrono_tz::Asia::Tokyo), (at(begins), at(ends)), "{now}");
    }
}

#[tokio::test]
async fn everything_that_is_skipped_is_taken_back_at_once_also_what_something_else_hides() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let before = room.due().await;
        let now = room.store.now().await.unwrap();
        let today = DateTime::from_timestamp_millis(now.0).unwrap().with_timezone(&chrono_tz::Asia::Tokyo).date_naive();
        room.bends(skip(Skipping::Next)).await;
        room.bends(skip(Skipping::Next)).await;
        room.bends(skip(Skipping::Days { first: today, last: today + Days::new(4) })).await;
        assert_ne!(room.due().await, before);
        room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await;
        assert_eq!(room.due().await, before);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_of_schedules_bars_the_clock_of_its_own_environment_and_nothing_else() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let keys = [("cron", "0 3 * * *"), ("do", "up full"), ("for", "2h"), ("zone", "UTC")];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter().collect();
        let written = Written { name: "night".to_owned(), keys };
        let add = ScheduleOrder::Add { environment: shop(), written };
        room.orders(Order::Schedule(add)).await.unwrap();
        room.bends(skip(Skipping::Next)).await;
        let before = room.due().await;
        let take = |which: TakeAway| Order::Bend(BendOrder::Unpause { environment: shop(), unread: Some(which) });
        let schedule = schedules::all(&room.store, None).await.unwrap().remove(0).id;
        for (table, broken, told, key) in [
            ("bends", "UPDATE bends SET bend = '{'", "what bends its schedules, 1", "1".to_owned()),
            ("schedules", "UPDATE schedules SET written = '{'", "the schedule ", schedule),
        ] {
            sql(&room.store, broken).await.unwrap();
            let now = room.store.now().await.unwrap();
            let diaries = room.desk.diaries().all(&room.store, &room.config, now).await.unwrap();
            let unread: Vec<usize> = diaries.iter().map(|diary| diary.unread.why().count()).collect();
            assert_eq!(unread, [1, 0], "{broken}");
            let status = format!("{:?}", room.desk.status(None).await.unwrap());
            assert!(status.contains(told) && status.contains(&format!("unpause shop {key}")), "{status}");
            let refusal = room.refuses(skip(Skipping::Next)).await;
            assert!(refusal.why.contains(told) && refusal.why.contains("of ito)"), "{refusal:?}");
            let refusal = room.refuses(BendOrder::Unpause { environment: shop(), unread: None }).await;
            assert!(refusal.why.contains("takes an admin"), "{refusal:?}");
            let one = take(TakeAway::One(key.clone()));
            let refusal = room.refuses(BendOrder::Unpause { environment: shop(), unread: Some(TakeAway::All) }).await;
            assert!(refusal.why.contains("takes an admin"), "{table}: {refusal:?}");
            // An admin is told which it is, and the line.
            let unpause = Order::Bend(BendOrder::Unpause { environment: shop(), unread: None });
            let Err(DeskError::Refused(refusal)) = room.orders_as("boss", unpause).await else { panic!() };
            assert_eq!(refusal.hints, [format!("unpause shop {key}"), "status shop".to_owned()]);
            let other = take(TakeAway::One("77".to_owned()));
            let Err(DeskError::Refused(refusal)) = room.orders_as("boss", other).await else { panic!() };
            assert!(refusal.what.contains("no row of that number"), "{refusal:?}");
            let answer = room.orders_as("boss", one.clone()).await.unwrap();
            let Answer::Bend(BendAnswer::Cleared { why, left, .. }) = &answer else { panic!("{answer:?}") };
            assert!(why.len() == 1 && left.is_empty(), "{answer:?}");
            let Err(DeskError::Refused(refusal)) = room.orders_as("boss", one).await else { panic!() };
            assert!(refusal.what.contains("nothing to take away"), "{refusal:?}");
            assert!(!room.due().await.is_empty(), "{broken}");
        }
        // The skip and the schedule are gone.
        assert_ne!(room.due().await, before);
    })
    .await;
}

#[tokio::test]
async fn of_several_that_cannot_be_read_an_admin_takes_away_the_one_that_is_named_and_all_only_where_that_is_said() {
    on_both(async |store| {
        let room = Room::new(store).await;
        for _ in 0..3 {
            room.bends(skip(Skipping::Next)).await;
        }
        sql(&room.store, "UPDATE bends SET bend = '{'").await.unwrap();
        let take = |which| Order::Bend(BendOrder::Unpause { environment: shop(), unread: which });
        let Err(DeskError::Refused(refusal)) = room.orders_as("boss", take(None)).await else { panic!() };
        let lines = ["unpause shop 1", "unpause shop 2", "unpause shop 3", "unpause shop all", "status shop"];
        assert_eq!(refusal.hints, lines);
        for number in 1..=3 {
            assert!(refusal.why.contains(&format!("what bends its schedules, {number}:")), "{refusal:?}");
        }
        let answer = room.orders_as("boss", take(Some(TakeAway::One("2".to_owned())))).await.unwrap();
        let Answer::Bend(BendAnswer::Cleared { why, left, .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!((why.len(), left.len()), (1, 2), "{answer:?}");
        let (_, unread) = bends::standing(&room.store, Timestamp(0)).await.unwrap();
        assert_eq!(unread.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
        let answer = room.orders_as("boss", take(Some(TakeAway::All))).await.unwrap();
        let Answer::Bend(BendAnswer::Cleared { why, left, .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!((why.len(), left.len()), (2, 0), "{answer:?}");
        // Each of them is in the audit, by its number.
        let records = audit::recent(&room.store, None, 2).await.unwrap();
        let told: Vec<String> = records.iter().map(|record| record.detail.as_ref().unwrap().to_string()).collect();
        assert!(told[0].contains("schedules, 1:") && told[0].contains("schedules, 3:"), "{told:?}");
        assert!(told[1].contains("schedules, 2:") && !told[1].contains("schedules, 1:"), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_stays_while_days_are_skipped_is_told_as_it_is_then_and_not_as_today() {
    on_both(async |store| {
        let room = Room::new(store).await;
        // Today it is at full, at whatever hour: people are still to be warned of something else.
        let now = room.store.now().await.unwrap();
        let (target, until) = (
            Target { level: "full".parse().unwrap(), settings: std::collections::BTreeMap::new() },
            now.plus_ms(DAY_MS),
        );
        let mut tx = room.store.begin().await.unwrap();
        let grace = Bend::Grace { target, from: now.plus_ms(-1), until, then: None, foretold: vec![] };
        bends::begin(&mut tx, &shop(), grace, until, &Actor::tidegate(), None).await.unwrap();
        tx.commit().await.unwrap();
        let today = DateTime::from_timestamp_millis(now.0).unwrap().with_timezone(&Tz::Asia__Tokyo).date_naive();
        let day = today.checked_add_days(Days::new(3)).unwrap();
        let BendAnswer::Skipped(all) = room.bends(skip(Skipping::Days { first: day, last: day })).await else {
            panic!()
        };
        // It was brought to small on the evening before.
        let stays = all[0].stays.as_ref().map(|stays| stays.level.to_string());
        assert_eq!(stays.as_deref(), Some("small"));
    })
    .await;
}

#[tokio::test]
async fn of_several_that_are_skipped_those_without_anything_are_named_beside_the_others() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let order = ScheduleOrder::Add {
            environment: "bank".parse().unwrap(),
            written: Written {
                name: "eve".to_owned(),
                keys: [("at", "2036-12-24 18:00"), ("do", "up full"), ("for", "3h"), ("zone", "UTC")]
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .into_iter()
                    .collect(),
            },
        };
        room.orders(Order::Schedule(order)).await.unwrap();
        let now = room.store.now().await.unwrap();
        let day = DateTime::from_timestamp_millis(now.0).unwrap().date_naive().checked_add_days(Days::new(3)).unwrap();
        let all =
            |first, last| BendOrder::Skip { environment: None, group: None, skipping: Skipping::Days { first, last } };
        let BendAnswer::Skipped(both) = room.bends(all(day, day)).await else { panic!() };
        let names: Vec<_> = both.iter().map(|one| (one.environment.as_str(), one.turns.is_empty())).collect();
        assert_eq!(names, [("shop", false), ("bank", true)]);
        // What is skipped already is skipped no more than once: now there is nothing in either.
        let refusal = room.refuses(all(day, day)).await;
        assert!(refusal.what.contains("`skip all` has nothing to skip"), "{refusal:?}");
    })
    .await;
}

/// A window that ended an hour ago, and a keep of `level` from before that until in an hour.
async fn kept_since_it_ended(store: Store, level: &str) -> Room {
    let now = store.now().await.unwrap();
    let shown = |ms: i64| {
        let at = DateTime::from_timestamp_millis(now.0 + ms).unwrap().with_timezone(&chrono_tz::Asia::Tokyo);
        at.format("%H:%M").to_string()
    };
    let window = format!("daily {}-{}", shown(-7_200_000), shown(-3_600_000));
    let room = Room::of(store, &CONFIG.replace("daily 09:00-21:00", &window), level).await;
    let (from, until) = (now.0 - 5_400_000, now.0 + 3_600_000);
    let columns = "kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at";
    let keep = "'keep', 'shop', 'shop local:ito', 'local:ito', 'ito', '[]', 'we measure'";
    sql(&room.store, &format!("INSERT INTO holds (number, {columns}) VALUES (1, {keep}, {from}, {until})"))
        .await
        .unwrap();
    room
}

#[tokio::test]
async fn under_a_keep_its_end_is_what_is_skipped_and_can_be_taken_back() {
    for skipping in [Skipping::Next, Skipping::Tonight] {
        on_both(async |store| {
            let room = kept_since_it_ended(store, "full").await;
            let before = room.due().await;
            let now = room.store.now().await.unwrap();
            if skipping == Skipping::Tonight {
                let (evening, morning) = night(now, chrono_tz::Asia::Tokyo);
                if !(evening..morning).contains(&before[0]) {
                    return;
                }
            }
            let BendAnswer::Skipped(all) = room.bends(skip(skipping)).await else { panic!() };
            let [one] = all.as_slice() else { panic!("{all:?}") };
            // Not the next day's beginning, which comes after it.
            assert_eq!(one.turns.first().map(|turn| turn.at), Some(before[0]), "{one:?}");
            let after = room.due().await;
            assert!(!after.contains(&before[0]) && after.contains(&before[2]), "{before:?} {after:?}");
            let BendAnswer::Unpaused(one) = room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await
            else {
                panic!()
            };
            assert_eq!(one.bent.len(), 1);
            let kept = one.meanwhile.as_ref().map(|bent| &bent.bend);
            assert!(matches!(kept, Some(Bend::Keep { .. })), "{kept:?}");
            assert_eq!(room.due().await, before);
        })
        .await;
    }
}

#[tokio::test]
async fn what_no_schedule_makes_is_not_skipped_and_the_lines_that_help_are_told() {
    on_both(async |store| {
        // No window ever asked for that.
        let room = kept_since_it_ended(store, "off").await;
        let refusal = room.refuses(skip(Skipping::Next)).await;
        assert!(refusal.what.contains("would not keep shop where it is"), "{refusal:?}");
        assert!(refusal.why.contains("the keep of ito ends"), "{refusal:?}");
        assert!(refusal.hints.iter().any(|hint| hint == "next shop"), "{refusal:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_due_at_the_first_moment_of_the_evening_is_of_the_evening() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let now = room.store.now().await.unwrap();
        let environment = room.config.environments.get(&shop()).unwrap();
        let diary = crate::agenda::Diaries::default().one(&room.store, &room.config, environment, now).await.unwrap();
        let next = next_after(&diary.agenda(), now).unwrap();
        let skips = during(&diary, next.at, next.at.plus_ms(60_000), now);
        assert_eq!(skips, skips_at(&diary.agenda(), next.at));
        assert_eq!(skips.len(), 1);
        assert_eq!(during(&diary, next.at.plus_ms(1), next.at.plus_ms(60_000), now), []);
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_bent_is_taken_back_with_one_word() {
    on_both(async |store| {
        let room = Room::new(store).await;
        let refusal = room.refuses(BendOrder::UnpauseAll).await;
        assert!(refusal.what.contains("nothing to take back") && refusal.hints == ["next"], "{refusal:?}");
        let before = room.due().await;
        room.bends(skip(Skipping::Next)).await;
        let until = room.store.now().await.unwrap().plus_ms(DAY_MS);
        room.bends(BendOrder::Pause { environment: shop(), until }).await;
        let BendAnswer::AllUnpaused(all) = room.bends(BendOrder::UnpauseAll).await else { panic!() };
        assert_eq!(all.iter().map(|one| (one.environment.clone(), one.bent.len())).collect::<Vec<_>>(), [(shop(), 2)]);
        assert_eq!(room.due().await, before);
    })
    .await;
}

/// Full since an hour ago, and down after so many minutes, by a schedule of each day.
fn down_in(minutes: i64, now: Timestamp, more: &str) -> String {
    let clock = |minutes: i64| {
        chrono::DateTime::from_timestamp_millis(now.plus_ms(60_000 * minutes).0).unwrap().format("%H:%M").to_string()
    };
    let window = format!("window = 'daily {}-{}'\nzone = 'UTC'\n{more}", clock(-60), clock(minutes));
    CONFIG.replace("window = 'daily 09:00-21:00'", &window)
}

#[tokio::test]
async fn a_keep_tells_what_it_holds_back_what_comes_after_it_and_in_whose_place_it_is() {
    on_both(async |store| {
        let now = store.now().await.unwrap();
        let room = Room::of(store, &down_in(30, now, ""), "full").await;
        let keep = async |until: Timestamp| {
            let order = Order::Hold(HoldOrder::Keep { environment: shop(), until });
            match room.orders(order).await.unwrap() {
                Answer::Hold(HoldAnswer::Began { keeps: Some(keeps), .. }) => *keeps,
                other => panic!("{other:?}"),
            }
        };
        let turns = |turns: &[Turn]| turns.iter().map(|turn| turn.wanted.level.to_string()).collect::<Vec<_>>();
        let (two, three) = (now.plus_ms(7_200_000), now.plus_ms(10_800_000));
        let Keeps { instead_of, turns: not, next } = keep(two).await;
        assert_eq!((instead_of, turns(&not)), (None, vec!["small".to_owned()]));
        assert!(not[0].at < two && next.is_some_and(|next| next.at == two));
        let Keeps { instead_of, turns: not, next } = keep(three).await;
        assert_eq!((instead_of, turns(&not)), (Some(two), vec!["small".to_owned()]));
        assert!(not[0].at < two && next.is_some_and(|next| next.at == three));
    })
    .await;
}

#[tokio::test]
async fn a_change_tells_where_it_goes_back_to_and_a_schedule_whose_change_ends_otherwise_by_it() {
    on_both(async |store| {
        let now = store.now().await.unwrap();
        let room = Room::of(store, &down_in(300, now, ""), "full").await;
        let at = chrono::DateTime::from_timestamp_millis(now.plus_ms(2_400_000).0).unwrap();
        let keys =
            [("at", at.format("%Y-%m-%d %H:%M").to_string()), ("do", "down".to_owned()), ("zone", "UTC".to_owned())];
        let keys = keys.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        let written = Written { name: "early".to_owned(), keys };
        room.orders(Order::Schedule(ScheduleOrder::Add { environment: shop(), written })).await.unwrap();
        let up = |until| {
            let level = Some(Level::Profile("full".parse().unwrap()));
            Order::Up { environment: shop(), level, settings: Vec::new(), newest_code: false }.until(until)
        };
        for said in [Some(now.plus_ms(3_600_000)), None] {
            let Answer::Queued { until: Some(until), then: Some(then), .. } = room.orders(up(said)).await.unwrap()
            else {
                panic!("it ends")
            };
            assert!(said.is_none_or(|said| said == until) && until > now.plus_ms(2_300_000));
            assert_eq!(then.level.to_string(), "small");
        }
        let remove = ScheduleOrder::Remove { environment: shop(), name: "early".to_owned() };
        let Answer::Schedule(answer) = room.orders(Order::Schedule(remove)).await.unwrap() else { panic!() };
        let (bent, was) = *answer.moved.expect("it was to end with that");
        assert!(was < now.plus_ms(2_500_000), "{was:?}");
        let Bend::Visit { until, .. } = bent.bend else { panic!("{bent:?}") };
        assert!(until > now.plus_ms(290 * 60_000), "{until:?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_skipped_and_taken_back_comes_as_written_where_people_can_be_warned_of_it_by_then() {
    on_both(async |store| {
        let now = store.now().await.unwrap();
        for (round, (warn, comes_as_written)) in [("1m", true), ("15m", false)].into_iter().enumerate() {
            let room = Room::of(store.clone(), &down_in(8, now, &format!("warn = '{warn}'")), "full").await;
            room.messages.set(10 * u32::try_from(round).unwrap());
            let before = room.due().await;
            room.bends(skip(Skipping::Next)).await;
            let BendAnswer::Unpaused(one) = room.bends(BendOrder::Unpause { environment: shop(), unread: None }).await
            else {
                panic!()
            };
            assert_eq!(one.at_once.is_none(), comes_as_written, "{warn}: {one:?}");
            assert_eq!(room.due().await.first() == before.first(), comes_as_written, "{warn}");
        }
    })
    .await;
}
