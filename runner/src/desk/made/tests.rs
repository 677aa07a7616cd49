//! Environments for one test, on both databases and without an engine: the tests tell what an engine would have.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::*;
use crate::bell::Bell;
use crate::config::{self, MadeUp};
use crate::desk::Message;
use crate::desk::clock::{Due, Turned};
use crate::domain::answer::{Actor, RunSummary};
use crate::domain::audit::AuditFilter;
use crate::domain::drift::Stray;
use crate::domain::environment::Level;
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::holds::{HoldAnswer, HoldOrder, News};
use crate::domain::ids::{ActorId, RunNumber};
use crate::domain::made::LifeNews;
use crate::domain::policy::Place;
use crate::domain::request::{RunKind, Target};
use crate::domain::run::{Note, Outcome, Phase, RunEvent};
use crate::ledger::Store;
use crate::ledger::outbox::{self, Address};
use crate::ledger::tests::{on_both, sql};
use crate::problem::source::Source;
use crate::standing;

const CONFIG: &str = "[access]\nadmin = ['local:boss']\nviewer = ['everyone']\n\
    [environments.shop]\nowners = ['local:ito']\ndown = 'off'\nstacks = [{ name = 'app', root = 'shop' }]\nprofiles.full.app.servers = 3\n\
    [pools.vpc]\nranges = ['10.64.0.0/29']\nprefix = 30\n\
    [templates.loadtest]\nnames = 'lt-*'\nlife = '8h'\nlongest = '2d'\nat_once = 3\npool = 'vpc'\nkeep_at_end = ['results']\n\
    [templates.loadtest.environment]\ndown = 'off'\naccess = { operator = ['local:ito', 'local:mori'] }\n\
    stacks = [{ name = 'app', root = 'app', workspace = '{env}', variables = { cidr = '{range}' } }, { name = 'results', root = 'results', workspace = '{env}' }]\n\
    profiles.full.app.servers = 3\n\
    [templates.plain]\nat_once = 1\n[templates.plain.environment]\ndown = 'off'\nowners = ['local:ito']\n\
    stacks = [{ name = 'app', root = 'plain', workspace = '{env}' }]\nprofiles.full.app.servers = 3\n";

struct Room {
    desk: Desk,
    store: Store,
    files: Config,
    sender: watch::Sender<Arc<Config>>,
    messages: Cell<u32>,
}

impl Room {
    fn with(store: Store, text: &str) -> Self {
        let files = config::parse(Source::new("/etc/tidegate.toml", text), &|_| None).unwrap();
        assert!(files.unmanaged.is_empty(), "{:?}", files.unmanaged);
        let (sender, receiver) = watch::channel(Arc::new(files.clone()));
        Self { desk: Desk::new(store.clone(), receiver, Bell::default()), store, files, sender, messages: Cell::new(0) }
    }

    fn new(store: Store) -> Self {
        Self::with(store, CONFIG)
    }

    /// What a house does when something was made.
    async fn looks(&self) {
        let existing = made::existing(&self.store).await.unwrap();
        assert!(existing.broken.is_empty(), "{:?}", existing.broken);
        let made = MadeUp { all: existing.all, broken: Vec::new() };
        self.sender.send_replace(Arc::new(self.files.clone().with_made(made)));
    }

    async fn says(&self, who: &str, order: Order) -> Result<Answer, DeskError> {
        self.messages.set(self.messages.get() + 1);
        let message = Message {
            key: format!("m{}", self.messages.get()),
            actor: Actor::person(ActorId::local(who), who),
            place: Place::shell(),
            typed: format!("{order:?}"),
        };
        let answer = Box::pin(self.desk.submit(&message, &order, Some("負荷試験".to_owned()))).await;
        Box::pin(self.looks()).await;
        answer
    }

    async fn refuses(&self, who: &str, order: Order, words: &[&str]) {
        match Box::pin(self.says(who, order.clone())).await {
            Err(DeskError::Refused(refusal)) => {
                let refusal = format!("{refusal:?}");
                for words in words {
                    assert!(refusal.contains(words), "no `{words}` in {refusal}");
                }
            }
            other => panic!("{words:?} of {order:?}: {other:?}"),
        }
    }

    async fn makes(&self, who: &str, name: &str) -> RunSummary {
        match self.says(who, new(name, "loadtest")).await.unwrap() {
            Answer::Queued { run, .. } => run,
            other => panic!("{other:?}"),
        }
    }

    async fn ends(&self, run: RunNumber, outcome: Outcome) {
        let run = runs::by_number(&self.store, run).await.unwrap().unwrap();
        let mut events = vec![RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }];
        if outcome == Outcome::Succeeded {
            events.extend([RunEvent::ApplyBegan, RunEvent::VerifyBegan]);
        }
        events.push(RunEvent::ended(outcome));
        let mut tx = self.store.begin().await.unwrap();
        let environment = self.desk.environment(&run.request.environment);
        Box::pin(standing::append(&mut tx, &run, environment.as_ref(), &events, None)).await.unwrap();
        tx.commit().await.unwrap();
        Box::pin(self.looks()).await;
    }

    /// Somebody stops a run while it is planned.
    async fn breaks_off(&self, run: &RunSummary, by: ActorId) {
        let events = [
            RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 },
            RunEvent::StopAsked { by, force: false, because: None },
            RunEvent::ended(Outcome::Cancelled),
        ];
        let mut tx = self.store.begin().await.unwrap();
        let environment = self.desk.environment(&run.request.environment);
        Box::pin(standing::append(&mut tx, run, environment.as_ref(), &events, None)).await.unwrap();
        tx.commit().await.unwrap();
        Box::pin(self.looks()).await;
    }

    async fn goes_on(&self) {
        Box::pin(self.desk.advance_lives()).await.unwrap();
        Box::pin(self.looks()).await;
    }

    async fn row(&self, id: i64) -> Made {
        made::one(&self.store, id).await.unwrap().unwrap()
    }

    /// As if so many milliseconds had passed for it.
    async fn ages(&self, id: i64, ms: i64) {
        let age = format!(
            "UPDATE made SET made_at = made_at - {ms}, ends_at = ends_at - {ms}, latest_at = latest_at - {ms}, try_at = try_at - {ms} WHERE id = {id}"
        );
        sql(&self.store, &age).await.unwrap();
        Box::pin(self.looks()).await;
    }

    async fn told(&self, who: &str) -> Vec<LifeNews> {
        let pending = outbox::pending(&self.store, &Address::new("shell", who)).await.unwrap();
        let news = pending.iter().filter_map(|message| outbox::news(message).unwrap());
        news.filter_map(|news| match news {
            News::Life { said, .. } => Some(said),
            _ => None,
        })
        .collect()
    }
}

