//! Runs that are tried again by themselves: which, how often, and when. Only what passes is: too few in service, or an answer of AWS's that is another
//! one a little later. What is wrong in code or configuration stays wrong. Pure.

use super::answer::RunSummary;
use super::failure::{Failure, FailureKind};
use super::ids::Timestamp;
use super::request::RunKind;
use super::run::{Outcome, Phase, RunView, StackState};

/// Most tries that the configuration may ask for.
pub const TRIES_MAX: u32 = 10;

/// Rest before the first try, in milliseconds; each next one is twice as long.
const FIRST_REST_MS: i64 = 60_000;

/// Longest rest, in milliseconds: Auto Scaling itself waits no longer between its own tries.
const REST_MAX_MS: i64 = 15 * 60_000;

/// How long after it is due a try is still begun, in milliseconds: after an outage people decide.
const LATE_MS: i64 = 15 * 60_000;

/// What AWS says where another try a little later may go well. Source: the common errors of EC2 and Auto Scaling.
const PASSING: [&str; 8] = [
    "InsufficientInstanceCapacity",
    "InsufficientHostCapacity",
    "InsufficientAddressCapacity",
    "RequestLimitExceeded",
    "Throttling",
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
];

/// When an ended run is tried again, if it is. `tries`: how many runs it does again already; `most`: how many there may be.
#[must_use]
pub fn due(run: &RunSummary, view: &RunView, tries: u32, most: u32) -> Option<Timestamp> {
    let brings = matches!(run.request.kind, RunKind::Up | RunKind::Scale);
    let short = matches!(run.state.outcome(), Some(Outcome::Partial | Outcome::Failed));
    // What schedules want is tried again within their window.
    if !brings
        || !short
        || run.request.scheduled
        || run.taken_by.is_some()
        || tries >= most
        || view.stopped_by.is_some()
    {
        return None;
    }
    let mut failed = view.stacks.values().filter_map(|stack| match &stack.state {
        StackState::Failed(phase, failure) => Some((*phase, &**failure)),
        StackState::Waiting
        | StackState::Working(..)
        | StackState::Planned
        | StackState::NothingToDo
        | StackState::Applied
        | StackState::Verified
        | StackState::Unknown => None,
    });
    let first = failed.next().is_some_and(|(phase, failure)| passes(phase, failure));
    let all = first && failed.all(|(phase, failure)| passes(phase, failure));
    all.then(|| run.ended.map(|ended| ended.plus_ms(rest_ms(tries))))?
}

/// Whether a try that was due then is begun now.
#[must_use]
pub fn is_time(due: Timestamp, now: Timestamp) -> bool {
    // `ms_since` tells nothing before it.
    now >= due && now.ms_since(due) < LATE_MS
}

fn rest_ms(tries: u32) -> i64 {
    FIRST_REST_MS.saturating_mul(1 << tries.min(10)).min(REST_MAX_MS)
}

fn passes(phase: Phase, failure: &Failure) -> bool {
    match (phase, &failure.kind) {
        (Phase::Verify, FailureKind::NotReady) => true,
        // Also where what was asked for was a role.
        (Phase::Plan | Phase::Apply, FailureKind::Terraform | FailureKind::Credentials) => {
            PASSING.iter().any(|code| failure.summary.contains(code) || failure.detail.contains(code))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_never_is() {
        let failure = |kind: &FailureKind, detail: &str| Failure::new(kind.clone(), "it failed").with_detail(detail);
        for (phase, kind, detail, again) in [
            (Phase::Verify, FailureKind::NotReady, "", true),
            (Phase::Verify, FailureKind::CannotLook, "", false),
            (Phase::Verify, FailureKind::Left, "", false),
            (Phase::Apply, FailureKind::Terraform, "api error InsufficientInstanceCapacity: none", true),
            (Phase::Apply, FailureKind::Terraform, "api error RequestLimitExceeded: wait", true),
            (Phase::Plan, FailureKind::Terraform, "Throttling: Rate exceeded", true),
            (Phase::Apply, FailureKind::Terraform, "InvalidAMIID.NotFound", false),
            (Phase::Plan, FailureKind::Credentials, "Cannot assume IAM Role: Throttling: Rate exceeded", true),
            (Phase::Plan, FailureKind::Credentials, "ExpiredToken: it is over", false),
            (Phase::Plan, FailureKind::Configuration, "Throttling", false),
            (Phase::Apply, FailureKind::Interrupted, "", false),
            (Phase::Apply, FailureKind::Lost, "", false),
        ] {
            assert_eq!(passes(phase, &failure(&kind, detail)), again, "{phase:?} {kind:?} {detail}");
        }
    }

    #[test]
    fn each_rest_is_longer_up_to_a_bound_and_what_was_missed_by_much_is_left_to_people() {
        let rests: Vec<i64> = (0..12).map(|tries| rest_ms(tries) / 60_000).collect();
        assert_eq!(rests, [1, 2, 4, 8, 15, 15, 15, 15, 15, 15, 15, 15]);
        let due = Timestamp(1_000);
        let at = |ms| is_time(due, due.plus_ms(ms));
        assert_eq!([at(-1), at(0), at(LATE_MS - 1), at(LATE_MS)], [false, true, true, false]);
    }
}
