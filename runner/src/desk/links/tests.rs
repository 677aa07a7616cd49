//! One person on two chats: on a ledger of their own and without an engine.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use crate::bell::Bell;
use crate::config;
use crate::desk::{Desk, DeskError, Message};
use crate::domain::access::{Approvers, Held, OPEN_MAX_S, Want, Written};
use crate::domain::answer::{Actor, ActorKind, Answer, RunDetail, RunSummary, Sight};
use crate::domain::audit::{AuditFilter, Record};
use crate::domain::command::{CommandName, Order};
use crate::domain::holds::{HoldOrder, News};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber};
use crate::domain::link::{Code, LinkAnswer, LinkOrder, WRONG_MAX};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::run::{Question, QuestionWhy, RunEvent, RunState};
use crate::ledger::tests::{on_both, sql};
use crate::ledger::{Store, runs};
use crate::problem::source::Source;

/// Both ids of sato own the shop, so that only who they are decides whose yes counts. `mori` is known by the file.
const CONFIG: &str = "[access]\nadmin = ['local:boss']\nviewer = ['everyone']\n\
    [people.mori]\nids = ['slack:U2', 'discord:2']\n\
    [environments.shop]\nowners = ['slack:U1', 'discord:1', 'slack:U2', 'discord:2', 'local:ito']\nup = 'full'\ndown = 'small'\n\
    approve = { when = ['command = destroy'], by = 'owners' }\n\
    [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
    [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n";

struct Room {
    desk: Desk,
    store: Store,
    messages: Cell<u32>,
}

impl Room {
    fn new(store: Store) -> Self {
        let config = config::parse(Source::new("/etc/tide/tidegate.toml", CONFIG), &|_| None).unwrap();
        assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
        let told = watch::channel(Arc::new(config)).1;
        Self { desk: Desk::new(store.clone(), told, Bell::default()), store, messages: Cell::new(0) }
    }

    async fn says_as(&self, actor: Actor, order: Order) -> Result<Answer, DeskError> {
        self.messages.set(self.messages.get() + 1);
        let key = format!("m{}", self.messages.get());
        let typed = format!("{order:?}");
        let message = Message { key, actor, place: Place::shell(), typed };
        self.desk.submit(&message, &order, Some("we measure".to_owned())).await
    }

    async fn says(&self, who: &str, order: Order) -> Result<Answer, DeskError> {
        self.says_as(Actor::person(id(who), "sato"), order).await
    }

    async fn refuses(&self, who: &str, order: Order, words: &str) {
        match self.says(who, order).await {
            Err(DeskError::Refused(refusal)) => {
                let refusal = format!("{refusal:?}");
                assert!(refusal.contains(words), "no `{words}` in {refusal}");
            }
            other => panic!("{other:?}"),
        }
    }

    async fn code(&self, who: &str) -> Code {
        match self.says(who, Order::Link(LinkOrder::Begin)).await.unwrap() {
            Answer::Link(LinkAnswer::Code { code, .. }) => code,
            other => panic!("{other:?}"),
        }
    }

    async fn link(&self, one: &str, other: &str) {
        let code = self.code(one).await;
        let answer = self.says(other, Order::Link(LinkOrder::Confirm { code })).await.unwrap();
        assert!(matches!(answer, Answer::Link(LinkAnswer::Linked(_))), "{answer:?}");
    }

    /// A run that asks owners for so many yeses.
    async fn asking(&self, who: &str, count: u32) -> RunNumber {
        self.asking_of(who, vec![wants(Approvers::Owners, count)]).await
    }

    async fn asking_of(&self, who: &str, wants: Vec<Want>) -> RunNumber {
        let environment = shop();
        let order =
            Order::Up { environment, level: Some("full".parse().unwrap()), settings: Vec::new(), newest_code: false };
        let run: RunSummary = match self.says(who, order).await.unwrap() {
            Answer::Queued { run, .. } => run,
            other => panic!("{other:?}"),
        };
        let expires = self.store.now().await.unwrap().plus_ms(600_000);
        let question = Question { wants, ..Question::plain(QuestionWhy::Ruled, "d1".to_owned(), expires) };
        let mut tx = self.store.begin().await.unwrap();
        let claimed = RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 };
        runs::append_many(&mut tx, run.id, &[claimed, RunEvent::Asked { question }], None).await.unwrap();
        tx.commit().await.unwrap();
        run.number
    }

    async fn audit(&self, filter: AuditFilter) -> Vec<Record> {
        let all = Sight { all: true, environments: Vec::new() };
        self.desk.audit(&AuditFilter { page: 1, ..filter }, &all).await.unwrap().records
    }
}

