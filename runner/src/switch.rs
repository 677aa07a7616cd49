//! Writes, moves and takes away the scheduled action by which AWS ends slaves that outlive their time: where the configuration names
//! groups for it, two hours after the planned end. When that is, [`crate::domain::switch`] alone says.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use crate::agenda::Diary;
use crate::bell::Bell;
use crate::capacity::{Aws, CannotLook, Surroundings, state};
use crate::config::Config;
use crate::desk::{Desk, DeskError};
use crate::domain::answer::Actor;
use crate::domain::audit::SWITCH;
use crate::domain::environment::Stack;
use crate::domain::holds::{Hold, Kind};
use crate::domain::ids::Timestamp;
use crate::domain::protect::protects;
use crate::domain::request::Target;
use crate::domain::schedule::{level_at, timeline};
use crate::domain::switch::{self, AHEAD_MS, Held, Outlook, Switch, decide};
use crate::ledger::audit::{Entry, append};
use crate::ledger::scaling_groups::{self, ScalingGroup};
use crate::ledger::{LedgerError, Store, holds, outbox};
use crate::secrets::Secrets;

/// Longest that nothing is looked at.
const LONGEST: Duration = Duration::from_secs(20);

/// Rest after a group that could not be written, in milliseconds.
const AGAIN_MS: i64 = 60_000;

/// Whoever keeps the switches of one process.
#[derive(Debug)]
pub struct Switches {
    desk: Desk,
    store: Store,
    secrets: Secrets,
    /// By ARN: when it is tried again, and why it could not be written.
    failed: BTreeMap<String, (Timestamp, String)>,
}

impl Switches {
    /// One that has not looked yet.
    #[must_use]
    pub fn new(desk: Desk, store: Store, secrets: Secrets) -> Self {
        Self { desk, store, secrets, failed: BTreeMap::new() }
    }

    /// Writes what is not as it should be at `now`. True where something was written, or told of a failure.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn look(&mut self, now: Timestamp) -> Result<bool, DeskError> {
        let config = self.desk.config();
        let groups = scaling_groups::all(&self.store).await?;
        let named = |group: &ScalingGroup| stack_of(&config, group).is_some_and(|stack| is_named(stack, group));
        if groups.iter().all(|group| group.ends.is_none() && !named(group)) {
            return Ok(false);
        }
        let standing = holds::standing(&self.store).await?;
        let diaries = self.desk.diaries().all(&self.store, &config, now).await?;
        let mut news = false;
        for diary in &diaries {
            let of_it = groups.iter().filter(|group| group.environment == diary.environment().name);
            let of_it: Vec<&ScalingGroup> = of_it.collect();
            // What is known of it only in part says nothing about when its slaves may end: the end that stands is left.
            if of_it.is_empty() || !diary.unread.is_empty() {
                continue;
            }
            let (outlook, ways) = outlook(diary, &standing, now);
            let switch = decide(&outlook, now);
            for group in of_it {
                let Some(stack) = stack_of(&config, group) else { continue };
                let ends = match switch {
                    _ if !is_named(stack, group) => None,
                    Switch::Leave => continue,
                    Switch::At(at) => Some(at),
                    Switch::Off => None,
                };
                if ends != group.ends && self.failed.get(&group.arn).is_none_or(|(again, _)| *again <= now) {
                    news |= self.write(stack, group, ends, (diary, &ways), now).await?;
                }
            }
        }
        let known: BTreeSet<&String> = groups.iter().map(|group| &group.arn).collect();
        self.failed.retain(|arn, _| known.contains(arn));
        Ok(news)
    }

    async fn write(
        &mut self,
        stack: &Stack,
        group: &ScalingGroup,
        ends: Option<Timestamp>,
        (diary, ways): (&Diary<'_>, &Ways),
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        let left = |desired| match (&ways.0, &ways.1) {
            (Some(wanted), Some(lower)) => switch::left(diary.environment(), stack, wanted, lower, desired),
            _ => 0,
        };
        let why = match self.ask(stack, group, ends, left).await {
            Ok(()) => {
                self.failed.remove(&group.arn);
                let mut tx = self.store.begin().await?;
                if scaling_groups::set_ends(&mut tx, group, ends).await? {
                    let detail =
                        json!({ "stack": group.stack, "group": group.name, "ends": ends, "before": group.ends });
                    let tidegate = Actor::tidegate();
                    let because = Some(match ends {
                        Some(_) => "AWS ends its instances then, unless the end is moved",
                        None => "nothing ends its instances but whoever lowers it",
                    });
                    let entry = Entry::of_tidegate(&tidegate, SWITCH);
                    let environment = Some(&group.environment);
                    append(&mut tx, &Entry { environment, because, detail: Some(&detail), ..entry }).await?;
                }
                tx.commit().await?;
                tracing::info!(environment = %group.environment, group = group.name, ends_ms = ends.map(|at| at.0), "the end by AWS is set");
                return Ok(true);
            }
            Err(why) => why,
        };
        let text = format!("{why}{}{}", if why.said().is_empty() { "" } else { ": " }, why.said());
        let told = self.failed.insert(group.arn.clone(), (now.plus_ms(AGAIN_MS), text.clone()));
        if told.is_some_and(|(_, told)| told == text) {
            return Ok(false);
        }
        tracing::error!(environment = %group.environment, group = group.name, why = text, "the end by AWS cannot be set; trying again");
        // It may be an end that stands and should not: people must hear of it.
        let now = match group.ends {
            Some(_) => "stays as it was written before",
            None => "is not written",
        };
        let text = format!(
            "{}: the end by AWS of the group {} {now}: {text}. Next: {}; it is tried again each minute.",
            group.environment,
            group.name,
            why.next_step()
        );
        let mut tx = self.store.begin().await?;
        outbox::put_notice(&mut tx, self.desk.config().chat.doors(), &text).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn ask(
        &self,
        stack: &Stack,
        group: &ScalingGroup,
        ends: Option<Timestamp>,
        left: impl Fn(u32) -> u32,
    ) -> Result<(), CannotLook> {
        let env = self.secrets.texts(&stack.env).await;
        let env = env.map_err(|error| CannotLook::NoCredentials(error.to_string()))?;
        let env: Vec<(OsString, OsString)> = env.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let surroundings = Surroundings::with(&env);
        let region = surroundings.region(&group.name, state::region_of(&group.arn))?;
        let role = stack.readiness.planned_end.role.as_deref();
        let aws = Aws::connect(&surroundings, &region, role).await?;
        let seen = aws.groups(std::slice::from_ref(&group.name)).await?;
        let Some(seen) = seen.into_iter().find(|seen| seen.name == group.name) else {
            // What is gone has nothing to end.
            return if ends.is_none() { Ok(()) } else { Err(CannotLook::Gone(group.name.clone())) };
        };
        if !state::is_same_group(&group.arn, &seen.arn) {
            let (wanted, found) = (group.arn.clone(), seen.arn);
            return Err(CannotLook::Another { group: group.name.clone(), wanted, found });
        }
        match ends {
            Some(at) => aws.end_at(&group.name, at, left(seen.desired)).await,
            None => aws.end_never(&group.name).await,
        }
    }
}

fn stack_of<'c>(config: &'c Config, group: &ScalingGroup) -> Option<&'c Stack> {
    config.environments.get(&group.environment)?.stacks.get(&group.stack)
}

