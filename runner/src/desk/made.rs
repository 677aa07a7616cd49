//! Orders about environments that are made for one test: `new`, `extend`, `end`, `renew`. What happens to them by itself is
//! [`super::lives`]'s.

use serde_json::json;

use super::order::nobody_knows;
use super::{Case, Denied, Desk, DeskError, Done};
use crate::config::{Config, differences};
use crate::domain::access;
use crate::domain::answer::{Answer, RunSummary, Sight};
use crate::domain::command::{CommandName, Order};
use crate::domain::environment::Environment;
use crate::domain::hours;
use crate::domain::hours_on::Cost;
use crate::domain::ids::{EnvironmentName, RunNumber, StackName, TemplateName, Timestamp};
use crate::domain::made::{BUSY, Listed, Made, MadeAnswer, MadeOrder, Range, Stage, Template, under_test};
use crate::domain::policy::{Decision, policy};
use crate::domain::protect::names;
use crate::domain::refusal::{Refusal, nearest};
use crate::domain::request::{RunRequest, TypedBy, request};
use crate::domain::run::{Outcome, RunState};
use crate::ledger::made::{Existing, NewMade};
use crate::ledger::{Tx, environments, made, runs};
use crate::redact::REDACTED;
use crate::warden::Lapsed;

/// Most that a refusal names of those that have something.
const NAMED_MAX: usize = 12;

