//! What somebody may ask, see and do: policy asked for them, without an order.

use super::ask::as_seen;
use super::{Case, Denied, Desk, DeskError, Message, TRIES};
use crate::config::Config;
use crate::domain::access::answering::want_in_words;
use crate::domain::access::{self, Access, Approvers, Least, Room, Who, follow};
use crate::domain::answer::{Abilities, Actor, RunSummary, Sight, Verdict, Whoami, Why};
use crate::domain::command::{CommandName, Order, Query, WhyQuery};
use crate::domain::environment::Environment;
use crate::domain::holds::forbids_lowering;
use crate::domain::ids::{ActorId, EnvironmentName};
use crate::domain::lookalike::distinct;
use crate::domain::policy::{Decision, Matter, policy};
use crate::domain::refusal::Refusal;
use crate::domain::run::RunState;
use crate::ledger::{holds, runs};
use crate::warden::barred_by;

impl Desk {
    /// May this person ask this, here? Gives what of the answer they may see.
    ///
    /// # Errors
    /// [`DeskError::Refused`] with the words for the person; the refusal is in the audit.
    pub async fn may_ask(&self, message: &Message, query: &Query) -> Result<Sight, DeskError> {
        let about = match query {
            Query::Envs
            | Query::Whoami
            | Query::Links
            | Query::Why(_)
            | Query::On
            | Query::ListNew
            | Query::Handover
            | Query::StatusOf { .. } => None,
            Query::Status { environment }
            | Query::Queue { environment }
            | Query::Next { environment, .. }
            | Query::Hours { environment, .. }
            | Query::Bookings { environment, .. }
            | Query::Schedules { environment, .. } => environment.clone(),
            Query::History(filter) => filter.environment.clone(),
            Query::Audit(filter) | Query::Export { filter, .. } => filter.environment.clone(),
            Query::Who { environment, .. } => Some(environment.clone()),
            Query::Show { run } | Query::Log { run, .. } => Some(self.find(*run).await?.request.environment),
        };
        let command = query.right();
        let config = self.config();
        let refused = match &about {
            Some(name) => self.asks(message, &config, command, config.whose(name)).await?,
            None => None,
        };
        let refused = match (refused, about.as_ref()) {
            (Some(refused), _) => Some(refused),
            (None, Some(name)) => return Ok(Sight { all: false, environments: vec![name.clone()] }),
            (None, None) => {
                let sight = self.sight(message, command).await?;
                let sees = sight.all || !sight.environments.is_empty();
                match query {
                    Query::Audit(filter) | Query::Export { filter, .. } if sees => match as_seen(filter, &sight) {
                        Ok(_) => return Ok(sight),
                        Err(refusal) => Some(("role", refusal)),
                    },
                    _ if sees => return Ok(sight),
                    _ => self.asks(message, &config, command, None).await?,
                }
            }
        };
        let Some((rule, refusal)) = refused else { return Ok(Sight { all: false, environments: Vec::new() }) };
        let message = &self.told_of(message).await?;
        let case = Case::of(self, message, None);
        self.note_refusal(&case, command, about.as_ref(), rule, &refusal).await?;
        Err(DeskError::Refused(refusal))
    }

    /// What somebody may see by this command, from where they ask.
    pub async fn sight(&self, message: &Message, command: CommandName) -> Result<Sight, DeskError> {
        let config = self.config();
        let all = self.asks(message, &config, command, None).await?.is_none();
        let mut environments = Vec::new();
        for environment in config.all_known().filter(|_| !all) {
            if self.asks(message, &config, command, Some(environment)).await?.is_none() {
                environments.push(environment.name.clone());
            }
        }
        Ok(Sight { all: all || command.least() == Least::Anybody, environments })
    }