fn is_named(stack: &Stack, group: &ScalingGroup) -> bool {
    stack.readiness.planned_end.groups.iter().any(|pattern| protects(pattern, &group.address))
}

/// Where an environment is wanted, and where it is to be when it is lowered next.
type Ways = (Option<Target>, Option<Target>);

fn outlook(diary: &Diary<'_>, standing: &[Hold], now: Timestamp) -> (Outlook, Ways) {
    let environment = diary.environment();
    let agenda = diary.agenda();
    let wanted = diary.wanted.as_ref().and_then(|target| environment.rank(&target.level));
    let asked = level_at(&agenda, now).and_then(|standing| environment.rank(&standing.wanted.level));
    let coming = timeline(&agenda, now.plus_ms(1), now.plus_ms(AHEAD_MS));
    let lower = coming.iter().find(|next| environment.rank(&next.wanted.level) < wanted);
    let mut held = Held::Not;
    for hold in standing.iter().filter(|hold| hold.is_about(&environment.name) && hold.stands(now)) {
        held = match (hold.kind, hold.until, held) {
            // It is among what people ask for.
            (Kind::Keep | Kind::Booking, _, held) | (_, _, held @ Held::Open) => held,
            (Kind::Hold | Kind::Freeze | Kind::Stop, None, _) => Held::Open,
            (Kind::Hold | Kind::Freeze | Kind::Stop, Some(until), Held::Not) => Held::Until(until),
            (Kind::Hold | Kind::Freeze | Kind::Stop, Some(until), Held::Until(other)) => Held::Until(until.max(other)),
        };
    }
    let ways = (diary.wanted.clone(), lower.map(|next| next.wanted.clone()));
    (Outlook { wanted, asked, lowers: lower.map(|next| next.at), held }, ways)
}

/// Looks whenever something is new. Never returns.
pub async fn run(desk: Desk, store: Store, secrets: Secrets, bell: Bell, mut config: watch::Receiver<Arc<Config>>) {
    let mut switches = Switches::new(desk, store.clone(), secrets);
    let mut listener = bell.listen();
    let mut told: Option<String> = None;
    loop {
        let looked = match store.now().await {
            Ok(now) => switches.look(now).await,
            Err(error) => Err(LedgerError::into(error)),
        };
        match looked {
            Ok(news) => {
                told = None;
                if news {
                    bell.ring();
                }
            }
            Err(error) => {
                let why = error.to_string();
                if told.as_ref() != Some(&why) {
                    tracing::error!(why, "the ends by AWS cannot be looked at; trying again");
                }
                told = Some(why);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LONGEST) => {}
            // Several things happen together as a rule.
            () = async { listener.heard().await; tokio::time::sleep(Duration::from_secs(2)).await } => {}
            // Once nobody can change it any more, only the others are waited for.
            Ok(()) = config.changed() => {}
        }
    }
}
