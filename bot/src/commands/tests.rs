//! The grammar as tables: what is understood, what is refused and with which words, and what holds for any text.

use proptest::prelude::*;
use tidegate_runner::domain::command::{Command, Order};
use tidegate_runner::domain::environment::SettingValue;
use tidegate_runner::domain::refusal::{Refusal, RefusalKind};
use tidegate_runner::domain::request::{Movement, RunKind, SizeChange, Target, movement, request};
use tidegate_runner::domain::schedule::ScheduleOrder;

use super::{Present, TABLE, environment_of, fixture, parse, parse_at, render};

fn read(text: &str) -> Result<Command, Refusal> {
    fixture::with_known(|known| parse(text, known))
}

fn canonical(text: &str) -> String {
    read(text).map_or_else(|refusal| panic!("`{text}` is refused: {refusal:?}"), |command| render(&command))
}

#[test]
fn every_example_of_the_table_is_understood() {
    for spec in &TABLE {
        for example in spec.examples {
            let command = read(example.line).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", example.line));
            assert_eq!(command.name(), spec.name, "{}", example.line);
        }
    }
}

#[test]
fn a_run_that_was_not_named_is_never_offered() {
    for text in ["approve 1e3", "approve -1", "reject 12x", "recover 1.5"] {
        let refusal = read(text).expect_err(text);
        assert_eq!(refusal.hints, ["history"], "{text}: {refusal:?}");
    }
    // One that stands in the line was named.
    assert_eq!(read("retry --force 812").expect_err("not a run").hints, ["retry 812"]);
}

#[test]
fn an_answer_without_a_run_is_shown_what_waits_for_one() {
    let present = Present::default().with_asking(&[(812, "shop"), (813, "rpg")]);
    let refused = |typed| fixture::with_known(|known| parse_at(typed, known, &present)).expect_err(typed);
    for (typed, hints) in
        [("approve", &["show 812", "show 813"][..]), ("reject", &["show 812", "show 813"]), ("retry", &["history"])]
    {
        let refusal = refused(typed);
        assert_eq!(refusal.hints, hints, "{typed}: {refusal:?}");
    }
    let refusal = refused("approve");
    assert!(refusal.why.contains("812 (shop), 813 (rpg)"), "{refusal:?}");
}

#[test]
fn a_reason_is_kept_however_its_first_word_is_written() {
    for (typed, meant) in [
        ("up shop full becuase Black Friday — 20％", "up shop full because Black Friday — 20％"),
        ("down shop becasue of us", "down shop because of us"),
        ("hold shop for 2h beacuse 測定", "hold shop for 2h because 測定"),
    ] {
        assert_eq!(read(typed).expect_err(typed).hints, [meant], "{typed}");
    }
    // As a word of a reason it is one.
    assert!(read("up shop because becuase is no word").is_ok());
}

#[test]
fn what_is_done_with_the_audit_in_a_terminal_is_said_to_be_there() {
    for task in ["verify", "Checkpoint", "export", "prune"] {
        let refusal = read(&format!("audit {task}")).expect_err(task);
        assert!(refusal.why.contains(&format!("`tidegate audit {}`", task.to_lowercase())), "{refusal:?}");
    }
}

#[test]
fn several_commands_in_one_message_are_refused_and_a_reason_of_several_lines_is_none() {
    let refused = |text: &str| read(text).expect_err(text);
    for text in ["up shop because x\ndown shop", "status\r\n\n  @tidegate down shop", "/tide up shop\n/tide down shop"]
    {
        let refusal = refused(text);
        assert!(refusal.why.contains("one command at a time"), "{text}: {refusal:?}");
        assert!(!refusal.hints.is_empty() && refusal.hints.iter().all(|hint| read(hint).is_ok()), "{refusal:?}");
    }
    let hints = refused("up shop because of it\ndown shop").hints;
    assert_eq!(hints, ["up shop because of it", "down shop"]);
    assert!(canonical("up shop because we measure\nall day").contains("because we measure\nall day"));
}