    async fn asks(
        &self,
        message: &Message,
        config: &Config,
        command: CommandName,
        environment: Option<&Environment>,
    ) -> Result<Option<(&'static str, Refusal)>, DeskError> {
        let (holds, broken) =
            if command.starts_change() { holds::readable(&self.store).await? } else { (Vec::new(), Vec::new()) };
        let actor = if holds.is_empty() {
            message.actor.clone()
        } else {
            self.known(&self.store, message.actor.clone()).await?
        };
        // What stands against a change is told by `why`, too.
        let matter = Matter {
            actor: &actor,
            place: &message.place,
            command,
            environment,
            access: &config.access,
            request: None,
            asked: None,
            holds: &holds,
            plan: None,
            begun: false,
            now: self.store.now().await?,
        };
        Ok(match policy(&matter) {
            Decision::Refuse { rule, refusal } => Some((rule, refusal)),
            // Who has no right to it hears that first.
            _ if !broken.is_empty() => broken
                .first()
                .map(|first| ("hold", barred_by(first, environment.map(|e| &e.name), config, Some(&actor)))),
            // What lowers in any case is told of keeps, too; of the rest only the very run tells whether it lowers.
            Decision::Allow | Decision::NeedsApproval { .. } | Decision::NeedsConfirmation(_) => {
                forbids_lowering(&matter).map(|refusal| ("keep", refusal))
            }
        })
    }

    /// True when role and channel allow this person this command on an environment.
    #[must_use]
    pub fn may(&self, message: &Message, command: CommandName, name: &EnvironmentName) -> bool {
        let config = self.config();
        access::may(&config.access, &message.actor, &message.place, command, config.whose(name)).is_ok()
    }

    /// True when the configuration names this id, or a person who has it: what no chat vouches for has only what names it.
    #[must_use]
    pub fn names(&self, id: &ActorId) -> bool {
        let config = self.config();
        config.access.persons.of(id).is_some() || known_ids(&config).contains(id)
    }

    /// The ids that the configuration names of people and groups of a chat, as that chat writes them, in order.
    #[must_use]
    pub fn named_in(&self, door: &str) -> Vec<String> {
        named_in(&self.config(), door)
    }

    /// True when role and channel allow this person this command on everything at once.
    #[must_use]
    pub fn may_everywhere(&self, message: &Message, command: CommandName) -> bool {
        access::may(&self.config().access, &message.actor, &message.place, command, None).is_ok()
    }

    /// Who may do this on an environment, in words; empty when nobody may.
    #[must_use]
    pub fn whom_to_ask(&self, command: CommandName, name: &EnvironmentName) -> String {
        let config = self.config();
        let able: Vec<_> = access::able(&config.access, config.whose(name), command).collect();
        access::named(&able)
    }

    /// Who somebody is to Tidegate.
    pub async fn whoami(&self, message: &Message) -> Result<Whoami, DeskError> {
        let config = self.config();
        let known_as = self.known_as(&message.actor).await?;
        let (access, actor) = (&config.access, &message.actor);
        let holds: Vec<_> = config
            .all_known()
            .map(|environment| {
                let roles = access::held(access, Some(environment), actor).map(|grant| grant.to_string()).collect();
                (environment.name.clone(), roles)
            })
            .collect();
        let here = access.channels.as_ref().and_then(|channels| match channels.room(&message.place) {
            Room::Open => None,
            Room::Shut => Some("this channel is not listed in `[channels]`: nothing can be done from it".to_owned()),
            Room::Limited(ceiling) => Some(ceiling.to_string()),
        });
        let ask = whom_to_ask(&config, CommandName::Approve, Some(&actor.id));
        Ok(Whoami { actor: actor.clone(), known_as, holds, here, ask })
    }

