//! Changes of many environments, on both databases and without an engine: the tests tell what an engine would have.

use std::sync::Arc;

use tokio::sync::watch;

use crate::bell::Bell;
use crate::config;
use crate::desk::{Desk, DeskError, Message};
use crate::domain::answer::{Actor, Answer, Sight};
use crate::domain::audit::AuditFilter;
use crate::domain::command::{CommandName, Order};
use crate::domain::holds::News;
use crate::domain::ids::{ActorId, RunNumber};
use crate::domain::policy::Place;
use crate::domain::rollout::{Came, End, Halted, Rollout, RolloutAnswer, RolloutOrder, Scope};
use crate::domain::run::{Outcome, RunEvent};
use crate::ledger::tests::{on_both, sql};
use crate::ledger::{Store, runs};
use crate::problem::source::Source;

const CONFIG: &str = "[environments.e0]\ngroup = 'rpg'\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
    stacks = [{ name = 'app', root = 'app', workspace = '{env}' }]\n\
    profiles.full.app.servers = 3\nprofiles.small.app.servers = 1\n";

struct Room {
    desk: Desk,
    store: Store,
    messages: std::cell::Cell<u32>,
}

impl Room {
    fn new(store: Store, environments: u32) -> Self {
        Self::of(store, environments, |text| text)
    }

