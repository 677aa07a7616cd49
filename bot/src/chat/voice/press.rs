//! Buttons of messages, each used once: whoever is carried out first uses it up, and the message says who it was; one yes of several
//! uses up nothing. Those of a message that is about no run stand against each other, and are used up together. What is kept of it lies
//! with what was told, so that it outlives a restart and counts for every process.

use std::time::Duration;

use tidegate_runner::desk::post::{CardRow, Subject};
use tidegate_runner::desk::{DeskError, Message};
use tidegate_runner::domain::ids::RunNumber;

use super::ear::Ear;
use super::origin::{How, MENU, Origin};
use super::together::turn;
use crate::cards::{self, Card};
use crate::reporter;

/// Before the key of a press that is being carried out, or was.
const TAKEN: &str = "press:";
/// Before the key of a press that was refused.
const FREED: &str = "freed:";
/// Before the key of a press that was carried out, and what the card says of it.
const SAID: &str = "pressed:";
/// The same of one yes of several: it is carried out, and the button stays for the others.
const COUNTED: &str = "counted:";

/// The version of messages about the clock.
pub(in crate::chat) const CLOCK: &str = "clock";

/// The version of messages about several runs, and the first word of what they are about. Their buttons are those of the runs.
pub(in crate::chat) const TURN: &str = "turn";

/// In place of a verb: all buttons of a message.
const ALL: &str = "all";

/// Most presses that a card tells of.
const SHOWN_MAX: usize = 3;

/// How long somebody else's press is waited for before it is looked at again later, and between two looks.
const UNDECIDED: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(100);

/// How often somebody else may be faster while a press is noted.
const TRIES: usize = 8;

/// What becomes of a press.
pub(in crate::chat) enum Press {
    /// It is no button of a message that is kept true, or one that can be pressed again and again.
    Free,
    /// It is ours to carry out.
    Ours(Subject),
    /// It is not carried out; what is answered.
    Dead(Box<Card>),
    /// The same person clicked twice, and is answered once.
    Again,
    /// What the message is about is not noted yet: somebody was very fast.
    Early,
    /// Somebody else pressed first, and it is not known yet whether that counts; what is answered where that stays so.
    Undecided(Box<Card>),
}

/// What came of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Came<'c> {
    /// It was refused, and others can press.
    Nothing,
    /// It was carried out, by whom, and others are to press, too.
    Counts(&'c str),
    /// It was carried out, by whom, with what came of it where no run's card says so.
    Done(&'c str, Option<&'c str>),
}

/// What makes a press: the card's version and the button, as the inbox key has them.
fn name(version: &str, verb: &str) -> String {
    format!("{version} {verb}")
}

/// Whether two presses of a button are of one person: their keys differ by the moment alone.
fn same_person(one: &str, other: &str) -> bool {
    one.rsplit_once(':').map(|(press, _)| press) == other.rsplit_once(':').map(|(press, _)| press)
}

fn holder<'t>(told: &'t [String], name: &str) -> Option<&'t str> {
    let taken = told.iter().filter_map(|entry| entry.strip_prefix(TAKEN)?.split_once('|'));
    taken.filter(|(taken, _)| *taken == name).map(|(_, key)| key).find(|key| !is_free_again(told, key))
}

/// Whether what this press took can be pressed by others.
fn is_free_again(told: &[String], key: &str) -> bool {
    let counted = |entry: &String| entry.strip_prefix(COUNTED)?.split_once('|').map(|(by, _)| by == key);
    told.contains(&format!("{FREED}{key}")) || told.iter().filter_map(counted).any(|counted| counted)
}

/// What the card says of a press that was carried out, with the key of the press.
fn carried_out(entry: &str) -> Option<(&str, &str)> {
    entry.strip_prefix(SAID).or_else(|| entry.strip_prefix(COUNTED))?.split_once('|')
}

/// Whether a button of this version of the card was used.
pub(in crate::chat) fn used(row: &CardRow, version: &str, command: &str) -> bool {
    command.split_whitespace().next().is_some_and(|verb| holder(&row.told, &name(version, verb)).is_some())
}

/// Whether a button of this version was used of which one stands for all.
pub(in crate::chat) fn all_used(row: &CardRow, version: &str) -> bool {
    holder(&row.told, &name(version, ALL)).is_some()
}

/// What the card says of the buttons that were used; of those of one `version` alone where it is given.
pub(in crate::chat) fn shown(row: &CardRow, version: Option<&str>) -> Option<String> {
    // What was pressed on a message about several is this run's, too.
    let of =
        |key: &str| version.is_none_or(|version| [version, TURN].iter().any(|of| key.contains(&format!(":{of}:"))));
    let said: Vec<&str> = row
        .told
        .iter()
        .filter_map(|entry| carried_out(entry).filter(|(key, _)| of(key)).map(|(_, said)| said))
        .collect();
    let last = &said[said.len().saturating_sub(SHOWN_MAX)..];
    (!last.is_empty()).then(|| last.join("\n"))
}

