//! What happens to one that was made, as a table.

use super::*;
use crate::domain::environment::Level;
use crate::domain::ids::RunId;
use crate::domain::request::{AskedAs, RunKind, RunRequest, Target};
use crate::domain::run::Outcome;

const HOUR: i64 = 3_600_000;

fn made(stage: Stage) -> Made {
    let maker = Actor::person(ActorId::local("ito"), "ito");
    let new =
        Made::begins(1, "lt-login".parse().expect("a name"), "loadtest".parse().expect("a name"), maker, Timestamp(0));
    Made { ends: Timestamp(8 * HOUR), latest: Timestamp(100 * HOUR), stage, run: RunNumber(1), ..new }
}

fn run(number: i64, state: RunState) -> RunSummary {
    let environment: EnvironmentName = "lt-login".parse().expect("a name");
    let request = RunRequest {
        kind: RunKind::Up,
        environment,
        target: Target { level: Level::Off, settings: std::collections::BTreeMap::new() },
        before: None,
        stacks: indexmap::IndexMap::new(),
        sizes: Vec::new(),
        asks: false,
        newest_code: false,
        because: None,
        retry_of: None,
        counted: std::collections::BTreeSet::new(),
        scheduled: false,
        until: None,
        asked_as: AskedAs::default(),
        typed_by: None,
        against: std::collections::BTreeSet::new(),
        clears: false,
        by_hand: None,
    };
    RunSummary {
        id: RunId(uuid::Uuid::nil()),
        number: RunNumber(number),
        request,
        state,
        asker: Actor::tidegate(),
        accepted: Timestamp(0),
        started: None,
        ended: None,
        taken_by: None,
        began: false,
        lease_until: None,
        rejected_by: None,
    }
}

/// One that was raised, and of which nobody wanted the end yet.
const RAISED: Seen<'static> = Seen { active: &[], succeeded: true, end: None };

/// A run that destroys, of which nothing was applied.
fn end_run(state: &RunState) -> EndRun<'_> {
    EndRun { state, began: false, broken_off: false, busy: false }
}

fn at(made: &Made, active: &[RunSummary], end: Option<&RunState>, hours: i64) -> Step {
    made.next(&Seen { active, succeeded: false, end: end.map(end_run) }, Timestamp(hours * HOUR))
}

#[test]
fn it_lives_from_its_first_success_is_told_of_its_end_twice_and_is_due_then() {
    let new = made(Stage::Making);
    assert_eq!(at(&new, &[], None, 1), Step::Wait);
    assert_eq!(new.next(&RAISED, Timestamp(1)), Step::Lives);
    let living = made(Stage::Living);
    assert_eq!(at(&living, &[], None, 6), Step::Wait);
    assert_eq!(at(&living, &[], None, 7), Step::Warn(1));
    let told = Made { warned: 1, ..living.clone() };
    assert_eq!(at(&told, &[], None, 7), Step::Wait);
    let quarter = Timestamp(8 * HOUR - WARN_MS[1]);
    assert_eq!(told.next(&RAISED, quarter), Step::Warn(2));
    // Who looks late tells it once.
    assert_eq!(living.next(&RAISED, quarter), Step::Warn(2));
    assert_eq!(at(&Made { warned: 2, ..living.clone() }, &[], None, 8), Step::Due);
    assert_eq!(at(&new, &[], None, 9), Step::Due, "also one that was never raised");
    assert_eq!(at(&made(Stage::Gone), &[], None, 9), Step::Wait);
}

#[test]
fn what_works_is_waited_for_what_waits_is_cancelled_and_a_try_that_failed_is_made_again() {
    let ending = made(Stage::Ending);
    assert_eq!(at(&ending, &[], None, 8), Step::Destroy);
    let question =
        || crate::domain::run::Question::plain(crate::domain::run::QuestionWhy::Previewed, String::new(), Timestamp(0));
    let works = [
        RunState::Planning { approved: None, stop: None },
        RunState::Applying { approved: None, stop: None },
        RunState::Verifying { applied: true, stop: None },
        RunState::AwaitingApproval { question: question(), applied: true },
        RunState::Unknown { stack: "app".parse().expect("a name"), finding: String::new(), look: None },
    ];
    for state in works {
        assert_eq!(at(&ending, &[run(3, state.clone())], None, 8), Step::Wait, "{state:?}");
    }
    for state in
        [RunState::Queued { approved: None }, RunState::AwaitingApproval { question: question(), applied: false }]
    {
        assert_eq!(at(&ending, &[run(4, state.clone())], None, 8), Step::Cancel(RunNumber(4)), "{state:?}");
    }
    let tried = Made { end_run: Some(RunNumber(5)), tries: 1, ..ending.clone() };
    let queued = RunState::Queued { approved: None };
    assert_eq!(at(&tried, &[run(5, queued.clone())], Some(&queued), 8), Step::Wait, "it is its own");
    let ended = |outcome| RunState::Ended { outcome };
    for outcome in [Outcome::Failed, Outcome::Partial, Outcome::Cancelled, Outcome::Refused, Outcome::Expired] {
        assert_eq!(at(&tried, &[], Some(&ended(outcome)), 8), Step::Again, "{outcome:?}");
    }
    let waits = Made { try_at: Some(Timestamp(9 * HOUR)), ..ending };
    assert_eq!((at(&waits, &[], None, 8), at(&waits, &[], None, 9)), (Step::Wait, Step::Destroy));
}