    fn of(store: Store, environments: u32, change: impl FnOnce(String) -> String) -> Self {
        let more: String = (1..environments).map(|n| format!("[environments.e{n}]\nlike = 'e0'\n")).collect();
        let text = format!(
            "{CONFIG}{more}[environments.others]\nlike = 'e0'\nowners = ['local:mori']\ngroup = 'mixed'\n\
            [environments.mine]\nlike = 'e0'\ngroup = 'mixed'\n"
        );
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &change(text)), &|_| None).unwrap();
        let config = watch::channel(Arc::new(config)).1;
        Self { desk: Desk::new(store.clone(), config, Bell::default()), store, messages: std::cell::Cell::new(0) }
    }

    async fn says(&self, order: RolloutOrder) -> Result<Answer, DeskError> {
        self.says_as("ito", order).await
    }

    async fn says_as(&self, who: &str, order: RolloutOrder) -> Result<Answer, DeskError> {
        let number = self.messages.get() + 1;
        self.messages.set(number);
        let message = Message {
            key: format!("m{number}"),
            actor: Actor::person(ActorId::local(who), who),
            place: Place::shell(),
            typed: "up @rpg".to_owned(),
        };
        self.desk.submit(&message, &Order::Rollout(order), Some("試験".to_owned())).await
    }

    async fn begins(&self, command: CommandName, group: &str) -> Result<Rollout, DeskError> {
        let scope = Scope::try_from(group.to_owned()).unwrap();
        let config = self.desk.config();
        let Scope::Group(name) = &scope else { panic!("a group") };
        let orders = config.group(name).map(|environment| {
            let environment = environment.name.clone();
            match command {
                CommandName::Plan => Order::Plan { environment, level: None, settings: Vec::new(), newest_code: false },
                CommandName::Down => Order::Down { environment, level: None, anyway: false },
                CommandName::Destroy => Order::Destroy { environment },
                _ => Order::Up { environment, level: None, settings: Vec::new(), newest_code: false },
            }
        });
        match self.says(RolloutOrder::Begin { scope: scope.clone(), orders: orders.collect() }).await? {
            Answer::Rollout(RolloutAnswer::Began { rollout, .. }) => Ok(*rollout),
            other => panic!("{other:?}"),
        }
    }

    /// The runs that it has and that are not over.
    async fn works(&self, number: i64) -> Vec<(String, RunNumber)> {
        self.desk.advance_rollouts().await.unwrap();
        let rollout = self.desk.rollout(number).await.unwrap().unwrap();
        let works = rollout.items.iter().filter(|item| item.came.is_none());
        works.filter_map(|item| Some((item.environment.to_string(), item.run?))).collect()
    }

    async fn goes(&self, run: RunNumber, events: &[RunEvent]) {
        let run = runs::by_number(&self.store, run).await.unwrap().unwrap();
        let mut tx = self.store.begin().await.unwrap();
        runs::append_many(&mut tx, run.id, events, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn ends(&self, run: RunNumber, outcome: Outcome) {
        let mut events = vec![RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }];
        if outcome == Outcome::Succeeded {
            events.extend([RunEvent::ApplyBegan, RunEvent::VerifyBegan]);
        }
        events.push(RunEvent::ended(outcome));
        self.goes(run, &events).await;
    }

    async fn came(&self, number: i64) -> (Vec<(String, &'static str)>, Option<End>) {
        let rollout = self.desk.rollout(number).await.unwrap().unwrap();
        let came = rollout
            .items
            .iter()
            .map(|item| (item.environment.to_string(), item.came.as_ref().map_or("-", Came::class)));
        (came.collect(), rollout.ended.map(|(_, end)| end))
    }
}

fn names(works: &[(String, RunNumber)]) -> Vec<&str> {
    works.iter().map(|(name, _)| name.as_str()).collect()
}

#[tokio::test]
async fn a_group_is_changed_one_first_then_four_at_a_time_also_by_another_process_and_its_end_is_told_once() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 6);
        let begun = room.begins(CommandName::Up, "@rpg").await.unwrap();
        let number = begun.number;
        assert_eq!((begun.items.len(), begun.asker.id.as_str()), (6, "local:ito"));
        let first = room.works(number).await;
        assert_eq!(names(&first), ["e0"]);
        assert_eq!(room.works(number).await, first, "looked at again, nothing is made twice");
        room.ends(first[0].1, Outcome::Succeeded).await;
        // Another process, or this one after a restart.
        let other = Room::new(store.clone(), 6);
        let four = other.works(number).await;
        assert_eq!(names(&four), ["e1", "e2", "e3", "e4"]);
        for (_, run) in &four {
            other.ends(*run, Outcome::NothingToDo).await;
        }
        tokio::join!(Box::pin(room.desk.advance_rollouts()), Box::pin(other.desk.advance_rollouts())).0.unwrap();
        let last = room.works(number).await;
        assert_eq!(names(&last), ["e5"]);
        room.ends(last[0].1, Outcome::Succeeded).await;
        assert!(room.works(number).await.is_empty());
        other.desk.advance_rollouts().await.unwrap();
        assert_eq!(room.came(number).await.1, Some(End::Done));
        let ito = Actor::person(ActorId::local("ito"), "ito");
        let told: Vec<_> = room.desk.news("shell", &ito).await.unwrap();
        let ends =
            told.iter().filter(|told| matches!(&told.news, News::Rollout(over) if over.number == number)).count();
        assert_eq!(ends, 1);
        let run = runs::by_number(&store, last[0].1).await.unwrap().unwrap();
        assert_eq!(run.request.because.as_deref(), Some("試験"));
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_first_that_does_not_succeed_stops_it_when_those_beside_it_are_over() {
    on_both(async |store| {
        let room = Room::new(store, 7);
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let first = room.works(number).await;
        room.ends(first[0].1, Outcome::Succeeded).await;
        let four = room.works(number).await;
        room.ends(four[0].1, Outcome::Failed).await;
        assert_eq!(names(&room.works(number).await), ["e2", "e3", "e4"]);
        assert_eq!(room.came(number).await.1, None, "three of it still run");
        for (_, run) in four.iter().skip(1) {
            room.ends(*run, Outcome::Succeeded).await;
        }
        room.works(number).await;
        let (came, end) = room.came(number).await;
        let classes: Vec<&str> = came.iter().map(|(_, class)| *class).collect();
        assert_eq!((classes, end), (vec!["done", "error", "done", "done", "done", "-", "-"], Some(End::Stopped)));
        room.begins(CommandName::Up, "@rpg").await.expect("it can be begun again");
    })
    .await;
}

