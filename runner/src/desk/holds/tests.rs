//! People in each other's way, on a ledger of their own and without an engine.

mod around;
mod booking;
mod dry;
mod each;
mod lift;
mod unread;

use std::cell::Cell;
use std::sync::Arc;

use tokio::sync::watch;

use crate::bell::Bell;
use crate::config::{self, Config};
use crate::desk::{Desk, DeskError, Message};
use crate::domain::answer::{Actor, Answer, RunSummary, Sight};
use crate::domain::command::CommandName;
use crate::domain::command::{Order, Query, WhyQuery};
use crate::domain::environment::Level;
use crate::domain::holds::{About, Ending, HoldAnswer, HoldNumber, HoldOrder, LONGEST_MS, News};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::run::{Outcome, Question, QuestionWhy, RunEvent, RunState};
use crate::ledger::tests::{on_both, sql};
use crate::ledger::{Store, environments, runs};
use crate::problem::source::Source;
use crate::warden;

/// `ito` owns shop and blog; `sato` and `mori` operate; `boss` is the admin, `abe` that of blog; `kato` looks.
const CONFIG: &str = "[access]\nadmin = ['local:boss']\nviewer = ['everyone']\n\
    operator = ['local:sato', 'local:mori', 'local:kenji', 'slack:kenji', 'slack:S0604']\n\
    [groups]\n'slack:S0604' = ['slack:U1', 'slack:U2']\n\
    [environments.shop]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n\
    [environments.blog]\nowners = ['local:ito']\naccess = { admin = ['local:abe'] }\nup = 'full'\ndown = 'off'\n\
    [[environments.blog.stacks]]\nname = 'app'\nroot = 'blog'\n\
    [environments.blog.profiles]\nfull.app.servers = 3\n";

struct Room {
    desk: Desk,
    store: Store,
    config: Arc<Config>,
    messages: Cell<u32>,
}

impl Room {
    fn new(store: Store) -> Self {
        Self::of(store, CONFIG)
    }

    fn of(store: Store, config: &str) -> Self {
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", config), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let config = Arc::new(config);
        let told = watch::channel(Arc::clone(&config)).1;
        Self { desk: Desk::new(store.clone(), told, Bell::default()), store, config, messages: Cell::new(0) }
    }

    fn message(&self, who: &str, typed: &str) -> Message {
        self.messages.set(self.messages.get() + 1);
        Message {
            key: format!("m{}", self.messages.get()),
            actor: actor(who),
            place: Place::shell(),
            typed: typed.to_owned(),
        }
    }

    async fn says(&self, who: &str, order: Order) -> Result<Answer, DeskError> {
        let message = self.message(who, &format!("{order:?}"));
        self.desk.submit(&message, &order, Some("we measure".to_owned())).await
    }

