//! What holds after the configuration was read again: an environment whose roots do not check any more, one of which nothing can be
//! read, a role that somebody has lost. On a ledger of its own and without an engine.

use std::cell::Cell;
use std::sync::Arc;

use tokio::sync::watch;

use super::{Desk, DeskError, Message};
use crate::bell::Bell;
use crate::config::{self, Config, Problem};
use crate::domain::access::{self, Approvers, Want};
use crate::domain::answer::{Actor, Answer, RunSummary, Sight, Standing};
use crate::domain::audit::AuditFilter;
use crate::domain::command::{CommandName, HistoryFilter, Order, Query};
use crate::domain::holds::{About, HoldAnswer, HoldOrder};
use crate::domain::ids::{ActorId, EnvironmentName, RunNumber};
use crate::domain::policy::Place;
use crate::domain::run::{Outcome, Question, QuestionWhy, RunEvent, RunState};
use crate::domain::schedule::BendOrder;
use crate::domain::secret::{Origin, SecretSource};
use crate::ledger::tests::on_both;
use crate::ledger::{Store, inbox, runs};
use crate::problem::source::Source;

/// `boss` is admin everywhere, `ito` owns the shop with those named, `kato` looks.
fn read(owners: &str) -> Config {
    ruled(owners, "")
}

/// The same with rules that ask for a yes, each on a line of its own.
fn ruled(owners: &str, rules: &str) -> Config {
    let text = format!(
        "[access]\nadmin = ['local:boss']\nviewer = ['everyone']\n\
         [environments.shop]\nowners = ['local:ito', {owners}]\nup = 'full'\ndown = 'small'\n{rules}\n\
         [[environments.shop.stacks]]\nname = 'app'\nroot = 'app'\n\
         [environments.shop.profiles]\nfull.app.servers = 3\nsmall.app.servers = 1\n"
    );
    let config = config::parse(Source::new("/etc/tide/tidegate.toml", &text), &|_| None).unwrap();
    assert!(config.unmanaged.is_empty(), "{:?}", config.unmanaged);
    config
}

/// Rules of the shop: what each asks about, and what it wants.
fn rules(all: &[(&str, &str)]) -> Config {
    let rules: Vec<String> = all.iter().map(|(when, wants)| format!("{{ when = ['{when}'], {wants} }}")).collect();
    ruled("'local:sato'", &format!("approve = [{}]", rules.join(", ")))
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
        let want = Want {
            held: Vec::new(),
            by,
            people: Vec::new(),
            count,
            own: false,
            within_ms: None,
            alone_from: None,
            rule: None,
        };
        let expires = self.store.now().await.unwrap().plus_ms(600_000);
        let question = Question { wants: vec![want], ..Question::plain(QuestionWhy::Ruled, "d1".to_owned(), expires) };
        self.happens(&run, &[claimed(), RunEvent::Asked { question }]).await;
        run.number
    }

    /// A run that asks what the rules of its environment want of an `up`, as they are now.
    async fn asking_by_rules(&self) -> RunNumber {
        let run = self.queues("ito", "full").await;
        let (config, now) = (self.desk.config(), self.store.now().await.unwrap());
        let environment = config.environments.get(&shop()).unwrap();
        let about = access::About {
            command: CommandName::Up,
            environment,
            request: Some(&run.request),
            plan: None,
            another: true,
            now,
        };
        let rules = environment.rules.approvals.iter();
        let wants: Vec<Want> = rules.filter_map(|rule| rule.want(&config.access, &about)).collect();
        let expires = now.plus_ms(600_000);
        let question = Question { wants, ..Question::plain(QuestionWhy::Ruled, "d1".to_owned(), expires) };
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
        room.refuses("ito", Order::Hold(hold("satoo")), "`satoo` may change nothing in").await;
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
async fn what_goes_on_as_it_last_was_takes_no_yes_until_its_section_checks_again() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let run = room.asking(1).await;
        room.send_broken(read("'local:sato'"));
        room.refuses("sato", approve(run), "takes no yes now").await;
        assert!(room.question(run).await.yes.is_empty());
        room.config.send_replace(Arc::new(read("'local:sato'")));
        assert!(matches!(room.says("sato", approve(run)).await.unwrap(), Answer::Approved(_)));
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

const UP: &str = "command = up";
const OTHERS: &str = "environment of another owner";

/// Whose yes each want of the question wants, and how many of them.
fn wanted(question: &Question) -> Vec<String> {
    question.wants.iter().map(|want| format!("{} of {}", want.count, want.by)).collect()
}

fn said_to(question: &Question) -> Vec<String> {
    question.yes.iter().map(|yes| format!("{} {:?}", yes.by.short(), yes.wants)).collect()
}

#[tokio::test]
async fn an_open_question_wants_the_yes_of_those_whom_its_rule_names_now() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let now = |names: &str| room.config.send_replace(Arc::new(rules(&[(UP, &format!("by = [{names}]"))])));
        now("'local:kato'");
        let (run, other) = (room.asking_by_rules().await, room.asking_by_rules().await);
        now("'local:mori', 'local:mail'");
        assert_eq!(wanted(&room.question(run).await), ["1 of local:mori, local:mail"]);
        room.refuses("kato", approve(run), "it wants 1 yes of local:mori, local:mail").await;
        room.refuses("kato", Order::Reject { run }, "not yours").await;
        assert!(matches!(room.says("mail", approve(run)).await.unwrap(), Answer::Approved(_)));
        // What was wanted at the yes is what the run is held against before it applies.
        let approved = room.desk.show(run).await.unwrap().view.approved.unwrap();
        assert_eq!(approved.wants[0].by.to_string(), "local:mori, local:mail");
        assert!(matches!(room.says("mori", Order::Reject { run: other }).await.unwrap(), Answer::Rejected(_)));
    })
    .await;
}

