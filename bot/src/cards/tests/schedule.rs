//! What people read about schedules.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use tidegate_runner::domain::answer::Answer;
use tidegate_runner::domain::ids::{ActorId, Timestamp};
use tidegate_runner::domain::request::{AskedAs, Target};
use tidegate_runner::domain::schedule::{
    AtOnce, Because, Bend, BendAnswer, Bent, BentOne, Coming, DEFAULT_CATCH_UP_S, DEFAULT_WARN_S, Deed, Fires, Idle,
    Listed, OnGap, OnOverlap, Origin, Schedule, ScheduleAnswer, Schedules, Signed, Skipped, Stored, Transition, Turn,
    Way, When, Written,
};

use super::scene::{START, clock};
use super::shown;
use crate::cards::{self, Card};

fn all(cards: &[Card]) -> String {
    cards.iter().map(shown).collect::<Vec<_>>().join("\n")
}

fn target(level: &str) -> Target {
    Target { level: level.parse().expect("a level"), settings: BTreeMap::new() }
}

fn transition(hours: i64, schedule: &str, level: &str) -> Transition {
    let at: Timestamp = START.plus_ms(hours * 3_600_000);
    let local = clock().zone.local(at).expect("a time").naive_local();
    Transition {
        at,
        local,
        offset: "+09:00".to_owned(),
        zone: "Asia/Tokyo".parse().expect("a zone"),
        before: Some(target("small")),
        wanted: target(level),
        because: vec![Because::Begins { schedule: schedule.to_owned() }],
        until: None,
        notes: Vec::new(),
    }
}

fn written() -> Written {
    let keys = [("window", "Mon-Fri 13:00-23:00"), ("inside", "full"), ("outside", "small")];
    let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Written { name: "late shift".to_owned(), keys }
}

fn signed(who: &str, because: Option<&str>) -> Signed {
    Signed {
        by: ActorId::local(who),
        called: who.to_owned(),
        at: START,
        because: because.map(str::to_owned),
        asked_as: Some(AskedAs::default()),
    }
}

fn schedule(name: &str, when: When, origin: Origin) -> Schedule {
    Schedule {
        name: name.to_owned(),
        zone: "Asia/Tokyo".parse().expect("a zone"),
        when,
        holidays: Some("JP".to_owned()),
        on_gap: OnGap::First,
        on_overlap: OnOverlap::Second,
        catch_up_s: DEFAULT_CATCH_UP_S,
        warn_s: DEFAULT_WARN_S,
        ready_by: false,
        tell: Vec::new(),
        origin,
        since: None,
    }
}

fn listed() -> Vec<Listed> {
    let window = "Mon-Fri 13:00-23:00".parse().expect("a window");
    let late = When::Window { window, inside: Some(target("full")), outside: Some(target("small")) };
    let fires = Fires { way: Way::Up, target: target("full"), for_s: Some(10_800) };
    let nightly = When::Crontab { line: "0 2 1 * *".parse().expect("a line"), fires };
    let window = "Mon-Fri 07:00-".parse().expect("a window");
    let begins = When::Window { window, inside: Some(target("full")), outside: None };
    let early = schedule("early shift", begins, Origin::File { line: 20 });
    let stored = |name: &str| Stored {
        id: String::new(),
        environment: "shop".parse().expect("a name"),
        written: Written { name: name.to_owned(), ..written() },
        added: signed("ito", Some("the late tests")),
        changed: Some(signed("sato", None)),
    };
    let who = ActorId::local("ito");
    vec![
        Listed {
            name: "rehearsal".to_owned(),
            schedule: Ok(schedule("rehearsal", nightly, Origin::File { line: 12 })),
            stored: None,
            next: Coming { over: true, ..Coming::default() },
        },
        Listed {
            name: "late shift".to_owned(),
            schedule: Ok(schedule("late shift", late, Origin::Chat { who, when: START })),
            stored: Some(stored("late shift")),
            next: Coming { makes: Some(transition(1, "late shift", "full")), ..Coming::default() },
        },
        Listed {
            name: "old".to_owned(),
            schedule: Err("shop has no level `huge`".to_owned()),
            stored: Some(stored("old")),
            next: Coming::default(),
        },
        Listed {
            name: "early shift".to_owned(),
            schedule: Ok(Schedule { ready_by: true, tell: vec![ActorId::local("mori")], ..early }),
            stored: None,
            next: overruled(Because::Asks { schedule: "night off".to_owned() }),
        },
    ]
}

fn turn(minutes: i64, level: &str) -> Turn {
    Turn::new(START.plus_ms(minutes * 60_000), chrono_tz::Tz::Asia__Tokyo, target(level))
}

/// Another schedule asks for something else when it does its next.
fn overruled(by: Because) -> Coming {
    let idle = Idle { turn: turn(90, "full"), wanted: Some(target("small")), because: vec![by] };
    Coming { idle: Some(idle), ..Coming::default() }
}

/// What is there stays until people were warned.
fn grace() -> Bent {
    let bend = Bend::Grace {
        target: target("full"),
        from: START,
        until: START.plus_ms(15 * 60_000),
        then: None,
        foretold: Vec::new(),
    };
    Bent { number: 9, by: ActorId::local("tidegate"), called: "tidegate".to_owned(), because: None, bend }
}

