//! What holds after the configuration was read again: an environment whose roots do not check any more, one of which nothing can be
//! read, a role that somebody has lost. On a ledger of its own and without an engine.

use std::cell::Cell;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Desk, DeskError, Message};
use crate::bell::Bell;
use crate::config::{self, Config, Problem};
use crate::domain::access::{Approvers, Want};
use crate::domain::answer::{Actor, Answer, RunSummary, Sight, Standing};
use crate::domain::audit::AuditFilter;
use crate::domain::command::{HistoryFilter, Order, Query};
use crate::domain::holds::{About, HoldAnswer, HoldOrder};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber};
use crate::domain::policy::Place;
use crate::domain::run::{Outcome, Question, QuestionWhy, RunEvent, RunState};
use crate::domain::schedule::BendOrder;
use crate::domain::secret::{Origin, SecretSource};
use crate::ledger::tests::on_both;
use crate::ledger::{Store, runs};
use crate::problem::source::Source;

/// `boss` is admin everywhere, `ito` owns the shop with those named, `kato` looks.
fn read(owners: &str) -> Config {
    let text = format!(
        "[access]\nadmin = ['local:boss']\nviewer = ['everyone']\n\
         [environments.shop]\nowners = ['local:ito', {owners}]\nup = 'full'\ndown = 'small'\n\
         [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
         [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
    );
    config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap()
}

struct Room {
    desk: Desk,
    store: Store,
    config: watch::Sender<Arc<Config>>,
    messages: Cell<u32>,
}

impl Room {
    fn new(store: Store, owners: &str) -> Self {
        let (config, told) = watch::channel(Arc::new(read(owners)));
        Self { desk: Desk::new(store.clone(), told, Bell::default()), store, config, messages: Cell::new(0) }
    }

    /// As after a file of its root was saved half way, read by a process that never saw it whole.
    fn breaks_the_root(&self) {
        let mut config = read("'local:sato'");
        config.set_aside("shop");
        self.send_broken(config);
    }

    fn send_broken(&self, mut config: Config) {
        let problem = Problem::of_file("/etc/tide/app/main.tf", "a block is not closed").in_environment("shop");
        config.unmanaged.insert("shop".to_owned(), vec![problem]);
        self.config.send_replace(Arc::new(config));
    }

    fn message(&self, who: &str, typed: &str) -> Message {
        self.messages.set(self.messages.get() + 1);
        let actor = Actor::person(ActorId::local(who), who);
        Message { key: format!("m{}", self.messages.get()), actor, place: Place::shell(), typed: typed.to_owned() }
    }

    async fn says(&self, who: &str, order: Order) -> Result<Answer, DeskError> {
        self.desk.submit(&self.message(who, &format!("{order:?}")), &order, None).await
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

    async fn queues(&self, who: &str, level: &str) -> RunSummary {
        let (environment, level) = (shop(), Some(level.parse().unwrap()));
        match self.says(who, Order::Up { environment, level, settings: Vec::new(), newest_code: false }).await.unwrap()
        {
            Answer::Queued { run, .. } => run,
            other => panic!("{other:?}"),
        }
    }

    async fn happens(&self, run: &RunSummary, events: &[RunEvent]) {
        let mut tx = self.store.begin().await.unwrap();
        runs::append_many(&mut tx, run.id, events, None).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A run that asks owners for so many yeses.
    async fn asking(&self, count: u32) -> RunNumber {
        let run = self.queues("ito", "full").await;
        let by = Approvers::Owners;
        let want =
            Want { held: Vec::new(), by, people: Vec::new(), count, own: false, within_ms: None, alone_from: None };
        let expires = self.store.now().await.unwrap().plus_ms(600_000);
        let question = Question { wants: vec![want], ..Question::plain(QuestionWhy::Ruled, "d1".to_owned(), expires) };
        self.happens(&run, &[claimed(), RunEvent::Asked { question }]).await;
        run.number
    }

    async fn question(&self, run: RunNumber) -> Question {
        match self.desk.show(run).await.unwrap().view.state {
            RunState::AwaitingApproval { question, .. } => question,
            other => panic!("{other:?}"),
        }
    }

    /// What the audit has of this run, newest first: action, rule, result.
    async fn audited(&self, run: RunNumber) -> Vec<String> {
        let filter = AuditFilter { page: 1, environment: Some(shop()), ..AuditFilter::default() };
        let records = self.desk.audit(&filter, &everything()).await.unwrap().records;
        let of_it = records.into_iter().filter(|record| record.run == Some(run));
        let word = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        of_it.map(|record| format!("{} {} {}", record.action, word(record.rule), word(record.result))).collect()
    }
}

fn claimed() -> RunEvent {
    RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }
}

fn shop() -> EnvironmentName {
    "shop".parse().unwrap()
}

fn everything() -> Sight {
    Sight { all: true, environments: Vec::new() }
}

fn approve(run: RunNumber) -> Order {
    Order::Approve { run, code: None, alone: false }
}

fn cancel(run: RunNumber) -> Order {
    Order::Cancel { run: Some(run), force: false }
}

#[tokio::test]
async fn where_roots_do_not_check_everything_is_told_and_can_be_ended_and_nothing_begins() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let asking = room.asking(1).await;
        let running = room.queues("ito", "full").await;
        room.happens(&running, &[claimed()]).await;
        let waiting = room.queues("sato", "full").await;
        let until = room.store.now().await.unwrap().plus_ms(3_600_000);
        let hold = HoldOrder::Hold { environment: shop(), until, only: Vec::new() };
        room.says("sato", Order::Hold(hold)).await.unwrap();
        room.breaks_the_root();

        let all = room.desk.status(Some(&shop())).await.unwrap();
        let [Standing::Managed(status)] = all.as_slice() else { panic!("{all:?}") };
        assert!(!status.managed && status.problems.len() == 1 && status.holds.len() == 1);
        assert_eq!(status.running.as_ref().map(|(run, _)| run.number), Some(running.number));
        assert_eq!(status.waiting.len(), 2);
        let queues = room.desk.queue(Some(&shop()), &everything()).await.unwrap();
        assert_eq!(queues[0].running.as_ref().map(|(run, _)| run.number), Some(running.number));
        assert_eq!(queues[0].waiting[0].run.number, waiting.number);
        let sight =
            room.desk.may_ask(&room.message("kato", "queue"), &Query::Queue { environment: None }).await.unwrap();
        assert!(sight.sees("shop"));

        let up = || Order::Up { environment: shop(), level: None, settings: Vec::new(), newest_code: false };
        room.refuses("ito", up(), "does not check").await;
        room.refuses("sato", approve(asking), "does not check").await;
        room.refuses("kato", approve(asking), "not yours").await;
        room.refuses("kato", cancel(waiting.number), "not yours").await;
        let ask = HoldOrder::Ask { about: About::Environment(shop()), words: "until when?".to_owned() };
        room.says("sato", Order::Hold(ask)).await.unwrap();
        room.says("ito", Order::Hold(HoldOrder::Keep { environment: shop(), until })).await.unwrap();
        // Who is left in goes by the file, too.
        let hold = |who: &str| HoldOrder::Hold { environment: shop(), until, only: vec![who.to_owned()] };
        room.refuses("ito", Order::Hold(hold("satoo")), "`satoo` is known to nobody").await;
        room.refuses("ito", Order::Hold(hold("sato")), "is held already").await;
        let pause = BendOrder::Pause { environment: shop(), until };
        room.refuses("ito", Order::Bend(pause), "has no schedule").await;
        let leave = || Order::Hold(HoldOrder::Leave { run: Some(waiting.number) });
        room.refuses("ito", leave(), "not yours to take out of the queue").await;
        let unhold = HoldOrder::Unhold { environment: shop(), number: None };
        let lifted = room.says("sato", Order::Hold(unhold)).await.unwrap();
        assert!(matches!(lifted, Answer::Hold(HoldAnswer::Lifted { .. })), "{lifted:?}");
        let left = room.says("sato", leave()).await.unwrap();
        assert!(matches!(left, Answer::Hold(HoldAnswer::Left(_))), "{left:?}");
        assert!(matches!(room.says("ito", cancel(running.number)).await.unwrap(), Answer::Stopping { .. }));
        assert!(matches!(room.says("sato", Order::Reject { run: asking }).await.unwrap(), Answer::Rejected(_)));
    })
    .await;
}

