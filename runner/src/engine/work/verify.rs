//! Waits until a stack is in service: its Auto Scaling groups have what was asked for, its probes pass. What is asked, and how the
//! answer is read, is [`crate::capacity`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Ready, Report, RunContext};
use crate::capacity::state::{self, StateFacts, StateGroup};
use crate::capacity::{Aws, CannotLook, Surroundings, cause, counts, probe};
use crate::domain::failure::{Failure, FailureKind};
use crate::domain::ids::{StackName, Timestamp};
use crate::domain::probe::{Ask, filled, named};
use crate::domain::readiness::{GroupCount, Readiness};
use crate::domain::run::{Note, RunEvent};
use crate::terraform::{Exit, Query, command};

/// Rest between two looks: the first, and the longest.
const REST: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// How long a look that has begun may still take when the time is over: one must have been had.
const LAST_LOOK: Duration = Duration::from_secs(30);

/// How long reading the state may take.
const STATE_PATIENCE: Duration = Duration::from_mins(2);

/// The largest state that is read, in bytes.
const STATE_MAX: u64 = 256 << 20;

/// Looks in a row that must miss a group: Auto Scaling may not list what was made a moment ago.
const MISSED: u32 = 4;

/// Waits until `stack` is in service and reports what was seen. `spent`: how much of its time is over already. `since`: activities of
/// its groups before that are of other changes.
pub async fn verify(run: &RunContext, stack: StackName, spent: Duration, since: Timestamp) {
    let result = run.wait_until_there(&stack, spent, since).await;
    run.report(Report::Seen(stack, result));
}

impl RunContext {
    async fn wait_until_there(&self, name: &StackName, spent: Duration, since: Timestamp) -> Result<String, Failure> {
        let mut stop = self.stop.clone();
        tokio::select! {
            result = self.watch(name, spent, since) => result,
            // Without a sender nobody can wish for anything any more.
            Ok(_) = stop.wait_for(Option::is_some) => {
                Err(Failure::new(FailureKind::Interrupted, "stopped while it was waited for; what was applied stays"))
            }
        }
    }

    async fn watch(&self, name: &StackName, spent: Duration, since: Timestamp) -> Result<String, Failure> {
        let readiness = self.stack(name)?.readiness.clone();
        let ready = self.ready_again(name).await?;
        let facts = self.facts(name, &ready, &readiness).await?;
        let probes = self.probes(&readiness, &facts)?;
        let within = Duration::from_secs(u64::from(readiness.within_s));
        let until = Instant::now() + within.saturating_sub(spent);
        let groups = if readiness.groups { facts.groups } else { Vec::new() };
        let mut watch =
            Watch { run: self, name, ready: &ready, readiness: &readiness, groups, probes, since, told: None };
        watch.until(until).await
    }

    /// What the state tells, where it matters.
    async fn facts(&self, name: &StackName, ready: &Ready, readiness: &Readiness) -> Result<StateFacts, Failure> {
        let names_outputs = |asks: &Ask| {
            crate::domain::probe::texts(asks)
                .any(|text| crate::domain::probe::outputs_in(text).is_ok_and(|names| !names.is_empty()))
        };
        let level = &self.request.target.level;
        if !readiness.groups && !readiness.probes_at(level).any(|probe| names_outputs(&probe.asks)) {
            return Ok(StateFacts::default());
        }
        let cannot = |detail: String| {
            let summary =
                format!("what is in the state of {name} cannot be read, so whether it is in service cannot be told");
            Failure::new(FailureKind::CannotLook, summary).with_detail(detail)
        };
        let args = command::state_pull();
        let query = Query {
            program: &ready.tool.program,
            args: &args,
            cwd: &ready.root,
            env: &ready.env,
            timeout: STATE_PATIENCE,
            limit: STATE_MAX,
        };
        let finished = query.run().await.map_err(|error| cannot(error.to_string()))?;
        if finished.exit != Exit::Code(0) {
            return Err(cannot(ready.redactor.redact(finished.stderr.trim()).into_owned()));
        }
        state::read(&finished.stdout).map_err(|error| cannot(error.to_string()))
    }