    /// Whether somebody may run a command, and why. Anybody may ask about themselves; about others, who may look.
    ///
    /// # Errors
    /// [`DeskError::Refused`] when it is not known who is meant, or not theirs to know.
    pub async fn why(&self, message: &Message, query: &WhyQuery) -> Result<Why, DeskError> {
        let config = self.config();
        let command = query.command;
        let who = match &query.who {
            Some(text) => subject(&config, message, text)?,
            None => message.actor.clone(),
        };
        let me = self.known(&self.store, message.actor.clone()).await?;
        let itself = me.is(&who.id);
        let run = match query.run {
            Some(number) => Some(self.find(number).await?),
            None => None,
        };
        if let Some(run) = &run {
            self.may_ask_why(&Message { actor: me.clone(), ..message.clone() }, &config, command, run).await?;
        }
        let named = query.environment.as_ref().or(run.as_ref().map(|run| &run.request.environment));
        let environments: Vec<Option<&Environment>> = match named {
            _ if command.is_about_all() => vec![None],
            Some(name) => vec![config.whose(name)],
            None if config.environments.is_empty() => vec![None],
            None => config.environments.values().map(Some).collect(),
        };
        if let Some(name) = named
            .filter(|_| !command.only_reads() && !command.only_ends() && !command.is_about_all())
            .filter(|name| !config.environments.contains_key(*name))
            .filter(|name| !command.needs_no_roots() || config.whose(name).is_none())
        {
            return Err(DeskError::Refused(not_managed(&config, name)));
        }
        let actor = if who.id == me.id { me.clone() } else { self.known(&self.store, who.clone()).await? };
        let about = Message { actor, ..message.clone() };
        let mut verdicts = Vec::new();
        for environment in environments {
            if !itself
                && let Some((rule, refusal)) = self.asks(message, &config, CommandName::Status, environment).await?
            {
                let name = environment.map(|environment| &environment.name);
                return Err(self.refuse_why(message, name, rule, refusal).await?);
            }
            let held = access::held(&config.access, environment, &about.actor);
            let by = held.filter(|_| command.least() != Least::Anybody).filter(|grant| grant.role.has(command));
            let mut by: Vec<String> = by.map(|grant| grant.to_string()).collect();
            let refused = match &query.order {
                Some(order) => Box::pin(self.would(&about, order, run.as_ref())).await?,
                None => self.asks(&about, &config, command, environment).await?.map(|(_, refusal)| refusal),
            };
            let only_now = query.order.is_some()
                && refused.is_some()
                && access::may(&config.access, &about.actor, &about.place, command, environment).is_ok();
            if let (Some(run), Some(environment), None) = (&run, environment, &refused) {
                by.extend(counts_by(run, command, &about.actor, environment, &config.access));
            }
            // A yes asks for no yes itself.
            let begins = || environment.filter(|_| command.starts_change() && command != CommandName::Approve);
            let plan = begins().filter(|_| refused.is_none()).map(by_plan).unwrap_or_default();
            let asks = begins().map(|e| e.rules.approvals.iter().map(ToString::to_string));
            let asks = asks.into_iter().flatten().collect();
            let environment = environment.map(|environment| environment.name.clone());
            let refused = refused.map(|refusal| if itself { refusal } else { refusal.told_of_them() });
            verdicts.push(Verdict { environment, refused, only_now, by, asks, plan });
        }
        Ok(Why { who, itself, command, run: query.run, verdicts })
    }

    /// Why an order would be refused to this person here and now. Nothing of it is done, and nothing kept: what is only offered is not asked.
    ///
    /// # Errors
    /// Faults of the ledger; never [`DeskError::Refused`].
    pub async fn would_refuse(&self, message: &Message, order: &Order) -> Result<Option<Refusal>, DeskError> {
        let actor = self.known(&self.store, message.actor.clone()).await?;
        let run = match order.on_run() {
            Some(number) => runs::by_number(&self.store, number).await?,
            None => None,
        };
        Box::pin(self.would(&Message { actor, ..message.clone() }, order, run.as_ref())).await
    }

    /// True when role and channel allow this person this question, of one environment or, with `None`, of any.
    #[must_use]
    pub fn may_look(&self, message: &Message, command: CommandName, name: Option<&EnvironmentName>) -> bool {
        if let Some(name) = name {
            return self.may(message, command, name);
        }
        let somewhere = |environment: &Environment| self.may(message, command, &environment.name);
        self.may_everywhere(message, command) || self.config().all_known().any(somewhere)
    }

    /// Why an order would be refused now; nothing of it is done.
    async fn would(
        &self,
        message: &Message,
        order: &Order,
        run: Option<&RunSummary>,
    ) -> Result<Option<Refusal>, DeskError> {
        let open = run.and_then(|run| match &run.state {
            RunState::AwaitingApproval { question, .. } => Some(question.code().to_owned()),
            _ => None,
        });
        let order = match order {
            // To the question that is open, whichever that is.
            Order::Approve { run, code: None, alone } => &Order::Approve { run: *run, code: open, alone: *alone },
            order => order,
        };
        let anyway = order.goes_anyway();
        let case = Case { desk: self, message, because: None, anyway, at_work: None, unread: None };
        // It takes the same locks as the order itself, and meets others as that does.
        for _ in 1..TRIES {
            match self.try_out(&case, order).await {
                Err(DeskError::Ledger(error)) if error.lost_race() => {}
                done => return done,
            }
        }
        self.try_out(&case, order).await
    }

    async fn try_out(&self, case: &Case<'_>, order: &Order) -> Result<Option<Refusal>, DeskError> {
        let mut tx = self.store.begin().await?;
        let decided = case.decide(&mut tx, order).await;
        tx.rollback().await?;
        match decided {
            Ok(_) => Ok(None),
            Err(Denied::Refused { refusal, .. }) => Ok(Some(*refusal)),
            Err(Denied::Error(error)) => Err(error),
        }
    }