#[tokio::test]
async fn where_nothing_of_an_environment_can_be_read_those_end_its_runs_who_may_everywhere() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let asking = room.asking(1).await;
        let running = room.queues("ito", "full").await;
        room.happens(&running, &[claimed()]).await;
        let mut config = read("'local:sato'");
        config.environments.clear();
        room.send_broken(config);

        let all = room.desk.status(Some(&shop())).await.unwrap();
        let [Standing::Unmanaged { runs, .. }] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!(runs.len(), 2);
        let queues = room.desk.queue(Some(&shop()), &everything()).await.unwrap();
        assert_eq!(queues[0].running.as_ref().map(|(run, _)| run.number), Some(running.number));
        room.refuses("ito", cancel(running.number), "boss").await;
        room.refuses("boss", approve(asking), "does not check").await;
        room.refuses("ito", Order::Reject { run: asking }, "boss").await;
        assert!(matches!(room.says("boss", cancel(running.number)).await.unwrap(), Answer::Stopping { .. }));
        assert!(matches!(room.says("boss", Order::Reject { run: asking }).await.unwrap(), Answer::Rejected(_)));
    })
    .await;
}

#[tokio::test]
async fn a_yes_counts_as_long_as_whoever_said_it_has_the_role() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato', 'local:mail', 'local:mori'");
        let run = room.asking(2).await;
        assert!(matches!(room.says("mail", approve(run)).await.unwrap(), Answer::Seconded(_)));
        assert_eq!(room.question(run).await.yes.len(), 1);
        room.config.send_replace(Arc::new(read("'local:sato', 'local:mori'")));

        let question = room.question(run).await;
        assert!(question.yes.is_empty(), "{question:?}");
        assert_eq!(question.lost.iter().map(|yes| yes.by.short()).collect::<Vec<_>>(), ["mail"]);
        let answer = room.says("sato", approve(run)).await.unwrap();
        assert!(matches!(answer, Answer::Seconded(_)), "one of two: {answer:?}");
        assert!(matches!(room.says("mori", approve(run)).await.unwrap(), Answer::Approved(_)));
        let approved = room.desk.show(run).await.unwrap().view.approved.unwrap();
        assert_eq!(approved.by.iter().map(ActorId::short).collect::<Vec<_>>(), ["sato", "mori"]);
    })
    .await;
}