#[test]
fn an_end_without_its_keyword_is_offered_with_it_and_a_day_that_is_there_already_says_where() {
    for (text, offered) in [
        ("up shop full 3h", "up shop full for 3h"),
        ("up shop full fro 3h", "up shop full for 3h"),
        ("up shop full 22:00 because late", "up shop full until 22:00 because late"),
        ("up shop full utnil 22:00", "up shop full until 22:00"),
        ("hold shop 2h because tests", "hold shop for 2h because tests"),
        ("next shop from 2020-01-01 7d", "next shop 7d"),
        ("next shop from 9y", "next shop from 366d"),
        ("next shop from whenever", "next shop from tomorrow"),
        ("next shop from", "next shop from tomorrow"),
    ] {
        let hints = match read(text) {
            Ok(command) => vec![render(&command)],
            Err(refusal) => refusal.hints,
        };
        assert!(hints.iter().any(|hint| hint == offered) || text.starts_with("hold"), "{text}: {hints:?}");
        assert!(hints.iter().all(|hint| read(hint).is_ok()), "{text}: {hints:?}");
    }
    // It is Friday there, and here.
    let refusal = read("pause shop until fri").expect_err("it is Friday");
    assert!(refusal.why.contains("in UTC, where it is Fri 03:00"), "{refusal:?}");
}

#[test]
fn what_makes_no_command_is_about_the_one_environment_that_it_names() {
    let about = |text: &str| fixture::with_known(|known| environment_of(text, known).map(|name| name.to_string()));
    assert_eq!(about("upp Shop slavs=10").as_deref(), Some("shop"));
    assert_eq!(about("up shop slaves=1e9 because the attic waits").as_deref(), Some("shop"));
    assert_eq!(about("up shpo"), None);
    assert_eq!(about("shop"), None);
    assert_eq!(about("up shop attic"), None, "one of two is a guess");
}

#[test]
fn without_a_run_why_asks_for_the_rule_and_not_which_run_is_meant() {
    for typed in ["why can't I cancel", "why can't I leave?", "why can ito cancel"] {
        let read = read(typed).expect("a question");
        assert!(
            matches!(&read, Command::Query(tidegate_runner::domain::command::Query::Why(why)) if why.order.is_none()),
            "{typed}: {read:?}"
        );
    }
    let read = read("why can't I cancel 7").expect("a question");
    assert!(
        matches!(&read, Command::Query(tidegate_runner::domain::command::Query::Why(why)) if why.order.is_some()),
        "{read:?}"
    );
}

#[test]
fn what_is_meant_about_schedules_is_understood() {
    for (typed, meant) in [
        ("skip shop", "skip shop"),
        ("skip shop Tonight", "skip shop tonight"),
        ("skip shop 今夜", "skip shop tonight"),
        ("skip shop tomorrow", "skip shop 2026-11-21"),
        ("skip shop 明日", "skip shop 2026-11-21"),
        ("skip shop mon", "skip shop 2026-11-23"),
        ("skip all 12-29..01-03", "skip all 2026-12-29..2027-01-03"),
        ("skip shop 2026-12-24", "skip shop 2026-12-24"),
        ("skip shop 12-29 – 01-03", "skip shop 2026-12-29..2027-01-03"),
        ("skip shop fri to mon", "skip shop 2026-11-20..2026-11-23"),
        ("skip shop next week", "skip shop 2026-11-23..2026-11-29"),
        ("keep shop until 22:00 Europe/Berlin", "keep shop until 2026-11-20T21:00:00.000Z"),
        ("keep shop for 1.5h", "keep shop until 2026-11-20T04:30:00.000Z"),
        ("keep shop for 90s", "keep shop until 2026-11-20T03:01:30.000Z"),
        (
            "schedule add shop x at=\"tomorrow 9:00\" zone=Europe/Berlin do=\"up full\" for=3h",
            "schedule add shop x at=\"2026-11-21 09:00\" zone=Europe/Berlin do=\"up full\" for=3h",
        ),
        (
            "schedule add shop x at=２２：３０ zone=Asia/Tokyo do=\"down small\"",
            "schedule add shop x at=\"2026-11-20 22:30\" zone=Asia/Tokyo do=\"down small\"",
        ),
        ("resume shop", "unpause shop"),
        // A day alone is over when it begins, on the clock of the environment (UTC here), whoever types it.
        ("pause shop until monday", "pause shop until 2026-11-23T00:00:00.000Z"),
        ("pause shop until mon 9:00", "pause shop until 2026-11-23T00:00:00.000Z"),
        ("keep shop 2h", "keep shop until 2026-11-20T05:00:00.000Z"),
        ("keep shop 22:00", "keep shop until 2026-11-20T13:00:00.000Z"),
        ("next shop 2w", "next shop 14d"),
        ("next all 7d", "next 7d"),
        ("unpause everything", "unpause all"),
        ("next shop 7", "next shop 7d"),
        ("next shop from 2026-12-24T18:00:00+09:00 14d", "next shop from 2026-12-24T09:00:00.000Z 14d"),
        ("pause shop for 24h", "pause shop until 2026-11-21T03:00:00.000Z"),
        ("up shop full for 3h", "up shop full until 2026-11-20T06:00:00.000Z"),
        ("up shop until 22:00 full slaves=4", "up shop full slaves=4 until 2026-11-20T13:00:00.000Z"),
        ("down shop for 2h", "down shop until 2026-11-20T05:00:00.000Z"),
        ("scale shop slaves=40 for 90m", "scale shop slaves=40 until 2026-11-20T04:30:00.000Z"),
    ] {
        assert_eq!(canonical(typed), meant, "{typed}");
    }
}