#[tokio::test]
async fn how_many_are_wanted_and_whether_of_oneself_is_told_by_the_rule_as_it_is_now() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let now = |wants: &str| room.config.send_replace(Arc::new(rules(&[(UP, wants)])));
        now("by = 'owners', count = 2, self = true");
        let (run, enough) = (room.asking_by_rules().await, room.asking_by_rules().await);
        assert!(matches!(room.says("ito", approve(run)).await.unwrap(), Answer::Seconded(_)));
        assert!(matches!(room.says("sato", approve(enough)).await.unwrap(), Answer::Seconded(_)));
        now("by = 'owners', count = 2");
        let question = room.question(run).await;
        assert_eq!((said_to(&question).len(), question.lost.len()), (0, 1), "not of oneself any more");
        now("by = 'owners', count = 1");
        room.refuses("ito", approve(enough), "does not count").await;
        // One of two has become one of one: somebody whose yes counts says that it goes on.
        assert!(matches!(room.says("sato", approve(enough)).await.unwrap(), Answer::Approved(_)));
        now("by = 'owners', count = 3, self = true");
        assert!(matches!(room.says("sato", approve(run)).await.unwrap(), Answer::Seconded(_)));
        assert_eq!(wanted(&room.question(run).await), ["3 of owners"]);
    })
    .await;
}

#[tokio::test]
async fn a_yes_to_one_rule_never_counts_for_another_that_names_the_same_people_later() {
    on_both(async |store| {
        let room = Room::new(store, "'local:sato'");
        let now = |all: &[(&str, &str)]| room.config.send_replace(Arc::new(rules(all)));
        let (kato, mori) = ("by = ['local:kato']", "by = ['local:mori']");
        now(&[(UP, kato), (OTHERS, mori)]);
        let run = room.asking_by_rules().await;
        assert!(matches!(room.says("kato", approve(run)).await.unwrap(), Answer::Seconded(_)));
        // In another order, and of the same: each want follows its own rule.
        now(&[(OTHERS, kato), (UP, kato)]);
        let question = room.question(run).await;
        assert_eq!(wanted(&question), ["1 of local:kato", "1 of local:kato"]);
        assert_eq!(said_to(&question), ["kato [0]"]);
        now(&[(OTHERS, mori), (UP, mori)]);
        assert_eq!(said_to(&room.question(run).await), Vec::<String>::new());
        // Two that ask about the same are told apart by whom they ask; one that is gone stays as it was asked.
        now(&[(UP, kato), (UP, mori)]);
        let run = room.asking_by_rules().await;
        now(&[(UP, mori)]);
        assert_eq!(wanted(&room.question(run).await), ["1 of local:kato", "1 of local:mori"]);
        now(&[(UP, mori), (UP, "by = 'owners'")]);
        assert_eq!(wanted(&room.question(run).await), ["1 of owners", "1 of local:mori"]);
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
        // Also what stands beside runs: a hold, a schedule, what is booked.
        let why = |order: Order, because: &str| {
            let message = room.message("ito", "typed");
            let because = Some(because.to_owned());
            let desk = &room.desk;
            async move { desk.submit(&message, &order, because).await.unwrap() }
        };
        let until = store.now().await.unwrap().plus_ms(3_600_000);
        let hold = HoldOrder::Hold { environment: shop(), until, only: Vec::new() };
        why(Order::Hold(hold), "hunter2-very-long holds").await;
        room.happens(&run, &[claimed(), RunEvent::ended(Outcome::Failed)]).await;
        why(Order::Accept { run: run.number }, "hunter2-very-long stays").await;
        let key = "slack:m1";
        let claim = inbox::Claim { holder: "me", ms: 1_000, alone: true };
        let body = "hold shop because hunter2-very-long";
        let who = ActorId::local("ito");
        inbox::receive(store.door(), key, "slack", &who, body, "{\"keep\":\"hunter2-very-long\"}", claim)
            .await
            .unwrap();
        let secrets = crate::secrets::Secrets::default();
        let source = SecretSource { origin: Origin::File(file), expires_in_s: None };
        secrets.get(&source).await.unwrap();
        let desk = Desk::new(store.clone(), room.config.subscribe(), Bell::default()).with_secrets(secrets);
        assert!(desk.answer("slack", key, &[], false, None).await.unwrap());
        let replies = inbox::replies(&store, "slack", 9).await.unwrap();
        assert_eq!(replies, ["{\"keep\":\"[redacted]\"}"]);
        let inbox = crate::ledger::tests::texts(&store, "SELECT body FROM inbox WHERE door = 'slack'").await;
        assert_eq!(inbox, ["hold shop because [redacted]"]);
        let standing = desk.status(Some(&shop())).await.unwrap();
        let detail = desk.show(run.number).await.unwrap();
        let filter = AuditFilter { page: 1, ..AuditFilter::default() };
        let page = desk.audit(&filter, &everything()).await.unwrap();
        let history = HistoryFilter { page: 1, ..HistoryFilter::default() };
        let runs = desk.history(&history, &everything()).await.unwrap();
        let told = format!("{detail:?} {page:?} {runs:?} {standing:?}");
        assert!(told.contains("[redacted] holds") && told.contains("[redacted] stays"), "{told}");
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