#[tokio::test]
async fn who_can_say_yes_is_told_by_the_roles_as_they_are_now() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato', 'local:mail'");
        let run = room.asking(2).await;
        let people = |question: &Question| {
            let mut names: Vec<_> = question.wants[0].people.iter().map(|id| id.short().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(people(&room.question(run).await), ["boss", "ito", "mail", "sato"]);
        room.config.send_replace(Arc::new(read("'local:sato', 'local:mori'")));
        assert_eq!(people(&room.question(run).await), ["boss", "ito", "mori", "sato"]);
        room.refuses("mail", approve(run), "`local:mori`").await;
    })
    .await;
}

#[tokio::test]
async fn an_entry_that_is_still_to_come_has_all_before_it() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        room.asking(1).await;
        let before = |before: Option<i64>| AuditFilter { page: 1, before, ..AuditFilter::default() };
        let entries = async |seq| room.desk.audit(&before(seq), &everything()).await.unwrap().records.len();
        let all = entries(None).await;
        assert!(all > 0);
        assert_eq!((entries(Some(1)).await, entries(Some(9_999)).await), (0, all));
    })
    .await;
}

#[tokio::test]
async fn a_secret_in_a_reason_is_read_before_it_is_kept() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hunter2-very-long\n").unwrap();
        let told = read("'local:sato'").text().replace(
            "root = 'app'\n",
            &format!("root = 'app'\nenv = {{ TF_VAR_password = {{ file = '{}' }} }}\n", file.display()),
        );
        let room = Room::new(store, "'local:sato'");
        room.config
            .send_replace(Arc::new(config::parse(Source::new("/etc/tide/tidegate.toml", &told), &|_| None).unwrap()));
        let order = Order::Up {
            environment: shop(),
            level: Some("full".parse().unwrap()),
            settings: Vec::new(),
            newest_code: false,
        };
        let message = room.message("ito", "up shop full because it is hunter2-very-long");
        let because = Some("it is hunter2-very-long".to_owned());
        let Answer::Queued { run, .. } = room.desk.submit(&message, &order, because).await.unwrap() else {
            panic!("not queued")
        };
        assert_eq!(run.request.because.as_deref(), Some("it is [redacted]"));
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let all = room.desk.audit(&filter, &everything()).await.unwrap().records;
        assert!(!format!("{all:?}").contains("hunter2"), "{all:?}");
        let stored = crate::ledger::audit::recent(&room.store, None, 10).await.unwrap();
        assert!(!format!("{stored:?}").contains("hunter2"), "{stored:?}");
    })
    .await;
}