#[test]
fn what_is_offered_about_schedules_is_understood_and_says_the_same_when() {
    const LUNCH: &str = r#"cron="0 12 * * 1-5" do="down small""#;
    let cron = |text: &str| match read(text) {
        Ok(Command::Order { order: Order::Schedule(ScheduleOrder::Add { written, .. }), .. }) => {
            written.keys.get("cron").cloned()
        }
        _ => None,
    };
    for (typed, offers_it) in [
        (format!("schedul add shop lunch {LUNCH}"), true),
        (format!("schedule ad shop lunch {LUNCH}"), true),
        (format!("schedule new shop \"long lunch\" {LUNCH}"), true),
        (format!("schedule shop lunch {LUNCH}"), true),
        (format!("schedule add shpo lunch {LUNCH}"), true),
        (format!("schedule add shop {LUNCH}"), true),
        (format!("schedule add shop lunch {LUNCH} do=\"down small\""), true),
        (format!("schedule add shop name=lunch {LUNCH}"), true),
        (format!("schedule add shop lunch do=up {LUNCH}"), true),
        (format!("schedule remove shop lunch {LUNCH}"), false),
        (format!("schedule list shop lunch {LUNCH}"), true),
        ("schedule show because of it".to_owned(), false),
        ("schedule change shop \"late shift\"".to_owned(), false),
    ] {
        let refusal = read(&typed).expect_err(&typed);
        for hint in &refusal.hints {
            assert!(read(hint).is_ok(), "{typed}: {hint}");
            assert_eq!(hint.matches('"').count() % 2, 0, "{typed}: {hint}");
        }
        let offered: Vec<String> = refusal.hints.iter().filter_map(|hint| cron(hint)).collect();
        assert_eq!(offered.first().map(String::as_str), offers_it.then_some("0 12 * * 1-5"), "{typed}: {refusal:?}");
    }
}

