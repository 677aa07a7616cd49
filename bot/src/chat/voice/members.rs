//! Members of groups, whom only the chat knows: they are told what is for the group, and written in its place in what people type.

use std::collections::BTreeSet;

use tidegate_runner::desk::{Desk, DeskError, Message};
use tidegate_runner::domain::access::Approvers;
use tidegate_runner::domain::command::CommandName;
use tidegate_runner::domain::ids::ActorId;
use tidegate_runner::domain::refusal::Refusal;
use uuid::Uuid;

use super::mouth::Mouth;
use super::platform::Platform;
use crate::cards::{self, MEMBERS};
use crate::commands;

/// For so many milliseconds it is waited for that somebody of a group is known, where the chat does not tell who is in it.
const UNKNOWN_MS: i64 = 30 * 60_000;

/// Orders that leave in those whom they name after `only`.
const LEAVE_IN: [CommandName; 3] = [CommandName::Hold, CommandName::Freeze, CommandName::Book];

impl Mouth {
    /// Who reads the notice `id`, which is for this person or group. Where the chat refuses to tell who is in it, those who are known;
    /// nobody, after a while in which nobody was. `None`: not known yet.
    pub(in crate::chat) async fn readers(&self, who: &str, id: Uuid) -> Option<Vec<String>> {
        if !self.platform.is_group(who) {
            return Some(vec![who.to_owned()]);
        }
        let error = match self.platform.members(who).await {
            Ok(members) => {
                if members.is_empty() {
                    tracing::warn!(group = who, "a group without members is not told");
                }
                return Some(members);
            }
            Err(error) => error,
        };
        let Some(code) = error.code() else {
            tracing::debug!(%error, group = who, "who is in a group cannot be asked now");
            return None;
        };
        if error.is_of_token() {
            self.tell_once("", code).await;
            return None;
        }
        if !self.is_troubled(MEMBERS).await {
            self.tell_once(MEMBERS, code).await;
        }
        let known = self.known_of(who);
        if !known.is_empty() {
            return Some(known);
        }
        let told_ms = id.get_timestamp().map(|at| at.to_unix()).and_then(|(s, _)| i64::try_from(s * 1_000).ok());
        let now = self.desk.now().await.ok()?;
        if now.0 - told_ms.unwrap_or(now.0) < UNKNOWN_MS {
            return None;
        }
        tracing::error!(code, group = who, %id, "who is in a group is not told, and nobody of it is known: nobody is told");
        Some(Vec::new())
    }

    /// Members of a group as far as the configuration names them, or this process has met them.
    fn known_of(&self, group: &str) -> Vec<String> {
        let config = self.desk.config();
        let id = format!("{}:{group}", self.door()).parse::<ActorId>().ok();
        let named = id.iter().flat_map(|id| config.access.people(id)).filter_map(|id| self.own(&id));
        let all: BTreeSet<String> =
            named.chain(self.platform.met(group)).filter(|id| !self.platform.is_group(id)).collect();
        all.into_iter().collect()
    }

    /// Where the chat did not tell who is in groups, it is asked again until it does, or nothing waits for a group and none is named any
    /// more.
    pub(in crate::chat) async fn look_for_members(&self) {
        if !self.is_troubled(MEMBERS).await {
            return;
        }
        let group = match self.some_group().await {
            Ok(group) => group,
            Err(error) => return tracing::warn!(%error, "whether a group is still to be told something cannot be read"),
        };
        let told = match &group {
            Some(group) => self.platform.members(group).await.is_ok(),
            None => true,
        };
        if told {
            self.over(MEMBERS).await;
        }
    }

    /// A group that something waits for, or that the configuration names.
    async fn some_group(&self) -> Result<Option<String>, DeskError> {
        let runs = self.desk.personal(self.door()).await?.into_iter().map(|(_, who, _)| who);
        let news = self.desk.personal_news(self.door()).await?.into_iter().map(|(_, who, _)| who);
        let config = self.desk.config();
        let rules = config.all_known().flat_map(|environment| &environment.rules.approvals);
        let approvers = rules.flat_map(|rule| match &rule.by {
            Approvers::Named(ids) => ids.as_slice(),
            Approvers::Owners | Approvers::Role(_) => &[],
        });
        let named = self.desk.named_in(self.door()).into_iter().chain(approvers.filter_map(|id| self.own(id)));
        let found = runs.chain(news).chain(named).find(|id| self.platform.is_group(id));
        Ok(found)
    }
}