impl Case<'_> {
    pub(super) async fn made_order(&self, tx: &mut Tx, order: &MadeOrder) -> Result<Done, Denied> {
        let name = order.environment();
        let done = match order {
            MadeOrder::New { name, template, until } => Box::pin(self.make(tx, name, template, *until)).await,
            MadeOrder::Extend { name, by_ms } => self.extend(tx, name, *by_ms).await,
            MadeOrder::End { name, anyway } => Box::pin(self.end(tx, name, *anyway)).await,
            MadeOrder::Renew { name, take } => Box::pin(self.renew(tx, name, *take)).await,
        };
        done.map_err(|denied| denied.on(name))
    }

    async fn make(
        &self,
        tx: &mut Tx,
        name: &EnvironmentName,
        template: &TemplateName,
        until: Option<Timestamp>,
    ) -> Result<Done, Denied> {
        let config = self.desk.config();
        let Some(template) = config.templates.get(template) else {
            let now = crate::ledger::now(&mut *tx).await?;
            return Err(no_template(&config, &self.line_of_new(until, now), name, template).into());
        };
        self.may_make(tx, &config, template, name).await?;
        // Nobody else makes one until this transaction ends: what is free now is free then.
        let id = made::next(tx).await?;
        let existing = made::existing(&mut *tx).await?;
        let now = crate::ledger::now(&mut *tx).await?;
        let line = self.line_of_new(until, now);
        check_name(&config, template, name, &existing, &line)?;
        if environments::wanted(&mut *tx, name).await?.is_some() || !runs::active(&mut *tx, name).await?.is_empty() {
            let why = "Tidegate remembers something of that name that may still be there";
            return Err(taken(name, why).hint(format!("status {name}")).into());
        }
        check_count(template, name, &existing, now)?;
        let (ends, latest) = span(template, name, until, now, self.because.as_deref())?;
        let range = range(&config, template, &existing, now)?;
        let definition = self.definition(template, name)?;
        let maker = self.message.actor.clone();
        let mut new = Made {
            digest: template.digest.clone(),
            definition,
            keep: template.keep_at_end.clone(),
            range,
            because: self.because.clone(),
            ends,
            latest,
            ..Made::begins(id, name.clone(), template.name.clone(), maker, now)
        };
        // What is so near already is no news.
        new.warned = new.warnings(now);
        let environment = config.environment_of(&new).map_err(|problems| not_one(template, name, &problems))?;
        if let Some(why) = config.state_in_the_way(&environment) {
            return Err(taken(name, why).into());
        }
        let order = Order::Up { environment: name.clone(), level: None, settings: Vec::new(), newest_code: false };
        let request = request(&environment, &order, self.because.clone(), None, None)?;
        let mut done = self.enqueue(tx, &environment, request, &[]).await?;
        let Some(run) = done.run else { return Err(taken(name, "no run was made of it").into()) };
        new.run = run;
        if !made::insert(tx, NewMade { made: &new }).await? {
            return Err(taken(name, "somebody was faster").hint("list new").into());
        }
        if let Answer::Queued { run, ends: told, cost, .. } = &mut done.answer {
            *told = Some(ends);
            *cost = Cost::of(&environment.money, &run.request.target.level, ends.ms_since(now));
        }
        done.detail
            .insert("made".to_owned(), json!({ "id": id, "template": new.template, "ends": ends, "range": new.range }));
        Ok(done)
    }

    /// The line as it was typed, with another name or template.
    fn line_of_new(&self, until: Option<Timestamp>, now: Timestamp) -> impl Fn(&str, &str) -> String {
        let lasts = until.map(|until| format!(" for {}", lasting(until.ms_since(now)))).unwrap_or_default();
        let because = self.because.as_ref().map(|because| format!(" because {because}")).unwrap_or_default();
        move |name: &str, template: &str| format!("new {name} from {template}{lasts}{because}")
    }

    /// Whether they may make one: by what the template gives, before they own what comes of it.
    async fn may_make(
        &self,
        tx: &mut Tx,
        config: &Config,
        template: &Template,
        name: &EnvironmentName,
    ) -> Result<(), Denied> {
        let now = crate::ledger::now(&mut *tx).await?;
        let holds = self.all_holds(tx, &template.sample.name).await?;
        match policy(&self.matter(config, CommandName::New, Some(&template.sample), &holds, now)) {
            Decision::Refuse { rule, mut refusal } => {
                // No environment is called as the template is: nothing about one can be typed.
                let sample = template.sample.name.as_str();
                refusal.hints.retain(|hint| hint.split_whitespace().all(|word| word != sample));
                if rule == "role" {
                    refusal.what = format!("`new {name} from {}` is not yours to do", template.name);
                    refusal.of_them = None;
                }
                let refusal = refusal.hint("list new").hint("whoami");
                Err(Denied::Refused { environment: None, rule, refusal: Box::new(refusal) })
            }
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => Ok(()),
        }
    }

    /// The definition as it is kept. The ledger keeps no secret.
    fn definition(&self, template: &Template, name: &EnvironmentName) -> Result<String, Refusal> {
        let Some(definition) = template.definition_for(name, &self.message.actor.id) else {
            let what = format!("{name} cannot be made from {}", template.name);
            return Err(Refusal::refused(what, "its definition cannot be written down: this is a fault of Tidegate's"));
        };
        if definition.contains(REDACTED) || self.desk.clean(&definition) != definition {
            let what = format!("nothing can be made from {}", template.name);
            let why = "a secret stands in the template as text, and the ledger keeps none: whoever edits the configuration can say \
                       where it is read, as in `{ env = \"NAME\" }`";
            return Err(Refusal::refused(what, why).hint("list new"));
        }
        Ok(definition)
    }

    /// The one of this name that exists, if this person may do this to it.
    async fn made(
        &self,
        tx: &mut Tx,
        command: CommandName,
        name: &EnvironmentName,
    ) -> Result<(Made, Environment), Denied> {
        // What its definition names may not be there any more: its end needs little of it.
        let ends = command == CommandName::End && !self.desk.manages(name) && made::exists(&mut *tx, name).await?;
        let aside = if ends { self.desk.environment(name) } else { None };
        let environment = match aside {
            Some(environment) => {
                let (actor, place) = (&self.message.actor, &self.message.place);
                for command in [CommandName::End, CommandName::Destroy] {
                    access::may(&self.desk.config().access, actor, place, command, Some(&environment)).map_err(
                        |(rule, refusal)| Denied::Refused { environment: None, rule, refusal: Box::new(refusal) },
                    )?;
                }
                environment
            }
            None => self.allowed(tx, command, name).await?,
        };
        if let Some(made) = made::by_name(&mut *tx, name).await? {
            return Ok((made, environment));
        }
        let what = format!("`{command}` is about what was made with `new`");
        let other = if command == CommandName::End { format!("destroy {name}") } else { format!("status {name}") };
        Err(Refusal::refused(what, format!("{name} stands in the configuration")).hint("list new").hint(other).into())
    }

    async fn extend(&self, tx: &mut Tx, name: &EnvironmentName, by_ms: i64) -> Result<Done, Denied> {
        let (made, _) = self.made(tx, CommandName::Extend, name).await?;
        refuse_ending(&made, CommandName::Extend)?;
        let now = crate::ledger::now(&mut *tx).await?;
        let ends = made.ends.plus_ms(by_ms);
        if ends > made.latest {
            let left_min = made.latest.ms_since(made.ends) / 60_000;
            let what = format!("{name} cannot live so long");
            let why = format!(
                "it was made from {} at {}, and ends by {} however often it is extended",
                made.template,
                hours::shown(made.made, chrono_tz::Tz::UTC),
                hours::shown(made.latest, chrono_tz::Tz::UTC)
            );
            let refusal = Refusal::refused(what, why);
            let most = (left_min > 0).then(|| format!("extend {name} {}", in_minutes(left_min)));
            return Err(most.into_iter().fold(refusal, Refusal::hint).hint(format!("status {name}")).into());
        }
        let warned = Made { ends, ..made.clone() }.warnings(now);
        if !made::extend(tx, &made, ends, warned).await? {
            return Err(Refusal::refused("that came too late", "its end has changed in the same moment")
                .hint("list new")
                .into());
        }
        Ok(done(name, MadeAnswer::Extended(Box::new(Made { ends, ..made }))))
    }

    async fn end(&self, tx: &mut Tx, name: &EnvironmentName, anyway: bool) -> Result<Done, Denied> {
        // Whoever begins something in it at this moment is waited for: what they begin is seen below.
        made::stage_until_the_end(&mut *tx, name).await?;
        let (made, environment) = self.made(tx, CommandName::End, name).await?;
        refuse_ending(&made, CommandName::End)?;
        let active = runs::active(&mut *tx, name).await?;
        if let Some(unknown) = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. })) {
            return Err(nobody_knows(&environment, CommandName::End, unknown).into());
        }
        // By the same rules as any order: what others have to say yes to is asked when it can begin.
        if let Some(first) = active.first() {
            let others: Vec<String> = active.iter().map(|run| run.number.to_string()).collect();
            let what = format!("`end {name}` has to wait");
            let why = format!(
                "nothing is destroyed under a run: {} is not over; its time ends it in any case",
                others.join(", ")
            );
            let refusal = Refusal::refused(what, why).hint(format!("cancel {}", first.number));
            return Err(refusal.hint(format!("tell me when free {name}")).into());
        }
        if let Some(at_work) = &self.at_work {
            return Err(Denied::from(under_test(name, at_work)).by_rule(BUSY));
        }
        if !made::step(tx, &made, Stage::Ending, Some(&self.message.actor.id)).await? {
            return Err(Refusal::refused("that came too late", "it has changed in the same moment")
                .hint("list new")
                .into());
        }
        if anyway {
            made::goes_anyway(tx, &made).await?;
        }
        let by = Some(self.message.actor.id.clone());
        let ending = Made { stage: Stage::Ending, ended_by: by, anyway, tries: 0, try_at: None, end_run: None, ..made };
        if !made::take_try(tx, &ending).await? {
            return Err(Refusal::refused("that came too late", "it is being destroyed").hint("list new").into());
        }
        self.begin_end(tx, &environment, &ending, None, None).await
    }

    /// Puts the run into the queue that destroys one. `retry_of`: the one that did not. `for_whom`: whoever wants that, where the clock does it for them.
    pub(super) async fn begin_end(
        &self,
        tx: &mut Tx,
        environment: &Environment,
        made: &Made,
        retry_of: Option<RunNumber>,
        for_whom: Option<TypedBy>,
    ) -> Result<Done, Denied> {
        let name = &environment.name;
        let before = environments::wanted(&mut *tx, name).await?.map(|wanted| wanted.target);
        let order = Order::Destroy { environment: name.clone() };
        let request = request(environment, &order, self.because.clone(), before.as_ref(), None)?;
        let typed_by = for_whom.map(Box::new);
        let mut request = RunRequest { asks: false, clears: true, retry_of, typed_by, ..request };
        request.stacks.retain(|stack, _| !made.keep.contains(stack));
        let done = self.enqueue(tx, environment, request, &[]).await?;
        if let Some(run) = done.run
            && !made::destroys(tx, made, run).await?
        {
            return Err(Refusal::refused("that came too late", "another run destroys it already")
                .hint("list new")
                .into());
        }
        Ok(done)
    }

    /// Tries now what failed to destroy one, and would be tried again by itself later.
    pub(super) async fn end_again(&self, tx: &mut Tx, old: &RunSummary) -> Result<Done, Denied> {
        let name = &old.request.environment;
        let refused = |why: String, next: String| {
            let what = format!("there is nothing to try again of run {}", old.number);
            Denied::from(Refusal::refused(what, why).hint(next).hint(format!("show {}", old.number))).by_rule("state")
        };
        made::stage_until_the_end(&mut *tx, name).await?;
        let Some(found) = made::by_name(&mut *tx, name).await?.filter(|made| made.run < old.number) else {
            if !self.message.actor.is(&old.asker.id) {
                self.allowed_to_end(tx, CommandName::Retry, name).await?;
            }
            return Err(refused(format!("{name}, which it was to delete, is gone"), format!("history {name}")));
        };
        let (made, environment) = self.made(tx, CommandName::End, name).await?;
        if made.stage != Stage::Ending {
            return Err(refused(format!("{name} is not being deleted any more: it lives on"), format!("end {name}")));
        }
        let active = runs::active(&mut *tx, name).await?;
        if let Some(unknown) = active.iter().find(|run| matches!(run.state, RunState::Unknown { .. })) {
            return Err(nobody_knows(&environment, CommandName::Retry, unknown).into());
        }
        if let Some(first) = active.first() {
            return Err(refused(format!("run {} is not over", first.number), format!("show {}", first.number)));
        }
        // That the last one is over may not have been noted yet.
        let noted = found.end_run.is_none() || made::resume(tx, &made).await?;
        if !noted || !made::take_try(tx, &made).await? {
            return Err(refused("somebody was faster".to_owned(), format!("status {name}")));
        }
        let made = Made { end_run: None, try_at: None, ..made };
        self.begin_end(tx, &environment, &made, Some(old.number), None).await
    }

    async fn renew(&self, tx: &mut Tx, name: &EnvironmentName, take: bool) -> Result<Done, Denied> {
        let (made, environment) = self.made(tx, CommandName::Renew, name).await?;
        let ends = made.stage == Stage::Ending;
        let config = self.desk.config();
        let Some(template) = config.templates.get(&made.template) else {
            let what = format!("the template {} is not there any more", made.template);
            return Err(Refusal::refused(what, format!("{name} keeps what it has"))
                .hint(format!("status {name}"))
                .into());
        };
        let lines = differences(&made, template);
        if !take || lines.is_empty() {
            let made = Box::new(made);
            let lines = lines.iter().map(|line| self.desk.clean(line)).collect();
            return Ok(done(name, MadeAnswer::Differs { made, lines }));
        }
        // Who makes it stays its owner, whoever renews it.
        let Some(definition) = template.definition_for(name, &made.maker.id) else {
            return Err(
                Refusal::refused(format!("{name} cannot be renewed"), "its definition cannot be written down").into()
            );
        };
        self.definition(template, name)?;
        let to =
            Made { digest: template.digest.clone(), definition, keep: template.keep_at_end.clone(), ..made.clone() };
        let renewed = config.environment_of(&to).map_err(|problems| not_one(template, name, &problems))?;
        let gone: Vec<&str> = environment
            .stacks
            .keys()
            .filter(|stack| !renewed.stacks.contains_key(*stack))
            .map(StackName::as_str)
            .collect();
        let moved = environment.stacks.values().filter_map(|stack| Some((stack, renewed.stacks.get(&stack.name)?)));
        let moved: Vec<&str> = moved
            .filter(|(from, to)| {
                from.workspace != to.workspace
                    || from.backend != to.backend
                    || from.source != to.source
                    || from.env != to.env
            })
            .map(|(stack, _)| stack.name.as_str())
            .collect();
        if !gone.is_empty() || !moved.is_empty() || to.range.is_some() != template.pool.is_some() {
            let what = format!("{name} cannot take what {} says now", made.template);
            let why = if gone.is_empty() && moved.is_empty() {
                "one has a range and the other has none".to_owned()
            } else {
                format!("what stands would be in no state that it knows: {}", [gone, moved].concat().join(", "))
            };
            return Err(Refusal::refused(what, why).hint(format!("renew {name}")).hint(format!("end {name}")).into());
        }
        if let Some(run) = runs::active(&mut *tx, name).await?.first().filter(|_| ends) {
            let what = format!("`renew {name} take` has to wait");
            let why = format!("run {} destroys it by what it has; it can be renewed once that is over", run.number);
            return Err(Refusal::refused(what, why).hint(format!("show {}", run.number)).hint("list new").into());
        }
        if !made::renew(tx, &made, &to).await? {
            return Err(Refusal::refused("that came too late", "it has changed in the same moment")
                .hint("list new")
                .into());
        }
        let active = runs::active(&mut *tx, name).await?;
        if ends {
            // Nothing is begun in it any more: what it has now is what its end goes by.
            let answer = MadeAnswer::Renewed(Box::new(to));
            return Ok(done(name, answer));
        }
        let order = Order::Plan { environment: name.clone(), level: None, settings: Vec::new(), newest_code: false };
        let before = environments::wanted(&mut *tx, name).await?.map(|wanted| wanted.target);
        let request = request(&renewed, &order, self.because.clone(), before.as_ref(), None)?;
        let mut done = self.enqueue(tx, &renewed, request, &active).await?;
        done.detail.insert("renewed".to_owned(), json!(to.digest));
        Ok(done)
    }
}