#[test]
fn what_is_meant_is_understood() {
    for (typed, meant) in [
        ("/tide UP Shop FULL Slaves=40", "up shop full slaves=40"),
        ("@tidegate: status", "status"),
        ("`up shop`", "up shop"),
        ("up shop slaves=40 code full", "up shop full code slaves=40"),
        ("up shop --code", "up shop code"),
        ("ｓｃａｌｅ　ｓｈｏｐ　ｓｌａｖｅｓ＝４０", "scale shop slaves=40"),
        ("scale shop slaves：40", "scale shop slaves=40"),
        ("scale shop slaves:=40", "scale shop slaves=40"),
        ("scale shop slaves = “40”", "scale shop slaves=40"),
        ("scale shop slaves –= 5", "scale shop slaves-=5"),
        ("scale shop slaves + = 10", "scale shop slaves+=10"),
        ("scale shop slaves×=2", "scale shop slaves*=2"),
        ("scale shop mode=FAST spot=True", "scale shop mode=fast spot=true"),
        ("scale shop spot=ON", "scale shop spot=true"),
        ("scale shop spot=no", "scale shop spot=false"),
        ("up shop spot=yes", "up shop spot=true"),
        ("up shop spot=off", "up shop spot=false"),
        ("cancel —force", "cancel force"),
        ("cancel force run 812", "cancel 812 force"),
        ("show ＃812", "show 812"),
        ("recover run #812 --unlock", "recover 812 unlock"),
        ("log 812 JMeter", "log 812 jmeter"),
        ("down shop OFF", "down shop off"),
        ("status attic", "status attic"),
        ("history failed by @ito shop page 3", "history shop by ito failed page 3"),
        ("history by me", "history by local:ito"),
        ("audit failed “Black  Friday” action UP shop by @ito", "audit shop by ito failed action up \"Black Friday\""),
        ("audit AS CSV shop failed", "audit shop failed as csv"),
        ("audit page 2 before #40 \"x\" \"y\"", "audit \"x\" \"y\" before 40 page 2"),
        (
            "audit since 2026-11-20 until 2026-11-20",
            "audit since 2026-11-19T15:00:00.000Z until 2026-11-20T15:00:00.000Z",
        ),
        ("who destroyed Shop", "who stopped shop"),
        ("who upped attic", "who raised attic"),
        ("history since 2026-11-20 09:00", "history since 2026-11-20T00:00:00.000Z"),
        ("reject 5 BECAUSE  the “db”  would go ", "reject 5 because the “db”  would go"),
        ("up shop because: slaves=4 is enough", "up shop because slaves=4 is enough"),
        ("approve 812 —alone because we are two", "approve 812 alone because we are two"),
        ("why can’t I down shop?", "why can I down shop"),
        ("why cannot I scale shop slaves=40", "why can I scale shop slaves=40"),
        ("Why may @ito not destroy the shop", "why can @ito destroy shop"),
        ("why can local:ito approve run 812?", "why can @local:ito approve 812"),
        ("why ito up", "why can @ito up"),
        ("why down", "why can I down"),
        ("hold shop until 9:00 tomorrow because x", "hold shop until 2026-11-21T00:00:00.000Z because x"),
        ("hold Shop until 22:00 because we measure", "hold shop until 2026-11-20T13:00:00.000Z because we measure"),
        ("hold shop until 10pm because x", "hold shop until 2026-11-20T13:00:00.000Z because x"),
        ("hold shop until 20：30 because x", "hold shop until 2026-11-20T11:30:00.000Z because x"),
        ("hold shop until 明日　９時 because x", "hold shop until 2026-11-21T00:00:00.000Z because x"),
        ("hold shop for 1h 30m only @sato because x", "hold shop until 2026-11-20T04:30:00.000Z only @sato because x"),
        ("hold shop until ２２：００ because x", "hold shop until 2026-11-20T13:00:00.000Z because x"),
        ("hold shop until tomorrow 9:00 because x", "hold shop until 2026-11-21T00:00:00.000Z because x"),
        ("hold shop until fri 18:00 because x", "hold shop until 2026-11-20T09:00:00.000Z because x"),
        ("hold shop until 2h because x", "hold shop until 2026-11-20T05:00:00.000Z because x"),
        (
            "hold shop only @sato, local:mori for 2h because x",
            "hold shop until 2026-11-20T05:00:00.000Z only @sato @local:mori because x",
        ),
        ("schedule", "schedule list"),
        ("schedule LIST shop", "schedule list shop"),
        ("schedule show shop late shift", "schedule show shop \"late shift\""),
        (
            "/tide schedule add Shop “late shift” window=“Mon–Fri 13:00–23:00” inside=full outside=small because tests",
            "schedule add shop \"late shift\" window=\"Mon-Fri 13:00-23:00\" inside=full outside=small because tests",
        ),
        (
            "schedule add shop late shift window = Mon-Fri 13:00-23:00 inside = full outside=small",
            "schedule add shop \"late shift\" window=\"Mon-Fri 13:00-23:00\" inside=full outside=small",
        ),
        (
            "schedule add shop x cron=0 2 1 * * do=up full slaves=5 for=3h",
            "schedule add shop x cron=\"0 2 1 * *\" do=\"up full slaves=5\" for=3h",
        ),
        (
            "schedule change shop 夜 ZONE= inside='full slaves=4'",
            "schedule change shop 夜 zone=\"\" inside=\"full slaves=4\"",
        ),
        ("schedule remove shop bob's \"a=b\"", "schedule remove shop \"bob's a=b\""),
        ("keep shop for 90m", "keep shop until 2026-11-20T04:30:00.000Z"),
        ("freeze everything for 7d because x", "freeze all until 2026-11-27T03:00:00.000Z because x"),
        ("unfreeze", "unfreeze all"),
        ("unhold shop #3", "unhold shop 3"),
        ("queue leave run 812", "leave 812"),
        ("tell me when the shop is free", "tell shop"),
        ("tell me once shop gets free!", "tell shop"),
        ("ask run 812 “when  will it be done?”", "ask 812 when will it be done?"),
        ("ask shop may I, because I must go", "ask shop may I, because I must go"),
        ("stop all because of the bill", "stop everything because of the bill"),
        ("STOP EVERYTHING!!!", "stop everything"),
        ("stop everything, because x", "stop everything because x"),
        ("approve 17 alone D934 because nobody else", "approve 17 d934 alone because nobody else"),
        ("resume everything", "resume everything"),
        ("down shop --anyway because nobody answers", "down shop anyway because nobody answers"),
    ] {
        assert_eq!(canonical(typed), meant, "{typed}");
    }
}

