//! One person by several ids. The configuration names people by all of theirs; a link is somebody's own word, confirmed from both
//! sides. What a person has asked for, holds or said yes to is theirs by whichever id; rights go from one id to another only where the
//! configuration says that both are one person.

use serde::{Deserialize, Serialize};

use super::Written;
use crate::domain::ids::{ActorId, Timestamp};

/// The longest that a question may be open, in seconds: 30 days.
pub const OPEN_MAX_S: u32 = 30 * 24 * 3_600;

/// For so long after its end a link still keeps two ids from counting as two people, in milliseconds: 90 days, three times as long as
/// any question is open, as a run can ask anew. Otherwise somebody could ask, unlink, and say yes from the other chat.
pub const LINGERS_MS: i64 = 3 * 30 * 24 * 3_600_000;

/// A person whom the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What the file calls them.
    pub name: String,
    /// Their ids, at least two.
    pub ids: Vec<ActorId>,
    /// Where they are written.
    pub written: Written,
}

/// All people whom the configuration names. No id is in two of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People(pub Vec<Person>);

impl People {
    /// The person who has this id.
    #[must_use]
    pub fn of(&self, id: &ActorId) -> Option<&Person> {
        self.0.iter().find(|person| person.ids.contains(id))
    }

    /// The person of this name, in any case of its letters.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Person> {
        self.0.iter().find(|person| person.name.eq_ignore_ascii_case(name))
    }

    /// True when the configuration says that these are one person, or they are the same id.
    #[must_use]
    pub fn same(&self, one: &ActorId, other: &ActorId) -> bool {
        one == other || self.of(one).is_some_and(|person| person.ids.contains(other))
    }

    /// The ids that the configuration gives to whoever has this one, this one included.
    #[must_use]
    pub fn ids<'a>(&'a self, id: &'a ActorId) -> &'a [ActorId] {
        self.of(id).map_or(std::slice::from_ref(id), |person| &person.ids)
    }

    /// Whose these ids are known to be besides, by configuration and by links as they are at `now`; without itself, in order.
    ///
    /// A link that would make one of two people whom the configuration tells apart counts for nothing.
    #[must_use]
    pub fn also(&self, id: &ActorId, links: &[Link], now: Timestamp) -> Vec<Also> {
        let standing = self.circle(id, links.iter().filter(|link| link.ended.is_none()));
        let lingers = |link: &&Link| link.ended.is_some_and(|ended| ended.plus_ms(LINGERS_MS) > now);
        // What stands comes first: what is over puts nothing of it to sleep.
        let lately =
            self.circle(id, links.iter().filter(|link| link.ended.is_none()).chain(links.iter().filter(lingers)));
        let all = lately.into_iter().filter(|other| other != id);
        all.map(|other| Also { standing: standing.contains(&other), id: other }).collect()
    }

    /// Everybody who is the same person as `id` by these links, and by the configuration.
    fn circle<'l>(&self, id: &ActorId, links: impl Iterator<Item = &'l Link>) -> Vec<ActorId> {
        // In the order in which they were made, so that everybody sees the same ones asleep.
        let mut circles: Vec<Vec<ActorId>> = self.0.iter().map(|person| person.ids.clone()).collect();
        let persons = |circle: &[ActorId]| {
            let mut found: Vec<&str> =
                circle.iter().filter_map(|id| self.of(id)).map(|person| person.name.as_str()).collect();
            found.sort_unstable();
            found.dedup();
            found.len()
        };
        for link in links {
            let mut both: Vec<ActorId> = link.ids.to_vec();
            let (touched, apart): (Vec<_>, Vec<_>) =
                circles.into_iter().partition(|circle| circle.iter().any(|id| link.ids.contains(id)));
            circles = apart;
            both.extend(touched.iter().flatten().cloned());
            both.sort();
            both.dedup();
            if persons(&both) > 1 {
                circles.extend(touched);
            } else {
                circles.push(both);
            }
        }
        circles.into_iter().find(|circle| circle.contains(id)).unwrap_or_else(|| vec![id.clone()])
    }

    /// True when a link between these would make one of two people whom the configuration tells apart.
    #[must_use]
    pub fn tells_apart(&self, one: &ActorId, other: &ActorId, links: &[Link], now: Timestamp) -> bool {
        let whole = |id: &ActorId| {
            let also = self.also(id, links, now).into_iter().map(|also| also.id);
            also.chain([id.clone()]).find_map(|id| self.of(&id).map(|person| person.name.clone()))
        };
        matches!((whole(one), whole(other)), (Some(one), Some(other)) if one != other)
    }
}

/// Another id of somebody.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Also {
    /// The id.
    pub id: ActorId,
    /// False for one whose link has ended not long ago: it is nobody else, and has nothing of theirs any more.
    pub standing: bool,
}