#[test]
fn who_wanted_it_gone_early_and_hears_a_no_has_it_back_until_its_time_is_over() {
    let early = Made { end_run: Some(RunNumber(5)), ended_by: Some(ActorId::local("ito")), ..made(Stage::Ending) };
    let of = |outcome, began, hours| {
        let end = RunState::Ended { outcome };
        let end = EndRun { began, ..end_run(&end) };
        early.next(&Seen { end: Some(end), ..RAISED }, Timestamp(hours * HOUR))
    };
    for outcome in [Outcome::Refused, Outcome::Expired, Outcome::Cancelled, Outcome::Failed] {
        assert_eq!(of(outcome, false, 2), Step::Back, "{outcome:?}: nothing was destroyed");
        assert_eq!(of(outcome, true, 2), Step::Again, "{outcome:?}: what has begun is brought to its end");
        assert_eq!(of(outcome, false, 8), Step::Again, "{outcome:?}: its time is over");
    }
}

#[test]
fn under_a_test_that_runs_one_lives_on_until_it_is_asked_again() {
    let over = Made { warned: 2, ..made(Stage::Living) };
    assert_eq!(at(&over, &[], None, 9), Step::Due);
    let waits = Made { try_at: Some(Timestamp(10 * HOUR)), told: Some("app: a test".to_owned()), ..over };
    assert_eq!((at(&waits, &[], None, 9), at(&waits, &[], None, 10)), (Step::Wait, Step::Due));
    assert!(!waits.is_late(waits.ends) && waits.is_late(Timestamp(9 * HOUR)));
    // The run that was to end it met the test: by its time, and by somebody's word.
    let refused = RunState::Ended { outcome: Outcome::Refused };
    let by_time = Made { end_run: Some(RunNumber(5)), ..made(Stage::Ending) };
    let of = |made: &Made, busy, began| {
        let end = EndRun { began, busy, ..end_run(&refused) };
        made.next(&Seen { end: Some(end), ..RAISED }, Timestamp(9 * HOUR))
    };
    assert_eq!((of(&by_time, true, false), of(&by_time, false, false)), (Step::Back, Step::Again));
    assert_eq!(of(&by_time, true, true), Step::Again, "what has begun is brought to its end");
}

#[test]
fn tries_are_made_at_longer_and_longer_distances_up_to_an_hour() {
    let minutes: Vec<i64> = (1..=9).map(|tries| Made::again(tries, Timestamp(0)).0 / 60_000).collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    assert_eq!(Made::again(i64::MAX, Timestamp(0)).0, HOUR);
}

#[test]
fn what_a_stop_of_tidegate_broke_off_goes_on_for_whoever_wanted_it_gone() {
    let early = Made { end_run: Some(RunNumber(5)), ended_by: Some(ActorId::local("ito")), ..made(Stage::Ending) };
    let of = |made: &Made, outcome, began, hours| {
        let end = RunState::Ended { outcome };
        let end = EndRun { began, broken_off: true, ..end_run(&end) };
        made.next(&Seen { end: Some(end), ..RAISED }, Timestamp(hours * HOUR))
    };
    assert_eq!(of(&early, Outcome::Cancelled, false, 2), Step::Resume);
    // What has begun to be destroyed is brought to its end in any case, and so is one whose time is over.
    assert_eq!(of(&early, Outcome::Cancelled, true, 2), Step::Again);
    assert_eq!(of(&early, Outcome::Cancelled, false, 8), Step::Again);
    assert_eq!(of(&Made { ended_by: None, ..early }, Outcome::Cancelled, false, 2), Step::Again);
}