fn visit() -> Bent {
    let bend = Bend::Visit { target: target("full"), from: START, until: START.plus_ms(3_600_000), said: false };
    Bent { number: -3, by: ActorId::local("ito"), called: "ito".to_owned(), because: None, bend }
}

#[test]
fn answers_about_schedules() {
    let answer = |deed, before, next| ScheduleAnswer {
        deed,
        environment: "shop".parse().expect("a name"),
        written: written(),
        before,
        because: Some("the late tests".to_owned()),
        next,
        own: match deed {
            Deed::Added => Some(Coming { makes: Some(transition(30, "late shift", "full")), ..Coming::default() }),
            Deed::Changed => Some(Coming {
                holds_off: Some(transition(120, "night off", "small")),
                ..overruled(Because::Asks { schedule: "night off".to_owned() })
            }),
            Deed::Removed => None,
        },
        bends: if deed == Deed::Changed { vec![grace()] } else { Vec::new() },
        unknown_years: if deed == Deed::Added { BTreeMap::from([("JP".to_owned(), 2035)]) } else { BTreeMap::new() },
        at_once: match deed {
            Deed::Added => Some(AtOnce { from: Some(target("small")), to: Some(turn(0, "full")) }),
            Deed::Changed => Some(AtOnce { from: Some(target("full")), to: Some(turn(15, "small")) }),
            Deed::Removed => Some(AtOnce { from: Some(target("full")), to: None }),
        },
        moved: (deed == Deed::Removed).then(|| Box::new((visit(), START.plus_ms(60_000)))),
    };
    let before = Written { keys: written().keys.into_iter().take(1).collect(), ..written() };
    let three = vec![transition(1, "late shift", "full"), transition(11, "late shift", "small")];
    let answers = [
        answer(Deed::Added, None, three.clone()),
        answer(Deed::Changed, Some(before), three),
        answer(Deed::Removed, None, Vec::new()),
    ];
    let cards: Vec<_> = answers.into_iter().map(|answer| cards::answer(&Answer::Schedule(answer), &clock())).collect();
    assert_snapshot!(all(&cards));
}

#[test]
fn schedules_and_whose_they_are() {
    let of =
        |name: &str, all| Schedules { environment: name.parse().expect("a name"), all, paused: None, aside: false };
    let mut cards = vec![
        cards::schedules(&[], false, &clock()),
        cards::schedules(&[of("blog", Vec::new())], false, &clock()),
        cards::schedules(&[of("shop", listed())], false, &clock()),
        cards::schedules(&[of("blog", listed()), of("shop", listed())], false, &clock()),
    ];
    cards.extend(listed().into_iter().map(|one| cards::schedules(&[of("shop", vec![one])], true, &clock())));
    assert_snapshot!(all(&cards));
}

#[test]
fn schedules_are_said_to_count_again_only_where_they_do() {
    let pause = Bent {
        number: 1,
        by: ActorId::local("ito"),
        called: "ito".to_owned(),
        because: None,
        bend: Bend::Pause { from: START, until: None },
    };
    let one = |aside: bool| BentOne {
        environment: "shop".parse().expect("a name"),
        bent: vec![pause.clone()],
        turns: Vec::new(),
        stays: None,
        next: None,
        at_once: None,
        warned: false,
        aside,
        meanwhile: None,
        paused: None,
    };
    let told = |answer: BendAnswer| shown(&cards::answer(&Answer::Bend(answer), &clock()));
    let text = told(BendAnswer::Unpaused(one(false)));
    assert!(text.contains("count again") && !text.contains("does not check"), "{text}");
    let text = told(BendAnswer::Unpaused(one(true)));
    assert!(text.contains("are not paused any more") && !text.contains("count again"), "{text}");
    assert!(text.contains("nothing comes of its schedules"), "{text}");
    // What was skipped is named, with the line that skips it again, and so is what keeps it there meanwhile.
    let day = |text: &str| text.parse().expect("a date");
    let skipped =
        Skipped::Days { schedule: None, first: day("2026-12-29"), last: day("2027-01-03"), from: clock().now };
    let kept = Bend::Keep {
        target: Target { level: "full".parse().expect("a level"), settings: BTreeMap::new() },
        from: clock().now,
        until: clock().now.plus_ms(7_200_000),
    };
    let named = BentOne {
        bent: vec![Bent { bend: Bend::Skip(skipped), ..pause.clone() }],
        meanwhile: Some(Bent { bend: kept, ..pause.clone() }),
        ..one(false)
    };
    let text = told(BendAnswer::Unpaused(named));
    assert!(text.contains("Not left out any more: all from Tue 2026-12-29 to Sun 2027-01-03"), "{text}");
    assert!(text.contains("`skip shop 2026-12-29..2027-01-03`") && text.contains("kept by ito until"), "{text}");
    // What an admin takes away may stand beside a pause.
    let cleared = BendAnswer::Cleared {
        environment: "shop".parse().expect("a name"),
        why: vec!["2: no JSON".to_owned()],
        left: Vec::new(),
    };
    let text = told(cleared);
    assert!(text.contains("Taken away from the schedules of shop") && !text.contains("count again"), "{text}");
}