fn new(name: &str, template: &str) -> Order {
    let (name, template) = (name.parse().unwrap(), template.parse().unwrap());
    Order::Made(MadeOrder::New { name, template, until: None })
}

fn end(name: &str) -> Order {
    Order::Made(MadeOrder::End { name: name.parse().unwrap(), anyway: false })
}

fn extend(name: &str, hours: i64) -> Order {
    Order::Made(MadeOrder::Extend { name: name.parse().unwrap(), by_ms: hours * 3_600_000 })
}

/// As if a run had brought a stack of it somewhere.
async fn stands(room: &Room, stack: &str, run: RunNumber) {
    let row = format!(
        "INSERT INTO stacks (environment, stack, level, settings, run_number, at, in_doubt) VALUES ('lt-a', '{stack}', 'full', '{{}}', {run}, 1, FALSE)"
    );
    sql(&room.store, &row).await.unwrap();
    sql(&room.store, &format!("UPDATE runs SET changed = TRUE WHERE number = {run}")).await.unwrap();
}

#[tokio::test]
async fn under_a_test_that_runs_nothing_ends_by_time_or_word_and_that_is_told_once_and_has_its_end() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        let (running, odd) = (folder.path().join("running"), folder.path().join("odd"));
        let busy = format!(
            "workspace = '{{env}}', busy = [{{ command = ['test', '-e', '{}'], at_most = '2h' }}, \
             {{ command = ['sh', '-c', 'test ! -e {} && exit 1; exit 7'], at_most = '1h' }}], variables",
            running.display(),
            odd.display(),
        );
        let text = CONFIG.replace("workspace = '{env}', variables", &busy);
        let room = Room::with(store, &text);
        let run = room.makes("mori", "lt-a").await;
        std::fs::write(&running, "").unwrap();
        room.ends(run.number, Outcome::Succeeded).await;
        stands(&room, "app", run.number).await;
        room.goes_on().await;
        let words = ["does not end under a test", "says that a test runs", "end lt-a anyway because REASON"];
        room.refuses("mori", end("lt-a"), &words).await;
        room.refuses("boss", end("lt-a"), &words).await;

        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        room.goes_on().await;
        let waits = room.row(1).await;
        assert_eq!(waits.stage, Stage::Living);
        assert!(waits.told.as_ref().is_some_and(|told| told.starts_with("app: `test -e ")), "{waits:?}");
        assert!(waits.try_at.is_some_and(|at| at > waits.ends), "{waits:?}");
        room.ages(1, 60_000).await;
        room.goes_on().await;
        let told = room.told("mori").await;
        let busy = |told: &[LifeNews]| told.iter().filter(|said| matches!(said, LifeNews::Busy { .. })).count();
        assert_eq!(busy(&told), 1, "{told:?}");
        let Some(LifeNews::Busy { at_work, ends, .. }) = told.last() else { panic!("{told:?}") };
        assert_eq!(at_work.until.ms_since(*ends), 2 * 3_600_000);
        // Whoever extends it has all told again.
        room.says("mori", extend("lt-a", 3)).await.unwrap();
        assert_eq!(room.row(1).await.told, None);

        // No answer counts, too, but not for ever.
        std::fs::remove_file(&running).unwrap();
        std::fs::write(&odd, "").unwrap();
        room.refuses("mori", end("lt-a"), &["cannot be told", "exit status 7"]).await;
        // Half an hour after its end, of the hour that this counts.
        room.ages(1, 5 * 1_800_000).await;
        room.goes_on().await;
        assert_eq!((room.row(1).await.stage, busy(&room.told("mori").await)), (Stage::Living, 2));
        room.ages(1, 3_600_000).await;
        room.goes_on().await;
        assert_eq!(room.row(1).await.stage, Stage::Ending);
        let told = room.told("mori").await;
        assert!(matches!(told.last(), Some(LifeNews::Late { waited: Some(_), .. })), "{told:?}");
    })
    .await;
}

#[tokio::test]
async fn what_ends_late_is_told_and_anyway_ends_it_under_its_test() {
    on_both(async |store| {
        let busy = "workspace = '{env}', busy = [{ command = ['true'] }], variables";
        let room = Room::with(store, &CONFIG.replace("workspace = '{env}', variables", busy).replace("0/29", "0/28"));
        let run = room.makes("mori", "lt-a").await;
        room.ends(run.number, Outcome::Succeeded).await;
        stands(&room, "app", run.number).await;
        room.goes_on().await;
        let name: EnvironmentName = "lt-a".parse().unwrap();
        let anyway = Order::Made(MadeOrder::End { name: name.clone(), anyway: true });
        room.says("mori", anyway).await.unwrap();
        let row = room.row(1).await;
        assert_eq!((row.stage, row.anyway), (Stage::Ending, true));
        // What comes back lives by its own time again.
        let run = runs::by_number(&room.store, row.end_run.unwrap()).await.unwrap().unwrap();
        room.breaks_off(&run, ActorId::local("mori")).await;
        room.goes_on().await;
        let row = room.row(1).await;
        assert_eq!((row.stage, row.anyway), (Stage::Living, false));

        // Nothing was ever applied to this one: no test can run in it.
        let other = room.makes("mori", "lt-b").await;
        room.ages(2, 8 * 3_600_000 + 30_000).await;
        room.goes_on().await;
        assert!(room.row(2).await.stage == Stage::Ending && room.told("mori").await.is_empty());
        let third = room.makes("mori", "lt-c").await;
        assert!(third.number > other.number);
        room.ages(3, 11 * 3_600_000).await;
        room.goes_on().await;
        let told = room.told("mori").await;
        assert!(matches!(told.as_slice(), [LifeNews::Late { waited: None, .. }]), "{told:?}");
    })
    .await;
}