    /// Whoever may neither see a run nor do that to it is told nothing of it, and that they asked is in the audit.
    async fn may_ask_why(
        &self,
        message: &Message,
        config: &Config,
        command: CommandName,
        run: &RunSummary,
    ) -> Result<(), DeskError> {
        let Some(environment) = config.whose(&run.request.environment) else { return Ok(()) };
        let actor = &message.actor;
        let is_asked = environment.rules.approvals.iter().any(|rule| rule.by.has(&config.access, environment, actor));
        if is_asked || actor.is(&run.asker.id) || self.may(message, command, &environment.name) {
            return Ok(());
        }
        let Some((rule, refusal)) = self.asks(message, config, CommandName::Show, Some(environment)).await? else {
            return Ok(());
        };
        Err(self.refuse_why(message, Some(&environment.name), rule, refusal).await?)
    }

    /// Keeps in the audit that somebody asked `why` of what is not theirs to know.
    async fn refuse_why(
        &self,
        message: &Message,
        environment: Option<&EnvironmentName>,
        rule: &'static str,
        refusal: Refusal,
    ) -> Result<DeskError, DeskError> {
        let message = &self.told_of(message).await?;
        let case = Case::of(self, message, None);
        self.note_refusal(&case, CommandName::Why, environment, rule, &refusal).await?;
        Ok(DeskError::Refused(refusal))
    }

    /// What somebody may do from where they ask.
    #[must_use]
    pub fn abilities(&self, message: &Message) -> Abilities {
        let config = self.config();
        let may = |command, environment| {
            access::may(&config.access, &message.actor, &message.place, command, environment).is_ok()
        };
        let not = CommandName::ALL.into_iter().filter(|command| {
            // A rule can name people who have no role: their answer counts all the same.
            let named = |environment: &Environment| {
                let answers = matches!(command, CommandName::Approve | CommandName::Reject);
                answers
                    && environment
                        .rules
                        .approvals
                        .iter()
                        .any(|rule| rule.by.has(&config.access, environment, &message.actor))
                    && access::here(&config.access, &message.place, *command, Some(environment)).is_ok()
            };
            let somewhere =
                || config.all_known().any(|environment| may(*command, Some(environment)) || named(environment));
            !may(*command, None) && (command.is_about_all() || !somewhere())
        });
        Abilities { not: not.map(|command| (command, whom_to_ask(&config, command, None))).collect() }
    }
}

/// What no plan may do here: whether one would is known when it is made.
fn by_plan(environment: &Environment) -> Vec<String> {
    let most = environment.rules.destroys_max.as_ref().map(|limit| format!("`destroys_max` is {limit}"));
    let protect = environment.protect.iter().map(|pattern| format!("`{pattern}`")).collect::<Vec<_>>();
    let protect = (!protect.is_empty()).then(|| format!("`protect` names {}", protect.join(", ")));
    most.into_iter().chain(protect).collect()
}

/// The rules, in words, that make somebody's answer to the question of a run count; beside their roles.
fn counts_by(
    run: &RunSummary,
    command: CommandName,
    actor: &Actor,
    environment: &Environment,
    access: &Access,
) -> Vec<String> {
    let RunState::AwaitingApproval { question, .. } = &run.state else { return Vec::new() };
    if !matches!(command, CommandName::Approve | CommandName::Reject) {
        return Vec::new();
    }
    let wants = follow(&question.wants, access, environment);
    let counts = wants.iter().filter(|want| want.by.has(access, environment, actor));
    let mut by: Vec<String> = counts.map(|want| format!("the rule that wants {}", want_in_words(want))).collect();
    if by.is_empty() && actor.is(&run.asker.id) {
        by.push("having asked for it".to_owned());
    }
    by
}

/// Why nobody may do anything with an environment.
pub(super) fn not_managed(config: &Config, name: &EnvironmentName) -> Refusal {
    let why = if config.unmanaged.contains_key(name.as_str()) {
        "its configuration does not check; `tidegate check` in a terminal tells what to put right"
    } else {
        "it is not in the configuration any more"
    };
    Refusal::refused(format!("nobody may change {name}: Tidegate does not manage it"), why)
        .hint(format!("status {name}"))
}