    async fn does(&self, who: &str, order: HoldOrder) -> HoldAnswer {
        match self.says(who, Order::Hold(order)).await.unwrap() {
            Answer::Hold(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    async fn queues(&self, who: &str, order: Order) -> RunSummary {
        match self.says(who, order).await.unwrap() {
            Answer::Queued { run, .. } => run,
            other => panic!("{other:?}"),
        }
    }

    /// The refusal, with all of these words in it.
    async fn refuses(&self, who: &str, order: Order, words: &[&str]) {
        let refusal = match self.says(who, order).await {
            Err(DeskError::Refused(refusal)) => format!("{refusal:?}"),
            other => panic!("{other:?}"),
        };
        for word in words {
            assert!(refusal.contains(word), "no `{word}` in {refusal}");
        }
    }

    async fn ahead(&self, ms: i64) -> Timestamp {
        self.store.now().await.unwrap().plus_ms(ms)
    }

    async fn hold(&self, who: &str) -> HoldAnswer {
        let until = self.ahead(3_600_000).await;
        self.does(who, HoldOrder::Hold { environment: shop(), until, only: Vec::new() }).await
    }

    /// What somebody is told, which then is told.
    async fn news(&self, who: &str) -> Vec<News> {
        let mut all = Vec::new();
        for untold in self.desk.news("shell", &actor(who)).await.unwrap() {
            assert!(self.desk.news_told(&untold).await.unwrap());
            all.push(untold.news);
        }
        all
    }

    async fn tell(&self, run: &RunSummary, events: &[RunEvent]) {
        let mut tx = self.store.begin().await.unwrap();
        runs::append_many(&mut tx, run.id, events, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn works(&self, run: &RunSummary) {
        self.tell(run, &[RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }]).await;
    }

    /// Whose keeps end as it begins.
    async fn begins(&self, run: &RunSummary) -> Vec<String> {
        let mut tx = self.store.begin().await.unwrap();
        let ended = warden::overridden(&mut tx, &self.config, run).await.unwrap();
        tx.commit().await.unwrap();
        ended.iter().map(|keep| keep.by.short().to_owned()).collect()
    }

    async fn ends(&self, run: &RunSummary) {
        self.tell(run, &[RunEvent::ended(Outcome::Failed)]).await;
    }

    /// As after a run that succeeded.
    async fn stands_at(&self, level: &str) {
        let mut tx = self.store.begin().await.unwrap();
        let target = crate::domain::request::Target { level: level.parse().unwrap(), settings: [].into() };
        environments::set_wanted(&mut tx, &shop(), Some(&target), None).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn state(&self, run: &RunSummary) -> RunState {
        runs::get(&self.store, run.id).await.unwrap().unwrap().state
    }
}

fn actor(who: &str) -> Actor {
    Actor::person(ActorId::local(who), who)
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn up(environment: &str) -> Order {
    let level: Level = "full".parse().unwrap();
    Order::Up {
        environment: environment.parse().unwrap(),
        level: Some(level),
        settings: Vec::new(),
        newest_code: false,
    }
}

fn down(anyway: bool) -> Order {
    Order::Down { environment: shop(), level: Some("small".parse().unwrap()), anyway }
}

fn unhold(number: Option<i64>) -> HoldOrder {
    HoldOrder::Unhold { environment: shop(), number: number.map(HoldNumber) }
}

#[tokio::test]
async fn a_hold_lets_in_whose_it_is_and_whom_it_names_and_nobody_else() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(3_600_000).await;
        let only = vec!["mori".to_owned()];
        let began = room.does("sato", HoldOrder::Hold { environment: shop(), until, only }).await;
        assert!(matches!(&began, HoldAnswer::Began { hold, .. } if hold.only == [ActorId::local("mori")]), "{began:?}");
        for who in ["ito", "boss"] {
            let words = [
                "shop is held",
                "`local:sato`",
                "because we measure",
                "leaves in `local:mori`",
                "tell me when free shop",
            ];
            room.refuses(who, up("shop"), &words).await;
        }
        room.queues("mori", up("shop")).await;
        room.queues("sato", up("shop")).await;
        room.queues("ito", up("blog")).await;
        assert!(matches!(room.news("ito").await.as_slice(), [News::Began { .. }]));
        assert!(matches!(room.news("mori").await.as_slice(), [News::Began { .. }]));
        let query =
            WhyQuery { who: None, command: CommandName::Down, environment: Some(shop()), run: None, order: None };
        let why = room.desk.why(&room.message("ito", "why"), &query).await.unwrap();
        assert!(format!("{why:?}").contains("shop is held"), "{why:?}");
        let status = room.desk.status(Some(&shop())).await.unwrap();
        assert!(format!("{status:?}").contains("we measure"), "{status:?}");
    })
    .await;
}

#[tokio::test]
async fn a_hold_is_lifted_by_whose_it_is_and_by_owners_who_say_so_to_them() {
    on_both(async |store| {
        let room = Room::new(store);
        room.refuses("sato", Order::Hold(unhold(None)), &["nothing to lift"]).await;
        room.hold("sato").await;
        room.refuses("mori", Order::Hold(unhold(None)), &["not yours to lift", "local:sato", "ask shop"]).await;
        room.refuses("mori", Order::Hold(unhold(Some(7))), &["no hold 7", "status shop"]).await;
        room.refuses("kato", Order::Hold(unhold(None)), &["not yours to do"]).await;
        let lifted = room.does("ito", unhold(None)).await;
        assert!(matches!(lifted, HoldAnswer::Lifted { of_another: true, .. }), "{lifted:?}");
        let told = room.news("sato").await;
        assert!(matches!(told.as_slice(), [News::Over { ending: Ending::Lifted { .. }, .. }]), "{told:?}");
        room.queues("mori", up("shop")).await;
        room.hold("sato").await;
        assert!(matches!(room.does("sato", unhold(None)).await, HoldAnswer::Lifted { of_another: false, .. }));
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_meant_is_refused_with_what_can() {
    on_both(async |store| {
        let room = Room::new(store);
        let now = room.store.now().await.unwrap();
        let hold = |until: Timestamp| Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() });
        room.refuses("sato", hold(now.plus_ms(-1)), &["over before it begins", "hold shop for 2h because we measure"])
            .await;
        room.refuses("sato", hold(now.plus_ms(LONGEST_MS + 600_000)), &["too long", "hold shop for 7d"]).await;
        room.refuses("kato", hold(now.plus_ms(60_000)), &["not yours to do"]).await;
        let nowhere =
            HoldOrder::Hold { environment: "attic".parse().unwrap(), until: now.plus_ms(60_000), only: vec![] };
        room.refuses("sato", Order::Hold(nowhere), &["not in the configuration", "envs"]).await;
        room.hold("sato").await;
        let again = hold(now.plus_ms(600_000));
        room.refuses("sato", again.clone(), &["held already", "you hold it already", "unhold shop"]).await;
        room.refuses("mori", again, &["held already", "local:sato", "tell me when free shop"]).await;
        let entries =
            room.desk.audit(&crate::domain::audit::AuditFilter::default(), &everything()).await.unwrap().records;
        assert_eq!(
            entries.iter().filter(|entry| entry.action == "hold" && entry.result.as_deref() == Some("began")).count(),
            1
        );
        assert!(entries.iter().any(|entry| entry.action == "hold" && entry.rule.as_deref() == Some("hold")));
    })
    .await;
}

fn everything() -> Sight {
    Sight { all: true, environments: Vec::new() }
}

#[tokio::test]
async fn only_what_is_theirs_to_lift_is_offered_to_them() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        let offered = async |who: &str| match room.says(who, Order::Hold(unhold(Some(7)))).await {
            Err(DeskError::Refused(refusal)) => refusal.hints,
            other => panic!("{other:?}"),
        };
        assert_eq!(offered("mori").await, ["status shop"]);
        assert_eq!(offered("sato").await, ["unhold shop 1"]);
        assert_eq!(offered("ito").await, ["unhold shop 1"]);
    })
    .await;
}

#[tokio::test]
async fn a_hold_is_over_by_itself_and_that_is_told_once() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        room.refuses("mori", up("shop"), &["shop is held"]).await;
        sql(&room.store, "UPDATE holds SET until_at = began_at + 1").await.unwrap();
        // Nobody has noted its end yet, and it is over all the same.
        room.queues("mori", up("shop")).await;
        assert!(warden::look(&room.store, &room.config).await.unwrap());
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        let told = room.news("sato").await;
        assert!(matches!(told.as_slice(), [News::Over { ending: Ending::Lapsed, .. }]), "{told:?}");
        // That it began is no news to whoever was away.
        assert_eq!(room.news("ito").await.len(), 1);
        room.hold("mori").await;
    })
    .await;
}