impl Ear {
    /// Takes a button, which nobody else can then; `key` is the message's own, so that a crash leaves it to the same message.
    pub(in crate::chat) async fn take_button(
        &self,
        key: &str,
        typed: &str,
        origin: &Origin,
    ) -> Result<Press, DeskError> {
        let How::Button { card, label, version } = &origin.how else { return Ok(Press::Free) };
        // The home tab has no card, and what is chosen is as good as typed.
        if version == MENU || !self.is_order(typed, self.zone_of(&origin.user)).await || origin.channel == origin.user {
            return Ok(Press::Free);
        }
        let Some(subject) = self.desk.subject_of(self.door(), &origin.channel, card).await? else {
            return Ok(Press::Early);
        };
        let verb = typed.split_whitespace().next().unwrap_or_default();
        let (subject, name) = self.button_of(subject, version, typed).await?;
        let since = tokio::time::Instant::now();
        let mut tries = 0;
        while tries < TRIES {
            let Some(row) = self.desk.card(self.door(), &subject).await? else { return Ok(Press::Free) };
            match holder(&row.told, &name) {
                Some(holder) if holder == key => return Ok(Press::Ours(subject)),
                Some(holder) if same_person(holder, key) => return Ok(Press::Again),
                Some(holder) if row.told.iter().any(|entry| carried_out(entry).is_some_and(|(by, _)| by == holder)) => {
                    return Ok(Press::Dead(Box::new(cards::used(label))));
                }
                Some(_) if since.elapsed() > UNDECIDED => {
                    return Ok(Press::Undecided(Box::new(cards::undecided(label, typed))));
                }
                Some(_) => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
                None => tries += 1,
            }
            // Both are about what was then.
            if matches!(verb, "undo" | "retry")
                && let Some(run) = subject.run()
                && let Some(newer) = self.newer(run).await?
            {
                return Ok(Press::Dead(Box::new(cards::not_the_newest(label, run, newer, typed))));
            }
            if self.desk.tell_news(self.door(), &row, &format!("{TAKEN}{name}|{key}"), &[]).await? {
                return Ok(Press::Ours(subject));
            }
        }
        Ok(Press::Dead(Box::new(cards::used(label))))
    }

    /// What a press is about, and its button there.
    async fn button_of(&self, subject: Subject, version: &str, typed: &str) -> Result<(Subject, String), DeskError> {
        let mut words = typed.split_whitespace();
        let verb = words.next().unwrap_or_default();
        Ok(match (subject.run(), words.next().and_then(|run| run.parse().ok()).map(RunNumber)) {
            (Some(_), _) => (subject, name(version, verb)),
            (None, Some(run)) if version == TURN => {
                // Whichever of its messages it is pressed on, it is one button.
                let version = reporter::version(&self.desk.show(run).await?);
                (Subject::Run(run), name(&version, verb))
            }
            (None, _) => (subject, name(version, ALL)),
        })
    }

    /// Gives a button back that this message took and that is not carried out any more.
    pub(in crate::chat) async fn free_button(&self, key: &str, typed: &str, origin: &Origin) -> Result<(), DeskError> {
        let How::Button { card, version, .. } = &origin.how else { return Ok(()) };
        let Some(subject) = self.desk.subject_of(self.door(), &origin.channel, card).await? else { return Ok(()) };
        let (subject, name) = self.button_of(subject, version, typed).await?;
        let row = self.desk.card(self.door(), &subject).await?;
        if row.is_some_and(|row| holder(&row.told, &name) == Some(key)) {
            self.note_press(&subject, key, origin, Came::Nothing).await;
        }
        Ok(())
    }

    /// Notes what came of a press: who pressed, for all to see, and whether the button can be used by others.
    pub(in crate::chat) async fn note_press(&self, subject: &Subject, key: &str, origin: &Origin, came: Came<'_>) {
        let How::Button { label, .. } = &origin.how else { return };
        let pressed = |who: &str, what| cards::pressed(label, &format!("@{who}"), what);
        let note = match came {
            Came::Done(who, what) => format!("{SAID}{key}|{}", pressed(who, what)),
            Came::Counts(who) => format!("{COUNTED}{key}|{}", pressed(who, None)),
            Came::Nothing => format!("{FREED}{key}"),
        };
        let noted = match self.note(subject, &note).await {
            // The message about several shows it, too.
            Ok(Some(row)) if row.is_within() => match self.told_together(&row).await {
                Ok(Some(together)) => self.note(&together, &note).await.map(|_| ()),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "a press is not noted on its card");
        }
    }

