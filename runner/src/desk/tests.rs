//! Orders on runs, decided on a ledger of their own and without an engine: the tests tell what an engine would have.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use tokio::sync::watch;

use super::post::Notice;
use super::{Desk, DeskError, Message};
use crate::bell::Bell;
use crate::config::{self, Config};
use crate::domain::access::{Approvers, Want};
use crate::domain::answer::{Actor, Answer, RunSummary, Sight, Standing};
use crate::domain::audit::AuditFilter;
use crate::domain::command::Order;
use crate::domain::environment::{Channels, Level};
use crate::domain::failure::{Failure, FailureKind, LockHolder};
use crate::domain::hours_on::{Month, Stood};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::request::{RunKind, RunRequest, Target};
use crate::domain::run::{Note, Outcome, Question, QuestionWhy, RunEvent};
use crate::domain::schedule::{ClockNews, Turn};
use crate::ledger::tests::on_both;
use crate::ledger::{Store, environments, runs, stacks};
use crate::problem::source::Source;

const CONFIG: &str = "[environments.shop]\nowners = ['local:ito']\nup = 'full'\ndown = 'small'\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

struct Room {
    desk: Desk,
    store: Store,
    messages: std::cell::Cell<u32>,
}

impl Room {
    fn new(store: Store) -> Self {
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", CONFIG), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let config = watch::channel(Arc::new(config)).1;
        Self { desk: Desk::new(store.clone(), config, Bell::default()), store, messages: std::cell::Cell::new(0) }
    }

    async fn says(&self, order: Order) -> Result<Answer, DeskError> {
        let number = self.messages.get() + 1;
        self.messages.set(number);
        let message = Message {
            key: format!("m{number}"),
            actor: Actor::person(ActorId::local("ito"), "ito"),
            place: Place::shell(),
            typed: format!("{order:?}"),
        };
        self.desk.submit(&message, &order, None).await
    }

    async fn queues(&self, order: Order) -> RunSummary {
        match self.says(order).await.unwrap() {
            Answer::Queued { run, .. } => run,
            other => panic!("{other:?}"),
        }
    }

    async fn refuses(&self, order: Order) -> String {
        match self.says(order).await {
            Err(DeskError::Refused(refusal)) => format!("{refusal:?}"),
            other => panic!("{other:?}"),
        }
    }