/// Two ids of which somebody said, from both, that they are one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its number, from 1.
    pub number: i64,
    /// Who asked for the code, and who said it.
    pub ids: [ActorId; 2],
    /// What they were called then.
    pub called: [String; 2],
    /// Since when.
    pub began: Timestamp,
    /// When it was taken back; `None`: it stands.
    pub ended: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> ActorId {
        text.parse().expect("an id")
    }

    fn people(all: &[(&str, &[&str])]) -> People {
        let written = Written { file: "tidegate.toml".to_owned(), line: 3 };
        let person = |(name, ids): &(&str, &[&str])| Person {
            name: (*name).to_owned(),
            ids: ids.iter().map(|text| id(text)).collect(),
            written: written.clone(),
        };
        People(all.iter().map(person).collect())
    }

    fn link(one: &str, other: &str, ended: Option<i64>) -> Link {
        Link {
            number: 1,
            ids: [id(one), id(other)],
            called: ["a".to_owned(), "b".to_owned()],
            began: Timestamp(0),
            ended: ended.map(Timestamp),
        }
    }

    fn also(people: &People, who: &str, links: &[Link], now: i64) -> String {
        let found = people.also(&id(who), links, Timestamp(now));
        let words = found.iter().map(|also| format!("{}{}", also.id, if also.standing { "" } else { " (ended)" }));
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_person_is_known_by_configuration_and_by_links() {
        let sato = people(&[("sato", &["slack:U1", "discord:1"])]);
        let none = People::default();
        let linked = link("discord:1", "local:sato", None);
        assert_eq!(also(&sato, "slack:U1", &[], 0), "discord:1");
        assert_eq!(also(&none, "slack:U1", &[], 0), "");
        assert_eq!(also(&none, "discord:1", std::slice::from_ref(&linked), 0), "local:sato");
        // Through both, whichever way one comes.
        for (who, others) in [
            ("slack:U1", "discord:1, local:sato"),
            ("discord:1", "local:sato, slack:U1"),
            ("local:sato", "discord:1, slack:U1"),
            ("slack:U9", ""),
        ] {
            assert_eq!(also(&sato, who, std::slice::from_ref(&linked), 0), others, "{who}");
        }
    }

    #[test]
    fn a_link_that_has_ended_still_makes_nobody_two_people_as_long_as_a_question_can_be_open() {
        let ended = link("slack:U1", "discord:1", Some(1_000));
        let none = People::default();
        assert_eq!(also(&none, "slack:U1", std::slice::from_ref(&ended), 1_000), "discord:1 (ended)");
        let over = 1_000 + LINGERS_MS;
        assert_eq!(also(&none, "slack:U1", std::slice::from_ref(&ended), over - 1), "discord:1 (ended)");
        assert_eq!(also(&none, "slack:U1", std::slice::from_ref(&ended), over), "");
        // Made again it stands, whatever was before.
        let again = link("slack:U1", "discord:1", None);
        assert_eq!(also(&none, "slack:U1", &[ended, again], 2_000), "discord:1");
    }

    #[test]
    fn a_link_that_is_over_puts_none_that_stands_to_sleep() {
        let two = people(&[("mori", &["slack:U2", "discord:2"]), ("sato", &["slack:U1", "discord:1"])]);
        let links = [link("local:x", "slack:U2", Some(1_000)), link("local:x", "slack:U1", None)];
        assert_eq!(also(&two, "local:x", &links, 1_000), "discord:1, slack:U1");
        assert_eq!(also(&two, "slack:U1", &links, 1_000), "discord:1, local:x");
    }

    #[test]
    fn no_link_makes_one_of_two_whom_the_configuration_tells_apart() {
        let two = people(&[("mori", &["slack:U2", "discord:2"]), ("sato", &["slack:U1", "discord:1"])]);
        let direct = link("slack:U1", "slack:U2", None);
        assert_eq!(also(&two, "slack:U1", std::slice::from_ref(&direct), 0), "discord:1");
        assert!(two.tells_apart(&id("slack:U1"), &id("discord:2"), &[], Timestamp(0)));
        assert!(!two.tells_apart(&id("slack:U1"), &id("discord:1"), &[], Timestamp(0)));
        assert!(!two.tells_apart(&id("slack:U1"), &id("local:x"), &[], Timestamp(0)));
        // Nor do two links by way of somebody unknown: the first counts, the second sleeps.
        let by_way = [link("slack:U1", "local:x", None), link("local:x", "slack:U2", None)];
        assert_eq!(also(&two, "slack:U1", &by_way, 0), "discord:1, local:x");
        assert_eq!(also(&two, "slack:U2", &by_way, 0), "discord:2");
        assert!(two.tells_apart(&id("local:x"), &id("slack:U2"), &by_way[..1], Timestamp(0)));
    }
}