#[tokio::test]
async fn a_freeze_is_for_admins_and_of_everything() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(3_600_000).await;
        let freeze = HoldOrder::Freeze { until, only: vec!["mori".to_owned()] };
        room.refuses("ito", Order::Hold(freeze.clone()), &["not yours to do", "local:boss"]).await;
        room.refuses("boss", Order::Hold(HoldOrder::Unfreeze), &["nothing is frozen"]).await;
        // Whoever is admin of one environment only is none of all.
        room.refuses("abe", Order::Hold(freeze.clone()), &["not yours to do", "local:boss"]).await;
        let message = room.message("abe", "why");
        let query = WhyQuery { who: None, command: CommandName::Freeze, environment: None, run: None, order: None };
        let why = room.desk.why(&message, &query).await.unwrap();
        assert!(matches!(why.verdicts.as_slice(), [verdict] if verdict.refused.is_some()), "{why:?}");
        let not: Vec<CommandName> = room.desk.abilities(&message).not.into_iter().map(|(command, _)| command).collect();
        assert!(not.contains(&CommandName::Freeze) && !not.contains(&CommandName::Destroy), "{not:?}");
        room.does("boss", freeze.clone()).await;
        room.refuses("boss", Order::Hold(freeze), &["frozen already", "unfreeze all"]).await;
        for environment in ["shop", "blog"] {
            room.refuses("ito", up(environment), &["everything is frozen", "local:boss"]).await;
        }
        room.queues("mori", up("shop")).await;
        room.refuses("ito", Order::Hold(unhold(None)), &["everything is frozen", "unfreeze all"]).await;
        room.refuses("ito", Order::Hold(HoldOrder::Unfreeze), &["not yours to do"]).await;
        room.does("boss", HoldOrder::Unfreeze).await;
        room.queues("ito", up("blog")).await;
    })
    .await;
}

