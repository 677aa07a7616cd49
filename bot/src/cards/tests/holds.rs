//! Holds, keeps, freezes, stops and the queue, as people read them.

use chrono_tz::Tz;
use insta::assert_snapshot;
use tidegate_runner::domain::answer::{Actor, Answer, RunSummary};
use tidegate_runner::domain::holds::{
    About, Afterwards, Booked, Comes, Ending, Freed, Hold, HoldAnswer, HoldNumber, Keeps, Kind, News, QueueOf,
    StillWorking, Waiting,
};
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::request::{AskedAs, Target};
use tidegate_runner::domain::run::{Phase, QuestionWhy};
use tidegate_runner::domain::schedule::{AtOnce, Turn};

use super::scene::{START, Scene, clock};
use super::shown;
use crate::cards::{self, Card};

const HOUR_MS: i64 = 3_600_000;

/// Of `sato`, since 11:00, for two hours more.
fn hold(kind: Kind) -> Hold {
    Hold {
        number: HoldNumber(3),
        kind,
        environment: matches!(kind, Kind::Hold | Kind::Keep | Kind::Booking).then(|| "shop".parse().expect("a name")),
        by: ActorId::local("sato"),
        called: "sato".to_owned(),
        only: Vec::new(),
        because: Some("we measure".to_owned()),
        began: START.plus_ms(-HOUR_MS),
        until: (kind != Kind::Stop).then(|| START.plus_ms(2 * HOUR_MS)),
        booked: (kind == Kind::Booking).then(|| {
            let target = Target { level: "full".parse().expect("a level"), settings: [].into() };
            Box::new(Booked { target, asked_as: AskedAs::default(), before: None })
        }),
    }
}

fn run(number: i64, who: &str) -> RunSummary {
    Scene::of("up shop").numbered(number).by(who).summary()
}

fn works(number: i64, who: &str) -> RunSummary {
    Scene::of("up shop").numbered(number).by(who).claimed().starts("app", Phase::Plan).summary()
}