impl Desk {
    /// What was made and exists, of what somebody may see.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub async fn made(&self, sight: &Sight) -> Result<Vec<Listed>, DeskError> {
        let config = self.config();
        let mut all = made::existing(&self.store).await?.all;
        all.retain(|made| sight.sees(made.name.as_str()));
        for made in all.iter_mut().filter(|made| made.stage == Stage::Making) {
            // That it is there is noted by whatever carries runs out, which need not be running.
            let first = runs::by_number(&self.store, made.run).await?;
            let outcome = first.and_then(|run| run.state.outcome());
            if matches!(outcome, Some(Outcome::Succeeded | Outcome::NothingToDo)) {
                made.stage = Stage::Living;
            }
        }
        Ok(all.into_iter().map(|made| listed(&config, made)).collect())
    }
}

pub(super) fn listed(config: &Config, made: Made) -> Listed {
    let older = config.templates.get(&made.template).is_none_or(|template| template.digest != made.digest);
    let broken = config.unmanaged.get(made.name.as_str()).and_then(|problems| problems.first());
    Listed { older, broken: broken.map(|problem| problem.message.clone()), made }
}

fn done(name: &EnvironmentName, answer: MadeAnswer) -> Done {
    Done {
        answer: Answer::Made(answer),
        environment: Some(name.clone()),
        run: None,
        rule: None,
        events: Vec::new(),
        lapsed: Lapsed::default(),
        detail: serde_json::Map::new(),
    }
}