    fn probes(&self, readiness: &Readiness, facts: &StateFacts) -> Result<Vec<Ask>, Failure> {
        let wanted = readiness.probes_at(&self.request.target.level);
        let filled = wanted.map(|probe| filled(&probe.asks, &facts.outputs, &facts.secret_outputs));
        filled.collect::<Result<_, _>>().map_err(|why| {
            let summary = format!("a probe of `ready` cannot be made: {why}");
            Failure::new(FailureKind::CannotLook, summary)
        })
    }
}

/// One stack that is waited for.
struct Watch<'a> {
    run: &'a RunContext,
    name: &'a StackName,
    ready: &'a Ready,
    readiness: &'a Readiness,
    groups: Vec<StateGroup>,
    probes: Vec<Ask>,
    since: Timestamp,
    /// What the card was told last.
    told: Option<Note>,
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
    async fn until(&mut self, until: Instant) -> Result<String, Failure> {
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
                Err(error) => return Err(self.cannot(&error)),
            }
            if Instant::now() >= until {
                return match (last, trouble) {
                    // What was seen before is no proof of what is now.
                    (last, Some(error)) => Err(self.cannot_any_more(&error, last.as_ref())),
                    (Some(look), None) => self.judge(&look),
                    (None, None) => Err(self.cannot(&CannotLook::Other("nothing was seen".to_owned()))),
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
            regions.entry(surroundings.region(&group.name, group.region.as_deref())?).or_default().push(group);
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

    async fn command(&self, argv: &[String]) -> Result<(), String> {
        let Some((program, args)) = argv.split_first() else { return Err("names no program".to_owned()) };
        let args: Vec<_> = args.iter().map(Into::into).collect();
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
        self.run.event(RunEvent::StackNoted { stack: self.name.clone(), note });
    }

    /// What is there, in words.
    fn words(&self, look: &Look) -> String {
        if !look.counts.is_empty() {
            self.note(Note::InService { groups: look.counts.clone(), trouble: None });
        }
        let groups = look.counts.iter().map(counted);
        groups.chain(self.probes.iter().map(named)).collect::<Vec<_>>().join("; ")
    }

    /// What the time being over means for what was seen last.
    fn judge(&self, look: &Look) -> Result<String, Failure> {
        let missing: Vec<&GroupCount> = look.counts.iter().filter(|count| !count.is_as_asked()).collect();
        if look.failing.is_empty() && missing.iter().all(|count| count.is_enough() && count.terminating == 0) {
            return Ok(self.words(look));
        }
        let facts = missing.iter().map(|count| counted(count)).chain(look.failing.iter().cloned());
        let summary = facts.collect::<Vec<_>>().join("; ");
        let causes = missing.iter().filter_map(|count| Some(format!("{}: {}", count.label, count.cause.as_ref()?)));
        let detail = causes.collect::<Vec<_>>().join("\n");
        Err(Failure::new(FailureKind::NotReady, summary).with_detail(detail))
    }

    fn cannot_any_more(&self, error: &CannotLook, last: Option<&Look>) -> Failure {
        let failure = self.cannot(error);
        let seen: Vec<String> = last.into_iter().flat_map(|look| &look.counts).map(counted).collect();
        if seen.is_empty() {
            return failure;
        }
        let detail = format!("seen last: {}\n{}", seen.join("; "), failure.detail);
        failure.with_detail(detail)
    }

    fn cannot(&self, error: &CannotLook) -> Failure {
        let summary = format!("whether it is in service cannot be told: {error}");
        let lines = [error.said(), error.next_step()].into_iter().filter(|line| !line.is_empty());
        Failure::new(FailureKind::CannotLook, summary).with_detail(lines.collect::<Vec<_>>().join("\n"))
    }
}

/// `slaves 37 of 40 in service`
fn counted(count: &GroupCount) -> String {
    let GroupCount { label, desired, in_service, pending, terminating, enough, cause, .. } = count;
    let mut text = format!("{label} {in_service} of {desired} in service");
    if let Some(enough) = enough.filter(|enough| in_service < desired && in_service >= enough) {
        text.push_str(&format!(" ({enough} are enough)"));
    }
    for (many, word) in [(pending, "on their way"), (terminating, "still going")] {
        if *many > 0 {
            text.push_str(&format!(", {many} {word}"));
        }
    }
    if let Some(cause) = cause.as_ref().filter(|_| enough.is_some()) {
        text.push_str(&format!(", {cause}"));
    }
    text
}