fn wants(by: Approvers, count: u32) -> Want {
    Want { held: Vec::new(), by, people: Vec::new(), count, own: false, within_ms: None, alone_from: None, rule: None }
}

fn id(text: &str) -> ActorId {
    text.parse().unwrap()
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn approve(run: RunNumber) -> Order {
    Order::Approve { run, code: None, alone: false }
}

#[tokio::test]
async fn nobody_says_yes_from_the_other_chat_to_what_they_asked_for() {
    on_both(async |store| {
        let room = Room::new(store);
        // Nobody knows that both are sato: this is what links are for.
        let run = room.asking("slack:U1", 1).await;
        assert!(matches!(room.says("discord:1", approve(run)).await.unwrap(), Answer::Approved(_)));
        room.link("slack:U1", "discord:1").await;
        let run = room.asking("slack:U1", 1).await;
        room.refuses("discord:1", approve(run), "asked for themselves").await;
        assert!(matches!(room.says("local:ito", approve(run)).await.unwrap(), Answer::Approved(_)));
        // Taken back, it still is no way to say yes to oneself.
        room.says("discord:1", Order::Link(LinkOrder::End { of: None })).await.unwrap();
        let run = room.asking("slack:U1", 1).await;
        room.refuses("discord:1", approve(run), "asked for themselves").await;
        // By the file, and without anybody's word.
        let run = room.asking("discord:2", 1).await;
        room.refuses("slack:U2", approve(run), "asked for themselves").await;
    })
    .await;
}

#[tokio::test]
async fn two_ids_of_one_person_say_one_yes() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.asking("local:ito", 2).await;
        assert!(matches!(room.says("slack:U2", approve(run)).await.unwrap(), Answer::Seconded(_)));
        room.refuses("discord:2", approve(run), "said yes already").await;
        // Two yeses whose owners turn out to be one are one, also for somebody else's.
        let run = room.asking("local:ito", 3).await;
        assert!(matches!(room.says("slack:U1", approve(run)).await.unwrap(), Answer::Seconded(_)));
        assert!(matches!(room.says("discord:1", approve(run)).await.unwrap(), Answer::Seconded(_)));
        room.link("slack:U1", "discord:1").await;
        assert!(matches!(room.says("slack:U2", approve(run)).await.unwrap(), Answer::Seconded(_)));
    })
    .await;
}