/// A span of time as it is typed, in whole minutes: `2h30m`.
fn lasting(ms: i64) -> String {
    in_minutes((ms + 30_000).max(60_000) / 60_000)
}

fn in_minutes(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}m"),
        (hours, 0) if hours % 24 == 0 => format!("{}d", hours / 24),
        (hours, 0) => format!("{hours}h"),
        (hours, minutes) => format!("{hours}h{minutes}m"),
    }
}

fn no_template(
    config: &Config,
    line: &impl Fn(&str, &str) -> String,
    name: &EnvironmentName,
    template: &TemplateName,
) -> Refusal {
    let known: Vec<&str> = config.templates.keys().map(TemplateName::as_str).collect();
    if let Some(problem) = config.templates_aside.get(template.as_str()).and_then(|problems| problems.first()) {
        let what = format!("nothing can be made from {template} now");
        let why = format!("what the file says of it does not check: {}", problem.in_one_line());
        return Refusal::refused(what, why).hint("list new");
    }
    let what = format!("there is no template `{template}`");
    if known.is_empty() {
        let why =
            "none is configured: whoever edits the configuration can add `[templates.NAME]` (docs/environments.md)";
        return Refusal::refused(what, why).hint("envs");
    }
    let refusal = Refusal::refused(what, format!("the templates are: {}", known.join(", ")));
    match nearest(template.as_str(), known.iter().copied()).or_else(|| known.first().copied()) {
        Some(near) => refusal.hint(line(name.as_str(), near)),
        None => refusal,
    }
}