    /// Appends what an engine would, and wants what it would.
    async fn happens(&self, run: &RunSummary, events: &[RunEvent]) {
        let mut tx = self.store.begin().await.unwrap();
        runs::append_many(&mut tx, run.id, events, None).await.unwrap();
        let RunRequest { target, retry_of, .. } = &run.request;
        environments::begin(&mut tx, &shop(), target, run.number, *retry_of).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Lets a run change something and end.
    async fn changes(&self, run: &RunSummary, outcome: Outcome) {
        let stack = "app".parse().unwrap();
        let phase = crate::domain::run::Phase::Apply;
        let mut events = vec![claimed(), RunEvent::ApplyBegan, RunEvent::StackStarted { stack, phase }];
        if outcome == Outcome::Succeeded {
            events.push(RunEvent::VerifyBegan);
        }
        events.push(ended(outcome));
        self.happens(run, &events).await;
    }
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn at(level: &str) -> Target {
    Target { level: level.parse().unwrap(), settings: std::collections::BTreeMap::new() }
}

fn up(level: &str) -> Order {
    let level: Level = level.parse().unwrap();
    Order::Up { environment: shop(), level: Some(level), settings: Vec::new(), newest_code: false }
}

fn claimed() -> RunEvent {
    RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }
}

fn ended(outcome: Outcome) -> RunEvent {
    RunEvent::ended(outcome)
}

#[tokio::test]
async fn nothing_is_removed_where_nobody_said_whose_the_account_is() {
    on_both(async |store| {
        let room = Room::new(store.clone());
        let order = || Order::Sweep { environment: shop(), remove: true };
        let refusal = room.refuses(order()).await;
        assert!(refusal.contains("remove_in") && refusal.contains("sweep shop"), "{refusal}");
        let text = CONFIG.replacen("up =", "remove_in = ['123456789012']\nup =", 1);
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let config = watch::channel(Arc::new(config)).1;
        let room = Room { desk: Desk::new(store, config, Bell::default()), messages: std::cell::Cell::new(9), ..room };
        let run = room.queues(order()).await;
        assert!(run.request.kind == RunKind::Remove && run.request.asks, "{run:?}");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_only_waits_for_a_yes_is_in_nobodys_way_to_undo() {
    on_both(async |store| {
        let room = Room::new(store);
        let small = room.queues(up("small")).await;
        room.changes(&small, Outcome::Succeeded).await;
        let full = room.queues(up("full")).await;
        room.changes(&full, Outcome::Succeeded).await;
        let asking = room.queues(Order::Destroy { environment: shop() }).await;
        let question = Question::plain(QuestionWhy::Previewed, "abc".to_owned(), Timestamp(i64::MAX));
        let mut tx = room.store.begin().await.unwrap();
        runs::append_many(&mut tx, asking.id, &[claimed(), RunEvent::Asked { question }], None).await.unwrap();
        tx.commit().await.unwrap();
        let undone = room.queues(Order::Undo { environment: shop() }).await;
        assert_eq!(undone.request.target, at("small"));
        let refused = room.refuses(Order::Undo { environment: shop() }).await;
        assert!(refused.contains("is being changed") && refused.contains("cancel 4"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn undo_after_a_retry_goes_back_to_before_the_first_try() {
    on_both(async |store| {
        let room = Room::new(store);
        let small = room.queues(up("small")).await;
        room.changes(&small, Outcome::Succeeded).await;
        let first = room.queues(up("full")).await;
        room.changes(&first, Outcome::Partial).await;
        let again = room.queues(Order::Retry { run: first.number }).await;
        assert_eq!(again.request.before, Some(at("small")));
        room.changes(&again, Outcome::Succeeded).await;
        let undone = room.queues(Order::Undo { environment: shop() }).await;
        assert_eq!((undone.request.kind, undone.request.target), (RunKind::Undo, at("small")));
    })
    .await;
}

#[tokio::test]
async fn partial_failed_and_cancelled_runs_are_taken_as_they_are_and_nobody_knows_their_level() {
    on_both(async |store| {
        let room = Room::new(store);
        for outcome in [Outcome::Partial, Outcome::Failed, Outcome::Cancelled] {
            let run = room.queues(up("full")).await;
            room.changes(&run, outcome).await;
            let mut tx = room.store.begin().await.unwrap();
            stacks::mark_in_doubt(&mut tx, &shop(), &"app".parse().unwrap()).await.unwrap();
            tx.commit().await.unwrap();
            let taken = room.says(Order::Accept { run: run.number }).await.unwrap();
            assert!(matches!(taken, Answer::Taken(_)), "{taken:?}");
            let stands = stacks::standings(&room.store, &shop()).await.unwrap();
            let app = stands.get("app").unwrap();
            assert_eq!((app.in_doubt, app.level.as_ref(), app.run), (false, None, Some(run.number)));
            assert!(room.refuses(Order::Accept { run: run.number }).await.contains("already"));
        }
        let run = room.queues(up("full")).await;
        room.changes(&run, Outcome::Succeeded).await;
        assert!(room.refuses(Order::Accept { run: run.number }).await.contains("only a partial"));
    })
    .await;
}

#[tokio::test]
async fn a_run_with_a_newer_change_is_neither_taken_nor_tried_again() {
    on_both(async |store| {
        let room = Room::new(store);
        let old = room.queues(up("full")).await;
        room.changes(&old, Outcome::Partial).await;
        let newer = room.queues(up("full")).await;
        // What only waits has changed nothing yet; nobody has to wait for it to take what stands.
        let refusal = room.refuses(Order::Retry { run: old.number }).await;
        assert!(refusal.contains("is not the latest change") && refusal.contains("show 2"), "{refusal}");
        let (stack, phase) = ("app".parse().unwrap(), crate::domain::run::Phase::Apply);
        room.happens(&newer, &[claimed(), RunEvent::ApplyBegan, RunEvent::StackStarted { stack, phase }]).await;
        for over in [false, true] {
            if over {
                room.happens(&newer, &[RunEvent::VerifyBegan, ended(Outcome::Succeeded)]).await;
            }
            for order in [Order::Accept { run: old.number }, Order::Retry { run: old.number }] {
                let refusal = room.refuses(order).await;
                assert!(refusal.contains("is not the latest change") && refusal.contains("show 2"), "{refusal}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_question_past_its_time_takes_no_yes() {
    on_both(async |store| {
        let room = Room::new(store);
        let now = room.store.now().await.unwrap();
        for (number, expires) in [(1, now.plus_ms(-1)), (2, now.plus_ms(600_000))] {
            let run = room.queues(up("full")).await;
            let question = Question::plain(QuestionWhy::Previewed, "d1".to_owned(), expires);
            room.happens(&run, &[claimed(), RunEvent::Asked { question }]).await;
            let order = Order::Approve { run: RunNumber(number), code: None, alone: false };
            if number == 1 {
                assert!(room.refuses(order).await.contains("retry 1"));
            } else {
                assert!(matches!(room.says(order).await.unwrap(), Answer::Approved(_)));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn hours_and_what_is_on_are_told_of_what_somebody_sees() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.queues(up("full")).await;
        assert!(room.desk.on(&Sight { all: true, environments: Vec::new() }).await.unwrap().raised.is_empty());
        room.changes(&run, Outcome::Succeeded).await;
        let all = Sight { all: true, environments: Vec::new() };
        let none = Sight { all: false, environments: Vec::new() };
        let on = room.desk.on(&all).await.unwrap();
        assert_eq!((on.raised.len(), on.of, on.more), (1, 1, 0));
        let raised = &on.raised[0];
        assert_eq!((raised.run, raised.stood.clone()), (run.number, Stood::At("full".parse().unwrap())));
        assert_eq!((raised.until, raised.whose.called.as_str()), (None, "ito"));
        assert_eq!(room.desk.on(&none).await.unwrap().raised, []);
        let [hours] = room.desk.hours(None, None, &all).await.unwrap().try_into().unwrap();
        assert!(!hours.over && hours.on_ms == hours.always_ms(), "nothing was known before it: {hours:?}");
        assert_eq!(room.desk.hours(None, None, &none).await.unwrap(), []);
        let refused = room.desk.hours(Some(&shop()), Month::new(9000, 1), &all).await;
        assert!(matches!(&refused, Err(DeskError::Refused(refusal)) if refusal.hints == ["hours shop"]), "{refused:?}");
        let gone = "attic".parse().unwrap();
        let refused = room.desk.hours(Some(&gone), None, &all).await;
        assert!(
            matches!(&refused, Err(DeskError::Refused(refusal)) if refusal.hints == ["history attic"]),
            "{refused:?}"
        );
    })
    .await;
}

/// Two chats are configured, one of them without a channel for the people who look after Tidegate.
fn with_chats(store: &Store, admins: &str) -> Desk {
    let text = format!(
        "[chat.slack]\nbot_token = {{ env = 'A' }}\napp_token = {{ env = 'B' }}\n{admins}\n\
         [chat.discord]\nbot_token = {{ env = 'C' }}\napplication = '1'\nguild = '2'\nadmin_channel = '#ops'\n{CONFIG}"
    );
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    Desk::new(store.clone(), watch::channel(Arc::new(config)).1, Bell::default())
}

#[tokio::test]
async fn what_those_who_look_after_tidegate_should_know_is_told_in_each_chat_by_itself() {
    on_both(async |store| {
        let desk = with_chats(&store, "admin_channel = '#ops'");
        desk.notify("a disk is full").await.unwrap();
        assert!(desk.trouble("slack", "#load", "is_archived", "Slack takes nothing").await.unwrap());
        assert!(!desk.trouble("slack", "#load", "is_archived", "Slack takes nothing").await.unwrap(), "known");
        for door in ["slack", "discord"] {
            let told: Vec<String> = desk.notices(door).await.unwrap().into_iter().map(|notice| notice.text).collect();
            assert_eq!(told, ["a disk is full", "Slack takes nothing"], "{door}");
        }
        let over = async || desk.notices("slack").await.unwrap().iter().map(|notice| notice.over).collect::<Vec<_>>();
        assert_eq!(over().await, [false, false]);
        desk.trouble_over("slack", "#load").await.unwrap();
        assert_eq!(over().await, [false, true], "what stood in the way does not any more");
        for Notice { id, .. } in desk.notices("slack").await.unwrap() {
            desk.hand_notice_to("slack", id, &[]).await.unwrap();
        }
        assert_eq!((desk.notices("slack").await.unwrap().len(), desk.notices("discord").await.unwrap().len()), (0, 2));
        let alone = with_chats(&store, "");
        alone.notify("only where somebody reads it").await.unwrap();
        assert_eq!((desk.notices("slack").await.unwrap().len(), desk.notices("discord").await.unwrap().len()), (0, 3));
    })
    .await;
}

#[tokio::test]
async fn what_the_clock_tells_is_told_in_the_channels_of_each_chat_that_the_environment_has() {
    on_both(async |store| {
        let desk = with_chats(&store, "");
        let mut environment = desk.config().environments["shop"].clone();
        let mut config = Config::clone(&desk.config());
        let turn =
            Turn::new(Timestamp(1_795_392_000_000), Tz::UTC, Target { level: Level::Off, settings: BTreeMap::new() });
        for (channel, slack, discord) in [("", 0, 0), ("#load", 1, 1), ("175928847299117063", 1, 2)] {
            environment.channel = if channel.is_empty() { Channels::default() } else { Channels::everywhere(channel) };
            config.environments.insert(environment.name.clone(), environment.clone());
            let said = ClockNews::Missed { turn: turn.clone(), by_ms: 60_000, collapsed: 0, held_back: None };
            let mut tx = store.begin().await.unwrap();
            crate::warden::of_clock(&mut tx, &config, &environment.name, said, &[]).await.unwrap();
            tx.commit().await.unwrap();
            let told = async |door: &str| desk.news_for_all(door).await.unwrap().len();
            assert_eq!((told("slack").await, told("discord").await), (slack, discord), "{channel}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_group_that_only_a_chat_knows_counts_for_a_yes_alone_and_its_audit_has_what_was_seen() {
    on_both(async |store| {
        let room = Room::new(store);
        let now = room.store.now().await.unwrap();
        let group: ActorId = "slack:S1".parse().unwrap();
        let want = Want {
            held: Vec::new(),
            by: Approvers::Named(vec![group.clone()]),
            people: Vec::new(),
            count: 2,
            own: false,
            within_ms: None,
            alone_from: Some(now),
            rule: None,
        };
        let run = room.queues(up("full")).await;
        let question = Question {
            wants: vec![want],
            ..Question::plain(QuestionWhy::Ruled, "d1".to_owned(), now.plus_ms(600_000))
        };
        room.happens(&run, &[claimed(), RunEvent::Asked { question }]).await;
        let alone = Order::Approve { run: run.number, code: None, alone: true };
        let says = async |key: &str, groups: Vec<ActorId>| {
            let actor = Actor { groups, ..Actor::person("slack:U1".parse().unwrap(), "sato") };
            let (key, typed) = (key.to_owned(), "approve 1 alone".to_owned());
            let message = Message { key, actor, place: Place::shell(), typed };
            room.desk.submit(&message, &alone, Some("nobody else is awake".to_owned())).await
        };
        assert!(matches!(says("a", Vec::new()).await, Err(DeskError::Refused(_))), "no member");
        assert!(matches!(says("b", vec![group]).await.unwrap(), Answer::Approved(_)));
        let all = Sight { all: true, environments: Vec::new() };
        let filter = AuditFilter { action: Some("approve".to_owned()), page: 1, ..AuditFilter::default() };
        let records = room.desk.audit(&filter, &all).await.unwrap().records;
        let detail = records[0].detail.as_ref().expect("a detail");
        assert_eq!((&detail["digest"], detail["seen"].is_array()), (&"d1".into(), true), "{detail}");
    })
    .await;
}

#[tokio::test]
async fn status_tells_who_held_a_state_lock_until_the_next_run_is_over() {
    on_both(async |store| {
        let room = Room::new(store);
        let holder = LockHolder { id: "11".to_owned(), who: "ito@desk".to_owned(), ..LockHolder::default() };
        let ends = async |order: Order, events: Vec<RunEvent>| {
            let run = room.queues(order).await;
            let mut tx = room.store.begin().await.unwrap();
            runs::append_many(&mut tx, run.id, &[vec![claimed()], events].concat(), None).await.unwrap();
            tx.commit().await.unwrap();
            run.number
        };
        let locks = async |only: Option<EnvironmentName>| {
            let standings = room.desk.status(only.as_ref()).await.unwrap();
            let Some(Standing::Managed(status)) = standings.into_iter().next() else { panic!("shop is managed") };
            status.locks.into_iter().map(|seen| (seen.run, seen.holder.who)).collect::<Vec<_>>()
        };
        let stack = || "app".parse().unwrap();
        let noted = RunEvent::StackNoted { stack: stack(), note: Note::Locked { holders: vec![holder.clone()] } };
        let looked = ends(Order::Preflight { environment: shop() }, vec![noted, ended(Outcome::Planned)]).await;
        assert_eq!(locks(Some(shop())).await, [(looked, "ito@desk".to_owned())]);
        assert_eq!(locks(None).await, [], "in the list of all nothing more is read");
        ends(Order::Preflight { environment: shop() }, vec![ended(Outcome::Planned)]).await;
        assert_eq!(locks(Some(shop())).await, []);
        let failure = Box::new(Failure::new(FailureKind::LockHeld(holder.clone()), "locked"));
        let phase = crate::domain::run::Phase::Plan;
        let failed = RunEvent::StackFailed { stack: stack(), phase, failure, applied: None };
        let met = ends(Order::Drift { environment: shop() }, vec![failed, ended(Outcome::Failed)]).await;
        assert_eq!(locks(Some(shop())).await, [(met, "ito@desk".to_owned())]);
    })
    .await;
}
