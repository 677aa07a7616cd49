//! Looks at one stack again and again, until its Auto Scaling groups have what was asked for and its probes pass, or until the time is
//! over. What is asked, and how an answer is read, is [`crate::capacity`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Ready, RunContext};
use crate::capacity::state::StateGroup;
use crate::capacity::{Aws, CannotLook, Surroundings, cause, counts, probe};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::probe::{Ask, named};
use crate::domain::readiness::{GroupCount, Readiness};
use crate::domain::run::{Note, RunEvent};
use crate::terraform::{Exit, Query};

/// Rest between two looks: the first, and the longest.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// How long a look that has begun may still take when the time is over: one must have been had.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// Looks in a row that must miss a group: Auto Scaling may not list what was made a moment ago.
const MISSED: u32 = 4;

/// One stack that is waited for.
pub(super) struct Watch<'a> {
    pub(super) run: &'a RunContext,
    pub(super) name: &'a StackName,
    pub(super) ready: &'a Ready,
    pub(super) readiness: &'a Readiness,
    pub(super) groups: Vec<StateGroup>,
    pub(super) probes: Vec<Ask>,
    pub(super) since: Timestamp,
    /// What the card was told last.
    pub(super) told: Option<Note>,
}

/// What one look found.
#[derive(Debug)]
struct Look {
    counts: Vec<GroupCount>,
    /// Probes that do not pass, each with how it was answered.
    failing: Vec<String>,
}

impl Look {
    fn is_there(&self) -> bool {
        self.failing.is_empty() && self.counts.iter().all(GroupCount::is_as_asked)
    }
}

