//! `link`, `unlink`, and by which other ids somebody is known.

#[cfg(test)]
mod tests;

use super::{Case, Denied, Desk, DeskError, Done, Message};
use crate::domain::access::{Least, Link, Persons, Role, held};
use crate::domain::answer::{Actor, ActorKind, Answer, RunDetail, RunSummary};
use crate::domain::command::CommandName;
use crate::domain::holds::News;
use crate::domain::ids::ActorId;
use crate::domain::link::{
    CODE_MS, Code, KnownAs, LinkAnswer, LinkOrder, Links, Unreadable, WRONG_MAX, WRONG_WITHIN_MS,
};
use crate::domain::lookalike::distinct;
use crate::domain::policy::{Decision, policy};
use crate::domain::refusal::Refusal;
use crate::domain::run::RunState;
use crate::ledger::{Access, LedgerError, Tx, links, outbox};
use crate::warden::Lapsed;

/// The rule of a wrong code, by which the audit counts them.
const WRONG: &str = "code";

impl Desk {
    /// Somebody with their other ids as they are known now: by the configuration, and by what was said from both.
    pub(super) async fn known(&self, mut db: impl Access, actor: Actor) -> Result<Actor, LedgerError> {
        // The clock is nobody, and its transactions are many.
        if actor.id.as_str().starts_with("clock:") {
            return Ok(actor);
        }
        let (links, _) = links::readable(&mut db).await?;
        let now = crate::ledger::now(&mut db).await?;
        Ok(actor.known(&self.config().access.persons, &links, now))
    }

    /// The other ids of whoever asks, and by what they are known.
    pub async fn known_as(&self, actor: &Actor) -> Result<KnownAs, DeskError> {
        let config = self.config();
        let person = config.access.persons.of(&actor.id).cloned();
        let known = self.known(&self.store, actor.clone()).await?;
        let written = |id: &ActorId| person.as_ref().is_some_and(|person| person.ids.contains(id));
        let links = known.also.into_iter().filter(|also| also.standing && !written(&also.id)).map(|also| also.id);
        Ok(KnownAs { links: links.collect(), person: person.clone() })
    }

    /// A person with their other ids, for words that are told to them.
    pub async fn person(&self, actor: &Actor) -> Result<Actor, DeskError> {
        Ok(self.known(&self.store, actor.clone()).await?)
    }