fn taken(name: &EnvironmentName, why: impl Into<String>) -> Refusal {
    Refusal::refused(format!("{name} cannot be made"), why)
}

fn check_name(
    config: &Config,
    template: &Template,
    name: &EnvironmentName,
    existing: &Existing,
    typed: &impl Fn(&str, &str) -> String,
) -> Result<(), Refusal> {
    if let Some(meaning) = crate::domain::grammar::meaning(name.as_str()) {
        return Err(taken(name, format!("it is a word of the commands, where it {meaning}")));
    }
    if let Some(pattern) = template.names.as_ref().filter(|pattern| !names(pattern, name.as_str())) {
        let why = format!("names of what is made from {} are like `{pattern}`", template.name);
        let like = pattern.replacen('*', name.as_str(), 1).replace('*', "");
        let refusal = taken(name, why);
        let better = like.parse::<EnvironmentName>().ok();
        return Err(better
            .into_iter()
            .fold(refusal, |refusal, like| refusal.hint(typed(like.as_str(), template.name.as_str()))));
    }
    let broken = existing.broken.iter().any(|broken| broken.environment.as_deref() == Some(name.as_str()));
    if config.has(name) || broken || existing.all.iter().any(|made| made.name == *name) {
        let refusal = taken(name, "there is an environment of that name already");
        let free = (2..100).filter_map(|number| format!("{name}-{number}").parse::<EnvironmentName>().ok());
        let free =
            free.into_iter().find(|free| !config.has(free) && existing.all.iter().all(|made| made.name != *free));
        let refusal =
            free.into_iter().fold(refusal, |refusal, free| refusal.hint(typed(free.as_str(), template.name.as_str())));
        return Err(refusal.hint(format!("status {name}")));
    }
    Ok(())
}

