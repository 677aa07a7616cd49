//! What goes on beside listening, each in a loop of its own so that nothing waits for anything else: keeping the right to speak, cards,
//! letters, what was left unanswered, what is shown beside messages, what was missed.

use std::time::Duration;

use tidegate_runner::bell::Bell;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ear::Ear;
use super::missed::Missed;
use super::mouth::Mouth;
use super::scribe::Scribe;
use super::wait;
use super::whereabouts::Rounds;

/// Between two looks at the ledger when no bell rings, and after each.
const LOOK: Duration = Duration::from_secs(1);
const BREATH: Duration = Duration::from_millis(100);

/// Between two looks for messages that nobody answers.
const SWEEP: Duration = Duration::from_secs(5);

/// Between two lines about the chat's health.
const HEALTH: Duration = Duration::from_mins(5);

/// What was begun when told to stop has so long to end.
const LAST: Duration = Duration::from_secs(3);

/// Works until told to stop; what was begun lands, the rest lies in the outbox.
pub(in crate::chat) async fn speak(
    ear: Ear,
    mouth: Mouth,
    bell: &Bell,
    missed: Missed,
    stop: &mut watch::Receiver<bool>,
) {
    let right = mouth.right.clone();
    let mut loops = JoinSet::new();
    loops.spawn(cards(mouth.clone(), bell.clone(), stop.clone()));
    loops.spawn(letters(mouth.clone(), bell.clone(), stop.clone()));
    loops.spawn(answers(ear.clone(), stop.clone()));
    loops.spawn(beside(ear.clone(), mouth.clone(), stop.clone()));
    loops.spawn(missed.read_on(right.clone(), stop.clone()));
    right.keep(stop).await;
    let ended = async { while loops.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST, ended).await.is_err() {
        tracing::debug!("something in a chat is cut off");
    }
    tokio::time::sleep(LOOK).await;
    right.give_back().await;
}

/// Until the bell rings, some time is over, or it is to stop.
async fn next(listener: &mut tidegate_runner::bell::Listener, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = listener.heard() => {}
        () = tokio::time::sleep(LOOK) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    tokio::time::sleep(BREATH).await;
}

async fn cards(mouth: Mouth, bell: Bell, mut stop: watch::Receiver<bool>) {
    let mut listener = bell.listen();
    let mut scribe: Option<Scribe> = None;
    loop {
        let last = *stop.borrow();
        match mouth.right.since() {
            Some(since) => {
                let scribe = scribe.get_or_insert_with(|| Scribe::new(mouth.clone(), since));
                if let Err(error) = scribe.look().await {
                    tracing::error!(%error, "runs cannot be told of now");
                }
            }
            None => scribe = None,
        }
        if last {
            return;
        }
        next(&mut listener, &mut stop).await;
    }
}

async fn letters(mouth: Mouth, bell: Bell, mut stop: watch::Receiver<bool>) {
    let mut listener = bell.listen();
    loop {
        let last = *stop.borrow();
        if mouth.right.since().is_some()
            && let Err(error) = mouth.send().await
        {
            tracing::error!(%error, "the outbox cannot be read");
        }
        if last {
            return;
        }
        next(&mut listener, &mut stop).await;
    }
}

async fn answers(ear: Ear, mut stop: watch::Receiver<bool>) {
    loop {
        ear.sweep().await;
        if wait(SWEEP, &mut stop).await {
            return;
        }
    }
}

/// What is shown beside messages, and how the chat is.
async fn beside(ear: Ear, mouth: Mouth, mut stop: watch::Receiver<bool>) {
    let (mut healthy, mut rounds) = (Instant::now(), Rounds::default());
    loop {
        let speaks = mouth.right.since().is_some();
        ear.platform.refresh(&ear, speaks).await;
        if speaks {
            rounds.look(&mouth, &ear).await;
            mouth.tell_whether_heard(&ear).await;
            mouth.tell_whether_asked(&ear).await;
            mouth.look_for_people().await;
            mouth.look_for_members().await;
        } else {
            // Whoever speaks looks at all of them.
            (rounds, _) = (Rounds::default(), ear.take_moved());
            mouth.forget_troubles().await;
        }
        if healthy.elapsed() >= HEALTH {
            healthy = Instant::now();
            let age_s = ear.vital.age().map(|age| age.as_secs());
            tracing::info!(chat = ear.door(), age_s, speaks = mouth.right.since().is_some(), "age of the last event");
        }
        if wait(SWEEP, &mut stop).await {
            return;
        }
    }
}