    /// Which of these ids are one person.
    pub(super) async fn persons<'a>(
        &self,
        mut db: impl Access,
        ids: impl Iterator<Item = &'a ActorId>,
    ) -> Result<Persons, LedgerError> {
        let (links, _) = links::readable(&mut db).await?;
        let now = crate::ledger::now(&mut db).await?;
        Ok(Persons::among(ids, &self.config().access.persons, &links, now))
    }

    /// Counts people in the question of a run that is shown.
    pub(super) async fn count_people(&self, db: impl Access, run: &mut RunSummary) -> Result<(), LedgerError> {
        let (asker, answers) = (run.asker.id.clone(), run.answers_for().id);
        let (config, environment) = (self.config(), self.environment(&run.request.environment));
        if let RunState::AwaitingApproval { question, .. } = &mut run.state {
            if let Some(environment) = &environment {
                question.hold_against(&config.access, environment, |id| config.access.persons.same(id, &answers));
            }
            let persons = self.persons(db, question.people().chain([&asker])).await?;
            question.count_people(&persons);
        }
        Ok(())
    }

    /// The same in all that is shown of a run: both ids of one person are one.
    pub(super) async fn count_people_of(&self, detail: &mut RunDetail) -> Result<(), LedgerError> {
        self.count_people(&self.store, &mut detail.run).await?;
        self.clean_reasons([&mut detail.run]);
        self.clean_view(&mut detail.view);
        if let RunState::AwaitingApproval { question: counted, .. } = &detail.run.state {
            if let RunState::AwaitingApproval { question, .. } = &mut detail.view.state {
                question.clone_from(counted);
            }
            if let Some(question) = &mut detail.view.question {
                question.clone_from(counted);
            }
        }
        if let Some(approved) = detail.view.approved.as_mut().filter(|approved| approved.by.len() > 1) {
            let persons = self.persons(&self.store, approved.by.iter()).await?;
            approved.by = persons.once(&approved.by).into_iter().cloned().collect();
        }
        Ok(())
    }

    /// Takes away the codes in a text that others have read: nobody can say them any more. True when there was one.
    pub async fn forget_codes(&self, text: &str) -> Result<bool, DeskError> {
        let codes: Vec<Code> = Code::found(text).into_iter().map(|(_, code)| code).collect();
        if codes.is_empty() {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let gone = links::forget(&mut tx, &codes).await?;
        tx.commit().await?;
        Ok(gone > 0)
    }

    /// Who is one person with whom: admins see all, others what is theirs.
    pub async fn links(&self, message: &Message) -> Result<Links, DeskError> {
        let config = self.config();
        let actor = self.known(&self.store, message.actor.clone()).await?;
        let all = is_admin(&config.access, &actor);
        let (mut links, mut unreadable) = links::readable(&self.store).await?;
        unreadable.retain(|_| all);
        links.retain(|link| link.ended.is_none() && (all || link.ids.iter().any(|id| actor.is(id))));
        let mut people = config.access.persons.0.clone();
        people.retain(|person| all || person.ids.contains(&actor.id));
        Ok(Links { people, links, unreadable, all })
    }

    /// `by` with the other ids of those whom it means: what somebody did is theirs by whichever id.
    pub(super) async fn by_all_ids(&self, by: Option<&str>) -> Result<Option<String>, LedgerError> {
        let Some(by) = by else { return Ok(None) };
        let config = self.config();
        let persons = &config.access.persons;
        let (links, _) = links::readable(&self.store).await?;
        if persons.0.is_empty() && links.is_empty() {
            return Ok(Some(by.to_owned()));
        }
        let now = self.store.now().await?;
        let mut ids: Vec<String> = Vec::new();
        for one in by.split(',').map(|one| one.trim_start_matches('@')).filter(|one| !one.is_empty()) {
            let own = |id: &ActorId| id.as_str() == one || (!one.contains(':') && id.short() == one);
            let linked = links.iter().flat_map(|link| &link.ids);
            let mut meant: Vec<ActorId> =
                persons.0.iter().flat_map(|person| &person.ids).chain(linked).filter(|id| own(id)).cloned().collect();
            meant.extend(persons.named(one).into_iter().flat_map(|person| person.ids.iter().cloned()));
            ids.push(one.to_owned());
            for id in meant {
                let also = persons.also(&id, &links, now).into_iter().filter(|also| also.standing).map(|also| also.id);
                ids.extend([id.clone()].into_iter().chain(also).map(|id| id.to_string()));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        Ok(Some(ids.join(",")))
    }
}

fn is_admin(access: &crate::domain::access::Access, actor: &Actor) -> bool {
    let admin = Role::built_in(Least::Admin);
    held(access, None, actor).any(|grant| grant.role.includes(&admin))
}

impl Case<'_> {
    /// Decides on an order about links and carries it out in `tx`.
    pub(super) async fn link_order(&self, tx: &mut Tx, order: &LinkOrder) -> Result<Done, Denied> {
        self.may_link(tx, order.name()).await?;
        let answer = match order {
            LinkOrder::Begin => {
                let code = new_code()?;
                let until = links::ask(tx, &self.message.actor, &code, CODE_MS).await?;
                LinkAnswer::Code { code, until }
            }
            LinkOrder::Confirm { code } => LinkAnswer::Linked(self.confirm(tx, code).await?),
            LinkOrder::End { of } => self.unlink(tx, of.as_deref()).await?,
        };
        let answer = Answer::Link(answer);
        Ok(Done {
            answer,
            environment: None,
            run: None,
            rule: None,
            events: Vec::new(),
            lapsed: Lapsed::default(),
            detail: serde_json::Map::new(),
        })
    }

    /// It is about no environment: who has it anywhere has it. A program is nobody's other self.
    async fn may_link(&self, tx: &mut Tx, command: CommandName) -> Result<(), Denied> {
        let config = self.desk.config();
        let now = crate::ledger::now(&mut *tx).await?;
        if self.message.actor.kind == ActorKind::Bot {
            let refusal = Refusal::refused(format!("`{command}` is for people"), "a program is nobody's other self");
            return Err(refused("link", refusal.hint("whoami")));
        }
        let asked = |environment| policy(&self.matter(&config, command, environment, &[], now));
        let anywhere = config.environments.values().any(|environment| asked(Some(environment)) == Decision::Allow);
        match asked(None) {
            Decision::Refuse { rule, refusal } if !anywhere => Err(refused(rule, refusal)),
            Decision::Refuse { .. }
            | Decision::Allow
            | Decision::NeedsApproval { .. }
            | Decision::NeedsConfirmation(_) => Ok(()),
        }
    }

    async fn confirm(&self, tx: &mut Tx, code: &Code) -> Result<Link, Denied> {
        let me = &self.message.actor;
        let now = crate::ledger::now(&mut *tx).await?;
        let wrong = links::wrong_since(tx, &me.id, WRONG, now.plus_ms(-WRONG_WITHIN_MS)).await?;
        if wrong >= WRONG_MAX {
            let why = format!("{wrong} wrong ones came from you within an hour; wait, then ask for a new one");
            let refusal = Refusal::refused("no code is taken from you now", why).hint("link");
            return Err(refused("codes", refusal));
        }
        let Some(one) = links::whose(tx, code).await? else {
            let why = "it was said already, it is older than 10 minutes, or it was mistyped";
            let refusal = Refusal::refused("that code is nobody's", why).hint("link");
            return Err(refused(WRONG, refusal));
        };
        if one.id == me.id {
            let why = "say it from your other id: in the other chat, or in the terminal";
            let refusal = Refusal::refused("that code is your own", why).hint("whoami");
            return Err(refused("link", refusal));
        }
        if me.is(&one.id) {
            let why = format!("`{}` and `{}` are one person already", one.id.shown(), me.id.shown());
            return Err(refused("link", Refusal::refused("there is nothing to link", why).hint("link list")));
        }
        let config = self.desk.config();
        let all = self.all_links(tx).await?;
        if config.access.persons.tells_apart(&one.id, &me.id, &all, now) {
            let of = |id: &ActorId| {
                let person = config.access.persons.of(id);
                person.map_or_else(|| id.shown().into_owned(), |person| format!("{} ({})", person.name, person.written))
            };
            let why = format!("the configuration has two people for them: {}, {}", of(&one.id), of(&me.id));
            let refusal = Refusal::refused("these two are not linked", why).hint("whoami");
            return Err(refused("link", refusal));
        }
        let Some(link) = links::begin(tx, code, &one, me).await? else {
            let refusal = Refusal::refused("that came too late", "the code was said in the same moment").hint("link");
            return Err(refused("link", refusal));
        };
        let news = News::Linked { by: me.id.clone(), called: me.name.clone() };
        outbox::put_news(tx, &one.id, &news).await?;
        Ok(link)
    }

    /// What people have said, for what depends on who is nobody else. While one cannot be read nobody knows whom it makes one person.
    pub(super) async fn all_links(&self, tx: &mut Tx) -> Result<Vec<Link>, Denied> {
        let (all, broken) = links::readable(&mut *tx).await?;
        let Some(first) = broken.first() else { return Ok(all) };
        let why = format!("{}; whom it makes one person nobody knows, and an admin can take it away", first.why);
        let refusal = Refusal::refused("no yes counts and nobody is linked while a link cannot be read", why);
        Err(refused("link", refusal.hint(format!("unlink {}", first.number))))
    }

    async fn unlink(&self, tx: &mut Tx, of: Option<&str>) -> Result<LinkAnswer, Denied> {
        let config = self.desk.config();
        let me = &self.message.actor;
        let (mut standing, broken) = links::readable(&mut *tx).await?;
        let is_broken = |one: &&Unreadable| of.is_some_and(|of| one.number.to_string() == of);
        if let Some(broken) = broken.iter().find(is_broken).filter(|_| is_admin(&config.access, me)) {
            if !links::clear(tx, broken).await? {
                return Err(refused("link", self.not_linked(of)));
            }
            return Ok(LinkAnswer::Cleared(broken.clone()));
        }
        standing.retain(|link| link.ended.is_none());
        let is_meant = |link: &Link| match of {
            None => link.ids.contains(&me.id),
            Some(of) => link.number.to_string() == of || link.ids.iter().any(|id| id.as_str() == of),
        };
        let meant: Vec<Link> = standing.into_iter().filter(is_meant).collect();
        let own = |link: &Link| link.ids.iter().any(|id| me.is(id));
        let admin = is_admin(&config.access, me);
        if meant.is_empty() || (!admin && !meant.iter().all(own)) {
            return Err(refused("link", self.not_linked(of)));
        }
        let mut ended = Vec::new();
        for link in meant {
            if links::end(tx, &link, &me.id).await? {
                for id in link.ids.iter().filter(|id| **id != me.id) {
                    let news = News::Unlinked { by: me.id.clone(), called: me.name.clone(), link: link.clone() };
                    outbox::put_news(tx, id, &news).await?;
                }
                ended.push(link);
            }
        }
        Ok(LinkAnswer::Unlinked(ended))
    }

    /// Of links of others nothing is told, not even whether there is one.
    fn not_linked(&self, of: Option<&str>) -> Refusal {
        let config = self.desk.config();
        let person = config.access.persons.of(&self.message.actor.id);
        let why = match (of, person) {
            (None, Some(person)) => format!(
                "{} says that your ids are one person; whoever edits the configuration can change that",
                person.written
            ),
            (None, None) => "no link of yours stands".to_owned(),
            (Some(of), _) => format!("no link that is yours to end is about `{}`", distinct(of)),
        };
        Refusal::refused("there is nothing to unlink", why).hint("link list")
    }
}

fn refused(rule: &'static str, refusal: Refusal) -> Denied {
    Denied::Refused { environment: None, rule, refusal: Box::new(refusal) }
}

/// # Errors
/// The system has no random numbers to give.
fn new_code() -> Result<Code, Denied> {
    use ring::rand::{SecureRandom as _, SystemRandom};
    let mut random = [0; 5];
    if SystemRandom::new().fill(&mut random).is_err() {
        let refusal = Refusal::refused("no code can be made now", "this machine has no random numbers to give");
        return Err(refused("link", refusal.hint("link")));
    }
    Ok(Code::new(random))
}