#[tokio::test]
async fn what_is_shown_of_a_run_counts_people_as_the_desk_does() {
    on_both(async |store| {
        let room = Room::new(store);
        let people = ["slack:U1", "discord:1", "slack:U2", "discord:2", "local:ito"].map(id).to_vec();
        let want = Want { people, ..wants(Approvers::Owners, 3) };
        let run = room.asking_of("local:ito", vec![want]).await;
        room.says("slack:U1", approve(run)).await.unwrap();
        room.says("discord:1", approve(run)).await.unwrap();
        let said = async || {
            let detail = room.desk.show(run).await.unwrap();
            let RunState::AwaitingApproval { question, .. } = detail.run.state.clone() else { panic!("it waits") };
            assert_eq!(detail.view.question.as_ref(), Some(&question));
            assert_eq!(detail.view.state, detail.run.state);
            question
        };
        let question = said().await;
        assert_eq!(question.yes.len(), 2, "nobody knows yet that both are sato");
        assert!(question.persons.same(&id("slack:U2"), &id("discord:2")), "by the file");
        let mut followed = room.desk.show(run).await.unwrap();
        assert!(!room.desk.refresh(&mut followed).await.unwrap(), "nothing is new");
        room.link("slack:U1", "discord:1").await;
        // Whoever follows it, as its card in a channel does, counts again, though nothing happened to the run.
        assert!(room.desk.refresh(&mut followed).await.unwrap());
        assert_eq!(followed, RunDetail { now: followed.now, ..room.desk.show(run).await.unwrap() });
        assert!(!room.desk.refresh(&mut followed).await.unwrap());
        let question = said().await;
        assert_eq!((question.yes.len(), question.persons.once(&question.wants[0].people).len()), (1, 4));
        // The answer to a yes counts as its card does.
        let Answer::Seconded(second) = room.says("slack:U2", approve(run)).await.unwrap() else {
            panic!("it is 2 of 3")
        };
        let RunState::AwaitingApproval { question, .. } = second.state else { panic!("it waits") };
        assert_eq!(question.yes.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_somebody_holds_and_queues_is_theirs_from_both_and_rights_stay_each_ids_own() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "local:sato").await;
        let until = room.store.now().await.unwrap().plus_ms(3_600_000);
        let hold = HoldOrder::Hold { environment: shop(), until, only: Vec::new() };
        room.says("slack:U1", Order::Hold(hold)).await.unwrap();
        let up = Order::Up { environment: shop(), level: None, settings: Vec::new(), newest_code: false };
        // The other id is no owner, and a link makes it none.
        room.refuses("local:sato", up.clone(), "is not your").await;
        room.link("slack:U1", "discord:1").await;
        let Answer::Queued { run, .. } = room.says("discord:1", up).await.unwrap() else { panic!("held") };
        let leave = Order::Hold(HoldOrder::Leave { run: Some(run.number) });
        room.refuses("slack:U2", leave.clone(), "not yours").await;
        room.says("slack:U1", leave).await.unwrap();
        let unhold = HoldOrder::Unhold { environment: shop(), number: None };
        room.says("discord:1", Order::Hold(unhold)).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_code_is_for_one_use_for_somebody_else_and_not_guessed() {
    on_both(async |store| {
        let room = Room::new(store);
        let code = room.code("slack:U1").await;
        let confirm = |code: &Code| Order::Link(LinkOrder::Confirm { code: code.clone() });
        room.refuses("slack:U1", confirm(&code), "is your own").await;
        let bot = Actor { kind: ActorKind::Bot, ..Actor::person(id("slack:U1"), "bot") };
        assert!(matches!(room.says_as(bot, confirm(&code)).await, Err(DeskError::Refused(_))));
        let guest = Actor { kind: ActorKind::Guest, ..Actor::person(id("slack:U8"), "guest") };
        assert!(matches!(room.says_as(guest, confirm(&code)).await, Err(DeskError::Refused(_))));
        // A new one takes the place of the one before it.
        let newer = room.code("slack:U1").await;
        room.refuses("discord:1", confirm(&code), "is nobody's").await;
        room.says("discord:1", confirm(&newer)).await.unwrap();
        room.refuses("discord:7", confirm(&newer), "is nobody's").await;
        room.refuses("discord:1", Order::Link(LinkOrder::Confirm { code: room.code("slack:U1").await }), "already")
            .await;
    })
    .await;
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_is_not_taken_either() {
    on_both(async |store| {
        let room = Room::new(store);
        let code = room.code("slack:U1").await;
        let wrong = Code::new([7; 5]);
        for _ in 0..WRONG_MAX {
            room.refuses("discord:1", Order::Link(LinkOrder::Confirm { code: wrong.clone() }), "is nobody's").await;
        }
        room.refuses("discord:1", Order::Link(LinkOrder::Confirm { code: code.clone() }), "no code is taken").await;
        // Of others they are.
        room.says("local:sato", Order::Link(LinkOrder::Confirm { code })).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_link_is_in_the_audit_of_both_ids_without_its_code_and_both_hear_of_it() {
    on_both(async |store| {
        let room = Room::new(store);
        let code = room.code("slack:U1").await;
        room.says("discord:1", Order::Link(LinkOrder::Confirm { code: code.clone() })).await.unwrap();
        let told: Vec<News> = room
            .desk
            .news("slack", &Actor::person(id("slack:U1"), "sato"))
            .await
            .unwrap()
            .into_iter()
            .map(|u| u.news)
            .collect();
        assert!(matches!(told.as_slice(), [News::Linked { by, .. }] if *by == id("discord:1")), "{told:?}");
        let all = room.audit(AuditFilter { action: Some("link".to_owned()), ..AuditFilter::default() }).await;
        let linked: BTreeMap<String, i64> = all
            .iter()
            .filter(|r| r.result.as_deref() == Some("linked"))
            .map(|r| (r.actor.id.to_string(), r.seq))
            .collect();
        assert_eq!(linked.keys().collect::<Vec<_>>(), ["discord:1", "slack:U1"]);
        let text = format!("{all:?}");
        assert!(!text.contains(code.as_str()) && !text.contains(&code.to_string()), "{text}");
        // What either did is found by either, with the id that it was done by.
        let by = AuditFilter { by: Some("slack:U1".to_owned()), ..AuditFilter::default() };
        let mut ids: Vec<String> = room.audit(by).await.iter().map(|record| record.actor.id.to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids, ["discord:1", "slack:U1"]);
        // Admins see and end it; nobody else does.
        let message = |who: &str| Message {
            key: format!("q{who}"),
            actor: Actor::person(id(who), who),
            place: Place::shell(),
            typed: "link list".to_owned(),
        };
        let seen = async |who: &str| room.desk.links(&message(who)).await.unwrap().links.len();
        assert_eq!((seen("local:boss").await, seen("slack:U1").await, seen("local:ito").await), (1, 1, 0));
        let end = |of: &str| Order::Link(LinkOrder::End { of: Some(of.to_owned()) });
        room.refuses("local:ito", end("slack:U1"), "nothing to unlink").await;
        room.says("local:boss", end("slack:U1")).await.unwrap();
        assert_eq!(seen("local:boss").await, 0);
    })
    .await;
}

#[tokio::test]
async fn yeses_that_turn_out_to_be_of_one_person_leave_room_for_others() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.asking("local:boss", 3).await;
        for who in ["slack:U1", "discord:1"] {
            assert!(matches!(room.says(who, approve(run)).await.unwrap(), Answer::Seconded(_)), "{who}");
        }
        // Both count for the second, only one for the first.
        let named = Approvers::Named(vec![id("slack:U1")]);
        let two = room.asking_of("local:boss", vec![wants(named, 1), wants(Approvers::Owners, 3)]).await;
        for who in ["slack:U1", "discord:1"] {
            assert!(matches!(room.says(who, approve(two)).await.unwrap(), Answer::Seconded(_)), "{who}");
        }
        room.link("slack:U1", "discord:1").await;
        for run in [run, two] {
            assert!(matches!(room.says("slack:U2", approve(run)).await.unwrap(), Answer::Seconded(_)), "{run}");
            room.refuses("discord:1", approve(run), "said yes already").await;
            assert!(matches!(room.says("local:ito", approve(run)).await.unwrap(), Answer::Approved(_)), "{run}");
        }
    })
    .await;
}

#[tokio::test]
async fn nobody_says_yes_to_themselves_as_long_as_a_question_can_be_open_after_unlink() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "discord:1").await;
        let run = room.asking("slack:U1", 1).await;
        room.says("discord:1", Order::Link(LinkOrder::End { of: None })).await.unwrap();
        let ago_ms = 1_000 * i64::from(OPEN_MAX_S) + 1;
        sql(&room.store, &format!("UPDATE links SET ended_at = ended_at - {ago_ms}")).await.unwrap();
        room.refuses("discord:1", approve(run), "asked for themselves").await;
    })
    .await;
}