fn all(cards: &[Card]) -> String {
    cards.iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn answers_about_holds() {
    let keeping = |hold, going_on, refused, keeps: Option<Keeps>| {
        let keeps = keeps.map(Box::new);
        HoldAnswer::Began { hold, going_on, refused, comes: None, carries: None, keeps }
    };
    let began = |hold, going_on, refused| keeping(hold, going_on, refused, None);
    let booked = |afterwards| {
        let hold = Hold { began: START.plus_ms(HOUR_MS), ..hold(Kind::Booking) };
        HoldAnswer::Booked { hold, afterwards }
    };
    let at = |level: &str| Target { level: level.parse().expect("a level"), settings: [].into() };
    let only = Hold { only: vec![ActorId::local("mori")], ..hold(Kind::Hold) };
    let news = News::Asked {
        by: ActorId::local("ito"),
        about: About::Environment("shop".parse().expect("a name")),
        words: "until when?".to_owned(),
    };
    let will_tell = |already| HoldAnswer::WillTell {
        environment: "shop".parse().expect("a name"),
        until: START.plus_ms(12 * HOUR_MS),
        already,
    };
    let to = Turn::new(START.plus_ms(15 * 60_000), Tz::Asia__Tokyo, at("small"));
    let kept = Keeps {
        instead_of: Some(START.plus_ms(HOUR_MS)),
        turns: vec![to.clone()],
        next: Some(Turn { at: START.plus_ms(2 * HOUR_MS), ..to.clone() }),
    };
    let at_once = AtOnce { from: Some(at("full")), to: Some(to) };
    let comes = Some(Comes { at_once, warned: true });
    let answers = [
        began(hold(Kind::Hold), Vec::new(), Vec::new()),
        began(only, vec![works(4, "ito")], (5..12).map(|number| run(number, "kato")).collect()),
        began(hold(Kind::Freeze), Vec::new(), Vec::new()),
        began(hold(Kind::Keep), Vec::new(), vec![run(5, "kato")]),
        keeping(hold(Kind::Keep), Vec::new(), Vec::new(), Some(kept)),
        booked(Afterwards::Schedules(at("small"))),
        booked(Afterwards::Asked(at("small"))),
        booked(Afterwards::Back(at("full"))),
        booked(Afterwards::Back(at("off"))),
        booked(Afterwards::Rests(at("small"))),
        booked(Afterwards::Unknown),
        HoldAnswer::Lifted { hold: hold(Kind::Booking), of_another: false, comes: comes.clone() },
        HoldAnswer::Lifted { hold: hold(Kind::Hold), of_another: false, comes: None },
        HoldAnswer::Lifted { hold: hold(Kind::Keep), of_another: true, comes },
        HoldAnswer::Lifted { hold: hold(Kind::Freeze), of_another: false, comes: None },
        HoldAnswer::Asked { to: vec![ActorId::local("sato"), ActorId::local("mori")], news },
        will_tell(false),
        will_tell(true),
        HoldAnswer::Left(Box::new(run(5, "ito"))),
        // Planned, given a yes, and in the queue again.
        HoldAnswer::Left(Box::new(works(6, "ito"))),
    ];
    let cards: Vec<Card> = answers.into_iter().map(|answer| cards::answer(&Answer::Hold(answer), &clock())).collect();
    assert_snapshot!(all(&cards));
}

#[test]
fn a_stop_names_the_runs_that_cannot_be_read() {
    let answer = HoldAnswer::Stopped {
        hold: hold(Kind::Stop),
        again: false,
        working: Vec::new(),
        emptied: Vec::new(),
        half_done: Vec::new(),
        unknown: Vec::new(),
        unread: vec![(RunNumber(9), "run 9: the row 9 of `runs` has an impossible `state`: no JSON".to_owned())],
    };
    let text = shown(&cards::answer(&Answer::Hold(answer), &clock()));
    assert!(text.contains("of 1 nobody can say") && text.contains("run 9: the row 9 of"), "{text}");
    assert!(!text.contains("nothing runs"), "{text}");
}

#[test]
fn answers_about_a_stop() {
    let working = |number, done, planned| StillWorking { run: works(number, "ito"), done, planned };
    let stopped = |again, working, emptied, unknown| HoldAnswer::Stopped {
        hold: hold(Kind::Stop),
        again,
        working,
        emptied,
        half_done: Vec::new(),
        unknown,
        unread: Vec::new(),
    };
    let silent = RunSummary { lease_until: Some(START.plus_ms(-60_000)), ..works(12, "ito") };
    let silent = StillWorking { run: silent, done: 3, planned: 9 };
    let half = HoldAnswer::Stopped {
        hold: hold(Kind::Stop),
        again: false,
        working: Vec::new(),
        emptied: Vec::new(),
        half_done: vec![works(4, "ito")],
        unknown: Vec::new(),
        unread: Vec::new(),
    };
    let answers = [
        stopped(false, Vec::new(), Vec::new(), Vec::new()),
        stopped(
            false,
            vec![working(12, 3, 9), working(13, 0, 0)],
            vec![run(14, "kato"), run(15, "mori")],
            vec![RunNumber(7)],
        ),
        stopped(true, vec![working(12, 4, 9)], Vec::new(), Vec::new()),
        stopped(false, Vec::new(), Vec::new(), vec![RunNumber(7)]),
        stopped(false, vec![silent], Vec::new(), Vec::new()),
        half,
        HoldAnswer::Resumed(hold(Kind::Stop)),
    ];
    let cards: Vec<Card> = answers.into_iter().map(|answer| cards::answer(&Answer::Hold(answer), &clock())).collect();
    assert_snapshot!(all(&cards));
}

#[test]
fn news_of_holds() {
    let shop = || "shop".parse().expect("a name");
    let by = || ActorId::local("ito");
    let because = || Some("nobody answers".to_owned());
    let over = |kind, ending| News::Over { hold: hold(kind), ending };
    let news = [
        News::Began { hold: hold(Kind::Hold) },
        News::Began { hold: Hold { only: vec![by()], ..hold(Kind::Freeze) } },
        News::Began { hold: hold(Kind::Stop) },
        over(Kind::Hold, Ending::Lapsed),
        over(Kind::Freeze, Ending::Lapsed),
        over(Kind::Hold, Ending::Lifted { by: by(), because: None }),
        over(Kind::Keep, Ending::Overridden { by: by(), because: because(), run: RunNumber(12) }),
        over(Kind::Stop, Ending::Lifted { by: by(), because: because() }),
        News::Still { hold: hold(Kind::Stop), unknown: Vec::new(), unread: Vec::new() },
        News::Still { hold: hold(Kind::Stop), unknown: vec![RunNumber(7)], unread: Vec::new() },
        News::Asked { by: by(), about: About::Environment(shop()), words: "until when?".to_owned() },
        News::Asked { by: by(), about: About::Run(RunNumber(12)), words: "`down shop`\nnow?".to_owned() },
        News::Free { environment: shop() },
        News::Cleared {
            by: Some(ActorId::local("boss")),
            number: HoldNumber(7),
            environment: Some(shop()),
            why: "hold 7: holds.only_ids of 7: it is cut off".to_owned(),
        },
        News::Cleared {
            by: None,
            number: HoldNumber(7),
            environment: None,
            why: "hold 7: holds.only_ids of 7: it is cut off".to_owned(),
        },
        News::NotFree { environment: shop(), since: START.plus_ms(-12 * HOUR_MS) },
    ];
    let cards: Vec<Card> = news.iter().map(|news| cards::news(news, &clock())).collect();
    assert_snapshot!(all(&cards));
}

#[test]
fn queues() {
    let queue = |environment: &str, running, waiting, holds| QueueOf {
        environment: environment.parse().expect("a name"),
        running,
        waiting,
        asking: Vec::new(),
        holds,
        unread: Vec::new(),
    };
    let asks = Scene::of("up shop").numbered(8).by("sato").claimed().asks(QuestionWhy::Previewed).summary();
    let waits = |number, starts_in_ms| Waiting { run: run(number, "kato"), starts_in_ms, barred: number == 9 };
    let me = Actor::person(ActorId::local("ito"), "ito");
    let cards = [
        cards::queue(&[], &me, &clock()),
        cards::queue(&[queue("shop", None, Vec::new(), Vec::new())], &me, &clock()),
        cards::queue(&[queue("shop", None, Vec::new(), vec![hold(Kind::Hold)])], &me, &clock()),
        cards::queue(
            &[queue("shop", None, Vec::new(), vec![Hold { by: me.id.clone(), ..hold(Kind::Hold) }])],
            &me,
            &clock(),
        ),
        cards::queue(&[queue("shop", None, Vec::new(), vec![hold(Kind::Keep)])], &me, &clock()),
        cards::queue(
            &[queue(
                "shop",
                Some((works(4, "ito"), 90_000)),
                vec![waits(5, Some(30_000)), waits(6, None), waits(9, Some(60_000))],
                vec![hold(Kind::Keep)],
            )],
            &me,
            &clock(),
        ),
        cards::queue(
            &[
                queue("blog", Some((works(7, "ito"), 1_000)), Vec::new(), vec![hold(Kind::Stop)]),
                queue("shop", None, vec![waits(5, Some(0))], Vec::new()),
            ],
            &me,
            &clock(),
        ),
        cards::queue(&[QueueOf { asking: vec![asks], ..queue("shop", None, Vec::new(), Vec::new()) }], &me, &clock()),
    ];
    assert_snapshot!(all(&cards));
}

#[test]
fn what_an_accepted_run_says_of_keeps() {
    let freed = |own| Freed { hold: hold(Kind::Keep), own };
    let summary = Scene::of("down shop").by("ito").summary();
    let answer = |holds, freed| Answer::Queued {
        run: summary.clone(),
        ahead: Vec::new(),
        last_time_ms: None,
        starts_in_ms: None,
        holds,
        freed,
        until: None,
        then: None,
        ends: None,
        cost: None,
    };
    let answers = [
        answer(Vec::new(), vec![freed(true)]),
        answer(Vec::new(), vec![freed(false)]),
        answer(vec![hold(Kind::Keep)], Vec::new()),
    ];
    let cards: Vec<Card> = answers.iter().map(|answer| cards::answer(answer, &clock())).collect();
    assert_snapshot!(all(&cards));
}

#[test]
fn what_is_booked_is_told_with_its_beginning_and_its_end() {
    let ahead = Hold { began: START.plus_ms(HOUR_MS), only: vec![ActorId::local("mori")], ..hold(Kind::Booking) };
    let lists = [cards::bookings(&[], &clock()), cards::bookings(&[hold(Kind::Booking), ahead], &clock())];
    assert_snapshot!(all(&lists));
}