    /// Notes a yes that was carried out, perhaps by a process that died before it could: where the question stands as it was pressed,
    /// others are to press, too.
    pub(in crate::chat) async fn note_counted(
        &self,
        subject: &Subject,
        message: &Message,
        origin: &Origin,
    ) -> Result<(), DeskError> {
        let (Some(run), Some("approve")) = (subject.run(), message.typed.split_whitespace().next()) else {
            return Ok(());
        };
        let version = reporter::version(&self.desk.show(run).await?);
        let Some(row) = self.desk.card(self.door(), subject).await? else { return Ok(()) };
        if holder(&row.told, &name(&version, "approve")) == Some(message.key.as_str()) {
            self.note_press(subject, &message.key, origin, Came::Counts(&message.actor.name)).await;
        }
        Ok(())
    }

    /// Adds a note to a message that is kept true, once, and gives what is known of it.
    async fn note(&self, subject: &Subject, note: &str) -> Result<Option<CardRow>, DeskError> {
        let mut known = None;
        for _ in 0..TRIES {
            let Some(row) = self.desk.card(self.door(), subject).await? else { return Ok(None) };
            if row.told.iter().any(|told| told == note) || self.desk.tell_news(self.door(), &row, note, &[]).await? {
                return Ok(Some(row));
            }
            known = Some(row);
        }
        Ok(known)
    }

    /// The message about several that tells a run.
    async fn told_together(&self, row: &CardRow) -> Result<Option<Subject>, DeskError> {
        let Some(run) = row.subject.run() else { return Ok(None) };
        Ok(self.desk.due_of(run).await?.map(|due| turn(due, &row.channel)))
    }

    /// The run that has changed the environment of this one since.
    async fn newer(&self, run: RunNumber) -> Result<Option<RunNumber>, DeskError> {
        let environment = self.desk.show(run).await?.run.request.environment;
        Ok(self.desk.changed_last(&environment).await?.filter(|last| *last > run))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn row(told: &[&str]) -> CardRow {
        CardRow {
            subject: RunNumber(5).into(),
            about: None,
            channel: "C1".to_owned(),
            message: Uuid::nil(),
            posted: Some("1.1".to_owned()),
            given_up: false,
            shown: String::new(),
            told: told.iter().map(|&told| told.to_owned()).collect(),
            settled: false,
        }
    }

    #[test]
    fn a_button_is_used_once_and_free_again_when_it_was_refused() {
        assert!(!used(&row(&["plan"]), "v1", "approve 5"));
        assert!(used(&row(&["press:v1 approve|k1"]), "v1", "approve 5"));
        assert!(!used(&row(&["press:v1 approve|k1"]), "v2", "approve 5"));
        assert!(!used(&row(&["press:v1 approve|k1"]), "v1", "reject 5"));
        assert!(!used(&row(&["press:v1 approve|k1", "freed:k1"]), "v1", "approve 5"));
        assert!(used(&row(&["press:v1 approve|k1", "freed:k1", "press:v1 approve|k2"]), "v1", "approve 5"));
    }

    #[test]
    fn one_yes_of_several_is_told_and_leaves_the_button_to_others() {
        let one = row(&["press:v1 approve|k1", "counted:k1|Approve: pressed by @a"]);
        assert!(!used(&one, "v1", "approve 5"));
        assert_eq!(shown(&one, None).as_deref(), Some("Approve: pressed by @a"));
        let two = row(&["press:v1 approve|k1", "counted:k1|a", "press:v1 approve|k2", "pressed:k2|b"]);
        assert!(used(&two, "v1", "approve 5"));
        assert_eq!(shown(&two, None).as_deref(), Some("a\nb"));
        assert!(used(&row(&["press:v1 approve|k11", "counted:k1|a"]), "v1", "approve 5"), "another's press");
    }

    #[test]
    fn a_double_click_is_known_by_who_pressed() {
        assert!(same_person("slack:press:C1:5.5:v1:approve:U1:6.5", "slack:press:C1:5.5:v1:approve:U1:6.9"));
        assert!(!same_person("slack:press:C1:5.5:v1:approve:U1:6.5", "slack:press:C1:5.5:v1:approve:U2:6.5"));
    }

    #[test]
    fn a_card_tells_who_pressed_last() {
        assert_eq!(shown(&row(&["plan"]), None), None);
        let many = row(&["pressed:k1|a", "plan", "pressed:k2|b|b", "pressed:k3|c", "pressed:k4|d"]);
        assert_eq!(shown(&many, None).as_deref(), Some("b|b\nc\nd"));
        let of_two = row(&["pressed:s:C1:1.1:v1:approve:U1:2.2|a", "pressed:s:C1:1.1:v2:retry:U1:2.2|b"]);
        assert_eq!(shown(&of_two, Some("v2")).as_deref(), Some("b"));
    }
}