#[tokio::test]
async fn plans_of_many_are_made_all_at_once_and_an_error_stops_none() {
    on_both(async |store| {
        let room = Room::new(store, 3);
        let number = room.begins(CommandName::Plan, "@rpg").await.unwrap().number;
        let all = room.works(number).await;
        assert_eq!(names(&all), ["e0", "e1", "e2"]);
        room.ends(all[1].1, Outcome::Failed).await;
        for at in [0, 2] {
            room.ends(all[at].1, Outcome::Planned).await;
        }
        room.works(number).await;
        let rollout = room.desk.rollout(number).await.unwrap().unwrap();
        assert_eq!(rollout.classes(), [("nothing", 2), ("error", 1)]);
        assert_eq!(rollout.ended.map(|(_, end)| end), Some(End::Done));
    })
    .await;
}

#[tokio::test]
async fn who_may_not_change_one_of_them_changes_none_and_the_same_is_not_begun_twice() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 2);
        let refused = room.begins(CommandName::Up, "@mixed").await.expect_err("one is mori's");
        assert!(refused.to_string().contains("others"), "{refused}");
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let again = room.begins(CommandName::Up, "@rpg").await.expect_err("it is being done");
        assert!(again.to_string().contains("being done already"), "{again}");
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 0, "no run before its turn");
        let works = room.works(number).await;
        let scope = Scope::try_from("@rpg".to_owned()).unwrap();
        room.says(RolloutOrder::Stop { scope: scope.clone() }).await.unwrap();
        assert_eq!(names(&room.works(number).await), Vec::<&str>::new(), "nothing more is begun");
        let stopped = runs::by_number(&store, works[0].1).await.unwrap().unwrap();
        assert_eq!(stopped.state.outcome(), Some(Outcome::Cancelled), "what had changed nothing is over at once");
        assert_eq!(room.came(number).await.0, [("e0".to_owned(), "cancelled"), ("e1".to_owned(), "-")]);
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 0);
        room.says(RolloutOrder::Stop { scope: scope.clone() }).await.expect_err("it is stopped");
        let all = Sight { all: true, environments: Vec::new() };
        assert_eq!(room.desk.rollouts(&scope, &all).await.unwrap().len(), 1);
        let none = Sight { all: false, environments: vec!["e0".parse().unwrap()] };
        assert_eq!(room.desk.rollouts(&scope, &none).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn one_that_is_refused_stops_what_would_be_begun_beside_it() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 6);
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let first = room.works(number).await;
        room.ends(first[0].1, Outcome::Succeeded).await;
        let columns = "number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at";
        let held = "1, 'hold', 'e2', 'e2', 'local:mori', 'mori', '[]', 'we measure', 0, 1900000000000";
        sql(&store, &format!("INSERT INTO holds ({columns}) VALUES ({held})")).await.unwrap();
        assert_eq!(names(&room.works(number).await), ["e1"], "e2 is held: e3 and e4 are not begun");
        let (came, end) = room.came(number).await;
        assert_eq!((came[2].1, end), ("refused", None), "{came:?}");
        room.works(number).await;
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_begun_of_one_that_is_stopped_in_that_moment() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 6);
        let rollout = room.begins(CommandName::Up, "@rpg").await.unwrap();
        let scope = Scope::try_from("@rpg".to_owned()).unwrap();
        room.says(RolloutOrder::Stop { scope }).await.unwrap();
        // As it was read before somebody stopped it.
        room.desk.begin_one(&rollout, 0).await.unwrap();
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn one_that_is_not_configured_any_more_keeps_nobody_from_stopping() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 6);
        room.begins(CommandName::Up, "@rpg").await.unwrap();
        let room = Room::new(store.clone(), 3);
        room.messages.set(9);
        room.says(RolloutOrder::Stop { scope: Scope::try_from("@rpg".to_owned()).unwrap() }).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn one_change_of_an_environments_group_at_a_time_and_plans_beside_it() {
    on_both(async |store| {
        let two = |text: String| text.replace("[environments.e2]", "[environments.e2]\ngroup = 'two'");
        let room = Room::of(store.clone(), 3, two);
        room.begins(CommandName::Up, "@rpg").await.unwrap();
        let refused = room.begins(CommandName::Down, "@rpg").await.expect_err("up @rpg goes");
        let DeskError::Refused(refusal) = refused else { panic!("{refused:?}") };
        let told = format!("{refusal:?}");
        for words in ["`down @rpg` does not begin beside `up @rpg`", "local:ito", "0 of 2 are over", "cancel @rpg"] {
            assert!(told.contains(words), "no {words} in {told}");
        }
        room.begins(CommandName::Plan, "@rpg").await.expect("a plan changes nothing");
        room.begins(CommandName::Down, "@two").await.expect("it has no environment in common");
        // Another name of the group, as somebody has changed the file.
        let room = Room::of(store.clone(), 3, |text| two(text).replace("'rpg'", "'moba'"));
        room.messages.set(9);
        let refused = room.begins(CommandName::Down, "@moba").await.expect_err("up @rpg goes");
        assert!(refused.to_string().contains("beside `up @rpg`"), "{refused}");
        let stop = |scope: &str| RolloutOrder::Stop { scope: Scope::try_from(scope.to_owned()).unwrap() };
        let DeskError::Refused(refusal) = room.says(stop("@moba")).await.expect_err("that is no name of it") else {
            panic!("a refusal")
        };
        assert!(refusal.hints.contains(&"cancel @rpg".to_owned()), "{refusal:?}");
        room.says(stop("@rpg")).await.expect("by its old name");
        room.begins(CommandName::Down, "@moba").await.expect("now it can");
    })
    .await;
}

