//! Every message, as a terminal without colours shows it.

#[cfg(feature = "slack")]
mod clock;
#[cfg(all(feature = "slack", feature = "discord"))]
mod gallery;
mod holds;
mod hours;
mod link;
mod made;
mod next;
mod removal;
mod run;
mod scene;
mod schedule;
mod watch;

use insta::assert_snapshot;
use tidegate_runner::domain::answer::{
    Abilities, Actor, Answer, EnvironmentStatus, HistoryPage, LogExtract, LogPart, StackStanding, Standing, Verdict,
    Whoami, Why,
};
use tidegate_runner::domain::audit::{AuditFilter, AuditPage, Decision, Deed, Record, WhoDid};
use tidegate_runner::domain::command::{CommandName, HistoryFilter};
use tidegate_runner::domain::ids::{ActorId, RunNumber};
use tidegate_runner::domain::link::KnownAs;
use tidegate_runner::domain::refusal::Refusal;
use tidegate_runner::domain::run::{Outcome, Phase, QuestionWhy};
use tidegate_runner::domain::schedule::{Overdue, Turn};

use crate::cards::{self, Card};
use crate::chat::shell::render::{Style, render};
use scene::{Scene, clock, ito, level, name, stacks, target};

fn shown(card: &Card) -> String {
    // Every command offered is one that is understood.
    for command in &card.next {
        crate::commands::fixture::with_known(|known| {
            assert!(crate::commands::parse(command, known).is_ok(), "`{command}` is offered by {card:?}");
        });
    }
    written(card)
}

/// A card whose commands are looked at elsewhere.
pub(super) fn written(card: &Card) -> String {
    #[cfg(all(feature = "slack", feature = "discord"))]
    everywhere(card);
    render(card, &Style { color: false, width: 110, unicode: false })
}

/// Every word of a card is read in every chat, or in the file of what did not fit.
#[cfg(all(feature = "slack", feature = "discord"))]
fn everywhere(card: &Card) {
    use crate::cards::Span;
    use crate::chat::{Extras, discord, slack};

    let written = card.lines.iter().flat_map(|line| &line.spans).filter_map(|span| match span {
        Span::Text(text) | Span::Strong(text) | Span::Code(text) | Span::Column(text, _) | Span::Link { text, .. } => {
            Some(text.as_str())
        }
        Span::Bar { .. } => None,
    });
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric() || c == '\u{2cb}')
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let extras = Extras::default();
    for (chat, made) in [("Slack", slack::render(card, &extras)), ("Discord", discord::render(card, &extras))] {
        let shown: Vec<String> = made.blocks.iter().map(|block| block.to_string().replace("\\n", " ")).collect();
        let shown = format!("{} {}", shown.join(" "), made.left_out.join(" "));
        let read: std::collections::HashSet<String> = words(&shown).into_iter().collect();
        // What is longer than a block or a line has room for is cut there.
        if written.clone().map(str::len).sum::<usize>() > 2_000 {
            continue;
        }
        for text in std::iter::once(card.title.as_str()).chain(written.clone()).filter(|text| text.len() < 120) {
            for word in words(text) {
                assert!(read.contains(&word), "{chat} does not show `{word}` of {card:?}\n{shown}");
            }
        }
    }
}

#[test]
fn help() {
    let all = Abilities::default();
    assert_snapshot!("help", shown(&cards::help(&all)));
    let few = CommandName::ALL.into_iter().filter(|name| !name.only_reads()).map(|name| {
        let ask = "`local:ito` (owner, tidegate.toml:3)";
        (name, if name == CommandName::Recover { String::new() } else { ask.to_owned() })
    });
    let few = Abilities { not: few.collect() };
    let visitor =
        [cards::help(&few), cards::help_on(CommandName::Up, &few), cards::help_on(CommandName::Recover, &few)];
    assert_snapshot!("help_for_a_visitor", visitor.iter().map(shown).collect::<Vec<_>>().join("\n"));
    let all: Vec<String> = CommandName::ALL.into_iter().map(|name| shown(&cards::help_on(name, &all))).collect();
    assert_snapshot!("help_on", all.join("\n"));
}