/// Lines that are refused, with one environment.
const BAD: &[&str] = &[
    "",
    "   ",
    "/tide",
    "\u{200b}",
    "statsu shop",
    "stats",
    "hlep",
    "日本語",
    "🌊",
    "up",
    "scale slaves=10",
    "up full",
    "up shpo full",
    "up prod",
    "up full shop",
    "up shop fll",
    "up shop zzz",
    "up shop full small",
    "up shop down",
    "up shop --help",
    "up shop --forse",
    "up shop; rm -rf /",
    "up shop && down shop",
    "$(reboot)",
    "shop",
    "shop up full",
    "shop slaves=10",
    "slaves=10",
    "slavs=10",
    "slaves=10 shop",
    "foo=1",
    "scale shop",
    "scale shop slavs=10",
    "scale shop foo=3",
    "up shop -small",
    "up shop \u{2212}small",
    "up shop --profile=small slaves=4",
    "scale shop --slaves=4",
    "down shop --small",
    "scale shop slaves=-5",
    "scale shop slaves=+5",
    "scale shop slaves+=-5",
    "scale shop slaves-=-5",
    "scale shop slaves*=-2",
    "scale shop slaves=1e9",
    "scale shop slaves=0x10",
    "scale shop slaves=4.5",
    "scale shop slaves=ten",
    "scale shop slaves=1,000",
    "scale shop slaves=",
    "scale shop slaves+=",
    "scale shop slaves= servers=2",
    "scale shop slaves=4 slaves=5",
    "scale shop slaves==4",
    "scale shop slaves=201",
    "scale shop servers=3",
    "scale shop slaves=99999999999999999999",
    "scale shop slaves+=99999999999999999999",
    "scale shop slaves+=ten",
    "scale shop slaves=*2",
    "scale shop slaves/=2",
    "scale shop slaves=10²",
    "scale shop slaves 10",
    "scale shop slaves +10",
    "scale shop slaves",
    "scale shop -5",
    "scale shop =40",
    "scale shop full",
    "scale shop full slaves=10",
    "scale shop mode=fsat",
    "scale shop mode=",
    "scale shop mode+=1",
    "scale shop spot=1",
    "scale shop spot=disabled",
    "down shop slaves=2",
    "down shop code",
    "destroy",
    "destroy shop jmeter",
    "destroy shpo",
    "undo attic",
    "cancel 0",
    "cancel shop",
    "cancel 812 --forse",
    "cancel 812 813",
    "cancel everything",
    "retry",
    "retry shop",
    "retry abc",
    "retry 99999999999999999999",
    "retry r812",
    "retry 812 813",
    "accept -5",
    "show",
    "812",
    "run 812",
    "log 812 jmetr",
    "log jmeter 812",
    "log 812 zzz",
    "recover 812 unlok",
    "envs all",
    "whoami ito",
    "help me",
    "help statsu",
    "help up down",
    "history since",
    "history since tomorrow",
    "history since 7y",
    "history page 0",
    "history page=2",
    "history by",
    "history @ito",
    "history fialed",
    "history since:7d",
    "history 2026-11-20",
    "history since 2026-11-20 until 2026-11-01",
    "history shop attic",
    "audit shpo",
    "audit friday",
    "audit shop friday \"black\"",
    "audit action",
    "audit action destory",
    "audit action status",
    "audit before",
    "audit before yesterday",
    "audit before 0",
    "audit page 51",
    "audit page 99999999999",
    "audit shop attic \"x\"",
    "audit since 2026-11-20 until 2026-11-01 \"x\"",
    "audit \"a\" \"b\" \"c\" \"d\" \"e\" \"f\"",
    "audit shop because I want to know",
    "audit failde",
    "audit shop as",
    "audit shop as xml",
    "audit as csv shop page 2 \"x\"",
    "who",
    "who shop",
    "who am i",
    "who stoped shop",
    "who stopped",
    "who stopped shpo",
    "who stopped shop yesterday",
    "status shop because I want",
    "up shop because",
    "up shop because \u{200b}",
    "start shop",
    "delete shop",
    "ls",
    "yes 812",
    "stop shop",
    "stop",
    "stop 812",
    "restart shop",
    "restart",
    "restart shop jmeter",
    "restore shop",
    "delay shop",
    "rollback shop",
    "exit",
    "quit",
    "up shop --dry-run",
    "up shop slaves=",
    "up shop small slaves=",
    "up shop of",
    "down shop jmeter",
    "down shop --dry-run",
    "down shop --forse",
    "destroy shop --dry-run",
    "scale shop slaves-=4.5",
    "scale shop slaves*=0.5",
    "scale shop slaves-=",
    "scale shop slaves=350",
    "scale shop slaves=-1000",
    "scale shop slaves=800",
    "scale shop 5",
    "scale shop mode=zzz",
    "scale shop spot=maybe",
    "approve 812 alone",
    "approve 812 anyway",
    "why",
    "why can't I",
    "why can't I dwon shop",
    "why can't I down shpo",
    "why not",
    "why is shop full?",
    "why was the shop turned off",
    "why is nothing there",
    "why shop",
    "permissions",
    "hold",
    "hold shop",
    "hold shop because we measure",
    "hold shop until 22:00",
    "hold shop until",
    "hold shop for because x",
    "hold shop until 09:00 because x",
    "hold shop until fri 9am because x",
    "hold shop until 2026-11-19 because x",
    "schedule shop",
    "schedule delete shop x",
    "schedule nonsense",
    "schedule list shop x",
    "schedule list shop because x",
    "schedule show",
    "schedule add",
    "schedule add shpo x window=\"Mon-Fri 09:00-21:00\"",
    "schedule add attic x at=now",
    "schedule add shop",
    "schedule add shop window=\"Mon-Fri 09:00-21:00\"",
    "schedule add shop night because x",
    "schedule add shop sat Sat 10:00-12:00 full because x",
    "schedule add shop \"Sat 10:00-12:00\"",
    "schedule add shop late window Fri 20:00 - Mon 08:00 small",
    "schedule add shop x inside=full inside=small",
    "schedule add shop name=x window=daily",
    "schedule change shop x",
    "schedule change shop zone=UTC",
    "schedule remove shop",
    "schedule remove shop x inside=full",
    "hold shop until soon because x",
    "hold shop until half an hour because x",
    "hold shop until 10 years because x",
    "hold shop for 3650d only @sato because x",
    "hold shop until 今日9時 because x",
    "hold shop until yesterday 18:00 because x",
    "hold shop until yesterday because x",
    "hold shop for 22:00 because x",
    "hold shop for 8d because x",
    "hold shop until 2027-01-01 because x",
    "hold shop for 2h only because x",
    "hold shop for 2h only @ because x",
    "hold shop for 2h only sato because x",
    "hold shop for 2h until 22:00 because x",
    "hold shpo for 2h because x",
    "hold attic for 2h because x",
    "hold shop 22:00 because x",
    "unhold",
    "unhold shop three",
    "unhold shop 0",
    "freeze",
    "freeze shop for 2h because x",
    "freeze for 2h because x",
    "freeze all because x",
    "freeze all for 2h",
    "unfreeze shop",
    "unfreeze yes",
    "keep shop",
    "keep shop for 2h only @sato",
    "keep shop for 8d",
    "keep shop 10y",
    "keep shop 2h until 22:00",
    "queue shop blog",
    "queue leave shop",
    "leave shop",
    "ask",
    "ask shop",
    "ask 812",
    "ask run 812",
    "ask shpo when?",
    "tell",
    "tell me when free",
    "tell me when shpo is free",
    "tell shop something",
    "stop evrything",
    "stop everything now",
    "resume",
    "resume nowhere",
    "up shop full at 22:00",
    "up shop slaves=4 at tomorrow 9:00 for 2h because of the test",
    "down shop at 9am",
    "up shop full for 1 h 30 min at 22:00",
    "up shop full at 22:00 until 23:45",
    "up shop full at 22:00 until 21:00",
    "destroy all",
    "down all",
    "skip shop next fri",
    "skip shop 12-29 - 01",
    "skip shop 12-29 to yesterday",
    "keep shop until next fri 18:00",
    "keep shop until next week",
    "pause shop until next week",
    "pause all until mon",
    "keep all for 2h",
    "skip",
    "skip nowhere",
    "skip shop yesterday",
    "skip shop soon",
    "skip shop 2026-02-30",
    "skip shop 2020-01-01",
    "skip shop 12-31..12-24",
    "skip shop 12-29..12-01",
    "skip shop 2030-01-01",
    "skip shop next please",
    "skip all 13-01",
    "pause shop",
    "pause shop until",
    "pause shop until yesterday",
    "pause shop for 10y",
    "pause shop until 22:00 for 2h",
    "pause shop monday",
    "unpause",
    "up shop for",
    "up shop full for 10y",
    "up shop full for 3h for 2h",
    "up shop until 2020-01-01 09:00",
    "scale shop slaves=4 for 0h",
    "plan shop for 2h",
    "down shop anyway",
    "up shop anyway because x",
];

