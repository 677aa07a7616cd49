//! `shell -c`: one command, its answer, its run to the end, and an exit status that says what became of it.

use std::collections::BTreeSet;
use std::process::ExitCode;

use tidegate_runner::desk::{Desk, DeskError};
use tidegate_runner::domain::answer::{Actor, RunDetail, RunSummary};
use tidegate_runner::domain::by_hand::BY_HAND;
use tidegate_runner::domain::command::Order;
use tidegate_runner::domain::holds::News;
use tidegate_runner::domain::ids::RunNumber;
use tidegate_runner::domain::rollout::{Came, Rollout};
use tidegate_runner::domain::run::{Outcome, RunState};
use tidegate_runner::signals::Signals;

use super::save::saved;
use super::{DOOR, Screen, local_zone, message};
use crate::cards::{self, Card, duration};
use crate::conversation::{self, Hope, Verdict, exit_status};
use crate::follow::{Rest, follow};
use tidegate_runner::house::House;

/// Exit status for a fault of ours.
const FAULT: u8 = 1;

/// What `-c` was told.
#[derive(Debug)]
pub struct Once {
    /// The command.
    pub line: String,
    /// Wait for the end of its run.
    pub wait: bool,
    /// What it means, where it is not to be read as a chat's words; then what Terraform printed is told at the end.
    pub given: Option<ByCommandLine>,
}

/// An order that the command line has read itself.
#[derive(Debug)]
pub struct ByCommandLine {
    /// What.
    pub order: Order,
    /// Why.
    pub because: Option<String>,
}

/// Runs one command.
pub async fn once(mut house: House, actor: Actor, once: &Once, mut screen: Screen) -> ExitCode {
    if !once.wait && !house.an_engine_lives().await {
        let what = "`--no-wait` needs a process that carries out runs, and none lives: start `tidegate serve`, or leave it out";
        return crate::cli::fail(what);
    }
    // From before anything is accepted: who presses Ctrl-C meanwhile is told all the same what was.
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return crate::cli::fail(&format!("cannot listen for signals: {error}")),
    };
    let mut waits = once.wait;
    let reply = {
        let message = message(&actor, &once.line);
        let mut reply = Box::pin(async {
            match &once.given {
                Some(ByCommandLine { order, because }) => {
                    conversation::ordered(&house.desk, &message, order, because.clone(), local_zone()).await
                }
                None => conversation::reply(&house.desk, &message, local_zone()).await,
            }
        });
        tokio::select! {
            reply = &mut reply => reply,
            _ = signals.came() => {
                waits = false;
                tokio::select! {
                    reply = &mut reply => reply,
                    _ = signals.came() => return left_unanswered(&mut screen),
                }
            }
        }
    };
    let reply = saved(reply);
    screen.card(&reply.card);
    let stopping = reply.stopping.iter().map(|run| (*run, Hope::Still));
    let awaited: Vec<(RunNumber, Hope)> =
        reply.follow.into_iter().filter(|(_, hope)| *hope != Hope::Heard).chain(stopping).collect();
    let rollout = reply.rollout.filter(|_| reply.verdict == Verdict::Done);
    let status = match reply.verdict {
        Verdict::Done if rollout.is_some() && waits && house.may_be_engine() => {
            house.start_engine();
            return wait_for_many(house, &actor, rollout.unwrap_or_default(), signals, &mut screen).await;
        }
        Verdict::Done if awaited.is_empty() => 0,
        Verdict::Done if waits && !house.may_be_engine() && !house.an_engine_lives().await => {
            let what = "Nothing carries out runs now; this is done when something does: put the configuration right";
            screen.note(&format!("{what} and start `tidegate serve`."));
            worst(awaited.iter().map(|(_, hope)| exit_status(*hope, None)))
        }
        Verdict::Done if waits => {
            house.start_engine();
            let prints = once.given.is_some();
            return Box::pin(wait(house, &actor, &awaited, prints, signals, &mut screen)).await;
        }
        Verdict::Done if once.wait => return leave(house, &mut signals, &awaited, &mut screen).await,
        Verdict::Done => 0,
        Verdict::NotUnderstood => 2,
        Verdict::Refused | Verdict::Repeated => 3,
        Verdict::Fault => FAULT,
    };
    house.close().await;
    ExitCode::from(status)
}

/// One exit status for several runs: that nobody can say outweighs that one failed.
fn worst(all: impl Iterator<Item = u8>) -> u8 {
    all.max().unwrap_or_default()
}

/// Ends without the answer, which may come to be all the same.
fn left_unanswered(screen: &mut Screen) -> ExitCode {
    screen.note("Not waiting for the answer. `history` shows whether it was accepted.");
    ExitCode::from(exit_status(Hope::Success, None))
}

