//! Which of some ids are one person, for what people read: where the desk counts people, a card must not count ids.

use serde::{Deserialize, Serialize};

use super::{Link, People, Yes};
use crate::domain::ids::{ActorId, Timestamp};

/// People with several ids, each with all of theirs. An id that is in none of them is somebody by itself.
///
/// As it is known when somebody looks: never kept with what happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Persons(Vec<Vec<ActorId>>);

impl Persons {
    /// Those among `ids` who have others, by configuration and by links at `now`. Links that ended not long ago still count, as they do
    /// where yeses are counted.
    #[must_use]
    pub fn among<'a>(
        ids: impl IntoIterator<Item = &'a ActorId>,
        people: &People,
        links: &[Link],
        now: Timestamp,
    ) -> Self {
        let mut all: Vec<Vec<ActorId>> = Vec::new();
        for id in ids {
            if all.iter().any(|person| person.contains(id)) {
                continue;
            }
            let also = people.also(id, links, now);
            if !also.is_empty() {
                all.push([id.clone()].into_iter().chain(also.into_iter().map(|also| also.id)).collect());
            }
        }
        Self(all)
    }

    /// True when nobody has several ids.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when both are one person.
    #[must_use]
    pub fn same(&self, one: &ActorId, other: &ActorId) -> bool {
        one == other || self.0.iter().any(|person| person.contains(one) && person.contains(other))
    }

    /// Each person once, by the first of their ids.
    #[must_use]
    pub fn once<'a>(&self, ids: impl IntoIterator<Item = &'a ActorId>) -> Vec<&'a ActorId> {
        let mut kept: Vec<&ActorId> = Vec::new();
        for id in ids {
            if !kept.iter().any(|other| self.same(other, id)) {
                kept.push(id);
            }
        }
        kept
    }

    /// The yeses, each without what the same person said yes to by another id.
    #[must_use]
    pub fn said(&self, yeses: &[Yes]) -> Vec<Yes> {
        let mut kept: Vec<Yes> = Vec::new();
        for yes in yeses {
            let mut yes = yes.clone();
            let own = |other: &&Yes| self.same(&other.by, &yes.by);
            let said: Vec<usize> = kept.iter().filter(own).flat_map(|other| other.wants.iter().copied()).collect();
            if said.is_empty() {
                kept.push(yes);
                continue;
            }
            yes.wants.retain(|want| !said.contains(want));
            if !yes.wants.is_empty() {
                kept.push(yes);
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ActorId {
        text.parse().expect("an id")
    }

    #[test]
    fn both_ids_of_one_person_are_one_and_others_stay_by_themselves() {
        let link = |one: &str, other: &str, ended: Option<i64>| Link {
            number: 1,
            ids: [id(one), id(other)],
            called: [String::new(), String::new()],
            began: Timestamp(0),
            ended: ended.map(Timestamp),
        };
        let links = [link("slack:U1", "discord:1", None), link("slack:U2", "discord:2", Some(5))];
        let all = [id("slack:U1"), id("local:ito"), id("discord:1"), id("discord:2"), id("slack:U2")];
        let persons = Persons::among(&all, &People::default(), &links, Timestamp(9));
        assert!(persons.same(&id("slack:U1"), &id("discord:1")) && !persons.same(&id("slack:U1"), &id("local:ito")));
        // What was unlinked lately is nobody else yet.
        assert_eq!(persons.once(&all), [&id("slack:U1"), &id("local:ito"), &id("discord:2")]);
        let yes = |by: &str, wants: &[usize]| Yes {
            by: id(by),
            wants: wants.to_vec(),
            alone: false,
            because: None,
            through: vec![],
        };
        let said = persons.said(&[yes("slack:U1", &[0]), yes("discord:1", &[0, 1]), yes("local:ito", &[0])]);
        assert_eq!(said, [yes("slack:U1", &[0]), yes("discord:1", &[1]), yes("local:ito", &[0])]);
        let alone = Persons::among(&all, &People::default(), &[], Timestamp(9));
        assert!(alone.is_empty() && alone.once(&all).len() == 5);
    }
}
