//! What people hear of the clock.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use tidegate_runner::domain::holds::{Hold, HoldNumber, Kind, News};
use tidegate_runner::domain::ids::{ActorId, RunNumber, Timestamp};
use tidegate_runner::domain::request::Target;
use tidegate_runner::domain::schedule::{Because, Bend, Bent, ClockNews, HeldBack, OddDay, QuietKind, Reasons, Turn};

use super::scene::{START, clock};
use super::shown;
use crate::cards;

const HOUR_MS: i64 = 3_600_000;

fn target(level: &str) -> Target {
    Target { level: level.parse().expect("a level"), settings: BTreeMap::new() }
}

fn turn(at: Timestamp, level: &str) -> Turn {
    Turn::new(at, chrono_tz::Tz::Asia__Tokyo, target(level))
}

fn day(date: &str, kind: QuietKind, name: &str) -> OddDay {
    OddDay { date: date.parse().expect("a date"), kind, name: name.to_owned() }
}

fn held() -> Hold {
    Hold {
        number: HoldNumber(1),
        kind: Kind::Hold,
        environment: Some("shop".parse().expect("a name")),
        by: ActorId::local("sato"),
        called: "sato".to_owned(),
        only: Vec::new(),
        because: Some("we measure".to_owned()),
        began: START,
        until: Some(START.plus_ms(HOUR_MS)),
        booked: None,
    }
}

fn paused() -> Bent {
    Bent {
        number: 7,
        by: ActorId::local("ito"),
        called: "ito".to_owned(),
        because: Some("we measure".to_owned()),
        bend: Bend::Pause { from: START, until: Some(START.plus_ms(2 * HOUR_MS)) },
    }
}

/// What stays until people were warned.
fn grace() -> Bent {
    let (from, until) = (START, START.plus_ms(HOUR_MS / 4));
    Bent { bend: Bend::Grace { target: target("full"), from, until, then: None, foretold: Vec::new() }, ..paused() }
}

/// A warning, where something was put off until now.
fn ahead(in_doubt: bool, held: Option<Box<Hold>>, because: &[Because]) -> ClockNews {
    let reasons = Some(Box::new(Reasons::of(because, &[grace()])));
    let turn = turn(START.plus_ms(HOUR_MS / 4), "small");
    ClockNews::Ahead { turn, from: target("full"), held, unskippable: false, in_doubt, reasons }
}

#[test]
fn news_of_the_clock() {
    let work = || "working hours".to_owned();
    let passed = |level: &str| turn(START.plus_ms(-HOUR_MS), level);
    let holiday = |date| day(date, QuietKind::Holiday, "the team is away");
    let all = [
        ahead(false, None, &[Because::Ends { schedule: work() }, Because::Asks { schedule: "nights".to_owned() }]),
        ahead(true, None, &[Because::Unbent { number: 7 }, Because::Asks { schedule: work() }]),
        ahead(false, Some(Box::new(held())), &[Because::Ends { schedule: work() }, Because::Rests]),
        ClockNews::Swallowed {
            turn: passed("full"),
            left_out: vec![turn(START.plus_ms(-60 * HOUR_MS), "small")],
            count: 1,
        },
        ClockNews::Late {
            turn: passed("full"),
            by_ms: HOUR_MS,
            collapsed: 4,
            run: RunNumber(812),
            stood_against: None,
            held_back: Some(Box::new(HeldBack::from(held()))),
        },
        ClockNews::Late {
            turn: passed("full"),
            by_ms: HOUR_MS,
            collapsed: 0,
            run: RunNumber(812),
            stood_against: Some("`up shop` has to wait: shop is held".to_owned()),
            held_back: None,
        },
        ClockNews::Missed { turn: passed("full"), by_ms: 6 * HOUR_MS, collapsed: 1, held_back: None },
        ClockNews::Skipped {
            turn: turn(START, "small"),
            by: ActorId::local("ito"),
            called: "ito".to_owned(),
            because: Some("we measure".to_owned()),
        },
        ClockNews::Eve {
            turn: turn(START.plus_ms(93 * HOUR_MS), "full"),
            stays: Some(target("small")),
            days: vec![day("2026-11-23", QuietKind::Holiday, "Labor Thanksgiving Day")],
        },
        ClockNews::Eve {
            turn: turn(START.plus_ms(1_077 * HOUR_MS), "full"),
            stays: None,
            days: vec![
                holiday("2026-12-29"),
                holiday("2026-12-30"),
                holiday("2026-12-31"),
                holiday("2027-01-01"),
                holiday("2027-01-03"),
            ],
        },
        ClockNews::Eve {
            turn: turn(START.plus_ms(21 * HOUR_MS), "full"),
            stays: None,
            days: vec![
                day("2026-11-21", QuietKind::Working, "a working day"),
                day("2026-11-21", QuietKind::Gap, "02:10-02:40"),
            ],
        },
        ClockNews::Refused {
            turn: turn(START, "full"),
            why: "`up shop` has to wait: shop is held".to_owned(),
            again: Some(START.plus_ms(9 * HOUR_MS)),
        },
        ClockNews::Refused { turn: turn(START, "full"), why: "everything is stopped".to_owned(), again: None },
        ClockNews::GivenUp { turn: passed("full"), tries: 5, run: Some(RunNumber(812)), by: None },
        ClockNews::GivenUp { turn: passed("full"), tries: 1, run: None, by: None },
        ClockNews::GivenUp { turn: passed("full"), tries: 2, run: None, by: Some("ito".to_owned()) },
        ClockNews::CalledOff {
            turn: turn(START.plus_ms(HOUR_MS), "small"),
            bent: Some(Box::new(paused())),
            held: None,
        },
        ClockNews::CalledOff { turn: turn(START.plus_ms(HOUR_MS), "small"), bent: None, held: Some(Box::new(held())) },
        ClockNews::CalledOff { turn: turn(START.plus_ms(HOUR_MS), "small"), bent: None, held: None },
    ];
    let told = all.map(|said| {
        let news = News::Clock { environment: "shop".parse().expect("a name"), said };
        shown(&cards::news(&news, &clock()))
    });
    assert_snapshot!(told.join("\n"));
}