#[tokio::test]
async fn a_keep_is_against_lowering_by_others_unless_they_mean_it_and_then_it_is_told() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(3_600_000).await;
        let keep = || HoldOrder::Keep { environment: shop(), until };
        room.refuses("sato", Order::Hold(keep()), &["nothing to keep", "it is off", "up shop"]).await;
        room.stands_at("full").await;
        room.does("sato", keep()).await;
        // Said again, it is one keep with another end.
        room.does("sato", keep()).await;
        let words = ["shop is kept", "local:sato", "ask shop", "down shop small anyway because REASON"];
        room.refuses("mori", down(false), &words).await;
        room.refuses("ito", Order::Destroy { environment: shop() }, &["shop is kept"]).await;
        room.queues("mori", up("shop")).await;
        let answer = room.says("mori", down(true)).await.unwrap();
        let Answer::Queued { run, freed, .. } = answer else { panic!("{answer:?}") };
        assert!(matches!(freed.as_slice(), [freed] if !freed.own), "{freed:?}");
        // Until it begins nothing is over: it may come to nothing.
        assert!(room.news("sato").await.is_empty());
        assert_eq!(run.request.against, [HoldNumber(2)].into());
        let entries =
            room.desk.audit(&crate::domain::audit::AuditFilter::default(), &everything()).await.unwrap().records;
        assert!(
            entries
                .iter()
                .any(|e| e.action == "down" && e.rule.as_deref() == Some("keep") && e.run == Some(run.number))
        );
        // Kept again while that run waits: it is told that the run will be refused.
        let again = room.does("sato", keep()).await;
        assert!(matches!(&again, HoldAnswer::Began { refused, .. } if refused.len() == 1), "{again:?}");
        assert!(matches!(room.news("mori").await.as_slice(), [News::Began { .. }]));
        // The keep of before is over, by whose it was: nothing is left that the run goes against.
        assert!(matches!(room.begins(&run).await.as_slice(), []));
        room.queues("sato", up("shop")).await;
        let answer = room.says("sato", down(false)).await.unwrap();
        assert!(matches!(&answer, Answer::Queued { freed, .. } if freed.len() == 1 && freed[0].own), "{answer:?}");
        room.queues("mori", down(false)).await;
    })
    .await;
}

#[tokio::test]
async fn whoever_has_it_is_asked_and_whoever_waits_is_told_once() {
    on_both(async |store| {
        let room = Room::new(store);
        let ask = || HoldOrder::Ask { about: About::Environment(shop()), words: "until when?".to_owned() };
        let tell = || HoldOrder::Tell { environment: shop() };
        room.refuses("kato", Order::Hold(ask()), &["not yours to do"]).await;
        room.refuses("mori", Order::Hold(ask()), &["nobody to ask"]).await;
        room.refuses("mori", Order::Hold(tell()), &["free now", "up shop"]).await;
        let run = room.queues("sato", up("shop")).await;
        room.works(&run).await;
        room.refuses("sato", Order::Hold(ask()), &["you have it"]).await;
        room.does("mori", ask()).await;
        room.does("mori", HoldOrder::Ask { about: About::Run(run.number), words: "why?".to_owned() }).await;
        assert_eq!(room.news("sato").await.len(), 2);
        assert!(matches!(room.does("mori", tell()).await, HoldAnswer::WillTell { already: false, .. }));
        assert!(matches!(room.does("mori", tell()).await, HoldAnswer::WillTell { already: true, .. }));
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        room.ends(&run).await;
        room.hold("sato").await;
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        assert!(room.news("mori").await.is_empty());
        room.does("sato", unhold(None)).await;
        assert!(warden::look(&room.store, &room.config).await.unwrap());
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        assert_eq!(room.news("mori").await, [News::Free { environment: shop() }]);
    })
    .await;
}