#[tokio::test]
async fn what_another_process_kept_with_a_secret_is_shown_without_it() {
    on_both(async |store| {
        let room = Room::new(store.clone(), "'local:sato'");
        let order = Order::Up {
            environment: shop(),
            level: Some("full".parse().unwrap()),
            settings: Vec::new(),
            newest_code: false,
        };
        let message = room.message("ito", "up shop full because hunter2-very-long");
        let because = Some("hunter2-very-long".to_owned());
        let Answer::Queued { run, .. } = room.desk.submit(&message, &order, because).await.unwrap() else {
            panic!("not queued")
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "hunter2-very-long").unwrap();
        let secrets = crate::secrets::Secrets::default();
        let source = SecretSource { origin: Origin::File(file), expires_in_s: None };
        secrets.get(&source).await.unwrap();
        let desk = Desk::new(store, room.config.subscribe(), Bell::default()).with_secrets(secrets);
        let detail = desk.show(run.number).await.unwrap();
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let page = desk.audit(&filter, &everything()).await.unwrap();
        let history = HistoryFilter { page: 1, ..HistoryFilter::default() };
        let runs = desk.history(&history, &everything()).await.unwrap();
        let told = format!("{detail:?} {page:?} {runs:?}");
        assert!(told.contains("[redacted]") && !told.contains("hunter2"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn a_rejected_run_is_told_as_rejected_and_a_refused_answer_names_its_run_and_rule() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let run = room.asking(1).await;
        let order = Order::Approve { run, code: Some("beef".to_owned()), alone: false };
        room.refuses("sato", order, "beef").await;
        room.says("sato", Order::Reject { run }).await.unwrap();
        room.refuses("sato", approve(run), "was rejected by `local:sato`").await;
        let told = room.desk.find(run).await.unwrap();
        assert_eq!(told.rejected_by, Some(ActorId::local("sato")));
        assert_eq!(told.state.outcome(), Some(Outcome::Cancelled));
        assert_eq!(
            room.audited(run).await,
            ["approve state -", "end - rejected", "reject - rejected", "approve state -", "up - queued"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_said_to_be() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let by = |who: &str| AuditFilter { page: 1, by: Some(who.to_owned()), ..AuditFilter::default() };
        let error = room.desk.audit(&by("ghost"), &everything()).await.expect_err("nobody");
        assert!(error.to_string().contains("nobody is called `ghost`"), "{error}");
        // An owner who has done nothing yet is somebody.
        assert!(room.desk.audit(&by("sato"), &everything()).await.unwrap().records.is_empty());
    })
    .await;
}
