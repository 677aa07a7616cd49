//! May this person answer this question? Asked at the press, by the roles as they are then.

use super::approval::{Want, follow, said, yeses};
use super::rights::{grants_in_words, here, may};
use super::{Access, Grant, held};
use crate::domain::answer::Actor;
use crate::domain::command::CommandName;
use crate::domain::environment::Environment;
use crate::domain::ids::{ActorId, RunNumber, Timestamp};
use crate::domain::policy::Place;
use crate::domain::refusal::Refusal;
use crate::domain::run::Question;

/// A question that somebody wants to answer.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The question.
    pub question: &'a Question,
    /// Of which run.
    pub run: RunNumber,
    /// What the run is for.
    pub kind: CommandName,
    /// Who asked for the run, with their other ids.
    pub asker: &'a Actor,
    /// They want to say yes alone.
    pub alone: bool,
}

/// Somebody at a question.
#[derive(Debug, Clone, Copy)]
pub struct Answering<'a> {
    /// Who may do what, beside what the environment says.
    pub access: &'a Access,
    /// Who answers.
    pub actor: &'a Actor,
    /// Where.
    pub place: &'a Place,
    /// The environment of the run.
    pub environment: &'a Environment,
    /// The question.
    pub asked: Asked<'a>,
    /// When.
    pub now: Timestamp,
}