/// `shop` at `full` with 60 slaves, while run 5 works on it.
fn at_work() -> Present {
    let settings = [("slaves".parse().expect("a name"), SettingValue::Number(60))].into();
    Present::of(&[("shop", Target { level: "full".parse().expect("a level"), settings })], &[(5, "shop")])
}

#[test]
fn what_is_refused_says_what_why_and_what_to_type_instead() {
    let told: Vec<String> = BAD.iter().map(|text| told(text, read(text))).collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_offered_fits_where_things_stand() {
    let present = at_work();
    let differs = |text: &&&str| {
        fixture::with_known(|known| {
            parse(text, known).ok() != parse_at(text, known, &present).ok()
                || parse(text, known).err() != parse_at(text, known, &present).err()
        })
    };
    let told: Vec<String> = BAD
        .iter()
        .filter(differs)
        .map(|text| told(text, fixture::with_known(|known| parse_at(text, known, &present))))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn what_is_at_its_least_is_not_offered_to_become_less() {
    let offered = |slaves: i64| {
        let settings = [("slaves".parse().expect("a name"), SettingValue::Number(slaves))].into();
        let target = Target { level: "full".parse().expect("a level"), settings };
        let present = Present::of(&[("shop", target)], &[]);
        let refused = fixture::with_known(|known| parse_at("scale shop slaves=-5", known, &present));
        refused.expect_err("refused").hints
    };
    assert_eq!(offered(0), ["scale shop slaves=0"]);
    assert_eq!(offered(4), ["scale shop slaves=4"]);
    assert_eq!(offered(5), ["scale shop slaves-=5"]);
}

/// Words with which somebody asks for something to become less.
const LOWERING: [&str; 12] =
    ["down", "stop", "restart", "delete", "destroy", "off", "undo", "rollback", "restore", "-", "small", "yes 812"];

#[test]
fn no_hint_takes_away_more_than_was_typed() {
    let shop = fixture::environment("shop");
    let present = at_work();
    let full = present.target(&shop).expect("known").clone();
    let mut small = full.clone();
    small.level = "small".parse().expect("a level");
    for (present, before) in [(Present::default(), &full), (Present::default(), &small), (present, &full)] {
        for text in BAD {
            let Err(refusal) = fixture::with_known(|known| parse_at(text, known, &present)) else { continue };
            for hint in &refusal.hints {
                let Ok(Command::Order { order, .. }) = fixture::with_known(|known| parse(hint, known)) else {
                    continue;
                };
                let Ok(run) = request(&shop, &order, None, Some(before), Some(&small)) else { continue };
                if run.kind == RunKind::Plan || movement(&shop, before, &run.target) != Movement::Lowers {
                    continue;
                }
                let typed: Vec<i64> =
                    text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
                let said = |size: &SizeChange| match &size.to {
                    SettingValue::Number(to) => {
                        typed.iter().any(|typed| typed <= to || [201, 350, 800].contains(typed))
                    }
                    SettingValue::Text(_) | SettingValue::Switch(_) => true,
                };
                let speaks = LOWERING.iter().any(|word| text.contains(word)) || text.contains("ten");
                assert!(speaks || run.sizes.iter().all(said), "`{text}` offers `{hint}`");
            }
        }
    }
}

#[test]
fn with_several_environments_nothing_is_guessed() {
    let bad = [
        "up",
        "scale slaves=10",
        "slaves=10",
        "up full",
        "down",
        "destroy",
        "undo",
        "up blgo",
        "stop",
        "restart",
        "start",
    ];
    let told: Vec<String> = bad
        .iter()
        .map(|text| told(text, fixture::with_environments(&["shop", "blog"], |known| parse(text, known))))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

fn told(text: &str, result: Result<Command, Refusal>) -> String {
    match result {
        Ok(command) => panic!("`{text}` is understood as {command:?}"),
        Err(Refusal { kind, what, why, hints, of_them: _ }) => {
            let kind = match kind {
                RefusalKind::NotUnderstood => "?",
                RefusalKind::Refused => "!",
            };
            format!("{:?}\n  {kind} {what}\n    {why}\n    -> {}\n", text, hints.join(" | "))
        }
    }
}

#[test]
fn every_hint_can_be_copied() {
    for names in [&["shop"][..], &["shop", "blog"], &["a", "b", "c", "d", "e"], &[]] {
        fixture::with_environments(names, |known| {
            for text in BAD {
                let Err(refusal) = parse(text, known) else { continue };
                assert!(!refusal.hints.is_empty(), "{text}");
                for hint in &refusal.hints {
                    assert!(parse(hint, known).is_ok(), "`{text}` offers `{hint}`");
                }
            }
        });
    }
}

#[test]
fn a_very_long_message_is_refused_in_few_words() {
    for text in ["x".repeat(1_000_000), "up shop ".to_owned() + &"日本 ".repeat(100_000), "slaves=".repeat(100_000)] {
        let refusal = read(&text).expect_err("nonsense");
        assert!(format!("{refusal:?}").chars().count() < 2_000);
    }
    let reason = "because ".to_owned() + &"long ".repeat(10_000);
    assert!(read(&format!("up shop {reason}")).is_ok());
    assert_eq!(read(&format!("up shop fll {reason}")).expect_err("no profile").hints, ["help up"]);
}

/// Words that make lines which are nearly right.
fn nearly() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(vec![
            "up", "down", "scale", "plan", "destroy", "undo", "cancel", "retry", "recover", "show", "log", "history", "help", "audit", "who", "stopped", "action", "before", "\"", "\"black friday\"",
            "status", "shop", "attic", "full", "small", "off", "code", "force", "unlock", "by", "me", "@ito", "since", "until", "7d",
            "2026-11-20", "09:00", "failed", "why", "can't", "I", "page", "hold", "keep", "schedule", "add", "change", "remove", "list", "window=", "window=\"Mon-Fri 09:00-21:00\"", "do=up", "inside=full", "'", "freeze", "all", "for", "2h", "22:00", "tomorrow", "only", "@sato", "unhold", "ask", "tell", "when", "free", "leave", "queue", "stop", "everything", "resume", "anyway", "2", "812", "#5", "run", "app", "slaves", "=", "+", "-", "+=", ":", "slaves=40", "slaves+=1",
            "servers=2", "mode=fast", "spot=true", "because", "“", "—force", "slaves=-5", "＝", "\u{200b}", "\u{3000}",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ];
    let join = prop::sample::select(vec![" ", "", "\u{3000}", "\n"]);
    prop::collection::vec((word, join), 0..9).prop_map(|words| words.into_iter().map(|(w, j)| w + j).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn nearly_right_text_gets_an_answer(text in nearly()) {
        check(&text)?;
    }
}

#[test]
fn the_plain_form_of_nearly_right_text_reads_back_the_same() {
    for text in [
        // Words that make no order with the rest, and a quote within a word, after which another word seemed to begin.
        "why up\u{3000}shop up ",
        "ask 2\u{3000}a\": ",
        "why can't I up shop full",
        "why can @ito scale shop slaves=4",
        "why can't I up",
        "ask shop is \"a\"=\"b\" there? because `x` :y",
    ] {
        check(text).expect(text);
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    fixture::with_known(|known| {
        match parse(text, known) {
            Ok(command) => {
                let again = parse(&render(&command), known);
                prop_assert_eq!(again.as_ref(), Ok(&command), "{}", render(&command));
            }
            Err(refusal) => {
                for hint in &refusal.hints {
                    prop_assert!(parse(hint, known).is_ok(), "`{}` offers `{}`", text, hint);
                }
                prop_assert!(!refusal.hints.is_empty());
            }
        }
        let _ = super::complete(text, known, &super::Runs::default());
        Ok(())
    })
}

#[test]
fn the_end_that_is_offered_lies_ahead() {
    for (hours, offered) in [(0, "hold shop until 22:00 because x"), (11, "hold shop until tomorrow 9:00 because x")] {
        fixture::with_known(|known| {
            let later = super::Known { now: known.now.plus_ms(hours * 3_600_000), ..*known };
            let refusal = parse("hold shop because x", &later).expect_err("no end");
            assert!(refusal.hints.iter().any(|hint| hint == offered), "{refusal:?}");
            assert!(parse(offered, &later).is_ok());
        });
    }
}

#[test]
fn what_names_no_run_is_about_that_of_its_thread() {
    for (typed, meant) in [
        ("cancel", Some("cancel 5")),
        ("@tidegate  Cancel because 雨 will come", Some("@tidegate  Cancel 5 because 雨 will come")),
        ("cancel force", Some("cancel 5 force")),
        ("retry\n", Some("retry 5\n")),
        ("log", Some("log 5")),
        ("cancel 7", None),
        ("cancel @rpg", None),
        ("up shop", None),
        ("status", None),
        ("日本", None),
        ("", None),
    ] {
        assert_eq!(super::about_run(typed, 5).as_deref(), meant, "{typed}");
    }
}