fn check_count(
    template: &Template,
    name: &EnvironmentName,
    existing: &Existing,
    now: Timestamp,
) -> Result<(), Refusal> {
    let of_it: Vec<&Made> = existing.all.iter().filter(|made| made.template == template.name).collect();
    match template.at_once {
        Some(most) if of_it.len() >= usize::try_from(most).unwrap_or(usize::MAX) => {
            let why = format!("there may be {most} of {} at a time: {}", template.name, who_has(&of_it, now));
            let refusal = taken(name, why).hint("list new");
            let first = of_it.iter().min_by_key(|made| made.ends);
            Err(first.into_iter().fold(refusal, |refusal, made| refusal.hint(format!("end {}", made.name))))
        }
        Some(_) | None => Ok(()),
    }
}

/// When it ends, and when at the latest.
fn span(
    template: &Template,
    name: &EnvironmentName,
    until: Option<Timestamp>,
    now: Timestamp,
    because: Option<&str>,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let latest = now.plus_ms(i64::from(template.longest_s) * 1_000);
    let ends = until.unwrap_or_else(|| now.plus_ms(i64::from(template.life_s) * 1_000));
    // Whoever types `for 7d` means all of it: the line was read a moment before.
    if ends > latest.plus_ms(60_000) {
        let most = in_minutes(i64::from(template.longest_s / 60));
        let why = format!("what is made from {} lives {most} at most", template.name);
        let because = because.map(|because| format!(" because {because}")).unwrap_or_default();
        return Err(taken(name, why).hint(format!("new {name} from {} for {most}{because}", template.name)));
    }
    Ok((ends.min(latest), latest))
}