type Refused = (&'static str, Refusal);

impl Answering<'_> {
    fn is_asker(&self) -> bool {
        self.actor.is(&self.asked.asker.id) || self.access.persons.same(&self.actor.id, &self.asked.asker.id)
    }

    /// Whether it could be a yes to oneself: what somebody gave up lately by `unlink` makes them nobody else.
    fn may_be_asker(&self) -> bool {
        self.may_be(&self.asked.asker.id)
    }

    fn may_be(&self, id: &ActorId) -> bool {
        self.actor.may_be(id) || self.access.persons.same(&self.actor.id, id)
    }

    fn may(&self, command: CommandName) -> Result<(), Refused> {
        may(self.access, self.actor, self.place, command, Some(self.environment))
    }

    /// May they say no? Whoever asked, whoever could say yes, and whoever has `reject`.
    ///
    /// # Errors
    /// The rule and the words.
    pub fn may_reject(&self) -> Result<(), Refused> {
        if self.is_asker() && self.may(self.asked.kind).is_ok() {
            return Ok(());
        }
        let counts = |want: &Want| want.by.has(self.access, self.environment, self.actor);
        if self.asked.question.wants.iter().any(counts) && self.channel_allows(CommandName::Reject).is_ok() {
            return Ok(());
        }
        self.may(CommandName::Reject)
    }

    /// Which wants of the question their yes would be to; none for a question that no rule asks.
    ///
    /// # Errors
    /// The rule and the words, where their yes does not count.
    pub fn may_approve(&self) -> Result<Vec<usize>, Refused> {
        let Asked { question, alone, .. } = self.asked;
        if question.wants.is_empty() {
            return self.may_confirm();
        }
        // A yes is the right to this command in this channel, whoever's it is.
        self.channel_allows(CommandName::Approve)?;
        let open = || question.wants.iter().enumerate().filter(|(at, want)| !self.is_full(*at, want));
        let entitled: Vec<(usize, &Want)> =
            open().filter(|(_, want)| want.by.has(self.access, self.environment, self.actor)).collect();
        if open().next().is_none() {
            let enough = self.may_say_that_it_is_enough()?;
            if alone {
                let why = |_: &str| "it has all its yeses: nobody has to say it alone".to_owned();
                return Err(self.refuse(why, vec![format!("approve {}", self.asked.run)]));
            }
            return Ok(enough);
        }
        if entitled.is_empty() {
            return Err(self.refuse(|who| self.not_one_of_them(who), self.next_for_others()));
        }
        if alone {
            return self.may_alone(open().count(), &entitled);
        }
        let own: Vec<(usize, &Want)> =
            entitled.iter().filter(|(_, want)| !self.may_be_asker() || want.own).copied().collect();
        if own.is_empty() {
            let why = |who: &str| {
                format!(
                    "nobody says yes to what they asked for themselves ({}){}",
                    written(&entitled),
                    self.alone_in_words(&entitled, who)
                )
            };
            return Err(self.refuse(why, self.next_alone(&entitled)));
        }
        let said_already = |at: usize| question.yes.iter().any(|yes| self.may_be(&yes.by) && yes.wants.contains(&at));
        let fresh: Vec<usize> = own.iter().map(|(at, _)| *at).filter(|at| !said_already(*at)).collect();
        if fresh.is_empty() {
            let left: Vec<String> = own.iter().map(|(at, want)| self.progress(*at, want)).collect();
            let why = |who: &str| {
                format!("{who} said yes already: {}{}", left.join("; "), self.alone_in_words(&entitled, who))
            };
            return Err(self.refuse(why, self.next_alone(&entitled)));
        }
        Ok(fresh)
    }

    /// A question that no rule asks only wants to be sure: whoever asked says so, or whoever has `approve`.
    fn may_confirm(&self) -> Result<Vec<usize>, Refused> {
        if self.asked.alone {
            let why = |_: &str| "no rule wants a yes of others here; a plain yes is enough".to_owned();
            return Err(self.refuse(why, vec![format!("approve {}", self.asked.run)]));
        }
        if self.is_asker() && self.may(self.asked.kind).is_ok() {
            return Ok(Vec::new());
        }
        self.may(CommandName::Approve).map(|()| Vec::new())
    }

    /// The configuration wants fewer yeses by now, and they were all said: one of those whose yes counts lets it go on.
    fn may_say_that_it_is_enough(&self) -> Result<Vec<usize>, Refused> {
        let question = self.asked.question;
        let counts =
            |want: &Want| want.by.has(self.access, self.environment, self.actor) && (want.own || !self.may_be_asker());
        if !question.wants.iter().any(counts) {
            return Err(self.refuse(|who| self.not_one_of_them(who), self.next_for_others()));
        }
        let said = |at: usize| question.yes.iter().any(|yes| self.may_be(&yes.by) && yes.wants.contains(&at));
        let mine = question.wants.iter().enumerate().filter(|(at, want)| counts(want) && !said(*at));
        Ok(mine.map(|(at, _)| at).collect())
    }

    fn may_alone(&self, open: usize, entitled: &[(usize, &Want)]) -> Result<Vec<usize>, Refused> {
        if entitled.len() < open {
            let others = self.asked.question.wants.iter().enumerate();
            let others = others.filter(|(at, _)| entitled.iter().all(|(mine, _)| mine != at));
            let wanted: Vec<String> = others.map(|(_, want)| want_in_words(want)).collect();
            let why = |who: &str| format!("it wants also what {who} cannot give: {}", wanted.join("; "));
            return Err(self.refuse(why, self.next_for_others()));
        }
        let never: Vec<(usize, &Want)> =
            entitled.iter().filter(|(_, want)| want.alone_from.is_none()).copied().collect();
        if !never.is_empty() {
            let why =
                |_: &str| format!("nobody says it alone here: the rule has no `alone_after` ({})", written(&never));
            return Err(self.refuse(why, self.next_for_others()));
        }
        let from = entitled.iter().filter_map(|(_, want)| want.alone_from).max();
        if from.is_some_and(|from| from >= self.asked.question.expires) {
            // Rules with different times can ask together.
            let why =
                |_: &str| format!("nobody says it alone here: the question is over before ({})", written(entitled));
            return Err(self.refuse(why, self.next_for_others()));
        }
        if let Some(from) = from.filter(|from| *from > self.now) {
            let minutes = (from.ms_since(self.now) + 59_999) / 60_000;
            let why = |_: &str| format!("others have {minutes} more min to say it ({})", written(entitled));
            return Err(self.refuse(why, self.next_alone(entitled)));
        }
        Ok(entitled.iter().map(|(at, _)| *at).collect())
    }

    fn is_full(&self, at: usize, want: &Want) -> bool {
        said(&self.asked.question.yes, at) >= usize::try_from(want.count).unwrap_or(usize::MAX)
    }

    /// The channel's part of [`may`], for a right that is no role's.
    fn channel_allows(&self, command: CommandName) -> Result<(), Refused> {
        here(self.access, self.place, command, Some(self.environment))
    }

    fn not_one_of_them(&self, who: &str) -> String {
        // Who can say it now, not who could when it was asked.
        let asker = self.asked.asker;
        let can = |own: bool, id: &ActorId| own || !asker.may_be(id) && !self.access.persons.same(&asker.id, id);
        let now = |mut want: Want| {
            let own = want.own;
            want.people.retain(|id| can(own, id));
            want_in_words(&want)
        };
        let wants = follow(&self.asked.question.wants, self.access, self.environment);
        let wants: Vec<String> = wants.into_iter().map(now).collect();
        let own: Vec<Grant> = held(self.access, Some(self.environment), self.actor).collect();
        format!("it wants {}; {who} are {}", wants.join(" and "), grants_in_words(self.actor, &own))
    }

    fn progress(&self, at: usize, want: &Want) -> String {
        format!("{} of {} of {}", said(&self.asked.question.yes, at), yeses(want.count), want.by)
    }

    fn alone_in_words(&self, entitled: &[(usize, &Want)], who: &str) -> String {
        let Some(from) = entitled.iter().map(|(_, want)| want.alone_from).collect::<Option<Vec<_>>>() else {
            return String::new();
        };
        match from.into_iter().max() {
            Some(from) if from >= self.asked.question.expires => String::new(),
            Some(from) if from > self.now => {
                let minutes = (from.ms_since(self.now) + 59_999) / 60_000;
                format!("; in {minutes} min {who} may say it alone: `approve {} alone because REASON`", self.asked.run)
            }
            Some(_) => format!("; {who} may say it alone, and the others are told"),
            None => String::new(),
        }
    }

    /// The line that says it alone, once that is allowed. Of a question that is asked anew its card alone has that line.
    fn next_alone(&self, entitled: &[(usize, &Want)]) -> Vec<String> {
        let Asked { run, question, .. } = self.asked;
        let may = |want: &Want| want.alone_from.is_some_and(|from| from <= self.now && from < question.expires);
        let can = entitled.iter().all(|(_, want)| may(want)) && !question.asks_anew();
        let alone = can.then(|| format!("approve {run} alone because REASON"));
        alone.into_iter().chain([format!("show {run}")]).collect()
    }

    fn next_for_others(&self) -> Vec<String> {
        vec![format!("why can't I approve {}", self.asked.run), format!("show {}", self.asked.run)]
    }

    fn refuse(&self, why: impl Fn(&str) -> String, hints: Vec<String>) -> Refused {
        let whose = |who: &str| if who == "you" { "your" } else { "their" };
        let what = |who: &str| format!("{} yes to run {} does not count", whose(who), self.asked.run);
        let refusal = Refusal::speaking(what, why);
        ("approval", hints.into_iter().fold(refusal, Refusal::hint))
    }
}

/// `1 yes of owners: ito, mori (deletes 7 > 5, tidegate.toml:31)`.
#[must_use]
pub fn want_in_words(want: &Want) -> String {
    let held: Vec<String> = want.held.iter().map(|held| format!("{}, {}", held.words, held.written)).collect();
    let people: Vec<_> = want.people.iter().take(6).map(|id| format!("`{}`", id.shown())).collect();
    let people = if people.is_empty() { String::new() } else { format!(": {}", people.join(", ")) };
    format!("{} of {}{people} ({})", yeses(want.count), want.by, held.join("; "))
}

fn written(wants: &[(usize, &Want)]) -> String {
    let mut places: Vec<String> =
        wants.iter().filter_map(|(_, want)| want.held.first()).map(|held| held.written.to_string()).collect();
    places.dedup();
    places.join(", ")
}