/// What ended the following of a run.
enum Stopped {
    /// Its end, or that nobody knows it.
    Rest(Result<Rest, DeskError>),
    /// A signal.
    Signal,
    /// That nothing carries it out, and why.
    Nobody(String),
}

/// Waits for the end of each of these in turn.
async fn wait(
    house: House,
    actor: &Actor,
    awaited: &[(RunNumber, Hope)],
    prints: bool,
    mut signals: Signals,
    screen: &mut Screen,
) -> ExitCode {
    let mut all = Vec::new();
    for (at, &(run, hope)) in awaited.iter().enumerate() {
        let mut told = false;
        let show = |card: &Card, detail: &RunDetail, last: bool| {
            screen.live(card, last);
            if let RunState::AwaitingApproval { question, .. } = &detail.run.state
                && !told
            {
                told = true;
                screen.note(&cards::waits_in_shell(&detail.run, question));
            }
        };
        let came = {
            let reader = message(actor, "");
            let mut following = Box::pin(follow(&house.desk, &house.bell, run, &reader, local_zone(), show));
            tokio::select! {
                rest = &mut following => Stopped::Rest(rest),
                // As where Terraform itself sits in the terminal: it is asked to stop, and waited for.
                _ = signals.came() => if prints {
                    stop(&house, actor, run).await;
                    tokio::select! {
                        rest = &mut following => Stopped::Rest(rest),
                        _ = signals.came() => Stopped::Signal,
                    }
                } else {
                    Stopped::Signal
                },
                why = house.nobody_works() => Stopped::Nobody(why),
            }
        };
        let rest = match came {
            Stopped::Rest(rest) => Some(rest),
            Stopped::Signal => None,
            Stopped::Nobody(why) => {
                return strand(house, all, awaited.get(at..).unwrap_or_default(), &why, screen).await;
            }
        };
        all.push(match rest {
            Some(Ok(Rest::Ended(outcome))) => exit_status(hope, Some(outcome)),
            Some(Ok(Rest::Unknown)) => exit_status(hope, None),
            Some(Err(error)) => {
                screen.card(&conversation::fault(&house.desk, &error).card);
                FAULT
            }
            None => return leave(house, &mut signals, awaited.get(at..).unwrap_or_default(), screen).await,
        });
        if prints {
            print(&house, run, screen).await;
        }
        if let Err(error) = house.desk.told(DOOR, actor, run).await {
            tracing::warn!(%error, "a message will be shown again at the next start");
        }
    }
    // Runs of others may be in this engine's hands too.
    tokio::select! {
        () = house.close() => {}
        _ = signals.came() => {}
    }
    ExitCode::from(worst(all.into_iter()))
}

/// Asks Terraform to stop, as `cancel` does.
async fn stop(house: &House, actor: &Actor, run: RunNumber) {
    let order = Order::Cancel { run: Some(run), force: false };
    if let Err(error) = house.desk.submit(&message(actor, &format!("cancel {run}")), &order, None).await {
        tracing::warn!(%error, "a run could not be asked to stop");
    }
}

/// Prints what Terraform itself printed for what was given it by hand, as it is kept: without secrets.
async fn print(house: &House, run: RunNumber, screen: &mut Screen) {
    let log = match house.desk.whole_log(run, None).await {
        Ok(log) => log,
        Err(error) => {
            screen.note(&format!("What Terraform printed cannot be told: {error}"));
            return;
        }
    };
    let mut printed = false;
    for part in log.parts.iter().filter(|part| part.phase == BY_HAND) {
        printed = printed || part.lines.iter().any(|line| !line.trim().is_empty());
        screen.text(&part.lines);
    }
    if !printed && let Ok(found) = house.desk.find(run).await {
        screen_of_nothing(&found, screen);
    }
}

/// Says that Terraform printed nothing where it was asked for just that, and was heard to the end.
fn screen_of_nothing(run: &RunSummary, screen: &mut Screen) {
    let looked = run.request.by_hand.as_ref().filter(|by_hand| by_hand.args.only_looks());
    if let Some(by_hand) = looked.filter(|_| run.state.outcome() == Some(Outcome::Planned)) {
        screen.note(&cards::printed_nothing(by_hand));
    }
}

