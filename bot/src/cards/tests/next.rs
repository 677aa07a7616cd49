//! What comes, where clocks change and on holidays, as the timeline has it.

use chrono::DateTime;
use insta::assert_snapshot;
use tidegate_runner::config;
use tidegate_runner::domain::answer::Upcoming;
use tidegate_runner::domain::ids::{ActorId, Timestamp};
use tidegate_runner::domain::schedule::{
    Agenda, Bend, Bent, Overdue, Scale, Turn, clock_changes, quiet_days, timeline, unknown_years,
};
use tidegate_runner::problem::source::Source;

use super::scene::{clock, target};
use super::shown;
use crate::cards;
use crate::cards::Clock;

/// The card of the days from `from` on, on the clock of Berlin, with these schedules.
fn comes(schedules: &str, from: &str, days: i64, bends: &[Bent]) -> String {
    let text = format!(
        "[environments.shop]\nowners = ['local:ito']\nzone = 'Europe/Berlin'\nholidays = 'DE'\nup = 'full'\ndown = 'small'\n\
         [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
         [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n{schedules}"
    );
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).expect("a configuration");
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    let environment = config.environments.values().next().expect("shop");
    let (table, scale) = (&environment.timetable, Scale::from(environment));
    let (zone, schedules, calendars) = (table.zone, &table.schedules, &table.calendars);
    let agenda = Agenda { zone, scale: &scale, schedules, calendars, bends };
    let at = DateTime::parse_from_rfc3339(from).expect("a time");
    let from = Timestamp(at.timestamp_millis());
    let to = from.plus_ms(days * 86_400_000);
    let (first, last) = (at.date_naive(), at.date_naive() + chrono::TimeDelta::days(days));
    let upcoming = Upcoming {
        environment: environment.name.clone(),
        transitions: timeline(&agenda, from, to),
        quiet: quiet_days(&agenda, first, last),
        clocks: clock_changes(zone, from, to),
        unknown_years: unknown_years(&agenda, last),
        scheduled: true,
        bends: bends.to_vec(),
        destroyed: false,
        unproven: false,
        unread: false,
        aside: false,
        held: Vec::new(),
        overdue: None,
    };
    let days = u32::try_from(days).expect("few");
    shown(&cards::next(&[upcoming], None, days, &Clock { now: from, ..clock() }))
}

fn schedule(name: &str, lines: &str) -> String {
    format!("[[environments.shop.schedules]]\nname = '{name}'\n{lines}\n")
}

#[test]
fn nights_in_which_clocks_change_and_holidays_are_named() {
    let hours = schedule("hours", "window = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'");
    let night = schedule("night", "cron = '30 2 * * *'\ndo = 'up full'\nfor = '1h'");
    let short = schedule("short", "window = 'daily 02:10-02:40'\ninside = 'full'\noutside = 'small'");
    let pause = Bent {
        number: 1,
        by: ActorId::local("ito"),
        called: "ito".to_owned(),
        because: Some("we measure".to_owned()),
        bend: Bend::Pause {
            from: Timestamp(1_806_000_000_000),
            until: Some(Timestamp(
                DateTime::parse_from_rfc3339("2027-03-30T12:00:00+02:00").expect("a time").timestamp_millis(),
            )),
        },
    };
    // Easter 2027 is on 28 March, and so is the change of the clocks.
    let cards = [
        comes(&hours, "2027-03-25T12:00:00+01:00", 6, &[]),
        comes(&night, "2027-03-27T12:00:00+01:00", 2, &[]),
        comes(&short, "2027-03-27T12:00:00+01:00", 2, &[]),
        comes(&night, "2027-10-30T12:00:00+02:00", 2, &[]),
        comes(&hours, "2027-03-25T22:00:00+01:00", 6, &[pause]),
        comes(&hours, "2035-12-30T12:00:00+01:00", 3, &[]),
    ];
    assert_snapshot!(cards.join("\n"));
}