/// The range that it gets.
fn range(
    config: &Config,
    template: &Template,
    existing: &Existing,
    now: Timestamp,
) -> Result<Option<(crate::domain::ids::PoolName, String)>, Refusal> {
    let Some(pool) = template.pool.as_ref().and_then(|pool| config.pools.get(pool)) else { return Ok(None) };
    let of_all = existing.all.iter().filter_map(|made| made.range.as_ref().map(|(_, range)| range));
    let (of_files, of_pool) = (config.ranges_in_use(), pool.ranges.clone());
    // What is as wide as the pool, or wider, is where it lies and no piece of it: a network, a route to everywhere.
    let is_piece =
        |range: &Range| of_pool.iter().any(|whole| whole.overlaps(*range) && range.prefix() > whole.prefix());
    let of_files: Vec<_> = of_files.into_iter().filter(|(range, _)| is_piece(range)).collect();
    let taken: Vec<Range> = of_all
        .chain(existing.broken.iter().filter_map(|broken| broken.rest.addresses.as_ref()))
        .filter_map(|text| text.parse().ok())
        .chain(of_files.iter().map(|(range, _)| *range))
        .collect();
    if let Some(range) = pool.free(&taken) {
        return Ok(Some((pool.name.clone(), range.to_string())));
    }
    let having: Vec<&Made> = existing.all.iter().filter(|made| made.range.is_some()).collect();
    let what = format!("the pool {} has no range left", pool.name);
    let of_files: Vec<String> =
        of_files.iter().take(NAMED_MAX).map(|(range, name)| format!("{name} of the files ({range})")).collect();
    let told = [who_has(&having, now), of_files.join(", ")].into_iter().filter(|told| !told.is_empty());
    let why = format!("it has {} of them: {}", pool.pieces(), told.collect::<Vec<_>>().join(", "));
    let refusal = Refusal::refused(what, why).hint("list new");
    let first = having.iter().min_by_key(|made| made.ends);
    Err(first.into_iter().fold(refusal, |refusal, made| refusal.hint(format!("end {}", made.name))))
}

/// `lt-a (mori, 10.64.0.0/20) until Fri 2026-11-20 22:00 UTC`, those that end first at the front.
fn who_has(all: &[&Made], now: Timestamp) -> String {
    let mut all = all.to_vec();
    all.sort_by_key(|made| (made.ends, made.id));
    let told = all.iter().take(NAMED_MAX).map(|made| {
        let range = made.range.as_ref().map(|(_, range)| format!(", {range}")).unwrap_or_default();
        let when = if made.stage == Stage::Ending || made.ends <= now {
            "ending".to_owned()
        } else {
            format!("until {} UTC", hours::shown(made.ends, chrono_tz::Tz::UTC))
        };
        format!("{} ({}{range}) {when}", made.name, made.maker.called())
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let more = all.len().saturating_sub(NAMED_MAX);
    if more > 0 { format!("{told} and {more} more") } else { told }
}

fn refuse_ending(made: &Made, command: CommandName) -> Result<(), Refusal> {
    match made.stage {
        Stage::Making | Stage::Living => Ok(()),
        Stage::Ending | Stage::Gone => {
            let name = &made.name;
            let what = format!("`{command} {name}` comes too late");
            Err(Refusal::refused(what, "it is being destroyed").hint("list new").hint(format!("status {name}")))
        }
    }
}

fn not_one(template: &Template, name: &EnvironmentName, problems: &[crate::config::Problem]) -> Refusal {
    let why =
        problems.first().map_or_else(|| "its definition does not check".to_owned(), |problem| problem.message.clone());
    taken(name, format!("what {} says does not check: {why}", template.name)).hint("list new")
}

#[cfg(test)]
mod tests;