#[tokio::test]
async fn a_link_that_cannot_be_read_bars_a_yes_and_nothing_else_until_an_admin_takes_it_away() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "discord:1").await;
        sql(&room.store, "UPDATE links SET one_id = 'x'").await.unwrap();
        for order in [HoldOrder::Stop, HoldOrder::Resume] {
            room.says("local:boss", Order::Hold(order)).await.unwrap();
        }
        room.desk.status(None).await.unwrap();
        room.desk.queue(None, &Sight { all: true, environments: Vec::new() }).await.unwrap();
        room.audit(AuditFilter { by: Some("boss".to_owned()), ..AuditFilter::default() }).await;
        let run = room.asking("slack:U1", 1).await;
        room.refuses("discord:1", approve(run), "unlink 1").await;
        room.refuses("local:ito", approve(run), "unlink 1").await;
        let code = room.code("slack:U2").await;
        room.refuses("local:sato", Order::Link(LinkOrder::Confirm { code }), "unlink 1").await;
        let end = || Order::Link(LinkOrder::End { of: Some("1".to_owned()) });
        room.refuses("local:ito", end(), "nothing to unlink").await;
        let message = |who: &str| Message {
            key: format!("q{who}"),
            actor: Actor::person(id(who), who),
            place: Place::shell(),
            typed: "link list".to_owned(),
        };
        let seen = async |who: &str| room.desk.links(&message(who)).await.unwrap().unreadable.len();
        assert_eq!((seen("local:boss").await, seen("local:ito").await), (1, 0));
        let answer = room.says("local:boss", end()).await.unwrap();
        assert!(matches!(&answer, Answer::Link(LinkAnswer::Cleared(one)) if one.number == 1), "{answer:?}");
        assert!(matches!(room.says("local:ito", approve(run)).await.unwrap(), Answer::Approved(_)));
        let cleared = room.audit(AuditFilter { action: Some("unlink".to_owned()), ..AuditFilter::default() }).await;
        let cleared = cleared.iter().find(|record| record.result.as_deref() == Some("cleared")).expect("an entry");
        assert_eq!(cleared.detail.as_ref().expect("a detail")["link"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_code_that_can_be_said_is_in_no_words_that_are_kept_and_one_that_others_read_is_nobodys() {
    on_both(async |store| {
        let room = Room::new(store);
        let code = room.code("slack:U1").await;
        let (one, other) = code.as_str().split_at(4);
        for (at, typed) in
            [format!("lnk {code}"), format!("link {one} {other} please"), format!("`{}`", code.as_str().to_uppercase())]
                .into_iter()
                .enumerate()
        {
            let message = Message {
                key: format!("n{at}"),
                actor: Actor::person(id("slack:U1"), "sato"),
                place: Place::shell(),
                typed: typed.clone(),
            };
            let refusal = Refusal::not_understood(format!("{typed} is no command"), "it is none");
            room.desk.not_understood(&message, None, &refusal).await.unwrap();
        }
        let kept = format!("{:?}", room.audit(AuditFilter::default()).await).to_lowercase();
        assert!(kept.contains("lnk code") && !kept.contains(one) && !kept.contains(other), "{kept}");
        assert!(room.desk.forget_codes(&format!("link {code}")).await.unwrap());
        assert!(!room.desk.forget_codes(&format!("link {code}")).await.unwrap());
        room.refuses("discord:1", Order::Link(LinkOrder::Confirm { code }), "nobody's").await;
    })
    .await;
}

#[tokio::test]
async fn who_ends_a_link_of_others_is_the_one_whom_the_audit_names() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "discord:1").await;
        room.says("local:boss", Order::Link(LinkOrder::End { of: Some("1".to_owned()) })).await.unwrap();
        let ended = room.audit(AuditFilter { action: Some("unlink".to_owned()), ..AuditFilter::default() }).await;
        let actors: Vec<String> = ended.iter().map(|record| record.actor.id.to_string()).collect();
        assert_eq!(actors, ["local:boss"]);
        let linked = room.audit(AuditFilter { action: Some("link".to_owned()), ..AuditFilter::default() }).await;
        let doors: Vec<String> = linked
            .iter()
            .filter(|record| record.actor.id == id("slack:U1"))
            .map(|record| record.door.clone())
            .collect();
        // That a code was asked for in the terminal is this room's own way; the link is told of where the id is.
        assert!(doors.contains(&"slack".to_owned()), "{doors:?}");
    })
    .await;
}