#[test]
fn what_stays_until_people_were_warned_is_nobodys_wish() {
    let hours = schedule("hours", "window = 'Mon-Fri 09:00-21:00'\ninside = 'full'\noutside = 'small'");
    let at = |text: &str| Timestamp(DateTime::parse_from_rfc3339(text).expect("a time").timestamp_millis());
    let bent = |number: i64, bend: Bend| Bent {
        number,
        by: ActorId::local("ito"),
        called: "ito".to_owned(),
        because: None,
        bend,
    };
    let (from, until) = (at("2027-03-25T20:55:00+01:00"), at("2027-03-25T21:10:00+01:00"));
    let lowered = (at("2027-03-25T20:57:00+01:00"), at("2027-03-25T20:59:00+01:00"));
    let bends = [
        bent(1, Bend::Grace { target: target("full"), from, until, then: None, foretold: Vec::new() }),
        bent(2, Bend::Visit { target: target("small"), from: lowered.0, until: lowered.1, said: true }),
        bent(
            3,
            Bend::Visit { target: target("full"), from: lowered.1, until: at("2027-03-25T21:02:00+01:00"), said: true },
        ),
    ];
    let card = comes(&hours, "2027-03-25T20:59:30+01:00", 1, &bends);
    let card = card.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(card.contains("small - what ito asked for ends, it stays as it was until people were warned"), "{card}");
    assert!(card.contains("stays at full until") && !card.contains("tidegate asked"), "{card}");
}

#[test]
fn what_is_too_much_for_one_card_is_told_from_where_it_ends() {
    let hours = schedule("hours", "window = 'daily 09:00-21:00'\ninside = 'full'\noutside = 'small'");
    let card = comes(&hours, "2027-03-01T12:00:00+01:00", 60, &[]);
    assert!(card.contains("and 80 more: `next shop from 2027-03-21T21:00:00+01:00 60d`"), "{card}");
    assert!(card.contains("Sun 2027-03-28: the clocks of Europe/Berlin go from 02:00 to 03:00"), "{card}");
}

/// Of an environment with schedules of which nothing comes.
fn nothing() -> Upcoming {
    Upcoming {
        environment: "shop".parse().expect("a name"),
        transitions: Vec::new(),
        quiet: Vec::new(),
        clocks: Vec::new(),
        unknown_years: std::collections::BTreeMap::new(),
        scheduled: true,
        bends: Vec::new(),
        destroyed: false,
        unproven: false,
        unread: false,
        aside: false,
        held: Vec::new(),
        overdue: None,
    }
}

#[test]
fn what_is_overdue_is_told_first_with_what_comes_of_it() {
    let now = clock().now;
    let told = |until: Option<Timestamp>| {
        let turn = Turn::new(now.plus_ms(-1_800_000), chrono_tz::Tz::Asia__Tokyo, target("small"));
        let overdue = Some(Overdue { turn, from: target("full"), lowers: true, until });
        let upcoming = Upcoming { overdue, ..nothing() };
        shown(&cards::next(&[upcoming], None, 1, &clock()))
    };
    assert_snapshot!([told(Some(now.plus_ms(7_200_000))), told(None)].join("\n"));
}

#[test]
fn of_several_environments_each_has_its_first_moments_and_the_line_for_the_others() {
    let now = clock().now;
    let of = |name: &str| {
        let transition = |days: i64| tidegate_runner::domain::schedule::Transition {
            at: now.plus_ms(days * 86_400_000),
            local: DateTime::from_timestamp_millis(now.0 + days * 86_400_000).expect("a time").naive_utc(),
            offset: "+00:00".to_owned(),
            zone: chrono_tz::Tz::UTC,
            before: Some(target("full")),
            wanted: target("small"),
            because: Vec::new(),
            until: None,
            notes: Vec::new(),
        };
        Upcoming {
            environment: name.parse().expect("a name"),
            transitions: (1..8).map(transition).collect(),
            ..nothing()
        }
    };
    let text = shown(&cards::next(&[of("shop"), of("shop")], None, 7, &clock()));
    assert_eq!(text.matches("full -> small").count(), 2 * 4, "{text}");
    assert!(text.contains("and 3 more: `next shop from 2026-11-25T03:00:00+00:00 7d`"), "{text}");
}
