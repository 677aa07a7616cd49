//! Two clocks, and people, at one ledger in the same moment: they wait for each other and never in a circle.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::bell::Bell;
use crate::config;
use crate::domain::command::Order;
use crate::ledger::Store;
use crate::ledger::asked::Step;
use crate::ledger::environments;
use crate::ledger::tests::{on_both, sql};
use crate::problem::source::Source;

/// Environments of one round: each clock has as many as are stored together.
const COUNT: usize = TOGETHER;

/// Rounds, each of which was a deadlock more often than not where the audit came before the counter of runs.
const ROUNDS: i64 = 12;

fn name(number: usize) -> EnvironmentName {
    format!("e{number:02}").parse().unwrap()
}

fn target(level: &str) -> Target {
    Target { level: level.parse().unwrap(), settings: BTreeMap::new() }
}

fn desk(store: &Store) -> Desk {
    let of = |number: usize| {
        let name = name(number);
        format!(
            "[environments.{name}]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
             [[environments.{name}.stacks]]\nname = 'app'\nroot = 'app'\n\
             [environments.{name}.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
        )
    };
    let text: String = (0..COUNT).map(of).collect();
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    Desk::new(store.clone(), watch::channel(Arc::new(config)).1, Bell::default())
}

/// What the ledger has of what was asked for, after it was noted for all.
async fn asked(store: &Store) -> BTreeMap<EnvironmentName, Asked> {
    let all = asked::all(store).await.unwrap();
    if !all.is_empty() {
        return all;
    }
    let small = target("small");
    let mut tx = store.begin().await.unwrap();
    for number in 0..COUNT {
        let step = Step { wanted: Some(&small), since: Timestamp(0), written: "" };
        assert!(asked::step(&mut tx, &name(number), None, step).await.unwrap());
        environments::set_wanted(&mut tx, &name(number), Some(&small), None).await.unwrap();
    }
    tx.commit().await.unwrap();
    asked::all(store).await.unwrap()
}

/// All environments are to be full: every third one should have been there long ago.
fn due(asked: &BTreeMap<EnvironmentName, Asked>, now: Timestamp) -> Vec<Due> {
    let one = |(number, (environment, asked)): (usize, (&EnvironmentName, &Asked))| Due {
        environment: environment.clone(),
        key: format!("hours@{}", now.0),
        at: now,
        until: if number % 3 == 0 { now.plus_ms(-1) } else { now.plus_ms(60_000) },
        window: now.plus_ms(60_000),
        wanted: target("full"),
        rests: false,
        because: "hours begins".to_owned(),
        collapsed: 0,
        left_out: Vec::new(),
        tell: Vec::new(),
        held_back: None,
        by_chat: false,
        asked: Some((asked.clone(), Arc::from(""))),
        unread: None,
    };
    asked.iter().enumerate().map(one).collect()
}

/// The looks of two clocks and of a person, none of which is tried again: how many of them met in a circle, and how many transitions
/// were made.
async fn all_at_once(store: &Store, round: i64) -> (usize, usize) {
    let now = store.now().await.unwrap();
    let (one, other) = (desk(store), desk(store));
    let all = asked(store).await;
    let forth = due(&all, now);
    let mut back = forth.clone();
    back.reverse();
    let ito = Message {
        key: format!("m{round}"),
        actor: Actor::person(ActorId::local("ito"), "ito"),
        place: Place::shell(),
        typed: "plan e00".to_owned(),
    };
    let plan = Order::Plan { environment: name(0), level: None, settings: Vec::new(), newest_code: false };
    let (first, second, third) = tokio::join!(
        Box::pin(one.turn_together(&forth, now)),
        Box::pin(other.turn_together(&back, now)),
        Box::pin(one.try_submit(&ito, &plan, None, (None, None))),
    );
    let (mut circles, mut made) = (0, 0);
    for turned in [first, second] {
        match turned {
            Ok(turned) => made += turned.iter().filter(|turned| **turned != Turned::Already).count(),
            Err(DeskError::Ledger(error)) if error.lost_race() => circles += 1,
            Err(error) => panic!("{error}"),
        }
    }
    match third {
        Ok(_) => {}
        Err(DeskError::Ledger(error)) if error.lost_race() => circles += 1,
        Err(error) => panic!("{error}"),
    }
    (circles, made)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clocks_and_a_person_in_the_same_moment_wait_for_each_other_and_never_in_a_circle() {
    on_both(async |store| {
        for round in 0..ROUNDS {
            assert_eq!(all_at_once(&store, round).await, (0, COUNT), "round {round}");
            let ended = "status = 'cancelled', state = '{\"state\":\"ended\",\"outcome\":\"cancelled\"}', ended_at = updated_at";
            sql(&store, &format!("UPDATE runs SET {ended} WHERE ended_at IS NULL; DELETE FROM clock_asked")).await.unwrap();
        }
    })
    .await;
}