/// A question with the members of a group in place of the group that stands after `by`, as far as that is one.
pub(in crate::chat) async fn by(platform: &dyn Platform, typed: &str) -> Option<String> {
    let prefix = format!("{}:", platform.door());
    let words: Vec<&str> = typed.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("by"))? + 1;
    let group = words.get(at)?.trim_start_matches('@').strip_prefix(&prefix).filter(|id| platform.is_group(id))?;
    let members = platform.members(group).await.ok().filter(|members| !members.is_empty())?;
    let named: Vec<String> = members.iter().map(|member| format!("{prefix}{member}")).collect();
    let (before, after) = (words.get(..at)?.join(" "), words.get(at + 1..)?.join(" "));
    Some(format!("{before} {} {after}", named.join(",")).trim_end().to_owned())
}

/// Refuses an order that leaves in a group: of which ids are groups, and who is in them, the desk knows only what the configuration
/// says. `None`: it leaves in none. Who is in it is offered only to those who may give the order, and where the chat tells it: a line
/// without them would keep out those whom it was to leave in.
pub(in crate::chat) async fn left_in(desk: &Desk, platform: &dyn Platform, message: &Message) -> Option<Refusal> {
    let command = commands::name_of(&message.typed).filter(|name| LEAVE_IN.contains(name))?;
    // As they are read, whatever stands around them.
    let typed = commands::words(&message.typed);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let groups = groups_left_in(platform, &words);
    let (_, first) = groups.first()?;
    let (what, why) = cards::group_left_in(&format!("{}:{first}", platform.door()));
    let refusal = Refusal::refused(what, why);
    let may = match desk.sight(message, command).await {
        Ok(sight) if command == CommandName::Freeze => sight.all,
        Ok(sight) => words.get(1).is_some_and(|environment| sight.sees(&environment.to_lowercase())),
        Err(_) => false,
    };
    let line = if may { with_members(platform, &words, &groups).await } else { None };
    let Some(mut line) = line else { return Some(refusal) };
    let is_because = |word: &&str| word.trim_end_matches(':').eq_ignore_ascii_case("because");
    line.extend(message.typed.split_whitespace().skip_while(|word| !is_because(word)).map(str::to_owned));
    Some(refusal.hint(line.join(" ")))
}

/// The words with the members of these groups in the place of each. `None`: the chat does not tell who they are.
async fn with_members(platform: &dyn Platform, words: &[&str], groups: &[(usize, &str)]) -> Option<Vec<String>> {
    let mut line: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    // From the end, so that places stay what they are.
    for (at, id) in groups.iter().rev() {
        let members = platform.members(id).await.ok()?;
        line.splice(*at..=*at, members.iter().map(|member| format!("@{}:{member}", platform.door())));
        let names = line.get(*at).is_some_and(|word| is_name(word));
        let alone = at.checked_sub(1).and_then(|at| line.get(at)).is_some_and(|word| is_only(word));
        if members.is_empty() && alone && !names {
            line.remove(at - 1);
        }
    }
    Some(line)
}

fn is_name(word: &str) -> bool {
    word.starts_with('@') || word.contains(':')
}

fn is_only(word: &str) -> bool {
    word.strip_prefix("--").unwrap_or(word).eq_ignore_ascii_case("only")
}

/// The groups among the names after `only`, each with its place.
fn groups_left_in<'t>(platform: &dyn Platform, words: &[&'t str]) -> Vec<(usize, &'t str)> {
    let prefix = format!("{}:", platform.door());
    let (mut groups, mut names) = (Vec::new(), false);
    for (at, word) in words.iter().enumerate() {
        names = is_only(word) || names && is_name(word);
        let id = word.trim_matches(['@', ',']).strip_prefix(&prefix);
        groups.extend(id.filter(|id| names && platform.is_group(id)).map(|id| (at, id)));
    }
    groups
}