impl Watch<'_> {
    /// Looks until it is so, or until the time is over; then says what it was last.
    pub(super) async fn until(&mut self, until: Instant) -> Result<String, Failure> {
        let mut clients = BTreeMap::new();
        let (mut rest, mut looks, mut missed, mut renewed) = (REST.0, 0_u32, 0_u32, false);
        let mut last: Option<Look> = None;
        let mut trouble: Option<CannotLook>;
        loop {
            // A look that hangs must not make the wait longer than it was to be by much.
            let bound = until.max(Instant::now() + LAST_LOOK);
            let look = match timeout_at(bound, self.look(&mut clients, looks)).await {
                Ok(look) => look,
                Err(_) => Err(CannotLook::Unreachable("no answer in time".to_owned())),
            };
            looks = looks.saturating_add(1);
            match look {
                Ok(look) if look.is_there() => return Ok(self.words(&look)),
                Ok(look) => {
                    (missed, renewed) = (0, false);
                    self.tell(Some(&look), None);
                    (last, trouble) = (Some(look), None);
                }
                Err(CannotLook::Gone(group)) if missed + 1 < MISSED && Instant::now() < until => {
                    missed += 1;
                    trouble = Some(CannotLook::Gone(group));
                }
                // Credentials that are made anew now and then are read again, once.
                Err(CannotLook::Expired(_)) if !renewed => {
                    renewed = true;
                    clients.clear();
                    continue;
                }
                Err(error) if error.passes() => {
                    self.tell(None, Some(error.to_string()));
                    trouble = Some(error);
                }
                Err(error) => return Err(cannot(&error)),
            }
            if Instant::now() >= until {
                return match (last, trouble) {
                    // What was seen before is no proof of what is now.
                    (last, Some(error)) => Err(cannot_any_more(&error, last.as_ref())),
                    (Some(look), None) => self.judge(&look),
                    (None, None) => Err(cannot(&CannotLook::Other("nothing was seen".to_owned()))),
                };
            }
            sleep_until(until.min(Instant::now() + rest)).await;
            rest = (rest * 3 / 2).min(REST.1);
        }
    }

    /// One look at everything. Groups first: probes of slaves that are not there need not be asked.
    async fn look(&self, clients: &mut BTreeMap<String, Aws>, looks: u32) -> Result<Look, CannotLook> {
        let mut counts = Vec::new();
        let surroundings = self.surroundings().await;
        let mut regions: BTreeMap<String, Vec<&StateGroup>> = BTreeMap::new();
        for group in &self.groups {
            regions.entry(surroundings.region(&group.name, group.region())?).or_default().push(group);
        }
        for (region, groups) in regions {
            if !clients.contains_key(&region) {
                let role = self.readiness.role.as_deref();
                clients.insert(region.clone(), Aws::connect(&surroundings, &region, role).await?);
            }
            let Some(aws) = clients.get(&region) else { continue };
            let names: Vec<String> = groups.iter().map(|group| group.name.clone()).collect();
            let seen = aws.groups(&names).await?;
            for group in groups {
                let Some(seen) = seen.iter().find(|seen| seen.name == group.name) else {
                    return Err(CannotLook::Gone(group.name.clone()));
                };
                if !group.is_at(&seen.arn) {
                    let (group, wanted, found) = (group.name.clone(), group.arn.clone(), seen.arn.clone());
                    return Err(CannotLook::Another { group, wanted, found });
                }
                let mut count = counts::count(group, seen, self.readiness);
                // A first look that finds less than all says nothing yet.
                if count.in_service < count.desired && looks > 0 {
                    count.cause = self.cause(aws, &group.name).await;
                }
                counts.push(count);
            }
        }
        counts::tell_apart(&self.groups, &mut counts);
        let mut failing = Vec::new();
        if counts.iter().all(|count| count.is_as_asked() || count.is_enough()) {
            for asks in &self.probes {
                if let Err(how) = self.ask(asks).await {
                    failing.push(format!("{}: {how}", named(asks)));
                }
            }
        }
        Ok(Look { counts, failing })
    }

    /// The stack's variables as they are now: secrets among them may have been made anew.
    async fn surroundings(&self) -> Surroundings {
        let mut env = self.ready.env.clone();
        if let Ok(stack) = self.run.stack(self.name)
            && let Ok(now) = self.run.read_given(self.name, &stack.env).await
        {
            env.extend(now.into_iter().map(|(name, value)| (name.into(), value.into())));
        }
        Surroundings::with(&env)
    }

    /// Why a group has not what it is to have; `None` also where that cannot be told: the count itself is true without it.
    async fn cause(&self, aws: &Aws, group: &str) -> Option<String> {
        match aws.activities(group).await {
            Ok(mut activities) => {
                activities.retain(|activity| activity.began_ms.is_none_or(|began| began >= self.since.0));
                cause::short(&activities)
            }
            Err(error) => {
                tracing::warn!(group, %error, said = error.said(), "the activities of a group cannot be read");
                None
            }
        }
    }

    async fn ask(&self, asks: &Ask) -> Result<(), String> {
        match asks {
            Ask::Tcp(address) => probe::tcp(address).await,
            Ask::Http { url, status } => probe::http(url, *status).await,
            Ask::Command(argv) => self.command(argv).await,
        }
    }

    async fn command(&self, words: &[String]) -> Result<(), String> {
        let Some((program, rest)) = words.split_first() else { return Err("names no program".to_owned()) };
        let args: Vec<_> = rest.iter().map(Into::into).collect();
        let query = Query {
            program: program.as_ref(),
            args: &args,
            cwd: &self.ready.root,
            env: &self.ready.env,
            timeout: probe::PATIENCE,
            limit: 1 << 20,
        };
        match query.run().await {
            Ok(finished) if finished.exit == Exit::Code(0) => Ok(()),
            Ok(finished) => {
                let said = finished.stderr.lines().next_back().unwrap_or_default().trim();
                let said = if said.is_empty() { String::new() } else { format!(", {said}") };
                let how = match finished.exit {
                    Exit::Code(code) => format!("exit status {code}"),
                    other => format!("{other:?}"),
                };
                Err(self.ready.redactor.redact(&format!("{how}{said}")).into_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Tells the card, where there is news.
    fn tell(&mut self, look: Option<&Look>, trouble: Option<String>) {
        let note = match look {
            Some(look) if !look.failing.is_empty() => {
                if !look.counts.is_empty() {
                    self.note(Note::InService { groups: look.counts.clone(), trouble: None });
                }
                let failing = look.failing.iter().map(|how| self.ready.redactor.redact(how).into_owned());
                Note::NotReady { probes: failing.collect() }
            }
            Some(look) => Note::InService { groups: look.counts.clone(), trouble },
            None => {
                let groups = match &self.told {
                    Some(Note::InService { groups, .. }) => groups.clone(),
                    _ => Vec::new(),
                };
                Note::InService { groups, trouble }
            }
        };
        if self.told.as_ref() != Some(&note) {
            self.note(note.clone());
            self.told = Some(note);
        }
    }

    fn note(&self, note: Note) {
        // What AWS and probes say is others' text.
        let note = self.ready.redactor.redact_note(note);
        self.run.event(RunEvent::StackNoted { stack: self.name.clone(), note });
    }

    /// What is there, in words.
    fn words(&self, look: &Look) -> String {
        if !look.counts.is_empty() {
            self.note(Note::InService { groups: look.counts.clone(), trouble: None });
        }
        let groups = look.counts.iter().map(counts::words);
        let words = groups.chain(self.probes.iter().map(named)).collect::<Vec<_>>().join("; ");
        self.ready.redactor.redact(&words).into_owned()
    }

    /// What the time being over means for what was seen last.
    fn judge(&self, look: &Look) -> Result<String, Failure> {
        let missing: Vec<&GroupCount> = look.counts.iter().filter(|count| !count.is_as_asked()).collect();
        if look.failing.is_empty() && missing.iter().all(|count| count.is_enough() && count.terminating == 0) {
            return Ok(self.words(look));
        }
        let facts = missing.iter().map(|count| counts::words(count)).chain(look.failing.iter().cloned());
        let summary = facts.collect::<Vec<_>>().join("; ");
        let causes = missing.iter().filter_map(|count| Some(format!("{}: {}", count.label, count.cause.as_ref()?)));
        let detail = causes.collect::<Vec<_>>().join("\n");
        Err(self.ready.redactor.redact_failure(Failure::new(FailureKind::NotReady, summary).with_detail(detail)))
    }
}

/// Nobody can say whether it is in service.
fn cannot(error: &CannotLook) -> Failure {
    let summary = format!("whether it is in service cannot be told: {error}");
    let lines = [error.said(), error.next_step()].into_iter().filter(|line| !line.is_empty());
    Failure::new(FailureKind::CannotLook, summary).with_detail(lines.collect::<Vec<_>>().join("\n"))
}

/// The same, with what was seen before.
fn cannot_any_more(error: &CannotLook, last: Option<&Look>) -> Failure {
    let failure = cannot(error);
    let seen: Vec<String> = last.into_iter().flat_map(|look| &look.counts).map(counts::words).collect();
    if seen.is_empty() {
        return failure;
    }
    let detail = format!("seen last: {}\n{}", seen.join("; "), failure.detail);
    failure.with_detail(detail)
}
