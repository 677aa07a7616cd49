//! Environments for one test, as people read them.

use insta::assert_snapshot;
use tidegate_runner::domain::answer::{Actor, Answer, Standing};
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::made::{AtWork, LifeNews, Listed, Made, MadeAnswer, Stage};

use super::scene::{START, clock};
use super::{managed, shown};
use crate::cards::{self, Card};

const HOUR: i64 = 3_600_000;

fn made() -> Made {
    let (name, template) = ("shop".parse().expect("a name"), "loadtest".parse().expect("a name"));
    let maker = Actor::person(ActorId::local("mori"), "Mori 森");
    Made {
        keep: vec!["results".parse().expect("a name")],
        range: Some(("vpc".parse().expect("a name"), "10.64.0.0/20".to_owned())),
        because: Some("login spike".to_owned()),
        ends: START.plus_ms(8 * HOUR),
        latest: START.plus_ms(48 * HOUR),
        stage: Stage::Living,
        run: RunNumber(812),
        ..Made::begins(4, name, template, maker, START)
    }
}

#[test]
fn what_is_made_how_it_is_and_what_happens_to_it() {
    let answers = [
        MadeAnswer::Extended(Box::new(made())),
        MadeAnswer::Renewed(Box::new(made())),
        MadeAnswer::Differs { made: Box::new(made()), lines: Vec::new() },
        MadeAnswer::Differs {
            made: Box::new(made()),
            lines: (0..32).map(|at| format!("- profiles.full.app.servers{at} = 3")).collect(),
        },
    ];
    let mut all: Vec<Card> = answers.into_iter().map(|answer| cards::answer(&Answer::Made(answer), &clock())).collect();
    let listed = |made: Made| Listed { made, older: false, broken: None };
    let deleting = Made {
        name: "shop".parse().expect("a name"),
        stage: Stage::Ending,
        try_at: Some(START.plus_ms(HOUR)),
        told: Some("x".to_owned()),
        range: None,
        ..made()
    };
    all.push(cards::made(&[], &clock()));
    all.push(cards::made(
        &[
            Listed { older: true, ..listed(made()) },
            listed(deleting),
            listed(Made { told: Some("app: tcp a:1 says that a test runs".to_owned()), ..made() }),
            Listed {
                broken: Some("there is no role `tester`".to_owned()),
                ..listed(Made { stage: Stage::Making, ..made() })
            },
        ],
        &clock(),
    ));
    let (ends, latest) = (made().ends, made().latest);
    let at_work =
        AtWork { said: "app: `pgrep jmeter` says that a test runs".to_owned(), until: ends.plus_ms(6 * HOUR) };
    let said = [
        LifeNews::Ahead { ends, latest },
        LifeNews::Ahead { ends, latest: ends.plus_ms(30 * 60_000) },
        LifeNews::Ahead { ends, latest: ends },
        LifeNews::Busy { at_work: at_work.clone(), ends, latest },
        LifeNews::Busy { at_work, ends, latest: ends },
        LifeNews::Late { ends: START.plus_ms(-2 * HOUR), waited: None },
        LifeNews::Late {
            ends: START.plus_ms(-2 * HOUR),
            waited: Some("app: tcp a:1 says that a test runs".to_owned()),
        },
        LifeNews::Deleting {
            left: Some((0..14).map(|at| format!("app: terraform_data.slave[{at}]")).collect()),
            why: "app: no capacity".to_owned(),
            run: Some(RunNumber(820)),
            again: ends.plus_ms(60_000),
            next: Vec::new(),
        },
        LifeNews::Deleting {
            left: None,
            why: "shop is held: mori until 22:00".to_owned(),
            run: None,
            again: ends,
            next: vec!["renew shop take".to_owned()],
        },
        LifeNews::Deleted { lived_ms: 9 * HOUR, kept: made().keep, run: Some(RunNumber(821)) },
    ];
    all.extend(said.into_iter().map(|said| {
        let news = News::Life { environment: made().name, channels: std::collections::BTreeMap::new(), said };
        cards::news(&news, &clock())
    }));
    let gone =
        Made { stage: Stage::Gone, end_run: Some(RunNumber(821)), gone: Some(START.plus_ms(9 * HOUR)), ..made() };
    let by_hand = Made { ended_by: Some(ActorId::local("ito")), keep: Vec::new(), because: None, ..gone.clone() };
    all.extend([gone, by_hand].map(|made| {
        let made = Some(Box::new(made));
        let name = "shop".parse().expect("a name");
        cards::status(&[Standing::Departed { name, wanted: None, runs: Vec::new(), made }], &clock())
    }));
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn handover_tells_which_end_is_near_or_goes_on_and_calls_none_left_up_that_has_an_end() {
    let told = |made: Made| {
        let mut status = managed();
        (status.scheduled, status.made) = (false, Some(Box::new(Listed { made, older: false, broken: None })));
        shown(&cards::handover(&[Standing::Managed(Box::new(status))], &clock()))
    };
    let now = clock().now;
    assert!(told(Made { ends: now.plus_ms(2 * HOUR), ..made() }).contains("Nothing to hand over"));
    let text = told(Made { ends: now.plus_ms(HOUR / 2), ..made() });
    assert!(text.contains("is deleted 12:30") && !text.contains("nothing lowers it"), "{text}");
    let ending = Made { stage: Stage::Ending, ..made() };
    let stuck = Made { try_at: Some(now.plus_ms(HOUR)), told: Some("no capacity".to_owned()), ..ending.clone() };
    assert!(!told(ending).contains("tried again"));
    let text = told(stuck);
    assert!(text.contains("DELETING, tried again 13:00"), "{text}");
}