#[tokio::test]
async fn those_of_a_group_that_do_not_check_are_named() {
    on_both(async |store| {
        let broken = "[environments.e1]\nlike = 'e0'\nzone = 'Tokio'\n";
        let room = Room::of(store, 3, |text| text.replace("[environments.e1]\nlike = 'e0'\n", broken));
        let scope = Scope::try_from("@rpg".to_owned()).unwrap();
        let order =
            Order::Up { environment: "e0".parse().unwrap(), level: None, settings: Vec::new(), newest_code: false };
        let answer = room.says(RolloutOrder::Begin { scope, orders: vec![order] }).await.unwrap();
        let Answer::Rollout(RolloutAnswer::Began { aside, unread, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!((aside, unread), (vec!["e1".to_owned()], Vec::new()));
    })
    .await;
}

#[tokio::test]
async fn who_asked_is_known_anew_and_their_rights_are_asked_anew_at_each_step() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 4);
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let first = room.works(number).await;
        room.ends(first[0].1, Outcome::Succeeded).await;
        // Named in the file as one person since: what they hold by the other id is their own.
        let named = |text: String| format!("{text}[people.ito]\nids = ['local:ito', 'slack:U1']\n");
        let room = Room::of(store.clone(), 4, named);
        let columns = "number, kind, environment, slot, by_id, by_name, only_ids, because, began_at, until_at";
        let held = "1, 'hold', 'e1', 'e1', 'slack:U1', 'ito', '[]', 'we measure', 0, 1900000000000";
        sql(&store, &format!("INSERT INTO holds ({columns}) VALUES ({held})")).await.unwrap();
        let works = room.works(number).await;
        assert_eq!(names(&works), ["e1", "e2", "e3"]);
        // The right is gone before the next change: it is stopped, and says so.
        for (_, run) in &works {
            room.ends(*run, Outcome::Succeeded).await;
        }
        room.works(number).await;
        room.messages.set(5);
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let room = Room::of(store.clone(), 4, |text| text.replace("owners = ['local:ito']", "owners = ['local:mori']"));
        assert_eq!(names(&room.works(number).await), Vec::<&str>::new());
        room.works(number).await;
        let over = room.desk.rollout(number).await.unwrap().unwrap();
        let Some(Came::Refused { why }) = &over.items[0].came else { panic!("{over:?}") };
        assert!(why.contains("is not yours to do"), "{why}");
        assert_eq!(over.ended.map(|(_, end)| end), Some(End::Stopped));
        let ito = Actor::person(ActorId::local("ito"), "ito");
        let told = room.desk.news("shell", &ito).await.unwrap();
        assert!(told.iter().any(|told| matches!(&told.news, News::Rollout(over) if over.number == number)), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn one_that_is_stopped_asks_what_runs_of_it_to_stop_and_tells_whoever_asked_for_it() {
    on_both(async |store| {
        let two = |text: String| text.replacen("owners = ['local:ito']", "owners = ['local:ito', 'local:mori']", 1);
        let room = Room::of(store.clone(), 7, two);
        let number = room.begins(CommandName::Up, "@rpg").await.unwrap().number;
        let first = room.works(number).await;
        room.ends(first[0].1, Outcome::Succeeded).await;
        let four = room.works(number).await;
        let claimed = RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 };
        let lost = RunEvent::LostTrack {
            stack: "app".parse().unwrap(),
            finding: "nobody saw its end".to_owned(),
            others: Vec::new(),
        };
        room.goes(four[0].1, &[claimed.clone(), RunEvent::ApplyBegan]).await;
        room.goes(four[1].1, &[claimed, RunEvent::ApplyBegan, lost]).await;
        room.ends(four[3].1, Outcome::Succeeded).await;
        let scope = Scope::try_from("@rpg".to_owned()).unwrap();
        let stop = || RolloutOrder::Stop { scope: scope.clone() };
        room.says_as("kato", stop()).await.expect_err("it is not theirs");
        assert_eq!(room.came(number).await.1, None);
        let answer = room.says_as("mori", stop()).await.unwrap();
        let Answer::Rollout(RolloutAnswer::Stopped { rollouts, halted }) = answer else { panic!("{answer:?}") };
        let expected = Halted { stopping: vec![four[0].1], over: vec![four[2].1], unknown: vec![four[1].1] };
        assert_eq!((rollouts.len(), halted), (1, expected.clone()));
        let applies = runs::by_number(&store, four[0].1).await.unwrap().unwrap();
        let asked = applies.state.stop().expect("it is asked to stop");
        assert!(!asked.force, "gently: {asked:?}");
        let queued = runs::by_number(&store, four[2].1).await.unwrap().unwrap();
        assert_eq!(queued.state.outcome(), Some(Outcome::Cancelled));
        // Whoever asked for the change hears that somebody stopped it, once; whoever stopped it is found by each environment.
        let told = async || {
            let ito = Actor::person(ActorId::local("ito"), "ito");
            let told = room.desk.news("shell", &ito).await.unwrap();
            told.iter().filter(|told| matches!(&told.news, News::Rollout(over) if over.number == number)).count()
        };
        assert_eq!(told().await, 1);
        let all = Sight { all: true, environments: Vec::new() };
        let filter = AuditFilter { action: Some("cancel".to_owned()), ..AuditFilter::default() };
        let kept = room.desk.audit(&filter, &all).await.unwrap().records;
        // One that was refused before is there as well.
        let done = || kept.iter().filter(|one| one.result.is_some());
        let of =
            |name: &str| done().filter(|one| one.environment.as_ref().is_some_and(|of| of.as_str() == name)).count();
        assert_eq!((of(&four[0].0), of(&four[1].0), of(&four[2].0)), (1, 0, 1), "{kept:?}");
        // Said again, nothing is asked twice, and what still runs is told.
        let answer = room.says_as("mori", stop()).await.unwrap();
        let Answer::Rollout(RolloutAnswer::Stopped { halted, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(halted, Halted { over: Vec::new(), ..expected });
        let view = runs::view(&store, applies.id).await.unwrap().unwrap();
        assert_eq!(view.stopped_by.map(|stop| stop.by), Some(ActorId::local("mori")));
        room.goes(four[0].1, &[RunEvent::ended(Outcome::Cancelled)]).await;
        room.works(number).await;
        let (came, end) = room.came(number).await;
        let classes: Vec<&str> = came.iter().map(|(_, class)| *class).collect();
        assert_eq!(classes, ["done", "cancelled", "-", "cancelled", "done", "-", "-"]);
        assert_eq!((end, told().await), (Some(End::Cancelled), 1));
    })
    .await;
}

#[tokio::test]
async fn a_group_is_destroyed_one_first_and_each_asks_by_itself() {
    on_both(async |store| {
        let room = Room::new(store.clone(), 3);
        let number = room.begins(CommandName::Destroy, "@rpg").await.unwrap().number;
        let first = room.works(number).await;
        assert_eq!(names(&first), ["e0"]);
        let run = runs::by_number(&store, first[0].1).await.unwrap().unwrap();
        assert!(run.request.asks, "it shows itself first: {run:?}");
        // A no stops all of it.
        room.ends(first[0].1, Outcome::Cancelled).await;
        room.works(number).await;
        let (came, end) = room.came(number).await;
        let classes: Vec<&str> = came.iter().map(|(_, class)| *class).collect();
        assert_eq!((classes, end), (vec!["cancelled", "-", "-"], Some(End::Stopped)));
        assert_eq!(runs::all_active(&store).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn several_groups_go_one_after_the_other_and_none_after_one_that_does_not_succeed() {
    on_both(async |store| {
        let room = Room::of(store, 2, |text| {
            format!(
                "{text}[environments.m0]\nlike = 'e0'\ngroup = 'moba'\n[environments.m1]\nlike = 'e0'\ngroup = 'moba'\n"
            )
            .replace("owners = ['local:mori']\ngroup = 'mixed'", "group = 'mixed'")
        });
        let ups = |names: &[&str]| -> Vec<Order> {
            let up = |name: &&str| Order::Up {
                environment: name.parse().unwrap(),
                level: None,
                settings: Vec::new(),
                newest_code: false,
            };
            names.iter().map(up).collect()
        };
        let scope = |text: &str| Scope::try_from(text.to_owned()).unwrap();
        let begins = async |text: &str, names: &[&str]| match room
            .says(RolloutOrder::Begin { scope: scope(text), orders: ups(names) })
            .await
        {
            Ok(Answer::Rollout(RolloutAnswer::Began { rollout, .. })) => *rollout,
            other => panic!("{other:?}"),
        };
        let begun = begins("@rpg,@moba", &["e0", "e1", "m0", "m1"]).await;
        let turns = [vec!["e0"], vec!["e1"], vec!["m0", "m1"]];
        for turn in &turns {
            let works = room.works(begun.number).await;
            assert_eq!(names(&works), *turn);
            for (_, run) in works {
                room.ends(run, Outcome::Succeeded).await;
            }
        }
        room.works(begun.number).await;
        assert_eq!(room.came(begun.number).await.1, Some(End::Done));

        let begun = begins("@*", &["e0", "e1", "others", "mine", "m0", "m1"]).await;
        assert_eq!(begun.scope.to_string(), "@*");
        for (turn, outcome) in [(vec!["e0"], Outcome::NothingToDo), (vec!["e1"], Outcome::Failed)] {
            let works = room.works(begun.number).await;
            assert_eq!(names(&works), turn);
            room.ends(works[0].1, outcome).await;
        }
        assert!(room.works(begun.number).await.is_empty());
        assert_eq!(room.came(begun.number).await.1, Some(End::Stopped));
        let seen = room.desk.rollouts(&scope("@*"), &Sight { all: true, environments: Vec::new() }).await.unwrap();
        assert_eq!(seen.len(), 1);
    })
    .await;
}
