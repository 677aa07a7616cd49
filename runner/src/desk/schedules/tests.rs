//! Schedules by chat, on both databases and without an engine.

use std::sync::Arc;

use indexmap::IndexMap;
use tokio::sync::watch;

use super::*;
use crate::bell::Bell;
use crate::config;
use crate::desk::Message;
use crate::domain::answer::{Actor, Standing};
use crate::domain::command::Order;
use crate::domain::ids::ActorId;
use crate::domain::policy::Place;
use crate::domain::request::Target;
use crate::ledger::tests::on_both;
use crate::ledger::{Store, environments, leases};
use crate::problem::source::Source;

const CONFIG: &str = "[environments.shop]\nowners = ['local:ito']\nzone = 'Asia/Tokyo'\nup = 'full'\ndown = 'small'\n\
    access = { viewer = ['local:mori'] }\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.settings.servers]\nstack = 'app'\nvariable = 'servers'\nmin = 0\nmax = 9\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n\
    [[environments.shop.schedules]]\nname = 'hours'\nwindow = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'\n\
    [environments.bank]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
    approve = { when = ['servers > 2'], by = ['local:sato'] }\n\
    [[environments.bank.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.bank.settings.servers]\nstack = 'app'\nvariable = 'servers'\nmin = 0\nmax = 9\n\
    [environments.bank.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

struct Room {
    desk: Desk,
}

impl Room {
    fn new(store: &Store, text: &str) -> Self {
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", text), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let config = watch::channel(Arc::new(config)).1;
        Self { desk: Desk::new(store.clone(), config, Bell::default()) }
    }

    async fn says(&self, who: &str, order: ScheduleOrder) -> Result<ScheduleAnswer, Refusal> {
        let message = Message {
            key: uuid::Uuid::now_v7().to_string(),
            actor: Actor::person(ActorId::local(who), who),
            place: Place::shell(),
            typed: order.line(),
        };
        match self.desk.submit(&message, &Order::Schedule(order), Some("tests".to_owned())).await {
            Ok(Answer::Schedule(answer)) => Ok(answer),
            Err(DeskError::Refused(refusal)) => Err(refusal),
            other => panic!("{other:?}"),
        }
    }

    /// Whether the refusal says so, and what it offers first.
    async fn refuses(&self, order: ScheduleOrder, says: &str) -> String {
        let refusal = self.says("ito", order).await.expect_err(says);
        assert!(format!("{}: {}", refusal.what, refusal.why).contains(says), "{says}: {refusal:?}");
        refusal.hints.first().cloned().unwrap_or_default()
    }

    async fn list(&self) -> Vec<Listed> {
        let sight = Sight { all: true, environments: Vec::new() };
        let shop = "shop".parse().unwrap();
        self.desk.schedules(Some(&shop), None, &sight).await.unwrap().remove(0).all
    }
}

fn written(name: &str, keys: &[(&str, &str)]) -> Written {
    let keys: IndexMap<_, _> = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Written { name: name.to_owned(), keys }
}

fn add(keys: &[(&str, &str)]) -> ScheduleOrder {
    ScheduleOrder::Add { environment: "shop".parse().unwrap(), written: written("night", keys) }
}

fn change(name: &str, keys: &[(&str, &str)]) -> ScheduleOrder {
    ScheduleOrder::Change { environment: "shop".parse().unwrap(), written: written(name, keys) }
}

fn remove(name: &str) -> ScheduleOrder {
    ScheduleOrder::Remove { environment: "shop".parse().unwrap(), name: name.to_owned() }
}

const NIGHT: [(&str, &str); 3] = [("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h")];

#[tokio::test]
async fn a_schedule_is_added_changed_and_removed_and_the_timetable_is_with_it() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        let answer = room.says("ito", add(&NIGHT)).await.unwrap();
        assert_eq!((answer.deed, answer.next.len()), (Deed::Added, 3));
        let of_night = |next: &[Transition]| {
            next.iter().flat_map(|next| &next.because).any(|because| because.schedule() == Some("night"))
        };
        assert!(of_night(&answer.next), "{answer:?}");
        let now = store.now().await.unwrap();
        let config = room.desk.config();
        let diaries = room.desk.diaries().all(&store, &config, now).await.unwrap();
        let names: Vec<&str> =
            diaries.iter().flat_map(|diary| diary.agenda().schedules).map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["hours", "night"]);
        let line = room.refuses(add(&NIGHT), "has a schedule `night` already: `local:ito` added it").await;
        assert_eq!(line, "schedule change shop night cron=\"0 2 * * *\" do=\"up full\" for=3h because tests");
        // What else is wrong is put right in what is offered.
        let six = room.refuses(add(&[("cron", "0 0 2 * * *"), NIGHT[1]]), "also: ").await;
        assert_eq!(six, "schedule change shop night cron=\"0 2 * * *\" do=\"up full\" for=3h because tests");
        let answer = room.says("ito", change("NIGHT", &[("for", "2h"), ("zone", "UTC")])).await.unwrap();
        assert_eq!(
            answer.before.map(|before| before.line()).as_deref(),
            Some(written("night", &NIGHT).line().as_str())
        );
        let list = room.list().await;
        let stored = list[1].stored.clone().unwrap();
        assert_eq!(stored.written.line(), "night cron=\"0 2 * * *\" do=\"up full\" for=2h zone=UTC");
        assert_eq!((stored.added.because.as_deref(), stored.changed.is_some()), (Some("tests"), true));
        assert!(list[0].stored.is_none() && list.iter().all(|one| one.next.makes.is_some()));
        let answer = room.says("ito", remove("night")).await.unwrap();
        assert!(answer.deed == Deed::Removed && !of_night(&answer.next), "{answer:?}");
        assert_eq!(room.list().await.len(), 1);
        assert_eq!(room.refuses(remove("night"), "has no schedule `night`").await, "schedule list shop");
        assert!(room.says("ito", add(&NIGHT)).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn what_the_file_could_not_have_is_refused_with_what_was_probably_meant() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        for (keys, says, right) in [
            (
                &[("window", "Mon-Fri 25:00-26:00"), ("inside", "full"), ("outside", "small")][..],
                "25:00",
                "schedule list shop",
            ),
            (&[("cron", "*/0 * * * *"), ("do", "up full"), ("for", "3h")], "*/0", "cron=\"0 * * * *\" "),
            (&[("cron", "0 9 30 2 *"), ("do", "up full"), ("for", "3h")], "day 30", "cron=\"0 9 28 2 *\" "),
            (
                &[("window", "6th Mon 09:00-12:00"), ("inside", "full"), ("outside", "small")],
                "6th",
                "window=\"last Mon 09:00-12:00\" ",
            ),
            (
                &[("window", "Mon 10:00-10:00"), ("inside", "full"), ("outside", "small")],
                "ends when it begins",
                "window=\"Mon 00:00-24:00\" ",
            ),
            (
                &[("window", "2027-01-03 18:00 - 2026-12-24 09:00"), ("inside", "full"), ("outside", "small")],
                "ends before it begins",
                "window=\"2026-12-24 09:00 - 2027-01-03 18:00\" ",
            ),
            (
                &[("window", "Mon-Fri 8am-10:30pm"), ("inside", "full"), ("outside", "small")],
                "8am",
                "window=\"Mon-Fri 08:00-22:30\" ",
            ),
            (
                &[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("ready_by", "yes")],
                "ready_by",
                "ready_by=true ",
            ),
            (&[("cron", "0 0 2 * * *"), ("do", "up full"), ("for", "3h")], "six fields", "cron=\"0 2 * * *\" "),
            (&[("cron", "*/9 0 2 * * *"), ("do", "up full"), ("for", "3h")], "six fields", "schedule list shop"),
            (&[("cron", "0 22-6 * * *"), ("do", "up full"), ("for", "3h")], "22-6", "cron=\"0 22-23,0-6 * * *\" "),
            (&[("at", "2027-02-30 18:00"), ("do", "up full"), ("for", "3h")], "2027-02-30", "at=\"2027-02-28 18:00\" "),
            (&[("at", "2027-13-30 18:00"), ("do", "up full"), ("for", "3h")], "2027-13-30", "schedule list shop"),
            (&[("cron", "0 2 * * *"), ("do", "up fulll"), ("for", "3h")], "fulll", "do=\"up full\""),
            (&[("cron", "0 2 * * *"), ("do", "up full")], "`for`", "for=3h"),
            (&[("cron", "0 2 * * *"), ("do", "destroy"), ("for", "3h")], "destroy", "do=down"),
            (&[("cron", "0 2 * * *"), ("do", "up big"), ("for", "3h")], "big", "schedule list shop"),
            (
                &[("cron", "0 2 * * *"), ("do", "start full"), ("for", "3h")],
                "`up full` or `down small`",
                "schedule list shop",
            ),
            (&[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3650d")], "3650d", "for=31d"),
            (
                &[("window", "weekdays 9-18:30"), ("inside", "full"), ("outside", "small")],
                "weekdays",
                "window=\"Mon-Fri 09:00-18:30\" ",
            ),
            (&[("cron", "0 2 * * *"), ("do", "up full servers=99"), ("for", "3h")], "from 0 to 9", "do=\"up full\""),
            (
                &[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("zone", "Asia/Tokio")],
                "Asia/Tokio",
                "zone=Asia/Tokyo",
            ),
            (
                &[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("zone", "JST")],
                "no time zone `JST`",
                "zone=Asia/Tokyo",
            ),
            (&[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("zone", "XYZ")], "XYZ", "schedule list shop"),
            (&[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("holidays", "JPN")], "JPN", "holidays=JP"),
            (&[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("on_gab", "skip")], "on_gab", "on_gap=skip"),
            (
                &[("cron", "0 2 * * *"), ("do", "up full"), ("for", "3h"), ("inside", "full")],
                "inside",
                "for=3h because",
            ),
            (&[("window", "Mon-Fri 09:00-21:00"), ("inside", "full")], "outside", "outside=small"),
            (&[("inside", "full"), ("outside", "small")], "it must say when", "window="),
            (&[("at", "2020-12-24 18:00"), ("do", "up full"), ("for", "3h")], "never happens", "18:00"),
            (
                &[
                    ("at", "2027-03-28 02:30"),
                    ("do", "up full"),
                    ("for", "3h"),
                    ("zone", "Europe/Berlin"),
                    ("on_gap", "skip"),
                ],
                "the clocks of Europe/Berlin skip 2027-03-28 02:30",
                "schedule list shop",
            ),
        ] {
            let line = room.refuses(add(keys), says).await;
            let of_it = line == "schedule list shop" || line.starts_with("schedule add shop night ");
            assert!(of_it && format!("{line} ").contains(right), "{keys:?}: {line}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_lasts_too_long_or_is_against_another_schedule_is_refused_with_the_next_line() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        let weekend = [("window", "Mon-Fri 08:00-22:00"), ("inside", "small"), ("outside", "small")];
        for (span, meant) in [("10y", "31d"), ("1w", "7d"), ("87600h", "31d"), ("30s", "1m")] {
            let line = room.refuses(add(&[NIGHT[0], NIGHT[1], ("for", span)]), span).await;
            assert!(line.contains(&format!("for={meant}")), "{span}: {line}");
        }
        let line = room.refuses(add(&weekend), "`night` wants small where `hours` wants full").await;
        assert_eq!(line, "schedule show shop hours");
        assert_eq!(room.refuses(change("Hours", &[("inside", "small")]), "it stands there, line").await, "skip shop");
        room.refuses(remove("hours"), "not changed by chat").await;
        assert_eq!(room.list().await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn each_thing_that_is_wrong_is_named_and_one_line_puts_all_of_it_right() {
    on_both(async |store| {
        let keys = [("cron", "0 0 2 * * *"), ("do", "up full")];
        let alone = CONFIG.replace("zone = 'Asia/Tokyo'\n", "");
        let alone = alone.split("[[environments.shop.schedules]]").next().unwrap();
        let elsewhere = alone.to_owned()
            + "[environments.bank]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\nzone = 'Europe/Berlin'\n\
               [[environments.bank.stacks]]\nname = 'app'\nroot = 'app'\n\
               [environments.bank.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";
        for (text, zone) in [(alone, "Asia/Tokyo"), (elsewhere.as_str(), "Europe/Berlin")] {
            let room = Room::new(&store, text);
            let refusal = room.says("ito", add(&keys)).await.expect_err("three mistakes");
            let said = format!("{}: {}", refusal.what, refusal.why);
            for wrong in ["on whose clock", "six fields", "`for`"] {
                assert!(said.contains(wrong), "{wrong}: {said}");
            }
            let line =
                format!("schedule add shop night cron=\"0 2 * * *\" do=\"up full\" zone={zone} for=3h because tests");
            assert_eq!(refusal.hints, [line]);
            let mended = [("cron", "0 2 * * *"), ("do", "up full"), ("zone", zone), ("for", "3h")];
            room.says("ito", add(&mended)).await.expect("nothing is wrong with what was offered");
            room.says("ito", remove("night")).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn only_who_may_raise_and_lower_changes_schedules_and_not_around_a_yes() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        let refusal = room.says("mori", add(&NIGHT)).await.expect_err("a viewer");
        assert!(refusal.what.contains("schedule"), "{refusal:?}");
        let bank = |target: &str| ScheduleOrder::Add {
            environment: "bank".parse().unwrap(),
            written: written("night", &[("cron", "0 2 * * *"), ("do", target), ("for", "3h"), ("zone", "UTC")]),
        };
        room.refuses(bank("up full servers=5"), "the clock asks nobody").await;
        assert!(room.says("ito", bank("up small")).await.is_ok());
        let audit = crate::ledger::audit::recent(&store, None, 10).await.unwrap();
        let actions: Vec<(&str, Option<&str>)> =
            audit.iter().map(|entry| (entry.action.as_str(), entry.result.as_deref())).collect();
        assert_eq!(actions, [("schedule", Some("added")), ("schedule", None), ("schedule", None)]);
    })
    .await;
}

#[tokio::test]
async fn what_does_not_check_any_more_is_left_out_and_told() {
    on_both(async |store| {
        assert!(Room::new(&store, CONFIG).says("ito", add(&NIGHT)).await.is_ok());
        let room = Room::new(&store, &CONFIG.replace("full", "large"));
        let list = room.list().await;
        assert!(list[1].schedule.as_ref().is_err_and(|why| why.contains("has no level `full`")), "{list:?}");
        let now = store.now().await.unwrap();
        let config = room.desk.config();
        let diaries = room.desk.diaries().all(&store, &config, now).await.unwrap();
        assert_eq!((diaries[0].agenda().schedules.len(), diaries[0].left_out.len()), (1, 1));
        let status = room.desk.status(Some(&"shop".parse().unwrap())).await.unwrap().remove(0);
        assert!(matches!(status, Standing::Managed(status) if status.besides[0].contains("`night` is left out")));
        assert!(room.says("ito", change("night", &[("do", "up large")])).await.is_ok());
        assert!(room.list().await[1].schedule.is_ok());
    })
    .await;
}

#[tokio::test]
async fn beside_rules_that_count_changes_no_schedule_is_given_by_chat() {
    on_both(async |store| {
        let room = Room::new(&store, &CONFIG.replace("'servers > 2'", "'deletes > 5'"));
        let keys = [("cron", "0 3 * * *"), ("do", "down small"), ("zone", "UTC")];
        let order = ScheduleOrder::Add { environment: "bank".parse().unwrap(), written: written("night", &keys) };
        assert_eq!(room.refuses(order, "how much a plan changes").await, "schedule list bank");
    })
    .await;
}

#[tokio::test]
async fn who_is_told_is_typed_with_commas() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        let told = |who| add(&[NIGHT[0], NIGHT[1], NIGHT[2], ("tell", who)]);
        room.refuses(told("kato"), "is not a person or group").await;
        assert!(room.says("ito", told("local:kato, slack:U024BE7LH")).await.is_ok());
        let list = room.list().await;
        let tell = &list[1].schedule.as_ref().unwrap().tell;
        assert_eq!(tell.iter().map(ActorId::as_str).collect::<Vec<_>>(), ["local:kato", "slack:U024BE7LH"]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_of_a_schedule_at_once_is_answered_first_and_what_it_lowers_is_warned_of() {
    on_both(async |store| {
        let text = CONFIG.split("[[environments.shop.schedules]]").collect::<Vec<_>>();
        let [head, tail] = text.as_slice() else { panic!("{CONFIG}") };
        let bank = tail.split_once("[environments.bank]").unwrap().1;
        let room = Room::new(&store, &format!("{head}[environments.bank]{bank}"));
        let full = Target { level: "full".parse().unwrap(), settings: std::collections::BTreeMap::new() };
        let mut tx = store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &"shop".parse().unwrap(), Some(&full), None).await.unwrap();
        tx.commit().await.unwrap();
        let now = store.now().await.unwrap();
        let date = |days: i64| chrono::DateTime::from_timestamp_millis(now.0 + days * 86_400_000).unwrap();
        // A line that fired in the last hours asks for nothing of it.
        let hour = date(0).with_timezone(&chrono_tz::Tz::Asia__Tokyo) - chrono::TimeDelta::hours(2);
        let line = hour.format("%M %H * * *").to_string();
        let answer = room.says("ito", add(&[("cron", &line), ("do", "down small")])).await.unwrap();
        assert_eq!(answer.at_once, None);
        room.says("ito", remove("night")).await.unwrap();
        // Now is outside of it.
        let window = date(3).format("%a 09:00-10:00").to_string();
        let keys = [("window", window.as_str()), ("inside", "full"), ("outside", "small")];
        let answer = room.says("ito", add(&keys)).await.unwrap();
        let at_once = answer.at_once.expect("it is lowered");
        let to = at_once.to.expect("to small");
        assert_eq!((at_once.from, to.wanted.level.to_string()), (Some(full), "small".to_owned()));
        let lead_ms = to.at.ms_since(now);
        assert!((900_000..960_000).contains(&lead_ms), "{lead_ms}");
        assert_eq!(answer.next.first().map(|next| next.at), Some(to.at));
        // What comes to the same adds no time to it.
        let answer = room.says("ito", change("night", &[("tell", "local:ito")])).await.unwrap();
        assert_eq!((answer.at_once, answer.next.first().map(|next| next.at)), (None, Some(to.at)));
        // Of what goes lower, people are warned for as long as of anything.
        let answer = room.says("ito", change("night", &[("outside", "off")])).await.unwrap();
        let lower = answer.at_once.expect("it is lowered further").to.expect("to off");
        assert_eq!(lower.wanted.level.to_string(), "off");
        assert!(lower.at > to.at, "{lower:?}");
        assert_eq!(answer.next.first().map(|next| (next.at, &next.wanted)), Some((lower.at, &lower.wanted)));
    })
    .await;
}

#[tokio::test]
async fn what_is_to_come_sooner_than_people_can_be_warned_of_it_is_answered_with_when_it_comes() {
    on_both(async |store| {
        let text = CONFIG.split("[[environments.shop.schedules]]").collect::<Vec<_>>();
        let [head, tail] = text.as_slice() else { panic!("{CONFIG}") };
        let bank = tail.split_once("[environments.bank]").unwrap().1;
        let room = Room::new(&store, &format!("{head}[environments.bank]{bank}"));
        let full = Target { level: "full".parse().unwrap(), settings: std::collections::BTreeMap::new() };
        let mut tx = store.begin().await.unwrap();
        environments::set_wanted(&mut tx, &"shop".parse().unwrap(), Some(&full), None).await.unwrap();
        tx.commit().await.unwrap();
        let now = store.now().await.unwrap();
        let soon =
            chrono::DateTime::from_timestamp_millis(now.0 + 300_000).unwrap().format("%Y-%m-%d %H:%M").to_string();
        let keys = [("at", soon.as_str()), ("zone", "UTC"), ("do", "down small")];
        let answer = room.says("ito", add(&keys)).await.unwrap();
        let to = answer.at_once.expect("it is lowered").to.expect("to small");
        let lead_ms = to.at.ms_since(now);
        assert!((900_000..960_000).contains(&lead_ms), "{lead_ms}");
        assert_eq!(answer.next.first().map(|next| (next.at, &next.wanted)), Some((to.at, &to.wanted)));
        // Asked again, it is expected already.
        let answer = room.says("ito", change("night", &[("tell", "local:ito")])).await.unwrap();
        assert_eq!((answer.at_once, answer.next.first().map(|next| next.at)), (None, Some(to.at)));
    })
    .await;
}

#[tokio::test]
async fn what_another_schedule_overrules_is_answered_as_what_changes_nothing() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        // At noon of a Tuesday `hours` asks for more.
        let noon = [("at", "2030-12-24 12:00"), ("do", "up small"), ("for", "1h")];
        let answer = room.says("ito", add(&noon)).await.unwrap();
        let own = answer.own.expect("it is there");
        assert_eq!((&own, answer.unknown_years.len()), (&room.list().await[1].next, 0));
        let idle = own.idle.expect("it is overruled");
        assert_eq!((own.makes, idle.turn.local.to_string()), (None, "2030-12-24 12:00:00".to_owned()));
        assert_eq!(idle.wanted.map(|wanted| wanted.level.to_string()).as_deref(), Some("full"));
        assert!(idle.because.iter().all(|because| because.schedule() == Some("hours")), "{:?}", idle.because);
    })
    .await;
}

#[tokio::test]
async fn a_date_beyond_the_list_of_holidays_is_answered_with_a_warning() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        let keys = [("at", "2036-12-27 18:00"), ("do", "up full"), ("for", "3h"), ("holidays", "JP")];
        let answer = room.says("ito", add(&keys)).await.unwrap();
        assert_eq!(answer.unknown_years.into_iter().collect::<Vec<_>>(), [("JP".to_owned(), 2035)]);
        let makes = answer.own.and_then(|own| own.makes).expect("it lies ahead");
        assert_eq!(makes.local.to_string(), "2036-12-27 18:00:00");
    })
    .await;
}

#[tokio::test]
async fn schedules_are_followed_as_long_as_a_process_has_the_clock_s_lease() {
    on_both(async |store| {
        let room = Room::new(&store, CONFIG);
        assert!(!room.desk.is_followed().await.unwrap());
        let mut tx = store.begin().await.unwrap();
        leases::take(&mut tx, leases::CLOCK, "one", 60_000, false).await.unwrap();
        tx.commit().await.unwrap();
        assert!(room.desk.is_followed().await.unwrap());
        let mut tx = store.begin().await.unwrap();
        leases::release(&mut tx, leases::CLOCK, "one").await.unwrap();
        tx.commit().await.unwrap();
        assert!(!room.desk.is_followed().await.unwrap());
    })
    .await;
}