#[test]
fn refusals_and_faults() {
    let refusal = Refusal::refused("`slaves=201` is not allowed", "`slaves` takes a whole number from 0 to 200")
        .hint("scale shop slaves=200");
    let all = [
        cards::refusal(&refusal),
        cards::refusal(&Refusal::not_understood("there is no command", "the message is empty").hint("help")),
        cards::fault("7f3a", None),
        cards::fault("7f3a", Some(RunNumber(5))),
        cards::no_logs("7f3a", "the logs in /srv/tidegate/logs/5 cannot be read: the disk has an error"),
        cards::no_ledger(
            "7f3a",
            "/srv/tide/ledger.db",
            "it is locked: another program is writing to it and did not finish in time",
            true,
        ),
        cards::no_ledger("7f3a", "/srv/tide/ledger.db", "its disk is full: nothing was stored", false),
    ];
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

fn entry(seq: i64, who: &str, action: &str) -> Record {
    Record {
        seq,
        at: clock().now.plus_ms(-60_000 * (50 - seq)),
        actor: Actor::person(ActorId::local(who), who),
        door: "shell".to_owned(),
        place: None,
        action: action.to_owned(),
        environment: Some("shop".to_owned()),
        run: None,
        typed: None,
        because: None,
        decision: Decision::Allowed,
        rule: None,
        result: None,
        detail: None,
    }
}

fn tidegate(seq: i64, action: &str) -> Record {
    Record { actor: Actor::tidegate(), door: "tidegate".to_owned(), ..entry(seq, "tidegate", action) }
}

#[test]
fn audit() {
    let typed = |seq: i64, who: &str, action: &str, words: &str| Record {
        typed: Some(words.to_owned()),
        ..entry(seq, who, action)
    };
    let of = |text: &str| Some(text.to_owned());
    let difference = serde_json::json!({ "difference": "@@ -1,2 +1,3 @@\n a = 1\n-b = 2\n+b = 3\n+c = 4\n" });
    let records = vec![
        Record { environment: None, ..tidegate(48, "stop") },
        Record {
            environment: None,
            detail: Some(serde_json::json!({ "entries": 1200 })),
            ..entry(47, "root", "prune")
        },
        Record { run: Some(RunNumber(3)), result: of("failed"), ..tidegate(46, "end") },
        Record { run: Some(RunNumber(3)), result: of("unknown"), ..tidegate(45, "lose") },
        Record {
            run: Some(RunNumber(3)),
            place: of("#load-test"),
            result: of("approved"),
            ..typed(44, "sato", "approve", "approve 3 because checked")
        },
        Record {
            run: Some(RunNumber(3)),
            decision: Decision::NeedsApproval,
            rule: of("previewed"),
            ..tidegate(43, "ask")
        },
        Record {
            run: Some(RunNumber(3)),
            result: of("queued"),
            because: of("the project\nhas ended"),
            ..typed(42, "ito", "destroy", "destroy shop because the project\nhas ended")
        },
        Record { decision: Decision::Refused, rule: of("owners"), ..typed(41, "kato", "up", "up shop") },
        Record { environment: None, decision: Decision::NotUnderstood, ..typed(40, "kato", "message", "upp shop") },
        Record { environment: None, detail: Some(difference), ..tidegate(39, "configure") },
        Record { environment: None, ..tidegate(9, "start") },
    ];
    let filter = AuditFilter { page: 1, ..AuditFilter::default() };
    let words = AuditFilter { words: vec!["black friday".to_owned()], failed: true, ..filter.clone() };
    let changes = AuditFilter { action: Some("configure".to_owned()), ..filter.clone() };
    let page =
        |records: &[Record], older, looked| AuditPage { records: records.to_vec(), older, looked, exported: None };
    let all = [
        cards::audit(&page(&records, Some(9), None), &filter, &clock()),
        cards::audit(&page(&records[..1], None, None), &filter, &clock()),
        cards::audit(&page(&[], Some(7), Some((20_000, clock().now.plus_ms(-86_400_000)))), &words, &clock()),
        cards::audit(&page(&[], None, None), &filter, &clock()),
        cards::audit(&page(&records[records.len() - 2..records.len() - 1], None, None), &changes, &clock()),
    ];
    assert_snapshot!("audit", all.iter().map(shown).collect::<Vec<_>>().join("\n"));

    let found = |deed, found: Option<_>| {
        let agreed = if deed == Deed::Stopped { vec!["sato".to_owned()] } else { Vec::new() };
        cards::who(
            &WhoDid { deed, environment: "shop".parse().expect("a name"), found, agreed, exported: None },
            &clock(),
        )
    };
    let down =
        Scene::of("down shop because the test is over").numbered(3).claimed().ends(Outcome::NothingToDo).summary();
    let told = Record {
        run: Some(RunNumber(3)),
        because: of("the test is over"),
        place: of("#load-test"),
        ..typed(42, "ito", "down", "down shop because the test is over")
    };
    let plain = Record { because: of("the test begins"), place: None, ..typed(43, "mori", "up", "up shop") };
    let all = [
        found(Deed::Stopped, Some((told, down))),
        found(Deed::Raised, Some((plain, Scene::of("up shop").numbered(4).summary()))),
        found(Deed::Changed, None),
    ];
    assert_snapshot!("who", all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn whoami() {
    let role = |environment: &str, roles: &[&str]| {
        (environment.parse().expect("a name"), roles.iter().map(|&role| role.to_owned()).collect())
    };
    let whoami = |holds, here: Option<&str>, ask: &str| Whoami {
        actor: ito(),
        known_as: KnownAs::default(),
        holds,
        here: here.map(str::to_owned),
        ask: ask.to_owned(),
    };
    let owner = "owner (tidegate.toml:3)";
    let fake = Actor::person(ActorId::local("ｉto"), "ｉto");
    let all = [
        whoami(vec![role("shop", &[owner]), role("blog", &[owner]), role("zoo", &[])], None, "`local:ito` (owner)"),
        whoami(vec![role("shop", &[])], Some("nobody is more than viewer in this channel (tidegate.toml:9)"), ""),
        Whoami { actor: fake, ..whoami(vec![role("shop", &[])], None, "`local:ito` (owner)") },
        Whoami {
            known_as: KnownAs { person: Some(link::sato()), links: vec![ActorId::local("sato")] },
            ..whoami(vec![role("shop", &[])], None, "")
        },
    ]
    .map(|whoami| cards::whoami(&whoami));
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn why() {
    let refusal = Refusal::refused("`down shop` is not yours to do", "you are `local:kato`; ask `local:ito` (owner)")
        .hint("why can't I down shop")
        .hint("status shop");
    let small = Refusal::refused("shop is at full already", "`down` lowers").hint("down shop small");
    let verdict = |environment: &str, refused: Option<&Refusal>, asks: &[&str]| Verdict {
        environment: Some(environment.parse().expect("a name")),
        refused: refused.cloned(),
        only_now: false,
        by: refused.map_or_else(|| vec!["owner (tidegate.toml:3)".to_owned()], |_| Vec::new()),
        asks: asks.iter().map(|&text| text.to_owned()).collect(),
        plan: Vec::new(),
    };
    let why = |itself, verdicts| Why { who: ito(), itself, command: CommandName::Down, run: None, verdicts };
    let asks = "asks 1 yes of owners when deletes > 5 (tidegate.toml:31)";
    let all = [
        why(true, vec![verdict("shop", Some(&refusal), &[])]),
        why(true, vec![verdict("shop", None, &[asks])]),
        why(false, vec![verdict("shop", None, &[])]),
        why(false, vec![verdict("shop", None, &[asks]), verdict("blog", Some(&refusal), &[])]),
        why(true, vec![Verdict { only_now: true, ..verdict("shop", Some(&small), &[]) }]),
        Why { command: CommandName::Help, ..why(true, vec![Verdict { by: Vec::new(), ..verdict("shop", None, &[]) }]) },
    ];
    assert_snapshot!(all.iter().map(|why| shown(&cards::why(why))).collect::<Vec<_>>().join("\n"));
}

#[test]
fn answers() {
    let queued = |run: &Scene, ahead: Vec<&Scene>, starts_in_ms| Answer::Queued {
        run: run.summary(),
        ahead: ahead.into_iter().map(Scene::summary).collect(),
        last_time_ms: run.detail().last_time_ms,
        starts_in_ms,
        holds: Vec::new(),
        freed: Vec::new(),
        until: None,
        then: None,
        ends: None,
        cost: None,
    };
    let end = scene::START.plus_ms(10_800_000);
    let until = |run: &Scene, said: bool, then: Option<&str>| match queued(run, vec![], None) {
        Answer::Queued { mut run, ahead, last_time_ms, starts_in_ms, holds, freed, .. } => Answer::Queued {
            run: {
                run.request.until = said.then_some(end);
                run
            },
            ahead,
            last_time_ms,
            starts_in_ms,
            holds,
            freed,
            until: Some(end),
            then: then.map(target),
            ends: None,
            cost: None,
        },
        other => other,
    };
    let up = Scene::of("up shop because Black Friday");
    let working = Scene::of("up shop").numbered(3).by("sato").claimed();
    let lost = Scene::of("up shop").numbered(3).planned().then(tidegate_runner::domain::run::RunEvent::ApplyBegan);
    let lost = lost.starts("app", Phase::Apply).then(tidegate_runner::domain::run::RunEvent::LostTrack {
        stack: name("app"),
        finding: "the runner died".to_owned(),
        others: Vec::new(),
    });
    let asking = Scene::of("destroy shop").numbered(3).planned().asks(QuestionWhy::Previewed);
    let many: Vec<Scene> = (1..=5).map(|n| Scene::of("plan shop").numbered(n)).collect();
    let all = vec![
        queued(&up, vec![], None),
        queued(&Scene::of("up shop slaves=50").first_time(), vec![&working], Some(30_000)),
        queued(&up, many.iter().collect(), None),
        queued(&up, vec![&lost], None),
        queued(&up, vec![&asking], None),
        queued(&Scene::of("plan shop full"), vec![], None),
        queued(&Scene::of("destroy shop"), vec![], None),
        queued(&Scene::of("scale shop slaves+=10"), vec![], None),
        queued(&Scene::of("down shop off"), vec![], None),
        until(&up, false, Some("small")),
        until(&up, false, Some("full")),
        until(&up, false, None),
        until(&up, true, Some("small")),
        until(&up, true, None),
        Answer::Cancelled(Scene::of("up shop").stop(false).summary()),
        Answer::Cancelled(asking.stop(false).summary()),
        Answer::Stopping { run: working.summary(), force: false },
        Answer::Stopping { run: working.summary(), force: true },
        Answer::Approved(up.summary()),
        Answer::Rejected(up.summary()),
        Answer::Taken(up.summary()),
        Answer::Recovering(lost.summary()),
    ];
    assert_snapshot!(all.iter().map(|a| shown(&cards::answer(a, &clock()))).collect::<Vec<_>>().join("\n"));
}

fn managed() -> EnvironmentStatus {
    let stands = |at: &str, run: i64, in_doubt: bool| StackStanding {
        level: Some(level(at)),
        settings: Vec::new(),
        run: Some(RunNumber(run)),
        at: Some(clock().now.plus_ms(-3_600_000)),
        in_doubt,
        older_state: false,
    };
    EnvironmentStatus {
        name: "shop".parse().expect("a name"),
        about: Some("Production-sized shop for load tests".to_owned()),
        owners: vec![ActorId::local("ito"), ActorId::local("sato")],
        levels: vec![level("small"), level("full")],
        wanted: Some(target("full")),
        stacks: stacks([
            ("monitoring", stands("full", 3, false)),
            ("app", stands("full", 3, false)),
            ("jmeter", stands("full", 3, false)),
        ]),
        settings: vec![
            ("slaves".parse().expect("a name"), Some(tidegate_runner::domain::environment::SettingValue::Number(40))),
            ("servers".parse().expect("a name"), None),
        ],
        running: None,
        waiting: Vec::new(),
        last: Some(Scene::of("up shop").numbered(3).claimed().after(50).ends(Outcome::NothingToDo).summary()),
        change: None,
        said: None,
        down: level("small"),
        scheduled: true,
        departed: Vec::new(),
        problems: Vec::new(),
        managed: true,
        unread: Vec::new(),
        lost: Vec::new(),
        lost_ended: Vec::new(),
        besides: Vec::new(),
        holds: Vec::new(),
        bookings: Vec::new(),
        locks: Vec::new(),
        paused: None,
        asked: None,
        visit: None,
        next: None,
        overdue: None,
        made: None,
    }
}

#[test]
fn status_and_envs() {
    let steady = managed();
    let mut working = managed();
    let scene = Scene::of("up shop slaves=50").planned().then(tidegate_runner::domain::run::RunEvent::ApplyBegan);
    let scene = scene.starts("app", Phase::Apply);
    let nine =
        || vec![("slaves".parse().expect("a name"), tidegate_runner::domain::environment::SettingValue::Number(9))];
    working.stacks[1].in_doubt = true;
    working.stacks[1].settings = nine();
    working.running = Some((scene.summary(), Some(Box::new(scene.detail().view))));
    working.waiting = vec![
        Scene::of("down shop").numbered(6).by("sato").summary(),
        Scene::of("destroy shop").numbered(7).planned().asks(QuestionWhy::Previewed).summary(),
    ];
    let mut doubt = managed();
    doubt.stacks[2].in_doubt = true;
    doubt.stacks[2].settings = nine();
    doubt.last = Some(Scene::of("up shop").numbered(3).claimed().after(50).ends(Outcome::Failed).summary());
    let mut left = managed();
    left.stacks[2].in_doubt = true;
    left.change = Some(Scene::of("up shop").numbered(2).claimed().after(50).ends(Outcome::Failed).summary());
    left.last = Some(Scene::of("down shop").numbered(3).ends(Outcome::Cancelled).summary());
    let mut put_back = managed();
    put_back.stacks[2].in_doubt = true;
    put_back.stacks[2].older_state = true;
    // Of nobody's wish nothing is known but that it is in doubt.
    put_back.settings[0].1 = None;
    put_back.stacks[2].settings = nine();
    let mut between = managed();
    between.stacks[2].level = Some(level("small"));
    between.stacks[2].settings = nine();
    let mut never = managed();
    never.wanted = None;
    never.last = None;
    for stack in never.stacks.values_mut() {
        *stack = StackStanding {
            level: None,
            settings: Vec::new(),
            run: None,
            at: None,
            in_doubt: false,
            older_state: false,
        };
    }
    let unmanaged = Standing::Unmanaged {
        name: "attic".to_owned(),
        problems: vec!["tidegate.toml:12:8: unknown key `stak`, did you mean `stack`?".to_owned()],
        runs: vec![Scene::of("up shop").numbered(7).claimed().after(5).summary()],
    };
    let mut all: Vec<Standing> = vec![steady, working, doubt, left, put_back, between, never]
        .into_iter()
        .map(|status| Standing::Managed(Box::new(status)))
        .collect();
    all.push(unmanaged);
    let mut misread = managed();
    misread.problems.push("tidegate.toml:14:7: `max` must be at least 0".to_owned());
    all.push(Standing::Managed(Box::new(misread.clone())));
    misread.managed = false;
    misread.waiting.push(Scene::of("down shop off").numbered(6).by("mori").summary());
    all.push(Standing::Managed(Box::new(misread)));
    let mut unread = managed();
    unread
        .unread
        .push("hold 7: holds.until_at is no time: nothing is changed until an admin says `unhold shop 7`".to_owned());
    unread.besides.push("the schedule `night` is left out: the level `big` is not there any more".to_owned());
    all.push(Standing::Managed(Box::new(unread)));
    let mut lost_a_stack = managed();
    lost_a_stack.departed.extend(lost_a_stack.stacks.shift_remove_entry("jmeter"));
    all.push(Standing::Managed(Box::new(lost_a_stack)));
    let gone = || "attic".parse().expect("a name");
    all.push(Standing::Departed { name: gone(), wanted: Some(target("full")), runs: Vec::new(), made: None });
    all.push(Standing::Departed { name: gone(), wanted: None, runs: Vec::new(), made: None });
    let one: Vec<String> = all.iter().map(|s| shown(&cards::status(std::slice::from_ref(s), &clock()))).collect();
    assert_snapshot!("status", one.join("\n"));
    assert_snapshot!("envs", shown(&cards::envs(&all, &clock())));
    assert_snapshot!("envs_none", shown(&cards::envs(&[], &clock())));
}

#[test]
fn status_names_runs_that_cannot_be_read_of_one_environment_and_of_several() {
    let under_way = "run 9: the row 9 of `runs` has an impossible `state`: no JSON";
    let over = "run 4: the row 4 of `runs` has an impossible `request`: no JSON";
    let told = |change: &dyn Fn(&mut EnvironmentStatus)| {
        let mut broken = managed();
        change(&mut broken);
        let all = [broken, managed()].map(|status| Standing::Managed(Box::new(status)));
        let words = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        (words(shown(&cards::status(&all[..1], &clock()))), words(shown(&cards::status(&all, &clock()))))
    };
    let (one, several) = told(&|status| status.lost.push(under_way.to_owned()));
    assert!(one.contains("NOT ALL OF ITS RUNS CAN BE READ") && one.contains("nothing is begun until"), "{one}");
    assert!(one.contains("run 9: the row 9 of") && !one.contains("THAT IS OVER"), "{one}");
    assert_eq!(several.matches("NOT ALL OF ITS RUNS CAN BE READ").count(), 1, "{several}");
    let (one, several) = told(&|status| status.lost_ended.push(over.to_owned()));
    assert!(one.contains("A RUN THAT IS OVER CANNOT BE READ") && one.contains("run 4: the row 4 of"), "{one}");
    assert!(!one.contains("nothing is begun") && !one.contains("NOT ALL OF"), "{one}");
    assert_eq!(several.matches("A RUN THAT IS OVER CANNOT BE READ").count(), 1, "{several}");
}

#[test]
fn a_run_that_has_the_environment_and_whose_events_cannot_be_read_does_not_wait() {
    let mut status = managed();
    let scene = Scene::of("up shop slaves=50").planned().then(tidegate_runner::domain::run::RunEvent::ApplyBegan);
    status.running = Some((scene.starts("app", Phase::Apply).summary(), None));
    status.stacks[1].in_doubt = true;
    status.lost.push("the row 5/3 of `run_events` has an impossible `event`: no JSON".to_owned());
    let all = [status, managed()].map(|status| Standing::Managed(Box::new(status)));
    let one = shown(&cards::status(&all[..1], &clock()));
    assert!(one.contains("now: run ") && one.contains("being changed") && !one.contains("IN DOUBT"), "{one}");
    let several = shown(&cards::status(&all, &clock()));
    assert!(several.contains("applying") && !several.contains("waiting"), "{several}");
}

#[test]
fn handover_tells_exceptions_only() {
    let bad = Standing::Unmanaged {
        name: "attic".to_owned(),
        problems: vec!["teams/rpg.toml:3: no TOML".to_owned()],
        runs: Vec::new(),
    };
    let text = shown(&cards::handover(&[Standing::Managed(Box::new(managed())), bad], &clock()));
    assert!(text.contains("NOT MANAGED: teams/rpg.toml:3"), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn handover_tells_of_the_last_change_and_of_what_nothing_lowers() {
    let told = |change: &dyn Fn(&mut EnvironmentStatus)| {
        let mut status = managed();
        change(&mut status);
        shown(&cards::handover(&[Standing::Managed(Box::new(status))], &clock()))
    };
    let up = || Scene::of("up shop").numbered(3).claimed().after(50);
    let looked = Scene::of("plan shop").numbered(4).claimed().after(5).ends(Outcome::Planned).summary();
    // A look after it changes nothing of how the last change ended.
    let text = told(&|status| {
        status.change = Some(up().ends(Outcome::Failed).summary());
        status.last = Some(looked.clone());
    });
    assert!(text.contains("run 3 FAILED"), "{text}");
    let text = told(&|status| {
        let mut said = up().ends(Outcome::NothingToDo).summary();
        said.request.until = Some(clock().now.plus_ms(1_800_000));
        status.said = Some(said);
        status.last = Some(looked.clone());
        status.scheduled = false;
        // Somebody keeps it for longer: it is the minute that `next` tells.
        status.next = Some(Turn::new(clock().now.plus_ms(2_700_000), chrono_tz::Tz::Asia__Tokyo, target("small")));
    });
    assert!(text.contains("goes to small Fri 2026-11-20 12:45 +09:00 Asia/Tokyo"), "{text}");
    assert!(!text.contains("12:30") && !text.contains("nothing lowers it"), "{text}");
    let text = told(&|status| {
        let turn = Turn::new(clock().now.plus_ms(-3_600_000), chrono_tz::Tz::Asia__Tokyo, target("small"));
        status.overdue = Some(Overdue { turn, from: target("full"), lowers: true, until: None });
        status.asked = Some(target("small"));
    });
    assert!(text.contains("OVERDUE since Fri 2026-11-20 11:00 +09:00 Asia/Tokyo: full -> small"), "{text}");
    assert!(text.contains("not done any more") && !text.contains("where its schedules ask"), "{text}");
    // Raised by somebody, and no schedule lowers it.
    let text = told(&|status| {
        status.scheduled = false;
        status.said = Some(up().by("sato").ends(Outcome::NothingToDo).summary());
    });
    assert!(text.contains("at full since") && text.contains("by sato (run 3), and nothing lowers it"), "{text}");
    let text = told(&|status| {
        status.scheduled = false;
        status.stacks[2].in_doubt = true;
        status.said = Some(up().by("sato").ends(Outcome::Failed).summary());
    });
    assert!(text.contains("IN DOUBT what stands") && text.contains("wanted at full since"), "{text}");
    let text = told(&|status| {
        status.scheduled = false;
        status.wanted = Some(target("small"));
    });
    assert!(text.contains("Nothing to hand over"), "{text}");
}

#[test]
fn history() {
    let mut runs = vec![
        Scene::of("up shop because Black Friday").numbered(812).planned().summary(),
        Scene::of("scale shop slaves=50")
            .numbered(811)
            .by("sato")
            .claimed()
            .after(200)
            .ends(Outcome::NothingToDo)
            .summary(),
        Scene::of("up shop")
            .numbered(9)
            .taken_by("ito", "enough for today")
            .claimed()
            .after(7)
            .ends(Outcome::Failed)
            .summary(),
    ];
    runs[2].accepted = runs[2].accepted.plus_ms(-86_400_000);
    let filter = HistoryFilter { failed: true, page: 2, ..HistoryFilter::default() };
    let worked_ms: std::collections::BTreeMap<_, _> = [(runs[1].id, 200_000), (runs[2].id, 7_000)].into();
    let page = |runs, page, more| HistoryPage { runs, page, more, worked_ms: worked_ms.clone(), unread: Vec::new() };
    let all = [
        cards::history(&page(runs, 2, true), &filter, &clock()),
        cards::history(&page(Vec::new(), 1, false), &filter, &clock()),
        cards::history(&page(Vec::new(), 9, false), &filter, &clock()),
    ];
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}

#[test]
fn log() {
    let part = LogPart {
        stack: name("jmeter"),
        phase: "apply".to_owned(),
        tried: false,
        lines: vec![
            "terraform_data.slave[0]: Creating...".to_owned(),
            "\u{1b}[31mError: \u{1b}[0mno capacity".to_owned(),
        ],
        left_out: 120,
        cut: false,
        file: ".tidegate/runs/5/jmeter/apply.jsonl.gz".to_owned(),
    };
    let tried = LogPart {
        phase: "plan".to_owned(),
        tried: true,
        lines: vec!["Error: Unable to find remote state".to_owned()],
        left_out: 0,
        cut: false,
        file: ".tidegate/runs/5/jmeter/plan.jsonl.gz".to_owned(),
        ..part.clone()
    };
    let all = [
        cards::log(&LogExtract { run: RunNumber(5), parts: vec![tried, part] }),
        cards::log(&LogExtract { run: RunNumber(5), parts: Vec::new() }),
    ];
    assert_snapshot!(all.iter().map(shown).collect::<Vec<_>>().join("\n"));
}