#[tokio::test]
async fn the_audit_tells_of_each_yes_by_which_rule_it_counts_and_what_it_was_said_to() {
    on_both(async |store| {
        let room = Room::new(store);
        let written = |line: u32| Written { file: "tidegate.toml".to_owned(), line };
        let held = |line| vec![Held { words: "deletes 7 > 5".to_owned(), written: written(line) }];
        let named = Want { held: held(7), ..wants(Approvers::Named(vec![id("slack:U1")]), 1) };
        let owners = Want { held: held(9), ..wants(Approvers::Owners, 2) };
        let run = room.asking_of("local:boss", vec![named, owners]).await;
        room.says("slack:U1", approve(run)).await.unwrap();
        room.says("local:ito", approve(run)).await.unwrap();
        let yeses = room.audit(AuditFilter { action: Some("approve".to_owned()), ..AuditFilter::default() }).await;
        let details: Vec<_> = yeses.iter().rev().map(|record| record.detail.clone().expect("a detail")).collect();
        let granted: Vec<&str> = details.iter().filter_map(|detail| detail["granted"].as_str()).collect();
        assert!(
            granted[0].contains("(tidegate.toml:7)") && granted[0].contains("owners (tidegate.toml:9)"),
            "{granted:?}"
        );
        assert_eq!(granted[1], "owners (tidegate.toml:9)");
        for detail in &details {
            assert!(detail["digest"] == "d1" && detail["seen"].is_array(), "{detail}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_chat_turns_away_is_in_the_audit_with_who_that_is() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "discord:1").await;
        for rule in ["gone", "late", "edited", "deleted"] {
            let message = Message {
                key: format!("t{rule}"),
                actor: Actor::person(id("slack:U1"), "sato"),
                place: Place::shell(),
                typed: "up shop".to_owned(),
            };
            let refusal = Refusal::refused("it is not done", "nothing of it was done");
            let (command, name) = (Some(CommandName::Up), shop());
            room.desk.note_refused(&message, command, Some(&name), rule, &refusal).await.unwrap();
        }
        let kept = room.audit(AuditFilter { action: Some("up".to_owned()), ..AuditFilter::default() }).await;
        let rules: Vec<&str> = kept.iter().rev().filter_map(|record| record.rule.as_deref()).collect();
        assert_eq!(rules, ["gone", "late", "edited", "deleted"]);
        for record in &kept {
            assert_eq!(record.detail.as_ref().expect("a detail")["also"][0], "discord:1", "{record:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_entry_of_somebody_with_several_ids_is_told_once_on_every_page_and_in_every_file() {
    on_both(async |store| {
        let room = Room::new(store);
        room.link("slack:U1", "discord:1").await;
        room.link("slack:U1", "local:sato").await;
        for who in ["slack:U2", "discord:2", "slack:U1", "discord:1", "local:sato"].repeat(5) {
            room.says(who, Order::Cancel { run: None, force: false }).await.expect_err("nothing to cancel");
        }
        let everything = Sight { all: true, environments: Vec::new() };
        let everybody = room.audit(AuditFilter::default()).await;
        assert_eq!(everybody.len(), 20, "a page");
        for (by, count) in
            [("mori", 10), ("slack:U2", 10), ("2", 10), ("sato", 21), ("U1", 21), ("local:sato,sato", 21)]
        {
            let filter = |page| AuditFilter { page, by: Some(by.to_owned()), ..AuditFilter::default() };
            let mut told = Vec::new();
            for page in 1..4 {
                told.extend(
                    room.desk.audit(&filter(page), &everything).await.unwrap().records.iter().map(|one| one.seq),
                );
            }
            let mut once = told.clone();
            once.sort_by_key(|seq| std::cmp::Reverse(*seq));
            once.dedup();
            assert_eq!(told, once, "by {by}");
            assert_eq!(told.len(), count, "by {by}");
            let file = room.desk.audit_whole(&filter(1), &everything).await.unwrap();
            assert_eq!(file.len(), count, "by {by} as a file");
            // What the command line exports.
            let meant = room.desk.audit_filter(&filter(1), &everything).await.unwrap();
            let exported = crate::ledger::audit::each(&room.store, &meant, |_| Ok(())).await.unwrap();
            assert_eq!(exported, count as u64, "by {by} exported");
        }
    })
    .await;
}