#[tokio::test]
async fn the_queue_is_told_in_order_and_only_ones_own_run_leaves_it() {
    on_both(async |store| {
        let room = Room::new(store);
        let leave = |run: Option<i64>| Order::Hold(HoldOrder::Leave { run: run.map(RunNumber) });
        room.refuses("sato", leave(None), &["no run of yours waits"]).await;
        let first = room.queues("ito", up("shop")).await;
        room.works(&first).await;
        let second = room.queues("sato", up("shop")).await;
        let third = room.queues("mori", up("shop")).await;
        let queue = room.desk.queue(None, &everything()).await.unwrap();
        let [only] = queue.as_slice() else { panic!("{queue:?}") };
        assert_eq!(only.running.as_ref().map(|(run, _)| run.number), Some(first.number));
        assert_eq!(only.waiting.iter().map(|w| w.run.number).collect::<Vec<_>>(), [second.number, third.number]);
        room.refuses("mori", leave(Some(second.number.0)), &["not yours", "local:sato", "queue shop"]).await;
        room.refuses("ito", leave(Some(first.number.0)), &["not in the queue any more", "cancel 1"]).await;
        room.refuses("ito", leave(Some(99)), &["no run 99"]).await;
        assert!(matches!(room.says("mori", leave(None)).await.unwrap(), Answer::Hold(HoldAnswer::Left(_))));
        assert!(room.state(&third).await.ended());
        room.refuses("mori", leave(Some(third.number.0)), &["nothing to leave"]).await;
        let query = Query::Queue { environment: Some(shop()) };
        assert!(room.desk.may_ask(&room.message("kato", "queue shop"), &query).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn after_a_stop_nothing_begins_until_somebody_resumes() {
    on_both(async |store| {
        let room = Room::new(store);
        let (stop, resume) = (|| HoldOrder::Stop, || HoldOrder::Resume);
        room.refuses("ito", Order::Hold(stop()), &["not yours to do", "local:boss"]).await;
        room.refuses("boss", Order::Hold(resume()), &["nothing is stopped"]).await;
        let working = room.queues("ito", up("shop")).await;
        room.works(&working).await;
        let waiting = room.queues("sato", up("shop")).await;
        let answer = room.does("boss", stop()).await;
        let HoldAnswer::Stopped { again: false, working: still, emptied, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(still.iter().map(|still| still.run.number).collect::<Vec<_>>(), [working.number]);
        assert_eq!(emptied.iter().map(|run| run.number).collect::<Vec<_>>(), [waiting.number]);
        assert!(room.state(&working).await.stop().is_some() && room.state(&waiting).await.ended());
        assert!(room.desk.untold("shell", &actor("sato")).await.unwrap().contains(&waiting.number));
        for who in ["ito", "boss"] {
            room.refuses(who, up("blog"), &["everything is stopped", "local:boss", "resume everything"]).await;
        }
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        let again = room.does("boss", stop()).await;
        assert!(matches!(&again, HoldAnswer::Stopped { again: true, working, .. } if working.len() == 1), "{again:?}");
        room.tell(&working, &[RunEvent::ended(Outcome::Cancelled)]).await;
        assert!(warden::look(&room.store, &room.config).await.unwrap());
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
        assert!(matches!(room.news("boss").await.as_slice(), [News::Still { .. }]));
        assert!(matches!(room.news("ito").await.as_slice(), [News::Began { .. }, News::Still { .. }]));
        room.refuses("ito", Order::Hold(resume()), &["not yours to do"]).await;
        // Another desk on the same ledger knows it too.
        let other = Room::new(room.store.clone());
        other.messages.set(1_000);
        other.refuses("ito", up("shop"), &["everything is stopped"]).await;
        let later = Room::new(room.store.clone());
        later.messages.set(2_000);
        let stopped = later.does("boss", stop()).await;
        let HoldAnswer::Stopped { hold, .. } = stopped else { panic!("{stopped:?}") };
        let still = News::Still { hold, unknown: Vec::new(), unread: Vec::new() };
        let mut tx = room.store.begin().await.unwrap();
        crate::ledger::outbox::put_news(&mut tx, &ActorId::local("ito"), &still).await.unwrap();
        tx.commit().await.unwrap();
        room.does("boss", resume()).await;
        let told = room.news("ito").await;
        assert!(told.iter().all(|news| !matches!(news, News::Still { .. })), "of a stop that is over: {told:?}");
        room.queues("ito", up("shop")).await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_read_of_holds_lets_nothing_begin() {
    on_both(async |store| {
        let room = Room::new(store);
        let waiting = room.queues("ito", up("shop")).await;
        room.hold("sato").await;
        for broken in [
            "UPDATE holds SET kind = 'wish'",
            "UPDATE holds SET kind = 'hold', until_at = NULL",
            "UPDATE holds SET until_at = 99999999999999, only_ids = 'everyone'",
            "ALTER TABLE holds RENAME TO elsewhere",
        ] {
            sql(&room.store, broken).await.unwrap();
            let orders = [
                up("blog"),
                down(true),
                Order::Destroy { environment: shop() },
                Order::Undo { environment: shop() },
                Order::Hold(unhold(None)),
                Order::Hold(HoldOrder::Resume),
            ];
            for order in orders {
                let told = room.says("boss", order.clone()).await;
                // What only takes something back looks past it, and finds nothing else here.
                let lifts = matches!(order, Order::Hold(_));
                let as_told = match &told {
                    Err(DeskError::Refused(refusal)) => lifts || refusal.what.contains("cannot be read"),
                    Err(DeskError::Ledger(_)) => broken.starts_with("ALTER"),
                    _ => false,
                };
                assert!(as_told, "{broken}: {order:?}: {told:?}");
            }
        }
        assert_eq!(runs::all_active(&room.store).await.unwrap().len(), 1);
        assert!(matches!(room.state(&waiting).await, RunState::Queued { .. }));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_hold_in_the_same_moment_one_does() {
    on_both(async |store| {
        let (one, other) = (Room::new(store.clone()), Room::new(store.clone()));
        other.messages.set(1_000);
        let until = one.ahead(3_600_000).await;
        let hold = || Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() });
        let (first, second) = tokio::join!(Box::pin(one.says("sato", hold())), Box::pin(other.says("mori", hold())));
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
        let lost = if first.is_ok() { second } else { first };
        assert!(matches!(lost, Err(DeskError::Refused(_))), "{lost:?}");
        assert_eq!(crate::ledger::holds::standing(&store).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn anyway_goes_against_all_who_keep_and_each_of_them_is_told() {
    on_both(async |store| {
        let room = Room::new(store);
        room.stands_at("full").await;
        let until = room.ahead(3_600_000).await;
        for who in ["sato", "boss"] {
            room.does(who, HoldOrder::Keep { environment: shop(), until }).await;
        }
        room.refuses("ito", Order::Hold(unhold(Some(9))), &["no hold 9", "unhold shop 1", "unhold shop 2"]).await;
        room.refuses("ito", Order::Hold(unhold(None)), &["several hold or keep shop", "of `local:boss`"]).await;
        let answer = room.says("mori", down(true)).await.unwrap();
        let Answer::Queued { run, freed, .. } = &answer else { panic!("{answer:?}") };
        assert_eq!(freed.len(), 2);
        assert!(room.news("sato").await.is_empty(), "it may come to nothing");
        // Somebody who does not go against them is held to them as before.
        room.refuses("ito", down(false), &["shop is kept"]).await;
        assert_eq!(room.begins(run).await, ["sato", "boss"]);
        for who in ["sato", "boss"] {
            let told = room.news(who).await;
            assert!(
                matches!(told.as_slice(), [News::Over { ending: Ending::Overridden { .. }, .. }]),
                "{who}: {told:?}"
            );
        }
        // It is for keeps only.
        room.hold("sato").await;
        room.refuses("mori", down(true), &["shop is held"]).await;
    })
    .await;
}

#[tokio::test]
async fn who_waits_too_long_is_told_that_too() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        room.does("mori", HoldOrder::Tell { environment: shop() }).await;
        sql(&room.store, "UPDATE tellings SET until_at = began_at").await.unwrap();
        assert!(warden::look(&room.store, &room.config).await.unwrap());
        assert!(matches!(room.news("mori").await.as_slice(), [News::NotFree { .. }]));
        assert!(!warden::look(&room.store, &room.config).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_only_plans_has_changed_nothing_and_is_barred() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.queues("mori", up("shop")).await;
        room.works(&run).await;
        let began = room.hold("sato").await;
        let HoldAnswer::Began { going_on, refused, .. } = &began else { panic!("{began:?}") };
        assert!(going_on.is_empty() && refused.len() == 1, "{began:?}");
        assert!(matches!(room.news("mori").await.as_slice(), [News::Began { .. }]));
        room.does("sato", unhold(None)).await;
        room.tell(&run, &[RunEvent::ApplyBegan]).await;
        let began = room.hold("sato").await;
        assert!(matches!(&began, HoldAnswer::Began { going_on, .. } if going_on.len() == 1), "{began:?}");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_waited_half_way_is_told_as_partial_by_a_stop() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.queues("mori", up("shop")).await;
        room.works(&run).await;
        let question = Question::plain(QuestionWhy::Previewed, "d".to_owned(), room.ahead(3_600_000).await);
        room.tell(&run, &[RunEvent::ApplyBegan, RunEvent::Asked { question }]).await;
        assert!(matches!(room.state(&run).await, RunState::AwaitingApproval { applied: true, .. }));
        let answer = room.does("boss", HoldOrder::Stop).await;
        let HoldAnswer::Stopped { emptied, half_done, .. } = &answer else { panic!("{answer:?}") };
        assert!(emptied.is_empty() && half_done.len() == 1, "{answer:?}");
        assert_eq!(room.state(&run).await.outcome(), Some(Outcome::Partial));
    })
    .await;
}

#[tokio::test]
async fn why_tells_of_a_keep_against_what_lowers_in_any_case() {
    on_both(async |store| {
        let room = Room::new(store);
        room.stands_at("full").await;
        let until = room.ahead(3_600_000).await;
        room.does("sato", HoldOrder::Keep { environment: shop(), until }).await;
        for (who, command, kept) in [
            ("mori", CommandName::Down, true),
            ("ito", CommandName::Destroy, true),
            ("mori", CommandName::Up, false),
            ("sato", CommandName::Down, false),
        ] {
            let query = WhyQuery { who: None, command, environment: Some(shop()), run: None, order: None };
            let why = room.desk.why(&room.message(who, "why"), &query).await.unwrap();
            assert_eq!(format!("{why:?}").contains("shop is kept"), kept, "{who} {command:?}: {why:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_up_is_kept_though_somebody_waits_to_take_it_down() {
    on_both(async |store| {
        let room = Room::new(store);
        room.stands_at("full").await;
        let working = room.queues("ito", up("shop")).await;
        room.works(&working).await;
        room.queues("mori", Order::Down { environment: shop(), level: Some(Level::Off), anyway: false }).await;
        let until = room.ahead(3_600_000).await;
        let kept = room.does("sato", HoldOrder::Keep { environment: shop(), until }).await;
        assert!(matches!(&kept, HoldAnswer::Began { refused, .. } if refused.len() == 1), "{kept:?}");
        let queue = room.desk.queue(Some(&shop()), &everything()).await.unwrap();
        assert!(queue[0].waiting.iter().all(|waiting| waiting.barred), "{queue:?}");
    })
    .await;
}

#[tokio::test]
async fn only_leaves_in_people_who_can_be_known() {
    on_both(async |store| {
        let room = Room::new(store);
        let until = room.ahead(3_600_000).await;
        for (typed, name, words) in [
            (
                "for 2h only @slack:S0604 @sato because x",
                "slack:S0604",
                ["is a group", "\"hold shop for 2h only @slack:U1 @slack:U2 @sato because x\""],
            ),
            ("for 2h only @slack:S9 because x", "slack:S9", ["is a group", "\"hold shop for 2h because x\""]),
            (
                "only @stao for 2h because x",
                "stao",
                ["may change nothing in shop", "\"hold shop only @local:sato for 2h because x\""],
            ),
            // Whoever is named already is not meant a second time.
            (
                "only @sato @stao for 2h because x",
                "stao",
                ["may change nothing in shop", "\"hold shop only @sato for 2h because x\""],
            ),
            (
                "only @kenji for 2h because x",
                "kenji",
                ["several people", "\"hold shop only @local:kenji for 2h because x\""],
            ),
        ] {
            let message = room.message("mori", &format!("hold shop {typed}"));
            let order = Order::Hold(HoldOrder::Hold { environment: shop(), until, only: vec![name.to_owned()] });
            let told = room.desk.submit(&message, &order, None).await;
            let Err(DeskError::Refused(refusal)) = told else { panic!("{typed}: {told:?}") };
            for word in words {
                assert!(format!("{refusal:?}").contains(word), "no `{word}` in {refusal:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_keeps_all_from_changing_and_nobody_from_looking_or_an_admin_from_taking_it_away() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        sql(&room.store, "UPDATE holds SET only_ids = '{' WHERE number = 1").await.unwrap();
        let all = Sight { all: true, environments: Vec::new() };
        let told = format!("{:?}", room.desk.status(Some(&shop())).await.unwrap());
        assert!(told.contains("hold 1") && told.contains("only_ids") && told.contains("unhold shop 1"), "{told}");
        room.desk.queue(None, &all).await.unwrap();
        let up = Order::Up { environment: shop(), level: None, settings: Vec::new(), newest_code: false };
        room.refuses("ito", up.clone(), &["cannot be read", "hold 1", "only_ids", "unhold shop 1"]).await;
        let plan = Order::Plan { environment: shop(), level: None, settings: Vec::new(), newest_code: false };
        room.queues("ito", plan).await;
        let unhold = || Order::Hold(HoldOrder::Unhold { environment: shop(), number: Some(HoldNumber(1)) });
        room.refuses("ito", unhold(), &["takes an admin", "local:boss"]).await;
        // What does not touch it goes on: a stop and its end.
        room.does("boss", HoldOrder::Stop).await;
        room.does("boss", HoldOrder::Resume).await;
        let answer = room.says("boss", unhold()).await.unwrap();
        assert!(matches!(answer, Answer::Hold(HoldAnswer::Cleared { number: HoldNumber(1), .. })), "{answer:?}");
        room.queues("ito", up).await;
    })
    .await;
}

#[tokio::test]
async fn the_audit_tells_by_which_line_an_order_was_allowed_and_that_a_keep_ended_by_its_own() {
    on_both(async |store| {
        let room = Room::new(store);
        room.stands_at("full").await;
        let until = room.ahead(3_600_000).await;
        room.does("sato", HoldOrder::Keep { environment: shop(), until }).await;
        let down = Order::Down { environment: shop(), level: None, anyway: false };
        let run = room.queues("sato", down).await;
        let all = Sight { all: true, environments: Vec::new() };
        let filter = crate::domain::audit::AuditFilter { page: 1, ..Default::default() };
        let records = room.desk.audit(&filter, &all).await.unwrap().records;
        let of = |action: &str| records.iter().find(|record| record.action == action).expect("an entry");
        let lowered = of("down").detail.as_ref().expect("a detail")["granted"].clone();
        assert_eq!(lowered, "operator for local:sato (tidegate.toml:4)");
        let ended = of("unhold");
        assert_eq!((ended.run, ended.result.as_deref()), (Some(run.number), Some("lifted")));
        assert_eq!(ended.detail.as_ref().expect("a detail")["kind"], "keep");
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_is_told_by_every_answer_that_it_stands_against() {
    on_both(async |store| {
        let room = Room::new(store);
        room.hold("sato").await;
        sql(&room.store, "UPDATE holds SET only_ids = '{' WHERE number = 1").await.unwrap();
        let until = room.ahead(3_600_000).await;
        let hold = Order::Hold(HoldOrder::Hold { environment: shop(), until, only: Vec::new() });
        room.refuses("sato", hold, &["hold 1", "unhold shop 1"]).await;
        let query = WhyQuery { who: None, command: CommandName::Up, environment: Some(shop()), run: None, order: None };
        let why = room.desk.why(&room.message("sato", "why"), &query).await.unwrap();
        assert!(format!("{why:?}").contains("unhold shop 1"), "{why:?}");
        room.refuses("boss", Order::Hold(HoldOrder::Resume), &["unhold shop 1"]).await;
        // The brake works, and works again.
        for again in [false, true] {
            let answer = room.does("boss", HoldOrder::Stop).await;
            assert!(matches!(&answer, HoldAnswer::Stopped { again: told, .. } if *told == again), "{answer:?}");
        }
        room.does("boss", HoldOrder::Resume).await;
        let unhold = Order::Hold(HoldOrder::Unhold { environment: shop(), number: Some(HoldNumber(1)) });
        room.says("boss", unhold).await.unwrap();
        let told = room.news("ito").await;
        assert!(told.iter().any(|news| matches!(news, News::Cleared { number: HoldNumber(1), .. })), "{told:?}");
        // Cleared, its row is as it was, and in nobody's way.
        room.desk.status(Some(&shop())).await.unwrap();
        let config = room.desk.config();
        room.desk.diaries().all(&room.store, &config, until).await.unwrap();
        crate::warden::look(&room.store, &config).await.unwrap();
        room.hold("sato").await;
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_cannot_be_read_is_over_when_its_time_is() {
    on_both(async |store| {
        let room = Room::new(store);
        let break_it = async |number: i64| {
            let set = "only_ids = '{', until_at = began_at + 1";
            sql(&room.store, &format!("UPDATE holds SET {set} WHERE number = {number}")).await.unwrap();
        };
        room.hold("sato").await;
        break_it(1).await;
        // By whatever is asked for next, by the engine's look, and by an admin.
        room.hold("sato").await;
        room.does("mori", HoldOrder::Tell { environment: shop() }).await;
        break_it(2).await;
        assert!(crate::warden::look(&room.store, &room.desk.config()).await.unwrap(), "mori is told that it is free");
        for who in ["ito", "boss"] {
            let told = room.news(who).await;
            let is_end = |news: &News| matches!(news, News::Cleared { by: None, number: HoldNumber(1 | 2), .. });
            assert_eq!(told.iter().filter(|news| is_end(news)).count(), 2, "{who}: {told:?}");
        }
        room.hold("sato").await;
        break_it(3).await;
        let unhold = Order::Hold(HoldOrder::Unhold { environment: shop(), number: Some(HoldNumber(3)) });
        room.says("boss", unhold).await.unwrap();
        let all = Sight { all: true, environments: Vec::new() };
        let filter = crate::domain::audit::AuditFilter { page: 1, ..Default::default() };
        let records = room.desk.audit(&filter, &all).await.unwrap().records;
        let of = records
            .iter()
            .filter_map(|record| record.detail.as_ref())
            .filter(|detail| detail.get("unreadable").is_some());
        let mut numbers: Vec<i64> = of.filter_map(|detail| detail["hold"].as_i64()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2], "{records:?}");
    })
    .await;
}

#[tokio::test]
async fn everything_can_be_stopped_also_where_a_stop_cannot_be_read() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.queues("ito", up("shop")).await;
        room.works(&run).await;
        room.does("boss", HoldOrder::Stop).await;
        sql(&room.store, "UPDATE holds SET only_ids = '{' WHERE number = 1").await.unwrap();
        let HoldAnswer::Stopped { hold, again, .. } = room.does("boss", HoldOrder::Stop).await else {
            panic!("a stop")
        };
        assert!(!again && hold.number != HoldNumber(1), "a new one");
        let told = room.news("ito").await;
        assert!(told.iter().any(|news| matches!(news, News::Cleared { number: HoldNumber(1), .. })), "{told:?}");
        room.refuses("ito", up("blog"), &["everything is stopped"]).await;
        let all = Sight { all: true, environments: Vec::new() };
        let filter = crate::domain::audit::AuditFilter { page: 1, ..Default::default() };
        let records = room.desk.audit(&filter, &all).await.unwrap().records;
        let halt = records.iter().find(|record| record.action == "halt").expect("an entry");
        assert_eq!(halt.detail.as_ref().expect("a detail")["cleared"], serde_json::json!([1]));
        room.does("boss", HoldOrder::Resume).await;
        room.queues("ito", up("blog")).await;
    })
    .await;
}