/// Who is meant by a name or an id.
fn subject(config: &Config, message: &Message, text: &str) -> Result<Actor, Refusal> {
    match called(config, message, text) {
        Called::One(id) => {
            let name = if text.contains(':') { id.short() } else { text }.to_owned();
            Ok(Actor::person(id, name))
        }
        Called::Nobody => Err(nobody_called(text)),
        Called::Several(several) => {
            let refusal = Refusal::refused(format!("`{}` can be several people", distinct(text)), "write the id");
            Err(several.iter().take(3).fold(refusal, |refusal, id| refusal.hint(format!("why can @{id} up"))))
        }
    }
}

/// Whom a name or an id can mean.
pub(super) enum Called {
    One(ActorId),
    Nobody,
    Several(Vec<ActorId>),
}

pub(super) fn nobody_called(text: &str) -> Refusal {
    Refusal::refused(
        format!("nobody is known as `{}`", distinct(text)),
        "the configuration names nobody so; write the id: `slack:U024BE7LH`",
    )
    .hint("whoami")
}

/// Whom a name or an id means. In the terminal a name that the configuration does not have is one of this machine.
pub(super) fn called(config: &Config, message: &Message, text: &str) -> Called {
    if let Ok(id) = text.parse::<ActorId>() {
        return Called::One(id);
    }
    let is_called = |id: &&ActorId| id.short().eq_ignore_ascii_case(text);
    let known = known_ids(config);
    // All of their ids are one person; the name can be an id of somebody else all the same.
    let of_person = config.access.persons.named(text).and_then(|person| person.ids.first());
    let mut found: Vec<&ActorId> = known.iter().chain([&message.actor.id]).filter(is_called).chain(of_person).collect();
    found.sort();
    found.dedup();
    let persons = &config.access.persons;
    // One id of each person, wherever in the order they stand.
    let mut several: Vec<&ActorId> = Vec::new();
    for id in found {
        if !several.iter().any(|other| persons.same(id, other)) {
            several.push(id);
        }
    }
    let found = several;
    match (found.as_slice(), message.place.door) {
        ([only], _) => Called::One((*only).clone()),
        ([], "shell") => Called::One(ActorId::local(text)),
        ([], _) => Called::Nobody,
        (several, _) => Called::Several(several.iter().map(|id| (*id).clone()).collect()),
    }
}

/// The ids that a configuration names of people and groups of a chat, as that chat writes them, in order: who has rights, who is
/// called, whose yes counts.
#[must_use]
pub fn named_in(config: &Config, door: &str) -> Vec<String> {
    let persons = config.access.persons.0.iter().flat_map(|person| person.ids.iter().cloned());
    let oncall = config.all_known().flat_map(|environment| environment.oncall.iter().cloned());
    let rules = config.all_known().flat_map(|environment| &environment.rules.approvals);
    let approvers = rules.filter_map(|rule| match &rule.by {
        Approvers::Named(ids) => Some(ids.iter().cloned()),
        Approvers::Owners | Approvers::Role(_) => None,
    });
    let ids = known_ids(config).into_iter().chain(persons).chain(oncall).chain(approvers.flatten());
    let own = ids.filter_map(|id| id.as_str().strip_prefix(door)?.strip_prefix(':').map(str::to_owned));
    own.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// Every id that the configuration names.
pub(super) fn known_ids(config: &Config) -> Vec<ActorId> {
    let access = &config.access;
    let mut given: Vec<_> = access::given(access, None).collect();
    given.extend(config.all_known().flat_map(|environment| access::given(access, Some(environment))));
    let named = given.into_iter().filter_map(|grant| match grant.who {
        Who::Named(id) => Some(id),
        Who::Everyone => None,
    });
    named.chain(access.groups.iter().flat_map(|(group, members)| members.iter().chain([group]).cloned())).collect()
}

/// Who has this command somewhere, in words; empty when nobody has it.
fn whom_to_ask(config: &Config, command: CommandName, asks: Option<&ActorId>) -> String {
    let access = &config.access;
    let environments = config.all_known().filter(|_| !command.is_about_all());
    let mut able: Vec<_> =
        environments.flat_map(|environment| access::able(access, Some(environment), command)).collect();
    able.extend(access::able(access, None, command));
    // Nobody is sent to themselves.
    able.retain(|grant| !matches!(&grant.who, Who::Named(id) if Some(id) == asks));
    access::named(&able)
}