/// What a schedule of it wants.
fn scheduled(now: Timestamp) -> Due {
    Due {
        environment: "lt-a".parse().unwrap(),
        key: format!("hours@{}", now.0),
        at: now,
        until: now.plus_ms(60_000),
        window: now.plus_ms(60_000),
        wanted: Target { level: Level::Off, settings: BTreeMap::new() },
        rests: false,
        because: "hours begins".to_owned(),
        collapsed: 0,
        left_out: Vec::new(),
        tell: Vec::new(),
        held_back: None,
        by_chat: false,
        asked: None,
        unread: None,
    }
}

fn range_of(made: &Made) -> &str {
    made.range.as_ref().map_or("-", |(_, range)| range.as_str())
}

#[tokio::test]
async fn what_is_made_is_raised_is_its_makers_and_is_an_environment_like_another_until_nothing_is_left() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.makes("mori", "lt-a").await;
        assert_eq!((run.request.kind, run.request.environment.as_str()), (RunKind::Up, "lt-a"));
        let row = room.row(1).await;
        assert_eq!(
            (row.stage, range_of(&row), row.ends.ms_since(row.made)),
            (Stage::Making, "10.64.0.0/30", 8 * 3_600_000)
        );
        assert_eq!(row.because.as_deref(), Some("負荷試験"));
        let down = |name: &str| Order::Down { environment: name.parse().unwrap(), level: None, anyway: false };
        room.refuses("kato", down("lt-a"), &["is not yours to do"]).await;
        room.goes_on().await;
        assert_eq!(room.row(1).await.stage, Stage::Making);
        room.ends(run.number, Outcome::Succeeded).await;
        room.goes_on().await;
        assert_eq!(room.row(1).await.stage, Stage::Living);
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        let stacks: Vec<&str> = run.request.stacks.keys().map(crate::domain::ids::StackName::as_str).collect();
        assert_eq!(
            (run.request.kind, run.request.clears, run.request.asks, stacks),
            (RunKind::Destroy, true, false, vec!["app"])
        );
        room.refuses("mori", extend("lt-a", 1), &["too late", "being destroyed"]).await;
        room.refuses("mori", new("lt-a", "loadtest"), &["there is an environment of that name"]).await;
        room.ends(run.number, Outcome::Succeeded).await;
        let row = room.row(1).await;
        assert_eq!((row.stage, row.gone.is_some()), (Stage::Gone, true));
        room.goes_on().await;
        room.goes_on().await;
        let told = room.told("mori").await;
        assert!(
            matches!(told.as_slice(), [LifeNews::Deleted { kept, .. }] if kept[0].as_str() == "results"),
            "{told:?}"
        );
        assert!(!room.desk.config().environments.contains_key("lt-a"));
        // Name and range are free, and nothing of the first one counts for the second.
        let again = room.makes("ito", "lt-a").await;
        assert_eq!((again.request.before, range_of(&room.row(2).await)), (None, "10.64.0.0/30"));
        let gone = AuditFilter { action: Some("gone".to_owned()), ..AuditFilter::default() };
        let sight = Sight { all: true, environments: Vec::new() };
        assert_eq!(room.desk.audit(&gone, &sight).await.unwrap().records.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn names_numbers_ranges_spans_and_rights_are_refused_with_what_is_free() {
    on_both(async |store| {
        let room = Room::new(store);
        room.refuses(
            "mori",
            new("lt-a", "loadtst"),
            &["no template `loadtst`", "new lt-a from loadtest because 負荷試験"],
        )
        .await;
        let short = MadeOrder::New {
            name: "lt-a".parse().unwrap(),
            template: "loadtst".parse().unwrap(),
            until: Some(room.store.now().await.unwrap().plus_ms(9_000_000)),
        };
        let line = "new lt-a from loadtest for 2h30m because 負荷試験";
        room.refuses("mori", Order::Made(short), &[line]).await;
        room.refuses("mori", new("login", "loadtest"), &["like `lt-*`", "new lt-login from loadtest"]).await;
        room.refuses("mori", new("shop", "plain"), &["is not yours to do"]).await;
        room.refuses("ito", new("shop", "plain"), &["there is an environment of that name", "new shop-2 from plain"])
            .await;
        room.refuses("kato", new("lt-a", "loadtest"), &["`new lt-a from loadtest` is not yours to do", "list new"])
            .await;
        let now = room.store.now().await.unwrap();
        let until = Some(now.plus_ms(3 * 86_400_000));
        let long = MadeOrder::New { name: "lt-a".parse().unwrap(), template: "loadtest".parse().unwrap(), until };
        room.refuses(
            "mori",
            Order::Made(long),
            &["lives 2d at most", "new lt-a from loadtest for 2d because 負荷試験"],
        )
        .await;
        room.makes("mori", "lt-a").await;
        room.makes("mori", "lt-b").await;
        assert_eq!(range_of(&room.row(2).await), "10.64.0.4/30");
        room.refuses(
            "mori",
            new("lt-c", "loadtest"),
            &[
                "the pool vpc has no range left",
                "lt-a (mori, 10.64.0.0/30) until",
                "lt-b (mori, 10.64.0.4/30)",
                "end lt-a",
            ],
        )
        .await;
        room.says("ito", new("one", "plain")).await.unwrap();
        room.refuses("ito", new("two", "plain"), &["there may be 1 of plain", "one (ito) until", "end one"]).await;
        room.refuses("ito", extend("shop", 1), &["about what was made with `new`"]).await;
        room.refuses("ito", end("shop"), &["destroy shop"]).await;
        assert!(made::by_name(&room.store, &"lt-c".parse().unwrap()).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn many_that_are_made_at_one_moment_by_several_processes_share_no_range_and_no_name() {
    on_both(async |store| {
        let wide = CONFIG.replace("10.64.0.0/29", "10.64.0.0/27").replace("at_once = 3\n", "");
        let rooms: Vec<Room> = (0..4).map(|_| Room::with(store.clone(), &wide)).collect();
        let mut tasks = Vec::new();
        for (at, room) in rooms.iter().enumerate() {
            for number in 0..4 {
                let desk = room.desk.clone();
                // Two of them want the same name.
                let name = format!("lt-{}", if number == 0 { 0 } else { at * 4 + number });
                let message = Message {
                    key: format!("{at}-{number}"),
                    actor: Actor::person(ActorId::local("mori"), "mori"),
                    place: Place::shell(),
                    typed: String::new(),
                };
                tasks.push(tokio::spawn(
                    async move { desk.submit(&message, &new(&name, "loadtest"), None).await.is_ok() },
                ));
            }
        }
        let mut made_ = 0;
        for task in tasks {
            made_ += usize::from(task.await.unwrap());
        }
        // Eight ranges for thirteen names.
        let existing = made::existing(&store).await.unwrap();
        assert_eq!((made_, existing.all.len()), (8, 8));
        let ranges: std::collections::BTreeSet<&str> = existing.all.iter().map(range_of).collect();
        let names: std::collections::BTreeSet<&str> = existing.all.iter().map(|made| made.name.as_str()).collect();
        assert_eq!((ranges.len(), names.len()), (8, 8), "{ranges:?} {names:?}");
        // Not even a hand finds a way around it.
        let twice = "UPDATE made SET addresses = '10.64.0.0/30' WHERE gone_at IS NULL";
        sql(&store, twice).await.expect_err("one range is given once");
    })
    .await;
}

#[tokio::test]
async fn its_end_is_told_twice_and_comes_by_the_clock_which_tries_on_and_tells_each_hindrance_once() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.makes("mori", "lt-a").await;
        room.ends(run.number, Outcome::Succeeded).await;
        room.goes_on().await;
        assert!(room.told("mori").await.is_empty());
        room.ages(1, 7 * 3_600_000).await;
        room.goes_on().await;
        room.goes_on().await;
        assert!(matches!(room.told("mori").await.as_slice(), [LifeNews::Ahead { .. }]));
        // Extended, it is told again.
        room.says("mori", extend("lt-a", 2)).await.unwrap();
        assert_eq!(room.row(1).await.warned, 0);
        room.refuses("mori", extend("lt-a", 60), &["cannot live so long", "extend lt-a "]).await;
        room.ages(1, 2 * 3_600_000 + 50 * 60_000).await;
        room.goes_on().await;
        assert_eq!(room.told("mori").await.len(), 2);
        // Somebody holds it: it is waited for, and told once.
        let hold = HoldOrder::Hold {
            environment: "lt-a".parse().unwrap(),
            until: room.store.now().await.unwrap().plus_ms(3_600_000),
            only: Vec::new(),
        };
        room.says("mori", Order::Hold(hold)).await.unwrap();
        room.ages(1, 3_600_000).await;
        room.goes_on().await;
        let row = room.row(1).await;
        assert_eq!((row.stage, row.end_run, row.try_at.is_some()), (Stage::Ending, None, true));
        room.ages(1, 61_000).await;
        room.goes_on().await;
        let hindered = |told: &[LifeNews]| told.iter().filter(|said| matches!(said, LifeNews::Deleting { .. })).count();
        assert_eq!(hindered(&room.told("mori").await), 1, "{:?}", room.told("mori").await);
        let unhold = HoldOrder::Unhold { environment: "lt-a".parse().unwrap(), number: None };
        room.says("mori", Order::Hold(unhold)).await.unwrap();
        room.ages(1, 61_000).await;
        room.goes_on().await;
        let first = room.row(1).await.end_run.expect("a run");
        let run = runs::by_number(&room.store, first).await.unwrap().unwrap();
        assert_eq!(
            (run.asker.id.clone(), run.request.kind, run.request.asks),
            (ActorId::clock(), RunKind::Destroy, false)
        );
        room.goes_on().await;
        assert_eq!(room.row(1).await.end_run, Some(first), "one at a time");
        for tries in 1..=2 {
            let run = room.row(1).await.end_run.expect("a run");
            room.ends(run, Outcome::Failed).await;
            room.goes_on().await;
            let row = room.row(1).await;
            assert_eq!((row.stage, row.end_run, row.tries), (Stage::Ending, None, tries));
            assert_eq!(hindered(&room.told("mori").await), 2, "the same is told once");
            room.ages(1, 121_000).await;
            room.goes_on().await;
        }
        let run = room.row(1).await.end_run.expect("a third run");
        room.ends(run, Outcome::NothingToDo).await;
        assert_eq!(room.row(1).await.stage, Stage::Gone);
        room.goes_on().await;
        assert!(matches!(room.told("mori").await.last(), Some(LifeNews::Deleted { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_failed_end_is_tried_at_once_for_who_may_end_it_and_never_beside_another_try() {
    on_both(async |store| {
        let room = Room::new(store);
        let first = room.makes("mori", "lt-a").await;
        room.ends(first.number, Outcome::Succeeded).await;
        room.goes_on().await;
        let retry = |run: RunNumber| Order::Retry { run };
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        room.refuses("mori", retry(run.number), &["nothing to try again", "is not over"]).await;
        room.ends(run.number, Outcome::Failed).await;
        // Whether or not it was noted yet that it failed.
        let Answer::Queued { run: second, .. } = room.says("mori", retry(run.number)).await.unwrap() else {
            panic!("a run")
        };
        let row = room.row(1).await;
        assert_eq!((row.stage, row.end_run, row.tries), (Stage::Ending, Some(second.number), 2));
        assert_eq!((second.request.retry_of, second.request.clears), (Some(run.number), true));
        assert_eq!(second.request.stacks.len(), 1, "what is kept stays");
        // Its time is over: the clock goes on with it later, and whoever may does now.
        room.ends(second.number, Outcome::Failed).await;
        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        let row = room.row(1).await;
        assert_eq!((row.stage, row.end_run, row.try_at.is_some()), (Stage::Ending, None, true));
        room.refuses("kato", retry(second.number), &["is not yours to do"]).await;
        let Answer::Queued { run: third, .. } = room.says("mori", retry(second.number)).await.unwrap() else {
            panic!("a run")
        };
        room.refuses("mori", Order::Accept { run: second.number }, &["goes on until nothing of it is left"]).await;
        room.goes_on().await;
        assert_eq!(room.row(1).await.end_run, Some(third.number), "one at a time");
        room.ends(third.number, Outcome::Succeeded).await;
        assert_eq!(room.row(1).await.stage, Stage::Gone);
        room.refuses("boss", retry(second.number), &["nothing to try again", "is gone"]).await;
        // Another one of that name is not ended by it.
        room.makes("mori", "lt-a").await;
        room.refuses("mori", retry(second.number), &["is gone"]).await;
        // Nor one that lives on.
        let made = room.row(2).await;
        room.ends(made.run, Outcome::Succeeded).await;
        room.goes_on().await;
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        room.breaks_off(&run, ActorId::local("mori")).await;
        room.goes_on().await;
        room.refuses("mori", retry(run.number), &["lives on", "end lt-a"]).await;
    })
    .await;
}

#[tokio::test]
async fn what_carries_its_tags_and_stands_in_no_state_is_counted_as_left() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.makes("mori", "lt-a").await;
        room.ends(run.number, Outcome::Succeeded).await;
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        let plan = serde_json::json!({
            "exactness": "exact", "changes": [], "drift": [], "outputs_change": false, "destroy": true,
        });
        let stack: StackName = "app".parse().unwrap();
        let stray = |at: u32| Stray {
            arn: format!("arn:aws:ec2:::vpc/vpc-{at}"),
            kind: None,
            id: None,
            name: None,
            since: None,
            seen: None,
            stays: None,
        };
        let note = Note::Swept { strays: vec![stray(1), stray(2)], elsewhere: Vec::new(), doubt: None, unknown: None };
        let failure =
            Failure::new(FailureKind::Left, "2 left that no state of app knows: arn:aws:ec2:::vpc/vpc-1".to_owned());
        let events = [
            RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 },
            RunEvent::StackPlanned { stack: stack.clone(), plan: serde_json::from_value(plan).unwrap() },
            RunEvent::VerifyBegan,
            RunEvent::StackNoted { stack: stack.clone(), note },
            RunEvent::StackFailed { stack, phase: Phase::Verify, failure: Box::new(failure), applied: None },
            RunEvent::ended(Outcome::Failed),
        ];
        let mut tx = room.store.begin().await.unwrap();
        let environment = room.desk.environment(&run.request.environment);
        Box::pin(standing::append(&mut tx, &run, environment.as_ref(), &events, None)).await.unwrap();
        tx.commit().await.unwrap();
        // Its time is over: whatever began, the clock goes on with it.
        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        let told = room.told("mori").await;
        let Some(LifeNews::Deleting { left: Some(left), why, .. }) = told.last() else { panic!("{told:?}") };
        assert_eq!(left, &["app: arn:aws:ec2:::vpc/vpc-1", "app: arn:aws:ec2:::vpc/vpc-2"]);
        assert!(why.contains("2 left that no state of app knows"), "{why}");
    })
    .await;
}

#[tokio::test]
async fn a_run_that_works_is_waited_for_and_what_only_waits_is_cancelled() {
    on_both(async |store| {
        let room = Room::new(store);
        let first = room.makes("mori", "lt-a").await;
        let claimed = [RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 }, RunEvent::ApplyBegan];
        let mut tx = room.store.begin().await.unwrap();
        let environment = room.desk.environment(&first.request.environment);
        standing::append(&mut tx, &first, environment.as_ref(), &claimed, None).await.unwrap();
        tx.commit().await.unwrap();
        let plan =
            Order::Plan { environment: "lt-a".parse().unwrap(), level: None, settings: Vec::new(), newest_code: false };
        let Answer::Queued { run: waiting, .. } = room.says("mori", plan).await.unwrap() else { panic!("a run") };
        room.refuses("mori", end("lt-a"), &["has to wait", "nothing is destroyed under a run", "cancel 1"]).await;
        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        let waiting = runs::by_number(&room.store, waiting.number).await.unwrap().unwrap();
        assert_eq!(waiting.state.outcome(), Some(Outcome::Cancelled));
        let row = room.row(1).await;
        assert_eq!((row.stage, row.end_run), (Stage::Ending, None), "never under a run that works");
        let up =
            Order::Up { environment: "lt-a".parse().unwrap(), level: None, settings: Vec::new(), newest_code: false };
        room.refuses("mori", up, &["comes too late", "being destroyed"]).await;
        let now = room.store.now().await.unwrap();
        let turned = Box::pin(room.desk.turn(&[scheduled(now)], now)).await.unwrap();
        let [Turned::Refused(refusal)] = turned.as_slice() else { panic!("{turned:?}") };
        assert!(refusal.what.contains("comes too late"), "no more its schedules: {refusal:?}");
        let mut tx = room.store.begin().await.unwrap();
        let over = [RunEvent::VerifyBegan, RunEvent::ended(Outcome::Succeeded)];
        standing::append(&mut tx, &first, environment.as_ref(), &over, None).await.unwrap();
        tx.commit().await.unwrap();
        room.goes_on().await;
        assert!(room.row(1).await.end_run.is_some());
    })
    .await;
}

#[tokio::test]
async fn a_template_that_changed_is_told_and_taken_where_that_loses_no_state() {
    on_both(async |store| {
        let before = Room::new(store.clone());
        let run = Box::pin(before.makes("mori", "lt-a")).await;
        before.ends(run.number, Outcome::Succeeded).await;
        let changed = CONFIG.replace(
            "profiles.full.app.servers = 3\n[templates.plain]",
            "profiles.full.app.servers = 4\n[templates.plain]",
        );
        let after = Box::new(Room::with(store.clone(), &changed));
        after.messages.set(100);
        after.looks().await;
        let sight = Sight { all: true, environments: Vec::new() };
        let listed = after.desk.made(&sight).await.unwrap();
        assert!(listed[0].older && !before.desk.made(&sight).await.unwrap()[0].older);
        let renew = |take| Order::Made(MadeOrder::Renew { name: "lt-a".parse().unwrap(), take });
        let answer = after.says("mori", renew(false)).await.unwrap();
        let Answer::Made(MadeAnswer::Differs { lines, .. }) = answer else { panic!("{answer:?}") };
        assert_eq!(lines, ["- profiles.full.app.servers = 3", "+ profiles.full.app.servers = 4"]);
        assert!(after.desk.made(&sight).await.unwrap()[0].older, "it was only told");
        let answer = after.says("mori", renew(true)).await.unwrap();
        assert!(matches!(&answer, Answer::Queued { run, .. } if run.request.kind == RunKind::Plan), "{answer:?}");
        assert!(!after.desk.made(&sight).await.unwrap()[0].older);
        let environment = after.desk.environment(&"lt-a".parse().unwrap()).unwrap();
        assert_eq!(environment.profiles["full"]["app"]["servers"], 4);
        assert!(environment.owners.contains(&ActorId::local("mori")));
        // One that would forget what stands is not taken.
        let elsewhere = CONFIG.replace("root = 'app', workspace = '{env}'", "root = 'app', workspace = 'x-{env}'");
        let moved = Box::new(Room::with(store.clone(), &elsewhere));
        moved.messages.set(200);
        moved.looks().await;
        Box::pin(moved.refuses("mori", renew(true), &["in no state that it knows: app"])).await;
    })
    .await;
}

#[tokio::test]
async fn an_end_that_a_stop_of_tidegate_broke_off_goes_on_for_whoever_wanted_it_and_by_their_rights() {
    on_both(async |store| {
        let room = Room::new(store);
        let first = room.makes("mori", "lt-a").await;
        room.ends(first.number, Outcome::Succeeded).await;
        room.goes_on().await;
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        room.breaks_off(&run, ActorId::tidegate()).await;
        room.goes_on().await;
        let row = room.row(1).await;
        let again = runs::by_number(&room.store, row.end_run.expect("it goes on")).await.unwrap().unwrap();
        assert_eq!((row.stage, again.number > run.number), (Stage::Ending, true));
        assert_eq!((again.asker.id.clone(), again.answers_for().id), (ActorId::clock(), ActorId::local("mori")));
        assert_eq!((again.request.kind, again.request.clears), (RunKind::Destroy, true));
        assert_eq!(room.told("mori").await, [], "nothing stands in the way");
        // A second one in a row.
        room.breaks_off(&again, ActorId::tidegate()).await;
        room.goes_on().await;
        let third = runs::by_number(&room.store, room.row(1).await.end_run.unwrap()).await.unwrap().unwrap();
        assert_eq!(third.answers_for().id, ActorId::local("mori"));
        // Somebody who says that it is not to be has it back.
        room.breaks_off(&third, ActorId::local("ito")).await;
        room.goes_on().await;
        assert_eq!((room.row(1).await.stage, room.row(1).await.end_run), (Stage::Living, None));
        // Who has lost the right to it meanwhile wants in vain: its time ends it.
        let Answer::Queued { run, .. } = room.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        let gone = "UPDATE made SET ended_by = 'local:kato' WHERE id = 1";
        sql(&room.store, gone).await.unwrap();
        room.breaks_off(&run, ActorId::tidegate()).await;
        room.goes_on().await;
        let row = room.row(1).await;
        assert_eq!((row.stage, row.end_run, row.try_at.is_some()), (Stage::Ending, None, true));
        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        let last = runs::by_number(&room.store, room.row(1).await.end_run.unwrap()).await.unwrap().unwrap();
        assert_eq!(last.answers_for().id, ActorId::clock());
    })
    .await;
}

#[tokio::test]
async fn one_whose_role_is_taken_out_of_the_file_ends_all_the_same_by_time_and_by_its_owner() {
    on_both(async |store| {
        let role = CONFIG
            .replace("access = { operator = ['local:ito', 'local:mori'] }", "access = { tester = ['local:mori'] }");
        let role = role.replacen("[access]\n", "[access]\ntester = ['local:zed']\n", 1);
        let role = format!("{role}[roles.tester]\ncommands = ['new', 'up', 'status']\n");
        let before = Room::with(store.clone(), &role);
        for name in ["lt-a", "lt-b"] {
            let run = before.makes("mori", name).await;
            before.ends(run.number, Outcome::Succeeded).await;
        }
        let after = Box::new(Room::with(store.clone(), CONFIG));
        after.messages.set(100);
        after.looks().await;
        after.goes_on().await;
        let sight = Sight { all: true, environments: Vec::new() };
        assert!(after.desk.made(&sight).await.unwrap().iter().all(|listed| listed.broken.is_some()));
        let up =
            Order::Up { environment: "lt-a".parse().unwrap(), level: None, settings: Vec::new(), newest_code: false };
        after.refuses("mori", up, &["lt-a"]).await;
        after.refuses("kato", end("lt-a"), &["is not yours to do"]).await;
        let Answer::Queued { run, .. } = after.says("mori", end("lt-a")).await.unwrap() else { panic!("a run") };
        assert_eq!((run.request.kind, run.request.clears), (RunKind::Destroy, true));
        after.ages(2, 9 * 3_600_000).await;
        after.goes_on().await;
        let second =
            runs::by_number(&store, after.row(2).await.end_run.expect("its time is over")).await.unwrap().unwrap();
        assert_eq!((second.asker.id.clone(), second.request.kind), (ActorId::clock(), RunKind::Destroy));
        for run in [run.number, second.number] {
            after.ends(run, Outcome::Succeeded).await;
        }
        assert_eq!(made::existing(&store).await.unwrap().all, []);
    })
    .await;
}

#[tokio::test]
async fn what_is_made_tells_what_it_costs_where_that_is_known_and_lives_in_the_list_once_it_is_raised() {
    on_both(async |store| {
        let priced = CONFIG.replacen(
            "profiles.full.app.servers = 3\n[templates.plain]",
            "currency = 'USD'\nprofiles.full = { rate = 3.2, app = { servers = 3 } }\n[templates.plain]",
            1,
        );
        let room = Room::with(store, &priced);
        let Answer::Queued { run, cost: Some(cost), .. } = room.says("mori", new("lt-a", "loadtest")).await.unwrap()
        else {
            panic!("a run with its cost")
        };
        assert_eq!((cost.currency.as_str(), cost.an_hour, cost.for_ms), ("USD", 3.2, 8 * 3_600_000));
        assert!((cost.in_all() - 25.6).abs() < 1e-9);
        let other = room.says("ito", new("one", "plain")).await.unwrap();
        assert!(matches!(other, Answer::Queued { cost: None, .. }), "{other:?}");
        let sight = Sight { all: true, environments: Vec::new() };
        let stages = async |room: &Room| {
            room.desk.made(&sight).await.unwrap().iter().map(|listed| listed.made.stage).collect::<Vec<_>>()
        };
        assert_eq!(stages(&room).await, [Stage::Making, Stage::Making]);
        // No process brings lives further.
        room.ends(run.number, Outcome::Succeeded).await;
        assert_eq!((stages(&room).await, room.row(1).await.stage), (vec![Stage::Living, Stage::Making], Stage::Making));
    })
    .await;
}

#[tokio::test]
async fn an_up_and_an_end_in_two_processes_at_one_moment_never_both_have_it() {
    on_both(async |store| {
        let wide = CONFIG.replace("10.64.0.0/29", "10.64.0.0/24").replace("at_once = 3\n", "");
        let (one, other) = (Room::with(store.clone(), &wide), Room::with(store.clone(), &wide));
        other.messages.set(1_000);
        let (mut ended, mut raised) = (0, 0);
        for round in 0..10 {
            let name = format!("lt-{round}");
            let run = one.makes("mori", &name).await;
            one.ends(run.number, Outcome::Succeeded).await;
            other.looks().await;
            let up =
                Order::Up { environment: name.parse().unwrap(), level: None, settings: Vec::new(), newest_code: false };
            // Now the one begins first, now the other.
            let (end, up) = if round % 2 == 0 {
                tokio::join!(one.says("mori", end(&name)), other.says("ito", up))
            } else {
                let (up, end) = tokio::join!(other.says("ito", up), one.says("mori", end(&name)));
                (end, up)
            };
            let row = made::by_name(&store, &name.parse().unwrap()).await.unwrap().unwrap();
            let kinds: Vec<RunKind> =
                runs::active(&store, &row.name).await.unwrap().iter().map(|run| run.request.kind).collect();
            match (&end, &up) {
                (Ok(_), Err(DeskError::Refused(_))) => {
                    ended += 1;
                    assert_eq!((row.stage, kinds), (Stage::Ending, vec![RunKind::Destroy]));
                }
                (Err(DeskError::Refused(_)), Ok(_)) => {
                    raised += 1;
                    assert_ne!(row.stage, Stage::Ending);
                    assert_eq!((kinds, row.end_run), (vec![RunKind::Up], None));
                }
                both => panic!("{both:?}"),
            }
        }
        assert_eq!(ended + raised, 10);
    })
    .await;
}

#[tokio::test]
async fn a_secret_in_the_address_of_a_repository_reaches_no_answer_and_no_row() {
    const TOKEN: &str = "ghp-4711-s3cr3t-w0rd";
    on_both(async |store| {
        let plain = CONFIG.replacen(
            "root = 'app', workspace",
            "source = { git = 'https://git.example/roots.git', ref = 'main' }, workspace",
            1,
        );
        let bad = plain.replace("https://git.example", &format!("https://bot:{TOKEN}@git.example"));
        assert_ne!(plain, bad);
        let room = Room::with(store.clone(), &bad);
        let answer = room.says("mori", new("lt-a", "loadtest")).await;
        let Err(DeskError::Refused(refusal)) = answer else { panic!("{answer:?}") };
        assert!(refusal.why.contains("a secret stands in the template"), "{refusal:?}");
        assert!(!format!("{refusal:?}").contains(TOKEN));
        assert_eq!(made::existing(&store).await.unwrap().all, []);
        // One that was made before it came there: the difference is told without it, and is not taken.
        let before = Box::new(Room::with(store.clone(), &plain));
        before.messages.set(100);
        let run = before.makes("mori", "lt-b").await;
        before.ends(run.number, Outcome::Succeeded).await;
        let after = Box::new(Room::with(store.clone(), &bad));
        after.messages.set(200);
        after.looks().await;
        for take in [false, true] {
            let renew = Order::Made(MadeOrder::Renew { name: "lt-b".parse().unwrap(), take });
            let answer = format!("{:?}", after.says("mori", renew).await);
            assert!(!answer.contains(TOKEN), "{answer}");
        }
        let row = made::by_name(&store, &"lt-b".parse().unwrap()).await.unwrap().unwrap();
        assert!(!row.definition.contains(TOKEN));
        let sight = Sight { all: true, environments: Vec::new() };
        let audit = after.desk.audit_whole(&AuditFilter::default(), &sight).await.unwrap();
        assert!(audit.len() > 2 && !format!("{audit:?}").contains(TOKEN), "{audit:?}");
    })
    .await;
}

#[tokio::test]
async fn a_hold_that_goes_beyond_its_life_says_so_and_nothing_is_booked_after_its_end() {
    on_both(async |store| {
        let room = Room::new(store);
        let run = room.makes("mori", "lt-a").await;
        room.ends(run.number, Outcome::Succeeded).await;
        room.goes_on().await;
        let (row, name) = (room.row(1).await, || "lt-a".parse::<EnvironmentName>().unwrap());
        let hold = |until| Order::Hold(HoldOrder::Hold { environment: name(), until, only: Vec::new() });
        let carries = async |until| match room.says("mori", hold(until)).await.unwrap() {
            Answer::Hold(HoldAnswer::Began { carries, .. }) => {
                let lifted = Order::Hold(HoldOrder::Unhold { environment: name(), number: None });
                room.says("mori", lifted).await.unwrap();
                carries
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(carries(row.ends.plus_ms(-60_000)).await, None);
        assert_eq!(carries(row.latest.plus_ms(60_000)).await, Some((row.ends, row.latest)));

        let book = |from: Timestamp, until: Timestamp| {
            Order::Hold(HoldOrder::Book {
                environment: name(),
                level: Level::Profile("full".parse().unwrap()),
                settings: Vec::new(),
                from,
                until,
                only: Vec::new(),
            })
        };
        let hour = 3_600_000;
        let words = ["is deleted before that is over", "extend lt-a 61m", "book lt-a full"];
        room.refuses("mori", book(row.ends.plus_ms(-hour), row.ends.plus_ms(hour)), &words).await;
        let beyond = book(row.latest.plus_ms(-hour), row.latest.plus_ms(hour));
        room.refuses("mori", beyond, &["however often it is extended", "book lt-a full"]).await;
        let fits = book(row.ends.plus_ms(-2 * hour), row.ends.plus_ms(-hour));
        room.says("mori", fits).await.unwrap();
        // What is offered beside it lies before its end, too.
        let Err(DeskError::Refused(refusal)) =
            room.says("mori", book(row.ends.plus_ms(-2 * hour), row.ends.plus_ms(-hour / 2))).await
        else {
            panic!("it is booked then")
        };
        let lines: Vec<_> = refusal.hints.iter().filter(|hint| hint.starts_with("book ")).collect();
        assert_eq!(lines.len(), 1, "{refusal:?}");
    })
    .await;
}

#[tokio::test]
async fn what_its_template_keeps_from_being_destroyed_is_lifted_there_and_taken_while_it_is_deleting() {
    on_both(async |store| {
        let mut room = Room::new(store);
        let run = room.makes("mori", "lt-a").await;
        room.ends(run.number, Outcome::Succeeded).await;
        room.goes_on().await;
        room.ages(1, 9 * 3_600_000).await;
        room.goes_on().await;
        let ending = room.row(1).await;
        let run = ending.end_run.expect("it is being destroyed");
        let renew = |take| Order::Made(MadeOrder::Renew { name: "lt-a".parse().unwrap(), take });
        let text =
            CONFIG.replace("keep_at_end = ['results']", "keep_at_end = ['app']").replace("cidr = '{range}'", "a = 1");
        room.files = config::parse(Source::new("/etc/tidegate.toml", &text), &|_| None).unwrap();
        room.looks().await;
        room.refuses("mori", renew(true), &["has to wait", "destroys it by what it has"]).await;
        let found = runs::by_number(&room.store, run).await.unwrap().unwrap();
        let refusal = Refusal::refused("app.a would be lost", "`protect` names it").hint("renew lt-a take");
        let events = [
            RunEvent::Claimed { runner: "r1".to_owned(), attempt: 1 },
            RunEvent::Ended {
                outcome: Outcome::Refused,
                refusal: Some(refusal),
                rule: Some("protect".to_owned()),
                finding: None,
                left: BTreeMap::new(),
            },
        ];
        let mut tx = room.store.begin().await.unwrap();
        let environment = room.desk.environment(&found.request.environment);
        Box::pin(standing::append(&mut tx, &found, environment.as_ref(), &events, None)).await.unwrap();
        tx.commit().await.unwrap();
        room.goes_on().await;
        let told = room.told("mori").await;
        let Some(LifeNews::Deleting { next, .. }) = told.last() else { panic!("{told:?}") };
        assert_eq!(next, &["renew lt-a take"]);
        assert!(room.row(1).await.try_at.is_some());
        let taken = room.says("mori", renew(true)).await.unwrap();
        let Answer::Made(MadeAnswer::Renewed(made)) = taken else { panic!("{taken:?}") };
        assert_eq!((made.keep[0].as_str(), made.stage), ("app", Stage::Ending));
        room.goes_on().await;
        let row = room.row(1).await;
        let run = runs::by_number(&room.store, row.end_run.expect("it is tried at once")).await.unwrap().unwrap();
        let stacks: Vec<&str> = run.request.stacks.keys().map(StackName::as_str).collect();
        assert_eq!(stacks, ["results"], "by what it has now");
    })
    .await;
}

#[tokio::test]
async fn a_range_that_an_environment_of_the_files_has_is_given_to_none() {
    on_both(async |store| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("shop")).unwrap();
        let declared = "variable \"net\" {\n  default = [\"10.64.0.0/31\"]\n}\n";
        std::fs::write(folder.path().join("shop/main.tf"), declared).unwrap();
        let state = "{ \"version\": 4, \"resources\": [{ \"instances\": [{ \"attributes\": { \"cidr\": \"10.64.0.8/30\" } }] }] }";
        std::fs::write(folder.path().join("shop/terraform.tfstate"), state).unwrap();
        let text = CONFIG.replace("0/29", "0/28").replace(
            "{ name = 'app', root = 'shop' }",
            &format!("{{ name = 'app', root = '{}/shop', variables = {{ all = '10.0.0.0/8', own = '10.64.0.6/31' }} }}", folder.path().display()),
        );
        let room = Room::with(store, &text);
        room.makes("mori", "lt-a").await;
        assert_eq!(range_of(&room.row(1).await), "10.64.0.12/30");
        let words = ["has no range left", "shop of the files (10.64.0.0/31)", "(10.64.0.6/31)", "(10.64.0.8/30)"];
        room.refuses("mori", new("lt-b", "loadtest"), &words).await;
    })
    .await;
}