/// Waits for the end of a change of many environments.
async fn wait_for_many(
    house: House,
    actor: &Actor,
    number: i64,
    mut signals: Signals,
    screen: &mut Screen,
) -> ExitCode {
    /// Other processes may bring it further, and ring no bell here.
    const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);
    let mut listener = house.bell.listen();
    let mut asked = BTreeSet::new();
    let status = loop {
        match house.desk.rollout(number).await {
            Ok(Some(rollout)) if rollout.ended.is_some() && !still_works(&house.desk, &rollout).await => {
                screen.card(&cards::end_of_rollout(&rollout));
                if let Err(error) = told_of(&house, actor, number).await {
                    tracing::warn!(%error, "a message will be shown again at the next start");
                }
                let good = rollout.items.iter().all(|item| item.came.as_ref().is_some_and(Came::is_good));
                break if good { 0 } else { exit_status(Hope::Success, Some(Outcome::Failed)) };
            }
            Ok(Some(rollout)) => tell_questions(&house.desk, &rollout, &mut asked, screen).await,
            Ok(None) => break FAULT,
            Err(error) => {
                screen.card(&conversation::fault(&house.desk, &error).card);
                break FAULT;
            }
        }
        tokio::select! {
            () = listener.heard() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = signals.came() => {
                screen.note("Not waiting any longer. It goes on while something carries out runs: `status @GROUP`, `cancel @GROUP`.");
                break exit_status(Hope::Success, None);
            }
            why = house.nobody_works() => {
                screen.note(&format!("Nothing carries it out: {why}. It goes on when that is put right."));
                break exit_status(Hope::Success, None);
            }
        }
    };
    tokio::select! {
        () = house.close() => {}
        _ = signals.came() => {}
    }
    ExitCode::from(status)
}

/// Tells which of its runs wait for a yes, each once: nothing goes on before that.
async fn tell_questions(desk: &Desk, rollout: &Rollout, asked: &mut BTreeSet<RunNumber>, screen: &mut Screen) {
    for item in rollout.items.iter().filter(|item| item.came.is_none()) {
        let Some(run) = item.run else { continue };
        let waits = |run: RunSummary| matches!(run.state, RunState::AwaitingApproval { .. });
        if !asked.contains(&run) && desk.find(run).await.is_ok_and(waits) {
            asked.insert(run);
            let name = &item.environment;
            screen.note(&format!(
                "{name} waits for a yes: `show {run}` tells for what, then `approve {run}` or `reject {run}`."
            ));
        }
    }
}

/// Whether something of it goes on that will be over by itself: somebody has stopped it, and its runs break off.
async fn still_works(desk: &Desk, rollout: &Rollout) -> bool {
    for run in rollout.items.iter().filter(|item| item.came.is_none()).filter_map(|item| item.run) {
        if desk.find(run).await.is_ok_and(|run| !matches!(run.state, RunState::Unknown { .. })) {
            return true;
        }
    }
    false
}

/// Who has read it here need not be told by the next shell.
async fn told_of(house: &House, actor: &Actor, number: i64) -> Result<(), DeskError> {
    for untold in house.desk.news(DOOR, actor).await? {
        if matches!(&untold.news, News::Rollout(rollout) if rollout.number == number) {
            house.desk.news_told(&untold).await?;
        }
    }
    Ok(())
}

/// Ends before these runs do: nothing carries them out. `all`: the exit statuses of those that have ended.
async fn strand(
    house: House,
    mut all: Vec<u8>,
    awaited: &[(RunNumber, Hope)],
    why: &str,
    screen: &mut Screen,
) -> ExitCode {
    screen.leave_live();
    let desk = house.desk.clone();
    for (run, hope) in awaited {
        let state = desk.find(*run).await.ok().map(|run| run.state);
        let ended = state.as_ref().is_some_and(RunState::ended);
        if !ended {
            screen.note(&format!(
                "Nothing carries out run {run}: {why}. It stays as it is until that is put right, or `tidegate serve` runs where it can."
            ));
        }
        if matches!(state, Some(RunState::Queued { .. })) {
            screen.note(&format!("It has not begun: `cancel {run}` takes it back."));
        }
        all.push(exit_status(*hope, state.and_then(|state| state.outcome())));
    }
    house.close().await;
    ExitCode::from(worst(all.into_iter()))
}

/// Ends before these runs do. Where this process carries them out, it drains, until a second signal does not wait for that either.
async fn leave(
    mut house: House,
    signals: &mut Signals,
    awaited: &[(RunNumber, Hope)],
    screen: &mut Screen,
) -> ExitCode {
    screen.leave_live();
    for (run, _) in awaited {
        screen.note(&format!("Not waiting any longer. Run {run} is not over: `show {run}`, `cancel {run}`."));
    }
    if !house.has_engine() && !house.an_engine_lives().await {
        screen.note(cards::NOBODY_WORKS);
    } else if house.is_engine().await {
        let limit = duration(i64::from(house.config().runner.drain_s) * 1_000);
        screen.note(&format!(
            "This process carries it out, and goes on with what has begun for at most {limit}, then it is asked to stop. \
             Ctrl-C leaves at once: Terraform goes on by itself, and the next start finds it again."
        ));
    }
    let desk = house.desk.clone();
    tokio::select! {
        () = house.close() => {}
        _ = signals.came() => {}
    }
    let mut all = Vec::new();
    for (run, hope) in awaited {
        let outcome = desk.find(*run).await.ok().and_then(|run| run.state.outcome());
        all.push(exit_status(*hope, outcome));
    }
    ExitCode::from(worst(all.into_iter()))
}
