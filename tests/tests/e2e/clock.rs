//! Schedules, with the real program, real Terraform and the time that it is.

use std::time::Duration;

use tidegate_runner::domain::ids::ActorId;
use tidegate_tests::yard::Layout;

/// Where no process is the clock.
const NOBODY: &str = "Nobody follows the schedules now";

/// Longest until the next minute begins and its run has ended.
const PATIENCE: Duration = Duration::from_secs(150);

#[tokio::test]
async fn what_a_schedule_wants_is_carried_out_once_though_the_process_is_killed() {
    let lines = "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"rehearsal\"\nat = \"SOON\"\n\
                 do = \"up full\"\nfor = \"10m\"\n";
    let yard = Layout::new()
        .environment_with("shop", lines, &[("app", &[])])
        .environment_with("blog", "zone = \"UTC\"\n", &[("app", &[])])
        .lay();
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    // The next full minute that is far enough away for two starts.
    let soon = chrono::DateTime::<chrono::Utc>::from(now) + chrono::TimeDelta::seconds(75);
    yard.configure("SOON", &soon.format("%Y-%m-%d %H:%M").to_string());
    yard.run(&["check"]).await.exits(0);
    yard.shell("next shop 1d").await.says(&["full", "rehearsal begins", "UTC", NOBODY]).exits(0);
    yard.shell("status shop").await.says(&["next: ", NOBODY]).exits(0);
    // The same by chat, for another environment.
    let at = soon.format("%Y-%m-%d %H:%M");
    let add = format!("schedule add blog rehearsal at=\"{at}\" do=\"up full\" for=10m because tests");
    yard.shell(&add).await.says(&["blog has the schedule rehearsal", "rehearsal begins", "UTC", NOBODY]).exits(0);
    yard.shell("schedule change shop rehearsal for=1h").await.says(&["not changed by chat", "skip shop"]).exits(3);
    let serve = yard.serve().await;
    serve.kill().await;
    let serve = yard.serve().await;
    let ended = tokio::time::timeout(PATIENCE, async {
        for run in [1, 2] {
            while !matches!(yard.status(run).await, "succeeded" | "failed" | "partial") {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    });
    ended.await.unwrap_or_else(|_| panic!("the clock did nothing: {}", serve.err()));
    for (number, environment) in [(1, "shop"), (2, "blog")] {
        let run = yard.row(number).await;
        assert_eq!((run.asker.id, run.state.status()), (ActorId::clock(), "succeeded"));
        assert_eq!(yard.in_state(environment, "app").await.len(), 3);
    }
    yard.shell("history shop").await.says(&["the clock", "rehearsal begins"]).exits(0);
    yard.shell("who raised shop").await.says(&["the clock raised shop"]).exits(0);
    serve.kill().await;
    let serve = yard.serve().await;
    yard.shell("status shop").await.says(&["shop is at full"]).exits(0);
    yard.shell("schedule show blog rehearsal").await.says(&["added by", "for 10 min", "small"]).exits(0);
    yard.shell("next").await.says_not(&[NOBODY]);
    yard.shell("schedule remove blog rehearsal").await.says(&["is removed"]).exits(0);
    assert_eq!(yard.status(3).await, "", "it is where it should be");
    yard.run(&["audit", "verify"]).await.says(&["is whole"]).exits(0);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn an_adopted_environment_follows_its_schedules_once_a_plan_of_it_found_nothing_to_do() {
    let lines = |name: &str| {
        format!(
            "zone = \"UTC\"\nadopted = true\n[[environments.{name}.schedules]]\nname = \"rehearsal\"\nat = \"SOON\"\n\
             do = \"up full\"\nfor = \"10m\"\n"
        )
    };
    let yard = Layout::new()
        .environment_with("shop", &lines("shop"), &[("app", &[])])
        .environment_with("blog", &lines("blog"), &[("app", &[])])
        .lay();
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    let soon = chrono::DateTime::<chrono::Utc>::from(now) + chrono::TimeDelta::seconds(90);
    yard.configure("SOON", &soon.format("%Y-%m-%d %H:%M").to_string());
    let serve = yard.serve().await;
    // What raised them is no proof: it had something to do.
    yard.shell("up shop small").await.says(&["shop is at small"]).exits(0);
    yard.shell("up blog small").await.says(&["blog is at small"]).exits(0);
    yard.shell("next shop 1d").await.says(&["it is `adopted`", "`plan shop`"]).says_not(&["rehearsal begins"]);
    yard.shell("plan shop small").await.exits(0);
    yard.shell("next shop 1d").await.says(&["rehearsal begins"]).says_not(&["adopted"]);
    yard.shell("next blog 1d").await.says(&["it is `adopted`", "`plan blog`"]).exits(0);
    let ended = tokio::time::timeout(PATIENCE, async {
        while !matches!(yard.status(4).await, "succeeded" | "failed" | "partial") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    ended.await.unwrap_or_else(|_| panic!("the clock did nothing: {}", serve.err()));
    let run = yard.row(4).await;
    assert_eq!((run.asker.id, run.state.status()), (ActorId::clock(), "succeeded"));
    assert_eq!((yard.in_state("shop", "app").await.len(), yard.in_state("blog", "app").await.len()), (3, 1));
    // Its time has come for the other one, too, and nobody has planned it.
    assert_eq!(yard.status(5).await, "");
    yard.shell("audit blog by clock").await.says_not(&["up blog"]);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_is_to_be_ready_by_a_time_begins_before_it_by_as_long_as_it_took() {
    let lines = "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"morning\"\nat = \"2099-01-01 09:00\"\n\
                 do = \"up full\"\nfor = \"10m\"\nready_by = true\n";
    let yard = Layout::new().environment_with("shop", lines, &[("app", &[])]).lay();
    let serve = yard.serve().await;
    yard.shell("up shop").await.says(&["shop is at full"]).exits(0);
    yard.shell("down shop").await.says(&["shop is at small"]).exits(0);
    // How long it takes from there is measured by a person's run; it is no faster than this.
    yard.hold("create.shop-app");
    yard.accepted("up shop").await;
    yard.until_did("create shop-app", 5).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    yard.release("create.shop-app");
    yard.until(3, "succeeded").await;
    yard.shell("down shop").await.says(&["shop is at small"]).exits(0);
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    let due = chrono::DateTime::<chrono::Utc>::from(now) + chrono::TimeDelta::seconds(90);
    yard.configure("2099-01-01 09:00", &due.format("%Y-%m-%d %H:%M").to_string());
    let begun = tokio::time::timeout(PATIENCE, async {
        while !matches!(yard.status(5).await, "succeeded" | "failed" | "partial") {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    begun.await.unwrap_or_else(|_| panic!("the clock did nothing: {}", serve.err()));
    let run = yard.row(5).await;
    assert_eq!((run.asker.id, run.state.status()), (ActorId::clock(), "succeeded"));
    let early_ms = due.timestamp() / 60 * 60_000 - run.accepted.0;
    assert!((4_000..60_000).contains(&early_ms), "{early_ms} ms before its time");
    assert_eq!(yard.in_state("shop", "app").await.len(), 3);
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn what_somebody_holds_is_left_alone_by_a_schedule_and_done_after_the_hold() {
    let lines = "zone = \"UTC\"\n[[environments.shop.schedules]]\nname = \"rehearsal\"\nat = \"SOON\"\n\
                 do = \"up full\"\nfor = \"10m\"\n";
    let yard = Layout::new().environment_with("shop", lines, &[("app", &[])]).lay();
    yard.write("now", "");
    let now = std::fs::metadata(yard.file("now")).and_then(|file| file.modified()).expect("a time");
    let soon = chrono::DateTime::<chrono::Utc>::from(now) + chrono::TimeDelta::seconds(75);
    yard.configure("SOON", &soon.format("%Y-%m-%d %H:%M").to_string());
    let serve = yard.serve().await;
    yard.shell("hold shop for 2h because we measure").await.says(&["shop is held until"]).exits(0);
    // The clock's refusal is in the audit, with the rule that stands against it.
    let met = tokio::time::timeout(PATIENCE, async {
        while !yard.shell("audit shop failed").await.out.contains("the clock") {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    });
    met.await.unwrap_or_else(|_| panic!("the clock did not meet the hold: {}", serve.err()));
    yard.shell("audit shop failed").await.says(&["REFUSED (hold)"]).exits(0);
    assert_eq!(yard.status(1).await, "", "nothing was begun against it");
    yard.shell("unhold shop").await.exits(0);
    let ended = tokio::time::timeout(PATIENCE, async {
        while !matches!(yard.status(1).await, "succeeded" | "failed" | "partial") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    ended.await.unwrap_or_else(|_| panic!("the clock did not try again: {}", serve.err()));
    let run = yard.row(1).await;
    assert_eq!((run.asker.id, run.state.status()), (ActorId::clock(), "succeeded"));
    serve.stop().await.exits(0);
}

#[tokio::test]
async fn dates_of_a_teams_own_file_are_read_again_while_it_serves_and_a_broken_line_stops_nobody() {
    // The two dates that it can be while this runs.
    let days = |working: bool| {
        #[expect(clippy::disallowed_methods, reason = "the program that is tested goes by this machine's clock")]
        let now = chrono::Utc::now();
        let day = |ahead: i64| now + chrono::TimeDelta::days(ahead);
        let one = |ahead: i64| format!("{{ date = {}, working = {working} }}", day(ahead).format("%Y-%m-%d"));
        format!("days = [{}, {}]\n", one(0), one(1))
    };
    let lines = "zone = \"UTC\"\nholidays = \"team\"\n[[environments.shop.schedules]]\nname = \"sundays\"\n\
                 window = \"Sun 00:00-24:00\"\ninside = \"full\"\noutside = \"small\"\n\
                 [calendars.team]\nfile = \"team.toml\"\n";
    let yard = Layout::new()
        .environment_with("shop", lines, &[("app", &[])])
        .environment_with("blog", "", &[("app", &[])])
        .lay();
    yard.write("team.toml", &days(true));
    let serve = yard.serve().await;
    // Worked on: no Sunday, whatever day it is.
    let small = "SELECT COUNT(*) FROM clock_asked WHERE environment = 'shop' AND wanted LIKE '%small%'";
    yard.wait("the first look, by these dates", async || (yard.number(small).await == 1).then_some(())).await;
    yard.shell("next shop 1d").await.exits(0);
    assert_eq!(yard.status(1).await, "");
    // A broken line: this environment goes on by the dates of before, and the others by the file.
    yard.write("team.toml", "days = [\"2026-13-01\"]\n");
    yard.wait("the broken dates", async || serve.err().contains("the configuration was read again").then_some(()))
        .await;
    yard.run(&["check"]).await.says(&["the calendar `team` cannot be read", "team.toml"]).exits(1);
    yard.shell("status").await.says(&["shop", "blog", "NOT MANAGED"]).exits(0);
    // A day off counts as Sunday.
    yard.write("team.toml", &days(false));
    let raised = tokio::time::timeout(PATIENCE, async {
        while !matches!(yard.status(1).await, "succeeded" | "failed" | "partial") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    raised.await.unwrap_or_else(|_| panic!("the dates were not read again: {}", serve.err()));
    assert_eq!(yard.row(1).await.asker.id, ActorId::clock());
    serve.stop().await.exits(0);
    // Started on a broken file, it manages the others.
    yard.write("team.toml", "days = [\"2026-13-01\"]\n");
    let serve = yard.serve().await;
    yard.shell("up blog").await.says(&["blog is at full"]).exits(0);
    serve.stop().await.exits(0);
}
